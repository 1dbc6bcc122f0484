// Package memory is a store for one process: what a run without a data folder
// uses, and what tests use that want a store to fail on purpose.
//
// It behaves as package store does, keeps nothing beyond the process, and
// links no database. Nothing bounds its size.
package memory

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
)

// ErrCrash is what a store says from a Fault on until Reopen.
var ErrCrash = errors.New("the store crashed")

// DefaultLogLimit is the size, in bytes, at which the log of an attempt ends.
const DefaultLogLimit = 50 << 20

// Fault is how a commit fails on purpose. After any fault every later write
// fails with ErrCrash until Reopen, as if the process had died.
type Fault int

// The faults.
const (
	// FaultNone: the commit succeeds and the store goes on.
	FaultNone Fault = iota
	// FaultNotApplied: the commit is lost and its caller told.
	FaultNotApplied
	// FaultApplied: the commit is kept and its caller told so.
	FaultApplied
	// FaultUnreported: the commit is kept although its caller is told that
	// it failed.
	FaultUnreported
)

// Options of a Store; all are optional.
type Options struct {
	Now func() time.Time
	// LogLimit is the size, in bytes, at which the log of an attempt ends.
	LogLimit int64
	// FailCommit is asked before the n-th commit since New, counted from 1.
	FailCommit func(n int) Fault
}

// Store keeps everything in maps. Its methods may be called from several
// goroutines at once.
type Store struct {
	options Options

	mu         sync.RWMutex
	meta       data.Meta
	crashed    bool
	closed     bool
	commits    int
	lastCommit time.Duration

	workflows  map[string]*workflow
	executions map[string]*execution
	// order is all executions, oldest first.
	order        []data.Position
	keys         map[workflowKey]idempotency
	blobs        map[string][]byte
	descriptions map[string][]byte
	checksums    map[string]string
	sessions     map[string]data.Session
	secrets      map[string]data.Secret
	keyCheck     []byte
	triggers     map[string][]byte
	plugins      map[string][]byte
	users        map[string]data.User
	tokens       map[string]data.Token
	audit        []data.AuditRecord
	rights       map[string]data.Rights
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
)

// New returns an empty store.
func New(options Options) *Store {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.LogLimit <= 0 {
		options.LogLimit = DefaultLogLimit
	}
	return &Store{
		options:   options,
		meta:      data.Meta{InstanceID: uuid.NewString(), Format: data.StoreFormat, BootEpoch: 1, Clean: true},
		workflows: map[string]*workflow{}, executions: map[string]*execution{}, keys: map[workflowKey]idempotency{},
		blobs: map[string][]byte{}, descriptions: map[string][]byte{}, checksums: map[string]string{},
		sessions: map[string]data.Session{}, secrets: map[string]data.Secret{}, triggers: map[string][]byte{}, plugins: map[string][]byte{},
		users: map[string]data.User{}, tokens: map[string]data.Token{}, rights: map[string]data.Rights{},
	}
}

// Reopen does what a new start does to a store on disk: it ends a crash or a
// Close and raises the boot epoch. Everything that was kept is still there.
func (s *Store) Reopen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meta.Clean, s.crashed, s.closed = s.closed, false, false
	s.meta.BootEpoch++
}

// Close ends the store; later writes fail with data.ErrClosed.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// writable says why nothing can be written, if so.
func (s *Store) writable() error {
	switch {
	case s.crashed:
		return ErrCrash
	case s.closed:
		return data.ErrClosed
	}
	return nil
}

// Commits counts the commits since New, failed ones included.
func (s *Store) Commits() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.commits
}

// Meta identifies the store.
func (s *Store) Meta() data.Meta {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.meta
}

// commit keeps what apply does, unless a fault comes up. The caller holds the
// lock and has checked everything that can be refused.
func (s *Store) commit(apply func()) error {
	if err := s.writable(); err != nil {
		return err
	}
	s.commits++
	fault := FaultNone
	if s.options.FailCommit != nil {
		fault = s.options.FailCommit(s.commits)
	}
	s.crashed = fault != FaultNone
	if fault == FaultNotApplied {
		return ErrCrash
	}
	started := time.Now()
	apply()
	s.lastCommit = time.Since(started)
	if fault == FaultUnreported {
		return ErrCrash
	}
	return nil
}

func (s *Store) now() time.Time { return s.options.Now().UTC().Round(0) }

// place returns where a position stands in order, or belongs.
func (s *Store) place(position data.Position) (int, bool) {
	return slices.BinarySearchFunc(s.order, position, func(a, b data.Position) int {
		switch {
		case a.Before(b):
			return -1
		case b.Before(a):
			return 1
		}
		return 0
	})
}
