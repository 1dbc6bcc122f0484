package storetest

import (
	"context"
	"testing"

	"github.com/vwmp/vwmp/store/data"
)

var pluginCases = []testCase{
	{name: "what was decided of a plugin is kept, replaced and deleted", run: pluginRecords},
}

func pluginRecords(t *testing.T, s *suite) {
	ctx := context.Background()
	wantEqual(t, "records", len(must[map[string][]byte](t)(s.PluginRecords(ctx))), 0)
	given := []byte(`{"number":1}`)
	need(t, s.PutPluginRecord(ctx, "git", given))
	given[1] = 'x' // It must be a copy that is kept.
	need(t, s.PutPluginRecord(ctx, "sql", []byte(`{"number":3}`)))
	wantEqual(t, "record", string(must[map[string][]byte](t)(s.PluginRecords(ctx))["git"]), `{"number":1}`)
	need(t, s.PutPluginRecord(ctx, "git", []byte(`{"number":2}`)))
	need(t, s.DeletePluginRecord(ctx, "sql"))
	need(t, s.DeletePluginRecord(ctx, "sql"))
	left := must[map[string][]byte](t)(s.PluginRecords(ctx))
	wantEqual(t, "records", len(left), 1)
	wantEqual(t, "record", string(left["git"]), `{"number":2}`)
	wantError(t, s.PutPluginRecord(ctx, "", nil), data.ErrInvalid)
	wantError(t, s.PutPluginRecord(ctx, "git", make([]byte, data.MaxPluginRecord+1)), data.ErrInvalid)
	wantError(t, s.DeletePluginRecord(ctx, ""), data.ErrInvalid)
	wantEqual(t, "triggers beside them", len(must[map[string][]byte](t)(s.TriggerRecords(ctx))), 0)
}
