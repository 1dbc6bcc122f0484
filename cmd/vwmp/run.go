package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/host"
	"github.com/vwmp/vwmp/store"
	"github.com/vwmp/vwmp/store/memory"
)

// runGrace is how long running steps may clean up after Ctrl-C.
const runGrace = 20 * time.Second

type runFlags struct {
	parameters parameterFlags
	output     string
	data       string
	skips      []string
	approvals  []string
	signals    []string
	dryRun     bool
	secrets    string
	record     string
	// workflowID stands in the place of the one that the file's name gives.
	workflowID string

	// tape plays a recording in the place of the plugins, or makes one.
	tape tape
}

// runBy names whoever runs a workflow without a server.
const runBy = "cli"

func newRun() *cobra.Command {
	var flags runFlags
	command := &cobra.Command{
		Use:   "run FILE",
		Short: "Run a workflow file, without a server",
		Long: `Runs a workflow file to its end, with no server and no stored data, and shows its progress.
Ctrl-C cancels the run and lets clean-up steps finish. With --data the run is kept in a store:
one that was cut short goes on where it was, when the same command is given again.

Approvals are asked for on a terminal. Elsewhere such a step fails at once, unless --approve names it.
A step that runs another workflow may name a file in the folder of this one.`,
		Example: `  vwmp run release.yaml -p summary="Faster start" -p kb_docs_ok=true --workspace .
  vwmp run release.yaml --dry-run -p summary="Faster start"
  vwmp run deploy.yaml --approve go-live --approve 'budget={"amount": 100}' --signal ready
  vwmp run release.yaml --record release.cassette.json
  vwmp run checks.yaml --output events | jq .event`,
		Args: cobra.ExactArgs(1),
	}
	configFlags(command.Flags())
	for _, name := range []string{"addr", "auth", "allowed-host"} {
		// They belong to a server; a run reads the same configuration.
		_ = command.Flags().MarkHidden(name)
	}
	flags.parameters.declare(command.Flags())
	command.Flags().StringVarP(&flags.output, "output", "o", "text", "how to print: text, json or events")
	command.Flags().StringArrayVar(&flags.skips, "skip", nil, "step to switch off for this run; repeatable")
	command.Flags().StringVar(&flags.secrets, "secrets", "", "file with secrets, a JSON or YAML map; they stand over VWMP_SECRET_NAME and those of --data")
	command.Flags().StringArrayVar(&flags.approvals, "approve", nil, "step whose approval is given, as STEP or STEP=JSON with the answer to its form; repeatable")
	command.Flags().StringArrayVar(&flags.signals, "signal", nil, "signal to send at the start, as NAME or NAME=JSON with its payload; repeatable")
	command.Flags().StringVar(&flags.record, "record", "", "file to record every call to a plugin in, for \"vwmp test\"")
	command.Flags().BoolVar(&flags.dryRun, "dry-run", false, "show what the run would do, and do nothing")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if flags.output != "text" && flags.output != "json" && flags.output != "events" {
			return usageError("--output must be text, json or events, not %q", flags.output)
		}
		s, err := loadSettings(cmd.Flags(), getenv)
		if err != nil {
			return err
		}
		if cmd.Flags().Changed("data") {
			flags.data = s.Data
		}
		if s.runSecrets, err = readRunSecrets(flags.secrets, os.LookupEnv); err != nil {
			return err
		}
		if flags.record != "" {
			if flags.dryRun {
				return usageError("--record is for a run, and a dry run calls nothing")
			}
			flags.tape = &recording{file: flags.record, flags: &flags}
		}
		return runFile(cmd, s, &flags, args[0])
	}
	return command
}

// publisherFunc makes an engine.Publisher of a function.
type publisherFunc func(plan.Event)

func (f publisherFunc) Publish(event plan.Event) { f(event) }

func runFile(cmd *cobra.Command, s *settings, flags *runFlags, file string) (err error) {
	text, err := readInput(cmd, file)
	if err != nil {
		return err
	}
	document, problems := workflow.Parse(text, workflow.ParseOptions{Format: workflow.DetectFormat(text), IgnoreMetadata: true})
	if document == nil || problems.HasErrors() {
		return tellProblems(cmd, file, problems)
	}
	workspaces, err := s.workspaceList()
	if err != nil {
		return err
	}
	keeper, runDir, err := openBackend(cmd.Context(), flags.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, keeper.Close()) }()
	children, err := openBeside(file, host.Children{Workflows: keeper})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, children.close()) }()

	view := newViewer(cmd.OutOrStdout(), flags.output, false)
	attend, err := newAttendant(flags, newPerson(cmd, view))
	if err != nil {
		return err
	}
	mine := make(chan string, 1)
	events := make(chan plan.Event, 1024)
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		showRun(view, mine, events)
	}()
	around, pluginDirs := flags.around()
	parts, err := newCore(cmd.Context(), s, keeper, coreOptions{
		runDir: runDir, children: children, workspaces: workspaces, logger: runLogger(cmd, s), around: around, pluginDirs: pluginDirs,
		publisher: publisherFunc(func(event plan.Event) {
			attend.offer(event)
			events <- event
		}),
	})
	if err != nil {
		close(events)
		<-shown
		return err
	}
	attend.engine = parts.engine
	run := &headlessRun{cmd: cmd, parts: parts, flags: flags, file: file, workspace: workspaces[0], attend: attend, mine: mine}
	result, runErr := run.document(document)
	closeCtx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), runGrace)
	defer cancel()
	closeErr := parts.close(closeCtx)
	close(events)
	<-shown
	if runErr != nil || closeErr != nil || result == nil {
		return errors.Join(runErr, closeErr)
	}
	view.close(result.Status, result.Error)
	if flags.tape != nil {
		if over, err := flags.tape.ended(cmd, result); over || err != nil {
			return err
		}
	}
	if flags.output == "json" {
		if err := printValue(cmd.OutOrStdout(), "json", result, nil); err != nil {
			return err
		}
	}
	return exitOf(result.Status, cmd.Context().Err() != nil)
}

// showRun shows the events of the run that mine names; others may be going
// on in the same store.
func showRun(view viewer, mine <-chan string, events <-chan plan.Event) {
	var early []plan.Event
	id := ""
	for events != nil {
		select {
		case id = <-mine:
			for _, event := range early {
				if event.ExecutionID == id {
					view.show(event)
				}
			}
			early, mine = nil, nil
		case event, open := <-events:
			switch {
			case !open:
				events = nil
			case id == "":
				early = append(early, event)
			case event.ExecutionID == id:
				view.show(event)
			}
		}
	}
}

// openBackend opens the store of a data folder, or one in memory for none.
func openBackend(ctx context.Context, dir string) (keeper backend, runDir string, err error) {
	if dir == "" {
		return memory.New(memory.Options{}), "", nil
	}
	opened, err := store.Open(ctx, store.Options{Dir: dir, OnFatal: func(error) {}})
	if err != nil {
		return nil, "", &exitError{exitRefused, err}
	}
	return opened, filepath.Join(dir, "run"), nil
}

// collect builds the result of an execution.
func collect(ctx context.Context, keeper backend, id string) (*engine.Result, error) {
	execution, err := keeper.Execution(ctx, id)
	if err != nil {
		return nil, err
	}
	steps, err := keeper.StepResults(ctx, id)
	if err != nil {
		return nil, err
	}
	result := &engine.Result{Execution: execution, StepResults: map[string]engine.StepResult{}}
	for _, step := range steps {
		result.StepResults[step.StepID] = step
	}
	return result, nil
}

// workflowIDOf names a file's workflow: its name without folder and ending,
// as far as an id can hold it.
func workflowIDOf(file string) string {
	base := filepath.Base(file)
	base = base[:len(base)-len(filepath.Ext(base))]
	id := make([]rune, 0, len(base))
	for _, r := range base {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', (r == '-' || r == '_') && len(id) > 0:
			id = append(id, r)
		case len(id) > 0:
			id = append(id, '-')
		}
	}
	if len(id) == 0 {
		return "workflow"
	}
	return string(id[:min(len(id), 64)])
}

func refusalText(refused *engine.ProblemsError) string {
	text := refused.Summary
	for _, p := range refused.Problems {
		text += fmt.Sprintf("\n  %s: %s", p.Pointer, p.Message)
	}
	return text
}

// tellProblems prints every problem with its place and fails.
func tellProblems(cmd *cobra.Command, file string, problems workflow.Problems) error {
	for _, p := range problems {
		fmt.Fprintln(cmd.ErrOrStderr(), problemLine(file, p.Line, p.Column, string(p.Severity), p.Message))
	}
	return &exitError{exitFailed, nil}
}

func problemLine(file string, line, column int, severity, message string) string {
	place := file
	if line > 0 {
		place = fmt.Sprintf("%s:%d:%d", file, line, column)
	}
	return fmt.Sprintf("%s: %s: %s", place, severity, message)
}

// runLogger logs what concerns the run's surroundings; a person sees only
// what is wrong.
func runLogger(cmd *cobra.Command, s *settings) *slog.Logger {
	level := slog.LevelWarn
	if cmd.Flags().Changed("log-level") {
		level = s.level()
	}
	return newLogger(cmd.ErrOrStderr(), s.LogFormat, level)
}

func ignoreEvent(plan.Event) {}
