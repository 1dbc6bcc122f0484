package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/problem"
)

func (s *Server) addRepeats(tags []string) {
	register(s, huma.Operation{
		OperationID: "retry-execution", Method: http.MethodPost, Path: apiBase + "/executions/{id}/retry/", Tags: tags, DefaultStatus: http.StatusAccepted,
		Summary: "Retry an ended execution", Description: "A new execution that keeps what succeeded and starts from what failed, or from a step.",
	}, s.retryExecution)
	register(s, huma.Operation{
		OperationID: "fork-execution", Method: http.MethodPost, Path: apiBase + "/executions/{id}/fork/", Tags: tags, DefaultStatus: http.StatusAccepted,
		Summary:     "Fork an ended execution",
		Description: "A new execution from a step on that keeps what came before. Parameters, config and outputs can be edited by those who may edit workflows.",
		Responses: map[string]*huma.Response{
			"202": {Description: "The new execution", Content: content(s.schemaOf(forked{}), typeJSON)},
			"200": {Description: "With dry_run: what would be kept and made again", Content: content(s.schemaOf(forkPlan{}), typeJSON)},
		},
	}, s.forkExecution)
	register(s, huma.Operation{
		OperationID: "undo-execution", Method: http.MethodPost, Path: apiBase + "/executions/{id}/undo/", Tags: tags, DefaultStatus: http.StatusAccepted,
		Summary: "Undo an ended execution", Description: "A new execution that takes back what can be taken back, last finished first.",
	}, s.undoExecution)
}

// launched is an execution that was just made.
type launched struct {
	engine.Execution
	WebsocketURL string `json:"websocket_url" doc:"Where its events are"`
}

type launchedOutput struct {
	Location string `header:"Location"`
	Body     launched
}

// launch shows a new execution to whoever asked for it.
func (s *Server) launch(ctx context.Context, execution engine.Execution) (*launchedOutput, error) {
	shown, err := s.shownWhole(ctx, execution)
	if err != nil {
		return nil, err
	}
	return &launchedOutput{
		Location: executionPath(execution.ID),
		Body:     launched{Execution: shown, WebsocketURL: infoOf(ctx).socketURL("/ws/vwmp/executions/" + execution.ID)},
	}, nil
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

type retryInput struct {
	ID   string        `path:"id"`
	Body *retryOptions `required:"false"`
}

func (s *Server) retryExecution(ctx context.Context, in *retryInput) (*launchedOutput, error) {
	id, err := executionID(in.ID)
	if err != nil {
		return nil, err
	}
	var options retryOptions
	if in.Body != nil {
		options = *in.Body
	}
	request := engine.RetryRequest{FromStep: options.FromStep, By: infoOf(ctx).who.Name}
	if request.Parameters, err = object("/parameters", options.Parameters); err != nil {
		return nil, err
	}
	if options.Newest || options.Revision > 0 {
		if request.Document, request.Revision, err = s.replacement(ctx, id, options); err != nil {
			return nil, err
		}
	}
	if err := s.Catalogue.Ready(ctx); err != nil {
		return nil, err
	}
	execution, err := s.Engine.Retry(ctx, id, request)
	if err != nil {
		return nil, executionMissing(err)
	}
	return s.launch(ctx, execution)
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

// edits reports whether anything is to be other than it was.
func (o *forkOptions) edits() bool {
	return o.Parameters != nil || o.Config != nil || len(o.Outputs) > 0
}

type forkInput struct {
	ID     string `path:"id"`
	DryRun bool   `query:"dry_run" doc:"Only say what would be kept and made again"`
	Body   forkOptions
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

type forkOutput struct {
	Status   int
	Location string `header:"Location"`
	// Body is a forked, or a forkPlan.
	Body any
}

func (s *Server) forkExecution(ctx context.Context, in *forkInput) (*forkOutput, error) {
	id, err := executionID(in.ID)
	if err != nil {
		return nil, err
	}
	options := in.Body
	if options.Parameters, err = object("/parameters", options.Parameters); err != nil {
		return nil, err
	}
	if options.Config, err = object("/config", options.Config); err != nil {
		return nil, err
	}
	if options.edits() {
		if err := mayEdit(ctx, "a fork with edits"); err != nil {
			return nil, err
		}
	}
	if err := s.Catalogue.Ready(ctx); err != nil {
		return nil, err
	}
	fork, err := s.Engine.Fork(ctx, id, engine.ForkRequest{
		FromStep: options.FromStep, Item: options.Item, Parameters: options.Parameters, Config: options.Config, Outputs: options.Outputs,
		By: infoOf(ctx).who.Name, DryRun: in.DryRun,
	})
	if err != nil {
		return nil, executionMissing(err)
	}
	if fork.Execution == nil {
		return &forkOutput{Status: http.StatusOK, Body: forkPlan{fork.Kept, fork.Redone, fork.Unsafe}}, nil
	}
	made, err := s.launch(ctx, *fork.Execution)
	if err != nil {
		return nil, err
	}
	return &forkOutput{Status: http.StatusAccepted, Location: made.Location, Body: forked{
		Execution: made.Body.Execution, WebsocketURL: made.Body.WebsocketURL, Kept: fork.Kept, Redone: fork.Redone, Unsafe: fork.Unsafe,
	}}, nil
}

// mayEdit refuses callers who may only run what others wrote.
func mayEdit(ctx context.Context, what string) error {
	if who := infoOf(ctx).who; !who.May(edge.Editor) {
		return problem.New(http.StatusForbidden, problem.AuthorizationError, fmt.Sprintf("%s needs the role %s; yours is %s", what, edge.Editor, who.Role))
	}
	return nil
}

func (s *Server) undoExecution(ctx context.Context, in *executionInput) (*launchedOutput, error) {
	id, err := executionID(in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.Catalogue.Ready(ctx); err != nil {
		return nil, err
	}
	execution, err := s.Engine.Undo(ctx, id, infoOf(ctx).who.Name)
	if err != nil {
		return nil, executionMissing(err)
	}
	return s.launch(ctx, execution)
}
