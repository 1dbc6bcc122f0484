package store

import (
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// TestPagesOfAGrowingExecutionAreFull adds the events of an execution one by
// one, as a run does: pages that were split in the middle would stay half
// empty, and what is mapped of the file is the process's memory.
func TestPagesOfAGrowingExecutionAreFull(t *testing.T) {
	t.Parallel()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "fill.db"), 0o600, &bolt.Options{NoSync: true})
	need(t, err)
	defer func() { need(t, db.Close()) }()
	need(t, db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket([]byte(bucketEvents))
		return err
	}))
	value := make([]byte, 300)
	for seq := range uint64(1000) {
		need(t, db.Update(func(tx *bolt.Tx) error { return putRaw(tx, bucketEvents, eventKey("e", seq, 0), value) }))
	}
	need(t, db.View(func(tx *bolt.Tx) error {
		stats := tx.Bucket([]byte(bucketEvents)).Stats()
		if full := float64(stats.LeafInuse) / float64(stats.LeafAlloc); full < 0.75 {
			t.Errorf("the pages are filled to %.2f on average", full)
		}
		return nil
	}))
}
