package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/engine/workflow"
)

// metadata is a workflow as lists show it.
type metadata struct {
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	Version        string    `json:"version"`
	Type           string    `json:"type"`
	Description    string    `json:"description"`
	Tags           []string  `json:"tags"`
	StepCount      int       `json:"step_count"`
	Revision       int       `json:"revision"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
	LastExecuted   time.Time `json:"last_executed,omitzero"`
	LastStatus     string    `json:"last_status,omitempty"`
	ExecutionCount int       `json:"execution_count"`
}

func newWorkflow() *cobra.Command {
	command := &cobra.Command{
		Use: "workflow", Short: "List, show, change, import and export stored workflows", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	where := targetFlags(command)
	command.AddCommand(
		workflowList(where), workflowShare(where), workflowGet(where), workflowCreate(where), workflowUpdate(where),
		workflowDelete(where), workflowImport(where), workflowExport(where),
		workflowVersions(where), workflowDiff(where), workflowRestore(where), workflowPlan(where),
	)
	return command
}

func workflowList(where *target) *cobra.Command {
	var output, kind, tag, text string
	command := &cobra.Command{
		Use: "list", Short: "List workflows", Args: cobra.NoArgs, Example: "  vwmp workflow list --type release",
	}
	command.Flags().StringVar(&kind, "type", "", "only those of this type")
	command.Flags().StringVar(&tag, "tag", "", "only those with this tag")
	command.Flags().StringVarP(&text, "query", "q", "", "only those with this text in name or description")
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		query := url.Values{}
		for key, value := range map[string]string{"type": kind, "tag": tag, "q": text} {
			if value != "" {
				query.Set(key, value)
			}
		}
		var list []metadata
		if err := c.call(cmd.Context(), http.MethodGet, "/workflows/", query, nil, &list); err != nil {
			return err
		}
		return printValue(cmd.OutOrStdout(), output, list, func(t *table) {
			t.row("ID", "NAME", "TYPE", "STEPS", "REVISION", "LAST RUN", "RESULT", "RUNS")
			for _, w := range list {
				t.row(w.ID, w.Name, w.Type, fmt.Sprint(w.StepCount), fmt.Sprint(w.Revision), ago(w.LastExecuted), w.LastStatus, fmt.Sprint(w.ExecutionCount))
			}
		})
	}
	return command
}

func workflowGet(where *target) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: "get ID", Short: "Show a workflow", Args: cobra.ExactArgs(1), Example: "  vwmp workflow get standard-release --output yaml",
	}
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		path := "/workflows/" + url.PathEscape(args[0]) + "/"
		if output == "yaml" {
			text, err := c.text(cmd.Context(), path, nil, "application/yaml")
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		}
		raw, err := c.text(cmd.Context(), path, nil, "application/json")
		if err != nil {
			return err
		}
		var full struct {
			metadata
			Steps []struct {
				ID           string   `json:"id"`
				Name         string   `json:"name"`
				Handler      string   `json:"handler"`
				Dependencies []string `json:"dependencies"`
			} `json:"steps"`
		}
		if err := json.Unmarshal(raw, &full); err != nil {
			return fmt.Errorf("read the server's answer: %w", err)
		}
		return printValue(cmd.OutOrStdout(), output, json.RawMessage(raw), func(t *table) {
			t.row("id", full.ID)
			t.row("name", full.Name)
			t.row("type", full.Type)
			t.row("version", full.Version)
			t.row("revision", fmt.Sprint(full.Revision))
			t.row("last run", ago(full.LastExecuted)+" "+full.LastStatus)
			t.row("")
			t.row("STEP", "NAME", "HANDLER", "AFTER")
			for _, s := range full.Steps {
				t.row(s.ID, s.Name, s.Handler, strings.Join(s.Dependencies, ", "))
			}
		})
	}
	return command
}

// send posts or puts a document as it stands in its file.
func send(cmd *cobra.Command, c *client, method, path string, query url.Values, text []byte, answer any) error {
	kind := "application/yaml"
	if workflow.DetectFormat(text) == workflow.FormatJSON {
		kind = "application/json"
	}
	response, err := c.do(cmd.Context(), request{method: method, path: path, query: query, body: text, contentType: kind, accept: "application/json"})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err == nil {
		err = json.Unmarshal(raw, answer)
	}
	if err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	return nil
}

func workflowCreate(where *target) *cobra.Command {
	var message, output string
	var draft bool
	command := &cobra.Command{
		Use: "create FILE", Short: "Store a new workflow", Args: cobra.ExactArgs(1), Example: "  vwmp workflow create release.yaml",
	}
	saveFlags(command, &message, &draft)
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkOutput(output); err != nil {
			return err
		}
		text, err := readInput(cmd, args[0])
		if err != nil {
			return err
		}
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		var stored storedWorkflow
		if err := send(cmd, c, http.MethodPost, "/workflows/", saveQuery(message, draft), text, &stored); err != nil {
			return err
		}
		return printValue(cmd.OutOrStdout(), output, stored.raw, func(t *table) { t.row(stored.ID) })
	}
	return command
}

// storedWorkflow is what the server says of a workflow that was saved.
type storedWorkflow struct {
	metadata
	// raw is all of it.
	raw json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler.
func (w *storedWorkflow) UnmarshalJSON(raw []byte) error {
	w.raw = bytes.Clone(raw)
	return json.Unmarshal(raw, &w.metadata)
}

// saveFlags are those of everything that saves a document.
func saveFlags(command *cobra.Command, message *string, draft *bool) {
	command.Flags().StringVarP(message, "message", "m", "", "what changed")
	command.Flags().BoolVar(draft, "draft", false, "keep it in spite of problems; it can't be executed until they are put right")
}

func saveQuery(message string, draft bool) url.Values {
	query := url.Values{}
	if message != "" {
		query.Set("message", message)
	}
	if draft {
		query.Set("draft", "true")
	}
	return query
}

func workflowUpdate(where *target) *cobra.Command {
	var message, output string
	var draft bool
	command := &cobra.Command{
		Use: "update ID FILE", Short: "Replace a workflow by a new revision", Args: cobra.ExactArgs(2),
		Example: "  vwmp workflow update standard-release release.yaml --message \"Tag later\"",
	}
	saveFlags(command, &message, &draft)
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkOutput(output); err != nil {
			return err
		}
		text, err := readInput(cmd, args[1])
		if err != nil {
			return err
		}
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		var stored storedWorkflow
		err = send(cmd, c, http.MethodPut, "/workflows/"+url.PathEscape(args[0])+"/", saveQuery(message, draft), text, &stored)
		var exit *exitError
		if errors.As(err, &exit) && exit.code == exitMissing {
			return &exitError{exitMissing, fmt.Errorf(`there is no workflow %q; "vwmp workflow list" lists them, "vwmp workflow create" stores a new one`, args[0])}
		}
		if err != nil {
			return err
		}
		return printValue(cmd.OutOrStdout(), output, stored.raw, func(t *table) { t.row(fmt.Sprintf("%s is at revision %d", stored.ID, stored.Revision)) })
	}
	return command
}

func workflowDelete(where *target) *cobra.Command {
	return &cobra.Command{
		Use: "delete ID", Short: "Delete a workflow", Args: cobra.ExactArgs(1), Example: "  vwmp workflow delete old-release",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := where.connect(cmd)
			if err != nil {
				return err
			}
			defer c.close()
			return c.call(cmd.Context(), http.MethodDelete, "/workflows/"+url.PathEscape(args[0])+"/", nil, nil, nil)
		},
	}
}

func workflowImport(where *target) *cobra.Command {
	var id, template, output string
	var overwrite, dryRun bool
	command := &cobra.Command{
		Use:   "import FILE|FOLDER...",
		Short: "Store workflows from files, folders or a plugin's template",
		Long: `Store workflows from files, folders or a plugin's template.

A folder with a workflows_metadata.json is a store of the earlier Python
platform: its workflows keep their ids, and their versions become revisions
with their times. What can't be translated is kept as a draft, and everything
that is changed or left out is told.`,
		Example: `  vwmp workflow import examples/ --overwrite
  vwmp workflow import old-platform/workflows --dry-run
  vwmp workflow import --template "release/Standard Release" --id standard-release`,
	}
	flags := command.Flags()
	flags.StringVar(&id, "id", "", "id to store a single workflow under")
	flags.StringVar(&template, "template", "", "import a template, as TYPE/NAME")
	flags.BoolVar(&overwrite, "overwrite", false, "replace a workflow of the same id by a new revision")
	flags.BoolVar(&dryRun, "dry-run", false, "only check")
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkOutput(output); err != nil {
			return err
		}
		if (template == "") == (len(args) == 0) {
			return usageError("name files or folders to import, or a --template")
		}
		store, err := earlierStore(args)
		if err != nil {
			return err
		}
		if store != "" && output != "table" {
			return usageError("the import of a store folder tells line by line what became of everything; it has no --output")
		}
		if store != "" {
			return importStore(cmd, where, id, store, overwrite, dryRun)
		}
		files, err := workflowFiles(args)
		if err != nil {
			return err
		}
		if id != "" && len(files) > 1 {
			return usageError("--id fits a single workflow, not %d files", len(files))
		}
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		query := url.Values{"overwrite": {fmt.Sprint(overwrite)}, "dry_run": {fmt.Sprint(dryRun)}}
		if id != "" {
			query.Set("id", id)
		}
		if template != "" {
			files = []string{template}
		}
		// What was stored before one that can't be is told all the same.
		list := []json.RawMessage{}
		lines := &table{}
		for _, file := range files {
			var stored storedWorkflow
			if stored, err = importOne(cmd, c, query, file, template != ""); err != nil {
				break
			}
			list = append(list, stored.raw)
			switch {
			case !dryRun:
				lines.row(fmt.Sprintf("imported %s as %s", file, stored.ID))
			case id != "":
				lines.row(fmt.Sprintf("would import %s as %s", file, id))
			default:
				lines.row("would import " + file)
			}
		}
		return errors.Join(printValue(cmd.OutOrStdout(), output, list, func(t *table) { *t = *lines }), err)
	}
	return command
}

// importOne stores a workflow from a file, or from a template, TYPE/NAME.
func importOne(cmd *cobra.Command, c *client, query url.Values, name string, template bool) (stored storedWorkflow, err error) {
	var text []byte
	if !template {
		text, err = readInput(cmd, name)
	} else {
		kind, of, found := strings.Cut(name, "/")
		if !found {
			return stored, usageError("--template takes TYPE/NAME, not %q", name)
		}
		text, err = c.text(cmd.Context(), "/workflow-types/"+url.PathEscape(kind)+"/templates/"+url.PathEscape(of)+"/", nil, "application/yaml")
	}
	if err != nil {
		return stored, err
	}
	var answer struct {
		Workflow storedWorkflow `json:"workflow"`
	}
	if err := send(cmd, c, http.MethodPost, "/workflows/import/", query, text, &answer); err != nil {
		if template {
			return stored, err
		}
		return stored, fmt.Errorf("%s: %w", name, err)
	}
	return answer.Workflow, nil
}

// workflowFiles lists the files among the arguments and below the folders.
func workflowFiles(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if arg == "-" || (err == nil && !info.IsDir()) {
			files = append(files, arg)
			continue
		}
		if err != nil {
			return nil, &exitError{exitMissing, err}
		}
		err = filepath.WalkDir(arg, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			switch filepath.Ext(path) {
			case ".yaml", ".yml", ".json":
				if !entry.IsDir() {
					files = append(files, path)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

func workflowExport(where *target) *cobra.Command {
	var format, file string
	command := &cobra.Command{
		Use: "export ID", Short: "Write a workflow to a file", Args: cobra.ExactArgs(1),
		Example: "  vwmp workflow export standard-release --file release.yaml",
	}
	command.Flags().StringVar(&format, "format", "yaml", "yaml or json")
	command.Flags().StringVarP(&file, "file", "f", "-", "file to write, - for standard output")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		text, err := c.text(cmd.Context(), "/workflows/"+url.PathEscape(args[0])+"/export/", url.Values{"format": {format}}, "")
		if err != nil {
			return err
		}
		if file == "-" {
			_, err = cmd.OutOrStdout().Write(text)
			return err
		}
		return os.WriteFile(file, text, 0o644) //nolint:gosec // A workflow is meant to be read by others.
	}
	return command
}
