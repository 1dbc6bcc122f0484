package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/vwmp/vwmp/engine/plan"
)

// The attack table's cases of what the bundled plugins do to a repository, on
// the real server with the real git.

// ambush is a hook of git that stops what runs it, the first time: it says
// that it is there, and waits until it is killed.
type ambush struct {
	t             *testing.T
	entered, wait string
}

// setAmbush puts a hook into a folder of hooks. when is a condition of sh that
// holds where the hook is to wait; its input, if it reads any, is in $input.
// The hook's own files are in dir.
func setAmbush(t *testing.T, hooks, name, when, dir string) ambush {
	t.Helper()
	a := ambush{t, filepath.Join(dir, "case73-entered"), filepath.Join(dir, "case73-wait")}
	if err := syscall.Mkfifo(a.wait, 0o600); err != nil {
		t.Fatal(err)
	}
	// A hook that nobody killed would wait for ever.
	t.Cleanup(func() {
		if f, err := os.OpenFile(a.wait, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			_ = f.Close()
		}
	})
	script := fmt.Sprintf("#!/bin/sh\ninput=$(cat)\n%s || exit 0\necho $$ >> '%s'\n[ $(wc -l < '%s') -gt 1 ] || read -r end < '%s'\n", when, a.entered, a.entered, a.wait)
	if err := os.MkdirAll(hooks, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(hooks, name), []byte(script), 0o755); err != nil { //nolint:gosec // A hook is run.
		t.Fatal(err)
	}
	return a
}

// pids are the processes that came by, in order.
func (a ambush) pids() []int {
	a.t.Helper()
	text, err := os.ReadFile(a.entered)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.t.Fatal(err)
	}
	var pids []int
	for _, line := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(line)
		if err != nil {
			a.t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// commitTagAndPush makes a commit and the tag v1.0.0, and publishes both.
const commitTagAndPush = `{"name":"Release","steps":[
	{"id":"commit","handler":"git.commit","config":{"allow_empty":true,"values":{"version":"1.0.0","summary":"The one"}}},
	{"id":"tag","handler":"git.create_tag","dependencies":["commit"],"config":{"values":{"version":"1.0.0","summary":"The one"}}},
	{"id":"push","handler":"git.push","dependencies":["tag"],"retry":{"max_attempts":1}}]}`

func TestCase73AKilledGitPluginMakesNoSecondTag(t *testing.T) {
	const ofTag = `case "$input" in *refs/tags/*) true;; *) false;; esac`
	for name, test := range map[string]struct {
		// hook is where git stops, when what holds there, and step the one
		// that it stops in.
		atRemote         bool
		hook, when, step string
		// attempts is how many the step has at the end, and passes how often
		// git came by the hook.
		attempts, passes int
	}{
		"before the commit": {hook: "pre-commit", when: "true", step: "commit", attempts: 2, passes: 2},
		"after the commit":  {hook: "post-commit", when: "true", step: "commit", attempts: 1, passes: 1},
		"before the tag":    {hook: "reference-transaction", when: `[ "$1" = prepared ] && ` + ofTag, step: "tag", attempts: 2, passes: 2},
		"after the tag":     {hook: "reference-transaction", when: `[ "$1" = committed ] && ` + ofTag, step: "tag", attempts: 1, passes: 1},
		"before the push":   {hook: "pre-push", when: ofTag, step: "push", attempts: 2, passes: 2},
		"after the push":    {atRemote: true, hook: "post-receive", when: ofTag, step: "push", attempts: 1, passes: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repository := demoRepository(t)
			remote := filepath.Join(repository, "..", "remote.git")
			hooks := filepath.Join(repository, ".git", "hooks")
			if test.atRemote {
				hooks = filepath.Join(remote, "hooks")
			}
			hook := setAmbush(t, hooks, test.hook, test.when, filepath.Join(repository, ".git"))
			r := startRunning(t, t.TempDir(), repository)
			id := r.start(r.save(commitTagAndPush))
			r.await("git is in the hook", func() bool { return len(hook.pids()) == 1 })
			if err := syscall.Kill(r.plugin("git").PID, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			r.await("the hook is gone with it", func() bool { return !alive(hook.pids()[0]) })
			result := r.finish(id)
			// A git that is killed while it holds a lock leaves it to a person,
			// who must be told.
			lock := filepath.Join(repository, ".git", "refs", "tags", "v1.0.0.lock")
			got := result.StepResults[test.step]
			if fileExists(lock) {
				if got.Status != plan.StatusFailed || got.Error == nil || got.Error.Code != "GIT_LOCKED" || !strings.Contains(got.Error.Message, "v1.0.0.lock") {
					t.Errorf("with a lock left, the step is %s: %+v", got.Status, got.Error)
				}
				if tags := git(t, repository, "tag"); tags != "" {
					t.Errorf("with a lock left, there are the tags %q", tags)
				}
				if err := os.Remove(lock); err != nil {
					t.Fatal(err)
				}
				var again struct {
					ExecutionID string `json:"execution_id"`
				}
				r.call(http.MethodPost, "/executions/"+id+"/retry/", "application/json", "{}", http.StatusAccepted, &again)
				result = r.finish(again.ExecutionID)
			}
			if result.Status != plan.StatusSuccess {
				t.Errorf("it ends as %s: %+v", result.Status, result.Error)
			}
			if first := got.AttemptList[0]; got.Attempts != test.attempts || first.Status != plan.StatusInterrupted {
				t.Errorf("the step has %d attempts, want %d, and the first is %s", got.Attempts, test.attempts, first.Status)
			}
			if passes := len(hook.pids()); passes != test.passes {
				t.Errorf("git came by %d times, want %d", passes, test.passes)
			}
			isReleasedOnce(t, repository, remote)
			for step, says := range map[string]string{"commit": `"commit_hash":"`, "tag": `"tag_name":"v1.0.0"`, "push": `"tags_pushed":["v1.0.0"]`} {
				if output := string(result.StepResults[step].Output); !strings.Contains(output, says) {
					t.Errorf("the output of %s is %s", step, output)
				}
			}
		})
	}
}

// isReleasedOnce holds a repository and its remote to one commit more than at
// first, and to the tag v1.0.0 of it and no other.
func isReleasedOnce(t *testing.T, repository, remote string) {
	t.Helper()
	const list = "--format=%(objectname) %(refname)"
	here, there := git(t, repository, "for-each-ref", list, "refs/tags"), git(t, remote, "for-each-ref", list, "refs/tags")
	if here != there || strings.Count(here, "refs/tags/") != 1 || !strings.HasSuffix(here, " refs/tags/v1.0.0") {
		t.Errorf("the tags are %q here and %q at the remote", here, there)
	}
	for _, ref := range []string{"main", "v1.0.0"} {
		if count := git(t, remote, "rev-list", "--count", ref); count != "2" {
			t.Errorf("%s of the remote has %s commits, want 2", ref, count)
		}
	}
}
