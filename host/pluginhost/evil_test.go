//go:build unix && long

package pluginhost

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

// evilLimits end what hangs soon.
func evilLimits() limits {
	l := hasty()
	l.healthEvery, l.healthLimit = 60*time.Millisecond, 300*time.Millisecond
	l.circuitExits, l.memoryEvery = 100, 5*time.Millisecond
	return l
}

// evilHost is a host with the evil plugin and a good one beside it, which sees
// that everything is back to its base afterwards.
func evilHost(t *testing.T, mode string, known bool) *testHost {
	t.Helper()
	dir := pluginDir(t, mode, "good")
	options := Options{Dirs: []string{dir}, Limits: func(string) Limits { return Limits{OpenFiles: 256, FileSize: 8 << 20, Memory: 512 << 20} }}
	l := evilLimits()
	if !known {
		l.describe, options.StartTimeout = 3*time.Second, 3*time.Second
	}
	return newEvilHost(t, options, l)
}

func newEvilHost(t *testing.T, options Options, l limits) *testHost {
	t.Helper()
	goroutines := runtime.NumGoroutine()
	var h *testHost
	t.Cleanup(func() {
		eventually(t, "the goroutines are back to their base", func() bool { return runtime.NumGoroutine() <= goroutines })
		if h != nil && h.groups != nil {
			if left := h.groups.Left(); len(left) > 0 {
				t.Errorf("left are the groups %v", left)
			}
		}
		if left := children(t); len(left) > 0 {
			t.Errorf("left are the processes %v", left)
		}
	})
	h = newTestHostWith(t, options, l)
	return h
}

// children lists the processes whose parent this one is.
func children(t *testing.T) (list []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil // Not a Linux.
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		raw, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "stat"))
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(raw), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) {
			list = append(list, pid)
		}
	}
	return list
}

// beside sees that the good plugin is well.
func (h *testHost) beside(t *testing.T) {
	t.Helper()
	outcome, _ := h.call(t, "good.echo", "x")
	factsOf(t, outcome)
}

// TestEvilStarts: whatever a plugin does at its start, it is only refused, and
// the reason says what it did.
func TestEvilStarts(t *testing.T) {
	for name, test := range map[string]struct{ mode, due string }{
		"Case81 ends at once":                       {"evil-empty", "it ended"},
		"Case81 prints empty lines":                 {"evil-blank", "before it said where it listens"},
		"Case75 prints bytes that are no text":      {"evil-binary", "where a plugin says where it listens"},
		"Case75 prints a line without an end":       {"evil-endless", "it was not"},
		"Case81 prints half a line":                 {"evil-half", "it was not"},
		"Case81 listens at no place":                {"evil-elsewhere", ""},
		"Case81 listens on a foreign port":          {"evil-network", ""},
		"Case85 speaks another protocol":            {"evil-netrpc", ""},
		"Case81 ends after its first line":          {"evil-dies", "exit status 5"},
		"Case81 takes connections and says nothing": {"evil-mutesocket", "it was not"},
		"Case85 answers with garbage":               {"evil-garbagesocket", ""},
		"Case81 closes its standard output":         {"evil-nostdout", "closed its standard output"},
		"Case91 has no name":                        {"evil-nameless", "calls itself"},
		"Case91 has a path for a name":              {"evil-path", "calls itself"},
		"Case91 takes the name of the built-ins":    {"evil-flow", "taken by the built-in"},
		"Case91 takes another plugin's handler":     {"evil-foreign", "does not begin with the plugin's name"},
		"Case91 declares a handler twice":           {"evil-twins", "declared twice"},
		"Case85 has a schema that is no JSON":       {"evil-schema", "is not JSON"},
		"Case85 has a schema that is too large":     {"evil-large", "larger than 256 KiB"},
		"Case85 describes itself without end":       {"evil-huge", "larger than max"},
		"Case81 never describes itself":             {"evil-describehangs", "did not answer in time"},
		"Case77 panics when it describes itself":    {"evil-describepanics", ""},
		"Case85 fails to describe itself":           {"evil-describefails", "no description for you"},
	} {
		t.Run(name, func(t *testing.T) {
			h := evilHost(t, test.mode, false)
			var found []Status
			for _, status := range h.Plugins() {
				if status.State == StateRefused {
					found = append(found, status)
				}
			}
			if len(found) != 1 || !strings.Contains(found[0].Reason, test.due) || len(found[0].Reason) > 12<<10 {
				t.Errorf("refused are %+v, and %q is due", found, test.due)
			}
			if _, offered := h.Handler("evil.good"); offered {
				t.Error("its handlers are offered")
			}
			h.beside(t)
		})
	}
}

// TestEvilButGood: what is odd and no harm is let be.
func TestEvilButGood(t *testing.T) {
	for name, mode := range map[string]string{
		"Case81 starts slowly":                          "evil-slow",
		"Case75 floods standard error before it serves": "evil-noisy",
		"Case79 heeds no signal":                        "evil-deaf",
	} {
		t.Run(name, func(t *testing.T) {
			h := evilHost(t, mode, true)
			outcome, _ := h.call(t, "evil.good", "")
			if outcome.Kind != pluginsdk.OutcomeSuccess {
				t.Errorf("a call gives %+v %+v", outcome, outcome.Failure)
			}
		})
	}
}

// evilOutcome is what a call of the evil plugin must come to.
type evilOutcome struct {
	kind pluginsdk.OutcomeKind
	code string
	due  string
	// dies: its process is gone afterwards.
	dies bool
}

// TestEvilCalls: whatever a call does, its outcome is right, and the next call
// and the other plugin are well.
func TestEvilCalls(t *testing.T) {
	unknown, success, failure := pluginsdk.OutcomeUnknown, pluginsdk.OutcomeSuccess, pluginsdk.OutcomeFailure
	const alone = "PLUGIN_CRASHED_ALONE"
	for name, test := range map[string]struct {
		handler string
		evilOutcome
	}{
		"Case85 has no end":                                 {"nothing", evilOutcome{unknown, "OUTCOME_UNKNOWN", "without saying how", false}},
		"Case85 ends twice":                                 {"twice", evilOutcome{unknown, "PLUGIN_PROTOCOL", "went on after the end", false}},
		"Case85 goes on after its end":                      {"after", evilOutcome{unknown, "PLUGIN_PROTOCOL", "went on after the end", false}},
		"Case85 has an output that is no JSON":              {"notjson", evilOutcome{unknown, "PLUGIN_PROTOCOL", "", false}},
		"Case85 has an undo token that is no JSON":          {"badtoken", evilOutcome{unknown, "PLUGIN_PROTOCOL", "", false}},
		"Case85 has a checkpoint that is no JSON":           {"badcheckpoint", evilOutcome{unknown, "PLUGIN_PROTOCOL", "", false}},
		"Case85 has a checkpoint that is too large":         {"hugecheckpoint", evilOutcome{unknown, "PLUGIN_PROTOCOL", "", false}},
		"Case85 has an output that is too large":            {"hugeoutput", evilOutcome{failure, "", "", false}},
		"Case85 sends an event of no kind":                  {"emptyevent", evilOutcome{success, "", "", false}},
		"Case85 fails without a word":                       {"emptyfailure", evilOutcome{failure, "", "", false}},
		"Case85 speaks the host's own words":                {"claimsrest", evilOutcome{failure, "PLUGIN_NOT_READY", "", false}},
		"Case75 logs what is no text":                       {"binarylog", evilOutcome{success, "", "", false}},
		"Case75 logs fifty thousand lines":                  {"manylogs", evilOutcome{success, "", "", false}},
		"Case75 floods its standard output":                 {"floods", evilOutcome{success, "", "", false}},
		"Case85 says that it is not available":              {"unavailable", evilOutcome{unknown, "OUTCOME_UNKNOWN", "", false}},
		"Case85 refuses with a status":                      {"refuses", evilOutcome{failure, "", "not today", false}},
		"Case77 panics in the call":                         {"panics", evilOutcome{unknown, alone, "", true}},
		"Case77 panics beside the call":                     {"panicsaside", evilOutcome{unknown, alone, "beside a call", true}},
		"Case77 exits":                                      {"exits", evilOutcome{unknown, alone, "exit status 3", true}},
		"Case77 exits as if all were well":                  {"exitswell", evilOutcome{unknown, alone, "exit status 0", true}},
		"Case77 exits after it said how it ended":           {"resultandexit", evilOutcome{success, "", "", true}},
		"Case77 kills itself":                               {"kills", evilOutcome{unknown, alone, "signal: killed", true}},
		"Case77 is broken off by the kernel":                {"segfault", evilOutcome{unknown, alone, "", true}},
		"Case87 stops itself":                               {"stops", evilOutcome{unknown, alone, "health probes", true}},
		"Case77 closes its socket":                          {"closes", evilOutcome{unknown, "", "", false}},
		"Case85 leaves its stream open after its end":       {"leaveopen", evilOutcome{success, "", "", false}},
		"Case79 starts twenty processes":                    {"children", evilOutcome{success, "", "", false}},
		"Case79 leaves a daemon in a session of its own":    {"daemon", evilOutcome{success, "", "", false}},
		"Case77 eats memory without end":                    {"eats", evilOutcome{unknown, alone, "memory", true}},
		"Case61 writes a file without end":                  {"fills", evilOutcome{success, "", "", false}},
		"Case89 closes its standard files and its lifeline": {"closesall", evilOutcome{success, "", "", false}},
		"Case79 removes its sockets":                        {"unlinks", evilOutcome{success, "", "", false}},
		"Case89 opens files without end":                    {"files", evilOutcome{success, "", "", false}},
		"Case93 is silent for many health probes":           {"silence", evilOutcome{success, "", "", false}},
	} {
		t.Run(name, func(t *testing.T) {
			h := evilHost(t, "evil", true)
			r := newRecorder()
			r.lines = make(chan string, 60000)
			outcome := h.Invoke(t.Context(), requestOf("evil."+test.handler, ""), r)
			code, message := "", ""
			if outcome.Failure != nil {
				code, message = outcome.Failure.Code, outcome.Failure.Message
			}
			if outcome.Kind != test.kind || test.code != "" && code != test.code || !strings.Contains(message, test.due) {
				t.Errorf("the outcome is %s %s %q, and %+v is due", outcome.Kind, code, message, test.evilOutcome)
			}
			if test.dies {
				eventually(t, "the process is gone", func() bool { return h.status(t, "evil").PID == 0 })
			}
			again, _ := h.call(t, "evil.good", "")
			if again.Kind != pluginsdk.OutcomeSuccess {
				t.Errorf("the next call gives %+v %+v", again, again.Failure)
			}
			h.beside(t)
			checkEvil(t, h, test.handler, outcome, r)
		})
	}
}

// checkEvil sees what some modes leave.
func checkEvil(t *testing.T, h *testHost, handler string, outcome pluginsdk.Outcome, r *recorder) {
	t.Helper()
	switch handler {
	case "children":
		h.mustClose(t)
		for range 20 {
			pid := r.pid(t)
			eventually(t, "what it started is dead", func() bool { return !alive(pid) })
		}
	case "daemon":
		pid := r.pid(t)
		h.mustClose(t)
		if h.groups == nil {
			// Only a control group finds it.
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		eventually(t, "the daemon is dead", func() bool { return !alive(pid) })
	case "fills":
		var size int64
		if err := json.Unmarshal(outcome.Output, &size); err != nil || runtime.GOOS == "linux" && size > 8<<20 {
			t.Errorf("it wrote %d bytes: %v", size, err)
		}
	case "files":
		var opened int
		if err := json.Unmarshal(outcome.Output, &opened); err != nil || runtime.GOOS == "linux" && opened >= 256 {
			t.Errorf("it opened %d files: %v", opened, err)
		}
	case "manylogs":
		if n := len(r.lines); n != 50000 {
			t.Errorf("%d lines arrived", n)
		}
	}
}

// TestEvilIgnoresItsCancel: Cancel never returns, and the step never ends.
func TestEvilCase87IgnoresItsCancel(t *testing.T) {
	h := evilHost(t, "evil", true)
	ctx, cancel := context.WithCancel(t.Context())
	ended, r := make(chan pluginsdk.Outcome, 1), newRecorder()
	go func() { ended <- h.Invoke(ctx, requestOf("evil.hangs", ""), r) }()
	pid := r.pid(t)
	cancel()
	mustFail(t, <-ended, pluginsdk.OutcomeUnknown, "CANCEL_IGNORED")
	if alive(pid) {
		t.Error("the process lives although its call is over")
	}
	h.beside(t)
}

// TestEvilQuestions: a question that has no effects can't hang or break more
// than itself.
func TestEvilQuestions(t *testing.T) {
	h := evilHost(t, "evil", true)
	begin := time.Now()
	if _, err := h.ValidateConfig(t.Context(), "evil.good", json.RawMessage(`{}`)); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > patience {
		t.Errorf("a validation that hangs gives %v after %s", err, time.Since(begin))
	}
	if _, err := h.Reconcile(t.Context(), requestOf("evil.good", ""), ""); err == nil || !strings.Contains(err.Error(), "ask somebody else") {
		t.Errorf("a reconcile that fails gives %v", err)
	}
	if _, err := h.Plan(t.Context(), requestOf("evil.good", "")); err == nil {
		t.Error("a plan whose process ends is no error")
	}
	if outcome := h.Undo(t.Context(), requestOf("evil.good", ""), json.RawMessage(`1`), newRecorder()); outcome.Kind != pluginsdk.OutcomeUnknown {
		t.Errorf("an undo without an end gives %+v", outcome)
	}
	h.beside(t)
}

// TestEvilCase83IsReplacedWhileItRuns: the call goes on where it began.
func TestEvilCase83IsReplacedWhileItRuns(t *testing.T) {
	dir := dirWith(t, "evil")
	h := newEvilHost(t, Options{Dirs: []string{dir}, Watch: true, CopyDir: t.TempDir()}, evilLimits())
	ended, r := make(chan pluginsdk.Outcome, 1), newRecorder()
	go func() { ended <- h.Invoke(t.Context(), requestOf("evil.silence", ""), r) }()
	r.pid(t)
	write(t, filepath.Join(dir, "evil", "plugin.yaml"), "command: /bin/false\n", 0o644)
	h.awaitHeld(t, "evil", HeldBroken)
	if outcome := <-ended; outcome.Kind != pluginsdk.OutcomeSuccess {
		t.Errorf("the call gives %+v %+v", outcome, outcome.Failure)
	}
}

// TestEvilCase83IsDeletedWhileItRuns: the call goes on, and the next one finds
// no handler.
func TestEvilCase83IsDeletedWhileItRuns(t *testing.T) {
	dir := dirWith(t, "evil")
	h := newEvilHost(t, Options{Dirs: []string{dir}, Watch: true, CopyDir: t.TempDir()}, evilLimits())
	ended, r := make(chan pluginsdk.Outcome, 1), newRecorder()
	go func() { ended <- h.Invoke(t.Context(), requestOf("evil.silence", ""), r) }()
	pid := r.pid(t)
	if err := os.RemoveAll(filepath.Join(dir, "evil")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its handlers are gone", func() bool { _, offered := h.Handler("evil.good"); return !offered })
	if outcome := <-ended; outcome.Kind != pluginsdk.OutcomeSuccess {
		t.Errorf("the call gives %+v %+v", outcome, outcome.Failure)
	}
	eventually(t, "its process is gone", func() bool { return !alive(pid) })
}
