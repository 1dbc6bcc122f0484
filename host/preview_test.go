package host_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestAPlanSaysWhatARunWouldDo(t *testing.T) {
	w := newWorld(t)
	id := w.ask("POST", workflows, chain, "Content-Type", "application/yaml").want(201).text("id")
	for _, ask := range [][2]string{
		{"plan/", ""}, {"plan", `{"p":"bare"}`}, {"plan/", `{"parameters":{"p":"x"},"skip_steps":["b"]}`},
		{"execute/", `{"dry_run":true}`}, {"execute/?async=false", `{"dry_run":true,"parameters":{"p":"x"}}`},
	} {
		got := w.ask("POST", workflows+id+"/"+ask[0], ask[1]).want(200)
		steps, _ := got.object()["steps"].([]any)
		if len(steps) != 3 || got.object()["warnings"] == nil {
			t.Fatalf("%v: %s", ask, got.body)
		}
		a, b := steps[0].(map[string]any), steps[1].(map[string]any)
		if effects := fmt.Sprint(a["effects"]); a["status"] != "run" || !strings.Contains(effects, "file of a") {
			t.Errorf("%v: a is %v", ask, a)
		}
		if want := map[bool]string{true: "skip", false: "unknown"}[strings.Contains(ask[1], "skip_steps")]; b["status"] != want || b["reason"] == "" {
			t.Errorf("%v: b is %v, want %s", ask, b, want)
		}
	}
	for body, pointer := range map[string]string{`{"parameters":{"q":1}}`: "/q", `{"skip_steps":["none"]}`: "/skip_steps/0", `{"workspace":"none"}`: "/workspace", `{"dry_run":1}`: "/dry_run"} {
		w.invalid(workflows+id+"/plan/", body, pointer)
	}
	w.ask("POST", workflows+"none/plan/", "").problem(404, "WORKFLOW_NOT_FOUND")
	draft := w.ask("POST", workflows+"?draft=true", "name: Draft\nsteps: [{id: a, handler: none.such}]\n", "Content-Type", "application/yaml").want(201).text("id")
	w.ask("POST", workflows+draft+"/plan/", "").problem(400, "VALIDATION_ERROR")
	if calls := w.invoker.Calls(); len(calls) > 0 {
		t.Errorf("a plan led to %d calls", len(calls))
	}
	if list, ok := w.ask("GET", executions, "").want(200).object()["executions"].([]any); !ok || len(list) > 0 {
		t.Errorf("a plan made executions: %v", list)
	}
}

func TestOneStepIsRunByItself(t *testing.T) {
	w := newWorld(t)
	id := w.ask("POST", workflows, chain, "Content-Type", "application/yaml").want(201).text("id")
	path := workflows + id + "/steps/b/run/"
	w.failOnce()
	w.invalid(path, `{"config":[1]}`, "/config")
	w.invalid(path, `{"parameters":1}`, "/parameters")
	w.invalid(path, `{"parameters":{"q":1}}`, "/q")
	w.invalid(path, `{"outputs":{"none":1}}`, "/outputs/none")
	w.invalid(path, `{"outputs":{"b":1}}`, "/outputs/b")
	w.invalid(path, `{"outputs":[]}`, "/outputs")
	w.invalid(path, `{"workspace":"none"}`, "/workspace")
	w.invalid(workflows+id+"/steps/a/run/", `{"config":{"p":"${parameters.none}"}}`, "/steps/0/config")
	w.ask("POST", workflows+id+"/steps/none/run/", "").problem(404, "NOT_FOUND")
	w.ask("POST", workflows+"none/steps/b/run/", "").problem(404, "WORKFLOW_NOT_FOUND")

	made := w.ask("POST", path, `{"outputs":{"a":{"p":"pretended"}},"workspace":"other"}`).want(202)
	execution := made.text("execution_id")
	if made.header.Get("Location") != executions+execution+"/" || made.text("websocket_url") == "" || made.text("workflow_id") != id {
		t.Errorf("started: %s", made.body)
	}
	result := w.ended(execution, "failed")
	if result["workspace"] != "other" || w.invoker.CallsOf("a") != 0 || w.invoker.CallsOf("b") != 1 || string(w.invoker.Calls()[0].Config) != `{"from":"pretended"}` {
		t.Errorf("the calls were %+v", w.invoker.Calls())
	}
	if c := dig(t, result, "step_results", "c"); c["status"] != "skipped" || c["skip_reason"] == "" {
		t.Errorf("c is %v", c)
	}
	edited := w.ask("POST", path, `{"config":{"from":"here"}}`).want(202).text("execution_id")
	if result = w.ended(edited, "success"); dig(t, result, "step_results", "b", "output")["from"] != "here" {
		t.Errorf("result: %v", result)
	}
	if w.ask("GET", workflows+id+"/", "").object()["revision"] != 1.0 {
		t.Error("the workflow was changed")
	}
	// Without a's output b's config refers to nothing.
	lost := w.ask("POST", path, "").want(202).text("execution_id")
	if failure := dig(t, w.ended(lost, "failed"), "step_results", "b", "error"); failure["code"] != "REFERENCE_ERROR" {
		t.Errorf("failure: %v", failure)
	}
}

func TestARunExplainsItself(t *testing.T) {
	w := newWorld(t)
	id := w.begin("[{id: a, handler: test.block}, {id: b, handler: test.echo, dependencies: [a]}]")
	w.eventually("the step", func() bool { return w.invoker.CallsOf("a") == 1 })
	said := func() string { return string(w.ask("GET", executions+id+"/explain/", "").want(200).body) }
	if text := said(); !strings.Contains(text, `"waits_for":["a"]`) || !strings.Contains(text, "Attempt 1 is under way") {
		t.Errorf("while it runs: %s", text)
	}
	w.release <- struct{}{}
	w.ended(id, "success")
	if text := said(); !strings.Contains(text, "It ended with success") || !strings.Contains(text, "had ended") {
		t.Errorf("once it has ended: %s", text)
	}
	w.ask("GET", executions+"none/explain/", "").problem(404, "EXECUTION_NOT_FOUND")
}

func TestOnlyDocumentsMayBeLong(t *testing.T) {
	w := newWorld(t)
	id := w.save("[{id: run, handler: test.echo}]")
	long := `{"parameters":{"x":"` + strings.Repeat("x", 3<<19) + `"}}`
	for _, path := range []string{"/plan/", "/execute/", "/steps/run/run/", "/steps/run/run"} {
		w.ask("POST", workflows+id+path, long).problem(413, "PAYLOAD_TOO_LARGE")
	}
	// A workflow's own name may be that of an action.
	document := `{"name":"Long","description":"` + strings.Repeat("x", 3<<19) + `","steps":[{"id":"a","handler":"test.echo"}]}`
	if got := w.ask("PUT", workflows+"execute/", document); got.status == 413 {
		t.Errorf("a document is too large: %s", got.body)
	}
}
