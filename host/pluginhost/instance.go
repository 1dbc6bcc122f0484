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

// The waits before a process that ended by itself is started again.
const (
	firstBackOff = 250 * time.Millisecond
	maxBackOff   = 30 * time.Second
)

// errStopping refuses calls once Close was called.
var errStopping = engine.ErrStopping

// The states of a plugin as Status has them.
const (
	stateStopped  = "stopped"
	stateStarting = "starting"
	stateRunning  = "running"
	stateStopping = "stopping"
	stateFailed   = "failed"
	stateRefused  = "refused"
)

// instance owns one plugin's process: only its goroutine decides to start,
// restart and stop it.
type instance struct {
	host  *Host
	found *found

	asks     chan ask
	releases chan release
	started  chan startResult
	stopped  chan *process
	closing  chan struct{}
	closed   chan struct{}
	once     sync.Once

	mu     sync.Mutex
	status Status
}

// ask is a caller that wants to use the process.
type ask struct {
	ctx context.Context
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
	process *process
	err     error
}

func newInstance(h *Host, f *found) *instance {
	i := &instance{
		host: h, found: f, asks: make(chan ask), releases: make(chan release), started: make(chan startResult),
		stopped: make(chan *process), closing: make(chan struct{}), closed: make(chan struct{}),
	}
	d := f.description
	i.status = Status{
		Name: d.Name, Version: d.Version, Author: d.Author, Description: d.Description, Build: d.Build, State: stateStopped,
		Path: shortPath(f.path), Checksum: f.checksum, Handlers: []string{},
	}
	for _, handler := range d.Handlers {
		i.status.Handlers = append(i.status.Handlers, handler.Path)
	}
	for _, kind := range d.WorkflowTypes {
		i.status.WorkflowTypes = append(i.status.WorkflowTypes, kind.Name)
	}
	go i.own()
	return i
}

// acquire returns a running process, starting one if need be, and what to
// call when the call is over.
func (i *instance) acquire(ctx context.Context) (*process, func(pluginsdk.OutcomeKind), error) {
	a := ask{ctx: ctx, answer: make(chan answer)}
	select {
	case i.asks <- a:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	case <-i.closed:
		return nil, nil, errStopping
	}
	select {
	case got := <-a.answer:
		if got.err != nil {
			return nil, nil, got.err
		}
		return got.process, func(kind pluginsdk.OutcomeKind) { i.release(release{got.process, kind}) }, nil
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
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
	p, done, err := i.acquire(ctx)
	if err != nil {
		return err
	}
	defer done(pluginsdk.OutcomeSuccess)
	joined, end := p.context(ctx)
	defer end()
	return call(joined, p)
}

// close stops the process and the owner.
func (i *instance) close(ctx context.Context) error {
	i.once.Do(func() { close(i.closing) })
	select {
	case <-i.closed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop plugin %s: %w", i.found.description.Name, context.Cause(ctx))
	}
}

func (i *instance) snapshot() Status {
	i.mu.Lock()
	status := i.status
	i.mu.Unlock()
	if status.PID != 0 {
		status.MemoryBytes = residentMemory(status.PID)
	}
	return status
}

func (i *instance) note(change func(*Status)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change(&i.status)
}

// owner is the state of an instance's goroutine.
type owner struct {
	*instance

	current *process
	// ending counts the processes that are being stopped.
	ending int
	// running counts the calls of current.
	running int
	waiting []ask
	backOff time.Duration
	notYet  time.Time
	idle    *time.Timer
	retry   *time.Timer
	// start is set while a process is being started; it gives that up.
	start   context.CancelFunc
	leaving bool
}

// own is the goroutine of an instance.
func (i *instance) own() {
	o := &owner{instance: i, idle: time.NewTimer(time.Hour), retry: time.NewTimer(time.Hour)}
	o.idle.Stop()
	o.retry.Stop()
	defer close(i.closed)
	closing := i.closing
	for !o.leaving || o.current != nil || o.start != nil || o.ending > 0 {
		var gone <-chan struct{}
		if o.current != nil {
			gone = o.current.gone
		}
		select {
		case a := <-i.asks:
			o.waiting = append(o.waiting, a)
		case r := <-i.releases:
			o.released(r)
		case result := <-i.started:
			o.startEnded(result)
		case <-gone:
			o.processGone()
		case p := <-i.stopped:
			o.stopEnded(p)
		case <-o.idle.C:
			o.idleFor()
		case <-o.retry.C:
		case <-closing:
			closing = nil
			o.leave()
		}
		o.serve()
	}
}

// serve gives the process to those who wait, or starts one for them.
func (o *owner) serve() {
	kept := o.waiting[:0]
	for _, a := range o.waiting {
		switch {
		case o.leaving:
			o.answer(a, answer{err: errStopping})
		case a.ctx.Err() != nil:
			// It has gone away by itself.
		case o.current != nil && o.running < o.host.options.MaxCalls:
			if o.answer(a, answer{process: o.current}) {
				o.running++
			}
		default:
			kept = append(kept, a)
		}
	}
	clear(o.waiting[len(kept):])
	o.waiting = kept
	running := o.running
	o.note(func(s *Status) { s.Running = running })
	if o.running > 0 {
		o.idle.Stop()
	}
	if len(o.waiting) == 0 || o.current != nil || o.start != nil || o.ending > 0 {
		return
	}
	if wait := time.Until(o.notYet); wait > 0 {
		o.retry.Reset(wait)
		return
	}
	o.begin()
}

// answer reports whether the caller was still there to take it.
func (o *owner) answer(a ask, with answer) bool {
	select {
	case a.answer <- with:
		if with.process != nil {
			o.note(func(s *Status) { s.Calls++ })
		}
		return true
	case <-a.ctx.Done():
		return false
	}
}

func (o *owner) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	o.start = cancel
	o.note(func(s *Status) { s.State = stateStarting })
	go func() {
		p, err := o.host.launch(ctx, o.found, o.host.options.StartTimeout)
		if err == nil {
			if err = p.configure(ctx, o.host); err != nil {
				p.stop("its configuration can't be used")
				p = nil
			}
		}
		o.started <- startResult{p, err}
	}()
}

func (o *owner) startEnded(result startResult) {
	o.start()
	o.start = nil
	if result.err != nil {
		o.startFailed(result.err)
		return
	}
	o.current = result.process
	o.note(func(s *Status) {
		if !s.StartedAt.IsZero() {
			s.Restarts++
		}
		s.State, s.PID, s.StartedAt = stateRunning, result.process.pid, time.Now().UTC()
	})
	o.idle.Reset(o.host.options.IdleTimeout)
	if o.leaving {
		o.retire("the server stops")
	}
}

func (o *owner) startFailed(err error) {
	if o.leaving {
		o.note(func(s *Status) { s.State = stateStopped })
		return
	}
	o.host.log.Error("a plugin could not be started", "plugin", o.found.description.Name, "error", err)
	o.note(func(s *Status) { s.State, s.LastError = stateFailed, err.Error() })
	o.delay()
	for _, a := range o.waiting {
		o.answer(a, answer{err: err})
	}
	o.waiting = nil
}

func (o *owner) delay() {
	o.backOff = min(max(2*o.backOff, firstBackOff), maxBackOff)
	o.notYet = time.Now().Add(o.backOff)
}

func (o *owner) released(r release) {
	switch r.outcome {
	case pluginsdk.OutcomeUnknown, pluginsdk.OutcomeFailure:
		o.note(func(s *Status) { s.Failures++ })
	}
	if r.outcome != pluginsdk.OutcomeUnknown {
		o.backOff = 0
	}
	if r.process != o.current {
		return // It was counted off when its process went.
	}
	o.running--
	if o.running == 0 {
		o.idle.Reset(o.host.options.IdleTimeout)
	}
}

func (o *owner) idleFor() {
	if o.current != nil && o.running == 0 {
		o.retire("it was idle")
	}
}

// processGone is told that the process has ended without a wish of ours, or
// was killed for a call that ignored its cancel.
func (o *owner) processGone() {
	p := o.current
	how, reason := p.runner.ending()
	o.current, o.running = nil, 0
	o.ending++
	o.idle.Stop()
	words := p.runner.output.lastWords()
	if reason == "" {
		o.delay()
		reason = "it ended by itself: " + how
	}
	o.host.log.Error("a plugin process has ended", "plugin", o.found.description.Name, "pid", p.pid, "reason", reason, "how", how)
	o.note(func(s *Status) { s.State, s.PID, s.LastError, s.LastWords = stateStopped, 0, reason, words })
	go func() {
		p.clear()
		o.stopped <- p
	}()
}

// retire stops the process in the background. Who asks meanwhile gets a new
// one, once the old one is gone.
func (o *owner) retire(why string) {
	p := o.current
	o.current, o.running = nil, 0
	o.ending++
	o.idle.Stop()
	o.note(func(s *Status) { s.State = stateStopping })
	o.host.log.Debug("a plugin process is stopped", "plugin", o.found.description.Name, "pid", p.pid, "reason", why)
	go func() {
		if !p.stop(why) {
			o.host.log.Error("a plugin process can't be killed", "plugin", o.found.description.Name, "pid", p.pid)
			o.note(func(s *Status) { s.LastError = fmt.Sprintf("its process %d can't be killed", p.pid) })
		}
		o.stopped <- p
	}()
}

func (o *owner) stopEnded(*process) {
	o.ending--
	o.note(func(s *Status) { s.State, s.PID = stateStopped, 0 })
}

// leave begins the end of the instance.
func (o *owner) leave() {
	o.leaving = true
	o.idle.Stop()
	o.retry.Stop()
	if o.start != nil {
		o.start()
	}
	if o.current != nil {
		o.retire("the server stops")
	}
}

// unavailable is the failure of a call that reached no process: nothing ran.
func unavailable(ctx context.Context, err error) pluginsdk.Outcome {
	var typed *pluginsdk.Error
	failure := &pluginsdk.Failure{Class: pluginsdk.FailureRetryable, Code: "PLUGIN_UNAVAILABLE", Message: err.Error(), Fault: pluginsdk.FaultHost}
	switch cause := context.Cause(ctx); {
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
