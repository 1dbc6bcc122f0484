package plan

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

// Ref names what is called: a step, or one item of a step with for_each.
type Ref struct {
	// Step is an index into the graph.
	Step int
	// Item counts from 0; it is WholeStep for the step itself.
	Item int
}

// WholeStep is the Item of a Ref that names a step and not one of its items.
const WholeStep = -1

// StepRef names a whole step.
func StepRef(step int) Ref { return Ref{Step: step, Item: WholeStep} }

// IsItem reports whether the ref names an item.
func (r Ref) IsItem() bool { return r.Item != WholeStep }

// itemIndex is the item as events carry it.
func (r Ref) itemIndex() *int {
	if !r.IsItem() {
		return nil
	}
	item := r.Item
	return &item
}

func compareRefs(a, b Ref) int {
	return cmp.Or(cmp.Compare(a.Step, b.Step), cmp.Compare(a.Item, b.Item))
}

func insertRef(list []Ref, r Ref) []Ref {
	at, found := slices.BinarySearchFunc(list, r, compareRefs)
	if found {
		return list
	}
	return slices.Insert(list, at, r)
}

func removeRef(list []Ref, r Ref) []Ref {
	at, found := slices.BinarySearchFunc(list, r, compareRefs)
	if !found {
		return list
	}
	return slices.Delete(list, at, at+1)
}

func containsRef(list []Ref, r Ref) bool {
	_, found := slices.BinarySearchFunc(list, r, compareRefs)
	return found
}

// Unit is what has attempts: a step, or one item of a step with for_each.
type Unit struct {
	Status Status
	// Attempt is the number of the last attempt, 0 before the first.
	Attempt     int
	Attempts    []AttemptState
	StartedAt   time.Time
	CompletedAt time.Time
	RetryAt     time.Time
	Output      json.RawMessage
	// PublicOutput names a blob where Output is large.
	PublicOutput json.RawMessage
	UndoToken    json.RawMessage
	Error        *Error
	SkipReason   string
	// Wait is what a waiting unit waits for, or waited for.
	Wait *Wait
	// WaitsSince is when the last wait began.
	WaitsSince time.Time
	// KeptFrom is the execution that the result comes from, or empty.
	KeptFrom string
	// Undo is how far taking the unit back has come.
	Undo UndoState

	EffectClass    pluginsdk.EffectClass
	IdempotencyKey string
	Checkpoint     json.RawMessage
	Effects        []pluginsdk.EffectRecord

	failures int
	losses   int
	// crashes counts those of its plugin in which it was alone.
	crashes      int
	skipByChoice bool
	// declared: a person said that it succeeded.
	declared bool
	// decision is what to do with a lost attempt, once known.
	decision    lostDecision
	reconcileAt time.Time
	lostDetail  string
}

// AttemptState is one attempt within a Unit.
type AttemptState struct {
	Number      int
	Status      Status
	StartedAt   time.Time
	CompletedAt time.Time
	Error       *Error
	Checksum    string
	// Usage is nil where nobody measured.
	Usage *Usage
}

// UndoState is how far taking back a unit has come.
type UndoState struct {
	// Status is empty before the first attempt, then running, and at the end
	// undone, failed, or skipped where a step after it could not be undone.
	Status  Status
	Attempt int
	Error   *Error
	// SkipReason says which step that was, and why.
	SkipReason string
	At         time.Time
	// By is the execution that took it back where that was another one.
	By string

	calling bool
	retryAt time.Time
}

// problem says why the unit could not be undone.
func (u *UndoState) problem() string {
	if u.Error == nil {
		return "nobody knows why"
	}
	return u.Error.Message
}

type lostDecision string

const (
	lostUndecided lostDecision = ""
	lostRerun     lostDecision = "rerun"
	lostUnknown   lostDecision = "unknown"
)

// WaitReason says what a waiting step waits for.
type WaitReason string

// The reasons for waiting.
const (
	WaitApproval WaitReason = "approval"
	WaitTime     WaitReason = "time"
	WaitSignal   WaitReason = "signal"
	WaitChild    WaitReason = "child"
	// WaitPlugin: the step's plugin can't be called, and it is not started
	// before it can.
	WaitPlugin WaitReason = "plugin"
)

// Wait is what a waiting step waits for.
type Wait struct {
	Reason WaitReason `json:"reason"`
	// Until is when time ends the wait; zero is never.
	Until time.Time `json:"until,omitzero"`
	// OnTimeout is what Until does to an approval: fail, approve or reject.
	OnTimeout string `json:"on_timeout,omitempty"`
	// Message belongs to an approval, and says of a plugin why it can't be
	// called; Approvers and Form belong to an approval.
	Message   string          `json:"message,omitempty"`
	Approvers []string        `json:"approvers,omitempty"`
	Form      json.RawMessage `json:"form,omitempty"`
	// Plan is what the steps after a bound approval would do when it was
	// asked for: a JSON list. Bound asks for one.
	Plan  json.RawMessage `json:"plan,omitempty"`
	Bound bool            `json:"bound,omitempty"`
	// Signal is the name of the awaited signal.
	Signal string `json:"signal,omitempty"`
	// Child is the id of the child execution, and Workflow what it runs.
	Child      string          `json:"child,omitempty"`
	Workflow   string          `json:"workflow,omitempty"`
	Parameters json.RawMessage `json:"parameters,omitempty"`
	// Plugin is the name of the plugin that can't be called.
	Plugin string `json:"plugin,omitempty"`

	// delivered is the payload of the signal, once it has come.
	delivered json.RawMessage
}

// Origin is where an execution that is not a plain start comes from.
type Origin struct {
	RetryOf string `json:"retry_of,omitempty"`
	ForkOf  string `json:"fork_of,omitempty"`
	UndoOf  string `json:"undo_of,omitempty"`
	// EditedBy names who changed the definition for this run only.
	EditedBy string `json:"edited_by,omitempty"`
	// Parent is set for a child.
	Parent *Parent `json:"parent,omitempty"`
	// Only is the one step that is run, or empty for all.
	Only string `json:"only,omitempty"`
	// Keep are results that are not made again, in the order in which they
	// were made.
	Keep []Kept `json:"keep,omitempty"`
}

// from is the execution that kept results come from.
func (o *Origin) from() string { return cmp.Or(o.RetryOf, o.ForkOf, o.UndoOf) }

// Parent names the step that runs a child.
type Parent struct {
	ExecutionID string `json:"execution_id"`
	StepID      string `json:"step_id"`
	ItemIndex   *int   `json:"item_index,omitempty"`
	// Depth is 1 for the child of a plain execution.
	Depth int `json:"depth"`
}

// Kept is the result of a step of an earlier execution.
type Kept struct {
	StepID string `json:"step_id"`
	// Status is success or skipped; empty where only some items are kept
	// and the others are run.
	Status     Status          `json:"status,omitempty"`
	Output     json.RawMessage `json:"output,omitempty"`
	UndoToken  json.RawMessage `json:"undo_token,omitempty"`
	SkipReason string          `json:"skip_reason,omitempty"`
	// Declared: a person said that it succeeded, after its outcome was
	// unknown.
	Declared bool `json:"declared,omitempty"`
	// Values are the items of a step with for_each, Items what became of
	// them.
	Values []json.RawMessage `json:"values,omitempty"`
	Items  []KeptItem        `json:"items,omitempty"`
	// Order counts what is to be undone, from 1 in the order in which it
	// succeeded.
	Order int `json:"order,omitempty"`

	// FullOutput is the output itself where Output only names a blob.
	FullOutput json.RawMessage `json:"-"`
}

// KeptItem is the result of one item.
type KeptItem struct {
	Index     int             `json:"index"`
	Output    json.RawMessage `json:"output,omitempty"`
	UndoToken json.RawMessage `json:"undo_token,omitempty"`
	Declared  bool            `json:"declared,omitempty"`
	Order     int             `json:"order,omitempty"`

	FullOutput json.RawMessage `json:"-"`
}
