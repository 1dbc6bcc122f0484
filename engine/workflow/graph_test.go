package workflow_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

// steps writes a workflow of "id: dependency dependency" lines.
func steps(lines ...string) string {
	var text strings.Builder
	text.WriteString("name: A\nsteps:\n")
	for _, line := range lines {
		id, rest, _ := strings.Cut(line, ":")
		fmt.Fprintf(&text, "  - {id: %s, handler: flow.log, config: {message: x}, dependencies: [%s]}\n", id, strings.Join(strings.Fields(rest), ", "))
	}
	return text.String()
}

func TestUpstreamIsNearestFirstThenLaterFirst(t *testing.T) {
	graph := mustCompile(t, steps("a:", "b: a", "c: a", "d: b c", "e: d a", "f:"))
	tests := map[string][]string{
		"a": nil, "b": {"a"}, "d": {"c", "b", "a"}, "e": {"d", "a", "c", "b"}, "f": nil,
	}
	for id, want := range tests {
		i, _ := graph.Index(id)
		var got []string
		for _, j := range graph.Upstream(i) {
			got = append(got, graph.Node(j).Step.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", id, got, want)
		}
	}
}

func TestNodesKnowTheirNeighbours(t *testing.T) {
	graph := mustCompile(t, steps("d: c b", "b: a", "c: a", "a:"))
	node := graph.Node(0)
	if !reflect.DeepEqual(node.Dependencies, []int{1, 2}) || !reflect.DeepEqual(graph.Node(3).Dependents, []int{1, 2}) {
		t.Errorf("got %v and %v", node.Dependencies, graph.Node(3).Dependents)
	}
	if _, ok := graph.Index("nope"); ok || graph.Len() != 4 {
		t.Error("a step that is not there has an index")
	}
}

func TestNodesGiveTheirEffectiveSettings(t *testing.T) {
	handler := workflow.NewHandler(pluginsdk.HandlerInfo{
		Path: "git.push", Name: "Push", DefaultTimeout: time.Minute,
		DefaultRetry: &pluginsdk.Retry{MaxAttempts: 4, InitialInterval: 3 * time.Second},
	}, "git", "1.0.0")
	_, graph, problems := workflow.Validate([]byte(`
name: A
steps:
  - {id: plain, handler: git.push}
  - {id: own, handler: git.push, name: Mine, type: label, timeout: 5, retry: {max_attempts: 2}}
  - {id: wait, handler: flow.wait, config: {duration: 1h}}
`), workflow.ParseOptions{}, workflow.NewCatalogue([]*workflow.Handler{handler}, nil))
	if graph == nil {
		t.Fatal(problems)
	}
	plain, own, wait := graph.Node(0), graph.Node(1), graph.Node(2)
	if plain.Name() != "Push" || plain.Type() != "push" || plain.Timeout() != time.Minute || plain.Effect() != pluginsdk.EffectUnsafe {
		t.Errorf("plain: %s %s %v %s", plain.Name(), plain.Type(), plain.Timeout(), plain.Effect())
	}
	if want := (workflow.Retry{MaxAttempts: 4, InitialInterval: 3 * time.Second, Multiplier: 2, MaxInterval: time.Minute, Jitter: 0.2}); plain.Retry() != want {
		t.Errorf("plain: %+v", plain.Retry())
	}
	if own.Name() != "Mine" || own.Type() != "label" || own.Timeout() != 5*time.Second || own.Retry().MaxAttempts != 2 {
		t.Errorf("own: %s %s %v %+v", own.Name(), own.Type(), own.Timeout(), own.Retry())
	}
	if wait.Timeout() != 0 || wait.Retry() != workflow.DefaultRetry() || wait.Effect() != pluginsdk.EffectPure {
		t.Errorf("wait: %v %+v", wait.Timeout(), wait.Retry())
	}
}

func TestDelaysGrowToTheirMaximum(t *testing.T) {
	retry := workflow.Retry{MaxAttempts: 9, InitialInterval: time.Second, Multiplier: 2, MaxInterval: 10 * time.Second}
	for attempt, want := range map[int]time.Duration{0: time.Second, 1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 5: 10 * time.Second, 5000: 10 * time.Second} {
		if got := retry.Delay(attempt, 0.5); got != want {
			t.Errorf("attempt %d: %v, want %v", attempt, got, want)
		}
	}
	retry.Jitter = 0.2
	if low, high := retry.Delay(2, 0), retry.Delay(2, 0.999999); low != 1600*time.Millisecond || high <= 2390*time.Millisecond || high > 2400*time.Millisecond {
		t.Errorf("jitter gives %v to %v", low, high)
	}
	rapid.Check(t, func(t *rapid.T) {
		retry := workflow.Retry{
			InitialInterval: time.Duration(rapid.Int64Range(0, int64(1000*time.Hour)).Draw(t, "initial")),
			Multiplier:      rapid.Float64Range(1, 1000).Draw(t, "multiplier"),
			MaxInterval:     time.Duration(rapid.Int64Range(1, int64(1000*time.Hour)).Draw(t, "max")),
			Jitter:          rapid.Float64Range(0, 1).Draw(t, "jitter"),
		}
		delay := retry.Delay(rapid.IntRange(1, 1_000_000).Draw(t, "attempt"), rapid.Float64Range(0, 0.999).Draw(t, "random"))
		if delay < 0 || delay > retry.MaxInterval {
			t.Fatalf("delay %v", delay)
		}
	})
}

func TestEnabledAndItemsAreResolved(t *testing.T) {
	graph := mustCompile(t, `{"name":"A","parameters":[{"name":"go","type":"boolean"},{"name":"files","type":"json"}],"steps":[
		{"id":"plain","handler":"flow.log","config":{"message":"x"}},
		{"id":"off","handler":"flow.log","enabled":false,"config":{"message":"x"}},
		{"id":"asked","handler":"flow.log","enabled":"${parameters.go}","for_each":"${parameters.files}","config":{"message":"${item}"}},
		{"id":"list","handler":"flow.log","for_each":["a","${parameters.go}"],"config":{"message":"x"}}]}`)
	scope := &workflow.Scope{Parameters: json.RawMessage(`{"go":true,"files":[1,{"a":2}]}`)}
	for i, want := range []bool{true, false, true, true} {
		if got, err := graph.Node(i).IsEnabled(scope); got != want || err != nil {
			t.Errorf("step %d: %t, %v", i, got, err)
		}
	}
	if items, err := graph.Node(0).Items(scope); items != nil || err != nil {
		t.Errorf("no for_each: %v, %v", items, err)
	}
	if items, err := graph.Node(2).Items(scope); len(items) != 2 || string(items[1]) != `{"a":2}` || err != nil {
		t.Errorf("reference: %s, %v", items, err)
	}
	if items, err := graph.Node(3).Items(scope); len(items) != 2 || string(items[1]) != "true" || err != nil {
		t.Errorf("list: %s, %v", items, err)
	}
	scope.Parameters = json.RawMessage(`{"go":"yes","files":[]}`)
	if _, err := graph.Node(2).IsEnabled(scope); err == nil {
		t.Error("enabled took a text")
	}
	if items, err := graph.Node(2).Items(scope); items == nil || len(items) != 0 || err != nil {
		t.Errorf("empty list: %v, %v", items, err)
	}
	scope.Parameters = json.RawMessage(`{"go":null,"files":{"a":1}}`)
	if _, err := graph.Node(2).Items(scope); err == nil {
		t.Error("for_each took a map")
	}
}

// randomGraph draws a workflow whose steps depend on others at random, in a
// random order of the text, without cycles.
func randomGraph(t *rapid.T) string {
	n := rapid.IntRange(1, 12).Draw(t, "steps")
	order := rapid.Permutation(seq(n)).Draw(t, "order")
	lines := make([]string, n)
	for position, i := range order {
		line := fmt.Sprintf("s%d:", i)
		for j := range position {
			if rapid.Bool().Draw(t, "edge") {
				line += fmt.Sprintf(" s%d", order[j])
			}
		}
		lines[i] = line
	}
	return steps(lines...)
}

func seq(n int) []int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}

func TestLevelsAndUpstreamAgreeOnRandomGraphs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, graph, problems := workflow.Validate([]byte(randomGraph(t)), workflow.ParseOptions{}, nil)
		if graph == nil {
			t.Fatal(problems)
		}
		level := map[string]int{}
		for number, ids := range graph.Levels() {
			if len(ids) == 0 {
				t.Fatal("an empty level")
			}
			for _, id := range ids {
				level[id] = number
			}
		}
		if len(level) != graph.Len() {
			t.Fatalf("%d steps in levels, want %d", len(level), graph.Len())
		}
		for i := range graph.Len() {
			node, deepest := graph.Node(i), -1
			for _, j := range node.Dependencies {
				deepest = max(deepest, level[graph.Node(j).Step.ID])
			}
			if level[node.Step.ID] != deepest+1 {
				t.Fatalf("%s is in level %d", node.Step.ID, level[node.Step.ID])
			}
			want := map[int]bool{}
			ancestors(graph, i, want)
			got := graph.Upstream(i)
			if len(got) != len(want) {
				t.Fatalf("upstream of %s: %v, want %v", node.Step.ID, got, want)
			}
			for _, j := range got {
				if !want[j] {
					t.Fatalf("%d is not upstream of %d", j, i)
				}
			}
		}
	})
}

func ancestors(graph *workflow.Graph, i int, found map[int]bool) {
	for _, j := range graph.Node(i).Dependencies {
		found[j] = true
		ancestors(graph, j, found)
	}
}

func TestReferencesNeedAStepUpstreamOnRandomGraphs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := randomGraph(t)
		_, graph, _ := workflow.Validate([]byte(text), workflow.ParseOptions{}, nil)
		n := graph.Len()
		from, to := rapid.IntRange(0, n-1).Draw(t, "from"), rapid.IntRange(0, n-1).Draw(t, "to")
		// The step's own line refers to the other.
		marker := fmt.Sprintf("{id: s%d, handler: flow.log, config: {message: x}", from)
		text = strings.Replace(text, marker, fmt.Sprintf("{id: s%d, handler: flow.log, config: {message: '${step-outputs.s%d.k}'}", from, to), 1)
		_, _, problems := workflow.Validate([]byte(text), workflow.ParseOptions{}, nil)
		if want := slices.Contains(graph.Upstream(from), to); hasCode(problems, "step_not_upstream") == want {
			t.Fatalf("s%d upstream of s%d is %t, but %v\n%s", to, from, want, problems, text)
		}
	})
}

func TestCompilingWithoutACatalogueChecksNoHandlers(t *testing.T) {
	_, graph, problems := workflow.Validate([]byte("name: A\ntype: nobody\nsteps: [{id: one, handler: no.such}]"), workflow.ParseOptions{}, nil)
	if graph == nil || len(problems) > 0 || graph.Node(0).Handler != nil {
		t.Errorf("got %v", problems)
	}
	if graph, problems := workflow.Compile(nil, nil); graph != nil || !problems.HasErrors() {
		t.Error("nothing was compiled")
	}
}

func TestTriggersAndConcurrencyHaveTemplates(t *testing.T) {
	graph := mustCompile(t, `{"name":"A","parameters":[{"name":"ref"}],"concurrency":{"limit":1,"key":"deploy-${parameters.ref}"},
		"triggers":[{"type":"webhook","parameters":{"ref":"${trigger.body.ref}"}},{"type":"schedule","cron":"* * * * *"}],
		"steps":[{"id":"one","handler":"flow.log","config":{"message":"${parameters.ref}"}}]}`)
	got, err := graph.TriggerParameters(0).Resolve(&workflow.Scope{Trigger: json.RawMessage(`{"body":{"ref":"x"}}`)})
	if string(got) != `{"ref":"x"}` || err != nil || graph.TriggerParameters(1) != nil {
		t.Errorf("got %s, %v", got, err)
	}
	got, err = graph.ConcurrencyKey().Resolve(&workflow.Scope{Parameters: json.RawMessage(`{"ref":"main"}`)})
	if string(got) != `"deploy-main"` || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	if id := graph.Definition().Triggers[1].ID; id != "schedule-2" {
		t.Errorf("id %s", id)
	}
}
