// Package data holds the records that the host and the stores exchange. It is
// types alone: whoever shows a workflow need not link a database.
package data

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
)

// ErrExists: there is a record of that id already.
var ErrExists = errors.New("it exists already")

// RevisionMismatchError refuses an update that was made on an older revision.
type RevisionMismatchError struct{ Current int }

// Error names the current revision.
func (e *RevisionMismatchError) Error() string {
	return fmt.Sprintf("the workflow is at revision %d now", e.Current)
}

// Metadata is a workflow without its definition: what lists show.
type Metadata struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Version     string    `json:"version"`
	Type        string    `json:"type"`
	Description string    `json:"description"`
	Tags        []string  `json:"tags"`
	StepCount   int       `json:"step_count"`
	Revision    int       `json:"revision"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	// LastExecuted and LastStatus are of the newest execution; null and
	// empty where there is none.
	LastExecuted   *time.Time `json:"last_executed"`
	LastStatus     string     `json:"last_status"`
	ExecutionCount int        `json:"execution_count"`
	// Valid is false for a draft with problems.
	Valid bool `json:"valid"`
	// Problems is a JSON list, for a draft.
	Problems json.RawMessage `json:"problems,omitempty"`
}

// Definition is what a save keeps of a workflow.
type Definition struct {
	Name        string
	Version     string
	Type        string
	Description string
	Tags        []string
	StepCount   int
	// Format is "yaml" or "json", Text what was sent, byte for byte.
	Format string
	Text   []byte
	// Document is the definition as JSON, as the engine takes it.
	Document json.RawMessage
	// Valid is false for a draft, whose Problems are a JSON list.
	Valid    bool
	Problems json.RawMessage
	// Author and Message belong to the revision.
	Author  string
	Message string
}

// Workflow is a stored workflow at its newest revision.
type Workflow struct {
	Metadata

	Format   string
	Text     []byte
	Document json.RawMessage
}

// Revision is one save of a workflow.
type Revision struct {
	Number    int             `json:"revision"`
	CreatedAt time.Time       `json:"created_at"`
	Author    string          `json:"author"`
	Message   string          `json:"message"`
	Format    string          `json:"-"`
	Text      []byte          `json:"-"`
	Document  json.RawMessage `json:"-"`
}

// WorkflowFilter picks workflows for a list.
type WorkflowFilter struct {
	Type, Tag string
	// Query is looked for in name and description, without regard to case.
	Query string
	// Sort is name, created_at, updated_at or last_executed, with a "-"
	// before it for descending; empty is "-updated_at".
	Sort          string
	Limit, Offset int
}

// ExecutionFilter picks executions for a list, the newest first.
type ExecutionFilter struct {
	WorkflowID   string
	Statuses     []plan.Status
	Trigger      string
	Since, Until time.Time
	// Limit is at least 1; Cursor is the one that the last page gave, or
	// empty for the first.
	Limit  int
	Cursor string
}

// LogFilter picks log lines.
type LogFilter struct {
	StepID string
	// Level is the least that is shown; empty is all.
	Level    string
	AfterSeq uint64
	Limit    int
}

// Session is a signed-in browser.
type Session struct {
	User      string    `json:"user"`
	Role      string    `json:"role"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}
