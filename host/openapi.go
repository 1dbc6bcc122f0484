package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/problem"
)

// document is the API's description, ready to be sent.
type document struct {
	text []byte
	etag string
}

// setUpAPI makes the typed half of the API. Its library's own pages, links
// and routes are off: they load from elsewhere, or stand outside the table.
func (s *Server) setUpAPI() {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	if !s.describing {
		registry = &inputRegistry{Registry: registry}
	}
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "VWMP", Version: s.Version.Version,
				Description: "Workflows, their executions and the steps that plugins offer. Every path answers with and without its trailing slash.",
				License:     &huma.License{Name: "MIT", Identifier: "MIT"},
			},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer":  {Type: "http", Scheme: "bearer", Description: "The admin token, or an API token"},
					"session": {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "A browser's session; changes need the header " + ownHeader + " too"},
				},
			},
			Tags: []*huma.Tag{
				{Name: "workflows"}, {Name: "executions"}, {Name: "triggers", Description: "What starts executions without a person"}, {Name: "catalogue", Description: "Handlers and workflow types"}, {Name: "plugins"},
				{Name: "auth", Description: "Sign-in, API tokens and sessions"}, {Name: "accounts"}, {Name: "audit", Description: "Who did what"}, {Name: "secrets"}, {Name: "live", Description: "WebSockets"}, {Name: "server"},
			},
		},
		Formats:       map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{s.ownProblem},
	}
	inner := humafiber.New(s.app, huma.Config{}).Adapter()
	s.api = huma.NewAPI(config, &adapter{server: s, inner: inner})
	s.spec = sync.OnceValues(s.describe)
	s.add(http.MethodGet, "/openapi.json", s.sendSpec)
	s.describeRaw(huma.Operation{
		OperationID: "get-openapi", Method: http.MethodGet, Path: "/openapi.json", Summary: "This description", Tags: []string{"server"},
		Responses: map[string]*huma.Response{"200": {Description: "OpenAPI 3.1", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: "object"}}}}},
	})
}

// adapter puts the edge's judgement in front of every typed operation.
type adapter struct {
	server *Server
	inner  huma.Adapter
}

// Handle registers an operation's handler, for HEAD too where it is a GET.
func (a *adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	r := a.server.row(op.Method, op.Path)
	guarded := func(ctx huma.Context) {
		c := humafiber.Unwrap(ctx)
		if err := a.server.admit(c, r); err != nil {
			// fail returns an error only where it could not write one.
			if err := a.server.fail(c, err); err != nil {
				a.server.log.Error("answer a request", "error", err)
			}
			return
		}
		handler(&operationContext{humaContext: ctx})
	}
	a.inner.Handle(op, guarded)
	if op.Method == http.MethodGet {
		head := *op
		head.Method = http.MethodHead
		a.inner.Handle(&head, guarded)
	}
}

// ServeHTTP is for tests of the library.
func (a *adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.inner.ServeHTTP(w, r) }

type humaContext = huma.Context

// operationContext lets ownProblem change the status of an answer that the
// library makes itself.
type operationContext struct {
	humaContext
	status int
}

// Unwrap returns the library's own context.
func (c *operationContext) Unwrap() huma.Context { return c.humaContext }

// SetStatus sets the answer's status, if ownProblem has not.
func (c *operationContext) SetStatus(status int) {
	if c.status != 0 {
		status = c.status
	}
	c.humaContext.SetStatus(status)
}

// SetReadDeadline does nothing: the body was read before, under the server's
// own deadline, and the connection's next request must keep its.
func (c *operationContext) SetReadDeadline(time.Time) error { return nil }

// ownProblem turns a refusal that the library made into one of ours. Its
// hook for that is a variable of the whole process; this is not.
func (s *Server) ownProblem(ctx huma.Context, _ string, value any) (any, error) {
	model, ok := value.(*huma.ErrorModel)
	if !ok {
		return value, nil
	}
	p := problem.FromStatus(model.Status)
	if model.Status == http.StatusUnprocessableEntity || model.Status == http.StatusBadRequest {
		p = refusedInput(model.Detail, model.Errors)
	}
	if own, ok := ctx.(*operationContext); ok {
		own.status = p.Status
	}
	return s.refusal(infoOf(ctx.Context()), p), nil
}

// pointerOf writes the library's places as JSON pointers into the body, or as
// the name of a parameter.
func pointerOf(location string) string {
	place, rest, _ := strings.Cut(location, ".")
	switch place {
	case "body":
		if rest == "" {
			return ""
		}
		return "/" + strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(rest)
	case "query", "path", "header", "cookie":
		return rest
	}
	return location
}

// inputRegistry makes the schemas that requests are held against, and none of
// answers: only the description shows those, and it is the twin's.
type inputRegistry struct {
	huma.Registry
	// answer is the body that the operation at hand answers with.
	answer reflect.Type
}

// Schema returns the schema of a type, an empty one of what is only answered.
func (r *inputRegistry) Schema(t reflect.Type, allowRef bool, hint string) *huma.Schema {
	if t == r.answer || t == reflect.TypeFor[huma.ErrorModel]() {
		return &huma.Schema{}
	}
	return r.Registry.Schema(t, allowRef, hint)
}

// register adds a typed operation. Its errors become problems in one place.
func register[I, O any](s *Server, op huma.Operation, handle func(context.Context, *I) (*O, error)) {
	s.complete(&op)
	// The edge has bounded the body before; the library's limits would
	// come on top.
	op.MaxBodyBytes, op.BodyReadTimeout = -1, -1
	// Hidden is what nothing keeps for the description.
	op.Hidden = !s.describing
	if registry, serves := s.api.OpenAPI().Components.Schemas.(*inputRegistry); serves {
		body, _ := reflect.TypeFor[O]().FieldByName("Body")
		registry.answer = body.Type
	}
	huma.Register(s.api, op, func(ctx context.Context, input *I) (*O, error) {
		output, err := handle(ctx, input)
		if err != nil {
			return nil, s.refusal(infoOf(ctx), err)
		}
		return output, nil
	})
}

// describingTwin is a server of the same options that serves nobody.
func (s *Server) describingTwin() *Server {
	twin := &Server{
		Options: s.Options, log: s.log, now: s.now, signIn: s.signIn, base: s.base, stop: s.stop,
		streams: s.streams, views: s.views, assets: s.assets, pages: s.pages, webApp: s.webApp, describing: true,
	}
	twin.setUp()
	return twin
}

// describeRaw adds an operation to the description whose handler is Fiber's.
func (s *Server) describeRaw(op huma.Operation) {
	if !s.describing {
		return
	}
	s.complete(&op)
	s.api.OpenAPI().AddOperation(&op)
}

// complete fills in what the route table says, and how the operation fails.
func (s *Server) complete(op *huma.Operation) {
	r := s.row(op.Method, op.Path)
	if r.permission != edge.Public {
		op.Security = []map[string][]string{{"bearer": {}}, {"session": {}}}
	}
	op.Extensions = map[string]any{"x-vwmp-permission": r.permission.String()}
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	if !s.describing {
		return
	}
	schema := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[problem.Problem](), true, "Problem")
	op.Responses["default"] = &huma.Response{
		Description: "A problem (RFC 9457)",
		Content:     map[string]*huma.MediaType{problem.ContentType: {Schema: schema}},
	}
}

// describe writes the description once, by a twin of the server that is gone
// afterwards: most servers are never asked for it, and the schemas of all
// answers are the largest part of what an idle one would hold. The library's
// own error model is in its registry, but no operation answers with it.
func (s *Server) describe() (document, error) {
	spec := s.describingTwin().api.OpenAPI()
	schemas := spec.Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	text, err := json.Marshal(spec)
	if err != nil {
		return document{}, fmt.Errorf("describe the API: %w", err)
	}
	sum := sha256.Sum256(text)
	return document{text: text, etag: `"` + hex.EncodeToString(sum[:8]) + `"`}, nil
}

func (s *Server) sendSpec(c *fiber.Ctx) error {
	spec, err := s.spec()
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderETag, spec.etag)
	c.Set(fiber.HeaderCacheControl, "no-cache")
	if c.Get(fiber.HeaderIfNoneMatch) == spec.etag {
		return c.SendStatus(http.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(spec.text)
}

// content lists the types of an answer, or of a body, of one schema.
func content(schema *huma.Schema, types ...string) map[string]*huma.MediaType {
	made := map[string]*huma.MediaType{}
	for _, kind := range types {
		made[kind] = &huma.MediaType{Schema: schema}
	}
	return made
}

// schemaOf returns the schema of an answer's type, an empty one where nothing
// is described.
func (s *Server) schemaOf(value any) *huma.Schema {
	if !s.describing {
		return &huma.Schema{}
	}
	t := reflect.TypeOf(value)
	return s.schemaNamed(t, t.Name())
}

// schemaNamed is schemaOf for a type that may have no name of its own.
func (s *Server) schemaNamed(t reflect.Type, hint string) *huma.Schema {
	return s.api.OpenAPI().Components.Schemas.Schema(t, true, hint)
}
