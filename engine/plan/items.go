package plan

import (
	"encoding/json"
	"fmt"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// itemsDue reports whether an item of the step could start now.
func (s *State) itemsDue(i int) bool {
	step := &s.Steps[i]
	return step.itemCounts[StatusPending] > 0 && step.active < s.maxParallel(i)
}

func (s *State) maxParallel(i int) int {
	if limit := s.graph.Node(i).Step.MaxParallel; limit > 0 {
		return limit
	}
	return workflow.DefaultMaxParallel
}

// expand gives a step with for_each that is due its items; an empty list is
// the end of it.
func (s *State) expand(i int) Command {
	node := s.graph.Node(i)
	if kept := s.keep[i]; kept != nil && len(kept.Values) > 0 {
		return Command{Kind: CommandExpand, Ref: StepRef(i), Items: kept.Values}
	}
	items, err := node.Items(s.Scope(StepRef(i)))
	switch {
	case err != nil:
		return s.invalid(i, "REFERENCE_ERROR", err)
	case len(items) == 0:
		return Command{Kind: CommandComplete, Ref: StepRef(i), Status: StatusSuccess, Output: json.RawMessage("[]")}
	}
	return Command{Kind: CommandExpand, Ref: StepRef(i), Items: items}
}

// decideItems starts the items that there is room for, and ends the step once
// none is left. It returns the room that is left.
func (s *State) decideItems(commands []Command, i, room int) ([]Command, int) {
	step := &s.Steps[i]
	switch {
	case step.ended == len(step.Items), s.dropped(i) && step.ended+step.itemCounts[StatusPending] == len(step.Items):
		return append(commands, s.gatherItems(i)), room
	case s.dropped(i):
		return commands, room
	}
	places := s.maxParallel(i) - step.active
	for k := step.next; k < len(step.Items) && places > 0 && room > 0; k++ {
		if step.Items[k].Status != StatusPending {
			continue
		}
		commands = append(commands, Command{Kind: CommandStart, Ref: Ref{i, k}, Attempt: 1})
		places, room = places-1, room-1
	}
	return commands, room
}

// gatherItems ends a step whose items have ended: its output is the list of
// theirs, null where there is none.
func (s *State) gatherItems(i int) Command {
	step := &s.Steps[i]
	command := Command{Kind: CommandComplete, Ref: StepRef(i), Status: StatusSuccess}
	output := []byte{'['}
	failed, cancelled, first := 0, 0, -1
	for k := range step.Items {
		item := &step.Items[k]
		if k > 0 {
			output = append(output, ',')
		}
		if item.Status == StatusSuccess && len(item.Output) > 0 {
			output = append(output, item.Output...)
		} else {
			output = append(output, "null"...)
		}
		switch item.Status {
		case StatusFailed:
			if failed++; first < 0 {
				first = k
			}
		case StatusCancelled, StatusPending:
			cancelled++
		}
	}
	command.Output = append(output, ']')
	if len(output) > pluginsdk.MaxOutputSize {
		command.Output = nil
		command.Status, command.Error = StatusFailed, &Error{
			Message: fmt.Sprintf("the outputs of its %d items are larger than %d MiB together", len(step.Items), pluginsdk.MaxOutputSize>>20),
			Code:    "output_too_large", Class: pluginsdk.FailurePermanent, Fault: pluginsdk.FaultUser,
		}
		return command
	}
	switch {
	case cancelled > 0:
		command.Status = StatusCancelled
		command.Error = &Error{
			Message: fmt.Sprintf("%s; %d of %d items had not ended", s.cancelReason(), cancelled, len(step.Items)),
			Code:    "CANCELLED", Class: pluginsdk.FailureCancelled,
		}
	case failed > 0:
		command.Status, command.Error = StatusFailed, s.itemsError(i, failed, first)
	}
	return command
}

func (s *State) itemsError(i, failed, first int) *Error {
	step := &s.Steps[i]
	problem := Error{Code: "ITEMS_FAILED", Class: pluginsdk.FailurePermanent}
	if cause := step.Items[first].Error; cause != nil {
		problem = *cause
	}
	problem.Message = fmt.Sprintf("%d of %d items failed; item %d: %s", failed, len(step.Items), first, problem.Message)
	return &problem
}
