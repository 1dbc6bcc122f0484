package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// handlerView is a handler as the API shows it.
type handlerView struct {
	Path          string          `json:"path"`
	Name          string          `json:"name"`
	Description   string          `json:"description"`
	Category      string          `json:"category"`
	Plugin        string          `json:"plugin"`
	PluginVersion string          `json:"plugin_version"`
	EffectClass   string          `json:"effect_class"`
	ConfigSchema  json.RawMessage `json:"config_schema,omitempty"`
	OutputSchema  json.RawMessage `json:"output_schema,omitempty"`
	Example       json.RawMessage `json:"example,omitempty"`
	Capabilities  map[string]bool `json:"capabilities"`
}

func newHandler() *cobra.Command {
	command := &cobra.Command{
		Use: "handler", Short: "List the handlers that the plugins offer", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	where := targetFlags(command)
	command.AddCommand(handlerList(where), handlerSchema(where))
	return command
}

func handlerList(where *target) *cobra.Command {
	var output, category string
	command := &cobra.Command{
		Use: "list", Short: "List handlers", Args: cobra.NoArgs, Example: "  vwmp handler list --category git",
	}
	command.Flags().StringVar(&category, "category", "", "only those of this category")
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		query := url.Values{}
		if category != "" {
			query.Set("category", category)
		}
		var answer struct {
			Handlers []handlerView `json:"handlers"`
		}
		if err := c.call(cmd.Context(), http.MethodGet, "/step-handlers/", query, nil, &answer); err != nil {
			return err
		}
		return printValue(cmd.OutOrStdout(), output, answer.Handlers, func(t *table) {
			t.row("HANDLER", "NAME", "PLUGIN", "EFFECT", "DESCRIPTION")
			for _, h := range answer.Handlers {
				t.row(h.Path, h.Name, h.Plugin+" "+h.PluginVersion, h.EffectClass, firstLine(h.Description))
			}
		})
	}
	return command
}

func handlerSchema(where *target) *cobra.Command {
	return &cobra.Command{
		Use: "schema PATH", Short: "Print a handler with its schemas and an example, as JSON", Args: cobra.ExactArgs(1),
		Example: "  vwmp handler schema git.commit",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := where.connect(cmd)
			if err != nil {
				return err
			}
			defer c.close()
			var answer json.RawMessage
			if err := c.call(cmd.Context(), http.MethodGet, "/step-handlers/"+url.PathEscape(args[0])+"/schema/", nil, nil, &answer); err != nil {
				return err
			}
			return printValue(cmd.OutOrStdout(), "json", answer, nil)
		},
	}
}

// pluginView is a plugin as the API shows it.
type pluginView struct {
	Name      string    `json:"name"`
	Version   string    `json:"version"`
	State     string    `json:"state"`
	PID       int       `json:"pid,omitempty"`
	Path      string    `json:"path"`
	Checksum  string    `json:"checksum"`
	Handlers  []string  `json:"handlers"`
	Calls     int       `json:"calls"`
	Failures  int       `json:"failures"`
	Restarts  int       `json:"restarts"`
	StartedAt time.Time `json:"started_at,omitzero"`
	LastError string    `json:"last_error,omitempty"`
}

func newPlugin() *cobra.Command {
	command := &cobra.Command{
		Use: "plugin", Short: "List and inspect plugins", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	where := targetFlags(command)
	command.AddCommand(pluginList(where), pluginInspect(where))
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
			t.row("PLUGIN", "VERSION", "STATE", "HANDLERS", "CALLS", "LAST ERROR")
			for _, p := range list {
				t.row(p.Name, p.Version, p.State, fmt.Sprint(len(p.Handlers)), fmt.Sprint(p.Calls), firstLine(p.LastError))
			}
		})
	}
	return command
}

func fetchPlugins(cmd *cobra.Command, where *target) ([]pluginView, error) {
	c, err := where.connect(cmd)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var answer struct {
		Plugins []pluginView `json:"plugins"`
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
		for _, p := range list {
			if p.Name != args[0] {
				continue
			}
			return printValue(cmd.OutOrStdout(), output, p, func(t *table) {
				t.row("plugin", p.Name)
				t.row("version", p.Version)
				t.row("state", p.State)
				if p.PID != 0 {
					t.row("pid", fmt.Sprint(p.PID))
				}
				t.row("file", p.Path)
				t.row("sha256", p.Checksum)
				t.row("calls", fmt.Sprintf("%d, %d failed, %d restarts", p.Calls, p.Failures, p.Restarts))
				if p.LastError != "" {
					t.row("last error", p.LastError)
				}
				for _, h := range p.Handlers {
					t.row("handler", h)
				}
			})
		}
		return &exitError{exitMissing, fmt.Errorf("there is no plugin %q; see \"vwmp plugin list\"", args[0])}
	}
	return command
}
