package host_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestARunShowsTheDefinitionThatItIsPinnedTo(t *testing.T) {
	w := newWorld(t)
	workflow, first := w.chain()
	path := executions + first + "/workflow/"
	w.ask("PUT", workflows+workflow+"/", strings.Replace(chain, "name: Chain", "name: Other", 1), "Content-Type", "application/yaml").want(200)
	if name := w.ask("GET", path, "").want(200).text("name"); name != "Chain" {
		t.Errorf("the definition is that of %q", name)
	}
	w.ask("DELETE", workflows+workflow+"/", "").want(204)
	document := w.ask("GET", path, "").want(200).object()
	steps, _ := document["steps"].([]any)
	if len(steps) != 3 || steps[2].(map[string]any)["id"] != "c" {
		t.Errorf("the definition is %v", document)
	}
	if _, more := document["revision"]; more {
		t.Errorf("metadata are no part of a definition: %v", document)
	}
	w.ask("GET", executions+"none/workflow/", "").problem(404, "EXECUTION_NOT_FOUND")
	w.ask("GET", path, "", "Authorization", "").problem(401, "AUTHENTICATION_ERROR")
}

func TestAnInputIsShownAsTheStepGotIt(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("ä", 100<<10)
	id := fmt.Sprint(w.run(`[{id: a, handler: test.block, enabled: false}, {id: b, handler: test.fail, config: {id: "${execution.id}"}, dependencies: [a], required: false},
  {id: long, handler: test.echo, config: {text: "${item}${item}"}, for_each: ["` + long + `"]}]`)["execution_id"])
	path := executions + id + "/steps/"
	got := w.ask("GET", path+"b/input/", "").want(200).object()
	if got["resolved"] != true || dig(t, got, "config")["id"] != id || len(got["as_written"].([]any)) != 0 {
		t.Errorf("the input of b: %v", got)
	}
	got = w.ask("GET", path+"a/input", "").want(200).object()
	if got["resolved"] != false || got["reason"] != "it was skipped: the step is not enabled" {
		t.Errorf("the input of a: %v", got)
	}
	got = w.ask("GET", path+"long/input/?item=0", "").want(200).object()
	if preview := fmt.Sprint(got["preview"]); got["config"] != nil || got["size"].(float64) < 400<<10 || len(preview) > 1<<10 || !strings.HasPrefix(preview, `{"text":"ää`) {
		t.Errorf("a long input: %v", got)
	}
	whole := w.ask("GET", path+"long/input/?item=0&whole=true", "").want(200)
	if whole.object()["text"] != long+long || whole.header.Get("Content-Disposition") != `attachment; filename="long-input.json"` {
		t.Errorf("a long input whole: %v %.80s", whole.header, whole.body)
	}
	for _, missing := range []string{"none/input/", "b/input/?item=0", "long/input/?item=1"} {
		w.ask("GET", path+missing, "").problem(404, "NOT_FOUND")
	}
	w.ask("GET", path+"b/input/?item=-1", "").problem(400, "VALIDATION_ERROR")
	w.ask("GET", path+"b/input/?whole=maybe", "").problem(400, "VALIDATION_ERROR")
	w.ask("GET", executions+"none/steps/a/input/", "").problem(404, "EXECUTION_NOT_FOUND")
}
