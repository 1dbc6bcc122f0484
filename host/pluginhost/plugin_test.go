//go:build unix

package pluginhost

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"

	"github.com/vwmp/vwmp/host/pluginhost/internal/disk"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/client"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
	"github.com/vwmp/vwmp/pluginsdk/serve"
)

// The test binary is also the plugin, and also a small host: what it is
// follows from the word after this flag.
const asFlag = "-as-plugin="

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], asFlag) {
		be(strings.TrimPrefix(os.Args[1], asFlag))
		return
	}
	if name, found := strings.CutPrefix(filepath.Base(os.Args[0]), disk.FilePrefix); found {
		be(name)
		return
	}
	goleak.VerifyTestMain(m)
}

// be is the main function of the modes.
func be(mode string) {
	switch mode {
	case "host":
		beHost()
	case "silent":
		// No handshake, ever.
		select {}
	case "quitter":
		fmt.Fprintln(os.Stderr, "the licence has expired")
		os.Exit(7)
	case "babbler":
		fmt.Println("Hello, I am a plugin")
		select {}
	case "longwinded":
		fmt.Println(strings.Repeat("x", 100<<10))
		select {}
	case "future":
		fmt.Println("1|99|unix|/nowhere|grpc")
		select {}
	case "mute":
		// It listens where it says, and never answers.
		listener, err := net.Listen("unix", filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "mute"))
		if err != nil {
			os.Exit(1)
		}
		fmt.Printf("1|1|unix|%s|grpc\n", listener.Addr())
		select {}
	case "rude":
		beRude()
	case "evil":
		beEvil("")
	case "deaf":
		// It heeds neither its lifeline nor a polite signal.
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
		if err := os.Unsetenv(client.LifelineEnv); err != nil {
			os.Exit(1)
		}
		serve.Main(demoPlugin("deaf"))
	case "noisy":
		fmt.Fprintln(os.Stderr, `{"@message":1}`)
		fmt.Fprintln(os.Stderr, `{"@level":"error","@message":"it hurts","where":"here"}`)
		fmt.Fprintln(os.Stderr, strings.Repeat("y", 100<<10))
		serve.Main(demoPlugin("noisy"))
	default:
		if how, evil := strings.CutPrefix(mode, "evil-"); evil {
			beEvil(how)
			return
		}
		serve.Main(demoPlugin(mode))
	}
}

type message struct {
	Text string `json:"text" title:"Text"`
}

// facts are what a plugin sees of its surroundings.
type facts struct {
	PID         int      `json:"pid"`
	Environment []string `json:"environment"`
	Dir         string   `json:"dir"`
	Stdin       string   `json:"stdin"`
	Files       []string `json:"files"`
	Arguments   []string `json:"arguments"`
	Most        int64    `json:"most"`
	Processors  int      `json:"processors"`
	// Error is what a step met that tried something.
	Error string `json:"error"`
}

type action func(ctx context.Context, step *pluginsdk.Step, in message) (facts, error)

// strict is a message with less room than message has.
type strict struct {
	Text string `json:"text" title:"Text" enum:"a,b"`
}

// demoPlugin is the plugin of a mode: a name, and after an @ the version with
// words that change what it offers.
func demoPlugin(mode string) *pluginsdk.Plugin {
	name, rest, _ := strings.Cut(mode, "@")
	version, words, _ := strings.Cut(rest, ",")
	p := &pluginsdk.Plugin{
		Name: name, Version: cmp.Or(version, "1.0.0"), Description: "For tests.", Adapter: message{},
		WorkflowTypes: []pluginsdk.WorkflowType{{Name: name + "_type", Version: "1.0.0", Description: "For tests."}},
		ValidateWorkflow: func(context.Context, string, json.RawMessage) []pluginsdk.Problem {
			return []pluginsdk.Problem{{Code: "odd", Message: "It is odd."}}
		},
	}
	var inside atomic.Int64
	for path, do := range map[string]action{
		"echo": echo, "look": look, "crash": crash, "hang": hang, "ignore": ignore, "daemon": daemon, "flood": flood, "gate": gate,
		"touch": touch, "peek": peek, "signal": signalHost, "eat": eat, "burn": burn,
		"together": func(ctx context.Context, step *pluginsdk.Step, in message) (facts, error) {
			most := inside.Add(1)
			defer inside.Add(-1)
			step.Log.Info("in")
			select {
			case <-ctx.Done():
			case <-time.After(30 * time.Millisecond):
			}
			return facts{Most: most}, nil
		},
	} {
		info := pluginsdk.HandlerInfo{Path: name + "." + path, Name: path, Description: "For tests.", Category: "test", Effect: pluginsdk.EffectPure}
		switch {
		case strings.Contains(words, "without-"+path):
		case strings.Contains(words, "strict-"+path):
			p.Handlers = append(p.Handlers, pluginsdk.NewHandler(info, pluginsdk.Func[strict, facts](
				func(ctx context.Context, step *pluginsdk.Step, in strict) (facts, error) {
					return do(ctx, step, message(in))
				})))
		case strings.Contains(words, "crashing"):
			p.Handlers = append(p.Handlers, pluginsdk.NewHandler(info, pluginsdk.Func[message, facts](crash)))
		default:
			p.Handlers = append(p.Handlers, pluginsdk.NewHandler(info, pluginsdk.Func[message, facts](do)))
		}
	}
	return p
}

// touch tries to write a file, and peek to read one.
func touch(_ context.Context, _ *pluginsdk.Step, in message) (facts, error) {
	return tried(os.WriteFile(in.Text, []byte("x"), 0o600))
}

func peek(_ context.Context, _ *pluginsdk.Step, in message) (facts, error) {
	_, err := os.ReadFile(in.Text)
	return tried(err)
}

// signalHost tries to send the host a signal that harms nobody.
func signalHost(context.Context, *pluginsdk.Step, message) (facts, error) {
	return tried(syscall.Kill(os.Getppid(), 0))
}

func tried(err error) (facts, error) {
	if err != nil {
		return facts{PID: os.Getpid(), Error: err.Error()}, nil
	}
	return facts{PID: os.Getpid()}, nil
}

// eat takes memory until it is stopped.
func eat(ctx context.Context, step *pluginsdk.Step, _ message) (facts, error) {
	begun(step)
	var all [][]byte
	for ctx.Err() == nil {
		piece := make([]byte, 8<<20)
		for i := range piece {
			piece[i] = 1
		}
		all = append(all, piece)
		<-time.After(5 * time.Millisecond)
	}
	return facts{Most: int64(len(all))}, ctx.Err()
}

// burn takes 60 ms of processor time, and 64 MB of memory for a moment.
func burn(context.Context, *pluginsdk.Step, message) (facts, error) {
	piece := make([]byte, 64<<20)
	var before, now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &before); err != nil {
		return facts{}, err
	}
	for now.Nano()-before.Nano() < int64(60*time.Millisecond) {
		for i := range piece {
			piece[i]++
		}
		if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &now); err != nil {
			return facts{}, err
		}
	}
	return facts{Most: int64(piece[0])}, nil
}

// gate waits until a file is there.
func gate(ctx context.Context, step *pluginsdk.Step, in message) (facts, error) {
	begun(step)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(in.Text); err == nil {
			return facts{PID: os.Getpid()}, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return facts{}, ctx.Err()
		}
	}
}

func echo(_ context.Context, step *pluginsdk.Step, in message) (facts, error) {
	step.Log.Info(in.Text)
	return facts{}, nil
}

func look(_ context.Context, step *pluginsdk.Step, in message) (facts, error) {
	step.Log.Info("looked at " + in.Text)
	dir, err := os.Getwd()
	if err != nil {
		return facts{}, err
	}
	stdin, err := io.ReadAll(os.Stdin)
	if err != nil {
		return facts{}, err
	}
	f := facts{PID: os.Getpid(), Environment: os.Environ(), Dir: dir, Stdin: string(stdin), Arguments: os.Args, Processors: runtime.GOMAXPROCS(0)}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return f, nil // Not a Linux.
	}
	for _, entry := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil {
			f.Files = append(f.Files, target)
		}
	}
	return f, nil
}

func crash(_ context.Context, step *pluginsdk.Step, in message) (facts, error) {
	step.Log.Info("about to crash")
	if in.Text == "kill" {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	go panic("all is lost")
	select {}
}

// begun tells a test that the step runs.
func begun(step *pluginsdk.Step) { step.Log.Info(fmt.Sprint(os.Getpid())) }

func hang(ctx context.Context, step *pluginsdk.Step, _ message) (facts, error) {
	begun(step)
	<-ctx.Done()
	step.Log.Info("cleaned up")
	return facts{}, ctx.Err()
}

func ignore(_ context.Context, step *pluginsdk.Step, _ message) (facts, error) {
	begun(step)
	select {}
}

// daemon leaves processes that hold the plugin's pipes: one in the plugin's
// own group, one in a group of its own, one in a session of its own.
func daemon(_ context.Context, step *pluginsdk.Step, _ message) (facts, error) {
	for _, attributes := range []*syscall.SysProcAttr{{}, {Setpgid: true}, {Setsid: true}} {
		cmd := exec.Command("sleep", "600")
		// File descriptors 1 and 2 are the pipes to the host; os.Stdout is
		// go-plugin's by now.
		cmd.Stdout, cmd.Stderr = os.NewFile(1, "stdout"), os.NewFile(2, "stderr")
		cmd.SysProcAttr = attributes
		if err := cmd.Start(); err != nil {
			return facts{}, err
		}
		step.Log.Info(fmt.Sprint(cmd.Process.Pid))
	}
	return facts{}, nil
}

// flood writes a lot to each stream: what go-plugin carries, and what goes to
// the pipes themselves.
func flood(context.Context, *pluginsdk.Step, message) (facts, error) {
	long := strings.Repeat("z", 100<<10)
	var failures []error
	for _, file := range []*os.File{os.Stdout, os.Stderr, os.NewFile(1, "stdout"), os.NewFile(2, "stderr")} {
		out := bufio.NewWriter(file)
		_, err := fmt.Fprintln(out, long)
		failures = append(failures, err)
		for n := range 2000 {
			_, err := fmt.Fprintf(out, "line %d\n", n)
			failures = append(failures, err)
		}
		failures = append(failures, out.Flush())
	}
	return facts{}, errors.Join(failures...)
}

// beRude is a plugin that was not made with the SDK, and breaks the protocol.
func beRude() {
	handshake := client.Handshake()
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: handshake, Plugins: goplugin.PluginSet{client.PluginKey: &rudePlugin{}}, GRPCServer: goplugin.DefaultGRPCServer,
	})
}

type rudePlugin struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (*rudePlugin) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	pb.RegisterPluginServer(s, rudeServer{})
	return nil
}

func (*rudePlugin) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("this is the plugin")
}

type rudeServer struct{ pb.UnimplementedPluginServer }

func (rudeServer) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	return &pb.DescribeResponse{Name: "rude", Version: "0.1.0", Handlers: []*pb.Handler{
		{Path: "rude.nothing"}, {Path: "rude.twice"}, {Path: "rude.exit"},
	}}, nil
}

func (rudeServer) Execute(request *pb.ExecuteRequest, stream pb.Plugin_ExecuteServer) error {
	result := &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Result{Result: &pb.Result{}}}
	switch request.GetRequest().GetHandler() {
	case "rude.twice":
		return errors.Join(stream.Send(result), stream.Send(result))
	case "rude.exit":
		os.Exit(3)
	}
	return nil
}

// beHost is a host that is killed: it calls one step of each plugin that
// hangs, prints the pids, and waits for its end.
func beHost() {
	ctx := context.Background()
	h, err := New(ctx, Options{Dirs: []string{os.Args[2]}, RunDir: os.Args[3]})
	if err == nil {
		err = h.Ready(ctx)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for _, status := range h.Plugins() {
		go h.Invoke(ctx, &pluginsdk.Request{Handler: status.Name + ".hang", ItemIndex: -1, Attempt: 1}, pidPrinter{})
	}
	select {}
}

// pidPrinter prints what a step logs.
type pidPrinter struct{ pluginsdk.Reporter }

func (pidPrinter) Log(line pluginsdk.LogLine) { fmt.Println(line.Message) }
