package local_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine/enginetest"
	"github.com/vwmp/vwmp/engine/plan"
)

// record writes the histories that package plan replays, from runs of this
// runtime. They are history: one that is there is never written anew, since
// journals like it are on people's disks.
var record = flag.Bool("record", false, "record the histories that are not there yet")

const historyDir = "../plan/testdata/histories"

// recordings are runs worth keeping: a reference workflow and where its host
// died.
var recordings = []struct {
	name, reference string
	crashes         []enginetest.CrashPoint
}{
	{"chain", "chain", nil},
	{"fan_out_crashed", "fan_out", []enginetest.CrashPoint{{Commit: 5, Way: enginetest.CrashAfter}}},
	{"retry_crashed", "retry", []enginetest.CrashPoint{{Commit: 6, Way: enginetest.CrashBefore}}},
	{"reconciled", "chain", []enginetest.CrashPoint{{Commit: 6, Way: enginetest.CrashBefore}}},
	{"lost_pure", "lost_pure", nil},
	{"lost_reconcilable", "lost_reconcilable_not_started", nil},
	{"interrupt_fail", "interrupt_fail", nil},
	{"interrupt_skip", "interrupt_skip", nil},
	{"resolve", "resolve", nil},
	{"cancel", "cancel", nil},
	{"cancel_twice", "cancel_twice", nil},
	{"workflow_timeout", "workflow_timeout", nil},
	{"attempt_timeout", "attempt_timeout", nil},
	{"optional_failure", "optional_failure", nil},
	{"stop", "stop", nil},
	{"continue", "continue", nil},
	{"run_on_failure", "run_on_failure", nil},
	{"skips", "skips", nil},
	{"condition", "condition", nil},
	{"crash_loop", "crash_loop", nil},
	{"checkpoints", "checkpoints", nil},
	{"for_each", "for_each", nil},
	{"for_each_crashed", "for_each_reconcilable", []enginetest.CrashPoint{{Commit: 6, Way: enginetest.CrashAfter}}},
	{"for_each_failing", "for_each_failing", nil},
	{"wait", "wait", nil},
	{"approval", "approval", nil},
	{"approval_timeout", "approval_timeout", nil},
	{"signal", "signal_early", nil},
	{"pause", "pause", nil},
	{"rollback", "rollback", nil},
	{"rollback_crashed", "rollback_retry", []enginetest.CrashPoint{{Commit: 8, Way: enginetest.CrashUntold}}},
	{"rollback_stuck", "rollback_stuck", nil},
	// It was recorded when a rollback still went on with what comes before a
	// step that could not be undone.
	{"rollback_went_on", "rollback_stuck", nil},
	{"interrupt_undo", "interrupt_undo", nil},
	{"parked", "retry_down", []enginetest.CrashPoint{
		{Commit: 3, Way: enginetest.CrashBefore}, {Commit: 3, Way: enginetest.CrashBefore}, {Commit: 3, Way: enginetest.CrashBefore},
	}},
}

// damages turn a good history into one that no runtime writes.
var damages = map[string]func(events []plan.Event) []plan.Event{
	"bad_started_twice": func(events []plan.Event) []plan.Event {
		return repeat(events, plan.StepStarted)
	},
	"bad_ended_twice": func(events []plan.Event) []plan.Event {
		return repeat(events, plan.StepCompleted)
	},
	"bad_attempt_left_out": func(events []plan.Event) []plan.Event {
		events[find(events, plan.StepStarted)].Attempt = 2
		return events
	},
	"bad_goes_on_after_the_end": func(events []plan.Event) []plan.Event {
		more := events[find(events, plan.ExecutionStarted)]
		more.Seq = events[len(events)-1].Seq + 1
		return append(events, more)
	},
	"bad_unknown_step": func(events []plan.Event) []plan.Event {
		events[find(events, plan.StepCompleted)].StepID = "nobody"
		return events
	},
	"bad_unknown_event": func(events []plan.Event) []plan.Event {
		events[find(events, plan.StepCompleted)].Type = "step_evaporated"
		return events
	},
}

func find(events []plan.Event, kind plan.EventType) int {
	return slices.IndexFunc(events, func(e plan.Event) bool { return e.Type == kind })
}

// repeat writes the first event of a kind twice.
func repeat(events []plan.Event, kind plan.EventType) []plan.Event {
	at := find(events, kind)
	return slices.Insert(events, at+1, events[at])
}

// Every history that package plan replays was recorded here, and the runs
// that it was recorded from still end.
func TestHistoriesAreRecorded(t *testing.T) {
	t.Parallel()
	references := map[string]*enginetest.Reference{}
	for _, reference := range enginetest.References(t) {
		references[reference.Name] = reference
	}
	wanted := map[string]bool{}
	for _, recording := range recordings {
		wanted[recording.name] = true
		result := references[recording.reference].Run(t, newRuntime, recording.crashes...)
		if result.Crashes != len(recording.crashes) {
			t.Errorf("%s: %d of %d crashes came about", recording.name, result.Crashes, len(recording.crashes))
		}
		keep(t, recording.name, result, result.Runs[0].Stored.Events)
	}
	for name, damage := range damages {
		wanted[name] = true
		result := references["optional_failure"].Run(t, newRuntime)
		keep(t, name, result, damage(slices.Clone(result.Runs[0].Stored.Events)))
	}
	found, err := filepath.Glob(filepath.Join(historyDir, "*.jsonl"))
	if err != nil || len(found) != len(wanted) {
		t.Errorf("there are %d histories, %d are recorded: %v", len(found), len(wanted), err)
	}
	for _, path := range found {
		if !wanted[strings.TrimSuffix(filepath.Base(path), ".jsonl")] {
			t.Errorf("nobody knows how %s was recorded", path)
		}
	}
}

// keep writes a history, unless it is there: a line for the definition, and
// one for each event.
func keep(t *testing.T, name string, result enginetest.Trial, events []plan.Event) {
	t.Helper()
	path := filepath.Join(historyDir, name+".jsonl")
	if _, err := os.Stat(path); err == nil || !*record {
		return
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	write := func(value any) {
		if err := encoder.Encode(value); err != nil {
			t.Fatal(err)
		}
	}
	write(map[string]any{"definition": result.Runs[0].Stored.Document, "parameters": result.Runs[0].Stored.Execution.Parameters})
	for _, event := range events {
		event.ExecutionID = "e"
		if event.Private != nil && event.Private.IdempotencyKey != "" {
			private := *event.Private
			private.IdempotencyKey = "e/" + event.StepID
			event.Private = &private
		}
		write(map[string]any{"sub": event.Sub, "event": event})
	}
	if err := os.MkdirAll(historyDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
