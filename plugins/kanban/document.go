package main

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// entityID names an epic (story 0), a story, or a task by its numbers. Epic 0
// is one that nobody named.
type entityID struct{ epic, story, task int }

// zeroth is the number of a story S00 or a task T00: some projects begin there.
const zeroth = -1

// String writes the id as documents do.
func (id entityID) String() string {
	switch {
	case id.task != 0:
		return fmt.Sprintf("E%02d:S%02d:T%03d", id.epic, max(id.story, 0), max(id.task, 0))
	case id.story != 0:
		return fmt.Sprintf("E%02d:S%02d", id.epic, max(id.story, 0))
	}
	return fmt.Sprintf("Epic %d", id.epic)
}

const (
	kindEpic  = "epic"
	kindStory = "story"
)

// document is an epic or a story as lines with their ends, and what they mean.
type document struct {
	file, kind string
	// id is what the document is about; its epic is 0 for a story that names
	// none.
	id       entityID
	title    string
	data     []byte
	lines    []string
	isText   []bool // false in code, comments and front matter's fences
	sections []section
	fields   []field
	boxes    []checkbox
}

// section is a heading and what is below it.
type section struct {
	line, level int
	title       string
	// bodyEnd is where the next heading of any level is, end where the next
	// of the same or a higher level is.
	bodyEnd, end int
	// parent is the index of the section around it, or -1.
	parent int
}

// field is a line such as "**Status:** In progress".
type field struct {
	line        int
	name, value string
}

// checkbox is an entry such as "- [x] E21:S03:T001 – First".
type checkbox struct {
	line   int
	id     entityID
	hasID  bool
	isDone bool
	// isVoid: marked [-] or [~], neither done nor to be done.
	isVoid bool
	text   string
}

var (
	idAtStart    = regexp.MustCompile("^[*_`\\[~]*[Ee](\\d{1,6})(?:[:_.-]?[Ss](\\d{1,6})(?:[:_.-]?[Tt](\\d{1,6}))?)?(?:\\b|_)")
	storyAtStart = regexp.MustCompile("(?i)^[*_`\\[~]*Story[ \\t_-]?(\\d{1,6})\\b")
	epicAtStart  = regexp.MustCompile("(?i)^[*_`\\[~]*Epic[ \\t_-]?(\\d{1,6})\\b")
	storyInText  = regexp.MustCompile(`(?i)\bE(\d{1,6})[:_-]?S(\d{1,6})\b`)
	epicInText   = regexp.MustCompile(`(?i)(?:\bepic[ _-]?|\bE)(\d{1,6})(?:\b|_)`)
	epicInName   = regexp.MustCompile(`(?i)^epic[ _-]?(\d{1,6})(?:\D|$)`)
	storyInName  = regexp.MustCompile(`(?i)^story[ _-]?(?:E?(\d{1,6})[._:-]S?)?(\d{1,6})(?:\D|$)`)
)

// fieldNames are the fields that mean something here, by how they may be
// written.
var fieldNames = map[string]string{
	"status": "status", "state": "status", "priority": "priority",
	"created": "created", "created on": "created", "creation date": "created", "date created": "created",
	"started": "started", "start date": "started", "start": "started",
	"completed": "completed", "completed on": "completed", "completion date": "completed", "date completed": "completed",
	"due": "due", "due date": "due", "target": "due", "target date": "due", "deadline": "due",
	"last updated": "last_updated", "updated": "last_updated", "last update": "last_updated",
	"epic": "epic", "parent epic": "epic", "parent": "epic",
}

// dateFields are those that two documents must agree on. When a document was
// last updated is its own affair.
var dateFields = []string{"created", "started", "completed", "due"}

func numberOf(digits string) int {
	number, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return number
}

// ordinalOf is the number of a story or a task; 0 for digits that are not there.
func ordinalOf(digits string) int {
	if number := numberOf(digits); number != 0 || digits == "" {
		return number
	}
	return zeroth
}

// idOf reads the id that a text begins with; "Story 3" is a story of the given
// epic.
func idOf(text string, epic int) (entityID, bool) {
	bare := strings.TrimLeft(text, "*_`[~")
	if bare == "" || !strings.ContainsRune("EeSs", rune(bare[0])) {
		return entityID{}, false
	}
	if match := idAtStart.FindStringSubmatch(text); match != nil {
		return entityID{numberOf(match[1]), ordinalOf(match[2]), ordinalOf(match[3])}, true
	}
	if match := storyAtStart.FindStringSubmatch(text); match != nil {
		return entityID{epic, ordinalOf(match[1]), 0}, true
	}
	if match := epicAtStart.FindStringSubmatch(text); match != nil {
		return entityID{numberOf(match[1]), 0, 0}, true
	}
	return entityID{}, false
}

// newDocument reads a document; kind is kindEpic or kindStory.
func newDocument(file, kind string, data []byte) *document {
	d := &document{file: file, kind: kind, data: data, lines: slices.Collect(strings.Lines(string(data)))}
	d.findText()
	d.findSections()
	d.findFields()
	d.findID()
	d.findBoxes()
	return d
}

// findText marks the lines that are neither code nor comment.
func (d *document) findText() {
	d.isText = make([]bool, len(d.lines))
	fence, isComment := "", false
	for i, line := range d.lines {
		trimmed := strings.TrimLeft(line, " \t")
		switch {
		case fence != "":
			if strings.HasPrefix(trimmed, fence) {
				fence = ""
			}
		case isComment:
			isComment = !strings.Contains(line, "-->")
		case strings.HasPrefix(trimmed, "```"), strings.HasPrefix(trimmed, "~~~"):
			fence = trimmed[:3]
		case strings.HasPrefix(trimmed, "<!--"):
			isComment = !strings.Contains(line, "-->")
		default:
			d.isText[i] = true
		}
	}
}

// headingOf returns the level and the title of a heading, level 0 for any
// other line.
func headingOf(line string) (level int, title string) {
	for level < len(line) && line[level] == '#' {
		level++
	}
	if level == 0 || level > 6 || level == len(line) || (line[level] != ' ' && line[level] != '\t') {
		return 0, ""
	}
	return level, strings.TrimSpace(strings.TrimRight(strings.TrimSpace(line[level:]), "#"))
}

func (d *document) findSections() {
	open := []int{}
	for i, line := range d.lines {
		if !d.isText[i] || line[0] != '#' {
			continue
		}
		level, title := headingOf(line)
		if level == 0 {
			continue
		}
		if last := len(d.sections) - 1; last >= 0 {
			d.sections[last].bodyEnd = i
		}
		for len(open) > 0 && d.sections[open[len(open)-1]].level >= level {
			d.sections[open[len(open)-1]].end = i
			open = open[:len(open)-1]
		}
		if level == 1 && d.title == "" {
			d.title = title
		}
		parent := -1
		if len(open) > 0 {
			parent = open[len(open)-1]
		}
		open = append(open, len(d.sections))
		d.sections = append(d.sections, section{line: i, level: level, title: title, bodyEnd: len(d.lines), end: len(d.lines), parent: parent})
	}
}

// fieldOf reads a line such as "- **Status:** Done", or a table's row of two
// cells, as a field with a known name.
func fieldOf(line string) (name, value string, ok bool) {
	text := strings.TrimSpace(line)
	if inner, isRow := strings.CutPrefix(text, "|"); isRow {
		name, value, ok = strings.Cut(strings.TrimSuffix(inner, "|"), "|")
		if !ok || strings.Contains(value, "|") {
			return "", "", false
		}
	} else {
		text = strings.TrimLeft(text, "->*+_ \t")
		colon := strings.IndexByte(text, ':')
		if colon <= 0 || colon > 30 {
			return "", "", false
		}
		name, value = text[:colon], text[colon+1:]
	}
	known, ok := fieldNames[strings.ToLower(strings.Trim(name, "*_ \t"))]
	return known, strings.Trim(value, "*_`\\ \t"), ok
}

func (d *document) findFields() {
	for i, line := range d.lines {
		if !d.isText[i] {
			continue
		}
		if name, value, ok := fieldOf(line); ok {
			d.fields = append(d.fields, field{i, name, value})
		}
	}
	for _, s := range d.sections {
		if !strings.EqualFold(strings.Trim(s.title, "*_ "), "status") {
			continue
		}
		for i := s.line + 1; i < s.bodyEnd; i++ {
			if text := strings.Trim(strings.TrimSpace(d.lines[i]), "*_`- "); text != "" && statusOf(text) != "" {
				d.fields = append(d.fields, field{i, "status", text})
				break
			}
		}
	}
}

// sectionAt returns the index of the section that a line is in, or -1.
func (d *document) sectionAt(line int) int {
	after, _ := slices.BinarySearchFunc(d.sections, line+1, func(s section, line int) int { return s.line - line })
	return after - 1
}

// entityAt returns what a line is about: the document's own entity, or the
// story whose section it is in.
func (d *document) entityAt(line int) entityID {
	for at := d.sectionAt(line); at >= 0; at = d.sections[at].parent {
		if d.sections[at].level < 2 {
			break
		}
		if id, ok := idOf(d.sections[at].title, d.id.epic); ok && id.task == 0 {
			return id
		}
	}
	return d.id
}

// subjectOf returns what a field is about: the entry of a list that it is
// indented below, the task, story or epic whose section it is in, or the
// document's own entity.
func (d *document) subjectOf(line int) entityID {
	if id, ok := d.entryAbove(line); ok {
		return id
	}
	for at := d.sectionAt(line); at >= 0 && d.sections[at].level > 1; at = d.sections[at].parent {
		if id, ok := idOf(d.sections[at].title, d.id.epic); ok {
			return id
		}
	}
	return d.id
}

// entryAbove returns the id of the list entry that a line is indented below.
func (d *document) entryAbove(line int) (entityID, bool) {
	depth := indentOf(d.lines[line])
	for i := line - 1; i >= 0 && depth > 0; i-- {
		text := strings.TrimSpace(d.lines[i])
		if text == "" || indentOf(d.lines[i]) >= depth {
			continue
		}
		depth = indentOf(d.lines[i])
		if _, _, boxed, ok := boxOf(d.lines[i]); ok {
			text = boxed
		}
		if id, ok := idOf(strings.TrimLeft(text, "-*+ \t"), d.id.epic); ok {
			return id, true
		}
	}
	return entityID{}, false
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }

// own returns the first field of that name that is about the document itself.
func (d *document) own(name string) (field, bool) {
	for _, f := range d.fields {
		if f.name == name && d.subjectOf(f.line) == d.id {
			return f, true
		}
	}
	return field{}, false
}

// findID finds what the document is about: from its file's name, its title,
// its fields and the folders it is in.
func (d *document) findID() {
	name := strings.TrimSuffix(path.Base(d.file), ".md")
	if d.kind == kindEpic {
		if match := epicInName.FindStringSubmatch(name); match != nil {
			d.id.epic = numberOf(match[1])
		} else if id, ok := idOf(d.title, 0); ok {
			d.id.epic = id.epic
		}
		return
	}
	if match := storyInName.FindStringSubmatch(name); match != nil {
		d.id.epic, d.id.story = numberOf(match[1]), ordinalOf(match[2])
	}
	named := d.id.story
	if id, ok := idOf(d.title, 0); ok && id.story != 0 {
		d.id.story = id.story
		if id.epic > 0 {
			d.id.epic = id.epic
		}
	}
	if match := storyInText.FindStringSubmatch(name + " " + d.title); match != nil && d.id.epic == 0 {
		d.id.epic, d.id.story = numberOf(match[1]), ordinalOf(match[2])
	}
	for _, f := range d.fields {
		if d.id.epic > 0 || f.name != "epic" {
			continue
		}
		if match := epicInText.FindStringSubmatch(f.value); match != nil {
			d.id.epic = numberOf(match[1])
		} else {
			d.id.epic = numberOf(f.value)
		}
	}
	folders := strings.Split(path.Dir(d.file), "/")
	for _, folder := range slices.Backward(folders) {
		if match := epicInText.FindStringSubmatch(folder); match != nil && d.id.epic == 0 {
			d.id.epic = numberOf(match[1])
		}
	}
	// Where its name and its title differ, its tasks say which one is stale.
	if d.id.story == 0 || d.id.epic == 0 || (named != 0 && named != d.id.story) {
		d.idFromTasks()
	}
}

// idFromTasks takes the story that all tasks of the document belong to.
func (d *document) idFromTasks() {
	var only entityID
	for i, line := range d.lines {
		_, _, text, ok := boxOf(line)
		if !ok || !d.isText[i] {
			continue
		}
		id, hasID := idOf(text, 0)
		if !hasID || id.task == 0 {
			continue
		}
		id.task = 0
		if only != (entityID{}) && only != id {
			return
		}
		only = id
	}
	if only != (entityID{}) {
		d.id = only
	}
}

// boxOf reads a list item with a checkbox: where its mark is, the mark, and
// the text behind it.
func boxOf(line string) (at int, mark byte, text string, ok bool) {
	i := 0
	for i < len(line) && (line[i] == ' ' || line[i] == '\t') {
		i++
	}
	start := i
	for i < len(line) && line[i] >= '0' && line[i] <= '9' {
		i++
	}
	switch {
	case i >= len(line):
		return 0, 0, "", false
	case i > start && (line[i] == '.' || line[i] == ')'), i == start && strings.IndexByte("-*+", line[i]) >= 0:
		i++
	default:
		return 0, 0, "", false
	}
	for i < len(line) && (line[i] == ' ' || line[i] == '\t') {
		i++
	}
	if i+3 >= len(line) || line[i] != '[' || line[i+2] != ']' || (line[i+3] != ' ' && line[i+3] != '\t') || strings.IndexByte(" xX~/-", line[i+1]) < 0 {
		return 0, 0, "", false
	}
	return i + 1, line[i+1], strings.TrimSpace(line[i+4:]), true
}

func (d *document) findBoxes() {
	for i, line := range d.lines {
		if !d.isText[i] {
			continue
		}
		_, mark, text, ok := boxOf(line)
		if !ok {
			continue
		}
		box := checkbox{line: i, isDone: mark == 'x' || mark == 'X', isVoid: mark == '-' || mark == '~', text: text}
		box.id, box.hasID = idOf(text, d.id.epic)
		d.boxes = append(d.boxes, box)
	}
}
