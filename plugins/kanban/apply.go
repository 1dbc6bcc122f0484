package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

type applyConfig struct {
	RootConfig
	AutoApply         bool `json:"auto_apply" title:"Apply" description:"Change the documents. Off: only sum up what was found and what could be changed."`
	BackupBeforeApply bool `json:"backup_before_apply" title:"Back up" description:"Copy documents into a folder below kanban_backups before they are changed." default:"true"`
	DryRun            bool `json:"dry_run" title:"Dry run" description:"Say what would be changed, and change nothing."`
}

type fix struct {
	Kind        string `json:"kind" title:"Kind" description:"add_section, tick or complete."`
	File        string `json:"file" title:"File" description:"The document."`
	Description string `json:"description" title:"Description" description:"What is changed."`
}

type reviewSummary struct {
	Documents           int `json:"documents" title:"Documents" description:"How many documents were reviewed."`
	TemplateDivergences int `json:"template_divergences" title:"Divergences" description:"Documents that differ from their template."`
	BloatedDocs         int `json:"bloated_docs" title:"Too long" description:"Documents that are too long."`
	Repetitions         int `json:"repetitions" title:"Repetitions" description:"Texts that repeat."`
	Contradictions      int `json:"contradictions" title:"Contradictions" description:"What documents say differently."`
	CoverageGaps        int `json:"coverage_gaps" title:"Gaps" description:"What documents do not say."`
}

type applyOutput struct {
	Summary       reviewSummary `json:"summary" title:"Summary" description:"What the review found."`
	Text          string        `json:"text" title:"In words" description:"The summary as a sentence."`
	AppliedFixes  []fix         `json:"applied_fixes" title:"Applied" description:"What was changed."`
	ProposedFixes []fix         `json:"proposed_fixes" title:"Proposed" description:"What could be changed, where nothing was."`
	LeftToDo      []string      `json:"left_to_do" title:"Left to do" description:"What a person must decide, at most a hundred."`
	Backup        string        `json:"backup" title:"Backup" description:"The folder with the documents as they were; empty for none."`
}

type updatesApplier struct{}

func applyHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "kanban.apply_updates", Name: "Apply updates", Category: category, Icon: "wand-sparkles",
		Description: "Sums up a review. With “Apply” it adds sections that documents lack, as their template has them, ticks entries of what is complete, and completes epics whose stories are; documents are backed up before. Its undo restores them.",
		Effect:      pluginsdk.EffectIdempotent,
		Example:     example(map[string]any{"kanban_root": "kanban", "auto_apply": true, "backup_before_apply": true}),
	}, updatesApplier{})
}

// Plan shows the changes as diffs.
func (updatesApplier) Plan(ctx context.Context, step *pluginsdk.Step, config applyConfig) ([]pluginsdk.PlannedEffect, error) {
	if !config.AutoApply || config.DryRun {
		return []pluginsdk.PlannedEffect{}, nil
	}
	w, err := config.work(ctx, step)
	if err != nil {
		return nil, err
	}
	return fileedit.Plan(w.edits(), "put right what the review found", true), nil
}

// Execute sums up and, where that is wanted, changes the documents.
func (updatesApplier) Execute(ctx context.Context, step *pluginsdk.Step, config applyConfig) (applyOutput, error) {
	w, err := config.work(ctx, step)
	if err != nil {
		return applyOutput{}, err
	}
	output := w.output
	if !config.AutoApply || config.DryRun {
		output.ProposedFixes = w.fixes
		step.Log.Info(output.Text, "could_be_changed", len(w.fixes))
		return output, nil
	}
	output.AppliedFixes = w.fixes
	if output.Backup, err = apply(ctx, step, w.edits(), config.BackupBeforeApply); err != nil {
		return output, err
	}
	step.Log.Info(output.Text, "changed", len(w.fixes))
	return output, nil
}

// Undo restores the documents.
func (updatesApplier) Undo(_ context.Context, step *pluginsdk.Step, token json.RawMessage) error {
	return restore(step, token)
}

// workings is what an application of updates has worked out.
type workings struct {
	tree   *tree
	output applyOutput
	fixes  []fix
	// changed are the documents that differ from their files.
	changed map[*document]bool
}

// work reads the findings and works out the changes; documents that are right
// by now are not changed again.
func (c applyConfig) work(ctx context.Context, step *pluginsdk.Step) (*workings, error) {
	w := &workings{changed: map[*document]bool{}, fixes: []fix{}, output: applyOutput{AppliedFixes: []fix{}, ProposedFixes: []fix{}, LeftToDo: []string{}}}
	var review stateReview
	var divergences []divergence
	var contradictions []contradiction
	var bloated []longDocument
	var repetitions []repetition
	var gaps []coverageGap
	isThere := false
	for key, target := range map[string]any{
		"state_review": &review, "template_divergences": &divergences, "contradictions": &contradictions,
		"bloated_docs": &bloated, "repetitions": &repetitions, "coverage_gaps": &gaps,
	} {
		ok, err := found(step, key, target)
		if err != nil {
			return nil, err
		}
		isThere = isThere || ok
	}
	if !isThere {
		return nil, pluginsdk.Skip("no findings are there: run the checks before this step")
	}
	w.output.Summary = reviewSummary{
		Documents:           review.Summary.Epics + review.Summary.Stories,
		TemplateDivergences: len(divergences), BloatedDocs: len(bloated), Repetitions: len(repetitions),
		Contradictions: len(contradictions), CoverageGaps: len(gaps),
	}
	w.output.Text = fmt.Sprintf("%d documents: %d differ from their template, %d are too long, %d texts repeat, %d contradictions, %d gaps",
		w.output.Summary.Documents, len(divergences), len(bloated), len(repetitions), len(contradictions), len(gaps))
	var err error
	if w.tree, err = c.read(ctx, step); err != nil {
		return nil, err
	}
	// Lines are counted as they are: what changes them in place comes first.
	w.settleContradictions(contradictions)
	if err := w.addSections(step, divergences); err != nil {
		return nil, err
	}
	return w, nil
}

func (w *workings) leave(text string) {
	if len(w.output.LeftToDo) < 100 {
		w.output.LeftToDo = append(w.output.LeftToDo, text)
	}
}

func (w *workings) edits() []fileedit.Edit {
	var edits []fileedit.Edit
	for _, d := range w.tree.documents {
		if w.changed[d] {
			edits = append(edits, fileedit.Edit{File: d.file, Before: d.data, After: []byte(strings.Join(d.lines, ""))})
		}
	}
	return edits
}

// settleContradictions changes lines in place where the contradiction was
// found, is still there, and has one answer.
func (w *workings) settleContradictions(known []contradiction) {
	if len(known) == 0 {
		return
	}
	type key struct{ kind, subject, field string }
	wanted := map[key]bool{}
	for _, c := range known {
		wanted[key{c.Kind, c.Subject, c.Field}] = true
	}
	for _, c := range w.tree.contradictions() {
		if !wanted[key{c.Kind, c.Subject, c.Field}] {
			continue
		}
		if len(c.fixes) == 0 {
			w.leave(c.Description)
		}
		for _, at := range c.fixes {
			f := fix{Kind: "tick", File: at.doc.file, Description: fmt.Sprintf("line %d: tick %s, which is complete", at.line+1, c.Subject)}
			if at.isBox {
				at.doc.tick(at.line)
			} else {
				f.Kind, f.Description = "complete", fmt.Sprintf("line %d: %s is complete, as all its stories are", at.line+1, c.Subject)
				at.doc.setStatus(at.line, at.value)
			}
			w.changed[at.doc] = true
			w.fixes = append(w.fixes, f)
		}
	}
}

// tick ticks a box, and takes a status in the entry that says otherwise along.
func (d *document) tick(line int) {
	at, _, text, _ := boxOf(d.lines[line])
	changed := d.lines[line][:at] + "x" + d.lines[line][at+1:]
	if said := trailingStatus(text); said != "" && said != statusComplete {
		bare := versionMark.ReplaceAllString(strings.TrimRight(changed, "\r\n"), "")
		for _, separator := range []string{" - ", " – ", " — ", ": "} {
			if cutAt := strings.LastIndex(bare, separator); cutAt > at && wholeStatus(bare[cutAt+len(separator):]) == said {
				end := d.lines[line][len(strings.TrimRight(d.lines[line], "\r\n")):]
				changed = bare[:cutAt+len(separator)] + "COMPLETE" + end
				break
			}
		}
	}
	d.lines[line] = changed
}

// setStatus replaces the value in a line and keeps how it is dressed.
func (d *document) setStatus(line int, value string) {
	d.lines[line] = strings.Replace(d.lines[line], value, "COMPLETE", 1)
}

// addSections adds what documents lack, as their templates have it.
func (w *workings) addSections(step *pluginsdk.Step, divergences []divergence) error {
	read := map[string]*document{}
	for _, one := range divergences {
		at := slices.IndexFunc(w.tree.documents, func(d *document) bool { return d.file == one.File })
		if at < 0 || one.Template == "" || len(one.MissingSections) == 0 {
			continue
		}
		template := read[one.Template]
		if template == nil {
			var err error
			if template, err = readTemplate(step, "", one.Type, one.Template); err != nil {
				return err
			}
			read[one.Template] = template
		}
		d := w.tree.documents[at]
		for _, missing := range one.MissingSections {
			switch added, reason := d.addSection(template, strings.Split(missing, " / ")); {
			case added:
				w.changed[d] = true
				w.fixes = append(w.fixes, fix{"add_section", d.file, fmt.Sprintf("add the section “%s” of %s", missing, one.Template)})
			case reason != "":
				w.leave(fmt.Sprintf("%s lacks the section “%s”: %s", d.file, missing, reason))
			}
		}
	}
	return nil
}

// addSection puts a template's section where it belongs. It is not added, and
// reason is empty, where the document has it by now.
func (d *document) addSection(template *document, names []string) (added bool, reason string) {
	due, here := templateOutline(template), outlineOf(d)
	for _, name := range names[:len(names)-1] {
		at := slices.IndexFunc(here.children, func(o *outline) bool { return o.title == name })
		if at < 0 {
			return false, "the section around it is gone"
		}
		here = here.children[at]
		in := slices.IndexFunc(due.children, func(o *outline) bool { return o.matches(here) })
		if in < 0 {
			return false, "its template has no such section now"
		}
		due = due.children[in]
	}
	name := names[len(names)-1]
	at := slices.IndexFunc(due.children, func(o *outline) bool { return o.title == name })
	switch {
	case at < 0:
		return false, "its template has no such section now"
	case due.children[at].pattern != nil:
		return false, "its heading needs a value that only a person knows"
	case len(due.children[at].findIn(here)) > 0:
		return false, ""
	}
	d.insert(template, due.children[at], d.placeFor(due, here, at))
	return true, ""
}

// placeFor is the line before which a section comes: behind the nearest one
// that stands before it in the template, else before the first one behind it.
func (d *document) placeFor(due, here *outline, at int) int {
	for _, before := range slices.Backward(due.children[:at]) {
		if there := before.findIn(here); len(there) > 0 {
			return there[len(there)-1].section.end
		}
	}
	for _, after := range due.children[at+1:] {
		if there := after.findIn(here); len(there) > 0 {
			return there[0].section.line
		}
	}
	if here.title != "" {
		return here.section.end
	}
	return len(d.lines)
}

// insert copies a section of the template, with the document's line ends.
func (d *document) insert(template *document, from *outline, at int) {
	end := "\n"
	if len(d.lines) > 0 && strings.HasSuffix(d.lines[0], "\r\n") {
		end = "\r\n"
	}
	block := []string{}
	if at > 0 {
		if last := d.lines[at-1]; !strings.HasSuffix(last, "\n") {
			d.lines[at-1] = last + end
		}
		if strings.TrimSpace(d.lines[at-1]) != "" {
			block = append(block, end)
		}
	}
	for i := from.section.line; i < from.section.end; i++ {
		line := strings.TrimRight(template.lines[i], "\r\n")
		if i == from.section.line {
			line = strings.Repeat("#", from.section.level) + " " + from.title
		}
		block = append(block, line+end)
	}
	for len(block) > 1 && strings.TrimSpace(block[len(block)-1]) == "" {
		block = block[:len(block)-1]
	}
	if at < len(d.lines) {
		block = append(block, end)
	}
	d.lines = slices.Concat(d.lines[:at], block, d.lines[at:])
	renewed := newDocument(d.file, d.kind, []byte(strings.Join(d.lines, "")))
	d.lines, d.isText, d.sections, d.fields, d.boxes = renewed.lines, renewed.isText, renewed.sections, renewed.fields, renewed.boxes
}
