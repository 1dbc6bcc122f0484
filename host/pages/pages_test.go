package pages_test

import (
	"strings"
	"testing"

	"github.com/vwmp/vwmp/host/pages"
)

func newRenderer() *pages.Renderer {
	return pages.NewRenderer(pages.NewAssets())
}

func mustHave(t *testing.T, page []byte, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(string(page), part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
}

func TestEveryPageLoadsOnlyFromHere(t *testing.T) {
	r := newRenderer()
	shell := pages.Shell{Title: "T", Scripts: []string{"app.js", "docs.js"}}
	signIn, err := r.SignIn(pages.SignIn{Shell: shell, Refused: "used up", Next: `/vwmp/designer/"x`})
	if err != nil {
		t.Fatal(err)
	}
	docs, err := r.Docs(pages.Docs{Shell: shell})
	if err != nil {
		t.Fatal(err)
	}
	message, err := r.Message(pages.Message{Shell: shell, Text: "nothing here"})
	if err != nil {
		t.Fatal(err)
	}
	mustHave(t, signIn, "vwmp open", "used up", `data-next="/vwmp/designer/&#34;x"`)
	mustHave(t, docs, "npm run build")
	mustHave(t, message, "nothing here")
	for _, page := range [][]byte{signIn, docs, message} {
		if strings.Contains(string(page), "//") && strings.Contains(string(page), "http") {
			t.Errorf("the page names another host:\n%s", page)
		}
	}
}

func TestAnAssetIsFoundByItsHashedNameOnly(t *testing.T) {
	assets := pages.NewAssets()
	path, err := assets.Path("app.css")
	if err != nil {
		t.Fatal(err)
	}
	asset, found, err := assets.Open(strings.TrimPrefix(path, pages.AssetBase), true)
	if err != nil || !found || asset.ContentType != "text/css; charset=utf-8" || len(asset.Body) == 0 {
		t.Fatalf("%s: %+v, %v", path, asset.ContentType, err)
	}
	for _, name := range []string{"app.css", "app.000000000000.css", "", ".gitkeep", "../embed.go"} {
		if _, found, err := assets.Open(name, true); found || err != nil {
			t.Errorf("%q: found %v, %v", name, found, err)
		}
	}
	if _, err := assets.Path("missing.js"); err == nil {
		t.Error("a missing asset has an address")
	}
}

func TestThePolicyAllowsNoInlineScript(t *testing.T) {
	p := pages.Policy("abc")
	for _, part := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self' 'nonce-abc'", "frame-ancestors 'none'"} {
		if !strings.Contains(p, part) {
			t.Errorf("%q lacks %q", p, part)
		}
	}
	if strings.Contains(p, "unsafe") || !strings.Contains(pages.DocsPolicy(), "style-src 'self' 'unsafe-inline'") {
		t.Errorf("policies: %s / %s", p, pages.DocsPolicy())
	}
}
