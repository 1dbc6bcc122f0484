package host

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/negotiation"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/engine/workflow/textedit"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/store/data"
)

const (
	typeJSON = "application/json"
	typeYAML = "application/yaml"
)

// checked is a document that was sent, with all that is wrong with it.
type checked struct {
	text     []byte
	format   workflow.Format
	document *workflow.Document
	graph    *workflow.Graph
	problems workflow.Problems
}

// check reads a document and finds every problem. Its error is one that
// leaves nothing to find: a text that is too large.
func (s *Server) check(ctx context.Context, text []byte, contentType string) (*checked, error) {
	format, _ := formatOf(contentType)
	if format == "" {
		format = workflow.DetectFormat(text)
	}
	c := &checked{text: slices.Clone(text), format: format}
	c.document, c.problems = workflow.Parse(c.text, workflow.ParseOptions{Format: format, IgnoreMetadata: true})
	for _, p := range c.problems {
		if p.Code == "too_large" {
			return nil, problem.New(http.StatusRequestEntityTooLarge, problem.PayloadTooLarge, p.Message)
		}
	}
	if c.document == nil {
		return c, nil
	}
	if err := s.Catalogue.Ready(ctx); err != nil {
		return nil, err
	}
	var found workflow.Problems
	c.graph, found = engine.Check(ctx, c.document, s.Catalogue)
	c.problems = append(c.problems, found...).Sort()
	noteUnsafe(ctx, c.problems)
	return c, nil
}

// noteUnsafe has the audit trail tell in which steps values can become code.
func noteUnsafe(ctx context.Context, problems workflow.Problems) {
	var steps []string
	for _, p := range problems {
		if p.Code == workflow.CodeUnsafeInterpolation && !slices.Contains(steps, p.StepID) {
			steps = append(steps, p.StepID)
		}
	}
	if len(steps) > 0 {
		infoOf(ctx).detail = workflow.CodeUnsafeInterpolation + " in " + strings.Join(steps, ", ")
	}
}

// record makes what the store keeps of a document. One with problems is
// refused, unless it can be kept as a draft.
func (c *checked) record(draft bool) (data.NewWorkflow, error) {
	broken := c.problems.HasErrors()
	if c.document == nil || (broken && !draft) {
		return data.NewWorkflow{}, problem.Invalid(summary(c.problems), c.problems)
	}
	definition := c.document.Definition
	record := data.NewWorkflow{
		Name: definition.Name, Version: definition.Version, Type: definition.Type, Description: definition.Description,
		Tags: definition.Tags, StepCount: len(definition.Steps),
		Format: data.Format(c.format), Text: c.text, Document: definition.JSON(), Draft: broken,
	}
	if broken {
		problems, err := json.Marshal(items(c.problems.Errors()))
		if err != nil {
			return data.NewWorkflow{}, fmt.Errorf("write a draft's problems: %w", err)
		}
		record.Problems = problems
	}
	return record, nil
}

// unreadable keeps a text of which nothing can be read, as a draft with a
// name and no step.
func (c *checked) unreadable(name string) (data.NewWorkflow, error) {
	problems, err := json.Marshal(items(c.problems.Errors()))
	if err != nil {
		return data.NewWorkflow{}, fmt.Errorf("write a draft's problems: %w", err)
	}
	return data.NewWorkflow{
		Name: name, Version: workflow.DefaultVersion, Type: workflow.DefaultType,
		Format: data.Format(c.format), Text: c.text, Draft: true, Problems: problems,
	}, nil
}

// definitionOf is a revision's definition; of a draft that can't be read it
// is what its metadata say.
func definitionOf(revision data.Revision) json.RawMessage {
	if revision.Document != nil {
		return revision.Document
	}
	definition := workflow.Definition{Name: revision.Name, Version: revision.Version}
	return definition.JSON()
}

func summary(problems workflow.Problems) string {
	if n := len(problems.Errors()); n != 1 {
		return fmt.Sprintf("the workflow has %d problems", n)
	}
	return "the workflow has a problem"
}

// items are problems as answers list them; never nil.
func items(problems []pluginsdk.Problem) []problem.Item {
	list := make([]problem.Item, 0, len(problems))
	for _, p := range problems {
		list = append(list, problem.ItemOf(p))
	}
	return list
}

// keptText makes a workflow's new text where JSON was sent for one that is
// kept as YAML: what differs is edited in the text. Where that can't be done
// the text is written anew, and stays JSON where YAML could not say it.
func keptText(current data.Revision, c *checked, record *data.NewWorkflow) (rewritten bool, err error) {
	if current.Format != data.FormatYAML || c.format != workflow.FormatJSON {
		return false, nil
	}
	if slices.Equal(current.Document, record.Document) && current.Valid && !record.Draft {
		record.Format, record.Text = data.FormatYAML, current.Text
		return false, nil
	}
	if edited, ok := textedit.Update(current.Text, c.text); ok {
		record.Format, record.Text = data.FormatYAML, edited
		return false, nil
	}
	text, err := c.document.Definition.YAML()
	if err != nil {
		return false, fmt.Errorf("write a workflow as YAML: %w", err)
	}
	if textedit.Means(text, c.text) {
		record.Format, record.Text = data.FormatYAML, text
	}
	return true, nil
}

// replaced brings a draft's problems to the places in the text that is kept.
func (s *Server) replaced(ctx context.Context, record *data.NewWorkflow) error {
	c, err := s.check(ctx, record.Text, typeYAML)
	if err != nil {
		return err
	}
	again, err := c.record(true)
	if err == nil {
		record.Problems = again.Problems
	}
	return err
}

// additions are the metadata that a definition does not have itself.
type additions struct {
	StepCount      int             `json:"step_count"`
	Revision       int             `json:"revision"`
	CreatedAt      string          `json:"created_at"`
	UpdatedAt      string          `json:"updated_at"`
	LastExecuted   *string         `json:"last_executed"`
	LastStatus     any             `json:"last_status"`
	ExecutionCount int             `json:"execution_count"`
	Owner          string          `json:"owner"`
	Team           string          `json:"team"`
	Visibility     data.Visibility `json:"visibility"`
	Valid          bool            `json:"valid"`
	Problems       json.RawMessage `json:"problems,omitempty"`
	Description    *string         `json:"description,omitempty"`
	Tags           *[]string       `json:"tags,omitempty"`
	TextRewritten  bool            `json:"text_rewritten,omitempty"`
}

// flat is a workflow's definition and metadata in one object. The definition
// is put in as it is kept: it may be large, and is asked for often.
func flat(w data.Workflow, definition json.RawMessage, rewritten bool) ([]byte, error) {
	const stamp = "2006-01-02T15:04:05.999999999Z07:00"
	more := additions{
		StepCount: w.StepCount, Revision: w.Revision, CreatedAt: w.CreatedAt.Format(stamp), UpdatedAt: w.UpdatedAt.Format(stamp),
		LastStatus: w.LastStatus, ExecutionCount: w.ExecutionCount, Owner: w.Owner, Team: w.Team, Visibility: w.Visibility, Valid: w.Valid, Problems: w.Problems, TextRewritten: rewritten,
	}
	if w.LastExecuted != nil {
		text := w.LastExecuted.Format(stamp)
		more.LastExecuted = &text
	}
	// A definition leaves out what is empty; metadata don't.
	if w.Description == "" {
		more.Description = new(string)
	}
	if len(w.Tags) == 0 {
		more.Tags = &[]string{}
	}
	tail, err := json.Marshal(more)
	if err != nil {
		return nil, fmt.Errorf("write a workflow's metadata: %w", err)
	}
	id, err := json.Marshal(w.ID)
	if err != nil {
		return nil, fmt.Errorf("write a workflow's id: %w", err)
	}
	out := make([]byte, 0, len(definition)+len(tail)+len(id)+16)
	out = append(append(append(out, `{"id":`...), id...), ',')
	if len(definition) > 2 {
		out = append(append(out, definition[1:len(definition)-1]...), ',')
	}
	return append(out, tail[1:]...), nil
}

// wantsYAML reports whether a client would rather have YAML than JSON.
func wantsYAML(accept string) bool {
	if accept == "" {
		return false
	}
	return slices.Contains(yamlTypes, negotiation.SelectQValue(accept, append([]string{typeJSON}, yamlTypes...)))
}

// yamlOf is a revision's text as YAML: what was sent, where that was YAML.
func yamlOf(revision data.Revision) ([]byte, error) {
	if revision.Format == data.FormatYAML || revision.Document == nil {
		return revision.Text, nil
	}
	parsed, problems := workflow.Parse(revision.Document, workflow.ParseOptions{Format: workflow.FormatJSON})
	if parsed == nil {
		return nil, problem.Invalid("the workflow can't be written as YAML", problems)
	}
	text, err := parsed.Definition.YAML()
	if err != nil {
		return nil, fmt.Errorf("write a workflow as YAML: %w", err)
	}
	return text, nil
}

// documentSchema describes a workflow document loosely, and is empty where
// nothing is described: the language's own checks say more than a schema could.
func (s *Server) documentSchema() *huma.Schema {
	if !s.describing {
		return &huma.Schema{}
	}
	return &huma.Schema{
		Type: huma.TypeObject, Description: "A workflow document, bare or under one key workflow", AdditionalProperties: true,
		Properties: map[string]*huma.Schema{
			"name":        {Type: huma.TypeString, MaxLength: new(200)},
			"version":     {Type: huma.TypeString, Description: "MAJOR.MINOR.PATCH"},
			"type":        {Type: huma.TypeString, Description: "A workflow type"},
			"description": {Type: huma.TypeString},
			"tags":        {Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}},
			"config":      {Type: huma.TypeObject, AdditionalProperties: true},
			"parameters":  {Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}},
			"steps":       {Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}},
		},
	}
}

// documentRequest is the body of what takes a document.
func (s *Server) documentRequest() *huma.RequestBody {
	return &huma.RequestBody{
		Description: "A workflow document, as JSON (at most 2 MiB) or YAML (at most 256 KiB)", Required: true,
		Content: content(s.documentSchema(), typeJSON),
	}
}
