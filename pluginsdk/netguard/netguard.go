// Package netguard lets a handler connect to addresses that a workflow names
// without reaching into the network that the server stands in: the machine
// itself, private and link-local networks, and whatever else is not public.
//
// The address that is dialled is checked, after its name was resolved, so that
// no answer of a name server gets around it. It bounds neither time nor size:
// that is the caller's.
package netguard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// ErrAddress is in every error about an address that may not be connected to.
var ErrAddress = errors.New("the address is not public")

// Guard decides which addresses may be connected to. The zero Guard allows
// public ones only.
type Guard struct {
	// AllowPrivate allows every address.
	AllowPrivate bool
}

// refused are the networks that are not public, beside those that netip
// itself knows. Those that carry an IPv4 address of their own are told apart
// by embedded.
var refused = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("5f00::/16"), netip.MustParsePrefix("fec0::/10"),
}

var (
	nat64   = netip.MustParsePrefix("64:ff9b::/96")
	sixToIV = netip.MustParsePrefix("2002::/16")
)

// embedded returns the IPv4 address that an IPv6 address leads to.
func embedded(address netip.Addr) (netip.Addr, bool) {
	bytes := address.As16()
	switch {
	case nat64.Contains(address):
		return netip.AddrFrom4([4]byte(bytes[12:16])), true
	case sixToIV.Contains(address):
		return netip.AddrFrom4([4]byte(bytes[2:6])), true
	}
	return netip.Addr{}, false
}

// Check returns an error with ErrAddress for an address that may not be
// connected to.
func (g Guard) Check(address netip.Addr) error {
	if g.AllowPrivate {
		return nil
	}
	address = address.Unmap().WithZone("")
	if address.Is6() {
		if inner, ok := embedded(address); ok {
			address = inner
		}
	}
	isBad := !address.IsValid() || address.IsLoopback() || address.IsPrivate() || address.IsLinkLocalUnicast() ||
		address.IsMulticast() || address.IsUnspecified()
	for _, network := range refused {
		isBad = isBad || network.Contains(address)
	}
	if isBad {
		return fmt.Errorf("%s can't be connected to: %w (the server's configuration may allow it)", address, ErrAddress)
	}
	return nil
}

// Dialer returns a dialer that checks each address that it is about to connect
// to.
func (g Guard) Dialer() *net.Dialer {
	return &net.Dialer{
		Timeout: 30 * time.Second,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("%s can't be connected to: %w", address, ErrAddress)
			}
			return g.Check(at.Addr())
		},
	}
}

// Transport returns a transport that checks each connection, those of
// redirects too. It keeps no connection. A proxy of the environment
// (HTTP_PROXY, HTTPS_PROXY) is used, and may have any address; the target's is
// then checked as this machine resolves it.
func (g Guard) Transport() *http.Transport {
	guarded, plain := g.Dialer(), &net.Dialer{Timeout: 30 * time.Second}
	proxies := map[string]bool{}
	for _, scheme := range []string{"http", "https"} {
		// The environment is read once by net/http, so the proxies are known.
		request := &http.Request{URL: &url.URL{Scheme: scheme, Host: "example.com"}}
		if proxy, err := http.ProxyFromEnvironment(request); err == nil && proxy != nil {
			proxies[hostPort(proxy)] = true
		}
	}
	return &http.Transport{
		Proxy: func(request *http.Request) (*url.URL, error) {
			proxy, err := http.ProxyFromEnvironment(request)
			if err != nil || proxy == nil {
				return nil, err
			}
			return proxy, g.checkHost(request.Context(), request.URL.Hostname())
		},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if proxies[address] {
				return plain.DialContext(ctx, network, address)
			}
			return guarded.DialContext(ctx, network, address)
		},
		DisableKeepAlives:      true,
		TLSHandshakeTimeout:    15 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

func hostPort(proxy *url.URL) string {
	port := proxy.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[proxy.Scheme]
	}
	return net.JoinHostPort(proxy.Hostname(), port)
}

// checkHost checks every address of a name.
func (g Guard) checkHost(ctx context.Context, host string) error {
	if g.AllowPrivate {
		return nil
	}
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return err
	}
	for _, address := range addresses {
		if err := g.Check(address); err != nil {
			return err
		}
	}
	return nil
}
