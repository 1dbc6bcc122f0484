package workflow

import (
	"encoding/json"
	"math"
	"time"
)

// Limits of a document.
const (
	// MaxYAML and MaxJSON bound a document's text, in bytes.
	MaxYAML = 256 << 10
	MaxJSON = 2 << 20
	// MaxSteps bounds the steps of a workflow.
	MaxSteps = 10000
	// MaxDepth bounds how deep maps and lists are nested.
	MaxDepth = 64
	// MaxItems bounds the items of a for_each.
	MaxItems = 10000
	// MaxProblems bounds the problems that are reported at once.
	MaxProblems = 1000
)

// Defaults of the language.
const (
	DefaultVersion     = "1.0.0"
	DefaultType        = "custom"
	DefaultStepTimeout = 300 * time.Second
	DefaultMaxParallel = 10
	DefaultDebounce    = 2 * time.Second
)

// OnFailure says what a failed required step does to the execution.
type OnFailure string

// The values of OnFailure.
const (
	OnFailureStop     OnFailure = "stop"
	OnFailureContinue OnFailure = "continue"
	OnFailureRollback OnFailure = "rollback"
)

// RunOn says which outcome of its dependencies lets a step run.
type RunOn string

// The values of RunOn.
const (
	RunOnSuccess RunOn = "success"
	RunOnFailure RunOn = "failure"
	RunOnAlways  RunOn = "always"
)

// OnInterrupt says what becomes of a step whose outcome is unknown after a
// crash and whose handler is unsafe.
type OnInterrupt string

// The values of OnInterrupt.
const (
	OnInterruptAsk   OnInterrupt = "ask"
	OnInterruptRetry OnInterrupt = "retry"
	OnInterruptFail  OnInterrupt = "fail"
	OnInterruptSkip  OnInterrupt = "skip"
	OnInterruptUndo  OnInterrupt = "undo"
)

// OnConflict says what a start does when its concurrency limit is reached.
type OnConflict string

// The values of OnConflict.
const (
	OnConflictQueue         OnConflict = "queue"
	OnConflictReject        OnConflict = "reject"
	OnConflictCancelRunning OnConflict = "cancel_running"
)

// Definition is a workflow as data. Parse fills in the language's defaults;
// a definition must not be changed once it is compiled.
type Definition struct {
	Name        string
	Version     string
	Type        string
	Description string
	Tags        []string
	// Config is a JSON object, or nil for none.
	Config     json.RawMessage
	Parameters []Parameter
	Steps      []Step
	// Timeout bounds the whole execution; zero is no bound.
	Timeout     time.Duration
	OnFailure   OnFailure
	Concurrency *Concurrency
	Triggers    []Trigger
}

// Step is one step of a workflow.
type Step struct {
	ID string
	// Name and Type are empty where the document has none; Node.Name and
	// Node.Type give what they default to.
	Name        string
	Type        string
	Handler     string
	Description string
	// Config is a JSON object with references, or nil for none.
	Config   json.RawMessage
	Required bool
	// Enabled is a JSON bool or a string with a reference; nil is true.
	Enabled      json.RawMessage
	Automatic    bool
	Dependencies []string
	// When is an expression, or empty for none.
	When  string
	RunOn RunOn
	// Retry is nil where the step has none: then the handler's applies.
	Retry *Retry
	// Timeout bounds one attempt; zero leaves it to the handler.
	Timeout     time.Duration
	OnInterrupt OnInterrupt
	// ForEach is a JSON list or a string with a reference; nil for none.
	ForEach json.RawMessage
	// MaxParallel bounds the items of ForEach that run at once.
	MaxParallel int
	// UI is a JSON object that the engine does not read, or nil.
	UI json.RawMessage
}

// Concurrency bounds the executions that run at once.
type Concurrency struct {
	// Limit is the most at once; zero is no bound.
	Limit int
	// Key is a string with references, or empty.
	Key        string
	OnConflict OnConflict
}

// Retry is a step's retry policy.
type Retry struct {
	// MaxAttempts counts the first attempt too: 1 is no retry.
	MaxAttempts     int
	InitialInterval time.Duration
	Multiplier      float64
	MaxInterval     time.Duration
	// Jitter is the part of an interval, 0 to 1, that is left to chance.
	Jitter float64
}

// DefaultRetry returns the policy of a step that says nothing: one attempt.
func DefaultRetry() Retry {
	return Retry{MaxAttempts: 1, InitialInterval: time.Second, Multiplier: 2, MaxInterval: 60 * time.Second, Jitter: 0.2}
}

// Delay returns the wait after the failed attempt of that number, counted
// from 1. The interval grows by the multiplier up to the maximum; random, in
// [0, 1), moves it by at most the jitter either way. The maximum bounds the
// result too.
func (r *Retry) Delay(attempt int, random float64) time.Duration {
	if r.InitialInterval <= 0 {
		return 0
	}
	interval := float64(r.InitialInterval) * math.Pow(max(r.Multiplier, 1), float64(max(attempt, 1)-1))
	limit := float64(r.MaxInterval)
	if r.MaxInterval <= 0 {
		limit = float64(math.MaxInt64 / 2)
	}
	interval = min(interval, limit)
	interval *= 1 + r.Jitter*(2*random-1)
	return time.Duration(min(max(interval, 0), limit))
}

// ParameterType is the type of a Parameter.
type ParameterType string

// The parameter types.
const (
	ParameterString    ParameterType = "string"
	ParameterTextarea  ParameterType = "textarea"
	ParameterInteger   ParameterType = "integer"
	ParameterNumber    ParameterType = "number"
	ParameterBoolean   ParameterType = "boolean"
	ParameterEnum      ParameterType = "enum"
	ParameterMultiEnum ParameterType = "multi_enum"
	ParameterFile      ParameterType = "file"
	ParameterSecret    ParameterType = "secret"
	ParameterJSON      ParameterType = "json"
)

// Parameter is an input that an execution asks for.
type Parameter struct {
	Name        string
	Type        string
	Label       string
	Description string
	Required    bool
	// Default is a JSON value, or nil for none.
	Default    json.RawMessage
	Options    []Option
	Validation *Validation

	// broken is set where the declaration itself has problems, so that what
	// follows from them is not reported.
	broken bool
}

// Option is one choice of an enum.
type Option struct {
	// Value is a JSON string, number or bool.
	Value json.RawMessage
	Label string
}

// Validation holds the rules for a parameter's value; nil is no rule.
type Validation struct {
	MinLength, MaxLength *int
	// Pattern is an RE2 expression that must match somewhere in the value.
	Pattern  string
	Min, Max *float64
	// MustBe is the one boolean that is accepted.
	MustBe *bool
}

// TriggerType is the type of a Trigger.
type TriggerType string

// The trigger types.
const (
	TriggerSchedule TriggerType = "schedule"
	TriggerWebhook  TriggerType = "webhook"
	TriggerWorkflow TriggerType = "workflow"
	TriggerFile     TriggerType = "file"
)

// CatchUp says which missed firings of a schedule are made up for.
type CatchUp string

// The values of CatchUp.
const (
	CatchUpNone CatchUp = "none"
	CatchUpLast CatchUp = "last"
	CatchUpAll  CatchUp = "all"
)

// Trigger starts executions without a person.
type Trigger struct {
	Type TriggerType
	// ID is unique within the workflow; by default the type and the
	// trigger's number, such as "schedule-1".
	ID      string
	Enabled bool
	// Parameters is a JSON object with ${trigger.…} references, or nil.
	Parameters json.RawMessage

	// Cron (five fields), Timezone and CatchUp belong to a schedule.
	Cron     string
	Timezone string
	CatchUp  CatchUp
	// Signature belongs to a webhook; nil is no check.
	Signature *Signature
	// Workflow names the workflow that is watched, and Statuses the ends
	// that fire.
	Workflow string
	Statuses []string
	// Glob and Debounce belong to a file trigger.
	Glob     string
	Debounce time.Duration
}

// Signature is an HMAC-SHA256 check of a webhook's body.
type Signature struct {
	// Header carries the signature, in hexadecimal after Prefix.
	Header string
	// Secret is the name of a stored secret.
	Secret string
	Prefix string
}
