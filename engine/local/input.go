package local

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
)

// hostRoots are the references to values of the host's own configuration.
var hostRoots = []string{workflow.RootEnv, workflow.RootAdapter}

// Input says what a step was called with; see engine.Engine. The journal does
// not keep it, but has all that it was made of: the definition, the
// parameters and the outputs of earlier steps.
func (r *Runtime) Input(ctx context.Context, executionID, stepID string, item *int) (engine.Input, error) {
	e, err := r.load(ctx, executionID)
	if err != nil {
		return engine.Input{}, err
	}
	i, found := e.graph.Index(stepID)
	if !found {
		return engine.Input{}, fmt.Errorf("step %q: %w", stepID, engine.ErrNotFound)
	}
	ref := plan.StepRef(i)
	if item != nil {
		if ref.Item = *item; ref.Item < 0 || ref.Item >= len(e.state.Steps[i].Items) {
			return engine.Input{}, fmt.Errorf("item %d of step %q: %w", *item, stepID, engine.ErrNotFound)
		}
	}
	node := e.graph.Node(i)
	input := engine.Input{Config: node.Step.Config, Reason: e.notCalled(ref)}
	if len(input.Config) == 0 {
		input.Config = json.RawMessage("{}")
	}
	if input.Reason != "" || node.Config == nil {
		input.Resolved = input.Reason == ""
		return input, nil
	}
	scope := e.state.Scope(ref)
	scope.Secret = func(string) (string, error) { return engine.HiddenValue, nil }
	scope.AsWritten = hostRoots
	resolved, err := node.Config.Resolve(scope)
	if err != nil {
		input.Reason = err.Error()
		return input, nil //nolint:nilerr // What can't be resolved is part of the answer.
	}
	input.Config, input.Resolved = resolved, true
	for _, reference := range node.Config.References() {
		if slices.Contains(hostRoots, reference.Root) && !slices.Contains(input.AsWritten, reference.Text) {
			input.AsWritten = append(input.AsWritten, reference.Text)
		}
	}
	return input, nil
}

// notCalled says why a unit was never called, empty where it was, or was
// about to be.
func (e *execution) notCalled(r plan.Ref) string {
	unit := e.state.Unit(r)
	switch {
	case unit.KeptFrom != "":
		return "its result was kept from execution " + unit.KeptFrom
	case unit.Attempt > 0 && !r.IsItem() && len(e.state.Steps[r.Step].Items) > 0:
		return "it was called once for each of its items"
	case unit.Attempt > 0 || unit.Status == plan.StatusFailed:
		return ""
	case unit.Status == plan.StatusSkipped:
		return "it was skipped: " + unit.SkipReason
	case unit.Status == plan.StatusCancelled:
		return "it was cancelled before it started"
	case unit.Status.Ended():
		return "it had no items to be called for"
	}
	return "it has not started"
}
