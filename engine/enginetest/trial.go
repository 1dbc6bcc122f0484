package enginetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// The handlers that reference workflows name, one of each effect class.
var referenceHandlers = map[string]pluginsdk.EffectClass{
	"test.pure": pluginsdk.EffectPure, "test.idempotent": pluginsdk.EffectIdempotent, "test.keyed": pluginsdk.EffectKeyed,
	"test.reconcilable": pluginsdk.EffectReconcilable, "test.unsafe": pluginsdk.EffectUnsafe,
}

// ReferenceCatalogue knows the handlers that reference workflows name. All but
// test.pure can undo.
func ReferenceCatalogue() Catalogue {
	list := make([]*workflow.Handler, 0, len(referenceHandlers))
	for path, class := range referenceHandlers {
		list = append(list, workflow.NewHandler(pluginsdk.HandlerInfo{
			Path: path, Name: path, Effect: class, ConfigSchema: json.RawMessage(`{"type":"object"}`),
			Capabilities: pluginsdk.Capabilities{
				Cancel: true, Reconcile: class == pluginsdk.EffectReconcilable, Undo: class != pluginsdk.EffectPure,
			},
		}, "test", "1.0.0"))
	}
	return Catalogue{workflow.NewCatalogue(list, nil)}
}

// patience is how long, in virtual time, an execution may take to end.
const patience = 48 * time.Hour

// glance is how often somebody looks at an execution that says nothing.
const glance = 10 * time.Minute

// CrashPoint is a commit at which the host dies, counted from the last start.
type CrashPoint struct {
	Commit int
	Way    CrashWay
}

// Trial is one run of a reference workflow, through the crashes that were
// asked for.
type Trial struct {
	// ID is the execution's.
	ID string
	// Commits is how many there were.
	Commits int
	// Crashes is how many of the crashes came about.
	Crashes int
	// Stored is the journal's end of it.
	Stored engine.Stored
	Steps  map[string]engine.StepResult
}

// trial is a Trial under way.
type trial struct {
	t         *testing.T
	name      string
	factory   Factory
	reference *Reference
	ports     Ports
	engine    engine.Engine
	graph     *workflow.Graph
	ledger    ledger
	id        string
	// died is closed when the host has died; nil where it is not to.
	died <-chan struct{}
}

// Run runs the reference workflow on virtual time, dies at each of the crash
// points in turn, and holds what is promised: what was acknowledged ends, no
// recorded step is called again, no unsafe effect is made twice, and the
// events have no gap. It fails the test where a promise is broken.
func (r *Reference) Run(t *testing.T, factory Factory, crashes ...CrashPoint) (result Trial) {
	t.Helper()
	name := fmt.Sprintf("%s, crashes %v", r.Name, crashes)
	synctest.Test(t, func(t *testing.T) {
		c := &trial{t: t, name: name, factory: factory, reference: r, ledger: ledger{done: map[string]int{}}}
		c.ports = Ports{Store: NewStore(), Recorder: NewRecorder(), Catalogue: ReferenceCatalogue(), Invoker: &Invoker{
			Handlers: map[string]Handler{}, Reconcilers: map[string]func(*pluginsdk.Request) pluginsdk.ReconcileResult{},
		}}
		for path := range referenceHandlers {
			c.ports.Invoker.Handlers[path] = c.call
		}
		c.ports.Invoker.Reconcilers["test.reconcilable"] = c.reconcile
		c.ports.Invoker.Undoers = map[string]func(*pluginsdk.Request, json.RawMessage) pluginsdk.Outcome{}
		for path := range referenceHandlers {
			c.ports.Invoker.Undoers[path] = c.undo
		}
		result = c.run(crashes)
	})
	return result
}

func (c *trial) fatalf(format string, values ...any) {
	c.t.Helper()
	c.t.Fatalf("%s: %s\njournal:\n%s", c.name, fmt.Sprintf(format, values...), c.journal())
}

// journal tells the story so far, a line for an event.
func (c *trial) journal() string {
	stored, err := c.ports.Store.Load(context.Background(), c.id)
	if err != nil {
		return err.Error()
	}
	var text strings.Builder
	for _, e := range stored.Events {
		fmt.Fprintf(&text, "  %3d.%d %s %s %s #%d %s\n", e.Seq, e.Sub, e.Time.Format(time.TimeOnly), e.Type, e.StepID, e.Attempt, e.Status)
	}
	return text.String()
}

func (c *trial) run(crashes []CrashPoint) Trial {
	document, err := c.reference.document()
	if err != nil {
		c.fatalf("%v", err)
	}
	parsed, problems := workflow.Parse(document, workflow.ParseOptions{Format: workflow.FormatJSON})
	if parsed != nil {
		c.graph, problems = workflow.Compile(parsed, c.ports.Catalogue)
	}
	if c.graph == nil {
		c.fatalf("%v", problems)
	}
	begin, left := time.Now(), crashes
	result := Trial{}
	c.begin(&left)
	acknowledged := c.start(document)
	for !c.ended() {
		synctest.Wait()
		said := c.ports.Recorder.next()
		switch {
		case c.ports.Store.Crashed():
			result.Crashes++
			c.die()
			time.Sleep(c.reference.Down) // Virtual time, as below.
			c.begin(&left)
			if !acknowledged {
				// The caller was told nothing, and asks again.
				acknowledged = c.start(document)
			}
		case c.decide():
		case time.Since(begin) > patience:
			c.fatalf("it has not ended after %s", patience)
		default:
			select {
			case <-said:
			case <-c.died:
			case <-time.After(glance):
			}
		}
	}
	synctest.Wait()
	if c.ports.Store.Crashed() {
		result.Crashes++
	}
	c.die()
	result.ID, result.Commits, result.Steps = c.id, c.ports.Store.Commits(), c.ports.Store.Steps(c.id)
	if result.Stored, err = c.ports.Store.Load(c.t.Context(), c.id); err != nil {
		c.fatalf("what was acknowledged is lost: %v", err)
	}
	c.check(result)
	return result
}

// begin starts a host on the store, which dies at the next crash point. One
// that dies while it recovers is started once more.
func (c *trial) begin(left *[]CrashPoint) {
	for {
		c.ports.Store.Revive()
		c.ports.Epoch++
		c.died = nil
		if crashes := *left; len(crashes) > 0 {
			c.died = c.ports.Store.Crash(crashes[0].Commit, crashes[0].Way)
			*left = crashes[1:]
		}
		c.engine = c.factory(c.ports)
		_, err := c.engine.Recover(c.t.Context())
		if err == nil {
			return
		}
		if !c.ports.Store.Crashed() {
			c.fatalf("recover: %v", err)
		}
		c.die()
	}
}

// die ends the host: what it does on the way goes nowhere.
func (c *trial) die() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := c.engine.Close(ctx); err != nil {
		c.fatalf("close: %v", err)
	}
}

// start asks for the execution, and reports whether that was acknowledged.
func (c *trial) start(document json.RawMessage) bool {
	parameters, err := json.Marshal(c.reference.Parameters)
	if err != nil {
		c.fatalf("%v", err)
	}
	if c.reference.Parameters == nil {
		parameters = nil
	}
	execution, _, err := c.engine.Start(c.t.Context(), engine.StartRequest{
		WorkflowID: "w", Document: document, Parameters: parameters, SkipSteps: c.reference.SkipSteps,
		Trigger: engine.TriggerAPI, By: "tester", IdempotencyKey: "once",
	})
	if err != nil {
		if !c.ports.Store.Crashed() {
			c.fatalf("start: %v", err)
		}
		return false
	}
	if c.id != "" && c.id != execution.ID {
		c.fatalf("the same key started execution %s and then %s", c.id, execution.ID)
	}
	c.id = execution.ID
	return true
}

func (c *trial) ended() bool {
	if c.id == "" {
		return false
	}
	stored, err := c.ports.Store.Load(c.t.Context(), c.id)
	if err != nil {
		c.fatalf("what was acknowledged is lost: %v", err)
	}
	return stored.Execution.Status.Ended()
}

// events is the journal's story, internal events included.
func (c *trial) events(executionID string) []plan.Event {
	stored, err := c.ports.Store.Load(context.Background(), executionID)
	if err != nil {
		return nil
	}
	return stored.Events
}

// decide does what a person does next, if anything, and reports whether
// somebody did something. A person who was told nothing looks at the journal
// first: that is what counts as done.
func (c *trial) decide() bool {
	events := c.events(c.id)
	for i, decision := range c.reference.People {
		if c.taken(events, i) {
			continue
		}
		for _, event := range events {
			if decision.happened(event) {
				c.perform(decision)
				return true
			}
		}
		if decision.Do == "resolve" {
			return false
		}
		break
	}
	state := c.fold(events)
	if state.Parked() {
		c.perform(Decision{Do: "resume"})
		return true
	}
	for i := range state.Steps {
		step := c.graph.Node(i).Step.ID
		for item := range state.Steps[i].Items {
			if state.Steps[i].Items[item].Status == plan.StatusInterrupted {
				c.resolve(step, c.look(place(step, item)), &item)
				return true
			}
		}
		if state.Steps[i].Status == plan.StatusInterrupted && len(state.Steps[i].Items) == 0 {
			c.resolve(step, c.look(step), nil)
			return true
		}
	}
	return false
}

// taken reports whether the journal shows the i-th decision.
func (c *trial) taken(events []plan.Event, i int) bool {
	decision, want, got := c.reference.People[i], 0, 0
	for _, earlier := range c.reference.People[:i+1] {
		if earlier.Do == decision.Do && earlier.Step == decision.Step {
			want++
		}
	}
	kind, err := decision.leaves()
	if err != nil {
		c.fatalf("%v", err)
	}
	for _, event := range events {
		// The end of a step does not say who brought it about.
		if event.Type == kind && event.StepID == decision.Step && (event.By == "tester" || kind == plan.StepCompleted) {
			got++
		}
	}
	return got >= want
}

// look is the decision of a person who sees whether a step took effect.
func (c *trial) look(where string) string {
	if c.ledger.count(where) > 0 {
		return "success"
	}
	return "retry"
}

func (c *trial) perform(decision Decision) {
	var err error
	switch decision.Do {
	case "cancel":
		_, err = c.engine.Cancel(c.t.Context(), c.id, "tester")
	case "resume":
		_, err = c.engine.Resume(c.t.Context(), c.id, "tester")
	case "pause":
		_, err = c.engine.Pause(c.t.Context(), c.id, "tester")
	case "approve", "reject":
		_, err = c.engine.Approve(c.t.Context(), c.id, decision.Step, engine.Approval{Approved: decision.Do == "approve", By: "tester"})
	case "signal":
		var payload json.RawMessage
		if payload, err = json.Marshal(decision.Payload); err == nil {
			_, err = c.engine.Signal(c.t.Context(), c.id, decision.Name, payload, "tester")
		}
	case "resolve":
		c.resolve(decision.Step, decision.As, nil)
	}
	if err != nil && !c.ports.Store.Crashed() {
		c.fatalf("%s of %q: %v", decision.Do, decision.Step, err)
	}
}

func (c *trial) resolve(step, as string, item *int) {
	resolution := engine.Resolution{As: as, By: "tester", Item: item}
	if as == "success" {
		resolution.Output = c.output(c.succeeding(step))
	}
	if _, err := c.engine.ResolveStep(c.t.Context(), c.id, step, resolution); err != nil && !c.ports.Store.Crashed() {
		c.fatalf("resolve of %q: %v", step, err)
	}
}

// succeeding is the first call of a step that succeeds.
func (c *trial) succeeding(step string) Call {
	for _, call := range c.reference.Calls[step] {
		if call.Fail == "" && call.Skip == "" && !call.Lost {
			return call
		}
	}
	return Call{}
}

func (c *trial) output(call Call) json.RawMessage {
	if call.Output == nil {
		return json.RawMessage(`{"ok":true}`)
	}
	output, err := json.Marshal(call.Output)
	if err != nil {
		c.fatalf("%v", err)
	}
	return output
}

func (c *trial) fold(events []plan.Event) *plan.State {
	state := plan.NewState(c.graph, plan.Inputs{ExecutionID: c.id, WorkflowID: "w", Parameters: c.parameters()})
	for _, event := range events {
		if err := state.Apply(event); err != nil {
			c.fatalf("fold the journal: %v", err)
		}
	}
	return state
}

func (c *trial) parameters() json.RawMessage {
	stored, err := c.ports.Store.Load(context.Background(), c.id)
	if err != nil {
		c.fatalf("%v", err)
	}
	return stored.Execution.Parameters
}

// next is closed when something more is published.
func (r *Recorder) next() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}
