// Package live carries events from the engine to whoever watches, while they
// happen: it implements engine.Publisher for any number of readers.
//
// It is not a record. What was missed is read from the store, and Follow
// joins the two without a gap and without a double. A reader never slows an
// execution: one that falls behind is dropped and comes again with the number
// of the last event it has.
package live

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
)

const (
	// buffer is how many events a reader may be behind.
	buffer = 1024
	// A ring keeps the newest events of a watched execution, so that a
	// reader who comes again need not ask the store.
	ringEvents = 1024
	ringBytes  = 256 << 10
	// ringLife is how long the ring of an ended execution is kept, and
	// maxRings how many rings there are at most.
	ringLife = time.Minute
	maxRings = 1024
	// eventBytes is what an event takes beside its texts, roughly.
	eventBytes = 640
)

// Errors that end a subscription.
var (
	// ErrSlow: the reader fell too far behind.
	ErrSlow = errors.New("the reader is too slow")
	// ErrClosed: the server is stopping.
	ErrClosed = errors.New("the server is stopping")
)

// Message is one event, shared by all its readers.
type Message struct {
	// Event is zero for an announcement.
	Event plan.Event
	// workflowID is what an announcement is about, if anything.
	workflowID string

	once sync.Once
	text []byte
	err  error
}

// NewMessage wraps an event; only its public part is ever shown.
func NewMessage(event plan.Event) *Message {
	return &Message{Event: event.Public()}
}

// NewNotice wraps what happened outside of every execution, as JSON that has
// an "event" and no number. Its Event is empty.
// workflowID is what it is about; empty for what is about no workflow.
func NewNotice(workflowID string, text []byte) *Message {
	m := &Message{text: text, workflowID: workflowID}
	m.once.Do(func() {})
	return m
}

// About is the workflow that the message is about, empty where it is about
// none.
func (m *Message) About() string {
	if m.workflowID != "" {
		return m.workflowID
	}
	return m.Event.WorkflowID
}

// JSON is the event as sockets send it. It is made once, by the first reader
// that asks, and must not be changed.
func (m *Message) JSON() ([]byte, error) {
	m.once.Do(func() { m.text, m.err = json.Marshal(m.Event) })
	return m.text, m.err
}

func (m *Message) size() int {
	e := &m.Event
	return eventBytes + len(e.Message) + len(e.Fields) + len(e.Details) + len(e.Output)
}

// Last reports whether no event of its execution follows.
func (m *Message) Last() bool { return m.Event.Type == plan.WorkflowCompleted }

// Hub passes published events to subscriptions. Its methods may be called
// from several goroutines at once.
type Hub struct {
	now func() time.Time

	mu      sync.Mutex
	closed  bool
	topics  map[string]*topic
	all     map[*Subscription]struct{}
	readers int
	// dropped counts the readers that were too slow.
	dropped uint64
}

// topic is a watched execution.
type topic struct {
	readers map[*Subscription]struct{}
	ring    []*Message
	bytes   int
	// last is the newest number published since the topic began, and
	// touched when it was last published to or left.
	last    uint64
	touched time.Time
	ended   bool
}

// NewHub returns a hub without readers. now may be nil.
func NewHub(now func() time.Time) *Hub {
	if now == nil {
		now = time.Now
	}
	return &Hub{now: now, topics: map[string]*topic{}, all: map[*Subscription]struct{}{}}
}

// Publish passes an event on. It never blocks; what nobody watches costs a
// look into a map.
func (h *Hub) Publish(event plan.Event) {
	if event.Sub != 0 || event.Type.Internal() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[event.ExecutionID]
	summary := len(h.all) > 0 && forDashboard(event.Type)
	if t == nil && !summary {
		return
	}
	m := NewMessage(event)
	if t != nil {
		t.keep(m, h.now())
		for reader := range t.readers {
			h.offer(reader, m)
		}
	}
	if summary {
		for reader := range h.all {
			h.offer(reader, m)
		}
	}
}

// Announce passes a notice to those who watch everything. It never blocks.
func (h *Hub) Announce(notice *Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for reader := range h.all {
		h.offer(reader, notice)
	}
}

// forDashboard picks the events that change an execution's own state.
func forDashboard(t plan.EventType) bool {
	switch t {
	case plan.StepStarted, plan.StepLog, plan.StepProgress, plan.StepRetrying, plan.StepItemCompleted, plan.StepUndone, plan.StepCompleted, plan.ProgressMade:
		return false
	}
	return true
}

// offer queues a message for a reader; the caller has the lock.
func (h *Hub) offer(reader *Subscription, m *Message) {
	if len(reader.queue) >= buffer {
		if !reader.ended {
			h.dropped++
		}
		h.end(reader, ErrSlow)
		return
	}
	reader.queue = append(reader.queue, m)
	reader.wake()
}

// end takes a subscription out; the caller has the lock.
func (h *Hub) end(s *Subscription, cause error) {
	if s.ended {
		return
	}
	s.ended, s.cause = true, cause
	s.wake()
	h.readers--
	delete(h.all, s)
	if t := h.topics[s.executionID]; t != nil {
		delete(t.readers, s)
		t.touched = h.now()
	}
}

func (t *topic) keep(m *Message, now time.Time) {
	t.last, t.touched, t.ended = m.Event.Seq, now, t.ended || m.Last()
	t.ring, t.bytes = append(t.ring, m), t.bytes+m.size()
	for len(t.ring) > ringEvents || (t.bytes > ringBytes && len(t.ring) > 1) {
		t.bytes -= t.ring[0].size()
		t.ring[0] = nil
		t.ring = t.ring[1:]
	}
}

// after returns the kept events with a higher number, and whether they are
// all that there are.
func (t *topic) after(seq uint64) ([]*Message, bool) {
	if len(t.ring) == 0 || t.ring[0].Event.Seq > seq+1 || t.last < seq {
		return nil, false
	}
	for i, m := range t.ring {
		if m.Event.Seq > seq {
			return t.ring[i:], true
		}
	}
	return nil, true
}

// errUnsubscribed is what a reader gets that closed its subscription itself.
var errUnsubscribed = errors.New("the subscription was closed")

// Subscription is one reader's view. What waits for the reader is a queue and
// not a channel: most readers are quiet, and room kept for each would add up.
type Subscription struct {
	hub         *Hub
	executionID string
	// woken has a token when there is something to look at.
	woken chan struct{}

	// The rest belongs to the hub's lock.
	queue []*Message
	ended bool
	cause error
}

func (s *Subscription) wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// Next waits for the next event. Once the subscription has ended it gives
// what was queued before, and then the reason: ErrSlow or ErrClosed. It is for
// one goroutine.
func (s *Subscription) Next(ctx context.Context) (*Message, error) {
	for {
		if m, err := s.take(); m != nil || err != nil {
			return m, err
		}
		select {
		case <-s.woken:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (s *Subscription) take() (*Message, error) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if len(s.queue) == 0 {
		if s.ended && s.cause == nil {
			return nil, errUnsubscribed
		}
		return nil, s.cause
	}
	m := s.queue[0]
	s.queue[0] = nil
	if s.queue = s.queue[1:]; len(s.queue) == 0 {
		s.queue = nil
	}
	return m, nil
}

// Close ends the subscription; more than once is no error.
func (s *Subscription) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.hub.end(s, nil)
}

// Subscribe watches one execution from now on. Where the hub still has all
// events since after, it hands them over and complete is true; else the
// missing ones must be read from the store.
func (h *Hub) Subscribe(executionID string, after uint64) (s *Subscription, backlog []*Message, complete bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, err = h.subscribe(executionID)
	if err != nil {
		return nil, nil, false, err
	}
	t := h.topics[executionID]
	if t == nil {
		h.sweep()
		t = &topic{readers: map[*Subscription]struct{}{}, touched: h.now()}
		h.topics[executionID] = t
	}
	t.readers[s] = struct{}{}
	kept, complete := t.after(after)
	return s, append([]*Message(nil), kept...), complete, nil
}

// SubscribeAll watches starts, changes of state and ends of all executions,
// and notices.
func (h *Hub) SubscribeAll() (*Subscription, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, err := h.subscribe("")
	if err != nil {
		return nil, err
	}
	h.all[s] = struct{}{}
	return s, nil
}

func (h *Hub) subscribe(executionID string) (*Subscription, error) {
	if h.closed {
		return nil, ErrClosed
	}
	h.readers++
	return &Subscription{hub: h, executionID: executionID, woken: make(chan struct{}, 1)}, nil
}

// sweep forgets the rings that nobody will come back to.
func (h *Hub) sweep() {
	now := h.now()
	for id, t := range h.topics {
		old := now.Sub(t.touched) >= ringLife
		if len(t.readers) == 0 && (old || len(h.topics) >= maxRings) {
			delete(h.topics, id)
		}
	}
}

// Readers returns how many subscriptions there are.
func (h *Hub) Readers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.readers
}

// Dropped returns how many readers were dropped so far because they were too
// slow.
func (h *Hub) Dropped() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dropped
}

// Close ends all subscriptions with ErrClosed and takes no new ones.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for s := range h.all {
		h.end(s, ErrClosed)
	}
	for _, t := range h.topics {
		for s := range t.readers {
			h.end(s, ErrClosed)
		}
	}
	clear(h.topics)
}
