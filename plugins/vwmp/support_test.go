package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files, and fail")

func TestMain(m *testing.M) {
	for name, value := range map[string]string{
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com",
		"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

var errCrash = errors.New("the plugin is gone")

// recorder is a Reporter that keeps everything, and may cut an attempt off.
type recorder struct {
	// crashBefore ends the attempt once its checkpoint is given, crashAfter
	// once its effect is made.
	crashBefore, crashAfter bool

	mu         sync.Mutex
	lines      []string
	checkpoint json.RawMessage
	effects    []pluginsdk.EffectRecord
}

func (r *recorder) Log(line pluginsdk.LogLine) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line.Message+" "+string(line.Fields))
}

func (r *recorder) Progress(float64, string) {}
func (r *recorder) Heartbeat()               {}

func (r *recorder) Checkpoint(data json.RawMessage) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checkpoint = data
	return nil
}

func (r *recorder) Effect(record pluginsdk.EffectRecord) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if (r.crashBefore && !record.Done) || (r.crashAfter && record.Done) {
		return errCrash
	}
	r.effects = append(r.effects, record)
	return nil
}

func (r *recorder) Artifact(pluginsdk.Artifact) error { return nil }

func (r *recorder) log() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "\n")
}

// call is one use of a handler in a workspace.
type call struct {
	handler    string
	dir        string
	config     map[string]any
	parameters map[string]any
	outputs    []map[string]any
	adapter    map[string]any
	checkpoint json.RawMessage
	started    time.Time
	recorder   *recorder
}

func (c *call) step(t *testing.T) (*pluginsdk.Handler, *pluginsdk.Step) {
	t.Helper()
	handler := vwmpPlugin().Handler(c.handler)
	if handler == nil {
		t.Fatalf("no handler %s", c.handler)
	}
	if c.recorder == nil {
		c.recorder = &recorder{}
	}
	request := pluginsdk.Request{
		Handler: c.handler, WorkspaceDir: c.dir, Config: toJSON(t, c.config), Parameters: toJSON(t, c.parameters),
		IdempotencyKey: "key", Attempt: 1, ItemIndex: -1, Checkpoint: c.checkpoint, StartedAt: c.started,
	}
	for _, output := range c.outputs {
		request.Outputs = append(request.Outputs, pluginsdk.StepOutput{StepID: "before", Output: toJSON(t, output)})
	}
	var adapter json.RawMessage
	if c.adapter != nil {
		adapter = toJSON(t, c.adapter)
	}
	step := pluginsdk.NewStep(request, adapter, c.recorder)
	t.Cleanup(func() {
		if err := step.Close(); err != nil {
			t.Errorf("close the step: %v", err)
		}
	})
	return handler, step
}

func (c *call) execute(t *testing.T) pluginsdk.Outcome {
	t.Helper()
	handler, step := c.step(t)
	return handler.Execute(t.Context(), step)
}

// succeed executes and decodes the output.
func (c *call) succeed(t *testing.T, output any) pluginsdk.Outcome {
	t.Helper()
	outcome := c.execute(t)
	if outcome.Kind != pluginsdk.OutcomeSuccess {
		t.Fatalf("%s: %s %+v\n%s", c.handler, outcome.Kind, outcome.Failure, c.recorder.log())
	}
	if output != nil {
		fromJSON(t, outcome.Output, output)
	}
	return outcome
}

// fail executes and returns the failure, which must mention text.
func (c *call) fail(t *testing.T, class pluginsdk.FailureClass, text string) *pluginsdk.Failure {
	t.Helper()
	outcome := c.execute(t)
	if outcome.Kind != pluginsdk.OutcomeFailure {
		t.Fatalf("%s: got %s %s, want a failure", c.handler, outcome.Kind, outcome.Output)
	}
	if outcome.Failure.Class != class || !strings.Contains(outcome.Failure.Message, text) {
		t.Fatalf("%s: got %s: %s\nwant %s: …%s…", c.handler, outcome.Failure.Class, outcome.Failure.Message, class, text)
	}
	return outcome.Failure
}

func (c *call) reconcile(t *testing.T, want pluginsdk.ReconcileStatus) pluginsdk.ReconcileResult {
	t.Helper()
	handler, step := c.step(t)
	result, err := handler.Reconcile(t.Context(), step)
	if err != nil {
		t.Fatalf("reconcile %s: %v", c.handler, err)
	}
	if result.Status != want {
		t.Fatalf("reconcile %s: got %s (%s), want %s", c.handler, result.Status, result.Detail, want)
	}
	return result
}

func (c *call) undo(t *testing.T, token json.RawMessage) error {
	t.Helper()
	handler, step := c.step(t)
	return handler.Undo(t.Context(), step, token)
}

func (c *call) plan(t *testing.T) []pluginsdk.PlannedEffect {
	t.Helper()
	handler, step := c.step(t)
	effects, err := handler.Plan(t.Context(), step)
	if err != nil {
		t.Fatalf("plan %s: %v", c.handler, err)
	}
	return effects
}

func toJSON(t *testing.T, value any) json.RawMessage {
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

func fromJSON(t *testing.T, raw json.RawMessage, target any) {
	t.Helper()
	if err := json.Unmarshal(raw, target); err != nil {
		t.Fatalf("read %s: %v", raw, err)
	}
}

// git runs the real git as a person would.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := gitErr(dir, args...)
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return out
}

func gitErr(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return strings.TrimSpace(out.String()), err
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// golden compares a text with the file of that name in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s is rewritten; run again without -rewrite", file)
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s\nwant:\n%s", file, got, want)
	}
}
