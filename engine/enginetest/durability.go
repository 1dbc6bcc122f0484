package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

func testDrain(w *world) {
	release := make(chan struct{})
	w.ports.Invoker.Handlers["test.unsafe"] = func(context.Context, *pluginsdk.Request, pluginsdk.Reporter) pluginsdk.Outcome {
		<-release
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	id := w.start(`"steps":[{"id":"a","handler":"test.unsafe"},{"id":"b","handler":"test.pure","dependencies":["a"]}]`)
	w.await(id, plan.StepStarted, "a")
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		w.close(time.Minute)
	}()
	time.Sleep(time.Second) // Virtual time: lets Close begin.
	if _, _, err := w.engine.Start(w.t.Context(), w.request(`"steps":[{"id":"a","handler":"test.pure"}]`)); !errors.Is(err, engine.ErrStopping) {
		w.t.Errorf("a start while stopping: %v", err)
	}
	close(release)
	<-closed
	if steps := w.ports.Store.Steps(id); steps["a"].Status != plan.StatusSuccess || w.ports.Invoker.CallsOf("b") != 0 {
		w.t.Errorf("after the stop a is %s and b was called %d times", steps["a"].Status, w.ports.Invoker.CallsOf("b"))
	}
	w.engine = nil
	w.restart()
	w.want(id, plan.StatusSuccess, "a=success b=success")
	if calls := w.ports.Invoker.CallsOf("a"); calls != 1 {
		w.t.Errorf("a was called %d times", calls)
	}
}

func testStopInMidStep(w *world) {
	w.ports.Invoker.Handlers["test.unsafe"] = obedient
	w.ports.Invoker.Handlers["test.pure"] = func(ctx context.Context, r *pluginsdk.Request, reporter pluginsdk.Reporter) pluginsdk.Outcome {
		if r.Attempt == 1 {
			return obedient(ctx, r, reporter)
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	id := w.start(`"steps":[{"id":"u","handler":"test.unsafe"},{"id":"p","handler":"test.pure"}]`)
	w.await(id, plan.StepStarted, "u")
	w.await(id, plan.StepStarted, "p")
	w.restart()
	w.await(id, plan.StepInterrupted, "u")
	w.await(id, plan.StepCompleted, "p")
	if calls := w.ports.Invoker.CallsOf("u"); calls != 1 {
		w.t.Errorf("the unsafe step was called %d times", calls)
	}
	if _, err := w.engine.ResolveStep(w.t.Context(), id, "u", engine.Resolution{As: "success", By: "tester"}); err != nil {
		w.t.Fatal(err)
	}
	w.want(id, plan.StatusSuccess, "u=success p=success")
}

// ledger counts what was really done, as the outside world sees it.
type ledger struct {
	mu   sync.Mutex
	done map[string]int
}

func (l *ledger) note(step string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done[step]++
}

func (l *ledger) count(step string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.done[step]
}

// crashWorkflow has every effect class, in parallel and in a row.
const crashWorkflow = `"steps":[
	{"id":"pure","handler":"test.pure"},
	{"id":"rec","handler":"test.reconcilable","dependencies":["pure"]},
	{"id":"unsafe","handler":"test.unsafe","dependencies":["pure"]},
	{"id":"join","handler":"test.reconcilable","dependencies":["rec","unsafe"],"config":{"n":"${step-outputs.rec.n}"}},
	{"id":"end","handler":"test.pure","run_on":"always","dependencies":["join"]}]`

// testCrashes lets the store fail at every commit, both ways, and holds what
// is promised: nothing acknowledged is lost, no recorded step is run again,
// no unsafe effect is repeated.
func testCrashes(w *world) {
	for _, applied := range []bool{false, true} {
		for k := 1; ; k++ {
			if !crashOnce(w, k, applied) {
				break
			}
			if k > 100 {
				w.t.Fatal("the workflow has more commits than it should")
			}
		}
	}
}

func crashOnce(w *world, k int, applied bool) (crashed bool) {
	world := &ledger{done: map[string]int{}}
	act := func(_ context.Context, r *pluginsdk.Request, reporter pluginsdk.Reporter) pluginsdk.Outcome {
		reporter.Log(pluginsdk.LogLine{Level: pluginsdk.LevelInfo, Message: "working"})
		world.note(r.StepID)
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: json.RawMessage(`{"n":1}`)}
	}
	for path := range suiteHandlers {
		w.ports.Invoker.Handlers[path] = act
	}
	w.ports.Invoker.Reconcilers["test.reconcilable"] = func(r *pluginsdk.Request) pluginsdk.ReconcileResult {
		if world.count(r.StepID) > 0 {
			return pluginsdk.ReconcileResult{Status: pluginsdk.ReconcileDone, Output: json.RawMessage(`{"n":1}`)}
		}
		return pluginsdk.ReconcileResult{Status: pluginsdk.ReconcileNotStarted}
	}
	w.ports.Store.CrashAt(k, applied)
	request := w.request(crashWorkflow)
	request.IdempotencyKey = fmt.Sprint("crash ", k, applied)
	execution, _, err := w.engine.Start(w.t.Context(), request)
	if err == nil {
		if err := w.engine.Wait(w.t.Context(), execution.ID); err != nil {
			w.t.Fatal(err)
		}
	}
	crashed = w.ports.Store.Crashed()
	recorded := w.recorded(execution.ID)
	before := map[string]int{}
	for step := range recorded {
		before[step] = world.count(step)
	}
	w.restart()
	if err != nil {
		// The caller was told nothing; the same request starts it, or finds
		// it started.
		if execution, _, err = w.engine.Start(w.t.Context(), request); err != nil {
			w.t.Fatalf("commit %d: start again: %v", k, err)
		}
	}
	w.resolveIfAsked(execution.ID)
	header := w.finish(execution.ID)
	if header.Status != plan.StatusSuccess {
		w.t.Fatalf("commit %d, applied %v: ended as %s: %+v", k, applied, header.Status, header.Error)
	}
	for step, count := range before {
		if world.count(step) != count {
			w.t.Fatalf("commit %d: step %s was recorded and ran again", k, step)
		}
	}
	for _, step := range []string{"unsafe", "rec", "join"} {
		if count := world.count(step); count != 1 {
			w.t.Fatalf("commit %d, applied %v: step %s took effect %d times", k, applied, step, count)
		}
	}
	return crashed
}

// recorded lists the steps whose success is in the journal.
func (w *world) recorded(id string) map[string]bool {
	steps := map[string]bool{}
	for _, event := range w.ports.Store.History(id) {
		if event.Type == plan.StepCompleted {
			steps[event.StepID] = true
		}
	}
	return steps
}

// resolveIfAsked plays the person who knows that the unsafe step was done, or
// was not.
func (w *world) resolveIfAsked(id string) {
	w.t.Helper()
	event, err := w.ports.Recorder.Await(func(e plan.Event) bool {
		return e.ExecutionID == id && (e.Type == plan.StepInterrupted || e.Type == plan.WorkflowCompleted)
	})
	if err != nil {
		// It had ended before this runtime, which published nothing of it.
		return
	}
	if event.Type != plan.StepInterrupted {
		return
	}
	as := "retry"
	if w.ports.Invoker.CallsOf(event.StepID) > 0 && w.callsOfExecution(id, event.StepID) > 0 {
		as = "success"
	}
	if _, err := w.engine.ResolveStep(w.t.Context(), id, event.StepID, engine.Resolution{As: as, By: "tester"}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) callsOfExecution(id, step string) int {
	count := 0
	for _, call := range w.ports.Invoker.Calls() {
		if call.ExecutionID == id && call.StepID == step {
			count++
		}
	}
	return count
}

func testParking(w *world) {
	w.ports.Invoker.Handlers["test.pure"] = func(ctx context.Context, r *pluginsdk.Request, reporter pluginsdk.Reporter) pluginsdk.Outcome {
		if r.Attempt <= 3 {
			w.ports.Store.CrashAt(1, false)
			return obedient(ctx, r, reporter)
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	id := w.start(`"steps":[{"id":"a","handler":"test.pure"}]`)
	for range 3 {
		time.Sleep(time.Second) // Virtual time: the call is under way.
		w.restart()
	}
	event, err := w.ports.Recorder.Await(func(e plan.Event) bool { return e.ExecutionID == id && e.Type == plan.ExecutionParked })
	if err != nil || event.Reason == "" {
		w.t.Fatalf("it was not parked with a reason: %v", err)
	}
	if calls := w.ports.Invoker.CallsOf("a"); calls != 3 {
		w.t.Errorf("a was called %d times before the execution was parked, want 3", calls)
	}
	if _, err := w.engine.Resume(w.t.Context(), id, "tester"); err != nil {
		w.t.Fatal(err)
	}
	w.want(id, plan.StatusSuccess, "a=success")
}

func testMissingHandler(w *world) {
	w.ports.Invoker.Handlers["test.unsafe"] = obedient
	id := w.start(`"steps":[{"id":"a","handler":"test.unsafe","on_interrupt":"skip"},{"id":"b","handler":"test.pure","dependencies":["a"]}]`)
	w.await(id, plan.StepStarted, "a")
	all := w.ports.Catalogue
	w.ports.Catalogue = NewCatalogue(map[string]pluginsdk.EffectClass{"test.unsafe": pluginsdk.EffectUnsafe})
	w.restart()
	if _, err := w.ports.Recorder.Await(func(e plan.Event) bool {
		return e.ExecutionID == id && e.Type == plan.ExecutionParked && strings.Contains(e.Reason, "test.pure")
	}); err != nil {
		w.t.Fatalf("it was not parked for the handler that is gone: %v", err)
	}
	if _, err := w.engine.Resume(w.t.Context(), id, "tester"); !errors.Is(err, engine.ErrConflict) {
		w.t.Errorf("resuming without the handler: %v", err)
	}
	w.ports.Catalogue = all
	w.restart()
	if _, err := w.engine.Resume(w.t.Context(), id, "tester"); err != nil {
		w.t.Fatal(err)
	}
	w.want(id, plan.StatusSuccess, "a=skipped b=success")
}

func testConfig(w *world) {
	w.ports.Catalogue = Catalogue{catalogueWithSchema()}
	w.restart()
	id := w.start(`"config":{"greeting":"hi"},"parameters":[{"name":"n","type":"integer","default":7}],"steps":[
		{"id":"good","handler":"test.pure","config":{"text":"${config.greeting} ${parameters.n}","count":"${parameters.n}"}},
		{"id":"bad","handler":"test.pure","required":false,"config":{"text":"x","count":"${config.greeting}"}}]`)
	w.want(id, plan.StatusPartial, "good=success bad=failed")
	if got := string(w.ports.Invoker.Calls()[0].Config); got != `{"text":"hi 7","count":7,"loud":false}` {
		w.t.Errorf("the config is %s", got)
	}
	problem := w.ports.Store.Steps(id)["bad"].Error
	if problem.Class != pluginsdk.FailureInvalidInput || problem.Pointer != "/count" || w.ports.Invoker.CallsOf("bad") != 0 {
		w.t.Errorf("the error is %+v after %d calls, want invalid input at /count and none", problem, w.ports.Invoker.CallsOf("bad"))
	}
}

func testCheckpoints(w *world) {
	w.ports.Invoker.Handlers["test.pure"] = func(_ context.Context, r *pluginsdk.Request, reporter pluginsdk.Reporter) pluginsdk.Outcome {
		if r.Attempt == 1 {
			if err := errors.Join(
				reporter.Checkpoint(json.RawMessage(`{"at":1}`)), reporter.Checkpoint(json.RawMessage(`{"at":2}`)),
				reporter.Effect(pluginsdk.EffectRecord{Action: "create", Target: "x"}),
			); err != nil {
				return fail(pluginsdk.FailurePermanent, err.Error())
			}
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{Message: "gone"}}
		}
		if string(r.Checkpoint) != `{"at":2}` || len(r.Effects) != 1 || r.Effects[0].Target != "x" {
			return fail(pluginsdk.FailurePermanent, fmt.Sprintf("got %s and %v", r.Checkpoint, r.Effects))
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	w.want(w.start(`"steps":[{"id":"a","handler":"test.pure"}]`), plan.StatusSuccess, "a=success")
}

func testConflicts(w *world) {
	id := w.start(`"steps":[{"id":"a","handler":"test.pure"}]`)
	w.want(id, plan.StatusSuccess, "a=success")
	if _, err := w.engine.Cancel(w.t.Context(), id, "tester"); !errors.Is(err, engine.ErrConflict) || !strings.Contains(err.Error(), "success") {
		w.t.Errorf("cancelling what has ended: %v", err)
	}
	if _, err := w.engine.Resume(w.t.Context(), id, "tester"); !errors.Is(err, engine.ErrConflict) {
		w.t.Errorf("resuming what has ended: %v", err)
	}
	if _, err := w.engine.Cancel(w.t.Context(), "nothing", "tester"); !errors.Is(err, engine.ErrNotFound) {
		w.t.Errorf("cancelling nothing: %v", err)
	}
}

func testLongChain(w *world) {
	var steps []string
	for i := range 1000 {
		step := fmt.Sprintf(`{"id":"s%d","handler":"test.pure"`, i)
		if i > 0 {
			step += fmt.Sprintf(`,"dependencies":["s%d"]`, i-1)
		}
		steps = append(steps, step+"}")
	}
	id := w.start(`"steps":[` + strings.Join(steps, ",") + `]`)
	w.want(id, plan.StatusSuccess, "s0=success s999=success")
	if commits := w.ports.Store.Commits(); commits > 1010 {
		w.t.Errorf("a chain of 1,000 steps took %d commits; a result and the next start belong in one", commits)
	}
}

// testStartBeforeRecovery starts an execution as soon as a host answers, before
// it looks for what an earlier one left.
func testStartBeforeRecovery(w *world) {
	tokens := w.held()
	w.close(time.Millisecond)
	w.ports.Store.Revive()
	w.ports.Epoch++
	w.engine = w.factory(w.ports)
	id := w.start(`"steps":[{"id":"a","handler":"test.unsafe"}]`)
	count, err := w.engine.Recover(w.t.Context())
	if err != nil || count != 0 {
		w.t.Errorf("%d executions were taken up, want none: %v", count, err)
	}
	tokens <- struct{}{}
	w.want(id, plan.StatusSuccess, "a=success")
}

// testActBeforeRecovery does something to executions as soon as a host answers,
// before it has taken up what an earlier one left: that waits, and counts.
func testActBeforeRecovery(w *world) {
	id := w.start(`"steps":[
		{"id":"a","handler":"flow.approval","config":{"message":"?"}},
		{"id":"s","handler":"flow.signal","config":{"name":"go"}},
		{"id":"b","handler":"test.pure","dependencies":["a","s"]}]`)
	w.await(id, plan.StepWaiting, "a")
	w.await(id, plan.StepWaiting, "s")
	w.close(time.Millisecond)
	w.ports.Store.Revive()
	w.ports.Epoch++
	w.engine = w.factory(w.ports)
	failed := make(chan error, 2)
	for _, act := range []func(ctx context.Context) error{
		func(ctx context.Context) error {
			_, err := w.engine.Approve(ctx, id, "a", engine.Approval{Approved: true, By: "tester"})
			return err
		},
		func(ctx context.Context) error {
			_, err := w.engine.Signal(ctx, id, "go", json.RawMessage(`{"n":1}`), "tester")
			return err
		},
	} {
		go func() { failed <- act(w.t.Context()) }()
	}
	// Virtual time goes on once the others wait too.
	impatient, cancel := context.WithTimeout(w.t.Context(), time.Millisecond)
	defer cancel()
	if _, err := w.engine.Cancel(impatient, id, "tester"); !errors.Is(err, context.DeadlineExceeded) {
		w.t.Errorf("a cancel that did not wait for the recovery: %v", err)
	}
	if _, err := w.engine.Recover(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	for range 2 {
		if err := <-failed; err != nil {
			w.t.Errorf("what was done before the recovery is refused: %v", err)
		}
	}
	w.want(id, plan.StatusSuccess, "a=success s=success b=success")
}
