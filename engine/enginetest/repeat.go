package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

func repeatTests() map[string]func(*world) {
	return map[string]func(*world){
		"a retry keeps what succeeded":                        testRetryRun,
		"a retry from a step does it and what follows again":  testRetryFrom,
		"a retry of a for_each does only the bad items again": testRetryItems,
		"a fork edits an input or an earlier output":          testFork,
		"a fork does one item again":                          testForkItem,
		"one step runs by itself with pretended outputs":      testOnlyStep,
		"a preview asks every handler and changes nothing":    testPreview,
		"an explanation says why each step is as it is":       testExplain,
		"an input is what the step was called with":           testInput,
		"what lives can't be retried, forked or undone":       testRepeatConflicts,
	}
}

const chain = `"parameters":[{"name":"p","type":"integer","default":1}],"steps":[
	{"id":"a","handler":"test.undoable","config":{"p":"${parameters.p}"}},
	{"id":"b","handler":"test.unsafe","dependencies":["a"],"config":{"from":"${step-outputs.a.did}"}},
	{"id":"c","handler":"test.undoable","dependencies":["b"]}]`

// failOnce makes test.unsafe fail the first time.
func (w *world) failOnce() {
	calls := 0
	w.ports.Invoker.Handlers["test.unsafe"] = func(_ context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		if calls++; calls == 1 {
			return fail(pluginsdk.FailurePermanent, "the first time")
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: r.Config}
	}
}

func testRetryRun(w *world) {
	w.failOnce()
	first := w.start(chain)
	w.want(first, plan.StatusFailed, "a=success b=failed c=skipped")
	again, err := w.engine.Retry(w.t.Context(), first, engine.RetryRequest{By: "tester"})
	if err != nil {
		w.t.Fatal(err)
	}
	header := w.want(again.ID, plan.StatusSuccess, "a=success b=success c=success")
	if header.RetryOf != first || header.Trigger != engine.TriggerRetry {
		w.t.Errorf("the header is %+v", header)
	}
	if calls := w.ports.Invoker.CallsOf("a"); calls != 1 {
		w.t.Errorf("a was called %d times", calls)
	}
	if kept := w.results(again.ID, "a"); kept.KeptFrom != first || string(kept.Output) != `{"did":"a"}` {
		w.t.Errorf("a is %+v", kept)
	}
	if _, err := w.engine.Retry(w.t.Context(), again.ID, engine.RetryRequest{By: "tester"}); !errors.Is(err, engine.ErrConflict) {
		w.t.Errorf("a retry of what succeeded: %v", err)
	}
}

func testRetryFrom(w *world) {
	first := w.start(chain)
	w.want(first, plan.StatusSuccess, "")
	again, err := w.engine.Retry(w.t.Context(), first, engine.RetryRequest{FromStep: "b", Parameters: json.RawMessage(`{"p":9}`), By: "tester"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.want(again.ID, plan.StatusSuccess, "a=success b=success c=success")
	if a, b, c := w.ports.Invoker.CallsOf("a"), w.ports.Invoker.CallsOf("b"), w.ports.Invoker.CallsOf("c"); a != 1 || b != 2 || c != 2 {
		w.t.Errorf("calls of a, b, c: %d %d %d", a, b, c)
	}
	if string(again.Parameters) != `{"p":9}` {
		w.t.Errorf("the parameters are %s", again.Parameters)
	}
	var problems *engine.ProblemsError
	if _, err := w.engine.Retry(w.t.Context(), first, engine.RetryRequest{FromStep: "nothing"}); !errors.As(err, &problems) {
		w.t.Errorf("a step that is not there: %v", err)
	}
}

func testRetryItems(w *world) {
	bad := true
	w.ports.Invoker.Handlers["test.unsafe"] = func(_ context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		if r.ItemIndex == 1 && bad {
			return fail(pluginsdk.FailurePermanent, "bad")
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: json.RawMessage(fmt.Sprint(r.ItemIndex))}
	}
	first := w.start(`"steps":[{"id":"a","handler":"test.unsafe","for_each":["x","y","z"]}]`)
	w.want(first, plan.StatusFailed, "a=failed")
	bad = false
	again, err := w.engine.Retry(w.t.Context(), first, engine.RetryRequest{By: "tester"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.want(again.ID, plan.StatusSuccess, "a=success")
	if calls := w.ports.Invoker.CallsOf("a"); calls != 4 {
		w.t.Errorf("the items were called %d times, want 3 and then the bad one", calls)
	}
	if step := w.results(again.ID, "a"); string(step.Output) != `[0,1,2]` {
		w.t.Errorf("the output is %s", step.Output)
	}
}

func testFork(w *world) {
	w.ports.Invoker.Handlers["test.unsafe"] = func(_ context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: r.Config}
	}
	first := w.start(chain)
	w.want(first, plan.StatusSuccess, "")
	request := engine.ForkRequest{FromStep: "b", Outputs: map[string]json.RawMessage{"a": json.RawMessage(`{"did":"edited"}`)}, DryRun: true, By: "tester"}
	fork, err := w.engine.Fork(w.t.Context(), first, request)
	if err != nil || fork.Execution != nil || !slices.Equal(fork.Kept, []string{"a"}) || !slices.Equal(fork.Redone, []string{"b", "c"}) || !slices.Equal(fork.Unsafe, []string{"b"}) {
		w.t.Fatalf("the fork would be %+v: %v", fork, err)
	}
	request.DryRun = false
	fork, err = w.engine.Fork(w.t.Context(), first, request)
	if err != nil {
		w.t.Fatal(err)
	}
	header := w.want(fork.Execution.ID, plan.StatusSuccess, "a=success b=success c=success")
	if got := string(w.results(fork.Execution.ID, "b").Output); got != `{"from":"edited"}` || header.ForkOf != first {
		w.t.Errorf("b gave %s, fork of %s", got, header.ForkOf)
	}
	fork, err = w.engine.Fork(w.t.Context(), first, engine.ForkRequest{FromStep: "b", Config: json.RawMessage(`{"new":true}`), By: "tester"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.want(fork.Execution.ID, plan.StatusSuccess, "")
	if got := string(w.results(fork.Execution.ID, "b").Output); got != `{"new":true}` {
		w.t.Errorf("b gave %s", got)
	}
	var problems *engine.ProblemsError
	if _, err := w.engine.Fork(w.t.Context(), first, engine.ForkRequest{FromStep: "b", Outputs: map[string]json.RawMessage{"c": json.RawMessage(`1`)}}); !errors.As(err, &problems) {
		w.t.Errorf("an edit of a later output: %v", err)
	}
}

func testForkItem(w *world) {
	first := w.start(`"steps":[{"id":"a","handler":"test.pure","for_each":["x","y","z"]},{"id":"b","handler":"test.pure","dependencies":["a"]}]`)
	w.want(first, plan.StatusSuccess, "")
	item := 1
	fork, err := w.engine.Fork(w.t.Context(), first, engine.ForkRequest{FromStep: "a", Item: &item, By: "tester"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.want(fork.Execution.ID, plan.StatusSuccess, "a=success b=success")
	calls := map[int]int{}
	for _, call := range w.ports.Invoker.Calls() {
		if call.StepID == "a" {
			calls[call.ItemIndex]++
		}
	}
	if calls[0] != 1 || calls[1] != 2 || calls[2] != 1 {
		w.t.Errorf("the items were called %v times", calls)
	}
	if step := w.results(fork.Execution.ID, "a"); len(step.Items) != 3 {
		w.t.Errorf("the items are %+v", step.Items)
	}
}

func testOnlyStep(w *world) {
	request := w.request(chain)
	request.Origin = &plan.Origin{Only: "b", Keep: []plan.Kept{{StepID: "a", Status: plan.StatusSuccess, Output: json.RawMessage(`{"did":"pretended"}`)}}}
	execution, _, err := w.engine.Start(w.t.Context(), request)
	if err != nil {
		w.t.Fatal(err)
	}
	w.want(execution.ID, plan.StatusSuccess, "a=success b=success c=skipped")
	if calls := w.ports.Invoker.Calls(); len(calls) != 1 || string(calls[0].Config) != `{"from":"pretended"}` {
		w.t.Errorf("the calls were %+v", calls)
	}
}

func testPreview(w *world) {
	w.ports.Invoker.Planners["test.undoable"] = func(r *pluginsdk.Request) ([]pluginsdk.PlannedEffect, error) {
		return []pluginsdk.PlannedEffect{{Action: "create", Target: "file of " + r.StepID + string(r.Config), Known: true}}, nil
	}
	preview, err := w.engine.Preview(w.t.Context(), w.request(strings.Replace(chain, `"steps":[`, `"steps":[
		{"id":"off","handler":"test.pure","enabled":false},{"id":"never","handler":"test.pure","when":"parameters.p > 5"},
		{"id":"oops","handler":"test.pure","run_on":"failure"},{"id":"ask","handler":"flow.approval","config":{"message":"?"}},
		{"id":"each","handler":"test.undoable","for_each":[1,2],"config":{"n":"${item}"}},`, 1)))
	if err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, step := range preview.Steps {
		line := step.StepID + "=" + step.Status
		for _, effect := range step.Effects {
			line += fmt.Sprintf(" (%s %s %v)", effect.Action, effect.Target, effect.Known)
		}
		if step.Status != "run" && step.Reason == "" {
			w.t.Errorf("step %s does not say why it is %s", step.StepID, step.Status)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	want := []string{
		`a=run (create file of a{"p":1} true)`, "ask=run", "b=unknown (run test.unsafe false)", "c=run (create file of c{} true)",
		`each=run (create file of each{"n":1} true) (create file of each{"n":2} true)`, "never=skip", "off=skip", "oops=skip",
	}
	if !slices.Equal(lines, want) {
		w.t.Errorf("the preview is\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if len(preview.Warnings) != 1 || preview.Warnings[0].StepID != "b" {
		w.t.Errorf("the warnings are %+v", preview.Warnings)
	}
	if calls, commits := w.ports.Invoker.Calls(), w.ports.Store.Commits(); len(calls) > 0 || commits > 0 {
		w.t.Errorf("a preview led to %d calls and %d commits", len(calls), commits)
	}
}

func testExplain(w *world) {
	w.failOnce()
	id := w.start(`"parameters":[{"name":"p","type":"integer","default":1}],"steps":[
		{"id":"a","handler":"test.pure","when":"parameters.p > 5"},
		{"id":"b","handler":"test.unsafe","dependencies":["a"],"retry":{"max_attempts":1}},
		{"id":"c","handler":"test.pure","dependencies":["b"]}]`)
	w.want(id, plan.StatusFailed, "")
	explained, err := w.engine.Explain(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	for i, want := range []string{"parameters.p is 1", "the first time", `step "b" failed`} {
		if got := strings.Join(explained.Steps[i].Reasons, " "); !strings.Contains(got, want) {
			w.t.Errorf("step %d is explained by %q, want %q", i, got, want)
		}
	}
	if !strings.Contains(explained.Summary, "the first time") {
		w.t.Errorf("the summary is %q", explained.Summary)
	}
	if _, err := w.engine.Explain(w.t.Context(), "nothing"); !errors.Is(err, engine.ErrNotFound) {
		w.t.Errorf("an execution that is not there: %v", err)
	}
}

func testRepeatConflicts(w *world) {
	tokens := w.held()
	id := w.start(`"steps":[{"id":"a","handler":"test.unsafe"}]`)
	w.await(id, plan.StepStarted, "a")
	ctx := w.t.Context()
	if _, err := w.engine.Retry(ctx, id, engine.RetryRequest{}); !errors.Is(err, engine.ErrConflict) || !strings.Contains(err.Error(), "running") {
		w.t.Errorf("retry: %v", err)
	}
	if _, err := w.engine.Fork(ctx, id, engine.ForkRequest{FromStep: "a"}); !errors.Is(err, engine.ErrConflict) {
		w.t.Errorf("fork: %v", err)
	}
	if _, err := w.engine.Undo(ctx, id, "x"); !errors.Is(err, engine.ErrConflict) {
		w.t.Errorf("undo: %v", err)
	}
	tokens <- struct{}{}
	w.want(id, plan.StatusSuccess, "")
	if _, err := w.engine.Undo(ctx, id, "x"); !errors.Is(err, engine.ErrConflict) || !strings.Contains(err.Error(), "none of its steps") {
		w.t.Errorf("undo of nothing: %v", err)
	}
	if _, err := w.engine.Pause(ctx, id, "x"); !errors.Is(err, engine.ErrConflict) {
		w.t.Errorf("pause of what has ended: %v", err)
	}
}
