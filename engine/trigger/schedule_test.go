package trigger_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // The zones must not depend on the machine.

	"pgregory.net/rapid"

	"github.com/vwmp/vwmp/engine/trigger"
	"github.com/vwmp/vwmp/engine/workflow"
)

// runs lists when a schedule is due in (from, until], on its own wall.
func runs(t *testing.T, cron, zone, from, until string) []string {
	t.Helper()
	schedule, err := trigger.ParseSchedule(cron, zone)
	if err != nil {
		t.Fatal(err)
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	at, last := instant(t, from), instant(t, until)
	var list []string
	for {
		next := schedule.Next(at)
		if next.IsZero() || next.After(last) {
			return list
		}
		if !next.After(at) {
			t.Fatalf("%s in %s: %s does not follow %s", cron, zone, next, at)
		}
		list = append(list, next.In(location).Format("01-02 15:04 -0700"))
		at = next
	}
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestCase117SchedulesKeepTheRulesOfClockChanges(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, cron, zone, from, until string
		want                          []string
	}{
		{"case 117: an hour that comes twice gives one run", "30 1 * * *", "America/New_York", "2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00", []string{"11-01 01:30 -0400"}},
		{"a doubled fixed hour in Berlin", "30 2 * * *", "Europe/Berlin", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", []string{"10-25 02:30 +0200"}},
		{"every minute of a doubled fixed hour runs once", "*/20 2 * * *", "Europe/Berlin", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", []string{"10-25 02:00 +0200", "10-25 02:20 +0200", "10-25 02:40 +0200"}},
		{"a skipped fixed hour runs at the first instant after the gap", "30 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", []string{"03-29 03:00 +0200"}},
		{"a skipped fixed hour in New York", "15 2 * * *", "America/New_York", "2026-03-08T00:00:00-05:00", "2026-03-09T00:00:00-04:00", []string{"03-08 03:00 -0400"}},
		{"all of a skipped hour is one run", "* 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", []string{"03-29 03:00 +0200"}},
		{"a range of fixed hours does not run twice at the gap's end", "0,30 1-3 * * *", "Europe/Berlin", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", []string{"03-29 01:00 +0100", "03-29 01:30 +0100", "03-29 03:00 +0200", "03-29 03:30 +0200"}},
		{"a skipped half hour on Lord Howe", "15 2 * * *", "Australia/Lord_Howe", "2026-10-04T00:00:00+10:30", "2026-10-05T00:00:00+11:00", []string{"10-04 02:30 +1100"}},
		{"a doubled half hour on Lord Howe", "45 1 * * *", "Australia/Lord_Howe", "2026-04-05T00:00:00+11:00", "2026-04-06T00:00:00+10:30", []string{"04-05 01:45 +1100"}},
		{"a wildcard hour follows elapsed time at a gap", "0 * * * *", "Europe/Berlin", "2026-03-29T00:30:00+01:00", "2026-03-29T05:00:00+02:00", []string{"03-29 01:00 +0100", "03-29 03:00 +0200", "03-29 04:00 +0200", "03-29 05:00 +0200"}},
		{"a wildcard hour follows elapsed time at a doubled hour", "0 * * * *", "Europe/Berlin", "2026-10-25T00:30:00+02:00", "2026-10-25T03:00:00+01:00", []string{"10-25 01:00 +0200", "10-25 02:00 +0200", "10-25 02:00 +0100", "10-25 03:00 +0100"}},
		{"a step of hours follows the wall", "30 */2 * * *", "Europe/Berlin", "2026-10-25T01:00:00+02:00", "2026-10-25T05:00:00+01:00", []string{"10-25 02:30 +0200", "10-25 02:30 +0100", "10-25 04:30 +0100"}},
		{"quarters of an hour across Lord Howe's gap", "*/15 * * * *", "Australia/Lord_Howe", "2026-10-04T01:40:00+10:30", "2026-10-04T02:45:00+11:00", []string{"10-04 01:45 +1030", "10-04 02:30 +1100", "10-04 02:45 +1100"}},
		{"quarters of an hour across Lord Howe's doubled half hour", "*/15 * * * *", "Australia/Lord_Howe", "2026-04-05T01:29:00+11:00", "2026-04-05T02:00:00+10:30", []string{"04-05 01:30 +1100", "04-05 01:45 +1100", "04-05 01:30 +1030", "04-05 01:45 +1030", "04-05 02:00 +1030"}},
		{"a whole day that a zone skipped", "0 9 * * *", "Pacific/Apia", "2011-12-29T00:00:00-10:00", "2012-01-01T00:00:00+14:00", []string{"12-29 09:00 -1000", "12-31 00:00 +1400", "12-31 09:00 +1400"}},
		{"a zone without changes", "0 9 * * 1-5", "Asia/Kolkata", "2026-11-20T12:00:00+05:30", "2026-11-25T12:00:00+05:30", []string{"11-23 09:00 +0530", "11-24 09:00 +0530", "11-25 09:00 +0530"}},
		{"the 29th of February waits for a leap year", "0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", "2105-01-01T00:00:00Z", []string{"02-29 00:00 +0000"}},
		{"a day of the month or a weekday", "0 0 13 * 5", "UTC", "2026-11-10T00:00:00Z", "2026-11-20T00:00:00Z", []string{"11-13 00:00 +0000", "11-20 00:00 +0000"}},
		{"Sunday is 0 and 7", "0 0 * * 7", "UTC", "2026-11-01T00:00:00Z", "2026-11-08T00:00:00Z", []string{"11-08 00:00 +0000"}},
		{"names and lists", "5,10 0 1 jan,jul *", "UTC", "2026-01-01T00:05:00Z", "2026-12-31T00:00:00Z", []string{"01-01 00:10 +0000", "07-01 00:05 +0000", "07-01 00:10 +0000"}},
		{"beyond 2038", "0 0 1 1 *", "Europe/Berlin", "2038-01-19T03:14:08Z", "2040-06-01T00:00:00Z", []string{"01-01 00:00 +0100", "01-01 00:00 +0100"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := runs(t, test.cron, test.zone, test.from, test.until)
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("%s in %s:\n got %q\nwant %q", test.cron, test.zone, got, test.want)
			}
		})
	}
}

var zones = []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kolkata"}

func TestAFixedTimeRunsOncePerDayOverWholeYears(t *testing.T) {
	t.Parallel()
	for _, zone := range zones {
		for _, clock := range []string{"0 0", "45 1", "15 2", "30 2", "0 3", "59 23"} {
			t.Run(zone+" "+clock, func(t *testing.T) {
				t.Parallel()
				list := runs(t, clock+" * * *", zone, "2024-12-31T12:00:00Z", "2029-01-01T12:00:00Z")
				days := map[string]int{}
				for _, run := range list {
					days[run[:5]]++
				}
				// 2025 to 2028, of which one is a leap year.
				if want := 4*365 + 1; len(list) < want || len(list) > want+1 {
					t.Errorf("%d runs in %d days", len(list), want)
				}
				for day, count := range days {
					if day == "02-29" || day == "12-31" || day == "01-01" {
						continue // One leap year, and the two ends of the search.
					}
					if count != 4 {
						t.Errorf("%s has %d runs in four years", day, count)
					}
				}
			})
		}
	}
}

func TestAWildcardRunsEveryMinuteThatPasses(t *testing.T) {
	t.Parallel()
	for _, zone := range zones {
		list := runs(t, "0,30 * * * *", zone, "2025-12-31T23:59:00Z", "2026-12-31T23:59:00Z")
		// Lord Howe's gap takes the half hour that it skips, its doubled half
		// hour gives it back.
		if want := 365 * 48; len(list) != want {
			t.Errorf("%s: %d half hours in a year, want %d", zone, len(list), want)
		}
	}
}

// TestNextIsTheFirst compares with a search that tries every minute.
func TestNextIsTheFirst(t *testing.T) {
	t.Parallel()
	field := func(t *rapid.T, label string, least, most int) string {
		if rapid.Bool().Draw(t, label+" any") {
			return "*"
		}
		return fmt.Sprint(rapid.IntRange(least, most).Draw(t, label))
	}
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		cron := strings.Join([]string{
			fmt.Sprint(rapid.IntRange(0, 59).Draw(t, "minute")), rapid.SampledFrom([]string{"*", "*/2", "*/3", "0-23/5"}).Draw(t, "hour"),
			field(t, "day", 1, 28), "*", field(t, "weekday", 0, 6),
		}, " ")
		schedule, err := trigger.ParseSchedule(cron, zone)
		if err != nil {
			t.Fatal(err)
		}
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		from := time.Unix(rapid.Int64Range(1_760_000_000, 1_800_000_000).Draw(t, "from"), 0).UTC()
		got := schedule.Next(from)
		var minute, hour, day, weekday string
		_, _ = fmt.Sscan(cron, &minute, &hour, &day, new(string), &weekday)
		for at := from.Truncate(time.Minute).Add(time.Minute); ; at = at.Add(time.Minute) {
			if at.Sub(from) > 3*31*24*time.Hour {
				t.Fatalf("%s in %s after %s: the search finds nothing, Next gave %s", cron, zone, from, got)
			}
			wall := at.In(location)
			if fmt.Sprint(wall.Minute()) != minute || !hourIn(hour, wall.Hour()) {
				continue
			}
			inDay, inWeek := fmt.Sprint(wall.Day()) == day, fmt.Sprint(int(wall.Weekday())) == weekday
			fits := inDay || inWeek
			if day == "*" {
				fits = weekday == "*" || inWeek
			} else if weekday == "*" {
				fits = inDay
			}
			if fits {
				if !got.Equal(at) {
					t.Fatalf("%s in %s after %s: Next gave %s, the search %s", cron, zone, from, got, at)
				}
				return
			}
		}
	})
}

func hourIn(field string, hour int) bool {
	switch field {
	case "*/2":
		return hour%2 == 0
	case "*/3":
		return hour%3 == 0
	case "0-23/5":
		return hour%5 == 0
	}
	return true
}

// TestEveryDueTimeIsRunOrMissed holds for any stretch of time: nothing is lost,
// nothing runs twice, and what runs is the newest, within its bound.
func TestEveryDueTimeIsRunOrMissed(t *testing.T) {
	t.Parallel()
	policies := []workflow.CatchUp{workflow.CatchUpNone, workflow.CatchUpLast, workflow.CatchUpAll}
	rapid.Check(t, func(t *rapid.T) {
		cron := rapid.SampledFrom([]string{"* * * * *", "*/7 * * * *", "30 1 * * *", "0 */6 * * *", "15 2 * * 0"}).Draw(t, "cron")
		schedule, err := trigger.ParseSchedule(cron, rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		after := time.Unix(rapid.Int64Range(1_760_000_000, 1_800_000_000).Draw(t, "after"), 0).UTC()
		now := after.Add(time.Duration(rapid.Int64Range(-3600, 20*24*3600).Draw(t, "seconds")) * time.Second)
		policy, atStart := rapid.SampledFrom(policies).Draw(t, "policy"), rapid.Bool().Draw(t, "at start")
		run, missed, first, last := trigger.Decide(schedule, after, now, policy, atStart)
		var due []time.Time
		for at := schedule.Next(after); !at.After(now); at = schedule.Next(at) {
			due = append(due, at)
		}
		if missed+len(run) != len(due) {
			t.Fatalf("%d were due, %d run and %d are missed", len(due), len(run), missed)
		}
		most := 1
		if policy == workflow.CatchUpAll && atStart {
			most = trigger.MaxCatchUp
		}
		if len(run) > most {
			t.Errorf("%d run, at most %d may", len(run), most)
		}
		if missed > 0 && (!first.Equal(due[0]) || !last.Equal(due[missed-1])) {
			t.Errorf("missed from %s to %s, want %s to %s", first, last, due[0], due[missed-1])
		}
		for i, at := range run {
			if !at.Equal(due[missed+i]) {
				t.Errorf("run %d is that of %s, want %s", i, at, due[missed+i])
			}
		}
		if late := len(due) > 0 && now.Sub(due[len(due)-1]) > time.Minute; len(due) > 0 && (len(run) == 0) != (policy == workflow.CatchUpNone && late) {
			t.Errorf("%d of %d run by policy %s", len(run), len(due), policy)
		}
	})
}

func TestCase121WhatNoClockShowsIsRefused(t *testing.T) {
	t.Parallel()
	for _, test := range [][2]string{
		{"0 0 * * *", "Mars/Olympus"}, {"0 0 * * *", "../etc/passwd"}, {"0 0 * * *", "Local"}, {"0 0 * * *", ""}, {"60 23 31 12 *", "UTC"}, {"0 24 * * *", "UTC"},
		{"0 0 31 2 *", "UTC"}, {"0 0 30 2 *", "UTC"}, {"0 0 31 4,6,9,11 *", "UTC"}, {"59 59 23 31 12 *", "UTC"}, {"@daily", "UTC"},
		{"", "UTC"}, {"0 0 * * 8", "UTC"}, {"*/0 * * * *", "UTC"},
	} {
		if at, err := trigger.Next(test[0], test[1], time.Unix(0, 0)); err == nil {
			t.Errorf("%q in %q is due at %s", test[0], test[1], at)
		}
	}
}

func FuzzNext(f *testing.F) {
	f.Add("30 1 * * *", "America/New_York", int64(1_793_500_000))
	f.Add("*/7 */3 29 2 1-5", "Australia/Lord_Howe", int64(0))
	f.Fuzz(func(t *testing.T, cron, zone string, from int64) {
		schedule, err := trigger.ParseSchedule(cron, zone)
		if err != nil || from < -1<<36 || from > 1<<36 {
			return
		}
		at := time.Unix(from, 0)
		if next := schedule.Next(at); !next.IsZero() && !next.After(at) {
			t.Errorf("%q in %q: %s does not follow %s", cron, zone, next, at)
		}
	})
}
