package data

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

// ExecutionFilter selects and pages a list of executions, newest first. Its
// zero value selects all.
type ExecutionFilter struct {
	WorkflowID string
	// Status selects any of these; empty selects every status.
	Status  []plan.Status
	Trigger string
	// Since and Until bound CreatedAt: Since included, Until not.
	Since, Until time.Time
	// Limit is 1,000 where it is 0.
	Limit int
	// Cursor is what the page before gave as next.
	Cursor string
	// Hidden are workflows whose executions must not be listed, by id.
	Hidden map[string]bool
}

// Position is a place in the list of executions.
type Position struct {
	// Micros is CreatedAt in microseconds since 1970.
	Micros int64
	ID     string
}

// PositionOf returns the place of an execution.
func PositionOf(createdAt time.Time, id string) Position {
	return Position{Micros: createdAt.UnixMicro(), ID: id}
}

// Cursor writes a position as opaque text.
func (p Position) Cursor() string {
	raw := binary.BigEndian.AppendUint64(nil, uint64(p.Micros)) //nolint:gosec // Bits are kept, both ways.
	return base64.RawURLEncoding.EncodeToString(append(raw, p.ID...))
}

// ParseCursor reads a position; its error is an ErrInvalid.
func ParseCursor(cursor string) (Position, error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) <= 8 {
		return Position{}, fmt.Errorf("%w cursor", ErrInvalid)
	}
	p := Position{Micros: int64(binary.BigEndian.Uint64(raw)), ID: string(raw[8:])} //nolint:gosec // Bits are kept, both ways.
	if err := CheckID("execution", p.ID); err != nil {
		return Position{}, fmt.Errorf("%w cursor", ErrInvalid)
	}
	return p, nil
}

// Before reports whether p is older than other in the list.
func (p Position) Before(other Position) bool {
	if p.Micros != other.Micros {
		return p.Micros < other.Micros
	}
	return p.ID < other.ID
}

// Statuses are all that an execution can have, in the order of their life.
func Statuses() []plan.Status {
	return []plan.Status{
		plan.StatusPending, plan.StatusQueued, plan.StatusRunning, plan.StatusPaused, plan.StatusWaiting,
		plan.StatusSuccess, plan.StatusPartial, plan.StatusFailed, plan.StatusCancelled,
	}
}

// LiveStatuses are those of an execution that has not ended.
func LiveStatuses() []plan.Status {
	return slices.DeleteFunc(Statuses(), plan.Status.Ended)
}

// LogFilter selects lines of an execution's log.
type LogFilter struct {
	// StepID selects one step; empty selects all.
	StepID string
	// Level is the lowest to be shown; empty shows all.
	Level pluginsdk.LogLevel
	// AfterSeq selects lines of a higher Seq.
	AfterSeq uint64
	// Limit is 1,000 where it is 0.
	Limit int
}

// Match reports whether a log line passes the filter.
func (f *LogFilter) Match(line *plan.Event) bool {
	return line.Type == plan.StepLog && line.Seq > f.AfterSeq && (f.StepID == "" || line.StepID == f.StepID) &&
		rank(line.Level) >= rank(f.Level)
}

func rank(level pluginsdk.LogLevel) int {
	return slices.Index([]pluginsdk.LogLevel{
		pluginsdk.LevelDebug, pluginsdk.LevelInfo, pluginsdk.LevelWarning, pluginsdk.LevelError,
	}, level)
}

// LogPage is one page of log lines, in the order of their Seq.
type LogPage struct {
	Lines []plan.Event
	// More says that further lines follow the last one of the page.
	More bool
	// Capped lists the attempts whose log reached its size limit, and of
	// which later lines are therefore missing.
	Capped []CappedLog
}

// CappedLog is the mark that a log at its size limit carries.
type CappedLog struct {
	StepID  string `json:"step_id"`
	Attempt int    `json:"attempt"`
	// Limit is in bytes.
	Limit int64 `json:"limit"`
	// Dropped counts the lines that were left out, as far as known: a host
	// that died while the attempt ran did not write it down.
	Dropped uint64 `json:"dropped"`
	// After is the Seq of the last line that was kept.
	After uint64 `json:"after_seq"`
}

// Executions reads and removes executions. A missing one is an
// engine.ErrNotFound.
type Executions interface {
	Execution(ctx context.Context, id string) (engine.Execution, error)
	// StepResults are the steps that events have changed so far, by id; a
	// step that nothing happened to is not among them.
	StepResults(ctx context.Context, id string) ([]engine.StepResult, error)
	// Executions lists one page; next is empty on the last one.
	Executions(ctx context.Context, filter ExecutionFilter) (page []engine.Execution, next string, err error)
	// LiveExecutions lists those of a workflow that have not ended.
	LiveExecutions(ctx context.Context, workflowID string) ([]string, error)
	// Events lists the public events behind afterSeq in the order of their
	// Seq, log and progress lines included. Fewer than limit (1,000 where it
	// is 0) mean that no more are kept at the moment.
	Events(ctx context.Context, id string, afterSeq uint64, limit int) ([]plan.Event, error)
	Logs(ctx context.Context, id string, filter LogFilter) (LogPage, error)
	// LogCounts counts the log lines of each step that has any.
	LogCounts(ctx context.Context, id string) (map[string]int, error)
	// DeleteExecution removes an ended execution with its logs; one that
	// lives is an engine.ErrConflict.
	DeleteExecution(ctx context.Context, id string) error
}
