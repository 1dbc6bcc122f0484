package main

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/host"
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
	var output, salvage string
	where := &target{}
	command := &cobra.Command{
		Use:   "doctor",
		Short: "Check the data, the plugins and the workspaces, and say what to do",
		Long: `Checks every page and record of the data, the plugins and the workspaces, and says what to do.
Where a server has the data open, it is asked to check them while it goes on.
With --salvage, every event that is still good is copied out of a data folder that can't be used any more.`,
		Example: `  vwmp doctor
  vwmp doctor --data ./data --workspace ./repo --output json
  vwmp doctor --data ./damaged --salvage ./rescued`,
		Args: cobra.NoArgs,
	}
	configFlags(command.Flags())
	command.Flags().StringVar(&where.server, "server", "", "URL of a running server (by default the one that has the data folder open)")
	command.Flags().StringVar(&where.token, "token", "", "API token (VWMP_TOKEN; by default the admin token of the data folder)")
	command.Flags().StringVar(&salvage, "salvage", "", "copy what is still good out of a damaged data folder into this new one")
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := loadSettings(cmd.Flags(), getenv)
		if err != nil {
			return err
		}
		if salvage != "" {
			return salvageData(cmd, s.Data, salvage, output)
		}
		where.data = s.Data
		findings := examine(cmd, s, where)
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

func examine(cmd *cobra.Command, s *settings, where *target) []finding {
	ctx := cmd.Context()
	findings := []finding{examineGit(ctx)}
	workspaces, err := s.workspaceList()
	if err != nil {
		findings = append(findings, finding{"workspaces", "problem", err.Error(), "name folders that are there with --workspace"})
	}
	for _, workspace := range workspaces {
		findings = append(findings, examineWorkspace(ctx, workspace.Name, workspace.Dir))
	}
	if where.server != "" || runningServer(ctx, s.Data) != nil {
		return append(findings, examineServer(cmd, where)...)
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
func examineServer(cmd *cobra.Command, where *target) []finding {
	c, err := where.connect(cmd)
	if err != nil {
		return []finding{{"server", "problem", err.Error(), "see the server's log"}}
	}
	defer c.close()
	findings := []finding{{"server", "ok", "runs at " + c.base, ""}}
	var answer struct {
		Plugins []host.PluginStatus `json:"plugins"`
		Fence   host.PluginFence    `json:"fence"`
	}
	if err := c.call(cmd.Context(), http.MethodGet, "/plugins/", nil, nil, &answer); err != nil {
		return append(findings, finding{"plugins", "problem", err.Error(), "start the server, or give a token that may ask it"})
	}
	var report data.Report
	if err := c.call(cmd.Context(), http.MethodGet, "/admin/check/", nil, nil, &report); err != nil {
		findings = append(findings, finding{"store", "problem", err.Error(), "ask as an administrator, or stop the server and try again"})
	} else {
		findings = append(findings, judgeReport(&report))
	}
	return append(append(findings, judgePlugins(answer.Plugins)...), judgeFence(&answer.Fence))
}

// examineStore opens the data folder itself.
func examineStore(cmd *cobra.Command, s *settings) []finding {
	if !exists(filepath.Join(s.Data, "INSTANCE")) && !exists(filepath.Join(s.Data, "state.db")) {
		return []finding{{"store", "ok", "there is no data in " + s.Data + " yet", ""}}
	}
	logger := runLogger(cmd, s)
	keeper, err := store.Open(cmd.Context(), store.Options{Dir: s.Data, Logger: logger, OnFatal: func(error) {}})
	if err != nil {
		return []finding{{"store", "problem", err.Error(), "end the process that has it open, restore a backup with \"vwmp restore\", or copy what is still good with \"vwmp doctor --salvage NEW\""}}
	}
	defer func() { _ = keeper.Close() }()
	findings := []finding{judgeStore(cmd.Context(), keeper)}
	parts, err := newCore(cmd.Context(), s, keeper, coreOptions{
		runDir: filepath.Join(s.Data, "run"), children: host.Children{Workflows: keeper}, publisher: publisherFunc(ignoreEvent), logger: logger,
	})
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
	port := pluginPort{parts.plugins}
	fence := port.Fence()
	return append(append(findings, judgePlugins(port.Plugins())...), judgeFence(&fence))
}

func judgeStore(ctx context.Context, keeper data.System) finding {
	report, err := keeper.Check(ctx)
	if err != nil {
		return finding{"store", "problem", err.Error(), damagedAdvice}
	}
	return judgeReport(&report)
}

const damagedAdvice = "keep the folder as it is and restore a backup beside it with \"vwmp restore FILE --data NEW\"; \"vwmp doctor --salvage NEW\" copies what is still good"

func judgeReport(report *data.Report) finding {
	whole := fmt.Sprintf("%d workflows, %d executions in %d months and state.db, %d events, %d outputs, an audit trail of %d records",
		report.Workflows, report.Executions, report.Months, report.Events, report.Blobs, report.Audit)
	switch {
	case len(report.Problems) > 0:
		return finding{"store", "problem", strings.Join(report.Problems, "; "), damagedAdvice}
	case len(report.Warnings) > 0:
		return finding{"store", "warning", whole + "; " + strings.Join(report.Warnings, "; "), ""}
	}
	return finding{"store", "ok", "whole: " + whole, ""}
}

// judgeFence says what does not keep plugins in on this machine.
func judgeFence(fence *host.PluginFence) finding {
	var missing []string
	for _, reason := range []string{fence.FilesReason, fence.HiddenReason, fence.ControlGroupsReason} {
		if reason != "" && !slices.Contains(missing, reason) {
			missing = append(missing, reason)
		}
	}
	if len(missing) == 0 {
		return finding{"plugin fence", "ok", "plugins are kept in by Landlock and control groups", ""}
	}
	return finding{"plugin fence", "warning", strings.Join(missing, "; "), "run only plugins that you trust, and pin them with \"vwmp plugin pin\""}
}

func judgePlugins(list []host.PluginStatus) []finding {
	if len(list) == 0 {
		return []finding{{"plugins", "warning", "there are none", "put plugins beside the binary in plugins/, or name a folder with --plugins"}}
	}
	var findings []finding
	for i := range list {
		p := &list[i]
		f := finding{What: "plugin " + p.Name, State: "ok", Text: fmt.Sprintf("%s, %d handlers, %s", p.Version, len(p.Handlers), p.State)}
		switch {
		case p.State == "refused" || p.State == "failed":
			f.State, f.Text, f.Advice = "problem", p.Path+": "+p.LastError, "put it right, or take the file away"
		case p.State == "quarantined" || p.State == "unkillable":
			f.State, f.Text, f.Advice = "problem", p.LastError, "see its last words with \"vwmp plugin inspect "+p.Name+"\""
		case p.State == "disabled":
			f.State, f.Text, f.Advice = "warning", p.StateReason, "let it be used again with \"vwmp plugin enable "+p.Name+"\""
		case p.Held != nil:
			f.State, f.Text, f.Advice = "warning", pluginRemark(p), "see what would break with \"vwmp plugin inspect "+p.Name+"\", and take it up with \"vwmp plugin reload "+p.Name+" --force\""
		}
		findings = append(findings, f)
	}
	return findings
}
