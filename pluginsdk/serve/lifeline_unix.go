//go:build unix

package serve

import (
	"os"
	"syscall"
)

// closeOnExec keeps a descriptor from the commands that handlers run.
func closeOnExec(descriptor uintptr) { syscall.CloseOnExec(int(descriptor)) }

// killOwnGroup ends the process with all that it left running. A process that
// does not lead its group shares it with others, which are not its own.
func killOwnGroup() {
	if syscall.Getpgrp() == os.Getpid() {
		_ = syscall.Kill(0, syscall.SIGKILL)
	}
}
