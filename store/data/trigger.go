package data

import "context"

// MaxTriggerRecord bounds what is kept of one trigger, in bytes.
const MaxTriggerRecord = 256 << 10

// Triggers keeps what a trigger must remember, each under the trigger's id; a
// record is JSON that only its writer reads.
type Triggers interface {
	TriggerRecords(ctx context.Context) (map[string][]byte, error)
	// PutTriggerRecord is an ErrInvalid for a record that is too large.
	PutTriggerRecord(ctx context.Context, id string, record []byte) error
	// DeleteTriggerRecord is nil for one that is gone.
	DeleteTriggerRecord(ctx context.Context, id string) error
}
