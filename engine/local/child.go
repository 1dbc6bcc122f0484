package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

// child is a child execution that a step waits for.
type child struct {
	id string
	// asks are requests to end it; a second one reaches its clean-up steps.
	asks chan string
}

// superviseChild starts the child that a step waits for, unless an earlier
// host has, and tells the owner how it ended. It does so in a goroutine of its
// own, until then or until the server stops.
func (e *execution) superviseChild(r plan.Ref) {
	unit := e.state.Unit(r)
	wait, attempt := *unit.Wait, unit.Attempt
	parent := &plan.Parent{ExecutionID: e.id, StepID: e.graph.Node(r.Step).Step.ID, Depth: e.depth() + 1}
	if r.IsItem() {
		parent.ItemIndex = &r.Item
	}
	c := &child{id: wait.Child, asks: make(chan string, 8)}
	e.children[r] = c
	header := e.header
	e.callers.Go(func() {
		stored, err := e.r.runChild(c, header, wait, parent)
		outcome := pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure}
		var output json.RawMessage
		switch {
		case errors.Is(err, engine.ErrStopping):
			return // The next start goes on.
		case err == nil:
			output, err = childOutput(stored)
		}
		if err != nil {
			outcome.Failure = pluginsdk.FailureOf(context.Background(), childError(wait.Workflow, err))
		} else {
			late := !wait.Until.IsZero() && !e.r.options.Clock.Now().Before(wait.Until)
			outcome = plan.ChildOutcome(c.id, stored.Execution.Status, stored.Execution.Error, output, late)
		}
		e.post(message{kind: messageChild, ref: r, attempt: attempt, outcome: outcome})
	})
}

// askToEnd asks a child to end, without waiting for it.
func (c *child) askToEnd(reason string) {
	select {
	case c.asks <- reason:
	default: // It was asked often enough.
	}
}

// runChild starts a child where it is not there yet, and returns it once it
// has ended; engine.ErrStopping where the server stops before.
func (r *Runtime) runChild(c *child, parent engine.Execution, wait plan.Wait, origin *plan.Parent) (*engine.Stored, error) {
	// An unfinished child of an earlier host must have been taken up first.
	select {
	case <-r.recovered:
	case <-r.draining:
		return nil, engine.ErrStopping
	}
	_, err := r.options.Journal.Load(r.base, c.id)
	if errors.Is(err, engine.ErrNotFound) {
		err = r.startChild(r.base, parent, wait, origin)
	}
	if err != nil {
		return nil, err
	}
	done := r.doneOf(c.id)
	for running := true; running; {
		select {
		case <-done:
			running = false
		case <-r.draining:
			return nil, engine.ErrStopping
		case reason := <-c.asks:
			if _, err := r.Cancel(r.base, c.id, "its parent: "+reason); err != nil && !errors.Is(err, engine.ErrConflict) {
				return nil, fmt.Errorf("cancel execution %s: %w", c.id, err)
			}
		}
	}
	stored, err := r.options.Journal.Load(r.base, c.id)
	if err != nil {
		return nil, err
	}
	if !stored.Execution.Status.Ended() {
		return nil, engine.ErrStopping // It can't go on before the next start.
	}
	return &stored, nil
}

// doneOf is closed once nothing runs an execution here.
func (r *Runtime) doneOf(executionID string) <-chan struct{} {
	if e, err := r.find(executionID); err == nil {
		return e.done
	}
	closed := make(chan struct{})
	close(closed)
	return closed
}

func (r *Runtime) startChild(ctx context.Context, parent engine.Execution, wait plan.Wait, origin *plan.Parent) error {
	if r.options.Definitions == nil {
		return pluginsdk.Errorf("no workflows are stored here, so that %q can't be run as a child", wait.Workflow).WithCode("WORKFLOW_NOT_FOUND")
	}
	own, err := r.options.Journal.Load(ctx, parent.ID)
	if err != nil {
		return err
	}
	caller := engine.Caller{WorkflowID: parent.WorkflowID, Revision: parent.WorkflowRevision, By: parent.By, EditedBy: editedBy(&own)}
	document, revision, err := r.options.Definitions.Definition(ctx, caller, wait.Workflow)
	if err != nil {
		return err
	}
	id := wait.Workflow
	if named, ok := r.options.Definitions.(engine.NamedDefinitions); ok {
		id = named.WorkflowID(id)
	}
	_, _, err = r.start(ctx, wait.Child, engine.StartRequest{
		WorkflowID: id, Revision: revision, Document: document, Parameters: wait.Parameters,
		Trigger: engine.TriggerChild, By: parent.By, Workspace: engine.Workspace{Name: parent.Workspace, Dir: own.WorkspaceDir},
		Origin: &plan.Origin{Parent: origin},
	})
	return err
}

// childError says why a child could not be run, as the step's own failure.
func childError(workflowID string, err error) error {
	var own *pluginsdk.Error
	var problems *engine.ProblemsError
	switch {
	case errors.As(err, &own):
		return err
	case errors.As(err, &problems):
		return pluginsdk.Invalid("/parameters", fmt.Sprintf("workflow %q can't be run: %s", workflowID, problems.Error()))
	case errors.Is(err, engine.ErrNotFound):
		return pluginsdk.Invalid("/workflow", fmt.Sprintf("there is no workflow %q that the author of this one may see", workflowID)).WithCode("WORKFLOW_NOT_FOUND")
	case errors.Is(err, engine.ErrConflict):
		return pluginsdk.Retryable(fmt.Errorf("workflow %q could not be started: %w", workflowID, err))
	}
	return fmt.Errorf("run workflow %q: %w", workflowID, err)
}

// childOutput is what the step that ran a child gives on: its id and the
// outputs of its steps.
func childOutput(stored *engine.Stored) (json.RawMessage, error) {
	outputs := map[string]json.RawMessage{}
	for i := range stored.Events {
		if event := &stored.Events[i]; event.Type == plan.StepCompleted && len(event.Output) > 0 {
			outputs[event.StepID] = event.Output
		}
	}
	raw, err := json.Marshal(struct {
		ExecutionID string                     `json:"execution_id"`
		WorkflowID  string                     `json:"workflow_id"`
		Status      plan.Status                `json:"status"`
		Outputs     map[string]json.RawMessage `json:"outputs"`
	}{stored.Execution.ID, stored.Execution.WorkflowID, stored.Execution.Status, outputs})
	if err != nil {
		return nil, fmt.Errorf("gather the outputs of execution %s: %w", stored.Execution.ID, err)
	}
	if len(raw) > pluginsdk.MaxOutputSize {
		return nil, pluginsdk.Errorf("the outputs of execution %s are larger than %d MiB together", stored.Execution.ID, pluginsdk.MaxOutputSize>>20).
			WithCode("output_too_large")
	}
	return raw, nil
}
