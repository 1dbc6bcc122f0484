package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

// KeepConfig says whether a step can be taken back.
type KeepConfig struct {
	KeepForUndo bool `json:"keep_for_undo" title:"Keep for undo" description:"Keep what is replaced or deleted for seven days, in the folder .vwmp-undo, so that the step can be undone." default:"true"`
}

const (
	// keptFolder holds, in a folder for each step, what it replaced or deleted.
	keptFolder = ".vwmp-undo"
	// keptFor is how long it is kept.
	keptFor      = 7 * 24 * time.Hour
	manifestName = "manifest"
)

// Kinds of a trace.
const (
	traceMade    = "made"    // a file that was not there
	traceChanged = "changed" // a file that was
	traceGone    = "gone"    // a file or folder that was taken away
	traceMoved   = "moved"
	traceFolder  = "folder" // a folder that was not there
)

// trace is one change, as a line of JSON in the manifest of its step. It is
// written before the change is made.
type trace struct {
	Kind string `json:"kind"`
	Path string `json:"path"`
	// From is where it was, for what was moved.
	From string `json:"from,omitempty"`
	// Kept is the name of what was there before, in the step's folder.
	Kept string `json:"kept,omitempty"`
	// Sum is the SHA-256 of what the step left there.
	Sum string `json:"sum,omitempty"`
}

// undoToken is what Undo is given.
type undoToken struct {
	Folder string `json:"folder"`
	// Traces tell, once the folder is gone, whether the step was taken back;
	// there are none where there are more than maxTokenTraces.
	Traces []trace `json:"traces,omitempty"`
}

// maxTokenTraces bounds an undo token.
const maxTokenTraces = 200

// keeper makes changes in the workspace that can be taken back.
type keeper struct {
	step    *pluginsdk.Step
	root    *os.Root
	folder  string // "" where nothing is kept
	traces  []trace
	known   map[string]bool // paths with a trace
	created int
}

// checkPath is fileedit.CheckPath, and keeps out of what is kept for undo.
func checkPath(pointer, name string) error {
	if err := fileedit.CheckPath(pointer, name); err != nil {
		return err
	}
	if first, _, _ := strings.Cut(path.Clean(name), "/"); strings.EqualFold(first, keptFolder) {
		return pluginsdk.Invalid(pointer, fmt.Sprintf("the path %q can't be used: it holds what is kept for undo", name))
	}
	return nil
}

// newKeeper takes up what an earlier attempt at the step left.
func newKeeper(step *pluginsdk.Step, config KeepConfig) (*keeper, error) {
	root, err := step.Workspace.Root()
	if err != nil {
		return nil, err
	}
	k := &keeper{step: step, root: root, known: map[string]bool{}}
	if !config.KeepForUndo {
		return k, nil
	}
	k.folder = path.Join(keptFolder, hexSum([]byte(step.IdempotencyKey()))[:20])
	if err := forgetOld(root); err != nil {
		step.Log.Warn("what was kept for undo long ago can't be removed", "error", err)
	}
	if k.traces, err = readTraces(root, k.folder); err != nil {
		return nil, err
	}
	for _, t := range k.traces {
		k.known[t.Path] = true
	}
	return k, nil
}

func hexSum(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

// forgetOld removes what was kept longer than it needs to be.
func forgetOld(root *os.Root) error {
	entries, err := fs.ReadDir(root.FS(), keptFolder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		info, infoErr := entry.Info()
		if infoErr == nil && entry.IsDir() && time.Since(info.ModTime()) > keptFor {
			err = errors.Join(err, root.RemoveAll(path.Join(keptFolder, entry.Name())))
		}
	}
	return err
}

func readTraces(root *os.Root, folder string) ([]trace, error) {
	data, err := root.ReadFile(path.Join(folder, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what was kept for undo: %w", err)
	}
	var traces []trace
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		var t trace
		// The last line may be cut off by a crash; its change was not made.
		if json.Unmarshal(lines.Bytes(), &t) == nil {
			traces = append(traces, t)
		}
	}
	return traces, nil
}

// note writes a trace before its change is made.
func (k *keeper) note(t trace) error {
	if k.folder == "" {
		return nil
	}
	if err := k.root.MkdirAll(k.folder, 0o700); err != nil {
		return fmt.Errorf("keep what is there for undo: %w", err)
	}
	if k.created == 0 {
		// git must not take what is kept for a part of the project.
		if err := k.root.WriteFile(path.Join(keptFolder, ".gitignore"), []byte("*\n"), 0o600); err != nil {
			return fmt.Errorf("keep what is there for undo: %w", err)
		}
		k.created++
	}
	line, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("keep what is there for undo: %w", err)
	}
	file, err := k.root.OpenFile(path.Join(k.folder, manifestName), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("keep what is there for undo: %w", err)
	}
	_, err = file.Write(append(line, '\n'))
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("keep what is there for undo: %w", err)
	}
	k.traces, k.known[t.Path] = append(k.traces, t), true
	return k.setUndo()
}

// setUndo keeps what Undo needs to find what was kept.
func (k *keeper) setUndo() error {
	token := undoToken{Folder: k.folder}
	switch count := len(k.traces); {
	case count <= maxTokenTraces:
		token.Traces = k.traces
	case count > maxTokenTraces+1:
		// The token says so already.
		return nil
	}
	return k.step.SetUndo(token)
}

// left reports whether an earlier attempt left a file with that checksum.
func (k *keeper) left(name, sum string) bool {
	for _, t := range slices.Backward(k.traces) {
		if t.Path == name {
			return t.Sum == sum
		}
	}
	return false
}

// keptName is the next free name in the step's folder.
func (k *keeper) keptName() string { return "kept-" + strconv.Itoa(len(k.traces)) }

// makeFolder makes a folder and those above it.
func (k *keeper) makeFolder(name string) error {
	if name == "." || name == "/" || name == "" {
		return nil
	}
	if err := k.step.Workspace.CheckLinks(name); err != nil {
		return err
	}
	if info, err := k.root.Stat(name); err == nil && info.IsDir() {
		return nil
	}
	if err := k.makeFolder(path.Dir(name)); err != nil {
		return err
	}
	if err := k.note(trace{Kind: traceFolder, Path: name}); err != nil {
		return err
	}
	if err := k.root.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make folder %s: %w", name, err)
	}
	return nil
}

// written is what became of a file.
type written struct {
	size   int64
	sum    string
	isNew  bool
	isSame bool
}

// write replaces a file in one piece with what source has. A file that is
// there keeps its mode unless mode says otherwise (0 does not).
func (k *keeper) write(ctx context.Context, name string, source io.Reader, mode fs.FileMode) (w written, err error) {
	name = path.Clean(name)
	if err := k.step.Workspace.CheckLinks(name); err != nil {
		return w, err
	}
	info, statErr := k.root.Stat(name)
	w.isNew = errors.Is(statErr, fs.ErrNotExist)
	switch {
	case statErr == nil && !info.Mode().IsRegular():
		return w, pluginsdk.Errorf("%s can't be written: it is not a file", name)
	case statErr != nil && !w.isNew:
		return w, fmt.Errorf("write %s: %w", name, statErr)
	case statErr == nil && mode == 0:
		mode = info.Mode().Perm()
	case mode == 0:
		mode = 0o644
	}
	if err := k.makeFolder(path.Dir(name)); err != nil {
		return w, err
	}
	temporary := path.Join(path.Dir(name), "."+rand.Text()[:12]+".tmp")
	file, err := k.root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return w, fmt.Errorf("write %s: %w", name, err)
	}
	defer func() {
		if err != nil || w.isSame {
			_ = k.root.Remove(temporary)
		}
	}()
	digest := sha256.New()
	var copyErr error
	w.size, copyErr = io.Copy(io.MultiWriter(file, digest), &reading{ctx, source})
	if err := errors.Join(copyErr, file.Chmod(mode), file.Sync(), file.Close()); err != nil {
		return w, fmt.Errorf("write %s: %w", name, err)
	}
	w.sum = hex.EncodeToString(digest.Sum(nil))
	if !w.isNew && info.Size() == w.size && info.Mode().Perm() == mode {
		if now, err := sumOf(k.root, name); err == nil && now == w.sum {
			w.isSame = true
			return w, nil
		}
	}
	return w, k.put(temporary, name, w)
}

// put renames a finished file to its name, keeping what was there.
func (k *keeper) put(temporary, name string, w written) error {
	t := trace{Kind: traceMade, Path: name, Sum: w.sum}
	if !w.isNew && !k.known[name] && k.folder != "" {
		t.Kind, t.Kept = traceChanged, k.keptName()
		if err := k.keepCopy(name, path.Join(k.folder, t.Kept)); err != nil {
			return err
		}
	}
	if err := k.note(t); err != nil {
		return err
	}
	if err := k.root.Rename(temporary, name); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// keepCopy keeps a file beside itself: as a link to the same content where the
// system can, for the file itself is replaced and never written to.
func (k *keeper) keepCopy(name, kept string) error {
	if err := k.root.MkdirAll(k.folder, 0o700); err != nil {
		return fmt.Errorf("keep %s for undo: %w", name, err)
	}
	if err := k.root.Link(name, kept); err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	source, err := k.root.Open(name)
	if err != nil {
		return fmt.Errorf("keep %s for undo: %w", name, err)
	}
	target, err := k.root.OpenFile(kept, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return errors.Join(fmt.Errorf("keep %s for undo: %w", name, err), source.Close())
	}
	_, err = io.Copy(target, source)
	if err := errors.Join(err, source.Close(), target.Close()); err != nil {
		return fmt.Errorf("keep %s for undo: %w", name, err)
	}
	return nil
}

// remove takes a file or a folder away.
func (k *keeper) remove(name string) error {
	// A link itself may go.
	if err := k.step.Workspace.CheckLinks(path.Dir(name)); err != nil {
		return err
	}
	if k.folder == "" {
		if err := k.root.RemoveAll(name); err != nil {
			return fmt.Errorf("delete %s: %w", name, err)
		}
		return nil
	}
	t := trace{Kind: traceGone, Path: name, Kept: k.keptName()}
	if k.known[name] {
		// An earlier attempt put it there; what was there before is kept.
		t.Kept = ""
	}
	if err := k.note(t); err != nil {
		return err
	}
	var err error
	if t.Kept == "" {
		err = k.root.RemoveAll(name)
	} else {
		err = k.root.Rename(name, path.Join(k.folder, t.Kept))
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	return nil
}

// reading ends with its context.
type reading struct {
	ctx    context.Context
	reader io.Reader
}

// Read implements io.Reader.
func (r *reading) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.reader.Read(p)
}

func sumOf(root *os.Root, name string) (string, error) {
	file, err := root.Open(name)
	if err != nil {
		return "", err
	}
	digest := sha256.New()
	_, err = io.Copy(digest, file)
	return hex.EncodeToString(digest.Sum(nil)), errors.Join(err, file.Close())
}

// undoer takes back what a keeper did; handlers embed it.
type undoer struct{}

// Undo goes through the changes backwards. It may be called again, and leaves
// what was changed since.
func (undoer) Undo(ctx context.Context, step *pluginsdk.Step, token json.RawMessage) error {
	var t undoToken
	if err := json.Unmarshal(token, &t); err != nil {
		return fmt.Errorf("read the undo token: %w", err)
	}
	if path.Dir(path.Clean(t.Folder)) != keptFolder {
		return pluginsdk.Errorf("the undo token names no folder of ours")
	}
	root, err := step.Workspace.Root()
	if err != nil {
		return err
	}
	traces, err := readTraces(root, t.Folder)
	if err != nil {
		return err
	}
	if len(traces) == 0 {
		return wasTakenBack(root, t)
	}
	left := map[string]string{} // the sum that the step left, by path
	for _, one := range traces {
		left[one.Path] = one.Sum
	}
	for _, one := range slices.Backward(traces) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := one.revert(root, t.Folder, left[one.Path]); err != nil {
			return err
		}
	}
	return forget(root, t.Folder)
}

// wasTakenBack tells a step that was undone, whose folder is gone with that,
// from one whose folder went for another reason.
func wasTakenBack(root *os.Root, t undoToken) error {
	gone := pluginsdk.Errorf("what was kept for undo is gone; it is kept for %d days", int(keptFor.Hours()/24))
	if len(t.Traces) == 0 {
		return gone
	}
	for _, one := range t.Traces {
		_, err := root.Lstat(one.Path)
		isThere := err == nil
		switch one.Kind {
		case traceMade, traceChanged:
			if now, err := sumOf(root, one.Path); isThere && err == nil && now == one.Sum {
				return gone
			}
		case traceMoved:
			if _, err := root.Lstat(one.From); err != nil {
				return gone
			}
		case traceGone:
			if !isThere && one.Kept != "" {
				return gone
			}
		}
	}
	return nil
}

// forget removes what was kept for a step that is taken back, and the folder of
// all steps where it was the last.
func forget(root *os.Root, folder string) error {
	if err := root.RemoveAll(folder); err != nil {
		return fmt.Errorf("remove what was kept for undo: %w", err)
	}
	entries, err := fs.ReadDir(root.FS(), keptFolder)
	if err == nil && len(entries) == 1 && entries[0].Name() == ".gitignore" {
		return root.RemoveAll(keptFolder)
	}
	return nil
}

func (t trace) revert(root *os.Root, folder, left string) error {
	_, err := root.Lstat(t.Path)
	isThere := err == nil
	kept := path.Join(folder, t.Kept)
	isKept := false
	if t.Kept != "" {
		_, err := root.Lstat(kept)
		isKept = err == nil
	}
	switch t.Kind {
	case traceFolder:
		// It stays where something else is in it.
		_ = root.Remove(t.Path)
		return nil
	case traceMoved:
		if _, err := root.Lstat(t.From); err == nil || !isThere {
			return nil
		}
		return root.Rename(t.Path, t.From)
	case traceGone:
		switch {
		case !isKept:
			return nil
		case isThere:
			return pluginsdk.Errorf("%s can't be brought back: something else is there now", t.Path)
		}
		if err := root.MkdirAll(path.Dir(t.Path), 0o755); err != nil {
			return err
		}
		return root.Rename(kept, t.Path)
	}
	if !isThere && t.Kept == "" || t.Kept != "" && !isKept {
		return nil
	}
	if isThere {
		if now, err := sumOf(root, t.Path); err != nil || (left != "" && now != left) {
			return errors.Join(err, pluginsdk.Errorf("%s can't be put back: it was changed since", t.Path))
		}
	}
	if t.Kept == "" {
		return root.Remove(t.Path)
	}
	return root.Rename(kept, t.Path)
}
