package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

var release = map[string]string{"version": "1.2.3", "summary": "Faster start"}

func TestStageAllStagesWhatThePathsSay(t *testing.T) {
	tests := map[string]struct {
		config map[string]any
		want   []string
	}{
		"everything, deletions included":   {nil, []string{".gitignore", "a.txt", "docs/b.md", "docs/c.log", "new.txt"}},
		"everything but excluded patterns": {map[string]any{"exclude": []string{"*.log", ".gitignore"}}, []string{"a.txt", "docs/b.md", "new.txt"}},
		"a folder":                         {map[string]any{"paths": []string{"docs/"}}, []string{"docs/b.md", "docs/c.log"}},
		"a pattern":                        {map[string]any{"paths": []string{"docs/*.md", "./a.txt"}}, []string{"a.txt", "docs/b.md"}},
		"ignored files by force":           {map[string]any{"paths": []string{"ignored.tmp"}, "force": true}, []string{"ignored.tmp"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newRepository(t)
			write(t, dir, ".gitignore", "*.tmp\n")
			write(t, dir, "ignored.tmp", "x")
			write(t, dir, "docs/b.md", "x")
			write(t, dir, "docs/c.log", "x")
			write(t, dir, "new.txt", "x")
			if err := os.Remove(filepath.Join(dir, "a.txt")); err != nil {
				t.Fatal(err)
			}
			before := git(t, dir, "status", "--porcelain")
			use := call{handler: "git.stage_all", dir: dir, config: test.config}
			if effects := use.plan(t); len(effects) != 1 || effects[0].Action != "update" {
				t.Errorf("plan: %+v", effects)
			}
			if after := git(t, dir, "status", "--porcelain"); after != before {
				t.Errorf("the plan changed something:\n%s\n%s", before, after)
			}
			for range 2 {
				var output stageOutput
				use.succeed(t, &output)
				if !slices.Equal(output.Files, test.want) || output.PathsStaged != len(test.want) {
					t.Fatalf("got %+v, want %v", output, test.want)
				}
			}
			if staged := git(t, dir, "diff", "--cached", "--name-only"); staged != strings.Join(test.want, "\n") {
				t.Errorf("git has staged %q", staged)
			}
		})
	}
}

func TestStageAllIsUndoneToTheIndexOfBefore(t *testing.T) {
	dir := newRepository(t)
	write(t, dir, "staged.txt", "by the user")
	git(t, dir, "add", "staged.txt")
	write(t, dir, "new.txt", "x")
	write(t, dir, "a.txt", "changed")
	before := git(t, dir, "status", "--porcelain")
	use := call{handler: "git.stage_all", dir: dir}
	use.succeed(t, nil)
	// Another attempt must not take the first one's work for the beginning.
	use.checkpoint = use.recorder.checkpoint
	outcome := use.succeed(t, nil)
	if err := use.undo(t, outcome.UndoToken); err != nil {
		t.Fatal(err)
	}
	if after := git(t, dir, "status", "--porcelain"); after != before {
		t.Errorf("after the undo\n%s\nbefore\n%s", after, before)
	}
	if err := use.undo(t, outcome.UndoToken); err != nil {
		t.Errorf("undone again: %v", err)
	}
	git(t, dir, "add", "new.txt")
	if err := use.undo(t, outcome.UndoToken); err == nil || !strings.Contains(err.Error(), "since") {
		t.Errorf("undone over others' work: %v", err)
	}
}

func TestStageAllRefusesWhatItCantStage(t *testing.T) {
	dir := newRepository(t)
	for path, class := range map[string]pluginsdk.FailureClass{
		"--chmod=+x": pluginsdk.FailureInvalidInput, "../x": pluginsdk.FailureInvalidInput, "/etc/passwd": pluginsdk.FailureInvalidInput,
		":(top)x": pluginsdk.FailureInvalidInput, "": pluginsdk.FailureInvalidInput, "absent.txt": pluginsdk.FailurePermanent,
	} {
		use := call{handler: "git.stage_all", dir: dir, config: map[string]any{"paths": []string{path}}}
		use.fail(t, class, "")
	}
}

func TestCommitCommitsWhatIsStaged(t *testing.T) {
	dir := newRepository(t)
	write(t, dir, "b.txt", "two\n")
	write(t, dir, "a.txt", "changed, not staged\n")
	git(t, dir, "add", "b.txt")
	use := call{
		handler: "git.commit", dir: dir, config: map[string]any{"author": "Grace <grace@example.com>"},
		parameters: map[string]any{"summary": "Faster {start}"}, outputs: []map[string]any{{"other": 1}, {"new_version": "1.2.3"}},
	}
	var output commitOutput
	outcome := use.succeed(t, &output)
	if output.CommitMessage != "1.2.3 - Faster {start}" || output.CommitHash != git(t, dir, "rev-parse", "HEAD") {
		t.Errorf("output: %+v", output)
	}
	if got := git(t, dir, "log", "-1", "--format=%an %s"); got != "Grace 1.2.3 - Faster {start}" {
		t.Errorf("git has %q", got)
	}
	if got := git(t, dir, "status", "--porcelain"); got != "M a.txt" {
		t.Errorf("status after: %q", got)
	}
	if len(use.recorder.effects) != 2 || use.recorder.effects[1].ExternalID != output.CommitHash {
		t.Errorf("effects: %+v", use.recorder.effects)
	}
	parent := git(t, dir, "rev-parse", "HEAD^")
	for range 2 {
		if err := use.undo(t, outcome.UndoToken); err != nil {
			t.Fatal(err)
		}
	}
	if git(t, dir, "rev-parse", "HEAD") != parent || git(t, dir, "diff", "--cached", "--name-only") != "b.txt" {
		t.Error("the undo must move the branch and keep the index")
	}
}

func TestCommitCanIncludeChangesThatAreNotStaged(t *testing.T) {
	dir := newRepository(t)
	write(t, dir, "a.txt", "changed\n")
	write(t, dir, "unknown.txt", "x\n")
	use := call{handler: "git.commit", dir: dir, config: map[string]any{"include_changes": true, "values": release}}
	use.succeed(t, nil)
	if got := git(t, dir, "show", "--name-only", "--format="); got != "a.txt" {
		t.Errorf("committed %q", got)
	}
}

func TestCommitFailsWhenNothingIsStaged(t *testing.T) {
	dir := newRepository(t)
	empty := t.TempDir()
	git(t, empty, "init", "-q")
	for _, folder := range []string{dir, empty} {
		use := call{handler: "git.commit", dir: folder, config: map[string]any{"values": release}}
		use.fail(t, pluginsdk.FailurePermanent, "nothing is staged")
		use.config["allow_empty"] = true
		use.succeed(t, nil)
	}
}

func TestCommitRefusesBadInput(t *testing.T) {
	dir := newRepository(t)
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "second")
	for name, test := range map[string]struct {
		config  map[string]any
		pointer string
		text    string
	}{
		"no value":       {map[string]any{}, "/message_template", "{version} has no value"},
		"unknown":        {map[string]any{"message_template": "{branch_x}"}, "/message_template", "{branch_x}"},
		"open brace":     {map[string]any{"message_template": "a { b"}, "/message_template", "brace"},
		"empty":          {map[string]any{"message_template": "  "}, "/message_template", "empty"},
		"author":         {map[string]any{"author": "--amend"}, "/author", "Name <address>"},
		"folder outside": {map[string]any{"values": release, "directory": "../x"}, "/directory", "leaves the workspace"},
		"folder absent":  {map[string]any{"values": release, "directory": "sub"}, "/directory", "sub"},
	} {
		t.Run(name, func(t *testing.T) {
			use := call{handler: "git.commit", dir: dir, config: test.config}
			if failure := use.fail(t, pluginsdk.FailureInvalidInput, test.text); failure.Pointer != test.pointer {
				t.Errorf("pointer %q, want %q", failure.Pointer, test.pointer)
			}
		})
	}
}

func TestCommitUndoRefusesWhatIsNoLongerItsOwn(t *testing.T) {
	commit := func(t *testing.T) (call, pluginsdk.Outcome) {
		dir := newRepository(t)
		newRemote(t, dir)
		use := call{handler: "git.commit", dir: dir, config: map[string]any{"values": release, "allow_empty": true}}
		return use, use.succeed(t, nil)
	}
	t.Run("pushed", func(t *testing.T) {
		use, outcome := commit(t)
		git(t, use.dir, "push", "-q", "origin", "main")
		if err := use.undo(t, outcome.UndoToken); err == nil || !strings.Contains(err.Error(), "origin/main") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("not the newest", func(t *testing.T) {
		use, outcome := commit(t)
		git(t, use.dir, "commit", "-q", "--allow-empty", "-m", "later")
		if err := use.undo(t, outcome.UndoToken); err == nil || !strings.Contains(err.Error(), "no longer the newest") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("first commit of all", func(t *testing.T) {
		dir := t.TempDir()
		git(t, dir, "init", "-q", "-b", "main")
		write(t, dir, "a.txt", "x")
		git(t, dir, "add", ".")
		use := call{handler: "git.commit", dir: dir, config: map[string]any{"values": release}}
		outcome := use.succeed(t, nil)
		for range 2 {
			if err := use.undo(t, outcome.UndoToken); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := gitErr(dir, "rev-parse", "--verify", "HEAD"); err == nil {
			t.Error("the branch must be unborn again")
		}
	})
}

func TestCommitReconcilesAtEveryPointOfACrash(t *testing.T) {
	start := func(t *testing.T, crash *recorder) *call {
		dir := newRepository(t)
		write(t, dir, "b.txt", "two\n")
		git(t, dir, "add", ".")
		use := &call{handler: "git.commit", dir: dir, config: map[string]any{"values": release}, recorder: crash, started: time.Now()}
		use.fail(t, pluginsdk.FailurePermanent, errCrash.Error())
		use.checkpoint = crash.checkpoint
		use.recorder = &recorder{}
		return use
	}
	t.Run("before the commit", func(t *testing.T) {
		use := start(t, &recorder{crashBefore: true})
		use.reconcile(t, pluginsdk.ReconcileNotStarted)
		use.succeed(t, nil)
		if got := git(t, use.dir, "rev-list", "--count", "HEAD"); got != "2" {
			t.Errorf("%s commits", got)
		}
	})
	t.Run("after the commit", func(t *testing.T) {
		use := start(t, &recorder{crashAfter: true})
		result := use.reconcile(t, pluginsdk.ReconcileDone)
		var output commitOutput
		fromJSON(t, result.Output, &output)
		if output.CommitHash != git(t, use.dir, "rev-parse", "HEAD") || output.CommitMessage != "1.2.3 - Faster start" {
			t.Errorf("output %+v", output)
		}
		use.succeed(t, nil)
		if got := git(t, use.dir, "rev-list", "--count", "HEAD"); got != "2" {
			t.Errorf("a second attempt committed again: %s commits", got)
		}
		if err := use.undo(t, result.UndoToken); err != nil {
			t.Error(err)
		}
	})
	t.Run("after the commit and a later one", func(t *testing.T) {
		use := start(t, &recorder{crashAfter: true})
		git(t, use.dir, "commit", "-q", "--allow-empty", "-m", "by a person")
		use.reconcile(t, pluginsdk.ReconcileDone)
	})
	t.Run("a stranger's commit instead", func(t *testing.T) {
		use := start(t, &recorder{crashBefore: true})
		cmd := []string{"commit", "-q", "--allow-empty", "-m", "stranger", "--date=2001-01-01T00:00:00Z"}
		t.Setenv("GIT_COMMITTER_DATE", "2001-01-01T00:00:00Z")
		git(t, use.dir, cmd...)
		use.reconcile(t, pluginsdk.ReconcileUnknown)
	})
	t.Run("checkpoint lost, commit made", func(t *testing.T) {
		use := start(t, &recorder{crashAfter: true})
		use.checkpoint = nil
		use.reconcile(t, pluginsdk.ReconcileDone)
	})
	t.Run("checkpoint lost, nothing made", func(t *testing.T) {
		use := start(t, &recorder{crashBefore: true})
		use.checkpoint = nil
		use.reconcile(t, pluginsdk.ReconcileNotStarted)
	})
}

func TestCommitIsFoundAgainThoughAHookChangedIt(t *testing.T) {
	dir := newRepository(t)
	hook(t, dir, "commit-msg", `echo "Change-Id: I123" >> "$1"`)
	crash := &recorder{crashAfter: true}
	use := call{handler: "git.commit", dir: dir, config: map[string]any{"values": release, "allow_empty": true}, recorder: crash}
	use.fail(t, pluginsdk.FailurePermanent, errCrash.Error())
	use.checkpoint, use.recorder = crash.checkpoint, &recorder{}
	result := use.reconcile(t, pluginsdk.ReconcileDone)
	if !strings.Contains(string(result.Output), "Change-Id") {
		t.Errorf("output %s", result.Output)
	}
}

func TestHooksRunOnlyWhereTheConfigurationSaysSo(t *testing.T) {
	for name, test := range map[string]struct {
		adapter map[string]any
		allow   string
		runs    bool
	}{
		"by default":            {nil, "", true},
		"switched off":          {map[string]any{"run_hooks": false}, "", false},
		"commands not allowed":  {map[string]any{"run_hooks": true}, "false", false},
		"commands allowed":      {map[string]any{"run_hooks": true}, "true", true},
		"adapter without a key": {map[string]any{"remote": "origin"}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("VWMP_ALLOW_COMMANDS", test.allow)
			dir := newRepository(t)
			hook(t, dir, "pre-commit", "echo from the hook >&2; touch hook-ran")
			use := call{handler: "git.commit", dir: dir, adapter: test.adapter, config: map[string]any{"values": release, "allow_empty": true}}
			use.succeed(t, nil)
			if exists(filepath.Join(dir, "hook-ran")) != test.runs || strings.Contains(use.recorder.log(), "from the hook") != test.runs {
				t.Errorf("hook ran: %v, log %q", !test.runs, use.recorder.log())
			}
		})
	}
}

func TestAFailingHookFailsTheCommitWithItsWords(t *testing.T) {
	dir := newRepository(t)
	hook(t, dir, "pre-commit", "echo 'style: line 7 is too long' >&2; exit 3")
	use := call{handler: "git.commit", dir: dir, config: map[string]any{"values": release, "allow_empty": true}}
	use.fail(t, pluginsdk.FailurePermanent, "line 7 is too long")
}

func TestCancelEndsTheProcessTreeOfAHook(t *testing.T) {
	dir := newRepository(t)
	hook(t, dir, "pre-commit", `sleep 600 & echo $! > child.tmp; mv child.tmp child; trap '' TERM; wait; wait`)
	use := call{handler: "git.commit", dir: dir, config: map[string]any{"values": release, "allow_empty": true}}
	handler, step := use.step(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan pluginsdk.Outcome, 1)
	go func() { done <- handler.Execute(ctx, step) }()
	eventually(t, "the hook's child", func() bool { return exists(filepath.Join(dir, "child")) })
	cancel()
	outcome := <-done
	if outcome.Kind != pluginsdk.OutcomeFailure || outcome.Failure.Class != pluginsdk.FailureCancelled {
		t.Errorf("outcome %+v", outcome.Failure)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "child"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the hook's child", func() bool { return isGone(pid) })
}

// isGone counts a process as gone that only waits to be reaped.
func isGone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestCommitNeedsAnIdentityAndTakesTheAdaptersOne(t *testing.T) {
	for _, name := range []string{"GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"} {
		t.Setenv(name, "")
	}
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	git(t, dir, "config", "user.useConfigOnly", "true")
	use := call{handler: "git.commit", dir: dir, config: map[string]any{"values": release, "allow_empty": true}}
	if failure := use.fail(t, pluginsdk.FailurePermanent, "user_email"); failure.Code != "GIT_IDENTITY" {
		t.Errorf("code %s", failure.Code)
	}
	use.adapter = map[string]any{"user_name": "Robot", "user_email": "robot@example.com"}
	use.succeed(t, nil)
	if got := git(t, dir, "log", "-1", "--format=%an <%ae> %cn"); got != "Robot <robot@example.com> Robot" {
		t.Errorf("identity %q", got)
	}
}

func TestALockedIndexIsWorthAnotherAttempt(t *testing.T) {
	dir := newRepository(t)
	write(t, dir, ".git/index.lock", "")
	use := call{handler: "git.stage_all", dir: dir}
	write(t, dir, "b.txt", "x")
	if failure := use.fail(t, pluginsdk.FailureRetryable, "index.lock"); failure.Code != "GIT_LOCKED" {
		t.Errorf("code %s", failure.Code)
	}
}

func TestARepositoryAroundTheWorkspaceIsNotUsed(t *testing.T) {
	dir := newRepository(t)
	inner := filepath.Join(dir, "inner")
	if err := os.Mkdir(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	use := call{handler: "git.status", dir: inner}
	use.fail(t, pluginsdk.FailurePermanent, "not a git repository")
}
