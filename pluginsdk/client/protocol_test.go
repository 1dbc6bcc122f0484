package client_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/client"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// rude is a plugin that was not made with the SDK.
type rude struct {
	pb.UnimplementedPluginServer
	execute func(stream pb.Plugin_ExecuteServer) error
}

func (r *rude) Execute(_ *pb.ExecuteRequest, stream pb.Plugin_ExecuteServer) error {
	return r.execute(stream)
}

func dial(t *testing.T, server pb.PluginServer) (c *client.Client, stop func()) {
	t.Helper()
	listener := bufconn.Listen(64 << 10)
	grpcServer := grpc.NewServer()
	pb.RegisterPluginServer(grpcServer, server)
	var serving sync.WaitGroup
	serving.Go(func() { _ = grpcServer.Serve(listener) })
	connection, err := grpc.NewClient("passthrough:///plugin", append(client.DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
	)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = connection.Close()
		grpcServer.Stop()
		serving.Wait()
	})
	return client.New(connection), grpcServer.Stop
}

func result(output string) *pb.ExecuteEvent {
	return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Result{Result: &pb.Result{Output: []byte(output)}}}
}

func logged(message string) *pb.ExecuteEvent {
	return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Log{Log: &pb.Log{Message: message}}}
}

func sends(events ...*pb.ExecuteEvent) func(pb.Plugin_ExecuteServer) error {
	return func(stream pb.Plugin_ExecuteServer) error {
		for _, event := range events {
			if err := stream.Send(event); err != nil {
				return err
			}
		}
		return nil
	}
}

func fails(code codes.Code) func(pb.Plugin_ExecuteServer) error {
	return func(pb.Plugin_ExecuteServer) error { return status.Error(code, "no") }
}

// TestCase85 holds what a stream must look like to have a known outcome.
func TestCase85OnlyOneTerminalEventAtTheEndIsKnown(t *testing.T) {
	failed := &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Failure{Failure: &pb.Failure{Code: "X"}}}
	tests := map[string]struct {
		execute func(pb.Plugin_ExecuteServer) error
		kind    pluginsdk.OutcomeKind
		code    string
	}{
		"no event at all":                       {sends(), pluginsdk.OutcomeUnknown, client.CodeUnknown},
		"no terminal event":                     {sends(logged("a")), pluginsdk.OutcomeUnknown, client.CodeUnknown},
		"one result":                            {sends(logged("a"), result(`1`)), pluginsdk.OutcomeSuccess, ""},
		"two results":                           {sends(result(`1`), result(`1`)), pluginsdk.OutcomeUnknown, client.CodeProtocol},
		"a failure, then a result":              {sends(failed, result(`1`)), pluginsdk.OutcomeUnknown, client.CodeProtocol},
		"a log line after the end":              {sends(result(`1`), logged("a")), pluginsdk.OutcomeUnknown, client.CodeProtocol},
		"an event of a later protocol":          {sends(&pb.ExecuteEvent{}, result(`1`)), pluginsdk.OutcomeSuccess, ""},
		"an output that is not JSON":            {sends(result(`{`)), pluginsdk.OutcomeUnknown, client.CodeProtocol},
		"a checkpoint that is not JSON":         {sends(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Checkpoint{Checkpoint: &pb.Checkpoint{Data: []byte("{")}}}), pluginsdk.OutcomeUnknown, client.CodeProtocol},
		"a checkpoint that is too large":        {sends(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Checkpoint{Checkpoint: &pb.Checkpoint{Data: []byte(`"` + strings.Repeat("x", pluginsdk.MaxCheckpointSize) + `"`)}}}), pluginsdk.OutcomeUnknown, client.CodeProtocol},
		"a message over 8 MiB":                  {sends(result(`"` + strings.Repeat("x", pluginsdk.MaxMessageSize) + `"`)), pluginsdk.OutcomeFailure, client.CodeTooLarge},
		"an undo token that is not JSON":        {sends(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Result{Result: &pb.Result{UndoToken: []byte("{")}}}), pluginsdk.OutcomeUnknown, client.CodeProtocol},
		"a result, then the stream breaks":      {func(s pb.Plugin_ExecuteServer) error { return errors.Join(sends(result(`1`))(s), errors.New("oh")) }, pluginsdk.OutcomeSuccess, ""},
		"unavailable":                           {fails(codes.Unavailable), pluginsdk.OutcomeUnknown, client.CodeUnknown},
		"internal":                              {fails(codes.Internal), pluginsdk.OutcomeUnknown, client.CodeUnknown},
		"aborted":                               {fails(codes.Aborted), pluginsdk.OutcomeUnknown, client.CodeUnknown},
		"deadline exceeded, said by the plugin": {fails(codes.DeadlineExceeded), pluginsdk.OutcomeUnknown, client.CodeUnknown},
		"cancelled, said by the plugin":         {fails(codes.Canceled), pluginsdk.OutcomeUnknown, client.CodeUnknown},
		"resource exhausted":                    {fails(codes.ResourceExhausted), pluginsdk.OutcomeFailure, client.CodeTooLarge},
		"invalid argument":                      {fails(codes.InvalidArgument), pluginsdk.OutcomeFailure, client.CodeRefused},
		"failed precondition":                   {fails(codes.FailedPrecondition), pluginsdk.OutcomeFailure, client.CodeRefused},
		"unimplemented":                         {fails(codes.Unimplemented), pluginsdk.OutcomeFailure, client.CodeRefused},
		"a status after a log line is no answer": {func(s pb.Plugin_ExecuteServer) error {
			return errors.Join(sends(logged("a"))(s), fails(codes.Unavailable)(s))
		}, pluginsdk.OutcomeUnknown, client.CodeUnknown},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c, _ := dial(t, &rude{execute: test.execute})
			outcome := c.Execute(t.Context(), &pluginsdk.Request{Handler: "a.b"}, discard{}, time.Second)
			if outcome.Kind != test.kind {
				t.Fatalf("got %+v %+v", outcome, outcome.Failure)
			}
			if test.code != "" && outcome.Failure.Code != test.code {
				t.Errorf("got %+v", outcome.Failure)
			}
			if outcome.Kind == pluginsdk.OutcomeFailure && outcome.Failure.Class != pluginsdk.FailurePermanent {
				t.Errorf("a refusal is %s", outcome.Failure.Class)
			}
		})
	}
}

func TestALostConnectionIsAnUnknownOutcome(t *testing.T) {
	begun := make(chan struct{})
	c, stop := dial(t, &rude{execute: func(stream pb.Plugin_ExecuteServer) error {
		close(begun)
		<-stream.Context().Done()
		return nil
	}})
	go func() {
		<-begun
		stop()
	}()
	outcome := c.Execute(t.Context(), &pluginsdk.Request{Handler: "a.b"}, discard{}, time.Second)
	if outcome.Kind != pluginsdk.OutcomeUnknown {
		t.Errorf("got %+v", outcome)
	}
}

func TestAPluginWithoutACapabilityIsNoError(t *testing.T) {
	c, _ := dial(t, &rude{})
	if _, err := c.Configure(t.Context(), nil); err != nil {
		t.Errorf("Configure gives %v", err)
	}
	if err := c.Drain(t.Context()); err != nil {
		t.Errorf("Drain gives %v", err)
	}
	if _, err := c.ValidateConfig(t.Context(), "a.b", nil); err != nil {
		t.Errorf("ValidateConfig gives %v", err)
	}
	if _, err := c.Plan(t.Context(), &pluginsdk.Request{}); !errors.Is(err, pluginsdk.ErrUnsupported) {
		t.Errorf("Plan gives %v", err)
	}
	if _, err := c.Describe(t.Context()); err == nil {
		t.Error("a plugin that can't describe itself is taken")
	}
}
