// Package wire turns the SDK's types into those of the protocol and back. It
// is the one place that knows both; serve and client share it.
package wire

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/vwmp/vwmp/pluginsdk"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

var effectToWire = map[pluginsdk.EffectClass]pb.EffectClass{
	pluginsdk.EffectPure:         pb.EffectClass_EFFECT_CLASS_PURE,
	pluginsdk.EffectIdempotent:   pb.EffectClass_EFFECT_CLASS_IDEMPOTENT,
	pluginsdk.EffectKeyed:        pb.EffectClass_EFFECT_CLASS_KEYED,
	pluginsdk.EffectReconcilable: pb.EffectClass_EFFECT_CLASS_RECONCILABLE,
	pluginsdk.EffectUnsafe:       pb.EffectClass_EFFECT_CLASS_UNSAFE,
}

// effectFromWire counts what it does not know as unsafe.
func effectFromWire(class pb.EffectClass) pluginsdk.EffectClass {
	for name, value := range effectToWire {
		if value == class {
			return name
		}
	}
	return pluginsdk.EffectUnsafe
}

// DescriptionToWire writes a description.
func DescriptionToWire(d *pluginsdk.Description) *pb.DescribeResponse {
	response := &pb.DescribeResponse{
		Name: d.Name, Version: d.Version, Author: d.Author, Description: d.Description, Build: d.Build, AdapterSchema: d.AdapterSchema,
	}
	for i := range d.Handlers {
		response.Handlers = append(response.Handlers, handlerToWire(&d.Handlers[i]))
	}
	for i := range d.WorkflowTypes {
		t := &d.WorkflowTypes[i]
		kind := &pb.WorkflowType{
			Name: t.Name, Version: t.Version, DisplayName: t.DisplayName, Description: t.Description, Icon: t.Icon,
			ConfigSchema: t.ConfigSchema, DefaultStepTypes: t.DefaultStepTypes, HasRules: t.HasRules,
		}
		for _, template := range t.Templates {
			kind.Templates = append(kind.Templates, &pb.Template{Name: template.Name, Description: template.Description, Document: template.Document})
		}
		response.WorkflowTypes = append(response.WorkflowTypes, kind)
	}
	return response
}

func handlerToWire(h *pluginsdk.HandlerInfo) *pb.Handler {
	handler := &pb.Handler{
		Path: h.Path, Name: h.Name, Description: h.Description, Category: h.Category, Icon: h.Icon,
		ConfigSchema: h.ConfigSchema, InputSchema: h.InputSchema, OutputSchema: h.OutputSchema, Example: h.Example, UiHints: h.UIHints,
		EffectClass: effectToWire[h.Effect], Concurrency: int32(h.Concurrency), Secrets: h.Secrets, Network: h.Network, Tags: h.Tags,
		Capabilities: &pb.Capabilities{
			Plan: h.Capabilities.Plan, Undo: h.Capabilities.Undo, Cancel: h.Capabilities.Cancel,
			Checkpoint: h.Capabilities.Checkpoint, Reconcile: h.Capabilities.Reconcile, Validate: h.Capabilities.Validate,
		},
	}
	if h.DefaultTimeout > 0 {
		handler.DefaultTimeout = durationpb.New(h.DefaultTimeout)
	}
	if r := h.DefaultRetry; r != nil {
		handler.DefaultRetry = &pb.Retry{
			MaxAttempts: int32(r.MaxAttempts), InitialInterval: durationpb.New(r.InitialInterval),
			Multiplier: r.Multiplier, MaxInterval: durationpb.New(r.MaxInterval), Jitter: r.Jitter,
		}
	}
	return handler
}

// DescriptionFromWire reads a description.
func DescriptionFromWire(r *pb.DescribeResponse) *pluginsdk.Description {
	d := &pluginsdk.Description{
		Name: r.GetName(), Version: r.GetVersion(), Author: r.GetAuthor(), Description: r.GetDescription(),
		Build: r.GetBuild(), AdapterSchema: r.GetAdapterSchema(),
	}
	for _, h := range r.GetHandlers() {
		d.Handlers = append(d.Handlers, handlerFromWire(h))
	}
	for _, t := range r.GetWorkflowTypes() {
		kind := pluginsdk.WorkflowType{
			Name: t.GetName(), Version: t.GetVersion(), DisplayName: t.GetDisplayName(), Description: t.GetDescription(), Icon: t.GetIcon(),
			ConfigSchema: t.GetConfigSchema(), DefaultStepTypes: t.GetDefaultStepTypes(), HasRules: t.GetHasRules(),
		}
		for _, template := range t.GetTemplates() {
			kind.Templates = append(kind.Templates, pluginsdk.Template{
				Name: template.GetName(), Description: template.GetDescription(), Document: template.GetDocument(),
			})
		}
		d.WorkflowTypes = append(d.WorkflowTypes, kind)
	}
	return d
}

func handlerFromWire(h *pb.Handler) pluginsdk.HandlerInfo {
	c := h.GetCapabilities()
	info := pluginsdk.HandlerInfo{
		Path: h.GetPath(), Name: h.GetName(), Description: h.GetDescription(), Category: h.GetCategory(), Icon: h.GetIcon(),
		ConfigSchema: h.GetConfigSchema(), InputSchema: h.GetInputSchema(), OutputSchema: h.GetOutputSchema(),
		Example: h.GetExample(), UIHints: h.GetUiHints(), Effect: effectFromWire(h.GetEffectClass()),
		DefaultTimeout: h.GetDefaultTimeout().AsDuration(), Concurrency: int(h.GetConcurrency()),
		Secrets: h.GetSecrets(), Network: h.GetNetwork(), Tags: h.GetTags(),
		Capabilities: pluginsdk.Capabilities{
			Plan: c.GetPlan(), Undo: c.GetUndo(), Cancel: c.GetCancel(),
			Checkpoint: c.GetCheckpoint(), Reconcile: c.GetReconcile(), Validate: c.GetValidate(),
		},
	}
	if r := h.GetDefaultRetry(); r != nil {
		info.DefaultRetry = &pluginsdk.Retry{
			MaxAttempts: int(r.GetMaxAttempts()), InitialInterval: r.GetInitialInterval().AsDuration(),
			Multiplier: r.GetMultiplier(), MaxInterval: r.GetMaxInterval().AsDuration(), Jitter: r.GetJitter(),
		}
	}
	return info
}

// ProblemsToWire writes problems.
func ProblemsToWire(problems []pluginsdk.Problem) []*pb.Problem {
	list := make([]*pb.Problem, 0, len(problems))
	for _, p := range problems {
		list = append(list, &pb.Problem{
			Severity: string(p.Severity), Pointer: text(p.Pointer), StepId: text(p.StepID), Code: text(p.Code), Message: line(p.Message),
		})
	}
	return list
}

// ProblemsFromWire reads problems; one of no severity is an error.
func ProblemsFromWire(list []*pb.Problem) []pluginsdk.Problem {
	problems := make([]pluginsdk.Problem, 0, len(list))
	for _, p := range list {
		severity := pluginsdk.SeverityError
		if p.GetSeverity() == string(pluginsdk.SeverityWarning) {
			severity = pluginsdk.SeverityWarning
		}
		problems = append(problems, pluginsdk.Problem{
			Severity: severity, Pointer: p.GetPointer(), StepID: p.GetStepId(), Code: p.GetCode(), Message: p.GetMessage(),
		})
	}
	return problems
}

func timeToWire(at time.Time) *timestamppb.Timestamp {
	if at.IsZero() {
		return nil
	}
	return timestamppb.New(at)
}

func timeFromWire(at *timestamppb.Timestamp) time.Time {
	if at == nil {
		return time.Time{}
	}
	return at.AsTime()
}
