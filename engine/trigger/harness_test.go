package trigger_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/enginetest"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/trigger"
	"github.com/vwmp/vwmp/engine/workflow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// movable is a clock that can be set, while timers go on as time passes.
type movable struct {
	mu     sync.Mutex
	offset time.Duration
	timers int
}

func (c *movable) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Without a monotonic reading, as after a change of the wall clock.
	return time.Now().Round(0).Add(c.offset)
}

func (c *movable) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	c.timers++
	c.mu.Unlock()
	return time.AfterFunc(d, f).Stop
}

// set moves the clock on the wall to a time.
func (c *movable) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = time.Until(at)
}

func (c *movable) armed() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.timers
}

// place is everything around a Runner that outlives it.
type place struct {
	t     *testing.T
	clock *movable
	dir   string

	mu        sync.Mutex
	workflows map[string]trigger.Source
	records   map[string][]byte
	// failPut makes every record be lost, as if the process died before it.
	failPut error
	// unseen are pairs of workflows of which the first may not watch the other.
	unseen  map[string]bool
	started []engine.StartRequest
	runs    map[string]engine.Execution
	keys    map[string]string
	refuse  error
	secrets map[string]string
	// hold keeps triggers' starts waiting until it is closed.
	hold chan struct{}

	ends   *trigger.Ends
	runner *trigger.Runner
	stop   func()
}

func newPlace(t *testing.T) *place {
	t.Helper()
	return &place{
		t: t, clock: &movable{}, dir: t.TempDir(), workflows: map[string]trigger.Source{}, records: map[string][]byte{},
		runs: map[string]engine.Execution{}, keys: map[string]string{}, secrets: map[string]string{},
	}
}

// boot starts a Runner; the one before must be down.
func (p *place) boot() {
	p.t.Helper()
	p.ends = trigger.NewEnds()
	p.runner = trigger.NewRunner(trigger.Options{
		Engine: p, Sources: p, Executions: p, Records: p, Secrets: p, Settings: enginetest.Settings{}, Clock: p.clock, Ends: p.ends,
		Workspace: engine.Workspace{Name: "default", Dir: p.dir},
	})
	ctx, cancel := context.WithCancel(context.Background())
	begin := make(chan struct{})
	close(begin)
	var running sync.WaitGroup
	running.Go(func() { p.runner.Run(ctx, begin) })
	p.stop = func() { cancel(); running.Wait() }
	synctest.Wait()
}

func (p *place) save(id, document string) {
	p.t.Helper()
	parsed, problems := workflow.Parse([]byte(document), workflow.ParseOptions{})
	if problems.HasErrors() {
		p.t.Fatalf("%v", problems)
	}
	raw, err := parsed.Definition.MarshalJSON()
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	p.workflows[id] = trigger.Source{ID: id, Name: parsed.Definition.Name, Revision: p.workflows[id].Revision + 1, Document: raw}
	p.mu.Unlock()
	p.changed(id)
}

func (p *place) changed(id string) {
	if p.runner != nil {
		p.runner.Changed(context.Background(), id)
	}
}

func (p *place) SourceNames(context.Context) (map[string]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := map[string]string{}
	for id, source := range p.workflows {
		names[id] = source.Name
	}
	return names, nil
}

func (p *place) Source(_ context.Context, id string) (trigger.Source, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	source, found := p.workflows[id]
	if !found {
		return source, engine.ErrNotFound
	}
	return source, nil
}

func (p *place) MayWatch(_ context.Context, id, watched string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.unseen[id+" "+watched], nil
}

func (p *place) TriggerRecords(context.Context) (map[string][]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.records), nil
}

func (p *place) PutTriggerRecord(_ context.Context, id string, record []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failPut != nil {
		return p.failPut
	}
	p.records[id] = record
	return nil
}

func (p *place) DeleteTriggerRecord(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.records, id)
	return nil
}

func (p *place) Secret(_ context.Context, name string) (string, error) {
	if value, found := p.secrets[name]; found {
		return value, nil
	}
	return "", trigger.ErrNoSecret
}

// Start keeps idempotency keys as a journal does.
func (p *place) Start(_ context.Context, request engine.StartRequest) (engine.Execution, bool, error) {
	if p.hold != nil && request.Trigger != engine.TriggerAPI {
		<-p.hold
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse != nil {
		return engine.Execution{}, false, p.refuse
	}
	key := request.WorkflowID + " " + request.IdempotencyKey
	if id, known := p.keys[key]; known && request.IdempotencyKey != "" {
		return p.runs[id], false, nil
	}
	p.started = append(p.started, request)
	id := fmt.Sprintf("run-%03d", len(p.started))
	execution := engine.Execution{
		ID: id, WorkflowID: request.WorkflowID, WorkflowName: p.workflows[request.WorkflowID].Name, Trigger: request.Trigger, By: request.By,
		Parameters: request.Parameters, Status: plan.StatusRunning, CreatedAt: p.clock.Now(),
	}
	p.runs[id], p.keys[key] = execution, id
	return execution, true, nil
}

func (p *place) Execution(_ context.Context, id string) (engine.Execution, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	execution, found := p.runs[id]
	if !found {
		return execution, engine.ErrNotFound
	}
	return execution, nil
}

func (p *place) EachEnded(_ context.Context, workflowID string, each func(engine.Execution)) error {
	p.mu.Lock()
	var ended []engine.Execution
	for _, execution := range p.runs {
		if execution.WorkflowID == workflowID && execution.Status.Ended() {
			ended = append(ended, execution)
		}
	}
	p.mu.Unlock()
	for _, execution := range ended {
		each(execution)
	}
	return nil
}

// run starts an execution by hand and returns its id.
func (p *place) run(workflowID string) string {
	p.t.Helper()
	execution, _, err := p.Start(context.Background(), engine.StartRequest{WorkflowID: workflowID, Trigger: engine.TriggerAPI, By: "ada"})
	if err != nil {
		p.t.Fatal(err)
	}
	return execution.ID
}

// end ends an execution; told says whether the event goes out.
func (p *place) end(id string, status plan.Status, told bool) {
	p.mu.Lock()
	execution := p.runs[id]
	execution.Status, execution.CompletedAt = status, p.clock.Now()
	p.runs[id] = execution
	p.mu.Unlock()
	if told {
		p.ends.Publish(plan.Event{Type: plan.WorkflowCompleted, ExecutionID: id, WorkflowID: execution.WorkflowID, Status: string(status)})
	}
}

// startsOf lists what was started of a workflow by its triggers.
func (p *place) startsOf(workflowID string) []engine.StartRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []engine.StartRequest
	for _, request := range p.started {
		if request.WorkflowID == workflowID && request.Trigger != engine.TriggerAPI {
			list = append(list, request)
		}
	}
	return list
}

func (p *place) wantStarts(workflowID string, want int) []engine.StartRequest {
	p.t.Helper()
	synctest.Wait()
	got := p.startsOf(workflowID)
	if len(got) != want {
		p.t.Fatalf("%s was started %d times, want %d", workflowID, len(got), want)
	}
	return got
}

func (p *place) view(id string) trigger.View {
	p.t.Helper()
	views, err := p.runner.Triggers(context.Background())
	if err != nil {
		p.t.Fatal(err)
	}
	for _, view := range views {
		if view.ID == id {
			return view
		}
	}
	p.t.Fatalf("there is no trigger %s among %d", id, len(views))
	return trigger.View{}
}

// outcomes counts the firings that are kept of a trigger.
func (p *place) outcomes(id string) map[trigger.Outcome]int {
	p.t.Helper()
	counts := map[trigger.Outcome]int{}
	for _, f := range p.view(id).Firings {
		counts[f.Outcome] += max(1, f.Count)
	}
	return counts
}

func parametersOf(t *testing.T, request engine.StartRequest) map[string]any {
	t.Helper()
	var parameters map[string]any
	if err := json.Unmarshal(request.Parameters, &parameters); err != nil {
		t.Fatalf("%v: %s", err, request.Parameters)
	}
	return parameters
}

var errLost = errors.New("the record was lost")

// with changes what the Runner meets.
func (p *place) with(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}
