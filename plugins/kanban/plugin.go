// Command vwmp-plugin-kanban serves a review of kanban documents in Markdown:
// what state epics and stories are in, where they differ from their templates,
// are too long, repeat or contradict each other, or say too little; and it
// puts right what can be put right without a person.
//
// It judges documents and never moves work along: ticking what a release
// completed is vwmp.kanban_update's.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/vwmp/vwmp/pluginsdk"
)

const category = "Kanban"

//go:embed templates/kanban-review.yaml
var kanbanReview string

// workflowConfig is the config of a workflow of type kanban_review.
type workflowConfig struct {
	KanbanRoot    string `json:"kanban_root" title:"Kanban folder" description:"Folder with the folders epics and stories." default:"kanban"`
	EpicTemplate  string `json:"epic_template" title:"Epic template" description:"Document whose headings every epic should have." example:"kanban/templates/epic.md"`
	StoryTemplate string `json:"story_template" title:"Story template" description:"Document whose headings every story should have." example:"kanban/templates/story.md"`
}

func kanbanPlugin() *pluginsdk.Plugin {
	return &pluginsdk.Plugin{
		Name:        "kanban",
		Version:     "1.0.0",
		Author:      "VWMP",
		Description: "Reviews epics and stories that are kept as Markdown: state, templates, length, repetition, contradictions and gaps.",
		Handlers: []*pluginsdk.Handler{
			stateHandler(), divergenceHandler(), bloatHandler(), repetitionHandler(), gapsHandler(), applyHandler(),
		},
		WorkflowTypes: []pluginsdk.WorkflowType{{
			Name: "kanban_review", Version: "1.0.0", DisplayName: "Kanban Review", Icon: "square-kanban",
			Description:  "Reads the epics and stories of a project and says what is wrong with them; puts right what it can where that is wanted.",
			ConfigSchema: openSchema(workflowConfig{}),
			DefaultStepTypes: []string{
				"review_state", "check_template_divergence", "check_bloat", "check_repetition", "check_coverage_gaps", "apply_updates",
			},
			Templates: []pluginsdk.Template{{
				Name: "Kanban Review", Description: "State, templates, length, repetition and gaps, and updates where they are wanted.", Document: kanbanReview,
			}},
		}},
		ValidateWorkflow: validateWorkflow,
	}
}

// openSchema is the schema of a struct whose document may have further keys.
func openSchema(value any) json.RawMessage {
	raw, err := pluginsdk.SchemaOf(value)
	var schema map[string]any
	if err == nil {
		err = json.Unmarshal(raw, &schema)
	}
	if err == nil {
		delete(schema, "additionalProperties")
		raw, err = json.Marshal(schema)
	}
	if err != nil {
		// The struct is a constant of this package.
		panic(err)
	}
	return raw
}

// validateWorkflow holds a workflow of type kanban_review to its rule: it has
// a check, and what applies updates comes after the checks that it reads.
func validateWorkflow(_ context.Context, workflowType string, document json.RawMessage) []pluginsdk.Problem {
	if workflowType != "kanban_review" {
		return nil
	}
	var workflow struct {
		Steps []struct {
			Handler      string   `json:"handler"`
			Dependencies []string `json:"dependencies"`
		} `json:"steps"`
	}
	if err := json.Unmarshal(document, &workflow); err != nil {
		return []pluginsdk.Problem{{
			Severity: pluginsdk.SeverityError, Pointer: "", Code: "unreadable", Message: fmt.Sprintf("The workflow can't be read: %v.", err),
		}}
	}
	var problems []pluginsdk.Problem
	hasReview := false
	for i, step := range workflow.Steps {
		hasReview = hasReview || step.Handler == "kanban.review_state"
		if step.Handler == "kanban.apply_updates" && len(step.Dependencies) == 0 {
			problems = append(problems, pluginsdk.Problem{
				Severity: pluginsdk.SeverityError, Pointer: fmt.Sprintf("/steps/%d/dependencies", i), Code: "missing_dependency",
				Message: "Updates are made of what the checks found: let this step depend on them.",
			})
		}
	}
	if !hasReview {
		problems = append(problems, pluginsdk.Problem{
			Severity: pluginsdk.SeverityError, Pointer: "/steps", Code: "missing_review_step",
			Message: "A kanban review begins with the state: add a step with the handler kanban.review_state, or change the workflow's type.",
		})
	}
	return problems
}

// example writes a handler's example config, whose values are constants of
// this package.
func example(config map[string]any) json.RawMessage {
	raw, err := json.Marshal(config)
	if err != nil {
		panic(err)
	}
	return raw
}
