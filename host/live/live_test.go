package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/host/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// record keeps events as the store does, and publishes them afterwards.
type record struct {
	hub    *live.Hub
	mu     sync.Mutex
	events []plan.Event
	ended  bool
	// onRead is called before each read, to let things happen in between.
	onRead func(n int)
	reads  int
}

func (r *record) add(t plan.EventType) {
	r.mu.Lock()
	e := plan.Event{Type: t, Seq: uint64(len(r.events) + 1), ExecutionID: "x", Private: &plan.Private{Checksum: "hidden"}}
	r.events = append(r.events, e)
	r.ended = r.ended || t == plan.WorkflowCompleted
	r.mu.Unlock()
	r.hub.Publish(e)
}

func (r *record) Execution(context.Context, string) (engine.Execution, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	status := plan.StatusRunning
	if r.ended {
		status = plan.StatusSuccess
	}
	return engine.Execution{Status: status}, nil
}

func (r *record) Events(_ context.Context, _ string, after uint64, limit int) ([]plan.Event, error) {
	r.reads++
	if r.onRead != nil {
		r.onRead(r.reads)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if after > uint64(len(r.events)) {
		return nil, nil
	}
	rest := r.events[after:]
	return append([]plan.Event(nil), rest[:min(limit, len(rest))]...), nil
}

// follow runs Follow to its end and returns the numbers that it sent.
func follow(t *testing.T, r *record, after uint64, onSend func(n int)) ([]uint64, error) {
	t.Helper()
	var sent []uint64
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := live.Follow(ctx, r.hub, r, "x", after, func(m *live.Message) error {
		sent = append(sent, m.Event.Seq)
		if onSend != nil {
			onSend(len(sent))
		}
		return nil
	})
	return sent, err
}

func wantAll(t *testing.T, sent []uint64, from, to uint64) {
	t.Helper()
	if uint64(len(sent)) != to-from+1 {
		t.Fatalf("sent %d events, want %d: %v", len(sent), to-from+1, sent)
	}
	for i, seq := range sent {
		if seq != from+uint64(i) {
			t.Fatalf("event %d has number %d", i, seq)
		}
	}
}

func TestAnEndedExecutionIsReplayedWhole(t *testing.T) {
	r := &record{hub: live.NewHub(nil)}
	for range 650 {
		r.add(plan.StepLog)
	}
	r.add(plan.WorkflowCompleted)
	sent, err := follow(t, r, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantAll(t, sent, 1, 651)
	sent, err = follow(t, r, 600, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantAll(t, sent, 601, 651)
}

func TestFollowingAfterTheLastEventEndsAtOnce(t *testing.T) {
	r := &record{hub: live.NewHub(nil)}
	r.add(plan.WorkflowCompleted)
	if sent, err := follow(t, r, 1, nil); err != nil || len(sent) != 0 {
		t.Errorf("got %v, %v", sent, err)
	}
}

func TestFollowingAnEndedExecutionThatIsStillInMemoryEnds(t *testing.T) {
	r := &record{hub: live.NewHub(nil)}
	s, _, _, err := r.hub.Subscribe("x", 0)
	if err != nil {
		t.Fatal(err)
	}
	r.add(plan.ExecutionStarted)
	r.add(plan.WorkflowCompleted)
	s.Close()
	for after := range uint64(3) {
		sent, err := follow(t, r, after, nil)
		if err != nil || uint64(len(sent)) != 2-after {
			t.Errorf("after %d: %v, %v", after, sent, err)
		}
	}
}

func TestNoEventIsLostOrDoubledWhereverItFalls(t *testing.T) {
	// Something is published before each read in turn: before, between and
	// after the subscription.
	for at := 1; at <= 3; at++ {
		r := &record{hub: live.NewHub(nil)}
		r.add(plan.ExecutionStarted)
		r.onRead = func(n int) {
			if n == at {
				r.add(plan.StepStarted)
				r.add(plan.StepCompleted)
			}
		}
		end := sync.OnceFunc(func() { r.add(plan.WorkflowCompleted) })
		sent, err := follow(t, r, 0, func(n int) {
			if n == 3 || at == 3 {
				end()
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		r.mu.Lock()
		total := uint64(len(r.events))
		r.mu.Unlock()
		wantAll(t, sent, 1, total)
	}
}

func TestAnEndBetweenSubscribingAndReadingIsSeen(t *testing.T) {
	r := &record{hub: live.NewHub(nil)}
	r.add(plan.ExecutionStarted)
	r.onRead = func(n int) {
		if n == 2 {
			r.add(plan.WorkflowCompleted)
		}
	}
	sent, err := follow(t, r, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantAll(t, sent, 1, 2)
}

func TestASlowReaderIsDroppedAndResumesByNumber(t *testing.T) {
	r := &record{hub: live.NewHub(nil)}
	r.add(plan.ExecutionStarted)
	live1 := make(chan struct{})
	stuck := make(chan struct{})
	result := make(chan error, 1)
	var first []uint64
	go func() {
		_, err := follow(t, r, 0, func(n int) {
			first = append(first, uint64(n))
			if n == 2 {
				close(live1)
				<-stuck
			}
		})
		result <- err
	}()
	waitFor(t, func() bool { return r.hub.Readers() == 1 })
	r.add(plan.StepStarted)
	<-live1
	// The reader takes nothing more; publishing must go on all the same.
	for range 5000 {
		r.add(plan.StepLog)
	}
	close(stuck)
	if err := <-result; !errors.Is(err, live.ErrSlow) {
		t.Fatalf("got %v", err)
	}
	if r.hub.Readers() != 0 {
		t.Error("the dropped reader is still there")
	}
	r.add(plan.WorkflowCompleted)
	sent, err := follow(t, r, uint64(len(first)), nil)
	if err != nil {
		t.Fatal(err)
	}
	wantAll(t, sent, uint64(len(first))+1, 5003)
}

func TestAReaderWhoComesBackIsServedFromMemory(t *testing.T) {
	r := &record{hub: live.NewHub(nil)}
	s, _, _, err := r.hub.Subscribe("x", 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		r.add(plan.StepLog)
	}
	s.Close()
	again, backlog, complete, err := r.hub.Subscribe("x", 4)
	if err != nil || !complete || len(backlog) != 6 || backlog[0].Event.Seq != 5 {
		t.Fatalf("backlog of %d, complete %v, %v", len(backlog), complete, err)
	}
	again.Close()
	// What came before the first reader is not in memory.
	r.hub.Close()
	r.hub = live.NewHub(nil)
	s, _, complete, err = r.hub.Subscribe("x", 4)
	if err != nil || complete {
		t.Fatalf("an empty memory is complete: %v, %v", complete, err)
	}
	s.Close()
}

func TestTheMemoryIsBounded(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	hub := live.NewHub(func() time.Time { return now })
	s, _, _, err := hub.Subscribe("x", 0)
	if err != nil {
		t.Fatal(err)
	}
	output := json.RawMessage(`"` + strings.Repeat("x", 60<<10) + `"`)
	for i := range 100 {
		hub.Publish(plan.Event{Type: plan.StepCompleted, ExecutionID: "x", Seq: uint64(i + 1), Output: output})
	}
	s.Close()
	again, backlog, complete, err := hub.Subscribe("x", 97)
	if err != nil || !complete || len(backlog) != 3 {
		t.Errorf("the newest events: %d, %v, %v", len(backlog), complete, err)
	}
	again.Close()
	if again, _, complete, err = hub.Subscribe("x", 90); err != nil || complete {
		t.Errorf("600 KB were kept: %v, %v", complete, err)
	}
	again.Close()
	now = now.Add(2 * time.Minute)
	other, _, _, err := hub.Subscribe("y", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if again, _, complete, err = hub.Subscribe("x", 97); err != nil || complete {
		t.Errorf("an old ring was kept: %v, %v", complete, err)
	}
	again.Close()
}

func TestTheDashboardHearsOfExecutionsNotOfSteps(t *testing.T) {
	r := &record{hub: live.NewHub(nil)}
	s, err := r.hub.SubscribeAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range []plan.EventType{
		plan.ExecutionStarted, plan.StepStarted, plan.StepLog, plan.StepProgress, plan.StepInterrupted, plan.ExecutionCancelling,
		plan.StepCompleted, plan.ProgressMade, plan.WorkflowCompleted,
	} {
		r.add(event)
	}
	r.hub.Publish(plan.Event{Type: plan.ExecutionCreated, Sub: 1})
	s.Close()
	var heard []plan.EventType
	for {
		m, err := s.Next(t.Context())
		if err != nil {
			break
		}
		heard = append(heard, m.Event.Type)
	}
	if len(heard) != 4 || heard[0] != plan.ExecutionStarted || heard[1] != plan.StepInterrupted || heard[3] != plan.WorkflowCompleted {
		t.Errorf("heard %v", heard)
	}
}

func TestClosingTheHubEndsEveryReader(t *testing.T) {
	r := &record{hub: live.NewHub(nil)}
	r.add(plan.ExecutionStarted)
	result := make(chan error, 1)
	go func() {
		_, err := follow(t, r, 0, nil)
		result <- err
	}()
	waitFor(t, func() bool { return r.hub.Readers() == 1 })
	all, err := r.hub.SubscribeAll()
	if err != nil {
		t.Fatal(err)
	}
	r.hub.Close()
	if err := <-result; !errors.Is(err, live.ErrClosed) {
		t.Errorf("follower: %v", err)
	}
	if _, err := all.Next(t.Context()); !errors.Is(err, live.ErrClosed) {
		t.Errorf("dashboard: %v", err)
	}
	if _, err := r.hub.SubscribeAll(); !errors.Is(err, live.ErrClosed) {
		t.Errorf("a closed hub takes readers: %v", err)
	}
}

func TestPrivatePartsAreNeverSent(t *testing.T) {
	text, err := live.NewMessage(plan.Event{Type: plan.StepStarted, Seq: 3, Private: &plan.Private{Checksum: "hidden"}}).JSON()
	if err != nil || strings.Contains(string(text), "hidden") || !strings.Contains(string(text), `"seq":3`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestFollowingEndsWithItsContext(t *testing.T) {
	r := &record{hub: live.NewHub(nil)}
	r.add(plan.ExecutionStarted)
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("the client is gone")
	err := live.Follow(ctx, r.hub, r, "x", 0, func(*live.Message) error {
		cancel(gone)
		return nil
	})
	if !errors.Is(err, gone) || r.hub.Readers() != 0 {
		t.Errorf("%v with %d readers left", err, r.hub.Readers())
	}
}

// waitFor polls a condition that another goroutine brings about.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it did not happen within 10 s")
		}
	}
}

func BenchmarkPublishUnwatched(b *testing.B) {
	hub := live.NewHub(nil)
	event := plan.Event{Type: plan.StepLog, ExecutionID: "x", Seq: 1}
	for b.Loop() {
		hub.Publish(event)
	}
}
