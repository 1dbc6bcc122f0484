// Package serve turns a plugin into a process that a VWMP host can start.
//
//	func main() { serve.Main(plugin) }
//
// is all of a plugin's main. The package holds the plugin's half of the wire
// and nothing that a handler needs; that is package pluginsdk.
package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/internal/wire"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// Main serves the plugin to the host that started this process, and returns
// when the host is done with it. Started by hand it says what it is; with
// --describe it prints its description as JSON.
func Main(p *pluginsdk.Plugin) {
	os.Exit(run(p, os.Args[1:]))
}

func run(p *pluginsdk.Plugin, args []string) int {
	description, err := p.Describe()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if len(args) == 1 && args[0] == "--describe" {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(description); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	if os.Getenv(wire.CookieKey) != wire.CookieValue {
		fmt.Fprintf(os.Stderr, `This is the VWMP plugin %s %s (handlers: %d). It is started by a VWMP host,
not by hand: put it into a plugin folder, or name its folder with
"vwmp serve --plugins DIR". Run it with --describe to see what it offers.
`, description.Name, description.Version, len(description.Handlers))
		return 1
	}
	shareProcessors()
	server := NewServer(p)
	if err := watchLifeline(server); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion: wire.ProtocolVersion, MagicCookieKey: wire.CookieKey, MagicCookieValue: wire.CookieValue,
		},
		Plugins:    plugin.PluginSet{wire.PluginKey: &grpcPlugin{server: server}},
		GRPCServer: newGRPCServer,
		Logger:     hclog.New(&hclog.LoggerOptions{Output: os.Stderr, Level: hclog.Warn, JSONFormat: true}),
	})
	server.cancelAll()
	return 0
}

// shareProcessors takes half of the processors: the host and the other plugins
// of a workflow need some too, and where all of them are taken by threads that
// look for work, each message between the processes waits for one. GOMAXPROCS
// in the environment stands, and a handler that computes on many processors at
// once may call runtime.GOMAXPROCS.
func shareProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(max(1, runtime.GOMAXPROCS(0)/2))
	}
}

// NewGRPCServer returns a gRPC server that serves s with the bounds of the
// protocol, for whoever has a connection of their own, such as a test.
func NewGRPCServer(s *Server) *grpc.Server {
	server := newGRPCServer(nil)
	pb.RegisterPluginServer(server, s)
	return server
}

// newGRPCServer bounds messages at the protocol's size, takes them through
// windows of a fixed size, see wire.Window, and lets a host probe as often as
// it likes: gRPC's own policy ends healthy connections for that.
func newGRPCServer(options []grpc.ServerOption) *grpc.Server {
	return grpc.NewServer(append(options,
		grpc.MaxRecvMsgSize(pluginsdk.MaxMessageSize),
		grpc.MaxSendMsgSize(pluginsdk.MaxMessageSize),
		grpc.StaticStreamWindowSize(wire.Window), grpc.StaticConnWindowSize(wire.Window),
		grpc.MaxConcurrentStreams(math.MaxUint32),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	)...)
}

// grpcPlugin is go-plugin's view of a Server.
type grpcPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	server *Server
}

func (p *grpcPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	pb.RegisterPluginServer(s, p.server)
	return nil
}

func (p *grpcPlugin) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, fmt.Errorf("package serve is the plugin's half of the wire")
}
