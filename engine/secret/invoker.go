package secret

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/pluginsdk"
)

// CodeUnavailable is the code of a step whose secrets can't be read.
const CodeUnavailable = "SECRETS_UNAVAILABLE"

// Invoker puts secrets into the requests of another Invoker, and takes them
// out of what its calls say. A call of an execution without secrets passes
// through as it is.
//
// What people read is masked. What only the handler reads again, its undo
// token and its checkpoints, is sealed as a whole where it shows a value, and
// opened when it goes back, so that it keeps its meaning.
type Invoker struct {
	next   engine.Invoker
	keeper *Keeper
}

var _ engine.Invoker = (*Invoker)(nil)

// NewInvoker wraps an Invoker.
func NewInvoker(next engine.Invoker, keeper *Keeper) *Invoker { return &Invoker{next, keeper} }

// Bind implements engine.Invoker.
func (i *Invoker) Bind(handler string) (engine.Binding, error) { return i.next.Bind(handler) }

// Invoke implements engine.Invoker.
func (i *Invoker) Invoke(ctx context.Context, request *pluginsdk.Request, reports pluginsdk.Reporter) pluginsdk.Outcome {
	filled, execution, err := i.fill(ctx, request)
	if err != nil {
		return i.failed(request, err)
	}
	if execution == nil {
		return i.next.Invoke(ctx, filled, reports)
	}
	s := scrubbing{i.keeper, execution}
	return s.outcome(ctx, i.next.Invoke(ctx, filled, &reporter{ctx, reports, s}))
}

// Reconcile implements engine.Invoker.
func (i *Invoker) Reconcile(ctx context.Context, request *pluginsdk.Request, checksum string) (pluginsdk.ReconcileResult, error) {
	filled, execution, err := i.fill(ctx, request)
	if err != nil {
		return pluginsdk.ReconcileResult{}, errors.New(i.failed(request, err).Failure.Message)
	}
	result, err := i.next.Reconcile(ctx, filled, checksum)
	if execution == nil {
		return result, err
	}
	s := scrubbing{i.keeper, execution}
	if err != nil {
		return pluginsdk.ReconcileResult{}, s.error(err)
	}
	mask := execution.scrubber.Load()
	result.Output, result.Detail = mask.JSON(result.Output), mask.Text(result.Detail)
	result.UndoToken, err = s.seal(ctx, sealedToken, result.UndoToken)
	return result, err
}

// planner and undoer are what an Invoker may be able to do besides.
type planner interface {
	Plan(ctx context.Context, request *pluginsdk.Request) ([]pluginsdk.PlannedEffect, error)
}

type undoer interface {
	Undo(ctx context.Context, request *pluginsdk.Request, token json.RawMessage, reports pluginsdk.Reporter) pluginsdk.Outcome
}

// Plan asks the wrapped Invoker what a call would do; it is a
// pluginsdk.ErrUnsupported where that one can't say.
func (i *Invoker) Plan(ctx context.Context, request *pluginsdk.Request) ([]pluginsdk.PlannedEffect, error) {
	next, able := i.next.(planner)
	if !able {
		return nil, pluginsdk.ErrUnsupported
	}
	filled, execution, err := i.fill(ctx, request)
	if err != nil {
		return nil, errors.New(i.failed(request, err).Failure.Message)
	}
	effects, err := next.Plan(ctx, filled)
	if execution == nil {
		return effects, err
	}
	s := scrubbing{i.keeper, execution}
	if err != nil {
		return nil, s.error(err)
	}
	masked := make([]pluginsdk.PlannedEffect, len(effects))
	for at, effect := range effects {
		effect.Action, effect.Target, effect.Summary, effect.Diff = s.text(effect.Action), s.text(effect.Target), s.text(effect.Summary), s.text(effect.Diff)
		masked[at] = effect
	}
	return masked, nil
}

// Undo has the wrapped Invoker take back what a call did, with the token as
// the handler made it.
func (i *Invoker) Undo(ctx context.Context, request *pluginsdk.Request, token json.RawMessage, reports pluginsdk.Reporter) pluginsdk.Outcome {
	next, able := i.next.(undoer)
	if !able {
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: pluginsdk.FailureOf(ctx, pluginsdk.ErrUnsupported)}
	}
	filled, execution, err := i.fill(ctx, request)
	if err == nil {
		token, err = i.unseal(ctx, sealedToken, token)
	}
	if err != nil {
		return i.failed(request, err)
	}
	if execution == nil {
		return next.Undo(ctx, filled, token, reports)
	}
	s := scrubbing{i.keeper, execution}
	return s.outcome(ctx, next.Undo(ctx, filled, token, &reporter{ctx, reports, s}))
}

// fill returns the request as the handler gets it, and what it may have seen;
// nil, and the request itself, where there are no secrets.
func (i *Invoker) fill(ctx context.Context, request *pluginsdk.Request) (*pluginsdk.Request, *seen, error) {
	values, execution, err := i.keeper.lookUp(ctx, request)
	if err != nil {
		return nil, nil, err
	}
	checkpoint, err := i.unseal(ctx, sealedCheckpoint, request.Checkpoint)
	if err != nil {
		return nil, nil, err
	}
	if execution == nil && bytes.Equal(checkpoint, request.Checkpoint) {
		return request, nil, nil
	}
	filled := *request
	filled.Checkpoint, filled.Secrets = checkpoint, nil
	for name, placeholder := range request.Secrets {
		quoted := quote(values[name])
		// The placeholder stands within a string, whole or among other text,
		// and needs no escapes itself.
		filled.Config = bytes.ReplaceAll(filled.Config, []byte(placeholder), quoted[1:len(quoted)-1])
		if filled.Secrets == nil {
			filled.Secrets = map[string]string{}
		}
		filled.Secrets[name] = values[name]
	}
	return &filled, execution, nil
}

// failed is the outcome of a call that could not be made. Its cause, which may
// name files, is for the log.
func (i *Invoker) failed(request *pluginsdk.Request, err error) pluginsdk.Outcome {
	var missing *missingError
	if errors.As(err, &missing) {
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{
			Class: pluginsdk.FailureInvalidInput, Code: engine.CodeSecretNotFound, Message: missing.Error(), Fault: pluginsdk.FaultUser,
		}}
	}
	i.keeper.log.Error("the secrets of a step can't be read", "execution_id", request.ExecutionID, "workflow_id", request.WorkflowID, "step_id", request.StepID, "handler", request.Handler, "error", err)
	text := "the step's secrets can't be read; the server's log says why"
	if errors.Is(err, ErrKey) {
		text = "the step's secrets can't be read: the key that they were sealed with is missing, or is another one; the server's log says more"
	}
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{
		Class: pluginsdk.FailurePermanent, Code: CodeUnavailable, Message: text, Fault: pluginsdk.FaultHost,
	}}
}

// sealedJSON is how something sealed stands where JSON is due.
type sealedJSON struct {
	Sealed []byte `json:"$sealed"`
}

// unseal opens what seal returned. What a plugin made itself stays as it is.
func (i *Invoker) unseal(ctx context.Context, what string, data json.RawMessage) (json.RawMessage, error) {
	if !bytes.HasPrefix(data, []byte(`{"$sealed":`)) {
		return data, nil
	}
	var wrapped sealedJSON
	if json.Unmarshal(data, &wrapped) != nil {
		return data, nil //nolint:nilerr // Data of any other shape is itself.
	}
	text, err := i.keeper.sealer.Open(ctx, what, wrapped.Sealed)
	if errors.Is(err, ErrSealed) {
		return data, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the %s: %w", what, err)
	}
	return text, nil
}
