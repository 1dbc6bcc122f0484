package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

type readmeConfig struct {
	ReadmeFile          string `json:"readme_file" title:"README" description:"The file to update. If it is not there, the step is skipped." default:"README.md" min_length:"1"`
	UpdateBadge         bool   `json:"update_badge" title:"Update the badge" description:"Put the version into the version badge." default:"true"`
	UpdateLatestRelease bool   `json:"update_latest_release" title:"Update the latest release" description:"Put version and summary into the line “Latest Release: v…”." default:"true"`
	BadgeFormat         string `json:"badge_format" title:"Badge format" description:"Address of the badge with {version} in it, where the README's badge is not one of shields.io." example:"https://img.shields.io/badge/version-{version}-blue"`
	factsConfig
}

type readmeOutput struct {
	ReadmeFile           string `json:"readme_file" title:"README" description:"The file, relative to the workspace."`
	Version              string `json:"version" title:"Version" description:"The version it shows."`
	BadgeUpdated         bool   `json:"badge_updated" title:"Badge" description:"True if there is a version badge."`
	LatestReleaseUpdated bool   `json:"latest_release_updated" title:"Latest release" description:"True if there is a “Latest Release” line."`
}

var (
	// The colour is the last part; a dash inside a part is doubled.
	shieldsBadge = regexp.MustCompile(`(?i)(https?://img\.shields\.io/badge/version-)((?:--|[^-\s)"'<>?/])+)(-[0-9a-z]+(?:\.svg)?)`)
	latestLine   = regexp.MustCompile(`(?i)^(.*\blatest[ \t]+release\b[^\r\n]*?)(\d+(?:\.\d+){1,3}(?:[-+][0-9A-Za-z][0-9A-Za-z.+-]*)?)([^\r\n]*)(\r?\n?)$`)
	latestTail   = regexp.MustCompile(`^([\])}*_` + "`" + `]*)(?:[ \t]+[-–—][ \t]+.*|[ \t]*)$`)
)

type readmeUpdater struct{}

func readmeHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "release.readme_update", Name: "Update README", Category: category, Icon: "book-open-text",
		Description: "Puts the version into the README's badge and its “Latest Release” line. Without a README the step is skipped. Its undo restores the file.",
		Effect:      pluginsdk.EffectReconcilable,
		Example: example(map[string]any{"readme_file": "README.md",
			"values": map[string]string{"version": "1.2.3", "summary": "Faster start", "type": "feature"}}),
	}, readmeUpdater{})
}

// ValidateConfig checks the badge's format.
func (readmeUpdater) ValidateConfig(_ context.Context, config readmeConfig) []pluginsdk.Problem {
	if config.BadgeFormat == "" || strings.Count(config.BadgeFormat, "{version}") == 1 {
		return nil
	}
	return []pluginsdk.Problem{{
		Severity: pluginsdk.SeverityError, Pointer: "/badge_format", Code: "invalid_config",
		Message: "The badge format must have {version} in it once.",
	}}
}

// prepare computes the edit without making it.
func (h readmeUpdater) prepare(ctx context.Context, step *pluginsdk.Step, config readmeConfig, about facts) (fileedit.Edit, readmeOutput, error) {
	output := readmeOutput{ReadmeFile: config.ReadmeFile, Version: about.version}
	if problems := h.ValidateConfig(ctx, config); len(problems) > 0 {
		return fileedit.Edit{}, output, pluginsdk.Invalid(problems[0].Pointer, problems[0].Message)
	}
	data, isThere, err := fileedit.ReadFile(step, "/readme_file", config.ReadmeFile)
	if err != nil {
		return fileedit.Edit{}, output, err
	}
	if !isThere {
		return fileedit.Edit{}, output, pluginsdk.Skip(fmt.Sprintf("there is no %s to update", config.ReadmeFile))
	}
	text := string(data)
	if config.UpdateBadge {
		text, output.BadgeUpdated = config.replaceBadge(text, about.version)
	}
	if config.UpdateLatestRelease {
		text, output.LatestReleaseUpdated = replaceLatest(text, about)
	}
	return fileedit.Edit{File: config.ReadmeFile, Before: data, After: []byte(text)}, output, nil
}

// replaceBadge puts the version into every version badge, and keeps its
// label, colour and style.
func (c readmeConfig) replaceBadge(text, version string) (string, bool) {
	pattern := shieldsBadge
	if c.BadgeFormat != "" {
		before, after, _ := strings.Cut(c.BadgeFormat, "{version}")
		pattern = regexp.MustCompile(`(` + regexp.QuoteMeta(before) + `)([^\s)"'<>]+?)(` + regexp.QuoteMeta(after) + `)`)
		if after == "" {
			pattern = regexp.MustCompile(`(` + regexp.QuoteMeta(before) + `)([^\s)"'<>]+)()`)
		}
	}
	if strings.Contains(pattern.String(), "shields") {
		// shields.io reads - as the end of a part and _ as a space.
		version = strings.NewReplacer("-", "--", "_", "__").Replace(version)
	}
	found := pattern.MatchString(text)
	return pattern.ReplaceAllString(text, "${1}"+strings.ReplaceAll(version, "$", "$$")+"${3}"), found
}

// replaceLatest rewrites the first line that names the latest release: the
// version wherever it stands in it, and the summary after it.
func replaceLatest(text string, about facts) (string, bool) {
	lines := slices.Collect(strings.Lines(text))
	fenced := false
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimLeft(line, " "), "```") {
			fenced = !fenced
		}
		match := latestLine.FindStringSubmatch(line)
		if fenced || match == nil {
			continue
		}
		head, old, tail, end := match[1], match[2], match[3], match[4]
		if closing := latestTail.FindStringSubmatch(tail); closing != nil {
			tail = closing[1] + " - " + withType(about.changeType, about.summary)
		} else {
			tail = strings.ReplaceAll(tail, old, about.version)
		}
		lines[i] = strings.ReplaceAll(head, old, about.version) + about.version + tail + end
		return strings.Join(lines, ""), true
	}
	return text, false
}

// Execute updates the README, unless an earlier attempt did.
func (h readmeUpdater) Execute(ctx context.Context, step *pluginsdk.Step, config readmeConfig) (readmeOutput, error) {
	if done, verdict, err := alreadyDone(ctx, step, config, h); done || err != nil {
		return verdict.Output, err
	}
	about := findFacts(step, config.Values)
	if err := about.check(); err != nil {
		return readmeOutput{}, err
	}
	change, output, err := h.prepare(ctx, step, config, about)
	if err != nil {
		return output, err
	}
	if config.UpdateBadge && !output.BadgeUpdated {
		step.Log.Warn("the README has no version badge such as https://img.shields.io/badge/version-1.0.0-blue; none was added")
	}
	if config.UpdateLatestRelease && !output.LatestReleaseUpdated {
		step.Log.Warn("the README has no line such as **Latest Release: v1.0.0**; none was added")
	}
	return output, fileedit.Apply(ctx, step, []fileedit.Edit{change}, output)
}

// Plan shows the lines that would change.
func (h readmeUpdater) Plan(ctx context.Context, step *pluginsdk.Step, config readmeConfig) ([]pluginsdk.PlannedEffect, error) {
	about, known := findFacts(step, config.Values).preview()
	change, _, err := h.prepare(ctx, step, config, about)
	var skipped *pluginsdk.Skipped
	if errors.As(err, &skipped) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return fileedit.Plan([]fileedit.Edit{change}, "show "+about.version+" as the version", known), nil
}

// Reconcile looks whether the README is as the attempt meant it.
func (readmeUpdater) Reconcile(_ context.Context, step *pluginsdk.Step, config readmeConfig) (pluginsdk.Reconciliation[readmeOutput], error) {
	return fileedit.Reconcile[readmeOutput](step, []string{config.ReadmeFile})
}

// Undo restores the README.
func (readmeUpdater) Undo(_ context.Context, step *pluginsdk.Step, token json.RawMessage) error {
	return fileedit.Undo(step, token)
}
