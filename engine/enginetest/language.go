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

func languageTests() map[string]func(*world) {
	return map[string]func(*world){
		"for_each runs its items, at most so many at once":         testForEach,
		"for_each keeps what its good items gave":                  testForEachPartial,
		"for_each of nothing succeeds with nothing":                testForEachEmpty,
		"for_each goes on after a crash and repeats no item":       testForEachCrash,
		"an approval waits, survives a restart and is answered":    testApproval,
		"an approval is for its approvers and its form":            testApprovalRules,
		"an approval can be bound to a plan":                       testApprovalPlan,
		"items can wait for approvals, each for its own":           testApprovalItems,
		"an approval that nobody answers does as on_timeout says":  testApprovalTimeout,
		"a wait survives a restart and ends on time":               testWait,
		"a signal is delivered whether it comes before or after":   testSignal,
		"a child runs, gives its outputs on and survives a crash":  testChild,
		"a child's failure fails its step, and its cancel its run": testChildFailure,
		"children can't run each other without end":                testChildDepth,
		"a paused execution starts nothing until it is resumed":    testPause,
		"a limit queues, in order, and explains itself":            testQueue,
		"a limit by key counts across workflows":                   testQueueKey,
		"a limit can reject, or cancel what runs":                  testConflictPolicies,
		"a start before the recovery is not taken up again":        testStartBeforeRecovery,
		"what is done before the recovery waits for it":            testActBeforeRecovery,
		"slots are derived from what lives after a crash":          testSlotsAfterCrash,
		"a queued execution can be cancelled":                      testCancelQueued,
	}
}

func (w *world) results(id, step string) engine.StepResult { return w.ports.Store.Steps(id)[step] }

func (w *world) crash() {
	// What the runtime of before still does must not reach the store.
	w.ports.Store.CrashAt(1, false)
	w.restart()
}

func testForEach(w *world) {
	var mu sync.Mutex
	running, most := 0, 0
	w.ports.Invoker.Handlers["test.pure"] = func(ctx context.Context, r *pluginsdk.Request, p pluginsdk.Reporter) pluginsdk.Outcome {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		p.Log(pluginsdk.LogLine{Level: pluginsdk.LevelInfo, Message: "item"})
		time.Sleep(time.Second)
		mu.Lock()
		running--
		mu.Unlock()
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: r.Config}
	}
	id := w.start(`"steps":[
		{"id":"a","handler":"test.pure","for_each":["x","y","z","u","v"],"max_parallel":2,"config":{"v":"${item}","i":"${index}"}},
		{"id":"b","handler":"test.pure","dependencies":["a"],"config":{"all":"${step-outputs.a}"}}]`)
	w.want(id, plan.StatusSuccess, "a=success b=success")
	if most != 2 {
		w.t.Errorf("%d items ran at once, want 2", most)
	}
	want := `[{"v":"x","i":0},{"v":"y","i":1},{"v":"z","i":2},{"v":"u","i":3},{"v":"v","i":4}]`
	step := w.results(id, "a")
	if string(step.Output) != want {
		w.t.Errorf("the output is %s, want %s", step.Output, want)
	}
	if len(step.Items) != 5 || step.Items[4].Status != plan.StatusSuccess || step.ItemCount != 5 {
		w.t.Errorf("the items are %+v", step.Items)
	}
	completed := 0
	for _, event := range w.ports.Recorder.Events(id) {
		switch event.Type {
		case plan.StepItemCompleted:
			completed++
		case plan.StepLog:
			if event.StepID == "a" && event.ItemIndex == nil {
				w.t.Errorf("a log line of an item does not say which: %+v", event)
			}
		default:
		}
	}
	if completed != 5 {
		w.t.Errorf("%d step_item_completed, want 5", completed)
	}
}

func testForEachPartial(w *world) {
	calls := map[int]int{}
	w.ports.Invoker.Handlers["test.unsafe"] = func(_ context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		calls[r.ItemIndex]++
		switch {
		case r.ItemIndex == 1:
			return fail(pluginsdk.FailurePermanent, "item one is bad")
		case r.ItemIndex == 2 && calls[2] < 3:
			return fail(pluginsdk.FailureRetryable, "not yet")
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: json.RawMessage(fmt.Sprint(r.ItemIndex * 10))}
	}
	id := w.start(`"steps":[
		{"id":"a","handler":"test.unsafe","required":false,"for_each":[0,1,2],"max_parallel":1,"retry":{"max_attempts":3}},
		{"id":"b","handler":"test.pure","dependencies":["a"],"config":{"all":"${step-outputs.a}"}}]`)
	w.want(id, plan.StatusPartial, "a=failed b=success")
	step := w.results(id, "a")
	if string(step.Output) != `[0,null,20]` || step.Error == nil || !strings.Contains(step.Error.Message, "1 of 3 items failed; item 1: item one is bad") {
		w.t.Errorf("output %s, error %+v", step.Output, step.Error)
	}
	if step.Items[2].Attempts != 3 || step.Items[1].Error == nil {
		w.t.Errorf("items %+v", step.Items)
	}
}

func testForEachEmpty(w *world) {
	id := w.start(`"steps":[{"id":"a","handler":"test.pure","for_each":[]}]`)
	w.want(id, plan.StatusSuccess, "a=success")
	if step := w.results(id, "a"); string(step.Output) != `[]` {
		w.t.Errorf("the output is %s", step.Output)
	}
}

func testForEachCrash(w *world) {
	w.ports.Invoker.Handlers["test.pure"] = func(ctx context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		if r.ItemIndex == 2 && r.Attempt == 1 {
			<-ctx.Done()
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{Code: "UNKNOWN"}}
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: json.RawMessage(fmt.Sprint(r.ItemIndex))}
	}
	id := w.start(`"steps":[{"id":"a","handler":"test.pure","for_each":[0,1,2,3],"max_parallel":1}]`)
	if _, err := w.ports.Recorder.Await(func(e plan.Event) bool {
		return e.ExecutionID == id && e.Type == plan.StepStarted && e.ItemIndex != nil && *e.ItemIndex == 2
	}); err != nil {
		w.t.Fatal(err)
	}
	w.crash()
	w.want(id, plan.StatusSuccess, "a=success")
	calls := map[int]int{}
	for _, call := range w.ports.Invoker.Calls() {
		calls[call.ItemIndex]++
	}
	if calls[0] != 1 || calls[1] != 1 || calls[2] != 2 || calls[3] != 1 {
		w.t.Errorf("the items were called %v times", calls)
	}
	if step := w.results(id, "a"); string(step.Output) != `[0,1,2,3]` {
		w.t.Errorf("the output is %s", step.Output)
	}
}

const approval = `"steps":[
	{"id":"ok","handler":"flow.approval","config":{"message":"Go on?","approvers":["boss"],"timeout":"1h","on_timeout":"%s",
		"form":{"type":"object","required":["env"],"properties":{"env":{"type":"string"}}}}},
	{"id":"b","handler":"test.pure","dependencies":["ok"],"config":{"env":"${step-outputs.ok.env}"}}]`

func testApprovalItems(w *world) {
	id := w.start(`"steps":[{"id":"ok","handler":"flow.approval","for_each":["x","y"],"config":{"message":"${item}?"}}]`)
	w.await(id, plan.StepWaiting, "ok")
	w.crash()
	for _, item := range []int{1, 0} {
		if _, err := w.engine.Approve(w.t.Context(), id, "ok", engine.Approval{Approved: true, By: "boss", Item: &item}); err != nil {
			w.t.Fatal(err)
		}
	}
	w.want(id, plan.StatusSuccess, "ok=success")
	if step := w.results(id, "ok"); len(step.Items) != 2 || step.Waiting != nil {
		w.t.Errorf("the step is %+v", step)
	}
}

func testApproval(w *world) {
	id := w.start(fmt.Sprintf(approval, "fail"))
	event := w.await(id, plan.StepWaiting, "ok")
	if event.Reason != "approval" || !strings.Contains(string(event.Details), "Go on?") {
		w.t.Errorf("step_waiting is %+v, details %s", event, event.Details)
	}
	w.crash()
	stored, err := w.ports.Store.Load(w.t.Context(), id)
	if err != nil || stored.Execution.Status != plan.StatusWaiting {
		w.t.Fatalf("the execution is %s: %v, want waiting", stored.Execution.Status, err)
	}
	if waiting := w.results(id, "ok").Waiting; waiting == nil || waiting.Message != "Go on?" {
		w.t.Errorf("waiting is %+v", waiting)
	}
	if _, err := w.engine.Approve(w.t.Context(), id, "ok", engine.Approval{Approved: true, By: "boss", Comment: "fine", Data: json.RawMessage(`{"env":"prod"}`)}); err != nil {
		w.t.Fatal(err)
	}
	w.want(id, plan.StatusSuccess, "ok=success b=success")
	var output map[string]any
	if err := json.Unmarshal(w.results(id, "ok").Output, &output); err != nil || output["env"] != "prod" || output["by"] != "boss" || output["approved"] != true {
		w.t.Errorf("the output is %v: %v", output, err)
	}
	if call := w.ports.Invoker.Calls()[0]; string(call.Config) != `{"env":"prod"}` {
		w.t.Errorf("b was given %s", call.Config)
	}
}

func testApprovalRules(w *world) {
	id := w.start(fmt.Sprintf(approval, "fail"))
	w.await(id, plan.StepWaiting, "ok")
	ctx := w.t.Context()
	if _, err := w.engine.Approve(ctx, id, "ok", engine.Approval{Approved: true, By: "clerk"}); !errors.Is(err, engine.ErrForbidden) {
		w.t.Errorf("the wrong person: %v", err)
	}
	var problems *engine.ProblemsError
	if _, err := w.engine.Approve(ctx, id, "ok", engine.Approval{Approved: true, By: "x", Roles: []string{"boss"}, Data: json.RawMessage(`{"env":5}`)}); !errors.As(err, &problems) {
		w.t.Errorf("an answer that does not fit: %v", err)
	}
	if _, err := w.engine.Approve(ctx, id, "b", engine.Approval{Approved: true, By: "boss"}); !errors.Is(err, engine.ErrConflict) {
		w.t.Errorf("a step that does not wait: %v", err)
	}
	if _, err := w.engine.Approve(ctx, id, "nothing", engine.Approval{Approved: true, By: "boss"}); !errors.Is(err, engine.ErrNotFound) {
		w.t.Errorf("no such step: %v", err)
	}
	if _, err := w.engine.Approve(ctx, id, "ok", engine.Approval{By: "boss", Comment: "too early"}); err != nil {
		w.t.Fatal(err)
	}
	header := w.want(id, plan.StatusFailed, "ok=failed b=skipped")
	if header.Error == nil || !strings.Contains(header.Error.Message, "rejected by boss: too early") {
		w.t.Errorf("the error is %+v", header.Error)
	}
}

func testApprovalPlan(w *world) {
	target := "one"
	w.ports.Invoker.Planners["test.undoable"] = func(r *pluginsdk.Request) ([]pluginsdk.PlannedEffect, error) {
		return []pluginsdk.PlannedEffect{{Action: "create", Target: target + string(r.Config), Diff: time.Now().String(), Known: true}}, nil
	}
	id := w.start(`"steps":[
		{"id":"a","handler":"test.undoable"},
		{"id":"ok","handler":"flow.approval","dependencies":["a"],"config":{"message":"?","plan":true}},
		{"id":"b","handler":"test.undoable","dependencies":["ok"],"config":{"from":"${step-outputs.a.did}"}},
		{"id":"c","handler":"test.undoable","dependencies":["b"],"config":{"from":"${step-outputs.b.did}"}}]`)
	event := w.await(id, plan.StepWaiting, "ok")
	if text := string(event.Details); !strings.Contains(text, `one{\"from\":\"a\"}`) || !strings.Contains(text, `"step_id":"c","step_name":"test.undoable","handler":"test.undoable","status":"unknown"`) || strings.Contains(text, `"step_id":"a"`) {
		w.t.Errorf("the plan is %s", text)
	}
	w.crash()
	time.Sleep(time.Second)
	target = "two"
	if _, err := w.engine.Approve(w.t.Context(), id, "ok", engine.Approval{Approved: true, By: "x"}); !errors.Is(err, engine.ErrConflict) || !strings.Contains(err.Error(), "has changed") {
		w.t.Fatalf("an answer to what has changed: %v", err)
	}
	if _, err := w.ports.Recorder.Await(func(e plan.Event) bool {
		return e.Type == plan.StepWaiting && strings.Contains(string(e.Details), "two")
	}); err != nil {
		w.t.Fatalf("the new plan is not shown: %v", err)
	}
	if _, err := w.engine.Approve(w.t.Context(), id, "ok", engine.Approval{Approved: true, By: "x"}); err != nil {
		w.t.Fatal(err)
	}
	w.want(id, plan.StatusSuccess, "a=success ok=success b=success c=success")
}

func testApprovalTimeout(w *world) {
	for policy, want := range map[string]plan.Status{"fail": plan.StatusFailed, "reject": plan.StatusFailed, "approve": plan.StatusSuccess} {
		begin := time.Now()
		id := w.start(strings.Replace(fmt.Sprintf(approval, policy), "${step-outputs.ok.env}", `${step-outputs.ok.env | default \"none\"}`, 1))
		w.want(id, want, "")
		if took := time.Since(begin); took != time.Hour {
			w.t.Errorf("on_timeout %s: it took %s", policy, took)
		}
	}
}

func testWait(w *world) {
	begin := time.Now()
	id := w.start(`"steps":[{"id":"a","handler":"flow.wait","config":{"duration":"48h"}},{"id":"b","handler":"test.pure","dependencies":["a"]}]`)
	w.await(id, plan.StepWaiting, "a")
	time.Sleep(10 * time.Hour)
	w.crash()
	w.want(id, plan.StatusSuccess, "a=success b=success")
	if took := time.Since(begin); took != 48*time.Hour {
		w.t.Errorf("it took %s, want 48 h", took)
	}
}

func testSignal(w *world) {
	steps := `"steps":[{"id":"a","handler":"flow.signal","config":{"name":"go"}},{"id":"b","handler":"test.pure","dependencies":["a"],"config":{"n":"${step-outputs.a.n}"}},
		{"id":"c","handler":"flow.signal","dependencies":["b"],"config":{"name":"late","timeout":"1m"}}]`
	id := w.start(steps)
	w.await(id, plan.StepWaiting, "a")
	w.crash()
	// The second one comes before its step waits, and is kept over a crash.
	if _, err := w.engine.Signal(w.t.Context(), id, "late", json.RawMessage(`"early"`), "x"); err != nil {
		w.t.Fatal(err)
	}
	w.crash()
	if _, err := w.engine.Signal(w.t.Context(), id, "go", json.RawMessage(`{"n":7}`), "x"); err != nil {
		w.t.Fatal(err)
	}
	w.want(id, plan.StatusSuccess, "a=success b=success c=success")
	if got := string(w.results(id, "c").Output); got != `"early"` {
		w.t.Errorf("c was given %s", got)
	}
	begin := time.Now()
	id = w.start(`"steps":[{"id":"c","handler":"flow.signal","config":{"name":"late","timeout":"1m"}}]`)
	header := w.want(id, plan.StatusFailed, "c=failed")
	if time.Since(begin) != time.Minute || header.Error.Code != "TIMEOUT" {
		w.t.Errorf("after %s: %+v", time.Since(begin), header.Error)
	}
}

const parentSteps = `"steps":[{"id":"kid","handler":"flow.workflow","config":{"workflow":"child","parameters":{"n":3}}},
	{"id":"b","handler":"test.pure","dependencies":["kid"],"config":{"got":"${step-outputs.kid.outputs.x.n}"}}]`

func testChild(w *world) {
	w.ports.Definitions["child"] = json.RawMessage(`{"name":"Child","parameters":[{"name":"n","type":"integer","required":true}],
		"steps":[{"id":"x","handler":"test.reconcilable","config":{"n":"${parameters.n}"}}]}`)
	hold := make(chan struct{})
	w.ports.Invoker.Handlers["test.reconcilable"] = func(ctx context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		select {
		case <-hold:
		case <-ctx.Done():
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{Code: "UNKNOWN"}}
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: r.Config}
	}
	w.ports.Invoker.Reconcilers["test.reconcilable"] = func(*pluginsdk.Request) pluginsdk.ReconcileResult {
		return pluginsdk.ReconcileResult{Status: pluginsdk.ReconcileNotStarted}
	}
	id := w.start(parentSteps)
	event := w.await(id, plan.StepWaiting, "kid")
	var details struct {
		ExecutionID string `json:"execution_id"`
	}
	if err := json.Unmarshal(event.Details, &details); err != nil || event.Reason != "child" {
		w.t.Fatalf("step_waiting is %+v: %v", event, err)
	}
	w.await(details.ExecutionID, plan.StepStarted, "x")
	w.crash()
	close(hold)
	w.want(id, plan.StatusSuccess, "kid=success b=success")
	child := w.want(details.ExecutionID, plan.StatusSuccess, "x=success")
	if child.Parent == nil || child.Parent.ExecutionID != id || child.Parent.StepID != "kid" || child.Trigger != engine.TriggerChild {
		w.t.Errorf("the child's header is %+v", child)
	}
	if got := w.results(id, "kid").ChildID; got != child.ID {
		w.t.Errorf("the step names %q as its child, want %s", got, child.ID)
	}
	calls := w.ports.Invoker.Calls()
	if last := calls[len(calls)-1]; string(last.Config) != `{"got":3}` {
		w.t.Errorf("b was given %s", last.Config)
	}
}

func testChildFailure(w *world) {
	w.ports.Definitions["child"] = json.RawMessage(`{"name":"Child","parameters":[{"name":"n","type":"integer"}],
		"steps":[{"id":"x","handler":"test.unsafe"},{"id":"z","handler":"test.pure","run_on":"always"}]}`)
	w.ports.Invoker.Handlers["test.unsafe"] = func(context.Context, *pluginsdk.Request, pluginsdk.Reporter) pluginsdk.Outcome {
		return fail(pluginsdk.FailurePermanent, "broken inside")
	}
	header := w.want(w.start(parentSteps), plan.StatusFailed, "kid=failed b=skipped")
	if !strings.Contains(header.Error.Message, "broken inside") {
		w.t.Errorf("the error is %+v", header.Error)
	}
	w.ports.Invoker.Handlers["test.unsafe"] = obedient
	id := w.start(parentSteps)
	w.await(id, plan.StepWaiting, "kid")
	child := ""
	if _, err := w.ports.Recorder.Await(func(e plan.Event) bool {
		child = e.ExecutionID
		return e.Type == plan.StepStarted && e.StepID == "x" && e.ExecutionID == w.results(id, "kid").ChildID
	}); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.engine.Cancel(w.t.Context(), id, "tester"); err != nil {
		w.t.Fatal(err)
	}
	w.want(id, plan.StatusCancelled, "kid=cancelled b=skipped")
	w.want(child, plan.StatusCancelled, "x=cancelled z=success")
	header = w.want(w.start(strings.ReplaceAll(parentSteps, `"child"`, `"gone"`)), plan.StatusFailed, "kid=failed")
	if header.Error.Code != "WORKFLOW_NOT_FOUND" {
		w.t.Errorf("the error is %+v", header.Error)
	}
}

func testChildDepth(w *world) {
	w.ports.Definitions["child"] = json.RawMessage(`{"name":"Loop","parameters":[{"name":"n","type":"integer"}],` + strings.Replace(parentSteps, "${step-outputs.kid.outputs.x.n}", "1", 1) + `}`)
	header := w.want(w.start(parentSteps), plan.StatusFailed, "kid=failed")
	if !strings.Contains(header.Error.Message, "16 deep") {
		w.t.Errorf("the error is %+v", header.Error)
	}
}
