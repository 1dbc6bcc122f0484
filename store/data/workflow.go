package data

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
)

// Workflow is the metadata of a stored workflow.
type Workflow struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Version     string   `json:"version"`
	Type        string   `json:"type"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
	StepCount   int      `json:"step_count"`
	// Revision counts from 1 and rises with each update.
	Revision  int       `json:"revision"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	// LastExecuted and LastStatus are nil for one that was never executed.
	LastExecuted *time.Time   `json:"last_executed"`
	LastStatus   *plan.Status `json:"last_status"`
	// ExecutionCount is how often it was executed, executions whose history
	// was deleted included.
	ExecutionCount int `json:"execution_count"`
	// Valid is false for a draft that can't be executed because of Problems.
	Valid    bool            `json:"valid"`
	Problems json.RawMessage `json:"problems,omitempty"`
	// Owner, Team and Visibility say who may read it.
	Owner      string     `json:"owner"`
	Team       string     `json:"team"`
	Visibility Visibility `json:"visibility" enum:"private,team,all"`
}

// SetRights shows whose the workflow is.
func (w *Workflow) SetRights(rights Rights) {
	rights = rights.Shown()
	w.Owner, w.Team, w.Visibility = rights.Owner, rights.Team, rights.Visibility
}

// Format is how a workflow's text is written.
type Format string

// The formats of a text.
const (
	FormatYAML Format = "yaml"
	FormatJSON Format = "json"
)

// NewWorkflow is what a caller gives to create or to update a workflow.
type NewWorkflow struct {
	// ID is made (a UUID, version 7) where it is empty; an update ignores it.
	ID          string
	Name        string
	Version     string
	Type        string
	Description string
	Tags        []string
	StepCount   int
	Format      Format
	// Text is what was sent, byte for byte.
	Text []byte
	// Document is the canonical JSON of the definition; nil for a draft that
	// has none.
	Document json.RawMessage
	// Draft keeps a document in spite of its Problems, a JSON array.
	Draft    bool
	Problems json.RawMessage
	// Author and Message tell the revision's origin.
	Author  string
	Message string
	// Rights are those of a new workflow; an update leaves them alone.
	Rights Rights
	// SavedAt is when the revision was saved elsewhere, of one that is
	// brought in with its history; zero is now. It is kept only as far as
	// it lies between the revision before and now.
	SavedAt time.Time
}

// Time is the time that the store keeps for the revision, where the one
// before was saved at a time and the clock says now.
func (w *NewWorkflow) Time(before, now time.Time) time.Time {
	switch {
	case w.SavedAt.IsZero() || w.SavedAt.After(now):
		return now
	case w.SavedAt.Before(before):
		return before
	}
	return w.SavedAt.UTC()
}

// Check refuses what no store keeps; its error is an ErrInvalid. It is not
// the validation of a definition.
func (w *NewWorkflow) Check() error {
	switch {
	case w.Format != FormatYAML && w.Format != FormatJSON:
		return fmt.Errorf("%w format %q of a workflow", ErrInvalid, w.Format)
	case len(w.Text) > MaxText || len(w.Document) > MaxText:
		return fmt.Errorf("%w workflow: its text is longer than %d bytes", ErrInvalid, MaxText)
	case len(w.Document) > 0 && !json.Valid(w.Document):
		return fmt.Errorf("%w workflow: its document is not JSON", ErrInvalid)
	case len(w.Problems) > 0 && !json.Valid(w.Problems):
		return fmt.Errorf("%w workflow: its problems are not JSON", ErrInvalid)
	case w.ID != "":
		if err := CheckID("workflow", w.ID); err != nil {
			return err
		}
	}
	return w.Rights.Check()
}

// RevisionInfo is one revision in a workflow's history, without its text.
type RevisionInfo struct {
	WorkflowID string    `json:"workflow_id"`
	Revision   int       `json:"revision"`
	Name       string    `json:"name"`
	Version    string    `json:"version"`
	StepCount  int       `json:"step_count"`
	Format     Format    `json:"format"`
	Valid      bool      `json:"valid"`
	Author     string    `json:"author,omitempty"`
	Message    string    `json:"message,omitempty"`
	CreatedAt  time.Time `json:"created_at"`
	// Size is that of the text in bytes.
	Size int `json:"size"`
}

// Revision is one revision whole.
type Revision struct {
	RevisionInfo
	Text     []byte
	Document json.RawMessage
	Problems json.RawMessage
}

// WorkflowFilter selects, orders and pages a list of workflows. Its zero
// value selects all by name.
type WorkflowFilter struct {
	Type string
	Tag  string
	// Query is looked for in name and description, without regard to case.
	Query string
	// Sort is a key of the metadata, "-" before it turns the order round:
	// name, type, created_at, updated_at, last_executed, execution_count.
	Sort string
	// Limit is 1,000 where it is 0.
	Limit  int
	Offset int
	// Hidden are workflows that must not be listed, by id.
	Hidden map[string]bool
}

// DefaultLimit bounds lists whose caller set no limit, MaxLimit all others.
const (
	DefaultLimit = 1000
	MaxLimit     = 10000
)

// PageLimit returns the limit that counts for one that was asked for.
func PageLimit(limit int) int {
	if limit <= 0 {
		return DefaultLimit
	}
	return min(limit, MaxLimit)
}

// Match returns the test that a workflow must pass to be listed.
func (f *WorkflowFilter) Match() func(*Workflow) bool {
	query := strings.ToLower(f.Query)
	return func(w *Workflow) bool {
		if f.Hidden[w.ID] || f.Type != "" && w.Type != f.Type || f.Tag != "" && !slices.Contains(w.Tags, f.Tag) {
			return false
		}
		return query == "" || strings.Contains(strings.ToLower(w.Name), query) ||
			strings.Contains(strings.ToLower(w.Description), query)
	}
}

// Order returns the order of the list, ties broken by id, or an ErrInvalid.
func (f *WorkflowFilter) Order() (func(a, b *Workflow) int, error) {
	key, reverse := strings.CutPrefix(f.Sort, "-")
	var order func(a, b *Workflow) int
	switch key {
	case "", "name":
		order = func(a, b *Workflow) int { return compareFold(a.Name, b.Name) }
	case "type":
		order = func(a, b *Workflow) int { return cmp.Compare(a.Type, b.Type) }
	case "created_at":
		order = func(a, b *Workflow) int { return a.CreatedAt.Compare(b.CreatedAt) }
	case "updated_at":
		order = func(a, b *Workflow) int { return a.UpdatedAt.Compare(b.UpdatedAt) }
	case "last_executed":
		order = func(a, b *Workflow) int { return timeOf(a.LastExecuted).Compare(timeOf(b.LastExecuted)) }
	case "execution_count":
		order = func(a, b *Workflow) int { return cmp.Compare(a.ExecutionCount, b.ExecutionCount) }
	default:
		return nil, fmt.Errorf("%w sort %q", ErrInvalid, clip(f.Sort))
	}
	return func(a, b *Workflow) int {
		c := order(a, b)
		if reverse {
			c = -c
		}
		return cmp.Or(c, cmp.Compare(a.ID, b.ID))
	}, nil
}

// Select applies the filter to all workflows there are: one page of those
// that match, in order, and how many match.
func (f *WorkflowFilter) Select(all []Workflow) (page []Workflow, total int, err error) {
	order, err := f.Order()
	if err != nil {
		return nil, 0, err
	}
	match := f.Match()
	found := make([]*Workflow, 0, len(all))
	for i := range all {
		if match(&all[i]) {
			found = append(found, &all[i])
		}
	}
	slices.SortFunc(found, order)
	total = len(found)
	first := min(max(f.Offset, 0), total)
	found = found[first:min(first+PageLimit(f.Limit), total)]
	page = make([]Workflow, len(found))
	for i, w := range found {
		page[i] = *w
	}
	return page, total, nil
}

func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// compareFold compares without regard to ASCII case first, so that a list
// reads as in a dictionary, and to the letter among equals.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if c := cmp.Compare(fold(a[i]), fold(b[i])); c != 0 {
			return c
		}
	}
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

func fold(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// Workflows keeps workflows and their revisions. A missing workflow or
// revision is an engine.ErrNotFound.
type Workflows interface {
	WorkflowRights
	// CreateWorkflow keeps a first revision. An id that exists is an
	// engine.ErrConflict.
	CreateWorkflow(ctx context.Context, workflow NewWorkflow) (Workflow, error)
	// UpdateWorkflow keeps a further revision. Where expected is not 0 and
	// not the current revision, it is a *RevisionMismatchError.
	UpdateWorkflow(ctx context.Context, id string, expected int, workflow NewWorkflow) (Workflow, error)
	// DeleteWorkflow removes a workflow and its revisions, and keeps the
	// history of its executions. While one of them lives it is an
	// engine.ErrConflict that names it.
	DeleteWorkflow(ctx context.Context, id string) error
	Workflow(ctx context.Context, id string) (Workflow, error)
	// WorkflowRevision reads one revision, the newest for 0.
	WorkflowRevision(ctx context.Context, id string, revision int) (Revision, error)
	// Workflows lists one page of metadata; total counts all that match.
	Workflows(ctx context.Context, filter WorkflowFilter) (page []Workflow, total int, err error)
	// Revisions lists a workflow's history, newest first.
	Revisions(ctx context.Context, id string) ([]RevisionInfo, error)
}
