package serve

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/internal/wire"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// Execute implements the protocol.
func (s *Server) Execute(request *pb.ExecuteRequest, stream pb.Plugin_ExecuteServer) error {
	handler, err := s.handler(request.GetRequest().GetHandler())
	if err != nil {
		return err
	}
	out := &events{send: stream.Send}
	ctx, end, err := s.begin(stream.Context(), request.GetCallId(), request.GetRequest())
	if err != nil {
		return out.end(failed(refusal(err)))
	}
	defer end()
	out.started()
	step := s.step(request.GetRequest(), out)
	outcome := handler.Execute(ctx, step)
	if err := step.Close(); err != nil {
		step.Log.Warn("the workspace could not be closed", "error", err)
	}
	return out.end(terminal(ctx, outcome))
}

// Undo implements the protocol.
func (s *Server) Undo(request *pb.UndoRequest, stream pb.Plugin_UndoServer) error {
	handler, err := s.handler(request.GetRequest().GetHandler())
	if err != nil {
		return err
	}
	if info, _ := handler.Info(); !info.Capabilities.Undo {
		return toStatus(pluginsdk.ErrUnsupported)
	}
	out := &events{send: func(event *pb.ExecuteEvent) error { return sendUndo(stream, event) }}
	ctx, end, err := s.begin(stream.Context(), request.GetCallId(), request.GetRequest())
	if err != nil {
		return out.end(failed(refusal(err)))
	}
	defer end()
	step := s.step(request.GetRequest(), out)
	err = handler.Undo(ctx, step, request.GetUndoToken())
	if closeErr := step.Close(); closeErr != nil {
		step.Log.Warn("the workspace could not be closed", "error", closeErr)
	}
	outcome := pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	if err != nil {
		outcome = pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: pluginsdk.FailureOf(ctx, err)}
	}
	return out.end(terminal(ctx, outcome))
}

// sendUndo sends what an undo may tell: log, progress, heartbeat and its end.
func sendUndo(stream pb.Plugin_UndoServer, event *pb.ExecuteEvent) error {
	switch e := event.GetEvent().(type) {
	case *pb.ExecuteEvent_Log:
		return stream.Send(&pb.UndoEvent{Event: &pb.UndoEvent_Log{Log: e.Log}})
	case *pb.ExecuteEvent_Progress:
		return stream.Send(&pb.UndoEvent{Event: &pb.UndoEvent_Progress{Progress: e.Progress}})
	case *pb.ExecuteEvent_Heartbeat:
		return stream.Send(&pb.UndoEvent{Event: &pb.UndoEvent_Heartbeat{Heartbeat: e.Heartbeat}})
	case *pb.ExecuteEvent_Result:
		return stream.Send(&pb.UndoEvent{Event: &pb.UndoEvent_Result{Result: e.Result}})
	case *pb.ExecuteEvent_Failure:
		return stream.Send(&pb.UndoEvent{Event: &pb.UndoEvent_Failure{Failure: e.Failure}})
	}
	return nil
}

// terminal is the last event of a call.
func terminal(ctx context.Context, outcome pluginsdk.Outcome) *pb.ExecuteEvent {
	switch outcome.Kind {
	case pluginsdk.OutcomeSuccess:
		event := &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Result{Result: &pb.Result{Output: outcome.Output, UndoToken: outcome.UndoToken}}}
		if size := proto.Size(event); size > pluginsdk.MaxMessageSize {
			return failed(&pluginsdk.Failure{
				Class: pluginsdk.FailurePermanent, Code: "output_too_large", Fault: pluginsdk.FaultAuthor,
				Message: fmt.Sprintf("the output and what undo needs are %d bytes, more than the %d allowed", size, pluginsdk.MaxMessageSize),
			})
		}
		return event
	case pluginsdk.OutcomeSkipped:
		return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Skipped{Skipped: wire.SkippedToWire(outcome.SkipReason)}}
	}
	return failed(endedBy(ctx, outcome.Failure))
}

func failed(failure *pluginsdk.Failure) *pb.ExecuteEvent {
	return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Failure{Failure: wire.FailureToWire(failure)}}
}

// endedBy names the end of the context as the cause where the handler only
// passed on what the end did to it, such as "signal: killed".
func endedBy(ctx context.Context, failure *pluginsdk.Failure) *pluginsdk.Failure {
	if ctx.Err() == nil || (failure.Code != "STEP_FAILED" && failure.Code != "RETRYABLE") {
		return failure
	}
	named := *failure
	named.Class, named.Code, named.Fault = pluginsdk.FailureCancelled, "CANCELLED", pluginsdk.FaultUser
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		named.Class, named.Code = pluginsdk.FailureTimeout, "TIMEOUT"
	}
	return &named
}

var (
	errDraining  = errors.New("the plugin is about to stop and takes no new work")
	errDuplicate = errors.New("a call of this id is running already")
)

// refusal is the failure of a call that did not begin.
func refusal(err error) *pluginsdk.Failure {
	if errors.Is(err, errDraining) {
		return &pluginsdk.Failure{Class: pluginsdk.FailureRetryable, Code: "DRAINING", Message: err.Error(), Fault: pluginsdk.FaultHost}
	}
	return &pluginsdk.Failure{Class: pluginsdk.FailurePermanent, Code: "PLUGIN_PROTOCOL", Message: err.Error(), Fault: pluginsdk.FaultHost}
}

// begin gives a call its context: it ends with the stream, the deadline, a
// Cancel, or the process.
func (s *Server) begin(stream context.Context, callID string, request *pb.Request) (ctx context.Context, end func(), err error) {
	ctx, cancel := context.WithCancelCause(stream)
	if err := s.enter(callID, cancel); err != nil {
		cancel(nil)
		return nil, nil, err
	}
	stop := context.AfterFunc(s.base, func() { cancel(context.Canceled) })
	stopDeadline := func() {}
	if deadline := request.GetDeadline(); deadline != nil {
		ctx, stopDeadline = context.WithDeadline(ctx, deadline.AsTime())
	}
	return ctx, func() {
		stopDeadline()
		stop()
		cancel(nil)
		s.leave(callID)
	}, nil
}
