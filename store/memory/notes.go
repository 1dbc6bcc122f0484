package memory

import (
	"context"
	"fmt"
	"slices"

	"github.com/vwmp/vwmp/store/data"
)

// notes are the copies of records that only their writer reads.
func (s *Store) notes(kept map[string][]byte) map[string][]byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make(map[string][]byte, len(kept))
	for id, note := range kept {
		all[id] = slices.Clone(note)
	}
	return all
}

func (s *Store) putNote(kept map[string][]byte, what, id string, note []byte, most int) error {
	if err := data.CheckKey(what, id); err != nil {
		return err
	}
	if len(note) > most {
		return fmt.Errorf("%w record of %s %s: it has %d bytes, more than %d", data.ErrInvalid, what, id, len(note), most)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(func() { kept[id] = slices.Clone(note) })
}

func (s *Store) deleteNote(kept map[string][]byte, what, id string) error {
	if err := data.CheckKey(what, id); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, found := kept[id]; !found {
		return nil
	}
	return s.commit(func() { delete(kept, id) })
}

// TriggerRecords implements data.Triggers.
func (s *Store) TriggerRecords(context.Context) (map[string][]byte, error) {
	return s.notes(s.triggers), nil
}

// PutTriggerRecord implements data.Triggers.
func (s *Store) PutTriggerRecord(_ context.Context, id string, kept []byte) error {
	return s.putNote(s.triggers, "trigger id", id, kept, data.MaxTriggerRecord)
}

// DeleteTriggerRecord implements data.Triggers.
func (s *Store) DeleteTriggerRecord(_ context.Context, id string) error {
	return s.deleteNote(s.triggers, "trigger id", id)
}

// PluginRecords implements data.Plugins.
func (s *Store) PluginRecords(context.Context) (map[string][]byte, error) {
	return s.notes(s.plugins), nil
}

// PutPluginRecord implements data.Plugins.
func (s *Store) PutPluginRecord(_ context.Context, name string, kept []byte) error {
	return s.putNote(s.plugins, "plugin name", name, kept, data.MaxPluginRecord)
}

// DeletePluginRecord implements data.Plugins.
func (s *Store) DeletePluginRecord(_ context.Context, name string) error {
	return s.deleteNote(s.plugins, "plugin name", name)
}
