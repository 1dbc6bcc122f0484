package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
)

func TestStatusTellsWhatDiffers(t *testing.T) {
	dir := newRepository(t)
	newRemote(t, dir)
	handlertest.Git(t, dir, "branch", "-q", "--set-upstream-to=origin/main")
	var output statusOutput
	use := handlertest.Call{Handler: "git.status", Dir: dir}
	use.Succeed(t, &output)
	if !output.Clean || output.Branch != "main" || output.Upstream != "origin/main" {
		t.Errorf("clean: %+v", output)
	}
	handlertest.Git(t, dir, "commit", "-q", "--allow-empty", "-m", "ahead")
	handlertest.Write(t, dir, "a.txt", "changed")
	handlertest.Write(t, dir, "new file.txt", "x")
	handlertest.Write(t, dir, "staged ü.txt", "x")
	handlertest.Git(t, dir, "add", "staged ü.txt")
	use.Succeed(t, &output)
	if output.Clean || output.Ahead != 1 || !slices.Equal(output.Modified, []string{"a.txt"}) ||
		!slices.Equal(output.Staged, []string{"staged ü.txt"}) || !slices.Equal(output.Untracked, []string{"new file.txt"}) {
		t.Errorf("dirty: %+v", output)
	}
}

func TestDiffShowsWhatDiffers(t *testing.T) {
	dir := newRepository(t)
	handlertest.Write(t, dir, "a.txt", "two\nthree\n")
	handlertest.Write(t, dir, "b.txt", "new\n")
	handlertest.Git(t, dir, "add", "b.txt")
	for name, test := range map[string]struct {
		config    map[string]any
		files     []diffFile
		truncated bool
	}{
		"files":     {nil, []diffFile{{"a.txt", 2, 1}}, false},
		"staged":    {map[string]any{"staged": true}, []diffFile{{"b.txt", 1, 0}}, false},
		"from HEAD": {map[string]any{"from": "HEAD"}, []diffFile{{"a.txt", 2, 1}, {"b.txt", 1, 0}}, false},
		"paths":     {map[string]any{"from": "HEAD", "paths": []string{"b.*"}}, []diffFile{{"b.txt", 1, 0}}, false},
		"cut off":   {map[string]any{"max_bytes": 10}, []diffFile{{"a.txt", 2, 1}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var output diffOutput
			use := handlertest.Call{Handler: "git.diff", Dir: dir, Config: test.config}
			use.Succeed(t, &output)
			if !slices.Equal(output.Files, test.files) || output.Truncated != test.truncated || output.FilesChanged != len(test.files) {
				t.Errorf("got %+v", output)
			}
			if !test.truncated && strings.Count(output.Diff, "diff --git") != len(test.files) {
				t.Errorf("diff %q", output.Diff)
			}
		})
	}
	use := handlertest.Call{Handler: "git.diff", Dir: dir, Config: map[string]any{"from": "--output=/tmp/x"}}
	use.Fail(t, pluginsdk.FailureInvalidInput, "dash")
}

func TestLogListsCommits(t *testing.T) {
	dir := newRepository(t)
	handlertest.Git(t, dir, "tag", "v1")
	handlertest.Git(t, dir, "commit", "-q", "--allow-empty", "-m", "feat: one\n\nBody\nof it")
	handlertest.Write(t, dir, "docs/x.md", "x")
	handlertest.Git(t, dir, "add", ".")
	handlertest.Git(t, dir, "commit", "-q", "-m", "docs: two")
	for name, test := range map[string]struct {
		config   map[string]any
		subjects []string
	}{
		"all":   {nil, []string{"docs: two", "feat: one", "first"}},
		"since": {map[string]any{"from": "v1"}, []string{"docs: two", "feat: one"}},
		"count": {map[string]any{"max_count": 1}, []string{"docs: two"}},
		"paths": {map[string]any{"paths": []string{"docs"}}, []string{"docs: two"}},
		"to":    {map[string]any{"to": "v1"}, []string{"first"}},
	} {
		t.Run(name, func(t *testing.T) {
			var output logOutput
			use := handlertest.Call{Handler: "git.log", Dir: dir, Config: test.config}
			use.Succeed(t, &output)
			var subjects []string
			for _, commit := range output.Commits {
				subjects = append(subjects, commit.Subject)
				if commit.Subject == "feat: one" && commit.Body != "Body\nof it" {
					t.Errorf("body %q", commit.Body)
				}
			}
			if !slices.Equal(subjects, test.subjects) || output.Count != len(test.subjects) {
				t.Errorf("got %v, want %v", subjects, test.subjects)
			}
		})
	}
	empty := t.TempDir()
	handlertest.Git(t, empty, "init", "-q")
	var output logOutput
	(&handlertest.Call{Handler: "git.log", Dir: empty}).Succeed(t, &output)
	if output.Count != 0 {
		t.Errorf("an empty repository has %d commits", output.Count)
	}
}

func TestCheckoutMovesToABranch(t *testing.T) {
	dir := newRepository(t)
	handlertest.Git(t, dir, "branch", "other")
	var output checkoutOutput
	(&handlertest.Call{Handler: "git.checkout", Dir: dir, Config: map[string]any{"ref": "other"}}).Succeed(t, &output)
	if output.Branch != "other" || output.PreviousBranch != "main" || output.Created {
		t.Errorf("got %+v", output)
	}
	use := handlertest.Call{Handler: "git.checkout", Dir: dir, Config: map[string]any{"ref": "new/one", "create": true, "start_point": "main"}}
	if effects := use.Plan(t); len(effects) != 1 || !strings.Contains(effects[0].Summary, "make the branch") {
		t.Errorf("plan %+v", effects)
	}
	for _, created := range []bool{true, false} {
		use.Succeed(t, &output)
		if output.Branch != "new/one" || output.Created != created {
			t.Errorf("got %+v", output)
		}
	}
	handlertest.Write(t, dir, "a.txt", "kept")
	for ref, class := range map[string]pluginsdk.FailureClass{
		"absent": pluginsdk.FailurePermanent, "a.txt": pluginsdk.FailurePermanent, "--orphan=x": pluginsdk.FailureInvalidInput,
	} {
		(&handlertest.Call{Handler: "git.checkout", Dir: dir, Config: map[string]any{"ref": ref}}).Fail(t, class, "")
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "a.txt")); err != nil || string(raw) != "kept" {
		t.Errorf("a name of a file must not restore it: %q %v", raw, err)
	}
}
