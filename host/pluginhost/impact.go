package pluginhost

import (
	"bytes"
	"context"
	"fmt"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// Impact is one thing in a stored workflow that a change of a plugin would
// break.
type Impact struct {
	WorkflowID   string
	WorkflowName string
	// StepID is empty where the whole workflow is meant.
	StepID  string
	Handler string
	// Code is a lower-case word, Message a sentence.
	Code    string
	Message string
}

// impact lists what stored workflows would lose if a plugin said after of
// itself instead of before; after is nil for one that goes.
func (k *keeper) impact(ctx context.Context, before, after *pluginsdk.Description) ([]Impact, error) {
	if k.options.Workflows == nil {
		return nil, nil
	}
	name := before.Name
	others := make([]*pluginsdk.Description, 0, len(k.plugins))
	for _, p := range k.plugins {
		if p.name != name && p.current != nil {
			others = append(others, p.current.version.description)
		}
	}
	c := NewComparison(others, before, after)
	var found []Impact
	err := k.options.Workflows(ctx, func(w Workflow) { found = append(found, c.Check(w)...) })
	return found, err
}

// Comparison says what a change of one plugin means for workflows.
type Comparison struct {
	before, after workflow.Catalogue
	marks         [][]byte
	plugin        string
}

// NewComparison compares a plugin before and after a change, among others that
// stay. after is nil for a plugin that goes, before for one that comes.
func NewComparison(others []*pluginsdk.Description, before, after *pluginsdk.Description) *Comparison {
	c := &Comparison{before: catalogueOf(append(others[:len(others):len(others)], before)), after: catalogueOf(append(others[:len(others):len(others)], after))}
	if before == nil {
		return c
	}
	c.plugin = before.Name
	c.marks = append(c.marks, []byte(`"`+before.Name+`.`))
	for _, kind := range before.WorkflowTypes {
		c.marks = append(c.marks, []byte(`"`+kind.Name+`"`))
	}
	return c
}

func catalogueOf(descriptions []*pluginsdk.Description) workflow.Catalogue {
	var handlers []*workflow.Handler
	var types []pluginsdk.WorkflowType
	for _, d := range descriptions {
		if d == nil {
			continue
		}
		for _, info := range d.Handlers {
			handlers = append(handlers, workflow.NewHandler(info, d.Name, d.Version))
		}
		types = append(types, d.WorkflowTypes...)
	}
	return workflow.NewCatalogue(handlers, types)
}

// Check lists what would break in one workflow: the errors that it has with
// the plugin as it is after the change, and did not have before.
func (c *Comparison) Check(w Workflow) []Impact {
	concerned := false
	for _, mark := range c.marks {
		concerned = concerned || bytes.Contains(w.Document, mark)
	}
	if !concerned {
		return nil
	}
	document, problems := workflow.Parse(w.Document, workflow.ParseOptions{Format: workflow.FormatJSON, IgnoreMetadata: true})
	if document == nil || problems.HasErrors() {
		return nil // It could not be run before either.
	}
	known := map[string]bool{}
	for _, p := range errorsOf(document, c.before) {
		known[p.Pointer+"\n"+p.Code] = true
	}
	var found []Impact
	for _, p := range errorsOf(document, c.after) {
		if known[p.Pointer+"\n"+p.Code] {
			continue
		}
		found = append(found, Impact{
			WorkflowID: w.ID, WorkflowName: w.Name, StepID: p.StepID, Handler: handlerOf(document, p.StepID), Code: p.Code, Message: p.Message,
		})
	}
	return found
}

func errorsOf(document *workflow.Document, catalogue workflow.Catalogue) workflow.Problems {
	_, problems := workflow.Compile(document, catalogue)
	return problems.Errors()
}

func handlerOf(document *workflow.Document, stepID string) string {
	for i := range document.Definition.Steps {
		if step := &document.Definition.Steps[i]; step.ID == stepID && stepID != "" {
			return step.Handler
		}
	}
	return ""
}

// String is a line for people.
func (i Impact) String() string {
	if i.StepID == "" {
		return fmt.Sprintf("workflow %q (%s): %s", i.WorkflowName, i.WorkflowID, i.Message)
	}
	return fmt.Sprintf("workflow %q (%s), step %q: %s", i.WorkflowName, i.WorkflowID, i.StepID, i.Message)
}
