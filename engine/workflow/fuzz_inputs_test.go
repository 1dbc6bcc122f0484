package workflow_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// Whatever the strict reader accepts as JSON, any other reader accepts too,
// and what it writes is read back as the same.
func FuzzJSON(f *testing.F) {
	for _, text := range []string{
		full, `{"name":"x","steps":[{"id":"a","handler":"t.h","config":{"n":1e5,"t":"\ud83d\ude00"}}]}`,
		`{"name":"x","name":"y","steps":[]}`, `{"name":"\ud800"}`, `{"name":"x",}`, "\ufeff{}", `[[[[`, `{"steps":[{"id":1}]}`, `{"name":"x"} {}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		document, problems := workflow.Parse(data, workflow.ParseOptions{Format: workflow.FormatJSON})
		if document == nil {
			if !problems.HasErrors() {
				t.Fatal("neither a document nor a problem")
			}
			return
		}
		if problems.HasErrors() {
			return
		}
		if !json.Valid(data) {
			t.Fatalf("accepted %q, which is no JSON", data)
		}
		want := document.Definition.JSON()
		again, problems := workflow.Parse(want, workflow.ParseOptions{Format: workflow.FormatJSON})
		if hasCode(problems, "too_large") {
			return
		}
		if problems.HasErrors() || string(again.Definition.JSON()) != string(want) {
			t.Fatalf("%s\nis read back with %v", want, problems)
		}
	})
}

func FuzzCron(f *testing.F) {
	for _, text := range []string{
		"* * * * *", "*/5 0-6,22 1-7 * mon-fri", "0 0 31 2 *", "0 0 30 2 1", "60 * * * *", "0 0 * jan sun", "0 0 1 */13 *", "5-1 * * * *",
		"1-5/0 * * * *", "@daily", "* * * *", "0 0 29 2 *", "0,0,0 7 * * 7", "99999999999999999999 * * * *", "0 0 * * mon#1", "-1 * * * *",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cron, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		document := `{"name":"x","steps":[{"id":"a","handler":"flow.log","config":{"message":"m"}}],"triggers":[{"type":"schedule","cron":` + string(cron) + `}]}`
		_, graph, problems := workflow.Validate([]byte(document), workflow.ParseOptions{}, workflow.NewCatalogue(nil, nil))
		if graph == nil {
			for _, problem := range problems.Errors() {
				if !strings.HasPrefix(problem.Pointer, "/triggers/0/cron") || problem.Message == "" {
					t.Fatalf("%q leads to %+v", text, problem)
				}
			}
			return
		}
		if fields := strings.Fields(text); len(fields) != 5 {
			t.Fatalf("%q has %d fields and was accepted", text, len(fields))
		}
	})
}

// What is bound has every declared parameter and no other, whatever was sent.
func FuzzParameters(f *testing.F) {
	for _, text := range []string{
		`{}`, `null`, `{"s":"x","n":1,"b":true,"e":"one","m":["one"],"j":{"a":[1]},"f":"a/b"}`, `{"n":1.5}`, `{"n":1e400}`, `{"f":"../x"}`,
		`{"s":null,"q":1}`, `[]`, `{"m":"one"}`, `{"s":"\u0000"}`, `{"n":-0}`, `{"n":9007199254740993}`,
	} {
		f.Add([]byte(text))
	}
	document, problems := workflow.Parse([]byte(`{"name":"x","steps":[{"id":"a","handler":"flow.log","config":{"message":"m"}}],"parameters":[
		{"name":"s","type":"string","validation":{"max_length":5,"pattern":"^[a-z]*$"}},{"name":"n","type":"integer","validation":{"min":0}},
		{"name":"b","type":"boolean"},{"name":"e","type":"enum","options":["one","two"]},{"name":"m","type":"multi_enum","options":["one","two"]},
		{"name":"j","type":"json"},{"name":"f","type":"file"}]}`), workflow.ParseOptions{})
	if problems.HasErrors() {
		f.Fatal(problems)
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		bound, problems := workflow.BindParameters(document.Definition, sent)
		if (bound == nil) != (len(problems) > 0) {
			t.Fatalf("%q gives %s and %v", sent, bound, problems)
		}
		if bound == nil {
			return
		}
		var values map[string]any
		if err := json.Unmarshal(bound, &values); err != nil || len(values) != len(document.Definition.Parameters) {
			t.Fatalf("%q gives %s: %v", sent, bound, err)
		}
		if again, problems := workflow.BindParameters(document.Definition, bound); string(again) != string(bound) {
			t.Fatalf("%s is bound as %s the second time: %v", bound, again, problems)
		}
	})
}

// A config is judged by its handler's schema, whatever either of them is.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"type":"object","properties":{"n":{"type":"integer","default":3,"minimum":1}},"required":["n"]}`), []byte(`{"n":0}`))
	f.Add([]byte(`{"type":"object","additionalProperties":false,"properties":{"t":{"enum":["a"]}}}`), []byte(`{"T":"a"}`))
	f.Add([]byte(`{"oneOf":[{"type":"string"},{"type":"object","properties":{"a":{"default":{}}}}]}`), []byte(`{}`))
	f.Add([]byte(`{"type":"string","format":"vwmp-duration"}`), []byte(`"5x"`))
	f.Add([]byte(`{"$ref":"#"}`), []byte(`1`))
	f.Add([]byte(`true`), []byte(`{"a":1e999}`))
	f.Fuzz(func(t *testing.T, schema, config []byte) {
		handler := workflow.NewHandler(pluginsdk.HandlerInfo{Path: "t.h", ConfigSchema: schema}, "t", "1.0.0")
		filled, err := workflow.ApplyDefaults(handler, config)
		if err != nil {
			return
		}
		if !json.Valid(filled) {
			t.Fatalf("defaults make %q of %q", filled, config)
		}
		for _, problem := range workflow.CheckConfig(handler, filled, "/config", "a") {
			if problem.Message == "" || problem.Code == "" || !strings.HasPrefix(problem.Pointer, "/config") {
				t.Fatalf("%s against %s: %+v", filled, schema, problem)
			}
		}
	})
}
