package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

// Description implements data.Descriptions.
func (s *Store) Description(_ context.Context, sha256 string) ([]byte, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	description, found := s.descriptions[sha256]
	return slices.Clone(description), found, nil
}

// PutDescription implements data.Descriptions.
func (s *Store) PutDescription(_ context.Context, sha256 string, description []byte) error {
	if err := data.CheckKey("plugin checksum", sha256); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(func() { s.descriptions[sha256] = slices.Clone(description) })
}

// FileChecksum implements data.Descriptions.
func (s *Store) FileChecksum(_ context.Context, key string) (string, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sum, found := s.checksums[key]
	return sum, found, nil
}

// PutFileChecksum implements data.Descriptions.
func (s *Store) PutFileChecksum(_ context.Context, key, sha256 string) error {
	if err := data.CheckKey("file key", key); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(func() { s.checksums[key] = sha256 })
}

// PutSession implements data.Sessions.
func (s *Store) PutSession(_ context.Context, hash string, session data.Session) error {
	if err := data.CheckKey("session hash", hash); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(func() {
		now := s.now()
		maps.DeleteFunc(s.sessions, func(_ string, old data.Session) bool { return !old.Expires.After(now) })
		s.sessions[hash] = session
	})
}

// Session implements data.Sessions.
func (s *Store) Session(_ context.Context, hash string) (data.Session, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	session, found := s.sessions[hash]
	if !found || !session.Expires.After(s.now()) {
		return data.Session{}, notFound("session", "")
	}
	return session, nil
}

// DeleteSession implements data.Sessions.
func (s *Store) DeleteSession(_ context.Context, hash string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(func() { delete(s.sessions, hash) })
}

// Stats implements data.System.
func (s *Store) Stats(context.Context) (data.Stats, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	stats := data.Stats{
		Workflows: len(s.workflows), Executions: len(s.executions),
		Commits: uint64(s.commits), Commands: uint64(s.commits), LastCommit: s.lastCommit, //nolint:gosec // Never negative.
	}
	for _, e := range s.executions {
		if !e.header.Status.Ended() {
			stats.Live++
		}
	}
	return stats, nil
}

// Check implements data.System.
func (s *Store) Check(context.Context) (data.Report, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	report := data.Report{Workflows: len(s.workflows), Executions: len(s.executions)}
	s.checkAudit(&report)
	if len(s.order) != len(s.executions) {
		report.Problem(fmt.Sprintf("%d executions in the list, %d kept", len(s.order), len(s.executions)))
	}
	counts := map[string]int{}
	for _, position := range s.order {
		e := s.executions[position.ID]
		if e == nil {
			report.Problem(fmt.Sprintf("execution %s is listed and not kept", position.ID))
			continue
		}
		counts[e.header.WorkflowID]++
		e.check(&report)
	}
	for id, w := range s.workflows {
		if w.metadata.ExecutionCount-w.deleted != counts[id] {
			report.Problem(fmt.Sprintf("workflow %s counts %d executions less %d, not %d", id, w.metadata.ExecutionCount, w.deleted, counts[id]))
		}
	}
	for key, kept := range s.keys {
		if s.executions[kept.execution] == nil {
			report.Problem(fmt.Sprintf("an idempotency key of workflow %s names execution %s, which is gone", key.workflow, kept.execution))
		}
	}
	return report, nil
}

// check looks for events that can't be read, numbers that are missing, and a
// status that does not fit.
func (e *execution) check(report *data.Report) {
	numbers := make([]uint64, 0, len(e.events)+len(e.lines))
	var last plan.EventType
	for _, kept := range e.events {
		event, err := record.DecodeEvent(kept.encoded, kept.sub)
		if err != nil {
			report.Problem(fmt.Sprintf("execution %s, event %d.%d: %v", e.header.ID, kept.seq, kept.sub, err))
			continue
		}
		report.Events++
		if kept.sub == 0 {
			numbers, last = append(numbers, kept.seq), event.Type
		}
	}
	for _, line := range e.lines {
		report.LogLines++
		numbers = append(numbers, line.seq)
	}
	slices.Sort(numbers)
	for i, seq := range numbers {
		if seq != uint64(i)+1 { //nolint:gosec // Never negative.
			report.Problem(fmt.Sprintf("execution %s: event %d is missing or double", e.header.ID, i+1))
			break
		}
	}
	if e.header.Status.Ended() != (last == plan.WorkflowCompleted) {
		report.Problem(fmt.Sprintf("execution %s is %s, and its last event is %s", e.header.ID, e.header.Status, last))
	}
}
