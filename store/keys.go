package store

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
)

// The buckets of state.db. Ids have no zero byte, so that one ends a part of
// a key. Numbers are big-endian, so that keys sort by them. "Sealed" is a
// CRC-32C of key and value before the value.
//
//	meta               name → number or text, see below
//	workflows          workflow → sealed metadata and counters (workflow_record.go)
//	revisions          workflow \0 revision(8) → size(4), sealed JSON, text
//	definitions        SHA-256 → sealed JSON document
//	definition_refs    SHA-256 → how many revisions and executions name it (8)
//	origins            execution → sealed JSON: what never changes of it
//	executions         execution → sealed header: what changes (execution_record.go)
//	events             execution \0 seq(8) sub(4) → sealed type and JSON; only ever added
//	steps              execution \0 step → sealed JSON result; execution \0 step \0 item(4) → that of an item
//	live               time(8) execution → workflow; those that have not ended
//	idx_time           time(8) execution → trigger
//	idx_status         status \0 time(8) execution → trigger
//	idx_workflow       workflow \0 status \0 time(8) execution → trigger
//	idempotency        workflow \0 SHA-256 of the key → sealed JSON
//	idx_idempotency    time(8) and a key of idempotency → nothing
//	idx_ended          time(8) of the end, execution → nothing; those that are not in the history yet
//	blob_refs          SHA-256 of an output, execution → nothing; whose events or steps name it
//	blob_sweep         time(8) SHA-256 of an output → nothing; that something deleted named
//	months             month of the history → size of its file
//	trash              execution → nothing, or "moved"; deleted or in the history, of which
//	                   events, steps and logs may be left
//	descriptions       SHA-256 of a plugin's binary in hex → sealed JSON
//	filekeys           identity of a file → sealed SHA-256 in hex
//	sessions           hash → sealed JSON
//	secrets            name → sealed JSON with the secret, encrypted
//	triggers           trigger → sealed JSON that only its writer reads
//	plugins            plugin → sealed JSON that only its writer reads
//	users              name → sealed JSON
//	tokens             id → sealed JSON with the hash of the token
//	audit              seq(8) → sealed JSON; only ever added, each with the hash of the one before
//	rights             workflow → sealed JSON; stays when the workflow is deleted
//
// A month's file of the history has the same buckets, as far as they are of
// ended executions; history.go says which.
//
// meta holds format, boot_epoch, clean, instance, created_at, the check of the
// key that secrets are encrypted with, and the numbers of workflows,
// executions and live executions, and the head of the audit trail: the number
// and the hash of its last record.
type bucket string

const (
	bucketMeta         bucket = "meta"
	bucketWorkflows    bucket = "workflows"
	bucketRevisions    bucket = "revisions"
	bucketDefinitions  bucket = "definitions"
	bucketReferences   bucket = "definition_refs"
	bucketOrigins      bucket = "origins"
	bucketExecutions   bucket = "executions"
	bucketEvents       bucket = "events"
	bucketSteps        bucket = "steps"
	bucketLive         bucket = "live"
	bucketByTime       bucket = "idx_time"
	bucketByStatus     bucket = "idx_status"
	bucketByWorkflow   bucket = "idx_workflow"
	bucketKeys         bucket = "idempotency"
	bucketKeysByTime   bucket = "idx_idempotency"
	bucketEnded        bucket = "idx_ended"
	bucketBlobs        bucket = "blob_refs"
	bucketSweep        bucket = "blob_sweep"
	bucketMonths       bucket = "months"
	bucketTrash        bucket = "trash"
	bucketDescriptions bucket = "descriptions"
	bucketFileKeys     bucket = "filekeys"
	bucketSessions     bucket = "sessions"
	bucketSecrets      bucket = "secrets"
	bucketTriggers     bucket = "triggers"
	bucketPlugins      bucket = "plugins"
	bucketUsers        bucket = "users"
	bucketTokens       bucket = "tokens"
	bucketAudit        bucket = "audit"
	bucketRights       bucket = "rights"
)

// buckets are those of every file of this format; addedBuckets came later and
// are made where a file lacks them.
func buckets() []bucket {
	return []bucket{
		bucketMeta, bucketWorkflows, bucketRevisions, bucketDefinitions, bucketReferences, bucketOrigins, bucketExecutions,
		bucketEvents, bucketSteps, bucketLive, bucketByTime, bucketByStatus, bucketByWorkflow, bucketKeys, bucketKeysByTime,
		bucketTrash, bucketDescriptions, bucketFileKeys, bucketSessions, bucketEnded, bucketBlobs, bucketSweep, bucketMonths,
	}
}

func addedBuckets() []bucket {
	return []bucket{bucketSecrets, bucketTriggers, bucketPlugins, bucketUsers, bucketTokens, bucketAudit, bucketRights}
}

// bucketsSince says which format brought a bucket; the others are as old as
// the first.
func bucketsSince(name bucket) int {
	switch name {
	case bucketEnded, bucketBlobs, bucketSweep, bucketMonths:
		return 2
	}
	return 1
}

// The names in meta.
const (
	metaFormat     = "format"
	metaInstance   = "instance"
	metaEpoch      = "boot_epoch"
	metaClean      = "clean"
	metaCreated    = "created_at"
	metaWorkflows  = "workflows"
	metaExecutions = "executions"
	metaLive       = "live"
	metaKeyCheck   = "key_check"
	metaAuditHead  = "audit_head"
)

// prefix is where the keys of something begin that others follow.
func prefix(parts ...string) []byte {
	var key []byte
	for _, part := range parts {
		key = append(append(key, part...), 0)
	}
	return key
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// numberOf reads what number wrote; anything else is 0.
func numberOf(raw []byte) uint64 {
	if len(raw) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(raw)
}

func eventKey(execution string, seq uint64, sub uint32) []byte {
	key := binary.BigEndian.AppendUint64(prefix(execution), seq)
	return binary.BigEndian.AppendUint32(key, sub)
}

// eventNumber reads the end of an event's key.
func eventNumber(key []byte) (seq uint64, sub uint32, ok bool) {
	if len(key) < 13 {
		return 0, 0, false
	}
	end := key[len(key)-12:]
	return binary.BigEndian.Uint64(end), binary.BigEndian.Uint32(end[8:]), true
}

func stepKey(execution, step string) []byte { return append(prefix(execution), step...) }

func itemKey(execution, step string, item int) []byte {
	return binary.BigEndian.AppendUint32(append(stepKey(execution, step), 0), uint32(item)) //nolint:gosec // Items count from 0.
}

// isItemKey reports whether a key of the bucket steps is that of an item.
func isItemKey(key []byte) bool {
	_, rest, _ := bytes.Cut(key, []byte{0})
	return bytes.IndexByte(rest, 0) >= 0
}

func revisionKey(workflow string, revision int) []byte {
	return append(prefix(workflow), number(uint64(revision))...) //nolint:gosec // Revisions count from 1.
}

// timeKey orders by time also before 1970.
func timeKey(micros int64) []byte {
	return number(uint64(micros) ^ 1<<63) //nolint:gosec // The bits are kept.
}

func placeKey(p data.Position) []byte { return append(timeKey(p.Micros), p.ID...) }

// placeOf reads what placeKey wrote.
func placeOf(key []byte) (data.Position, bool) {
	if len(key) <= 8 {
		return data.Position{}, false
	}
	micros := int64(binary.BigEndian.Uint64(key) ^ 1<<63) //nolint:gosec // The bits are kept.
	return data.Position{Micros: micros, ID: string(key[8:])}, true
}

func statusKey(status plan.Status, p data.Position) []byte {
	return append(prefix(string(status)), placeKey(p)...)
}

func workflowKey(workflow string, status plan.Status, p data.Position) []byte {
	return append(prefix(workflow, string(status)), placeKey(p)...)
}

// microsOf is a filter's bound; a zero time is the given default.
func microsOf(t time.Time, otherwise int64) int64 {
	if t.IsZero() {
		return otherwise
	}
	return t.UnixMicro()
}

const (
	earliest = math.MinInt64
	latest   = math.MaxInt64
)
