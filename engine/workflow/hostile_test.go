package workflow_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine/workflow"
)

// cost runs f and returns the processor time that it took and the memory that
// was live at the end of it over what was live before. It tries up to three
// times for a time within the bound: caches may be cold.
func cost(t testing.TB, within time.Duration, f func()) (time.Duration, uint64) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	best, memory := time.Duration(1<<62), uint64(0)
	for range 3 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		start := timeSpent(t)
		f()
		best = min(best, (timeSpent(t)-start)/slowdown)
		runtime.ReadMemStats(&after)
		memory = max(after.HeapAlloc, before.HeapAlloc) - before.HeapAlloc
		if best <= within {
			break
		}
	}
	return best, memory
}

func fill(part string) string { return strings.Repeat(part, workflow.MaxYAML/len(part)) }

// flow is the text of a small valid workflow around a config.
func withConfig(config string) string {
	return "name: A\nconfig:\n" + config + "\nsteps:\n  - {id: one, handler: flow.log, config: {message: hi}}\n"
}

func TestAttack11HostileYAMLIsRefusedSoonAndCheaply(t *testing.T) {
	var keys, stairs, longKeys strings.Builder
	for i := 0; keys.Len() < workflow.MaxYAML-20; i++ {
		fmt.Fprintf(&keys, "k%d: 1\n", i)
	}
	for i := 0; stairs.Len()+i+5 < workflow.MaxYAML; i++ {
		stairs.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	longKeys.WriteString(strings.Repeat("k", workflow.MaxYAML/4) + ":\n")
	for longKeys.Len() < workflow.MaxYAML-5 {
		longKeys.WriteString(" - a\n")
	}
	texts := map[string]string{
		"nested dashes":          fill("- "),
		"nested brackets":        fill("["),
		"nested braces":          fill("{a: "),
		"anchors":                fill("&a "),
		"anchored items":         fill("- &a x\n"),
		"aliases":                fill("*a "),
		"question marks":         fill("? "),
		"tags":                   fill("!a "),
		"flow list":              "[" + fill("a,")[:workflow.MaxYAML-2] + "]",
		"block list":             fill("- a\n"),
		"blocks":                 fill("- >\n"),
		"documents":              fill("---\n"),
		"directives":             fill("%a\n"),
		"quotes":                 fill(`"`),
		"colons":                 fill("a: "),
		"many keys":              keys.String(),
		"stairs":                 stairs.String(),
		"a long key above":       longKeys.String(),
		"comments":               fill("#\n"),
		"python object":          "name: !!python/object/apply:os.system [id]\n",
		"merge key cycle":        "name: A\nconfig: &c\n  <<: *c\n",
		"bigger than the limit":  fill("a") + "aaaaaaaaaa",
		"only invalid utf-8":     "name: \xff\xfe",
		"windows line ends only": fill("\r"),
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			var doc *workflow.Document
			var problems workflow.Problems
			elapsed, memory := cost(t, time.Second, func() { doc, problems = workflow.Parse([]byte(text), workflow.ParseOptions{}) })
			if !problems.HasErrors() {
				t.Errorf("accepted, document %v", doc)
			}
			if elapsed > time.Second || memory > 50<<20 {
				t.Errorf("took %v and %d MiB, want at most 1 s and 50 MiB", elapsed, memory>>20)
			}
		})
	}
}

func TestAttack11BillionLaughsAreRefused(t *testing.T) {
	var text strings.Builder
	text.WriteString("  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&text, "  a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	var problems workflow.Problems
	elapsed, memory := cost(t, time.Second, func() {
		_, problems = workflow.Parse([]byte(withConfig(text.String())), workflow.ParseOptions{})
	})
	if !hasCode(problems, "alias_expansion") || elapsed > time.Second || memory > 50<<20 {
		t.Errorf("%v, %d MiB, %v", elapsed, memory>>20, problems)
	}
}

func hasCode(problems workflow.Problems, code string) bool {
	for _, problem := range problems {
		if problem.Code == code {
			return true
		}
	}
	return false
}

func TestAttack3DepthIs64InBothFormats(t *testing.T) {
	for _, test := range []struct {
		depth int
		deep  bool
	}{{64, false}, {65, true}} {
		// The document and its config are two levels.
		inner := strings.Repeat("[", test.depth-2) + strings.Repeat("]", test.depth-2)
		text := `{"name": "A", "config": {"k": ` + inner + `}, "steps": [{"id": "one", "handler": "flow.log"}]}`
		for _, format := range []workflow.Format{workflow.FormatJSON, workflow.FormatYAML} {
			_, problems := workflow.Parse([]byte(text), workflow.ParseOptions{Format: format})
			if hasCode(problems, "too_deep") != test.deep {
				t.Errorf("%s depth %d: %v", format, test.depth, problems)
			}
		}
	}
}

func TestAttack5UnknownFieldsHavePointers(t *testing.T) {
	_, problems := workflow.Parse([]byte(`{"name":"A","extra":1,"steps":[{"id":"one","handler":"flow.log","nope":2}]}`), workflow.ParseOptions{})
	pointers := map[string]bool{}
	for _, problem := range problems {
		if problem.Code == "unknown_key" {
			pointers[problem.Pointer] = true
		}
	}
	if !pointers["/extra"] || !pointers["/steps/0/nope"] || len(pointers) != 2 {
		t.Errorf("got %v", problems)
	}
}

func TestAttack7CharactersThatMisleadAreRefusedInNames(t *testing.T) {
	for _, name := range []string{`A\u0000B`, `A\nB`, `A\tB`, `\u202Egnp`, `A\u2066B`, `A\u2028B`, `A\ud800`, `A\u0085B`, `   `} {
		text := `{"name": "` + name + `", "steps": [{"id": "one", "handler": "flow.log"}]}`
		if _, problems := workflow.Parse([]byte(text), workflow.ParseOptions{}); !problems.HasErrors() {
			t.Errorf("name %s was accepted", name)
		}
	}
	if workflow.NameKey("Caf\u00e9") != workflow.NameKey("Cafe\u0301") {
		t.Error("composed and decomposed forms of one name have different keys")
	}
}

// large returns a workflow of n steps, each with up to five dependencies on
// steps before it and a reference to a far one.
func large(n int) []byte {
	var text strings.Builder
	text.WriteString(`{"name": "Large", "steps": [`)
	for i := range n {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `{"id":"s%d","handler":"flow.log","config":{"message":"x ${step-outputs.s%d.value | default 1}`, i, i/2)
		if i > 0 {
			fmt.Fprintf(&text, ` ${step-outputs.s%d}`, (i-1)/2)
		}
		text.WriteString(`"},"dependencies":[`)
		for j := 1; j <= min(i, 5); j++ {
			if j > 1 {
				text.WriteByte(',')
			}
			fmt.Fprintf(&text, `"s%d"`, i-j)
		}
		text.WriteString(`]}`)
	}
	text.WriteString(`]}`)
	return []byte(text.String())
}

// The two seconds are for a machine that does nothing else: it takes about one.
func TestAttack13TenThousandStepsCompileInTime(t *testing.T) {
	data := large(workflow.MaxSteps)
	cat := workflow.NewCatalogue(nil, nil)
	var graph *workflow.Graph
	var problems workflow.Problems
	const limit = 10 * time.Second
	elapsed, _ := cost(t, limit, func() { _, graph, problems = workflow.Validate(data, workflow.ParseOptions{}, cat) })
	if elapsed > limit {
		t.Errorf("took %v", elapsed)
	}
	if graph == nil {
		t.Fatal(problems)
	}
	if got := len(graph.Upstream(graph.Len() - 1)); got != workflow.MaxSteps-1 {
		t.Errorf("the last step has %d steps upstream", got)
	}
	_, problems = workflow.Parse([]byte(`{"name":"A","steps":[`+strings.Repeat("{},", workflow.MaxSteps)+`{}]}`), workflow.ParseOptions{})
	if !hasCode(problems, "too_many_steps") {
		t.Errorf("one step too many: %v", problems)
	}
}

func TestAttack15ForEachIsBounded(t *testing.T) {
	graph := mustCompile(t, `{"name":"A","parameters":[{"name":"files","type":"json"}],"steps":[{"id":"one","handler":"flow.log","for_each":"${parameters.files}","config":{"message":"${item}"}}]}`)
	list := "[" + strings.Repeat("1,", 1_000_000) + "1]"
	var err error
	elapsed, _ := cost(t, 500*time.Millisecond, func() {
		_, err = graph.Node(0).Items(&workflow.Scope{StepID: "one", Parameters: json.RawMessage(`{"files":` + list + `}`)})
	})
	if err == nil || elapsed > 500*time.Millisecond {
		t.Errorf("a million items: %v after %v", err, elapsed)
	}
	_, problems := workflow.Parse([]byte(`{"name":"A","steps":[{"id":"one","handler":"flow.log","for_each":[`+strings.Repeat("1,", workflow.MaxItems)+`1]}]}`), workflow.ParseOptions{})
	if !hasCode(problems, "too_many_items") {
		t.Errorf("got %v", problems)
	}
}

func TestAttack49OutputsAreNeverReadForReferences(t *testing.T) {
	graph := mustCompile(t, `{"name":"A","steps":[{"id":"a","handler":"flow.log","config":{"message":"x"}},
		{"id":"b","handler":"flow.log","dependencies":["a"],"config":{"message":"got ${step-outputs.a.text}","level":"${step-outputs.a.text}"}}]}`)
	config, err := graph.Node(1).Config.Resolve(&workflow.Scope{
		StepID: "b",
		Output: func(string) (json.RawMessage, bool, string) {
			return json.RawMessage(`{"text":"${secrets.x} $${y}"}`), true, ""
		},
		Secret: func(string) (string, error) { t.Error("a secret was asked for"); return "", nil },
	})
	if want := `{"message":"got ${secrets.x} $${y}","level":"${secrets.x} $${y}"}`; err != nil || string(config) != want {
		t.Errorf("got %s, %v, want %s", config, err, want)
	}
}

func TestAttack51CostlyExpressionsAreRefusedSoon(t *testing.T) {
	sources := map[string]string{
		"64 KiB":               strings.Repeat("true and ", 7000) + "true",
		"nesting 1000":         strings.Repeat("(", 1000) + "true" + strings.Repeat(")", 1000),
		"nested lists":         strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + " == []",
		"many nots":            strings.Repeat("not ", 1000) + "true",
		"many parts":           strings.Repeat("1+", 1500) + "1 == 1",
		"a chain of ternaries": strings.Repeat("true ? ", 500) + "true" + strings.Repeat(" : false", 500),
	}
	for name, source := range sources {
		var problems workflow.Problems
		elapsed, memory := cost(t, 10*time.Millisecond, func() { _, problems = workflow.CompileExpression(source, "") })
		if !problems.HasErrors() || elapsed > 10*time.Millisecond || memory > 1<<20 {
			t.Errorf("%s: %v, %d KiB, %v", name, elapsed, memory>>10, problems)
		}
	}
}

func TestAttack51CostlyEvaluationsEndSoon(t *testing.T) {
	double := `let a = "xxxxxxxxxxxxxxxx";`
	name := 'a'
	for range 20 {
		double += fmt.Sprintf(" let %c = %c + %c;", name+1, name, name)
		name++
	}
	double += fmt.Sprintf(" len(%c) > 0", name)
	sources := map[string]string{
		"doubling text":     double,
		"repeat":            `len(repeat("x", 1000000000)) > 0`,
		"repeat in a loop":  `all(1..1000, len(repeat("x", 60000)) > 0)`,
		"join":              `len(join(map(1..1000, repeat("x", 1000)), "")) > 0`,
		"replace":           `len(replace(repeat("x", 1000), "x", repeat("y", 1000))) > 0`,
		"string":            `len(string(map(1..50000, "xx"))) > 0`,
		"toJSON":            `len(toJSON(map(1..50000, "xx"))) > 0`,
		"range":             `len(1..1000000000) > 0`,
		"nested loops":      `let r = 1..1000; all(r, all(r, all(r, true)))`,
		"loops in a filter": `let r = 1..2000; len(filter(r, len(filter(r, true)) > 0)) > 0`,
		"uniq":              `let r = 1..90000; all(1..100, len(uniq(r)) > 0)`,
		"in":                `let r = map(1..90000, # + 1); all(1..5000, 0 not in r)`,
		"matches in a loop": `let s = repeat("a", 60000); all(1..1000, not (s matches "(a+)+$x"))`,
	}
	for label, source := range sources {
		t.Run(label, func(t *testing.T) {
			expression, problems := workflow.CompileExpression(source, "")
			if problems.HasErrors() {
				t.Fatal(problems)
			}
			var err error
			elapsed, memory := cost(t, 500*time.Millisecond, func() { _, _, err = expression.Eval(&workflow.ExpressionEnv{}) })
			if err == nil {
				t.Error("it was evaluated")
			}
			if elapsed > 500*time.Millisecond || memory > 20<<20 {
				t.Errorf("took %v and %d KiB", elapsed, memory>>10)
			}
		})
	}
	expression, _ := workflow.CompileExpression(`not (repeat("a", 1000) + "b" matches "^(a+)+$")`, "")
	var result bool
	elapsed, _ := cost(t, 10*time.Millisecond, func() { result, _, _ = expression.Eval(&workflow.ExpressionEnv{}) })
	if !result || elapsed > 10*time.Millisecond {
		t.Errorf("(a+)+$ gave %v after %v", result, elapsed)
	}
}

func TestManyMistakesStayCheap(t *testing.T) {
	var text strings.Builder
	text.WriteString(`{"name":"A","steps":[`)
	for i := range workflow.MaxSteps {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `{"id":"step-%d","handler":"flow.lgo","dependencies":["stepp-%d","nope-%d","other-%d"],"config":{"message":"${parameters.x%d}"}}`, i, i, i, i, i)
	}
	text.WriteString(`]}`)
	var problems workflow.Problems
	elapsed, _ := cost(t, 3*time.Second, func() {
		_, _, problems = workflow.Validate([]byte(text.String()), workflow.ParseOptions{}, workflow.NewCatalogue(nil, nil))
	})
	if len(problems) != workflow.MaxProblems+1 || !hasCode(problems, "too_many_problems") {
		t.Errorf("%d problems", len(problems))
	}
	if elapsed > 3*time.Second {
		t.Errorf("took %v", elapsed)
	}
}

func TestLongStringsOfReferencesStayCheap(t *testing.T) {
	for _, part := range []string{"${", "$${", "$", "${config.a}", "${config.b}", "${config[\\\"${config[\\\"", "${a | default \\\"", "${step-outputs.one.x}", "${parameters.n | default [[[[[["} {
		size := workflow.MaxJSON - 200
		text := `{"name":"A","config":{"a":1},"steps":[{"id":"one","handler":"flow.log","config":{"message":"` + strings.Repeat(part, size/len(part)) + `"}}]}`
		elapsed, _ := cost(t, 2*time.Second, func() {
			workflow.Validate([]byte(text), workflow.ParseOptions{}, workflow.NewCatalogue(nil, nil))
		})
		if elapsed > 2*time.Second {
			t.Errorf("%s took %v", part, elapsed)
		}
	}
}

func BenchmarkParseAndCompileLarge(b *testing.B) {
	data := large(workflow.MaxSteps)
	cat := workflow.NewCatalogue(nil, nil)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, graph, problems := workflow.Validate(data, workflow.ParseOptions{}, cat); graph == nil {
			b.Fatal(problems)
		}
	}
}

func BenchmarkParseLargeJSON(b *testing.B) {
	data := large(workflow.MaxSteps)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if doc, _ := workflow.Parse(data, workflow.ParseOptions{}); doc == nil {
			b.Fatal("no document")
		}
	}
}

// mustCompile returns the graph of a text without errors.
func mustCompile(t testing.TB, text string) *workflow.Graph {
	t.Helper()
	_, graph, problems := workflow.Validate([]byte(text), workflow.ParseOptions{}, testCatalogue(t))
	if graph == nil {
		t.Fatalf("%v", problems)
	}
	return graph
}
