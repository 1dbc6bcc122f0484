package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/store/data"
)

func (s *Server) addWorkflowFiles(tags []string) {
	register(s, huma.Operation{
		OperationID: "validate-workflow", Method: http.MethodPost, Path: apiBase + "/workflows/validate/", Tags: tags,
		Summary: "Check a document without saving it", RequestBody: s.documentRequest(), SkipValidateBody: true,
	}, s.validateWorkflow)
	register(s, huma.Operation{
		OperationID: "import-workflow", Method: http.MethodPost, Path: apiBase + "/workflows/import/", Tags: tags,
		Summary: "Bring a file in", Description: "Saves a document under an id of its own. 201 where it is new.", RequestBody: s.documentRequest(), SkipValidateBody: true,
	}, s.importWorkflow)
	register(s, huma.Operation{
		OperationID: "export-workflow", Method: http.MethodGet, Path: apiBase + "/workflows/{id}/export/", Tags: tags,
		Summary: "Take a workflow out as a file", Responses: map[string]*huma.Response{"200": {
			Description: "The document", Content: content(&huma.Schema{Type: huma.TypeString}, typeYAML, typeJSON),
		}},
	}, s.exportWorkflow)
	s.addVersions(tags)
}

type validateInput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	RawBody     []byte `contentType:"application/yaml"`
}

type validation struct {
	Valid          bool           `json:"valid"`
	Errors         []problem.Item `json:"errors" nullable:"false"`
	Warnings       []problem.Item `json:"warnings" nullable:"false"`
	ExecutionOrder [][]string     `json:"execution_order" nullable:"false" doc:"Levels of step ids; empty where there are errors"`
}

type validateOutput struct{ Body validation }

func (s *Server) validateWorkflow(ctx context.Context, in *validateInput) (*validateOutput, error) {
	c, err := s.check(ctx, in.RawBody, in.ContentType)
	if err != nil {
		return nil, err
	}
	answer := validation{
		Valid: !c.problems.HasErrors(), Errors: items(c.problems.Errors()), Warnings: items(c.problems.Warnings()), ExecutionOrder: [][]string{},
	}
	if c.graph != nil {
		answer.ExecutionOrder = c.graph.Levels()
	}
	return &validateOutput{answer}, nil
}

type importInput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	ID          string `query:"id" pattern:"^[A-Za-z0-9][A-Za-z0-9_-]*$" maxLength:"64" doc:"The workflow's id; one is made without"`
	Overwrite   bool   `query:"overwrite" doc:"Save a new revision where the workflow is there already: the one of the id, or without an id the one of the same name"`
	DryRun      bool   `query:"dry_run" doc:"Only say what would be done"`
	Draft       bool   `query:"draft" doc:"Keep the document in spite of problems, even one of which nothing can be read"`
	Name        string `query:"name" maxLength:"200" doc:"The name of a draft of which nothing can be read"`
	Message     string `query:"message" maxLength:"500" doc:"What the revision is about"`
	SavedAt     string `query:"saved_at" doc:"When the revision was saved elsewhere, of one that is brought in with its history; it is kept as far as it lies between the revision before and now"`
	RawBody     []byte `contentType:"application/yaml"`
}

type imported struct {
	Action   string         `json:"action" enum:"created,updated,would_create,would_update"`
	Workflow *data.Workflow `json:"workflow,omitempty" doc:"Its metadata; of a dry run only where it is there already"`
	Warnings []problem.Item `json:"warnings" nullable:"false"`
}

type importOutput struct {
	Status   int
	Location string `header:"Location"`
	Body     imported
}

func (s *Server) importWorkflow(ctx context.Context, in *importInput) (*importOutput, error) {
	c, err := s.check(ctx, in.RawBody, in.ContentType)
	if err != nil {
		return nil, err
	}
	record, err := in.record(c)
	if err != nil {
		return nil, err
	}
	record.ID, record.Author = in.ID, infoOf(ctx).who.Name
	record.Rights.Owner = record.Author
	present, err := s.present(ctx, in, record.Name)
	if err != nil {
		return nil, err
	}
	out := &importOutput{Status: http.StatusOK, Body: imported{Warnings: items(c.problems.Warnings()), Workflow: present}}
	var w data.Workflow
	switch {
	case in.DryRun && present != nil:
		out.Body.Action = "would_update"
		return out, nil
	case in.DryRun:
		out.Body.Action = "would_create"
		return out, nil
	case present != nil:
		out.Body.Action = "updated"
		w, err = s.Workflows.UpdateWorkflow(ctx, present.ID, 0, record)
	default:
		out.Body.Action, out.Status = "created", http.StatusCreated
		w, err = s.Workflows.CreateWorkflow(ctx, record)
	}
	if err != nil {
		return nil, workflowMissing(err)
	}
	w = shown(w)
	out.Location, out.Body.Workflow = workflowPath(w.ID), &w
	return out, nil
}

// record makes what the store keeps of the file.
func (in *importInput) record(c *checked) (record data.NewWorkflow, err error) {
	if c.document == nil && in.Draft {
		record, err = c.unreadable(cmp.Or(in.Name, in.ID, "unnamed"))
	} else {
		record, err = c.record(in.Draft)
	}
	if err != nil {
		return data.NewWorkflow{}, err
	}
	record.Message = cmp.Or(in.Message, "imported")
	record.SavedAt, err = timeValue("saved_at", in.SavedAt)
	return record, err
}

// present finds the workflow that an import is to overwrite, or nil for a
// new one.
func (s *Server) present(ctx context.Context, in *importInput, name string) (*data.Workflow, error) {
	if in.ID != "" {
		// The id of one that the caller may not see is taken, and so is that of
		// one that was deleted, whose executions are still there.
		taken := problem.New(http.StatusConflict, problem.Conflict, "the id is taken; import it under another one")
		if err := s.maySee(ctx, infoOf(ctx).who, in.ID, taken); err != nil {
			return nil, err
		}
		w, err := s.Workflows.Workflow(ctx, in.ID)
		switch {
		case errors.Is(err, engine.ErrNotFound):
			return nil, nil
		case err != nil:
			return nil, err
		case !in.Overwrite:
			return nil, problem.New(http.StatusConflict, problem.Conflict, fmt.Sprintf("there is a workflow %s already; import it with overwrite=true, or under another id", in.ID))
		}
		w = shown(w)
		return &w, nil
	}
	if !in.Overwrite {
		return nil, nil
	}
	return s.named(ctx, name)
}

func (s *Server) named(ctx context.Context, name string) (*data.Workflow, error) {
	hidden, err := s.hidden(ctx, infoOf(ctx).who)
	if err != nil {
		return nil, err
	}
	candidates, _, err := s.Workflows.Workflows(ctx, data.WorkflowFilter{Query: name, Limit: data.MaxLimit, Hidden: hidden})
	if err != nil {
		return nil, err
	}
	var found *data.Workflow
	for i := range candidates {
		if candidates[i].Name != name {
			continue
		}
		if found != nil {
			return nil, problem.New(http.StatusConflict, problem.Conflict, fmt.Sprintf("several workflows have the name %q; say which with id", name))
		}
		w := shown(candidates[i])
		found = &w
	}
	return found, nil
}

type exportInput struct {
	ID     string `path:"id"`
	Format string `query:"format" enum:"yaml,json" default:"yaml"`
}

type fileOutput struct {
	ETag        string `header:"ETag"`
	ContentType string `header:"Content-Type" hidden:"true"`
	Disposition string `header:"Content-Disposition"`
	Policy      string `header:"Content-Security-Policy" hidden:"true"`
	Body        []byte
}

func (s *Server) exportWorkflow(ctx context.Context, in *exportInput) (*fileOutput, error) {
	id, err := workflowID(in.ID)
	if err != nil {
		return nil, err
	}
	revision, err := s.Workflows.WorkflowRevision(ctx, id, 0)
	if err != nil {
		return nil, workflowMissing(err)
	}
	out := &fileOutput{
		ETag: etag(revision.Revision), ContentType: typeYAML,
		Disposition: attachment(fileName(revision.Name) + "." + in.Format), Policy: attachmentPolicy,
	}
	if in.Format == "json" && revision.Document == nil {
		return nil, problem.New(http.StatusConflict, problem.Conflict, "the draft's text can't be read, so there is nothing to write as JSON; export it as yaml")
	}
	if in.Format == "json" {
		out.ContentType, out.Body = typeJSON, append(revision.Document[:len(revision.Document):len(revision.Document)], '\n')
		return out, nil
	}
	out.Body, err = yamlOf(revision)
	return out, err
}

// fileName writes a workflow's name with letters that every file system and
// every header takes.
func fileName(name string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
	kept = strings.Join(strings.FieldsFunc(kept, func(r rune) bool { return r == '-' }), "-")
	if kept == "" {
		return "workflow"
	}
	return kept[:min(len(kept), 80)]
}
