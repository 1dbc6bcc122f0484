package netguard

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestOnlyPublicAddressesAreAllowed(t *testing.T) {
	t.Parallel()
	for address, allowed := range map[string]bool{
		"93.184.216.34": true, "2606:4700::1111": true, "64:ff9b::808:808": true, "2002:808:808::1": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "127.8.0.1": false, "::1": false, "0.0.0.0": false, "::": false, "0.1.2.3": false,
		"10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "100.64.0.1": false, "169.254.169.254": false,
		"::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::127.0.0.1": false, "64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false,
		"64:ff9b:1::1": false, "2002:7f00:1::": false, "2001:0:1::": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd12::1": false, "fec0::1": false,
		"224.0.0.1": false, "ff02::1": false, "255.255.255.255": false, "240.0.0.1": false, "192.0.0.1": false, "198.18.0.1": false,
	} {
		err := Guard{}.Check(netip.MustParseAddr(address))
		if (err == nil) != allowed || (err != nil && !errors.Is(err, ErrAddress)) {
			t.Errorf("%s: %v, want allowed %v", address, err, allowed)
		}
		if err := (Guard{AllowPrivate: true}).Check(netip.MustParseAddr(address)); err != nil {
			t.Errorf("%s: %v where all are allowed", address, err)
		}
	}
}

func TestTheDialledAddressIsChecked(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	for _, test := range []struct {
		guard   Guard
		allowed bool
	}{{Guard{}, false}, {Guard{AllowPrivate: true}, true}} {
		for _, host := range []string{server.URL, "http://localhost" + server.URL[len("http://127.0.0.1"):]} {
			request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, host, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := (&http.Client{Transport: test.guard.Transport()}).Do(request)
			if (err == nil) != test.allowed || (err != nil && !errors.Is(err, ErrAddress)) {
				t.Errorf("%s with %+v: %v", host, test.guard, err)
			}
			if err == nil {
				_ = response.Body.Close()
			}
		}
	}
}
