package tracing

import (
	"context"
	"encoding/json"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

// Journal follows each execution from the moment it is kept.
func (t *Tracer) Journal(next engine.Journal) engine.Journal { return journal{next, t} }

type journal struct {
	engine.Journal
	tracer *Tracer
}

// Create implements engine.Journal. The span must be there before the journal
// has the execution: its first events may come before Create returns.
func (j journal) Create(ctx context.Context, creation engine.Creation) (engine.Execution, bool, error) {
	j.tracer.begin(ctx, &creation.Execution)
	kept, created, err := j.Journal.Create(ctx, creation)
	if err != nil || !created {
		j.tracer.forget(creation.Execution.ID)
	}
	return kept, created, err
}

// begin begins an execution's span. It belongs to the trace of whoever waits
// for its end: a parent's step, or a request that does. Of any other request it
// is a trace of its own with a link to it, as it may go on for days.
func (t *Tracer) begin(ctx context.Context, e *engine.Execution) {
	options := []trace.SpanStartOption{trace.WithAttributes(
		attribute.String("vwmp.execution.id", e.ID), attribute.String("vwmp.workflow.id", e.WorkflowID), attribute.String("vwmp.workflow.name", e.WorkflowName),
		attribute.Int("vwmp.workflow.revision", e.WorkflowRevision), attribute.String("vwmp.trigger", e.Trigger),
	)}
	caller := trace.SpanContextFromContext(ctx)
	awaited := ctx.Value(awaitedKey{}) != nil
	if e.Parent != nil {
		if step := t.stepOf(e.Parent.ExecutionID, e.Parent.StepID); step != nil {
			ctx, awaited = trace.ContextWithSpan(ctx, step), true
		}
	}
	if !awaited {
		options = append(options, trace.WithNewRoot())
		if caller.IsValid() {
			options = append(options, trace.WithLinks(trace.Link{SpanContext: caller}))
		}
	}
	_, span := t.tracer.Start(ctx, "execution", options...)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.executions[e.ID] = &execution{span: span, steps: map[string]trace.Span{}}
}

// forget lets go of an execution that was not made. Its span never ends, and
// what never ends is not sent.
func (t *Tracer) forget(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.executions, id)
}

// stepOf is the span of a step, or of its execution where the step has none,
// and nil where neither is followed.
func (t *Tracer) stepOf(executionID, stepID string) trace.Span {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.executions[executionID]
	switch {
	case e == nil:
		return nil
	case e.steps[stepID] != nil:
		return e.steps[stepID]
	}
	return e.span
}

// Publish implements engine.Publisher.
func (t *Tracer) Publish(event plan.Event) {
	switch event.Type {
	case plan.StepStarted:
		t.stepStarted(&event)
	case plan.StepCompleted:
		t.stepEnded(&event)
	case plan.StepWaiting, plan.StepRetrying, plan.StepInterrupted:
		if span := t.stepOf(event.ExecutionID, event.StepID); span != nil {
			span.AddEvent(string(event.Type), trace.WithTimestamp(event.Time))
		}
	case plan.WorkflowCompleted:
		t.mu.Lock()
		e := t.executions[event.ExecutionID]
		delete(t.executions, event.ExecutionID)
		t.mu.Unlock()
		if e != nil {
			end(e.span, &event)
		}
	default:
	}
}

func (t *Tracer) stepStarted(event *plan.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.executions[event.ExecutionID]
	if e == nil {
		// An earlier server has begun it.
		_, span := t.tracer.Start(context.Background(), "execution", trace.WithNewRoot(), trace.WithTimestamp(event.Time), trace.WithAttributes(
			attribute.String("vwmp.execution.id", event.ExecutionID), attribute.String("vwmp.workflow.id", event.WorkflowID), attribute.Bool("vwmp.recovered", true)))
		e = &execution{span: span, steps: map[string]trace.Span{}}
		t.executions[event.ExecutionID] = e
	}
	if e.steps[event.StepID] != nil {
		return // A further attempt, or a further item.
	}
	_, e.steps[event.StepID] = t.tracer.Start(trace.ContextWithSpan(context.Background(), e.span), "step "+event.StepID, trace.WithTimestamp(event.Time), trace.WithAttributes(
		attribute.String("vwmp.execution.id", event.ExecutionID), attribute.String("vwmp.step.id", event.StepID), attribute.String("vwmp.handler", event.Handler)))
}

func (t *Tracer) stepEnded(event *plan.Event) {
	t.mu.Lock()
	var span trace.Span
	if e := t.executions[event.ExecutionID]; e != nil {
		span = e.steps[event.StepID]
		delete(e.steps, event.StepID)
	}
	t.mu.Unlock()
	if span != nil { // What was skipped never started.
		end(span, event)
	}
}

// end ends a span with the status of its last event. The error's text may say
// what a workflow handled, and is left out.
func end(span trace.Span, event *plan.Event) {
	span.SetAttributes(attribute.String("vwmp.status", event.Status))
	if event.Error != nil {
		span.SetAttributes(attribute.String("error.type", event.Error.Code))
	}
	if event.Status == string(plan.StatusFailed) {
		span.SetStatus(codes.Error, "")
	}
	span.End(trace.WithTimestamp(event.Time))
}

// Invoker follows the calls of plugins, and tells each which trace it is part
// of.
func (t *Tracer) Invoker(next engine.Invoker) engine.Invoker { return invoker{next, t} }

type invoker struct {
	engine.Invoker
	tracer *Tracer
}

// call begins the span of a call, and returns the request with it.
func (i invoker) call(ctx context.Context, what string, request *pluginsdk.Request) (context.Context, *pluginsdk.Request, trace.Span) {
	if parent := i.tracer.stepOf(request.ExecutionID, request.StepID); parent != nil {
		ctx = trace.ContextWithSpan(ctx, parent)
	}
	plugin, _, _ := strings.Cut(request.Handler, ".")
	attributes := []attribute.KeyValue{
		attribute.String("vwmp.plugin", plugin), attribute.String("vwmp.handler", request.Handler), attribute.String("vwmp.execution.id", request.ExecutionID),
		attribute.String("vwmp.step.id", request.StepID), attribute.Int("vwmp.attempt", request.Attempt),
	}
	if request.ItemIndex >= 0 {
		attributes = append(attributes, attribute.Int("vwmp.item_index", request.ItemIndex))
	}
	ctx, span := i.tracer.tracer.Start(ctx, what+" "+request.Handler, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributes...))
	own := *request
	own.TraceParent, own.TraceState = i.tracer.onWire(span)
	return ctx, &own, span
}

func endCall(span trace.Span, outcome pluginsdk.Outcome) {
	span.SetAttributes(attribute.String("vwmp.outcome", string(outcome.Kind)))
	if outcome.Failure != nil {
		span.SetAttributes(attribute.String("error.type", outcome.Failure.Code))
	}
	if outcome.Kind == pluginsdk.OutcomeFailure || outcome.Kind == pluginsdk.OutcomeUnknown {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// Invoke implements engine.Invoker.
func (i invoker) Invoke(ctx context.Context, request *pluginsdk.Request, reporter pluginsdk.Reporter) pluginsdk.Outcome {
	ctx, own, span := i.call(ctx, "call", request)
	outcome := i.Invoker.Invoke(ctx, own, reporter)
	endCall(span, outcome)
	return outcome
}

// Undo implements engine.Invoker.
func (i invoker) Undo(ctx context.Context, request *pluginsdk.Request, token json.RawMessage, reporter pluginsdk.Reporter) pluginsdk.Outcome {
	ctx, own, span := i.call(ctx, "undo", request)
	outcome := i.Invoker.Undo(ctx, own, token, reporter)
	endCall(span, outcome)
	return outcome
}

// Reconcile implements engine.Invoker.
func (i invoker) Reconcile(ctx context.Context, request *pluginsdk.Request, checksum string) (pluginsdk.ReconcileResult, error) {
	ctx, own, span := i.call(ctx, "reconcile", request)
	result, err := i.Invoker.Reconcile(ctx, own, checksum)
	endQuestion(span, err)
	return result, err
}

// Plan implements engine.Invoker.
func (i invoker) Plan(ctx context.Context, request *pluginsdk.Request) ([]pluginsdk.PlannedEffect, error) {
	ctx, own, span := i.call(ctx, "plan", request)
	effects, err := i.Invoker.Plan(ctx, own)
	endQuestion(span, err)
	return effects, err
}

func endQuestion(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
