package host_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/enginetest"
	"github.com/vwmp/vwmp/engine/trigger"
	"github.com/vwmp/vwmp/host"
)

const (
	triggers = "/api/vwmp/triggers/"
	hooks    = "/api/vwmp/hooks/"
)

// oneSecret is a secret store that knows one.
type oneSecret struct{}

func (oneSecret) Secret(_ context.Context, name string) (string, error) {
	if name == "hook" {
		return "the key", nil
	}
	return "", trigger.ErrNoSecret
}

// endsOf passes the hub's events on as the engine's publisher would.
func endsOf(ctx context.Context, o *host.Options, ends *trigger.Ends, running *sync.WaitGroup) error {
	all, err := o.Hub.SubscribeAll()
	if err != nil {
		return err
	}
	running.Go(func() {
		defer all.Close()
		for {
			message, err := all.Next(ctx)
			if err != nil {
				return
			}
			ends.Publish(message.Event)
		}
	})
	return nil
}

// withTriggers runs real triggers in a world.
func withTriggers(t *testing.T) setting {
	return func(o *host.Options) {
		ends := trigger.NewEnds()
		ports := host.TriggerPorts{Workflows: o.Workflows, Executions: o.Executions, Accounts: o.Accounts}
		runner := trigger.NewRunner(trigger.Options{
			Engine: o.Engine, Sources: ports, Executions: ports, Records: o.Workflows.(trigger.Records), Settings: enginetest.Settings{},
			Clock: enginetest.Clock{}, Ends: ends, Workspace: o.Workspaces[0], Secrets: oneSecret{}, Ready: o.Catalogue.Ready, Poll: 10 * time.Millisecond,
		})
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		if err := endsOf(ctx, o, ends, &running); err != nil {
			t.Fatal(err)
		}
		begin := make(chan struct{})
		close(begin)
		running.Go(func() { runner.Run(ctx, begin) })
		t.Cleanup(func() { cancel(); running.Wait() })
		o.Triggers = runner
	}
}

// saveText saves a workflow as YAML under an id.
func (w *world) saveText(id, text string) {
	w.t.Helper()
	if a := w.ask("POST", workflows+"import/?overwrite=true&id="+id, text, "Content-Type", "application/yaml"); a.status != 200 {
		a.want(201)
	}
}

const hookYAML = `name: Deploy
parameters:
  - {name: branch, type: string, required: true}
  - {name: event, type: string}
  - {name: mode, type: string}
triggers:
  - type: webhook
    id: push
    parameters: {branch: "${trigger.body.ref}", event: '${trigger.headers.x-event | default "none"}', mode: '${trigger.query.mode | default "plain"}'}
steps: [{id: a, handler: test.echo, config: {text: "${parameters.branch} ${parameters.event} ${parameters.mode}"}}]
`

const signedYAML = `name: Signed
triggers: [{type: webhook, id: push, signature: {header: X-Hub-Signature-256, secret: hook, prefix: sha256=}}]
steps: [{id: a, handler: test.echo}]
`

// trigger is one trigger as GET /triggers/ shows it.
func (w *world) trigger(id string) map[string]any {
	w.t.Helper()
	list := w.ask("GET", triggers, "").want(200).object()
	if next, ok := list["next"].(string); !ok || next != "" {
		w.t.Errorf("next is %v", list["next"])
	}
	for _, one := range list["triggers"].([]any) {
		if found := one.(map[string]any); found["id"] == id {
			return found
		}
	}
	w.t.Fatalf("there is no trigger %s in %v", id, list)
	return nil
}

func signatureOf(key, body string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func TestAWebhookStartsItsWorkflowWithWhatWasSent(t *testing.T) {
	w := newWorld(t, withTriggers(t))
	w.saveText("deploy", hookYAML)
	path := w.trigger("deploy.push")["hook_path"].(string)
	for _, test := range []struct{ kind, query, body, want string }{
		{"application/json", "", `{"ref":"main"}`, "main push plain"},
		{"application/json", "?mode=fast", `{"ref":"v1","more":[1]}`, "v1 push fast"},
		{"application/x-www-form-urlencoded", "", "ref=" + url.QueryEscape("a b"), "a b push plain"},
		{"", "", `{"ref":"bare"}`, "bare push plain"},
	} {
		// Nobody signs in: the token is all.
		answer := w.ask("POST", path+test.query, test.body, "Authorization", "", "Content-Type", test.kind, "X-Event", "push").want(202)
		id := answer.text("execution_id")
		if answer.header.Get("Location") != executions+id+"/" || !strings.HasPrefix(answer.text("websocket_url"), "ws://") {
			t.Errorf("the answer is %s, Location %q", answer.body, answer.header.Get("Location"))
		}
		w.eventually("the end", func() bool { return w.status(id) == "success" })
		result := w.ask("GET", executions+id+"/", "").want(200).object()
		if got := dig(t, result, "step_results", "a", "output")["text"]; got != test.want || result["trigger"] != "webhook" {
			t.Errorf("%s: the step got %v, the trigger is %v", test.body, got, result["trigger"])
		}
	}
	if last := dig(t, w.trigger("deploy.push"), "last_firing"); last["outcome"] != "fired" || last["number"] != 4.0 {
		t.Errorf("last firing: %v", last)
	}
	first := w.ask("POST", path, `{"ref":"once"}`, "Authorization", "", "Idempotency-Key", "delivery-1").want(202).text("execution_id")
	if again := w.ask("POST", path, `{"ref":"once"}`, "Authorization", "", "Idempotency-Key", "delivery-1").want(202).text("execution_id"); again != first {
		t.Errorf("the same delivery started %s and %s", first, again)
	}
	w.ask("POST", path, `{"ref":"other"}`, "Authorization", "", "Idempotency-Key", "delivery-1").problem(422, "IDEMPOTENCY_MISMATCH")
	if last := dig(t, w.trigger("deploy.push"), "last_firing"); last["outcome"] != "refused" {
		t.Errorf("last firing: %v", last)
	}
}

func TestAWebhookRefusesWhatItCantUse(t *testing.T) {
	w := newWorld(t, withTriggers(t))
	w.saveText("deploy", hookYAML)
	path := w.trigger("deploy.push")["hook_path"].(string)
	nobody := []string{"Authorization", "", "Content-Type", "application/json"}
	if got := w.ask("POST", path, `{"branch":"main"}`, nobody...).problem(400, "VALIDATION_ERROR"); !strings.Contains(got["errors"].([]any)[0].(map[string]any)["message"].(string), "trigger.body.ref") {
		t.Errorf("a body without the value: %v", got)
	}
	w.ask("POST", path, `{"ref":`, nobody...).problem(400, "VALIDATION_ERROR")
	w.ask("POST", path, strings.Repeat("[", 65)+strings.Repeat("]", 65), nobody...).problem(400, "VALIDATION_ERROR")
	w.ask("POST", path, "\xff\xfe", "Authorization", "", "Content-Type", "image/png").problem(400, "VALIDATION_ERROR")
	w.ask("POST", path, `"`+strings.Repeat("x", 1<<20)+`"`, nobody...).problem(413, "PAYLOAD_TOO_LARGE")
	w.ask("GET", path, "", nobody...).want(405)
	if last := dig(t, w.trigger("deploy.push"), "last_firing"); last["outcome"] != "refused" || last["reason"] == "" {
		t.Errorf("last firing: %v", last)
	}
	// A token that opens nothing, near or far, looks like any other path.
	token := strings.TrimSuffix(strings.TrimPrefix(path, hooks), "/")
	for _, wrong := range []string{"x", token[:42] + "x", token + "x", strings.Repeat("x", 4000), "%00"} {
		if got := w.ask("POST", hooks+wrong+"/", `{}`, nobody...).problem(404, "NOT_FOUND"); got["detail"] != "there is nothing at this path" {
			t.Errorf("%.50q: %v", wrong, got["detail"])
		}
	}
	w.ask("POST", triggers+"deploy.push/pause/", "").want(200)
	w.ask("POST", path, `{"ref":"main"}`, nobody...).problem(409, "CONFLICT")
	w.ask("DELETE", workflows+"deploy/", "").want(204)
	w.ask("POST", path, `{"ref":"main"}`, nobody...).problem(404, "NOT_FOUND")
}

func TestASignedWebhookTakesOnlyWhatIsSigned(t *testing.T) {
	w := newWorld(t, withTriggers(t))
	w.saveText("signed", signedYAML)
	shown := w.trigger("signed.push")
	path, body := shown["hook_path"].(string), `{"a": 1}`
	if shown["signed"] != true {
		t.Errorf("shown as %v", shown)
	}
	for name, signature := range map[string]string{
		"none": "", "of another key": signatureOf("another key", body), "of another body": signatureOf("the key", body+" "),
		"without its prefix": strings.TrimPrefix(signatureOf("the key", body), "sha256="), "of nothing": "sha256=", "no hexadecimal": "sha256=zz",
		"cut short": signatureOf("the key", body)[:40],
	} {
		t.Run(name, func(t *testing.T) {
			w.ask("POST", path, body, "Authorization", "", "X-Hub-Signature-256", signature).problem(401, "AUTHENTICATION_ERROR")
		})
	}
	w.ask("POST", path, body, "Authorization", "", "X-Hub-Signature-256", signatureOf("the key", body)).want(202)
	w.saveText("signed", strings.Replace(signedYAML, "secret: hook", "secret: lost", 1))
	w.ask("POST", path, body, "Authorization", "", "X-Hub-Signature-256", signatureOf("the key", body)).problem(503, "UNAVAILABLE")
	if last := dig(t, w.trigger("signed.push"), "last_firing"); !strings.Contains(last["reason"].(string), "lost") {
		t.Errorf("last firing: %v", last)
	}
}

func TestAHookIsLimitedBySixtyCallsAMinute(t *testing.T) {
	w := newWorld(t, withTriggers(t))
	w.saveText("signed", signedYAML)
	w.saveText("deploy", hookYAML)
	path, other := w.trigger("signed.push")["hook_path"].(string), w.trigger("deploy.push")["hook_path"].(string)
	for range trigger.HookRate {
		w.ask("POST", path, "", "Authorization", "").problem(401, "AUTHENTICATION_ERROR")
	}
	refused := w.ask("POST", path, "", "Authorization", "")
	refused.problem(429, "RATE_LIMIT_ERROR")
	if after, err := strconv.Atoi(refused.header.Get("Retry-After")); err != nil || after < 1 || after > 60 {
		t.Errorf("Retry-After is %q", refused.header.Get("Retry-After"))
	}
	w.ask("POST", other, `{"ref":"main"}`, "Authorization", "").want(202)
}

func TestTriggersArePausedResumedAndFired(t *testing.T) {
	w := newWorld(t, withTriggers(t))
	w.saveText("nightly", "name: Nightly\ntriggers: [{type: schedule, id: night, cron: \"30 2 * * *\", timezone: Europe/Berlin, catch_up: last}]\nsteps: [{id: a, handler: test.echo}]\n")
	shown := w.trigger("nightly.night")
	if shown["workflow_id"] != "nightly" || shown["workflow_name"] != "Nightly" || shown["trigger_id"] != "night" || shown["type"] != "schedule" || shown["enabled"] != true ||
		shown["paused"] != false || shown["cron"] != "30 2 * * *" || shown["timezone"] != "Europe/Berlin" || shown["catch_up"] != "last" || shown["next_due"] == nil || len(shown["firings"].([]any)) != 0 {
		t.Errorf("shown as %v", shown)
	}
	for _, slash := range []string{"", "/"} {
		paused := w.ask("POST", triggers+"nightly.night/pause"+slash, "").want(200).object()
		if paused["paused"] != true || paused["paused_by"] != "admin" || paused["next_due"] != nil {
			t.Errorf("paused: %v", paused)
		}
		fired := w.ask("POST", triggers+"nightly.night/fire"+slash, "").want(202)
		id := fired.text("execution_id")
		if fired.header.Get("Location") != executions+id+"/" {
			t.Errorf("Location %q", fired.header.Get("Location"))
		}
		if resumed := w.ask("POST", triggers+"nightly.night/resume"+slash, "").want(200).object(); resumed["paused"] != false || resumed["next_due"] == nil || dig(t, resumed, "last_firing")["by"] != "admin" {
			t.Errorf("resumed: %v", resumed)
		}
		if listed := w.ask("GET", executions+"?trigger=schedule", "").want(200).object()["executions"].([]any); len(listed) == 0 || listed[0].(map[string]any)["execution_id"] != id {
			t.Errorf("listed: %v", listed)
		}
	}
	for _, action := range []string{"pause", "resume", "fire"} {
		for _, id := range []string{"nightly.day", "nothing.night", "nightly", "..", "a.b.c", "%00.a"} {
			w.ask("POST", triggers+id+"/"+action+"/", "").want(404)
		}
		w.ask("POST", triggers+"nightly.night/"+action+"/", "", "Authorization", "").problem(401, "AUTHENTICATION_ERROR")
	}
	w.ask("GET", triggers+"?type=odd", "").problem(400, "VALIDATION_ERROR")
	if empty := w.ask("GET", triggers+"?type=webhook", "").want(200).object()["triggers"].([]any); len(empty) != 0 {
		t.Errorf("listed: %v", empty)
	}
	w.saveText("deploy", hookYAML)
	w.ask("POST", triggers+"deploy.push/fire/", "").problem(400, "VALIDATION_ERROR")
	w.ask("POST", triggers+"deploy.push/fire/", `{"trigger":{"body":{"ref":"main"}}}`).want(202)
	if only := w.ask("GET", triggers+"?workflow_id=deploy", "").want(200).object()["triggers"].([]any); len(only) != 1 {
		t.Errorf("listed: %v", only)
	}
}

func TestAFiringThatALimitRejectsIsARefusal(t *testing.T) {
	w := newWorld(t, withTriggers(t))
	w.saveText("one", "name: One\nconcurrency: {limit: 1, on_conflict: reject}\ntriggers: [{type: webhook, id: in}]\nsteps: [{id: a, handler: test.block}]\n")
	path := w.trigger("one.in")["hook_path"].(string)
	w.ask("POST", path, "", "Authorization", "").want(202)
	w.ask("POST", path, "", "Authorization", "").problem(409, "CONFLICT")
	if last := dig(t, w.trigger("one.in"), "last_firing"); last["outcome"] != "refused" || last["reason"] == nil || last["execution_id"] != nil {
		t.Errorf("last firing: %v", last)
	}
}

func TestAWorkflowStartsWhenAnotherEnds(t *testing.T) {
	w := newWorld(t, withTriggers(t))
	w.saveText("after", `name: After
parameters: [{name: cause, type: string}, {name: how, type: string}]
triggers:
  - {type: workflow, id: good, workflow: Test, parameters: {cause: "${trigger.execution_id}", how: "${trigger.status}"}}
  - {type: workflow, id: bad, workflow: Test, statuses: [failed, cancelled], parameters: {how: "${trigger.workflow.name} ${trigger.status}"}}
steps: [{id: a, handler: test.echo}]
`)
	good, bad := w.begin("[{id: a, handler: test.echo}]"), w.begin("[{id: a, handler: test.fail}]")
	started := func() []any {
		return w.ask("GET", executions+"?workflow_id=after&trigger=workflow", "").want(200).object()["executions"].([]any)
	}
	w.eventually("both firings", func() bool { return len(started()) == 2 })
	w.eventually("both records", func() bool {
		return w.trigger("after.good")["last_firing"] != nil && w.trigger("after.bad")["last_firing"] != nil
	})
	for id, want := range map[string]string{"after.good": good, "after.bad": bad} {
		firing := dig(t, w.trigger(id), "last_firing")
		if firing["cause"] != want || firing["outcome"] != "fired" {
			t.Errorf("%s: %v, want it caused by %s", id, firing, want)
		}
		parameters := dig(t, w.ask("GET", executions+firing["execution_id"].(string)+"/", "").want(200).object(), "parameters")
		if id == "after.good" && (parameters["cause"] != good || parameters["how"] != "success") || id == "after.bad" && parameters["how"] != "Test failed" {
			t.Errorf("%s gave %v", id, parameters)
		}
	}
}

func TestAnswersAboutTriggersAreAsDescribed(t *testing.T) {
	w := newWorld(t, withTriggers(t))
	s := readSpecification(t, w)
	w.saveText("deploy", hookYAML)
	w.saveText("nightly", "name: Nightly\ntriggers: [{type: schedule, id: night, cron: \"30 2 * * *\"}, {type: file, id: docs, glob: \"docs/**\"}, {type: workflow, id: end, workflow: deploy}]\nsteps: [{id: a, handler: test.echo}]\n")
	hook := w.trigger("deploy.push")["hook_path"].(string)
	for _, test := range []struct{ method, pattern, path, body, status string }{
		{"post", hooks + "{token}/", hook, `{"ref":"main"}`, "202"},
		{"post", triggers + "{id}/fire/", triggers + "nightly.night/fire/", "", "202"},
		{"post", triggers + "{id}/pause/", triggers + "nightly.night/pause/", "", "200"},
		{"get", triggers, triggers, "", "200"},
		{"post", triggers + "{id}/resume/", triggers + "nightly.night/resume/", "", "200"},
	} {
		answer := w.ask(strings.ToUpper(test.method), test.path, test.body)
		if strconv.Itoa(answer.status) != test.status {
			t.Fatalf("%s: %d, want %s: %s", test.path, answer.status, test.status, answer.body)
		}
		schema := s.schema("/paths/" + escape(test.pattern) + "/" + test.method + "/responses/" + test.status + "/content/" + escape("application/json") + "/schema")
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(answer.body))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v\n%s", test.path, err, answer.body)
		}
	}
}

func TestAHostWithoutTriggersSaysSo(t *testing.T) {
	w := newWorld(t)
	if listed := w.ask("GET", triggers, "").want(200).object()["triggers"].([]any); len(listed) != 0 {
		t.Errorf("listed: %v", listed)
	}
	w.ask("POST", hooks+"x/", "", "Authorization", "").problem(404, "NOT_FOUND")
	w.ask("POST", triggers+"a.b/fire/", "").problem(404, "NOT_FOUND")
	w.ask("POST", triggers+"a.b/pause/", "").problem(404, "NOT_FOUND")
	w.ask("POST", triggers+"a.b/resume/", "").problem(404, "NOT_FOUND")
}

func TestCase121OverRESTIsABadRequest(t *testing.T) {
	w := newWorld(t, withTriggers(t))
	for _, schedule := range []string{`cron: "0 0 * * *", timezone: Mars/Olympus`, `cron: "0 0 31 2 *"`, `cron: "60 23 31 12 *"`, `cron: "59 59 23 31 12 *"`} {
		text := "name: Wrong\ntriggers: [{type: schedule, " + schedule + "}]\nsteps: [{id: a, handler: test.echo}]\n"
		w.ask("POST", workflows, text, "Content-Type", "application/yaml").problem(400, "VALIDATION_ERROR")
	}
	w.ask("GET", executions+"?since=2016-12-31T23:59:60Z", "").problem(400, "VALIDATION_ERROR")
}

var _ trigger.Starter = engine.Engine(nil)

var _ engine.Publisher = (*trigger.Ends)(nil)
