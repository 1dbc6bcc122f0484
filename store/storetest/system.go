package storetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
)

var systemCases = []testCase{
	{name: "a plugin's description is kept by its checksum", run: descriptions},
	{name: "a session ends when it expires or is deleted", run: sessions},
	{name: "figures count what is there", run: figures},
	{name: "a store knows who it is", run: identity},
}

func descriptions(t *testing.T, s *suite) {
	ctx := context.Background()
	sum := strings.Repeat("a", 64)
	_, found, err := s.Description(ctx, sum)
	need(t, err)
	wantEqual(t, "found", found, false)
	need(t, s.PutDescription(ctx, sum, []byte(`{"name":"git"}`)))
	need(t, s.PutFileChecksum(ctx, "7:123:9", sum))
	description, found, err := s.Description(ctx, sum)
	need(t, err)
	wantEqual(t, "description", string(description), `{"name":"git"}`)
	wantEqual(t, "found", found, true)
	kept, found, err := s.FileChecksum(ctx, "7:123:9")
	need(t, err)
	wantEqual(t, "checksum", kept, sum)
	wantEqual(t, "found", found, true)
	_, found, err = s.FileChecksum(ctx, "7:123:10")
	need(t, err)
	wantEqual(t, "found", found, false)
	wantError(t, s.PutDescription(ctx, "", nil), data.ErrInvalid)
	wantError(t, s.PutFileChecksum(ctx, strings.Repeat("k", data.MaxKey+1), sum), data.ErrInvalid)
}

func sessions(t *testing.T, s *suite) {
	ctx := context.Background()
	session := data.Session{Principal: "admin", Role: "admin", CreatedAt: s.clock.Now(), Expires: s.clock.Now().Add(time.Hour)}
	need(t, s.PutSession(ctx, "h1", session))
	need(t, s.PutSession(ctx, "h2", session))
	wantEqual(t, "session", asJSON(t, must[data.Session](t)(s.Session(ctx, "h1"))), asJSON(t, session))
	need(t, s.DeleteSession(ctx, "h1"))
	need(t, s.DeleteSession(ctx, "h1"))
	_, err := s.Session(ctx, "h1")
	wantError(t, err, engine.ErrNotFound)
	s.clock.Advance(time.Hour)
	_, err = s.Session(ctx, "h2")
	wantError(t, err, engine.ErrNotFound)
	wantError(t, s.PutSession(ctx, "", session), data.ErrInvalid)
}

func figures(t *testing.T, s *suite) {
	ctx := context.Background()
	must[data.Workflow](t)(s.CreateWorkflow(ctx, NewWorkflow("release", "A")))
	s.finished(t, 1, "release")
	s.create(t, 2, "release")
	stats := must[data.Stats](t)(s.Stats(ctx))
	if stats.Workflows != 1 || stats.Executions != 2 || stats.Live != 1 || stats.Commands < 5 || stats.Commits == 0 || stats.Full {
		t.Errorf("figures are %+v", stats)
	}
	report := must[data.Report](t)(s.Check(ctx))
	if report.Workflows != 1 || report.Executions != 2 || report.Events != 5 || !report.OK() {
		t.Errorf("report is %+v", report)
	}
}

func identity(t *testing.T, s *suite) {
	meta := s.Meta()
	if meta.InstanceID == "" || meta.BootEpoch != 1 || meta.Format != data.StoreFormat || !meta.Clean {
		t.Errorf("meta is %+v", meta)
	}
}
