package textedit

import "strings"

// flow reads a collection in brackets or braces at the current position.
func (r *reader) flow(outer int) (*span, error) {
	if r.depth++; r.depth > maxDepth {
		return nil, errForm
	}
	defer func() { r.depth-- }()
	made := &span{form: flowMap, start: r.pos, outer: outer}
	closing := byte('}')
	if r.text[r.pos] == '[' {
		made.form, closing = flowList, ']'
	}
	r.pos++
	for {
		if !r.flowNext() {
			return nil, errForm
		}
		if r.text[r.pos] == closing {
			r.pos++
			made.end = r.pos
			return made, nil
		}
		e, err := r.flowEntry(made.form == flowMap, outer)
		if err != nil {
			return nil, err
		}
		made.entries = append(made.entries, e)
		if !r.flowNext() {
			return nil, errForm
		}
		if r.text[r.pos] == ',' {
			r.pos++
		} else if r.text[r.pos] != closing {
			return nil, errForm
		}
	}
}

// flowNext moves over spaces, line ends and comments.
func (r *reader) flowNext() bool {
	for r.pos < len(r.text) {
		switch c := r.text[r.pos]; {
		case c == ' ' || c == '\n' || c == '\t':
			r.pos++
		case c == '#' && r.pos > 0 && (r.text[r.pos-1] == ' ' || r.text[r.pos-1] == '\n'):
			r.pos = r.lineEnd(r.pos)
		default:
			return true
		}
	}
	return false
}

func (r *reader) flowEntry(ofMap bool, outer int) (entry, error) {
	e := entry{start: r.pos}
	if !ofMap {
		value, err := r.flowValue(outer)
		e.value = value
		return e, err
	}
	if c := r.text[r.pos]; c == '"' || c == '\'' {
		end, ok := quotedEnd(r.text, r.pos)
		if !ok {
			return e, errForm
		}
		r.pos = end
	} else {
		for r.pos < len(r.text) && !strings.ContainsRune(",[]{}\n", rune(r.text[r.pos])) &&
			(r.text[r.pos] != ':' || !flowBreaks(r.text, r.pos+1)) {
			r.pos++
		}
	}
	if !r.flowNext() || r.text[r.pos] != ':' {
		return e, errForm
	}
	r.pos++
	e.mark = r.pos
	if !r.flowNext() {
		return e, errForm
	}
	if c := r.text[r.pos]; c == ',' || c == '}' {
		e.value = &span{form: empty, start: e.mark, end: e.mark, outer: outer, inFlow: true}
		return e, nil
	}
	value, err := r.flowValue(outer)
	e.value = value
	return e, err
}

func flowBreaks(text string, pos int) bool {
	return breaks(text, pos) || strings.IndexByte(",[]{}", text[pos]) >= 0
}

func (r *reader) flowValue(outer int) (*span, error) {
	made := &span{form: inline, start: r.pos, outer: outer, inFlow: true}
	switch c := r.text[r.pos]; c {
	case '[', '{':
		inner, err := r.flow(outer)
		if err == nil {
			inner.inFlow = true
		}
		return inner, err
	case '"', '\'':
		end, ok := quotedEnd(r.text, r.pos)
		if !ok {
			return nil, errForm
		}
		r.pos = end
	case '&', '!', '?', '|', '>', '%', '@', '`':
		return nil, errForm
	default:
		if c == '*' {
			made.form = alias
		}
		r.flowPlain()
	}
	made.end = r.pos
	if made.end == made.start {
		return nil, errForm
	}
	return made, nil
}

// flowPlain reads a scalar without quotes within brackets, in one line.
func (r *reader) flowPlain() {
	start := r.pos
	for r.pos < len(r.text) {
		c := r.text[r.pos]
		if strings.IndexByte(",[]{}\n", c) >= 0 || c == ':' && flowBreaks(r.text, r.pos+1) ||
			c == '#' && r.pos > start && r.text[r.pos-1] == ' ' {
			break
		}
		r.pos++
	}
	r.pos = start + len(strings.TrimRight(r.text[start:r.pos], " \t"))
}
