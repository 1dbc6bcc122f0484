package workflow

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
)

// CheckConfig checks a resolved config against the handler's schema. Each
// violation is a problem of its own, with a pointer that begins with the
// prefix. A handler without a schema takes anything.
func CheckConfig(h *Handler, config json.RawMessage, pointerPrefix, stepID string) Problems {
	schema, err := h.Schema()
	if err != nil {
		return Problems{newProblem(pointerPrefix, stepID, "bad_schema", "The handler %s can't be used: its own description is wrong (%s). Tell the plugin's author.", h.Info.Path, clip(err.Error(), 300))}
	}
	return checkSchema(schema, config, nil, pointerPrefix, stepID)
}

// CheckSchema checks a value against a JSON Schema, such as the answer to
// an approval's form. An error means that the schema itself is wrong.
func CheckSchema(schema, value json.RawMessage, pointerPrefix string) (Problems, error) {
	compiled, _, err := compileSchema(schema)
	if err != nil {
		return nil, err
	}
	return checkSchema(compiled, value, nil, pointerPrefix, ""), nil
}

// checkSchema checks a value. Where references still stand (nil for
// nowhere), nothing is judged that they could change.
func checkSchema(schema *jsonschema.Schema, value json.RawMessage, open *openPlaces, prefix, stepID string) Problems {
	if schema == nil {
		return nil
	}
	if len(value) == 0 {
		value = json.RawMessage("{}")
	}
	node, issues := tree.ReadJSON(value, tree.Limits{})
	if node == nil || len(issues) > 0 {
		return Problems{newProblem(prefix, stepID, "wrong_type", "The value is not usable JSON: %s", issues[0].Message)}
	}
	err := schema.Validate(schemaValue(node))
	if err == nil {
		return nil
	}
	var failure *jsonschema.ValidationError
	if !errors.As(err, &failure) {
		return Problems{newProblem(prefix, stepID, "schema", "The value can't be checked: %s.", clip(err.Error(), 300))}
	}
	checker := &schemaChecker{schema: schema, open: open, prefix: prefix, stepID: stepID, printer: message.NewPrinter(language.English)}
	checker.collect(failure)
	return checker.problems.Sort()
}

// schemaValue makes the validator's values of a tree.
func schemaValue(n *tree.Node) any {
	switch n.Kind {
	case tree.Bool:
		return n.Text == "true"
	case tree.Number:
		return json.Number(n.Text)
	case tree.String:
		return n.Text
	case tree.Array:
		items := make([]any, len(n.Items))
		for i, item := range n.Items {
			items[i] = schemaValue(item)
		}
		return items
	case tree.Object:
		values := make(map[string]any, len(n.Members))
		for i := range n.Members {
			values[n.Members[i].Key] = schemaValue(n.Members[i].Value)
		}
		return values
	}
	return nil
}

// openPlaces are the pointers of values that a reference will still change.
type openPlaces struct {
	pointers []string
}

// at reports whether the value itself is open, or lies within one.
func (o *openPlaces) at(pointer string) bool {
	return o != nil && slices.ContainsFunc(o.pointers, func(open string) bool {
		return pointer == open || strings.HasPrefix(pointer, open+"/")
	})
}

// below reports whether something within the value is open.
func (o *openPlaces) below(pointer string) bool {
	return o != nil && slices.ContainsFunc(o.pointers, func(open string) bool {
		return strings.HasPrefix(open, pointer+"/") || open == pointer
	})
}

// schemaChecker turns the validator's tree of errors into problems.
type schemaChecker struct {
	schema   *jsonschema.Schema
	open     *openPlaces
	prefix   string
	stepID   string
	printer  *message.Printer
	suggest  suggester
	problems Problems
}

func instancePointer(tokens []string) string {
	var pointer strings.Builder
	for _, token := range tokens {
		pointer.WriteByte('/')
		pointer.WriteString(tree.Escape(token))
	}
	return pointer.String()
}

func (c *schemaChecker) add(pointer, code, format string, args ...any) {
	c.problems = append(c.problems, newProblem(c.prefix+pointer, c.stepID, code, format, args...))
}

func (c *schemaChecker) collect(failure *jsonschema.ValidationError) {
	pointer := instancePointer(failure.InstanceLocation)
	if c.open.at(pointer) {
		return
	}
	if c.open.below(pointer) && !judgesKeys(failure) {
		// What a reference becomes may still make this right.
		switch failure.ErrorKind.(type) {
		case *kind.Schema, *kind.Group, *kind.AllOf, *kind.Reference:
		default:
			return
		}
	}
	switch failure.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		c.alternatives(failure, pointer)
		return
	}
	if len(failure.Causes) > 0 {
		for _, cause := range failure.Causes {
			c.collect(cause)
		}
		return
	}
	c.leaf(failure, pointer)
}

// judgesKeys reports whether an error is about which keys or how many items
// there are, which no reference below changes.
func judgesKeys(failure *jsonschema.ValidationError) bool {
	if strings.Contains(failure.SchemaURL, "/then") || strings.Contains(failure.SchemaURL, "/else") {
		return false
	}
	switch failure.ErrorKind.(type) {
	case *kind.Required, *kind.AdditionalProperties, *kind.FalseSchema, *kind.MinProperties, *kind.MaxProperties,
		*kind.MinItems, *kind.MaxItems, *kind.PropertyNames, *kind.Dependency, *kind.DependentRequired, *kind.Type:
		return true
	}
	return false
}

// alternatives says in one sentence why none of several forms fits.
func (c *schemaChecker) alternatives(failure *jsonschema.ValidationError, pointer string) {
	inner := &schemaChecker{schema: c.schema, open: c.open, printer: c.printer}
	for _, cause := range failure.Causes {
		inner.collect(cause)
	}
	var reasons []string
	for _, problem := range inner.problems {
		reason := strings.TrimSuffix(problem.Message, ".")
		if !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	if len(reasons) == 0 {
		c.add(pointer, "schema", "%s fits none, or more than one, of the allowed forms; see the handler's description.", c.subject(failure))
		return
	}
	c.add(pointer, "schema", "%s fits none of the allowed forms: %s.", c.subject(failure), strings.Join(reasons[:min(3, len(reasons))], "; or "))
}

// subject names the value that an error is about.
func (c *schemaChecker) subject(failure *jsonschema.ValidationError) string {
	if n := len(failure.InstanceLocation); n > 0 {
		return strings.Join(failure.InstanceLocation, ".")
	}
	return "The config"
}

func (c *schemaChecker) leaf(failure *jsonschema.ValidationError, pointer string) {
	subject := c.subject(failure)
	switch k := failure.ErrorKind.(type) {
	case *kind.Required:
		for _, key := range k.Missing {
			c.add(pointer, "missing_key", "%s needs the key %q.", subject, key)
		}
	case *kind.AdditionalProperties:
		known := c.knownKeys(failure.SchemaURL)
		for _, key := range k.Properties {
			remedy := didYouMean(c.suggest.nearest(key, slices.Values(known)))
			if remedy == "" {
				remedy = "; remove it."
				if len(known) > 0 {
					remedy = "; remove it. Its keys are " + strings.Join(known, ", ") + "."
				}
			}
			c.add(pointer+"/"+tree.Escape(key), "unknown_key", "%s has no key %q%s", subject, clip(key, 60), remedy)
		}
	case *kind.Type:
		c.add(pointer, "wrong_type", "%s must be %s; found %s.", subject, typeNames(k.Want), typeName(k.Got))
	case *kind.Enum:
		words := make([]string, len(k.Want))
		for i, want := range k.Want {
			words[i] = fmt.Sprint(want)
		}
		got := fmt.Sprint(k.Got)
		c.add(pointer, "bad_value", "%s must be one of %s; found %s%s", subject, strings.Join(words, ", "), showValue(k.Got),
			endSentence(didYouMean(c.suggest.nearest(got, slices.Values(words)))))
	case *kind.Format:
		if k.Want == "vwmp-duration" {
			c.add(pointer, "bad_duration", `%s must be a number of seconds or text such as "50ms", "90s" or "2h"; found %s.`, subject, showValue(k.Got))
			return
		}
		c.add(pointer, "bad_format", "%s must have the format %s; found %s.", subject, k.Want, showValue(k.Got))
	case *kind.Pattern:
		c.add(pointer, "bad_format", "%s must match the pattern %s; found %s.", subject, k.Want, showValue(k.Got))
	case *kind.MinLength:
		c.add(pointer, "too_short", "%s must have at least %d %s; it has %d.", subject, k.Want, plural(k.Want, "character", "characters"), k.Got)
	case *kind.MaxLength:
		c.add(pointer, "too_long", "%s must have at most %d %s; it has %d.", subject, k.Want, plural(k.Want, "character", "characters"), k.Got)
	case *kind.MinProperties:
		c.add(pointer, "too_short", "%s must have at least %d %s; it has %d.", subject, k.Want, plural(k.Want, "key", "keys"), k.Got)
	case *kind.MaxProperties:
		c.add(pointer, "too_long", "%s must have at most %d %s; it has %d.", subject, k.Want, plural(k.Want, "key", "keys"), k.Got)
	case *kind.MinItems:
		c.add(pointer, "too_short", "%s must have at least %d %s; it has %d.", subject, k.Want, plural(k.Want, "item", "items"), k.Got)
	case *kind.MaxItems:
		c.add(pointer, "too_long", "%s must have at most %d %s; it has %d.", subject, k.Want, plural(k.Want, "item", "items"), k.Got)
	case *kind.UniqueItems:
		c.add(pointer, "duplicate_value", "%s has the same item twice, as numbers %d and %d; remove one.", subject, k.Duplicates[0]+1, k.Duplicates[1]+1)
	case *kind.Const:
		c.add(pointer, "bad_value", "%s must be %s; found %s.", subject, showValue(k.Want), showValue(k.Got))
	default:
		c.numeric(failure, pointer, subject)
	}
}

// numeric writes the violations of bounds, and any that has no sentence of
// its own.
func (c *schemaChecker) numeric(failure *jsonschema.ValidationError, pointer, subject string) {
	bound := func(relation string, want, got *big.Rat) {
		c.add(pointer, "out_of_range", "%s must be %s %s; found %s.", subject, relation, showRational(want), showRational(got))
	}
	switch k := failure.ErrorKind.(type) {
	case *kind.Minimum:
		bound("at least", k.Want, k.Got)
	case *kind.Maximum:
		bound("at most", k.Want, k.Got)
	case *kind.ExclusiveMinimum:
		bound("more than", k.Want, k.Got)
	case *kind.ExclusiveMaximum:
		bound("less than", k.Want, k.Got)
	case *kind.MultipleOf:
		bound("a multiple of", k.Want, k.Got)
	default:
		c.add(pointer, "schema", "%s: %s.", subject, clip(failure.ErrorKind.LocalizedString(c.printer), 300))
	}
}

func showRational(number *big.Rat) string {
	value, _ := number.Float64()
	return formatFloat(value)
}

// knownKeys returns the property names of the schema that a violation came
// from.
func (c *schemaChecker) knownKeys(url string) []string {
	found := findSchema(c.schema, url, map[*jsonschema.Schema]bool{})
	if found == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(found.Properties))
}

func findSchema(schema *jsonschema.Schema, url string, seen map[*jsonschema.Schema]bool) *jsonschema.Schema {
	if schema == nil || seen[schema] {
		return nil
	}
	if schema.Location == url {
		return schema
	}
	seen[schema] = true
	children := slices.Concat(schema.AllOf, schema.AnyOf, schema.OneOf, schema.PrefixItems,
		[]*jsonschema.Schema{schema.Items2020, schema.If, schema.Then, schema.Else, schema.Ref})
	if additional, ok := schema.AdditionalProperties.(*jsonschema.Schema); ok {
		children = append(children, additional)
	}
	for _, property := range schema.Properties {
		children = append(children, property)
	}
	for _, child := range children {
		if found := findSchema(child, url, seen); found != nil {
			return found
		}
	}
	return nil
}

var schemaTypeNames = map[string]string{
	"null": "null", "boolean": "true or false", "object": "a map", "array": "a list",
	"number": "a number", "string": "text", "integer": "a whole number",
}

func typeName(name string) string {
	if plain, ok := schemaTypeNames[name]; ok {
		return plain
	}
	return name
}

func typeNames(names []string) string {
	plain := make([]string, len(names))
	for i, name := range names {
		plain[i] = typeName(name)
	}
	return strings.Join(plain, " or ")
}

// ApplyDefaults fills in what the config leaves out: from the layers in
// their order, then from the schema's defaults, those of nested maps that
// are there included. Keys of a layer that the schema does not know are
// ignored, as a layer serves many handlers.
func ApplyDefaults(h *Handler, config json.RawMessage, layers ...json.RawMessage) (json.RawMessage, error) {
	if _, err := h.Schema(); err != nil {
		return nil, err
	}
	node, err := readObject(config)
	if err != nil {
		return nil, fmt.Errorf("config of %s: %w", h.Info.Path, err)
	}
	result := &tree.Node{Kind: tree.Object, Members: slices.Clone(node.Members)}
	properties := h.tree.Get("properties")
	for i, layer := range layers {
		values, err := readObject(layer)
		if err != nil {
			return nil, fmt.Errorf("defaults %d of %s: %w", i+1, h.Info.Path, err)
		}
		for _, member := range values.Members {
			if result.Get(member.Key) == nil && properties.Get(member.Key) != nil {
				result.Members = append(result.Members, member)
			}
		}
	}
	return fillDefaults(result, h.tree, 0).AppendJSON(nil), nil
}

func readObject(data json.RawMessage) (*tree.Node, error) {
	if len(data) == 0 {
		return &tree.Node{Kind: tree.Object}, nil
	}
	node, issues := tree.ReadJSON(data, tree.Limits{})
	if node == nil || len(issues) > 0 {
		return nil, fmt.Errorf("not usable JSON: %s", issues[0].Message)
	}
	switch node.Kind {
	case tree.Object:
		return node, nil
	case tree.Null:
		return &tree.Node{Kind: tree.Object}, nil
	}
	return nil, fmt.Errorf("it must be a map, found %s", node.Kind)
}

// fillDefaults returns the map with the schema's defaults for the keys it
// lacks. The nodes that it is given stay as they are.
func fillDefaults(node, schema *tree.Node, depth int) *tree.Node {
	properties := schema.Get("properties")
	if node.Kind != tree.Object || properties == nil || depth > MaxDepth {
		return node
	}
	result := &tree.Node{Kind: tree.Object, Members: slices.Clone(node.Members), Line: node.Line, Column: node.Column}
	for i := range result.Members {
		if inner := properties.Get(result.Members[i].Key); inner != nil {
			result.Members[i].Value = fillDefaults(result.Members[i].Value, inner, depth+1)
		}
	}
	for i := range properties.Members {
		property := &properties.Members[i]
		if value := property.Value.Get("default"); value != nil && node.Get(property.Key) == nil {
			result.Members = append(result.Members, tree.Member{Key: property.Key, Value: value})
		}
	}
	return result
}
