package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

// auditHead is the number and the hash of the last record of the trail.
type auditHead struct {
	seq  uint64
	hash string
}

func readAuditHead(tx *bolt.Tx) auditHead {
	raw := tx.Bucket([]byte(bucketMeta)).Get([]byte(metaAuditHead))
	if len(raw) < 8 {
		return auditHead{}
	}
	return auditHead{numberOf(raw[:8]), string(raw[8:])}
}

// AppendAudit implements data.Audit.
func (s *Store) AppendAudit(ctx context.Context, given data.AuditRecord) error {
	given.Time = s.now()
	return s.submit(ctx, &command{
		size:  1024,
		check: func(*bolt.Tx) error { return nil },
		apply: func(tx *bolt.Tx) error {
			head, next := readAuditHead(tx), given
			if err := next.Chain(head.seq, head.hash); err != nil {
				return err
			}
			raw, err := json.Marshal(next)
			if err != nil {
				return fmt.Errorf("encode an audit record: %w", err)
			}
			if err := put(tx, bucketAudit, number(next.Seq), raw); err != nil {
				return err
			}
			return putRaw(tx, bucketMeta, []byte(metaAuditHead), append(number(next.Seq), next.Hash...))
		},
	})
}

// AuditRecords implements data.Audit.
func (s *Store) AuditRecords(ctx context.Context, filter data.AuditFilter) (page []data.AuditRecord, next uint64, err error) {
	page = []data.AuditRecord{}
	limit := data.PageLimit(filter.Limit)
	after, done := filter.After, false
	for !done && next == 0 {
		err = s.view(ctx, func(tx *bolt.Tx) error {
			cursor := tx.Bucket([]byte(bucketAudit)).Cursor()
			key, value := auditFrom(cursor, after, filter.OldestFirst)
			for range rowsPerView {
				if key == nil {
					done = true
					return nil
				}
				r, err := decodeAudit(key, value)
				if err != nil {
					return err
				}
				if filter.Match(&r) {
					if len(page) == limit {
						next = page[limit-1].Seq
						return nil
					}
					page = append(page, r)
				}
				after = r.Seq
				if filter.OldestFirst {
					key, value = cursor.Next()
				} else {
					key, value = cursor.Prev()
				}
			}
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	return page, next, nil
}

// auditFrom moves a cursor to the record behind one number, in either order.
func auditFrom(cursor *bolt.Cursor, after uint64, oldestFirst bool) (key, value []byte) {
	switch {
	case oldestFirst:
		return cursor.Seek(number(after + 1))
	case after == 0:
		return cursor.Last()
	}
	if key, _ = cursor.Seek(number(after)); key == nil {
		return cursor.Last()
	}
	return cursor.Prev()
}

func decodeAudit(key, sealed []byte) (r data.AuditRecord, err error) {
	raw, err := record.Open(key, sealed)
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	if err != nil {
		return r, fmt.Errorf("read audit record %d: %w", numberOf(key), err)
	}
	return r, nil
}

// checkAudit follows the chain of the audit trail from its first record to
// its head.
func (c *checker) checkAudit() error {
	var last auditHead
	if err := c.each(bucketAudit, func(key, sealed []byte) error {
		r, err := decodeAudit(key, sealed)
		if err != nil {
			c.problem("%v", err)
			return nil
		}
		if err := r.Follows(last.seq, last.hash); err != nil {
			c.problem("%v", err)
		}
		if !bytes.Equal(key, number(r.Seq)) {
			c.problem("audit record %d is kept as %d", r.Seq, numberOf(key))
		}
		last = auditHead{r.Seq, r.Hash}
		c.report.Audit++
		return nil
	}); err != nil {
		return err
	}
	if head := readAuditHead(c.tx); head != last {
		c.problem("%v: its last record is %d, and %d was written", data.ErrChain, last.seq, head.seq)
	}
	return nil
}
