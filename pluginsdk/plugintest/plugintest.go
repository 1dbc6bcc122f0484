// Package plugintest runs a plugin's handlers in a test: without a process,
// but over the same wire as in production, so that what passes here passes
// there.
//
// It does not start the host or the engine; references, retries and schemas
// are theirs. Config is given as the engine hands it over: resolved.
package plugintest

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/client"
	"github.com/vwmp/vwmp/pluginsdk/serve"
)

// cancelGrace is how long a cancelled handler may take to end.
const cancelGrace = 5 * time.Second

// Result is all that one attempt said, in the order in which it said it.
type Result struct {
	pluginsdk.Outcome

	Logs        []pluginsdk.LogLine
	Progress    []Progress
	Heartbeats  int
	Checkpoints []json.RawMessage
	Effects     []pluginsdk.EffectRecord
	Artifacts   []pluginsdk.Artifact
	// Workspace is the folder that the attempt had.
	Workspace string
}

// Progress is one report of how far a step is.
type Progress struct {
	// Percentage is from 0 to 100.
	Percentage float64
	Message    string
}

// MustSucceed fails the test unless the attempt succeeded, and decodes its
// output into target, which may be nil.
func (r Result) MustSucceed(t testing.TB, target any) {
	t.Helper()
	if r.Kind != pluginsdk.OutcomeSuccess {
		t.Fatalf("the step ended as %s: %s", r.Kind, r.reason())
	}
	if target == nil {
		return
	}
	if err := json.Unmarshal(r.Output, target); err != nil {
		t.Fatalf("read the output %s: %v", r.Output, err)
	}
}

// MustFail fails the test unless the attempt failed, and returns how.
func (r Result) MustFail(t testing.TB) pluginsdk.Failure {
	t.Helper()
	if r.Kind != pluginsdk.OutcomeFailure {
		t.Fatalf("the step ended as %s, and should have failed: %s", r.Kind, r.reason())
	}
	return *r.Failure
}

// Log returns the messages of the log, a line each.
func (r Result) Log() string {
	var text strings.Builder
	for _, line := range r.Logs {
		text.WriteString(line.Message + "\n")
	}
	return text.String()
}

func (r Result) reason() string {
	switch {
	case r.Failure != nil:
		return r.Failure.Code + ": " + r.Failure.Message
	case r.SkipReason != "":
		return r.SkipReason
	}
	return string(r.Output)
}

// Run runs one attempt of a handler with a config, any value that JSON can
// hold, and returns how it ended. The workspace is an empty temporary folder
// unless an option says otherwise.
func Run(t testing.TB, handler *pluginsdk.Handler, config any, options ...Option) Result {
	t.Helper()
	s := newSetup(t, handler, config, options)
	reporter := &recorder{}
	outcome := s.connect(t, handler).Execute(s.ctx, &s.request, reporter, cancelGrace)
	return reporter.result(outcome, s.request.WorkspaceDir)
}

// Plan returns what Execute would do. Its error is pluginsdk.ErrUnsupported
// for a handler that is no Planner.
func Plan(t testing.TB, handler *pluginsdk.Handler, config any, options ...Option) ([]pluginsdk.PlannedEffect, error) {
	t.Helper()
	s := newSetup(t, handler, config, options)
	return s.connect(t, handler).Plan(s.ctx, &s.request)
}

// Reconcile asks what became of an attempt. Its error is
// pluginsdk.ErrUnsupported for a handler that is no Reconciler.
func Reconcile(t testing.TB, handler *pluginsdk.Handler, config any, options ...Option) (pluginsdk.ReconcileResult, error) {
	t.Helper()
	s := newSetup(t, handler, config, options)
	return s.connect(t, handler).Reconcile(s.ctx, &s.request)
}

// Undo takes back an attempt by the undo token of its Result. Give it the
// workspace of that attempt with InWorkspace.
func Undo(t testing.TB, handler *pluginsdk.Handler, config any, token json.RawMessage, options ...Option) Result {
	t.Helper()
	s := newSetup(t, handler, config, options)
	reporter := &recorder{}
	outcome := s.connect(t, handler).Undo(s.ctx, &s.request, token, reporter, cancelGrace)
	return reporter.result(outcome, s.request.WorkspaceDir)
}

// ValidateConfig returns the problems of a config that its schema can't say.
func ValidateConfig(t testing.TB, handler *pluginsdk.Handler, config any) ([]pluginsdk.Problem, error) {
	t.Helper()
	s := newSetup(t, handler, config, nil)
	return s.connect(t, handler).ValidateConfig(s.ctx, s.request.Handler, s.request.Config)
}

// Connect serves a plugin in this process and returns a client of it. Both
// end with the test.
func Connect(t testing.TB, plugin *pluginsdk.Plugin) *client.Client {
	t.Helper()
	const pipeSize = 256 << 10
	listener := bufconn.Listen(pipeSize)
	server := serve.NewServer(plugin)
	grpcServer := serve.NewGRPCServer(server)
	var serving sync.WaitGroup
	serving.Go(func() {
		// A test may end before the goroutine got to serve: stopped is not failed.
		if err := grpcServer.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Errorf("serve the plugin: %v", err)
		}
	})
	connection, err := grpc.NewClient("passthrough:///plugin", append(client.DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
	)...)
	if err != nil {
		t.Fatalf("connect to the plugin: %v", err)
	}
	t.Cleanup(func() {
		server.Close()
		if err := connection.Close(); err != nil {
			t.Errorf("close the connection: %v", err)
		}
		grpcServer.Stop()
		serving.Wait()
	})
	return client.New(connection)
}

// setup is a call in the making.
type setup struct {
	ctx     context.Context
	request pluginsdk.Request
	adapter json.RawMessage
	files   map[string]string
}

func newSetup(t testing.TB, handler *pluginsdk.Handler, config any, options []Option) *setup {
	t.Helper()
	info, err := handler.Info()
	if err != nil {
		t.Fatalf("the handler can't be described: %v", err)
	}
	s := &setup{ctx: t.Context(), files: map[string]string{}, request: pluginsdk.Request{
		ExecutionID: "execution-1", StartedAt: time.Now(), WorkflowID: "workflow-1", WorkflowName: "Test", WorkflowVersion: "1.0.0",
		StepID: "step-1", StepName: "Step", Handler: info.Path, ItemIndex: -1, Attempt: 1, IdempotencyKey: "execution-1/step-1",
		BootEpoch: 1, Config: asJSON(t, config), Parameters: json.RawMessage(`{}`), WorkflowConfig: json.RawMessage(`{}`),
		WorkspaceName: "test",
	}}
	for _, option := range options {
		option(t, s)
	}
	if s.request.WorkspaceDir == "" {
		s.request.WorkspaceDir = t.TempDir()
	}
	for name, content := range s.files {
		path := filepath.Join(s.request.WorkspaceDir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatalf("make the workspace: %v", err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatalf("make the workspace: %v", err)
		}
	}
	return s
}

func (s *setup) connect(t testing.TB, handler *pluginsdk.Handler) *client.Client {
	t.Helper()
	name, _, _ := strings.Cut(s.request.Handler, ".")
	c := Connect(t, &pluginsdk.Plugin{Name: name, Version: "0.0.0", Handlers: []*pluginsdk.Handler{handler}})
	if s.adapter != nil {
		if problems, err := c.Configure(s.ctx, s.adapter); err != nil || len(problems) > 0 {
			t.Fatalf("hand over the adapter configuration: %v %v", problems, err)
		}
	}
	return c
}

func asJSON(t testing.TB, value any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatalf("write %T as JSON: %v", value, err)
	}
	return raw
}

// recorder keeps what an attempt reports.
type recorder struct {
	mu   sync.Mutex
	kept Result
}

func (r *recorder) result(outcome pluginsdk.Outcome, workspace string) Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept.Outcome, r.kept.Workspace = outcome, workspace
	return r.kept
}

func (r *recorder) keep(change func(*Result)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.kept)
}

func (r *recorder) Log(line pluginsdk.LogLine) {
	r.keep(func(k *Result) { k.Logs = append(k.Logs, line) })
}

func (r *recorder) Progress(percentage float64, message string) {
	r.keep(func(k *Result) { k.Progress = append(k.Progress, Progress{percentage, message}) })
}

func (r *recorder) Heartbeat() { r.keep(func(k *Result) { k.Heartbeats++ }) }

func (r *recorder) Checkpoint(data json.RawMessage) error {
	r.keep(func(k *Result) { k.Checkpoints = append(k.Checkpoints, data) })
	return nil
}

func (r *recorder) Effect(record pluginsdk.EffectRecord) error {
	r.keep(func(k *Result) { k.Effects = append(k.Effects, record) })
	return nil
}

func (r *recorder) Artifact(artifact pluginsdk.Artifact) error {
	r.keep(func(k *Result) { k.Artifacts = append(k.Artifacts, artifact) })
	return nil
}
