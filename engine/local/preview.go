package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// The words of a StepPreview's Status.
const (
	previewRun     = "run"
	previewSkip    = "skip"
	previewUnknown = "unknown"
	previewInvalid = "invalid"
)

// maxPreviewItems bounds the items of a for_each that are asked about.
const maxPreviewItems = 100

// Preview asks every handler what it would do; see engine.Engine.
//
// It takes every step to succeed. What a step gives on is not known before it
// has run, so that a step whose config refers to it can't be asked.
func (r *Runtime) Preview(ctx context.Context, request engine.StartRequest) (engine.Preview, error) {
	id, err := newID()
	if err != nil {
		return engine.Preview{}, err
	}
	e, err := r.prepare(ctx, id, request)
	if err != nil {
		return engine.Preview{}, err
	}
	e.enterSecrets(e.sealed)
	defer e.leaveSecrets()
	p := &rehearsal{r: r, e: e, steps: make([]engine.StepPreview, e.graph.Len()), skips: map[int]bool{}}
	for _, stepID := range request.SkipSteps {
		if i, found := e.graph.Index(stepID); found {
			p.skips[i] = true
		}
	}
	result := engine.Preview{Steps: []engine.StepPreview{}, Warnings: []pluginsdk.Problem{}}
	for _, level := range e.graph.Levels() {
		for _, stepID := range level {
			i, _ := e.graph.Index(stepID)
			p.steps[i] = p.step(ctx, i)
			if ctx.Err() != nil {
				return engine.Preview{}, ctx.Err()
			}
			result.Steps = append(result.Steps, p.steps[i])
			if status := p.steps[i].Status; status == previewUnknown || status == previewInvalid {
				result.Warnings = append(result.Warnings, pluginsdk.Problem{
					Severity: pluginsdk.SeverityWarning, StepID: stepID, Code: "plan_" + status,
					Pointer: fmt.Sprintf("/steps/%d", i), Message: p.steps[i].Reason,
				})
			}
		}
	}
	return result, nil
}

// rehearsal is a run that is only asked about.
type rehearsal struct {
	r     *Runtime
	e     *execution
	steps []engine.StepPreview
	skips map[int]bool
}

func (p *rehearsal) step(ctx context.Context, i int) engine.StepPreview {
	node := p.e.graph.Node(i)
	view := engine.StepPreview{
		StepID: node.Step.ID, StepName: node.Name(), Handler: node.Step.Handler, Status: previewRun, Effects: []pluginsdk.PlannedEffect{},
	}
	if status, reason := p.judge(node); status != previewRun {
		view.Status, view.Reason = status, reason
		if status == previewUnknown {
			view.Effects = append(view.Effects, notKnown(node))
		}
		return view
	}
	if node.ForEach == nil {
		p.ask(ctx, node, plan.StepRef(i), &view)
		return view
	}
	items, err := node.Items(p.e.state.Scope(plan.StepRef(i)))
	if err != nil {
		view.Status, view.Reason = previewInvalid, err.Error()
		return view
	}
	view.Reason = fmt.Sprintf("runs for %d items", len(items))
	step := &p.e.state.Steps[i]
	step.Values, step.Items = items, make([]plan.Unit, len(items))
	for k := range items[:min(len(items), maxPreviewItems)] {
		p.ask(ctx, node, plan.Ref{Step: i, Item: k}, &view)
		if view.Status != previewRun {
			view.Reason = fmt.Sprintf("item %d: %s", k, view.Reason)
			break
		}
	}
	if more := len(items) - maxPreviewItems; more > 0 {
		view.Reason += fmt.Sprintf("; what %d of them do is not listed", more)
	}
	return view
}

// judge says whether a step would run, as far as that is known before.
func (p *rehearsal) judge(node *workflow.Node) (status, reason string) {
	switch {
	case node.Step.RunOn == workflow.RunOnFailure:
		return previewSkip, "it runs only when something before it fails"
	case p.skips[node.Index]:
		return previewSkip, "switched off for this run"
	}
	scope := p.e.state.Scope(plan.StepRef(node.Index))
	for _, part := range []struct {
		what     string
		template *workflow.Template
	}{{"whether it is enabled", node.Enabled}, {"the list of its items", node.ForEach}, {"its config", node.Config}} {
		if needs := p.unknown(part.template.References()); needs != "" {
			return previewUnknown, fmt.Sprintf("%s depends on %s, which is known only once that has run", part.what, needs)
		}
		if part.template != node.Enabled {
			continue
		}
		enabled, err := node.IsEnabled(scope)
		if err != nil {
			return previewInvalid, err.Error()
		}
		if !enabled {
			return previewSkip, "the step is not enabled"
		}
		if status, reason := p.condition(node); status != previewRun {
			return status, reason
		}
	}
	return previewRun, ""
}

// condition judges when, unless it looks at what a step gives.
func (p *rehearsal) condition(node *workflow.Node) (status, reason string) {
	if node.When == nil {
		return previewRun, ""
	}
	if strings.Contains(node.When.String(), ".output") && slices.ContainsFunc(node.When.Steps(), p.open) {
		return previewUnknown, "its condition looks at an output that is known only during the run: " + node.When.String()
	}
	definition := p.e.graph.Definition()
	run, detail, err := node.When.Eval(&workflow.ExpressionEnv{
		Config: definition.Config, Parameters: p.e.state.Inputs().Parameters,
		Steps: func(id string) (string, json.RawMessage) {
			i, found := p.e.graph.Index(id)
			switch {
			case found && p.e.state.Steps[i].Status.Ended():
				return string(p.e.state.Steps[i].Status), p.e.state.Steps[i].Output
			case found && p.steps[i].Status == previewSkip:
				return string(plan.StatusSkipped), nil
			}
			return string(plan.StatusSuccess), nil
		},
		ExecutionID: p.e.id, WorkflowID: p.e.header.WorkflowID, WorkflowName: definition.Name, WorkflowVersion: definition.Version,
	})
	switch {
	case err != nil:
		return previewInvalid, err.Error()
	case !run:
		return previewSkip, "its condition is false: " + detail
	}
	return previewRun, ""
}

// open reports whether a step has not ended, so that its output is not known.
func (p *rehearsal) open(stepID string) bool {
	i, found := p.e.graph.Index(stepID)
	return !found || !p.e.state.Steps[i].Status.Ended()
}

// unknown names the steps whose outputs references need; a reference with a
// default to a step that is skipped needs none.
func (p *rehearsal) unknown(references []workflow.Reference) string {
	var names []string
	for i := range references {
		reference := &references[i]
		if reference.Root != workflow.RootStepOutputs {
			continue
		}
		at, found := p.e.graph.Index(reference.Name())
		if found && (p.e.state.Steps[at].Status.Ended() || (p.steps[at].Status == previewSkip && reference.Default != nil)) {
			continue
		}
		if name := fmt.Sprintf("the output of step %q", reference.Name()); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " and ")
}

// ask lets a handler say what it would do.
func (p *rehearsal) ask(ctx context.Context, node *workflow.Node, r plan.Ref, view *engine.StepPreview) {
	request, _, err := p.e.request(r, 1, p.r.options.Clock.Now())
	if err != nil {
		view.Status, view.Reason = previewInvalid, err.Error()
		return
	}
	switch info := node.Handler.Info; {
	case node.Handler.Builtin():
		p.builtIn(request, view)
	case info.Capabilities.Plan:
		effects, err := p.r.options.Invoker.Plan(ctx, request)
		switch {
		case errors.Is(err, pluginsdk.ErrUnsupported):
			view.Effects = append(view.Effects, notKnown(node))
		case err != nil:
			view.Status, view.Reason = previewInvalid, err.Error()
		default:
			view.Effects = append(view.Effects, effects...)
		}
	case node.Effect() == pluginsdk.EffectPure:
		view.Reason = strings.TrimPrefix(view.Reason+"; it only looks and changes nothing", "; ")
	default:
		view.Effects = append(view.Effects, notKnown(node))
	}
}

// builtIn says what the engine's own handlers do.
func (p *rehearsal) builtIn(request *pluginsdk.Request, view *engine.StepPreview) {
	var config waitConfig
	if err := json.Unmarshal(request.Config, &config); err != nil {
		view.Status, view.Reason = previewInvalid, err.Error()
		return
	}
	switch request.Handler {
	case workflow.HandlerApproval:
		view.Reason = "waits for an approval: " + config.Message
	case workflow.HandlerSignal:
		view.Reason = fmt.Sprintf("waits for the signal %q", config.Name)
	case workflow.HandlerWait:
		view.Reason = "waits " + config.Duration.Std().String()
		if !config.Until.IsZero() {
			view.Reason = "waits until " + config.Until.UTC().Format("2006-01-02 15:04:05 UTC")
		}
	case workflow.HandlerWorkflow:
		view.Effects = append(view.Effects, pluginsdk.PlannedEffect{Action: "run", Target: config.Workflow, Summary: "Runs the workflow " + config.Workflow + " as a child"})
	case workflow.HandlerFail:
		view.Reason = "fails: " + config.Message
	default:
		view.Reason = "writes to the log: " + config.Message
	}
}

func notKnown(node *workflow.Node) pluginsdk.PlannedEffect {
	return pluginsdk.PlannedEffect{
		Action: "run", Target: node.Step.Handler, Summary: "What it changes is known only once it runs", Known: false,
	}
}

// Explain says why an execution is as it is; see engine.Engine.
func (r *Runtime) Explain(ctx context.Context, executionID string) (engine.Explanation, error) {
	answer, err := r.question(ctx, executionID, message{kind: messageExplain})
	explanation := engine.Explanation{ExecutionID: executionID}
	switch {
	case err == nil:
		explanation.Steps, explanation.Slot = answer.explained, r.slots.view(executionID)
	case errors.Is(err, engine.ErrConflict):
		// It has ended: what it left says it all.
		e, err := r.load(ctx, executionID)
		if err != nil {
			return engine.Explanation{}, err
		}
		answer.execution = e.header
		explanation.Steps = plan.Explain(e.state, r.options.Clock.Now())
	default:
		return engine.Explanation{}, err
	}
	explanation.Status, explanation.Summary = answer.execution.Status, summary(&answer.execution, explanation.Slot)
	return explanation, nil
}

// summary is a sentence about the whole.
func summary(e *engine.Execution, slot *engine.SlotView) string {
	switch {
	case slot != nil:
		return "It waits for a slot: " + queueReason(slot) + "."
	case e.Error != nil:
		text := fmt.Sprintf("It %s: %s.", e.Status, strings.TrimSuffix(e.Error.Message, "."))
		if e.StatusReason != "" && e.StatusReason != e.Error.Message {
			text += fmt.Sprintf(" What it did before: %s.", strings.TrimSuffix(e.StatusReason, "."))
		}
		return text
	case e.StatusReason != "":
		return fmt.Sprintf("It is %s: %s.", e.Status, strings.TrimSuffix(e.StatusReason, "."))
	case e.Status.Ended():
		return fmt.Sprintf("It ended with %s after %.1f s.", e.Status, e.TotalTime)
	}
	return fmt.Sprintf("It is %s: %d of %d steps have ended.", e.Status, e.Progress.CompletedSteps+e.Progress.FailedSteps+e.Progress.SkippedSteps, e.Progress.TotalSteps)
}
