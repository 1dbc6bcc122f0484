package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// start resolves a unit's config and notes its call; a config that can't be
// resolved fails the unit without one.
func (t *turn) start(command plan.Command) error {
	e := t.e
	if e.draining() {
		return nil
	}
	request, private, err := e.request(command.Ref, command.Attempt, t.now)
	var wait *plan.Wait
	if err == nil {
		wait, err = e.waitOf(request, t.now)
	}
	if err != nil {
		return t.notStarted(command.Ref, err)
	}
	if err := t.add(plan.Started(e.state, command, private, t.now)); err != nil {
		return err
	}
	switch {
	case wait == nil:
		t.acts = append(t.acts, func() { e.call(command.Ref, request) })
		return nil
	case wait.Bound:
		t.acts = append(t.acts, func() { e.planApproval(command.Ref, *wait) })
		return nil
	}
	event, err := plan.WaitingEvent(e.state, command.Ref, *wait, t.now)
	if err != nil {
		return err
	}
	if wait.Reason == plan.WaitChild {
		t.acts = append(t.acts, func() { e.superviseChild(command.Ref) })
	}
	return t.add(event)
}

// notStarted settles a start that could not be: the plugin can't be called
// now, or not as the definition wants it, or the config can't be used.
func (t *turn) notStarted(r plan.Ref, err error) error {
	e := t.e
	var unavailable *engine.UnavailableError
	var gone *engine.NoHandlerError
	var refuses *refusesError
	switch {
	case errors.As(err, &unavailable):
		until := unavailable.Until
		if !until.IsZero() && !until.After(t.now) {
			until = t.now.Add(time.Second)
		}
		unit := e.state.Unit(r)
		if wait := unit.Wait; unit.Status == plan.StatusWaiting && wait.Message == unavailable.Error() && wait.Until.Equal(until) {
			return nil // That was said before.
		}
		return t.add(plan.PluginWaitEvent(e.state, r, unavailable.Plugin, unavailable.Error(), until, t.now))
	case errors.As(err, &gone), errors.As(err, &refuses):
		return t.park(err.Error())
	}
	failure := pluginsdk.FailureOf(e.r.base, err)
	return t.add(plan.Settle(e.state, r, pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: failure}, "", t.now, 0)...)
}

// refusesError: the version of a plugin that is in force now does not take a
// config that the one did with which the execution was started.
type refusesError struct{ step, handler, version, problem string }

// Error returns a sentence.
func (e *refusesError) Error() string {
	return fmt.Sprintf("%s of version %s does not take the config of step %q any more: %s", e.handler, e.version, e.step, e.problem)
}

// undo notes the call that takes a unit back.
func (t *turn) undo(command plan.Command) error {
	e := t.e
	if e.draining() {
		return nil
	}
	if err := t.add(plan.UndoEvent(e.state, command, t.now)); err != nil {
		return err
	}
	token := e.state.Unit(command.Ref).UndoToken
	request, _, err := e.request(command.Ref, max(1, e.state.Unit(command.Ref).Attempt), t.now)
	t.acts = append(t.acts, func() { e.callUndo(command, request, token, err) })
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
func (e *execution) request(r plan.Ref, attempt int, now time.Time) (*pluginsdk.Request, plan.Private, error) {
	node, unit := e.graph.Node(r.Step), e.state.Unit(r)
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
	config, secrets, err := e.config(r)
	if err != nil {
		return nil, plan.Private{}, err
	}
	definition := e.graph.Definition()
	private := plan.Private{
		EffectClass: node.Effect(), Checksum: binding.Checksum, BootEpoch: e.r.options.BootEpoch,
		IdempotencyKey: e.id + "/" + node.Step.ID,
	}
	if r.IsItem() {
		private.IdempotencyKey += "/" + strconv.Itoa(r.Item)
	}
	request := &pluginsdk.Request{
		ExecutionID: e.id, StartedAt: e.state.StartedAt.UTC(), WorkflowID: e.header.WorkflowID,
		WorkflowName: definition.Name, WorkflowVersion: definition.Version,
		StepID: node.Step.ID, StepName: node.Name(), Handler: node.Step.Handler, ItemIndex: r.Item,
		Attempt: attempt, IdempotencyKey: private.IdempotencyKey, BootEpoch: e.r.options.BootEpoch,
		Config: config, Parameters: e.header.Parameters, WorkflowConfig: definition.Config,
		Outputs: e.nearestOutputs(r.Step), WorkspaceName: e.header.Workspace, WorkspaceDir: e.workspaceDir,
		Checkpoint: unit.Checkpoint, Effects: unit.Effects, Secrets: secrets,
	}
	if timeout := node.Timeout(); timeout > 0 {
		request.Deadline = now.Add(timeout)
	}
	return request, private, nil
}

// config resolves, completes and checks a unit's config. secrets names the
// placeholders in it.
func (e *execution) config(r plan.Ref) (config json.RawMessage, secrets map[string]string, err error) {
	node := e.graph.Node(r.Step)
	config = json.RawMessage("{}")
	if node.Config != nil {
		scope := e.state.Scope(r)
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
	// The version in force is what counts, not the one of the start.
	handler := node.Handler
	if newest, found := e.r.options.Catalogue.Handler(node.Step.Handler); found {
		handler = newest
	}
	config, problems, err := e.completed(handler, node, config, secrets)
	switch {
	case err != nil:
		return nil, nil, pluginsdk.Invalid("", err.Error())
	case !problems.HasErrors():
		return config, secrets, nil
	}
	first := problems.Errors()[0]
	if handler != node.Handler {
		if _, before, err := e.completed(node.Handler, node, config, secrets); err == nil && !before.HasErrors() {
			return nil, nil, &refusesError{node.Step.ID, node.Step.Handler, handler.PluginVersion, first.Message}
		}
	}
	text := "the config can't be used: " + first.Message
	if more := len(problems.Errors()) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return nil, nil, pluginsdk.Invalid(first.Pointer, text)
}

// completed fills in the defaults of a config and checks it.
func (e *execution) completed(
	handler *workflow.Handler, node *workflow.Node, config json.RawMessage, secrets map[string]string,
) (json.RawMessage, workflow.Problems, error) {
	config, err := workflow.ApplyDefaults(handler, config,
		e.r.options.Settings.HandlerDefaults(node.Step.Handler), e.r.options.Settings.Adapter(handler.Plugin))
	if err != nil {
		return nil, nil, err
	}
	return config, workflow.CheckHiddenConfig(handler, config, "", node.Step.ID, slices.Collect(maps.Values(secrets))), nil
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
