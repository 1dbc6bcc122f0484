package host

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/store/data"
)

// sees reports whether somebody may see a workflow of these rights. It is the
// one place that judges that.
func sees(who edge.Principal, rights data.Rights) bool {
	switch {
	case who.May(edge.Admin), rights.Owner != "" && rights.Owner == who.Name:
		return true
	case rights.Visibility == data.VisibleTeam:
		return slices.Contains(who.Teams, rights.Team)
	}
	return rights.Shown().Visibility == data.VisibleAll
}

// maySee is a *problem.Problem, missing, for a workflow that somebody may not
// see: it is as if it were not there.
func (s *Server) maySee(ctx context.Context, who edge.Principal, workflowID string, missing *problem.Problem) error {
	if who.May(edge.Admin) || workflowID == "" {
		return nil
	}
	rights, err := s.Workflows.Rights(ctx, workflowID)
	if err == nil && !sees(who, rights) {
		return missing
	}
	return err
}

// maySeeExecution is maySee for the workflow of an execution.
func (s *Server) maySeeExecution(ctx context.Context, who edge.Principal, id string) error {
	if who.May(edge.Admin) {
		return nil
	}
	execution, err := s.Executions.Execution(ctx, id)
	if err != nil {
		return executionMissing(err)
	}
	return s.maySee(ctx, who, execution.WorkflowID, noExecution())
}

// maySeeObject judges what the path of a request names: a workflow, an
// execution or two, or a trigger. Every route below them passes here, before
// its handler.
func (s *Server) maySeeObject(c *fiber.Ctx, r route, who edge.Principal) error {
	if who.May(edge.Admin) {
		return nil
	}
	ctx := c.UserContext()
	switch {
	case strings.Contains(r.pattern, "/workflows/{id}/"):
		id, err := workflowID(c.Params("id"))
		if err != nil {
			return err
		}
		return s.maySee(ctx, who, id, noWorkflow())
	case strings.Contains(r.pattern, "/triggers/{id}/"):
		id, err := triggerID(c.Params("id"))
		if err != nil {
			return err
		}
		of, _, _ := strings.Cut(id, ".")
		return s.maySee(ctx, who, of, noTrigger())
	case strings.Contains(r.pattern, "/executions/{id}"):
		names := []string{"id"}
		if strings.Contains(r.pattern, "/{other}/") {
			names = append(names, "other")
		}
		for _, name := range names {
			id, err := executionID(c.Params(name))
			if err != nil {
				return err
			}
			if err := s.maySeeExecution(ctx, who, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// hidden are the workflows that must not be in any list that somebody gets.
func (s *Server) hidden(ctx context.Context, who edge.Principal) (map[string]bool, error) {
	if who.May(edge.Admin) {
		return nil, nil
	}
	restricted, err := s.Workflows.RestrictedWorkflows(ctx)
	if err != nil {
		return nil, err
	}
	hidden := map[string]bool{}
	for id, rights := range restricted {
		if !sees(who, rights) {
			hidden[id] = true
		}
	}
	return hidden, nil
}

func (s *Server) addAccess(tags []string) {
	const path = apiBase + "/workflows/{id}/access/"
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "set-workflow-access", Method: http.MethodPut, Path: path, Tags: tags,
			Summary:     "Say whose a workflow is, and who may see it",
			Description: "For its owner and administrators. What is left out stays as it is. Who may not see a workflow gets 404 for it and its executions.",
		},
		body: accessChange{}, answers: map[int]any{http.StatusOK: data.Workflow{}}, serve: s.setAccess,
	})
}

type accessChange struct {
	Owner      *string `json:"owner,omitempty" maxLength:"64" doc:"An account"`
	Team       *string `json:"team,omitempty" maxLength:"64"`
	Visibility *string `json:"visibility,omitempty" enum:"private,team,all"`
}

func (s *Server) setAccess(c *fiber.Ctx, body any) (int, any, error) {
	ctx := c.UserContext()
	id, err := workflowID(c.Params("id"))
	if err != nil {
		return 0, nil, err
	}
	rights, err := s.Workflows.Rights(ctx, id)
	if err != nil {
		return 0, nil, err
	}
	if who := infoOf(ctx).who; !who.May(edge.Admin) && rights.Owner != who.Name {
		return 0, nil, problem.New(http.StatusForbidden, problem.AuthorizationError, "only its owner and administrators say who may see a workflow")
	}
	sent, _ := body.(*accessChange)
	if sent.Owner != nil {
		if err := s.knownAccount(ctx, *sent.Owner); err != nil {
			return 0, nil, err
		}
		rights.Owner = *sent.Owner
	}
	if sent.Team != nil {
		rights.Team = *sent.Team
	}
	if sent.Visibility != nil {
		rights.Visibility = data.Visibility(*sent.Visibility)
	}
	if err := s.Workflows.SetRights(ctx, id, rights); err != nil {
		return 0, nil, workflowMissing(err)
	}
	s.rejudge()
	w, err := s.Workflows.Workflow(ctx, id)
	return http.StatusOK, shown(w), workflowMissing(err)
}

// knownAccount refuses an owner that there is not.
func (s *Server) knownAccount(ctx context.Context, name string) error {
	if name == edge.AdminName || name == "" {
		return nil
	}
	err := engine.ErrNotFound
	if s.Accounts != nil {
		_, err = s.Accounts.User(ctx, name)
	}
	if errors.Is(err, engine.ErrNotFound) {
		return problem.InvalidValue("/owner", "unknown_user", "there is no such account")
	}
	return err
}
