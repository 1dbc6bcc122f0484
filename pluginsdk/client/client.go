// Package client is the host's half of the wire: it calls the handlers of one
// plugin process and says how each call ended.
//
// It starts and stops nothing; that is the work of whoever holds the
// connection.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/internal/wire"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// The time that each call may take, as the protocol has it.
const (
	DescribeTimeout  = 5 * time.Second
	ValidateTimeout  = 2 * time.Second
	PlanTimeout      = 30 * time.Second
	CancelTimeout    = time.Second
	ReconcileTimeout = 10 * time.Second
)

// LifelineEnv names the environment variable that tells a plugin's process
// which file descriptor its life hangs on.
const LifelineEnv = wire.LifelineEnv

// Handshake is what host and plugin must agree on.
func Handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{
		ProtocolVersion: wire.ProtocolVersion, MagicCookieKey: wire.CookieKey, MagicCookieValue: wire.CookieValue,
	}
}

// PluginKey is the name under which Plugins holds the service.
const PluginKey = wire.PluginKey

// Plugins is the set to give to go-plugin; dispensing PluginKey from it gives
// a *Client.
func Plugins() plugin.PluginSet { return plugin.PluginSet{wire.PluginKey: &grpcPlugin{}} }

// DialOptions bound messages at the protocol's size.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithDefaultCallOptions(
		grpc.MaxCallRecvMsgSize(pluginsdk.MaxMessageSize), grpc.MaxCallSendMsgSize(pluginsdk.MaxMessageSize),
	)}
}

type grpcPlugin struct {
	plugin.NetRPCUnsupportedPlugin
}

func (*grpcPlugin) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("package client is the host's half of the wire")
}

func (*grpcPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, connection *grpc.ClientConn) (any, error) {
	return New(connection), nil
}

// Client calls one plugin process. It may be used from several goroutines at
// once.
type Client struct {
	plugin pb.PluginClient
	calls  atomic.Uint64
}

// New returns a client of the plugin at the other end of a connection.
func New(connection grpc.ClientConnInterface) *Client {
	return &Client{plugin: pb.NewPluginClient(connection)}
}

// Describe asks the plugin what it offers.
func (c *Client) Describe(ctx context.Context) (*pluginsdk.Description, error) {
	ctx, cancel := context.WithTimeout(ctx, DescribeTimeout)
	defer cancel()
	response, err := c.plugin.Describe(ctx, &pb.DescribeRequest{})
	if err != nil {
		return nil, fmt.Errorf("describe: %w", err)
	}
	return wire.DescriptionFromWire(response), nil
}

// Configure hands over the adapter configuration, a JSON object or nil. A
// plugin that has none to take is no error.
func (c *Client) Configure(ctx context.Context, adapter json.RawMessage) ([]pluginsdk.Problem, error) {
	ctx, cancel := context.WithTimeout(ctx, DescribeTimeout)
	defer cancel()
	response, err := c.plugin.Configure(ctx, &pb.ConfigureRequest{Adapter: adapter})
	if status.Code(err) == codes.Unimplemented {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("configure: %w", err)
	}
	return wire.ProblemsFromWire(response.GetProblems()), nil
}

// ValidateConfig returns the problems of a config that its schema can't say.
func (c *Client) ValidateConfig(ctx context.Context, handler string, config json.RawMessage) ([]pluginsdk.Problem, error) {
	ctx, cancel := context.WithTimeout(ctx, ValidateTimeout)
	defer cancel()
	response, err := c.plugin.ValidateConfig(ctx, &pb.ValidateConfigRequest{Handler: handler, Config: config})
	if status.Code(err) == codes.Unimplemented {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("validate the config of %s: %w", handler, err)
	}
	return wire.ProblemsFromWire(response.GetProblems()), nil
}

// ValidateWorkflow applies a workflow type's rules to a document in JSON.
func (c *Client) ValidateWorkflow(ctx context.Context, workflowType string, document json.RawMessage) ([]pluginsdk.Problem, error) {
	ctx, cancel := context.WithTimeout(ctx, ValidateTimeout)
	defer cancel()
	response, err := c.plugin.ValidateWorkflow(ctx, &pb.ValidateWorkflowRequest{WorkflowType: workflowType, Document: document})
	if status.Code(err) == codes.Unimplemented {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("validate a workflow of type %s: %w", workflowType, err)
	}
	return wire.ProblemsFromWire(response.GetProblems()), nil
}

// Plan says what Execute would do; pluginsdk.ErrUnsupported where the handler
// can't.
func (c *Client) Plan(ctx context.Context, request *pluginsdk.Request) ([]pluginsdk.PlannedEffect, error) {
	ctx, cancel := context.WithTimeout(ctx, PlanTimeout)
	defer cancel()
	response, err := c.plugin.Plan(ctx, &pb.PlanRequest{Request: wire.RequestToWire(request)})
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", request.Handler, unsupported(err))
	}
	return wire.PlanFromWire(response.GetEffects()), nil
}

// Reconcile asks what became of an attempt; pluginsdk.ErrUnsupported where
// the handler can't say.
func (c *Client) Reconcile(ctx context.Context, request *pluginsdk.Request) (pluginsdk.ReconcileResult, error) {
	ctx, cancel := context.WithTimeout(ctx, ReconcileTimeout)
	defer cancel()
	response, err := c.plugin.Reconcile(ctx, &pb.ReconcileRequest{Request: wire.RequestToWire(request)})
	if err != nil {
		return pluginsdk.ReconcileResult{}, fmt.Errorf("reconcile %s: %w", request.Handler, unsupported(err))
	}
	return wire.ReconcileFromWire(response), nil
}

// Drain makes the plugin refuse new work and returns when it is idle.
func (c *Client) Drain(ctx context.Context) error {
	if _, err := c.plugin.Drain(ctx, &pb.DrainRequest{}); err != nil && status.Code(err) != codes.Unimplemented {
		return fmt.Errorf("drain: %w", err)
	}
	return nil
}

func unsupported(err error) error {
	if status.Code(err) == codes.Unimplemented {
		return pluginsdk.ErrUnsupported
	}
	return err
}

// Execute runs one attempt and returns when its stream has ended. When ctx
// ends, the attempt is cancelled and has grace to end by itself; then the
// stream is given up, which is an unknown outcome.
func (c *Client) Execute(ctx context.Context, request *pluginsdk.Request, reporter pluginsdk.Reporter, grace time.Duration) pluginsdk.Outcome {
	callID := strconv.FormatUint(c.calls.Add(1), 10)
	// The stream outlives ctx, so that clean-up logs and the end arrive.
	streamCtx, give := context.WithCancel(context.WithoutCancel(ctx))
	defer give()
	stream, err := c.plugin.Execute(streamCtx, &pb.ExecuteRequest{CallId: callID, Request: wire.RequestToWire(request)})
	if err != nil {
		return outcomeOf(err)
	}
	ended := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		c.cancelAtEnd(ctx, ended, callID, grace, give)
	}()
	outcome := receive(stream, reporter)
	close(ended)
	<-watched
	return outcome
}

// cancelAtEnd turns the end of ctx into a Cancel, and gives the stream up
// when that brings nothing within grace.
func (c *Client) cancelAtEnd(ctx context.Context, ended <-chan struct{}, callID string, grace time.Duration, give func()) {
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	deadline := time.NewTimer(grace)
	defer deadline.Stop()
	cancelCtx, stop := context.WithTimeout(context.WithoutCancel(ctx), min(CancelTimeout, grace))
	// A plugin that does not answer is given up below.
	_, _ = c.plugin.Cancel(cancelCtx, &pb.CancelRequest{CallId: callID, Reason: context.Cause(ctx).Error()})
	stop()
	select {
	case <-ended:
	case <-deadline.C:
		give()
	}
}

// receive reads a stream to its end. Only a stream with exactly one terminal
// event, at its end, has a known outcome.
func receive(stream pb.Plugin_ExecuteClient, reporter pluginsdk.Reporter) pluginsdk.Outcome {
	var terminal *pluginsdk.Outcome
	for {
		event, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF) && terminal != nil:
			return *terminal
		case errors.Is(err, io.EOF):
			return unknown("the plugin ended the call without saying how the step ended")
		case err != nil && terminal != nil:
			// It said how the step ended, and then its end of the stream
			// broke: the word stands.
			return *terminal
		case err != nil:
			return outcomeOf(err)
		case terminal != nil:
			return unknown("the plugin broke the protocol: it went on after the end of the step")
		}
		if terminal, err = take(event, reporter); err != nil {
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{
				Class: pluginsdk.FailureRetryable, Code: "HOST_ERROR", Message: err.Error(), Fault: pluginsdk.FaultHost,
			}}
		}
	}
}

// take passes one event on; a terminal one is returned.
func take(event *pb.ExecuteEvent, reporter pluginsdk.Reporter) (*pluginsdk.Outcome, error) {
	switch e := event.GetEvent().(type) {
	case *pb.ExecuteEvent_Log:
		reporter.Log(wire.LogFromWire(e.Log))
	case *pb.ExecuteEvent_Progress:
		reporter.Progress(min(max(e.Progress.GetPercentage(), 0), 100), e.Progress.GetMessage())
	case *pb.ExecuteEvent_Heartbeat:
		reporter.Heartbeat()
	case *pb.ExecuteEvent_Checkpoint:
		if data := e.Checkpoint.GetData(); json.Valid(data) && len(data) <= pluginsdk.MaxCheckpointSize {
			return nil, reporter.Checkpoint(data)
		}
	case *pb.ExecuteEvent_Effect:
		return nil, reporter.Effect(wire.EffectFromWire(e.Effect))
	case *pb.ExecuteEvent_Artifact:
		return nil, reporter.Artifact(pluginsdk.Artifact{
			Path: e.Artifact.GetPath(), Size: e.Artifact.GetSize(), SHA256: e.Artifact.GetSha256(), MediaType: e.Artifact.GetMediaType(),
		})
	case *pb.ExecuteEvent_Result:
		return result(e.Result), nil
	case *pb.ExecuteEvent_Skipped:
		return &pluginsdk.Outcome{Kind: pluginsdk.OutcomeSkipped, SkipReason: e.Skipped.GetReason()}, nil
	case *pb.ExecuteEvent_Failure:
		return &pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: wire.FailureFromWire(e.Failure)}, nil
	}
	return nil, nil
}

func result(r *pb.Result) *pluginsdk.Outcome {
	output := r.GetOutput()
	switch {
	case len(output) > 0 && !json.Valid(output):
		failure := pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{
			Class: pluginsdk.FailurePermanent, Code: "OUTPUT_INVALID", Message: "the step's output is not JSON", Fault: pluginsdk.FaultAuthor,
		}}
		return &failure
	case len(r.GetUndoToken()) > 0 && !json.Valid(r.GetUndoToken()):
		failure := pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{
			Class: pluginsdk.FailurePermanent, Code: "OUTPUT_INVALID", Message: "the step's undo token is not JSON", Fault: pluginsdk.FaultAuthor,
		}}
		return &failure
	}
	return &pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: output, UndoToken: r.GetUndoToken()}
}

// outcomeOf says what a broken call means. Some codes say that the plugin
// refused; all others leave open whether the step ran.
func outcomeOf(err error) pluginsdk.Outcome {
	switch code := status.Code(err); code {
	case codes.ResourceExhausted, codes.InvalidArgument, codes.FailedPrecondition, codes.NotFound, codes.Unimplemented:
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{
			Class: pluginsdk.FailurePermanent, Code: "PLUGIN_REFUSED", Fault: pluginsdk.FaultAuthor,
			Message: "the plugin refused the call: " + status.Convert(err).Message(),
		}}
	default:
		return unknown("the call to the plugin broke: " + status.Convert(err).Message())
	}
}

func unknown(message string) pluginsdk.Outcome {
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{
		Class: pluginsdk.FailureRetryable, Code: "OUTCOME_UNKNOWN", Message: message, Fault: pluginsdk.FaultAuthor,
	}}
}
