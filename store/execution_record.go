package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

// origin is what never changes of an execution.
type origin struct {
	WorkflowID       string          `json:"workflow_id"`
	WorkflowName     string          `json:"workflow_name"`
	WorkflowVersion  string          `json:"workflow_version,omitempty"`
	WorkflowRevision int             `json:"workflow_revision"`
	Trigger          string          `json:"trigger"`
	Workspace        string          `json:"workspace,omitempty"`
	WorkspaceDir     string          `json:"workspace_dir,omitempty"`
	Parameters       json.RawMessage `json:"parameters,omitempty"`
	CreatedAt        time.Time       `json:"created_at"`
	By               string          `json:"by,omitempty"`
	RetryOf          string          `json:"retry_of,omitempty"`
	ForkOf           string          `json:"fork_of,omitempty"`
	UndoOf           string          `json:"undo_of,omitempty"`
	Parent           *plan.Parent    `json:"parent,omitempty"`
	// Document is the SHA-256 of the definition, empty where there is none.
	Document []byte `json:"document,omitempty"`
	// Key is where the idempotency key is kept.
	Key []byte `json:"key,omitempty"`
}

// progress is what changes of an execution and only readers look at.
type progress struct {
	StatusReason string        `json:"status_reason,omitempty"`
	Error        *plan.Error   `json:"error,omitempty"`
	StartedAt    time.Time     `json:"started_at,omitzero"`
	CompletedAt  time.Time     `json:"completed_at,omitzero"`
	TotalTime    float64       `json:"total_time,omitempty"`
	Progress     plan.Progress `json:"progress"`
	UndoneBy     string        `json:"undone_by,omitempty"`
}

// header is the record in the bucket executions. Its first part is binary:
// the writer reads and writes it for each commit and must not parse JSON.
//
//	version(1) seq(8) sub(4) micros(8) status workflow trigger progress
//
// where each text has its length before it, in one byte, and progress is JSON
// up to the end.
type header struct {
	tail     record.Tail
	place    data.Position
	status   plan.Status
	workflow string
	trigger  string
	progress []byte
}

const headerVersion = 1

func (h *header) encode() []byte {
	out := append(make([]byte, 0, 128+len(h.progress)), headerVersion)
	out = binary.BigEndian.AppendUint64(out, h.tail.Seq)
	out = binary.BigEndian.AppendUint32(out, h.tail.Sub)
	out = append(out, timeKey(h.place.Micros)...)
	for _, text := range []string{string(h.status), h.workflow, h.trigger} {
		out = append(append(out, byte(len(text))), text...)
	}
	return append(out, h.progress...)
}

// decodeHeader reads a header; its progress shares memory with raw.
func decodeHeader(id string, raw []byte) (header, error) {
	const fixed = 1 + 8 + 4 + 8
	if len(raw) < fixed || raw[0] != headerVersion {
		return header{}, fmt.Errorf("%w: header of execution %s", record.ErrDamaged, id)
	}
	h := header{tail: record.Tail{Seq: binary.BigEndian.Uint64(raw[1:]), Sub: binary.BigEndian.Uint32(raw[9:])}}
	h.place = data.Position{Micros: int64(binary.BigEndian.Uint64(raw[13:]) ^ 1<<63), ID: id} //nolint:gosec // The bits are kept.
	var texts [3]string
	rest := raw[fixed:]
	for i := range texts {
		if len(rest) == 0 || len(rest) < 1+int(rest[0]) {
			return header{}, fmt.Errorf("%w: header of execution %s", record.ErrDamaged, id)
		}
		size := 1 + int(rest[0])
		texts[i], rest = string(rest[1:size]), rest[size:]
	}
	h.status, h.workflow, h.trigger, h.progress = plan.Status(texts[0]), texts[1], texts[2], rest
	h.tail.Ended = h.status.Ended()
	return h, nil
}

// endedAt is when an execution ended, in microseconds since 1970, or when it
// was created where nobody said so.
func (h *header) endedAt() (int64, error) {
	var now struct {
		CompletedAt time.Time `json:"completed_at"`
	}
	if err := json.Unmarshal(h.progress, &now); err != nil {
		return 0, fmt.Errorf("%w: header of execution %s: %w", record.ErrDamaged, h.place.ID, err)
	}
	if now.CompletedAt.IsZero() {
		return h.place.Micros, nil
	}
	return now.CompletedAt.UnixMicro(), nil
}

func (h *header) endedKey() ([]byte, error) {
	at, err := h.endedAt()
	return placeKey(data.Position{Micros: at, ID: h.place.ID}), err
}

func encodeProgress(e *engine.Execution) ([]byte, error) {
	raw, err := json.Marshal(progress{e.StatusReason, e.Error, e.StartedAt, e.CompletedAt, e.TotalTime, e.Progress, e.UndoneBy})
	if err != nil {
		return nil, fmt.Errorf("encode the header of execution %s: %w", e.ID, err)
	}
	return raw, nil
}

// rawExecution is an execution as it stands in the file, copied out of it, so
// that no transaction lasts while JSON is parsed.
type rawExecution struct {
	header header
	origin []byte
}

// readExecution copies an execution; it is an engine.ErrNotFound for one that
// is not there.
func readExecution(tx *bolt.Tx, id string) (rawExecution, error) {
	raw, err := get(tx, bucketExecutions, []byte(id))
	if err != nil {
		return rawExecution{}, err
	}
	if raw == nil {
		return rawExecution{}, notFound("execution", id)
	}
	h, err := decodeHeader(id, raw)
	if err != nil {
		return rawExecution{}, err
	}
	h.progress = append([]byte{}, h.progress...)
	from, err := get(tx, bucketOrigins, []byte(id))
	if err != nil {
		return rawExecution{}, err
	}
	if from == nil {
		return rawExecution{}, fmt.Errorf("%w: execution %s has no origin", record.ErrDamaged, id)
	}
	return rawExecution{h, append([]byte{}, from...)}, nil
}

// parse makes an execution of its two records.
func (r *rawExecution) parse() (engine.Execution, origin, error) {
	var from origin
	var now progress
	if err := json.Unmarshal(r.origin, &from); err != nil {
		return engine.Execution{}, origin{}, fmt.Errorf("%w: origin of execution %s: %w", record.ErrDamaged, r.header.place.ID, err)
	}
	if err := json.Unmarshal(r.header.progress, &now); err != nil {
		return engine.Execution{}, origin{}, fmt.Errorf("%w: header of execution %s: %w", record.ErrDamaged, r.header.place.ID, err)
	}
	return engine.Execution{
		ID: r.header.place.ID, WorkflowID: from.WorkflowID, WorkflowName: from.WorkflowName,
		WorkflowVersion: from.WorkflowVersion, WorkflowRevision: from.WorkflowRevision,
		Status: r.header.status, StatusReason: now.StatusReason, Error: now.Error, Trigger: from.Trigger,
		Workspace: from.Workspace, Parameters: from.Parameters, CreatedAt: from.CreatedAt,
		StartedAt: now.StartedAt, CompletedAt: now.CompletedAt, TotalTime: now.TotalTime, Progress: now.Progress,
		LastSeq: r.header.tail.Seq, By: from.By,
		RetryOf: from.RetryOf, ForkOf: from.ForkOf, UndoOf: from.UndoOf, UndoneBy: now.UndoneBy, Parent: from.Parent,
	}, from, nil
}

// get returns the payload of a sealed record, nil where there is none. It
// shares the file's memory and is gone with the transaction.
func get(tx *bolt.Tx, from bucket, key []byte) ([]byte, error) {
	sealed := tx.Bucket([]byte(from)).Get(key)
	if sealed == nil {
		return nil, nil
	}
	payload, err := record.Open(key, sealed)
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", from, err)
	}
	return payload, nil
}

// put seals and writes a record.
func put(tx *bolt.Tx, to bucket, key, payload []byte) error {
	return putRaw(tx, to, key, record.Seal(key, payload))
}

// orderedFill is how full a page gets before it is split where new keys mostly
// come after old ones: split in the middle, it would stay half empty for good.
const orderedFill = 0.9

func putRaw(tx *bolt.Tx, to bucket, key, value []byte) error {
	b := tx.Bucket([]byte(to))
	if to == bucketEvents || to == bucketSteps {
		b.FillPercent = orderedFill
	}
	if err := b.Put(key, value); err != nil {
		return fmt.Errorf("write to bucket %s: %w", to, err)
	}
	return nil
}

func remove(tx *bolt.Tx, from bucket, key []byte) error {
	if err := tx.Bucket([]byte(from)).Delete(key); err != nil {
		return fmt.Errorf("delete from bucket %s: %w", from, err)
	}
	return nil
}

// count changes a number in meta.
func count(tx *bolt.Tx, name string, by int) error {
	now := int64(numberOf(tx.Bucket([]byte(bucketMeta)).Get([]byte(name)))) + int64(by) //nolint:gosec // Counts are small.
	return putRaw(tx, bucketMeta, []byte(name), number(uint64(max(0, now))))            //nolint:gosec // Not negative.
}

func notFound(what, id string) error {
	return fmt.Errorf("%s %q: %w", what, id, engine.ErrNotFound)
}
