package local_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/enginetest"
	"github.com/vwmp/vwmp/engine/local"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

// setClock is a clock that somebody sets: what it shows moves, and what passes
// goes on as before. It works within testing/synctest, whose own times have no
// monotonic reading.
type setClock struct {
	enginetest.Clock

	begin time.Time
	zone  *time.Location // that of the server
	moved atomic.Int64   // in seconds
}

// Now shows the time on the wall, and carries a monotonic reading of what has
// passed since begin, as times of the system do. Package time has no function
// that makes such a time.
func (c *setClock) Now() time.Time {
	now := time.Now()
	seconds := now.Unix() + c.moved.Load() - time.Date(1885, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	parts := (*struct {
		wall uint64 // 1 bit: there is a monotonic reading; 33 bits of seconds since 1885; 30 bits of nanoseconds
		ext  int64  // the monotonic reading in nanoseconds
		loc  *time.Location
	})(unsafe.Pointer(&now)) //nolint:gosec // See above; set looks whether it worked.
	parts.wall = 1<<63 | uint64(seconds)<<30 | uint64(now.Nanosecond()) //nolint:gosec // Neither is negative.
	parts.ext = int64(time.Since(c.begin)) + 1
	if c.zone != nil {
		parts.loc = c.zone
	}
	return now
}

func (c *setClock) set(t *testing.T, to time.Time) {
	t.Helper()
	before := c.Now()
	seconds := int64(to.Sub(before.Round(0)) / time.Second)
	c.moved.Add(seconds)
	after := c.Now()
	if shows := int64(after.Round(0).Sub(before.Round(0)) / time.Second); shows != seconds || after.Sub(before) != 0 {
		t.Fatalf("the clock was to be moved by %d s: it shows %d s more, and %s have passed", seconds, shows, after.Sub(before))
	}
}

const timedRun = `{"name": "Timed", "timeout": "10m", "steps": [
	{"id": "call", "handler": "test.unsafe", "timeout": "1m"},
	{"id": "again", "handler": "test.pure", "retry": {"max_attempts": 2, "initial_interval": "20s", "jitter": 0}},
	{"id": "nap", "handler": "flow.wait", "config": {"duration": "20s"}},
	{"id": "ask", "handler": "flow.approval", "config": {"message": "?", "timeout": "1m"}}]}`

// While an execution runs, what takes time takes the time that passes,
// whatever the clock on the wall is set to meanwhile.
func TestCase115TimesOfARunAreThoseThatPass(t *testing.T) {
	t.Parallel()
	for name, to := range map[string]func(now time.Time) time.Time{
		"an hour on":   func(now time.Time) time.Time { return now.Add(time.Hour) },
		"an hour back": func(now time.Time) time.Time { return now.Add(-time.Hour) },
		"to 1970":      func(time.Time) time.Time { return time.Unix(1, 0) },
		"beyond 2038":  func(time.Time) time.Time { return time.Date(2040, 2, 3, 4, 5, 6, 0, time.UTC) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				clock, store := &setClock{begin: begin, zone: time.FixedZone("IST", 5*3600+1800)}, enginetest.NewStore()
				runtime, recorder := timedRuntime(store, clock)
				execution, _, err := runtime.Start(t.Context(), engine.StartRequest{
					WorkflowID: "w", Document: json.RawMessage(timedRun), Trigger: engine.TriggerAPI, By: "tester",
				})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Second)
				clock.set(t, to(clock.Now()))
				// A turn under the new time finds nothing due.
				if _, err := runtime.Pause(t.Context(), execution.ID, "tester"); err != nil {
					t.Fatal(err)
				}
				if _, err := runtime.Resume(t.Context(), execution.ID, "tester"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
				if _, err := runtime.Approve(t.Context(), execution.ID, "ask", engine.Approval{Approved: true, By: "tester"}); err != nil {
					t.Errorf("15 s after it was asked for: %v", err)
				}
				end, err := recorder.Await(func(e plan.Event) bool { return e.Type == plan.WorkflowCompleted })
				if err != nil || end.Status != string(plan.StatusSuccess) {
					t.Errorf("it ended as %s: %+v %v", end.Status, end.Error, err)
				}
				if took := time.Since(begin); took != 20*time.Second {
					t.Errorf("it took %s, want 20s", took)
				}
				checkUTC(t, store, execution.ID)
				if err := runtime.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// timedRuntime has a handler that takes 20 s, and one that fails once.
func timedRuntime(store *enginetest.Store, clock engine.Clock) (engine.Engine, *enginetest.Recorder) {
	recorder := enginetest.NewRecorder()
	var calls atomic.Int64
	success := pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: json.RawMessage(`{}`)}
	invoker := &enginetest.Invoker{Handlers: map[string]enginetest.Handler{
		"test.unsafe": func(ctx context.Context, _ *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
			select {
			case <-time.After(20 * time.Second): // Virtual time.
				return success
			case <-ctx.Done():
				return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{Class: pluginsdk.FailureCancelled, Message: "cut short"}}
			}
		},
		"test.pure": func(context.Context, *pluginsdk.Request, pluginsdk.Reporter) pluginsdk.Outcome {
			if calls.Add(1) == 1 {
				return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{Class: pluginsdk.FailureRetryable, Message: "not yet"}}
			}
			return success
		},
	}}
	return local.New(local.Options{
		Journal: store, Blobs: store, Logs: store, Invoker: invoker, Publisher: recorder, Clock: clock, Settings: enginetest.Settings{}, BootEpoch: 1,
		Catalogue: enginetest.NewCatalogue(map[string]pluginsdk.EffectClass{"test.pure": pluginsdk.EffectPure, "test.unsafe": pluginsdk.EffectUnsafe}),
	}), recorder
}

// The same holds for an execution that an earlier host began, once it is taken
// up: neither it nor its approval runs out of time.
func TestCase115TimesOfARunThatWasTakenUpAreThoseThatPass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock, store := &setClock{begin: time.Now()}, enginetest.NewStore()
		runtime, _ := timedRuntime(store, clock)
		execution, _, err := runtime.Start(t.Context(), engine.StartRequest{
			WorkflowID: "w", Trigger: engine.TriggerAPI, By: "tester",
			Document: json.RawMessage(`{"name": "Timed", "timeout": "10m", "steps": [{"id": "ask", "handler": "flow.approval", "config": {"message": "?", "timeout": "1m"}}]}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		if err := runtime.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		runtime, recorder := timedRuntime(store, clock)
		if _, err := runtime.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		clock.set(t, clock.Now().Add(time.Hour))
		time.Sleep(25 * time.Second)
		if _, err := runtime.Approve(t.Context(), execution.ID, "ask", engine.Approval{Approved: true, By: "tester"}); err != nil {
			t.Errorf("55 s after it was asked for: %v", err)
		}
		if end, err := recorder.Await(func(e plan.Event) bool { return e.Type == plan.WorkflowCompleted }); err != nil || end.Status != string(plan.StatusSuccess) {
			t.Errorf("it ended as %s: %+v %v", end.Status, end.Error, err)
		}
		if err := runtime.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Whatever the zone of the server, what others see is in UTC.
func checkUTC(t *testing.T, store *enginetest.Store, id string) {
	t.Helper()
	stored, err := store.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal([]any{stored, store.Steps(id), store.History(id)})
	if err != nil || strings.Contains(string(text), "+05:30") || !strings.Contains(string(text), "Z\"") {
		t.Errorf("times are not in UTC: %v\n%s", err, text)
	}
}

// The ids of executions are in the order in which these were started, however
// close to each other that was.
func TestCase115IDsStayInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		runtime, _ := timedRuntime(enginetest.NewStore(), enginetest.Clock{})
		var ids []string
		for range 1000 {
			// No time passes at all: a clock that was set back stands still so.
			execution, _, err := runtime.Start(t.Context(), engine.StartRequest{
				WorkflowID: "w", Document: json.RawMessage(`{"name":"W","steps":[{"id":"a","handler":"test.pure"}]}`), Trigger: engine.TriggerAPI, By: "tester",
			})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, execution.ID)
		}
		if !slices.IsSortedFunc(ids, strings.Compare) || len(slices.Compact(ids)) != 1000 {
			t.Error("the ids are not in order, or not each its own")
		}
		if err := runtime.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
