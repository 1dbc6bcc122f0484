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
	"io/fs"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

// edit is one file of the workspace before and after a step.
type edit struct {
	file   string
	before []byte
	after  []byte
	// isNew: the file is not there before.
	isNew bool
}

func (e edit) changes() bool { return e.isNew || !bytes.Equal(e.before, e.after) }

// editRecord is what an attempt leaves behind before it writes: enough to
// tell later whether it wrote, and to take it back.
type editRecord struct {
	Edits []editTrace `json:"edits"`
	// Output is what the attempt gives once it has written.
	Output json.RawMessage `json:"output,omitempty"`
}

// editTrace describes one edit by the one stretch of the file that changes.
type editTrace struct {
	File string `json:"file"`
	// Before and After are SHA-256 sums in hex, "" where there is no file.
	Before string `json:"before"`
	After  string `json:"after"`
	Offset int    `json:"offset"`
	// Removed is the stretch's old text, gzipped; Inserted is the length of
	// its new one.
	Removed  []byte `json:"removed,omitempty"`
	Inserted int    `json:"inserted"`
	// IsLost: the old text was too large to keep.
	IsLost bool `json:"is_lost,omitempty"`
}

// maxRemoved bounds the old text kept of all edits, compressed, so that the
// record fits into a checkpoint.
const maxRemoved = 40 << 10

func sum(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

// checkFile refuses a path that leaves the workspace or touches git's own
// files.
func checkFile(pointer, name string) error {
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

// readFile returns nil and false where the file is not there.
func readFile(step *pluginsdk.Step, pointer, name string) (data []byte, isThere bool, err error) {
	if err := checkFile(pointer, name); err != nil {
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

// newRecord describes edits before they are made.
func newRecord(edits []edit, output any) (editRecord, error) {
	var record editRecord
	raw, err := json.Marshal(output)
	if err != nil {
		return record, fmt.Errorf("write the output as JSON: %w", err)
	}
	record.Output = raw
	room := maxRemoved
	for _, e := range edits {
		trace := editTrace{File: e.file, Before: sum(e.before), After: sum(e.after)}
		if e.isNew {
			trace.Before = ""
		}
		shorter := min(len(e.before), len(e.after))
		for trace.Offset < shorter && e.before[trace.Offset] == e.after[trace.Offset] {
			trace.Offset++
		}
		tail := 0
		for tail < shorter-trace.Offset && e.before[len(e.before)-1-tail] == e.after[len(e.after)-1-tail] {
			tail++
		}
		trace.Inserted = len(e.after) - tail - trace.Offset
		if trace.Removed, err = compress(e.before[trace.Offset : len(e.before)-tail]); err != nil {
			return record, err
		}
		if len(trace.Removed) > room {
			trace.Removed, trace.IsLost = nil, true
		}
		room -= len(trace.Removed)
		record.Edits = append(record.Edits, trace)
	}
	return record, nil
}

// applyEdits writes the files: intent first, then each file in one piece,
// then what undo needs. Edits that change nothing are left out.
func applyEdits(ctx context.Context, step *pluginsdk.Step, edits []edit, output any) error {
	var changed []edit
	for _, e := range edits {
		if e.changes() {
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
		effect := pluginsdk.EffectRecord{Action: "update", Target: e.file, ExternalID: sum(e.after)}
		if e.isNew {
			effect.Action = "create"
		}
		if err := step.Effect(effect); err != nil {
			return err
		}
		if err := step.Workspace.WriteFile(e.file, e.after, 0o644); err != nil {
			return err
		}
		effect.Done = true
		if err := step.Effect(effect); err != nil {
			return err
		}
		step.Log.Info("wrote "+e.file, "bytes", len(e.after))
	}
	return keepUndo(step, record)
}

// finishedTraces returns what an earlier attempt wrote and this one finds
// done, so that undo takes it back, too.
func finishedTraces(step *pluginsdk.Step, now editRecord) ([]editTrace, error) {
	var earlier editRecord
	if found, err := step.Checkpointed(&earlier); err != nil || !found {
		return nil, err
	}
	touched := map[string]bool{}
	for _, trace := range now.Edits {
		touched[trace.File] = true
	}
	var finished []editTrace
	for _, trace := range earlier.Edits {
		state, err := trace.state(step)
		if err != nil {
			return nil, err
		}
		if state == trace.After && !touched[trace.File] {
			finished = append(finished, trace)
		}
	}
	return finished, nil
}

func keepUndo(step *pluginsdk.Step, record editRecord) error {
	if len(record.Edits) == 0 {
		return nil
	}
	return step.SetUndo(editRecord{Edits: record.Edits})
}

// state returns the sum of the file as it is now.
func (t editTrace) state(step *pluginsdk.Step) (string, error) {
	data, isThere, err := readFile(step, "", t.File)
	if err != nil || !isThere {
		return "", err
	}
	return sum(data), nil
}

// reconcileEdits tells by the checkpoint whether an attempt wrote its files.
// The files are those it would write; without a checkpoint they must be older
// than the execution to prove that nothing happened.
func reconcileEdits[O any](step *pluginsdk.Step, files []string) (pluginsdk.Reconciliation[O], error) {
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

// undoEdits puts every file back, if it still is as the attempt left it.
func undoEdits(step *pluginsdk.Step, token json.RawMessage) error {
	var record editRecord
	if err := json.Unmarshal(token, &record); err != nil {
		return fmt.Errorf("read the undo token: %w", err)
	}
	for _, trace := range record.Edits {
		data, isThere, err := readFile(step, "", trace.File)
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

func (t editTrace) revert(step *pluginsdk.Step, data []byte) error {
	if t.Before == "" {
		return step.Workspace.Remove(t.File)
	}
	if t.IsLost {
		return errors.New("its old text was too large to keep; take it from the repository")
	}
	removed, err := decompress(t.Removed)
	if err != nil {
		return err
	}
	before := bytes.Join([][]byte{data[:t.Offset], removed, data[t.Offset+t.Inserted:]}, nil)
	if sum(before) != t.Before {
		return errors.New("the undo token does not fit the file")
	}
	return step.Workspace.WriteFile(t.File, before, 0o644)
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

// plannedEdits shows each edit with a unified diff of one hunk.
func plannedEdits(edits []edit, summary string, known bool) []pluginsdk.PlannedEffect {
	var effects []pluginsdk.PlannedEffect
	for _, e := range edits {
		if e.changes() {
			effects = append(effects, pluginsdk.PlannedEffect{Action: "update", Target: e.file, Summary: summary, Diff: unifiedDiff(e), Known: known})
		}
	}
	return effects
}

// maxDiff bounds a diff in a plan, in bytes.
const maxDiff = 64 << 10

// unifiedDiff writes the lines that differ as one hunk with three lines of
// context.
func unifiedDiff(e edit) string {
	before, after := splitLines(string(e.before)), splitLines(string(e.after))
	head := 0
	for head < min(len(before), len(after)) && before[head] == after[head] {
		head++
	}
	tail := 0
	for tail < min(len(before), len(after))-head && before[len(before)-1-tail] == after[len(after)-1-tail] {
		tail++
	}
	from, trailing := max(head-3, 0), min(tail, 3)
	removed, added := before[head:len(before)-tail], after[head:len(after)-tail]
	var out strings.Builder
	source := "a/" + e.file
	if e.isNew {
		source = "/dev/null"
	}
	fmt.Fprintf(&out, "--- %s\n+++ b/%s\n@@ -%s +%s @@\n", source, e.file,
		hunkRange(from, head-from+len(removed)+trailing), hunkRange(from, head-from+len(added)+trailing))
	write := func(sign string, lines []string) {
		for _, line := range lines {
			out.WriteString(sign + strings.TrimRight(line, "\r\n") + "\n")
			if !strings.HasSuffix(line, "\n") {
				out.WriteString("\\ No newline at end of file\n")
			}
		}
	}
	write(" ", before[from:head])
	write("-", removed)
	write("+", added)
	write(" ", before[len(before)-tail:len(before)-tail+trailing])
	if text := out.String(); len(text) <= maxDiff {
		return text
	}
	return strings.ToValidUTF8(out.String()[:maxDiff], "") + "\n…"
}

func hunkRange(from, count int) string {
	if count == 0 {
		return fmt.Sprintf("%d,0", from)
	}
	return fmt.Sprintf("%d,%d", from+1, count)
}

// splitLines keeps the line ends.
func splitLines(text string) []string {
	if text == "" {
		return nil
	}
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}
