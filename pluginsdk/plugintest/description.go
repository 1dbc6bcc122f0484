package plugintest

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/conformance"
)

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
	return append(problems, conformance.Problems(description, Compile)...)
}

func sameJSON(a, b any) bool {
	rawA, errA := json.Marshal(a)
	rawB, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(rawA, rawB)
}

// Conform runs the conformance kit against a built plugin, and fails the test
// for each check that it does not pass. What was skipped or is worth a look is
// logged. The command is the binary's absolute path, and arguments.
func Conform(t testing.TB, command []string, cases ...conformance.Case) {
	t.Helper()
	report, err := conformance.Run(t.Context(), conformance.Options{Command: command, Cases: cases, Compile: Compile})
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range report.Checks {
		for _, note := range check.Notes {
			if check.Status == conformance.Failed {
				t.Errorf("%s %s: %s", check.ID, check.Subject, note)
				continue
			}
			t.Logf("%s: %s %s: %s", check.Status, check.ID, check.Subject, note)
		}
	}
}

// Compile compiles a schema for the conformance kit.
func Compile(text json.RawMessage) (conformance.Schema, error) {
	var schema jsonschema.Schema
	if err := json.Unmarshal(text, &schema); err != nil {
		return nil, err
	}
	resolved, err := schema.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
	if err != nil {
		return nil, err
	}
	return func(raw json.RawMessage) error {
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			return err
		}
		return resolved.Validate(value)
	}, nil
}
