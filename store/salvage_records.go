package store

import (
	"bytes"
	"encoding/json"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

// kindOf is the bucket that a good record belongs to, or nothing.
func kindOf(key, value []byte) bucket {
	if info, _, err := readRevision(key, value); err == nil && bytes.Equal(key, revisionKey(info.WorkflowID, info.Revision)) {
		return bucketRevisions
	}
	payload, err := record.Open(key, value)
	if err != nil {
		return ""
	}
	id, rest, parted := bytes.Cut(key, []byte{0})
	switch {
	case !parted && len(key) == 32 && bytes.Equal(documentOf(payload).sum, key):
		return bucketDefinitions
	case data.CheckID("execution", string(id)) != nil:
		return ""
	case !parted:
		return kindOfPlain(string(id), payload)
	}
	if seq, sub, ok := eventNumber(key); ok && len(rest) == 12 {
		event, err := record.DecodeEvent(payload, sub)
		if err == nil && event.Seq == seq && event.ExecutionID == string(id) {
			return bucketEvents
		}
	}
	if isItemKey(key) {
		var item engine.ItemResult
		if step, _, _ := bytes.Cut(rest, []byte{0}); json.Unmarshal(payload, &item) == nil && bytes.Equal(key, itemKey(string(id), string(step), item.Index)) {
			return bucketSteps
		}
		return ""
	}
	var step engine.StepResult
	if json.Unmarshal(payload, &step) == nil && step.StepID == string(rest) {
		return bucketSteps
	}
	return ""
}

// dropItems drops the items of steps that are lost themselves.
func dropItems(tx *bolt.Tx, id string) error {
	var step []byte
	var lost [][]byte
	cursor := tx.Bucket([]byte(bucketSteps)).Cursor()
	for key, _ := cursor.Seek(prefix(id)); bytes.HasPrefix(key, prefix(id)); key, _ = cursor.Next() {
		switch {
		case !isItemKey(key):
			step = bytes.Clone(key)
		case step == nil || !bytes.HasPrefix(key, append(bytes.Clone(step), 0)):
			lost = append(lost, bytes.Clone(key))
		}
	}
	for _, key := range lost {
		if err := remove(tx, bucketSteps, key); err != nil {
			return err
		}
	}
	return nil
}

// kindOfPlain tells the records apart that stand under an id alone.
func kindOfPlain(id string, payload []byte) bucket {
	if bytes.HasPrefix(payload, []byte(`{"workflow_id":`)) {
		var from origin
		if json.Unmarshal(payload, &from) == nil && !from.CreatedAt.IsZero() {
			return bucketOrigins
		}
		return ""
	}
	if bytes.HasPrefix(payload, []byte(`{"visibility":`)) {
		return bucketRights
	}
	if h, err := decodeHeader(id, payload); err == nil && slices.Contains(data.Statuses(), h.status) && json.Valid(h.progress) {
		return bucketExecutions
	}
	if w, err := decodeWorkflow(id, payload); err == nil && w.metadata.Name != "" && w.metadata.Revision > 0 {
		return bucketWorkflows
	}
	return ""
}

// later reports whether a version of a record is a later one than what is
// kept. Records that never change are equal.
func later(row copiedRow, kept []byte) bool {
	fresh, err := record.Open(row.key, row.value)
	if err != nil {
		return false
	}
	old, err := record.Open(row.key, kept)
	if err != nil {
		return true
	}
	switch row.to {
	case bucketExecutions:
		a, errA := decodeHeader(string(row.key), fresh)
		b, errB := decodeHeader(string(row.key), old)
		return errA == nil && (errB != nil || a.tail.Seq > b.tail.Seq || a.tail.Seq == b.tail.Seq && a.tail.Sub >= b.tail.Sub)
	case bucketWorkflows:
		a, errA := decodeWorkflow(string(row.key), fresh)
		b, errB := decodeWorkflow(string(row.key), old)
		return errA == nil && (errB != nil || a.metadata.Revision > b.metadata.Revision || a.metadata.Revision == b.metadata.Revision && a.metadata.ExecutionCount >= b.metadata.ExecutionCount)
	case bucketRights:
		var a, b data.Rights
		return json.Unmarshal(fresh, &a) == nil && (json.Unmarshal(old, &b) != nil || a.ChangedAt.After(b.ChangedAt))
	case bucketSteps: // An item has the same fields.
		var a, b engine.StepResult
		if json.Unmarshal(fresh, &a) != nil || json.Unmarshal(old, &b) != nil {
			return false
		}
		return a.Attempts > b.Attempts || a.Attempts == b.Attempts && (a.Status.Ended() || !b.Status.Ended())
	}
	return false
}
