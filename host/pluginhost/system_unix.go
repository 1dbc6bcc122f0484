//go:build unix

package pluginhost

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
)

func giveLifeline(cmd *exec.Cmd, end *os.File) bool {
	cmd.ExtraFiles = []*os.File{end}
	return true
}

// group is a process and what it started.
type group struct{ pid int }

// joinGroup returns the group of a process that the spawner started.
func joinGroup(process *os.Process) (group, error) { return group{process.Pid}, nil }

// Signals may find nobody left, which is what they are for.

func (g group) terminate() { _ = syscall.Kill(-g.pid, syscall.SIGTERM) }

func (g group) kill() {
	_ = syscall.Kill(-g.pid, syscall.SIGKILL)
	killSession(g.pid)
}

func (group) close() {}

// killLeft kills a process that an earlier host left.
func killLeft(pid int) { group{pid}.kill() }

// checkOwner refuses a file that somebody else could have put there.
func checkOwner(info fs.FileInfo) error {
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others than its owner may write it (mode %s); take that right away", info.Mode())
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if ok && stat.Uid != 0 && int(stat.Uid) != os.Getuid() {
		return errors.New("it belongs to another user than root or the one this server runs as")
	}
	return nil
}

// checkProgram is checkOwner for a file that is to be started.
func checkProgram(info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return errors.New("it is not a regular file")
	}
	if err := checkOwner(info); err != nil {
		return err
	}
	if info.Mode().Perm()&0o111 == 0 {
		return fmt.Errorf("it is not executable (mode %s)", info.Mode())
	}
	return nil
}
