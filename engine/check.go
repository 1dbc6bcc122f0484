package engine

import (
	"context"
	"fmt"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// Check finds every problem of a document: those of the language, those that
// the handlers' plugins see in its configs, and those of its workflow type's
// own rules. The graph is nil where there is an error among them.
func Check(ctx context.Context, document *workflow.Document, catalogue Catalogue) (*workflow.Graph, workflow.Problems) {
	graph, problems := workflow.Compile(document, catalogue)
	if graph == nil {
		return nil, problems
	}
	for i := range graph.Len() {
		problems = append(problems, checkConfig(ctx, graph.Node(i), catalogue)...)
	}
	problems = append(problems, checkType(ctx, graph.Definition(), catalogue)...)
	if problems.HasErrors() {
		return nil, problems
	}
	return graph, problems
}

// checkConfig asks a step's plugin about a config that holds no references;
// one that does can be judged only once they are resolved.
func checkConfig(ctx context.Context, node *workflow.Node, catalogue Catalogue) workflow.Problems {
	if node.Handler == nil || !node.Handler.Info.Capabilities.Validate || (node.Config != nil && len(node.Config.References()) > 0) {
		return nil
	}
	pointer := fmt.Sprintf("/steps/%d/config", node.Index)
	found, err := catalogue.ValidateConfig(ctx, node.Step.Handler, node.Step.Config)
	if err != nil {
		return workflow.Problems{unchecked(pointer, node.Step.ID, node.Step.Handler, err)}
	}
	problems := make(workflow.Problems, 0, len(found))
	for _, problem := range found {
		problem.Pointer, problem.StepID = pointer+problem.Pointer, node.Step.ID
		problems = append(problems, withSeverity(problem))
	}
	return problems
}

func checkType(ctx context.Context, definition *workflow.Definition, catalogue Catalogue) workflow.Problems {
	kind, found := catalogue.WorkflowType(definition.Type)
	if !found || !kind.HasRules {
		return nil
	}
	document, err := definition.MarshalJSON()
	if err != nil {
		return workflow.Problems{unchecked("/type", "", definition.Type, err)}
	}
	found2, err := catalogue.ValidateWorkflow(ctx, definition.Type, document)
	if err != nil {
		return workflow.Problems{unchecked("/type", "", definition.Type, err)}
	}
	problems := make(workflow.Problems, 0, len(found2))
	for _, problem := range found2 {
		problems = append(problems, withSeverity(problem))
	}
	return problems
}

func withSeverity(problem pluginsdk.Problem) pluginsdk.Problem {
	if problem.Severity == "" {
		problem.Severity = pluginsdk.SeverityError
	}
	return problem
}

// unchecked is a warning: a plugin that can't be asked now must not keep
// anybody from saving.
func unchecked(pointer, stepID, what string, err error) pluginsdk.Problem {
	return pluginsdk.Problem{
		Severity: pluginsdk.SeverityWarning, Pointer: pointer, StepID: stepID, Code: "not_checked",
		Message: fmt.Sprintf("the rules of %s could not be checked: %v", what, err),
	}
}

// Unsupported lists what a definition asks for that this version of the
// engine knows but does not execute yet.
func Unsupported(graph *workflow.Graph) workflow.Problems {
	var problems workflow.Problems
	refuse := func(pointer, stepID, what string) {
		problems = append(problems, pluginsdk.Problem{
			Severity: pluginsdk.SeverityError, Pointer: pointer, StepID: stepID, Code: "not_supported",
			Message: what + " can be written and saved, but this version does not execute it yet; take it out to run the workflow",
		})
	}
	definition := graph.Definition()
	if definition.OnFailure == workflow.OnFailureRollback {
		refuse("/on_failure", "", "on_failure: rollback")
	}
	if definition.Concurrency != nil && definition.Concurrency.Limit > 0 {
		refuse("/concurrency", "", "a concurrency limit")
	}
	for i := range graph.Len() {
		unsupportedStep(graph.Node(i), refuse)
		if node := graph.Node(i); node.Step.Handler == workflow.HandlerWorkflow && usesSecret(definition, node) {
			refuse(fmt.Sprintf("/steps/%d/config", i), node.Step.ID, "a secret that is handed to another workflow")
		}
	}
	return problems
}

func unsupportedStep(node *workflow.Node, refuse func(pointer, stepID, what string)) {
	pointer, step := fmt.Sprintf("/steps/%d", node.Index), node.Step
	switch step.Handler {
	case "flow.approval", "flow.wait", "flow.signal", "flow.workflow":
		refuse(pointer+"/handler", step.ID, "the handler "+step.Handler)
	}
	if node.ForEach != nil {
		refuse(pointer+"/for_each", step.ID, "for_each")
	}
	if step.OnInterrupt == workflow.OnInterruptUndo {
		refuse(pointer+"/on_interrupt", step.ID, "on_interrupt: undo")
	}
}
