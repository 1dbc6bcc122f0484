package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

// bytesPerView bounds what one read transaction copies.
const bytesPerView = 1 << 20

// readRaw copies an execution out of the file.
func (s *Store) readRaw(ctx context.Context, id string) (raw rawExecution, err error) {
	err = s.viewOf(ctx, id, func(tx *bolt.Tx) error {
		raw, err = readExecution(tx, id)
		return err
	})
	return raw, err
}

// Execution implements data.Executions.
func (s *Store) Execution(ctx context.Context, id string) (engine.Execution, error) {
	raw, err := s.readRaw(ctx, id)
	if err != nil {
		return engine.Execution{}, err
	}
	return s.shown(&raw)
}

// shown is an execution as results show it.
func (s *Store) shown(raw *rawExecution) (engine.Execution, error) {
	execution, _, err := raw.parse()
	if !execution.Status.Ended() && !execution.StartedAt.IsZero() {
		execution.TotalTime = max(0, s.now().Sub(execution.StartedAt).Seconds())
	}
	return execution, err
}

// StepResults implements data.Executions.
func (s *Store) StepResults(ctx context.Context, id string) ([]engine.StepResult, error) {
	rows, err := s.copyRowsOf(ctx, id, bucketSteps)
	if err != nil {
		return nil, err
	}
	return stepResults(rows)
}

// stepResults reads steps, each with its items behind it.
func stepResults(rows []row) ([]engine.StepResult, error) {
	results := make([]engine.StepResult, 0, len(rows))
	for _, row := range rows {
		raw, err := record.Open(row.key, row.value)
		var into any
		switch {
		case err != nil:
		case !isItemKey(row.key):
			results = append(results, engine.StepResult{})
			into = &results[len(results)-1]
		case len(results) == 0:
			err = fmt.Errorf("%w: an item without its step", record.ErrDamaged)
		default:
			step := &results[len(results)-1]
			step.Items = append(step.Items, engine.ItemResult{})
			into = &step.Items[len(step.Items)-1]
		}
		if err == nil {
			err = json.Unmarshal(raw, into)
		}
		if err != nil {
			return nil, fmt.Errorf("read step %q: %w", row.key, err)
		}
	}
	return results, nil
}

// row is a record copied out of the file.
type row struct{ key, value []byte }

// copyRowsOf copies all records of an execution in one bucket. It is an
// engine.ErrNotFound for one that is not there.
func (s *Store) copyRowsOf(ctx context.Context, id string, from bucket) (rows []row, err error) {
	next := prefix(id)
	for more := true; more; {
		var some []row
		err := s.viewOf(ctx, id, func(tx *bolt.Tx) error {
			some, more = copySome(tx, from, next, prefix(id))
			return nil
		})
		if err != nil {
			return nil, err
		}
		rows = append(rows, some...)
		if more {
			next = append(bytes.Clone(some[len(some)-1].key), 0)
		}
	}
	return rows, nil
}

// copySome copies records whose key has a prefix, from one key on, as many as
// one transaction should. more says that others follow.
func copySome(tx *bolt.Tx, from bucket, next, start []byte) (rows []row, more bool) {
	size := 0
	cursor := tx.Bucket([]byte(from)).Cursor()
	for key, value := cursor.Seek(next); key != nil && bytes.HasPrefix(key, start); key, value = cursor.Next() {
		if len(rows) == rowsPerView || size > bytesPerView {
			return rows, true
		}
		rows = append(rows, row{bytes.Clone(key), bytes.Clone(value)})
		size += len(value)
	}
	return rows, false
}

// known is an engine.ErrNotFound for an execution that is not there.
func (s *Store) known(ctx context.Context, id string) error {
	return s.viewOf(ctx, id, func(*bolt.Tx) error { return nil })
}

// copyEvents copies events from one number on, as many as one transaction
// should. more says that others follow.
func (s *Store) copyEvents(ctx context.Context, id string, seq uint64, sub uint32) (rows []row, more bool, err error) {
	err = s.viewOf(ctx, id, func(tx *bolt.Tx) error {
		rows, more = copySome(tx, bucketEvents, eventKey(id, seq, sub), prefix(id))
		return nil
	})
	return rows, more, err
}

// decode reads a copied event.
func (r row) decode() (plan.Event, error) {
	seq, sub, ok := eventNumber(r.key)
	if !ok {
		return plan.Event{}, fmt.Errorf("%w: an event's key", record.ErrDamaged)
	}
	raw, err := record.Open(r.key, r.value)
	if err != nil {
		return plan.Event{}, fmt.Errorf("event %d.%d: %w", seq, sub, err)
	}
	event, err := record.DecodeEvent(raw, sub)
	if err == nil && event.Seq != seq {
		err = fmt.Errorf("%w: event %d kept as %d", record.ErrDamaged, event.Seq, seq)
	}
	return event, err
}

// Load implements engine.Journal.
func (s *Store) Load(ctx context.Context, id string) (engine.Stored, error) {
	raw, err := s.readRaw(ctx, id)
	if err != nil {
		return engine.Stored{}, err
	}
	execution, from, err := raw.parse()
	if err != nil {
		return engine.Stored{}, err
	}
	stored := engine.Stored{Execution: execution, WorkspaceDir: from.WorkspaceDir}
	if err := s.view(ctx, func(tx *bolt.Tx) error {
		stored.Document, err = readDocument(tx, from.Document)
		return err
	}); err != nil {
		return engine.Stored{}, err
	}
	seq, sub := uint64(0), uint32(0)
	for more := true; more; {
		var rows []row
		if rows, more, err = s.copyEvents(ctx, id, seq, sub); err != nil {
			return engine.Stored{}, err
		}
		for _, r := range rows {
			event, err := r.decode()
			if err != nil {
				return engine.Stored{}, err
			}
			stored.Events = append(stored.Events, event)
			seq, sub = event.Seq, event.Sub+1
		}
	}
	return stored, nil
}

// ExecutionDocument returns the definition that an execution is pinned to, as
// JSON; an engine.ErrNotFound where there is no such execution.
func (s *Store) ExecutionDocument(ctx context.Context, id string) (document json.RawMessage, err error) {
	raw, err := s.readRaw(ctx, id)
	if err != nil {
		return nil, err
	}
	_, from, err := raw.parse()
	if err != nil {
		return nil, err
	}
	err = s.view(ctx, func(tx *bolt.Tx) error {
		document, err = readDocument(tx, from.Document)
		return err
	})
	return document, err
}

// Unfinished implements engine.Journal.
func (s *Store) Unfinished(ctx context.Context) ([]string, error) {
	var ids []string
	err := s.pages(ctx, bucketLive, nil, func(key, _ []byte) error {
		place, ok := placeOf(key)
		if !ok {
			return fmt.Errorf("%w: list of live executions", record.ErrDamaged)
		}
		ids = append(ids, place.ID)
		return nil
	})
	return ids, err
}

// LiveExecutions implements data.Executions.
func (s *Store) LiveExecutions(ctx context.Context, workflowID string) (ids []string, err error) {
	err = s.view(ctx, func(tx *bolt.Tx) error {
		ids = liveOf(tx, workflowID, data.MaxLimit)
		return nil
	})
	return ids, err
}

// Events implements data.Executions. Numbers that the journal lacks are log
// lines, so that a stretch without any costs no look at the files.
func (s *Store) Events(ctx context.Context, id string, afterSeq uint64, limit int) ([]plan.Event, error) {
	if err := s.known(ctx, id); err != nil {
		return nil, err
	}
	limit = data.PageLimit(limit)
	events := []plan.Event{}
	for len(events) < limit {
		window, next, err := s.window(ctx, id, afterSeq, uint64(limit-len(events))) //nolint:gosec // Not negative.
		if err != nil {
			return nil, err
		}
		events = append(events, window...)
		if next == 0 {
			break
		}
		afterSeq = next
	}
	return events, nil
}

// window reads the public events of the span numbers behind after. next is
// where the following window begins, 0 where nothing follows.
func (s *Store) window(ctx context.Context, id string, after, span uint64) (events []plan.Event, next uint64, err error) {
	upTo := after + span
	if upTo < after {
		return nil, 0, nil
	}
	kept, following, err := s.publicEvents(ctx, id, after, upTo)
	if err != nil {
		return nil, 0, err
	}
	if uint64(len(kept)) == span {
		return kept, upTo, nil
	}
	lines, _, err := s.logs.Window(id, "", after, upTo)
	if err != nil {
		return nil, 0, err
	}
	events = make([]plan.Event, 0, len(kept)+len(lines))
	for _, line := range lines {
		for len(kept) > 0 && kept[0].Seq < line.Seq {
			events, kept = append(events, kept[0]), kept[1:]
		}
		event, err := record.DecodeLine(line.Raw)
		if err != nil {
			return nil, 0, err
		}
		events = append(events, event.Public())
	}
	events = append(events, kept...)
	_, logged, err := s.logs.Window(id, "", upTo, upTo)
	if err != nil {
		return nil, 0, err
	}
	// The next number there is, in the journal or in a log.
	switch {
	case following == 0 && logged == 0:
		return events, 0, nil
	case following == 0 || logged != 0 && logged < following:
		following = logged
	}
	return events, following - 1, nil
}

// publicEvents reads the journal's public events above after and up to upTo,
// and the number of the one that follows them, 0 where none does.
func (s *Store) publicEvents(ctx context.Context, id string, after, upTo uint64) (events []plan.Event, following uint64, err error) {
	from := after + 1
	for more := true; more; {
		var rows []row
		if rows, more, err = s.copyEvents(ctx, id, from, 0); err != nil {
			return nil, 0, err
		}
		for _, r := range rows {
			seq, sub, ok := eventNumber(r.key)
			if !ok || sub > 0 {
				continue
			}
			if seq > upTo {
				return events, seq, nil
			}
			event, err := r.decode()
			if err != nil {
				return nil, 0, err
			}
			events = append(events, event.Public())
		}
		if len(rows) > 0 {
			last, _, _ := eventNumber(rows[len(rows)-1].key)
			from = last + 1
		}
	}
	return events, 0, nil
}
