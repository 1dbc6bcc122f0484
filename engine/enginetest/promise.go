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
	call := nth(c.reference.Calls[r.StepID], told)
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
	return c.outcome(call, where, r.IdempotencyKey)
}

func (c *trial) outcome(call Call, where, key string) pluginsdk.Outcome {
	switch {
	case call.Lost:
		if call.Did {
			c.effect(where, key)
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{
			Class: pluginsdk.FailureRetryable, Code: "PLUGIN_CRASHED", Message: "the plugin died",
		}}
	case call.Fail != "":
		return fail(call.Fail, "the disk is made of cheese")
	case call.Skip != "":
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSkipped, SkipReason: call.Skip}
	}
	c.effect(where, key)
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: c.output(call), UndoToken: json.RawMessage(`"` + where + `"`)}
}

// effect notes what the world sees of a call, under its place and its key.
func (c *trial) effect(where, key string) {
	c.ledger.note(where)
	c.ledger.note("key " + where + " " + key)
}

// reconcile tells the truth about a lost attempt.
func (c *trial) reconcile(r *pluginsdk.Request) pluginsdk.ReconcileResult {
	if c.ledger.count(place(r.StepID, r.ItemIndex)) > 0 {
		where := place(r.StepID, r.ItemIndex)
		return pluginsdk.ReconcileResult{
			Status: pluginsdk.ReconcileDone, Output: c.output(c.succeeding(r.StepID)), UndoToken: json.RawMessage(`"` + where + `"`),
		}
	}
	return pluginsdk.ReconcileResult{Status: pluginsdk.ReconcileNotStarted}
}

// checkCall holds what the journal must show when a handler is called: that
// this attempt has started, that the step has not ended, and that each of its
// dependencies has. It returns how many calls of it the journal knows the end
// of.
func (c *trial) checkCall(r *pluginsdk.Request, where string) (told int) {
	started, ended := false, map[string]bool{}
	for _, event := range c.events(r.ExecutionID) {
		switch event.Type {
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
	i, _ := c.graph.Index(r.StepID)
	for _, d := range c.graph.Node(i).Dependencies {
		if id := c.graph.Node(d).Step.ID; !ended[id] {
			c.t.Errorf("%s: step %s was called before the end of %s was durable", c.name, r.StepID, id)
		}
	}
	return told
}

// undo is every handler's Undo: it does what the reference says, and holds
// that the attempt is durable, and the step is not undone already.
func (c *trial) undo(r *pluginsdk.Request, token json.RawMessage) pluginsdk.Outcome {
	lost := pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown, Failure: &pluginsdk.Failure{Message: "the plugin died"}}
	if c.ports.Store.Crashed() {
		return lost
	}
	where, told, started := place(r.StepID, r.ItemIndex), 0, false
	for _, event := range c.events(r.ExecutionID) {
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
	if len(token) > 0 && string(token) != `"`+where+`"` {
		c.t.Errorf("%s: %s is undone with the token %s", c.name, where, token)
	}
	call := nth(c.reference.Undos[r.StepID], told)
	switch {
	case call.Lost:
		return lost
	case call.Fail != "":
		return fail(call.Fail, "it is stuck")
	}
	c.ledger.note("undo " + where)
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
}

// check holds the promises about a run that has ended.
func (c *trial) check(result Trial) {
	c.t.Helper()
	for i, event := range c.ports.Store.History(c.id) {
		if event.Seq != uint64(i)+1 {
			c.fatalf("event %d is number %d (%s)", i+1, event.Seq, event.Type)
		}
	}
	c.checkPublished()
	c.checkEffects()
	state := c.fold(result.Stored.Events)
	header := result.Stored.Execution
	if state.Status != header.Status || state.LastSeq != header.LastSeq {
		c.fatalf("the events fold to %s at %d, the header says %s at %d", state.Status, state.LastSeq, header.Status, header.LastSeq)
	}
	for i := range state.Steps {
		id := c.graph.Node(i).Step.ID
		if step := result.Steps[id]; step.Status != state.Steps[i].Status || step.Attempts != state.Steps[i].Attempt {
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
func (c *trial) checkPublished() {
	kept := map[uint64]plan.EventType{}
	for _, event := range c.ports.Store.History(c.id) {
		kept[event.Seq] = event.Type
	}
	last := uint64(0)
	for _, event := range c.ports.Recorder.Events(c.id) {
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
		id, _, _ := strings.Cut(noted, "[")
		i, _ := c.graph.Index(id)
		step := c.graph.Node(i).Step
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
	got := result.end()
	if got != inOrder(r.End) {
		if result.Crashes == 0 || !slices.ContainsFunc(r.EndsByCrash, func(end string) bool { return got == inOrder(end) }) {
			t.Fatalf("%s, crashes %v: it ended as\n  %s, want\n  %s", r.Name, crashes, got, inOrder(r.End))
		}
		return
	}
	if calm == nil {
		return
	}
	for id, step := range calm.Steps {
		if step.Handler == workflow.HandlerWait {
			continue // Its output is a time.
		}
		if other := result.Steps[id]; string(other.Output) != string(step.Output) {
			t.Fatalf("%s, crashes %v: the output of %s is %s, without a crash it is %s", r.Name, crashes, id, other.Output, step.Output)
		}
	}
}

// end is the status of the execution and of each step, by name.
func (result Trial) end() string {
	words := make([]string, 0, len(result.Steps))
	for id, step := range result.Steps {
		words = append(words, id+"="+string(step.Status))
	}
	return inOrder(string(result.Stored.Execution.Status) + " " + strings.Join(words, " "))
}

// inOrder sorts the steps of an end by name.
func inOrder(end string) string {
	words := strings.Fields(end)
	slices.Sort(words[min(1, len(words)):])
	return strings.Join(words, " ")
}
