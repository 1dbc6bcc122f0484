//go:build unix

package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// supported: plugins listen on Unix sockets here.
const supported = true

// newSession makes a process the leader of a session, as a host does.
func newSession(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// endSession kills a process with all that is in its session.
func endSession(pid int) {
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	for _, other := range inSession(pid) {
		_ = syscall.Kill(other, syscall.SIGKILL)
	}
}

// terminate asks a process and its group to end.
func terminate(pid int) { _ = syscall.Kill(-pid, syscall.SIGTERM) }

// inSession lists what lives in the session of a process beside it; nothing
// where the system does not say.
func inSession(leader int) []int {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	var found []int
	for _, path := range stats {
		lines := readLines(path)
		if len(lines) == 0 {
			continue
		}
		// "pid (name) state parent group session …"; a name may have spaces.
		fields := strings.Fields(lines[0][strings.LastIndexByte(lines[0], ')')+1:])
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && pid != leader && len(fields) > 3 && fields[3] == strconv.Itoa(leader) && fields[0] != "Z" {
			found = append(found, pid)
		}
	}
	return found
}

// holdings counts the open files and the threads of a process; 0 where the
// system does not say.
func holdings(pid int) (files, threads int) {
	entries, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/fd")
	if err != nil {
		return 0, 0
	}
	tasks, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	if err != nil {
		return 0, 0
	}
	return len(entries), len(tasks)
}
