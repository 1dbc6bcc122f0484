package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
)

var november = time.Date(2025, 11, 21, 15, 42, 58, 0, time.UTC)

const (
	epicDoc = `# Epic 21 - Workflow Platform

**Status:** IN PROGRESS
**Last Updated:** 2025-01-01 (v0.21.0.1 – something)

The task E21:S03:T001 is described below.

## Stories

- [ ] **E21:S03 – Release workflow** - IN PROGRESS (v0.21.0.1)
- [x] E21:S04 - Done before

## Story 3: Release workflow

**Status**: TODO

- [x] E21:S03:T001 – First (v0.21.0.1)
- [ ] E21:S03:T002 – Second, after E21:S03:T003
  * [ ] **E21S3T3** – Third` + "  " + `

` + "```\n- [ ] E21:S03:T002 in a code block\n```\n" + `
## Story 4

Status: Complete
`
	storyDoc = `# Story 3 - Release workflow

- **Status:** In Progress
- **Last updated:** 2025-01-01

## Tasks

1. [ ] E21:S03:T001 – First
2. [ ] E21:S03:T002 – Second
3. [ ] E21:S03:T003 – Third
`
	otherStory = "# Story 4\n\nStatus: TODO\n\n- [ ] E21:S04:T001 – Another\n"
	boardDoc   = "# Board\r\n\r\n- [ ] Epic 21 - Workflow Platform\r\n- [ ] E21:S03 Release workflow\r\n- [ ] E22:S01 Other\r\nLast updated: never"
)

// project is a workspace on a branch, with the documents of one epic.
func project(t *testing.T, branch string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	handlertest.Git(t, dir, "init", "-q", "-b", branch)
	old := time.Now().Add(-time.Hour)
	for name, text := range files {
		handlertest.Write(t, dir, name, text)
		if err := os.Chtimes(filepath.Join(dir, filepath.FromSlash(name)), old, old); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func updater() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{Path: "vwmp.kanban_update"}, kanbanUpdater{func() time.Time { return november }})
}

func TestKanbanUpdateTicksTasksAndCompletesWhatIsDone(t *testing.T) {
	files := map[string]string{
		"kanban/epics/Epic 21/Epic-21.md": epicDoc, "kanban/epics/Epic 21/Story-003-release.md": storyDoc, "kanban/board.md": boardDoc,
		"kanban/epics/Epic 22/Epic-22.md": "# Epic 22\n- [ ] E21:S03:T002\n",
	}
	withOther := map[string]string{"kanban/epics/Epic 21/Story-004.md": otherStory}
	all := []string{"E21:S03:T001", "E21:S03:T002", "E21:S03:T003"}
	for name, test := range map[string]struct {
		config map[string]any
		more   map[string]string
		want   kanbanOutput
	}{
		"one-task": {map[string]any{"task_ids": all[1:2]}, nil, kanbanOutput{TasksUpdated: 1}},
		"story":    {map[string]any{"task_ids": all}, withOther, kanbanOutput{TasksUpdated: 3, StoriesCompleted: []string{"E21:S03"}}},
		"epic":     {map[string]any{"task_ids": all, "kanban_board": "kanban/board.md"}, nil, kanbanOutput{TasksUpdated: 3, StoriesCompleted: []string{"E21:S03"}, EpicCompleted: true}},
		"plain": {map[string]any{"task_ids": append([]string{"E21:S09:T001"}, all...), "update_stories": false, "update_last_updated": false}, nil,
			kanbanOutput{TasksUpdated: 2, TasksMissing: []string{"E21:S09:T001"}}},
	} {
		t.Run(name, func(t *testing.T) {
			present := map[string]string{}
			for _, set := range []map[string]string{files, test.more} {
				for file, text := range set {
					present[file] = text
				}
			}
			dir := project(t, "epic/21-workflow-platform", present)
			test.config["values"] = map[string]string{"version": "0.21.0.2", "summary": "Release workflow"}
			use := handlertest.Call{Handler: "vwmp.kanban_update", Dir: dir, Config: test.config}
			_, step := use.Step(t)
			outcome := updater().Execute(t.Context(), step)
			if outcome.Kind != pluginsdk.OutcomeSuccess {
				t.Fatalf("%+v", outcome.Failure)
			}
			var got kanbanOutput
			handlertest.FromJSON(t, outcome.Output, &got)
			if got.EpicDoc != "kanban/epics/Epic 21/Epic-21.md" || got.Version != "0.21.0.2" || got.TasksUpdated != test.want.TasksUpdated ||
				got.EpicCompleted != test.want.EpicCompleted || !slices.Equal(got.StoriesCompleted, test.want.StoriesCompleted) || !slices.Equal(got.TasksMissing, test.want.TasksMissing) {
				t.Errorf("output %+v", got)
			}
			var texts []string
			for _, file := range got.Files {
				texts = append(texts, "=== "+file+"\n"+strings.ReplaceAll(handlertest.Read(t, dir, file), "\r", "<CR>"))
			}
			handlertest.Golden(t, name+".txt", strings.Join(texts, ""))
			for file, text := range present {
				if !slices.Contains(got.Files, file) && handlertest.Read(t, dir, file) != text {
					t.Errorf("%s changed", file)
				}
			}
			again := use.Execute(t)
			handlertest.FromJSON(t, again.Output, &got)
			if again.Kind != pluginsdk.OutcomeSuccess || got.TasksUpdated != 0 || len(got.Files) != 0 {
				t.Errorf("a second time: %+v %+v", again.Failure, got)
			}
			for range 2 {
				if err := use.Undo(t, outcome.UndoToken); err != nil {
					t.Fatal(err)
				}
			}
			for file, text := range present {
				if got := handlertest.Read(t, dir, file); got != text {
					t.Errorf("%s is undone to\n%s", file, got)
				}
			}
		})
	}
}

func TestTaskIDsComeFromTheFirstSourceThatNamesAny(t *testing.T) {
	for name, test := range map[string]struct {
		use  handlertest.Call
		want []string
	}{
		"config":         {handlertest.Call{Config: map[string]any{"task_ids": []string{"e1s1t1"}}, Parameters: map[string]any{"task_ids": "E01:S01:T002"}}, []string{"E01:S01:T001"}},
		"parameter text": {handlertest.Call{Parameters: map[string]any{"task_ids": "E01:S01:T002, E1:S1:T3", "summary": "E01:S01:T004"}}, []string{"E01:S01:T002", "E01:S01:T003"}},
		"parameter list": {handlertest.Call{Parameters: map[string]any{"task_ids": []string{"E01:S01:T002"}}}, []string{"E01:S01:T002"}},
		"summary":        {handlertest.Call{Parameters: map[string]any{"task_ids": nil, "summary": "Completes E01:S01:T004 and E01:S01:T004"}}, []string{"E01:S01:T004"}},
		"changelog":      {handlertest.Call{Outputs: []map[string]any{{"changelog_file": "log.md"}}, Parameters: map[string]any{"summary": "x"}}, []string{"E07:S08:T009"}},
		"none":           {handlertest.Call{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := project(t, "epic/1", map[string]string{"Epic-1.md": "# x\n", "log.md": "- E07:S08:T009\n"})
			test.use.Handler, test.use.Dir = "vwmp.kanban_update", dir
			test.use.Outputs = append(test.use.Outputs, map[string]any{"new_version": "1.0.0"})
			var output kanbanOutput
			test.use.Succeed(t, &output)
			if !slices.Equal(output.TasksMissing, test.want) || len(output.Files) != 0 {
				t.Errorf("got %+v, want %v", output, test.want)
			}
		})
	}
	use := handlertest.Call{Handler: "vwmp.kanban_update", Dir: project(t, "epic/1", map[string]string{"Epic-1.md": "x"}), Config: map[string]any{
		"task_ids": []string{"nonsense"}, "values": map[string]string{"version": "1.0.0"},
	}}
	if failure := use.Fail(t, pluginsdk.FailureInvalidInput, "nonsense"); failure.Pointer != "/task_ids/0" {
		t.Errorf("pointer %s", failure.Pointer)
	}
}

func TestKanbanUpdateIsSkippedWhereThereIsNoEpic(t *testing.T) {
	for name, test := range map[string]struct{ branch, reason string }{
		"branch":   {"main", `"main" names no epic`},
		"document": {"epic/21-x", "Epic-21.md"},
		"word":     {"epicentre/21", "names no epic"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := project(t, test.branch, map[string]string{"README.md": "x"})
			use := handlertest.Call{Handler: "vwmp.kanban_update", Dir: dir, Config: map[string]any{"values": map[string]string{"version": "1.0.0"}}}
			outcome := use.Execute(t)
			if outcome.Kind != pluginsdk.OutcomeSkipped || !strings.Contains(outcome.SkipReason, test.reason) {
				t.Errorf("got %s %q", outcome.Kind, outcome.SkipReason)
			}
			if effects := use.Plan(t); len(effects) != 0 {
				t.Errorf("plan %+v", effects)
			}
			use.Reconcile(t, pluginsdk.ReconcileNotStarted)
		})
	}
	use := handlertest.Call{Handler: "vwmp.kanban_update", Dir: t.TempDir(), Config: map[string]any{"values": map[string]string{"version": "1.0.0"}}}
	if outcome := use.Execute(t); outcome.Kind != pluginsdk.OutcomeSkipped {
		t.Errorf("outside of a repository: %s", outcome.Kind)
	}
}

func TestEpicDocumentIsFoundByTheBranchsNumber(t *testing.T) {
	for name, test := range map[string]struct{ branch, file, pattern string }{
		"as in the branch": {"epic/07-x", "docs/Epic-07.md", ""},
		"with zeros":       {"epic/7-x", "docs/Epic-07.md", ""},
		"without zeros":    {"epic/007", "Epic-7.md", ""},
		"pattern":          {"feature/epic-7/more", "KB/Epic 7/Epic-7.md", "KB/Epic {epic}/Epic-{epic}.md"},
		"code":             {"feature/E07-S01-x", "Epic-7.md", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := project(t, test.branch, map[string]string{test.file: "- [ ] E07:S01:T001\n", "Epic-70.md": "x", "Epic-77.md": "x"})
			use := handlertest.Call{Handler: "vwmp.kanban_update", Dir: dir, Config: map[string]any{"task_ids": []string{"E07:S01:T001"}, "values": map[string]string{"version": "1.0.0"}}}
			if test.pattern != "" {
				use.Config["epic_doc_pattern"] = test.pattern
			}
			if effects := use.Plan(t); len(effects) != 1 || !strings.Contains(effects[0].Diff, "+- [x] E07:S01:T001 (v1.0.0)") {
				t.Errorf("plan %+v", effects)
			}
			var output kanbanOutput
			use.Succeed(t, &output)
			if output.EpicDoc != test.file || output.TasksUpdated != 1 {
				t.Errorf("output %+v", output)
			}
			if got := handlertest.Read(t, dir, test.file); got != "- [x] E07:S01:T001 (v1.0.0)\n" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestKanbanUpdateRefusesBadInput(t *testing.T) {
	dir := project(t, "epic/1", map[string]string{"a/Epic-1.md": "x", "b/Epic-1.md": "x"})
	for name, test := range map[string]struct {
		config map[string]any
		text   string
	}{
		"no version":      {map[string]any{}, "{version}"},
		"bad version":     {map[string]any{"values": map[string]string{"version": "1.0\n- [x]"}}, "no version"},
		"two documents":   {map[string]any{"values": map[string]string{"version": "1"}}, "several documents"},
		"pattern outside": {map[string]any{"values": map[string]string{"version": "1"}, "epic_doc_pattern": "../Epic-{epic}.md"}, "leaves the workspace"},
		"board in git":    {map[string]any{"values": map[string]string{"version": "1"}, "epic_doc_pattern": "a/Epic-1.md", "kanban_board": ".git/config"}, ".git"},
	} {
		t.Run(name, func(t *testing.T) {
			use := handlertest.Call{Handler: "vwmp.kanban_update", Dir: dir, Config: test.config}
			use.Fail(t, pluginsdk.FailureInvalidInput, test.text)
		})
	}
}

func TestKanbanUpdateReconcilesAtEveryPointOfACrash(t *testing.T) {
	files := map[string]string{"Epic-21.md": epicDoc, "Story-3.md": storyDoc}
	start := func(t *testing.T, crash *handlertest.Recorder) *handlertest.Call {
		dir := project(t, "epic/21", files)
		use := &handlertest.Call{Handler: "vwmp.kanban_update", Dir: dir, Recorder: crash, Started: time.Now().Add(-time.Minute), Config: map[string]any{
			"task_ids": []string{"E21:S03:T002"}, "values": map[string]string{"version": "1.0.0"},
		}}
		use.Fail(t, pluginsdk.FailurePermanent, handlertest.ErrCrash.Error())
		use.Checkpoint, use.Recorder = crash.Checkpoint, &handlertest.Recorder{}
		return use
	}
	check := func(t *testing.T, use *handlertest.Call, outcome pluginsdk.Outcome) {
		t.Helper()
		if !strings.Contains(handlertest.Read(t, use.Dir, "Story-3.md"), "[x] E21:S03:T002 – Second (v1.0.0)") {
			t.Error("the story is not ticked")
		}
		if err := use.Undo(t, outcome.UndoToken); err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			if handlertest.Read(t, use.Dir, name) != text {
				t.Errorf("%s is not as it was", name)
			}
		}
	}
	t.Run("before the first document", func(t *testing.T) {
		use := start(t, &handlertest.Recorder{CrashBefore: true})
		use.Reconcile(t, pluginsdk.ReconcileNotStarted)
		check(t, use, use.Succeed(t, nil))
	})
	t.Run("between the documents", func(t *testing.T) {
		// The first effect that is done ends the attempt: one document is
		// written, the other is not.
		use := start(t, &handlertest.Recorder{CrashAfter: true})
		if handlertest.Read(t, use.Dir, "Epic-21.md") == epicDoc || handlertest.Read(t, use.Dir, "Story-3.md") != storyDoc {
			t.Fatal("the attempt was not cut off between the documents")
		}
		use.Reconcile(t, pluginsdk.ReconcileNotStarted)
		check(t, use, use.Succeed(t, nil))
	})
	t.Run("after the last document", func(t *testing.T) {
		use := start(t, &handlertest.Recorder{CrashBefore: true})
		recorder := &handlertest.Recorder{}
		use.Checkpoint, use.Recorder = nil, recorder
		use.Succeed(t, nil)
		use.Checkpoint = recorder.Checkpoint
		result := use.Reconcile(t, pluginsdk.ReconcileDone)
		outcome := use.Succeed(t, nil)
		if string(outcome.Output) != string(result.Output) {
			t.Errorf("a second attempt gave %s, not %s", outcome.Output, result.Output)
		}
		check(t, use, outcome)
	})
	t.Run("changed by somebody", func(t *testing.T) {
		use := start(t, &handlertest.Recorder{CrashAfter: true})
		handlertest.Write(t, use.Dir, "Epic-21.md", "mine\n")
		use.Reconcile(t, pluginsdk.ReconcileUnknown)
	})
	t.Run("checkpoint lost", func(t *testing.T) {
		use := start(t, &handlertest.Recorder{CrashBefore: true})
		use.Checkpoint = nil
		use.Reconcile(t, pluginsdk.ReconcileNotStarted)
		use = start(t, &handlertest.Recorder{CrashAfter: true})
		use.Checkpoint = nil
		use.Reconcile(t, pluginsdk.ReconcileUnknown)
	})
}
