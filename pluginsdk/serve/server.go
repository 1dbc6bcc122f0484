package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/internal/wire"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// Server answers a host's calls for one plugin. It is registered with a gRPC
// server: by Main in a process of its own, by tests in theirs.
type Server struct {
	pb.UnimplementedPluginServer

	plugin *pluginsdk.Plugin
	// description is made once: the same process gives the same bytes.
	description func() (*pb.DescribeResponse, error)

	base       context.Context
	cancelBase context.CancelFunc

	mu       sync.Mutex
	adapter  json.RawMessage
	calls    map[string]context.CancelCauseFunc
	draining bool
	// idle is closed and made anew whenever the last running call ends.
	idle chan struct{}
}

// NewServer returns a server of the plugin. Close ends its calls.
func NewServer(p *pluginsdk.Plugin) *Server {
	base, cancel := context.WithCancel(context.Background())
	return &Server{
		plugin: p, description: sync.OnceValues(func() (*pb.DescribeResponse, error) { return describe(p) }),
		base: base, cancelBase: cancel, calls: map[string]context.CancelCauseFunc{}, idle: make(chan struct{}),
	}
}

// Describe implements the protocol.
func (s *Server) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	return s.description()
}

func describe(p *pluginsdk.Plugin) (*pb.DescribeResponse, error) {
	description, err := p.Describe()
	if err != nil {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	return wire.DescriptionToWire(description), nil
}

// Configure implements the protocol.
func (s *Server) Configure(_ context.Context, request *pb.ConfigureRequest) (*pb.ConfigureResponse, error) {
	adapter := request.GetAdapter()
	if len(adapter) > 0 && !json.Valid(adapter) {
		return &pb.ConfigureResponse{Problems: wire.ProblemsToWire([]pluginsdk.Problem{{
			Severity: pluginsdk.SeverityError, Code: "invalid_json", Message: "the adapter configuration is not JSON",
		}})}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.adapter = adapter
	return &pb.ConfigureResponse{}, nil
}

// ValidateConfig implements the protocol.
func (s *Server) ValidateConfig(ctx context.Context, request *pb.ValidateConfigRequest) (*pb.ValidateConfigResponse, error) {
	handler, err := s.handler(request.GetHandler())
	if err != nil {
		return nil, err
	}
	problems, err := handler.ValidateConfig(ctx, request.GetConfig())
	var invalid *pluginsdk.Error
	if errors.As(err, &invalid) && invalid.Class == pluginsdk.FailureInvalidInput {
		problems, err = []pluginsdk.Problem{{Severity: pluginsdk.SeverityError, Pointer: invalid.Pointer, Code: "invalid", Message: invalid.Message}}, nil
	}
	if err != nil {
		return nil, toStatus(err)
	}
	return &pb.ValidateConfigResponse{Problems: wire.ProblemsToWire(problems)}, nil
}

// ValidateWorkflow implements the protocol.
func (s *Server) ValidateWorkflow(ctx context.Context, request *pb.ValidateWorkflowRequest) (*pb.ValidateWorkflowResponse, error) {
	if s.plugin.ValidateWorkflow == nil {
		return nil, status.Error(codes.Unimplemented, "the plugin has no rules for workflows")
	}
	problems, err := guarded(func() []pluginsdk.Problem {
		return s.plugin.ValidateWorkflow(ctx, request.GetWorkflowType(), request.GetDocument())
	})
	if err != nil {
		return nil, err
	}
	return &pb.ValidateWorkflowResponse{Problems: wire.ProblemsToWire(problems)}, nil
}

// Plan implements the protocol.
func (s *Server) Plan(ctx context.Context, request *pb.PlanRequest) (*pb.PlanResponse, error) {
	var effects []pluginsdk.PlannedEffect
	err := s.once(ctx, request.GetRequest(), func(ctx context.Context, handler *pluginsdk.Handler, step *pluginsdk.Step) (err error) {
		effects, err = handler.Plan(ctx, step)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &pb.PlanResponse{Effects: wire.PlanToWire(effects)}, nil
}

// Reconcile implements the protocol.
func (s *Server) Reconcile(ctx context.Context, request *pb.ReconcileRequest) (*pb.ReconcileResponse, error) {
	var result pluginsdk.ReconcileResult
	err := s.once(ctx, request.GetRequest(), func(ctx context.Context, handler *pluginsdk.Handler, step *pluginsdk.Step) (err error) {
		result, err = handler.Reconcile(ctx, step)
		return err
	})
	if err != nil {
		return nil, err
	}
	return wire.ReconcileToWire(result), nil
}

// Cancel implements the protocol.
func (s *Server) Cancel(_ context.Context, request *pb.CancelRequest) (*pb.CancelResponse, error) {
	s.mu.Lock()
	cancel := s.calls[request.GetCallId()]
	s.mu.Unlock()
	if cancel != nil {
		cause := context.Canceled
		if request.GetReason() == wire.ReasonTimeout {
			cause = context.DeadlineExceeded
		}
		cancel(cause)
	}
	return &pb.CancelResponse{Found: cancel != nil}, nil
}

// Drain implements the protocol.
func (s *Server) Drain(ctx context.Context, _ *pb.DrainRequest) (*pb.DrainResponse, error) {
	s.mu.Lock()
	s.draining = true
	running, idle := len(s.calls), s.idle
	s.mu.Unlock()
	if running > 0 {
		select {
		case <-idle:
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		}
	}
	return &pb.DrainResponse{}, nil
}

// once runs a unary call about a step.
func (s *Server) once(ctx context.Context, raw *pb.Request, do func(context.Context, *pluginsdk.Handler, *pluginsdk.Step) error) error {
	handler, err := s.handler(raw.GetHandler())
	if err != nil {
		return err
	}
	step := s.step(raw, silent{})
	err = do(ctx, handler, step)
	if err := errors.Join(err, step.Close()); err != nil {
		return toStatus(err)
	}
	return nil
}

func (s *Server) handler(path string) (*pluginsdk.Handler, error) {
	handler := s.plugin.Handler(path)
	if handler == nil {
		return nil, status.Errorf(codes.NotFound, "the plugin has no handler %q", path)
	}
	return handler, nil
}

func (s *Server) step(raw *pb.Request, reporter pluginsdk.Reporter) *pluginsdk.Step {
	s.mu.Lock()
	adapter := s.adapter
	s.mu.Unlock()
	return pluginsdk.NewStep(wire.RequestFromWire(raw), adapter, reporter)
}

// enter counts a call in; it is refused where the plugin is draining.
func (s *Server) enter(callID string, cancel context.CancelCauseFunc) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return errDraining
	}
	if _, taken := s.calls[callID]; taken {
		return errDuplicate
	}
	s.calls[callID] = cancel
	return nil
}

func (s *Server) leave(callID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.calls, callID)
	if len(s.calls) == 0 {
		close(s.idle)
		s.idle = make(chan struct{})
	}
}

// Close cancels the calls that run. It does not wait for them; the gRPC
// server that they came through does.
func (s *Server) Close() { s.cancelAll() }

// cancelAll cancels every call, and those to come.
func (s *Server) cancelAll() { s.cancelBase() }

// waitIdle waits until no call runs, at most so long.
func (s *Server) waitIdle(limit time.Duration) {
	s.mu.Lock()
	running, idle := len(s.calls), s.idle
	s.mu.Unlock()
	if running == 0 {
		return
	}
	select {
	case <-idle:
	case <-time.After(limit):
	}
}

// toStatus says a handler's error in gRPC's words.
func toStatus(err error) error {
	var typed *pluginsdk.Error
	switch {
	case errors.Is(err, pluginsdk.ErrUnsupported):
		return status.Error(codes.Unimplemented, err.Error())
	case errors.As(err, &typed) && typed.Class == pluginsdk.FailureInvalidInput:
		return status.Error(codes.InvalidArgument, err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, err.Error())
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, err.Error())
	}
	return status.Error(codes.FailedPrecondition, err.Error())
}

// guarded turns a panic of the author's code into an error.
func guarded[T any](f func() T) (value T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = status.Error(codes.FailedPrecondition, fmt.Sprintf("the plugin panicked: %v", r))
		}
	}()
	return f(), nil
}
