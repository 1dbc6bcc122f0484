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
		if err != nil {
			continue
		}
		if len(environment) == 0 && isBecoming(folder) {
			found = true
			continue
		}
		if !bytes.Contains(append(environment, 0), []byte(mark+"\x00")) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(folder)); err == nil && pid != os.Getpid() {
			found = syscall.Kill(pid, syscall.SIGKILL) == nil || found
		}
	}
	return found
}

// isBecoming tells a process in the middle of an exec, whose environment can't
// be read yet, from one that has none: a kernel thread, what waits to be
// reaped, or a program that was given none.
func isBecoming(folder string) bool {
	stat, err := os.ReadFile(filepath.Join(folder, "stat")) //nolint:gosec // A file of the kernel.
	if err != nil {
		return false
	}
	// The name in brackets may hold blanks; what follows it is proc(5)'s field 3.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const size, environmentEnd = 23 - 3, 51 - 3
	return len(fields) > environmentEnd && string(fields[size]) != "0" && string(fields[environmentEnd]) == "0"
}
