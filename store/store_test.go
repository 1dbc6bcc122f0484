package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/storetest"
)

func TestMain(m *testing.M) {
	if runWriter() {
		return
	}
	goleak.VerifyTestMain(m)
}

// open opens a store that the test's end checks and closes.
func open(t testing.TB, options Options) *Store {
	t.Helper()
	if options.Dir == "" {
		options.Dir = t.TempDir()
	}
	s, err := Open(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.fatal.Load() == nil {
			if report, err := s.Check(context.Background()); err == nil && !report.OK() {
				t.Errorf("the store is inconsistent: %q", report.Problems)
			} else if err != nil && !errors.Is(err, data.ErrClosed) {
				t.Errorf("check: %v", err)
			}
		}
		if err := s.Close(); err != nil && s.fatal.Load() == nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func reopen(t testing.TB, s *Store, options Options) *Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	options.Dir = s.options.Dir
	return open(t, options)
}

func need(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, options storetest.Options) storetest.Backend {
		return open(t, Options{Now: options.Now, LogLimit: options.LogLimit})
	})
}

// start keeps a new, running execution.
func start(t testing.TB, s *Store, n int, workflowID string) *storetest.Life {
	t.Helper()
	life := storetest.NewLife(storetest.ID(n), workflowID, startTime(n))
	if _, created, err := s.Create(context.Background(), life.Creation()); err != nil || !created {
		t.Errorf("create: %v, %v", created, err)
	}
	if err := s.Append(context.Background(), life.Start()); err != nil {
		t.Errorf("append: %v", err)
	}
	return life
}

func startTime(n int) time.Time { return time.Date(2026, 11, 1, 9, 0, n, 0, time.UTC) }
