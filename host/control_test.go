package host_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// conflict checks that an action is refused for the state that it names.
func (w *world) conflict(path, body, state string) {
	w.t.Helper()
	refused := w.ask("POST", path, body).problem(409, "CONFLICT")
	if !strings.Contains(fmt.Sprint(refused["detail"]), state) {
		w.t.Errorf("%s: the refusal does not name %q: %v", path, state, refused["detail"])
	}
}

// invalid checks that a body is refused for a place that it names.
func (w *world) invalid(path, body, pointer string) {
	w.t.Helper()
	refused := w.ask("POST", path, body).problem(400, "VALIDATION_ERROR")
	if !strings.Contains(fmt.Sprint(refused["errors"]), pointer) {
		w.t.Errorf("%s with %s: the refusal does not name %q: %v", path, body, pointer, refused)
	}
}

func TestAnExecutionIsPausedAndResumed(t *testing.T) {
	w := newWorld(t)
	id := w.begin("[{id: a, handler: test.block}, {id: b, handler: test.echo, dependencies: [a]}]")
	w.eventually("the step", func() bool { return w.invoker.CallsOf("a") == 1 })
	path := executions + id + "/"
	w.conflict(path+"resume/", "", "running, not paused")
	w.ask("POST", path+"pause/", "").want(200)
	w.release <- struct{}{}
	w.eventually("the pause", func() bool { return w.status(id) == "paused" })
	w.conflict(path+"pause", "", "paused already")
	result := w.ask("GET", path, "").want(200).object()
	if result["status_reason"] != "paused by admin" || dig(t, result, "step_results", "b")["status"] != "pending" {
		t.Errorf("paused: %v", result)
	}
	if list, ok := w.ask("GET", executions+"?status=queued,paused,waiting", "").want(200).object()["executions"].([]any); !ok || len(list) != 1 {
		t.Errorf("the list of what stands still: %v", list)
	}
	if w.ask("POST", path+"resume/", "").want(200).text("execution_id") != id {
		t.Error("the answer is not the result")
	}
	w.eventually("the end", func() bool { return w.status(id) == "success" })
	w.conflict(path+"pause/", "", "success")
	w.ask("POST", executions+"none/pause/", "").problem(404, "EXECUTION_NOT_FOUND")
}

func TestAnApprovalIsAnswered(t *testing.T) {
	w := newWorld(t)
	id := w.begin(`[{id: a, handler: flow.approval, config: {message: "Ship it?", form: {type: object, required: [version], properties: {version: {type: string}}}}},
		{id: b, handler: test.block, dependencies: [a]}]`)
	w.eventually("the approval", func() bool { return w.status(id) == "waiting" })
	path := executions + id + "/steps/a/approve/"
	waiting := dig(t, w.ask("GET", executions+id+"/", "").want(200).object(), "step_results", "a", "waiting")
	if waiting["reason"] != "approval" || waiting["message"] != "Ship it?" || waiting["form"] == nil {
		t.Errorf("waiting: %v", waiting)
	}
	w.invalid(path, `{}`, "approved")
	w.invalid(path, `{"approved":"yes"}`, "/approved")
	w.invalid(path, `{"approved":true,"data":["x"]}`, "/data")
	w.invalid(path, `{"approved":true,"data":{"version":1}}`, "/data/version")
	w.invalid(path, `{"approved":true,"item":-1}`, "/item")
	w.ask("POST", path, "").problem(400, "VALIDATION_ERROR")
	w.ask("POST", executions+id+"/steps/none/approve/", `{"approved":true}`).problem(404, "NOT_FOUND")
	w.conflict(executions+id+"/steps/b/approve/", `{"approved":true}`, "pending")
	answered := w.ask("POST", path, `{"approved":true,"comment":"go","data":{"version":"2.0"}}`).want(200).object()
	output := dig(t, answered, "step_results", "a", "output")
	if output["version"] != "2.0" || output["by"] != "admin" || output["comment"] != "go" {
		t.Errorf("output: %v", output)
	}
	w.conflict(path, `{"approved":true}`, "success")
	w.release <- struct{}{}
	w.eventually("the end", func() bool { return w.status(id) == "success" })
	w.conflict(path, `{"approved":true}`, "success")
}

func TestOnlyApproversMayApprove(t *testing.T) {
	w := newWorld(t)
	for approvers, status := range map[string]int{"[alice]": 403, "[alice, admin]": 200, "[editor]": 200, "[]": 200} {
		id := w.begin(`[{id: a, handler: flow.approval, config: {message: "?", approvers: ` + approvers + `}}]`)
		w.eventually("the approval", func() bool { return w.status(id) == "waiting" })
		got := w.ask("POST", executions+id+"/steps/a/approve/", `{"approved":false,"comment":"no"}`).want(status)
		if status == 403 {
			if refused := got.problem(403, "AUTHORIZATION_ERROR"); !strings.Contains(fmt.Sprint(refused["detail"]), "alice") {
				t.Errorf("the refusal does not say who may: %v", refused)
			}
			continue
		}
		w.eventually("the end", func() bool { return w.status(id) == "failed" })
		result := w.ask("GET", executions+id+"/", "").want(200).object()
		if failure := dig(t, result, "step_results", "a", "error"); failure["message"] != "rejected by admin: no" {
			t.Errorf("%s: %v", approvers, failure)
		}
	}
}

func TestASignalIsDelivered(t *testing.T) {
	w := newWorld(t)
	id := w.begin(`[{id: a, handler: flow.signal, config: {name: deployed.v1}}, {id: b, handler: flow.signal, config: {name: later}, dependencies: [a]}]`)
	w.eventually("the wait", func() bool { return w.status(id) == "waiting" })
	path := executions + id + "/signals/"
	for _, name := range []string{"-x", "a%20b", strings.Repeat("a", 101), "a%2fb"} {
		w.invalid(path+name+"/", `1`, "name")
	}
	w.ask("POST", path+"deployed.v1/", `{"x":`).problem(400, "VALIDATION_ERROR")
	w.ask("POST", path+"later/", "").want(200)
	w.ask("POST", path+"deployed.v1/", `{"host":"a1"}`).want(200)
	w.eventually("the end", func() bool { return w.status(id) == "success" })
	result := w.ask("GET", executions+id+"/", "").object()
	if dig(t, result, "step_results", "a", "output")["host"] != "a1" {
		t.Errorf("result: %v", result)
	}
	w.conflict(path+"later/", `1`, "success")
	w.ask("POST", executions+"none/signals/x/", "").problem(404, "EXECUTION_NOT_FOUND")
}

func TestOneItemIsDecided(t *testing.T) {
	w := newWorld(t)
	id := w.begin(`[{id: a, handler: test.unknown, for_each: [x, y]}]`)
	path := executions + id + "/steps/a/resolve/"
	interrupted := func() (count int) {
		items, _ := dig(t, w.ask("GET", executions+id+"/", "").want(200).object(), "step_results", "a")["items"].([]any)
		for _, item := range items {
			if item.(map[string]any)["status"] == "interrupted" {
				count++
			}
		}
		return count
	}
	w.eventually("both interruptions", func() bool { return interrupted() == 2 })
	w.invalid(path, `{"as":"success","item":-1}`, "/item")
	w.conflict(path, `{"as":"success","item":7}`, "interrupted")
	w.ask("POST", path, `{"as":"success","item":1,"output":{"n":1}}`).want(200)
	if left := interrupted(); left != 1 {
		t.Errorf("%d items are left to be decided", left)
	}
	w.ask("POST", path, `{"as":"skipped"}`).want(200)
	w.eventually("the end", func() bool { return w.status(id) == "success" })
	var result struct {
		StepResults map[string]struct {
			Output []map[string]any
			Items  []struct{ Status string }
		} `json:"step_results"`
	}
	if err := json.Unmarshal(w.ask("GET", executions+id+"/", "").body, &result); err != nil {
		t.Fatal(err)
	}
	if a := result.StepResults["a"]; len(a.Items) != 2 || a.Items[0].Status != "skipped" || len(a.Output) != 2 || a.Output[1]["n"] != 1.0 {
		t.Errorf("result: %+v", a)
	}
}

func TestAFullConcurrencyLimitNamesWhoHoldsIt(t *testing.T) {
	w := newWorld(t)
	text := "name: One\nconcurrency: {limit: 1, key: \"shared\", on_conflict: reject}\nsteps: [{id: a, handler: test.block}]\n"
	id := w.ask("POST", workflows, text, "Content-Type", "application/yaml").want(201).text("id")
	holder := w.ask("POST", workflows+id+"/execute/", "").want(202).text("execution_id")
	w.conflict(workflows+id+"/execute/", "", holder)
	w.release <- struct{}{}
	w.eventually("the end", func() bool { return w.status(holder) == "success" })
	// The slot is given back a moment after the end is told.
	w.eventually("room for another", func() bool { return w.ask("POST", workflows+id+"/execute/", "").status == 202 })
}

func TestAQueuedExecutionIsListedAndExplained(t *testing.T) {
	w := newWorld(t)
	text := "name: One\nconcurrency: {limit: 1}\nsteps: [{id: a, handler: test.block}]\n"
	id := w.ask("POST", workflows, text, "Content-Type", "application/yaml").want(201).text("id")
	holder := w.ask("POST", workflows+id+"/execute/", "").want(202).text("execution_id")
	queued := w.ask("POST", workflows+id+"/execute/", "").want(202).text("execution_id")
	w.eventually("the queue", func() bool { return w.status(queued) == "queued" })
	explained := w.ask("GET", executions+queued+"/explain/", "").want(200)
	if !strings.Contains(explained.text("summary"), holder) || dig(t, explained.object(), "slot")["place"] != 1.0 {
		t.Errorf("explained: %s", explained.body)
	}
	if list, ok := w.ask("GET", executions+"?status=queued", "").want(200).object()["executions"].([]any); !ok || len(list) != 1 {
		t.Errorf("the list of what is queued: %v", list)
	}
	close(w.release)
	w.eventually("the end", func() bool { return w.status(queued) == "success" })
}
