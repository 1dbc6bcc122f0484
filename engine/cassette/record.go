package cassette

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/pluginsdk"
)

// Recorder is an Invoker that notes every call of another one.
type Recorder struct {
	next      engine.Invoker
	catalogue engine.Catalogue

	mu       sync.Mutex
	cassette Cassette
	known    map[string]bool
}

var _ engine.Invoker = (*Recorder)(nil)

// NewRecorder wraps an Invoker; the catalogue describes the handlers.
func NewRecorder(next engine.Invoker, catalogue engine.Catalogue) *Recorder {
	return &Recorder{next: next, catalogue: catalogue, cassette: Cassette{Format: format, Calls: []Call{}}, known: map[string]bool{}}
}

// Cassette is the recording of a run that has ended.
func (r *Recorder) Cassette(result *engine.Result) *Cassette {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.cassette
	c.Workflow, c.Parameters, c.Status, c.Steps = result.WorkflowID, result.Parameters, result.Status, stepsOf(result)
	return &c
}

// add notes a call that has ended, and the handler that it went to.
func (r *Recorder) add(call *Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cassette.Calls = append(r.cassette.Calls, *call)
	if r.known[call.Handler] {
		return
	}
	r.known[call.Handler] = true
	if handler, found := r.catalogue.Handler(call.Handler); found {
		binding, _ := r.next.Bind(call.Handler) // The checksum is for people.
		r.cassette.Handlers = append(r.cassette.Handlers, Handler{
			HandlerInfo: handler.Info, Plugin: handler.Plugin, PluginVersion: handler.PluginVersion, Checksum: binding.Checksum,
		})
	}
}

// Bind implements engine.Invoker.
func (r *Recorder) Bind(handler string) (engine.Binding, error) { return r.next.Bind(handler) }

// Invoke implements engine.Invoker.
func (r *Recorder) Invoke(ctx context.Context, request *pluginsdk.Request, reporter pluginsdk.Reporter) pluginsdk.Outcome {
	call := callOf(kindExecute, request)
	notes := &noting{Reporter: reporter}
	outcome := r.next.Invoke(ctx, request, notes)
	if outcome.Kind != pluginsdk.OutcomeNotRun { // The engine asks again.
		r.ended(call, notes, outcome)
	}
	return outcome
}

// Undo implements engine.Invoker.
func (r *Recorder) Undo(ctx context.Context, request *pluginsdk.Request, token json.RawMessage, reporter pluginsdk.Reporter) pluginsdk.Outcome {
	call := callOf(kindUndo, request)
	call.Token = token
	notes := &noting{Reporter: reporter}
	outcome := r.next.Undo(ctx, request, token, notes)
	r.ended(call, notes, outcome)
	return outcome
}

func (r *Recorder) ended(call *Call, notes *noting, outcome pluginsdk.Outcome) {
	notes.mu.Lock()
	call.Reports = notes.reports
	notes.mu.Unlock()
	written := Outcome(outcome)
	call.Outcome = &written
	r.add(call)
}

// Reconcile implements engine.Invoker.
func (r *Recorder) Reconcile(ctx context.Context, request *pluginsdk.Request, checksum string) (pluginsdk.ReconcileResult, error) {
	call := callOf(kindReconcile, request)
	result, err := r.next.Reconcile(ctx, request, checksum)
	call.Verdict, call.Detail = result.Status, result.Detail
	call.Outcome = &Outcome{Output: result.Output, UndoToken: result.UndoToken}
	if err != nil {
		call.Error = err.Error()
	}
	r.add(call)
	return result, err
}

// Plan implements engine.Invoker.
func (r *Recorder) Plan(ctx context.Context, request *pluginsdk.Request) ([]pluginsdk.PlannedEffect, error) {
	call := callOf(kindPlan, request)
	effects, err := r.next.Plan(ctx, request)
	call.Planned = effects
	if err != nil {
		call.Error = err.Error()
	}
	r.add(call)
	return effects, err
}

// noting passes reports on, and notes them.
type noting struct {
	pluginsdk.Reporter

	mu      sync.Mutex
	reports []Report
}

func (n *noting) note(report Report) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.reports = append(n.reports, report)
}

// Log implements pluginsdk.Reporter.
func (n *noting) Log(line pluginsdk.LogLine) {
	n.note(Report{Log: &line})
	n.Reporter.Log(line)
}

// Progress implements pluginsdk.Reporter.
func (n *noting) Progress(percentage float64, message string) {
	n.note(Report{Progress: &percentage, Message: message})
	n.Reporter.Progress(percentage, message)
}

// Checkpoint implements pluginsdk.Reporter.
func (n *noting) Checkpoint(data json.RawMessage) error {
	n.note(Report{Checkpoint: data})
	return n.Reporter.Checkpoint(data)
}

// Effect implements pluginsdk.Reporter.
func (n *noting) Effect(record pluginsdk.EffectRecord) error {
	n.note(Report{Effect: &record})
	return n.Reporter.Effect(record)
}

// Artifact implements pluginsdk.Reporter.
func (n *noting) Artifact(artifact pluginsdk.Artifact) error {
	n.note(Report{Artifact: &artifact})
	return n.Reporter.Artifact(artifact)
}
