// Package pages renders the few pages that the server has for browsers, and
// finds the assets that they load.
//
// Pages are plain HTML made here, readable without scripts. The package knows
// no HTTP framework and reads nothing itself: it is given what to show.
package pages

import (
	"bytes"
	"fmt"
	"html/template"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/ui"
)

// Policy is the Content-Security-Policy of every page but /docs. The nonce
// is for styles that a script must make.
func Policy(nonce string) string {
	return policy("'nonce-" + nonce + "'")
}

// DocsPolicy is that of /docs, whose library writes style attributes. It has
// no nonce: a browser that sees one ignores 'unsafe-inline'.
func DocsPolicy() string {
	return policy("'unsafe-inline'")
}

func policy(style string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self' " + style + "; connect-src 'self'; worker-src 'self'; font-src 'self'; " +
		"img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}

// Shell is what all pages show.
type Shell struct {
	Title    string
	Here     string
	Version  string
	SignedIn bool
	// NoSignIn is set where the server asks nobody to sign in.
	NoSignIn bool
	// Live makes the page follow executions.
	Live    bool
	Styles  []string
	Scripts []string
}

// Home is the overview.
type Home struct {
	Shell
	Workflows []data.Workflow
	// Total counts all workflows.
	Total      int
	Executions []engine.Execution
	// Running counts the executions that have not ended among those shown.
	Running int
}

// SignIn is the page for those who are signed out.
type SignIn struct {
	Shell
	// Refused says why a link did not work; empty without one.
	Refused string
}

// Docs is the page of the API.
type Docs struct {
	Shell
	// Built is false where the build has no assets for it.
	Built bool
}

// Message is a page of one sentence.
type Message struct {
	Shell
	Text string
}

// Renderer makes pages. Its methods may be called from several goroutines.
type Renderer struct {
	assets    *Assets
	now       func() time.Time
	templates func() (*template.Template, error)
}

// NewRenderer returns a renderer; templates are read when the first page is
// asked for. now may be nil.
func NewRenderer(assets *Assets, now func() time.Time) *Renderer {
	if now == nil {
		now = time.Now
	}
	r := &Renderer{assets: assets, now: now}
	r.templates = sync.OnceValues(func() (*template.Template, error) {
		return template.New("pages").Funcs(r.functions()).ParseFS(ui.Pages(), "*.html")
	})
	return r
}

func (r *Renderer) functions() template.FuncMap {
	return template.FuncMap{
		"asset": r.assets.Path,
		"icon":  icon,
		"word":  word,
		"exact": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"ago":   func(t time.Time) string { return Ago(r.now().Sub(t)) },
		"count": count,
		"took":  r.took,
	}
}

// Home renders the overview.
func (r *Renderer) Home(page Home) ([]byte, error) { return r.render("home", page) }

// SignIn renders the sign-in page.
func (r *Renderer) SignIn(page SignIn) ([]byte, error) { return r.render("signin", page) }

// Docs renders the API's page.
func (r *Renderer) Docs(page Docs) ([]byte, error) { return r.render("docs", page) }

// Message renders a page of one sentence.
func (r *Renderer) Message(page Message) ([]byte, error) { return r.render("message", page) }

func (r *Renderer) render(name string, page any) ([]byte, error) {
	templates, err := r.templates()
	if err != nil {
		return nil, fmt.Errorf("read the pages' templates: %w", err)
	}
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, name, page); err != nil {
		return nil, fmt.Errorf("render the page %s: %w", name, err)
	}
	return out.Bytes(), nil
}

func (r *Renderer) took(execution engine.Execution) string {
	seconds := execution.TotalTime
	if !execution.Status.Ended() {
		if execution.StartedAt.IsZero() {
			return "not started"
		}
		seconds = r.now().Sub(execution.StartedAt).Seconds()
	}
	return Duration(seconds)
}

// Duration writes seconds for a person.
func Duration(seconds float64) string {
	switch {
	case seconds < 0.0995:
		return fmt.Sprintf("%d ms", int(math.Round(max(seconds, 0)*1000)))
	case seconds < 9.95:
		return fmt.Sprintf("%.1f s", seconds)
	case seconds < 59.5:
		return fmt.Sprintf("%.0f s", seconds)
	}
	whole := int(math.Round(seconds))
	if whole < 3600 {
		return fmt.Sprintf("%dm %02ds", whole/60, whole%60)
	}
	return fmt.Sprintf("%dh %02dm", whole/3600, whole%3600/60)
}

// Ago writes how long something is past.
func Ago(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return "just now"
	case d < time.Minute:
		return count(int(d.Seconds()), "second") + " ago"
	case d < time.Hour:
		return count(int(d.Minutes()), "minute") + " ago"
	case d < 24*time.Hour:
		return count(int(d.Hours()), "hour") + " ago"
	}
	return count(int(d.Hours()/24), "day") + " ago"
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// word is a status as pages write it.
func word(status any) string {
	text := string(statusOf(status))
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// statusOf takes a status, or a pointer to one, from a template.
func statusOf(value any) plan.Status {
	switch status := value.(type) {
	case plan.Status:
		return status
	case *plan.Status:
		if status != nil {
			return *status
		}
	}
	return ""
}

// icon is the drawing of a status, so that colour alone never tells. Its
// paths are fixed texts of this package.
func icon(status any) template.HTML {
	circle := `<circle cx="8" cy="8" r="6.2"/>`
	switch statusOf(status) {
	case plan.StatusSuccess:
		return template.HTML(circle + `<path d="m5.2 8.2 2 2 3.6-4.2"/>`)
	case plan.StatusFailed:
		return template.HTML(circle + `<path d="m5.8 5.8 4.4 4.4m0-4.4-4.4 4.4"/>`)
	case plan.StatusRunning:
		return `<path d="M14.2 8A6.2 6.2 0 1 1 8 1.8"/>`
	case plan.StatusRetrying:
		return `<path d="M13.6 5.5A6.2 6.2 0 1 0 14.2 8m-.4-5.2v2.9h-2.9"/>`
	case plan.StatusInterrupted:
		return `<path d="M8 1.8 14.6 13.6H1.4Z"/><path d="M8 6.4v3.2m0 1.8v.1"/>`
	case plan.StatusPaused:
		return template.HTML(circle + `<path d="M6.4 5.8v4.4m3.2-4.4v4.4"/>`)
	case plan.StatusWaiting, plan.StatusQueued:
		return template.HTML(circle + `<path d="M8 4.6V8l2.2 1.6"/>`)
	case plan.StatusSkipped:
		return `<path d="m3 4 5.4 4L3 12Zm10-.4v8.8"/>`
	case plan.StatusPartial:
		return template.HTML(circle + `<path d="M8 1.8v12.4"/>`)
	case plan.StatusCancelled:
		return template.HTML(circle + `<path d="m3.8 12.2 8.4-8.4"/>`)
	case plan.StatusUndone:
		return `<path d="M3 6.2h6.4a3.6 3.6 0 0 1 0 7.2H6M3 6.2l2.8-2.8M3 6.2 5.8 9"/>`
	}
	return `<circle cx="8" cy="8" r="6.2" stroke-dasharray="2.4 2.4"/>`
}
