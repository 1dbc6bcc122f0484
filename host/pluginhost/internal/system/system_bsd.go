//go:build unix && !linux && !darwin

package system

import (
	"os/exec"
	"syscall"
)

func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// killSession does nothing: the group is all that can be found here.
func killSession(int) {}

// StartTime is not told here, so that no process is ever swept.
func StartTime(int) string { return "" }
