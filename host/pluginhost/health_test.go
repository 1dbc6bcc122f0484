//go:build unix

package pluginhost

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

// hasty are limits under which crashes follow each other quickly.
func hasty() limits {
	l := quick
	l.firstBackOff, l.maxBackOff = time.Millisecond, 20*time.Millisecond
	return l
}

func TestAProcessThatDoesNotAnswerItsHealthProbesIsEnded(t *testing.T) {
	l := hasty()
	l.healthEvery, l.healthLimit = 50*time.Millisecond, 200*time.Millisecond
	h := newTestHostWith(t, Options{Dirs: []string{pluginDir(t, "good")}}, l)
	ended, r := make(chan pluginsdk.Outcome, 1), newRecorder()
	go func() { ended <- h.Invoke(t.Context(), requestOf("good.hang", ""), r) }()
	pid := r.pid(t)
	freeze(t, pid)
	message := mustFail(t, <-ended, pluginsdk.OutcomeUnknown, "PLUGIN_CRASHED_ALONE")
	if !strings.Contains(message, "did not answer 3 health probes") {
		t.Errorf("the message is %q", message)
	}
	eventually(t, "the process is gone", func() bool { return !alive(pid) })
	outcome, _ := h.call(t, "good.look", "")
	factsOf(t, outcome)
}

func TestAProcessThatAnswersItsHealthProbesIsLeftAlone(t *testing.T) {
	l := hasty()
	l.healthEvery, l.healthMisses = 5*time.Millisecond, 1
	h := newTestHostWith(t, Options{Dirs: []string{pluginDir(t, "good", "rude")}}, l)
	outcome, _ := h.call(t, "good.look", "")
	first := factsOf(t, outcome)
	for range 20 {
		outcome, _ = h.call(t, "good.together", "")
		factsOf(t, outcome)
	}
	outcome, _ = h.call(t, "good.look", "")
	if now := factsOf(t, outcome); now.PID != first.PID {
		t.Error("the process was ended although it is well")
	}
}

func TestACircuitOpensAfterFiveCrashesAndCallsWaitWithoutAnAttempt(t *testing.T) {
	l := hasty()
	l.circuitRest = 1500 * time.Millisecond
	h := newTestHostWith(t, Options{Dirs: []string{pluginDir(t, "good", "other")}}, l)
	for _, how := range []string{"kill", "kill", "kill", "kill", "panic"} {
		outcome, _ := h.call(t, "good.crash", how)
		if outcome.Kind != pluginsdk.OutcomeUnknown {
			t.Fatalf("a crash gives %+v", outcome)
		}
	}
	eventually(t, "the plugin rests", func() bool { return h.status(t, "good").State == stateQuarantined })
	status := h.status(t, "good")
	if status.NextStart.IsZero() || status.Reason == "" || !strings.Contains(status.LastError, "exit status 2") ||
		!strings.Contains(strings.Join(status.LastWords, "\n"), "all is lost") {
		t.Errorf("the status is %+v", status)
	}
	begin := time.Now()
	outcome, _ := h.call(t, "good.look", "")
	mustFail(t, outcome, pluginsdk.OutcomeNotRun, "PLUGIN_NOT_READY")
	if outcome.Failure.RetryAfter <= 0 || outcome.Failure.RetryAfter > l.circuitRest || time.Since(begin) > time.Second {
		t.Errorf("after %s the outcome is %+v", time.Since(begin), outcome.Failure)
	}
	neighbour, _ := h.call(t, "other.look", "")
	factsOf(t, neighbour)
	eventually(t, "the rest is over", func() bool { return !time.Now().Before(status.NextStart) })
	// One trial that fails opens it again, one that does not closes it.
	outcome, _ = h.call(t, "good.crash", "kill")
	if outcome.Kind != pluginsdk.OutcomeUnknown {
		t.Errorf("the trial gives %+v", outcome)
	}
	eventually(t, "the plugin rests again", func() bool { return h.status(t, "good").NextStart.After(status.NextStart) })
	if err := h.Enable(t.Context(), "good"); err != nil {
		t.Fatal(err)
	}
	// Whoever enables it ends the rest.
	outcome, _ = h.call(t, "good.look", "")
	factsOf(t, outcome)
	if status := h.status(t, "good"); status.State != stateRunning || !status.NextStart.IsZero() {
		t.Errorf("after that the status is %+v", status)
	}
}

func TestOnlyOneCallIsLetThroughOnTrial(t *testing.T) {
	l := hasty()
	l.circuitExits, l.circuitRest = 1, 50*time.Millisecond
	h := newTestHostWith(t, Options{Dirs: []string{pluginDir(t, "good")}}, l)
	outcome, _ := h.call(t, "good.crash", "kill")
	if outcome.Kind != pluginsdk.OutcomeUnknown {
		t.Fatalf("a crash gives %+v", outcome)
	}
	eventually(t, "the plugin rests", func() bool { return !h.status(t, "good").NextStart.IsZero() })
	next := h.status(t, "good").NextStart
	eventually(t, "the rest is over", func() bool { return time.Now().After(next) })
	gate := filepath.Join(t.TempDir(), "go")
	ended, r := make(chan pluginsdk.Outcome, 1), newRecorder()
	go func() { ended <- h.Invoke(t.Context(), requestOf("good.gate", gate), r) }()
	r.pid(t)
	others := make(chan pluginsdk.Outcome, 5)
	for range 5 {
		go func() { others <- h.Invoke(t.Context(), requestOf("good.look", ""), newRecorder()) }()
	}
	eventually(t, "the others wait", func() bool { return h.status(t, "good").Waiting == 5 })
	write(t, gate, "", 0o644)
	factsOf(t, <-ended)
	for range 5 {
		factsOf(t, <-others)
	}
}

// keyed is a request of a step of its own.
func keyed(key, handler, text string) *pluginsdk.Request {
	request := requestOf(handler, text)
	request.StepID, request.IdempotencyKey = key, "e1/"+key
	return request
}

func TestAfterACrashEachCallRunsAgainAloneAndOnlyThePoisonIsBlamed(t *testing.T) {
	h := newTestHostWith(t, Options{Dirs: []string{pluginDir(t, "good")}}, hasty())
	gate := filepath.Join(t.TempDir(), "go")
	const neighbours = 5
	outcomes := make(chan pluginsdk.Outcome, neighbours)
	for i := range neighbours {
		r := newRecorder()
		go func() { outcomes <- h.Invoke(t.Context(), keyed(fmt.Sprint("n", i), "good.gate", gate), r) }()
		r.pid(t)
	}
	poison := h.Invoke(t.Context(), keyed("poison", "good.crash", "kill"), newRecorder())
	mustFail(t, poison, pluginsdk.OutcomeUnknown, "OUTCOME_UNKNOWN")
	for range neighbours {
		mustFail(t, <-outcomes, pluginsdk.OutcomeUnknown, "OUTCOME_UNKNOWN")
	}
	write(t, gate, "", 0o644)
	// Again, all at the same time: one after the other, each in its own
	// process, and beside a call that was in no crash.
	var mu sync.Mutex
	pids := map[int]bool{}
	var again sync.WaitGroup
	for i := range neighbours {
		again.Go(func() {
			outcome := h.Invoke(t.Context(), keyed(fmt.Sprint("n", i), "good.gate", gate), newRecorder())
			if outcome.Kind != pluginsdk.OutcomeSuccess {
				t.Errorf("a neighbour gives %+v %+v", outcome, outcome.Failure)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			pids[factsOf(t, outcome).PID] = true
		})
	}
	again.Go(func() {
		mustFail(t, h.Invoke(t.Context(), keyed("poison", "good.crash", "kill"), newRecorder()), pluginsdk.OutcomeUnknown, "PLUGIN_CRASHED_ALONE")
	})
	again.Wait()
	if len(pids) != neighbours {
		t.Errorf("%d calls ran in %d processes", neighbours, len(pids))
	}
	// Who has ended well is let off, and runs among others again.
	one, _ := h.call(t, "good.look", "")
	shared := factsOf(t, one).PID
	if next := factsOf(t, h.Invoke(t.Context(), keyed("n0", "good.gate", gate), newRecorder())); next.PID != shared {
		t.Errorf("a call that was let off ran in %d and not in %d", next.PID, shared)
	}
	mustFail(t, h.Invoke(t.Context(), keyed("poison", "good.crash", "kill"), newRecorder()), pluginsdk.OutcomeUnknown, "PLUGIN_CRASHED_ALONE")
	if !alive(shared) {
		t.Error("the poison took the shared process with it")
	}
}

func TestACallWhoseProcessWasKilledForAnotherIsNoSuspect(t *testing.T) {
	h := newTestHostWith(t, Options{Dirs: []string{pluginDir(t, "good")}}, hasty())
	neighbour, r := make(chan pluginsdk.Outcome, 1), newRecorder()
	go func() { neighbour <- h.Invoke(t.Context(), keyed("n", "good.hang", ""), r) }()
	r.pid(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended, deaf := make(chan pluginsdk.Outcome, 1), newRecorder()
	go func() { ended <- h.Invoke(ctx, keyed("deaf", "good.ignore", ""), deaf) }()
	deaf.pid(t)
	cancel()
	mustFail(t, <-ended, pluginsdk.OutcomeUnknown, "CANCEL_IGNORED")
	mustFail(t, <-neighbour, pluginsdk.OutcomeUnknown, "OUTCOME_UNKNOWN")
	e, err := h.find(t.Context(), "good.hang")
	if err != nil {
		t.Fatal(err)
	}
	if e.plugin.suspects.has("e1/n") || e.plugin.suspects.has("e1/deaf") {
		t.Error("there are suspects although the host ended the process")
	}
}

func TestAStartThatFailsFailsOnlyTheCallItWasMadeFor(t *testing.T) {
	dir, cache := pluginDir(t, "quitter"), newMemoryCache()
	cache.pretend(t, dir, "quitter")
	l := hasty()
	l.circuitExits = 3
	h := newTestHostWith(t, Options{Dirs: []string{dir}, Store: cache}, l)
	kinds := make(chan pluginsdk.OutcomeKind, 10)
	for range 10 {
		go func() { kinds <- h.Invoke(t.Context(), requestOf("quitter.look", ""), newRecorder()).Kind }()
	}
	count := map[pluginsdk.OutcomeKind]int{}
	for range 10 {
		count[<-kinds]++
	}
	if count[pluginsdk.OutcomeFailure] != 3 || count[pluginsdk.OutcomeNotRun] != 7 {
		t.Errorf("the outcomes are %v", count)
	}
}
