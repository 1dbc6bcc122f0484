package plan_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// drawGraph draws a random workflow: a directed graph without cycles, with
// every word that changes which step runs when.
func drawGraph(t *rapid.T) *workflow.Graph {
	n := rapid.IntRange(1, 9).Draw(t, "steps")
	steps := make([]map[string]any, n)
	for i := range n {
		step := map[string]any{
			"id": fmt.Sprintf("s%d", i), "handler": "test.step",
			"required":     rapid.Bool().Draw(t, "required"),
			"run_on":       rapid.SampledFrom([]string{"success", "success", "success", "failure", "always"}).Draw(t, "run_on"),
			"on_interrupt": rapid.SampledFrom([]string{"ask", "retry", "fail", "skip"}).Draw(t, "on_interrupt"),
			"retry":        map[string]any{"max_attempts": rapid.IntRange(1, 3).Draw(t, "max_attempts")},
		}
		if rapid.IntRange(0, 5).Draw(t, "disabled") == 0 {
			step["enabled"] = false
		}
		if rapid.IntRange(0, 5).Draw(t, "condition") == 0 {
			step["when"] = rapid.SampledFrom([]string{"true", "false"}).Draw(t, "when")
		}
		dependencies := []string{}
		for d := range i {
			if rapid.IntRange(0, 2).Draw(t, "depends") == 0 {
				dependencies = append(dependencies, fmt.Sprintf("s%d", d))
			}
		}
		step["dependencies"] = dependencies
		steps[i] = step
	}
	// A clean-up step without dependencies comes after all success steps.
	for i, step := range steps {
		for _, later := range steps[i+1:] {
			if len(step["dependencies"].([]string)) == 0 && slices.Contains(later["dependencies"].([]string), step["id"].(string)) {
				step["run_on"] = "success"
			}
		}
	}
	// The order in the document must not matter for what is due.
	steps = rapid.Permutation(steps).Draw(t, "order")
	document := map[string]any{
		"name": "random", "steps": steps,
		"on_failure": rapid.SampledFrom([]string{"stop", "continue"}).Draw(t, "on_failure"),
	}
	if rapid.IntRange(0, 3).Draw(t, "has timeout") == 0 {
		document["timeout"] = rapid.IntRange(1, 120).Draw(t, "timeout")
	}
	raw, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return compile(t, raw)
}

type fataler interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Helper()
}

func compile(t fataler, raw []byte) *workflow.Graph {
	t.Helper()
	document, problems := workflow.Parse(raw, workflow.ParseOptions{Format: workflow.DetectFormat(raw)})
	if problems.HasErrors() {
		t.Fatalf("parse: %v", problems)
	}
	graph, problems := workflow.Compile(document, nil)
	if graph == nil {
		t.Fatalf("compile: %v", problems)
	}
	return graph
}

// simulation obeys plan as a runtime does, and checks each command against
// the rules of the language as it goes.
type simulation struct {
	t       *rapid.T
	graph   *workflow.Graph
	state   *plan.State
	events  []plan.Event
	now     time.Time
	running map[int]int // step → attempt
	started map[[2]int]bool
	ended   map[int]plan.Status
	failed  bool // a required step
	cancels int
	seq     uint64
	sub     uint32
}

func newSimulation(t *rapid.T, graph *workflow.Graph) *simulation {
	s := &simulation{
		t: t, graph: graph, state: plan.NewState(graph, plan.Inputs{ExecutionID: "e"}), now: epoch,
		running: map[int]int{}, started: map[[2]int]bool{}, ended: map[int]plan.Status{},
	}
	s.add(plan.Event{Type: plan.ExecutionCreated, Time: s.now})
	return s
}

func (s *simulation) add(events ...plan.Event) {
	for _, event := range events {
		if event.Type.Internal() {
			s.sub++
		} else {
			s.seq, s.sub = s.seq+1, 0
		}
		event.Seq, event.Sub = s.seq, s.sub
		s.check(event)
		if err := s.state.Apply(event); err != nil {
			s.t.Fatalf("apply: %v", err)
		}
		s.events = append(s.events, event)
	}
}

// check holds the safety rules that one event alone can break.
func (s *simulation) check(e plan.Event) {
	i, _ := s.graph.Index(e.StepID)
	switch e.Type {
	case plan.StepStarted:
		s.checkStart(i, e)
	case plan.StepCompleted:
		for _, d := range s.graph.Node(i).Dependencies {
			if _, done := s.ended[d]; !done {
				s.t.Fatalf("step %s ended (%s) before %s did", e.StepID, e.Status, s.graph.Node(d).Step.ID)
			}
		}
		if status, done := s.ended[i]; done {
			s.t.Fatalf("step %s ended twice: %s, then %s", e.StepID, status, e.Status)
		}
		s.ended[i] = plan.Status(e.Status)
		delete(s.running, i)
		if e.Status == string(plan.StatusSkipped) && e.SkipReason == "" {
			s.t.Fatalf("step %s was skipped without a reason", e.StepID)
		}
		if e.Status == string(plan.StatusFailed) && s.graph.Node(i).Step.Required {
			s.failed = true
		}
	case plan.StepRetrying, plan.AttemptLost, plan.StepInterrupted:
		delete(s.running, i)
	case plan.ExecutionCancelling:
		s.cancels++
	case plan.WorkflowCompleted:
		if len(s.ended) != s.graph.Len() || len(s.running) > 0 {
			s.t.Fatalf("the execution ended with %d of %d steps ended and %d running", len(s.ended), s.graph.Len(), len(s.running))
		}
	default:
	}
}

func (s *simulation) checkStart(i int, e plan.Event) {
	node := s.graph.Node(i)
	if _, done := s.ended[i]; done {
		s.t.Fatalf("step %s started after its end", e.StepID)
	}
	if _, runs := s.running[i]; runs {
		s.t.Fatalf("step %s started while it runs", e.StepID)
	}
	if s.started[[2]int{i, e.Attempt}] {
		s.t.Fatalf("attempt %d of step %s started twice", e.Attempt, e.StepID)
	}
	s.started[[2]int{i, e.Attempt}] = true
	for _, d := range node.Dependencies {
		if _, done := s.ended[d]; !done {
			s.t.Fatalf("step %s started before %s ended", e.StepID, s.graph.Node(d).Step.ID)
		}
	}
	clean := node.Step.RunOn
	switch {
	case s.cancels > 1, s.cancels == 1 && clean != workflow.RunOnAlways:
		s.t.Fatalf("step %s (%s) started after %d cancels", e.StepID, clean, s.cancels)
	case s.failed && s.graph.Definition().OnFailure == workflow.OnFailureStop && clean == workflow.RunOnSuccess && !s.lostBefore(i):
		s.t.Fatalf("step %s started after a required step failed", e.StepID)
	}
	if clean == workflow.RunOnSuccess && e.Attempt == 1 {
		for _, d := range node.Dependencies {
			if status := s.ended[d]; status == plan.StatusCancelled || (status == plan.StatusFailed && s.graph.Node(d).Step.Required) {
				s.t.Fatalf("step %s started though %s is %s", e.StepID, s.graph.Node(d).Step.ID, status)
			}
		}
	}
	s.running[i] = e.Attempt
}

// lostBefore reports whether the step was under way already: finding out
// what became of a lost attempt is no new start.
func (s *simulation) lostBefore(i int) bool {
	return s.state.Steps[i].Attempt > 0 && s.state.Steps[i].Status == plan.StatusRunning
}

// settle obeys every command that is due until none brings anything new.
func (s *simulation) settle() {
	for range 1000 {
		commands := plan.Next(s.state, s.now)
		if again := plan.Next(s.state, s.now); !reflect.DeepEqual(commands, again) {
			s.t.Fatalf("asked twice, got\n%v\nthen\n%v", commands, again)
		}
		before := len(s.events)
		for _, command := range commands {
			s.obey(command)
		}
		if len(s.events) == before {
			return
		}
	}
	s.t.Fatal("commands never come to an end")
}

func (s *simulation) obey(command plan.Command) {
	switch command.Kind {
	case plan.CommandStart:
		class := rapid.SampledFrom([]pluginsdk.EffectClass{
			pluginsdk.EffectPure, pluginsdk.EffectReconcilable, pluginsdk.EffectUnsafe,
		}).Draw(s.t, "class")
		s.add(plan.Started(s.state, command, plan.Private{EffectClass: class}, s.now))
	case plan.CommandCancel:
		if _, runs := s.running[command.Step]; !runs {
			s.t.Fatalf("cancel of a step that does not run")
		}
	case plan.CommandReconcile:
		status := rapid.SampledFrom([]pluginsdk.ReconcileStatus{
			pluginsdk.ReconcileNotStarted, pluginsdk.ReconcileRunning, pluginsdk.ReconcileDone, pluginsdk.ReconcileUnknown,
		}).Draw(s.t, "verdict")
		s.add(plan.SettleReconciled(s.state, command.Step, pluginsdk.ReconcileResult{Status: status}, s.now)...)
	default:
		event, ok := plan.EventOf(s.state, command, s.now)
		if !ok {
			s.t.Fatalf("no event for %v", command)
		}
		s.add(event)
	}
}

// move lets one thing happen in the world, and reports whether it could.
func (s *simulation) move() bool {
	steps := make([]int, 0, len(s.running))
	for i := range s.running {
		steps = append(steps, i)
	}
	slices.Sort(steps)
	if rapid.IntRange(0, 25).Draw(s.t, "cancel") == 0 && s.cancels < 3 {
		s.add(plan.Event{Type: plan.ExecutionCancelling, Time: s.now, By: "somebody"})
		return true
	}
	if rapid.IntRange(0, 12).Draw(s.t, "crash") == 0 {
		s.crash(steps)
		return true
	}
	if len(steps) > 0 {
		s.finish(rapid.SampledFrom(steps).Draw(s.t, "which"))
		return true
	}
	if due := plan.Due(s.state, s.now); !due.IsZero() {
		s.now = due
		return true
	}
	if s.state.Parked() {
		s.add(plan.Event{Type: plan.ExecutionResumed, Time: s.now})
		return true
	}
	for i := range s.state.Steps {
		if s.state.Steps[i].Status == plan.StatusInterrupted {
			if s.state.Status != plan.StatusWaiting && s.cancels == 0 {
				s.t.Fatalf("the execution is %s while it waits for a person", s.state.Status)
			}
			as := rapid.SampledFrom([]string{"retry", "success", "failed", "skipped"}).Draw(s.t, "as")
			s.add(plan.SettleResolved(s.state, i, as, nil, "somebody", s.now)...)
			return true
		}
	}
	return false
}

func (s *simulation) finish(step int) {
	s.now = s.now.Add(time.Second)
	outcome := pluginsdk.Outcome{Kind: rapid.SampledFrom([]pluginsdk.OutcomeKind{
		pluginsdk.OutcomeSuccess, pluginsdk.OutcomeSuccess, pluginsdk.OutcomeFailure, pluginsdk.OutcomeSkipped, pluginsdk.OutcomeUnknown,
	}).Draw(s.t, "outcome"), SkipReason: "it says so"}
	if outcome.Kind == pluginsdk.OutcomeFailure || outcome.Kind == pluginsdk.OutcomeUnknown {
		class := rapid.SampledFrom([]pluginsdk.FailureClass{
			pluginsdk.FailureRetryable, pluginsdk.FailurePermanent, pluginsdk.FailureTimeout, pluginsdk.FailureCancelled,
		}).Draw(s.t, "class of failure")
		outcome.Failure = &pluginsdk.Failure{Class: class, Code: "X", Message: "it went wrong"}
	}
	cause := rapid.SampledFrom([]plan.LostCause{plan.LostPlugin, plan.LostKilled}).Draw(s.t, "cause")
	s.add(plan.Settle(s.state, step, outcome, cause, s.now, rapid.Float64Range(0, 0.99).Draw(s.t, "chance"))...)
}

// crash folds the journal anew, as the next start of a host does.
func (s *simulation) crash(running []int) {
	fresh := plan.NewState(s.graph, plan.Inputs{ExecutionID: "e"})
	for _, event := range s.events {
		raw, err := json.Marshal(event)
		if err != nil {
			s.t.Fatal(err)
		}
		kept := plan.Event{Sub: event.Sub}
		if err := json.Unmarshal(raw, &kept); err != nil {
			s.t.Fatal(err)
		}
		if err := fresh.Apply(kept); err != nil {
			s.t.Fatalf("replay: %v", err)
		}
	}
	if was, is := plan.Next(s.state, s.now), plan.Next(fresh, s.now); !reflect.DeepEqual(was, is) {
		s.t.Fatalf("after a replay other commands are due:\n%v\nbefore:\n%v", is, was)
	}
	s.state = fresh
	for _, i := range running {
		s.add(plan.Event{
			Type: plan.AttemptLost, StepID: s.graph.Node(i).Step.ID, Time: s.now,
			Reason: "the server ended", Private: &plan.Private{Lost: plan.LostHost},
		})
	}
	if len(running) > 0 {
		s.add(plan.Event{Type: plan.HostRestarted, Time: s.now})
	}
}

// Whatever happens, the rules of the language hold, nothing is stuck, and the
// execution comes to an end.
func TestAnyExecutionKeepsTheRulesAndEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := newSimulation(t, drawGraph(t))
		for range 400 {
			s.settle()
			if s.state.Status.Ended() {
				s.checkEnd()
				return
			}
			if !s.move() {
				t.Fatalf("stuck: status %s, nothing runs, nothing is due, nobody is asked", s.state.Status)
			}
		}
		// So many crashes and retries in a row are chance, not a fault;
		// without them the rest must end.
		s.add(plan.Event{Type: plan.ExecutionCancelling, Time: s.now}, plan.Event{Type: plan.ExecutionCancelling, Time: s.now})
		for range 50 {
			s.settle()
			if s.state.Status.Ended() {
				return
			}
			for i := range s.graph.Len() {
				if _, runs := s.running[i]; runs {
					s.add(plan.Settle(s.state, i, pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}, "", s.now, 0)...)
				}
			}
		}
		t.Fatalf("the execution does not end: %s", s.state.Status)
	})
}

func (s *simulation) checkEnd() {
	if commands := plan.Next(s.state, s.now); len(commands) > 0 {
		s.t.Fatalf("an ended execution has commands: %v", commands)
	}
	progress := s.state.Progress()
	if progress.Percentage != 100 || progress.TotalSteps != s.graph.Len() {
		s.t.Fatalf("an ended execution has progress %+v", progress)
	}
	wantFailed := s.failed
	switch status := s.state.Status; status {
	case plan.StatusSuccess, plan.StatusPartial:
		if wantFailed || s.cancels > 0 {
			s.t.Fatalf("%s though a required step failed (%v) or it was cancelled (%d)", status, wantFailed, s.cancels)
		}
	case plan.StatusFailed:
		if !wantFailed && s.cancels == 0 {
			s.t.Fatalf("failed without a cause")
		}
		if s.state.Error == nil || s.state.Error.Message == "" {
			s.t.Fatalf("failed without saying why")
		}
	case plan.StatusCancelled:
		if s.cancels == 0 {
			s.t.Fatalf("cancelled by nobody")
		}
	default:
		s.t.Fatalf("ended as %s", status)
	}
}
