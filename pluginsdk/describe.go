package pluginsdk

import (
	"encoding/json"
	"time"
)

// EffectClass says what may be done with a step of a handler when nobody
// knows whether it ran, for example after a crash.
type EffectClass string

// The effect classes. An undeclared class is EffectUnsafe.
const (
	// EffectPure: reads only; running it again changes nothing.
	EffectPure EffectClass = "pure"
	// EffectIdempotent: running it again leads to the same state.
	EffectIdempotent EffectClass = "idempotent"
	// EffectKeyed: deduplicates by the request's idempotency key.
	EffectKeyed EffectClass = "keyed"
	// EffectReconcilable: the handler can be asked what became of an
	// attempt (it implements Reconciler).
	EffectReconcilable EffectClass = "reconcilable"
	// EffectUnsafe: a person, or the step's on_interrupt, must decide.
	EffectUnsafe EffectClass = "unsafe"
)

// Rerunnable reports whether a step of this class may simply be run again
// when its outcome is unknown.
func (c EffectClass) Rerunnable() bool {
	return c == EffectPure || c == EffectIdempotent || c == EffectKeyed
}

// Capabilities lists the optional abilities of a handler. They are derived
// from the interfaces that its implementation satisfies, and advertised once.
type Capabilities struct {
	Plan       bool `json:"plan"`
	Undo       bool `json:"undo"`
	Cancel     bool `json:"cancel"`
	Checkpoint bool `json:"checkpoint"`
	Reconcile  bool `json:"reconcile"`
	// Validate says that the handler checks more of a config than its
	// schema can say.
	Validate bool `json:"validate"`
}

// Retry is a handler's suggested retry policy; a step's own policy wins.
type Retry struct {
	MaxAttempts     int           `json:"max_attempts"`
	InitialInterval time.Duration `json:"initial_interval"`
	Multiplier      float64       `json:"multiplier"`
	MaxInterval     time.Duration `json:"max_interval"`
	Jitter          float64       `json:"jitter"`
}

// HandlerInfo is the one description of a handler from which its
// validation, form, documentation and masking come.
type HandlerInfo struct {
	// Path is "plugin.name", for example "git.commit".
	Path string `json:"path"`
	// Name is what a person sees, for example "Commit".
	Name        string `json:"name"`
	Description string `json:"description"`
	Category    string `json:"category"`
	// Tags are words by which somebody may look for the handler and which its
	// name and description don't hold, such as "slack" for a webhook: at most
	// 20, of at most 40 characters each.
	Tags []string `json:"tags,omitempty"`
	// Icon is the name of a Lucide icon.
	Icon string `json:"icon,omitempty"`
	// ConfigSchema, InputSchema and OutputSchema are JSON Schemas (draft
	// 2020-12) of at most 256 KiB each, without $ref.
	ConfigSchema json.RawMessage `json:"config_schema,omitempty"`
	InputSchema  json.RawMessage `json:"input_schema,omitempty"`
	OutputSchema json.RawMessage `json:"output_schema,omitempty"`
	// Example is a config that the handler accepts.
	Example json.RawMessage `json:"example,omitempty"`
	// UIHints is free-form advice for forms, by property name.
	UIHints      json.RawMessage `json:"ui_hints,omitempty"`
	Effect       EffectClass     `json:"effect_class"`
	Capabilities Capabilities    `json:"capabilities"`
	// DefaultTimeout bounds one attempt when the step sets none; zero
	// leaves it to the host (300 s).
	DefaultTimeout time.Duration `json:"default_timeout,omitempty"`
	DefaultRetry   *Retry        `json:"default_retry,omitempty"`
	// Concurrency is how many calls the handler bears at once; zero is no
	// opinion.
	Concurrency int `json:"concurrency,omitempty"`
	// Secrets names the secrets, Network the hosts, that the handler uses;
	// shown to whoever decides whether to trust it.
	Secrets []string `json:"secrets,omitempty"`
	Network []string `json:"network,omitempty"`
}

// WorkflowType is a named kind of workflow that a plugin declares.
type WorkflowType struct {
	// Name matches ^[a-z][a-z0-9_]*$.
	Name             string          `json:"name"`
	Version          string          `json:"version"`
	DisplayName      string          `json:"display_name,omitempty"`
	Description      string          `json:"description"`
	Icon             string          `json:"icon,omitempty"`
	ConfigSchema     json.RawMessage `json:"config_schema,omitempty"`
	DefaultStepTypes []string        `json:"default_step_types,omitempty"`
	Templates        []Template      `json:"templates,omitempty"`
	// HasRules says that the plugin answers ValidateWorkflow for the type.
	HasRules bool `json:"has_rules,omitempty"`
}

// Template is a ready workflow of a type.
type Template struct {
	// Name is what a person sees and what the API's path takes, for
	// example "Standard Release".
	Name        string `json:"name"`
	Description string `json:"description"`
	// Document is the workflow document in YAML.
	Document string `json:"document"`
}

// Description is all that a plugin says about itself. The same binary gives
// the same bytes, so a host may keep it by the binary's checksum.
type Description struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	Author      string `json:"author,omitempty"`
	Description string `json:"description,omitempty"`
	// Build is the version-control revision the binary was made from.
	Build string `json:"build,omitempty"`
	// AdapterSchema is the JSON Schema of the plugin's own configuration.
	AdapterSchema json.RawMessage `json:"adapter_schema,omitempty"`
	Handlers      []HandlerInfo   `json:"handlers"`
	WorkflowTypes []WorkflowType  `json:"workflow_types,omitempty"`
}

// Handler returns the handler of that path, and whether the plugin has it.
func (d *Description) Handler(path string) (HandlerInfo, bool) {
	for i := range d.Handlers {
		if d.Handlers[i].Path == path {
			return d.Handlers[i], true
		}
	}
	return HandlerInfo{}, false
}

// Severity tells whether a Problem blocks.
type Severity string

// The severities of a Problem.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Problem is one thing that a person must, or should, put right. Problems
// are data: all of them are collected and returned at once.
type Problem struct {
	Severity Severity `json:"severity,omitempty"`
	// Pointer is a JSON pointer (RFC 6901) into the checked document.
	Pointer string `json:"pointer"`
	StepID  string `json:"step_id,omitempty"`
	// Code is a lower-case word a program can act on.
	Code string `json:"code"`
	// Message is a sentence a person can act on.
	Message string `json:"message"`
	// Line and Column count from 1; zero where there is no text.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
}
