package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ncruces/go-strftime"

	"github.com/vwmp/vwmp/pluginsdk"
)

// changeType is a kind of release with the words people see.
type changeType struct{ value, label, emoji string }

var changeTypes = []changeType{
	{"feature", "Feature", "🚀"}, {"fix", "Fix", "🐞"}, {"infrastructure", "Infrastructure", "🔧"},
	{"security", "Security", "🔒"}, {"cleanup", "Cleanup", "🧹"}, {"refactor", "Refactor", "🔄"},
	{"documentation", "Documentation", "📚"}, {"tooling", "Tooling", "🧰"}, {"maintenance", "Maintenance", "🚧"},
}

// heading is the type as a changelog shows it, "🐞 Fix"; a type that is none
// of ours is shown as it is.
func typeHeading(value string) string {
	for _, known := range changeTypes {
		if strings.EqualFold(known.value, value) {
			return known.emoji + " " + known.label
		}
	}
	return value
}

// withType puts the type before a summary that does not begin with an emoji
// of its own.
func withType(value, summary string) string {
	first := firstRune(summary)
	if value == "" || unicode.Is(unicode.So, first) {
		return summary
	}
	return typeHeading(value) + ": " + summary
}

// firstRune returns 0 for an empty text.
func firstRune(text string) rune {
	for _, r := range text {
		return r
	}
	return 0
}

// facts are what a release's texts are made of.
type facts struct{ version, summary, changeType string }

// factsConfig is the part of a config that facts may come from.
type factsConfig struct {
	Values map[string]string `json:"values" title:"Placeholder values" description:"version, summary and type, where they do not come from earlier steps and the parameters." example:"{\"version\": \"1.2.3\"}"`
}

// findFacts looks in the step's values, then in the nearest upstream outputs,
// then in the parameters.
func findFacts(step *pluginsdk.Step, values map[string]string) facts {
	return facts{
		version:    strings.TrimPrefix(step.Value("version", values, []string{"new_version", "version"}, []string{"version"}), "v"),
		summary:    strings.TrimSpace(step.Value("summary", values, []string{"summary"}, []string{"summary"})),
		changeType: step.Value("type", values, []string{"change_type"}, []string{"change_type"}),
	}
}

// fileVersion are the versions that may become part of a file's name.
var fileVersion = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+-]*$`)

// check wants a version that fits into texts and names, and a summary.
func (f facts) check() error {
	missing := func(name string) error {
		return pluginsdk.Invalid("/values/"+name, fmt.Sprintf(
			"{%s} has no value: set it under values, give the parameter, or put a step before this one that outputs it", name))
	}
	switch {
	case f.version == "":
		return missing("version")
	case !fileVersion.MatchString(f.version):
		return pluginsdk.Invalid("/values/version", fmt.Sprintf("%q is no version", f.version))
	case f.summary == "":
		return missing("summary")
	}
	return nil
}

// preview fills what is not known before a run with placeholders.
func (f facts) preview() (shown facts, known bool) {
	known = f.version != "" && f.summary != ""
	if f.version == "" {
		f.version = "{version}"
	}
	if f.summary == "" {
		f.summary = "{summary}"
	}
	return f, known
}

// formatDate understands DD-MM-YY, YYYY-MM-DD and strftime patterns.
func formatDate(pointer, pattern string, at time.Time) (string, error) {
	switch pattern {
	case "DD-MM-YY":
		return at.Format("02-01-06"), nil
	case "YYYY-MM-DD":
		return at.Format(time.DateOnly), nil
	}
	if !strings.Contains(pattern, "%") || strings.ContainsAny(pattern, "\r\n") {
		return "", pluginsdk.Invalid(pointer, fmt.Sprintf("the date format %q is neither DD-MM-YY nor YYYY-MM-DD nor a strftime pattern such as %%d/%%m/%%Y", pattern))
	}
	return strftime.Format(pattern, at), nil
}

// place is the epic and story that a branch is named for.
type place struct{ epic, story string }

var (
	epicPart  = regexp.MustCompile(`(?i)(?:^|/)epic[/_-]?(\d+)(?:[_-]([^/]+))?`)
	storyPart = regexp.MustCompile(`(?i)(?:^|/)story[/_-]?(\d+)(?:[_-]([^/]+))?`)
	codePart  = regexp.MustCompile(`(?i)(?:^|[/_-])E(\d+)(?:[:_-]?S(\d+))?(?:$|[/:_-])`)
	taskID    = regexp.MustCompile(`(?i)\bE\d+[:_-]?S\d+[:_-]?T\d+\b`)
)

// placeOf reads names such as epic/21-workflow-platform, epic/21/story-3-x and
// feature/E21-S03-x.
func placeOf(branch string) place {
	var found place
	if match := epicPart.FindStringSubmatch(branch); match != nil {
		found.epic = "Epic " + match[1] + title(match[2])
	}
	if match := storyPart.FindStringSubmatch(branch); match != nil {
		found.story = "Story " + match[1] + title(match[2])
	}
	if match := codePart.FindStringSubmatch(branch); match != nil {
		if found.epic == "" {
			found.epic = "Epic " + match[1]
		}
		if found.story == "" && match[2] != "" {
			found.story = "Story " + match[2]
		}
	}
	return found
}

// title makes " - Workflow Platform" of workflow-platform.
func title(slug string) string {
	words := strings.FieldsFunc(slug, func(r rune) bool { return r == '-' || r == '_' })
	for i, word := range words {
		first := firstRune(word)
		words[i] = string(unicode.ToUpper(first)) + word[len(string(first)):]
	}
	if len(words) == 0 {
		return ""
	}
	return " - " + strings.Join(words, " ")
}

// taskIDs collects task ids of several texts in the order they appear.
func taskIDs(texts ...string) []string {
	var found []string
	for _, text := range texts {
		for _, id := range taskID.FindAllString(text, -1) {
			if id = strings.ToUpper(id); !slices.Contains(found, id) {
				found = append(found, id)
			}
		}
	}
	return found
}

// currentBranch returns "" outside of a repository, before its first branch
// and where HEAD is detached: a release needs none.
func currentBranch(ctx context.Context, step *pluginsdk.Step) (string, error) {
	name, err := runGit(ctx, step, "symbolic-ref", "--quiet", "--short", "HEAD")
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err == nil:
		return strings.TrimSpace(name), nil
	}
	return "", nil
}

// maxGitOutput bounds what is read of git, in bytes.
const maxGitOutput = 8 << 20

// runGit runs a command of git that reads. Programs that the repository's
// configuration names don't run.
func runGit(ctx context.Context, step *pluginsdk.Step, args ...string) (string, error) {
	dir := step.Workspace.Dir()
	if dir == "" {
		return "", pluginsdk.Errorf("this run has no workspace")
	}
	cmd := exec.Command("git", append([]string{"-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.DevNull, "-c", "log.showSignature=false"}, args...)...)
	cmd.Dir = dir
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "GIT_") || strings.HasPrefix(entry, "GIT_CONFIG_GLOBAL=") || strings.HasPrefix(entry, "GIT_CONFIG_NOSYSTEM=") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_PAGER=cat", "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	var stdout, stderr cappedBuffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := pluginsdk.RunCommand(ctx, cmd); err != nil {
		if ctx.Err() != nil {
			return "", fmt.Errorf("git %s: %w", args[0], context.Cause(ctx))
		}
		message := strings.TrimSpace(stderr.String())
		if message == "" {
			message = err.Error()
		}
		return "", pluginsdk.Permanent(fmt.Errorf("git %s: %.2000s", args[0], message)).WithCode("GIT_FAILED")
	}
	return stdout.String(), nil
}

// cappedBuffer keeps the first maxGitOutput bytes.
type cappedBuffer struct{ bytes.Buffer }

// Write takes all, and keeps what there is room for.
func (b *cappedBuffer) Write(p []byte) (int, error) {
	if room := maxGitOutput - b.Len(); len(p) > room {
		b.Buffer.Write(p[:room])
		return len(p), nil
	}
	return b.Buffer.Write(p)
}
