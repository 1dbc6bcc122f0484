package host_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/host"
)

var (
	assetPath = regexp.MustCompile(`(?:href|src)="(/assets/[^"]+)"`)
	nonce     = regexp.MustCompile(` nonce="([^"]*)"`)
)

func TestEveryAddressOfTheAppIsTheSamePage(t *testing.T) {
	w := newWorld(t)
	if got := w.ask("GET", "/", "").want(302); got.header.Get("Location") != "/vwmp/" {
		t.Errorf("/ leads to %q", got.header.Get("Location"))
	}
	for _, path := range []string{
		"/vwmp/", "/vwmp", "/vwmp/executions", "/vwmp/executions/e-1/", "/vwmp/executions/e-1", "/vwmp/executions/e-1/compare/e-2", "/vwmp/workflows/w-1",
		"/vwmp/designer/", "/vwmp/designer/w-1?step=a", "/vwmp/plugins", "/vwmp/triggers", "/vwmp/approvals", "/vwmp/settings",
	} {
		// The page itself is for all: it shows nothing that it has not asked for.
		got := w.ask("GET", path, "", "Authorization", "", "Accept", "text/html").want(200)
		if kept := got.header.Get("Cache-Control"); kept != "no-cache" {
			t.Errorf("%s: Cache-Control %q", path, kept)
		}
		nonces := nonce.FindAllStringSubmatch(string(got.body), -1)
		for _, found := range nonces {
			if !strings.Contains(got.header.Get("Content-Security-Policy"), "'nonce-"+found[1]+"'") {
				t.Errorf("%s: the page has nonce %s, the policy is %s", path, found[1], got.header.Get("Content-Security-Policy"))
			}
		}
		if len(nonces) == 0 && !strings.Contains(string(got.body), "npm run build") {
			t.Errorf("%s is neither the page nor says how to build it: %s", path, got.body)
		}
	}
	for _, path := range []string{"/vwmp/nothing", "/vwmp/assets/none.js", "/vwmp/assets/", "/vwmp/assets/..%2findex.html", "/vwmp/executions/a/b"} {
		w.ask("GET", path, "").want(404)
	}
}

func TestSomebodySignedOutIsToldHowToSignIn(t *testing.T) {
	w := newWorld(t)
	w.save("[{id: a, handler: test.echo}]")
	for path, status := range map[string]int{"/docs": 401, "/vwmp/sign-in": 200} {
		got := w.ask("GET", path, "", "Authorization", "", "Accept", "text/html").want(status)
		if !strings.Contains(string(got.body), "vwmp open") {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	for next, want := range map[string]string{
		"/vwmp/designer/w-1%3Fstep=a": `data-next="/vwmp/designer/w-1?step=a"`, "//evil.example": "", "https://evil.example": "", "/%5Cevil.example": "",
	} {
		got := w.ask("GET", "/vwmp/sign-in?next="+next, "", "Authorization", "", "Accept", "text/html").want(200)
		if want == "" && strings.Contains(string(got.body), "evil") || !strings.Contains(string(got.body), want) {
			t.Errorf("next %s: %s", next, got.body)
		}
	}
	if got := w.ask("GET", "/docs", "", "Authorization", "", "Cookie", w.signIn()).want(200); !strings.Contains(string(got.body), "Sign out") {
		t.Errorf("signed in: %s", got.body)
	}
}

func TestPagesLoadTheirAssetsFromHereAndKeepThem(t *testing.T) {
	w := newWorld(t)
	seen := 0
	for _, path := range []string{"/docs", "/vwmp/sign-in"} {
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
	if seen < 5 {
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
