package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/pluginsdk"
)

// seat is a place for one process of an instance: the one that serves many
// calls at once, or the one that serves a single call alone.
type seat struct {
	alone   bool
	process *process
	// running counts the calls of process; used: it had one.
	running int
	used    bool
	// start is set while a process is being started; it gives that up.
	start context.CancelFunc
	// ending counts the processes that are being stopped.
	ending int
}

func (s *seat) empty() bool { return s.process == nil && s.start == nil && s.ending == 0 }

// owner is the state of an instance's goroutine.
type owner struct {
	*instance

	circuit circuit
	// calls is how many the shared process serves at once.
	calls   int
	shared  seat
	single  seat
	waiting []ask
	idle    *time.Timer
	retry   *time.Timer
	// renewing: a successor was asked for.
	renewing bool
	// finishing: a successor takes the calls. leaving: the host stops.
	finishing, leaving bool
}

func newOwner(i *instance) *owner {
	o := &owner{
		instance: i, circuit: circuit{limits: &i.host.limits}, calls: i.host.limitsOf(i.plugin.name).Calls, single: seat{alone: true},
		idle: time.NewTimer(time.Hour), retry: time.NewTimer(time.Hour),
	}
	o.idle.Stop()
	o.retry.Stop()
	return o
}

func (o *owner) seats() []*seat { return []*seat{&o.shared, &o.single} }

// run is the goroutine of an instance.
func (o *owner) run() {
	defer close(o.closed)
	defer o.host.all.remove(o.instance)
	closing, retiring := o.closing, o.retiring
	for !o.over() {
		select {
		case a := <-o.asks:
			o.waiting = append(o.waiting, a)
		case r := <-o.releases:
			o.released(r)
		case result := <-o.started:
			o.startEnded(result)
		case <-o.shared.gone():
			o.processGone(&o.shared)
		case <-o.single.gone():
			o.processGone(&o.single)
		case p := <-o.stopped:
			o.stopEnded(p)
		case <-o.idle.C:
			o.idleFor()
		case <-o.retry.C:
		case <-retiring:
			retiring = nil
			o.finishing = true
		case <-closing:
			closing = nil
			o.leave()
		}
		o.serve()
	}
	o.idle.Stop()
	o.retry.Stop()
}

// over reports whether nothing is left to own.
func (o *owner) over() bool {
	return (o.leaving || o.finishing) && o.shared.empty() && o.single.empty()
}

// gone is closed when the seat's process has ended; nil without one.
func (s *seat) gone() <-chan struct{} {
	if s.process == nil {
		return nil
	}
	return s.process.gone
}

// serve gives processes to those who wait, or starts one for them.
func (o *owner) serve() {
	now := time.Now()
	kept := o.waiting[:0]
	for _, a := range o.waiting {
		if !o.serveOne(a, now) {
			kept = append(kept, a)
		}
	}
	clear(o.waiting[len(kept):])
	o.waiting = kept
	running, waiting := o.shared.running+o.single.running, len(o.waiting)
	o.note(func(s *Status) { s.Running, s.Waiting = running, waiting })
	if o.shared.running > 0 {
		o.idle.Stop()
	}
	for _, s := range o.seats() {
		o.fill(s, now)
	}
	o.vacate()
}

// serveOne answers one caller, and reports whether it need not wait on.
func (o *owner) serveOne(a ask, now time.Time) bool {
	s := &o.shared
	if a.alone {
		s = &o.single
	}
	switch {
	case o.leaving:
		o.answer(a, answer{err: errStopping})
	case o.finishing:
		o.answer(a, answer{err: errRetired})
	case a.ctx.Err() != nil:
		// It has gone away by itself.
	case o.circuit.resting(now):
		o.answer(a, answer{err: o.rests()})
	case s.process == nil || s.running >= o.room(s, now) || o.outdated(s):
		return false
	default:
		if o.answer(a, answer{process: s.process}) {
			s.running++
			s.used = true
		}
	}
	return true
}

// maxDraining is how many earlier instances of a plugin may still have calls
// for its process to be replaced only because its fence is outdated.
const maxDraining = 4

// outdated sees that a process whose fence is outdated takes no more calls: one
// without calls is stopped, and to others a successor comes.
func (o *owner) outdated(s *seat) bool {
	switch {
	case s.alone || !o.renewing && !s.process.outdated():
		return false
	case s.running == 0:
		o.stop(s, "files have changed that it is to reach")
		return true
	case !o.renewing && len(o.plugin.left()) < maxDraining:
		o.renewing = true
		o.host.renew(o.instance)
	}
	return o.renewing
}

// room is how many calls a seat's process may serve at once.
func (o *owner) room(s *seat, now time.Time) int {
	switch {
	case s.alone && s.used:
		return 0 // The next call gets a process of its own.
	case s.alone, o.circuit.onTrial(now):
		return 1
	}
	return o.calls
}

// rests is what callers are told while the circuit is open.
func (o *owner) rests() error {
	return &engine.UnavailableError{
		Plugin: o.plugin.name, Until: o.circuit.notYet,
		Reason: fmt.Sprintf("crashed %d times within %s and rests", o.host.limits.circuitExits, o.host.limits.circuitWindow),
	}
}

// fill starts a process for those who wait for the seat.
func (o *owner) fill(s *seat, now time.Time) {
	wanted := slices.ContainsFunc(o.waiting, func(a ask) bool { return a.alone == s.alone })
	if !wanted || !s.empty() || o.leaving || o.finishing {
		return
	}
	if wait := o.circuit.notYet.Sub(now); wait > 0 {
		o.retry.Reset(wait)
		return
	}
	o.begin(s)
}

// vacate stops the processes that have nothing to do any more.
func (o *owner) vacate() {
	if s := &o.single; s.process != nil && s.running == 0 {
		o.stop(s, "its call is over")
	}
	if s := &o.shared; o.finishing && s.process != nil && s.running == 0 {
		o.stop(s, "a newer version takes the calls")
	}
	for _, s := range o.seats() {
		if o.finishing && s.start != nil {
			s.start()
		}
	}
}

// answer reports whether the caller was still there to take it.
func (o *owner) answer(a ask, with answer) bool {
	select {
	case a.answer <- with:
		return true
	case <-a.ctx.Done():
		return false
	}
}

func (o *owner) begin(s *seat) {
	ctx, cancel := context.WithCancel(context.Background())
	s.start = cancel
	if !s.alone {
		o.note(func(s *Status) { s.State = stateStarting })
	}
	go func() {
		p, err := o.host.launch(ctx, o.version, o.host.options.StartTimeout)
		if err == nil {
			p.instance, p.alone = o.instance, s.alone
			if err = p.configure(ctx, o.host); err != nil {
				p.stop("its configuration can't be used")
				p = nil
			}
		}
		o.started <- startResult{s, p, err}
	}()
}

func (o *owner) startEnded(result startResult) {
	s := result.seat
	s.start()
	s.start = nil
	if result.err != nil {
		o.startFailed(s, result.err)
		return
	}
	s.process, s.used = result.process, false
	o.plugin.tally.born(result.process)
	result.process.watchHealth()
	now := time.Now()
	o.mu.Lock()
	if o.firstStart.IsZero() {
		o.firstStart = now
	}
	o.mu.Unlock()
	o.plugin.tally.started()
	if !s.alone {
		o.note(func(st *Status) {
			st.State, st.PID, st.StartedAt, st.NextStart = stateRunning, result.process.pid, now.UTC(), time.Time{}
		})
		o.idle.Reset(o.host.options.IdleTimeout)
	}
	if o.leaving {
		o.stop(s, "the server stops")
	}
}

// startFailed gives the failure to the caller that the start was made for;
// the others wait for the next one.
func (o *owner) startFailed(s *seat, err error) {
	if o.leaving || o.finishing {
		o.note(func(st *Status) { st.State = stateStopped })
		return
	}
	o.host.log.Error("a plugin could not be started", "plugin", o.plugin.name, "error", err)
	o.plugin.tally.failed(err.Error(), nil)
	var typed *pluginsdk.Error
	if errors.As(err, &typed) {
		// The process is good; what it was given is not.
		o.note(func(st *Status) { st.State = stateFailed })
		o.refuse(s, err)
		return
	}
	o.abnormal(stateFailed)
	for k, a := range o.waiting {
		if a.alone == s.alone && o.answer(a, answer{err: err}) {
			o.waiting = slices.Delete(o.waiting, k, k+1)
			return
		}
	}
}

// refuse gives an error to all who wait for the seat.
func (o *owner) refuse(s *seat, err error) {
	o.waiting = slices.DeleteFunc(o.waiting, func(a ask) bool {
		if a.alone == s.alone {
			o.answer(a, answer{err: err})
		}
		return a.alone == s.alone
	})
}

// abnormal counts an exit that nobody asked for.
func (o *owner) abnormal(state string) {
	now := time.Now()
	o.circuit.exited(now)
	if o.circuit.open {
		state = stateQuarantined
		o.host.log.Error("a plugin crashed too often and rests", "plugin", o.plugin.name, "until", o.circuit.notYet)
	}
	next := o.circuit.notYet.UTC()
	o.note(func(s *Status) {
		if s.PID == 0 {
			s.State = state
		}
		s.NextStart = next
	})
	if o.circuit.crashes(now, o.host.limits.turnBackWindow) >= o.host.limits.turnBackExits && o.isNew(now) {
		o.host.turnBack(o.instance)
	}
}

func (o *owner) released(r release) {
	if r.outcome != pluginsdk.OutcomeUnknown {
		wasOpen := o.circuit.open
		o.circuit.worked()
		if wasOpen {
			o.note(func(s *Status) { s.NextStart = time.Time{} })
		}
	}
	for _, s := range o.seats() {
		if s.process != r.process {
			continue // It was counted off when its process went.
		}
		s.running--
		if s.running == 0 && !s.alone {
			o.idle.Reset(o.host.options.IdleTimeout)
		}
	}
}

func (o *owner) idleFor() {
	if o.shared.process != nil && o.shared.running == 0 {
		o.stop(&o.shared, "it was idle")
	}
}

// processGone is told that a process has ended without a wish of ours, or was
// killed for a call that ignored its cancel.
func (o *owner) processGone(s *seat) {
	p := s.process
	s.process, s.running = nil, 0
	s.ending++
	how, reason, fault := p.runner.ending()
	words := p.runner.output.lastWords()
	if reason == "" {
		reason = "it ended by itself: " + how
	}
	o.host.log.Error("a plugin process has ended", "plugin", o.plugin.name, "pid", p.pid, "reason", reason, "how", how)
	o.plugin.tally.failed(reason, words)
	if !s.alone {
		o.idle.Stop()
		o.note(func(st *Status) { st.State, st.PID = stateStopped, 0 })
	}
	if fault {
		o.abnormal(stateStopped)
	}
	go func() {
		p.clear()
		o.stopped <- p
	}()
}

// stop stops a seat's process in the background. Who asks meanwhile gets a
// new one, once the old one is gone.
func (o *owner) stop(s *seat, why string) {
	p := s.process
	s.process, s.running = nil, 0
	s.ending++
	if !s.alone {
		o.idle.Stop()
		o.note(func(st *Status) { st.State = stateStopping })
	}
	o.host.log.Debug("a plugin process is stopped", "plugin", o.plugin.name, "pid", p.pid, "reason", why)
	go func() {
		p.stop(why)
		o.stopped <- p
	}()
}

// stopEnded is told that a process is gone, or given up.
func (o *owner) stopEnded(p *process) {
	s := &o.shared
	if p.alone {
		s = &o.single
	}
	s.ending--
	if !p.isGone() {
		o.host.log.Error("a plugin process can't be killed", "plugin", o.plugin.name, "pid", p.pid)
		o.plugin.tally.failed(fmt.Sprintf("its process %d can't be killed", p.pid), nil)
		o.note(func(st *Status) { st.State, st.PID = stateUnkillable, 0 })
		return
	}
	o.plugin.tally.died(p)
	if !p.alone {
		o.note(func(st *Status) {
			st.PID = 0
			if st.State == stateStopping {
				st.State = stateStopped
			}
		})
	}
}

// leave begins the end of the instance.
func (o *owner) leave() {
	o.leaving = true
	o.idle.Stop()
	o.retry.Stop()
	for _, s := range o.seats() {
		if s.start != nil {
			s.start()
		}
		if s.process != nil {
			o.stop(s, "the server stops")
		}
	}
}
