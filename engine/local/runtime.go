// Package local runs executions as goroutines of this process.
//
// One goroutine owns one execution: only it decides, appends and acts. Calls
// run in goroutines of their own and report to it. What is next is not
// decided here but by package plan; what is kept is kept by a Journal.
package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// cancelGrace is how long calls get to end after a stop cancelled them.
const cancelGrace = 5 * time.Second

// maxGraphSteps bounds the steps of all compiled definitions that are kept for
// executions to come; a step takes about 700 bytes.
const maxGraphSteps = 10_000

// Options are the ports of a Runtime; all but Secrets, Definitions, Chance and
// Logger are required.
type Options struct {
	Journal   engine.Journal
	Blobs     engine.Blobs
	Logs      engine.LogSink
	Invoker   engine.Invoker
	Catalogue engine.Catalogue
	Settings  engine.Settings
	// Secrets may be nil: then there are none.
	Secrets   engine.Secrets
	Publisher engine.Publisher
	Clock     engine.Clock
	// Definitions finds the workflows that others run as children; nil where
	// none are stored.
	Definitions engine.Definitions
	// BootEpoch rises with each start of the host.
	BootEpoch uint64
	// MaxLive bounds the executions that have not ended, whether they run or
	// wait: one more is refused with engine.ErrBusy. Children don't count
	// against it at their start, as a step that runs must be able to go on. 0
	// is without bound.
	MaxLive int
	// Chance gives numbers in [0,1) for the jitter of retries.
	Chance func() float64
	Logger *slog.Logger
}

// Runtime implements engine.Engine.
type Runtime struct {
	options Options
	log     *slog.Logger

	// base ends when running calls are to be cancelled for a stop.
	base       context.Context
	cancelBase context.CancelCauseFunc
	draining   chan struct{}
	// recovered is closed once Recover has taken up what it found.
	recovered chan struct{}
	slots     *slots
	// calls counts the attempts and undos under way.
	calls atomic.Int64
	// repeating lets one caller at a time build on an ended execution.
	repeating sync.Mutex

	mu         sync.Mutex
	stopping   bool
	executions map[string]*execution
	owners     sync.WaitGroup

	graphsMu sync.Mutex
	graphs   map[graphKey]*workflow.Graph
	// graphSteps counts the steps of graphs.
	graphSteps int
}

type graphKey struct {
	document   [sha256.Size]byte
	generation uint64
}

var _ engine.Engine = (*Runtime)(nil)

// New returns a runtime that has taken up nothing yet.
func New(options Options) *Runtime {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Chance == nil {
		options.Chance = rand.Float64
	}
	base, cancel := context.WithCancelCause(context.Background())
	return &Runtime{
		options: options, log: options.Logger, base: base, cancelBase: cancel, draining: make(chan struct{}),
		recovered: make(chan struct{}), slots: newSlots(),
		executions: map[string]*execution{}, graphs: map[graphKey]*workflow.Graph{},
	}
}

// Start checks and creates an execution; see engine.Engine.
func (r *Runtime) Start(ctx context.Context, request engine.StartRequest) (engine.Execution, bool, error) {
	id, err := newID()
	if err != nil {
		return engine.Execution{}, false, err
	}
	return r.start(ctx, id, request)
}

func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make an execution id: %w", err)
	}
	return id.String(), nil
}

// start is Start with an id that is known before.
func (r *Runtime) start(ctx context.Context, id string, request engine.StartRequest, also ...engine.Commit) (engine.Execution, bool, error) {
	busy := r.room(&request)
	if busy != nil && request.IdempotencyKey == "" {
		return engine.Execution{}, false, busy
	}
	e, err := r.prepare(ctx, id, request)
	if err != nil {
		return engine.Execution{}, false, err
	}
	if err := r.awaitSlots(ctx, e); err != nil {
		return engine.Execution{}, false, err
	}
	if err := r.adopt(e); err != nil {
		return engine.Execution{}, false, err
	}
	var replaces []string
	if err = busy; err == nil {
		replaces, err = r.takeSlot(e, true)
	}
	if err != nil && (request.IdempotencyKey == "" || (busy == nil && !errors.Is(err, engine.ErrConflict))) {
		r.release(e)
		return engine.Execution{}, false, err
	}
	e.enterSecrets(e.sealed)
	kept, isNew, err := r.options.Journal.Create(ctx, engine.Creation{
		Execution: e.header, Document: request.Document, WorkspaceDir: request.Workspace.Dir,
		IdempotencyKey: request.IdempotencyKey, Fingerprint: fingerprint(request, e.header.Parameters), Events: []plan.Event{e.created},
		// Who asks again under a key is not refused by what the key gave.
		Refused: err, Also: also,
	})
	if err != nil || !isNew {
		r.slots.leave(e.id)
		r.release(e)
		return kept, false, err
	}
	go e.own()
	r.replace(ctx, replaces, e.id)
	return kept, true, nil
}

// room is engine.ErrBusy where no further execution may begin. It looks before
// the execution is counted, so that a few that start at the same moment may be
// too many.
func (r *Runtime) room(request *engine.StartRequest) error {
	if r.options.MaxLive <= 0 || (request.Origin != nil && request.Origin.Parent != nil) {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.executions) >= r.options.MaxLive {
		return fmt.Errorf("%w: %d", engine.ErrBusy, len(r.executions))
	}
	return nil
}

// prepare checks a request, and makes the execution that is to be kept.
func (r *Runtime) prepare(ctx context.Context, id string, request engine.StartRequest) (*execution, error) {
	graph, err := r.compile(ctx, request.Document)
	if err != nil {
		return nil, err
	}
	if problems := engine.Unsupported(graph); problems.HasErrors() {
		return nil, &engine.ProblemsError{Summary: "the workflow can't be executed", Problems: problems}
	}
	definition := graph.Definition()
	parameters, sealed, problems, err := r.bindParameters(ctx, definition, request)
	if err != nil {
		return nil, err
	}
	problems = append(problems, checkSkips(graph, request.SkipSteps)...)
	if problems.HasErrors() {
		return nil, &engine.ProblemsError{Summary: "the parameters can't be used", Problems: problems.Errors()}
	}
	e := newExecution(r, id, graph, r.inputs(id, request.WorkflowID, request.Workspace.Name, parameters))
	e.workspaceDir, e.sealed = request.Workspace.Dir, sealed
	e.created = plan.Event{
		Type: plan.ExecutionCreated, Sub: 1, ExecutionID: e.id, WorkflowID: request.WorkflowID, Time: r.options.Clock.Now().UTC(),
		Trigger: request.Trigger, By: request.By, Private: &plan.Private{SkipSteps: request.SkipSteps, Origin: request.Origin, Sealed: sealed},
	}
	if err := e.state.Apply(e.created); err != nil {
		return nil, err
	}
	e.sub = 1
	e.header = engine.Execution{
		ID: e.id, WorkflowID: request.WorkflowID, WorkflowName: definition.Name, WorkflowVersion: definition.Version,
		WorkflowRevision: request.Revision, Trigger: request.Trigger, Workspace: request.Workspace.Name,
		Parameters: parameters, By: request.By,
	}
	if origin := request.Origin; origin != nil {
		e.header.RetryOf, e.header.ForkOf, e.header.UndoOf, e.header.Parent = origin.RetryOf, origin.ForkOf, origin.UndoOf, origin.Parent
	}
	e.refreshHeader()
	return e, nil
}

func (r *Runtime) inputs(id, workflowID, workspace string, parameters json.RawMessage) plan.Inputs {
	return plan.Inputs{
		ExecutionID: id, WorkflowID: workflowID, Parameters: parameters, WorkspaceName: workspace,
		Env: r.options.Settings.Env, Adapter: r.options.Settings.Adapter,
	}
}

// checkSkips refuses to switch off a step that is not there or automatic.
func checkSkips(graph *workflow.Graph, skips []string) workflow.Problems {
	var problems workflow.Problems
	for i, id := range skips {
		at, found := graph.Index(id)
		problem := pluginsdk.Problem{Severity: pluginsdk.SeverityError, Pointer: fmt.Sprintf("/skip_steps/%d", i), StepID: id}
		switch {
		case !found:
			problem.Code, problem.Message = "unknown_step", fmt.Sprintf("there is no step %q to skip", id)
		case graph.Node(at).Step.Automatic:
			problem.Code, problem.Message = "step_automatic", fmt.Sprintf("step %q is automatic and can't be switched off", id)
		default:
			continue
		}
		problems = append(problems, problem)
	}
	return problems
}

func fingerprint(request engine.StartRequest, parameters json.RawMessage) string {
	sum := sha256.New()
	// The parts are JSON, so that no two requests run together.
	parts := []any{request.WorkflowID, parameters, request.SkipSteps, request.Workspace.Name}
	if request.Origin != nil {
		parts = append(parts, request.Origin)
	}
	if err := json.NewEncoder(sum).Encode(parts); err != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// compile checks a document, or finds it checked before.
func (r *Runtime) compile(ctx context.Context, document json.RawMessage) (*workflow.Graph, error) {
	key := graphKey{sha256.Sum256(document), r.options.Catalogue.Generation()}
	r.graphsMu.Lock()
	graph := r.graphs[key]
	r.graphsMu.Unlock()
	if graph != nil {
		return graph, nil
	}
	parsed, problems := workflow.Parse(document, workflow.ParseOptions{Format: workflow.FormatJSON})
	if parsed != nil && !problems.HasErrors() {
		var found workflow.Problems
		graph, found = engine.Check(ctx, parsed, r.options.Catalogue)
		problems = append(problems, found...)
	}
	if graph == nil {
		return nil, &engine.ProblemsError{Summary: "the workflow has problems", Problems: problems}
	}
	return r.keepGraph(key, graph), nil
}

// keepGraph keeps a graph for executions to come, and forgets others where
// they get too many. Executions that run hold theirs themselves.
func (r *Runtime) keepGraph(key graphKey, graph *workflow.Graph) *workflow.Graph {
	r.graphsMu.Lock()
	defer r.graphsMu.Unlock()
	if earlier := r.graphs[key]; earlier != nil {
		return earlier
	}
	if r.graphSteps+graph.Len() > maxGraphSteps {
		clear(r.graphs)
		r.graphSteps = 0
	}
	r.graphs[key] = graph
	r.graphSteps += graph.Len()
	return graph
}

// adopt makes an execution known, so that calls find it.
func (r *Runtime) adopt(e *execution) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopping {
		return engine.ErrStopping
	}
	r.executions[e.id] = e
	r.owners.Add(1)
	return nil
}

func (r *Runtime) release(e *execution) {
	// One whose end could not be kept holds its place: it has not ended.
	if e.state.Status.Ended() && !e.dead {
		r.slots.leave(e.id)
	}
	e.leaveSecrets()
	r.mu.Lock()
	delete(r.executions, e.id)
	r.mu.Unlock()
	close(e.done)
	r.owners.Done()
}

func (r *Runtime) find(executionID string) (*execution, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.executions[executionID]; e != nil {
		return e, nil
	}
	return nil, engine.ErrNotFound
}

// owner finds the execution that somebody wants something of. One that an
// earlier host left unfinished has no owner before Recover has taken it up:
// who is that early waits, and is not told that it can't be done.
func (r *Runtime) owner(ctx context.Context, executionID string) (*execution, error) {
	if e, err := r.find(executionID); err == nil {
		return e, nil
	}
	select {
	case <-r.recovered:
		return r.find(executionID) // It may have been taken up since.
	default:
	}
	stored, err := r.options.Journal.Load(ctx, executionID)
	if err != nil {
		return nil, err
	}
	if stored.Execution.Status.Ended() {
		return nil, engine.ErrNotFound
	}
	select {
	case <-r.recovered:
	case <-r.draining:
		return nil, engine.ErrStopping
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for what an earlier server left unfinished: %w", ctx.Err())
	}
	return r.find(executionID)
}

// ask hands a message to an execution's owner and waits for its answer.
func (r *Runtime) ask(ctx context.Context, executionID string, m message) (engine.Execution, error) {
	answer, err := r.question(ctx, executionID, m)
	return answer.execution, err
}

func (r *Runtime) question(ctx context.Context, executionID string, m message) (reply, error) {
	e, err := r.owner(ctx, executionID)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return r.ended(ctx, executionID)
	case err != nil:
		return reply{}, err
	}
	m.reply = make(chan reply, 1)
	if !e.post(m) {
		return r.ended(ctx, executionID)
	}
	select {
	case answer := <-m.reply:
		return answer, answer.err
	case <-e.done:
		// What was asked may be what ended it.
		select {
		case answer := <-m.reply:
			return answer, answer.err
		default:
			return r.ended(ctx, executionID)
		}
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
}

// ended is the answer to an action on an execution that nothing runs here.
func (r *Runtime) ended(ctx context.Context, executionID string) (reply, error) {
	stored, err := r.options.Journal.Load(ctx, executionID)
	if err != nil {
		return reply{}, err
	}
	return reply{execution: stored.Execution}, fmt.Errorf("%w: the execution is %s", engine.ErrConflict, stored.Execution.Status)
}

// Cancel asks an execution to end; see engine.Engine.
func (r *Runtime) Cancel(ctx context.Context, executionID, by string) (engine.Execution, error) {
	return r.ask(ctx, executionID, message{kind: messageCancel, by: by})
}

// Pause lets what runs end; see engine.Engine.
func (r *Runtime) Pause(ctx context.Context, executionID, by string) (engine.Execution, error) {
	return r.ask(ctx, executionID, message{kind: messagePause, by: by})
}

// Approve answers an approval; see engine.Engine.
func (r *Runtime) Approve(ctx context.Context, executionID, stepID string, approval engine.Approval) (engine.Execution, error) {
	if approval.Approved {
		if err := r.checkPlan(ctx, executionID, stepID, approval.Item); err != nil {
			return engine.Execution{}, err
		}
	}
	return r.ask(ctx, executionID, message{kind: messageApprove, stepID: stepID, approval: approval, by: approval.By})
}

// Signal sends a signal; see engine.Engine.
func (r *Runtime) Signal(ctx context.Context, executionID, name string, payload json.RawMessage, by string) (engine.Execution, error) {
	return r.ask(ctx, executionID, message{kind: messageSignal, signal: name, payload: payload, by: by})
}

// Resume takes up a paused or parked execution; see engine.Engine. One whose handlers
// were gone is compiled anew: they may be back.
func (r *Runtime) Resume(ctx context.Context, executionID, by string) (engine.Execution, error) {
	if e, err := r.owner(ctx, executionID); err == nil && e.missing != "" && e.post(message{kind: messageRetire}) {
		<-e.done
		again, err := r.load(ctx, executionID)
		if err == nil {
			err = r.takeUp(ctx, again)
		}
		if err != nil {
			return engine.Execution{}, err
		}
	}
	return r.ask(ctx, executionID, message{kind: messageResume, by: by})
}

// ResolveStep decides an interrupted step; see engine.Engine.
func (r *Runtime) ResolveStep(ctx context.Context, executionID, stepID string, resolution engine.Resolution) (engine.Execution, error) {
	switch resolution.As {
	case "retry", "success", "failed", "skipped":
	default:
		return engine.Execution{}, &engine.ProblemsError{Summary: "the decision can't be used", Problems: []pluginsdk.Problem{{
			Severity: pluginsdk.SeverityError, Pointer: "/as", StepID: stepID, Code: "enum",
			Message: fmt.Sprintf("as must be retry, success, failed or skipped, not %q", resolution.As),
		}}}
	}
	return r.ask(ctx, executionID, message{kind: messageResolve, stepID: stepID, resolution: resolution, by: resolution.By})
}

// Wait blocks until an execution has ended; see engine.Engine.
func (r *Runtime) Wait(ctx context.Context, executionID string) error {
	r.mu.Lock()
	e := r.executions[executionID]
	r.mu.Unlock()
	if e == nil {
		return nil
	}
	select {
	case <-e.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// PluginsChanged looks anew at what waits for plugins; see engine.Engine.
func (r *Runtime) PluginsChanged() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.executions {
		if e.waitsForPlugin.Load() {
			go e.post(message{kind: messagePlugins})
		}
	}
}

// Close ends the runtime; see engine.Engine.
func (r *Runtime) Close(ctx context.Context) error {
	r.mu.Lock()
	if r.stopping {
		r.mu.Unlock()
		return nil
	}
	r.stopping = true
	close(r.draining)
	r.mu.Unlock()

	ended := make(chan struct{})
	go func() {
		r.owners.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		r.cancelBase(engine.ErrStopping)
		return nil
	case <-ctx.Done():
	}
	r.cancelBase(engine.ErrStopping)
	deadline := time.NewTimer(2 * cancelGrace)
	defer deadline.Stop()
	select {
	case <-ended:
		return nil
	case <-deadline.C:
		return errors.New("stop the engine: some calls did not end")
	}
}
