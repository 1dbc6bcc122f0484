package memory_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/memory"
	"github.com/vwmp/vwmp/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	storetest.Run(t, func(_ *testing.T, options storetest.Options) storetest.Backend {
		return memory.New(memory.Options{Now: options.Now, LogLimit: options.LogLimit})
	})
}

func TestFaults(t *testing.T) {
	tests := []struct {
		name           string
		fault          memory.Fault
		reported, kept bool
	}{
		{"not applied", memory.FaultNotApplied, false, false},
		{"applied", memory.FaultApplied, true, true},
		{"applied but reported as failed", memory.FaultUnreported, false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx := context.Background()
			s := memory.New(memory.Options{FailCommit: func(n int) memory.Fault {
				if n == 2 {
					return test.fault
				}
				return memory.FaultNone
			}})
			life := storetest.NewLife(storetest.ID(1), "release", time.Now())
			if _, _, err := s.Create(ctx, life.Creation()); err != nil {
				t.Fatal(err)
			}
			if err := s.Append(ctx, life.Start()); (err == nil) != test.reported {
				t.Errorf("append: %v", err)
			}
			for name, err := range map[string]error{
				"append":  s.Append(ctx, life.Move(plan.StepCompleted, plan.StatusRunning)),
				"log":     s.AppendLog(storetest.ID(1), "build", 1, life.Line("build", 1, pluginsdk.LevelInfo, "x")),
				"session": s.PutSession(ctx, "h", data.Session{}),
			} {
				if !errors.Is(err, memory.ErrCrash) {
					t.Errorf("%s after the crash: %v", name, err)
				}
			}
			s.Reopen()
			stored, err := s.Load(ctx, storetest.ID(1))
			if err != nil || (len(stored.Events) == 3) != test.kept {
				t.Errorf("kept %d events, %v", len(stored.Events), err)
			}
			if meta := s.Meta(); meta.BootEpoch != 2 || meta.Clean {
				t.Errorf("meta after the crash: %+v", meta)
			}
			storetest.CheckStore(t, s)
		})
	}
}

func TestClosedStoreTakesNothing(t *testing.T) {
	ctx := context.Background()
	s := memory.New(memory.Options{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	life := storetest.NewLife(storetest.ID(1), "release", time.Now())
	if _, _, err := s.Create(ctx, life.Creation()); !errors.Is(err, data.ErrClosed) {
		t.Errorf("create: %v", err)
	}
	s.Reopen()
	life = storetest.NewLife(storetest.ID(1), "release", time.Now())
	if _, created, err := s.Create(ctx, life.Creation()); err != nil || !created {
		t.Errorf("create after the reopening: %v", err)
	}
	if !s.Meta().Clean {
		t.Error("a closed store is not clean")
	}
}

func TestCallersMemoryIsNotShared(t *testing.T) {
	ctx := context.Background()
	s := memory.New(memory.Options{})
	life := storetest.NewLife(storetest.ID(1), "release", time.Now())
	creation := life.Creation()
	creation.Execution.Parameters = []byte(`{"a":1}`)
	creation.Document = []byte(`{"b":2}`)
	if _, _, err := s.Create(ctx, creation); err != nil {
		t.Fatal(err)
	}
	copy(creation.Execution.Parameters, "XXXXXXX")
	copy(creation.Document, "XXXXXXX")
	creation.Events[0].Private.SkipSteps[0] = "XXXXXX"
	stored, err := s.Load(ctx, storetest.ID(1))
	if err != nil {
		t.Fatal(err)
	}
	if string(stored.Execution.Parameters) != `{"a":1}` || string(stored.Document) != `{"b":2}` || stored.Events[0].Private.SkipSteps[0] != "notify" {
		t.Errorf("stored is %+v", stored)
	}
}

var _ engine.Journal = (*memory.Store)(nil)
