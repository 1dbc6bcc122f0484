package workflow_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine/workflow"
)

func FuzzParse(f *testing.F) {
	inputs, err := filepath.Glob("testdata/cases/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, input := range inputs {
		if data, err := os.ReadFile(input); err == nil && !strings.HasSuffix(input, ".expect.json") {
			f.Add(data)
		}
	}
	f.Add([]byte(full))
	cat := workflow.NewCatalogue(nil, nil)
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, graph, problems := workflow.Validate(data, workflow.ParseOptions{}, cat)
		if (graph == nil) != problems.HasErrors() {
			t.Fatalf("graph %v, problems %v", graph, problems)
		}
		if doc == nil && !problems.HasErrors() {
			t.Fatal("neither a document nor a problem")
		}
		if graph == nil {
			return
		}
		asYAML, err := doc.Definition.YAML()
		if err != nil {
			t.Fatal(err)
		}
		want := string(doc.Definition.JSON())
		for _, text := range [][]byte{[]byte(want), asYAML} {
			again, problems := workflow.Parse(text, workflow.ParseOptions{})
			if hasCode(problems, "too_large") || hasCode(problems, "too_many_values") {
				continue
			}
			if problems.HasErrors() || string(again.Definition.JSON()) != want {
				t.Fatalf("%v\n%s\n%s", problems, text, want)
			}
		}
	})
}

func FuzzReferences(f *testing.F) {
	for _, text := range []string{"${config.a}", "$${x} ${parameters.b | default \"}\"}", "${item[0][\"k\"].x}", "${", "${config.", "$$${config.a}", "${config.a | default {\"x\": [1]}} z"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		value, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		template, problems := workflow.ParseTemplate(value, "")
		if problems.HasErrors() {
			return
		}
		scope := testScope()
		scope.Config = json.RawMessage(`{"a":{"b":[1,"${config.a}"]}}`)
		if got, err := template.Resolve(scope); err == nil && !json.Valid(got) {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func FuzzExpression(f *testing.F) {
	for _, text := range []string{
		`parameters.n > 2 and steps["step-1"].status == "success"`, `any(parameters.tags, # + "x" == "ax")`, `let x = 1..3; all(x, # > 0)`,
		`reduce([1, 2], #acc + #, 0) == 3`, `{"a": 1}.a == 1`, `config.branch matches "(a+)+$"`, `steps.a?.output?.x ?? true`, `not (1 in [1])`,
		`sortBy(parameters.tags, #)[0] == "a"`, `groupBy([1], #)[1] != nil`, `parameters.tags[-1] == "b"`, `if true { false } else { true }`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, source string) {
		expression, problems := workflow.CompileExpression(source, "")
		if problems.HasErrors() {
			return
		}
		_, detail, err := expression.Eval(testExpressionEnv())
		if detail == "" && err == nil && source != "" && len(strings.Fields(source)) > 0 {
			t.Fatalf("%q has no detail", source)
		}
	})
}
