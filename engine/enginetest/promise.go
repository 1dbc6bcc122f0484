package enginetest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// place names a step, or one item of it.
func place(stepID string, item int) string {
	if item < 0 {
		return stepID
	}
	return fmt.Sprintf("%s[%d]", stepID, item)
}

func placeOf(event plan.Event) string {
	if event.ItemIndex == nil {
		return event.StepID
	}
	return place(event.StepID, *event.ItemIndex)
}

// call is every handler of a trial: it does what the reference says, and holds
// what must be durable before a handler is called.
func (c *trial) call(ctx context.Context, r *pluginsdk.Request, reporter pluginsdk.Reporter) pluginsdk.Outcome {
	if c.ports.Store.Crashed() {
		// The host is dead: this call never left it.
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{Message: "the host is dead"}}
	}
	where := place(r.StepID, r.ItemIndex)
	told := c.checkCall(r, where)
	call := nth(c.callsOf(r.ExecutionID, where), told)
	for i := range call.Logs {
		reporter.Log(pluginsdk.LogLine{Level: pluginsdk.LevelInfo, Message: fmt.Sprint("line ", i)})
	}
	if call.Checkpoint != nil {
		checkpoint, err := json.Marshal(call.Checkpoint)
		if err == nil {
			err = reporter.Checkpoint(checkpoint)
		}
		if err != nil {
			return fail(pluginsdk.FailureCancelled, err.Error())
		}
	}
	if call.Hang {
		<-ctx.Done()
		return fail(pluginsdk.FailureCancelled, "cancelled")
	}
	if call.Takes > 0 {
		select {
		case <-ctx.Done():
			return fail(pluginsdk.FailureCancelled, "cancelled")
		case <-time.After(call.Takes): // Virtual time.
		}
	}
	if c.ports.Store.Crashed() {
		// The call died with its host before it took effect.
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{Message: "the host is dead"}}
	}
	return c.outcome(call, r)
}

func (c *trial) outcome(call Call, r *pluginsdk.Request) pluginsdk.Outcome {
	switch {
	case call.Lost:
		if call.Did {
			c.effect(r)
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{
			Class: pluginsdk.FailureRetryable, Code: "PLUGIN_CRASHED", Message: "the plugin died",
		}}
	case call.Fail != "":
		return fail(call.Fail, "the disk is made of cheese")
	case call.Skip != "":
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSkipped, SkipReason: call.Skip}
	}
	c.effect(r)
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: c.output(call), UndoToken: tokenOf(r)}
}

// tokenOf is what an attempt leaves to be undone with.
func tokenOf(r *pluginsdk.Request) json.RawMessage {
	return json.RawMessage(`"` + place(r.StepID, r.ItemIndex) + `"`)
}

// effect notes what the world sees of a call, under its place and its key.
func (c *trial) effect(r *pluginsdk.Request) {
	where := r.ExecutionID + "/" + place(r.StepID, r.ItemIndex)
	c.ledger.note(where)
	c.ledger.note("key " + where + " " + r.IdempotencyKey)
}

// reconcile tells the truth about a lost attempt.
func (c *trial) reconcile(r *pluginsdk.Request) pluginsdk.ReconcileResult {
	if c.ledger.count(r.ExecutionID+"/"+place(r.StepID, r.ItemIndex)) > 0 {
		return pluginsdk.ReconcileResult{Status: pluginsdk.ReconcileDone, Output: c.output(c.succeeding(r.ExecutionID, place(r.StepID, r.ItemIndex))), UndoToken: tokenOf(r)}
	}
	return pluginsdk.ReconcileResult{Status: pluginsdk.ReconcileNotStarted}
}

// checkCall holds what the journal must show when a handler is called: that
// this attempt has started, that the step has not ended, and that each of its
// dependencies has. It returns how many calls of it the journal knows the end
// of.
func (c *trial) checkCall(r *pluginsdk.Request, where string) (told int) {
	started, ended := false, map[string]bool{}
	for _, event := range c.load(r.ExecutionID).Events {
		switch event.Type {
		case plan.ExecutionCreated:
			for _, where := range kept(event) {
				ended[where] = true
			}
		case plan.StepCompleted, plan.StepItemCompleted:
			ended[placeOf(event)] = true
		case plan.StepStarted:
			started = started || (placeOf(event) == where && event.Attempt == r.Attempt)
		case plan.StepRetrying:
			if placeOf(event) == where {
				told++
			}
		case plan.AttemptLost:
			if placeOf(event) == where && event.Private.Lost != plan.LostHost {
				told++
			}
		default:
		}
	}
	if !started {
		c.t.Errorf("%s: attempt %d of step %s was called before its start was durable", c.name, r.Attempt, where)
	}
	if ended[where] || ended[r.StepID] {
		c.t.Errorf("%s: step %s was called again after its end was recorded", c.name, where)
	}
	graph := c.graphOf(r.ExecutionID)
	i, _ := graph.Index(r.StepID)
	for _, d := range graph.Node(i).Dependencies {
		if id := graph.Node(d).Step.ID; !ended[id] {
			c.t.Errorf("%s: step %s was called before the end of %s was durable", c.name, r.StepID, id)
		}
	}
	c.checkSlots(graph.Definition(), r.WorkflowID)
	return told
}

// checkSlots holds a limit: when a step is called, no more executions of its
// workflow have begun and not ended than may be at once.
func (c *trial) checkSlots(definition *workflow.Definition, workflowID string) {
	if definition.Concurrency == nil || definition.Concurrency.Limit == 0 {
		return
	}
	holding := 0
	// All at one moment: one may end, and another begin, between two looks.
	for _, stored := range c.ports.Store.all() {
		begun := slices.ContainsFunc(stored.Events, func(e plan.Event) bool { return e.Type == plan.ExecutionStarted })
		if begun && stored.Execution.WorkflowID == workflowID && !stored.Execution.Status.Ended() {
			holding++
		}
	}
	if holding > definition.Concurrency.Limit {
		c.t.Errorf("%s: %d executions hold the %d places of their workflow", c.name, holding, definition.Concurrency.Limit)
	}
}

// undo is every handler's Undo: it does what the reference says, and holds
// that the attempt is durable, and the step is not undone already.
func (c *trial) undo(r *pluginsdk.Request, token json.RawMessage) pluginsdk.Outcome {
	lost := pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{Message: "the plugin died"}}
	if c.ports.Store.Crashed() {
		return lost
	}
	where, told, started := place(r.StepID, r.ItemIndex), 0, false
	for _, event := range c.load(r.ExecutionID).Events {
		if placeOf(event) != where {
			continue
		}
		switch event.Type {
		case plan.UndoStarted:
			started = true
		case plan.UndoRetrying:
			told++
		case plan.UndoLost:
			if event.Private == nil || event.Private.Lost != plan.LostHost {
				told++
			}
		case plan.StepUndone:
			c.t.Errorf("%s: step %s was undone again after that was recorded", c.name, where)
		default:
		}
	}
	if !started {
		c.t.Errorf("%s: the undo of %s was called before its start was durable", c.name, where)
	}
	c.checkNotUndone(r.ExecutionID, where)
	if len(token) > 0 && string(token) != string(tokenOf(r)) {
		c.t.Errorf("%s: %s is undone with the token %s", c.name, where, token)
	}
	call := nth(c.undosOf(r.ExecutionID, where), told)
	time.Sleep(call.Takes) // Virtual time.
	switch {
	case call.Lost, c.ports.Store.Crashed():
		return lost
	case call.Fail != "":
		return fail(call.Fail, "it is stuck")
	}
	c.ledger.note("undo " + r.ExecutionID + "/" + where)
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
}

// check holds the promises about an execution that has ended.
func (c *trial) check(id string) {
	c.t.Helper()
	for i, event := range c.ports.Store.History(id) {
		if event.Seq != uint64(i)+1 {
			c.fatalf("event %d is number %d (%s)", i+1, event.Seq, event.Type)
		}
	}
	c.checkPublished(id)
	c.checkUndone(id)
	state, header, steps := c.fold(id), c.load(id).Execution, c.ports.Store.Steps(id)
	if state.Status != header.Status || state.LastSeq != header.LastSeq {
		c.fatalf("the events fold to %s at %d, the header says %s at %d", state.Status, state.LastSeq, header.Status, header.LastSeq)
	}
	for i := range state.Steps {
		id := c.graphOf(id).Node(i).Step.ID
		if step := steps[id]; step.Status != state.Steps[i].Status || step.Attempts != state.Steps[i].Attempt {
			c.fatalf("step %s folds to %s after %d attempts, its record says %s after %d", id,
				state.Steps[i].Status, state.Steps[i].Attempt, step.Status, step.Attempts)
		}
		if status := state.Steps[i].Status; status == plan.StatusSkipped && state.Steps[i].SkipReason == "" {
			c.fatalf("step %s was skipped without a reason", id)
		}
	}
}

// checkPublished holds that nobody was told what the journal doesn't have, and
// that each host told its events in order.
func (c *trial) checkPublished(id string) {
	kept := map[uint64]plan.EventType{}
	for _, event := range c.ports.Store.History(id) {
		kept[event.Seq] = event.Type
	}
	last := uint64(0)
	for _, event := range c.ports.Recorder.Events(id) {
		if event.Seq <= last {
			c.fatalf("event %d (%s) was published after event %d", event.Seq, event.Type, last)
		}
		last = event.Seq
		if kept[event.Seq] != event.Type {
			c.fatalf("%s was published as event %d, the history has %q there", event.Type, event.Seq, kept[event.Seq])
		}
	}
}

// checkEffects holds how often a step may have taken effect, by its class.
func (c *trial) checkEffects() {
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	keys := map[string]int{}
	for noted, count := range c.ledger.done {
		if rest, isKey := strings.CutPrefix(noted, "key "); isKey {
			where, _, _ := strings.Cut(rest, " ")
			keys[where]++
			continue
		}
		if strings.HasPrefix(noted, "undo ") {
			continue // To undo twice is to undo once.
		}
		id, where, _ := strings.Cut(noted, "/")
		where, _, _ = strings.Cut(where, "[")
		graph := c.graphOf(id)
		i, _ := graph.Index(where)
		step := graph.Node(i).Step
		class := referenceHandlers[step.Handler]
		once := class == pluginsdk.EffectReconcilable || (class == pluginsdk.EffectUnsafe && step.OnInterrupt != workflow.OnInterruptRetry)
		if once && count > 1 {
			c.fatalf("the %s step %s took effect %d times", class, noted, count)
		}
	}
	for where, count := range keys {
		if count > 1 {
			c.fatalf("%s took effect under %d idempotency keys", where, count)
		}
	}
}

// checkEnd holds how a run ended against what its reference says: exactly
// without a crash, and with one as one of the ends that it may lead to. Where
// it ended as without a crash, so must its outputs be; calm is that run, or
// nil for that run itself.
func (r *Reference) checkEnd(t *testing.T, result Trial, calm *Trial, crashes ...CrashPoint) {
	t.Helper()
	for n, run := range result.Runs {
		got := run.end()
		if got != inOrder(r.endOf(n)) {
			if result.Crashes == 0 || !slices.ContainsFunc(r.EndsByCrash, func(end string) bool { return got == inOrder(end) }) {
				t.Fatalf("%s, crashes %v: run %d ended as\n  %s, want\n  %s", r.Name, crashes, n, got, inOrder(r.endOf(n)))
			}
			continue
		}
		if calm == nil {
			continue
		}
		for id, step := range calm.Runs[n].Steps {
			if step.Handler == workflow.HandlerWait || step.Handler == workflow.HandlerWorkflow {
				continue // Its output has a time, or the id of a child.
			}
			if other := run.Steps[id]; string(other.Output) != string(step.Output) {
				t.Fatalf("%s, crashes %v: the output of %s is %s, without a crash it is %s", r.Name, crashes, id, other.Output, step.Output)
			}
		}
	}
}

// end is the status of the execution and of each step, by name.
func (r Ended) end() string {
	words := make([]string, 0, len(r.Steps))
	for id, step := range r.Steps {
		words = append(words, id+"="+string(step.Status))
	}
	return inOrder(string(r.Stored.Execution.Status) + " " + strings.Join(words, " "))
}

// inOrder sorts the steps of an end by name.
func inOrder(end string) string {
	words := strings.Fields(end)
	slices.Sort(words[min(1, len(words)):])
	return strings.Join(words, " ")
}
