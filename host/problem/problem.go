// Package problem is the one shape in which the host refuses a request, and
// the one place where an error becomes such a refusal: RFC 9457 problem
// details with a stable error code.
//
// What a client reads and what caused it are kept apart: the cause goes to
// the log and never into an answer. It knows no HTTP framework.
package problem

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

// Code is a stable upper-case word that a client can act on.
type Code string

// The codes of the API.
const (
	WorkflowNotFound     Code = "WORKFLOW_NOT_FOUND"
	ExecutionNotFound    Code = "EXECUTION_NOT_FOUND"
	HandlerNotFound      Code = "HANDLER_NOT_FOUND"
	PluginNotFound       Code = "PLUGIN_NOT_FOUND"
	NotFound             Code = "NOT_FOUND"
	ValidationError      Code = "VALIDATION_ERROR"
	MethodNotAllowed     Code = "METHOD_NOT_ALLOWED"
	Conflict             Code = "CONFLICT"
	RevisionMismatch     Code = "REVISION_MISMATCH"
	PayloadTooLarge      Code = "PAYLOAD_TOO_LARGE"
	UnsupportedMediaType Code = "UNSUPPORTED_MEDIA_TYPE"
	AuthenticationError  Code = "AUTHENTICATION_ERROR"
	AuthorizationError   Code = "AUTHORIZATION_ERROR"
	RateLimitError       Code = "RATE_LIMIT_ERROR"
	ExecutionError       Code = "EXECUTION_ERROR"
	Unavailable          Code = "UNAVAILABLE"
	IdempotencyMismatch  Code = "IDEMPOTENCY_MISMATCH"
	HostNotAllowed       Code = "HOST_NOT_ALLOWED"
	HeadersTooLarge      Code = "HEADERS_TOO_LARGE"
	StoreFull            Code = "STORE_FULL"
)

// ContentType is the media type of a Problem.
const ContentType = "application/problem+json"

// Item is one thing in a request that must be put right.
type Item struct {
	Pointer string `json:"pointer" doc:"JSON pointer (RFC 6901) into the request's body, or the name of a parameter"`
	StepID  string `json:"step_id,omitempty" doc:"The step it belongs to"`
	Code    string `json:"code" doc:"Lower-case word a program can act on"`
	Message string `json:"message" doc:"Sentence a person can act on"`
	Line    int    `json:"line,omitempty" doc:"Line in the text that was sent, from 1"`
	Column  int    `json:"column,omitempty" doc:"Column in the text that was sent, from 1"`
}

// Problem is a refused request as its client reads it.
type Problem struct {
	Type      string `json:"type" doc:"Always about:blank; error_code tells problems apart"`
	Title     string `json:"title" doc:"The status in words"`
	Status    int    `json:"status" doc:"HTTP status code"`
	Detail    string `json:"detail" doc:"What went wrong, in a sentence"`
	Instance  string `json:"instance,omitempty" doc:"The path that was asked for"`
	ErrorCode Code   `json:"error_code" doc:"Stable word a program can act on"`
	RequestID string `json:"request_id,omitempty" doc:"Under which the server's log has the request"`
	Errors    []Item `json:"errors,omitempty" doc:"All that must be put right"`
	// CurrentRevision belongs to REVISION_MISMATCH.
	CurrentRevision int `json:"current_revision,omitempty" doc:"Of REVISION_MISMATCH: the workflow's revision now"`

	header http.Header
	cause  error
}

// New makes a problem; detail is a sentence for the client.
func New(status int, code Code, detail string) *Problem {
	return &Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, ErrorCode: code,
	}
}

// Invalid makes a 400 of problems that a person must put right; warnings
// among them are left out.
func Invalid(summary string, found []pluginsdk.Problem) *Problem {
	p := New(http.StatusBadRequest, ValidationError, summary)
	for _, one := range found {
		if one.Severity != pluginsdk.SeverityWarning {
			p.Errors = append(p.Errors, ItemOf(one))
		}
	}
	return p
}

// InvalidValue makes a 400 about one value.
func InvalidValue(pointer, code, message string) *Problem {
	p := New(http.StatusBadRequest, ValidationError, message)
	p.Errors = []Item{{Pointer: pointer, Code: code, Message: message}}
	return p
}

// ItemOf returns what an answer shows of a problem.
func ItemOf(p pluginsdk.Problem) Item {
	return Item{Pointer: p.Pointer, StepID: p.StepID, Code: p.Code, Message: p.Message, Line: p.Line, Column: p.Column}
}

// Because keeps the cause, for the log only.
func (p *Problem) Because(cause error) *Problem {
	p.cause = cause
	return p
}

// RetryAfter tells the client when to come again; parts of a second are
// rounded up.
func (p *Problem) RetryAfter(d time.Duration) *Problem {
	return p.With("Retry-After", strconv.Itoa(max(1, int((d+time.Second-1)/time.Second))))
}

// With adds a header to the answer.
func (p *Problem) With(name, value string) *Problem {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Set(name, value)
	return p
}

// At returns a copy that names the request it answers.
func (p *Problem) At(path, requestID string) *Problem {
	q := *p
	q.Instance, q.RequestID = path, requestID
	return &q
}

// Error returns the code and the detail.
func (p *Problem) Error() string {
	return strings.ToLower(string(p.ErrorCode)) + ": " + p.Detail
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.cause }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders returns the headers that go with the answer.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType turns a negotiated type into that of problems.
func (p *Problem) ContentType(string) string { return ContentType }
