package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

// TemplatesConfig names the documents whose headings others should have.
type TemplatesConfig struct {
	EpicTemplate  string `json:"epic_template" title:"Epic template" description:"Document whose headings every epic should have. Headings with “(optional)” may be missing; {…}, […] and <…> in them stand for any text. Empty: epics are held against none." example:"kanban/templates/epic.md"`
	StoryTemplate string `json:"story_template" title:"Story template" description:"The same for stories." example:"kanban/templates/story.md"`
}

type divergenceConfig struct {
	RootConfig
	TemplatesConfig
	StrictMode     bool `json:"strict_mode" title:"Strict mode" description:"Also say where sections stand in another order than in the template."`
	IgnoreOptional bool `json:"ignore_optional" title:"Ignore optional sections" description:"Do not miss sections that the template calls optional." default:"true"`
}

type divergence struct {
	File            string   `json:"file" title:"File" description:"The document."`
	Type            string   `json:"type" title:"Type" description:"epic or story."`
	Template        string   `json:"template" title:"Template" description:"What it was held against."`
	MissingSections []string `json:"missing_sections" title:"Missing" description:"Sections of the template that it lacks; “A / B” is B within A."`
	ExtraSections   []string `json:"extra_sections" title:"Extra" description:"Sections that the template does not have."`
	OrderChanges    []string `json:"order_changes,omitempty" title:"Order" description:"Sections that stand in another order, in strict mode."`
}

type divergenceOutput struct {
	Divergences  []divergence `json:"template_divergences" title:"Divergences" description:"Documents that differ from their template."`
	LeftOut      int          `json:"left_out" title:"Left out" description:"Findings that are not listed, because there are too many."`
	FindingsFile string       `json:"findings_file" title:"Findings" description:"The file in which the findings are kept."`
}

// outline is a section of a template or of a document and those in it.
type outline struct {
	// title is as written, without "(optional)"; name is what is compared.
	title, name string
	isOptional  bool
	// pattern matches names where the title has placeholders.
	pattern  *regexp.Regexp
	section  section
	children []*outline
}

var (
	optionalMark = regexp.MustCompile(`(?i)[ \t]*[*_]*[(\[]?\boptional\b[)\]]?[*_]*[ \t]*$`)
	placeholder  = regexp.MustCompile(`\{[^{}]*\}|\[[^\[\]]*\]|<[^<>]*>`)
	numbering    = regexp.MustCompile(`^(?:\d+(?:\.\d+)*[.)]?|[A-Za-z][.)])[ \t]+`)
)

// nameOf is what two headings are compared by: letters and digits in lower
// case, without the numbering.
func nameOf(title string) string {
	title = numbering.ReplaceAllString(strings.TrimSpace(title), "")
	return strings.Join(strings.FieldsFunc(strings.ToLower(title), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}), " ")
}

// outlineOf is a document's sections as a tree; its title stands above it.
func outlineOf(d *document) *outline {
	root := &outline{}
	nodes := make([]*outline, len(d.sections))
	for i, s := range d.sections {
		node := &outline{section: s, title: s.title}
		if optionalMark.MatchString(node.title) {
			node.isOptional, node.title = true, optionalMark.ReplaceAllString(node.title, "")
		}
		node.name = nameOf(node.title)
		nodes[i] = node
		parent := root
		if s.parent >= 0 && !(d.sections[s.parent].level == 1 && d.sections[s.parent].title == d.title) {
			parent = nodes[s.parent]
		}
		if s.level == 1 && s.title == d.title && len(root.children) == 0 {
			continue
		}
		parent.children = append(parent.children, node)
	}
	return root
}

// templateOutline is the outline of a template, whose headings may have
// placeholders.
func templateOutline(d *document) *outline {
	root := outlineOf(d)
	var compile func(node *outline)
	compile = func(node *outline) {
		if placeholder.MatchString(node.title) {
			var pattern strings.Builder
			pattern.WriteString("^")
			rest := node.title
			for _, at := range placeholder.FindAllStringIndex(node.title, -1) {
				before := nameOf(node.title[len(node.title)-len(rest) : at[0]])
				if before != "" {
					pattern.WriteString(regexp.QuoteMeta(before) + " ?")
				}
				pattern.WriteString(".+?")
				rest = node.title[at[1]:]
			}
			if after := nameOf(rest); after != "" {
				pattern.WriteString(" ?" + regexp.QuoteMeta(after))
			}
			node.pattern = regexp.MustCompile(pattern.String() + "$")
		}
		for _, child := range node.children {
			compile(child)
		}
	}
	compile(root)
	return root
}

func (o *outline) matches(other *outline) bool {
	if o.pattern != nil {
		return o.pattern.MatchString(other.name)
	}
	return o.name == other.name
}

// findIn returns the children of another outline that this section of a
// template stands for: exact ones before those of a pattern.
func (o *outline) findIn(other *outline) []*outline {
	var same []*outline
	for _, child := range other.children {
		if o.matches(child) {
			same = append(same, child)
		}
	}
	return same
}

// compare holds a document's outline against a template's.
func (d *divergence) compare(template, document *outline, within string, config divergenceConfig) {
	order := []int{}
	owned := map[*outline]int{}
	for i, due := range template.children {
		for _, child := range due.findIn(document) {
			if was, ok := owned[child]; !ok || (template.children[was].pattern != nil && due.pattern == nil) {
				owned[child] = i
			}
		}
	}
	for i, due := range template.children {
		isThere := false
		for _, child := range document.children {
			if at, ok := owned[child]; ok && at == i {
				isThere = true
				d.compare(due, child, within+child.title+" / ", config)
			}
		}
		if !isThere && !(due.isOptional && config.IgnoreOptional) {
			d.MissingSections = append(d.MissingSections, within+due.title)
		}
	}
	for _, child := range document.children {
		at, ok := owned[child]
		switch {
		case ok:
			order = append(order, at)
		case len(template.children) > 0:
			// What a template leaves open may be divided freely.
			d.ExtraSections = append(d.ExtraSections, within+child.title)
		}
	}
	if config.StrictMode {
		d.checkOrder(template, order, within)
	}
}

func (d *divergence) checkOrder(template *outline, order []int, within string) {
	for i := 1; i < len(order); i++ {
		if order[i] < order[i-1] {
			d.OrderChanges = append(d.OrderChanges, fmt.Sprintf("%s%s stands after %s, in the template before it",
				within, template.children[order[i]].title, template.children[order[i-1]].title))
		}
	}
}

// templates are the outlines by the kind of document, and the documents.
type templates map[string]struct {
	outline  *outline
	document *document
}

// readTemplates leaves out what is not configured; a template that is not
// there is an error.
func (c TemplatesConfig) readTemplates(step *pluginsdk.Step) (templates, error) {
	read := templates{}
	for _, t := range []struct{ kind, pointer, file string }{
		{kindEpic, "/epic_template", c.EpicTemplate}, {kindStory, "/story_template", c.StoryTemplate},
	} {
		if t.file == "" {
			continue
		}
		d, err := readTemplate(step, t.pointer, t.kind, t.file)
		if err != nil {
			return nil, err
		}
		entry := read[t.kind]
		entry.document, entry.outline = d, templateOutline(d)
		if len(entry.outline.children) == 0 {
			return nil, pluginsdk.Invalid(t.pointer, fmt.Sprintf("the template %q has no headings below its title", t.file))
		}
		read[t.kind] = entry
	}
	return read, nil
}

func readTemplate(step *pluginsdk.Step, pointer, kind, file string) (*document, error) {
	data, isThere, err := fileedit.ReadFile(step, pointer, file)
	switch {
	case err != nil:
		return nil, err
	case !isThere:
		return nil, pluginsdk.Invalid(pointer, fmt.Sprintf("the template %q is not there", file))
	case len(data) > maxDocument:
		return nil, pluginsdk.Invalid(pointer, fmt.Sprintf("the template %q has more than %d MiB", file, maxDocument>>20))
	}
	return newDocument(file, kind, data), nil
}

type divergenceChecker struct{}

func divergenceHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "kanban.check_template_divergence", Name: "Compare with templates", Category: category, Icon: "file-diff",
		Description: "Names epics and stories that lack sections of their template, have others, or in strict mode another order. Without a template the step is skipped. The findings go to " + findingsFile + " under the key template_divergences.",
		Effect:      pluginsdk.EffectIdempotent,
		Example:     example(map[string]any{"kanban_root": "kanban", "epic_template": "kanban/templates/epic.md", "story_template": "kanban/templates/story.md"}),
	}, divergenceChecker{})
}

// Plan says what is written.
func (divergenceChecker) Plan(context.Context, *pluginsdk.Step, divergenceConfig) ([]pluginsdk.PlannedEffect, error) { //nolint:unparam // Planners may fail; looking changes nothing, so this one has nothing to fail at.
	return planned("template_divergences"), nil
}

// Execute compares the documents and keeps the findings.
func (divergenceChecker) Execute(ctx context.Context, step *pluginsdk.Step, config divergenceConfig) (divergenceOutput, error) {
	output := divergenceOutput{FindingsFile: findingsFile}
	outlines, err := config.readTemplates(step)
	if err != nil {
		return output, err
	}
	if len(outlines) == 0 {
		return output, pluginsdk.Skip("neither epic_template nor story_template is set, so there is nothing to compare with")
	}
	t, err := config.read(ctx, step, config.EpicTemplate, config.StoryTemplate)
	if err != nil {
		return output, err
	}
	divergences := t.divergences(outlines, config)
	output.Divergences, output.LeftOut = listed(divergences)
	step.Log.Info("compared the documents with their templates", "documents", len(t.documents), "differ", len(divergences))
	return output, keep(ctx, step, "template_divergences", output.Divergences)
}

func (t *tree) divergences(outlines templates, config divergenceConfig) []divergence {
	var found []divergence
	for _, d := range t.documents {
		due, ok := outlines[d.kind]
		if !ok {
			continue
		}
		one := divergence{File: d.file, Type: d.kind, Template: due.document.file, MissingSections: []string{}, ExtraSections: []string{}}
		one.compare(due.outline, outlineOf(d), "", config)
		if len(one.MissingSections)+len(one.ExtraSections)+len(one.OrderChanges) > 0 {
			found = append(found, one)
		}
	}
	return slices.Clip(found)
}
