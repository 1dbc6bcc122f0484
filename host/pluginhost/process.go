package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/client"
)

// The stop ladder: after so long the next rung is taken.
const (
	stopTerminate = 2 * time.Second
	stopKill      = 5 * time.Second
	stopGiveUp    = 15 * time.Second
)

// process is one running plugin process.
type process struct {
	pid    int
	client *client.Client
	// gone is closed when the process has ended.
	gone   <-chan struct{}
	plugin *plugin.Client
	runner *processRunner
	// abandoned: a call did not end when it was cancelled.
	abandoned atomic.Bool
}

// launch starts a process and connects to it. A probe is a process that is
// only asked what it offers; it gets no configuration.
func (h *Host) launch(f *found, configure bool) (*process, error) {
	if f.checksum != "" && f.fileKey != "" {
		sum, err := f.hash()
		if err != nil {
			return nil, fmt.Errorf("start plugin %s: %w", shortPath(f.path), err)
		}
		if sum != f.checksum {
			return nil, fmt.Errorf("start plugin %s: its file has changed since it was found; restart the server to use the new one", shortPath(f.path))
		}
	}
	own := newRunner(h, f)
	pluginClient := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: client.Handshake(),
		Plugins:         client.Plugins(),
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, socketDir string) (runner.Runner, error) {
			own.prepare(cmd.Env, socketDir)
			return own, nil
		},
		// A client that go-plugin manages is killed by its global clean-up,
		// and the host's environment is not the plugin's business.
		Managed:          false,
		SkipHostEnv:      true,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		StartTimeout:     h.options.StartTimeout,
		GRPCDialOptions:  client.DialOptions(),
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: h.socketDir()},
		Logger:           hclog.NewNullLogger(),
		SyncStdout:       own.printed("stdout"),
		SyncStderr:       own.printed("stderr"),
	})
	p := &process{plugin: pluginClient, runner: own}
	if err := p.connect(h, configure); err != nil {
		own.killNow()
		p.clear()
		return nil, fmt.Errorf("start plugin %s: %w%s", shortPath(f.path), err, own.diagnosis(f))
	}
	return p, nil
}

func (p *process) connect(h *Host, configure bool) error {
	if _, err := p.plugin.Start(); err != nil {
		return err
	}
	p.pid, p.gone = p.runner.pid, p.runner.exited
	protocol, err := p.plugin.Client()
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	raw, err := protocol.Dispense(client.PluginKey)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	p.client = raw.(*client.Client)
	if !configure {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), clientDialTimeout)
	defer cancel()
	problems, err := p.client.Configure(ctx, h.options.Settings.Adapter(p.runner.found.description.Name))
	if err == nil && len(problems) > 0 {
		err = fmt.Errorf("its adapter configuration can't be used: %s", problems[0].Message)
	}
	return err
}

// probe starts a process only to ask it what it offers.
func (h *Host) probe(ctx context.Context, f *found) (*pluginsdk.Description, error) {
	p, err := h.launch(f, false)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	return p.client.Describe(ctx)
}

// stop takes the ladder: drain, shut down, terminate, kill. It reports
// whether the process is gone.
func (p *process) stop() bool {
	drainCtx, cancel := context.WithTimeout(context.Background(), stopTerminate/2)
	// A plugin that does not drain is ended all the same.
	_ = p.client.Drain(drainCtx)
	cancel()
	p.runner.release()
	cleared := make(chan struct{})
	go func() {
		// Kill has no deadline of its own: it returns when the process is
		// gone, which the rungs below see to.
		p.plugin.Kill()
		close(cleared)
	}()
	begin := time.Now()
	for _, rung := range []struct {
		at  time.Duration
		act func()
	}{{stopTerminate, p.runner.terminate}, {stopKill, p.runner.killNow}, {stopGiveUp, func() {}}} {
		select {
		case <-p.runner.exited:
			<-cleared
			p.runner.finish()
			return true
		case <-time.After(time.Until(begin.Add(rung.at))):
			rung.act()
		}
	}
	return false
}

// clear takes away what a process that has ended leaves.
func (p *process) clear() {
	select {
	case <-p.runner.exited:
	case <-p.runner.neverStarted:
	case <-time.After(stopGiveUp):
		return
	}
	p.plugin.Kill()
	p.runner.finish()
}

func (p *process) exit() string        { return p.runner.exitText() }
func (p *process) lastWords() []string { return p.runner.words.lines() }

// explain says more of an unknown outcome where the process is gone, and
// notes a call that did not end when it was cancelled.
func (p *process) explain(ctx context.Context, failure *pluginsdk.Failure) *pluginsdk.Failure {
	// The stream breaks a little before the process is seen to be gone.
	select {
	case <-p.gone:
	case <-time.After(time.Second):
		if ctx.Err() != nil {
			p.abandoned.Store(true)
			failure.Message = "the step did not end within " + cancelGrace.String() + " after it was cancelled, and its process was killed"
		}
		return failure
	}
	failure.Message = "the plugin process ended in the middle of the step: " + p.exit()
	if words := p.lastWords(); len(words) > 0 {
		failure.Message += "; its last words: " + strings.Join(words, " / ")
	}
	return failure
}

var errNeverStarted = errors.New("the process was never started")
