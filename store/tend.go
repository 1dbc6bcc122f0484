package store

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/folder"
)

const (
	// moveAfter is how long an ended execution stays in state.db: what is
	// looked at most is found at once.
	moveAfter = 10 * time.Minute
	// tendEvery is how often the store looks after itself.
	tendEvery = time.Minute
)

// pace lets others come first: background work rests after each step for as
// long as the step took.
func pace(ctx context.Context, took time.Duration) error {
	timer := time.NewTimer(min(took, time.Second))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tendAlways looks after the store until ctx ends.
func (s *Store) tendAlways(ctx context.Context) {
	ticker := time.NewTicker(tendEvery)
	defer ticker.Stop()
	lastStrays := s.now()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		err := s.tend(ctx, pace)
		if err == nil && s.now().Sub(lastStrays) >= strayRest {
			lastStrays = s.now()
			err = s.sweepStrays(ctx)
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, engine.ErrStoreFull) && !folder.IsFull(err) && !errors.Is(err, data.ErrClosed) {
			s.log.Error("the store could not be tended", "error", err)
		}
	}
}

// Tend moves what has ended into the history and removes what retention lets
// go, until nothing is left to do. The store does so by itself every minute,
// at leisure; whoever wants it done by a certain time calls it. Each step is
// a short transaction.
func (s *Store) Tend(ctx context.Context) error {
	return s.tend(ctx, func(ctx context.Context, _ time.Duration) error { return ctx.Err() })
}

func (s *Store) tend(ctx context.Context, rest func(ctx context.Context, took time.Duration) error) error {
	for _, step := range []func(ctx context.Context) (int, error){s.finish, s.move, s.expireOld, s.expireMany, s.dropEmpty, s.sweep} {
		for {
			started := time.Now()
			var count int
			err := s.working(func() (err error) {
				count, err = step(ctx)
				return err
			})
			if err != nil {
				return err
			}
			if count == 0 {
				break
			}
			if err := rest(ctx, time.Since(started)); err != nil {
				return err
			}
		}
	}
	return nil
}

// working holds history.work for one step.
func (s *Store) working(step func() error) error {
	s.history.work.Lock()
	defer s.history.work.Unlock()
	return step()
}

// finish ends what a stop or a backup cut short.
func (s *Store) finish(ctx context.Context) (int, error) { return 0, s.emptyTrash(ctx) }

func (s *Store) move(ctx context.Context) (int, error) {
	return s.moveEnded(ctx, s.now().Add(-s.options.MoveAfter).UnixMicro())
}

// expireOld deletes some of the executions that ended too long ago.
func (s *Store) expireOld(ctx context.Context) (int, error) {
	days := s.options.Retention.Days
	if days <= 0 || s.history.pins.Load() > 0 {
		return 0, nil
	}
	before := s.now().AddDate(0, 0, -days).UnixMicro()
	var ids []string
	if err := s.viewAll(ctx, func(all []*bolt.Tx) error {
		for _, tx := range all {
			cursor := tx.Bucket([]byte(bucketEnded)).Cursor()
			for key, _ := cursor.First(); key != nil && len(ids) < batchIDs; key, _ = cursor.Next() {
				place, ok := placeOf(key)
				if !ok || place.Micros >= before {
					break
				}
				if listed(all[0], &lane{tx: tx, place: place}) {
					ids = append(ids, place.ID)
				}
			}
		}
		return nil
	}); err != nil || len(ids) == 0 {
		return 0, err
	}
	return s.expire(ctx, ids)
}

// expireMany deletes some executions of a workflow that has too many.
func (s *Store) expireMany(ctx context.Context) (int, error) {
	most := s.options.Retention.PerWorkflow
	if most <= 0 || s.history.pins.Load() > 0 {
		return 0, nil
	}
	var next []byte
	for {
		name, over, err := s.nextOver(ctx, next, most)
		if err != nil || name == "" {
			return 0, err
		}
		ids, err := s.oldestEnded(ctx, name, min(over, batchIDs))
		if err != nil {
			return 0, err
		}
		if len(ids) > 0 {
			return s.expire(ctx, ids)
		}
		next = append([]byte(name), 0) // All of them live.
	}
}

// nextOver finds a workflow, from a key on, that has more executions than it
// may, and by how many.
func (s *Store) nextOver(ctx context.Context, from []byte, most int) (name string, over int, err error) {
	for done := false; !done && name == ""; {
		err := s.view(ctx, func(tx *bolt.Tx) error {
			cursor := tx.Bucket([]byte(bucketWorkflows)).Cursor()
			rows := 0
			key, _ := cursor.Seek(from)
			for ; key != nil && rows < rowsPerView; key, _ = cursor.Next() {
				w, err := readWorkflow(tx, string(key))
				if err != nil {
					return err
				}
				if over = w.metadata.ExecutionCount - w.deleted - most; over > 0 {
					name = w.metadata.ID
					return nil
				}
				rows++
			}
			done, from = key == nil, bytes.Clone(key)
			return nil
		})
		if err != nil {
			return "", 0, err
		}
	}
	return name, over, nil
}

// dropEmpty takes away a month of which nothing is left.
func (s *Store) dropEmpty(ctx context.Context) (int, error) {
	if s.history.pins.Load() > 0 {
		return 0, nil
	}
	now := monthOf(s.now().UnixMicro())
	for _, m := range s.monthList() {
		empty := false
		if err := s.look(m.db, func(tx *bolt.Tx) error {
			empty = true
			for _, from := range []bucket{bucketExecutions, bucketEvents, bucketSteps} {
				if key, _ := tx.Bucket([]byte(from)).Cursor().First(); key != nil {
					empty = false
				}
			}
			return nil
		}); err != nil {
			return 0, err
		}
		if empty && m.name != now {
			return 1, s.dropMonth(ctx, m)
		}
	}
	return 0, nil
}

func (s *Store) sweep(ctx context.Context) (int, error) {
	if s.history.pins.Load() > 0 {
		return 0, nil
	}
	return 0, s.sweepCandidates(ctx)
}

func sortPlaces(places []data.Position) {
	slices.SortFunc(places, func(a, b data.Position) int {
		switch {
		case a.Before(b):
			return -1
		case b.Before(a):
			return 1
		}
		return 0
	})
}
