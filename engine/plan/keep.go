package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/vwmp/vwmp/engine/workflow"
)

// Redo lists the steps of a graph that a new execution must make again,
// ascending: those that an ended one did not bring to a good end, from if it
// is a step, and all that comes after one of them. Clean-up and failure steps
// are always made again.
func Redo(ended *State, graph *workflow.Graph, from string) ([]int, error) {
	redo := make([]bool, graph.Len())
	if from != "" {
		i, found := graph.Index(from)
		if !found {
			return nil, fmt.Errorf("there is no step %q", from)
		}
		redo[i] = true
	}
	for i := range redo {
		node := graph.Node(i)
		redo[i] = redo[i] || node.Step.RunOn != workflow.RunOnSuccess || !ended.keeps(node)
	}
	queue := make([]int, 0, len(redo))
	for i := range redo {
		if redo[i] && graph.Node(i).Step.RunOn == workflow.RunOnSuccess {
			queue = append(queue, i)
		}
	}
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		for _, next := range graph.Node(i).Dependents {
			if !redo[next] {
				redo[next] = true
				queue = append(queue, next)
			}
		}
	}
	list := make([]int, 0, len(redo))
	for i := range redo {
		if redo[i] {
			list = append(list, i)
		}
	}
	return list, nil
}

// keeps reports whether the result of a step may stand in another execution
// whose definition has that step.
func (s *State) keeps(node *workflow.Node) bool {
	i, found := s.graph.Index(node.Step.ID)
	if !found || s.graph.Node(i).Step.Handler != node.Step.Handler {
		return false
	}
	step := &s.Steps[i]
	return step.Status == StatusSuccess || s.skippedInTheRun(i)
}

// skippedInTheRun tells a step that its handler or a person skipped from one
// whose condition is judged anew.
func (s *State) skippedInTheRun(i int) bool {
	return s.Steps[i].Status == StatusSkipped && s.Steps[i].Attempt > 0
}

// Keep gathers the results of an ended execution but for those of the steps
// to be made again, in the order in which they were made.
func Keep(ended *State, graph *workflow.Graph, redo []int) []Kept {
	again := map[string]bool{}
	for _, i := range redo {
		again[graph.Node(i).Step.ID] = true
	}
	steps := make([]int, 0, ended.graph.Len())
	for i := range ended.Steps {
		node := ended.graph.Node(i)
		_, known := graph.Index(node.Step.ID)
		if known && !again[node.Step.ID] && ended.keeps(node) {
			steps = append(steps, i)
		}
	}
	return ended.keepSteps(steps)
}

// KeepToUndo gathers what an ended execution did, in the order in which it was
// done: the results of its steps, and of the items that succeeded where the
// step as a whole did not.
func KeepToUndo(ended *State) []Kept {
	var steps []int
	for i := range ended.Steps {
		if ended.keeps(ended.graph.Node(i)) || len(ended.KeepItems(i, -1)) > 0 {
			steps = append(steps, i)
		}
	}
	keep := ended.keepSteps(steps)
	order := map[Ref]int{}
	for k, r := range ended.finished {
		order[r] = k + 1
	}
	for k := range keep {
		i, _ := ended.graph.Index(keep[k].StepID)
		keep[k].Order = order[StepRef(i)]
		for n := range keep[k].Items {
			item := &keep[k].Items[n]
			item.Order = order[Ref{i, item.Index}]
		}
	}
	return keep
}

func (s *State) keepSteps(steps []int) []Kept {
	order := map[int]int{}
	for k, r := range s.finished {
		order[r.Step] = k
	}
	slices.SortStableFunc(steps, func(a, b int) int { return cmp.Compare(order[a], order[b]) })
	var keep []Kept
	for _, i := range steps {
		if s.keeps(s.graph.Node(i)) {
			keep = append(keep, s.keep1(i))
		} else {
			keep = append(keep, Kept{StepID: s.stepID(i), Values: s.Steps[i].Values, Items: s.KeepItems(i, -1)})
		}
	}
	return keep
}

func (s *State) keep1(i int) Kept {
	step := &s.Steps[i]
	kept := Kept{
		StepID: s.stepID(i), Status: step.Status, Output: step.PublicOutput, FullOutput: step.Output,
		UndoToken: step.UndoToken, SkipReason: step.SkipReason, Declared: step.declared, Values: step.Values, Items: s.KeepItems(i, -1),
	}
	if kept.Status == StatusUndone {
		kept.Status = StatusSuccess
	}
	return kept
}

// KeepItems gathers the results of the items of a step that succeeded, but for
// one; -1 is none.
func (s *State) KeepItems(i, but int) []KeptItem {
	var items []KeptItem
	for k := range s.Steps[i].Items {
		if unit := &s.Steps[i].Items[k]; unit.Status == StatusSuccess && k != but {
			items = append(items, KeptItem{
				Index: k, Output: unit.PublicOutput, FullOutput: unit.Output, UndoToken: unit.UndoToken, Declared: unit.declared,
			})
		}
	}
	return items
}
