package fileedit

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/vwmp/vwmp/pluginsdk"
)

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

// newRecord describes edits before they are made.
func newRecord(edits []Edit, output any) (editRecord, error) {
	var record editRecord
	raw, err := json.Marshal(output)
	if err != nil {
		return record, fmt.Errorf("write the output as JSON: %w", err)
	}
	record.Output = raw
	room := maxRemoved
	for _, e := range edits {
		trace := editTrace{File: e.File, Before: sum(e.Before), After: sum(e.After)}
		if e.IsNew {
			trace.Before = ""
		}
		shorter := min(len(e.Before), len(e.After))
		for trace.Offset < shorter && e.Before[trace.Offset] == e.After[trace.Offset] {
			trace.Offset++
		}
		tail := 0
		for tail < shorter-trace.Offset && e.Before[len(e.Before)-1-tail] == e.After[len(e.After)-1-tail] {
			tail++
		}
		trace.Inserted = len(e.After) - tail - trace.Offset
		if trace.Removed, err = compress(e.Before[trace.Offset : len(e.Before)-tail]); err != nil {
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
	data, isThere, err := ReadFile(step, "", t.File)
	if err != nil || !isThere {
		return "", err
	}
	return sum(data), nil
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
