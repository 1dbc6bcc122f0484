package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
)

// Recover takes up what a host left unfinished; see engine.Engine.
//
// All are loaded before the first goes on: those that have begun hold their
// slots before those that wait for one are asked. What is started meanwhile
// and has a limit waits until all are known; see awaitSlots.
func (r *Runtime) Recover(ctx context.Context) (int, error) {
	defer close(r.recovered)
	ids, err := r.options.Journal.Unfinished(ctx)
	if err != nil {
		return 0, fmt.Errorf("list unfinished executions: %w", err)
	}
	var failures []error
	var begun, waiting []*execution
	for _, id := range ids {
		if _, err := r.find(id); err == nil {
			continue // It was started since: it has its owner.
		}
		e, err := r.load(ctx, id)
		if err != nil {
			failures = append(failures, fmt.Errorf("recover execution %s: %w", id, err))
			continue
		}
		if e.state.Status.Ended() {
			continue // It was started since, and has ended.
		}
		if e.state.StartedAt.IsZero() {
			waiting = append(waiting, e)
		} else {
			begun = append(begun, e)
		}
	}
	var entered []*execution
	replacedBy := map[string]string{}
	for _, e := range append(begun, waiting...) {
		replaces, err := r.enter(e)
		if err != nil {
			failures = append(failures, fmt.Errorf("recover execution %s: %w", e.id, err))
			continue
		}
		entered = append(entered, e)
		for _, id := range replaces {
			replacedBy[id] = e.id
		}
	}
	for _, e := range entered {
		// The host may have died between the start of an execution and the
		// end of those that it takes the place of.
		if by := replacedBy[e.id]; by != "" {
			m := replaced(by)
			m.reply = make(chan reply, 1) // Nobody waits for it.
			e.goOn(&m)
			continue
		}
		e.goOn()
	}
	return len(entered), errors.Join(failures...)
}

// takeUp goes on with a loaded execution.
func (r *Runtime) takeUp(ctx context.Context, e *execution) error {
	replaces, err := r.enter(e)
	if err != nil {
		return err
	}
	e.goOn()
	r.replace(ctx, replaces, e.id)
	return nil
}

// enter makes a loaded execution known, and returns those that it is to take
// the place of.
func (r *Runtime) enter(e *execution) (replaces []string, err error) {
	if err := e.loseRunning(e.missing); err != nil {
		return nil, err
	}
	if replaces, err = r.takeSlot(e, false); err != nil {
		return nil, err
	}
	return replaces, r.adopt(e)
}

// goOn starts the owner of a loaded execution, with what it is told first.
func (e *execution) goOn(first ...*message) {
	waitsForPlugin := false
	for _, ref := range e.state.Waiting() {
		switch e.state.Unit(ref).Wait.Reason {
		case plan.WaitChild:
			e.superviseChild(ref)
		case plan.WaitPlugin:
			waitsForPlugin = true
		}
	}
	if waitsForPlugin {
		// It may have come back meanwhile.
		first = append(first, &message{kind: messagePlugins})
	}
	e.enterSecrets(e.sealed)
	go e.own(first...)
}

// load folds what the journal has of an execution.
func (r *Runtime) load(ctx context.Context, id string) (*execution, error) {
	stored, err := r.options.Journal.Load(ctx, id)
	if err != nil {
		return nil, err
	}
	graph, missing, err := r.recompile(ctx, stored.Document)
	if err != nil {
		return nil, err
	}
	e := newExecution(r, id, graph, r.inputs(id, stored.Execution.WorkflowID, stored.Execution.Workspace, stored.Execution.Parameters))
	e.workspaceDir, e.header, e.missing = stored.WorkspaceDir, stored.Execution, missing
	e.sealed = engine.SealedParameters(stored.Events)
	now := r.options.Clock.Now()
	for _, event := range stored.Events {
		if err := e.restoreOutputs(ctx, &event); err != nil {
			return nil, err
		}
		if err := e.state.Apply(steady(event, now)); err != nil {
			return nil, fmt.Errorf("replay the journal: %w", err)
		}
	}
	for i := range e.state.Steps {
		if len(e.state.Steps[i].Items) > 0 {
			e.told[i] = stepMark{e.state.Steps[i].Status, e.state.Steps[i].Attempt}
		}
	}
	e.seq, e.sub = e.state.LastSeq, e.state.LastSub
	logged, err := r.options.Logs.LastLogSeq(id)
	if err != nil {
		return nil, fmt.Errorf("read the logs: %w", err)
	}
	if logged > e.seq {
		e.seq, e.sub = logged, 0
	}
	return e, nil
}

// steady gives the times of an event of an earlier host the monotonic reading
// that they would have in this one: see turn.now. A step that waits for time
// alone keeps the time on the wall, which went on while no host was there.
func steady(event plan.Event, now time.Time) plan.Event {
	if event.Type == plan.StepWaiting && event.Reason == string(plan.WaitTime) {
		return event
	}
	wall := now.Round(0)
	return event.WithTimes(func(t time.Time) time.Time {
		d := t.Sub(wall)
		if !wall.Add(d).Equal(t) {
			return t // It is zero, or centuries away.
		}
		return now.Add(d)
	})
}

// recompile compiles a definition that was checked when it started. Where
// handlers are gone since, the graph knows none and missing says why.
func (r *Runtime) recompile(ctx context.Context, document json.RawMessage) (graph *workflow.Graph, missing string, err error) {
	graph, err = r.compile(ctx, document)
	var problems *engine.ProblemsError
	if !errors.As(err, &problems) {
		return graph, "", err
	}
	parsed, found := workflow.Parse(document, workflow.ParseOptions{Format: workflow.FormatJSON})
	if parsed == nil {
		return nil, "", &engine.ProblemsError{Summary: "the kept definition can't be read", Problems: found}
	}
	graph, found = workflow.Compile(parsed, nil)
	if graph == nil {
		return nil, "", &engine.ProblemsError{Summary: "the kept definition can't be compiled", Problems: found}
	}
	return graph, problems.Error(), nil
}

// restoreOutputs puts back the outputs that an event only names.
func (e *execution) restoreOutputs(ctx context.Context, event *plan.Event) error {
	switch event.Type {
	case plan.StepCompleted, plan.StepItemCompleted:
		full, err := e.restoreOutput(ctx, event.StepID, event.Output)
		event.FullOutput = full
		return err
	case plan.ExecutionCreated:
		if event.Private == nil || event.Private.Origin == nil {
			return nil
		}
		return e.restoreKept(ctx, event.Private.Origin.Keep)
	default:
		return nil
	}
}

func (e *execution) restoreKept(ctx context.Context, keep []plan.Kept) (err error) {
	for k := range keep {
		if keep[k].FullOutput, err = e.restoreOutput(ctx, keep[k].StepID, keep[k].Output); err != nil {
			return err
		}
		for n := range keep[k].Items {
			item := &keep[k].Items[n]
			if item.FullOutput, err = e.restoreOutput(ctx, keep[k].StepID, item.Output); err != nil {
				return err
			}
		}
	}
	return nil
}

// restoreOutput returns nil for an output that is itself.
func (e *execution) restoreOutput(ctx context.Context, stepID string, output json.RawMessage) (json.RawMessage, error) {
	if len(output) == 0 || output[0] != '{' {
		return nil, nil
	}
	var named struct {
		Blob *blobName `json:"$blob"`
	}
	if err := json.Unmarshal(output, &named); err != nil || named.Blob == nil || named.Blob.SHA256 == "" {
		return nil, nil //nolint:nilerr // An output of any other shape is itself.
	}
	data, err := e.r.options.Blobs.Blob(ctx, named.Blob.SHA256)
	if errors.Is(err, engine.ErrNotFound) {
		e.r.log.Warn("an output is gone", "execution_id", e.id, "workflow_id", e.header.WorkflowID, "step_id", stepID)
		return nil, nil
	}
	return data, err
}

// loseRunning notes that nobody knows how the attempts under way ended, and
// parks an execution whose handlers are gone.
func (e *execution) loseRunning(missing string) error {
	t := &turn{e: e, now: e.r.options.Clock.Now()}
	crashed := false
	for _, r := range e.state.Running() {
		unit := e.state.Unit(r)
		if last := unit.Attempts[len(unit.Attempts)-1]; !last.CompletedAt.IsZero() {
			continue // It was lost before, and is not decided yet.
		}
		crashed = true
		event := plan.Event{
			Type: plan.AttemptLost, StepID: e.graph.Node(r.Step).Step.ID, Attempt: unit.Attempt, Time: t.now,
			Reason: "the server ended while the step was running", Private: &plan.Private{Lost: plan.LostHost},
		}
		if r.IsItem() {
			event.ItemIndex = &r.Item
		}
		if err := t.add(event); err != nil {
			return err
		}
	}
	for _, r := range e.state.Undoing() {
		crashed = true
		event := plan.Event{Type: plan.UndoLost, StepID: e.graph.Node(r.Step).Step.ID, Time: t.now}
		if r.IsItem() {
			event.ItemIndex = &r.Item
		}
		if err := t.add(event); err != nil {
			return err
		}
	}
	if crashed {
		if err := t.add(plan.Event{Type: plan.HostRestarted, Time: t.now}); err != nil {
			return err
		}
	}
	if missing != "" && !e.state.Parked() {
		if err := t.add(plan.Event{Type: plan.ExecutionParked, Time: t.now, Reason: missing}); err != nil {
			return err
		}
	}
	if len(t.events) == 0 {
		return nil
	}
	if err := e.commit(t); err != nil {
		return err
	}
	for i := range t.events {
		if !t.events[i].Type.Internal() {
			e.r.options.Publisher.Publish(t.events[i].Public())
		}
	}
	return nil
}
