package edge

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the addresses whose word counts for who asked: reverse proxies.
// X-Forwarded-For, -Proto and -Host of anybody else are what a client made up.
type Proxies []netip.Prefix

// ParseProxies reads addresses and networks, such as "10.0.0.7" and
// "10.0.0.0/24".
func ParseProxies(texts []string) (Proxies, error) {
	var proxies Proxies
	for _, text := range texts {
		if address, err := netip.ParseAddr(text); err == nil {
			proxies = append(proxies, netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen()))
			continue
		}
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("a trusted proxy must be an address or a network such as 10.0.0.0/24, not %q", text)
		}
		if network.Bits() == 0 {
			return nil, fmt.Errorf("the trusted proxy %q is everybody: then anybody could claim any address", text)
		}
		proxies = append(proxies, network.Masked())
	}
	return proxies, nil
}

func (p Proxies) trust(address netip.Addr) bool {
	return slices.ContainsFunc(p, func(network netip.Prefix) bool { return network.Contains(address.Unmap()) })
}

// Forwarded is what a proxy says of a request.
type Forwarded struct {
	// For are the values of X-Forwarded-For, in their order: each proxy adds
	// whom it was asked by to the end.
	For []string
	// Proto and Host are X-Forwarded-Proto and -Host.
	Proto, Host string
}

// Client judges who asked: the peer, or whom trusted proxies name, which is the
// last that is none of them. secure and host are the proxy's word too, empty
// where it says nothing or is not trusted.
func (p Proxies) Client(peer netip.Addr, said Forwarded) (client netip.Addr, secure bool, host string) {
	client = peer.Unmap()
	if !p.trust(client) {
		return client, false, ""
	}
	names := strings.Split(strings.Join(said.For, ","), ",")
	for _, name := range slices.Backward(names) {
		address, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(name), "[]"))
		if err != nil {
			break // Nobody whom we trust writes that.
		}
		client = address.Unmap().WithZone("")
		if !p.trust(client) {
			break
		}
	}
	return client, strings.EqualFold(last(said.Proto), "https"), last(said.Host)
}

// last is the value that the nearest proxy set.
func last(list string) string {
	return strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:])
}
