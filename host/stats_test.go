package host_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vwmp/vwmp/host"
)

type figures struct {
	Total, Live, Success, Failed int
	AverageTime                  float64 `json:"average_time"`
	LongestTime                  float64 `json:"longest_time"`
}

type stats struct {
	Workflows, Executions, Live int
	Complete                    bool
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
