package plan

import (
	"errors"
	"fmt"
	"time"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

const (
	// maxUndoAttempts is how often taking a step back is tried where its
	// handler says that another try may help.
	maxUndoAttempts = 3
	// undoInterval is the wait before the second try; it doubles.
	undoInterval = time.Second
	// undoWait is the least wait for a plugin that can't be called.
	undoWait = 15 * time.Second
)

// rollsBack reports whether the execution ends by taking back what it did.
func (s *State) rollsBack() bool {
	if s.Origin != nil && s.Origin.UndoOf != "" {
		return true
	}
	return s.stoppedBy >= 0 && s.graph.Definition().OnFailure == workflow.OnFailureRollback
}

// Undoable reports whether a unit can be taken back: it succeeded, its
// handler can undo, and it left what that needs.
func (s *State) Undoable(r Ref) bool {
	unit, handler := s.Unit(r), s.graph.Node(r.Step).Handler
	return unit.Status == StatusSuccess && handler != nil && handler.Info.Capabilities.Undo && len(unit.UndoToken) > 0
}

// unreachable reports whether what a unit did stands for good: its handler can
// undo, but a person declared the unit done, and nobody knows what it would
// take to undo it.
func (s *State) unreachable(r Ref) bool {
	unit, handler := s.Unit(r), s.graph.Node(r.Step).Handler
	return unit.Status == StatusSuccess && unit.declared && len(unit.UndoToken) == 0 && handler != nil && handler.Info.Capabilities.Undo
}

// decideRollback returns what is due of a rollback, last finished first, one
// at a time; busy is false once nothing is left.
//
// A unit that could not be undone stands, and so does everything that it was
// built on: the steps that come before it in the graph are left as they are.
// Whatever comes after a unit finished after it, so that all that could hold
// it back has been tried when its turn comes. Units that have nothing to undo
// are passed by.
func (s *State) decideRollback(now time.Time) (commands []Command, busy bool) {
	if !s.rollsBack() {
		return nil, false
	}
	if s.cancels > 0 {
		// What is under way ends; the rest stays.
		return nil, len(s.undoing) > 0
	}
	for k := s.undoStart(); k >= 0; k-- {
		r := s.finished[k]
		unit := s.Unit(r)
		begun := unit.Undo.Status != ""
		by, held := s.heldBy[r.Step]
		switch {
		case unit.Undo.Status.Ended():
		case !begun && s.unreachable(r):
			// What it holds back is known once this is applied.
			return append(commands, Command{Kind: CommandLeave, Ref: r, Status: StatusFailed, Error: unreachableError()}), true
		case !begun && !s.Undoable(r):
		case !begun && held:
			commands = append(commands, Command{Kind: CommandLeave, Ref: r, Status: StatusSkipped, Reason: s.heldReason(by)})
		default:
			return s.decideUndo(commands, r, now), true
		}
	}
	return commands, len(commands) > 0
}

func unreachableError() *Error {
	return &Error{
		Message: "its outcome was unknown and a person declared it done, so that nobody knows what it takes to undo it",
		Code:    "UNDO_UNKNOWN", Class: pluginsdk.FailurePermanent,
	}
}

// heldReason says why a unit is left as it is: by is the one after it that
// could not be undone.
func (s *State) heldReason(by Ref) string {
	return fmt.Sprintf("%s, which comes after it, could not be undone: %s", s.labelOf(by), s.Unit(by).Undo.problem())
}

// holdBack notes that all steps before a unit that could not be undone are
// left as they are.
func (s *State) holdBack(by Ref) {
	queue := []int{by.Step}
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		for _, d := range s.graph.Node(i).Dependencies {
			if _, held := s.heldBy[d]; !held {
				s.heldBy[d] = by
				queue = append(queue, d)
			}
		}
	}
}

func (s *State) undoStart() int {
	if s.undoAt == undoNotBegun {
		return len(s.finished) - 1
	}
	return s.undoAt
}

// undoNotBegun is undoAt before the first step was taken back.
const undoNotBegun = -2

// decideUndo starts the next attempt at taking a unit back, if it is due.
func (s *State) decideUndo(commands []Command, r Ref, now time.Time) []Command {
	undo := &s.Unit(r).Undo
	if undo.calling || now.Before(undo.retryAt) || s.paused {
		return commands
	}
	return append(commands, Command{Kind: CommandUndo, Ref: r, Attempt: undo.Attempt + 1})
}

// UndoEvent is the event of an attempt at taking a unit back that is about to
// be made.
func UndoEvent(s *State, command Command, now time.Time) Event {
	return Event{
		Type: UndoStarted, StepID: s.stepID(command.Step), ItemIndex: command.itemIndex(), Attempt: command.Attempt, Time: now,
	}
}

func (s *State) applyUndo(r Ref, e Event) error {
	unit := s.Unit(r)
	switch e.Type {
	case UndoStarted:
		unit.Undo = UndoState{Status: StatusRunning, Attempt: e.Attempt, At: e.Time, calling: true}
		s.undoing[r] = true
	case UndoRetrying:
		delete(s.undoing, r)
		if e.Private.NotRun {
			unit.Undo.Attempt--
		}
		unit.Undo.calling, unit.Undo.retryAt, unit.Undo.Error = false, e.Private.RetryAt, e.Error
	case UndoLost:
		delete(s.undoing, r)
		unit.Undo.calling = false
	case StepUndone:
		s.applyUndone(r, e)
	case UndoneElsewhere:
		if unit.Status == StatusSuccess {
			unit.Status = StatusUndone
		}
		unit.Undo = UndoState{Status: StatusUndone, At: e.Time, By: e.By}
		if r.IsItem() {
			s.settleItemsUndone(r.Step)
			if step := &s.Steps[r.Step]; step.Status == StatusUndone {
				step.Undo = unit.Undo
			}
		}
	default:
		return errors.New("unknown event")
	}
	return nil
}

func (s *State) applyUndone(r Ref, e Event) {
	unit := s.Unit(r)
	delete(s.undoing, r)
	unit.Undo = UndoState{Status: Status(e.Status), Attempt: unit.Undo.Attempt, Error: e.Error, SkipReason: e.SkipReason, At: e.Time}
	if !unit.Status.Ended() {
		return // A step of unknown outcome: its end follows.
	}
	switch Status(e.Status) {
	case StatusUndone:
		unit.Status = StatusUndone
		s.undone++
	case StatusSkipped:
		s.leftAlone++
	default:
		s.notUndone = append(s.notUndone, r)
		s.holdBack(r)
	}
	for k := s.undoStart(); k >= 0; k-- {
		if s.finished[k] == r {
			s.undoAt = k - 1
			break
		}
	}
	if r.IsItem() {
		s.settleItemsUndone(r.Step)
	}
}

// settleItemsUndone calls a step undone once the last of its items is.
func (s *State) settleItemsUndone(i int) {
	step := &s.Steps[i]
	for k := range step.Items {
		if r := (Ref{i, k}); s.Undoable(r) {
			return
		}
	}
	if step.Status == StatusSuccess {
		step.Status = StatusUndone
	}
}

// SettleUndo says which events the end of an attempt at taking a unit back
// becomes.
func SettleUndo(s *State, r Ref, outcome pluginsdk.Outcome, now time.Time) []Event {
	undo := &s.Unit(r).Undo
	event := Event{
		Type: StepUndone, StepID: s.stepID(r.Step), StepName: s.graph.Node(r.Step).Name(), ItemIndex: r.itemIndex(),
		Attempt: undo.Attempt, Time: now, Status: string(StatusUndone),
	}
	switch outcome.Kind {
	case pluginsdk.OutcomeSuccess, pluginsdk.OutcomeSkipped:
		return s.afterUndo(r, []Event{event}, now)
	default:
	}
	event.Error = ErrorOf(outcome.Failure)
	if event.Error == nil {
		event.Error = &Error{Message: "nobody knows how it ended", Code: "UNDO_UNKNOWN"}
	}
	if outcome.Kind == pluginsdk.OutcomeNotRun {
		event.Type, event.Status = UndoRetrying, ""
		event.Private = &Private{NotRun: true, RetryAt: now.Add(max(outcome.Failure.RetryAfter, undoWait))}
		return []Event{event}
	}
	again := outcome.Kind == pluginsdk.OutcomeUnknown || event.Error.Retryable
	if again && undo.Attempt < maxUndoAttempts {
		event.Type, event.Status = UndoRetrying, ""
		event.Private = &Private{RetryAt: now.Add(undoInterval << (undo.Attempt - 1))}
		return []Event{event}
	}
	event.Status = string(StatusFailed)
	return s.afterUndo(r, []Event{event}, now)
}

// afterUndo ends a unit of unknown outcome that was taken back because of
// on_interrupt; one that could not be is for a person to decide.
func (s *State) afterUndo(r Ref, events []Event, now time.Time) []Event {
	unit := s.Unit(r)
	if unit.Status.Ended() {
		return events
	}
	reason := s.unknownReason(r)
	if undone := events[0]; undone.Status != string(StatusUndone) {
		reason += "; what it did could not be undone: " + undone.Error.Message
		return append(events, s.interruptEvent(r, reason, now))
	}
	return append(events, s.completed(r, now, Event{Status: string(StatusFailed), Error: &Error{
		Message: reason + "; what it may have done was undone (on_interrupt: undo)", Code: "INTERRUPTED", Class: pluginsdk.FailurePermanent,
	}}))
}

// rollbackReason says what a rollback came to, empty where there was none.
func (s *State) rollbackReason() string {
	stuck := len(s.notUndone)
	if s.undone == 0 && stuck == 0 {
		return ""
	}
	reason := steps(s.undone) + " undone"
	if stuck == 0 {
		return reason
	}
	first, before := s.notUndone[0], "it"
	which := s.labelOf(first)
	if stuck > 1 {
		which, before = "first "+which, "them"
	}
	reason += fmt.Sprintf(", %s could not be undone (%s: %s)", steps(stuck), which, s.Unit(first).Undo.problem())
	if s.leftAlone > 0 {
		reason += fmt.Sprintf("; left as they are: %s that come before %s", steps(s.leftAlone), before)
	}
	return reason
}

func steps(n int) string {
	if n == 1 {
		return "1 step"
	}
	return fmt.Sprintf("%d steps", n)
}
