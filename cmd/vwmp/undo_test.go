package main

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine/plan"
)

// release runs Standard Release to its end.
func (r *running) release(workflow, body string) string {
	r.t.Helper()
	var started struct {
		ExecutionID string `json:"execution_id"`
	}
	r.call(http.MethodPost, "/workflows/"+workflow+"/execute/", "application/json", body, http.StatusAccepted, &started)
	if result := r.finish(started.ExecutionID); result.Status != plan.StatusSuccess {
		r.t.Fatalf("the release ended as %s: %+v", result.Status, result.Error)
	}
	return started.ExecutionID
}

// undo takes an execution back by the command line, and returns what that
// printed and the execution that did it.
func (r *running) undo(executionID string) (output, id string, err error) {
	r.t.Helper()
	printed, err := exec.CommandContext(r.t.Context(), "vwmp", "execution", "undo", executionID, "--data", r.data).CombinedOutput()
	return string(printed), r.result(executionID).UndoneBy, err
}

// A release that is pushed keeps its commit; then its files are not put back
// under it either.
func TestUndoOfAPushedReleaseLeavesItWhole(t *testing.T) {
	t.Parallel()
	repository := demoRepository(t)
	r := startRunning(t, t.TempDir(), repository)
	first := r.release(r.importRelease(nil), releaseParameters)
	checkReleased(t, repository, "0.1.1")
	head := git(t, repository, "rev-parse", "HEAD")

	output, undo, err := r.undo(first)
	const why = "is pushed already (origin/main)"
	if err == nil || !strings.Contains(output, "Commit changes: could not be taken back") || !strings.Contains(output, why) {
		t.Errorf("execution undo: %v\n%s", err, output)
	}
	if status := git(t, repository, "status", "--porcelain"); status != "" {
		t.Errorf("the workspace was changed under the commit:\n%s", status)
	}
	if now := git(t, repository, "rev-parse", "HEAD"); now != head {
		t.Errorf("HEAD moved from %s to %s", head, now)
	}
	if version := git(t, repository, "show", ":VERSION"); version != "0.1.1" {
		t.Errorf("the staged VERSION is %q", version)
	}
	checkReleased(t, repository, "0.1.1")

	result := r.result(undo)
	if result.Status != plan.StatusFailed || !strings.Contains(result.StatusReason, `step "step-8"`) || !strings.Contains(result.StatusReason, why) {
		t.Errorf("the undo is %s: %s", result.Status, result.StatusReason)
	}
	for _, step := range []string{"step-1", "step-2", "step-3", "step-4", "step-6"} {
		left := result.StepResults[step]
		if left.Status != plan.StatusSuccess || left.Undo == nil || left.Undo.Status != plan.StatusSkipped || !strings.Contains(left.Undo.SkipReason, why) {
			t.Errorf("%s is %s, its undo %+v", step, left.Status, left.Undo)
		}
	}
	explained, err := exec.CommandContext(t.Context(), "vwmp", "execution", "explain", undo, "--data", r.data).CombinedOutput()
	if err != nil || !strings.Contains(string(explained), `What it did was not taken back: step "step-8", which comes after it, could not be undone`) {
		t.Errorf("execution explain: %v\n%s", err, explained)
	}
}

// A release that was not pushed is taken back as a whole.
func TestUndoOfAnUnpushedReleaseTakesAllBack(t *testing.T) {
	t.Parallel()
	repository := demoRepository(t)
	before := git(t, repository, "rev-parse", "HEAD")
	r := startRunning(t, t.TempDir(), repository)
	id := r.importRelease(func(text string) string {
		return strings.Replace(text, "handler: git.push\n", "handler: git.push\n    enabled: false\n", 1)
	})
	output, undo, err := r.undo(r.release(id, releaseParameters))
	if err != nil || r.result(undo).Status != plan.StatusSuccess {
		t.Errorf("execution undo: %v\n%s", err, output)
	}
	if head := git(t, repository, "rev-parse", "HEAD"); head != before {
		t.Errorf("HEAD is %s, it was %s", head, before)
	}
	if status := git(t, repository, "status", "--porcelain") + git(t, repository, "tag"); status != "" {
		t.Errorf("the undo left\n%s", status)
	}
}
