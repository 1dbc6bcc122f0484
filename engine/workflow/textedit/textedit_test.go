package textedit_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/engine/workflow/textedit"
)

const release = `# How we release.
name: Release   # shown in the list
version: "1.0.0"
tags: [a, b]  # two

# ---- inputs ----

parameters:
  # what it is about
  - name: summary
    required: true

  - {name: kind, type: enum, options: [fix, feature]}   # in one line

steps:
  # first of all
  - id: bump
    handler: x.bump  # ours
    timeout: 5m
    required: true
    config:
      # the file
      file: 'it''s.txt'
      text: |  # long
        one
          # no comment
        two

      values: [1.0, 2]   # numbers

  # then
  - id: tag
    handler: x.tag
    dependencies: [bump]
    config: {name: "v${step-outputs.bump.version}", deep: {a: 1}}
  # on its own

  # at last
  - id: push
    handler: x.push
    dependencies:
      - tag # after it
# the end
`

// edited changes the JSON form of a text's definition, and updates the text
// with it.
func edited(t *testing.T, text string, change func(definition map[string]any)) (string, bool) {
	t.Helper()
	document, problems := workflow.Parse([]byte(text), workflow.ParseOptions{Format: workflow.FormatYAML, IgnoreMetadata: true})
	if document == nil {
		t.Fatalf("the text is unreadable: %v", problems)
	}
	var definition map[string]any
	if err := json.Unmarshal(document.Definition.JSON(), &definition); err != nil {
		t.Fatal(err)
	}
	change(definition)
	wanted, err := json.Marshal(definition)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := textedit.Update([]byte(text), wanted)
	return string(got), ok
}

func object(of any) map[string]any {
	found, _ := of.(map[string]any)
	return found
}

func steps(d map[string]any) []any {
	found, _ := d["steps"].([]any)
	return found
}

func config(d map[string]any, i int) map[string]any { return object(object(steps(d)[i])["config"]) }

func TestOnlyWhatDiffersIsWrittenAnew(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(d map[string]any)
		// old and anew alternate: what becomes what in the text.
		swaps []string
	}{
		"nothing":              {func(map[string]any) {}, nil},
		"a plain text":         {func(d map[string]any) { d["name"] = "Ship it" }, []string{"name: Release   #", "name: Ship it   #"}},
		"a text in quotes":     {func(d map[string]any) { d["version"] = "1.1.0" }, []string{`"1.0.0"`, `"1.1.0"`}},
		"text in single ones":  {func(d map[string]any) { config(d, 0)["file"] = "she's.txt" }, []string{"'it''s.txt'", "'she''s.txt'"}},
		"a text in braces":     {func(d map[string]any) { config(d, 1)["name"] = "x, y" }, []string{`"v${step-outputs.bump.version}"`, `"x, y"`}},
		"a duration":           {func(d map[string]any) { object(steps(d)[0])["timeout"] = 60 }, []string{"timeout: 5m", "timeout: 60"}},
		"a written default":    {func(d map[string]any) { object(steps(d)[0])["required"] = false }, []string{"required: true\n    config", "required: false\n    config"}},
		"an item in brackets":  {func(d map[string]any) { d["tags"] = []any{"a", "c", "d"} }, []string{"[a, b]", "[a, c, d]"}},
		"a number":             {func(d map[string]any) { config(d, 0)["values"] = []any{1, 3} }, []string{"[1.0, 2]", "[1.0, 3]"}},
		"a key in braces":      {func(d map[string]any) { config(d, 1)["deep"] = map[string]any{"b": "c"} }, []string{"{a: 1}", "{b: c}"}},
		"lines become others":  {func(d map[string]any) { config(d, 0)["text"] = "three\nfour\n" }, []string{"        one\n          # no comment\n        two\n", "        three\n        four\n"}},
		"lines become a word":  {func(d map[string]any) { config(d, 0)["text"] = "word" }, []string{"text: |  # long\n        one\n          # no comment\n        two\n", "text: word  # long\n"}},
		"a word becomes lines": {func(d map[string]any) { object(steps(d)[0])["handler"] = "a.b"; d["name"] = "x" }, []string{"x.bump  #", "a.b  #", "name: Release ", "name: x "}},
		"a new key":            {func(d map[string]any) { d["description"] = "Words" }, []string{"version: \"1.0.0\"\n", "version: \"1.0.0\"\ndescription: Words\n"}},
		"a new key in a step": {
			func(d map[string]any) {
				object(steps(d)[2])["config"] = map[string]any{"remote": "origin", "tags": []any{"a"}}
			},
			[]string{"handler: x.push\n", "handler: x.push\n    config:\n      remote: origin\n      tags:\n        - a\n"},
		},
		"a key that goes":  {func(d map[string]any) { delete(config(d, 0), "file") }, []string{"      # the file\n      file: 'it''s.txt'\n", ""}},
		"a map that goes":  {func(d map[string]any) { delete(object(steps(d)[1]), "config") }, []string{"    config: {name: \"v${step-outputs.bump.version}\", deep: {a: 1}}\n", ""}},
		"a step's new id":  {func(d map[string]any) { object(steps(d)[2])["id"] = "upload" }, []string{"- id: push", "- id: upload"}},
		"the last one":     {func(d map[string]any) { d["steps"] = steps(d)[:2] }, []string{"\n  # at last\n  - id: push\n    handler: x.push\n    dependencies:\n      - tag # after it\n", ""}},
		"a list in a line": {func(d map[string]any) { object(steps(d)[2])["dependencies"] = []any{"bump"} }, []string{"- tag # after it", "- bump # after it"}},
		"a step in between": {
			func(d map[string]any) {
				d["steps"] = append(steps(d)[:1:1], append([]any{map[string]any{"id": "log", "handler": "flow.log", "config": map[string]any{"message": "a\nb"}}}, steps(d)[1:]...)...)
			},
			[]string{"  # then\n", "  - id: log\n    handler: flow.log\n    config:\n      message: |-\n        a\n        b\n\n  # then\n"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := edited(t, release, test.change)
			if want := strings.NewReplacer(test.swaps...).Replace(release); !ok || got != want {
				t.Errorf("edited: %v\n%s\nwant\n%s", ok, got, want)
			}
		})
	}
}

func TestStepsMoveWithTheirComments(t *testing.T) {
	t.Parallel()
	got, ok := edited(t, release, func(d map[string]any) {
		all := steps(d)
		object(all[2])["dependencies"] = []any{}
		d["steps"] = []any{all[2], all[0], all[1]}
	})
	start, rest := strings.Index(got, "  # at last\n  - id: push\n    handler: x.push\n"), strings.Index(got, "  # first of all\n  - id: bump")
	if !ok || start < 0 || rest < start || !strings.Contains(got, "\n  # on its own\n") {
		t.Errorf("edited: %v\n%s", ok, got)
	}
}

func TestAFormThatForbidsTheEditIsWrittenAnew(t *testing.T) {
	t.Parallel()
	rename := func(d map[string]any) { object(steps(d)[1])["handler"] = "a.c" }
	reconfigure := func(d map[string]any) { config(d, 1)["x"] = 2 }
	for name, test := range map[string]struct {
		text   string
		change func(map[string]any)
		ok     bool
	}{
		"below an alias":           {"name: a\nsteps:\n  - {id: a, handler: a.b, config: &c {x: 1}}\n  - {id: b, handler: a.b, config: *c}\n", reconfigure, false},
		"beside an alias":          {"name: a\nsteps:\n  - {id: a, handler: a.b}\n  - id: b\n    handler: a.b\n    config: {x: 1}\n", rename, true},
		"an unknown key":           {"name: a\nnme: b\nsteps:\n  - {id: a, handler: a.b}\n  - {id: b, handler: a.b}\n", rename, false},
		"below the key workflow":   {"workflow:\n  name: a\n  steps:\n  - {id: a, handler: a.b}\n  - {id: b, handler: a.b}\n", rename, true},
		"a mark and Windows lines": {"\ufeff---\r\nname: a # b\r\nsteps:\r\n- {id: a, handler: a.b}\r\n- {id: b, handler: a.b}\r\n...\r\n", rename, true},
		"mixed line ends":          {"name: a\r\nsteps:\n- {id: a, handler: a.b}\n- {id: b, handler: a.b}\n", rename, false},
		"a list of brackets only":  {"{name: a, steps: [{id: a, handler: a.b}, {id: b, handler: a.b}]}", rename, true},
		"comments in brackets":     {"name: a\nsteps: [\n  {id: a, handler: a.b}, # one\n  {id: b, handler: a.b} # two\n]\n", rename, true},
		"keys among such comments": {"name: a\nsteps: [\n  {id: a, handler: a.b}, # one\n  {id: b, # two\n   handler: a.b}\n]\n", func(d map[string]any) { object(steps(d)[1])["when"] = "true" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := edited(t, test.text, test.change)
			if ok != test.ok {
				t.Errorf("edited: %v\n%s", ok, got)
			}
			if test.ok && strings.Count(got, "\r\n") != strings.Count(test.text, "\r\n") {
				t.Errorf("line ends changed: %q", got)
			}
		})
	}
}

func TestAnUnreadableTextIsNotEdited(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a: [", "- a", "name: &a\n", "\t"} {
		if got, ok := textedit.Update([]byte(text), []byte(`{"name":"a","steps":[{"id":"a","handler":"a.b"}]}`)); ok {
			t.Errorf("%q became %q", text, got)
		}
	}
	for _, wanted := range []string{"", "[]", `{"name":`} {
		if got, ok := textedit.Update([]byte(release), []byte(wanted)); ok {
			t.Errorf("%q became %q", wanted, got)
		}
	}
}

func TestALargeEditIsQuick(t *testing.T) {
	t.Parallel()
	var text, keys strings.Builder
	text.WriteString("name: a\nsteps:\n")
	for i := range 1500 {
		fmt.Fprintf(&text, "  - id: s%d # step\n    handler: a.b\n    config: {text: \"number %d\"}\n", i, i)
	}
	for i := range 40_000 {
		fmt.Fprintf(&keys, `"k%d":%d,`, 40_000-i, i)
	}
	begun := time.Now()
	got, ok := edited(t, text.String(), func(d map[string]any) {
		d["steps"] = append(steps(d)[1:1400:1400], map[string]any{"id": "new", "handler": "a.b"})
		config(d, 700)["text"] = "changed"
	})
	if !ok || strings.Count(got, "# step") != 1399 || !strings.Contains(got, `"changed"`) {
		t.Errorf("edited: %v", ok)
	}
	wanted := `{"name":"a","config":{` + strings.TrimSuffix(keys.String(), ",") + `},"steps":[{"id":"s0","handler":"a.b"}]}`
	if _, ok := textedit.Update([]byte(text.String()), []byte(wanted)); ok {
		t.Error("a map of 40,000 keys fits YAML")
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}
