package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

func testPause(w *world) {
	hold := make(chan struct{})
	w.ports.Invoker.Handlers["test.unsafe"] = func(ctx context.Context, _ *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		<-hold
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	id := w.start(`"steps":[{"id":"a","handler":"test.unsafe"},{"id":"b","handler":"test.pure","dependencies":["a"]}]`)
	w.await(id, plan.StepStarted, "a")
	header, err := w.engine.Pause(w.t.Context(), id, "tester")
	if err != nil || header.Status != plan.StatusPaused {
		w.t.Fatalf("paused: %s, %v", header.Status, err)
	}
	if _, err := w.engine.Pause(w.t.Context(), id, "tester"); !errors.Is(err, engine.ErrConflict) {
		w.t.Errorf("paused twice: %v", err)
	}
	close(hold)
	w.await(id, plan.StepCompleted, "a")
	w.crash()
	time.Sleep(time.Hour)
	if calls := w.ports.Invoker.CallsOf("b"); calls != 0 {
		w.t.Errorf("b ran %d times while the execution was paused", calls)
	}
	explained, err := w.engine.Explain(w.t.Context(), id)
	if err != nil || !strings.Contains(strings.Join(explained.Steps[1].Reasons, " "), "paused") {
		w.t.Errorf("explained as %+v: %v", explained, err)
	}
	if _, err := w.engine.Resume(w.t.Context(), id, "tester"); err != nil {
		w.t.Fatal(err)
	}
	w.want(id, plan.StatusSuccess, "a=success b=success")
}

// held makes test.unsafe wait for a token of its own for each call.
func (w *world) held() chan struct{} {
	tokens := make(chan struct{})
	w.ports.Invoker.Handlers["test.unsafe"] = func(ctx context.Context, _ *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		select {
		case <-tokens:
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
		case <-ctx.Done():
			return fail(pluginsdk.FailureCancelled, "cancelled")
		}
	}
	return tokens
}

func (w *world) status(id string) plan.Status {
	stored, err := w.ports.Store.Load(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return stored.Execution.Status
}

const limited = `"concurrency":{"limit":1%s},"steps":[{"id":"a","handler":"test.unsafe"}]`

func testQueue(w *world) {
	tokens := w.held()
	var ids []string
	for range 3 {
		ids = append(ids, w.start(fmt.Sprintf(limited, "")))
	}
	w.await(ids[0], plan.StepStarted, "a")
	w.await(ids[1], plan.ExecutionQueued, "")
	event := w.await(ids[2], plan.ExecutionQueued, "")
	if !strings.Contains(event.Reason, ids[0]) || !strings.Contains(event.Reason, "place 2") {
		w.t.Errorf("the reason is %q", event.Reason)
	}
	explained, err := w.engine.Explain(w.t.Context(), ids[2])
	if err != nil || explained.Slot == nil || explained.Slot.Place != 2 || explained.Slot.Holders[0].ExecutionID != ids[0] || explained.Status != plan.StatusQueued {
		w.t.Errorf("explained as %+v: %v", explained, err)
	}
	for i, id := range ids {
		w.await(id, plan.StepStarted, "a")
		if i+1 < len(ids) && w.status(ids[i+1]) != plan.StatusQueued {
			w.t.Errorf("execution %d is %s while %d runs", i+1, w.status(ids[i+1]), i)
		}
		tokens <- struct{}{}
		w.want(id, plan.StatusSuccess, "a=success")
	}
}

func testQueueKey(w *world) {
	var gates sync.Map // of each execution; closed to let its step end
	gate := func(id string) chan struct{} {
		made, _ := gates.LoadOrStore(id, make(chan struct{}))
		return made.(chan struct{})
	}
	w.ports.Invoker.Handlers["test.unsafe"] = func(_ context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		<-gate(r.ExecutionID)
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	keyed := `"concurrency":{"limit":%d,"key":"${workspace.name}"},"steps":[{"id":"a","handler":"test.unsafe"}]`
	start := func(workflowID, workspace string, limit int) string {
		request := w.request(fmt.Sprintf(keyed, limit))
		request.WorkflowID, request.Workspace.Name = workflowID, workspace
		execution, _, err := w.engine.Start(w.t.Context(), request)
		if err != nil {
			w.t.Fatal(err)
		}
		return execution.ID
	}
	first := start("one", "main", 2)
	w.await(first, plan.StepStarted, "a")
	// The smallest limit among those of the key counts.
	second := start("two", "main", 1)
	other := start("two", "elsewhere", 1)
	w.await(other, plan.StepStarted, "a")
	w.await(second, plan.ExecutionQueued, "")
	close(gate(other))
	w.want(other, plan.StatusSuccess, "")
	if status := w.status(second); status != plan.StatusQueued {
		w.t.Errorf("%s is %s while %s runs", second, status, first)
	}
	close(gate(first))
	w.want(first, plan.StatusSuccess, "")
	w.await(second, plan.StepStarted, "a")
	close(gate(second))
	w.want(second, plan.StatusSuccess, "")
}

func testConflictPolicies(w *world) {
	tokens := w.held()
	first := w.start(fmt.Sprintf(limited, `,"on_conflict":"reject"`))
	w.await(first, plan.StepStarted, "a")
	if _, _, err := w.engine.Start(w.t.Context(), w.request(fmt.Sprintf(limited, `,"on_conflict":"reject"`))); !errors.Is(err, engine.ErrConflict) || !strings.Contains(err.Error(), first) {
		w.t.Errorf("rejected with %v", err)
	}
	second := w.start(fmt.Sprintf(limited, `,"on_conflict":"cancel_running"`))
	header := w.want(first, plan.StatusCancelled, "a=cancelled")
	if !strings.Contains(header.StatusReason, second) {
		w.t.Errorf("the reason is %q", header.StatusReason)
	}
	w.await(second, plan.StepStarted, "a")
	tokens <- struct{}{}
	w.want(second, plan.StatusSuccess, "a=success")
}

func testSlotsAfterCrash(w *world) {
	var mu sync.Mutex
	running, most := map[string]bool{}, 0
	w.ports.Invoker.Handlers["test.pure"] = func(ctx context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		mu.Lock()
		running[r.ExecutionID] = true
		most = max(most, len(running))
		mu.Unlock()
		defer func() {
			mu.Lock()
			delete(running, r.ExecutionID)
			mu.Unlock()
		}()
		select {
		case <-time.After(time.Second):
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
		case <-ctx.Done():
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{Code: "UNKNOWN"}}
		}
	}
	var ids []string
	for range 50 {
		ids = append(ids, w.start(`"concurrency":{"limit":3},"steps":[{"id":"a","handler":"test.pure"},{"id":"b","handler":"test.pure","dependencies":["a"]}]`))
	}
	for range 4 {
		time.Sleep(2500 * time.Millisecond)
		w.crash()
	}
	for _, id := range ids {
		w.want(id, plan.StatusSuccess, "a=success b=success")
	}
	if most != 3 {
		w.t.Errorf("%d ran at once, want 3", most)
	}
}

func testCancelQueued(w *world) {
	tokens := w.held()
	first, second, third := w.start(fmt.Sprintf(limited, "")), w.start(fmt.Sprintf(limited, "")), w.start(fmt.Sprintf(limited, ""))
	w.await(second, plan.ExecutionQueued, "")
	if _, err := w.engine.Cancel(w.t.Context(), second, "tester"); err != nil {
		w.t.Fatal(err)
	}
	header := w.want(second, plan.StatusCancelled, "a=skipped")
	if header.TotalTime > 1 || slices.ContainsFunc(w.ports.Recorder.Events(second), func(e plan.Event) bool { return e.Type == plan.ExecutionStarted }) {
		w.t.Errorf("it began: %+v", header)
	}
	for _, id := range []string{first, third} {
		w.await(id, plan.StepStarted, "a")
		tokens <- struct{}{}
		w.want(id, plan.StatusSuccess, "a=success")
	}
}
