package problem

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/vwmp/vwmp/engine"
)

// retryAfter is when a client may expect a passing trouble to be over.
const retryAfter = 5 * time.Second

// From makes the problem of any error. What it doesn't know is a 500 whose
// text says nothing of the cause.
func From(err error) *Problem {
	var known *Problem
	var invalid *engine.ProblemsError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &invalid):
		return Invalid(invalid.Summary, invalid.Problems).Because(err)
	case errors.Is(err, engine.ErrNotFound):
		return New(http.StatusNotFound, NotFound, "there is no such thing").Because(err)
	case errors.Is(err, engine.ErrIdempotencyMismatch):
		return New(http.StatusUnprocessableEntity, IdempotencyMismatch, "the idempotency key was used within the last 24 hours with another request; use a new key").Because(err)
	case errors.Is(err, engine.ErrForbidden):
		return New(http.StatusForbidden, AuthorizationError, err.Error()).Because(err)
	case errors.Is(err, engine.ErrConflict):
		return New(http.StatusConflict, Conflict, err.Error()).Because(err)
	case errors.Is(err, engine.ErrStoreFull):
		return New(http.StatusServiceUnavailable, StoreFull, "the disk has no room for new executions; free some and try again").RetryAfter(retryAfter).Because(err)
	case errors.Is(err, engine.ErrBusy):
		return New(http.StatusServiceUnavailable, Unavailable, "as many executions run and wait as this server takes (limits.executions); try again once some have ended").RetryAfter(retryAfter).Because(err)
	case errors.Is(err, engine.ErrStopping):
		return New(http.StatusServiceUnavailable, Unavailable, "the server is stopping").RetryAfter(retryAfter).Because(err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return New(http.StatusServiceUnavailable, Unavailable, "the server could not answer in time").RetryAfter(retryAfter).Because(err)
	}
	return New(http.StatusInternalServerError, ExecutionError, "the server failed to answer; its log has the cause under this request's id").Because(err)
}

// FromStatus makes the problem of a refusal that knows only its status, as
// those of the HTTP libraries do. Their own texts are not passed on.
func FromStatus(status int) *Problem {
	switch status {
	case http.StatusNotFound:
		return New(status, NotFound, "there is nothing at this path")
	case http.StatusMethodNotAllowed:
		return New(status, MethodNotAllowed, "this path does not take this method; the Allow header lists those it takes")
	case http.StatusRequestEntityTooLarge:
		return New(status, PayloadTooLarge, "the body is too large")
	case http.StatusUnsupportedMediaType:
		return New(status, UnsupportedMediaType, "this path does not take a body of this type")
	case http.StatusRequestHeaderFieldsTooLarge:
		return New(status, HeadersTooLarge, "the request's headers are too large or too many")
	case http.StatusRequestURITooLong:
		return New(status, HeadersTooLarge, "the address is too long")
	case http.StatusRequestTimeout:
		return New(status, ValidationError, "the request did not arrive in time")
	case http.StatusUpgradeRequired:
		return New(status, ValidationError, "this path speaks WebSocket only").With("Upgrade", "websocket")
	case http.StatusUnauthorized:
		return New(status, AuthenticationError, "sign in first")
	case http.StatusForbidden:
		return New(status, AuthorizationError, "this is not allowed")
	case http.StatusTooManyRequests:
		return New(status, RateLimitError, "too many requests").RetryAfter(retryAfter)
	case http.StatusServiceUnavailable:
		return New(status, Unavailable, "the server can't answer now").RetryAfter(retryAfter)
	}
	if status >= 400 && status < 500 {
		return New(http.StatusBadRequest, ValidationError, "the request can't be read")
	}
	return From(errors.New(http.StatusText(status)))
}
