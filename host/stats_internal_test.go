package host

import (
	"testing"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
)

func TestFiguresOfTimes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		count                int
		median, p95, longest float64
	}{{0, 0, 0, 0}, {1, 1, 1, 1}, {19, 10, 19, 19}, {20, 11, 19, 20}, {100, 51, 95, 100}} {
		var f Figures
		for n := c.count; n > 0; n-- {
			f.add(&engine.Execution{Status: plan.StatusSuccess, TotalTime: float64(n)})
		}
		f.finish()
		if f.MedianTime != c.median || f.P95Time != c.p95 || f.LongestTime != c.longest {
			t.Errorf("of %d times: median %v, p95 %v, longest %v", c.count, f.MedianTime, f.P95Time, f.LongestTime)
		}
	}
}
