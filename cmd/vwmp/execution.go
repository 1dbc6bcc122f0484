package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
)

func newExecute() *cobra.Command {
	var detach, dryRun bool
	var output, key, workspace string
	var given parameterFlags
	var skips []string
	command := &cobra.Command{
		Use:   "execute ID",
		Short: "Start a stored workflow and follow it",
		Example: `  vwmp execute standard-release -p summary="Faster start" -p kb_docs_ok=true
  vwmp execute nightly --detach --skip upload`,
		Args: cobra.ExactArgs(1),
	}
	where := targetFlags(command)
	given.declare(command.Flags())
	command.Flags().BoolVar(&detach, "detach", false, "start it and return")
	command.Flags().StringArrayVar(&skips, "skip", nil, "step to switch off for this run; repeatable")
	inFlag(command, &workspace)
	command.Flags().BoolVar(&dryRun, "dry-run", false, "show what it would do, and do nothing")
	command.Flags().StringVar(&key, "idempotency-key", "", "start it at most once for this key within 24 hours")
	command.Flags().StringVarP(&output, "output", "o", "text", "how to print: text, json or events")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if output != "text" && output != "json" && output != "events" {
			return usageError("--output must be text, json or events, not %q", output)
		}
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		path := "/workflows/" + url.PathEscape(args[0]) + "/"
		body, err := startBodyOf(cmd, c, path, &given, skips, workspace)
		if err != nil {
			return err
		}
		body["async"] = true
		if dryRun {
			return executePreview(cmd, c, path, output, body)
		}
		if key != "" {
			body["idempotency_key"] = key
		}
		var execution startedExecution
		if err := c.callAs(cmd.Context(), engine.TriggerCLI, http.MethodPost, path+"execute/", nil, body, &execution.raw); err != nil {
			return err
		}
		return execution.follow(cmd, c, output, detach)
	}
	return command
}

// startedExecution is what the server says of an execution that it has started.
type startedExecution struct{ raw json.RawMessage }

// follow shows it until it has ended, or only what it is where it is detached.
func (s startedExecution) follow(cmd *cobra.Command, c *client, output string, detach bool) error {
	var named struct {
		ID string `json:"execution_id"`
	}
	if err := json.Unmarshal(s.raw, &named); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	switch {
	case !detach:
		return followToEnd(cmd, c, named.ID, output, true)
	case output == "json":
		return printValue(cmd.OutOrStdout(), output, s.raw, nil)
	}
	fmt.Fprintln(cmd.OutOrStdout(), named.ID)
	return nil
}

// followToEnd shows an execution until it has ended. Ctrl-C cancels the
// execution where owned, else it only ends the following.
func followToEnd(cmd *cobra.Command, c *client, id, output string, owned bool) error {
	ctx, path := cmd.Context(), "/executions/"+url.PathEscape(id)+"/"
	view := newViewer(cmd.OutOrStdout(), output, true)
	err := c.follow(ctx, id, 0, view.show)
	interrupted := ctx.Err() != nil
	if interrupted {
		if !owned {
			view.close("", nil)
			return &exitError{exitInterrupted, nil}
		}
		// The execution ends in its own time, for which ours is over.
		fresh, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		ctx = fresh
		if err := c.call(ctx, http.MethodPost, path+"cancel/", nil, nil, nil); err != nil {
			return err
		}
		if err := c.follow(ctx, id, 0, func(plan.Event) {}); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	var result engine.Result
	if err := c.call(ctx, http.MethodGet, path, nil, nil, &result); err != nil {
		return err
	}
	view.close(result.Status, result.Error)
	if output == "json" {
		if err := printValue(cmd.OutOrStdout(), "json", result, nil); err != nil {
			return err
		}
	}
	return exitOf(result.Status, interrupted)
}

// exitOf is the exit code of a run that ended so.
func exitOf(status plan.Status, interrupted bool) error {
	switch {
	case interrupted:
		return &exitError{exitInterrupted, nil}
	case status == plan.StatusSuccess || status == plan.StatusPartial:
		return nil
	}
	return &exitError{exitFailed, nil}
}

func newExecution() *cobra.Command {
	command := &cobra.Command{
		Use: "execution", Short: "List, show, follow, steer and repeat executions", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	where := targetFlags(command)
	command.AddCommand(
		executionList(where), executionGet(where), executionLogs(where), executionFollow(where),
		executionAct(where, "cancel", "Cancel a running execution; twice, its clean-up steps too"),
		executionAct(where, "pause", "Let what runs end, and start nothing more"),
		executionAct(where, "resume", "Take up a paused execution again"),
		executionApprove(where), executionResolve(where), executionSignal(where),
		executionRetry(where), executionFork(where), executionUndo(where),
		executionExplain(where), executionCompare(where), executionEvents(where), executionDelete(where), executionRecord(where),
	)
	return command
}

func executionList(where *target) *cobra.Command {
	var output, workflowID, status string
	var limit int
	command := &cobra.Command{
		Use: "list", Short: "List executions, the newest first", Args: cobra.NoArgs,
		Example: "  vwmp execution list --status failed",
	}
	command.Flags().StringVar(&workflowID, "workflow", "", "only those of this workflow")
	command.Flags().StringVar(&status, "status", "", "only those of this status")
	command.Flags().IntVar(&limit, "limit", 20, "at most so many")
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		query := url.Values{"limit": {fmt.Sprint(limit)}}
		if workflowID != "" {
			query.Set("workflow_id", workflowID)
		}
		if status != "" {
			query.Set("status", status)
		}
		var answer struct {
			Executions []engine.Execution `json:"executions"`
		}
		if err := c.call(cmd.Context(), http.MethodGet, "/executions/", query, nil, &answer); err != nil {
			return err
		}
		return printValue(cmd.OutOrStdout(), output, answer.Executions, func(t *table) {
			t.row("EXECUTION", "WORKFLOW", "STATUS", "STARTED", "TIME", "TRIGGER")
			for _, e := range answer.Executions {
				t.row(e.ID, e.WorkflowName, string(e.Status), ago(e.StartedAt), seconds(e.TotalTime), e.Trigger)
			}
		})
	}
	return command
}

func executionGet(where *target) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: "get EXECUTION", Short: "Show one execution and its steps", Args: cobra.ExactArgs(1),
		Example: "  vwmp execution get 019…  --output json",
	}
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		var result engine.Result
		if err := c.call(cmd.Context(), http.MethodGet, "/executions/"+url.PathEscape(args[0])+"/", nil, nil, &result); err != nil {
			return err
		}
		return printValue(cmd.OutOrStdout(), output, result, func(t *table) { drawResult(t, &result) })
	}
	return command
}

func drawResult(t *table, result *engine.Result) {
	t.row("execution", result.ID)
	t.row("workflow", result.WorkflowName)
	t.row("status", string(result.Status))
	if result.Error != nil {
		t.row("error", result.Error.Message)
	}
	if result.StatusReason != "" {
		t.row("reason", result.StatusReason)
	}
	for _, origin := range [][2]string{{"retry of", result.RetryOf}, {"fork of", result.ForkOf}, {"undo of", result.UndoOf}, {"undone by", result.UndoneBy}} {
		if origin[1] != "" {
			t.row(origin[0], origin[1])
		}
	}
	t.row("started", result.StartedAt.Local().Format(time.DateTime))
	t.row("time", seconds(result.TotalTime))
	t.row("")
	t.row("STEP", "NAME", "STATUS", "TIME", "ATTEMPTS", "")
	for _, step := range sortedSteps(result.StepResults) {
		t.row(step.StepID, step.StepName, string(step.Status), seconds(step.ExecutionTime), fmt.Sprint(step.Attempts),
			noteOf(step.Error, step.SkipReason, step.Waiting, step.Undo))
		drawItems(t, &step)
	}
}

// maxShownItems bounds the items of a step in a table; --output json has all.
const maxShownItems = 100

func drawItems(t *table, step *engine.StepResult) {
	for i := range step.Items[:min(len(step.Items), maxShownItems)] {
		item := &step.Items[i]
		took := ""
		if !item.StartedAt.IsZero() && !item.CompletedAt.IsZero() {
			took = seconds(item.CompletedAt.Sub(item.StartedAt).Seconds())
		}
		t.row(fmt.Sprintf("  [%d]", item.Index), "", string(item.Status), took, fmt.Sprint(item.Attempts),
			noteOf(item.Error, item.SkipReason, item.Waiting, item.Undo))
	}
	if more := len(step.Items) - maxShownItems; more > 0 {
		t.row("", fmt.Sprintf("and %d more items; --output json has all", more))
	}
}

// noteOf says the most important thing of a step or an item.
func noteOf(failure *plan.Error, skipped string, waiting *engine.Waiting, undo *engine.Undo) string {
	switch {
	case undo != nil && undo.Error != nil:
		return "could not be taken back: " + firstLine(undo.Error.Message)
	case undo != nil && undo.SkipReason != "":
		return "was not taken back: " + firstLine(undo.SkipReason)
	case failure != nil:
		return firstLine(failure.Message)
	case waiting != nil && waiting.Reason == plan.WaitSignal:
		return fmt.Sprintf("waits for the signal %q", waiting.Signal)
	case waiting != nil && waiting.Reason == plan.WaitChild:
		return "waits for execution " + waiting.ChildID
	case waiting != nil && waiting.Reason == plan.WaitTime:
		return "waits until " + waiting.Until.Local().Format(time.DateTime)
	case waiting != nil:
		return "waits for an approval: " + firstLine(waiting.Message)
	}
	return skipped
}

func executionLogs(where *target) *cobra.Command {
	var step, level, output string
	command := &cobra.Command{
		Use: "logs EXECUTION", Short: "Print the log lines of an execution", Args: cobra.ExactArgs(1),
		Example: "  vwmp execution logs 019… --step step-7 --level warning",
	}
	command.Flags().StringVar(&step, "step", "", "only those of this step")
	command.Flags().StringVar(&level, "level", "", "only those of this level and above")
	command.Flags().StringVarP(&output, "output", "o", "text", "how to print: text or json")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		query := url.Values{}
		if step != "" {
			query.Set("step_id", step)
		}
		if level != "" {
			query.Set("level", level)
		}
		capped, err := pages(cmd, c, executionPath(args[0], "logs"), "logs", query, func(event plan.Event) error {
			if output == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(event)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s  %-7s  %s  %s\n",
				event.Time.Local().Format("15:04:05.000"), event.Level, event.StepID+itemMark(event.ItemIndex), printable(event.Message))
			return err
		})
		for _, log := range capped {
			fmt.Fprintln(cmd.ErrOrStderr(), cappedLine(log))
		}
		return err
	}
	return command
}

// pages reads a list of events page by page, and returns which logs are not
// whole.
func pages(cmd *cobra.Command, c *client, path, name string, query url.Values, show func(plan.Event) error) ([]data.CappedLog, error) {
	query.Set("limit", "500")
	after := uint64(0)
	for {
		query.Set("after_seq", fmt.Sprint(after))
		var answer map[string]json.RawMessage
		if err := c.call(cmd.Context(), http.MethodGet, path, query, nil, &answer); err != nil {
			return nil, err
		}
		var events []plan.Event
		if err := json.Unmarshal(answer[name], &events); err != nil {
			return nil, fmt.Errorf("read the server's answer: %w", err)
		}
		for _, event := range events {
			if err := show(event); err != nil {
				return nil, err
			}
			after = event.Seq
		}
		if len(events) == 500 {
			continue
		}
		var capped []data.CappedLog
		if raw := answer["capped"]; len(raw) > 0 {
			if err := json.Unmarshal(raw, &capped); err != nil {
				return nil, fmt.Errorf("read the server's answer: %w", err)
			}
		}
		return capped, nil
	}
}

// cappedLine says what is missing of a log.
func cappedLine(log data.CappedLog) string {
	line := fmt.Sprintf("the log of %s, attempt %d, is not whole: it reached its limit of %d bytes", log.StepID, log.Attempt, log.Limit)
	if log.Dropped > 0 {
		line += fmt.Sprintf(", and %d lines were left out", log.Dropped)
	}
	return line
}

func executionEvents(where *target) *cobra.Command {
	return &cobra.Command{
		Use: "events EXECUTION", Short: "Print the event history, one JSON object a line", Args: cobra.ExactArgs(1),
		Example: "  vwmp execution events 019… | jq .event",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := where.connect(cmd)
			if err != nil {
				return err
			}
			defer c.close()
			encoder := json.NewEncoder(cmd.OutOrStdout())
			_, err = pages(cmd, c, executionPath(args[0], "events"), "events", url.Values{}, func(event plan.Event) error {
				return encoder.Encode(event)
			})
			return err
		},
	}
}

func executionFollow(where *target) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: "follow EXECUTION", Short: "Follow an execution to its end", Args: cobra.ExactArgs(1),
		Example: "  vwmp execution follow 019… --output events",
	}
	command.Flags().StringVarP(&output, "output", "o", "text", "how to print: text, json or events")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		return followToEnd(cmd, c, args[0], output, false)
	}
	return command
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// readInput reads a file, or standard input for "-".
func readInput(cmd *cobra.Command, name string) ([]byte, error) {
	if name == "-" {
		return readAll(cmd.InOrStdin())
	}
	text, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return nil, &exitError{exitMissing, fmt.Errorf("there is no file %s", name)}
	}
	return text, err
}
