package plan_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/vwmp/vwmp/engine/plan"
)

func TestAnOutlookSaysWhatAnUndoWouldTakeBack(t *testing.T) {
	t.Parallel()
	state := plan.NewState(compile(t, []byte(`name: x
steps:
- {id: first, handler: test.step}
- {id: lost, handler: test.step, dependencies: [first]}
- {id: after, handler: test.step, dependencies: [lost]}
- {id: each, handler: test.step, for_each: [1, 2]}
- {id: plain, handler: t.h}
- {id: none, handler: test.step}
- {id: off, handler: test.step, enabled: false}
`)), plan.Inputs{ExecutionID: "e"})
	token := &plan.Private{UndoToken: json.RawMessage(`1`)}
	success := string(plan.StatusSuccess)
	item := func(i int) *int { return &i }
	events := []plan.Event{{Type: plan.ExecutionCreated}, {Type: plan.ExecutionStarted}}
	run := func(step string, end ...plan.Event) {
		events = append(events, plan.Event{Type: plan.StepStarted, StepID: step, Attempt: 1})
		for _, event := range end {
			event.StepID = step
			events = append(events, event)
		}
	}
	done := plan.Event{Type: plan.StepCompleted, Status: success}
	taken := done
	taken.Private = token
	run("first", taken)
	run("lost", plan.Event{Type: plan.StepInterrupted}, plan.Event{Type: plan.StepResolved, Private: &plan.Private{Verdict: success}}, done)
	run("after", taken)
	events = append(events, plan.Event{Type: plan.StepExpanded, StepID: "each", Private: &plan.Private{Items: []json.RawMessage{[]byte("1"), []byte("2")}}})
	for i := range 2 {
		events = append(events, plan.Event{Type: plan.StepStarted, StepID: "each", ItemIndex: item(i), Attempt: 1},
			plan.Event{Type: plan.StepItemCompleted, StepID: "each", ItemIndex: item(i), Status: success, Private: token})
	}
	events = append(events, plan.Event{Type: plan.StepCompleted, StepID: "each", Status: success})
	run("plain", done)
	run("none", done)
	events = append(events, plan.Event{Type: plan.StepCompleted, StepID: "off", Status: string(plan.StatusSkipped)},
		plan.Event{Type: plan.WorkflowCompleted, Status: success})
	for i := range events {
		events[i].Time, events[i].Seq = epoch, uint64(i)+1
		if err := state.Apply(events[i]); err != nil {
			t.Fatal(err)
		}
	}
	want := []plan.UndoOutlook{
		{StepID: "first", Reason: `stays, because step "lost", which comes after it, can't be undone`},
		{StepID: "lost", Reason: "can't be undone: its outcome was unknown and a person declared it done, so that nobody knows what it takes to undo it"},
		{StepID: "after", Undone: true},
		{StepID: "each", Undone: true, Items: 2},
		{StepID: "plain", Reason: "can't be undone: t.h has no way to"},
		{StepID: "none", Reason: "left nothing to undo"},
		{StepID: "off", Reason: "has nothing to undo: it is skipped"},
	}
	if got := plan.OutlookOfUndo(state); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the outlook is\n%+v, want\n%+v", got, want)
	}
}
