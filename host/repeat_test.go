package host_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/pluginsdk"
)

// failOnce makes test.fail succeed from its second call on.
func (w *world) failOnce() {
	first := w.invoker.Handlers["test.fail"]
	w.invoker.Handlers["test.fail"] = func(ctx context.Context, r *pluginsdk.Request, report pluginsdk.Reporter) pluginsdk.Outcome {
		if w.invoker.CallsOf(r.StepID) == 1 {
			return first(ctx, r, report)
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: r.Config}
	}
}

const chain = `name: Chain
parameters: [{name: p, type: string, default: one}]
steps:
  - {id: a, handler: test.undoable, config: {p: "${parameters.p}"}}
  - {id: b, handler: test.fail, dependencies: [a], config: {from: "${step-outputs.a.p}"}}
  - {id: c, handler: test.undoable, dependencies: [b]}
`

// chain saves and executes the chain, in which b fails the first time.
func (w *world) chain() (workflow, execution string) {
	w.t.Helper()
	w.failOnce()
	workflow = w.ask("POST", workflows, chain, "Content-Type", "application/yaml").want(201).text("id")
	result := w.ask("POST", workflows+workflow+"/execute/?async=false", "").want(200)
	if result.text("status") != "failed" {
		w.t.Fatalf("the first run: %s", result.body)
	}
	return workflow, result.text("execution_id")
}

// ended waits for an execution's end and returns its result.
func (w *world) ended(id, status string) map[string]any {
	w.t.Helper()
	w.eventually("the end as "+status, func() bool { return w.status(id) == status })
	return w.ask("GET", executions+id+"/", "").want(200).object()
}

func TestARetryKeepsWhatSucceeded(t *testing.T) {
	w := newWorld(t)
	workflow, first := w.chain()
	path := executions + first + "/retry/"
	w.invalid(path, `{"from_step":"none"}`, "/from_step")
	w.invalid(path, `{"parameters":[1]}`, "/parameters")
	w.invalid(path, `{"parameters":{"q":1}}`, "/q")
	w.invalid(path, `{"newest":true,"revision":1}`, "/revision")
	w.invalid(path, `{"revision":9}`, "/revision")
	w.invalid(path, `{"revision":-1}`, "/revision")
	w.invalid(path, `{"extra":1}`, "/extra")
	w.ask("POST", executions+"none/retry/", "").problem(404, "EXECUTION_NOT_FOUND")
	made := w.ask("POST", path, "").want(202)
	id := made.text("execution_id")
	if made.header.Get("Location") != executions+id+"/" || made.text("retry_of") != first || made.text("trigger") != "retry" ||
		made.text("websocket_url") != "ws://"+w.addr+"/ws/vwmp/executions/"+id {
		t.Errorf("retry: %s", made.body)
	}
	result := w.ended(id, "success")
	if dig(t, result, "step_results", "a")["kept_from"] != first || w.invoker.CallsOf("a") != 1 {
		t.Errorf("a was made again: %v", result)
	}
	w.conflict(executions+id+"/retry/", "", "every step succeeded")

	w.ask("PUT", workflows+workflow+"/", strings.Replace(chain, "{id: c,", "{id: d,", 1), "Content-Type", "application/yaml").want(200)
	newest := w.ask("POST", executions+id+"/retry/", `{"from_step":"b","newest":true,"parameters":{"p":"two"}}`).want(202)
	result = w.ended(newest.text("execution_id"), "success")
	if result["workflow_revision"] != 2.0 || dig(t, result, "parameters")["p"] != "two" || dig(t, result, "step_results", "d")["status"] != "success" {
		t.Errorf("the newest revision: %v", result)
	}
	older := w.ask("POST", executions+id+"/retry/", `{"from_step":"b","revision":1}`).want(202)
	if result = w.ended(older.text("execution_id"), "success"); result["workflow_revision"] != 1.0 {
		t.Errorf("the first revision: %v", result)
	}
	w.ask("DELETE", workflows+workflow+"/", "").want(204)
	w.ask("POST", executions+id+"/retry/", `{"newest":true}`).problem(404, "WORKFLOW_NOT_FOUND")
}

func TestWhatLivesIsNotMadeAgain(t *testing.T) {
	w := newWorld(t)
	id := w.begin("[{id: a, handler: test.block}]")
	for action, body := range map[string]string{"retry/": "", "fork/": `{"from_step":"a"}`, "undo/": ""} {
		w.eventually("the step", func() bool { return w.status(id) == "running" })
		w.conflict(executions+id+"/"+action, body, "running")
	}
}

func TestAForkEditsWhatCameBefore(t *testing.T) {
	w := newWorld(t)
	_, first := w.chain()
	path := executions + first + "/fork/"
	w.invalid(path, `{}`, "from_step")
	w.invalid(path, `{"from_step":"none"}`, "/from_step")
	w.invalid(path, `{"from_step":"b","config":[1]}`, "/config")
	w.invalid(path, `{"from_step":"b","outputs":{"c":1}}`, "/outputs/c")
	w.invalid(path, `{"from_step":"b","item":3}`, "/item")
	w.ask("POST", path, "").problem(400, "VALIDATION_ERROR")
	w.ask("POST", path+"?dry_run=maybe", `{"from_step":"b"}`).problem(400, "VALIDATION_ERROR")
	w.ask("POST", path, "from_step: b", "Content-Type", "application/yaml").problem(415, "UNSUPPORTED_MEDIA_TYPE")
	w.ask("POST", path, `{"from_step":"b","config":`+strings.Repeat(`{"a":`, 65)+"1"+strings.Repeat("}", 66)).problem(400, "VALIDATION_ERROR")
	w.ask("POST", executions+"none/fork/", `{"from_step":"a"}`).problem(404, "EXECUTION_NOT_FOUND")

	var would struct{ Kept, Redone, Unsafe []string }
	dry := w.ask("POST", path+"?dry_run=true", `{"from_step":"b"}`).want(200)
	if err := json.Unmarshal(dry.body, &would); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(would.Kept, []string{"a"}) || !slices.Equal(would.Redone, []string{"b", "c"}) || !slices.Equal(would.Unsafe, []string{"b"}) || dry.header.Get("Location") != "" {
		t.Errorf("the fork would be %s", dry.body)
	}
	made := w.ask("POST", path, `{"from_step":"b","outputs":{"a":{"p":"edited"}}}`).want(202)
	if made.text("fork_of") != first || made.header.Get("Location") != executions+made.text("execution_id")+"/" {
		t.Errorf("fork: %s", made.body)
	}
	if result := w.ended(made.text("execution_id"), "success"); dig(t, result, "step_results", "b", "output")["from"] != "edited" {
		t.Errorf("result: %v", result)
	}
	made = w.ask("POST", path, `{"from_step":"b","config":{"from":"elsewhere"},"parameters":null}`).want(202)
	if result := w.ended(made.text("execution_id"), "success"); dig(t, result, "step_results", "b", "output")["from"] != "elsewhere" {
		t.Errorf("result: %v", result)
	}
}

func TestAnUndoTakesARunBackOnce(t *testing.T) {
	w := newWorld(t)
	_, failed := w.chain()
	first := w.ask("POST", executions+failed+"/retry/", "").want(202).text("execution_id")
	w.ended(first, "success")
	plan := string(w.ask("POST", executions+first+"/undo/?dry_run=true", "").want(200).body)
	if want := `{"steps":[{"step_id":"a","undone":true},{"step_id":"b","undone":false,"reason":"can't be undone: test.fail has no way to"},{"step_id":"c","undone":true}]}`; strings.TrimSpace(plan) != want {
		t.Errorf("the plan is %s", plan)
	}
	if got := w.ask("GET", executions+first+"/", "").want(200).object(); got["undone_by"] != nil {
		t.Errorf("a plan undid it: %v", got)
	}
	made := w.ask("POST", executions+first+"/undo/", "").want(202)
	id := made.text("execution_id")
	if made.text("undo_of") != first || made.text("trigger") != "undo" {
		t.Errorf("undo: %s", made.body)
	}
	w.ended(id, "success")
	result := w.ask("GET", executions+first+"/", "").want(200).object()
	if result["undone_by"] != id || dig(t, result, "step_results", "c")["status"] != "undone" || dig(t, result, "step_results", "c", "undo")["undone_by"] != id {
		t.Errorf("the first run: %v", result)
	}
	w.conflict(executions+first+"/undo/", "", id)
	w.conflict(executions+first+"/undo/?dry_run=true", "", id)
	w.ask("POST", executions+"none/undo/", "").problem(404, "EXECUTION_NOT_FOUND")
	nothing := fmt.Sprint(w.run("[{id: a, handler: test.echo}]")["execution_id"])
	w.conflict(executions+nothing+"/undo/", "", "can be undone")
	w.ask("POST", executions+nothing+"/undo/?dry_run=true", "").want(200)
	w.ask("POST", executions+"none/undo/?dry_run=true", "").problem(404, "EXECUTION_NOT_FOUND")
}

func TestEditsNeedMoreThanToRun(t *testing.T) {
	w := newWorld(t)
	workflow, first := w.chain()
	executor, viewer := w.as("exe", "executor"), w.as("vic", "viewer")
	fork, run := executions+first+"/fork/", workflows+workflow+"/steps/a/run/"
	w.ask("POST", fork+"?dry_run=true", `{"from_step":"b"}`, executor...).want(200)
	w.ask("POST", run, `{"parameters":{"p":"x"}}`, executor...).want(202)
	for path, bodies := range map[string][]string{
		fork: {`{"from_step":"b","outputs":{"a":{}}}`, `{"from_step":"b","config":{}}`, `{"from_step":"b","parameters":{}}`},
		run:  {`{"config":{}}`, `{"outputs":{"b":1}}`},
	} {
		for _, body := range bodies {
			refused := w.ask("POST", path, body, executor...).problem(403, "AUTHORIZATION_ERROR")
			if !strings.Contains(fmt.Sprint(refused["detail"]), "editor") {
				t.Errorf("%s: %v", body, refused["detail"])
			}
		}
	}
	for _, path := range []string{fork, run, executions + first + "/retry/", executions + first + "/undo/", executions + first + "/pause/", workflows + workflow + "/plan/"} {
		w.ask("POST", path, `{"from_step":"b"}`, viewer...).problem(403, "AUTHORIZATION_ERROR")
	}
	w.ask("GET", executions+first+"/explain/", "", viewer...).want(200)
}
