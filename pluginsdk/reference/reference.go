// Package reference writes the reference page of a plugin from the plugin's own
// description, so that what people read and what the plugin checks are one.
package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/vwmp/vwmp/pluginsdk"
)

// effects say what a crash means for a step of each class.
var effects = map[pluginsdk.EffectClass]string{
	pluginsdk.EffectPure:         "reads or computes only; after a crash it runs again",
	pluginsdk.EffectIdempotent:   "running it again leads to the same; after a crash it runs again",
	pluginsdk.EffectKeyed:        "repetitions are recognised; after a crash it runs again",
	pluginsdk.EffectReconcilable: "after a crash it finds out what became of it",
	pluginsdk.EffectUnsafe:       "after a crash a person, or the step's `on_interrupt`, decides",
}

// Row is the plugin's row in a table of plugins: its name with a link to its
// page, what it does, and its handlers.
func Row(d *pluginsdk.Description) string {
	var names []string
	for _, handler := range d.Handlers {
		names = append(names, "`"+strings.TrimPrefix(handler.Path, d.Name+".")+"`")
	}
	return fmt.Sprintf("| [%s](%s.md) | %s | %s |\n", d.Name, d.Name, cell(d.Description), strings.Join(names, ", "))
}

// Page is the plugin's page in Markdown. The same description gives the same
// text; the build it was made from is left out. The error is one of a schema
// or an example that is not JSON.
func Page(d *pluginsdk.Description) (string, error) {
	var out strings.Builder
	fmt.Fprintf(&out, "<!-- Made from the plugin's own description by \"make generate\". -->\n\n# %s\n\n%s\n\nWhat its process may write, read and see is bounded by [the fence](../plugins.md#the-fence) around every plugin.\n\n| handler | does |\n| --- | --- |\n", d.Name, d.Description)
	for _, handler := range d.Handlers {
		fmt.Fprintf(&out, "| [`%s`](#%s) | %s |\n", handler.Path, strings.ReplaceAll(handler.Path, ".", ""), cell(handler.Name))
	}
	if len(d.AdapterSchema) > 0 {
		fmt.Fprintf(&out, "\n## Configuration\n\nIn `vwmp.yaml` below `plugins.%s.adapter`:\n\n", d.Name)
		if err := writeTable(&out, d.AdapterSchema, true); err != nil {
			return "", fmt.Errorf("the adapter schema: %w", err)
		}
	}
	for i := range d.Handlers {
		if err := writeHandler(&out, &d.Handlers[i]); err != nil {
			return "", fmt.Errorf("%s: %w", d.Handlers[i].Path, err)
		}
	}
	for _, kind := range d.WorkflowTypes {
		fmt.Fprintf(&out, "\n## Workflow type `%s`\n\n%s\n", kind.Name, kind.Description)
		for _, template := range kind.Templates {
			fmt.Fprintf(&out, "\n- **%s**: %s `vwmp workflow import --template \"%s/%s\"`\n", template.Name, template.Description, kind.Name, template.Name)
		}
		if len(kind.ConfigSchema) > 0 {
			out.WriteString("\nThe workflow's `config`:\n\n")
			if err := writeTable(&out, kind.ConfigSchema, true); err != nil {
				return "", fmt.Errorf("workflow type %s: %w", kind.Name, err)
			}
		}
	}
	return out.String(), nil
}

func writeHandler(out *strings.Builder, info *pluginsdk.HandlerInfo) error {
	fmt.Fprintf(out, "\n## %s\n\n**%s.** %s\n\n", info.Path, info.Name, info.Description)
	able := []string{"`" + string(info.Effect) + "`: " + effects[info.Effect]}
	for _, ability := range []struct {
		isThere bool
		text    string
	}{
		{info.Capabilities.Plan, "a dry run shows what it would do"},
		{info.Capabilities.Undo, "it can be undone"},
	} {
		if ability.isThere {
			able = append(able, ability.text)
		}
	}
	if retry := info.DefaultRetry; retry != nil {
		able = append(able, fmt.Sprintf("unless the step says otherwise it is tried %d times", retry.MaxAttempts))
	}
	if info.DefaultTimeout > 0 {
		able = append(able, fmt.Sprintf("unless the step says otherwise it may take %s", info.DefaultTimeout.Round(time.Second)))
	}
	fmt.Fprintf(out, "%s.\n\n", strings.Join(able, "; "))
	if err := writeTable(out, info.ConfigSchema, true); err != nil {
		return fmt.Errorf("the config schema: %w", err)
	}
	if len(info.Example) > 0 {
		example, err := yaml.JSONToYAML(info.Example)
		if err != nil {
			return fmt.Errorf("the example: %w", err)
		}
		out.WriteString("\n```yaml\nhandler: " + info.Path + "\nconfig:\n")
		for line := range strings.Lines(string(example)) {
			out.WriteString("  " + line)
		}
		out.WriteString("```\n")
	}
	out.WriteString("\nOutput:\n\n")
	if err := writeTable(out, info.OutputSchema, false); err != nil {
		return fmt.Errorf("the output schema: %w", err)
	}
	return nil
}

// schema is what a table needs of a JSON Schema.
type schema struct {
	Type        any               `json:"type"`
	Format      string            `json:"format"`
	Description string            `json:"description"`
	Default     json.RawMessage   `json:"default"`
	Enum        []json.RawMessage `json:"enum"`
	Required    []string          `json:"required"`
	Minimum     *json.Number      `json:"minimum"`
	Maximum     *json.Number      `json:"maximum"`
	Properties  map[string]schema `json:"properties"`
	Items       *schema           `json:"items"`
	Secret      bool              `json:"x-vwmp-secret"`
}

// UnmarshalJSON reads a schema, which may also be true or false.
func (s *schema) UnmarshalJSON(raw []byte) error {
	if string(raw) == "true" || string(raw) == "false" {
		return nil
	}
	type plain schema
	return json.Unmarshal(raw, (*plain)(s))
}

func writeTable(out *strings.Builder, raw json.RawMessage, isConfig bool) error {
	var s schema
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	if len(s.Properties) == 0 {
		out.WriteString("None.\n")
		return nil
	}
	if isConfig {
		out.WriteString("| key | type | default | |\n| --- | --- | --- | --- |\n")
	} else {
		out.WriteString("| key | type | |\n| --- | --- | --- |\n")
	}
	writeRows(out, s, "", isConfig)
	return nil
}

func writeRows(out *strings.Builder, s schema, within string, isConfig bool) {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		property := s.Properties[name]
		fmt.Fprintf(out, "| `%s%s` | %s |", within, name, cell(property.kind()))
		if isConfig {
			what := " "
			switch {
			case slices.Contains(s.Required, name):
				what = " required "
			case len(property.Default) > 0 && string(property.Default) != `""`:
				what = " `" + cell(compact(property.Default)) + "` "
			}
			out.WriteString(what + "|")
		}
		description := property.Description
		if property.Secret {
			description += " Secret."
		}
		fmt.Fprintf(out, " %s |\n", cell(description))
		switch {
		case len(property.Properties) > 0:
			writeRows(out, property, within+name+".", isConfig)
		case property.Items != nil && len(property.Items.Properties) > 0:
			writeRows(out, *property.Items, within+name+"[].", isConfig)
		}
	}
}

// compact writes JSON on one line, however it came.
func compact(raw json.RawMessage) string {
	var out bytes.Buffer
	if err := json.Compact(&out, raw); err != nil {
		return string(raw)
	}
	return out.String()
}

// kind tells a type with its choices and bounds.
func (s schema) kind() string {
	text := "any"
	switch t := s.Type.(type) {
	case string:
		text = t
	case []any:
		var names []string
		for _, name := range t {
			if name != "null" {
				names = append(names, fmt.Sprint(name))
			}
		}
		text = strings.Join(names, " or ")
	}
	switch {
	case s.Format == "vwmp-duration":
		text = "duration"
	case text == "array" && s.Items != nil:
		text = "list of " + s.Items.kind()
	}
	if len(s.Enum) > 0 {
		var choices []string
		for _, choice := range s.Enum {
			choices = append(choices, "`"+strings.Trim(string(choice), `"`)+"`")
		}
		text = strings.Join(choices, ", ")
	}
	switch {
	case s.Minimum != nil && s.Maximum != nil:
		text += fmt.Sprintf(", %s to %s", *s.Minimum, *s.Maximum)
	case s.Minimum != nil:
		text += fmt.Sprintf(", from %s", *s.Minimum)
	case s.Maximum != nil:
		text += fmt.Sprintf(", up to %s", *s.Maximum)
	}
	return text
}

// cell keeps a text from ending its table cell.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(text)
}
