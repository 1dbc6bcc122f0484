// Package logfile keeps the log and progress lines of executions as files,
// one for each attempt of a step: logs/EXECUTION/STEP.ATTEMPT.log, a line of
// JSON for each event, in the order of their Seq.
//
// A line is written to the file at once, so that it survives the process, and
// synced when somebody asks for it. Files are only appended to; a line that a
// crash cut short is cut off when the file is next used. It knows nothing of
// the journal.
package logfile

import (
	"container/list"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/folder"
)

// Dir is the folder, below the data folder, that holds all logs.
const Dir = "logs"

// DefaultLimit is the size, in bytes, at which the log of an attempt ends.
const DefaultLimit = 50 << 20

const (
	// maxOpen bounds the files that are held open for appending.
	maxOpen = 256
	// maxIdle and maxIdleFiles bound the executions that are remembered without
	// need, and their files; the latest one is, however many it has.
	maxIdle, maxIdleFiles = 64, 4096
	// syncers bounds the files that are synced at the same time.
	syncers = 8
)

// Logs are the logs of all executions. Its methods may be called from several
// goroutines at once.
type Logs struct {
	root  *os.Root
	limit int64
	// exists tells whether there is such an execution; nothing is written
	// for one that there is not.
	exists func(executionID string) error

	mu   sync.Mutex
	runs map[string]*run
	// open holds *file and idle *run, the least lately used at the back.
	open, idle *list.List
	// idleFiles counts the files of the idle ones.
	idleFiles int
}

// run is the logs of one execution.
type run struct {
	id string
	// users and idle, with the files that it had then, belong to Logs.mu, the
	// rest to mu.
	users     int
	idle      *list.Element
	idleFiles int

	mu     sync.Mutex
	loaded bool
	files  map[string]*file
	dirty  map[*file]struct{}
	opened int
	// made: the folder, or a file in it, is not durable by name yet.
	made bool
}

// file is the log of one attempt.
type file struct {
	run     *run
	name    string
	step    string
	attempt int
	// first and last are the Seq of the first and the last line, 0 where
	// there is none.
	first, last uint64
	size        int64
	// logs counts the lines of type step_log, -1 where nobody counted.
	logs    int
	capped  bool
	dropped uint64
	// marked is the number of dropped lines that the mark in the file says.
	marked uint64
	handle *os.File
	place  *list.Element
}

// New returns the logs below a data folder. A limit of 0 is DefaultLimit.
func New(root *os.Root, limit int64, exists func(executionID string) error) *Logs {
	if limit <= 0 {
		limit = DefaultLimit
	}
	return &Logs{root: root, limit: limit, exists: exists, runs: map[string]*run{}, open: list.New(), idle: list.New()}
}

// acquire returns an execution's logs, locked; release must follow.
func (l *Logs) acquire(id string) (*run, error) {
	if err := data.CheckID("execution", id); err != nil {
		return nil, err
	}
	l.mu.Lock()
	r := l.runs[id]
	if r == nil {
		r = &run{id: id, files: map[string]*file{}, dirty: map[*file]struct{}{}}
		l.runs[id] = r
	}
	r.users++
	l.settle(r, true)
	l.mu.Unlock()
	r.mu.Lock()
	if r.loaded {
		return r, nil
	}
	if err := l.load(r); err != nil {
		l.release(r)
		l.forget(r)
		return nil, fmt.Errorf("read the logs of execution %s: %w", id, err)
	}
	r.loaded = true
	return r, nil
}

func (l *Logs) release(r *run) {
	busy := r.opened > 0 || len(r.dirty) > 0 || r.made
	r.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	r.users--
	l.settle(r, busy)
}

// forget drops an execution that could not be read.
func (l *Logs) forget(r *run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.idle != nil {
		l.drop(r)
		delete(l.runs, r.id)
	}
}

// settle puts an execution among the idle ones or takes it from them. The
// caller holds l.mu.
func (l *Logs) settle(r *run, busy bool) {
	if r.idle != nil {
		l.drop(r)
	}
	if busy || r.users > 0 {
		return
	}
	r.idle, r.idleFiles = l.idle.PushFront(r), len(r.files)
	l.idleFiles += r.idleFiles
	for l.idle.Len() > maxIdle || l.idleFiles > maxIdleFiles && l.idle.Len() > 1 {
		oldest, _ := l.idle.Back().Value.(*run)
		l.drop(oldest)
		delete(l.runs, oldest.id)
	}
}

// drop takes an execution from the idle ones.
func (l *Logs) drop(r *run) {
	l.idle.Remove(r.idle)
	r.idle = nil
	l.idleFiles -= r.idleFiles
}

// load lists the files there are and cuts off what a crash cut short.
func (l *Logs) load(r *run) error {
	dir, err := l.root.Open(r.dir())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	names, err := dir.Readdirnames(-1)
	if err = errors.Join(err, dir.Close()); err != nil {
		return err
	}
	for _, name := range names {
		step, attempt, ok := parseName(name)
		if !ok {
			continue
		}
		f := &file{run: r, name: name, step: step, attempt: attempt, logs: -1}
		if err := l.inspect(f); err != nil {
			return fmt.Errorf("file %s: %w", name, err)
		}
		r.files[name] = f
	}
	return nil
}

func (r *run) dir() string { return Dir + "/" + r.id }

func (f *file) path() string { return f.run.dir() + "/" + f.name }

func fileName(step string, attempt int) string { return step + "." + strconv.Itoa(attempt) + ".log" }

func parseName(name string) (step string, attempt int, ok bool) {
	rest, isLog := strings.CutSuffix(name, ".log")
	step, number, found := strings.Cut(rest, ".")
	attempt, err := strconv.Atoi(number)
	return step, attempt, isLog && found && err == nil && fileName(step, attempt) == name && data.CheckID("step", step) == nil
}

// handleOf opens a file for appending where it is not open. The caller holds
// the lock of its execution.
func (l *Logs) handleOf(f *file) (*os.File, error) {
	if f.handle == nil {
		handle, err := l.root.OpenFile(f.path(), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if errors.Is(err, fs.ErrNotExist) {
			if err = l.root.MkdirAll(f.run.dir(), 0o700); err == nil {
				handle, err = l.root.OpenFile(f.path(), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("open a log: %w", err)
		}
		f.handle = handle
		f.run.opened++
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.place == nil {
		f.place = l.open.PushFront(f)
	} else {
		l.open.MoveToFront(f.place)
	}
	return f.handle, l.evict(f.run)
}

// evict closes files until few enough are open. The caller holds l.mu and the
// lock of its own execution; those of others are only tried, so that nobody
// waits in a circle.
func (l *Logs) evict(own *run) error {
	var failures []error
	for at := l.open.Back(); at != nil && at != l.open.Front() && l.open.Len() > maxOpen; {
		f, _ := at.Value.(*file)
		at = at.Prev()
		other := f.run != own
		if other && !f.run.mu.TryLock() {
			continue
		}
		failures = append(failures, l.shut(f))
		if other {
			busy := f.run.opened > 0 || len(f.run.dirty) > 0 || f.run.made
			f.run.mu.Unlock()
			l.settle(f.run, busy)
		}
	}
	return errors.Join(failures...)
}

// shut closes a file. The caller holds l.mu and the lock of its execution.
func (l *Logs) shut(f *file) error {
	if f.place != nil {
		l.open.Remove(f.place)
		f.place = nil
	}
	if f.handle == nil {
		return nil
	}
	handle := f.handle
	f.handle = nil
	f.run.opened--
	if err := handle.Close(); err != nil {
		return fmt.Errorf("close a log: %w", err)
	}
	return nil
}

// Remove deletes the logs of an execution.
func (l *Logs) Remove(executionID string) error {
	r, err := l.acquire(executionID)
	if err != nil {
		return err
	}
	defer l.release(r)
	l.mu.Lock()
	for _, f := range r.files {
		err = errors.Join(err, l.shut(f))
	}
	l.mu.Unlock()
	clear(r.files)
	clear(r.dirty)
	r.made = false
	if err = errors.Join(err, l.root.RemoveAll(r.dir())); err != nil {
		return fmt.Errorf("delete the logs of execution %s: %w", executionID, err)
	}
	return nil
}

// Close syncs and closes everything. Nobody may use the logs any more.
func (l *Logs) Close() error {
	l.mu.Lock()
	ids := make([]string, 0, len(l.runs))
	for id := range l.runs {
		ids = append(ids, id)
	}
	l.mu.Unlock()
	var failures []error
	for _, id := range ids {
		failures = append(failures, l.Sync(id), l.closeRun(id))
	}
	return errors.Join(failures...)
}

func (l *Logs) closeRun(id string) error {
	r, err := l.acquire(id)
	if err != nil {
		return err
	}
	defer l.release(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range r.files {
		err = errors.Join(err, l.shut(f))
	}
	return err
}

func syncDir(root *os.Root, name string) error { return folder.SyncDir(root, name) }
