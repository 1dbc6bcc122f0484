package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
)

// killWorkflow has a step of every effect class, side by side and in a row;
// one of them fails first, one is a list and one waits. FILE is the ledger.
const killWorkflow = `{"name": "Kill me", "steps": [
	{"id": "pure", "handler": "ledger.pure", "config": {"file": "FILE"}},
	{"id": "keyed", "handler": "ledger.keyed", "dependencies": ["pure"], "config": {"file": "FILE"}},
	{"id": "reconcilable", "handler": "ledger.reconcilable", "dependencies": ["pure"], "config": {"file": "FILE"}},
	{"id": "unsafe", "handler": "ledger.unsafe", "dependencies": ["pure"], "config": {"file": "FILE", "wait": 30}},
	{"id": "again", "handler": "ledger.unsafe", "dependencies": ["unsafe"], "config": {"file": "FILE", "fail_first": true},
		"retry": {"max_attempts": 2, "initial_interval": 0.05, "jitter": 0}},
	{"id": "nap", "handler": "flow.wait", "config": {"duration": "50ms"}},
	{"id": "items", "handler": "ledger.reconcilable", "for_each": [1, 2, 3], "max_parallel": 2, "dependencies": ["nap"], "config": {"file": "FILE"}},
	{"id": "join", "handler": "ledger.unsafe", "dependencies": ["keyed", "reconcilable", "again", "items"], "config": {"file": "FILE"}},
	{"id": "clean", "handler": "ledger.idempotent", "run_on": "always", "dependencies": ["join"], "config": {"file": "FILE"}}]}`

// killLoop is a server that is killed again and again, and what it promised
// on the way.
type killLoop struct {
	t      *testing.T
	r      *running
	chance *rand.Rand
	ledger string
	// asked are the keys of starts that nobody has acknowledged yet, and
	// acknowledged the executions, by key.
	asked        []string
	acknowledged map[string]string
	starts       int
	resolved     int
}

// TestKillLoop kills a real server at random points, over and over, and
// compares what it acknowledged, what its journal says and what a plugin
// really did. VWMP_KILLS is the number of kills, VWMP_SEED the chance.
func TestKillLoop(t *testing.T) {
	t.Parallel()
	kills, seed := envNumber(t, "VWMP_KILLS", defaultKills), envNumber(t, "VWMP_SEED", time.Now().UnixNano())
	t.Logf("%d kills; VWMP_SEED=%d gives the same chance again", kills, seed)
	l := newKillLoop(t, uint64(seed))
	for n := range kills {
		if l.chance.IntN(5) == 0 {
			l.killWhileStarting()
		}
		l.r.begin()
		l.work(l.between(0, 400*time.Millisecond))
		l.r.kill()
		if n%10 == 9 {
			// Nobody needs another start to get rid of what was left.
			l.awaitNoProcess()
		}
		if n%500 == 499 {
			t.Logf("%d kills, %d executions acknowledged, %d steps decided by hand", n+1, len(l.acknowledged), l.resolved)
		}
	}
	l.r.begin()
	l.finish()
	l.check()
	l.r.stop()
	l.checkLeftovers(1, l.starts)
	t.Logf("%d executions acknowledged, %d steps decided by hand", len(l.acknowledged), l.resolved)
}

func envNumber(t *testing.T, name string, otherwise int64) int64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return number
}

func newKillLoop(t *testing.T, seed uint64) *killLoop {
	t.Helper()
	workspace := t.TempDir()
	l := &killLoop{
		t: t, chance: rand.New(rand.NewPCG(seed, seed)), ledger: filepath.Join(workspace, "ledger"), acknowledged: map[string]string{},
	}
	l.r = startRunning(t, t.TempDir(), workspace, "--plugins", buildLedger(t))
	l.r.call(http.MethodPost, "/workflows/import/?id=kill", "application/json", strings.ReplaceAll(killWorkflow, "FILE", l.ledger), http.StatusCreated, nil)
	l.r.kill()
	return l
}

// buildLedger builds the plugin that keeps the ledger, and returns its folder.
func buildLedger(t *testing.T) string {
	t.Helper()
	plugins := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(plugins, "vwmp-plugin-ledger"), "github.com/vwmp/vwmp/scripts/soak/ledger")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the plugin: %v\n%s", err, output)
	}
	return plugins
}

func (l *killLoop) between(least, most time.Duration) time.Duration {
	return least + time.Duration(l.chance.Int64N(int64(most-least)+1))
}

// killWhileStarting starts a server and kills it before it is ready, or
// shortly after.
func (l *killLoop) killWhileStarting() {
	command := exec.Command("vwmp", l.r.args...)
	if err := command.Start(); err != nil {
		l.t.Fatal(err)
	}
	timer := time.NewTimer(l.between(0, 200*time.Millisecond))
	<-timer.C
	_ = command.Process.Kill()
	_ = command.Wait()
}

// work uses the server until the time is over: it starts executions, and
// decides what waits for somebody.
func (l *killLoop) work(limit time.Duration) {
	ctx, cancel := context.WithTimeout(l.t.Context(), limit)
	defer cancel()
	for range 1 + l.chance.IntN(5) {
		l.starts++
		l.asked = append(l.asked, fmt.Sprintf("start %d", l.starts))
	}
	l.start(ctx)
	for ctx.Err() == nil {
		l.decide(ctx)
		timer := time.NewTimer(10 * time.Millisecond)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// start asks for every execution that nobody has acknowledged, under the same
// key again where the answer was lost.
func (l *killLoop) start(ctx context.Context) {
	left := l.asked[:0:0]
	for _, key := range l.asked {
		var started struct {
			ExecutionID string `json:"execution_id"`
		}
		status, err := l.ask(ctx, http.MethodPost, "/workflows/kill/execute/", `{"idempotency_key": "`+key+`"}`, &started)
		switch {
		case err != nil:
			left = append(left, key)
		case status != http.StatusAccepted || started.ExecutionID == "":
			l.t.Fatalf("start %q: status %d", key, status)
		default:
			l.acknowledged[key] = started.ExecutionID
		}
	}
	l.asked = left
}

// ask sends a request; an error means that there was no answer.
func (l *killLoop) ask(ctx context.Context, method, path, body string, answer any) (int, error) {
	request, err := http.NewRequestWithContext(ctx, method, l.r.url+"/api/vwmp"+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+l.r.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	if response.StatusCode < http.StatusMultipleChoices {
		return response.StatusCode, json.Unmarshal(raw, answer)
	}
	return response.StatusCode, nil
}

// decide takes up what is parked, and says of each interrupted step what the
// ledger says.
func (l *killLoop) decide(ctx context.Context) {
	for _, e := range l.list(ctx, "waiting,paused") {
		var result engine.Result
		if e.Status == plan.StatusPaused {
			_, _ = l.ask(ctx, http.MethodPost, "/executions/"+e.ID+"/resume/", "", &result)
			continue
		}
		if status, err := l.ask(ctx, http.MethodGet, "/executions/"+e.ID+"/", "", &result); err != nil || status != http.StatusOK {
			continue
		}
		for id, step := range result.StepResults {
			if step.Status != plan.StatusInterrupted {
				continue
			}
			decision := `{"as": "retry"}`
			if len(l.entries()[e.ID+"/"+id]) > 0 {
				decision = `{"as": "success", "output": {"key": "by hand"}}`
			}
			if status, err := l.ask(ctx, http.MethodPost, "/executions/"+e.ID+"/steps/"+id+"/resolve/", decision, &result); err == nil && status == http.StatusOK {
				l.resolved++
			}
		}
	}
}

func (l *killLoop) list(ctx context.Context, statuses string) []engine.Execution {
	var all []engine.Execution
	for cursor := ""; ; {
		var page struct {
			Executions []engine.Execution `json:"executions"`
			Next       string             `json:"next"`
		}
		status, err := l.ask(ctx, http.MethodGet, "/executions/?limit=1000&status="+statuses+"&cursor="+cursor, "", &page)
		if err != nil || status != http.StatusOK {
			return all
		}
		all = append(all, page.Executions...)
		if cursor = page.Next; cursor == "" {
			return all
		}
	}
}

// finish lets everything come to its end.
func (l *killLoop) finish() {
	l.r.await("every execution has ended", func() bool {
		l.start(l.t.Context())
		l.decide(l.t.Context())
		return len(l.asked) == 0 && len(l.list(l.t.Context(), "pending,queued,running,waiting,paused")) == 0
	})
}

// ledgerEntry is one line of the ledger.
type ledgerEntry struct {
	Key     string    `json:"key"`
	Attempt int       `json:"attempt"`
	Time    time.Time `json:"time"`
	Mark    string    `json:"mark"`
}

// entries reads the ledger, by key.
func (l *killLoop) entries() map[string][]ledgerEntry {
	l.t.Helper()
	raw, err := os.ReadFile(l.ledger)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.t.Fatal(err)
	}
	entries := map[string][]ledgerEntry{}
	for lines := bufio.NewScanner(bytes.NewReader(raw)); lines.Scan(); {
		var e ledgerEntry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			continue // Killed in the middle of a write.
		}
		entries[e.Key] = append(entries[e.Key], e)
	}
	return entries
}

// check compares journal, ledger and what was acknowledged.
func (l *killLoop) check() {
	known := map[string]bool{}
	for _, e := range l.list(l.t.Context(), "") {
		known[e.ID] = true
	}
	if len(known) != l.starts {
		l.t.Errorf("%d executions were asked for, there are %d", l.starts, len(known))
	}
	entries := l.entries()
	for key, id := range l.acknowledged {
		if !known[id] {
			l.t.Errorf("%s was acknowledged as execution %s, which is lost", key, id)
			continue
		}
		l.checkExecution(id, entries)
	}
}

func (l *killLoop) checkExecution(id string, entries map[string][]ledgerEntry) {
	if result := l.r.result(id); result.Status != plan.StatusSuccess {
		l.t.Errorf("execution %s ended as %s: %+v", id, result.Status, result.Error)
	}
	events := l.r.events(id)
	checkSequence(l.t, events)
	ended := map[string]bool{}
	for _, event := range events {
		if event.Type != plan.StepCompleted && event.Type != plan.StepItemCompleted {
			continue
		}
		key := id + "/" + event.StepID
		if event.ItemIndex != nil {
			key += "/" + strconv.Itoa(*event.ItemIndex)
		}
		if ended[key] {
			l.t.Errorf("%s ended twice", key)
		}
		ended[key] = true
		if key != id+"/nap" && key != id+"/items" {
			l.checkStep(key, event, entries[key])
		}
	}
	if len(ended) != 12 {
		l.t.Errorf("%d steps and items of %s ended, want 12", len(ended), id)
	}
}

func (l *killLoop) checkStep(name string, event plan.Event, entries []ledgerEntry) {
	if len(entries) == 0 {
		l.t.Errorf("%s is recorded as done, and did nothing", name)
	}
	attempts := map[int]bool{}
	for _, e := range entries {
		if e.Time.After(event.Time) {
			l.t.Errorf("%s was recorded at %s and took effect again at %s", name, event.Time, e.Time)
		}
		if attempts[e.Attempt] {
			l.t.Errorf("attempt %d of %s was called twice", e.Attempt, name)
		}
		attempts[e.Attempt] = true
	}
	switch event.Handler {
	case "ledger.unsafe", "ledger.reconcilable":
		if len(entries) > 1 {
			l.t.Errorf("%s is %s and took effect %d times", name, event.Handler, len(entries))
		}
	}
}

// checkLeftovers looks at what is left once the server has ended in good
// order: no process, no socket, and a store that is whole.
func (l *killLoop) checkLeftovers(workflows, executions int) {
	l.awaitNoProcess()
	err := filepath.WalkDir(l.r.data, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type()&fs.ModeSocket != 0 {
			l.t.Errorf("the socket %s is left", path)
		}
		return err
	})
	if err != nil {
		l.t.Error(err)
	}
	output, err := exec.CommandContext(l.t.Context(), "vwmp", append([]string{"doctor", "--output", "json"}, l.r.args[3:]...)...).CombinedOutput()
	if err != nil || !bytes.Contains(output, fmt.Appendf(nil, "whole: %d workflows, %d executions", workflows, executions)) {
		l.t.Errorf("doctor: %v\n%s", err, output)
	}
}

func (l *killLoop) awaitNoProcess() {
	for _, pid := range processesOf(l.t, l.r.data) {
		l.r.await(fmt.Sprintf("process %d, which the server left, has ended", pid), func() bool { return !alive(pid) })
	}
}

// processesOf lists the processes whose program or arguments are below a
// folder.
func processesOf(t *testing.T, dir string) []int {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, name := range names {
		line, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(line, []byte(dir)) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil && alive(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}
