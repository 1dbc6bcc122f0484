package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/host/pluginhost"
	"github.com/vwmp/vwmp/pluginsdk"
)

// checkReport is what a plugin's binary would change.
type checkReport struct {
	Plugin   string `json:"plugin"`
	Version  string `json:"version"`
	Checksum string `json:"checksum"`
	// Before is the version in use, empty where there is none.
	Before string `json:"before,omitempty"`
	// Added, Removed and Changed are paths of handlers.
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	Changed []string `json:"changed"`
	// Breaks is what in stored workflows would break.
	Breaks []pluginBreak `json:"breaks"`
	// Workflows counts those that were looked at.
	Workflows int `json:"workflows"`
}

type pluginBreak struct {
	WorkflowID   string `json:"workflow_id"`
	WorkflowName string `json:"workflow_name"`
	StepID       string `json:"step_id,omitempty"`
	Handler      string `json:"handler,omitempty"`
	Code         string `json:"code"`
	Message      string `json:"message"`
}

func pluginCheck(where *target) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use: "check BINARY", Short: "Say what a plugin's binary would change, and which stored workflows it would break", Args: cobra.ExactArgs(1),
		Long: `Starts the binary (or the folder with a plugin.yaml) to ask it what it offers, and compares that with the plugin
of the same name that is in use. Nothing is taken up. It ends with 1 where stored workflows would break.`,
		Example: "  vwmp plugin check ./vwmp-plugin-git\n  vwmp plugin check ./my-plugin --output json",
	}
	outputFlag(command, &output)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := loadSettings(embeddedFlags(cmd, where.data), getenv)
		if err != nil {
			return err
		}
		described, err := pluginhost.Describe(cmd.Context(), args[0], pluginhost.Options{DataDir: s.Data, Logger: runLogger(cmd, s)})
		if err != nil {
			return err
		}
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		report, err := checkPlugin(cmd.Context(), c, described)
		if err != nil {
			return err
		}
		if err := printValue(cmd.OutOrStdout(), output, report, report.draw); err != nil {
			return err
		}
		if len(report.Breaks) > 0 {
			return &exitError{exitFailed, nil}
		}
		return nil
	}
	return command
}

func checkPlugin(ctx context.Context, c *client, described pluginhost.Described) (*checkReport, error) {
	after := described.Description
	before, others, err := fetchDescriptions(ctx, c, after.Name)
	if err != nil {
		return nil, err
	}
	report := &checkReport{
		Plugin: after.Name, Version: after.Version, Checksum: described.Checksum,
		Added: []string{}, Removed: []string{}, Changed: []string{}, Breaks: []pluginBreak{},
	}
	report.compare(before, after)
	comparison := pluginhost.NewComparison(others, before, after)
	err = eachStored(ctx, c, func(id, name string, document json.RawMessage) {
		report.Workflows++
		for _, impact := range comparison.Check(pluginhost.Workflow{ID: id, Name: name, Document: document}) {
			report.Breaks = append(report.Breaks, pluginBreak(impact))
		}
	})
	return report, err
}

// fetchDescriptions asks the server what its plugins offer: the one of this
// name, nil where there is none, and the others.
func fetchDescriptions(ctx context.Context, c *client, name string) (before *pluginsdk.Description, others []*pluginsdk.Description, err error) {
	var handlers struct {
		Handlers []struct {
			pluginsdk.HandlerInfo
			Plugin        string `json:"plugin"`
			PluginVersion string `json:"plugin_version"`
		} `json:"handlers"`
	}
	if err := c.call(ctx, http.MethodGet, "/step-handlers/", nil, nil, &handlers); err != nil {
		return nil, nil, err
	}
	var types struct {
		Types []struct {
			pluginsdk.WorkflowType
			Plugin string `json:"plugin"`
		} `json:"types"`
	}
	if err := c.call(ctx, http.MethodGet, "/workflow-types/", nil, nil, &types); err != nil {
		return nil, nil, err
	}
	byName := map[string]*pluginsdk.Description{}
	of := func(plugin string) *pluginsdk.Description {
		if byName[plugin] == nil {
			byName[plugin] = &pluginsdk.Description{Name: plugin}
		}
		return byName[plugin]
	}
	for _, h := range handlers.Handlers {
		d := of(h.Plugin)
		d.Version, d.Handlers = h.PluginVersion, append(d.Handlers, h.HandlerInfo)
	}
	for _, kind := range types.Types {
		d := of(kind.Plugin)
		d.WorkflowTypes = append(d.WorkflowTypes, kind.WorkflowType)
	}
	for plugin, d := range byName {
		if plugin != name && plugin != workflow.BuiltinPlugin {
			others = append(others, d)
		}
	}
	return byName[name], others, nil
}

// eachStored calls each with every stored workflow that has a definition.
func eachStored(ctx context.Context, c *client, each func(id, name string, document json.RawMessage)) error {
	const page = 1000
	for offset := 0; ; offset += page {
		var list []struct{ ID, Name string }
		query := url.Values{"limit": {strconv.Itoa(page)}, "offset": {strconv.Itoa(offset)}}
		if err := c.call(ctx, http.MethodGet, "/workflows/", query, nil, &list); err != nil {
			return err
		}
		for _, w := range list {
			var document json.RawMessage
			if err := c.call(ctx, http.MethodGet, "/workflows/"+url.PathEscape(w.ID)+"/", nil, nil, &document); err != nil {
				return err
			}
			each(w.ID, w.Name, document)
		}
		if len(list) < page {
			return nil
		}
	}
}

// compare lists how the handlers differ.
func (r *checkReport) compare(before, after *pluginsdk.Description) {
	if before == nil {
		before = &pluginsdk.Description{}
	}
	r.Before = before.Version
	for i := range after.Handlers {
		now := &after.Handlers[i]
		was, found := before.Handler(now.Path)
		switch {
		case !found:
			r.Added = append(r.Added, now.Path)
		case !sameSchema(was.ConfigSchema, now.ConfigSchema) || !sameSchema(was.OutputSchema, now.OutputSchema) || effectOf(was) != effectOf(*now):
			r.Changed = append(r.Changed, now.Path)
		}
	}
	for i := range before.Handlers {
		if _, found := after.Handler(before.Handlers[i].Path); !found {
			r.Removed = append(r.Removed, before.Handlers[i].Path)
		}
	}
	for _, list := range [][]string{r.Added, r.Removed, r.Changed} {
		slices.Sort(list)
	}
}

func effectOf(info pluginsdk.HandlerInfo) pluginsdk.EffectClass {
	return cmp.Or(info.Effect, pluginsdk.EffectUnsafe)
}

// sameSchema compares two values without regard to white space; null is none.
func sameSchema(a, b json.RawMessage) bool {
	compact := func(raw json.RawMessage) string {
		var out bytes.Buffer
		if json.Compact(&out, raw) != nil || out.String() == "null" {
			return ""
		}
		return out.String()
	}
	return compact(a) == compact(b)
}

func (r *checkReport) draw(t *table) {
	before := cmp.Or(r.Before, "none")
	t.row("plugin", r.Plugin)
	t.row("version", fmt.Sprintf("%s (in use: %s)", r.Version, before))
	t.row("sha256", r.Checksum)
	for _, each := range []struct {
		what string
		list []string
	}{{"new", r.Added}, {"removed", r.Removed}, {"changed", r.Changed}} {
		for _, path := range each.list {
			t.row(each.what, path)
		}
	}
	for _, b := range r.Breaks {
		t.row("breaks", fmt.Sprintf("workflow %q (%s), step %q: %s", b.WorkflowName, b.WorkflowID, b.StepID, b.Message))
	}
	if len(r.Breaks) == 0 {
		t.row("breaks", fmt.Sprintf("nothing in %d stored workflows", r.Workflows))
	}
}
