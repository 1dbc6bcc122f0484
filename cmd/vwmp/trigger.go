package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// triggerView is a trigger as the API shows it.
type triggerView struct {
	ID           string       `json:"id"`
	TriggerID    string       `json:"trigger_id"`
	WorkflowID   string       `json:"workflow_id"`
	WorkflowName string       `json:"workflow_name"`
	Type         string       `json:"type"`
	Enabled      bool         `json:"enabled"`
	Draft        bool         `json:"draft,omitempty"`
	Paused       bool         `json:"paused"`
	PausedBy     string       `json:"paused_by,omitempty"`
	PausedAt     time.Time    `json:"paused_at,omitzero"`
	NextDue      time.Time    `json:"next_due,omitzero"`
	Problem      string       `json:"problem,omitempty"`
	Cron         string       `json:"cron,omitempty"`
	Timezone     string       `json:"timezone,omitempty"`
	CatchUp      string       `json:"catch_up,omitempty"`
	HookPath     string       `json:"hook_path,omitempty"`
	Signed       bool         `json:"signed,omitempty"`
	Workflow     string       `json:"workflow,omitempty"`
	Statuses     []string     `json:"statuses,omitempty"`
	Glob         string       `json:"glob,omitempty"`
	Debounce     float64      `json:"debounce,omitempty"`
	LastFiring   *firingView  `json:"last_firing,omitempty"`
	Firings      []firingView `json:"firings"`
}

// firingView is one firing of a trigger.
type firingView struct {
	Number      uint64    `json:"number"`
	At          time.Time `json:"at"`
	Outcome     string    `json:"outcome"`
	Count       int       `json:"count,omitempty"`
	Due         time.Time `json:"due,omitzero"`
	Until       time.Time `json:"until,omitzero"`
	ExecutionID string    `json:"execution_id,omitempty"`
	Reason      string    `json:"reason,omitempty"`
	Cause       string    `json:"cause,omitempty"`
	By          string    `json:"by,omitempty"`
}

func newTrigger() *cobra.Command {
	command := &cobra.Command{
		Use: "trigger", Short: "List, pause, resume and fire triggers", Args: cobra.NoArgs,
		Example: "  vwmp trigger list\n  vwmp trigger fire nightly.schedule-1",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	where := targetFlags(command)
	command.AddCommand(
		triggerList(where), triggerAct(where, "pause", "Keep a trigger from firing by itself"),
		triggerAct(where, "resume", "Let a paused trigger fire again, from now on"), triggerFire(where),
	)
	return command
}

func triggerList(where *target) *cobra.Command {
	var output, workflowID string
	var firings bool
	command := &cobra.Command{
		Use: "list", Short: "List triggers, when they are due, and what came of them", Args: cobra.NoArgs,
		Example: "  vwmp trigger list --workflow nightly --firings",
	}
	command.Flags().StringVar(&workflowID, "workflow", "", "only those of this workflow")
	command.Flags().BoolVar(&firings, "firings", false, "also list the newest firings of each")
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		query := url.Values{}
		if workflowID != "" {
			query.Set("workflow_id", workflowID)
		}
		var answer struct {
			Triggers []triggerView `json:"triggers"`
		}
		if err := c.call(cmd.Context(), http.MethodGet, "/triggers/", query, nil, &answer); err != nil {
			return err
		}
		return printValue(cmd.OutOrStdout(), output, answer.Triggers, func(t *table) {
			t.row("TRIGGER", "WORKFLOW", "TYPE", "WHEN", "STATE", "NEXT", "LAST")
			for i := range answer.Triggers {
				drawTrigger(t, &answer.Triggers[i], firings)
			}
			for _, v := range answer.Triggers {
				if v.Problem != "" {
					t.row(v.ID + ": " + v.Problem)
				}
			}
		})
	}
	return command
}

func drawTrigger(t *table, v *triggerView, firings bool) {
	state := "on"
	switch {
	case v.Paused:
		state = "paused"
	case v.Draft:
		state = "draft"
	case !v.Enabled:
		state = "off"
	case v.Problem != "":
		state = "stuck"
	}
	next, last := "-", "never"
	if !v.NextDue.IsZero() {
		next = v.NextDue.Local().Format("2006-01-02 15:04")
	}
	if v.LastFiring != nil {
		last = v.LastFiring.Outcome + " " + ago(v.LastFiring.At)
	}
	t.row(v.ID, v.WorkflowName, v.Type, v.when(), state, next, last)
	if !firings {
		return
	}
	for _, f := range v.Firings {
		what := f.ExecutionID
		if what == "" {
			what = f.Reason
		}
		if f.Count > 1 {
			what = fmt.Sprintf("%d times: %s", f.Count, what)
		}
		t.row("  "+f.At.Local().Format(time.DateTime), "", f.Outcome, firstLine(what))
	}
}

// when says what a trigger waits for.
func (v *triggerView) when() string {
	switch v.Type {
	case "schedule":
		return v.Cron + " " + v.Timezone
	case "webhook":
		return v.HookPath
	case "workflow":
		return v.Workflow
	}
	return v.Glob
}

// actOnTrigger does something to a trigger. Where there is none, the server
// names the request that lists them, and this the command.
func actOnTrigger(ctx context.Context, c *client, id, action string, body, answer any) error {
	err := c.call(ctx, http.MethodPost, "/triggers/"+url.PathEscape(id)+"/"+action+"/", nil, body, answer)
	var exit *exitError
	if errors.As(err, &exit) && exit.code == exitMissing {
		return &exitError{exitMissing, fmt.Errorf(`there is no trigger %q; "vwmp trigger list" lists them`, id)}
	}
	return err
}

func triggerAct(where *target, action, short string) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: action + " TRIGGER", Short: short, Args: cobra.ExactArgs(1), Example: "  vwmp trigger " + action + " nightly.schedule-1",
	}
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkOutput(output); err != nil {
			return err
		}
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		var raw json.RawMessage
		if err := actOnTrigger(cmd.Context(), c, args[0], action, nil, &raw); err != nil {
			return err
		}
		var v triggerView
		if err := json.Unmarshal(raw, &v); err != nil {
			return fmt.Errorf("read the server's answer: %w", err)
		}
		if v.Problem != "" {
			fmt.Fprintln(cmd.ErrOrStderr(), printable(v.ID+": "+v.Problem))
		}
		return printValue(cmd.OutOrStdout(), output, raw, func(t *table) {
			state := "on"
			if v.Paused {
				state = "paused"
			}
			t.row(state)
		})
	}
	return command
}

func triggerFire(where *target) *cobra.Command {
	var detach bool
	var output, body string
	command := &cobra.Command{
		Use: "fire TRIGGER", Short: "Fire a trigger by hand and follow its execution", Args: cobra.ExactArgs(1),
		Example: "  vwmp trigger fire nightly.schedule-1\n  vwmp trigger fire deploy.push --body @push.json --detach",
	}
	command.Flags().BoolVar(&detach, "detach", false, "start it and return")
	command.Flags().StringVar(&body, "body", "", "what ${trigger.body} stands for, as JSON; @FILE and @- read it from there")
	command.Flags().StringVarP(&output, "output", "o", "text", "how to print: text, json or events")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if output != "text" && output != "json" && output != "events" {
			return usageError("--output must be text, json or events, not %q", output)
		}
		var request any
		if body != "" {
			raw := []byte(body)
			if body[0] == '@' {
				read, err := readInput(cmd, body[1:])
				if err != nil {
					return err
				}
				raw = read
			}
			if !json.Valid(raw) {
				return usageError("--body is not JSON")
			}
			request = map[string]any{"trigger": map[string]any{"body": json.RawMessage(raw)}}
		}
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		var execution startedExecution
		if err := actOnTrigger(cmd.Context(), c, args[0], "fire", request, &execution.raw); err != nil {
			return err
		}
		return execution.follow(cmd, c, output, detach)
	}
	return command
}
