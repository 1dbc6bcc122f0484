package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/store/data"
)

// maxWait bounds what Prefer: wait=N may ask for.
const maxWait = time.Hour

func (s *Server) addExecute(tags []string) {
	register(s, huma.Operation{
		OperationID: "execute-workflow", Method: http.MethodPost, Path: apiBase + "/workflows/{id}/execute/", Tags: tags,
		DefaultStatus: http.StatusAccepted, SkipValidateBody: true, Summary: "Execute a workflow",
		Description: "202 as soon as the execution is durable; 200 with the result where the caller waits for its end. A body whose keys are all declared parameters is taken as the parameters.",
		Responses: map[string]*huma.Response{
			"202": {Description: "Started", Content: content(s.schemaOf(started{}), typeJSON)},
			"200": {Description: "Ended; or with dry_run, what it would do", Content: content(&huma.Schema{
				AnyOf: []*huma.Schema{s.schemaOf(engine.Result{}), s.schemaOf(preview{})},
			}, typeJSON)},
		},
	}, s.executeWorkflow)
}

// startBody is the body of an execute request as it was sent.
type startBody struct{ raw json.RawMessage }

// UnmarshalJSON keeps the text.
func (b *startBody) UnmarshalJSON(text []byte) error {
	b.raw = bytes.Clone(text)
	return nil
}

// MarshalJSON returns what was sent.
func (b startBody) MarshalJSON() ([]byte, error) { return b.raw, nil }

// Schema describes the body; bare parameters are its further properties.
func (startBody) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true, Description: "Options of the execution, or its parameters alone",
		Properties: map[string]*huma.Schema{
			"parameters":      {Type: huma.TypeObject, AdditionalProperties: true},
			"async":           {Type: huma.TypeBoolean, Description: "false waits for the end"},
			"dry_run":         {Type: huma.TypeBoolean, Description: "true only says what it would do"},
			"idempotency_key": {Type: huma.TypeString, MaxLength: new(data.MaxKey)},
			"skip_steps":      {Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}},
			"workspace":       {Type: huma.TypeString},
		},
	}
}

// startWords are the keys of an execute request that is not bare parameters.
var startWords = []string{"parameters", "async", "dry_run", "idempotency_key", "skip_steps", "workspace"}

type startOptions struct {
	Parameters     json.RawMessage `json:"parameters"`
	Async          *bool           `json:"async"`
	DryRun         bool            `json:"dry_run"`
	IdempotencyKey string          `json:"idempotency_key"`
	SkipSteps      []string        `json:"skip_steps"`
	Workspace      string          `json:"workspace"`
}

// readStart tells options from bare parameters.
func readStart(raw json.RawMessage) (startOptions, error) {
	var options startOptions
	if len(raw) == 0 || string(raw) == "null" {
		return options, nil
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(raw, &keys); err != nil {
		return options, problem.InvalidValue("", "wrong_type", "the body must be a JSON object")
	}
	var unknown []string
	known := 0
	for key := range keys {
		if slices.Contains(startWords, key) {
			known++
		} else {
			unknown = append(unknown, key)
		}
	}
	if known == 0 {
		// The engine refuses what is not a declared parameter.
		options.Parameters = raw
		return options, nil
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		p := problem.New(http.StatusBadRequest, problem.ValidationError, "the body has keys that an execution does not know; put parameters under parameters")
		for _, key := range unknown {
			p.Errors = append(p.Errors, problem.Item{Pointer: "/" + pointerEscape(key), Code: "unknown_key", Message: fmt.Sprintf("there is no option %q", key)})
		}
		return options, p
	}
	if err := json.Unmarshal(raw, &options); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return options, problem.InvalidValue("/"+strings.ReplaceAll(wrong.Field, ".", "/"), "wrong_type", fmt.Sprintf("%s must not be a %s", wrong.Field, wrong.Value))
		}
		return options, problem.InvalidValue("", "wrong_type", "the body can't be read")
	}
	return options, nil
}

func pointerEscape(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

type executeInput struct {
	ID             string     `path:"id"`
	Async          string     `query:"async" enum:"true,false" doc:"false waits for the end"`
	IdempotencyKey string     `header:"Idempotency-Key" maxLength:"1024" doc:"Gives back the execution that was started with it within 24 hours"`
	Trigger        string     `header:"X-Vwmp-Trigger" enum:"manual,api,cli" default:"api" doc:"What the execution shows as its trigger"`
	Prefer         string     `header:"Prefer" doc:"wait=N waits at most N seconds for the end"`
	Body           *startBody `required:"false"`
}

type started struct {
	ExecutionID  string      `json:"execution_id"`
	WorkflowID   string      `json:"workflow_id"`
	Status       plan.Status `json:"status"`
	StartedAt    time.Time   `json:"started_at"`
	WebsocketURL string      `json:"websocket_url" doc:"Where its events are"`
}

type executeOutput struct {
	Status            int
	Location          string `header:"Location"`
	PreferenceApplied string `header:"Preference-Applied"`
	// Body is a started, a result, or a preview.
	Body any
}

func (s *Server) executeWorkflow(ctx context.Context, in *executeInput) (*executeOutput, error) {
	id, err := workflowID(in.ID)
	if err != nil {
		return nil, err
	}
	var raw json.RawMessage
	if in.Body != nil {
		raw = in.Body.raw
	}
	options, err := readStart(raw)
	if err != nil {
		return nil, err
	}
	if in.IdempotencyKey != "" {
		options.IdempotencyKey = in.IdempotencyKey
	}
	if options.DryRun {
		would, err := s.preview(ctx, id, options)
		if err != nil {
			return nil, err
		}
		return &executeOutput{Status: http.StatusOK, Body: would}, nil
	}
	wait, limit, err := in.waits(options)
	if err != nil {
		return nil, err
	}
	starting := ctx
	if wait {
		starting = s.awaitedBy(ctx)
	}
	execution, err := s.start(starting, id, options, in.Trigger)
	if err != nil {
		return nil, err
	}
	out := &executeOutput{Status: http.StatusAccepted, Location: executionPath(execution.ID)}
	if wait {
		if limit > 0 {
			out.PreferenceApplied = "wait=" + strconv.Itoa(int(limit.Seconds()))
		}
		result, ended, err := s.awaited(ctx, execution.ID, limit)
		if err != nil {
			return nil, err
		}
		if ended {
			out.Status, out.Body = http.StatusOK, result
			return out, nil
		}
	}
	out.Body = startedOf(ctx, &execution)
	return out, nil
}

// waits says whether a caller waits for the end, and how long; zero is as
// long as it takes.
func (in *executeInput) waits(options startOptions) (wait bool, limit time.Duration, err error) {
	for preference := range strings.SplitSeq(in.Prefer, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(preference), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "wait") {
			continue
		}
		seconds, err := strconv.Atoi(strings.Trim(strings.TrimSpace(value), `"`))
		if err != nil || seconds < 0 {
			return false, 0, problem.InvalidValue("Prefer", "invalid", "wait must be a number of seconds")
		}
		wait, limit = seconds > 0, min(time.Duration(min(seconds, 1<<20))*time.Second, maxWait)
	}
	switch {
	case in.Async == "false", in.Async == "" && options.Async != nil && !*options.Async:
		return true, limit, nil
	case in.Async == "true", options.Async != nil:
		return false, 0, nil
	}
	return wait, limit, nil
}

// start starts a stored workflow.
func (s *Server) start(ctx context.Context, workflowID string, options startOptions, trigger string) (engine.Execution, error) {
	request, err := s.startRequest(ctx, workflowID, options, trigger)
	if err != nil {
		return engine.Execution{}, err
	}
	execution, _, err := s.Engine.Start(ctx, request)
	return execution, err
}

// startRequest is the request that runs a stored workflow.
func (s *Server) startRequest(ctx context.Context, workflowID string, options startOptions, trigger string) (engine.StartRequest, error) {
	if len(options.IdempotencyKey) > data.MaxKey {
		return engine.StartRequest{}, problem.InvalidValue("/idempotency_key", "too_long", fmt.Sprintf("the idempotency key has more than %d bytes", data.MaxKey))
	}
	workspace, err := s.workspace(options.Workspace)
	if err != nil {
		return engine.StartRequest{}, err
	}
	w, revision, err := s.newest(ctx, workflowID)
	if err != nil {
		return engine.StartRequest{}, err
	}
	if !w.Valid {
		return engine.StartRequest{}, draftRefused(w)
	}
	if err := s.Catalogue.Ready(ctx); err != nil {
		return engine.StartRequest{}, err
	}
	parameters := options.Parameters
	if string(parameters) == "null" {
		parameters = nil
	}
	return engine.StartRequest{
		WorkflowID: w.ID, Revision: w.Revision, Document: revision.Document, Parameters: parameters,
		Trigger: trigger, By: infoOf(ctx).who.Name, Workspace: workspace, SkipSteps: options.SkipSteps, IdempotencyKey: options.IdempotencyKey,
	}, nil
}

func (s *Server) workspace(name string) (engine.Workspace, error) {
	if name == "" {
		return s.Workspaces[0], nil
	}
	var names []string
	for _, workspace := range s.Workspaces {
		if workspace.Name == name {
			return workspace, nil
		}
		names = append(names, workspace.Name)
	}
	return engine.Workspace{}, problem.InvalidValue("/workspace", "unknown_workspace",
		fmt.Sprintf("there is no workspace %q; there are: %s", name, strings.Join(names, ", ")))
}

// draftRefused lists what keeps a draft from being executed.
func draftRefused(w data.Workflow) *problem.Problem {
	p := problem.New(http.StatusBadRequest, problem.ValidationError, "the workflow is a draft with problems; put them right and save it again")
	if err := json.Unmarshal(w.Problems, &p.Errors); err != nil {
		return p.Because(fmt.Errorf("read a draft's problems: %w", err))
	}
	return p
}

// awaited waits for the end of an execution, and says whether it came.
func (s *Server) awaited(ctx context.Context, executionID string, limit time.Duration) (engine.Result, bool, error) {
	waiting := ctx
	if limit > 0 {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	if err := s.Engine.Wait(waiting, executionID); err != nil && waiting.Err() == nil {
		return engine.Result{}, false, err
	}
	// The request's own context may have ended with the server's stop; the
	// execution is durable all the same, and its state worth telling.
	result, err := s.result(context.WithoutCancel(ctx), executionID)
	return result, err == nil && result.Status.Ended(), err
}
