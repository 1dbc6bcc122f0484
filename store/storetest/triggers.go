package storetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/vwmp/vwmp/store/data"
)

var triggerCases = []testCase{
	{name: "a trigger's record is kept, replaced and deleted", run: triggerRecords},
	{name: "the records of many triggers are read together", run: manyTriggerRecords},
}

func triggerRecords(t *testing.T, s *suite) {
	ctx := context.Background()
	wantEqual(t, "records", len(must[map[string][]byte](t)(s.TriggerRecords(ctx))), 0)
	given := []byte(`{"number":1}`)
	need(t, s.PutTriggerRecord(ctx, "w.tick", given))
	given[1] = 'x' // It must be a copy that is kept.
	need(t, s.PutTriggerRecord(ctx, "w.hook", []byte(`{"token":"t"}`)))
	wantEqual(t, "record", string(must[map[string][]byte](t)(s.TriggerRecords(ctx))["w.tick"]), `{"number":1}`)
	need(t, s.PutTriggerRecord(ctx, "w.tick", []byte(`{"number":2}`)))
	need(t, s.DeleteTriggerRecord(ctx, "w.hook"))
	need(t, s.DeleteTriggerRecord(ctx, "w.hook"))
	left := must[map[string][]byte](t)(s.TriggerRecords(ctx))
	wantEqual(t, "records", len(left), 1)
	wantEqual(t, "record", string(left["w.tick"]), `{"number":2}`)
	wantError(t, s.PutTriggerRecord(ctx, "", nil), data.ErrInvalid)
	wantError(t, s.PutTriggerRecord(ctx, "w.tick", make([]byte, data.MaxTriggerRecord+1)), data.ErrInvalid)
	wantError(t, s.DeleteTriggerRecord(ctx, ""), data.ErrInvalid)
}

func manyTriggerRecords(t *testing.T, s *suite) {
	ctx := context.Background()
	const many = 450 // More than one page of a store's reads.
	for i := range many {
		need(t, s.PutTriggerRecord(ctx, fmt.Sprintf("w%d.tick", i), fmt.Appendf(nil, `{"number":%d}`, i)))
	}
	all := must[map[string][]byte](t)(s.TriggerRecords(ctx))
	wantEqual(t, "records", len(all), many)
	wantEqual(t, "record", string(all["w321.tick"]), `{"number":321}`)
}
