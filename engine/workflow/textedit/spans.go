package textedit

import (
	"errors"
	"strings"
)

// form is how a value is written.
type form uint8

const (
	// empty is a null of which nothing is written.
	empty form = iota
	// inline is a scalar without quotes or in them, in one line or several.
	inline
	// lines is a block scalar: an indicator and the lines below it.
	lines
	alias
	blockMap
	blockList
	flowMap
	flowList
)

// span is the place of one value in the text. Offsets count bytes.
type span struct {
	form form
	// start and end bound the value's text, without the line's comment; an
	// empty one stands right behind its colon or dash.
	start, end int
	// column is where the keys or dashes of a block collection stand,
	// counted from 0; outer that of the block that the value is part of.
	column, outer int
	// headEnd ends a block scalar's indicator.
	headEnd int
	// anchored: the value has an anchor's name before it.
	anchored bool
	inFlow   bool
	entries  []entry
}

// entry is one member of a map or one item of a list.
type entry struct {
	// start is where the key or the dash stands, mark the place right behind
	// the colon or dash. An item in a flow list has no mark of its own.
	start, mark int
	value       *span
}

func (s *span) isBlock() bool { return s.form == blockMap || s.form == blockList }
func (s *span) isFlow() bool  { return s.form == flowMap || s.form == flowList }

// errForm is how the reader gives up on a text: the caller writes it anew.
var errForm = errors.New("the text has a form that can't be edited")

// reader finds the spans of a text that has been read as YAML before. It
// knows the forms that people write; of any other it says errForm. What it
// takes wrongly shows when the edited text is read again.
type reader struct {
	text string
	pos  int
	// depth bounds the recursion.
	depth int
}

const maxDepth = 200

// readSpans reads a whole document whose line ends are single line feeds.
func readSpans(text string) (*span, error) {
	r := &reader{text: text}
	column, ok := r.next()
	if ok && strings.HasPrefix(r.text[r.pos:], "---") && column == 0 {
		if rest := strings.TrimSpace(r.line()[3:]); rest != "" && rest[0] != '#' {
			return nil, errForm
		}
		r.pos = r.lineEnd(r.pos)
		column, ok = r.next()
	}
	if !ok {
		return nil, errForm
	}
	root, err := r.block(column, -1)
	if err != nil {
		return nil, err
	}
	if _, more := r.next(); more && !strings.HasPrefix(r.text[r.pos:], "...") {
		return nil, errForm
	}
	return root, nil
}

func (r *reader) lineEnd(pos int) int {
	if i := strings.IndexByte(r.text[pos:], '\n'); i >= 0 {
		return pos + i
	}
	return len(r.text)
}

func (r *reader) lineStart(pos int) int { return strings.LastIndexByte(r.text[:pos], '\n') + 1 }

// line is the rest of the current line.
func (r *reader) line() string { return r.text[r.pos:r.lineEnd(r.pos)] }

// next moves to the next content: on this line behind spaces, or on a later
// one. It returns the column.
func (r *reader) next() (column int, ok bool) {
	for {
		for r.pos < len(r.text) && r.text[r.pos] == ' ' {
			r.pos++
		}
		if r.pos >= len(r.text) {
			return 0, false
		}
		if c := r.text[r.pos]; c != '\n' && c != '#' && c != '\t' {
			return r.pos - r.lineStart(r.pos), true
		} else if c == '\t' && strings.TrimSpace(r.line()) != "" {
			// A tab before content; the column is in doubt.
			return -1, true
		}
		r.pos = min(r.lineEnd(r.pos)+1, len(r.text))
	}
}

// block reads the value at the current position, which begins a line of its
// own or stands right behind a dash.
func (r *reader) block(column, outer int) (*span, error) {
	if r.depth++; r.depth > maxDepth || column <= outer && column >= 0 && !r.atDash() {
		return nil, errForm
	}
	defer func() { r.depth-- }()
	switch {
	case column < 0:
		return nil, errForm
	case r.atDash():
		return r.blockList(column, outer)
	}
	if _, isKey := r.keyEnd(); isKey {
		return r.blockMap(column, outer)
	}
	return r.scalarOrFlow(outer)
}

func (r *reader) atDash() bool {
	rest := r.text[r.pos:]
	return strings.HasPrefix(rest, "- ") || strings.HasPrefix(rest, "-\n") || rest == "-"
}

// keyEnd returns the place behind the colon of the key that stands here.
func (r *reader) keyEnd() (int, bool) {
	at := r.pos
	switch c := r.text[at]; c {
	case '"', '\'':
		end, ok := quotedEnd(r.text, at)
		if !ok || strings.Contains(r.text[at:end], "\n") {
			return 0, false
		}
		at = end
		for at < len(r.text) && r.text[at] == ' ' {
			at++
		}
		if at < len(r.text) && r.text[at] == ':' && breaks(r.text, at+1) {
			return at + 1, true
		}
		return 0, false
	case '[', '{', '|', '>', '&', '*', '!', '%', '@', '`', '?':
		return 0, false
	}
	end := r.lineEnd(at)
	for i := at; i < end; i++ {
		switch {
		case r.text[i] == '#' && i > at && r.text[i-1] == ' ':
			return 0, false
		case r.text[i] == ':' && breaks(r.text, i+1):
			return i + 1, true
		}
	}
	return 0, false
}

// breaks reports whether a space, a line's end or the text's end is at pos.
func breaks(text string, pos int) bool {
	return pos >= len(text) || text[pos] == ' ' || text[pos] == '\n'
}

// quotedEnd returns the place behind the closing quote.
func quotedEnd(text string, pos int) (int, bool) {
	quote := text[pos]
	for i := pos + 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote == '"':
			i++
		case text[i] == quote && quote == '\'' && i+1 < len(text) && text[i+1] == quote:
			i++
		case text[i] == quote:
			return i + 1, true
		}
	}
	return 0, false
}

func (r *reader) blockMap(column, outer int) (*span, error) {
	made := &span{form: blockMap, start: r.pos, column: column, outer: outer}
	for {
		mark, ok := r.keyEnd()
		if !ok {
			return nil, errForm
		}
		e := entry{start: r.pos, mark: mark}
		r.pos = mark
		var err error
		if e.value, err = r.after(mark, column, true); err != nil {
			return nil, err
		}
		made.entries = append(made.entries, e)
		made.end = e.value.end
		if more, err := r.again(column); !more || err != nil {
			return made, err
		}
		if r.atDash() {
			return nil, errForm
		}
	}
}

func (r *reader) blockList(column, outer int) (*span, error) {
	made := &span{form: blockList, start: r.pos, column: column, outer: outer}
	for {
		e := entry{start: r.pos, mark: r.pos + 1}
		r.pos++
		var err error
		if e.value, err = r.after(e.mark, column, false); err != nil {
			return nil, err
		}
		made.entries = append(made.entries, e)
		made.end = e.value.end
		more, err := r.again(column)
		if !more || err != nil || !r.atDash() {
			return made, err
		}
	}
}

// again looks whether the collection at column goes on.
func (r *reader) again(column int) (bool, error) {
	at, ok := r.next()
	switch {
	case !ok || at >= 0 && at < column || at == 0 && strings.HasPrefix(r.text[r.pos:], "..."):
		return false, nil
	case at != column:
		return false, errForm
	}
	return true, nil
}

// after reads the value behind a colon or a dash.
func (r *reader) after(mark, column int, ofMap bool) (*span, error) {
	line := r.lineStart(mark)
	at, ok := r.next()
	anchored := false
	if ok && r.text[r.pos] == '&' {
		anchored = true
		for r.pos < len(r.text) && !breaks(r.text, r.pos) {
			r.pos++
		}
		mark = r.pos
		at, ok = r.next()
	}
	same := ok && r.lineStart(r.pos) == line
	below := ok && !same && (at > column || at == column && ofMap && r.atDash())
	if !same && !below {
		return &span{form: empty, start: mark, end: mark, outer: column, anchored: anchored}, nil
	}
	var made *span
	var err error
	switch {
	case same && ofMap:
		made, err = r.scalarOrFlow(column)
	case below && at == column:
		made, err = r.blockList(at, column-1)
	default:
		made, err = r.block(at, column)
	}
	if err != nil {
		return nil, err
	}
	made.outer, made.anchored = column, anchored
	return made, nil
}

// scalarOrFlow reads a value that is no block collection.
func (r *reader) scalarOrFlow(outer int) (*span, error) {
	made := &span{form: inline, start: r.pos, outer: outer}
	switch c := r.text[r.pos]; c {
	case '[', '{':
		return r.flow(outer)
	case '*':
		made.form = alias
		for !breaks(r.text, r.pos) {
			r.pos++
		}
	case '"', '\'':
		end, ok := quotedEnd(r.text, r.pos)
		if !ok {
			return nil, errForm
		}
		r.pos = end
	case '|', '>':
		r.blockScalar(made)
		return made, nil
	case '&', '!', '%', '@', '`':
		return nil, errForm
	default:
		r.plain(outer)
	}
	made.end = r.pos
	// Nothing but a comment may follow on the line.
	if rest := strings.TrimSpace(r.line()); rest != "" && rest[0] != '#' {
		return nil, errForm
	}
	return made, nil
}

// blockScalar reads an indicator and the lines that are indented deeper
// than the block around them.
func (r *reader) blockScalar(made *span) {
	made.form = lines
	for r.pos < len(r.text) && !breaks(r.text, r.pos) {
		r.pos++
	}
	made.headEnd = r.pos
	made.end = r.pos
	r.pos = r.lineEnd(r.pos)
	for r.pos < len(r.text) {
		start := r.pos + 1
		end := r.lineEnd(min(start, len(r.text)))
		content := strings.TrimLeft(r.text[min(start, end):end], " ")
		if content != "" && end-len(content)-start <= made.outer {
			return
		}
		r.pos = end
		if content != "" {
			made.end = end
		}
		if start >= len(r.text) {
			return
		}
	}
}

// plain reads a scalar without quotes, its continuation lines included.
func (r *reader) plain(outer int) {
	for {
		end := r.lineEnd(r.pos)
		line := r.text[r.pos:end]
		comment := strings.Index(line, " #")
		if comment >= 0 {
			line = line[:comment]
		}
		r.pos += len(strings.TrimRight(line, " \t"))
		if comment >= 0 {
			return
		}
		ahead := reader{text: r.text, pos: min(end+1, len(r.text))}
		for ahead.pos < len(ahead.text) && strings.TrimSpace(ahead.line()) == "" {
			ahead.pos = min(ahead.lineEnd(ahead.pos)+1, len(ahead.text))
		}
		rest := ahead.line()
		content := strings.TrimLeft(rest, " ")
		if content == "" || content[0] == '#' || len(rest)-len(content) <= outer {
			return
		}
		r.pos = ahead.pos + len(rest) - len(content)
	}
}
