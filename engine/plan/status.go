package plan

import "slices"

// setStatus gives a unit its status, and keeps the lists and the step of an
// item in step with it.
func (s *State) setStatus(r Ref, status Status) {
	unit := s.Unit(r)
	before := unit.Status
	unit.Status = status
	switch before {
	case StatusRetrying:
		s.retrying = removeRef(s.retrying, r)
	case StatusInterrupted:
		s.interrupted = removeRef(s.interrupted, r)
	case StatusWaiting:
		s.waiting = removeRef(s.waiting, r)
	}
	switch status {
	case StatusRetrying:
		s.retrying = insertRef(s.retrying, r)
	case StatusInterrupted:
		s.interrupted = insertRef(s.interrupted, r)
	case StatusWaiting:
		s.waiting = insertRef(s.waiting, r)
	}
	if r.IsItem() && before != status {
		s.countItem(r.Step, before, status)
	}
}

// countItem brings a step's sums up to the change of one of its items.
func (s *State) countItem(i int, before, after Status) {
	step := &s.Steps[i]
	step.itemCounts[before]--
	step.itemCounts[after]++
	step.active += holdsPlace(after) - holdsPlace(before)
	if after.Ended() && !before.Ended() {
		step.ended++
	}
	if step.Status.Ended() {
		return
	}
	step.Status = StatusRunning
	if step.itemCounts[StatusRunning] > 0 || s.itemsDue(i) {
		return
	}
	for _, status := range []Status{StatusRetrying, StatusWaiting, StatusInterrupted} {
		if step.itemCounts[status] > 0 {
			step.Status = status
			return
		}
	}
}

// holdsPlace is 1 for an item that counts against max_parallel. One that
// waits for a person's decision about a crash does not hold up the others.
func holdsPlace(status Status) int {
	switch status {
	case StatusRunning, StatusRetrying, StatusWaiting:
		return 1
	}
	return 0
}

// closeAttempt ends the last attempt, unless it has ended before.
func closeAttempt(unit *Unit, status Status, failure *Error, e Event) {
	if len(unit.Attempts) == 0 {
		return
	}
	last := &unit.Attempts[len(unit.Attempts)-1]
	if last.CompletedAt.IsZero() {
		last.Status, last.CompletedAt, last.Error = status, e.Time, failure
		last.Usage = e.Private.Usage
	}
}

// settleStatus tells an execution that waits for people or time alone from
// one that runs.
func (s *State) settleStatus() {
	if s.Status != StatusRunning && s.Status != StatusWaiting {
		return
	}
	reason, waits := s.waitsFor()
	switch {
	case waits && s.cancels == 0:
		s.Status, s.StatusReason = StatusWaiting, reason
	case s.Status == StatusWaiting:
		s.Status, s.StatusReason = StatusRunning, ""
	}
}

// waitsFor says what an execution waits for that does nothing else.
func (s *State) waitsFor() (reason string, waits bool) {
	if len(s.running) > 0 || len(s.undoing) > 0 || len(s.retrying) > 0 || len(s.ready) > 0 {
		return "", false
	}
	if slices.ContainsFunc(s.expanded, s.itemsDue) {
		return "", false
	}
	for _, r := range s.waiting {
		if wait := s.Unit(r).Wait; wait.Reason == WaitChild || wait.delivered != nil {
			return "", false
		}
	}
	switch {
	case len(s.interrupted) > 0:
		return s.labelOf(s.interrupted[0]) + " was interrupted and its outcome is unknown: decide what became of it", true
	case len(s.waiting) > 0:
		return s.labelOf(s.waiting[0]) + " " + s.Unit(s.waiting[0]).Wait.sentence(), true
	}
	return "", false
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
