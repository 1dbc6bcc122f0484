package store

import (
	"bytes"
	"context"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/store/data"
)

const (
	// batchIDs is how many executions move, or go, together.
	batchIDs = 100
	// moveBytes is how much one transaction of the history takes, roughly.
	moveBytes = 2 << 20
)

// moveEnded moves executions that ended before a time into the history, as
// many as one batch takes, and returns how many. They are durable there
// before they leave state.db. The caller holds history.work.
func (s *Store) moveEnded(ctx context.Context, before int64) (int, error) {
	name, ids, err := s.nextEnded(ctx, before)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	m, err := s.monthFor(ctx, name)
	if err != nil {
		return 0, err
	}
	c := &copier{store: s, to: m}
	moved := ids[:0]
	for _, id := range ids {
		if err := c.copy(ctx, id); err != nil {
			return 0, err
		}
		moved = append(moved, id)
		if c.size > moveBytes {
			break
		}
	}
	if err := c.flush(); err != nil {
		return 0, err
	}
	if err := s.leaveHot(ctx, m, moved); err != nil {
		return 0, err
	}
	return len(moved), s.clearMoved(ctx, moved)
}

// nextEnded lists the executions that ended first, of one month.
func (s *Store) nextEnded(ctx context.Context, before int64) (name string, ids []string, err error) {
	err = s.view(ctx, func(tx *bolt.Tx) error {
		cursor := tx.Bucket([]byte(bucketEnded)).Cursor()
		for key, _ := cursor.First(); key != nil && len(ids) < batchIDs; key, _ = cursor.Next() {
			place, ok := placeOf(key)
			if !ok || place.Micros >= before {
				return nil
			}
			switch in := monthOf(place.Micros); {
			case name == "":
				name = in
			case name != in:
				return nil
			}
			ids = append(ids, place.ID)
		}
		return nil
	})
	return name, ids, err
}

// copier copies executions as they stand from state.db into a month.
type copier struct {
	store *Store
	to    *month
	rows  []copiedRow
	// ids are those whose headers are among the rows.
	ids  []string
	size int
}

type copiedRow struct {
	to         bucket
	key, value []byte
}

func (c *copier) add(to bucket, key, value []byte) {
	c.rows = append(c.rows, copiedRow{to, key, value})
	c.size += len(key) + len(value) + 16
}

// copy takes an execution over, what lists find it by last. One that was
// deleted meanwhile is left out.
func (c *copier) copy(ctx context.Context, id string) error {
	for _, from := range []bucket{bucketEvents, bucketSteps} {
		next := prefix(id)
		for more := true; more; {
			var rows []row
			if err := c.store.view(ctx, func(tx *bolt.Tx) error {
				rows, more = copySome(tx, from, next, prefix(id))
				return nil
			}); err != nil {
				return err
			}
			for _, r := range rows {
				c.add(from, r.key, r.value)
				for _, sum := range namedBlobs(r.value) {
					c.add(bucketBlobs, sum.key(id), []byte{})
				}
			}
			if more {
				next = append(bytes.Clone(rows[len(rows)-1].key), 0)
				if c.size > moveBytes {
					if err := c.flush(); err != nil {
						return err
					}
				}
			}
		}
	}
	return c.store.view(ctx, func(tx *bolt.Tx) error {
		if !has(tx, id) {
			return nil
		}
		h, err := readHeader(tx, id)
		if err != nil {
			return err
		}
		ended, err := h.endedKey()
		if err != nil {
			return err
		}
		c.ids = append(c.ids, id)
		for _, from := range []bucket{bucketOrigins, bucketExecutions} {
			c.add(from, []byte(id), bytes.Clone(tx.Bucket([]byte(from)).Get([]byte(id))))
		}
		for _, in := range []bucket{bucketByTime, bucketByStatus, bucketByWorkflow} {
			c.add(in, h.keyIn(in), []byte(h.trigger))
		}
		c.add(bucketEnded, ended, []byte{})
		return nil
	})
}

// flush makes what was collected durable in the month.
func (c *copier) flush() error {
	if len(c.rows) == 0 {
		return nil
	}
	err := c.store.updateMonth(c.to, func(tx *bolt.Tx) error {
		for _, name := range historyBuckets() {
			// They come in the order of time, and so of their keys.
			tx.Bucket([]byte(name)).FillPercent = orderedFill
		}
		for _, id := range c.ids {
			// What came back from here to be changed left its copy.
			if old, err := readHeader(tx, id); err == nil {
				if err := old.leave(tx); err != nil {
					return err
				}
			}
		}
		for _, r := range c.rows {
			if err := putRaw(tx, r.to, r.key, r.value); err != nil {
				return err
			}
		}
		return nil
	})
	c.rows, c.ids, c.size = c.rows[:0], c.ids[:0], 0
	return err
}

// leaveHot takes executions that are in a month out of state.db. From here on
// they are read there; of their records here those that are too many are
// marked and follow.
func (s *Store) leaveHot(ctx context.Context, m *month, ids []string) error {
	size, err := s.sizeOf(m)
	if err != nil {
		return err
	}
	return s.submit(ctx, &command{
		size: 256 * len(ids), check: func(*bolt.Tx) error { return nil },
		apply: func(tx *bolt.Tx) error {
			if err := putRaw(tx, bucketMonths, []byte(m.name), size); err != nil {
				return err
			}
			room := 2 * clearRows
			for _, id := range ids {
				if !has(tx, id) {
					continue // Deleted meanwhile: the trash names it.
				}
				h, err := readHeader(tx, id)
				if err != nil {
					return err
				}
				if err := h.leave(tx); err != nil {
					return err
				}
				removed, more, err := s.removeMoved(tx, id, room)
				if err != nil {
					return err
				}
				if room -= removed; !more {
					continue
				}
				if err := putRaw(tx, bucketTrash, []byte(id), trashMoved); err != nil {
					return err
				}
			}
			return nil
		},
	})
}

// removeMoved removes at most so many records of an execution that is in the
// history from state.db. more says that some are left.
func (s *Store) removeMoved(tx *bolt.Tx, id string, most int) (removed int, more bool, err error) {
	if most <= 0 {
		return 0, true, nil
	}
	_, removed, err = removeRows(tx, []string{id}, most)
	return removed, removed >= most, err
}

// clearMoved removes from state.db the records of executions that are in the
// history. Their outputs are still named, there.
func (s *Store) clearMoved(ctx context.Context, ids []string) error {
	for left := len(ids) > 0; left; {
		var here []string
		if err := s.submit(ctx, &command{
			size: 16 << 10, patient: true,
			check: func(tx *bolt.Tx) error {
				here, left = here[:0], false
				for _, id := range ids {
					if bytes.Equal(tx.Bucket([]byte(bucketTrash)).Get([]byte(id)), trashMoved) {
						here = append(here, id)
					}
				}
				if len(here) == 0 {
					return errNothing
				}
				return nil
			},
			apply: func(tx *bolt.Tx) error {
				_, removed, err := removeRows(tx, here, clearRows)
				if left = removed >= clearRows; err != nil || left {
					return err
				}
				for _, id := range here {
					if err := remove(tx, bucketTrash, []byte(id)); err != nil {
						return err
					}
				}
				return nil
			},
		}); err != nil {
			return err
		}
	}
	return nil
}

// oldestEnded lists the executions of a workflow that were created first among
// those that ended, at most so many.
func (s *Store) oldestEnded(ctx context.Context, workflow string, most int) (ids []string, err error) {
	var places []data.Position
	err = s.viewAll(ctx, func(all []*bolt.Tx) error {
		for _, tx := range all {
			for _, status := range data.Statuses() {
				if !status.Ended() {
					continue
				}
				start := prefix(workflow, string(status))
				cursor := tx.Bucket([]byte(bucketByWorkflow)).Cursor()
				taken := 0
				for key, _ := cursor.Seek(start); bytes.HasPrefix(key, start) && taken < most; key, _ = cursor.Next() {
					if place, ok := placeOf(key[len(start):]); ok && listed(all[0], &lane{tx: tx, place: place}) {
						places = append(places, place)
						taken++
					}
				}
			}
		}
		return nil
	})
	sortPlaces(places)
	for _, place := range places[:min(most, len(places))] {
		ids = append(ids, place.ID)
	}
	return ids, err
}
