package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/storetest"
)

// A read that meets a file that is gone leaves bbolt's locks held: what comes
// next must be told so, and not wait for good.
func TestCase97ReadOfADatabaseThatIsGoneEndsTheStore(t *testing.T) {
	ctx := context.Background()
	failed := make(chan error, 1)
	dir := t.TempDir()
	s := open(t, Options{Dir: dir, OnFatal: func(err error) { failed <- err }})
	<-s.tidied
	need(t, os.Truncate(filepath.Join(dir, "state.db"), 0))
	if _, err := s.Workflow(ctx, "none"); !errors.Is(err, errPanic) {
		t.Errorf("the read that met it was told %v", err)
	}
	if err := <-failed; !errors.Is(err, errHeld) {
		t.Errorf("the end of the store is told as %v", err)
	}
	if err := s.PutFileChecksum(ctx, "a", "x"); !errors.Is(err, data.ErrClosed) {
		t.Errorf("a write was told %v", err)
	}
	if _, err := s.Workflow(ctx, "none"); !errors.Is(err, data.ErrClosed) {
		t.Errorf("another read was told %v", err)
	}
	need(t, s.Close())
}

func TestCase97FailedCommitEndsTheStore(t *testing.T) {
	ctx := context.Background()
	var broken atomic.Bool
	var fatal []error
	dir := t.TempDir()
	s := open(t, Options{
		Dir: dir, OnFatal: func(err error) { fatal = append(fatal, err) },
		beforeCommit: func() error {
			if broken.Load() {
				return syscall.EIO
			}
			return nil
		},
	})
	life := start(t, s, 1, "release")
	broken.Store(true)
	var group sync.WaitGroup
	for n := range 20 {
		group.Go(func() {
			if err := s.PutFileChecksum(ctx, storetest.ID(n), "x"); !errors.Is(err, syscall.EIO) && !errors.Is(err, data.ErrClosed) {
				t.Errorf("a waiter was told %v", err)
			}
		})
	}
	group.Wait()
	broken.Store(false)
	if err := s.Append(ctx, life.End(plan.StatusSuccess)); !errors.Is(err, syscall.EIO) || !errors.Is(err, data.ErrClosed) {
		t.Errorf("append after the failure: %v", err)
	}
	if _, err := s.Execution(ctx, life.Header.ID); !errors.Is(err, data.ErrClosed) {
		t.Errorf("read after the failure: %v", err)
	}
	need(t, s.Close())
	if len(fatal) != 1 || !errors.Is(fatal[0], syscall.EIO) {
		t.Errorf("fatal errors are %v", fatal)
	}
	checked := make(chan data.Report, 1)
	s = open(t, Options{Dir: dir, OnCheck: func(report data.Report, err error) {
		if err != nil {
			t.Error(err)
		}
		checked <- report
	}})
	if s.Meta().Clean {
		t.Error("the stop counts as clean")
	}
	if report := <-checked; !report.OK() || report.Executions != 1 {
		t.Errorf("the check found %+v", report)
	}
	if e, err := s.Execution(ctx, life.Header.ID); err != nil || e.Status != plan.StatusRunning {
		t.Errorf("execution is %s, %v", e.Status, err)
	}
}

func TestFailedLogSyncEndsTheStore(t *testing.T) {
	failed := make(chan error, 1)
	s := open(t, Options{OnFatal: func(err error) { failed <- err }})
	life := start(t, s, 1, "release")
	id := life.Header.ID
	need(t, s.AppendLog(id, "build", 1, life.Line("build", 1, pluginsdk.LevelInfo, "x")))
	need(t, s.CloseLog(id, "build", 1))
	need(t, os.Remove(filepath.Join(s.folder.Dir(), "logs", id, "build.1.log")))
	if err := s.SyncLogs(id); err == nil {
		t.Error("the sync succeeded")
	}
	if err := <-failed; err == nil {
		t.Error("no fatal error")
	}
	if err := s.Append(context.Background(), life.End(plan.StatusSuccess)); !errors.Is(err, data.ErrClosed) {
		t.Errorf("append after it: %v", err)
	}
}

func TestFullDiskParksUntilThereIsRoom(t *testing.T) {
	ctx := context.Background()
	full, tries := atomic.Bool{}, make(chan struct{}, 1000)
	s := open(t, Options{fullRetry: time.Millisecond, beforeCommit: func() error {
		if !full.Load() {
			return nil
		}
		tries <- struct{}{}
		return syscall.ENOSPC
	}})
	life, other := start(t, s, 1, "release"), start(t, s, 2, "release")
	full.Store(true)
	appended := make(chan error, 1)
	go func() { appended <- s.Append(ctx, life.End(plan.StatusSuccess)) }()
	<-tries
	<-tries
	_, _, err := s.Create(ctx, storetest.NewLife(storetest.ID(3), "release", time.Now()).Creation())
	if !errors.Is(err, engine.ErrStoreFull) {
		t.Errorf("create: %v", err)
	}
	if err := s.PutSession(ctx, "h", data.Session{}); !errors.Is(err, engine.ErrStoreFull) {
		t.Errorf("put a session: %v", err)
	}
	if stats, err := s.Stats(ctx); err != nil || !stats.Full {
		t.Errorf("stats are %+v, %v", stats, err)
	}
	if e, err := s.Execution(ctx, life.Header.ID); err != nil || e.Status != plan.StatusRunning {
		t.Errorf("a read while the disk is full: %s, %v", e.Status, err)
	}
	impatient, cancel := context.WithCancel(ctx)
	given := make(chan error, 1)
	go func() { given <- s.Append(impatient, other.Move(plan.ProgressMade, plan.StatusRunning)) }()
	cancel()
	if err := <-given; !errors.Is(err, context.Canceled) {
		t.Errorf("an append that was given up: %v", err)
	}
	full.Store(false)
	if err := <-appended; err != nil {
		t.Errorf("the waiting append: %v", err)
	}
	if e, err := s.Execution(ctx, life.Header.ID); err != nil || e.Status != plan.StatusSuccess {
		t.Errorf("execution is %s, %v", e.Status, err)
	}
	if _, created, err := s.Create(ctx, storetest.NewLife(storetest.ID(4), "release", time.Now()).Creation()); err != nil || !created {
		t.Errorf("create with room: %v", err)
	}
}

func TestFullDiskDoesNotHoldUpTheStop(t *testing.T) {
	full, tries := atomic.Bool{}, make(chan struct{}, 1000)
	s := open(t, Options{fullRetry: time.Hour, beforeCommit: func() error {
		if !full.Load() {
			return nil
		}
		tries <- struct{}{}
		return syscall.ENOSPC
	}})
	life := start(t, s, 1, "release")
	full.Store(true)
	appended := make(chan error, 1)
	go func() { appended <- s.Append(context.Background(), life.End(plan.StatusSuccess)) }()
	<-tries
	need(t, s.Close())
	if err := <-appended; !errors.Is(err, engine.ErrStoreFull) {
		t.Errorf("append: %v", err)
	}
}

func TestLittleRoomRefusesNewExecutions(t *testing.T) {
	free := atomic.Uint64{}
	free.Store(minFree)
	s := open(t, Options{free: func() (uint64, error) { return free.Load(), nil }})
	life := start(t, s, 1, "release")
	free.Store(minFree - 1)
	_, _, err := s.Create(context.Background(), storetest.NewLife(storetest.ID(2), "release", time.Now()).Creation())
	if !errors.Is(err, engine.ErrStoreFull) {
		t.Errorf("create: %v", err)
	}
	need(t, s.Append(context.Background(), life.End(plan.StatusSuccess)))
}

func TestCommandThatFailsWhileItWritesIsTakenBackAlone(t *testing.T) {
	s := open(t, Options{})
	pass := func(*bolt.Tx) error { return nil }
	write := func(key string) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error { return put(tx, bucketFileKeys, []byte(key), []byte("x")) }
	}
	failure := errors.New("half done")
	batch := []*command{
		{check: pass, apply: write("a")},
		{check: pass, apply: func(tx *bolt.Tx) error { return errors.Join(write("bad")(tx), failure) }},
		{check: func(*bolt.Tx) error { return failure }, apply: write("refused")},
		{check: pass, apply: write("b")},
		{check: func(*bolt.Tx) error { return errNothing }, apply: write("nothing")},
	}
	// While one command holds the writer, the others come together.
	held, release := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	var once sync.Once
	group.Go(func() {
		err := s.submit(context.Background(), &command{apply: pass, check: func(*bolt.Tx) error {
			once.Do(func() { close(held); <-release })
			return nil
		}})
		if err != nil {
			t.Error(err)
		}
	})
	<-held
	failures := make([]error, len(batch))
	for i, c := range batch {
		group.Go(func() { failures[i] = s.submit(context.Background(), c) })
	}
	close(release)
	group.Wait()
	for i, wrong := range []bool{false, true, true, false, false} {
		if errors.Is(failures[i], failure) != wrong {
			t.Errorf("command %d: %v", i, failures[i])
		}
	}
	for key, want := range map[string]bool{"a": true, "bad": false, "refused": false, "b": true, "nothing": false} {
		if _, found, err := s.FileChecksum(context.Background(), key); err != nil || found != want {
			t.Errorf("key %s: %v, %v", key, found, err)
		}
	}
}

func TestPanicInTheDatabaseIsAnError(t *testing.T) {
	failed := make(chan error, 1)
	s := open(t, Options{OnFatal: func(err error) { failed <- err }})
	err := s.view(context.Background(), func(*bolt.Tx) error { panic("page 7: invalid page type") })
	if !errors.Is(err, errPanic) {
		t.Errorf("a read that panics: %v", err)
	}
	if _, err := s.Stats(context.Background()); err != nil {
		t.Errorf("a read after it: %v", err)
	}
	err = s.submit(context.Background(), &command{
		check: func(*bolt.Tx) error { return nil },
		apply: func(*bolt.Tx) error { panic("page 7: invalid page type") },
	})
	if !errors.Is(err, data.ErrClosed) || !errors.Is(<-failed, errPanic) {
		t.Errorf("a write that panics: %v", err)
	}
}

func TestClosedStoreSaysSo(t *testing.T) {
	ctx := context.Background()
	s := open(t, Options{})
	life := start(t, s, 1, "release")
	need(t, s.Close())
	need(t, s.Close())
	for name, err := range map[string]error{
		"append": s.Append(ctx, life.End(plan.StatusSuccess)),
		"read":   second(s.Execution(ctx, life.Header.ID)),
		"check":  second(s.Check(ctx)),
	} {
		if !errors.Is(err, data.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestStoreOfAnOlderStartIsFenced(t *testing.T) {
	failed := make(chan error, 1)
	s := open(t, Options{OnFatal: func(err error) { failed <- err }})
	life := start(t, s, 1, "release")
	// As if another process had raised the epoch in the same file.
	need(t, s.db.Update(func(tx *bolt.Tx) error {
		return putRaw(tx, bucketMeta, []byte(metaEpoch), number(s.meta.BootEpoch+1))
	}))
	if err := s.Append(context.Background(), life.End(plan.StatusSuccess)); !errors.Is(err, data.ErrFenced) {
		t.Errorf("append: %v", err)
	}
	<-failed
}

func TestDeletionThatWasCutShortIsFinished(t *testing.T) {
	ctx := context.Background()
	s := open(t, Options{})
	life := start(t, s, 1, "release")
	id := life.Header.ID
	need(t, s.AppendLog(id, "build", 1, life.Line("build", 1, pluginsdk.LevelInfo, "x")))
	need(t, s.SyncLogs(id))
	for range 3 * clearRows {
		need(t, s.Append(ctx, life.Move(plan.ProgressMade, plan.StatusRunning)))
		if life.Seq()%100 == 0 { // Many in one commit are quicker to make.
			commit := life.Move(plan.ProgressMade, plan.StatusRunning)
			for range 400 {
				commit.Events = append(commit.Events, life.Event(plan.ProgressMade))
			}
			need(t, s.Append(ctx, commit))
		}
		if life.Seq() > 3*clearRows {
			break
		}
	}
	need(t, s.Append(ctx, life.End(plan.StatusSuccess)))
	var gone rawExecution
	need(t, s.submit(ctx, &command{
		check: func(tx *bolt.Tx) (err error) {
			gone, err = readExecution(tx, id)
			return err
		},
		apply: func(tx *bolt.Tx) error { return trash(tx, &gone) },
	}))
	if _, _, err := s.Create(ctx, storetest.NewLife(id, "release", time.Now()).Creation()); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("an id whose events are still there was given again: %v", err)
	}
	s = reopen(t, s, Options{})
	<-s.tidied
	need(t, s.view(ctx, func(tx *bolt.Tx) error {
		for _, from := range []bucket{bucketTrash, bucketEvents, bucketSteps} {
			if key, _ := tx.Bucket([]byte(from)).Cursor().First(); key != nil {
				t.Errorf("bucket %s still has %q", from, key)
			}
		}
		return nil
	}))
	if _, err := os.Stat(filepath.Join(s.folder.Dir(), "logs", id)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the logs are still there: %v", err)
	}
}

func TestOldKeysAndSessionsAreClearedAway(t *testing.T) {
	ctx := context.Background()
	clock := storetest.NewClock()
	s := open(t, Options{Now: clock.Now})
	keyed := func(n int) {
		t.Helper()
		creation := storetest.NewLife(storetest.ID(n), "release", clock.Now()).Creation()
		creation.IdempotencyKey = storetest.ID(n)
		if _, _, err := s.Create(ctx, creation); err != nil {
			t.Fatal(err)
		}
		need(t, s.PutSession(ctx, storetest.ID(n), data.Session{Expires: clock.Now().Add(time.Hour)}))
	}
	for n := range 2 * keySweep {
		keyed(n)
	}
	clock.Advance(keyLife)
	for n := range 4 {
		keyed(1000 + n)
	}
	need(t, s.view(ctx, func(tx *bolt.Tx) error {
		for from, want := range map[bucket]int{bucketKeys: 4, bucketKeysByTime: 4, bucketSessions: 4} {
			if got := tx.Bucket([]byte(from)).Stats().KeyN; got != want {
				t.Errorf("bucket %s has %d entries, want %d", from, got, want)
			}
		}
		return nil
	}))
}

func TestDefinitionIsKeptOnce(t *testing.T) {
	ctx := context.Background()
	s := open(t, Options{})
	_, err := s.CreateWorkflow(ctx, storetest.NewWorkflow("release", "Release"))
	need(t, err)
	count := func() (n int) {
		need(t, s.view(ctx, func(tx *bolt.Tx) error {
			n = tx.Bucket([]byte(bucketDefinitions)).Stats().KeyN
			return nil
		}))
		return n
	}
	for n := 1; n <= 3; n++ {
		need(t, s.Append(ctx, start(t, s, n, "release").End(plan.StatusSuccess)))
	}
	if count() != 1 {
		t.Errorf("%d definitions", count())
	}
	need(t, s.DeleteWorkflow(ctx, "release"))
	for n := 1; n <= 3; n++ {
		if count() != 1 {
			t.Errorf("%d definitions before execution %d goes", count(), n)
		}
		need(t, s.DeleteExecution(ctx, storetest.ID(n)))
	}
	if count() != 0 {
		t.Errorf("%d definitions are left", count())
	}
}

func TestLinesBehindAGapAreCutAfterACrash(t *testing.T) {
	ctx := context.Background()
	s := open(t, Options{})
	life := start(t, s, 1, "release")
	id := life.Header.ID
	need(t, s.AppendLog(id, "a", 1, life.Line("a", 1, pluginsdk.LevelInfo, "three")))
	need(t, s.AppendLog(id, "b", 1, life.Line("b", 1, pluginsdk.LevelInfo, "four")))
	life.Line("a", 1, pluginsdk.LevelInfo, "five, which a power cut took")
	need(t, s.AppendLog(id, "b", 1, life.Line("b", 1, pluginsdk.LevelInfo, "six")))
	need(t, s.Close())
	dir := s.options.Dir
	unclean(t, dir)
	path := filepath.Join(dir, "logs", id, "a.1.log")
	content, err := os.ReadFile(path)
	need(t, err)
	need(t, os.WriteFile(path, append(content, `{"event":"step_log","se`...), 0o600))

	s = open(t, Options{Dir: dir})
	if last, err := s.LastLogSeq(id); err != nil || last != 4 {
		t.Errorf("last is %d, %v", last, err)
	}
	if events := allEvents(t, s, id); len(events) != 4 {
		t.Errorf("%d events", len(events))
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, content) {
		t.Errorf("the torn line is still there: %q, %v", after, err)
	}
	if events, err := s.Events(ctx, id, 2, 0); err != nil || events[0].Message != "three" {
		t.Errorf("events are %v, %v", events, err)
	}
}

// unclean takes the mark of a clean stop away.
func unclean(t *testing.T, dir string) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(dir, databaseName), 0o600, nil)
	need(t, err)
	need(t, db.Update(func(tx *bolt.Tx) error { return putRaw(tx, bucketMeta, []byte(metaClean), number(0)) }))
	need(t, db.Close())
}

func TestLiveExecutionThatIsDamagedIsSeenBeforeTheStart(t *testing.T) {
	s := open(t, Options{})
	life := start(t, s, 1, "release")
	need(t, s.Close())
	dir := s.options.Dir
	unclean(t, dir)
	db, err := bolt.Open(filepath.Join(dir, databaseName), 0o600, nil)
	need(t, err)
	need(t, db.Update(func(tx *bolt.Tx) error {
		key := eventKey(life.Header.ID, 1, 0)
		value := bytes.Clone(tx.Bucket([]byte(bucketEvents)).Get(key))
		value[len(value)-3] ^= 1
		return tx.Bucket([]byte(bucketEvents)).Put(key, value)
	}))
	need(t, db.Close())
	if _, err := Open(context.Background(), Options{Dir: dir}); !errors.As(err, new(*RefusedError)) {
		t.Errorf("error is %v", err)
	}
}
