package store

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

func sampleWorkflow() workflowRecord {
	at, status := startTime(5), plan.StatusPartial
	return workflowRecord{
		metadata: data.Workflow{
			ID: "release", Name: "Größe", Version: "1.0.0", Type: "release", Description: "d", Tags: []string{"a", ""},
			StepCount: 12, Revision: 3, CreatedAt: startTime(1), UpdatedAt: startTime(2).Add(time.Nanosecond),
			LastExecuted: &at, LastStatus: &status, ExecutionCount: 300, Problems: []byte(`[{}]`),
		},
		last: data.PositionOf(at, "e"), deleted: 7,
	}
}

func TestWorkflowRecordIsReadBack(t *testing.T) {
	never := sampleWorkflow()
	never.last, never.metadata.LastExecuted, never.metadata.LastStatus = data.Position{}, nil, nil
	never.metadata.Tags, never.metadata.Problems, never.metadata.Valid = []string{}, nil, true
	for _, w := range []workflowRecord{sampleWorkflow(), never} {
		back, err := decodeWorkflow("release", w.encode())
		if err != nil || !reflect.DeepEqual(back, w) {
			t.Errorf("read back %+v, %v", back, err)
		}
	}
}

func TestHeaderIsReadBack(t *testing.T) {
	for _, micros := range []int64{0, -5, 1 << 52} {
		h := header{
			tail: record.Tail{Seq: 1 << 40, Sub: 3}, place: data.Position{Micros: micros, ID: "e"},
			status: plan.StatusWaiting, workflow: "release", trigger: "api", progress: []byte(`{}`),
		}
		back, err := decodeHeader("e", h.encode())
		if err != nil || !reflect.DeepEqual(back, h) {
			t.Errorf("read back %+v, %v", back, err)
		}
	}
}

func TestPlacesSortByTimeAndID(t *testing.T) {
	places := []data.Position{{Micros: -9, ID: "z"}, {Micros: -1, ID: "a"}, {Micros: 0, ID: "a"}, {Micros: 0, ID: "b"}, {Micros: 7, ID: "a"}}
	for i := range places {
		if back, ok := placeOf(placeKey(places[i])); !ok || back != places[i] {
			t.Errorf("read back %+v, %v", back, ok)
		}
		if i > 0 && (string(placeKey(places[i-1])) >= string(placeKey(places[i])) || !places[i-1].Before(places[i])) {
			t.Errorf("%+v is not before %+v", places[i-1], places[i])
		}
	}
}

func FuzzDecodeRecords(f *testing.F) {
	w := sampleWorkflow()
	f.Add(w.encode())
	h := header{place: data.Position{ID: "e"}, status: plan.StatusRunning}
	f.Add(h.encode())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if w, err := decodeWorkflow("release", raw); err == nil {
			if back, err := decodeWorkflow("release", w.encode()); err != nil || !reflect.DeepEqual(back, w) {
				t.Errorf("%+v became %+v, %v", w, back, err)
			}
		} else if !errors.Is(err, record.ErrDamaged) {
			t.Errorf("error is %v", err)
		}
		if h, err := decodeHeader("e", raw); err == nil {
			if back, err := decodeHeader("e", h.encode()); err != nil || !reflect.DeepEqual(back, h) {
				t.Errorf("%+v became %+v, %v", h, back, err)
			}
		} else if !errors.Is(err, record.ErrDamaged) {
			t.Errorf("error is %v", err)
		}
		if info, _, err := readRevision([]byte("key"), raw); err == nil {
			t.Errorf("a revision without a checksum was read: %+v", info)
		}
	})
}
