package plan_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
)

// checkUndo holds that undo runs in reverse order of completion, once a unit,
// and stops where a unit that comes later in the graph could not be undone.
func (s *simulation) checkUndo(r plan.Ref, e plan.Event) {
	begun := s.undoing[r]
	delete(s.undoing, r)
	if e.Type != plan.UndoStarted && e.Type != plan.StepUndone {
		return
	}
	if slices.Contains(s.undone, r) {
		s.t.Fatalf("%v was undone twice", r)
	}
	if e.Type == plan.UndoStarted {
		s.undoing[r] = true
	}
	if s.ended[r] != plan.StatusSuccess {
		if s.graph.Node(r.Step).Step.OnInterrupt != workflow.OnInterruptUndo {
			s.t.Fatalf("%v is undone though it is %q", r, s.ended[r])
		}
		return // Its outcome is unknown.
	}
	if !s.rollsBack() {
		s.t.Fatalf("%v is undone without a cause", r)
	}
	at := slices.Index(s.finished, r)
	for _, later := range s.finished[at+1:] {
		if s.toUndo(later) {
			s.t.Fatalf("%v is undone before %v, which finished after it", r, later)
		}
	}
	if e.Type == plan.UndoStarted {
		if by, held := s.heldBy(r); held || !s.state.Undoable(r) {
			s.t.Fatalf("%v is undone though it can't be, or %v, which comes after it, could not be (%v)", r, by, held)
		}
		return
	}
	s.undone = append(s.undone, r)
	s.checkUndone(r, e, begun)
}

// checkUndone holds what may become of a unit that is to be undone.
func (s *simulation) checkUndone(r plan.Ref, e plan.Event, begun bool) {
	switch plan.Status(e.Status) {
	case plan.StatusUndone:
		if !begun {
			s.t.Fatalf("%v is undone, and nobody began that", r)
		}
	case plan.StatusSkipped:
		by, held := s.heldBy(r)
		if !held || !strings.Contains(e.SkipReason, s.graph.Node(by.Step).Step.ID) {
			s.t.Fatalf("%v is left as it is for %q, held back by %v (%v)", r, e.SkipReason, by, held)
		}
	default:
		if !begun && !s.declared[r] || e.Error == nil {
			s.t.Fatalf("%v could not be undone: begun %v, declared %v, %+v", r, begun, s.declared[r], e.Error)
		}
		s.stuck = append(s.stuck, r)
	}
}

func (s *simulation) rollsBack() bool {
	return s.undoes || (s.failed && s.graph.Definition().OnFailure == workflow.OnFailureRollback)
}

// toUndo reports whether a rollback has something to do about a unit: it did
// something that can be undone, or a person said that it did.
func (s *simulation) toUndo(r plan.Ref) bool {
	handler := s.graph.Node(r.Step).Handler
	declared := s.declared[r] && s.ended[r] == plan.StatusSuccess && handler.Info.Capabilities.Undo
	return (s.state.Undoable(r) || declared) && !s.state.Unit(r).Undo.Status.Ended()
}

// heldBy is the first unit that could not be undone among those that come
// after a unit in the graph.
func (s *simulation) heldBy(r plan.Ref) (by plan.Ref, held bool) {
	for _, stuck := range s.stuck {
		if s.comesBefore(r.Step, stuck.Step) {
			return stuck, true
		}
	}
	return plan.Ref{}, false
}

// comesBefore looks for a way along the edges from one step to another.
func (s *simulation) comesBefore(from, to int) bool {
	return slices.ContainsFunc(s.graph.Node(from).Dependents, func(next int) bool {
		return next == to || s.comesBefore(next, to)
	})
}

// checkRollback holds, at the end, that nothing was forgotten.
func (s *simulation) checkRollback() {
	if s.cancels > 0 || !s.rollsBack() {
		return
	}
	for _, r := range s.finished {
		if s.toUndo(r) {
			s.t.Fatalf("the execution ends, and nobody undid %v or said why not", r)
		}
	}
}

// undoOf takes an ended execution back, in one of its own.
func undoOf(ended *simulation) *simulation {
	s := &simulation{
		mutant: mutant{fault: ended.fault}, t: ended.t, graph: ended.graph,
		state: plan.NewState(ended.graph, plan.Inputs{ExecutionID: "e"}), now: ended.now,
		running: map[plan.Ref]int{}, started: map[[3]int]bool{}, ended: map[plan.Ref]plan.Status{}, undoing: map[plan.Ref]bool{},
		declared: map[plan.Ref]bool{}, undoes: true,
	}
	s.add(plan.Event{Type: plan.ExecutionCreated, Time: s.now, Private: &plan.Private{
		Origin: &plan.Origin{UndoOf: "first", Keep: plan.KeepToUndo(ended.state)},
	}})
	for i := range s.state.Steps {
		s.ended[plan.StepRef(i)] = s.state.Steps[i].Status
		for k := range s.state.Steps[i].Items {
			s.ended[plan.Ref{Step: i, Item: k}] = s.state.Steps[i].Items[k].Status
		}
	}
	for _, r := range ended.finished {
		// What the execution itself took back is not there any more.
		if ended.state.Unit(r).Status == plan.StatusSuccess {
			s.finished = append(s.finished, r)
			s.declared[r] = ended.declared[r]
		}
	}
	return s
}

// An undo of any ended execution keeps the same rules, and says in the end
// whether all could be undone.
func TestAnyUndoKeepsTheRulesAndEnds(t *testing.T) {
	t.Parallel()
	checkAll(t, anyUndo(fault{}))
}

func anyUndo(f fault) func(*rapid.T) {
	return func(t *rapid.T) {
		first := newSimulation(t, drawGraph(t))
		first.calm = true
		if !first.toItsEnd() {
			t.Skip("so many crashes and retries in a row are chance")
		}
		s := undoOf(first)
		s.fault = f
		if !s.toItsEnd() {
			t.Fatalf("the undo does not end: %s", s.state.Status)
		}
		want := plan.StatusSuccess
		switch {
		case s.state.Error != nil && s.state.Error.Code == "TIMEOUT":
			want = plan.StatusFailed
		case s.cancels > 0:
			want = plan.StatusCancelled
		case len(s.stuck) > 0:
			want = plan.StatusFailed
		}
		if s.state.Status != want {
			t.Fatalf("the undo is %s, with %d cancels and %d that could not be undone", s.state.Status, s.cancels, len(s.stuck))
		}
		for _, stuck := range s.stuck {
			if id := s.graph.Node(stuck.Step).Step.ID; len(s.stuck) == 1 && s.cancels == 0 && !strings.Contains(s.state.Error.Message, id) {
				t.Fatalf("the undo does not say that step %s could not be undone: %+v", id, s.state.Error)
			}
		}
	}
}

// toItsEnd lets the execution go on until it has ended, or too much has
// happened.
func (s *simulation) toItsEnd() bool {
	for range 400 {
		s.settle()
		if s.state.Status.Ended() {
			return true
		}
		if !s.move() {
			s.t.Fatalf("stuck: status %s, nothing runs, nothing is due, nobody is asked", s.state.Status)
		}
	}
	return false
}

// undoFaults are mistakes that an undo could make.
func undoFaults() map[string]fault {
	all := map[string]fault{
		"undoes what comes before a step that could not be undone": each(plan.CommandLeave, func(c *plan.Command) {
			if c.Status == plan.StatusSkipped {
				*c = plan.Command{Kind: plan.CommandUndo, Ref: c.Ref, Attempt: 1}
			}
		}),
		"undoes what a person declared done": each(plan.CommandLeave, func(c *plan.Command) {
			if c.Status == plan.StatusFailed {
				*c = plan.Command{Kind: plan.CommandUndo, Ref: c.Ref, Attempt: 1}
			}
		}),
		"leaves branches that nothing holds back": {next: func(s *simulation, state *plan.State, commands []plan.Command) []plan.Command {
			for i, c := range commands {
				if c.Kind == plan.CommandUndo && state.Unit(c.Ref).Status == plan.StatusSuccess && len(s.stuck) > 0 {
					commands[i] = plan.Command{Kind: plan.CommandLeave, Ref: c.Ref, Status: plan.StatusSkipped, Reason: "one could not be undone"}
				}
			}
			return commands
		}},
		"passes by what is held back":    forget(plan.CommandLeave),
		"does not say what held it back": each(plan.CommandLeave, func(c *plan.Command) { c.Reason = "" }),
		"gives up at the first that could not be undone": {next: func(s *simulation, state *plan.State, commands []plan.Command) []plan.Command {
			for i, c := range commands {
				if c.Kind == plan.CommandUndo && state.Unit(c.Ref).Status == plan.StatusSuccess && len(s.stuck) > 0 {
					commands[i] = plan.Command{Kind: plan.CommandFinish, Ref: plan.StepRef(-1), Status: plan.StatusFailed, Error: &plan.Error{Message: "stuck"}}
				}
			}
			return commands
		}},
	}
	for name, f := range all {
		f.undo = true
		all[name] = f
	}
	return all
}
