package local

import "github.com/vwmp/vwmp/engine/plan"

// Figures are what an operator watches of a runtime.
type Figures struct {
	// Executions counts those that have not ended by their status; one whose
	// owner has not looked at it yet is pending.
	Executions map[plan.Status]int
	// Calls counts the attempts, and the undos, under way.
	Calls int64
}

// Figures counts what lives now.
func (r *Runtime) Figures() Figures {
	f := Figures{Executions: map[plan.Status]int{}, Calls: r.calls.Load()}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.executions {
		status := plan.StatusPending
		if shown := e.shown.Load(); shown != nil {
			status = *shown
		}
		if !status.Ended() {
			f.Executions[status]++
		}
	}
	return f
}

// show lets others see the status after a turn.
func (e *execution) show() {
	if shown := e.shown.Load(); shown == nil || *shown != e.state.Status {
		status := e.state.Status
		e.shown.Store(&status)
	}
}
