package plan

import (
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

// Settle says which events the outcome of a step's attempt becomes. chance is
// in [0,1) and spreads the waits of retries. The events carry no Seq.
func Settle(s *State, step int, outcome pluginsdk.Outcome, cause LostCause, now time.Time, chance float64) []Event {
	node, state := s.graph.Node(step), &s.Steps[step]
	event := Event{StepID: node.Step.ID, Attempt: state.Attempt, Time: now}
	switch outcome.Kind {
	case pluginsdk.OutcomeSuccess:
		return []Event{s.completed(step, now, Event{
			Status: string(StatusSuccess), Output: outcome.Output, Private: &Private{UndoToken: outcome.UndoToken},
		})}
	case pluginsdk.OutcomeSkipped:
		return []Event{s.completed(step, now, Event{
			Status: string(StatusSkipped), SkipReason: outcome.SkipReason, Private: &Private{ByChoice: true},
		})}
	case pluginsdk.OutcomeFailure:
		return s.settleFailure(step, outcome.Failure, now, chance)
	default:
	}
	if cause == LostKilled && state.EffectClass.Rerunnable() && !s.dropped(step) {
		// Nobody knows how it ended, but it may run again: that is a
		// timeout like any other, and uses up an attempt.
		failure := *outcome.Failure
		failure.Class = pluginsdk.FailureTimeout
		return s.settleFailure(step, &failure, now, chance)
	}
	event.Type, event.Private, event.Error = AttemptLost, &Private{Lost: cause}, ErrorOf(outcome.Failure)
	if outcome.Failure != nil {
		event.Reason = outcome.Failure.Message
	}
	return []Event{event}
}

func (s *State) settleFailure(step int, failure *pluginsdk.Failure, now time.Time, chance float64) []Event {
	state := &s.Steps[step]
	problem := ErrorOf(failure)
	if s.dropped(step) {
		// Whatever a handler says when it is cut short, it was cut short.
		if failure.Class != pluginsdk.FailureCancelled {
			problem.Message = s.cancelReason() + "; the step said: " + problem.Message
		}
		return []Event{s.completed(step, now, Event{Status: string(StatusCancelled), Error: problem})}
	}
	retry := s.graph.Node(step).Retry()
	if !failure.Class.Retryable() || state.failures+1 >= retry.MaxAttempts || s.stopped(step) {
		return []Event{s.completed(step, now, Event{Status: string(StatusFailed), Error: problem})}
	}
	delay := max(retry.Delay(state.failures+1, chance), failure.RetryAfter)
	seconds := delay.Seconds()
	return []Event{{
		Type: StepRetrying, StepID: s.stepID(step), Attempt: state.Attempt, Time: now,
		Delay: &seconds, Error: problem, Private: &Private{RetryAt: now.Add(delay)},
	}}
}

// SettleReconciled says which events the verdict of a Reconcile becomes.
func SettleReconciled(s *State, step int, result pluginsdk.ReconcileResult, now time.Time) []Event {
	events := []Event{{
		Type: StepReconciled, StepID: s.stepID(step), Attempt: s.Steps[step].Attempt, Time: now,
		Reason: result.Detail, Private: &Private{Verdict: string(result.Status)},
	}}
	if result.Status == pluginsdk.ReconcileDone {
		events = append(events, s.completed(step, now, Event{
			Status: string(StatusSuccess), Output: result.Output, Private: &Private{UndoToken: result.UndoToken},
		}))
	}
	return events
}

// SettleResolved says which events a person's decision about an interrupted
// step becomes. as is retry, success, failed or skipped.
func SettleResolved(s *State, step int, as string, output []byte, by string, now time.Time) []Event {
	events := []Event{{
		Type: StepResolved, StepID: s.stepID(step), Attempt: s.Steps[step].Attempt, Time: now,
		By: by, Private: &Private{Verdict: as},
	}}
	switch Status(as) {
	case StatusSuccess:
		events = append(events, s.completed(step, now, Event{Status: as, Output: output}))
	case StatusSkipped:
		events = append(events, s.completed(step, now, Event{
			Status: as, SkipReason: "skipped by " + by + " after its outcome was unknown", Private: &Private{ByChoice: true},
		}))
	case StatusFailed:
		events = append(events, s.completed(step, now, Event{Status: as, Error: &Error{
			Message: "declared failed by " + by + " after its outcome was unknown", Code: "INTERRUPTED", Class: pluginsdk.FailurePermanent,
		}}))
	default:
	}
	return events
}

// EventOf says which event a command becomes by itself; ok is false for
// CommandStart, CommandCancel and CommandReconcile, which a runtime obeys.
func EventOf(s *State, command Command, now time.Time) (event Event, ok bool) {
	definition := s.graph.Definition()
	switch command.Kind {
	case CommandBegin:
		return Event{Type: ExecutionStarted, Time: now, WorkflowName: definition.Name, TotalSteps: s.graph.Len(), Trigger: s.Trigger}, true
	case CommandComplete:
		return s.completed(command.Step, now, Event{
			Status: string(command.Status), Error: command.Error, SkipReason: command.Reason,
			Private: &Private{ByChoice: command.ByChoice},
		}), true
	case CommandInterrupt:
		return Event{
			Type: StepInterrupted, StepID: s.stepID(command.Step), StepName: s.graph.Node(command.Step).Name(), Time: now,
			Attempt: s.Steps[command.Step].Attempt, Reason: command.Reason,
			Error: &Error{Message: command.Reason, Code: "INTERRUPTED"},
		}, true
	case CommandTimeOut:
		return Event{Type: ExecutionCancelling, Time: now, By: "timeout", Reason: command.Reason, Private: &Private{TimedOut: true}}, true
	case CommandPark:
		return Event{Type: ExecutionParked, Time: now, Reason: command.Reason}, true
	case CommandFinish:
		progress, total := s.Progress(), now.Sub(s.StartedAt).Seconds()
		return Event{
			Type: WorkflowCompleted, Time: now, Status: string(command.Status), Error: command.Error,
			Reason: command.Reason, TotalTime: &total, Progress: &progress,
		}, true
	default:
		return Event{}, false
	}
}

// Started is the event of an attempt that is about to be called.
func Started(s *State, command Command, private Private, now time.Time) Event {
	node := s.graph.Node(command.Step)
	return Event{
		Type: StepStarted, StepID: node.Step.ID, StepName: node.Name(), Handler: node.Step.Handler,
		Attempt: command.Attempt, Time: now, Private: &private,
	}
}

// completed fills in what every step_completed says.
func (s *State) completed(step int, now time.Time, event Event) Event {
	node, state := s.graph.Node(step), &s.Steps[step]
	event.Type, event.StepID, event.StepName, event.Handler = StepCompleted, node.Step.ID, node.Name(), node.Step.Handler
	event.Time, event.Attempt = now, state.Attempt
	var seconds float64
	if !state.StartedAt.IsZero() {
		seconds = now.Sub(state.StartedAt).Seconds()
	}
	event.ExecutionTime = &seconds
	return event
}
