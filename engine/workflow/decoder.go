package workflow

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
	"github.com/vwmp/vwmp/pluginsdk"
)

// location is the way to a value; pointers are built only for problems.
type location struct {
	parent *location
	token  string
	stepID string
}

func (l *location) key(token string) *location {
	child := &location{parent: l, token: token}
	if l != nil {
		child.stepID = l.stepID
	}
	return child
}

func (l *location) index(i int) *location { return l.key(strconv.Itoa(i)) }

func (l *location) pointer() string {
	if l == nil {
		return ""
	}
	return l.parent.pointer() + "/" + tree.Escape(l.token)
}

// decoder turns a tree of values into a Definition and collects what is
// wrong on the way.
type decoder struct {
	problems       Problems
	suggest        suggester
	ignoreMetadata bool
}

func (d *decoder) add(n *tree.Node, at *location, code, format string, args ...any) {
	d.addPlace(n.Line, n.Column, at, code, format, args...)
}

func (d *decoder) addPlace(line, column int, at *location, code, format string, args ...any) {
	// Far more than are shown are of no use, and cost memory.
	if len(d.problems) > 20*MaxProblems {
		return
	}
	problem := pluginsdk.Problem{
		Severity: pluginsdk.SeverityError, Pointer: at.pointer(), Code: code,
		Message: fmt.Sprintf(format, args...), Line: line, Column: column,
	}
	if at != nil {
		problem.StepID = at.stepID
	}
	d.problems = append(d.problems, problem)
}

// found describes a value for a sentence: a short one literally.
func found(n *tree.Node) string {
	switch n.Kind {
	case tree.Bool, tree.Number:
		return n.Text
	case tree.String:
		if len(n.Text) <= 60 {
			return strconv.Quote(n.Text)
		}
		return "a longer text"
	}
	return n.Kind.String()
}

// object reports whether the value is a map.
func (d *decoder) object(n *tree.Node, at *location, what string) bool {
	if n.Kind == tree.Object {
		return true
	}
	d.add(n, at, "wrong_type", "%s must be a map; found %s.", what, found(n))
	return false
}

func (d *decoder) list(n *tree.Node, at *location, what string) []*tree.Node {
	if n.Kind != tree.Array {
		d.add(n, at, "wrong_type", "%s must be a list; found %s.", what, found(n))
		return nil
	}
	return n.Items
}

// unknownKey reports a key that the map doesn't have.
func (d *decoder) unknownKey(m *tree.Member, at *location, what string, known []string) {
	nearest := d.suggest.nearest(m.Key, slices.Values(known))
	remedy := didYouMean(nearest)
	if remedy == "" {
		remedy = "; remove it. Its keys are " + strings.Join(known, ", ") + "."
	}
	d.addPlace(m.Line, m.Column, at, "unknown_key", "%s has no key %q%s", what, clip(m.Key, 60), remedy)
}

func (d *decoder) missing(n *tree.Node, at *location, what, key string) {
	d.add(n, at, "missing_key", "%s needs the key %q.", what, key)
}

// text reads a string that may be of any length.
func (d *decoder) text(n *tree.Node, at *location, what string) (string, bool) {
	switch n.Kind {
	case tree.String:
		if strings.IndexByte(n.Text, 0) >= 0 {
			d.add(n, at, "control_character", "%s holds a NUL character; remove it.", what)
			return "", false
		}
		return n.Text, true
	case tree.Bool, tree.Number:
		d.add(n, at, "not_a_string", "%s must be text, found %s; put it in quotes: %s.", what, found(n), strconv.Quote(n.Text))
	case tree.Null:
		d.add(n, at, "not_a_string", "%s must be text, found null; write text in quotes, or remove the key.", what)
	default:
		d.add(n, at, "wrong_type", "%s must be text; found %s.", what, found(n))
	}
	return "", false
}

// badCharacter returns the first character that must not be in a name:
// control characters, and those that turn the direction of writing, with
// which a name can look like another.
func badCharacter(text string, multiline bool) (rune, bool) {
	for _, char := range text {
		switch {
		case multiline && (char == '\n' || char == '\t'):
		case char < 0x20, char >= 0x7f && char < 0xa0,
			char == '\u2028', char == '\u2029', char == '\ufeff',
			char == '\u200e', char == '\u200f', char == '\u061c',
			char >= '\u202a' && char <= '\u202e', char >= '\u2066' && char <= '\u2069':
			return char, true
		}
	}
	return 0, false
}

// bounded reads a string for people: length in characters, no control
// characters. A multi-line one may have newlines and tabs.
func (d *decoder) bounded(n *tree.Node, at *location, what string, least, most int, multiline bool) string {
	text, ok := d.text(n, at, what)
	if !ok {
		return ""
	}
	if char, bad := badCharacter(text, multiline); bad {
		d.add(n, at, "control_character", "%s holds the character U+%04X, which can't be seen or misleads; remove it.", what, char)
		return text
	}
	switch length := utf8.RuneCountInString(text); {
	case length < least || least > 0 && strings.TrimSpace(text) == "":
		d.add(n, at, "too_short", "%s is empty; write at least %d character.", what, least)
	case length > most:
		d.add(n, at, "too_long", "%s has %d characters; at most %d are allowed.", what, length, most)
	}
	return text
}

func (d *decoder) boolean(n *tree.Node, at *location, what string, value *bool) {
	if n.Kind != tree.Bool {
		d.add(n, at, "wrong_type", "%s must be true or false; found %s.", what, found(n))
		return
	}
	*value = n.Text == "true"
}

// integer reads a whole number within bounds.
func (d *decoder) integer(n *tree.Node, at *location, what string, least, most int, value *int) {
	var number float64
	if !d.number(n, at, what, float64(least), float64(most), &number) {
		return
	}
	if number != math.Trunc(number) {
		d.add(n, at, "wrong_type", "%s must be a whole number; found %s.", what, found(n))
		return
	}
	*value = int(number)
}

func (d *decoder) number(n *tree.Node, at *location, what string, least, most float64, value *float64) bool {
	if n.Kind != tree.Number {
		d.add(n, at, "wrong_type", "%s must be a number; found %s.", what, found(n))
		return false
	}
	number, err := strconv.ParseFloat(n.Text, 64)
	if err != nil || number < least || number > most {
		limits := fmt.Sprintf("%v or more", least)
		if !math.IsInf(most, 1) {
			limits = fmt.Sprintf("from %v to %v", least, most)
		}
		d.add(n, at, "out_of_range", "%s must be a number %s; found %s.", what, limits, found(n))
		return false
	}
	*value = number
	return true
}

// duration reads a number of seconds or Go's notation; zero only where it
// makes sense.
func (d *decoder) duration(n *tree.Node, at *location, what string, zero bool) time.Duration {
	value, ok := time.Duration(0), false
	switch n.Kind {
	case tree.Number:
		seconds, err := strconv.ParseFloat(n.Text, 64)
		if err == nil && seconds >= 0 && seconds < math.MaxInt64/float64(time.Second) {
			value, ok = time.Duration(math.Round(seconds*float64(time.Second))), true
		}
	case tree.String:
		parsed, err := pluginsdk.ParseDuration(n.Text)
		value, ok = parsed, err == nil
	}
	switch {
	case !ok:
		d.add(n, at, "bad_duration", `%s must be a number of seconds or text such as "50ms", "90s" or "2h"; found %s.`, what, found(n))
	case value == 0 && !zero:
		d.add(n, at, "bad_duration", "%s must be more than zero; remove the key for the default.", what)
	}
	return value
}

// choice reads one of a few words.
func choice[T ~string](d *decoder, n *tree.Node, at *location, what string, value *T, words ...T) {
	text, ok := d.text(n, at, what)
	if !ok {
		return
	}
	if slices.Contains(words, T(text)) {
		*value = T(text)
		return
	}
	plain := make([]string, len(words))
	for i, word := range words {
		plain[i] = string(word)
	}
	d.add(n, at, "bad_value", "%s must be one of %s; found %s%s", what, strings.Join(plain, ", "), found(n),
		endSentence(didYouMean(d.suggest.nearest(text, slices.Values(plain)))))
}

func endSentence(remedy string) string {
	if remedy == "" {
		return "."
	}
	return remedy
}

// raw returns the value as JSON.
func raw(n *tree.Node) json.RawMessage { return n.AppendJSON(nil) }

func clip(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit-1]) + "…"
}

// plainValue refuses NUL characters anywhere in a value: no shell, file
// system or database takes them.
func (d *decoder) plainValue(n *tree.Node, at *location, what string) {
	switch n.Kind {
	case tree.String:
		if strings.IndexByte(n.Text, 0) >= 0 {
			d.add(n, at, "control_character", "%s holds a NUL character; remove it.", what)
		}
	case tree.Array:
		for i, item := range n.Items {
			if item.Kind >= tree.String {
				d.plainValue(item, at.index(i), what)
			}
		}
	case tree.Object:
		for i := range n.Members {
			if member := &n.Members[i]; member.Value.Kind >= tree.String {
				d.plainValue(member.Value, at.key(member.Key), what)
			}
		}
	}
}
