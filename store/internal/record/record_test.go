package record_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

func sample() plan.Event {
	percentage, index := 12.5, 3
	return plan.Event{
		Type: plan.StepCompleted, Seq: 7, ExecutionID: "e", WorkflowID: "w", Time: time.Date(2026, 11, 1, 9, 0, 0, 5, time.UTC),
		StepID: "build", Attempt: 2, ItemIndex: &index, Percentage: &percentage, Message: "a <b>\u2028",
		Output: json.RawMessage(`{"a":[1,2]}`), Error: &plan.Error{Message: "m", Code: "c", Retryable: true},
		Private: &plan.Private{UndoToken: json.RawMessage(`"t"`), ByChoice: true, Effect: &pluginsdk.EffectRecord{}},
	}
}

func TestEventIsReadBack(t *testing.T) {
	event := sample()
	encoded, err := record.EncodeEvent(&event)
	if err != nil {
		t.Fatal(err)
	}
	kind, err := record.EventType(encoded)
	if err != nil || kind != plan.StepCompleted {
		t.Errorf("type is %q, %v", kind, err)
	}
	event.Sub = 4
	back, err := record.DecodeEvent(encoded, 4)
	if err != nil || !reflect.DeepEqual(back, event) {
		t.Errorf("read back %+v, %v", back, err)
	}
}

func TestSealSeesEveryChange(t *testing.T) {
	sealed := record.Seal([]byte("key"), []byte("payload"))
	if payload, err := record.Open([]byte("key"), sealed); err != nil || string(payload) != "payload" {
		t.Errorf("%q, %v", payload, err)
	}
	if _, err := record.Open([]byte("kez"), sealed); !errors.Is(err, record.ErrDamaged) {
		t.Errorf("under another key: %v", err)
	}
	for i := range sealed {
		for bit := range 8 {
			sealed[i] ^= 1 << bit
			if _, err := record.Open([]byte("key"), sealed); !errors.Is(err, record.ErrDamaged) {
				t.Errorf("byte %d bit %d: %v", i, bit, err)
			}
			sealed[i] ^= 1 << bit
		}
	}
	if _, err := record.Open([]byte("key"), sealed[:3]); !errors.Is(err, record.ErrDamaged) {
		t.Errorf("too short: %v", err)
	}
}

// The search in a log reads only the beginning of each line.
func TestLineSeqReadsWhatEncodeLineWrites(t *testing.T) {
	for _, kind := range []plan.EventType{plan.StepLog, plan.StepProgress} {
		for _, seq := range []uint64{1, 9, 10, 1 << 40} {
			event := sample()
			event.Type, event.Seq = kind, seq
			line, err := record.EncodeLine(&event)
			if err != nil {
				t.Fatal(err)
			}
			if line[len(line)-1] != '\n' || strings.Count(string(line), "\n") != 1 {
				t.Errorf("a line is %q", line)
			}
			got, isLog, ok := record.LineSeq(line[:64])
			if got != seq || isLog != (kind == plan.StepLog) || !ok {
				t.Errorf("%s %d is read as %d, %v, %v", kind, seq, got, isLog, ok)
			}
		}
	}
}

func TestMarkIsNoLine(t *testing.T) {
	capped := data.CappedLog{StepID: "build", Attempt: 1, Limit: 100, Dropped: 7, After: 9}
	mark, err := record.EncodeMark(capped)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok := record.LineSeq(mark); ok {
		t.Error("a mark has a number")
	}
	if back, ok := record.DecodeMark(mark); !ok || back != capped {
		t.Errorf("read back %+v, %v", back, ok)
	}
	event := sample()
	event.Type = plan.StepLog
	line, err := record.EncodeLine(&event)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := record.DecodeMark(line); ok {
		t.Error("a line is a mark")
	}
}

func FuzzDecodeEvent(f *testing.F) {
	event := sample()
	encoded, err := record.EncodeEvent(&event)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encoded, uint32(0))
	f.Add([]byte{}, uint32(1))
	f.Add([]byte("\x01a{}"), uint32(2))
	f.Fuzz(func(t *testing.T, raw []byte, sub uint32) {
		event, err := record.DecodeEvent(raw, sub)
		if err != nil {
			if !errors.Is(err, record.ErrDamaged) {
				t.Fatalf("error is %v", err)
			}
			return
		}
		again, err := record.EncodeEvent(&event)
		if err != nil {
			t.Skip("what was read can't be written: a raw message with bad text")
		}
		back, err := record.DecodeEvent(again, sub)
		if err != nil || back.Type != event.Type || back.Seq != event.Seq || back.Sub != sub || back.Message != event.Message {
			t.Fatalf("%+v became %+v, %v", event, back, err)
		}
	})
}
