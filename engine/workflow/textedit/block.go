package textedit

import (
	"strings"

	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
)

// chunk is the lines of one entry of a block collection, from the comments
// right above it to the end of its last line, and the lines between it and
// the next: blank ones, and comments that stand for themselves.
type chunk struct{ text, gap string }

func (e *editor) lineStart(pos int) int { return strings.LastIndexByte(e.text[:pos], '\n') + 1 }

func (e *editor) lineEnd(pos int) int {
	if i := strings.IndexByte(e.text[pos:], '\n'); i >= 0 {
		return pos + i
	}
	return len(e.text)
}

// lead is where an entry's lines begin. The first entry's may begin behind a
// dash.
func (e *editor) lead(at *span, i int) int {
	start := e.lineStart(at.entries[i].start)
	if strings.TrimSpace(e.text[start:at.entries[i].start]) != "" {
		return at.entries[i].start
	}
	floor := 0
	if i > 0 {
		floor = e.lineEnd(at.entries[i-1].value.end)
	}
	for start > floor+1 {
		above := e.lineStart(start - 1)
		line := e.text[above : start-1]
		content := strings.TrimLeft(line, " ")
		if above < floor || !strings.HasPrefix(content, "#") || len(line)-len(content) > at.column {
			break
		}
		start = above
	}
	return start
}

// assembleBlock writes a block collection of these pieces in the place of
// the lines that it has.
func (e *editor) assembleBlock(at *span, pieces []piece, inner func(*editor, int) error) error {
	region := e.lead(at, 0)
	behindDash := region == at.entries[0].start && region != e.lineStart(region)
	stop := e.lineEnd(at.entries[len(at.entries)-1].value.end)
	indent := strings.Repeat(" ", at.column)
	spacing := e.spacing(at)
	kept := make(map[int]bool, len(pieces))
	for _, p := range pieces {
		kept[p.kept] = true
	}
	var chunks []chunk
	// Comments that stand for themselves stay when the entry above them goes.
	if left := e.leftover(at, 0, kept); left != "" {
		chunks = append(chunks, chunk{strings.Trim(left, "\n"), "\n"})
	}
	for _, p := range pieces {
		if p.kept < 0 {
			chunks = append(chunks, chunk{indented(freshLines(at.form, p.fresh), indent), spacing})
			continue
		}
		sub := &editor{text: e.text}
		if err := inner(sub, p.kept); err != nil {
			return err
		}
		text, err := sub.applied(e.lead(at, p.kept), e.lineEnd(at.entries[p.kept].value.end))
		if err != nil {
			return err
		}
		if behindDash && p.kept == 0 {
			text = indent + text
		}
		made := chunk{text, spacing}
		if p.kept+1 < len(at.entries) {
			made.gap = e.gap(at, p.kept) + e.leftover(at, p.kept+1, kept)
		}
		chunks = append(chunks, made)
	}
	return e.putChunks(region, stop, behindDash, at.column, chunks)
}

func (e *editor) putChunks(region, stop int, behindDash bool, column int, chunks []chunk) error {
	var out strings.Builder
	for i, c := range chunks {
		out.WriteString(c.text)
		if i+1 < len(chunks) {
			out.WriteString("\n" + c.gap)
		} else if strings.Contains(c.gap, "#") {
			out.WriteString("\n" + strings.TrimRight(c.gap, "\n"))
		}
	}
	text := out.String()
	if behindDash {
		if len(text) <= column || strings.TrimSpace(text[:column]) != "" || text[column] == '#' || text[column] == '\n' {
			return errForm
		}
		text = text[column:]
	}
	e.put(region, stop, text)
	return nil
}

// gap is the lines between an entry and the next.
func (e *editor) gap(at *span, i int) string {
	start := e.lineEnd(at.entries[i].value.end) + 1
	return e.text[start:max(start, e.lead(at, i+1))]
}

// leftover is what stands between entries that go, from i on.
func (e *editor) leftover(at *span, i int, kept map[int]bool) string {
	var left strings.Builder
	for ; i < len(at.entries)-1 && !kept[i]; i++ {
		if gap := e.gap(at, i); strings.Contains(gap, "#") {
			left.WriteString(gap)
		}
	}
	return left.String()
}

// spacing is what the entries have between them, where that is blank lines.
func (e *editor) spacing(at *span) string {
	if len(at.entries) < 2 {
		return ""
	}
	if gap := e.gap(at, 0); strings.TrimSpace(gap) == "" {
		return gap
	}
	return ""
}

// freshLines are the lines of an entry that is new, without a line feed at
// the end.
func freshLines(of form, f fresh) string {
	node := &tree.Node{Kind: tree.Array, Items: []*tree.Node{f.value}}
	if of == blockMap {
		node = &tree.Node{Kind: tree.Object, Members: []tree.Member{{Key: f.key, Value: f.value}}}
	}
	return strings.TrimSuffix(string(node.AppendYAML(nil)), "\n")
}

// indented puts the indent before each line that is not blank.
func indented(text, indent string) string {
	parts := strings.Split(text, "\n")
	for i, line := range parts {
		if line != "" {
			parts[i] = indent + line
		}
	}
	return strings.Join(parts, "\n")
}

// replace writes a value anew at its place.
func (e *editor) replace(at *span, want *tree.Node) error {
	if at.form == alias || at.anchored {
		return errForm
	}
	if at.inFlow {
		text, ok := e.quotedAlike(at, want)
		if !ok {
			text = string(appendFlow(nil, want))
		}
		if at.form == empty {
			text = " " + text
		}
		e.put(at.start, at.end, text)
		return nil
	}
	head, body := e.valueLines(at, want)
	switch {
	case at.form == lines:
		e.put(at.start, at.headEnd, head)
		if rest := e.lineEnd(at.headEnd); rest < at.end {
			e.put(rest, at.end, body)
		} else {
			e.put(rest, rest, body)
		}
	case at.isBlock():
		return e.replaceBlock(at, head, body)
	case head == "":
		// Block lines below: the space behind the colon goes as well.
		e.put(len(strings.TrimRight(e.text[:at.start], " ")), at.end, "")
		end := e.lineEnd(at.end)
		e.put(end, end, body)
	default:
		if at.form == empty {
			head = " " + head
		}
		e.put(at.start, at.end, head)
		if body != "" {
			end := e.lineEnd(at.end)
			e.put(end, end, body)
		}
	}
	return nil
}

// replaceBlock writes a value in the place of a block collection.
func (e *editor) replaceBlock(at *span, head, body string) error {
	start := e.lineStart(at.start)
	if strings.TrimSpace(e.text[start:at.start]) != "" {
		// It begins behind a dash.
		if head == "" {
			body = strings.TrimLeft(body, "\n ")
		}
		if strings.Contains(e.text[at.start:at.end], "#") {
			return errForm
		}
		e.put(at.start, at.end, head+body)
		return nil
	}
	if start == 0 {
		return errForm
	}
	if head != "" {
		key := e.keyLineEnd(start)
		if key < 0 {
			return errForm
		}
		e.put(key, key, " "+head)
	}
	e.put(start-1, e.lineEnd(at.end), body)
	return nil
}

// keyLineEnd finds the end of the key whose value begins in the line at
// start: the last line above that has more than a comment.
func (e *editor) keyLineEnd(start int) int {
	for start > 0 {
		above := e.lineStart(start - 1)
		line := e.text[above : start-1]
		if content := strings.TrimSpace(line); content != "" && content[0] != '#' {
			if i := strings.Index(line, " #"); i >= 0 {
				line = line[:i]
			}
			line = strings.TrimRight(line, " ")
			if !strings.HasSuffix(line, ":") {
				return -1
			}
			return above + len(line)
		}
		start = above
	}
	return -1
}

// valueLines writes a value for the place behind a colon or a dash: what
// stands on the same line, and the lines below it, each with a line feed
// before it. Head is empty for a block collection.
func (e *editor) valueLines(at *span, want *tree.Node) (head, body string) {
	if len(want.Members) > 0 || len(want.Items) > 0 {
		if at.isFlow() {
			return string(appendFlow(nil, want)), ""
		}
		indent := strings.Repeat(" ", at.outer+2)
		if at.isBlock() && at.column > at.outer {
			indent = strings.Repeat(" ", at.column)
		}
		text := strings.TrimSuffix(string(want.AppendYAML(nil)), "\n")
		return "", "\n" + indented(text, indent)
	}
	if text, ok := e.quotedAlike(at, want); ok {
		return text, ""
	}
	text := strings.TrimPrefix(freshLines(blockMap, fresh{"k", want}), "k: ")
	head, rest, more := strings.Cut(text, "\n")
	if !more {
		return head, ""
	}
	// The lines of a block scalar are indented by two below their key.
	return head, "\n" + indented(rest, strings.Repeat(" ", max(at.outer, 0)))
}

// quotedAlike writes a text in the quotes that the value had.
func (e *editor) quotedAlike(at *span, want *tree.Node) (string, bool) {
	if want.Kind != tree.String || at.form != inline || strings.Contains(want.Text, "\n") {
		return "", false
	}
	switch quote := e.text[at.start]; {
	case quote == '"':
		return string(tree.AppendString(nil, want.Text)), true
	case quote == '\'' && strings.IndexFunc(want.Text, func(c rune) bool { return c < 0x20 || c > 0x7e }) < 0:
		return "'" + strings.ReplaceAll(want.Text, "'", "''") + "'", true
	}
	return "", false
}

// appendFlow writes a value in one line.
func appendFlow(dst []byte, n *tree.Node) []byte {
	switch n.Kind {
	case tree.String:
		return appendFlowText(dst, n.Text)
	case tree.Array:
		dst = append(dst, '[')
		for i, item := range n.Items {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendFlow(dst, item)
		}
		return append(dst, ']')
	case tree.Object:
		dst = append(dst, '{')
		for i := range n.Members {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(appendFlowText(dst, n.Members[i].Key), ": "...)
			dst = appendFlow(dst, n.Members[i].Value)
		}
		return append(dst, '}')
	}
	return n.AppendJSON(dst)
}

func appendFlowText(dst []byte, text string) []byte {
	if strings.Contains(text, "\n") {
		return tree.AppendString(dst, text)
	}
	node := tree.Node{Kind: tree.String, Text: text}
	return append(dst, strings.TrimSuffix(string(node.AppendYAML(nil)), "\n")...)
}
