package workflow

import (
	"encoding/json"

	"github.com/vwmp/vwmp/pluginsdk"
)

// BuiltinPlugin is the first part of the built-in handlers' paths.
const BuiltinPlugin = "flow"

// The paths of the built-in handlers, which the engine runs without a
// plugin process.
const (
	HandlerApproval = "flow.approval"
	HandlerWait     = "flow.wait"
	HandlerSignal   = "flow.signal"
	HandlerWorkflow = "flow.workflow"
	HandlerLog      = "flow.log"
	HandlerFail     = "flow.fail"
)

// SignalPattern is what the name of a signal looks like.
const SignalPattern = `^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$`

// Builtins returns the built-in handlers with their descriptions. They are
// pure: what they wait for is in the engine's own record, and a child
// execution is found by its parent's.
func Builtins() []*Handler {
	infos := []pluginsdk.HandlerInfo{
		{
			Path: HandlerApproval, Name: "Approval", Icon: "user-check", Tags: []string{"sign-off", "gate", "human", "manual"},
			Description:  "Waits until a person approves or rejects. The answer to the form is the output. Survives restarts.",
			ConfigSchema: approvalSchema, OutputSchema: json.RawMessage(`{"type":"object"}`),
			Example: json.RawMessage(`{"message":"Release version ${step-outputs.bump.new_version}?","approvers":["admin"],"timeout":"24h","on_timeout":"reject"}`),
		},
		{
			Path: HandlerWait, Name: "Wait", Icon: "timer", Tags: []string{"sleep", "delay", "pause"},
			Description:  "Waits for a span of time, or until a point in time. Survives restarts.",
			ConfigSchema: waitSchema, Example: json.RawMessage(`{"duration":"10m"}`),
		},
		{
			Path: HandlerSignal, Name: "Wait for signal", Icon: "radio", Tags: []string{"callback", "event", "webhook"},
			Description:  "Waits for a named signal that is sent over the API. The signal's payload is the output.",
			ConfigSchema: signalSchema, Example: json.RawMessage(`{"name":"deployed","timeout":"2h"}`),
		},
		{
			Path: HandlerWorkflow, Name: "Run workflow", Icon: "workflow", Tags: []string{"subworkflow", "call"},
			Description:  "Runs another workflow as a child, and waits for it. Its result is the output; cancel and failure travel both ways.",
			ConfigSchema: workflowSchema, Example: json.RawMessage(`{"workflow":"nightly-checks","parameters":{"branch":"main"}}`),
		},
		{
			Path: HandlerLog, Name: "Log", Icon: "scroll-text", Tags: []string{"print", "echo"},
			Description:  "Writes a message to the execution's log.",
			ConfigSchema: logSchema, Example: json.RawMessage(`{"message":"Published ${parameters.version}"}`),
		},
		{
			Path: HandlerFail, Name: "Fail", Icon: "octagon-x", Tags: []string{"stop", "abort", "error"},
			Description:  "Fails with a message. The failure is permanent: it is not tried again.",
			ConfigSchema: failSchema, Example: json.RawMessage(`{"message":"The branch is not releasable."}`),
		},
	}
	handlers := make([]*Handler, len(infos))
	for i, info := range infos {
		info.Category, info.Effect = "Flow", pluginsdk.EffectPure
		info.Capabilities = pluginsdk.Capabilities{Cancel: true}
		handlers[i] = NewHandler(info, BuiltinPlugin, DefaultVersion)
	}
	return handlers
}

var approvalSchema = json.RawMessage(`{
  "type": "object", "additionalProperties": false, "required": ["message"],
  "properties": {
    "message": {"type": "string", "title": "Message", "minLength": 1, "maxLength": 10000, "x-vwmp-multiline": true,
      "description": "What is to be approved; shown to the approvers."},
    "approvers": {"type": "array", "title": "Approvers", "items": {"type": "string", "minLength": 1},
      "description": "Roles or users, any of whom may answer. Empty means everybody who may run the workflow."},
    "timeout": {"type": ["number", "string"], "format": "vwmp-duration", "title": "Timeout",
      "description": "How long to wait for an answer; without it, for ever."},
    "on_timeout": {"type": "string", "enum": ["fail", "approve", "reject"], "default": "fail", "title": "On timeout",
      "description": "What becomes of the step when nobody has answered in time."},
    "plan": {"type": "boolean", "default": false, "title": "Bind to the plan",
      "description": "Shows what the steps after it would do, and takes no answer once that has changed."},
    "form": {"type": "object", "title": "Form", "x-vwmp-widget": "json", "description": "A JSON Schema of what the approver is asked for; the answer is the output."}
  }
}`)

var waitSchema = json.RawMessage(`{
  "type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
  "properties": {
    "duration": {"type": ["number", "string"], "format": "vwmp-duration", "title": "Duration",
      "description": "How long to wait: seconds, or text such as 10m. Either this or until."},
    "until": {"type": "string", "format": "date-time", "title": "Until",
      "description": "The point in time to wait for, such as 2026-12-31T18:00:00Z."}
  }
}`)

var signalSchema = json.RawMessage(`{
  "type": "object", "additionalProperties": false, "required": ["name"],
  "properties": {
    "name": {"type": "string", "title": "Name", "pattern": "` + SignalPattern + `",
      "description": "The name that the signal is sent under."},
    "timeout": {"type": ["number", "string"], "format": "vwmp-duration", "title": "Timeout",
      "description": "How long to wait; the step fails after it. Without it, for ever."}
  }
}`)

var workflowSchema = json.RawMessage(`{
  "type": "object", "additionalProperties": false, "required": ["workflow"],
  "properties": {
    "workflow": {"type": "string", "title": "Workflow", "minLength": 1, "maxLength": 200, "x-vwmp-widget": "workflow",
      "description": "The id of the workflow to run."},
    "parameters": {"type": "object", "title": "Parameters", "default": {},
      "description": "The child's parameters, by name."}
  }
}`)

var logSchema = json.RawMessage(`{
  "type": "object", "additionalProperties": false, "required": ["message"],
  "properties": {
    "message": {"type": "string", "title": "Message", "description": "The text to write."},
    "level": {"type": "string", "enum": ["debug", "info", "warning", "error"], "default": "info", "title": "Level",
      "description": "How the line is marked."}
  }
}`)

var failSchema = json.RawMessage(`{
  "type": "object", "additionalProperties": false, "required": ["message"],
  "properties": {
    "message": {"type": "string", "title": "Message", "minLength": 1, "description": "Why the step fails."}
  }
}`)
