package host

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/store/data"
)

func (s *Server) addWorkflows() {
	tags := []string{"workflows"}
	register(s, huma.Operation{
		OperationID: "list-workflows", Method: http.MethodGet, Path: apiBase + "/workflows/", Tags: tags,
		Summary: "List workflows", Description: "Metadata of the workflows that match, one page of them. Link and X-Total-Count lead to the others.",
	}, s.listWorkflows)
	register(s, huma.Operation{
		OperationID: "create-workflow", Method: http.MethodPost, Path: apiBase + "/workflows/", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Save a new workflow", RequestBody: s.documentRequest(), SkipValidateBody: true,
	}, s.createWorkflow)
	s.addWorkflowFiles(tags)
	register(s, huma.Operation{
		OperationID: "get-workflow", Method: http.MethodGet, Path: apiBase + "/workflows/{id}/", Tags: tags, Responses: s.flatResponse(),
		Summary: "Get a workflow", Description: "Definition and metadata in one object, or the text as YAML (Accept: application/yaml). The ETag is the revision.",
	}, s.getWorkflow)
	register(s, huma.Operation{
		OperationID: "update-workflow", Method: http.MethodPut, Path: apiBase + "/workflows/{id}/", Tags: tags, Responses: s.flatResponse(),
		Summary: "Save a new revision", Description: "If-Match guards against a lost update.", RequestBody: s.documentRequest(), SkipValidateBody: true,
	}, s.updateWorkflow)
	registerPlain(s, huma.Operation{
		OperationID: "delete-workflow", Method: http.MethodDelete, Path: apiBase + "/workflows/{id}/", Tags: tags, DefaultStatus: http.StatusNoContent,
		Summary: "Delete a workflow", Description: "Its executions' history stays. 409 while one of them is live.",
	}, s.deleteWorkflow)
	s.addExecute(tags)
	s.addAccess(tags)
}

// flatResponse describes a workflow whole.
func (s *Server) flatResponse() map[string]*huma.Response {
	if !s.describing {
		return nil
	}
	schema := s.documentSchema()
	for name, property := range map[string]*huma.Schema{
		"id": {Type: huma.TypeString}, "step_count": {Type: huma.TypeInteger}, "revision": {Type: huma.TypeInteger},
		"created_at": {Type: huma.TypeString, Format: "date-time"}, "updated_at": {Type: huma.TypeString, Format: "date-time"},
		"last_executed": {Type: huma.TypeString, Format: "date-time", Nullable: true}, "last_status": {Type: huma.TypeString, Nullable: true},
		"execution_count": {Type: huma.TypeInteger}, "valid": {Type: huma.TypeBoolean},
		"owner": {Type: huma.TypeString}, "team": {Type: huma.TypeString}, "visibility": {Type: huma.TypeString, Enum: []any{"private", "team", "all"}},
		"text_rewritten": {Type: huma.TypeBoolean, Description: "The YAML text was written anew; comments are gone"},
	} {
		schema.Properties[name] = property
	}
	schema.Description = "A workflow: its definition and its metadata"
	made := content(schema, typeJSON)
	made[typeYAML] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	return map[string]*huma.Response{"200": {Description: "The workflow", Content: made}}
}

type listWorkflowsInput struct {
	Type   string `query:"type" doc:"Only this workflow type"`
	Tag    string `query:"tag" doc:"Only with this tag"`
	Query  string `query:"q" maxLength:"200" doc:"Looked for in name and description, without regard to case"`
	Sort   string `query:"sort" doc:"name, type, created_at, updated_at, last_executed or execution_count; - before it turns the order round" default:"name"`
	Limit  int    `query:"limit" minimum:"1" maximum:"10000" default:"1000"`
	Offset int    `query:"offset" minimum:"0" default:"0"`
}

type listWorkflowsOutput struct {
	Total int    `header:"X-Total-Count" doc:"How many match"`
	Link  string `header:"Link" doc:"The next and the previous page"`
	Body  []data.Workflow
}

func (s *Server) listWorkflows(ctx context.Context, in *listWorkflowsInput) (*listWorkflowsOutput, error) {
	hidden, err := s.hidden(ctx, infoOf(ctx).who)
	if err != nil {
		return nil, err
	}
	page, total, err := s.Workflows.Workflows(ctx, data.WorkflowFilter{
		Type: in.Type, Tag: in.Tag, Query: in.Query, Sort: in.Sort, Limit: in.Limit, Offset: in.Offset, Hidden: hidden,
	})
	if err != nil {
		return nil, err
	}
	if page == nil {
		page = []data.Workflow{}
	}
	for i := range page {
		page[i] = shown(page[i])
	}
	return &listWorkflowsOutput{Total: total, Link: in.links(total), Body: page}, nil
}

// shown fills in what JSON would otherwise show as null.
func shown(w data.Workflow) data.Workflow {
	if w.Tags == nil {
		w.Tags = []string{}
	}
	return w
}

func (in *listWorkflowsInput) links(total int) string {
	at := func(offset int) string {
		query := url.Values{}
		setUnless(query, "type", in.Type, "")
		setUnless(query, "tag", in.Tag, "")
		setUnless(query, "q", in.Query, "")
		setUnless(query, "sort", in.Sort, "name")
		setUnless(query, "offset", strconv.Itoa(offset), "0")
		query.Set("limit", strconv.Itoa(in.Limit))
		return address("/workflows/", query)
	}
	var relations [][2]string
	if in.Offset+in.Limit < total {
		relations = append(relations, [2]string{"next", at(in.Offset + in.Limit)})
	}
	if in.Offset > 0 {
		relations = append(relations, [2]string{"prev", at(max(0, in.Offset-in.Limit))})
	}
	return link(relations...)
}

type createWorkflowInput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Draft       bool   `query:"draft" doc:"Keep the document in spite of problems; it can't be executed until they are put right"`
	Message     string `query:"message" maxLength:"500" doc:"What the revision is about"`
	RawBody     []byte `contentType:"application/yaml"`
}

type metadataOutput struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     data.Workflow
}

func (s *Server) createWorkflow(ctx context.Context, in *createWorkflowInput) (*metadataOutput, error) {
	c, err := s.check(ctx, in.RawBody, in.ContentType)
	if err != nil {
		return nil, err
	}
	record, err := c.record(in.Draft)
	if err != nil {
		return nil, err
	}
	record.Author, record.Message = infoOf(ctx).who.Name, in.Message
	record.Rights.Owner = record.Author
	w, err := s.Workflows.CreateWorkflow(ctx, record)
	if err != nil {
		return nil, err
	}
	return &metadataOutput{Location: workflowPath(w.ID), ETag: etag(w.Revision), Body: shown(w)}, nil
}

func workflowPath(id string) string { return apiBase + "/workflows/" + id + "/" }

type getWorkflowInput struct {
	ID     string `path:"id"`
	Accept string `header:"Accept" hidden:"true"`
}

type textOutput struct {
	ETag        string `header:"ETag"`
	ContentType string `header:"Content-Type" hidden:"true"`
	Vary        string `header:"Vary" hidden:"true"`
	Body        []byte
}

func (s *Server) getWorkflow(ctx context.Context, in *getWorkflowInput) (*textOutput, error) {
	id, err := workflowID(in.ID)
	if err != nil {
		return nil, err
	}
	w, revision, err := s.newest(ctx, id)
	if err != nil {
		return nil, err
	}
	return answerWorkflow(w, revision, wantsYAML(in.Accept), false)
}

// newest reads a workflow and its newest revision, as of one moment.
func (s *Server) newest(ctx context.Context, id string) (data.Workflow, data.Revision, error) {
	for range 5 {
		w, err := s.Workflows.Workflow(ctx, id)
		if err != nil {
			return data.Workflow{}, data.Revision{}, workflowMissing(err)
		}
		revision, err := s.Workflows.WorkflowRevision(ctx, id, 0)
		if err != nil {
			return data.Workflow{}, data.Revision{}, workflowMissing(err)
		}
		if revision.Revision == w.Revision {
			return w, revision, nil
		}
	}
	return data.Workflow{}, data.Revision{}, fmt.Errorf("read workflow %s: it is changing all the time", id)
}

// workflowMissing says of which kind the missing thing is.
func workflowMissing(err error) error {
	if errors.Is(err, engine.ErrNotFound) {
		return noWorkflow().Because(err)
	}
	return err
}

func answerWorkflow(w data.Workflow, revision data.Revision, yaml, rewritten bool) (*textOutput, error) {
	out := &textOutput{ETag: etag(w.Revision), ContentType: typeJSON, Vary: "Accept"}
	var err error
	if yaml {
		out.ContentType = typeYAML
		out.Body, err = yamlOf(revision)
		return out, err
	}
	out.Body, err = flat(w, definitionOf(revision), rewritten)
	return out, err
}

type updateWorkflowInput struct {
	ID          string `path:"id"`
	IfMatch     string `header:"If-Match" doc:"The ETag that the change was made on"`
	ContentType string `header:"Content-Type" hidden:"true"`
	Accept      string `header:"Accept" hidden:"true"`
	Draft       bool   `query:"draft" doc:"Keep the document in spite of problems"`
	Message     string `query:"message" maxLength:"500" doc:"What the revision is about"`
	RawBody     []byte `contentType:"application/yaml"`
}

func (s *Server) updateWorkflow(ctx context.Context, in *updateWorkflowInput) (*textOutput, error) {
	id, err := workflowID(in.ID)
	if err != nil {
		return nil, err
	}
	expected, err := expectedRevision(in.IfMatch)
	if err != nil {
		return nil, err
	}
	current, err := s.Workflows.WorkflowRevision(ctx, id, 0)
	if err != nil {
		return nil, workflowMissing(err)
	}
	if expected != 0 && expected != current.Revision {
		return nil, &data.RevisionMismatchError{WorkflowID: id, Expected: expected, Current: current.Revision}
	}
	c, err := s.check(ctx, in.RawBody, in.ContentType)
	if err != nil {
		return nil, err
	}
	record, err := c.record(in.Draft)
	if err != nil {
		return nil, err
	}
	record.Author, record.Message = infoOf(ctx).who.Name, in.Message
	w, rewritten, err := s.save(ctx, id, expected, current, c, record)
	if err != nil {
		return nil, err
	}
	revision, err := s.Workflows.WorkflowRevision(ctx, id, w.Revision)
	if err != nil {
		return nil, workflowMissing(err)
	}
	return answerWorkflow(w, revision, wantsYAML(in.Accept), rewritten)
}

// save keeps a revision. Where the text depends on the one before, that one
// must still be the newest, whatever the caller expects.
func (s *Server) save(ctx context.Context, id string, expected int, current data.Revision, c *checked, record data.NewWorkflow) (data.Workflow, bool, error) {
	for range 5 {
		next := record
		rewritten, err := keptText(current, c, &next)
		if err == nil && next.Draft && next.Format != record.Format {
			err = s.replaced(ctx, &next)
		}
		if err != nil {
			return data.Workflow{}, false, err
		}
		on := expected
		if next.Format != record.Format {
			on = current.Revision
		}
		w, err := s.Workflows.UpdateWorkflow(ctx, id, on, next)
		var mismatch *data.RevisionMismatchError
		if expected != 0 || !errors.As(err, &mismatch) {
			return w, rewritten, workflowMissing(err)
		}
		if current, err = s.Workflows.WorkflowRevision(ctx, id, 0); err != nil {
			return data.Workflow{}, false, workflowMissing(err)
		}
	}
	return data.Workflow{}, false, problem.New(http.StatusConflict, problem.Conflict, "the workflow is being changed by others all the time; try again")
}

type workflowInput struct {
	ID string `path:"id"`
}

func (s *Server) deleteWorkflow(ctx context.Context, in *workflowInput) (*struct{}, error) {
	id, err := workflowID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, workflowMissing(s.Workflows.DeleteWorkflow(ctx, id))
}
