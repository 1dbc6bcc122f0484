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
	// ErrForbidden: the caller may not do this; the text says who may.
	ErrForbidden = errors.New("not allowed")
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

	// RetryOf, ForkOf and UndoOf name the execution that this one builds on,
	// UndoneBy the one that took this one back.
	RetryOf  string `json:"retry_of,omitempty"`
	ForkOf   string `json:"fork_of,omitempty"`
	UndoOf   string `json:"undo_of,omitempty"`
	UndoneBy string `json:"undone_by,omitempty"`
	// Parent is set for a child.
	Parent *plan.Parent `json:"parent,omitempty"`

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
	// Waiting is set while the step waits.
	Waiting *Waiting `json:"waiting,omitempty"`
	// KeptFrom is the execution whose result this one repeats.
	KeptFrom string `json:"kept_from,omitempty"`
	// ChildID is the execution that the step runs or ran.
	ChildID string `json:"child_execution_id,omitempty"`
	// Undo says how taking the step back went, nil where nobody tried.
	Undo *Undo `json:"undo,omitempty"`
	// ItemCount is how many items a step with for_each has.
	ItemCount int          `json:"item_count,omitempty"`
	Items     []ItemResult `json:"items,omitempty"`
}

// ItemResult is one item of a step with for_each.
type ItemResult struct {
	Index    int             `json:"index"`
	Status   plan.Status     `json:"status"`
	Output   json.RawMessage `json:"output,omitempty"`
	Error    *plan.Error     `json:"error,omitempty"`
	Attempts int             `json:"attempts"`
	// StartedAt and CompletedAt are zero before.
	StartedAt   time.Time `json:"started_at,omitzero"`
	CompletedAt time.Time `json:"completed_at,omitzero"`
	SkipReason  string    `json:"skip_reason,omitempty"`
	Waiting     *Waiting  `json:"waiting,omitempty"`
	ChildID     string    `json:"child_execution_id,omitempty"`
	Undo        *Undo     `json:"undo,omitempty"`
}

// Waiting says what a step waits for.
type Waiting struct {
	Reason plan.WaitReason `json:"reason"`
	Since  time.Time       `json:"since"`
	// Until is when time ends the wait; zero is never.
	Until time.Time `json:"until,omitzero"`
	// Message belongs to an approval or a plugin, Approvers and Form to an
	// approval.
	Message   string          `json:"message,omitempty"`
	Approvers []string        `json:"approvers,omitempty"`
	Form      json.RawMessage `json:"form,omitempty"`
	// Plan lists what the steps after a bound approval would do, as the
	// steps of a Preview; an answer is for that and nothing else.
	Plan    json.RawMessage `json:"plan,omitempty"`
	Signal  string          `json:"signal,omitempty"`
	ChildID string          `json:"child_execution_id,omitempty"`
	// Plugin is the one that can't be called; Message says why.
	Plugin string `json:"plugin,omitempty"`
}

// Undo says how taking a step back went.
type Undo struct {
	// Status is running, undone, failed, or skipped where a step that comes
	// after this one could not be undone.
	Status plan.Status `json:"status"`
	Error  *plan.Error `json:"error,omitempty"`
	// SkipReason names that step and says why.
	SkipReason string    `json:"skip_reason,omitempty"`
	At         time.Time `json:"at"`
	// By is the execution that did it where that was another one.
	By string `json:"undone_by,omitempty"`
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
	// What the attempt took; 0 where nobody measured.
	CPUSeconds    float64 `json:"cpu_seconds,omitempty" doc:"Processor time that it took, as the kernel counts it"`
	MemoryBytes   int64   `json:"memory_bytes,omitempty" doc:"The most resident memory that its plugin's process had meanwhile"`
	SharedProcess bool    `json:"shared_process,omitempty" doc:"Other calls ran in the process too: the time is an equal part for each, the memory is that of all"`
}

// Result is a run with its steps.
type Result struct {
	Execution
	StepResults map[string]StepResult `json:"step_results"`
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

// Input is what a step, or an item of one, was called with, as far as it may
// be seen: secrets are hidden, and defaults of the handler are not added.
type Input struct {
	// Config is the step's config.
	Config json.RawMessage
	// Resolved is true where Config has the values of its references; where
	// it is false, Config is as the definition has it, and Reason says why.
	Resolved bool
	Reason   string
	// AsWritten are the references that are left in Config: the values of the
	// host's own configuration are neither kept nor shown.
	AsWritten []string
}

// Preview is what a run would do.
type Preview struct {
	Steps    []StepPreview       `json:"steps"`
	Warnings []pluginsdk.Problem `json:"warnings"`
}

// StepPreview is what one step would do.
type StepPreview struct {
	StepID   string `json:"step_id"`
	StepName string `json:"step_name"`
	Handler  string `json:"handler"`
	// Status is run, skip, unknown or invalid.
	Status string `json:"status"`
	// Reason is a sentence.
	Reason  string                    `json:"reason,omitempty"`
	Effects []pluginsdk.PlannedEffect `json:"effects"`
}

// Explanation says why an execution and each of its steps is as it is.
type Explanation struct {
	ExecutionID string      `json:"execution_id"`
	Status      plan.Status `json:"status"`
	// Summary is a sentence about the whole.
	Summary string `json:"summary"`
	// Slot says who holds the slots that a queued execution waits for.
	Slot  *SlotView              `json:"slot,omitempty"`
	Steps []plan.StepExplanation `json:"steps"`
}

// SlotView is a queued execution's place.
type SlotView struct {
	Key string `json:"key"`
	// Limit is how many may run at once, Place counts from 1.
	Limit   int          `json:"limit"`
	Place   int          `json:"place"`
	Holders []SlotHolder `json:"holders"`
}

// SlotHolder is an execution that holds a slot.
type SlotHolder struct {
	ExecutionID  string    `json:"execution_id"`
	WorkflowName string    `json:"workflow_name"`
	Since        time.Time `json:"since"`
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
