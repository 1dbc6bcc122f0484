package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/client"
	"github.com/vwmp/vwmp/pluginsdk/internal/wire"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// maxSchema bounds one schema, in bytes, as the protocol has it.
const maxSchema = 256 << 10

// subject is a handler as the checks need it.
type subject struct {
	info           *pb.Handler
	config, output Schema
	properties     map[string]property
	// closed: the config schema allows no other keys.
	closed         bool
	outputRequired bool
	cases          []Case
	// why there are no cases.
	why string
}

// property is what the kit reads of a property's schema.
type property struct {
	Type   any  `json:"type"`
	Secret bool `json:"x-vwmp-secret"`
}

func (k *kit) describe(t *trial) *pb.DescribeResponse {
	ctx, stop := context.WithTimeout(k.ctx, client.DescribeTimeout)
	defer stop()
	description, err := k.p.plugin.Describe(ctx, &pb.DescribeRequest{})
	if err != nil {
		t.fail("Describe ended with status %s: %s", status.Code(err), status.Convert(err).Message())
		return nil
	}
	return description
}

// describeChecks look at what the plugin says of itself. It reports whether
// there is something to go on with.
func (k *kit) describeChecks() bool {
	k.check("describe.answers", "", "it describes itself within 5 s, and always alike", func(t *trial) {
		if k.description = k.describe(t); k.description == nil {
			return
		}
		again := k.describe(t)
		first := k.p
		if second, err := k.start(); err == nil {
			k.p = second
			other := k.describe(t)
			second.kill()
			k.p = first
			if !proto.Equal(k.description, again) || !proto.Equal(k.description, other) {
				t.fail("two answers differ; the host keeps the first one for as long as the file is the same")
			}
		}
	})
	if k.description == nil {
		return false
	}
	k.report.Plugin, k.report.Version = k.description.GetName(), k.description.GetVersion()
	k.check("describe.sound", "", "names, texts, schemas and examples are sound", func(t *trial) {
		for _, problem := range Problems(wire.DescriptionFromWire(k.description), k.options.Compile) {
			t.fail("%s", problem)
		}
		for _, h := range k.description.GetHandlers() {
			if h.GetEffectClass() == pb.EffectClass_EFFECT_CLASS_UNSPECIFIED {
				t.warn("%s has no effect class; it counts as unsafe, and waits for a person after a crash", h.GetPath())
			}
		}
	})
	if k.options.Template != nil {
		k.check("describe.templates", "", "the templates of its workflow types are workflows", func(t *trial) {
			for _, kind := range k.description.GetWorkflowTypes() {
				for _, template := range kind.GetTemplates() {
					for _, problem := range k.options.Template(template.GetDocument()) {
						t.fail("%s/%s: %s", kind.GetName(), template.GetName(), problem)
					}
				}
			}
		})
	}
	for _, h := range k.description.GetHandlers() {
		k.subjects = append(k.subjects, k.subject(h))
	}
	k.check("cases.known", "", "the cases that were given name handlers of the plugin", func(t *trial) {
		for _, c := range k.options.Cases {
			if _, found := wire.DescriptionFromWire(k.description).Handler(c.Handler); !found {
				t.fail("the case %q is for the handler %q, which the plugin has not", c.Name, c.Handler)
			}
		}
	})
	return true
}

// subject prepares a handler's checks.
func (k *kit) subject(h *pb.Handler) *subject {
	s := &subject{info: h}
	// What is wrong with them was told already.
	s.config, _ = k.schema(h.GetConfigSchema())
	s.output, _ = k.schema(h.GetOutputSchema())
	var form struct {
		Properties           map[string]property `json:"properties"`
		AdditionalProperties json.RawMessage     `json:"additionalProperties"`
		Required             []string            `json:"required"`
	}
	if json.Unmarshal(h.GetOutputSchema(), &form) == nil {
		s.outputRequired = len(form.Required) > 0
	}
	form.Properties, form.AdditionalProperties = nil, nil
	if json.Unmarshal(h.GetConfigSchema(), &form) == nil {
		s.properties = form.Properties
		s.closed = string(form.AdditionalProperties) == "false" || strings.Contains(string(form.AdditionalProperties), `"not":{}`)
	}
	if len(h.GetNetwork()) > 0 && !k.options.Network {
		s.why = "it declares that it uses the network, so it is not called"
		return s
	}
	for _, c := range k.options.Cases {
		if c.Handler == h.GetPath() {
			c.Config = orEmpty(c.Config)
			s.cases = append(s.cases, c)
		}
	}
	if len(s.cases) > 0 {
		return s
	}
	config := json.RawMessage(h.GetExample())
	if len(config) == 0 {
		config = json.RawMessage(`{}`)
	}
	if err := validate(s.config, config); err != nil {
		s.why = "it has no example that its schema accepts, so it is not called"
		return s
	}
	s.cases = []Case{{Name: "example", Handler: h.GetPath(), Config: config}}
	return s
}

// anyCase is the first case that there is.
func (k *kit) anyCase() (*subject, *Case) {
	for _, s := range k.subjects {
		if len(s.cases) > 0 {
			return s, &s.cases[0]
		}
	}
	return nil, nil
}

var (
	pluginName  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	handlerName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// Problems lists all that is wrong with what a plugin says of itself: names,
// texts that people read, schemas, and examples.
func Problems(d *pluginsdk.Description, compile Compile) []string {
	var problems []string
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if !pluginName.MatchString(d.Name) || d.Name == "flow" {
		say("the plugin's name is %q: use lower-case letters, digits and underscores, and not flow", d.Name)
	}
	if d.Version == "" {
		say("the plugin has no version")
	}
	if d.Description == "" {
		say("the plugin has no description")
	}
	problems = append(problems, schemaProblems(compile, "the adapter schema", d.AdapterSchema)...)
	seen := map[string]bool{}
	for i := range d.Handlers {
		h := &d.Handlers[i]
		if name, found := strings.CutPrefix(h.Path, d.Name+"."); !found || !handlerName.MatchString(name) {
			say("the handler path %q must be %s.NAME, in lower-case letters, digits and underscores", h.Path, d.Name)
		}
		if seen[h.Path] {
			say("the handler %s is declared twice", h.Path)
		}
		seen[h.Path] = true
		problems = append(problems, handlerProblems(compile, h)...)
	}
	for i := range d.WorkflowTypes {
		problems = append(problems, typeProblems(compile, &d.WorkflowTypes[i])...)
	}
	return problems
}

// maxTags and maxTag bound a handler's tags and the characters of each, as
// pluginsdk.HandlerInfo has them.
const (
	maxTags = 20
	maxTag  = 40
)

func handlerProblems(compile Compile, info *pluginsdk.HandlerInfo) []string {
	var problems []string
	for _, text := range []struct{ name, value string }{
		{"name", info.Name}, {"description", info.Description}, {"category", info.Category},
	} {
		if text.value == "" {
			problems = append(problems, fmt.Sprintf("%s has no %s", info.Path, text.name))
		}
	}
	if len(info.Tags) > maxTags || slices.ContainsFunc(info.Tags, func(tag string) bool { return tag == "" || utf8.RuneCountInString(tag) > maxTag }) {
		problems = append(problems, fmt.Sprintf("%s: it may have at most %d tags, each of 1 to %d characters", info.Path, maxTags, maxTag))
	}
	if info.DefaultTimeout < 0 || info.Concurrency < 0 {
		problems = append(problems, info.Path+": a default timeout or a concurrency is negative")
	}
	problems = append(problems, schemaProblems(compile, info.Path+": the config schema", info.ConfigSchema)...)
	problems = append(problems, schemaProblems(compile, info.Path+": the input schema", info.InputSchema)...)
	problems = append(problems, schemaProblems(compile, info.Path+": the output schema", info.OutputSchema)...)
	if len(info.UIHints) > 0 && !json.Valid(info.UIHints) {
		problems = append(problems, info.Path+": the UI hints are not JSON")
	}
	if len(info.Example) == 0 || len(problems) > 0 {
		return problems
	}
	schema, err := compile.of(info.ConfigSchema)
	if err == nil {
		err = validate(schema, info.Example)
	}
	if err != nil {
		problems = append(problems, fmt.Sprintf("%s: its own example is not accepted: %v", info.Path, err))
	}
	return problems
}

func typeProblems(compile Compile, kind *pluginsdk.WorkflowType) []string {
	problems := schemaProblems(compile, "workflow type "+kind.Name+": the config schema", kind.ConfigSchema)
	if kind.Description == "" {
		problems = append(problems, fmt.Sprintf("workflow type %s has no description", kind.Name))
	}
	seen := map[string]bool{}
	for _, template := range kind.Templates {
		if template.Name == "" || template.Document == "" {
			problems = append(problems, fmt.Sprintf("workflow type %s: a template has no name or no document", kind.Name))
		}
		if seen[template.Name] {
			problems = append(problems, fmt.Sprintf("workflow type %s: two templates are called %q", kind.Name, template.Name))
		}
		seen[template.Name] = true
	}
	return problems
}

func schemaProblems(compile Compile, what string, raw json.RawMessage) []string {
	switch {
	case len(raw) == 0:
		return nil
	case len(raw) > maxSchema:
		return []string{fmt.Sprintf("%s is %d bytes, more than the %d allowed", what, len(raw), maxSchema)}
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return []string{fmt.Sprintf("%s is not JSON: %v", what, err)}
	}
	if hasKey(value, "$ref") {
		return []string{what + " has a $ref; write it inlined"}
	}
	if _, err := compile.of(raw); err != nil {
		return []string{fmt.Sprintf("%s is not valid: %v", what, err)}
	}
	return nil
}

// schema compiles a schema; nil for none.
func (k *kit) schema(raw json.RawMessage) (Schema, error) { return k.options.Compile.of(raw) }

func (c Compile) of(raw json.RawMessage) (Schema, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	return c(raw)
}

// validate holds a JSON value against a schema, which may be nil.
func validate(schema Schema, raw json.RawMessage) error {
	if !json.Valid(raw) {
		return errors.New("it is not JSON")
	}
	if schema == nil {
		return nil
	}
	return schema(raw)
}

// hasKey looks for a key with a text anywhere in a JSON value.
func hasKey(value any, key string) bool {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if name == key && reflect.TypeOf(inner) == reflect.TypeFor[string]() {
				return true
			}
			if hasKey(inner, key) {
				return true
			}
		}
	case []any:
		for _, inner := range v {
			if hasKey(inner, key) {
				return true
			}
		}
	}
	return false
}
