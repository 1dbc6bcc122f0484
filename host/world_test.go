package host_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/enginetest"
	"github.com/vwmp/vwmp/engine/local"
	"github.com/vwmp/vwmp/engine/secret"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/host"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/live"
	"github.com/vwmp/vwmp/host/vault"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/store/memory"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// fasthttp keeps one goroutine for the Date header, for ever.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

const token = "a-token-of-enough-characters"

// world is a server on a real listener, with a real engine and a store in
// memory; only the plugins are functions.
type world struct {
	t       testing.TB
	url     string
	addr    string
	store   *memory.Store
	engine  engine.Engine
	hub     *live.Hub
	server  *host.Server
	options host.Options
	invoker *enginetest.Invoker
	// release lets steps of test.block go on.
	release chan struct{}
	log     *lockedBuffer
}

// lockedBuffer collects the server's log.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// plugins is a catalogue of two plugins' handlers and one workflow type.
type plugins struct {
	workflow.Catalogue
	ready chan struct{}
	// asked hears of everybody who waits for ready, where it is set.
	asked chan struct{}
}

func (plugins) Generation() uint64 { return 1 }

func (plugins) ValidateConfig(_ context.Context, _ string, config json.RawMessage) ([]pluginsdk.Problem, error) {
	if bytes.Contains(config, []byte("refuse me")) {
		return []pluginsdk.Problem{{Pointer: "/text", Code: "refused", Message: "the plugin does not like it"}}, nil
	}
	return nil, nil
}

func (plugins) ValidateWorkflow(context.Context, string, json.RawMessage) ([]pluginsdk.Problem, error) {
	return nil, nil
}

func (p plugins) Ready(ctx context.Context) error {
	if p.asked != nil {
		p.asked <- struct{}{}
	}
	select {
	case <-p.ready:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (plugins) PluginOfType(string) string { return "test" }

func newPlugins() plugins {
	text := json.RawMessage(`{"type":"object","properties":{"text":{"type":"string"}},"additionalProperties":false}`)
	var handlers []*workflow.Handler
	for _, info := range []pluginsdk.HandlerInfo{
		{Path: "test.echo", Name: "Echo", Description: "Gives back its text", Tags: []string{"Repeater"}, Category: "testing", Effect: pluginsdk.EffectPure, ConfigSchema: text,
			OutputSchema: json.RawMessage(`{"type":"object"}`), Example: json.RawMessage(`{"text":"hello"}`), Capabilities: pluginsdk.Capabilities{Validate: true}},
		{Path: "test.block", Name: "Block", Category: "testing", Effect: pluginsdk.EffectPure, ConfigSchema: json.RawMessage(`{"type":"object"}`), Capabilities: pluginsdk.Capabilities{Cancel: true}},
		{Path: "test.fail", Name: "Fail", Category: "broken", ConfigSchema: json.RawMessage(`{"type":"object"}`)},
		{Path: "test.unknown", Name: "Unknown", Category: "broken", Effect: pluginsdk.EffectUnsafe, ConfigSchema: json.RawMessage(`{"type":"object"}`)},
		{Path: "test.undoable", Name: "Undoable", Category: "testing", Effect: pluginsdk.EffectIdempotent, ConfigSchema: json.RawMessage(`{"type":"object"}`),
			Capabilities: pluginsdk.Capabilities{Plan: true, Undo: true}},
		{Path: "test.flood", Name: "Flood", Category: "testing", Effect: pluginsdk.EffectPure, ConfigSchema: json.RawMessage(`{"type":"object"}`)},
	} {
		handlers = append(handlers, workflow.NewHandler(info, "test", "1.2.3"))
	}
	ready := make(chan struct{})
	close(ready)
	return plugins{Catalogue: workflow.NewCatalogue(handlers, []pluginsdk.WorkflowType{{
		Name: "testing", Version: "1.0.0", Description: "For tests", DefaultStepTypes: []string{"test.echo"},
		Templates: []pluginsdk.Template{{Name: "Say hello", Description: "One step", Document: echoYAML}},
	}}), ready: ready}
}

const echoYAML = `# Says hello.
name: Hello
type: testing
parameters:
  - {name: who, type: string, default: world}
steps:
  - id: say  # the only one
    handler: test.echo
    config: {text: "hello ${parameters.who}"}
`

func newInvoker(release chan struct{}) *enginetest.Invoker {
	success := func(output json.RawMessage) pluginsdk.Outcome {
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: output}
	}
	return &enginetest.Invoker{Planners: map[string]func(*pluginsdk.Request) ([]pluginsdk.PlannedEffect, error){
		"test.undoable": func(r *pluginsdk.Request) ([]pluginsdk.PlannedEffect, error) {
			return []pluginsdk.PlannedEffect{{Action: "create", Target: "file of " + r.StepID, Summary: "Makes a file", Known: true}}, nil
		},
	}, Undoers: map[string]func(*pluginsdk.Request, json.RawMessage) pluginsdk.Outcome{
		"test.undoable": func(*pluginsdk.Request, json.RawMessage) pluginsdk.Outcome { return success(nil) },
	}, Handlers: map[string]enginetest.Handler{
		"test.echo": func(_ context.Context, r *pluginsdk.Request, report pluginsdk.Reporter) pluginsdk.Outcome {
			report.Log(pluginsdk.LogLine{Level: pluginsdk.LevelInfo, Message: "about to echo"})
			report.Log(pluginsdk.LogLine{Level: pluginsdk.LevelWarning, Message: "careful \x1b[31m"})
			return success(r.Config)
		},
		"test.block": func(ctx context.Context, _ *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
			select {
			case <-release:
				return success(nil)
			case <-ctx.Done():
				return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{Class: pluginsdk.FailureCancelled, Code: "CANCELLED", Message: "cancelled"}}
			}
		},
		"test.fail": func(context.Context, *pluginsdk.Request, pluginsdk.Reporter) pluginsdk.Outcome {
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{Class: pluginsdk.FailurePermanent, Code: "BROKEN", Message: "it broke"}}
		},
		"test.unknown": func(context.Context, *pluginsdk.Request, pluginsdk.Reporter) pluginsdk.Outcome {
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{Class: pluginsdk.FailureRetryable, Code: "LOST", Message: "the connection was lost"}}
		},
		"test.undoable": func(_ context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: r.Config, UndoToken: json.RawMessage(`{"file":1}`)}
		},
		"test.flood": func(_ context.Context, _ *pluginsdk.Request, report pluginsdk.Reporter) pluginsdk.Outcome {
			<-release
			for range 6000 {
				report.Log(pluginsdk.LogLine{Level: pluginsdk.LevelInfo, Message: strings.Repeat("x", 4000)})
			}
			return success(nil)
		},
	}}
}

// setting changes the options of a world before it starts.
type setting func(*host.Options)

func withoutSignIn(o *host.Options) { o.Auth, o.AdminToken = edge.ModeNone, "" }

func newWorld(t testing.TB, settings ...setting) *world {
	t.Helper()
	w := &world{t: t, release: make(chan struct{}), log: &lockedBuffer{}, hub: live.NewHub(nil)}
	w.store = memory.New(memory.Options{})
	w.invoker = newInvoker(w.release)
	catalogue := newPlugins()
	sealed := vault.New(vault.Options{Store: w.store})
	keeper := secret.NewKeeper(secret.Options{Secrets: sealed, Sealer: sealed})
	w.engine = local.New(local.Options{
		Journal: w.store, Blobs: w.store, Logs: w.store, Invoker: secret.NewInvoker(w.invoker, keeper), Secrets: keeper, Catalogue: catalogue, Settings: enginetest.Settings{},
		Publisher: w.hub, Clock: enginetest.Clock{}, BootEpoch: w.store.Meta().BootEpoch,
		Definitions: host.Children{Workflows: w.store, Authors: &host.Authors{Workflows: w.store, Accounts: w.store}},
	})
	if _, err := w.engine.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	options := host.Options{
		Engine: w.engine, Workflows: w.store, Executions: w.store, Documents: w.store, Outputs: w.store, Catalogue: catalogue, Hub: w.hub,
		Workspaces: []engine.Workspace{{Name: "default", Dir: t.TempDir()}, {Name: "other", Dir: t.TempDir()}},
		Stats:      w.store.Stats, Secrets: sealed, Auth: edge.ModeToken, AdminToken: token, Sessions: w.store, Accounts: w.store, Audit: w.store,
		Version: host.Version{Version: "1.0.0-test", Platform: "linux/amd64", PluginProtocols: []int{1}}, Logger: slog.New(slog.NewTextHandler(w.log, nil)),
		Limits: host.Limits{SocketStart: 50 * time.Millisecond},
	}
	for _, set := range settings {
		set(&options)
	}
	w.options = options
	var err error
	if w.server, err = host.New(options); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = listener.Addr().String()
	w.url = "http://" + w.addr
	served := make(chan error, 1)
	go func() { served <- w.server.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		http.DefaultClient.CloseIdleConnections()
		if err := w.server.Shutdown(ctx); err != nil {
			t.Errorf("shut down: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
		w.hub.Close()
		stopping, stop := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer stop()
		if err := w.engine.Close(stopping); err != nil {
			t.Errorf("close the engine: %v", err)
		}
	})
	return w
}

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// ask sends a request as the administrator, unless the headers, given as
// pairs, say otherwise.
func (w *world) ask(method, path, body string, headers ...string) answer {
	w.t.Helper()
	a, err := w.try(method, path, body, headers...)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func (w *world) try(method, path, body string, headers ...string) (answer, error) {
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(headers); i += 2 {
		switch {
		case headers[i] == "Host":
			request.Host = headers[i+1]
		case headers[i+1] == "":
			request.Header.Del(headers[i])
		default:
			request.Header.Set(headers[i], headers[i+1])
		}
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	text, err := io.ReadAll(response.Body)
	return answer{w.t, response.StatusCode, response.Header, text}, errors.Join(err, response.Body.Close())
}

// want checks the status.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("got %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// problem checks that the answer is a problem of this status and code.
func (a answer) problem(status int, code string) map[string]any {
	a.t.Helper()
	a.want(status)
	got := a.object()
	if kind := a.header.Get("Content-Type"); kind != "application/problem+json" {
		a.t.Errorf("content type %q", kind)
	}
	if got["error_code"] != code {
		a.t.Fatalf("error code %v, want %s: %s", got["error_code"], code, a.body)
	}
	if id := a.header.Get("X-Request-Id"); id == "" || got["request_id"] != id {
		a.t.Errorf("request id %q in the header, %v in the body", id, got["request_id"])
	}
	for _, part := range []string{"goroutine", ".go:", "/home/", "/tmp/", "panic"} {
		if strings.Contains(string(a.body), part) {
			a.t.Errorf("the answer shows the inside: %s", a.body)
		}
	}
	return got
}

func (a answer) object() map[string]any {
	a.t.Helper()
	var object map[string]any
	if err := json.Unmarshal(a.body, &object); err != nil {
		a.t.Fatalf("%v: %s", err, a.body)
	}
	return object
}

func (a answer) text(key string) string {
	a.t.Helper()
	value, ok := a.object()[key].(string)
	if !ok {
		a.t.Fatalf("%s is no text: %s", key, a.body)
	}
	return value
}

// save saves a workflow of these steps, in YAML's flow style, and returns its
// id.
func (w *world) save(steps string) string {
	w.t.Helper()
	return w.ask("POST", "/api/vwmp/workflows/", "name: Test\nsteps: "+steps+"\n", "Content-Type", "application/yaml").want(201).text("id")
}

// run executes a workflow of these steps to its end and returns the result.
func (w *world) run(steps string) map[string]any {
	w.t.Helper()
	return w.ask("POST", "/api/vwmp/workflows/"+w.save(steps)+"/execute/?async=false", "").want(200).object()
}

// begin starts a workflow of these steps and returns the execution's id.
func (w *world) begin(steps string) string {
	w.t.Helper()
	return w.ask("POST", "/api/vwmp/workflows/"+w.save(steps)+"/execute/", "").want(202).text("execution_id")
}

// eventually polls what another goroutine brings about.
func (w *world) eventually(what string, condition func() bool) {
	w.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			w.t.Fatalf("%s: it did not happen within 10 s", what)
		}
	}
}

// status is an execution's status now.
func (w *world) status(id string) string {
	w.t.Helper()
	return w.ask("GET", "/api/vwmp/executions/"+id+"/", "").want(200).text("status")
}
