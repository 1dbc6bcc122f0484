// Package plan decides what an execution does next.
//
// It is pure: a State is folded from events by Apply, Next says which
// commands are due, and Settle says which events an outcome becomes. None of
// them knows a clock, a random source, a goroutine or any I/O; time and
// chance are handed in. Asking twice gives the same answer, in the same
// order. A runtime only obeys: it appends the events, applies them, publishes
// them, and then acts.
package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/vwmp/vwmp/engine/workflow"
)

// reconcileInterval is the wait before a handler that says "running" is asked
// again.
const reconcileInterval = 5 * time.Second

// maxLosses is how many attempts of one step may be lost to its plugin, by a
// crash or because it had to be killed, before it is not run again.
const maxLosses = 3

// maxCrashes is how many crashes of its plugin's process a step may have been
// alone in before it is not run again: it is the one that crashes it.
const maxCrashes = 2

// CodeCrashedAlone is the code of an unknown outcome whose process crashed
// while no other call was in it.
const CodeCrashedAlone = "PLUGIN_CRASHED_ALONE"

// maxCalls is how many calls of one execution run at once; further steps
// that are due wait for one of them to end. It bounds what a fan-out of
// thousands of steps takes of the memory and of a plugin.
const maxCalls = 256

// An execution active at this many host crashes within crashWindow is parked.
const (
	maxHostCrashes = 3
	crashWindow    = time.Hour
)

// Inputs are the values of one execution that never change while it lives.
type Inputs struct {
	ExecutionID string
	WorkflowID  string
	// Parameters is a JSON object with the defaults filled in.
	Parameters    json.RawMessage
	WorkspaceName string
	// Env and Adapter answer references; both may be nil.
	Env     func(name string) (string, bool)
	Adapter func(plugin string) json.RawMessage
}

// State is what the events of one execution add up to. Apply is its only
// writer; a State is not safe for concurrent use.
type State struct {
	graph  *workflow.Graph
	inputs Inputs

	Status       Status
	StatusReason string
	Error        *Error
	CreatedAt    time.Time
	StartedAt    time.Time
	CompletedAt  time.Time
	Trigger      string
	By           string
	Steps        []StepState
	// LastSeq and LastSub are those of the last event.
	LastSeq uint64
	LastSub uint32

	// Origin is nil for a plain execution.
	Origin *Origin
	// UndoneBy is the execution that took this one back, or empty.
	UndoneBy string

	// cancels counts requests; a workflow timeout counts as one.
	cancels  int
	cancelBy string
	timedOut bool
	parked   bool
	paused   bool
	queued   bool
	crashes  []time.Time
	skip     map[int]bool
	keep     map[int]*Kept
	// only is the step that alone is run, -1 for all.
	only    int
	signals []signal

	// What follows is derived from Steps, so that a turn costs what
	// changed and not the size of the graph.
	blocked     []int // open dependencies of each step
	ready       []int // pending with none open, ascending
	expanded    []int // running a for_each, ascending
	retrying    []Ref // ascending
	interrupted []Ref // ascending
	waiting     []Ref // ascending
	lost        []Ref // running with an unknown outcome, ascending
	running     map[Ref]bool
	undoing     map[Ref]bool
	open        int
	late        []int // clean-up steps without dependencies
	mainOpen    int   // success steps that have not ended
	stoppedBy   int   // the failed required step, -1 for none
	counts      map[Status]int
	optionalBad bool
	// finished are the units that succeeded, in that order; undoAt is the
	// one that a rollback looks at next, -1 behind the last.
	finished  []Ref
	undoAt    int
	undone    int
	notUndone []Ref // in the order in which they were tried
	leftAlone int   // held back by one of notUndone
	// heldBy has the steps that come before one that could not be undone,
	// and which unit of it that was.
	heldBy map[int]Ref
}

// signal is one that came before a step waited for it.
type signal struct {
	name    string
	payload json.RawMessage
}

// StepState is one step within a State.
type StepState struct {
	Unit
	// Items are those of a step with for_each once it has started, Values
	// what each is given.
	Items  []Unit
	Values []json.RawMessage

	expanded bool
	// next is the first item that may not have started; active counts those
	// that hold a place of max_parallel, and ended those that have ended.
	next, active, ended int
	itemCounts          map[Status]int
}

// NewState is the state before any event.
func NewState(graph *workflow.Graph, inputs Inputs) *State {
	n := graph.Len()
	s := &State{
		graph: graph, inputs: inputs, Status: StatusPending,
		Steps: make([]StepState, n), blocked: make([]int, n),
		running: map[Ref]bool{}, undoing: map[Ref]bool{}, skip: map[int]bool{}, keep: map[int]*Kept{}, counts: map[Status]int{},
		heldBy: map[int]Ref{},
		open:   n, stoppedBy: -1, only: -1, undoAt: undoNotBegun,
	}
	for i := range n {
		node := graph.Node(i)
		s.Steps[i].Status = StatusPending
		s.blocked[i] = len(node.Dependencies)
		switch {
		case node.Step.RunOn == workflow.RunOnSuccess:
			s.mainOpen++
			if s.blocked[i] == 0 {
				s.ready = append(s.ready, i)
			}
		case s.blocked[i] == 0:
			// Such a step waits for every success step; Compile refuses
			// a success step that comes after it.
			s.blocked[i] = 1
			s.late = append(s.late, i)
		default:
		}
	}
	if s.mainOpen == 0 {
		s.releaseLate()
	}
	return s
}

// Graph returns the compiled definition.
func (s *State) Graph() *workflow.Graph { return s.graph }

// Inputs returns what the state was made with.
func (s *State) Inputs() Inputs { return s.inputs }

// Cancelling reports whether the execution was asked to end.
func (s *State) Cancelling() bool { return s.cancels > 0 }

// Cancels counts how often the execution was asked to end.
func (s *State) Cancels() int { return s.cancels }

// Parked reports whether the execution waits to be resumed.
func (s *State) Parked() bool { return s.parked }

// Paused reports whether a person paused the execution.
func (s *State) Paused() bool { return s.paused }

// Queued reports whether the execution waits for a slot.
func (s *State) Queued() bool { return s.queued }

// Unit returns the step or the item that a ref names.
func (s *State) Unit(r Ref) *Unit {
	if r.IsItem() {
		return &s.Steps[r.Step].Items[r.Item]
	}
	return &s.Steps[r.Step].Unit
}

// Running lists the units with an attempt under way, ascending.
func (s *State) Running() []Ref { return sortedRefs(s.running) }

// Undoing lists the units that are being taken back, ascending.
func (s *State) Undoing() []Ref { return sortedRefs(s.undoing) }

// Waiting lists the units that wait, ascending.
func (s *State) Waiting() []Ref { return slices.Clone(s.waiting) }

// WaitsForPlugin reports whether a unit waits until its plugin can be called.
func (s *State) WaitsForPlugin() bool {
	return slices.ContainsFunc(s.waiting, func(r Ref) bool { return s.Unit(r).Wait.Reason == WaitPlugin })
}

// Interrupted lists the units whose outcome a person must decide, ascending.
func (s *State) Interrupted() []Ref { return slices.Clone(s.interrupted) }

func sortedRefs(set map[Ref]bool) []Ref {
	list := make([]Ref, 0, len(set))
	for r := range set {
		list = append(list, r)
	}
	slices.SortFunc(list, compareRefs)
	return list
}

// Progress counts the steps.
func (s *State) Progress() Progress {
	p := Progress{
		TotalSteps: len(s.Steps), CompletedSteps: s.counts[StatusSuccess],
		FailedSteps: s.counts[StatusFailed], SkippedSteps: s.counts[StatusSkipped],
	}
	if p.TotalSteps > 0 {
		p.Percentage = float64(p.TotalSteps-s.open) * 100 / float64(p.TotalSteps)
	}
	return p
}

// Scope is what the references of a step, or of one of its items, stand for
// now.
func (s *State) Scope(r Ref) *workflow.Scope {
	definition := s.graph.Definition()
	scope := s.scope(r.Step, definition)
	if r.IsItem() {
		scope.Item, scope.Index = s.Steps[r.Step].Values[r.Item], r.Item
	}
	return scope
}

func (s *State) scope(step int, definition *workflow.Definition) *workflow.Scope {
	return &workflow.Scope{
		StepID: s.graph.Node(step).Step.ID,
		Config: definition.Config, Parameters: s.inputs.Parameters,
		Output: s.outputOf, Env: s.inputs.Env, Adapter: s.inputs.Adapter,
		WorkspaceName: s.inputs.WorkspaceName, ExecutionID: s.inputs.ExecutionID, StartedAt: s.StartedAt,
		WorkflowID: s.inputs.WorkflowID, WorkflowName: definition.Name, WorkflowVersion: definition.Version,
	}
}

func (s *State) outputOf(stepID string) (output json.RawMessage, ok bool, reason string) {
	i, found := s.graph.Index(stepID)
	if !found {
		return nil, false, "there is no such step"
	}
	step := &s.Steps[i]
	switch step.Status {
	case StatusSuccess, StatusUndone:
		return step.Output, true, ""
	case StatusSkipped:
		return nil, false, "it was skipped: " + step.SkipReason
	case StatusFailed:
		if step.expanded {
			return step.Output, true, "" // What its good items gave.
		}
		return nil, false, "it failed"
	case StatusCancelled:
		return nil, false, "it was cancelled"
	}
	return nil, false, "it has not finished"
}

func (s *State) expressionEnv() *workflow.ExpressionEnv {
	definition := s.graph.Definition()
	return &workflow.ExpressionEnv{
		Config: definition.Config, Parameters: s.inputs.Parameters,
		Steps: func(id string) (string, json.RawMessage) {
			i, found := s.graph.Index(id)
			if !found {
				return "", nil
			}
			return string(s.Steps[i].Status), s.Steps[i].Output
		},
		ExecutionID: s.inputs.ExecutionID, StartedAt: s.StartedAt,
		WorkflowID: s.inputs.WorkflowID, WorkflowName: definition.Name, WorkflowVersion: definition.Version,
	}
}

// satisfied reports whether a step's dependents may go on; only for one that
// has ended.
func (s *State) satisfied(i int) bool {
	step := &s.Steps[i]
	switch step.Status {
	case StatusSuccess, StatusUndone:
		return true
	case StatusSkipped:
		return step.skipByChoice
	case StatusFailed:
		return !s.graph.Node(i).Step.Required
	}
	return false
}

func (s *State) stepID(i int) string { return s.graph.Node(i).Step.ID }

// label names a step for a sentence.
func (s *State) label(i int) string { return fmt.Sprintf("step %q", s.stepID(i)) }

// labelOf names a step, or an item of one, for a sentence.
func (s *State) labelOf(r Ref) string {
	if r.IsItem() {
		return fmt.Sprintf("item %d of %s", r.Item, s.label(r.Step))
	}
	return s.label(r.Step)
}
