package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

const (
	// keyLife is how long an idempotency key counts.
	keyLife = 24 * time.Hour
	// keySweep is how many old keys a new one clears away.
	keySweep = 16
)

// idempotency is what is kept of a key.
type idempotency struct {
	Execution   string    `json:"execution"`
	Fingerprint string    `json:"fingerprint"`
	CreatedAt   time.Time `json:"created_at"`
}

// encodedEvent is an event as it is put into the file.
type encodedEvent struct{ key, sealed []byte }

func encodeEvents(id string, events []plan.Event) (encoded []encodedEvent, size int, err error) {
	encoded = make([]encodedEvent, 0, len(events))
	for i := range events {
		raw, err := record.EncodeEvent(&events[i])
		if err != nil {
			return nil, 0, err
		}
		key := eventKey(id, events[i].Seq, events[i].Sub)
		encoded = append(encoded, encodedEvent{key, record.Seal(key, raw)})
		size += len(key) + len(raw)
	}
	return encoded, size, nil
}

func putEvents(tx *bolt.Tx, events []encodedEvent) error {
	for _, event := range events {
		if err := putRaw(tx, bucketEvents, event.key, event.sealed); err != nil {
			return err
		}
	}
	return nil
}

// creation is a Create on its way to the writer.
type creation struct {
	store       *Store
	given       engine.Creation
	fingerprint string
	header      header
	document    document
	origin      []byte
	key         []byte
	now         time.Time
	events      []encodedEvent
	also        []*addition
	blobs       []blobSum
	// moved: the history has an execution of this id.
	moved bool

	// earlier is the execution that the idempotency key gave.
	earlier rawExecution
	found   bool
}

// Create implements engine.Journal. A creation that was handed to the writer
// is waited for even if ctx ends.
func (s *Store) Create(ctx context.Context, given engine.Creation) (engine.Execution, bool, error) {
	if err := record.CheckCreation(&given); err != nil {
		return engine.Execution{}, false, err
	}
	if free, err := s.options.free(); err == nil && free < minFree {
		return engine.Execution{}, false, engine.ErrStoreFull
	}
	c, size, err := s.prepare(given)
	if err != nil {
		return engine.Execution{}, false, err
	}
	if c.moved, err = s.viewHistory(given.Execution.ID, func(*bolt.Tx) error { return nil }); err != nil {
		return engine.Execution{}, false, closedError(err)
	}
	if err := s.amend(ctx, &command{size: size, check: c.check, apply: c.apply}, func() []string { return idsOf(given.Also) }); err != nil {
		return engine.Execution{}, false, err
	}
	if c.found {
		execution, _, err := c.earlier.parse()
		return execution, false, err
	}
	s.recent.named(c.blobs)
	execution := given.Execution
	execution.Parameters, execution.LastSeq = bytes.Clone(execution.Parameters), c.header.tail.Seq
	return execution, true, nil
}

// prepare encodes everything, so that the writer does not have to.
func (s *Store) prepare(given engine.Creation) (*creation, int, error) {
	e := &given.Execution
	tail, err := record.Tail{}.Follow(e.ID, s.meta.BootEpoch, given.Events)
	if err == nil {
		err = tail.CheckEnd(e)
	}
	if err != nil {
		return nil, 0, err
	}
	c := &creation{store: s, given: given, fingerprint: given.Fingerprint, document: documentOf(given.Document), now: s.now()}
	c.header = header{tail: tail, place: data.PositionOf(e.CreatedAt, e.ID), status: e.Status, workflow: e.WorkflowID, trigger: e.Trigger}
	if c.header.progress, err = encodeProgress(e); err != nil {
		return nil, 0, err
	}
	if given.IdempotencyKey != "" {
		sum := sha256.Sum256([]byte(given.IdempotencyKey))
		c.key = append(prefix(e.WorkflowID), sum[:]...)
	}
	c.origin, err = json.Marshal(origin{
		WorkflowID: e.WorkflowID, WorkflowName: e.WorkflowName, WorkflowVersion: e.WorkflowVersion,
		WorkflowRevision: e.WorkflowRevision, Trigger: e.Trigger, Workspace: e.Workspace, WorkspaceDir: given.WorkspaceDir,
		Parameters: e.Parameters, CreatedAt: e.CreatedAt.UTC(), By: e.By, Document: c.document.sum, Key: c.key,
		RetryOf: e.RetryOf, ForkOf: e.ForkOf, UndoOf: e.UndoOf, Parent: e.Parent,
	})
	if err != nil {
		return nil, 0, fmt.Errorf("encode execution %s: %w", e.ID, err)
	}
	size := 0
	if c.events, size, err = encodeEvents(e.ID, given.Events); err != nil {
		return nil, 0, err
	}
	if c.also, err = s.additions(given.Also, &size); err != nil {
		return nil, 0, err
	}
	c.blobs = blobsOf(c.events)
	return c, size + len(c.origin) + len(given.Document) + 512, nil
}

func (c *creation) check(tx *bolt.Tx) error {
	c.found = false
	if c.key != nil {
		kept, known, err := readKey(tx, c.key)
		if err != nil {
			return err
		}
		if known && c.now.Sub(kept.CreatedAt) < keyLife {
			if kept.Fingerprint != c.fingerprint {
				return engine.ErrIdempotencyMismatch
			}
			if c.earlier, err = c.store.readAnywhere(tx, kept.Execution); err != nil {
				return err
			}
			c.found = true
			return errNothing
		}
	}
	if c.given.Refused != nil {
		return c.given.Refused
	}
	id := []byte(c.header.place.ID)
	if c.moved || tx.Bucket([]byte(bucketExecutions)).Get(id) != nil || tx.Bucket([]byte(bucketTrash)).Get(id) != nil {
		return fmt.Errorf("%w: there is an execution %s already", engine.ErrConflict, id)
	}
	return eachAddition(c.also, tx, (*addition).check)
}

func readKey(tx *bolt.Tx, key []byte) (kept idempotency, known bool, err error) {
	raw, err := get(tx, bucketKeys, key)
	if err != nil || raw == nil {
		return idempotency{}, false, err
	}
	if err := json.Unmarshal(raw, &kept); err != nil {
		return idempotency{}, false, fmt.Errorf("%w: an idempotency key: %w", record.ErrDamaged, err)
	}
	return kept, true, nil
}

func (c *creation) apply(tx *bolt.Tx) error {
	h, id := &c.header, []byte(c.header.place.ID)
	if err := c.document.retain(tx); err != nil {
		return err
	}
	if err := put(tx, bucketOrigins, id, c.origin); err != nil {
		return err
	}
	if err := put(tx, bucketExecutions, id, h.encode()); err != nil {
		return err
	}
	if err := errors.Join(putEvents(tx, c.events), putBlobs(tx, c.blobs, h.place.ID)); err != nil {
		return err
	}
	if err := putRaw(tx, bucketByTime, placeKey(h.place), []byte(h.trigger)); err != nil {
		return err
	}
	if err := h.index(tx); err != nil {
		return err
	}
	if err := count(tx, metaExecutions, 1); err != nil {
		return err
	}
	if err := h.enter(tx); err != nil {
		return err
	}
	if err := c.countWorkflow(tx); err != nil {
		return err
	}
	if err := eachAddition(c.also, tx, (*addition).apply); err != nil {
		return err
	}
	return c.putKey(tx)
}

// enter puts a new execution among those that live or those that have ended.
func (h *header) enter(tx *bolt.Tx) error {
	if h.tail.Ended {
		return h.end(tx)
	}
	if err := putRaw(tx, bucketLive, placeKey(h.place), []byte(h.workflow)); err != nil {
		return err
	}
	return count(tx, metaLive, 1)
}

// end puts an execution among those that are to move into the history.
func (h *header) end(tx *bolt.Tx) error {
	key, err := h.endedKey()
	if err != nil {
		return err
	}
	return putRaw(tx, bucketEnded, key, nil)
}

// index writes the entries that depend on the status.
func (h *header) index(tx *bolt.Tx) error {
	if err := putRaw(tx, bucketByStatus, statusKey(h.status, h.place), []byte(h.trigger)); err != nil {
		return err
	}
	return putRaw(tx, bucketByWorkflow, workflowKey(h.workflow, h.status, h.place), []byte(h.trigger))
}

// unindex removes them.
func (h *header) unindex(tx *bolt.Tx) error {
	if err := remove(tx, bucketByStatus, statusKey(h.status, h.place)); err != nil {
		return err
	}
	return remove(tx, bucketByWorkflow, workflowKey(h.workflow, h.status, h.place))
}

func (c *creation) countWorkflow(tx *bolt.Tx) error {
	w, err := readWorkflow(tx, c.header.workflow)
	if errors.Is(err, engine.ErrNotFound) {
		return nil // It runs a definition that is not kept.
	}
	if err != nil {
		return err
	}
	w.counted(c.header.place, c.given.Execution.CreatedAt, c.header.status)
	return put(tx, bucketWorkflows, []byte(c.header.workflow), w.encode())
}

// putKey keeps the idempotency key, and clears away some that no longer
// count.
func (c *creation) putKey(tx *bolt.Tx) error {
	if c.key == nil {
		return nil
	}
	if err := removeKey(tx, c.key); err != nil {
		return err
	}
	oldest := timeKey(c.now.Add(-keyLife).UnixMicro())
	cursor := tx.Bucket([]byte(bucketKeysByTime)).Cursor()
	var old [][]byte
	for key, _ := cursor.First(); key != nil && len(old) < keySweep && bytes.Compare(key[:min(8, len(key))], oldest) <= 0; key, _ = cursor.Next() {
		old = append(old, bytes.Clone(key))
	}
	for _, key := range old {
		if err := removeKey(tx, key[8:]); err != nil {
			return err
		}
	}
	raw, err := json.Marshal(idempotency{c.header.place.ID, c.fingerprint, c.now})
	if err != nil {
		return fmt.Errorf("encode an idempotency key: %w", err)
	}
	if err := put(tx, bucketKeys, c.key, raw); err != nil {
		return err
	}
	return putRaw(tx, bucketKeysByTime, append(timeKey(c.now.UnixMicro()), c.key...), nil)
}

// removeKey removes an idempotency key, if it is there.
func removeKey(tx *bolt.Tx, key []byte) error {
	kept, known, err := readKey(tx, key)
	if err != nil || !known {
		return err
	}
	if err := remove(tx, bucketKeys, key); err != nil {
		return err
	}
	return remove(tx, bucketKeysByTime, append(timeKey(kept.CreatedAt.UnixMicro()), key...))
}

// addition is an Append on its way to the writer.
type addition struct {
	store    *Store
	commit   *engine.Commit
	progress []byte
	events   []encodedEvent
	steps    []encodedEvent
	items    []encodedEvent
	blobs    []blobSum

	before header
	after  header
}

// Append implements engine.Journal.
func (s *Store) Append(ctx context.Context, commit engine.Commit) error {
	size := 0
	commits := append([]engine.Commit{commit}, commit.Also...)
	all, err := s.additions(commits, &size)
	if err != nil {
		return err
	}
	if err := s.amend(ctx, &command{
		size: size, patient: true,
		check: func(tx *bolt.Tx) error { return eachAddition(all, tx, (*addition).check) },
		apply: func(tx *bolt.Tx) error { return eachAddition(all, tx, (*addition).apply) },
	}, func() []string { return idsOf(commits) }); err != nil {
		return err
	}
	for _, a := range all {
		s.recent.named(a.blobs)
	}
	return nil
}

func eachAddition(all []*addition, tx *bolt.Tx, do func(*addition, *bolt.Tx) error) error {
	for _, a := range all {
		if err := do(a, tx); err != nil {
			return err
		}
	}
	return nil
}

// additions encodes commits, so that the writer does not have to, and adds
// what they take to size.
func (s *Store) additions(commits []engine.Commit, size *int) ([]*addition, error) {
	all := make([]*addition, len(commits))
	for i := range commits {
		if err := record.CheckCommit(&commits[i]); err != nil {
			return nil, err
		}
		a, taken, err := s.addition(&commits[i])
		if err != nil {
			return nil, err
		}
		all[i] = a
		*size += taken
	}
	return all, nil
}

func (s *Store) addition(commit *engine.Commit) (*addition, int, error) {
	a := &addition{store: s, commit: commit}
	id := commit.Execution.ID
	size := 0
	var err error
	if a.events, size, err = encodeEvents(id, commit.Events); err != nil {
		return nil, 0, err
	}
	for i := range commit.Steps {
		raw, err := json.Marshal(commit.Steps[i])
		if err != nil {
			return nil, 0, fmt.Errorf("encode step %q: %w", commit.Steps[i].StepID, err)
		}
		key := stepKey(id, commit.Steps[i].StepID)
		a.steps = append(a.steps, encodedEvent{key, record.Seal(key, raw)})
		size += len(key) + len(raw)
	}
	for i := range commit.Items {
		raw, err := json.Marshal(commit.Items[i].Item)
		if err != nil {
			return nil, 0, fmt.Errorf("encode an item of step %q: %w", commit.Items[i].StepID, err)
		}
		key := itemKey(id, commit.Items[i].StepID, commit.Items[i].Item.Index)
		a.items = append(a.items, encodedEvent{key, record.Seal(key, raw)})
		size += len(key) + len(raw)
	}
	if a.progress, err = encodeProgress(&commit.Execution); err != nil {
		return nil, 0, err
	}
	a.blobs = append(append(blobsOf(a.events), blobsOf(a.steps)...), blobsOf(a.items)...)
	return a, size + len(a.progress) + 256, nil
}

func (a *addition) check(tx *bolt.Tx) error {
	id := a.commit.Execution.ID
	raw, err := get(tx, bucketExecutions, []byte(id))
	if err != nil {
		return err
	}
	if raw == nil {
		moved, err := a.store.readAnywhere(tx, id)
		if err != nil {
			return err
		}
		if _, err := moved.header.tail.Follow(id, a.store.meta.BootEpoch, a.commit.Events); err != nil {
			return err
		}
		return errMoved
	}
	if a.before, err = decodeHeader(id, raw); err != nil {
		return err
	}
	a.after = a.before
	if a.after.tail, err = a.before.tail.Follow(id, a.store.meta.BootEpoch, a.commit.Events); err != nil {
		return err
	}
	a.after.status, a.after.progress = a.commit.Execution.Status, a.progress
	return a.after.tail.CheckEnd(&a.commit.Execution)
}

func (a *addition) apply(tx *bolt.Tx) error {
	if err := errors.Join(putEvents(tx, a.events), putBlobs(tx, a.blobs, a.after.place.ID)); err != nil {
		return err
	}
	for _, step := range a.steps {
		if err := putRaw(tx, bucketSteps, step.key, step.sealed); err != nil {
			return err
		}
	}
	for _, item := range a.items {
		if err := putRaw(tx, bucketSteps, item.key, item.sealed); err != nil {
			return err
		}
	}
	if err := put(tx, bucketExecutions, []byte(a.after.place.ID), a.after.encode()); err != nil {
		return err
	}
	if a.before.status == a.after.status {
		return nil
	}
	if err := a.before.unindex(tx); err != nil {
		return err
	}
	if err := a.after.index(tx); err != nil {
		return err
	}
	if a.after.tail.Ended && !a.before.tail.Ended {
		if err := remove(tx, bucketLive, placeKey(a.after.place)); err != nil {
			return err
		}
		if err := errors.Join(count(tx, metaLive, -1), a.after.end(tx)); err != nil {
			return err
		}
	}
	return restatus(tx, &a.after, a.after.status)
}
