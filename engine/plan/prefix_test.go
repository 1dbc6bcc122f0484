package plan_test

import (
	"github.com/vwmp/vwmp/engine/plan"
)

// checkPrefixes folds the journal event by event, as a start after a crash at
// each of them would find it: no prefix lets an ended step begin again, or one
// begin whose dependencies have not ended.
func (s *simulation) checkPrefixes() {
	state := plan.NewState(s.graph, plan.Inputs{ExecutionID: "e"})
	for n, event := range s.events {
		if err := state.Apply(event); err != nil {
			s.t.Fatalf("fold the first %d events: %v", n+1, err)
		}
		for _, command := range plan.Next(state, event.Time) {
			if command.Kind != plan.CommandStart {
				continue
			}
			step := stepOf(command)
			if status := state.Steps[step].Status; status.Ended() {
				s.t.Fatalf("after %d events step %d begins again, though it is %s", n+1, step, status)
			}
			for _, d := range s.graph.Node(step).Dependencies {
				if !state.Steps[d].Status.Ended() {
					s.t.Fatalf("after %d events step %d begins before step %d has ended", n+1, step, d)
				}
			}
		}
	}
}
