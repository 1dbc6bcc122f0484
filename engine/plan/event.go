package plan

import (
	"encoding/json"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

// EventType names an event. The public ones are those of the API's sockets.
type EventType string

// Public events; each has a Seq.
const (
	ExecutionStarted    EventType = "execution_started"
	ExecutionQueued     EventType = "execution_queued"
	ExecutionParked     EventType = "execution_parked"
	ExecutionPaused     EventType = "execution_paused"
	ExecutionResumed    EventType = "execution_resumed"
	ExecutionCancelling EventType = "execution_cancelling"
	StepStarted         EventType = "step_started"
	StepLog             EventType = "step_log"
	StepProgress        EventType = "step_progress"
	StepRetrying        EventType = "step_retrying"
	StepWaiting         EventType = "step_waiting"
	StepInterrupted     EventType = "step_interrupted"
	StepItemCompleted   EventType = "step_item_completed"
	StepUndone          EventType = "step_undone"
	StepCompleted       EventType = "step_completed"
	ProgressMade        EventType = "progress"
	WorkflowCompleted   EventType = "workflow_completed"
)

// Internal events, which only the journal knows.
const (
	// ExecutionCreated is the first record of every execution.
	ExecutionCreated EventType = "execution_created"
	// AttemptLost: an attempt ended and nobody knows how.
	AttemptLost EventType = "attempt_lost"
	// StepReconciled: the handler was asked what became of a lost attempt.
	StepReconciled EventType = "step_reconciled"
	// StepResolved: a person decided an interrupted step.
	StepResolved EventType = "step_resolved"
	// StepCheckpointed keeps an attempt's last checkpoint.
	StepCheckpointed EventType = "step_checkpointed"
	// StepEffected keeps a change that an attempt announced or made.
	StepEffected EventType = "step_effected"
	// HostRestarted: a host that had died took the execution up again.
	HostRestarted EventType = "host_restarted"
	// StepExpanded keeps the items of a step with for_each.
	StepExpanded EventType = "step_expanded"
	// SlotGranted ends the wait of a queued execution.
	SlotGranted EventType = "slot_granted"
	// SignalReceived keeps a signal until a step waits for it.
	SignalReceived EventType = "signal_received"
	// UndoStarted: an attempt at taking a step back is about to be made.
	UndoStarted EventType = "undo_started"
	// UndoRetrying: it failed and will be tried again.
	UndoRetrying EventType = "undo_retrying"
	// UndoLost: it ended and nobody knows how.
	UndoLost EventType = "undo_lost"
	// UndoneElsewhere: another execution took a step of this ended one back.
	UndoneElsewhere EventType = "undone_elsewhere"
)

// Internal reports whether only the journal knows the type.
func (t EventType) Internal() bool {
	switch t {
	case ExecutionCreated, AttemptLost, StepReconciled, StepResolved, StepCheckpointed, StepEffected, HostRestarted,
		StepExpanded, SlotGranted, SignalReceived, UndoStarted, UndoRetrying, UndoLost, UndoneElsewhere:
		return true
	}
	return false
}

// Event is one fact in an execution's history. Its JSON form without Private
// is what sockets and the events API send; with it, what the journal keeps.
type Event struct {
	Type EventType `json:"event"`
	// Seq counts the public events of an execution, 1, 2, 3 … without a
	// gap. An internal event carries the Seq of the public one before it.
	Seq uint64 `json:"seq"`
	// Sub orders the internal events behind one Seq, from 1; 0 is public.
	Sub         uint32    `json:"-"`
	ExecutionID string    `json:"execution_id"`
	WorkflowID  string    `json:"workflow_id"`
	Time        time.Time `json:"timestamp"`

	WorkflowName string `json:"workflow_name,omitempty"`
	TotalSteps   int    `json:"total_steps,omitempty"`
	Trigger      string `json:"trigger,omitempty"`

	StepID   string `json:"step_id,omitempty"`
	StepName string `json:"step_name,omitempty"`
	Handler  string `json:"handler,omitempty"`
	// Attempt counts from 1.
	Attempt   int  `json:"attempt,omitempty"`
	ItemIndex *int `json:"item_index,omitempty"`

	Level      pluginsdk.LogLevel `json:"level,omitempty"`
	Message    string             `json:"message,omitempty"`
	Fields     json.RawMessage    `json:"fields,omitempty"`
	Percentage *float64           `json:"percentage,omitempty"`

	// Delay is in seconds.
	Delay   *float64        `json:"delay,omitempty"`
	Reason  string          `json:"reason,omitempty"`
	Details json.RawMessage `json:"details,omitempty"`
	By      string          `json:"by,omitempty"`

	// Status is a step's or an execution's, by Type.
	Status string          `json:"status,omitempty"`
	Output json.RawMessage `json:"output,omitempty"`
	Error  *Error          `json:"error,omitempty"`
	// ExecutionTime and TotalTime are in seconds.
	ExecutionTime *float64  `json:"execution_time,omitempty"`
	TotalTime     *float64  `json:"total_time,omitempty"`
	SkipReason    string    `json:"skip_reason,omitempty"`
	Progress      *Progress `json:"progress,omitempty"`
	// KeptFrom is the execution whose result a step_completed repeats.
	KeptFrom string `json:"kept_from,omitempty"`

	Private *Private `json:"private,omitempty"`

	// FullOutput is the output itself where Output only names a blob. It is
	// never written; whoever reads a journal puts it back.
	FullOutput json.RawMessage `json:"-"`
}

// Private is what the engine must remember of an event and nobody else needs.
type Private struct {
	// Of StepStarted.
	EffectClass    pluginsdk.EffectClass `json:"effect_class,omitempty"`
	IdempotencyKey string                `json:"idempotency_key,omitempty"`
	Checksum       string                `json:"checksum,omitempty"`
	BootEpoch      uint64                `json:"boot_epoch,omitempty"`
	// Of StepCompleted.
	UndoToken json.RawMessage `json:"undo_token,omitempty"`
	// ByChoice tells a step skipped by choice, which satisfies, from one
	// skipped because something before it is broken.
	ByChoice bool `json:"by_choice,omitempty"`
	// Of StepRetrying and UndoRetrying: when the next attempt is due.
	RetryAt time.Time `json:"retry_at,omitzero"`
	// Of AttemptLost: whose end it was, and whether the plugin's process
	// crashed with this call alone in it.
	Lost  LostCause `json:"lost,omitempty"`
	Alone bool      `json:"alone,omitempty"`
	// Of UndoRetrying: nothing ran, so that no attempt is used up.
	NotRun bool `json:"not_run,omitempty"`
	// Of StepCompleted, StepItemCompleted, StepRetrying and AttemptLost: what
	// the attempt took.
	Usage *Usage `json:"usage,omitempty"`
	// Of StepReconciled and StepResolved.
	Verdict string `json:"verdict,omitempty"`
	// Of StepCheckpointed and StepEffected.
	Checkpoint json.RawMessage         `json:"checkpoint,omitempty"`
	Effect     *pluginsdk.EffectRecord `json:"effect,omitempty"`
	// Of ExecutionCreated. Sealed holds the secret parameters, encrypted.
	SkipSteps []string `json:"skip_steps,omitempty"`
	Sealed    []byte   `json:"sealed,omitempty"`
	Origin    *Origin  `json:"origin,omitempty"`
	// Of StepExpanded: the items, each a JSON value.
	Items []json.RawMessage `json:"items,omitempty"`
	// Of StepWaiting.
	Wait *Wait `json:"wait,omitempty"`
	// Of SignalReceived.
	Signal  string          `json:"signal,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"`
	// Of ExecutionCancelling.
	TimedOut bool `json:"timed_out,omitempty"`
}

// Usage is what an attempt took of the machine, where somebody measured it.
type Usage struct {
	CPU    time.Duration `json:"cpu"`
	Memory int64         `json:"memory"`
	Shared bool          `json:"shared,omitempty"`
}

// LostCause says what ended an attempt whose outcome is unknown.
type LostCause string

// The causes of a lost attempt.
const (
	LostHost   LostCause = "host"
	LostPlugin LostCause = "plugin"
	LostKilled LostCause = "killed"
)

// Public returns the event as others than the journal see it.
func (e Event) Public() Event {
	e.Private = nil
	return e
}

// WithTimes returns the event with each of its times changed.
func (e Event) WithTimes(change func(time.Time) time.Time) Event {
	e.Time = change(e.Time)
	if e.Private == nil || (e.Private.RetryAt.IsZero() && e.Private.Wait == nil) {
		return e
	}
	private := *e.Private
	private.RetryAt = change(private.RetryAt)
	if private.Wait != nil {
		wait := *private.Wait
		wait.Until = change(wait.Until)
		private.Wait = &wait
	}
	e.Private = &private
	return e
}

// Error is a step's or an execution's failure as results show it.
type Error struct {
	Message   string `json:"message"`
	Code      string `json:"code"`
	Retryable bool   `json:"retryable"`
	// Class and Fault come from the handler; Pointer points into the config.
	Class   pluginsdk.FailureClass `json:"class,omitempty"`
	Fault   pluginsdk.Fault        `json:"fault,omitempty"`
	Pointer string                 `json:"pointer,omitempty"`
}

// ErrorOf makes the Error of a handler's failure.
func ErrorOf(failure *pluginsdk.Failure) *Error {
	if failure == nil {
		return nil
	}
	return &Error{
		Message: failure.Message, Code: failure.Code, Retryable: failure.Class.Retryable(),
		Class: failure.Class, Fault: failure.Fault, Pointer: failure.Pointer,
	}
}

// Progress counts the steps of an execution.
type Progress struct {
	TotalSteps     int `json:"total_steps"`
	CompletedSteps int `json:"completed_steps"`
	FailedSteps    int `json:"failed_steps"`
	SkippedSteps   int `json:"skipped_steps"`
	// Percentage of the steps that have ended, from 0 to 100.
	Percentage float64 `json:"percentage"`
}

// Status is the state of an execution or of a step.
type Status string

// The words for executions and steps. Queued, paused and partial are an
// execution's only; retrying, interrupted, skipped and undone a step's.
const (
	StatusPending     Status = "pending"
	StatusQueued      Status = "queued"
	StatusRunning     Status = "running"
	StatusPaused      Status = "paused"
	StatusWaiting     Status = "waiting"
	StatusRetrying    Status = "retrying"
	StatusInterrupted Status = "interrupted"
	StatusSuccess     Status = "success"
	StatusPartial     Status = "partial"
	StatusFailed      Status = "failed"
	StatusSkipped     Status = "skipped"
	StatusCancelled   Status = "cancelled"
	StatusUndone      Status = "undone"
)

// Ended reports whether nothing follows the status any more.
func (s Status) Ended() bool {
	switch s {
	case StatusSuccess, StatusPartial, StatusFailed, StatusSkipped, StatusCancelled, StatusUndone:
		return true
	}
	return false
}
