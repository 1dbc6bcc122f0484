package record

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
)

// Tail is where an execution's journal ends.
type Tail struct {
	Seq   uint64
	Sub   uint32
	Ended bool
}

// Follow returns the tail after events, or a data.ErrFenced where they do not
// follow. Log lines take numbers too, so the first public event may leave a
// gap behind the tail; within one append there is none.
func (t Tail) Follow(executionID string, bootEpoch uint64, events []plan.Event) (Tail, error) {
	if t.Ended && len(events) == 0 {
		return t, fmt.Errorf("%w: the execution has ended", data.ErrFenced)
	}
	for i := range events {
		event := &events[i]
		switch {
		case event.ExecutionID != executionID:
			return t, fmt.Errorf("%w: an event of execution %q", data.ErrFenced, event.ExecutionID)
		case t.Ended && event.Type != plan.UndoneElsewhere:
			return t, fmt.Errorf("%w: %s after the end", data.ErrFenced, event.Type)
		case event.Type.Internal() != (event.Sub > 0):
			return t, fmt.Errorf("%w: %s is numbered %d.%d", data.ErrFenced, event.Type, event.Seq, event.Sub)
		case !t.precedes(event, i == 0):
			return t, fmt.Errorf("%w: %s %d.%d after %d.%d", data.ErrFenced, event.Type, event.Seq, event.Sub, t.Seq, t.Sub)
		case foreign(event, bootEpoch):
			return t, fmt.Errorf("%w: %s belongs to boot epoch %d, not %d", data.ErrFenced, event.Type, event.Private.BootEpoch, bootEpoch)
		}
		t.Seq, t.Sub = event.Seq, event.Sub
		t.Ended = t.Ended || event.Type == plan.WorkflowCompleted
	}
	return t, nil
}

func (t Tail) precedes(event *plan.Event, first bool) bool {
	switch {
	case event.Sub == 0:
		return event.Seq == t.Seq+1 || first && event.Seq > t.Seq
	case event.Seq == t.Seq:
		return event.Sub == t.Sub+1
	}
	return first && event.Seq > t.Seq && event.Sub == 1
}

// foreign: a host of an earlier start still believes that it owns the store.
func foreign(event *plan.Event, bootEpoch uint64) bool {
	return event.Private != nil && event.Private.BootEpoch != 0 && event.Private.BootEpoch != bootEpoch
}

// maxTrigger bounds the name of a trigger in bytes.
const maxTrigger = 64

// CheckCreation refuses a creation that no store keeps.
func CheckCreation(creation *engine.Creation) error {
	header := &creation.Execution
	if err := data.CheckID("execution", header.ID); err != nil {
		return err
	}
	if header.WorkflowID != "" {
		if err := data.CheckID("workflow", header.WorkflowID); err != nil {
			return err
		}
	}
	switch {
	case header.CreatedAt.IsZero():
		return fmt.Errorf("%w creation: it has no time", data.ErrInvalid)
	case len(header.Trigger) > maxTrigger:
		return fmt.Errorf("%w trigger: it is longer than %d bytes", data.ErrInvalid, maxTrigger)
	case len(creation.Events) == 0:
		return fmt.Errorf("%w creation: it has no event", data.ErrInvalid)
	case len(creation.IdempotencyKey) > data.MaxKey:
		return fmt.Errorf("%w idempotency key: it is longer than %d bytes", data.ErrInvalid, data.MaxKey)
	case len(creation.Document) > data.MaxText:
		return fmt.Errorf("%w creation: its document is longer than %d bytes", data.ErrInvalid, data.MaxText)
	case len(header.Parameters) > 0 && !json.Valid(header.Parameters):
		return fmt.Errorf("%w creation: its parameters are not JSON", data.ErrInvalid)
	}
	return checkStatus(header)
}

// CheckCommit refuses a commit that no store keeps.
func CheckCommit(commit *engine.Commit) error {
	for i := range commit.Steps {
		if err := data.CheckID("step", commit.Steps[i].StepID); err != nil {
			return err
		}
	}
	for i := range commit.Items {
		if err := data.CheckID("step", commit.Items[i].StepID); err != nil {
			return err
		}
	}
	return checkStatus(&commit.Execution)
}

// checkStatus: indexes are by status, so that one that no list knows would
// hide the execution.
func checkStatus(header *engine.Execution) error {
	if !slices.Contains(data.Statuses(), header.Status) {
		return fmt.Errorf("%w status %q of an execution", data.ErrInvalid, header.Status)
	}
	return nil
}

// CheckEnd refuses a header that has ended without the event that ends it, or
// the other way round.
func (t Tail) CheckEnd(header *engine.Execution) error {
	if header.Status.Ended() != t.Ended {
		return fmt.Errorf("%w: status %s does not fit the last event", data.ErrFenced, header.Status)
	}
	return nil
}
