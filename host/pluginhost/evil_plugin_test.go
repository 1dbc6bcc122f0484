//go:build unix

package pluginhost

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/vwmp/vwmp/pluginsdk/proto"

	"github.com/vwmp/vwmp/pluginsdk/client"
)

// The evil plugin is not made with the SDK, and does what a plugin must not.
// How it begins is its mode, "evil-" and a word; what a call does is the name
// of the handler.

// beEvil is its main function.
func beEvil(how string) {
	socket := filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "s")
	say := func(line string) { _, _ = os.Stdout.WriteString(line) }
	switch how {
	case "empty":
		os.Exit(0)
	case "blank":
		say("\n\n\n")
		select {}
	case "binary":
		say("\x00\xff\x1b[31m\x07\n")
		select {}
	case "endless":
		// A line that never ends, as fast as it is taken.
		for {
			say(strings.Repeat("x", 1<<16))
		}
	case "half":
		say("1|1|unix|")
		select {}
	case "elsewhere":
		say("1|1|unix|/nowhere/at/all|grpc\n")
		select {}
	case "network":
		say("1|1|tcp|127.0.0.1:1|grpc\n")
		select {}
	case "netrpc":
		say("1|1|unix|" + socket + "|netrpc\n")
		select {}
	case "dies":
		say("1|1|unix|" + socket + "|grpc\n")
		os.Exit(5)
	case "mutesocket":
		listener, err := net.Listen("unix", socket)
		if err != nil {
			os.Exit(1)
		}
		say("1|1|unix|" + socket + "|grpc\n")
		for {
			// It takes connections, and says nothing.
			if _, err := listener.Accept(); err != nil {
				os.Exit(1)
			}
		}
	case "garbagesocket":
		listener, err := net.Listen("unix", socket)
		if err != nil {
			os.Exit(1)
		}
		say("1|1|unix|" + socket + "|grpc\n")
		for {
			connection, err := listener.Accept()
			if err != nil {
				os.Exit(1)
			}
			_, _ = connection.Write([]byte(strings.Repeat("HTTP/1.1 200 no\r\n", 1000)))
			_ = connection.Close()
		}
	case "nostdout":
		_ = os.Stdout.Close()
		select {}
	case "noisy":
		out := bufio.NewWriter(os.Stderr)
		for n := range 20000 {
			fmt.Fprintf(out, "{\"@message\":%d}\n", n)
		}
		_ = out.Flush()
	case "slow":
		<-time.After(300 * time.Millisecond)
	case "deaf":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	}
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: client.Handshake(), Plugins: goplugin.PluginSet{client.PluginKey: &evilPlugin{how: how}}, GRPCServer: goplugin.DefaultGRPCServer,
	})
}

type evilPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
	how string
}

func (p *evilPlugin) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	pb.RegisterPluginServer(s, &evilServer{how: p.how, server: s})
	return nil
}

func (*evilPlugin) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("this is the plugin")
}

type evilServer struct {
	pb.UnimplementedPluginServer
	how    string
	server *grpc.Server
}

func (e *evilServer) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	handler := func(path string) *pb.Handler {
		return &pb.Handler{Path: path, Capabilities: &pb.Capabilities{Plan: true, Undo: true, Reconcile: true, Validate: true}}
	}
	answer := &pb.DescribeResponse{Name: "evil", Version: "0.1.0"}
	for name := range evilCalls {
		answer.Handlers = append(answer.Handlers, handler("evil."+name))
	}
	switch e.how {
	case "nameless":
		answer.Name = ""
	case "path":
		answer.Name = "../../evil"
	case "flow":
		answer.Name, answer.Handlers = "flow", []*pb.Handler{handler("flow.log")}
	case "foreign":
		answer.Handlers = append(answer.Handlers, handler("git.commit"))
	case "twins":
		answer.Handlers = append(answer.Handlers, handler("evil.twin"), handler("evil.twin"))
	case "schema":
		answer.Handlers[0].ConfigSchema = []byte("{not json")
	case "large":
		answer.Handlers[0].ConfigSchema = []byte(`{"title":"` + strings.Repeat("x", maxSchema) + `"}`)
	case "huge":
		answer.Description = strings.Repeat("x", 9<<20)
	case "describehangs":
		select {}
	case "describepanics":
		panic("no description for you")
	case "describefails":
		return nil, status.Error(codes.Internal, "no description for you")
	}
	return answer, nil
}

func (e *evilServer) Execute(request *pb.ExecuteRequest, stream pb.Plugin_ExecuteServer) error {
	name := strings.TrimPrefix(request.GetRequest().GetHandler(), "evil.")
	return evilCalls[name](e, request, stream)
}

func (e *evilServer) Undo(_ *pb.UndoRequest, stream pb.Plugin_UndoServer) error {
	return nil // No terminal event.
}

func (e *evilServer) Plan(context.Context, *pb.PlanRequest) (*pb.PlanResponse, error) {
	os.Exit(4)
	return nil, nil
}

func (e *evilServer) Reconcile(context.Context, *pb.ReconcileRequest) (*pb.ReconcileResponse, error) {
	return nil, status.Error(codes.Internal, "ask somebody else")
}

func (e *evilServer) ValidateConfig(context.Context, *pb.ValidateConfigRequest) (*pb.ValidateConfigResponse, error) {
	select {}
}

// Cancel never answers, for what ignores it.
func (e *evilServer) Cancel(context.Context, *pb.CancelRequest) (*pb.CancelResponse, error) {
	select {}
}

// Drain never answers.
func (e *evilServer) Drain(context.Context, *pb.DrainRequest) (*pb.DrainResponse, error) {
	select {}
}

type evilCall func(e *evilServer, request *pb.ExecuteRequest, stream pb.Plugin_ExecuteServer) error

func evilResult(output string) *pb.ExecuteEvent {
	return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Result{Result: &pb.Result{Output: []byte(output)}}}
}

func evilLog(message string) *pb.ExecuteEvent {
	return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Log{Log: &pb.Log{Level: "info", Message: message}}}
}

// own tells the test which process it is.
func own(stream pb.Plugin_ExecuteServer) error { return stream.Send(evilLog(fmt.Sprint(os.Getpid()))) }

// evilCalls are what a call can do. Each is a mode.
var evilCalls = map[string]evilCall{
	"nothing": func(*evilServer, *pb.ExecuteRequest, pb.Plugin_ExecuteServer) error { return nil },
	"twice": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		return errors.Join(s.Send(evilResult("1")), s.Send(evilResult("2")))
	},
	"after": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		return errors.Join(s.Send(evilResult("1")), s.Send(evilLog("one more thing")))
	},
	"notjson": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		return s.Send(evilResult("{"))
	},
	"badtoken": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		return s.Send(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Result{Result: &pb.Result{Output: []byte("1"), UndoToken: []byte("{")}}})
	},
	"badcheckpoint": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		return errors.Join(s.Send(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Checkpoint{Checkpoint: &pb.Checkpoint{Data: []byte("{")}}}), s.Send(evilResult("1")))
	},
	"hugecheckpoint": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		data := []byte(`"` + strings.Repeat("x", 70<<10) + `"`)
		return errors.Join(s.Send(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Checkpoint{Checkpoint: &pb.Checkpoint{Data: data}}}), s.Send(evilResult("1")))
	},
	"hugeoutput": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		return s.Send(evilResult(`"` + strings.Repeat("x", 9<<20) + `"`))
	},
	"emptyevent": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		return errors.Join(s.Send(&pb.ExecuteEvent{}), s.Send(evilResult("1")))
	},
	"emptyfailure": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		return s.Send(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Failure{}})
	},
	"claimsrest": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		// The host's own words are not the plugin's.
		return s.Send(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Failure{Failure: &pb.Failure{Code: "PLUGIN_NOT_READY", Message: "wait for me"}}})
	},
	"binarylog": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		event := evilLog("\x1b[31m\x00")
		event.GetLog().Fields, event.GetLog().Level = []byte("{"), "shout"
		return errors.Join(s.Send(event), s.Send(evilResult("1")))
	},
	"manylogs": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		for n := range 50000 {
			if err := s.Send(evilLog(fmt.Sprint(n))); err != nil {
				return err
			}
		}
		return s.Send(evilResult("1"))
	},
	"unavailable": func(*evilServer, *pb.ExecuteRequest, pb.Plugin_ExecuteServer) error {
		return status.Error(codes.Unavailable, "out for lunch")
	},
	"refuses": func(*evilServer, *pb.ExecuteRequest, pb.Plugin_ExecuteServer) error {
		return status.Error(codes.FailedPrecondition, "not today")
	},
	"panics": func(*evilServer, *pb.ExecuteRequest, pb.Plugin_ExecuteServer) error { panic("in a call") },
	"panicsaside": func(*evilServer, *pb.ExecuteRequest, pb.Plugin_ExecuteServer) error {
		go panic("beside a call")
		select {}
	},
	"exits": func(*evilServer, *pb.ExecuteRequest, pb.Plugin_ExecuteServer) error {
		os.Exit(3)
		return nil
	},
	"exitswell": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		os.Exit(0)
		return nil
	},
	"resultandexit": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		_ = s.Send(evilResult("1"))
		<-time.After(20 * time.Millisecond)
		os.Exit(3)
		return nil
	},
	"kills": func(*evilServer, *pb.ExecuteRequest, pb.Plugin_ExecuteServer) error {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	},
	"segfault": func(*evilServer, *pb.ExecuteRequest, pb.Plugin_ExecuteServer) error {
		_ = syscall.Kill(os.Getpid(), syscall.SIGSEGV)
		select {}
	},
	"stops": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		err := own(s)
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		return err
	},
	"hangs": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		_ = own(s)
		select {}
	},
	"closes": func(e *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		_ = own(s)
		go e.server.Stop()
		select {}
	},
	"leaveopen": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		_ = s.Send(evilResult("1"))
		<-s.Context().Done()
		return nil
	},
	"children": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		for n := range 20 {
			child := exec.Command("sleep", "600")
			child.Stdout, child.Stderr = os.NewFile(1, "stdout"), os.NewFile(2, "stderr")
			child.SysProcAttr = &syscall.SysProcAttr{Setpgid: n%2 == 0}
			if err := child.Start(); err != nil {
				return err
			}
			if err := s.Send(evilLog(fmt.Sprint(child.Process.Pid))); err != nil {
				return err
			}
		}
		return s.Send(evilResult("1"))
	},
	"files": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		opened := 0
		for ; opened < 100000; opened++ {
			if _, err := syscall.Open("/dev/null", syscall.O_RDONLY, 0); err != nil {
				break
			}
		}
		return s.Send(evilResult(fmt.Sprint(opened)))
	},
	"daemon": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		// One in a session of its own, which holds the pipes.
		child := exec.Command("sleep", "600")
		child.Stdout, child.Stderr = os.NewFile(1, "stdout"), os.NewFile(2, "stderr")
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		err := child.Start()
		if err == nil {
			err = s.Send(evilLog(fmt.Sprint(child.Process.Pid)))
		}
		return errors.Join(err, s.Send(evilResult("1")))
	},
	"eats": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		var all [][]byte
		for len(all) < 1<<20 {
			all = append(all, bytes.Repeat([]byte{1}, 4<<20))
			<-time.After(time.Millisecond)
		}
		return s.Send(evilResult(fmt.Sprint(len(all))))
	},
	"fills": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		file, err := os.Create("fill")
		for piece := make([]byte, 1<<20); err == nil; {
			_, err = file.Write(piece)
		}
		size, _ := file.Seek(0, io.SeekCurrent)
		return errors.Join(file.Close(), os.Remove("fill"), s.Send(evilResult(fmt.Sprint(size))))
	},
	"closesall": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		// The standard ones, and the lifeline.
		for fd := range 4 {
			_ = syscall.Close(fd)
		}
		return s.Send(evilResult("1"))
	},
	"unlinks": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		return errors.Join(os.RemoveAll(os.Getenv("PLUGIN_UNIX_SOCKET_DIR")), s.Send(evilResult("1")))
	},
	"floods": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		for _, fd := range []int{1, 2} {
			line := []byte(strings.Repeat("z", 100<<10) + "\n")
			for range 200 {
				_, _ = syscall.Write(fd, line)
			}
		}
		return s.Send(evilResult("1"))
	},
	"silence": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		_ = own(s)
		<-time.After(700 * time.Millisecond)
		return s.Send(evilResult("1"))
	},
	"good": func(_ *evilServer, _ *pb.ExecuteRequest, s pb.Plugin_ExecuteServer) error {
		return s.Send(evilResult("1"))
	},
}
