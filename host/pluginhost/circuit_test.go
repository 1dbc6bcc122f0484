package pluginhost

import (
	"testing"
	"time"
)

// The circuit knows no clock, so that its minutes cost nothing here.
func TestTheBackOffDoublesAndTheCircuitOpens(t *testing.T) {
	l := standardLimits()
	c, now := circuit{limits: &l}, time.Unix(1e9, 0)
	for n, due := range []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second} {
		c.exited(now)
		if got := c.notYet.Sub(now); got != due || c.open {
			t.Errorf("after %d exits it waits %s, open %v", n+1, got, c.open)
		}
		now = c.notYet
	}
	c.exited(now)
	if got := c.notYet.Sub(now); !c.open || got != time.Minute || !c.resting(now) || c.onTrial(now) {
		t.Errorf("after five exits it waits %s, open %v", got, c.open)
	}
	now = c.notYet
	if c.resting(now) || !c.onTrial(now) {
		t.Error("after its rest it is not on trial")
	}
	// A trial that fails is another rest, one that does not is the end of it.
	c.exited(now)
	if got := c.notYet.Sub(now); !c.resting(now) || got != time.Minute {
		t.Errorf("after a failed trial it waits %s", got)
	}
	now = c.notYet
	c.worked()
	if c.open || c.onTrial(now) {
		t.Error("after a good trial it is still open")
	}
	c.exited(now)
	if got := c.notYet.Sub(now); c.open || got != 250*time.Millisecond {
		t.Errorf("the first exit after that waits %s, open %v", got, c.open)
	}
}

func TestExitsFarApartOpenNoCircuitAndWaitAtMostThirtySeconds(t *testing.T) {
	l := standardLimits()
	c, now := circuit{limits: &l}, time.Unix(1e9, 0)
	for range 20 {
		c.exited(now)
		now = now.Add(31 * time.Second)
	}
	if got := c.wait; c.open || got != 30*time.Second {
		t.Errorf("it waits %s, open %v", got, c.open)
	}
}

func TestCrashesAreCountedWithinTheirWindow(t *testing.T) {
	l := standardLimits()
	c, now := circuit{limits: &l}, time.Unix(1e9, 0)
	c.exited(now)
	c.exited(now.Add(50 * time.Second))
	c.exited(now.Add(70 * time.Second))
	if got := c.crashes(now.Add(70*time.Second), time.Minute); got != 2 {
		t.Errorf("%d crashes within a minute", got)
	}
}
