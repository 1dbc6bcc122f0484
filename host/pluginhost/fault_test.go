//go:build unix

package pluginhost

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vwmp/vwmp/host/pluginhost/internal/system"
	"github.com/vwmp/vwmp/pluginsdk"
)

// TestCase77 and those that follow hold what becomes of a step, and of the
// host, when a plugin misbehaves.
func TestCase77ACrashIsAnUnknownOutcomeOfThatPluginAlone(t *testing.T) {
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "good", "other")}})
	neighbour, stop := context.WithCancel(t.Context())
	defer stop()
	r, ended := newRecorder(), make(chan pluginsdk.Outcome, 1)
	go func() { ended <- h.Invoke(neighbour, requestOf("other.hang", ""), r) }()
	r.pid(t)
	for how, due := range map[string]string{"kill": "signal: killed", "panic": "all is lost"} {
		begin := time.Now()
		outcome, _ := h.call(t, "good.crash", how)
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("%s: it took %s to notice", how, took)
		}
		if message := mustFail(t, outcome, pluginsdk.OutcomeUnknown, "PLUGIN_CRASHED_ALONE"); !strings.Contains(message, due) {
			t.Errorf("%s: the message is %q", how, message)
		}
	}
	eventually(t, "the end is in the status", func() bool { return strings.Contains(h.status(t, "good").LastError, "ended by itself") })
	outcome, _ := h.call(t, "good.look", "")
	factsOf(t, outcome)
	select {
	case outcome := <-ended:
		t.Errorf("the neighbour ended too: %+v", outcome)
	default:
	}
	stop()
	if outcome := <-ended; outcome.Failure.Class != pluginsdk.FailureCancelled {
		t.Errorf("the neighbour gives %+v", outcome.Failure)
	}
}

func TestCase75AFloodIsDrainedAndOnlyCounted(t *testing.T) {
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "good")}})
	outcome, _ := h.call(t, "good.flood", "")
	factsOf(t, outcome)
	outcome, _ = h.call(t, "good.look", "")
	factsOf(t, outcome)
	h.mustClose(t)
	log := h.log.String()
	if lines := strings.Count(log, "line "); lines > 6*maxLinesPerSecond {
		t.Errorf("%d lines were logged", lines)
	}
	if !strings.Contains(log, "lines_dropped=") {
		t.Error("the log does not tell that lines were dropped")
	}
}

func TestALineThatPanicsGoPluginIsOnlyALine(t *testing.T) {
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "noisy")}})
	outcome, _ := h.call(t, "noisy.look", "")
	factsOf(t, outcome)
	h.mustClose(t)
	for _, due := range []string{`level=INFO msg="{\"@message\":1}"`, `level=ERROR msg="it hurts" plugin=noisy where=here`, "yyyy"} {
		if !strings.Contains(h.log.String(), due) {
			t.Errorf("the log lacks %q", due)
		}
	}
}

func TestCase79WhatAPluginLeavesEndsWithIt(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux lets one find a session's processes")
	}
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "good")}})
	outcome, r := h.call(t, "good.daemon", "")
	factsOf(t, outcome)
	left := []int{r.pid(t), r.pid(t)}
	// One that left the session can be found by a control group only. It
	// holds the pipes, and must not hold up the stop.
	gone := r.pid(t)
	if h.groups != nil {
		left = append(left, gone)
	} else {
		defer func() { _ = syscall.Kill(gone, syscall.SIGKILL) }()
	}
	begin := time.Now()
	h.mustClose(t)
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("the stop took %s", took)
	}
	for _, pid := range left {
		eventually(t, "what the plugin left is dead", func() bool { return !alive(pid) })
	}
}

func TestCase81AndOtherStartsThatFailAreExplained(t *testing.T) {
	tests := map[string]struct{ mode, due string }{
		"it never speaks":           {"silent", "not ready within 400ms"},
		"it ends":                   {"quitter", "it ended: exit status 7; it said: the licence has expired"},
		"it prints something else":  {"babbler", `it printed "Hello, I am a plugin"`},
		"it prints a line too long": {"longwinded", `it printed "xxxx`},
		"it speaks another version": {"future", "incompatible API version"},
		"it listens and is mute":    {"mute", "not ready within 400ms"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir, cache := pluginDir(t, test.mode), newMemoryCache()
			cache.pretend(t, dir, test.mode)
			limit := DefaultStartTimeout
			if strings.HasPrefix(test.due, "not ready within") {
				limit = 400 * time.Millisecond
			}
			h := newTestHost(t, Options{Dirs: []string{dir}, Store: cache, StartTimeout: limit})
			begin := time.Now()
			outcome, _ := h.call(t, test.mode+".look", "")
			if took := time.Since(begin); took > 3*time.Second {
				t.Errorf("it took %s", took)
			}
			message := mustFail(t, outcome, pluginsdk.OutcomeFailure, "PLUGIN_UNAVAILABLE")
			if outcome.Failure.Class != pluginsdk.FailureRetryable || !strings.Contains(message, test.due) {
				t.Errorf("got %+v", outcome.Failure)
			}
			if len(message) > 12<<10 {
				t.Errorf("the message has %d bytes", len(message))
			}
			if status := h.status(t, test.mode); status.State != stateFailed || status.LastError == "" || status.PID != 0 {
				t.Errorf("the status is %+v", status)
			}
		})
	}
}

func TestWhatCannotBeStartedIsExplained(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "vwmp-plugin-text"), "just a text\n", 0o755)
	write(t, filepath.Join(dir, "vwmp-plugin-lost"), "#!/no/such/shell\n", 0o755)
	h := newTestHost(t, Options{Dirs: []string{dir}})
	for name, due := range map[string]string{
		"text": "its first bytes are those of no program", "lost": `it is a script of "/no/such/shell"`,
	} {
		status := h.status(t, name)
		if status.State != StateRefused || !strings.Contains(status.LastError, due) || !strings.Contains(status.LastError, "-rwxr-xr-x") {
			t.Errorf("%s: %s: %s", name, status.State, status.LastError)
		}
	}
}

func TestCase85ABrokenProtocolIsNeverASuccess(t *testing.T) {
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "rude")}})
	for handler, due := range map[string]string{
		"rude.nothing": "without saying how", "rude.twice": "went on after the end", "rude.exit": "exit status 3",
	} {
		outcome, _ := h.call(t, handler, "")
		if outcome.Kind != pluginsdk.OutcomeUnknown || !strings.Contains(outcome.Failure.Message, due) {
			t.Errorf("%s gives %s %+v", handler, outcome.Kind, outcome.Failure)
		}
	}
}

func TestCase87AStepThatIgnoresItsCancelIsEndedWithItsProcess(t *testing.T) {
	for name, frozen := range map[string]bool{"it goes on": false, "it is stopped": true} {
		t.Run(name, func(t *testing.T) {
			h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "good")}})
			neighbour, other := make(chan pluginsdk.Outcome, 1), newRecorder()
			go func() { neighbour <- h.Invoke(t.Context(), requestOf("good.hang", ""), other) }()
			other.pid(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended, r := make(chan pluginsdk.Outcome, 1), newRecorder()
			go func() { ended <- h.Invoke(ctx, requestOf("good.ignore", ""), r) }()
			pid := r.pid(t)
			if frozen {
				freeze(t, pid)
			}
			cancel()
			outcome := <-ended
			if alive(pid) {
				t.Error("the process lives although its call is over")
			}
			if message := mustFail(t, outcome, pluginsdk.OutcomeUnknown, "CANCEL_IGNORED"); !strings.Contains(message, "its process was killed") {
				t.Errorf("the message is %q", message)
			}
			message := mustFail(t, <-neighbour, pluginsdk.OutcomeUnknown, "OUTCOME_UNKNOWN")
			if !strings.Contains(message, "the step s1 did not end when it was cancelled") {
				t.Errorf("the neighbour is told %q", message)
			}
			again, _ := h.call(t, "good.look", "")
			factsOf(t, again)
		})
	}
}

// freeze stops a process as a whole, as a debugger would.
func freeze(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
}

func TestAProcessThatHeedsNothingIsKilledByTheLadder(t *testing.T) {
	tests := map[string]struct {
		plugin string
		frozen bool
	}{
		"it ignores every signal it can": {"deaf", false},
		"it is stopped":                  {"good", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := newTestHost(t, Options{Dirs: []string{pluginDir(t, test.plugin)}})
			ended, r := make(chan pluginsdk.Outcome, 1), newRecorder()
			go func() { ended <- h.Invoke(t.Context(), requestOf(test.plugin+".ignore", ""), r) }()
			pid := r.pid(t)
			if test.frozen {
				freeze(t, pid)
			}
			begin := time.Now()
			h.mustClose(t)
			if took := time.Since(begin); took > quick.stop.kill+time.Second {
				t.Errorf("the stop took %s", took)
			}
			if alive(pid) {
				t.Error("the process lives")
			}
			if outcome := <-ended; outcome.Kind != pluginsdk.OutcomeUnknown {
				t.Errorf("the call gives %+v", outcome)
			}
		})
	}
}

func TestNoPluginOutlivesAHostThatIsKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the parent-death signal is Linux's; others have the lifeline, which package serve tests")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := shortTempDir(t)
	cmd := exec.Command(self, asFlag+"host", pluginDir(t, "good", "deaf", "noisy"), run)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for lines := bufio.NewScanner(stdout); len(pids) < 3 && lines.Scan(); {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatalf("the host says %q", lines.Text())
		}
		pids = append(pids, pid)
	}
	if len(pids) != 3 {
		t.Fatalf("the host has started %v", pids)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the host was not killed")
	}
	for _, pid := range pids {
		eventually(t, "the plugin has ended with its host", func() bool { return !alive(pid) })
	}
	// What it left on disk is swept by the next host.
	next := newTestHost(t, Options{RunDir: run})
	next.mustLeaveNothing(t)
}

func TestAProcessThatWasLeftIsSweptAndARecycledPidIsNot(t *testing.T) {
	if system.StartTime(os.Getpid()) == "" {
		t.Skip("this system does not tell when a process started")
	}
	run := shortTempDir(t)
	registry := filepath.Join(run, "processes")
	start := func() *exec.Cmd {
		cmd := exec.Command("sleep", "600")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	left, stranger := start(), start()
	defer func() {
		_ = stranger.Process.Kill()
		_ = stranger.Wait()
	}()
	write(t, filepath.Join(registry, "0"), "garbage", 0o600)
	write(t, filepath.Join(registry, strconv.Itoa(left.Process.Pid)),
		`{"pid":`+strconv.Itoa(left.Process.Pid)+`,"started":"`+system.StartTime(left.Process.Pid)+`"}`, 0o600)
	write(t, filepath.Join(registry, strconv.Itoa(stranger.Process.Pid)),
		`{"pid":`+strconv.Itoa(stranger.Process.Pid)+`,"started":"`+system.StartTime(left.Process.Pid)+`1"}`, 0o600)
	next := newTestHost(t, Options{RunDir: run})
	if err := left.Wait(); err == nil {
		t.Error("the process that was left was not killed")
	}
	if !alive(stranger.Process.Pid) {
		t.Error("a stranger was killed")
	}
	next.mustLeaveNothing(t)
}
