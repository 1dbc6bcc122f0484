// Package pages gives browsers what they load: the designer and dashboard as
// they were built, and a few plain pages made here (sign-in, the API, a
// message), which are readable without scripts.
//
// The package knows no HTTP framework and reads nothing itself: it is given
// what to show.
package pages

import (
	"bytes"
	"fmt"
	"html/template"
	"sync"

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
	Styles   []string
	Scripts  []string
}

// SignIn is the page for those who are signed out.
type SignIn struct {
	Shell
	// Refused says why a link did not work; empty without one.
	Refused string
	// Next is where a browser goes once it is signed in; /vwmp/ where empty.
	Next string
	// Elsewhere is where a sign-in by an OpenID provider begins; empty
	// without one.
	Elsewhere string
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
	templates func() (*template.Template, error)
}

// NewRenderer returns a renderer; templates are read when the first page is
// asked for.
func NewRenderer(assets *Assets) *Renderer {
	return &Renderer{templates: sync.OnceValues(func() (*template.Template, error) {
		return template.New("pages").Funcs(template.FuncMap{"asset": assets.Path}).ParseFS(ui.Pages(), "*.html")
	})}
}

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
