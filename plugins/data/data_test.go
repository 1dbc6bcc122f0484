package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/plugintest"
)

func TestMain(m *testing.M) { handlertest.Main(m, dataPlugin()) }

func TestThePluginIsWhatTheContractSays(t *testing.T) {
	pure := handlertest.Abilities{Effect: pluginsdk.EffectPure}
	handlertest.CheckDescription(t, map[string]handlertest.Abilities{"data.transform": pure, "data.validate": pure, "data.convert": pure})
}

func call(handler, dir string, config map[string]any) *handlertest.Call {
	return &handlertest.Call{Handler: "data." + handler, Dir: dir, Config: config}
}

func TestExpressionsGiveTheirResults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	handlertest.Write(t, dir, "p.yaml", "people: [{name: Ada, age: 36}, {name: Bo, age: 7}]\n")
	for name, test := range map[string]struct {
		config map[string]any
		want   string
	}{
		"a value":    {map[string]any{"expression": ".a + 1", "input": map[string]any{"a": 1}}, `{"result":2,"count":1}`},
		"all":        {map[string]any{"expression": ".[]", "input": []int{1, 2}, "results": "all"}, `{"result":[1,2],"count":2}`},
		"the first":  {map[string]any{"expression": "range(1e9)", "input": nil}, `{"result":0,"count":1}`},
		"none":       {map[string]any{"expression": "empty", "input": 1}, `{"result":null,"count":0}`},
		"variables":  {map[string]any{"expression": ".people | map(select(.age > $min).name)", "input_file": "p.yaml", "variables": map[string]any{"min": 10}}, `{"result":["Ada"],"count":1}`},
		"the run":    {map[string]any{"expression": "[.parameters.x, .outputs.before.y]"}, `{"result":[1,2],"count":1}`},
		"big":        {map[string]any{"expression": ".", "input": json.Number("12345678901234567890123")}, `{"result":12345678901234567890123,"count":1}`},
		"no secrets": {map[string]any{"expression": "[env, $ENV]", "input": 1}, `{"result":[{},{}],"count":1}`},
	} {
		use := call("transform", dir, test.config)
		use.Parameters, use.Outputs = map[string]any{"x": 1}, []map[string]any{{"y": 2}}
		if outcome := use.Succeed(t, nil); string(outcome.Output) != test.want {
			t.Errorf("%s: got %s, want %s", name, outcome.Output, test.want)
		}
	}
}

func TestExpressionsAreBounded(t *testing.T) {
	for _, test := range []struct {
		name, expression string
		class            pluginsdk.FailureClass
	}{
		{"broken", ".a |", pluginsdk.FailureInvalidInput},
		{"unknown", "nothing_like_it", pluginsdk.FailureInvalidInput},
		{"a module", `import "x" as x; .`, pluginsdk.FailureInvalidInput},
		{"an error", `error("why")`, pluginsdk.FailurePermanent},
		{"a long text", `"0123456789" * 1e12`, pluginsdk.FailurePermanent},
		{"too many", "range(1e9)", pluginsdk.FailurePermanent},
		// Those that fill the memory come last: clearing it away takes its time.
		{"without end", "def f: f; f", pluginsdk.FailureTimeout},
		{"too much memory", "[range(1e9) | tostring]", ""},
		{"doubling", `reduce range(60) as $i ("0123456789"; . + .)`, ""},
	} {
		config := map[string]any{"expression": test.expression, "input": 1, "results": "all", "timeout": "3s"}
		outcome := call("transform", "", config).Execute(t)
		if test.class == "" && outcome.Failure != nil && outcome.Failure.Class == pluginsdk.FailureTimeout {
			// On a slow machine the time is up before the memory is full.
			continue
		}
		if test.class == "" {
			test.class = pluginsdk.FailurePermanent
		}
		if outcome.Kind != pluginsdk.OutcomeFailure || outcome.Failure.Class != test.class {
			t.Errorf("%s: %s %+v", test.name, outcome.Kind, outcome.Failure)
		}
	}
	problems, err := plugintest.ValidateConfig(t, transformHandler(), map[string]any{"expression": ".a |"})
	if err != nil || len(problems) != 1 || problems[0].Pointer != "/expression" {
		t.Errorf("problems %+v %v", problems, err)
	}
}

// What an earlier expression left in the memory is not another one's fault.
func TestAnExpressionPaysForItsOwnMemoryOnly(t *testing.T) {
	left := make([]byte, maxMemory+1)
	if runtime.KeepAlive(left); usedMemory() <= maxMemory {
		t.Fatal("the memory isn't counted")
	}
	config := map[string]any{"expression": "def f: f; f", "input": 1, "timeout": "300ms"}
	call("transform", "", config).Fail(t, pluginsdk.FailureTimeout, "took too long")
}

func TestValuesAreCheckedAgainstASchema(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	handlertest.Write(t, dir, "s.json", `{"type":"object","required":["name"],"properties":{"name":{"type":"string","minLength":2},"at":{"format":"date"}},"additionalProperties":false}`)
	handlertest.Write(t, dir, "d.toml", "name = \"Ada\"\n")
	var output validateOutput
	call("validate", dir, map[string]any{"data_file": "d.toml", "schema_file": "s.json"}).Succeed(t, &output)
	if !output.Valid || len(output.Problems) != 0 {
		t.Errorf("got %+v", output)
	}
	bad := map[string]any{"data": map[string]any{"name": "A", "at": "never", "more": 1}, "schema_file": "s.json"}
	if failure := call("validate", dir, bad).Fail(t, pluginsdk.FailurePermanent, "/name: "); failure.Code != "DATA_INVALID" {
		t.Errorf("got %+v", failure)
	}
	bad["fail"] = false
	call("validate", dir, bad).Succeed(t, &output)
	if output.Valid || len(output.Problems) != 3 {
		t.Errorf("got %+v", output)
	}
	for schema, want := range map[string]string{
		`{"$ref":"file:///etc/passwd"}`: "not read", `{"$ref":"http://127.0.0.1/x"}`: "not read", `{"type":5}`: "can't be used", `{"pattern":"("}`: "can't be used",
	} {
		call("validate", dir, map[string]any{"data": 1, "schema": json.RawMessage(schema)}).Fail(t, pluginsdk.FailureInvalidInput, want)
	}
}

func TestFormatsAreConverted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	handlertest.Write(t, dir, "p.csv", "\uFEFFname;age\n\"A;da\";36\n")
	for name, test := range map[string]struct {
		config map[string]any
		want   string
	}{
		"YAML to JSON":      {map[string]any{"content": "b: 1\na: [x, null, 1.5]\n", "from": "yaml"}, "{\n  \"b\": 1,\n  \"a\": [\n    \"x\",\n    null,\n    1.5\n  ]\n}\n"},
		"JSON to YAML":      {map[string]any{"content": `{"b":1,"a":["x"],"c":{"d":"yes"}}`, "to": "yaml"}, "b: 1\na:\n- x\nc:\n  d: \"yes\"\n"},
		"CSV to JSON":       {map[string]any{"file": "p.csv", "csv_delimiter": ";"}, "[\n  {\n    \"age\": \"36\",\n    \"name\": \"A;da\"\n  }\n]\n"},
		"JSON to CSV":       {map[string]any{"value": []any{map[string]any{"b": 1, "a": "x,y"}, map[string]any{"c": []int{1}}}, "to": "csv"}, "a,b,c\n\"x,y\",1,\n,,[1]\n"},
		"chosen columns":    {map[string]any{"value": []any{map[string]any{"b": 1, "a": "x"}}, "to": "csv", "csv_columns": []string{"b"}, "csv_header": false}, "1\n"},
		"tabs":              {map[string]any{"content": "a\tb\n", "from": "csv", "to": "csv", "csv_header": false, "csv_delimiter": `\t`}, "a\tb\n"},
		"TOML to JSON":      {map[string]any{"content": "[a]\nb = 1\n", "from": "toml"}, "{\n  \"a\": {\n    \"b\": 1\n  }\n}\n"},
		"JSON to TOML":      {map[string]any{"value": map[string]any{"a": map[string]any{"b": 1}, "n": 12345678901234567}, "to": "toml"}, "n = 12345678901234567\n\n[a]\n  b = 1\n"},
		"aliases of a YAML": {map[string]any{"content": "a: &x [1]\nb: *x\n", "from": "yaml"}, "{\n  \"a\": [\n    1\n  ],\n  \"b\": [\n    1\n  ]\n}\n"},
	} {
		var output convertOutput
		call("convert", dir, test.config).Succeed(t, &output)
		if output.Content != test.want {
			t.Errorf("%s: got %q, want %q", name, output.Content, test.want)
		}
	}
	bomb := "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 9), ","))
	}
	for name, test := range map[string]struct {
		config map[string]any
		class  pluginsdk.FailureClass
		want   string
	}{
		"an alias bomb":    {map[string]any{"content": bomb, "from": "yaml"}, pluginsdk.FailureInvalidInput, "aliases stand for"},
		"large YAML":       {map[string]any{"content": strings.Repeat("- x\n", 200_000), "from": "yaml"}, pluginsdk.FailureInvalidInput, "allowed for YAML"},
		"two documents":    {map[string]any{"content": "a: 1\n---\nb: 1\n", "from": "yaml"}, pluginsdk.FailureInvalidInput, "2 documents"},
		"not JSON":         {map[string]any{"content": "{"}, pluginsdk.FailureInvalidInput, "not JSON"},
		"more than JSON":   {map[string]any{"content": "1 2"}, pluginsdk.FailureInvalidInput, "more after"},
		"not TOML":         {map[string]any{"content": "a = ", "from": "toml"}, pluginsdk.FailureInvalidInput, "not TOML"},
		"uneven CSV":       {map[string]any{"content": "a,b\n1\n", "from": "csv"}, pluginsdk.FailureInvalidInput, "not CSV"},
		"equal columns":    {map[string]any{"content": "a,a\n1,2\n", "from": "csv"}, pluginsdk.FailureInvalidInput, "two columns"},
		"null in TOML":     {map[string]any{"value": map[string]any{"a": []any{nil}}, "to": "toml"}, pluginsdk.FailurePermanent, "/a/0"},
		"a list as TOML":   {map[string]any{"value": []int{1}, "to": "toml"}, pluginsdk.FailurePermanent, "holds an object"},
		"an object as CSV": {map[string]any{"value": map[string]any{"a": 1}, "to": "csv"}, pluginsdk.FailurePermanent, "holds a list"},
		"two sources":      {map[string]any{"value": 1, "content": "1"}, pluginsdk.FailureInvalidInput, "one of"},
		"outside":          {map[string]any{"file": "../x.json"}, pluginsdk.FailureInvalidInput, "leaves the workspace"},
	} {
		t.Run(name, func(t *testing.T) { call("convert", dir, test.config).Fail(t, test.class, test.want) })
	}
}
