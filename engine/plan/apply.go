package plan

import (
	"cmp"
	"encoding/json"
	"errors"
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
		return s.applyCreated(e)
	case ExecutionQueued:
		s.queued, s.Status, s.StatusReason = true, StatusQueued, e.Reason
	case SlotGranted:
		s.queued, s.Status, s.StatusReason = false, StatusPending, ""
	case ExecutionStarted:
		s.StartedAt, s.Status = e.Time, StatusRunning
	case ExecutionParked:
		s.parked, s.Status, s.StatusReason = true, StatusPaused, e.Reason
	case ExecutionPaused:
		s.paused, s.Status, s.StatusReason = true, StatusPaused, e.Reason
	case ExecutionResumed:
		s.parked, s.paused, s.StatusReason, s.crashes = false, false, "", nil
		s.Status = s.liveStatus()
	case ExecutionCancelling:
		s.cancels++
		s.cancelBy = e.By
		s.parked, s.paused, s.StatusReason = false, false, e.Reason
		if e.Private != nil && e.Private.TimedOut {
			s.timedOut = true
		}
		s.Status = StatusRunning
	case SignalReceived:
		s.applySignal(e)
	case UndoneElsewhere:
		s.UndoneBy = e.By
	case HostRestarted:
		s.crashes = append(s.crashes, e.Time)
	case WorkflowCompleted:
		s.Status, s.CompletedAt, s.Error, s.StatusReason = Status(e.Status), e.Time, e.Error, e.Reason
	case ProgressMade:
		// It repeats what the state adds up to.
	default:
		return errors.New("unknown event")
	}
	return nil
}

// liveStatus is that of an execution that nothing holds back.
func (s *State) liveStatus() Status {
	switch {
	case s.queued:
		return StatusQueued
	case s.StartedAt.IsZero():
		return StatusPending
	}
	return StatusRunning
}

// applyCreated takes up what the execution is given of an earlier one.
func (s *State) applyCreated(e Event) error {
	if e.Private == nil {
		return nil
	}
	for _, id := range e.Private.SkipSteps {
		if i, found := s.graph.Index(id); found {
			s.skip[i] = true
		}
	}
	s.Origin = e.Private.Origin
	if s.Origin == nil {
		return nil
	}
	if i, found := s.graph.Index(s.Origin.Only); found {
		s.only = i
	}
	for k := range s.Origin.Keep {
		kept := &s.Origin.Keep[k]
		i, found := s.graph.Index(kept.StepID)
		if !found {
			return fmt.Errorf("there is no step %q to keep", kept.StepID)
		}
		s.keep[i] = kept
	}
	if s.Origin.UndoOf != "" {
		s.adoptForUndo(e)
	}
	return nil
}

// adoptForUndo makes the state one that has nothing to do but to take back
// what it was given.
func (s *State) adoptForUndo(e Event) {
	for k := range s.Origin.Keep {
		kept := &s.Origin.Keep[k]
		i, _ := s.graph.Index(kept.StepID)
		// Of a step that failed as a whole there are the items that did not.
		status := cmp.Or(kept.Status, StatusSuccess)
		s.applyCompleted(i, Event{
			Type: StepCompleted, Time: e.Time, Status: string(status), SkipReason: kept.SkipReason, Output: kept.Output, FullOutput: kept.FullOutput,
			KeptFrom: s.Origin.UndoOf, Private: &Private{UndoToken: kept.UndoToken},
		})
	}
	for i := range s.Steps {
		if !s.Steps[i].Status.Ended() {
			s.applyCompleted(i, Event{
				Type: StepCompleted, Time: e.Time, Status: string(StatusSkipped),
				SkipReason: "there is nothing to undo", Private: &Private{ByChoice: true},
			})
		}
	}
	s.orderAsKept()
}

// orderAsKept puts what succeeded in the order in which it did, where items of
// one step and other steps succeeded in turns.
func (s *State) orderAsKept() {
	order := map[Ref]int{}
	for k := range s.Origin.Keep {
		kept := &s.Origin.Keep[k]
		i, _ := s.graph.Index(kept.StepID)
		order[StepRef(i)] = kept.Order
		for _, item := range kept.Items {
			order[Ref{i, item.Index}] = item.Order
		}
	}
	slices.SortStableFunc(s.finished, func(a, b Ref) int { return cmp.Compare(order[a], order[b]) })
}

// applySignal hands a signal to every step that waits for it, or keeps it for
// the first one that will.
func (s *State) applySignal(e Event) {
	delivered := false
	for _, r := range s.waiting {
		if wait := s.Unit(r).Wait; wait.Reason == WaitSignal && wait.Signal == e.Private.Signal && wait.delivered == nil {
			wait.delivered, delivered = payloadOf(e.Private.Payload), true
		}
	}
	if !delivered {
		s.signals = append(s.signals, signal{e.Private.Signal, payloadOf(e.Private.Payload)})
	}
}

func payloadOf(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("null")
	}
	return raw
}

// afterEnd reports whether an event may follow the end of its step.
func (t EventType) afterEnd() bool {
	switch t {
	case StepCheckpointed, StepEffected, UndoStarted, UndoRetrying, UndoLost, StepUndone, UndoneElsewhere:
		return true
	}
	return false
}

func (s *State) applyStep(i int, e Event) error {
	step := &s.Steps[i]
	r := StepRef(i)
	if e.ItemIndex != nil {
		if r.Item = *e.ItemIndex; r.Item < 0 || r.Item >= len(step.Items) {
			return fmt.Errorf("there is no item %d", r.Item)
		}
	}
	if s.Unit(r).Status.Ended() && !e.Type.afterEnd() {
		return fmt.Errorf("it has ended as %s", s.Unit(r).Status)
	}
	if private := e.Private; private == nil {
		e.Private = &Private{}
	}
	switch e.Type {
	case StepExpanded:
		return s.applyExpanded(i, e)
	case StepCompleted:
		s.applyCompleted(i, e)
		return nil
	case StepItemCompleted:
		s.applyItemCompleted(r, e)
		return nil
	case UndoStarted, UndoRetrying, UndoLost, StepUndone, UndoneElsewhere:
		return s.applyUndo(r, e)
	}
	return s.applyUnit(r, e)
}

// applyUnit folds an event of an attempt.
func (s *State) applyUnit(r Ref, e Event) error {
	unit := s.Unit(r)
	switch e.Type {
	case StepStarted:
		return s.applyStarted(r, e)
	case StepWaiting:
		s.applyWaiting(r, e)
	case StepRetrying:
		s.leaveRunning(r)
		unit.failures++
		unit.Error = e.Error
		unit.RetryAt = e.Private.RetryAt
		closeAttempt(unit, StatusFailed, e.Error, e)
		s.setStatus(r, StatusRetrying)
	case AttemptLost:
		unit.decision, unit.reconcileAt, unit.lostDetail = lostUndecided, time.Time{}, e.Reason
		if e.Private.Lost != LostHost {
			unit.losses++
		}
		if e.Private.Alone {
			unit.crashes++
		}
		closeAttempt(unit, StatusInterrupted, e.Error, e)
		s.lost = insertRef(s.lost, r)
	case StepReconciled:
		applyReconciled(unit, e)
	case StepInterrupted:
		s.leaveRunning(r)
		unit.Error = e.Error
		s.setStatus(r, StatusInterrupted)
	case StepResolved:
		s.applyResolved(r, e)
	case StepCheckpointed:
		unit.Checkpoint = e.Private.Checkpoint
	case StepEffected:
		if e.Private.Effect != nil {
			unit.Effects = append(unit.Effects, *e.Private.Effect)
		}
	default:
		return errors.New("unknown event")
	}
	return nil
}

// applyResolved folds what a person decided about an interrupted unit. Retry is
// the only verdict that leaves it open; after another one its end follows.
func (s *State) applyResolved(r Ref, e Event) {
	unit := s.Unit(r)
	switch e.Private.Verdict {
	case "retry":
		unit.decision, unit.losses, unit.crashes, unit.Error, unit.Undo = lostRerun, 0, 0, nil, UndoState{}
		s.setStatus(r, StatusRunning)
		s.running[r] = true
		s.lost = insertRef(s.lost, r)
	case string(StatusSuccess):
		// What on_interrupt: undo came to is no longer the question.
		unit.declared, unit.Undo = true, UndoState{}
	}
}

// applyExpanded gives a step with for_each its items.
func (s *State) applyExpanded(i int, e Event) error {
	step := &s.Steps[i]
	if step.expanded {
		return errors.New("it has its items already")
	}
	s.ready = remove(s.ready, i)
	s.expanded = insert(s.expanded, i)
	step.expanded, step.StartedAt = true, e.Time
	step.Values = e.Private.Items
	step.Items = make([]Unit, len(step.Values))
	step.itemCounts = map[Status]int{StatusPending: len(step.Values)}
	for k := range step.Items {
		step.Items[k].Status = StatusPending
	}
	step.Status = StatusRunning
	if kept := s.keep[i]; kept != nil {
		for _, item := range kept.Items {
			if item.Index < len(step.Items) {
				s.keepItem(Ref{i, item.Index}, item, e)
			}
		}
	}
	return nil
}

// keepItem takes over an item's result of an earlier execution.
func (s *State) keepItem(r Ref, item KeptItem, e Event) {
	unit := s.Unit(r)
	unit.PublicOutput, unit.Output, unit.UndoToken, unit.declared = item.Output, item.Output, item.UndoToken, item.Declared
	if item.FullOutput != nil {
		unit.Output = item.FullOutput
	}
	unit.CompletedAt, unit.KeptFrom = e.Time, s.Origin.from()
	s.setStatus(r, StatusSuccess)
	s.finished = append(s.finished, r)
}

func (s *State) applyStarted(r Ref, e Event) error {
	unit := s.Unit(r)
	if e.Attempt != unit.Attempt+1 {
		return fmt.Errorf("attempt %d follows attempt %d", e.Attempt, unit.Attempt)
	}
	if unit.Status == StatusRunning && !containsRef(s.lost, r) {
		return fmt.Errorf("attempt %d is still running", unit.Attempt)
	}
	if r.IsItem() {
		step := &s.Steps[r.Step]
		step.Attempt = max(step.Attempt, e.Attempt)
		for step.next < len(step.Items) && (step.next == r.Item || step.Items[step.next].Status != StatusPending) {
			step.next++
		}
	} else {
		s.ready = remove(s.ready, r.Step)
	}
	s.lost = removeRef(s.lost, r)
	s.setStatus(r, StatusRunning)
	s.running[r] = true
	unit.Attempt, unit.decision, unit.Error = e.Attempt, lostUndecided, nil
	if unit.StartedAt.IsZero() {
		unit.StartedAt = e.Time
	}
	unit.EffectClass, unit.IdempotencyKey = e.Private.EffectClass, e.Private.IdempotencyKey
	unit.Attempts = append(unit.Attempts, AttemptState{
		Number: e.Attempt, Status: StatusRunning, StartedAt: e.Time, Checksum: e.Private.Checksum,
	})
	return nil
}

// applyWaiting turns a started attempt into a wait.
func (s *State) applyWaiting(r Ref, e Event) {
	unit := s.Unit(r)
	wait := Wait{}
	if e.Private.Wait != nil {
		wait = *e.Private.Wait
	}
	unit.Wait = &wait
	if unit.Status != StatusWaiting {
		unit.WaitsSince = e.Time
	}
	if wait.Reason == WaitPlugin {
		s.takeBackStart(r)
	}
	s.leaveRunning(r)
	s.setStatus(r, StatusWaiting)
	if wait.Reason != WaitSignal {
		return
	}
	at := slices.IndexFunc(s.signals, func(kept signal) bool { return kept.name == wait.Signal })
	if at >= 0 {
		unit.Wait.delivered = s.signals[at].payload
		s.signals = slices.Delete(s.signals, at, at+1)
	}
}

// takeBackStart forgets an attempt that was written down and never came to
// run, because its plugin could not be called.
func (s *State) takeBackStart(r Ref) {
	unit := s.Unit(r)
	if unit.Status == StatusRunning && !containsRef(s.lost, r) {
		unit.Attempt--
		unit.Attempts = unit.Attempts[:len(unit.Attempts)-1]
		if unit.Attempt == 0 {
			unit.StartedAt = time.Time{}
		}
	}
	if !r.IsItem() {
		s.ready = remove(s.ready, r.Step)
	}
}

func applyReconciled(unit *Unit, e Event) {
	unit.lostDetail = e.Reason
	switch pluginsdk.ReconcileStatus(e.Private.Verdict) {
	case pluginsdk.ReconcileNotStarted:
		unit.decision = lostRerun
	case pluginsdk.ReconcileRunning:
		unit.reconcileAt = e.Time.Add(reconcileInterval)
	case pluginsdk.ReconcileDone:
		// The completion behind this event ends the unit.
	case pluginsdk.ReconcileUnknown:
		unit.decision = lostUnknown
	}
}

// finishUnit writes down how a unit ended.
func (s *State) finishUnit(r Ref, e Event) {
	unit := s.Unit(r)
	s.leaveRunning(r)
	closeAttempt(unit, Status(e.Status), e.Error, e)
	unit.CompletedAt = e.Time
	unit.Error, unit.SkipReason, unit.KeptFrom = e.Error, e.SkipReason, e.KeptFrom
	unit.Output, unit.PublicOutput = e.Output, e.Output
	if e.FullOutput != nil {
		unit.Output = e.FullOutput
	}
	unit.UndoToken, unit.skipByChoice = e.Private.UndoToken, e.Private.ByChoice
	if kept := s.keep[r.Step]; kept != nil && e.KeptFrom != "" && !r.IsItem() {
		unit.declared = kept.Declared
	}
	s.setStatus(r, Status(e.Status))
	if Status(e.Status) == StatusSuccess && (r.IsItem() || !s.Steps[r.Step].expanded) {
		s.finished = append(s.finished, r)
	}
}

func (s *State) applyItemCompleted(r Ref, e Event) { s.finishUnit(r, e) }

func (s *State) applyCompleted(i int, e Event) {
	s.ready, s.expanded = remove(s.ready, i), remove(s.expanded, i)
	s.adoptItems(i, e)
	s.finishUnit(StepRef(i), e)
	step, status := &s.Steps[i], Status(e.Status)
	for k := range step.Items {
		// Items that never started ended with their step.
		if unit := &step.Items[k]; !unit.Status.Ended() {
			unit.Status, unit.CompletedAt = StatusCancelled, e.Time
		}
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

// adoptItems gives a kept step its items back.
func (s *State) adoptItems(i int, e Event) {
	step, kept := &s.Steps[i], s.keep[i]
	if kept == nil || step.expanded || e.KeptFrom == "" || len(kept.Values) == 0 {
		return
	}
	step.expanded, step.Values = true, kept.Values
	step.Items = make([]Unit, len(kept.Values))
	step.itemCounts = map[Status]int{}
	for k := range step.Items {
		step.Items[k].Status = StatusPending
	}
	for _, item := range kept.Items {
		if item.Index < len(step.Items) {
			s.keepItem(Ref{i, item.Index}, item, e)
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

// leaveRunning takes a unit out of every list of open ones.
func (s *State) leaveRunning(r Ref) {
	delete(s.running, r)
	s.lost = removeRef(s.lost, r)
}
