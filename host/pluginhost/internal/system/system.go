// Package system is what a plugin's process is to the operating system: how
// it is started so that it ends with its host, how it and all that it started
// are found and ended, and what the kernel says of it. It knows nothing of
// plugins.
package system

import (
	"os"
	"os/exec"
)

// Child is a process that Start started.
type Child struct {
	Pid int
	// Exited is closed when the process has ended. Where the system allows
	// it, it is not reaped yet: its pid stays taken until Reap.
	Exited <-chan struct{}

	cmd   *exec.Cmd
	state *os.ProcessState
	err   error
	// reaped: the wait for the end has reaped the process already.
	reaped bool
}

// Reap takes the process away, after Exited, and says how it ended.
func (c *Child) Reap() (*os.ProcessState, error) {
	if !c.reaped {
		c.reaped = true
		c.state, c.err = c.cmd.Process.Wait()
	}
	return c.state, c.err
}
