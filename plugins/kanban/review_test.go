package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
)

// ofTemplates is the config of the handlers that hold documents against
// templates.
func ofTemplates() map[string]any {
	return map[string]any{"epic_template": "kanban/templates/epic.md", "story_template": "kanban/templates/story.md"}
}

// The expectations below are a person's reading of testdata/review.txtar.

func TestTheStateIsWhatTheDocumentsSay(t *testing.T) {
	t.Parallel()
	var output stateOutput
	(&handlertest.Call{Handler: "kanban.review_state", Dir: project(t, "review.txtar")}).Succeed(t, &output)
	var got []string
	for _, d := range output.StateReview.Documents {
		line := fmt.Sprintf("%s %s, tasks %d/%d", d.ID, d.StatusKind, *d.TasksDone, *d.TasksDone+*d.TasksOpen)
		if d.Type == "epic" {
			line += fmt.Sprintf(", stories %d/%d", *d.StoriesDone, *d.StoriesTotal)
		}
		got = append(got, line)
	}
	want := []string{
		"Epic 1 in_progress, tasks 0/0, stories 2/3",
		"Epic 2 complete, tasks 0/1, stories 1/2",
		"Epic 3 in_progress, tasks 0/0, stories 2/2",
		"E01:S01 complete, tasks 2/2",
		"E01:S02 complete, tasks 2/2", // The box in its code is none.
		"E01:S03 todo, tasks 0/1",     // The one that is dropped does not count.
		"E02:S01 complete, tasks 1/2",
		"E02:S02 in_progress, tasks 0/1",
		"E09:S01 todo, tasks 0/0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	first := output.StateReview.Documents[0]
	if first.Status != "IN PROGRESS" || first.Priority != "HIGH" || first.Dates["created"] != "2025-01-10" || first.Dates["last_updated"] != "2025-03-01" || first.Title != "Epic 1 – Accounts" {
		t.Errorf("got %+v", first)
	}
	if s := output.StateReview.Summary; s.Epics != 3 || s.Stories != 6 || s.TasksDone != 5 || s.TasksOpen != 4 || s.ByStatus["complete"] != 4 {
		t.Errorf("summary %+v", s)
	}
	(&handlertest.Call{Handler: "kanban.review_state", Dir: project(t, "review.txtar"), Config: map[string]any{"include_stories": false, "include_metrics": false}}).Succeed(t, &output)
	if len(output.StateReview.Documents) != 3 || output.StateReview.Summary.Stories != 6 {
		t.Errorf("without stories: %+v", output.StateReview)
	}
}

func TestDivergencesAreThoseThatAReaderSees(t *testing.T) {
	t.Parallel()
	dir := project(t, "review.txtar")
	var output divergenceOutput
	call := handlertest.Call{Handler: "kanban.check_template_divergence", Dir: dir, Config: ofTemplates()}
	call.Succeed(t, &output)
	if len(output.Divergences) != 1 {
		t.Fatalf("got %+v", output.Divergences)
	}
	one := output.Divergences[0]
	if one.File != "kanban/epics/Epic-2/Epic-2-search.md" || !slices.Equal(one.MissingSections, []string{"Acceptance Criteria"}) || !slices.Equal(one.ExtraSections, []string{"History"}) || len(one.OrderChanges) > 0 {
		t.Errorf("got %+v", one)
	}
	call.Config["strict_mode"], call.Config["ignore_optional"] = true, false
	call.Succeed(t, &output)
	at := map[string]divergence{}
	for _, d := range output.Divergences {
		at[filepath.Base(d.File)] = d
	}
	if got := at["Epic-2-search.md"].OrderChanges; !slices.Equal(got, []string{"Overview stands after Goals, in the template before it"}) {
		t.Errorf("order %q", got)
	}
	if got := at["Story-002-ranking.md"].OrderChanges; len(got) != 1 {
		t.Errorf("order %q", got)
	}
	if got := at["Epic-1-accounts.md"].MissingSections; !slices.Equal(got, []string{"Risks"}) {
		t.Errorf("optional sections: %q", got)
	}
}

func TestContradictionsAndRepetitionsAreThoseThatAReaderSees(t *testing.T) {
	t.Parallel()
	var output repetitionOutput
	(&handlertest.Call{Handler: "kanban.check_repetition", Dir: project(t, "review.txtar")}).Succeed(t, &output)
	var got []string
	for _, c := range output.Contradictions {
		got = append(got, fmt.Sprintf("%s %s %v", c.Kind, c.Subject, c.CanBeFixed))
	}
	want := []string{
		"status E01:S02 true",       // Its own document says complete, the epic in progress.
		"open_tasks Epic 2 false",   // E02:S02:T009 is open.
		"open_stories Epic 2 false", // E02:S02 is in progress.
		"stories_complete Epic 3 true",
		"open_tasks E02:S01 false", // E02:S01:T002 is open.
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if len(output.Repetitions) != 2 {
		t.Fatalf("repetitions %+v", output.Repetitions)
	}
	same, nearly := output.Repetitions[0], output.Repetitions[1]
	if same.Text != "Nobody asks the support team for a new password any more." || same.Count != 2 || len(same.Files) != 2 || !same.IsExact {
		t.Errorf("got %+v", same)
	}
	if !strings.HasPrefix(nearly.Text, "Every page is in the index") || nearly.Count != 2 || nearly.IsExact || len(nearly.Variants) != 1 {
		t.Errorf("got %+v", nearly)
	}
}

func TestGapsAreThoseThatAReaderSees(t *testing.T) {
	t.Parallel()
	var output gapsOutput
	(&handlertest.Call{Handler: "kanban.check_coverage_gaps", Dir: project(t, "review.txtar"), Config: ofTemplates()}).Succeed(t, &output)
	var got []string
	for _, gap := range output.CoverageGaps {
		if gap.Recommendation == "" {
			t.Errorf("no recommendation: %+v", gap)
		}
		got = append(got, filepath.Base(gap.File)+" | "+gap.Section+" | "+gap.Description)
	}
	want := []string{
		"Epic-2-search.md | Acceptance Criteria | The section is missing.",
		"Epic-2-search.md | Overview | The section is vague: “TBD”.",
		"Epic-3-export.md | Goals | The section says too little: 6 characters, 50 are due.",
		"Epic-3-export.md | Stories | The story E03:S01 is listed and has no document.",
		"Epic-3-export.md | Stories | The story E03:S02 is listed and has no document.",
		"Story-003-two-factors.md | Notes | The section is empty.",
		"Story-001-lost.md | Goal | The section has only the template's own text.",
		"Story-001-lost.md | Tasks | The section is empty.",
		"Story-001-lost.md |  | The story's epic 9 has no document.",
		"Story-001-lost.md |  | The story has no tasks.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestDifferentDatesContradictEachOther(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	handlertest.Write(t, dir, "kanban/epics/Epic-4.md", "# Epic 4\n\n**Status:** TODO\n\n## Story 1: One\n\n**Status:** Done\n**Completed:** 2025-05-01\n\n## Story 2: Two\n\nStatus: Open source comes first\n")
	handlertest.Write(t, dir, "kanban/epics/Epic-4/Story-1.md", "# Story 1\n\n- **Status**: done\n- **Completed**: 2025-05-02 (v1)\n")
	var output repetitionOutput
	(&handlertest.Call{Handler: "kanban.check_repetition", Dir: dir}).Succeed(t, &output)
	if len(output.Contradictions) != 1 || output.Contradictions[0].Kind != "date" || output.Contradictions[0].Subject != "E04:S01" || len(output.Contradictions[0].Statements) != 2 {
		t.Errorf("got %+v", output.Contradictions)
	}
}

func TestLongDocumentsAreMeasuredWithoutEmptyLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	handlertest.Write(t, dir, "kb/epics/Epic-1.md", strings.Repeat("one two\n\n", 12))
	handlertest.Write(t, dir, "kb/stories/Story-1.md", strings.Repeat("word\n", 9))
	handlertest.Write(t, dir, "kb/stories/Story-2.md", strings.Repeat("word\n", 8))
	var output bloatOutput
	(&handlertest.Call{Handler: "kanban.check_bloat", Dir: dir, Config: map[string]any{"kanban_root": "kb", "bloat_threshold": 10, "warn_threshold": 8}}).Succeed(t, &output)
	if len(output.BloatedDocs) != 1 || output.BloatedDocs[0].Lines != 12 || output.BloatedDocs[0].ExcessLines != 2 || *output.BloatedDocs[0].WordCount != 24 || output.BloatedDocs[0].Threshold != 10 {
		t.Errorf("too long: %+v", output.BloatedDocs)
	}
	if len(output.WarnedDocs) != 1 || output.WarnedDocs[0].File != "kb/stories/Story-1.md" {
		t.Errorf("nearly: %+v", output.WarnedDocs)
	}
}

// review runs the checks at the same time, as the workflow does.
func review(t *testing.T, dir string) {
	t.Helper()
	var steps sync.WaitGroup
	for handler, config := range map[string]map[string]any{
		"kanban.review_state": nil, "kanban.check_template_divergence": ofTemplates(), "kanban.check_bloat": nil,
		"kanban.check_repetition": nil, "kanban.check_coverage_gaps": ofTemplates(),
	} {
		steps.Go(func() { (&handlertest.Call{Handler: handler, Dir: dir, Config: config}).Succeed(t, nil) })
	}
	steps.Wait()
}

func TestParallelStepsLoseNoneOfTheFindings(t *testing.T) {
	t.Parallel()
	dir := project(t, "review.txtar")
	handlertest.Write(t, dir, findingsFile, `{"mine": [1]}`)
	for range 5 {
		review(t, dir)
		var all map[string]json.RawMessage
		handlertest.FromJSON(t, []byte(handlertest.Read(t, dir, findingsFile)), &all)
		for _, key := range []string{"mine", "state_review", "template_divergences", "bloated_docs", "repetitions", "contradictions", "coverage_gaps"} {
			if all[key] == nil {
				t.Fatalf("the findings lack %s", key)
			}
		}
		delete(all, "mine")
	}
	handlertest.Write(t, dir, findingsFile, "not JSON")
	(&handlertest.Call{Handler: "kanban.check_bloat", Dir: dir}).Fail(t, pluginsdk.FailurePermanent, findingsFile+" is not a JSON object")
}

func TestUpdatesAreMadeOnlyWhereWantedAndCanBeTakenBack(t *testing.T) {
	t.Parallel()
	for _, backup := range []bool{true, false} {
		dir := project(t, "review.txtar")
		review(t, dir)
		before := snapshot(t, dir)
		call := handlertest.Call{Handler: "kanban.apply_updates", Dir: dir, Config: map[string]any{}}
		for _, config := range []map[string]any{{}, {"auto_apply": true, "dry_run": true}} {
			call.Config = config
			var output applyOutput
			call.Succeed(t, &output)
			if len(output.ProposedFixes) != 3 || len(output.AppliedFixes) != 0 || len(output.LeftToDo) != 3 || output.Summary.CoverageGaps != 10 {
				t.Errorf("%v: %+v", config, output)
			}
		}
		call.Config = map[string]any{"auto_apply": true, "backup_before_apply": backup}
		if effects := call.Plan(t); len(effects) != 3 || !strings.Contains(effects[0].Diff, "+- [x] E01:S02") {
			t.Errorf("plan %+v", effects)
		}
		if now := snapshot(t, dir); !mapsEqual(before, now) {
			t.Fatal("something changed before it was to")
		}
		var output applyOutput
		outcome := call.Succeed(t, &output)
		if len(output.AppliedFixes) != 3 || (output.Backup != "") != backup {
			t.Fatalf("got %+v", output)
		}
		for file, line := range map[string]string{
			"Epic-1/Epic-1-accounts.md": "- [x] E01:S02 – Reset a password – COMPLETE\n",
			"Epic-2/Epic-2-search.md":   "- [ ] E02:S02:T009 – Tell the index's age\n\n## Acceptance Criteria\n\n[How anyone can tell that it is done.]\n\n## History\n",
			"Epic-3/Epic-3-export.md":   "\n**Status:** COMPLETE\n",
		} {
			if text := handlertest.Read(t, dir, "kanban/epics/"+file); !strings.Contains(text, line) {
				t.Errorf("%s lacks %q:\n%s", file, line, text)
			}
		}
		var again applyOutput
		call.Succeed(t, &again)
		if len(again.AppliedFixes) != 0 {
			t.Errorf("a second time: %+v", again.AppliedFixes)
		}
		for range 2 {
			if err := call.Undo(t, outcome.UndoToken); err != nil {
				t.Fatal(err)
			}
		}
		if now := snapshot(t, dir); !mapsEqual(before, now) {
			t.Error("undo did not bring everything back")
		}
		if handlertest.Exists(filepath.Join(dir, backupsFolder)) {
			t.Error("undo left the backup")
		}
	}
}

func TestUndoLeavesADocumentThatWasChangedSince(t *testing.T) {
	t.Parallel()
	dir := project(t, "review.txtar")
	review(t, dir)
	call := handlertest.Call{Handler: "kanban.apply_updates", Dir: dir, Config: map[string]any{"auto_apply": true}}
	outcome := call.Succeed(t, nil)
	handlertest.Write(t, dir, "kanban/epics/Epic-3/Epic-3-export.md", "mine\n")
	if err := call.Undo(t, outcome.UndoToken); err == nil || !strings.Contains(err.Error(), "changed since") {
		t.Errorf("got %v", err)
	}
	if text := handlertest.Read(t, dir, "kanban/epics/Epic-3/Epic-3-export.md"); text != "mine\n" {
		t.Errorf("got %q", text)
	}
}

// snapshot is the kanban folder's files.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(filepath.Join(dir, "kanban"), func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := os.ReadFile(name)
		files[name] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func mapsEqual(a, b map[string]string) bool {
	return fmt.Sprint(a) == fmt.Sprint(b)
}

func TestAFolderThatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()
	for _, root := range []string{"absent", "../x", "/etc", "file", ".git/x"} {
		dir := t.TempDir()
		handlertest.Write(t, dir, "file", "")
		call := handlertest.Call{Handler: "kanban.review_state", Dir: dir, Config: map[string]any{"kanban_root": root}}
		if failure := call.Fail(t, pluginsdk.FailureInvalidInput, ""); failure.Pointer != "/kanban_root" {
			t.Errorf("%s: %+v", root, failure)
		}
	}
}
