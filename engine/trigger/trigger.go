// Package trigger starts executions without a person: on a schedule, by a
// webhook, when another workflow ends, when files of the workspace change.
//
// It decides when a trigger fires and keeps what came of it. It runs nothing
// itself (that is the Engine's), listens to no network (a host hands it the
// requests of its hooks), and judges no definition (package workflow does).
//
// The life of a trigger:
//  1. A workflow is saved, and Changed tells the Runner; it reads the newest
//     revision and takes up the triggers that stand in it.
//  2. Run, one goroutine, waits for what is next: a due time, an end, a change
//     of files. Without triggers it waits for nothing but Changed.
//  3. A firing resolves the trigger's parameters and starts the execution with
//     a key made of the trigger and its cause, so that a crash between the
//     start and the record of it starts no second one.
//  4. What came of it, fired, missed or refused, is kept with the trigger.
//  5. After a stop, Run looks for what it has missed, and follows catch_up.
package trigger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/workflow"
)

// Bounds of what triggers do and keep.
const (
	// MaxFirings bounds the firings that are kept of a trigger.
	MaxFirings = 50
	// MaxCatchUp bounds the missed firings that a start makes up for.
	MaxCatchUp = 100
	// MaxChain bounds how many workflow triggers may lead to one another.
	MaxChain = 16
	// MaxFiles bounds the paths that a file trigger passes on.
	MaxFiles = 1000
	// HookRate is how often a hook may be called in a HookPeriod.
	HookRate   = 60
	HookPeriod = time.Minute
)

// Errors that callers act on; wrap them with the particulars.
var (
	// ErrSignature: a webhook's signature is missing or wrong.
	ErrSignature = errors.New("the signature does not fit the body")
	// ErrNoSecret: there is no secret of this name.
	ErrNoSecret = errors.New("there is no such secret")
	// ErrChain: too many workflow triggers led to one another.
	ErrChain = fmt.Errorf("%d workflow triggers in a row led to this start; break the circle of workflows that start each other", MaxChain)
)

// LimitedError: a hook was called too often.
type LimitedError struct {
	// After is when it may be called again.
	After time.Duration
}

// Error names the wait.
func (e *LimitedError) Error() string {
	return fmt.Sprintf("this hook may be called %d times in %s; try again in %s", HookRate, HookPeriod, e.After.Round(time.Second))
}

// Source is the newest revision of a workflow.
type Source struct {
	ID       string
	Name     string
	Revision int
	// Draft: it has problems and can't be executed.
	Draft bool
	// Document is the definition as JSON, nil for a draft that has none.
	Document json.RawMessage
}

// Sources gives the workflows whose triggers are run.
type Sources interface {
	// SourceNames gives the names of all workflows by their ids.
	SourceNames(ctx context.Context) (map[string]string, error)
	// Source is an engine.ErrNotFound for a workflow that is gone.
	Source(ctx context.Context, workflowID string) (Source, error)
	// MayWatch reports whether a workflow may be started by the ends of
	// another one.
	MayWatch(ctx context.Context, workflowID, watchedID string) (bool, error)
}

// Executions tells of executions what workflow triggers must know.
type Executions interface {
	Execution(ctx context.Context, id string) (engine.Execution, error)
	// EachEnded passes the executions of a workflow that have ended, in any
	// order.
	EachEnded(ctx context.Context, workflowID string, each func(engine.Execution)) error
}

// Records keeps what a trigger must remember, each under the trigger's id.
type Records interface {
	TriggerRecords(ctx context.Context) (map[string][]byte, error)
	// PutTriggerRecord keeps a record durably before it returns.
	PutTriggerRecord(ctx context.Context, id string, record []byte) error
	// DeleteTriggerRecord is nil for one that is gone.
	DeleteTriggerRecord(ctx context.Context, id string) error
}

// Secrets gives a webhook's secret by its name, or an ErrNoSecret.
type Secrets interface {
	Secret(ctx context.Context, name string) (string, error)
}

// Starter starts executions; engine.Engine is one.
type Starter interface {
	Start(ctx context.Context, request engine.StartRequest) (execution engine.Execution, created bool, err error)
}

// Options are the ports of a Runner; all but Secrets, Ready, Logger and Poll
// are required.
type Options struct {
	Engine     Starter
	Sources    Sources
	Executions Executions
	Records    Records
	Settings   engine.Settings
	Clock      engine.Clock
	// Ends was told of every event since before the engine took up anything.
	Ends *Ends
	// Workspace is where executions run and files are watched.
	Workspace engine.Workspace
	// Secrets may be nil: then a hook with a signature refuses every call.
	Secrets Secrets
	// Ready waits until the catalogue of handlers is known.
	Ready func(ctx context.Context) error
	// Noted is told of each firing that was written down; it must not block.
	// It may be nil.
	Noted func(kind workflow.TriggerType, firing Firing)
	// Poll is how often files are looked at; 2 s where it is 0.
	Poll   time.Duration
	Logger *slog.Logger
}

// ID is the id of a trigger: that of its workflow, a dot, and its own. Neither
// holds a dot.
func ID(workflowID, triggerID string) string { return workflowID + "." + triggerID }

// Outcome is what came of a firing.
type Outcome string

// The outcomes of a firing.
const (
	// Fired: an execution was started.
	Fired Outcome = "fired"
	// Missed: its time passed and nothing was started.
	Missed Outcome = "missed"
	// Refused: the start, or the call of the hook, was refused.
	Refused Outcome = "refused"
)

// Firing is one occasion on which a trigger fired or should have.
type Firing struct {
	// Number counts a trigger's firings from 1.
	Number  uint64    `json:"number"`
	At      time.Time `json:"at" doc:"When it was decided"`
	Outcome Outcome   `json:"outcome" enum:"fired,missed,refused"`
	// Count is how many occasions are told here together, Until the last of
	// them; both are empty for one.
	Count       int       `json:"count,omitempty" doc:"How many occasions are told here together"`
	Due         time.Time `json:"due,omitzero" doc:"Of a schedule: when it was due"`
	Until       time.Time `json:"until,omitzero" doc:"The last of several occasions"`
	ExecutionID string    `json:"execution_id,omitempty"`
	Reason      string    `json:"reason,omitempty" doc:"Why it was missed or refused"`
	// Cause is the execution whose end fired a workflow trigger.
	Cause string `json:"cause,omitempty" doc:"The execution whose end fired it"`
	By    string `json:"by,omitempty" doc:"Who fired it by hand"`
}

// record is what is kept of a trigger.
type record struct {
	Paused   bool      `json:"paused,omitempty"`
	PausedBy string    `json:"paused_by,omitempty"`
	PausedAt time.Time `json:"paused_at,omitzero"`
	// Since is when the trigger began to count, last: what was before it
	// never fires.
	Since time.Time `json:"since"`
	// Handled is the newest due time that was decided, or the newest end.
	Handled time.Time `json:"handled"`
	// Shape tells a trigger that was changed from one that was not.
	Shape string `json:"shape"`
	// Token opens a webhook and nothing else. It is kept as it is, because an
	// editor must be able to read the hook's address again.
	Token  string `json:"token,omitempty"`
	Number uint64 `json:"number"`
	// Firings are the newest first.
	Firings []Firing `json:"firings,omitempty"`
}

// maxReason bounds what is kept of a reason, in bytes: it may quote what was
// sent.
const maxReason = 1000

// add notes a firing. Its number and its time follow those before it, also
// where the clock was set back by less than a day.
func (r *record) add(f Firing) {
	if len(f.Reason) > maxReason {
		f.Reason = strings.ToValidUTF8(f.Reason[:maxReason], "") + "…"
	}
	if len(r.Firings) > 0 {
		last := &r.Firings[0]
		if f.At.Before(last.At) && last.At.Sub(f.At) < farBack {
			f.At = last.At
		}
		if f.Outcome == Refused && last.Outcome == Refused && f.Reason == last.Reason && f.Cause == "" && last.Cause == "" && f.By == last.By {
			// A flood of refusals must not push out what else there is.
			last.Count = max(last.Count, 1) + max(f.Count, 1)
			last.Until = f.At
			return
		}
	}
	r.Number++
	f.Number = r.Number
	if len(r.Firings) >= MaxFirings {
		r.Firings = slices.Delete(r.Firings, r.oldest(), r.oldest()+1)
	}
	r.Firings = slices.Insert(r.Firings, 0, f)
}

// oldest is the firing to make room: what was missed or refused is worth more
// to whoever looks than what fired, up to half of the list.
func (r *record) oldest() int {
	fired, other, others := -1, -1, 0
	for i := range r.Firings {
		if r.Firings[i].Outcome == Fired {
			fired = i
		} else {
			other, others = i, others+1
		}
	}
	if fired < 0 || others > MaxFirings/2 {
		return other
	}
	return fired
}

// View is a trigger as a host shows it.
type View struct {
	ID           string
	WorkflowID   string
	WorkflowName string
	Trigger      workflow.Trigger
	// Draft: the workflow's newest revision has problems, so that its
	// triggers rest.
	Draft    bool
	Paused   bool
	PausedBy string
	PausedAt time.Time
	// Next is when a schedule is due next, zero where it is not.
	Next time.Time
	// Token is a webhook's; only an editor may see it.
	Token string
	// Problem says why the trigger can't fire as things stand, and what to do;
	// empty where nothing is known to hinder it.
	Problem string
	// Firings are the newest first.
	Firings []Firing
}

// What an execution was started by, as StartRequest.By says it. The link
// number of a workflow trigger is kept there, because it must survive with the
// execution whatever happens to the trigger.
const (
	byPrefix = "trigger:"
	byLink   = "#"
)

func byOf(id string, link int) string {
	if link == 0 {
		return byPrefix + id
	}
	return fmt.Sprintf("%s%s%s%d", byPrefix, id, byLink, link)
}

// linkOf reads how many workflow triggers in a row led to an execution.
func linkOf(execution *engine.Execution) int {
	rest, ours := strings.CutPrefix(execution.By, byPrefix)
	if _, number, found := strings.Cut(rest, byLink); ours && found {
		if link, err := strconv.Atoi(number); err == nil {
			return link
		}
	}
	return 0
}
