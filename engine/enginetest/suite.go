package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

// Ports are the surroundings that a runtime under test is given.
type Ports struct {
	Store     *Store
	Invoker   *Invoker
	Recorder  *Recorder
	Catalogue Catalogue
	// Definitions are the workflows that others run as children.
	Definitions Definitions
	// Epoch rises with each runtime on the same store.
	Epoch uint64
}

// Factory makes a runtime on the ports. The runtime ends with Close.
type Factory func(ports Ports) engine.Engine

// world is one test's surroundings, over any number of runtimes.
type world struct {
	t       *testing.T
	factory Factory
	ports   Ports
	engine  engine.Engine
}

// The handlers that the suite's definitions name.
var suiteHandlers = map[string]pluginsdk.EffectClass{
	"test.pure": pluginsdk.EffectPure, "test.undoable": pluginsdk.EffectIdempotent, "test.reconcilable": pluginsdk.EffectReconcilable, "test.unsafe": pluginsdk.EffectUnsafe,
}

func newWorld(t *testing.T, factory Factory) *world {
	t.Helper()
	succeed := func(context.Context, *pluginsdk.Request, pluginsdk.Reporter) pluginsdk.Outcome {
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: json.RawMessage(`{"ok":true}`)}
	}
	w := &world{t: t, factory: factory, ports: Ports{
		Store: NewStore(), Recorder: NewRecorder(), Catalogue: NewCatalogue(suiteHandlers), Definitions: Definitions{},
		Invoker: &Invoker{
			Handlers:    map[string]Handler{"test.pure": succeed, "test.undoable": undoable, "test.reconcilable": succeed, "test.unsafe": succeed},
			Reconcilers: map[string]func(*pluginsdk.Request) pluginsdk.ReconcileResult{},
			Undoers:     map[string]func(*pluginsdk.Request, json.RawMessage) pluginsdk.Outcome{},
			Planners:    map[string]func(*pluginsdk.Request) ([]pluginsdk.PlannedEffect, error){},
		},
	}}
	w.restart()
	return w
}

// restart gives the store a new runtime, as the next start of a host does.
func (w *world) restart() {
	w.t.Helper()
	if w.engine != nil {
		w.close(time.Millisecond)
	}
	w.ports.Store.Revive()
	w.ports.Epoch++
	w.engine = w.factory(w.ports)
	if _, err := w.engine.Recover(w.t.Context()); err != nil {
		w.t.Fatalf("recover: %v", err)
	}
}

func (w *world) close(grace time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := w.engine.Close(ctx); err != nil {
		w.t.Errorf("close: %v", err)
	}
}

func (w *world) request(steps string) engine.StartRequest {
	return engine.StartRequest{
		WorkflowID: "w", Document: json.RawMessage(`{"name":"Test",` + steps + `}`), Trigger: engine.TriggerAPI, By: "tester",
	}
}

func (w *world) start(steps string) string {
	w.t.Helper()
	execution, _, err := w.engine.Start(w.t.Context(), w.request(steps))
	if err != nil {
		w.t.Fatalf("start: %v", err)
	}
	return execution.ID
}

// finish waits for an execution's end and returns its header.
func (w *world) finish(id string) engine.Execution {
	w.t.Helper()
	if err := w.engine.Wait(w.t.Context(), id); err != nil {
		w.t.Fatalf("wait: %v", err)
	}
	stored, err := w.ports.Store.Load(w.t.Context(), id)
	if err != nil {
		w.t.Fatalf("load: %v", err)
	}
	w.checkHistory(id)
	return stored.Execution
}

// checkHistory holds the numbers of an execution's events: from 1, without a
// gap or a double, and published in that order.
func (w *world) checkHistory(id string) {
	w.t.Helper()
	for i, event := range w.ports.Store.History(id) {
		if event.Seq != uint64(i)+1 {
			w.t.Fatalf("event %d is number %d (%s)", i+1, event.Seq, event.Type)
		}
	}
	last := uint64(0)
	for _, event := range w.ports.Recorder.Events(id) {
		if event.Seq <= last {
			w.t.Fatalf("event %d (%s) was published after event %d", event.Seq, event.Type, last)
		}
		last = event.Seq
	}
}

func (w *world) want(id string, status plan.Status, steps string) engine.Execution {
	w.t.Helper()
	header := w.finish(id)
	if header.Status != status {
		w.t.Errorf("the execution ended as %s, want %s (%+v)", header.Status, status, header.Error)
	}
	for pair := range strings.FieldsSeq(steps) {
		step, want, _ := strings.Cut(pair, "=")
		if got := w.ports.Store.Steps(id)[step].Status; string(got) != want {
			w.t.Errorf("step %s is %q, want %s", step, got, want)
		}
	}
	return header
}

// Run holds a runtime against the engine's contract.
func Run(t *testing.T, factory Factory) {
	runAll(t, factory, languageTests())
	runAll(t, factory, repeatTests())
	runAll(t, factory, undoTests())
	runAll(t, factory, pluginTests())
	runAll(t, factory, map[string]func(*world){
		"a chain runs in order and passes outputs on":          testChain,
		"independent steps run in parallel":                    testParallel,
		"a retryable failure is tried again after its delay":   testRetry,
		"an attempt that takes too long is cancelled":          testTimeout,
		"a cancel reaches the call and spares clean-up":        testCancel,
		"a failed required step stops the rest":                testFailure,
		"log and progress lines share the numbers":             testLogs,
		"an unknown outcome follows the effect class":          testUnknownOutcome,
		"an interrupted step waits for a person":               testResolve,
		"a large output is kept as a blob and read back":       testBlob,
		"the same idempotency key starts one execution":        testIdempotency,
		"what can't run is refused with all its problems":      testRefusals,
		"skipped steps satisfy, automatic ones can't":          testSkips,
		"flow.log and flow.fail need no plugin":                testBuiltIns,
		"a stop lets running steps end and starts no others":   testDrain,
		"a stop that runs out of time leaves an unknown end":   testStopInMidStep,
		"a crash at any commit loses and repeats nothing":      testCrashes,
		"three crashes in a row park the execution":            testParking,
		"a handler that is gone parks the execution":           testMissingHandler,
		"a step's config is resolved, completed and checked":   testConfig,
		"checkpoints and effects reach the next attempt":       testCheckpoints,
		"actions on what has ended are a conflict":             testConflicts,
		"a thousand steps in a row keep their order and speed": testLongChain,
	})
}

func runAll(t *testing.T, factory Factory, tests map[string]func(*world)) {
	for name, test := range tests {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, factory)
				test(w)
				w.close(time.Minute)
			})
		})
	}
}

func testChain(w *world) {
	var seen []string
	w.ports.Invoker.Handlers["test.pure"] = func(_ context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		seen = append(seen, r.StepID+":"+string(r.Config))
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: json.RawMessage(`{"n":` + fmt.Sprint(len(seen)) + `}`)}
	}
	id := w.start(`"steps":[
		{"id":"c","handler":"test.pure","dependencies":["b"],"config":{"from":"${step-outputs.b.n}"}},
		{"id":"b","handler":"test.pure","dependencies":["a"],"config":{"from":"${step-outputs.a.n}"}},
		{"id":"a","handler":"test.pure"}]`)
	header := w.want(id, plan.StatusSuccess, "a=success b=success c=success")
	if got, want := strings.Join(seen, " "), `a:{} b:{"from":1} c:{"from":2}`; got != want {
		w.t.Errorf("calls were %s, want %s", got, want)
	}
	if header.Progress.CompletedSteps != 3 || header.Progress.Percentage != 100 {
		w.t.Errorf("progress %+v", header.Progress)
	}
	var types []string
	for _, event := range w.ports.Recorder.Events(id) {
		types = append(types, string(event.Type))
	}
	want := "execution_started step_started step_completed step_started progress step_completed step_started progress step_completed progress workflow_completed"
	if got := strings.Join(types, " "); got != want {
		w.t.Errorf("events\n%s, want\n%s", got, want)
	}
	if nearest := w.ports.Invoker.Calls()[2].Outputs; len(nearest) != 2 || nearest[0].StepID != "b" || nearest[1].StepID != "a" {
		w.t.Errorf("outputs for c are %v, want b's and then a's", nearest)
	}
}

func testParallel(w *world) {
	both := make(chan struct{}, 2)
	w.ports.Invoker.Handlers["test.pure"] = func(ctx context.Context, _ *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		both <- struct{}{}
		for len(both) < 2 {
			select {
			case <-time.After(time.Millisecond):
			case <-ctx.Done():
				return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown}
			}
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	w.want(w.start(`"steps":[{"id":"a","handler":"test.pure"},{"id":"b","handler":"test.pure"}]`), plan.StatusSuccess, "a=success b=success")
}

func fail(class pluginsdk.FailureClass, message string) pluginsdk.Outcome {
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{Class: class, Code: "BROKEN", Message: message}}
}

func testRetry(w *world) {
	calls := 0
	w.ports.Invoker.Handlers["test.unsafe"] = func(context.Context, *pluginsdk.Request, pluginsdk.Reporter) pluginsdk.Outcome {
		if calls++; calls < 3 {
			return fail(pluginsdk.FailureRetryable, "not yet")
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	begin := time.Now()
	id := w.start(`"steps":[{"id":"a","handler":"test.unsafe","retry":{"max_attempts":3,"initial_interval":10,"multiplier":2,"jitter":0}}]`)
	w.want(id, plan.StatusSuccess, "a=success")
	if took := time.Since(begin); took != 30*time.Second {
		w.t.Errorf("it took %s, want the two waits of 10 s and 20 s", took)
	}
	if step := w.ports.Store.Steps(id)["a"]; step.Attempts != 3 || len(step.AttemptList) != 3 || step.AttemptList[0].Error == nil {
		w.t.Errorf("attempts %d, list %+v", step.Attempts, step.AttemptList)
	}
	keys := map[string]bool{}
	for _, call := range w.ports.Invoker.Calls() {
		keys[call.IdempotencyKey] = true
	}
	if len(keys) != 1 {
		w.t.Errorf("the attempts had the idempotency keys %v, want one", keys)
	}
}

// obedient waits until its context ends and says that it was cancelled.
func obedient(ctx context.Context, _ *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
	<-ctx.Done()
	return fail(pluginsdk.FailureCancelled, "cancelled")
}

func testTimeout(w *world) {
	w.ports.Invoker.Handlers["test.unsafe"] = obedient
	begin := time.Now()
	id := w.start(`"steps":[{"id":"a","handler":"test.unsafe","timeout":"90s"}]`)
	w.want(id, plan.StatusFailed, "a=failed")
	if took := time.Since(begin); took != 90*time.Second {
		w.t.Errorf("it took %s, want 90 s", took)
	}
	if problem := w.ports.Store.Steps(id)["a"].Error; problem.Code != "TIMEOUT" || !problem.Retryable {
		w.t.Errorf("the error is %+v, want a retryable TIMEOUT", problem)
	}
}

func testCancel(w *world) {
	w.ports.Invoker.Handlers["test.unsafe"] = obedient
	id := w.start(`"steps":[
		{"id":"a","handler":"test.unsafe"},
		{"id":"b","handler":"test.pure","dependencies":["a"]},
		{"id":"z","handler":"test.pure","run_on":"always","dependencies":["b"]}]`)
	w.await(id, plan.StepStarted, "a")
	if _, err := w.engine.Cancel(w.t.Context(), id, "tester"); err != nil {
		w.t.Fatal(err)
	}
	w.want(id, plan.StatusCancelled, "a=cancelled b=skipped z=success")
	var order []string
	for _, event := range w.ports.Recorder.Events(id) {
		if event.Type == plan.StepCompleted {
			order = append(order, event.StepID)
		}
	}
	if got := strings.Join(order, " "); got != "a b z" {
		w.t.Errorf("the steps ended in the order %s; clean-up must wait for what it cleans up", got)
	}
	if reason := w.ports.Store.Steps(id)["b"].SkipReason; !strings.Contains(reason, "cancelled by tester") {
		w.t.Errorf("b was skipped because %q", reason)
	}
}

func (w *world) await(id string, kind plan.EventType, step string) plan.Event {
	w.t.Helper()
	event, err := w.ports.Recorder.Await(func(e plan.Event) bool {
		return e.ExecutionID == id && e.Type == kind && e.StepID == step
	})
	if err != nil {
		w.t.Fatalf("await %s of %s: %v", kind, step, err)
	}
	return event
}

func testFailure(w *world) {
	w.ports.Invoker.Handlers["test.unsafe"] = func(context.Context, *pluginsdk.Request, pluginsdk.Reporter) pluginsdk.Outcome {
		return fail(pluginsdk.FailurePermanent, "the disk is made of cheese")
	}
	id := w.start(`"steps":[
		{"id":"a","handler":"test.unsafe"},
		{"id":"b","handler":"test.pure","dependencies":["a"]},
		{"id":"f","handler":"test.pure","run_on":"failure","dependencies":["a"]}]`)
	header := w.want(id, plan.StatusFailed, "a=failed b=skipped f=success")
	if header.Error == nil || !strings.Contains(header.Error.Message, "made of cheese") || !strings.Contains(header.Error.Message, `"a"`) {
		w.t.Errorf("the error is %+v, want it to name the step and its cause", header.Error)
	}
}

func testLogs(w *world) {
	w.ports.Invoker.Handlers["test.pure"] = func(_ context.Context, _ *pluginsdk.Request, reporter pluginsdk.Reporter) pluginsdk.Outcome {
		for i := range 5 {
			reporter.Log(pluginsdk.LogLine{Level: pluginsdk.LevelInfo, Message: fmt.Sprint("line ", i)})
		}
		reporter.Progress(50, "half")
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	id := w.start(`"steps":[{"id":"a","handler":"test.pure"},{"id":"b","handler":"test.pure"}]`)
	w.want(id, plan.StatusSuccess, "a=success b=success")
	counts := map[plan.EventType]int{}
	for _, event := range w.ports.Store.History(id) {
		counts[event.Type]++
	}
	if counts[plan.StepLog] != 10 || counts[plan.StepProgress] != 2 {
		w.t.Errorf("there are %d log lines and %d of progress, want 10 and 2", counts[plan.StepLog], counts[plan.StepProgress])
	}
	if count := w.ports.Store.Steps(id)["a"].LogCount; count != 5 {
		w.t.Errorf("log_count is %d, want 5", count)
	}
}

func testUnknownOutcome(w *world) {
	lost := map[string]bool{}
	once := func(_ context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		if !lost[r.StepID] {
			lost[r.StepID] = true
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{Message: "the plugin died"}}
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	for path := range suiteHandlers {
		w.ports.Invoker.Handlers[path] = once
	}
	w.ports.Invoker.Reconcilers["test.reconcilable"] = func(r *pluginsdk.Request) pluginsdk.ReconcileResult {
		if r.StepID == "done" {
			return pluginsdk.ReconcileResult{Status: pluginsdk.ReconcileDone, Output: json.RawMessage(`{"found":1}`)}
		}
		return pluginsdk.ReconcileResult{Status: pluginsdk.ReconcileNotStarted}
	}
	for _, test := range []struct {
		step, handler, extra string
		calls                int
		status               plan.Status
		want                 string
	}{
		{"pure", "test.pure", "", 2, plan.StatusSuccess, "success"},
		{"done", "test.reconcilable", "", 1, plan.StatusSuccess, "success"},
		{"absent", "test.reconcilable", "", 2, plan.StatusSuccess, "success"},
		{"failing", "test.unsafe", `,"on_interrupt":"fail"`, 1, plan.StatusFailed, "failed"},
		{"skipping", "test.unsafe", `,"on_interrupt":"skip"`, 1, plan.StatusSuccess, "skipped"},
		{"trying", "test.unsafe", `,"on_interrupt":"retry"`, 2, plan.StatusSuccess, "success"},
	} {
		id := w.start(fmt.Sprintf(`"steps":[{"id":%q,"handler":%q%s}]`, test.step, test.handler, test.extra))
		w.want(id, test.status, test.step+"="+test.want)
		if calls := w.ports.Invoker.CallsOf(test.step); calls != test.calls {
			w.t.Errorf("step %s was called %d times, want %d", test.step, calls, test.calls)
		}
	}
}

func testResolve(w *world) {
	w.ports.Invoker.Handlers["test.unsafe"] = func(_ context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		if r.Attempt == 1 {
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{Message: "the plugin died"}}
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	for as, want := range map[string]struct {
		status plan.Status
		step   string
	}{
		"retry": {plan.StatusSuccess, "success"}, "success": {plan.StatusSuccess, "success"},
		"failed": {plan.StatusFailed, "failed"}, "skipped": {plan.StatusSuccess, "skipped"},
	} {
		id := w.start(`"steps":[{"id":"a","handler":"test.unsafe"}]`)
		w.await(id, plan.StepInterrupted, "a")
		stored, err := w.ports.Store.Load(w.t.Context(), id)
		if err != nil || stored.Execution.Status != plan.StatusWaiting || stored.Execution.StatusReason == "" {
			w.t.Fatalf("an interrupted execution is %s (%q), want waiting with a reason: %v", stored.Execution.Status, stored.Execution.StatusReason, err)
		}
		// It waits through a restart too.
		w.restart()
		if _, err := w.engine.ResolveStep(w.t.Context(), id, "a", engine.Resolution{As: as, Output: json.RawMessage(`{"by":"hand"}`), By: "tester"}); err != nil {
			w.t.Fatal(err)
		}
		w.want(id, want.status, "a="+want.step)
		if as == "success" && string(w.ports.Store.Steps(id)["a"].Output) != `{"by":"hand"}` {
			w.t.Errorf("the output given by hand is %s", w.ports.Store.Steps(id)["a"].Output)
		}
	}
	for range 50 {
		id := w.start(`"steps":[{"id":"a","handler":"test.unsafe"}]`)
		w.await(id, plan.StepInterrupted, "a")
		if _, err := w.engine.ResolveStep(w.t.Context(), id, "a", engine.Resolution{As: "success", By: "tester"}); err != nil {
			w.t.Fatalf("a decision that ended the execution was answered with %v", err)
		}
	}
	id := w.start(`"steps":[{"id":"a","handler":"test.unsafe"}]`)
	w.await(id, plan.StepInterrupted, "a")
	var problems *engine.ProblemsError
	if _, err := w.engine.ResolveStep(w.t.Context(), id, "a", engine.Resolution{As: "maybe"}); !errors.As(err, &problems) {
		w.t.Errorf("resolving as maybe: %v", err)
	}
	if _, err := w.engine.ResolveStep(w.t.Context(), id, "b", engine.Resolution{As: "retry"}); !errors.Is(err, engine.ErrNotFound) {
		w.t.Errorf("resolving a step that is not there: %v", err)
	}
	if _, err := w.engine.Cancel(w.t.Context(), id, "tester"); err != nil {
		w.t.Fatal(err)
	}
	w.want(id, plan.StatusCancelled, "a=cancelled")
}

func testBlob(w *world) {
	big := `{"text":"` + strings.Repeat("x", 100<<10) + `"}`
	release := make(chan struct{})
	w.ports.Invoker.Handlers["test.pure"] = func(_ context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		if r.StepID == "a" {
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: json.RawMessage(big)}
		}
		if len(r.Config) < 100<<10 {
			return fail(pluginsdk.FailurePermanent, "the output did not come through: "+string(r.Config))
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	w.ports.Invoker.Handlers["test.unsafe"] = func(ctx context.Context, _ *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		select {
		case <-release:
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
		case <-ctx.Done():
			return fail(pluginsdk.FailureCancelled, "cancelled")
		}
	}
	id := w.start(`"steps":[{"id":"a","handler":"test.pure"},
		{"id":"gate","handler":"test.unsafe","on_interrupt":"retry","dependencies":["a"]},
		{"id":"b","handler":"test.pure","dependencies":["gate"],"config":{"text":"${step-outputs.a.text}"}}]`)
	w.await(id, plan.StepStarted, "gate")
	w.restart()
	close(release)
	w.want(id, plan.StatusSuccess, "a=success b=success")
	output := w.ports.Store.Steps(id)["a"].Output
	if !strings.HasPrefix(string(output), `{"$blob":{"sha256":`) || len(output) > 4<<10 {
		w.t.Errorf("the result shows %.80s… of %d bytes, want a blob", output, len(output))
	}
}

func testIdempotency(w *world) {
	request := w.request(`"parameters":[{"name":"p","type":"string"}],"steps":[{"id":"a","handler":"test.pure"}]`)
	request.IdempotencyKey, request.Parameters = "key", json.RawMessage(`{"p":"1"}`)
	first, created, err := w.engine.Start(w.t.Context(), request)
	if err != nil || !created {
		w.t.Fatalf("created %v: %v", created, err)
	}
	second, created, err := w.engine.Start(w.t.Context(), request)
	if err != nil || created || second.ID != first.ID {
		w.t.Errorf("the second start gave %s, created %v: %v; want %s", second.ID, created, err, first.ID)
	}
	request.Parameters = json.RawMessage(`{"p":"2"}`)
	if _, _, err := w.engine.Start(w.t.Context(), request); !errors.Is(err, engine.ErrIdempotencyMismatch) {
		w.t.Errorf("another request with the same key: %v", err)
	}
	w.want(first.ID, plan.StatusSuccess, "a=success")
	if calls := w.ports.Invoker.CallsOf("a"); calls != 1 {
		w.t.Errorf("a was called %d times", calls)
	}
}

func testRefusals(w *world) {
	for steps, code := range map[string]string{
		`"steps":[{"id":"a","handler":"test.nothing"}]`:                                                              "unknown_handler",
		`"steps":[{"id":"a","handler":"flow.workflow","config":{"workflow":"w","parameters":{"t":"${secrets.t}"}}}]`: "not_supported",
	} {
		_, _, err := w.engine.Start(w.t.Context(), w.request(steps))
		var problems *engine.ProblemsError
		if !errors.As(err, &problems) || !slices.ContainsFunc(problems.Problems, func(p pluginsdk.Problem) bool {
			return p.Code == code && p.Message != "" && p.Pointer != ""
		}) {
			w.t.Errorf("%s: %v, want a problem %s", steps, err, code)
		}
	}
	request := w.request(`"parameters":[{"name":"p","type":"integer","required":true}],"steps":[{"id":"a","handler":"test.pure"}]`)
	for _, parameters := range []string{`{}`, `{"p":"x"}`, `{"p":1,"q":2}`} {
		request.Parameters = json.RawMessage(parameters)
		var problems *engine.ProblemsError
		if _, _, err := w.engine.Start(w.t.Context(), request); !errors.As(err, &problems) {
			w.t.Errorf("parameters %s: %v, want problems", parameters, err)
		}
	}
	if calls := w.ports.Invoker.Calls(); len(calls) > 0 {
		w.t.Errorf("refused requests led to %d calls", len(calls))
	}
}

func testSkips(w *world) {
	request := w.request(`"steps":[{"id":"a","handler":"test.pure"},{"id":"b","handler":"test.pure","automatic":true,"dependencies":["a"]}]`)
	request.SkipSteps = []string{"a"}
	execution, _, err := w.engine.Start(w.t.Context(), request)
	if err != nil {
		w.t.Fatal(err)
	}
	w.want(execution.ID, plan.StatusSuccess, "a=skipped b=success")
	for _, step := range []string{"b", "c"} {
		request.SkipSteps = []string{step}
		var problems *engine.ProblemsError
		if _, _, err := w.engine.Start(w.t.Context(), request); !errors.As(err, &problems) {
			w.t.Errorf("skipping %s: %v, want problems", step, err)
		}
	}
}

func testBuiltIns(w *world) {
	id := w.start(`"steps":[{"id":"a","handler":"flow.log","config":{"message":"hello","level":"warning"}},
		{"id":"b","handler":"flow.fail","config":{"message":"on purpose"},"dependencies":["a"]}]`)
	header := w.want(id, plan.StatusFailed, "a=success b=failed")
	if !strings.Contains(header.Error.Message, "on purpose") {
		w.t.Errorf("the error is %+v", header.Error)
	}
	if !slices.ContainsFunc(w.ports.Store.History(id), func(e plan.Event) bool {
		return e.Type == plan.StepLog && e.Message == "hello" && e.Level == pluginsdk.LevelWarning
	}) {
		w.t.Error("flow.log wrote no line")
	}
}
