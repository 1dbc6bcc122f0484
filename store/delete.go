package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/internal/record"
)

// clearRows is how many records of deleted executions one transaction takes.
const clearRows = 500

// DeleteExecution implements data.Executions. What lists and readers see goes
// in one transaction; events and logs, of which there may be many, follow in
// small ones, so that nobody waits. While a backup is made they stay, and go
// after it.
func (s *Store) DeleteExecution(ctx context.Context, id string) error {
	var gone rawExecution
	err := s.submit(ctx, &command{
		size: 4096, patient: true,
		check: func(tx *bolt.Tx) (err error) {
			if gone, err = s.readAnywhere(tx, id); err == nil && !gone.header.tail.Ended {
				err = fmt.Errorf("%w: the execution is %s", engine.ErrConflict, gone.header.status)
			}
			return err
		},
		apply: func(tx *bolt.Tx) error { return trash(tx, &gone) },
	})
	if err != nil {
		return err
	}
	s.history.work.Lock()
	defer s.history.work.Unlock()
	return s.clear(ctx, []string{id})
}

// expire deletes ended executions together and returns how many there were.
// The caller holds history.work.
func (s *Store) expire(ctx context.Context, ids []string) (count int, err error) {
	var gone []rawExecution
	err = s.submit(ctx, &command{
		size: 4096 + 512*len(ids),
		check: func(tx *bolt.Tx) error {
			gone = gone[:0]
			for _, id := range ids {
				raw, err := s.readAnywhere(tx, id)
				switch {
				case errors.Is(err, engine.ErrNotFound):
				case err != nil:
					return err
				case raw.header.tail.Ended:
					gone = append(gone, raw)
				}
			}
			return nil
		},
		apply: func(tx *bolt.Tx) error {
			for i := range gone {
				if err := trash(tx, &gone[i]); err != nil {
					return err
				}
			}
			return nil
		},
	})
	if err != nil {
		return 0, err
	}
	return len(gone), s.clear(ctx, ids)
}

// trash removes what makes an execution known: its records where they are in
// state.db; in the history they are hidden by the entry in trash.
func trash(tx *bolt.Tx, gone *rawExecution) error {
	h, id := &gone.header, []byte(gone.header.place.ID)
	_, from, err := gone.parse()
	if err != nil {
		return err
	}
	if err := errors.Join(
		h.leave(tx), putRaw(tx, bucketTrash, id, trashDeleted), count(tx, metaExecutions, -1), releaseDocument(tx, from.Document),
	); err != nil {
		return err
	}
	if len(from.Key) > 0 {
		kept, known, err := readKey(tx, from.Key)
		if err == nil && known && kept.Execution == h.place.ID {
			err = removeKey(tx, from.Key)
		}
		if err != nil {
			return err
		}
	}
	w, err := readWorkflow(tx, h.workflow)
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	w.deleted++
	return put(tx, bucketWorkflows, []byte(h.workflow), w.encode())
}

// leave removes from a file what lists and readers find an ended execution by.
func (h *header) leave(tx *bolt.Tx) error {
	ended, err := h.endedKey()
	if err != nil {
		return err
	}
	id := []byte(h.place.ID)
	return errors.Join(
		h.unindex(tx), remove(tx, bucketByTime, placeKey(h.place)), remove(tx, bucketExecutions, id),
		remove(tx, bucketOrigins, id), remove(tx, bucketEnded, ended),
	)
}

// clear removes what is left of deleted executions. The caller holds
// history.work.
func (s *Store) clear(ctx context.Context, ids []string) error {
	if s.history.pins.Load() > 0 {
		return nil // It is done later, as the trash names them.
	}
	for _, id := range ids {
		if err := s.logs.Remove(id); err != nil {
			return err
		}
	}
	months := s.monthList()
	for _, m := range months {
		if err := s.forgetBlobs(ctx, m, ids); err != nil {
			return err
		}
	}
	if err := s.clearHot(ctx, ids); err != nil {
		return err
	}
	for _, m := range months {
		if err := s.clearMonth(ctx, m, ids); err != nil {
			return err
		}
	}
	return s.submit(ctx, &command{
		size: 64 * len(ids), patient: true, check: func(*bolt.Tx) error { return nil },
		apply: func(tx *bolt.Tx) error {
			for _, id := range ids {
				if err := remove(tx, bucketTrash, []byte(id)); err != nil {
					return err
				}
			}
			return nil
		},
	})
}

// forgetBlobs notes in state.db the outputs that executions in a month name,
// so that they are looked at later, before the names go.
func (s *Store) forgetBlobs(ctx context.Context, m *month, ids []string) error {
	var keys [][]byte
	for _, id := range ids {
		for _, from := range []bucket{bucketEvents, bucketSteps} {
			next := prefix(id)
			for more := true; more; {
				var rows []row
				if err := s.look(m.db, func(tx *bolt.Tx) error {
					rows, more = copySome(tx, from, next, prefix(id))
					return nil
				}); err != nil {
					return err
				}
				for _, r := range rows {
					keys = append(keys, sweepKeys(namedBlobs(r.value), s.now())...)
				}
				if more {
					next = append(bytes.Clone(rows[len(rows)-1].key), 0)
				}
			}
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return s.submit(ctx, &command{
		size: 64 * len(keys), patient: true, check: func(*bolt.Tx) error { return nil },
		apply: func(tx *bolt.Tx) error { return putKeys(tx, bucketSweep, keys) },
	})
}

func putKeys(tx *bolt.Tx, to bucket, keys [][]byte) error {
	for _, key := range keys {
		if err := putRaw(tx, to, key, []byte{}); err != nil {
			return err
		}
	}
	return nil
}

// clearHot removes events and steps of executions from state.db.
func (s *Store) clearHot(ctx context.Context, ids []string) error {
	for left := true; left; {
		if err := s.submit(ctx, &command{
			size: 16 << 10, patient: true,
			check: func(tx *bolt.Tx) error {
				left = false
				for _, id := range ids {
					if hasRows(tx, id) {
						return nil
					}
				}
				return errNothing
			},
			apply: func(tx *bolt.Tx) error {
				sums, removed, err := removeRows(tx, ids, clearRows)
				left = removed >= clearRows
				if err != nil {
					return err
				}
				return putKeys(tx, bucketSweep, sweepKeys(sums, s.now()))
			},
		}); err != nil {
			return err
		}
	}
	return nil
}

// clearMonth removes executions from a month.
func (s *Store) clearMonth(ctx context.Context, m *month, ids []string) error {
	for left := true; left; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var here []string
		if err := s.look(m.db, func(tx *bolt.Tx) error {
			for _, id := range ids {
				if has(tx, id) || hasRows(tx, id) {
					here = append(here, id)
				}
			}
			return nil
		}); err != nil || len(here) == 0 {
			return err
		}
		if err := s.updateMonth(m, func(tx *bolt.Tx) (err error) {
			for _, id := range here {
				if !has(tx, id) {
					continue
				}
				raw, err := readExecution(tx, id)
				if err == nil {
					err = raw.header.leave(tx)
				}
				if err != nil {
					return err
				}
			}
			_, removed, err := removeRows(tx, here, 4*clearRows)
			left = removed >= 4*clearRows
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

func hasRows(tx *bolt.Tx, id string) bool {
	for _, from := range []bucket{bucketEvents, bucketSteps} {
		if key, _ := tx.Bucket([]byte(from)).Cursor().Seek(prefix(id)); bytes.HasPrefix(key, prefix(id)) {
			return true
		}
	}
	return false
}

// removeRows removes events and steps of executions from a file, with what
// says which outputs they name, at most so many; it returns those outputs.
// Where it removed as many as it should, others may be left.
func removeRows(tx *bolt.Tx, ids []string, most int) (sums []blobSum, removed int, err error) {
	for _, id := range ids {
		for _, from := range []bucket{bucketEvents, bucketSteps} {
			keys, named := someRows(tx, from, prefix(id), most-removed)
			for _, key := range keys {
				if err := remove(tx, from, key); err != nil {
					return nil, removed, err
				}
			}
			if err := removeBlobs(tx, named, id); err != nil {
				return nil, removed, err
			}
			sums = append(sums, named...)
			if removed += len(keys); removed >= most {
				return sums, removed, nil
			}
		}
	}
	return sums, removed, nil
}

func someRows(tx *bolt.Tx, from bucket, start []byte, most int) (keys [][]byte, named []blobSum) {
	cursor := tx.Bucket([]byte(from)).Cursor()
	for key, value := cursor.Seek(start); bytes.HasPrefix(key, start) && len(keys) < most; key, value = cursor.Next() {
		keys = append(keys, bytes.Clone(key))
		named = append(named, namedBlobs(value)...)
	}
	return keys, named
}

// emptyTrash finishes what a stop, or a backup, cut short. The caller holds
// history.work.
func (s *Store) emptyTrash(ctx context.Context) error {
	var gone, moved []string
	if err := s.pages(ctx, bucketTrash, nil, func(key, value []byte) error {
		if bytes.Equal(value, trashMoved) {
			moved = append(moved, string(key))
		} else {
			gone = append(gone, string(key))
		}
		return nil
	}); err != nil {
		return err
	}
	for len(gone) > 0 {
		some := gone[:min(len(gone), batchIDs)]
		if err := s.clear(ctx, some); err != nil {
			return err
		}
		gone = gone[len(some):]
	}
	return s.clearMoved(ctx, moved)
}

// readHeader copies the header of an execution in one file.
func readHeader(tx *bolt.Tx, id string) (header, error) {
	raw, err := get(tx, bucketExecutions, []byte(id))
	if err == nil && raw == nil {
		err = notFound("execution", id)
	}
	if err != nil {
		return header{}, err
	}
	h, err := decodeHeader(id, raw)
	if err != nil {
		return header{}, fmt.Errorf("%w: %w", record.ErrDamaged, err)
	}
	h.progress = bytes.Clone(h.progress)
	return h, nil
}
