package plan_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sync"
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
			"on_interrupt": rapid.SampledFrom([]string{"ask", "retry", "fail", "skip", "undo"}).Draw(t, "on_interrupt"),
			"retry":        map[string]any{"max_attempts": rapid.IntRange(1, 3).Draw(t, "max_attempts")},
		}
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0:
			step["handler"], step["config"] = "flow.wait", map[string]any{"duration": "10s"}
		case 1:
			step["handler"], step["config"] = "flow.approval", map[string]any{"message": "Go on?"}
		case 2:
			step["handler"], step["config"] = "flow.signal", map[string]any{"name": "go"}
		case 3, 4:
			items := make([]int, rapid.IntRange(0, 4).Draw(t, "items"))
			step["for_each"], step["max_parallel"] = items, rapid.IntRange(1, 3).Draw(t, "max_parallel")
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
		"on_failure": rapid.SampledFrom([]string{"stop", "continue", "rollback"}).Draw(t, "on_failure"),
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
	graph, problems := workflow.Compile(document, testCatalogue())
	if graph == nil {
		t.Fatalf("compile: %v", problems)
	}
	return graph
}

// testCatalogue has two handlers beside the built-ins; one can be undone. It
// is made once: compiling its schemas costs more than a whole execution.
var testCatalogue = sync.OnceValue(func() workflow.Catalogue {
	var handlers []*workflow.Handler
	for path, undo := range map[string]bool{"test.step": true, "t.h": false} {
		handlers = append(handlers, workflow.NewHandler(pluginsdk.HandlerInfo{
			Path: path, Name: "Step", Capabilities: pluginsdk.Capabilities{Cancel: true, Undo: undo},
			ConfigSchema: json.RawMessage(`{"type":"object"}`),
		}, "test", "1.0.0"))
	}
	return workflow.NewCatalogue(append(handlers, workflow.Builtins()...), nil)
})

// simulation obeys plan as a runtime does, and checks each command against
// the rules of the language as it goes.
type simulation struct {
	mutant

	t       *rapid.T
	graph   *workflow.Graph
	state   *plan.State
	events  []plan.Event
	now     time.Time
	running map[plan.Ref]int // unit → attempt
	started map[[3]int]bool
	ended   map[plan.Ref]plan.Status
	// finished are the units that succeeded, in that order, and undone those
	// that were taken back, in theirs.
	finished, undone []plan.Ref
	undoing          map[plan.Ref]bool
	// stuck are the units that could not be undone, and declared those that a
	// person said succeeded.
	stuck    []plan.Ref
	declared map[plan.Ref]bool
	// undoes: the execution takes another one back.
	undoes bool
	// calm: nobody cancels, and most calls succeed and can be undone.
	calm    bool
	paused  bool
	failed  bool // a required step
	cancels int
	seq     uint64
	sub     uint32
}

func newSimulation(t *rapid.T, graph *workflow.Graph) *simulation {
	s := &simulation{
		t: t, graph: graph, state: plan.NewState(graph, plan.Inputs{ExecutionID: "e"}), now: epoch,
		running: map[plan.Ref]int{}, started: map[[3]int]bool{}, ended: map[plan.Ref]plan.Status{}, undoing: map[plan.Ref]bool{},
		declared: map[plan.Ref]bool{},
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

func (s *simulation) refOf(e plan.Event) plan.Ref {
	i, _ := s.graph.Index(e.StepID)
	r := plan.StepRef(i)
	if e.ItemIndex != nil {
		r.Item = *e.ItemIndex
	}
	return r
}

// check holds the safety rules that one event alone can break.
func (s *simulation) check(e plan.Event) {
	r := s.refOf(e)
	switch e.Type {
	case plan.StepStarted:
		s.checkStart(r, e)
	case plan.StepCompleted, plan.StepItemCompleted:
		s.checkEndOf(r, e)
	case plan.StepWaiting:
		if _, runs := s.running[r]; runs && e.Reason == string(plan.WaitPlugin) {
			// The attempt came to nothing, and its number is used again.
			delete(s.started, [3]int{r.Step, r.Item, e.Attempt})
		}
		delete(s.running, r)
	case plan.StepRetrying, plan.AttemptLost, plan.StepInterrupted:
		delete(s.running, r)
	case plan.UndoStarted, plan.UndoRetrying, plan.UndoLost, plan.StepUndone:
		s.checkUndo(r, e)
	case plan.StepResolved:
		if e.Private.Verdict == "success" {
			s.declared[r] = true
		}
	case plan.ExecutionCancelling:
		s.cancels++
		s.paused = false
	case plan.ExecutionPaused:
		s.paused = true
	case plan.ExecutionResumed:
		s.paused = false
	case plan.WorkflowCompleted:
		for i := range s.graph.Len() {
			if _, done := s.ended[plan.StepRef(i)]; !done {
				s.t.Fatalf("the execution ended before step %d did", i)
			}
		}
		if len(s.running) > 0 || len(s.undoing) > 0 {
			s.t.Fatalf("the execution ended with %d running and %d being undone", len(s.running), len(s.undoing))
		}
		s.checkRollback()
	default:
	}
}

func (s *simulation) checkEndOf(r plan.Ref, e plan.Event) {
	for _, d := range s.graph.Node(r.Step).Dependencies {
		if _, done := s.ended[plan.StepRef(d)]; !done {
			s.t.Fatalf("step %s ended (%s) before %s did", e.StepID, e.Status, s.graph.Node(d).Step.ID)
		}
	}
	if status, done := s.ended[r]; done {
		s.t.Fatalf("step %s ended twice: %s, then %s", e.StepID, status, e.Status)
	}
	if !r.IsItem() {
		for other := range s.running {
			if other.Step == r.Step && other.IsItem() {
				s.t.Fatalf("step %s ended while item %d runs", e.StepID, other.Item)
			}
		}
	}
	s.ended[r] = plan.Status(e.Status)
	delete(s.running, r)
	switch plan.Status(e.Status) {
	case plan.StatusSkipped:
		if e.SkipReason == "" {
			s.t.Fatalf("step %s was skipped without a reason", e.StepID)
		}
	case plan.StatusFailed:
		if s.graph.Node(r.Step).Step.Required && !r.IsItem() {
			s.failed = true
		}
	case plan.StatusSuccess:
		if r.IsItem() || s.graph.Node(r.Step).ForEach == nil {
			s.finished = append(s.finished, r)
		}
	default:
	}
}

func (s *simulation) checkStart(r plan.Ref, e plan.Event) {
	node := s.graph.Node(r.Step)
	if _, done := s.ended[r]; done {
		s.t.Fatalf("step %s started after its end", e.StepID)
	}
	if _, runs := s.running[r]; runs {
		s.t.Fatalf("step %s started while it runs", e.StepID)
	}
	if s.started[[3]int{r.Step, r.Item, e.Attempt}] {
		s.t.Fatalf("attempt %d of step %s started twice", e.Attempt, e.StepID)
	}
	if s.paused {
		s.t.Fatalf("step %s started though the execution is paused", e.StepID)
	}
	s.started[[3]int{r.Step, r.Item, e.Attempt}] = true
	for _, d := range node.Dependencies {
		if _, done := s.ended[plan.StepRef(d)]; !done {
			s.t.Fatalf("step %s started before %s ended", e.StepID, s.graph.Node(d).Step.ID)
		}
	}
	if r.IsItem() {
		places := 0
		for other := range s.running {
			if other.Step == r.Step {
				places++
			}
		}
		if places >= node.Step.MaxParallel {
			s.t.Fatalf("item %d of step %s started beside %d others", r.Item, e.StepID, places)
		}
	}
	clean := node.Step.RunOn
	switch {
	case s.cancels > 1, s.cancels == 1 && clean != workflow.RunOnAlways:
		s.t.Fatalf("step %s (%s) started after %d cancels", e.StepID, clean, s.cancels)
	case s.failed && s.graph.Definition().OnFailure != workflow.OnFailureContinue && clean == workflow.RunOnSuccess && !s.underWay(r):
		s.t.Fatalf("step %s started after a required step failed", e.StepID)
	}
	if clean == workflow.RunOnSuccess && e.Attempt == 1 {
		for _, d := range node.Dependencies {
			if status := s.ended[plan.StepRef(d)]; status == plan.StatusCancelled || (status == plan.StatusFailed && s.graph.Node(d).Step.Required) {
				s.t.Fatalf("step %s started though %s is %s", e.StepID, s.graph.Node(d).Step.ID, status)
			}
		}
	}
	s.running[r] = e.Attempt
}

// underWay reports whether the unit was under way already: finding out what
// became of a lost attempt is no new start, and neither is the next item of a
// step that runs.
func (s *simulation) underWay(r plan.Ref) bool {
	unit := s.state.Unit(r)
	waits := unit.Status == plan.StatusWaiting && unit.Wait.Reason == plan.WaitPlugin && unit.Error == nil
	return r.IsItem() || (unit.Attempt > 0 && (unit.Status == plan.StatusRunning || waits))
}

// settle obeys every command that is due until none brings anything new.
func (s *simulation) settle() {
	for range 1000 {
		commands := s.next(s.state)
		if again := s.next(s.state); !reflect.DeepEqual(commands, again) {
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
		if rapid.IntRange(0, 12).Draw(s.t, "disabled") == 0 {
			s.add(plan.PluginWaitEvent(s.state, command.Ref, "p", "it is disabled", s.drawUntil(), s.now))
			return
		}
		class := rapid.SampledFrom([]pluginsdk.EffectClass{
			pluginsdk.EffectPure, pluginsdk.EffectReconcilable, pluginsdk.EffectUnsafe,
		}).Draw(s.t, "class")
		s.add(plan.Started(s.state, command, plan.Private{EffectClass: class}, s.now))
		s.wait(command.Ref)
	case plan.CommandSettle:
		s.add(plan.Settle(s.state, command.Ref, command.Outcome, "", s.now, 0)...)
	case plan.CommandUndo:
		s.add(plan.UndoEvent(s.state, command, s.now))
	case plan.CommandCancel:
		if _, runs := s.running[command.Ref]; !runs {
			s.t.Fatalf("cancel of a step that does not run")
		}
	case plan.CommandReconcile:
		status := rapid.SampledFrom([]pluginsdk.ReconcileStatus{
			pluginsdk.ReconcileNotStarted, pluginsdk.ReconcileRunning, pluginsdk.ReconcileDone, pluginsdk.ReconcileUnknown,
		}).Draw(s.t, "verdict")
		s.add(plan.SettleReconciled(s.state, command.Ref, pluginsdk.ReconcileResult{Status: status}, s.now)...)
	default:
		event, ok := plan.EventOf(s.state, command, s.now)
		if !ok {
			s.t.Fatalf("no event for %v", command)
		}
		s.add(event)
	}
}

// drawUntil is when a plugin can be called again, or zero.
func (s *simulation) drawUntil() time.Time {
	if rapid.Bool().Draw(s.t, "for a while") {
		return s.now.Add(time.Minute)
	}
	return time.Time{}
}

// wait turns the start of a built-in that waits into its wait.
func (s *simulation) wait(r plan.Ref) {
	var wait plan.Wait
	switch s.graph.Node(r.Step).Step.Handler {
	case workflow.HandlerWait:
		wait = plan.Wait{Reason: plan.WaitTime, Until: s.now.Add(10 * time.Second)}
	case workflow.HandlerApproval:
		wait = plan.Wait{Reason: plan.WaitApproval, Until: s.now.Add(20 * time.Second), OnTimeout: rapid.SampledFrom([]string{"fail", "approve", "reject"}).Draw(s.t, "on_timeout")}
	case workflow.HandlerSignal:
		wait = plan.Wait{Reason: plan.WaitSignal, Signal: "go"}
	default:
		return
	}
	event, err := plan.WaitingEvent(s.state, r, wait, s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	s.add(event)
}

func sorted[V any](set map[plan.Ref]V) []plan.Ref {
	list := make([]plan.Ref, 0, len(set))
	for r := range set {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b plan.Ref) int { return cmp.Or(a.Step-b.Step, a.Item-b.Item) })
	return list
}

// move lets one thing happen in the world, and reports whether it could.
func (s *simulation) move() bool {
	steps, undoing := sorted(s.running), sorted(s.undoing)
	if !s.calm && rapid.IntRange(0, 25).Draw(s.t, "cancel") == 0 && s.cancels < 3 {
		s.add(plan.Event{Type: plan.ExecutionCancelling, Time: s.now, By: "somebody"})
		return true
	}
	if rapid.IntRange(0, 12).Draw(s.t, "crash") == 0 {
		s.crash(steps, undoing)
		return true
	}
	switch rapid.IntRange(0, 30).Draw(s.t, "control") {
	case 0:
		s.add(plan.SettleSignal("go", json.RawMessage(`{"n":1}`), "somebody", s.now))
		return true
	case 1:
		if !s.paused && s.cancels == 0 && !s.state.Parked() {
			s.add(plan.Event{Type: plan.ExecutionPaused, Time: s.now, By: "somebody"})
			return true
		}
	}
	if len(undoing) > 0 {
		r := rapid.SampledFrom(undoing).Draw(s.t, "which undo")
		s.add(plan.SettleUndo(s.state, r, s.drawOutcome(), s.now)...)
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
	if s.state.Parked() || s.paused {
		s.add(plan.Event{Type: plan.ExecutionResumed, Time: s.now})
		return true
	}
	if s.state.Status != plan.StatusWaiting && s.cancels == 0 {
		return false
	}
	// The plugins come back before somebody decides: an item that is tried
	// again by a decision is not held up by max_parallel.
	if woken := plan.Woken(s.state); len(woken) > 0 {
		for _, command := range woken {
			s.obey(command)
		}
		return true
	}
	if interrupted := s.state.Interrupted(); len(interrupted) > 0 {
		r := interrupted[0]
		as := rapid.SampledFrom([]string{"retry", "success", "failed", "skipped"}).Draw(s.t, "as")
		s.add(plan.SettleResolved(s.state, r, as, nil, "somebody", s.now)...)
		return true
	}
	if waiting := s.state.Waiting(); len(waiting) > 0 {
		r := waiting[0]
		switch s.state.Unit(r).Wait.Reason {
		case plan.WaitApproval:
			decision := plan.Decision{Approved: rapid.Bool().Draw(s.t, "approved"), By: "somebody"}
			s.add(plan.Settle(s.state, r, decision.Outcome(), "", s.now, 0)...)
		case plan.WaitSignal:
			s.add(plan.SettleSignal("go", nil, "somebody", s.now))
		default:
			return false
		}
		return true
	}
	return false
}

func (s *simulation) drawOutcome() pluginsdk.Outcome {
	if s.calm && rapid.IntRange(0, 5).Draw(s.t, "succeeds") > 0 {
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, UndoToken: json.RawMessage(`{"undo":1}`)}
	}
	outcome := pluginsdk.Outcome{Kind: rapid.SampledFrom([]pluginsdk.OutcomeKind{
		pluginsdk.OutcomeSuccess, pluginsdk.OutcomeSuccess, pluginsdk.OutcomeFailure, pluginsdk.OutcomeSkipped, pluginsdk.OutcomeUnknown, pluginsdk.OutcomeNotRun,
	}).Draw(s.t, "outcome"), SkipReason: "it says so"}
	if outcome.Kind == pluginsdk.OutcomeNotRun {
		outcome.Failure = &pluginsdk.Failure{Class: pluginsdk.FailureRetryable, Code: "X", Message: "it rests"}
		if until := s.drawUntil(); !until.IsZero() {
			outcome.Failure.RetryAfter = until.Sub(s.now)
		}
		return outcome
	}
	if outcome.Kind == pluginsdk.OutcomeFailure || outcome.Kind == pluginsdk.OutcomeUnknown {
		class := rapid.SampledFrom([]pluginsdk.FailureClass{
			pluginsdk.FailureRetryable, pluginsdk.FailurePermanent, pluginsdk.FailureTimeout, pluginsdk.FailureCancelled,
		}).Draw(s.t, "class of failure")
		outcome.Failure = &pluginsdk.Failure{Class: class, Code: "X", Message: "it went wrong"}
	} else if rapid.Bool().Draw(s.t, "undoable") {
		outcome.UndoToken = json.RawMessage(`{"undo":1}`)
	}
	return outcome
}

func (s *simulation) finish(r plan.Ref) {
	s.now = s.now.Add(time.Second)
	outcome := s.drawOutcome()
	cause := rapid.SampledFrom([]plan.LostCause{plan.LostPlugin, plan.LostKilled}).Draw(s.t, "cause")
	s.add(plan.Settle(s.state, r, outcome, cause, s.now, rapid.Float64Range(0, 0.99).Draw(s.t, "chance"))...)
}

// crash folds the journal anew, as the next start of a host does.
func (s *simulation) crash(running, undoing []plan.Ref) {
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
		if err := s.replay(fresh, kept); err != nil {
			s.t.Fatalf("replay: %v", err)
		}
	}
	s.crashed = true
	if was, is := s.next(s.state), s.next(fresh); !reflect.DeepEqual(was, is) {
		s.t.Fatalf("after a replay other commands are due:\n%v\nbefore:\n%v", is, was)
	}
	s.state = fresh
	for _, r := range running {
		event := plan.Event{
			Type: plan.AttemptLost, StepID: s.graph.Node(r.Step).Step.ID, Time: s.now,
			Reason: "the server ended", Private: &plan.Private{Lost: plan.LostHost},
		}
		if r.IsItem() {
			event.ItemIndex = &r.Item
		}
		s.add(event)
	}
	for _, r := range undoing {
		event := plan.Event{Type: plan.UndoLost, StepID: s.graph.Node(r.Step).Step.ID, Time: s.now}
		if r.IsItem() {
			event.ItemIndex = &r.Item
		}
		s.add(event)
	}
	if len(running) > 0 {
		s.add(plan.Event{Type: plan.HostRestarted, Time: s.now})
	}
}

// Whatever happens, the rules of the language hold, nothing is stuck, and the
// execution comes to an end.
func TestAnyExecutionKeepsTheRulesAndEnds(t *testing.T) {
	t.Parallel()
	checkAll(t, anyExecution(fault{}))
}

func anyExecution(f fault) func(*rapid.T) {
	return func(t *rapid.T) {
		s := newSimulation(t, drawGraph(t))
		s.fault = f
		for range 400 {
			s.settle()
			if s.state.Status.Ended() {
				s.checkEnd()
				s.checkPrefixes()
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
			for _, r := range sorted(s.running) {
				s.add(plan.Settle(s.state, r, pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}, "", s.now, 0)...)
			}
			for _, r := range sorted(s.undoing) {
				s.add(plan.SettleUndo(s.state, r, pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}, s.now)...)
			}
		}
		t.Fatalf("the execution does not end: %s", s.state.Status)
	}
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
