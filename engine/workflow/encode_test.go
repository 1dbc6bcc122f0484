package workflow_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vwmp/vwmp/engine/workflow"
)

// full uses every key of the language.
const full = `
name: Everything
version: 1.2.3
type: release
description: |
  Several lines,
  # and signs: here.
tags: [a, "yes"]
config: {z: 1.50, a: {nested: [1e3, "x", null]}, text: "a\tb"}
parameters:
  - {name: s, type: string, required: true, label: S, description: d, default: x, validation: {min_length: 1, max_length: 5, pattern: "^x"}}
  - {name: n, type: number, default: 0.5, validation: {min: 0, max: 1.5}}
  - {name: e, type: enum, options: [a, {value: b, label: B}, 3]}
  - {name: b, type: boolean, validation: {must_be: true}}
steps:
  - id: one
    name: One
    type: label
    handler: flow.log
    description: text
    config: {message: "${item} ${parameters.s}"}
    required: false
    enabled: "${parameters.b}"
    automatic: true
    when: parameters.n > 0 and steps_ok == nil
    run_on: success
    retry: {max_attempts: 3, initial_interval: 50ms, multiplier: 1.5, max_interval: 2m, jitter: 0}
    timeout: 0.29
    on_interrupt: retry
    for_each: [1, "${parameters.e}"]
    max_parallel: 3
    ui: {position: {x: 1.5, y: -2}}
  - {id: two, handler: flow.log, dependencies: [one], run_on: always, enabled: false, config: {message: x}}
timeout: 2h
on_failure: rollback
concurrency: {limit: 2, key: "k-${parameters.s}", on_conflict: reject}
triggers:
  - {type: schedule, cron: "0 3 * * 1", timezone: Europe/Berlin, catch_up: all, parameters: {s: x}, enabled: false}
  - {type: webhook, id: hook, signature: {header: X-Sig, secret: KEY, prefix: "sha256="}, parameters: {s: "${trigger.body.s}"}}
  - {type: workflow, workflow: other, statuses: [failed], parameters: {s: x}}
  - {type: file, glob: "a/*.md", debounce: 500ms, parameters: {s: x}}
`

func TestADefinitionSurvivesJSONAndYAML(t *testing.T) {
	doc, problems := workflow.Parse([]byte(full), workflow.ParseOptions{})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	asJSON, err := json.Marshal(doc.Definition)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := doc.Definition.YAML()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"JSON": asJSON, "YAML": asYAML, "wrapped": []byte(`{"workflow":` + string(asJSON) + `}`)} {
		again, problems := workflow.Parse(text, workflow.ParseOptions{})
		if problems.HasErrors() {
			t.Fatalf("%s: %v\n%s", name, problems, text)
		}
		if !reflect.DeepEqual(doc.Definition, again.Definition) {
			t.Errorf("%s: got\n%+v\nwant\n%+v\n%s", name, again.Definition, doc.Definition, text)
		}
	}
	if !strings.Contains(string(asJSON), `"config":{"z":1.50,"a":{"nested":[1e3,"x",null]},"text":"a\tb"}`) {
		t.Errorf("config lost its order or its numbers: %s", asJSON)
	}
}

func TestDefaultsAreFilledInAndNotWritten(t *testing.T) {
	doc, problems := workflow.Parse([]byte("name: A\nsteps: [{id: one, handler: flow.log}]"), workflow.ParseOptions{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	def := doc.Definition
	step := def.Steps[0]
	if def.Version != "1.0.0" || def.Type != "custom" || def.OnFailure != workflow.OnFailureStop || !step.Required ||
		step.RunOn != workflow.RunOnSuccess || step.OnInterrupt != workflow.OnInterruptAsk || step.Enabled != nil || step.Retry != nil {
		t.Errorf("got %+v", def)
	}
	const want = `{"name":"A","version":"1.0.0","type":"custom","steps":[{"id":"one","handler":"flow.log"}]}`
	if got := string(def.JSON()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDurationsAreSecondsOrGoNotation(t *testing.T) {
	for text, want := range map[string]time.Duration{"5": 5 * time.Second, "0.29": 290 * time.Millisecond, `"50ms"`: 50 * time.Millisecond, `"1h30m"`: 90 * time.Minute, `"90s"`: 90 * time.Second} {
		doc, problems := workflow.Parse([]byte(`{"name":"A","timeout":`+text+`,"steps":[{"id":"one","handler":"flow.log"}]}`), workflow.ParseOptions{})
		if len(problems) > 0 || doc.Definition.Timeout != want {
			t.Errorf("%s: %v, %v", text, doc.Definition.Timeout, problems)
		}
	}
	for _, text := range []string{"-1", `"-5s"`, `"PT5M"`, `"5"`, "1e300", "true", `""`} {
		if _, problems := workflow.Parse([]byte(`{"name":"A","timeout":`+text+`,"steps":[{"id":"one","handler":"flow.log"}]}`), workflow.ParseOptions{}); !hasCode(problems, "bad_duration") {
			t.Errorf("%s: %v", text, problems)
		}
	}
}

func TestMetadataIsIgnoredWhereItIsExpected(t *testing.T) {
	const text = `{"name":"A","id":"x","step_count":1,"revision":2,"created_at":"","updated_at":"","last_executed":null,"last_status":null,"execution_count":0,
		"owner":"me","team":"","visibility":"all","valid":true,"problems":[],"draft":false,"text_rewritten":true,"steps":[{"id":"one","handler":"flow.log"}]}`
	if _, problems := workflow.Parse([]byte(text), workflow.ParseOptions{IgnoreMetadata: true}); len(problems) > 0 {
		t.Errorf("ignored: %v", problems)
	}
	if _, problems := workflow.Parse([]byte(text), workflow.ParseOptions{}); len(problems) != 15 {
		t.Errorf("not ignored: %v", problems)
	}
	if _, problems := workflow.Parse([]byte(`{"name":"A","revisoin":1,"steps":[{"id":"one","handler":"flow.log","revision":1}]}`), workflow.ParseOptions{IgnoreMetadata: true}); len(problems) != 2 {
		t.Errorf("other keys: %v", problems)
	}
}

func TestFormatsAreTold(t *testing.T) {
	for text, want := range map[string]workflow.Format{" \n\t{}": workflow.FormatJSON, "\ufeff{": workflow.FormatJSON, "name: A": workflow.FormatYAML, "": workflow.FormatYAML, "[": workflow.FormatYAML} {
		if got := workflow.DetectFormat([]byte(text)); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}

func TestCasesThatAreValidSurviveYAML(t *testing.T) {
	inputs, err := filepath.Glob("testdata/cases/*valid*.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, input := range inputs {
		data, err := os.ReadFile(input)
		if err != nil {
			t.Fatal(err)
		}
		doc, problems := workflow.Parse(data, workflow.ParseOptions{})
		if doc == nil || problems.HasErrors() || strings.HasSuffix(input, ".expect.json") {
			continue
		}
		text, err := doc.Definition.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, problems := workflow.Parse(text, workflow.ParseOptions{Format: workflow.FormatYAML})
		if problems.HasErrors() || !reflect.DeepEqual(again.Definition, doc.Definition) {
			t.Errorf("%s: %v\n%s", input, problems, text)
		}
	}
}

func TestAnyConfigSurvivesYAMLAndJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key, err := json.Marshal(rapid.String().Draw(t, "key"))
		if err != nil {
			t.Fatal(err)
		}
		text := `{"name":"A","config":{` + string(key) + `:` + jsonValue().Draw(t, "value") + `},"steps":[{"id":"one","handler":"flow.log"}]}`
		doc, problems := workflow.Parse([]byte(text), workflow.ParseOptions{})
		if problems.HasErrors() {
			// NUL characters are refused, and nothing else of this shape.
			for _, problem := range problems {
				if problem.Code != "control_character" {
					t.Fatalf("%s: %v", text, problems)
				}
			}
			return
		}
		asYAML, err := doc.Definition.YAML()
		if err != nil {
			t.Fatal(err)
		}
		for _, again := range [][]byte{doc.Definition.JSON(), asYAML} {
			other, problems := workflow.Parse(again, workflow.ParseOptions{})
			if problems.HasErrors() || string(other.Definition.Config) != string(doc.Definition.Config) {
				t.Fatalf("%v\n%s\n%s", problems, again, doc.Definition.Config)
			}
		}
	})
}

func TestADefinitionMadeByAProgramBecomesADocument(t *testing.T) {
	doc, problems := workflow.NewDocument(&workflow.Definition{
		Name: "A", Steps: []workflow.Step{{ID: "one", Handler: "flow.log", Required: true, Config: json.RawMessage(`{"message": "x"}`)}},
	})
	if len(problems) > 0 || doc.Definition.Steps[0].RunOn != workflow.RunOnSuccess {
		t.Errorf("got %+v, %v", doc, problems)
	}
	if _, problems := workflow.NewDocument(&workflow.Definition{Name: "A", Config: json.RawMessage(`{`)}); !problems.HasErrors() {
		t.Error("broken JSON became a document")
	}
}
