package local

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/enginetest"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

// forgetful is a journal that keeps nothing, so that what is measured is what
// the runtime keeps.
type forgetful struct{ *enginetest.Store }

func (forgetful) Create(_ context.Context, given engine.Creation) (engine.Execution, bool, error) {
	return given.Execution, true, given.Refused
}

func (forgetful) Append(context.Context, engine.Commit) error { return nil }

// queue is a runtime in which one execution runs, and all others wait for it.
type queue struct {
	*Runtime
	request engine.StartRequest
	goOn    chan struct{}
}

func newQueue(t *testing.T, maxLive int) *queue {
	t.Helper()
	q := &queue{goOn: make(chan struct{})}
	store := forgetful{enginetest.NewStore()}
	invoker := &enginetest.Invoker{Handlers: map[string]enginetest.Handler{
		"test.hold": func(context.Context, *pluginsdk.Request, pluginsdk.Reporter) pluginsdk.Outcome {
			<-q.goOn
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
		},
	}}
	q.Runtime = New(Options{
		Journal: store, Blobs: store, Logs: store, Invoker: invoker, Catalogue: enginetest.NewCatalogue(map[string]pluginsdk.EffectClass{"test.hold": pluginsdk.EffectPure}),
		Settings: enginetest.Settings{}, Publisher: nobody{}, Clock: enginetest.Clock{}, BootEpoch: 1, MaxLive: maxLive,
	})
	if _, err := q.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	q.request = engine.StartRequest{
		WorkflowID: "w", Revision: 1, Trigger: engine.TriggerAPI, Workspace: engine.Workspace{Name: "default", Dir: t.TempDir()},
		Document: json.RawMessage(`{"name":"Queue","concurrency":{"limit":1},"steps":[{"id":"a","handler":"test.hold"}]}`),
	}
	t.Cleanup(func() {
		close(q.goOn)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := q.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return q
}

func (q *queue) fill(t *testing.T, n int) {
	t.Helper()
	for range n {
		if _, _, err := q.Start(t.Context(), q.request); err != nil {
			t.Fatal(err)
		}
	}
}

func used() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// A queue may be 100,000 long: what waits must be small, and the next one must
// not take the longer the more there are.
func TestAWaitingExecutionIsSmall(t *testing.T) {
	const n, most = 10_000, 16 << 10
	q := newQueue(t, 0)
	q.fill(t, 100)
	before := used()
	q.fill(t, n)
	if each := (used() - before) / n; each > most {
		t.Errorf("an execution that waits takes %d bytes, want at most %d", each, most)
	}
}

func TestAFullQueueRefusesUntilThereIsRoom(t *testing.T) {
	t.Parallel()
	q := newQueue(t, 3)
	q.fill(t, 2)
	last, _, err := q.Start(t.Context(), q.request)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"", "of a request that is new"} {
		request := q.request
		request.IdempotencyKey = key
		if _, _, err := q.Start(t.Context(), request); !errors.Is(err, engine.ErrBusy) {
			t.Errorf("a fourth start, with the key %q: %v", key, err)
		}
	}
	// What a step of a running execution starts is let in.
	child := q.request
	child.Origin = &plan.Origin{Parent: &plan.Parent{ExecutionID: last.ID, StepID: "a"}}
	started, _, err := q.Start(t.Context(), child)
	if err != nil {
		t.Errorf("a child: %v", err)
	}
	for _, id := range []string{started.ID, last.ID} {
		if _, err := q.Cancel(t.Context(), id, "tester"); err != nil {
			t.Fatal(err)
		}
		if err := q.Wait(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	q.fill(t, 1)
}

func TestPlacesAreGivenInTheOrderOfArrival(t *testing.T) {
	t.Parallel()
	s, granted := newSlots(), []string{}
	enter := func(id string, limit int, holds bool) *engine.SlotView {
		t.Helper()
		view, err := s.enter("k", &slotMember{id: id, limit: limit, holds: holds, grant: func() { granted = append(granted, id) }}, false)
		if err != nil {
			t.Fatal(err)
		}
		return view
	}
	for _, id := range []string{"a", "b"} {
		if enter(id, 2, false) != nil {
			t.Fatalf("%s waits though there is room", id)
		}
	}
	for i, id := range []string{"c", "d", "e", "f"} {
		if view := enter(id, 2, false); view == nil || view.Place != i+1 || len(view.Holders) != 2 {
			t.Fatalf("%s: %+v", id, view)
		}
	}
	if _, err := s.enter("k", &slotMember{id: "x", limit: 2}, true); !errors.Is(err, engine.ErrConflict) || s.members["x"] != nil {
		t.Errorf("one that does not wait: %v", err)
	}
	s.leave("d")
	if view := s.view("f"); view == nil || view.Place != 3 {
		t.Errorf("f after d has gone: %+v", view)
	}
	if before := s.before("e"); !slices.Equal(before, []string{"a", "b", "c"}) {
		t.Errorf("before e: %v", before)
	}
	// One that counts with a smaller limit holds the others to it.
	enter("small", 1, false)
	s.leave("a")
	if len(granted) != 0 {
		t.Errorf("%v were let in over the smallest limit", granted)
	}
	s.leave("small")
	s.leave("b")
	if !slices.Equal(granted, []string{"c", "e"}) {
		t.Errorf("granted: %v", granted)
	}
	for _, id := range []string{"c", "e", "f"} {
		s.leave(id)
	}
	if len(s.groups) != 0 || len(s.members) != 0 {
		t.Errorf("left: %v, %v", s.groups, s.members)
	}
}

// nobody is a publisher without readers.
type nobody struct{}

func (nobody) Publish(plan.Event) {}
