package data_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
)

func TestIDs(t *testing.T) {
	for id, ok := range map[string]bool{
		"a": true, "0192f000-0000-7000-8000-000000000001": true, "A_b-9": true, strings.Repeat("a", 64): true,
		"": false, "_a": false, "-a": false, "a.b": false, "a/b": false, "a\n": false, "a\x00": false, "é": false, strings.Repeat("a", 65): false,
	} {
		if err := data.CheckID("test", id); (err == nil) != ok || err != nil && !errors.Is(err, data.ErrInvalid) {
			t.Errorf("id %q: %v", id, err)
		}
	}
}

func TestErrorsDoNotRepeatHostileInputAtLength(t *testing.T) {
	if err := data.CheckID("test", strings.Repeat("x", 1<<20)); len(err.Error()) > 200 {
		t.Errorf("the error has %d bytes", len(err.Error()))
	}
}

func TestCursorIsReadBack(t *testing.T) {
	for _, at := range []time.Time{time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2040, 1, 1, 0, 0, 0, 1000, time.UTC)} {
		position := data.PositionOf(at, "execution-1")
		back, err := data.ParseCursor(position.Cursor())
		if err != nil || back != position {
			t.Errorf("read back %+v, %v", back, err)
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	f.Add(data.PositionOf(time.Unix(1, 0), "e").Cursor())
	f.Add("")
	f.Fuzz(func(t *testing.T, cursor string) {
		position, err := data.ParseCursor(cursor)
		if err != nil {
			if !errors.Is(err, data.ErrInvalid) {
				t.Errorf("error is %v", err)
			}
			return
		}
		if back, err := data.ParseCursor(position.Cursor()); err != nil || back != position {
			t.Errorf("%+v became %+v, %v", position, back, err)
		}
	})
}

func TestEverySortIsTotalAndTurnsRound(t *testing.T) {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	all := make([]data.Workflow, 6)
	for i := range all {
		executed := at.Add(time.Duration(i) * time.Minute)
		all[i] = data.Workflow{
			ID: fmt.Sprintf("w%d", i), Name: string(rune('a' + i)), Type: string(rune('a' + i)), ExecutionCount: i,
			CreatedAt: executed, UpdatedAt: executed, LastExecuted: &executed,
		}
	}
	all[0].LastExecuted = nil // Never executed sorts as the oldest.
	for _, key := range []string{"name", "type", "created_at", "updated_at", "last_executed", "execution_count"} {
		for _, reverse := range []bool{false, true} {
			filter := data.WorkflowFilter{Sort: key}
			want := "w0 w1 w2 w3 w4 w5"
			if reverse {
				filter.Sort, want = "-"+key, "w5 w4 w3 w2 w1 w0"
			}
			page, _, err := filter.Select(all)
			if err != nil {
				t.Fatal(err)
			}
			ids := make([]string, len(page))
			for i := range page {
				ids[i] = page[i].ID
			}
			if got := strings.Join(ids, " "); got != want {
				t.Errorf("sorted by %s: %s", filter.Sort, got)
			}
		}
	}
}

func TestLiveStatusesAreThoseThatGoOn(t *testing.T) {
	for _, status := range data.LiveStatuses() {
		if status.Ended() {
			t.Errorf("%s has ended", status)
		}
	}
	if len(data.LiveStatuses())+4 != len(data.Statuses()) || data.LiveStatuses()[0] != plan.StatusPending {
		t.Errorf("live are %v of %v", data.LiveStatuses(), data.Statuses())
	}
}
