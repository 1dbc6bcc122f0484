// Package cassette records every call that a run makes to plugins, and plays
// it again without them: a workflow's regression test, and with a new plugin
// in the place of its recording, a plugin's.
//
// It sits between the engine and what puts secrets in, so that a recording
// holds none: a value stands as the reference that it was put in for.
package cassette

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

// format is raised when a recording would be read wrongly by an earlier
// version of this package.
const format = 1

// Cassette is a recorded run.
type Cassette struct {
	Format   int    `json:"format"`
	Workflow string `json:"workflow"`
	// Parameters are those of the run; a secret one is masked.
	Parameters json.RawMessage `json:"parameters"`
	// Skips, Approvals and Signals are what the run was given besides.
	Skips     []string    `json:"skips,omitempty"`
	Approvals []string    `json:"approvals,omitempty"`
	Signals   []string    `json:"signals,omitempty"`
	Status    plan.Status `json:"status"`
	Steps     []Step      `json:"steps"`
	// Handlers are those that were called, as their plugins described them.
	Handlers      []Handler                `json:"handlers"`
	WorkflowTypes []pluginsdk.WorkflowType `json:"workflow_types,omitempty"`
	Calls         []Call                   `json:"calls"`
}

// Step is how a step of the run ended.
type Step struct {
	ID         string          `json:"step_id"`
	Status     plan.Status     `json:"status"`
	SkipReason string          `json:"skip_reason,omitempty"`
	Output     json.RawMessage `json:"output,omitempty"`
	ErrorCode  string          `json:"error_code,omitempty"`
}

// Handler is a handler with the plugin that had it.
type Handler struct {
	pluginsdk.HandlerInfo

	Plugin        string `json:"plugin"`
	PluginVersion string `json:"plugin_version"`
	Checksum      string `json:"checksum"`
}

// The kinds of a Call.
const (
	kindExecute   = "execute"
	kindUndo      = "undo"
	kindReconcile = "reconcile"
	kindPlan      = "plan"
)

// Call is one call to a plugin, with what it said.
type Call struct {
	Kind       string `json:"kind"`
	WorkflowID string `json:"workflow_id"`
	StepID     string `json:"step_id"`
	// Item is the index within for_each, -1 outside of one.
	Item    int             `json:"item"`
	Attempt int             `json:"attempt"`
	Handler string          `json:"handler"`
	Config  json.RawMessage `json:"config,omitempty"`
	// Token belongs to an undo.
	Token   json.RawMessage           `json:"token,omitempty"`
	Reports []Report                  `json:"reports,omitempty"`
	Outcome *Outcome                  `json:"outcome,omitempty"`
	Planned []pluginsdk.PlannedEffect `json:"planned,omitempty"`
	// Verdict belongs to a reconcile.
	Verdict pluginsdk.ReconcileStatus `json:"verdict,omitempty"`
	Detail  string                    `json:"detail,omitempty"`
	// Error is why a plan or a reconcile gave nothing.
	Error string `json:"error,omitempty"`
}

// key is what calls of a run are told apart by; alike ones come in order.
func (c *Call) key() string {
	return fmt.Sprintf("%s %s/%s[%d] %d", c.Kind, c.WorkflowID, c.StepID, c.Item, c.Attempt)
}

// place names the call for people.
func (c *Call) place() string {
	text := c.StepID
	if c.Item >= 0 {
		text += fmt.Sprintf("[%d]", c.Item)
	}
	if c.Attempt > 1 {
		text += fmt.Sprintf(" attempt %d", c.Attempt)
	}
	if c.Kind != kindExecute {
		text += " (" + c.Kind + ")"
	}
	return text
}

// Outcome is pluginsdk.Outcome in its written form.
type Outcome struct {
	Kind       pluginsdk.OutcomeKind `json:"kind"`
	Output     json.RawMessage       `json:"output,omitempty"`
	UndoToken  json.RawMessage       `json:"undo_token,omitempty"`
	SkipReason string                `json:"skip_reason,omitempty"`
	Failure    *pluginsdk.Failure    `json:"failure,omitempty"`
}

// Report is one thing that a call said before its end; one field is set.
type Report struct {
	Log        *pluginsdk.LogLine      `json:"log,omitempty"`
	Progress   *float64                `json:"progress,omitempty"`
	Message    string                  `json:"message,omitempty"`
	Checkpoint json.RawMessage         `json:"checkpoint,omitempty"`
	Effect     *pluginsdk.EffectRecord `json:"effect,omitempty"`
	Artifact   *pluginsdk.Artifact     `json:"artifact,omitempty"`
}

// Read reads a recording.
func Read(text []byte) (*Cassette, error) {
	var c Cassette
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("it is no cassette: %w", err)
	}
	if c.Format != format {
		return nil, fmt.Errorf("it is a cassette of format %d, and this version reads %d", c.Format, format)
	}
	return &c, nil
}

// callOf begins the record of a call. Placeholders of secrets become the
// references that they stand for.
func callOf(kind string, request *pluginsdk.Request) *Call {
	return &Call{
		Kind: kind, WorkflowID: request.WorkflowID, StepID: request.StepID, Item: request.ItemIndex, Attempt: request.Attempt,
		Handler: request.Handler, Config: withoutPlaceholders(request, request.Config),
	}
}

func withoutPlaceholders(request *pluginsdk.Request, raw json.RawMessage) json.RawMessage {
	text := string(raw)
	for name, placeholder := range request.Secrets {
		if placeholder != "" {
			text = strings.ReplaceAll(text, placeholder, "${secrets."+name+"}")
		}
	}
	return json.RawMessage(text)
}

// stepsOf are the steps of a result, by their ids.
func stepsOf(result *engine.Result) []Step {
	var steps []Step
	for _, id := range slices.Sorted(maps.Keys(result.StepResults)) {
		r := result.StepResults[id]
		step := Step{ID: id, Status: r.Status, SkipReason: r.SkipReason, Output: r.Output}
		if r.Error != nil {
			step.ErrorCode = r.Error.Code
		}
		steps = append(steps, step)
	}
	return steps
}

// FromResult makes a recording of what a store keeps of a run: how its calls
// ended, without the configs that they had and most of what they said. The
// handlers are those of the catalogue.
func FromResult(result *engine.Result, handlers func(path string) (Handler, bool)) (*Cassette, error) {
	c := &Cassette{Format: format, Workflow: result.WorkflowID, Parameters: result.Parameters, Status: result.Status, Steps: stepsOf(result), Calls: []Call{}}
	seen := map[string]bool{}
	for _, step := range c.Steps {
		r := result.StepResults[step.ID]
		if strings.HasPrefix(r.Handler, "flow.") {
			continue
		}
		if len(r.Items) > 0 || r.KeptFrom != "" {
			return nil, fmt.Errorf("step %s has items, or was kept from another run: record a run of its own with \"vwmp run --record\"", step.ID)
		}
		for _, attempt := range r.AttemptList {
			call := Call{Kind: kindExecute, WorkflowID: result.WorkflowID, StepID: step.ID, Item: -1, Attempt: attempt.Attempt, Handler: r.Handler}
			if call.Outcome = outcomeOf(&r, &attempt); call.Outcome == nil {
				return nil, fmt.Errorf("attempt %d of step %s has no outcome that could be played again: %s", attempt.Attempt, step.ID, attempt.Status)
			}
			c.Calls = append(c.Calls, call)
		}
		if handler, found := handlers(r.Handler); found && !seen[r.Handler] {
			seen[r.Handler] = true
			c.Handlers = append(c.Handlers, handler)
		}
	}
	return c, nil
}

// outcomeOf is how an attempt ended, nil where that is not known.
func outcomeOf(r *engine.StepResult, attempt *engine.Attempt) *Outcome {
	last := attempt.Attempt == r.Attempts
	switch {
	case attempt.Error != nil:
		e := attempt.Error
		class := e.Class
		if class == "" {
			class = pluginsdk.FailurePermanent
			if e.Retryable {
				class = pluginsdk.FailureRetryable
			}
		}
		return &Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{Class: class, Code: e.Code, Message: e.Message, Pointer: e.Pointer, Fault: e.Fault}}
	case last && (r.Status == plan.StatusSuccess || r.Status == plan.StatusUndone):
		return &Outcome{Kind: pluginsdk.OutcomeSuccess, Output: r.Output}
	case last && r.Status == plan.StatusSkipped:
		return &Outcome{Kind: pluginsdk.OutcomeSkipped, SkipReason: r.SkipReason}
	}
	return nil
}

// errNotRecorded is told where a run makes a call that the recording lacks.
var errNotRecorded = errors.New("the recording has no such call")
