package host

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/problem"
)

// add registers a handler for a row of the route table, with and without its
// trailing slash, and for HEAD where it is a GET. A route without a row is a
// mistake of the program.
func (s *Server) add(method, pattern string, handler fiber.Handler) {
	r := s.row(method, pattern)
	guarded := func(c *fiber.Ctx) error {
		if err := s.admit(c, r); err != nil {
			return err
		}
		return handler(c)
	}
	s.app.Add(method, fiberPattern(pattern), guarded)
	if method == http.MethodGet && !r.socket {
		s.app.Add(http.MethodHead, fiberPattern(pattern), guarded)
	}
}

func (s *Server) row(method, pattern string) route {
	r, found := s.routes[routeKey{method, pattern}]
	if !found {
		panic(fmt.Sprintf("host: %s %s has no row in the route table", method, pattern))
	}
	return r
}

// admit judges who sent a request, and whether its body may be looked at.
func (s *Server) admit(c *fiber.Ctx, r route) error {
	info := infoOf(c.UserContext())
	info.pattern, info.action = r.pattern, r.action
	origin := c.Get(fiber.HeaderOrigin)
	guarded := r.socket || !safe(c.Method())
	if guarded && origin != "" && !s.hosts.Load().AllowedOrigin(origin) {
		return problem.New(http.StatusForbidden, problem.AuthorizationError, "a page of another site may not do this")
	}
	if r.permission == edge.Public {
		if err := s.throttled(c, info, r.pattern); err != nil {
			return err
		}
	} else {
		err := s.signedIn(c, info, r)
		if limited := s.throttled(c, info, r.pattern); limited != nil {
			return limited
		}
		if err != nil {
			return err
		}
		if guarded && info.who.Way == edge.WayCookie {
			if err := ownPage(c, r, origin); err != nil {
				return err
			}
		}
	}
	return checkBody(c, r.body)
}

// signedIn judges credentials and permission. A socket is refused with a
// close code, so that it is let through with the reason.
func (s *Server) signedIn(c *fiber.Ctx, info *requestInfo, r route) error {
	who, err := s.identify(c, r.socket)
	if err == nil && !who.May(r.permission) {
		err = problem.New(http.StatusForbidden, problem.AuthorizationError, fmt.Sprintf("this needs the role %s; yours is %s", r.permission, who.Role))
	}
	info.who = who
	if err == nil {
		err = s.maySeeObject(c, r, who)
	} else if c.Get(fiber.HeaderAuthorization) != "" {
		info.signInFailed(err)
	}
	if err == nil {
		return nil
	}
	if p := problemOf(err); r.socket && (p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden || p.Status == http.StatusNotFound) {
		info.refused = p
		return nil
	}
	return err
}

func (s *Server) identify(c *fiber.Ctx, socket bool) (edge.Principal, error) {
	credentials := edge.Credentials{Authorization: c.Get(fiber.HeaderAuthorization), Session: c.Cookies(sessionCookie), Address: infoOf(c.UserContext()).address}
	if socket {
		credentials.Ticket = c.Query("ticket")
	}
	return s.signIn.Identify(c.UserContext(), credentials)
}

// ownPage refuses what a cookie came along with unasked.
func ownPage(c *fiber.Ctx, r route, origin string) error {
	if origin == "" {
		return problem.New(http.StatusForbidden, problem.AuthorizationError, "a request with a session cookie must name its origin")
	}
	if !r.socket && c.Get(ownHeader) == "" {
		return problem.New(http.StatusForbidden, problem.AuthorizationError, "a change with a session cookie must carry the header "+ownHeader+": 1")
	}
	return nil
}

// checkBody refuses a body of a type that the route does not take.
func checkBody(c *fiber.Ctx, kind body) error {
	if kind == noBody || len(c.Request().Body()) == 0 {
		return nil
	}
	format, known := formatOf(c.Get(fiber.HeaderContentType))
	switch {
	case !known:
		return problem.New(http.StatusUnsupportedMediaType, problem.UnsupportedMediaType, "this path takes application/json"+map[body]string{documentBody: " or application/yaml"}[kind])
	case kind == documentBody:
		return nil
	case format == workflow.FormatYAML:
		return problem.New(http.StatusUnsupportedMediaType, problem.UnsupportedMediaType, "this path takes application/json")
	}
	if tooDeep(c.Request().Body()) {
		return problem.InvalidValue("", "too_deep", fmt.Sprintf("the body is nested more than %d deep; make it flatter", workflow.MaxDepth))
	}
	return nil
}

var (
	yamlTypes = []string{"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "application/vnd.yaml"}
	jsonTypes = []string{"application/json", "text/json"}
)

// formatOf reads a Content-Type. The format is empty where it leaves it open,
// and known is false for a type that is neither JSON nor YAML.
func formatOf(contentType string) (format workflow.Format, known bool) {
	if contentType == "" {
		return "", true
	}
	kind, _, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil:
		return "", false
	case slices.Contains(jsonTypes, kind) || strings.HasSuffix(kind, "+json"):
		return workflow.FormatJSON, true
	case slices.Contains(yamlTypes, kind) || strings.HasSuffix(kind, "+yaml"):
		return workflow.FormatYAML, true
	}
	return "", false
}

// tooDeep looks at the brackets of a text before anything recurses into it.
func tooDeep(text []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > workflow.MaxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// signedOut reports whether an error says that nobody is signed in.
func signedOut(err error) bool { return errors.Is(err, edge.ErrSignedOut) }

// limited reports whether an error says that too many sign-ins failed.
func limited(err error) bool {
	var found *edge.LimitedError
	return errors.As(err, &found)
}
