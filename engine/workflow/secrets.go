package workflow

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
)

// SecretParameters returns the names of the parameters of type secret.
func (d *Definition) SecretParameters() []string {
	var names []string
	for i := range d.Parameters {
		if d.Parameters[i].Type == string(ParameterSecret) {
			names = append(names, d.Parameters[i].Name)
		}
	}
	return names
}

// Secrets returns the names of the stored secrets that any step's config
// refers to, sorted.
func (g *Graph) Secrets() []string { return slices.Clone(g.secrets) }

func (g *Graph) collectSecrets() {
	for i := range g.nodes {
		g.secrets = append(g.secrets, g.nodes[i].Config.Secrets()...)
	}
	slices.Sort(g.secrets)
	g.secrets = slices.Compact(g.secrets)
}

// MapSecrets returns parameters, a JSON object, with the text of each secret
// one replaced by what change returns for its name and text. Those that are
// not there, or null, are left alone. The parameters are returned as they are
// where none is secret.
func MapSecrets(def *Definition, parameters json.RawMessage, change func(name, text string) string) (json.RawMessage, error) {
	names := def.SecretParameters()
	if len(names) == 0 {
		return parameters, nil
	}
	object, err := readObject(parameters)
	if err != nil {
		// The text may hold a secret, so it is not repeated.
		return nil, fmt.Errorf("read the parameters: %w", err)
	}
	result := &tree.Node{Kind: tree.Object, Members: slices.Clone(object.Members)}
	for i := range result.Members {
		member := &result.Members[i]
		if member.Value.Kind == tree.String && slices.Contains(names, member.Key) {
			member.Value = &tree.Node{Kind: tree.String, Text: change(member.Key, member.Value.Text)}
		}
	}
	return result.AppendJSON(nil), nil
}

// CheckHiddenConfig is CheckConfig for a config with placeholders, to be
// replaced by values that must not be seen: the strings that hold one are not
// judged.
func CheckHiddenConfig(h *Handler, config json.RawMessage, pointerPrefix, stepID string, placeholders []string) Problems {
	schema, err := h.Schema()
	if err != nil || len(placeholders) == 0 {
		return CheckConfig(h, config, pointerPrefix, stepID)
	}
	open := &openPlaces{}
	if node, _ := tree.ReadJSON(config, tree.Limits{}); node != nil {
		open.collect(node, "", placeholders)
	}
	return checkSchema(schema, config, open, pointerPrefix, stepID)
}

// collect opens each string that holds one of some texts.
func (o *openPlaces) collect(n *tree.Node, pointer string, texts []string) {
	switch n.Kind {
	case tree.String:
		if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(n.Text, text) }) {
			o.pointers = append(o.pointers, pointer)
		}
	case tree.Array:
		for i, item := range n.Items {
			o.collect(item, fmt.Sprintf("%s/%d", pointer, i), texts)
		}
	case tree.Object:
		for i := range n.Members {
			o.collect(n.Members[i].Value, pointer+"/"+tree.Escape(n.Members[i].Key), texts)
		}
	}
}
