package engine

import (
	"context"
	"errors"
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
	var found workflow.Problems
	silent := map[string]error{}
	for i := range graph.Len() {
		found = append(found, checkDisabled(graph.Node(i))...)
		found = append(found, checkConfig(ctx, graph.Node(i), catalogue, silent)...)
	}
	found = append(found, checkType(ctx, graph.Definition(), catalogue)...)
	problems = append(problems, placed(document, found)...)
	if problems.HasErrors() {
		return nil, problems
	}
	return graph, problems
}

// placed gives what plugins found, whose pointers count from the definition,
// its place in the text.
func placed(document *workflow.Document, problems workflow.Problems) workflow.Problems {
	for i := range problems {
		problems[i].Pointer = document.Prefix() + problems[i].Pointer
		problems[i].Line, problems[i].Column = document.Position(problems[i].Pointer)
	}
	return problems
}

// checkDisabled warns of a step that would wait.
func checkDisabled(node *workflow.Node) workflow.Problems {
	if node.Handler == nil || !node.Handler.IsDisabled {
		return nil
	}
	return workflow.Problems{{
		Severity: pluginsdk.SeverityWarning, Pointer: fmt.Sprintf("/steps/%d/handler", node.Index), StepID: node.Step.ID, Code: "plugin_disabled",
		Message: fmt.Sprintf("plugin %s is disabled: the step waits until somebody enables it", node.Handler.Plugin),
	}}
}

// checkConfig asks a step's plugin about a config that holds no references;
// one that does can be judged only once they are resolved. A plugin that let a
// question time out is put down in silent and not asked again: the check of
// many steps must not take many times that long.
func checkConfig(ctx context.Context, node *workflow.Node, catalogue Catalogue, silent map[string]error) workflow.Problems {
	if node.Handler == nil || node.Handler.IsDisabled || !node.Handler.Info.Capabilities.Validate || (node.Config != nil && len(node.Config.References()) > 0) {
		return nil
	}
	pointer := fmt.Sprintf("/steps/%d/config", node.Index)
	if err := silent[node.Handler.Plugin]; err != nil {
		return workflow.Problems{unchecked(pointer, node.Step.ID, node.Step.Handler, err)}
	}
	found, err := catalogue.ValidateConfig(ctx, node.Step.Handler, node.Step.Config)
	if errors.Is(err, context.DeadlineExceeded) {
		silent[node.Handler.Plugin] = err
	}
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

// Unsupported lists what a definition asks for that the language allows and
// the engine can't do: a secret in what a child execution is given, since the
// child's own record would keep it. The child can refer to it by itself.
func Unsupported(graph *workflow.Graph) workflow.Problems {
	var problems workflow.Problems
	for i := range graph.Len() {
		node := graph.Node(i)
		if node.Step.Handler != workflow.HandlerWorkflow || !usesSecret(graph.Definition(), node) {
			continue
		}
		problems = append(problems, pluginsdk.Problem{
			Severity: pluginsdk.SeverityError, Pointer: fmt.Sprintf("/steps/%d/config", i), StepID: node.Step.ID, Code: "not_supported",
			Message: "a secret can't be handed to another workflow; let that workflow refer to it by ${secrets.NAME}",
		})
	}
	return problems
}
