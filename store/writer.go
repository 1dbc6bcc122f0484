package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/folder"
)

const (
	// maxBatch and maxBatchBytes bound what one transaction takes.
	maxBatch      = 1000
	maxBatchBytes = 1 << 20
	// fullRetry is how long the writer waits for room on the disk.
	fullRetry = time.Second
	// minFree is the room, in bytes, below which nothing new is begun.
	minFree = 64 << 20
)

// errNothing ends a command that needs no write.
var errNothing = errors.New("nothing to write")

// command is one change. Its functions may run several times, as its batch is
// tried again, and must set what they return anew each time.
type command struct {
	// check refuses; it reads and does not write. errNothing is success.
	check func(tx *bolt.Tx) error
	// apply writes; check has passed in the same transaction.
	apply func(tx *bolt.Tx) error
	// size estimates what is written, in bytes.
	size int
	// patient: it waits for room where the disk is full. Others fail with
	// engine.ErrStoreFull.
	patient bool

	refused error
	done    chan error
}

// submit hands a command to the writer and waits for its outcome. A patient
// one may be given up by ctx and be kept nevertheless; of others the outcome
// is always known.
func (s *Store) submit(ctx context.Context, c *command) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !c.patient && s.full.Load() {
		return engine.ErrStoreFull
	}
	c.done = make(chan error, 1)
	var given <-chan struct{}
	if c.patient {
		given = ctx.Done()
	}
	// Who is alone here commits at once: to hand the command to the writer and
	// to be woken by it costs two wake-ups. Where others are about, the writer
	// takes more of them along. One that may be given up can't.
	alone := s.within.Add(1) == 1
	defer s.within.Add(-1)
	if alone && given == nil && s.writing.TryLock() {
		s.commitGuarded(s.collect(c))
		s.writing.Unlock()
		return <-c.done
	}
	select {
	case s.queue <- c:
	case <-s.stopped:
		return s.gone()
	case <-s.stuck:
		return s.gone()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-c.done:
		return err
	case <-given:
		return ctx.Err()
	case <-s.stopped:
	case <-s.stuck:
	}
	// The writer may have answered before it stopped.
	select {
	case err := <-c.done:
		return err
	default:
		return s.gone()
	}
}

// gone says why the writer has stopped.
func (s *Store) gone() error {
	if cause := s.fatal.Load(); cause != nil {
		return fmt.Errorf("%w: %w", data.ErrClosed, *cause)
	}
	return data.ErrClosed
}

// write is the writer's goroutine: it commits what came while somebody wrote,
// together, and never waits for more.
func (s *Store) write() {
	defer close(s.stopped)
	going := true
	for going {
		select {
		case first := <-s.queue:
			s.writing.Lock()
			going = s.commitGuarded(s.collect(first))
			s.writing.Unlock()
		case <-s.closing:
			// Held for good: nobody writes after this.
			s.writing.Lock()
			for going {
				select {
				case first := <-s.queue:
					going = s.commitGuarded(s.collect(first))
				default:
					return
				}
			}
		}
	}
}

// commitGuarded is commit for a goroutine that does other things too. A disk
// that can't be read shows as a memory fault in the mapped file.
func (s *Store) commitGuarded(batch []*command) bool {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	return s.commit(batch)
}

// collect adds what is waiting to a first command. Callers whose commands were
// answered just now are about to come with their next ones: they are let go
// first, which takes no time where nobody else wants to run.
func (s *Store) collect(first *command) []*command {
	runtime.Gosched()
	batch, size := []*command{first}, first.size
	for len(batch) < maxBatch && size < maxBatchBytes {
		select {
		case next := <-s.queue:
			batch = append(batch, next)
			size += next.size
		default:
			return batch
		}
	}
	return batch
}

// commit keeps a batch and answers its callers. It is false once the store
// can't go on.
func (s *Store) commit(batch []*command) bool {
	for len(batch) > 0 {
		bad, err := s.try(batch)
		switch {
		case bad >= 0:
			// It failed after it began to write: the others go without it.
			batch[bad].done <- err
			batch = append(batch[:bad], batch[bad+1:]...)
		case err == nil:
			s.full.Store(false)
			for _, c := range batch {
				c.done <- c.refused
			}
			return true
		case folder.IsFull(err):
			batch = s.waitForRoom(batch, err)
		default:
			s.fail(fmt.Errorf("commit: %w", err))
			for _, c := range batch {
				c.done <- s.gone()
			}
			return false
		}
	}
	return true
}

// try runs a batch in one transaction. A bad command is one that failed while
// it wrote; an error without one is that of the transaction.
func (s *Store) try(batch []*command) (bad int, err error) {
	started := time.Now()
	begun := false
	defer guardBegun(&err, &begun)
	bad = -1
	if cause := s.fatal.Load(); cause != nil {
		return -1, *cause
	}
	tx, err := s.db.Begin(true)
	if err != nil {
		return -1, err
	}
	begun = true
	committed := false
	defer func() {
		if !committed {
			err = errors.Join(err, rollback(tx))
		}
	}()
	if epoch := numberOf(tx.Bucket([]byte(bucketMeta)).Get([]byte(metaEpoch))); epoch != s.meta.BootEpoch {
		return -1, fmt.Errorf("%w: the store belongs to boot epoch %d now", data.ErrFenced, epoch)
	}
	wrote := 0
	for i, c := range batch {
		c.refused = c.check(tx)
		if c.refused != nil {
			if errors.Is(c.refused, errNothing) {
				c.refused = nil
			}
			continue
		}
		if err := c.apply(tx); err != nil {
			return i, err
		}
		wrote++
	}
	if wrote == 0 {
		return -1, nil
	}
	if hook := s.options.beforeCommit; hook != nil {
		if err := hook(); err != nil {
			return -1, err
		}
	}
	// bbolt ends the transaction also when the commit fails.
	committed = true
	if err := tx.Commit(); err != nil {
		return -1, err
	}
	s.commits.Add(1)
	s.commands.Add(uint64(wrote)) //nolint:gosec // Not negative.
	took := time.Since(started)
	s.lastCommit.Store(int64(took))
	s.options.OnCommit(took, wrote)
	s.noteSize()
	return -1, nil
}

// rollback ends a transaction that came to nothing.
func rollback(tx *bolt.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, berrors.ErrTxClosed) {
		return err
	}
	return nil
}

// waitForRoom sends away who can't wait, and lets the rest wait a while.
func (s *Store) waitForRoom(batch []*command, cause error) []*command {
	if !s.full.Swap(true) {
		s.log.Error("the disk is full; executions wait for room, nothing new is begun", "error", cause)
	}
	kept := batch[:0]
	for _, c := range batch {
		if c.patient {
			kept = append(kept, c)
		} else {
			c.done <- engine.ErrStoreFull
		}
	}
	if len(kept) == 0 {
		return nil
	}
	timer := time.NewTimer(s.options.fullRetry)
	defer timer.Stop()
	select {
	case <-timer.C:
		return kept
	case <-s.closing:
		for _, c := range kept {
			c.done <- engine.ErrStoreFull
		}
		return nil
	}
}

// fail ends the store after an error from which the file can't be trusted:
// after a failed sync the system may have dropped what was written.
func (s *Store) fail(cause error) {
	if !s.fatal.CompareAndSwap(nil, &cause) {
		return
	}
	if errors.Is(cause, errHeld) {
		close(s.stuck)
	}
	s.log.Error("the store can't go on", "error", cause)
	s.options.OnFatal(cause)
}

// noteSize keeps whose the folder is, and the size that the file must not fall
// below. The commit before it counts even if that fails, as it does on a full
// disk; the next one tries again.
//
// The file is only looked at where it has grown: Linux keeps a finer time of
// change for a file that somebody has asked for, and the next sync then has to
// write that too, which makes a commit a fifth slower.
func (s *Store) noteSize() {
	next := folder.Instance{ID: s.meta.InstanceID, Format: s.meta.Format, Size: s.instance.Size}
	used, err := s.usedSize()
	if err == nil && used <= next.Size && next == s.instance {
		return
	}
	info, err := s.file.Stat()
	if err == nil {
		next.Size = info.Size()
		if next == s.instance {
			return
		}
		if err = s.folder.SetInstance(next); err == nil {
			s.instance = next
			return
		}
	}
	s.log.Warn("the size of the database could not be noted", "error", err)
}

// usedSize is how many bytes of the file are in use, or a little more: bbolt
// makes room for one page beyond them.
func (s *Store) usedSize() (int64, error) {
	tx, err := s.db.Begin(false)
	if err != nil {
		return 0, err
	}
	used := tx.Size() + int64(s.db.Info().PageSize)
	return used, rollback(tx)
}

// guard makes an error of a panic: bbolt panics on pages that are not what
// they should be.
func guard(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: %v", errPanic, r)
	}
}

var errPanic = errors.New("the database file can't be read")

// errHeld is a panic in the middle of a transaction's begin: bbolt keeps the
// locks that it held, and whoever asks for them next waits for good.
var errHeld = fmt.Errorf("%w, and holds whoever tries", errPanic)

// guardBegun is guard for what begins a transaction.
func guardBegun(err *error, begun *bool) {
	switch r := recover(); {
	case r == nil:
	case *begun:
		*err = fmt.Errorf("%w: %v", errPanic, r)
	default:
		*err = fmt.Errorf("%w: %v", errHeld, r)
	}
}

// slowRead is how long a read may take, and stuckRead how long it may go on,
// before a person should know.
const (
	slowRead  = 100 * time.Millisecond
	stuckRead = 10 * time.Second
)

// view reads. What fn keeps beyond its end must be copied, and fn must be
// quick: as long as it reads, no page that it can see is used again.
func (s *Store) view(ctx context.Context, fn func(tx *bolt.Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.fatal.Load() != nil {
		return s.gone()
	}
	defer s.watch()()
	return closedError(s.guarded(fn))
}

// watch reports a read that is slow, and one that does not end while it still
// does not.
func (s *Store) watch() (done func()) {
	started := time.Now()
	stuck := time.AfterFunc(s.options.stuckRead, func() {
		s.reads.begin(started)
		s.log.Error("a read of the store does not end; until it does, the file grows", "since", started)
	})
	return func() {
		if !stuck.Stop() {
			s.reads.end(started)
		}
		if took := time.Since(started); took > s.options.slowRead {
			s.reads.slow.Add(1)
			s.log.Warn("a read of the store was slow", "took", took)
		}
	}
}

func (s *Store) guarded(fn func(tx *bolt.Tx) error) error { return s.look(s.db, fn) }

// look reads one bbolt file inside a guard, and ends the store where nobody
// can read it any more.
func (s *Store) look(db *bolt.DB, fn func(tx *bolt.Tx) error) error {
	err := guardedView(db, fn)
	if errors.Is(err, errHeld) {
		s.fail(err)
	}
	return err
}
