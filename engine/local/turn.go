package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
)

// turn gathers what one turn of an owner appends, answers and does.
type turn struct {
	e *execution
	// now has a monotonic reading, so that what is waited for is the time that
	// passes, whatever the clock on the wall is set to. The state keeps such
	// times as long as it lives; what leaves it is in UTC and has none.
	now     time.Time
	events  []plan.Event
	acts    []func()
	answers []answer
	// told are the units that a cancel or a reconcile of this turn names;
	// Next repeats those commands until their events are applied.
	told map[plan.Ref]bool
	// moved: a step ended, and nobody was told the progress yet.
	moved bool
}

type answer struct {
	to        chan reply
	explained []plan.StepExplanation
	err       error
}

// gather turns messages into events, and then everything that is due into
// events and acts, until nothing more is due.
func (t *turn) gather(batch []*message) error {
	t.told = map[plan.Ref]bool{}
	for _, m := range batch {
		err := t.take(*m)
		if m.reply != nil {
			a := answer{to: m.reply, err: err}
			if m.kind == messageExplain {
				a.explained = plan.Explain(t.e.state, t.now)
			}
			t.answers = append(t.answers, a)
		} else if err != nil {
			return err
		}
	}
	if err := t.queue(); err != nil {
		return err
	}
	for {
		before := len(t.events)
		for _, command := range plan.Next(t.e.state, t.now) {
			if err := t.obey(command); err != nil {
				return err
			}
		}
		if len(t.events) == before {
			break
		}
	}
	if t.moved {
		return t.progress()
	}
	return nil
}

// take turns one message into events. An error for a message with a reply is
// the caller's; any other ends the execution here.
func (t *turn) take(m message) error {
	e := t.e
	switch m.kind {
	case messageOutcome:
		delete(e.calls, m.ref)
		if !t.current(m) {
			return nil
		}
		return t.add(plan.WithUsage(plan.Settle(e.state, m.ref, m.outcome, m.cause, t.now, e.r.options.Chance()), m.usage)...)
	case messageReconciled:
		return t.reconciled(m)
	case messageAskAgain:
		delete(e.reconciling, m.ref)
		return nil
	case messagePlugins:
		return t.wake()
	case messageUndone:
		return t.undone(m)
	case messageChild:
		if unit := e.state.Unit(m.ref); unit.Status != plan.StatusWaiting || unit.Attempt != m.attempt {
			return nil
		}
		return t.add(plan.Settle(e.state, m.ref, m.outcome, "", t.now, e.r.options.Chance())...)
	case messageWait:
		return t.wait(m)
	case messageNote:
		if m.note.Attempt != e.state.Unit(m.ref).Attempt {
			return nil
		}
		m.note.Time = t.now
		return t.add(m.note)
	case messageGrant:
		e.mustQueue = nil
		if e.state.Queued() {
			return t.add(plan.Event{Type: plan.SlotGranted, Time: t.now})
		}
		return nil
	case messageRetire:
		e.retired = true
		return nil
	case messageExplain:
		return nil
	}
	return t.control(m)
}

// reconciled takes up what a handler said of a lost attempt. Where nobody can
// be asked any more, the execution is parked once, so that somebody learns of
// it; when it goes on, the outcome is unknown.
func (t *turn) reconciled(m message) error {
	e := t.e
	if m.later > 0 && t.current(m) {
		e.r.options.Clock.AfterFunc(m.later, func() { e.post(message{kind: messageAskAgain, ref: m.ref, attempt: m.attempt}) })
		return nil
	}
	delete(e.reconciling, m.ref)
	if !t.current(m) {
		return nil
	}
	if m.noBinary && !e.noBinary[m.ref] && !e.state.Cancelling() {
		e.noBinary[m.ref] = true
		return t.park(fmt.Sprintf("step %q: %s; resume it, and the step's outcome counts as unknown", e.graph.Node(m.ref.Step).Step.ID, m.reconciled.Detail))
	}
	return t.add(plan.SettleReconciled(e.state, m.ref, m.reconciled, t.now)...)
}

// wake starts what waits for a plugin, where it can be called again.
func (t *turn) wake() error {
	for r := range t.e.reconciling {
		// Who is being asked now is only asked twice.
		delete(t.e.reconciling, r)
	}
	for _, command := range plan.Woken(t.e.state) {
		if err := t.obey(command); err != nil {
			return err
		}
	}
	return nil
}

// park lets the execution rest until somebody resumes it.
func (t *turn) park(reason string) error {
	if t.e.state.Parked() {
		return nil
	}
	return t.add(plan.Event{Type: plan.ExecutionParked, Time: t.now, Reason: reason})
}

// current reports whether a message is about the attempt that is under way.
func (t *turn) current(m message) bool {
	unit := t.e.state.Unit(m.ref)
	return unit.Attempt == m.attempt && unit.Status == plan.StatusRunning
}

// control turns what a person asks for into events.
func (t *turn) control(m message) error {
	e := t.e
	if e.state.Status.Ended() {
		return fmt.Errorf("%w: the execution is %s", engine.ErrConflict, e.state.Status)
	}
	switch m.kind {
	case messageCancel:
		if m.once && e.state.Cancelling() {
			return nil
		}
		return t.add(plan.Event{Type: plan.ExecutionCancelling, Time: t.now, By: m.by})
	case messagePause:
		if e.state.Paused() || e.state.Parked() {
			return fmt.Errorf("%w: the execution is paused already", engine.ErrConflict)
		}
		if e.state.Cancelling() {
			return fmt.Errorf("%w: the execution is being cancelled", engine.ErrConflict)
		}
		return t.add(plan.Event{Type: plan.ExecutionPaused, Time: t.now, By: m.by, Reason: "paused by " + m.by})
	case messageResume:
		if e.missing != "" {
			return fmt.Errorf("%w: %s", engine.ErrConflict, e.missing)
		}
		if !e.state.Parked() && !e.state.Paused() {
			return fmt.Errorf("%w: the execution is %s, not paused", engine.ErrConflict, e.state.Status)
		}
		return t.add(plan.Event{Type: plan.ExecutionResumed, Time: t.now, By: m.by})
	case messageResolve:
		return t.resolve(m)
	case messageApprove:
		return t.approve(m)
	case messageSignal:
		return t.add(plan.SettleSignal(m.signal, m.payload, m.by, t.now))
	default:
		return fmt.Errorf("the engine does not know message %d", m.kind)
	}
}

// queue says once why an execution waits for a slot.
func (t *turn) queue() error {
	e := t.e
	if e.mustQueue == nil || e.state.Queued() || e.state.Status.Ended() || !e.state.StartedAt.IsZero() {
		return nil
	}
	details, err := json.Marshal(e.mustQueue)
	if err != nil {
		return fmt.Errorf("describe a queue: %w", err)
	}
	reason := queueReason(e.mustQueue)
	t.acts = append(t.acts, func() { e.mustQueue = nil })
	return t.add(plan.Event{Type: plan.ExecutionQueued, Time: t.now, Reason: reason, Details: details})
}

// units are the step that a person names, or one of its items, in a status.
func (t *turn) units(stepID string, item *int, status plan.Status, among []plan.Ref) ([]plan.Ref, error) {
	i, found := t.e.graph.Index(stepID)
	if !found {
		return nil, fmt.Errorf("step %q: %w", stepID, engine.ErrNotFound)
	}
	var units []plan.Ref
	for _, r := range among {
		if r.Step == i && (item == nil || *item == r.Item) {
			units = append(units, r)
		}
	}
	if len(units) == 0 {
		return nil, fmt.Errorf("%w: the step is %s, not %s", engine.ErrConflict, t.e.state.Steps[i].Status, status)
	}
	return units, nil
}

func (t *turn) resolve(m message) error {
	units, err := t.units(m.stepID, m.resolution.Item, plan.StatusInterrupted, t.e.state.Interrupted())
	if err != nil {
		return err
	}
	for _, r := range units {
		if err := t.add(plan.SettleResolved(t.e.state, r, m.resolution.As, m.resolution.Output, m.by, t.now)...); err != nil {
			return err
		}
	}
	return nil
}

// approve answers an approval of those who may.
func (t *turn) approve(m message) error {
	e := t.e
	var waiting []plan.Ref
	for _, r := range e.state.Waiting() {
		if e.state.Unit(r).Wait.Reason == plan.WaitApproval {
			waiting = append(waiting, r)
		}
	}
	units, err := t.units(m.stepID, m.approval.Item, "waiting for an approval", waiting)
	if err != nil {
		return err
	}
	wait := e.state.Unit(units[0]).Wait
	if !mayApprove(wait.Approvers, m.approval) {
		return fmt.Errorf("%w: this approval is for %s", engine.ErrForbidden, strings.Join(wait.Approvers, ", "))
	}
	if m.approval.Approved {
		if err := checkForm(wait.Form, m.approval.Data, m.stepID); err != nil {
			return err
		}
	}
	decision := plan.Decision{Approved: m.approval.Approved, Comment: m.approval.Comment, Data: m.approval.Data, By: m.approval.By}
	events := plan.Settle(e.state, units[0], decision.Outcome(), "", t.now, e.r.options.Chance())
	for i := range events {
		events[i].By = m.approval.By
	}
	return t.add(events...)
}

func mayApprove(approvers []string, approval engine.Approval) bool {
	return len(approvers) == 0 || slices.Contains(approvers, approval.By) ||
		slices.ContainsFunc(approvers, func(name string) bool { return slices.Contains(approval.Roles, name) })
}

// checkForm holds an answer against the form that was asked for.
func checkForm(form, data json.RawMessage, stepID string) error {
	if len(form) == 0 {
		return nil
	}
	if len(data) == 0 {
		data = json.RawMessage("{}")
	}
	problems, err := workflow.CheckSchema(form, data, "/data")
	if err != nil {
		return fmt.Errorf("check the answer to step %q: %w", stepID, err)
	}
	if !problems.HasErrors() {
		return nil
	}
	return &engine.ProblemsError{Summary: "the answer does not fit the form", Problems: problems.Errors()}
}

// wait lets a bound approval wait with its plan, or with a newer one.
func (t *turn) wait(m message) error {
	unit := t.e.state.Unit(m.ref)
	if unit.Attempt != m.attempt || (unit.Status != plan.StatusRunning && unit.Status != plan.StatusWaiting) {
		return nil
	}
	event, err := plan.WaitingEvent(t.e.state, m.ref, m.wait, t.now)
	if err != nil {
		return err
	}
	return t.add(event)
}

// undone settles an attempt at taking a unit back.
func (t *turn) undone(m message) error {
	e := t.e
	delete(e.undoCalls, m.ref)
	if undo := e.state.Unit(m.ref).Undo; undo.Status != plan.StatusRunning || undo.Attempt != m.attempt {
		return nil
	}
	return t.add(plan.SettleUndo(e.state, m.ref, m.outcome, t.now)...)
}

// add numbers and applies events.
func (t *turn) add(events ...plan.Event) error {
	e := t.e
	for _, event := range events {
		event.ExecutionID, event.WorkflowID = e.id, e.header.WorkflowID
		if event.Type.Internal() {
			e.sub++
		} else {
			e.seq, e.sub = e.seq+1, 0
		}
		event.Seq, event.Sub = e.seq, e.sub
		if err := e.shrink(&event); err != nil {
			return err
		}
		if err := e.state.Apply(event); err != nil {
			return err
		}
		if event.Type == plan.StepCompleted {
			t.moved = true
		}
		t.events = append(t.events, event.WithTimes(time.Time.UTC))
	}
	return nil
}

func (t *turn) progress() error {
	t.moved = false
	progress := t.e.state.Progress()
	return t.add(plan.Event{Type: plan.ProgressMade, Time: t.now, Progress: &progress})
}

// obey does what a command asks, or notes it to be done after the commit.
func (t *turn) obey(command plan.Command) error {
	e := t.e
	switch command.Kind {
	case plan.CommandStart:
		return t.start(command)
	case plan.CommandSettle:
		return t.add(plan.Settle(e.state, command.Ref, command.Outcome, "", t.now, e.r.options.Chance())...)
	case plan.CommandUndo:
		return t.undo(command)
	case plan.CommandCancel:
		t.cancel(command)
		return nil
	case plan.CommandReconcile:
		if !e.reconciling[command.Ref] && !e.draining() {
			e.reconciling[command.Ref] = true
			t.acts = append(t.acts, func() { e.reconcile(command.Ref) })
		}
		return nil
	case plan.CommandFinish:
		if t.moved {
			if err := t.progress(); err != nil {
				return err
			}
		}
	default:
	}
	event, ok := plan.EventOf(e.state, command, t.now)
	if !ok {
		return fmt.Errorf("the engine does not know the command %s", command.Kind)
	}
	return t.add(event)
}

// cancel cuts a call short, or asks a child to end.
func (t *turn) cancel(command plan.Command) {
	e, r := t.e, command.Ref
	if t.told[r] {
		return
	}
	t.told[r] = true
	if c := e.calls[r]; c != nil {
		t.acts = append(t.acts, func() { c.cancel(errors.New(command.Reason)) })
		return
	}
	if e.childCancels[r] >= max(1, e.state.Cancels()) {
		return
	}
	e.childCancels[r]++
	t.acts = append(t.acts, func() {
		if c := e.children[r]; c != nil {
			c.askToEnd(command.Reason)
		}
	})
}
