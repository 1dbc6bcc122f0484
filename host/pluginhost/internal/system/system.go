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
	// stamps are what its fence was made of.
	stamps []stamp
}

// stamp is how a path looked when a fence was made.
type stamp struct {
	path string
	look func(path string) string
	was  string
}

// Outdated reports whether the files have changed that the process's fence was
// made of: it knows files and folders themselves and not their names, and so
// would keep the process from those that came since. Only another process gets
// another fence.
func (c *Child) Outdated() bool {
	for _, s := range c.stamps {
		if s.look(s.path) != s.was {
			return true
		}
	}
	return false
}

// Reap takes the process away, after Exited, and says how it ended.
func (c *Child) Reap() (*os.ProcessState, error) {
	if !c.reaped {
		c.reaped = true
		c.state, c.err = c.cmd.Process.Wait()
	}
	return c.state, c.err
}
