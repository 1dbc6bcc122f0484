package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

type notesConfig struct {
	From           string `json:"from" title:"From" description:"Commits after this revision. Empty: the last tag, or the beginning where there is none." example:"v1.2.2"`
	To             string `json:"to" title:"To" description:"The newest revision." default:"HEAD" min_length:"1"`
	IncludeOther   bool   `json:"include_other" title:"Other commits" description:"Also list commits that are not in Conventional Commits form." default:"true"`
	IncludeHashes  bool   `json:"include_hashes" title:"Show hashes" description:"Put the short hash after each entry." default:"true"`
	HeadingLevel   int    `json:"heading_level" title:"Heading level" description:"Level of the headings of the groups." default:"3" minimum:"1" maximum:"6"`
	MaximumCommits int    `json:"max_count" title:"At most" description:"How many commits to read." default:"1000" minimum:"1" maximum:"10000"`
}

type notesOutput struct {
	Notes    string         `json:"notes" title:"Notes" description:"The release notes in Markdown; empty without commits."`
	From     string         `json:"from" title:"From" description:"The revision the notes begin after; empty for the beginning."`
	To       string         `json:"to" title:"To" description:"The newest revision."`
	Commits  int            `json:"commits" title:"Commits" description:"How many commits there are."`
	Breaking bool           `json:"breaking" title:"Breaking" description:"True if a commit is marked as a breaking change."`
	Counts   map[string]int `json:"counts" title:"Counts" description:"How many commits there are of each type."`
}

// noteSections is the order of the sections; types that share a heading
// stand together.
var noteSections = []struct {
	heading string
	types   []string
}{
	{"Features", []string{"feat", "feature"}},
	{"Fixes", []string{"fix", "bugfix", "hotfix"}},
	{"Security", []string{"security"}},
	{"Performance", []string{"perf"}},
	{"Reverts", []string{"revert"}},
	{"Refactoring", []string{"refactor"}},
	{"Documentation", []string{"docs", "doc"}},
	{"Tests", []string{"test", "tests"}},
	{"Build and CI", []string{"build", "ci", "deps"}},
	{"Style", []string{"style"}},
	{"Maintenance", []string{"chore", "maintenance"}},
}

var (
	conventional   = regexp.MustCompile(`^([A-Za-z]+)(?:\(([^()\r\n]+)\))?(!)?:[ \t]+(\S.*)$`)
	breakingFooter = regexp.MustCompile(`(?m)^BREAKING[ -]CHANGE:[ \t]*(.+(?:\n\S.*)*)`)
)

func notesHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "release.notes_from_git", Name: "Notes from git", Category: category, Icon: "notebook-text",
		Description: "Groups the commits since the last tag by their Conventional Commits type into Markdown. It writes nothing.",
		Effect:      pluginsdk.EffectPure,
		Example:     example(map[string]any{"from": "v1.2.2", "to": "HEAD"}),
	}, pluginsdk.Func[notesConfig, notesOutput](collectNotes))
}

// note is one commit as the notes show it.
type note struct {
	hash, kind, scope, subject string
	// breaking is what breaks, "" for nothing.
	breaking string
}

func readNote(hash, subject, body string) note {
	n := note{hash: hash, subject: subject}
	if match := conventional.FindStringSubmatch(subject); match != nil {
		n.kind, n.scope, n.subject = strings.ToLower(match[1]), match[2], match[4]
		if match[3] != "" {
			n.breaking = match[4]
		}
	}
	if match := breakingFooter.FindStringSubmatch(body); match != nil {
		n.breaking = strings.Join(strings.Fields(match[1]), " ")
	}
	return n
}

func collectNotes(ctx context.Context, step *pluginsdk.Step, config notesConfig) (notesOutput, error) {
	output := notesOutput{From: config.From, To: config.To, Counts: map[string]int{}}
	for pointer, revision := range map[string]string{"/from": config.From, "/to": config.To} {
		if strings.HasPrefix(revision, "-") || strings.ContainsAny(revision, " \t\r\n\x00") {
			return output, pluginsdk.Invalid(pointer, fmt.Sprintf("the revision %q can't be used", revision))
		}
	}
	if output.From == "" {
		tag, err := lastTag(ctx, step, config.To)
		if err != nil {
			return output, err
		}
		output.From = tag
	}
	notes, err := readNotes(ctx, step, output.From, config)
	if err != nil {
		return output, err
	}
	output.Commits = len(notes)
	for _, n := range notes {
		output.Breaking = output.Breaking || n.breaking != ""
		if n.kind == "" {
			n.kind = "other"
		}
		output.Counts[n.kind]++
	}
	output.Notes = config.markdown(notes)
	return output, nil
}

// lastTag returns the nearest tag below the revision, "" for none. A tag on
// the revision itself is the release being described, not the last one.
func lastTag(ctx context.Context, step *pluginsdk.Step, to string) (string, error) {
	if _, err := runGit(ctx, step, "rev-parse", "--verify", "--quiet", "--end-of-options", to+"^{commit}"); err != nil {
		if ctx.Err() != nil {
			return "", err
		}
		return "", pluginsdk.Errorf("there is no revision %s in the repository: %w", to, err)
	}
	tags, err := runGit(ctx, step, "log", "--no-walk", "--format=%D", "--decorate-refs=refs/tags", "--end-of-options", to, "--")
	if err != nil {
		return "", err
	}
	below := to
	if strings.Contains(tags, "tag: ") {
		below = to + "^"
	}
	tag, err := runGit(ctx, step, "describe", "--tags", "--abbrev=0", below)
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err == nil:
		return strings.TrimSpace(tag), nil
	}
	return "", nil
}

func readNotes(ctx context.Context, step *pluginsdk.Step, from string, config notesConfig) ([]note, error) {
	args := []string{"log", "-z", "--no-merges", "--format=%h%x1f%s%x1f%b", "--max-count=" + strconv.Itoa(config.MaximumCommits), "--end-of-options", config.To}
	if from != "" {
		args = append(args, "^"+from)
	}
	listing, err := runGit(ctx, step, append(args, "--")...)
	if err != nil {
		return nil, err
	}
	var notes []note
	for entry := range strings.SplitSeq(strings.ToValidUTF8(listing, "\uFFFD"), "\x00") {
		if fields := strings.SplitN(entry, "\x1f", 3); len(fields) == 3 {
			notes = append(notes, readNote(fields[0], fields[1], fields[2]))
		}
	}
	return notes, nil
}

// markdown writes the sections that have entries.
func (c notesConfig) markdown(notes []note) string {
	var breaking, other []string
	byType := map[string][]string{}
	known := map[string]bool{}
	for _, section := range noteSections {
		for _, kind := range section.types {
			known[kind] = true
		}
	}
	for _, n := range notes {
		if n.breaking != "" {
			breaking = append(breaking, c.line(note{hash: n.hash, scope: n.scope, subject: n.breaking}))
		}
		switch {
		case known[n.kind]:
			byType[n.kind] = append(byType[n.kind], c.line(n))
		case n.kind != "":
			other = append(other, c.line(note{hash: n.hash, scope: n.scope, subject: n.kind + ": " + n.subject}))
		case c.IncludeOther:
			other = append(other, c.line(n))
		}
	}
	var sections []string
	add := func(heading string, lines []string) {
		if len(lines) > 0 {
			sections = append(sections, strings.Repeat("#", c.HeadingLevel)+" "+heading+"\n\n"+strings.Join(lines, ""))
		}
	}
	add("Breaking changes", breaking)
	for _, section := range noteSections {
		var lines []string
		for _, kind := range section.types {
			lines = append(lines, byType[kind]...)
		}
		add(section.heading, lines)
	}
	add("Other", other)
	return strings.Join(sections, "\n")
}

func (c notesConfig) line(n note) string {
	text := "- "
	if n.scope != "" {
		text += "**" + n.scope + ":** "
	}
	text += n.subject
	if c.IncludeHashes {
		text += " (" + n.hash + ")"
	}
	return text + "\n"
}
