package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/engine"
)

func executionPath(id string, parts ...string) string {
	path := "/executions/" + url.PathEscape(id) + "/"
	for _, part := range parts {
		path += url.PathEscape(part) + "/"
	}
	return path
}

// act posts to an execution and prints the status that it has then.
func act(cmd *cobra.Command, where *target, path string, body any) error {
	c, err := where.connect(cmd)
	if err != nil {
		return err
	}
	defer c.close()
	var result engine.Execution
	if err := c.call(cmd.Context(), http.MethodPost, path, nil, body, &result); err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), result.Status)
	return nil
}

func executionAct(where *target, action, short string) *cobra.Command {
	return &cobra.Command{
		Use: action + " EXECUTION", Short: short, Args: cobra.ExactArgs(1), Example: "  vwmp execution " + action + " 019…",
		RunE: func(cmd *cobra.Command, args []string) error {
			return act(cmd, where, executionPath(args[0], action), nil)
		},
	}
}

// itemFlag names one item of a for_each; below 0 is none.
func itemFlag(command *cobra.Command, item *int, usage string) {
	command.Flags().IntVar(item, "item", -1, usage)
}

// withItem puts the item into a body where one is meant.
func withItem(body map[string]any, item int) map[string]any {
	if item >= 0 {
		body["item"] = item
	}
	return body
}

// jsonFlag reads a flag's JSON into a body: the text itself, @FILE or @-.
func jsonFlag(cmd *cobra.Command, body map[string]any, key, flag, text string) error {
	if text == "" {
		return nil
	}
	if source, isFile := strings.CutPrefix(text, "@"); isFile {
		raw, err := readSource(source, cmd.InOrStdin())
		if err != nil {
			return usageError("--%s: %w", flag, err)
		}
		text = string(raw)
	}
	if !json.Valid([]byte(text)) {
		return usageError("--%s must be JSON, @FILE or @-, not %q", flag, shortened(text))
	}
	body[key] = json.RawMessage(text)
	return nil
}

// shortened keeps a long value out of a sentence.
func shortened(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

func executionApprove(where *target) *cobra.Command {
	var reject bool
	var comment, answer string
	var item int
	command := &cobra.Command{
		Use: "approve EXECUTION STEP", Short: "Answer a step that waits for an approval", Args: cobra.ExactArgs(2),
		Example: `  vwmp execution approve 019… go-live --comment "looks good"
  vwmp execution approve 019… budget --answer '{"amount": 100}'
  vwmp execution approve 019… go-live --reject --comment "not on a Friday"`,
	}
	command.Flags().BoolVar(&reject, "reject", false, "reject it, which fails the step")
	command.Flags().StringVar(&comment, "comment", "", "comment to keep with the answer")
	command.Flags().StringVar(&answer, "answer", "", "answer to the form, as JSON, @FILE or @-")
	itemFlag(command, &item, "item of a for_each that is meant; by default the first that waits")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		body := withItem(map[string]any{"approved": !reject}, item)
		if comment != "" {
			body["comment"] = comment
		}
		if err := jsonFlag(cmd, body, "data", "answer", answer); err != nil {
			return err
		}
		return act(cmd, where, executionPath(args[0], "steps", args[1], "approve"), body)
	}
	return command
}

func executionResolve(where *target) *cobra.Command {
	var as, output string
	var item int
	command := &cobra.Command{
		Use: "resolve EXECUTION STEP", Short: "Decide what became of an interrupted step", Args: cobra.ExactArgs(2),
		Example: "  vwmp execution resolve 019… step-7 --as retry",
	}
	command.Flags().StringVar(&as, "as", "", "retry, success, failed or skipped")
	command.Flags().StringVar(&output, "step-output", "", "with --as success: the step's output, as JSON, @FILE or @-")
	itemFlag(command, &item, "item of a for_each that is meant; by default all that are interrupted")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if as == "" {
			return usageError("--as must say what became of the step: retry, success, failed or skipped")
		}
		body := withItem(map[string]any{"as": as}, item)
		if err := jsonFlag(cmd, body, "output", "step-output", output); err != nil {
			return err
		}
		return act(cmd, where, executionPath(args[0], "steps", args[1], "resolve"), body)
	}
	return command
}

func executionSignal(where *target) *cobra.Command {
	var payload string
	command := &cobra.Command{
		Use: "signal EXECUTION NAME", Short: "Send a signal to an execution", Args: cobra.ExactArgs(2),
		Example: `  vwmp execution signal 019… deployed
  vwmp execution signal 019… deployed --payload '{"url": "https://example.com"}'`,
	}
	command.Flags().StringVar(&payload, "payload", "", "what the waiting step gives as its output, as JSON, @FILE or @-")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		values := map[string]any{}
		if err := jsonFlag(cmd, values, "payload", "payload", payload); err != nil {
			return err
		}
		return act(cmd, where, executionPath(args[0], "signals", args[1]), values["payload"])
	}
	return command
}

func executionDelete(where *target) *cobra.Command {
	return &cobra.Command{
		Use: "delete EXECUTION", Short: "Remove a finished execution's history", Args: cobra.ExactArgs(1),
		Example: "  vwmp execution delete 019…",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := where.connect(cmd)
			if err != nil {
				return err
			}
			defer c.close()
			return c.call(cmd.Context(), http.MethodDelete, executionPath(args[0]), nil, nil, nil)
		},
	}
}
