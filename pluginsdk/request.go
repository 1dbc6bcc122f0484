package pluginsdk

import (
	"encoding/json"
	"time"
)

// MaxMessageSize bounds one message on the wire, in bytes, on both sides.
const MaxMessageSize = 8 << 20

// MaxOutputSize bounds a step's output, in bytes of JSON.
const MaxOutputSize = 8 << 20

// MaxCheckpointSize bounds a checkpoint, in bytes.
const MaxCheckpointSize = 64 << 10

// Request is everything that one attempt at a step is given. Values are raw
// JSON, so that numbers and the order of keys survive the way.
type Request struct {
	ExecutionID string
	// StartedAt is when the execution started.
	StartedAt       time.Time
	WorkflowID      string
	WorkflowName    string
	WorkflowVersion string
	StepID          string
	StepName        string
	// Handler is the path of the handler to run.
	Handler string
	// ItemIndex is the index within for_each, -1 outside of one.
	ItemIndex int
	// Attempt counts from 1.
	Attempt int
	// IdempotencyKey is the same for every attempt at this step (and item)
	// of this execution.
	IdempotencyKey string
	// BootEpoch rises with each start of the host.
	BootEpoch uint64
	// Config is the resolved configuration of the step, a JSON object.
	Config json.RawMessage
	// Parameters and WorkflowConfig are JSON objects.
	Parameters     json.RawMessage
	WorkflowConfig json.RawMessage
	// Outputs are those of the steps upstream, nearest first.
	Outputs []StepOutput
	// WorkspaceName and WorkspaceDir name the folder that file handlers
	// may touch; the folder is absolute.
	WorkspaceName string
	WorkspaceDir  string
	// Deadline is when the attempt is out of time; zero is none.
	Deadline time.Time
	// TraceParent and TraceState carry W3C trace context.
	TraceParent string
	TraceState  string
	// Checkpoint is the last one an earlier attempt gave, or nil.
	Checkpoint json.RawMessage
	// Effects are those that earlier attempts recorded.
	Effects []EffectRecord
	// Secrets are the resolved secrets that Config refers to, by name.
	Secrets map[string]string
}

// StepOutput is the output of a finished step.
type StepOutput struct {
	StepID string
	Output json.RawMessage
}

// EffectRecord notes a change in the outside world, before (Done false) or
// after (Done true) it was made.
type EffectRecord struct {
	Action string `json:"action"`
	Target string `json:"target"`
	// ExternalID is the name that the outside gave it, for example a
	// commit's hash.
	ExternalID string `json:"external_id,omitempty"`
	Done       bool   `json:"done"`
}

// Artifact is a file in the workspace that a step made.
type Artifact struct {
	Path      string `json:"path"`
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"`
	MediaType string `json:"media_type,omitempty"`
}

// PlannedEffect is one thing that Execute would do.
type PlannedEffect struct {
	// Action is create, update, delete, run or send.
	Action string `json:"action"`
	// Target is what it would be done to.
	Target string `json:"target"`
	// Summary is a sentence.
	Summary string `json:"summary,omitempty"`
	// Diff is a unified diff where there is one.
	Diff string `json:"diff,omitempty"`
	// Known is false where a value is not known before the run.
	Known bool `json:"known"`
}

// OutcomeKind is how an attempt ended.
type OutcomeKind string

// The kinds of an Outcome.
const (
	OutcomeSuccess OutcomeKind = "success"
	OutcomeSkipped OutcomeKind = "skipped"
	OutcomeFailure OutcomeKind = "failure"
	// OutcomeUnknown: the call ended without a terminal event. It is
	// neither a failure nor a success, and is never sent again blindly.
	OutcomeUnknown OutcomeKind = "unknown"
	// OutcomeNotRun: nothing ran, because the plugin can't be called at the
	// moment. Only a host says so, never a plugin.
	OutcomeNotRun OutcomeKind = "not_run"
)

// Outcome is the end of one attempt.
type Outcome struct {
	Kind OutcomeKind
	// Output is the JSON result of a success, or nil for none.
	Output json.RawMessage
	// UndoToken is what Undo needs to take the attempt back, or nil.
	UndoToken json.RawMessage
	// SkipReason is a sentence, for OutcomeSkipped.
	SkipReason string
	// Failure is set for OutcomeFailure; for OutcomeUnknown it says what was
	// seen, for OutcomeNotRun why, and with RetryAfter when to try again.
	Failure *Failure
}

// FailureClass says what kind of failure it was, and so whether another
// attempt makes sense.
type FailureClass string

// The failure classes; FailureRetryable and FailureTimeout are tried again.
const (
	FailureInvalidInput FailureClass = "invalid_input"
	FailureRetryable    FailureClass = "retryable"
	FailurePermanent    FailureClass = "permanent"
	FailureCancelled    FailureClass = "cancelled"
	FailureTimeout      FailureClass = "timeout"
)

// Retryable reports whether the class is tried again by a retry policy.
func (c FailureClass) Retryable() bool {
	return c == FailureRetryable || c == FailureTimeout
}

// Fault says on whose side the cause of a failure is.
type Fault string

// The sides a failure can be on.
const (
	FaultAuthor     Fault = "author"
	FaultDownstream Fault = "downstream"
	FaultUser       Fault = "user"
	FaultHost       Fault = "host"
)

// Failure is a step's own failure, as data.
type Failure struct {
	Class FailureClass `json:"class"`
	// Code is an upper-case word a program can act on.
	Code string `json:"code"`
	// Message is a sentence a person can act on.
	Message string `json:"message"`
	// Pointer is a JSON pointer into the config, for FailureInvalidInput.
	Pointer string `json:"pointer,omitempty"`
	// RetryAfter is the least wait before another attempt; zero is none.
	RetryAfter time.Duration `json:"retry_after,omitempty"`
	Fault      Fault         `json:"fault,omitempty"`
}

// ReconcileStatus is the verdict of Reconcile.
type ReconcileStatus string

// What became of an attempt whose outcome is unknown.
const (
	ReconcileNotStarted ReconcileStatus = "not_started"
	ReconcileRunning    ReconcileStatus = "running"
	ReconcileDone       ReconcileStatus = "done"
	ReconcileUnknown    ReconcileStatus = "unknown"
)

// ReconcileResult is the answer of Reconcile in its wire form.
type ReconcileResult struct {
	Status ReconcileStatus
	// Output and UndoToken belong to ReconcileDone.
	Output    json.RawMessage
	UndoToken json.RawMessage
	// Detail is a sentence that says how the verdict was found.
	Detail string
}

// LogLevel is the level of a step's log line.
type LogLevel string

// The levels of a log line.
const (
	LevelDebug   LogLevel = "debug"
	LevelInfo    LogLevel = "info"
	LevelWarning LogLevel = "warning"
	LevelError   LogLevel = "error"
)

// LogLine is one line of a step's log.
type LogLine struct {
	Time    time.Time
	Level   LogLevel
	Message string
	// Fields is a JSON object, or nil.
	Fields json.RawMessage
}

// Reporter receives what a running attempt says before it ends. Its methods
// may be called from several goroutines at once, and return soon.
type Reporter interface {
	Log(line LogLine)
	// Progress takes a percentage from 0 to 100.
	Progress(percentage float64, message string)
	Heartbeat()
	// Checkpoint takes at most MaxCheckpointSize bytes of JSON. It returns
	// once the checkpoint is on its way to the host.
	Checkpoint(data json.RawMessage) error
	Effect(record EffectRecord) error
	Artifact(artifact Artifact) error
}
