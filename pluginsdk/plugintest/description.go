package plugintest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/vwmp/vwmp/pluginsdk"
)

// maxSchema bounds one schema, in bytes, as the protocol has it.
const maxSchema = 256 << 10

// CheckDescription fails the test for everything that is wrong with what a
// plugin says of itself: it must survive the wire, every schema must be valid,
// without $ref and not too large, every example must be accepted, and what a
// person reads must be there.
func CheckDescription(t testing.TB, plugin *pluginsdk.Plugin) {
	t.Helper()
	for _, problem := range descriptionProblems(t, plugin) {
		t.Error(problem)
	}
}

func descriptionProblems(t testing.TB, plugin *pluginsdk.Plugin) []string {
	t.Helper()
	own, err := plugin.Describe()
	if err != nil {
		return []string{err.Error()}
	}
	description, err := Connect(t, plugin).Describe(t.Context())
	if err != nil {
		return []string{err.Error()}
	}
	var problems []string
	if !sameJSON(own, description) {
		problems = append(problems, "the description changes on its way to the host")
	}
	if description.Description == "" {
		problems = append(problems, "the plugin has no description")
	}
	problems = append(problems, schemaProblems("the adapter schema", description.AdapterSchema)...)
	for i := range description.Handlers {
		problems = append(problems, handlerProblems(&description.Handlers[i])...)
	}
	for _, kind := range description.WorkflowTypes {
		problems = append(problems, typeProblems(&kind)...)
	}
	return problems
}

func sameJSON(a, b any) bool {
	rawA, errA := json.Marshal(a)
	rawB, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(rawA, rawB)
}

func handlerProblems(info *pluginsdk.HandlerInfo) []string {
	var problems []string
	for _, text := range []struct{ name, value string }{
		{"name", info.Name}, {"description", info.Description}, {"category", info.Category},
	} {
		if text.value == "" {
			problems = append(problems, fmt.Sprintf("%s has no %s", info.Path, text.name))
		}
	}
	problems = append(problems, schemaProblems(info.Path+": the config schema", info.ConfigSchema)...)
	problems = append(problems, schemaProblems(info.Path+": the input schema", info.InputSchema)...)
	problems = append(problems, schemaProblems(info.Path+": the output schema", info.OutputSchema)...)
	if len(info.Example) == 0 || len(problems) > 0 {
		return problems
	}
	schema, err := resolve(info.ConfigSchema)
	var example any
	if err == nil {
		err = json.Unmarshal(info.Example, &example)
	}
	if err == nil && schema != nil {
		err = schema.Validate(example)
	}
	if err != nil {
		problems = append(problems, fmt.Sprintf("%s: its own example is not accepted: %v", info.Path, err))
	}
	return problems
}

func typeProblems(kind *pluginsdk.WorkflowType) []string {
	problems := schemaProblems("workflow type "+kind.Name+": the config schema", kind.ConfigSchema)
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

func schemaProblems(what string, raw json.RawMessage) []string {
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
	if _, err := resolve(raw); err != nil {
		return []string{fmt.Sprintf("%s is not valid: %v", what, err)}
	}
	return nil
}

func resolve(raw json.RawMessage) (*jsonschema.Resolved, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(raw, &schema); err != nil {
		return nil, err
	}
	return schema.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
}

// hasKey looks for a key anywhere in a JSON value.
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
