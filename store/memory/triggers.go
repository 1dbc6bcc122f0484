package memory

import (
	"context"
	"fmt"
	"slices"

	"github.com/vwmp/vwmp/store/data"
)

// TriggerRecords implements data.Triggers.
func (s *Store) TriggerRecords(context.Context) (map[string][]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make(map[string][]byte, len(s.triggers))
	for id, kept := range s.triggers {
		all[id] = slices.Clone(kept)
	}
	return all, nil
}

// PutTriggerRecord implements data.Triggers.
func (s *Store) PutTriggerRecord(_ context.Context, id string, kept []byte) error {
	if err := data.CheckKey("trigger id", id); err != nil {
		return err
	}
	if len(kept) > data.MaxTriggerRecord {
		return fmt.Errorf("%w record of trigger %s: it has %d bytes, more than %d", data.ErrInvalid, id, len(kept), data.MaxTriggerRecord)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(func() { s.triggers[id] = slices.Clone(kept) })
}

// DeleteTriggerRecord implements data.Triggers.
func (s *Store) DeleteTriggerRecord(_ context.Context, id string) error {
	if err := data.CheckKey("trigger id", id); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, found := s.triggers[id]; !found {
		return nil
	}
	return s.commit(func() { delete(s.triggers, id) })
}
