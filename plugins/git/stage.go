package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

type stageConfig struct {
	Paths     []string `json:"paths" title:"Paths" description:"Files, folders or patterns to stage, relative to the repository. The single entry * means everything, deletions included." default:"[\"*\"]" min_items:"1"`
	Exclude   []string `json:"exclude" title:"Exclude" description:"Files, folders or patterns to leave out." example:"[\"secrets.env\"]"`
	Force     bool     `json:"force" title:"Include ignored files" description:"Stage files that .gitignore excludes, too."`
	Directory string   `json:"directory" title:"Repository folder" description:"Folder of the repository, relative to the workspace." default:"."`
}

type stageOutput struct {
	PathsStaged int      `json:"paths_staged" title:"Paths staged" description:"How many files are staged among the paths."`
	Files       []string `json:"files" title:"Files" description:"The staged files, sorted."`
}

type stager struct{}

func stageHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "git.stage_all", Name: "Stage files", Category: category, Icon: "package-plus",
		Description: "Stages changed, new and deleted files for the next commit.",
		Effect:      pluginsdk.EffectIdempotent,
		Example:     example(map[string]any{"paths": []string{"*"}, "exclude": []string{"*.log"}}),
	}, stager{})
}

// pathspecs turns paths of a config into patterns that git reads as such,
// never as options or as patterns outside of the repository.
func pathspecs(pointer string, paths []string, magic string) ([]string, error) {
	specs := make([]string, 0, len(paths))
	for i, path := range paths {
		at := fmt.Sprintf("%s/%d", pointer, i)
		path = strings.TrimSuffix(path, "/")
		if err := pluginsdk.CheckPath(path); err != nil {
			return nil, pluginsdk.Invalid(at, err.Error())
		}
		if strings.HasPrefix(path, "-") || strings.HasPrefix(path, ":") {
			return nil, pluginsdk.Invalid(at, fmt.Sprintf("the path %q begins with %q; write ./%s", path, path[:1], path))
		}
		specs = append(specs, ":("+magic+")"+strings.TrimPrefix(path, "./"))
	}
	return specs, nil
}

func (c stageConfig) pathspecs() ([]string, error) {
	specs := []string{":(top)"}
	if !slices.Equal(c.Paths, []string{"*"}) {
		var err error
		if specs, err = pathspecs("/paths", c.Paths, "glob"); err != nil {
			return nil, err
		}
	}
	// Without "glob", * in an exclusion stands for folders too: *.log means
	// every one.
	excluded, err := pathspecs("/exclude", c.Exclude, "exclude")
	return append(specs, excluded...), err
}

// ValidateConfig says which paths can't be used.
func (stager) ValidateConfig(_ context.Context, config stageConfig) []pluginsdk.Problem {
	_, err := config.pathspecs()
	return problemsOf(err)
}

// Execute stages the paths.
func (stager) Execute(ctx context.Context, step *pluginsdk.Step, config stageConfig) (stageOutput, error) {
	specs, err := config.pathspecs()
	if err != nil {
		return stageOutput{}, err
	}
	repo, err := openRepository(ctx, step, config.Directory)
	if err != nil {
		return stageOutput{}, err
	}
	record, err := repo.indexBefore(ctx, step, config.Directory)
	if err != nil {
		return stageOutput{}, err
	}
	if err := repo.stage(ctx, config, specs); err != nil {
		return stageOutput{}, err
	}
	if err := repo.allowUndo(ctx, step, record); err != nil {
		return stageOutput{}, err
	}
	args := []string{"diff", "--cached", "--name-only", "--no-renames", "--no-ext-diff", "-z", "--"}
	listing, err := repo.read(ctx, append(args, specs...)...)
	if err != nil {
		return stageOutput{}, err
	}
	files := splitNul(listing)
	slices.Sort(files)
	step.Log.Info(fmt.Sprintf("%d files are staged", len(files)))
	return stageOutput{PathsStaged: len(files), Files: files}, nil
}

// stageRecord is both checkpoint and, with After, undo token: the index as
// trees.
type stageRecord struct {
	Directory string `json:"directory"`
	Before    string `json:"before"`
	After     string `json:"after,omitempty"`
}

// indexTree writes the index as a tree; "" for an index with conflicts, of
// which git makes none.
func (r *repository) indexTree(ctx context.Context) (string, error) {
	tree, err := r.read(ctx, "write-tree")
	var failed *commandError
	if errors.As(err, &failed) {
		return "", nil
	}
	return strings.TrimSpace(tree), err
}

// indexBefore is the index that an undo goes back to: that from before the
// first attempt.
func (r *repository) indexBefore(ctx context.Context, step *pluginsdk.Step, directory string) (stageRecord, error) {
	record := stageRecord{Directory: directory}
	known, err := step.Checkpointed(&record)
	if err != nil {
		return record, fmt.Errorf("read the checkpoint: %w", err)
	}
	if known {
		return record, nil
	}
	if record.Before, err = r.indexTree(ctx); err != nil || record.Before == "" {
		return record, err
	}
	return record, step.Checkpoint(record)
}

func (r *repository) allowUndo(ctx context.Context, step *pluginsdk.Step, record stageRecord) error {
	if record.Before == "" {
		return nil
	}
	var err error
	if record.After, err = r.indexTree(ctx); err != nil || record.After == "" {
		return err
	}
	return step.SetUndo(record)
}

// Undo puts the index back as it was; the files stay as they are.
func (stager) Undo(ctx context.Context, step *pluginsdk.Step, token json.RawMessage) error {
	var record stageRecord
	if err := json.Unmarshal(token, &record); err != nil {
		return fmt.Errorf("read the undo token: %w", err)
	}
	repo, err := openRepository(ctx, step, record.Directory)
	if err != nil {
		return err
	}
	now, err := repo.indexTree(ctx)
	switch {
	case err != nil:
		return err
	case now == record.Before:
		return nil
	case now != record.After:
		return pluginsdk.Errorf("the staged files can't be put back: others were staged or unstaged since")
	}
	_, err = repo.run(ctx, command{args: []string{"read-tree", "--end-of-options", record.Before}})
	if err == nil {
		step.Log.Info("the index is as it was")
	}
	return err
}

// stage adds the paths. A path whose deletion is staged already is nowhere to
// be found for git add; that must not fail a step that runs again.
func (r *repository) stage(ctx context.Context, config stageConfig, specs []string) error {
	add := func(specs []string) error {
		_, err := r.run(ctx, command{args: slices.Concat(config.addArguments(), []string{"--"}, specs), live: true})
		return err
	}
	err := add(specs)
	if err == nil || !strings.Contains(err.Error(), "did not match any files") {
		return err
	}
	var left []string
	for _, spec := range specs {
		if isExclusion(spec) {
			left = append(left, spec)
			continue
		}
		deleted, readErr := r.read(ctx, "diff", "--cached", "--name-only", "--no-renames", "--no-ext-diff", "--diff-filter=D", "--", spec)
		if readErr != nil {
			return readErr
		}
		if deleted == "" {
			left = append(left, spec)
		}
	}
	if len(left) == len(specs) {
		return err
	}
	if !slices.ContainsFunc(left, func(spec string) bool { return !isExclusion(spec) }) {
		return nil
	}
	return add(left)
}

func isExclusion(spec string) bool { return strings.HasPrefix(spec, ":(exclude)") }

func (c stageConfig) addArguments() []string {
	args := []string{"add", "--all"}
	if c.Force {
		args = append(args, "--force")
	}
	return args
}

// Plan says what would be staged of what is in the workspace now.
func (stager) Plan(ctx context.Context, step *pluginsdk.Step, config stageConfig) ([]pluginsdk.PlannedEffect, error) {
	specs, err := config.pathspecs()
	if err != nil {
		return nil, err
	}
	repo, err := openRepository(ctx, step, config.Directory)
	if err != nil {
		return nil, err
	}
	args := append(config.addArguments(), "--dry-run", "--")
	listing, err := repo.read(ctx, append(args, specs...)...)
	if err != nil {
		return nil, err
	}
	lines := strings.FieldsFunc(listing, func(r rune) bool { return r == '\n' })
	return []pluginsdk.PlannedEffect{{
		Action: "update", Target: "index", Known: false,
		Summary: fmt.Sprintf("stage %d files that differ now, and what earlier steps change", len(lines)),
		Diff:    boundText(strings.Join(lines, "\n"), maxPlanDiff),
	}}, nil
}

// maxPlanDiff bounds a diff in a plan, in bytes.
const maxPlanDiff = 64 << 10

func boundText(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "\n…"
}

func splitNul(listing string) []string {
	files := []string{}
	for name := range strings.SplitSeq(listing, "\x00") {
		if name != "" {
			files = append(files, strings.ToValidUTF8(name, "\uFFFD"))
		}
	}
	return files
}

// problemsOf turns an invalid-input error into problems of a config.
func problemsOf(err error) []pluginsdk.Problem {
	if err == nil {
		return nil
	}
	failure := pluginsdk.FailureOf(context.Background(), err)
	return []pluginsdk.Problem{{
		Severity: pluginsdk.SeverityError, Pointer: failure.Pointer, Code: "invalid_config", Message: failure.Message,
	}}
}
