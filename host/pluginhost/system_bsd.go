//go:build unix && !linux && !darwin

package pluginhost

import (
	"os/exec"
	"syscall"
)

func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// killSession does nothing: the group is all that can be found here.
func killSession(int) {}

// startTime is not told here, so that no process is ever swept.
func startTime(int) string { return "" }
