package store

import (
	"bytes"
	"context"
	"errors"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine"
)

// errMoved: what is to be changed is in the history.
var errMoved = errors.New("the execution is in the history")

// amend hands a command to the writer that may change executions which have
// ended, as the undo of another execution does. Those that are in the history
// come back into state.db first, whole, and move again later: there is one
// place only where anything is changed.
func (s *Store) amend(ctx context.Context, c *command, ids func() []string) error {
	err := s.submit(ctx, c)
	if !errors.Is(err, errMoved) {
		return err
	}
	s.history.work.Lock()
	defer s.history.work.Unlock()
	for _, id := range ids() {
		if err := s.recall(ctx, id); err != nil {
			return err
		}
	}
	return s.submit(ctx, c)
}

func idsOf(commits []engine.Commit) []string {
	ids := make([]string, len(commits))
	for i := range commits {
		ids[i] = commits[i].Execution.ID
	}
	return ids
}

// recall copies an execution of the history back into state.db; its copy there
// counts no more, as whatever is in state.db stands over it. Until its header
// is back its records are marked as leftovers, which is what they are if a
// crash comes between. The caller holds history.work.
func (s *Store) recall(ctx context.Context, id string) error {
	there := false
	if err := s.view(ctx, func(tx *bolt.Tx) error {
		there = has(tx, id) || deleted(tx, []byte(id))
		return nil
	}); err != nil || there {
		return err
	}
	if found, err := s.viewHistory(id, func(*bolt.Tx) error { return nil }); err != nil || !found {
		return err // Whoever asked for it is told.
	}
	if err := s.putBack(ctx, []copiedRow{{bucketTrash, []byte(id), trashMoved}}); err != nil {
		return err
	}
	for _, from := range []bucket{bucketEvents, bucketSteps} {
		next := prefix(id)
		for more := true; more; {
			var found []row
			if err := s.viewOf(ctx, id, func(tx *bolt.Tx) error {
				found, more = copySome(tx, from, next, prefix(id))
				return nil
			}); err != nil {
				return err
			}
			var rows []copiedRow
			for _, r := range found {
				rows = append(rows, copiedRow{from, r.key, r.value})
				for _, sum := range namedBlobs(r.value) {
					rows = append(rows, copiedRow{bucketBlobs, sum.key(id), []byte{}})
				}
			}
			if err := s.putBack(ctx, rows); err != nil {
				return err
			}
			if more {
				next = append(bytes.Clone(found[len(found)-1].key), 0)
			}
		}
	}
	return s.enterAgain(ctx, id)
}

// enterAgain gives an execution whose records are back its header, and what
// lists find it by.
func (s *Store) enterAgain(ctx context.Context, id string) error {
	raw, err := s.readRaw(ctx, id)
	if err != nil {
		return err
	}
	h := &raw.header
	return s.submit(ctx, &command{
		size: 1024 + len(raw.origin), patient: true, check: func(*bolt.Tx) error { return nil },
		apply: func(tx *bolt.Tx) error {
			return errors.Join(
				put(tx, bucketOrigins, []byte(id), raw.origin), put(tx, bucketExecutions, []byte(id), h.encode()),
				putRaw(tx, bucketByTime, placeKey(h.place), []byte(h.trigger)), h.index(tx), h.end(tx),
				remove(tx, bucketTrash, []byte(id)),
			)
		},
	})
}

// putBack writes records into state.db.
func (s *Store) putBack(ctx context.Context, rows []copiedRow) error {
	size := 64
	for _, r := range rows {
		size += len(r.key) + len(r.value)
	}
	return s.submit(ctx, &command{
		size: size, patient: true, check: func(*bolt.Tx) error { return nil },
		apply: func(tx *bolt.Tx) error {
			for _, r := range rows {
				if err := putRaw(tx, r.to, r.key, r.value); err != nil {
					return err
				}
			}
			return nil
		},
	})
}
