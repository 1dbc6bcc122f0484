package store

import (
	"bytes"
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

// notes is a bucket of records that only their writer reads.
type notes struct {
	bucket bucket
	// what names one of them, key what it is kept under.
	what, key string
	// most bounds one, in bytes.
	most int
}

var (
	triggerNotes = notes{bucketTriggers, "trigger", "trigger id", data.MaxTriggerRecord}
	pluginNotes  = notes{bucketPlugins, "plugin", "plugin name", data.MaxPluginRecord}
)

func (s *Store) notes(ctx context.Context, n notes) (map[string][]byte, error) {
	all := map[string][]byte{}
	err := s.pages(ctx, n.bucket, nil, func(key, sealed []byte) error {
		raw, err := record.Open(key, sealed)
		if err != nil {
			return fmt.Errorf("%s %s: %w", n.what, key, err)
		}
		all[string(key)] = bytes.Clone(raw)
		return nil
	})
	return all, err
}

func (s *Store) putNote(ctx context.Context, n notes, key string, kept []byte) error {
	if len(kept) > n.most {
		return fmt.Errorf("%w record of %s %s: it has %d bytes, more than %d", data.ErrInvalid, n.what, key, len(kept), n.most)
	}
	return s.keep(ctx, n.bucket, n.key, key, bytes.Clone(kept))
}

func (s *Store) deleteNote(ctx context.Context, n notes, key string) error {
	if err := data.CheckKey(n.key, key); err != nil {
		return err
	}
	return s.submit(ctx, &command{
		size: 128, patient: true,
		check: func(tx *bolt.Tx) error {
			if tx.Bucket([]byte(n.bucket)).Get([]byte(key)) == nil {
				return errNothing
			}
			return nil
		},
		apply: func(tx *bolt.Tx) error { return remove(tx, n.bucket, []byte(key)) },
	})
}

// TriggerRecords implements data.Triggers.
func (s *Store) TriggerRecords(ctx context.Context) (map[string][]byte, error) {
	return s.notes(ctx, triggerNotes)
}

// PutTriggerRecord implements data.Triggers.
func (s *Store) PutTriggerRecord(ctx context.Context, id string, kept []byte) error {
	return s.putNote(ctx, triggerNotes, id, kept)
}

// DeleteTriggerRecord implements data.Triggers.
func (s *Store) DeleteTriggerRecord(ctx context.Context, id string) error {
	return s.deleteNote(ctx, triggerNotes, id)
}

// PluginRecords implements data.Plugins.
func (s *Store) PluginRecords(ctx context.Context) (map[string][]byte, error) {
	return s.notes(ctx, pluginNotes)
}

// PutPluginRecord implements data.Plugins.
func (s *Store) PutPluginRecord(ctx context.Context, name string, kept []byte) error {
	return s.putNote(ctx, pluginNotes, name, kept)
}

// DeletePluginRecord implements data.Plugins.
func (s *Store) DeletePluginRecord(ctx context.Context, name string) error {
	return s.deleteNote(ctx, pluginNotes, name)
}
