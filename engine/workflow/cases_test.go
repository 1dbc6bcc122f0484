package workflow_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata/cases; the run fails all the same")

// expectation is the sibling NAME.expect.json of a case. The front end's
// tests read the same files.
type expectation struct {
	// Problems are all that Validate returns, in order.
	Problems []expectedProblem `json:"problems"`
	// Levels is the execution order; null when there is no graph.
	Levels [][]string `json:"levels"`
}

type expectedProblem struct {
	Pointer  string             `json:"pointer"`
	Code     string             `json:"code"`
	Severity pluginsdk.Severity `json:"severity"`
	StepID   string             `json:"step_id,omitempty"`
	Line     int                `json:"line"`
	Column   int                `json:"column"`
	Message  string             `json:"message"`
}

// testCatalogue reads testdata/catalogue.json.
func testCatalogue(t testing.TB) workflow.Catalogue {
	t.Helper()
	data, err := os.ReadFile("testdata/catalogue.json")
	if err != nil {
		t.Fatal(err)
	}
	var catalogue struct {
		Handlers      []pluginsdk.HandlerInfo  `json:"handlers"`
		WorkflowTypes []pluginsdk.WorkflowType `json:"workflow_types"`
	}
	if err := json.Unmarshal(data, &catalogue); err != nil {
		t.Fatal(err)
	}
	var handlers []*workflow.Handler
	for _, info := range catalogue.Handlers {
		plugin, _, _ := strings.Cut(info.Path, ".")
		handlers = append(handlers, workflow.NewHandler(info, plugin, "1.0.0"))
	}
	return workflow.NewCatalogue(handlers, catalogue.WorkflowTypes)
}

func TestCasesGiveTheirProblemsAndOrder(t *testing.T) {
	inputs, err := filepath.Glob("testdata/cases/*.*")
	if err != nil {
		t.Fatal(err)
	}
	inputs = slices.DeleteFunc(inputs, func(name string) bool { return strings.HasSuffix(name, ".expect.json") })
	if len(inputs) < 40 {
		t.Fatalf("found %d cases, want at least 40", len(inputs))
	}
	cat := testCatalogue(t)
	for _, input := range inputs {
		t.Run(filepath.Base(input), func(t *testing.T) {
			data, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			_, graph, problems := workflow.Validate(data, workflow.ParseOptions{}, cat)
			got := expectation{Problems: []expectedProblem{}}
			for _, p := range problems {
				got.Problems = append(got.Problems, expectedProblem{p.Pointer, p.Code, p.Severity, p.StepID, p.Line, p.Column, p.Message})
			}
			if graph != nil {
				got.Levels = graph.Levels()
			}
			compareExpectation(t, strings.TrimSuffix(input, filepath.Ext(input))+".expect.json", got)
		})
	}
}

func compareExpectation(t *testing.T, path string, got expectation) {
	t.Helper()
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(got); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(path)
	if err == nil && string(want) == text.String() {
		return
	}
	t.Errorf("%s: got\n%s\nwant\n%s", path, text.String(), want)
	if *update {
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEveryBlockingProblemHasAPlaceAndARemedy(t *testing.T) {
	inputs, err := filepath.Glob("testdata/cases/yaml-*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(inputs) < 20 {
		t.Fatalf("found %d cases of bad YAML, want at least 20", len(inputs))
	}
	for _, input := range inputs {
		data, err := os.ReadFile(input)
		if err != nil {
			t.Fatal(err)
		}
		_, problems := workflow.Parse(data, workflow.ParseOptions{})
		if !problems.HasErrors() {
			t.Errorf("%s: no error", input)
		}
		for _, problem := range problems {
			if problem.Line == 0 || problem.Column == 0 {
				t.Errorf("%s: problem without a place: %+v", input, problem)
			}
			if len(problem.Message) < 30 || !strings.ContainsAny(problem.Message[len(problem.Message)-1:], ".?}") {
				t.Errorf("%s: no sentence with a remedy: %q", input, problem.Message)
			}
		}
	}
}
