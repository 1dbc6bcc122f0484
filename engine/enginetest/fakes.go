// Package enginetest holds what every runtime of the engine is tested with:
// fakes of the engine's ports, and one contract suite that each runtime runs.
package enginetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// ErrCrash is what a Store says when its time has come.
var ErrCrash = errors.New("the store crashed")

// Store is a Journal, Blobs and LogSink in memory that can be made to fail,
// and that outlives the runtime above it.
type Store struct {
	mu         sync.Mutex
	executions map[string]*engine.Stored
	order      []string
	steps      map[string]map[string]engine.StepResult
	items      map[string]map[string]map[int]engine.ItemResult
	blobs      map[string][]byte
	logs       map[string][]plan.Event
	keys       map[string]string
	prints     map[string]string
	commits    int
	// crashAt is the commit that fails, 0 for none; crashed holds from
	// then on.
	crashAt  int
	lateFail bool
	silent   bool
	died     chan struct{}
	crashed  bool
}

// NewStore returns an empty store.
func NewStore() *Store {
	return &Store{
		executions: map[string]*engine.Stored{}, steps: map[string]map[string]engine.StepResult{},
		items: map[string]map[string]map[int]engine.ItemResult{},
		blobs: map[string][]byte{}, logs: map[string][]plan.Event{}, keys: map[string]string{}, prints: map[string]string{},
	}
}

// CrashAt makes the k-th commit from now, and all after it, fail. With
// applied true that commit is kept although it is reported as failed.
func (s *Store) CrashAt(k int, applied bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.crashAt, s.lateFail = s.commits+k, applied
}

// Revive ends a crash.
func (s *Store) Revive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.crashAt, s.crashed, s.silent = 0, false, false
}

// Crashed reports whether the time of a CrashAt has come.
func (s *Store) Crashed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.crashed
}

// Commits is how many there were.
func (s *Store) Commits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commits
}

// commit counts one and says whether it is kept and what its caller hears.
func (s *Store) commit() (keep bool, err error) {
	if s.crashed {
		return false, ErrCrash
	}
	s.commits++
	if s.crashAt > 0 && s.commits >= s.crashAt {
		s.crashed = true
		if s.died != nil {
			close(s.died)
			s.died = nil
		}
		if s.silent {
			return true, nil
		}
		return s.lateFail, ErrCrash
	}
	return true, nil
}

// Create implements engine.Journal.
func (s *Store) Create(_ context.Context, c engine.Creation) (engine.Execution, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := c.Execution.WorkflowID + "\x00" + c.IdempotencyKey
	if id, seen := s.keys[key]; seen && c.IdempotencyKey != "" {
		if s.prints[key] != c.Fingerprint {
			return engine.Execution{}, false, engine.ErrIdempotencyMismatch
		}
		return s.executions[id].Execution, false, nil
	}
	if c.Refused != nil {
		return engine.Execution{}, false, c.Refused
	}
	keep, err := s.commit()
	if keep {
		s.executions[c.Execution.ID] = &engine.Stored{
			Execution: c.Execution, Document: c.Document, WorkspaceDir: c.WorkspaceDir, Events: slices.Clone(c.Events),
		}
		s.order = append(s.order, c.Execution.ID)
		s.steps[c.Execution.ID] = map[string]engine.StepResult{}
		s.items[c.Execution.ID] = map[string]map[int]engine.ItemResult{}
		s.keys[key], s.prints[key] = c.Execution.ID, c.Fingerprint
		for _, also := range c.Also {
			if err := s.apply(also); err != nil {
				return engine.Execution{}, false, err
			}
		}
	}
	return c.Execution, err == nil, err
}

// Append implements engine.Journal. It refuses events out of order.
func (s *Store) Append(_ context.Context, c engine.Commit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := append([]engine.Commit{c}, c.Also...)
	for _, commit := range all {
		if err := s.checkOrder(commit); err != nil {
			return err
		}
	}
	keep, err := s.commit()
	if !keep {
		return err
	}
	for _, commit := range all {
		if failure := s.apply(commit); failure != nil {
			return failure
		}
	}
	return err
}

func (s *Store) checkOrder(c engine.Commit) error {
	stored := s.executions[c.Execution.ID]
	if stored == nil {
		return engine.ErrNotFound
	}
	last := stored.Events[len(stored.Events)-1]
	for _, event := range c.Events {
		if event.Seq < last.Seq || (event.Seq == last.Seq && event.Sub <= last.Sub) {
			return fmt.Errorf("event %s %d.%d does not follow %d.%d", event.Type, event.Seq, event.Sub, last.Seq, last.Sub)
		}
		last = event
	}
	return nil
}

// apply keeps a commit; what is kept is what survives the codec.
func (s *Store) apply(c engine.Commit) error {
	stored := s.executions[c.Execution.ID]
	for _, event := range c.Events {
		raw, err := json.Marshal(event)
		if err != nil {
			return err
		}
		kept := plan.Event{Sub: event.Sub}
		if err := json.Unmarshal(raw, &kept); err != nil {
			return err
		}
		stored.Events = append(stored.Events, kept)
	}
	stored.Execution = c.Execution
	for _, step := range c.Steps {
		s.steps[c.Execution.ID][step.StepID] = step
	}
	for _, change := range c.Items {
		items := s.items[c.Execution.ID][change.StepID]
		if items == nil {
			items = map[int]engine.ItemResult{}
			s.items[c.Execution.ID][change.StepID] = items
		}
		items[change.Item.Index] = change.Item
	}
	return nil
}

// Load implements engine.Journal.
func (s *Store) Load(_ context.Context, id string) (engine.Stored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := s.executions[id]
	if stored == nil {
		return engine.Stored{}, engine.ErrNotFound
	}
	clone := *stored
	clone.Events = slices.Clone(stored.Events)
	return clone, nil
}

// all returns every execution as it is at one moment, oldest first.
func (s *Store) all() []engine.Stored {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]engine.Stored, 0, len(s.order))
	for _, id := range s.order {
		clone := *s.executions[id]
		clone.Events = slices.Clone(clone.Events)
		list = append(list, clone)
	}
	return list
}

// Unfinished implements engine.Journal.
func (s *Store) Unfinished(context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, id := range s.order {
		if !s.executions[id].Execution.Status.Ended() {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// Steps returns what the store has of an execution's steps.
func (s *Store) Steps(id string) map[string]engine.StepResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	clone := map[string]engine.StepResult{}
	for step, result := range s.steps[id] {
		for _, index := range slices.Sorted(maps.Keys(s.items[id][step])) {
			result.Items = append(result.Items, s.items[id][step][index])
		}
		clone[step] = result
	}
	return clone
}

// PutBlob implements engine.Blobs.
func (s *Store) PutBlob(_ context.Context, data []byte) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:])
	s.blobs[name] = slices.Clone(data)
	return name, nil
}

// Blob implements engine.Blobs.
func (s *Store) Blob(_ context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, found := s.blobs[name]
	if !found {
		return nil, engine.ErrNotFound
	}
	return data, nil
}

// AppendLog implements engine.LogSink.
func (s *Store) AppendLog(id, _ string, _ int, lines ...plan.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logs[id] = append(s.logs[id], lines...)
	return nil
}

// SyncLogs implements engine.LogSink.
func (s *Store) SyncLogs(string) error { return nil }

// CloseLog implements engine.LogSink.
func (s *Store) CloseLog(string, string, int) error { return nil }

// LastLogSeq implements engine.LogSink.
func (s *Store) LastLogSeq(id string) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last uint64
	for _, line := range s.logs[id] {
		last = max(last, line.Seq)
	}
	return last, nil
}

// History returns every public event of an execution, log lines included, in
// the order of their numbers.
func (s *Store) History(id string) []plan.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	var events []plan.Event
	if stored := s.executions[id]; stored != nil {
		for _, event := range stored.Events {
			if !event.Type.Internal() {
				events = append(events, event)
			}
		}
	}
	events = append(events, s.logs[id]...)
	slices.SortFunc(events, func(a, b plan.Event) int { return int(a.Seq) - int(b.Seq) })
	return events
}

// Handler is what an Invoker does for one path.
type Handler func(ctx context.Context, request *pluginsdk.Request, reporter pluginsdk.Reporter) pluginsdk.Outcome

// Invoker is an engine.Invoker of functions, and counts its calls.
type Invoker struct {
	// Handlers by path; Reconcilers answer Reconcile, by path.
	Handlers    map[string]Handler
	Reconcilers map[string]func(request *pluginsdk.Request) pluginsdk.ReconcileResult
	// Undoers answer Undo, Planners Plan, by path.
	Undoers  map[string]func(request *pluginsdk.Request, token json.RawMessage) pluginsdk.Outcome
	Planners map[string]func(request *pluginsdk.Request) ([]pluginsdk.PlannedEffect, error)

	// bind, where set, may refuse a handler.
	bind func(handler string) error
	// lostBinary is the checksum of a binary that is gone.
	lostBinary string

	mu    sync.Mutex
	calls []pluginsdk.Request
	undos []pluginsdk.Request
	// absent is why the plugin can't be called, nil where it can.
	absent *engine.UnavailableError
}

// Bind implements engine.Invoker.
func (v *Invoker) Bind(handler string) (engine.Binding, error) {
	if v.Handlers[handler] == nil {
		return engine.Binding{}, fmt.Errorf("handler %s: %w", handler, engine.ErrNotFound)
	}
	if v.bind != nil {
		if err := v.bind(handler); err != nil {
			return engine.Binding{}, err
		}
	}
	if absent := v.absence(); absent != nil {
		return engine.Binding{}, absent
	}
	return engine.Binding{Plugin: "test", Version: "1.0.0", Checksum: "c0ffee"}, nil
}

// Invoke implements engine.Invoker.
func (v *Invoker) Invoke(ctx context.Context, request *pluginsdk.Request, reporter pluginsdk.Reporter) pluginsdk.Outcome {
	v.mu.Lock()
	v.calls = append(v.calls, *request)
	v.mu.Unlock()
	return v.Handlers[request.Handler](ctx, request, reporter)
}

// Reconcile implements engine.Invoker.
func (v *Invoker) Reconcile(_ context.Context, request *pluginsdk.Request, checksum string) (pluginsdk.ReconcileResult, error) {
	if absent := v.absence(); absent != nil {
		return pluginsdk.ReconcileResult{}, absent
	}
	if v.lostBinary != "" && checksum == v.lostBinary {
		return pluginsdk.ReconcileResult{}, fmt.Errorf("%s: %w", request.Handler, engine.ErrNoBinary)
	}
	reconcile := v.Reconcilers[request.Handler]
	if reconcile == nil {
		return pluginsdk.ReconcileResult{}, pluginsdk.ErrUnsupported
	}
	return reconcile(request), nil
}

// Undo implements engine.Invoker.
func (v *Invoker) Undo(_ context.Context, request *pluginsdk.Request, token json.RawMessage, _ pluginsdk.Reporter) pluginsdk.Outcome {
	v.mu.Lock()
	v.undos = append(v.undos, *request)
	v.mu.Unlock()
	if undo := v.Undoers[request.Handler]; undo != nil {
		return undo(request, token)
	}
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
}

// Plan implements engine.Invoker.
func (v *Invoker) Plan(_ context.Context, request *pluginsdk.Request) ([]pluginsdk.PlannedEffect, error) {
	if planner := v.Planners[request.Handler]; planner != nil {
		return planner(request)
	}
	return nil, pluginsdk.ErrUnsupported
}

// Undos returns the requests to take something back so far.
func (v *Invoker) Undos() []pluginsdk.Request {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.undos)
}

// Calls returns the requests so far.
func (v *Invoker) Calls() []pluginsdk.Request {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.calls)
}

// CallsOf counts the calls for a step.
func (v *Invoker) CallsOf(stepID string) int {
	count := 0
	for _, call := range v.Calls() {
		if call.StepID == stepID {
			count++
		}
	}
	return count
}

// Catalogue is an engine.Catalogue of given handlers.
type Catalogue struct{ workflow.Catalogue }

// NewCatalogue knows the built-ins and handlers of these paths and classes,
// each with a schema that accepts any object.
func NewCatalogue(handlers map[string]pluginsdk.EffectClass) Catalogue {
	list := make([]*workflow.Handler, 0, len(handlers))
	for path, class := range handlers {
		list = append(list, workflow.NewHandler(pluginsdk.HandlerInfo{
			Path: path, Name: path, Effect: class, ConfigSchema: json.RawMessage(`{"type":"object"}`),
			Capabilities: pluginsdk.Capabilities{
				Cancel: true, Reconcile: class == pluginsdk.EffectReconcilable, Undo: class == pluginsdk.EffectIdempotent, Plan: true,
			},
		}, "test", "1.0.0"))
	}
	return Catalogue{workflow.NewCatalogue(list, nil)}
}

// catalogueWithSchema has test.pure with a schema and a default.
func catalogueWithSchema() workflow.Catalogue {
	return workflow.NewCatalogue([]*workflow.Handler{workflow.NewHandler(pluginsdk.HandlerInfo{
		Path: "test.pure", Name: "Pure", Effect: pluginsdk.EffectPure, ConfigSchema: json.RawMessage(`{
			"type":"object","additionalProperties":false,"required":["text"],"properties":{
				"text":{"type":"string"},"count":{"type":"integer"},"loud":{"type":"boolean","default":false}}}`),
	}, "test", "1.0.0")}, nil)
}

// Generation implements engine.Catalogue.
func (Catalogue) Generation() uint64 { return 1 }

// ValidateConfig implements engine.Catalogue.
func (Catalogue) ValidateConfig(context.Context, string, json.RawMessage) ([]pluginsdk.Problem, error) {
	return nil, nil
}

// ValidateWorkflow implements engine.Catalogue.
func (Catalogue) ValidateWorkflow(context.Context, string, json.RawMessage) ([]pluginsdk.Problem, error) {
	return nil, nil
}

// Definitions is an engine.Definitions of documents by id.
type Definitions map[string]json.RawMessage

// Definition implements engine.Definitions.
func (d Definitions) Definition(_ context.Context, _ engine.Caller, workflowID string) (json.RawMessage, int, error) {
	document, found := d[workflowID]
	if !found {
		return nil, 0, fmt.Errorf("workflow %q: %w", workflowID, engine.ErrNotFound)
	}
	return document, 1, nil
}

// Settings is an engine.Settings that knows nothing.
type Settings struct{}

// Env implements engine.Settings.
func (Settings) Env(string) (string, bool) { return "", false }

// Adapter implements engine.Settings.
func (Settings) Adapter(string) json.RawMessage { return nil }

// HandlerDefaults implements engine.Settings.
func (Settings) HandlerDefaults(string) json.RawMessage { return nil }

// Recorder is an engine.Publisher that keeps what it is told and lets tests
// wait for it.
type Recorder struct {
	mu      sync.Mutex
	events  []plan.Event
	changed chan struct{}
}

// NewRecorder returns an empty recorder.
func NewRecorder() *Recorder { return &Recorder{changed: make(chan struct{})} }

// Publish implements engine.Publisher.
func (r *Recorder) Publish(event plan.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, event)
	close(r.changed)
	r.changed = make(chan struct{})
}

// Events returns what was published of an execution, in order.
func (r *Recorder) Events(executionID string) []plan.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	var events []plan.Event
	for _, event := range r.events {
		if event.ExecutionID == executionID {
			events = append(events, event)
		}
	}
	return events
}

// Await returns the first published event that match accepts, or an error
// after ten seconds.
func (r *Recorder) Await(match func(plan.Event) bool) (plan.Event, error) {
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	for {
		r.mu.Lock()
		at := slices.IndexFunc(r.events, match)
		if at >= 0 {
			defer r.mu.Unlock()
			return r.events[at], nil
		}
		changed := r.changed
		r.mu.Unlock()
		select {
		case <-changed:
		case <-deadline.C:
			return plan.Event{}, errors.New("no such event within ten seconds")
		}
	}
}

// Clock is the real time, or within testing/synctest the time of its bubble.
type Clock struct{}

// Now implements engine.Clock.
func (Clock) Now() time.Time { return time.Now() }

// AfterFunc implements engine.Clock.
func (Clock) AfterFunc(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
