package store

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
)

// lockedLog collects a log that several goroutines write to.
type lockedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) has(what string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), what)
}

// Case 103, on a shortened limit: a list call does not end.
func TestCase103StuckReaderHoldsUpNobodyAndIsReported(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	log := &lockedLog{}
	s := open(t, Options{slowRead: time.Nanosecond, stuckRead: time.Millisecond, Logger: slog.New(slog.NewTextHandler(log, nil))})
	life := start(t, s, 1, "release")
	reading, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.viewAll(ctx, func([]*bolt.Tx) error {
			close(reading)
			<-end
			return nil
		})
	}()
	<-reading
	before, err := s.file.Stat()
	need(t, err)
	for grown := false; !grown; { // The file must grow, for which bbolt may map it anew.
		commit := life.Move(plan.ProgressMade, plan.StatusRunning)
		for range 200 {
			event := life.Event(plan.ProgressMade)
			event.Message = strings.Repeat("x", 8<<10)
			commit.Events = append(commit.Events, event)
		}
		waited := make(chan error, 1)
		go func() { waited <- s.Append(ctx, commit) }()
		select {
		case err := <-waited:
			need(t, err)
		case <-time.After(30 * time.Second):
			t.Fatal("a writer waits for a reader")
		}
		now, err := s.file.Stat()
		need(t, err)
		grown = now.Size() > before.Size()
	}
	if list, _, err := s.Executions(ctx, data.ExecutionFilter{}); err != nil || len(list) != 1 {
		t.Errorf("another reader is told %d executions, %v", len(list), err)
	}
	until(t, "the log says so while the read goes on", func() bool { return log.has("does not end") })
	close(end)
	need(t, <-ended)
	if !log.has("was slow") {
		t.Error("the log does not say how long it took")
	}
}

// Case 105: files vanish from under a store whose execution is in the history.
func TestCase105MissingLogOrOutputOfTheHistoryLeavesTheRestReadable(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, err := Open(ctx, Options{Dir: t.TempDir(), Now: fixed, MoveAfter: atOnce})
	need(t, err)
	defer s.Close() //nolint:errcheck // The folder is damaged on purpose.
	id, output := withOutput(t, s, 1, "an output")
	other := ended(t, s, 2, "release", plan.StatusSuccess, 0)
	need(t, s.Tend(ctx))
	need(t, os.RemoveAll(filepath.Join(s.folder.Dir(), "logs", other)))
	need(t, os.RemoveAll(filepath.Join(s.folder.Dir(), "blobs")))
	if events, err := s.Events(ctx, other, 0, 0); err != nil || len(events) != 3 {
		t.Errorf("%d events, %v", len(events), err)
	}
	if steps, err := s.StepResults(ctx, id); err != nil || len(steps) != 1 {
		t.Errorf("steps are %+v, %v", steps, err)
	}
	if list, _, err := s.Executions(ctx, data.ExecutionFilter{}); err != nil || len(list) != 2 {
		t.Errorf("%d executions, %v", len(list), err)
	}
	report, err := s.Check(ctx)
	need(t, err)
	found := strings.Join(report.Problems, "\n")
	if !strings.Contains(found, "output "+output+" of execution "+id+" is gone") || !strings.Contains(found, "execution "+other+": event 3 is missing") {
		t.Errorf("problems are %s", found)
	}
}
