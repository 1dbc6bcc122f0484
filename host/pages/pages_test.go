package pages_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/host/pages"
	"github.com/vwmp/vwmp/store/data"
)

var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func newRenderer() *pages.Renderer {
	return pages.NewRenderer(pages.NewAssets(), func() time.Time { return now })
}

func mustHave(t *testing.T, page []byte, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(string(page), part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
}

func TestTheOverviewShowsWorkflowsAndExecutions(t *testing.T) {
	ran, failed := now.Add(-5*time.Minute), plan.StatusFailed
	page, err := newRenderer().Home(pages.Home{
		Shell: pages.Shell{Title: "Overview", Here: "home", SignedIn: true, Live: true, Scripts: []string{"app.js"}},
		Workflows: []data.Workflow{
			{Name: "<script>alert(1)</script>", StepCount: 3, LastStatus: &failed, LastExecuted: &ran, UpdatedAt: ran, Valid: true},
			{Name: "Fresh", UpdatedAt: ran},
		},
		Total: 7, Running: 1,
		Executions: []engine.Execution{
			{ID: "e1", WorkflowName: "Fresh", Status: plan.StatusRunning, StartedAt: now.Add(-72 * time.Second)},
			{ID: "e2", WorkflowName: "Fresh", Status: plan.StatusFailed, Error: &plan.Error{Message: "it broke"}, TotalTime: 0.25, StartedAt: ran},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	mustHave(t, page, "&lt;script&gt;alert(1)", "7 workflows, 1 running now", `class="pill failed"`, "Failed</span>", "5 minutes ago", "Never run", "Draft",
		"1m 12s", "0.2 s", "it broke", "The first 2 of 7", `name="live"`, "Sign out")
	if strings.Contains(string(page), "<script>alert") || strings.Contains(string(page), " style=") {
		t.Errorf("a name is not text, or a style is inline:\n%s", page)
	}
}

func TestAnEmptyOverviewSaysWhatToDo(t *testing.T) {
	page, err := newRenderer().Home(pages.Home{Shell: pages.Shell{Title: "Overview", NoSignIn: true}})
	if err != nil {
		t.Fatal(err)
	}
	mustHave(t, page, "There are no workflows yet", "vwmp workflow import", "No sign-in")
}

func TestEveryPageLoadsOnlyFromHere(t *testing.T) {
	r := newRenderer()
	shell := pages.Shell{Title: "T", Scripts: []string{"app.js", "docs.js"}}
	signIn, err := r.SignIn(pages.SignIn{Shell: shell, Refused: "used up"})
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
	mustHave(t, signIn, "vwmp open", "used up")
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

func TestTimesAreWrittenForPeople(t *testing.T) {
	for seconds, want := range map[float64]string{
		0: "0 ms", 0.0123: "12 ms", 0.5: "0.5 s", 9.94: "9.9 s", 42: "42 s", 59.6: "1m 00s", 3599.7: "1h 00m", 7320: "2h 02m", -1: "0 ms",
	} {
		if got := pages.Duration(seconds); got != want {
			t.Errorf("%v: got %q, want %q", seconds, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		-time.Hour: "just now", 12 * time.Second: "12 seconds ago", time.Minute: "1 minute ago", 3 * time.Hour: "3 hours ago", 49 * time.Hour: "2 days ago",
	} {
		if got := pages.Ago(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
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
