package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/pluginsdk"
)

var (
	// errStopping refuses calls once Close was called.
	errStopping = engine.ErrStopping
	// errRetired refuses calls of an instance that has a successor; who gets
	// it looks into the newest catalogue.
	errRetired = errors.New("a newer version of the plugin is there")
)

// instance owns the processes of one version of a plugin: only its goroutine
// decides to start, restart and stop one. See owner.
type instance struct {
	host    *Host
	plugin  *plugin
	version *version

	asks     chan ask
	releases chan release
	started  chan startResult
	stopped  chan *process
	retiring chan struct{}
	closing  chan struct{}
	closed   chan struct{}
	retired  sync.Once
	once     sync.Once

	mu     sync.Mutex
	status Status
	// firstStart is when its first process was ready.
	firstStart time.Time
}

// ask is a caller that wants to use a process.
type ask struct {
	ctx context.Context
	// alone asks for a process of the call's own.
	alone bool
	// answer has no room: it is taken by a caller that still waits, or not
	// at all, so that no slot is given to nobody.
	answer chan answer
}

type answer struct {
	process *process
	err     error
}

// release tells that a call is over.
type release struct {
	process *process
	outcome pluginsdk.OutcomeKind
}

type startResult struct {
	seat    *seat
	process *process
	err     error
}

func newInstance(h *Host, p *plugin, v *version) *instance {
	i := &instance{
		host: h, plugin: p, version: v, asks: make(chan ask), releases: make(chan release), started: make(chan startResult),
		stopped: make(chan *process), retiring: make(chan struct{}), closing: make(chan struct{}), closed: make(chan struct{}),
	}
	d := v.description
	i.status = Status{
		Name: d.Name, Version: d.Version, Author: d.Author, Description: d.Description, Build: d.Build, State: stateStopped,
		Checksum: v.checksum, Handlers: []string{},
	}
	for _, handler := range d.Handlers {
		i.status.Handlers = append(i.status.Handlers, handler.Path)
	}
	for _, kind := range d.WorkflowTypes {
		i.status.WorkflowTypes = append(i.status.WorkflowTypes, kind.Name)
	}
	h.all.add(i)
	go newOwner(i).run()
	return i
}

// acquire returns a running process, starting one if need be, and what to
// call when the call is over.
func (i *instance) acquire(ctx context.Context, alone bool) (*process, func(pluginsdk.OutcomeKind), error) {
	a := ask{ctx: ctx, alone: alone, answer: make(chan answer)}
	select {
	case i.asks <- a:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	case <-i.closed:
		return nil, nil, i.gone()
	}
	select {
	case got := <-a.answer:
		if got.err != nil {
			return nil, nil, got.err
		}
		i.plugin.tally.began()
		begin := time.Now()
		return got.process, func(kind pluginsdk.OutcomeKind) {
			took := time.Since(begin)
			i.plugin.tally.ended(kind, took)
			i.host.options.Called(i.plugin.name, kind, took)
			i.release(release{got.process, kind})
		}, nil
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
}

// gone says why an instance that has ended takes no calls.
func (i *instance) gone() error {
	select {
	case <-i.closing:
		return errStopping
	default:
		return errRetired
	}
}

func (i *instance) release(r release) {
	select {
	case i.releases <- r:
	case <-i.closed:
	}
}

// use runs a call that has no effects.
func (i *instance) use(ctx context.Context, call func(context.Context, *process) error) error {
	p, done, err := i.acquire(ctx, false)
	if err != nil {
		return err
	}
	joined, end := p.context(ctx)
	defer end()
	err = call(joined, p)
	kind := pluginsdk.OutcomeSuccess
	select {
	case <-p.gone:
		kind = pluginsdk.OutcomeUnknown
	default:
	}
	done(kind)
	return err
}

// retire lets the calls end that are under way, takes no more, and then ends
// the instance.
func (i *instance) retire() { i.retired.Do(func() { close(i.retiring) }) }

// close stops the processes and the owner.
func (i *instance) close(ctx context.Context) error {
	i.once.Do(func() { close(i.closing) })
	select {
	case <-i.closed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop plugin %s: %w", i.version.name(), context.Cause(ctx))
	}
}

// snapshot is what the owner has noted.
func (i *instance) snapshot() Status {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.status
}

// note changes the status, and tells of a new state.
func (i *instance) note(change func(*Status)) {
	i.mu.Lock()
	before := i.status.State
	change(&i.status)
	after := i.status.State
	i.mu.Unlock()
	if before != after {
		i.host.changed(Change{Plugins: []string{i.plugin.name}})
	}
}

// isNew reports whether the version was in use for so short a time that its
// crashes count against it.
func (i *instance) isNew(now time.Time) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.firstStart.IsZero() || now.Sub(i.firstStart) < i.host.limits.trial
}

// unavailable is the outcome of a call that reached no process: nothing ran.
func unavailable(ctx context.Context, err error) pluginsdk.Outcome {
	var typed *pluginsdk.Error
	var waits *engine.UnavailableError
	failure := &pluginsdk.Failure{Class: pluginsdk.FailureRetryable, Code: "PLUGIN_UNAVAILABLE", Message: err.Error(), Fault: pluginsdk.FaultHost}
	switch cause := context.Cause(ctx); {
	case errors.As(err, &waits) && cause == nil:
		return waits.Outcome(time.Now())
	case errors.As(err, &typed):
		failure = pluginsdk.FailureOf(ctx, err)
	case errors.Is(cause, context.DeadlineExceeded):
		failure.Class, failure.Code = pluginsdk.FailureTimeout, "TIMEOUT"
		failure.Message = "the attempt ran out of time while it waited for its plugin"
	case cause != nil:
		failure.Class, failure.Code = pluginsdk.FailureCancelled, "CANCELLED"
		failure.Message = "the step was cancelled while it waited for its plugin"
	}
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: failure}
}
