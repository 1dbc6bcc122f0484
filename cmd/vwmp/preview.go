package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/engine"
)

// tellPreview prints what a run would do. It fails where a step can't run as
// it is.
func tellPreview(cmd *cobra.Command, form string, preview *engine.Preview) error {
	if err := printValue(cmd.OutOrStdout(), form, preview, func(t *table) { drawPreview(t, preview) }); err != nil {
		return err
	}
	for _, step := range preview.Steps {
		if step.Status == "invalid" {
			return &exitError{exitFailed, fmt.Errorf("step %q can't run: %s", step.StepID, step.Reason)}
		}
	}
	return nil
}

func drawPreview(t *table, preview *engine.Preview) {
	t.row("STEP", "NAME", "HANDLER", "WOULD", "")
	for _, step := range preview.Steps {
		t.row(step.StepID, step.StepName, step.Handler, step.Status, step.Reason)
		for _, effect := range step.Effects {
			t.row("", "", "", "", "→ "+effect.Summary)
			if effect.Diff != "" {
				for line := range strings.SplitSeq(strings.TrimRight(effect.Diff, "\n"), "\n") {
					t.row("", "", "", "", "  "+line)
				}
			}
		}
	}
}

// executePreview is execute's dry run.
func executePreview(cmd *cobra.Command, c *client, path, output string, body map[string]any) error {
	form := "table"
	if output != "text" {
		form = "json"
	}
	var preview engine.Preview
	if err := c.call(cmd.Context(), http.MethodPost, path+"plan/", nil, body, &preview); err != nil {
		return err
	}
	return tellPreview(cmd, form, &preview)
}

func workflowPlan(where *target) *cobra.Command {
	var output, workspace string
	var given parameterFlags
	var skips []string
	command := &cobra.Command{
		Use: "plan ID", Short: "Show what an execution would do, and do nothing", Args: cobra.ExactArgs(1),
		Example: `  vwmp workflow plan standard-release -p summary="Faster start" -p kb_docs_ok=true`,
	}
	given.declare(command.Flags())
	command.Flags().StringArrayVar(&skips, "skip", nil, "step to switch off; repeatable")
	inFlag(command, &workspace)
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
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
		var preview engine.Preview
		if err := c.call(cmd.Context(), http.MethodPost, path+"plan/", nil, body, &preview); err != nil {
			return err
		}
		return tellPreview(cmd, output, &preview)
	}
	return command
}

func inFlag(command *cobra.Command, workspace *string) {
	command.Flags().StringVar(workspace, "in", "", "name of the server's workspace to run in; by default its first")
}

// startBodyOf is the part of a start's body that execute and plan share.
func startBodyOf(cmd *cobra.Command, c *client, path string, given *parameterFlags, skips []string, workspace string) (map[string]any, error) {
	var declared struct {
		Parameters []declaredParameter `json:"parameters"`
	}
	if err := c.call(cmd.Context(), http.MethodGet, path, nil, nil, &declared); err != nil {
		return nil, err
	}
	parameters, err := given.values(declared.Parameters, cmd.InOrStdin())
	if err != nil {
		return nil, err
	}
	body := map[string]any{"parameters": parameters}
	if len(skips) > 0 {
		body["skip_steps"] = skips
	}
	if workspace != "" {
		body["workspace"] = workspace
	}
	return body, nil
}
