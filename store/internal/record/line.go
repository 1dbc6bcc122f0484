package record

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
)

// EncodeLine writes a log line as JSON with a newline behind it.
func EncodeLine(line *plan.Event) ([]byte, error) {
	if line.Type != plan.StepLog && line.Type != plan.StepProgress {
		return nil, fmt.Errorf("%w log line: a %s", data.ErrInvalid, line.Type)
	}
	raw, err := json.Marshal(line)
	if err != nil {
		return nil, fmt.Errorf("encode a log line: %w", err)
	}
	return append(raw, '\n'), nil
}

// DecodeLine reads a log line, with or without its newline.
func DecodeLine(raw []byte) (plan.Event, error) {
	var line plan.Event
	if err := json.Unmarshal(raw, &line); err != nil {
		return plan.Event{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return line, nil
}

var (
	logPrefix      = []byte(`{"event":"step_log","seq":`)
	progressPrefix = []byte(`{"event":"step_progress","seq":`)
	markPrefix     = []byte(`{"capped":`)
)

// LineSeq reads the Seq of an encoded line, and whether it is a log line
// rather than one of progress. ok is false for anything else, a mark
// included. It looks at the first bytes only: searches call it often.
func LineSeq(raw []byte) (seq uint64, isLog, ok bool) {
	rest, isLog := bytes.CutPrefix(raw, logPrefix)
	if !isLog {
		if rest, ok = bytes.CutPrefix(raw, progressPrefix); !ok {
			return 0, false, false
		}
	}
	digits := 0
	for digits < len(rest) && digits < 19 && '0' <= rest[digits] && rest[digits] <= '9' {
		seq = seq*10 + uint64(rest[digits]-'0')
		digits++
	}
	return seq, isLog, digits > 0
}

// Mark is the line that a log at its limit ends with. It has no Seq: nobody
// else is told of it.
type Mark struct {
	Capped data.CappedLog `json:"capped"`
}

// EncodeMark writes a mark with a newline behind it.
func EncodeMark(capped data.CappedLog) ([]byte, error) {
	raw, err := json.Marshal(Mark{capped})
	if err != nil {
		return nil, fmt.Errorf("encode the mark of a full log: %w", err)
	}
	return append(raw, '\n'), nil
}

// DecodeMark reads a mark; ok is false for any other line.
func DecodeMark(raw []byte) (capped data.CappedLog, ok bool) {
	if !bytes.HasPrefix(raw, markPrefix) {
		return data.CappedLog{}, false
	}
	var mark Mark
	if err := json.Unmarshal(raw, &mark); err != nil {
		return data.CappedLog{}, false
	}
	return mark.Capped, true
}
