package host_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const commented = `# Says hello.
name: Hello  # to all
type: testing
steps:
  # the first
  - id: say
    handler: test.echo
    timeout: 1m  # enough
    config:
      text: "hello"  # quoted
  # the second
  - id: again
    handler: test.echo
    dependencies: [say]
`

// saved saves the text under an id.
func (w *world) saved(id, text string) {
	w.t.Helper()
	w.ask("POST", workflows+"import/?id="+id, text, "Content-Type", "application/yaml").want(201)
}

// changed reads a workflow as JSON, changes that, and sends it back.
func (w *world) changed(id, query string, change func(document map[string]any)) answer {
	w.t.Helper()
	document := w.ask("GET", workflows+id+"/", "").want(200).object()
	change(document)
	text, err := json.Marshal(document)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.ask("PUT", workflows+id+"/"+query, string(text), "Content-Type", "application/json").want(200)
}

// yaml is a workflow's text.
func (w *world) yaml(id string) string {
	w.t.Helper()
	return string(w.ask("GET", workflows+id+"/", "", "Accept", "application/yaml").want(200).body)
}

func stepOf(document map[string]any, i int) map[string]any {
	steps, _ := document["steps"].([]any)
	step, _ := steps[i].(map[string]any)
	return step
}

func TestAnUpdateThroughJSONKeepsTheComments(t *testing.T) {
	w := newWorld(t)
	w.saved("hello", commented)
	got := w.changed("hello", "", func(document map[string]any) {
		stepOf(document, 0)["config"] = map[string]any{"text": "good \"day\""}
		stepOf(document, 1)["when"] = "true"
	})
	if _, told := got.object()["text_rewritten"]; told {
		t.Errorf("the text was written anew: %s", got.body)
	}
	want := strings.NewReplacer(`"hello"`, `"good \"day\""`, "dependencies: [say]\n", "dependencies: [say]\n    when: \"true\"\n").Replace(commented)
	if text := w.yaml("hello"); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	// What is kept as YAML and what is kept as JSON say the same.
	if got := w.ask("POST", workflows+"validate/", w.yaml("hello"), "Content-Type", "application/yaml").want(200); got.object()["valid"] != true {
		t.Errorf("the edited text: %s", got.body)
	}
}

func TestAnUpdateThatTheTextForbidsIsToldAsRewritten(t *testing.T) {
	w := newWorld(t)
	w.saved("hello", "name: Hello # kept no longer\nsteps:\n  - {id: a, handler: test.echo, config: &c {text: x}}\n  - {id: b, handler: test.echo, config: *c}\n")
	got := w.changed("hello", "", func(document map[string]any) {
		stepOf(document, 1)["config"] = map[string]any{"text": "y"}
	})
	if got.object()["text_rewritten"] != true {
		t.Errorf("not told: %s", got.body)
	}
	if text := w.yaml("hello"); !strings.Contains(text, `text: "y"`) || !strings.Contains(text, "text: x") || strings.Contains(text, "#") {
		t.Errorf("written anew:\n%s", text)
	}
}

func TestADraftChangedThroughJSONNamesThePlacesInItsText(t *testing.T) {
	w := newWorld(t)
	w.saved("hello", commented)
	got := w.changed("hello", "?draft=true", func(document map[string]any) {
		stepOf(document, 1)["handler"] = "test.nothing"
	})
	problems, _ := got.object()["problems"].([]any)
	if got.object()["valid"] != false || len(problems) != 1 {
		t.Fatalf("the draft: %s", got.body)
	}
	item, _ := problems[0].(map[string]any)
	if item["line"] != 13.0 || item["step_id"] != "again" {
		t.Errorf("the problem's place: %v", item)
	}
	if text := w.yaml("hello"); text != strings.Replace(commented, "again\n    handler: test.echo", "again\n    handler: test.nothing", 1) {
		t.Errorf("the draft's text:\n%s", text)
	}
	w.changed("hello", "", func(document map[string]any) { stepOf(document, 1)["handler"] = "test.echo" })
	if text := w.yaml("hello"); text != commented {
		t.Errorf("put right again:\n%s", text)
	}
	w.ask("POST", workflows+"hello/execute/?async=false", "").want(200)
}

func TestRevisionsAreListedInPagesAndReadWhole(t *testing.T) {
	w := newWorld(t)
	w.saved("hello", commented)
	for _, name := range []string{"B", "C", "D"} {
		w.changed("hello", "?message=now+"+name, func(document map[string]any) { document["name"] = name })
	}
	var seen []string
	query := "?limit=3"
	for query != "" {
		page := w.ask("GET", workflows+"hello/versions/"+query, "").want(200)
		var list struct {
			Versions []struct {
				Revision              int
				Author, Message, Name string
			}
			Next string
		}
		if err := json.Unmarshal(page.body, &list); err != nil {
			t.Fatal(err)
		}
		for _, v := range list.Versions {
			seen = append(seen, fmt.Sprint(v.Revision, " ", v.Author, " ", v.Name, " ", v.Message))
		}
		query = ""
		if list.Next != "" {
			query = strings.TrimPrefix(nextOf(page.header.Get("Link")), workflows+"hello/versions/")
		}
	}
	if got := strings.Join(seen, ", "); got != "4 admin D now D, 3 admin C now C, 2 admin B now B, 1 admin Hello imported" {
		t.Errorf("revisions: %s", got)
	}
	w.ask("GET", workflows+"hello/versions/?cursor=x", "").problem(400, "VALIDATION_ERROR")
	second := w.ask("GET", workflows+"hello/versions/2", "").want(200)
	if definition, _ := second.object()["definition"].(map[string]any); definition["name"] != "B" || second.text("message") != "now B" || second.header.Get("ETag") != `"2"` {
		t.Errorf("revision 2: %s", second.body)
	}
	if text := w.ask("GET", workflows+"hello/versions/1/", "", "Accept", "application/yaml").want(200); string(text.body) != commented || text.header.Get("Content-Type") != "application/yaml" {
		t.Errorf("revision 1 as YAML: %s", text.body)
	}
}

func TestTheChangedStepsOfRevisionsAreCountedWhereAsked(t *testing.T) {
	w := newWorld(t)
	w.saved("hello", commented)
	w.changed("hello", "", func(document map[string]any) { document["name"] = "B" })
	w.changed("hello", "", func(document map[string]any) {
		stepOf(document, 0)["config"] = map[string]any{"text": "bye"}
		steps, _ := document["steps"].([]any)
		document["steps"] = []any{steps[0], map[string]any{"id": "new", "handler": "test.fail"}}
	})
	list := func(query string) string {
		var seen []string
		page := w.ask("GET", workflows+"hello/versions/"+query, "").want(200)
		versions, _ := page.object()["versions"].([]any)
		for _, v := range versions {
			version, _ := v.(map[string]any)
			seen = append(seen, fmt.Sprint(version["revision"], ":", version["changed_steps"]))
		}
		if next := nextOf(page.header.Get("Link")); next != "" {
			seen = append(seen, strings.TrimPrefix(next, workflows+"hello/versions/"))
		}
		return strings.Join(seen, " ")
	}
	for query, want := range map[string]string{
		"?changes=true":                  "3:3 2:0 1:<nil>",
		"":                               "3:<nil> 2:<nil> 1:<nil>",
		"?changes=true&limit=1":          "3:3 ?changes=true&cursor=3&limit=1",
		"?changes=true&limit=1&cursor=3": "2:0 ?changes=true&cursor=2&limit=1",
	} {
		if got := list(query); got != want {
			t.Errorf("%s gives %s, want %s", query, got, want)
		}
	}
}

func TestTwoRevisionsAreCompared(t *testing.T) {
	w := newWorld(t)
	w.saved("hello", commented)
	w.changed("hello", "", func(document map[string]any) {
		stepOf(document, 0)["config"] = map[string]any{"text": "bye"}
		steps, _ := document["steps"].([]any)
		document["steps"] = []any{steps[0], map[string]any{"id": "new", "handler": "test.fail"}}
	})
	got := w.ask("GET", workflows+"hello/versions/1/diff/2", "").want(200)
	var diff struct {
		A, B    int
		Text    string
		Changes []struct {
			Kind, Pointer, Summary string
			StepID                 string `json:"step_id"`
			Before, After          any
		}
		Steps struct{ Added, Removed, Changed []string }
	}
	if err := json.Unmarshal(got.body, &diff); err != nil {
		t.Fatal(err)
	}
	if diff.A != 1 || diff.B != 2 || fmt.Sprint(diff.Steps) != "{[new] [again] [say]}" || len(diff.Changes) != 3 {
		t.Fatalf("the comparison: %s", got.body)
	}
	if c := diff.Changes[0]; c.Pointer != "/steps/0/config/text" || c.StepID != "say" || c.Before != "hello" || c.After != "bye" || c.Summary != `Step "say": config.text changed from "hello" to "bye".` {
		t.Errorf("the change: %+v", c)
	}
	if !strings.HasPrefix(diff.Text, "--- revision 1\n+++ revision 2\n@@ ") || !strings.Contains(diff.Text, "-      text: \"hello\"  # quoted\n+      text: \"bye\"  # quoted\n") {
		t.Errorf("the texts:\n%s", diff.Text)
	}
	if same := w.ask("GET", workflows+"hello/versions/2/diff/2/", "").want(200); same.text("text") != "" || !strings.Contains(string(same.body), `"changes":[]`) {
		t.Errorf("with itself: %s", same.body)
	}
	for _, path := range []string{"1/diff/9/", "0/diff/1/", "x/diff/1/"} {
		w.ask("GET", workflows+"hello/versions/"+path, "").problem(404, "NOT_FOUND")
	}
	w.ask("GET", workflows+"none/versions/1/diff/1/", "").problem(404, "WORKFLOW_NOT_FOUND")
}

func TestARevisionIsRestoredAsANewOne(t *testing.T) {
	w := newWorld(t)
	w.saved("hello", commented)
	w.changed("hello", "", func(document map[string]any) { document["name"] = "B" })
	w.ask("POST", workflows+"hello/versions/1/restore/", "", "If-Match", `"1"`).problem(412, "REVISION_MISMATCH")
	got := w.ask("POST", workflows+"hello/versions/1/restore", "", "If-Match", `"2"`).want(200)
	if got.text("name") != "Hello" || got.header.Get("ETag") != `"3"` || w.yaml("hello") != commented {
		t.Errorf("restored: %s", got.body)
	}
	if third := w.ask("GET", workflows+"hello/versions/3/", "").want(200); third.text("message") != "Restored revision 1" || third.text("author") != "admin" {
		t.Errorf("revision 3: %s", third.body)
	}
	w.ask("POST", workflows+"hello/versions/9/restore/", "").problem(404, "NOT_FOUND")
	// A draft comes back as one, with its problems.
	w.changed("hello", "?draft=true", func(document map[string]any) { stepOf(document, 0)["handler"] = "test.nothing" })
	w.ask("POST", workflows+"hello/versions/1/restore/?message=back", "").want(200)
	draft := w.ask("POST", workflows+"hello/versions/4/restore/", "").want(200)
	if draft.object()["valid"] != false || draft.object()["problems"] == nil {
		t.Errorf("the draft: %s", draft.body)
	}
	w.ask("POST", workflows+"hello/execute/", "").problem(400, "VALIDATION_ERROR")
}

func TestAnExecutionGoesOnWithTheRevisionItBegan(t *testing.T) {
	w := newWorld(t)
	text := "name: Test\nsteps:\n  - {id: hold, handler: test.block}\n  - {id: say, handler: test.echo, config: {text: first}, dependencies: [hold]}\n"
	w.saved("pinned", text)
	execution := w.ask("POST", workflows+"pinned/execute/", "").want(202).text("execution_id")
	w.changed("pinned", "", func(document map[string]any) {
		stepOf(document, 1)["config"] = map[string]any{"text": "second"}
		steps, _ := document["steps"].([]any)
		document["steps"] = append(steps, map[string]any{"id": "more", "handler": "test.echo"})
	})
	w.ask("POST", workflows+"pinned/versions/1/restore/", "").want(200)
	w.changed("pinned", "", func(document map[string]any) { stepOf(document, 1)["config"] = map[string]any{"text": "fourth"} })
	refused := w.ask("DELETE", workflows+"pinned/", "").problem(409, "CONFLICT")
	if !strings.Contains(fmt.Sprint(refused["detail"]), execution) {
		t.Errorf("the refusal does not name the execution: %v", refused["detail"])
	}
	w.release <- struct{}{}
	w.eventually("the end", func() bool { return w.status(execution) == "success" })
	result := w.ask("GET", "/api/vwmp/executions/"+execution+"/", "").want(200).object()
	results, _ := result["step_results"].(map[string]any)
	say, _ := results["say"].(map[string]any)
	if result["workflow_revision"] != 1.0 || len(results) != 2 || fmt.Sprint(say["output"]) != "map[text:first]" {
		t.Errorf("the run did not stay with its revision: %v", result)
	}
	if next := w.ask("POST", workflows+"pinned/execute/", "").want(202); next.text("execution_id") == execution {
		t.Error("no new execution")
	} else {
		w.release <- struct{}{}
		w.eventually("the second end", func() bool { return w.status(next.text("execution_id")) == "success" })
		if got := w.ask("GET", "/api/vwmp/executions/"+next.text("execution_id")+"/", "").want(200); got.object()["workflow_revision"] != 4.0 || !strings.Contains(string(got.body), "fourth") {
			t.Errorf("the next run: %s", got.body)
		}
	}
	w.ask("DELETE", workflows+"pinned/", "").want(204)
}

func TestADraftThatCannotBeReadIsKeptByAnImportOnly(t *testing.T) {
	w := newWorld(t)
	yaml := []string{"Content-Type", "application/yaml"}
	const broken = "name: Broken # still\nsteps: [\n  - {id: a\n"
	w.ask("POST", workflows+"?draft=true", broken, yaml...).problem(400, "VALIDATION_ERROR")
	w.ask("POST", workflows+"import/?id=broken", broken, yaml...).problem(400, "VALIDATION_ERROR")
	w.ask("POST", workflows+"import/?id=broken&draft=true&saved_at=yesterday", broken, yaml...).problem(400, "VALIDATION_ERROR")
	w.ask("POST", workflows+"import/?id=broken&draft=true&name=Broken+thing&message=from+afar&saved_at=2020-01-02T03:04:05%2B01:00", broken, yaml...).want(201)
	got := w.ask("GET", workflows+"broken/", "").want(200)
	if steps, ok := got.object()["steps"].([]any); !ok || len(steps) != 0 || got.text("name") != "Broken thing" || got.object()["valid"] != false || got.text("created_at") != "2020-01-02T02:04:05Z" {
		t.Errorf("the draft: %s", got.body)
	}
	if problems, _ := got.object()["problems"].([]any); len(problems) != 1 {
		t.Errorf("its problems: %s", got.body)
	}
	if text := w.yaml("broken"); text != broken {
		t.Errorf("its text: %q", text)
	}
	if text := w.ask("GET", workflows+"broken/export/", "").want(200); string(text.body) != broken {
		t.Errorf("exported: %q", text.body)
	}
	w.ask("GET", workflows+"broken/export/?format=json", "").problem(409, "CONFLICT")
	w.ask("POST", workflows+"broken/execute/", "").problem(400, "VALIDATION_ERROR")
	if list := w.ask("GET", workflows, "").want(200); !strings.Contains(string(list.body), `"valid":false`) {
		t.Errorf("the list: %s", list.body)
	}
	put := w.ask("PUT", workflows+"broken/", `{"name":"Whole","steps":[{"id":"a","handler":"test.echo"}]}`, "Content-Type", "application/json").want(200)
	if put.object()["valid"] != true || put.object()["text_rewritten"] != true || put.object()["problems"] != nil {
		t.Errorf("put right: %s", put.body)
	}
	if diff := w.ask("GET", workflows+"broken/versions/1/diff/2/", "").want(200); !strings.Contains(diff.text("text"), "-name: Broken # still\n") || !strings.Contains(string(diff.body), `"added":["a"]`) {
		t.Errorf("compared: %s", diff.body)
	}
	first := w.ask("GET", workflows+"broken/versions/1/", "").want(200)
	if first.text("message") != "from afar" || first.text("created_at") != "2020-01-02T02:04:05Z" || first.text("text") != broken {
		t.Errorf("revision 1: %s", first.body)
	}
	w.ask("POST", workflows+"broken/execute/?async=false", "").want(200)
	if back := w.ask("POST", workflows+"broken/versions/1/restore/", "").want(200); back.object()["valid"] != false || w.yaml("broken") != broken {
		t.Errorf("restored: %s", back.body)
	}
}

func TestAValidWorkflowBecomesADraftAndBack(t *testing.T) {
	w := newWorld(t)
	w.saved("hello", commented)
	broken := strings.Replace(commented, "test.echo", "test.nothing", 1)
	w.ask("PUT", workflows+"hello/", broken, "Content-Type", "application/yaml").problem(400, "VALIDATION_ERROR")
	draft := w.ask("PUT", workflows+"hello/?draft=true", broken, "Content-Type", "application/yaml").want(200)
	problems, _ := draft.object()["problems"].([]any)
	if draft.object()["valid"] != false || len(problems) != 1 {
		t.Errorf("the draft: %s", draft.body)
	}
	refused := w.ask("POST", workflows+"hello/execute/", "").problem(400, "VALIDATION_ERROR")
	if fmt.Sprint(refused["errors"]) != fmt.Sprint(draft.object()["problems"]) {
		t.Errorf("refused with %v, want %v", refused["errors"], problems)
	}
	// A document without problems is no draft, whatever was asked for.
	w.ask("PUT", workflows+"hello/?draft=true", commented, "Content-Type", "application/yaml").want(200)
	if got := w.ask("GET", workflows+"hello/", "").want(200); got.object()["valid"] != true || got.object()["problems"] != nil {
		t.Errorf("put right: %s", got.body)
	}
	w.ask("POST", workflows+"hello/execute/?async=false", "").want(200)
}
