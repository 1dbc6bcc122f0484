package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/host"
)

// running is a real vwmp server in a process of its own.
type running struct {
	t     *testing.T
	cmd   *exec.Cmd
	url   string
	token string
	data  string
	args  []string
	// env has variables of its environment beside the tests' own, as NAME=value.
	env []string
	// program is the binary; the test binary stands for vwmp where it is empty.
	program string
	// client is set where the default one can't reach it.
	client *http.Client

	mu     sync.Mutex
	output strings.Builder
	ended  chan struct{}
}

// demoRepository makes a repository to release, and returns its folder.
func demoRepository(t *testing.T) string {
	t.Helper()
	repository, _, err := makeDemo(t.Context(), filepath.Join(t.TempDir(), "demo"))
	if err != nil {
		t.Fatal(err)
	}
	return repository
}

func startRunning(t *testing.T, data, workspace string, more ...string) *running {
	t.Helper()
	return startProgram(t, "", nil, data, workspace, more...)
}

// startWith starts a server with variables beside the tests' own, as
// NAME=value.
func startWith(t *testing.T, env []string, data, workspace string, more ...string) *running {
	t.Helper()
	return startProgram(t, "", env, data, workspace, more...)
}

// startProgram is startWith with a binary of its own.
func startProgram(t *testing.T, program string, env []string, data, workspace string, more ...string) *running {
	t.Helper()
	r := &running{
		t: t, data: data, program: program, env: env,
		args: append([]string{"serve", "--addr", "127.0.0.1:0", "--data", data, "--workspace", workspace}, more...),
	}
	r.begin()
	t.Cleanup(r.stop)
	return r
}

var servesOn = regexp.MustCompile(`serves on (https?://\S+)`)

// begin starts the process and waits until it says where it serves.
func (r *running) begin() {
	r.t.Helper()
	r.cmd = exec.Command(cmp.Or(r.program, "vwmp"), r.args...)
	r.cmd.Env = append(os.Environ(), r.env...)
	r.ended = make(chan struct{})
	stdout, err := r.cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	r.cmd.Stderr = &lockedWriter{r}
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	address := make(chan string, 1)
	go func() {
		defer close(address)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if found := servesOn.FindStringSubmatch(lines.Text()); found != nil {
				address <- found[1]
			}
		}
	}()
	go func() {
		defer close(r.ended)
		_ = r.cmd.Wait()
	}()
	select {
	case r.url = <-address:
	case <-time.After(20 * time.Second):
	}
	if r.url == "" {
		r.t.Fatalf("the server does not say where it serves:\n%s", r.log())
	}
	token, err := os.ReadFile(filepath.Join(r.data, tokenFile))
	if err != nil {
		r.t.Fatal(err)
	}
	r.token = strings.TrimSpace(string(token))
}

type lockedWriter struct{ r *running }

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	return w.r.output.Write(p)
}

func (r *running) log() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.output.String()
}

// stop ends the server in good order, unless it is gone.
func (r *running) stop() {
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.ended:
		if code := r.cmd.ProcessState.ExitCode(); code != 0 && r.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			r.t.Errorf("the server ended with %d:\n%s", code, r.log())
		}
	case <-time.After(40 * time.Second):
		_ = r.cmd.Process.Kill()
		r.t.Errorf("the server does not stop:\n%s", r.log())
	}
	if r.t.Failed() {
		r.t.Logf("the server's log:\n%s", r.log())
	}
}

// kill ends the server as a power cut would, and waits until it is gone.
func (r *running) kill() {
	_ = r.cmd.Process.Kill()
	<-r.ended
}

// call sends a request and decodes the answer; it fails the test unless the
// status is the wanted one.
func (r *running) call(method, path, kind, body string, want int, answer any) http.Header {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.url+"/api/vwmp"+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+r.token)
	if body != "" {
		request.Header.Set("Content-Type", kind)
	}
	client := http.DefaultClient
	if r.client != nil {
		client = r.client
	}
	response, err := client.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if response.StatusCode != want {
		r.t.Fatalf("%s %s: %s, want %d\n%s", method, path, response.Status, want, raw)
	}
	if answer != nil {
		if err := json.Unmarshal(raw, answer); err != nil {
			r.t.Fatalf("%s %s: %v\n%s", method, path, err, raw)
		}
	}
	return response.Header
}

func (r *running) result(id string) engine.Result {
	r.t.Helper()
	var result engine.Result
	r.call(http.MethodGet, "/executions/"+id+"/", "", "", http.StatusOK, &result)
	return result
}

// await polls until a condition holds.
func (r *running) await(what string, holds func() bool) {
	r.t.Helper()
	deadline := time.NewTimer(60 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			r.t.Fatalf("waited in vain until %s\n%s", what, r.log())
		}
	}
}

func (r *running) finish(id string) engine.Result {
	r.t.Helper()
	r.await("execution "+id+" ended", func() bool { return r.result(id).Status.Ended() })
	return r.result(id)
}

// importRelease stores Standard Release and returns its id.
func (r *running) importRelease(change func(text string) string) string {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url+"/api/vwmp/workflow-types/release/templates/Standard%20Release/", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+r.token)
	request.Header.Set("Accept", "application/yaml")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		r.t.Fatalf("the template: %s %v\n%s", response.Status, err, text)
	}
	if change != nil {
		text = []byte(change(string(text)))
	}
	r.call(http.MethodPost, "/workflows/import/?id=release", "application/yaml", string(text), http.StatusCreated, nil)
	return "release"
}

const releaseParameters = `{"summary": "A release over the wire", "kb_docs_ok": true}`

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, output)
	}
	return strings.TrimSpace(string(output))
}

// checkReleased looks at the repository as whoever pulls from its remote
// would.
func checkReleased(t *testing.T, repository, version string) {
	t.Helper()
	remote := filepath.Join(repository, "..", "remote.git")
	if tags := git(t, remote, "tag", "--list", "v"+version); tags != "v"+version {
		t.Errorf("the remote has the tags %q, want v%s", tags, version)
	}
	if got := git(t, remote, "show", "main:VERSION"); got != version {
		t.Errorf("the remote's VERSION is %q, want %s", got, version)
	}
	if count := git(t, remote, "rev-list", "--count", "main"); count != "2" {
		t.Errorf("the remote has %s commits, want 2", count)
	}
}

// checkSequence holds the numbers of events: 1, 2, 3 … without a gap.
func checkSequence(t *testing.T, events []plan.Event) {
	t.Helper()
	for i, event := range events {
		if event.Seq != uint64(i)+1 {
			t.Fatalf("event %d is number %d (%s)", i+1, event.Seq, event.Type)
		}
	}
}

func (r *running) events(id string) []plan.Event {
	r.t.Helper()
	var answer struct {
		Events []plan.Event `json:"events"`
	}
	r.call(http.MethodGet, "/executions/"+id+"/events/?limit=1000", "", "", http.StatusOK, &answer)
	return answer.Events
}

func TestReleaseOverREST(t *testing.T) {
	t.Parallel()
	repository := demoRepository(t)
	r := startRunning(t, t.TempDir(), repository)
	id := r.importRelease(nil)
	var started struct {
		ExecutionID  string    `json:"execution_id"`
		Status       string    `json:"status"`
		StartedAt    time.Time `json:"started_at"`
		WebSocketURL string    `json:"websocket_url"`
	}
	header := r.call(http.MethodPost, "/workflows/"+id+"/execute/", "application/json", releaseParameters, http.StatusAccepted, &started)
	if started.ExecutionID == "" || started.Status == "" || started.StartedAt.IsZero() || started.WebSocketURL == "" || header.Get("Location") == "" {
		t.Errorf("the answer to execute lacks something: %+v, Location %q", started, header.Get("Location"))
	}
	result := r.finish(started.ExecutionID)
	if result.Status != plan.StatusSuccess || len(result.StepResults) != 10 {
		t.Fatalf("it ended as %s with %d steps: %+v", result.Status, len(result.StepResults), result.Error)
	}
	checkReleased(t, repository, "0.1.1")
	events := r.events(started.ExecutionID)
	checkSequence(t, events)
	// Steps 2, 4 and 5 run in parallel: all start before one of them ends.
	starts, firstEnd := 0, uint64(0)
	for _, event := range events {
		if event.StepID != "step-2" && event.StepID != "step-4" && event.StepID != "step-5" {
			continue
		}
		switch {
		case event.Type == plan.StepStarted && firstEnd == 0:
			starts++
		case event.Type == plan.StepCompleted && firstEnd == 0:
			firstEnd = event.Seq
		default:
		}
	}
	if starts != 3 {
		t.Errorf("%d of the steps 2, 4 and 5 had started when the first of them ended, want 3", starts)
	}
	var waited engine.Result
	r.call(http.MethodPost, "/workflows/"+id+"/execute/?async=false", "application/json", releaseParameters, http.StatusOK, &waited)
	if waited.Status != plan.StatusSuccess || waited.StepResults["step-9"].Status != plan.StatusSuccess {
		t.Errorf("the run that was waited for ended as %s: %+v", waited.Status, waited.Error)
	}
}

func TestReleaseOverWebSocket(t *testing.T) {
	t.Parallel()
	repository := demoRepository(t)
	r := startRunning(t, t.TempDir(), repository)
	id := r.importRelease(func(text string) string {
		// Every parameter gets a default, so that a client may only listen.
		text = strings.Replace(text, "name: summary", "name: summary\n    default: A release that only listens", 1)
		text = strings.Replace(text, "name: kb_docs_ok", "name: kb_docs_ok\n    default: true", 1)
		return strings.ReplaceAll(text, "    required: true\n", "")
	})
	events, code := r.listen("/ws/vwmp/workflows/" + id + "/execute")
	checkSequence(t, events)
	if code != websocket.CloseNormalClosure {
		t.Errorf("the socket was closed with %d, want 1000", code)
	}
	completed := map[string]int{}
	for _, event := range events {
		if event.Type == plan.StepCompleted {
			completed[event.StepID]++
		}
	}
	last := events[len(events)-1]
	if len(completed) != 10 || last.Type != plan.WorkflowCompleted || last.Status != "success" {
		t.Errorf("%d steps completed, and the last event is %s %s", len(completed), last.Type, last.Status)
	}
	checkReleased(t, repository, "0.1.1")
	replayed, _ := r.listen("/ws/vwmp/executions/" + last.ExecutionID + "?after_seq=0")
	if len(replayed) != len(events) {
		t.Errorf("the replay has %d events, the run had %d", len(replayed), len(events))
	}
}

// listen reads a socket to its end and returns what came and the close code.
func (r *running) listen(path string) ([]plan.Event, int) {
	r.t.Helper()
	header := http.Header{"Authorization": {"Bearer " + r.token}}
	connection, response, err := websocket.DefaultDialer.DialContext(r.t.Context(), "ws"+strings.TrimPrefix(r.url, "http")+path, header)
	if err != nil {
		r.t.Fatalf("connect to %s: %v (%v)", path, err, response)
	}
	defer connection.Close()
	if err := connection.SetReadDeadline(time.Now().Add(60 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	var events []plan.Event
	for {
		_, raw, err := connection.ReadMessage()
		if err != nil {
			if closed, ok := err.(*websocket.CloseError); ok { //nolint:errorlint // The library returns it bare.
				return events, closed.Code
			}
			r.t.Fatalf("read %s: %v", path, err)
		}
		var event plan.Event
		if err := json.Unmarshal(raw, &event); err != nil {
			r.t.Fatalf("%v in %s", err, raw)
		}
		events = append(events, event)
	}
}

// waitingValidator makes a script that says that it runs, and goes on once
// the file "go" is there.
func waitingValidator(t *testing.T, repository string) (begun, goOn string) {
	t.Helper()
	begun, goOn = filepath.Join(repository, ".git", "begun"), filepath.Join(repository, ".git", "go")
	script := "#!/bin/sh\necho $$ >> .git/begun\nwhile [ ! -e .git/go ]; do sleep 0.05; done\n"
	if err := os.WriteFile(filepath.Join(repository, "wait.sh"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return begun, goOn
}

func (r *running) pluginPIDs() []int {
	r.t.Helper()
	var answer struct {
		Plugins []host.PluginStatus `json:"plugins"`
	}
	r.call(http.MethodGet, "/plugins/", "", "", http.StatusOK, &answer)
	var pids []int
	for _, p := range answer.Plugins {
		if p.PID != 0 {
			pids = append(pids, p.PID)
		}
	}
	return pids
}

func alive(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	// A zombie is dead; its parent has not looked yet.
	return err == nil && !bytes.Contains(raw, []byte(") Z "))
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestKilledHostGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	repository := demoRepository(t)
	begun, goOn := waitingValidator(t, repository)
	r := startRunning(t, t.TempDir(), repository)
	id := r.importRelease(func(text string) string { return strings.Replace(text, "validators: []", "validators: [wait.sh]", 1) })
	var started struct {
		ExecutionID string `json:"execution_id"`
	}
	r.call(http.MethodPost, "/workflows/"+id+"/execute/", "application/json", releaseParameters, http.StatusAccepted, &started)
	r.await("step 7 runs", func() bool { return fileExists(begun) })
	pids := r.pluginPIDs()
	if len(pids) != 3 {
		t.Errorf("%d plugin processes run, want 3", len(pids))
	}
	script, err := os.ReadFile(begun)
	if err != nil {
		t.Fatal(err)
	}
	r.kill()
	for _, pid := range pids {
		r.await(fmt.Sprintf("plugin process %d is gone", pid), func() bool { return !alive(pid) })
	}
	var scriptPID int
	if _, err := fmt.Sscan(string(script), &scriptPID); err != nil {
		t.Fatal(err)
	}
	r.await("the validator is gone", func() bool { return !alive(scriptPID) })

	if err := os.WriteFile(goOn, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	r.begin()
	result := r.finish(started.ExecutionID)
	if result.Status != plan.StatusSuccess {
		t.Fatalf("it ended as %s: %+v", result.Status, result.Error)
	}
	for step, want := range map[string]int{"step-1": 1, "step-6": 1, "step-7": 2, "step-8": 1, "step-9": 1, "step-10": 1} {
		if got := result.StepResults[step].Attempts; got != want {
			t.Errorf("%s had %d attempts, want %d", step, got, want)
		}
	}
	checkSequence(t, r.events(started.ExecutionID))
	checkReleased(t, repository, "0.1.1")
}

func TestKilledPluginFailsOnlyItsOwnSteps(t *testing.T) {
	t.Parallel()
	repository := demoRepository(t)
	begun, goOn := waitingValidator(t, repository)
	r := startRunning(t, t.TempDir(), repository)
	blocked := `{"name": "Blocked", "steps": [{"id": "check", "handler": "vwmp.run_validators", "config": {"validators": ["wait.sh"]}}]}`
	r.call(http.MethodPost, "/workflows/import/?id=blocked", "application/json", blocked, http.StatusCreated, nil)
	other := `{"name": "Other", "steps": [{"id": "status", "handler": "git.status"}]}`
	r.call(http.MethodPost, "/workflows/import/?id=other", "application/json", other, http.StatusCreated, nil)
	var started struct {
		ExecutionID string `json:"execution_id"`
	}
	r.call(http.MethodPost, "/workflows/blocked/execute/", "", "", http.StatusAccepted, &started)
	r.await("the step runs", func() bool { return fileExists(begun) })
	pids := r.pluginPIDs()
	if len(pids) != 1 {
		t.Fatalf("%d plugin processes run, want 1", len(pids))
	}
	if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// The handler is unsafe: nobody knows what the script did.
	r.await("the step is interrupted", func() bool {
		return r.result(started.ExecutionID).StepResults["check"].Status == plan.StatusInterrupted
	})
	if result := r.result(started.ExecutionID); result.Status != plan.StatusWaiting || result.StatusReason == "" {
		t.Errorf("the execution is %s (%q), want waiting with a reason", result.Status, result.StatusReason)
	}
	var untouched engine.Result
	r.call(http.MethodPost, "/workflows/other/execute/?async=false", "", "", http.StatusOK, &untouched)
	if untouched.Status != plan.StatusSuccess {
		t.Errorf("another execution ended as %s: %+v", untouched.Status, untouched.Error)
	}
	if err := os.WriteFile(goOn, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	r.call(http.MethodPost, "/executions/"+started.ExecutionID+"/steps/check/resolve/", "application/json", `{"as": "retry"}`, http.StatusOK, nil)
	if result := r.finish(started.ExecutionID); result.Status != plan.StatusSuccess || result.StepResults["check"].Attempts != 2 {
		t.Errorf("it ended as %s after %d attempts", result.Status, result.StepResults["check"].Attempts)
	}
}

func TestSecondServerIsToldTheFirst(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := startRunning(t, data, t.TempDir())
	output, err := exec.CommandContext(t.Context(), "vwmp", "serve", "--addr", "127.0.0.1:0", "--data", data).CombinedOutput()
	if err == nil || !strings.Contains(string(output), fmt.Sprint(r.cmd.Process.Pid)) {
		t.Errorf("a second server on the same data: %v\n%s", err, output)
	}
	// Other commands find the server by its data folder.
	listed, err := exec.CommandContext(t.Context(), "vwmp", "handler", "list", "--data", data).CombinedOutput()
	if err != nil || !strings.Contains(string(listed), "git.commit") {
		t.Errorf("handler list: %v\n%s", err, listed)
	}
	link, err := exec.CommandContext(t.Context(), "vwmp", "open", "--data", data).CombinedOutput()
	if err != nil || !strings.Contains(string(link), "/vwmp/sign-in?ticket=") {
		t.Errorf("open: %v\n%s", err, link)
	}
}

func TestOpenAddressNeedsSignIn(t *testing.T) {
	t.Parallel()
	output, err := exec.CommandContext(t.Context(), "vwmp", "serve", "--addr", "0.0.0.0:0", "--auth", "none", "--data", t.TempDir()).CombinedOutput()
	if err == nil || !strings.Contains(string(output), "loopback") {
		t.Errorf("serving everybody without sign-in: %v\n%s", err, output)
	}
}
