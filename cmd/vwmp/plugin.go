package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/host"
)

func newPlugin() *cobra.Command {
	command := &cobra.Command{
		Use: "plugin", Short: "List, inspect and change plugins", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	where := targetFlags(command)
	command.AddCommand(
		pluginList(where), pluginInspect(where),
		pluginSwitch(where, "enable", "Let a plugin be called again; steps that wait for it go on"),
		pluginSwitch(where, "disable", "Keep a plugin from being called, until it is enabled; steps wait"),
		pluginReload(where), pluginUsage(where), pluginCheck(where), pluginPin(where),
		pluginTest(), pluginNew(), pluginRunStep(), pluginDev(),
	)
	return command
}

func pluginList(where *target) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: "list", Short: "List plugins, refused ones with the reason", Args: cobra.NoArgs, Example: "  vwmp plugin list",
	}
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, _ []string) error {
		list, err := fetchPlugins(cmd, where)
		if err != nil {
			return err
		}
		return printValue(cmd.OutOrStdout(), output, list, func(t *table) {
			t.row("PLUGIN", "VERSION", "STATE", "HANDLERS", "CALLS", "REMARK")
			for i := range list {
				p := &list[i]
				t.row(p.Name, p.Version, p.State, fmt.Sprint(len(p.Handlers)), fmt.Sprint(p.Calls), firstLine(pluginRemark(p)))
			}
		})
	}
	return command
}

// pluginRemark is what most needs to be known of a plugin.
func pluginRemark(p *host.PluginStatus) string {
	switch {
	case p.Held != nil && p.Held.Version != "":
		return fmt.Sprintf("version %s is held back: %s", p.Held.Version, p.Held.Message)
	case p.Held != nil:
		return p.Held.Message
	case p.StateReason != "":
		return p.StateReason
	}
	return p.LastError
}

func fetchPlugins(cmd *cobra.Command, where *target) ([]host.PluginStatus, error) {
	c, err := where.connect(cmd)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var answer struct {
		Plugins []host.PluginStatus `json:"plugins"`
	}
	err = c.call(cmd.Context(), http.MethodGet, "/plugins/", nil, nil, &answer)
	return answer.Plugins, err
}

func pluginInspect(where *target) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: "inspect NAME", Short: "Show one plugin", Args: cobra.ExactArgs(1), Example: "  vwmp plugin inspect git",
	}
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		list, err := fetchPlugins(cmd, where)
		if err != nil {
			return err
		}
		for i := range list {
			if list[i].Name == args[0] {
				return printValue(cmd.OutOrStdout(), output, list[i], func(t *table) { drawPlugin(t, &list[i]) })
			}
		}
		return &exitError{exitMissing, fmt.Errorf("there is no plugin %q; see \"vwmp plugin list\"", args[0])}
	}
	return command
}

func drawPlugin(t *table, p *host.PluginStatus) {
	t.row("plugin", p.Name)
	t.row("version", p.Version)
	t.row("state", strings.TrimSpace(p.State+" "+p.StateReason))
	if p.PID != 0 {
		t.row("process", fmt.Sprintf("%d, since %s, %s of memory", p.PID, p.StartedAt.Local().Format(time.DateTime), bytesText(p.MemoryBytes)))
	}
	if !p.NextStart.IsZero() {
		t.row("next start", p.NextStart.Local().Format(time.DateTime))
	}
	t.row("file", p.Path)
	t.row("sha256", p.Checksum)
	t.row("processor", fmt.Sprintf("%.2f s", p.CPUSeconds))
	t.row("calls", fmt.Sprintf("%d, %d failed, %d now, %d restarts", p.Calls, p.Failures, p.Running, p.Restarts))
	if p.Calls > 0 {
		t.row("latency", fmt.Sprintf("p50 %.3f s, p95 %.3f s, at most %.3f s", p.Latency.P50, p.Latency.P95, p.Latency.Max))
	}
	if p.LastError != "" {
		t.row("last error", p.LastError)
	}
	for _, line := range p.LastWords {
		t.row("last words", line)
	}
	if p.Held != nil {
		drawHeld(t, p.Held)
	}
	for _, h := range p.Handlers {
		t.row("handler", h)
	}
}

func drawHeld(t *table, held *host.HeldVersion) {
	t.row("held back", strings.TrimSpace(held.Version+" "+held.Message))
	for _, change := range held.Changes {
		t.row("would break", fmt.Sprintf("%s (%s) %s: %s", change.WorkflowName, change.WorkflowID, change.StepID, change.Message))
	}
	for _, line := range held.LastWords {
		t.row("its last words", line)
	}
}

// bytesText writes a size for people.
func bytesText(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }

func pluginSwitch(where *target, action, short string) *cobra.Command {
	return &cobra.Command{
		Use: action + " NAME", Short: short, Args: cobra.ExactArgs(1), Example: "  vwmp plugin " + action + " git",
		RunE: func(cmd *cobra.Command, args []string) error { return changePlugin(cmd, where, args[0], action, nil) },
	}
}

func pluginReload(where *target) *cobra.Command {
	var force bool
	command := &cobra.Command{
		Use: "reload NAME", Short: "Look at a plugin's file anew, and take up a new version", Args: cobra.ExactArgs(1),
		Long: `Looks at a plugin's file anew. Calls that run end on the version that they began with.
A version that would break stored workflows is refused, and the workflows and steps are named; --force takes it up.`,
		Example: "  vwmp plugin reload git\n  vwmp plugin reload git --force",
	}
	command.Flags().BoolVar(&force, "force", false, "take up also a version that breaks workflows, or has crashed too often")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		return changePlugin(cmd, where, args[0], "reload", map[string]bool{"force": force})
	}
	return command
}

func changePlugin(cmd *cobra.Command, where *target, name, action string, body any) error {
	c, err := where.connect(cmd)
	if err != nil {
		return err
	}
	defer c.close()
	var p host.PluginStatus
	if err := c.call(cmd.Context(), http.MethodPost, "/plugins/"+url.PathEscape(name)+"/"+action+"/", nil, body, &p); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s %s: %s\n", p.Name, p.Version, p.State)
	return nil
}

func pluginUsage(where *target) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: "usage NAME", Short: "List the stored workflows and steps that use a plugin", Args: cobra.ExactArgs(1), Example: "  vwmp plugin usage git",
	}
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		var usage struct {
			Plugin   string `json:"plugin"`
			Handlers []struct {
				Path      string          `json:"path"`
				Workflows []workflowUsage `json:"workflows"`
			} `json:"handlers"`
			WorkflowTypes []struct {
				Name      string          `json:"name"`
				Workflows []workflowUsage `json:"workflows"`
			} `json:"workflow_types"`
		}
		if err := c.call(cmd.Context(), http.MethodGet, "/plugins/"+url.PathEscape(args[0])+"/usage/", nil, nil, &usage); err != nil {
			return err
		}
		return printValue(cmd.OutOrStdout(), output, usage, func(t *table) {
			t.row("USES", "WORKFLOW", "ID", "STEPS")
			for _, h := range usage.Handlers {
				for _, w := range h.Workflows {
					t.row(h.Path, w.WorkflowName, w.WorkflowID, w.steps())
				}
			}
			for _, kind := range usage.WorkflowTypes {
				for _, w := range kind.Workflows {
					t.row("type "+kind.Name, w.WorkflowName, w.WorkflowID, "")
				}
			}
		})
	}
	return command
}

type workflowUsage struct {
	WorkflowID   string `json:"workflow_id"`
	WorkflowName string `json:"workflow_name"`
	Revision     int    `json:"revision"`
	Steps        []struct {
		StepID   string `json:"step_id"`
		StepName string `json:"step_name"`
	} `json:"steps"`
}

func (w *workflowUsage) steps() string {
	ids := make([]string, len(w.Steps))
	for i, step := range w.Steps {
		ids[i] = step.StepID
	}
	return strings.Join(ids, ", ")
}
