// Package data holds the values that a store keeps for a host, and the small
// interfaces by which a host reaches them.
//
// It is for hosts, stores and their tests. It keeps nothing itself, and links
// no database: package store keeps on disk, package memory for a process.
package data

import (
	"errors"
	"fmt"

	"github.com/vwmp/vwmp/engine/workflow"
)

// Errors that callers act on, beside those of package engine; both are
// wrapped with the particulars.
var (
	// ErrInvalid: an id, a filter, a cursor or a record that no store takes.
	ErrInvalid = errors.New("invalid")
	// ErrRevisionMismatch: the workflow has another revision than expected.
	ErrRevisionMismatch = errors.New("the workflow was changed meanwhile")
	// ErrClosed: the store was closed, or can't go on after an I/O error.
	ErrClosed = errors.New("the store is closed")
	// ErrFenced: an append that does not follow what is kept, because of its
	// number, its boot epoch, or an execution that has ended.
	ErrFenced = errors.New("the append does not follow the journal")
)

// RevisionMismatchError is an ErrRevisionMismatch that knows the revision.
type RevisionMismatchError struct {
	WorkflowID string
	// Expected is what the caller had seen, Current what is kept.
	Expected, Current int
}

// Error names both revisions.
func (e *RevisionMismatchError) Error() string {
	return fmt.Sprintf("workflow %s has revision %d, not %d: %v", e.WorkflowID, e.Current, e.Expected, ErrRevisionMismatch)
}

// Is makes the error an ErrRevisionMismatch.
func (e *RevisionMismatchError) Is(target error) bool { return target == ErrRevisionMismatch }

// CheckID refuses an id that can't be part of a key or of a file's name; what
// names the kind of thing. Its error is an ErrInvalid.
func CheckID(what, id string) error {
	if workflow.ValidID(id) {
		return nil
	}
	return fmt.Errorf("%w %s id %q", ErrInvalid, what, clip(id))
}

// clip keeps hostile input out of logs at full length.
func clip(text string) string {
	const most = 80
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// MaxText and MaxKey bound, in bytes, a workflow's text and an idempotency
// key or another key that a caller chooses.
const (
	MaxText = 4 << 20
	MaxKey  = 1 << 10
)

// CheckKey refuses a key that is empty or too long; what names the kind of
// key. Its error is an ErrInvalid and does not repeat the key.
func CheckKey(what, key string) error {
	if key == "" || len(key) > MaxKey {
		return fmt.Errorf("%w %s: it has %d bytes, not 1 to %d", ErrInvalid, what, len(key), MaxKey)
	}
	return nil
}
