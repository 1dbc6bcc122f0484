package tree

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// ReadJSON reads one JSON value. The node is nil when the text can't be
// read at all; other issues leave a tree to look for further ones in.
func ReadJSON(data []byte, limits Limits) (*Node, []Issue) {
	if limits.Bytes > 0 && len(data) > limits.Bytes {
		return nil, []Issue{tooLarge(len(data), limits.Bytes, "JSON")}
	}
	r := &jsonReader{data: data, limits: limits, line: 1, column: 1}
	node, ok := r.document()
	if !ok {
		return nil, r.issues
	}
	return node, r.issues
}

func tooLarge(got, limit int, format string) Issue {
	return Issue{
		Code: "too_large",
		Message: fmt.Sprintf("The document has %d bytes; at most %d (%d KiB) are read as %s. Make it smaller, or split the workflow.",
			got, limit, limit>>10, format),
	}
}

type jsonReader struct {
	data   []byte
	pos    int
	limits Limits
	depth  int
	// path is the way to the value being read, for duplicate keys.
	path   []string
	issues []Issue
	// slab holds nodes that were made together; the next one has slabSize.
	slab     []Node
	slabSize int
	// line and column are the place of the byte at mark.
	mark, line, column int
}

// place returns the place of the byte at offset. Offsets must not fall, so
// that one pass over the text pays for all places.
func (r *jsonReader) place(offset int) (line, column int) {
	for r.mark < offset {
		c := r.data[r.mark]
		switch {
		case c == '\n':
			r.line++
			r.column = 1
		case c&0xC0 != 0x80:
			r.column++
		}
		r.mark++
	}
	return r.line, r.column
}

func (r *jsonReader) newNode(kind Kind) *Node {
	if len(r.slab) == 0 {
		// Most texts are small, such as a step's config: they must not pay for
		// what a large document needs.
		r.slabSize = min(max(2*r.slabSize, 1+len(r.data)/16), 256)
		r.slab = make([]Node, r.slabSize)
	}
	node := &r.slab[0]
	r.slab = r.slab[1:]
	node.Kind = kind
	node.Line, node.Column = r.place(r.pos)
	node.size = 1
	return node
}

func (r *jsonReader) fail(code, format string, args ...any) {
	line, column := r.place(min(r.pos, len(r.data)))
	r.issues = append(r.issues, Issue{Code: code, Message: fmt.Sprintf(format, args...), Line: line, Column: column})
}

func (r *jsonReader) syntax(format string, args ...any) bool {
	r.fail("json_syntax", "The text is not valid JSON: %s.", fmt.Sprintf(format, args...))
	return false
}

func (r *jsonReader) document() (*Node, bool) {
	r.space()
	node, ok := r.value()
	if !ok {
		return nil, false
	}
	r.space()
	if r.pos < len(r.data) {
		return nil, r.syntax("there is more text after the end of the document; remove it")
	}
	return node, true
}

func (r *jsonReader) space() {
	for r.pos < len(r.data) {
		switch r.data[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

// found describes the text at the reader's place.
func (r *jsonReader) found() string {
	if r.pos >= len(r.data) {
		return "the end of the text"
	}
	c, _ := utf8.DecodeRune(r.data[r.pos:])
	return strconv.QuoteRune(c)
}

func (r *jsonReader) value() (*Node, bool) {
	if r.pos >= len(r.data) {
		return nil, r.syntax("the text ends where a value is due")
	}
	switch c := r.data[r.pos]; {
	case c == '{':
		return r.object()
	case c == '[':
		return r.array()
	case c == '"':
		node := r.newNode(String)
		text, ok := r.str()
		node.Text = text
		return node, ok
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	case c == 't':
		return r.word(Bool, "true")
	case c == 'f':
		return r.word(Bool, "false")
	case c == 'n':
		return r.word(Null, "null")
	}
	return nil, r.syntax("a value is due, found %s; text must be in double quotes", r.found())
}

func (r *jsonReader) word(kind Kind, word string) (*Node, bool) {
	if len(r.data)-r.pos < len(word) || string(r.data[r.pos:r.pos+len(word)]) != word {
		return nil, r.syntax("a value is due, found %s; text must be in double quotes", r.found())
	}
	node := r.newNode(kind)
	if kind == Bool {
		node.Text = word
	}
	r.pos += len(word)
	return node, true
}

func (r *jsonReader) number() (*Node, bool) {
	end := scanNumber(r.data, r.pos)
	if end < 0 {
		return nil, r.syntax("a number is badly written; use a form such as 12, -3.5 or 1e9")
	}
	node := r.newNode(Number)
	node.Text = string(r.data[r.pos:end])
	if problem := NumberIssue(node.Text); problem != "" {
		r.fail("number_range", "This number %s; put it in quotes if it is meant as text.", problem)
		r.issues[len(r.issues)-1].Pointer = r.pointer()
	}
	r.pos = end
	return node, true
}

// scanNumber returns the end of the JSON number at start, or -1.
func scanNumber(data []byte, start int) int {
	i := start
	digits := func() bool {
		from := i
		for i < len(data) && data[i] >= '0' && data[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(data) && data[i] == '-' {
		i++
	}
	if i < len(data) && data[i] == '0' {
		i++
	} else if !digits() {
		return -1
	}
	if i < len(data) && data[i] >= '0' && data[i] <= '9' {
		return -1
	}
	if i < len(data) && data[i] == '.' {
		i++
		if !digits() {
			return -1
		}
	}
	if i < len(data) && (data[i] == 'e' || data[i] == 'E') {
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		if !digits() {
			return -1
		}
	}
	return i
}

// enter counts one more container and reports whether that is too deep.
func (r *jsonReader) enter() bool {
	r.depth++
	if r.limits.Depth > 0 && r.depth > r.limits.Depth {
		r.fail("too_deep", "Maps and lists are nested more than %d deep here; make the structure flatter.", r.limits.Depth)
		return false
	}
	return true
}

func (r *jsonReader) array() (*Node, bool) {
	node := r.newNode(Array)
	if !r.enter() {
		return nil, false
	}
	defer func() { r.depth-- }()
	r.pos++
	r.space()
	if r.pos < len(r.data) && r.data[r.pos] == ']' {
		r.pos++
		node.measure()
		return node, true
	}
	r.path = append(r.path, "")
	for {
		r.path[len(r.path)-1] = strconv.Itoa(len(node.Items))
		item, ok := r.value()
		if !ok {
			return nil, false
		}
		node.Items = append(node.Items, item)
		more, ok := r.separator(']', "list")
		if !ok {
			return nil, false
		}
		if !more {
			break
		}
	}
	r.path = r.path[:len(r.path)-1]
	node.measure()
	return node, true
}

// separator reads the comma or the closing bracket after a value.
func (r *jsonReader) separator(closing byte, what string) (more, ok bool) {
	r.space()
	switch {
	case r.pos < len(r.data) && r.data[r.pos] == closing:
		r.pos++
		return false, true
	case r.pos >= len(r.data) || r.data[r.pos] != ',':
		return false, r.syntax("a comma or %q is due after a value of the %s, found %s", closing, what, r.found())
	}
	r.pos++
	r.space()
	if r.pos < len(r.data) && r.data[r.pos] == closing {
		return false, r.syntax("there is a comma after the last value of the %s; remove it", what)
	}
	return true, true
}

func (r *jsonReader) object() (*Node, bool) {
	node := r.newNode(Object)
	if !r.enter() {
		return nil, false
	}
	defer func() { r.depth-- }()
	r.pos++
	r.space()
	if r.pos < len(r.data) && r.data[r.pos] == '}' {
		r.pos++
		node.measure()
		return node, true
	}
	r.path = append(r.path, "")
	for {
		member, ok := r.member()
		if !ok {
			return nil, false
		}
		node.Members = append(node.Members, member)
		more, ok := r.separator('}', "map")
		if !ok {
			return nil, false
		}
		if !more {
			break
		}
	}
	r.path = r.path[:len(r.path)-1]
	r.issues = append(r.issues, duplicateIssues(node.Members, r.pointer())...)
	node.measure()
	return node, true
}

func (r *jsonReader) member() (Member, bool) {
	var member Member
	if r.pos >= len(r.data) || r.data[r.pos] != '"' {
		return member, r.syntax("a key in double quotes is due, found %s", r.found())
	}
	member.Line, member.Column = r.place(r.pos)
	key, ok := r.str()
	if !ok {
		return member, false
	}
	member.Key = key
	r.space()
	if r.pos >= len(r.data) || r.data[r.pos] != ':' {
		return member, r.syntax("a colon is due after the key %q, found %s", shorten(key), r.found())
	}
	r.pos++
	r.space()
	r.path[len(r.path)-1] = key
	member.Value, ok = r.value()
	return member, ok
}

func (r *jsonReader) pointer() string {
	var pointer []byte
	for _, token := range r.path {
		pointer = append(append(pointer, '/'), Escape(token)...)
	}
	return string(pointer)
}

func duplicateIssues(members []Member, pointer string) []Issue {
	var issues []Issue
	duplicates(members, func(first, again *Member) {
		issues = append(issues, Issue{
			Pointer: pointer + "/" + Escape(again.Key), Code: "duplicate_key",
			Message: fmt.Sprintf("The key %q stands twice in the same map, first in line %d; remove one.", shorten(again.Key), first.Line),
			Line:    again.Line, Column: again.Column,
		})
	})
	return issues
}

func shorten(text string) string {
	if utf8.RuneCountInString(text) <= 60 {
		return text
	}
	return string([]rune(text)[:59]) + "…"
}

// str reads a string at its opening quote.
func (r *jsonReader) str() (string, bool) {
	r.pos++
	start := r.pos
	for i := start; i < len(r.data); i++ {
		switch c := r.data[i]; {
		case c == '"':
			r.pos = i + 1
			if !utf8.Valid(r.data[start:i]) {
				r.pos = start
				return "", r.syntax("a string holds bytes that are not UTF-8; save the text as UTF-8")
			}
			return string(r.data[start:i]), true
		case c == '\\':
			return r.escaped(start, i)
		case c < 0x20:
			r.pos = i
			return "", r.syntax("a string holds the control character U+%04X; write it as an escape, such as \\n", c)
		}
	}
	r.pos = len(r.data)
	return "", r.syntax("a string has no closing quote")
}

// escaped reads on in a string that began at start and has its first
// escape at i.
func (r *jsonReader) escaped(start, i int) (string, bool) {
	text := append(make([]byte, 0, i-start+32), r.data[start:i]...)
	for i < len(r.data) {
		c := r.data[i]
		switch {
		case c == '"':
			r.pos = i + 1
			if !utf8.Valid(text) {
				r.pos = start
				return "", r.syntax("a string holds bytes that are not UTF-8; save the text as UTF-8")
			}
			return string(text), true
		case c < 0x20:
			r.pos = i
			return "", r.syntax("a string holds the control character U+%04X; write it as an escape, such as \\n", c)
		case c != '\\':
			text = append(text, c)
			i++
		default:
			r.pos = i
			char, length := unescape(r.data[i:])
			if length == 0 {
				return "", r.syntax(`a string holds an escape that is not \" \\ \/ \b \f \n \r \t or \uXXXX`)
			}
			if char < 0 {
				r.fail("lone_surrogate", "A string holds half of a surrogate pair; write the character itself.")
				return "", false
			}
			text = utf8.AppendRune(text, char)
			i += length
		}
	}
	r.pos = len(r.data)
	return "", r.syntax("a string has no closing quote")
}

// unescape reads one escape. The length is 0 for an unknown one, the rune
// -1 for a lone surrogate.
func unescape(data []byte) (rune, int) {
	if len(data) < 2 {
		return 0, 0
	}
	switch data[1] {
	case '"', '\\', '/':
		return rune(data[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
	default:
		return 0, 0
	}
	first, ok := hex4(data[2:])
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(first) {
		return first, 6
	}
	if len(data) >= 12 && data[6] == '\\' && data[7] == 'u' {
		if second, ok := hex4(data[8:]); ok {
			if char := utf16.DecodeRune(first, second); char != utf8.RuneError {
				return char, 12
			}
		}
	}
	return -1, 6
}

func hex4(data []byte) (rune, bool) {
	if len(data) < 4 {
		return 0, false
	}
	value, err := strconv.ParseInt(string(data[:4]), 16, 32)
	return rune(value), err == nil
}
