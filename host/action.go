package host

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/host/problem"
)

// action is an operation that is not made anew from the library's generic
// code: each copy of that costs 25 KB of the binary, and most operations need
// little of what it can do.
type action struct {
	huma.Operation
	// body is a zero value of what the body is read into, nil where there is
	// none. It must be sent unless bodyOptional is set.
	body         any
	bodyOptional bool
	// answers are zero values of what is answered, by status.
	answers map[int]any
	// serve is given a pointer to the body, or nil. What it returns is
	// written as JSON, or sent as it is where it is a json.RawMessage.
	serve func(c *fiber.Ctx, body any) (status int, answer any, err error)
}

// registerPlain is register for a handler whose input are texts of the path
// and the query, if anything, and whose output is a Body, if anything: as an
// action it costs less.
func registerPlain[I, O any](s *Server, op huma.Operation, handle func(context.Context, *I) (*O, error)) {
	a := action{Operation: op, answers: map[int]any{http.StatusNoContent: nil}}
	for field := range reflect.TypeFor[I]().Fields() {
		if name := field.Tag.Get("query"); name != "" {
			a.Parameters = append(a.Parameters, query(name, huma.TypeString, field.Tag.Get("doc")))
		}
	}
	body, answers := reflect.TypeFor[O]().FieldByName("Body")
	if answers {
		a.answers = map[int]any{http.StatusOK: reflect.Zero(body.Type).Interface()}
	}
	a.serve = func(c *fiber.Ctx, _ any) (int, any, error) {
		in := new(I)
		readTexts(c, reflect.ValueOf(in).Elem())
		out, err := handle(c.UserContext(), in)
		if err != nil || !answers {
			return http.StatusNoContent, nil, err
		}
		return http.StatusOK, reflect.ValueOf(out).Elem().FieldByIndex(body.Index).Interface(), nil
	}
	s.addAction(a)
}

// readTexts fills the fields of an input with what the path and the query have
// for them.
func readTexts(c *fiber.Ctx, in reflect.Value) {
	for i := range in.NumField() {
		tag := in.Type().Field(i).Tag
		if name := tag.Get("query"); name != "" {
			in.Field(i).SetString(c.Query(name))
			continue
		}
		in.Field(i).SetString(c.Params(tag.Get("path")))
	}
}

// query describes a parameter of an action's query.
func query(name, kind, text string) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: text, Schema: &huma.Schema{Type: kind}}
}

var patternNames = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{([a-z0-9_]+)\}`) })

// addAction registers and describes an action; its row in the route table
// says whether it has a body.
func (s *Server) addAction(a action) {
	var schema *huma.Schema
	if a.body != nil {
		t := reflect.TypeOf(a.body)
		schema = s.schemaNamed(t, t.Name())
	}
	if s.describing {
		s.describeAction(a, schema)
	}
	s.add(a.Method, a.Path, func(c *fiber.Ctx) error {
		var body any
		if a.body != nil {
			var err error
			if body, err = s.readBody(c.Body(), schema, a.body, a.bodyOptional); err != nil {
				return err
			}
		}
		status, answer, err := a.serve(c, body)
		if err != nil {
			return err
		}
		if status == http.StatusNoContent {
			return c.SendStatus(status)
		}
		c.Set(fiber.HeaderContentType, typeJSON)
		if text, ready := answer.(json.RawMessage); ready {
			return c.Status(status).Send(text)
		}
		if err := writeJSON(c.Status(status).Response().BodyWriter(), answer); err != nil {
			return fmt.Errorf("write an answer: %w", err)
		}
		return nil
	})
}

// describeAction adds an action to the description.
func (s *Server) describeAction(a action, body *huma.Schema) {
	for _, name := range patternNames().FindAllStringSubmatch(a.Path, -1) {
		a.Parameters = append(a.Parameters, &huma.Param{Name: name[1], In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
	}
	a.Responses = map[string]*huma.Response{}
	for status, answer := range a.answers {
		response := &huma.Response{Description: http.StatusText(status)}
		if answer != nil {
			response.Content = content(s.schemaNamed(reflect.TypeOf(answer), a.OperationID), typeJSON)
		}
		a.Responses[strconv.Itoa(status)] = response
	}
	if body != nil {
		a.RequestBody = &huma.RequestBody{Required: !a.bodyOptional, Content: content(body, typeJSON)}
	}
	s.describeRaw(a.Operation)
}

// readBody holds a body against its schema and reads it into a new value of
// the type of like, to which it returns a pointer.
func (s *Server) readBody(text []byte, schema *huma.Schema, like any, optional bool) (any, error) {
	into := reflect.New(reflect.TypeOf(like)).Interface()
	if len(bytes.TrimSpace(text)) == 0 {
		if optional {
			return into, nil
		}
		return nil, problem.InvalidValue("", "required", "a body is needed: a JSON object")
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return nil, problem.InvalidValue("", "wrong_type", "the body is not JSON: "+err.Error())
	}
	if value == nil && optional {
		return into, nil
	}
	result := &huma.ValidateResult{}
	huma.Validate(s.api.OpenAPI().Components.Schemas, schema, huma.NewPathBuffer([]byte("body"), 4), huma.ModeWriteToServer, value, result)
	if len(result.Errors) > 0 {
		details := make([]*huma.ErrorDetail, 0, len(result.Errors))
		for _, err := range result.Errors {
			if detail, ok := err.(huma.ErrorDetailer); ok {
				details = append(details, detail.ErrorDetail())
			}
		}
		return nil, refusedInput("validation failed", details)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return nil, problem.InvalidValue("", "wrong_type", "the body can't be read").Because(err)
	}
	return into, nil
}

// refusedInput is the problem of what the library found wrong with a request.
func refusedInput(summary string, details []*huma.ErrorDetail) *problem.Problem {
	p := problem.New(http.StatusBadRequest, problem.ValidationError, "the request can't be used: "+summary)
	for _, detail := range details {
		p.Errors = append(p.Errors, problem.Item{Pointer: pointerOf(detail.Location), Code: "invalid", Message: detail.Message})
	}
	return p
}

// flag reads a parameter of the query that is true or false.
func flag(c *fiber.Ctx, name string) (bool, error) {
	switch c.Query(name) {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, problem.InvalidValue(name, "invalid", name+" must be true or false")
}
