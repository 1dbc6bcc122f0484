package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

// maxPlanned bounds the effects of a plan.
const maxPlanned = 500

func cleanPath(name string) string { return path.Clean(name) }

// isWithin reports whether a path is a folder or in it.
func isWithin(name, folder string) bool {
	name, folder = path.Clean(name), path.Clean(folder)
	return folder == "." || name == folder || strings.HasPrefix(name, folder+"/")
}

// escapePattern makes a pattern of a name as it is.
func escapePattern(name string) string {
	return strings.NewReplacer(`*`, `[*]`, `?`, `[?]`, `[`, `[[]`).Replace(path.Clean(name))
}

func createOrUpdate(step *pluginsdk.Step, name string) string {
	if isThere, err := step.Workspace.Exists(name); err == nil && isThere {
		return "update"
	}
	return "create"
}

type moveConfig struct {
	From      string `json:"from" title:"From" description:"The file or folder to move." required:"true" min_length:"1" example:"draft.md"`
	To        string `json:"to" title:"To" description:"Its new name." required:"true" min_length:"1" example:"docs/final.md"`
	Overwrite bool   `json:"overwrite" title:"Replace" description:"Replace a file that is there; off, the step fails. Folders are never replaced."`
	KeepConfig
}

type moveOutput struct {
	From string `json:"from" title:"From" description:"Where it was."`
	To   string `json:"to" title:"To" description:"Where it is."`
}

type mover struct{ undoer }

// check says whether there is anything to move; isDone is true where an
// earlier attempt moved it.
func (c moveConfig) check(step *pluginsdk.Step) (replaces, isDone bool, err error) {
	if err := errors.Join(checkPath("/from", c.From), checkPath("/to", c.To)); err != nil {
		return false, false, err
	}
	if isWithin(c.To, c.From) {
		return false, false, pluginsdk.Invalid("/to", "nothing can be moved into itself")
	}
	var moved moveOutput
	wasBegun, err := step.Checkpointed(&moved)
	if err != nil {
		return false, false, fmt.Errorf("read the checkpoint: %w", err)
	}
	target, targetErr := step.Workspace.Stat(c.To)
	_, err = step.Workspace.Stat(c.From)
	switch {
	case errors.Is(err, fs.ErrNotExist) && wasBegun && targetErr == nil:
		return false, true, nil
	case err != nil:
		return false, false, pluginsdk.Invalid("/from", fmt.Sprintf("%q can't be moved: %v", c.From, err))
	case targetErr == nil && (!c.Overwrite || target.IsDir()):
		return false, false, pluginsdk.Errorf("%s is there already", c.To).WithCode("FILE_EXISTS")
	case targetErr != nil && !errors.Is(targetErr, fs.ErrNotExist):
		return false, false, pluginsdk.Invalid("/to", fmt.Sprintf("%q can't be used: %v", c.To, targetErr))
	}
	return targetErr == nil, false, nil
}

// Plan says what is moved.
func (mover) Plan(_ context.Context, step *pluginsdk.Step, config moveConfig) ([]pluginsdk.PlannedEffect, error) {
	if _, isDone, err := config.check(step); err != nil || isDone {
		return []pluginsdk.PlannedEffect{}, err
	}
	return []pluginsdk.PlannedEffect{
		{Action: createOrUpdate(step, config.To), Target: config.To, Summary: "move " + config.From + " here", Known: true},
		{Action: "delete", Target: config.From, Summary: "it is moved to " + config.To, Known: true},
	}, nil
}

// Execute moves by renaming.
func (mover) Execute(_ context.Context, step *pluginsdk.Step, config moveConfig) (moveOutput, error) {
	output := moveOutput{From: cleanPath(config.From), To: cleanPath(config.To)}
	replaces, isDone, err := config.check(step)
	if err != nil {
		return output, err
	}
	k, err := newKeeper(step, config.KeepConfig)
	if err != nil {
		return output, err
	}
	if isDone {
		if k.folder != "" {
			err = k.setUndo()
		}
		return output, err
	}
	if err := step.Checkpoint(output); err != nil {
		return output, err
	}
	if replaces {
		if err := k.remove(output.To); err != nil {
			return output, err
		}
	}
	if err := k.makeFolder(path.Dir(output.To)); err != nil {
		return output, err
	}
	if err := k.note(trace{Kind: traceMoved, Path: output.To, From: output.From}); err != nil {
		return output, err
	}
	if err := k.root.Rename(output.From, output.To); err != nil {
		return output, fmt.Errorf("move %s: %w", output.From, err)
	}
	step.Log.Info("moved " + output.From + " to " + output.To)
	return output, nil
}

type deleteConfig struct {
	Paths     []string `json:"paths" title:"Paths" description:"Files, or patterns of files; with “Include folders” also names of folders." required:"true" min_items:"1" max_items:"100" example:"[\"tmp/*.log\"]"`
	Recursive bool     `json:"recursive" title:"Include folders" description:"Delete folders that are named, with all that is in them."`
	MissingOK bool     `json:"missing_ok" title:"Ignore missing" description:"Succeed where there is nothing to delete; off, the step fails." default:"true"`
	KeepConfig
}

type deleteOutput struct {
	Deleted []string `json:"deleted" title:"Deleted" description:"What was deleted, at most 10,000 names."`
	Count   int      `json:"count" title:"Count" description:"How many files and folders that were."`
}

type deleter struct{ undoer }

// targets lists what is to be deleted.
func (c deleteConfig) targets(ctx context.Context, step *pluginsdk.Step) ([]string, error) {
	var targets, patterns []string
	for i, name := range c.Paths {
		at := fmt.Sprintf("/paths/%d", i)
		if err := checkPath(at, name); err != nil {
			return nil, err
		}
		info, err := step.Workspace.Stat(name)
		switch {
		case cleanPath(name) == ".":
			return nil, pluginsdk.Invalid(at, "the workspace itself can't be deleted")
		case err == nil && info.IsDir() && !c.Recursive:
			return nil, pluginsdk.Invalid(at, fmt.Sprintf("%q is a folder; say that folders are deleted too", name))
		case err == nil && info.IsDir():
			if hasGit(step, name) {
				return nil, pluginsdk.Invalid(at, fmt.Sprintf("%q holds a git repository, which is not deleted", name))
			}
			targets = append(targets, cleanPath(name))
		case err == nil:
			targets = append(targets, cleanPath(name))
		case strings.ContainsAny(name, "*?["):
			patterns = append(patterns, name)
		case errors.Is(err, fs.ErrNotExist) && !c.MissingOK:
			return nil, pluginsdk.Invalid(at, fmt.Sprintf("%q is not there", name))
		case !errors.Is(err, fs.ErrNotExist):
			return nil, pluginsdk.Invalid(at, fmt.Sprintf("%q can't be deleted: %v", name, err))
		}
	}
	if len(patterns) > 0 {
		found, err := find(ctx, step, "/paths", patterns, nil)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 && !c.MissingOK {
			return nil, pluginsdk.Errorf("nothing matches %s", strings.Join(patterns, ", "))
		}
		for _, f := range found {
			targets = append(targets, f.path)
		}
	}
	slices.Sort(targets)
	targets = slices.Compact(targets)
	// What is in a folder that is deleted goes with it.
	return slices.DeleteFunc(slices.Clone(targets), func(name string) bool {
		return slices.ContainsFunc(targets, func(other string) bool { return name != other && isWithin(name, other) })
	}), nil
}

// hasGit reports whether there is a .git in a folder or below it.
func hasGit(step *pluginsdk.Step, folder string) bool {
	found := false
	err := step.Workspace.Walk(cleanPath(folder), func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && strings.EqualFold(entry.Name(), ".git") {
			found = true
			return fs.SkipAll
		}
		return err
	})
	return found || err != nil
}

// Plan lists what would go.
func (deleter) Plan(ctx context.Context, step *pluginsdk.Step, config deleteConfig) ([]pluginsdk.PlannedEffect, error) {
	targets, err := config.targets(ctx, step)
	if err != nil {
		return nil, err
	}
	effects := []pluginsdk.PlannedEffect{}
	for _, name := range targets[:min(len(targets), maxPlanned)] {
		effects = append(effects, pluginsdk.PlannedEffect{Action: "delete", Target: name, Summary: "delete " + name, Known: true})
	}
	return effects, nil
}

// Execute takes everything away.
func (deleter) Execute(ctx context.Context, step *pluginsdk.Step, config deleteConfig) (deleteOutput, error) {
	output := deleteOutput{Deleted: []string{}}
	targets, err := config.targets(ctx, step)
	if err != nil {
		return output, err
	}
	k, err := newKeeper(step, config.KeepConfig)
	if err != nil {
		return output, err
	}
	if len(k.traces) > 0 {
		// An earlier attempt deleted something, which undo must bring back.
		if err := k.setUndo(); err != nil {
			return output, err
		}
	}
	for _, name := range targets {
		if ctx.Err() != nil {
			return output, context.Cause(ctx)
		}
		if err := k.remove(name); err != nil {
			return output, err
		}
	}
	output.Count = len(targets)
	output.Deleted = append(output.Deleted, targets[:min(len(targets), 10_000)]...)
	step.Log.Info("deleted", "count", output.Count)
	return output, nil
}
