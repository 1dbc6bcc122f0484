package host

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/secret"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/pages"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/store/data"
)

const (
	sessionCookie = "vwmp_session"
	// ownHeader must come with what a cookie is to change: a foreign page
	// can't send it.
	ownHeader = "X-VWMP-Request"
)

// requestInfo is what the edge knows of a request.
type requestInfo struct {
	id   string
	path string
	who  edge.Principal
	// host is the name that the server was asked by, secure whether by TLS.
	host    string
	secure  bool
	address string
	// pattern is the route's, and action how the audit trail calls what was
	// asked for, empty for what changes nothing. A handler may say of which
	// object and in which detail.
	pattern, action, object, detail string
	// refused is why a socket must be closed once it is open.
	refused *problem.Problem
}

// socketURL is the address of a socket on this server.
func (i *requestInfo) socketURL(path string) string {
	if i.secure {
		return "wss://" + i.host + path
	}
	return "ws://" + i.host + path
}

type infoKey struct{}

// infoOf returns what the edge knows of the request that ctx belongs to.
func infoOf(ctx context.Context) *requestInfo {
	if info, ok := ctx.Value(infoKey{}).(*requestInfo); ok {
		return info
	}
	return &requestInfo{}
}

func (s *Server) setUp() {
	s.app = fiber.New(fiber.Config{
		// Without it strings of a request change once it is answered.
		Immutable: true, CaseSensitive: true, DisableStartupMessage: true, DisablePreParseMultipartForm: true,
		BodyLimit: max(s.Limits.Body, s.Limits.DocumentBody), ReadBufferSize: s.Limits.Header,
		// A connection gives its buffers back between requests, and a socket
		// for good.
		ReduceMemoryUsage: true,
		ReadTimeout:       s.Limits.ReadTimeout, WriteTimeout: s.Limits.WriteTimeout, IdleTimeout: s.Limits.IdleTimeout,
		ErrorHandler: s.refuseUnread,
	})
	server := s.app.Server()
	server.CloseOnShutdown = true
	// A socket outlives the function that fasthttp hands it to, and closes
	// itself; see addSocket.
	server.KeepHijackedConns = true
	server.Logger = quietLogger{s.log}
	// Else it tells the log parts of what it could not read, such as a token.
	server.SecureErrorLogMessage = true
	server.HeaderReceived = s.boundBody
	server.Handler = s.knownMethods(server.Handler)
	s.routes = map[routeKey]route{}
	for _, r := range routeTable() {
		s.routes[routeKey{r.method, r.pattern}] = r
	}
	s.app.Use(s.observe)
	s.app.Use(s.enter)
	if s.Tracer != nil {
		s.app.Use(s.trace)
	}
	s.setUpAPI()
	s.addWorkflows()
	s.addExecutions()
	s.addTriggers()
	s.addCatalogue()
	s.addAbout()
	s.addPlugins()
	s.addSignIn()
	s.addOIDC()
	s.addAccounts()
	s.addSecrets()
	s.addAudit()
	s.addAdmin()
	s.addMetrics()
	s.addProfiles()
	s.addSockets()
	s.addPages()
}

// quietLogger takes what fasthttp says of broken connections.
type quietLogger struct{ log *slog.Logger }

func (l quietLogger) Printf(format string, args ...any) {
	l.log.Debug("connection", "said", fmt.Sprintf(format, args...))
}

// boundBody bounds a body before it is read: workflow documents may be larger
// than others.
func (s *Server) boundBody(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	uri := header.RequestURI()
	path, _, _ := bytes.Cut(uri, []byte("?"))
	// Documents go to /workflows/ and to one name below it.
	name, found := bytes.CutPrefix(path, []byte(apiBase+"/workflows"))
	if found && !bytes.Contains(bytes.Trim(name, "/"), []byte("/")) {
		return fasthttp.RequestConfig{MaxRequestBodySize: s.Limits.DocumentBody}
	}
	return fasthttp.RequestConfig{MaxRequestBodySize: s.Limits.Body}
}

// knownMethods answers methods that Fiber knows nothing of.
func (s *Server) knownMethods(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	known := map[string]bool{}
	for _, method := range s.app.Config().RequestMethods {
		known[method] = true
	}
	return func(ctx *fasthttp.RequestCtx) {
		if known[string(ctx.Method())] {
			next(ctx)
			return
		}
		info := &requestInfo{id: requestID(string(ctx.Request.Header.Peek(fiber.HeaderXRequestID))), path: string(ctx.Path())}
		setHeaders(&ctx.Response.Header, info.id)
		ctx.Response.Header.Set(fiber.HeaderAllow, "GET, HEAD, POST, PUT, DELETE")
		s.write(ctx, problem.FromStatus(http.StatusMethodNotAllowed).At(info.path, info.id))
		s.Meter.Answered(anyMethod, noRoute, http.StatusMethodNotAllowed, 0)
	}
}

// requestID takes over a caller's id where it is harmless to write anywhere.
func requestID(given string) string {
	if given == "" || len(given) > 64 {
		return rand.Text()
	}
	for i := range len(given) {
		c := given[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return rand.Text()
		}
	}
	return given
}

// setHeaders sets what every answer carries; pages replace the policy.
func setHeaders(header *fasthttp.ResponseHeader, id string) {
	header.Set(fiber.HeaderXRequestID, id)
	header.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	header.Set(fiber.HeaderReferrerPolicy, "same-origin")
	header.Set(fiber.HeaderXFrameOptions, "DENY")
	header.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
	header.Set(fiber.HeaderCacheControl, "no-store")
}

// enter is the first to see a request and the last to see its answer.
func (s *Server) enter(c *fiber.Ctx) (err error) {
	info := &requestInfo{id: requestID(c.Get(fiber.HeaderXRequestID)), path: c.Path()}
	s.whoAsks(c, info)
	c.SetUserContext(context.WithValue(s.base, infoKey{}, info))
	setHeaders(&c.Response().Header, info.id)
	defer func() {
		if cause := recover(); cause != nil {
			s.log.Error("a request panicked", "request_id", info.id, "path", loggedPath(info.path), "cause", cause, "stack", string(debug.Stack()))
			err = s.fail(c, fmt.Errorf("panic: %v", cause))
		}
	}()
	if err := s.bounded(c); err != nil {
		return s.fail(c, err)
	}
	err = c.Next()
	if info.pattern == "" {
		// No route counted it, as there is none.
		if limited := s.throttled(c, info, ""); limited != nil {
			err = limited
		}
	}
	if err != nil {
		err = s.fail(c, err)
	}
	s.audited(c, info)
	return err
}

// whoAsks notes from where, by which name and how safely a request came. A
// trusted proxy speaks for those behind it.
func (s *Server) whoAsks(c *fiber.Ctx, info *requestInfo) {
	info.host, info.secure, info.address = string(c.Request().Host()), c.Context().IsTLS(), c.Context().RemoteIP().String()
	if len(s.TrustedProxies) == 0 {
		return
	}
	peer, known := netip.AddrFromSlice(c.Context().RemoteIP())
	if !known {
		return
	}
	said := edge.Forwarded{Proto: c.Get(fiber.HeaderXForwardedProto), Host: c.Get(fiber.HeaderXForwardedHost)}
	for _, value := range c.Request().Header.PeekAll(fiber.HeaderXForwardedFor) {
		said.For = append(said.For, string(value))
	}
	client, secure, host := s.TrustedProxies.Client(peer, said)
	info.address, info.secure, info.host = client.String(), info.secure || secure, cmp.Or(host, info.host)
}

func (s *Server) bounded(c *fiber.Ctx) error {
	switch {
	case len(c.Request().RequestURI()) > s.Limits.Address:
		return problem.FromStatus(http.StatusRequestURITooLong)
	case c.Request().Header.Len() > s.Limits.HeaderLines:
		return problem.FromStatus(http.StatusRequestHeaderFieldsTooLarge)
	}
	hosts := s.hosts.Load()
	if hosts == nil || !hosts.Allowed(infoOf(c.UserContext()).host) {
		return problem.New(http.StatusMisdirectedRequest, problem.HostNotAllowed,
			"this server is not known by this name; ask it as localhost, or allow the name with --allowed-host")
	}
	return nil
}

// refuseUnread answers requests that could not be read at all.
func (s *Server) refuseUnread(c *fiber.Ctx, err error) error {
	if timeout := (*fiber.Error)(nil); !errors.As(err, &timeout) || timeout.Code != http.StatusRequestTimeout {
		// Who is still sending gets the answer; who sends nothing is not
		// waited for.
		linger(c.Context().Conn())
	}
	info := infoOf(c.UserContext())
	if info.id == "" {
		info = &requestInfo{id: requestID(c.Get(fiber.HeaderXRequestID)), path: c.Path()}
		c.SetUserContext(context.WithValue(s.base, infoKey{}, info))
		setHeaders(&c.Response().Header, info.id)
	}
	err = s.fail(c, err)
	s.countAnswer(c, 0)
	return err
}

// problemOf is where every error becomes an answer.
func problemOf(err error) *problem.Problem {
	var refused *fiber.Error
	var mismatch *data.RevisionMismatchError
	var limited *edge.LimitedError
	var known *problem.Problem
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &refused):
		return problem.FromStatus(refused.Code)
	case errors.As(err, &mismatch):
		p := problem.New(http.StatusPreconditionFailed, problem.RevisionMismatch,
			fmt.Sprintf("the workflow was changed meanwhile: it is at revision %d now; read it again and apply your change to that", mismatch.Current))
		p.CurrentRevision = mismatch.Current
		return p.Because(err)
	case errors.As(err, &limited):
		return problem.New(http.StatusTooManyRequests, problem.RateLimitError, limited.Error()).RetryAfter(limited.After).Because(err)
	case errors.Is(err, edge.ErrSignedOut):
		return problem.New(http.StatusUnauthorized, problem.AuthenticationError, "sign in first: send the token as Authorization: Bearer, or sign in with a browser").
			With(fiber.HeaderWWWAuthenticate, `Bearer realm="vwmp"`).Because(err)
	case errors.Is(err, data.ErrInvalid):
		return problem.New(http.StatusBadRequest, problem.ValidationError, err.Error()).Because(err)
	case errors.Is(err, secret.ErrKey):
		return problem.New(http.StatusServiceUnavailable, problem.Unavailable,
			"the key of the secrets is missing, or is another one than they were sealed with; the server's log says more").Because(err)
	case errors.Is(err, data.ErrClosed):
		return problem.From(fmt.Errorf("%w: %w", engine.ErrStopping, err))
	}
	return problem.From(err)
}

// fail answers with a problem, and keeps its cause in the log.
func (s *Server) fail(c *fiber.Ctx, err error) error {
	info := infoOf(c.UserContext())
	p := s.refusal(info, err)
	if wantsPage(c) && p.Status == http.StatusUnauthorized && !strings.HasPrefix(info.path, apiBase) {
		return s.sendSignIn(c, http.StatusUnauthorized, "")
	}
	if wantsPage(c) && !strings.HasPrefix(info.path, apiBase) {
		return s.failPage(c, p)
	}
	s.write(c.Context(), p)
	return nil
}

// refusal makes the problem of a request's error and logs what is the
// server's own fault.
func (s *Server) refusal(info *requestInfo, err error) *problem.Problem {
	p := problemOf(err)
	level := slog.LevelDebug
	if p.Status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	info.detail = string(p.ErrorCode)
	var plain *fiber.Error
	if errors.As(err, &plain) {
		// Its text repeats the path, which may hold a token.
		err = errors.New(http.StatusText(plain.Code))
	}
	s.log.Log(context.Background(), level, "request refused", "request_id", info.id, "route", info.pattern, "path", loggedPath(info.path), "status", p.Status, "error", err)
	return p.At(info.path, info.id)
}

func (s *Server) write(ctx *fasthttp.RequestCtx, p *problem.Problem) {
	text, err := json.Marshal(p)
	if err != nil {
		s.log.Error("write a problem", "error", err)
	}
	ctx.Response.ResetBody()
	for name, values := range p.GetHeaders() {
		for _, value := range values {
			ctx.Response.Header.Set(name, value)
		}
	}
	ctx.Response.Header.SetContentType(problem.ContentType)
	ctx.SetStatusCode(p.Status)
	ctx.SetBody(text)
}

// wantsPage reports whether a browser asks for something to look at.
func wantsPage(c *fiber.Ctx) bool {
	return safe(c.Method()) && strings.Contains(c.Get(fiber.HeaderAccept), "text/html")
}

// sentence makes words that errors are wrapped in into a sentence of their own.
func sentence(words string) string {
	first, size := utf8.DecodeRuneInString(words)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + words[size:] + "."
}

func (s *Server) failPage(c *fiber.Ctx, p *problem.Problem) error {
	page, err := s.pages.Message(pages.Message{Shell: s.shell(c, p.Title, ""), Text: sentence(p.Detail)})
	if err != nil {
		s.log.Error("render a page", "error", err)
		s.write(c.Context(), p)
		return nil
	}
	for name, values := range p.GetHeaders() {
		c.Set(name, strings.Join(values, ", "))
	}
	return sendPage(c.Status(p.Status), page, pages.Policy(rand.Text()))
}
