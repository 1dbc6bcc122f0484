package host_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vwmp/vwmp/host"
)

type figures struct {
	Total, Live, Success, Failed int
	AverageTime                  float64 `json:"average_time"`
	P95Time                      float64 `json:"p95_time"`
	LongestTime                  float64 `json:"longest_time"`
}

type stats struct {
	Workflows, Executions, Live int
	Complete                    bool
	Last                        figures `json:"last_24h"`
	Previous                    figures `json:"previous_24h"`
	ByDay                       []struct {
		Date string
		figures
	} `json:"by_day"`
	ByWorkflow []struct {
		ID         string `json:"workflow_id"`
		Name       string `json:"workflow_name"`
		LastStatus string `json:"last_status"`
		figures
	} `json:"by_workflow"`
}

func (w *world) stats(query string) (got stats) {
	w.t.Helper()
	if err := json.Unmarshal(w.ask("GET", "/api/vwmp/stats/"+query, "").want(200).body, &got); err != nil {
		w.t.Fatal(err)
	}
	return got
}

func TestFiguresAreToldByDayAndByWorkflow(t *testing.T) {
	day := time.Date(2026, 3, 1, 23, 59, 0, 0, time.UTC)
	w := newWorld(t, func(o *host.Options) { o.Now = func() time.Time { return day } })
	if got := w.stats(""); got.Executions != 0 || len(got.ByDay) != 30 || got.ByDay[0].Date != "2026-01-31" || got.ByDay[29].Date != "2026-03-01" || len(got.ByWorkflow) != 0 || !got.Complete {
		t.Errorf("an empty store: %+v", got)
	}
	w.ask("GET", "/api/vwmp/stats/?days=0", "").problem(400, "VALIDATION_ERROR")
	w.ask("GET", "/api/vwmp/stats/?days=366", "").problem(400, "VALIDATION_ERROR")
}

func TestFiguresFollowWhatHappens(t *testing.T) {
	w := newWorld(t)
	good, bad := w.save("[{id: a, handler: test.echo}]"), w.save("[{id: a, handler: test.fail}]")
	for _, id := range []string{good, bad, good} {
		w.ask("POST", workflows+id+"/execute/?async=false", "").want(200)
	}
	id := w.ask("POST", workflows+w.save("[{id: a, handler: test.block}]")+"/execute/", "").want(202).text("execution_id")
	got := w.stats("?days=7")
	if got.Workflows != 3 || got.Executions != 4 || got.Live != 1 || len(got.ByDay) != 7 || len(got.ByWorkflow) != 3 {
		t.Fatalf("figures: %+v", got)
	}
	// A run at midnight may have spread them over two days.
	total, live := 0, 0
	for _, day := range got.ByDay[5:] {
		total, live = total+day.Total, live+day.Live
	}
	if total != 4 || live != 1 {
		t.Errorf("by day: %+v", got.ByDay)
	}
	first := got.ByWorkflow[0]
	if first.ID != good || first.Name != "Test" || first.Total != 2 || first.Success != 2 || first.LastStatus != "success" || first.AverageTime <= 0 || first.LongestTime < first.AverageTime {
		t.Errorf("the workflow executed most: %+v", first)
	}
	w.release <- struct{}{}
	w.ended(id, "success")
	if got = w.stats("?days=7"); got.Live != 0 || got.ByDay[6].Live+got.ByDay[5].Live != 0 || got.ByDay[6].Success+got.ByDay[5].Success != 3 {
		t.Errorf("after the end: %+v", got)
	}
}

func TestTheLastDayIsToldBesideTheOneBefore(t *testing.T) {
	var later atomic.Int64
	w := newWorld(t, func(o *host.Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	id := w.save("[{id: a, handler: test.echo}]")
	w.ask("POST", workflows+id+"/execute/?async=false", "").want(200)
	if got := w.stats("?days=1"); got.Last.Total != 1 || got.Last.Success != 1 || got.Last.P95Time <= 0 || got.Last.P95Time != got.Last.LongestTime || got.Previous.Total != 0 {
		t.Errorf("at once: %+v, before it %+v", got.Last, got.Previous)
	}
	// Each asks for other days, since figures are good for a minute.
	later.Store(int64(30 * time.Hour))
	if got := w.stats("?days=2"); got.Last.Total != 0 || got.Previous.Total != 1 || got.ByDay[0].Total+got.ByDay[1].Total > 1 {
		t.Errorf("30 hours later: %+v, before it %+v", got.Last, got.Previous)
	}
	later.Store(int64(47 * time.Hour))
	if got := w.stats("?days=1"); got.Previous.Total != 1 || len(got.ByWorkflow) != 0 || got.ByDay[0].Total != 0 {
		t.Errorf("47 hours later, of one day: %+v", got)
	}
	later.Store(int64(49 * time.Hour))
	// The 49 hours may lie in four days.
	if got := w.stats("?days=4"); got.Last.Total != 0 || got.Previous.Total != 0 || len(got.ByWorkflow) != 1 {
		t.Errorf("49 hours later: %+v", got)
	}
}

func TestTheServerSaysWhatItIs(t *testing.T) {
	w := newWorld(t)
	w.ask("POST", workflows+w.save("[{id: a, handler: test.echo}]")+"/execute/?async=false", "").want(200)
	got := w.ask("GET", "/api/vwmp/about/", "").want(200).object()
	kept := dig(t, got, "data")
	if got["version"] != "1.0.0-test" || got["platform"] != "linux/amd64" || fmt.Sprint(got["plugin_protocols"]) != "[1]" || kept["workflows"] != 1.0 || kept["executions"] != 1.0 || kept["full"] != false {
		t.Errorf("about: %v", got)
	}
	if at, err := time.Parse(time.RFC3339, fmt.Sprint(got["started_at"])); err != nil || time.Since(at) > time.Minute {
		t.Errorf("started at %v", got["started_at"])
	}
}

func TestAWorkspaceSaysWhatGitIsDoing(t *testing.T) {
	w := newWorld(t)
	dir := w.options.Workspaces[1].Dir
	if err := os.Mkdir(filepath.Join(dir, ".git"), 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, ".git", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git := func() map[string]any {
		list, _ := w.ask("GET", "/api/vwmp/workspaces/", "").want(200).object()["workspaces"].([]any)
		if len(list) != 2 || list[0].(map[string]any)["git"] != nil {
			t.Fatalf("workspaces: %v", list)
		}
		other := list[1].(map[string]any)
		if other["name"] != "other" || other["folder"] != filepath.Base(dir) || other["default"] != false {
			t.Errorf("workspace: %v", other)
		}
		return dig(t, other, "git")
	}
	write("HEAD", "ref: refs/heads/feature/x\n")
	if got := git(); got["branch"] != "feature/x" || got["state"] != "normal" || got["detached"] != false {
		t.Errorf("on a branch: %v", got)
	}
	write("MERGE_HEAD", "0123\n")
	write("HEAD", "0123456789abcdef0123456789abcdef01234567\n")
	if got := git(); got["branch"] != nil || got["state"] != "merging" || got["detached"] != true {
		t.Errorf("in a merge: %v", got)
	}
}
