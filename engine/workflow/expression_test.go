package workflow_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine/workflow"
)

func testExpressionEnv() *workflow.ExpressionEnv {
	return &workflow.ExpressionEnv{
		Config:     json.RawMessage(`{"branch": "main", "limits": {"max": 2.5}}`),
		Parameters: json.RawMessage(`{"publish": false, "n": 3, "none": null, "tags": ["a", "b"], "text": "Release", "token": "hunter2"}`),
		Steps: func(id string) (string, json.RawMessage) {
			if id == "step-1" {
				return "success", json.RawMessage(`{"version": "1.2.3", "count": 2}`)
			}
			return "skipped", nil
		},
		ExecutionID: "e-1", StartedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		WorkflowID: "w-1", WorkflowName: "Release", WorkflowVersion: "2.0.0",
	}
}

func TestConditionsAreJudged(t *testing.T) {
	tests := []struct {
		source string
		want   bool
	}{
		{`true`, true},
		{`parameters.publish`, false},
		{`not parameters.publish and parameters.n > 2`, true},
		{`parameters.n == 3.0`, true},
		{`parameters.n + 1 == 4`, true},
		{`config.limits.max * 2 == 5`, true},
		{`parameters.none == nil`, true},
		{`steps["step-1"].status == "success" and steps["step-1"].output.version == "1.2.3"`, true},
		{`steps.other.status == "skipped"`, true},
		{`steps.other.output == nil`, true},
		{`(steps.other.output?.x ?? "none") == "none"`, true},
		{`"a" in parameters.tags`, true},
		{`"c" not in parameters.tags`, true},
		{`config.branch in ["main", "master"]`, true},
		{`config.branch matches "^ma"`, true},
		{`parameters.text contains "lea"`, true},
		{`parameters.text startsWith "Rel"`, true},
		{`lower(parameters.text) + "!" == "release!"`, true},
		{`join(parameters.tags, "-") == "a-b"`, true},
		{`join(parameters.tags) == "ab"`, true},
		{`split("a,b", ",")[1] == "b"`, true},
		{`replace("aXb", "X", "-") == "a-b"`, true},
		{`repeat("ab", 2) == "abab"`, true},
		{`trim("  x ") == "x" and upper("x") == "X"`, true},
		{`string(parameters.n) == "3" and string(nil) == ""`, true},
		{`toJSON(parameters.tags) == "[\"a\",\"b\"]"`, true},
		{`fromJSON("{\"a\": 1}").a == 1`, true},
		{`len(uniq(["a", "b", "a"])) == 2`, true},
		{`any(parameters.tags, # == "b")`, true},
		{`all(parameters.tags, len(#) == 1)`, true},
		{`len(filter(parameters.tags, # + "x" == "ax")) == 1`, true},
		{`sum(map([1, 2, 3], # * 2)) == 12`, true},
		{`count(parameters.tags, # > "a") == 1`, true},
		{`reduce([1, 2, 3], #acc + #, 0) == 6`, true},
		{`parameters.n > 2 ? true : false`, true},
		{`let n = parameters.n; n == 3`, true},
		{`execution.id == "e-1" and workflow.name == "Release"`, true},
		{`execution.started_at startsWith "2026-01-02"`, true},
		{`"x" in config`, false},
		{`len(keys(parameters)) == 6`, true},
	}
	for _, test := range tests {
		expression, problems := workflow.CompileExpression(test.source, "")
		if len(problems) > 0 {
			t.Errorf("%s: %v", test.source, problems)
			continue
		}
		got, detail, err := expression.Eval(testExpressionEnv())
		if err != nil || got != test.want {
			t.Errorf("%s: got %t, %q, %v", test.source, got, detail, err)
		}
	}
}

func TestConditionsTellTheValuesTheySaw(t *testing.T) {
	tests := []struct{ source, detail string }{
		{`parameters.publish == true`, `parameters.publish == true (parameters.publish is false)`},
		{`steps["step-1"].output.count > parameters.n`, `steps["step-1"].output.count > parameters.n (steps["step-1"].output.count is 2, parameters.n is 3)`},
		{`1 < 2`, `1 < 2`},
		{"config.branch ==\n  'x'", `config.branch == 'x' (config.branch is "main")`},
	}
	for _, test := range tests {
		expression, problems := workflow.CompileExpression(test.source, "")
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if _, detail, err := expression.Eval(testExpressionEnv()); detail != test.detail || err != nil {
			t.Errorf("got %s, %v, want %s", detail, err, test.detail)
		}
	}
}

func TestConditionsNeverShowSecretParameters(t *testing.T) {
	graph := mustCompile(t, `{"name":"A","parameters":[{"name":"token","type":"secret"}],"steps":[{"id":"one","handler":"flow.log","config":{"message":"x"},"when":"parameters.token == 'a'"}]}`)
	_, detail, err := graph.Node(0).When.Eval(testExpressionEnv())
	if err != nil || strings.Contains(detail, "hunter2") || !strings.Contains(detail, "***") {
		t.Errorf("got %s, %v", detail, err)
	}
}

func TestConditionsThatCantBeJudgedSayWhy(t *testing.T) {
	tests := []struct{ source, reason string }{
		{`parameters.n`, "must be true or false, but is 3"},
		{`parameters.none.x == 1`, "cannot fetch x from <nil>"},
		{`parameters.text + 1 == ""`, "can't be added"},
		{`upper(parameters.n) == ""`, "text is due, but it is 3"},
		{`parameters.text > 3`, "invalid operation"},
		{`repeat("x", -1) == ""`, "from 0 up"},
		{`parameters.text matches ("(" + "")`, "not a regular expression"},
	}
	for _, test := range tests {
		expression, problems := workflow.CompileExpression(test.source, "")
		if len(problems) > 0 {
			t.Errorf("%s: %v", test.source, problems)
			continue
		}
		_, _, err := expression.Eval(testExpressionEnv())
		if err == nil || !strings.Contains(err.Error(), test.reason) {
			t.Errorf("%s: got %v, want %q", test.source, err, test.reason)
		}
	}
}

func TestConditionsCantReachBeyondTheirValues(t *testing.T) {
	for _, source := range []string{
		`now() > 1`, `date("2026-01-01") != nil`, `timezone("UTC") != nil`, `duration("1s") != nil`, `$env != nil`,
		`env.HOME == "x"`, `steps != nil`, `keys(steps) == []`, `steps[parameters.text].status == ""`,
		`__tick(true)`, `config.x() == 1`, `toBase64("x") == ""`, `len(fromBase64("eA==")) > 0`,
		`1`, `"text"`, `[true]`, `parameters.n +`, ``, `a b`, `steps["a"].result == 1`, `execution.user == ""`, `workflow.x == ""`,
	} {
		if _, problems := workflow.CompileExpression(source, "/when"); !problems.HasErrors() {
			t.Errorf("%q compiles", source)
		} else if problems[0].Pointer != "/when" || problems[0].Message == "" {
			t.Errorf("%q: %v", source, problems)
		}
	}
}

func TestConditionsNameTheirSteps(t *testing.T) {
	expression, _ := workflow.CompileExpression(`steps.b.status == "success" or steps["a"].output.x == 1 or steps.b.output == nil`, "")
	if got := strings.Join(expression.Steps(), ","); got != "a,b" {
		t.Errorf("got %s", got)
	}
}
