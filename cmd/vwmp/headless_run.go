package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
)

// headlessRun is one run of a workflow file within this process.
type headlessRun struct {
	cmd       *cobra.Command
	parts     *core
	flags     *runFlags
	file      string
	workspace engine.Workspace
	attend    *attendant
	// mine is told the execution's id, once.
	mine chan<- string
	// sealed are the parameters whose values no store shows.
	sealed map[string]bool
}

// document runs a definition to its end and returns the result; nil after a
// dry run, whose outcome it prints.
func (h *headlessRun) document(document *workflow.Document) (*engine.Result, error) {
	ctx := h.cmd.Context()
	if err := h.parts.ready(ctx); err != nil {
		return nil, err
	}
	graph, problems := engine.Check(ctx, document, h.parts.catalogue)
	if graph == nil {
		return nil, tellProblems(h.cmd, h.file, problems)
	}
	request, err := h.request(document)
	if err != nil {
		return nil, err
	}
	if h.flags.dryRun {
		return nil, h.preview(request)
	}
	id, err := h.begin(ctx, request)
	if err != nil {
		return nil, err
	}
	h.mine <- id
	return h.follow(ctx, id)
}

func (h *headlessRun) request(document *workflow.Document) (engine.StartRequest, error) {
	declared := make([]declaredParameter, 0, len(document.Definition.Parameters))
	h.sealed = map[string]bool{}
	for _, parameter := range document.Definition.Parameters {
		h.sealed[parameter.Name] = parameter.Type == "secret"
		declared = append(declared, declaredParameter{parameter.Name, parameter.Type})
	}
	parameters, err := h.flags.parameters.values(declared, h.cmd.InOrStdin())
	if err != nil {
		return engine.StartRequest{}, err
	}
	canonical, err := document.Definition.MarshalJSON()
	if err != nil {
		return engine.StartRequest{}, err
	}
	return engine.StartRequest{
		WorkflowID: cmp.Or(h.flags.workflowID, workflowIDOf(h.file)), Document: canonical, Parameters: parameters,
		Trigger: engine.TriggerCLI, By: runBy, Workspace: h.workspace, SkipSteps: h.flags.skips,
	}, nil
}

func (h *headlessRun) preview(request engine.StartRequest) error {
	preview, err := h.parts.engine.Preview(h.cmd.Context(), request)
	if err != nil {
		return refused(err)
	}
	form := "table"
	if h.flags.output != "text" {
		form = "json"
	}
	return tellPreview(h.cmd, form, &preview)
}

// refused gives problems that a person must put right their lines.
func refused(err error) error {
	var problems *engine.ProblemsError
	if errors.As(err, &problems) {
		return &exitError{exitFailed, errors.New(refusalText(problems))}
	}
	if errors.Is(err, engine.ErrConflict) {
		return &exitError{exitRefused, err}
	}
	return err
}

// begin starts the run, or takes up the one that was cut short.
func (h *headlessRun) begin(ctx context.Context, request engine.StartRequest) (string, error) {
	earlier, err := h.cutShort(ctx, request)
	if err != nil {
		return "", err
	}
	if _, err := h.parts.engine.Recover(ctx); err != nil {
		return "", err
	}
	if earlier != "" {
		return earlier, h.takeUp(ctx, earlier)
	}
	execution, _, err := h.parts.engine.Start(ctx, request)
	if err != nil {
		return "", refused(err)
	}
	return execution.ID, h.signal(ctx, execution.ID)
}

// signal sends what was given at the start; each waits there for its step.
func (h *headlessRun) signal(ctx context.Context, id string) error {
	for _, given := range h.flags.signals {
		name, payload, found := strings.Cut(given, "=")
		if !found {
			payload = "null"
		}
		if !json.Valid([]byte(payload)) {
			return usageError("--signal %s: the payload must be JSON, not %q", name, payload)
		}
		_, err := h.parts.engine.Signal(ctx, id, name, json.RawMessage(payload), runBy)
		if err != nil && !errors.Is(err, engine.ErrConflict) { // A short run may have ended.
			return refused(err)
		}
		h.attend.signals[name] = true
	}
	return nil
}

// cutShort finds the run of this file that an earlier process did not end,
// and refuses where it is another one than what is asked for.
func (h *headlessRun) cutShort(ctx context.Context, request engine.StartRequest) (string, error) {
	if h.flags.data == "" {
		return "", nil
	}
	live, err := h.parts.store.LiveExecutions(ctx, request.WorkflowID)
	if err != nil {
		return "", err
	}
	slices.Sort(live) // The oldest first.
	for _, id := range live {
		stored, err := h.parts.store.Load(ctx, id)
		if err != nil {
			return "", err
		}
		if stored.Execution.Parent != nil || stored.Execution.Trigger != engine.TriggerCLI || stored.Execution.WorkflowRevision != 0 {
			continue
		}
		other := ""
		switch {
		case !bytes.Equal(stored.Document, request.Document):
			other = "the file was changed since"
		case !h.includes(stored.Execution.Parameters, request.Parameters):
			other = "it has other parameters"
		}
		if other != "" {
			return "", &exitError{exitRefused, fmt.Errorf("execution %s of %s was cut short and could go on, but %s.\n"+
				"Put that back to let it go on, or end it with \"vwmp execution cancel %s --data %s\"", id, h.file, other, id, h.flags.data)}
		}
		return id, nil
	}
	return "", nil
}

// includes reports whether all parameters that were asked for have the value
// that a run has, as far as that can be seen.
func (h *headlessRun) includes(had, asked json.RawMessage) bool {
	var a, b map[string]json.RawMessage
	if json.Unmarshal(had, &a) != nil || json.Unmarshal(asked, &b) != nil {
		return false
	}
	for name, value := range b {
		if !h.sealed[name] && !sameJSON(a[name], value) {
			return false
		}
	}
	return true
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

// takeUp lets a recovered run go on, and finds what it waits for: that was
// told to a process that is gone.
func (h *headlessRun) takeUp(ctx context.Context, id string) error {
	fmt.Fprintf(h.cmd.ErrOrStderr(), "execution %s was cut short and goes on\n", id)
	header, err := h.parts.store.Execution(ctx, id)
	if err != nil {
		return err
	}
	if header.Status == plan.StatusPaused {
		if _, err := h.parts.engine.Resume(ctx, id, runBy); err != nil && !errors.Is(err, engine.ErrConflict) {
			return err
		}
	}
	steps, err := h.parts.store.StepResults(ctx, id)
	if err != nil {
		return err
	}
	for _, step := range steps {
		h.remind(id, step.StepID, nil, step.Status, step.Waiting, step.Error)
		for i := range step.Items {
			item := &step.Items[i]
			h.remind(id, step.StepID, &item.Index, item.Status, item.Waiting, item.Error)
		}
	}
	return h.signal(ctx, id)
}

// remind offers the attendant a wait anew.
func (h *headlessRun) remind(id, step string, item *int, status plan.Status, wait *engine.Waiting, failure *plan.Error) {
	event := plan.Event{ExecutionID: id, StepID: step, ItemIndex: item}
	switch {
	case status == plan.StatusInterrupted:
		event.Type = plan.StepInterrupted
		if failure != nil {
			event.Reason = failure.Message
		}
	case wait != nil:
		event.Type, event.Reason = plan.StepWaiting, string(wait.Reason)
		event.Details, _ = json.Marshal(awaited{ //nolint:errchkjson // Values of our own types, which JSON can hold.
			Until: wait.Until, Message: wait.Message, Approvers: wait.Approvers, Form: wait.Form, Signal: wait.Signal, ExecutionID: wait.ChildID,
		})
	default:
		return
	}
	h.attend.offer(event)
}

// follow waits for the end of the run, while the attendant answers for it.
func (h *headlessRun) follow(ctx context.Context, id string) (*engine.Result, error) {
	following, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	h.attend.giveUp = giveUp
	var attending sync.WaitGroup
	attending.Go(func() { h.attend.serve(following, id) })
	defer attending.Wait()
	defer giveUp(nil)

	if err := h.parts.engine.Wait(following, id); err != nil {
		by := "Ctrl-C"
		if ctx.Err() == nil {
			by = runBy
			fmt.Fprintf(h.cmd.ErrOrStderr(), "vwmp: %v\n", context.Cause(following))
		}
		if ctx.Err() != nil || !h.attend.kept {
			h.cancel(context.WithoutCancel(ctx), id, by)
		}
	}
	return collect(context.WithoutCancel(ctx), h.parts.store, id)
}

// cancel ends the run; its clean-up steps run.
func (h *headlessRun) cancel(ctx context.Context, id, by string) {
	fresh, cancel := context.WithTimeout(ctx, runGrace)
	defer cancel()
	if _, err := h.parts.engine.Cancel(fresh, id, by); err == nil {
		_ = h.parts.engine.Wait(fresh, id) // What does not end in time is of unknown outcome.
	}
}
