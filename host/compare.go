package host

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
)

func (s *Server) addCompare(tags []string) {
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "compare-executions", Method: http.MethodGet, Path: apiBase + "/executions/{id}/compare/{other}/", Tags: tags,
			Summary: "Compare two executions step by step", Description: "Steps are found by their ids; those of the first execution come first.",
		},
		answers: map[int]any{http.StatusOK: comparison{}}, serve: s.compareExecutions,
	})
}

// comparedRun is one of two executions.
type comparedRun struct {
	ExecutionID      string      `json:"execution_id"`
	WorkflowID       string      `json:"workflow_id"`
	WorkflowName     string      `json:"workflow_name"`
	WorkflowRevision int         `json:"workflow_revision"`
	Status           plan.Status `json:"status"`
	Trigger          string      `json:"trigger"`
	StartedAt        time.Time   `json:"started_at"`
	CompletedAt      time.Time   `json:"completed_at,omitzero"`
	TotalTime        float64     `json:"total_time" doc:"Seconds"`
}

// comparedResult is what became of a step in one of two executions.
type comparedResult struct {
	Status        plan.Status `json:"status"`
	Handler       string      `json:"handler"`
	Attempts      int         `json:"attempts"`
	ExecutionTime float64     `json:"execution_time" doc:"Seconds"`
	Error         *plan.Error `json:"error,omitempty"`
	SkipReason    string      `json:"skip_reason,omitempty"`
	KeptFrom      string      `json:"kept_from,omitempty" doc:"The execution whose result it repeats; it took no time here"`
}

type comparedStep struct {
	StepID    string          `json:"step_id"`
	StepName  string          `json:"step_name"`
	Execution *comparedResult `json:"execution,omitempty" doc:"Missing where the execution has no such step"`
	Other     *comparedResult `json:"other,omitempty" doc:"Missing where the other execution has no such step"`
	Same      bool            `json:"same" doc:"Status, output and failure are the same; the time may differ"`
	// TimeDifference is in seconds.
	TimeDifference float64      `json:"execution_time_difference" doc:"Seconds that the other took longer; negative where it was faster"`
	Output         []difference `json:"output" nullable:"false" doc:"Where the outputs differ"`
	More           int          `json:"more,omitempty" doc:"How many further differences are not listed"`
}

type comparison struct {
	Execution  comparedRun    `json:"execution"`
	Other      comparedRun    `json:"other"`
	Parameters []difference   `json:"parameters" nullable:"false" doc:"Where the parameters differ"`
	Steps      []comparedStep `json:"steps" nullable:"false"`
}

func (s *Server) compareExecutions(c *fiber.Ctx, _ any) (int, any, error) {
	first, order, err := s.comparable(c.UserContext(), c.Params("id"))
	if err != nil {
		return 0, nil, err
	}
	other, otherOrder, err := s.comparable(c.UserContext(), c.Params("other"))
	if err != nil {
		return 0, nil, err
	}
	differ := &differ{bytes: maxDifferenceBytes}
	out := comparison{Execution: runOf(&first), Other: runOf(&other), Steps: []comparedStep{}}
	out.Parameters, _ = differ.between(first.Parameters, other.Parameters)
	for _, id := range otherOrder {
		if _, both := first.StepResults[id]; !both {
			order = append(order, id)
		}
	}
	for _, id := range order {
		out.Steps = append(out.Steps, compareStep(differ, stepOf(&first, id), stepOf(&other, id)))
	}
	return http.StatusOK, out, nil
}

// comparable is a result, and its steps in the order of the definition.
func (s *Server) comparable(ctx context.Context, rawID string) (engine.Result, []string, error) {
	id, err := executionID(rawID)
	if err != nil {
		return engine.Result{}, nil, err
	}
	result, err := s.result(ctx, id)
	if err != nil {
		return engine.Result{}, nil, err
	}
	v, err := s.viewOf(ctx, id)
	if err != nil {
		return engine.Result{}, nil, executionMissing(err)
	}
	order := make([]string, 0, len(v.steps))
	for _, step := range v.steps {
		order = append(order, step.id)
	}
	return result, slices.Clip(order), nil
}

func runOf(r *engine.Result) comparedRun {
	return comparedRun{
		ExecutionID: r.ID, WorkflowID: r.WorkflowID, WorkflowName: r.WorkflowName, WorkflowRevision: r.WorkflowRevision,
		Status: r.Status, Trigger: r.Trigger, StartedAt: r.StartedAt, CompletedAt: r.CompletedAt, TotalTime: r.TotalTime,
	}
}

func stepOf(r *engine.Result, id string) *engine.StepResult {
	if step, found := r.StepResults[id]; found {
		return &step
	}
	return nil
}

func resultOf(step *engine.StepResult) *comparedResult {
	if step == nil {
		return nil
	}
	return &comparedResult{
		Status: step.Status, Handler: step.Handler, Attempts: step.Attempts, ExecutionTime: step.ExecutionTime,
		Error: step.Error, SkipReason: step.SkipReason, KeptFrom: step.KeptFrom,
	}
}

// compareStep compares what became of a step; nil is an execution without it,
// but not both are.
func compareStep(differ *differ, first, other *engine.StepResult) comparedStep {
	named := first
	if named == nil {
		named = other
	}
	step := comparedStep{
		StepID: named.StepID, StepName: named.StepName, Execution: resultOf(first), Other: resultOf(other), Output: []difference{},
	}
	if first == nil || other == nil {
		return step
	}
	step.Output, step.More = differ.between(first.Output, other.Output)
	step.TimeDifference = other.ExecutionTime - first.ExecutionTime
	step.Same = first.Status == other.Status && len(step.Output)+step.More == 0 && sameFailure(first.Error, other.Error)
	return step
}

func sameFailure(a, b *plan.Error) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// difference is one place where two values differ.
type difference struct {
	Pointer string          `json:"pointer" doc:"JSON pointer (RFC 6901)"`
	Kind    string          `json:"kind" enum:"added,removed,changed"`
	Before  json.RawMessage `json:"before,omitempty" doc:"The value of the execution"`
	After   json.RawMessage `json:"after,omitempty" doc:"The value of the other execution"`
}
