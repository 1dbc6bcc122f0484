// Package tree reads JSON and YAML into one tree of values that knows where
// in the text each value stands, and writes such a tree as JSON or YAML.
//
// It is strict: duplicate keys, numbers outside JSON's notation and YAML's
// dangerous corners (merge keys, tags, documents that explode) are issues
// with a place. It knows nothing of workflows.
package tree

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind is the JSON type of a Node.
type Kind uint8

// The kinds of a Node.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// String names the kind as a person would: "a number", "a list".
func (k Kind) String() string {
	return [...]string{"null", "true or false", "a number", "a string", "a list", "a map"}[k]
}

// Node is one value. A tree may share nodes (YAML aliases); it is never
// changed once read.
type Node struct {
	Kind Kind
	// Text is the value of a string, and the source text of a number or a
	// bool.
	Text string
	// Members holds an object's in the order of the text.
	Members []Member
	Items   []*Node
	// Line and Column count from 1, in characters.
	Line, Column int

	// size counts the nodes of the subtree with aliases expanded, depth its
	// nested containers.
	size, depth int
}

// Member is one key of an object with its value.
type Member struct {
	Key string
	// Line and Column are the key's.
	Line, Column int
	Value        *Node
}

// Issue is one thing wrong with a text.
type Issue struct {
	Pointer string
	Code    string
	Message string
	// Line and Column count from 1; zero where the whole text is meant.
	Line, Column int
}

// Limits bounds what is read.
type Limits struct {
	// Bytes bounds the text, Depth the nesting of maps and lists.
	Bytes, Depth int
}

// Get returns the value at key, or nil.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Members {
		if n.Members[i].Key == key {
			return n.Members[i].Value
		}
	}
	return nil
}

// Finder returns Get for whoever looks up many keys: what it costs does not
// grow with the square of an object's size.
func (n *Node) Finder() func(key string) *Node {
	if n == nil || len(n.Members) <= 16 {
		return n.Get
	}
	index := make(map[string]*Node, len(n.Members))
	for i := range n.Members {
		if _, twice := index[n.Members[i].Key]; !twice {
			index[n.Members[i].Key] = n.Members[i].Value
		}
	}
	return func(key string) *Node { return index[key] }
}

// Locate returns the place of the value that a JSON pointer names; for a
// map or list in a map, its key's. Where the pointer leads to nothing it is
// the place of the last value on the way.
func (n *Node) Locate(pointer string) (line, column int) {
	if n == nil {
		return 0, 0
	}
	line, column = n.Line, n.Column
	for pointer != "" {
		token := pointer[1:]
		if i := strings.IndexByte(token, '/'); i >= 0 {
			token = token[:i]
		}
		pointer = pointer[1+len(token):]
		token = unescapePointer.Replace(token)
		next := n.child(token)
		if next == nil {
			return line, column
		}
		n = next.Value
		line, column = n.Line, n.Column
		if n.Kind == Object || n.Kind == Array {
			line, column = next.Line, next.Column
		}
	}
	return line, column
}

// At returns the value that a JSON pointer names, or nil.
func (n *Node) At(pointer string) *Node {
	for n != nil && pointer != "" {
		token := pointer[1:]
		if i := strings.IndexByte(token, '/'); i >= 0 {
			token = token[:i]
		}
		pointer = pointer[1+len(token):]
		next := n.child(unescapePointer.Replace(token))
		if next == nil {
			return nil
		}
		n = next.Value
	}
	return n
}

func (n *Node) child(token string) *Member {
	switch n.Kind {
	case Object:
		for i := range n.Members {
			if n.Members[i].Key == token {
				return &n.Members[i]
			}
		}
	case Array:
		index, err := strconv.Atoi(token)
		if err == nil && index >= 0 && index < len(n.Items) {
			item := n.Items[index]
			return &Member{Line: item.Line, Column: item.Column, Value: item}
		}
	}
	return nil
}

var (
	escapePointer   = strings.NewReplacer("~", "~0", "/", "~1")
	unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")
)

// Escape writes a key as one token of a JSON pointer.
func Escape(key string) string {
	if strings.IndexByte(key, '~') < 0 && strings.IndexByte(key, '/') < 0 {
		return key
	}
	return escapePointer.Replace(key)
}

// AppendJSON appends the value as compact JSON. Numbers keep their text and
// keys their order.
func (n *Node) AppendJSON(dst []byte) []byte {
	switch n.Kind {
	case Null:
		return append(dst, "null"...)
	case Bool, Number:
		return append(dst, n.Text...)
	case String:
		return AppendString(dst, n.Text)
	case Array:
		dst = append(dst, '[')
		for i, item := range n.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = item.AppendJSON(dst)
		}
		return append(dst, ']')
	}
	dst = append(dst, '{')
	for i := range n.Members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, n.Members[i].Key)
		dst = append(dst, ':')
		dst = n.Members[i].Value.AppendJSON(dst)
	}
	return append(dst, '}')
}

const hexDigits = "0123456789abcdef"

// AppendString appends text as a JSON string. Unlike encoding/json it
// leaves <, > and & as they are; invalid UTF-8 becomes U+FFFD.
func AppendString(dst []byte, text string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf && c != 0x7f {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			switch {
			case r == utf8.RuneError && size == 1:
				dst = append(append(dst, text[start:i]...), "\uFFFD"...)
			case r == '\u2028' || r == '\u2029' || r == '\u0085' || r == '\ufeff':
				// These break lines in YAML 1.1 and in JavaScript.
				dst = append(append(dst, text[start:i]...), '\\', 'u',
					hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
			default:
				i += size
				continue
			}
			i += size
			start = i
			continue
		}
		dst = append(dst, text[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(append(dst, text[start:]...), '"')
}

// NumberIssue says what is wrong with a number in JSON notation, or "": a
// number must fit a 64-bit float and must not be made of an endless text,
// since exact arithmetic on 1e999999999 would take all memory.
func NumberIssue(text string) string {
	if len(text) > 400 {
		return "has more than 400 characters"
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		exponent, err := strconv.Atoi(text[i+1:])
		if err != nil || exponent < -400 || exponent > 400 {
			return "is too large or too small"
		}
	}
	if _, err := strconv.ParseFloat(text, 64); err != nil {
		return "is too large"
	}
	return ""
}

// measure sets size and depth from the children, which must be measured.
func (n *Node) measure() {
	n.size, n.depth = 1, 0
	for _, item := range n.Items {
		n.size += item.size
		n.depth = max(n.depth, item.depth)
	}
	for i := range n.Members {
		n.size += n.Members[i].Value.size
		n.depth = max(n.depth, n.Members[i].Value.depth)
	}
	if n.Kind == Array || n.Kind == Object {
		n.depth++
	}
}

// duplicates reports the keys that stand twice in an object. Few members
// are compared in place: a map each would cost more.
func duplicates(members []Member, report func(first, again *Member)) {
	if len(members) <= 16 {
		for i := 1; i < len(members); i++ {
			for j := 0; j < i; j++ {
				if members[i].Key == members[j].Key {
					report(&members[j], &members[i])
					break
				}
			}
		}
		return
	}
	seen := make(map[string]int, len(members))
	for i := range members {
		if first, ok := seen[members[i].Key]; ok {
			report(&members[first], &members[i])
			continue
		}
		seen[members[i].Key] = i
	}
}
