package main

import (
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

// checkSingle refuses more than one statement for SQLite, whose driver would
// run them all; the servers of the others refuse them by themselves.
func checkSingle(kind, statement string) error {
	if kind != driverSQLite {
		return nil
	}
	rest := afterFirst(statement)
	for rest != "" {
		word, next := nextToken(rest)
		if word != "" && word != ";" {
			return pluginsdk.Errorf("run the statement: multiple commands can't be run in one; give each a step of its own").WithCode("STATEMENT_FAILED")
		}
		rest = next
	}
	return nil
}

// afterFirst is what follows the first statement. A trigger has statements
// within: it ends at the END of its body, as sqlite3_complete has it.
func afterFirst(text string) string {
	var words []string
	for isTrigger := false; text != ""; {
		var word string
		word, text = nextToken(text)
		switch {
		case word == "":
			continue
		case word == ";" && (!isTrigger || endsTrigger(words)):
			return text
		}
		words = append(words, strings.ToUpper(word))
		// What is no beginning of a trigger by now is none.
		if len(words) <= maxLead {
			isTrigger = beginsTrigger(words)
		} else {
			words = words[1:]
		}
	}
	return ""
}

// maxLead is how many words the longest beginning of a trigger has: EXPLAIN
// QUERY PLAN CREATE TEMPORARY TRIGGER.
const maxLead = 6

func beginsTrigger(words []string) bool {
	text := strings.Join(words, " ")
	for _, lead := range []string{"EXPLAIN QUERY PLAN ", "EXPLAIN "} {
		if rest, found := strings.CutPrefix(text, lead); found {
			text = rest
			break
		}
	}
	rest, found := strings.CutPrefix(text, "CREATE ")
	if !found {
		return false
	}
	rest = strings.TrimPrefix(strings.TrimPrefix(rest, "TEMPORARY "), "TEMP ")
	return rest == "TRIGGER" || strings.HasPrefix(rest, "TRIGGER ")
}

// endsTrigger looks for the semicolon and END before a semicolon.
func endsTrigger(words []string) bool {
	n := len(words)
	return n > 1 && words[n-1] == "END" && words[n-2] == ";"
}

// nextToken cuts the first token off a text: a word, a quoted text or name, a
// semicolon, or another sign. Space and comments are the empty token.
func nextToken(text string) (token, rest string) {
	end := 1
	switch c := text[0]; {
	case isSpace(c):
		return "", text[1:]
	case strings.HasPrefix(text, "--"):
		return "", after(text, 2, "\n")
	case strings.HasPrefix(text, "/*"):
		return "", after(text, 2, "*/")
	case c == '\'' || c == '"' || c == '`':
		// A doubled quote is two texts side by side, which ends alike.
		rest = after(text, 1, string(c))
		return text[:len(text)-len(rest)], rest
	case c == '[':
		rest = after(text, 1, "]")
		return text[:len(text)-len(rest)], rest
	case isLetter(c):
		for end < len(text) && isLetter(text[end]) {
			end++
		}
	}
	return text[:end], text[end:]
}

// after is what follows the next end mark, from a place on; nothing where it
// lacks.
func after(text string, from int, mark string) string {
	_, rest, _ := strings.Cut(text[from:], mark)
	return rest
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }

func isLetter(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || ('0' <= c && c <= '9') || ('A' <= c && c <= 'Z') || ('a' <= c && c <= 'z')
}
