package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine/trigger"
	"github.com/vwmp/vwmp/engine/workflow/timezone"
	"github.com/vwmp/vwmp/store"
)

// The attack table's cases of time. A server can't be given another clock, but
// a data folder can be older: what a trigger had handled last is set back while
// no server runs, as if none had run since.

// handledAt stops the server, lets its triggers have handled nothing later than
// a time, and starts it again.
func (r *running) handledAt(at time.Time) {
	r.t.Helper()
	r.stop()
	ctx := r.t.Context()
	s, err := store.Open(ctx, store.Options{Dir: r.data})
	if err != nil {
		r.t.Fatal(err)
	}
	records, err := s.TriggerRecords(ctx)
	if err != nil || len(records) == 0 {
		r.t.Fatalf("%d triggers are kept: %v", len(records), err)
	}
	for id, raw := range records {
		var record map[string]any
		if err := json.Unmarshal(raw, &record); err != nil {
			r.t.Fatal(err)
		}
		if record["handled"] == nil || record["since"] == nil {
			r.t.Fatalf("the record of %s is %s", id, raw)
		}
		record["handled"], record["since"] = at, at
		if raw, err = json.Marshal(record); err != nil {
			r.t.Fatal(err)
		}
		if err := s.PutTriggerRecord(ctx, id, raw); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		r.t.Fatal(err)
	}
	r.begin()
}

func scheduled(cron, zone, policy string) string {
	return fmt.Sprintf(`name: Due
parameters: [{name: due, type: string}]
triggers: [{type: schedule, id: tick, cron: %q, timezone: %q, catch_up: %s, parameters: {due: "${trigger.due}"}}]
`, cron, zone, policy) + logSteps
}

// lastDoubledHour is the day on which New York last had an hour twice, and the
// instant at which its clock was set back.
func lastDoubledHour(t *testing.T) (back time.Time) {
	t.Helper()
	// The program carries the time zones, so that no machine must know them.
	zone, err := timezone.Load("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for at := time.Now().In(zone); ; at = back.Add(-time.Second) {
		back, _ = at.ZoneBounds()
		if !at.IsDST() {
			return back
		}
	}
}

func TestCase117AnHourThatComesTwiceStartsOneExecution(t *testing.T) {
	r := underAttack(t)
	back := lastDoubledHour(t)
	_, month, day := back.Date()
	// The clock is set back from 2:00 to 1:00, so that 1:30 is half an hour
	// before, and half an hour after.
	r.importText("twice", scheduled(fmt.Sprintf("30 1 %d %d *", day, month), "America/New_York", "all"))
	listed, err := exec.CommandContext(t.Context(), "vwmp", "trigger", "list", "-o", "json", "--data", r.data).Output()
	if next := r.trigger("twice.tick").NextDue; err != nil || next.IsZero() || !strings.Contains(string(listed), next.Format(time.RFC3339)) {
		t.Errorf("the command does not list that it is due at %s: %v\n%s", next, err, listed)
	}
	r.handledAt(back.Add(-3 * time.Hour))
	r.await("the schedule fired", func() bool { return r.trigger("twice.tick").LastFiring != nil })
	want := back.Add(-30 * time.Minute).UTC()
	if v := r.trigger("twice.tick"); len(v.Firings) != 1 || v.Firings[0].Outcome != "fired" || v.Firings[0].Count > 1 || !v.Firings[0].Due.Equal(want) || v.NextDue.Before(time.Now()) {
		t.Errorf("kept are %+v, next %s; want one firing, due at %s", v.Firings, v.NextDue, want)
	}
	if all := r.executionsOf("twice"); len(all) != 1 || !strings.Contains(string(r.finish(all[0].ID).Parameters), want.Format(time.RFC3339)) {
		t.Errorf("the executions are %+v", all)
	}
}

func TestCase119ThreeDaysDownAreCaughtUpByPolicy(t *testing.T) {
	r := underAttack(t)
	// Every minute of the hour that is farthest from now: nothing is due while
	// the test runs, and 180 times were in the three days.
	cron := fmt.Sprintf("* %d * * *", (time.Now().UTC().Hour()+12)%24)
	const due = 3 * 60
	wants := map[string]int{"none": 0, "last": 1, "all": trigger.MaxCatchUp}
	for policy := range wants {
		r.importText(policy, scheduled(cron, "UTC", policy))
	}
	now := time.Now().UTC()
	last := now.Truncate(24 * time.Hour).Add(time.Duration((now.Hour()+12)%24)*time.Hour + 59*time.Minute)
	if last.After(now) {
		last = last.Add(-24 * time.Hour)
	}
	r.handledAt(now.Add(-3 * 24 * time.Hour))
	for policy, want := range wants {
		r.await(policy+" has decided", func() bool {
			f := r.trigger(policy + ".tick").LastFiring
			return f != nil && (f.Due.Equal(last) || f.Until.Equal(last))
		})
		if got := r.started(policy); got != want {
			t.Errorf("%s started %d executions, want %d", policy, got, want)
		}
		v, missed := r.trigger(policy+".tick"), 0
		for _, f := range v.Firings {
			if f.Outcome == "missed" {
				missed += max(f.Count, 1)
			}
		}
		// The newest firings are kept, so that what was missed before a
		// hundred others is not.
		if want < trigger.MaxFirings && missed != due-want {
			t.Errorf("%s tells of %d that were missed, want %d", policy, missed, due-want)
		}
		if v.NextDue.Before(now) {
			t.Errorf("%s is due at %s", policy, v.NextDue)
		}
	}
}

// started counts the executions of a workflow, at most 1,000.
func (r *running) started(workflow string) int {
	r.t.Helper()
	var answer struct {
		Executions []json.RawMessage `json:"executions"`
	}
	r.call("GET", "/executions/?limit=1000&workflow_id="+workflow, "", "", 200, &answer)
	return len(answer.Executions)
}
