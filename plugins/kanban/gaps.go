package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vwmp/vwmp/pluginsdk"
)

type gapsConfig struct {
	RootConfig
	TemplatesConfig
	CheckVagueContent bool `json:"check_vague_content" title:"Check for vague content" description:"Also name sections that only promise content (TBD, “to be written”, a template's own placeholder)." default:"true"`
	MinSectionLength  int  `json:"min_section_length" title:"Minimum section length" description:"A section with less text than this, in characters, says too little." default:"50" minimum:"0"`
}

type coverageGap struct {
	File           string `json:"file" title:"File" description:"The document."`
	Type           string `json:"type" title:"Type" description:"epic or story."`
	Section        string `json:"section" title:"Section" description:"Where in it; empty for the document as a whole."`
	Line           int    `json:"line,omitempty" title:"Line" description:"The line, from 1."`
	Description    string `json:"description" title:"Description" description:"What is missing."`
	Recommendation string `json:"recommendation" title:"Recommendation" description:"What to do."`
}

type gapsOutput struct {
	CoverageGaps []coverageGap `json:"coverage_gaps" title:"Gaps" description:"What documents do not say."`
	LeftOut      int           `json:"left_out" title:"Left out" description:"Findings that are not listed, because there are too many."`
	FindingsFile string        `json:"findings_file" title:"Findings" description:"The file in which the findings are kept."`
}

type gapsChecker struct{}

func gapsHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "kanban.check_coverage_gaps", Name: "Find gaps", Category: category, Icon: "search-x",
		Description: "Names what epics and stories leave out: sections that are missing, empty, too short or vague, stories without a document or an epic, epics without stories, stories without tasks. The findings go to " + findingsFile + " under the key coverage_gaps.",
		Effect:      pluginsdk.EffectIdempotent,
		Example:     example(map[string]any{"kanban_root": "kanban", "epic_template": "kanban/templates/epic.md", "min_section_length": 50}),
	}, gapsChecker{})
}

// Plan says what is written.
func (gapsChecker) Plan(context.Context, *pluginsdk.Step, gapsConfig) ([]pluginsdk.PlannedEffect, error) { //nolint:unparam // Planners may fail; looking changes nothing, so this one has nothing to fail at.
	return planned("coverage_gaps"), nil
}

// Execute looks for gaps and keeps the findings.
func (gapsChecker) Execute(ctx context.Context, step *pluginsdk.Step, config gapsConfig) (gapsOutput, error) {
	output := gapsOutput{FindingsFile: findingsFile}
	outlines, err := config.readTemplates(step)
	if err != nil {
		return output, err
	}
	t, err := config.read(ctx, step, config.EpicTemplate, config.StoryTemplate)
	if err != nil {
		return output, err
	}
	gaps := t.gaps(outlines, config)
	output.CoverageGaps, output.LeftOut = listed(gaps)
	step.Log.Info("looked for gaps", "documents", len(t.documents), "gaps", len(gaps))
	return output, keep(ctx, step, "coverage_gaps", output.CoverageGaps)
}

func (t *tree) gaps(outlines templates, config gapsConfig) []coverageGap {
	var gaps []coverageGap
	for _, d := range t.documents {
		add := func(line int, section, description, recommendation string) {
			gaps = append(gaps, coverageGap{d.file, d.kind, section, line, description, recommendation})
		}
		if due, ok := outlines[d.kind]; ok {
			one := divergence{}
			one.compare(due.outline, outlineOf(d), "", divergenceConfig{IgnoreOptional: true})
			for _, missing := range one.MissingSections {
				add(0, missing, "The section is missing.", fmt.Sprintf("Add it as %s has it.", due.document.file))
			}
		}
		d.sectionGaps(outlines[d.kind].document, config, add)
		t.structureGaps(d, add)
	}
	return gaps
}

// structureGaps looks at what belongs together.
func (t *tree) structureGaps(d *document, add func(line int, section, description, recommendation string)) {
	if d.title == "" {
		add(0, "", "The document has no title.", "Begin it with a heading of the first level.")
	}
	if written, read := d.status(); read == "" {
		what := "The document names no status."
		if written != "" {
			what = fmt.Sprintf("The status %q says nothing.", cut(written, 60))
		}
		add(0, "", what, "Add a line such as “**Status:** In progress”.")
	}
	if d.kind == kindStory {
		if d.id.epic > 0 && !t.epicIsThere(d.id.epic) {
			add(0, "", fmt.Sprintf("The story's epic %d has no document.", d.id.epic), "Write the epic's document, or put the story into an epic that has one.")
		}
		if d.id.epic == 0 {
			add(0, "", "The story names no epic.", "Name the epic in a field “Epic:”, in the title (E21:S03) or by its folder.")
		}
		if done, open := d.tasks(); done+open == 0 {
			add(0, "", "The story has no tasks.", "List what is to be done as “- [ ] …”.")
		}
		return
	}
	listed := d.listedStories()
	if len(listed) == 0 && len(t.storiesOf(d.id.epic)) == 0 {
		add(0, "", "The epic has no stories.", "List its stories, and write a document for each.")
	}
	var bare []entityID
	for id := range listed {
		if len(t.stories[id]) == 0 && !d.describes(id) {
			bare = append(bare, id)
		}
	}
	slices.SortFunc(bare, func(a, b entityID) int { return a.story - b.story })
	for _, id := range bare {
		add(listed[id]+1, d.titleAt(listed[id]), fmt.Sprintf("The story %s is listed and has no document.", id), "Write the story's document, or take it from the list.")
	}
	for _, id := range t.storiesOf(d.id.epic) {
		if _, ok := listed[id]; !ok && len(listed) > 0 {
			add(0, "", fmt.Sprintf("The story %s has a document (%s) and is not listed.", id, t.stories[id][0].file), "Add it to the epic's stories.")
		}
	}
}

// describes reports whether an epic tells a story itself, in a section of its
// own.
func (d *document) describes(story entityID) bool {
	return slices.ContainsFunc(d.sections, func(s section) bool {
		id, ok := idOf(s.title, d.id.epic)
		return ok && id == story && s.level > 1 && s.end-s.line > 2
	})
}

func (d *document) titleAt(line int) string {
	if at := d.sectionAt(line); at >= 0 && d.sections[at].level > 1 {
		return d.sections[at].title
	}
	return ""
}

// vagueText is a promise instead of content.
var vagueText = regexp.MustCompile(`(?i)(?:^|[^\p{L}])(tbd|tba|tbc|to be (?:determined|defined|decided|written|added|announced|done|filled in)|fill (?:this )?in|coming soon|lorem ipsum|add (?:description|details|text|content) here|placeholder|xxx|\?\?\?)(?:[^\p{L}]|$)`)

// sectionGaps looks at what each section holds.
func (d *document) sectionGaps(template *document, config gapsConfig, add func(line int, section, description, recommendation string)) {
	given := map[string]bool{}
	if template != nil {
		for i, line := range template.lines {
			if text := strings.Join(strings.Fields(line), " "); template.isText[i] && len(text) > 8 && line[0] != '#' {
				given[text] = true
			}
		}
	}
	for i, s := range d.sections {
		if s.level == 1 || (i+1 < len(d.sections) && d.sections[i+1].parent == i) {
			// A section that is divided is judged by its parts.
			continue
		}
		text, own, isWork := d.content(s, given)
		switch {
		case text == "":
			add(s.line+1, s.title, "The section is empty.", "Fill it, or take it out.")
		case own == "":
			add(s.line+1, s.title, "The section has only the template's own text.", "Replace it with what holds here.")
		case config.CheckVagueContent && isVague(own):
			add(s.line+1, s.title, fmt.Sprintf("The section is vague: “%s”.", cut(vagueLine(own), 80)), "Say what is meant, or take the section out until it is known.")
		case !isWork && utf8.RuneCountInString(text) < config.MinSectionLength:
			add(s.line+1, s.title, fmt.Sprintf("The section says too little: %d characters, %d are due.", utf8.RuneCountInString(text), config.MinSectionLength), "Say more, or merge it with another section.")
		}
	}
}

// content is what a section says, without markup; own leaves out what the
// template says too. A section of work is one with boxes, fields or a table:
// it may be short.
func (d *document) content(s section, given map[string]bool) (text, own string, isWork bool) {
	var all, mine []string
	for i := s.line + 1; i < s.bodyEnd; i++ {
		line := strings.TrimSpace(d.lines[i])
		if !d.isText[i] {
			if !strings.HasPrefix(line, "<!--") && !strings.HasSuffix(line, "-->") && line != "" {
				all, mine = append(all, line), append(mine, line)
			}
			continue
		}
		if line == "" || strings.Trim(line, "-*_= ") == "" {
			continue
		}
		_, _, box, isBox := boxOf(d.lines[i])
		_, _, isField := fieldOf(line)
		isWork = isWork || isBox || isField || line[0] == '|'
		if isBox {
			line = box
		}
		plain := strings.Join(strings.Fields(strings.Trim(line, "#>*-+_` ")), " ")
		all = append(all, plain)
		if !given[strings.Join(strings.Fields(d.lines[i]), " ")] {
			mine = append(mine, plain)
		}
	}
	return strings.Join(all, "\n"), strings.Join(mine, "\n"), isWork
}

// isVague reports whether a text promises content and has little else.
func isVague(text string) bool {
	if utf8.RuneCountInString(text) < 200 {
		return vagueLine(text) != ""
	}
	for line := range strings.SplitSeq(text, "\n") {
		if len(line)*2 > len(text) {
			return vagueLine(line) != ""
		}
	}
	return false
}

// vagueLine returns the first line that is only a promise, "" for none.
func vagueLine(text string) string {
	for line := range strings.SplitSeq(text, "\n") {
		bare := placeholder.ReplaceAllString(line, "")
		switch {
		case vagueText.MatchString(line), strings.Trim(line, ". …") == "" && line != "":
			return line
		case strings.EqualFold(strings.Trim(line, " .:!"), "todo"):
			return line
		case strings.TrimSpace(bare) == "" && !strings.Contains(line, "]("):
			return line
		}
	}
	return ""
}

// cut bounds a text, in characters.
func cut(text string, limit int) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit-1]) + "…"
}
