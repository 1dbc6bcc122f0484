package host

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/pages"
	"github.com/vwmp/vwmp/host/problem"
)

// appPages are the addresses that the designer and dashboard draw. They are all
// one page; what it shows it asks of the API, which asks who is there.
var appPages = []string{
	"/vwmp/", "/vwmp/executions/", "/vwmp/executions/{id}/", "/vwmp/executions/{id}/compare/{other}/", "/vwmp/workflows/{id}/",
	"/vwmp/designer/", "/vwmp/designer/{id}/", "/vwmp/plugins/", "/vwmp/triggers/", "/vwmp/approvals/", "/vwmp/settings/", "/vwmp/settings/{section}/", "/vwmp/audit/",
}

func (s *Server) addPages() {
	s.add(http.MethodGet, "/", func(c *fiber.Ctx) error { return c.Redirect("/vwmp/", http.StatusFound) })
	for _, pattern := range appPages {
		s.add(http.MethodGet, pattern, s.appPage)
	}
	s.add(http.MethodGet, pages.WebAssetBase+"{name}", s.sendAppAsset)
	s.add(http.MethodGet, "/vwmp/sign-in", s.signInPage)
	s.add(http.MethodGet, "/docs", s.docsPage)
	s.add(http.MethodGet, "/assets/{name}", s.sendPageAsset)
	s.add(http.MethodGet, "/healthz", func(c *fiber.Ctx) error { return c.JSON(health{Status: "ok"}) })
	s.add(http.MethodGet, "/readyz", s.ready)
	for path, summary := range map[string]string{"/healthz": "Is the server up?", "/readyz": "Is every plugin known?"} {
		s.describeRaw(huma.Operation{
			OperationID: strings.TrimPrefix(path, "/"), Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"server"},
			Responses: map[string]*huma.Response{"200": {Description: "Yes", Content: content(s.schemaOf(health{}), typeJSON)}},
		})
	}
}

type health struct {
	Status string `json:"status"`
}

func (s *Server) ready(c *fiber.Ctx) error {
	if s.base.Err() != nil {
		return errStopping
	}
	if err := s.Catalogue.Ready(c.UserContext()); err != nil {
		return problem.New(http.StatusServiceUnavailable, problem.Unavailable, "the plugins are not described yet").RetryAfter(retrySoon).Because(err)
	}
	return c.JSON(health{Status: "ready"})
}

// shell is what a page shows around its content.
func (s *Server) shell(c *fiber.Ctx, title, here string) pages.Shell {
	who := infoOf(c.UserContext()).who
	return pages.Shell{
		Title: title, Here: here, Version: s.Version.Version, SignedIn: who.Way == edge.WayCookie,
		NoSignIn: s.signIn.Mode() == edge.ModeNone, Scripts: []string{"app.js"},
	}
}

func sendPage(c *fiber.Ctx, page []byte, policy string) error {
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Send(page)
}

// localPath returns a path of this server, or nothing for any other address.
func localPath(path string) string {
	if len(path) < 2 || path[0] != '/' || path[1] == '/' || strings.ContainsAny(path, "\\\r\n\t") {
		return ""
	}
	return path
}

func (s *Server) sendSignIn(c *fiber.Ctx, status int, refused string) error {
	next, elsewhere := localPath(c.Query("next")), ""
	if s.Provider != nil {
		elsewhere = oidcStart
		if next != "" {
			elsewhere += "?" + url.Values{"next": {next}}.Encode()
		}
	}
	page, err := s.pages.SignIn(pages.SignIn{Shell: s.shell(c, "Sign in", ""), Refused: refused, Next: next, Elsewhere: elsewhere})
	if err != nil {
		return err
	}
	return sendPage(c.Status(status), page, pages.Policy(rand.Text()))
}

// appPage sends the page that draws the designer and dashboard.
func (s *Server) appPage(c *fiber.Ctx) error {
	nonce := rand.Text()
	page, built, err := s.webApp.Page(nonce)
	if err != nil {
		return err
	}
	if !built {
		page, err = s.pages.Message(pages.Message{
			Shell: s.shell(c, "Not built", ""),
			Text:  "This build has no designer and no dashboard. Build them, and then the server again: cd ui && npm ci && npm run build",
		})
		if err != nil {
			return err
		}
	}
	c.Set(fiber.HeaderCacheControl, "no-cache")
	return sendPage(c, page, pages.Policy(nonce))
}

func (s *Server) docsPage(c *fiber.Ctx) error {
	docs := pages.Docs{Shell: s.shell(c, "API", "docs"), Built: s.assets.Has("swagger-ui-bundle.js") && s.assets.Has("swagger-ui.css")}
	policy := pages.Policy(rand.Text())
	if docs.Built {
		docs.Styles = []string{"swagger-ui.css"}
		docs.Scripts = append(docs.Scripts, "swagger-ui-bundle.js", "docs.js")
		policy = pages.DocsPolicy()
	}
	page, err := s.pages.Docs(docs)
	if err != nil {
		return err
	}
	return sendPage(c, page, policy)
}

func (s *Server) sendPageAsset(c *fiber.Ctx) error {
	asset, found, err := s.assets.Open(c.Params("name"), slices.Contains(encodings(c), "gzip"))
	return sendAsset(c, asset, found, err)
}

func (s *Server) sendAppAsset(c *fiber.Ctx) error {
	asset, found, err := s.webApp.Open(c.Params("name"), encodings(c))
	return sendAsset(c, asset, found, err)
}

// encodings are those that the client takes, the smaller one first. Who says
// nothing gets what it can surely read.
func encodings(c *fiber.Ctx) []string {
	if c.Get(fiber.HeaderAcceptEncoding) == "" {
		return nil
	}
	var taken []string
	for _, encoding := range []string{"br", "gzip"} {
		if c.AcceptsEncodings(encoding) != "" {
			taken = append(taken, encoding)
		}
	}
	return taken
}

func sendAsset(c *fiber.Ctx, asset pages.Asset, found bool, err error) error {
	if err != nil {
		return err
	}
	if !found {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderContentType, asset.ContentType)
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if asset.Encoding != "" {
		c.Set(fiber.HeaderContentEncoding, asset.Encoding)
	}
	return c.Send(asset.Body)
}
