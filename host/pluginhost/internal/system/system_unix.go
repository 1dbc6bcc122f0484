//go:build unix

package system

import (
	"os"
	"os/exec"
	"syscall"
)

// GiveLifeline hands a pipe's end to a process that is about to be started;
// it has it as file descriptor 3. It reports whether the system can.
func GiveLifeline(cmd *exec.Cmd, end *os.File) bool {
	cmd.ExtraFiles = []*os.File{end}
	return true
}

// Group is a process and what it started.
type Group struct{ pid int }

// GroupOf returns the group of a process that Start started.
func GroupOf(pid int) (Group, error) { return Group{pid}, nil }

// Signals may find nobody left, which is what they are for.

// Terminate asks the group to end.
func (g Group) Terminate() { _ = syscall.Kill(-g.pid, syscall.SIGTERM) }

// Kill ends the group and all else that is in its session.
func (g Group) Kill() {
	_ = syscall.Kill(-g.pid, syscall.SIGKILL)
	killSession(g.pid)
}

// Close lets go of the group.
func (Group) Close() {}

// KillLeft kills a process that an earlier host left.
func KillLeft(pid int) { Group{pid}.Kill() }
