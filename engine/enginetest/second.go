package enginetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
)

// begins reports whether a decision makes an execution.
func (d Decision) begins() bool {
	return d.Do == "start" || d.Do == "retry" || d.Do == "fork" || d.Do == "undo"
}

// numberOf is the number of the execution that the i-th decision makes.
func (r *Reference) numberOf(i int) int {
	n := r.Starts
	for _, earlier := range r.People[:i] {
		if earlier.begins() && !earlier.Refused {
			n++
		}
	}
	return n
}

// executions is how many there are in the end, without children.
func (r *Reference) executions() int { return r.numberOf(len(r.People)) }

// refusals is how many decisions meet a conflict.
func (r *Reference) refusals() int {
	count := 0
	for _, decision := range r.People {
		if decision.Refused {
			count++
		}
	}
	return count
}

// saysEnds reports whether the end of each execution is known.
func (r *Reference) saysEnds() bool {
	if r.End != "" {
		return len(r.Ends) == 0
	}
	return len(r.Ends) == r.executions()
}

// endOf is how the n-th execution must end.
func (r *Reference) endOf(n int) string {
	if r.End != "" {
		return r.End
	}
	return r.Ends[n]
}

// roots are the executions that the journal has, without children, by number.
func (c *trial) roots() []string {
	return slices.DeleteFunc(c.ports.Store.IDs(), func(id string) bool { return c.load(id).Execution.Parent != nil })
}

// callsOf are the calls of a step, or of one item of it, in an execution.
func (c *trial) callsOf(id, where string) []Call {
	return callsAt(where, c.reference.Others[slices.Index(c.roots(), id)].Calls, c.reference.Calls)
}

// undosOf are the same for taking it back.
func (c *trial) undosOf(id, where string) []Call {
	return callsAt(where, c.reference.Others[slices.Index(c.roots(), id)].Undos, c.reference.Undos)
}

// callsAt are the calls of an item where it has its own, or else of its step,
// from the first list that has any.
func callsAt(where string, lists ...map[string][]Call) []Call {
	step, _, _ := strings.Cut(where, "[")
	for _, list := range lists {
		for _, name := range []string{where, step} {
			if calls, found := list[name]; found {
				return calls
			}
		}
	}
	return nil
}

// succeeding is the first call of a step, or of an item, that succeeds.
func (c *trial) succeeding(id, where string) Call {
	for _, call := range c.callsOf(id, where) {
		if call.Fail == "" && call.Skip == "" && !call.Lost {
			return call
		}
	}
	return Call{}
}

// made reports whether the i-th decision, which makes an execution, has done
// so. Whoever asked for a retry, a fork or an undo, and was told nothing, looks
// for it in the journal; whoever started one asks again under the same key.
func (c *trial) made(i int) bool {
	decision := c.reference.People[i]
	if decision.Refused {
		return c.refused[i]
	}
	n := c.reference.numberOf(i)
	if c.ids[n] != "" || decision.Do == "start" {
		return c.ids[n] != ""
	}
	roots := c.roots()
	if n >= len(roots) {
		return false
	}
	header, first := c.load(roots[n]).Execution, c.ids[decision.To]
	if header.RetryOf != first && header.ForkOf != first && header.UndoOf != first {
		c.fatalf("execution %s builds on another one than %s", header.ID, first)
	}
	c.ids[n] = roots[n]
	return true
}

// makeExecution does what the i-th decision asks for.
func (c *trial) makeExecution(i int) {
	decision := c.reference.People[i]
	id, err := c.askFor(i)
	if decision.Refused {
		if !errors.Is(err, engine.ErrConflict) {
			if err == nil {
				c.fatalf("%s of execution %d was not refused", decision.Do, decision.To)
			}
			c.mayFail(decision.Do, err)
			return
		}
		c.refused[i] = true
		return
	}
	c.mayFail(decision.Do, err)
	if err == nil {
		c.ids[c.reference.numberOf(i)] = id
	}
}

func (c *trial) askFor(i int) (id string, err error) {
	decision := c.reference.People[i]
	ctx, ended := c.t.Context(), c.ids[decision.To]
	var execution engine.Execution
	switch decision.Do {
	case "retry":
		execution, err = c.engine.Retry(ctx, ended, engine.RetryRequest{FromStep: decision.From, By: "tester"})
	case "undo":
		execution, err = c.engine.Undo(ctx, ended, "tester")
	case "fork":
		var fork engine.Fork
		fork, err = c.engine.Fork(ctx, ended, engine.ForkRequest{
			FromStep: decision.From, Item: decision.Item, Outputs: c.outputs(decision), By: "tester",
		})
		if fork.Execution != nil {
			execution = *fork.Execution
		}
	default:
		request := c.request()
		request.IdempotencyKey = fmt.Sprint("decision ", i)
		if decision.Only != "" {
			request.Origin = &plan.Origin{Only: decision.Only}
			outputs := c.outputs(decision)
			for _, step := range slices.Sorted(maps.Keys(outputs)) {
				request.Origin.Keep = append(request.Origin.Keep, plan.Kept{StepID: step, Status: plan.StatusSuccess, Output: outputs[step]})
			}
		}
		execution, _, err = c.engine.Start(ctx, request)
	}
	return execution.ID, err
}

// request is a start of the reference's workflow, without a key.
func (c *trial) request() engine.StartRequest {
	request := engine.StartRequest{
		WorkflowID: "w", Document: c.document, SkipSteps: c.reference.SkipSteps, Trigger: engine.TriggerAPI, By: "tester",
	}
	if c.reference.Parameters != nil {
		request.Parameters = c.json(c.reference.Parameters)
	}
	return request
}

func (c *trial) outputs(decision Decision) map[string]json.RawMessage {
	outputs := map[string]json.RawMessage{}
	for step, output := range decision.Outputs {
		outputs[step] = c.json(output)
	}
	return outputs
}

// kept lists the steps and items whose results an execution took over.
func kept(created plan.Event) []string {
	if created.Private == nil || created.Private.Origin == nil {
		return nil
	}
	var places []string
	for _, step := range created.Private.Origin.Keep {
		if step.Status.Ended() {
			places = append(places, step.StepID)
		}
		for _, item := range step.Items {
			places = append(places, place(step.StepID, item.Index))
		}
	}
	return places
}

// checkNumbers holds that each request made one execution, whoever had to ask
// twice, and that no more came of what people asked for.
func (c *trial) checkNumbers() {
	roots := c.roots()
	if want := c.reference.executions(); len(roots) != want {
		c.fatalf("there are %d executions, %d were asked for", len(roots), want)
	}
	for n, id := range roots {
		if c.ids[n] != id {
			c.fatalf("execution %d is %s, who asked for it was told %s", n, id, c.ids[n])
		}
	}
}

// checkNotUndone holds that what an undo is about to take back was not taken
// back already, by it or an undo before it.
func (c *trial) checkNotUndone(id, where string) {
	first := c.load(id).Execution.UndoOf
	if first == "" {
		return
	}
	for _, event := range c.load(first).Events {
		if event.Type == plan.UndoneElsewhere && placeOf(event) == where {
			c.t.Errorf("%s: %s was undone by %s, and again by %s", c.name, where, event.By, id)
		}
	}
}

// checkUndone holds that an execution and those that undid it tell the same:
// what the journal of each undo calls undone, the undone execution's journal
// and records call undone by it, and nothing else.
func (c *trial) checkUndone(id string) {
	c.t.Helper()
	var undos, want, got []string
	for _, other := range c.ports.Store.IDs() {
		stored := c.load(other)
		if stored.Execution.UndoOf != id {
			continue
		}
		undos = append(undos, other)
		for _, event := range stored.Events {
			if event.Type == plan.StepUndone && event.Status == string(plan.StatusUndone) {
				want = append(want, placeOf(event)+" by "+other)
			}
		}
	}
	stored := c.load(id)
	for _, event := range stored.Events {
		if event.Type == plan.UndoneElsewhere && event.StepID != "" {
			got = append(got, placeOf(event)+" by "+event.By)
		}
	}
	if !slices.Equal(got, want) {
		c.fatalf("execution %s says that undone are %v, its undos say %v", id, got, want)
	}
	last := ""
	if len(undos) > 0 {
		last = undos[len(undos)-1]
	}
	if stored.Execution.UndoneBy != last {
		c.fatalf("execution %s says that it is undone by %q, not by %q", id, stored.Execution.UndoneBy, last)
	}
	if recorded := c.recordedUndone(id); !slices.Equal(recorded, sorted(want)) {
		c.fatalf("the records of execution %s say that undone are %v, its undos say %v", id, recorded, want)
	}
}

// recordedUndone lists what the records of an execution call undone by another
// one; a step with items is as undone as they are.
func (c *trial) recordedUndone(id string) []string {
	var places []string
	for step, result := range c.ports.Store.Steps(id) {
		for _, item := range result.Items {
			if item.Undo != nil && item.Undo.By != "" && item.Status == plan.StatusUndone {
				places = append(places, place(step, item.Index)+" by "+item.Undo.By)
			}
		}
		if result.ItemCount == 0 && result.Undo != nil && result.Undo.By != "" && result.Status == plan.StatusUndone {
			places = append(places, step+" by "+result.Undo.By)
		}
	}
	return sorted(places)
}

func sorted(words []string) []string {
	words = slices.Clone(words)
	slices.SortFunc(words, strings.Compare)
	return words
}
