package host

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
)

// Bounds of what the figures look at: the newest executions, a page at a
// time, and how long they are good for where nothing seems to have changed.
const (
	maxTallied = 10000
	tallyPage  = 500
	tallyLife  = time.Minute

	defaultDays = 30
	maxDays     = 365
)

type counts struct {
	Workflows  int  `json:"workflows"`
	Executions int  `json:"executions"`
	Live       int  `json:"live" doc:"Executions that have not ended"`
	StoreFull  bool `json:"store_full" doc:"The disk has no room for new executions"`
	Tally
}

// Tally is figures about the executions of some days. It is exported only so
// that the description sees its fields, as Figures is.
type Tally struct {
	Since      time.Time         `json:"since" doc:"From when on executions are counted by day and by workflow"`
	Complete   bool              `json:"complete" doc:"false where there were so many that only the newest 10,000 are counted"`
	Last       Figures           `json:"last_24h" doc:"Of the executions that were created in the last 24 hours"`
	Previous   Figures           `json:"previous_24h" doc:"Of those in the 24 hours before"`
	ByDay      []dayFigures      `json:"by_day" nullable:"false" doc:"The oldest first; days without an execution too"`
	ByWorkflow []workflowFigures `json:"by_workflow" nullable:"false" doc:"Those executed most first"`

	now time.Time
}

// Figures count executions by how they ended; times are of those that ended.
type Figures struct {
	Total       int     `json:"total"`
	Live        int     `json:"live"`
	Success     int     `json:"success"`
	Partial     int     `json:"partial"`
	Failed      int     `json:"failed"`
	Cancelled   int     `json:"cancelled"`
	AverageTime float64 `json:"average_time" doc:"Seconds"`
	MedianTime  float64 `json:"median_time" doc:"Seconds"`
	P95Time     float64 `json:"p95_time" doc:"Seconds that 95 of 100 did not exceed"`
	LongestTime float64 `json:"longest_time" doc:"Seconds"`

	times []float64
}

type dayFigures struct {
	Date string `json:"date" format:"date" doc:"In UTC"`
	Figures
}

type workflowFigures struct {
	WorkflowID   string      `json:"workflow_id"`
	WorkflowName string      `json:"workflow_name" doc:"As the newest execution has it"`
	LastStatus   plan.Status `json:"last_status"`
	LastExecuted time.Time   `json:"last_executed"`
	Figures
}

func (s *Server) getStats(c *fiber.Ctx, _ any) (int, any, error) {
	ctx := c.UserContext()
	days, err := wholeNumber(c, "days", defaultDays, maxDays)
	if err != nil {
		return 0, nil, err
	}
	var stats data.Stats
	if s.Stats != nil {
		stats, err = s.Stats(ctx)
	} else {
		_, stats.Workflows, err = s.Workflows.Workflows(ctx, data.WorkflowFilter{Limit: 1})
	}
	if err != nil {
		return 0, nil, err
	}
	hidden, err := s.hidden(ctx, infoOf(ctx).who)
	if err != nil {
		return 0, nil, err
	}
	tally, err := s.tallyFor(ctx, days, &stats, hidden)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, counts{
		Workflows: stats.Workflows, Executions: stats.Executions, Live: stats.Live, StoreFull: stats.Full, Tally: *tally,
	}, nil
}

// tallyFor returns the figures that somebody may see. Who sees all shares
// them with others; for whoever does not, they and the counts are made anew.
func (s *Server) tallyFor(ctx context.Context, days int, stats *data.Stats, hidden map[string]bool) (*Tally, error) {
	if len(hidden) == 0 {
		return s.tallied(ctx, days, *stats)
	}
	var err error
	if _, stats.Workflows, err = s.Workflows.Workflows(ctx, data.WorkflowFilter{Limit: 1, Hidden: hidden}); err != nil {
		return nil, err
	}
	now := s.now().UTC()
	tally, err := s.count(ctx, now, now.Truncate(24*time.Hour).AddDate(0, 0, 1-days), days, hidden)
	if err != nil {
		return nil, err
	}
	stats.Executions, stats.Live = 0, 0
	for i := range tally.ByWorkflow {
		stats.Executions += tally.ByWorkflow[i].Total
		stats.Live += tally.ByWorkflow[i].Live
	}
	return tally, nil
}

// tallyCache keeps the last figures: a dashboard asks again and again, and
// most of the time nothing has begun or ended meanwhile.
type tallyCache struct {
	mu   sync.Mutex
	key  tallyKey
	made time.Time
	last *Tally
}

type tallyKey struct {
	days, executions, live int
	today                  time.Time
}

// tallied returns the figures of the last days. One caller at a time makes
// them, and the others take what that one found.
func (s *Server) tallied(ctx context.Context, days int, stats data.Stats) (*Tally, error) {
	now := s.now().UTC()
	key := tallyKey{days, stats.Executions, stats.Live, now.Truncate(24 * time.Hour)}
	c := &s.tally
	c.mu.Lock()
	defer c.mu.Unlock()
	// Without counts nothing tells whether something has changed.
	if s.Stats != nil && c.last != nil && c.key == key && now.Sub(c.made) < tallyLife {
		return c.last, nil
	}
	made, err := s.count(ctx, now, key.today.AddDate(0, 0, 1-days), days, nil)
	if err != nil {
		return nil, err
	}
	c.key, c.made, c.last = key, now, made
	return made, nil
}

// count looks at the executions of some days from since on, and at those of
// the last 48 hours, which may begin earlier.
func (s *Server) count(ctx context.Context, now, since time.Time, days int, hidden map[string]bool) (*Tally, error) {
	t := &Tally{Since: since, Complete: true, ByDay: make([]dayFigures, days), ByWorkflow: []workflowFigures{}, now: now}
	for i := range t.ByDay {
		t.ByDay[i].Date = since.AddDate(0, 0, i).Format(time.DateOnly)
	}
	places := map[string]int{}
	filter := data.ExecutionFilter{Since: since, Limit: tallyPage, Hidden: hidden}
	if earlier := now.Add(-48 * time.Hour); earlier.Before(since) {
		filter.Since = earlier
	}
	for seen := 0; ; {
		page, next, err := s.Executions.Executions(ctx, filter)
		if err != nil {
			return nil, err
		}
		for i := range page {
			t.add(&page[i], places)
		}
		if seen += len(page); next == "" {
			break
		}
		if seen >= maxTallied {
			t.Complete = false
			if last := page[len(page)-1].CreatedAt; last.After(since) {
				t.Since = last
			}
			break
		}
		filter.Cursor = next
	}
	t.finish()
	return t, nil
}

// add counts an execution; the newest come first.
func (t *Tally) add(e *engine.Execution, places map[string]int) {
	switch age := t.now.Sub(e.CreatedAt); {
	case age <= 24*time.Hour:
		t.Last.add(e)
	case age <= 48*time.Hour:
		t.Previous.add(e)
	}
	if e.CreatedAt.Before(t.Since) {
		return
	}
	if day := int(e.CreatedAt.Sub(t.Since) / (24 * time.Hour)); day < len(t.ByDay) {
		t.ByDay[day].add(e)
	}
	at, known := places[e.WorkflowID]
	if !known {
		at = len(t.ByWorkflow)
		places[e.WorkflowID] = at
		t.ByWorkflow = append(t.ByWorkflow, workflowFigures{
			WorkflowID: e.WorkflowID, WorkflowName: e.WorkflowName, LastStatus: e.Status, LastExecuted: e.CreatedAt,
		})
	}
	t.ByWorkflow[at].add(e)
}

// finish makes figures of what was added, and puts the workflows in order.
func (t *Tally) finish() {
	t.Last.finish()
	t.Previous.finish()
	for i := range t.ByDay {
		t.ByDay[i].finish()
	}
	for i := range t.ByWorkflow {
		t.ByWorkflow[i].finish()
	}
	slices.SortStableFunc(t.ByWorkflow, func(a, b workflowFigures) int { return cmp.Compare(b.Total, a.Total) })
}

func (f *Figures) add(e *engine.Execution) {
	f.Total++
	switch e.Status {
	case plan.StatusSuccess:
		f.Success++
	case plan.StatusPartial:
		f.Partial++
	case plan.StatusFailed:
		f.Failed++
	case plan.StatusCancelled:
		f.Cancelled++
	default:
		f.Live++
		return
	}
	f.times = append(f.times, e.TotalTime)
}

// finish makes figures of the times, and forgets them.
func (f *Figures) finish() {
	if len(f.times) == 0 {
		return
	}
	slices.Sort(f.times)
	for _, seconds := range f.times {
		f.AverageTime += seconds / float64(len(f.times))
	}
	last := len(f.times) - 1
	f.MedianTime, f.P95Time, f.LongestTime = f.times[len(f.times)/2], f.times[(len(f.times)*95+99)/100-1], f.times[last]
	f.times = nil
}
