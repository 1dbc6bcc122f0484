package earlier

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
	"github.com/vwmp/vwmp/engine/workflow/textedit"
)

// handlers are those that have another name today.
var handlers = map[string]string{
	"confidentia.kanban_update":  "vwmp.kanban_update",
	"confidentia.run_validators": "vwmp.run_validators",
}

// Translate makes a text in today's language of one of the earlier
// platform, and says in sentences what it changed. A text that needs no
// change is returned as it is; so is one that can't be read.
//
//   - Keys outside of config that are null are left out: they are what
//     Python writes of a value that isn't set.
//   - A version that is a number becomes a text of three parts.
//   - Handlers that were renamed get their names of today.
//
// Comments and order stay where the text allows it; else a note says that it
// was written anew.
func Translate(text []byte) (translated []byte, notes []string) {
	format := workflow.DetectFormat(text)
	read := tree.ReadYAML
	limits := tree.Limits{Bytes: workflow.MaxYAML, Depth: workflow.MaxDepth}
	if format == workflow.FormatJSON {
		read, limits.Bytes = tree.ReadJSON, workflow.MaxJSON
	}
	root, issues := read(text, limits)
	if root == nil || root.Kind != tree.Object || len(issues) > 0 {
		return text, nil
	}
	t := &translator{}
	changed := t.document(root)
	if len(t.notes) == 0 {
		return text, nil
	}
	wanted := changed.AppendJSON(nil)
	if format == workflow.FormatJSON {
		return wanted, t.notes
	}
	if edited, ok := textedit.Update(text, wanted); ok && settled(edited) {
		return edited, t.notes
	}
	t.note("The text was written anew, without comments.")
	return changed.AppendYAML(nil), t.notes
}

// settled reports whether a text needs no change any more: an edit leaves what
// is no part of a definition, such as an id.
func settled(text []byte) bool {
	root, issues := tree.ReadYAML(text, tree.Limits{Bytes: workflow.MaxYAML, Depth: workflow.MaxDepth})
	if root == nil || len(issues) > 0 {
		return false
	}
	again := &translator{}
	again.document(root)
	return len(again.notes) == 0
}

type translator struct{ notes []string }

func (t *translator) note(format string, args ...any) {
	if note := fmt.Sprintf(format, args...); !slices.Contains(t.notes, note) {
		t.notes = append(t.notes, note)
	}
}

// document translates a copy of the tree; the tree itself stays.
func (t *translator) document(root *tree.Node) *tree.Node {
	if inner := root.Get("workflow"); inner != nil && len(root.Members) == 1 && inner.Kind == tree.Object {
		return object([]tree.Member{{Key: "workflow", Value: t.workflow(inner)}})
	}
	return t.workflow(root)
}

func object(members []tree.Member) *tree.Node {
	return &tree.Node{Kind: tree.Object, Members: members}
}

func (t *translator) workflow(n *tree.Node) *tree.Node {
	return t.members(n, "", func(m tree.Member) *tree.Node {
		switch m.Key {
		case "version":
			return t.version(m.Value)
		case "steps":
			return t.list(m.Value, t.step)
		case "parameters", "triggers":
			return t.list(m.Value, func(item *tree.Node) *tree.Node {
				return t.members(item, fmt.Sprintf(" of %s", nameOf(item)), func(m tree.Member) *tree.Node { return m.Value })
			})
		}
		return m.Value
	})
}

func nameOf(n *tree.Node) string {
	for _, key := range []string{"id", "name"} {
		if name := n.Get(key); name != nil && name.Kind == tree.String {
			return name.Text
		}
	}
	return "an item"
}

// members copies an object without what is null, where null is no value of
// a key.
func (t *translator) members(n *tree.Node, of string, value func(tree.Member) *tree.Node) *tree.Node {
	if n.Kind != tree.Object {
		return n
	}
	var kept []tree.Member
	for _, m := range n.Members {
		if m.Value.Kind == tree.Null {
			t.note("%s%s was null and is left out.", m.Key, of)
			continue
		}
		kept = append(kept, tree.Member{Key: m.Key, Value: value(m)})
	}
	return object(kept)
}

func (t *translator) list(n *tree.Node, item func(*tree.Node) *tree.Node) *tree.Node {
	if n.Kind != tree.Array {
		return n
	}
	made := &tree.Node{Kind: tree.Array}
	for _, one := range n.Items {
		made.Items = append(made.Items, item(one))
	}
	return made
}

func (t *translator) step(n *tree.Node) *tree.Node {
	return t.members(n, " of step "+nameOf(n), func(m tree.Member) *tree.Node {
		if m.Key != "handler" || handlers[m.Value.Text] == "" {
			return m.Value
		}
		t.note("The handler %s of step %s is %s today.", m.Value.Text, nameOf(n), handlers[m.Value.Text])
		return &tree.Node{Kind: tree.String, Text: handlers[m.Value.Text]}
	})
}

// version makes a text of three parts of a number.
func (t *translator) version(n *tree.Node) *tree.Node {
	if n.Kind != tree.Number {
		return n
	}
	parts := strings.Split(n.Text, ".")
	for len(parts) < 3 {
		parts = append(parts, "0")
	}
	made := &tree.Node{Kind: tree.String, Text: strings.Join(parts, ".")}
	t.note("The version %s is written as %q.", n.Text, made.Text)
	return made
}
