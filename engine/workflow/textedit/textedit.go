// Package textedit changes the text of a workflow that is kept as YAML so
// that it says what a new definition says, and leaves everything else as its
// author wrote it: comments, order, quotes, blank lines.
//
// An edit's way:
//  1. The text and the wanted definition are read; what differs between the
//     definition that the text has now and the wanted one is found value by
//     value. Values that are written differently but mean the same (5m and
//     300, a default that is spelled out) don't differ.
//  2. Each value that differs is replaced at its place; members and items
//     come and go as whole lines, with the comments right above them.
//  3. The new text is read again and must have exactly the wanted
//     definition. Where it has not, or where anchors or an unusual form
//     forbid the edit, there is none, and the caller writes the text anew.
//
// It is not a YAML library: it knows the forms that people write, and trusts
// none of its own work before it is read again. It is pure.
package textedit

import (
	"bytes"
	"slices"
	"strings"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
)

// Update returns the YAML text with the definition of a wanted document in
// JSON, and true; or nil and false where the text has to be written anew.
// Both may be documents with problems, and either may stand under a key
// "workflow".
func Update(text, wanted []byte) ([]byte, bool) {
	target, _ := workflow.Parse(wanted, workflow.ParseOptions{Format: workflow.FormatJSON, IgnoreMetadata: true})
	current, _ := workflow.Parse(text, workflow.ParseOptions{Format: workflow.FormatYAML, IgnoreMetadata: true})
	if current == nil || target == nil {
		return nil, false
	}
	wantedText := target.Definition.JSON()
	if len(wantedText) > mostWanted {
		return nil, false
	}
	edited, err := rewrite(text, current, readJSON(wantedText))
	if err != nil || !Means(edited, wanted) {
		return nil, false
	}
	return edited, true
}

// mostWanted bounds a definition that may still fit YAML's limit.
const mostWanted = 2 * workflow.MaxYAML

// Means reports whether a YAML text says what a document in JSON says: the
// same definition, but for the order of keys and the notation of numbers,
// and the same problems of shape, so that no text hides what a definition
// leaves out.
func Means(text, wanted []byte) bool {
	target, targetProblems := workflow.Parse(wanted, workflow.ParseOptions{Format: workflow.FormatJSON, IgnoreMetadata: true})
	got, problems := workflow.Parse(text, workflow.ParseOptions{Format: workflow.FormatYAML, IgnoreMetadata: true})
	if got == nil || target == nil {
		return false
	}
	return tree.Equal(readJSON(got.Definition.JSON()), readJSON(target.Definition.JSON())) &&
		slices.Equal(errorKeys(problems, got.Prefix()), errorKeys(targetProblems, target.Prefix()))
}

// rewrite makes the new text, which nobody has read again yet.
func rewrite(text []byte, current *workflow.Document, want *tree.Node) ([]byte, error) {
	body, mark := bytes.CutPrefix(text, []byte("\ufeff"))
	windows := bytes.Count(body, []byte("\r\n"))
	if windows > 0 {
		if windows != bytes.Count(body, []byte("\n")) {
			return nil, errForm
		}
		body = bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))
	}
	written, issues := tree.ReadYAML(body, tree.Limits{Bytes: workflow.MaxYAML, Depth: workflow.MaxDepth})
	if written == nil || len(issues) > 0 {
		return nil, errForm
	}
	root, err := readSpans(string(body))
	if err != nil || !fits(root, written) {
		return nil, errForm
	}
	if prefix := strings.TrimPrefix(current.Prefix(), "/"); prefix != "" {
		written = written.Get(prefix)
		root = root.entries[0].value
	}
	e := &editor{text: string(body)}
	if err := e.change(root, written, readJSON(current.Definition.JSON()), want); err != nil {
		return nil, err
	}
	edited, err := e.applied(0, len(e.text))
	if err != nil {
		return nil, err
	}
	if windows > 0 {
		edited = strings.ReplaceAll(edited, "\n", "\r\n")
	}
	if mark {
		edited = "\ufeff" + edited
	}
	return []byte(edited), nil
}

// readJSON reads what this program wrote itself; nil is never expected.
func readJSON(text []byte) *tree.Node {
	node, _ := tree.ReadJSON(text, tree.Limits{})
	return node
}

// fits reports whether the spans and the values that were read have one
// shape.
func fits(s *span, n *tree.Node) bool {
	switch s.form {
	case alias:
		return true
	case empty:
		return n.Kind == tree.Null
	case inline, lines:
		return n.Kind != tree.Object && n.Kind != tree.Array
	case blockMap, flowMap:
		if n.Kind != tree.Object || len(s.entries) != len(n.Members) {
			return false
		}
		for i := range s.entries {
			if !fits(s.entries[i].value, n.Members[i].Value) {
				return false
			}
		}
		return true
	}
	if n.Kind != tree.Array || len(s.entries) != len(n.Items) {
		return false
	}
	for i := range s.entries {
		if !fits(s.entries[i].value, n.Items[i]) {
			return false
		}
	}
	return true
}

// errorKeys names the errors among the problems, in a fixed order.
func errorKeys(problems workflow.Problems, prefix string) []string {
	var keys []string
	for _, p := range problems.Errors() {
		keys = append(keys, p.Code+" "+strings.TrimPrefix(p.Pointer, prefix))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
