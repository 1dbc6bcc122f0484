// Package store keeps everything of a host in a data folder: workflows and
// their revisions, executions with their events, logs and outputs, sessions,
// and what plugins said of themselves.
//
// What a method reports as kept survives kill -9 and a power cut. One
// goroutine writes; it commits together what is waiting together. It judges
// no workflow and runs none: package memory is its twin without a folder.
//
// The folder holds LOCK and INSTANCE (whose it is), state.db (a bbolt file,
// keys.go draws its buckets), history/ (executions that ended, by month),
// logs/, blobs/ and backup/.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/folder"
	"github.com/vwmp/vwmp/store/internal/logfile"
)

// Format is the version of the data folder that this code writes.
const Format = data.StoreFormat

const databaseName = "state.db"

// Options of a Store; all but Dir are optional.
type Options struct {
	// Dir is the data folder; it is made where it is missing.
	Dir    string
	Logger *slog.Logger
	Now    func() time.Time
	// LogLimit is the size, in bytes, at which the log of an attempt ends;
	// 50 MiB where it is 0.
	LogLimit int64
	// InitialMmapSize is how much address space, in bytes, the file takes
	// from the start; it is no memory. Where it is 0 it is 4 GiB on 64-bit
	// Unix, and as much as the file has elsewhere.
	InitialMmapSize int
	// OnFatal is called once when the store can't go on: the process must
	// end, and its next start looks at what there is.
	OnFatal func(error)
	// OnCommit is told of each transaction that was committed: how long it
	// took, and how many commands it held. It must not block.
	OnCommit func(took time.Duration, commands int)
	// OnCheck is told the outcome of the check of the whole file that
	// follows a stop that was not clean.
	OnCheck func(data.Report, error)

	// Retention says what of the ended executions is kept; its zero value
	// keeps all.
	Retention data.Retention
	// MoveAfter is how long an ended execution stays in state.db before it
	// moves into the history; 10 minutes where it is 0.
	MoveAfter time.Duration

	// For tests: what a commit meets, the room on the disk, and how long
	// the writer waits for more of it.
	beforeCommit func() error
	free         func() (uint64, error)
	fullRetry    time.Duration
	// compactFrom is the size from which a start compacts a file.
	compactFrom int64
	// slowRead is from when a read that took long is reported, and stuckRead
	// when one that does not end is.
	slowRead, stuckRead time.Duration
}

// Store is an open data folder. Its methods may be called from several
// goroutines at once.
type Store struct {
	options Options
	log     *slog.Logger
	folder  *folder.Folder
	db      *bolt.DB
	// file is the database read by itself, for its size and its pages.
	file *os.File
	logs *logfile.Logs
	meta data.Meta

	// writing is held by whoever commits; within counts who waits for that.
	writing sync.Mutex
	within  atomic.Int32
	queue   chan *command
	closing chan struct{}
	stopped chan struct{}
	// stuck is closed when nobody can begin a transaction any more; see errHeld.
	stuck chan struct{}
	// history is the executions that ended, by month.
	history history
	// recent are outputs that were kept just now; see blobs.go.
	recent recentBlobs
	// background moves, clears and sweeps, and checks after a stop that was
	// not clean.
	background sync.WaitGroup
	// tidied is closed after the check.
	tidied   chan struct{}
	cancel   context.CancelFunc
	closed   sync.Once
	closeErr error

	// instance belongs to who holds writing.
	instance   folder.Instance
	full       atomic.Bool
	fatal      atomic.Pointer[error]
	commits    atomic.Uint64
	commands   atomic.Uint64
	lastCommit atomic.Int64
	reads      readWatch
}

var (
	_ engine.Journal    = (*Store)(nil)
	_ engine.Blobs      = (*Store)(nil)
	_ engine.LogSink    = (*Store)(nil)
	_ data.Workflows    = (*Store)(nil)
	_ data.Executions   = (*Store)(nil)
	_ data.Sessions     = (*Store)(nil)
	_ data.Descriptions = (*Store)(nil)
	_ data.Secrets      = (*Store)(nil)
	_ data.Accounts     = (*Store)(nil)
	_ data.Audit        = (*Store)(nil)
	_ data.Triggers     = (*Store)(nil)
	_ data.Plugins      = (*Store)(nil)
	_ data.System       = (*Store)(nil)
	_ data.Backups      = (*Store)(nil)
)

// LockedError says which process holds the data folder.
type LockedError = folder.LockedError

func (o *Options) complete() {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.InitialMmapSize == 0 {
		o.InitialMmapSize = defaultMmapSize()
	}
	if o.OnFatal == nil {
		o.OnFatal = func(error) {}
	}
	if o.OnCommit == nil {
		o.OnCommit = func(time.Duration, int) {}
	}
	if o.OnCheck == nil {
		o.OnCheck = func(data.Report, error) {}
	}
	if o.fullRetry == 0 {
		o.fullRetry = fullRetry
	}
	if o.slowRead == 0 {
		o.slowRead = slowRead
	}
	if o.stuckRead == 0 {
		o.stuckRead = stuckRead
	}
	if o.compactFrom == 0 {
		o.compactFrom = compactFrom
	}
	if o.MoveAfter == 0 {
		o.MoveAfter = moveAfter
	}
}

// Open takes a data folder into use. It is a *LockedError where another
// process has it, a *RefusedError where its database must not be used. It
// ends before the whole file is checked; see Options.OnCheck.
func Open(ctx context.Context, options Options) (*Store, error) {
	options.complete()
	held, err := folder.Open(options.Dir)
	if err != nil {
		return nil, err
	}
	s := &Store{
		options: options, log: options.Logger, folder: held,
		queue: make(chan *command, maxBatch), closing: make(chan struct{}), stopped: make(chan struct{}), stuck: make(chan struct{}), tidied: make(chan struct{}),
	}
	if s.options.free == nil {
		s.options.free = held.Free
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.abandon())
	}
	return s, nil
}

// start opens what is in the folder, and begins to write.
func (s *Store) start(ctx context.Context) error {
	if err := s.openDatabase(ctx); err != nil {
		return err
	}
	s.logs = logfile.New(s.folder.Root(), s.options.LogLimit, s.exists)
	if !s.meta.Clean {
		s.log.Warn("the store was not closed when it was last used; checking what was going on")
		if err := s.afterCrash(ctx); err != nil {
			return s.refuse(err.Error())
		}
	}
	if err := s.sweepBlobs(); err != nil {
		return err
	}
	if err := s.begin(); err != nil {
		return err
	}
	go s.write()
	background, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.background.Go(func() {
		s.tidy(background)
		close(s.tidied)
		s.tendAlways(background)
	})
	return nil
}

// begin raises the boot epoch and takes the mark of a clean stop away.
func (s *Store) begin() (err error) {
	defer guard(&err)
	s.meta.BootEpoch++
	if err := s.db.Update(func(tx *bolt.Tx) error {
		for _, name := range addedBuckets() {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return fmt.Errorf("make bucket %s: %w", name, err)
			}
		}
		if err := putRaw(tx, bucketMeta, []byte(metaEpoch), number(s.meta.BootEpoch)); err != nil {
			return err
		}
		return putRaw(tx, bucketMeta, []byte(metaClean), number(0))
	}); err != nil {
		return fmt.Errorf("begin to use the store: %w", err)
	}
	s.noteSize()
	return nil
}

// tidy does what need not be done before the start: it finishes deletions
// that a stop cut short and, after a crash, checks the whole file.
func (s *Store) tidy(ctx context.Context) {
	if err := s.working(func() error { return s.emptyTrash(ctx) }); err != nil && ctx.Err() == nil {
		s.log.Warn("deleted executions could not be cleared away", "error", err)
	}
	if s.meta.Clean {
		return
	}
	report, err := s.Check(ctx)
	if ctx.Err() != nil {
		return
	}
	for _, problem := range report.Problems {
		s.log.Error("the store is inconsistent", "problem", problem)
	}
	s.options.OnCheck(report, err)
}

// Close lets commands that were handed over come to their end, and closes
// everything. It may be called twice.
func (s *Store) Close() error {
	s.closed.Do(func() {
		done := make(chan error, 1)
		go func() { done <- s.close() }()
		select {
		case s.closeErr = <-done:
		case <-s.stuck:
			// What waits for a lock of the database waits until the process ends.
			select {
			case s.closeErr = <-done:
			case <-time.After(stuckClose):
				s.closeErr = errors.Join(s.gone(), s.folder.Close())
			}
		}
	})
	return s.closeErr
}

// stuckClose is how long Close waits for what needs no lock of a database that
// holds whoever asks for one.
const stuckClose = time.Second

func (s *Store) close() error {
	s.cancel()
	s.background.Wait()
	close(s.closing)
	<-s.stopped
	err := s.logs.Close()
	if s.fatal.Load() == nil && err == nil {
		err = s.markClean()
	}
	return errors.Join(err, s.abandon())
}

func (s *Store) markClean() (err error) {
	defer guard(&err)
	if err := s.db.Update(func(tx *bolt.Tx) error {
		return putRaw(tx, bucketMeta, []byte(metaClean), number(1))
	}); err != nil {
		return fmt.Errorf("note the clean stop: %w", err)
	}
	s.noteSize()
	return nil
}

// abandon closes files and lets the folder go.
func (s *Store) abandon() error {
	var failures []error
	select {
	case <-s.stuck:
		// Closing a database takes its locks.
	default:
		for _, m := range s.monthList() {
			failures = append(failures, m.close())
		}
		if s.db != nil {
			failures = append(failures, s.db.Close())
		}
	}
	if s.file != nil {
		failures = append(failures, s.file.Close())
	}
	return errors.Join(append(failures, s.folder.Close())...)
}

// Meta identifies the store; Clean is about the stop before this start.
func (s *Store) Meta() data.Meta { return s.meta }

// Stats implements data.System.
func (s *Store) Stats(ctx context.Context) (data.Stats, error) {
	stats := data.Stats{
		Commits: s.commits.Load(), Commands: s.commands.Load(),
		LastCommit: time.Duration(s.lastCommit.Load()), Full: s.full.Load(),
	}
	err := s.view(ctx, func(tx *bolt.Tx) error {
		meta := tx.Bucket([]byte(bucketMeta))
		stats.FileSize = tx.Size()
		for name, to := range map[string]*int{metaWorkflows: &stats.Workflows, metaExecutions: &stats.Executions, metaLive: &stats.Live} {
			*to = int(numberOf(meta.Get([]byte(name)))) //nolint:gosec // Counts are small.
		}
		return nil
	})
	return stats, err
}

// now is the time as it is kept.
func (s *Store) now() time.Time { return s.options.Now().UTC().Round(0) }

func (s *Store) exists(id string) error {
	return s.view(context.Background(), func(tx *bolt.Tx) error {
		if tx.Bucket([]byte(bucketExecutions)).Get([]byte(id)) == nil {
			return notFound("execution", id)
		}
		return nil
	})
}

// defaultMmapSize is enough that the file never has to be mapped anew, for
// which all readers would have to end.
func defaultMmapSize() int {
	if strconv.IntSize < 64 || !unixSystem {
		return 0
	}
	size := int64(4) << 30
	return int(size)
}
