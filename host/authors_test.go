package host_test

import (
	"fmt"
	"strings"
	"testing"
)

const (
	echoes      = "name: %s\nsteps: [{id: a, handler: test.echo, config: {text: x}}]\n"
	callsHidden = `name: Caller
steps: [{id: kid, handler: flow.workflow, config: {workflow: hidden}}]
`
	callsEcho = `name: Forked
steps: [{id: kid, handler: flow.workflow, config: {workflow: open}}]
`
)

// authorsWorld has a workflow "hidden" that only ann may see, and one that all
// may.
type authorsWorld struct {
	*world
	ann, eve []string
}

func newAuthorsWorld(t *testing.T, settings ...setting) *authorsWorld {
	t.Helper()
	w := &authorsWorld{world: newWorld(t, settings...)}
	w.ann, w.eve = w.as("ann", "editor"), w.as("eve", "editor", "ops")
	w.saveAs("hidden", fmt.Sprintf(echoes, "Hidden"), w.ann)
	w.ask("PUT", workflows+"hidden/access/", `{"visibility":"private"}`, w.ann...).want(200)
	w.saveAs("open", fmt.Sprintf(echoes, "Open"), w.ann)
	return w
}

func (w *authorsWorld) saveAs(id, text string, who []string) {
	w.t.Helper()
	if a := w.ask("POST", workflows+"import/?overwrite=true&id="+id, text, append([]string{"Content-Type", "application/yaml"}, who...)...); a.status != 200 {
		a.want(201)
	}
}

// result runs a workflow, or repeats an execution, and returns how its step
// kid ended, and the execution.
func (w *authorsWorld) result(path, body string, who []string) (status, code, execution string) {
	w.t.Helper()
	execution = w.ask("POST", path, body, who...).want(202).text("execution_id")
	w.eventually("the end of "+execution, func() bool { return w.status(execution) == "success" || w.status(execution) == "failed" })
	kid := w.ask("GET", executions+execution+"/", "").want(200).object()["step_results"].(map[string]any)["kid"].(map[string]any)
	if failure, failed := kid["error"].(map[string]any); failed {
		code = fmt.Sprint(failure["code"], ": ", failure["message"])
	}
	return fmt.Sprint(kid["status"]), code, execution
}

func (w *authorsWorld) wantMissing(status, code string) {
	w.t.Helper()
	if status != "failed" || code != `WORKFLOW_NOT_FOUND: there is no workflow "hidden" that the author of this one may see` {
		w.t.Errorf("the child %s, %s", status, code)
	}
}

func (w *authorsWorld) wantRun(status, code string) {
	w.t.Helper()
	if status != "success" {
		w.t.Errorf("the child %s, %s", status, code)
	}
}

func TestAChildIsRunForTheAuthorOfItsCaller(t *testing.T) {
	t.Parallel()
	w := newAuthorsWorld(t)
	w.saveAs("caller", callsHidden, w.eve)
	status, code, _ := w.result(workflows+"caller/execute/", "", w.eve)
	w.wantMissing(status, code)
	// Whoever starts it does not lend it more.
	status, code, failed := w.result(workflows+"caller/execute/", "", w.ann)
	w.wantMissing(status, code)
	status, code, _ = w.result(executions+failed+"/retry/", "", w.ann)
	w.wantMissing(status, code)

	// Its author offers others what they may not see themselves.
	w.saveAs("caller", callsHidden, w.ann)
	status, code, _ = w.result(workflows+"caller/execute/", "", w.eve)
	w.wantRun(status, code)

	// Who shares it lets others call it, from now on.
	w.saveAs("caller", callsHidden, w.eve)
	w.ask("PUT", workflows+"hidden/access/", `{"visibility":"team","team":"ops"}`, w.ann...).want(200)
	status, code, _ = w.result(workflows+"caller/execute/", "", w.eve)
	w.wantRun(status, code)
	w.ask("PUT", users+"eve/", `{"disabled":true}`).want(200)
	status, code, _ = w.result(workflows+"caller/execute/", "", nil)
	w.wantMissing(status, code)
}

func TestAChangeForOneRunAnswersForItself(t *testing.T) {
	t.Parallel()
	w := newAuthorsWorld(t)
	w.saveAs("forked", callsEcho, w.ann)
	status, code, ended := w.result(workflows+"forked/execute/", "", w.ann)
	w.wantRun(status, code)
	status, code, forked := w.result(executions+ended+"/fork/", `{"from_step":"kid","config":{"workflow":"hidden"}}`, w.eve)
	w.wantMissing(status, code)
	status, code, _ = w.result(executions+forked+"/retry/", "", w.ann)
	w.wantMissing(status, code)
	status, code, _ = w.result(executions+forked+"/fork/", `{"from_step":"kid"}`, w.ann)
	w.wantMissing(status, code)
	status, code, _ = w.result(workflows+"forked/steps/kid/run/", `{"config":{"workflow":"hidden"}}`, w.eve)
	w.wantMissing(status, code)
	status, code, _ = w.result(executions+ended+"/fork/", `{"from_step":"kid","config":{"workflow":"hidden"}}`, w.ann)
	w.wantRun(status, code)
}

func TestAnEndStartsWhatItsAuthorMaySee(t *testing.T) {
	t.Parallel()
	w := newAuthorsWorld(t, withTriggers(t))
	const after = "name: After %[1]s\ntriggers: [{type: workflow, id: t, workflow: %[2]s}]\nsteps: [{id: a, handler: test.echo, config: {text: x}}]\n"
	w.saveAs("ofeve", fmt.Sprintf(after, "eve", "hidden"), w.eve)
	w.saveAs("ofann", fmt.Sprintf(after, "ann", "hidden"), w.ann)
	w.saveAs("last", fmt.Sprintf(after, "all", "open"), w.eve)
	// Ends are handled one by one: once the second was, the first was too.
	for _, one := range [][2]string{{"hidden", "ofann"}, {"open", "last"}} {
		watched, waits := one[0], one[1]
		w.ask("POST", workflows+watched+"/execute/?async=false", "", w.ann...).want(200)
		w.eventually("the start of "+waits, func() bool { return w.started(waits) })
	}
	if w.started("ofeve") {
		t.Error("eve's workflow was started by what she may not see")
	}
	if one := w.trigger("ofeve.t", w.eve); len(one["firings"].([]any)) > 0 {
		t.Errorf("eve learns of the end: %v", one)
	}
}

func TestATriggerSaysThatItsAuthorMayNotSeeWhatItWatches(t *testing.T) {
	t.Parallel()
	w := newAuthorsWorld(t, withTriggers(t))
	const after = "name: After %[1]s\ntriggers: [{type: workflow, id: t, workflow: %[2]s}]\nsteps: [{id: a, handler: test.echo, config: {text: x}}]\n"
	problem := func(id string, who []string) string {
		t.Helper()
		text, _ := w.trigger(id+".t", who)["problem"].(string)
		return text
	}
	// What is hidden reads like what there is not, also by its name, and to
	// those who know better.
	for _, watched := range []string{"hidden", "Hidden", "nothing"} {
		id := "of-" + watched
		w.saveAs(id, fmt.Sprintf(after, watched, watched), w.eve)
		want := fmt.Sprintf("It never fires: there is no workflow %q that the author of this one may see. "+
			"Correct the name, ask whoever owns that workflow to share it, or have somebody save this one who may see it.", watched)
		for _, who := range [][]string{w.eve, w.ann, nil} {
			if got := problem(id, who); got != want {
				t.Errorf("the problem with %s is %q", id, got)
			}
		}
	}
	if text := w.ask("POST", "/api/vwmp/triggers/of-hidden.t/pause/", "", w.eve...).want(200).object()["problem"]; text == nil {
		t.Error("a trigger that is paused says nothing of its problem")
	}
	w.saveAs("of-open", fmt.Sprintf(after, "open", "Open"), w.eve)
	w.saveAs("of-ann", fmt.Sprintf(after, "ann", "Hidden"), w.ann)
	// Another one of the same name, which she may see, is enough.
	w.saveAs("twin", fmt.Sprintf(echoes, "Hidden"), w.eve)
	for _, id := range []string{"of-open", "of-ann", "of-Hidden"} {
		if got := problem(id, w.eve); got != "" {
			t.Errorf("the problem with %s is %q", id, got)
		}
	}
	w.ask("PUT", workflows+"hidden/access/", `{"visibility":"team","team":"ops"}`, w.ann...).want(200)
	if got := problem("of-hidden", w.eve); got != "" {
		t.Errorf("once it is shared, the problem is %q", got)
	}
}

// trigger is one of the list of triggers.
func (w *authorsWorld) trigger(id string, who []string) map[string]any {
	w.t.Helper()
	for _, shown := range w.ask("GET", "/api/vwmp/triggers/", "", who...).want(200).object()["triggers"].([]any) {
		if one := shown.(map[string]any); one["id"] == id {
			return one
		}
	}
	w.t.Fatalf("there is no trigger %s", id)
	return nil
}

func (w *authorsWorld) started(id string) bool {
	w.t.Helper()
	return strings.Contains(string(w.ask("GET", executions+"?workflow_id="+id, "").want(200).body), `"execution_id"`)
}
