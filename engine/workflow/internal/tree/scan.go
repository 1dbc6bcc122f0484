package tree

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/goccy/go-yaml/scanner"
	"github.com/goccy/go-yaml/token"
)

// Limits that keep the YAML parser cheap. Its cost grows with the square of
// the keys in one block map, and with the length of the path to each value;
// nesting costs it memory without end. So the tokens are judged before they
// reach it, as they come, which ends a hostile text early.
const (
	maxTokens   = 130_000
	maxAnchors  = 1_000
	maxSiblings = 2_000
	maxPathCost = 24 << 20
	// The scanner hands over a whole line at once.
	longLine, maxLineMarks = 32 << 10, 20_000
)

// scan splits the text into tokens, refusing what must not reach the
// parser.
func scan(text string, depth int) (token.Tokens, *Issue) {
	if issue := crowdedLine(text); issue != nil {
		return nil, issue
	}
	var source scanner.Scanner
	source.Init(text)
	// One level more than allowed is let through, so that a document that
	// is just too deep gets its exact place from the finished tree.
	g := guard{maxDepth: depth + 2}
	var tokens token.Tokens
	for {
		batch, err := source.Scan()
		if errors.Is(err, io.EOF) {
			return tokens, nil
		}
		for _, tk := range batch {
			if issue := g.accept(tk); issue != nil {
				return nil, issue
			}
			if tk.Type != token.CommentType {
				g.previous = tk
			}
		}
		tokens.Add(batch...)
		if err != nil {
			return nil, &Issue{Code: "yaml_syntax", Message: "The YAML can't be read: " + shortenTo(err.Error(), 160) + "."}
		}
	}
}

// crowdedLine finds a very long line that would become too many tokens at
// once. It takes quotes for what they are only within the line.
func crowdedLine(text string) *Issue {
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		if len(line) <= longLine {
			continue
		}
		marks := 0
		var quote byte
		for i := 0; i < len(line); i++ {
			c := line[i]
			switch {
			case quote != 0:
				if c == '\\' && quote == '"' {
					i++
				} else if c == quote {
					quote = 0
				}
			case c == '"' || c == '\'':
				quote = c
				marks++
			case strings.IndexByte("[]{},", c) >= 0:
				marks++
			case strings.IndexByte("-?&*!:", c) >= 0 && (i+1 == len(line) || line[i+1] == ' ' || i > 0 && line[i-1] == ' '):
				marks++
			}
			if marks > maxLineMarks {
				return &Issue{
					Code: "too_many_values", Line: number, Column: 1,
					Message: fmt.Sprintf("This line has more than %d brackets, commas and other marks; break it into several lines, or send the document as JSON.", maxLineMarks),
				}
			}
		}
	}
	return nil
}

// level is one open map or list.
type level struct {
	column  int
	isMap   bool
	members int
	key     int
}

// guard follows the nesting of a stream of tokens, roughly: it may count
// more than there is, never much less.
type guard struct {
	maxDepth int
	previous *token.Token
	block    []level
	flow     []level
	// pathLength is that of the path to the current value, pathCost the sum
	// over all tokens.
	pathLength, pathCost int
	tokens, anchors      int
	documents            int
	content              bool
}

func issueAt(tk *token.Token, code, format string, args ...any) *Issue {
	issue := &Issue{Code: code, Message: fmt.Sprintf(format, args...)}
	if tk.Position != nil {
		issue.Line, issue.Column = tk.Position.Line, tk.Position.Column
	}
	return issue
}

// accept takes the next token, or says why the text is refused.
func (g *guard) accept(tk *token.Token) *Issue {
	g.tokens++
	if g.tokens > maxTokens {
		return issueAt(tk, "too_many_values", "The document has more than %d parts as YAML; send it as JSON, or make it smaller.", maxTokens)
	}
	if issue := refused(tk); issue != nil {
		return issue
	}
	switch tk.Type {
	case token.InvalidType:
		issue := syntaxMessage(tk.Error)
		issue.Line, issue.Column = tk.Position.Line, tk.Position.Column
		return &issue
	case token.DocumentHeaderType, token.DocumentEndType:
		return g.document(tk)
	case token.CommentType:
		return nil
	case token.AnchorType, token.AliasType:
		g.anchors++
		if g.anchors > maxAnchors {
			return issueAt(tk, "alias_expansion", "The document has more than %d anchors and aliases; write the values out.", maxAnchors)
		}
	case token.MappingStartType, token.SequenceStartType:
		g.flow = append(g.flow, level{isMap: tk.Type == token.MappingStartType})
	case token.MappingEndType, token.SequenceEndType:
		if len(g.flow) > 0 {
			g.pathLength -= g.flow[len(g.flow)-1].key
			g.flow = g.flow[:len(g.flow)-1]
		}
	case token.SequenceEntryType:
		if len(g.flow) == 0 {
			g.open(tk.Position.Column, false)
		}
	case token.MappingValueType:
		if issue := g.mapKey(tk); issue != nil {
			return issue
		}
	}
	g.content = true
	if len(g.block)+len(g.flow) > g.maxDepth {
		return issueAt(tk, "too_deep", "Maps and lists are nested more than %d deep here; make the structure flatter.", g.maxDepth-2)
	}
	g.pathCost += g.pathLength + 8*len(g.block)
	if g.pathCost > maxPathCost {
		return issueAt(tk, "too_many_values", "The keys of this document are too long for their number; shorten them, or send it as JSON.")
	}
	return nil
}

// refused names the features of YAML that a workflow can't use.
func refused(tk *token.Token) *Issue {
	switch tk.Type {
	case token.TagType:
		return issueAt(tk, "yaml_tag", "The tag %s is not allowed: a workflow is plain data. Remove it; put text in quotes to keep it text.", shorten(tk.Value))
	case token.MergeKeyType:
		return issueAt(tk, "yaml_merge_key", "Merge keys (<<) are not allowed; write the keys out, or use an alias for a whole value.")
	case token.MappingKeyType:
		return issueAt(tk, "key_not_string", `A key that begins with "?" is not allowed; write "key: value".`)
	case token.DirectiveType:
		return issueAt(tk, "yaml_directive", "Lines that begin with %% are not allowed; remove the line.")
	}
	return nil
}

func (g *guard) document(tk *token.Token) *Issue {
	if tk.Type == token.DocumentHeaderType {
		g.documents++
	}
	if g.documents > 1 || g.content && tk.Type == token.DocumentHeaderType {
		return issueAt(tk, "yaml_multiple_documents", "There is a second document here; a workflow is one document. Remove this line, or save the rest in a file of its own.")
	}
	g.block, g.pathLength = g.block[:0], 0
	return nil
}

// mapKey notes the key before a colon.
func (g *guard) mapKey(tk *token.Token) *Issue {
	length, column := 0, tk.Position.Column
	if g.previous != nil {
		length, column = len(g.previous.Value)+1, g.previous.Position.Column
	}
	if len(g.flow) > 0 {
		top := &g.flow[len(g.flow)-1]
		g.pathLength += length - top.key
		top.key = length
		return nil
	}
	top := g.open(column, true)
	top.members++
	if top.members > maxSiblings {
		return issueAt(tk, "too_many_values", "A map has more than %d keys as YAML; send the document as JSON, or make the map smaller.", maxSiblings)
	}
	g.pathLength += length - top.key
	top.key = length
	return nil
}

// open makes the block collection at column the innermost one.
func (g *guard) open(column int, isMap bool) *level {
	for n := len(g.block); n > 0; n = len(g.block) {
		top := g.block[n-1]
		if top.column < column || top.column == column && (top.isMap == isMap || !isMap) {
			break
		}
		g.pathLength -= top.key
		g.block = g.block[:n-1]
	}
	if n := len(g.block); n == 0 || g.block[n-1].column < column || g.block[n-1].isMap != isMap {
		g.block = append(g.block, level{column: column, isMap: isMap})
	}
	return &g.block[len(g.block)-1]
}
