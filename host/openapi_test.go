package host_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// specification is the API's description as a client reads it.
type specification struct {
	t    *testing.T
	root map[string]any
}

func readSpecification(t *testing.T, w *world) specification {
	t.Helper()
	return specification{t, w.ask("GET", "/openapi.json", "").want(200).object()}
}

// operations calls visit with every operation.
func (s specification) operations(visit func(method, path string, op map[string]any)) {
	for path, item := range dig(s.t, s.root, "paths") {
		operations, ok := item.(map[string]any)
		if !ok {
			s.t.Fatalf("%s is no object", path)
		}
		for method, op := range operations {
			visit(method, path, op.(map[string]any))
		}
	}
}

// schema compiles a schema of the description, by its pointer.
func (s specification) schema(pointer string) *jsonschema.Schema {
	s.t.Helper()
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("mem:///openapi.json", s.root); err != nil {
		s.t.Fatal(err)
	}
	compiled, err := compiler.Compile("mem:///openapi.json#" + pointer)
	if err != nil {
		s.t.Fatalf("%s: %v", pointer, err)
	}
	return compiled
}

func TestTheDescriptionIsSound(t *testing.T) {
	w := newWorld(t)
	s := readSpecification(t, w)
	if s.root["openapi"] != "3.1.0" || dig(t, s.root, "info")["title"] != "VWMP" || dig(t, s.root, "info")["version"] != "1.0.0-test" {
		t.Errorf("head: %v %v", s.root["openapi"], s.root["info"])
	}
	for name := range dig(t, s.root, "components", "schemas") {
		s.schema("/components/schemas/" + name)
		if strings.HasPrefix(name, "Error") && name != "Error" {
			t.Errorf("the library's own %s is described", name)
		}
	}
	ids := map[string]bool{}
	count := 0
	s.operations(func(method, path string, op map[string]any) {
		count++
		where := method + " " + path
		id, _ := op["operationId"].(string)
		if id == "" || ids[id] {
			t.Errorf("%s: the id %q is missing or used twice", where, id)
		}
		ids[id] = true
		if op["summary"] == nil || op["x-vwmp-permission"] == nil {
			t.Errorf("%s has no summary or no permission", where)
		}
		if public := op["x-vwmp-permission"] == "public"; public == (op["security"] != nil) {
			t.Errorf("%s: permission %v, security %v", where, op["x-vwmp-permission"], op["security"])
		}
		declared := map[string]bool{}
		list, _ := op["parameters"].([]any)
		for _, one := range list {
			parameter := one.(map[string]any)
			declared[fmt.Sprint(parameter["in"], " ", parameter["name"])] = true
		}
		for part := range strings.SplitSeq(path, "/") {
			if name, found := strings.CutPrefix(part, "{"); found && !declared["path "+strings.TrimSuffix(name, "}")] {
				t.Errorf("%s does not declare %s", where, part)
			}
		}
		responses := dig(t, op, "responses")
		if responses["default"] == nil || len(responses) < 2 {
			t.Errorf("%s: responses %v", where, responses)
		}
		for status, response := range responses {
			if response.(map[string]any)["description"] == "" {
				t.Errorf("%s: %s is not described", where, status)
			}
		}
	})
	if count < 30 {
		t.Errorf("only %d operations", count)
	}
	if strings.Contains(string(w.ask("GET", "/openapi.json", "").body), `"$schema"`) {
		t.Error("answers are said to have $schema")
	}
}

// escape writes a key as a part of a JSON pointer in an address.
func escape(key string) string {
	return url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
}

func TestAnswersAreAsDescribed(t *testing.T) {
	w := newWorld(t, withPlugins(&shelf{}))
	s := readSpecification(t, w)
	id := w.ask("POST", workflows, echoYAML, "Content-Type", "application/yaml").want(201).text("id")
	result := w.ask("POST", workflows+id+"/execute/?async=false", "").want(200)
	execution := result.text("execution_id")
	waiting := w.begin("[{id: a, handler: test.unknown}]")
	w.eventually("the interruption", func() bool { return w.status(waiting) == "waiting" })
	undoable := fmt.Sprint(w.run("[{id: a, handler: test.undoable, for_each: [1, 2]}]")["execution_id"])
	asking := w.begin(`[{id: a, handler: flow.approval, for_each: [1, 2, 3], config: {message: "?", approvers: [admin], form: {type: object}}}]`)
	w.eventually("the question", func() bool { return w.status(asking) == "waiting" })
	for _, test := range []struct {
		method, pattern, path, body, status string
	}{
		{"get", workflows, "", "", "200"},
		{"post", workflows, "", `{"name":"x","steps":[{"id":"a","handler":"test.echo"}]}`, "201"},
		{"post", workflows, "", `{}`, "default"},
		{"get", workflows + "{id}/", workflows + id + "/", "", "200"},
		{"post", workflows + "validate/", "", `{"name":"x","steps":[]}`, "200"},
		{"post", workflows + "import/", "", `{"name":"y","steps":[{"id":"a","handler":"test.echo"}]}`, "200"},
		{"get", workflows + "{id}/versions/", workflows + id + "/versions/", "", "200"},
		{"get", workflows + "{id}/versions/{revision}/", workflows + id + "/versions/1/", "", "200"},
		{"post", workflows + "{id}/execute/", workflows + id + "/execute/", "{}", "202"},
		{"post", workflows + "{id}/execute/", workflows + id + "/execute/?async=false", "{}", "200"},
		{"post", workflows + "{id}/execute/", workflows + id + "/execute/", `{"dry_run":true}`, "200"},
		{"post", workflows + "{id}/plan/", workflows + id + "/plan/", "", "200"},
		{"post", workflows + "{id}/steps/{step}/run/", workflows + id + "/steps/say/run/", `{"config":{"text":"x"}}`, "202"},
		{"post", executions + "{id}/retry/", executions + execution + "/retry/", `{"from_step":"say"}`, "202"},
		{"post", executions + "{id}/retry/", executions + execution + "/retry/", "", "default"},
		{"post", executions + "{id}/fork/", executions + execution + "/fork/", `{"from_step":"say"}`, "202"},
		{"post", executions + "{id}/fork/", executions + execution + "/fork/?dry_run=true", `{"from_step":"say"}`, "200"},
		{"post", executions + "{id}/undo/", executions + undoable + "/undo/", "", "202"},
		{"get", executions + "{id}/explain/", executions + waiting + "/explain/", "", "200"},
		{"get", executions + "{id}/", executions + asking + "/", "", "200"},
		{"post", executions + "{id}/signals/{name}/", executions + asking + "/signals/go/", `["x"]`, "200"},
		{"post", executions + "{id}/steps/{step}/approve/", executions + asking + "/steps/a/approve/", `{"approved":true,"item":1}`, "200"},
		{"post", executions + "{id}/pause/", executions + asking + "/pause/", "", "200"},
		{"post", executions + "{id}/resume/", executions + asking + "/resume/", "", "200"},
		{"get", executions + "{id}/", executions + undoable + "/", "", "200"},
		{"get", executions + "{id}/compare/{other}/", executions + execution + "/compare/" + undoable + "/", "", "200"},
		{"get", executions + "{id}/steps/{step}/output/", executions + execution + "/steps/say/output/", "", "200"},
		{"get", executions + "{id}/artifacts/", executions + execution + "/artifacts/", "", "200"},
		{"get", executions, "", "", "200"},
		{"get", executions + "{id}/", executions + execution + "/", "", "200"},
		{"get", executions + "{id}/", executions + waiting + "/", "", "200"},
		{"get", executions + "{id}/", executions + "none/", "", "default"},
		{"get", executions + "{id}/logs/", executions + execution + "/logs/", "", "200"},
		{"get", executions + "{id}/events/", executions + execution + "/events/", "", "200"},
		{"get", "/api/vwmp/step-handlers/", "", "", "200"},
		{"get", "/api/vwmp/step-handlers/{path}/schema/", "/api/vwmp/step-handlers/test.echo/schema/", "", "200"},
		{"get", "/api/vwmp/workflow-types/", "", "", "200"},
		{"get", "/api/vwmp/workflow-types/{name}/templates/{template}/", "/api/vwmp/workflow-types/testing/templates/Say%20hello/", "", "200"},
		{"get", pluginPaths, "", "", "200"},
		{"get", pluginPaths + "{name}/usage/", pluginPaths + "test/usage/", "", "200"},
		{"post", pluginPaths + "{name}/disable/", pluginPaths + "test/disable/", "", "200"},
		{"post", pluginPaths + "{name}/enable/", pluginPaths + "test/enable/", "", "200"},
		{"post", pluginPaths + "{name}/reload/", pluginPaths + "old/reload/", "", "default"},
		{"post", pluginPaths + "{name}/reload/", pluginPaths + "old/reload/", `{"force":true}`, "200"},
		{"get", "/api/vwmp/workspaces/", "", "", "200"},
		{"get", "/api/vwmp/stats/", "", "", "200"},
		{"get", "/api/vwmp/auth/me/", "", "", "200"},
		{"post", "/api/vwmp/auth/tickets/", "", "", "200"},
		{"post", "/api/vwmp/auth/sign-in-links/", "", "", "200"},
		{"post", "/api/vwmp/auth/login/", "", `{"token":"` + token + `"}`, "200"},
		{"get", "/healthz", "", "", "200"},
		{"get", "/readyz", "", "", "200"},
	} {
		t.Run(test.method+" "+test.pattern+" "+test.status, func(t *testing.T) {
			path := test.path
			if path == "" {
				path = test.pattern
			}
			got := w.ask(strings.ToUpper(test.method), path, test.body)
			if want := test.status; want != "default" && fmt.Sprint(got.status) != want && !(strings.HasSuffix(test.pattern, "import/") && got.status == 201) {
				t.Fatalf("status %d, want %s: %s", got.status, want, got.body)
			}
			kind := "application/json"
			if test.status == "default" {
				kind = "application/problem+json"
			}
			if !strings.HasPrefix(got.header.Get("Content-Type"), kind) {
				t.Errorf("content type %q", got.header.Get("Content-Type"))
			}
			schema := s.schema("/paths/" + escape(test.pattern) + "/" + test.method + "/responses/" + test.status + "/content/" + escape(kind) + "/schema")
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(got.body))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(value); err != nil {
				t.Errorf("%v\n%s", err, got.body)
			}
		})
	}
}

func TestTheDescriptionIsNotSentAgainUnchanged(t *testing.T) {
	w := newWorld(t)
	etag := w.ask("GET", "/openapi.json", "").want(200).header.Get("ETag")
	w.ask("GET", "/openapi.json", "", "If-None-Match", etag).want(304)
	w.ask("GET", "/openapi.json", "", "If-None-Match", `"other"`).want(200)
}

func TestTheCatalogueIsListed(t *testing.T) {
	w := newWorld(t)
	for query, want := range map[string]int{"": 12, "category=broken": 2, "q=gives back": 1, "q=Repeat": 1, "q=TEST.": 6, "workflow_type=testing": 12, "workflow_type=other": 11} {
		var list struct{ Handlers []json.RawMessage }
		if err := json.Unmarshal(w.ask("GET", "/api/vwmp/step-handlers/?"+strings.ReplaceAll(query, " ", "%20"), "").want(200).body, &list); err != nil {
			t.Fatal(err)
		}
		if len(list.Handlers) != want {
			t.Errorf("%q: %d handlers, want %d", query, len(list.Handlers), want)
		}
	}
	got := w.ask("GET", "/api/vwmp/step-handlers/test.echo/schema/", "").want(200)
	handler := got.object()
	if handler["plugin_version"] != "1.2.3" || handler["effect_class"] != "pure" || dig(t, handler, "example_config")["text"] != "hello" ||
		dig(t, handler, "capabilities")["cancel"] != false || dig(t, handler, "config_schema")["type"] != "object" {
		t.Errorf("handler: %s", got.body)
	}
	w.ask("GET", "/api/vwmp/step-handlers/test.echo/schema/", "", "If-None-Match", got.header.Get("ETag")).want(304)
	types := w.ask("GET", "/api/vwmp/workflow-types/", "").want(200)
	if !strings.Contains(string(types.body), `"plugin":"test"`) || !strings.Contains(string(types.body), `"Say hello"`) {
		t.Errorf("types: %s", types.body)
	}
}
