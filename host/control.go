package host

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/problem"
)

func (s *Server) addControl(tags []string) {
	register(s, huma.Operation{
		OperationID: "pause-execution", Method: http.MethodPost, Path: apiBase + "/executions/{id}/pause/", Tags: tags,
		Summary: "Pause an execution", Description: "What runs goes on to its end; nothing more starts until it is resumed.",
	}, s.pauseExecution)
	register(s, huma.Operation{
		OperationID: "approve-step", Method: http.MethodPost, Path: apiBase + "/executions/{id}/steps/{step}/approve/", Tags: tags,
		Summary: "Answer a step that waits for an approval", Description: "403 where the caller is not among its approvers.",
	}, s.approveStep)
	register(s, huma.Operation{
		OperationID: "send-signal", Method: http.MethodPost, Path: apiBase + "/executions/{id}/signals/{name}/", Tags: tags, SkipValidateBody: true,
		Summary: "Send a signal", Description: "The body is its payload. Every step that waits for the signal gets it, or else the first one that will.",
	}, s.sendSignal)
}

func (s *Server) pauseExecution(ctx context.Context, in *executionInput) (*resultOutput, error) {
	return s.act(ctx, in.ID, func(id, by string) error {
		_, err := s.Engine.Pause(ctx, id, by)
		return err
	})
}

// actOnStep is act for a step, which must be one of the execution's.
func (s *Server) actOnStep(ctx context.Context, rawID, rawStep string, do func(id, by string) error) (*resultOutput, error) {
	step, err := stepID(rawStep)
	if err != nil {
		return nil, err
	}
	return s.act(ctx, rawID, func(id, by string) error {
		v, err := s.viewOf(ctx, id)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(v.steps, func(known viewedStep) bool { return known.id == step }) {
			return noStep(step)
		}
		return do(id, by)
	})
}

func noStep(id string) *problem.Problem {
	return problem.New(http.StatusNotFound, problem.NotFound, fmt.Sprintf("the execution has no step %q", id))
}

type approval struct {
	Approved bool            `json:"approved" doc:"false rejects, and fails the step"`
	Comment  string          `json:"comment,omitempty" maxLength:"10000"`
	Data     json.RawMessage `json:"data,omitempty" doc:"The answers to the form, an object; they become the step's output"`
	Item     *int            `json:"item,omitempty" minimum:"0" doc:"The item of a for_each; without it, the first that waits"`
}

type approveInput struct {
	ID   string `path:"id"`
	Step string `path:"step"`
	Body approval
}

func (s *Server) approveStep(ctx context.Context, in *approveInput) (*resultOutput, error) {
	answer, err := object("/data", in.Body.Data)
	if err != nil {
		return nil, err
	}
	return s.actOnStep(ctx, in.ID, in.Step, func(id, by string) error {
		_, err := s.Engine.Approve(ctx, id, in.Step, engine.Approval{
			Approved: in.Body.Approved, Comment: in.Body.Comment, Data: answer, Item: in.Body.Item, By: by, Roles: rolesOf(infoOf(ctx).who),
		})
		return err
	})
}

// rolesOf are the roles that a caller may answer as: one's own and those that
// it includes.
func rolesOf(who edge.Principal) []string {
	var roles []string
	for _, role := range []edge.Permission{edge.Viewer, edge.Executor, edge.Editor, edge.Admin} {
		if who.May(role) {
			roles = append(roles, role.String())
		}
	}
	return roles
}

// object refuses a value that is not an object; null is none at all.
func object(pointer string, raw json.RawMessage) (json.RawMessage, error) {
	switch text := bytes.TrimSpace(raw); {
	case len(text) == 0, string(text) == "null":
		return nil, nil
	case text[0] != '{':
		return nil, problem.InvalidValue(pointer, "wrong_type", pointer[1:]+" must be an object")
	}
	return raw, nil
}

// payload is a body of any JSON.
type payload struct{ raw json.RawMessage }

// UnmarshalJSON keeps the text.
func (p *payload) UnmarshalJSON(text []byte) error {
	p.raw = bytes.Clone(text)
	return nil
}

// MarshalJSON returns what was sent.
func (p payload) MarshalJSON() ([]byte, error) { return p.raw, nil }

// Schema describes the body.
func (payload) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "Any JSON; what the waiting step gives as its output"}
}

type signalInput struct {
	ID   string   `path:"id"`
	Name string   `path:"name" doc:"The name that the step waits for"`
	Body *payload `required:"false"`
}

var signalName = regexp.MustCompile(workflow.SignalPattern)

func (s *Server) sendSignal(ctx context.Context, in *signalInput) (*resultOutput, error) {
	name, ok := pathValue(in.Name)
	if !ok || !signalName.MatchString(name) {
		return nil, problem.InvalidValue("name", "pattern", "a signal's name has 1 to 100 letters, digits, dots, dashes and underscores, and begins with a letter or a digit")
	}
	var sent json.RawMessage
	if in.Body != nil {
		sent = in.Body.raw
	}
	return s.act(ctx, in.ID, func(id, by string) error {
		_, err := s.Engine.Signal(ctx, id, name, sent, by)
		return err
	})
}
