package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
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

// phoenix builds the plugin whose binary is replaced, and returns its path.
func phoenix(t *testing.T, version, words string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vwmp-plugin-phoenix")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-X main.version="+version+" -X main.words="+words, "-o", path, "./testdata/phoenix")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the plugin: %v\n%s", err, output)
	}
	return path
}

// drop puts a binary into the folder of plugins, in the place of the one that
// is there.
func drop(t *testing.T, binary, dir string) {
	t.Helper()
	text, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(dir, "vwmp-plugin-phoenix")
	if err := os.WriteFile(target+".new", text, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(target+".new", target); err != nil {
		t.Fatal(err)
	}
}

// atVersion waits until a plugin is at a version.
func (r *running) atVersion(version string) {
	r.t.Helper()
	r.await("the plugin is at version "+version, func() bool {
		var answer struct{ Plugins []host.PluginStatus }
		r.call(http.MethodGet, "/plugins/", "", "", http.StatusOK, &answer)
		return slices.ContainsFunc(answer.Plugins, func(p host.PluginStatus) bool { return p.Name == "phoenix" && p.Version == version })
	})
}

type phoenixOutput struct {
	Version string
	PID     int
}

func (r *running) outputs(id string) map[string]phoenixOutput {
	r.t.Helper()
	outputs := map[string]phoenixOutput{}
	for step, result := range r.result(id).StepResults {
		var output phoenixOutput
		if err := json.Unmarshal(result.Output, &output); err != nil {
			r.t.Fatalf("step %s gave %s: %v", step, result.Output, err)
		}
		outputs[step] = output
	}
	return outputs
}

// TestFiftyRunningStepsOutliveTwoReloads: none fails, each ends on the version
// that it began with, and what comes after runs on the newest.
func TestFiftyRunningStepsOutliveTwoReloads(t *testing.T) {
	t.Parallel()
	one, two, three := phoenix(t, "1.0.0", ""), phoenix(t, "2.0.0", ""), phoenix(t, "3.0.0", "")
	data, workspace := t.TempDir(), t.TempDir()
	r := startRunning(t, data, workspace)
	drop(t, one, filepath.Join(data, "plugins"))
	r.atVersion("1.0.0") // Without a restart.
	const many = 50
	text := strings.Builder{}
	text.WriteString("name: Many\nsteps:\n")
	for i := range many {
		fmt.Fprintf(&text, "  - {id: s%d, handler: phoenix.wait, config: {gate: open}}\n", i)
	}
	id := r.start(r.save(text.String()))
	r.await("all steps run", func() bool { return r.plugin("phoenix").Running == many })
	first := r.plugin("phoenix").PID
	var second int
	after := r.save("name: After\nsteps:\n  - {id: a, handler: phoenix.wait}\n")
	for _, next := range []struct{ binary, version string }{{two, "2.0.0"}, {three, "3.0.0"}} {
		drop(t, next.binary, filepath.Join(data, "plugins"))
		r.atVersion(next.version)
		fresh := r.start(after)
		if result := r.finish(fresh); result.Status != plan.StatusSuccess {
			t.Fatalf("a new run is %s: %+v", result.Status, result.Error)
		}
		if got := r.outputs(fresh)["a"]; got.Version != next.version || got.PID == first {
			t.Errorf("a new run ran on %+v", got)
		} else if second == 0 {
			second = got.PID
		}
	}
	r.await("the process between the two reloads is gone", func() bool { return !alive(second) })
	if p := r.plugin("phoenix"); p.Draining != many || !alive(first) {
		t.Errorf("while the old steps run the plugin is %+v", p)
	}
	if err := os.WriteFile(filepath.Join(workspace, "open"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	result := r.finish(id)
	if result.Status != plan.StatusSuccess || result.Progress.CompletedSteps != many || result.Progress.FailedSteps != 0 {
		t.Errorf("the run is %s: %+v", result.Status, result.Progress)
	}
	for step, got := range r.outputs(id) {
		if got.Version != "1.0.0" || got.PID != first || result.StepResults[step].Attempts != 1 {
			t.Errorf("step %s ran on %+v in %d attempts", step, got, result.StepResults[step].Attempts)
		}
	}
	r.await("the old process is gone", func() bool { return !alive(first) })
}

func TestABadPluginVersionTurnsBackByItselfAndTheRunGoesOn(t *testing.T) {
	t.Parallel()
	good, bad := phoenix(t, "1.0.0", ""), phoenix(t, "2.0.0", "crash")
	data := t.TempDir()
	drop := func(binary string) {
		if err := os.MkdirAll(filepath.Join(data, "plugins"), 0o700); err != nil {
			t.Fatal(err)
		}
		drop(t, binary, filepath.Join(data, "plugins"))
	}
	drop(good)
	r := startRunning(t, data, t.TempDir())
	workflow := r.save("name: Three\nsteps:\n  - {id: a, handler: phoenix.wait}\n  - {id: b, handler: phoenix.wait}\n  - {id: c, handler: phoenix.wait}\n")
	drop(bad)
	r.atVersion("2.0.0")
	id := r.start(workflow)
	r.atVersion("1.0.0")
	r.finish(id)
	if p := r.plugin("phoenix"); p.Held == nil || p.Held.Reason != "crashed" || p.Held.Version != "2.0.0" {
		t.Errorf("held is %+v", p.Held)
	}
	again := r.start(workflow)
	if result := r.finish(again); result.Status != plan.StatusSuccess {
		t.Errorf("after it turned back a run is %s: %+v", result.Status, result.Error)
	}
	for step, got := range r.outputs(again) {
		if got.Version != "1.0.0" {
			t.Errorf("step %s ran on %+v", step, got)
		}
	}
}

func TestTheImpactOfABinaryIsToldBeforeItIsUsed(t *testing.T) {
	t.Parallel()
	one, two := phoenix(t, "1.0.0", ""), phoenix(t, "2.0.0", "without-other")
	data := t.TempDir()
	r := startRunning(t, data, t.TempDir())
	drop(t, one, filepath.Join(data, "plugins"))
	r.atVersion("1.0.0")
	r.save("name: Harmless\nsteps:\n  - {id: a, handler: phoenix.wait}\n")
	broken := r.save("name: Breaks\nsteps:\n  - {id: a, handler: phoenix.wait}\n  - {id: b, handler: phoenix.other}\n")
	check := func(binary string, want int) string {
		t.Helper()
		cmd := exec.Command("vwmp", "plugin", "check", binary, "--server", r.url, "--token", r.token)
		output, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Fatalf("it ends with %d, not %d: %s", code, want, output)
		}
		return string(output)
	}
	if out := check(one, 0); !strings.Contains(out, "nothing in 2 stored workflows") || strings.Contains(out, "changed") {
		t.Errorf("for the same binary it says %s", out)
	}
	out := check(two, 1)
	for _, due := range []string{"2.0.0 (in use: 1.0.0)", "removed", "phoenix.other", broken, `"Breaks"`, `step "b"`} {
		if !strings.Contains(out, due) {
			t.Errorf("it lacks %q: %s", due, out)
		}
	}
	check(filepath.Join(data, "admin-token"), 1)
	// The same when it is dropped, and the API refuses to take it up.
	drop(t, two, filepath.Join(data, "plugins"))
	r.await("it is held back", func() bool { return r.plugin("phoenix").Held != nil })
	var refused struct {
		Detail string
		Errors []struct {
			StepID string `json:"step_id"`
		}
	}
	r.call(http.MethodPost, "/plugins/phoenix/reload/", "", "", http.StatusConflict, &refused)
	if len(refused.Errors) != 1 || refused.Errors[0].StepID != "b" {
		t.Errorf("the refusal is %+v", refused)
	}
	r.call(http.MethodPost, "/plugins/phoenix/reload/", "application/json", `{"force":true}`, http.StatusOK, nil)
	r.atVersion("2.0.0")
}

// TestAPoisonStepIsFoundAndItsNeighboursAreNotBlamed: a step that crashes its
// plugin fails by itself, and those that ran in the same process end well.
func TestAPoisonStepIsFoundAndItsNeighboursAreNotBlamed(t *testing.T) {
	t.Parallel()
	data, workspace := t.TempDir(), t.TempDir()
	binary := phoenix(t, "1.0.0", "")
	r := startRunning(t, data, workspace)
	drop(t, binary, filepath.Join(data, "plugins"))
	r.atVersion("1.0.0")
	id := r.start(r.save(`name: Poison
on_failure: continue
steps:
  - {id: a, handler: phoenix.wait, config: {gate: late}}
  - {id: b, handler: phoenix.wait, config: {gate: late}}
  - {id: poison, handler: phoenix.wait, config: {gate: open, poison: true}}
`))
	r.await("all steps run", func() bool { return r.plugin("phoenix").Running == 3 })
	for _, name := range []string{"open", "late"} {
		if err := os.WriteFile(filepath.Join(workspace, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		r.await("the process has crashed", func() bool { return r.plugin("phoenix").LastError != "" })
	}
	result := r.finish(id)
	if step := result.StepResults["poison"]; step.Status != plan.StatusFailed || step.Error.Code != "crash_loop" || step.Attempts > 3 {
		t.Errorf("the poison is %s after %d attempts: %+v", step.Status, step.Attempts, step.Error)
	}
	for _, neighbour := range []string{"a", "b"} {
		if step := result.StepResults[neighbour]; step.Status != plan.StatusSuccess || step.Attempts != 2 {
			t.Errorf("%s is %s after %d attempts: %+v", neighbour, step.Status, step.Attempts, step.Error)
		}
	}
}

// TestOnlyPinnedPluginsRun: what comes beside them is not even described until
// somebody pins it.
func TestOnlyPinnedPluginsRun(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	binary := phoenix(t, "1.0.0", "")
	pin := func(want int, args ...string) string {
		t.Helper()
		cmd := exec.Command("vwmp", append([]string{"plugin", "pin", "--data", data, "--plugins", labDir}, args...)...)
		output, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Fatalf("vwmp plugin pin %v ends with %d, not %d: %s", args, code, want, output)
		}
		return string(output)
	}
	if out := pin(0); !strings.Contains(out, "lab") || strings.Contains(out, "phoenix") {
		t.Errorf("pinned are %s", out)
	}
	pin(1, "phoenix")
	r := startRunning(t, data, t.TempDir(), "--plugins", labDir)
	drop(t, binary, filepath.Join(data, "plugins"))
	refused := func() (found host.PluginStatus) {
		var answer struct{ Plugins []host.PluginStatus }
		r.call(http.MethodGet, "/plugins/", "", "", http.StatusOK, &answer)
		for _, p := range answer.Plugins {
			if strings.Contains(p.Path, "phoenix") {
				found = p
			}
		}
		return found
	}
	r.await("the new plugin is refused", func() bool { return refused().State == "refused" })
	if p := refused(); !strings.Contains(p.StateReason, "plugins.lock") || p.Version != "" {
		t.Errorf("it is %+v", p)
	}
	if result := r.finish(r.start(r.save(echoWorkflow))); result.Status != plan.StatusSuccess {
		t.Errorf("a run with the pinned plugin is %s: %+v", result.Status, result.Error)
	}
	if out := pin(0, "phoenix"); !strings.Contains(out, "lab") || !strings.Contains(out, "phoenix") {
		t.Errorf("pinned are %s", out)
	}
	r.atVersion("1.0.0")
	var answer struct{ Fence host.PluginFence }
	r.call(http.MethodGet, "/plugins/", "", "", http.StatusOK, &answer)
	if !answer.Fence.Pinned {
		t.Errorf("the fence is %+v", answer.Fence)
	}
}

// TestWhatAPluginAndAnAttemptTakeIsToldAndKept: in the list of plugins, and in
// the result, after a restart too.
func TestWhatAPluginAndAnAttemptTakeIsToldAndKept(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the figures are those of Linux's kernel")
	}
	r := startRunning(t, t.TempDir(), t.TempDir(), "--plugins", labDir)
	id := r.start(r.save(echoWorkflow))
	first := r.finish(id).StepResults["echo"].AttemptList[0]
	if first.MemoryBytes < 1<<20 || first.MemoryBytes > 1<<30 || first.CPUSeconds <= 0 || first.CPUSeconds > 10 || first.SharedProcess {
		t.Errorf("the attempt took %+v", first)
	}
	if p := r.plugin("lab"); p.MemoryBytes < 1<<20 || p.CPUSeconds < first.CPUSeconds {
		t.Errorf("the plugin takes %d bytes and %f s", p.MemoryBytes, p.CPUSeconds)
	}
	r.stop()
	r.begin()
	if again := r.result(id).StepResults["echo"].AttemptList[0]; again.MemoryBytes != first.MemoryBytes || again.CPUSeconds != first.CPUSeconds {
		t.Errorf("after a restart the attempt took %+v, and not %+v", again, first)
	}
}

// TestAServerThatIsStoppedDuringItsFirstStartSaysNothing of plugins that it
// did not come to know, and leaves none of their processes.
func TestAServerThatIsStoppedDuringItsFirstStartSaysNothing(t *testing.T) {
	t.Parallel()
	data, workspace, plugins := t.TempDir(), t.TempDir(), t.TempDir()
	names := []string{"one", "two", "three"}
	for _, name := range names {
		// It never says where it listens.
		put(t, filepath.Join(plugins, name, "run.sh"), "echo $$ > \"$1.new\" && mv \"$1.new\" \"$1\" && exec sleep 600\n")
		put(t, filepath.Join(plugins, name, "plugin.yaml"), fmt.Sprintf("command: /bin/sh\nargs: [\"{dir}/run.sh\", %q]\n", filepath.Join(workspace, name)))
	}
	r := startRunning(t, data, workspace, "--plugins", plugins)
	var pids []int
	for _, name := range names {
		r.await(name+" is started", func() bool {
			var pid int
			text, err := os.ReadFile(filepath.Join(workspace, name))
			if err != nil {
				return false
			}
			if _, err := fmt.Sscan(string(text), &pid); err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
			return true
		})
	}
	r.stop() // It fails the test unless the exit code is 0.
	for line := range strings.Lines(r.log()) {
		if !strings.Contains(line, "level=INFO") || strings.Contains(line, "plugin") {
			t.Errorf("it says %s", line)
		}
	}
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
	for _, dir := range []string{"run/processes", "run/sockets"} {
		if entries, err := os.ReadDir(filepath.Join(data, dir)); err != nil || len(entries) > 0 {
			t.Errorf("%s holds %v, %v", dir, entries, err)
		}
	}
	if _, err := os.Stat(filepath.Join(data, serverFile)); !os.IsNotExist(err) {
		t.Errorf("the note of the server is left: %v", err)
	}
}
