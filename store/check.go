package store

import (
	"bytes"
	"context"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/pages"
	"github.com/vwmp/vwmp/store/internal/record"
)

// Check implements data.System. It holds one read transaction of state.db from
// begin to end, and one of each month in turn: it and a backup are the only
// long readers.
func (s *Store) Check(ctx context.Context) (data.Report, error) {
	// What is deleted meanwhile stays until the end.
	defer s.pin()()
	c := &checker{
		ctx: ctx, store: s, report: &data.Report{}, suspects: map[string]string{},
		executions: map[string]int{}, documents: map[string]uint64{},
	}
	err := c.file(s.db, s.file, func(tx *bolt.Tx) error {
		c.hot = tx
		return c.run()
	})
	if err != nil {
		return *c.report, closedError(err)
	}
	for id, problem := range c.suspects {
		// Logs are no part of the snapshot: they may have gone meanwhile
		// with their execution.
		if err := s.known(ctx, id); err == nil {
			c.report.Problem(problem)
		}
	}
	return *c.report, nil
}

// file looks at every page of one file, and passes its records on where the
// pages are whole: reading on might not end.
func (c *checker) file(db *bolt.DB, file *os.File, records func(tx *bolt.Tx) error) error {
	for current := false; !current; {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if err := c.store.look(db, func(tx *bolt.Tx) error {
			info, err := file.Stat()
			if err != nil {
				return err
			}
			snapshot, found := pages.At(file, info.Size(), uint64(tx.ID())) //nolint:gosec // Not negative.
			if !found {
				return nil // Two commits came in between; its meta page is gone.
			}
			current = true
			before := len(c.report.Problems)
			count, err := pages.Walk(c.ctx, file, snapshot, c.report.Problem)
			c.report.Pages += count
			if err != nil || len(c.report.Problems) > before {
				return err
			}
			return records(tx)
		}); err != nil {
			return err
		}
	}
	return nil
}

// checker looks at every record of one snapshot of state.db, and of one of
// each month.
type checker struct {
	ctx    context.Context //nolint:containedctx // It lives for one call.
	store  *Store
	report *data.Report

	// hot is state.db, tx the file that is looked at.
	hot, tx *bolt.Tx
	live    int
	// suspects are executions with log lines that are missing or double.
	suspects map[string]string
	// executions counts by workflow, documents by their sum.
	executions map[string]int
	documents  map[string]uint64
}

func (c *checker) problem(format string, values ...any) {
	c.report.Problem(fmt.Sprintf(format, values...))
}

func (c *checker) run() error {
	c.tx = c.hot
	if err := c.steps(c.checkExecutions, c.checkIndexes, c.checkRest, c.checkKeys, c.checkRevisions, c.checkAudit); err != nil {
		return err
	}
	for _, m := range c.store.monthList() {
		c.report.Months++
		if err := c.file(m.db, m.file, func(tx *bolt.Tx) error {
			c.tx = tx
			return c.steps(c.checkExecutions, c.checkIndexes, c.checkRest)
		}); err != nil {
			return err
		}
	}
	c.tx = c.hot
	return c.steps(c.checkWorkflows, c.checkDocuments, c.checkCounts, c.checkFolders)
}

func (c *checker) steps(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// each passes all records of a bucket.
func (c *checker) each(from bucket, fn func(key, value []byte) error) error {
	cursor := c.tx.Bucket([]byte(from)).Cursor()
	for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if err := fn(key, value); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) checkExecutions() error {
	return c.each(bucketExecutions, func(key, _ []byte) error {
		id := string(key)
		if c.tx != c.hot && (has(c.hot, id) || deleted(c.hot, key)) {
			return nil // On its way into the history, or out of it.
		}
		c.report.Executions++
		raw, err := readExecution(c.tx, id)
		if err != nil {
			c.problem("execution %s: %v", id, err)
			return nil
		}
		execution, from, err := raw.parse()
		if err != nil {
			c.problem("execution %s: %v", id, err)
			return nil
		}
		h := &raw.header
		c.executions[h.workflow]++
		if len(from.Document) > 0 {
			c.documents[string(from.Document)]++
		}
		if execution.WorkflowID != h.workflow || execution.Trigger != h.trigger || execution.CreatedAt.UnixMicro() != h.place.Micros {
			c.problem("execution %s: its header and its origin differ", id)
		}
		c.checkIndexed(h)
		return c.checkEvents(h)
	})
}

// checkIndexed looks for the entries that a header must have.
func (c *checker) checkIndexed(h *header) {
	for _, in := range []bucket{bucketByTime, bucketByStatus, bucketByWorkflow} {
		trigger := c.tx.Bucket([]byte(in)).Get(h.keyIn(in))
		if trigger == nil || string(trigger) != h.trigger {
			c.problem("execution %s: bucket %s does not list it as it is", h.place.ID, in)
		}
	}
	ended, err := h.endedKey()
	if err != nil {
		c.problem("execution %s: %v", h.place.ID, err)
	}
	if listed := c.tx.Bucket([]byte(bucketEnded)).Get(ended) != nil; listed != h.tail.Ended {
		c.problem("execution %s is %s and its place among the ended ones is wrong", h.place.ID, h.status)
	}
	listed := c.hot.Bucket([]byte(bucketLive)).Get(placeKey(h.place)) != nil
	if listed == h.tail.Ended {
		c.problem("execution %s is %s and its place among the live ones is wrong", h.place.ID, h.status)
	}
	if !h.tail.Ended {
		c.live++
	}
}

// checkEvents looks for events that are damaged or missing, log lines
// included.
func (c *checker) checkEvents(h *header) error {
	id := h.place.ID
	seen := newNumbers(h.tail.Seq)
	var tail record.Tail
	var last plan.EventType
	start := prefix(id)
	cursor := c.tx.Bucket([]byte(bucketEvents)).Cursor()
	for key, value := cursor.Seek(start); bytes.HasPrefix(key, start); key, value = cursor.Next() {
		c.report.Events++
		event, err := row{key, value}.decode()
		if err != nil {
			c.problem("execution %s: %v", id, err)
			continue
		}
		tail.Seq, tail.Sub = event.Seq, event.Sub
		c.checkBlobs(id, value)
		if event.Sub == 0 {
			last = event.Type
			c.number(id, seen, event.Seq)
		}
	}
	if tail.Seq != h.tail.Seq || tail.Sub != h.tail.Sub {
		c.problem("execution %s ends at %d.%d and should at %d.%d", id, tail.Seq, tail.Sub, h.tail.Seq, h.tail.Sub)
	}
	if h.tail.Ended != (last == plan.WorkflowCompleted) {
		c.problem("execution %s is %s, and its last event is %q", id, h.status, last)
	}
	if err := c.checkLines(h, seen); err != nil {
		return err
	}
	if missing := seen.missing(); missing > 0 {
		c.suspects[id] = fmt.Sprintf("execution %s: event %d is missing", id, missing)
	}
	return nil
}

func (c *checker) number(id string, seen *numbers, seq uint64) {
	if !seen.add(seq) {
		c.suspects[id] = fmt.Sprintf("execution %s: event %d is double", id, seq)
	}
}

// checkLines counts the log lines before the last event in; those behind it
// may just be being written.
func (c *checker) checkLines(h *header, seen *numbers) error {
	const span = 4096
	for after := uint64(0); ; {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		lines, next, err := c.store.logs.Window(h.place.ID, "", after, after+span)
		if err != nil {
			c.problem("execution %s: %v", h.place.ID, err)
			return nil
		}
		if next == 0 || next > h.tail.Seq {
			return nil
		}
		for _, line := range lines {
			c.report.LogLines++
			if line.Seq <= h.tail.Seq {
				c.number(h.place.ID, seen, line.Seq)
			}
		}
		after = max(after+span, next-1)
	}
}

func (c *checker) checkWorkflows() error {
	return c.each(bucketWorkflows, func(key, _ []byte) error {
		c.report.Workflows++
		w, err := readWorkflow(c.tx, string(key))
		if err != nil {
			c.problem("workflow %s: %v", key, err)
			return nil
		}
		if counted := w.metadata.ExecutionCount - w.deleted; counted != c.executions[string(key)] {
			c.problem("workflow %s counts %d executions and has %d", key, counted, c.executions[string(key)])
		}
		for revision := 1; revision <= w.metadata.Revision; revision++ {
			if c.tx.Bucket([]byte(bucketRevisions)).Get(revisionKey(string(key), revision)) == nil {
				c.problem("workflow %s: revision %d is missing", key, revision)
			}
		}
		if newest, err := c.store.readAnywhere(c.tx, w.last.ID); err == nil && newest.header.status != *w.metadata.LastStatus {
			c.problem("workflow %s shows its last execution as %s, which is %s", key, *w.metadata.LastStatus, newest.header.status)
		}
		return nil
	})
}

func (c *checker) checkRevisions() error {
	return c.each(bucketRevisions, func(key, value []byte) error {
		info, text, err := readRevision(key, value)
		if err == nil && !info.SameText && textChecksum(text) != info.Checksum {
			err = record.ErrDamaged
		}
		if err != nil {
			c.problem("revision %q: %v", key, err)
			return nil
		}
		if c.tx.Bucket([]byte(bucketWorkflows)).Get([]byte(info.WorkflowID)) == nil {
			c.problem("revision %d of workflow %s is left over", info.Revision, info.WorkflowID)
		}
		if len(info.Document) > 0 {
			c.documents[string(info.Document)]++
		}
		return nil
	})
}

func (c *checker) checkDocuments() error {
	err := c.each(bucketDefinitions, func(key, sealed []byte) error {
		content, err := record.Open(key, sealed)
		if err == nil && !bytes.Equal(documentOf(content).sum, key) {
			err = record.ErrDamaged
		}
		if err != nil {
			c.problem("definition %x: %v", key, err)
		}
		if references := numberOf(c.tx.Bucket([]byte(bucketReferences)).Get(key)); references != c.documents[string(key)] || references == 0 {
			c.problem("definition %x counts %d references and has %d", key, references, c.documents[string(key)])
		}
		delete(c.documents, string(key))
		return nil
	})
	for sum := range c.documents {
		c.problem("definition %x is missing", sum)
	}
	return err
}

func (c *checker) checkCounts() error {
	meta := c.tx.Bucket([]byte(bucketMeta))
	for name, want := range map[string]int{
		metaWorkflows: c.report.Workflows, metaExecutions: c.report.Executions, metaLive: c.live,
	} {
		if got := numberOf(meta.Get([]byte(name))); got != uint64(want) { //nolint:gosec // Not negative.
			c.problem("there are %d %s, and %d are counted", want, name, got)
		}
	}
	return nil
}

// numbers remembers which of 1 to last were seen.
type numbers struct {
	last uint64
	bits []uint64
}

func newNumbers(last uint64) *numbers {
	const most = 1 << 32
	return &numbers{last: last, bits: make([]uint64, min(last, most)/64+1)}
}

// add is false for one that was seen before or is out of bounds.
func (n *numbers) add(seq uint64) bool {
	if seq == 0 || seq > n.last || seq/64 >= uint64(len(n.bits)) || n.bits[seq/64]&(1<<(seq%64)) != 0 {
		return false
	}
	n.bits[seq/64] |= 1 << (seq % 64)
	return true
}

// missing is the lowest that was not seen, 0 where there is none.
func (n *numbers) missing() uint64 {
	for seq := uint64(1); seq <= n.last && seq/64 < uint64(len(n.bits)); seq++ {
		if n.bits[seq/64]&(1<<(seq%64)) == 0 {
			return seq
		}
	}
	return 0
}
