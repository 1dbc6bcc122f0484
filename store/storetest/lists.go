package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/store/data"
)

var listCases = []testCase{
	{name: "executions are filtered and listed newest first", run: executionsAreListed},
	{name: "pages join without a gap or a double", run: pagesJoin},
	{name: "a cursor that is not ours is refused", run: badCursorIsRefused},
	{name: "events and log lines are merged by number", run: eventsAreMerged},
	{name: "events are paged from any number", run: eventsArePaged},
	{name: "an ended execution is deleted with everything of it", run: deletedIsGone},
	{name: "a live execution is not deleted", run: liveIsNotDeleted},
	{name: "a deleted execution's idempotency key is free again", run: deletedFreesKey},
}

// history keeps executions 1 to 6: two workflows, three states, two triggers.
func (s *suite) history(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	for n := 1; n <= 6; n++ {
		life := NewLife(ID(n), "w"+fmt.Sprint(n%2), s.clock.Now())
		if n > 3 {
			life.Header.Trigger = engine.TriggerAPI
		}
		_, _, err := s.Create(ctx, life.Creation())
		need(t, err)
		need(t, s.Append(ctx, life.Start()))
		switch n % 3 {
		case 1:
			need(t, s.Append(ctx, life.End(plan.StatusSuccess)))
		case 2:
			need(t, s.Append(ctx, life.End(plan.StatusFailed)))
		}
		s.clock.Advance(time.Hour)
	}
}

func numbersOf(executions []engine.Execution) string {
	numbers := make([]string, len(executions))
	for i := range executions {
		numbers[i] = executions[i].ID[len(executions[i].ID)-1:]
	}
	return strings.Join(numbers, " ")
}

func executionsAreListed(t *testing.T, s *suite) {
	start := s.clock.Now()
	s.history(t)
	tests := []struct {
		name   string
		filter data.ExecutionFilter
		want   string
	}{
		{"all", data.ExecutionFilter{}, "6 5 4 3 2 1"},
		{"of a workflow", data.ExecutionFilter{WorkflowID: "w1"}, "5 3 1"},
		{"of a status", data.ExecutionFilter{Status: []plan.Status{plan.StatusRunning}}, "6 3"},
		{"of two statuses", data.ExecutionFilter{Status: []plan.Status{plan.StatusRunning, plan.StatusFailed}}, "6 5 3 2"},
		{"of a status named twice", data.ExecutionFilter{Status: []plan.Status{plan.StatusFailed, plan.StatusFailed}}, "5 2"},
		{"of a workflow and a status", data.ExecutionFilter{WorkflowID: "w0", Status: []plan.Status{plan.StatusSuccess}}, "4"},
		{"of a trigger", data.ExecutionFilter{Trigger: engine.TriggerAPI}, "6 5 4"},
		{"of a workflow and a trigger", data.ExecutionFilter{WorkflowID: "w1", Trigger: engine.TriggerManual}, "3 1"},
		{"since", data.ExecutionFilter{Since: start.Add(4 * time.Hour)}, "6 5"},
		{"until", data.ExecutionFilter{Until: start.Add(2 * time.Hour)}, "2 1"},
		{"between, of a status", data.ExecutionFilter{Since: start.Add(time.Hour), Until: start.Add(5 * time.Hour), Status: []plan.Status{plan.StatusFailed}}, "5 2"},
		{"of a status nobody knows", data.ExecutionFilter{Status: []plan.Status{"sleeping"}}, ""},
		{"of an unknown workflow", data.ExecutionFilter{WorkflowID: "w"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page, next, err := s.Executions(context.Background(), test.filter)
			need(t, err)
			wantEqual(t, "executions", numbersOf(page), test.want)
			wantEqual(t, "next", next, "")
		})
	}
}

func pagesJoin(t *testing.T, s *suite) {
	ctx := context.Background()
	// Many have one time, so that only the id tells them apart.
	for n := 1; n <= 250; n++ {
		s.create(t, n, "w"+fmt.Sprint(n%3))
		if n%50 == 0 {
			s.clock.Advance(time.Second)
		}
	}
	for _, filter := range []data.ExecutionFilter{{}, {WorkflowID: "w1"}, {Status: data.LiveStatuses()}} {
		whole, _, err := s.Executions(ctx, filter)
		need(t, err)
		var joined []engine.Execution
		for filter.Limit = 7; ; {
			page, next, err := s.Executions(ctx, filter)
			need(t, err)
			joined = append(joined, page...)
			if filter.Cursor = next; next == "" {
				break
			}
			wantEqual(t, "size of a page", len(page), 7)
		}
		wantEqual(t, "joined pages", numbersOf(joined), numbersOf(whole))
	}
	page, next, err := s.Executions(ctx, data.ExecutionFilter{Limit: 250})
	need(t, err)
	wantEqual(t, "one full page", len(page), 250)
	wantEqual(t, "next of the last page", next, "")
}

func badCursorIsRefused(t *testing.T, s *suite) {
	for _, cursor := range []string{"x", "AAAA", "!", data.Position{ID: "../x"}.Cursor()} {
		if _, _, err := s.Executions(context.Background(), data.ExecutionFilter{Cursor: cursor}); !errors.Is(err, data.ErrInvalid) {
			t.Errorf("cursor %q: error is %v", cursor, err)
		}
	}
}

// told keeps an execution with log lines of two steps between its events:
// 1 started, 2 step started, 3 log, 4 progress, 5 log, 6 state, 7 log, 8 end.
func (s *suite) told(t *testing.T) *Life {
	t.Helper()
	ctx := context.Background()
	life := s.create(t, 1, "release")
	need(t, s.Append(ctx, life.Start()))
	need(t, s.AppendLog(ID(1), "build", 1, life.Line("build", 1, pluginsdk.LevelInfo, "three"), life.Progress("build", 1, 50)))
	need(t, s.AppendLog(ID(1), "test", 1, life.Line("test", 1, pluginsdk.LevelError, "five")))
	need(t, s.SyncLogs(ID(1)))
	note := life.Move(plan.StepCheckpointed, plan.StatusRunning)
	note.Events = append(note.Events, life.Event(plan.ProgressMade))
	need(t, s.Append(ctx, note))
	need(t, s.AppendLog(ID(1), "build", 2, life.Line("build", 2, pluginsdk.LevelDebug, "seven")))
	need(t, s.SyncLogs(ID(1)))
	need(t, s.Append(ctx, life.End(plan.StatusSuccess)))
	return life
}

func eventsAreMerged(t *testing.T, s *suite) {
	ctx := context.Background()
	s.told(t)
	events := must[[]plan.Event](t)(s.Events(ctx, ID(1), 0, 0))
	kinds := make([]string, len(events))
	for i, event := range events {
		wantEqual(t, "number", event.Seq, uint64(i)+1)
		if event.Private != nil || event.Sub != 0 {
			t.Errorf("event %d shows what is private", event.Seq)
		}
		kinds[i] = string(event.Type)
	}
	wantEqual(t, "events", strings.Join(kinds, " "),
		"execution_started step_started step_log step_progress step_log progress step_log workflow_completed")
	wantEqual(t, "message", events[4].Message+" "+events[4].StepID, "five test")
	_, err := s.Events(ctx, ID(2), 0, 0)
	wantError(t, err, engine.ErrNotFound)
}

func eventsArePaged(t *testing.T, s *suite) {
	ctx := context.Background()
	s.told(t)
	for after := uint64(0); after <= 9; after++ {
		for limit := 1; limit <= 9; limit++ {
			events := must[[]plan.Event](t)(s.Events(ctx, ID(1), after, limit))
			wantEqual(t, fmt.Sprintf("events after %d, at most %d", after, limit), len(events), min(limit, max(0, 8-int(after))))
			for i, event := range events {
				wantEqual(t, "number", event.Seq, after+uint64(i)+1)
			}
		}
	}
}

func deletedIsGone(t *testing.T, s *suite) {
	ctx := context.Background()
	must[data.Workflow](t)(s.CreateWorkflow(ctx, NewWorkflow("release", "A")))
	s.told(t)
	s.finished(t, 2, "release")
	need(t, s.DeleteExecution(ctx, ID(1)))
	_, err := s.Execution(ctx, ID(1))
	wantError(t, err, engine.ErrNotFound)
	_, err = s.Load(ctx, ID(1))
	wantError(t, err, engine.ErrNotFound)
	_, err = s.Events(ctx, ID(1), 0, 0)
	wantError(t, err, engine.ErrNotFound)
	_, err = s.Logs(ctx, ID(1), data.LogFilter{})
	wantError(t, err, engine.ErrNotFound)
	_, err = s.StepResults(ctx, ID(1))
	wantError(t, err, engine.ErrNotFound)
	wantError(t, s.DeleteExecution(ctx, ID(1)), engine.ErrNotFound)
	wantEqual(t, "last log seq", must[uint64](t)(s.LastLogSeq(ID(1))), uint64(0))
	page, _, err := s.Executions(ctx, data.ExecutionFilter{WorkflowID: "release"})
	need(t, err)
	wantEqual(t, "left", numbersOf(page), "2")
	wantEqual(t, "count", must[data.Workflow](t)(s.Workflow(ctx, "release")).ExecutionCount, 2)
	wantEqual(t, "document of the other", string(must[engine.Stored](t)(s.Load(ctx, ID(2))).Document), string(Document()))
}

func liveIsNotDeleted(t *testing.T, s *suite) {
	s.create(t, 1, "release")
	wantError(t, s.DeleteExecution(context.Background(), ID(1)), engine.ErrConflict)
	wantEqual(t, "id", must[engine.Execution](t)(s.Execution(context.Background(), ID(1))).ID, ID(1))
}

func deletedFreesKey(t *testing.T, s *suite) {
	ctx := context.Background()
	life := NewLife(ID(1), "release", s.clock.Now())
	creation := life.Creation()
	creation.IdempotencyKey, creation.Fingerprint = "k", "f"
	_, _, err := s.Create(ctx, creation)
	need(t, err)
	need(t, s.Append(ctx, life.End(plan.StatusCancelled)))
	need(t, s.DeleteExecution(ctx, ID(1)))
	_, created, err := s.Create(ctx, keyed(2, s, "release", "k", "g"))
	need(t, err)
	wantEqual(t, "created", created, true)
}
