package host_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/trigger"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/host"
)

// hiddenWorld has a workflow, an execution that has ended and one that waits,
// all of which only ann may see.
type hiddenWorld struct {
	*world
	workflow, ended, live string
	ann, eve              []string
}

func newHiddenWorld(t *testing.T, settings ...setting) *hiddenWorld {
	t.Helper()
	h := &hiddenWorld{world: newWorld(t, settings...)}
	h.ann, h.eve = h.as("ann", "editor"), h.as("eve", "editor", "ops")
	yaml := append([]string{"Content-Type", "application/yaml"}, h.ann...)
	h.workflow = h.ask("POST", workflows, "name: Hidden\nsteps: [{id: a, handler: test.block}]\n", yaml...).want(201).text("id")
	h.ask("PUT", workflows+h.workflow+"/access/", `{"visibility":"private"}`, h.ann...).want(200)
	h.ended = h.ask("POST", workflows+h.workflow+"/execute/", "", h.ann...).want(202).text("execution_id")
	h.ask("POST", executions+h.ended+"/cancel/", "", h.ann...).want(200)
	h.eventually("the end", func() bool { return h.status(h.ended) == "cancelled" })
	h.live = h.ask("POST", workflows+h.workflow+"/execute/", "", h.ann...).want(202).text("execution_id")
	h.eventually("the start", func() bool { return h.status(h.live) == "running" })
	return h
}

// TestWhatOneMayNotSeeIsNotThere asks every route of the table that names a
// workflow, an execution or a trigger as somebody who may not see it, and as
// the owner.
func TestWhatOneMayNotSeeIsNotThere(t *testing.T) {
	t.Parallel()
	h := newHiddenWorld(t, func(o *host.Options) { o.Triggers = oneTrigger{o.Triggers, new(string)} })
	asked := 0
	for _, r := range host.RouteNames() {
		if !strings.HasPrefix(r.Pattern, "/api/") {
			continue
		}
		paths := []string{}
		switch {
		case strings.Contains(r.Pattern, "/workflows/{id}/"):
			paths = []string{strings.Replace(r.Pattern, "{id}", h.workflow, 1)}
		case strings.Contains(r.Pattern, "/triggers/{id}/"):
			paths = []string{strings.Replace(r.Pattern, "{id}", h.workflow+".t", 1)}
		case strings.Contains(r.Pattern, "/executions/{id}/"):
			for _, id := range []string{h.ended, h.live} {
				paths = append(paths, strings.Replace(r.Pattern, "{id}", id, 1))
			}
		}
		for _, path := range paths {
			path = strings.NewReplacer("{other}", h.ended, "{step}", "a", "{name}", "go", "{revision}", "1", "{a}", "1", "{b}", "1", "{sha256}", strings.Repeat("a", 64)).Replace(path)
			if strings.Contains(path, "{") {
				t.Fatalf("%s: the test knows no value", path)
			}
			body, kind := "{}", "application/json"
			if r.Method == http.MethodPut && strings.HasSuffix(path, h.workflow+"/") {
				body, kind = echoYAML, "application/yaml"
			}
			got := h.ask(r.Method, path, body, append([]string{"Content-Type", kind, "If-Match", ""}, h.eve...)...)
			if got.status != 404 && (got.status != 403 || r.Permission != "admin") {
				t.Errorf("%s %s: eve gets %d %s", r.Method, path, got.status, got.body)
			}
			asked++
		}
	}
	if asked < 50 {
		t.Errorf("only %d paths were asked", asked)
	}
	own := h.begin("[{id: a, handler: test.block}]")
	h.ask("GET", executions+own+"/compare/"+h.ended+"/", "", h.eve...).problem(404, "EXECUTION_NOT_FOUND")
	missing := h.ask("GET", workflows+"nothing/", "", h.eve...).problem(404, "WORKFLOW_NOT_FOUND")
	hidden := h.ask("GET", workflows+h.workflow+"/", "", h.eve...).problem(404, "WORKFLOW_NOT_FOUND")
	if missing["detail"] != hidden["detail"] {
		t.Errorf("%v and %v tell what is hidden from what is missing", missing["detail"], hidden["detail"])
	}
	for _, path := range []string{workflows + h.workflow + "/", workflows + h.workflow + "/export/", executions + h.ended + "/", executions + h.live + "/events/"} {
		h.ask("GET", path, "", h.ann...).want(200)
		h.ask("GET", path, "").want(200)
	}
	if status := h.status(h.live); status != "running" {
		t.Errorf("the execution is %s", status)
	}
}

func TestListsLeaveOutWhatIsHidden(t *testing.T) {
	t.Parallel()
	h := newHiddenWorld(t, func(o *host.Options) { o.Triggers = oneTrigger{o.Triggers, new(string)} })
	*h.options.Triggers.(oneTrigger).workflow = h.workflow
	for _, path := range []string{
		workflows, workflows + "?q=hidden", executions, executions + "?workflow_id=" + h.workflow, executions + "?status=running", "/api/vwmp/stats/", "/api/vwmp/triggers/",
	} {
		for name, who := range map[string][]string{"ann": h.ann, "eve": h.eve, "the administrator": nil} {
			got := h.ask("GET", path, "", who...).want(200)
			if shown := strings.Contains(string(got.body), h.workflow); shown != (name != "eve") {
				t.Errorf("%s, as %s: %s", path, name, got.body)
			}
		}
	}
	if total := h.ask("GET", workflows, "", h.eve...).header.Get("X-Total-Count"); total != "0" {
		t.Errorf("eve's total is %s", total)
	}
	yaml := append([]string{"Content-Type", "application/yaml"}, h.eve...)
	for _, query := range []string{"?id=" + h.workflow, "?overwrite=true&id=" + h.workflow} {
		h.ask("POST", workflows+"import/"+query, echoYAML, yaml...).problem(409, "CONFLICT")
	}
	made := h.ask("POST", workflows+"import/?overwrite=true", "name: Hidden\nsteps: [{id: a, handler: test.echo}]\n", yaml...).want(201)
	if strings.Contains(string(made.body), h.workflow) {
		t.Errorf("an import by name found what is hidden: %s", made.body)
	}
}

// otherTriggers is host.Triggers under a name that is not one of its methods.
type otherTriggers = host.Triggers

// oneTrigger is a list of one trigger.
type oneTrigger struct {
	otherTriggers
	workflow *string
}

func (o oneTrigger) Triggers(context.Context) ([]trigger.View, error) {
	return []trigger.View{{ID: *o.workflow + ".t", WorkflowID: *o.workflow, Trigger: workflow.Trigger{ID: "t", Type: workflow.TriggerSchedule}}}, nil
}

func TestOwnerTeamAndVisibilityDecide(t *testing.T) {
	t.Parallel()
	h := newHiddenWorld(t)
	bob := h.as("bob", "viewer", "ops", "dev")
	access := workflows + h.workflow + "/access/"
	sees := func(who []string, want int, what string) {
		t.Helper()
		if got := h.ask("GET", workflows+h.workflow+"/", "", who...); got.status != want {
			t.Errorf("%s: %d", what, got.status)
		}
	}
	sees(bob, 404, "private")
	h.ask("PUT", access, `{"visibility":"team"}`, h.ann...).problem(400, "VALIDATION_ERROR")
	h.ask("PUT", access, `{"visibility":"team","team":"dev"}`, h.ann...).want(200)
	sees(bob, 200, "of the team")
	sees(h.eve, 404, "of another team")
	h.ask("PUT", access, `{"team":"ops"}`, h.ann...).want(200)
	sees(h.eve, 200, "of the new team")
	h.ask("PUT", access, `{"visibility":"all"}`, h.eve...).problem(403, "AUTHORIZATION_ERROR")
	h.ask("PUT", users+"eve/", `{"teams":[]}`).want(200)
	sees(h.eve, 404, "who left the team")
	h.ask("PUT", access, `{"owner":"nobody"}`).problem(400, "VALIDATION_ERROR")
	given := h.ask("PUT", access, `{"owner":"eve","visibility":"private"}`).want(200)
	if given.text("owner") != "eve" || given.text("visibility") != "private" || given.text("team") != "ops" {
		t.Errorf("given: %s", given.body)
	}
	sees(h.eve, 200, "the new owner")
	sees(h.ann, 404, "the owner before")
	h.ask("POST", executions+h.live+"/cancel/", "", h.eve...).want(200)
	h.eventually("the end", func() bool { return h.status(h.live) == "cancelled" })
	h.ask("DELETE", workflows+h.workflow+"/", "", h.eve...).want(204)
	h.ask("GET", executions+h.live+"/", "", h.ann...).problem(404, "EXECUTION_NOT_FOUND")
	h.ask("GET", executions+h.live+"/", "", h.eve...).want(200)
	h.ask("POST", workflows+"import/?id="+h.workflow, echoYAML, append([]string{"Content-Type", "application/yaml"}, h.ann...)...).problem(409, "CONFLICT")
}

func TestCase41ASocketShowsNothingOfWhatIsHidden(t *testing.T) {
	t.Parallel()
	h := newHiddenWorld(t)
	for _, path := range []string{"/ws/vwmp/executions/" + h.live, "/ws/vwmp/executions/" + h.ended + "?after_seq=0", "/ws/vwmp/workflows/" + h.workflow + "/execute"} {
		rest := h.dial(path, h.eve...).rest(4404)
		if len(rest) != 1 || rest[0].Event != "error" {
			t.Errorf("%s: eve hears %+v", path, rest)
		}
	}
	eve, ann := h.dial("/ws/vwmp/events", h.eve...), h.dial("/ws/vwmp/events", h.ann...)
	eve.say(`{"type":"ping"}`)
	eve.await("pong")
	ann.say(`{"type":"ping"}`)
	ann.await("pong")
	h.ask("POST", executions+h.live+"/cancel/", "", h.ann...).want(200)
	if m := ann.await("workflow_completed"); m.Execution != h.live {
		t.Errorf("ann hears %+v", m)
	}
	own := h.ask("POST", workflows+h.save("[{id: a, handler: test.echo}]")+"/execute/", "", h.eve...).want(202).text("execution_id")
	if m := eve.await("execution_started"); m.Execution != own {
		t.Errorf("eve hears %+v", m)
	}
}

func TestCase35And41RevocationClosesWhatIsOpen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		revoke func(h *hiddenWorld, token string)
		code   int
	}{
		"the token is revoked":    {func(h *hiddenWorld, token string) { h.ask("DELETE", tokens+token+"/", "").want(204) }, 4401},
		"the account is disabled": {func(h *hiddenWorld, _ string) { h.ask("PUT", users+"bob/", `{"disabled":true}`).want(200) }, 4401},
		"the account is removed":  {func(h *hiddenWorld, _ string) { h.ask("DELETE", users+"bob/", "").want(204) }, 4401},
		"the team is left":        {func(h *hiddenWorld, _ string) { h.ask("PUT", users+"bob/", `{"teams":[]}`).want(200) }, 4404},
		"the workflow is hidden": {func(h *hiddenWorld, _ string) {
			h.ask("PUT", workflows+h.workflow+"/access/", `{"visibility":"private"}`).want(200)
		}, 4404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHiddenWorld(t)
			h.ask("PUT", workflows+h.workflow+"/access/", `{"visibility":"team","team":"dev"}`, h.ann...).want(200)
			h.ask("POST", users, `{"name":"bob","role":"executor","teams":["dev"]}`).want(201)
			made := h.ask("POST", tokens, `{"name":"test","user":"bob","role":"executor"}`).want(201)
			bob := []string{"Authorization", "Bearer " + made.text("token")}
			socket := h.dial("/ws/vwmp/executions/"+h.live, bob...)
			socket.await("snapshot")
			stream := make(chan string, 1)
			go func() {
				got, err := h.try("GET", executions+h.live+"/events/", "", append([]string{"Accept", "text/event-stream"}, bob...)...)
				stream <- fmt.Sprint(string(got.body), err)
			}()
			h.eventually("the stream is open", func() bool { return h.server.OpenStreams() == 2 })
			c.revoke(h, made.text("id"))
			rest := socket.rest(c.code)
			if len(rest) == 0 || rest[len(rest)-1].Event != "error" {
				t.Errorf("the socket hears %+v", rest)
			}
			// It ends although the execution goes on, and says why.
			text := <-stream
			why := map[int]string{4401: "AUTHENTICATION_ERROR", 4404: "EXECUTION_NOT_FOUND"}[c.code]
			if strings.Contains(text, "workflow_completed") || !strings.Contains(text, `data: {"event":"error","error_code":"`+why+`"`) {
				t.Errorf("the stream was %s", text)
			}
			if status := h.status(h.live); status != "running" {
				t.Errorf("the execution is %s", status)
			}
		})
	}
}

func TestCase41AMessageIsJudgedByTheRoleOfNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.begin("[{id: a, handler: test.block}]")
	w.eventually("the start", func() bool { return w.status(id) == "running" })
	c := w.dial("/ws/vwmp/executions/"+id, w.as("bob", "executor")...)
	c.await("snapshot")
	w.ask("PUT", users+"bob/", `{"role":"viewer"}`).want(200)
	c.say(`{"type":"cancel"}`)
	if m := c.await("error"); m.ErrorCode != "AUTHORIZATION_ERROR" {
		t.Errorf("a viewer's cancel: %+v", m)
	}
	w.ask("PUT", users+"bob/", `{"role":"executor"}`).want(200)
	c.say(`{"type":"cancel"}`)
	c.await("workflow_completed")
	trail := w.trail("&action=execution.cancel")
	if want := []string{"bob execution.cancel executions/" + id + " refused", "bob execution.cancel executions/" + id + " done"}; !slices.Equal(trail, want) {
		t.Errorf("the trail is %v", trail)
	}
}

func (oneTrigger) Changed(context.Context, string) {}

// Pause, Resume and Fire do what they are asked: only the edge refuses.
func (o oneTrigger) Pause(context.Context, string, string) (trigger.View, error) {
	return trigger.View{}, nil
}

func (o oneTrigger) Resume(context.Context, string) (trigger.View, error) { return trigger.View{}, nil }

func (o oneTrigger) Fire(context.Context, string, string, map[string]any) (engine.Execution, error) {
	return engine.Execution{}, nil
}
