// Package fileedit makes edits of workspace files that can be planned,
// reconciled and undone. A handler works out its edits, new files among them,
// in memory; the package shows them as diffs, writes them, tells after a
// crash whether they were written, and takes them back.
//
// A handler's four methods each call one function:
//  1. Plan returns Plan's diffs of the edits.
//  2. Execute calls Apply, which leaves a checkpoint before the first file is
//     written and the undo token after the last one.
//  3. Reconcile calls Reconcile, which compares the files with the checkpoint.
//  4. Undo calls Undo, which puts back only files that are still as they were
//     left.
//
// It uses the step's checkpoint and undo token for itself: a handler that
// keeps its own there can't use it. Each file is replaced in one piece, but
// several edits are not one transaction: a crash may leave some of them
// written, and the next attempt makes the rest. It neither deletes nor renames
// files, and it does not lock them against other programs.
package fileedit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

// Edit is one file of the workspace before and after a step.
type Edit struct {
	// File is the path in the workspace, with slashes.
	File string
	// Before is what the file holds when the edit is worked out, nil for a
	// new one.
	Before []byte
	// After is all that the file is to hold.
	After []byte
	// IsNew: the file is not there before.
	IsNew bool
}

// Changes reports whether the edit makes a file or changes one.
func (e Edit) Changes() bool { return e.IsNew || !bytes.Equal(e.Before, e.After) }

// CheckPath refuses a path, or a pattern of paths, that leaves the workspace
// or touches git's own files. The error is one of invalid input; pointer is
// the JSON pointer of the config that names the path, "" for none.
func CheckPath(pointer, name string) error {
	if err := pluginsdk.CheckPath(name); err != nil {
		return pluginsdk.Invalid(pointer, err.Error())
	}
	for segment := range strings.SplitSeq(name, "/") {
		if strings.EqualFold(segment, ".git") {
			return pluginsdk.Invalid(pointer, fmt.Sprintf("the path %q can't be used: it is inside .git", name))
		}
	}
	return nil
}

// ReadFile reads a whole file of the workspace; isThere is false, and the
// error nil, where there is no such file. Otherwise the error is one of
// invalid input, with the pointer of CheckPath.
func ReadFile(step *pluginsdk.Step, pointer, name string) (data []byte, isThere bool, err error) {
	if err := CheckPath(pointer, name); err != nil {
		return nil, false, err
	}
	data, err = step.Workspace.ReadFile(name)
	switch {
	case err == nil:
		return data, true, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	}
	return nil, false, pluginsdk.Invalid(pointer, fmt.Sprintf("the file %q can't be read: %v", name, err))
}

// Apply writes the files: intent first, then each file in one piece, then what
// Undo needs. A file has one edit at most; edits that change nothing are left
// out. The output is what the handler returns once the files are written;
// Reconcile gives it back. As JSON it must fit into a checkpoint beside up to
// 54 KiB of old text.
//
// The error is one of writing the checkpoint, an effect or a file, or the
// cause of ctx's end; files written before it stay as they are, for Reconcile
// or the next attempt to find.
func Apply(ctx context.Context, step *pluginsdk.Step, edits []Edit, output any) error {
	var changed []Edit
	for _, e := range edits {
		if e.Changes() {
			changed = append(changed, e)
		}
	}
	record, err := newRecord(changed, output)
	if err != nil {
		return err
	}
	earlier, err := finishedTraces(step, record)
	if err != nil {
		return err
	}
	record.Edits = append(record.Edits, earlier...)
	if err := step.Checkpoint(record); err != nil {
		return err
	}
	for _, e := range changed {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		effect := pluginsdk.EffectRecord{Action: e.action(), Target: e.File, ExternalID: sum(e.After)}
		if err := step.Effect(effect); err != nil {
			return err
		}
		if err := step.Workspace.WriteFile(e.File, e.After, 0o644); err != nil {
			return err
		}
		effect.Done = true
		if err := step.Effect(effect); err != nil {
			return err
		}
		step.Log.Info("wrote "+e.File, "bytes", len(e.After))
	}
	return keepUndo(step, record)
}

// Reconcile tells by the checkpoint whether an attempt wrote its files, and if
// so gives the output that Apply was handed and sets the undo token. The files
// are those it would write: without a checkpoint they must be older than the
// execution to prove that nothing happened. With one they may be nil.
//
// An attempt that wrote only some of its files counts as not started: the next
// one makes the rest. The error is one of reading a file or the checkpoint.
func Reconcile[O any](step *pluginsdk.Step, files []string) (pluginsdk.Reconciliation[O], error) {
	var verdict pluginsdk.Reconciliation[O]
	var record editRecord
	found, err := step.Checkpointed(&record)
	if err != nil {
		return verdict, fmt.Errorf("read the checkpoint: %w", err)
	}
	if !found {
		verdict.Status, verdict.Detail, err = untouched(step, files)
		return verdict, err
	}
	written, waiting := 0, 0
	for _, trace := range record.Edits {
		state, err := trace.state(step)
		if err != nil {
			return verdict, err
		}
		switch state {
		case trace.After:
			written++
		case trace.Before:
			waiting++
		default:
			verdict.Status, verdict.Detail = pluginsdk.ReconcileUnknown, trace.File+" is neither as it was nor as the attempt meant it"
			return verdict, nil
		}
	}
	if waiting > 0 {
		verdict.Status = pluginsdk.ReconcileNotStarted
		verdict.Detail = fmt.Sprintf("%d of %d files are as they were before", waiting, written+waiting)
		return verdict, nil
	}
	verdict.Status, verdict.Detail = pluginsdk.ReconcileDone, "every file is as the attempt meant it"
	if err := json.Unmarshal(record.Output, &verdict.Output); err != nil {
		return verdict, fmt.Errorf("read the output in the checkpoint: %w", err)
	}
	return verdict, keepUndo(step, record)
}

// untouched compares modification times with the start of the execution.
func untouched(step *pluginsdk.Step, files []string) (pluginsdk.ReconcileStatus, string, error) {
	for _, file := range files {
		info, err := step.Workspace.Stat(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return "", "", err
		case !step.Request().StartedAt.IsZero() && !info.ModTime().Before(step.Request().StartedAt):
			return pluginsdk.ReconcileUnknown, file + " was written since the execution started, perhaps by this step", nil
		}
	}
	return pluginsdk.ReconcileNotStarted, "no file was touched since the execution started", nil
}

// Undo puts every file back by the undo token that Apply or Reconcile set, and
// removes the new ones. It fails at the first file that is not as the attempt
// left it, or whose old text was too large to keep; files that are back
// already are passed over, so that it may be called again.
func Undo(step *pluginsdk.Step, token json.RawMessage) error {
	var record editRecord
	if err := json.Unmarshal(token, &record); err != nil {
		return fmt.Errorf("read the undo token: %w", err)
	}
	for _, trace := range record.Edits {
		data, isThere, err := ReadFile(step, "", trace.File)
		if err != nil {
			return err
		}
		switch {
		case isThere && sum(data) == trace.Before, !isThere && trace.Before == "":
			continue
		case !isThere || sum(data) != trace.After:
			return pluginsdk.Errorf("%s can't be put back: it was changed since", trace.File)
		}
		if err := trace.revert(step, data); err != nil {
			return fmt.Errorf("put back %s: %w", trace.File, err)
		}
	}
	return nil
}
