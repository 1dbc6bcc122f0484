package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// Apply folds one event into the state. An error means that the event can't
// follow the ones before it: a fault of whoever wrote it, and the state is
// not to be used further.
func (s *State) Apply(e Event) error {
	if s.Status.Ended() && !e.Type.Internal() {
		return fmt.Errorf("apply %s: the execution has ended", e.Type)
	}
	if e.Seq != 0 {
		s.LastSeq, s.LastSub = e.Seq, e.Sub
	}
	if e.StepID != "" {
		i, found := s.graph.Index(e.StepID)
		if !found {
			return fmt.Errorf("apply %s: there is no step %q", e.Type, e.StepID)
		}
		if err := s.applyStep(i, e); err != nil {
			return fmt.Errorf("apply %s of step %q: %w", e.Type, e.StepID, err)
		}
		s.settleStatus()
		return nil
	}
	if err := s.applyExecution(e); err != nil {
		return fmt.Errorf("apply %s: %w", e.Type, err)
	}
	s.settleStatus()
	return nil
}

func (s *State) applyExecution(e Event) error {
	switch e.Type {
	case ExecutionCreated:
		s.CreatedAt, s.Trigger, s.By = e.Time, e.Trigger, e.By
		if e.Private != nil {
			for _, id := range e.Private.SkipSteps {
				if i, found := s.graph.Index(id); found {
					s.skip[i] = true
				}
			}
		}
	case ExecutionStarted:
		s.StartedAt, s.Status = e.Time, StatusRunning
	case ExecutionParked:
		s.parked, s.Status, s.StatusReason = true, StatusPaused, e.Reason
	case ExecutionResumed:
		s.parked, s.Status, s.StatusReason, s.crashes = false, StatusRunning, "", nil
	case ExecutionCancelling:
		s.cancels++
		s.cancelBy = e.By
		s.parked, s.StatusReason = false, e.Reason
		if e.Private != nil && e.Private.TimedOut {
			s.timedOut = true
		}
		if s.Status == StatusPaused {
			s.Status = StatusRunning
		}
	case HostRestarted:
		s.crashes = append(s.crashes, e.Time)
	case WorkflowCompleted:
		s.Status, s.CompletedAt, s.Error, s.StatusReason = Status(e.Status), e.Time, e.Error, e.Reason
	case ProgressMade:
		// It repeats what the state adds up to.
	default:
		return fmt.Errorf("unknown event")
	}
	return nil
}

func (s *State) applyStep(i int, e Event) error {
	step := &s.Steps[i]
	if step.Status.Ended() && e.Type != StepCheckpointed && e.Type != StepEffected {
		return fmt.Errorf("the step has ended as %s", step.Status)
	}
	switch e.Type {
	case StepStarted:
		return s.applyStarted(i, e)
	case StepRetrying:
		s.leaveRunning(i)
		step.failures++
		step.Error = e.Error
		step.RetryAt = e.Private.RetryAt
		s.closeAttempt(step, StatusFailed, e.Error, e.Time)
		s.setStatus(i, StatusRetrying)
	case AttemptLost:
		step.decision, step.reconcileAt, step.lostDetail = lostUndecided, time.Time{}, e.Reason
		if e.Private.Lost != LostHost {
			step.losses++
		}
		s.closeAttempt(step, StatusInterrupted, e.Error, e.Time)
		s.lost = insert(s.lost, i)
	case StepReconciled:
		s.applyReconciled(step, e)
	case StepInterrupted:
		s.leaveRunning(i)
		step.Error = e.Error
		s.setStatus(i, StatusInterrupted)
	case StepResolved:
		// Retry is the only verdict that leaves the step open.
		if e.Private.Verdict == "retry" {
			s.interrupted = remove(s.interrupted, i)
			step.decision, step.losses, step.Error = lostRerun, 0, nil
			step.Status = StatusRunning
			s.running[i] = true
			s.lost = insert(s.lost, i)
		}
	case StepCompleted:
		s.applyCompleted(i, e)
	case StepCheckpointed:
		step.Checkpoint = e.Private.Checkpoint
	case StepEffected:
		step.Effects = append(step.Effects, *e.Private.Effect)
	default:
		return fmt.Errorf("unknown event")
	}
	return nil
}

func (s *State) applyStarted(i int, e Event) error {
	step := &s.Steps[i]
	if e.Attempt != step.Attempt+1 {
		return fmt.Errorf("attempt %d follows attempt %d", e.Attempt, step.Attempt)
	}
	if step.Status == StatusRunning && !contains(s.lost, i) {
		return fmt.Errorf("attempt %d is still running", step.Attempt)
	}
	s.ready = remove(s.ready, i)
	s.lost = remove(s.lost, i)
	s.setStatus(i, StatusRunning)
	s.running[i] = true
	step.Attempt, step.decision, step.Error = e.Attempt, lostUndecided, nil
	if step.StartedAt.IsZero() {
		step.StartedAt = e.Time
	}
	attempt := AttemptState{Number: e.Attempt, Status: StatusRunning, StartedAt: e.Time}
	if e.Private != nil {
		step.EffectClass, step.IdempotencyKey = e.Private.EffectClass, e.Private.IdempotencyKey
		attempt.Checksum = e.Private.Checksum
	}
	step.Attempts = append(step.Attempts, attempt)
	return nil
}

func (s *State) applyReconciled(step *StepState, e Event) {
	step.lostDetail = e.Reason
	switch pluginsdk.ReconcileStatus(e.Private.Verdict) {
	case pluginsdk.ReconcileNotStarted:
		step.decision = lostRerun
	case pluginsdk.ReconcileRunning:
		step.reconcileAt = e.Time.Add(reconcileInterval)
	case pluginsdk.ReconcileDone:
		// The step_completed behind this event ends the step.
	case pluginsdk.ReconcileUnknown:
		step.decision = lostUnknown
	}
}

func (s *State) applyCompleted(i int, e Event) {
	step := &s.Steps[i]
	s.ready = remove(s.ready, i)
	s.leaveRunning(i)
	status := Status(e.Status)
	s.closeAttempt(step, status, e.Error, e.Time)
	s.setStatus(i, status)
	step.CompletedAt = e.Time
	step.Error, step.SkipReason = e.Error, e.SkipReason
	step.Output, step.PublicOutput = e.Output, e.Output
	if e.FullOutput != nil {
		step.Output = e.FullOutput
	}
	if e.Private != nil {
		step.UndoToken, step.skipByChoice = e.Private.UndoToken, e.Private.ByChoice
	}
	s.open--
	s.counts[status]++
	if status == StatusFailed {
		if !s.graph.Node(i).Step.Required {
			s.optionalBad = true
		} else if s.stoppedBy < 0 {
			s.stoppedBy = i
		}
	}
	for _, next := range s.graph.Node(i).Dependents {
		s.unblock(next)
	}
	if s.graph.Node(i).Step.RunOn == workflow.RunOnSuccess {
		s.mainOpen--
		if s.mainOpen == 0 {
			s.releaseLate()
		}
	}
}

func (s *State) releaseLate() {
	for _, i := range s.late {
		s.unblock(i)
	}
}

func (s *State) unblock(i int) {
	s.blocked[i]--
	if s.blocked[i] == 0 && s.Steps[i].Status == StatusPending {
		s.ready = insert(s.ready, i)
	}
}

// leaveRunning takes a step out of every list of open ones.
func (s *State) leaveRunning(i int) {
	delete(s.running, i)
	s.lost = remove(s.lost, i)
	s.retrying = remove(s.retrying, i)
	s.interrupted = remove(s.interrupted, i)
}

func (s *State) setStatus(i int, status Status) {
	s.retrying = remove(s.retrying, i)
	s.interrupted = remove(s.interrupted, i)
	s.Steps[i].Status = status
	switch status {
	case StatusRetrying:
		s.retrying = insert(s.retrying, i)
	case StatusInterrupted:
		s.interrupted = insert(s.interrupted, i)
	default:
	}
}

// closeAttempt ends the last attempt, unless it has ended before.
func (s *State) closeAttempt(step *StepState, status Status, failure *Error, at time.Time) {
	if len(step.Attempts) == 0 {
		return
	}
	last := &step.Attempts[len(step.Attempts)-1]
	if last.CompletedAt.IsZero() {
		last.Status, last.CompletedAt, last.Error = status, at, failure
	}
}

// settleStatus tells an execution that waits for people alone from one that
// runs.
func (s *State) settleStatus() {
	if s.Status != StatusRunning && s.Status != StatusWaiting {
		return
	}
	waits := len(s.interrupted) > 0 && len(s.running) == 0 && len(s.retrying) == 0 && len(s.ready) == 0
	switch {
	case waits && s.cancels == 0:
		s.Status = StatusWaiting
		s.StatusReason = s.label(s.interrupted[0]) + " was interrupted and its outcome is unknown: decide what became of it"
	case s.Status == StatusWaiting:
		s.Status, s.StatusReason = StatusRunning, ""
	}
}

func insert(list []int, i int) []int {
	at, found := slices.BinarySearch(list, i)
	if found {
		return list
	}
	return slices.Insert(list, at, i)
}

func remove(list []int, i int) []int {
	at, found := slices.BinarySearch(list, i)
	if !found {
		return list
	}
	return slices.Delete(list, at, at+1)
}

func contains(list []int, i int) bool {
	_, found := slices.BinarySearch(list, i)
	return found
}
