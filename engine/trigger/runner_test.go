package trigger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/trigger"
)

const steps = "\nsteps: [{id: a, handler: flow.log, config: {message: hi}}]\n"

func everyMinute(policy string) string {
	return `name: Nightly
parameters: [{name: due, type: string}]
triggers: [{type: schedule, id: tick, cron: "* * * * *", catch_up: ` + policy + `, parameters: {due: "${trigger.due}"}}]` + steps
}

func TestAScheduleFiresAtItsTimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.boot()
		defer p.stop()
		p.save("w", everyMinute("none"))
		begun := time.Now()
		time.Sleep(10 * time.Minute)
		starts := p.wantStarts("w", 10)
		for i, request := range starts {
			want := begun.UTC().Truncate(time.Minute).Add(time.Duration(i+1) * time.Minute).Format(time.RFC3339)
			if got := parametersOf(t, request)["due"]; got != want || request.Trigger != "schedule" || request.By != "trigger:w.tick" {
				t.Errorf("start %d is for %v by %s, %s; want %s", i, got, request.Trigger, request.By, want)
			}
		}
		view := p.view("w.tick")
		if time.Until(view.Next) > time.Minute || len(view.Firings) != 10 || view.Firings[0].ExecutionID != "run-010" || view.Firings[0].Number != 10 {
			t.Errorf("it is seen as %+v", view)
		}
	})
}

func TestCase119AfterThreeDaysDownThePolicyDecides(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]struct{ starts, missed int }{
		"none": {1, 3*24*60 - 1}, "last": {1, 3*24*60 - 1}, "all": {trigger.MaxCatchUp, 3*24*60 - trigger.MaxCatchUp},
	} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				p.boot()
				p.save("w", everyMinute(policy))
				p.stop()
				time.Sleep(3*24*time.Hour + time.Second)
				p.boot()
				defer p.stop()
				starts := p.wantStarts("w", want.starts)
				if counts := p.outcomes("w.tick"); counts[trigger.Missed] != want.missed {
					t.Errorf("%d were missed, want %d", counts[trigger.Missed], want.missed)
				}
				last := ""
				for _, request := range starts {
					due := parametersOf(t, request)["due"].(string)
					if due <= last {
						t.Errorf("%s was started after %s", due, last)
					}
					last = due
				}
			})
		})
	}
}

func TestAScheduleThatIsTooLateDoesNotFireWithoutCatchUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.boot()
		p.save("w", strings.Replace(everyMinute("none"), "* * * * *", "0 * * * *", 1))
		p.stop()
		time.Sleep(90 * time.Minute)
		p.boot()
		defer p.stop()
		p.wantStarts("w", 0)
		f := p.view("w.tick").Firings
		if len(f) != 1 || f[0].Outcome != trigger.Missed || f[0].Due.Minute() != 0 || f[0].Reason != "the server was not running" {
			t.Errorf("kept are %+v", f)
		}
		time.Sleep(time.Hour)
		p.wantStarts("w", 1)
	})
}

func TestCase115AJumpOfTheClockIsNoBurst(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string]func(now time.Time) time.Time{
		"an hour on":   func(now time.Time) time.Time { return now.Add(time.Hour) },
		"an hour back": func(now time.Time) time.Time { return now.Add(-time.Hour) },
		"to 1970":      func(time.Time) time.Time { return time.Unix(1, 0) },
		"beyond 2038":  func(time.Time) time.Time { return time.Date(2040, 2, 3, 4, 5, 6, 0, time.UTC) },
	} {
		for _, policy := range []string{"none", "last", "all"} {
			t.Run(name+" "+policy, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					p := newPlace(t)
					p.boot()
					defer p.stop()
					p.save("w", everyMinute(policy))
					time.Sleep(5*time.Minute + time.Second)
					before := len(p.wantStarts("w", 5))
					truth := p.clock.Now()
					p.clock.set(jump(truth))
					time.Sleep(3*time.Minute + time.Second)
					synctest.Wait()
					if burst := len(p.startsOf("w")) - before; burst > 4 {
						t.Errorf("%d starts in three minutes after the jump", burst)
					}
					// And back again.
					before = len(p.startsOf("w"))
					p.clock.set(truth.Add(3 * time.Minute))
					time.Sleep(3*time.Minute + time.Second)
					synctest.Wait()
					if burst := len(p.startsOf("w")) - before; burst > 4 {
						t.Errorf("%d starts in three minutes after the jump back", burst)
					}
					firings := p.view("w.tick").Firings
					for i := 1; i < len(firings); i++ {
						newer, older := firings[i-1], firings[i]
						if newer.Number != older.Number+1 {
							t.Errorf("firing %d follows %d", newer.Number, older.Number)
						}
						if step := newer.At.Sub(older.At); step < 0 && step > -24*time.Hour {
							t.Errorf("firing %d is %s earlier than the one before", newer.Number, -step)
						}
					}
					seen := map[string]bool{}
					for _, request := range p.startsOf("w") {
						if due := parametersOf(t, request)["due"].(string); seen[due] {
							t.Errorf("%s was started twice", due)
						} else {
							seen[due] = true
						}
					}
					// The schedule lives on.
					before = len(p.startsOf("w"))
					time.Sleep(70 * time.Minute)
					synctest.Wait()
					if got := len(p.startsOf("w")) - before; got < 8 {
						t.Errorf("only %d starts in the seventy minutes after", got)
					}
				})
			})
		}
	}
}

func TestACrashBetweenTheStartAndItsRecordFiresOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.boot()
		p.save("w", everyMinute("last"))
		p.with(func() { p.failPut = errLost })
		time.Sleep(time.Minute)
		p.wantStarts("w", 1)
		p.stop()
		p.with(func() { p.failPut = nil })
		time.Sleep(10 * time.Second)
		p.boot()
		defer p.stop()
		p.wantStarts("w", 1)
		if f := p.view("w.tick").Firings; len(f) != 1 || f[0].Outcome != trigger.Fired || f[0].ExecutionID != "run-001" {
			t.Errorf("kept are %+v", f)
		}
	})
}

func TestARefusedStartIsKeptWithItsReason(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.boot()
		defer p.stop()
		p.save("w", everyMinute("none"))
		p.with(func() { p.refuse = engine.ErrStoreFull })
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		f := p.view("w.tick").Firings
		if len(f) != 1 || f[0].Outcome != trigger.Refused || f[0].Count != 3 || f[0].Reason != engine.ErrStoreFull.Error() {
			t.Errorf("kept are %+v", f)
		}
		p.with(func() { p.refuse = errors.New("open /secret/place: boom") })
		time.Sleep(time.Minute)
		synctest.Wait()
		if f := p.view("w.tick").Firings; len(f) != 2 || strings.Contains(f[0].Reason, "/secret") {
			t.Errorf("kept are %+v", f)
		}
		p.with(func() { p.refuse = nil })
		time.Sleep(time.Minute)
		p.wantStarts("w", 1)
	})
}

func TestAServerThatStopsDecidesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.boot()
		p.save("w", everyMinute("last"))
		p.with(func() { p.refuse = engine.ErrStopping })
		time.Sleep(time.Minute)
		synctest.Wait()
		if f := p.view("w.tick").Firings; len(f) != 0 {
			t.Errorf("kept are %+v", f)
		}
		p.stop()
		p.with(func() { p.refuse = nil })
		p.boot()
		defer p.stop()
		p.wantStarts("w", 1)
	})
}

func TestPausedTriggersRestAndResumedOnesGoOnFromNow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		p := newPlace(t)
		p.boot()
		p.save("w", everyMinute("all"))
		if view, err := p.runner.Pause(ctx, "w.tick", "ada"); err != nil || !view.Paused || view.PausedBy != "ada" || !view.Next.IsZero() {
			t.Fatalf("paused: %+v, %v", view, err)
		}
		time.Sleep(time.Hour)
		p.stop()
		p.boot()
		defer p.stop()
		p.wantStarts("w", 0)
		p.with(func() { p.failPut = errLost })
		if _, err := p.runner.Resume(ctx, "w.tick"); !errors.Is(err, errLost) || !p.view("w.tick").Paused {
			t.Errorf("a resume that is not kept: %v", err)
		}
		p.with(func() { p.failPut = nil })
		if view, err := p.runner.Resume(ctx, "w.tick"); err != nil || view.Paused || view.Next.IsZero() {
			t.Fatalf("resumed: %+v, %v", view, err)
		}
		p.wantStarts("w", 0)
		time.Sleep(2 * time.Minute)
		p.wantStarts("w", 2)
		if _, err := p.runner.Pause(ctx, "w.other", "ada"); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("a trigger that is not there: %v", err)
		}
	})
}

func TestATriggerIsFiredByHandAlsoWhilePaused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		p := newPlace(t)
		p.boot()
		defer p.stop()
		p.save("w", everyMinute("none"))
		if _, err := p.runner.Pause(ctx, "w.tick", "ada"); err != nil {
			t.Fatal(err)
		}
		execution, err := p.runner.Fire(ctx, "w.tick", "grace", nil)
		if err != nil || execution.By != "grace" || execution.Trigger != "schedule" {
			t.Errorf("fired: %+v, %v", execution, err)
		}
		if f := p.view("w.tick").Firings; len(f) != 1 || f[0].By != "grace" || f[0].ExecutionID != execution.ID {
			t.Errorf("kept are %+v", f)
		}
		if _, err := p.runner.Fire(ctx, "w.nothing", "grace", nil); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("a trigger that is not there: %v", err)
		}
	})
}

func TestTriggersFollowTheirWorkflow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		p := newPlace(t)
		p.boot()
		defer func() { p.stop() }()
		hook := "name: Hook\ntriggers: [{type: webhook, id: in}]" + steps
		p.save("w", hook)
		token := p.view("w.in").Token
		if len(token) != 43 {
			t.Errorf("the token is %q", token)
		}
		p.save("w", strings.Replace(hook, "Hook", "Renamed", 1))
		if view := p.view("w.in"); view.Token != token || view.WorkflowName != "Renamed" {
			t.Errorf("after a new revision: %+v", view)
		}
		// A draft rests, and keeps what it had.
		valid := p.workflows["w"]
		draft := valid
		draft.Draft = true
		p.workflows["w"] = draft
		p.changed("w")
		if _, err := p.runner.Hook(ctx, token, emptyCall()); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("the hook of a draft: %v", err)
		}
		if view := p.view("w.in"); !view.Draft {
			t.Errorf("a draft is seen as %+v", view)
		}
		p.stop()
		p.boot()
		p.workflows["w"] = valid
		p.changed("w")
		if _, err := p.runner.Hook(ctx, token, emptyCall()); err != nil {
			t.Errorf("the hook of a workflow that was a draft: %v", err)
		}
		// A trigger that is taken out takes its token along.
		p.save("w", "name: Hook"+steps)
		p.save("w", hook)
		if view := p.view("w.in"); view.Token == token || len(view.Firings) != 0 {
			t.Errorf("a trigger that was taken out came back: %+v", view)
		}
		delete(p.workflows, "w")
		p.changed("w")
		if views, err := p.runner.Triggers(ctx); err != nil || len(views) != 0 || len(p.records) != 0 {
			t.Errorf("after the deletion: %+v, %d records, %v", views, len(p.records), err)
		}
	})
}

func TestARecordOfAWorkflowThatIsGoneIsCleared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.records["gone.tick"] = []byte(`{}`)
		p.records["w.tick"] = []byte(`not JSON`)
		p.save("w", everyMinute("none"))
		p.boot()
		defer p.stop()
		time.Sleep(time.Minute)
		p.wantStarts("w", 1)
		if len(p.records) != 1 {
			t.Errorf("%d records are left", len(p.records))
		}
	})
}

func TestWithoutTriggersNothingWakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.boot()
		defer p.stop()
		for i := range 20 {
			p.save(fmt.Sprint("w", i), "name: Plain"+steps)
		}
		p.save("hook", "name: Hook\ntriggers: [{type: webhook}, {type: workflow, workflow: Plain}, {type: schedule, cron: \"* * * * *\", enabled: false}]"+steps)
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if n := p.clock.armed(); n != 0 {
			t.Errorf("%d timers were set in a day without a schedule or a watched file", n)
		}
	})
}

func emptyCall() *trigger.HookRequest {
	return &trigger.HookRequest{Body: func() (any, error) { return map[string]any{}, nil }}
}
