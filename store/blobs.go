package store

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	// blobRest is how long an output that nothing names is left alone: a
	// run may be about to name it.
	blobRest = time.Hour
	// strayRest is the same for one that nothing ever named: a crash came
	// between.
	strayRest = 24 * time.Hour
	// sweepSome is how many outputs one step of a sweep looks at.
	sweepSome = 100
)

// blobSum is an output's name as it is in keys.
type blobSum [32]byte

func (b blobSum) name() string { return hex.EncodeToString(b[:]) }

func (b blobSum) path() string { return blobsDir + "/" + b.name()[:2] + "/" + b.name() }

func (b blobSum) key(execution string) []byte { return append(b[:], execution...) }

// blobMark is what stands before the name of an output, wherever in an event
// or a step it is. Anything else of that form is kept for naught, no more.
var blobMark = []byte(`"sha256":"`)

// namedBlobs lists the outputs that a record names.
func namedBlobs(raw []byte) (sums []blobSum) {
	for {
		_, rest, found := bytes.Cut(raw, blobMark)
		if !found {
			return sums
		}
		var sum blobSum
		if len(rest) > 64 && rest[64] == '"' {
			if n, err := hex.Decode(sum[:], rest[:64]); n == len(sum) && err == nil && !slices.Contains(sums, sum) {
				sums = append(sums, sum)
			}
		}
		raw = rest
	}
}

func blobsOf(records []encodedEvent) (sums []blobSum) {
	for _, r := range records {
		sums = append(sums, namedBlobs(r.sealed)...)
	}
	return sums
}

func putBlobs(tx *bolt.Tx, sums []blobSum, execution string) error {
	for _, sum := range sums {
		if err := putRaw(tx, bucketBlobs, sum.key(execution), []byte{}); err != nil {
			return err
		}
	}
	return nil
}

func removeBlobs(tx *bolt.Tx, sums []blobSum, execution string) error {
	for _, sum := range sums {
		if err := remove(tx, bucketBlobs, sum.key(execution)); err != nil {
			return err
		}
	}
	return nil
}

// referred reports whether something in one file names an output.
func referred(tx *bolt.Tx, sum blobSum) bool {
	key, _ := tx.Bucket([]byte(bucketBlobs)).Cursor().Seek(sum[:])
	return bytes.HasPrefix(key, sum[:])
}

// recentBlobs are the outputs that were kept just now and may not be named
// yet. Its lock is held while an output is taken away.
type recentBlobs struct {
	mu   sync.Mutex
	kept map[blobSum]time.Time
}

// note remembers an output before somebody looks whether it is there.
func (r *recentBlobs) note(sum blobSum, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil {
		r.kept = map[blobSum]time.Time{}
	}
	r.kept[sum] = now
}

// named drops outputs that a commit has named: that keeps them from here on.
func (r *recentBlobs) named(sums []blobSum) {
	if len(sums) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, sum := range sums {
		delete(r.kept, sum)
	}
}

// forget drops those that nothing will name any more.
func (r *recentBlobs) forget(before time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for sum, at := range r.kept {
		if at.Before(before) {
			delete(r.kept, sum)
		}
	}
}

// sweepCandidates takes away outputs that deleted executions named and that
// nothing else does. The caller holds history.work.
func (s *Store) sweepCandidates(ctx context.Context) error {
	s.recent.forget(s.now().Add(-strayRest))
	due := timeKey(s.now().Add(-blobRest).UnixMicro())
	for {
		var keys [][]byte
		if err := s.view(ctx, func(tx *bolt.Tx) error {
			// What is on its way out still names its outputs.
			if key, _ := tx.Bucket([]byte(bucketTrash)).Cursor().First(); key != nil {
				return nil
			}
			cursor := tx.Bucket([]byte(bucketSweep)).Cursor()
			for key, _ := cursor.First(); len(key) == 8+len(blobSum{}) && bytes.Compare(key[:8], due) <= 0 && len(keys) < sweepSome; key, _ = cursor.Next() {
				keys = append(keys, bytes.Clone(key))
			}
			return nil
		}); err != nil || len(keys) == 0 {
			return err
		}
		for _, key := range keys {
			if err := s.takeAwayBlob(ctx, blobSum(key[8:])); err != nil {
				return err
			}
		}
		if err := s.submit(ctx, &command{
			size: 64 * len(keys), check: func(*bolt.Tx) error { return nil },
			apply: func(tx *bolt.Tx) error {
				for _, key := range keys {
					if err := remove(tx, bucketSweep, key); err != nil {
						return err
					}
				}
				return nil
			},
		}); err != nil {
			return err
		}
	}
}

// takeAwayBlob deletes an output unless something names it or is about to. The
// caller holds history.work.
func (s *Store) takeAwayBlob(ctx context.Context, sum blobSum) error {
	s.recent.mu.Lock()
	defer s.recent.mu.Unlock()
	if _, recent := s.recent.kept[sum]; recent {
		return nil
	}
	named := false
	if err := s.viewAll(ctx, func(all []*bolt.Tx) error {
		named = slices.ContainsFunc(all, func(tx *bolt.Tx) bool { return referred(tx, sum) })
		return nil
	}); err != nil || named {
		return err
	}
	if err := s.folder.Root().Remove(sum.path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("take away output %s: %w", sum.name(), err)
	}
	return nil
}

// sweepStrays takes away outputs that nothing names and that nothing ever
// did, as a crash came between.
func (s *Store) sweepStrays(ctx context.Context) error {
	return s.eachBlob(ctx, func(sum blobSum, info fs.FileInfo) error {
		if s.now().Sub(info.ModTime()) < strayRest {
			return nil
		}
		return s.working(func() error { return s.takeAwayBlob(ctx, sum) })
	})
}

// eachBlob passes every output that is kept, in no time order.
func (s *Store) eachBlob(ctx context.Context, each func(sum blobSum, info fs.FileInfo) error) error {
	files := s.folder.Root().FS()
	dirs, err := fs.ReadDir(files, blobsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list the outputs: %w", err)
	}
	for _, dir := range dirs {
		entries, err := fs.ReadDir(files, blobsDir+"/"+dir.Name())
		if err != nil {
			return fmt.Errorf("list the outputs: %w", err)
		}
		for _, entry := range entries {
			if err := ctx.Err(); err != nil {
				return err
			}
			var sum blobSum
			info, err := entry.Info()
			if n, decodeErr := hex.Decode(sum[:], []byte(entry.Name())); err != nil || decodeErr != nil || n != len(sum) || sum.name() != entry.Name() {
				continue // It went meanwhile, or is none of ours.
			}
			if err := each(sum, info); err != nil {
				return err
			}
		}
	}
	return nil
}

// sweepKeys are the entries by which outputs are looked at again later.
func sweepKeys(sums []blobSum, now time.Time) [][]byte {
	keys := make([][]byte, len(sums))
	for i, sum := range sums {
		keys[i] = append(timeKey(now.UnixMicro()), sum[:]...)
	}
	return keys
}
