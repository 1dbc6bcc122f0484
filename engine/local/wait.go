package local

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// maxDepth bounds how deep executions run others as their children.
const maxDepth = 16

// waitConfig is what the configs of the built-ins that wait have between them.
type waitConfig struct {
	Message   string             `json:"message"`
	Approvers []string           `json:"approvers"`
	Timeout   pluginsdk.Duration `json:"timeout"`
	OnTimeout string             `json:"on_timeout"`
	Form      json.RawMessage    `json:"form"`
	Plan      bool               `json:"plan"`

	Duration pluginsdk.Duration `json:"duration"`
	Until    time.Time          `json:"until"`

	Name string `json:"name"`

	Workflow   string          `json:"workflow"`
	Parameters json.RawMessage `json:"parameters"`
}

// waitOf says what a step waits for instead of being called; nil for one that
// is called.
func (e *execution) waitOf(request *pluginsdk.Request, now time.Time) (*plan.Wait, error) {
	switch request.Handler {
	case workflow.HandlerApproval, workflow.HandlerWait, workflow.HandlerSignal, workflow.HandlerWorkflow:
	default:
		return nil, nil //nolint:nilnil // Most steps do not wait.
	}
	var config waitConfig
	if err := json.Unmarshal(request.Config, &config); err != nil {
		return nil, pluginsdk.Invalid("", fmt.Sprintf("read the config of %s: %v", request.Handler, err))
	}
	wait := &plan.Wait{Until: request.Deadline}
	if own := config.Timeout.Std(); own > 0 && (wait.Until.IsZero() || now.Add(own).Before(wait.Until)) {
		wait.Until = now.Add(own)
	}
	switch request.Handler {
	case workflow.HandlerApproval:
		wait.Reason, wait.Message, wait.Approvers, wait.Form = plan.WaitApproval, config.Message, config.Approvers, config.Form
		wait.OnTimeout, wait.Bound = config.OnTimeout, config.Plan
	case workflow.HandlerSignal:
		wait.Reason, wait.Signal = plan.WaitSignal, config.Name
	case workflow.HandlerWait:
		wait.Reason, wait.Until = plan.WaitTime, config.Until.UTC()
		if config.Until.IsZero() {
			wait.Until = now.Add(config.Duration.Std())
		}
	default:
		return e.childOf(config, wait)
	}
	return wait, nil
}

// childOf names the child that a step is going to run.
func (e *execution) childOf(config waitConfig, wait *plan.Wait) (*plan.Wait, error) {
	if e.depth()+1 > maxDepth {
		return nil, pluginsdk.Errorf("executions run each other as children %d deep: that is the limit", maxDepth).WithCode("CHILD_DEPTH")
	}
	id, err := newID()
	if err != nil {
		return nil, err
	}
	wait.Reason, wait.Child, wait.Workflow, wait.Parameters = plan.WaitChild, id, config.Workflow, config.Parameters
	return wait, nil
}

func (e *execution) depth() int {
	if e.header.Parent == nil {
		return 0
	}
	return e.header.Parent.Depth
}
