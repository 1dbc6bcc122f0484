package plan

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

// sentence says what is waited for, after the name of a step.
func (w *Wait) sentence() string {
	switch w.Reason {
	case WaitApproval:
		return "waits for an approval"
	case WaitTime:
		return "waits until " + w.Until.UTC().Format(time.RFC3339)
	case WaitSignal:
		return fmt.Sprintf("waits for the signal %q", w.Signal)
	case WaitChild:
		return "waits for execution " + w.Child
	case WaitPlugin:
		return "waits for its plugin: " + w.Message
	}
	return "waits"
}

// decideWaiting judges a unit that waits.
func (s *State) decideWaiting(commands []Command, r Ref, now time.Time) []Command {
	wait := s.Unit(r).Wait
	out := !wait.Until.IsZero() && !now.Before(wait.Until)
	switch {
	case wait.Reason == WaitPlugin:
		return s.decidePluginWait(commands, r, out)
	case wait.Reason == WaitChild && (out || s.dropped(r.Step)):
		// The step ends when its child has.
		reason := s.cancelReason()
		if out {
			reason = "the step that waits for it ran out of time"
		}
		return append(commands, Command{Kind: CommandCancel, Ref: r, Reason: reason})
	case s.dropped(r.Step):
		return append(commands, s.cancelled(r))
	case wait.delivered != nil:
		return append(commands, settled(r, pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: wait.delivered}))
	case !out:
		return commands
	case wait.Reason == WaitTime:
		output, _ := json.Marshal(map[string]time.Time{"waited_until": wait.Until.UTC()}) //nolint:errchkjson // A time between the years 1 and 9999.
		return append(commands, settled(r, pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: output}))
	case wait.Reason == WaitApproval && wait.OnTimeout == "approve":
		return append(commands, settled(r, approved(nil, "", "timeout")))
	case wait.Reason == WaitApproval && wait.OnTimeout == "reject":
		return append(commands, settled(r, rejected("", "timeout")))
	}
	return append(commands, settled(r, waitFailure(pluginsdk.FailureTimeout, "TIMEOUT", "nobody answered in time: the step "+wait.sentence()+" no more")))
}

// decidePluginWait judges a unit whose plugin can't be called; due is set once
// it is time to look whether it can.
func (s *State) decidePluginWait(commands []Command, r Ref, due bool) []Command {
	unit := s.Unit(r)
	switch {
	case s.dropped(r.Step):
		return append(commands, s.cancelled(r))
	case !r.IsItem() && s.stopped(r.Step) && unit.Attempt == 0:
		return append(commands, s.sweep(r.Step))
	case !r.IsItem() && s.stopped(r.Step) && unit.Error != nil:
		return append(commands, Command{Kind: CommandComplete, Ref: r, Status: StatusFailed, Error: unit.Error})
	case !due:
		return commands
	}
	return append(commands, Command{Kind: CommandStart, Ref: r, Attempt: unit.Attempt + 1})
}

// Woken returns the starts of units that wait for their plugins, for one who
// was told that plugins can be called again.
func Woken(s *State) []Command {
	if s.Status.Ended() || s.parked {
		return nil
	}
	var commands []Command
	for _, r := range s.waiting {
		if s.Unit(r).Wait.Reason == WaitPlugin {
			commands = s.decidePluginWait(commands, r, true)
		}
	}
	return s.holdStarts(commands)
}

func settled(r Ref, outcome pluginsdk.Outcome) Command {
	return Command{Kind: CommandSettle, Ref: r, Outcome: outcome}
}

func waitFailure(class pluginsdk.FailureClass, code, message string) pluginsdk.Outcome {
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{
		Class: class, Code: code, Message: message, Fault: pluginsdk.FaultUser,
	}}
}

// Decision is a person's answer to an approval.
type Decision struct {
	Approved bool
	Comment  string
	// Data answers the form: a JSON object, or nil.
	Data json.RawMessage
	By   string
}

// Outcome is what an answer makes of the step: its output are the answers to
// the form, beside approved, by and comment.
func (d Decision) Outcome() pluginsdk.Outcome {
	if !d.Approved {
		return rejected(d.Comment, d.By)
	}
	return approved(d.Data, d.Comment, d.By)
}

func approved(data json.RawMessage, comment, by string) pluginsdk.Outcome {
	answer := map[string]any{"approved": true, "by": by, "comment": comment}
	var fields map[string]json.RawMessage
	if len(data) > 0 {
		if err := json.Unmarshal(data, &fields); err != nil {
			return waitFailure(pluginsdk.FailureInvalidInput, "INVALID_INPUT", "the answer is not an object: "+err.Error())
		}
	}
	for key, value := range fields {
		answer[key] = value
	}
	output, err := json.Marshal(answer)
	if err != nil {
		return waitFailure(pluginsdk.FailureInvalidInput, "INVALID_INPUT", "the answer can't be kept: "+err.Error())
	}
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: output}
}

func rejected(comment, by string) pluginsdk.Outcome {
	message := "rejected by " + by
	if by == "timeout" {
		message = "rejected: nobody answered in time"
	}
	if comment != "" {
		message += ": " + comment
	}
	return waitFailure(pluginsdk.FailurePermanent, "REJECTED", message)
}

// ChildOutcome is what the end of a child makes of the step that ran it. late
// is set where the step had run out of time.
func ChildOutcome(childID string, status Status, failure *Error, output json.RawMessage, late bool) pluginsdk.Outcome {
	switch {
	case status == StatusSuccess || status == StatusPartial:
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: output}
	case late:
		return waitFailure(pluginsdk.FailureTimeout, "TIMEOUT", "execution "+childID+" took longer than the step's timeout")
	case status == StatusCancelled:
		return waitFailure(pluginsdk.FailureCancelled, "CANCELLED", "execution "+childID+" was cancelled")
	}
	message := "execution " + childID + " " + string(status)
	code, class := "CHILD_FAILED", pluginsdk.FailurePermanent
	if failure != nil {
		message += ": " + failure.Message
		if failure.Retryable {
			class = pluginsdk.FailureRetryable
		}
	}
	return waitFailure(class, code, message)
}

// WaitingEvent is the event of a started attempt that turns into a wait.
func WaitingEvent(s *State, r Ref, wait Wait, now time.Time) (Event, error) {
	details, err := wait.details()
	if err != nil {
		return Event{}, err
	}
	return Event{
		Type: StepWaiting, StepID: s.stepID(r.Step), ItemIndex: r.itemIndex(), Attempt: s.Unit(r).Attempt, Time: now,
		Reason: string(wait.Reason), Details: details, Private: &Private{Wait: &wait},
	}, nil
}

// PluginWaitEvent is the event of a unit whose plugin can't be called before
// until, or, where that is zero, before something changes.
func PluginWaitEvent(s *State, r Ref, plugin, message string, until, now time.Time) Event {
	wait := Wait{Reason: WaitPlugin, Plugin: plugin, Message: message, Until: until}
	event := s.about(r, StepWaiting, now)
	// Its details are plain values, which always can be written.
	event.Details, _ = wait.details()
	event.Reason, event.Private = string(WaitPlugin), &Private{Wait: &wait}
	return event
}

// details are what others may know of a wait.
func (w *Wait) details() (json.RawMessage, error) {
	raw, err := json.Marshal(struct {
		Until       time.Time       `json:"until,omitzero"`
		OnTimeout   string          `json:"on_timeout,omitempty"`
		Message     string          `json:"message,omitempty"`
		Approvers   []string        `json:"approvers,omitempty"`
		Form        json.RawMessage `json:"form,omitempty"`
		Plan        json.RawMessage `json:"plan,omitempty"`
		Signal      string          `json:"signal,omitempty"`
		ExecutionID string          `json:"execution_id,omitempty"`
		WorkflowID  string          `json:"workflow_id,omitempty"`
		Plugin      string          `json:"plugin,omitempty"`
	}{w.Until.UTC(), w.OnTimeout, w.Message, w.Approvers, w.Form, w.Plan, w.Signal, w.Child, w.Workflow, w.Plugin})
	if err != nil {
		return nil, fmt.Errorf("describe a wait: %w", err)
	}
	return raw, nil
}

// SettleSignal is the event of a signal that arrived.
func SettleSignal(name string, payload json.RawMessage, by string, now time.Time) Event {
	return Event{Type: SignalReceived, Time: now, By: by, Private: &Private{Signal: name, Payload: payload}}
}
