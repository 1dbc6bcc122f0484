package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

func undoTests() map[string]func(*world) {
	return map[string]func(*world){
		"a rollback takes back what was done, last first":     testRollback,
		"a rollback goes on after a crash":                    testRollbackCrash,
		"on_interrupt undo takes back what may have happened": testInterruptUndo,
		"an undo takes an ended run back, once":               testUndoRun,
		"a rollback stops where a step can't be undone":       testRollbackStops,
		"an undo stops where a step can't be undone":          testUndoStops,
	}
}

// undoable succeeds with a token that names its step.
func undoable(_ context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
	return pluginsdk.Outcome{
		Kind: pluginsdk.OutcomeSuccess, Output: json.RawMessage(`{"did":"` + r.StepID + `"}`), UndoToken: json.RawMessage(`"` + r.StepID + `"`),
	}
}

const rollback = `"on_failure":"rollback","steps":[
	{"id":"a","handler":"test.undoable"},
	{"id":"n","handler":"test.pure"},
	{"id":"b","handler":"test.undoable","dependencies":["a","n"],"for_each":[1,2],"max_parallel":1},
	{"id":"c","handler":"test.undoable","dependencies":["b"]},
	{"id":"d","handler":"test.unsafe","dependencies":["c"]}]`

func (w *world) breakLast() {
	w.ports.Invoker.Handlers["test.unsafe"] = func(context.Context, *pluginsdk.Request, pluginsdk.Reporter) pluginsdk.Outcome {
		return fail(pluginsdk.FailurePermanent, "it broke")
	}
}

func (w *world) undoOrder() string {
	var order []string
	for _, r := range w.ports.Invoker.Undos() {
		name := r.StepID
		if r.ItemIndex >= 0 {
			name += fmt.Sprint(r.ItemIndex)
		}
		order = append(order, name)
	}
	return strings.Join(order, " ")
}

func testRollback(w *world) {
	w.breakLast()
	tries := 0
	w.ports.Invoker.Undoers["test.undoable"] = func(r *pluginsdk.Request, token json.RawMessage) pluginsdk.Outcome {
		if string(token) != `"`+r.StepID+`"` {
			w.t.Errorf("step %s was undone with the token %s", r.StepID, token)
		}
		if r.StepID == "c" {
			if tries++; tries == 1 {
				return fail(pluginsdk.FailureRetryable, "not yet")
			}
		}
		if r.StepID == "a" {
			return fail(pluginsdk.FailurePermanent, "it is gone")
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	id := w.start(rollback)
	header := w.want(id, plan.StatusFailed, "a=success n=success b=undone c=undone d=failed")
	if got := w.undoOrder(); got != "c c b1 b0 a" {
		w.t.Errorf("undone in the order %q", got)
	}
	if !strings.Contains(header.StatusReason, "3 steps undone, 1 step could not be undone") {
		w.t.Errorf("the reason is %q", header.StatusReason)
	}
	if undo := w.results(id, "a").Undo; undo == nil || undo.Status != plan.StatusFailed || undo.Error.Message != "it is gone" {
		w.t.Errorf("the undo of a is %+v", undo)
	}
	var events []string
	for _, e := range w.ports.Recorder.Events(id) {
		if e.Type == plan.StepUndone {
			events = append(events, e.StepID+"="+e.Status)
		}
	}
	if got := strings.Join(events, " "); got != "c=undone b=undone b=undone a=failed" {
		w.t.Errorf("step_undone: %s", got)
	}
}

func testRollbackCrash(w *world) {
	w.breakLast()
	hold := make(chan struct{})
	begun := make(chan struct{}, 10)
	w.ports.Invoker.Undoers["test.undoable"] = func(r *pluginsdk.Request, _ json.RawMessage) pluginsdk.Outcome {
		if r.StepID == "b" && r.ItemIndex == 1 {
			begun <- struct{}{}
			<-hold
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	id := w.start(rollback)
	<-begun
	w.ports.Store.CrashAt(1, false)
	close(hold)
	w.restart()
	w.want(id, plan.StatusFailed, "a=undone n=success b=undone c=undone d=failed")
	if got := w.undoOrder(); got != "c b1 b1 b0 a" {
		w.t.Errorf("undone in the order %q: the one under way again, no other", got)
	}
}

func testInterruptUndo(w *world) {
	w.ports.Invoker.Handlers["test.undoable"] = func(ctx context.Context, _ *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{Code: "UNKNOWN", Message: "its process died"}}
	}
	id := w.start(`"steps":[{"id":"a","handler":"test.undoable","on_interrupt":"undo"}]`)
	// The class of this handler is idempotent: it is run again, and only
	// three losses end that.
	w.want(id, plan.StatusFailed, "a=failed")
	w.ports.Catalogue = NewCatalogue(map[string]pluginsdk.EffectClass{"test.pure": pluginsdk.EffectPure, "test.unsafe": pluginsdk.EffectUnsafe})
	w.restart()
	w.ports.Invoker.Handlers["test.unsafe"] = w.ports.Invoker.Handlers["test.undoable"]
	id = w.start(`"steps":[{"id":"a","handler":"test.unsafe","on_interrupt":"undo"}]`)
	event := w.await(id, plan.StepInterrupted, "a")
	if !strings.Contains(event.Reason, "its handler can't") {
		w.t.Errorf("the reason is %q", event.Reason)
	}
}

func testUndoRun(w *world) {
	first := w.start(chain)
	w.want(first, plan.StatusSuccess, "a=success b=success c=success")
	undo, err := w.engine.Undo(w.t.Context(), first, "tester")
	if err != nil {
		w.t.Fatal(err)
	}
	header := w.want(undo.ID, plan.StatusSuccess, "a=undone c=undone")
	if header.UndoOf != first || header.Trigger != engine.TriggerUndo {
		w.t.Errorf("the header is %+v", header)
	}
	if got := w.undoOrder(); got != "c a" {
		w.t.Errorf("undone in the order %q", got)
	}
	stored, err := w.ports.Store.Load(w.t.Context(), first)
	if err != nil || stored.Execution.UndoneBy != undo.ID || stored.Execution.Status != plan.StatusSuccess {
		w.t.Errorf("the first run is %+v: %v", stored.Execution, err)
	}
	for step, want := range map[string]plan.Status{"a": plan.StatusUndone, "b": plan.StatusSuccess, "c": plan.StatusUndone} {
		if result := w.results(first, step); result.Status != want || (want == plan.StatusUndone && result.Undo.By != undo.ID) {
			w.t.Errorf("step %s of the first run is %s, %+v", step, result.Status, result.Undo)
		}
	}
	if _, err := w.engine.Undo(w.t.Context(), first, "tester"); !errors.Is(err, engine.ErrConflict) {
		w.t.Errorf("undone twice: %v", err)
	}
}

// release is built like one: write and stage come before the commit, aside is
// a branch of its own, push has no undo and holds nothing back.
const release = `"steps":[
	{"id":"write","handler":"test.undoable"},
	{"id":"aside","handler":"test.undoable"},
	{"id":"check","handler":"test.pure","dependencies":["write"]},
	{"id":"stage","handler":"test.undoable","for_each":[1,2],"dependencies":["check"]},
	{"id":"commit","handler":"test.undoable","dependencies":["stage"]},
	{"id":"tag","handler":"test.undoable","dependencies":["commit"]},
	{"id":"push","handler":"test.unsafe","dependencies":["tag","aside"]}]`

// keepCommit makes the undo of commit refuse.
func (w *world) keepCommit() {
	w.ports.Invoker.Undoers["test.undoable"] = func(r *pluginsdk.Request, _ json.RawMessage) pluginsdk.Outcome {
		if r.StepID == "commit" {
			return fail(pluginsdk.FailurePermanent, "it is pushed already")
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
}

func testRollbackStops(w *world) {
	w.breakLast()
	w.keepCommit()
	id := w.start(`"on_failure":"rollback",` + release)
	header := w.want(id, plan.StatusFailed, "write=success aside=undone check=success stage=success commit=success tag=undone push=failed")
	w.wantStopped(id, header.StatusReason)
	if header.Error == nil || !strings.Contains(header.Error.Message, "it broke") {
		w.t.Errorf("the error is %+v", header.Error)
	}
}

func testUndoStops(w *world) {
	w.keepCommit()
	first := w.start(release)
	w.want(first, plan.StatusSuccess, "")
	undo, err := w.engine.Undo(w.t.Context(), first, "tester")
	if err != nil {
		w.t.Fatal(err)
	}
	header := w.want(undo.ID, plan.StatusFailed, "write=success aside=undone stage=success commit=success tag=undone")
	w.want(first, plan.StatusSuccess, "write=success aside=undone stage=success commit=success tag=undone push=success")
	w.wantStopped(undo.ID, header.StatusReason)
	if header.Error == nil || header.Error.Code != "UNDO_FAILED" || header.Error.Message != header.StatusReason {
		w.t.Errorf("the error is %+v", header.Error)
	}
	// What kept it from being undone may be over: then the rest follows.
	w.ports.Invoker.Undoers["test.undoable"] = nil
	if undo, err = w.engine.Undo(w.t.Context(), first, "tester"); err != nil {
		w.t.Fatal(err)
	}
	w.want(undo.ID, plan.StatusSuccess, "write=undone stage=undone commit=undone")
	w.want(first, plan.StatusSuccess, "write=undone aside=undone stage=undone commit=undone tag=undone push=success")
}

// wantStopped holds that an execution says, wherever somebody may look, which
// step kept others from being undone, and why.
func (w *world) wantStopped(id, reason string) {
	w.t.Helper()
	if want := `2 steps undone, 1 step could not be undone (step "commit": it is pushed already); left as they are: 3 steps that come before it`; reason != want {
		w.t.Errorf("the reason is %q, want %q", reason, want)
	}
	if got := w.undoOrder(); strings.Contains(got, "stage") || strings.Contains(got, "write") || strings.Count(got, "commit") != 1 {
		w.t.Errorf("undone in the order %q", got)
	}
	const why = `step "commit", which comes after it, could not be undone: it is pushed already`
	undos := []*engine.Undo{w.results(id, "write").Undo}
	for _, item := range w.results(id, "stage").Items {
		undos = append(undos, item.Undo)
	}
	for _, undo := range undos {
		if undo == nil || undo.Status != plan.StatusSkipped || undo.SkipReason != why {
			w.t.Errorf("the result of what was left is %+v", undo)
		}
	}
	told := map[string]int{}
	for _, e := range w.ports.Recorder.Events(id) {
		if e.Type == plan.StepUndone && e.Status == string(plan.StatusSkipped) && e.SkipReason == why {
			told[e.StepID]++
		}
	}
	if told["write"] != 1 || told["stage"] != 2 || len(told) != 2 {
		w.t.Errorf("step_undone says so of %v", told)
	}
	explained, err := w.engine.Explain(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	said := map[string]string{"": explained.Summary}
	for _, step := range explained.Steps {
		said[step.StepID] = strings.Join(step.Reasons, " ")
	}
	for step, want := range map[string]string{
		"": reason, "write": "What it did was not taken back: " + why, "stage": "What item 1 did was not taken back: " + why,
		"commit": `That kept what comes before it from being taken back: step "write", step "stage".`,
	} {
		if !strings.Contains(said[step], want) {
			w.t.Errorf("step %q is explained by %q, want %q", step, said[step], want)
		}
	}
}
