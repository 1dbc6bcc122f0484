package store

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/store/data"
)

func TestAccountsAndTheAuditTrailOutliveTheStore(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := open(t, Options{})
	_, err := s.CreateUser(ctx, data.User{Name: "ann", Role: "admin"})
	need(t, err)
	need(t, s.AppendAudit(ctx, data.AuditRecord{Who: "ann", Action: "user.create", Result: data.AuditDone}))
	s = reopen(t, s, Options{})
	need(t, s.AppendAudit(ctx, data.AuditRecord{Who: "ann", Action: "user.delete", Result: data.AuditDone}))
	if user, err := s.User(ctx, "ann"); err != nil || user.Role != "admin" {
		t.Errorf("user is %+v, %v", user, err)
	}
	records, _, err := s.AuditRecords(ctx, data.AuditFilter{})
	if err != nil || len(records) != 2 || records[0].Prev != records[1].Hash {
		t.Errorf("records are %+v, %v", records, err)
	}
}

func TestAChangedAuditTrailIsFound(t *testing.T) {
	t.Parallel()
	rewrite := func(tx *bolt.Tx, seq uint64, change func(r *data.AuditRecord)) error {
		r, err := decodeAudit(number(seq), tx.Bucket([]byte(bucketAudit)).Get(number(seq)))
		if err != nil {
			return err
		}
		change(&r)
		raw, err := json.Marshal(r)
		if err != nil {
			return err
		}
		return put(tx, bucketAudit, number(seq), raw)
	}
	for name, c := range map[string]struct {
		damage func(tx *bolt.Tx) error
		want   string
	}{
		"a changed record": {func(tx *bolt.Tx) error {
			return rewrite(tx, 2, func(r *data.AuditRecord) { r.Who = "eve" })
		}, "record 2 is not as it was written"},
		"a changed record with a new hash": {func(tx *bolt.Tx) error {
			return rewrite(tx, 2, func(r *data.AuditRecord) {
				r.Who = "eve"
				if err := r.Chain(1, r.Prev); err != nil {
					panic(err)
				}
			})
		}, "record 3 does not follow the one before it"},
		"a missing record":        {func(tx *bolt.Tx) error { return remove(tx, bucketAudit, number(2)) }, "record 3 stands where 2 belongs"},
		"a missing last record":   {func(tx *bolt.Tx) error { return remove(tx, bucketAudit, number(3)) }, "its last record is 2, and 3 was written"},
		"an unreadable record":    {func(tx *bolt.Tx) error { return putRaw(tx, bucketAudit, number(2), []byte("x")) }, "read audit record 2"},
		"a trail that is missing": {func(tx *bolt.Tx) error { return emptyBucket(tx, bucketAudit) }, "its last record is 0, and 3 was written"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			s, err := Open(ctx, Options{Dir: t.TempDir()})
			need(t, err)
			t.Cleanup(func() { need(t, s.Close()) })
			for range 3 {
				need(t, s.AppendAudit(ctx, data.AuditRecord{Who: "ann", Action: "workflow.update", Result: data.AuditDone}))
			}
			need(t, s.db.Update(c.damage))
			report, err := s.Check(ctx)
			need(t, err)
			if text := strings.Join(report.Problems, "; "); !strings.Contains(text, c.want) {
				t.Errorf("found %q, want %q", text, c.want)
			}
		})
	}
}

func emptyBucket(tx *bolt.Tx, name bucket) error {
	if err := tx.DeleteBucket([]byte(name)); err != nil {
		return err
	}
	_, err := tx.CreateBucket([]byte(name))
	return err
}
