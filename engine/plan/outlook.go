package plan

import "fmt"

// UndoOutlook is what an undo of an ended execution would do with a step.
type UndoOutlook struct {
	StepID string `json:"step_id"`
	// Undone: it would be taken back, as far as that can be said before.
	Undone bool `json:"undone"`
	// Items is how many items of a for_each would be, 0 for a step without.
	Items int `json:"items,omitempty"`
	// Reason says why it would stay as it is: the end of a sentence that
	// begins with the step.
	Reason string `json:"reason,omitempty"`
}

// OutlookOfUndo says of each step of an ended execution, in the order of the
// definition, whether an undo would take it back. It changes nothing.
func OutlookOfUndo(s *State) []UndoOutlook {
	held := s.heldByUnreachable()
	outlook := make([]UndoOutlook, len(s.Steps))
	for i := range s.Steps {
		one := UndoOutlook{StepID: s.stepID(i)}
		for _, r := range s.units(i) {
			switch {
			case s.Undoable(r):
				one.Undone = true
				if r.IsItem() {
					one.Items++
				}
			case one.Reason == "":
				one.Reason = s.notUndoable(r)
			}
		}
		if by, isHeld := held[i]; isHeld && one.Undone {
			one.Undone, one.Items = false, 0
			one.Reason = fmt.Sprintf("stays, because step %q, which comes after it, can't be undone", s.stepID(by))
		} else if one.Undone {
			one.Reason = ""
		}
		outlook[i] = one
	}
	return outlook
}

// notUndoable completes a sentence about a unit that can't be taken back.
func (s *State) notUndoable(r Ref) string {
	unit, handler := s.Unit(r), s.graph.Node(r.Step).Handler
	switch {
	case unit.Status == StatusUndone:
		return "was undone before"
	case unit.Status != StatusSuccess:
		return fmt.Sprintf("has nothing to undo: it is %s", unit.Status)
	case handler == nil:
		return "can't be undone: its handler is not there any more"
	case !handler.Info.Capabilities.Undo:
		return "can't be undone: " + s.graph.Node(r.Step).Step.Handler + " has no way to"
	case s.unreachable(r):
		return "can't be undone: " + unreachableError().Message
	}
	return "left nothing to undo"
}

// heldByUnreachable maps each step that comes before one that can't be undone
// for good to that one.
func (s *State) heldByUnreachable() map[int]int {
	held := map[int]int{}
	for i := range s.Steps {
		for _, r := range s.units(i) {
			if !s.unreachable(r) {
				continue
			}
			queue := []int{i}
			for len(queue) > 0 {
				next := queue[0]
				queue = queue[1:]
				for _, d := range s.graph.Node(next).Dependencies {
					if _, known := held[d]; !known {
						held[d] = i
						queue = append(queue, d)
					}
				}
			}
			break
		}
	}
	return held
}
