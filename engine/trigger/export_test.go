package trigger

import (
	"time"

	"github.com/vwmp/vwmp/engine/workflow"
)

// MatchGlob reports whether a pattern of a file trigger matches a path.
func MatchGlob(glob, name string) bool {
	_, match := compileGlob(glob)
	return match.MatchString(name)
}

// Decide says what becomes of what was due, for tests.
func Decide(schedule *Schedule, after, now time.Time, policy workflow.CatchUp, atStart bool) (run []time.Time, missed int, first, last time.Time) {
	o := decide(schedule, after, now, policy, atStart)
	return o.run, o.missed, o.first, o.last
}
