package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
)

// attendant answers what a run without a server waits for and only a person
// can give: approvals are asked on a terminal, elsewhere they are rejected
// unless they were given before; what nobody can ever send ends the run.
type attendant struct {
	engine engine.Controller
	// approve are the approvals given before, by step id, each with the
	// answer to its form or nil.
	approve map[string]json.RawMessage
	// signals are the names of those that were sent at the start.
	signals map[string]bool
	// person is nil where there is no terminal to ask on.
	person *person
	// kept: the run stays in a store and can be decided later.
	kept bool
	// giveUp ends the following of the run, for a reason.
	giveUp func(reason error)

	mu    sync.Mutex
	queue []plan.Event
	more  chan struct{}
}

func newAttendant(flags *runFlags, somebody *person) (*attendant, error) {
	a := &attendant{approve: map[string]json.RawMessage{}, signals: map[string]bool{}, person: somebody, kept: flags.data != "", more: make(chan struct{}, 1)}
	for _, given := range flags.approvals {
		step, answer, found := strings.Cut(given, "=")
		if found && !json.Valid([]byte(answer)) {
			return nil, usageError("--approve %s: the answer to the form must be JSON, not %q", step, answer)
		}
		if a.approve[step] = nil; found {
			a.approve[step] = json.RawMessage(answer)
		}
	}
	return a, nil
}

// offer takes an event and never blocks; others than those that wait for
// somebody are dropped.
func (a *attendant) offer(event plan.Event) {
	switch event.Type {
	case plan.StepWaiting, plan.StepInterrupted, plan.ExecutionParked, plan.WorkflowCompleted:
	default:
		return
	}
	a.mu.Lock()
	a.queue = append(a.queue, event)
	a.mu.Unlock()
	select {
	case a.more <- struct{}{}:
	default:
	}
}

// serve answers for an execution and its children until ctx ends.
func (a *attendant) serve(ctx context.Context, executionID string) {
	mine := map[string]bool{executionID: true}
	for {
		a.mu.Lock()
		queue := a.queue
		a.queue = nil
		a.mu.Unlock()
		for _, event := range queue {
			if mine[event.ExecutionID] && ctx.Err() == nil {
				a.answer(ctx, event, mine)
			}
		}
		select {
		case <-a.more:
		case <-ctx.Done():
			return
		}
	}
}

func (a *attendant) answer(ctx context.Context, event plan.Event, mine map[string]bool) {
	var details awaited
	if len(event.Details) > 0 {
		if err := json.Unmarshal(event.Details, &details); err != nil {
			a.giveUp(fmt.Errorf("read what step %q waits for: %w", event.StepID, err))
			return
		}
	}
	var err error
	switch {
	case event.Type == plan.WorkflowCompleted:
	case event.Type == plan.ExecutionParked:
		a.leave("the run can't go on: "+event.Reason, "execution resume "+event.ExecutionID)
	case event.Type == plan.StepInterrupted:
		err = a.resolve(ctx, event)
	case plan.WaitReason(event.Reason) == plan.WaitChild:
		mine[details.ExecutionID] = true
	case plan.WaitReason(event.Reason) == plan.WaitApproval:
		err = a.decide(ctx, event, &details)
	case plan.WaitReason(event.Reason) == plan.WaitSignal && details.Until.IsZero() && !a.signals[details.Signal]:
		a.leave(fmt.Sprintf("step %q waits for the signal %q, which nobody can send to a run without a server; give --signal %s", event.StepID, details.Signal, details.Signal), "")
	}
	// The step may have ended meanwhile, by a timeout or a cancel.
	if err != nil && !errors.Is(err, engine.ErrConflict) && !errors.Is(err, engine.ErrNotFound) && ctx.Err() == nil {
		a.giveUp(fmt.Errorf("answer for step %q: %w", event.StepID, err))
	}
}

// leave ends the following of a run that can't go on here. One that is kept
// can be taken up again after the command has decided.
func (a *attendant) leave(reason, command string) {
	if a.kept && command != "" {
		reason += fmt.Sprintf("; type \"vwmp %s --data DIR\", then run it again", command)
	}
	a.giveUp(errors.New(reason))
}

func (a *attendant) decide(ctx context.Context, event plan.Event, details *awaited) error {
	approval := engine.Approval{By: runBy, Roles: details.Approvers, Item: event.ItemIndex}
	answer, given := a.approve[event.StepID]
	switch {
	case given:
		approval.Approved, approval.Data, approval.Comment = true, answer, "given with --approve"
	case a.person != nil:
		if err := a.person.approve(ctx, event, details, &approval); err != nil {
			return err
		}
	default:
		approval.Comment = fmt.Sprintf("there is no terminal to ask on; give --approve %s", event.StepID)
	}
	return a.approved(ctx, event, approval)
}

// approved hands an answer in. One that does not fit the form is asked for
// again where somebody is there; elsewhere the step is rejected.
func (a *attendant) approved(ctx context.Context, event plan.Event, approval engine.Approval) error {
	_, err := a.engine.Approve(ctx, event.ExecutionID, event.StepID, approval)
	var refused *engine.ProblemsError
	if !errors.As(err, &refused) {
		return err
	}
	if a.person != nil {
		a.person.say(refusalText(refused))
		a.offer(event)
		return nil
	}
	approval.Approved, approval.Data, approval.Comment = false, nil, "the answer given with --approve does not fit the form: "+refused.Error()
	_, err = a.engine.Approve(ctx, event.ExecutionID, event.StepID, approval)
	return err
}

func (a *attendant) resolve(ctx context.Context, event plan.Event) error {
	resolution := engine.Resolution{As: "failed", Item: event.ItemIndex, By: runBy}
	switch {
	case a.person != nil:
		as, err := a.person.resolve(ctx, event)
		if err != nil {
			return err
		}
		resolution.As = as
	case a.kept:
		command := "execution resolve " + event.ExecutionID + " " + event.StepID + " --as retry|success|failed|skipped"
		a.leave(fmt.Sprintf("nobody knows what became of step %q: %s", event.StepID, event.Reason), command)
		return nil
	}
	_, err := a.engine.ResolveStep(ctx, event.ExecutionID, event.StepID, resolution)
	return err
}
