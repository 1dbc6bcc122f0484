package workflow_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vwmp/vwmp/engine/workflow"
)

func testScope() *workflow.Scope {
	return &workflow.Scope{
		StepID:     "here",
		Config:     json.RawMessage(`{"branch": "main", "deep": {"list": [1, {"k": "v"}]}, "big": 12345678901234567890, "float": 1.50, "odd key": 1, "a/b": 2}`),
		Parameters: json.RawMessage(`{"yes": true, "none": null, "n": 3, "text": "a \"b\"", "list": [1, "x"], "map": {"b": 1, "a": 2.0}}`),
		Output: func(step string) (json.RawMessage, bool, string) {
			switch step {
			case "done":
				return json.RawMessage(`{"version":"1.2.3","items":[]}`), true, ""
			case "empty":
				return nil, true, ""
			}
			return nil, false, "was skipped"
		},
		Env: func(name string) (string, bool) { return "/home/x", name == "HOME" },
		Adapter: func(plugin string) json.RawMessage {
			if plugin == "git" {
				return json.RawMessage(`{"remote":"origin"}`)
			}
			return nil
		},
		Secret: func(name string) (string, error) {
			if name == "TOKEN" {
				return "\x00secret:TOKEN\x00", nil
			}
			return "", errors.New("there is no secret " + name)
		},
		WorkspaceName: "default", ExecutionID: "e-1", StartedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		WorkflowID: "w-1", WorkflowName: "Release", WorkflowVersion: "1.0.0",
		Item: json.RawMessage(`{"name":"f.txt","size":5}`), Index: 4,
		Trigger: json.RawMessage(`{"body":{"ref":"main"}}`),
	}
}

func TestReferencesBecomeTheirValues(t *testing.T) {
	tests := []struct{ template, want string }{
		{`"plain"`, `"plain"`},
		{`"${config.branch}"`, `"main"`},
		{`"on ${config.branch}!"`, `"on main!"`},
		{`"${parameters.yes}"`, `true`},
		{`"${parameters.none}"`, `null`},
		{`"[${parameters.none}]"`, `"[]"`},
		{`"${config.big}"`, `12345678901234567890`},
		{`"v${config.float}"`, `"v1.50"`},
		{`"${config.float}"`, `1.50`},
		{`"${parameters.text}"`, `"a \"b\""`},
		{`"<${parameters.text}>"`, `"<a \"b\">"`},
		{`"${parameters.map}"`, `{"b": 1, "a": 2.0}`},
		{`"m=${parameters.map}"`, `"m={\"b\":1,\"a\":2.0}"`},
		{`"${parameters.list[1]}"`, `"x"`},
		{`"${config.deep.list[1].k}"`, `"v"`},
		{`"${config[\"odd key\"]}"`, `1`},
		{`"${config[\"a/b\"]}"`, `2`},
		{`"${ config.branch }"`, `"main"`},
		{`"$${config.branch}"`, `"${config.branch}"`},
		{`"$${a} ${config.branch} $5 {x}"`, `"${a} main $5 {x}"`},
		{`"${step-outputs.done.version}"`, `"1.2.3"`},
		{`"${step-outputs.done}"`, `{"version":"1.2.3","items":[]}`},
		{`"${step-outputs.empty}"`, `null`},
		{`"${step-outputs.skipped.x | default \"}\"}"`, `"}"`},
		{`"${step-outputs.skipped.x|default {\"a\": [1]}}"`, `{"a": [1]}`},
		{`"${config.nothing | default 5}%"`, `"5%"`},
		{`"${env.HOME}"`, `"/home/x"`},
		{`"${adapter.git.remote}"`, `"origin"`},
		{`"Bearer ${secrets.TOKEN}"`, `"Bearer \u0000secret:TOKEN\u0000"`},
		{`"${workspace.name} ${execution.id} ${execution.started_at}"`, `"default e-1 2026-01-02T03:04:05Z"`},
		{`"${workflow.id} ${workflow.name} ${workflow.version}"`, `"w-1 Release 1.0.0"`},
		{`"${item}"`, `{"name":"f.txt","size":5}`},
		{`"${item.name}#${index}"`, `"f.txt#4"`},
		{`"${index}"`, `4`},
		{`"${trigger.body.ref}"`, `"main"`},
		{`{"a": ["${config.branch}", 1.0], "b": {"${x}": null}}`, `{"a":["main",1.0],"b":{"${x}":null}}`},
	}
	for _, test := range tests {
		template, problems := workflow.ParseTemplate(json.RawMessage(test.template), "")
		if len(problems) > 0 {
			t.Errorf("%s: %v", test.template, problems)
			continue
		}
		got, err := template.Resolve(testScope())
		if err != nil || string(got) != test.want {
			t.Errorf("%s: got %s, %v, want %s", test.template, got, err, test.want)
		}
		if !json.Valid(got) {
			t.Errorf("%s: %s is not valid JSON", test.template, got)
		}
	}
}

func TestReferencesToNothingSayWhatThereIs(t *testing.T) {
	tests := []struct{ reference, reason string }{
		{"${config.brnch}", `did you mean "branch"?`},
		{"${config.deep.liste}", `deep in the workflow's config has no key "liste"; did you mean "list"?`},
		{"${config.deep.list[7]}", "has 2 items, counted from 0"},
		{"${config.branch.x}", "branch in the workflow's config is a string, which has no x"},
		{"${parameters.list.x}", "is a list, which has no x"},
		{"${step-outputs.done.verison}", `did you mean "version"?`},
		{"${step-outputs.done.zzzzzz}", "there is version, items"},
		{"${step-outputs.skipped.x}", `step "skipped" was skipped; add a default`},
		{"${env.SECRET_ENV}", "not set"},
		{"${adapter.docker.host}", `the plugin "docker" has no configuration`},
		{"${adapter.git.remot}", `did you mean "remote"?`},
		{"${secrets.OTHER}", "there is no secret OTHER"},
	}
	for _, test := range tests {
		value, _ := json.Marshal(map[string]any{"list": []string{test.reference}})
		template, problems := workflow.ParseTemplate(value, "")
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		_, err := template.Resolve(testScope())
		var failure *workflow.ReferenceError
		if !errors.As(err, &failure) {
			t.Errorf("%s: got %v", test.reference, err)
			continue
		}
		if failure.StepID != "here" || failure.Pointer != "/list/0" || failure.Reference != test.reference || !strings.Contains(failure.Reason, test.reason) {
			t.Errorf("%s: got %+v, want reason %q", test.reference, failure, test.reason)
		}
		for _, part := range []string{"here", "/list/0", test.reference} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not name %s", err, part)
			}
		}
	}
}

func TestItemsHaveNoValueOutsideForEach(t *testing.T) {
	scope := testScope()
	scope.Item, scope.Trigger, scope.Output, scope.Secret = nil, nil, nil, nil
	for _, reference := range []string{"${item}", "${index}", "${item.name}", "${trigger.body}", "${step-outputs.a}", "${secrets.A}"} {
		template, _ := workflow.ParseTemplate(json.RawMessage(`"`+reference+`"`), "")
		if _, err := template.Resolve(scope); err == nil {
			t.Errorf("%s has a value", reference)
		}
	}
}

func TestTemplatesTellTheirReferencesAndSecrets(t *testing.T) {
	template, _ := workflow.ParseTemplate(json.RawMessage(`{"b":"${secrets.B} ${secrets.A}","a":["${secrets.B}","${config.x | default 1}"]}`), "")
	if got := strings.Join(template.Secrets(), ","); got != "A,B" {
		t.Errorf("secrets %s", got)
	}
	references := template.References()
	if len(references) != 4 || references[3].Pointer != "/a/1" || string(references[3].Default) != "1" || references[3].Root != workflow.RootConfig {
		t.Errorf("references %+v", references)
	}
	var none *workflow.Template
	if value, err := none.Resolve(testScope()); value != nil || err != nil || none.Secrets() != nil || none.References() != nil {
		t.Error("no template is not nothing")
	}
}

// jsonValue draws any JSON value, as text.
func jsonValue() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		data, err := json.Marshal(drawValue(t, 3))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	})
}

func drawValue(t *rapid.T, depth int) any {
	kinds := 6
	if depth == 0 {
		kinds = 4
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return json.Number(rapid.SampledFrom([]string{"0", "-1", "1.50", "1e5", "12345678901234567890", "0.1"}).Draw(t, "number"))
	case 3:
		return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"${config.x}", "$${", "${", "yes", "null", "1.0", "a: b", "- a", "# x", " x ", "a\nb", "a\n\n", "\tx", "'", `\`, "\u2028", "\u0085", "..", "---", "<<", "*a", "&a", "!a", "|", "%"})).Draw(t, "string")
	case 4:
		list := make([]any, rapid.IntRange(0, 4).Draw(t, "length"))
		for i := range list {
			list[i] = drawValue(t, depth-1)
		}
		return list
	}
	values := map[string]any{}
	for range rapid.IntRange(0, 4).Draw(t, "keys") {
		values[rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"yes", "1", "a b", "", "~", "a/b", "<<", "?"})).Draw(t, "key")] = drawValue(t, depth-1)
	}
	return values
}

func TestAnyValueSurvivesBeingReferredTo(t *testing.T) {
	template, _ := workflow.ParseTemplate(json.RawMessage(`{"whole":"${parameters.x}","text":"<${parameters.x}>"}`), "")
	rapid.Check(t, func(t *rapid.T) {
		value := jsonValue().Draw(t, "value")
		got, err := template.Resolve(&workflow.Scope{Parameters: json.RawMessage(`{"x":` + value + `}`)})
		if err != nil {
			t.Fatal(err)
		}
		var decoded struct {
			Whole json.RawMessage `json:"whole"`
			Text  string          `json:"text"`
		}
		if err := json.Unmarshal(got, &decoded); err != nil {
			t.Fatalf("%s: %v", got, err)
		}
		if string(decoded.Whole) != value {
			t.Fatalf("got %s, want %s", decoded.Whole, value)
		}
		var text string
		if json.Unmarshal([]byte(value), &text) == nil && value != "null" && decoded.Text != "<"+text+">" {
			t.Fatalf("text %q, want <%s>", decoded.Text, text)
		}
	})
}

func TestAnyTextWithoutReferencesStaysAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		escaped := strings.ReplaceAll(text, "${", "$${")
		value, _ := json.Marshal(escaped)
		template, problems := workflow.ParseTemplate(value, "")
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		got, err := template.Resolve(&workflow.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal(got, &back); err != nil || back != text {
			t.Fatalf("got %q, want %q", back, text)
		}
	})
}
