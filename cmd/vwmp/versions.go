package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func workflowVersions(where *target) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: "versions ID", Short: "List a workflow's revisions, the newest first", Args: cobra.ExactArgs(1),
		Example: "  vwmp workflow versions standard-release",
	}
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		type revision struct {
			Revision  int       `json:"revision"`
			Name      string    `json:"name"`
			Version   string    `json:"version"`
			StepCount int       `json:"step_count"`
			Format    string    `json:"format"`
			Valid     bool      `json:"valid"`
			Author    string    `json:"author,omitempty"`
			Message   string    `json:"message,omitempty"`
			CreatedAt time.Time `json:"created_at"`
			Size      int       `json:"size"`
		}
		all := []revision{}
		for cursor, more := "", true; more; {
			var page struct {
				Versions []revision `json:"versions"`
				Next     string     `json:"next"`
			}
			query := url.Values{"limit": {"1000"}}
			if cursor != "" {
				query.Set("cursor", cursor)
			}
			if err := c.call(cmd.Context(), http.MethodGet, versionsPath(args[0]), query, nil, &page); err != nil {
				return err
			}
			all = append(all, page.Versions...)
			cursor, more = page.Next, page.Next != ""
		}
		return printValue(cmd.OutOrStdout(), output, all, func(t *table) {
			t.row("REVISION", "SAVED", "BY", "STEPS", "VALID", "MESSAGE")
			for _, r := range all {
				valid := "yes"
				if !r.Valid {
					valid = "draft"
				}
				t.row(fmt.Sprint(r.Revision), ago(r.CreatedAt), r.Author, fmt.Sprint(r.StepCount), valid, strings.ReplaceAll(r.Message, "\n", " "))
			}
		})
	}
	return command
}

func versionsPath(id string) string { return "/workflows/" + url.PathEscape(id) + "/versions/" }

func workflowDiff(where *target) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: "diff ID A B", Short: "Compare two revisions of a workflow", Args: cobra.ExactArgs(3),
		Example: "  vwmp workflow diff standard-release 3 4",
	}
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		path := versionsPath(args[0]) + url.PathEscape(args[1]) + "/diff/" + url.PathEscape(args[2]) + "/"
		var raw json.RawMessage
		if err := c.call(cmd.Context(), http.MethodGet, path, nil, nil, &raw); err != nil {
			return err
		}
		if output != "table" {
			return printValue(cmd.OutOrStdout(), output, raw, nil)
		}
		var diff struct {
			Text    string `json:"text"`
			Changes []struct {
				Summary string `json:"summary"`
			} `json:"changes"`
		}
		if err := json.Unmarshal(raw, &diff); err != nil {
			return fmt.Errorf("read the server's answer: %w", err)
		}
		for _, change := range diff.Changes {
			fmt.Fprintln(cmd.OutOrStdout(), printable(change.Summary))
		}
		if len(diff.Changes) == 0 {
			fmt.Fprintln(cmd.OutOrStdout(), "The two revisions mean the same.")
		}
		if diff.Text != "" {
			fmt.Fprintln(cmd.OutOrStdout())
		}
		printDiff(cmd.OutOrStdout(), diff.Text, wantsColour(cmd.OutOrStdout()))
		return nil
	}
	return command
}

// printDiff prints a unified diff, in colour where that is wanted.
func printDiff(w io.Writer, text string, colour bool) {
	for line := range strings.Lines(text) {
		// A file's own control characters must not reach the terminal.
		line = printable(strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"))
		paint := ""
		switch {
		case !colour:
		case strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "+++ "):
			paint = "1"
		case strings.HasPrefix(line, "@@"):
			paint = "36"
		case strings.HasPrefix(line, "-"):
			paint = "31"
		case strings.HasPrefix(line, "+"):
			paint = "32"
		}
		if paint != "" {
			line = "\x1b[" + paint + "m" + line + "\x1b[0m"
		}
		fmt.Fprintln(w, line)
	}
}

func workflowRestore(where *target) *cobra.Command {
	var message string
	command := &cobra.Command{
		Use: "restore ID REVISION", Short: "Make an earlier revision the newest one again", Args: cobra.ExactArgs(2),
		Example: "  vwmp workflow restore standard-release 3",
	}
	command.Flags().StringVarP(&message, "message", "m", "", "what the new revision is about")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		var stored metadata
		if err := c.call(cmd.Context(), http.MethodPost, versionsPath(args[0])+url.PathEscape(args[1])+"/restore/", saveQuery(message, false), nil, &stored); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s is at revision %d\n", stored.ID, stored.Revision)
		return nil
	}
	return command
}
