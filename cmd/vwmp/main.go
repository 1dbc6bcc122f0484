// Command vwmp is the whole platform in one binary: the server, the headless
// runner and the client of a running server.
//
// It is the only place where engine, store, plugin host and web host meet;
// see stack.go. Each command has a file of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes, as every command uses them.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitMissing = 3
	exitRefused = 4
	// exitInterrupted follows Ctrl-C, as shells have it.
	exitInterrupted = 130
	// exitStore: the store can't be trusted to keep anything any more.
	exitStore = 70
)

// exitError ends the process with a code. A nil cause was told already.
type exitError struct {
	code  int
	cause error
}

func (e *exitError) Error() string {
	if e.cause == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.cause.Error()
}

func (e *exitError) Unwrap() error { return e.cause }

func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var exit *exitError
	if errors.As(err, &exit) {
		if exit.cause != nil {
			// What is around it says what it is about, such as which file.
			fmt.Fprintf(stderr, "vwmp: %v\n", err)
		}
		return exit.code
	}
	fmt.Fprintf(stderr, "vwmp: %v\n", err)
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "vwmp",
		Short: "Build, run and watch workflows",
		Long: `vwmp builds, runs and watches workflows: graphs of steps whose work is done by plugins.

Start the server with "vwmp serve", or run a workflow file without one with "vwmp run".`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError("%w; see \"%s --help\"", err, cmd.CommandPath())
	})
	root.AddCommand(
		newServe(), newRun(), newTest(), newValidate(), newWorkflow(), newExecute(), newExecution(), newTrigger(),
		newHandler(), newPlugin(), newSecret(), newUser(), newToken(), newAudit(), newVersion(), newDoctor(), newDemo(), newOpen(),
		newBackup(), newRestore(), newCompact(),
	)
	for _, command := range root.Commands() {
		usageErrors(command)
	}
	return root
}

// usageErrors gives wrong arguments the exit code of wrong usage.
func usageErrors(command *cobra.Command) {
	if check := command.Args; check != nil {
		command.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError("%w; see \"%s --help\"", err, cmd.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range command.Commands() {
		usageErrors(sub)
	}
}
