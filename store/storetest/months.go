package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
)

var monthCases = []testCase{
	{name: "executions of many months are listed and read alike", run: monthsAreListed},
	{name: "an old execution is deleted with everything of it", run: oldIsDeleted},
	{name: "a workflow that is made anew counts the executions of all months", run: allMonthsCount},
	{name: "an idempotency key gives an execution that has ended", run: keyGivesEnded},
	{name: "an old execution notes that another one took it back", run: oldIsUndone},
}

// months keeps executions 1 to 8 of one workflow, two of each month; those
// that 4 divides still live.
func (s *suite) months(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	must[data.Workflow](t)(s.CreateWorkflow(ctx, NewWorkflow("release", "Release")))
	for n := 1; n <= 8; n++ {
		life := s.create(t, n, "release")
		need(t, s.Append(ctx, life.Start()))
		if n%4 != 0 {
			need(t, s.Append(ctx, life.End([]plan.Status{plan.StatusSuccess, plan.StatusFailed}[n%2])))
		}
		s.clock.Advance(15 * 24 * time.Hour)
	}
}

func monthsAreListed(t *testing.T, s *suite) {
	ctx := context.Background()
	s.months(t)
	for _, test := range []struct {
		filter data.ExecutionFilter
		want   string
	}{
		{data.ExecutionFilter{}, "8 7 6 5 4 3 2 1"},
		{data.ExecutionFilter{WorkflowID: "release", Status: []plan.Status{plan.StatusFailed}}, "7 5 3 1"},
		{data.ExecutionFilter{Status: []plan.Status{plan.StatusSuccess, plan.StatusRunning}}, "8 6 4 2"},
		{data.ExecutionFilter{WorkflowID: "release", Status: data.LiveStatuses()}, "8 4"},
		{data.ExecutionFilter{Until: NewClock().Now().Add(60 * 24 * time.Hour)}, "4 3 2 1"},
	} {
		for _, limit := range []int{1, 3, 100} {
			test.filter.Limit, test.filter.Cursor = limit, ""
			var pages []string
			for more := true; more; {
				page, next, err := s.Executions(ctx, test.filter)
				need(t, err)
				pages = append(pages, numbersOf(page))
				test.filter.Cursor, more = next, next != ""
			}
			wantEqual(t, "list", strings.Join(pages, " "), test.want)
		}
	}
	for n := 1; n <= 8; n++ {
		stored := must[engine.Stored](t)(s.Load(ctx, ID(n)))
		wantEqual(t, "ended", stored.Execution.Status.Ended(), n%4 != 0)
		if events := must[[]plan.Event](t)(s.Events(ctx, ID(n), 0, 0)); uint64(len(events)) != stored.Execution.LastSeq {
			t.Errorf("execution %d shows %d events of %d", n, len(events), stored.Execution.LastSeq)
		}
	}
}

func oldIsDeleted(t *testing.T, s *suite) {
	ctx := context.Background()
	s.months(t)
	need(t, s.DeleteExecution(ctx, ID(1)))
	wantError(t, s.DeleteExecution(ctx, ID(1)), engine.ErrNotFound)
	wantError(t, s.DeleteExecution(ctx, ID(4)), engine.ErrConflict)
	_, err := s.Load(ctx, ID(1))
	wantError(t, err, engine.ErrNotFound)
	_, err = s.StepResults(ctx, ID(1))
	wantError(t, err, engine.ErrNotFound)
	page, _, err := s.Executions(ctx, data.ExecutionFilter{})
	need(t, err)
	wantEqual(t, "list", numbersOf(page), "8 7 6 5 4 3 2")
	stats := must[data.Stats](t)(s.Stats(ctx))
	wantEqual(t, "executions", stats.Executions, 7)
	s.create(t, 1, "release") // Its id is free again.
}

func allMonthsCount(t *testing.T, s *suite) {
	ctx := context.Background()
	for n := 1; n <= 4; n++ {
		s.finished(t, n, "release")
		s.clock.Advance(40 * 24 * time.Hour)
	}
	need(t, s.DeleteExecution(ctx, ID(2)))
	w := must[data.Workflow](t)(s.CreateWorkflow(ctx, NewWorkflow("release", "Release")))
	wantEqual(t, "count", w.ExecutionCount, 3)
	if w.LastStatus == nil || *w.LastStatus != plan.StatusSuccess {
		t.Errorf("last status is %v", w.LastStatus)
	}
}

// undone is what the undo of an execution changes in the execution itself.
func undone(life *Life, by string) engine.Commit {
	life.Header.UndoneBy = by
	event := life.Event(plan.UndoneElsewhere)
	event.StepID, event.By = "build", by
	return engine.Commit{
		Execution: life.Header, Events: []plan.Event{event},
		Steps: []engine.StepResult{{StepID: "build", StepName: "Build", Handler: "shell.run", Status: plan.StatusUndone, Attempts: 1}},
	}
}

func oldIsUndone(t *testing.T, s *suite) {
	ctx := context.Background()
	old := s.finished(t, 1, "release")
	s.clock.Advance(40 * 24 * time.Hour)
	undo := NewLife(ID(2), "release", s.clock.Now())
	creation := undo.Creation()
	creation.Also = []engine.Commit{undone(old, ID(2))}
	_, _, err := s.Create(ctx, creation)
	need(t, err)
	commit := undo.Start()
	commit.Also = []engine.Commit{undone(old, ID(2))}
	need(t, s.Append(ctx, commit))
	end := undo.End(plan.StatusSuccess)
	end.Also = []engine.Commit{undone(old, ID(2))}
	need(t, s.Append(ctx, end))

	stored := must[engine.Stored](t)(s.Load(ctx, ID(1)))
	wantEqual(t, "undone by", stored.Execution.UndoneBy, ID(2))
	wantEqual(t, "status", stored.Execution.Status, plan.StatusSuccess)
	last := stored.Events[len(stored.Events)-1]
	wantEqual(t, "last event", last.Type, plan.UndoneElsewhere)
	wantEqual(t, "its number", last.Sub, uint32(3))
	steps := must[[]engine.StepResult](t)(s.StepResults(ctx, ID(1)))
	wantEqual(t, "step", steps[0].Status, plan.StatusUndone)
	page, _, err := s.Executions(ctx, data.ExecutionFilter{})
	need(t, err)
	wantEqual(t, "list", numbersOf(page), "2 1")
	stats := must[data.Stats](t)(s.Stats(ctx))
	wantEqual(t, "executions", stats.Executions, 2)
	wantEqual(t, "live", stats.Live, 0)
	need(t, s.DeleteExecution(ctx, ID(1)))
	page, _, err = s.Executions(ctx, data.ExecutionFilter{})
	need(t, err)
	wantEqual(t, "list", numbersOf(page), "2")
	wantError(t, s.Append(ctx, undone(old, ID(2))), engine.ErrNotFound)
}

func keyGivesEnded(t *testing.T, s *suite) {
	ctx := context.Background()
	life := NewLife(ID(1), "release", s.clock.Now())
	creation := life.Creation()
	creation.IdempotencyKey, creation.Fingerprint = "k", "f"
	_, _, err := s.Create(ctx, creation)
	need(t, err)
	need(t, s.Append(ctx, life.Start()))
	need(t, s.Append(ctx, life.End(plan.StatusSuccess)))
	s.clock.Advance(time.Hour)
	execution, created, err := s.Create(ctx, keyed(2, s, "release", "k", "f"))
	if err != nil || created || execution.ID != ID(1) || execution.Status != plan.StatusSuccess {
		t.Errorf("got %s, %v, %v", execution.ID, created, err)
	}
	if _, _, err := s.Create(ctx, keyed(3, s, "release", "k", "g")); !errors.Is(err, engine.ErrIdempotencyMismatch) {
		t.Errorf("error is %v", err)
	}
}
