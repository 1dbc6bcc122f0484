package host_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/pluginsdk"
)

func TestAnOutputIsReadWhole(t *testing.T) {
	w := newWorld(t)
	big := strings.Repeat("x", 100<<10)
	w.invoker.Handlers["test.fail"] = func(_ context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: json.RawMessage(fmt.Sprintf(`{"n":%d,"text":"%s"}`, r.ItemIndex, big))}
	}
	result := w.run(`[{id: a, handler: test.fail, for_each: [x, y]}, {id: b, handler: test.echo, config: {text: small}}, {id: c, handler: test.echo, enabled: false}]`)
	id := fmt.Sprint(result["execution_id"])
	path := executions + id + "/steps/"
	var list []struct{ N int }
	whole := w.ask("GET", path+"a/output/", "").want(200)
	if err := json.Unmarshal(whole.body, &list); err != nil || len(list) != 2 || list[1].N != 1 || len(whole.body) < 200<<10 {
		t.Errorf("the whole output: %d bytes, %v", len(whole.body), err)
	}
	if got := w.ask("GET", path+"a/output?item=1", "").want(200); got.object()["n"] != 1.0 || got.header.Get("Content-Disposition") != `attachment; filename="a-1.json"` {
		t.Errorf("an item's output: %v %.80s", got.header, got.body)
	}
	if got := w.ask("GET", path+"b/output/", "").want(200); string(got.body) != `{"text":"small"}` || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("a small output: %s", got.body)
	}
	for _, missing := range []string{"c/output/", "none/output/", "a/output/?item=2", "b/output/?item=0"} {
		w.ask("GET", path+missing, "").problem(404, "NOT_FOUND")
	}
	w.ask("GET", path+"a/output/?item=x", "").problem(400, "VALIDATION_ERROR")
	w.ask("GET", executions+"none/steps/a/output/", "").problem(404, "EXECUTION_NOT_FOUND")

	sum := fmt.Sprint(dig(t, result, "step_results", "a", "output", "$blob")["sha256"])
	if got := w.ask("GET", executions+id+"/artifacts/"+sum+"/", "").want(200); string(got.body) != string(whole.body) {
		t.Errorf("by its checksum: %d bytes", len(got.body))
	}
	other := fmt.Sprint(w.run("[{id: a, handler: test.echo}]")["execution_id"])
	w.ask("GET", executions+other+"/artifacts/"+sum+"/", "").problem(404, "NOT_FOUND")
}

func TestWhatStepsMadeIsListedAndSent(t *testing.T) {
	w := newWorld(t)
	dir := w.options.Workspaces[0].Dir
	made := map[string]string{"out/report.txt": "a report", "page.html": "<script>alert(1)</script>", "../escape.txt": "outside", "/etc/hostname": "x"}
	sums := map[string]string{}
	for name, text := range made {
		sum := sha256.Sum256([]byte(text))
		sums[name] = hex.EncodeToString(sum[:])
		if strings.HasPrefix(name, "/") {
			continue
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.invoker.Handlers["test.fail"] = func(_ context.Context, _ *pluginsdk.Request, report pluginsdk.Reporter) pluginsdk.Outcome {
		report.Log(pluginsdk.LogLine{Level: pluginsdk.LevelInfo, Message: "not one", Fields: json.RawMessage(`{"artifact":"none"}`)})
		for name, text := range made {
			err := report.Artifact(pluginsdk.Artifact{Path: name, Size: int64(len(text)), SHA256: sums[name], MediaType: "text/html"})
			if err != nil {
				return pluginsdk.Outcome{Kind: pluginsdk.OutcomeUnknown}
			}
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
	}
	id := fmt.Sprint(w.run("[{id: a, handler: test.fail}]")["execution_id"])
	path := executions + id + "/artifacts/"
	seen := 0
	for next := path + "?limit=3"; next != ""; {
		page := w.ask("GET", next, "").want(200)
		list, _ := page.object()["artifacts"].([]any)
		for _, one := range list {
			if seen++; one.(map[string]any)["step_id"] != "a" || made[fmt.Sprint(one.(map[string]any)["path"])] == "" {
				t.Errorf("artifact: %v", one)
			}
		}
		next = nextOf(page.header.Get("Link"))
	}
	if seen != len(made) {
		t.Errorf("%d artifacts are listed, want %d", seen, len(made))
	}
	got := w.ask("GET", path+sums["out/report.txt"]+"/", "").want(200)
	if string(got.body) != "a report" || got.header.Get("Content-Disposition") != `attachment; filename="report.txt"` {
		t.Errorf("the file: %v %s", got.header, got.body)
	}
	if page := w.ask("GET", path+sums["page.html"]+"/", "").want(200); page.header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasSuffix(page.header.Get("Content-Security-Policy"), "; sandbox") ||
		!strings.HasPrefix(page.header.Get("Content-Disposition"), "attachment") || !strings.Contains(page.header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("a page is sent to be shown: %v", page.header)
	}
	for _, sum := range []string{sums["../escape.txt"], sums["/etc/hostname"], strings.Repeat("0", 64), "x", "..%2f.."} {
		w.ask("GET", path+sum+"/", "").problem(404, "NOT_FOUND")
	}
	if err := os.WriteFile(filepath.Join(dir, "out/report.txt"), []byte("A REPORT"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.ask("GET", path+sums["out/report.txt"]+"/", "").problem(404, "NOT_FOUND")
	w.ask("GET", executions+"none/artifacts/", "").problem(404, "EXECUTION_NOT_FOUND")
	w.ask("GET", executions+"none/artifacts/"+sums["page.html"]+"/", "").problem(404, "EXECUTION_NOT_FOUND")
}

func TestAResultIsBoundedHoweverManyItemsThereAre(t *testing.T) {
	w := newWorld(t)
	text := strings.Repeat("y", 40<<10)
	w.invoker.Handlers["test.fail"] = func(_ context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: json.RawMessage(fmt.Sprintf(`"%d%s"`, r.ItemIndex, text))}
	}
	got := w.ask("POST", workflows+w.save("[{id: a, handler: test.fail, for_each: ["+strings.Repeat("1,", 59)+"1]}]")+"/execute/?async=false", "").want(200)
	if len(got.body) > 3<<19 {
		t.Errorf("the result has %d bytes", len(got.body))
	}
	id := got.text("execution_id")
	items, _ := dig(t, got.object(), "step_results", "a")["items"].([]any)
	if len(items) != 60 {
		t.Fatalf("%d items are shown", len(items))
	}
	first, last := items[0].(map[string]any), items[59].(map[string]any)
	if whole, _ := first["output"].(string); len(whole) < 40<<10 {
		t.Errorf("the first item's output: %.80v", first["output"])
	}
	name := dig(t, last, "output", "$blob")
	if name["size"].(float64) < 40<<10 || !strings.HasPrefix(fmt.Sprint(name["preview"]), `"59yyy`) {
		t.Errorf("the last item's output: %v", name)
	}
	for _, path := range []string{"/steps/a/output/?item=59", "/artifacts/" + fmt.Sprint(name["sha256"]) + "/"} {
		if got := w.ask("GET", executions+id+path, "").want(200); string(got.body) != `"59`+text+`"` {
			t.Errorf("%s: %.80s", path, got.body)
		}
	}
}

func TestAStepThatRunsSaysHowLong(t *testing.T) {
	w := newWorld(t)
	id := w.begin("[{id: a, handler: test.block}]")
	w.eventually("some time", func() bool {
		result := w.ask("GET", executions+id+"/", "").want(200).object()
		seconds, _ := dig(t, result, "step_results", "a")["execution_time"].(float64)
		return seconds > 0
	})
}
