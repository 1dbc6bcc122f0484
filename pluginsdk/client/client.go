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
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
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
	// ConfigureTimeout is not the protocol's but this package's.
	ConfigureTimeout = 5 * time.Second
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

// DialOptions bound messages at the protocol's size, and let them through
// windows of a fixed size, see wire.Window.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(pluginsdk.MaxMessageSize), grpc.MaxCallSendMsgSize(pluginsdk.MaxMessageSize),
		),
		grpc.WithStaticStreamWindowSize(wire.Window), grpc.WithStaticConnWindowSize(wire.Window),
	}
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
	health healthpb.HealthClient
	calls  atomic.Uint64
}

// New returns a client of the plugin at the other end of a connection.
func New(connection grpc.ClientConnInterface) *Client {
	return &Client{plugin: pb.NewPluginClient(connection), health: healthpb.NewHealthClient(connection)}
}

// Describe asks the plugin what it offers.
func (c *Client) Describe(ctx context.Context) (*pluginsdk.Description, error) {
	ctx, cancel := context.WithTimeout(ctx, DescribeTimeout)
	defer cancel()
	response, err := c.plugin.Describe(ctx, &pb.DescribeRequest{})
	if err != nil {
		return nil, fmt.Errorf("describe: %w", errorOf(err))
	}
	return wire.DescriptionFromWire(response), nil
}

// Health is nil where the plugin says that it serves. The caller bounds the
// wait.
func (c *Client) Health(ctx context.Context) error {
	response, err := c.health.Check(ctx, &healthpb.HealthCheckRequest{Service: plugin.GRPCServiceName})
	if err != nil {
		return fmt.Errorf("ask for the plugin's health: %w", errorOf(err))
	}
	if status := response.GetStatus(); status != healthpb.HealthCheckResponse_SERVING {
		return fmt.Errorf("the plugin says that it is %s", status)
	}
	return nil
}

// Configure hands over the adapter configuration, a JSON object or nil. A
// plugin that has none to take is no error.
func (c *Client) Configure(ctx context.Context, adapter json.RawMessage) ([]pluginsdk.Problem, error) {
	ctx, cancel := context.WithTimeout(ctx, ConfigureTimeout)
	defer cancel()
	response, err := c.plugin.Configure(ctx, &pb.ConfigureRequest{Adapter: adapter})
	if status.Code(err) == codes.Unimplemented {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("configure: %w", errorOf(err))
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
		return nil, fmt.Errorf("validate the config of %s: %w", handler, errorOf(err))
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
		return nil, fmt.Errorf("validate a workflow of type %s: %w", workflowType, errorOf(err))
	}
	return wire.ProblemsFromWire(response.GetProblems()), nil
}

// Plan says what Execute would do; pluginsdk.ErrUnsupported where the handler
// can't.
func (c *Client) Plan(ctx context.Context, request *pluginsdk.Request) ([]pluginsdk.PlannedEffect, error) {
	if err := wire.CheckRequest(request); err != nil {
		return nil, fmt.Errorf("plan %s: %w", request.Handler, err)
	}
	ctx, cancel := context.WithTimeout(ctx, PlanTimeout)
	defer cancel()
	response, err := c.plugin.Plan(ctx, &pb.PlanRequest{Request: wire.RequestToWire(request)})
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", request.Handler, errorOf(err))
	}
	return wire.PlanFromWire(response.GetEffects()), nil
}

// Reconcile asks what became of an attempt; pluginsdk.ErrUnsupported where
// the handler can't say.
func (c *Client) Reconcile(ctx context.Context, request *pluginsdk.Request) (pluginsdk.ReconcileResult, error) {
	if err := wire.CheckRequest(request); err != nil {
		return pluginsdk.ReconcileResult{}, fmt.Errorf("reconcile %s: %w", request.Handler, err)
	}
	ctx, cancel := context.WithTimeout(ctx, ReconcileTimeout)
	defer cancel()
	response, err := c.plugin.Reconcile(ctx, &pb.ReconcileRequest{Request: wire.RequestToWire(request)})
	if err != nil {
		return pluginsdk.ReconcileResult{}, fmt.Errorf("reconcile %s: %w", request.Handler, errorOf(err))
	}
	return wire.ReconcileFromWire(response), nil
}

// Drain makes the plugin refuse new work and returns when it is idle.
func (c *Client) Drain(ctx context.Context) error {
	if _, err := c.plugin.Drain(ctx, &pb.DrainRequest{}); err != nil && status.Code(err) != codes.Unimplemented {
		return fmt.Errorf("drain: %w", errorOf(err))
	}
	return nil
}

// errorOf takes a unary call's error out of gRPC's words.
func errorOf(err error) error {
	switch status.Code(err) {
	case codes.Unimplemented:
		return pluginsdk.ErrUnsupported
	case codes.InvalidArgument:
		return pluginsdk.Invalid("", status.Convert(err).Message())
	case codes.FailedPrecondition, codes.NotFound:
		return errors.New(status.Convert(err).Message())
	case codes.DeadlineExceeded:
		return fmt.Errorf("the plugin did not answer in time: %w", context.DeadlineExceeded)
	case codes.Canceled:
		return context.Canceled
	}
	return err
}
