package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

// Execution implements data.Executions.
func (s *Store) Execution(_ context.Context, id string) (engine.Execution, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.executions[id]
	if e == nil {
		return engine.Execution{}, notFound("execution", id)
	}
	return s.shown(e), nil
}

// shown is a header as results show it.
func (s *Store) shown(e *execution) engine.Execution {
	header := e.header
	if !header.Status.Ended() && !header.StartedAt.IsZero() {
		header.TotalTime = max(0, s.now().Sub(header.StartedAt).Seconds())
	}
	return header
}

// StepResults implements data.Executions.
func (s *Store) StepResults(_ context.Context, id string) ([]engine.StepResult, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.executions[id]
	if e == nil {
		return nil, notFound("execution", id)
	}
	results := make([]engine.StepResult, 0, len(e.steps))
	for _, step := range slices.Sorted(maps.Keys(e.steps)) {
		var result engine.StepResult
		if err := json.Unmarshal(e.steps[step], &result); err != nil {
			return nil, fmt.Errorf("read step %q of execution %s: %w", step, id, err)
		}
		for _, index := range slices.Sorted(maps.Keys(e.items[step])) {
			var item engine.ItemResult
			if err := json.Unmarshal(e.items[step][index], &item); err != nil {
				return nil, fmt.Errorf("read item %d of step %q of execution %s: %w", index, step, id, err)
			}
			result.Items = append(result.Items, item)
		}
		results = append(results, result)
	}
	return results, nil
}

// Executions implements data.Executions.
func (s *Store) Executions(_ context.Context, filter data.ExecutionFilter) ([]engine.Execution, string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	end := len(s.order)
	if filter.Cursor != "" {
		after, err := data.ParseCursor(filter.Cursor)
		if err != nil {
			return nil, "", err
		}
		end, _ = s.place(after)
	}
	limit := data.PageLimit(filter.Limit)
	page := []engine.Execution{}
	for _, position := range slices.Backward(s.order[:end]) {
		e := s.executions[position.ID]
		if !matches(&filter, &e.header) {
			continue
		}
		if len(page) == limit {
			last := page[limit-1]
			return page, data.PositionOf(last.CreatedAt, last.ID).Cursor(), nil
		}
		page = append(page, s.shown(e))
	}
	return page, "", nil
}

func matches(f *data.ExecutionFilter, h *engine.Execution) bool {
	return !f.Hidden[h.WorkflowID] && (f.WorkflowID == "" || h.WorkflowID == f.WorkflowID) &&
		(len(f.Status) == 0 || slices.Contains(f.Status, h.Status)) &&
		(f.Trigger == "" || h.Trigger == f.Trigger) &&
		(f.Since.IsZero() || h.CreatedAt.UnixMicro() >= f.Since.UnixMicro()) &&
		(f.Until.IsZero() || h.CreatedAt.UnixMicro() < f.Until.UnixMicro())
}

// LiveExecutions implements data.Executions.
func (s *Store) LiveExecutions(_ context.Context, workflowID string) ([]string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.live(workflowID), nil
}

func (s *Store) live(workflowID string) []string {
	var ids []string
	for _, position := range s.order {
		if h := &s.executions[position.ID].header; h.WorkflowID == workflowID && !h.Status.Ended() {
			ids = append(ids, position.ID)
		}
	}
	return ids
}

// Events implements data.Executions.
func (s *Store) Events(_ context.Context, id string, afterSeq uint64, limit int) ([]plan.Event, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.executions[id]
	if e == nil {
		return nil, notFound("execution", id)
	}
	limit = data.PageLimit(limit)
	at, _ := slices.BinarySearchFunc(e.events, afterSeq+1, func(kept keptEvent, seq uint64) int {
		return compare(kept.seq, seq)
	})
	line := e.lineAfter(afterSeq)
	events := []plan.Event{}
	for len(events) < limit {
		for at < len(e.events) && e.events[at].sub > 0 {
			at++
		}
		var event plan.Event
		var err error
		switch {
		case line < len(e.lines) && (at == len(e.events) || e.lines[line].seq < e.events[at].seq):
			event, err = record.DecodeLine(e.lines[line].encoded)
			line++
		case at < len(e.events):
			event, err = record.DecodeEvent(e.events[at].encoded, 0)
			at++
		default:
			return events, nil
		}
		if err != nil {
			return nil, err
		}
		events = append(events, event.Public())
	}
	return events, nil
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// DeleteExecution implements data.Executions.
func (s *Store) DeleteExecution(ctx context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	e := s.executions[id]
	if e == nil {
		return notFound("execution", id)
	}
	if !e.header.Status.Ended() {
		return fmt.Errorf("%w: the execution is %s", engine.ErrConflict, e.header.Status)
	}
	return s.commit(func() {
		delete(s.executions, id)
		if at, found := s.place(data.PositionOf(e.header.CreatedAt, id)); found {
			s.order = slices.Delete(s.order, at, at+1)
		}
		if e.key.key != "" {
			delete(s.keys, e.key)
		}
		if w := s.workflows[e.header.WorkflowID]; w != nil {
			w.deleted++
		}
	})
}
