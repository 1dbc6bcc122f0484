package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// contradiction is one thing that documents say differently.
type contradiction struct {
	Kind        string      `json:"kind" title:"Kind" description:"status or date: documents differ; stories_complete: an epic is not complete and all its stories are; open_tasks, open_stories: what is complete has open tasks or stories."`
	Subject     string      `json:"subject" title:"Subject" description:"What it is about, such as Epic 21 or E21:S03."`
	Field       string      `json:"field,omitempty" title:"Field" description:"The date that differs."`
	Description string      `json:"description" title:"Description" description:"The contradiction in a sentence."`
	Statements  []said      `json:"statements" title:"Statements" description:"Who says what."`
	CanBeFixed  bool        `json:"can_be_fixed" title:"Can be settled" description:"kanban.apply_updates can settle it."`
	fixes       []statement // lines to be ticked or completed
}

type said struct {
	File  string `json:"file" title:"File" description:"The document."`
	Line  int    `json:"line" title:"Line" description:"The line, from 1."`
	Value string `json:"value" title:"Value" description:"What it says."`
}

// maxStatements bounds what is quoted of one contradiction.
const maxStatements = 20

func quote(statements []statement) []said {
	quoted := []said{}
	for _, s := range statements[:min(len(statements), maxStatements)] {
		quoted = append(quoted, said{s.doc.file, s.line + 1, cut(s.value, 120)})
	}
	return quoted
}

func compareIDs(a, b entityID) int {
	return cmp.Or(a.epic-b.epic, a.story-b.story, a.task-b.task)
}

func sortedIDs(statements map[entityID][]statement) []entityID {
	ids := make([]entityID, 0, len(statements))
	for id := range statements {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, compareIDs)
	return ids
}

// contradictions compares all documents with each other.
func (t *tree) contradictions() []contradiction {
	statuses := map[entityID][]statement{}
	for _, d := range t.documents {
		for id, list := range d.statuses() {
			statuses[id] = append(statuses[id], list...)
		}
	}
	var found []contradiction
	for _, id := range sortedIDs(statuses) {
		if c, ok := t.statusContradiction(id, statuses[id]); ok {
			found = append(found, c)
		}
	}
	for _, name := range dateFields {
		dates := map[entityID][]statement{}
		for _, d := range t.documents {
			for id, list := range d.dates(name) {
				dates[id] = append(dates[id], list...)
			}
		}
		for _, id := range sortedIDs(dates) {
			if c, ok := dateContradiction(id, name, dates[id]); ok {
				found = append(found, c)
			}
		}
	}
	complete := t.completeStories()
	for _, d := range t.documents {
		found = append(found, t.ownContradictions(d, complete)...)
	}
	return found
}

func (t *tree) statusContradiction(id entityID, list []statement) (contradiction, bool) {
	slices.SortStableFunc(list, func(a, b statement) int {
		return cmp.Or(strings.Compare(a.doc.file, b.doc.file), a.line-b.line)
	})
	differ := false
	for i := range list {
		for _, other := range list[i+1:] {
			differ = differ || !agree(list[i].status, other.status)
		}
	}
	if !differ {
		return contradiction{}, false
	}
	c := contradiction{Kind: "status", Subject: id.String(), Statements: quote(list)}
	c.Description = fmt.Sprintf("%s has different statuses: %s.", id, differences(list))
	c.fixes = t.settle(id, list)
	c.CanBeFixed = len(c.fixes) > 0
	return c, true
}

// differences names each status with one place that says it.
func differences(list []statement) string {
	var parts []string
	seen := map[string]bool{}
	for _, s := range list {
		if !seen[s.status] {
			seen[s.status] = true
			parts = append(parts, fmt.Sprintf("“%s” in %s:%d", cut(s.value, 60), s.doc.file, s.line+1))
		}
	}
	return strings.Join(parts, ", ")
}

// settle returns the boxes to be ticked: where the document about the thing
// says that it is complete, and has nothing left to do.
func (t *tree) settle(id entityID, list []statement) []statement {
	owner := t.stories[id]
	if id.story == 0 {
		owner = t.epics[id.epic]
	}
	if len(owner) != 1 {
		return nil
	}
	_, read := owner[0].status()
	if read != statusComplete || len(owner[0].openBoxes()) > 0 {
		return nil
	}
	var ticks []statement
	for _, s := range list {
		if s.isBox && s.status == statusNotComplete {
			ticks = append(ticks, s)
		}
	}
	return ticks
}

func dateContradiction(id entityID, name string, list []statement) (contradiction, bool) {
	slices.SortStableFunc(list, func(a, b statement) int { return strings.Compare(a.doc.file, b.doc.file) })
	if !slices.ContainsFunc(list, func(s statement) bool { return s.status != list[0].status }) {
		return contradiction{}, false
	}
	return contradiction{
		Kind: "date", Subject: id.String(), Field: name, Statements: quote(list),
		Description: fmt.Sprintf("%s has different dates for “%s”: %s.", id, strings.ReplaceAll(name, "_", " "), differences(list)),
	}, true
}

// openBoxes are those of the document itself that are not ticked: its tasks,
// and in an epic its stories.
func (d *document) openBoxes() []statement {
	var open []statement
	for _, box := range d.boxes {
		if !box.isDone && !box.isVoid && d.entityAt(box.line) == d.id && (!box.hasID || box.id.epic == d.id.epic) {
			open = append(open, statement{doc: d, line: box.line, value: "[ ] " + box.text})
		}
	}
	return open
}

// openContradictions are those of a document that says it is complete.
func (d *document) openContradictions(subject, written string, complete map[entityID]bool) []contradiction {
	var found []contradiction
	if open := d.openBoxes(); len(open) > 0 {
		found = append(found, contradiction{
			Kind: "open_tasks", Subject: subject, Statements: quote(open),
			Description: fmt.Sprintf("%s says “%s” and has entries that are not ticked (%d), the first in line %d.", d.file, cut(written, 60), len(open), open[0].line+1),
		})
	}
	if d.kind != kindEpic {
		return found
	}
	var left []string
	var places []statement
	listed := d.listedStories()
	for _, id := range slices.SortedFunc(maps.Keys(listed), compareIDs) {
		if isComplete, isKnown := complete[id]; isKnown && !isComplete {
			left = append(left, id.String())
			places = append(places, statement{doc: d, line: listed[id], value: strings.TrimSpace(d.lines[listed[id]])})
		}
	}
	if len(left) > 0 {
		found = append(found, contradiction{
			Kind: "open_stories", Subject: subject, Statements: quote(places),
			Description: fmt.Sprintf("%s says “%s”, and these stories are not complete: %s.", d.file, cut(written, 60), cut(strings.Join(left, ", "), 200)),
		})
	}
	return found
}

// ownContradictions are those between a document's status and its work.
func (t *tree) ownContradictions(d *document, complete map[entityID]bool) []contradiction {
	written, read := d.status()
	subject := d.file
	if d.id != (entityID{}) {
		subject = d.id.String()
	}
	if read == statusComplete {
		return d.openContradictions(subject, written, complete)
	}
	if d.kind != kindEpic || read == "" || read == statusDropped {
		return nil
	}
	total, done := t.countStories(d, complete)
	if total == 0 || done < total {
		return nil
	}
	c := contradiction{
		Kind: "stories_complete", Subject: subject,
		Description: fmt.Sprintf("%s says “%s”, and all %d stories are complete.", d.file, cut(written, 60), total),
	}
	f, _ := d.own("status")
	status := statement{doc: d, line: f.line, value: written, status: read}
	c.Statements = quote([]statement{status})
	if _, tasks := d.tasks(); tasks == 0 && read != statusBlocked {
		c.fixes, c.CanBeFixed = []statement{status}, true
	}
	return []contradiction{c}
}
