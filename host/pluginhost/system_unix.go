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

// Signals may find nobody left, which is what they are for.

func terminateGroup(process *os.Process) { _ = syscall.Kill(-process.Pid, syscall.SIGTERM) }

func killGroup(process *os.Process) { _ = syscall.Kill(-process.Pid, syscall.SIGKILL) }

// checkMode refuses a file that somebody else could have put there.
func checkMode(info fs.FileInfo) error {
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others than its owner may write it (mode %s); take that right away", info.Mode())
	}
	if info.Mode().Perm()&0o111 == 0 {
		return fmt.Errorf("it is not executable (mode %s)", info.Mode())
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if ok && stat.Uid != 0 && int(stat.Uid) != os.Getuid() {
		return errors.New("it belongs to another user than root or the one this server runs as")
	}
	return nil
}
