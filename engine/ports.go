package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

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
	// Refused, where set, is the error of a Create whose key gives no earlier
	// execution: it keeps nothing. A key counts also where a new execution
	// could not be.
	Refused error
	Events  []plan.Event
	// Also are changes to other executions that are kept with this one or
	// not at all.
	Also []Commit
}

// Commit is what one turn of an execution changes; all of it or nothing.
type Commit struct {
	// Execution is the header after the events.
	Execution Execution
	Events    []plan.Event
	// Steps are those that the events changed, without their items; Items
	// are the items that they changed.
	Steps []StepResult
	Items []ItemChange
	// Also are changes to other executions that belong to this one, and are
	// kept with it or not at all.
	Also []Commit
}

// ItemChange is an item of a step as the events left it.
type ItemChange struct {
	StepID string
	Item   ItemResult
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
	// Bind says what would be called, without starting anything. It is an
	// *UnavailableError where the plugin can't be called at the moment, and a
	// *NoHandlerError where no plugin has the handler any more.
	Bind(handler string) (Binding, error)
	// Invoke runs one attempt and returns when it has ended. When ctx ends
	// the attempt is cancelled, and after a grace killed, which gives
	// OutcomeUnknown. A failure to start the plugin is a retryable failure:
	// nothing ran. OutcomeNotRun is a call that must wait for its plugin.
	Invoke(ctx context.Context, request *pluginsdk.Request, reporter pluginsdk.Reporter) pluginsdk.Outcome
	// Reconcile asks what became of a lost attempt, of the binary of this
	// checksum, with which it ran. It is ErrNoBinary where that is gone, and
	// an *UnavailableError where it can't be asked at the moment.
	Reconcile(ctx context.Context, request *pluginsdk.Request, checksum string) (pluginsdk.ReconcileResult, error)
	// Undo takes an attempt back, as Invoke runs one.
	Undo(ctx context.Context, request *pluginsdk.Request, token json.RawMessage, reporter pluginsdk.Reporter) pluginsdk.Outcome
	// Plan says what an attempt would do, and does nothing;
	// pluginsdk.ErrUnsupported where the handler can't say.
	Plan(ctx context.Context, request *pluginsdk.Request) ([]pluginsdk.PlannedEffect, error)
}

// Caller is the definition that runs another workflow as a child. Who wrote
// it answers for what it calls: not who starts it, whom it may lend what they
// may not see themselves.
type Caller struct {
	WorkflowID string
	// Revision is that of the stored workflow, 0 for a definition that is not
	// kept.
	Revision int
	// EditedBy names who changed the definition for this run only, empty
	// where it is the revision's.
	EditedBy string
	// By names who started the run.
	By string
}

// Definitions finds the stored workflows that others run as children.
type Definitions interface {
	// Definition returns the newest revision of a workflow as JSON;
	// ErrNotFound for one that is not there or not for this caller, and a
	// *ProblemsError for a draft.
	Definition(ctx context.Context, caller Caller, workflowID string) (document json.RawMessage, revision int, err error)
}

// NamedDefinitions are Definitions whose names are no ids, such as paths of
// files.
type NamedDefinitions interface {
	Definitions
	// WorkflowID is the id under which executions of the workflow are kept.
	WorkflowID(name string) string
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
