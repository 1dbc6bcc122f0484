package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
)

// killCase is a workflow of the loop, and how each execution of it must end.
type killCase struct {
	id, text string
	// share is how often it is started, against the others; 0 for one that
	// only others run.
	share  int
	status plan.Status
	// ends is how many steps and items of it end.
	ends  int
	check func(*killLoop, *killedRun)
}

// killedRun is an execution of the loop, at the end.
type killedRun struct {
	result engine.Result
	events []plan.Event
	// ended are the ends of steps and items by key, and born the children of
	// all executions by the key of the step that runs them.
	ended map[string]plan.Event
	born  map[string]string
}

// killCases are the workflows. FILE is the ledger.
//
//   - kill has a step of every effect class, side by side and in a row; one of
//     them fails first, one is a list and one waits.
//   - parent runs kid, which runs leaf, and leaf for each item of a list.
//   - ask waits for a person, a signal and time.
//   - back fails at its end and takes back what it did, but for kept, which
//     can't be, and what comes before that.
//   - done is taken back by hand once it has ended.
var killCases = []killCase{
	{"kill", `{"name": "Kill me", "steps": [
		{"id": "pure", "handler": "ledger.pure", "config": {"file": "FILE"}},
		{"id": "keyed", "handler": "ledger.keyed", "dependencies": ["pure"], "config": {"file": "FILE"}},
		{"id": "reconcilable", "handler": "ledger.reconcilable", "dependencies": ["pure"], "config": {"file": "FILE"}},
		{"id": "unsafe", "handler": "ledger.unsafe", "dependencies": ["pure"], "config": {"file": "FILE", "wait": 30}},
		{"id": "again", "handler": "ledger.unsafe", "dependencies": ["unsafe"], "config": {"file": "FILE", "fail_first": true},
			"retry": {"max_attempts": 2, "initial_interval": 0.05, "jitter": 0}},
		{"id": "nap", "handler": "flow.wait", "config": {"duration": "50ms"}},
		{"id": "items", "handler": "ledger.reconcilable", "for_each": [1, 2, 3], "max_parallel": 2, "dependencies": ["nap"], "config": {"file": "FILE"}},
		{"id": "join", "handler": "ledger.unsafe", "dependencies": ["keyed", "reconcilable", "again", "items"], "config": {"file": "FILE"}},
		{"id": "clean", "handler": "ledger.idempotent", "run_on": "always", "dependencies": ["join"], "config": {"file": "FILE"}}]}`,
		2, plan.StatusSuccess, 12, nil},
	{"leaf", `{"name": "Leaf", "steps": [{"id": "only", "handler": "ledger.unsafe", "config": {"file": "FILE"}}]}`,
		0, plan.StatusSuccess, 1, nil},
	{"kid", `{"name": "Kid", "steps": [
		{"id": "first", "handler": "ledger.unsafe", "config": {"file": "FILE"}},
		{"id": "low", "handler": "flow.workflow", "dependencies": ["first"], "config": {"workflow": "leaf"}},
		{"id": "last", "handler": "ledger.reconcilable", "dependencies": ["low"], "config": {"file": "FILE"}}]}`,
		0, plan.StatusSuccess, 3, (*killLoop).checkParent},
	{"parent", `{"name": "Parent", "steps": [
		{"id": "before", "handler": "ledger.pure", "config": {"file": "FILE"}},
		{"id": "kid", "handler": "flow.workflow", "dependencies": ["before"], "config": {"workflow": "kid"}},
		{"id": "kids", "handler": "flow.workflow", "for_each": [1, 2, 3], "max_parallel": 2, "config": {"workflow": "leaf"}},
		{"id": "after", "handler": "ledger.unsafe", "dependencies": ["kid", "kids"], "config": {"file": "FILE"}}]}`,
		1, plan.StatusSuccess, 7, (*killLoop).checkParent},
	{"ask", `{"name": "Ask", "steps": [
		{"id": "before", "handler": "ledger.unsafe", "config": {"file": "FILE"}},
		{"id": "ok", "handler": "flow.approval", "dependencies": ["before"], "config": {"message": "Go on?",
			"form": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}}},
		{"id": "go", "handler": "flow.signal", "config": {"name": "go"}},
		{"id": "nap", "handler": "flow.wait", "config": {"duration": "200ms"}},
		{"id": "after", "handler": "ledger.unsafe", "dependencies": ["ok", "go", "nap"], "config": {"file": "FILE"}}]}`,
		1, plan.StatusSuccess, 5, (*killLoop).checkAsked},
	{"back", `{"name": "Back", "on_failure": "rollback", "steps": [
		{"id": "base", "handler": "ledger.reversible", "config": {"wait": 40, "file": "FILE"}},
		{"id": "aside", "handler": "ledger.reversible", "config": {"wait": 40, "file": "FILE"}},
		{"id": "left", "handler": "ledger.reversible", "dependencies": ["base"], "config": {"wait": 40, "file": "FILE"}},
		{"id": "kept", "handler": "ledger.reversible", "dependencies": ["left"], "config": {"wait": 40, "file": "FILE", "keep": true}},
		{"id": "items", "handler": "ledger.reversible", "for_each": [1, 2, 3], "dependencies": ["base"], "config": {"wait": 40, "file": "FILE"}},
		{"id": "top", "handler": "ledger.reversible", "dependencies": ["kept", "items"], "config": {"wait": 40, "file": "FILE"}},
		{"id": "bad", "handler": "flow.fail", "dependencies": ["top", "aside"], "config": {"message": "on purpose"}}]}`,
		1, plan.StatusFailed, 10, (*killLoop).checkRolledBack},
	{"done", `{"name": "Done", "steps": [
		{"id": "a", "handler": "ledger.reversible", "config": {"wait": 40, "file": "FILE"}},
		{"id": "b", "handler": "ledger.reversible", "for_each": [1, 2], "dependencies": ["a"], "config": {"wait": 40, "file": "FILE"}},
		{"id": "c", "handler": "ledger.reversible", "dependencies": ["b"], "config": {"wait": 40, "file": "FILE"}},
		{"id": "d", "handler": "ledger.unsafe", "dependencies": ["c"], "config": {"file": "FILE"}}]}`,
		1, plan.StatusSuccess, 6, nil},
}

func caseOf(id string) killCase {
	return killCases[slices.IndexFunc(killCases, func(c killCase) bool { return c.id == id })]
}

// drawCase draws a workflow to start.
func (l *killLoop) drawCase() string {
	var lots []string
	for _, c := range killCases {
		lots = append(lots, slices.Repeat([]string{c.id}, c.share)...)
	}
	return lots[l.chance.IntN(len(lots))]
}

// checkFamilies holds that no child was started twice, and that each is of an
// execution that is there; it adds the children to what was started, and
// returns them by the key of the step that runs them.
func (l *killLoop) checkFamilies(all map[string]engine.Execution, started map[string]killCase) map[string]string {
	born := map[string]string{}
	for id, e := range all {
		if e.Parent == nil {
			continue
		}
		key := keyOf(plan.Event{ExecutionID: e.Parent.ExecutionID, StepID: e.Parent.StepID, ItemIndex: e.Parent.ItemIndex})
		if other, twice := born[key]; twice {
			l.t.Errorf("%s started two children, %s and %s", key, other, id)
		}
		if _, found := all[e.Parent.ExecutionID]; !found {
			l.t.Errorf("the parent of execution %s, %s, is lost", id, e.Parent.ExecutionID)
		}
		born[key], started[id] = id, caseOf(e.WorkflowID)
	}
	return born
}

// checkParent holds that each step that runs a child names the one that there
// is.
func (l *killLoop) checkParent(run *killedRun) {
	children := map[string]string{}
	for _, step := range run.result.StepResults {
		if step.Handler != "flow.workflow" {
			continue
		}
		if step.ItemCount == 0 {
			children[run.result.ID+"/"+step.StepID] = step.ChildID
		}
		for _, item := range step.Items {
			children[fmt.Sprintf("%s/%s/%d", run.result.ID, step.StepID, item.Index)] = item.ChildID
		}
	}
	for key, child := range children {
		if child == "" || run.born[key] != child {
			l.t.Errorf("%s says that it ran %q, and %q is its child", key, child, run.born[key])
		}
	}
}

// checkAsked holds that what people answered stays answered, and that time was
// waited for.
func (l *killLoop) checkAsked(run *killedRun) {
	id := run.result.ID
	for step, sent := range map[string]map[string]sentAnswers{"ok": l.people.answers, "go": l.people.signals} {
		var output struct {
			N int `json:"n"`
		}
		if err := json.Unmarshal(run.ended[id+"/"+step].Output, &output); err != nil {
			l.t.Errorf("%s/%s gave %s: %v", id, step, run.ended[id+"/"+step].Output, err)
			continue
		}
		answers := sent[id]
		if !slices.Contains(answers.tried, output.N) || (step == "ok" && answers.heard != 0 && output.N != answers.heard) {
			l.t.Errorf("%s/%s was answered with %d; sent were %v, acknowledged was %d", id, step, output.N, answers.tried, answers.heard)
		}
	}
	nap := run.result.StepResults["nap"]
	if took := nap.CompletedAt.Sub(nap.StartedAt); took < 200*time.Millisecond || nap.Attempts != 1 {
		l.t.Errorf("%s/nap took %s in %d attempts", id, took, nap.Attempts)
	}
}

// checkRolledBack holds that a rollback is complete, once, and stops where it
// must.
func (l *killLoop) checkRolledBack(run *killedRun) {
	id := run.result.ID
	l.checkUndone(run.events, run.ended, map[string]plan.Status{
		id + "/top": plan.StatusUndone, id + "/items/0": plan.StatusUndone, id + "/items/1": plan.StatusUndone, id + "/items/2": plan.StatusUndone,
		id + "/aside": plan.StatusUndone, id + "/kept": plan.StatusFailed, id + "/left": plan.StatusSkipped, id + "/base": plan.StatusSkipped,
	}, id)
	if reason := run.result.StatusReason; !strings.Contains(reason, `"kept"`) || !strings.Contains(reason, "5 steps undone") {
		l.t.Errorf("the rollback of %s says %q", id, reason)
	}
}

// checkUndos holds that each execution that was to be taken back was, by one
// other, as a whole; it returns how many did so.
func (l *killLoop) checkUndos(all map[string]engine.Execution) int {
	undos := map[string]string{}
	for id, e := range all {
		if e.UndoOf == "" {
			continue
		}
		if other, twice := undos[e.UndoOf]; twice {
			l.t.Errorf("%s was undone by %s and by %s", e.UndoOf, other, id)
		}
		undos[e.UndoOf] = id
	}
	for first, undo := range l.people.undone {
		if undos[first] != undo {
			l.t.Errorf("execution %s is undone by %q, acknowledged was %q", first, undos[first], undo)
			continue
		}
		if result := l.r.result(undo); result.Status != plan.StatusSuccess {
			l.t.Errorf("the undo %s ended as %s: %+v", undo, result.Status, result.Error)
		}
		ended := map[string]plan.Event{}
		for _, event := range l.r.events(first) {
			if event.Type == plan.StepCompleted || event.Type == plan.StepItemCompleted {
				ended[keyOf(event)] = event
			}
		}
		events := l.r.events(undo)
		checkSequence(l.t, events)
		l.checkUndone(events, ended, map[string]plan.Status{
			first + "/a": plan.StatusUndone, first + "/b/0": plan.StatusUndone, first + "/b/1": plan.StatusUndone, first + "/c": plan.StatusUndone,
		}, first)
		for _, step := range []string{"a", "b", "c"} {
			if status := l.r.result(first).StepResults[step].Status; status != plan.StatusUndone {
				l.t.Errorf("%s/%s is %s", first, step, status)
			}
		}
	}
	return len(undos)
}

// checkUndone compares what events say of taking steps of an execution back
// with what is wanted, with the order in which the steps ended, and with the
// ledger.
func (l *killLoop) checkUndone(events []plan.Event, ended map[string]plan.Event, want map[string]plan.Status, of string) {
	l.t.Helper()
	got := map[string]plan.Status{}
	last := uint64(1) << 63
	for _, event := range events {
		if event.Type != plan.StepUndone {
			continue
		}
		event.ExecutionID = of
		key := keyOf(event)
		if got[key] != "" {
			l.t.Errorf("%s is recorded as undone twice", key)
		}
		got[key] = plan.Status(event.Status)
		if seq := ended[key].Seq; seq >= last {
			l.t.Errorf("%s was undone out of turn", key)
		} else {
			last = seq
		}
		marks := 0
		for _, e := range l.entries()[key] {
			if e.Mark == "undo" {
				marks++
				if e.Time.After(event.Time) {
					l.t.Errorf("%s was recorded as undone at %s and was undone again at %s", key, event.Time, e.Time)
				}
			}
		}
		if undone := got[key] == plan.StatusUndone; (undone && marks != 1) || (!undone && marks != 0) {
			l.t.Errorf("%s is recorded as %s, and was undone %d times", key, got[key], marks)
		}
	}
	for key, status := range want {
		if got[key] != status {
			l.t.Errorf("the undo of %s is %q, want %s", key, got[key], status)
		}
	}
	if len(got) != len(want) {
		l.t.Errorf("of %s were undone %v, want %v", of, got, want)
	}
}
