package main

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// An address that is accepted is none that git could take for an option, a
// program or a place on this machine; and no password of it is shown.
func FuzzAddress(f *testing.F) {
	for _, address := range []string{
		"https://host/x.git", "ssh://git@host:22/x", "git@host:x/y.git", "ext::sh -c x", "file:///etc", "--upload-pack=touch /x", "ssh://-oProxyCommand=x/y",
		"https://user:pass@host/x", "git@-host:x", "git@host:-x", "HTTPS://host/x", "/etc/passwd", "fd::7", "https://", "ssh://host/--x", "x@y:z::w",
	} {
		f.Add(address)
	}
	helper := regexp.MustCompile(`^[A-Za-z0-9+.-]+::`)
	f.Fuzz(func(t *testing.T, address string) {
		if checkAddress("/address", address, false) != nil {
			return
		}
		if strings.HasPrefix(address, "-") || helper.MatchString(address) || strings.ContainsAny(address, "\n\r\x00") {
			t.Fatalf("%q was accepted", address)
		}
		parsed, err := url.Parse(address)
		if strings.Contains(address, "://") {
			if err != nil || (!strings.EqualFold(parsed.Scheme, "https") && !strings.EqualFold(parsed.Scheme, "ssh")) || strings.HasPrefix(parsed.Hostname(), "-") {
				t.Fatalf("%q was accepted: %v", address, err)
			}
		} else if user, rest, found := strings.Cut(address, "@"); !found || user == "" || !strings.Contains(rest, ":") {
			t.Fatalf("%q was accepted and is a local path", address)
		}
		clean, auth := splitCredentials(address)
		if auth.Token != "" && checkAddress("/address", clean, false) != nil {
			t.Fatalf("%q is refused without its password: %q", address, clean)
		}
		if strings.Contains(clean, "@") && strings.HasPrefix(clean, "https://") && strings.Contains(strings.SplitN(clean[8:], "/", 2)[0], "@") {
			t.Fatalf("%q still has somebody signing in", clean)
		}
	})
}
