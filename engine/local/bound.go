package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

// planTimeout bounds asking the handlers behind an approval what they would
// do.
const planTimeout = 2 * time.Minute

// planApproval asks what the steps after an approval would do, and lets it
// wait with that; an approval that can't be planned for fails.
func (e *execution) planApproval(r plan.Ref, wait plan.Wait) {
	attempt := e.state.Unit(r).Attempt
	e.callers.Go(func() {
		ctx, cancel := context.WithTimeout(e.r.base, planTimeout)
		defer cancel()
		planned, err := e.r.planRest(ctx, e.id, r.Step)
		switch {
		case e.r.base.Err() != nil:
			return // The next start asks again.
		case err != nil:
			e.post(message{kind: messageOutcome, ref: r, attempt: attempt, outcome: pluginsdk.Outcome{
				Kind: pluginsdk.OutcomeFailure, Failure: pluginsdk.FailureOf(ctx, fmt.Errorf("plan what is to be approved: %w", err)),
			}})
		default:
			wait.Plan = planned
			e.post(message{kind: messageWait, ref: r, attempt: attempt, wait: wait})
		}
	})
}

// planRest is what the steps after one of a running execution would do, as a
// JSON list of engine.StepPreview.
func (r *Runtime) planRest(ctx context.Context, executionID string, after int) (json.RawMessage, error) {
	e, err := r.load(ctx, executionID)
	if err != nil {
		return nil, err
	}
	e.secretive = len(e.graph.Secrets()) > 0 && r.options.Secrets != nil
	p := &rehearsal{r: r, e: e, steps: make([]engine.StepPreview, e.graph.Len()), skips: map[int]bool{}}
	later := map[int]bool{after: true}
	steps := []engine.StepPreview{}
	for _, level := range e.graph.Levels() {
		for _, stepID := range level {
			i, _ := e.graph.Index(stepID)
			for _, d := range e.graph.Node(i).Dependencies {
				later[i] = later[i] || later[d]
			}
			if i == after || !later[i] || e.state.Steps[i].Status.Ended() {
				continue
			}
			p.steps[i] = p.step(ctx, i)
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			steps = append(steps, p.steps[i])
		}
	}
	raw, err := json.Marshal(steps)
	if err != nil {
		return nil, fmt.Errorf("write a plan: %w", err)
	}
	return raw, nil
}

// checkPlan refuses an answer to a bound approval once what it is about has
// changed, and shows what it would be about now.
func (r *Runtime) checkPlan(ctx context.Context, executionID, stepID string, item *int) error {
	e, err := r.load(ctx, executionID)
	if err != nil {
		return err
	}
	for _, ref := range e.state.Waiting() {
		unit := e.state.Unit(ref)
		if e.graph.Node(ref.Step).Step.ID != stepID || !unit.Wait.Bound || (item != nil && *item != ref.Item) {
			continue
		}
		now, err := r.planRest(ctx, executionID, ref.Step)
		if err != nil {
			return fmt.Errorf("plan what is to be approved: %w", err)
		}
		if samePlan(unit.Wait.Plan, now) {
			return nil
		}
		wait := *unit.Wait
		wait.Plan = now
		if running, err := r.find(executionID); err == nil {
			running.post(message{kind: messageWait, ref: ref, attempt: unit.Attempt, wait: wait})
		}
		return fmt.Errorf("%w: what the steps after %q would do has changed since it was shown; look at the new plan and answer again", engine.ErrConflict, stepID)
	}
	return nil
}

// samePlan compares what would be done. Diffs are left out: they may hold the
// time at which they were made.
func samePlan(a, b json.RawMessage) bool {
	left, errA := withoutDiffs(a)
	right, errB := withoutDiffs(b)
	return errors.Join(errA, errB) == nil && bytes.Equal(left, right)
}

func withoutDiffs(raw json.RawMessage) ([]byte, error) {
	var steps []engine.StepPreview
	if err := json.Unmarshal(raw, &steps); err != nil {
		return nil, fmt.Errorf("read a plan: %w", err)
	}
	for i := range steps {
		for k := range steps[i].Effects {
			steps[i].Effects[k].Diff = ""
		}
	}
	return json.Marshal(steps)
}
