// Package engine is what a host sees of the engine, and what the engine needs
// of its surroundings: the ports Journal, Blobs, LogSink, Invoker, Catalogue,
// Definitions, Settings, Publisher and Clock.
//
// It holds no runtime. Package workflow knows the language, package plan
// decides what is next, and package local obeys on this machine.
//
// The life of an execution:
//  1. Start checks the definition and the parameters, and returns once the
//     execution is in the journal.
//  2. One goroutine owns the execution. It asks plan what is next, appends the
//     events to the journal, applies them, publishes them, and only then acts.
//  3. A step is called through the Invoker after its step_started is durable;
//     nothing follows from its outcome before that is durable too.
//  4. After a crash Recover takes up every execution that has not ended.
package engine

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

// Errors that callers act on; wrap them with the particulars.
var (
	// ErrNotFound: no such execution or step.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the state forbids the action; the text names the state.
	ErrConflict = errors.New("conflict")
	// ErrIdempotencyMismatch: the key was seen with another request.
	ErrIdempotencyMismatch = errors.New("the idempotency key was used with another request")
	// ErrStoreFull: the disk has no room for new executions.
	ErrStoreFull = errors.New("the store is full")
	// ErrLogCapped: the log of an attempt has reached its size; the lines
	// were not written and must not be numbered.
	ErrLogCapped = errors.New("the step's log has reached its size limit")
	// ErrForbidden: the caller may not do this; the text says who may.
	ErrForbidden = errors.New("not allowed")
	// ErrBusy: as many executions live as may at once; a later start may find
	// room.
	ErrBusy = errors.New("too many executions run and wait already")
	// ErrStopping: the engine takes no new work.
	ErrStopping = errors.New("the server is stopping")
)

// ProblemsError refuses a request for problems that a person must fix.
type ProblemsError struct {
	// Summary is a sentence.
	Summary  string
	Problems []pluginsdk.Problem
}

// Error returns the summary and the first problem.
func (e *ProblemsError) Error() string {
	if len(e.Problems) == 0 {
		return e.Summary
	}
	return e.Summary + ": " + e.Problems[0].Message
}

// The triggers of an execution.
const (
	TriggerManual    = "manual"
	TriggerAPI       = "api"
	TriggerCLI       = "cli"
	TriggerWebSocket = "websocket"
	TriggerRetry     = "retry"
	TriggerFork      = "fork"
	TriggerUndo      = "undo"
	TriggerChild     = "child"
)

// StartRequest asks for one run of a definition.
type StartRequest struct {
	WorkflowID string
	// Revision is that of the stored workflow, 0 where there is none.
	Revision int
	// Document is the definition as JSON, as workflow.Definition writes it.
	Document json.RawMessage
	// Parameters is a JSON object, or nil; defaults are filled in.
	Parameters json.RawMessage
	// Sealed is an earlier execution's, see SealedParameters: where
	// Parameters has HiddenValue for a secret one, its value there is meant.
	Sealed  []byte
	Trigger string
	// By names who asked.
	By        string
	Workspace Workspace
	// SkipSteps are switched off by choice for this run.
	SkipSteps []string
	// Origin is set where the run builds on another one, or runs one step
	// only.
	Origin *plan.Origin
	// IdempotencyKey, where set, gives back the execution that was started
	// with it for this workflow within the last 24 h.
	IdempotencyKey string
}

// Workspace is a named folder that a run may touch.
type Workspace struct {
	Name string
	// Dir is absolute.
	Dir string
}

// Resolution decides an interrupted step.
type Resolution struct {
	// Item is the item of a for_each that is meant, nil for all that are
	// interrupted.
	Item *int
	// As is retry, success, failed or skipped.
	As string
	// Output belongs to success.
	Output json.RawMessage
	// By names who decided.
	By string
}

// Approval is an answer to a step that waits for one.
type Approval struct {
	Approved bool
	Comment  string
	// Data answers the form: a JSON object, or nil.
	Data json.RawMessage
	// Item is the item of a for_each that is meant, nil for the first that
	// waits.
	Item *int
	// By names who answers, Roles what he may answer as.
	By    string
	Roles []string
}

// RetryRequest asks for a new execution that keeps what succeeded.
type RetryRequest struct {
	// FromStep is made again with all that comes after it; empty is what
	// failed or was never run.
	FromStep string
	// Parameters replace those of the first execution where they name one;
	// nil keeps all.
	Parameters json.RawMessage
	// Document and Revision replace the definition; nil keeps it.
	Document json.RawMessage
	Revision int
	By       string
}

// ForkRequest asks for a new execution from a step on, with something edited.
type ForkRequest struct {
	FromStep string
	// Item is the one item of FromStep's for_each that is made again, nil
	// for all.
	Item *int
	// Parameters replace single parameters, Config the config of FromStep,
	// and Outputs those of earlier steps, by id.
	Parameters json.RawMessage
	Config     json.RawMessage
	Outputs    map[string]json.RawMessage
	By         string
	// DryRun only says what would be kept and redone.
	DryRun bool
}

// Fork says what a fork keeps and does again.
type Fork struct {
	// Execution is nil after a dry run.
	Execution *Execution `json:"execution,omitempty"`
	Kept      []string   `json:"kept"`
	Redone    []string   `json:"redone"`
	// Unsafe are those of Redone that ran before and can't be run twice
	// without doing something twice.
	Unsafe []string `json:"unsafe"`
}

// Engine runs workflows. Its methods may be called from several goroutines
// at once.
type Engine interface {
	Runner
	Controller
	Repeater
	Explainer
}

// Runner starts executions and takes them through the life of a host.
type Runner interface {
	// Start returns once the execution is in the journal. Its error is a
	// *ProblemsError for a definition or parameters that can't run, and
	// ErrConflict where a concurrency limit says so. created is false where
	// an idempotency key gave an earlier execution.
	Start(ctx context.Context, request StartRequest) (execution Execution, created bool, err error)
	// Wait blocks until the execution has ended or ctx ends. For an
	// execution that is not running here it returns at once.
	Wait(ctx context.Context, executionID string) error
	// Recover takes up the executions that had not ended when the last
	// host died. It is called once, before Start.
	Recover(ctx context.Context) (count int, err error)
	// PluginsChanged looks anew at the steps that wait for their plugins. It
	// returns at once.
	PluginsChanged()
	// Close stops taking work, lets running steps end within ctx, cancels
	// the rest, and returns when nothing runs.
	Close(ctx context.Context) error
}

// Controller acts on an execution that lives. Each call returns the header as
// it stands then, and ErrConflict, naming the state, where that forbids it.
type Controller interface {
	// Cancel asks an execution to end; asked twice, it ends clean-up steps
	// too. It returns before the execution has ended.
	Cancel(ctx context.Context, executionID, by string) (Execution, error)
	// Pause lets what runs end, and starts nothing more.
	Pause(ctx context.Context, executionID, by string) (Execution, error)
	// Resume takes up a paused or parked execution again.
	Resume(ctx context.Context, executionID, by string) (Execution, error)
	// ResolveStep decides an interrupted step.
	ResolveStep(ctx context.Context, executionID, stepID string, resolution Resolution) (Execution, error)
	// Approve answers a step that waits for an approval; ErrForbidden where
	// the caller is not among its approvers.
	Approve(ctx context.Context, executionID, stepID string, approval Approval) (Execution, error)
	// Signal sends a signal: to every step that waits for it, or else to the
	// first one that will.
	Signal(ctx context.Context, executionID, name string, payload json.RawMessage, by string) (Execution, error)
}

// Repeater makes executions of ended ones.
type Repeater interface {
	// Retry starts a new execution that keeps what succeeded.
	Retry(ctx context.Context, executionID string, request RetryRequest) (Execution, error)
	// Fork starts a new execution from a step on.
	Fork(ctx context.Context, executionID string, request ForkRequest) (Fork, error)
	// Undo starts an execution that takes back what can be taken back of an
	// ended one, last finished first.
	Undo(ctx context.Context, executionID, by string) (Execution, error)
}

// Explainer answers questions and changes nothing.
type Explainer interface {
	// Preview asks every handler what it would do, in order.
	Preview(ctx context.Context, request StartRequest) (Preview, error)
	// Explain says why an execution and its steps are as they are.
	Explain(ctx context.Context, executionID string) (Explanation, error)
	// UndoOutlook says what an Undo would take back and what not; its errors
	// are those of Undo, but that nothing at all can be undone is none.
	UndoOutlook(ctx context.Context, executionID string) ([]plan.UndoOutlook, error)
	// Input says what a step was called with, or an item of its for_each
	// where item is not nil; ErrNotFound where there is no such step or item.
	Input(ctx context.Context, executionID, stepID string, item *int) (Input, error)
}
