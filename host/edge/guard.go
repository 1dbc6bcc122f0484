// Package edge decides who is let in: the permissions of routes, the hosts
// and origins that a browser may come from, and sign-in by token, session
// and ticket.
//
// It judges words and knows no HTTP framework; package host asks it before
// anything else sees a request.
package edge

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// Permission is what a route asks for. They are ordered: who has one has
// those before it.
type Permission int

// The permissions.
const (
	// Public needs no sign-in.
	Public Permission = iota + 1
	// Viewer reads.
	Viewer
	// Executor also runs, cancels and decides.
	Executor
	// Editor also changes workflows.
	Editor
	// Admin does everything else.
	Admin
)

// String returns the permission's word.
func (p Permission) String() string {
	switch p {
	case Public:
		return "public"
	case Viewer:
		return "viewer"
	case Executor:
		return "executor"
	case Editor:
		return "editor"
	case Admin:
		return "admin"
	}
	return "none"
}

// roleOf reads a role's word; 0 for one that lets nobody in.
func roleOf(word string) Permission {
	for _, role := range []Permission{Viewer, Executor, Editor, Admin} {
		if role.String() == word {
			return role
		}
	}
	return 0
}

// Hosts is the list of names under which the server may be asked. A name
// that is not on it is a sign of DNS rebinding.
type Hosts struct {
	port    string
	allowed map[string]bool
}

// NewHosts allows the loopback names with the port, and each further name:
// as written where it has a port, else with the server's own port or none.
func NewHosts(port string, further []string) Hosts {
	hosts := Hosts{port: port, allowed: map[string]bool{}}
	for _, name := range []string{"127.0.0.1", "[::1]", "localhost"} {
		hosts.add(name)
	}
	for _, name := range further {
		name = strings.ToLower(strings.TrimSpace(name))
		if _, _, err := net.SplitHostPort(name); err == nil {
			hosts.allowed[name] = true
			continue
		}
		if strings.Contains(name, ":") && !strings.HasPrefix(name, "[") {
			name = "[" + name + "]"
		}
		hosts.add(name)
		hosts.allowed[name] = true
	}
	return hosts
}

func (h Hosts) add(name string) {
	h.allowed[name+":"+h.port] = true
	// A client leaves the port of its scheme out.
	if h.port == "80" || h.port == "443" {
		h.allowed[name] = true
	}
}

// Allowed reports whether a Host header is on the list.
func (h Hosts) Allowed(host string) bool {
	return h.allowed[host] || h.allowed[strings.ToLower(host)]
}

// AllowedOrigin reports whether an Origin header names this server. The word
// null, which a sandboxed page sends, does not.
func (h Hosts) AllowedOrigin(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || u.Path != "" {
		return false
	}
	return h.Allowed(u.Host)
}

// CheckBind refuses an address that others can reach when nobody has to sign
// in.
func CheckBind(addr string, signIn bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("read the address %q: %w", addr, err)
	}
	if signIn || host == "localhost" {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Unmap().IsLoopback() {
		return nil
	}
	return fmt.Errorf("refusing to listen on %s without sign-in: everybody who can reach this address could run commands here; use --auth token, or a loopback address such as 127.0.0.1", addr)
}
