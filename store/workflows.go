package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

// revisionRecord is a revision without its text, which follows it and is
// read only where it is asked for.
type revisionRecord struct {
	data.RevisionInfo
	Problems json.RawMessage `json:"problems,omitempty"`
	// Document is the SHA-256 of the definition, empty where there is none.
	Document []byte `json:"document,omitempty"`
	// SameText: the text is the document and stands only there.
	SameText bool `json:"same_text,omitempty"`
	// Checksum is the CRC-32C of the text.
	Checksum uint32 `json:"checksum"`
}

func textChecksum(text []byte) uint32 {
	return crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli))
}

// document is a definition and the key that it is kept by.
type document struct{ sum, content []byte }

func documentOf(content []byte) document {
	if len(content) == 0 {
		return document{}
	}
	sum := sha256.Sum256(content)
	return document{sum[:], content}
}

// retain keeps a document for one more revision or execution.
func (d document) retain(tx *bolt.Tx) error {
	if d.sum == nil {
		return nil
	}
	references := numberOf(tx.Bucket([]byte(bucketReferences)).Get(d.sum))
	if references == 0 {
		if err := put(tx, bucketDefinitions, d.sum, d.content); err != nil {
			return err
		}
	}
	return putRaw(tx, bucketReferences, d.sum, number(references+1))
}

// releaseDocument drops one reference, and the document with the last.
func releaseDocument(tx *bolt.Tx, sum []byte) error {
	if len(sum) == 0 {
		return nil
	}
	if references := numberOf(tx.Bucket([]byte(bucketReferences)).Get(sum)); references > 1 {
		return putRaw(tx, bucketReferences, sum, number(references-1))
	}
	if err := remove(tx, bucketReferences, sum); err != nil {
		return err
	}
	return remove(tx, bucketDefinitions, sum)
}

// readDocument copies a document.
func readDocument(tx *bolt.Tx, sum []byte) ([]byte, error) {
	if len(sum) == 0 {
		return nil, nil
	}
	content, err := get(tx, bucketDefinitions, sum)
	if err == nil && content == nil {
		err = fmt.Errorf("%w: definition %x is missing", record.ErrDamaged, sum)
	}
	return bytes.Clone(content), err
}

// CreateWorkflow implements data.Workflows.
func (s *Store) CreateWorkflow(ctx context.Context, given data.NewWorkflow) (data.Workflow, error) {
	if err := given.Check(); err != nil {
		return data.Workflow{}, err
	}
	id := given.ID
	if id == "" {
		made, err := uuid.NewV7()
		if err != nil {
			return data.Workflow{}, fmt.Errorf("make a workflow id: %w", err)
		}
		id = made.String()
	}
	kept := documentOf(given.Document)
	now := s.now()
	var w workflowRecord
	err := s.submit(ctx, &command{
		size: len(given.Text) + len(given.Document) + 1024,
		check: func(tx *bolt.Tx) error {
			if tx.Bucket([]byte(bucketWorkflows)).Get([]byte(id)) != nil {
				return fmt.Errorf("%w: there is a workflow %s already", engine.ErrConflict, id)
			}
			at := given.Time(time.Time{}, now)
			w = workflowRecord{metadata: data.Workflow{ID: id, CreatedAt: at, UpdatedAt: at}}
			return s.countEarlier(tx, &w)
		},
		apply: func(tx *bolt.Tx) error {
			if err := count(tx, metaWorkflows, 1); err != nil {
				return err
			}
			if err := putRights(tx, id, given.Rights, now); err != nil {
				return err
			}
			w.metadata.SetRights(given.Rights)
			return w.revise(tx, &given, kept)
		},
	})
	return w.metadata, err
}

// UpdateWorkflow implements data.Workflows.
func (s *Store) UpdateWorkflow(ctx context.Context, id string, expected int, given data.NewWorkflow) (data.Workflow, error) {
	given.ID = ""
	if err := given.Check(); err != nil {
		return data.Workflow{}, err
	}
	kept := documentOf(given.Document)
	now := s.now()
	var w workflowRecord
	err := s.submit(ctx, &command{
		size: len(given.Text) + len(given.Document) + 1024,
		check: func(tx *bolt.Tx) (err error) {
			if w, err = readWorkflow(tx, id); err != nil {
				return err
			}
			if current := w.metadata.Revision; expected != 0 && expected != current {
				return &data.RevisionMismatchError{WorkflowID: id, Expected: expected, Current: current}
			}
			return nil
		},
		apply: func(tx *bolt.Tx) error {
			w.metadata.UpdatedAt = given.Time(w.metadata.UpdatedAt, now)
			return w.revise(tx, &given, kept)
		},
	})
	return w.metadata, err
}

// revise writes a further revision and the metadata after it.
func (w *workflowRecord) revise(tx *bolt.Tx, given *data.NewWorkflow, kept document) error {
	m := &w.metadata
	m.Name, m.Version, m.Type, m.Description = given.Name, given.Version, given.Type, given.Description
	m.Tags = append([]string{}, given.Tags...)
	m.StepCount, m.Valid, m.Problems = given.StepCount, !given.Draft, bytes.Clone(given.Problems)
	m.Revision++
	info := revisionRecord{
		RevisionInfo: data.RevisionInfo{
			WorkflowID: m.ID, Revision: m.Revision, Name: m.Name, Version: m.Version, StepCount: m.StepCount,
			Format: given.Format, Valid: m.Valid, Author: given.Author, Message: given.Message,
			CreatedAt: m.UpdatedAt, Size: len(given.Text),
		},
		Problems: m.Problems, Document: kept.sum, SameText: sameText(given.Text, kept.content), Checksum: textChecksum(given.Text),
	}
	raw, err := json.Marshal(info)
	if err != nil {
		return fmt.Errorf("encode a revision: %w", err)
	}
	key := revisionKey(m.ID, m.Revision)
	value := binary.BigEndian.AppendUint32(nil, uint32(len(raw)+4)) //nolint:gosec // Far below 4 GiB.
	value = append(value, record.Seal(key, raw)...)
	if !info.SameText {
		value = append(value, given.Text...)
	}
	if err := putRaw(tx, bucketRevisions, key, value); err != nil {
		return err
	}
	if err := kept.retain(tx); err != nil {
		return err
	}
	return put(tx, bucketWorkflows, []byte(m.ID), w.encode())
}

// readRevision reads what stands before a revision's text; the text shares
// the file's memory.
func readRevision(key, value []byte) (info revisionRecord, text []byte, err error) {
	damaged := fmt.Errorf("%w: revision %q", record.ErrDamaged, key)
	if len(value) < 4 {
		return info, nil, damaged
	}
	size := uint64(binary.BigEndian.Uint32(value))
	if size > uint64(len(value)-4) {
		return info, nil, damaged
	}
	raw, err := record.Open(key, value[4:4+size])
	if err != nil {
		return info, nil, fmt.Errorf("revision %q: %w", key, err)
	}
	if err := json.Unmarshal(raw, &info); err != nil {
		return info, nil, fmt.Errorf("%w: %w", damaged, err)
	}
	return info, value[4+size:], nil
}

func readWorkflow(tx *bolt.Tx, id string) (workflowRecord, error) {
	raw, err := get(tx, bucketWorkflows, []byte(id))
	if err != nil {
		return workflowRecord{}, err
	}
	if raw == nil {
		return workflowRecord{}, notFound("workflow", id)
	}
	w, err := decodeWorkflow(id, raw)
	if err != nil {
		return w, err
	}
	rights, err := readRights(tx, id)
	w.metadata.SetRights(rights)
	return w, err
}

// countEarlier counts the executions that a workflow of this id had before.
func (s *Store) countEarlier(tx *bolt.Tx, w *workflowRecord) error {
	var newest data.Position
	each := func(place data.Position) {
		w.metadata.ExecutionCount++
		if newest.ID == "" || newest.Before(place) {
			newest = place
		}
	}
	err := s.viewWith(tx, func(all []*bolt.Tx) error {
		for _, in := range all {
			if err := eachOf(tx, in, w.metadata.ID, each); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || newest.ID == "" {
		return err
	}
	raw, err := s.readAnywhere(tx, newest.ID)
	if err != nil {
		return err
	}
	execution, _, err := raw.parse()
	if err != nil {
		return err
	}
	w.last, w.metadata.LastExecuted, w.metadata.LastStatus = newest, &execution.CreatedAt, &execution.Status
	return nil
}

// eachOf passes the places of a workflow's executions in one file that count.
func eachOf(hot, in *bolt.Tx, workflow string, each func(place data.Position)) error {
	start := prefix(workflow)
	cursor := in.Bucket([]byte(bucketByWorkflow)).Cursor()
	for key, _ := cursor.Seek(start); bytes.HasPrefix(key, start); key, _ = cursor.Next() {
		at := bytes.IndexByte(key[len(start):], 0)
		place, ok := placeOf(key[len(start)+at+1:])
		if !ok {
			return fmt.Errorf("%w: index of workflow %s", record.ErrDamaged, workflow)
		}
		if in == hot || !has(hot, place.ID) && !deleted(hot, []byte(place.ID)) {
			each(place)
		}
	}
	return nil
}

// DeleteWorkflow implements data.Workflows.
func (s *Store) DeleteWorkflow(ctx context.Context, id string) error {
	return s.submit(ctx, &command{
		size: 4096, patient: true,
		check: func(tx *bolt.Tx) error {
			if _, err := readWorkflow(tx, id); err != nil {
				return err
			}
			if live := liveOf(tx, id, 1); len(live) > 0 {
				return fmt.Errorf("%w: execution %s of the workflow has not ended", engine.ErrConflict, live[0])
			}
			return nil
		},
		apply: func(tx *bolt.Tx) error {
			start := prefix(id)
			cursor := tx.Bucket([]byte(bucketRevisions)).Cursor()
			var keys, documents [][]byte
			for key, value := cursor.Seek(start); bytes.HasPrefix(key, start); key, value = cursor.Next() {
				info, _, err := readRevision(key, value)
				if err != nil {
					return err
				}
				keys, documents = append(keys, bytes.Clone(key)), append(documents, info.Document)
			}
			for i := range keys {
				if err := remove(tx, bucketRevisions, keys[i]); err != nil {
					return err
				}
				if err := releaseDocument(tx, documents[i]); err != nil {
					return err
				}
			}
			if err := count(tx, metaWorkflows, -1); err != nil {
				return err
			}
			return remove(tx, bucketWorkflows, []byte(id))
		},
	})
}

// liveOf lists a workflow's executions that have not ended, at most so many.
func liveOf(tx *bolt.Tx, workflow string, most int) []string {
	var ids []string
	cursor := tx.Bucket([]byte(bucketByWorkflow)).Cursor()
	for _, status := range data.LiveStatuses() {
		start := prefix(workflow, string(status))
		for key, _ := cursor.Seek(start); bytes.HasPrefix(key, start) && len(ids) < most; key, _ = cursor.Next() {
			if place, ok := placeOf(key[len(start):]); ok {
				ids = append(ids, place.ID)
			}
		}
	}
	return ids
}

// Workflow implements data.Workflows.
func (s *Store) Workflow(ctx context.Context, id string) (data.Workflow, error) {
	var w workflowRecord
	err := s.view(ctx, func(tx *bolt.Tx) (err error) {
		w, err = readWorkflow(tx, id)
		return err
	})
	return w.metadata, err
}

// WorkflowRevision implements data.Workflows.
func (s *Store) WorkflowRevision(ctx context.Context, id string, revision int) (data.Revision, error) {
	var found data.Revision
	err := s.view(ctx, func(tx *bolt.Tx) error {
		w, err := readWorkflow(tx, id)
		if err != nil {
			return err
		}
		if revision == 0 {
			revision = w.metadata.Revision
		}
		key := revisionKey(id, revision)
		value := tx.Bucket([]byte(bucketRevisions)).Get(key)
		if revision < 0 || value == nil {
			return fmt.Errorf("revision %d of workflow %s: %w", revision, id, engine.ErrNotFound)
		}
		info, text, err := readRevision(key, value)
		if err != nil {
			return err
		}
		kept, err := readDocument(tx, info.Document)
		if err != nil {
			return err
		}
		if info.SameText {
			text = kept
		}
		if textChecksum(text) != info.Checksum {
			return fmt.Errorf("%w: text of revision %d of workflow %s", record.ErrDamaged, revision, id)
		}
		found = data.Revision{RevisionInfo: info.RevisionInfo, Text: bytes.Clone(text), Document: kept, Problems: info.Problems}
		return nil
	})
	return found, err
}

// Workflows implements data.Workflows.
func (s *Store) Workflows(ctx context.Context, filter data.WorkflowFilter) ([]data.Workflow, int, error) {
	if _, err := filter.Order(); err != nil {
		return nil, 0, err
	}
	rights, err := s.allRights(ctx)
	if err != nil {
		return nil, 0, err
	}
	all := []data.Workflow{}
	err = s.pages(ctx, bucketWorkflows, nil, func(key, sealed []byte) error {
		raw, err := record.Open(key, sealed)
		if err != nil {
			return fmt.Errorf("workflow %s: %w", key, err)
		}
		w, err := decodeWorkflow(string(key), raw)
		w.metadata.SetRights(rights[w.metadata.ID])
		all = append(all, w.metadata)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return filter.Select(all)
}

// Revisions implements data.Workflows.
func (s *Store) Revisions(ctx context.Context, id string) ([]data.RevisionInfo, error) {
	if _, err := s.Workflow(ctx, id); err != nil {
		return nil, err
	}
	list := []data.RevisionInfo{}
	err := s.pages(ctx, bucketRevisions, prefix(id), func(key, value []byte) error {
		info, _, err := readRevision(key, value)
		list = append(list, info.RevisionInfo)
		return err
	})
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list, err
}

// rowsPerView bounds what one read transaction looks at.
const rowsPerView = 200

// pages passes every record whose key has a prefix to each, in several short
// transactions.
func (s *Store) pages(ctx context.Context, from bucket, start []byte, each func(key, value []byte) error) error {
	next := bytes.Clone(start)
	for done := false; !done; {
		err := s.view(ctx, func(tx *bolt.Tx) error {
			cursor := tx.Bucket([]byte(from)).Cursor()
			rows := 0
			key, value := cursor.Seek(next)
			for ; bytes.HasPrefix(key, start) && key != nil && rows < rowsPerView; key, value = cursor.Next() {
				if err := each(key, value); err != nil {
					return err
				}
				rows++
			}
			done = key == nil || !bytes.HasPrefix(key, start)
			next = bytes.Clone(key)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// restatus notes a change of status with the workflow, if it still exists and
// the execution is its newest.
func restatus(tx *bolt.Tx, h *header, status plan.Status) error {
	raw, err := get(tx, bucketWorkflows, []byte(h.workflow))
	if err != nil || raw == nil {
		return err
	}
	w, err := decodeWorkflow(h.workflow, raw)
	if err != nil || w.last.ID != h.place.ID {
		return err
	}
	w.metadata.LastStatus = &status
	return put(tx, bucketWorkflows, []byte(h.workflow), w.encode())
}
