package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/folder"
	"github.com/vwmp/vwmp/store/internal/logfile"
	"github.com/vwmp/vwmp/store/internal/pages"
	"github.com/vwmp/vwmp/store/internal/record"
)

// Salvaged says what was still good in a damaged data folder.
type Salvaged struct {
	Workflows  int `json:"workflows"`
	Executions int `json:"executions"`
	Events     int `json:"events"`
	// Broken are executions whose last events, or more, are lost.
	Broken int `json:"broken"`
	// Damaged are pages that could not be read.
	Damaged int `json:"damaged"`
}

// salvageRows is how many records one transaction of a salvage takes.
const salvageRows = 2000

// Salvage makes a new data folder of every record in a damaged one that is as
// it was written: it looks at each page by itself, whether a tree reaches it
// or not, so that deleted executions may come back. The damaged folder is not
// changed. The new one must be absent or empty; logs and outputs are copied
// into it. Secrets, sessions and idempotency keys are not.
func Salvage(ctx context.Context, dir, into string) (found Salvaged, err error) {
	if entries, err := os.ReadDir(into); err == nil && len(entries) > 0 {
		return found, fmt.Errorf("salvage into %s: %w; name a folder that is empty or not there yet", into, ErrNotEmpty)
	}
	held, err := folder.OpenExisting(dir)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	names := []string{databaseName}
	entries, err := fs.ReadDir(held.Root().FS(), historyDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return found, fmt.Errorf("list the history: %w", err)
	}
	for _, entry := range entries {
		if monthFile.MatchString(entry.Name()) {
			names = append(names, historyDir+"/"+entry.Name())
		}
	}
	to, err := Open(ctx, Options{Dir: into})
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	r := &rescue{ctx: ctx, to: to, found: &found}
	for _, name := range names {
		if err := r.read(held.Root(), name); err != nil {
			return found, err
		}
	}
	if err := r.assemble(); err != nil {
		return found, err
	}
	for _, tree := range []string{logfile.Dir, blobsDir} {
		if err := copyTree(ctx, held.Root(), to.folder.Root(), tree); err != nil {
			return found, err
		}
	}
	return found, nil
}

// rescue copies records into a new store.
type rescue struct {
	ctx   context.Context //nolint:containedctx // It lives for one call.
	to    *Store
	found *Salvaged
	rows  []copiedRow
}

// read looks at every page of one file.
func (r *rescue) read(root *os.Root, name string) (err error) {
	file, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("read the size of %s: %w", name, err)
	}
	damaged, err := pages.Records(r.ctx, file, info.Size(), r.take)
	r.found.Damaged += damaged
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return r.flush()
}

// take sorts a record by what it is: only one that is as it was written, under
// its own key, fits anywhere.
func (r *rescue) take(key, value []byte) error {
	if to := kindOf(key, value); to != "" {
		r.rows = append(r.rows, copiedRow{to, bytes.Clone(key), bytes.Clone(value)})
		if len(r.rows) >= salvageRows {
			return r.flush()
		}
	}
	return nil
}

// flush writes what was collected. Of versions of one record the latest stays.
func (r *rescue) flush() error {
	rows := r.rows
	r.rows = nil
	return r.to.migrateStep(func(tx *bolt.Tx) error {
		for _, row := range rows {
			if kept := tx.Bucket([]byte(row.to)).Get(row.key); kept != nil && !later(row, kept) {
				continue
			}
			if err := putRaw(tx, row.to, row.key, row.value); err != nil {
				return err
			}
		}
		return nil
	})
}

// assemble makes executions and workflows of what was copied.
func (r *rescue) assemble() error {
	ids, err := r.executions()
	if err != nil {
		return err
	}
	for len(ids) > 0 {
		some := ids[:min(len(ids), batchIDs)]
		ids = ids[len(some):]
		if err := r.to.migrateStep(func(tx *bolt.Tx) error {
			for _, id := range some {
				if err := r.execution(tx, id); err != nil {
					return fmt.Errorf("put execution %s together: %w", id, err)
				}
			}
			return r.ctx.Err()
		}); err != nil {
			return err
		}
	}
	return r.to.migrateStep(r.settle)
}

// executions lists whose events were copied, and drops records without any.
func (r *rescue) executions() (ids []string, err error) {
	before := ""
	if err := r.to.pages(r.ctx, bucketEvents, nil, func(key, _ []byte) error {
		r.found.Events++
		if id, _, _ := bytes.Cut(key, []byte{0}); string(id) != before {
			before = string(id)
			ids = append(ids, before)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	known := func(key []byte) bool {
		id, _, _ := bytes.Cut(key, []byte{0})
		_, found := slices.BinarySearch(ids, string(id))
		return found
	}
	for _, from := range []bucket{bucketExecutions, bucketOrigins, bucketSteps} {
		var orphans [][]byte
		if err := r.to.pages(r.ctx, from, nil, func(key, _ []byte) error {
			if !known(key) {
				orphans = append(orphans, bytes.Clone(key))
			}
			return nil
		}); err != nil {
			return nil, err
		}
		if err := r.to.migrateStep(func(tx *bolt.Tx) error {
			for _, key := range orphans {
				if err := remove(tx, from, key); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	r.found.Executions = len(ids)
	return ids, nil
}

// execution writes header, origin and indexes so that they fit the events that
// are there.
func (r *rescue) execution(tx *bolt.Tx, id string) error {
	var first, last plan.Event
	var tail record.Tail
	var sums []blobSum
	start := prefix(id)
	cursor := tx.Bucket([]byte(bucketEvents)).Cursor()
	for key, value := cursor.Seek(start); bytes.HasPrefix(key, start); key, value = cursor.Next() {
		event, err := row{key, value}.decode()
		if err != nil {
			return err
		}
		if first.Type == "" {
			first = event
		}
		if event.Type == plan.WorkflowCompleted {
			last = event
		}
		tail.Seq, tail.Sub = event.Seq, event.Sub
		sums = append(sums, namedBlobs(value)...)
	}
	tail.Ended = last.Type != ""
	if err := dropItems(tx, id); err != nil {
		return err
	}
	from, err := r.origin(tx, id, &first)
	if err != nil {
		return err
	}
	h, err := r.header(tx, id, tail, from, &last)
	if err != nil {
		return err
	}
	_, named := someRows(tx, bucketSteps, prefix(id), math.MaxInt)
	return errors.Join(
		put(tx, bucketExecutions, []byte(id), h.encode()), putRaw(tx, bucketByTime, placeKey(h.place), []byte(h.trigger)),
		h.index(tx), h.enter(tx), putBlobs(tx, append(sums, named...), id), count(tx, metaExecutions, 1),
		retainSum(tx, from.Document),
	)
}

// origin is what was copied, or what the first event tells.
func (r *rescue) origin(tx *bolt.Tx, id string, first *plan.Event) (from origin, err error) {
	raw, err := get(tx, bucketOrigins, []byte(id))
	if err != nil {
		return from, err
	}
	if raw == nil || json.Unmarshal(raw, &from) != nil {
		from = origin{WorkflowID: first.WorkflowID, WorkflowName: first.WorkflowName, Trigger: engine.TriggerManual, CreatedAt: first.Time.UTC(), By: first.By}
	}
	if tx.Bucket([]byte(bucketDefinitions)).Get(from.Document) == nil {
		from.Document = nil
	}
	from.Key = nil // Idempotency keys are not copied.
	if raw, err = json.Marshal(from); err != nil {
		return from, err
	}
	return from, put(tx, bucketOrigins, []byte(id), raw)
}

// header is what was copied where it fits the last event; otherwise the
// execution is paused and says why.
func (r *rescue) header(tx *bolt.Tx, id string, tail record.Tail, from origin, last *plan.Event) (header, error) {
	h, err := readHeader(tx, id)
	if err == nil && h.tail == tail && h.workflow == from.WorkflowID && h.trigger == from.Trigger && h.place.Micros == from.CreatedAt.UnixMicro() {
		return h, nil
	}
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return h, err
	}
	e := engine.Execution{ID: id, Status: plan.StatusPaused, StatusReason: "its last events were lost with a damaged store"}
	if tail.Ended {
		e.StatusReason, e.CompletedAt = "", last.Time
		if e.Status = plan.Status(last.Status); !e.Status.Ended() {
			e.Status = plan.StatusFailed
		}
	} else {
		r.found.Broken++
	}
	h = header{tail: tail, place: data.PositionOf(from.CreatedAt, id), status: e.Status, workflow: from.WorkflowID, trigger: from.Trigger}
	h.progress, err = encodeProgress(&e)
	return h, err
}

// retainSum counts one more reference to a definition that is there.
func retainSum(tx *bolt.Tx, sum []byte) error {
	if len(sum) == 0 {
		return nil
	}
	references := numberOf(tx.Bucket([]byte(bucketReferences)).Get(sum))
	return putRaw(tx, bucketReferences, sum, number(references+1))
}

// settle counts workflows and their executions, and drops definitions that
// nothing names.
func (r *rescue) settle(tx *bolt.Tx) error {
	if err := r.revisions(tx); err != nil {
		return err
	}
	var ids, unnamed [][]byte
	if err := tx.Bucket([]byte(bucketWorkflows)).ForEach(func(key, _ []byte) error {
		ids = append(ids, bytes.Clone(key))
		return nil
	}); err != nil {
		return err
	}
	for _, id := range ids {
		w, err := readWorkflow(tx, string(id))
		if err != nil {
			return err
		}
		w.metadata.ExecutionCount, w.deleted, w.last = 0, 0, data.Position{}
		w.metadata.LastExecuted, w.metadata.LastStatus = nil, nil
		if err := r.to.countEarlier(tx, &w); err != nil {
			return err
		}
		if err := errors.Join(put(tx, bucketWorkflows, id, w.encode()), count(tx, metaWorkflows, 1)); err != nil {
			return err
		}
		r.found.Workflows++
	}
	if err := tx.Bucket([]byte(bucketDefinitions)).ForEach(func(key, _ []byte) error {
		if tx.Bucket([]byte(bucketReferences)).Get(key) == nil {
			unnamed = append(unnamed, bytes.Clone(key))
		}
		return nil
	}); err != nil {
		return err
	}
	for _, key := range unnamed {
		if err := remove(tx, bucketDefinitions, key); err != nil {
			return err
		}
	}
	return nil
}

// revisions counts which definitions revisions name, and drops those of no
// workflow.
func (r *rescue) revisions(tx *bolt.Tx) error {
	var drop, sums [][]byte
	if err := tx.Bucket([]byte(bucketRevisions)).ForEach(func(key, value []byte) error {
		info, _, err := readRevision(key, value)
		if err != nil {
			return err
		}
		if tx.Bucket([]byte(bucketWorkflows)).Get([]byte(info.WorkflowID)) == nil ||
			len(info.Document) > 0 && tx.Bucket([]byte(bucketDefinitions)).Get(info.Document) == nil {
			drop = append(drop, bytes.Clone(key))
			return nil
		}
		sums = append(sums, info.Document)
		return nil
	}); err != nil {
		return err
	}
	for _, key := range drop {
		if err := remove(tx, bucketRevisions, key); err != nil {
			return err
		}
	}
	for _, sum := range sums {
		if err := retainSum(tx, sum); err != nil {
			return err
		}
	}
	return nil
}

// copyTree copies the files of a folder from one data folder to another.
func copyTree(ctx context.Context, from, to *os.Root, dir string) error {
	return fs.WalkDir(from.FS(), dir, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case entry.IsDir():
			return to.MkdirAll(name, 0o700)
		case !entry.Type().IsRegular():
			return nil
		}
		return copyFile(from, to, name)
	})
}

func copyFile(from, to *os.Root, name string) (err error) {
	source, err := from.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := to.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = target.ReadFrom(source)
	if err == nil {
		err = target.Sync()
	}
	return errors.Join(err, target.Close())
}
