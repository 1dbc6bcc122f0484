package workflow

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/vwmp/vwmp/engine/workflow/internal/rawjson"
)

// The roots of references.
const (
	RootConfig      = "config"
	RootParameters  = "parameters"
	RootStepOutputs = "step-outputs"
	RootEnv         = "env"
	RootAdapter     = "adapter"
	RootSecrets     = "secrets"
	RootWorkspace   = "workspace"
	RootExecution   = "execution"
	RootWorkflow    = "workflow"
	RootItem        = "item"
	RootIndex       = "index"
	RootTrigger     = "trigger"
)

var referenceRoots = []string{
	RootConfig, RootParameters, RootStepOutputs, RootEnv, RootAdapter, RootSecrets, RootWorkspace,
	RootExecution, RootWorkflow, RootItem, RootIndex, RootTrigger,
}

// maxReference bounds the text between ${ and }.
const maxReference = 4096

// Reference is one ${…}.
type Reference struct {
	// Text is the reference as it is written, with ${ and }.
	Text string
	Root string
	// Path follows the root.
	Path []rawjson.Segment
	// Default is a JSON value, or nil for none.
	Default json.RawMessage
	// Pointer leads to the string within the template's value.
	Pointer string
}

// Name returns the first key after the root, or "".
func (r *Reference) Name() string {
	if len(r.Path) == 0 {
		return ""
	}
	return r.Path[0].Key
}

// hasReference reports whether the text has a ${ that is not written $${.
func hasReference(text string) bool {
	for {
		i := strings.Index(text, "${")
		if i < 0 {
			return false
		}
		if i == 0 || text[i-1] != '$' {
			return true
		}
		text = text[i+2:]
	}
}

// piece is a part of a string: literal text, or a reference.
type piece struct {
	text      string
	reference *Reference
}

// syntaxError is a mistake in a reference, as a sentence without its end.
type syntaxError struct {
	reference string
	code      string
	reason    string
}

// maxMistakes bounds the mistakes that are reported of one string.
const maxMistakes = 20

// splitString takes a string apart, and finds the mistakes in it. Text
// without references comes back as one piece with $${ made ${.
func splitString(text string) ([]piece, []*syntaxError) {
	var pieces []piece
	var mistakes []*syntaxError
	var literal strings.Builder
	for len(mistakes) < maxMistakes {
		i := strings.Index(text, "${")
		if i < 0 {
			break
		}
		if i > 0 && text[i-1] == '$' {
			literal.WriteString(text[:i-1])
			literal.WriteString("${")
			text = text[i+2:]
			continue
		}
		literal.WriteString(text[:i])
		reference, length, err := parseReference(text[i:])
		if err != nil {
			mistakes = append(mistakes, err)
			text = text[i+2:]
			continue
		}
		if literal.Len() > 0 {
			pieces = append(pieces, piece{text: literal.String()})
			literal.Reset()
		}
		pieces = append(pieces, piece{reference: reference})
		text = text[i+length:]
	}
	literal.WriteString(text)
	if literal.Len() > 0 || len(pieces) == 0 {
		pieces = append(pieces, piece{text: literal.String()})
	}
	return pieces, mistakes
}

// referenceParser reads one reference.
type referenceParser struct {
	text string
	pos  int
}

// parseReference reads the reference at the start of text and returns its
// length in bytes.
func parseReference(text string) (*Reference, int, *syntaxError) {
	if len(text) > maxReference {
		text = text[:maxReference]
	}
	p := &referenceParser{text: text, pos: 2}
	reference := &Reference{}
	p.space()
	reference.Root = p.name()
	if err := p.root(reference.Root); err != nil {
		return nil, 0, err
	}
	for p.pos < len(text) {
		segment, ok, err := p.segment()
		if err != nil {
			return nil, 0, err
		}
		if !ok {
			break
		}
		reference.Path = append(reference.Path, segment)
	}
	p.space()
	if p.pos < len(text) && text[p.pos] == '|' {
		if err := p.fallback(reference); err != nil {
			return nil, 0, err
		}
	}
	p.space()
	switch {
	case p.pos >= len(text):
		return nil, 0, p.fail("has no closing }")
	case text[p.pos] != '}':
		return nil, 0, p.fail(fmt.Sprintf("has %q where } or | default is due; keys with other characters are written [%q]", text[p.pos:p.pos+1], "my key"))
	}
	p.pos++
	reference.Text = text[:p.pos]
	if err := reference.checkShape(); err != nil {
		return nil, 0, err
	}
	return reference, p.pos, nil
}

// excerpt is the reference as far as it can be shown.
func (p *referenceParser) excerpt() string {
	end := strings.IndexByte(p.text, '}')
	if end < 0 || end > 80 {
		return clip(p.text, 40)
	}
	return p.text[:end+1]
}

func (p *referenceParser) fail(reason string) *syntaxError {
	return &syntaxError{reference: p.excerpt(), code: "reference_syntax", reason: reason}
}

func (p *referenceParser) space() {
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t') {
		p.pos++
	}
}

// name reads letters, digits, - and _.
func (p *referenceParser) name() string {
	start := p.pos
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			break
		}
		p.pos++
	}
	return p.text[start:p.pos]
}

func (p *referenceParser) root(root string) *syntaxError {
	for _, known := range referenceRoots {
		if root == known {
			return nil
		}
	}
	var suggest suggester
	nearest := suggest.nearest(root, func(yield func(string) bool) {
		for _, known := range referenceRoots {
			if !yield(known) {
				return
			}
		}
	})
	remedy := "; it must begin with one of " + strings.Join(referenceRoots, ", ") + ". To write ${ itself, write $${"
	if nearest != "" {
		remedy = fmt.Sprintf("; did you mean %q? To write ${ itself, write $${", nearest)
	}
	return &syntaxError{reference: p.excerpt(), code: "unknown_root", reason: fmt.Sprintf("begins with %q, which is nothing that can be referred to%s", clip(root, 40), remedy)}
}

// segment reads .name, [0] or ["key"].
func (p *referenceParser) segment() (rawjson.Segment, bool, *syntaxError) {
	var segment rawjson.Segment
	switch p.text[p.pos] {
	case '.':
		p.pos++
		name := p.name()
		if name == "" {
			return segment, false, p.fail("has a dot without a name after it")
		}
		return rawjson.Key(name), true, nil
	case '[':
		p.pos++
		if p.pos < len(p.text) && p.text[p.pos] == '"' {
			end := rawjson.Skip([]byte(p.text), p.pos)
			var key string
			if end < 0 || json.Unmarshal([]byte(p.text[p.pos:end]), &key) != nil {
				return segment, false, p.fail("has a key in brackets that is not closed")
			}
			p.pos = end
			segment = rawjson.Key(key)
		} else {
			start := p.pos
			for p.pos < len(p.text) && p.text[p.pos] >= '0' && p.text[p.pos] <= '9' {
				p.pos++
			}
			index, err := strconv.Atoi(p.text[start:p.pos])
			if err != nil {
				return segment, false, p.fail(`has brackets that hold neither a number, such as [0], nor a key, such as ["my key"]`)
			}
			segment = rawjson.Index(index)
		}
		if p.pos >= len(p.text) || p.text[p.pos] != ']' {
			return segment, false, p.fail("has a bracket that is not closed")
		}
		p.pos++
		return segment, true, nil
	}
	return segment, false, nil
}

// fallback reads | default VALUE.
func (p *referenceParser) fallback(reference *Reference) *syntaxError {
	p.pos++
	p.space()
	if word := p.name(); word != "default" {
		return p.fail(fmt.Sprintf("has %q after |, where only default and a value may stand, such as | default \"none\"", clip(word, 40)))
	}
	p.space()
	end := rawjson.Skip([]byte(p.text), p.pos)
	if end < 0 || !json.Valid([]byte(p.text[p.pos:end])) {
		return p.fail(`has a default that is not a JSON value; write text in double quotes, such as | default "none"`)
	}
	reference.Default = json.RawMessage(p.text[p.pos:end])
	p.pos = end
	return nil
}

// checkShape judges what may follow a root, whatever the workflow says.
func (r *Reference) checkShape() *syntaxError {
	fail := func(code, format string, args ...any) *syntaxError {
		return &syntaxError{reference: r.Text, code: code, reason: fmt.Sprintf(format, args...)}
	}
	one := func(known ...string) *syntaxError {
		for _, name := range known {
			if len(r.Path) == 1 && r.Name() == name {
				return nil
			}
		}
		return fail("unknown_name", "names nothing; %s has only %s", r.Root, strings.Join(known, ", "))
	}
	switch r.Root {
	case RootConfig, RootParameters, RootStepOutputs, RootTrigger:
		if r.Name() == "" {
			return fail("reference_syntax", "names no value; write ${%s.NAME}", r.Root)
		}
	case RootAdapter:
		if len(r.Path) < 2 || r.Name() == "" {
			return fail("reference_syntax", "names no value; write ${adapter.PLUGIN.NAME}")
		}
	case RootEnv:
		if len(r.Path) != 1 || !isIdentifier(r.Name()) {
			return fail("reference_syntax", "is not the name of an environment variable; write ${env.NAME}")
		}
	case RootSecrets:
		if len(r.Path) != 1 || !ValidSecretName(r.Name()) {
			return fail("reference_syntax", "is not the name of a secret; write ${secrets.NAME}")
		}
	case RootWorkspace:
		return one("name")
	case RootExecution:
		return one("id", "started_at")
	case RootWorkflow:
		return one("id", "name", "version")
	case RootIndex:
		if len(r.Path) > 0 {
			return fail("reference_syntax", "has a path; the index is a number, write ${index}")
		}
	}
	return nil
}
