package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
)

// Recover takes up what a host left unfinished; see engine.Engine.
func (r *Runtime) Recover(ctx context.Context) (int, error) {
	ids, err := r.options.Journal.Unfinished(ctx)
	if err != nil {
		return 0, fmt.Errorf("list unfinished executions: %w", err)
	}
	var failures []error
	count := 0
	for _, id := range ids {
		if err := r.recoverOne(ctx, id); err != nil {
			failures = append(failures, fmt.Errorf("recover execution %s: %w", id, err))
			continue
		}
		count++
	}
	return count, errors.Join(failures...)
}

func (r *Runtime) recoverOne(ctx context.Context, id string) error {
	stored, err := r.options.Journal.Load(ctx, id)
	if err != nil {
		return err
	}
	graph, missing, err := r.recompile(ctx, stored.Document)
	if err != nil {
		return err
	}
	e := newExecution(r, id, graph, plan.Inputs{
		ExecutionID: id, WorkflowID: stored.Execution.WorkflowID, Parameters: stored.Execution.Parameters,
		WorkspaceName: stored.Execution.Workspace, Env: r.options.Settings.Env, Adapter: r.options.Settings.Adapter,
	})
	e.workspaceDir, e.header = stored.WorkspaceDir, stored.Execution
	for _, event := range stored.Events {
		if err := e.restoreOutput(ctx, &event); err != nil {
			return err
		}
		if err := e.state.Apply(event); err != nil {
			return fmt.Errorf("replay the journal: %w", err)
		}
	}
	e.seq, e.sub = e.state.LastSeq, e.state.LastSub
	logged, err := r.options.Logs.LastLogSeq(id)
	if err != nil {
		return fmt.Errorf("read the logs: %w", err)
	}
	if logged > e.seq {
		e.seq, e.sub = logged, 0
	}
	e.missing = missing
	if err := e.loseRunning(missing); err != nil {
		return err
	}
	if err := r.adopt(e); err != nil {
		return err
	}
	e.enterSecrets(engine.SealedParameters(stored.Events))
	go e.own()
	return nil
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

// restoreOutput puts back an output that an event only names.
func (e *execution) restoreOutput(ctx context.Context, event *plan.Event) error {
	if event.Type != plan.StepCompleted || len(event.Output) == 0 || event.Output[0] != '{' {
		return nil
	}
	var named struct {
		Blob *blobName `json:"$blob"`
	}
	if err := json.Unmarshal(event.Output, &named); err != nil || named.Blob == nil || named.Blob.SHA256 == "" {
		return nil //nolint:nilerr // An output of any other shape is itself.
	}
	data, err := e.r.options.Blobs.Blob(ctx, named.Blob.SHA256)
	if errors.Is(err, engine.ErrNotFound) {
		e.r.log.Warn("an output is gone", "execution_id", e.id, "step_id", event.StepID)
		return nil
	}
	event.FullOutput = data
	return err
}

// loseRunning notes that nobody knows how the attempts under way ended, and
// parks an execution whose handlers are gone.
func (e *execution) loseRunning(missing string) error {
	t := &turn{e: e, now: e.r.options.Clock.Now().UTC()}
	running := e.state.Running()
	crashed := false
	for _, i := range running {
		step := &e.state.Steps[i]
		if last := step.Attempts[len(step.Attempts)-1]; !last.CompletedAt.IsZero() {
			continue // It was lost before, and is not decided yet.
		}
		crashed = true
		if err := t.add(plan.Event{
			Type: plan.AttemptLost, StepID: e.graph.Node(i).Step.ID, Attempt: step.Attempt, Time: t.now,
			Reason: "the server ended while the step was running", Private: &plan.Private{Lost: plan.LostHost},
		}); err != nil {
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
