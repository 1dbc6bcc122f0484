package host_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/host"
)

const executions = "/api/vwmp/executions/"

func TestAnExecutionIsStartedAndItsResultRead(t *testing.T) {
	w := newWorld(t)
	id := w.ask("POST", workflows, echoYAML, "Content-Type", "application/yaml").want(201).text("id")
	started := w.ask("POST", workflows+id+"/execute/", `{"parameters":{"who":"you"}}`).want(202)
	execution := started.text("execution_id")
	if started.header.Get("Location") != executions+execution+"/" || started.text("websocket_url") != "ws://"+w.addr+"/ws/vwmp/executions/"+execution || started.text("started_at") == "" {
		t.Errorf("started: %s", started.body)
	}
	w.eventually("the end", func() bool { return w.status(execution) == "success" })
	result := w.ask("GET", executions+execution+"/", "").want(200).object()
	for key, want := range map[string]any{"workflow_id": id, "workflow_name": "Hello", "workflow_revision": 1.0, "trigger": "api", "workspace": "default"} {
		if result[key] != want {
			t.Errorf("%s is %v, want %v", key, result[key], want)
		}
	}
	step := dig(t, result, "step_results", "say")
	if dig(t, step, "output")["text"] != "hello you" || step["status"] != "success" || step["log_count"] != 2.0 || step["step_name"] != "Echo" {
		t.Errorf("step: %v", step)
	}
	if got := w.ask("GET", workflows+id+"/", "").object(); got["execution_count"] != 1.0 || got["last_status"] != "success" {
		t.Errorf("the workflow's counters: %v %v", got["execution_count"], got["last_status"])
	}
}

func dig(t *testing.T, object map[string]any, path ...string) map[string]any {
	t.Helper()
	for _, key := range path {
		next, ok := object[key].(map[string]any)
		if !ok {
			t.Fatalf("%s is no object in %v", key, object)
		}
		object = next
	}
	return object
}

func TestACallerCanWaitForTheEnd(t *testing.T) {
	w := newWorld(t)
	id := w.save("[{id: a, handler: test.echo}]")
	for _, ask := range []struct{ query, body, prefer string }{
		{"?async=false", "", ""}, {"", `{"async":false}`, ""}, {"", "", "wait=10"}, {"", "{}", "respond-async, wait=10"},
	} {
		got := w.ask("POST", workflows+id+"/execute/"+ask.query, ask.body, "Prefer", ask.prefer).want(200)
		if got.text("status") != "success" || got.header.Get("Location") == "" {
			t.Errorf("%+v: %s", ask, got.body)
		}
	}
	blocked := w.save("[{id: a, handler: test.block}]")
	got := w.ask("POST", workflows+blocked+"/execute/", "", "Prefer", "wait=1").want(202)
	if got.header.Get("Preference-Applied") != "wait=1" {
		t.Errorf("preference applied: %q", got.header.Get("Preference-Applied"))
	}
	w.ask("POST", workflows+id+"/execute/", "", "Prefer", "wait=x").problem(400, "VALIDATION_ERROR")
	w.ask("POST", workflows+id+"/execute/?async=maybe", "").problem(400, "VALIDATION_ERROR")
}

func TestABodyOfBareParametersIsTakenAsThem(t *testing.T) {
	w := newWorld(t)
	id := w.ask("POST", workflows, echoYAML, "Content-Type", "application/yaml").want(201).text("id")
	path := workflows + id + "/execute/?async=false"
	result := w.ask("POST", path, `{"who":"bare"}`).want(200).object()
	if dig(t, result, "parameters")["who"] != "bare" {
		t.Errorf("parameters: %v", result["parameters"])
	}
	if result := w.ask("POST", path, `{"parameters":null}`).want(200).object(); dig(t, result, "parameters")["who"] != "world" {
		t.Errorf("null for none: %v", result["parameters"])
	}
	for body, pointer := range map[string]string{
		`{"wo":"x"}`: "/parameters/wo", `{"parameters":{},"who":"x"}`: "/who", `[]`: "", `{`: "", `{"async":"no"}`: "/async",
		`{"skip_steps":["nobody"]}`: "/skip_steps/0", `{"workspace":"none"}`: "/workspace", `{"dry_run":"yes"}`: "/dry_run",
		`{"parameters":` + strings.Repeat("[", 65) + strings.Repeat("]", 65) + `}`: "",
	} {
		refused := w.ask("POST", path, body).problem(400, "VALIDATION_ERROR")
		if pointer != "" && !strings.Contains(fmt.Sprint(refused["errors"]), "pointer:"+pointer) {
			t.Errorf("%s: want a problem at %s: %v", body, pointer, refused["errors"])
		}
	}
	if result := w.ask("POST", path, `{"skip_steps":["say"],"workspace":"other"}`).want(200).object(); dig(t, result, "step_results", "say")["status"] != "skipped" || result["workspace"] != "other" {
		t.Errorf("skipped: %v", result)
	}
}

func TestAnIdempotencyKeyStartsOnce(t *testing.T) {
	w := newWorld(t)
	id := w.ask("POST", workflows, echoYAML, "Content-Type", "application/yaml").want(201).text("id")
	var ids sync.Map
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			got, err := w.try("POST", workflows+id+"/execute/", `{"who":"once"}`, "Idempotency-Key", "k1")
			if err != nil || got.status != 202 {
				t.Errorf("%d, %v: %s", got.status, err, got.body)
				return
			}
			ids.Store(got.text("execution_id"), true)
		})
	}
	all.Wait()
	count := 0
	ids.Range(func(any, any) bool { count++; return true })
	if count != 1 {
		t.Errorf("100 requests of one key gave %d executions", count)
	}
	w.ask("POST", workflows+id+"/execute/", `{"parameters":{"who":"else"},"idempotency_key":"k1"}`).problem(422, "IDEMPOTENCY_MISMATCH")
	w.ask("POST", workflows+id+"/execute/", "", "Idempotency-Key", strings.Repeat("k", 1025)).problem(400, "VALIDATION_ERROR")
}

func TestExecutionsAreListedInPages(t *testing.T) {
	w := newWorld(t)
	good := w.save("[{id: a, handler: test.echo}]")
	bad := w.save("[{id: a, handler: test.fail}]")
	var newest []string
	for i := range 5 {
		id := []string{good, bad}[i%2]
		newest = append(newest, w.ask("POST", workflows+id+"/execute/?async=false", "").want(200).text("execution_id"))
	}
	slices.Reverse(newest)
	var listed []string
	path := executions + "?limit=2"
	for path != "" {
		page := w.ask("GET", path, "").want(200)
		var list struct {
			Executions []struct {
				ID         string `json:"execution_id"`
				Parameters any    `json:"parameters"`
			}
			Next string
		}
		if err := json.Unmarshal(page.body, &list); err != nil {
			t.Fatal(err)
		}
		for _, one := range list.Executions {
			listed = append(listed, one.ID)
		}
		path = nextOf(page.header.Get("Link"))
		if (path == "") != (list.Next == "") {
			t.Errorf("Link %q, next %q", path, list.Next)
		}
	}
	if !slices.Equal(listed, newest) {
		t.Errorf("listed %v, want %v", listed, newest)
	}
	for query, want := range map[string]int{
		"workflow_id=" + good: 3, "status=failed": 2, "status=failed,success": 5, "status=running": 0, "trigger=api": 5, "trigger=cli": 0,
		"since=2000-01-01T00:00:00Z": 5, "until=2000-01-01T00:00:00Z": 0,
	} {
		list, ok := w.ask("GET", executions+"?"+query, "").want(200).object()["executions"].([]any)
		if !ok || len(list) != want {
			t.Errorf("%s: %d, want %d", query, len(list), want)
		}
	}
	for _, query := range []string{"status=odd", "since=yesterday", "until=x", "limit=0", "limit=1001", "cursor=!"} {
		w.ask("GET", executions+"?"+query, "").problem(400, "VALIDATION_ERROR")
	}
}

func TestAnExecutionIsCancelled(t *testing.T) {
	w := newWorld(t)
	id := w.begin("[{id: a, handler: test.block}, {id: b, handler: test.echo, dependencies: [a]}]")
	w.eventually("the step", func() bool { return w.invoker.CallsOf("a") == 1 })
	pending := w.ask("GET", executions+id+"/", "").want(200).object()
	if dig(t, pending, "step_results", "b")["status"] != "pending" {
		t.Errorf("a step that has not begun is not listed: %v", pending)
	}
	w.ask("DELETE", executions+id+"/", "").problem(409, "CONFLICT")
	w.ask("POST", executions+id+"/cancel/", "").want(200)
	w.eventually("the end", func() bool { return w.status(id) == "cancelled" })
	refused := w.ask("POST", executions+id+"/cancel/", "").problem(409, "CONFLICT")
	if !strings.Contains(fmt.Sprint(refused["detail"]), "cancelled") {
		t.Errorf("the refusal does not name the state: %v", refused["detail"])
	}
	w.ask("POST", executions+id+"/resume/", "").problem(409, "CONFLICT")
	w.ask("DELETE", executions+id+"/", "").want(204)
	for _, path := range []string{"", "logs/", "events/"} {
		w.ask("GET", executions+id+"/"+path, "").problem(404, "EXECUTION_NOT_FOUND")
	}
	for _, action := range []string{"cancel/", "resume/", "steps/a/resolve/"} {
		w.ask("POST", executions+id+"/"+action, `{"as":"retry"}`).problem(404, "EXECUTION_NOT_FOUND")
	}
	w.ask("DELETE", executions+id+"/", "").problem(404, "EXECUTION_NOT_FOUND")
}

func TestAnInterruptedStepIsDecided(t *testing.T) {
	w := newWorld(t)
	id := w.begin("[{id: a, handler: test.unknown}, {id: b, handler: test.block, dependencies: [a]}]")
	w.eventually("the interruption", func() bool { return w.status(id) == "waiting" })
	path := executions + id + "/steps/a/resolve/"
	for body, part := range map[string]string{
		`{"as":"maybe"}`: "/as", `{}`: "as", `{"as":"failed","output":{"x":1}}`: "/output", `{"as":"retry","extra":1}`: "/extra",
	} {
		if refused := w.ask("POST", path, body).problem(400, "VALIDATION_ERROR"); !strings.Contains(fmt.Sprint(refused["errors"]), part) {
			t.Errorf("%s: %v", body, refused["errors"])
		}
	}
	w.ask("POST", path, "").problem(400, "VALIDATION_ERROR")
	w.ask("POST", executions+id+"/steps/none/resolve/", `{"as":"retry"}`).problem(404, "NOT_FOUND")
	w.ask("POST", path, `{"as":"success","output":{"found":"by hand"}}`).want(200)
	w.ask("POST", path, `{"as":"retry"}`).problem(409, "CONFLICT")
	w.release <- struct{}{}
	w.eventually("the end", func() bool { return w.status(id) == "success" })
	result := w.ask("GET", executions+id+"/", "").object()
	if dig(t, result, "step_results", "a", "output")["found"] != "by hand" {
		t.Errorf("result: %v", result)
	}
	w.ask("POST", path, `{"as":"retry"}`).problem(409, "CONFLICT")
}

func TestLogsAreReadAsJSONAndAsText(t *testing.T) {
	w := newWorld(t)
	id := fmt.Sprint(w.run("[{id: a, handler: test.echo}, {id: b, handler: test.echo, dependencies: [a]}]")["execution_id"])
	all := w.ask("GET", executions+id+"/logs/?limit=3", "").want(200)
	list, ok := all.object()["logs"].([]any)
	if !ok || len(list) != 3 || all.text("next") == "" {
		t.Fatalf("the first page: %s", all.body)
	}
	rest := w.ask("GET", nextOf(all.header.Get("Link")), "").want(200)
	if list, ok := rest.object()["logs"].([]any); !ok || len(list) != 1 || rest.text("next") != "" {
		t.Errorf("the second page: %s", rest.body)
	}
	if warnings := w.ask("GET", executions+id+"/logs/?level=warning&step_id=b", "").want(200); strings.Count(string(warnings.body), `"seq"`) != 1 {
		t.Errorf("warnings of b: %s", warnings.body)
	}
	text := w.ask("GET", executions+id+"/logs/", "", "Accept", "text/plain").want(200)
	if strings.Contains(string(text.body), "\x1b") || !strings.Contains(string(text.body), `careful \x1b[31m`) || strings.Count(string(text.body), "\n") != 4 {
		t.Errorf("as text: %q", text.body)
	}
	w.ask("GET", executions+id+"/logs/?level=loud", "").problem(400, "VALIDATION_ERROR")
}

func TestEventsAreNumberedWithoutAGap(t *testing.T) {
	w := newWorld(t)
	id := fmt.Sprint(w.run("[{id: a, handler: test.echo}, {id: b, handler: test.fail, dependencies: [a]}]")["execution_id"])
	next, last := executions+id+"/events/?limit=4", uint64(0)
	for next != "" {
		page := w.ask("GET", next, "").want(200)
		if strings.Contains(string(page.body), `"private"`) {
			t.Errorf("the journal's own part is shown: %s", page.body)
		}
		var list struct{ Events []plan.Event }
		if err := json.Unmarshal(page.body, &list); err != nil {
			t.Fatal(err)
		}
		for _, event := range list.Events {
			if last++; event.Seq != last {
				t.Fatalf("event %s has number %d after %d", event.Type, event.Seq, last-1)
			}
		}
		next = nextOf(page.header.Get("Link"))
	}
	if last < 8 {
		t.Errorf("only %d events", last)
	}
	for _, query := range []string{"after_seq=x", "after_seq=-1", "limit=0", "limit=5000"} {
		w.ask("GET", executions+id+"/events/?"+query, "").problem(400, "VALIDATION_ERROR")
	}
}

// fullEngine is an engine whose disk is full.
type fullEngine struct{ engine.Engine }

func (fullEngine) Start(context.Context, engine.StartRequest) (engine.Execution, bool, error) {
	return engine.Execution{}, false, fmt.Errorf("create an execution: %w", engine.ErrStoreFull)
}

func TestAFullDiskRefusesNewExecutionsOnly(t *testing.T) {
	w := newWorld(t, func(o *host.Options) { o.Engine = fullEngine{o.Engine} })
	id := w.save("[{id: a, handler: test.echo}]")
	refused := w.ask("POST", workflows+id+"/execute/", "")
	refused.problem(503, "STORE_FULL")
	if refused.header.Get("Retry-After") == "" {
		t.Error("the refusal does not say when to come again")
	}
	w.ask("GET", workflows+id+"/", "").want(200)
}

// brokenEngine fails in ways that nobody foresaw.
type brokenEngine struct {
	engine.Engine
	panics bool
}

func (b brokenEngine) Start(context.Context, engine.StartRequest) (engine.Execution, bool, error) {
	if b.panics {
		panic("open /secret/place: boom")
	}
	return engine.Execution{}, false, errors.New("open /secret/place: boom")
}

func TestAFaultOfTheServerShowsNothingOfItsInside(t *testing.T) {
	for name, panics := range map[string]bool{"an error": false, "a panic": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(o *host.Options) { o.Engine = brokenEngine{o.Engine, panics} })
			id := w.save("[{id: a, handler: test.echo}]")
			refused := w.ask("POST", workflows+id+"/execute/", "")
			refused.problem(500, "EXECUTION_ERROR")
			if strings.Contains(string(refused.body), "secret") {
				t.Errorf("the answer tells the cause: %s", refused.body)
			}
			if !strings.Contains(w.log.String(), "/secret/place") || !strings.Contains(w.log.String(), refused.text("request_id")) {
				t.Error("the log lacks the cause, or the request's id")
			}
			w.ask("GET", workflows+id+"/", "").want(200)
		})
	}
}

func TestAnUnknownWorkflowIsNotExecuted(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"none", "..%2f..", "a%00b", "%zz", strings.Repeat("x", 65), "-x"} {
		for _, ask := range []struct{ method, path string }{{"GET", "/"}, {"POST", "/execute/"}, {"DELETE", "/"}, {"GET", "/export/"}} {
			got := w.raw(ask.method, workflows+id+ask.path)
			if got.status != 404 && got.status != 400 {
				t.Errorf("%s %s: %d %s", ask.method, id+ask.path, got.status, got.body)
			}
		}
	}
}
