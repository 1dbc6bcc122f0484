//go:build unix

package pluginhost

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vwmp/vwmp/host/pluginhost/internal/system"
	"github.com/vwmp/vwmp/pluginsdk"
)

// nobody is the number of a process that no system gives.
const nobody = 1 << 30

// A process that survives even a kill, as one does that waits for a dead disk,
// holds up neither its step nor the stop of the host for ever, and the host
// says which process it is. Here the host's signals go astray, and the process
// is stopped so that it hears no wish either.
func TestAProcessThatCantBeKilledIsGivenUp(t *testing.T) {
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "deaf")}})
	h.limits.stop = ladder{
		cancel: 20 * time.Millisecond, shutDown: 40 * time.Millisecond, terminate: 60 * time.Millisecond,
		kill: 80 * time.Millisecond, giveUp: 400 * time.Millisecond,
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, ended := newRecorder(), make(chan pluginsdk.Outcome, 1)
	go func() { ended <- h.Invoke(ctx, requestOf("deaf.ignore", ""), r) }()
	pid := r.pid(t)
	e, err := h.find(t.Context(), "deaf.ignore")
	if err != nil {
		t.Fatal(err)
	}
	p, done, err := e.instance.acquire(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	done(pluginsdk.OutcomeSuccess)
	cgroup := p.runner.cgroup
	aim := func(at int, in *system.Cgroup) {
		group, err := system.GroupOf(at)
		if err != nil {
			t.Fatal(err)
		}
		p.runner.mu.Lock()
		defer p.runner.mu.Unlock()
		p.runner.group, p.runner.cgroup = group, in
	}
	aim(nobody, nil)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	cancel()
	message := mustFail(t, <-ended, pluginsdk.OutcomeUnknown, "CANCEL_IGNORED")
	if !strings.Contains(message, "can't be killed") {
		t.Errorf("the step's message is %q", message)
	}
	limit, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	if err := h.Close(limit); err == nil || !strings.Contains(err.Error(), "can't be killed") {
		t.Errorf("closing the host with a process that can't be killed: %v", err)
	}
	if !alive(pid) {
		t.Error("the process is gone, so that this test shows nothing")
	}
	if text := h.log.String(); !strings.Contains(text, "can't be killed") || !strings.Contains(text, "pid=") {
		t.Errorf("the log does not name the process:\n%s", text)
	}
	aim(pid, cgroup)
	p.runner.kill("the test is over")
	if !p.awaitGone(patience) {
		t.Error("the process is still there")
	}
}
