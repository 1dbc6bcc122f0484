// Package record is what both stores write down in the same way: events, log
// lines and the rule by which an append follows what is kept.
//
// It knows neither files nor a database.
package record

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/vwmp/vwmp/engine/plan"
)

// ErrDamaged: bytes that are not what was written.
var ErrDamaged = errors.New("damaged record")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksumSize is that of the sum before every sealed record, in bytes.
const checksumSize = 4

// Seal puts a checksum before a payload. The key counts too, so that a record
// under another key is seen.
func Seal(key, payload []byte) []byte {
	sealed := make([]byte, checksumSize, checksumSize+len(payload))
	binary.BigEndian.PutUint32(sealed, checksum(key, payload))
	return append(sealed, payload...)
}

// Open returns the payload of a sealed record, which shares its memory, or
// ErrDamaged.
func Open(key, sealed []byte) ([]byte, error) {
	if len(sealed) < checksumSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrDamaged, len(sealed))
	}
	payload := sealed[checksumSize:]
	if binary.BigEndian.Uint32(sealed) != checksum(key, payload) {
		return nil, fmt.Errorf("%w: wrong checksum", ErrDamaged)
	}
	return payload, nil
}

func checksum(key, payload []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, key), castagnoli, payload)
}

// EncodeEvent writes an event with what is private to the journal: the length
// of the type, the type, and the event as JSON.
func EncodeEvent(event *plan.Event) ([]byte, error) {
	raw, err := json.Marshal(event)
	if err != nil {
		return nil, fmt.Errorf("encode event %s %d.%d: %w", event.Type, event.Seq, event.Sub, err)
	}
	if len(event.Type) == 0 || len(event.Type) > 255 {
		return nil, fmt.Errorf("encode event %d.%d: a type of %d bytes", event.Seq, event.Sub, len(event.Type))
	}
	encoded := make([]byte, 0, 1+len(event.Type)+len(raw))
	encoded = append(encoded, byte(len(event.Type)))
	encoded = append(encoded, event.Type...)
	return append(encoded, raw...), nil
}

// EventType reads only the type of an encoded event.
func EventType(encoded []byte) (plan.EventType, error) {
	kind, _, err := splitEvent(encoded)
	return plan.EventType(kind), err
}

// DecodeEvent reads an event back; nothing of it shares memory with encoded.
func DecodeEvent(encoded []byte, sub uint32) (plan.Event, error) {
	kind, raw, err := splitEvent(encoded)
	if err != nil {
		return plan.Event{}, err
	}
	event := plan.Event{}
	if err := json.Unmarshal(raw, &event); err != nil {
		return plan.Event{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if string(event.Type) != string(kind) {
		return plan.Event{}, fmt.Errorf("%w: an event %q kept as %q", ErrDamaged, event.Type, kind)
	}
	event.Sub = sub
	return event, nil
}

func splitEvent(encoded []byte) (kind, raw []byte, err error) {
	if len(encoded) == 0 || encoded[0] == 0 || len(encoded) < 1+int(encoded[0]) {
		return nil, nil, fmt.Errorf("%w: an event of %d bytes", ErrDamaged, len(encoded))
	}
	size := 1 + int(encoded[0])
	return encoded[1:size], encoded[size:], nil
}
