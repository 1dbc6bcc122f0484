package store

import (
	"bytes"
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

// TriggerRecords implements data.Triggers.
func (s *Store) TriggerRecords(ctx context.Context) (map[string][]byte, error) {
	all := map[string][]byte{}
	err := s.pages(ctx, bucketTriggers, nil, func(key, sealed []byte) error {
		raw, err := record.Open(key, sealed)
		if err != nil {
			return fmt.Errorf("trigger %s: %w", key, err)
		}
		all[string(key)] = bytes.Clone(raw)
		return nil
	})
	return all, err
}

// PutTriggerRecord implements data.Triggers.
func (s *Store) PutTriggerRecord(ctx context.Context, id string, kept []byte) error {
	if len(kept) > data.MaxTriggerRecord {
		return fmt.Errorf("%w record of trigger %s: it has %d bytes, more than %d", data.ErrInvalid, id, len(kept), data.MaxTriggerRecord)
	}
	return s.keep(ctx, bucketTriggers, "trigger id", id, bytes.Clone(kept))
}

// DeleteTriggerRecord implements data.Triggers.
func (s *Store) DeleteTriggerRecord(ctx context.Context, id string) error {
	if err := data.CheckKey("trigger id", id); err != nil {
		return err
	}
	return s.submit(ctx, &command{
		size: 128, patient: true,
		check: func(tx *bolt.Tx) error {
			if tx.Bucket([]byte(bucketTriggers)).Get([]byte(id)) == nil {
				return errNothing
			}
			return nil
		},
		apply: func(tx *bolt.Tx) error { return remove(tx, bucketTriggers, []byte(id)) },
	})
}
