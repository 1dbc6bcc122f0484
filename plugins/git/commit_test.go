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

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
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
			handlertest.Write(t, dir, ".gitignore", "*.tmp\n")
			handlertest.Write(t, dir, "ignored.tmp", "x")
			handlertest.Write(t, dir, "docs/b.md", "x")
			handlertest.Write(t, dir, "docs/c.log", "x")
			handlertest.Write(t, dir, "new.txt", "x")
			if err := os.Remove(filepath.Join(dir, "a.txt")); err != nil {
				t.Fatal(err)
			}
			before := handlertest.Git(t, dir, "status", "--porcelain")
			use := handlertest.Call{Handler: "git.stage_all", Dir: dir, Config: test.config}
			if effects := use.Plan(t); len(effects) != 1 || effects[0].Action != "update" {
				t.Errorf("plan: %+v", effects)
			}
			if after := handlertest.Git(t, dir, "status", "--porcelain"); after != before {
				t.Errorf("the plan changed something:\n%s\n%s", before, after)
			}
			for range 2 {
				var output stageOutput
				use.Succeed(t, &output)
				if !slices.Equal(output.Files, test.want) || output.PathsStaged != len(test.want) {
					t.Fatalf("got %+v, want %v", output, test.want)
				}
			}
			if staged := handlertest.Git(t, dir, "diff", "--cached", "--name-only"); staged != strings.Join(test.want, "\n") {
				t.Errorf("git has staged %q", staged)
			}
		})
	}
}

func TestStageAllIsUndoneToTheIndexOfBefore(t *testing.T) {
	dir := newRepository(t)
	handlertest.Write(t, dir, "staged.txt", "by the user")
	handlertest.Git(t, dir, "add", "staged.txt")
	handlertest.Write(t, dir, "new.txt", "x")
	handlertest.Write(t, dir, "a.txt", "changed")
	before := handlertest.Git(t, dir, "status", "--porcelain")
	use := handlertest.Call{Handler: "git.stage_all", Dir: dir}
	use.Succeed(t, nil)
	// Another attempt must not take the first one's work for the beginning.
	use.Checkpoint = use.Recorder.Checkpoint
	outcome := use.Succeed(t, nil)
	if err := use.Undo(t, outcome.UndoToken); err != nil {
		t.Fatal(err)
	}
	if after := handlertest.Git(t, dir, "status", "--porcelain"); after != before {
		t.Errorf("after the undo\n%s\nbefore\n%s", after, before)
	}
	if err := use.Undo(t, outcome.UndoToken); err != nil {
		t.Errorf("undone again: %v", err)
	}
	handlertest.Git(t, dir, "add", "new.txt")
	if err := use.Undo(t, outcome.UndoToken); err == nil || !strings.Contains(err.Error(), "since") {
		t.Errorf("undone over others' work: %v", err)
	}
}

func TestStageAllRefusesWhatItCantStage(t *testing.T) {
	dir := newRepository(t)
	for path, class := range map[string]pluginsdk.FailureClass{
		"--chmod=+x": pluginsdk.FailureInvalidInput, "../x": pluginsdk.FailureInvalidInput, "/etc/passwd": pluginsdk.FailureInvalidInput,
		":(top)x": pluginsdk.FailureInvalidInput, "": pluginsdk.FailureInvalidInput, "absent.txt": pluginsdk.FailurePermanent,
	} {
		use := handlertest.Call{Handler: "git.stage_all", Dir: dir, Config: map[string]any{"paths": []string{path}}}
		use.Fail(t, class, "")
	}
}

func TestCommitCommitsWhatIsStaged(t *testing.T) {
	dir := newRepository(t)
	handlertest.Write(t, dir, "b.txt", "two\n")
	handlertest.Write(t, dir, "a.txt", "changed, not staged\n")
	handlertest.Git(t, dir, "add", "b.txt")
	use := handlertest.Call{
		Handler: "git.commit", Dir: dir, Config: map[string]any{"author": "Grace <grace@example.com>"},
		Parameters: map[string]any{"summary": "Faster {start}"}, Outputs: []map[string]any{{"other": 1}, {"new_version": "1.2.3"}},
	}
	var output commitOutput
	outcome := use.Succeed(t, &output)
	if output.CommitMessage != "1.2.3 - Faster {start}" || output.CommitHash != handlertest.Git(t, dir, "rev-parse", "HEAD") {
		t.Errorf("output: %+v", output)
	}
	if got := handlertest.Git(t, dir, "log", "-1", "--format=%an %s"); got != "Grace 1.2.3 - Faster {start}" {
		t.Errorf("git has %q", got)
	}
	if got := handlertest.Git(t, dir, "status", "--porcelain"); got != "M a.txt" {
		t.Errorf("status after: %q", got)
	}
	if len(use.Recorder.Effects) != 2 || use.Recorder.Effects[1].ExternalID != output.CommitHash {
		t.Errorf("effects: %+v", use.Recorder.Effects)
	}
	parent := handlertest.Git(t, dir, "rev-parse", "HEAD^")
	for range 2 {
		if err := use.Undo(t, outcome.UndoToken); err != nil {
			t.Fatal(err)
		}
	}
	if handlertest.Git(t, dir, "rev-parse", "HEAD") != parent || handlertest.Git(t, dir, "diff", "--cached", "--name-only") != "b.txt" {
		t.Error("the undo must move the branch and keep the index")
	}
}

func TestCommitCanIncludeChangesThatAreNotStaged(t *testing.T) {
	dir := newRepository(t)
	handlertest.Write(t, dir, "a.txt", "changed\n")
	handlertest.Write(t, dir, "unknown.txt", "x\n")
	use := handlertest.Call{Handler: "git.commit", Dir: dir, Config: map[string]any{"include_changes": true, "values": release}}
	use.Succeed(t, nil)
	if got := handlertest.Git(t, dir, "show", "--name-only", "--format="); got != "a.txt" {
		t.Errorf("committed %q", got)
	}
}

func TestCommitFailsWhenNothingIsStaged(t *testing.T) {
	dir := newRepository(t)
	empty := t.TempDir()
	handlertest.Git(t, empty, "init", "-q")
	for _, folder := range []string{dir, empty} {
		use := handlertest.Call{Handler: "git.commit", Dir: folder, Config: map[string]any{"values": release}}
		use.Fail(t, pluginsdk.FailurePermanent, "nothing is staged")
		use.Config["allow_empty"] = true
		use.Succeed(t, nil)
	}
}

func TestCommitRefusesBadInput(t *testing.T) {
	dir := newRepository(t)
	handlertest.Git(t, dir, "commit", "-q", "--allow-empty", "-m", "second")
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
			use := handlertest.Call{Handler: "git.commit", Dir: dir, Config: test.config}
			if failure := use.Fail(t, pluginsdk.FailureInvalidInput, test.text); failure.Pointer != test.pointer {
				t.Errorf("pointer %q, want %q", failure.Pointer, test.pointer)
			}
		})
	}
}

func TestCommitUndoRefusesWhatIsNoLongerItsOwn(t *testing.T) {
	commit := func(t *testing.T) (handlertest.Call, pluginsdk.Outcome) {
		dir := newRepository(t)
		newRemote(t, dir)
		use := handlertest.Call{Handler: "git.commit", Dir: dir, Config: map[string]any{"values": release, "allow_empty": true}}
		return use, use.Succeed(t, nil)
	}
	t.Run("pushed", func(t *testing.T) {
		use, outcome := commit(t)
		handlertest.Git(t, use.Dir, "push", "-q", "origin", "main")
		if err := use.Undo(t, outcome.UndoToken); err == nil || !strings.Contains(err.Error(), "origin/main") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("not the newest", func(t *testing.T) {
		use, outcome := commit(t)
		handlertest.Git(t, use.Dir, "commit", "-q", "--allow-empty", "-m", "later")
		if err := use.Undo(t, outcome.UndoToken); err == nil || !strings.Contains(err.Error(), "no longer the newest") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("first commit of all", func(t *testing.T) {
		dir := t.TempDir()
		handlertest.Git(t, dir, "init", "-q", "-b", "main")
		handlertest.Write(t, dir, "a.txt", "x")
		handlertest.Git(t, dir, "add", ".")
		use := handlertest.Call{Handler: "git.commit", Dir: dir, Config: map[string]any{"values": release}}
		outcome := use.Succeed(t, nil)
		for range 2 {
			if err := use.Undo(t, outcome.UndoToken); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := handlertest.GitErr(dir, "rev-parse", "--verify", "HEAD"); err == nil {
			t.Error("the branch must be unborn again")
		}
	})
}

func TestCase73CommitReconcilesAtEveryPointOfACrash(t *testing.T) {
	start := func(t *testing.T, crash *handlertest.Recorder) *handlertest.Call {
		dir := newRepository(t)
		handlertest.Write(t, dir, "b.txt", "two\n")
		handlertest.Git(t, dir, "add", ".")
		use := &handlertest.Call{Handler: "git.commit", Dir: dir, Config: map[string]any{"values": release}, Recorder: crash, Started: time.Now()}
		use.Fail(t, pluginsdk.FailurePermanent, handlertest.ErrCrash.Error())
		use.Checkpoint = crash.Checkpoint
		use.Recorder = &handlertest.Recorder{}
		return use
	}
	t.Run("before the commit", func(t *testing.T) {
		use := start(t, &handlertest.Recorder{CrashBefore: true})
		use.Reconcile(t, pluginsdk.ReconcileNotStarted)
		use.Succeed(t, nil)
		if got := handlertest.Git(t, use.Dir, "rev-list", "--count", "HEAD"); got != "2" {
			t.Errorf("%s commits", got)
		}
	})
	t.Run("after the commit", func(t *testing.T) {
		use := start(t, &handlertest.Recorder{CrashAfter: true})
		result := use.Reconcile(t, pluginsdk.ReconcileDone)
		var output commitOutput
		handlertest.FromJSON(t, result.Output, &output)
		if output.CommitHash != handlertest.Git(t, use.Dir, "rev-parse", "HEAD") || output.CommitMessage != "1.2.3 - Faster start" {
			t.Errorf("output %+v", output)
		}
		use.Succeed(t, nil)
		if got := handlertest.Git(t, use.Dir, "rev-list", "--count", "HEAD"); got != "2" {
			t.Errorf("a second attempt committed again: %s commits", got)
		}
		if err := use.Undo(t, result.UndoToken); err != nil {
			t.Error(err)
		}
	})
	t.Run("after the commit and a later one", func(t *testing.T) {
		use := start(t, &handlertest.Recorder{CrashAfter: true})
		handlertest.Git(t, use.Dir, "commit", "-q", "--allow-empty", "-m", "by a person")
		use.Reconcile(t, pluginsdk.ReconcileDone)
	})
	t.Run("a stranger's commit instead", func(t *testing.T) {
		use := start(t, &handlertest.Recorder{CrashBefore: true})
		cmd := []string{"commit", "-q", "--allow-empty", "-m", "stranger", "--date=2001-01-01T00:00:00Z"}
		t.Setenv("GIT_COMMITTER_DATE", "2001-01-01T00:00:00Z")
		handlertest.Git(t, use.Dir, cmd...)
		use.Reconcile(t, pluginsdk.ReconcileUnknown)
	})
	t.Run("checkpoint lost, commit made", func(t *testing.T) {
		use := start(t, &handlertest.Recorder{CrashAfter: true})
		use.Checkpoint = nil
		use.Reconcile(t, pluginsdk.ReconcileDone)
	})
	t.Run("checkpoint lost, nothing made", func(t *testing.T) {
		use := start(t, &handlertest.Recorder{CrashBefore: true})
		use.Checkpoint = nil
		use.Reconcile(t, pluginsdk.ReconcileNotStarted)
	})
}

func TestCommitIsFoundAgainThoughAHookChangedIt(t *testing.T) {
	dir := newRepository(t)
	hook(t, dir, "commit-msg", `echo "Change-Id: I123" >> "$1"`)
	crash := &handlertest.Recorder{CrashAfter: true}
	use := handlertest.Call{Handler: "git.commit", Dir: dir, Config: map[string]any{"values": release, "allow_empty": true}, Recorder: crash}
	use.Fail(t, pluginsdk.FailurePermanent, handlertest.ErrCrash.Error())
	use.Checkpoint, use.Recorder = crash.Checkpoint, &handlertest.Recorder{}
	result := use.Reconcile(t, pluginsdk.ReconcileDone)
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
			use := handlertest.Call{Handler: "git.commit", Dir: dir, Adapter: test.adapter, Config: map[string]any{"values": release, "allow_empty": true}}
			use.Succeed(t, nil)
			if handlertest.Exists(filepath.Join(dir, "hook-ran")) != test.runs || strings.Contains(use.Recorder.Log(), "from the hook") != test.runs {
				t.Errorf("hook ran: %v, log %q", !test.runs, use.Recorder.Log())
			}
		})
	}
}

func TestAFailingHookFailsTheCommitWithItsWords(t *testing.T) {
	dir := newRepository(t)
	hook(t, dir, "pre-commit", "echo 'style: line 7 is too long' >&2; exit 3")
	use := handlertest.Call{Handler: "git.commit", Dir: dir, Config: map[string]any{"values": release, "allow_empty": true}}
	use.Fail(t, pluginsdk.FailurePermanent, "line 7 is too long")
}

func TestCancelEndsTheProcessTreeOfAHook(t *testing.T) {
	dir := newRepository(t)
	hook(t, dir, "pre-commit", `sleep 600 & echo $! > child.tmp; mv child.tmp child; trap '' TERM; wait; wait`)
	use := handlertest.Call{Handler: "git.commit", Dir: dir, Config: map[string]any{"values": release, "allow_empty": true}}
	handler, step := use.Step(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan pluginsdk.Outcome, 1)
	go func() { done <- handler.Execute(ctx, step) }()
	eventually(t, "the hook's child", func() bool { return handlertest.Exists(filepath.Join(dir, "child")) })
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
	handlertest.Git(t, dir, "init", "-q")
	handlertest.Git(t, dir, "config", "user.useConfigOnly", "true")
	use := handlertest.Call{Handler: "git.commit", Dir: dir, Config: map[string]any{"values": release, "allow_empty": true}}
	if failure := use.Fail(t, pluginsdk.FailurePermanent, "user_email"); failure.Code != "GIT_IDENTITY" {
		t.Errorf("code %s", failure.Code)
	}
	use.Adapter = map[string]any{"user_name": "Robot", "user_email": "robot@example.com"}
	use.Succeed(t, nil)
	if got := handlertest.Git(t, dir, "log", "-1", "--format=%an <%ae> %cn"); got != "Robot <robot@example.com> Robot" {
		t.Errorf("identity %q", got)
	}
}

func TestALockedIndexIsWorthAnotherAttempt(t *testing.T) {
	dir := newRepository(t)
	handlertest.Write(t, dir, ".git/index.lock", "")
	use := handlertest.Call{Handler: "git.stage_all", Dir: dir}
	handlertest.Write(t, dir, "b.txt", "x")
	if failure := use.Fail(t, pluginsdk.FailureRetryable, "index.lock"); failure.Code != "GIT_LOCKED" {
		t.Errorf("code %s", failure.Code)
	}
}

func TestARepositoryAroundTheWorkspaceIsNotUsed(t *testing.T) {
	dir := newRepository(t)
	inner := filepath.Join(dir, "inner")
	if err := os.Mkdir(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	use := handlertest.Call{Handler: "git.status", Dir: inner}
	use.Fail(t, pluginsdk.FailurePermanent, "not a git repository")
}

func TestACommitThatCannotBeSignedSaysWhatSigningNeeds(t *testing.T) {
	t.Parallel()
	dir := newRepository(t)
	handlertest.Git(t, dir, "config", "gpg.program", "false")
	use := handlertest.Call{Handler: "git.commit", Dir: dir, Config: map[string]any{"values": release, "allow_empty": true, "sign_commit": true}}
	if failure := use.Fail(t, pluginsdk.FailurePermanent, "plugins.git.limits.write"); failure.Code != "GIT_SIGNING" {
		t.Errorf("code %s", failure.Code)
	}
}
