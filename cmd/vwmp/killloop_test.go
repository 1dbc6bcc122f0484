package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
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

// killLoop is a server that is killed again and again, and what it promised
// on the way.
type killLoop struct {
	t      *testing.T
	r      *running
	chance *rand.Rand
	ledger string
	// asked are the starts that nobody has acknowledged yet, and acknowledged
	// those that somebody has, by key.
	asked        []killStart
	acknowledged map[string]killStart
	starts       int
	resolved     int
	people       killPeople

	// read is what was read of the ledger so far, and readTo how far.
	read   map[string][]ledgerEntry
	readTo int64
}

// openStatuses are those of executions that have not ended.
const openStatuses = "pending,queued,running,waiting,paused"

// killStart is an execution that is asked for until it is acknowledged.
type killStart struct{ key, workflow, id string }

// TestKillLoop kills a real server at random points, over and over, and
// compares what it acknowledged, what its journal says and what a plugin
// really did. VWMP_KILLS is the number of kills, VWMP_SEED the chance.
func TestKillLoop(t *testing.T) {
	t.Parallel()
	kills, seed := envNumber(t, "VWMP_KILLS", defaultKills), envNumber(t, "VWMP_SEED", time.Now().UnixNano())
	t.Logf("%d kills; VWMP_SEED=%d gives the same chance again", kills, seed)
	l := newKillLoop(t, uint64(seed), t.TempDir())
	t.Cleanup(l.tellStuck)
	for n := range kills {
		if l.chance.IntN(5) == 0 {
			l.killWhileStarting()
		}
		started := time.Now()
		l.r.begin()
		l.work(l.life(time.Since(started)))
		l.r.kill()
		if n%10 == 9 {
			// Nobody needs another start to get rid of what was left.
			l.awaitNoProcess()
		}
		if n%500 == 499 {
			t.Logf("%d kills, %s", n+1, l.told())
		}
	}
	l.r.begin()
	l.finish()
	executions := l.check()
	l.r.stop()
	l.checkLeftovers(len(killCases), executions)
	t.Logf("%d kills, %d executions, %s", kills, executions, l.told())
}

// told says what was done so far.
func (l *killLoop) told() string {
	return fmt.Sprintf("%d starts acknowledged, %d steps decided by hand, %d approvals answered, %d signals sent, %d undos asked for",
		len(l.acknowledged), l.resolved, len(l.people.answered), len(l.people.signalled), len(l.people.undone))
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

// newKillLoop makes the server of a loop, which keeps what it keeps below dir.
func newKillLoop(t *testing.T, seed uint64, dir string) *killLoop {
	t.Helper()
	workspace := filepath.Join(dir, "workspace")
	if err := os.Mkdir(workspace, 0o700); err != nil {
		t.Fatal(err)
	}
	l := &killLoop{
		t: t, chance: rand.New(rand.NewPCG(seed, seed)), ledger: filepath.Join(workspace, "ledger"),
		acknowledged: map[string]killStart{}, people: newKillPeople(),
	}
	// However many there are, each is looked at in the end.
	config := filepath.Join(t.TempDir(), "vwmp.yaml")
	if err := os.WriteFile(config, []byte("retention: {days: 0, per_workflow: 0}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.r = startRunning(t, filepath.Join(dir, "data"), workspace, "--plugins", buildLedger(t), "--config", config)
	for _, c := range killCases {
		l.r.call(http.MethodPost, "/workflows/import/?id="+c.id, "application/json", strings.ReplaceAll(c.text, "FILE", l.ledger), http.StatusCreated, nil)
	}
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

// life is how long a server lives: mostly too short to bring much to its end.
// It is longer where starting took long: on a busy machine, too, servers are
// to die at work and not only before it.
func (l *killLoop) life(start time.Duration) time.Duration {
	const usualStart = 300 * time.Millisecond
	slow := min(max(start.Seconds()/usualStart.Seconds(), 1), 20)
	life := l.between(0, 400*time.Millisecond)
	if l.chance.IntN(3) == 0 {
		life = l.between(400*time.Millisecond, 1500*time.Millisecond)
	}
	return time.Duration(float64(life) * slow)
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

// work uses the server until the time is over: it starts executions, and does
// what people do.
func (l *killLoop) work(limit time.Duration) {
	ctx, cancel := context.WithTimeout(l.t.Context(), limit)
	defer cancel()
	// What is open must come to its end under kills too, not only once they
	// are over.
	const mostOpen = 40
	if len(l.list(ctx, openStatuses)) < mostOpen {
		for range 1 + l.chance.IntN(5) {
			l.starts++
			l.asked = append(l.asked, killStart{key: fmt.Sprintf("start %d", l.starts), workflow: l.drawCase()})
		}
	}
	l.start(ctx)
	for ctx.Err() == nil {
		l.decide(ctx)
		l.act(ctx)
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
	for _, s := range l.asked {
		var started struct {
			ExecutionID string `json:"execution_id"`
		}
		status, err := l.ask(ctx, http.MethodPost, "/workflows/"+s.workflow+"/execute/", `{"idempotency_key": "`+s.key+`"}`, &started)
		switch {
		case err != nil:
			left = append(left, s)
		case status != http.StatusAccepted || started.ExecutionID == "":
			l.t.Fatalf("%s: status %d", s.key, status)
		default:
			s.id = started.ExecutionID
			l.acknowledged[s.key] = s
			l.people.expect(s)
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

// decide takes up what is parked, and says what becomes of each step that
// waits for somebody.
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
			switch {
			case step.Status == plan.StatusInterrupted:
				l.resolve(ctx, e.ID, id)
			case step.Waiting != nil && step.Waiting.Reason == plan.WaitApproval:
				l.approve(ctx, e.ID, id)
			}
		}
	}
}

// resolve says of an interrupted step what the ledger says.
func (l *killLoop) resolve(ctx context.Context, id, step string) {
	decision := `{"as": "retry"}`
	if len(l.entries()[id+"/"+step]) > 0 {
		decision = `{"as": "success", "output": {"key": "by hand"}}`
	}
	var result engine.Result
	if status, err := l.ask(ctx, http.MethodPost, "/executions/"+id+"/steps/"+step+"/resolve/", decision, &result); err == nil && status == http.StatusOK {
		l.resolved++
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
		l.act(l.t.Context())
		return len(l.asked) == 0 && l.people.done() && len(l.list(l.t.Context(), openStatuses)) == 0
	})
}

// tellStuck says of a failed test what has not ended, and what the server
// says about it.
func (l *killLoop) tellStuck() {
	if !l.t.Failed() {
		return
	}
	for _, e := range l.list(context.Background(), openStatuses) {
		var explained any
		_, err := l.ask(context.Background(), http.MethodGet, "/executions/"+e.ID+"/explain/", "", &explained)
		l.t.Logf("execution %s of %s is %s (%s): %v %v", e.ID, e.WorkflowID, e.Status, e.StatusReason, explained, err)
	}
}

// ledgerEntry is one line of the ledger.
type ledgerEntry struct {
	Key     string    `json:"key"`
	Attempt int       `json:"attempt"`
	Time    time.Time `json:"time"`
	Mark    string    `json:"mark"`
}

// entries reads what is new in the ledger, and returns all of it by key.
func (l *killLoop) entries() map[string][]ledgerEntry {
	l.t.Helper()
	if l.read == nil {
		l.read = map[string][]ledgerEntry{}
	}
	file, err := os.Open(l.ledger)
	if errors.Is(err, fs.ErrNotExist) {
		return l.read
	}
	if err != nil {
		l.t.Fatal(err)
	}
	defer file.Close()
	raw, err := io.ReadAll(io.NewSectionReader(file, l.readTo, math.MaxInt64-l.readTo))
	if err != nil {
		l.t.Fatal(err)
	}
	raw = raw[:bytes.LastIndexByte(raw, '\n')+1]
	l.readTo += int64(len(raw))
	for line := range bytes.Lines(raw) {
		var e ledgerEntry
		if err := json.Unmarshal(line, &e); err != nil {
			continue // Killed in the middle of a write.
		}
		l.read[e.Key] = append(l.read[e.Key], e)
	}
	return l.read
}

// check compares journal, ledger and what was acknowledged, and returns how
// many executions there are.
func (l *killLoop) check() int {
	all := map[string]engine.Execution{}
	for _, e := range l.list(l.t.Context(), "") {
		all[e.ID] = e
	}
	started := map[string]killCase{}
	for key, s := range l.acknowledged {
		if _, found := all[s.id]; !found {
			l.t.Errorf("%s was acknowledged as execution %s, which is lost", key, s.id)
			continue
		}
		started[s.id] = caseOf(s.workflow)
	}
	born := l.checkFamilies(all, started)
	undos := l.checkUndos(all)
	if len(all) != l.starts+len(born)+undos {
		l.t.Errorf("%d executions were asked for, there are %d, %d of them children and %d undos", l.starts, len(all), len(born), undos)
	}
	for id, c := range started {
		l.checkExecution(id, c, born)
	}
	return len(all)
}

func (l *killLoop) checkExecution(id string, c killCase, born map[string]string) {
	run := &killedRun{result: l.r.result(id), events: l.r.events(id), ended: map[string]plan.Event{}, born: born}
	if run.result.Status != c.status {
		l.t.Errorf("execution %s of %s ended as %s: %+v", id, c.id, run.result.Status, run.result.Error)
	}
	checkSequence(l.t, run.events)
	items := map[string]bool{}
	for _, event := range run.events {
		if event.Type != plan.StepCompleted && event.Type != plan.StepItemCompleted {
			continue
		}
		key := keyOf(event)
		if _, twice := run.ended[key]; twice {
			l.t.Errorf("%s ended twice", key)
		}
		run.ended[key] = event
		items[event.StepID] = items[event.StepID] || event.ItemIndex != nil
		if strings.HasPrefix(event.Handler, "ledger.") && (event.ItemIndex != nil || !items[event.StepID]) {
			l.checkStep(key, event, l.entries()[key])
		}
	}
	if len(run.ended) != c.ends {
		l.t.Errorf("%d steps and items of %s of %s ended, want %d", len(run.ended), id, c.id, c.ends)
	}
	if c.check != nil {
		c.check(l, run)
	}
}

// keyOf names a step or an item in the ledger.
func keyOf(event plan.Event) string {
	key := event.ExecutionID + "/" + event.StepID
	if event.ItemIndex != nil {
		key += "/" + strconv.Itoa(*event.ItemIndex)
	}
	return key
}

func (l *killLoop) checkStep(name string, event plan.Event, entries []ledgerEntry) {
	if len(entries) == 0 {
		l.t.Errorf("%s is recorded as done, and did nothing", name)
	}
	attempts := map[int]bool{}
	for _, e := range entries {
		if e.Mark == "undo" {
			continue // The undo that made it is looked at by itself.
		}
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
