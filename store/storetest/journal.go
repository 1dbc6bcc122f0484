package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/store/data"
)

var journalCases = []testCase{
	{name: "a created execution is loaded whole", run: createdIsLoaded},
	{name: "a commit is loaded with what is private to the journal", run: commitIsLoaded},
	{name: "an execution is created once", run: createdOnce},
	{name: "an idempotency key gives back the first execution for 24 hours", run: keyGivesFirst},
	{name: "a refused creation gives what its key gave, and keeps nothing", run: refusedGivesEarlier},
	{name: "one hundred starts with one key make one execution", run: keyInParallel},
	{name: "an append that does not follow is refused and changes nothing", run: fences},
	{name: "nothing follows the end", run: nothingFollowsEnd},
	{name: "an append from another boot epoch is refused", run: epochFence},
	{name: "a header that contradicts the events is refused", run: headerFitsEvents},
	{name: "unfinished executions are listed oldest first", run: unfinishedInOrder},
	{name: "a bad commit does not spoil those beside it", run: badBesideGood},
	{name: "a caller that gave up is told so before anything is written", run: cancelledContext},
}

// create keeps a new execution.
func (s *suite) create(t *testing.T, n int, workflowID string) *Life {
	t.Helper()
	life := NewLife(ID(n), workflowID, s.clock.Now())
	if _, created, err := s.Create(context.Background(), life.Creation()); err != nil || !created {
		t.Fatalf("create: %v, %v", created, err)
	}
	return life
}

// finished keeps a whole execution.
func (s *suite) finished(t *testing.T, n int, workflowID string) *Life {
	t.Helper()
	life := s.create(t, n, workflowID)
	need(t, s.Append(context.Background(), life.Start()))
	need(t, s.Append(context.Background(), life.End(plan.StatusSuccess)))
	return life
}

func createdIsLoaded(t *testing.T, s *suite) {
	ctx := context.Background()
	life := s.create(t, 1, "release")
	stored := must[engine.Stored](t)(s.Load(ctx, ID(1)))
	wantEqual(t, "header", asJSON(t, stored.Execution), asJSON(t, life.Header))
	wantEqual(t, "by", stored.Execution.By, "admin")
	wantEqual(t, "document", string(stored.Document), string(Document()))
	wantEqual(t, "document alone", string(must[json.RawMessage](t)(s.ExecutionDocument(ctx, ID(1)))), string(Document()))
	wantEqual(t, "folder", stored.WorkspaceDir, "/srv/project")
	wantEqual(t, "events", len(stored.Events), 1)
	event := stored.Events[0]
	wantEqual(t, "event", fmt.Sprintln(event.Type, event.Seq, event.Sub, event.Private.SkipSteps), "execution_created 0 1 [notify]\n")
	_, err := s.Load(ctx, ID(2))
	wantError(t, err, engine.ErrNotFound)
	_, err = s.Execution(ctx, ID(2))
	wantError(t, err, engine.ErrNotFound)
	_, err = s.ExecutionDocument(ctx, ID(2))
	wantError(t, err, engine.ErrNotFound)
	wantError(t, s.Append(ctx, NewLife(ID(2), "release", s.clock.Now()).Start()), engine.ErrNotFound)
}

func commitIsLoaded(t *testing.T, s *suite) {
	ctx := context.Background()
	life := s.create(t, 1, "release")
	start := life.Start()
	need(t, s.Append(ctx, start))
	checkpoint := life.Move(plan.StepCheckpointed, plan.StatusRunning)
	checkpoint.Events[0].Private = &plan.Private{Checkpoint: json.RawMessage(`{"at":7}`)}
	need(t, s.Append(ctx, checkpoint))
	stored := must[engine.Stored](t)(s.Load(ctx, ID(1)))
	numbers := make([]string, len(stored.Events))
	for i, event := range stored.Events {
		numbers[i] = fmt.Sprintf("%s %d.%d", event.Type, event.Seq, event.Sub)
	}
	wantEqual(t, "events", strings.Join(numbers, ", "), "execution_created 0.1, execution_started 1.0, step_started 2.0, step_checkpointed 2.1")
	wantEqual(t, "effect class", stored.Events[2].Private.EffectClass, pluginsdk.EffectUnsafe)
	wantEqual(t, "checkpoint", string(stored.Events[3].Private.Checkpoint), `{"at":7}`)
	wantEqual(t, "last seq", stored.Execution.LastSeq, uint64(2))
	wantEqual(t, "status", stored.Execution.Status, plan.StatusRunning)
	steps := must[[]engine.StepResult](t)(s.StepResults(ctx, ID(1)))
	wantEqual(t, "steps", asJSON(t, steps), asJSON(t, start.Steps))
	s.clock.Advance(90 * time.Second)
	wantEqual(t, "time of a live execution", must[engine.Execution](t)(s.Execution(ctx, ID(1))).TotalTime, 90.0)
	need(t, s.Append(ctx, life.End(plan.StatusSuccess)))
	s.clock.Advance(time.Hour)
	wantEqual(t, "time of an ended execution", must[engine.Execution](t)(s.Execution(ctx, ID(1))).TotalTime, 3.0)
}

func createdOnce(t *testing.T, s *suite) {
	s.create(t, 1, "release")
	_, created, err := s.Create(context.Background(), NewLife(ID(1), "release", s.clock.Now()).Creation())
	wantError(t, err, engine.ErrConflict)
	wantEqual(t, "created", created, false)
	for _, id := range []string{"", "../x", "a/b", "a\x00b"} {
		if _, _, err := s.Create(context.Background(), NewLife(id, "release", s.clock.Now()).Creation()); !errors.Is(err, data.ErrInvalid) {
			t.Errorf("id %q: error is %v", id, err)
		}
	}
}

func keyed(n int, s *suite, workflowID, key, fingerprint string) engine.Creation {
	creation := NewLife(ID(n), workflowID, s.clock.Now()).Creation()
	creation.IdempotencyKey, creation.Fingerprint = key, fingerprint
	return creation
}

func refusedGivesEarlier(t *testing.T, s *suite) {
	ctx := context.Background()
	refusal := errors.New("no place is free")
	refused := keyed(1, s, "release", "k", "f")
	refused.Refused = refusal
	if _, created, err := s.Create(ctx, refused); created || !errors.Is(err, refusal) {
		t.Fatalf("refused under a new key: %v, %v", created, err)
	}
	if _, err := s.Load(ctx, ID(1)); !errors.Is(err, engine.ErrNotFound) {
		t.Fatalf("a refused creation was kept: %v", err)
	}
	if _, created, err := s.Create(ctx, keyed(2, s, "release", "k", "f")); err != nil || !created {
		t.Fatalf("its key is not free: %v, %v", created, err)
	}
	refused = keyed(3, s, "release", "k", "f")
	refused.Refused = refusal
	if execution, created, err := s.Create(ctx, refused); err != nil || created || execution.ID != ID(2) {
		t.Fatalf("refused under a known key: %s, %v, %v", execution.ID, created, err)
	}
}

func keyGivesFirst(t *testing.T, s *suite) {
	ctx := context.Background()
	try := func(n int, workflowID, key, fingerprint string) (string, bool, error) {
		execution, created, err := s.Create(ctx, keyed(n, s, workflowID, key, fingerprint))
		return execution.ID, created, err
	}
	tests := []struct {
		name                             string
		n                                int
		workflowID, key, fingerprint, id string
		created                          bool
		err                              error
		after                            time.Duration
	}{
		{name: "the first", n: 1, workflowID: "release", key: "k", fingerprint: "f", id: ID(1), created: true},
		{name: "again", n: 2, workflowID: "release", key: "k", fingerprint: "f", id: ID(1), after: 23 * time.Hour},
		{name: "another request", n: 3, workflowID: "release", key: "k", fingerprint: "g", err: engine.ErrIdempotencyMismatch},
		{name: "another workflow", n: 4, workflowID: "other", key: "k", fingerprint: "f", id: ID(4), created: true},
		{name: "a day later", n: 5, workflowID: "release", key: "k", fingerprint: "g", id: ID(5), created: true, after: time.Hour},
		{name: "the new one again", n: 6, workflowID: "release", key: "k", fingerprint: "g", id: ID(5)},
		{name: "without a key", n: 7, workflowID: "release", id: ID(7), created: true},
		{name: "without a key again", n: 8, workflowID: "release", id: ID(8), created: true},
	}
	for _, test := range tests {
		s.clock.Advance(test.after)
		id, created, err := try(test.n, test.workflowID, test.key, test.fingerprint)
		if id != test.id || created != test.created || !errors.Is(err, test.err) {
			t.Errorf("%s: got %s, %v, %v", test.name, id, created, err)
		}
	}
	_, _, err := try(9, "release", strings.Repeat("k", data.MaxKey+1), "f")
	wantError(t, err, data.ErrInvalid)
}

func keyInParallel(t *testing.T, s *suite) {
	var group sync.WaitGroup
	ids := make([]string, 100)
	made := make([]bool, 100)
	for i := range ids {
		group.Go(func() {
			execution, created, err := s.Create(context.Background(), keyed(i+1, s, "release", "k", "f"))
			if err != nil {
				t.Errorf("create: %v", err)
			}
			ids[i], made[i] = execution.ID, created
		})
	}
	group.Wait()
	count := 0
	for i := range ids {
		wantEqual(t, "id", ids[i], ids[0])
		if made[i] {
			count++
		}
	}
	wantEqual(t, "created", count, 1)
}

func fences(t *testing.T, s *suite) {
	ctx := context.Background()
	life := s.create(t, 1, "release")
	need(t, s.Append(ctx, life.Start())) // Events 1 and 2.
	before := asJSON(t, must[engine.Stored](t)(s.Load(ctx, ID(1))))
	event := func(kind plan.EventType, seq uint64, sub uint32) plan.Event {
		return plan.Event{Type: kind, Seq: seq, Sub: sub, ExecutionID: ID(1), WorkflowID: "release"}
	}
	foreign := event(plan.StepCompleted, 3, 0)
	foreign.ExecutionID = ID(2)
	tests := map[string][]plan.Event{
		"a number that is taken":                {event(plan.StepCompleted, 2, 0)},
		"a number before the last":              {event(plan.StepCompleted, 1, 0)},
		"a gap within one commit":               {event(plan.StepCompleted, 3, 0), event(plan.ProgressMade, 5, 0)},
		"the same number twice":                 {event(plan.StepCompleted, 3, 0), event(plan.ProgressMade, 3, 0)},
		"an internal event out of order":        {event(plan.StepCheckpointed, 2, 2)},
		"an internal event before the last":     {event(plan.StepCheckpointed, 1, 1)},
		"an internal event with no sub-number":  {event(plan.StepCheckpointed, 3, 0)},
		"a public event with a sub-number":      {event(plan.StepCompleted, 2, 1)},
		"an internal event ahead of its public": {event(plan.StepCompleted, 3, 0), event(plan.AttemptLost, 4, 1)},
		"an event of another execution":         {foreign},
	}
	for name, events := range tests {
		if err := s.Append(ctx, engine.Commit{Execution: life.Header, Events: events}); !errors.Is(err, data.ErrFenced) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	wantEqual(t, "stored", asJSON(t, must[engine.Stored](t)(s.Load(ctx, ID(1)))), before)
}

func nothingFollowsEnd(t *testing.T, s *suite) {
	ctx := context.Background()
	life := s.finished(t, 1, "release")
	header := life.Header
	wantError(t, s.Append(ctx, life.Move(plan.ProgressMade, plan.StatusSuccess)), data.ErrFenced)
	wantError(t, s.Append(ctx, engine.Commit{Execution: header}), data.ErrFenced)
	life = s.create(t, 2, "release")
	end := life.End(plan.StatusSuccess)
	end.Events = append(end.Events, life.Event(plan.ProgressMade))
	wantError(t, s.Append(ctx, end), data.ErrFenced)
}

func epochFence(t *testing.T, s *suite) {
	ctx := context.Background()
	life := s.create(t, 1, "release")
	start := life.Start()
	start.Events[1].Private.BootEpoch = s.Meta().BootEpoch + 1
	wantError(t, s.Append(ctx, start), data.ErrFenced)
	start.Events[1].Private.BootEpoch = s.Meta().BootEpoch
	need(t, s.Append(ctx, start))
}

func headerFitsEvents(t *testing.T, s *suite) {
	ctx := context.Background()
	life := s.create(t, 1, "release")
	start := life.Start()
	start.Execution.Status = plan.StatusSuccess
	wantError(t, s.Append(ctx, start), data.ErrFenced)
	start.Execution.Status = "sleeping"
	wantError(t, s.Append(ctx, start), data.ErrInvalid)
	start.Execution.Status = plan.StatusRunning
	start.Steps[0].StepID = "../../etc"
	wantError(t, s.Append(ctx, start), data.ErrInvalid)
	ended := NewLife(ID(2), "release", s.clock.Now())
	ended.Header.Status = plan.StatusFailed
	_, _, err := s.Create(ctx, ended.Creation())
	wantError(t, err, data.ErrFenced)
}

func unfinishedInOrder(t *testing.T, s *suite) {
	ctx := context.Background()
	s.create(t, 3, "release")
	s.clock.Advance(time.Second)
	s.finished(t, 1, "release")
	s.clock.Advance(time.Second)
	s.create(t, 2, "other")
	ids := must[[]string](t)(s.Unfinished(ctx))
	wantEqual(t, "unfinished", strings.Join(ids, " "), ID(3)+" "+ID(2))
}

func badBesideGood(t *testing.T, s *suite) {
	ctx := context.Background()
	const count = 60
	lives := make([]*Life, count)
	for i := range lives {
		lives[i] = s.create(t, i+1, "release")
	}
	var group sync.WaitGroup
	for i, life := range lives {
		group.Go(func() {
			commit := life.Start()
			if i%3 == 0 {
				commit.Events[1].Seq = 9
			}
			err := s.Append(ctx, commit)
			if (i%3 == 0) != errors.Is(err, data.ErrFenced) {
				t.Errorf("append %d: %v", i, err)
			}
		})
	}
	group.Wait()
	for i := range lives {
		want := plan.StatusRunning
		if i%3 == 0 {
			want = plan.StatusPending
		}
		wantEqual(t, "status", must[engine.Execution](t)(s.Execution(ctx, ID(i+1))).Status, want)
	}
}

func cancelledContext(t *testing.T, s *suite) {
	life := s.create(t, 1, "release")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	wantError(t, s.Append(ctx, life.Start()), context.Canceled)
	_, _, err := s.Create(ctx, NewLife(ID(2), "release", s.clock.Now()).Creation())
	wantError(t, err, context.Canceled)
	wantEqual(t, "status", must[engine.Execution](t)(s.Execution(context.Background(), ID(1))).Status, plan.StatusPending)
}
