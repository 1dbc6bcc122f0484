package host

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/host/problem"
)

// Meter counts what happens at the edge, and shows everything that is counted
// in the server. None of its methods but Write may block.
type Meter interface {
	// Answered is told of every answer; pattern is the route's, and empty
	// where none fits.
	Answered(method, pattern string, status int, took time.Duration)
	// Identified is told how the sender of a request was let in.
	Identified(way string)
	// SignedIn is told of a sign-in, or of a wrong bearer token, by the status
	// of its answer.
	SignedIn(status int)
	// Audited is told of a record of the audit trail, and whether it was kept.
	Audited(result string, kept bool)
	// Write writes all metrics as the text that Prometheus reads. It writes
	// what it can where its error tells of something that is missing.
	Write(ctx context.Context, w io.Writer) error
}

// Tracer follows requests and what they start.
type Tracer interface {
	// Request begins to follow a request; the headers are those of W3C trace
	// context, or empty. end is told what became of it: its route's pattern,
	// empty where none fits, its status and its id.
	Request(ctx context.Context, method, traceParent, traceState string) (followed context.Context, end func(pattern string, status int, requestID string))
	// Awaited marks that the caller waits for the end of what ctx starts.
	Awaited(ctx context.Context) context.Context
}

// trace follows a request; it is there only where there is a Tracer.
func (s *Server) trace(c *fiber.Ctx) error {
	info := infoOf(c.UserContext())
	ctx, end := s.Tracer.Request(c.UserContext(), c.Method(), c.Get("traceparent"), c.Get("tracestate"))
	c.SetUserContext(ctx)
	err := c.Next()
	status := c.Response().StatusCode()
	if err != nil {
		status = problemOf(err).Status
	}
	end(info.pattern, status, info.id)
	return err
}

// awaitedBy marks that the sender of a request waits for what ctx starts.
func (s *Server) awaitedBy(ctx context.Context) context.Context {
	if s.Tracer == nil {
		return ctx
	}
	return s.Tracer.Awaited(ctx)
}

// noMeter is the Meter of a server that counts nothing.
type noMeter struct{}

func (noMeter) Answered(string, string, int, time.Duration) {}
func (noMeter) Identified(string)                           {}
func (noMeter) SignedIn(int)                                {}
func (noMeter) Audited(string, bool)                        {}
func (noMeter) Write(context.Context, io.Writer) error      { return nil }

// EdgeFigures are what an operator watches of the edge.
type EdgeFigures struct {
	// InFlight counts the requests that are being answered, Connections those
	// that are open.
	InFlight    int64
	Connections int
	// Sockets and EventStreams are open.
	Sockets, EventStreams int
}

// Figures counts what is open now.
func (s *Server) Figures() EdgeFigures {
	f := EdgeFigures{InFlight: s.inFlight.Load(), Connections: int(s.app.Server().GetOpenConnectionsCount())}
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	for w := range s.streams.watches {
		if w.row.socket {
			f.Sockets++
		} else {
			f.EventStreams++
		}
	}
	return f
}

// noRoute and anyMethod stand for the pattern and the method of what no route
// fits: whoever sends it may send any.
const (
	noRoute   = "none"
	anyMethod = "any"
)

// observe is around everything else: it counts every answer, and writes it
// into the log for whoever wants details.
func (s *Server) observe(c *fiber.Ctx) error {
	began := time.Now()
	s.inFlight.Add(1)
	err := c.Next()
	s.inFlight.Add(-1)
	took := time.Since(began)
	s.countAnswer(c, took)
	if s.log.Enabled(context.Background(), slog.LevelDebug) {
		s.logAnswer(c, took)
	}
	return err
}

func (s *Server) countAnswer(c *fiber.Ctx, took time.Duration) {
	info := infoOf(c.UserContext())
	status := c.Response().StatusCode()
	pattern, method := info.pattern, c.Method()
	if pattern == "" {
		pattern, method = noRoute, anyMethod
	}
	s.Meter.Answered(method, pattern, status, took)
	if info.who.Way != "" {
		s.Meter.Identified(string(info.who.Way))
	}
	if info.action == actionSignIn {
		s.Meter.SignedIn(status)
	}
}

// logAnswer tells who asked for what, and what came of it.
func (s *Server) logAnswer(c *fiber.Ctx, took time.Duration) {
	info := infoOf(c.UserContext())
	fields := []slog.Attr{
		slog.String("request_id", info.id), slog.String("method", c.Method()), slog.String("route", info.pattern), slog.String("path", loggedPath(info.path)),
		slog.Int("status", c.Response().StatusCode()), slog.Float64("took_seconds", took.Seconds()), slog.String("address", info.address),
	}
	if info.who.Name != "" {
		fields = append(fields, slog.String("who", info.who.Name))
	}
	fields = append(fields, namedBy(c, info)...)
	s.log.LogAttrs(context.Background(), slog.LevelDebug, "request answered", fields...)
}

// namedBy are the ids of what a request is about: those of its path, and that
// of the execution that it started.
func namedBy(c *fiber.Ctx, info *requestInfo) []slog.Attr {
	var fields []slog.Attr
	for _, named := range []struct{ pattern, param, key string }{
		{"/workflows/{id}", "id", "workflow_id"}, {"/executions/{id}", "id", "execution_id"}, {"/steps/{step}", "step", "step_id"},
		{"/plugins/{name}", "name", "plugin"}, {"/triggers/{id}", "id", "trigger"},
	} {
		if strings.Contains(info.pattern, named.pattern) {
			fields = append(fields, slog.String(named.key, c.Params(named.param)))
		}
	}
	made := string(c.Response().Header.Peek(fiber.HeaderLocation))
	if id, found := strings.CutPrefix(made, apiBase+"/executions/"); found {
		fields = append(fields, slog.String("execution_id", strings.Trim(id, "/")))
	}
	return fields
}

// loggedPath is a path as the log may have it: the token of a webhook opens
// its trigger.
func loggedPath(path string) string {
	const hooks = apiBase + "/hooks/"
	if strings.HasPrefix(path, hooks) {
		return hooks + "…"
	}
	return path
}

func (s *Server) addMetrics() {
	s.add(http.MethodGet, "/metrics", s.getMetrics)
	s.describeRaw(huma.Operation{
		OperationID: "get-metrics", Method: http.MethodGet, Path: "/metrics", Tags: []string{"server"},
		Summary:     "Metrics of the server, as Prometheus reads them",
		Description: "A scraper sends an API token of the role viewer as Authorization: Bearer.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The text format 0.0.4", Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}},
		}},
	})
}

// metricsTime bounds the reading of what is only read when somebody asks.
const metricsTime = 5 * time.Second

func (s *Server) getMetrics(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), metricsTime)
	defer cancel()
	var text bytes.Buffer
	if err := s.Meter.Write(ctx, &text); err != nil {
		s.log.Warn("some metrics are missing", "request_id", infoOf(ctx).id, "error", err)
	}
	if text.Len() == 0 {
		return problem.New(http.StatusServiceUnavailable, problem.Unavailable, "this server counts nothing")
	}
	c.Set(fiber.HeaderContentType, "text/plain; version=0.0.4; charset=utf-8")
	return c.Send(text.Bytes())
}
