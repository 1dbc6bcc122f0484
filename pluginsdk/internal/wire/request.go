package wire

import (
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/vwmp/vwmp/pluginsdk"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// RequestToWire writes a request.
func RequestToWire(r *pluginsdk.Request) *pb.Request {
	request := &pb.Request{
		ExecutionId: r.ExecutionID, StartedAt: timeToWire(r.StartedAt), WorkflowId: r.WorkflowID, WorkflowName: r.WorkflowName,
		WorkflowVersion: r.WorkflowVersion, StepId: r.StepID, StepName: r.StepName, Handler: r.Handler, Attempt: int32(r.Attempt),
		IdempotencyKey: r.IdempotencyKey, BootEpoch: r.BootEpoch, Config: r.Config, Parameters: r.Parameters,
		WorkflowConfig: r.WorkflowConfig, WorkspaceName: r.WorkspaceName, WorkspaceDir: r.WorkspaceDir, Deadline: timeToWire(r.Deadline),
		TraceParent: r.TraceParent, TraceState: r.TraceState, Checkpoint: r.Checkpoint, Secrets: r.Secrets,
	}
	if r.ItemIndex >= 0 {
		index := int32(r.ItemIndex)
		request.ItemIndex = &index
	}
	for _, o := range r.Outputs {
		request.Outputs = append(request.Outputs, &pb.StepOutput{StepId: o.StepID, Output: o.Output})
	}
	for _, e := range r.Effects {
		request.Effects = append(request.Effects, EffectToWire(e))
	}
	return request
}

// RequestFromWire reads a request.
func RequestFromWire(r *pb.Request) pluginsdk.Request {
	request := pluginsdk.Request{
		ExecutionID: r.GetExecutionId(), StartedAt: timeFromWire(r.GetStartedAt()), WorkflowID: r.GetWorkflowId(),
		WorkflowName: r.GetWorkflowName(), WorkflowVersion: r.GetWorkflowVersion(), StepID: r.GetStepId(), StepName: r.GetStepName(),
		Handler: r.GetHandler(), ItemIndex: -1, Attempt: int(r.GetAttempt()), IdempotencyKey: r.GetIdempotencyKey(),
		BootEpoch: r.GetBootEpoch(), Config: r.GetConfig(), Parameters: r.GetParameters(), WorkflowConfig: r.GetWorkflowConfig(),
		WorkspaceName: r.GetWorkspaceName(), WorkspaceDir: r.GetWorkspaceDir(), Deadline: timeFromWire(r.GetDeadline()),
		TraceParent: r.GetTraceParent(), TraceState: r.GetTraceState(), Checkpoint: r.GetCheckpoint(), Secrets: r.GetSecrets(),
	}
	if r.ItemIndex != nil {
		request.ItemIndex = int(r.GetItemIndex())
	}
	for _, o := range r.GetOutputs() {
		request.Outputs = append(request.Outputs, pluginsdk.StepOutput{StepID: o.GetStepId(), Output: o.GetOutput()})
	}
	for _, e := range r.GetEffects() {
		request.Effects = append(request.Effects, EffectFromWire(e))
	}
	return request
}

// EffectToWire writes an effect record.
func EffectToWire(e pluginsdk.EffectRecord) *pb.Effect {
	return &pb.Effect{Action: text(e.Action), Target: text(e.Target), ExternalId: text(e.ExternalID), Done: e.Done}
}

// EffectFromWire reads an effect record.
func EffectFromWire(e *pb.Effect) pluginsdk.EffectRecord {
	return pluginsdk.EffectRecord{Action: e.GetAction(), Target: e.GetTarget(), ExternalID: e.GetExternalId(), Done: e.GetDone()}
}

// PlanToWire writes planned effects.
func PlanToWire(effects []pluginsdk.PlannedEffect) []*pb.PlannedEffect {
	list := make([]*pb.PlannedEffect, 0, len(effects))
	for _, e := range effects {
		list = append(list, &pb.PlannedEffect{
			Action: text(e.Action), Target: text(e.Target), Summary: text(e.Summary), Diff: text(e.Diff), Known: e.Known,
		})
	}
	return list
}

// PlanFromWire reads planned effects.
func PlanFromWire(list []*pb.PlannedEffect) []pluginsdk.PlannedEffect {
	effects := make([]pluginsdk.PlannedEffect, 0, len(list))
	for _, e := range list {
		effects = append(effects, pluginsdk.PlannedEffect{
			Action: e.GetAction(), Target: e.GetTarget(), Summary: e.GetSummary(), Diff: e.GetDiff(), Known: e.GetKnown(),
		})
	}
	return effects
}

var classToWire = map[pluginsdk.FailureClass]pb.FailureClass{
	pluginsdk.FailureInvalidInput: pb.FailureClass_FAILURE_CLASS_INVALID_INPUT,
	pluginsdk.FailureRetryable:    pb.FailureClass_FAILURE_CLASS_RETRYABLE,
	pluginsdk.FailurePermanent:    pb.FailureClass_FAILURE_CLASS_PERMANENT,
	pluginsdk.FailureCancelled:    pb.FailureClass_FAILURE_CLASS_CANCELLED,
	pluginsdk.FailureTimeout:      pb.FailureClass_FAILURE_CLASS_TIMEOUT,
}

// FailureToWire writes a failure.
func FailureToWire(f *pluginsdk.Failure) *pb.Failure {
	failure := &pb.Failure{
		Class: classToWire[f.Class], Code: text(f.Code), Message: line(f.Message), Pointer: text(f.Pointer), Fault: string(f.Fault),
	}
	if f.RetryAfter > 0 {
		failure.RetryAfter = durationpb.New(f.RetryAfter)
	}
	return failure
}

// FailureFromWire reads a failure; one of a class that it does not know is
// permanent.
func FailureFromWire(f *pb.Failure) *pluginsdk.Failure {
	failure := &pluginsdk.Failure{
		Class: pluginsdk.FailurePermanent, Code: f.GetCode(), Message: f.GetMessage(), Pointer: f.GetPointer(),
		RetryAfter: f.GetRetryAfter().AsDuration(), Fault: pluginsdk.Fault(f.GetFault()),
	}
	for name, value := range classToWire {
		if value == f.GetClass() {
			failure.Class = name
		}
	}
	if failure.Message == "" {
		failure.Message = "the step failed without saying why"
	}
	return failure
}

// LogToWire writes a log line. What is too long is cut, with a mark.
func LogToWire(l pluginsdk.LogLine) *pb.Log {
	fields := l.Fields
	if len(fields) > maxText {
		fields = fmt.Appendf(nil, `{"fields_cut":%d}`, len(fields))
	}
	return &pb.Log{Time: timeToWire(l.Time), Level: string(l.Level), Message: line(l.Message), Fields: fields}
}

// ProgressToWire writes how far a step is.
func ProgressToWire(percentage float64, message string) *pb.Progress {
	return &pb.Progress{Percentage: percentage, Message: line(message)}
}

// SkippedToWire writes why a handler skipped its step.
func SkippedToWire(reason string) *pb.Skipped { return &pb.Skipped{Reason: line(reason)} }

// ArtifactToWire writes an artifact.
func ArtifactToWire(a pluginsdk.Artifact) *pb.Artifact {
	return &pb.Artifact{Path: text(a.Path), Size: a.Size, Sha256: text(a.SHA256), MediaType: text(a.MediaType)}
}

// ArtifactFromWire reads an artifact.
func ArtifactFromWire(a *pb.Artifact) pluginsdk.Artifact {
	return pluginsdk.Artifact{Path: a.GetPath(), Size: a.GetSize(), SHA256: a.GetSha256(), MediaType: a.GetMediaType()}
}

// LogFromWire reads a log line; a level that it does not know is info, and
// fields that are not JSON are left out.
func LogFromWire(l *pb.Log) pluginsdk.LogLine {
	entry := pluginsdk.LogLine{Time: timeFromWire(l.GetTime()), Level: pluginsdk.LogLevel(l.GetLevel()), Message: l.GetMessage(), Fields: l.GetFields()}
	switch entry.Level {
	case pluginsdk.LevelDebug, pluginsdk.LevelInfo, pluginsdk.LevelWarning, pluginsdk.LevelError:
	default:
		entry.Level = pluginsdk.LevelInfo
	}
	if len(entry.Fields) > 0 && !json.Valid(entry.Fields) {
		entry.Fields = nil
	}
	return entry
}

var reconcileToWire = map[pluginsdk.ReconcileStatus]pb.ReconcileStatus{
	pluginsdk.ReconcileNotStarted: pb.ReconcileStatus_RECONCILE_STATUS_NOT_STARTED,
	pluginsdk.ReconcileRunning:    pb.ReconcileStatus_RECONCILE_STATUS_RUNNING,
	pluginsdk.ReconcileDone:       pb.ReconcileStatus_RECONCILE_STATUS_DONE,
	pluginsdk.ReconcileUnknown:    pb.ReconcileStatus_RECONCILE_STATUS_UNKNOWN,
}

// ReconcileToWire writes a verdict.
func ReconcileToWire(r pluginsdk.ReconcileResult) *pb.ReconcileResponse {
	response := &pb.ReconcileResponse{Status: reconcileToWire[r.Status], Detail: line(r.Detail)}
	if r.Status == pluginsdk.ReconcileDone {
		response.Result = &pb.Result{Output: r.Output, UndoToken: r.UndoToken}
	}
	return response
}

// ReconcileFromWire reads a verdict; one that it does not know is unknown.
func ReconcileFromWire(r *pb.ReconcileResponse) pluginsdk.ReconcileResult {
	result := pluginsdk.ReconcileResult{Status: pluginsdk.ReconcileUnknown, Detail: r.GetDetail()}
	for name, value := range reconcileToWire {
		if value == r.GetStatus() {
			result.Status = name
		}
	}
	if result.Status == pluginsdk.ReconcileDone {
		result.Output, result.UndoToken = r.GetResult().GetOutput(), r.GetResult().GetUndoToken()
	}
	return result
}
