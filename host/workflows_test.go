package host_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

const workflows = "/api/vwmp/workflows/"

func TestAWorkflowIsSavedReadChangedAndDeleted(t *testing.T) {
	w := newWorld(t)
	made := w.ask("POST", workflows, echoYAML, "Content-Type", "application/yaml").want(201)
	id := made.text("id")
	if made.header.Get("Location") != workflows+id+"/" || made.header.Get("ETag") != `"1"` {
		t.Errorf("Location %q, ETag %q", made.header.Get("Location"), made.header.Get("ETag"))
	}
	got := w.ask("GET", workflows+id+"/", "").want(200)
	for key, want := range map[string]any{
		"id": id, "name": "Hello", "type": "testing", "version": "1.0.0", "description": "", "step_count": 1.0, "revision": 1.0,
		"execution_count": 0.0, "last_executed": nil, "last_status": nil, "valid": true,
	} {
		if value, there := got.object()[key]; !there || value != want {
			t.Errorf("%s is %v, want %v", key, value, want)
		}
	}
	if steps, ok := got.object()["steps"].([]any); !ok || len(steps) != 1 {
		t.Errorf("steps: %s", got.body)
	}
	// What was read can be sent back as it is.
	changed := strings.Replace(string(got.body), `"Hello"`, `"Hello again"`, 1)
	put := w.ask("PUT", workflows+id+"/?message=renamed", changed, "Content-Type", "application/json", "If-Match", got.header.Get("ETag")).want(200)
	if put.text("name") != "Hello again" || put.header.Get("ETag") != `"2"` || put.object()["text_rewritten"] != nil {
		t.Errorf("after the change: %s", put.body)
	}
	stale := w.ask("PUT", workflows+id+"/", changed, "Content-Type", "application/json", "If-Match", `"1"`).problem(412, "REVISION_MISMATCH")
	if stale["current_revision"] != 2.0 {
		t.Errorf("the current revision is not told: %v", stale)
	}
	w.ask("DELETE", workflows+id+"/", "").want(204)
	w.ask("GET", workflows+id+"/", "").problem(404, "WORKFLOW_NOT_FOUND")
	w.ask("DELETE", workflows+id+"/", "").problem(404, "WORKFLOW_NOT_FOUND")
	w.ask("PUT", workflows+id+"/", changed).problem(404, "WORKFLOW_NOT_FOUND")
}

func TestYAMLComesBackAsItWasSent(t *testing.T) {
	w := newWorld(t)
	id := w.ask("POST", workflows, echoYAML, "Content-Type", "application/yaml").want(201).text("id")
	got := w.ask("GET", workflows+id+"/", "", "Accept", "application/yaml").want(200)
	if string(got.body) != echoYAML || got.header.Get("Content-Type") != "application/yaml" {
		t.Errorf("got %q:\n%s", got.header.Get("Content-Type"), got.body)
	}
	same := w.ask("GET", workflows+id+"/", "").want(200)
	kept := w.ask("PUT", workflows+id+"/", string(same.body), "Content-Type", "application/json").want(200)
	if _, told := kept.object()["text_rewritten"]; told {
		t.Error("a change of nothing wrote the text anew")
	}
	if got := w.ask("GET", workflows+id+"/export/", "").want(200); string(got.body) != echoYAML || got.header.Get("Content-Disposition") != `attachment; filename="hello.yaml"` {
		t.Errorf("exported with %q:\n%s", got.header.Get("Content-Disposition"), got.body)
	}
	if got := w.ask("GET", workflows+id+"/export/?format=json", "").want(200); got.text("name") != "Hello" || strings.Contains(string(got.body), "revision") {
		t.Errorf("exported as JSON: %s", got.body)
	}
	fromJSON := w.ask("POST", workflows, `{"name":"J","steps":[{"id":"a","handler":"flow.log","config":{"message":"m"}}]}`, "Content-Type", "application/json").want(201).text("id")
	if got := w.ask("GET", workflows+fromJSON+"/", "", "Accept", "text/yaml, application/json;q=0.5").want(200); !strings.HasPrefix(string(got.body), "name: J\n") {
		t.Errorf("JSON as YAML:\n%s", got.body)
	}
}

func TestEveryProblemOfADocumentIsTold(t *testing.T) {
	w := newWorld(t)
	refused := w.ask("POST", workflows, "nme: x\nsteps:\n  - {id: a, handler: test.nothing}\n  - {id: b, handler: test.echo, config: {txt: 1}}\n", "Content-Type", "application/yaml").
		problem(400, "VALIDATION_ERROR")
	list, ok := refused["errors"].([]any)
	if !ok || len(list) < 4 {
		t.Fatalf("errors: %v", refused)
	}
	for _, one := range list {
		item, ok := one.(map[string]any)
		if !ok || item["code"] == "" || item["message"] == "" || item["line"] == nil {
			t.Errorf("an error lacks its code, sentence or place: %v", one)
		}
	}
	byPlugin := w.ask("POST", workflows, `{"name":"x","steps":[{"id":"a","handler":"test.echo","config":{"text":"refuse me"}}]}`).problem(400, "VALIDATION_ERROR")
	if text := fmt.Sprint(byPlugin["errors"]); !strings.Contains(text, "/steps/0/config/text") || !strings.Contains(text, "the plugin does not like it") {
		t.Errorf("the plugin's own rule: %s", text)
	}
	w.ask("POST", workflows, "").problem(400, "VALIDATION_ERROR")
	w.ask("POST", workflows, "- a\n- b\n", "Content-Type", "application/yaml").problem(400, "VALIDATION_ERROR")
	if deep := w.ask("POST", workflows, strings.Repeat(`{"a":`, 65)+"1"+strings.Repeat("}", 65)).problem(400, "VALIDATION_ERROR"); !strings.Contains(fmt.Sprint(deep["errors"]), "too_deep") {
		t.Errorf("depth 65: %v", deep["errors"])
	}
}

func TestADraftIsKeptButNotExecuted(t *testing.T) {
	w := newWorld(t)
	draft := w.ask("POST", workflows+"?draft=true", "name: Draft\nsteps:\n  - {id: a, handler: test.nothing}\n", "Content-Type", "application/yaml").want(201)
	if draft.object()["valid"] != false || !strings.Contains(string(draft.body), "test.nothing") {
		t.Errorf("metadata: %s", draft.body)
	}
	id := draft.text("id")
	if got := w.ask("GET", workflows+id+"/", "").want(200); got.object()["valid"] != false || got.object()["problems"] == nil {
		t.Errorf("the draft: %s", got.body)
	}
	refused := w.ask("POST", workflows+id+"/execute/", "").problem(400, "VALIDATION_ERROR")
	if list, ok := refused["errors"].([]any); !ok || len(list) != 1 {
		t.Errorf("the refusal does not list the problems: %v", refused)
	}
	w.ask("PUT", workflows+id+"/", "name: Draft\nsteps:\n  - {id: a, handler: test.echo}\n", "Content-Type", "application/yaml").want(200)
	w.ask("POST", workflows+id+"/execute/?async=false", "").want(200)
}

func TestWorkflowsAreListedInPages(t *testing.T) {
	w := newWorld(t)
	if got := w.ask("GET", workflows, "").want(200); string(got.body) != "[]\n" || got.header.Get("X-Total-Count") != "0" {
		t.Errorf("an empty list: %s, %q", got.body, got.header.Get("X-Total-Count"))
	}
	for i := range 5 {
		kind := []string{"testing", "custom"}[i%2]
		w.ask("POST", workflows, fmt.Sprintf(`{"name":"W%d","type":%q,"tags":["t%d"],"steps":[{"id":"a","handler":"test.echo"}]}`, i, kind, i)).want(201)
	}
	var names []string
	path := workflows + "?limit=2&sort=-name"
	for path != "" {
		page := w.ask("GET", path, "").want(200)
		var list []struct{ Name string }
		if err := json.Unmarshal(page.body, &list); err != nil {
			t.Fatal(err)
		}
		for _, one := range list {
			names = append(names, one.Name)
		}
		if page.header.Get("X-Total-Count") != "5" {
			t.Errorf("total %q", page.header.Get("X-Total-Count"))
		}
		path = nextOf(page.header.Get("Link"))
	}
	if fmt.Sprint(names) != "[W4 W3 W2 W1 W0]" {
		t.Errorf("pages: %v", names)
	}
	for query, want := range map[string]string{"type=testing": "3", "tag=t3": "1", "q=w2": "1", "q=nothing": "0"} {
		if got := w.ask("GET", workflows+"?"+query, "").want(200).header.Get("X-Total-Count"); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	for _, query := range []string{"limit=0", "limit=x", "offset=-1", "sort=secret"} {
		w.ask("GET", workflows+"?"+query, "").problem(400, "VALIDATION_ERROR")
	}
}

// nextOf returns the address of rel="next" in a Link header, or nothing.
func nextOf(header string) string {
	for part := range strings.SplitSeq(header, ",") {
		address, relation, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.Contains(relation, `rel="next"`) {
			return strings.Trim(address, "<>")
		}
	}
	return ""
}

func TestADocumentIsCheckedWithoutBeingSaved(t *testing.T) {
	w := newWorld(t)
	good := w.ask("POST", workflows+"validate/", "name: x\nsteps:\n  - {id: a, handler: test.echo}\n  - {id: b, handler: test.echo, dependencies: [a]}\n", "Content-Type", "application/yaml").want(200)
	if got := string(good.body); !strings.Contains(got, `"valid":true`) || !strings.Contains(got, `"execution_order":[["a"],["b"]]`) || !strings.Contains(got, `"errors":[]`) {
		t.Errorf("a good one: %s", got)
	}
	for _, bad := range []string{"steps: []", "{", "[1]"} {
		if got := string(w.ask("POST", workflows+"validate/", bad).want(200).body); !strings.Contains(got, `"valid":false`) || !strings.Contains(got, `"execution_order":[]`) {
			t.Errorf("%q: %s", bad, got)
		}
	}
	if total := w.ask("GET", workflows, "").want(200).header.Get("X-Total-Count"); total != "0" {
		t.Errorf("%s workflows were saved", total)
	}
}

func TestAFileIsImported(t *testing.T) {
	w := newWorld(t)
	yaml := []string{"Content-Type", "application/yaml"}
	if got := w.ask("POST", workflows+"import/?id=hello&dry_run=true", echoYAML, yaml...).want(200); got.text("action") != "would_create" {
		t.Errorf("dry run: %s", got.body)
	}
	made := w.ask("POST", workflows+"import/?id=hello", echoYAML, yaml...).want(201)
	if made.text("action") != "created" || made.header.Get("Location") != workflows+"hello/" {
		t.Errorf("import: %s", made.body)
	}
	w.ask("POST", workflows+"import/?id=hello", echoYAML, yaml...).problem(409, "CONFLICT")
	w.ask("POST", workflows+"import/?id=-bad", echoYAML, yaml...).problem(400, "VALIDATION_ERROR")
	w.ask("POST", workflows+"import/?id=hello&overwrite=true", echoYAML, yaml...).want(200)
	if byName := w.ask("POST", workflows+"import/?overwrite=true", echoYAML, yaml...).want(200); byName.text("action") != "updated" {
		t.Errorf("by name: %s", byName.body)
	}
	versions := w.ask("GET", workflows+"hello/versions/", "").want(200)
	if list, ok := versions.object()["versions"].([]any); !ok || len(list) != 3 {
		t.Errorf("versions: %s", versions.body)
	}
	first := w.ask("GET", workflows+"hello/versions/1/", "").want(200)
	if first.text("text") != echoYAML || first.object()["definition"] == nil {
		t.Errorf("version 1: %s", first.body)
	}
	for _, path := range []string{"hello/versions/9/", "hello/versions/x/", "hello/versions/0/"} {
		w.ask("GET", workflows+path, "").problem(404, "NOT_FOUND")
	}
	w.ask("GET", workflows+"other/versions/", "").problem(404, "WORKFLOW_NOT_FOUND")
	w.ask("POST", workflows+"import/", echoYAML, yaml...).want(201)
	w.ask("POST", workflows+"import/?overwrite=true", echoYAML, yaml...).problem(409, "CONFLICT")
}

func TestAWorkflowIsNotDeletedWhileItExecutes(t *testing.T) {
	w := newWorld(t)
	id := w.save("[{id: a, handler: test.block}]")
	execution := w.ask("POST", workflows+id+"/execute/", "").want(202).text("execution_id")
	refused := w.ask("DELETE", workflows+id+"/", "").problem(409, "CONFLICT")
	if !strings.Contains(fmt.Sprint(refused["detail"]), execution) {
		t.Errorf("the refusal does not name the execution: %v", refused["detail"])
	}
	w.release <- struct{}{}
	w.eventually("the end", func() bool { return w.status(execution) == "success" })
	w.ask("DELETE", workflows+id+"/", "").want(204)
	w.ask("GET", "/api/vwmp/executions/"+execution+"/", "").want(200)
}

func TestABodyHasItsLimit(t *testing.T) {
	w := newWorld(t)
	big := func(n int) string { return `{"name":"` + strings.Repeat("x", n-11) + `"}` }
	for name, test := range map[string]struct {
		path, kind string
		size       int
		status     int
	}{
		"a document over 2 MiB":       {workflows, "application/json", 2<<20 + 1, 413},
		"YAML over 256 KiB":           {workflows, "application/yaml", 256<<10 + 1, 413},
		"a document of 2 MiB":         {workflows, "application/json", 2 << 20, 400},
		"another body over 1 MiB":     {workflows + "x/execute/", "application/json", 1<<20 + 1, 413},
		"another body of 1 MiB":       {workflows + "x/execute/", "application/json", 1 << 20, 404},
		"a login over 1 MiB":          {"/api/vwmp/auth/login/", "application/json", 1<<20 + 1, 413},
		"a long token within a login": {"/api/vwmp/auth/login/", "application/json", 1 << 20, 400},
	} {
		t.Run(name, func(t *testing.T) {
			// Several times: a refusal must not be lost when the connection
			// is closed on a body that is still being sent.
			for range 5 {
				got := w.ask("POST", test.path, big(test.size), "Content-Type", test.kind).want(test.status)
				if test.status == 413 {
					got.problem(413, "PAYLOAD_TOO_LARGE")
				}
				w.ask("GET", workflows, "").want(200)
			}
		})
	}
}

func TestABodyOfAnotherTypeIsRefused(t *testing.T) {
	w := newWorld(t)
	id := w.save("[{id: a, handler: test.echo}]")
	for _, kind := range []string{"application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/html", "nonsense/", "application/xml"} {
		w.ask("POST", workflows, `{"name":"x"}`, "Content-Type", kind).problem(415, "UNSUPPORTED_MEDIA_TYPE")
		w.ask("POST", workflows+id+"/execute/", `{}`, "Content-Type", kind).problem(415, "UNSUPPORTED_MEDIA_TYPE")
	}
	w.ask("POST", workflows+id+"/execute/", "{}", "Content-Type", "application/yaml").problem(415, "UNSUPPORTED_MEDIA_TYPE")
}

func TestATemplateCanBeSaved(t *testing.T) {
	w := newWorld(t)
	path := "/api/vwmp/workflow-types/testing/templates/" + url.PathEscape("Say hello") + "/"
	yaml := w.ask("GET", path, "", "Accept", "application/yaml").want(200)
	if string(yaml.body) != echoYAML {
		t.Errorf("template: %s", yaml.body)
	}
	w.ask("POST", workflows, string(w.ask("GET", path, "").want(200).body)).want(201)
	w.ask("GET", "/api/vwmp/workflow-types/testing/templates/none/", "").problem(404, "NOT_FOUND")
	w.ask("GET", "/api/vwmp/workflow-types/none/templates/none/", "").problem(404, "NOT_FOUND")
}
