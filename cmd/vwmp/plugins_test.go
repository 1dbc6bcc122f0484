package main

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/host"
)

// save stores a workflow and returns its id.
func (r *running) save(text string) string {
	r.t.Helper()
	var saved struct {
		ID string `json:"id"`
	}
	r.call(http.MethodPost, "/workflows/", "application/yaml", text, http.StatusCreated, &saved)
	return saved.ID
}

// start starts a stored workflow and returns the execution's id.
func (r *running) start(workflow string) string {
	r.t.Helper()
	var started struct {
		ExecutionID string `json:"execution_id"`
	}
	r.call(http.MethodPost, "/workflows/"+workflow+"/execute/", "application/json", "{}", http.StatusAccepted, &started)
	return started.ExecutionID
}

func (r *running) plugin(name string) host.PluginStatus {
	r.t.Helper()
	var answer struct{ Plugins []host.PluginStatus }
	r.call(http.MethodGet, "/plugins/", "", "", http.StatusOK, &answer)
	for _, p := range answer.Plugins {
		if p.Name == name {
			return p
		}
	}
	r.t.Fatalf("there is no plugin %s", name)
	return host.PluginStatus{}
}

// announcements reads the plugins_changed events of the socket for pages.
func (r *running) announcements() <-chan map[string]any {
	r.t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(r.url, "http")+"/ws/vwmp/events", http.Header{"Authorization": {"Bearer " + r.token}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	told := make(chan map[string]any, 100)
	go func() {
		defer close(told)
		for {
			var event map[string]any
			if conn.ReadJSON(&event) != nil {
				return
			}
			if event["event"] == "plugins_changed" {
				told <- event
			}
		}
	}()
	return told
}

const echoWorkflow = `name: Echo
steps:
  - {id: echo, handler: lab.echo, config: {value: hello}}
`

func TestADisabledPluginsStepsWaitAcrossARestartAndGoOnOnceItIsEnabled(t *testing.T) {
	t.Parallel()
	r := startRunning(t, t.TempDir(), t.TempDir(), "--plugins", labDir)
	workflow := r.save(echoWorkflow)
	told := r.announcements()
	var p host.PluginStatus
	r.call(http.MethodPost, "/plugins/lab/disable/", "", "", http.StatusOK, &p)
	if p.State != "disabled" || p.DisabledBy != "admin" || len(p.Handlers) == 0 {
		t.Errorf("the disabled plugin is %+v", p)
	}
	select {
	case event := <-told:
		if event["catalogue"] != true || event["seq"] != nil {
			t.Errorf("the pages are told %v", event)
		}
	case <-time.After(20 * time.Second):
		t.Error("the pages are told nothing")
	}
	var verdict struct {
		Valid    bool
		Warnings []struct{ Code, Message, Pointer string }
	}
	r.call(http.MethodPost, "/workflows/validate/", "application/yaml", echoWorkflow, http.StatusOK, &verdict)
	if !verdict.Valid || len(verdict.Warnings) != 1 || verdict.Warnings[0].Code != "plugin_disabled" ||
		!strings.Contains(verdict.Warnings[0].Message, "plugin lab is disabled") || verdict.Warnings[0].Pointer != "/steps/0/handler" {
		t.Errorf("the verdict is %+v", verdict)
	}
	id := r.start(workflow)
	waits := func() bool { return r.result(id).StepResults["echo"].Status == plan.StatusWaiting }
	r.await("the step waits", waits)
	step := r.result(id).StepResults["echo"]
	if step.Attempts != 0 || step.Waiting == nil || step.Waiting.Reason != plan.WaitPlugin || step.Waiting.Plugin != "lab" || step.Waiting.Message != "plugin lab is disabled" {
		t.Errorf("the step is %+v, waiting for %+v", step, step.Waiting)
	}
	var explained struct{ Steps []struct{ Reasons []string } }
	r.call(http.MethodGet, "/executions/"+id+"/explain/", "", "", http.StatusOK, &explained)
	if text := strings.Join(explained.Steps[0].Reasons, " "); !strings.Contains(text, "waits for its plugin: plugin lab is disabled") {
		t.Errorf("it is explained by %q", text)
	}
	r.stop()
	r.begin()
	if p := r.plugin("lab"); p.State != "disabled" || p.DisabledBy != "admin" {
		t.Errorf("after a restart the plugin is %+v", p)
	}
	r.await("the step waits again", waits)
	r.call(http.MethodPost, "/plugins/lab/enable/", "", "", http.StatusOK, &p)
	result := r.finish(id)
	if step := result.StepResults["echo"]; result.Status != plan.StatusSuccess || step.Attempts != 1 {
		t.Errorf("in the end the execution is %s, and the step %+v", result.Status, step)
	}
	if p := r.plugin("lab"); p.State != "running" || p.Calls != 1 || p.Latency.Max <= 0 || p.PID == 0 {
		t.Errorf("the plugin is %+v", p)
	}
	r.call(http.MethodPost, "/plugins/none/enable/", "", "", http.StatusNotFound, nil)
}

func TestThePluginCommandsSwitchAndTellWhatUsesAPlugin(t *testing.T) {
	t.Parallel()
	r := startRunning(t, t.TempDir(), t.TempDir(), "--plugins", labDir)
	workflow := r.save(echoWorkflow)
	command := func(want int, args ...string) string {
		t.Helper()
		cmd := exec.Command("vwmp", append(append([]string{"plugin"}, args...), "--server", r.url, "--token", r.token)...)
		output, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Fatalf("vwmp plugin %v ends with %d, not %d: %s", args, code, want, output)
		}
		return string(output)
	}
	if out := command(0, "disable", "lab"); !strings.Contains(out, "disabled") {
		t.Errorf("disable says %q", out)
	}
	if out := command(0, "list"); !strings.Contains(out, "disabled by admin") {
		t.Errorf("list says %q", out)
	}
	command(0, "enable", "lab")
	if out := command(0, "usage", "lab"); !strings.Contains(out, workflow) || !strings.Contains(out, "lab.echo") {
		t.Errorf("usage says %q", out)
	}
	command(0, "reload", "lab", "--force")
	command(3, "reload", "none")
	command(0, "inspect", "lab")
	var usage struct{ Handlers []struct{ Path string } }
	if err := json.Unmarshal([]byte(command(0, "usage", "lab", "--output", "json")), &usage); err != nil || len(usage.Handlers) == 0 {
		t.Errorf("usage as JSON: %v %+v", err, usage)
	}
}
