package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/workflow/compare"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/store/data"
)

func (s *Server) addVersions(tags []string) {
	register(s, huma.Operation{
		OperationID: "list-versions", Method: http.MethodGet, Path: apiBase + "/workflows/{id}/versions/", Tags: tags,
		Summary: "List a workflow's revisions, the newest first",
	}, s.listVersions)
	register(s, huma.Operation{
		OperationID: "get-version", Method: http.MethodGet, Path: apiBase + "/workflows/{id}/versions/{revision}/", Tags: tags,
		Summary: "Get one revision whole", Description: "Its definition and metadata, or its text as YAML (Accept: application/yaml). The ETag is the revision.",
		Responses: map[string]*huma.Response{"200": {Description: "The revision", Content: map[string]*huma.MediaType{
			typeJSON: {Schema: s.schemaOf(version{})}, typeYAML: {Schema: &huma.Schema{Type: huma.TypeString}},
		}}},
	}, s.getVersion)
	registerPlain(s, huma.Operation{
		OperationID: "compare-versions", Method: http.MethodGet, Path: apiBase + "/workflows/{id}/versions/{a}/diff/{b}/", Tags: tags,
		Summary: "Compare two revisions", Description: "Step by step and value by value without regard to order, and as a unified diff of the YAML texts.",
	}, s.compareVersions)
	register(s, huma.Operation{
		OperationID: "restore-version", Method: http.MethodPost, Path: apiBase + "/workflows/{id}/versions/{revision}/restore/", Tags: tags,
		Summary: "Restore a revision as a new one", Description: "Its text becomes the newest revision, byte for byte. If-Match guards against a lost update.", Responses: s.flatResponse(),
	}, s.restoreVersion)
}

// mostCounted bounds a page of which the changed steps are counted: each
// revision is then read whole.
const mostCounted = 50

type listVersionsInput struct {
	ID      string `path:"id"`
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor  string `query:"cursor" doc:"What the page before gave as next"`
	Changes bool   `query:"changes" doc:"Also count the changed steps; a page then has at most 50 revisions"`
}

type listedVersion struct {
	data.RevisionInfo
	ChangedSteps *int `json:"changed_steps,omitempty" doc:"How many steps were added, removed or changed since the revision before; only with changes=true, and not of the first"`
}

type versionList struct {
	Versions []listedVersion `json:"versions" nullable:"false"`
	Next     string          `json:"next" doc:"The next page's cursor; empty on the last one"`
}

type listVersionsOutput struct {
	Link string `header:"Link" doc:"The next page"`
	Body versionList
}

func (s *Server) listVersions(ctx context.Context, in *listVersionsInput) (*listVersionsOutput, error) {
	id, err := workflowID(in.ID)
	if err != nil {
		return nil, err
	}
	below := 0
	if in.Cursor != "" {
		if below, err = strconv.Atoi(in.Cursor); err != nil || below < 1 {
			return nil, problem.InvalidValue("cursor", "cursor", "the cursor is none that a page gave as next")
		}
	}
	list, err := s.Workflows.Revisions(ctx, id)
	if err != nil {
		return nil, workflowMissing(err)
	}
	limit := in.Limit
	if in.Changes {
		limit = min(limit, mostCounted)
	}
	out := &listVersionsOutput{Body: versionList{Versions: []listedVersion{}}}
	for _, revision := range list {
		if below > 0 && revision.Revision >= below {
			continue
		}
		if n := len(out.Body.Versions); n == limit {
			out.Body.Next = strconv.Itoa(out.Body.Versions[n-1].Revision)
			query := url.Values{"cursor": {out.Body.Next}, "limit": {strconv.Itoa(limit)}}
			if in.Changes {
				query.Set("changes", "true")
			}
			out.Link = link([2]string{"next", address("/workflows/"+id+"/versions/", query)})
			break
		}
		out.Body.Versions = append(out.Body.Versions, listedVersion{RevisionInfo: revision})
	}
	if in.Changes {
		err = s.countChanges(ctx, id, out.Body.Versions)
	}
	return out, err
}

// countChanges counts in each of the versions, the newest first, the steps
// that differ from the revision before it.
func (s *Server) countChanges(ctx context.Context, id string, versions []listedVersion) error {
	if len(versions) == 0 {
		return nil
	}
	after, err := s.Workflows.WorkflowRevision(ctx, id, versions[0].Revision)
	if err != nil {
		return workflowMissing(err)
	}
	for i := range versions {
		if versions[i].Revision == 1 {
			return nil
		}
		before, err := s.Workflows.WorkflowRevision(ctx, id, versions[i].Revision-1)
		if errors.Is(err, engine.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		steps := compare.Documents(before.Document, after.Document).Steps
		versions[i].ChangedSteps = new(len(steps.Added) + len(steps.Removed) + len(steps.Changed))
		after = before
	}
	return nil
}

type versionInput struct {
	ID       string `path:"id"`
	Revision string `path:"revision"`
	Accept   string `header:"Accept" hidden:"true"`
}

type version struct {
	data.RevisionInfo
	Definition json.RawMessage `json:"definition" doc:"The workflow document"`
	Text       string          `json:"text" doc:"The document as it was sent"`
	Problems   json.RawMessage `json:"problems,omitempty"`
}

func (s *Server) getVersion(ctx context.Context, in *versionInput) (*textOutput, error) {
	id, err := workflowID(in.ID)
	if err != nil {
		return nil, err
	}
	revision, err := s.revision(ctx, id, in.Revision)
	if err != nil {
		return nil, err
	}
	out := &textOutput{ETag: etag(revision.Revision), ContentType: typeJSON, Vary: "Accept"}
	if wantsYAML(in.Accept) {
		out.ContentType = typeYAML
		out.Body, err = yamlOf(revision)
		return out, err
	}
	out.Body, err = json.Marshal(version{
		RevisionInfo: revision.RevisionInfo, Definition: definitionOf(revision), Text: string(revision.Text), Problems: revision.Problems,
	})
	if err != nil {
		return nil, fmt.Errorf("write a revision: %w", err)
	}
	return out, nil
}

// revision reads one revision of a workflow by its number in a path.
func (s *Server) revision(ctx context.Context, id, raw string) (data.Revision, error) {
	if _, err := s.Workflows.Workflow(ctx, id); err != nil {
		return data.Revision{}, workflowMissing(err)
	}
	number, err := strconv.Atoi(raw)
	if err != nil || number < 1 {
		return data.Revision{}, noRevision()
	}
	revision, err := s.Workflows.WorkflowRevision(ctx, id, number)
	if errors.Is(err, engine.ErrNotFound) {
		return data.Revision{}, noRevision().Because(err)
	}
	return revision, err
}

func noRevision() *problem.Problem {
	return problem.New(http.StatusNotFound, problem.NotFound, "the workflow has no revision of this number")
}

type compareVersionsInput struct {
	ID string `path:"id"`
	A  string `path:"a" doc:"The revision that is compared"`
	B  string `path:"b" doc:"The revision that it is compared with"`
}

type versionDiff struct {
	A    int    `json:"a"`
	B    int    `json:"b"`
	Text string `json:"text" doc:"A unified diff of the YAML texts; empty where they are the same"`
	compare.Comparison
}

type compareVersionsOutput struct{ Body versionDiff }

func (s *Server) compareVersions(ctx context.Context, in *compareVersionsInput) (*compareVersionsOutput, error) {
	id, err := workflowID(in.ID)
	if err != nil {
		return nil, err
	}
	a, err := s.revision(ctx, id, in.A)
	if err != nil {
		return nil, err
	}
	b, err := s.revision(ctx, id, in.B)
	if err != nil {
		return nil, err
	}
	before, err := yamlOf(a)
	if err != nil {
		return nil, err
	}
	after, err := yamlOf(b)
	if err != nil {
		return nil, err
	}
	return &compareVersionsOutput{versionDiff{
		A: a.Revision, B: b.Revision,
		Text:       compare.Text(fmt.Sprintf("revision %d", a.Revision), before, fmt.Sprintf("revision %d", b.Revision), after),
		Comparison: compare.Documents(a.Document, b.Document),
	}}, nil
}

type restoreVersionInput struct {
	ID       string `path:"id"`
	Revision string `path:"revision"`
	IfMatch  string `header:"If-Match" doc:"The ETag of the newest revision that the caller knows"`
	Accept   string `header:"Accept" hidden:"true"`
	Draft    bool   `query:"draft" doc:"Restore it in spite of problems that it has by now; one that was a draft is restored as one anyway"`
	Message  string `query:"message" maxLength:"500" doc:"What the revision is about; by default that it restores another"`
}

func (s *Server) restoreVersion(ctx context.Context, in *restoreVersionInput) (*textOutput, error) {
	id, err := workflowID(in.ID)
	if err != nil {
		return nil, err
	}
	expected, err := expectedRevision(in.IfMatch)
	if err != nil {
		return nil, err
	}
	old, err := s.revision(ctx, id, in.Revision)
	if err != nil {
		return nil, err
	}
	// Handlers may have changed since: it is judged as if it were new.
	c, err := s.check(ctx, old.Text, mediaType(old.Format))
	if err != nil {
		return nil, err
	}
	var record data.NewWorkflow
	if c.document == nil && !old.Valid {
		record, err = c.unreadable(old.Name)
	} else {
		record, err = c.record(in.Draft || !old.Valid)
	}
	if err != nil {
		return nil, err
	}
	record.Author, record.Message = infoOf(ctx).who.Name, in.Message
	if record.Message == "" {
		record.Message = fmt.Sprintf("Restored revision %d", old.Revision)
	}
	w, err := s.Workflows.UpdateWorkflow(ctx, id, expected, record)
	if err != nil {
		return nil, workflowMissing(err)
	}
	revision, err := s.Workflows.WorkflowRevision(ctx, id, w.Revision)
	if err != nil {
		return nil, workflowMissing(err)
	}
	return answerWorkflow(w, revision, wantsYAML(in.Accept), false)
}

func mediaType(format data.Format) string {
	if format == data.FormatYAML {
		return typeYAML
	}
	return typeJSON
}
