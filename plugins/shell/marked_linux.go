package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// killMarked kills the processes that have a variable in their environment:
// those that left their group or session too. What starts others while it is
// killed is met again, for at most two seconds.
func killMarked(mark string) {
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline); {
		if !killOnce(mark) {
			return
		}
	}
}

func killOnce(mark string) (found bool) {
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return false
	}
	for _, folder := range folders {
		// Processes of others, and those that are gone, can't be read.
		environment, err := os.ReadFile(filepath.Join(folder, "environ")) //nolint:gosec // A file of the kernel.
		if err != nil || !bytes.Contains(append(environment, 0), []byte(mark+"\x00")) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(folder)); err == nil && pid != os.Getpid() {
			found = syscall.Kill(pid, syscall.SIGKILL) == nil || found
		}
	}
	return found
}
