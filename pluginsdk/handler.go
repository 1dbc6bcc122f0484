package pluginsdk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
)

// Executor is the one thing a handler must do. C is the config struct, whose
// tags make the form (see SchemaOf); O is the output struct.
type Executor[C, O any] interface {
	// Execute runs one attempt. It returns when ctx ends. Errors say by
	// their type whether another attempt makes sense: see Retryable,
	// Permanent, Invalid and Skip.
	Execute(ctx context.Context, step *Step, config C) (O, error)
}

// Planner is implemented by an Executor that can say what Execute would do,
// without doing it.
type Planner[C any] interface {
	Plan(ctx context.Context, step *Step, config C) ([]PlannedEffect, error)
}

// Undoer is implemented by an Executor that can take back what an attempt
// did. The token is what Execute gave to Step.SetUndo. Undo is idempotent.
type Undoer interface {
	Undo(ctx context.Context, step *Step, token json.RawMessage) error
}

// Reconciliation is the verdict of a Reconciler. Output belongs to
// ReconcileDone; the undo token is set with Step.SetUndo.
type Reconciliation[O any] struct {
	Status ReconcileStatus
	Output O
	// Detail is a sentence that says how the verdict was found.
	Detail string
}

// Reconciler is implemented by an Executor that can find out what became of
// an attempt whose outcome is unknown. It changes nothing.
type Reconciler[C, O any] interface {
	Reconcile(ctx context.Context, step *Step, config C) (Reconciliation[O], error)
}

// Validator is implemented by an Executor that can say more of a config than
// its schema can. It has no effects.
type Validator[C any] interface {
	ValidateConfig(ctx context.Context, config C) []Problem
}

// Func makes an Executor of a function.
type Func[C, O any] func(ctx context.Context, step *Step, config C) (O, error)

// Execute calls f.
func (f Func[C, O]) Execute(ctx context.Context, step *Step, config C) (O, error) {
	return f(ctx, step, config)
}

// Handler is a described piece of work in its untyped form, as the wire
// knows it. Make one with NewHandler.
type Handler struct {
	info    HandlerInfo
	infoErr error

	execute   func(ctx context.Context, step *Step, config json.RawMessage) (json.RawMessage, error)
	plan      func(ctx context.Context, step *Step, config json.RawMessage) ([]PlannedEffect, error)
	undo      func(ctx context.Context, step *Step, token json.RawMessage) error
	reconcile func(ctx context.Context, step *Step, config json.RawMessage) (ReconcileResult, error)
	validate  func(ctx context.Context, config json.RawMessage) ([]Problem, error)
}

// NewHandler joins a description and an implementation. Schemas that info
// leaves empty are reflected from C and O; capabilities follow from the
// optional interfaces that impl satisfies. Every handler can be cancelled:
// through the context of its call.
func NewHandler[C, O any](info HandlerInfo, impl Executor[C, O]) *Handler {
	handler := &Handler{}
	var config C
	var output O
	var schemaErr error
	if info.ConfigSchema == nil {
		info.ConfigSchema, schemaErr = SchemaOf(config)
	}
	if info.OutputSchema == nil && schemaErr == nil {
		info.OutputSchema, schemaErr = outputSchemaOf(output)
	}
	if schemaErr != nil {
		handler.infoErr = fmt.Errorf("handler %s: %w", info.Path, schemaErr)
	}
	if info.Effect == "" {
		info.Effect = EffectUnsafe
	}
	info.Capabilities.Cancel = true

	handler.execute = func(ctx context.Context, step *Step, raw json.RawMessage) (json.RawMessage, error) {
		config, err := decodeConfig[C](raw)
		if err != nil {
			return nil, err
		}
		output, err := impl.Execute(ctx, step, config)
		if err != nil {
			return nil, err
		}
		return encodeOutput(output)
	}
	addOptional(handler, &info, impl)
	handler.info = info
	return handler
}

// addOptional advertises what impl can do beside Execute.
func addOptional[C, O any](handler *Handler, info *HandlerInfo, impl Executor[C, O]) {
	if planner, ok := impl.(Planner[C]); ok {
		info.Capabilities.Plan = true
		handler.plan = func(ctx context.Context, step *Step, raw json.RawMessage) ([]PlannedEffect, error) {
			config, err := decodeConfig[C](raw)
			if err != nil {
				return nil, err
			}
			return planner.Plan(ctx, step, config)
		}
	}
	if undoer, ok := impl.(Undoer); ok {
		info.Capabilities.Undo = true
		handler.undo = undoer.Undo
	}
	if reconciler, ok := impl.(Reconciler[C, O]); ok {
		info.Capabilities.Reconcile = true
		handler.reconcile = func(ctx context.Context, step *Step, raw json.RawMessage) (ReconcileResult, error) {
			config, err := decodeConfig[C](raw)
			if err != nil {
				return ReconcileResult{}, err
			}
			verdict, err := reconciler.Reconcile(ctx, step, config)
			if err != nil {
				return ReconcileResult{}, err
			}
			result := ReconcileResult{Status: verdict.Status, Detail: verdict.Detail, UndoToken: step.undoToken()}
			if verdict.Status == ReconcileDone {
				result.Output, err = encodeOutput(verdict.Output)
			}
			return result, err
		}
	}
	if validator, ok := impl.(Validator[C]); ok {
		info.Capabilities.Validate = true
		handler.validate = func(ctx context.Context, raw json.RawMessage) ([]Problem, error) {
			config, err := decodeConfig[C](raw)
			if err != nil {
				return nil, err
			}
			return validator.ValidateConfig(ctx, config), nil
		}
	}
}

// Info returns the handler's description, or what is wrong with it.
func (h *Handler) Info() (HandlerInfo, error) { return h.info, h.infoErr }

// ErrUnsupported is returned for a capability that the handler lacks.
var ErrUnsupported = errors.New("the handler does not support this call")

// Execute runs one attempt and says how it ended. A panic of the handler
// becomes a failure, with its stack in the step's log.
func (h *Handler) Execute(ctx context.Context, step *Step) (outcome Outcome) {
	defer func() {
		if value := recover(); value != nil {
			step.Log.Error(fmt.Sprintf("the handler panicked: %v", value), "stack", string(debug.Stack()))
			outcome = Outcome{Kind: OutcomeFailure, Failure: &Failure{
				Class: FailurePermanent, Code: "HANDLER_PANIC", Fault: FaultAuthor,
				Message: fmt.Sprintf("the handler %s panicked: %v", h.info.Path, value),
			}}
		}
	}()
	output, err := h.execute(ctx, step, step.request.Config)
	var skipped *Skipped
	switch {
	case err == nil:
		return Outcome{Kind: OutcomeSuccess, Output: output, UndoToken: step.undoToken()}
	case errors.As(err, &skipped):
		return Outcome{Kind: OutcomeSkipped, SkipReason: skipped.Reason}
	}
	return Outcome{Kind: OutcomeFailure, Failure: FailureOf(ctx, err)}
}

// Plan says what Execute would do, or returns ErrUnsupported.
func (h *Handler) Plan(ctx context.Context, step *Step) (effects []PlannedEffect, err error) {
	if h.plan == nil {
		return nil, ErrUnsupported
	}
	defer recoverInto(&err, h.info.Path)
	return h.plan(ctx, step, step.request.Config)
}

// Undo takes an attempt back, or returns ErrUnsupported.
func (h *Handler) Undo(ctx context.Context, step *Step, token json.RawMessage) (err error) {
	if h.undo == nil {
		return ErrUnsupported
	}
	defer recoverInto(&err, h.info.Path)
	return h.undo(ctx, step, token)
}

// Reconcile finds out what became of an attempt, or returns ErrUnsupported.
func (h *Handler) Reconcile(ctx context.Context, step *Step) (result ReconcileResult, err error) {
	if h.reconcile == nil {
		return ReconcileResult{}, ErrUnsupported
	}
	defer recoverInto(&err, h.info.Path)
	return h.reconcile(ctx, step, step.request.Config)
}

// ValidateConfig returns the problems of a config, or ErrUnsupported.
func (h *Handler) ValidateConfig(ctx context.Context, config json.RawMessage) (problems []Problem, err error) {
	if h.validate == nil {
		return nil, ErrUnsupported
	}
	defer recoverInto(&err, h.info.Path)
	return h.validate(ctx, config)
}

func recoverInto(err *error, path string) {
	if value := recover(); value != nil {
		*err = &Error{Failure: Failure{
			Class: FailurePermanent, Code: "HANDLER_PANIC", Fault: FaultAuthor,
			Message: fmt.Sprintf("the handler %s panicked: %v", path, value),
		}}
	}
}

// decodeConfig reads a config over the defaults of its tags, refusing keys
// that the struct does not have.
func decodeConfig[C any](raw json.RawMessage) (C, error) {
	var config C
	if err := applyDefaults(&config); err != nil {
		return config, err
	}
	if len(raw) == 0 {
		return config, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&config); err != nil {
		var typeErr *json.UnmarshalTypeError
		if errors.As(err, &typeErr) {
			return config, Invalid(pointerOf(typeErr.Field), fmt.Sprintf("%s must be %s, not a %s", typeErr.Field, typeErr.Type, typeErr.Value))
		}
		return config, Invalid("", fmt.Sprintf("the config can't be read: %v", err))
	}
	return config, nil
}

func encodeOutput(output any) (json.RawMessage, error) {
	raw, err := json.Marshal(output)
	if err != nil {
		return nil, &Error{Failure: Failure{
			Class: FailurePermanent, Code: "OUTPUT_INVALID", Fault: FaultAuthor,
			Message: fmt.Sprintf("the output can't be written as JSON: %v", err),
		}, cause: err}
	}
	if len(raw) > MaxOutputSize {
		return nil, &Error{Failure: Failure{
			Class: FailurePermanent, Code: "output_too_large", Fault: FaultAuthor,
			Message: fmt.Sprintf("the output is %d bytes, more than the %d allowed", len(raw), MaxOutputSize),
		}}
	}
	return raw, nil
}

// pointerOf turns encoding/json's dotted path into a JSON pointer.
func pointerOf(field string) string {
	pointer := make([]byte, 0, len(field)+1)
	pointer = append(pointer, '/')
	for i := range len(field) {
		if field[i] == '.' {
			pointer = append(pointer, '/')
			continue
		}
		pointer = append(pointer, field[i])
	}
	return string(pointer)
}
