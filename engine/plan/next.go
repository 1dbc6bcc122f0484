package plan

import (
	"fmt"
	"slices"
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
	// Step is an index into the graph, -1 where the command has none.
	Step int
	// Attempt is that of CommandStart.
	Attempt int
	// Status, Error, Reason and ByChoice belong to CommandComplete,
	// CommandFinish, CommandInterrupt and CommandPark.
	Status   Status
	Error    *Error
	Reason   string
	ByChoice bool
}

// Next returns every command that is due at now, steps in the order of the
// definition. It changes nothing.
func Next(s *State, now time.Time) []Command {
	switch {
	case s.Status.Ended() || s.parked:
		return nil
	case s.crashLooped(now):
		return []Command{{Kind: CommandPark, Step: -1, Reason: fmt.Sprintf(
			"the server died %d times within an hour while this ran; resume it once the cause is known", maxHostCrashes)}}
	case s.StartedAt.IsZero():
		return []Command{{Kind: CommandBegin, Step: -1}}
	}
	var commands []Command
	if limit := s.graph.Definition().Timeout; limit > 0 && s.cancels == 0 && !now.Before(s.StartedAt.Add(limit)) {
		commands = append(commands, Command{Kind: CommandTimeOut, Step: -1, Reason: s.timeoutReason()})
		return commands
	}
	if s.cancels > 0 {
		for _, i := range s.Running() {
			if s.dropped(i) && !contains(s.lost, i) {
				commands = append(commands, Command{Kind: CommandCancel, Step: i, Reason: s.cancelReason()})
			}
		}
	}
	for _, i := range s.lost {
		commands = s.decideLost(commands, i, now)
	}
	for _, i := range s.retrying {
		commands = s.decideRetrying(commands, i, now)
	}
	for _, i := range s.interrupted {
		if s.dropped(i) {
			commands = append(commands, s.cancelled(i))
		}
	}
	for _, i := range s.ready {
		if s.swept(i) {
			commands = append(commands, s.sweep(i))
		} else {
			commands = append(commands, s.decideReady(i))
		}
	}
	if s.open == 0 {
		commands = append(commands, s.finish())
	}
	return s.holdStarts(commands)
}

// holdStarts takes back the starts that a failure among the commands rules
// out: once that is applied, the steps are skipped.
func (s *State) holdStarts(commands []Command) []Command {
	failing := slices.ContainsFunc(commands, func(c Command) bool {
		return c.Kind == CommandComplete && c.Status == StatusFailed && s.graph.Node(c.Step).Step.Required
	})
	if !failing || s.graph.Definition().OnFailure == workflow.OnFailureContinue {
		return commands
	}
	return slices.DeleteFunc(commands, func(c Command) bool {
		return c.Kind == CommandStart && s.graph.Node(c.Step).Step.RunOn == workflow.RunOnSuccess && !contains(s.lost, c.Step)
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
	for _, i := range s.retrying {
		consider(s.Steps[i].RetryAt)
	}
	for _, i := range s.lost {
		consider(s.Steps[i].reconcileAt)
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
// spared by the first one.
func (s *State) dropped(i int) bool {
	return s.cancels > 1 || (s.cancels == 1 && s.graph.Node(i).Step.RunOn != workflow.RunOnAlways)
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
	return Command{Kind: CommandComplete, Step: i, Status: StatusSkipped, Reason: reason}
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

// cancelled ends an open step that no call is under way for.
func (s *State) cancelled(i int) Command {
	message := s.cancelReason()
	if detail := s.Steps[i].lostDetail; detail != "" && s.Steps[i].Status != StatusRetrying {
		message += "; the outcome of its last attempt is unknown: " + detail
	}
	return Command{Kind: CommandComplete, Step: i, Status: StatusCancelled, Error: &Error{
		Message: message, Code: "CANCELLED", Class: pluginsdk.FailureCancelled,
	}}
}

// decideLost applies the recovery table to a step whose outcome is unknown.
func (s *State) decideLost(commands []Command, i int, now time.Time) []Command {
	step := &s.Steps[i]
	start := Command{Kind: CommandStart, Step: i, Attempt: step.Attempt + 1}
	if step.losses >= maxLosses {
		start = Command{Kind: CommandComplete, Step: i, Status: StatusFailed, Error: &Error{
			Message: fmt.Sprintf("%d attempts at this step were lost: %s", step.losses, step.lostDetail),
			Code:    "crash_loop", Class: pluginsdk.FailurePermanent, Fault: pluginsdk.FaultAuthor,
		}}
	}
	switch {
	case s.dropped(i):
		return append(commands, s.cancelled(i))
	case step.decision == lostRerun, step.decision == lostUndecided && step.EffectClass.Rerunnable():
		return append(commands, start)
	case step.decision == lostUndecided && step.EffectClass == pluginsdk.EffectReconcilable:
		if now.Before(step.reconcileAt) {
			return commands
		}
		return append(commands, Command{Kind: CommandReconcile, Step: i})
	case s.graph.Node(i).Step.OnInterrupt == workflow.OnInterruptRetry:
		return append(commands, start)
	}
	return append(commands, s.decideUnknown(i))
}

// decideUnknown does as on_interrupt says, where it doesn't say retry.
func (s *State) decideUnknown(i int) Command {
	step := &s.Steps[i]
	reason := "the outcome of attempt " + fmt.Sprint(step.Attempt) + " is unknown"
	if step.lostDetail != "" {
		reason += ": " + step.lostDetail
	}
	switch s.graph.Node(i).Step.OnInterrupt {
	case workflow.OnInterruptFail:
		return Command{Kind: CommandComplete, Step: i, Status: StatusFailed, Error: &Error{
			Message: reason + " (on_interrupt: fail)", Code: "INTERRUPTED", Class: pluginsdk.FailurePermanent,
		}}
	case workflow.OnInterruptSkip:
		return Command{Kind: CommandComplete, Step: i, Status: StatusSkipped, ByChoice: true, Reason: reason + " (on_interrupt: skip)"}
	default:
		return Command{Kind: CommandInterrupt, Step: i, Reason: reason}
	}
}

func (s *State) decideRetrying(commands []Command, i int, now time.Time) []Command {
	step := &s.Steps[i]
	switch {
	case s.dropped(i):
		return append(commands, s.cancelled(i))
	case s.stopped(i):
		return append(commands, Command{Kind: CommandComplete, Step: i, Status: StatusFailed, Error: step.Error})
	case now.Before(step.RetryAt):
		return commands
	}
	return append(commands, Command{Kind: CommandStart, Step: i, Attempt: step.Attempt + 1})
}

// decideReady judges a pending step whose dependencies have all ended.
func (s *State) decideReady(i int) Command {
	node := s.graph.Node(i)
	if skip, due := s.judgeDependencies(node); due {
		return skip
	}
	byChoice := func(reason string) Command {
		return Command{Kind: CommandComplete, Step: i, Status: StatusSkipped, Reason: reason, ByChoice: true}
	}
	if s.skip[i] {
		return byChoice("switched off for this run")
	}
	enabled, err := node.IsEnabled(s.Scope(i))
	switch {
	case err != nil:
		return s.invalid(i, "REFERENCE_ERROR", err)
	case !enabled:
		return byChoice("the step is not enabled")
	case node.When == nil:
		return Command{Kind: CommandStart, Step: i, Attempt: s.Steps[i].Attempt + 1}
	}
	run, detail, err := node.When.Eval(s.expressionEnv())
	switch {
	case err != nil:
		return s.invalid(i, "EXPRESSION_ERROR", err)
	case !run:
		return byChoice("its condition is false: " + detail)
	}
	return Command{Kind: CommandStart, Step: i, Attempt: s.Steps[i].Attempt + 1}
}

// judgeDependencies says whether run_on keeps the step from running.
func (s *State) judgeDependencies(node *workflow.Node) (Command, bool) {
	skip := Command{Kind: CommandComplete, Step: node.Index, Status: StatusSkipped}
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
	return Command{Kind: CommandComplete, Step: i, Status: StatusFailed, Error: &Error{
		Message: err.Error(), Code: code, Class: pluginsdk.FailureInvalidInput, Fault: pluginsdk.FaultUser,
	}}
}

func (s *State) finish() Command {
	finish := Command{Kind: CommandFinish, Step: -1, Status: StatusSuccess}
	switch {
	case s.timedOut:
		finish.Status = StatusFailed
		finish.Error = &Error{Message: s.timeoutReason(), Code: "TIMEOUT", Class: pluginsdk.FailureTimeout}
	case s.cancels > 0:
		finish.Status, finish.Reason = StatusCancelled, s.cancelReason()
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
