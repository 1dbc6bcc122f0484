package pluginsdk

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Error is a handler's failure with what the engine needs to act on it. Make
// one with Retryable, Permanent, Invalid or Errorf; any other error that a
// handler returns counts as a permanent failure.
type Error struct {
	Failure

	cause error
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.cause }

// After sets the least wait before another attempt, and returns e.
func (e *Error) After(wait time.Duration) *Error {
	e.RetryAfter = wait
	return e
}

// WithCode sets the code, an upper-case word, and returns e.
func (e *Error) WithCode(code string) *Error {
	e.Code = code
	return e
}

// WithFault says whose fault it is, and returns e.
func (e *Error) WithFault(fault Fault) *Error {
	e.Fault = fault
	return e
}

// Retryable marks err as one that another attempt may not meet, such as a
// network error.
func Retryable(err error) *Error {
	return &Error{
		Failure: Failure{Class: FailureRetryable, Code: "RETRYABLE", Message: err.Error(), Fault: FaultDownstream},
		cause:   err,
	}
}

// Permanent marks err as one that every further attempt would meet too.
func Permanent(err error) *Error {
	return &Error{
		Failure: Failure{Class: FailurePermanent, Code: "STEP_FAILED", Message: err.Error(), Fault: FaultUser},
		cause:   err,
	}
}

// Errorf is Permanent(fmt.Errorf(…)).
func Errorf(format string, args ...any) *Error {
	return Permanent(fmt.Errorf(format, args...))
}

// Invalid says that the value at pointer (a JSON pointer into the config)
// can't be used, and why.
func Invalid(pointer, message string) *Error {
	return &Error{Failure: Failure{
		Class: FailureInvalidInput, Code: "INVALID_INPUT", Message: message, Pointer: pointer, Fault: FaultUser,
	}}
}

// Skipped is returned by Execute to end a step as skipped by choice.
type Skipped struct{ Reason string } //nolint:errname // It is an outcome that travels as an error.

// Error returns the reason.
func (s *Skipped) Error() string { return "skipped: " + s.Reason }

// Skip ends a step as skipped, with a sentence that says why. A step skipped
// by its handler counts as satisfied for the steps that depend on it.
func Skip(reason string) error { return &Skipped{Reason: reason} }

// FailureOf turns what a handler returned into a Failure. The context tells
// a cancelled attempt from one that ran out of time.
func FailureOf(ctx context.Context, err error) *Failure {
	var typed *Error
	if errors.As(err, &typed) {
		failure := typed.Failure
		// The outermost text carries the context that wrapping added.
		failure.Message = err.Error()
		return &failure
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return &Failure{Class: FailureTimeout, Code: "TIMEOUT", Message: err.Error(), Fault: FaultUser}
	case errors.Is(err, context.Canceled):
		return &Failure{Class: FailureCancelled, Code: "CANCELLED", Message: "the step was cancelled", Fault: FaultUser}
	}
	return &Failure{Class: FailurePermanent, Code: "STEP_FAILED", Message: err.Error(), Fault: FaultUser}
}
