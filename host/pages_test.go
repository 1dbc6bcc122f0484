package host_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/host"
)

var assetPath = regexp.MustCompile(`(?:href|src)="(/assets/[^"]+)"`)

func TestTheOverviewShowsWhatThereIs(t *testing.T) {
	w := newWorld(t)
	if got := w.ask("GET", "/", "").want(302); got.header.Get("Location") != "/vwmp/" {
		t.Errorf("/ leads to %q", got.header.Get("Location"))
	}
	empty := w.ask("GET", "/vwmp/", "").want(200)
	if !strings.Contains(string(empty.body), "There are no workflows yet") {
		t.Errorf("with nothing to show: %s", empty.body)
	}
	w.run("[{id: a, handler: test.fail}]")
	full := w.ask("GET", "/vwmp/", "").want(200)
	for _, part := range []string{"1 workflow", "Test", "Failed</span>", "just now", "Recent executions"} {
		if !strings.Contains(string(full.body), part) {
			t.Errorf("the page lacks %q: %s", part, full.body)
		}
	}
}

func TestSomebodySignedOutIsToldHowToSignIn(t *testing.T) {
	w := newWorld(t)
	w.save("[{id: a, handler: test.echo}]")
	for path, status := range map[string]int{"/vwmp/": 200, "/docs": 401, "/vwmp/sign-in": 200} {
		got := w.ask("GET", path, "", "Authorization", "", "Accept", "text/html").want(status)
		if !strings.Contains(string(got.body), "vwmp open") || strings.Contains(string(got.body), "Workflows</h2>") {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	if got := w.ask("GET", "/vwmp/", "", "Authorization", "", "Cookie", w.signIn()).want(200); !strings.Contains(string(got.body), "Sign out") {
		t.Errorf("signed in: %s", got.body)
	}
}

func TestPagesLoadTheirAssetsFromHereAndKeepThem(t *testing.T) {
	w := newWorld(t)
	seen := 0
	for _, path := range []string{"/vwmp/", "/docs", "/vwmp/sign-in"} {
		page := w.ask("GET", path, "").want(200)
		for _, match := range assetPath.FindAllStringSubmatch(string(page.body), -1) {
			seen++
			asset := w.ask("GET", match[1], "", "Authorization", "").want(200)
			if !strings.Contains(asset.header.Get("Cache-Control"), "immutable") || len(asset.body) == 0 {
				t.Errorf("%s: Cache-Control %q, %d bytes", match[1], asset.header.Get("Cache-Control"), len(asset.body))
			}
		}
		if csp := page.header.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self';") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if strings.Contains(string(page.body), "<script>") || strings.Contains(string(page.body), "<style") {
			t.Errorf("%s has an inline script or style", path)
		}
	}
	if seen < 6 {
		t.Errorf("only %d assets", seen)
	}
	for _, path := range []string{"/assets/none.js", "/assets/", "/assets/..%2fembed.go", "/assets/app.css"} {
		w.ask("GET", path, "").want(404)
	}
}

func TestTwoPagesHaveTwoNonces(t *testing.T) {
	w := newWorld(t)
	first := w.ask("GET", "/vwmp/", "").header.Get("Content-Security-Policy")
	if second := w.ask("GET", "/vwmp/", "").header.Get("Content-Security-Policy"); first == second || !strings.Contains(first, "'nonce-") {
		t.Errorf("%q and %q", first, second)
	}
}

func TestWhatNeedsThePluginsWaitsForThem(t *testing.T) {
	late := newPlugins()
	late.ready, late.asked = make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(o *host.Options) { o.Catalogue = late })
	w.ask("GET", "/healthz", "").want(http.StatusOK)
	paths := []string{"/readyz", "/api/vwmp/step-handlers/", "/api/vwmp/workflow-types/", "/api/vwmp/plugins/", "/api/vwmp/step-handlers/test.echo/schema/"}
	got := make(chan answer, len(paths))
	for _, path := range paths {
		go func() {
			a, err := w.try("GET", path, "")
			if err != nil {
				t.Error(err)
			}
			got <- a
		}()
		// The request is in the wait now: it can't have been answered.
		<-late.asked
	}
	if len(got) > 0 {
		t.Fatalf("one was answered too early: %d", (<-got).status)
	}
	close(late.ready)
	for range paths {
		(<-got).want(http.StatusOK)
	}
}
