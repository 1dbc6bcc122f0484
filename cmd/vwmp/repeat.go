package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/engine"
)

// launch posts what makes a new execution and follows that to its end.
type launch struct {
	where  *target
	detach bool
	output string
}

func (l *launch) declare(command *cobra.Command) {
	command.Flags().BoolVar(&l.detach, "detach", false, "start it, print its id and return")
	command.Flags().StringVarP(&l.output, "output", "o", "text", "how to print: text, json or events")
}

func (l *launch) check() error {
	if l.output != "text" && l.output != "json" && l.output != "events" {
		return usageError("--output must be text, json or events, not %q", l.output)
	}
	return nil
}

func (l *launch) start(cmd *cobra.Command, path string, body any) error {
	c, err := l.where.connect(cmd)
	if err != nil {
		return err
	}
	defer c.close()
	var started struct {
		ExecutionID string `json:"execution_id"`
	}
	if err := c.call(cmd.Context(), http.MethodPost, path, nil, body, &started); err != nil {
		return err
	}
	if l.detach {
		fmt.Fprintln(cmd.OutOrStdout(), started.ExecutionID)
		return nil
	}
	return followToEnd(cmd, c, started.ExecutionID, l.output, true)
}

// firstParameters reads parameters by the types that the workflow of an
// execution declares; one that is gone declares none.
func firstParameters(cmd *cobra.Command, where *target, id string, given *parameterFlags) (any, error) {
	if len(given.pairs) == 0 && given.file == "" {
		return nil, nil
	}
	c, err := where.connect(cmd)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var first engine.Execution
	if err := c.call(cmd.Context(), http.MethodGet, executionPath(id), nil, nil, &first); err != nil {
		return nil, err
	}
	var declared struct {
		Parameters []declaredParameter `json:"parameters"`
	}
	if err := c.call(cmd.Context(), http.MethodGet, "/workflows/"+url.PathEscape(first.WorkflowID)+"/", nil, nil, &declared); err != nil {
		return nil, err
	}
	return given.values(declared.Parameters, cmd.InOrStdin())
}

func executionRetry(where *target) *cobra.Command {
	l := &launch{where: where}
	var given parameterFlags
	var from string
	var newest bool
	var revision int
	command := &cobra.Command{
		Use: "retry EXECUTION", Short: "Run it again, keeping what succeeded", Args: cobra.ExactArgs(1),
		Example: `  vwmp execution retry 019…
  vwmp execution retry 019… --from-step step-4 -p branch=main
  vwmp execution retry 019… --newest`,
	}
	command.Flags().StringVar(&from, "from-step", "", "step to start from; by default what failed or was never run")
	command.Flags().BoolVar(&newest, "newest", false, "take the workflow as it is now")
	command.Flags().IntVar(&revision, "revision", 0, "take this revision of the workflow")
	given.declare(command.Flags())
	l.declare(command)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if err := l.check(); err != nil {
			return err
		}
		body := map[string]any{}
		parameters, err := firstParameters(cmd, where, args[0], &given)
		if err != nil {
			return err
		}
		if parameters != nil {
			body["parameters"] = parameters
		}
		if from != "" {
			body["from_step"] = from
		}
		if newest {
			body["newest"] = true
		}
		if revision > 0 {
			body["revision"] = revision
		}
		return l.start(cmd, executionPath(args[0], "retry"), body)
	}
	return command
}

func executionFork(where *target) *cobra.Command {
	l := &launch{where: where}
	var given parameterFlags
	var config string
	var outputs []string
	var item int
	var dryRun bool
	command := &cobra.Command{
		Use: "fork EXECUTION STEP", Short: "Run it again from a step on, with something changed", Args: cobra.ExactArgs(2),
		Example: `  vwmp execution fork 019… step-4 --dry-run
  vwmp execution fork 019… step-4 --config '{"message": "another one"}' --step-output 'step-3={"version": "2.0.0"}'`,
	}
	command.Flags().StringVar(&config, "config", "", "config in the place of the step's, as JSON, @FILE or @-")
	command.Flags().StringArrayVar(&outputs, "step-output", nil, "output in the place of an earlier step's, as STEP=JSON; repeatable")
	command.Flags().BoolVar(&dryRun, "dry-run", false, "only list what would be kept and done again")
	itemFlag(command, &item, "the one item of the step's for_each to do again")
	given.declare(command.Flags())
	l.declare(command)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if err := l.check(); err != nil {
			return err
		}
		body, err := forkBody(cmd, args[1], config, outputs)
		if err != nil {
			return err
		}
		parameters, err := firstParameters(cmd, where, args[0], &given)
		if err != nil {
			return err
		}
		if parameters != nil {
			body["parameters"] = parameters
		}
		withItem(body, item)
		if dryRun {
			return forkPreview(cmd, l, args[0], body)
		}
		return l.start(cmd, executionPath(args[0], "fork"), body)
	}
	return command
}

func forkBody(cmd *cobra.Command, step, config string, outputs []string) (map[string]any, error) {
	body, pretended := map[string]any{"from_step": step}, map[string]any{}
	if err := jsonFlag(cmd, body, "config", "config", config); err != nil {
		return nil, err
	}
	for _, output := range outputs {
		id, value, found := strings.Cut(output, "=")
		if !found {
			return nil, usageError("--step-output takes STEP=JSON, not %q", shortened(output))
		}
		if err := jsonFlag(cmd, pretended, id, "step-output "+id, value); err != nil {
			return nil, err
		}
	}
	if len(pretended) > 0 {
		body["outputs"] = pretended
	}
	return body, nil
}

func forkPreview(cmd *cobra.Command, l *launch, id string, body any) error {
	c, err := l.where.connect(cmd)
	if err != nil {
		return err
	}
	defer c.close()
	var fork engine.Fork
	query := url.Values{"dry_run": {"true"}}
	if err := c.call(cmd.Context(), http.MethodPost, executionPath(id, "fork"), query, body, &fork); err != nil {
		return err
	}
	form := "table"
	if l.output != "text" {
		form = "json"
	}
	return printValue(cmd.OutOrStdout(), form, fork, func(t *table) {
		for _, row := range []struct {
			what  string
			steps []string
		}{{"kept", fork.Kept}, {"done again", fork.Redone}, {"would do something twice", fork.Unsafe}} {
			t.row(row.what, orNone(row.steps))
		}
	})
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "–"
	}
	return strings.Join(list, ", ")
}

func executionUndo(where *target) *cobra.Command {
	l := &launch{where: where}
	command := &cobra.Command{
		Use: "undo EXECUTION", Short: "Take back what it did, last finished first", Args: cobra.ExactArgs(1),
		Long:    `Starts an execution that takes back every step of an ended one that can be taken back, the last finished first.`,
		Example: "  vwmp execution undo 019…",
	}
	l.declare(command)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if err := l.check(); err != nil {
			return err
		}
		return l.start(cmd, executionPath(args[0], "undo"), nil)
	}
	return command
}
