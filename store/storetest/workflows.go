package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
)

var workflowCases = []testCase{
	{name: "a created workflow is read back with its text byte for byte", run: createdIsReadBack},
	{name: "a workflow without an id gets a new one", run: idIsMade},
	{name: "an id is given once", run: idIsUnique},
	{name: "an id that could leave its folder is refused", run: badIDIsRefused},
	{name: "an update makes a revision and keeps the ones before", run: updateMakesRevision},
	{name: "an update of another revision than expected is refused and names the current one", run: staleUpdateIsRefused},
	{name: "a revision that is brought in keeps its time, in order and never ahead of now", run: savedAtIsKept},
	{name: "a draft of which nothing can be read keeps its text", run: unreadableIsKept},
	{name: "a draft says its problems", run: draftSaysProblems},
	{name: "a list is filtered, ordered and paged", run: workflowsAreListed},
	{name: "a workflow is not deleted while it is executing", run: executingIsNotDeleted},
	{name: "deleting a workflow keeps the history of its executions", run: deleteKeepsHistory},
	{name: "metadata follow the newest execution", run: metadataFollowExecutions},
	{name: "a workflow made again under its id counts the executions there are", run: remadeCountsOn},
}

// NewWorkflow is a workflow that any store takes.
func NewWorkflow(id, name string) data.NewWorkflow {
	return data.NewWorkflow{
		ID: id, Name: name, Version: "1.0.0", Type: "release", Description: "Cuts a release", Tags: []string{"ci", "main"},
		StepCount: 1, Format: data.FormatYAML, Text: []byte("# kept\nname: " + name + "\r\n"), Document: Document(),
		Author: "admin", Message: "first",
	}
}

func createdIsReadBack(t *testing.T, s *suite) {
	ctx := context.Background()
	given := NewWorkflow("release", "Standard Release")
	created := must[data.Workflow](t)(s.CreateWorkflow(ctx, given))
	wantEqual(t, "revision", created.Revision, 1)
	read := must[data.Workflow](t)(s.Workflow(ctx, "release"))
	got, want := asJSON(t, read), asJSON(t, created)
	wantEqual(t, "metadata", got, want)
	for _, part := range []string{`"last_executed":null`, `"last_status":null`, `"execution_count":0`, `"valid":true`, `"step_count":1`, `"tags":["ci","main"]`} {
		if !strings.Contains(got, part) {
			t.Errorf("metadata lack %s: %s", part, got)
		}
	}
	if !read.CreatedAt.Equal(s.clock.Now()) || read.CreatedAt.Location() != time.UTC {
		t.Errorf("created at %v", read.CreatedAt)
	}
	for _, revision := range []int{0, 1} {
		whole := must[data.Revision](t)(s.WorkflowRevision(ctx, "release", revision))
		wantEqual(t, "text", string(whole.Text), string(given.Text))
		wantEqual(t, "document", string(whole.Document), string(given.Document))
		wantEqual(t, "number", whole.Revision, 1)
		wantEqual(t, "format", whole.Format, data.FormatYAML)
		wantEqual(t, "message", whole.Author+" "+whole.Message, "admin first")
	}
	_, err := s.WorkflowRevision(ctx, "release", 2)
	wantError(t, err, engine.ErrNotFound)
	_, err = s.Workflow(ctx, "other")
	wantError(t, err, engine.ErrNotFound)
}

func idIsMade(t *testing.T, s *suite) {
	ctx := context.Background()
	first := must[data.Workflow](t)(s.CreateWorkflow(ctx, NewWorkflow("", "A")))
	second := must[data.Workflow](t)(s.CreateWorkflow(ctx, NewWorkflow("", "A")))
	if len(first.ID) != 36 || first.ID[14] != '7' || first.ID >= second.ID {
		t.Errorf("ids %q and %q are not ordered UUIDs of version 7", first.ID, second.ID)
	}
}

func idIsUnique(t *testing.T, s *suite) {
	ctx := context.Background()
	must[data.Workflow](t)(s.CreateWorkflow(ctx, NewWorkflow("release", "A")))
	_, err := s.CreateWorkflow(ctx, NewWorkflow("release", "B"))
	wantError(t, err, engine.ErrConflict)
	wantEqual(t, "name", must[data.Workflow](t)(s.Workflow(ctx, "release")).Name, "A")
}

func badIDIsRefused(t *testing.T, s *suite) {
	for _, id := range []string{"../x", "a/b", ".", "a\x00b", strings.Repeat("a", 65), "-a", "a b", "ä"} {
		if _, err := s.CreateWorkflow(context.Background(), NewWorkflow(id, "A")); !errors.Is(err, data.ErrInvalid) {
			t.Errorf("id %q: error is %v", id, err)
		}
	}
}

func savedAtIsKept(t *testing.T, s *suite) {
	ctx := context.Background()
	now := s.clock.Now()
	given := NewWorkflow("release", "A")
	given.SavedAt = now.Add(-48 * time.Hour)
	created := must[data.Workflow](t)(s.CreateWorkflow(ctx, given))
	if !created.CreatedAt.Equal(given.SavedAt) || !created.UpdatedAt.Equal(given.SavedAt) || created.CreatedAt.Location() != time.UTC {
		t.Errorf("created at %v, updated at %v", created.CreatedAt, created.UpdatedAt)
	}
	for _, step := range []struct{ at, want time.Time }{
		{now.Add(-24 * time.Hour), now.Add(-24 * time.Hour)},
		{now.Add(-36 * time.Hour), now.Add(-24 * time.Hour)},
		{now.Add(time.Hour), now},
		{time.Time{}, now},
	} {
		given.SavedAt = step.at
		updated := must[data.Workflow](t)(s.UpdateWorkflow(ctx, "release", 0, given))
		revision := must[data.Revision](t)(s.WorkflowRevision(ctx, "release", 0))
		if !updated.UpdatedAt.Equal(step.want) || !revision.CreatedAt.Equal(step.want) || !updated.CreatedAt.Equal(created.CreatedAt) {
			t.Errorf("saved at %v: updated at %v, revision of %v", step.at, updated.UpdatedAt, revision.CreatedAt)
		}
	}
}

func unreadableIsKept(t *testing.T, s *suite) {
	ctx := context.Background()
	given := NewWorkflow("broken", "A")
	given.Text, given.Document, given.Draft, given.Problems = []byte("a: [\x00"), nil, true, json.RawMessage(`[{"code":"yaml_syntax"}]`)
	made := must[data.Workflow](t)(s.CreateWorkflow(ctx, given))
	whole := must[data.Revision](t)(s.WorkflowRevision(ctx, "broken", 0))
	if made.Valid || string(whole.Text) != "a: [\x00" || whole.Document != nil || string(whole.Problems) != string(given.Problems) {
		t.Errorf("kept as %+v", whole)
	}
}

func updateMakesRevision(t *testing.T, s *suite) {
	ctx := context.Background()
	created := must[data.Workflow](t)(s.CreateWorkflow(ctx, NewWorkflow("release", "A")))
	s.clock.Advance(time.Minute)
	change := NewWorkflow("ignored", "B")
	change.Format, change.Text, change.Message = data.FormatJSON, change.Document, "second"
	updated := must[data.Workflow](t)(s.UpdateWorkflow(ctx, "release", 1, change))
	wantEqual(t, "id", updated.ID, "release")
	wantEqual(t, "revision", updated.Revision, 2)
	wantEqual(t, "name", updated.Name, "B")
	if !updated.CreatedAt.Equal(created.CreatedAt) || updated.UpdatedAt.Sub(created.UpdatedAt) != time.Minute {
		t.Errorf("created %v, updated %v", updated.CreatedAt, updated.UpdatedAt)
	}
	history := must[[]data.RevisionInfo](t)(s.Revisions(ctx, "release"))
	wantEqual(t, "revisions", fmt.Sprintln(len(history), history[0].Revision, history[1].Revision, history[0].Message), "2 2 1 second\n")
	second := must[data.Revision](t)(s.WorkflowRevision(ctx, "release", 2))
	wantEqual(t, "second text", string(second.Text), string(change.Text))
	wantEqual(t, "second document", string(second.Document), string(change.Document))
	first := must[data.Revision](t)(s.WorkflowRevision(ctx, "release", 1))
	wantEqual(t, "first text", string(first.Text), "# kept\nname: A\r\n")
	_, err := s.UpdateWorkflow(ctx, "other", 0, change)
	wantError(t, err, engine.ErrNotFound)
	_, err = s.Revisions(ctx, "other")
	wantError(t, err, engine.ErrNotFound)
}

func staleUpdateIsRefused(t *testing.T, s *suite) {
	ctx := context.Background()
	must[data.Workflow](t)(s.CreateWorkflow(ctx, NewWorkflow("release", "A")))
	must[data.Workflow](t)(s.UpdateWorkflow(ctx, "release", 0, NewWorkflow("", "B")))
	_, err := s.UpdateWorkflow(ctx, "release", 1, NewWorkflow("", "C"))
	wantError(t, err, data.ErrRevisionMismatch)
	var mismatch *data.RevisionMismatchError
	if !errors.As(err, &mismatch) || mismatch.Current != 2 {
		t.Errorf("error %v does not know revision 2", err)
	}
	wantEqual(t, "name", must[data.Workflow](t)(s.Workflow(ctx, "release")).Name, "B")
}

func draftSaysProblems(t *testing.T, s *suite) {
	ctx := context.Background()
	draft := NewWorkflow("draft", "Draft")
	draft.Draft, draft.Document, draft.Problems = true, nil, json.RawMessage(`[{"code":"unknown_step"}]`)
	must[data.Workflow](t)(s.CreateWorkflow(ctx, draft))
	list, _, err := s.Workflows(ctx, data.WorkflowFilter{})
	need(t, err)
	wantEqual(t, "valid", list[0].Valid, false)
	wantEqual(t, "problems", string(list[0].Problems), `[{"code":"unknown_step"}]`)
	revision := must[data.Revision](t)(s.WorkflowRevision(ctx, "draft", 0))
	wantEqual(t, "document", string(revision.Document), "")
	wantEqual(t, "problems of the revision", string(revision.Problems), `[{"code":"unknown_step"}]`)
	put := must[data.Workflow](t)(s.UpdateWorkflow(ctx, "draft", 1, NewWorkflow("", "Draft")))
	wantEqual(t, "valid after the repair", put.Valid, true)
	wantEqual(t, "problems after the repair", len(put.Problems), 0)
}

func workflowsAreListed(t *testing.T, s *suite) {
	ctx := context.Background()
	for i, name := range []string{"beta", "Alpha", "gamma", "alpha"} {
		given := NewWorkflow(fmt.Sprintf("w%d", i), name)
		if i == 2 {
			given.Type, given.Tags, given.Description = "custom", []string{"other"}, "finds the NEEDLE"
		}
		must[data.Workflow](t)(s.CreateWorkflow(ctx, given))
		s.clock.Advance(time.Second)
	}
	tests := []struct {
		name   string
		filter data.WorkflowFilter
		want   string
		total  int
	}{
		{"all by name", data.WorkflowFilter{}, "w1 w3 w0 w2", 4},
		{"newest first", data.WorkflowFilter{Sort: "-updated_at"}, "w3 w2 w1 w0", 4},
		{"by type", data.WorkflowFilter{Type: "custom"}, "w2", 1},
		{"by tag", data.WorkflowFilter{Tag: "ci", Sort: "created_at"}, "w0 w1 w3", 3},
		{"by a word of the name", data.WorkflowFilter{Query: "ALPHA"}, "w1 w3", 2},
		{"by a word of the description", data.WorkflowFilter{Query: "needle"}, "w2", 1},
		{"one page", data.WorkflowFilter{Limit: 2, Offset: 1}, "w3 w0", 4},
		{"behind the end", data.WorkflowFilter{Offset: 9}, "", 4},
		{"nothing", data.WorkflowFilter{Query: "nowhere"}, "", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			list, total, err := s.Workflows(ctx, test.filter)
			need(t, err)
			ids := make([]string, len(list))
			for i := range list {
				ids[i] = list[i].ID
			}
			wantEqual(t, "ids", strings.Join(ids, " "), test.want)
			wantEqual(t, "total", total, test.total)
		})
	}
	_, _, err := s.Workflows(ctx, data.WorkflowFilter{Sort: "size"})
	wantError(t, err, data.ErrInvalid)
}

func executingIsNotDeleted(t *testing.T, s *suite) {
	ctx := context.Background()
	must[data.Workflow](t)(s.CreateWorkflow(ctx, NewWorkflow("release", "A")))
	life := s.create(t, 1, "release")
	err := s.DeleteWorkflow(ctx, "release")
	wantError(t, err, engine.ErrConflict)
	if !strings.Contains(err.Error(), life.Header.ID) {
		t.Errorf("error %q does not name the execution", err)
	}
	wantEqual(t, "live", strings.Join(must[[]string](t)(s.LiveExecutions(ctx, "release")), " "), life.Header.ID)
	need(t, s.Append(ctx, life.End(plan.StatusSuccess)))
	wantEqual(t, "live", len(must[[]string](t)(s.LiveExecutions(ctx, "release"))), 0)
	need(t, s.DeleteWorkflow(ctx, "release"))
	wantError(t, s.DeleteWorkflow(ctx, "release"), engine.ErrNotFound)
}

func deleteKeepsHistory(t *testing.T, s *suite) {
	ctx := context.Background()
	must[data.Workflow](t)(s.CreateWorkflow(ctx, NewWorkflow("release", "A")))
	must[data.Workflow](t)(s.UpdateWorkflow(ctx, "release", 0, NewWorkflow("", "B")))
	life := s.finished(t, 1, "release")
	need(t, s.DeleteWorkflow(ctx, "release"))
	_, err := s.WorkflowRevision(ctx, "release", 1)
	wantError(t, err, engine.ErrNotFound)
	stored := must[engine.Stored](t)(s.Load(ctx, life.Header.ID))
	wantEqual(t, "document", string(stored.Document), string(Document()))
	page, _, err := s.Executions(ctx, data.ExecutionFilter{WorkflowID: "release"})
	need(t, err)
	wantEqual(t, "executions", len(page), 1)
}

func metadataFollowExecutions(t *testing.T, s *suite) {
	ctx := context.Background()
	must[data.Workflow](t)(s.CreateWorkflow(ctx, NewWorkflow("release", "A")))
	older := s.create(t, 1, "release")
	s.clock.Advance(time.Minute)
	newer := s.create(t, 2, "release")
	want := func(count int, status plan.Status) {
		t.Helper()
		w := must[data.Workflow](t)(s.Workflow(ctx, "release"))
		wantEqual(t, "count", w.ExecutionCount, count)
		wantEqual(t, "status", *w.LastStatus, status)
		if !w.LastExecuted.Equal(newer.Header.CreatedAt) {
			t.Fatalf("last executed at %v", w.LastExecuted)
		}
	}
	want(2, plan.StatusPending)
	need(t, s.Append(ctx, newer.Start()))
	want(2, plan.StatusRunning)
	need(t, s.Append(ctx, older.End(plan.StatusFailed)))
	want(2, plan.StatusRunning)
	must[data.Workflow](t)(s.UpdateWorkflow(ctx, "release", 0, NewWorkflow("", "B")))
	need(t, s.Append(ctx, newer.End(plan.StatusSuccess)))
	want(2, plan.StatusSuccess)
	need(t, s.DeleteExecution(ctx, older.Header.ID))
	want(2, plan.StatusSuccess)
}

func remadeCountsOn(t *testing.T, s *suite) {
	ctx := context.Background()
	s.finished(t, 1, "release")
	s.finished(t, 2, "release")
	s.finished(t, 3, "other")
	w := must[data.Workflow](t)(s.CreateWorkflow(ctx, NewWorkflow("release", "A")))
	wantEqual(t, "count", w.ExecutionCount, 2)
	wantEqual(t, "status", *w.LastStatus, plan.StatusSuccess)
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	raw, err := json.Marshal(value)
	need(t, err)
	return string(raw)
}
