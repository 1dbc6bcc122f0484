package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// CommandKind is what a runtime is to do.
type CommandKind string

// The kinds of a Command.
const (
	// CommandBegin: the execution starts.
	CommandBegin CommandKind = "begin"
	// CommandStart: start an attempt at a step.
	CommandStart CommandKind = "start"
	// CommandExpand: a step with for_each gets its items.
	CommandExpand CommandKind = "expand"
	// CommandSettle: the unit's outcome is known without a call.
	CommandSettle CommandKind = "settle"
	// CommandUndo: start an attempt at taking the unit back.
	CommandUndo CommandKind = "undo"
	// CommandLeave: the unit is not undone, and says why.
	CommandLeave CommandKind = "leave"
	// CommandComplete: the step ends without (another) call.
	CommandComplete CommandKind = "complete"
	// CommandCancel: cancel the step's attempt under way.
	CommandCancel CommandKind = "cancel"
	// CommandReconcile: ask the handler what became of a lost attempt.
	CommandReconcile CommandKind = "reconcile"
	// CommandInterrupt: a person must decide what became of the step.
	CommandInterrupt CommandKind = "interrupt"
	// CommandTimeOut: the execution is out of time.
	CommandTimeOut CommandKind = "time_out"
	// CommandPark: the execution rests until somebody resumes it.
	CommandPark CommandKind = "park"
	// CommandFinish: the execution ends.
	CommandFinish CommandKind = "finish"
)

// Command is one thing that is due. A runtime that has begun to obey
// CommandCancel or CommandReconcile may be told it again, until the event
// that follows from it is applied.
type Command struct {
	Kind CommandKind
	// Ref is what the command is about; its Step is -1 where it has none.
	Ref
	// Attempt is that of CommandStart and CommandUndo.
	Attempt int
	// Status, Error, Reason, Output and ByChoice belong to CommandComplete,
	// CommandFinish, CommandInterrupt, CommandLeave and CommandPark.
	Status   Status
	Error    *Error
	Reason   string
	Output   json.RawMessage
	ByChoice bool
	// Kept is set for CommandComplete where the result is an earlier one.
	Kept *Kept
	// Items belong to CommandExpand, Outcome to CommandSettle.
	Items   []json.RawMessage
	Outcome pluginsdk.Outcome
}

// noStep is the Ref of a command about the whole execution.
var noStep = Ref{Step: -1, Item: WholeStep}

// Next returns every command that is due at now, steps in the order of the
// definition. It changes nothing.
func Next(s *State, now time.Time) []Command {
	switch {
	case s.Status.Ended() || s.parked:
		return nil
	case s.crashLooped(now):
		return []Command{{Kind: CommandPark, Ref: noStep, Reason: fmt.Sprintf(
			"the server died %d times within an hour while this ran; resume it once the cause is known", maxHostCrashes)}}
	case s.StartedAt.IsZero() && s.cancels == 0:
		if s.queued || s.paused {
			return nil
		}
		return []Command{{Kind: CommandBegin, Ref: noStep}}
	}
	if limit := s.graph.Definition().Timeout; limit > 0 && s.cancels == 0 && !now.Before(s.StartedAt.Add(limit)) {
		return []Command{{Kind: CommandTimeOut, Ref: noStep, Reason: s.timeoutReason()}}
	}
	commands := s.decideOpen(now)
	if s.open == 0 {
		undo, busy := s.decideRollback(now)
		commands = append(commands, undo...)
		if !busy {
			commands = append(commands, s.finish())
		}
	}
	return s.holdStarts(commands)
}

// decideOpen judges every unit that something may be due for.
func (s *State) decideOpen(now time.Time) []Command {
	var commands []Command
	if s.cancels > 0 {
		for _, r := range s.Running() {
			if s.dropped(r.Step) && !containsRef(s.lost, r) {
				commands = append(commands, Command{Kind: CommandCancel, Ref: r, Reason: s.cancelReason()})
			}
		}
	}
	for _, r := range s.lost {
		commands = s.decideLost(commands, r, now)
	}
	for _, r := range s.retrying {
		commands = s.decideRetrying(commands, r, now)
	}
	for _, r := range s.interrupted {
		if s.dropped(r.Step) {
			commands = append(commands, s.cancelled(r))
		}
	}
	for _, r := range s.waiting {
		commands = s.decideWaiting(commands, r, now)
	}
	room := maxCalls - len(s.running)
	for _, i := range s.expanded {
		commands, room = s.decideItems(commands, i, room)
	}
	for _, i := range s.ready {
		if s.swept(i) {
			commands = append(commands, s.sweep(i))
			continue
		}
		if room <= 0 {
			continue
		}
		command := s.decideReady(i)
		if command.Kind == CommandStart {
			room--
		}
		commands = append(commands, command)
	}
	return commands
}

// holdStarts takes back the starts that a pause forbids, and those that a
// failure among the commands rules out: once that is applied, the steps are
// skipped.
func (s *State) holdStarts(commands []Command) []Command {
	if s.paused {
		commands = slices.DeleteFunc(commands, func(c Command) bool { return c.Kind == CommandStart || c.Kind == CommandExpand })
	}
	failing := slices.ContainsFunc(commands, func(c Command) bool {
		fails := (c.Kind == CommandComplete && c.Status == StatusFailed) ||
			(c.Kind == CommandSettle && c.Outcome.Kind == pluginsdk.OutcomeFailure)
		return fails && !c.IsItem() && s.graph.Node(c.Step).Step.Required
	})
	if !failing || s.graph.Definition().OnFailure == workflow.OnFailureContinue {
		return commands
	}
	return slices.DeleteFunc(commands, func(c Command) bool {
		return (c.Kind == CommandStart || c.Kind == CommandExpand) && !c.IsItem() &&
			s.graph.Node(c.Step).Step.RunOn == workflow.RunOnSuccess && !containsRef(s.lost, c.Ref)
	})
}

// Due returns when Next would say something that it does not say at now, or
// the zero time where only an event can bring that about.
func Due(s *State, now time.Time) time.Time {
	var due time.Time
	consider := func(at time.Time) {
		if at.After(now) && (due.IsZero() || at.Before(due)) {
			due = at
		}
	}
	if s.Status.Ended() || s.parked || s.StartedAt.IsZero() {
		return due
	}
	if limit := s.graph.Definition().Timeout; limit > 0 && s.cancels == 0 {
		consider(s.StartedAt.Add(limit))
	}
	for _, r := range s.retrying {
		consider(s.Unit(r).RetryAt)
	}
	for _, r := range s.lost {
		consider(s.Unit(r).reconcileAt)
		consider(s.Unit(r).Undo.retryAt)
	}
	for _, r := range s.waiting {
		consider(s.Unit(r).Wait.Until)
	}
	if s.open == 0 && s.rollsBack() {
		for k := s.undoStart(); k >= 0; k-- {
			consider(s.Unit(s.finished[k]).Undo.retryAt)
		}
	}
	return due
}

func (s *State) crashLooped(now time.Time) bool {
	recent := 0
	for _, at := range s.crashes {
		if now.Sub(at) < crashWindow {
			recent++
		}
	}
	return recent >= maxHostCrashes
}

// dropped reports whether a cancel reaches the step: clean-up steps are
// spared by the first one, but for an execution that never began.
func (s *State) dropped(i int) bool {
	return s.cancels > 1 || (s.cancels == 1 && s.StartedAt.IsZero()) || (s.cancels == 1 && s.graph.Node(i).Step.RunOn != workflow.RunOnAlways)
}

// stopped reports whether on_failure keeps the step from starting.
func (s *State) stopped(i int) bool {
	return s.stoppedBy >= 0 && s.graph.Node(i).Step.RunOn == workflow.RunOnSuccess &&
		s.graph.Definition().OnFailure != workflow.OnFailureContinue
}

// swept reports whether a pending step will never start.
func (s *State) swept(i int) bool { return s.dropped(i) || s.stopped(i) }

// sweep skips a pending step that a cancel or a failed required step rules
// out. It comes in its turn, after its dependencies have ended: or else the
// clean-up steps behind it would start while what they clean up still runs.
func (s *State) sweep(i int) Command {
	reason := fmt.Sprintf("not run: %s failed", s.label(max(s.stoppedBy, 0)))
	if s.dropped(i) {
		reason = "not run: " + s.cancelReason()
	}
	return Command{Kind: CommandComplete, Ref: StepRef(i), Status: StatusSkipped, Reason: reason}
}

func (s *State) cancelReason() string {
	switch {
	case s.timedOut:
		return s.timeoutReason()
	case s.cancelBy != "":
		return "the execution was cancelled by " + s.cancelBy
	}
	return "the execution was cancelled"
}

func (s *State) timeoutReason() string {
	return fmt.Sprintf("the workflow's timeout of %s has passed", s.graph.Definition().Timeout)
}

// cancelled ends an open unit that no call is under way for.
func (s *State) cancelled(r Ref) Command {
	message, unit := s.cancelReason(), s.Unit(r)
	if unit.lostDetail != "" && unit.Status != StatusRetrying {
		message += "; the outcome of its last attempt is unknown: " + unit.lostDetail
	}
	return Command{Kind: CommandComplete, Ref: r, Status: StatusCancelled, Error: &Error{
		Message: message, Code: "CANCELLED", Class: pluginsdk.FailureCancelled,
	}}
}

// decideLost applies the recovery table to a unit whose outcome is unknown.
func (s *State) decideLost(commands []Command, r Ref, now time.Time) []Command {
	unit := s.Unit(r)
	start := Command{Kind: CommandStart, Ref: r, Attempt: unit.Attempt + 1}
	switch {
	case unit.crashes >= maxCrashes:
		start = Command{Kind: CommandComplete, Ref: r, Status: StatusFailed, Error: &Error{
			Message: fmt.Sprintf("its plugin crashed %d times while this step alone ran in it: %s", unit.crashes, unit.lostDetail),
			Code:    "crash_loop", Class: pluginsdk.FailurePermanent, Fault: pluginsdk.FaultAuthor,
		}}
	case unit.losses >= maxLosses:
		start = Command{Kind: CommandComplete, Ref: r, Status: StatusFailed, Error: &Error{
			Message: fmt.Sprintf("%d attempts at this step were lost: %s", unit.losses, unit.lostDetail),
			Code:    "crash_loop", Class: pluginsdk.FailurePermanent, Fault: pluginsdk.FaultAuthor,
		}}
	}
	switch {
	case unit.Undo.calling:
		return commands
	case s.dropped(r.Step):
		return append(commands, s.cancelled(r))
	case unit.decision == lostRerun, unit.decision == lostUndecided && unit.EffectClass.Rerunnable():
		return append(commands, start)
	case unit.decision == lostUndecided && unit.EffectClass == pluginsdk.EffectReconcilable:
		if now.Before(unit.reconcileAt) {
			return commands
		}
		return append(commands, Command{Kind: CommandReconcile, Ref: r})
	case s.graph.Node(r.Step).Step.OnInterrupt == workflow.OnInterruptRetry:
		return append(commands, start)
	}
	return s.decideUnknown(commands, r, now)
}

func (s *State) unknownReason(r Ref) string {
	unit := s.Unit(r)
	reason := "the outcome of attempt " + strconv.Itoa(unit.Attempt) + " is unknown"
	if unit.lostDetail != "" {
		reason += ": " + unit.lostDetail
	}
	return reason
}

// decideUnknown does as on_interrupt says, where it doesn't say retry.
func (s *State) decideUnknown(commands []Command, r Ref, now time.Time) []Command {
	reason, node := s.unknownReason(r), s.graph.Node(r.Step)
	switch on := node.Step.OnInterrupt; {
	case on == workflow.OnInterruptFail:
		return append(commands, Command{Kind: CommandComplete, Ref: r, Status: StatusFailed, Error: &Error{
			Message: reason + " (on_interrupt: fail)", Code: "INTERRUPTED", Class: pluginsdk.FailurePermanent,
		}})
	case on == workflow.OnInterruptSkip:
		return append(commands, Command{
			Kind: CommandComplete, Ref: r, Status: StatusSkipped, ByChoice: true, Reason: reason + " (on_interrupt: skip)",
		})
	case on == workflow.OnInterruptUndo && node.Handler != nil && node.Handler.Info.Capabilities.Undo:
		return s.decideUndo(commands, r, now)
	case on == workflow.OnInterruptUndo:
		reason += "; on_interrupt says undo, but its handler can't"
	}
	return append(commands, Command{Kind: CommandInterrupt, Ref: r, Reason: reason})
}

func (s *State) decideRetrying(commands []Command, r Ref, now time.Time) []Command {
	unit := s.Unit(r)
	switch {
	case s.dropped(r.Step):
		return append(commands, s.cancelled(r))
	case !r.IsItem() && s.stopped(r.Step):
		return append(commands, Command{Kind: CommandComplete, Ref: r, Status: StatusFailed, Error: unit.Error})
	case now.Before(unit.RetryAt):
		return commands
	}
	return append(commands, Command{Kind: CommandStart, Ref: r, Attempt: unit.Attempt + 1})
}

// decideReady judges a pending step whose dependencies have all ended.
func (s *State) decideReady(i int) Command {
	node := s.graph.Node(i)
	byChoice := func(reason string) Command {
		return Command{Kind: CommandComplete, Ref: StepRef(i), Status: StatusSkipped, Reason: reason, ByChoice: true}
	}
	if kept := s.keep[i]; kept != nil && kept.Status.Ended() {
		return Command{Kind: CommandComplete, Ref: StepRef(i), Status: kept.Status, Output: kept.Output, Reason: kept.SkipReason, ByChoice: true, Kept: kept}
	}
	if s.only >= 0 && s.only != i {
		return byChoice(fmt.Sprintf("only %s is run", s.label(s.only)))
	}
	if skip, due := s.judgeDependencies(node); due {
		return skip
	}
	if s.skip[i] {
		return byChoice("switched off for this run")
	}
	enabled, err := node.IsEnabled(s.Scope(StepRef(i)))
	switch {
	case err != nil:
		return s.invalid(i, "REFERENCE_ERROR", err)
	case !enabled:
		return byChoice("the step is not enabled")
	case node.When == nil:
		return s.startOrExpand(i)
	}
	run, detail, err := node.When.Eval(s.expressionEnv())
	switch {
	case err != nil:
		return s.invalid(i, "EXPRESSION_ERROR", err)
	case !run:
		return byChoice("its condition is false: " + detail)
	}
	return s.startOrExpand(i)
}

func (s *State) startOrExpand(i int) Command {
	if s.graph.Node(i).ForEach != nil {
		return s.expand(i)
	}
	return Command{Kind: CommandStart, Ref: StepRef(i), Attempt: s.Steps[i].Attempt + 1}
}

// judgeDependencies says whether run_on keeps the step from running.
func (s *State) judgeDependencies(node *workflow.Node) (Command, bool) {
	skip := Command{Kind: CommandComplete, Ref: StepRef(node.Index), Status: StatusSkipped}
	switch node.Step.RunOn {
	case workflow.RunOnAlways:
		return Command{}, false
	case workflow.RunOnFailure:
		dependencies := node.Dependencies
		if len(dependencies) == 0 {
			if s.counts[StatusFailed] > 0 {
				return Command{}, false
			}
			skip.Reason, skip.ByChoice = "no step failed", true
			return skip, true
		}
		for _, d := range dependencies {
			if s.Steps[d].Status == StatusFailed {
				return Command{}, false
			}
		}
		skip.Reason, skip.ByChoice = "none of its dependencies failed", true
		return skip, true
	default:
	}
	var broken []string
	for _, d := range node.Dependencies {
		if !s.satisfied(d) {
			broken = append(broken, fmt.Sprintf("%s %s", s.label(d), s.endOf(d)))
		}
	}
	if len(broken) == 0 {
		return Command{}, false
	}
	skip.Reason = "not run: " + strings.Join(broken, ", ")
	return skip, true
}

func (s *State) endOf(i int) string {
	switch s.Steps[i].Status {
	case StatusCancelled, StatusSkipped:
		return "was " + string(s.Steps[i].Status)
	default:
		return string(s.Steps[i].Status)
	}
}

func (s *State) invalid(i int, code string, err error) Command {
	return Command{Kind: CommandComplete, Ref: StepRef(i), Status: StatusFailed, Error: &Error{
		Message: err.Error(), Code: code, Class: pluginsdk.FailureInvalidInput, Fault: pluginsdk.FaultUser,
	}}
}

func (s *State) finish() Command {
	finish := Command{Kind: CommandFinish, Ref: noStep, Status: StatusSuccess, Reason: s.rollbackReason()}
	switch {
	case s.timedOut:
		finish.Status = StatusFailed
		finish.Error = &Error{Message: s.timeoutReason(), Code: "TIMEOUT", Class: pluginsdk.FailureTimeout}
	case s.cancels > 0:
		finish.Status, finish.Reason = StatusCancelled, s.cancelReason()
	case s.Origin != nil && s.Origin.UndoOf != "":
		if len(s.notUndone) > 0 {
			finish.Status, finish.Error = StatusFailed, &Error{Message: finish.Reason, Code: "UNDO_FAILED"}
		}
	case s.stoppedBy >= 0:
		finish.Status = StatusFailed
		finish.Error = &Error{Message: s.label(s.stoppedBy) + " failed", Code: "EXECUTION_ERROR"}
		if cause := s.Steps[s.stoppedBy].Error; cause != nil {
			finish.Error = &Error{
				Message: s.label(s.stoppedBy) + " failed: " + cause.Message, Code: cause.Code,
				Retryable: cause.Retryable, Class: cause.Class, Fault: cause.Fault,
			}
		}
	case s.optionalBad:
		finish.Status = StatusPartial
	}
	return finish
}
