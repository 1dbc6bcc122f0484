package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

// The waits before a process that ended by itself is started again.
const (
	firstBackOff = 250 * time.Millisecond
	maxBackOff   = 30 * time.Second
)

// errClosed: the host is being stopped.
var errClosed = errors.New("the server is stopping")

// instance owns one plugin's process: only its goroutine starts, restarts and
// stops it.
type instance struct {
	host  *Host
	found *found

	asks     chan ask
	releases chan ended
	started  chan startResult
	closing  chan struct{}
	closed   chan struct{}
	once     sync.Once

	mu     sync.Mutex
	status Status
}

// ask is a caller that wants to use the process.
type ask struct {
	ctx    context.Context
	answer chan answer
}

type answer struct {
	process *process
	err     error
}

// ended tells that a call is over.
type ended struct {
	process *process
	outcome pluginsdk.OutcomeKind
}

type startResult struct {
	process *process
	err     error
}

func newInstance(h *Host, f *found) *instance {
	i := &instance{
		host: h, found: f, asks: make(chan ask), releases: make(chan ended), started: make(chan startResult),
		closing: make(chan struct{}), closed: make(chan struct{}),
	}
	d := f.description
	i.status = Status{
		Name: d.Name, Version: d.Version, Author: d.Author, Description: d.Description, State: "stopped",
		Path: shortPath(f.path), Checksum: f.checksum, Handlers: []string{},
	}
	for _, handler := range d.Handlers {
		i.status.Handlers = append(i.status.Handlers, handler.Path)
	}
	go i.own()
	return i
}

// acquire returns a running process, starting one if need be, and what to
// call when the call is over.
func (i *instance) acquire(ctx context.Context) (*process, func(pluginsdk.OutcomeKind), error) {
	a := ask{ctx: ctx, answer: make(chan answer, 1)}
	select {
	case i.asks <- a:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	case <-i.closed:
		return nil, nil, errClosed
	}
	select {
	case got := <-a.answer:
		if got.err != nil {
			return nil, nil, got.err
		}
		return got.process, func(kind pluginsdk.OutcomeKind) {
			select {
			case i.releases <- ended{got.process, kind}:
			case <-i.closed:
			}
		}, nil
	case <-i.closed:
		return nil, nil, errClosed
	}
}

// use runs a call that has no effects.
func (i *instance) use(ctx context.Context, call func(*process) error) error {
	p, release, err := i.acquire(ctx)
	if err != nil {
		return err
	}
	err = call(p)
	release(pluginsdk.OutcomeSuccess)
	return err
}

// close stops the process and the owner.
func (i *instance) close(ctx context.Context) error {
	i.once.Do(func() { close(i.closing) })
	select {
	case <-i.closed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop plugin %s: %w", i.found.description.Name, ctx.Err())
	}
}

func (i *instance) snapshot() Status {
	i.mu.Lock()
	defer i.mu.Unlock()
	status := i.status
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

	current  *process
	starting bool
	waiting  []ask
	running  int
	backOff  time.Duration
	notYet   time.Time
	idle     *time.Timer
	retry    *time.Timer
	stops    sync.WaitGroup
}

// own is the goroutine of an instance.
func (i *instance) own() {
	o := &owner{instance: i, idle: time.NewTimer(time.Hour), retry: time.NewTimer(time.Hour)}
	o.idle.Stop()
	o.retry.Stop()
	defer close(i.closed)
	for {
		var gone <-chan struct{}
		if o.current != nil {
			gone = o.current.gone
		}
		select {
		case a := <-i.asks:
			o.waiting = append(o.waiting, a)
		case e := <-i.releases:
			o.released(e)
		case result := <-i.started:
			o.startEnded(result)
		case <-gone:
			o.processGone()
		case <-o.idle.C:
			if o.current != nil && o.running == 0 {
				o.retire("it was idle")
			}
		case <-o.retry.C:
		case <-i.closing:
			o.shutDown()
			return
		}
		o.serve()
	}
}

// serve gives the process to those who wait, or starts one for them.
func (o *owner) serve() {
	kept := o.waiting[:0]
	for _, a := range o.waiting {
		switch {
		case a.ctx.Err() != nil:
			a.answer <- answer{err: context.Cause(a.ctx)}
		case o.current != nil && o.running < o.host.options.MaxCalls:
			o.running++
			o.note(func(s *Status) { s.Calls++; s.Running = o.running })
			a.answer <- answer{process: o.current}
		default:
			kept = append(kept, a)
		}
	}
	o.waiting = kept
	if o.running > 0 {
		o.idle.Stop()
	}
	if len(o.waiting) == 0 || o.current != nil || o.starting {
		return
	}
	if wait := time.Until(o.notYet); wait > 0 {
		o.retry.Reset(wait)
		return
	}
	o.start()
}

func (o *owner) start() {
	o.starting = true
	o.note(func(s *Status) { s.State = "starting" })
	go func() {
		p, err := o.host.launch(o.found, true)
		o.started <- startResult{p, err}
	}()
}

func (o *owner) startEnded(result startResult) {
	o.starting = false
	if result.err != nil {
		o.host.log.Error("a plugin could not be started", "plugin", o.found.description.Name, "error", result.err)
		o.note(func(s *Status) { s.State, s.LastError = "failed", result.err.Error() })
		o.delay()
		for _, a := range o.waiting {
			a.answer <- answer{err: result.err}
		}
		o.waiting = nil
		return
	}
	o.current = result.process
	o.note(func(s *Status) {
		if !s.StartedAt.IsZero() {
			s.Restarts++
		}
		s.State, s.PID, s.StartedAt = "running", result.process.pid, time.Now().UTC()
	})
	o.idle.Reset(o.host.options.IdleTimeout)
}

func (o *owner) delay() {
	o.backOff = min(max(2*o.backOff, firstBackOff), maxBackOff)
	o.notYet = time.Now().Add(o.backOff)
}

func (o *owner) released(e ended) {
	if e.outcome == pluginsdk.OutcomeUnknown {
		o.note(func(s *Status) { s.Failures++ })
	} else {
		o.backOff = 0
	}
	if e.process != o.current {
		return // It was counted off when its process went.
	}
	o.running--
	o.note(func(s *Status) { s.Running = o.running })
	if e.process.abandoned.Load() {
		// A call that ignores its cancel can be ended only with its
		// process; its neighbours are of unknown outcome then.
		o.retire("a cancelled call did not end")
		return
	}
	if o.running == 0 {
		o.idle.Reset(o.host.options.IdleTimeout)
	}
}

// processGone is told that the process has ended by itself.
func (o *owner) processGone() {
	p := o.current
	o.current, o.running = nil, 0
	o.delay()
	o.host.log.Error("a plugin process ended by itself", "plugin", o.found.description.Name, "pid", p.pid, "how", p.exit())
	o.note(func(s *Status) {
		s.State, s.PID, s.Running = "stopped", 0, 0
		s.LastError, s.LastWords = "it ended by itself: "+p.exit(), p.lastWords()
	})
	o.stops.Go(p.clear)
}

// retire stops the process in the background; the next caller gets a new one.
func (o *owner) retire(why string) {
	p := o.current
	o.current, o.running = nil, 0
	o.idle.Stop()
	o.note(func(s *Status) { s.State, s.PID, s.Running = "stopped", 0, 0 })
	o.host.log.Debug("a plugin process is stopped", "plugin", o.found.description.Name, "pid", p.pid, "why", why)
	o.stops.Go(func() { o.finish(p) })
}

func (o *owner) finish(p *process) {
	if !p.stop() {
		o.host.log.Error("a plugin process can't be killed", "plugin", o.found.description.Name, "pid", p.pid)
		o.note(func(s *Status) { s.LastError = fmt.Sprintf("process %d can't be killed", p.pid) })
	}
}

func (o *owner) shutDown() {
	for _, a := range o.waiting {
		a.answer <- answer{err: errClosed}
	}
	if o.starting {
		if result := <-o.started; result.process != nil {
			o.current = result.process
		}
	}
	if o.current != nil {
		o.finish(o.current)
	}
	o.note(func(s *Status) { s.State, s.PID = "stopped", 0 })
	o.idle.Stop()
	o.retry.Stop()
	o.stops.Wait()
}
