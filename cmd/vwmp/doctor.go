package main

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/store"
	"github.com/vwmp/vwmp/store/data"
)

// finding is one thing that doctor looked at.
type finding struct {
	What string `json:"what"`
	// State is ok, warning or problem.
	State string `json:"state"`
	Text  string `json:"text"`
	// Advice says what to do, where something is to be done.
	Advice string `json:"advice,omitempty"`
}

func newDoctor() *cobra.Command {
	var output string
	command := &cobra.Command{
		Use:   "doctor",
		Short: "Check the data, the plugins and the workspaces, and say what to do",
		Example: `  vwmp doctor
  vwmp doctor --data ./data --workspace ./repo --output json`,
		Args: cobra.NoArgs,
	}
	configFlags(command.Flags())
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := loadSettings(cmd.Flags(), getenv)
		if err != nil {
			return err
		}
		findings := examine(cmd, s)
		failed := false
		for _, f := range findings {
			failed = failed || f.State == "problem"
		}
		err = printValue(cmd.OutOrStdout(), output, findings, func(t *table) {
			for _, f := range findings {
				t.row(map[string]string{"ok": "✓", "warning": "!", "problem": "✗"}[f.State], f.What, firstLine(f.Text))
				if f.Advice != "" {
					t.row("", "", "→ "+f.Advice)
				}
			}
		})
		if err == nil && failed {
			return &exitError{exitFailed, nil}
		}
		return err
	}
	return command
}

func examine(cmd *cobra.Command, s *settings) []finding {
	ctx := cmd.Context()
	findings := []finding{examineGit(ctx)}
	workspaces, err := s.workspaceList()
	if err != nil {
		findings = append(findings, finding{"workspaces", "problem", err.Error(), "name folders that are there with --workspace"})
	}
	for _, workspace := range workspaces {
		findings = append(findings, examineWorkspace(ctx, workspace.Name, workspace.Dir))
	}
	if url := runningServer(ctx, s.Data); url != "" {
		return append(findings, examineServer(cmd, s, url)...)
	}
	return append(findings, examineStore(cmd, s)...)
}

func examineGit(ctx context.Context) finding {
	text, err := exec.CommandContext(ctx, "git", "--version").Output()
	if err != nil {
		return finding{"git", "warning", "git does not run: " + err.Error(), "install git; the git and release handlers need it"}
	}
	return finding{"git", "ok", strings.TrimSpace(string(text)), ""}
}

func examineWorkspace(ctx context.Context, name, dir string) finding {
	what := "workspace " + name
	text, err := exec.CommandContext(ctx, "git", "-C", dir, "rev-parse", "--abbrev-ref", "HEAD").Output()
	if err != nil {
		return finding{what, "warning", filepath.Base(dir) + " is not a git repository", "fine unless a workflow releases from it; \"vwmp demo DIR\" makes one to try"}
	}
	return finding{what, "ok", fmt.Sprintf("%s, on branch %s", filepath.Base(dir), strings.TrimSpace(string(text))), ""}
}

// examineServer asks the server that has the data folder open.
func examineServer(cmd *cobra.Command, s *settings, url string) []finding {
	findings := []finding{{"server", "ok", "runs at " + url, ""}}
	where := &target{server: url, data: s.Data}
	c, err := where.connect(cmd)
	if err != nil {
		return append(findings, finding{"server", "problem", err.Error(), "see the server's log"})
	}
	defer c.close()
	var answer struct {
		Plugins []pluginView `json:"plugins"`
	}
	if err := c.call(cmd.Context(), http.MethodGet, "/plugins/", nil, nil, &answer); err != nil {
		return append(findings, finding{"plugins", "problem", err.Error(), "see the server's log"})
	}
	findings = append(findings, finding{"store", "ok", "open in the server; stop it to check every page and event", ""})
	return append(findings, judgePlugins(answer.Plugins)...)
}

// examineStore opens the data folder itself.
func examineStore(cmd *cobra.Command, s *settings) []finding {
	if !exists(filepath.Join(s.Data, "INSTANCE")) && !exists(filepath.Join(s.Data, "state.db")) {
		return []finding{{"store", "ok", "there is no data in " + s.Data + " yet", ""}}
	}
	logger := runLogger(cmd, s)
	keeper, err := store.Open(cmd.Context(), store.Options{Dir: s.Data, Logger: logger, OnFatal: func(error) {}})
	if err != nil {
		return []finding{{"store", "problem", err.Error(), "restore state.db and INSTANCE from a backup, or ask the process that has them open"}}
	}
	defer func() { _ = keeper.Close() }()
	findings := []finding{judgeStore(cmd.Context(), keeper)}
	parts, err := newCore(cmd.Context(), s, keeper, filepath.Join(s.Data, "run"), publisherFunc(ignoreEvent), logger)
	if err != nil {
		return append(findings, finding{"plugins", "problem", err.Error(), ""})
	}
	defer func() { _ = parts.close(context.WithoutCancel(cmd.Context())) }()
	if err := parts.vault.Check(cmd.Context()); err != nil {
		findings = append(findings, finding{"secrets", "problem", err.Error(), "put the key back, see docs/secrets.md"})
	}
	if err := parts.ready(cmd.Context()); err != nil {
		return append(findings, finding{"plugins", "problem", err.Error(), "see which one does not answer with \"vwmp plugin list\""})
	}
	var list []pluginView
	for _, p := range parts.plugins.Plugins() {
		list = append(list, pluginView{Name: p.Name, Version: p.Version, State: p.State, Path: p.Path, Handlers: p.Handlers, LastError: p.LastError})
	}
	return append(findings, judgePlugins(list)...)
}

func judgeStore(ctx context.Context, keeper data.System) finding {
	report, err := keeper.Check(ctx)
	switch {
	case err != nil:
		return finding{"store", "problem", err.Error(), "keep the folder as it is and restore a backup beside it"}
	case len(report.Problems) > 0:
		return finding{"store", "problem", strings.Join(report.Problems, "; "), "keep the folder as it is and restore a backup beside it"}
	case len(report.Warnings) > 0:
		return finding{"store", "warning", strings.Join(report.Warnings, "; "), ""}
	}
	return finding{"store", "ok", fmt.Sprintf("whole: %d workflows, %d executions, %d events", report.Workflows, report.Executions, report.Events), ""}
}

func judgePlugins(list []pluginView) []finding {
	if len(list) == 0 {
		return []finding{{"plugins", "warning", "there are none", "put plugins beside the binary in plugins/, or name a folder with --plugins"}}
	}
	var findings []finding
	for _, p := range list {
		f := finding{What: "plugin " + p.Name, State: "ok", Text: fmt.Sprintf("%s, %d handlers, %s", p.Version, len(p.Handlers), p.State)}
		if p.State == "refused" || p.State == "failed" {
			f.State, f.Text, f.Advice = "problem", p.Path+": "+p.LastError, "put it right, or take the file away"
		}
		findings = append(findings, f)
	}
	return findings
}
