package textedit_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/engine/workflow/textedit"
)

// author writes random documents as people do, each remark with a number.
type author struct {
	t       *rapid.T
	text    strings.Builder
	remarks int
	// owners says of each remark to which value it belongs.
	owners map[string]string
	step   int
	dashes string
}

func (a *author) chance(label string) bool { return rapid.IntRange(0, 3).Draw(a.t, label) == 0 }

func (a *author) remark(owner string) string {
	a.remarks++
	name := fmt.Sprintf("#c%d.", a.remarks)
	a.owners[name] = owner
	return name
}

// key writes a line "key: value" with what people put around it.
func (a *author) key(indent, owner, line string) {
	if a.chance("blank") {
		a.text.WriteString("\n")
	}
	if a.chance("remark above") {
		a.text.WriteString(indent + a.remark(owner) + " é\n")
	}
	a.text.WriteString(indent + line)
	if a.chance("remark behind") && !strings.Contains(line, "\n") {
		a.text.WriteString("  " + a.remark(owner))
	}
	a.text.WriteString("\n")
}

func (a *author) word() string {
	return rapid.SampledFrom([]string{"one", "two words", "ünï", "x-1", "${config.a}", "it's", "a \"b\"", "tr#ue", "yes", "12", ""}).Draw(a.t, "word")
}

// value writes the value of a config key, after its colon.
func (a *author) value(indent string) string {
	quoted, _ := json.Marshal(a.word())
	switch rapid.IntRange(0, 9).Draw(a.t, "form") {
	case 0:
		return " plain words"
	case 1:
		return " " + string(quoted)
	case 2:
		return " 'it''s'"
	case 3:
		return " 4.50"
	case 4:
		return " |\n" + indent + "  first\n\n" + indent + "  # second\n" + indent + "  third"
	case 5:
		return " [a, " + string(quoted) + ", {b: c}]"
	case 6:
		return " { a: 1, 'b': " + string(quoted) + " }"
	case 7:
		return "\n" + indent + "- a\n" + indent + "- " + string(quoted) + "\n" + indent + "- x: 1\n" + indent + "  y: 2"
	case 8:
		return "\n" + indent + "  in: side\n" + indent + "  deep:\n" + indent + "    er: " + string(quoted)
	}
	return " >-\n" + indent + "  folded\n" + indent + "  text"
}

func (a *author) write() string {
	a.text.WriteString(a.remark("") + "\n\n")
	a.key("", "", "name: "+rapid.SampledFrom([]string{"Test", `"A test"`, "'It''s'"}).Draw(a.t, "name"))
	if a.chance("tags") {
		a.key("", "", "tags: [a, b]")
	}
	a.key("", "", "steps:")
	for range rapid.IntRange(1, 4).Draw(a.t, "steps") {
		id := fmt.Sprintf("s%d", a.step)
		a.step++
		a.key(a.dashes, id, "- id: "+id)
		inner := a.dashes + "  "
		a.key(inner, id, "handler: a.b")
		if a.chance("timeout") {
			a.key(inner, id, "timeout: 2m")
		}
		if a.chance("no config") {
			continue
		}
		a.key(inner, id, "config:")
		for i := range rapid.IntRange(1, 4).Draw(a.t, "keys") {
			key := fmt.Sprintf("k%d", i)
			a.key(inner+"  ", id+"/"+key, key+":"+a.value(inner+"  "))
		}
	}
	if a.chance("end") {
		a.text.WriteString(a.remark("") + "\n")
	}
	return a.text.String()
}

// change makes one random change of the definition and returns which values
// it touched: a step, or a step and a key.
func change(t *rapid.T, d map[string]any, number int) string {
	all := steps(d)
	at := rapid.IntRange(0, len(all)-1).Draw(t, "step")
	step := object(all[at])
	id := fmt.Sprint(step["id"])
	held, _ := step["config"].(map[string]any)
	fresh := rapid.SampledFrom([]any{"new", "new\nlines\n", 7, true, nil, []any{}, []any{"a", map[string]any{"b": 1}}, map[string]any{"x": []any{1}, "y: z": "# q"}, map[string]any{}}).Draw(t, "fresh")
	switch kind := rapid.IntRange(0, 7).Draw(t, "kind"); {
	case kind == 0:
		d["name"] = fmt.Sprint(rapid.SampledFrom([]string{"Other", "yes", "a: b", "# no"}).Draw(t, "name"))
	case kind == 1:
		d["description"] = "about\nthis"
	case kind == 2 && len(all) > 1:
		d["steps"] = slices.Delete(all, at, at+1)
		return id
	case kind == 3:
		made := map[string]any{"id": fmt.Sprintf("n%d", number), "handler": "flow.x", "config": map[string]any{"k0": fresh}}
		d["steps"] = slices.Insert(all, at, any(made))
	case kind == 4 && len(all) > 1:
		last := len(all) - 1
		all[at], all[last] = all[last], all[at]
	case kind == 5 && len(held) > 0:
		key := slices.Sorted(maps.Keys(held))[rapid.IntRange(0, len(held)-1).Draw(t, "key")]
		held[key] = fresh
		return id + "/" + key
	case kind == 6 && len(held) > 1:
		key := slices.Sorted(maps.Keys(held))[rapid.IntRange(0, len(held)-1).Draw(t, "key")]
		delete(held, key)
		return id + "/" + key
	default:
		if held == nil {
			held = map[string]any{}
			step["config"] = held
		}
		held[fmt.Sprintf("m%d", number)] = fresh
	}
	return "?"
}

func equalJSON(t *rapid.T, a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		t.Fatalf("no JSON: %s, %s", a, b)
	}
	first, _ := json.Marshal(x)
	second, _ := json.Marshal(y)
	return string(first) == string(second)
}

func TestAnEditSaysWhatIsWantedAndKeepsEveryOtherRemark(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := &author{t: t, owners: map[string]string{}, dashes: rapid.SampledFrom([]string{"", "  ", "    "}).Draw(t, "dashes")}
		text := a.write()
		document, problems := workflow.Parse([]byte(text), workflow.ParseOptions{Format: workflow.FormatYAML})
		if problems.HasErrors() {
			t.Fatalf("the generated text is wrong: %v\n%s", problems, text)
		}
		var wanted map[string]any
		if err := json.Unmarshal(document.Definition.JSON(), &wanted); err != nil {
			t.Fatal(err)
		}
		touched := map[string]bool{}
		for i := range rapid.IntRange(1, 3).Draw(t, "changes") {
			touched[change(t, wanted, i)] = true
		}
		raw, err := json.Marshal(wanted)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := textedit.Update([]byte(text), raw)
		if !ok {
			t.Fatalf("not edited:\n%s\nto %s", text, raw)
		}
		again, problems := workflow.Parse(got, workflow.ParseOptions{Format: workflow.FormatYAML})
		target, _ := workflow.Parse(raw, workflow.ParseOptions{Format: workflow.FormatJSON})
		if problems.HasErrors() || !equalJSON(t, again.Definition.JSON(), target.Definition.JSON()) {
			t.Fatalf("the edited text means something else: %v\n%s\nwant %s", problems, got, raw)
		}
		for remark, owner := range a.owners {
			step, _, _ := strings.Cut(owner, "/")
			if !touched[owner] && !touched[step] && strings.Count(string(got), remark) != 1 {
				t.Fatalf("the remark %s of %q is gone or doubled:\n%s\nfrom\n%s\nto %s", remark, owner, got, text, raw)
			}
		}
	})
}

func FuzzUpdate(f *testing.F) {
	f.Add(release, `{"name":"a","steps":[{"id":"bump","handler":"a.b"}]}`)
	f.Add("name: a\nsteps:\n- id: a\n  handler: &x a.b\n- {id: b, handler: *x}\n", `{"name":"b","steps":[{"id":"b","handler":"c.d","config":{"a":["b\\n"]}}]}`)
	f.Add("{name: a, steps: [{id: a, handler: b.c}]}", `{"name":"a","steps":[]}`)
	f.Fuzz(func(t *testing.T, text, wanted string) {
		got, ok := textedit.Update([]byte(text), []byte(wanted))
		if !ok {
			return
		}
		again, _ := workflow.Parse(got, workflow.ParseOptions{Format: workflow.FormatYAML, IgnoreMetadata: true})
		target, _ := workflow.Parse([]byte(wanted), workflow.ParseOptions{Format: workflow.FormatJSON, IgnoreMetadata: true})
		if again == nil || target == nil || len(again.Definition.Steps) != len(target.Definition.Steps) || again.Definition.Name != target.Definition.Name {
			t.Fatalf("%q became %q, wanted %q", text, got, wanted)
		}
		if once, ok := textedit.Update(got, []byte(wanted)); !ok || string(once) != string(got) {
			t.Fatalf("a second edit changed the text again: %q, %q", got, once)
		}
	})
}
