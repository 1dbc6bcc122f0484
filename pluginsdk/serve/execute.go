package serve

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/internal/wire"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// maxLogMessage bounds one log line, in bytes; the rest is cut with a mark.
const maxLogMessage = 64 << 10

// Execute implements the protocol.
func (s *Server) Execute(request *pb.ExecuteRequest, stream pb.Plugin_ExecuteServer) error {
	handler, err := s.handler(request.GetRequest().GetHandler())
	if err != nil {
		return err
	}
	out := &events{send: stream.Send}
	ctx, end, ok := s.begin(stream.Context(), request.GetCallId(), request.GetRequest())
	if !ok {
		return out.end(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Failure{Failure: wire.FailureToWire(draining())}})
	}
	defer end()
	out.emit(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Started{Started: &pb.Started{}}})
	step := s.step(request.GetRequest(), out)
	defer func() { _ = step.Close() }()
	outcome := handler.Execute(ctx, step)
	switch outcome.Kind {
	case pluginsdk.OutcomeSuccess:
		return out.end(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Result{Result: &pb.Result{Output: outcome.Output, UndoToken: outcome.UndoToken}}})
	case pluginsdk.OutcomeSkipped:
		return out.end(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Skipped{Skipped: &pb.Skipped{Reason: outcome.SkipReason}}})
	default:
		return out.end(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Failure{Failure: wire.FailureToWire(outcome.Failure)}})
	}
}

// Undo implements the protocol.
func (s *Server) Undo(request *pb.UndoRequest, stream pb.Plugin_UndoServer) error {
	handler, err := s.handler(request.GetRequest().GetHandler())
	if err != nil {
		return err
	}
	// An undo tells no more than log, progress and heartbeat.
	out := &events{send: func(event *pb.ExecuteEvent) error {
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
	}}
	ctx, end, ok := s.begin(stream.Context(), request.GetCallId(), request.GetRequest())
	if !ok {
		return out.end(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Failure{Failure: wire.FailureToWire(draining())}})
	}
	defer end()
	step := s.step(request.GetRequest(), out)
	defer func() { _ = step.Close() }()
	err = handler.Undo(ctx, step, request.GetUndoToken())
	switch {
	case errors.Is(err, pluginsdk.ErrUnsupported):
		return toStatus(err)
	case err != nil:
		return out.end(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Failure{Failure: wire.FailureToWire(pluginsdk.FailureOf(ctx, err))}})
	}
	return out.end(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Result{Result: &pb.Result{}}})
}

func draining() *pluginsdk.Failure {
	return &pluginsdk.Failure{
		Class: pluginsdk.FailureRetryable, Code: "DRAINING", Message: "the plugin is about to stop and takes no new work", Fault: pluginsdk.FaultHost,
	}
}

// begin gives a call its context: it ends with the stream, the deadline, a
// Cancel, or the process.
func (s *Server) begin(stream context.Context, callID string, request *pb.Request) (ctx context.Context, end func(), ok bool) {
	ctx, cancel := context.WithCancelCause(stream)
	if !s.enter(callID, cancel) {
		cancel(nil)
		return nil, nil, false
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
	}, true
}

// events is the reporter of one stream. Sending waits where the host reads
// slowly, and so slows the handler rather than losing a line.
type events struct {
	mu    sync.Mutex
	send  func(*pb.ExecuteEvent) error
	ended bool
}

// emit sends an event unless the stream has ended.
func (e *events) emit(event *pb.ExecuteEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.ended {
		// A broken stream ends the call's context, which is how a
		// handler learns it.
		_ = e.send(event)
	}
}

// end sends the terminal event; nothing follows it.
func (e *events) end(event *pb.ExecuteEvent) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = true
	return e.send(event)
}

func (e *events) Log(line pluginsdk.LogLine) {
	if len(line.Message) > maxLogMessage {
		line.Message = line.Message[:maxLogMessage] + "… (cut)"
	}
	e.emit(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Log{Log: wire.LogToWire(line)}})
}

func (e *events) Progress(percentage float64, message string) {
	e.emit(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Progress{Progress: &pb.Progress{Percentage: percentage, Message: message}}})
}

func (e *events) Heartbeat() {
	e.emit(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Heartbeat{Heartbeat: &pb.Heartbeat{}}})
}

func (e *events) Checkpoint(data json.RawMessage) error {
	e.emit(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Checkpoint{Checkpoint: &pb.Checkpoint{Data: data}}})
	return nil
}

func (e *events) Effect(record pluginsdk.EffectRecord) error {
	e.emit(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Effect{Effect: wire.EffectToWire(record)}})
	return nil
}

func (e *events) Artifact(a pluginsdk.Artifact) error {
	e.emit(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Artifact{Artifact: &pb.Artifact{
		Path: a.Path, Size: a.Size, Sha256: a.SHA256, MediaType: a.MediaType,
	}}})
	return nil
}
