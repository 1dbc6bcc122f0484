package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/trigger"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/pluginsdk"
)

// addHooks registers what calls webhooks. Its body may be of any type, and its
// signature is about the bytes as they came: it is no typed operation.
func (s *Server) addHooks(tags []string) {
	const pattern = apiBase + "/hooks/{token}/"
	s.add(http.MethodPost, pattern, s.callHook)
	s.describeRaw(huma.Operation{
		OperationID: "call-hook", Method: http.MethodPost, Path: pattern, Tags: tags, Summary: "Fire a webhook",
		Description: "Open to all: the token opens its trigger and nothing else. Where the trigger has a signature, the named header carries the HMAC-SHA256 of the body in hexadecimal, after the prefix. At most 60 calls a minute.",
		Parameters: []*huma.Param{
			{Name: "token", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "Idempotency-Key", In: "header", Description: "Gives back the execution that was started with it within 24 hours", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: new(1024)}},
		},
		RequestBody: &huma.RequestBody{Description: "What ${trigger.body} stands for: JSON, a form, or text", Content: map[string]*huma.MediaType{
			typeJSON: {Schema: &huma.Schema{}}, typeForm: {Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}}, "text/plain": {Schema: &huma.Schema{Type: huma.TypeString}},
		}},
		Responses: map[string]*huma.Response{"202": {Description: "Started", Content: content(s.schemaOf(started{}), typeJSON)}},
	})
}

const typeForm = "application/x-www-form-urlencoded"

func (s *Server) callHook(c *fiber.Ctx) error {
	token, ok := pathValue(c.Params("token"))
	if !ok {
		return problem.FromStatus(http.StatusNotFound)
	}
	raw, kind := c.Request().Body(), c.Get(fiber.HeaderContentType)
	execution, err := s.Triggers.Hook(context.WithoutCancel(c.UserContext()), token, &trigger.HookRequest{
		Raw: raw, Body: func() (any, error) { return hookBody(kind, raw) },
		Headers: hookHeaders(c), Query: c.Queries(), Key: c.Get("Idempotency-Key"),
	})
	if err != nil {
		return hookRefused(err)
	}
	c.Set(fiber.HeaderLocation, executionPath(execution.ID))
	return c.Status(http.StatusAccepted).JSON(startedOf(c.UserContext(), &execution))
}

// hookRefused tells a caller what it may know: what is wrong on the server's
// side stands with the trigger's firings.
func hookRefused(err error) error {
	var limited *trigger.LimitedError
	switch {
	case errors.As(err, &limited):
		return problem.New(http.StatusTooManyRequests, problem.RateLimitError, limited.Error()).RetryAfter(limited.After).Because(err)
	case errors.Is(err, trigger.ErrSignature):
		return problem.New(http.StatusUnauthorized, problem.AuthenticationError, "the signature is missing or does not fit the body").Because(err)
	case errors.Is(err, trigger.ErrNoSecret):
		return problem.New(http.StatusServiceUnavailable, problem.Unavailable, "the signature can't be checked at present; whoever edits the workflow sees why").RetryAfter(retrySoon).Because(err)
	case errors.Is(err, engine.ErrNotFound):
		return problem.FromStatus(http.StatusNotFound).Because(err)
	}
	return err
}

// hiddenHeaders are a caller's credentials, which are nobody's parameters.
var hiddenHeaders = []string{"authorization", "proxy-authorization", "cookie"}

func hookHeaders(c *fiber.Ctx) map[string]string {
	headers := map[string]string{}
	for name, values := range c.GetReqHeaders() {
		if name = strings.ToLower(name); !slices.Contains(hiddenHeaders, name) {
			headers[name] = strings.Join(values, ", ")
		}
	}
	return headers
}

// hookBody reads a body as ${trigger.body} has it: JSON as it is, a form as a
// map of its first values, other text as a string, nothing as an empty map.
func hookBody(contentType string, raw []byte) (any, error) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = ""
	}
	text := bytes.TrimSpace(raw)
	isJSON := slices.Contains(jsonTypes, kind) || strings.HasSuffix(kind, "+json")
	switch {
	case len(text) == 0:
		return map[string]any{}, nil
	case kind == typeForm && !json.Valid(text):
		form, err := url.ParseQuery(string(raw))
		if err != nil {
			return nil, badBody("bad_form", "the body is not a form as its type says")
		}
		values := map[string]any{}
		for name := range form {
			values[name] = form.Get(name)
		}
		return values, nil
	case tooDeep(text) && (isJSON || text[0] == '{' || text[0] == '['):
		return nil, badBody("too_deep", "the body is nested more than 64 deep; make it flatter")
	case json.Valid(text):
		return json.RawMessage(bytes.Clone(text)), nil
	case isJSON:
		return nil, badBody("bad_json", "the body is not JSON as its type says")
	case utf8.Valid(raw):
		return string(raw), nil
	}
	return nil, badBody("wrong_type", "the body is neither JSON nor a form nor text")
}

// badBody is kept with the trigger too, so that it is an error of the engine.
func badBody(code, message string) error {
	return &engine.ProblemsError{Summary: "the body can't be used", Problems: []pluginsdk.Problem{{Severity: pluginsdk.SeverityError, Code: code, Message: message}}}
}
