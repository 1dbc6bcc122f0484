package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// policyOf is the scheduling policy of a thread, field 41 of its stat file.
func policyOf(t *testing.T, stat string) string {
	t.Helper()
	raw, err := os.ReadFile(stat)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	return strings.Fields(rest)[41-3]
}

func TestTheThreadsOfAServerLetTheOneThatWorksRunOn(t *testing.T) {
	t.Parallel()
	r := startRunning(t, t.TempDir(), demoRepository(t))
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", r.cmd.Process.Pid))
	if err != nil || len(threads) < 3 {
		t.Fatalf("it has the threads %v: %v", threads, err)
	}
	for _, thread := range threads {
		if policy := policyOf(t, thread); policy != strconv.Itoa(schedBatch) {
			t.Errorf("%s has the policy %s", thread, policy)
		}
	}
}

func TestAPolicyThatSomebodyGaveStands(t *testing.T) {
	t.Parallel()
	// The thread ends with the goroutine, as it is not unlocked.
	runtime.LockOSThread()
	const idle = 5
	if err := unix.SchedSetAttr(0, &unix.SchedAttr{Policy: idle}, 0); err != nil {
		t.Fatal(err)
	}
	id := strconv.Itoa(unix.Gettid())
	if err := giveBatchPolicy(id); err != nil {
		t.Fatal(err)
	}
	if policy := policyOf(t, "/proc/self/task/"+id+"/stat"); policy != strconv.Itoa(idle) {
		t.Errorf("it has the policy %s", policy)
	}
}
