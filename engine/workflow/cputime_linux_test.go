package workflow_test

import (
	"syscall"
	"testing"
	"time"
)

// rusageThread asks for the figures of the calling thread; see getrusage(2).
const rusageThread = 1

// timeSpent is what this thread has had of a processor. What other processes
// do on a busy machine does not count.
func timeSpent(t testing.TB) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(rusageThread, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
