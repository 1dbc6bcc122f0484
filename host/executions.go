package host

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/store/data"
)

func executionPath(id string) string { return apiBase + "/executions/" + id + "/" }

func (s *Server) addExecutions() {
	tags := []string{"executions"}
	register(s, huma.Operation{
		OperationID: "list-executions", Method: http.MethodGet, Path: apiBase + "/executions/", Tags: tags,
		Summary: "List executions, the newest first",
	}, s.listExecutions)
	registerPlain(s, huma.Operation{
		OperationID: "get-execution", Method: http.MethodGet, Path: apiBase + "/executions/{id}/", Tags: tags,
		Summary: "Get a result as it stands",
	}, s.getExecution)
	registerPlain(s, huma.Operation{
		OperationID: "delete-execution", Method: http.MethodDelete, Path: apiBase + "/executions/{id}/", Tags: tags, DefaultStatus: http.StatusNoContent,
		Summary: "Delete an ended execution's history",
	}, s.deleteExecution)
	registerPlain(s, huma.Operation{
		OperationID: "cancel-execution", Method: http.MethodPost, Path: apiBase + "/executions/{id}/cancel/", Tags: tags,
		Summary: "Cancel an execution", Description: "Clean-up steps still run; a second cancel ends them too.",
	}, s.cancelExecution)
	registerPlain(s, huma.Operation{
		OperationID: "resume-execution", Method: http.MethodPost, Path: apiBase + "/executions/{id}/resume/", Tags: tags,
		Summary: "Take up a paused or parked execution again",
	}, s.resumeExecution)
	s.addControl(tags)
	s.addRepeats(tags)
	s.addPreviews(tags)
	s.addCompare(tags)
	s.addInputs(tags)
	s.addOutputs(tags)
	s.addHistory(tags)
}

type listExecutionsInput struct {
	WorkflowID string   `query:"workflow_id"`
	Status     []string `query:"status" doc:"Any of these, with commas between"`
	Trigger    string   `query:"trigger"`
	Since      string   `query:"since" doc:"Created at this time or later"`
	Until      string   `query:"until" doc:"Created before this time"`
	Limit      int      `query:"limit" minimum:"1" maximum:"1000" default:"50"`
	Cursor     string   `query:"cursor" doc:"What the page before gave as next"`
}

// listedExecution is a header without its parameters: a list needs none, and
// masking them would mean reading every definition.
type listedExecution struct {
	engine.Execution
	Parameters *struct{} `json:"parameters,omitempty" hidden:"true"`
}

type executionList struct {
	Executions []listedExecution `json:"executions" nullable:"false"`
	Next       string            `json:"next" doc:"The next page's cursor; empty on the last one"`
}

type listExecutionsOutput struct {
	Link string `header:"Link" doc:"The next page"`
	Body executionList
}

func (s *Server) listExecutions(ctx context.Context, in *listExecutionsInput) (*listExecutionsOutput, error) {
	filter := data.ExecutionFilter{WorkflowID: in.WorkflowID, Trigger: in.Trigger, Limit: in.Limit, Cursor: in.Cursor}
	for _, word := range in.Status {
		status := plan.Status(word)
		if !slices.Contains(data.Statuses(), status) {
			return nil, problem.InvalidValue("status", "enum", fmt.Sprintf("an execution can't be %q; its status is one of %s", word, joined(data.Statuses())))
		}
		filter.Status = append(filter.Status, status)
	}
	var err error
	if filter.Since, err = timeValue("since", in.Since); err != nil {
		return nil, err
	}
	if filter.Until, err = timeValue("until", in.Until); err != nil {
		return nil, err
	}
	if filter.Hidden, err = s.hidden(ctx, infoOf(ctx).who); err != nil {
		return nil, err
	}
	page, next, err := s.Executions.Executions(ctx, filter)
	if err != nil {
		return nil, err
	}
	out := &listExecutionsOutput{Body: executionList{Executions: make([]listedExecution, len(page)), Next: next}}
	for i, e := range page {
		out.Body.Executions[i] = listedExecution{Execution: s.shownExecution(e)}
	}
	if next != "" {
		out.Link = link([2]string{"next", in.at(next)})
	}
	return out, nil
}

func (in *listExecutionsInput) at(cursor string) string {
	query := url.Values{"cursor": {cursor}, "limit": {strconv.Itoa(in.Limit)}}
	setUnless(query, "workflow_id", in.WorkflowID, "")
	setUnless(query, "status", strings.Join(in.Status, ","), "")
	setUnless(query, "trigger", in.Trigger, "")
	setUnless(query, "since", in.Since, "")
	setUnless(query, "until", in.Until, "")
	return address("/executions/", query)
}

func joined(statuses []plan.Status) string {
	words := make([]string, len(statuses))
	for i, status := range statuses {
		words[i] = string(status)
	}
	return strings.Join(words, ", ")
}

type executionInput struct {
	ID string `path:"id"`
}

type resultOutput struct{ Body engine.Result }

func (s *Server) getExecution(ctx context.Context, in *executionInput) (*resultOutput, error) {
	id, err := executionID(in.ID)
	if err != nil {
		return nil, err
	}
	result, err := s.result(ctx, id)
	if err != nil {
		return nil, err
	}
	return &resultOutput{result}, nil
}

func (s *Server) deleteExecution(ctx context.Context, in *executionInput) (*struct{}, error) {
	id, err := executionID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, executionMissing(s.Executions.DeleteExecution(ctx, id))
}

func (s *Server) cancelExecution(ctx context.Context, in *executionInput) (*resultOutput, error) {
	return s.act(ctx, in.ID, func(id, by string) error {
		_, err := s.Engine.Cancel(ctx, id, by)
		return err
	})
}

func (s *Server) resumeExecution(ctx context.Context, in *executionInput) (*resultOutput, error) {
	return s.act(ctx, in.ID, func(id, by string) error {
		_, err := s.Engine.Resume(ctx, id, by)
		return err
	})
}

// act does something to an execution and answers with the result as it
// stands then.
func (s *Server) act(ctx context.Context, rawID string, do func(id, by string) error) (*resultOutput, error) {
	id, err := executionID(rawID)
	if err != nil {
		return nil, err
	}
	if err := do(id, infoOf(ctx).who.Name); err != nil {
		return nil, executionMissing(err)
	}
	result, err := s.result(ctx, id)
	if err != nil {
		return nil, err
	}
	return &resultOutput{result}, nil
}
