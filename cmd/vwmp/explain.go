package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
)

func executionExplain(where *target) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: "explain EXECUTION", Short: "Say why it and each of its steps is as it is", Args: cobra.ExactArgs(1),
		Example: "  vwmp execution explain 019…",
	}
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		var answer engine.Explanation
		if err := c.call(cmd.Context(), http.MethodGet, executionPath(args[0], "explain"), nil, nil, &answer); err != nil {
			return err
		}
		if output != "table" {
			return printValue(cmd.OutOrStdout(), output, answer, nil)
		}
		out := cmd.OutOrStdout()
		fmt.Fprintln(out, printable(answer.Summary))
		for _, step := range answer.Steps {
			fmt.Fprintf(out, "\n%s  %s\n", step.StepID, step.Status)
			for _, reason := range step.Reasons {
				fmt.Fprintf(out, "  %s\n", printable(reason))
			}
		}
		return nil
	}
	return command
}

// comparedStep is a step in two executions.
type comparedStep struct {
	StepID         string          `json:"step_id"`
	StepName       string          `json:"step_name"`
	Execution      *comparedResult `json:"execution"`
	Other          *comparedResult `json:"other"`
	Same           bool            `json:"same"`
	TimeDifference float64         `json:"execution_time_difference"`
	Output         []difference    `json:"output"`
	More           int             `json:"more"`
}

type comparedResult struct {
	Status        plan.Status `json:"status"`
	ExecutionTime float64     `json:"execution_time"`
}

// difference is a place where two values are not the same.
type difference struct {
	Pointer string          `json:"pointer"`
	Before  json.RawMessage `json:"before"`
	After   json.RawMessage `json:"after"`
}

func executionCompare(where *target) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: "compare EXECUTION OTHER", Short: "Compare two executions step by step", Args: cobra.ExactArgs(2),
		Example: "  vwmp execution compare 019…a 019…b",
	}
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		var raw json.RawMessage
		if err := c.call(cmd.Context(), http.MethodGet, executionPath(args[0], "compare", args[1]), nil, nil, &raw); err != nil {
			return err
		}
		var compared struct {
			Parameters []difference   `json:"parameters"`
			Steps      []comparedStep `json:"steps"`
		}
		if err := json.Unmarshal(raw, &compared); err != nil {
			return fmt.Errorf("read the server's answer: %w", err)
		}
		return printValue(cmd.OutOrStdout(), output, raw, func(t *table) {
			t.row("STEP", "NAME", "STATUS", "TIME", "")
			for _, d := range compared.Parameters {
				t.row("", "parameters"+d.Pointer, "", "", changed(short(d.Before), short(d.After)))
			}
			for i := range compared.Steps {
				drawCompared(t, &compared.Steps[i])
			}
		})
	}
	return command
}

func drawCompared(t *table, step *comparedStep) {
	status, took := [2]string{"–", "–"}, [2]string{"–", "–"}
	for i, result := range []*comparedResult{step.Execution, step.Other} {
		if result != nil {
			status[i], took[i] = string(result.Status), seconds(result.ExecutionTime)
		}
	}
	note := ""
	if !step.Same {
		note = "differs"
	}
	t.row(step.StepID, step.StepName, changed(status[0], status[1]), changed(took[0], took[1]), note)
	for _, d := range step.Output {
		t.row("", "output"+d.Pointer, "", "", changed(short(d.Before), short(d.After)))
	}
	if step.More > 0 {
		t.row("", fmt.Sprintf("and %d more", step.More))
	}
}

func changed(before, after string) string {
	if before == after {
		return before
	}
	return before + " → " + after
}

// short is a value on one line of a table.
func short(value json.RawMessage) string {
	if len(value) == 0 {
		return "–"
	}
	return shortened(strings.TrimSpace(string(value)))
}
