package trigger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
)

const (
	// maxEnds bounds the ends that wait to be looked at; beyond it they are
	// read from the store again.
	maxEnds = 1024
	// endOverlap is how much earlier than the newest handled end a missed one
	// may have come: two executions end at nearly the same time.
	endOverlap = 10 * time.Second
	// maxParents bounds how far up the parents of a child are followed.
	maxParents = 32
)

// Ends takes the ends of executions from the engine's events. It implements
// engine.Publisher, never blocks, and keeps nothing unless a workflow trigger
// waits for it.
type Ends struct {
	mu       sync.Mutex
	wake     func()
	queue    []string
	overflow bool
}

// NewEnds returns an Ends that keeps nothing yet.
func NewEnds() *Ends { return &Ends{} }

// Publish takes an event after it is durable.
func (e *Ends) Publish(event plan.Event) {
	if event.Type != plan.WorkflowCompleted {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.wake == nil:
		return
	case len(e.queue) >= maxEnds:
		e.overflow = true
	default:
		e.queue = append(e.queue, event.ExecutionID)
	}
	e.wake()
}

// follow begins or stops to keep ends.
func (e *Ends) follow(on bool, wake func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.wake = nil; on {
		e.wake = wake
	} else {
		e.queue, e.overflow = nil, false
	}
}

// take gives the executions that have ended since; all is false where there
// were more than were kept.
func (e *Ends) take() (ids []string, all bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ids, all = e.queue, !e.overflow
	e.queue, e.overflow = nil, false
	return ids, all
}

// fireEnds starts what workflow triggers want of the ends there were.
func (r *Runner) fireEnds(ctx context.Context) {
	watching := r.list(func(e *entry) bool { return e.trigger.Type == workflow.TriggerWorkflow })
	if len(watching) == 0 {
		return
	}
	ids, all := r.options.Ends.take()
	for _, e := range watching {
		r.mu.Lock()
		missed := (e.atStart || !all) && e.active()
		e.atStart = false
		r.mu.Unlock()
		if !missed {
			continue
		}
		if err := r.fireMissedEnds(ctx, e); err != nil && ctx.Err() == nil {
			r.log.Error("the ends that a trigger may have missed can't be read; trying again", "trigger", e.id, "workflow_id", e.workflowID, "error", err)
			r.lookForMissedAgain(e)
		}
	}
	for _, id := range ids {
		execution, err := r.options.Executions.Execution(ctx, id)
		if err != nil {
			if !errors.Is(err, engine.ErrNotFound) && ctx.Err() == nil {
				r.log.Error("an execution that ended can't be read", "execution_id", id, "error", err)
			}
			continue
		}
		for _, e := range watching {
			if ctx.Err() != nil {
				return
			}
			r.fireEnd(ctx, e, &execution)
		}
	}
}

// fits reports whether an end is one that the trigger waits for and has not
// seen; the caller has the lock.
func (e *entry) fits(execution *engine.Execution) bool {
	watched := e.trigger.Workflow
	return e.active() && (watched == execution.WorkflowID || watched == execution.WorkflowName) &&
		slices.Contains(e.trigger.Statuses, string(execution.Status)) &&
		!slices.ContainsFunc(e.record.Firings, func(f Firing) bool { return f.Cause == execution.ID })
}

func (r *Runner) fireEnd(ctx context.Context, e *entry, ended *engine.Execution) {
	r.mu.Lock()
	s, fits := e.shape, e.fits(ended)
	r.mu.Unlock()
	if !fits {
		return
	}
	// Whoever may not see a workflow must not learn from a firing that it
	// ended.
	if may, err := r.options.Sources.MayWatch(ctx, s.workflowID, ended.WorkflowID); err == nil && !may || ctx.Err() != nil {
		return
	} else if err != nil {
		r.log.Error("whether a trigger may be fired by an end can't be read", "trigger", e.id, "execution_id", ended.ID, "error", err)
		r.lookForMissedAgain(e)
		return
	}
	firing := Firing{Cause: ended.ID}
	var execution engine.Execution
	link, err := r.links(ctx, ended)
	if link++; err == nil && link > MaxChain {
		err = ErrChain
	}
	if err == nil {
		execution, err = r.start(ctx, s, cause{key: "end:" + ended.ID, link: link, payload: map[string]any{
			"execution_id": ended.ID, "status": ended.Status,
			"workflow": map[string]any{"id": ended.WorkflowID, "name": ended.WorkflowName},
		}})
	}
	if givenUp(ctx, err) {
		return
	}
	r.note(ctx, e, ended.CompletedAt, r.outcome(s, firing, execution, err))
}

// findProblems fills in what keeps workflow triggers from firing.
func (r *Runner) findProblems(ctx context.Context, views []View) error {
	var names map[string]string
	for i := range views {
		v := &views[i]
		if v.Trigger.Type != workflow.TriggerWorkflow || !v.Trigger.Enabled || v.Draft {
			continue
		}
		if names == nil {
			var err error
			if names, err = r.options.Sources.SourceNames(ctx); err != nil {
				return err
			}
		}
		found, err := r.watchesSomething(ctx, v, names)
		if err != nil {
			return fmt.Errorf("find what trigger %s watches: %w", v.ID, err)
		}
		if !found {
			// One that is hidden reads like one that there is not: the
			// author must not learn the difference.
			v.Problem = fmt.Sprintf("It never fires: there is no workflow %q that the author of this one may see. "+
				"Correct the name, ask whoever owns that workflow to share it, or have somebody save this one who may see it.", v.Trigger.Workflow)
		}
	}
	return nil
}

// watchesSomething reports whether there is a workflow whose ends may fire a
// trigger.
func (r *Runner) watchesSomething(ctx context.Context, v *View, names map[string]string) (bool, error) {
	for id, name := range names {
		if watched := v.Trigger.Workflow; id != watched && name != watched {
			continue
		}
		may, err := r.options.Sources.MayWatch(ctx, v.WorkflowID, id)
		if errors.Is(err, engine.ErrNotFound) {
			continue // It was deleted since.
		}
		if may || err != nil {
			return may, err
		}
	}
	return false, nil
}

// links counts the workflow triggers in a row that led to an execution, or to
// the one that it is a child of.
func (r *Runner) links(ctx context.Context, execution *engine.Execution) (int, error) {
	top := *execution
	for depth := 0; top.Parent != nil && depth < maxParents; depth++ {
		parent, err := r.options.Executions.Execution(ctx, top.Parent.ExecutionID)
		if errors.Is(err, engine.ErrNotFound) {
			break // Its history was deleted.
		}
		if err != nil {
			return 0, err
		}
		top = parent
	}
	if top.Trigger != string(workflow.TriggerWorkflow) {
		return 0, nil
	}
	return linkOf(&top), nil
}

// fireMissedEnds looks in the store for ends that nobody told of: the server
// stopped between an end and what it should have started, or ends came faster
// than they were handled.
func (r *Runner) fireMissedEnds(ctx context.Context, e *entry) error {
	names, err := r.options.Sources.SourceNames(ctx)
	if err != nil {
		return err
	}
	r.mu.Lock()
	s, since, handled := e.shape, e.record.Since, e.record.Handled
	r.mu.Unlock()
	if from := handled.Add(-endOverlap); from.After(since) {
		since = from
	}
	var missed []engine.Execution
	for id, name := range names {
		if id != s.trigger.Workflow && name != s.trigger.Workflow {
			continue
		}
		err := r.options.Executions.EachEnded(ctx, id, func(execution engine.Execution) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if execution.CompletedAt.After(since) && e.fits(&execution) {
				missed = append(missed, execution)
			}
		})
		if err != nil {
			return err
		}
	}
	slices.SortFunc(missed, func(a, b engine.Execution) int {
		if c := a.CompletedAt.Compare(b.CompletedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	if over := len(missed) - MaxCatchUp; over > 0 {
		r.note(ctx, e, missed[over-1].CompletedAt, Firing{
			Outcome: Missed, Count: over, Until: missed[over-1].CompletedAt, Reason: "too many ends came while the server was not running",
		})
		missed = missed[over:]
	}
	for i := range missed {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // The next start reads what is left.
		}
		r.fireEnd(ctx, e, &missed[i])
	}
	return nil
}

// lookForMissedAgain has the next turn read the missed ends, soon.
func (r *Runner) lookForMissedAgain(e *entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.atStart = true
	r.stale[e.workflowID] = struct{}{}
}
