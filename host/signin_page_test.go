package host_test

import (
	"strings"
	"testing"
)

func TestAPersonIsToldWhetherTheyHaveAPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alone := func() bool {
		return strings.Contains(string(w.ask("GET", "/api/vwmp/auth/me/", "").want(200).body), `"alone":true`)
	}
	if !alone() {
		t.Error("the first is not told that nobody else has an account")
	}
	w.user("ann", "viewer")
	if alone() {
		t.Error("there is another account")
	}
	for name, c := range map[string]struct {
		headers []string
		want    bool
	}{
		"by password":          {w.browser("ann"), true},
		"without one":          {w.as("bot", "viewer"), false},
		"the server's account": {nil, false},
	} {
		me := w.ask("GET", "/api/vwmp/auth/me/", "", c.headers...).want(200)
		if got := strings.Contains(string(me.body), `"has_password":true`); got != c.want {
			t.Errorf("%s: %s", name, me.body)
		}
	}
}

func TestASignInLinkThatComesAfterTooManyFailuresSaysHowLongToWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var last answer
	for range 12 {
		last = w.ask("GET", "/vwmp/sign-in?ticket=wrong", "", "Authorization", "")
	}
	page := string(last.want(429).body)
	if !strings.Contains(page, "Try again in "+last.header.Get("Retry-After")+" seconds") || !strings.Contains(page, `id="password"`) {
		t.Errorf("the page is %s", page)
	}
}
