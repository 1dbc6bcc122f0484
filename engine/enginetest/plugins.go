package enginetest

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

// pluginTests hold what an engine does while a plugin can't be called, or is
// not the one any more that an execution began with.
func pluginTests() map[string]func(*world) {
	return map[string]func(*world){
		"a step waits for a plugin that is disabled":           testDisabledPlugin,
		"a wait for a plugin uses up no attempt":               testWaitUsesNoAttempt,
		"a wait for a plugin ends with its step":               testPluginWaitEnds,
		"items wait for a plugin one by one":                   testItemsWaitForPlugin,
		"an undo waits for its plugin":                         testUndoWaitsForPlugin,
		"a lost step's handler is asked once it can be":        testReconcileWaitsForPlugin,
		"a lost step whose binary is gone parks the execution": testNoBinary,
		"a handler that goes while others run parks the run":   testHandlerGoes,
		"a step alone in two crashes fails":                    testCrashLoop,
		"crashes in company are not counted against a step":    testCrashInCompany,
	}
}

// unavailable keeps a plugin from being called.
func (v *Invoker) unavailable(reason string, until time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.absent = &engine.UnavailableError{Plugin: "test", Reason: reason, Until: until}
}

// available lets it be called again.
func (v *Invoker) available() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.absent = nil
}

// absence is why the plugin can't be called, nil where it can.
func (v *Invoker) absence() *engine.UnavailableError {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.absent
}

func testDisabledPlugin(w *world) {
	w.ports.Invoker.unavailable("is disabled", time.Time{})
	id := w.start(`"steps":[{"id":"a","handler":"test.unsafe"},{"id":"b","handler":"flow.log","config":{"message":"x"}}]`)
	event := w.await(id, plan.StepWaiting, "a")
	if event.Reason != "plugin" || !strings.Contains(string(event.Details), `"message":"plugin test is disabled"`) || !strings.Contains(string(event.Details), `"plugin":"test"`) {
		w.t.Errorf("step_waiting is %+v %s", event, event.Details)
	}
	synctest.Wait()
	if step := w.results(id, "a"); step.Attempts != 0 || step.Status != plan.StatusWaiting || step.Waiting.Plugin != "test" || step.Waiting.Since.IsZero() {
		w.t.Errorf("the step is %+v, waiting for %+v", step, step.Waiting)
	}
	w.crash()
	w.engine.PluginsChanged() // It is still disabled: nothing is said twice.
	synctest.Wait()
	time.Sleep(24 * time.Hour)
	waits := 0
	for _, event := range w.ports.Store.History(id) {
		if event.Type == plan.StepWaiting {
			waits++
		}
	}
	if waits != 1 {
		w.t.Errorf("it was said %d times that the step waits", waits)
	}
	w.ports.Invoker.available()
	w.engine.PluginsChanged()
	w.want(id, plan.StatusSuccess, "a=success b=success")
	if got := w.results(id, "a"); got.Attempts != 1 || got.Waiting != nil {
		w.t.Errorf("in the end the step is %+v", got)
	}
}

func testWaitUsesNoAttempt(w *world) {
	// The first call reaches nothing, the second one is refused before it is
	// made, the third fails, and the fourth succeeds.
	calls := 0
	w.ports.Invoker.Handlers["test.unsafe"] = func(context.Context, *pluginsdk.Request, pluginsdk.Reporter) pluginsdk.Outcome {
		switch calls++; calls {
		case 1:
			rests := engine.UnavailableError{Plugin: "test", Reason: "rests", Until: time.Now().Add(time.Minute)}
			w.ports.Invoker.unavailable("rests on", time.Now().Add(2*time.Minute))
			return rests.Outcome(time.Now())
		case 2:
			return fail(pluginsdk.FailureRetryable, "once")
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	begin := time.Now()
	time.AfterFunc(90*time.Second, w.ports.Invoker.available)
	id := w.start(`"steps":[{"id":"a","handler":"test.unsafe","timeout":"30s","retry":{"max_attempts":2,"initial_interval":"1s","jitter":0}}]`)
	w.want(id, plan.StatusSuccess, "a=success")
	if took := time.Since(begin); took != 121*time.Second {
		w.t.Errorf("it took %s", took)
	}
	if got := w.results(id, "a"); got.Attempts != 2 || len(got.AttemptList) != 2 || calls != 3 {
		w.t.Errorf("the step is %+v after %d calls", got, calls)
	}
}

func testPluginWaitEnds(w *world) {
	w.ports.Invoker.unavailable("is disabled", time.Time{})
	cancelled := w.start(`"steps":[{"id":"a","handler":"test.pure"}]`)
	w.await(cancelled, plan.StepWaiting, "a")
	if _, err := w.engine.Cancel(w.t.Context(), cancelled, "tester"); err != nil {
		w.t.Fatal(err)
	}
	w.want(cancelled, plan.StatusCancelled, "a=cancelled")
	w.want(w.start(`"timeout":"1m","steps":[{"id":"a","handler":"test.pure"}]`), plan.StatusFailed, "a=cancelled")
	w.want(w.start(`"steps":[{"id":"a","handler":"test.pure"},{"id":"b","handler":"flow.fail","config":{"message":"x"}}]`),
		plan.StatusFailed, "a=skipped b=failed")
	paused := w.start(`"steps":[{"id":"a","handler":"test.pure"}]`)
	w.await(paused, plan.StepWaiting, "a")
	if _, err := w.engine.Pause(w.t.Context(), paused, "tester"); err != nil {
		w.t.Fatal(err)
	}
	w.ports.Invoker.available()
	w.engine.PluginsChanged()
	synctest.Wait()
	if n := len(w.ports.Invoker.Calls()); n != 0 {
		w.t.Errorf("a paused execution made %d calls", n)
	}
	if _, err := w.engine.Resume(w.t.Context(), paused, "tester"); err != nil {
		w.t.Fatal(err)
	}
	w.engine.PluginsChanged()
	w.want(paused, plan.StatusSuccess, "a=success")
}

func testItemsWaitForPlugin(w *world) {
	w.ports.Invoker.unavailable("is disabled", time.Time{})
	id := w.start(`"steps":[{"id":"a","handler":"test.pure","for_each":[1,2,3,4],"max_parallel":2}]`)
	synctest.Wait()
	w.ports.Invoker.available()
	w.engine.PluginsChanged()
	w.want(id, plan.StatusSuccess, "a=success")
	if n := len(w.ports.Invoker.Calls()); n != 4 {
		w.t.Errorf("there were %d calls", n)
	}
}

func testUndoWaitsForPlugin(w *world) {
	done := w.start(`"steps":[{"id":"a","handler":"test.undoable"}]`)
	w.want(done, plan.StatusSuccess, "a=success")
	w.ports.Invoker.unavailable("is disabled", time.Time{})
	undo, err := w.engine.Undo(w.t.Context(), done, "tester")
	if err != nil {
		w.t.Fatal(err)
	}
	time.Sleep(time.Hour)
	if n := len(w.ports.Invoker.Undos()); n != 0 {
		w.t.Errorf("a disabled plugin was called %d times", n)
	}
	// The wait has used up none of the tries that a failure leaves.
	tries := 0
	w.ports.Invoker.Undoers["test.undoable"] = func(*pluginsdk.Request, json.RawMessage) pluginsdk.Outcome {
		if tries++; tries == 1 {
			return fail(pluginsdk.FailureRetryable, "once")
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	w.ports.Invoker.available()
	w.want(undo.ID, plan.StatusSuccess, "a=undone")
}

func testReconcileWaitsForPlugin(w *world) {
	w.ports.Invoker.Handlers["test.reconcilable"] = func(context.Context, *pluginsdk.Request, pluginsdk.Reporter) pluginsdk.Outcome {
		w.ports.Invoker.unavailable("is disabled", time.Time{})
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{Code: "LOST", Message: "lost"}}
	}
	w.ports.Invoker.Reconcilers["test.reconcilable"] = func(*pluginsdk.Request) pluginsdk.ReconcileResult {
		return pluginsdk.ReconcileResult{Status: pluginsdk.ReconcileDone}
	}
	id := w.start(`"steps":[{"id":"a","handler":"test.reconcilable"}]`)
	w.await(id, plan.StepStarted, "a")
	time.Sleep(time.Hour)
	if got := w.results(id, "a").Status; got != plan.StatusRunning {
		w.t.Errorf("while nobody can be asked the step is %s", got)
	}
	w.ports.Invoker.available()
	back := time.Now()
	w.engine.PluginsChanged()
	w.want(id, plan.StatusSuccess, "a=success")
	if took := time.Since(back); took > time.Second {
		w.t.Errorf("it was asked %s after the plugin was back", took)
	}
}

func testNoBinary(w *world) {
	w.ports.Invoker.Handlers["test.reconcilable"] = func(context.Context, *pluginsdk.Request, pluginsdk.Reporter) pluginsdk.Outcome {
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{Code: "LOST", Message: "lost"}}
	}
	w.ports.Invoker.lostBinary = "c0ffee"
	id := w.start(`"steps":[{"id":"a","handler":"test.reconcilable"}]`)
	event := w.await(id, plan.ExecutionParked, "")
	if !strings.Contains(event.Reason, "binary") || !strings.Contains(event.Reason, `step "a"`) {
		w.t.Errorf("it is parked because %s", event.Reason)
	}
	if _, err := w.engine.Resume(w.t.Context(), id, "tester"); err != nil {
		w.t.Fatal(err)
	}
	w.await(id, plan.StepInterrupted, "a")
	if _, err := w.engine.ResolveStep(w.t.Context(), id, "a", engine.Resolution{As: "success", By: "tester"}); err != nil {
		w.t.Fatal(err)
	}
	w.want(id, plan.StatusSuccess, "a=success")
}

func testHandlerGoes(w *world) {
	var gone atomic.Bool
	w.ports.Invoker.bind = func(handler string) error {
		if handler == "test.unsafe" && gone.Load() {
			return pluginsdk.Permanent(&engine.NoHandlerError{Handler: handler})
		}
		return nil
	}
	w.ports.Invoker.Handlers["test.pure"] = func(context.Context, *pluginsdk.Request, pluginsdk.Reporter) pluginsdk.Outcome {
		gone.Store(true)
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	id := w.start(`"steps":[{"id":"a","handler":"test.pure"},{"id":"b","handler":"test.unsafe","dependencies":["a"]}]`)
	event := w.await(id, plan.ExecutionParked, "")
	if !strings.Contains(event.Reason, "no plugin offers the handler test.unsafe") {
		w.t.Errorf("it is parked because %s", event.Reason)
	}
	gone.Store(false)
	if _, err := w.engine.Resume(w.t.Context(), id, "tester"); err != nil {
		w.t.Fatal(err)
	}
	w.want(id, plan.StatusSuccess, "a=success b=success")
}

func crashed(code string) pluginsdk.Outcome {
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{Code: code, Message: "it crashed"}}
}

func testCrashLoop(w *world) {
	calls := 0
	w.ports.Invoker.Handlers["test.pure"] = func(context.Context, *pluginsdk.Request, pluginsdk.Reporter) pluginsdk.Outcome {
		if calls++; calls == 1 {
			return crashed("OUTCOME_UNKNOWN") // In company.
		}
		return crashed(engine.CodeCrashedAlone)
	}
	id := w.start(`"steps":[{"id":"a","handler":"test.pure"}]`)
	header := w.want(id, plan.StatusFailed, "a=failed")
	if step := w.results(id, "a"); calls != 3 || step.Error.Code != "crash_loop" || header.Error.Code != "crash_loop" || !strings.Contains(step.Error.Message, "this step alone") {
		w.t.Errorf("after %d calls the step is %+v", calls, step.Error)
	}
}

func testCrashInCompany(w *world) {
	calls := 0
	w.ports.Invoker.Handlers["test.pure"] = func(context.Context, *pluginsdk.Request, pluginsdk.Reporter) pluginsdk.Outcome {
		if calls++; calls <= 2 {
			return crashed("OUTCOME_UNKNOWN")
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	w.want(w.start(`"steps":[{"id":"a","handler":"test.pure"}]`), plan.StatusSuccess, "a=success")
}
