package earlier_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/engine/workflow/earlier"
)

const uuid = "0b5c9a3e-7d1f-4c22-9a60-6f1f0d9f1a11"

var fileTime = time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC)

func folder(files map[string]string) fstest.MapFS {
	made := fstest.MapFS{}
	for name, text := range files {
		made[name] = &fstest.MapFile{Data: []byte(text), ModTime: fileTime}
	}
	return made
}

// listed writes what was found in lines.
func listed(t *testing.T, files map[string]string) string {
	t.Helper()
	store, err := earlier.Read(folder(files))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, w := range store.Workflows {
		fmt.Fprintf(&out, "%s %q\n", w.ID, w.Name)
		for _, r := range w.Revisions {
			fmt.Fprintf(&out, "  %s %q %s %s|%s\n", r.File, r.Text, r.SavedAt.Format("2006-01-02T15:04:05"), r.Author, r.Message)
		}
	}
	for _, f := range store.LeftOut {
		fmt.Fprintf(&out, "left out %s: %s\n", f.File, f.Message)
	}
	return out.String()
}

func TestAFolderIsReadWithItsHistoryInOrder(t *testing.T) {
	t.Parallel()
	got := listed(t, map[string]string{
		"workflows_metadata.json": `{"` + uuid + `": {"name": "Release Workflow", "created_at": "2025-11-20T09:00:00", "updated_at": "2025-11-22T10:00:00.5",
			"versions": [{"version": 1, "file": "v1.yaml", "created_at": "2025-11-20 09:00:00", "author": "ann", "message": "first"}]},
			"hello": {"name": "Hello"}, "lost": {"name": "Lost"}, "../x": {"name": "Bad"}}`,
		"workflows/" + uuid + "-Release_Workflow.yaml": "now",
		"versions/" + uuid + "/v10.yaml":               "ten",
		"versions/" + uuid + "/v2.yaml":                "two",
		"versions/" + uuid + "/v1.yaml":                "one",
		"workflows/hello.json":                         "{}",
		"versions/hello-20251120_101530.json":          "{}",
		"versions/nobody/v1.yaml":                      "?",
		"workflows/second-hello.yaml":                  "id: second\nname: x\n",
		"workflows/hello_again.yaml":                   "x",
		"workflows/notes.txt":                          "x",
		"workflows/a b.yaml":                           "x",
	})
	want := uuid + ` "Release Workflow"
  versions/` + uuid + `/v1.yaml "one" 2025-11-20T09:00:00 ann|first
  versions/` + uuid + `/v2.yaml "two" 2025-11-01T00:00:00 |
  versions/` + uuid + `/v10.yaml "ten" 2025-11-01T00:00:00 |
  workflows/` + uuid + `-Release_Workflow.yaml "now" 2025-11-22T10:00:00 |
hello "Hello"
  versions/hello-20251120_101530.json "{}" 2025-11-20T10:15:30 |
second "second"
  workflows/second-hello.yaml "id: second\nname: x\n" 2025-11-01T00:00:00 |
left out versions/nobody/v1.yaml: it is a version of no workflow that is there
left out workflows/a b.yaml: no id for it is in its name, its text or workflows_metadata.json
left out workflows/hello_again.yaml: it is a second file of workflow hello; the first is workflows/hello.json
left out workflows/notes.txt: it is no YAML and no JSON
left out workflows_metadata.json: the id "../x" of workflow "Bad" is none that can be kept
left out workflows_metadata.json: workflow lost ("Lost") has no file
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTheMetadataMayHaveAnyOfItsForms(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a map by id":          `{"hello": {"name": "Hello"}}`,
		"a list":               `[{"id": "hello", "name": "Hello"}]`,
		"a list of other ids":  `[{"workflow_id": "hello", "name": "Hello"}]`,
		"a map below a key":    `{"workflows": {"hello": {"name": "Hello"}}, "version": "1"}`,
		"a list below a key":   `{"workflows": [{"id": "hello", "name": "Hello", "versions": 3}]}`,
		"a file's name inside": `{"x": {"id": "hello", "name": "Hello", "file_path": "old/place/hello-1.yaml"}}`,
	} {
		got := listed(t, map[string]string{"workflows_metadata.json": text, "workflows/hello-1.yaml": "x"})
		if want := "hello \"Hello\"\n  workflows/hello-1.yaml \"x\" 2025-11-01T00:00:00 |\n"; got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	broken := listed(t, map[string]string{"workflows_metadata.json": `{"hello": `, "workflows/" + uuid + "-Hello.yaml": "x"})
	if !strings.HasPrefix(broken, uuid) || !strings.Contains(broken, "left out workflows_metadata.json: it can't be read") {
		t.Errorf("broken metadata: %s", broken)
	}
	if earlier.IsStore(folder(map[string]string{"workflows/a.yaml": "x"})) {
		t.Error("a folder of workflows is taken for a store")
	}
}

func TestTheFirstRevisionIsAsOldAsItsWorkflow(t *testing.T) {
	t.Parallel()
	got := listed(t, map[string]string{
		"workflows_metadata.json": `{"hello": {"created_at": 1500000000.5, "updated_at": "2025-11-22T10:00:00+02:00"}}`,
		"workflows/hello.yaml":    "new", "versions/hello/1.yaml": "old",
	})
	if want := "hello \"hello\"\n  versions/hello/1.yaml \"old\" 2017-07-14T02:40:00 |\n  workflows/hello.yaml \"new\" 2025-11-22T08:00:00 |\n"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestADocumentIsTranslated(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want, notes string }{
		"nothing to do":     {"name: a # b\nsteps: []\n", "name: a # b\nsteps: []\n", ""},
		"unreadable":        {"name: [", "name: [", ""},
		"not a map":         {"- a", "- a", ""},
		"another number":    {"version: 0x10\n", "version: 0x10\n", ""},
		"a handler's name":  {"workflow:\n  name: a # kept\n  steps:\n    - id: x\n      handler: confidentia.kanban_update # this too\n", "workflow:\n  name: a # kept\n  steps:\n    - id: x\n      handler: vwmp.kanban_update # this too\n", "The handler confidentia.kanban_update of step x is vwmp.kanban_update today."},
		"what Python wrote": {"name: a\nversion: 1.0\ndescription: null\nsteps:\n- id: x\n  handler: a.b\n  timeout: null\n  config: {branch: null}\n", "name: a\nversion: \"1.0.0\"\nsteps:\n  - id: x\n    handler: a.b\n    config:\n      branch: null\n", `The version 1.0 is written as "1.0.0".; description was null and is left out.; timeout of step x was null and is left out.; The text was written anew, without comments.`},
		"no definition":     {"id: null # gone\nname: a\nsteps: []\n", "name: a\nsteps: []\n", "id was null and is left out.; The text was written anew, without comments."},
		"JSON":              {`{"name":"a","parameters":[{"name":"p","default":null}]}`, `{"name":"a","parameters":[{"name":"p"}]}`, "default of p was null and is left out."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, notes := earlier.Translate([]byte(test.text))
			if string(got) != test.want || strings.Join(notes, "; ") != test.notes {
				t.Errorf("got %q, %q", got, notes)
			}
		})
	}
}

func FuzzTranslate(f *testing.F) {
	f.Add("name: a\nversion: 1.0\nsteps:\n- id: x\n  handler: confidentia.kanban_update\n  timeout: null\n")
	f.Add(`{"name":"a","steps":[{"id":null}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		got, notes := earlier.Translate([]byte(text))
		if len(notes) == 0 {
			if string(got) != text {
				t.Fatalf("%q became %q without a note", text, got)
			}
			return
		}
		if again, more := earlier.Translate(got); len(more) > 0 {
			t.Fatalf("%q became %q, and that %q (%q)", text, got, again, more)
		}
		if document, problems := workflow.Parse(got, workflow.ParseOptions{IgnoreMetadata: true}); document == nil && !problems.HasErrors() {
			t.Fatalf("%q became %q, which is nothing", text, got)
		}
	})
}
