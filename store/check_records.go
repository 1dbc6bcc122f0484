package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/logfile"
	"github.com/vwmp/vwmp/store/internal/record"
)

// checkIndexes looks for entries without a header that is as they say.
func (c *checker) checkIndexes() error {
	for _, in := range []bucket{bucketByTime, bucketByStatus, bucketByWorkflow, bucketEnded, bucketLive} {
		if in == bucketLive && c.tx != c.hot {
			continue
		}
		err := c.each(in, func(key, _ []byte) error {
			place, ok := placeIn(in, key)
			h, err := readHeader(c.tx, place.ID)
			if !ok || err != nil || !bytes.Equal(key, h.keyIn(in)) {
				c.problem("bucket %s lists execution %q, which is not so", in, place.ID)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// placeIn reads the place at the end of an index's key.
func placeIn(in bucket, key []byte) (data.Position, bool) {
	parts := map[bucket]int{bucketByStatus: 1, bucketByWorkflow: 2}[in]
	for range parts {
		_, rest, found := bytes.Cut(key, []byte{0})
		if !found {
			return data.Position{}, false
		}
		key = rest
	}
	return placeOf(key)
}

// keyIn is the key that an index must have for a header.
func (h *header) keyIn(in bucket) []byte {
	switch in {
	case bucketByStatus:
		return statusKey(h.status, h.place)
	case bucketByWorkflow:
		return workflowKey(h.workflow, h.status, h.place)
	case bucketEnded:
		key, err := h.endedKey()
		if err != nil {
			return nil // No key is like it.
		}
		return key
	}
	return placeKey(h.place)
}

func (c *checker) checkKeys() error {
	return c.each(bucketKeys, func(key, _ []byte) error {
		kept, _, err := readKey(c.tx, key)
		if err != nil {
			c.problem("%v", err)
			return nil
		}
		if _, err := c.store.readAnywhere(c.tx, kept.Execution); err != nil {
			c.problem("an idempotency key names execution %s, which is gone", kept.Execution)
		}
		return nil
	})
}

// checkRest looks at what has nothing but its checksum, and at what belongs
// to no execution.
func (c *checker) checkRest() error {
	sealed := []bucket{bucketSteps}
	if c.tx == c.hot {
		sealed = append(sealed, bucketDescriptions, bucketFileKeys, bucketSessions, bucketSecrets, bucketTriggers, bucketPlugins, bucketUsers, bucketTokens, bucketRights)
	}
	for _, from := range sealed {
		if err := c.each(from, func(key, sealed []byte) error {
			if _, err := record.Open(key, sealed); err != nil {
				c.problem("bucket %s: %v", from, err)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	for _, from := range []bucket{bucketEvents, bucketSteps} {
		var before []byte
		if err := c.each(from, func(key, value []byte) error {
			id, _, _ := bytes.Cut(key, []byte{0})
			if from == bucketSteps {
				c.checkBlobs(string(id), value)
			}
			if bytes.Equal(id, before) {
				return nil
			}
			before = bytes.Clone(id)
			if !c.owned(string(id)) {
				c.problem("bucket %s has records of execution %q, which is gone", from, id)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return c.each(bucketBlobs, func(key, _ []byte) error {
		if len(key) <= len(blobSum{}) || !c.owned(string(key[len(blobSum{}):])) {
			c.problem("bucket %s says that execution %q names an output, and it is gone", bucketBlobs, key[min(len(key), len(blobSum{})):])
		}
		return nil
	})
}

// owned reports whether records in a file belong to an execution: to one that
// is there, on its way, or of which only they are left.
func (c *checker) owned(id string) bool {
	return has(c.tx, id) || has(c.hot, id) || c.hot.Bucket([]byte(bucketTrash)).Get([]byte(id)) != nil
}

// outputMark is how a record says that an output is kept apart.
var outputMark = []byte(`"output":{"$blob":{"sha256":"`)

// checkBlobs looks whether the outputs that a record names are known to be
// named, and there.
func (c *checker) checkBlobs(id string, value []byte) {
	sums := namedBlobs(value)
	if len(sums) == 0 || !has(c.tx, id) {
		return
	}
	for _, sum := range sums {
		if c.tx.Bucket([]byte(bucketBlobs)).Get(sum.key(id)) == nil {
			c.problem("execution %s names output %s, and bucket %s does not say so", id, sum.name(), bucketBlobs)
		}
		if !bytes.Contains(value, append(bytes.Clone(outputMark), sum.name()...)) {
			continue
		}
		if _, err := c.store.folder.Root().Stat(sum.path()); err != nil {
			c.problem("output %s of execution %s is gone", sum.name(), id)
		}
	}
}

// checkFolders looks for outputs and logs that belong to nothing. They do no
// harm and take up room.
func (c *checker) checkFolders() error {
	old := c.store.now().Add(-strayRest)
	if err := c.store.eachBlob(c.ctx, func(sum blobSum, info fs.FileInfo) error {
		c.report.Blobs++
		named := false
		err := c.store.viewWith(c.hot, func(all []*bolt.Tx) error {
			named = slices.ContainsFunc(all, func(tx *bolt.Tx) bool { return referred(tx, sum) })
			return nil
		})
		if err == nil && !named && info.ModTime().Before(old) {
			c.report.Warn("nothing names output " + sum.name() + "; it goes within a day")
		}
		return err
	}); err != nil {
		return err
	}
	entries, err := fs.ReadDir(c.store.folder.Root().FS(), logfile.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list the logs: %w", err)
	}
	for _, entry := range entries {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		id := entry.Name()
		info, err := entry.Info()
		if err != nil || !info.ModTime().Before(old) || c.owned(id) {
			continue
		}
		if err := c.store.known(c.ctx, id); errors.Is(err, engine.ErrNotFound) {
			c.report.Warn("there are logs of execution " + id + ", which is gone")
		}
	}
	return nil
}
