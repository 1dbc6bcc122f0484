package store

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/storetest"
)

// at is a clock that a test sets.
type at struct{ nanos atomic.Int64 }

func newAt(t time.Time) *at {
	clock := &at{}
	clock.set(t)
	return clock
}

func (a *at) set(t time.Time) { a.nanos.Store(t.UnixNano()) }

func (a *at) now() time.Time { return time.Unix(0, a.nanos.Load()) }

// listedIDs are the executions of a workflow by their numbers, newest first.
func listedIDs(t *testing.T, s *Store, filter data.ExecutionFilter) string {
	t.Helper()
	list, _, err := s.Executions(context.Background(), filter)
	need(t, err)
	var numbers []string
	for i := range list {
		numbers = append(numbers, strings.TrimLeft(list[i].ID[len(list[i].ID)-3:], "0"))
	}
	return strings.Join(numbers, " ")
}

func TestRetentionByAge(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	clock := newAt(fixed())
	s := open(t, Options{Now: clock.now, MoveAfter: atOnce, Retention: data.Retention{Days: 45}})
	ids := manyMonths(t, s) // 1 to 4 in November, 5 to 8 in December, 9 to 12 in January, 99 lives.
	old := start(t, s, 50, "release")
	clock.set(time.Date(2027, 1, 5, 0, 0, 0, 0, time.UTC))
	need(t, s.Tend(ctx))
	if got := listedIDs(t, s, data.ExecutionFilter{}); got != "12 11 10 9 8 7 6 5 99 50" {
		t.Errorf("after 45 days there are %s", got)
	}
	if got := monthsOf(s); got != "2027-01 2026-12" {
		t.Errorf("months are %s", got)
	}
	if _, err := os.Stat(filepath.Join(s.folder.Dir(), historyDir, "2026-11.db")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty month is still there: %v", err)
	}
	for _, id := range ids[:4] {
		if _, err := s.Load(ctx, id); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("execution %s: %v", id, err)
		}
		if _, err := os.Stat(filepath.Join(s.folder.Dir(), "logs", id)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("its logs are still there: %v", err)
		}
	}
	if w, err := s.Workflow(ctx, "release"); err != nil || w.ExecutionCount != 8 || *w.LastStatus != plan.StatusFailed {
		t.Errorf("workflow is %+v, %v", w, err)
	}
	// What ends counts by its end, not by its start.
	old.Header.CompletedAt = clock.now()
	end := old.Move(plan.WorkflowCompleted, plan.StatusSuccess)
	need(t, s.Append(ctx, end))
	need(t, s.Tend(ctx))
	if got := listedIDs(t, s, data.ExecutionFilter{Status: []plan.Status{plan.StatusSuccess}}); !strings.HasSuffix(got, " 50") {
		t.Errorf("one that ended just now is gone: %s", got)
	}
	clock.set(clock.now().AddDate(1, 0, 0))
	need(t, s.Tend(ctx))
	if got := listedIDs(t, s, data.ExecutionFilter{}); got != "99" {
		t.Errorf("a year later there are %s", got)
	}
	if got := monthsOf(s); got != "" {
		t.Errorf("months are %s", got)
	}
	s = reopen(t, s, Options{Now: clock.now})
	if stats, err := s.Stats(ctx); err != nil || stats.Executions != 1 || stats.Live != 1 {
		t.Errorf("figures are %+v, %v", stats, err)
	}
}

func TestRetentionByCountKeepsTheNewestOfEachWorkflow(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := open(t, Options{Now: fixed, MoveAfter: atOnce, Retention: data.Retention{PerWorkflow: 3}})
	manyMonths(t, s)
	_, err := s.CreateWorkflow(ctx, storetest.NewWorkflow("other", "Other"))
	need(t, err)
	need(t, s.Tend(ctx))
	// The live one counts and stays, whatever its age.
	if got := listedIDs(t, s, data.ExecutionFilter{WorkflowID: "release"}); got != "11 9 99" {
		t.Errorf("of release there are %s", got)
	}
	if got := listedIDs(t, s, data.ExecutionFilter{WorkflowID: "other"}); got != "12 10 8" {
		t.Errorf("of other there are %s", got)
	}
	for n := 20; n < 25; n++ {
		start(t, s, n, "release")
	}
	need(t, s.Tend(ctx))
	if got := listedIDs(t, s, data.ExecutionFilter{WorkflowID: "release", Status: []plan.Status{plan.StatusSuccess, plan.StatusFailed}}); got != "" {
		t.Errorf("beside six live ones there are %s", got)
	}
	if live, err := s.LiveExecutions(ctx, "release"); err != nil || len(live) != 6 {
		t.Errorf("live are %v, %v", live, err)
	}
}

func TestWithoutRetentionNothingGoes(t *testing.T) {
	t.Parallel()
	clock := newAt(fixed().AddDate(50, 0, 0))
	s := open(t, Options{Now: clock.now, MoveAfter: atOnce})
	manyMonths(t, s)
	need(t, s.Tend(context.Background()))
	if list, _, err := s.Executions(context.Background(), data.ExecutionFilter{}); err != nil || len(list) != 13 {
		t.Errorf("%d executions, %v", len(list), err)
	}
}

// withOutput keeps an execution that ended and whose step has an output that
// is kept apart.
func withOutput(t *testing.T, s *Store, n int, content string) (id, name string) {
	t.Helper()
	ctx := context.Background()
	life := start(t, s, n, "release")
	name, err := s.PutBlob(ctx, []byte(content))
	need(t, err)
	output := json.RawMessage(`{"$blob":{"sha256":"` + name + `","size":9}}`)
	commit := life.Move(plan.StepCompleted, plan.StatusRunning)
	commit.Events[0].StepID, commit.Events[0].Output = "build", output
	commit.Steps = []engine.StepResult{{StepID: "build", Status: plan.StatusSuccess, Output: output, Attempts: 1}}
	need(t, s.Append(ctx, commit))
	need(t, s.Append(ctx, life.End(plan.StatusSuccess)))
	return life.Header.ID, name
}

func TestOutputGoesWithTheLastThatNamesIt(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, moved := range map[string]bool{"in state.db": false, "in the history": true} {
		t.Run(name, func(t *testing.T) {
			clock := newAt(fixed())
			options := Options{Now: clock.now}
			if moved {
				options.MoveAfter = atOnce
			} else {
				options.MoveAfter = 100 * 365 * 24 * time.Hour
			}
			s := open(t, options)
			first, shared := withOutput(t, s, 1, "the same")
			second, again := withOutput(t, s, 2, "the same")
			third, own := withOutput(t, s, 3, "another")
			if shared != again {
				t.Fatal("equal outputs have two names")
			}
			kept := func(name string) bool {
				_, err := s.Blob(ctx, name)
				if err != nil && !errors.Is(err, engine.ErrNotFound) {
					t.Error(err)
				}
				return err == nil
			}
			later := func() {
				clock.set(clock.now().Add(25 * time.Hour))
				need(t, s.Tend(ctx))
			}
			later()
			need(t, s.DeleteExecution(ctx, first))
			need(t, s.DeleteExecution(ctx, third))
			need(t, s.Tend(ctx))
			if !kept(own) {
				t.Error("an output went at once; a run may be about to name it again")
			}
			later()
			if !kept(shared) || kept(own) {
				t.Errorf("shared is kept: %v, the other one: %v", kept(shared), kept(own))
			}
			need(t, s.DeleteExecution(ctx, second))
			if name, err := s.PutBlob(ctx, []byte("the same")); err != nil || name != shared {
				t.Error(name, err)
			}
			clock.set(clock.now().Add(2 * time.Hour))
			need(t, s.Tend(ctx))
			if !kept(shared) {
				t.Error("an output that was kept again just now is gone")
			}
			if len(s.recent.kept) != 1 {
				t.Errorf("%d outputs are remembered as not named yet, one is", len(s.recent.kept))
			}
			if rowsIn(t, s, bucketBlobs) != 0 || rowsIn(t, s, bucketSweep) != 0 {
				t.Error("names are left of what is gone")
			}
		})
	}
}

func TestStrayOutputsGo(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	clock := newAt(time.Now())
	s := open(t, Options{Now: clock.now})
	_, named := withOutput(t, s, 1, "named")
	stray, err := s.PutBlob(ctx, []byte("stray"))
	need(t, err)
	sweep := func() { need(t, s.sweepStrays(ctx)) }
	sweep()
	if _, err := s.Blob(ctx, stray); err != nil {
		t.Errorf("a new output that nothing names yet: %v", err)
	}
	clock.set(clock.now().Add(2 * strayRest))
	report, err := s.Check(ctx)
	if err != nil || !slices.ContainsFunc(report.Warnings, func(w string) bool { return strings.Contains(w, stray) }) || report.Blobs != 2 {
		t.Errorf("report is %+v, %v", report, err)
	}
	need(t, s.Tend(ctx))
	sweep()
	if _, err := s.Blob(ctx, stray); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("an old output that nothing names: %v", err)
	}
	if _, err := s.Blob(ctx, named); err != nil {
		t.Errorf("an old output that is named: %v", err)
	}
}

func TestExpiryLeavesWritersTheirTurn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	clock := newAt(fixed())
	s := open(t, Options{Now: clock.now, MoveAfter: atOnce, Retention: data.Retention{Days: 1}})
	life := start(t, s, 900, "release")
	for n := range 120 {
		ended(t, s, n+1, "release", plan.StatusSuccess, 0)
	}
	tended := make(chan error, 1)
	before := s.commits.Load()
	go func() { tended <- s.Tend(ctx) }()
	between := 0
	for {
		select {
		case err := <-tended:
			need(t, err)
			if between < 10 {
				t.Errorf("a writer had its turn %d times while 120 executions moved and went in %d commits", between, s.commits.Load()-before)
			}
			if got := listedIDs(t, s, data.ExecutionFilter{}); got != "900" {
				t.Errorf("executions are %s", got)
			}
			return
		default:
		}
		started := time.Now()
		need(t, s.Append(ctx, life.Move(plan.ProgressMade, plan.StatusRunning)))
		if took := time.Since(started); took > 5*time.Second {
			t.Errorf("a writer waited %s", took)
		}
		between++
	}
}
