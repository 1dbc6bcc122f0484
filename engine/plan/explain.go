package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// StepExplanation says in sentences why a step is as it is.
type StepExplanation struct {
	StepID string `json:"step_id"`
	Status Status `json:"status"`
	// Reasons are sentences, the most important first.
	Reasons []string `json:"reasons"`
	// WaitsFor are the ids of steps that this one comes after and that have
	// not ended.
	WaitsFor []string `json:"waits_for,omitempty"`
	// Since is when the step came into its status; zero before it started.
	Since time.Time `json:"since,omitzero"`
}

// Explain says why each step is as it is, in the order of the definition. It
// changes nothing.
func Explain(s *State, now time.Time) []StepExplanation {
	due := map[int]Command{}
	for _, command := range Next(s, now) {
		if command.Step >= 0 {
			due[command.Step] = command
		}
	}
	explanations := make([]StepExplanation, s.graph.Len())
	for i := range explanations {
		explanations[i] = s.explain(i)
	}
	for i, command := range due {
		if s.Steps[i].Status == StatusPending && command.Kind == CommandStart {
			explanations[i].Reasons = append(explanations[i].Reasons, "It is about to start.")
		}
	}
	return explanations
}

func (s *State) explain(i int) StepExplanation {
	step := &s.Steps[i]
	e := StepExplanation{StepID: s.stepID(i), Status: step.Status, Reasons: []string{}}
	say := func(format string, args ...any) { e.Reasons = append(e.Reasons, fmt.Sprintf(format, args...)) }
	switch step.Status {
	case StatusPending:
		s.explainPending(i, &e, say)
	case StatusRunning:
		e.Since = step.StartedAt.UTC()
		s.explainRunning(i, say)
	case StatusWaiting, StatusRetrying, StatusInterrupted:
		e.Since = step.StartedAt.UTC()
		for _, r := range s.units(i) {
			s.explainOpen(r, say)
		}
	default:
		e.Since = step.CompletedAt.UTC()
		s.explainEnd(i, say)
	}
	return e
}

// units are a step, or its items.
func (s *State) units(i int) []Ref {
	if !s.Steps[i].expanded {
		return []Ref{StepRef(i)}
	}
	list := make([]Ref, len(s.Steps[i].Items))
	for k := range list {
		list[k] = Ref{i, k}
	}
	return list
}

type sayer func(format string, args ...any)

func (s *State) explainPending(i int, e *StepExplanation, say sayer) {
	node := s.graph.Node(i)
	switch {
	case s.queued:
		say("The execution waits for a slot: %s.", s.StatusReason)
	case s.parked:
		say("The execution is parked: %s.", s.StatusReason)
	case s.paused:
		say("The execution is paused: nothing starts until it is resumed.")
	}
	for _, d := range node.Dependencies {
		if !s.Steps[d].Status.Ended() {
			e.WaitsFor = append(e.WaitsFor, s.stepID(d))
		}
	}
	switch {
	case len(e.WaitsFor) > 0:
		say("It comes after %s.", s.listed(e.WaitsFor))
	case node.WaitsForAll && s.mainOpen > 0:
		say("It runs at the end, once every other step has ended.")
	case len(s.running) >= maxCalls:
		say("%d steps of this execution run already; it starts when one of them ends.", len(s.running))
	}
}

// listed names steps with their status.
func (s *State) listed(ids []string) string {
	const most = 5
	parts := make([]string, 0, most)
	for _, id := range ids[:min(len(ids), most)] {
		i, _ := s.graph.Index(id)
		parts = append(parts, fmt.Sprintf("step %q, which is %s", id, s.Steps[i].Status))
	}
	if more := len(ids) - most; more > 0 {
		parts = append(parts, fmt.Sprintf("%d more", more))
	}
	return strings.Join(parts, ", ")
}

func (s *State) explainRunning(i int, say sayer) {
	step := &s.Steps[i]
	if step.expanded {
		say("%d of %d items have ended, %d are under way; at most %d run at once.", step.ended, len(step.Items), step.active, s.maxParallel(i))
		for _, r := range s.units(i) {
			if unit := s.Unit(r); unit.Status == StatusRetrying || unit.Status == StatusInterrupted {
				s.explainOpen(r, say)
			}
		}
		return
	}
	say("Attempt %d is under way since %s.", step.Attempt, clock(step.Attempts[len(step.Attempts)-1].StartedAt))
	if step.lostDetail != "" && step.decision == lostUndecided && containsRef(s.lost, StepRef(i)) {
		say("What became of its last attempt is being found out: %s.", step.lostDetail)
	}
	s.explainStart(i, say)
}

func (s *State) explainOpen(r Ref, say sayer) {
	unit := s.Unit(r)
	it := "It"
	if r.IsItem() {
		it = fmt.Sprintf("Item %d", r.Item)
	}
	switch unit.Status {
	case StatusRetrying:
		say("%s: attempt %d failed (%s); attempt %d of at most %d starts at %s.", it, unit.Attempt, unit.Error.Message,
			unit.Attempt+1, s.graph.Node(r.Step).Retry().MaxAttempts, clock(unit.RetryAt))
	case StatusInterrupted:
		say("%s was interrupted: %s. A person must decide what became of it.", it, unit.Error.Message)
	case StatusWaiting:
		text := unit.Wait.sentence()
		if !unit.Wait.Until.IsZero() && unit.Wait.Reason != WaitTime {
			text += ", at most until " + clock(unit.Wait.Until)
		}
		if len(unit.Wait.Approvers) > 0 {
			text += " by " + strings.Join(unit.Wait.Approvers, ", ")
		}
		say("%s %s.", it, text)
	}
}

func (s *State) explainEnd(i int, say sayer) {
	step := &s.Steps[i]
	if step.KeptFrom != "" {
		say("Its result was kept from execution %s.", step.KeptFrom)
	}
	switch step.Status {
	case StatusSkipped:
		say("It was skipped: %s.", strings.TrimSuffix(step.SkipReason, "."))
	case StatusFailed, StatusCancelled:
		if step.Error != nil {
			say("It %s: %s.", ended(step.Status), strings.TrimSuffix(step.Error.Message, "."))
		}
	default:
		s.explainStart(i, say)
	}
	if step.Status != StatusSkipped && len(step.Attempts) > 1 {
		for _, attempt := range step.Attempts[:len(step.Attempts)-1] {
			why := "its outcome was unknown"
			if attempt.Error != nil {
				why = attempt.Error.Message
			}
			say("Attempt %d was not the last: %s.", attempt.Number, strings.TrimSuffix(why, "."))
		}
	}
	s.explainUndo(i, say)
}

// explainUndo says what became of taking a step back, and of the items of one
// that was not taken back as a whole.
func (s *State) explainUndo(i int, say sayer) {
	const most = 5
	step := &s.Steps[i]
	if step.Status == StatusUndone {
		say("What it did was taken back.")
		return
	}
	told, left := 0, 0
	for _, r := range s.units(i) {
		undo, it := &s.Unit(r).Undo, "it"
		if r.IsItem() {
			it = fmt.Sprintf("item %d", r.Item)
		}
		if undo.Status != StatusFailed && undo.Status != StatusSkipped {
			continue
		}
		if told++; told > most {
			left++
			continue
		}
		if undo.Status == StatusSkipped {
			say("What %s did was not taken back: %s.", it, strings.TrimSuffix(undo.SkipReason, "."))
			continue
		}
		say("What %s did could not be taken back: %s.", it, strings.TrimSuffix(undo.problem(), "."))
		s.explainHeld(r, say)
	}
	if left > 0 {
		say("The same goes for %d more items.", left)
	}
}

// explainHeld says which steps a unit that could not be undone kept from being
// undone.
func (s *State) explainHeld(r Ref, say sayer) {
	const most = 5
	var names []string
	for i := range s.Steps {
		if by, held := s.heldBy[i]; held && by == r && slices.ContainsFunc(s.units(i), func(u Ref) bool { return s.Unit(u).Undo.Status == StatusSkipped }) {
			names = append(names, s.label(i))
		}
	}
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("%d more", more))
	}
	if len(names) > 0 {
		say("That kept what comes before it from being taken back: %s.", strings.Join(names, ", "))
	}
}

func ended(status Status) string {
	if status == StatusCancelled {
		return "was cancelled"
	}
	return string(status)
}

// explainStart says why the step was let run.
func (s *State) explainStart(i int, say sayer) {
	node := s.graph.Node(i)
	switch {
	case len(node.Dependencies) == 0:
		say("It comes after no other step.")
	default:
		ids := make([]string, len(node.Dependencies))
		for k, d := range node.Dependencies {
			ids[k] = s.stepID(d)
		}
		say("It started because what it comes after had ended: %s.", s.listed(ids))
	}
	if node.When != nil {
		say("Its condition was true: %s.", node.Step.When)
	}
}

func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }
