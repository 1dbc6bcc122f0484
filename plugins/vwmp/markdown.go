package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

// taskID names a task by its numbers: E01:S03:T001 and E1S3T1 are the same.
// Task 0 names the whole story, story 0 the whole epic.
type taskID struct{ epic, story, task int }

func (id taskID) ofStory() taskID { return taskID{id.epic, id.story, 0} }

var (
	taskAnywhere = regexp.MustCompile(`(?i)\bE(\d{1,6})[:_-]?S(\d{1,6})[:_-]?T(\d{1,6})\b`)
	// At the start of an entry, after what only dresses it.
	idAtStart    = regexp.MustCompile("(?i)^[*_`\\[~]*E(\\d{1,6})(?:[:_-]?S(\\d{1,6})(?:[:_-]?T(\\d{1,6}))?)?\\b")
	storyAtStart = regexp.MustCompile("(?i)^[*_`\\[~]*Story[ \\t_-]?(\\d{1,6})\\b")
	epicAtStart  = regexp.MustCompile("(?i)^[*_`\\[~]*Epic[ \\t_-]?(\\d{1,6})\\b")
	checkboxLine = regexp.MustCompile(`^([ \t]*(?:[-*+]|\d+[.)])[ \t]+\[)([ xX~/-])(\][ \t]+)(.*?)([ \t]*)(\r?\n?)$`)
	openStatus   = regexp.MustCompile(`(?i)[ \t]+[-–—:][ \t]*(?:todo|to do|in progress|not started|planned|open|pending)(?:[ \t]*\(v[^)]*\))?$`)
	fieldLine    = regexp.MustCompile(`(?i)^([ \t>*-]*\**)(status|last[ \t]+updated|completed)(\**:\**|:\**)([ \t]*)(.*?)([ \t]*\\?)(\r?\n?)$`)
	headingLine  = regexp.MustCompile(`^(#{1,6})[ \t]+(.*?)[ \t]*\r?\n?$`)
	isComplete   = regexp.MustCompile(`(?i)^\W*(?:complete|completed|done)\b`)
)

// findTaskIDs collects the ids in a text in the order they appear.
func findTaskIDs(text string) []taskID {
	var found []taskID
	seen := map[taskID]bool{}
	for _, match := range taskAnywhere.FindAllStringSubmatch(text, -1) {
		id := taskID{numberOf(match[1]), numberOf(match[2]), numberOf(match[3])}
		if !seen[id] {
			found = append(found, id)
		}
		seen[id] = true
	}
	return found
}

// numberOf reads digits that a pattern has bounded; "" is 0.
func numberOf(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// idOf reads the id that a text begins with. "Story 3" is a story of the
// given epic.
func idOf(text string, epic int) (taskID, bool) {
	if match := idAtStart.FindStringSubmatch(text); match != nil {
		return taskID{numberOf(match[1]), numberOf(match[2]), numberOf(match[3])}, true
	}
	if match := storyAtStart.FindStringSubmatch(text); match != nil {
		return taskID{epic, numberOf(match[1]), 0}, true
	}
	if match := epicAtStart.FindStringSubmatch(text); match != nil {
		return taskID{numberOf(match[1]), 0, 0}, true
	}
	return taskID{}, false
}

// document is a kanban document as lines with their ends. Lines of code
// blocks are text, not entries.
type document struct {
	file   string
	epic   int
	before []byte
	lines  []string
	isCode []bool
}

func newDocument(file string, epic int, data []byte) *document {
	doc := &document{file: file, epic: epic, before: data, lines: slices.Collect(strings.Lines(string(data)))}
	doc.findCode()
	return doc
}

func (d *document) findCode() {
	d.isCode = make([]bool, len(d.lines))
	fence := ""
	for i, line := range d.lines {
		trimmed := strings.TrimLeft(line, " \t")
		switch {
		case fence != "":
			d.isCode[i] = true
			if strings.HasPrefix(trimmed, fence) {
				fence = ""
			}
		case strings.HasPrefix(trimmed, "```"), strings.HasPrefix(trimmed, "~~~"):
			d.isCode[i] = true
			fence = trimmed[:3]
		}
	}
}

func (d *document) edit() fileedit.Edit {
	return fileedit.Edit{File: d.file, Before: d.before, After: []byte(strings.Join(d.lines, ""))}
}

// entry is a checkbox that begins with an id.
type entry struct {
	line   int
	id     taskID
	isDone bool
}

func (d *document) entries() []entry {
	var found []entry
	for i, line := range d.lines {
		match := checkboxLine.FindStringSubmatch(line)
		if d.isCode[i] || match == nil {
			continue
		}
		if id, ok := idOf(match[4], d.epic); ok {
			found = append(found, entry{i, id, strings.EqualFold(match[2], "x")})
		}
	}
	return found
}

// tick ticks an entry and says with which version.
func (d *document) tick(e entry, version string) {
	match := checkboxLine.FindStringSubmatch(d.lines[e.line])
	text, mark := match[4], "(v"+version+")"
	switch {
	case openStatus.MatchString(text):
		text = openStatus.ReplaceAllString(text, "") + " - COMPLETE " + mark
	case !strings.Contains(text, mark):
		text += " " + mark
	}
	d.lines[e.line] = match[1] + "x" + match[3] + text + match[5] + match[6]
}

// section is a stretch of lines under one heading, or the head of the
// document before its first section.
type section struct{ start, end int }

// head ends at the first heading of the second level.
func (d *document) head() section {
	for i, line := range d.lines {
		if match := headingLine.FindStringSubmatch(line); match != nil && !d.isCode[i] && len(match[1]) >= 2 {
			return section{0, i}
		}
	}
	return section{0, len(d.lines)}
}

// storySections are those whose heading begins with the story's id.
func (d *document) storySections(story taskID) []section {
	var found []section
	level := 0
	for i, line := range d.lines {
		match := headingLine.FindStringSubmatch(line)
		if match == nil || d.isCode[i] {
			continue
		}
		if level > 0 && len(match[1]) <= level {
			found[len(found)-1].end, level = i, 0
		}
		if id, ok := idOf(match[2], d.epic); ok && id == story && level == 0 && len(match[1]) >= 2 {
			found, level = append(found, section{i + 1, len(d.lines)}), len(match[1])
		}
	}
	return found
}

// field returns the line of the first such field of the section, or -1, and
// its value.
func (d *document) field(within section, name string) (line int, value string) {
	for i := within.start; i < within.end; i++ {
		match := fieldLine.FindStringSubmatch(d.lines[i])
		if match != nil && !d.isCode[i] && strings.EqualFold(strings.Join(strings.Fields(match[2]), " "), name) {
			return i, match[5]
		}
	}
	return -1, ""
}

// setField replaces a field's value and keeps how it is dressed.
func (d *document) setField(line int, value string) {
	match := fieldLine.FindStringSubmatch(d.lines[line])
	space := match[4]
	if space == "" {
		space = " "
	}
	d.lines[line] = match[1] + match[2] + match[3] + space + value + match[6] + match[7]
}

// complete sets the status of a section and adds the date below it. It
// reports whether there is a status that was not complete before.
func (d *document) complete(within section, date string) bool {
	line, value := d.field(within, "status")
	if line < 0 || isComplete.MatchString(value) {
		return false
	}
	d.setField(line, "COMPLETE")
	if at, _ := d.field(within, "completed"); at >= 0 {
		d.setField(at, date)
		return true
	}
	match := fieldLine.FindStringSubmatch(d.lines[line])
	end := match[7]
	if end == "" {
		end = "\n"
		if strings.HasSuffix(d.lines[0], "\r\n") {
			end = "\r\n"
		}
		d.lines[line] += end
	}
	added := match[1] + "Completed" + match[3] + " " + date + match[6] + match[7]
	d.lines = append(d.lines[:line+1:line+1], append([]string{added}, d.lines[line+1:]...)...)
	d.findCode()
	return true
}
