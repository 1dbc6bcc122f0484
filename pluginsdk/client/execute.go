package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/internal/wire"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// The codes of failures that come from the wire, not from a handler.
const (
	// CodeUnknown: the call broke before the plugin said how it ended.
	CodeUnknown = "OUTCOME_UNKNOWN"
	// CodeProtocol: what the plugin said can't be made sense of.
	CodeProtocol = "PLUGIN_PROTOCOL"
	// CodeCancelIgnored: the call did not end within the grace after it was
	// cancelled. It may still run; only the end of its process ends it.
	CodeCancelIgnored = "CANCEL_IGNORED"
	// CodeRefused: the plugin did not take the call; nothing ran.
	CodeRefused = "PLUGIN_REFUSED"
	// CodeTooLarge: a message of the call is over pluginsdk.MaxMessageSize.
	CodeTooLarge = "MESSAGE_TOO_LARGE"
)

// endGrace is how long a stream may stay open after its terminal event.
const endGrace = 5 * time.Second

// event is what Execute's and Undo's streams have in common.
type event struct {
	// pass hands the event to the reporter; nil for a terminal one.
	pass func(pluginsdk.Reporter) error
	// outcome is set for a terminal event.
	outcome *pluginsdk.Outcome
}

// Execute runs one attempt and returns when its stream has ended. When ctx
// ends, the attempt is cancelled and has grace to end by itself; then the
// stream is given up, which is an unknown outcome with CodeCancelIgnored.
func (c *Client) Execute(ctx context.Context, request *pluginsdk.Request, reporter pluginsdk.Reporter, grace time.Duration) pluginsdk.Outcome {
	if err := wire.CheckRequest(request); err != nil {
		return refused(pluginsdk.FailureInvalidInput, CodeRefused, err.Error())
	}
	return c.stream(ctx, reporter, grace, func(ctx context.Context, callID string) (func() (event, error), error) {
		stream, err := c.plugin.Execute(ctx, &pb.ExecuteRequest{CallId: callID, Request: wire.RequestToWire(request)})
		if err != nil {
			return nil, err
		}
		return func() (event, error) {
			received, err := stream.Recv()
			if err != nil {
				return event{}, err
			}
			return executeEvent(received), nil
		}, nil
	})
}

// Undo takes an attempt back. Its outcome is a success, a failure or unknown;
// being idempotent, it may be called again in each case.
func (c *Client) Undo(ctx context.Context, request *pluginsdk.Request, token json.RawMessage, reporter pluginsdk.Reporter, grace time.Duration) pluginsdk.Outcome {
	if err := wire.CheckRequest(request); err != nil {
		return refused(pluginsdk.FailureInvalidInput, CodeRefused, err.Error())
	}
	return c.stream(ctx, reporter, grace, func(ctx context.Context, callID string) (func() (event, error), error) {
		stream, err := c.plugin.Undo(ctx, &pb.UndoRequest{CallId: callID, Request: wire.RequestToWire(request), UndoToken: token})
		if err != nil {
			return nil, err
		}
		return func() (event, error) {
			received, err := stream.Recv()
			if err != nil {
				return event{}, err
			}
			return undoEvent(received), nil
		}, nil
	})
}

// stream runs one call: it opens it, reads it to its end, and passes the end
// of ctx on.
func (c *Client) stream(
	ctx context.Context, reporter pluginsdk.Reporter, grace time.Duration,
	open func(ctx context.Context, callID string) (func() (event, error), error),
) pluginsdk.Outcome {
	if ctx.Err() != nil {
		return refused(classOf(ctx), "CANCELLED", "the step was cancelled before the plugin was called")
	}
	callID := strconv.FormatUint(c.calls.Add(1), 10)
	// The stream outlives ctx, so that clean-up logs and the end arrive.
	streamCtx, give := context.WithCancelCause(context.WithoutCancel(ctx))
	defer give(nil)
	next, err := open(streamCtx, callID)
	if err != nil {
		return outcomeOf(err)
	}
	ended, cancelled := make(chan struct{}), make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(cancelled)
		c.cancel(ctx, ended, callID, grace, give)
	})
	outcome := receive(next, reporter, give)
	close(ended)
	if !unwatch() {
		<-cancelled
	}
	if outcome.Kind == pluginsdk.OutcomeUnknown && errors.Is(context.Cause(streamCtx), errCancelIgnored) {
		return unknown(CodeCancelIgnored, fmt.Sprintf("the step did not end within %s after it was cancelled", grace))
	}
	return outcome
}

var (
	errCancelIgnored = errors.New("the call did not end when it was cancelled")
	errLeftOpen      = errors.New("the stream stayed open after its end was told")
)

// cancel turns the end of ctx into a Cancel, and gives the stream up when that
// brings nothing within grace.
func (c *Client) cancel(ctx context.Context, ended <-chan struct{}, callID string, grace time.Duration, give context.CancelCauseFunc) {
	deadline := time.NewTimer(grace)
	defer deadline.Stop()
	cancelCtx, stop := context.WithTimeout(context.WithoutCancel(ctx), min(CancelTimeout, grace))
	reason := wire.ReasonCancelled
	if classOf(ctx) == pluginsdk.FailureTimeout {
		reason = wire.ReasonTimeout
	}
	// A plugin that does not answer is given up below.
	_, _ = c.plugin.Cancel(cancelCtx, &pb.CancelRequest{CallId: callID, Reason: reason})
	stop()
	select {
	case <-ended:
	case <-deadline.C:
		give(errCancelIgnored)
	}
}

// classOf tells a call that ran out of time from one that was cancelled.
func classOf(ctx context.Context) pluginsdk.FailureClass {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return pluginsdk.FailureTimeout
	}
	return pluginsdk.FailureCancelled
}

// receive reads a stream to its end. Only a stream with exactly one terminal
// event, at its end, has a known outcome.
func receive(next func() (event, error), reporter pluginsdk.Reporter, give context.CancelCauseFunc) pluginsdk.Outcome {
	var terminal *pluginsdk.Outcome
	for {
		received, err := next()
		switch {
		case err != nil && terminal != nil:
			// It said how the step ended. Where its end of the stream broke
			// after that, the word stands.
			return *terminal
		case errors.Is(err, io.EOF):
			return unknown(CodeUnknown, "the plugin ended the call without saying how the step ended")
		case err != nil:
			return outcomeOf(err)
		case terminal != nil:
			return unknown(CodeProtocol, "the plugin broke the protocol: it went on after the end of the step")
		}
		if received.outcome != nil {
			terminal = received.outcome
			timer := time.AfterFunc(endGrace, func() { give(errLeftOpen) })
			defer timer.Stop()
			continue
		}
		if received.pass == nil {
			continue
		}
		if err := received.pass(reporter); err != nil {
			return unknown("HOST_ERROR", fmt.Sprintf("the host could not keep what the step reported: %v", err))
		}
	}
}

// executeEvent reads an event. One that this version does not know is passed
// over: a later protocol may have it.
func executeEvent(received *pb.ExecuteEvent) event {
	switch e := received.GetEvent().(type) {
	case *pb.ExecuteEvent_Log:
		return logEvent(e.Log)
	case *pb.ExecuteEvent_Progress:
		return progressEvent(e.Progress)
	case *pb.ExecuteEvent_Heartbeat:
		return heartbeatEvent()
	case *pb.ExecuteEvent_Checkpoint:
		data := e.Checkpoint.GetData()
		if !json.Valid(data) || len(data) > pluginsdk.MaxCheckpointSize {
			return garbage("a checkpoint that is not JSON or too large")
		}
		return event{pass: func(r pluginsdk.Reporter) error { return r.Checkpoint(data) }}
	case *pb.ExecuteEvent_Effect:
		return event{pass: func(r pluginsdk.Reporter) error { return r.Effect(wire.EffectFromWire(e.Effect)) }}
	case *pb.ExecuteEvent_Artifact:
		return event{pass: func(r pluginsdk.Reporter) error { return r.Artifact(wire.ArtifactFromWire(e.Artifact)) }}
	case *pb.ExecuteEvent_Result:
		return resultEvent(e.Result)
	case *pb.ExecuteEvent_Skipped:
		return event{outcome: &pluginsdk.Outcome{Kind: pluginsdk.OutcomeSkipped, SkipReason: e.Skipped.GetReason()}}
	case *pb.ExecuteEvent_Failure:
		return failureEvent(e.Failure)
	}
	return event{}
}

func undoEvent(received *pb.UndoEvent) event {
	switch e := received.GetEvent().(type) {
	case *pb.UndoEvent_Log:
		return logEvent(e.Log)
	case *pb.UndoEvent_Progress:
		return progressEvent(e.Progress)
	case *pb.UndoEvent_Heartbeat:
		return heartbeatEvent()
	case *pb.UndoEvent_Result:
		return resultEvent(e.Result)
	case *pb.UndoEvent_Failure:
		return failureEvent(e.Failure)
	}
	return event{}
}

func logEvent(l *pb.Log) event {
	return event{pass: func(r pluginsdk.Reporter) error { r.Log(wire.LogFromWire(l)); return nil }}
}

func progressEvent(p *pb.Progress) event {
	return event{pass: func(r pluginsdk.Reporter) error {
		r.Progress(min(max(p.GetPercentage(), 0), 100), p.GetMessage())
		return nil
	}}
}

func heartbeatEvent() event {
	return event{pass: func(r pluginsdk.Reporter) error { r.Heartbeat(); return nil }}
}

func resultEvent(r *pb.Result) event {
	if output := r.GetOutput(); len(output) > 0 && !json.Valid(output) {
		return garbage("an output that is not JSON")
	}
	if token := r.GetUndoToken(); len(token) > 0 && !json.Valid(token) {
		return garbage("an undo token that is not JSON")
	}
	return event{outcome: &pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: r.GetOutput(), UndoToken: r.GetUndoToken()}}
}

func failureEvent(f *pb.Failure) event {
	return event{outcome: &pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: wire.FailureFromWire(f)}}
}

// garbage ends a call whose plugin sends what nobody can use. It is as
// terminal as a result, but what it did is unknown.
func garbage(what string) event {
	outcome := unknown(CodeProtocol, "the plugin broke the protocol: it sent "+what)
	return event{outcome: &outcome}
}

// outcomeOf says what a broken call means. Some codes say that the plugin
// refused; all others leave open whether the step ran.
func outcomeOf(err error) pluginsdk.Outcome {
	message := status.Convert(err).Message()
	switch status.Code(err) {
	case codes.ResourceExhausted:
		return refused(pluginsdk.FailurePermanent, CodeTooLarge, fmt.Sprintf("a message of the call is over %d MiB: %s", pluginsdk.MaxMessageSize>>20, message))
	case codes.InvalidArgument, codes.FailedPrecondition, codes.NotFound, codes.Unimplemented:
		return refused(pluginsdk.FailurePermanent, CodeRefused, "the plugin refused the call: "+message)
	}
	return unknown(CodeUnknown, "the call to the plugin broke: "+message)
}

func refused(class pluginsdk.FailureClass, code, message string) pluginsdk.Outcome {
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{
		Class: class, Code: code, Message: message, Fault: pluginsdk.FaultAuthor,
	}}
}

func unknown(code, message string) pluginsdk.Outcome {
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{
		Class: pluginsdk.FailureRetryable, Code: code, Message: message, Fault: pluginsdk.FaultAuthor,
	}}
}
