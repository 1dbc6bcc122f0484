package enginetest

import (
	"embed"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

//go:embed testdata/reference/*.yaml
var referenceFiles embed.FS

// Reference is a workflow together with everything that happens to it, as
// data: what each call of a handler comes to, what people do and when, and how
// it must end. A new feature of the language needs a new file only, and where
// people can do something new, a case in Decision.
type Reference struct {
	Name string `yaml:"-"`
	// About is the sentence that the file proves.
	About    string         `yaml:"about"`
	Workflow map[string]any `yaml:"workflow"`
	// Children are the workflows that it runs, by id.
	Children map[string]map[string]any `yaml:"children"`
	// Starts is how many executions of it are started, one where it is
	// silent. Those that people start come after them. An execution's number
	// counts all of them from 0; children have none.
	Starts int `yaml:"starts"`
	// Parameters and SkipSteps belong to each start.
	Parameters map[string]any `yaml:"parameters"`
	SkipSteps  []string       `yaml:"skip_steps"`
	// Calls lists, for a step or one item of it ("a[1]"), what its calls come
	// to, one after the other; the last repeats. A call that a crash of the host cut short comes
	// again. A step without any succeeds.
	Calls map[string][]Call `yaml:"calls"`
	// Undos are the same for taking a step back.
	Undos map[string][]Call `yaml:"undos"`
	// Others has the calls and undos of single executions, by number, where
	// they differ.
	Others map[int]Acts `yaml:"others"`
	People []Decision   `yaml:"people"`
	// Down is how long the host is gone after a crash.
	Down time.Duration `yaml:"down"`
	// End is the status of the execution and then step=status for each step.
	// Ends has one for each execution, by number, where they don't end alike.
	// Ends by crash are others that a crash may lead to, where on_interrupt
	// makes the end depend on it.
	End         string   `yaml:"end"`
	Ends        []string `yaml:"ends"`
	EndsByCrash []string `yaml:"ends_by_crash"`
}

// Acts is what calls come to in one execution.
type Acts struct {
	Calls map[string][]Call `yaml:"calls"`
	Undos map[string][]Call `yaml:"undos"`
}

// Call is what one call of a handler does. It succeeds unless it says more.
type Call struct {
	// Takes is how long it is before the call takes effect.
	Takes time.Duration `yaml:"takes"`
	// Hang: it waits until it is cancelled.
	Hang bool `yaml:"hang"`
	// Fail is the class of its failure.
	Fail pluginsdk.FailureClass `yaml:"fail"`
	// Skip is the reason why the handler skips the step.
	Skip string `yaml:"skip"`
	// Lost: the plugin dies; Did, whether it had taken effect before.
	Lost bool `yaml:"lost"`
	Did  bool `yaml:"did"`
	// Output is any JSON.
	Output any `yaml:"output"`
	// Logs is the number of lines it writes.
	Logs int `yaml:"logs"`
	// Checkpoint is any JSON that it keeps before it takes effect.
	Checkpoint any `yaml:"checkpoint"`
}

// Decision is what a person does once something has happened.
type Decision struct {
	// At is an event's type, and after a space the step where it has one.
	// The event is one of the execution with the number In.
	At string `yaml:"at"`
	In int    `yaml:"in"`
	// Do is cancel, pause, resume, resolve, approve, reject or signal, or one
	// of those that make an execution: start, retry, fork and undo. It is done
	// to the execution with the number To; a start has no other.
	Do   string `yaml:"do"`
	To   int    `yaml:"to"`
	Step string `yaml:"step"`
	// Refused: what makes an execution is a conflict, and makes none.
	Refused bool `yaml:"refused"`
	// From, Item and Outputs, any JSON by step, belong to a fork, From to a
	// retry; Only and Outputs to a start of one step.
	From    string         `yaml:"from"`
	Item    *int           `yaml:"item"`
	Only    string         `yaml:"only"`
	Outputs map[string]any `yaml:"outputs"`
	// As belongs to resolve, Name and Payload, any JSON, to signal, which has
	// no step.
	As      string `yaml:"as"`
	Name    string `yaml:"name"`
	Payload any    `yaml:"payload"`
}

// leaves is the event by which the journal shows that a decision was taken.
func (d Decision) leaves() (plan.EventType, error) {
	switch d.Do {
	case "cancel":
		return plan.ExecutionCancelling, nil
	case "resolve":
		return plan.StepResolved, nil
	case "resume":
		return plan.ExecutionResumed, nil
	case "pause":
		return plan.ExecutionPaused, nil
	case "approve", "reject":
		return plan.StepCompleted, nil
	case "signal":
		return plan.SignalReceived, nil
	}
	return "", fmt.Errorf("people can't %q", d.Do)
}

// happened reports whether an event is what a decision waits for.
func (d Decision) happened(event plan.Event) bool {
	kind, step, _ := strings.Cut(d.At, " ")
	return string(event.Type) == kind && event.StepID == step
}

// References reads all reference workflows, by name.
func References(t testing.TB) []*Reference {
	t.Helper()
	entries, err := referenceFiles.ReadDir("testdata/reference")
	if err != nil {
		t.Fatal(err)
	}
	references := make([]*Reference, 0, len(entries))
	for _, entry := range entries {
		text, err := referenceFiles.ReadFile(path.Join("testdata/reference", entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		reference := &Reference{Name: strings.TrimSuffix(entry.Name(), ".yaml")}
		if err := yaml.UnmarshalWithOptions(text, reference, yaml.Strict()); err != nil {
			t.Fatalf("reference workflow %s: %v", entry.Name(), err)
		}
		reference.Starts = max(reference.Starts, 1)
		if reference.About == "" || !reference.saysEnds() {
			t.Fatalf("reference workflow %s does not say what it is about, or how each execution ends", entry.Name())
		}
		named(reference.Workflow, reference.Name)
		for id, child := range reference.Children {
			named(child, id)
		}
		for _, decision := range reference.People {
			if _, err := decision.leaves(); err != nil && !decision.begins() {
				t.Fatalf("reference workflow %s: %v", entry.Name(), err)
			}
		}
		references = append(references, reference)
	}
	return references
}

// RunReferences holds a runtime against every reference workflow: without a
// crash, and with one at each of its commits in each of the ways. With more,
// the host dies a second time, at each commit after the first crash, and at
// random three times, which parks the execution.
func RunReferences(t *testing.T, factory Factory, more bool) {
	for _, r := range References(t) {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			calm := r.Run(t, factory)
			r.checkEnd(t, calm, nil)
			runs := 1
			for _, way := range CrashWays() {
				runs += r.crashEach(t, factory, &calm, more, way)
			}
			if more {
				runs += r.crashThrice(t, factory, &calm)
			}
			t.Logf("%d commits, %d runs: %s", calm.Commits, runs, r.About)
		})
	}
}

// crashEach crashes at the next commit after those given, at the one after
// it, and so on until the run ends before; it returns how many runs it took.
func (r *Reference) crashEach(t *testing.T, factory Factory, calm *Trial, again bool, way CrashWay, earlier ...CrashPoint) (runs int) {
	t.Helper()
	for k := 1; ; k++ {
		crashes := append(slices.Clone(earlier), CrashPoint{k, way})
		result := r.Run(t, factory, crashes...)
		r.checkEnd(t, result, calm, crashes...)
		runs++
		if result.Crashes < len(crashes) {
			if k == 1 && len(earlier) == 0 {
				t.Fatal("it made no commit to crash at")
			}
			return runs
		}
		if again {
			runs += r.crashEach(t, factory, calm, false, way, crashes...)
		}
	}
}

// crashThrice dies three times at random, in ways that are mixed.
func (r *Reference) crashThrice(t *testing.T, factory Factory, calm *Trial) (runs int) {
	t.Helper()
	chance, ways := rand.New(rand.NewPCG(1, 2)), CrashWays() //nolint:gosec // The same chance each time is what is wanted.
	for range 20 {
		crashes := make([]CrashPoint, 3)
		for i := range crashes {
			crashes[i] = CrashPoint{1 + chance.IntN(calm.Commits), ways[chance.IntN(len(ways))]}
		}
		r.checkEnd(t, r.Run(t, factory, crashes...), calm, crashes...)
	}
	return 20
}

// named gives a definition a name, where it has none.
func named(definition map[string]any, name string) {
	if _, found := definition["name"]; !found {
		definition["name"] = name
	}
}

// nth is the n-th of the calls, from 0; the last repeats.
func nth(calls []Call, n int) Call {
	if len(calls) == 0 {
		return Call{}
	}
	return calls[min(n, len(calls)-1)]
}
