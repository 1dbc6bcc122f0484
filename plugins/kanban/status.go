package main

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Statuses that texts are read as.
const (
	statusTodo       = "todo"
	statusInProgress = "in_progress"
	statusComplete   = "complete"
	statusBlocked    = "blocked"
	statusDropped    = "dropped"
	// statusNotComplete is what a box that is not ticked says.
	statusNotComplete = "not_complete"
)

// statusWords are read from the beginning of a text, the longest first.
var statusWords = []struct{ words, status string }{
	{"not complete", statusInProgress}, {"partially complete", statusInProgress}, {"partly complete", statusInProgress},
	{"in progress", statusInProgress}, {"in review", statusInProgress}, {"in development", statusInProgress}, {"in testing", statusInProgress},
	{"not started", statusTodo}, {"to do", statusTodo}, {"ready", statusTodo}, {"todo", statusTodo}, {"planned", statusTodo},
	{"planning", statusTodo}, {"proposed", statusTodo}, {"backlog", statusTodo}, {"open", statusTodo}, {"pending", statusTodo},
	{"draft", statusTodo}, {"new", statusTodo},
	{"completed", statusComplete}, {"complete", statusComplete}, {"done", statusComplete}, {"finished", statusComplete},
	{"closed", statusComplete}, {"released", statusComplete}, {"shipped", statusComplete}, {"delivered", statusComplete},
	{"active", statusInProgress}, {"ongoing", statusInProgress}, {"started", statusInProgress}, {"doing", statusInProgress}, {"wip", statusInProgress},
	{"blocked", statusBlocked}, {"on hold", statusBlocked}, {"paused", statusBlocked},
	{"cancelled", statusDropped}, {"canceled", statusDropped}, {"dropped", statusDropped}, {"deferred", statusDropped}, {"superseded", statusDropped}, //nolint:misspell // Documents are written in either spelling.
}

// wordsOf lower-cases a text and drops what only dresses it.
func wordsOf(text string) string {
	text = strings.TrimLeftFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	text = strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || unicode.IsSpace(r) {
			return ' '
		}
		return unicode.ToLower(r)
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// statusOf reads the status that a text begins with, "" for none. A choice
// that nobody made ("TODO | IN PROGRESS | COMPLETE") is none.
func statusOf(text string) string {
	words := wordsOf(text)
	if words == "" && strings.Contains(text, "✅") {
		return statusComplete
	}
	for _, known := range statusWords {
		rest, ok := strings.CutPrefix(words, known.words)
		if !ok || (rest != "" && unicode.IsLetter(rune(rest[0]))) {
			continue
		}
		for choice := range strings.FieldsFuncSeq(rest, func(r rune) bool { return r == '|' || r == '/' }) {
			if choice != rest && statusOf(choice) != "" {
				return ""
			}
		}
		return known.status
	}
	return ""
}

// wholeStatus reads a text that is a status and nothing else: "Open source"
// is none.
func wholeStatus(text string) string {
	words := strings.TrimRightFunc(wordsOf(text), func(r rune) bool { return !unicode.IsLetter(r) })
	for _, known := range statusWords {
		if words == known.words {
			return known.status
		}
	}
	if words == "" {
		return statusOf(text)
	}
	return ""
}

var (
	versionMark = regexp.MustCompile(`[ \t]*\((?:v[^)]*|\d{4}-[^)]*)\)[ \t]*$`)
	dateInText  = regexp.MustCompile(`\b(\d{4})-(\d{2})-(\d{2})\b`)
)

// trailingStatus reads the status at the end of an entry, such as
// "E21:S03 – Release – IN PROGRESS (v0.1)".
func trailingStatus(text string) string {
	text = strings.Trim(versionMark.ReplaceAllString(text, ""), "*_` ")
	at := -1
	for _, separator := range []string{" - ", " – ", " — ", ": ", " ("} {
		if found := strings.LastIndex(text, separator); found >= 0 && found+len(separator) > at {
			at = found + len(separator)
		}
	}
	if at < 0 {
		return ""
	}
	return wholeStatus(text[at:])
}

// dateOf returns the first date in a text as YYYY-MM-DD, "" for none.
func dateOf(text string) string {
	match := dateInText.FindString(text)
	if _, err := time.Parse(time.DateOnly, match); err != nil {
		return ""
	}
	return match
}

// agree reports whether two statements about one thing can both be true.
func agree(a, b string) bool {
	if a == b {
		return true
	}
	if a == statusNotComplete {
		a, b = b, a
	}
	return b == statusNotComplete && a != statusComplete
}

// statement is what one line says about an epic or a story.
type statement struct {
	doc *document
	// line counts from 0.
	line   int
	value  string
	status string
	// isBox: the line is a checkbox, and the statement its mark.
	isBox bool
	// isOwn: the document is the one about the thing itself.
	isOwn bool
}

// statuses collects what a document says about the status of anything.
func (d *document) statuses() map[entityID][]statement {
	found := map[entityID][]statement{}
	add := func(id entityID, s statement) {
		if id.epic == 0 || id.task != 0 || (id.story == 0 && d.kind == kindStory && id != d.id) {
			// A story without an epic can't be told from another epic's; a task's
			// status is its own affair.
			return
		}
		s.doc, s.isOwn = d, id == d.id
		found[id] = append(found[id], s)
	}
	for _, f := range d.fields {
		if f.name == "status" && statusOf(f.value) != "" {
			add(d.subjectOf(f.line), statement{line: f.line, value: f.value, status: statusOf(f.value)})
		}
	}
	for _, box := range d.boxes {
		if !box.hasID || box.isVoid {
			continue
		}
		mark := statement{line: box.line, value: "[ ] (not ticked)", status: statusNotComplete, isBox: true}
		if box.isDone {
			mark.value, mark.status = "[x] (ticked)", statusComplete
		}
		add(box.id, mark)
		if said := trailingStatus(box.text); said != "" {
			add(box.id, statement{line: box.line, value: box.text, status: said})
		}
	}
	d.rowStatuses(add)
	return found
}

// rowStatuses reads table rows and plain list items that begin with an id.
func (d *document) rowStatuses(add func(entityID, statement)) {
	for i, line := range d.lines {
		text := strings.TrimSpace(line)
		if !d.isText[i] || len(text) < 4 {
			continue
		}
		switch {
		case text[0] == '|':
			cells := strings.Split(strings.Trim(text, "|"), "|")
			id, ok := idOf(strings.TrimSpace(cells[0]), d.id.epic)
			if !ok || len(cells) < 2 {
				continue
			}
			at := slices.IndexFunc(cells[1:], func(cell string) bool { return wholeStatus(cell) != "" })
			if at >= 0 {
				cell := strings.TrimSpace(cells[at+1])
				add(id, statement{line: i, value: cell, status: wholeStatus(cell)})
			}
		case strings.IndexByte("-*+", text[0]) >= 0 && text[1] == ' ':
			item := strings.TrimSpace(text[2:])
			if id, ok := idOf(item, d.id.epic); ok {
				if said := trailingStatus(item); said != "" {
					add(id, statement{line: i, value: item, status: said})
				}
			}
		}
	}
}

// dates collects what a document says about the dates of anything, by the
// field's name.
func (d *document) dates(name string) map[entityID][]statement {
	found := map[entityID][]statement{}
	for _, f := range d.fields {
		if f.name != name {
			continue
		}
		if date := dateOf(f.value); date != "" {
			id := d.subjectOf(f.line)
			if id.epic > 0 && id.task == 0 && (id.story != 0 || d.kind == kindEpic) {
				found[id] = append(found[id], statement{doc: d, line: f.line, value: f.value, status: date, isOwn: id == d.id})
			}
		}
	}
	return found
}

// status is what the document says of itself, as written and as read.
func (d *document) status() (written, read string) {
	f, ok := d.own("status")
	if !ok {
		return "", ""
	}
	return f.value, statusOf(f.value)
}
