package host_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine"
)

func TestSecretsAreSetListedAndDeletedAndNeverShown(t *testing.T) {
	w := newWorld(t)
	const hush = `"value":"hush-hush"`
	set := w.ask("PUT", "/api/vwmp/secrets/TOKEN/", "{"+hush+"}", "Content-Type", "application/json").want(201)
	w.ask("PUT", "/api/vwmp/secrets/TOKEN", `{"value":"other-value"}`, "Content-Type", "application/json").want(204)
	w.ask("PUT", "/api/vwmp/secrets/A-b_1/", "{"+hush+"}", "Content-Type", "application/json").want(201)
	list := w.ask("GET", "/api/vwmp/secrets/", "").want(200)
	if body := string(list.body); !strings.HasPrefix(body, `{"secrets":[{"name":"A-b_1","updated_at":"20`) || !strings.Contains(body, `"name":"TOKEN"`) {
		t.Errorf("listed: %s", body)
	}
	w.ask("DELETE", "/api/vwmp/secrets/TOKEN/", "").want(204)
	w.ask("DELETE", "/api/vwmp/secrets/TOKEN", "").problem(404, "NOT_FOUND")
	if body := string(w.ask("GET", "/api/vwmp/secrets", "").want(200).body); strings.Contains(body, "TOKEN") {
		t.Errorf("listed: %s", body)
	}
	for path, body := range map[string]string{
		"9lives": "{" + hush + "}", "a.b": "{" + hush + "}", strings.Repeat("n", 101): "{" + hush + "}",
		"EMPTY": `{"value":""}`, "WRONG": `{"value":["hush-hush"]}`, "MORE": "{" + hush + `,"valu":"hush-hush"}`, "NONE": `{}`, "BROKEN": `{"value":"hush-hush`,
	} {
		refused := w.ask("PUT", "/api/vwmp/secrets/"+path+"/", body, "Content-Type", "application/json")
		refused.problem(400, "VALIDATION_ERROR")
		if strings.Contains(string(refused.body), "hush") {
			t.Errorf("%s: the answer repeats the value: %s", path, refused.body)
		}
	}
	if strings.Contains(string(set.body)+string(list.body)+w.log.String(), "hush") {
		t.Errorf("the value is shown: %s %s %s", set.body, list.body, w.log.String())
	}
}

func TestASecretReachesItsStepAndNoAnswer(t *testing.T) {
	w := newWorld(t)
	w.ask("PUT", "/api/vwmp/secrets/TOKEN/", `{"value":"hush-hush"}`, "Content-Type", "application/json").want(201)
	id := w.ask("POST", "/api/vwmp/workflows/", `name: Test
parameters: [{name: password, type: secret, required: true}]
steps:
  - {id: a, handler: test.echo, config: {text: "${secrets.TOKEN} ${parameters.password}"}}
`, "Content-Type", "application/yaml").want(201).text("id")
	ended := w.ask("POST", "/api/vwmp/workflows/"+id+"/execute/", `{"parameters":{"password":"so-quiet"},"async":false}`, "Content-Type", "application/json").want(200)
	if calls := w.invoker.Calls(); len(calls) != 1 || string(calls[0].Config) != `{"text":"hush-hush so-quiet"}` {
		t.Fatalf("the step was given %s", calls[0].Config)
	}
	execution := "/api/vwmp/executions/" + ended.text("execution_id") + "/"
	shown := []answer{
		ended, w.ask("GET", execution, ""), w.ask("GET", execution+"events/", ""), w.ask("GET", execution+"logs/", ""),
		w.ask("GET", execution+"workflow/", ""), w.ask("GET", execution+"steps/a/input/", ""), w.ask("GET", execution+"steps/a/input/?whole=true", ""),
		w.ask("GET", "/api/vwmp/executions/", ""), w.ask("GET", execution+"events/", "", "Accept", "text/event-stream"),
	}
	for i, a := range shown {
		a.want(200)
		if body := string(a.body); strings.Contains(body, "hush") || strings.Contains(body, "quiet") {
			t.Errorf("answer %d shows it: %s", i, body)
		}
	}
	if body := string(ended.body); !strings.Contains(body, `"password":"`+engine.HiddenValue+`"`) || !strings.Contains(body, `{"text":"*** ***"}`) {
		t.Errorf("the result is %s", body)
	}
	if input := w.ask("GET", execution+"steps/a/input/", "").object(); fmt.Sprint(input["config"]) != "map[text:*** ***]" {
		t.Errorf("the input is %v", input)
	}
}

func TestASecretsUsageNamesTheStepsThatReferToIt(t *testing.T) {
	w := newWorld(t)
	w.ask("PUT", "/api/vwmp/secrets/TOKEN/", `{"value":"hush-hush"}`, "Content-Type", "application/json").want(201)
	save := func(name, steps string) {
		t.Helper()
		w.ask("POST", "/api/vwmp/workflows/", "name: "+name+"\nsteps: "+steps, "Content-Type", "application/yaml").want(201)
	}
	save("Uses", `[{id: a, handler: test.echo}, {id: b, name: Bee, handler: test.echo, config: {text: "x ${secrets.TOKEN} y"}}]`)
	save("Another", `[{id: a, handler: test.echo, config: {text: "${secrets.TOKEN_2}"}}]`)
	usage := string(w.ask("GET", "/api/vwmp/secrets/TOKEN/usage/", "").want(200).body)
	if !strings.Contains(usage, `"workflow_name":"Uses"`) || !strings.Contains(usage, `"steps":[{"step_id":"b","step_name":"Bee"}]`) || strings.Contains(usage, "Another") {
		t.Errorf("usage: %s", usage)
	}
	if none := string(w.ask("GET", "/api/vwmp/secrets/NONE/usage/", "").want(200).body); !strings.Contains(none, `"workflows":[]`) {
		t.Errorf("usage of none: %s", none)
	}
}
