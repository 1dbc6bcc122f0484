//go:build long

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/vwmp/vwmp/engine/plan"
)

// The attack table's cases that need a build of their own: faults inside the
// server, which no input brings about, and a plugin that no SDK would make.

// inside is what a panic says that no client may read.
const inside = "boom-of-the-inside"

// faults are put into the source of the server that has them. Each is a line
// of a file and what stands for it there.
var faults = []struct{ file, line, with string }{
	// The socket's goroutine that receives and answers.
	{"host/socket_flows.go", "do := k.server.Engine.Cancel", `if word == "cancel" { panic("` + inside + `") }; do := k.server.Engine.Cancel`},
	// The one that the library calls, which sends.
	{
		"host/socket_flows.go", `after, err := number(k.query["after_seq"], "after_seq")`,
		`after, err := number(k.query["after_seq"], "after_seq"); if after == 47 { panic("` + inside + `") }`,
	},
	// A list of at most 103 executions reads until a file is there.
	{"store/list.go", "found, err = search.some(all, limit-len(page))", "if limit == 103 { s.doNotEnd() }; found, err = search.some(all, limit-len(page))"},
}

// doNotEnd is added to the store's package.
const doNotEnd = `package store

import (
	"os"
	"path/filepath"
	"time"
)

func (s *Store) doNotEnd() {
	if err := os.WriteFile(filepath.Join(s.folder.Dir(), "reads"), nil, 0o600); err != nil {
		panic(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(s.folder.Dir(), "go")); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}
`

// faultyServer is the binary with the faults, which several tests run. What
// TestMain takes away holds it.
var faultyServer = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(filepath.Dir(pluginsDir), "faulty")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	checkout, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	added := filepath.Join(checkout, "store", "faulty.go")
	texts := map[string]string{added: doNotEnd}
	for _, fault := range faults {
		file := filepath.Join(checkout, filepath.FromSlash(fault.file))
		if texts[file] == "" {
			source, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			texts[file] = string(source)
		}
		if found := strings.Count(texts[file], fault.line); found != 1 {
			return "", fmt.Errorf("%s has %q %d times: the fault needs another place", fault.file, fault.line, found)
		}
		texts[file] = strings.Replace(texts[file], fault.line, fault.with, 1)
	}
	replace := map[string]string{}
	for file, text := range texts {
		replace[file] = filepath.Join(dir, strconv.Itoa(len(replace))+".go")
		if err := os.WriteFile(replace[file], []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "vwmp")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return "", err
	}
	// Without symbols it is linked sooner.
	build := exec.CommandContext(context.Background(), "go", "build", "-ldflags", "-s -w", "-overlay", list, "-o", binary, ".")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build a server with faults: %w\n%s", err, output)
	}
	return binary, nil
})

func startFaulty(t *testing.T) *attacked {
	t.Helper()
	binary, err := faultyServer()
	if err != nil {
		t.Fatal(err)
	}
	return &attacked{running: startProgram(t, binary, nil, filepath.Join(t.TempDir(), "data"), t.TempDir())}
}

// follower is a client's end of a socket.
type follower struct {
	t    *testing.T
	conn *websocket.Conn
}

func (a *attacked) follow(t *testing.T, path string) follower {
	t.Helper()
	conn, status := a.dial(t, path, a.token)
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("%s gets %d", path, status)
	}
	if err := conn.SetReadDeadline(time.Now().Add(60 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return follower{t, conn}
}

func (f follower) say(text string) {
	f.t.Helper()
	if err := f.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		f.t.Fatal(err)
	}
}

// await reads until an event of a kind comes.
func (f follower) await(kind plan.EventType) {
	f.t.Helper()
	for {
		var event struct{ Event plan.EventType }
		if err := f.conn.ReadJSON(&event); err != nil {
			f.t.Fatalf("%s does not come: %v", kind, err)
		}
		if event.Event == kind {
			return
		}
	}
}

// rest reads to the end, and returns the last message and how it was closed.
func (f follower) rest() (last string, closed *websocket.CloseError) {
	f.t.Helper()
	for {
		_, text, err := f.conn.ReadMessage()
		switch {
		case errors.As(err, &closed):
			return last, closed
		case err != nil:
			f.t.Fatalf("the socket breaks off: %v", err)
		}
		last = string(text)
	}
}

func TestCase47APanicCostsOneSocketOfTheServer(t *testing.T) {
	t.Parallel()
	a := startFaulty(t)
	execution := a.start(a.save(`{"name":"Case 47","steps":[{"id":"a","handler":"flow.approval","config":{"message":"Go on?"}}]}`))
	a.await("it waits", func() bool { return a.result(execution).Status == plan.StatusWaiting })
	path := "/ws/vwmp/executions/" + execution
	others := []follower{a.follow(t, "/ws/vwmp/events"), a.follow(t, path)}
	others[1].await("snapshot")
	panics := 0
	panicked := func(f follower) {
		t.Helper()
		panics++
		last, closed := f.rest()
		var told struct {
			Event     string
			ErrorCode string `json:"error_code"`
		}
		if err := json.Unmarshal([]byte(last), &told); err != nil || told.Event != "error" || told.ErrorCode != "EXECUTION_ERROR" || closed.Code != websocket.CloseInternalServerErr {
			t.Errorf("it ends with %d after %s", closed.Code, last)
		}
		if text := last + closed.Text; strings.Contains(text, inside) {
			t.Errorf("a client is told %s", text)
		}
		reply{t: t, what: "the socket", body: last + closed.Text}.tellsNothing()
	}
	canceller := a.follow(t, path)
	canceller.await("snapshot")
	canceller.say(`{"type":"cancel"}`)
	panicked(canceller)
	// More than the sockets that a principal may have at once: none is lost.
	for range 60 {
		panicked(a.follow(t, path+"?after_seq=47"))
	}
	a.await("the log tells of each panic", func() bool { return strings.Count(a.log(), "a socket panicked") == panics })
	if log := a.log(); strings.Count(log, "cause="+inside) != panics || !strings.Contains(log, "socket_flows.go") {
		t.Error("the log does not say what panicked, and where")
	}
	a.await("the sockets are given back", func() bool { return a.scrape(a.token).value("vwmp_http_live_connections") == float64(len(others)) })
	for _, other := range others {
		other.say(`{"type":"ping"}`)
		other.await("pong")
	}
	if got := a.result(execution).Status; got != plan.StatusWaiting {
		t.Errorf("the execution is %s", got)
	}
	a.attack(http.MethodPost, api+"/executions/"+execution+"/steps/a/approve/", `{"approved":true}`).want(http.StatusOK)
	others[0].await(plan.WorkflowCompleted)
	if last, closed := others[1].rest(); closed.Code != websocket.CloseNormalClosure || !strings.Contains(last, string(plan.WorkflowCompleted)) {
		t.Errorf("the other socket of the execution ends with %d after %s", closed.Code, last)
	}
}

func TestCase103AReadOfTheServerThatDoesNotEndHoldsUpNobodyAndIsReported(t *testing.T) {
	t.Parallel()
	const stuck = 10 * time.Second
	a := startFaulty(t)
	id := a.save(`{"name":"Case 103",` + echoSteps + `}`)
	first := a.finish(a.start(id)).ID
	goOn := filepath.Join(a.data, "go")
	// A server whose read goes on does not stop.
	t.Cleanup(func() { _ = os.WriteFile(goOn, nil, 0o600) })
	answer := make(chan reply, 1)
	go func() {
		got, err := a.tryAttack(t.Context(), http.DefaultClient, http.MethodGet, api+"/executions/?limit=103", "")
		if err != nil {
			t.Error(err)
		}
		answer <- got
	}()
	a.await("the list reads", func() bool { return fileExists(filepath.Join(a.data, "reads")) })
	began := time.Now()
	size := func() int64 {
		info, err := os.Stat(filepath.Join(a.data, "state.db"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	// No page that the read may see is used again, so that the file grows.
	before := size()
	for large := strings.Repeat("x", 200<<10); size() < before+4<<20; {
		ctx, cancel := context.WithTimeout(t.Context(), stuck/2)
		saved, err := a.tryAttack(ctx, http.DefaultClient, http.MethodPost, workflowsPath, `{"name":"Large `+strconv.Itoa(a.next())+`","steps":[{"id":"a","handler":"flow.log","config":{"message":"`+large+`"}}]}`)
		cancel()
		if err != nil {
			t.Fatalf("a writer waits: %v", err)
		}
		saved.want(http.StatusCreated)
	}
	const report = "a read of the store does not end"
	if written := time.Since(began); written < stuck/2 && strings.Contains(a.log(), report) {
		t.Errorf("a read of %s is reported", written)
	}
	a.await("the log tells", func() bool {
		// Others read and write all the while.
		a.attack(http.MethodGet, api+"/executions/", "").want(http.StatusOK)
		if got := a.finish(a.start(id)).Status; got != plan.StatusSuccess {
			t.Errorf("an execution is %s", got)
		}
		return strings.Contains(a.log(), report)
	})
	if took := time.Since(began); took < stuck-time.Second || took > stuck+5*time.Second {
		t.Errorf("it is told after %s", took)
	}
	figures := a.scrape(a.token)
	if count, oldest := figures.value("vwmp_store_stuck_reads"), figures.value("vwmp_store_oldest_stuck_read_seconds"); count != 1 || oldest < stuck.Seconds() {
		t.Errorf("the metrics tell of %g reads, the oldest of %g s", count, oldest)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, text := a.page(path, ""); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	select {
	case got := <-answer:
		t.Fatalf("the list has ended before it could: %d", got.status)
	default:
	}
	writeFile(t, goOn, nil)
	if got := (<-answer).want(http.StatusOK); !strings.Contains(got.body, first) {
		t.Errorf("the list is %.300s", got.body)
	}
	a.await("it is over", func() bool {
		figures = a.scrape(a.token)
		return figures.value("vwmp_store_stuck_reads") == 0 && strings.Contains(a.log(), "a read of the store was slow")
	})
	if slow := figures.value("vwmp_store_slow_reads_total"); !(slow >= 1) {
		t.Errorf("%g slow reads are counted", slow)
	}
}

// evilPlugin is the plugin that is made not with the SDK but to do harm: the
// tests' binary of the plugin host.
func evilPlugin(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "evil")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-ldflags", "-s -w", "-o", binary, "github.com/vwmp/vwmp/host/pluginhost")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return binary
}

// evilEnds are what the calls of the evil plugin come to, by handler: how the
// step ends, and what its error says.
var evilEnds = map[string]struct {
	status plan.Status
	due    string
}{
	"nothing":        {plan.StatusInterrupted, "without saying how the step ended"},
	"twice":          {plan.StatusInterrupted, "it went on after the end"},
	"after":          {plan.StatusInterrupted, "it went on after the end"},
	"notjson":        {plan.StatusInterrupted, "an output that is not JSON"},
	"badtoken":       {plan.StatusInterrupted, "an undo token that is not JSON"},
	"badcheckpoint":  {plan.StatusInterrupted, "broke the protocol"},
	"hugecheckpoint": {plan.StatusInterrupted, "broke the protocol"},
	"unavailable":    {plan.StatusInterrupted, "the call to the plugin broke"},
	"hugeoutput":     {plan.StatusFailed, "over 8 MiB"},
	"emptyfailure":   {plan.StatusFailed, "without saying why"},
	"claimsrest":     {plan.StatusFailed, "wait for me"},
	"refuses":        {plan.StatusFailed, "the plugin refused the call"},
	"emptyevent":     {plan.StatusSuccess, ""},
	"leaveopen":      {plan.StatusSuccess, ""},
	"good":           {plan.StatusSuccess, ""},
}

// An event has neither a step nor a number of its own in the protocol, so that
// no plugin can give a wrong one: that events are numbered without a gap, and
// each step ends as its own call did, holds that part of the case.
func TestCase85WhateverAPluginSaysOfItsEndTheServerIsRight(t *testing.T) {
	t.Parallel()
	binary := evilPlugin(t)
	plugins, workspace := t.TempDir(), t.TempDir()
	for _, mode := range []string{"evil", "evil-netrpc", "evil-garbagesocket", "evil-schema", "evil-large", "evil-huge", "evil-describefails"} {
		dir := filepath.Join(plugins, mode)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, "plugin.yaml"), fmt.Appendf(nil, "command: %s\nargs: [\"-as-plugin=%s\"]\n", binary, mode))
	}
	a := &attacked{running: startRunning(t, filepath.Join(t.TempDir(), "data"), workspace, "--plugins", plugins, "--plugins", labDir)}
	for mode, due := range map[string]string{
		"evil-netrpc": "", "evil-garbagesocket": "", "evil-schema": "is not JSON", "evil-large": "larger than 256 KiB", "evil-huge": "larger than max", "evil-describefails": "no description for you",
	} {
		if reason := a.refusal(t, mode); !strings.Contains(reason, due) {
			t.Errorf("%s is refused because %s", mode, reason)
		}
	}
	beside := a.start(a.save(`{"name":"Beside","steps":[{"id":"a","handler":"lab.hang","timeout":"5m","config":{"until":"go","arrive":"here"}}]}`))
	a.await("the step beside runs", func() bool { return fileExists(filepath.Join(workspace, "here")) })
	var steps []string
	for name := range evilEnds {
		// The reference keeps the server from asking the plugin about the config, which it would never answer.
		steps = append(steps, fmt.Sprintf(`{"id":%q,"handler":"evil.%s","required":false,"timeout":"60s","retry":{"max_attempts":1},"config":{"x":"${parameters.p}"}}`, name, name))
	}
	id := a.start(a.save(`{"name":"Evil","parameters":[{"name":"p","type":"string","default":"x"}],"steps":[` + strings.Join(steps, ",") + `]}`))
	a.await("all have ended", func() bool {
		done := 0
		for _, step := range a.result(id).StepResults {
			if step.Status.Ended() || step.Status == plan.StatusInterrupted {
				done++
			}
		}
		return done == len(evilEnds)
	})
	result := a.result(id)
	if result.Status != plan.StatusWaiting {
		t.Errorf("an execution whose steps wait for a decision is %s", result.Status)
	}
	for name, want := range evilEnds {
		got := result.StepResults[name]
		message := ""
		if got.Error != nil {
			message = got.Error.Message
		}
		if got.Status != want.status || got.Attempts != 1 || !strings.Contains(message, want.due) || (want.status == plan.StatusSuccess) != (string(got.Output) == "1") {
			t.Errorf("evil.%s is %s after %d attempts with %.50s: %s", name, got.Status, got.Attempts, got.Output, message)
		}
	}
	events := a.events(id)
	checkSequence(t, events)
	for _, event := range events {
		if want, known := evilEnds[event.StepID]; event.StepID != "" && !known || event.Status == string(plan.StatusSuccess) && event.StepID != "" && want.status != plan.StatusSuccess {
			t.Errorf("event %d tells that step %q is %s", event.Seq, event.StepID, event.Status)
		}
	}
	if got := a.result(beside).StepResults["a"]; got.Status != plan.StatusRunning || got.Attempts != 1 {
		t.Errorf("the step of another plugin is %s after %d attempts", got.Status, got.Attempts)
	}
	if got := a.step(t, "lab.echo", `{"value":1}`).Status; got != plan.StatusSuccess {
		t.Errorf("another execution is %s", got)
	}
	writeFile(t, filepath.Join(workspace, "go"), nil)
	if got := a.finish(beside).Status; got != plan.StatusSuccess {
		t.Errorf("the execution beside is %s", got)
	}
	a.leavesNothing(t, binary)
}

// leavesNothing stops the server, and sees that a plugin has left neither a
// process nor a socket.
func (a *attacked) leavesNothing(t *testing.T, binary string) {
	t.Helper()
	pids := a.pluginPIDs()
	if len(pids) == 0 {
		t.Error("no plugin runs")
	}
	a.stop()
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("plugin %d is left", pid)
		}
	}
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range commands {
		if text, err := os.ReadFile(file); err == nil && bytes.Contains(text, []byte(binary)) {
			t.Errorf("%s is left: %q", file, text)
		}
	}
	// A plugin's working folder stays, for its next process.
	for _, kind := range []string{"sockets/*", "processes/*", "work/*/*"} {
		left, err := filepath.Glob(filepath.Join(a.data, "run", kind))
		if err != nil || len(left) > 0 {
			t.Errorf("left are %v %v", left, err)
		}
	}
}
