package edge_test

import (
	"net/netip"
	"testing"

	"github.com/vwmp/vwmp/host/edge"
)

func TestOnlyTrustedProxiesSayWhoAsked(t *testing.T) {
	t.Parallel()
	proxies, err := edge.ParseProxies([]string{"10.0.0.0/24", "192.0.2.7", "::ffff:192.0.2.8", "fd00::1"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		peer   string
		said   edge.Forwarded
		client string
		secure bool
		host   string
	}{
		"nobody said anything":             {"10.0.0.1", edge.Forwarded{}, "10.0.0.1", false, ""},
		"a stranger says all":              {"203.0.113.9", edge.Forwarded{For: []string{"10.0.0.9"}, Proto: "https", Host: "x"}, "203.0.113.9", false, ""},
		"a proxy":                          {"10.0.0.1", edge.Forwarded{For: []string{"203.0.113.9"}, Proto: "https", Host: "vwmp.example"}, "203.0.113.9", true, "vwmp.example"},
		"a client that claims an address":  {"10.0.0.1", edge.Forwarded{For: []string{"127.0.0.1, 203.0.113.9"}, Proto: "http"}, "203.0.113.9", false, ""},
		"in a line of its own":             {"10.0.0.1", edge.Forwarded{For: []string{"127.0.0.1", "203.0.113.9"}}, "203.0.113.9", false, ""},
		"two proxies":                      {"10.0.0.1", edge.Forwarded{For: []string{"203.0.113.9, 192.0.2.7"}, Proto: "http, https", Host: "evil, vwmp.example"}, "203.0.113.9", true, "vwmp.example"},
		"only proxies":                     {"10.0.0.1", edge.Forwarded{For: []string{"10.0.0.3, 10.0.0.2"}}, "10.0.0.3", false, ""},
		"nonsense":                         {"10.0.0.1", edge.Forwarded{For: []string{"8.8.8.8, unknown"}}, "10.0.0.1", false, ""},
		"nonsense behind a proxy":          {"10.0.0.1", edge.Forwarded{For: []string{"8.8.8.8, nonsense, 10.0.0.2"}}, "10.0.0.2", false, ""},
		"IPv6":                             {"fd00::1", edge.Forwarded{For: []string{"[2001:db8::5%eth0]"}}, "2001:db8::5", false, ""},
		"a mapped peer, and a mapped name": {"::ffff:10.0.0.1", edge.Forwarded{For: []string{"::ffff:203.0.113.9"}}, "203.0.113.9", false, ""},
		"a mapped entry":                   {"192.0.2.8", edge.Forwarded{For: []string{"203.0.113.9"}}, "203.0.113.9", false, ""},
	} {
		client, secure, host := proxies.Client(netip.MustParseAddr(c.peer), c.said)
		if client.String() != c.client || secure != c.secure || host != c.host {
			t.Errorf("%s: %s, %v, %q", name, client, secure, host)
		}
	}
}

func TestAProxyThatIsNoAddressOrEverybodyIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "proxy.example", "0.0.0.0/0", "::/0", "10.0.0.0/33"} {
		if _, err := edge.ParseProxies([]string{text}); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
