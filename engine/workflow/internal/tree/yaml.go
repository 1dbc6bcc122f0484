package tree

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxExpanded bounds the values of a document once its aliases are
// followed.
const maxExpanded = 100_000

// ReadYAML reads one document of YAML 1.2's core schema. The node is nil
// when the text can't be read at all; other issues leave a tree to look for
// further ones in.
func ReadYAML(data []byte, limits Limits) (node *Node, issues []Issue) {
	if limits.Bytes > 0 && len(data) > limits.Bytes {
		return nil, []Issue{tooLarge(len(data), limits.Bytes, "YAML")}
	}
	// The parser is not ours: whatever it stumbles over is the text's fault
	// and must not end the process.
	defer func() {
		if cause := recover(); cause != nil {
			node = nil
			issues = append(issues, Issue{Code: "yaml_syntax", Message: "The YAML can't be read: its structure is broken. Check indentation, brackets and quotes."})
		}
	}()
	text, issue := cleanText(data)
	if issue != nil {
		return nil, []Issue{*issue}
	}
	tokens, issue := scan(text, limits.Depth)
	if issue != nil {
		return nil, []Issue{*issue}
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, []Issue{syntaxIssue(err)}
	}
	r := &yamlReader{anchors: map[string]*Node{}, limits: limits}
	var body ast.Node
	for _, document := range file.Docs {
		if document.Body != nil {
			body = document.Body
		}
	}
	if body == nil {
		return nil, []Issue{{Code: "empty_document", Message: "The document is empty; write a map with at least name and steps.", Line: 1, Column: 1}}
	}
	node = r.node(body, nil)
	if node != nil && node.depth > limits.Depth && limits.Depth > 0 {
		line, column := node.deepest(limits.Depth)
		r.issues = append(r.issues, depthIssue(limits.Depth, line, column))
		node = nil
	}
	if r.fatal {
		node = nil
	}
	return node, r.issues
}

func depthIssue(limit, line, column int) Issue {
	return Issue{
		Code: "too_deep", Line: line, Column: column,
		Message: fmt.Sprintf("Maps and lists are nested more than %d deep here; make the structure flatter.", limit),
	}
}

// deepest returns the place where the nesting passes the limit.
func (n *Node) deepest(limit int) (line, column int) {
	line, column = n.Line, n.Column
	for limit >= 0 {
		var next *Node
		for _, item := range n.Items {
			if item.depth >= limit {
				next = item
				break
			}
		}
		for i := range n.Members {
			if next == nil && n.Members[i].Value.depth >= limit {
				next = n.Members[i].Value
			}
		}
		if next == nil {
			break
		}
		n, line, column = next, next.Line, next.Column
		limit--
	}
	return line, column
}

// cleanText refuses what no text should hold and unifies line ends.
func cleanText(data []byte) (string, *Issue) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bytes.IndexByte(data, '\r') >= 0 {
		data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	}
	line, column := 1, 1
	for i := 0; i < len(data); {
		char, size := rune(data[i]), 1
		if char >= utf8.RuneSelf {
			char, size = utf8.DecodeRune(data[i:])
		}
		switch {
		case char == utf8.RuneError && size == 1:
			return "", &Issue{Code: "not_utf8", Message: "The text holds bytes that are not UTF-8; save it as UTF-8.", Line: line, Column: column}
		case char == '\n':
			line++
			column = 0
		case char < 0x20 && char != '\t', char == 0x7f:
			return "", &Issue{
				Code: "control_character", Line: line, Column: column,
				Message: fmt.Sprintf(`The text holds the control character U+%04X; remove it, or write it as "\u%04X" in double quotes.`, char, char),
			}
		}
		column++
		i += size
	}
	return string(data), nil
}

func syntaxIssue(err error) Issue {
	var positioned interface {
		GetMessage() string
		GetToken() *token.Token
	}
	var issue Issue
	message := err.Error()
	if errors.As(err, &positioned) {
		message = positioned.GetMessage()
		if tk := positioned.GetToken(); tk != nil && tk.Position != nil {
			issue.Line, issue.Column = tk.Position.Line, tk.Position.Column
		}
	}
	line, column := issue.Line, issue.Column
	issue = syntaxMessage(message)
	issue.Line, issue.Column = line, column
	return issue
}

// syntaxMessage makes a sentence of what the parser says.
func syntaxMessage(message string) Issue {
	if strings.Contains(message, "'\t'") {
		return Issue{Code: "yaml_syntax", Message: "The YAML can't be read here: there is a tab where only spaces may stand. Indent with spaces."}
	}
	if i := strings.IndexByte(message, '\n'); i >= 0 {
		message = message[:i]
	}
	message = strings.TrimSuffix(shortenTo(message, 160), ".")
	return Issue{
		Code:    "yaml_syntax",
		Message: fmt.Sprintf("The YAML can't be read here: %s. Check the indentation, and put text with special characters in quotes.", message),
	}
}

func shortenTo(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit-1]) + "…"
}

// path is the way to a value; pointers are built only for issues.
type path struct {
	parent *path
	key    string
}

func (p *path) pointer() string {
	if p == nil {
		return ""
	}
	return p.parent.pointer() + "/" + Escape(p.key)
}

type yamlReader struct {
	anchors map[string]*Node
	limits  Limits
	issues  []Issue
	// expanded counts the values that aliases add.
	expanded int
	fatal    bool
}

func (r *yamlReader) issue(at *path, tk *token.Token, code, format string, args ...any) {
	issue := Issue{Pointer: at.pointer(), Code: code, Message: fmt.Sprintf(format, args...)}
	if tk != nil && tk.Position != nil {
		issue.Line, issue.Column = tk.Position.Line, tk.Position.Column
	}
	r.issues = append(r.issues, issue)
}

func newYAMLNode(kind Kind, text string, tk *token.Token) *Node {
	node := &Node{Kind: kind, Text: text, size: 1}
	if tk != nil && tk.Position != nil {
		node.Line, node.Column = tk.Position.Line, tk.Position.Column
	}
	return node
}

// node turns one of the parser's nodes into ours; nil is never returned.
func (r *yamlReader) node(source ast.Node, at *path) *Node {
	switch source := source.(type) {
	case *ast.MappingNode:
		return r.object(source.Values, source.GetToken(), at)
	case *ast.MappingValueNode:
		return r.object([]*ast.MappingValueNode{source}, source.GetToken(), at)
	case *ast.SequenceNode:
		return r.array(source, at)
	case *ast.AnchorNode:
		return r.anchor(source, at)
	case *ast.AliasNode:
		return r.alias(source, at)
	case *ast.LiteralNode:
		node := newYAMLNode(String, "", source.GetToken())
		if source.Value != nil {
			node.Text = source.Value.Value
		}
		return node
	case *ast.NullNode:
		return newYAMLNode(Null, "", source.GetToken())
	case *ast.StringNode:
		if source.Token.Type != token.StringType {
			return r.quoted(source, at)
		}
		return r.plain(source.Token, source.Value, at)
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return r.plain(source.GetToken(), source.GetToken().Value, at)
	}
	r.fatal = true
	var tk *token.Token
	if source != nil {
		tk = source.GetToken()
	}
	r.issue(at, tk, "yaml_syntax", "The YAML can't be read here: this form is not supported. Write a map, a list, text, a number, true, false or null.")
	return newYAMLNode(Null, "", tk)
}

// loneSurrogate finds half a surrogate pair among a quoted string's escapes.
func loneSurrogate(source string) bool {
	for i := 0; i+1 < len(source); i++ {
		if source[i] != '\\' {
			continue
		}
		if source[i+1] == 'u' {
			char, length := unescape([]byte(source[i:min(len(source), i+12)]))
			if char < 0 {
				return true
			}
			i += max(length-1, 1)
			continue
		}
		i++
	}
	return false
}

func (r *yamlReader) quoted(source *ast.StringNode, at *path) *Node {
	tk := source.Token
	if tk.Type == token.DoubleQuoteType && loneSurrogate(tk.Origin) || !utf8.ValidString(source.Value) {
		r.issue(at, tk, "lone_surrogate", "A string holds half of a surrogate pair; write the character itself.")
		return newYAMLNode(String, strings.ToValidUTF8(source.Value, "\uFFFD"), tk)
	}
	return newYAMLNode(String, source.Value, tk)
}

var (
	jsonNumber = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	})
	// otherNumber is what YAML readers of any age take for a number.
	otherNumber = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[-+]?(0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|\.[0-9][0-9_]*([eE][-+]?[0-9]+)?|\.(inf|Inf|INF))$|^\.(nan|NaN|NAN)$`)
	})
)

// plain reads an unquoted scalar by the core schema.
func (r *yamlReader) plain(tk *token.Token, text string, at *path) *Node {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return newYAMLNode(Null, "", tk)
	case "true", "True", "TRUE":
		return newYAMLNode(Bool, "true", tk)
	case "false", "False", "FALSE":
		return newYAMLNode(Bool, "false", tk)
	}
	first := text[0]
	if first != '-' && first != '+' && first != '.' && (first < '0' || first > '9') {
		return newYAMLNode(String, text, tk)
	}
	switch {
	case jsonNumber().MatchString(text):
		if problem := NumberIssue(text); problem != "" {
			r.issue(at, tk, "number_range", "This number %s; put it in quotes if it is meant as text.", problem)
			return newYAMLNode(Number, "0", tk)
		}
		return newYAMLNode(Number, text, tk)
	case otherNumber().MatchString(text):
		r.issue(at, tk, "number_notation", "%s is not a number in JSON notation. Write it %sor put it in quotes if it is meant as text.", shorten(text), jsonForm(text))
		return newYAMLNode(Number, "0", tk)
	}
	return newYAMLNode(String, text, tk)
}

// jsonForm suggests how a number is written in JSON, or nothing.
func jsonForm(text string) string {
	plain := strings.TrimPrefix(strings.ReplaceAll(text, "_", ""), "+")
	if jsonNumber().MatchString(plain) {
		return "as " + plain + ", "
	}
	if value, err := strconv.ParseInt(plain, 0, 64); err == nil {
		return "as " + strconv.FormatInt(value, 10) + ", "
	}
	if value, err := strconv.ParseFloat(plain, 64); err == nil && jsonNumber().MatchString(strconv.FormatFloat(value, 'g', -1, 64)) {
		return "as " + strconv.FormatFloat(value, 'g', -1, 64) + ", "
	}
	return "as a number such as 12 or 0.5, "
}

func (r *yamlReader) array(source *ast.SequenceNode, at *path) *Node {
	node := newYAMLNode(Array, "", source.GetToken())
	node.Items = make([]*Node, 0, len(source.Values))
	for i, value := range source.Values {
		node.Items = append(node.Items, r.node(value, &path{at, strconv.Itoa(i)}))
	}
	node.measure()
	return node
}

func (r *yamlReader) object(values []*ast.MappingValueNode, tk *token.Token, at *path) *Node {
	node := newYAMLNode(Object, "", tk)
	node.Members = make([]Member, 0, len(values))
	for _, value := range values {
		key, keyToken, ok := r.key(value.Key, at)
		if !ok {
			continue
		}
		member := Member{Key: key, Line: keyToken.Position.Line, Column: keyToken.Position.Column}
		if len(node.Members) == 0 && tk.Type == token.MappingValueType {
			node.Line, node.Column = member.Line, member.Column
		}
		member.Value = r.node(value.Value, &path{at, key})
		node.Members = append(node.Members, member)
	}
	r.issues = append(r.issues, duplicateIssues(node.Members, at.pointer())...)
	node.measure()
	return node
}

// key reads a map's key, which must be text.
func (r *yamlReader) key(source ast.MapKeyNode, at *path) (string, *token.Token, bool) {
	tk := source.GetToken()
	if text, ok := source.(*ast.StringNode); ok {
		if text.Token.Type != token.StringType {
			return r.quoted(text, at).Text, tk, true
		}
		if node := r.keyKind(text); node == String {
			return text.Value, tk, true
		}
	}
	r.issue(at, tk, "key_not_string", "The key %s is not text; put it in quotes.", shorten(strings.TrimSpace(tk.Value)))
	return "", tk, false
}

func (r *yamlReader) keyKind(source *ast.StringNode) Kind {
	quiet := yamlReader{}
	node := quiet.plain(source.Token, source.Value, nil)
	return node.Kind
}

func (r *yamlReader) anchor(source *ast.AnchorNode, at *path) *Node {
	node := r.node(source.Value, at)
	if source.Name != nil {
		r.anchors[source.Name.GetToken().Value] = node
	}
	return node
}

func (r *yamlReader) alias(source *ast.AliasNode, at *path) *Node {
	tk := source.GetToken()
	name := ""
	if source.Value != nil {
		name = source.Value.GetToken().Value
	}
	node, ok := r.anchors[name]
	if !ok {
		r.fatal = true
		r.issue(at, tk, "unknown_anchor", "No value before this one is marked &%s; define the anchor first, or write the value out.", shorten(name))
		return newYAMLNode(Null, "", tk)
	}
	r.expanded += node.size
	if r.expanded > maxExpanded {
		if !r.fatal {
			r.issue(at, tk, "alias_expansion", "The aliases of this document stand for more than %d values; write fewer of them.", maxExpanded)
		}
		r.fatal = true
		return newYAMLNode(Null, "", tk)
	}
	return node
}
