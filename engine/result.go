package engine

import (
	"encoding/json"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

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
