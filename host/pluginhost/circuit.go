package pluginhost

import "time"

// limits are the waits and bounds of a host; tests shorten them.
type limits struct {
	// stop is the ladder by which a process is stopped.
	stop ladder
	// describe is how long a plugin that is not known may take to start and
	// say what it offers.
	describe time.Duration
	// cancelGrace is how long a cancelled call may take to end.
	cancelGrace time.Duration
	// settle is how long a plugin folder must be quiet before it is looked
	// at.
	settle time.Duration
	// A running process is asked for its health so often, and must answer
	// within so long; after so many misses it is ended.
	healthEvery, healthLimit time.Duration
	healthMisses             int
	// memoryEvery is how often the memory of a process with calls is held
	// against its limit.
	memoryEvery time.Duration
	// After an abnormal exit the next start waits, each time twice as long.
	firstBackOff, maxBackOff time.Duration
	// So many abnormal exits within the window open the circuit for a while.
	circuitExits               int
	circuitWindow, circuitRest time.Duration
	// So many crashes within the window turn a version that was in use for
	// less than trial back to the one before.
	turnBackExits         int
	turnBackWindow, trial time.Duration
}

func standardLimits() limits {
	return limits{
		stop:     ladder{500 * time.Millisecond, 1500 * time.Millisecond, 2 * time.Second, 5 * time.Second, 15 * time.Second},
		describe: 5 * time.Second, cancelGrace: 5 * time.Second, settle: 500 * time.Millisecond,
		healthEvery: 15 * time.Second, healthLimit: 3 * time.Second, healthMisses: 3, memoryEvery: time.Second,
		firstBackOff: 250 * time.Millisecond, maxBackOff: 30 * time.Second,
		circuitExits: 5, circuitWindow: 2 * time.Minute, circuitRest: time.Minute,
		turnBackExits: 3, turnBackWindow: time.Minute, trial: 10 * time.Minute,
	}
}

// circuit decides when a process may be started after others ended
// abnormally: after a back-off, and where that happens too often only after a
// rest, when one call is let through on trial. It knows no clock.
type circuit struct {
	limits *limits
	exits  []time.Time
	wait   time.Duration
	notYet time.Time
	// open: it rests until notYet, and is on trial after that until a call
	// has ended well.
	open bool
}

// exited notes an abnormal exit, or a start that failed.
func (c *circuit) exited(now time.Time) {
	kept := c.exits[:0]
	for _, at := range c.exits {
		if now.Sub(at) < c.limits.circuitWindow {
			kept = append(kept, at)
		}
	}
	c.exits = append(kept, now)
	c.wait = min(max(2*c.wait, c.limits.firstBackOff), c.limits.maxBackOff)
	if c.open || len(c.exits) >= c.limits.circuitExits {
		c.open, c.wait = true, c.limits.circuitRest
	}
	c.notYet = now.Add(c.wait)
}

// worked notes a call whose end is known: the process is a good one.
func (c *circuit) worked() {
	c.wait = 0
	if c.open {
		c.open, c.exits = false, nil
	}
}

// resting reports whether nothing may be started, and no call be taken,
// before notYet.
func (c *circuit) resting(now time.Time) bool { return c.open && now.Before(c.notYet) }

// onTrial reports whether one call at a time is let through.
func (c *circuit) onTrial(now time.Time) bool { return c.open && !now.Before(c.notYet) }

// crashes counts the abnormal exits of the last while.
func (c *circuit) crashes(now time.Time, within time.Duration) int {
	recent := 0
	for _, at := range c.exits {
		if now.Sub(at) < within {
			recent++
		}
	}
	return recent
}
