// Package engine is what a host sees of the engine, and what the engine needs
// of its surroundings: the ports Journal, Blobs, LogSink, Invoker, Catalogue,
// Settings, Publisher and Clock.
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
	"time"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
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

// Execution is the header of one run: what lists show.
type Execution struct {
	ID               string          `json:"execution_id"`
	WorkflowID       string          `json:"workflow_id"`
	WorkflowName     string          `json:"workflow_name"`
	WorkflowVersion  string          `json:"workflow_version,omitempty"`
	WorkflowRevision int             `json:"workflow_revision"`
	Status           plan.Status     `json:"status"`
	StatusReason     string          `json:"status_reason,omitempty"`
	Error            *plan.Error     `json:"error,omitempty"`
	Trigger          string          `json:"trigger"`
	Workspace        string          `json:"workspace,omitempty"`
	Parameters       json.RawMessage `json:"parameters"`
	CreatedAt        time.Time       `json:"created_at"`
	StartedAt        time.Time       `json:"started_at"`
	// CompletedAt is zero while the execution lives.
	CompletedAt time.Time `json:"completed_at,omitzero"`
	// TotalTime is in seconds, up to now for one that lives.
	TotalTime float64       `json:"total_time"`
	Progress  plan.Progress `json:"progress"`

	// LastSeq is the number of the last state event in the journal.
	LastSeq uint64 `json:"-"`
	// By names who asked for it.
	By string `json:"-"`
}

// StepResult is one step of a run as results show it.
type StepResult struct {
	StepID   string      `json:"step_id"`
	StepName string      `json:"step_name"`
	Handler  string      `json:"handler"`
	Status   plan.Status `json:"status"`
	// Output is JSON, or {"$blob": …} for one of over 64 KiB.
	Output json.RawMessage `json:"output,omitempty"`
	Error  *plan.Error     `json:"error,omitempty"`
	// Attempts is how many there were.
	Attempts    int       `json:"attempts"`
	AttemptList []Attempt `json:"attempt_list,omitempty"`
	StartedAt   time.Time `json:"started_at,omitzero"`
	CompletedAt time.Time `json:"completed_at,omitzero"`
	// ExecutionTime is in seconds, from the first attempt's start.
	ExecutionTime float64 `json:"execution_time"`
	SkipReason    string  `json:"skip_reason,omitempty"`
	LogCount      int     `json:"log_count"`
}

// Attempt is one try of a step.
type Attempt struct {
	Attempt     int         `json:"attempt"`
	Status      plan.Status `json:"status"`
	StartedAt   time.Time   `json:"started_at"`
	CompletedAt time.Time   `json:"completed_at,omitzero"`
	// ExecutionTime is in seconds.
	ExecutionTime float64     `json:"execution_time"`
	Error         *plan.Error `json:"error,omitempty"`
	// Checksum is the SHA-256 of the plugin's binary, in hex.
	Checksum string `json:"checksum,omitempty"`
}

// Result is a run with its steps.
type Result struct {
	Execution
	StepResults map[string]StepResult `json:"step_results"`
}

// Resolution decides an interrupted step.
type Resolution struct {
	// As is retry, success, failed or skipped.
	As string
	// Output belongs to success.
	Output json.RawMessage
	// By names who decided.
	By string
}

// Engine runs workflows. Its methods may be called from several goroutines
// at once.
type Engine interface {
	// Start returns once the execution is in the journal. Its error is a
	// *ProblemsError for a definition or parameters that can't run.
	// created is false where an idempotency key gave an earlier execution.
	Start(ctx context.Context, request StartRequest) (execution Execution, created bool, err error)
	// Cancel asks an execution to end; asked twice, it ends clean-up steps
	// too. It returns before the execution has ended.
	Cancel(ctx context.Context, executionID, by string) (Execution, error)
	// ResolveStep decides an interrupted step.
	ResolveStep(ctx context.Context, executionID, stepID string, resolution Resolution) (Execution, error)
	// Resume takes up a parked execution again.
	Resume(ctx context.Context, executionID, by string) (Execution, error)
	// Wait blocks until the execution has ended or ctx ends. For an
	// execution that is not running here it returns at once.
	Wait(ctx context.Context, executionID string) error
	// Recover takes up the executions that had not ended when the last
	// host died. It is called once, before Start.
	Recover(ctx context.Context) (count int, err error)
	// Close stops taking work, lets running steps end within ctx, cancels
	// the rest, and returns when nothing runs.
	Close(ctx context.Context) error
}

// Creation is the first record of an execution.
type Creation struct {
	Execution Execution
	// Document is kept once, by its content.
	Document     json.RawMessage
	WorkspaceDir string
	// IdempotencyKey and Fingerprint: the same key with another
	// fingerprint is ErrIdempotencyMismatch.
	IdempotencyKey string
	Fingerprint    string
	Events         []plan.Event
}

// Commit is what one turn of an execution changes; all of it or nothing.
type Commit struct {
	// Execution is the header after the events.
	Execution Execution
	Events    []plan.Event
	// Steps are those that the events changed.
	Steps []StepResult
}

// Stored is what the journal has of one execution.
type Stored struct {
	Execution    Execution
	Document     json.RawMessage
	WorkspaceDir string
	// Events are all state events, internal ones included, in order.
	Events []plan.Event
}

// Journal keeps the truth of executions.
type Journal interface {
	// Create keeps a new execution durably before it returns. Where the
	// idempotency key was seen within 24 h it returns that execution and
	// created false.
	Create(ctx context.Context, creation Creation) (execution Execution, created bool, err error)
	// Append keeps a commit durably before it returns. An error means that
	// nothing was kept, or that the process can't go on.
	Append(ctx context.Context, commit Commit) error
	// Load reads one execution whole.
	Load(ctx context.Context, executionID string) (Stored, error)
	// Unfinished lists the executions that have not ended, oldest first.
	Unfinished(ctx context.Context) ([]string, error)
}

// Blobs keeps outputs that are too large for events, by their content.
type Blobs interface {
	// PutBlob keeps data durably and returns its SHA-256 in hex.
	PutBlob(ctx context.Context, data []byte) (sha256 string, err error)
	// Blob returns ErrNotFound for one that is gone.
	Blob(ctx context.Context, sha256 string) ([]byte, error)
}

// LogSink keeps log and progress lines, beside the journal and never in the
// state. Lines are events of type step_log and step_progress with a Seq.
type LogSink interface {
	// AppendLog writes lines of one attempt, in order. They survive the
	// process at once, and the machine after SyncLogs. It is ErrLogCapped
	// where the log is full.
	AppendLog(executionID, stepID string, attempt int, lines ...plan.Event) error
	// SyncLogs makes all lines written for the execution so far durable;
	// without any it costs nothing.
	SyncLogs(executionID string) error
	// CloseLog ends the log of one attempt.
	CloseLog(executionID, stepID string, attempt int) error
	// LastLogSeq returns the highest Seq in the execution's logs, or 0.
	LastLogSeq(executionID string) (uint64, error)
}

// Binding is what a handler's path leads to at the moment.
type Binding struct {
	Plugin, Version string
	// Checksum is the SHA-256 of the binary, in hex.
	Checksum string
}

// Invoker calls handlers.
type Invoker interface {
	// Bind says what would be called, without starting anything.
	Bind(handler string) (Binding, error)
	// Invoke runs one attempt and returns when it has ended. When ctx ends
	// the attempt is cancelled, and after a grace killed, which gives
	// OutcomeUnknown. A failure to start the plugin is a retryable failure:
	// nothing ran.
	Invoke(ctx context.Context, request *pluginsdk.Request, reporter pluginsdk.Reporter) pluginsdk.Outcome
	// Reconcile asks what became of a lost attempt.
	Reconcile(ctx context.Context, request *pluginsdk.Request) (pluginsdk.ReconcileResult, error)
}

// Catalogue is what the engine must know of the handlers there are.
type Catalogue interface {
	workflow.Catalogue
	// Generation rises when the catalogue changes; compiled definitions
	// are kept by it.
	Generation() uint64
	// ValidateConfig and ValidateWorkflow ask the plugin for problems that
	// a schema can't say; none where it has no such rules.
	ValidateConfig(ctx context.Context, handler string, config json.RawMessage) ([]pluginsdk.Problem, error)
	ValidateWorkflow(ctx context.Context, workflowType string, document json.RawMessage) ([]pluginsdk.Problem, error)
}

// Settings are the host's values that a definition may refer to.
type Settings interface {
	// Env returns a variable of the host's environment that is on the
	// allow-list.
	Env(name string) (string, bool)
	// Adapter returns a plugin's own configuration, a JSON object, or nil.
	Adapter(plugin string) json.RawMessage
	// HandlerDefaults returns the configured defaults of a handler, a JSON
	// object, or nil.
	HandlerDefaults(handler string) json.RawMessage
}

// Publisher is told every public event after it is durable, log and progress
// lines included, in the order of their Seq. It must not block.
type Publisher interface {
	Publish(event plan.Event)
}

// Clock is the time; tests have their own.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f in its own goroutine after d. Stop reports whether
	// it prevented the call.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}
