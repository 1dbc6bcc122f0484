package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
)

// TestWriteResult holds the result that is written step by step against what
// the encoder makes of the whole.
func TestWriteResult(t *testing.T) {
	t.Parallel()
	tricky := json.RawMessage(`{"step_results":{},"<a>":"}}"}`)
	for name, steps := range map[string]map[string]engine.StepResult{
		"none": {},
		"one":  {"a": {StepID: "a", Status: plan.StatusSuccess, Output: tricky}},
		"many": {
			"b": {StepID: "b", Status: plan.StatusFailed, Error: &plan.Error{Message: "1 < 2 & 3"}}, "a": {StepID: "a"},
			"a-2": {StepID: "a-2", Items: []engine.ItemResult{{Index: 0, Output: tricky}}}, `odd"id`: {},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result := engine.Result{Execution: engine.Execution{ID: "e", WorkflowName: "}}", Parameters: tricky, Parent: &plan.Parent{}}, StepResults: steps}
			var want, got bytes.Buffer
			encoder := json.NewEncoder(&want)
			encoder.SetEscapeHTML(false)
			if err := errors.Join(encoder.Encode(result), writeJSON(&got, result)); err != nil {
				t.Fatal(err)
			}
			if got.String() != want.String() {
				t.Errorf("got  %s\nwant %s", &got, &want)
			}
		})
	}
}
