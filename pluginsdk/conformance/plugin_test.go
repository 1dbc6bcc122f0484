//go:build unix

package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vwmp/vwmp/pluginsdk"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
	"github.com/vwmp/vwmp/pluginsdk/serve"
)

type writeConfig struct {
	Path  string `json:"path" title:"Path" required:"true"`
	Text  string `json:"text" title:"Text"`
	Token string `json:"token" title:"Token" secret:"true"`
}

type written struct {
	Path  string `json:"path"`
	Bytes int    `json:"bytes"`
}

// writer writes a file, as a good handler does.
type writer struct{}

type before struct {
	Path string  `json:"path"`
	Text *string `json:"text"`
	Made string  `json:"made"`
}

func (writer) Execute(_ context.Context, step *pluginsdk.Step, c writeConfig) (written, error) {
	if err := pluginsdk.CheckPath(c.Path); err != nil {
		return written{}, err
	}
	token := before{Path: c.Path}
	if old, err := step.Workspace.ReadFile(c.Path); err == nil {
		text := string(old)
		token.Text = &text
	}
	step.Log.Info("about to write", "path", c.Path)
	step.Progress(50, "half")
	if err := step.Effect(pluginsdk.EffectRecord{Action: "create", Target: c.Path}); err != nil {
		return written{}, err
	}
	if err := step.Workspace.WriteFile(c.Path, []byte(c.Text), 0o644); err != nil {
		return written{}, err
	}
	if err := step.Effect(pluginsdk.EffectRecord{Action: "create", Target: c.Path, Done: true}); err != nil {
		return written{}, err
	}
	return written{c.Path, len(c.Text)}, step.SetUndo(token)
}

func (writer) Plan(_ context.Context, _ *pluginsdk.Step, c writeConfig) ([]pluginsdk.PlannedEffect, error) {
	return []pluginsdk.PlannedEffect{{Action: "create", Target: c.Path, Known: true}}, nil
}

func (writer) Undo(_ context.Context, step *pluginsdk.Step, raw json.RawMessage) error {
	var token before
	if err := json.Unmarshal(raw, &token); err != nil {
		return err
	}
	if token.Text != nil {
		return step.Workspace.WriteFile(token.Path, []byte(*token.Text), 0o644)
	}
	if err := step.Workspace.Remove(token.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// The folders that were made for it.
	for folder := filepath.Dir(token.Path); folder != "." && step.Workspace.Remove(folder) == nil; folder = filepath.Dir(folder) {
	}
	return nil
}

func (writer) Reconcile(_ context.Context, step *pluginsdk.Step, c writeConfig) (pluginsdk.Reconciliation[written], error) {
	text, err := step.Workspace.ReadFile(c.Path)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && string(text) != c.Text) {
		return pluginsdk.Reconciliation[written]{Status: pluginsdk.ReconcileNotStarted}, nil
	}
	if err != nil {
		return pluginsdk.Reconciliation[written]{}, err
	}
	return pluginsdk.Reconciliation[written]{Status: pluginsdk.ReconcileDone, Output: written{c.Path, len(c.Text)}}, nil
}

func (writer) ValidateConfig(_ context.Context, c writeConfig) []pluginsdk.Problem {
	if c.Path == "forbidden" {
		return []pluginsdk.Problem{{Pointer: "/path", Code: "forbidden", Message: "it is forbidden"}}
	}
	return nil
}

type readConfig struct {
	Path string `json:"path" title:"Path"`
}

type text struct {
	Text string `json:"text"`
}

func read(_ context.Context, step *pluginsdk.Step, c readConfig) (text, error) {
	content, err := step.Workspace.ReadFile(c.Path)
	return text{string(content)}, err
}

type waitConfig struct {
	Seconds float64 `json:"seconds" title:"Seconds" default:"0" minimum:"0" maximum:"1"`
}

func wait(ctx context.Context, _ *pluginsdk.Step, c waitConfig) (struct{}, error) {
	select {
	case <-ctx.Done():
		return struct{}{}, ctx.Err()
	case <-time.After(time.Duration(c.Seconds * float64(time.Second))):
		return struct{}{}, nil
	}
}

type adapter struct {
	Place string `json:"place" title:"Place" default:"here"`
}

func demo() *pluginsdk.Plugin {
	info := func(name string, effect pluginsdk.EffectClass, example string) pluginsdk.HandlerInfo {
		return pluginsdk.HandlerInfo{
			Path: "demo." + name, Name: name, Description: "It is there to be judged.", Category: "demo", Effect: effect, Example: json.RawMessage(example),
		}
	}
	return &pluginsdk.Plugin{
		Name: "demo", Version: "1.2.3", Description: "A plugin to be judged.", Adapter: adapter{},
		Handlers: []*pluginsdk.Handler{
			pluginsdk.NewHandler(info("write", pluginsdk.EffectIdempotent, `{"path": "a/b.txt", "text": "hello"}`), writer{}),
			pluginsdk.NewHandler(info("read", pluginsdk.EffectPure, `{"path": "a.txt"}`), pluginsdk.Func[readConfig, text](read)),
			pluginsdk.NewHandler(info("wait", pluginsdk.EffectPure, `{"seconds": 0.3}`), pluginsdk.Func[waitConfig, struct{}](wait)),
		},
		WorkflowTypes:    []pluginsdk.WorkflowType{{Name: "demo", Version: "1.0.0", Description: "A kind of workflow."}},
		ValidateWorkflow: func(context.Context, string, json.RawMessage) []pluginsdk.Problem { return nil },
	}
}

// servePlugin is main of the plugin: good ones by the SDK, bad ones by hand.
func servePlugin(mode string) {
	switch mode {
	case "good":
		os.Args = os.Args[:1]
		serve.Main(demo())
		return
	case "prints-first":
		fmt.Println("hello from a plugin")
	case "ends-at-once":
		fmt.Fprintln(os.Stderr, "no module named grpc")
		os.Exit(1)
	case "ignores-terminate":
		signal.Ignore(syscall.SIGTERM)
	}
	if os.Getenv("VWMP_PLUGIN") == "" && mode != "no-cookie" {
		fmt.Fprintln(os.Stderr, "This is a plugin.")
		os.Exit(1)
	}
	dir, version := os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "1"
	if mode == "other-folder" || dir == "" {
		dir, _ = os.MkdirTemp("", "bad")
	}
	if mode == "any-protocol" {
		version = os.Getenv("PLUGIN_PROTOCOL_VERSIONS")
	}
	socket := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if mode != "ignores-lifeline" {
		go func() {
			_, _ = os.NewFile(3, "lifeline").Read(make([]byte, 1))
			os.Exit(1)
		}()
	}
	size := pluginsdk.MaxMessageSize
	if mode == "four-mebibytes" {
		size = 4 << 20
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(size), grpc.MaxConcurrentStreams(math.MaxUint32))
	pb.RegisterPluginServer(server, &bad{Server: serve.NewServer(demo()), mode: mode})
	checks := health.NewServer()
	if mode != "no-health" {
		checks.SetServingStatus("plugin", healthpb.HealthCheckResponse_SERVING)
	}
	healthpb.RegisterHealthServer(server, checks)
	server.RegisterService(&grpc.ServiceDesc{ServiceName: "plugin.GRPCController", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
		MethodName: "Shutdown", Handler: func(_ any, _ context.Context, _ func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			if mode == "leaves-child-at-end" {
				_ = exec.Command("sleep", "60").Start()
			}
			if mode != "ignores-shutdown" {
				time.AfterFunc(50*time.Millisecond, func() { os.Exit(0) })
			}
			return &pb.DrainResponse{}, nil
		},
	}}}, nil)
	fmt.Printf("1|%s|unix|%s|grpc\n", version, socket)
	_ = server.Serve(listener)
}

// bad is the good server with one mistake.
type bad struct {
	*serve.Server

	mode      string
	running   atomic.Int32
	describes atomic.Int32
	drained   atomic.Bool
}

func (b *bad) Describe(ctx context.Context, request *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	d, err := b.Server.Describe(ctx, request)
	first := d.GetHandlers()[0]
	switch b.mode {
	case "changing":
		d.Build = fmt.Sprint(b.describes.Add(1))
	case "bad-names":
		first.Path = "Demo.Write"
	case "bad-schema":
		first.ConfigSchema = []byte(`{"type": "object", "properties": 7}`)
	case "schema-ref":
		first.ConfigSchema = []byte(`{"$ref": "#/$defs/a", "$defs": {"a": {}}}`)
	case "bad-example":
		first.Example = []byte(`{"path": 7}`)
	case "long-tag":
		first.Tags = []string{strings.Repeat("ä", 41)}
	case "twice":
		if len(d.GetHandlers()) == 3 {
			d.Handlers = append(d.Handlers, first)
		}
	case "no-class":
		first.EffectClass = pb.EffectClass_EFFECT_CLASS_UNSPECIFIED
	case "undo-not-declared":
		first.Capabilities.Undo = false
	case "declares-plan":
		d.GetHandlers()[1].Capabilities.Plan = true
	}
	return d, err
}

// spoiled changes what a stream sends.
type spoiled struct {
	pb.Plugin_ExecuteServer

	send func(*pb.ExecuteEvent) error
	ctx  context.Context
}

func (s *spoiled) Send(event *pb.ExecuteEvent) error { return s.send(event) }
func (s *spoiled) Context() context.Context          { return s.ctx }

func logOf(level, message string) *pb.ExecuteEvent {
	return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Log{Log: &pb.Log{Level: level, Message: message}}}
}

func success(output string) *pb.ExecuteEvent {
	return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Result{Result: &pb.Result{Output: []byte(output)}}}
}

func (b *bad) Execute(request *pb.ExecuteRequest, stream pb.Plugin_ExecuteServer) error {
	r := request.GetRequest()
	var c writeConfig
	decoded := json.Unmarshal(r.GetConfig(), &c)
	if answer, done := b.instead(r, c, decoded, stream); done {
		return answer
	}
	send := stream.Send
	out := &spoiled{Plugin_ExecuteServer: stream, send: send, ctx: stream.Context()}
	if b.mode == "ignores-deadline" {
		r.Deadline = nil
	}
	out.send = func(event *pb.ExecuteEvent) error {
		if err := b.before(event, r, send); err != nil {
			return err
		}
		if b.mode == "no-end" && (event.GetResult() != nil || event.GetFailure() != nil) || b.mode == "no-start" && event.GetStarted() != nil {
			return nil
		}
		if err := send(event); err != nil || event.GetResult() == nil {
			return err
		}
		switch b.mode {
		case "two-ends":
			return send(event)
		case "log-after-end":
			return send(logOf("info", "one more thing"))
		}
		return nil
	}
	return b.Server.Execute(request, out)
}

// before spoils an event, or does harm before it is sent.
func (b *bad) before(event *pb.ExecuteEvent, r *pb.Request, send func(*pb.ExecuteEvent) error) error {
	failure := event.GetFailure()
	if failure != nil && b.mode == "cancel-is-permanent" && failure.GetClass() == pb.FailureClass_FAILURE_CLASS_CANCELLED {
		failure.Class, failure.Code = pb.FailureClass_FAILURE_CLASS_PERMANENT, "STEP_FAILED"
	}
	if failure != nil && b.mode == "empty-failure" {
		failure.Message = ""
	}
	if event.GetResult() == nil {
		return nil
	}
	switch b.mode {
	case "output-no-json":
		event.GetResult().Output = []byte(`{'path'`)
	case "output-off-schema":
		event.GetResult().Output = []byte(`{"bytes":"five"}`)
	case "no-output":
		event.GetResult().Output = nil
	case "bad-progress":
		return send(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Progress{Progress: &pb.Progress{Percentage: 250}}})
	case "bad-level":
		return send(logOf("WARN", "careful"))
	case "big-checkpoint":
		return send(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Checkpoint{Checkpoint: &pb.Checkpoint{Data: []byte(`"` + strings.Repeat("x", 65<<10) + `"`)}}})
	case "bad-artifact":
		return send(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Artifact{Artifact: &pb.Artifact{Path: "none.txt", Sha256: strings.Repeat("0", 64)}}})
	case "pure-writes":
		return os.WriteFile(filepath.Join(r.GetWorkspaceDir(), "cache.tmp"), nil, 0o600)
	case "leaves-child":
		return exec.Command("sleep", "60").Start()
	case "appends":
		file, err := os.OpenFile(filepath.Join(r.GetWorkspaceDir(), "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = io.WriteString(file, "once more\n")
		return errors.Join(err, file.Close())
	case "leaks-files":
		_, err := syscall.Open("/dev/null", syscall.O_RDONLY, 0)
		return err
	}
	return nil
}

// instead answers a call without the good server.
func (b *bad) instead(r *pb.Request, c writeConfig, decoded error, stream pb.Plugin_ExecuteServer) (answer error, done bool) {
	start := func() error {
		return stream.Send(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Started{Started: &pb.Started{}}})
	}
	writes := r.GetHandler() == "demo.write"
	var keys map[string]json.RawMessage
	_ = json.Unmarshal(r.GetConfig(), &keys)
	delete(keys, "path")
	delete(keys, "text")
	delete(keys, "token")
	switch b.mode {
	case "throws":
		return errors.New("an exception that nobody caught"), true
	case "crashes":
		os.Exit(3)
	case "takes-any-type":
		if writes && decoded != nil {
			return errors.Join(start(), stream.Send(success(`{"path":"","bytes":0}`))), true
		}
	case "takes-unknown-key":
		if writes && len(keys) > 0 {
			return errors.Join(start(), stream.Send(success(`{"path":"","bytes":0}`))), true
		}
	case "crashes-on-bad":
		if decoded != nil {
			panic(decoded)
		}
	case "crashes-on-hostile":
		if len(c.Path) > 5000 {
			os.Exit(3)
		}
	case "leaves-workspace":
		if writes && decoded == nil {
			_ = os.WriteFile(filepath.Join(r.GetWorkspaceDir(), c.Path), []byte(c.Text), 0o600)
		}
	case "reads-outside":
		if r.GetHandler() == "demo.read" {
			content, _ := os.ReadFile(filepath.Join(r.GetWorkspaceDir(), c.Path))
			output, _ := json.Marshal(text{string(content)})
			return errors.Join(start(), stream.Send(success(string(output)))), true
		}
	case "logs-secret":
		return errors.Join(start(), stream.Send(logOf("info", "config: "+string(r.GetConfig()))), stream.Send(success(`{"path":"","bytes":0}`))), true
	case "prints-secret":
		fmt.Fprintln(os.Stderr, "config:", string(r.GetConfig()))
	case "shares-state":
		defer b.running.Add(-1)
		if b.running.Add(1) > 1 {
			return errors.New("I am busy"), true
		}
		time.Sleep(20 * time.Millisecond)
	case "takes-any-handler":
		if r.GetHandler() == "demo.no_such_handler" {
			return errors.Join(start(), stream.Send(success(`{}`))), true
		}
	case "takes-after-drain":
		if b.drained.Load() {
			return errors.Join(start(), stream.Send(success(`{"path":"","bytes":0}`))), true
		}
	case "ignores-cancel":
		if r.GetHandler() == "demo.wait" {
			err := start()
			time.Sleep(300 * time.Millisecond)
			select {
			case <-stream.Context().Done():
			case <-time.After(4 * time.Second):
			}
			return errors.Join(err, stream.Send(success(`{}`))), true
		}
	case "ignores-close":
		if r.GetHandler() == "demo.wait" {
			b.running.Add(1)
			defer b.running.Add(-1)
			err := start()
			time.Sleep(4 * time.Second)
			return errors.Join(err, stream.Send(success(`{}`))), true
		}
	case "unknown-is-malformed":
		if len(r.ProtoReflect().GetUnknown()) > 0 {
			return status.Error(codes.InvalidArgument, "what is field 1999?"), true
		}
	}
	return nil, false
}

func (b *bad) Plan(ctx context.Context, request *pb.PlanRequest) (*pb.PlanResponse, error) {
	answer, err := b.Server.Plan(ctx, request)
	switch b.mode {
	case "plan-writes":
		_ = os.WriteFile(filepath.Join(request.GetRequest().GetWorkspaceDir(), "planned"), nil, 0o600)
	case "plan-word":
		for _, effect := range answer.GetEffects() {
			effect.Action = "write"
		}
	}
	return answer, err
}

func (b *bad) Undo(request *pb.UndoRequest, stream pb.Plugin_UndoServer) error {
	switch b.mode {
	case "undo-forgets":
		return stream.Send(&pb.UndoEvent{Event: &pb.UndoEvent_Result{Result: &pb.Result{}}})
	case "undo-once":
		if b.drained.Swap(true) {
			return stream.Send(&pb.UndoEvent{Event: &pb.UndoEvent_Failure{Failure: &pb.Failure{
				Class: pb.FailureClass_FAILURE_CLASS_PERMANENT, Code: "GONE", Message: "there is nothing to undo",
			}}})
		}
	}
	return b.Server.Undo(request, stream)
}

func (b *bad) Reconcile(ctx context.Context, request *pb.ReconcileRequest) (*pb.ReconcileResponse, error) {
	switch b.mode {
	case "reconcile-forgets":
		return &pb.ReconcileResponse{Status: pb.ReconcileStatus_RECONCILE_STATUS_NOT_STARTED}, nil
	case "reconcile-lies":
		return &pb.ReconcileResponse{Status: pb.ReconcileStatus_RECONCILE_STATUS_DONE, Result: &pb.Result{Output: []byte(`{"path":"","bytes":0}`)}}, nil
	}
	return b.Server.Reconcile(ctx, request)
}

func (b *bad) Cancel(ctx context.Context, request *pb.CancelRequest) (*pb.CancelResponse, error) {
	switch b.mode {
	case "finds-any-call":
		return &pb.CancelResponse{Found: true}, nil
	case "cancel-hangs":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return b.Server.Cancel(ctx, request)
}

func (b *bad) Configure(ctx context.Context, request *pb.ConfigureRequest) (*pb.ConfigureResponse, error) {
	if b.mode == "configure-throws" {
		return nil, errors.New("an exception that nobody caught")
	}
	return b.Server.Configure(ctx, request)
}

func (b *bad) ValidateConfig(ctx context.Context, request *pb.ValidateConfigRequest) (*pb.ValidateConfigResponse, error) {
	switch b.mode {
	case "validate-throws":
		if !json.Valid(request.GetConfig()) {
			return nil, errors.New("an exception that nobody caught")
		}
	case "validate-own":
		return &pb.ValidateConfigResponse{Problems: []*pb.Problem{{Pointer: "/path", Message: "no"}}}, nil
	}
	return b.Server.ValidateConfig(ctx, request)
}

func (b *bad) ValidateWorkflow(ctx context.Context, request *pb.ValidateWorkflowRequest) (*pb.ValidateWorkflowResponse, error) {
	if b.mode == "workflow-throws" {
		return nil, errors.New("an exception that nobody caught")
	}
	return b.Server.ValidateWorkflow(ctx, request)
}

func (b *bad) Drain(ctx context.Context, request *pb.DrainRequest) (*pb.DrainResponse, error) {
	if b.mode == "takes-after-drain" {
		b.drained.Store(true)
		return &pb.DrainResponse{}, nil
	}
	for b.mode == "ignores-close" && b.running.Load() > 0 && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	return b.Server.Drain(ctx, request)
}
