package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vwmp/vwmp/host/pluginhost/internal/disk"
	"github.com/vwmp/vwmp/host/pluginhost/internal/system"
	"github.com/vwmp/vwmp/pluginsdk/client"
)

// pipeGrace is how long the pipes of a process that has ended are read: a
// grandchild may hold them open for ever.
const pipeGrace = 200 * time.Millisecond

var errNeverStarted = errors.New("the process was never started")

// processRunner starts a plugin's process for go-plugin. It gives go-plugin
// the handshake line and nothing else: one bad line on standard error would
// panic the host, and a line of over 64 KiB on standard output would stop the
// plugin. It waits on the process and not on the pipes.
type processRunner struct {
	host    *Host
	version *version
	output  *output
	// starting ends when the start must not go on.
	starting context.Context

	env       []string
	sockets   string
	pid       int
	child     *system.Child
	lifeline  *os.File
	stdout    *os.File
	stderr    *os.File
	handshake *io.PipeReader
	readers   sync.WaitGroup

	// exited is closed when the process has ended and all it said is read.
	exited chan struct{}
	// over is closed with exited, and also where there is nothing to wait
	// for: the process never started, or can't be killed.
	over     chan struct{}
	overOnce sync.Once

	mu    sync.Mutex
	group system.Group
	// cgroup is nil where there are none.
	cgroup *system.Cgroup
	meter  *meter
	alive  bool
	how    string
	reason string
	cpu    time.Duration
	// fault: the host ended it for something that it did wrong.
	fault bool
}

func newRunner(ctx context.Context, h *Host, v *version) *processRunner {
	return &processRunner{
		host: h, version: v, starting: ctx, output: &output{log: h.log.With("plugin", v.name()), scrub: h.options.Scrub},
		exited: make(chan struct{}), over: make(chan struct{}),
	}
}

// pipes are the three that join a process to the host: theirs goes to it.
type pipes struct{ ours, theirs [3]*os.File }

// The pipes by their index.
const (
	pipeStdout = iota
	pipeStderr
	pipeLifeline
)

func makePipes() (pipes, error) {
	var p pipes
	for i := range p.ours {
		read, write, err := os.Pipe()
		if err != nil {
			return p, errors.Join(err, closeAll(p.ours[:]), closeAll(p.theirs[:]))
		}
		p.ours[i], p.theirs[i] = read, write
		if i == pipeLifeline {
			p.ours[i], p.theirs[i] = write, read
		}
	}
	return p, nil
}

func closeAll(files []*os.File) error {
	var failures []error
	for _, file := range files {
		if file != nil {
			failures = append(failures, file.Close())
		}
	}
	return errors.Join(failures...)
}

// Start implements runner.Runner.
func (r *processRunner) Start(context.Context) (err error) {
	defer func() {
		if err != nil {
			r.markOver()
		}
	}()
	if r.starting.Err() != nil {
		return context.Cause(r.starting)
	}
	work := r.host.workDir(r.version.name())
	if err := os.MkdirAll(work, 0o700); err != nil {
		return fmt.Errorf("make its working folder: %w", err)
	}
	p, err := makePipes()
	if err != nil {
		return fmt.Errorf("make its pipes: %w", err)
	}
	fence, err := r.host.fenceFor(r.version, work, r.sockets)
	if err != nil {
		return errors.Join(fmt.Errorf("fence it in: %w", err), closeAll(p.ours[:]), closeAll(p.theirs[:]))
	}
	command := r.version.program.Command
	cmd := exec.Command(command[0], command[1:]...) //nolint:gosec // Starting what lies in the plugin folders is this package's work.
	cmd.Dir, cmd.Stdout, cmd.Stderr = work, p.theirs[pipeStdout], p.theirs[pipeStderr]
	cmd.Env = append(r.host.environment(), r.env...)
	if system.GiveLifeline(cmd, p.theirs[pipeLifeline]) {
		cmd.Env = append(cmd.Env, client.LifelineEnv+"=3")
	}
	cmd.Env = append(cmd.Env, memoryEnv(r.host.limitsOf(r.version.name()))...)
	child, err := system.Start(cmd, fence)
	// The child has its own ends now.
	if err = errors.Join(err, closeAll(p.theirs[:])); err != nil {
		if fence.Group != nil {
			fence.Group.Kill()
			err = errors.Join(err, fence.Group.Remove())
		}
		return errors.Join(err, closeAll(p.ours[:]))
	}
	r.began(child, fence.Group, p)
	return nil
}

// began takes charge of a process that was just started.
func (r *processRunner) began(child *system.Child, cgroup *system.Cgroup, p pipes) {
	joined, err := system.GroupOf(child.Pid)
	if err != nil {
		r.output.log.Warn("a plugin process has no group of its own", "pid", child.Pid, "error", err)
	}
	r.mu.Lock()
	r.child, r.pid, r.group, r.cgroup, r.alive = child, child.Pid, joined, cgroup, true
	r.meter = newMeter(child.Pid, cgroup)
	r.mu.Unlock()
	r.stdout, r.stderr, r.lifeline = p.ours[pipeStdout], p.ours[pipeStderr], p.ours[pipeLifeline]
	register(r.host.registryDir(), r.pid, r.output.log)
	var handshake *io.PipeWriter
	r.handshake, handshake = io.Pipe()
	r.readers.Go(func() { r.output.readStdout(r.stdout, handshake) })
	r.readers.Go(func() { r.output.readStderr(r.stderr) })
	r.host.watchers.Go(r.watch)
	if r.starting.Err() != nil {
		// The start was given up while the process was being made.
		r.kill("its start was given up")
	}
}

// watch waits for the end of the process, and then clears what it left.
func (r *processRunner) watch() {
	<-r.child.Exited
	r.mu.Lock()
	// Where the system allows it, the pid is still taken.
	r.killAll()
	r.meter.stop()
	state, err := r.child.Reap()
	r.alive, r.how = false, "in a way that can't be told"
	if err == nil {
		r.how, r.cpu = state.String(), max(state.UserTime()+state.SystemTime(), r.meter.total())
		r.meter.reaped(system.PeakOf(state))
	}
	r.group.Close()
	r.mu.Unlock()
	if r.cgroup != nil {
		if err := r.cgroup.Remove(); err != nil {
			r.output.log.Warn("what a plugin started can't be ended", "pid", r.pid, "error", err)
		}
	}
	deadline := time.Now().Add(pipeGrace)
	// A pipe that can't have a deadline has ended with its group.
	_ = r.stdout.SetReadDeadline(deadline)
	_ = r.stderr.SetReadDeadline(deadline)
	r.readers.Wait()
	r.output.flush()
	if err := closeAll([]*os.File{r.stdout, r.stderr, r.lifeline}); err != nil {
		r.output.log.Warn("the pipes of a plugin process could not be closed", "pid", r.pid, "error", err)
	}
	unregister(r.host.registryDir(), r.pid)
	close(r.exited)
	r.markOver()
}

func (r *processRunner) markOver() { r.overOnce.Do(func() { close(r.over) }) }

// terminate asks the process and its group to end.
func (r *processRunner) terminate() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.alive {
		r.group.Terminate()
	}
}

// kill ends the process and what it started; the first reason given is kept.
func (r *processRunner) kill(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reason == "" {
		r.reason = reason
	}
	if r.alive {
		r.killAll()
	}
}

// killAll ends the process and all that it started, wherever that went; the
// caller has the lock.
func (r *processRunner) killAll() {
	r.group.Kill()
	if r.cgroup != nil {
		r.cgroup.Kill()
	}
}

// end kills a process that did something wrong.
func (r *processRunner) end(reason string) {
	r.mu.Lock()
	r.fault = r.fault || r.reason == ""
	r.mu.Unlock()
	r.kill(reason)
}

// expect notes why the process is about to end, so that its end is no news.
func (r *processRunner) expect(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reason == "" {
		r.reason = reason
	}
}

// used is the processor time of a process so far.
func (r *processRunner) used() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(r.cpu, r.meter.total())
}

// ending is how the process ended, and why where the host wished it to; fault
// is whether the process is to blame for it.
func (r *processRunner) ending() (how, reason string, fault bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.how, r.reason, r.fault || r.reason == ""
}

// Wait implements runner.Runner.
func (r *processRunner) Wait(ctx context.Context) error {
	select {
	case <-r.over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Kill implements runner.Runner. go-plugin calls it when a start has failed,
// and 2 s after it asked the process to end; the harder ways are the
// ladder's, see process.stop.
func (r *processRunner) Kill(context.Context) error {
	r.terminate()
	return nil
}

// Stdout implements runner.Runner: the handshake line and no more.
func (r *processRunner) Stdout() io.ReadCloser { return r.handshake }

// Stderr implements runner.Runner: nothing at all.
func (r *processRunner) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name implements runner.Runner.
func (r *processRunner) Name() string { return r.version.name() }

// ID implements runner.Runner. It is never empty: go-plugin would leave its
// folder for sockets behind.
func (r *processRunner) ID() string { return strconv.Itoa(r.pid) }

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

// diagnosis explains a start that failed: the file, how it ended, and what it
// said.
func (r *processRunner) diagnosis() string {
	var notes []string
	command := r.version.program.Command[0]
	if info, err := os.Stat(command); err != nil {
		notes = append(notes, "the file can't be looked at: "+err.Error())
	} else {
		notes = append(notes, fmt.Sprintf("the file's mode is %s", info.Mode()))
	}
	if kind := disk.ProgramKind(command); kind != "" {
		notes = append(notes, kind+", and this machine is "+runtime.GOOS+" on "+runtime.GOARCH)
	}
	if how, reason, _ := r.ending(); how != "" && reason == "" {
		notes = append(notes, "it ended: "+how)
	}
	if words := r.output.lastWords(); len(words) > 0 {
		notes = append(notes, "it said: "+strings.Join(words, " / "))
	}
	return strings.Join(notes, "; ")
}
