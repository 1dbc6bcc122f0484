package host

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/pages"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/store/data"
)

// What the overview shows at most.
const (
	shownWorkflows  = 200
	shownExecutions = 20
)

func (s *Server) addPages() {
	s.add(http.MethodGet, "/", func(c *fiber.Ctx) error { return c.Redirect("/vwmp/", http.StatusFound) })
	s.add(http.MethodGet, "/vwmp/", s.homePage)
	s.add(http.MethodGet, "/vwmp/sign-in", s.signInPage)
	s.add(http.MethodGet, "/docs", s.docsPage)
	s.add(http.MethodGet, "/assets/{name}", s.sendAsset)
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

func (s *Server) sendSignIn(c *fiber.Ctx, status int, refused string) error {
	page, err := s.pages.SignIn(pages.SignIn{Shell: s.shell(c, "Sign in", ""), Refused: refused})
	if err != nil {
		return err
	}
	return sendPage(c.Status(status), page, pages.Policy(rand.Text()))
}

func (s *Server) homePage(c *fiber.Ctx) error {
	who, err := s.identify(c, false)
	if err != nil {
		if signedOut(err) {
			return s.sendSignIn(c, http.StatusOK, "")
		}
		return err
	}
	infoOf(c.UserContext()).who = who
	home, err := s.home(c.UserContext())
	if err != nil {
		return err
	}
	home.Shell = s.shell(c, "Overview", "home")
	home.Live = true
	page, err := s.pages.Home(home)
	if err != nil {
		return err
	}
	return sendPage(c, page, pages.Policy(rand.Text()))
}

func (s *Server) home(ctx context.Context) (pages.Home, error) {
	var home pages.Home
	var err error
	if home.Workflows, home.Total, err = s.Workflows.Workflows(ctx, data.WorkflowFilter{Limit: shownWorkflows}); err != nil {
		return pages.Home{}, err
	}
	if home.Executions, _, err = s.Executions.Executions(ctx, data.ExecutionFilter{Limit: shownExecutions}); err != nil {
		return pages.Home{}, err
	}
	for _, execution := range home.Executions {
		if !execution.Status.Ended() {
			home.Running++
		}
	}
	return home, nil
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

func (s *Server) sendAsset(c *fiber.Ctx) error {
	asset, found, err := s.assets.Open(c.Params("name"), strings.Contains(c.Get(fiber.HeaderAcceptEncoding), "gzip"))
	if err != nil {
		return err
	}
	if !found {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderContentType, asset.ContentType)
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if asset.Gzip {
		c.Set(fiber.HeaderContentEncoding, "gzip")
	}
	return c.Send(asset.Body)
}
