package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/problem"
)

func (s *Server) addRepeats(tags []string) {
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "retry-execution", Method: http.MethodPost, Path: apiBase + "/executions/{id}/retry/", Tags: tags,
			Summary: "Retry an ended execution", Description: "A new execution that keeps what succeeded and starts from what failed, or from a step.",
		},
		body: retryOptions{}, bodyOptional: true, answers: map[int]any{http.StatusAccepted: launched{}}, serve: s.retryExecution,
	})
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "fork-execution", Method: http.MethodPost, Path: apiBase + "/executions/{id}/fork/", Tags: tags,
			Summary:     "Fork an ended execution",
			Description: "A new execution from a step on that keeps what came before. Parameters, config and outputs can be edited by those who may edit workflows.",
			Parameters:  []*huma.Param{query("dry_run", huma.TypeBoolean, "Only say what would be kept and made again; 200")},
		},
		body: forkOptions{}, answers: map[int]any{http.StatusAccepted: forked{}, http.StatusOK: forkPlan{}}, serve: s.forkExecution,
	})
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "undo-execution", Method: http.MethodPost, Path: apiBase + "/executions/{id}/undo/", Tags: tags,
			Summary: "Undo an ended execution", Description: "A new execution that takes back what can be taken back, last finished first.",
			Parameters: []*huma.Param{query("dry_run", huma.TypeBoolean, "Only say what would be taken back; 200")},
		},
		answers: map[int]any{http.StatusAccepted: launched{}, http.StatusOK: undoPlan{}}, serve: s.undoExecution,
	})
}

// launched is an execution that was just made.
type launched struct {
	engine.Execution
	WebsocketURL string `json:"websocket_url" doc:"Where its events are"`
}

// launch shows a new execution to whoever asked for it.
func (s *Server) launch(c *fiber.Ctx, execution engine.Execution) (launched, error) {
	shown, err := s.shownWhole(c.UserContext(), execution)
	if err != nil {
		return launched{}, err
	}
	c.Set(fiber.HeaderLocation, executionPath(execution.ID))
	return launched{Execution: shown, WebsocketURL: infoOf(c.UserContext()).socketURL("/ws/vwmp/executions/" + execution.ID)}, nil
}

// shownWhole is a header with its parameters, secret ones hidden.
func (s *Server) shownWhole(ctx context.Context, execution engine.Execution) (engine.Execution, error) {
	v, err := s.viewOf(ctx, execution.ID)
	if err != nil {
		return engine.Execution{}, executionMissing(err)
	}
	execution = s.shownExecution(execution)
	execution.Parameters = masked(execution.Parameters, v.secrets)
	return execution, nil
}

type retryOptions struct {
	FromStep   string          `json:"from_step,omitempty" maxLength:"64" doc:"Made again with all that comes after it; without it, what failed or was never run"`
	Parameters json.RawMessage `json:"parameters,omitempty" doc:"An object; those that it names replace the earlier ones"`
	Newest     bool            `json:"newest,omitempty" doc:"Take the workflow as it is now"`
	Revision   int             `json:"revision,omitempty" minimum:"1" doc:"Take this revision of the workflow"`
}

func (s *Server) retryExecution(c *fiber.Ctx, body any) (int, any, error) {
	ctx := c.UserContext()
	id, err := executionID(c.Params("id"))
	if err != nil {
		return 0, nil, err
	}
	options, _ := body.(*retryOptions)
	request := engine.RetryRequest{FromStep: options.FromStep, By: infoOf(ctx).who.Name}
	if request.Parameters, err = object("/parameters", options.Parameters); err != nil {
		return 0, nil, err
	}
	if options.Newest || options.Revision > 0 {
		if request.Document, request.Revision, err = s.replacement(ctx, id, *options); err != nil {
			return 0, nil, err
		}
	}
	if err := s.Catalogue.Ready(ctx); err != nil {
		return 0, nil, err
	}
	execution, err := s.Engine.Retry(ctx, id, request)
	if err != nil {
		return 0, nil, executionMissing(err)
	}
	made, err := s.launch(c, execution)
	return http.StatusAccepted, made, err
}

// replacement is the definition that a retry takes instead of the first one.
func (s *Server) replacement(ctx context.Context, id string, options retryOptions) (json.RawMessage, int, error) {
	if options.Newest && options.Revision > 0 {
		return nil, 0, problem.InvalidValue("/revision", "not_allowed", "take either the newest revision or one by its number")
	}
	execution, err := s.Executions.Execution(ctx, id)
	if err != nil {
		return nil, 0, executionMissing(err)
	}
	if _, err := s.Workflows.Workflow(ctx, execution.WorkflowID); err != nil {
		return nil, 0, workflowMissing(err)
	}
	revision, err := s.Workflows.WorkflowRevision(ctx, execution.WorkflowID, options.Revision)
	switch {
	case errors.Is(err, engine.ErrNotFound) && options.Revision > 0:
		return nil, 0, problem.InvalidValue("/revision", "unknown_revision", fmt.Sprintf("the workflow has no revision %d", options.Revision)).Because(err)
	case err != nil:
		return nil, 0, workflowMissing(err)
	}
	return revision.Document, revision.Revision, nil
}

type forkOptions struct {
	FromStep   string                     `json:"from_step" minLength:"1" maxLength:"64" doc:"Made again with all that comes after it"`
	Item       *int                       `json:"item,omitempty" minimum:"0" doc:"The one item of its for_each that is made again"`
	Parameters json.RawMessage            `json:"parameters,omitempty" doc:"An object; those that it names replace the earlier ones"`
	Config     json.RawMessage            `json:"config,omitempty" doc:"An object, in the place of from_step's config"`
	Outputs    map[string]json.RawMessage `json:"outputs,omitempty" doc:"By the ids of earlier steps, in the place of their outputs"`
}

type forkPlan struct {
	Kept   []string `json:"kept" nullable:"false" doc:"Steps whose results are taken over"`
	Redone []string `json:"redone" nullable:"false" doc:"Steps that are made again"`
	Unsafe []string `json:"unsafe" nullable:"false" doc:"Those of redone that ran before and would do something twice"`
}

type forked struct {
	engine.Execution
	WebsocketURL string   `json:"websocket_url" doc:"Where its events are"`
	Kept         []string `json:"kept" nullable:"false"`
	Redone       []string `json:"redone" nullable:"false"`
	Unsafe       []string `json:"unsafe" nullable:"false"`
}

func (s *Server) forkExecution(c *fiber.Ctx, body any) (int, any, error) {
	ctx := c.UserContext()
	id, err := executionID(c.Params("id"))
	if err != nil {
		return 0, nil, err
	}
	dryRun, err := flag(c, "dry_run")
	if err != nil {
		return 0, nil, err
	}
	options, _ := body.(*forkOptions)
	if err := options.check(ctx); err != nil {
		return 0, nil, err
	}
	if err := s.Catalogue.Ready(ctx); err != nil {
		return 0, nil, err
	}
	fork, err := s.Engine.Fork(ctx, id, engine.ForkRequest{
		FromStep: options.FromStep, Item: options.Item, Parameters: options.Parameters, Config: options.Config, Outputs: options.Outputs,
		By: infoOf(ctx).who.Name, DryRun: dryRun,
	})
	if err != nil {
		return 0, nil, executionMissing(err)
	}
	if fork.Execution == nil {
		return http.StatusOK, forkPlan{fork.Kept, fork.Redone, fork.Unsafe}, nil
	}
	made, err := s.launch(c, *fork.Execution)
	return http.StatusAccepted, forked{
		Execution: made.Execution, WebsocketURL: made.WebsocketURL, Kept: fork.Kept, Redone: fork.Redone, Unsafe: fork.Unsafe,
	}, err
}

// check refuses edits that are no objects, or not the caller's to make.
func (o *forkOptions) check(ctx context.Context) (err error) {
	if o.Parameters, err = object("/parameters", o.Parameters); err != nil {
		return err
	}
	if o.Config, err = object("/config", o.Config); err != nil {
		return err
	}
	if o.Parameters != nil || o.Config != nil || len(o.Outputs) > 0 {
		return mayEdit(ctx, "a fork with edits")
	}
	return nil
}

// mayEdit refuses callers who may only run what others wrote.
func mayEdit(ctx context.Context, what string) error {
	if who := infoOf(ctx).who; !who.May(edge.Editor) {
		return problem.New(http.StatusForbidden, problem.AuthorizationError, fmt.Sprintf("%s needs the role %s; yours is %s", what, edge.Editor, who.Role))
	}
	return nil
}

type undoPlan struct {
	Steps []plan.UndoOutlook `json:"steps" nullable:"false" doc:"In the order of the definition"`
}

func (s *Server) undoExecution(c *fiber.Ctx, _ any) (int, any, error) {
	ctx := c.UserContext()
	id, err := executionID(c.Params("id"))
	if err != nil {
		return 0, nil, err
	}
	dryRun, err := flag(c, "dry_run")
	if err != nil {
		return 0, nil, err
	}
	if err := s.Catalogue.Ready(ctx); err != nil {
		return 0, nil, err
	}
	if dryRun {
		outlook, err := s.Engine.UndoOutlook(ctx, id)
		return http.StatusOK, undoPlan{outlook}, executionMissing(err)
	}
	execution, err := s.Engine.Undo(ctx, id, infoOf(ctx).who.Name)
	if err != nil {
		return 0, nil, executionMissing(err)
	}
	made, err := s.launch(c, execution)
	return http.StatusAccepted, made, err
}
