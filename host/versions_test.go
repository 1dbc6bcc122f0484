package host_test

import (
	"encoding/json"
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
