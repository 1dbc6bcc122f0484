package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// turn gathers what one turn of an owner appends, answers and does.
type turn struct {
	e       *execution
	now     time.Time
	events  []plan.Event
	acts    []func()
	answers []answer
	// told are the steps that a cancel or a reconcile of this turn names;
	// Next repeats those commands until their events are applied.
	told map[int]bool
	// moved: a step ended, and nobody was told the progress yet.
	moved bool
}

type answer struct {
	to  chan reply
	err error
}

// gather turns messages into events, and then everything that is due into
// events and acts, until nothing more is due.
func (t *turn) gather(batch []message) error {
	t.told = map[int]bool{}
	for _, m := range batch {
		err := t.take(m)
		if m.reply != nil {
			t.answers = append(t.answers, answer{m.reply, err})
		} else if err != nil {
			return err
		}
	}
	for {
		before := len(t.events)
		for _, command := range plan.Next(t.e.state, t.now) {
			if err := t.obey(command); err != nil {
				return err
			}
		}
		if len(t.events) == before {
			break
		}
	}
	if t.moved {
		return t.progress()
	}
	return nil
}

// take turns one message into events. An error for a message with a reply is
// the caller's; any other ends the execution here.
func (t *turn) take(m message) error {
	e := t.e
	switch m.kind {
	case messageOutcome:
		delete(e.calls, m.step)
		if e.state.Steps[m.step].Attempt != m.attempt || e.state.Steps[m.step].Status != plan.StatusRunning {
			return nil
		}
		return t.add(plan.Settle(e.state, m.step, m.outcome, m.cause, t.now, e.r.options.Chance())...)
	case messageReconciled:
		delete(e.reconciling, m.step)
		if e.state.Steps[m.step].Attempt != m.attempt || e.state.Steps[m.step].Status != plan.StatusRunning {
			return nil
		}
		return t.add(plan.SettleReconciled(e.state, m.step, m.reconciled, t.now)...)
	case messageNote:
		if m.note.Attempt != e.state.Steps[m.step].Attempt {
			return nil
		}
		m.note.Time = t.now
		return t.add(m.note)
	case messageCancel:
		return t.add(plan.Event{Type: plan.ExecutionCancelling, Time: t.now, By: m.by})
	case messageRetire:
		e.retired = true
		return nil
	case messageResume:
		if e.missing != "" {
			return fmt.Errorf("%w: %s", engine.ErrConflict, e.missing)
		}
		if !e.state.Parked() {
			return fmt.Errorf("%w: the execution is %s, not paused", engine.ErrConflict, e.state.Status)
		}
		return t.add(plan.Event{Type: plan.ExecutionResumed, Time: t.now, By: m.by})
	case messageResolve:
		return t.resolve(m)
	}
	return nil
}

func (t *turn) resolve(m message) error {
	i, found := t.e.graph.Index(m.stepID)
	if !found {
		return fmt.Errorf("step %q: %w", m.stepID, engine.ErrNotFound)
	}
	if status := t.e.state.Steps[i].Status; status != plan.StatusInterrupted {
		return fmt.Errorf("%w: the step is %s, not interrupted", engine.ErrConflict, status)
	}
	return t.add(plan.SettleResolved(t.e.state, i, m.resolution.As, m.resolution.Output, m.by, t.now)...)
}

// add numbers and applies events.
func (t *turn) add(events ...plan.Event) error {
	e := t.e
	for _, event := range events {
		event.ExecutionID, event.WorkflowID = e.id, e.header.WorkflowID
		if event.Type.Internal() {
			e.sub++
		} else {
			e.seq, e.sub = e.seq+1, 0
		}
		event.Seq, event.Sub = e.seq, e.sub
		if err := e.shrink(&event); err != nil {
			return err
		}
		if err := e.state.Apply(event); err != nil {
			return err
		}
		if event.Type == plan.StepCompleted {
			t.moved = true
		}
		t.events = append(t.events, event)
	}
	return nil
}

func (t *turn) progress() error {
	t.moved = false
	progress := t.e.state.Progress()
	return t.add(plan.Event{Type: plan.ProgressMade, Time: t.now, Progress: &progress})
}

// obey does what a command asks, or notes it to be done after the commit.
func (t *turn) obey(command plan.Command) error {
	e := t.e
	switch command.Kind {
	case plan.CommandStart:
		return t.start(command)
	case plan.CommandCancel:
		if c := e.calls[command.Step]; c != nil && !t.told[command.Step] {
			t.told[command.Step] = true
			t.acts = append(t.acts, func() { c.cancel(errors.New(command.Reason)) })
		}
		return nil
	case plan.CommandReconcile:
		if !e.reconciling[command.Step] && !e.draining() {
			e.reconciling[command.Step] = true
			t.acts = append(t.acts, func() { e.reconcile(command.Step) })
		}
		return nil
	case plan.CommandFinish:
		if t.moved {
			if err := t.progress(); err != nil {
				return err
			}
		}
	default:
	}
	event, ok := plan.EventOf(e.state, command, t.now)
	if !ok {
		return fmt.Errorf("the engine does not know the command %s", command.Kind)
	}
	return t.add(event)
}

// start resolves a step's config and notes its call; a config that can't be
// resolved fails the step without one.
func (t *turn) start(command plan.Command) error {
	e := t.e
	if e.draining() {
		return nil
	}
	request, private, err := e.request(command, t.now)
	if err != nil {
		failure := pluginsdk.FailureOf(e.r.base, err)
		return t.add(plan.Settle(e.state, command.Step, pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: failure}, "", t.now, 0)...)
	}
	if err := t.add(plan.Started(e.state, command, private, t.now)); err != nil {
		return err
	}
	t.acts = append(t.acts, func() { e.call(command.Step, request) })
	return nil
}

func (e *execution) draining() bool {
	select {
	case <-e.r.draining:
		return true
	default:
		return false
	}
}

// request resolves everything that an attempt is given.
func (e *execution) request(command plan.Command, now time.Time) (*pluginsdk.Request, plan.Private, error) {
	node, step := e.graph.Node(command.Step), &e.state.Steps[command.Step]
	if node.Handler == nil {
		return nil, plan.Private{}, pluginsdk.Errorf("%s", e.missing).WithCode("HANDLER_NOT_FOUND")
	}
	binding := engine.Binding{}
	if !builtIn(node) {
		var err error
		if binding, err = e.r.options.Invoker.Bind(node.Step.Handler); err != nil {
			return nil, plan.Private{}, err
		}
	}
	config, secrets, err := e.config(node)
	if err != nil {
		return nil, plan.Private{}, err
	}
	definition := e.graph.Definition()
	private := plan.Private{
		EffectClass: node.Effect(), Checksum: binding.Checksum, BootEpoch: e.r.options.BootEpoch,
		IdempotencyKey: e.id + "/" + node.Step.ID,
	}
	timeout := node.Timeout()
	return &pluginsdk.Request{
		ExecutionID: e.id, StartedAt: e.state.StartedAt, WorkflowID: e.header.WorkflowID,
		WorkflowName: definition.Name, WorkflowVersion: definition.Version,
		StepID: node.Step.ID, StepName: node.Name(), Handler: node.Step.Handler, ItemIndex: -1,
		Attempt: command.Attempt, IdempotencyKey: private.IdempotencyKey, BootEpoch: e.r.options.BootEpoch,
		Config: config, Parameters: e.header.Parameters, WorkflowConfig: definition.Config,
		Outputs: e.nearestOutputs(command.Step), WorkspaceName: e.header.Workspace, WorkspaceDir: e.workspaceDir,
		Deadline: now.Add(timeout), Checkpoint: step.Checkpoint, Effects: step.Effects, Secrets: secrets,
	}, private, nil
}

// config resolves, completes and checks a step's config. secrets names the
// placeholders in it.
func (e *execution) config(node *workflow.Node) (config json.RawMessage, secrets map[string]string, err error) {
	config = json.RawMessage("{}")
	if node.Config != nil {
		scope := e.state.Scope(node.Index)
		secrets, err = e.conceal(node, scope)
		if err != nil {
			return nil, nil, err
		}
		resolved, err := node.Config.Resolve(scope)
		if err != nil {
			return nil, nil, pluginsdk.Invalid("", err.Error()).WithCode(referenceCode(err))
		}
		config = resolved
		dropUnused(secrets, config)
	}
	config, err = workflow.ApplyDefaults(node.Handler, config,
		e.r.options.Settings.HandlerDefaults(node.Step.Handler), e.r.options.Settings.Adapter(node.Handler.Plugin))
	if err != nil {
		return nil, nil, pluginsdk.Invalid("", err.Error())
	}
	problems := workflow.CheckHiddenConfig(node.Handler, config, "", node.Step.ID, slices.Collect(maps.Values(secrets)))
	if !problems.HasErrors() {
		return config, secrets, nil
	}
	first := problems.Errors()[0]
	text := "the config can't be used: " + first.Message
	if more := len(problems.Errors()) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return nil, nil, pluginsdk.Invalid(first.Pointer, text)
}

// maxOutputs bounds the upstream outputs that a request carries, in number
// and bytes, so that a step costs the same in a long chain as in a short one.
const (
	maxOutputs     = 256
	maxOutputBytes = 4 << 20
)

// nearestOutputs lists the outputs upstream of a step by their distance;
// among equals the one later in the definition comes first.
func (e *execution) nearestOutputs(step int) []pluginsdk.StepOutput {
	var outputs []pluginsdk.StepOutput
	seen, level := map[int]bool{}, []int{step}
	size := 0
	for len(level) > 0 {
		next := map[int]bool{}
		for _, i := range level {
			for _, d := range e.graph.Node(i).Dependencies {
				if !seen[d] {
					seen[d], next[d] = true, true
				}
			}
		}
		level = descending(next)
		for _, i := range level {
			output := e.state.Steps[i].Output
			if e.state.Steps[i].Status != plan.StatusSuccess || len(output) == 0 {
				continue
			}
			size += len(output)
			if len(outputs) == maxOutputs || size > maxOutputBytes {
				return outputs
			}
			outputs = append(outputs, pluginsdk.StepOutput{StepID: e.graph.Node(i).Step.ID, Output: output})
		}
		if len(seen) > 4*maxOutputs {
			return outputs
		}
	}
	return outputs
}
