package host

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/host/problem"
)

func (s *Server) addPreviews(tags []string) {
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "plan-workflow", Method: http.MethodPost, Path: apiBase + "/workflows/{id}/plan/", Tags: []string{"workflows"},
			Summary: "Say what an execution would do", Description: "Asks every handler in order and does nothing. The body is that of execute.",
		},
		body: startBody{}, bodyOptional: true, answers: map[int]any{http.StatusOK: preview{}}, serve: s.planWorkflow,
	})
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "run-step", Method: http.MethodPost, Path: apiBase + "/workflows/{id}/steps/{step}/run/", Tags: []string{"workflows"},
			Summary:     "Run one step of a workflow",
			Description: "The other steps are skipped. Another config, and outputs to pretend for other steps, are for those who may edit workflows.",
		},
		body: stepRun{}, bodyOptional: true, answers: map[int]any{http.StatusAccepted: started{}}, serve: s.runStep,
	})
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "explain-execution", Method: http.MethodGet, Path: apiBase + "/executions/{id}/explain/", Tags: tags,
			Summary: "Say why each step is as it is",
		},
		answers: map[int]any{http.StatusOK: engine.Explanation{}}, serve: s.explainExecution,
	})
}

// preview is what a run would do.
type preview struct {
	Steps    []engine.StepPreview `json:"steps" nullable:"false" doc:"In the order in which they would run"`
	Warnings []problem.Item       `json:"warnings" nullable:"false" doc:"What can't be said before, and what would fail"`
}

func (s *Server) planWorkflow(c *fiber.Ctx, body any) (int, any, error) {
	id, err := workflowID(c.Params("id"))
	if err != nil {
		return 0, nil, err
	}
	sent, _ := body.(*startBody)
	options, err := readStart(sent.raw)
	if err != nil {
		return 0, nil, err
	}
	would, err := s.preview(c.UserContext(), id, options)
	return http.StatusOK, would, err
}

// preview is what a run of a stored workflow would do.
func (s *Server) preview(ctx context.Context, workflowID string, options startOptions) (preview, error) {
	request, err := s.startRequest(ctx, workflowID, options, engine.TriggerAPI)
	if err != nil {
		return preview{}, err
	}
	would, err := s.Engine.Preview(ctx, request)
	return preview{Steps: would.Steps, Warnings: items(would.Warnings)}, err
}

type stepRun struct {
	Config     json.RawMessage            `json:"config,omitempty" doc:"An object, in the place of the step's config"`
	Outputs    map[string]json.RawMessage `json:"outputs,omitempty" doc:"By the ids of other steps, what they are taken to have given"`
	Parameters json.RawMessage            `json:"parameters,omitempty" doc:"An object"`
	Workspace  string                     `json:"workspace,omitempty"`
}

func (s *Server) runStep(c *fiber.Ctx, body any) (int, any, error) {
	ctx := c.UserContext()
	id, err := workflowID(c.Params("id"))
	if err != nil {
		return 0, nil, err
	}
	run, _ := body.(*stepRun)
	for pointer, value := range map[string]*json.RawMessage{"/config": &run.Config, "/parameters": &run.Parameters} {
		if *value, err = object(pointer, *value); err != nil {
			return 0, nil, err
		}
	}
	if run.Config != nil || len(run.Outputs) > 0 {
		if err := mayEdit(ctx, "a step with another config or with outputs of others"); err != nil {
			return 0, nil, err
		}
	}
	request, err := s.startRequest(ctx, id, startOptions{Parameters: run.Parameters, Workspace: run.Workspace}, engine.TriggerAPI)
	if err != nil {
		return 0, nil, err
	}
	if err := onlyStep(&request, c.Params("step"), run); err != nil {
		return 0, nil, err
	}
	execution, _, err := s.Engine.Start(ctx, request)
	if err != nil {
		return 0, nil, err
	}
	c.Set(fiber.HeaderLocation, executionPath(execution.ID))
	return http.StatusAccepted, startedOf(ctx, &execution), nil
}

// onlyStep makes a request one of a single step.
func onlyStep(request *engine.StartRequest, rawStep string, run *stepRun) error {
	document, problems := workflow.Parse(request.Document, workflow.ParseOptions{Format: workflow.FormatJSON})
	if document == nil {
		return fmt.Errorf("read workflow %s: %s", request.WorkflowID, summary(problems))
	}
	steps := document.Definition.Steps
	place := func(id string) int {
		return slices.IndexFunc(steps, func(step workflow.Step) bool { return step.ID == id })
	}
	id, err := stepID(rawStep)
	if err != nil || place(id) < 0 {
		return problem.New(http.StatusNotFound, problem.NotFound, "the workflow has no step of this id")
	}
	request.Origin = &plan.Origin{Only: id}
	for _, step := range steps {
		output, pretended := run.Outputs[step.ID]
		if !pretended {
			continue
		}
		request.Origin.Keep = append(request.Origin.Keep, plan.Kept{StepID: step.ID, Status: plan.StatusSuccess, Output: output})
	}
	for other := range run.Outputs {
		if at := place(other); at < 0 || other == id {
			return problem.InvalidValue("/outputs/"+pointerEscape(other), "unknown_step", fmt.Sprintf("%q is not another step of the workflow", other))
		}
	}
	if run.Config != nil {
		steps[place(id)].Config = run.Config
		request.Document = document.Definition.JSON()
		request.Origin.EditedBy = request.By
	}
	return nil
}

func (s *Server) explainExecution(c *fiber.Ctx, _ any) (int, any, error) {
	ctx := c.UserContext()
	id, err := executionID(c.Params("id"))
	if err != nil {
		return 0, nil, err
	}
	if err := s.Catalogue.Ready(ctx); err != nil {
		return 0, nil, err
	}
	explanation, err := s.Engine.Explain(ctx, id)
	if explanation.Steps == nil {
		explanation.Steps = []plan.StepExplanation{}
	}
	return http.StatusOK, explanation, executionMissing(err)
}
