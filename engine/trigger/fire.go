package trigger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

const (
	// startTime bounds one start: a plugin that is asked about a config may
	// hang, and other triggers wait.
	startTime = 30 * time.Second
	// farBack is how far the clock may be set back before what was fired
	// under the later time counts for nothing.
	farBack = 24 * time.Hour
	// punctual is how late a schedule may be without having missed its time.
	punctual = time.Minute
	// maxLookBack bounds the time in which missed firings are looked for.
	maxLookBack = 366 * 24 * time.Hour
)

// cause is why an execution is started.
type cause struct {
	// key tells one cause from another, for one trigger.
	key string
	// by is a person's name, empty for the trigger itself.
	by string
	// link counts the workflow triggers in a row, this one included.
	link int
	// payload is what ${trigger.…} refers to, beside its type and id.
	payload map[string]any
}

// start starts the execution of a cause. It is created, or given back where
// the same cause started it before.
func (r *Runner) start(ctx context.Context, s *shape, why cause) (engine.Execution, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, errors.New("the start took too long"))
	defer cancel()
	source, err := r.options.Sources.Source(ctx, s.workflowID)
	if err != nil {
		return engine.Execution{}, err
	}
	if source.Draft {
		return engine.Execution{}, fmt.Errorf("%w: the workflow is a draft with problems", engine.ErrConflict)
	}
	if err := r.options.Ready(ctx); err != nil {
		return engine.Execution{}, err
	}
	parameters, err := r.parameters(s, &source, why.payload)
	if err != nil {
		return engine.Execution{}, err
	}
	by := why.by
	if by == "" {
		by = byOf(s.id, why.link)
	}
	request := engine.StartRequest{
		WorkflowID: source.ID, Revision: source.Revision, Document: source.Document, Parameters: parameters,
		Trigger: string(s.trigger.Type), By: by, Workspace: r.options.Workspace,
	}
	if why.key != "" {
		request.IdempotencyKey = byPrefix + s.id + ":" + why.key
	}
	execution, _, err := r.options.Engine.Start(ctx, request)
	return execution, err
}

// parameters resolves what the trigger gives its execution.
func (r *Runner) parameters(s *shape, source *Source, payload map[string]any) (json.RawMessage, error) {
	if s.template == nil {
		return nil, nil
	}
	whole := map[string]any{"type": s.trigger.Type, "id": s.trigger.ID}
	for name, value := range payload {
		whole[name] = value
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(whole); err != nil {
		return nil, fmt.Errorf("encode what fired trigger %s: %w", s.id, err)
	}
	resolved, err := s.template.Resolve(&workflow.Scope{
		Config: s.config, Env: r.options.Settings.Env, Adapter: r.options.Settings.Adapter, Trigger: bytes.TrimSpace(text.Bytes()),
		WorkflowID: source.ID, WorkflowName: s.workflowName, WorkflowVersion: s.version,
	})
	var missing *workflow.ReferenceError
	if errors.As(err, &missing) {
		return nil, &engine.ProblemsError{Summary: "the trigger's parameters can't be made", Problems: []pluginsdk.Problem{{
			Severity: pluginsdk.SeverityError, Pointer: "/parameters" + missing.Pointer, Code: "reference_to_nothing", Message: missing.Error(),
		}}}
	}
	return resolved, err
}

// given up: the server stops, so that nothing was decided.
func givenUp(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || errors.Is(err, engine.ErrStopping))
}

// outcome is what is kept of a start.
func (r *Runner) outcome(s *shape, f Firing, execution engine.Execution, err error) Firing {
	switch {
	case err == nil:
		f.Outcome, f.ExecutionID = Fired, execution.ID
	case errors.Is(err, engine.ErrIdempotencyMismatch) && (f.Cause != "" || !f.Due.IsZero()):
		// The same cause, and a workflow that was changed in between.
		f.Outcome, f.Reason = Fired, "it had fired before the server stopped"
	default:
		f.Outcome, f.Reason = Refused, r.reason(s, err)
	}
	return f
}

// reason writes an error for whoever looks at the trigger. What is not known
// to be harmless goes to the log only.
func (r *Runner) reason(s *shape, err error) string {
	var problems *engine.ProblemsError
	switch {
	case errors.As(err, &problems):
		return problems.Error()
	case errors.Is(err, engine.ErrConflict), errors.Is(err, engine.ErrStoreFull), errors.Is(err, engine.ErrIdempotencyMismatch), errors.Is(err, ErrSignature), errors.Is(err, ErrNoSecret), errors.Is(err, ErrChain):
		return err.Error()
	case errors.Is(err, engine.ErrNotFound):
		return "the workflow is gone"
	}
	r.log.Error("a trigger could not start its workflow", "trigger", s.id, "workflow_id", s.workflowID, "error", err)
	return "the start failed; the server's log has the cause"
}

// occasions is what has become due of a schedule.
type occasions struct {
	// run are to be started, in order.
	run []time.Time
	// missed counts the others, from first to last.
	missed      int
	first, last time.Time
}

// decide says what becomes of the times that were due after one time and up
// to now. Where the server was not there to see them (atStart), the policy
// decides. Else the clock has jumped, the machine has slept or a start took
// long: then at most the newest runs, so that no jump of a clock is a burst.
func decide(schedule *Schedule, after, now time.Time, policy workflow.CatchUp, atStart bool) occasions {
	limit := 1
	if atStart && policy == workflow.CatchUpAll {
		limit = MaxCatchUp
	}
	if earliest := now.Add(-maxLookBack); after.Before(earliest) {
		after = earliest
	}
	var o occasions
	miss := func(t time.Time) {
		if o.missed++; o.missed == 1 {
			o.first = t
		}
		o.last = t
	}
	for due := schedule.Next(after); !due.IsZero() && !due.After(now); due = schedule.Next(due) {
		if o.run = append(o.run, due); len(o.run) > limit {
			miss(o.run[0])
			o.run = o.run[1:]
		}
	}
	if n := len(o.run); n > 0 && policy == workflow.CatchUpNone && now.Sub(o.run[n-1]) > punctual {
		miss(o.run[0])
		o.run = nil
	}
	return o
}

// fireSchedules starts what is due.
func (r *Runner) fireSchedules(ctx context.Context) {
	now := r.now()
	for _, e := range r.list(func(e *entry) bool { return e.schedule != nil && e.active() }) {
		if ctx.Err() != nil {
			return
		}
		r.fireSchedule(ctx, e, now)
	}
}

func (r *Runner) fireSchedule(ctx context.Context, e *entry, now time.Time) {
	r.mu.Lock()
	s, handled, next, atStart := e.shape, e.record.Handled, e.next, e.atStart
	e.atStart = false
	if handled.Sub(now) > farBack {
		r.log.Warn("the clock was set back; the schedule goes on from now", "trigger", e.id, "workflow_id", e.workflowID, "from", handled, "to", now)
		e.record.Since, e.record.Handled = now, now
		r.keep(ctx, e)
		r.plan(e)
		next = e.next
	}
	r.mu.Unlock()
	if next.IsZero() || next.After(now) {
		return
	}
	o := decide(s.schedule, handled, now, s.trigger.CatchUp, atStart)
	if o.missed > 0 {
		f := Firing{Outcome: Missed, Due: o.first, Reason: "the clock moved on, or the machine was asleep or busy"}
		if atStart {
			f.Reason = "the server was not running"
		}
		if o.missed > 1 {
			f.Count, f.Until = o.missed, o.last
		}
		r.log.Warn("a schedule missed its time", "trigger", e.id, "workflow_id", e.workflowID, "count", o.missed, "from", o.first, "until", o.last)
		r.note(ctx, e, o.last, f)
	}
	for _, due := range o.run {
		execution, err := r.start(ctx, s, cause{key: "due:" + due.Format(time.RFC3339), payload: map[string]any{"due": due.Format(time.RFC3339)}})
		if givenUp(ctx, err) {
			r.gaveUp = true
			return
		}
		r.note(ctx, e, due, r.outcome(s, Firing{Due: due}, execution, err))
	}
}

// Fire starts a trigger's workflow now, paused or not. The given payload is
// what ${trigger.…} refers to, such as body for a webhook. It is an
// engine.ErrNotFound for a trigger that there is not.
func (r *Runner) Fire(ctx context.Context, id, by string, payload map[string]any) (engine.Execution, error) {
	e, s, err := r.find(ctx, id)
	if err != nil {
		return engine.Execution{}, err
	}
	filled := r.example(s)
	for name, value := range payload {
		filled[name] = value
	}
	execution, err := r.start(ctx, s, cause{by: by, payload: filled})
	if !givenUp(ctx, err) {
		r.note(ctx, e, time.Time{}, r.outcome(s, Firing{By: by}, execution, err))
	}
	return execution, err
}

// example is the payload of a trigger that is fired by hand.
func (r *Runner) example(s *shape) map[string]any {
	switch s.trigger.Type {
	case workflow.TriggerSchedule:
		return map[string]any{"due": r.now().Truncate(time.Second).Format(time.RFC3339)}
	case workflow.TriggerFile:
		return map[string]any{"files": []string{}, "added": []string{}, "modified": []string{}, "removed": []string{}}
	case workflow.TriggerWebhook:
		return map[string]any{"body": map[string]any{}, "headers": map[string]any{}, "query": map[string]any{}}
	case workflow.TriggerWorkflow:
	}
	return map[string]any{}
}

// find waits for the triggers to be read, and finds one.
func (r *Runner) find(ctx context.Context, id string) (*entry, *shape, error) {
	select {
	case <-r.loaded:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.entries[id]
	if e == nil {
		return nil, nil, fmt.Errorf("trigger %s: %w", id, engine.ErrNotFound)
	}
	return e, e.shape, nil
}

// Triggers lists all triggers in the order of their ids.
func (r *Runner) Triggers(ctx context.Context) ([]View, error) {
	select {
	case <-r.loaded:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	list := r.list(func(*entry) bool { return true })
	views := make([]View, len(list))
	r.mu.Lock()
	for i, e := range list {
		views[i] = e.view()
	}
	r.mu.Unlock()
	return views, r.findProblems(ctx, views)
}

// view copies what a host shows; the caller has the lock.
func (e *entry) view() View {
	return View{
		ID: e.id, WorkflowID: e.workflowID, WorkflowName: e.workflowName, Trigger: e.trigger,
		Draft: e.draft, Paused: e.record.Paused, PausedBy: e.record.PausedBy, PausedAt: e.record.PausedAt, Next: e.next,
		Token: e.record.Token, Firings: append([]Firing{}, e.record.Firings...),
	}
}

// Pause keeps a trigger from firing by itself until Resume; pausing twice is
// no error. What it would have fired meanwhile is not made up for.
func (r *Runner) Pause(ctx context.Context, id, by string) (View, error) {
	return r.change(ctx, id, func(e *entry) {
		if !e.record.Paused {
			e.record.Paused, e.record.PausedBy, e.record.PausedAt = true, by, r.now()
		}
	})
}

// Resume lets a paused trigger fire again, from now on.
func (r *Runner) Resume(ctx context.Context, id string) (View, error) {
	return r.change(ctx, id, func(e *entry) {
		if e.record.Paused {
			e.record.Paused, e.record.PausedBy, e.record.PausedAt = false, "", time.Time{}
			e.record.Since, e.record.Handled = r.now(), r.now()
		}
	})
}

// change keeps a changed record, or leaves everything as it was.
func (r *Runner) change(ctx context.Context, id string, apply func(*entry)) (View, error) {
	e, _, err := r.find(ctx, id)
	if err != nil {
		return View{}, err
	}
	view, err := r.apply(ctx, e, apply)
	if err != nil {
		return View{}, err
	}
	views := []View{view}
	err = r.findProblems(ctx, views)
	return views[0], err
}

func (r *Runner) apply(ctx context.Context, e *entry, apply func(*entry)) (View, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := *e.record
	apply(e)
	if err := r.put(ctx, e); err != nil {
		*e.record = before
		return View{}, err
	}
	r.plan(e)
	r.wake()
	r.files.wake()
	return e.view(), nil
}
