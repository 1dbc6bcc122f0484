package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

type updateConfig struct {
	MainChangelog  string `json:"main_changelog" title:"Main changelog" description:"The changelog to add the release to; it is made if it is not there. Keep a Changelog files (## [Unreleased]) are understood." default:"CHANGELOG.md" min_length:"1"`
	DateFormat     string `json:"date_format" title:"Date format" description:"DD-MM-YY, YYYY-MM-DD or a strftime pattern. Keep a Changelog files get YYYY-MM-DD instead of DD-MM-YY." default:"DD-MM-YY" example:"%d/%m/%Y"`
	Prepend        bool   `json:"prepend" title:"Newest first" description:"Put the release above the others; otherwise below them." default:"true"`
	LinkToDetailed bool   `json:"link_to_detailed" title:"Link to the detailed changelog" description:"Add a link to the release's own changelog file." default:"true"`
	ChangelogFile  string `json:"changelog_file" title:"Detailed changelog" description:"The file to link to. Empty: the one that an earlier step wrote." example:"changelogs/CHANGELOG_v1.2.3.md"`
	factsConfig
}

type updateOutput struct {
	MainChangelog string `json:"main_changelog" title:"Main changelog" description:"The file, relative to the workspace."`
	Version       string `json:"version" title:"Version" description:"The version added."`
}

const recentReleases = "Recent Releases"

var (
	headingLine    = regexp.MustCompile(`^(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*\r?\n?$`)
	unreleasedHead = regexp.MustCompile(`(?i)^\[unreleased\]`)
	unreleasedLink = regexp.MustCompile(`(?i)^(\[unreleased\]:[ \t]*)(\S+/compare/)(v?)(\S+?)\.\.\.(\S+?)[ \t]*\r?\n?$`)
)

type changelogUpdater struct{ now func() time.Time }

func updateHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "release.changelog_update", Name: "Update main changelog", Category: category, Icon: "scroll-text",
		Description: "Adds the release to the main changelog, under “Recent Releases” or below “[Unreleased]”. Its undo restores the file.",
		Effect:      pluginsdk.EffectReconcilable,
		Example: example(map[string]any{"main_changelog": "CHANGELOG.md", "date_format": "DD-MM-YY",
			"values": map[string]string{"version": "1.2.3", "summary": "Faster start", "type": "feature"}}),
	}, changelogUpdater{time.Now})
}

// prepare computes the edit without making it.
func (h changelogUpdater) prepare(step *pluginsdk.Step, config updateConfig, about facts) (fileedit.Edit, error) {
	data, isThere, err := fileedit.ReadFile(step, "/main_changelog", config.MainChangelog)
	if err != nil {
		return fileedit.Edit{}, err
	}
	text := string(data)
	if !isThere {
		text = "# Changelog\n"
	}
	doc := newDocument(text)
	isKept := doc.find(2, recentReleases) < 0 && doc.unreleased() >= 0
	pattern := config.DateFormat
	if isKept && pattern == "DD-MM-YY" {
		pattern = "YYYY-MM-DD"
	}
	date, err := formatDate("/date_format", pattern, h.now().UTC())
	if err != nil {
		return fileedit.Edit{}, err
	}
	entry := []string{fmt.Sprintf("[%s] - %s", about.version, date), withType(about.changeType, about.summary)}
	if link := h.link(step, config); link != "" {
		entry = append(entry, link)
	}
	change := fileedit.Edit{File: config.MainChangelog, Before: data, IsNew: !isThere}
	if line := doc.versionLine(about.version); line >= 0 {
		if doc.has(line, entry) {
			change.After = data
			return change, nil
		}
		return fileedit.Edit{}, pluginsdk.Errorf("%s has an entry for %s already, with other text", config.MainChangelog, about.version).WithCode("CHANGELOG_EXISTS")
	}
	if isKept {
		doc.addKept(entry, about.version)
	} else {
		doc.addRecent(entry, config.Prepend)
	}
	change.After = []byte(doc.String())
	return change, nil
}

// link points from the main changelog's folder to the detailed file.
func (changelogUpdater) link(step *pluginsdk.Step, config updateConfig) string {
	if !config.LinkToDetailed {
		return ""
	}
	file := config.ChangelogFile
	if file == "" {
		file = step.Value("changelog_file", nil, []string{"changelog_file"}, nil)
	}
	if file == "" {
		step.Log.Warn("no earlier step wrote a detailed changelog, so there is nothing to link to")
		return ""
	}
	target, err := filepath.Rel(filepath.FromSlash(filepath.Dir(config.MainChangelog)), filepath.FromSlash(file))
	if err != nil {
		target = file
	}
	address := strings.NewReplacer(" ", "%20", "(", "%28", ")", "%29").Replace(filepath.ToSlash(target))
	return fmt.Sprintf("- See [%s](%s)", filepath.Base(file), address)
}

// document is a Markdown text as lines with their ends.
type document struct {
	lines []string
	end   string
}

func newDocument(text string) *document {
	doc := &document{lines: slices.Collect(strings.Lines(text)), end: "\n"}
	if len(doc.lines) > 0 && strings.HasSuffix(doc.lines[0], "\r\n") {
		doc.end = "\r\n"
	}
	return doc
}

func (d *document) String() string { return strings.Join(d.lines, "") }

// headings calls visit with each heading that is not inside a code block,
// until visit returns false.
func (d *document) headings(visit func(line, level int, text string) bool) {
	fence := ""
	for i, line := range d.lines {
		trimmed := strings.TrimLeft(line, " ")
		switch {
		case fence != "":
			if strings.HasPrefix(trimmed, fence) {
				fence = ""
			}
			continue
		case strings.HasPrefix(trimmed, "```"), strings.HasPrefix(trimmed, "~~~"):
			fence = trimmed[:3]
			continue
		}
		match := headingLine.FindStringSubmatch(line)
		if match != nil && !visit(i, len(match[1]), match[2]) {
			return
		}
	}
}

// find returns the line of a heading, or -1.
func (d *document) find(level int, text string) int {
	found := -1
	d.headings(func(line, l int, t string) bool {
		if l == level && strings.EqualFold(t, text) {
			found = line
		}
		return found < 0
	})
	return found
}

func (d *document) unreleased() int {
	found := -1
	d.headings(func(line, level int, text string) bool {
		if level == 2 && unreleasedHead.MatchString(text) {
			found = line
		}
		return found < 0
	})
	return found
}

// versionLine returns the line of a version's heading, or -1.
func (d *document) versionLine(version string) int {
	found := -1
	d.headings(func(line, level int, text string) bool {
		if (level == 2 || level == 3) && strings.HasPrefix(text, "["+version+"]") {
			found = line
		}
		return found < 0
	})
	return found
}

// has reports whether the entry's lines stand at the heading, its date aside:
// the same release told again on another day is the same.
func (d *document) has(heading int, entry []string) bool {
	var below []string
	for _, line := range d.lines[heading+1:] {
		if text := strings.TrimSpace(line); text != "" {
			below = append(below, text)
		}
	}
	if len(below) < len(entry)-1 {
		return false
	}
	for i, line := range entry[1:] {
		if below[i] != line {
			return false
		}
	}
	return true
}

// endOfSection returns the line of the next heading of that level or above.
func (d *document) endOfSection(heading, level int) int {
	end := len(d.lines)
	d.headings(func(line, l int, _ string) bool {
		if line > heading && l <= level {
			end = line
		}
		return end == len(d.lines)
	})
	return end
}

// insert puts lines before the line at, with a blank line on either side
// where there is text.
func (d *document) insert(at int, block ...string) {
	var added []string
	if at > 0 {
		if last := d.lines[at-1]; !strings.HasSuffix(last, "\n") {
			added = append(added, d.end)
		}
		if strings.TrimSpace(d.lines[at-1]) != "" {
			added = append(added, d.end)
		}
	}
	for _, line := range block {
		added = append(added, line+d.end)
	}
	if at < len(d.lines) && strings.TrimSpace(d.lines[at]) != "" {
		added = append(added, d.end)
	}
	d.lines = append(d.lines[:at:at], append(added, d.lines[at:]...)...)
}

// addRecent puts the entry under "## Recent Releases", making the heading
// above the first section where it lacks.
func (d *document) addRecent(entry []string, isFirst bool) {
	block := append([]string{"### " + entry[0]}, entry[1:]...)
	heading := d.find(2, recentReleases)
	if heading < 0 {
		at := len(d.lines)
		d.headings(func(line, level int, _ string) bool {
			if level == 2 {
				at = line
			}
			return level != 2
		})
		d.insert(at, append([]string{"## " + recentReleases, ""}, block...)...)
		return
	}
	at := heading + 1
	if !isFirst {
		at = d.endOfSection(heading, 2)
		for at > heading+1 && strings.TrimSpace(d.lines[at-1]) == "" {
			at--
		}
	}
	d.insert(at, block...)
}

// addKept turns what is unreleased into the release, as Keep a Changelog has
// it: the new heading goes right below [Unreleased], and the link that
// compares with the last release is split in two.
func (d *document) addKept(entry []string, version string) {
	d.insert(d.unreleased()+1, append([]string{"## " + entry[0], ""}, entry[1:]...)...)
	for i, line := range d.lines {
		match := unreleasedLink.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		name, base, v, last, head := match[1], match[2], match[3], match[4], match[5]
		d.lines[i] = name + base + v + version + "..." + head + d.end + "[" + version + "]: " + base + v + last + "..." + v + version + d.end
		return
	}
}

// Execute adds the release, unless an earlier attempt did.
func (h changelogUpdater) Execute(ctx context.Context, step *pluginsdk.Step, config updateConfig) (updateOutput, error) {
	if done, verdict, err := alreadyDone(ctx, step, config, h); done || err != nil {
		return verdict.Output, err
	}
	about := findFacts(step, config.Values)
	output := updateOutput{MainChangelog: config.MainChangelog, Version: about.version}
	if err := about.check(); err != nil {
		return output, err
	}
	change, err := h.prepare(step, config, about)
	if err != nil {
		return output, err
	}
	return output, fileedit.Apply(ctx, step, []fileedit.Edit{change}, output)
}

// Plan shows the entry as far as it is known.
func (h changelogUpdater) Plan(_ context.Context, step *pluginsdk.Step, config updateConfig) ([]pluginsdk.PlannedEffect, error) {
	about, known := findFacts(step, config.Values).preview()
	change, err := h.prepare(step, config, about)
	if err != nil {
		return nil, err
	}
	return fileedit.Plan([]fileedit.Edit{change}, "add the release "+about.version, known), nil
}

// Reconcile looks whether the changelog has the entry.
func (changelogUpdater) Reconcile(_ context.Context, step *pluginsdk.Step, config updateConfig) (pluginsdk.Reconciliation[updateOutput], error) {
	return fileedit.Reconcile[updateOutput](step, []string{config.MainChangelog})
}

// Undo restores the changelog.
func (changelogUpdater) Undo(_ context.Context, step *pluginsdk.Step, token json.RawMessage) error {
	return fileedit.Undo(step, token)
}
