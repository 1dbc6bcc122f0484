package compare_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/vwmp/vwmp/engine/workflow/compare"
)

func TestEveryDifferenceIsToldInASentence(t *testing.T) {
	t.Parallel()
	before := `{"name":"A","tags":["x"],"config":{"a":{"b":1},"same":[1]},"parameters":[{"name":"who","type":"string"}],
		"steps":[{"id":"one","handler":"a.b","config":{"text":"hello"},"timeout":60},{"id":"two","handler":"a.b","dependencies":["one"]},{"id":"gone","handler":"a.b"}]}`
	after := `{"name":"B","config":{"same":[1],"a":{"b":2}},"parameters":[{"name":"whom","type":"string"}],
		"steps":[{"id":"new","handler":"c.d"},{"id":"two","handler":"a.b","dependencies":["new"]},{"handler":"a.b","id":"one","config":{"text":"hello","x/y":null}}],"on_failure":"continue"}`
	got := compare.Documents([]byte(before), []byte(after))
	var lines []string
	for _, c := range got.Changes {
		lines = append(lines, strings.Join([]string{string(c.Kind), c.Pointer, c.StepID, string(c.Before), string(c.After), c.Summary}, "|"))
	}
	want := []string{
		`changed|/name||"A"|"B"|Workflow: name changed from "A" to "B".`,
		`removed|/tags||["x"]||Workflow: tags was removed; it was ["x"].`,
		`changed|/config/a/b||1|2|Workflow: config.a.b changed from 1 to 2.`,
		`removed|/parameters/0||{"name":"who","type":"string"}||Parameter "who" was removed.`,
		`added|/parameters/0|||{"name":"whom","type":"string"}|Parameter "whom" was added.`,
		`added|/steps/2/config/x~1y|one||null|Step "one": config.x/y was set to null.`,
		`removed|/steps/0/timeout|one|60||Step "one": timeout was removed; it was 60.`,
		`changed|/steps/1/dependencies|two|["one"]|["new"]|Step "two": dependencies changed from ["one"] to ["new"].`,
		`removed|/steps/2|gone|{"id":"gone","handler":"a.b"}||Step "gone" was removed.`,
		`added|/steps/0|new||{"id":"new","handler":"c.d"}|Step "new" was added; it runs c.d.`,
		`added|/on_failure|||"continue"|Workflow: on_failure was set to "continue".`,
	}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	steps, err := json.Marshal(got.Steps)
	if err != nil || string(steps) != `{"added":["new"],"removed":["gone"],"changed":["one","two"]}` {
		t.Errorf("steps: %s, %v", steps, err)
	}
}

func TestWhatMeansNothingIsNoDifference(t *testing.T) {
	t.Parallel()
	for before, after := range map[string]string{
		`{"steps":[{"id":"a","handler":"x.y"},{"id":"b","handler":"x.y"}]}`: `{"steps":[{"handler":"x.y","id":"b"},{"id":"a","handler":"x.y"}]}`,
		"": "{}",
	} {
		if got := compare.Documents([]byte(before), []byte(after)); len(got.Changes)+len(got.Steps.Changed) > 0 || got.Changes == nil {
			t.Errorf("%s and %s: %v", before, after, got)
		}
	}
}

func TestStepsWithoutNamesAreComparedWhole(t *testing.T) {
	t.Parallel()
	got := compare.Documents([]byte(`{"steps":[{"id":"a"},{"id":"a"}]}`), []byte(`{"steps":[{"handler":"b"}]}`))
	if len(got.Changes) != 1 || got.Changes[0].Pointer != "/steps" || got.Changes[0].Kind != compare.Changed {
		t.Errorf("got %+v", got)
	}
	long := `{"name":"` + strings.Repeat("ä", 500) + `"}`
	if got := compare.Documents([]byte(long), nil); len([]rune(got.Changes[0].Summary)) > 120 {
		t.Errorf("an endless sentence: %s", got.Changes[0].Summary)
	}
}

func TestAnEndlessMapIsOneChange(t *testing.T) {
	t.Parallel()
	keys := func(value string) string {
		var text strings.Builder
		for i := range 3000 {
			fmt.Fprintf(&text, `"k%d":%s,`, i, value)
		}
		return `{"config":{"one":{` + strings.TrimSuffix(text.String(), ",") + `},"two":` + value + `}}`
	}
	if got := compare.Documents([]byte(keys("1")), []byte(keys("2"))); len(got.Changes) != 2 || got.Changes[0].Pointer != "/config/one" {
		t.Errorf("%d changes", len(got.Changes))
	}
	if got := compare.Documents([]byte(keys("1")), []byte(keys("1.0"))); len(got.Changes) != 0 {
		t.Errorf("numbers of one value: %d changes", len(got.Changes))
	}
}

func TestTextsAreComparedByLines(t *testing.T) {
	t.Parallel()
	got := compare.Text("revision 1", []byte("a\nb\nc\n"), "revision 2", []byte("a\nB\nc\n"))
	if want := "--- revision 1\n+++ revision 2\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := compare.Text("a", []byte("x\n"), "b", []byte("x\n")); got != "" {
		t.Errorf("of equal texts: %q", got)
	}
}

// A definition differs from another exactly where the other differs from it.
func TestDifferencesTurnRound(t *testing.T) {
	t.Parallel()
	document := rapid.Custom(func(t *rapid.T) string {
		steps := []any{}
		for _, id := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), rapid.ID[string]).Draw(t, "ids") {
			steps = append(steps, map[string]any{"id": id, "handler": rapid.SampledFrom([]string{"x.y", "z.w"}).Draw(t, "handler")})
		}
		text, err := json.Marshal(map[string]any{"name": rapid.SampledFrom([]string{"A", "B"}).Draw(t, "name"), "steps": steps})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	})
	rapid.Check(t, func(t *rapid.T) {
		one, other := document.Draw(t, "one"), document.Draw(t, "other")
		there, back := compare.Documents([]byte(one), []byte(other)), compare.Documents([]byte(other), []byte(one))
		if len(there.Changes) != len(back.Changes) || len(there.Steps.Added) != len(back.Steps.Removed) || len(there.Steps.Changed) != len(back.Steps.Changed) {
			t.Fatalf("%s and %s: %v there, %v back", one, other, there, back)
		}
		if same := compare.Documents([]byte(one), []byte(one)); len(same.Changes) > 0 {
			t.Fatalf("%s differs from itself: %v", one, same)
		}
	})
}
