package main

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

// handlerView is a handler as the API shows it.
type handlerView struct {
	Path          string          `json:"path"`
	Name          string          `json:"name"`
	Description   string          `json:"description"`
	Category      string          `json:"category"`
	Tags          []string        `json:"tags,omitempty"`
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
