package plan

import (
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

// WithUsage notes in the events that an outcome became what its attempt took.
func WithUsage(events []Event, usage *Usage) []Event {
	if usage == nil || len(events) == 0 {
		return events
	}
	if events[0].Private == nil {
		events[0].Private = &Private{}
	}
	events[0].Private.Usage = usage
	return events
}

// Settle says which events the outcome of a unit's attempt becomes. chance is
// in [0,1) and spreads the waits of retries. The events carry no Seq.
func Settle(s *State, r Ref, outcome pluginsdk.Outcome, cause LostCause, now time.Time, chance float64) []Event {
	unit := s.Unit(r)
	switch outcome.Kind {
	case pluginsdk.OutcomeSuccess:
		return []Event{s.completed(r, now, Event{
			Status: string(StatusSuccess), Output: outcome.Output, Private: &Private{UndoToken: outcome.UndoToken},
		})}
	case pluginsdk.OutcomeSkipped:
		return []Event{s.completed(r, now, Event{
			Status: string(StatusSkipped), SkipReason: outcome.SkipReason, Private: &Private{ByChoice: true},
		})}
	case pluginsdk.OutcomeFailure:
		return s.settleFailure(r, outcome.Failure, now, chance)
	case pluginsdk.OutcomeNotRun:
		return s.settleNotRun(r, outcome.Failure, now)
	default:
	}
	if cause == LostKilled && unit.EffectClass.Rerunnable() && !s.dropped(r.Step) {
		// Nobody knows how it ended, but it may run again: that is a
		// timeout like any other, and uses up an attempt.
		failure := *outcome.Failure
		failure.Class = pluginsdk.FailureTimeout
		return s.settleFailure(r, &failure, now, chance)
	}
	event := s.about(r, AttemptLost, now)
	event.Private, event.Error = &Private{Lost: cause}, ErrorOf(outcome.Failure)
	if outcome.Failure != nil {
		event.Reason = outcome.Failure.Message
		event.Private.Alone = outcome.Failure.Code == CodeCrashedAlone
	}
	return []Event{event}
}

// settleNotRun lets a unit wait whose call never reached its plugin.
func (s *State) settleNotRun(r Ref, failure *pluginsdk.Failure, now time.Time) []Event {
	if s.dropped(r.Step) {
		return s.settleFailure(r, failure, now, 0)
	}
	var until time.Time
	if failure.RetryAfter > 0 {
		until = now.Add(failure.RetryAfter)
	}
	plugin := ""
	if handler := s.graph.Node(r.Step).Handler; handler != nil {
		plugin = handler.Plugin
	}
	return []Event{PluginWaitEvent(s, r, plugin, failure.Message, until, now)}
}

func (s *State) settleFailure(r Ref, failure *pluginsdk.Failure, now time.Time, chance float64) []Event {
	unit := s.Unit(r)
	problem := ErrorOf(failure)
	if s.dropped(r.Step) {
		// Whatever a handler says when it is cut short, it was cut short.
		if failure.Class != pluginsdk.FailureCancelled {
			problem.Message = s.cancelReason() + "; the step said: " + problem.Message
		}
		return []Event{s.completed(r, now, Event{Status: string(StatusCancelled), Error: problem})}
	}
	retry := s.graph.Node(r.Step).Retry()
	if !failure.Class.Retryable() || unit.failures+1 >= retry.MaxAttempts || (!r.IsItem() && s.stopped(r.Step)) {
		return []Event{s.completed(r, now, Event{Status: string(StatusFailed), Error: problem})}
	}
	delay := max(retry.Delay(unit.failures+1, chance), failure.RetryAfter)
	seconds := delay.Seconds()
	event := s.about(r, StepRetrying, now)
	event.Delay, event.Error, event.Private = &seconds, problem, &Private{RetryAt: now.Add(delay)}
	return []Event{event}
}

// SettleReconciled says which events the verdict of a Reconcile becomes.
func SettleReconciled(s *State, r Ref, result pluginsdk.ReconcileResult, now time.Time) []Event {
	event := s.about(r, StepReconciled, now)
	event.Reason, event.Private = result.Detail, &Private{Verdict: string(result.Status)}
	events := []Event{event}
	if result.Status == pluginsdk.ReconcileDone {
		events = append(events, s.completed(r, now, Event{
			Status: string(StatusSuccess), Output: result.Output, Private: &Private{UndoToken: result.UndoToken},
		}))
	}
	return events
}

// SettleResolved says which events a person's decision about an interrupted
// unit becomes. as is retry, success, failed or skipped.
func SettleResolved(s *State, r Ref, as string, output []byte, by string, now time.Time) []Event {
	event := s.about(r, StepResolved, now)
	event.By, event.Private = by, &Private{Verdict: as}
	events := []Event{event}
	switch Status(as) {
	case StatusSuccess:
		events = append(events, s.completed(r, now, Event{Status: as, Output: output, By: by}))
	case StatusSkipped:
		events = append(events, s.completed(r, now, Event{
			Status: as, By: by, SkipReason: "skipped by " + by + " after its outcome was unknown", Private: &Private{ByChoice: true},
		}))
	case StatusFailed:
		events = append(events, s.completed(r, now, Event{Status: as, By: by, Error: &Error{
			Message: "declared failed by " + by + " after its outcome was unknown", Code: "INTERRUPTED", Class: pluginsdk.FailurePermanent,
		}}))
	default:
	}
	return events
}

// about is an event about a unit's last attempt.
func (s *State) about(r Ref, kind EventType, now time.Time) Event {
	return Event{Type: kind, StepID: s.stepID(r.Step), ItemIndex: r.itemIndex(), Attempt: s.Unit(r).Attempt, Time: now}
}

// EventOf says which event a command becomes by itself; ok is false for those
// that a runtime obeys: CommandStart, CommandSettle, CommandUndo,
// CommandCancel and CommandReconcile.
func EventOf(s *State, command Command, now time.Time) (event Event, ok bool) {
	definition := s.graph.Definition()
	switch command.Kind {
	case CommandBegin:
		return Event{Type: ExecutionStarted, Time: now, WorkflowName: definition.Name, TotalSteps: s.graph.Len(), Trigger: s.Trigger}, true
	case CommandExpand:
		event := s.about(command.Ref, StepExpanded, now)
		event.Private = &Private{Items: command.Items}
		return event, true
	case CommandComplete:
		event := Event{
			Status: string(command.Status), Error: command.Error, Output: command.Output, SkipReason: command.Reason,
			Private: &Private{ByChoice: command.ByChoice},
		}
		if kept := command.Kept; kept != nil {
			event.KeptFrom, event.Private.UndoToken, event.FullOutput = s.Origin.from(), kept.UndoToken, kept.FullOutput
		}
		return s.completed(command.Ref, now, event), true
	case CommandInterrupt:
		return s.interruptEvent(command.Ref, command.Reason, now), true
	case CommandTimeOut:
		return Event{Type: ExecutionCancelling, Time: now, By: "timeout", Reason: command.Reason, Private: &Private{TimedOut: true}}, true
	case CommandLeave:
		return Event{
			Type: StepUndone, StepID: s.stepID(command.Step), StepName: s.graph.Node(command.Step).Name(), ItemIndex: command.itemIndex(),
			Time: now, Status: string(command.Status), Error: command.Error, SkipReason: command.Reason,
		}, true
	case CommandPark:
		return Event{Type: ExecutionParked, Time: now, Reason: command.Reason}, true
	case CommandFinish:
		progress, total := s.Progress(), 0.0
		if !s.StartedAt.IsZero() {
			total = now.Sub(s.StartedAt).Seconds()
		}
		return Event{
			Type: WorkflowCompleted, Time: now, Status: string(command.Status), Error: command.Error,
			Reason: command.Reason, TotalTime: &total, Progress: &progress,
		}, true
	default:
		return Event{}, false
	}
}

func (s *State) interruptEvent(r Ref, reason string, now time.Time) Event {
	event := s.about(r, StepInterrupted, now)
	event.StepName, event.Reason = s.graph.Node(r.Step).Name(), reason
	event.Error = &Error{Message: reason, Code: "INTERRUPTED"}
	return event
}

// Started is the event of an attempt that is about to be called.
func Started(s *State, command Command, private Private, now time.Time) Event {
	node := s.graph.Node(command.Step)
	event := s.about(command.Ref, StepStarted, now)
	event.StepName, event.Handler = node.Name(), node.Step.Handler
	event.Attempt, event.Private = command.Attempt, &private
	return event
}

// completed fills in what every end of a unit says.
func (s *State) completed(r Ref, now time.Time, event Event) Event {
	node, unit := s.graph.Node(r.Step), s.Unit(r)
	event.Type = StepCompleted
	if r.IsItem() {
		event.Type = StepItemCompleted
	}
	event.StepID, event.StepName, event.Handler = node.Step.ID, node.Name(), node.Step.Handler
	event.Time, event.Attempt, event.ItemIndex = now, unit.Attempt, r.itemIndex()
	var seconds float64
	if !unit.StartedAt.IsZero() {
		seconds = now.Sub(unit.StartedAt).Seconds()
	}
	event.ExecutionTime = &seconds
	return event
}
