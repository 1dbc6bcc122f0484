package host

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/problem"
)

func (s *Server) addControl(tags []string) {
	registerPlain(s, huma.Operation{
		OperationID: "pause-execution", Method: http.MethodPost, Path: apiBase + "/executions/{id}/pause/", Tags: tags,
		Summary: "Pause an execution", Description: "What runs goes on to its end; nothing more starts until it is resumed.",
	}, s.pauseExecution)
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "approve-step", Method: http.MethodPost, Path: apiBase + "/executions/{id}/steps/{step}/approve/", Tags: tags,
			Summary: "Answer a step that waits for an approval", Description: "403 where the caller is not among its approvers.",
		},
		body: approval{}, answers: map[int]any{http.StatusOK: engine.Result{}}, serve: s.approveStep,
	})
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "resolve-step", Method: http.MethodPost, Path: apiBase + "/executions/{id}/steps/{step}/resolve/", Tags: tags,
			Summary: "Decide an interrupted step",
		},
		body: resolution{}, answers: map[int]any{http.StatusOK: engine.Result{}}, serve: s.resolveStep,
	})
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "send-signal", Method: http.MethodPost, Path: apiBase + "/executions/{id}/signals/{name}/", Tags: tags,
			Summary: "Send a signal", Description: "The body is its payload. Every step that waits for the signal gets it, or else the first one that will.",
		},
		body: payload{}, bodyOptional: true, answers: map[int]any{http.StatusOK: engine.Result{}}, serve: s.sendSignal,
	})
}

func (s *Server) pauseExecution(ctx context.Context, in *executionInput) (*resultOutput, error) {
	return s.act(ctx, in.ID, func(id, by string) error {
		_, err := s.Engine.Pause(ctx, id, by)
		return err
	})
}

// acted answers an action with the result as it stands then.
func acted(out *resultOutput, err error) (int, any, error) {
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, out.Body, nil
}

// actOnStep does something to the step that the path names, which must be one
// of the execution's.
func (s *Server) actOnStep(c *fiber.Ctx, do func(ctx context.Context, id, step, by string) error) (int, any, error) {
	step, err := stepID(c.Params("step"))
	if err != nil {
		return 0, nil, err
	}
	ctx := c.UserContext()
	return acted(s.act(ctx, c.Params("id"), func(id, by string) error {
		v, err := s.viewOf(ctx, id)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(v.steps, func(known viewedStep) bool { return known.id == step }) {
			return noStep(step)
		}
		return do(ctx, id, step, by)
	}))
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

func (s *Server) approveStep(c *fiber.Ctx, body any) (int, any, error) {
	sent, _ := body.(*approval)
	answer, err := object("/data", sent.Data)
	if err != nil {
		return 0, nil, err
	}
	return s.actOnStep(c, func(ctx context.Context, id, step, by string) error {
		_, err := s.Engine.Approve(ctx, id, step, engine.Approval{
			Approved: sent.Approved, Comment: sent.Comment, Data: answer, Item: sent.Item, By: by, Roles: rolesOf(infoOf(ctx).who),
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

type resolution struct {
	As     string          `json:"as" enum:"retry,success,failed,skipped"`
	Item   *int            `json:"item,omitempty" minimum:"0" doc:"The item of a for_each; without it, all that are interrupted"`
	Output json.RawMessage `json:"output,omitempty" doc:"The step's output, where it is taken as a success"`
}

func (s *Server) resolveStep(c *fiber.Ctx, body any) (int, any, error) {
	sent, _ := body.(*resolution)
	if len(sent.Output) > 0 && sent.As != "success" {
		return 0, nil, problem.InvalidValue("/output", "not_allowed", "an output belongs to a success only")
	}
	return s.actOnStep(c, func(ctx context.Context, id, step, by string) error {
		_, err := s.Engine.ResolveStep(ctx, id, step, engine.Resolution{Item: sent.Item, As: sent.As, Output: sent.Output, By: by})
		return err
	})
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

func (s *Server) sendSignal(c *fiber.Ctx, body any) (int, any, error) {
	name, ok := pathValue(c.Params("name"))
	if !ok || !workflow.ValidSignalName(name) {
		return 0, nil, problem.InvalidValue("name", "pattern", "a signal's name has 1 to 100 letters, digits, dots, dashes and underscores, and begins with a letter or a digit")
	}
	sent, _ := body.(*payload)
	ctx := c.UserContext()
	return acted(s.act(ctx, c.Params("id"), func(id, by string) error {
		_, err := s.Engine.Signal(ctx, id, name, sent.raw, by)
		return err
	}))
}
