package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/folder"
	"github.com/vwmp/vwmp/store/internal/pages"
	"github.com/vwmp/vwmp/store/internal/record"
)

// historyDir holds a bbolt file for each month, named by the month in which
// its executions ended, with the buckets of historyBuckets: an execution that
// ended a while ago stands there as it stood in state.db, byte for byte.
//
// Whatever is in both counts as being in state.db: it is on its way. Whatever
// the bucket trash names counts as gone. So a reader looks into state.db
// first, and what a crash leaves in both does no harm.
const historyDir = "history"

var monthFile = regexp.MustCompile(`^([0-9]{4}-[0-9]{2})\.db$`)

func historyBuckets() []bucket {
	return []bucket{
		bucketMeta, bucketOrigins, bucketExecutions, bucketEvents, bucketSteps,
		bucketByTime, bucketByStatus, bucketByWorkflow, bucketEnded, bucketBlobs,
	}
}

// month is one file of the history.
type month struct {
	name string
	db   *bolt.DB
	// file is the database read by itself, for its size and its pages.
	file *os.File
}

func (m *month) path() string { return monthPath(m.name) }

// sizeOf is that of a month's pages: a backup's copy has no more than them.
func (s *Store) sizeOf(m *month) (size []byte, err error) {
	err = s.look(m.db, func(tx *bolt.Tx) error {
		size = number(uint64(tx.Size())) //nolint:gosec // Not negative.
		return nil
	})
	return size, err
}

func monthPath(name string) string { return historyDir + "/" + name + ".db" }

func (m *month) close() error { return errors.Join(m.db.Close(), m.file.Close()) }

// history is all months.
type history struct {
	// mu guards months; whoever reads a month holds it.
	mu sync.RWMutex
	// months are newest first.
	months []*month
	// work is held by whoever moves executions or clears them away.
	work sync.Mutex
	// pins counts the long readers: while there are any, nothing that they
	// may still copy goes away.
	pins atomic.Int32
}

func monthOf(micros int64) string { return time.UnixMicro(micros).UTC().Format("2006-01") }

// openHistory opens the months that there are. One that state.db names must be
// there and be whole; one that it does not name was being made or taken away.
func (s *Store) openHistory(ctx context.Context) error {
	sizes := map[string]int64{}
	if err := s.guarded(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(bucketMonths)).ForEach(func(key, value []byte) error {
			sizes[string(key)] = int64(numberOf(value)) //nolint:gosec // A size.
			return nil
		})
	}); err != nil {
		return s.refuse(err.Error())
	}
	entries, err := fs.ReadDir(s.folder.Root().FS(), historyDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list the history: %w", err)
	}
	names := map[string]bool{}
	for _, entry := range entries {
		if match := monthFile.FindStringSubmatch(entry.Name()); match != nil {
			names[match[1]] = true
		}
	}
	for name, size := range sizes {
		switch info, err := s.folder.Root().Stat(monthPath(name)); {
		case err != nil:
			return s.refuse(monthPath(name) + " is missing")
		case info.Size() == 0:
			return s.refuse(monthPath(name) + " is empty")
		case info.Size() < size:
			return s.refuse(fmt.Sprintf("%s has %d bytes and had %d", monthPath(name), info.Size(), size))
		}
	}
	for name := range names {
		s.compactAtStart(ctx, monthPath(name), func(size int64) error { return s.shrinkMonth(name, size) })
		m, err := s.openMonth(ctx, name)
		if err != nil {
			return err
		}
		s.history.months = append(s.history.months, m)
	}
	s.history.sort()
	return nil
}

func (h *history) sort() {
	slices.SortFunc(h.months, func(a, b *month) int { return strings.Compare(b.name, a.name) })
}

// openMonth opens a file that is there.
func (s *Store) openMonth(ctx context.Context, name string) (*month, error) {
	path := monthPath(name)
	file, err := s.folder.Root().Open(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := s.checkPages(ctx, path, file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	db, err := s.openBolt(path)
	if err != nil {
		return nil, errors.Join(s.refuse(path+": "+err.Error()), file.Close())
	}
	m := &month{name: name, db: db, file: file}
	if err := guardedView(db, func(tx *bolt.Tx) error {
		for _, name := range historyBuckets() {
			if tx.Bucket([]byte(name)) == nil {
				return fmt.Errorf("%s lacks the bucket %s", path, name)
			}
		}
		meta := tx.Bucket([]byte(bucketMeta))
		if owner := string(meta.Get([]byte(metaInstance))); owner != s.meta.InstanceID {
			return fmt.Errorf("%s belongs to another data folder", path)
		}
		return nil
	}); err != nil {
		return nil, errors.Join(s.refuse(err.Error()), m.close())
	}
	return m, nil
}

// monthFor returns the file of a month, new where there is none. The caller
// holds history.work.
func (s *Store) monthFor(ctx context.Context, name string) (*month, error) {
	for _, m := range s.monthList() {
		if m.name == name {
			return m, nil
		}
	}
	root := s.folder.Root()
	if err := root.MkdirAll(historyDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the history: %w", err)
	}
	meta := map[string][]byte{metaFormat: number(Format), metaInstance: []byte(s.meta.InstanceID), metaCreated: []byte(s.now().Format(time.RFC3339))}
	if err := s.makeBolt(monthPath(name), historyBuckets(), meta); err != nil {
		return nil, fmt.Errorf("make %s: %w", monthPath(name), err)
	}
	if err := errors.Join(folder.SyncDir(root, historyDir), folder.SyncDir(root, ".")); err != nil {
		return nil, err
	}
	m, err := s.openMonth(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := s.noteMonth(ctx, m); err != nil {
		return nil, errors.Join(err, m.close())
	}
	s.history.mu.Lock()
	defer s.history.mu.Unlock()
	s.history.months = append(s.history.months, m)
	s.history.sort()
	return m, nil
}

// noteMonth keeps in state.db that there is a month and how large its file
// is, so that a file that shrank or went away is seen.
func (s *Store) noteMonth(ctx context.Context, m *month) error {
	size, err := s.sizeOf(m)
	if err != nil {
		return err
	}
	return s.submit(ctx, &command{
		size: 128,
		check: func(tx *bolt.Tx) error {
			if bytes.Equal(tx.Bucket([]byte(bucketMonths)).Get([]byte(m.name)), size) {
				return errNothing
			}
			return nil
		},
		apply: func(tx *bolt.Tx) error { return putRaw(tx, bucketMonths, []byte(m.name), size) },
	})
}

func (s *Store) monthList() []*month {
	s.history.mu.RLock()
	defer s.history.mu.RUnlock()
	return slices.Clone(s.history.months)
}

// dropMonth takes away the file of a month that has no execution left. The
// caller holds history.work.
func (s *Store) dropMonth(ctx context.Context, m *month) error {
	if err := s.submit(ctx, &command{
		size: 128, check: func(*bolt.Tx) error { return nil },
		apply: func(tx *bolt.Tx) error { return remove(tx, bucketMonths, []byte(m.name)) },
	}); err != nil {
		return err
	}
	s.history.mu.Lock()
	s.history.months = slices.DeleteFunc(s.history.months, func(other *month) bool { return other == m })
	s.history.mu.Unlock()
	if err := errors.Join(m.close(), s.folder.Root().Remove(m.path())); err != nil {
		return fmt.Errorf("take away %s: %w", m.path(), err)
	}
	return folder.SyncDir(s.folder.Root(), historyDir)
}

// updateMonth writes to a month's file. A disk that is full is no end of the
// store: what was to be written is still in state.db.
func (s *Store) updateMonth(m *month, fn func(tx *bolt.Tx) error) error {
	err := s.tryMonth(m, fn)
	if err == nil || folder.IsFull(err) || errors.Is(err, errRefusedByFn) {
		return err
	}
	err = fmt.Errorf("commit to %s: %w", m.path(), err)
	s.fail(err)
	return err
}

// errRefusedByFn marks an error of what was to be written, not of the file.
var errRefusedByFn = errors.New("the history was not changed")

func (s *Store) tryMonth(m *month, fn func(tx *bolt.Tx) error) (err error) {
	begun := false
	defer guardBegun(&err, &begun)
	before := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(before)
	return m.db.Update(func(tx *bolt.Tx) error {
		begun = true
		if err := fn(tx); err != nil {
			return fmt.Errorf("%w: %w", errRefusedByFn, err)
		}
		if hook := s.options.beforeCommit; hook != nil {
			return hook()
		}
		return nil
	})
}

// guardedView reads one bbolt file inside a guard.
func guardedView(db *bolt.DB, fn func(tx *bolt.Tx) error) (err error) {
	begun := false
	defer guardBegun(&err, &begun)
	before := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(before)
	return db.View(func(tx *bolt.Tx) error {
		begun = true
		return fn(tx)
	})
}

// viewMonth reads one month as view reads state.db. The caller holds
// history.mu.
func (s *Store) viewMonth(m *month, fn func(tx *bolt.Tx) error) error {
	defer s.watch()()
	return s.look(m.db, fn)
}

// has reports whether a file has an execution.
func has(tx *bolt.Tx, id string) bool {
	return tx.Bucket([]byte(bucketExecutions)).Get([]byte(id)) != nil
}

// The values of the bucket trash: an execution that is deleted, or one that
// is in the history and of which rows are left in state.db.
var (
	trashDeleted = []byte{}
	trashMoved   = []byte("moved")
)

// deleted reports whether an execution is on its way out of everything.
func deleted(tx *bolt.Tx, id []byte) bool {
	value := tx.Bucket([]byte(bucketTrash)).Get(id)
	return value != nil && !bytes.Equal(value, trashMoved)
}

// viewOf reads the file that an execution is in at the moment. Each call finds
// it anew: a reader that needs several goes on where it was, as the keys are
// the same everywhere.
func (s *Store) viewOf(ctx context.Context, id string, fn func(tx *bolt.Tx) error) error {
	done := false
	err := s.view(ctx, func(tx *bolt.Tx) error {
		switch {
		case has(tx, id):
			done = true
			return fn(tx)
		case deleted(tx, []byte(id)):
			return notFound("execution", id)
		}
		return nil
	})
	if err != nil || done {
		return err
	}
	found, err := s.viewHistory(id, fn)
	if err == nil && !found {
		return notFound("execution", id)
	}
	return closedError(err)
}

// viewHistory reads the month that an execution is in; found is false where
// there is none.
func (s *Store) viewHistory(id string, fn func(tx *bolt.Tx) error) (found bool, err error) {
	s.history.mu.RLock()
	defer s.history.mu.RUnlock()
	for _, m := range s.history.months {
		err := s.viewMonth(m, func(tx *bolt.Tx) error {
			if found = has(tx, id); found {
				return fn(tx)
			}
			return nil
		})
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// viewAll reads all files together: state.db first, then the months, newest
// first. What moves or goes meanwhile is seen in one of them at least.
func (s *Store) viewAll(ctx context.Context, fn func(all []*bolt.Tx) error) error {
	return s.view(ctx, func(tx *bolt.Tx) error { return s.viewWith(tx, fn) })
}

// viewWith reads the months together with a transaction of state.db.
func (s *Store) viewWith(tx *bolt.Tx, fn func(all []*bolt.Tx) error) error {
	s.history.mu.RLock()
	defer s.history.mu.RUnlock()
	all := make([]*bolt.Tx, 1, 1+len(s.history.months))
	all[0] = tx
	return viewEach(s.history.months, all, fn)
}

// viewEach opens a transaction of each month, then calls fn.
func viewEach(months []*month, all []*bolt.Tx, fn func(all []*bolt.Tx) error) error {
	if len(months) == 0 {
		return fn(all)
	}
	return months[0].db.View(func(tx *bolt.Tx) error { return viewEach(months[1:], append(all, tx), fn) })
}

// readAnywhere copies an execution out of state.db or, where it is not there,
// out of the history.
func (s *Store) readAnywhere(tx *bolt.Tx, id string) (raw rawExecution, err error) {
	if has(tx, id) {
		return readExecution(tx, id)
	}
	if deleted(tx, []byte(id)) {
		return rawExecution{}, notFound("execution", id)
	}
	found, err := s.viewHistory(id, func(old *bolt.Tx) error {
		raw, err = readExecution(old, id)
		return err
	})
	if err == nil && !found {
		err = notFound("execution", id)
	}
	return raw, err
}

// pin keeps everything that there is until unpin.
func (s *Store) pin() (unpin func()) {
	s.history.work.Lock()
	defer s.history.work.Unlock()
	s.history.pins.Add(1)
	return func() { s.history.pins.Add(-1) }
}

func closedError(err error) error {
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return data.ErrClosed
	}
	return err
}

// freePages is how many of a file's pages are free, and how many there are.
func freePages(file *os.File) (free, all uint64, err error) {
	info, err := file.Stat()
	if err != nil {
		return 0, 0, err
	}
	snapshot, _, err := pages.Metas(file, info.Size())
	if err != nil {
		return 0, 0, err
	}
	free, err = pages.Free(file, snapshot)
	return free, snapshot.Pages, err
}

// wholePages looks at every page of a bbolt file that nobody writes to.
func wholePages(ctx context.Context, file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return wholeSection(ctx, file, info.Size())
}

// wholeSection is wholePages of a file inside another.
func wholeSection(ctx context.Context, file io.ReaderAt, size int64) error {
	snapshot, _, err := pages.Metas(file, size)
	if err != nil {
		return err
	}
	var problems []string
	if _, err := pages.Walk(ctx, file, snapshot, func(problem string) { problems = append(problems, problem) }); err != nil {
		return err
	}
	if len(problems) > 0 {
		return fmt.Errorf("%w: %s (%d problems)", record.ErrDamaged, problems[0], len(problems))
	}
	return nil
}
