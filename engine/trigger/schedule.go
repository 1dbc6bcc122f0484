package trigger

import (
	"fmt"
	"math/bits"
	"time"

	"github.com/vwmp/vwmp/engine/workflow"
	zones "github.com/vwmp/vwmp/engine/workflow/timezone"
)

// Schedule is a cron expression in a time zone.
//
// Where the clock changes, a fixed hour that is skipped runs once, at the
// first instant after the gap, and one that is doubled once, at its first
// occurrence. An expression whose hour is a wildcard or a step follows the
// clock on the wall as time passes: it has no run in an hour that there is
// not, and runs in both of two.
type Schedule struct {
	cron workflow.Cron
	zone *time.Location
}

// ParseSchedule reads a cron expression of five fields and the name of a time
// zone. Its errors are those that saving a workflow reports.
func ParseSchedule(cron, timezone string) (*Schedule, error) {
	parsed, err := workflow.ParseCron(cron)
	if err != nil {
		return nil, fmt.Errorf("cron %w", err)
	}
	if timezone == "" || timezone == "Local" {
		return nil, fmt.Errorf("time zone %q: it would mean whatever the machine is set to", timezone)
	}
	zone, err := zones.Load(timezone)
	if err != nil {
		return nil, fmt.Errorf("time zone %q: %w", timezone, err)
	}
	return &Schedule{cron: parsed, zone: zone}, nil
}

// Next returns the first time later than after at which the schedule is due,
// in UTC; it is zero where that is beyond the calendar. See Schedule for the
// rules, and ParseSchedule for the errors.
func Next(cron, timezone string, after time.Time) (time.Time, error) {
	schedule, err := ParseSchedule(cron, timezone)
	if err != nil {
		return time.Time{}, err
	}
	return schedule.Next(after), nil
}

// horizon is how many years are searched: the 29th of February may be eight
// years away, and with a weekday beside it no farther.
const horizon = 9

// Next returns the first time later than after at which the schedule is due,
// in UTC; it is zero where there is none within nine years.
func (s *Schedule) Next(after time.Time) time.Time {
	after = after.Round(0)
	if s.cron.FixedHours {
		return s.nextFixed(after)
	}
	return s.nextElapsed(after)
}

// wall is the clock on the wall, written as if it were UTC.
func (s *Schedule) wall(t time.Time) time.Time {
	_, offset := t.In(s.zone).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// nextFixed goes through the times on the wall. A later one never stands for
// an earlier instant, so that the first that is later than after is the one.
func (s *Schedule) nextFixed(after time.Time) time.Time {
	wall := s.wall(after).Truncate(time.Minute)
	for {
		wall = s.nextOnWall(wall)
		if wall.IsZero() {
			return time.Time{}
		}
		if t := s.instant(wall); t.After(after) {
			return t
		}
		wall = wall.Add(time.Minute)
	}
}

// nextElapsed goes through the stretches of time between two changes of the
// clock; within one, the wall and the instant differ by a fixed offset.
func (s *Schedule) nextElapsed(after time.Time) time.Time {
	from := after.UTC().Truncate(time.Second).Add(time.Second)
	for last := after.AddDate(horizon, 0, 0); from.Before(last); {
		_, end := from.In(s.zone).ZoneBounds()
		wall := s.wall(from)
		if up := wall.Truncate(time.Minute); up.Before(wall) {
			wall = up.Add(time.Minute)
		}
		found := s.nextOnWall(wall)
		if !found.IsZero() {
			_, offset := from.In(s.zone).Zone()
			if t := found.Add(-time.Duration(offset) * time.Second); end.IsZero() || t.Before(end) {
				return t
			}
		}
		if end.IsZero() {
			return time.Time{}
		}
		from = end.UTC()
	}
	return time.Time{}
}

// instant is when the clock on the wall first shows a time, or the first
// instant after the gap that swallows it.
func (s *Schedule) instant(wall time.Time) time.Time {
	near := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), 0, 0, s.zone)
	start, end := near.ZoneBounds()
	var first time.Time
	try := func(t time.Time) {
		_, offset := t.Zone()
		if found := wall.Add(-time.Duration(offset) * time.Second); s.wall(found).Equal(wall) && (first.IsZero() || found.Before(first)) {
			first = found
		}
	}
	try(near)
	for _, change := range []time.Time{start, end} {
		if change.IsZero() {
			continue
		}
		before := change.Add(-time.Second)
		try(before)
		try(change)
		if first.IsZero() && s.wall(before).Before(wall) && wall.Before(s.wall(change)) {
			first = change.UTC()
		}
	}
	return first
}

// nextOnWall returns the first time on the wall, from the given minute on, that
// the expression names; zero where there is none within the horizon.
func (s *Schedule) nextOnWall(wall time.Time) time.Time {
	c := &s.cron
	year, month, day := wall.Date()
	hour, minute := wall.Hour(), wall.Minute()
	for last := year + horizon; year <= last; {
		if c.Months&(1<<month) == 0 {
			if next := after(c.Months, int(month)+1); next >= 0 {
				month = time.Month(next)
			} else {
				year, month = year+1, time.Month(after(c.Months, 1))
			}
			day, hour, minute = 1, 0, 0
			continue
		}
		if !s.dayMatches(year, month, day) {
			hour, minute = 0, 0
		} else {
			if h := after(c.Hours, hour); h != hour {
				hour, minute = h, 0
			}
			if hour >= 0 {
				if m := after(c.Minutes, minute); m >= 0 {
					return time.Date(year, month, day, hour, m, 0, 0, time.UTC)
				}
				if hour = after(c.Hours, hour+1); hour >= 0 {
					return time.Date(year, month, day, hour, after(c.Minutes, 0), 0, 0, time.UTC)
				}
			}
			hour, minute = 0, 0
		}
		year, month, day = time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC).Date()
	}
	return time.Time{}
}

func (s *Schedule) dayMatches(year int, month time.Month, day int) bool {
	c := &s.cron
	inDays := c.Days&(1<<day) != 0
	inWeek := c.Weekdays&(1<<time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday()) != 0
	switch {
	case c.EveryDay:
		return inWeek
	case c.EveryWeekday:
		return inDays
	}
	return inDays || inWeek
}

// after returns the first number of a set that is not below least, or -1.
func after(set uint64, least int) int {
	if least > 63 {
		return -1
	}
	if rest := set >> least; rest != 0 {
		return least + bits.TrailingZeros64(rest)
	}
	return -1
}
