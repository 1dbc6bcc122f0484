package workflow

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vwmp/vwmp/engine/workflow/internal/rawjson"
	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
)

// maxResolved bounds what a template becomes, in bytes.
const maxResolved = 16 << 20

// Template is a JSON value with references, parsed once. It is immutable
// and safe for concurrent use.
type Template struct {
	root       *part
	references []Reference
}

// part is one value of a template.
type part struct {
	// literal is the value's JSON where it holds no reference.
	literal []byte
	// whole is set where a string is one reference; pieces where a longer
	// string has some.
	whole  *Reference
	pieces []piece
	keys   []string
	values []*part
	object bool
}

// Scope gives the values that references stand for.
type Scope struct {
	StepID string
	// Config and Parameters are JSON objects.
	Config, Parameters json.RawMessage
	// Output returns the output of a step. It is not ok when the step was
	// skipped, failed or has not finished; reason says which.
	Output func(stepID string) (output json.RawMessage, ok bool, reason string)
	// Env looks up the host's environment; it is not ok for a name that is
	// not set or not allowed.
	Env func(name string) (value string, ok bool)
	// Adapter returns a plugin's own configuration as a JSON object, or nil.
	Adapter func(plugin string) json.RawMessage
	// Secret returns what is put in for ${secrets.NAME}: the caller passes
	// an opaque placeholder, never the value.
	Secret func(name string) (string, error)
	// AsWritten, where set, names the roots whose references are left as they
	// are written.
	AsWritten []string

	WorkspaceName   string
	ExecutionID     string
	StartedAt       time.Time
	WorkflowID      string
	WorkflowName    string
	WorkflowVersion string
	// Item is the value of ${item}, nil outside of for_each; Index is its
	// number.
	Item  json.RawMessage
	Index int
	// Trigger is what fired, for a trigger's parameters; else nil.
	Trigger json.RawMessage
}

// ReferenceError says that a reference leads to nothing.
type ReferenceError struct {
	StepID string
	// Pointer leads to the string within the template.
	Pointer string
	// Root is what the reference begins with.
	Root string
	// Reference is the reference as it is written.
	Reference string
	// Reason completes the sentence "… names nothing: ".
	Reason string
}

// Error tells the step, the key, the reference and what there is.
func (e *ReferenceError) Error() string {
	place := "the reference"
	if e.StepID != "" {
		place = fmt.Sprintf("step %q: the reference", e.StepID)
	}
	if e.Pointer == "" {
		return fmt.Sprintf("%s %s %s", place, e.Reference, e.Reason)
	}
	return fmt.Sprintf("%s %s at %s %s", place, e.Reference, e.Pointer, e.Reason)
}

// ParseTemplate takes the references of a JSON value apart. Problems have a
// pointer that begins with prefix.
func ParseTemplate(value json.RawMessage, prefix string) (*Template, Problems) {
	if len(value) == 0 {
		return nil, nil
	}
	// Issues such as a key that stands twice were reported when the document
	// was read.
	node, _ := tree.ReadJSON(value, tree.Limits{Depth: 4 * MaxDepth})
	if node == nil {
		return nil, Problems{newProblem(prefix, "", "wrong_type", "This is not a JSON value; correct it.")}
	}
	template := &Template{}
	var problems Problems
	template.root = template.build(node, value, "", func(pointer string, err *syntaxError) {
		problems = append(problems, newProblem(prefix+pointer, "", err.code, "The reference %s %s.", err.reference, err.reason))
	})
	return template, problems
}

// build makes the part of one value; raw is its JSON, or nil where that
// isn't at hand.
func (t *Template) build(n *tree.Node, raw []byte, pointer string, fail func(string, *syntaxError)) *part {
	literal := func() *part {
		if raw == nil {
			raw = n.AppendJSON(nil)
		}
		return &part{literal: raw}
	}
	if !hasDollar(n) {
		return literal()
	}
	switch n.Kind {
	case tree.String:
		pieces, mistakes := splitString(n.Text)
		for _, mistake := range mistakes {
			fail(pointer, mistake)
		}
		if len(pieces) == 1 && pieces[0].reference == nil {
			return &part{literal: tree.AppendString(nil, pieces[0].text)}
		}
		for _, piece := range pieces {
			if piece.reference != nil {
				piece.reference.Pointer = pointer
				t.references = append(t.references, *piece.reference)
			}
		}
		if len(pieces) == 1 {
			return &part{whole: pieces[0].reference}
		}
		return &part{pieces: pieces}
	case tree.Array:
		result := &part{values: make([]*part, len(n.Items))}
		for i, item := range n.Items {
			result.values[i] = t.build(item, nil, fmt.Sprintf("%s/%d", pointer, i), fail)
		}
		return result
	case tree.Object:
		result := &part{object: true, keys: make([]string, len(n.Members)), values: make([]*part, len(n.Members))}
		for i := range n.Members {
			member := &n.Members[i]
			result.keys[i] = member.Key
			result.values[i] = t.build(member.Value, nil, pointer+"/"+tree.Escape(member.Key), fail)
		}
		return result
	}
	return literal()
}

// hasDollar reports whether any string within holds "${".
func hasDollar(n *tree.Node) bool {
	switch n.Kind {
	case tree.String:
		return strings.Contains(n.Text, "${")
	case tree.Array:
		return slices.ContainsFunc(n.Items, hasDollar)
	case tree.Object:
		for i := range n.Members {
			if hasDollar(n.Members[i].Value) {
				return true
			}
		}
	}
	return false
}

// References returns all references in the order of the text.
func (t *Template) References() []Reference {
	if t == nil {
		return nil
	}
	return slices.Clone(t.references)
}

// Secrets returns the names of the secrets that are referred to, sorted.
func (t *Template) Secrets() []string {
	if t == nil {
		return nil
	}
	var names []string
	for i := range t.references {
		if t.references[i].Root == RootSecrets {
			names = append(names, t.references[i].Name())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Resolve puts the values in, once: what is put in is data and never read
// for references. A string that is one reference becomes the value with its
// type; inside longer text a value is written as text, maps and lists as
// compact JSON, null as nothing. The error is a *ReferenceError.
func (t *Template) Resolve(scope *Scope) (json.RawMessage, error) {
	if t == nil {
		return nil, nil
	}
	if t.root.literal != nil {
		return t.root.literal, nil
	}
	return t.root.resolve(nil, scope)
}

func (p *part) resolve(dst []byte, scope *Scope) ([]byte, error) {
	var err error
	switch {
	case p.literal != nil:
		return append(dst, p.literal...), nil
	case p.whole != nil:
		value, err := scope.lookup(p.whole)
		if err != nil {
			return nil, err
		}
		if len(dst)+len(value) > maxResolved {
			return nil, scope.fail(p.whole, fmt.Sprintf("makes the value larger than %d MiB; refer to a part of it", maxResolved>>20))
		}
		return append(dst, value...), nil
	case p.pieces != nil:
		return p.resolveText(dst, scope)
	case p.object:
		dst = append(dst, '{')
		for i, value := range p.values {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(tree.AppendString(dst, p.keys[i]), ':')
			if dst, err = value.resolve(dst, scope); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	}
	dst = append(dst, '[')
	for i, value := range p.values {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = value.resolve(dst, scope); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

func (p *part) resolveText(dst []byte, scope *Scope) ([]byte, error) {
	var text strings.Builder
	for _, piece := range p.pieces {
		if piece.reference == nil {
			text.WriteString(piece.text)
			continue
		}
		value, err := scope.lookup(piece.reference)
		if err != nil {
			return nil, err
		}
		if len(dst)+text.Len()+len(value) > maxResolved {
			return nil, scope.fail(piece.reference, fmt.Sprintf("makes the value larger than %d MiB; refer to a part of it", maxResolved>>20))
		}
		text.WriteString(asText(value))
	}
	return tree.AppendString(dst, text.String()), nil
}

// asText writes a value inside a longer string.
func asText(value json.RawMessage) string {
	switch rawjson.Kind(value) {
	case "string":
		return rawjson.Text(value)
	case "null":
		return ""
	case "map", "list":
		if node, _ := tree.ReadJSON(value, tree.Limits{}); node != nil {
			return string(node.AppendJSON(nil))
		}
	}
	return string(value)
}

func (s *Scope) fail(reference *Reference, reason string) *ReferenceError {
	return &ReferenceError{StepID: s.StepID, Pointer: reference.Pointer, Root: reference.Root, Reference: reference.Text, Reason: reason}
}

// lookup returns what a reference stands for, or its default.
func (s *Scope) lookup(reference *Reference) (json.RawMessage, error) {
	value, reason := s.find(reference)
	if reason == "" {
		return value, nil
	}
	if reference.Default != nil {
		return reference.Default, nil
	}
	return nil, s.fail(reference, reason)
}

// find returns the value, or a reason why there is none.
func (s *Scope) find(reference *Reference) (json.RawMessage, string) {
	if slices.Contains(s.AsWritten, reference.Root) {
		return quote(reference.Text), ""
	}
	path := reference.Path
	switch reference.Root {
	case RootConfig:
		return follow(s.Config, path, "the workflow's config")
	case RootParameters:
		return follow(s.Parameters, path, "the parameters")
	case RootStepOutputs:
		return s.findOutput(path)
	case RootEnv:
		if s.Env != nil {
			if value, ok := s.Env(reference.Name()); ok {
				return quote(value), ""
			}
		}
		return nil, "names an environment variable that is not set, or that the host's configuration (env_allow) does not pass on"
	case RootAdapter:
		var config json.RawMessage
		if s.Adapter != nil {
			config = s.Adapter(path[0].Key)
		}
		if config == nil {
			return nil, fmt.Sprintf("names nothing: the plugin %q has no configuration", path[0].Key)
		}
		return follow(config, path[1:], fmt.Sprintf("the configuration of plugin %q", path[0].Key))
	case RootSecrets:
		if s.Secret == nil {
			return nil, "can't be used here: there are no secrets"
		}
		value, err := s.Secret(reference.Name())
		if err != nil {
			return nil, "can't be used: " + err.Error()
		}
		return quote(value), ""
	case RootItem:
		if s.Item == nil {
			return nil, "has a value only in a step with for_each"
		}
		return follow(s.Item, path, "the item")
	case RootTrigger:
		if s.Trigger == nil {
			return nil, "has a value only in a trigger's parameters"
		}
		return follow(s.Trigger, path, "what fired the trigger")
	}
	return s.findWord(reference)
}

// findWord returns the values that are the same for a whole execution.
func (s *Scope) findWord(reference *Reference) (json.RawMessage, string) {
	switch reference.Root + "." + reference.Name() {
	case "workspace.name":
		return quote(s.WorkspaceName), ""
	case "execution.id":
		return quote(s.ExecutionID), ""
	case "execution.started_at":
		return quote(formatTime(s.StartedAt)), ""
	case "workflow.id":
		return quote(s.WorkflowID), ""
	case "workflow.name":
		return quote(s.WorkflowName), ""
	case "workflow.version":
		return quote(s.WorkflowVersion), ""
	case "index.":
		if s.Item == nil {
			return nil, "has a value only in a step with for_each"
		}
		return fmt.Append(nil, s.Index), ""
	}
	return nil, "names nothing"
}

func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func (s *Scope) findOutput(path []rawjson.Segment) (json.RawMessage, string) {
	step := path[0].Key
	if s.Output == nil {
		return nil, "can't be used here: there are no outputs"
	}
	output, ok, reason := s.Output(step)
	if !ok {
		if reason == "" {
			reason = "has no output"
		}
		return nil, fmt.Sprintf("has no value: step %q %s; add a default, such as | default \"none\"", step, reason)
	}
	if output == nil {
		output = json.RawMessage("null")
	}
	return follow(output, path[1:], fmt.Sprintf("the output of step %q", step))
}

func quote(text string) json.RawMessage { return tree.AppendString(nil, text) }

// follow looks a path up and says, where it leads to nothing, what there
// is.
func follow(data json.RawMessage, path []rawjson.Segment, what string) (json.RawMessage, string) {
	if len(data) == 0 {
		data = json.RawMessage("{}")
	}
	value, missing := rawjson.Lookup(data, path)
	if missing == nil {
		return value, ""
	}
	if missing.Depth > 0 {
		way := ""
		for _, segment := range path[:missing.Depth] {
			way += segment.String()
		}
		what = fmt.Sprintf("%s in %s", strings.TrimPrefix(way, "."), what)
	}
	segment := path[missing.Depth]
	switch {
	case missing.Kind == "map" && segment.Index < 0:
		var suggest suggester
		if nearest := suggest.nearest(segment.Key, slices.Values(missing.Keys)); nearest != "" {
			return nil, fmt.Sprintf("names nothing: %s has no key %q; did you mean %q?", what, segment.Key, nearest)
		}
		return nil, fmt.Sprintf("names nothing: %s has no key %q%s", what, segment.Key, listKeys(missing.Keys))
	case missing.Kind == "list" && segment.Index >= 0:
		return nil, fmt.Sprintf("names nothing: %s has %d %s, counted from 0", what, missing.Length, plural(missing.Length, "item", "items"))
	}
	return nil, fmt.Sprintf("names nothing: %s is a %s, which has no %s", what, missing.Kind, strings.TrimPrefix(segment.String(), "."))
}

func listKeys(keys []string) string {
	if len(keys) == 0 {
		return "; it is empty"
	}
	shown := keys[:min(len(keys), 10)]
	more := ""
	if len(keys) > len(shown) {
		more = ", …"
	}
	return "; there is " + clip(strings.Join(shown, ", "), 300) + more
}
