package local

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// reconcileTimeout bounds asking a handler what became of an attempt, the
// start of its plugin included.
const reconcileTimeout = 20 * time.Second

var errTimedOut = errors.New("the attempt ran out of time")

// call runs one attempt in a goroutine of its own.
func (e *execution) call(r plan.Ref, request *pluginsdk.Request) {
	node := e.graph.Node(r.Step)
	timeout := node.Timeout()
	ctx, cancel := context.WithCancelCause(e.r.base)
	stop := e.r.options.Clock.AfterFunc(timeout, func() { cancel(errTimedOut) })
	e.calls[r] = &call{attempt: request.Attempt, cancel: cancel}
	e.r.calls.Add(1)
	e.callers.Go(func() {
		defer e.r.calls.Add(-1)
		defer cancel(nil)
		reporter := &stepReporter{e: e, ref: r, attempt: request.Attempt}
		var outcome pluginsdk.Outcome
		if builtIn(node) {
			outcome = runBuiltIn(request, reporter)
		} else {
			outcome = e.r.options.Invoker.Invoke(ctx, request, reporter)
		}
		stop()
		if late(outcome, request, e.r.options.Clock.Now()) {
			cancel(errTimedOut)
		}
		e.closeLog(r, request.Attempt)
		m := message{kind: messageOutcome, ref: r, attempt: request.Attempt, usage: reporter.usage}
		m.outcome, m.cause = judge(ctx, outcome, timeout)
		e.post(m)
	})
}

// late reports whether an attempt ended over its deadline. Its handler knows
// that too, and may have seen it pass before our own timer did.
func late(outcome pluginsdk.Outcome, request *pluginsdk.Request, now time.Time) bool {
	return outcome.Kind == pluginsdk.OutcomeFailure && outcome.Failure.Class == pluginsdk.FailureTimeout &&
		!request.Deadline.IsZero() && !now.Before(request.Deadline)
}

// closeLog ends the log of an attempt. Items share theirs with each other, so
// that it stays open for those that still run.
func (e *execution) closeLog(r plan.Ref, attempt int) {
	if r.IsItem() {
		return
	}
	step := e.graph.Node(r.Step).Step.ID
	if err := e.r.options.Logs.CloseLog(e.id, step, attempt); err != nil {
		e.r.log.Error("a step's log could not be closed", "execution_id", e.id, "workflow_id", e.header.WorkflowID, "step_id", step, "error", err)
	}
}

// undoTimeout bounds an attempt at taking a step back whose handler names no
// bound of its own.
const undoTimeout = workflow.DefaultStepTimeout

// noAttempt is an attempt that there never is; they count from 1.
const noAttempt = 0

// callUndo takes a unit back in a goroutine of its own. A request that could
// not be made is how it ended.
func (e *execution) callUndo(command plan.Command, request *pluginsdk.Request, token json.RawMessage, failed error) {
	ctx, cancel := context.WithCancelCause(e.r.base)
	timeout := cmp.Or(e.graph.Node(command.Step).Timeout(), undoTimeout)
	stop := e.r.options.Clock.AfterFunc(timeout, func() { cancel(errTimedOut) })
	e.undoCalls[command.Ref] = &call{attempt: command.Attempt, cancel: cancel}
	e.r.calls.Add(1)
	e.callers.Go(func() {
		defer e.r.calls.Add(-1)
		defer cancel(nil)
		m := message{kind: messageUndone, ref: command.Ref, attempt: command.Attempt}
		var unavailable *engine.UnavailableError
		switch {
		case errors.As(failed, &unavailable):
			m.outcome = unavailable.Outcome(e.r.options.Clock.Now())
		case failed != nil:
			m.outcome = pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: pluginsdk.FailureOf(ctx, failed)}
		default:
			reporter := &stepReporter{e: e, ref: command.Ref, attempt: request.Attempt, undo: true}
			m.outcome = e.r.options.Invoker.Undo(ctx, request, token, reporter)
			e.closeLog(command.Ref, request.Attempt)
		}
		stop()
		if errors.Is(context.Cause(ctx), engine.ErrStopping) && m.outcome.Kind != pluginsdk.OutcomeSuccess {
			// Cut short by the stop of the server: the next start goes on. The
			// owner must not wait for it, but no attempt has ended.
			m.attempt = noAttempt
		} else {
			m.outcome, _ = judge(ctx, m.outcome, timeout)
		}
		e.post(m)
	})
}

// judge names the outcome by what ended the call: a handler only sees that
// its context ended, not why.
func judge(ctx context.Context, outcome pluginsdk.Outcome, timeout time.Duration) (pluginsdk.Outcome, plan.LostCause) {
	cause := context.Cause(ctx)
	lost := plan.LostPlugin
	if cause != nil {
		lost = plan.LostKilled
	}
	if outcome.Kind != pluginsdk.OutcomeFailure || cause == nil {
		return outcome, lost
	}
	switch class := outcome.Failure.Class; {
	case errors.Is(cause, errTimedOut) && (class == pluginsdk.FailureCancelled || class == pluginsdk.FailureTimeout):
		failure := *outcome.Failure
		failure.Class, failure.Code = pluginsdk.FailureTimeout, "TIMEOUT"
		failure.Message = fmt.Sprintf("the attempt took longer than its timeout of %s", timeout)
		outcome.Failure = &failure
	case errors.Is(cause, engine.ErrStopping) && class == pluginsdk.FailureCancelled:
		// Cut short by the stop of the server, not by anybody's wish: the
		// next start decides by the handler's effect class.
		outcome.Kind = pluginsdk.OutcomeUnknown
		failure := *outcome.Failure
		failure.Message = "the server stopped while the step was running"
		outcome.Failure = &failure
		lost = plan.LostHost
	}
	return outcome, lost
}

// reconcile asks what became of a lost attempt, in a goroutine of its own.
func (e *execution) reconcile(r plan.Ref) {
	node, unit := e.graph.Node(r.Step), e.state.Unit(r)
	attempt, checksum := unit.Attempt, unit.Attempts[len(unit.Attempts)-1].Checksum
	request, _, err := e.request(r, attempt, e.r.options.Clock.Now())
	e.callers.Go(func() {
		m := message{kind: messageReconciled, ref: r, attempt: attempt}
		if err == nil {
			ctx, cancel := context.WithTimeout(e.r.base, reconcileTimeout)
			defer cancel()
			m.reconciled, err = e.r.options.Invoker.Reconcile(ctx, request, checksum)
		}
		var unavailable *engine.UnavailableError
		switch {
		case err == nil:
		case e.r.base.Err() != nil:
			return // The next start asks again.
		case errors.As(err, &unavailable):
			m.later = askAgainAfter
			if !unavailable.Until.IsZero() {
				m.later = min(m.later, max(unavailable.Until.Sub(e.r.options.Clock.Now()), time.Second))
			}
		default:
			m.noBinary = errors.Is(err, engine.ErrNoBinary)
			m.reconciled = pluginsdk.ReconcileResult{
				Status: pluginsdk.ReconcileUnknown,
				Detail: fmt.Sprintf("%s could not say what became of it: %v", node.Step.Handler, err),
			}
		}
		e.post(m)
	})
}

// askAgainAfter is how long a handler whose plugin can't be called is let be
// before it is asked again, unless the plugin is back before.
const askAgainAfter = 30 * time.Second

func builtIn(node *workflow.Node) bool { return node.Handler.Plugin == "flow" }

// runBuiltIn runs flow.log and flow.fail; those that wait are never called.
func runBuiltIn(request *pluginsdk.Request, reporter pluginsdk.Reporter) pluginsdk.Outcome {
	var config struct {
		Message string             `json:"message"`
		Level   pluginsdk.LogLevel `json:"level"`
	}
	fail := func(class pluginsdk.FailureClass, code, message string) pluginsdk.Outcome {
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{
			Class: class, Code: code, Message: message, Fault: pluginsdk.FaultUser,
		}}
	}
	if err := json.Unmarshal(request.Config, &config); err != nil {
		return fail(pluginsdk.FailureInvalidInput, "INVALID_INPUT", fmt.Sprintf("read the config of %s: %v", request.Handler, err))
	}
	switch request.Handler {
	case "flow.log":
		if config.Level == "" {
			config.Level = pluginsdk.LevelInfo
		}
		reporter.Log(pluginsdk.LogLine{Time: time.Now(), Level: config.Level, Message: config.Message})
		output, err := json.Marshal(map[string]string{"message": config.Message})
		if err != nil {
			return fail(pluginsdk.FailurePermanent, "OUTPUT_INVALID", err.Error())
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: output}
	case "flow.fail":
		return fail(pluginsdk.FailurePermanent, "FLOW_FAIL", config.Message)
	}
	return fail(pluginsdk.FailurePermanent, "NOT_SUPPORTED", request.Handler+" is not executed by this version")
}

// stepReporter carries what a running attempt says into its execution.
type stepReporter struct {
	e       *execution
	ref     plan.Ref
	attempt int
	// undo: the attempt is being taken back, and its state stands.
	undo bool
	// usage is what the attempt took, once somebody told it.
	usage *plan.Usage
}

// Used implements engine.UsageReporter.
func (r *stepReporter) Used(usage engine.Usage) {
	r.usage = &plan.Usage{CPU: usage.CPU, Memory: usage.Memory, Shared: usage.Shared}
}

func (r *stepReporter) Log(line pluginsdk.LogLine) {
	at := line.Time
	if at.IsZero() {
		at = r.e.r.options.Clock.Now()
	}
	r.e.say(r.ref, r.attempt, plan.Event{
		Type: plan.StepLog, Time: at.UTC(), Level: line.Level, Message: line.Message, Fields: line.Fields,
	})
}

func (r *stepReporter) Progress(percentage float64, text string) {
	r.e.say(r.ref, r.attempt, plan.Event{
		Type: plan.StepProgress, Time: r.e.r.options.Clock.Now().UTC(), Percentage: &percentage, Message: text,
	})
}

// Heartbeat needs no record: the call's stream is the sign of life.
func (r *stepReporter) Heartbeat() {}

func (r *stepReporter) Checkpoint(data json.RawMessage) error {
	return r.note(plan.Event{Type: plan.StepCheckpointed, Private: &plan.Private{Checkpoint: data}})
}

func (r *stepReporter) Effect(record pluginsdk.EffectRecord) error {
	return r.note(plan.Event{Type: plan.StepEffected, Private: &plan.Private{Effect: &record}})
}

// Artifact notes the file in the step's log, where a person looks for it.
func (r *stepReporter) Artifact(artifact pluginsdk.Artifact) error {
	fields, err := json.Marshal(map[string]pluginsdk.Artifact{"artifact": artifact})
	if err != nil {
		return fmt.Errorf("note an artifact: %w", err)
	}
	r.Log(pluginsdk.LogLine{Level: pluginsdk.LevelInfo, Message: "made " + artifact.Path, Fields: fields})
	return nil
}

// note hands an event to the owner and waits until it is durable.
func (r *stepReporter) note(event plan.Event) error {
	if r.undo {
		return nil
	}
	event.StepID, event.Attempt = r.e.graph.Node(r.ref.Step).Step.ID, r.attempt
	if r.ref.IsItem() {
		event.ItemIndex = &r.ref.Item
	}
	m := message{kind: messageNote, ref: r.ref, note: event, reply: make(chan reply, 1)}
	if !r.e.post(m) {
		return engine.ErrStopping
	}
	select {
	case answer := <-m.reply:
		return answer.err
	case <-r.e.done:
		return engine.ErrStopping
	}
}

func descending(set map[int]bool) []int {
	list := slices.Sorted(maps.Keys(set))
	slices.Reverse(list)
	return list
}
