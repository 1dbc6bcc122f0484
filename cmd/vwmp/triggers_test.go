package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
)

// executionsOf lists the executions of a workflow, the newest first.
func (r *running) executionsOf(workflowID string) []engine.Execution {
	r.t.Helper()
	var answer struct {
		Executions []engine.Execution `json:"executions"`
	}
	r.call(http.MethodGet, "/executions/?workflow_id="+workflowID, "", "", http.StatusOK, &answer)
	return answer.Executions
}

func (r *running) importText(id, text string) {
	r.t.Helper()
	r.call(http.MethodPost, "/workflows/import/?id="+id, "application/yaml", text, http.StatusCreated, nil)
}

func (r *running) trigger(id string) triggerView {
	r.t.Helper()
	var answer struct {
		Triggers []triggerView `json:"triggers"`
	}
	r.call(http.MethodGet, "/triggers/", "", "", http.StatusOK, &answer)
	for _, v := range answer.Triggers {
		if v.ID == id {
			return v
		}
	}
	r.t.Fatalf("there is no trigger %s", id)
	return triggerView{}
}

// deliver calls a webhook as somebody who knows nothing but its path and key.
func (r *running) deliver(path, key string) int {
	r.t.Helper()
	const body = `{"ref": "main"}`
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(body))
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

const logSteps = "steps: [{id: a, handler: flow.log, config: {message: hi}}]\n"

// TestTriggersOfARunningServer goes from a changed file over the end of one
// workflow to the next, and through a kill in between.
func TestTriggersOfARunningServer(t *testing.T) {
	t.Parallel()
	workspace := t.TempDir()
	r := startRunning(t, t.TempDir(), workspace)
	r.importText("docs", `name: Docs
parameters: [{name: files, type: json}]
triggers: [{type: file, id: pages, glob: "docs/**/*.md", debounce: 50ms, parameters: {files: "${trigger.files}"}}]
`+logSteps)
	r.importText("after", `name: After
parameters: [{name: cause, type: string}]
triggers: [{type: workflow, id: docs, workflow: Docs, parameters: {cause: "${trigger.execution_id}"}}]
`+logSteps)
	if err := os.MkdirAll(filepath.Join(workspace, "docs", "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"docs/deep/page.md": "# Hello", "docs/other.txt": "not watched"} {
		if err := os.WriteFile(filepath.Join(workspace, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r.await("the changed file started Docs", func() bool { return len(r.executionsOf("docs")) > 0 })
	r.await("its end started After", func() bool { return len(r.executionsOf("after")) > 0 })
	docs, after := r.finish(r.executionsOf("docs")[0].ID), r.finish(r.executionsOf("after")[0].ID)
	if got := string(docs.Parameters); docs.Trigger != "file" || got != `{"files":["docs/deep/page.md"]}` {
		t.Errorf("Docs was started by %s with %s", docs.Trigger, got)
	}
	if got := string(after.Parameters); after.Trigger != "workflow" || got != `{"cause":"`+docs.ID+`"}` {
		t.Errorf("After was started by %s with %s", after.Trigger, got)
	}

	// What was kept outlives a kill, and nothing fires twice after it.
	r.await("the firing is kept", func() bool { return r.trigger("after.docs").LastFiring != nil })
	r.call(http.MethodPut, "/secrets/hook_key/", "application/json", `{"value": "between the two of us"}`, http.StatusCreated, nil)
	r.importText("hook", `name: Hook
parameters: [{name: ref, type: string}]
triggers: [{type: webhook, id: in, signature: {header: X-Hub-Signature-256, secret: hook_key, prefix: "sha256="}, parameters: {ref: "${trigger.body.ref}"}}]
`+logSteps)
	path := r.trigger("hook.in").HookPath
	r.kill()
	r.begin()
	if again := r.trigger("hook.in").HookPath; again != path || path == "" {
		t.Errorf("the hook's path became %q from %q", again, path)
	}
	if status := r.deliver(path, "a key of somebody else"); status != http.StatusUnauthorized {
		t.Errorf("the hook answered %d to a wrong signature", status)
	}
	if status := r.deliver(path, "between the two of us"); status != http.StatusAccepted {
		t.Errorf("the hook answered %d to a good signature", status)
	}
	r.await("the hook started its workflow", func() bool { return len(r.executionsOf("hook")) > 0 })
	if result := r.finish(r.executionsOf("hook")[0].ID); result.Status != plan.StatusSuccess || result.Trigger != "webhook" {
		t.Errorf("it ended as %s, started by %s", result.Status, result.Trigger)
	}
	if after := r.executionsOf("after"); len(after) != 1 {
		t.Errorf("After was started %d times, want once", len(after))
	}
	if v := r.trigger("after.docs"); len(v.Firings) != 1 || v.LastFiring.Cause != docs.ID {
		t.Errorf("kept are %+v", v.Firings)
	}
}
