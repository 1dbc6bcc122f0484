package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrChain: a record of the audit trail was changed, or is missing.
var ErrChain = errors.New("the audit trail was changed")

// AuditRecord is one thing that somebody did, or was refused. It never holds
// a secret.
type AuditRecord struct {
	// Seq counts from 1 without a gap.
	Seq  uint64    `json:"seq"`
	Time time.Time `json:"time"`
	// Who is the account, empty for one who was not let in; Role and Way say
	// what it was then and how it was let in.
	Who  string `json:"who"`
	Role string `json:"role,omitempty"`
	Way  string `json:"way,omitempty"`
	// Action is a word such as workflow.update, Object what it was about,
	// such as workflows/ID.
	Action string `json:"action"`
	Object string `json:"object,omitempty"`
	// Address is where it came from.
	Address   string `json:"address,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	// Result is done, refused or failed; Status is that of the answer.
	Result string `json:"result"`
	Status int    `json:"status,omitempty"`
	// Detail says more, for a person.
	Detail string `json:"detail,omitempty"`
	// Prev is the hash of the record before, Hash that of this one: SHA-256,
	// in hexadecimal.
	Prev string `json:"prev"`
	Hash string `json:"hash"`
}

// The results of an AuditRecord.
const (
	AuditDone    = "done"
	AuditRefused = "refused"
	AuditFailed  = "failed"
)

// maxAuditText bounds each text of a record, in bytes.
const maxAuditText = 512

// Chain makes the record the one that follows a sequence number and a hash.
func (r *AuditRecord) Chain(seq uint64, prev string) error {
	for _, text := range []*string{&r.Who, &r.Action, &r.Object, &r.Address, &r.RequestID, &r.Detail} {
		*text = (*text)[:min(len(*text), maxAuditText)]
	}
	r.Seq, r.Prev = seq+1, prev
	hash, err := r.sum()
	r.Hash = hash
	return err
}

func (r *AuditRecord) sum() (string, error) {
	bare := *r
	bare.Hash = ""
	text, err := json.Marshal(bare)
	if err != nil {
		return "", fmt.Errorf("encode an audit record: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Follows is an ErrChain where the record is not what was written after a
// sequence number and a hash.
func (r *AuditRecord) Follows(seq uint64, prev string) error {
	hash, err := r.sum()
	switch {
	case err != nil:
		return err
	case r.Seq != seq+1:
		return fmt.Errorf("%w: record %d stands where %d belongs", ErrChain, r.Seq, seq+1)
	case r.Prev != prev:
		return fmt.Errorf("%w: record %d does not follow the one before it", ErrChain, r.Seq)
	case r.Hash != hash:
		return fmt.Errorf("%w: record %d is not as it was written", ErrChain, r.Seq)
	}
	return nil
}

// AuditFilter selects and pages the audit trail. Its zero value selects all,
// the newest first.
type AuditFilter struct {
	// Who and Action are matched whole, Object by how it begins.
	Who, Action, Object string
	// Result is one of the results above; empty for all.
	Result string
	// Since and Until bound the time: Since included, Until not.
	Since, Until time.Time
	// Limit is 1,000 where it is 0.
	Limit int
	// After is the Seq of the last record of the page before, 0 for the
	// first page.
	After uint64
	// OldestFirst turns the order round.
	OldestFirst bool
}

// Match reports whether a record passes the filter.
func (f *AuditFilter) Match(r *AuditRecord) bool {
	return (f.Who == "" || r.Who == f.Who) && (f.Action == "" || r.Action == f.Action) && (f.Result == "" || r.Result == f.Result) &&
		len(r.Object) >= len(f.Object) && r.Object[:len(f.Object)] == f.Object &&
		!r.Time.Before(f.Since) && (f.Until.IsZero() || r.Time.Before(f.Until))
}

// Audit keeps who did what. Nothing of it is ever changed or removed.
type Audit interface {
	// AppendAudit keeps a record as the next of the chain, at the time of
	// the store.
	AppendAudit(ctx context.Context, record AuditRecord) error
	// AuditRecords lists one page; next is 0 on the last one, else what
	// After must be for the following one.
	AuditRecords(ctx context.Context, filter AuditFilter) (page []AuditRecord, next uint64, err error)
}
