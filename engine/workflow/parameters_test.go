package workflow_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/vwmp/vwmp/engine/workflow"
)

func parametersOf(t testing.TB, declarations string) *workflow.Definition {
	t.Helper()
	doc, problems := workflow.Parse([]byte(`{"name":"A","parameters":`+declarations+`,"steps":[{"id":"one","handler":"flow.log"}]}`), workflow.ParseOptions{})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	return doc.Definition
}

func TestParametersAreBound(t *testing.T) {
	const declarations = `[
		{"name":"s","type":"string","required":true,"validation":{"min_length":2,"max_length":4,"pattern":"^[a-z]+$"}},
		{"name":"t","type":"textarea","default":"none"},
		{"name":"i","type":"integer","validation":{"min":1,"max":5}},
		{"name":"n","type":"number","validation":{"max":1.5}},
		{"name":"b","type":"boolean"},
		{"name":"e","type":"enum","options":["red",{"value":"green","label":"Green"},3]},
		{"name":"m","type":"multi_enum","options":["x","y"],"validation":{"max_length":1}},
		{"name":"f","type":"file"},
		{"name":"p","type":"secret","validation":{"min_length":3}},
		{"name":"j","type":"json"}]`
	def := parametersOf(t, declarations)
	tests := []struct{ given, want, code, pointer string }{
		{`{"s":"abc"}`, `{"s":"abc","t":"none","i":null,"n":null,"b":false,"e":null,"m":null,"f":null,"p":null,"j":null}`, "", ""},
		{`{"s":"abc","t":null,"i":2,"n":1.50,"b":true,"e":3,"m":["y"],"f":"docs/a.md","p":"abcd","j":{"z":1,"a":[1.0]}}`,
			`{"s":"abc","t":"none","i":2,"n":1.50,"b":true,"e":3,"m":["y"],"f":"docs/a.md","p":"abcd","j":{"z":1,"a":[1.0]}}`, "", ""},
		{``, ``, "missing_parameter", "/parameters/s"},
		{`{"s":null}`, ``, "missing_parameter", "/parameters/s"},
		{`[1]`, ``, "wrong_type", "/parameters"},
		{`{"s":"abc","sss":1}`, ``, "unknown_parameter", "/parameters/sss"},
		{`{"s":"abc","a/b":1}`, ``, "unknown_parameter", "/parameters/a~1b"},
		{`{"s":5}`, ``, "wrong_type", "/parameters/s"},
		{`{"s":"a"}`, ``, "too_short", "/parameters/s"},
		{`{"s":"abcde"}`, ``, "too_long", "/parameters/s"},
		{`{"s":"ABC"}`, ``, "bad_format", "/parameters/s"},
		{`{"s":"a\u0000b"}`, ``, "control_character", "/parameters/s"},
		{`{"s":"abc","i":1.5}`, ``, "wrong_type", "/parameters/i"},
		{`{"s":"abc","i":"2"}`, ``, "wrong_type", "/parameters/i"},
		{`{"s":"abc","i":0}`, ``, "out_of_range", "/parameters/i"},
		{`{"s":"abc","n":2}`, ``, "out_of_range", "/parameters/n"},
		{`{"s":"abc","b":"true"}`, ``, "wrong_type", "/parameters/b"},
		{`{"s":"abc","e":"rde"}`, ``, "bad_value", "/parameters/e"},
		{`{"s":"abc","e":"3"}`, ``, "bad_value", "/parameters/e"},
		{`{"s":"abc","m":"x"}`, ``, "wrong_type", "/parameters/m"},
		{`{"s":"abc","m":["z"]}`, ``, "bad_value", "/parameters/m/0"},
		{`{"s":"abc","m":["x","y"]}`, ``, "too_long", "/parameters/m"},
		{`{"s":"abc","f":"../x"}`, ``, "bad_path", "/parameters/f"},
		{`{"s":"abc","f":"/etc/passwd"}`, ``, "bad_path", "/parameters/f"},
		{`{"s":"abc","f":"C:\\x"}`, ``, "bad_path", "/parameters/f"},
		{`{"s":"abc","f":""}`, ``, "bad_path", "/parameters/f"},
		{`{"s":"abc","p":"ab"}`, ``, "too_short", "/parameters/p"},
	}
	for _, test := range tests {
		got, problems := workflow.BindParameters(def, json.RawMessage(test.given))
		if string(got) != test.want {
			t.Errorf("%s: got %s", test.given, got)
		}
		if test.code == "" {
			if len(problems) > 0 {
				t.Errorf("%s: %v", test.given, problems)
			}
			continue
		}
		found := false
		for _, problem := range problems {
			found = found || problem.Code == test.code && problem.Pointer == test.pointer
		}
		if !found {
			t.Errorf("%s: got %v, want %s at %s", test.given, problems, test.code, test.pointer)
		}
	}
}

func TestRequiredBooleansMustBeSentAndMustBeIsARule(t *testing.T) {
	tests := []struct {
		declaration, given, want, code string
	}{
		{`{"required":true,"default":false}`, `{}`, ``, "missing_parameter"},
		{`{"required":true,"default":false}`, `{"b":false}`, `{"b":false}`, ""},
		{`{"required":true,"default":false,"validation":{"must_be":true}}`, `{"b":false}`, ``, "must_be"},
		{`{"validation":{"must_be":true}}`, `{}`, ``, "must_be"},
		{`{"validation":{"must_be":true}}`, `{"b":true}`, `{"b":true}`, ""},
		{`{"default":true}`, `{}`, `{"b":true}`, ""},
	}
	for _, test := range tests {
		def := parametersOf(t, `[{"name":"b","type":"boolean",`+test.declaration[1:]+`]`)
		got, problems := workflow.BindParameters(def, json.RawMessage(test.given))
		if string(got) != test.want || test.code != "" && !hasCode(problems, test.code) {
			t.Errorf("%s with %s: got %s, %v", test.declaration, test.given, got, problems)
		}
	}
}

func TestProblemsNeverRepeatASecretParameter(t *testing.T) {
	def := parametersOf(t, `[{"name":"p","type":"secret","validation":{"pattern":"^x"}}]`)
	_, problems := workflow.BindParameters(def, json.RawMessage(`{"p":"hunter2"}`))
	if len(problems) != 1 || contains(problems[0].Message, "hunter2") {
		t.Errorf("got %v", problems)
	}
}

func TestBindingTwiceChangesNothing(t *testing.T) {
	def := parametersOf(t, `[{"name":"j","type":"json"},{"name":"b","type":"boolean"},{"name":"s","default":"x"}]`)
	rapid.Check(t, func(t *rapid.T) {
		given := json.RawMessage(`{"j":` + jsonValue().Draw(t, "value") + `}`)
		once, problems := workflow.BindParameters(def, given)
		if problems.HasErrors() {
			t.Fatal(problems)
		}
		twice, problems := workflow.BindParameters(def, once)
		if problems.HasErrors() || string(twice) != string(once) {
			t.Fatalf("%s became %s, %v", once, twice, problems)
		}
	})
}
