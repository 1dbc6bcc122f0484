package conformance

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/vwmp/vwmp/pluginsdk/client"
	"github.com/vwmp/vwmp/pluginsdk/internal/wire"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// The waits of the protocol, as the kit holds a plugin to them.
const (
	startLimit = 10 * time.Second
	endLimit   = 5 * time.Second
	maxSocket  = 100
)

// process is one plugin process, started as a host starts it.
type process struct {
	cmd    *exec.Cmd
	dir    string
	output *output
	// line is the first one of standard output.
	line     string
	lifeline *os.File
	exited   chan struct{}

	connection *grpc.ClientConn
	plugin     pb.PluginClient
}

// output keeps what a process prints: the last of it, and whether a secret was
// in any of it.
type output struct {
	mu   sync.Mutex
	tail []byte
	leak bool
}

const maxTail = 8 << 10

// Write implements io.Writer.
func (o *output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tail = append(o.tail, text...)
	o.leak = o.leak || bytes.Contains(o.tail, []byte(secretValue))
	if len(o.tail) > maxTail {
		o.tail = append(o.tail[:0], o.tail[len(o.tail)-maxTail:]...)
	}
	return len(text), nil
}

// words are the last lines, for a sentence.
func (o *output) words() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	const most = 400
	text := strings.ToValidUTF8(strings.TrimSpace(string(o.tail)), "")
	if len(text) > most {
		text = "…" + strings.ToValidUTF8(text[len(text)-most:], "")
	}
	if text == "" {
		return "it printed nothing"
	}
	return "it printed: " + text
}

// launch starts the plugin's command; environment comes on top of what every
// plugin gets, and NAME without a value takes NAME away.
func (k *kit) launch(environment ...string) (*process, error) {
	k.launches++
	p := &process{
		cmd: exec.Command(k.options.Command[0], k.options.Command[1:]...), //nolint:gosec,noctx // Starting the plugin is what the kit is for; it ends whole groups.
		dir: filepath.Join(k.sockets, strconv.Itoa(k.launches)), output: &output{}, exited: make(chan struct{}),
	}
	work := filepath.Join(k.dir, "work")
	if err := errors.Join(os.MkdirAll(p.dir, 0o700), os.MkdirAll(work, 0o700)); err != nil {
		return nil, err
	}
	lifeline, far, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.lifeline = far
	p.cmd.Dir, p.cmd.ExtraFiles, p.cmd.Stderr = work, []*os.File{lifeline}, p.output
	p.cmd.Env = append(k.environment(), "PLUGIN_UNIX_SOCKET_DIR="+p.dir)
	for _, entry := range environment {
		if name, _, set := strings.Cut(entry, "="); !set {
			p.cmd.Env = without(p.cmd.Env, name)
			continue
		}
		p.cmd.Env = append(p.cmd.Env, entry)
	}
	// A grandchild may hold the pipes open for ever.
	p.cmd.WaitDelay = time.Second
	newSession(p.cmd)
	stdout := &firstLine{rest: p.output, line: make(chan string, 1)}
	p.cmd.Stdout = stdout
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, lifeline.Close(), far.Close())
	}
	_ = lifeline.Close()
	go func() {
		_ = p.cmd.Wait() // How it ended is in its state.
		stdout.end()
		close(p.exited)
	}()
	timer := time.NewTimer(startLimit)
	defer timer.Stop()
	select {
	case p.line = <-stdout.line:
	case <-timer.C:
	}
	return p, nil
}

func without(env []string, name string) []string {
	var kept []string
	for _, entry := range env {
		if !strings.HasPrefix(entry, name+"=") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// environment is what a host gives a plugin.
func (k *kit) environment() []string {
	env := []string{
		wire.CookieKey + "=" + wire.CookieValue, "PLUGIN_PROTOCOL_VERSIONS=" + strconv.Itoa(wire.ProtocolVersion),
		wire.LifelineEnv + "=3", "VWMP_ALLOW_COMMANDS=true",
	}
	for _, name := range []string{"PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR"} {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// firstLine hands out the first line that is written to it, and passes the
// rest on.
type firstLine struct {
	rest io.Writer

	mu   sync.Mutex
	held []byte
	done bool
	line chan string
}

// Write implements io.Writer.
func (f *firstLine) Write(text []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done {
		return f.rest.Write(text)
	}
	f.held = append(f.held, text...)
	if line, rest, found := bytes.Cut(f.held, []byte("\n")); found || len(f.held) > maxTail {
		f.done = true
		f.line <- strings.TrimRight(string(line[:min(len(line), maxTail)]), "\r")
		_, _ = f.rest.Write(rest)
	}
	return len(text), nil
}

// end hands out what there is of a first line.
func (f *firstLine) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.done {
		f.done = true
		f.line <- string(f.held)
	}
}

// handshake reads the line that a plugin begins with, and returns the socket.
func handshake(p *process) (string, error) {
	if p.line == "" {
		if p.isGone() {
			return "", fmt.Errorf("it ended (%s) before it printed the handshake line; %s", p.cmd.ProcessState, p.output.words())
		}
		return "", fmt.Errorf("it printed no line on standard output within %s; is the line flushed? %s", startLimit, p.output.words())
	}
	fields := strings.Split(p.line, "|")
	switch {
	case len(fields) < 5 || fields[0] != "1":
		return "", fmt.Errorf("its first line on standard output is %q, and must be 1|1|unix|SOCKET|grpc with nothing before it", p.line)
	case fields[1] != strconv.Itoa(wire.ProtocolVersion):
		return "", fmt.Errorf("its line %q names the app protocol %s, and the host speaks %d", p.line, fields[1], wire.ProtocolVersion)
	case fields[2] != "unix":
		return "", fmt.Errorf("it listens on %s, and must listen on a Unix socket in PLUGIN_UNIX_SOCKET_DIR", fields[2])
	case fields[4] != "grpc":
		return "", fmt.Errorf("its line %q must end in |grpc", p.line)
	case len(fields[3]) > maxSocket:
		return "", fmt.Errorf("the path of its socket has %d bytes, more than %d", len(fields[3]), maxSocket)
	case filepath.Dir(fields[3]) != p.dir:
		return "", fmt.Errorf("its socket %s is not in PLUGIN_UNIX_SOCKET_DIR (%s)", fields[3], p.dir)
	}
	return fields[3], nil
}

// start launches the plugin and connects to it.
func (k *kit) start() (*process, error) {
	p, err := k.launch()
	if err != nil {
		return nil, err
	}
	socket, err := handshake(p)
	if err != nil {
		p.kill()
		return nil, err
	}
	connection, err := grpc.NewClient("unix:"+socket, append(client.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		p.kill()
		return nil, err
	}
	p.connection, p.plugin = connection, pb.NewPluginClient(connection)
	return p, nil
}

func (p *process) isGone() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

func (p *process) awaitGone(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.exited:
		return true
	case <-timer.C:
		return false
	}
}

// kill ends the process, with all that is in its session.
func (p *process) kill() {
	if p.connection != nil {
		_ = p.connection.Close()
	}
	endSession(p.cmd.Process.Pid)
	<-p.exited
	_ = p.lifeline.Close()
}

// shutdown asks the process to end.
func (p *process) shutdown(ctx context.Context) error {
	return p.connection.Invoke(ctx, "/plugin.GRPCController/Shutdown", &pb.DrainRequest{}, &pb.DrainResponse{})
}

// readLines is for small files of /proc.
func readLines(path string) []string {
	file, err := os.Open(path) //nolint:gosec // It is a path of the system's.
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	var lines []string
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		lines = append(lines, scanner.Text())
	}
	return lines
}
