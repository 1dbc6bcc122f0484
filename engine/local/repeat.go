package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// endedRun loads an execution that has ended, with all that it left.
func (r *Runtime) endedRun(ctx context.Context, executionID, action string) (*execution, engine.Stored, error) {
	stored, err := r.options.Journal.Load(ctx, executionID)
	if err != nil {
		return nil, engine.Stored{}, err
	}
	if !stored.Execution.Status.Ended() {
		return nil, engine.Stored{}, fmt.Errorf("%w: the execution is %s; %s is for one that has ended", engine.ErrConflict, stored.Execution.Status, action)
	}
	e, err := r.load(ctx, executionID)
	return e, stored, err
}

// repeat is the request that would run an ended execution once more.
func repeat(stored *engine.Stored, trigger, by string) engine.StartRequest {
	return engine.StartRequest{
		WorkflowID: stored.Execution.WorkflowID, Revision: stored.Execution.WorkflowRevision, Document: stored.Document,
		Parameters: stored.Execution.Parameters, Trigger: trigger, By: by,
		Workspace: engine.Workspace{Name: stored.Execution.Workspace, Dir: stored.WorkspaceDir},
		SkipSteps: skipped(stored), Sealed: engine.SealedParameters(stored.Events),
	}
}

func skipped(stored *engine.Stored) []string { return created(stored).SkipSteps }

// editedBy names who changed the definition of an execution, empty where it is
// that of its revision.
func editedBy(stored *engine.Stored) string {
	if origin := created(stored).Origin; origin != nil {
		return origin.EditedBy
	}
	return ""
}

// created is what an execution was created with and only the engine reads.
func created(stored *engine.Stored) plan.Private {
	for i := range stored.Events {
		if stored.Events[i].Type == plan.ExecutionCreated && stored.Events[i].Private != nil {
			return *stored.Events[i].Private
		}
	}
	return plan.Private{}
}

// Retry starts a new execution that keeps what succeeded; see engine.Engine.
func (r *Runtime) Retry(ctx context.Context, executionID string, request engine.RetryRequest) (engine.Execution, error) {
	ended, stored, err := r.endedRun(ctx, executionID, "a retry")
	if err != nil {
		return engine.Execution{}, err
	}
	again := repeat(&stored, engine.TriggerRetry, request.By)
	if request.Document != nil {
		again.Document, again.Revision = request.Document, request.Revision
	}
	if again.Parameters, err = merged(again.Parameters, request.Parameters); err != nil {
		return engine.Execution{}, err
	}
	graph, err := r.compile(ctx, again.Document)
	if err != nil {
		return engine.Execution{}, err
	}
	redo, err := plan.Redo(ended.state, graph, request.FromStep)
	if err != nil {
		return engine.Execution{}, invalidRequest("/from_step", err.Error())
	}
	if len(redo) == graph.Len()-len(plan.Keep(ended.state, graph, redo)) && request.FromStep == "" && stored.Execution.Status == plan.StatusSuccess {
		return engine.Execution{}, fmt.Errorf("%w: every step succeeded; name the step to start from", engine.ErrConflict)
	}
	again.SkipSteps = known(graph, again.SkipSteps)
	again.Origin = &plan.Origin{RetryOf: executionID, Keep: plan.Keep(ended.state, graph, redo)}
	if request.Document == nil {
		again.Origin.EditedBy = editedBy(&stored)
	}
	if request.Document == nil && request.Parameters == nil {
		again.Origin.Keep = append(again.Origin.Keep, goodItems(ended.state, redo, request.FromStep)...)
	}
	execution, _, err := r.Start(ctx, again)
	return execution, err
}

// goodItems keeps the items that succeeded of steps that failed over others.
func goodItems(ended *plan.State, redo []int, from string) []plan.Kept {
	var keep []plan.Kept
	for _, i := range redo {
		step := &ended.Steps[i]
		if step.Status != plan.StatusFailed && step.Status != plan.StatusCancelled {
			continue
		}
		id := ended.Graph().Node(i).Step.ID
		if items := ended.KeepItems(i, -1); len(items) > 0 && id != from {
			keep = append(keep, plan.Kept{StepID: id, Values: step.Values, Items: items})
		}
	}
	return keep
}

func known(graph *workflow.Graph, steps []string) []string {
	return slices.DeleteFunc(slices.Clone(steps), func(id string) bool {
		_, found := graph.Index(id)
		return !found
	})
}

// merged puts single parameters in the place of earlier ones.
func merged(earlier, edits json.RawMessage) (json.RawMessage, error) {
	if len(edits) == 0 {
		return earlier, nil
	}
	all, changes := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if len(earlier) > 0 {
		if err := json.Unmarshal(earlier, &all); err != nil {
			return nil, fmt.Errorf("read the parameters of the first execution: %w", err)
		}
	}
	if err := json.Unmarshal(edits, &changes); err != nil {
		return nil, invalidRequest("/parameters", "the parameters must be an object: "+err.Error())
	}
	for name, value := range changes {
		all[name] = value
	}
	raw, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("write the parameters: %w", err)
	}
	return raw, nil
}

func invalidRequest(pointer, message string) error {
	return &engine.ProblemsError{Summary: "the request can't be used", Problems: []pluginsdk.Problem{{
		Severity: pluginsdk.SeverityError, Pointer: pointer, Code: "invalid", Message: message,
	}}}
}

// Fork starts a new execution from a step on; see engine.Engine.
func (r *Runtime) Fork(ctx context.Context, executionID string, request engine.ForkRequest) (engine.Fork, error) {
	ended, stored, err := r.endedRun(ctx, executionID, "a fork")
	if err != nil {
		return engine.Fork{}, err
	}
	from, found := ended.graph.Index(request.FromStep)
	if !found {
		return engine.Fork{}, invalidRequest("/from_step", fmt.Sprintf("there is no step %q", request.FromStep))
	}
	again := repeat(&stored, engine.TriggerFork, request.By)
	if again.Parameters, err = merged(again.Parameters, request.Parameters); err != nil {
		return engine.Fork{}, err
	}
	if again.Document, err = withConfig(again.Document, from, request.Config); err != nil {
		return engine.Fork{}, err
	}
	graph, err := r.compile(ctx, again.Document)
	if err != nil {
		return engine.Fork{}, err
	}
	redo, err := plan.Redo(ended.state, graph, request.FromStep)
	if err != nil {
		return engine.Fork{}, invalidRequest("/from_step", err.Error())
	}
	again.Origin = &plan.Origin{ForkOf: executionID, Keep: plan.Keep(ended.state, graph, redo), EditedBy: editedBy(&stored)}
	if len(request.Config) > 0 {
		again.Origin.EditedBy = request.By
	}
	if err := editOutputs(again.Origin.Keep, request.Outputs); err != nil {
		return engine.Fork{}, err
	}
	if request.Item != nil {
		kept, err := oneItem(ended.state, from, *request.Item)
		if err != nil {
			return engine.Fork{}, err
		}
		again.Origin.Keep = append(again.Origin.Keep, kept)
	}
	fork := describeFork(ended.state, graph, again.Origin.Keep, redo)
	if request.DryRun {
		return fork, nil
	}
	execution, _, err := r.Start(ctx, again)
	if err != nil {
		return engine.Fork{}, err
	}
	fork.Execution = &execution
	return fork, nil
}

// withConfig puts another config into a step of a document.
func withConfig(document json.RawMessage, step int, config json.RawMessage) (json.RawMessage, error) {
	if len(config) == 0 {
		return document, nil
	}
	var fields map[string]json.RawMessage
	var steps []map[string]json.RawMessage
	if err := json.Unmarshal(document, &fields); err != nil {
		return nil, fmt.Errorf("read the definition: %w", err)
	}
	if err := json.Unmarshal(fields["steps"], &steps); err != nil {
		return nil, fmt.Errorf("read the steps of the definition: %w", err)
	}
	if !bytes.HasPrefix(bytes.TrimSpace(config), []byte("{")) {
		return nil, invalidRequest("/config", "the config must be an object")
	}
	steps[step]["config"] = config
	raw, err := json.Marshal(steps)
	if err != nil {
		return nil, fmt.Errorf("write the steps: %w", err)
	}
	fields["steps"] = raw
	if raw, err = json.Marshal(fields); err != nil {
		return nil, fmt.Errorf("write the definition: %w", err)
	}
	return raw, nil
}

// editOutputs puts other outputs in the place of kept ones.
func editOutputs(keep []plan.Kept, outputs map[string]json.RawMessage) error {
	for id, output := range outputs {
		at := slices.IndexFunc(keep, func(k plan.Kept) bool { return k.StepID == id && k.Status.Ended() })
		if at < 0 {
			return invalidRequest("/outputs/"+id, fmt.Sprintf("step %q is not among those that are kept, so that its output can't be edited", id))
		}
		keep[at].Output, keep[at].FullOutput, keep[at].Status = output, nil, plan.StatusSuccess
		// What was undone of the first run is not what this output says.
		keep[at].UndoToken, keep[at].Values, keep[at].Items = nil, nil, nil
	}
	return nil
}

func oneItem(ended *plan.State, step, item int) (plan.Kept, error) {
	state := &ended.Steps[step]
	if item < 0 || item >= len(state.Items) {
		return plan.Kept{}, invalidRequest("/item", fmt.Sprintf("the step has %d items, counted from 0", len(state.Items)))
	}
	return plan.Kept{
		StepID: ended.Graph().Node(step).Step.ID, Values: state.Values, Items: ended.KeepItems(step, item),
	}, nil
}

func describeFork(ended *plan.State, graph *workflow.Graph, keep []plan.Kept, redo []int) engine.Fork {
	fork := engine.Fork{Kept: []string{}, Redone: []string{}, Unsafe: []string{}}
	for _, kept := range keep {
		if kept.Status.Ended() {
			fork.Kept = append(fork.Kept, kept.StepID)
		}
	}
	for _, i := range redo {
		node := graph.Node(i)
		fork.Redone = append(fork.Redone, node.Step.ID)
		was, found := ended.Graph().Index(node.Step.ID)
		if found && ended.Steps[was].Attempt > 0 && node.Effect() == pluginsdk.EffectUnsafe {
			fork.Unsafe = append(fork.Unsafe, node.Step.ID)
		}
	}
	return fork
}

// Undo starts an execution that takes another one back; see engine.Engine.
func (r *Runtime) Undo(ctx context.Context, executionID, by string) (engine.Execution, error) {
	r.repeating.Lock()
	defer r.repeating.Unlock()
	ended, stored, err := r.endedRun(ctx, executionID, "an undo")
	if err != nil {
		return engine.Execution{}, err
	}
	if err := r.mayUndo(ctx, stored.Execution); err != nil {
		return engine.Execution{}, err
	}
	if !ended.undoable() {
		return engine.Execution{}, fmt.Errorf("%w: none of its steps can be undone", engine.ErrConflict)
	}
	again := repeat(&stored, engine.TriggerUndo, by)
	again.Origin = &plan.Origin{UndoOf: executionID, Keep: plan.KeepToUndo(ended.state)}
	id, err := newID()
	if err != nil {
		return engine.Execution{}, err
	}
	t := &turn{e: ended, now: r.options.Clock.Now().UTC()}
	if err := t.add(plan.Event{Type: plan.UndoneElsewhere, Time: t.now, By: id}); err != nil {
		return engine.Execution{}, err
	}
	execution, _, err := r.start(ctx, id, again, ended.changes(t.events))
	return execution, err
}

// UndoOutlook says what an Undo would take back; see engine.Engine.
func (r *Runtime) UndoOutlook(ctx context.Context, executionID string) ([]plan.UndoOutlook, error) {
	ended, stored, err := r.endedRun(ctx, executionID, "an undo")
	if err != nil {
		return nil, err
	}
	if err := r.mayUndo(ctx, stored.Execution); err != nil {
		return nil, err
	}
	return plan.OutlookOfUndo(ended.state), nil
}

func (e *execution) undoable() bool {
	for i := range e.state.Steps {
		if e.state.Undoable(plan.StepRef(i)) {
			return true
		}
		for k := range e.state.Steps[i].Items {
			if e.state.Undoable(plan.Ref{Step: i, Item: k}) {
				return true
			}
		}
	}
	return false
}

// mayUndo refuses a second undo, unless the first one came to nothing.
func (r *Runtime) mayUndo(ctx context.Context, execution engine.Execution) error {
	if execution.UndoneBy == "" {
		return nil
	}
	earlier, err := r.options.Journal.Load(ctx, execution.UndoneBy)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil
	case err != nil:
		return err
	case !earlier.Execution.Status.Ended():
		return fmt.Errorf("%w: execution %s is undoing it", engine.ErrConflict, execution.UndoneBy)
	case earlier.Execution.Status == plan.StatusSuccess:
		return fmt.Errorf("%w: execution %s has undone it", engine.ErrConflict, execution.UndoneBy)
	}
	return nil
}

// undoneElsewhere are the changes that a turn of an undo makes to the
// execution that it takes back.
func (e *execution) undoneElsewhere(t *turn) ([]engine.Commit, error) {
	if e.state.Origin == nil || e.state.Origin.UndoOf == "" {
		return nil, nil
	}
	var undone []plan.Event
	for _, event := range t.events {
		if event.Type == plan.StepUndone && event.Status == string(plan.StatusUndone) {
			undone = append(undone, plan.Event{
				Type: plan.UndoneElsewhere, StepID: event.StepID, ItemIndex: event.ItemIndex, Time: t.now, By: e.id,
			})
		}
	}
	if len(undone) == 0 {
		return nil, nil
	}
	if e.undone == nil {
		first, err := e.r.load(context.Background(), e.state.Origin.UndoOf)
		if errors.Is(err, engine.ErrNotFound) {
			return nil, nil // It was deleted meanwhile: nobody is to be told.
		}
		if err != nil {
			return nil, fmt.Errorf("load the execution that is undone: %w", err)
		}
		e.undone = first
	}
	first := &turn{e: e.undone, now: t.now}
	if err := first.add(undone...); err != nil {
		return nil, err
	}
	return []engine.Commit{e.undone.changes(first.events)}, nil
}
