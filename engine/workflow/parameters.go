package workflow

import (
	"encoding/json"
	"fmt"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vwmp/vwmp/engine/workflow/internal/rawjson"
	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
)

// BindParameters checks what an execution was given, a JSON object or nil,
// against the declarations, and returns an object with every declared
// parameter: given, by default, or null (false for a boolean). Problems have
// pointers that begin with /parameters; the object is nil if there are any.
func BindParameters(def *Definition, given json.RawMessage) (json.RawMessage, Problems) {
	values, err := readObject(given)
	if err != nil {
		return nil, Problems{newProblem("/parameters", "", "wrong_type", "The parameters must be a map: %v.", err)}
	}
	var problems Problems
	var suggest suggester
	names := make([]string, len(def.Parameters))
	for i := range def.Parameters {
		names[i] = def.Parameters[i].Name
	}
	for i := range values.Members {
		name := values.Members[i].Key
		if !slices.Contains(names, name) {
			remedy := didYouMean(suggest.nearest(name, slices.Values(names)))
			if remedy == "" {
				remedy = "; remove it."
			}
			problems = append(problems, newProblem("/parameters/"+tree.Escape(name), "", "unknown_parameter", "The workflow has no parameter %q%s", clip(name, 60), remedy))
		}
	}
	var bound object
	for i := range def.Parameters {
		parameter := &def.Parameters[i]
		value, found := parameter.bind(values.Get(parameter.Name))
		problems = append(problems, found...)
		bound.raw(parameter.Name, value)
	}
	if len(problems) > 0 {
		return nil, problems.Sort()
	}
	return bound.end(), nil
}

// bind returns the value of one parameter; sent is nil where none was.
func (p *Parameter) bind(sent *tree.Node) (json.RawMessage, Problems) {
	pointer, what := "/parameters/"+tree.Escape(p.Name), fmt.Sprintf("The parameter %q", p.Name)
	if sent != nil && sent.Kind != tree.Null {
		value := json.RawMessage(sent.AppendJSON(nil))
		return value, p.check(value, pointer, what, true)
	}
	if p.mustBeSent() {
		remedy := "send a value."
		if p.Type == string(ParameterBoolean) {
			remedy = "send true or false."
		}
		return nil, Problems{newProblem(pointer, "", "missing_parameter", "%s is required; %s", what, remedy)}
	}
	value := p.Default
	if value == nil || rawjson.Kind(value) == "null" {
		value = json.RawMessage("null")
		if p.Type == string(ParameterBoolean) {
			value = json.RawMessage("false")
		}
	}
	if rules := p.Validation; rules != nil && rules.MustBe != nil {
		return value, p.check(value, pointer, what, true)
	}
	return value, nil
}

// mustBeSent reports whether an execution can't start without a value. The
// default of a required boolean is what a form shows, not an answer.
func (p *Parameter) mustBeSent() bool {
	if !p.Required {
		return false
	}
	return p.Default == nil || rawjson.Kind(p.Default) == "null" || p.Type == string(ParameterBoolean)
}

// check judges a value by the parameter's type and rules. must_be binds
// what is sent, not a default.
func (p *Parameter) check(value json.RawMessage, pointer, what string, sent bool) Problems {
	node, issues := tree.ReadJSON(value, tree.Limits{Depth: 4 * MaxDepth})
	if node == nil || len(issues) > 0 {
		return Problems{newProblem(pointer, "", "wrong_type", "%s is not a usable JSON value: %s", what, issues[0].Message)}
	}
	c := &valueChecker{parameter: p, node: node, pointer: pointer, what: what}
	if node.Kind == tree.Null && !sent {
		return nil
	}
	rules := p.Validation
	if rules == nil {
		rules = &Validation{}
	}
	switch ParameterType(p.Type) {
	case ParameterInteger, ParameterNumber:
		c.number(rules)
	case ParameterBoolean:
		c.boolean(rules, sent)
	case ParameterEnum:
		c.option(node, pointer)
	case ParameterMultiEnum:
		c.options(rules)
	case ParameterFile:
		c.file()
		c.text(rules)
	case ParameterJSON:
	default:
		c.text(rules)
	}
	return c.problems
}

type valueChecker struct {
	parameter *Parameter
	node      *tree.Node
	pointer   string
	what      string
	problems  Problems
}

func (c *valueChecker) add(code, format string, args ...any) {
	c.problems = append(c.problems, newProblem(c.pointer, "", code, "%s %s", c.what, fmt.Sprintf(format, args...)))
}

// shown repeats a value in a sentence, unless it is a secret.
func (c *valueChecker) shown() string {
	if c.parameter.Type == string(ParameterSecret) {
		return c.node.Kind.String()
	}
	return found(c.node)
}

func (c *valueChecker) text(rules *Validation) {
	if c.node.Kind != tree.String {
		remedy := "."
		if c.node.Kind == tree.Number || c.node.Kind == tree.Bool {
			remedy = "; put it in quotes."
		}
		c.add("wrong_type", "must be text; found %s%s", c.shown(), remedy)
		return
	}
	if strings.IndexByte(c.node.Text, 0) >= 0 {
		c.add("control_character", "holds a NUL character; remove it.")
	}
	length := utf8.RuneCountInString(c.node.Text)
	if rules.MinLength != nil && length < *rules.MinLength {
		c.add("too_short", "must have at least %d %s; it has %d.", *rules.MinLength, plural(*rules.MinLength, "character", "characters"), length)
	}
	if rules.MaxLength != nil && length > *rules.MaxLength {
		c.add("too_long", "must have at most %d %s; it has %d.", *rules.MaxLength, plural(*rules.MaxLength, "character", "characters"), length)
	}
	if rules.Pattern == "" {
		return
	}
	if pattern, err := regexp.Compile(rules.Pattern); err == nil && !pattern.MatchString(c.node.Text) {
		c.add("bad_format", "must match the pattern %s; found %s.", rules.Pattern, c.shown())
	}
}

func (c *valueChecker) number(rules *Validation) {
	if c.node.Kind != tree.Number {
		remedy := "."
		if _, err := strconv.ParseFloat(c.node.Text, 64); err == nil && c.node.Kind == tree.String {
			remedy = "; write it without quotes."
		}
		c.add("wrong_type", "must be a number; found %s%s", c.shown(), remedy)
		return
	}
	value, err := strconv.ParseFloat(c.node.Text, 64)
	if err != nil {
		c.add("out_of_range", "is a number that is too large.")
		return
	}
	if c.parameter.Type == string(ParameterInteger) && (value != math.Trunc(value) || math.Abs(value) > math.MaxInt64) {
		c.add("wrong_type", "must be a whole number; found %s.", c.shown())
	}
	if rules.Min != nil && value < *rules.Min {
		c.add("out_of_range", "must be %s or more; found %s.", formatFloat(*rules.Min), c.shown())
	}
	if rules.Max != nil && value > *rules.Max {
		c.add("out_of_range", "must be %s or less; found %s.", formatFloat(*rules.Max), c.shown())
	}
}

func (c *valueChecker) boolean(rules *Validation, sent bool) {
	if c.node.Kind != tree.Bool {
		c.add("wrong_type", "must be true or false; found %s.", c.shown())
		return
	}
	if value := c.node.Text == "true"; sent && rules.MustBe != nil && value != *rules.MustBe {
		c.add("must_be", "must be %t to go on.", *rules.MustBe)
	}
}

// option judges one choice of an enum.
func (c *valueChecker) option(node *tree.Node, pointer string) {
	value := string(node.AppendJSON(nil))
	texts := make([]string, 0, len(c.parameter.Options))
	for _, option := range c.parameter.Options {
		if string(option.Value) == value {
			return
		}
		texts = append(texts, optionText(option.Value))
	}
	var suggest suggester
	list := strings.Join(texts[:min(len(texts), 20)], ", ")
	if len(texts) > 20 {
		list += ", …"
	}
	c.problems = append(c.problems, newProblem(pointer, "", "bad_value", "%s must be one of %s; found %s%s", c.what, clip(list, 400), found(node),
		endSentence(didYouMean(suggest.nearest(node.Text, slices.Values(texts))))))
}

func (c *valueChecker) options(rules *Validation) {
	if c.node.Kind != tree.Array {
		c.add("wrong_type", "must be a list of choices; found %s.", c.shown())
		return
	}
	seen := map[string]bool{}
	for i, item := range c.node.Items {
		c.option(item, fmt.Sprintf("%s/%d", c.pointer, i))
		text := string(item.AppendJSON(nil))
		if seen[text] {
			c.add("duplicate_value", "has the choice %s twice; remove one.", found(item))
		}
		seen[text] = true
	}
	if count := len(c.node.Items); rules.MinLength != nil && count < *rules.MinLength {
		c.add("too_short", "must have at least %d %s; it has %d.", *rules.MinLength, plural(*rules.MinLength, "choice", "choices"), count)
	}
	if count := len(c.node.Items); rules.MaxLength != nil && count > *rules.MaxLength {
		c.add("too_long", "must have at most %d %s; it has %d.", *rules.MaxLength, plural(*rules.MaxLength, "choice", "choices"), count)
	}
}

// file judges a path in the workspace by its text alone; whoever opens it
// must still keep it inside.
func (c *valueChecker) file() {
	if c.node.Kind != tree.String {
		return
	}
	text := c.node.Text
	switch {
	case text == "":
		c.add("bad_path", "is empty; name a file in the workspace.")
	case strings.ContainsRune(text, '\\') || len(text) > 1 && text[1] == ':':
		c.add("bad_path", `must be a path with "/" in the workspace; found %s.`, c.shown())
	case path.IsAbs(text) || strings.HasPrefix(text, "~"):
		c.add("bad_path", "must be relative to the workspace; found %s.", c.shown())
	case slices.Contains(strings.Split(text, "/"), ".."):
		c.add("bad_path", `must not lead out of a folder with ".."; found %s.`, c.shown())
	}
}
