package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/client"
)

// ladder is when, counted from the wish to stop, each next step is taken:
// calls may end by themselves, then are cancelled, then the process is asked
// to shut down, terminated, killed, and in the end given up.
type ladder struct {
	cancel, shutDown, terminate, kill, giveUp time.Duration
}

// endNotice is how long after a broken stream the end of its process is
// waited for, to say more of it.
const endNotice = time.Second

// startNotice is how long after a failed start the process may take to end by
// itself, so that how it ended can be told.
const startNotice = 100 * time.Millisecond

// process is one running plugin process, connected.
type process struct {
	pid     int
	client  *client.Client
	transit *goplugin.Client
	runner  *processRunner
	// gone is closed when the process has ended.
	gone <-chan struct{}
	// calls ends when the calls of the process are to be cancelled.
	calls       context.Context
	cancelCalls context.CancelCauseFunc

	// instance owns the process; nil for one that is only described. alone:
	// it serves a single call.
	instance *instance
	alone    bool

	mu sync.Mutex
	// flight counts the calls under way by their idempotency keys.
	flight map[string]int
	// crashed are those that were under way when the process crashed.
	crashed []string
	blamed  bool
}

// launch starts a process and connects to it, within limit.
func (h *Host) launch(ctx context.Context, v *version, limit time.Duration) (*process, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it was not ready within %s", limit))
	defer cancel()
	before, err := h.verify(v)
	if err != nil {
		return nil, fmt.Errorf("start plugin %s: %w", v.name(), err)
	}
	own := newRunner(ctx, h, v)
	p := &process{transit: h.pluginClient(own, limit), runner: own, gone: own.exited, flight: map[string]int{}}
	p.calls, p.cancelCalls = context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { own.kill("its start was given up") })
	err = p.connect()
	if !stop() && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		err = v.program.Unchanged(before)
	}
	if err != nil {
		return nil, p.failed(err)
	}
	return p, nil
}

// verify holds the program of a version against its checksum. A copy that
// somebody damaged is made anew from the file it was made of.
func (h *Host) verify(v *version) (string, error) {
	key, err := v.program.Verify()
	if err == nil || v.program == v.file || h.copies == nil {
		return key, err
	}
	h.log.Warn("the copy of a plugin was damaged, and is made anew", "plugin", v.name(), "error", err)
	if err := h.copies.Restore(v.file); err != nil {
		return "", err
	}
	return v.program.Verify()
}

// failed clears away a start that failed, and explains it.
func (p *process) failed(err error) error {
	name := p.runner.version.name()
	if ended := p.runner.pid != 0 && p.awaitGone(startNotice); !ended {
		p.runner.kill("its start failed")
	}
	if !p.clear() {
		return fmt.Errorf("start plugin %s: %w, and its process %d can't be killed", name, err, p.runner.pid)
	}
	message := err.Error()
	if _, line, found := strings.Cut(message, "Unrecognized remote plugin message: "); found {
		line, _, _ = strings.Cut(line, "\n")
		err = errors.New("it ended, or closed its standard output, before it said where it listens")
		if line != "" {
			err = fmt.Errorf("it printed %q where a plugin says where it listens", line)
		}
	}
	return fmt.Errorf("start plugin %s: %w (%s)", name, err, p.runner.diagnosis())
}

// pluginClient is go-plugin's part, with those of its defaults changed that
// are not safe.
func (h *Host) pluginClient(own *processRunner, limit time.Duration) *goplugin.Client {
	return goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig: client.Handshake(),
		Plugins:         client.Plugins(),
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, sockets string) (runner.Runner, error) {
			own.env, own.sockets = cmd.Env, sockets
			return own, nil
		},
		// A managed client is killed by go-plugin's global clean-up; and the
		// host's environment is not the plugin's business.
		Managed:          false,
		SkipHostEnv:      true,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		// The socket of a folder that is ours alone needs no certificates,
		// which cost 40 ms a launch; a port of Windows is open to all.
		AutoMTLS: runtime.GOOS == "windows",
		// Ours comes first: it ends the process and says how long it had.
		StartTimeout:     2 * limit,
		GRPCDialOptions:  client.DialOptions(),
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: h.socketDir},
		Logger:           hclogTo(h.log.With("plugin", own.version.name())),
		SyncStdout:       &printed{output: own.output, stream: "stdout"},
		SyncStderr:       &printed{output: own.output, stream: "stderr"},
	})
}

// hclogTo passes go-plugin's own log on, as details: what matters of it is
// said by this package.
func hclogTo(log *slog.Logger) hclog.Logger {
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return hclog.NewNullLogger()
	}
	return hclog.New(&hclog.LoggerOptions{Name: "go-plugin", Level: hclog.Debug, DisableTime: true, Output: debugWriter{log}})
}

type debugWriter struct{ log *slog.Logger }

func (w debugWriter) Write(line []byte) (int, error) {
	w.log.Debug(strings.TrimSpace(string(line)))
	return len(line), nil
}

func (p *process) connect() error {
	if _, err := p.transit.Start(); err != nil {
		return err
	}
	p.pid = p.runner.pid
	protocol, err := p.transit.Client()
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	raw, err := protocol.Dispense(client.PluginKey)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	dispensed, ok := raw.(*client.Client)
	if !ok {
		return fmt.Errorf("connect: go-plugin dispensed a %T", raw)
	}
	p.client = dispensed
	return nil
}

// configure hands over the adapter configuration.
func (p *process) configure(ctx context.Context, h *Host) error {
	d := p.runner.version.description
	if h.options.Settings == nil {
		return nil
	}
	adapter := h.options.Settings.Adapter(d.Name)
	if len(adapter) == 0 {
		return nil
	}
	problems, err := p.client.Configure(ctx, adapter)
	if err != nil {
		return fmt.Errorf("start plugin %s: %w", d.Name, err)
	}
	for _, problem := range problems {
		if problem.Severity != pluginsdk.SeverityWarning {
			return pluginsdk.Invalid("", fmt.Sprintf("the adapter configuration of %s can't be used: %s %s",
				d.Name, problem.Pointer, problem.Message)).WithCode("ADAPTER_INVALID")
		}
	}
	return nil
}

// context joins a call's context with the life of the process.
func (p *process) context(ctx context.Context) (context.Context, func()) {
	joined, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(p.calls, func() { cancel(context.Cause(p.calls)) })
	return joined, func() {
		stop()
		cancel(nil)
	}
}

// run makes one attempt. A call that ignores its cancel is ended with its
// process, before this returns: nothing of it runs on. Its neighbours are of
// unknown outcome then.
func (p *process) run(
	ctx context.Context, request *pluginsdk.Request, reporter pluginsdk.Reporter, call func(context.Context, *process) pluginsdk.Outcome,
) pluginsdk.Outcome {
	ctx, done := p.context(ctx)
	defer done()
	p.board(request.IdempotencyKey)
	defer p.leave(request.IdempotencyKey)
	span := p.runner.meter.begin()
	outcome := call(ctx, p)
	if outcome.Kind == pluginsdk.OutcomeUnknown {
		p.explain(request, outcome.Failure)
	}
	// What a process took that has ended is known only now.
	if used, known := p.runner.meter.end(span); known {
		if wants, able := reporter.(engine.UsageReporter); able {
			wants.Used(used)
		}
	}
	return outcome
}

// explain sees to the process of a call whose outcome is unknown, and says
// what became of it.
func (p *process) explain(request *pluginsdk.Request, failure *pluginsdk.Failure) {
	switch failure.Code {
	case client.CodeCancelIgnored:
		p.runner.kill("the step " + request.StepID + " did not end when it was cancelled")
		if p.awaitGone(p.runner.host.limits.stop.giveUp) {
			failure.Message += ", so its process was killed"
		} else {
			failure.Message += ", and its process can't be killed"
		}
	case client.CodeUnknown:
		if p.awaitGone(endNotice) {
			failure.Message = p.obituary()
			if p.blame() {
				failure.Code = engine.CodeCrashedAlone
			}
		}
	}
}

// board notes a call that is about to be made, leave one that has ended.
func (p *process) board(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flight[key]++
}

func (p *process) leave(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.flight[key]--; p.flight[key] <= 0 {
		delete(p.flight, key)
	}
}

// blame notes, for a process that crashed, all calls that were in it: each of
// them may be at fault. It reports whether there was only one.
func (p *process) blame() (alone bool) {
	if _, _, fault := p.runner.ending(); !fault {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.blamed {
		p.blamed, p.crashed = true, slices.Collect(maps.Keys(p.flight))
		if p.instance != nil {
			p.instance.plugin.suspects.add(p.crashed)
		}
	}
	return len(p.crashed) == 1
}

// busy reports whether a call is under way.
func (p *process) busy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.flight) > 0
}

// outdated reports whether the process is kept from files that it may touch,
// and that came after it.
func (p *process) outdated() bool { return p.runner.child.Outdated() }

func (p *process) isGone() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

func (p *process) awaitGone(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.gone:
		return true
	case <-timer.C:
		return false
	}
}

// obituary says how the process ended in the middle of a step.
func (p *process) obituary() string {
	how, reason, _ := p.runner.ending()
	if reason != "" {
		return fmt.Sprintf("the plugin process was ended in the middle of the step, because %s", reason)
	}
	text := "the plugin process ended in the middle of the step: " + how
	if words := p.runner.output.lastWords(); len(words) > 0 {
		text += "; its last words: " + strings.Join(words, " / ")
	}
	return text
}

// stop takes the ladder. It reports whether the process is gone.
func (p *process) stop(reason string) bool {
	p.runner.expect(reason)
	begin, rungs := time.Now(), p.runner.host.limits.stop
	if p.drain(begin.Add(rungs.cancel)) != nil {
		p.cancelCalls(errStopping)
		// What has not ended by then ends with the process.
		_ = p.drain(begin.Add(rungs.shutDown))
	}
	cleared := make(chan struct{})
	go func() {
		// Kill has no deadline of its own: it returns when the process is
		// gone, or given up, which the rungs below see to.
		p.transit.Kill()
		close(cleared)
	}()
	for _, rung := range []struct {
		at  time.Duration
		act func()
	}{
		{rungs.terminate, p.runner.terminate},
		{rungs.kill, func() { p.runner.kill(reason) }},
		{rungs.giveUp, p.runner.markOver},
	} {
		if p.awaitGone(time.Until(begin.Add(rung.at))) {
			break
		}
		rung.act()
	}
	<-cleared
	p.cancelCalls(errStopping)
	return p.isGone()
}

func (p *process) drain(until time.Time) error {
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	err := p.client.Drain(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	// Any other error: there is nobody left to drain.
	return nil
}

// clear takes away what a process that was killed, or has ended, leaves. It
// reports whether the process is gone.
func (p *process) clear() bool {
	timer := time.AfterFunc(p.runner.host.limits.stop.giveUp, p.runner.markOver)
	defer timer.Stop()
	p.transit.Kill()
	p.cancelCalls(errNeverStarted)
	if p.runner.pid == 0 {
		return true
	}
	select {
	case <-p.gone:
		return true
	case <-p.runner.over:
	}
	return p.isGone()
}
