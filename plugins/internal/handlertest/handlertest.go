// Package handlertest lets the tests of the bundled plugins use their handlers
// as the engine does, one attempt after the other, in a workspace and in a real
// git repository, and cut an attempt off where a crash would.
//
// It calls a handler directly. That a plugin survives the wire is checked by
// package plugintest, which authors elsewhere have too.
package handlertest

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

// tested is the plugin whose tests run.
var tested *pluginsdk.Plugin

// Main runs the tests of a plugin, without the git configuration of whoever
// runs them. environment has further variables, as NAME=value.
func Main(m *testing.M, plugin *pluginsdk.Plugin, environment ...string) {
	tested = plugin
	for _, variable := range append([]string{
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com",
	}, environment...) {
		name, value, _ := strings.Cut(variable, "=")
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// ErrCrash is what an attempt is told that a Recorder cuts off.
var ErrCrash = errors.New("the plugin is gone")

// Recorder is a pluginsdk.Reporter that keeps everything, and may cut an
// attempt off.
type Recorder struct {
	// CrashBefore ends the attempt once its checkpoint is given, CrashAfter
	// once its effect is made.
	CrashBefore, CrashAfter bool
	// Checkpoint is the last one, Effects are all that were announced or
	// made. They are read once the attempt has ended.
	Checkpoint json.RawMessage
	Effects    []pluginsdk.EffectRecord

	mu    sync.Mutex
	lines []string
}

// Log returns what the attempt logged, a line each with its fields.
func (r *Recorder) Log() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "\n")
}

// reporter hides from the users of a Recorder what only a step calls.
type reporter struct{ r *Recorder }

func (p reporter) Log(line pluginsdk.LogLine) {
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	p.r.lines = append(p.r.lines, line.Message+" "+string(line.Fields))
}

func (reporter) Progress(float64, string)          {}
func (reporter) Heartbeat()                        {}
func (reporter) Artifact(pluginsdk.Artifact) error { return nil }
func (p reporter) Checkpoint(data json.RawMessage) error {
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	p.r.Checkpoint = data
	return nil
}

func (p reporter) Effect(record pluginsdk.EffectRecord) error {
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	if (p.r.CrashBefore && !record.Done) || (p.r.CrashAfter && record.Done) {
		return ErrCrash
	}
	p.r.Effects = append(p.r.Effects, record)
	return nil
}

// Call is one use of a handler in a workspace.
type Call struct {
	// Handler is its path, Dir the workspace.
	Handler string
	Dir     string
	Config  map[string]any
	// Parameters are the execution's, Outputs those of upstream steps, the
	// nearest first, and Adapter the plugin's own configuration.
	Parameters map[string]any
	Outputs    []map[string]any
	Adapter    map[string]any
	// Checkpoint is what an earlier attempt left, and Started when the
	// execution began.
	Checkpoint json.RawMessage
	Started    time.Time
	// Recorder is made where there is none.
	Recorder *Recorder
}

// Step returns the handler and an attempt at it, for what no other method
// calls.
func (c *Call) Step(t *testing.T) (*pluginsdk.Handler, *pluginsdk.Step) {
	t.Helper()
	handler := tested.Handler(c.Handler)
	if handler == nil {
		t.Fatalf("no handler %s", c.Handler)
	}
	if c.Recorder == nil {
		c.Recorder = &Recorder{}
	}
	request := pluginsdk.Request{
		Handler: c.Handler, WorkspaceDir: c.Dir, Config: ToJSON(t, c.Config), Parameters: ToJSON(t, c.Parameters),
		IdempotencyKey: "key", Attempt: 1, ItemIndex: -1, Checkpoint: c.Checkpoint, StartedAt: c.Started,
	}
	for _, output := range c.Outputs {
		request.Outputs = append(request.Outputs, pluginsdk.StepOutput{StepID: "before", Output: ToJSON(t, output)})
	}
	var adapter json.RawMessage
	if c.Adapter != nil {
		adapter = ToJSON(t, c.Adapter)
	}
	step := pluginsdk.NewStep(request, adapter, reporter{c.Recorder})
	t.Cleanup(func() {
		if err := step.Close(); err != nil {
			t.Errorf("close the step: %v", err)
		}
	})
	return handler, step
}

// Execute runs an attempt to its end.
func (c *Call) Execute(t *testing.T) pluginsdk.Outcome {
	t.Helper()
	handler, step := c.Step(t)
	return handler.Execute(t.Context(), step)
}

// Succeed executes, fails the test unless that succeeds, and decodes the
// output into a value that may be nil.
func (c *Call) Succeed(t *testing.T, output any) pluginsdk.Outcome {
	t.Helper()
	outcome := c.Execute(t)
	if outcome.Kind != pluginsdk.OutcomeSuccess {
		t.Fatalf("%s: %s %+v\n%s", c.Handler, outcome.Kind, outcome.Failure, c.Recorder.Log())
	}
	if output != nil {
		FromJSON(t, outcome.Output, output)
	}
	return outcome
}

// Fail executes and returns the failure, which must be of a class and mention
// text.
func (c *Call) Fail(t *testing.T, class pluginsdk.FailureClass, text string) *pluginsdk.Failure {
	t.Helper()
	outcome := c.Execute(t)
	if outcome.Kind != pluginsdk.OutcomeFailure {
		t.Fatalf("%s: got %s %s, want a failure", c.Handler, outcome.Kind, outcome.Output)
	}
	if outcome.Failure.Class != class || !strings.Contains(outcome.Failure.Message, text) {
		t.Fatalf("%s: got %s: %s\nwant %s: …%s…", c.Handler, outcome.Failure.Class, outcome.Failure.Message, class, text)
	}
	return outcome.Failure
}

// Reconcile asks what became of an attempt, and fails the test unless the
// answer is want.
func (c *Call) Reconcile(t *testing.T, want pluginsdk.ReconcileStatus) pluginsdk.ReconcileResult {
	t.Helper()
	handler, step := c.Step(t)
	result, err := handler.Reconcile(t.Context(), step)
	if err != nil {
		t.Fatalf("reconcile %s: %v", c.Handler, err)
	}
	if result.Status != want {
		t.Fatalf("reconcile %s: got %s (%s), want %s", c.Handler, result.Status, result.Detail, want)
	}
	return result
}

// Undo takes an attempt back by the token that it left.
func (c *Call) Undo(t *testing.T, token json.RawMessage) error {
	t.Helper()
	handler, step := c.Step(t)
	return handler.Undo(t.Context(), step, token)
}

// Plan returns what Execute would do.
func (c *Call) Plan(t *testing.T) []pluginsdk.PlannedEffect {
	t.Helper()
	handler, step := c.Step(t)
	effects, err := handler.Plan(t.Context(), step)
	if err != nil {
		t.Fatalf("plan %s: %v", c.Handler, err)
	}
	return effects
}

// ToJSON encodes a value; nothing becomes an empty object.
func ToJSON(t *testing.T, value any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if string(raw) == "null" {
		return json.RawMessage("{}")
	}
	return raw
}

// FromJSON decodes into a value.
func FromJSON(t *testing.T, raw json.RawMessage, target any) {
	t.Helper()
	if err := json.Unmarshal(raw, target); err != nil {
		t.Fatalf("read %s: %v", raw, err)
	}
}
