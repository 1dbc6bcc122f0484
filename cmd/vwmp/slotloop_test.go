package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
)

// slotExecutions is how many queue up.
const slotExecutions = 500

// slotWorkflow is one workflow with a limit. Those with the same group count
// against each other.
type slotWorkflow struct {
	id, group string
	limit     int
	text      string
}

// slotWorkflows are a group of one workflow, and one of two that share a key
// and disagree about the limit. FILE is the ledger and GATE the file that
// steps wait for.
var slotWorkflows = map[string]slotWorkflow{
	"alone": {"alone", "alone", 4, `{"name": "Alone", "concurrency": {"limit": 4},
		"steps": [{"id": "a", "handler": "ledger.idempotent", "config": {"file": "FILE", "gate": "GATE"}}]}`},
	"narrow": {"narrow", "shelf", 3, `{"name": "Narrow", "concurrency": {"limit": 3, "key": "shelf ${parameters.shelf}"},
		"parameters": [{"name": "shelf", "type": "string", "default": "a"}],
		"steps": [{"id": "a", "handler": "ledger.idempotent", "config": {"file": "FILE", "gate": "GATE"}}]}`},
	"wide": {"wide", "shelf", 6, `{"name": "Wide", "concurrency": {"limit": 6, "key": "shelf a"},
		"steps": [{"id": "a", "handler": "ledger.idempotent", "config": {"file": "FILE", "gate": "GATE"}}]}`},
}

// slotStart is an execution that is asked for until it is acknowledged.
type slotStart struct {
	key, id  string
	workflow slotWorkflow
}

// slotLoop is a server with limits that is killed while hundreds queue.
type slotLoop struct {
	*killLoop

	gate         string
	queue        []*slotStart
	acknowledged atomic.Int64
}

// TestKilledHostKeepsToConcurrencyLimits queues executions behind limits,
// kills the server while they arrive and while they run, and looks in the
// plugin's ledger for how many really ran at once. VWMP_SEED is the chance.
func TestKilledHostKeepsToConcurrencyLimits(t *testing.T) {
	t.Parallel()
	seed := envNumber(t, "VWMP_SEED", time.Now().UnixNano())
	t.Logf("VWMP_SEED=%d gives the same chance again", seed)
	l := newSlotLoop(t, uint64(seed))
	l.fill()
	t.Cleanup(l.tellStuck)

	// While they arrive nothing gets past the gate, so that all pile up.
	arrivalKills := l.points(2, slotExecutions/20, slotExecutions-slotExecutions/20)
	for _, at := range arrivalKills {
		l.arrive(at)
		l.r.begin()
	}
	l.arrive(math.MaxInt)
	l.open()
	drainKills := l.points(4, 1, slotExecutions*8/10)
	for _, at := range drainKills {
		l.awaitEnds(at)
		l.r.kill()
		l.r.begin()
	}
	t.Logf("killed after %v of %d arrivals and %v ends", arrivalKills, slotExecutions, drainKills)
	for ends := drainKills[len(drainKills)-1]; ends < slotExecutions; {
		ends = min(ends+100, slotExecutions)
		l.awaitEnds(ends)
	}
	l.awaitSuccess()
	l.checkAllFree()
	l.checkLimits()
	l.r.stop()
	l.checkLeftovers(len(slotWorkflows), len(l.queue))
}

func newSlotLoop(t *testing.T, seed uint64) *slotLoop {
	t.Helper()
	workspace := t.TempDir()
	l := &slotLoop{
		killLoop: &killLoop{t: t, chance: rand.New(rand.NewPCG(seed, seed)), ledger: filepath.Join(workspace, "ledger")},
		gate:     filepath.Join(workspace, "gate"),
	}
	l.r = startRunning(t, t.TempDir(), workspace, "--plugins", buildLedger(t))
	for _, w := range slotWorkflows {
		text := strings.NewReplacer("FILE", l.ledger, "GATE", l.gate).Replace(w.text)
		l.r.call(http.MethodPost, "/workflows/import/?id="+w.id, "application/json", text, http.StatusCreated, nil)
	}
	return l
}

// fill decides what is asked for: first enough of the wide to hold all that
// it may with more behind, then a mixture.
func (l *slotLoop) fill() {
	ids := slices.Repeat([]string{"wide"}, 20)
	for len(ids) < slotExecutions {
		ids = append(ids, "alone", "narrow", "alone", "wide", "narrow")
	}
	ids = ids[:slotExecutions]
	mixture := ids[20:]
	l.chance.Shuffle(len(mixture), func(i, j int) { mixture[i], mixture[j] = mixture[j], mixture[i] })
	for _, id := range ids {
		l.add(id)
	}
}

func (l *slotLoop) add(workflow string) {
	l.queue = append(l.queue, &slotStart{key: fmt.Sprintf("start %d", len(l.queue)), workflow: slotWorkflows[workflow]})
}

// points are random numbers in ascending order.
func (l *slotLoop) points(count, least, most int) []int {
	points := make([]int, count)
	for i := range points {
		points[i] = least + l.chance.IntN(most-least)
	}
	slices.Sort(points)
	return points
}

// arrive asks for all that is not acknowledged, in four rows, and kills the
// server once a number is, while the other rows go on.
func (l *slotLoop) arrive(killAt int) {
	if int(l.acknowledged.Load()) >= killAt {
		l.r.kill()
		return
	}
	left := make(chan *slotStart, len(l.queue))
	for _, s := range l.queue {
		if s.id == "" {
			left <- s
		}
	}
	close(left)
	var rows sync.WaitGroup
	for range 4 {
		rows.Go(func() {
			for s := range left {
				if !l.startOne(s) {
					return
				}
				if int(l.acknowledged.Add(1)) == killAt {
					l.r.kill()
				}
			}
		})
	}
	rows.Wait()
	if killAt == math.MaxInt && int(l.acknowledged.Load()) != len(l.queue) {
		l.t.Fatalf("%d of %d starts were acknowledged", l.acknowledged.Load(), len(l.queue))
	}
}

// startOne reports whether there was an answer.
func (l *slotLoop) startOne(s *slotStart) bool {
	var started struct {
		ExecutionID string `json:"execution_id"`
	}
	status, err := l.ask(l.t.Context(), http.MethodPost, "/workflows/"+s.workflow.id+"/execute/", `{"idempotency_key": "`+s.key+`"}`, &started)
	if err != nil {
		return false
	}
	if status != http.StatusAccepted || started.ExecutionID == "" {
		l.t.Errorf("%s: status %d", s.key, status)
	}
	s.id = started.ExecutionID
	return true
}

// open lets steps past the gate.
func (l *slotLoop) open() {
	if err := os.WriteFile(l.gate, nil, 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// awaitEnds waits for a number of steps, and takes up again what was parked
// because the server died under it too often.
func (l *slotLoop) awaitEnds(count int) {
	l.r.await(fmt.Sprintf("%d steps have ended", count), func() bool {
		l.decide(l.t.Context())
		ends := 0
		for _, entries := range l.entries() {
			if slices.ContainsFunc(entries, func(e ledgerEntry) bool { return e.Mark == "end" }) {
				ends++
			}
		}
		return ends >= count
	})
}

// awaitSuccess waits until every execution that was acknowledged is there and
// has ended well, and no other is there.
func (l *slotLoop) awaitSuccess() {
	l.r.await("every execution has ended", func() bool {
		l.decide(l.t.Context())
		return len(l.list(l.t.Context(), "success,partial,failed,cancelled")) >= len(l.queue)
	})
	all := map[string]plan.Status{}
	for _, e := range l.list(l.t.Context(), "") {
		all[e.ID] = e.Status
	}
	if len(all) != len(l.queue) {
		l.t.Errorf("%d executions were asked for, there are %d", len(l.queue), len(all))
	}
	for _, s := range l.queue {
		if all[s.id] != plan.StatusSuccess {
			l.t.Errorf("%s of %s, execution %s, is %q", s.key, s.workflow.id, s.id, all[s.id])
		}
	}
}

// checkAllFree fills every group to its limit once more: a place that leaked
// would be missing.
func (l *slotLoop) checkAllFree() {
	if err := os.Remove(l.gate); err != nil {
		l.t.Fatal(err)
	}
	running, queued := 0, 0
	for _, id := range []string{"alone", "wide"} {
		for range slotWorkflows[id].limit + 1 {
			l.add(id)
		}
		running, queued = running+slotWorkflows[id].limit, queued+1
	}
	l.arrive(math.MaxInt)
	l.r.await(fmt.Sprintf("%d executions run and %d wait", running, queued), func() bool {
		return len(l.list(l.t.Context(), "running")) == running && len(l.list(l.t.Context(), "queued")) == queued
	})
	l.open()
	l.awaitSuccess()
}

// slotWindow is the time in which an execution held its place, and when it
// came.
type slotWindow struct {
	id              string
	limit           int
	came, from, end time.Time
}

// checkLimits compares what ran at once with the limits, as the plugin saw it
// and as the journal has it. An execution that a kill cut off holds its place
// until it has ended after all.
func (l *slotLoop) checkLimits() {
	journal, ledger := map[string][]slotWindow{}, map[string][]slotWindow{}
	entries := l.entries()
	workflows := map[string]slotWorkflow{}
	for _, s := range l.queue {
		workflows[s.id] = s.workflow
	}
	repeated := 0
	for _, e := range l.list(l.t.Context(), "") {
		w := workflows[e.ID]
		journal[w.group] = append(journal[w.group], slotWindow{e.ID, w.limit, e.CreatedAt, e.StartedAt, e.CompletedAt})
		marks := entries[e.ID+"/a"]
		if len(marks) < 2 || marks[0].Mark != "begin" || marks[len(marks)-1].Mark != "end" {
			l.t.Errorf("execution %s has the entries %+v, want a begin first and an end last", e.ID, marks)
			continue
		}
		if len(marks) > 2 {
			repeated++
		}
		began := map[int]bool{}
		for _, m := range marks {
			if m.Mark == "begin" && began[m.Attempt] {
				l.t.Errorf("attempt %d of execution %s was called twice", m.Attempt, e.ID)
			}
			began[m.Attempt] = began[m.Attempt] || m.Mark == "begin"
		}
		ledger[w.group] = append(ledger[w.group], slotWindow{e.ID, w.limit, e.CreatedAt, marks[0].Time, marks[len(marks)-1].Time})
	}
	if repeated == 0 {
		l.t.Error("no kill cut off a step")
	}
	for group := range journal {
		sweepSlots(l.t, group+" in the ledger", ledger[group])
		reached := sweepSlots(l.t, group+" in the journal", journal[group])
		for _, w := range slotWorkflows {
			if w.group == group && !reached[w.limit] {
				l.t.Errorf("%s never had %d running while more waited", group, w.limit)
			}
		}
	}
}

// sweepSlots goes through a group's time and holds that while an execution
// runs, no more than its limit do. It returns the limits that were reached
// while somebody waited.
func sweepSlots(t *testing.T, group string, windows []slotWindow) (reached map[int]bool) {
	t.Helper()
	const came, ended, began = 0, 1, 2 // In this order where the time is the same.
	type moment struct {
		time   time.Time
		kind   int
		window slotWindow
	}
	var moments []moment
	for _, w := range windows {
		if w.from.Before(w.end) {
			moments = append(moments, moment{w.came, came, w}, moment{w.from, began, w}, moment{w.end, ended, w})
		}
	}
	slices.SortFunc(moments, func(a, b moment) int {
		if c := a.time.Compare(b.time); c != 0 {
			return c
		}
		return a.kind - b.kind
	})
	reached = map[int]bool{}
	waiting, running := 0, map[string]int{}
	for _, m := range moments {
		switch m.kind {
		case came:
			waiting++
		case began:
			waiting--
			running[m.window.id] = m.window.limit
		case ended:
			delete(running, m.window.id)
		}
		limit := math.MaxInt
		for _, l := range running {
			limit = min(limit, l)
		}
		if len(running) > limit {
			t.Errorf("%s: %d run at %s where %d may: %v", group, len(running), m.time, limit, running)
			return reached
		}
		if len(running) == limit && waiting > 0 {
			reached[limit] = true
		}
	}
	return reached
}
