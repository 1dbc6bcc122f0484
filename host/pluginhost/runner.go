package pluginhost

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/vwmp/vwmp/pluginsdk/client"
)

// maxLine bounds one line of a plugin's output, in bytes.
const maxLine = 64 << 10

// maxLinesPerSecond bounds how much of a plugin's chatter reaches the log.
const maxLinesPerSecond = 200

// pipeGrace is how long pipes are read after the process has ended: a
// grandchild may hold them open for ever.
const pipeGrace = 500 * time.Millisecond

// processRunner starts a plugin's process for go-plugin. It gives go-plugin
// the handshake line and nothing else: one bad line on standard error would
// panic the host, and a line of over 64 KiB on standard output would stop the
// plugin. It waits on the process and not on the pipes.
type processRunner struct {
	host    *Host
	found   *found
	log     *slog.Logger
	words   *lastWords
	chatter chatter

	env       []string
	socketDir string
	pid       int
	cmd       *exec.Cmd
	lifeline  *os.File
	stdout    *os.File
	stderr    *os.File
	handshake *io.PipeReader
	exited    chan struct{}
	// neverStarted is closed where there is no process to wait for.
	neverStarted chan struct{}
	readers      sync.WaitGroup
	once         sync.Once

	mu    sync.Mutex
	state string
}

func newRunner(h *Host, f *found) *processRunner {
	name := shortPath(f.path)
	if f.description != nil {
		name = f.description.Name
	}
	return &processRunner{
		host: h, found: f, log: h.log.With("plugin", name), words: &lastWords{},
		exited: make(chan struct{}), neverStarted: make(chan struct{}),
	}
}

// prepare takes what go-plugin wants in the process's environment.
func (r *processRunner) prepare(env []string, socketDir string) { r.env, r.socketDir = env, socketDir }

// Start implements runner.Runner.
func (r *processRunner) Start(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			close(r.neverStarted)
		}
	}()
	if err := ctx.Err(); err != nil {
		return err
	}
	work := r.host.workDir(strings.TrimPrefix(shortName(r.found.path), filePrefix))
	if err := os.MkdirAll(work, 0o700); err != nil {
		return fmt.Errorf("make its working folder: %w", err)
	}
	stdoutRead, stdoutWrite, err := os.Pipe()
	if err != nil {
		return err
	}
	stderrRead, stderrWrite, err := os.Pipe()
	if err != nil {
		return errors.Join(err, stdoutRead.Close(), stdoutWrite.Close())
	}
	lifelineRead, lifelineWrite, err := os.Pipe()
	if err != nil {
		return errors.Join(err, stdoutRead.Close(), stdoutWrite.Close(), stderrRead.Close(), stderrWrite.Close())
	}
	cmd := exec.Command(r.found.command[0], r.found.command[1:]...) //nolint:gosec // Starting what lies in the plugin folders is this package's work.
	cmd.Dir, cmd.Stdout, cmd.Stderr = work, stdoutWrite, stderrWrite
	cmd.Env = append(r.host.environment(), r.env...)
	if giveLifeline(cmd, lifelineRead) {
		cmd.Env = append(cmd.Env, client.LifelineEnv+"=3")
	}
	err = r.host.spawner.start(cmd)
	// The child has its own ends now.
	closeErr := errors.Join(stdoutWrite.Close(), stderrWrite.Close(), lifelineRead.Close())
	if err != nil {
		return errors.Join(err, closeErr, stdoutRead.Close(), stderrRead.Close(), lifelineWrite.Close())
	}
	r.cmd, r.pid, r.lifeline, r.stdout, r.stderr = cmd, cmd.Process.Pid, lifelineWrite, stdoutRead, stderrRead
	register(r.host.registryDir(), r.pid, r.log)
	handshake, line := io.Pipe()
	r.handshake = handshake
	r.readers.Go(func() { r.readStdout(line) })
	r.readers.Go(r.readStderr)
	go r.wait()
	return nil
}

// wait notes the end of the process.
func (r *processRunner) wait() {
	state, err := r.cmd.Process.Wait()
	text := "it ended in a way that can't be told"
	if err == nil {
		text = state.String()
	}
	r.mu.Lock()
	r.state = text
	r.mu.Unlock()
	deadline := time.Now().Add(pipeGrace)
	// A pipe that can't have a deadline is closed by finish.
	_ = r.stdout.SetReadDeadline(deadline)
	_ = r.stderr.SetReadDeadline(deadline)
	unregister(r.host.registryDir(), r.pid)
	close(r.exited)
}

func (r *processRunner) exitText() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// readStdout passes the first line on and drains the rest.
func (r *processRunner) readStdout(handshake *io.PipeWriter) {
	lines := newLineReader(r.stdout)
	first, err := lines.next()
	if err == nil {
		_, err = fmt.Fprintf(handshake, "%s\n", first)
	}
	_ = handshake.CloseWithError(io.EOF)
	for err == nil {
		first, err = lines.next()
		if len(first) > 0 {
			r.chatter.take(r, "stdout", first)
		}
	}
}

// readStderr logs what the plugin writes there, and keeps its last words.
func (r *processRunner) readStderr() {
	lines := newLineReader(r.stderr)
	for {
		line, err := lines.next()
		if len(line) > 0 {
			r.words.add(line)
			r.chatter.take(r, "stderr", line)
		}
		if err != nil {
			r.chatter.flush(r)
			return
		}
	}
}

// printed is a writer for what a plugin prints once it serves; go-plugin
// carries that over the connection.
func (r *processRunner) printed(stream string) io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		for line := range bytes.SplitSeq(bytes.TrimRight(p, "\n"), []byte("\n")) {
			if len(line) > maxLine {
				line = line[:maxLine]
			}
			if stream == "stderr" {
				r.words.add(string(line))
			}
			r.chatter.take(r, stream, string(line))
		}
		return len(p), nil
	})
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// release lets go of the lifeline: a plugin of our SDK ends by that alone.
func (r *processRunner) release() {
	r.once.Do(func() {
		if r.lifeline != nil {
			_ = r.lifeline.Close()
		}
	})
}

func (r *processRunner) terminate() {
	if r.cmd != nil {
		terminateGroup(r.cmd.Process)
	}
}

func (r *processRunner) killNow() {
	if r.cmd != nil {
		killGroup(r.cmd.Process)
	}
}

// finish waits for the readers of a process that has ended, and kills what
// it left in its group.
func (r *processRunner) finish() {
	r.release()
	if r.cmd == nil {
		return
	}
	killGroup(r.cmd.Process)
	r.readers.Wait()
	_ = r.stdout.Close()
	_ = r.stderr.Close()
}

// Wait implements runner.Runner.
func (r *processRunner) Wait(ctx context.Context) error {
	select {
	case <-r.exited:
		return nil
	case <-r.neverStarted:
		return errNeverStarted
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Kill implements runner.Runner.
func (r *processRunner) Kill(context.Context) error {
	r.killNow()
	return nil
}

// Stdout implements runner.Runner: the handshake line and no more.
func (r *processRunner) Stdout() io.ReadCloser { return r.handshake }

// Stderr implements runner.Runner: nothing at all.
func (r *processRunner) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name implements runner.Runner.
func (r *processRunner) Name() string { return shortPath(r.found.path) }

// ID implements runner.Runner.
func (r *processRunner) ID() string {
	if r.pid == 0 {
		return ""
	}
	return fmt.Sprint(r.pid)
}

// PluginToHost implements runner.Runner.
func (*processRunner) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin implements runner.Runner.
func (*processRunner) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

// Diagnose implements runner.Runner; see diagnosis.
func (*processRunner) Diagnose(context.Context) string { return "" }

// diagnosis explains a start that failed: the file, and what it said.
func (r *processRunner) diagnosis(f *found) string {
	var notes []string
	if info, err := os.Stat(f.command[0]); err == nil {
		notes = append(notes, fmt.Sprintf("the file's mode is %s", info.Mode()))
	}
	if kind := architecture(f.command[0]); kind != "" {
		notes = append(notes, kind)
	}
	if r.cmd != nil {
		select {
		case <-r.exited:
			notes = append(notes, "it ended: "+r.exitText())
		default:
		}
	}
	if words := r.words.lines(); len(words) > 0 {
		notes = append(notes, "it said: "+strings.Join(words, " / "))
	}
	if len(notes) == 0 {
		return ""
	}
	return " (" + strings.Join(notes, "; ") + ")"
}

// lineReader reads lines of any length; what is over maxLine is cut.
type lineReader struct{ r *bufio.Reader }

func newLineReader(r io.Reader) *lineReader { return &lineReader{bufio.NewReaderSize(r, maxLine)} }

func (l *lineReader) next() (string, error) {
	line, err := l.r.ReadSlice('\n')
	text := strings.TrimRight(string(line), "\r\n")
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = l.r.ReadSlice('\n')
	}
	return text, err
}

// lastWords keeps the last lines of a plugin's standard error.
type lastWords struct {
	mu   sync.Mutex
	kept []string
}

const (
	maxLastWords     = 10
	maxLastWordsLine = 400
)

func (w *lastWords) add(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(line) > maxLastWordsLine {
		line = line[:maxLastWordsLine] + "…"
	}
	w.kept = append(w.kept, line)
	if len(w.kept) > maxLastWords {
		w.kept = append(w.kept[:0], w.kept[1:]...)
	}
}

func (w *lastWords) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string{}, w.kept...)
}

// chatter passes a plugin's lines to the log, so many a second, and then
// their count.
type chatter struct {
	mu      sync.Mutex
	second  int64
	lines   int
	dropped int
}

func (c *chatter) take(r *processRunner, stream, line string) {
	c.mu.Lock()
	now := time.Now().Unix()
	dropped := 0
	if now != c.second {
		dropped, c.second, c.lines, c.dropped = c.dropped, now, 0, 0
	}
	c.lines++
	over := c.lines > maxLinesPerSecond
	if over {
		c.dropped++
	}
	c.mu.Unlock()
	if dropped > 0 {
		r.log.Warn("the plugin wrote too much", "lines_dropped", dropped)
	}
	if !over {
		level, message := parseLine(line)
		r.log.Log(context.Background(), level, message, "stream", stream)
	}
}

func (c *chatter) flush(r *processRunner) {
	c.mu.Lock()
	dropped := c.dropped
	c.dropped = 0
	c.mu.Unlock()
	if dropped > 0 {
		r.log.Warn("the plugin wrote too much", "lines_dropped", dropped)
	}
}

// parseLine reads a line of go-hclog's JSON; any other is a message itself.
func parseLine(line string) (slog.Level, string) {
	var entry map[string]any
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &entry) != nil {
		return slog.LevelInfo, line
	}
	message, ok := entry["@message"].(string)
	if !ok {
		return slog.LevelInfo, line
	}
	level, _ := entry["@level"].(string)
	switch level {
	case "trace", "debug":
		return slog.LevelDebug, message
	case "warn":
		return slog.LevelWarn, message
	case "error":
		return slog.LevelError, message
	}
	return slog.LevelInfo, message
}
