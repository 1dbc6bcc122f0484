package tree

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// plainText is text that needs no quotes anywhere in YAML: it begins with a
// letter and holds nothing that means something to a reader.
var plainText = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z_/$][A-Za-z0-9_./@$()+=-]*( [A-Za-z0-9_./@$()+=<>|&?!*-]+)*$`)
})

var reservedWords = map[string]bool{
	"null": true, "true": true, "false": true, "yes": true, "no": true, "on": true, "off": true, "y": true, "n": true,
}

// AppendYAML appends the value as a YAML document in block style that
// ReadYAML, and readers of older YAML, read as the same value.
func (n *Node) AppendYAML(dst []byte) []byte {
	if n.Kind == Object && len(n.Members) > 0 || n.Kind == Array && len(n.Items) > 0 {
		return n.appendBlock(dst, 0)
	}
	return append(n.appendScalar(dst, 0), '\n')
}

func indent(dst []byte, depth int) []byte {
	for range depth {
		dst = append(dst, "  "...)
	}
	return dst
}

// appendBlock writes the lines of a map or list that is not empty. The
// first line's indent is the caller's.
func (n *Node) appendBlock(dst []byte, depth int) []byte {
	if n.Kind == Array {
		for i, item := range n.Items {
			if i > 0 {
				dst = indent(dst, depth)
			}
			dst = append(dst, '-', ' ')
			if item.isBlock() {
				dst = item.appendBlock(dst, depth+1)
				continue
			}
			dst = append(item.appendScalar(dst, depth+1), '\n')
		}
		return dst
	}
	for i := range n.Members {
		member := &n.Members[i]
		if i > 0 {
			dst = indent(dst, depth)
		}
		dst = append(appendText(dst, member.Key), ':')
		if member.Value.isBlock() {
			dst = indent(append(dst, '\n'), depth+1)
			dst = member.Value.appendBlock(dst, depth+1)
			continue
		}
		dst = append(member.Value.appendScalar(append(dst, ' '), depth+1), '\n')
	}
	return dst
}

func (n *Node) isBlock() bool { return len(n.Members) > 0 || len(n.Items) > 0 }

func (n *Node) appendScalar(dst []byte, depth int) []byte {
	if n.Kind != String {
		return n.AppendJSON(dst)
	}
	if literal(n.Text) {
		dst = append(dst, '|')
		body := n.Text
		if trimmed, ok := strings.CutSuffix(body, "\n"); ok {
			body = trimmed
		} else {
			dst = append(dst, '-')
		}
		for line := range strings.SplitSeq(body, "\n") {
			dst = append(dst, '\n')
			if line != "" {
				dst = append(indent(dst, depth), line...)
			}
		}
		return dst
	}
	return appendText(dst, n.Text)
}

// literal reports whether the text is best read line by line: several lines
// without anything at their edges that a block scalar would lose.
func literal(text string) bool {
	if !strings.Contains(strings.TrimSuffix(text, "\n"), "\n") || strings.HasSuffix(text, "\n\n") {
		return false
	}
	if text[0] == ' ' || text[0] == '\n' || text[0] == '\t' {
		return false
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimRight(line, " \t") != line {
			return false
		}
	}
	for _, char := range text {
		if char != '\n' && char < 0x20 || char >= 0x7f && char < 0xa0 || char == utf8.RuneError ||
			char == '\u2028' || char == '\u2029' || char == '\ufeff' {
			return false
		}
	}
	return true
}

// appendText writes text plain where every reader takes it for text, else
// in double quotes.
func appendText(dst []byte, text string) []byte {
	if plainText().MatchString(text) && !reservedWords[strings.ToLower(text)] && !strings.Contains(text, " #") {
		return append(dst, text...)
	}
	if strings.ContainsAny(text, `"\`) && singleQuotable(text) {
		return append(append(append(dst, '\''), text...), '\'')
	}
	return AppendString(dst, text)
}

// singleQuotable reports whether the text may stand in single quotes, which
// spare it the backslashes.
func singleQuotable(text string) bool {
	return !strings.ContainsFunc(text, func(char rune) bool {
		return char == '\'' || char < 0x20 || char > 0x7e
	})
}
