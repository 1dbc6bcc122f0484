package store

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

// workflowRecord is a workflow's metadata with its counters. It is binary,
// not JSON: a list reads a thousand of them within few milliseconds, and the
// writer changes one for each execution.
type workflowRecord struct {
	metadata data.Workflow
	// last is the newest execution, deleted those whose history is gone.
	last    data.Position
	deleted int
}

const workflowVersion = 1

// encode writes, each text with its length before it and each number as a
// varint: version, name, version of the workflow, type, description, problems,
// tags, step count, revision, created, updated (in ns), valid, execution
// count, deleted, and the newest execution's id, time (in µs), creation (in
// ns) and status.
func (w *workflowRecord) encode() []byte {
	m := &w.metadata
	out := []byte{workflowVersion}
	text := func(s string) { out = append(binary.AppendUvarint(out, uint64(len(s))), s...) }
	integer := func(n int64) { out = binary.AppendVarint(out, n) }
	for _, s := range []string{m.Name, m.Version, m.Type, m.Description, string(m.Problems)} {
		text(s)
	}
	integer(int64(len(m.Tags)))
	for _, tag := range m.Tags {
		text(tag)
	}
	integer(int64(m.StepCount))
	integer(int64(m.Revision))
	integer(m.CreatedAt.UnixNano())
	integer(m.UpdatedAt.UnixNano())
	valid := int64(0)
	if m.Valid {
		valid = 1
	}
	integer(valid)
	integer(int64(m.ExecutionCount))
	integer(int64(w.deleted))
	text(w.last.ID)
	if w.last.ID != "" {
		integer(w.last.Micros)
		integer(m.LastExecuted.UnixNano())
		text(string(*m.LastStatus))
	}
	return out
}

// workflowReader reads what encode wrote; after a first error it only yields
// zero values.
type workflowReader struct {
	// whole is the record as text, of which every text is a part: one copy
	// serves all.
	whole  string
	raw    []byte
	at     int
	broken bool
}

func (r *workflowReader) integer() int64 {
	n, size := binary.Varint(r.raw[r.at:])
	if size <= 0 {
		r.broken, r.at = true, len(r.raw)
		return 0
	}
	r.at += size
	return n
}

func (r *workflowReader) text() string {
	n, size := binary.Uvarint(r.raw[r.at:])
	if size <= 0 || n > uint64(len(r.raw)-r.at-size) { //nolint:gosec // Not negative.
		r.broken, r.at = true, len(r.raw)
		return ""
	}
	start := r.at + size
	r.at = start + int(n) //nolint:gosec // Bounded by the record.
	return r.whole[start:r.at]
}

func (r *workflowReader) time() time.Time { return time.Unix(0, r.integer()).UTC() }

// decodeWorkflow reads a record; nothing of it shares memory with raw.
func decodeWorkflow(id string, raw []byte) (workflowRecord, error) {
	if len(raw) == 0 || raw[0] != workflowVersion {
		return workflowRecord{}, damagedWorkflow(id)
	}
	r := workflowReader{whole: string(raw), raw: raw, at: 1}
	w := workflowRecord{metadata: data.Workflow{ID: id}}
	m := &w.metadata
	m.Name, m.Version, m.Type, m.Description = r.text(), r.text(), r.text(), r.text()
	if problems := r.text(); problems != "" {
		m.Problems = []byte(problems)
	}
	tags := r.integer()
	if tags < 0 || tags > int64(len(raw)) {
		return workflowRecord{}, damagedWorkflow(id)
	}
	m.Tags = make([]string, tags)
	for i := range m.Tags {
		m.Tags[i] = r.text()
	}
	m.StepCount, m.Revision = int(r.integer()), int(r.integer())
	m.CreatedAt, m.UpdatedAt = r.time(), r.time()
	m.Valid = r.integer() == 1
	m.ExecutionCount, w.deleted = int(r.integer()), int(r.integer())
	if w.last.ID = r.text(); w.last.ID != "" {
		w.last.Micros = r.integer()
		at := r.time()
		status := plan.Status(r.text())
		m.LastExecuted, m.LastStatus = &at, &status
	}
	if r.broken {
		return workflowRecord{}, damagedWorkflow(id)
	}
	return w, nil
}

func damagedWorkflow(id string) error {
	return fmt.Errorf("%w: metadata of workflow %s", record.ErrDamaged, id)
}

// counted notes a further execution.
func (w *workflowRecord) counted(place data.Position, createdAt time.Time, status plan.Status) {
	w.metadata.ExecutionCount++
	if w.last.ID == "" || !place.Before(w.last) {
		w.last = place
		w.metadata.LastExecuted, w.metadata.LastStatus = &createdAt, &status
	}
}
