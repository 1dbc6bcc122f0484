package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
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

// tending is a store that moves what ended into the history at once.
type tending struct{ *Store }

func (t tending) Append(ctx context.Context, commit engine.Commit) error {
	err := t.Store.Append(ctx, commit)
	if err == nil && commit.Execution.Status.Ended() {
		err = t.Tend(ctx)
	}
	return err
}

// atOnce makes Tend move whatever has ended.
const atOnce = -100 * 365 * 24 * time.Hour

func TestContractWithHistory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, options storetest.Options) storetest.Backend {
		return tending{open(t, Options{Now: options.Now, LogLimit: options.LogLimit, MoveAfter: atOnce})}
	})
}

// ended keeps an execution of 5 events, 2 of them log lines, that ended in the
// month that n says, counted from November 2026.
func ended(t testing.TB, s *Store, n int, workflowID string, status plan.Status, month int) string {
	t.Helper()
	ctx := context.Background()
	life := storetest.NewLife(storetest.ID(n), workflowID, startTime(n).AddDate(0, month, 0))
	if _, _, err := s.Create(ctx, life.Creation()); err != nil {
		t.Fatal(err)
	}
	need(t, s.Append(ctx, life.Start()))
	for range 2 {
		need(t, s.AppendLog(life.Header.ID, "build", 1, life.Line("build", 1, pluginsdk.LevelInfo, "x")))
	}
	need(t, s.SyncLogs(life.Header.ID))
	need(t, s.Append(ctx, life.End(status)))
	return life.Header.ID
}

// told is everything that readers are told, as text.
func told(t testing.TB, s *Store, ids []string) string {
	t.Helper()
	ctx := context.Background()
	var out strings.Builder
	tell := func(value any, err error) {
		t.Helper()
		need(t, err)
		raw, err := json.Marshal(value)
		need(t, err)
		fmt.Fprintf(&out, "%s\n", raw)
	}
	for _, filter := range []data.ExecutionFilter{
		{}, {WorkflowID: "release"}, {Status: []plan.Status{plan.StatusFailed}}, {Since: startTime(0).AddDate(0, 1, 0)},
		{WorkflowID: "other", Status: []plan.Status{plan.StatusSuccess, plan.StatusRunning}}, {Trigger: engine.TriggerCLI},
	} {
		for _, limit := range []int{3, 1000} {
			filter.Limit, filter.Cursor = limit, ""
			for more := true; more; {
				page, next, err := s.Executions(ctx, filter)
				tell(page, err)
				filter.Cursor, more = next, next != ""
			}
		}
	}
	for _, id := range ids {
		stored, err := s.Load(ctx, id)
		tell(stored, err)
		events, err := s.Events(ctx, id, 0, 0)
		tell(events, err)
		steps, err := s.StepResults(ctx, id)
		tell(steps, err)
		counts, err := s.LogCounts(ctx, id)
		tell(counts, err)
		logs, err := s.Logs(ctx, id, data.LogFilter{})
		tell(logs, err)
	}
	workflow, err := s.Workflow(ctx, "release")
	tell(workflow, err)
	stats, err := s.Stats(ctx)
	tell([]int{stats.Workflows, stats.Executions, stats.Live}, err)
	return out.String()
}

// wantTold fails on the first line that differs.
func wantTold(t testing.TB, when, after, before string) {
	t.Helper()
	lines := strings.Split(before, "\n")
	for i, line := range strings.Split(after, "\n") {
		if i >= len(lines) || line != lines[i] {
			t.Errorf("%s: line %d is\n%s\nand was\n%s", when, i, line, lines[min(i, len(lines)-1)])
			return
		}
	}
}

// fixed is a clock that stands, as long as no test moves it.
func fixed() time.Time { return startTime(0).AddDate(0, 3, 0) }

// manyMonths fills a store with executions of three months, and one that
// lives.
func manyMonths(t testing.TB, s *Store) []string {
	t.Helper()
	_, err := s.CreateWorkflow(context.Background(), storetest.NewWorkflow("release", "Release"))
	need(t, err)
	var ids []string
	for n := range 12 {
		status := []plan.Status{plan.StatusSuccess, plan.StatusFailed, plan.StatusCancelled}[n%3]
		ids = append(ids, ended(t, s, n+1, []string{"release", "other"}[n%2], status, n/4))
	}
	return append(ids, start(t, s, 99, "release").Header.ID)
}

func monthsOf(s *Store) string {
	var names []string
	for _, m := range s.monthList() {
		names = append(names, m.name)
	}
	return strings.Join(names, " ")
}

// until waits for a condition.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// rowsIn counts the records of a bucket of state.db.
func rowsIn(t testing.TB, s *Store, from bucket) (count int) {
	t.Helper()
	need(t, s.view(context.Background(), func(tx *bolt.Tx) error {
		count = tx.Bucket([]byte(from)).Inspect().KeyN
		return nil
	}))
	return count
}

func TestHistoryIsReadAsIfItHadNeverMoved(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	options := Options{Now: fixed, MoveAfter: atOnce}
	s := open(t, options)
	ids := manyMonths(t, s)
	before := told(t, s, ids)
	need(t, s.Tend(ctx))
	if got := monthsOf(s); got != "2027-01 2026-12 2026-11" {
		t.Errorf("months are %s", got)
	}
	wantTold(t, "in the history", told(t, s, ids), before)
	for from, want := range map[bucket]int{bucketExecutions: 1, bucketEvents: 3, bucketSteps: 1, bucketEnded: 0, bucketTrash: 0, bucketMonths: 3} {
		if got := rowsIn(t, s, from); got != want {
			t.Errorf("bucket %s has %d records, want %d", from, got, want)
		}
	}
	s = reopen(t, s, options)
	wantTold(t, "after reopening", told(t, s, ids), before)
	report, err := s.Check(ctx)
	if err != nil || !report.OK() || report.Months != 3 || report.Executions != 13 || report.LogLines != 24 {
		t.Errorf("report is %+v, %v", report, err)
	}
	_, _, err = s.Create(ctx, storetest.NewLife(ids[0], "release", fixed()).Creation())
	if !errors.Is(err, engine.ErrConflict) {
		t.Errorf("an id of the history was given again: %v", err)
	}
}

func TestMoveThatWasCutShortDoesNoHarm(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cuts := map[string]func(t *testing.T, s *Store, m *month, ids []string){
		"after the copy": func(*testing.T, *Store, *month, []string) {},
		"before the records follow": func(t *testing.T, s *Store, m *month, ids []string) {
			need(t, s.leaveHot(ctx, m, ids))
		},
		"in the middle of the copy": func(t *testing.T, s *Store, m *month, ids []string) {
			need(t, s.updateMonth(m, func(tx *bolt.Tx) error {
				return errors.Join(remove(tx, bucketExecutions, []byte(ids[0])), remove(tx, bucketOrigins, []byte(ids[0])),
					remove(tx, bucketByTime, placeKey(data.PositionOf(startTime(1), ids[0]))),
					remove(tx, bucketByStatus, statusKey(plan.StatusSuccess, data.PositionOf(startTime(1), ids[0]))),
					remove(tx, bucketByWorkflow, workflowKey("release", plan.StatusSuccess, data.PositionOf(startTime(1), ids[0]))),
					remove(tx, bucketEnded, placeKey(data.PositionOf(startTime(4), ids[0]))))
			}))
		},
	}
	for name, cut := range cuts {
		t.Run(name, func(t *testing.T) {
			s := open(t, Options{Now: fixed, MoveAfter: atOnce})
			ids := manyMonths(t, s)
			before := told(t, s, ids)
			m, err := s.monthFor(ctx, "2026-11")
			need(t, err)
			c := &copier{store: s, to: m}
			for _, id := range ids[:4] {
				need(t, c.copy(ctx, id))
			}
			need(t, c.flush())
			cut(t, s, m, ids[:4])
			look := func(when string) {
				t.Helper()
				wantTold(t, when, told(t, s, ids), before)
				if report, err := s.Check(ctx); err != nil || !report.OK() || report.Executions != 13 {
					t.Errorf("%s: report is %+v, %v", when, report, err)
				}
			}
			look("cut short")
			s = reopen(t, s, Options{Now: fixed, MoveAfter: atOnce})
			<-s.tidied
			look("after reopening")
			need(t, s.Tend(ctx))
			look("once it is finished")
			if rowsIn(t, s, bucketExecutions) != 1 || rowsIn(t, s, bucketTrash) != 0 {
				t.Error("state.db still has what is in the history")
			}
		})
	}
}

func TestRecallThatWasCutShortDoesNoHarm(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := open(t, Options{Now: fixed, MoveAfter: atOnce})
	ids := manyMonths(t, s)
	need(t, s.Tend(ctx))
	before := told(t, s, ids)
	// Its records are back, and the header is not.
	rows, err := s.copyRowsOf(ctx, ids[0], bucketEvents)
	need(t, err)
	need(t, s.putBack(ctx, []copiedRow{{bucketTrash, []byte(ids[0]), trashMoved}, {bucketEvents, rows[0].key, rows[0].value}}))
	wantTold(t, "cut short", told(t, s, ids), before)
	s = reopen(t, s, Options{Now: fixed, MoveAfter: atOnce})
	<-s.tidied
	if rowsIn(t, s, bucketTrash) != 0 || rowsIn(t, s, bucketEvents) != 3 {
		t.Error("what came back in part is left in state.db")
	}
	// The whole of it, and there again.
	for range 2 {
		need(t, s.working(func() error { return s.recall(ctx, ids[0]) }))
		wantTold(t, "back in state.db", told(t, s, ids), before)
		if report, err := s.Check(ctx); err != nil || !report.OK() || report.Executions != len(ids) {
			t.Errorf("report is %+v, %v", report, err)
		}
		need(t, s.Tend(ctx))
		wantTold(t, "in the history again", told(t, s, ids), before)
	}
	need(t, s.working(func() error { return s.recall(ctx, "not-there") }))
	if rowsIn(t, s, bucketTrash) != 0 || rowsIn(t, s, bucketExecutions) != 1 {
		t.Error("records are left in state.db")
	}
}

func TestDeletedWhileItMoves(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := open(t, Options{Now: fixed, MoveAfter: atOnce})
	ids := manyMonths(t, s)
	m, err := s.monthFor(ctx, "2026-11")
	need(t, err)
	s.history.work.Lock() // As whoever moves does.
	c := &copier{store: s, to: m}
	for _, id := range ids[:4] {
		need(t, c.copy(ctx, id))
	}
	need(t, c.flush())
	gone := make(chan error, 1)
	go func() { gone <- s.DeleteExecution(ctx, ids[0]) }()
	until(t, "the deletion is committed", func() bool { return rowsIn(t, s, bucketExecutions) < len(ids) })
	if _, err := s.Execution(ctx, ids[0]); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("a deleted execution is read out of its copy: %v", err)
	}
	if list, _, err := s.Executions(ctx, data.ExecutionFilter{}); err != nil || len(list) != len(ids)-1 {
		t.Errorf("%d executions are listed, %v", len(list), err)
	}
	need(t, s.leaveHot(ctx, m, ids[:4]))
	need(t, s.clearMoved(ctx, ids[:4]))
	s.history.work.Unlock()
	need(t, <-gone)
	need(t, guardedView(m.db, func(tx *bolt.Tx) error {
		if has(tx, ids[0]) || hasRows(tx, ids[0]) || !has(tx, ids[1]) {
			t.Error("the copy of the deleted execution stays, or another one went")
		}
		return nil
	}))
}

func TestReadersSeeEverythingWhileExecutionsMove(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := open(t, Options{Now: fixed, MoveAfter: atOnce})
	const count = 120
	for n := range count {
		ended(t, s, n+1, "release", plan.StatusSuccess, n%3)
	}
	moved := make(chan struct{})
	var group sync.WaitGroup
	for reader := range 4 {
		group.Go(func() {
			for n, last := reader, false; !last; n++ {
				select {
				case <-moved:
					last = true // Once more, when all is done.
				default:
				}
				id := storetest.ID(n%count + 1)
				if stored, err := s.Load(ctx, id); err != nil || len(stored.Events) != 4 {
					t.Errorf("execution %s has %d events, %v", id, len(stored.Events), err)
				}
				if events, err := s.Events(ctx, id, 0, 0); err != nil || len(events) != 5 {
					t.Errorf("execution %s shows %d events, %v", id, len(events), err)
				}
				if page, _, err := s.Executions(ctx, data.ExecutionFilter{}); err != nil || len(page) != count {
					t.Errorf("%d executions are listed, %v", len(page), err)
				}
			}
		})
	}
	need(t, s.Tend(ctx))
	close(moved)
	group.Wait()
	if got := rowsIn(t, s, bucketExecutions); got != 0 {
		t.Errorf("%d executions did not move", got)
	}
}

func TestLongExecutionMovesInParts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := open(t, Options{Now: fixed, MoveAfter: atOnce})
	life := start(t, s, 1, "release")
	for range 12 {
		commit := life.Move(plan.ProgressMade, plan.StatusRunning)
		for range 100 {
			event := life.Event(plan.ProgressMade)
			event.Message = strings.Repeat("x", 8<<10)
			commit.Events = append(commit.Events, event)
		}
		need(t, s.Append(ctx, commit))
	}
	need(t, s.Append(ctx, life.End(plan.StatusSuccess)))
	need(t, s.Tend(ctx))
	if stored, err := s.Load(ctx, life.Header.ID); err != nil || len(stored.Events) != 1+2+12*101+1 {
		t.Errorf("%d events, %v", len(stored.Events), err)
	}
	if rowsIn(t, s, bucketEvents) != 0 || rowsIn(t, s, bucketTrash) != 0 {
		t.Error("records are left in state.db")
	}
}

func TestCase99DamagedMonthIsRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, err := Open(ctx, Options{Dir: t.TempDir(), MoveAfter: atOnce})
	need(t, err)
	manyMonths(t, s)
	need(t, s.Tend(ctx))
	whole := s.folder.Dir()
	need(t, s.Close())
	other := open(t, Options{Now: fixed, MoveAfter: atOnce})
	manyMonths(t, other)
	need(t, other.Tend(ctx))
	page := os.Getpagesize()
	name := filepath.Join(historyDir, "2026-12.db")
	original, err := os.ReadFile(filepath.Join(whole, name))
	need(t, err)
	foreign, err := os.ReadFile(filepath.Join(other.folder.Dir(), name))
	need(t, err)
	tests := map[string]struct {
		damage func(c []byte) []byte
		reason string
	}{
		"missing":             {nil, "missing"},
		"empty":               {func([]byte) []byte { return nil }, "empty"},
		"three pages":         {func(c []byte) []byte { return c[:3*page] }, "bytes"},
		"text":                {func(c []byte) []byte { return bytes.Repeat([]byte("no database\n"), len(c)/8) }, "meta page"},
		"both metas zeroed":   {func(c []byte) []byte { clear(c[:2*page]); return c }, "meta page"},
		"noise":               {func(c []byte) []byte { copy(c[2*page:], bytes.Repeat([]byte{0xa5}, len(c)/2)); return c }, "damaged"},
		"from another folder": {func([]byte) []byte { return foreign }, "another data folder"},
	}
	for label, test := range tests {
		t.Run(label, func(t *testing.T) {
			dir := copyFolder(t, whole)
			if test.damage == nil {
				need(t, os.Remove(filepath.Join(dir, name)))
			} else {
				need(t, os.WriteFile(filepath.Join(dir, name), test.damage(bytes.Clone(original)), 0o600))
			}
			_, err := Open(ctx, Options{Dir: dir})
			var refused *RefusedError
			if !errors.As(err, &refused) || !strings.Contains(refused.Reason, test.reason) || !strings.Contains(refused.Reason, "2026-12") {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestFullDiskWhileExecutionsMoveLosesNothing(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	full := false // Only this goroutine writes.
	s := open(t, Options{Now: fixed, MoveAfter: atOnce, beforeCommit: func() error {
		if full {
			return fmt.Errorf("write: %w", syscall.ENOSPC)
		}
		return nil
	}})
	ids := manyMonths(t, s)
	before := told(t, s, ids)
	_, err := s.monthFor(ctx, "2026-11")
	need(t, err)
	full = true
	if err := s.Tend(ctx); err == nil {
		t.Error("there was no room, and no error")
	}
	wantTold(t, "without room", told(t, s, ids), before)
	full = false
	need(t, s.Tend(ctx))
	wantTold(t, "with room", told(t, s, ids), before)
}
