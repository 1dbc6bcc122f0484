package host_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestTwoExecutionsAreComparedStepByStep(t *testing.T) {
	w := newWorld(t)
	workflow, first := w.chain()
	w.ask("PUT", workflows+workflow+"/", strings.Replace(chain, "{id: c,", "{id: d,", 1), "Content-Type", "application/yaml").want(200)
	other := w.ask("POST", executions+first+"/retry/", `{"from_step":"a","newest":true,"parameters":{"p":"two"}}`).want(202).text("execution_id")
	w.ended(other, "success")
	path := executions + first + "/compare/"
	type difference struct {
		Pointer, Kind string
		Before, After any
	}
	var got struct {
		Execution, Other struct {
			ID     string `json:"execution_id"`
			Status string
		}
		Parameters []difference
		Steps      []struct {
			StepID           string `json:"step_id"`
			Execution, Other *struct{ Status string }
			Same             bool
			Output           []difference
		}
	}
	if err := json.Unmarshal(w.ask("GET", path+other+"/", "").want(200).body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Execution.ID != first || got.Other.ID != other || got.Execution.Status != "failed" || got.Other.Status != "success" {
		t.Errorf("the two: %+v %+v", got.Execution, got.Other)
	}
	if text := fmt.Sprint(got.Parameters); text != "[{/p changed one two}]" {
		t.Errorf("parameters: %s", text)
	}
	var lines []string
	for _, step := range got.Steps {
		lines = append(lines, fmt.Sprint(step.StepID, " ", step.Execution != nil, step.Other != nil, step.Same, step.Output))
	}
	want := "a true true false [{/p changed one two}]; b true true false [{ added <nil> map[from:two]}]; c true false false []; d false true false []"
	if text := strings.Join(lines, "; "); text != want {
		t.Errorf("steps: %s\nwant: %s", text, want)
	}
	same := w.ask("GET", path+first, "").want(200).object()["steps"].([]any)
	for _, step := range same {
		if step.(map[string]any)["same"] != true {
			t.Errorf("compared with itself: %v", step)
		}
	}
	w.ask("GET", path+"none/", "").problem(404, "EXECUTION_NOT_FOUND")
	w.ask("GET", executions+"none/compare/"+first+"/", "").problem(404, "EXECUTION_NOT_FOUND")
}
