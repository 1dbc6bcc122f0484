package trigger_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/trigger"
)

const afterBuild = `name: After
parameters: [{name: cause, type: string}]
triggers: [{type: workflow, id: build, workflow: build, parameters: {cause: "${trigger.execution_id}"}}]` + steps

func TestAnEndOfTheWatchedWorkflowFires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.save("build", "name: Build"+steps)
		p.save("other", "name: Other"+steps)
		p.boot()
		defer p.stop()
		early := p.run("build")
		p.end(early, plan.StatusSuccess, true)
		p.save("after", afterBuild)
		p.save("named", strings.Replace(strings.Replace(afterBuild, "workflow: build", "workflow: Build, statuses: [failed]", 1), "After", "Named", 1))
		p.wantStarts("after", 0)
		good, bad, other := p.run("build"), p.run("build"), p.run("other")
		p.end(other, plan.StatusSuccess, true)
		p.end(bad, plan.StatusFailed, true)
		p.end(good, plan.StatusSuccess, true)
		p.end(good, plan.StatusSuccess, true) // Told twice.
		starts := p.wantStarts("after", 1)
		if got := parametersOf(t, starts[0])["cause"]; got != good || starts[0].Trigger != "workflow" {
			t.Errorf("started for %v by %s", got, starts[0].Trigger)
		}
		if named := p.wantStarts("named", 1); parametersOf(t, named[0])["cause"] != bad {
			t.Errorf("the other was started for %s", named[0].Parameters)
		}
	})
}

func TestAnEndThatNobodyToldOfFiresAtTheNextStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.save("build", "name: Build"+steps)
		p.save("after", afterBuild)
		p.boot()
		long := p.run("build") // It outlives many that begin after it.
		for range 5 {
			time.Sleep(time.Minute)
			p.end(p.run("build"), plan.StatusSuccess, true)
		}
		p.wantStarts("after", 5)
		time.Sleep(time.Minute)
		p.stop()
		p.end(long, plan.StatusSuccess, false)
		failed := p.run("build")
		p.end(failed, plan.StatusFailed, false)
		time.Sleep(50 * time.Hour)
		p.boot()
		starts := p.wantStarts("after", 6)
		if got := parametersOf(t, starts[5])["cause"]; got != long {
			t.Errorf("started for %v, want %s", got, long)
		}
		p.stop()
		// Nothing was missed by now, whatever was lost of the keys.
		clear(p.keys)
		p.boot()
		defer p.stop()
		p.wantStarts("after", 6)
	})
}

func TestACrashBetweenAnEndAndItsFiringFiresOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.save("build", "name: Build"+steps)
		p.save("after", afterBuild)
		p.boot()
		time.Sleep(time.Minute)
		p.with(func() { p.failPut = errLost })
		p.end(p.run("build"), plan.StatusSuccess, true)
		p.wantStarts("after", 1)
		p.stop()
		p.with(func() { p.failPut = nil })
		p.boot()
		defer p.stop()
		p.wantStarts("after", 1)
		if counts := p.outcomes("after.build"); counts[trigger.Fired] != 1 {
			t.Errorf("kept are %v", counts)
		}
	})
}

func TestEndsInAFloodAreReadFromTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.save("build", "name: Build"+steps)
		p.save("after", afterBuild)
		p.boot()
		defer p.stop()
		time.Sleep(time.Minute)
		p.hold = make(chan struct{})
		p.end(p.run("build"), plan.StatusSuccess, true)
		synctest.Wait() // The first start is held, and nobody takes ends.
		for range 3000 {
			p.end(p.run("build"), plan.StatusFailed, true)
		}
		last := p.run("build")
		p.end(last, plan.StatusSuccess, true)
		close(p.hold)
		starts := p.wantStarts("after", 2)
		if got := parametersOf(t, starts[1])["cause"]; got != last {
			t.Errorf("started for %v, want %s", got, last)
		}
	})
}

func TestAtMostAHundredMissedEndsAreMadeUpFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.save("build", "name: Build"+steps)
		p.save("after", afterBuild)
		p.boot()
		p.stop()
		for range trigger.MaxCatchUp + 20 {
			time.Sleep(time.Minute)
			p.end(p.run("build"), plan.StatusSuccess, false)
		}
		p.boot()
		defer p.stop()
		p.wantStarts("after", trigger.MaxCatchUp)
		if counts := p.outcomes("after.build"); counts[trigger.Missed] != 20 {
			t.Errorf("kept are %v", counts)
		}
	})
}

func TestACircleOfWorkflowsEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		// a starts b, b starts a, and both start themselves as well.
		for _, pair := range [][2]string{{"a", "b"}, {"b", "a"}} {
			p.save(pair[0], fmt.Sprintf("name: %s\ntriggers: [{type: workflow, id: next, workflow: %s}]%s", pair[0], pair[1], steps))
		}
		p.boot()
		defer func() { p.stop() }()
		current := p.run("a")
		for link := range 3 * trigger.MaxChain {
			before := len(p.started)
			if link == 7 {
				// The chain is known also after a new start.
				p.stop()
				p.boot()
			}
			time.Sleep(time.Second)
			p.end(current, plan.StatusSuccess, true)
			synctest.Wait()
			if len(p.started) == before {
				if link != trigger.MaxChain {
					t.Errorf("the circle ended after %d links, want %d", link, trigger.MaxChain)
				}
				refused := p.outcomes("a.next")[trigger.Refused] + p.outcomes("b.next")[trigger.Refused]
				if refused != 1 {
					t.Errorf("%d firings were refused, want 1", refused)
				}
				return
			}
			current = fmt.Sprintf("run-%03d", len(p.started))
		}
		t.Error("the circle goes on for ever")
	})
}

func TestACircleThroughAChildEndsToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		// The end of a starts b, of which a is a child.
		p.save("a", "name: A"+steps)
		p.save("b", "name: B\ntriggers: [{type: workflow, id: next, workflow: a}]"+steps)
		p.boot()
		defer p.stop()
		child := p.run("a")
		for link := range trigger.MaxChain + 1 {
			p.end(child, plan.StatusSuccess, true)
			parents := p.wantStarts("b", min(link+1, trigger.MaxChain))
			parent := fmt.Sprintf("run-%03d", 2*len(parents))
			child = p.run("a")
			p.with(func() {
				run := p.runs[child]
				run.Trigger, run.Parent = engine.TriggerChild, &plan.Parent{ExecutionID: parent}
				p.runs[child] = run
			})
		}
		if refused := p.outcomes("b.next")[trigger.Refused]; refused != 1 {
			t.Errorf("%d firings were refused, want 1", refused)
		}
	})
}

func TestAnEndThatItsAuthorMayNotSeeFiresNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.save("build", "name: Build"+steps)
		p.save("after", afterBuild)
		p.save("own", strings.Replace(afterBuild, "name: After", "name: Own", 1))
		p.with(func() { p.unseen = map[string]bool{"after build": true} })
		p.boot()
		defer p.stop()
		p.end(p.run("build"), plan.StatusSuccess, true)
		p.wantStarts("own", 1)
		p.wantStarts("after", 0)
		views, err := p.runner.Triggers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, view := range views {
			if view.WorkflowID == "after" && len(view.Firings) > 0 {
				t.Errorf("it tells of %v", view.Firings)
			}
		}
		p.with(func() { p.unseen = nil })
		p.end(p.run("build"), plan.StatusSuccess, true)
		p.wantStarts("after", 1)
	})
}
