// Package workflow is the workflow language: it reads a document strictly,
// compiles it to an immutable graph, puts references in and judges
// conditions.
//
// A document's way:
//  1. Parse reads YAML or JSON and tells every problem of shape at once,
//     with its place in the text.
//  2. Compile checks what the parts say of each other and of the handlers
//     there are, and makes a Graph.
//  3. BindParameters checks what an execution was given.
//  4. For each step, Expression.Eval judges its condition and
//     Template.Resolve puts values in; ApplyDefaults and CheckConfig make
//     the config that its handler gets.
//
// It is not the engine: it decides nothing about order in time, and knows no
// clock, network or file.
package workflow

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
	"github.com/vwmp/vwmp/pluginsdk"
)

// Format is the notation of a document.
type Format string

// The formats.
const (
	FormatYAML Format = "yaml"
	FormatJSON Format = "json"
)

// DetectFormat tells JSON from YAML by the first character that is not
// space.
func DetectFormat(data []byte) Format {
	data = bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n")
	if len(data) > 0 && data[0] == '{' {
		return FormatJSON
	}
	return FormatYAML
}

// Document is a decoded definition with the place of everything in its
// text.
type Document struct {
	Definition *Definition
	Format     Format

	root *tree.Node
	// prefix is the pointer to the definition: "/workflow" where it stands
	// under that key, else "".
	prefix string
	// broken is set when the text had errors, so that Compile doesn't
	// report what follows from them.
	broken bool
}

// ParseOptions says how a document is read.
type ParseOptions struct {
	// Format is that of the text; empty means DetectFormat.
	Format Format
	// IgnoreMetadata accepts the keys that the API adds to a definition
	// (id, revision, …) at the top level, and drops them.
	IgnoreMetadata bool
}

// Prefix returns the JSON pointer at which the definition stands in the
// text: "" or "/workflow".
func (d *Document) Prefix() string { return d.prefix }

// Position returns the line and column, counted from 1, of the value that
// a JSON pointer names, or of the nearest one around it.
func (d *Document) Position(pointer string) (line, column int) {
	return d.root.Locate(pointer)
}

// Parse reads a document strictly and returns all problems at once, each
// with its place. The document is nil only if the text can't be read at all
// or isn't a map. A document with errors is as complete as the text allows;
// Compile makes no graph of it.
func Parse(data []byte, opts ParseOptions) (*Document, Problems) {
	format := opts.Format
	if format == "" {
		format = DetectFormat(data)
	}
	var root *tree.Node
	var issues []tree.Issue
	if format == FormatJSON {
		data = bytes.TrimPrefix(data, []byte("\ufeff"))
		root, issues = tree.ReadJSON(data, tree.Limits{Bytes: MaxJSON, Depth: MaxDepth})
	} else {
		root, issues = tree.ReadYAML(data, tree.Limits{Bytes: MaxYAML, Depth: MaxDepth})
	}
	d := &decoder{ignoreMetadata: opts.IgnoreMetadata}
	for _, issue := range issues {
		d.problems = append(d.problems, pluginsdk.Problem{
			Severity: pluginsdk.SeverityError, Pointer: issue.Pointer, Code: issue.Code, Message: issue.Message,
			Line: issue.Line, Column: issue.Column,
		})
	}
	if root == nil {
		return nil, d.problems.Sort()
	}
	if root.Kind != tree.Object {
		d.add(root, nil, "wrong_type", "A workflow is a map with at least name and steps; found %s.", root.Kind)
		return nil, d.problems.Sort()
	}
	doc := &Document{Format: format, root: root}
	body, at := root, (*location)(nil)
	if inner := root.Get("workflow"); inner != nil && len(root.Members) == 1 {
		doc.prefix, body, at = "/workflow", inner, at.key("workflow")
		if inner.Kind != tree.Object {
			d.add(inner, at, "wrong_type", "A workflow is a map with at least name and steps; found %s.", inner.Kind)
			return nil, d.problems.Sort()
		}
	}
	doc.Definition = d.definition(body, at)
	problems := d.problems.Sort()
	doc.broken = problems.HasErrors()
	return doc, problems
}

// NewDocument makes a document of a definition that was made by a program,
// by way of its JSON.
func NewDocument(definition *Definition) (*Document, Problems) {
	data, err := json.Marshal(definition)
	if err != nil {
		return nil, Problems{{
			Severity: pluginsdk.SeverityError, Code: "wrong_type",
			Message: fmt.Sprintf("The definition can't be written as JSON: %v.", err),
		}}
	}
	return Parse(data, ParseOptions{Format: FormatJSON})
}
