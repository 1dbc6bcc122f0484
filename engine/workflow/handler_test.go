package workflow_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

func TestBuiltinsDescribeThemselvesWhole(t *testing.T) {
	want := map[string]bool{"flow.approval": true, "flow.wait": true, "flow.signal": true, "flow.workflow": true, "flow.log": true, "flow.fail": true}
	for _, handler := range workflow.Builtins() {
		info := handler.Info
		if !want[info.Path] {
			t.Errorf("unexpected handler %s", info.Path)
		}
		delete(want, info.Path)
		if info.Name == "" || info.Description == "" || info.Icon == "" || info.Category == "" || !handler.Builtin() {
			t.Errorf("%s says too little: %+v", info.Path, info)
		}
		if _, err := handler.Schema(); err != nil {
			t.Error(err)
		}
		config, err := workflow.ApplyDefaults(handler, info.Example)
		if err != nil {
			t.Error(err)
		}
		if problems := workflow.CheckConfig(handler, config, "", ""); len(problems) > 0 {
			t.Errorf("%s refuses its own example: %v", info.Path, problems)
		}
	}
	if len(want) > 0 {
		t.Errorf("missing %v", want)
	}
}

func TestBuiltinsRefuseWhatTheyCantUse(t *testing.T) {
	cat := workflow.NewCatalogue(nil, nil)
	tests := []struct{ path, config, code string }{
		{"flow.wait", `{}`, "too_short"},
		{"flow.wait", `{"duration":"1h","until":"2026-01-01T00:00:00Z"}`, "too_long"},
		{"flow.wait", `{"until":"tomorrow"}`, "bad_format"},
		{"flow.wait", `{"duration":-1}`, "bad_duration"},
		{"flow.approval", `{"message":""}`, "too_short"},
		{"flow.approval", `{"message":"x","on_timeout":"ask"}`, "bad_value"},
		{"flow.approval", `{"message":"x","approvers":"me"}`, "wrong_type"},
		{"flow.signal", `{"name":"a b"}`, "bad_format"},
		{"flow.workflow", `{"parameters":{}}`, "missing_key"},
		{"flow.log", `{"message":"x","lvel":"info"}`, "unknown_key"},
		{"flow.fail", `{}`, "missing_key"},
	}
	for _, test := range tests {
		handler, ok := cat.Handler(test.path)
		if !ok {
			t.Fatal(test.path)
		}
		problems := workflow.CheckConfig(handler, json.RawMessage(test.config), "/config", "s")
		if !hasCode(problems, test.code) {
			t.Errorf("%s %s: %v, want %s", test.path, test.config, problems, test.code)
		}
		for _, problem := range problems {
			if problem.StepID != "s" || problem.Pointer[:7] != "/config" {
				t.Errorf("%+v", problem)
			}
		}
	}
}

func handlerWith(schema string) *workflow.Handler {
	return workflow.NewHandler(pluginsdk.HandlerInfo{Path: "x.y", ConfigSchema: json.RawMessage(schema)}, "x", "1.0.0")
}

func TestViolationsAreSentencesWithPointers(t *testing.T) {
	handler := handlerWith(`{"type":"object","additionalProperties":false,"required":["name"],"properties":{
		"name":{"type":"string","minLength":2,"maxLength":3},
		"port":{"type":"integer","minimum":1,"maximum":10,"multipleOf":2},
		"list":{"type":"array","items":{"type":"object","required":["k"],"properties":{"k":{"enum":["a","b",1]}},"additionalProperties":false},"minItems":1,"maxItems":2,"uniqueItems":true},
		"either":{"oneOf":[{"type":"string"},{"type":"number"}]},
		"fixed":{"const":"yes"}, "wait":{"type":["number","string"],"format":"vwmp-duration"}}}`)
	tests := []struct{ config, pointer, code, part string }{
		{`{}`, "/c", "missing_key", `needs the key "name"`},
		{`{"name":"ab","prot":1}`, "/c/prot", "unknown_key", `did you mean "port"?`},
		{`{"name":"ab","zzz":1}`, "/c/zzz", "unknown_key", "Its keys are either, fixed, list, name, port, wait."},
		{`{"name":1}`, "/c/name", "wrong_type", "name must be text; found a number."},
		{`{"name":"a"}`, "/c/name", "too_short", "at least 2 characters"},
		{`{"name":"abcd"}`, "/c/name", "too_long", "at most 3 characters"},
		{`{"name":"ab","port":0}`, "/c/port", "out_of_range", "at least 1; found 0"},
		{`{"name":"ab","port":12}`, "/c/port", "out_of_range", "at most 10; found 12"},
		{`{"name":"ab","port":3}`, "/c/port", "out_of_range", "a multiple of 2"},
		{`{"name":"ab","port":2.5}`, "/c/port", "wrong_type", "a whole number"},
		{`{"name":"ab","list":[]}`, "/c/list", "too_short", "at least 1 item"},
		{`{"name":"ab","list":[{"k":"a"},{"k":"a"}]}`, "/c/list", "duplicate_value", "numbers 1 and 2"},
		{`{"name":"ab","list":[{"k":"c"}]}`, "/c/list/0/k", "bad_value", "must be one of a, b, 1"},
		{`{"name":"ab","list":[{"l":1}]}`, "/c/list/0/l", "unknown_key", `did you mean "k"?`},
		{`{"name":"ab","either":true}`, "/c/either", "schema", "none of the allowed forms"},
		{`{"name":"ab","fixed":"no"}`, "/c/fixed", "bad_value", `must be "yes"`},
		{`{"name":"ab","wait":"1 day"}`, "/c/wait", "bad_duration", "90s"},
		{`{"name":"ab","port":1e999999999}`, "/c", "wrong_type", "too large"},
		{`{"name":`, "/c", "wrong_type", "not usable JSON"},
		{`"text"`, "/c", "wrong_type", "must be a map; found text"},
	}
	for _, test := range tests {
		found := false
		problems := workflow.CheckConfig(handler, json.RawMessage(test.config), "/c", "")
		for _, problem := range problems {
			found = found || problem.Pointer == test.pointer && problem.Code == test.code && contains(problem.Message, test.part)
		}
		if !found {
			t.Errorf("%s: got %+v, want %s at %s with %q", test.config, problems, test.code, test.pointer, test.part)
		}
	}
	for _, config := range []string{`{"name":"ab"}`, `{"name":"ab","port":4,"list":[{"k":1}],"either":1.5,"fixed":"yes","wait":"5m"}`} {
		if problems := workflow.CheckConfig(handler, json.RawMessage(config), "", ""); len(problems) > 0 {
			t.Errorf("%s: %v", config, problems)
		}
	}
}

func TestOpenReferencesAreNotJudgedAtSave(t *testing.T) {
	schema := `{"type":"object","additionalProperties":false,"required":["mode"],"properties":{
		"mode":{"enum":["a","b"]},"count":{"type":"integer"},"list":{"type":"array","uniqueItems":true,"items":{"type":"integer"}},
		"either":{"anyOf":[{"type":"object","required":["x"],"properties":{"x":{"type":"integer"}}},{"type":"integer"}]}},
		"if":{"properties":{"mode":{"const":"a"}}},"then":{"required":["count"]}}`
	cat := workflow.NewCatalogue([]*workflow.Handler{handlerWith(schema)}, nil)
	tests := []struct{ config, code string }{
		{`{"mode":"${parameters.p}","count":"${parameters.p}"}`, ""},
		{`{"mode":"${parameters.p}"}`, ""},
		{`{"mode":"a"}`, "missing_key"},
		{`{"mode":"c","count":"${parameters.p}"}`, "bad_value"},
		{`{"mode":"b","list":["${parameters.p}","${parameters.p}"]}`, ""},
		{`{"mode":"b","list":[1,1]}`, "duplicate_value"},
		{`{"mode":"b","list":["${parameters.p}","x"]}`, "wrong_type"},
		{`{"mode":"b","either":{"x":"${parameters.p}"}}`, ""},
		{`{"mode":"b","either":{"x":"text"}}`, "schema"},
		{`{"mode":"b","cuont":"${parameters.p}"}`, "unknown_key"},
		{`{"count":"${parameters.p}"}`, "missing_key"},
	}
	for _, test := range tests {
		text := `{"name":"A","parameters":[{"name":"p"}],"steps":[{"id":"one","handler":"x.y","config":` + test.config + `}]}`
		_, graph, problems := workflow.Validate([]byte(text), workflow.ParseOptions{}, cat)
		if test.code == "" && graph == nil || test.code != "" && !hasCode(problems, test.code) {
			t.Errorf("%s: %v, want %q", test.config, problems, test.code)
		}
	}
}

func TestReferencesInProgramTextAreRefused(t *testing.T) {
	cat := workflow.NewCatalogue([]*workflow.Handler{handlerWith(`{"type":"object","properties":{"script":{"type":"string","x-vwmp-script":true},"env":{"type":"object"},"unsafe_interpolation":{"type":"boolean"}}}`)}, nil)
	for config, refused := range map[string]bool{
		`{"script":"echo ${parameters.p}"}`:                                true,
		`{"script":"echo $${HOME} $P","env":{"P":"${parameters.p}"}}`:      false,
		`{"script":"echo ${parameters.p}","unsafe_interpolation":true}`:    false,
		`{"script":"echo ${parameters.p}","unsafe_interpolation":false}`:   true,
		`{"script":"echo ${parameters.p}","unsafe_interpolation":"true "}`: true,
	} {
		text := `{"name":"A","parameters":[{"name":"p"}],"steps":[{"id":"one","handler":"x.y","config":` + config + `}]}`
		_, _, problems := workflow.Validate([]byte(text), workflow.ParseOptions{}, cat)
		if hasCode(problems, "reference_in_script") != refused {
			t.Errorf("%s: %v", config, problems)
		}
		if warned := hasCode(problems, workflow.CodeUnsafeInterpolation); warned != strings.Contains(config, `"unsafe_interpolation":true`) {
			t.Errorf("%s: warned %v", config, warned)
		}
	}
}

func TestDefaultsComeInTheirOrder(t *testing.T) {
	handler := handlerWith(`{"type":"object","properties":{"a":{"default":"schema"},"b":{"default":"schema"},"c":{"default":"schema"},"d":{"default":"schema"},
		"n":{"type":"object","properties":{"x":{"default":1},"y":{"default":2}}},"none":{}}}`)
	got, err := workflow.ApplyDefaults(handler, json.RawMessage(`{"a":"config","n":{"y":5.0}}`),
		json.RawMessage(`{"a":"host","b":"host","unknown":1}`), nil, json.RawMessage(`{"b":"adapter","c":"adapter","other":2}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"a":"config","n":{"y":5.0,"x":1},"b":"host","c":"adapter","d":"schema"}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, err := workflow.ApplyDefaults(handlerWith(``), nil); string(got) != "{}" || err != nil {
		t.Errorf("no schema: %s, %v", got, err)
	}
	for _, broken := range []string{`[1]`, `{`, `"x"`} {
		if _, err := workflow.ApplyDefaults(handler, json.RawMessage(broken)); err == nil {
			t.Errorf("config %s was taken", broken)
		}
		if _, err := workflow.ApplyDefaults(handler, nil, json.RawMessage(broken)); err == nil {
			t.Errorf("layer %s was taken", broken)
		}
	}
}

func TestBrokenSchemasBlameThePlugin(t *testing.T) {
	for _, schema := range []string{`{`, `{"type":"objekt"}`, `{"$ref":"https://example.com/x.json"}`, `{"$ref":"file:///etc/passwd"}`, `{"pattern":"("}`} {
		handler := handlerWith(schema)
		problems := workflow.CheckConfig(handler, json.RawMessage(`{}`), "", "")
		if !hasCode(problems, "bad_schema") {
			t.Errorf("%s: %v", schema, problems)
		}
		if _, err := workflow.ApplyDefaults(handler, nil); err == nil {
			t.Errorf("%s: defaults were applied", schema)
		}
		_, graph, problems := workflow.Validate([]byte(`{"name":"A","steps":[{"id":"one","handler":"x.y"}]}`), workflow.ParseOptions{}, workflow.NewCatalogue([]*workflow.Handler{handler}, nil))
		if graph != nil || !hasCode(problems, "bad_schema") {
			t.Errorf("%s: %v", schema, problems)
		}
	}
}

func TestFormsAreCheckedLikeConfigs(t *testing.T) {
	schema := json.RawMessage(`{"type":"object","required":["ok"]}`)
	if problems, err := workflow.CheckSchema(schema, json.RawMessage(`{}`), "/form"); err != nil || !hasCode(problems, "missing_key") {
		t.Errorf("got %v, %v", problems, err)
	}
	if _, err := workflow.CheckSchema(json.RawMessage(`{"type":1}`), nil, ""); err == nil {
		t.Error("a broken form was taken")
	}
	_, _, problems := workflow.Validate([]byte(`{"name":"A","steps":[{"id":"one","handler":"flow.approval","config":{"message":"x","form":{"type":"nothing"}}}]}`), workflow.ParseOptions{}, workflow.NewCatalogue(nil, nil))
	if !hasCode(problems, "bad_schema") {
		t.Errorf("got %v", problems)
	}
}

func TestCataloguesAlwaysHaveTheBuiltins(t *testing.T) {
	cat := workflow.NewCatalogue([]*workflow.Handler{handlerWith(`{}`)}, []pluginsdk.WorkflowType{{Name: "b"}, {Name: "a"}})
	if got := cat.HandlerPaths(); len(got) != 7 || got[0] != "flow.approval" || got[6] != "x.y" {
		t.Errorf("paths %v", got)
	}
	if got := cat.WorkflowTypes(); len(got) != 2 || got[0] != "a" {
		t.Errorf("types %v", got)
	}
	if found, ok := cat.WorkflowType("b"); !ok || found.Name != "b" {
		t.Error("a type is missing")
	}
	if _, ok := cat.WorkflowType("c"); ok {
		t.Error("there is a type that nobody declared")
	}
}
