package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

// backupsFolder holds a folder for each run that changed documents.
const backupsFolder = "kanban_backups"

// maxKept bounds the old texts kept without a backup, compressed, so that the
// undo token fits into a message.
const maxKept = 4 << 20

// changeSet is what an attempt leaves behind to be taken back: the undo token,
// and manifest.json in the backup.
type changeSet struct {
	// Backup is the folder with the documents as they were, "" for none.
	Backup  string   `json:"backup,omitempty"`
	Changes []change `json:"changes"`
}

type change struct {
	File string `json:"file"`
	// Before and After are SHA-256 sums in hex.
	Before string `json:"before"`
	After  string `json:"after"`
	// Old is the text as it was, gzipped, where there is no backup.
	Old []byte `json:"old,omitempty"`
}

func sum(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

// backupFolder is the same for every attempt at a step of an execution, so
// that an attempt after a crash finds what the one before it saved.
func backupFolder(step *pluginsdk.Step) string {
	return path.Join(backupsFolder, sum([]byte(step.IdempotencyKey()))[:16])
}

// apply backs documents up, writes them and keeps what undo needs. It returns
// the folder of the backup.
func apply(ctx context.Context, step *pluginsdk.Step, edits []fileedit.Edit, withBackup bool) (string, error) {
	set, err := newChangeSet(step, edits, withBackup)
	if err != nil || len(set.Changes) == 0 {
		return "", err
	}
	if err := step.SetUndo(set); err != nil {
		return "", err
	}
	for i, edit := range edits {
		if ctx.Err() != nil {
			return set.Backup, context.Cause(ctx)
		}
		if err := step.Workspace.WriteFile(edit.File, edit.After, 0o644); err != nil {
			return set.Backup, err
		}
		step.Progress(100*float64(i+1)/float64(len(edits)), edit.File)
		step.Log.Info("wrote " + edit.File)
	}
	return set.Backup, nil
}

// newChangeSet saves the documents before any is changed.
func newChangeSet(step *pluginsdk.Step, edits []fileedit.Edit, withBackup bool) (changeSet, error) {
	var set changeSet
	if withBackup {
		set.Backup = backupFolder(step)
		if err := readManifest(step, set.Backup, &set); err != nil {
			return set, err
		}
	}
	kept := 0
	for _, edit := range edits {
		c := change{File: edit.File, Before: sum(edit.Before), After: sum(edit.After)}
		if withBackup {
			if err := step.Workspace.WriteFile(path.Join(set.Backup, edit.File), edit.Before, 0o644); err != nil {
				return set, fmt.Errorf("back up %s: %w", edit.File, err)
			}
		} else {
			var err error
			if c.Old, err = compress(edit.Before); err != nil {
				return set, err
			}
			if kept += len(c.Old); kept > maxKept {
				return set, pluginsdk.Invalid("/backup_before_apply", "the documents are too large to be kept for an undo; turn the backup on")
			}
		}
		set.Changes = append(set.Changes, c)
	}
	if !withBackup || len(edits) == 0 {
		return set, nil
	}
	raw, err := json.MarshalIndent(set, "", "  ")
	if err != nil {
		return set, fmt.Errorf("write the manifest of the backup: %w", err)
	}
	return set, step.Workspace.WriteFile(path.Join(set.Backup, "manifest.json"), append(raw, '\n'), 0o644)
}

// readManifest takes over what an earlier attempt at this step changed.
func readManifest(step *pluginsdk.Step, folder string, set *changeSet) error {
	data, isThere, err := fileedit.ReadFile(step, "", path.Join(folder, "manifest.json"))
	if err != nil || !isThere {
		return err
	}
	var earlier changeSet
	if err := json.Unmarshal(data, &earlier); err != nil {
		return pluginsdk.Errorf("the manifest in %s can't be read: %w", folder, err)
	}
	for _, c := range earlier.Changes {
		now, _, err := fileedit.ReadFile(step, "", c.File)
		if err != nil {
			return err
		}
		if sum(now) == c.After {
			set.Changes = append(set.Changes, c)
		}
	}
	return nil
}

// restore puts the documents back. It may be called again; a document that was
// changed since is not touched, and named.
func restore(step *pluginsdk.Step, token json.RawMessage) error {
	var set changeSet
	if err := json.Unmarshal(token, &set); err != nil {
		return fmt.Errorf("read the undo token: %w", err)
	}
	for _, c := range set.Changes {
		now, isThere, err := fileedit.ReadFile(step, "", c.File)
		switch {
		case err != nil:
			return err
		case isThere && sum(now) == c.Before:
			continue
		case !isThere || sum(now) != c.After:
			return pluginsdk.Errorf("%s can't be put back: it was changed since", c.File)
		}
		before, err := set.old(step, c)
		if err != nil {
			return err
		}
		if sum(before) != c.Before {
			return pluginsdk.Errorf("%s can't be put back: what was saved of it was changed", c.File)
		}
		if err := step.Workspace.WriteFile(c.File, before, 0o644); err != nil {
			return err
		}
	}
	return set.forget(step)
}

// forget takes the backup away, once every document is as it says.
func (s changeSet) forget(step *pluginsdk.Step) error {
	if path.Dir(path.Clean(s.Backup)) != backupsFolder {
		return nil
	}
	root, err := step.Workspace.Root()
	if err != nil {
		return err
	}
	if err := root.RemoveAll(path.Clean(s.Backup)); err != nil {
		return fmt.Errorf("remove the backup: %w", err)
	}
	// Those of other steps keep the folder.
	_ = step.Workspace.Remove(backupsFolder)
	return nil
}

func (s changeSet) old(step *pluginsdk.Step, c change) ([]byte, error) {
	if s.Backup == "" {
		return decompress(c.Old)
	}
	data, isThere, err := fileedit.ReadFile(step, "", path.Join(s.Backup, c.File))
	if err == nil && !isThere {
		err = pluginsdk.Errorf("%s can't be put back: its backup in %s is gone", c.File, s.Backup)
	}
	return data, err
}

func compress(data []byte) ([]byte, error) {
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	_, err := writer.Write(data)
	if err := errors.Join(err, writer.Close()); err != nil {
		return nil, fmt.Errorf("compress the old text: %w", err)
	}
	return out.Bytes(), nil
}

func decompress(data []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read the old text: %w", err)
	}
	text, err := io.ReadAll(reader)
	if err := errors.Join(err, reader.Close()); err != nil {
		return nil, fmt.Errorf("read the old text: %w", err)
	}
	return text, nil
}
