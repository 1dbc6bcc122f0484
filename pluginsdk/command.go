package pluginsdk

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"time"
)

// commandGrace is how long a command may clean up after it was asked to end.
const commandGrace = 3 * time.Second

// RunCommand starts cmd in a process group of its own and waits for it. When
// ctx ends, the whole group is asked to end and, 3 s later, killed; what the
// command left running in its group is killed when it ends by itself too. The
// error is ctx's cause where ctx ended the command, else that of exec.Cmd.
//
// Make cmd with exec.Command, not exec.CommandContext. It inherits the
// environment that the host gave the plugin.
func RunCommand(ctx context.Context, cmd *exec.Cmd) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	// Linux ties a command's life to the thread that started it (see
	// endWithParent); this one stays until the command has ended.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	prepareGroup(cmd)
	// A grandchild may hold the pipes open after the command itself ended.
	cmd.WaitDelay = commandGrace
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	ended := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-ended:
			return
		case <-ctx.Done():
		}
		terminateGroup(cmd)
		select {
		case <-ended:
		case <-time.After(commandGrace):
			killGroup(cmd)
		}
	}()
	err := cmd.Wait()
	// The leader is reaped, but its group lives as long as a member does.
	killGroup(cmd)
	close(ended)
	<-stopped
	if err != nil && ctx.Err() != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	return err
}
