package enginetest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
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

// CrashWay is what becomes of the commit at which a host dies.
type CrashWay string

// The ways of a crash.
const (
	// CrashBefore: the commit is not applied, and reported as failed.
	CrashBefore CrashWay = "not applied"
	// CrashAfter: the commit is applied and reported, and the host dies
	// before it has done anything about it.
	CrashAfter CrashWay = "applied"
	// CrashUntold: the commit is applied, but reported as failed.
	CrashUntold CrashWay = "applied but reported as failed"
)

// CrashWays are all of them.
func CrashWays() []CrashWay { return []CrashWay{CrashBefore, CrashAfter, CrashUntold} }

// IDs lists the executions, oldest first.
func (s *Store) IDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}

// Crash makes the k-th commit from now the last thing that the host does; all
// commits after it fail until Revive. What it returns is closed then.
func (s *Store) Crash(k int, way CrashWay) <-chan struct{} {
	s.CrashAt(k, way != CrashBefore)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent, s.died = way == CrashAfter, make(chan struct{})
	return s.died
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
	// Commits is how many there were.
	Commits int
	// Crashes is how many of the crashes came about.
	Crashes int
	// Runs are the executions that were started, in that order.
	Runs []Ended
}

// Ended is one execution of a Trial as the store has it in the end.
type Ended struct {
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
	document  json.RawMessage
	ledger    ledger
	// ids are the executions that were acknowledged, by number.
	ids map[int]string
	// refused are the decisions that met the conflict that they had to.
	refused map[int]bool
	// died is closed when the host has died; nil where it is not to.
	died <-chan struct{}

	graphsMu sync.Mutex
	graphs   map[string]*workflow.Graph
}

// Run runs the reference workflow on virtual time, dies at each of the crash
// points in turn, and holds what is promised: what was acknowledged ends, no
// recorded step is called again, no unsafe effect is made twice, and the
// events have no gap. It fails the test where a promise is broken.
func (r *Reference) Run(t *testing.T, factory Factory, crashes ...CrashPoint) (result Trial) {
	t.Helper()
	name := fmt.Sprintf("%s, crashes %v", r.Name, crashes)
	synctest.Test(t, func(t *testing.T) {
		c := &trial{
			t: t, name: name, factory: factory, reference: r, ledger: ledger{done: map[string]int{}},
			ids: map[int]string{}, refused: map[int]bool{}, graphs: map[string]*workflow.Graph{},
		}
		c.prepare()
		result = c.run(crashes)
	})
	return result
}

// prepare makes the surroundings.
func (c *trial) prepare() {
	c.ports = Ports{
		Store: NewStore(), Recorder: NewRecorder(), Catalogue: ReferenceCatalogue(), Definitions: Definitions{}, Invoker: &Invoker{
			Handlers: map[string]Handler{}, Reconcilers: map[string]func(*pluginsdk.Request) pluginsdk.ReconcileResult{},
			Undoers: map[string]func(*pluginsdk.Request, json.RawMessage) pluginsdk.Outcome{},
		},
	}
	for path := range referenceHandlers {
		c.ports.Invoker.Handlers[path], c.ports.Invoker.Undoers[path] = c.call, c.undo
	}
	c.ports.Invoker.Reconcilers["test.reconcilable"] = c.reconcile
	c.document = c.json(c.reference.Workflow)
	for id, child := range c.reference.Children {
		c.ports.Definitions[id] = c.json(child)
	}
}

func (c *trial) json(value any) json.RawMessage {
	raw, err := json.Marshal(value)
	if err != nil {
		c.t.Fatalf("%s: %v", c.name, err)
	}
	return raw
}

// graphOf is the definition of an execution, compiled.
func (c *trial) graphOf(executionID string) *workflow.Graph {
	c.graphsMu.Lock()
	defer c.graphsMu.Unlock()
	if graph := c.graphs[executionID]; graph != nil {
		return graph
	}
	parsed, problems := workflow.Parse(c.load(executionID).Document, workflow.ParseOptions{Format: workflow.FormatJSON})
	if parsed != nil {
		c.graphs[executionID], problems = workflow.Compile(parsed, c.ports.Catalogue)
	}
	if c.graphs[executionID] == nil {
		c.t.Fatalf("%s: %v", c.name, problems)
	}
	return c.graphs[executionID]
}

// load is an execution as the journal has it.
func (c *trial) load(executionID string) engine.Stored {
	stored, err := c.ports.Store.Load(context.Background(), executionID)
	if err != nil {
		c.t.Fatalf("%s: execution %q, which was acknowledged, is lost: %v", c.name, executionID, err)
	}
	return stored
}

func (c *trial) fatalf(format string, values ...any) {
	c.t.Helper()
	c.t.Fatalf("%s: %s\n%s", c.name, fmt.Sprintf(format, values...), c.journal())
}

// journal tells the story so far, a line for an event.
func (c *trial) journal() string {
	var text strings.Builder
	for _, id := range c.ports.Store.IDs() {
		fmt.Fprintf(&text, "execution %s:\n", id)
		for _, e := range c.load(id).Events {
			fmt.Fprintf(&text, "  %3d.%d %s %s %s #%d %s\n", e.Seq, e.Sub, e.Time.Format(time.TimeOnly), e.Type, placeOf(e), e.Attempt, e.Status)
		}
	}
	return text.String()
}

func (c *trial) run(crashes []CrashPoint) Trial {
	begin, left := time.Now(), crashes
	result := Trial{}
	c.begin(&left)
	c.start()
	for !c.ended() {
		synctest.Wait()
		said := c.ports.Recorder.next()
		switch {
		case c.ports.Store.Crashed():
			result.Crashes++
			c.die()
			time.Sleep(c.reference.Down) // Virtual time, as below.
			c.begin(&left)
			c.start()
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
	result.Commits = c.ports.Store.Commits()
	for n := range c.reference.executions() {
		result.Runs = append(result.Runs, Ended{c.load(c.ids[n]), c.ports.Store.Steps(c.ids[n])})
	}
	for _, id := range c.ports.Store.IDs() {
		c.check(id)
	}
	c.checkEffects()
	c.checkNumbers()
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

// start asks for each execution that nobody acknowledged yet, under the same
// key as before.
func (c *trial) start() {
	request := c.request()
	for n := range c.reference.Starts {
		if c.ids[n] != "" {
			continue
		}
		request.IdempotencyKey = fmt.Sprint("start ", n)
		execution, _, err := c.engine.Start(c.t.Context(), request)
		if err == nil {
			c.ids[n] = execution.ID
		} else if !c.ports.Store.Crashed() {
			c.fatalf("start: %v", err)
		}
	}
}

// ended reports whether everything that was asked for, and what came of it,
// has ended.
func (c *trial) ended() bool {
	left, err := c.ports.Store.Unfinished(c.t.Context())
	if err != nil {
		c.fatalf("%v", err)
	}
	return len(left) == 0 && len(c.ids) == c.reference.executions() && len(c.refused) == c.reference.refusals()
}

// decide does what a person does next, if anything, and reports whether
// somebody did something. A person who was told nothing looks at the journal
// first: that is what counts as done.
func (c *trial) decide() bool {
	if c.decideAsTold() {
		return true
	}
	left, err := c.ports.Store.Unfinished(c.t.Context())
	if err != nil {
		c.fatalf("%v", err)
	}
	for _, id := range left {
		state := c.fold(id)
		if state.Parked() {
			_, err := c.engine.Resume(c.t.Context(), id, "somebody")
			c.mayFail("resume", err)
			return true
		}
		for i := range state.Steps {
			if c.decideStep(id, i, &state.Steps[i]) {
				return true
			}
		}
	}
	return false
}

// decideAsTold takes the next decision of the reference, if its time has come.
func (c *trial) decideAsTold() bool {
	for i, decision := range c.reference.People {
		if c.taken(i) {
			continue
		}
		if c.ids[decision.In] == "" || c.ids[decision.To] == "" ||
			!slices.ContainsFunc(c.load(c.ids[decision.In]).Events, decision.happened) {
			return false
		}
		if decision.begins() {
			c.makeExecution(i)
		} else {
			c.perform(decision)
		}
		return true
	}
	return false
}

// decideStep says what became of an interrupted step, or of an item of one,
// where the reference leaves that to whoever sees the world.
func (c *trial) decideStep(id string, i int, state *plan.StepState) bool {
	step := c.graphOf(id).Node(i).Step.ID
	for item := range state.Items {
		if state.Items[item].Status == plan.StatusInterrupted {
			c.resolve(id, step, c.look(id, place(step, item)), &item)
			return true
		}
	}
	told := slices.ContainsFunc(c.reference.People, func(d Decision) bool {
		return d.Do == "resolve" && d.Step == step && c.ids[d.To] == id
	})
	if state.Status != plan.StatusInterrupted || len(state.Items) > 0 || told && !c.toldAll(id, step) {
		return false
	}
	c.resolve(id, step, c.look(id, step), nil)
	return true
}

// toldAll reports whether every decision of the reference about a step of an
// execution was taken.
func (c *trial) toldAll(id, step string) bool {
	for i, decision := range c.reference.People {
		if decision.Do == "resolve" && decision.Step == step && c.ids[decision.To] == id && !c.taken(i) {
			return false
		}
	}
	return true
}

// taken reports whether the journal shows the i-th decision.
func (c *trial) taken(i int) bool {
	decision, want, got := c.reference.People[i], 0, 0
	if decision.begins() {
		return c.made(i)
	}
	if c.ids[decision.To] == "" {
		return false
	}
	for _, earlier := range c.reference.People[:i+1] {
		if earlier.Do == decision.Do && earlier.Step == decision.Step && earlier.To == decision.To {
			want++
		}
	}
	kind, err := decision.leaves()
	if err != nil {
		c.fatalf("%v", err)
	}
	for _, event := range c.load(c.ids[decision.To]).Events {
		// The end of a step does not say who brought it about.
		if event.Type == kind && event.StepID == decision.Step && (event.By == "tester" || kind == plan.StepCompleted) {
			got++
		}
	}
	return got >= want
}

// look is the decision of a person who sees whether a step took effect.
func (c *trial) look(id, where string) string {
	if c.ledger.count(id+"/"+where) > 0 {
		return "success"
	}
	return "retry"
}

func (c *trial) perform(decision Decision) {
	ctx, id := c.t.Context(), c.ids[decision.To]
	var err error
	switch decision.Do {
	case "cancel":
		_, err = c.engine.Cancel(ctx, id, "tester")
	case "pause":
		_, err = c.engine.Pause(ctx, id, "tester")
	case "resume":
		_, err = c.engine.Resume(ctx, id, "tester")
	case "approve", "reject":
		_, err = c.engine.Approve(ctx, id, decision.Step, engine.Approval{Approved: decision.Do == "approve", By: "tester"})
	case "signal":
		_, err = c.engine.Signal(ctx, id, decision.Name, c.json(decision.Payload), "tester")
	case "resolve":
		c.resolve(id, decision.Step, decision.As, nil)
	}
	c.mayFail(decision.Do, err)
}

func (c *trial) resolve(id, step, as string, item *int) {
	resolution := engine.Resolution{As: as, By: "tester", Item: item}
	if as == "success" {
		where := step
		if item != nil {
			where = place(step, *item)
		}
		resolution.Output = c.output(c.succeeding(id, where))
	}
	_, err := c.engine.ResolveStep(c.t.Context(), id, step, resolution)
	c.mayFail("resolve "+step, err)
}

// mayFail takes an error for granted only from a host that has died.
func (c *trial) mayFail(what string, err error) {
	if err != nil && !c.ports.Store.Crashed() {
		c.fatalf("%s: %v", what, err)
	}
}

func (c *trial) output(call Call) json.RawMessage {
	if call.Output == nil {
		return json.RawMessage(`{"ok":true}`)
	}
	return c.json(call.Output)
}

// fold is the state that the journal of an execution adds up to.
func (c *trial) fold(id string) *plan.State {
	stored := c.load(id)
	state := plan.NewState(c.graphOf(id), plan.Inputs{
		ExecutionID: id, WorkflowID: stored.Execution.WorkflowID, Parameters: stored.Execution.Parameters,
	})
	for _, event := range stored.Events {
		if err := state.Apply(event); err != nil {
			c.fatalf("fold the journal: %v", err)
		}
	}
	return state
}

// next is closed when something more is published.
func (r *Recorder) next() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}
