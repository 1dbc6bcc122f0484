package store

import (
	"context"
	"errors"
	"testing"

	bolt "go.etcd.io/bbolt"
)

func TestTriggersOutliveAStopAndAFileFromBeforeThem(t *testing.T) {
	ctx := context.Background()
	s := open(t, Options{})
	need(t, s.PutTriggerRecord(ctx, "w.tick", []byte(`{"number":7}`)))
	s = reopen(t, s, Options{})
	kept, err := s.TriggerRecords(ctx)
	need(t, err)
	if string(kept["w.tick"]) != `{"number":7}` {
		t.Errorf("kept is %q", kept)
	}
	// As a file that was made before there were triggers, and what is kept of
	// plugins.
	need(t, s.db.Update(func(tx *bolt.Tx) error {
		return errors.Join(tx.DeleteBucket([]byte(bucketTriggers)), tx.DeleteBucket([]byte(bucketPlugins)))
	}))
	need(t, s.Close())
	s = open(t, Options{Dir: s.options.Dir})
	if kept, err = s.TriggerRecords(ctx); err != nil || len(kept) != 0 {
		t.Errorf("kept is %q, %v", kept, err)
	}
	need(t, s.PutTriggerRecord(ctx, "w.tick", []byte(`{"number":1}`)))
	need(t, s.PutPluginRecord(ctx, "git", []byte(`{"number":1}`)))
}
