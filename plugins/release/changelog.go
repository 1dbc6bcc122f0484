package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

type createConfig struct {
	ChangelogDir string   `json:"changelog_dir" title:"Changelog folder" description:"Folder for CHANGELOG_v{version}.md, relative to the workspace." default:"changelogs" min_length:"1"`
	Format       string   `json:"format" title:"Date format" description:"full_timestamp is YYYY-MM-DD HH:MM:SS UTC, date_only YYYY-MM-DD." default:"full_timestamp" enum:"full_timestamp,date_only"`
	Changes      string   `json:"changes" title:"Changes" description:"What changed, in Markdown. Empty: the parameter detailed_changes." multiline:"true"`
	RelatedTasks []string `json:"related_tasks" title:"Related tasks" description:"Tasks to list beside those that summary and changes name (E01:S01:T001)." example:"[\"E01:S01:T001\"]"`
	factsConfig
}

type createOutput struct {
	ChangelogFile string `json:"changelog_file" title:"Changelog file" description:"The file, relative to the workspace."`
	Version       string `json:"version" title:"Version" description:"The version it describes."`
}

type changelogCreator struct{ now func() time.Time }

func createHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "release.changelog_create", Name: "Create detailed changelog", Category: category, Icon: "file-plus-2",
		Description: "Writes a changelog file of its own for the release. A file that is there already is never overwritten. Its undo removes the file.",
		Effect:      pluginsdk.EffectReconcilable,
		Example: example(map[string]any{"changelog_dir": "changelogs", "format": "full_timestamp",
			"values": map[string]string{"version": "1.2.3", "summary": "Faster start", "type": "feature"}}),
	}, changelogCreator{time.Now})
}

func (c createConfig) file(version string) string {
	return path.Join(c.ChangelogDir, "CHANGELOG_v"+version+".md")
}

// text writes the whole file.
func (h changelogCreator) text(ctx context.Context, step *pluginsdk.Step, config createConfig, about facts) (string, error) {
	branch, err := currentBranch(ctx, step)
	if err != nil {
		return "", err
	}
	where := placeOf(branch)
	date := h.now().UTC().Format("2006-01-02 15:04:05") + " UTC"
	if config.Format == "date_only" {
		date = h.now().UTC().Format(time.DateOnly)
	}
	changes := strings.TrimSpace(config.Changes)
	if changes == "" {
		changes = strings.TrimSpace(step.Value("detailed_changes", nil, nil, []string{"detailed_changes"}))
	}
	var out strings.Builder
	fmt.Fprintf(&out, "# Changelog v%s\n\n**Release Date:** %s\n", about.version, date)
	for _, field := range []struct{ name, value string }{
		{"Epic", where.epic}, {"Story", where.story}, {"Type", typeHeading(about.changeType)},
	} {
		if field.value != "" {
			fmt.Fprintf(&out, "**%s:** %s\n", field.name, field.value)
		}
	}
	tasks := append(append([]string{}, config.RelatedTasks...), taskIDs(about.summary, changes)...)
	if changes == "" {
		changes = "See the commit history for detailed changes."
	}
	fmt.Fprintf(&out, "\n## Summary\n%s\n\n## Changes\n\n%s\n", withType(about.changeType, about.summary), changes)
	if len(tasks) > 0 {
		out.WriteString("\n## Related Tasks\n")
	}
	listed := map[string]bool{}
	for _, task := range tasks {
		if !listed[task] {
			fmt.Fprintf(&out, "- %s\n", task)
		}
		listed[task] = true
	}
	return out.String(), nil
}

// Execute writes the file, unless an earlier attempt did.
func (h changelogCreator) Execute(ctx context.Context, step *pluginsdk.Step, config createConfig) (createOutput, error) {
	if done, verdict, err := alreadyDone(ctx, step, config, h); done || err != nil {
		return verdict.Output, err
	}
	about := findFacts(step, config.Values)
	if err := about.check(); err != nil {
		return createOutput{}, err
	}
	output := createOutput{ChangelogFile: config.file(about.version), Version: about.version}
	text, err := h.text(ctx, step, config, about)
	if err != nil {
		return output, err
	}
	existing, isThere, err := fileedit.ReadFile(step, "/changelog_dir", output.ChangelogFile)
	if err != nil {
		return output, err
	}
	if isThere && string(existing) != text {
		return output, pluginsdk.Errorf("the changelog %s is there already, with other text; it is never overwritten: remove it, or raise the version", output.ChangelogFile).
			WithCode("CHANGELOG_EXISTS")
	}
	change := fileedit.Edit{File: output.ChangelogFile, Before: existing, After: []byte(text), IsNew: !isThere}
	if err := fileedit.Apply(ctx, step, []fileedit.Edit{change}, output); err != nil {
		return output, err
	}
	return output, step.Artifact(pluginsdk.Artifact{
		Path: output.ChangelogFile, Size: int64(len(text)), SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(text))), MediaType: "text/markdown",
	})
}

// Plan shows the file as far as it is known.
func (h changelogCreator) Plan(ctx context.Context, step *pluginsdk.Step, config createConfig) ([]pluginsdk.PlannedEffect, error) {
	about, known := findFacts(step, config.Values).preview()
	file := config.file(about.version)
	if _, isThere, err := fileedit.ReadFile(step, "/changelog_dir", file); err != nil {
		return nil, err
	} else if isThere {
		return nil, pluginsdk.Errorf("the changelog %s is there already; it is never overwritten", file).WithCode("CHANGELOG_EXISTS")
	}
	text, err := h.text(ctx, step, config, about)
	if err != nil {
		return nil, err
	}
	return fileedit.Plan([]fileedit.Edit{{File: file, After: []byte(text), IsNew: true}}, "write the changelog of "+about.version, known), nil
}

// Reconcile looks for the file.
func (changelogCreator) Reconcile(_ context.Context, step *pluginsdk.Step, config createConfig) (pluginsdk.Reconciliation[createOutput], error) {
	about := findFacts(step, config.Values)
	return fileedit.Reconcile[createOutput](step, []string{config.file(about.version)})
}

// Undo removes the file.
func (changelogCreator) Undo(_ context.Context, step *pluginsdk.Step, token json.RawMessage) error {
	return fileedit.Undo(step, token)
}
