package local

import (
	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
)

// stepResult is a step as results show it, without its items.
func (e *execution) stepResult(i int) engine.StepResult {
	node, step := e.graph.Node(i), &e.state.Steps[i]
	result := engine.StepResult{
		StepID: node.Step.ID, StepName: node.Name(), Handler: node.Step.Handler, Status: step.Status,
		Output: step.PublicOutput, Error: step.Error, Attempts: step.Attempt,
		StartedAt: step.StartedAt.UTC(), CompletedAt: step.CompletedAt.UTC(), SkipReason: step.SkipReason,
		LogCount: e.logCounts[node.Step.ID], KeptFrom: step.KeptFrom, ItemCount: len(step.Items),
		Waiting: waitingOf(&step.Unit), Undo: undoOf(&step.Unit), ChildID: childOf(&step.Unit),
	}
	if !step.StartedAt.IsZero() && !step.CompletedAt.IsZero() {
		result.ExecutionTime = step.CompletedAt.Sub(step.StartedAt).Seconds()
	}
	for _, attempt := range step.Attempts {
		view := engine.Attempt{
			Attempt: attempt.Number, Status: attempt.Status, StartedAt: attempt.StartedAt.UTC(),
			CompletedAt: attempt.CompletedAt.UTC(), Error: attempt.Error, Checksum: attempt.Checksum,
		}
		if used := attempt.Usage; used != nil {
			view.CPUSeconds, view.MemoryBytes, view.SharedProcess = used.CPU.Seconds(), used.Memory, used.Shared
		}
		if !attempt.CompletedAt.IsZero() {
			view.ExecutionTime = attempt.CompletedAt.Sub(attempt.StartedAt).Seconds()
		}
		result.AttemptList = append(result.AttemptList, view)
	}
	return result
}

// itemResult is an item as results show it.
func (e *execution) itemResult(r plan.Ref) engine.ItemResult {
	unit := e.state.Unit(r)
	return engine.ItemResult{
		Index: r.Item, Status: unit.Status, Output: unit.PublicOutput, Error: unit.Error, Attempts: unit.Attempt,
		StartedAt: unit.StartedAt.UTC(), CompletedAt: unit.CompletedAt.UTC(), SkipReason: unit.SkipReason,
		Waiting: waitingOf(unit), ChildID: childOf(unit), Undo: undoOf(unit),
	}
}

// waitingOf is nil for a unit that does not wait now, and for a step whose
// items do.
func waitingOf(unit *plan.Unit) *engine.Waiting {
	if unit.Status != plan.StatusWaiting || unit.Wait == nil {
		return nil
	}
	wait := unit.Wait
	return &engine.Waiting{
		Reason: wait.Reason, Since: unit.WaitsSince.UTC(), Until: wait.Until.UTC(), Message: wait.Message,
		Approvers: wait.Approvers, Form: wait.Form, Plan: wait.Plan, Signal: wait.Signal, ChildID: wait.Child, Plugin: wait.Plugin,
	}
}

func undoOf(unit *plan.Unit) *engine.Undo {
	if unit.Undo.Status == "" {
		return nil
	}
	return &engine.Undo{
		Status: unit.Undo.Status, Error: unit.Undo.Error, SkipReason: unit.Undo.SkipReason, At: unit.Undo.At.UTC(), By: unit.Undo.By,
	}
}

func childOf(unit *plan.Unit) string {
	if unit.Wait == nil {
		return ""
	}
	return unit.Wait.Child
}
