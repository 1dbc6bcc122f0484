// Package storetest is the contract of a store: one suite that every
// implementation runs, and the lives of executions that its tests are told
// with. It tests behaviour, not durability: a crash is a matter of each store.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
)

// Backend is a whole store.
type Backend interface {
	engine.Journal
	engine.Blobs
	engine.LogSink
	data.Workflows
	data.Executions
	data.Sessions
	data.Descriptions
	data.Secrets
	data.Accounts
	data.Audit
	data.Triggers
	data.Plugins
	data.System
	ExecutionDocument(ctx context.Context, id string) (json.RawMessage, error)
	Close() error
}

// Options are what the suite asks of a new store.
type Options struct {
	Now func() time.Time
	// LogLimit is the size of an attempt's log in bytes, 0 for the default.
	LogLimit int64
}

// Clock is a time that tests move.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts at a fixed time.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)} }

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock and returns its time.
func (c *Clock) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

// suite is one test's store and clock.
type suite struct {
	Backend
	clock *Clock
}

// Run runs the contract. The open function returns an empty store and closes
// it by t.Cleanup; the suite checks each store before that.
func Run(t *testing.T, open func(t *testing.T, options Options) Backend) {
	t.Helper()
	groups := []struct {
		name  string
		cases []testCase
	}{
		{"workflows", workflowCases}, {"journal", journalCases}, {"lists", listCases},
		{"logs", logCases}, {"months", monthCases}, {"system", systemCases}, {"secrets", secretCases}, {"triggers", triggerCases}, {"plugins", pluginCases}, {"accounts", accountCases}, {"audit", auditCases}, {"rights", rightsCases},
	}
	for _, group := range groups {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.cases {
				t.Run(c.name, func(t *testing.T) {
					clock := NewClock()
					backend := open(t, Options{Now: clock.Now, LogLimit: c.logLimit})
					t.Cleanup(func() { CheckStore(t, backend) })
					c.run(t, &suite{backend, clock})
				})
			}
		})
	}
}

type testCase struct {
	name     string
	logLimit int64
	run      func(t *testing.T, s *suite)
}

// CheckStore fails the test for every invariant that the store breaks.
func CheckStore(t testing.TB, store data.System) {
	t.Helper()
	report, err := store.Check(context.Background())
	if err != nil {
		t.Errorf("check the store: %v", err)
	}
	for _, problem := range report.Problems {
		t.Errorf("the store is inconsistent: %s", problem)
	}
}

func must[T any](t *testing.T) func(value T, err error) T {
	t.Helper()
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func need(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

func wantEqual[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}
