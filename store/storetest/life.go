package storetest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

// Life numbers the events of one execution as an engine does.
type Life struct {
	Header engine.Execution
	seq    uint64
	sub    uint32
}

// NewLife is an execution that is about to be created.
func NewLife(id, workflowID string, at time.Time) *Life {
	return &Life{Header: engine.Execution{
		ID: id, WorkflowID: workflowID, WorkflowName: "Release", WorkflowVersion: "1.0.0", WorkflowRevision: 1,
		Status: plan.StatusPending, Trigger: engine.TriggerManual, Workspace: "default",
		Parameters: json.RawMessage(`{"message":"hello"}`), CreatedAt: at, StartedAt: at, By: "admin",
		Progress: plan.Progress{TotalSteps: 2},
	}}
}

// Event numbers an event: an internal one behind the last, a public one next.
func (l *Life) Event(kind plan.EventType) plan.Event {
	if kind.Internal() {
		l.sub++
	} else {
		l.seq, l.sub = l.seq+1, 0
	}
	return plan.Event{
		Type: kind, Seq: l.seq, Sub: l.sub, ExecutionID: l.Header.ID, WorkflowID: l.Header.WorkflowID, Time: l.Header.CreatedAt,
	}
}

// Document is the definition that every life runs.
func Document() json.RawMessage {
	return json.RawMessage(`{"name":"Release","steps":[{"id":"build","handler":"shell.run"}]}`)
}

// Creation is the first record.
func (l *Life) Creation() engine.Creation {
	created := l.Event(plan.ExecutionCreated)
	created.By, created.Private = "admin", &plan.Private{SkipSteps: []string{"notify"}}
	return engine.Creation{Execution: l.Header, Document: Document(), WorkspaceDir: "/srv/project", Events: []plan.Event{created}}
}

// Start is the commit that starts the execution and its step "build".
func (l *Life) Start() engine.Commit {
	l.Header.Status = plan.StatusRunning
	first := l.Event(plan.ExecutionStarted)
	first.WorkflowName, first.TotalSteps, first.Trigger = l.Header.WorkflowName, 2, l.Header.Trigger
	started := l.Event(plan.StepStarted)
	started.StepID, started.StepName, started.Handler, started.Attempt = "build", "Build", "shell.run", 1
	started.Private = &plan.Private{EffectClass: pluginsdk.EffectUnsafe, IdempotencyKey: l.Header.ID + "/build"}
	return engine.Commit{
		Execution: l.Header, Events: []plan.Event{first, started},
		Steps: []engine.StepResult{{StepID: "build", StepName: "Build", Handler: "shell.run", Status: plan.StatusRunning, Attempts: 1}},
	}
}

// Move is a commit that changes the status and says so by one event.
func (l *Life) Move(kind plan.EventType, status plan.Status) engine.Commit {
	l.Header.Status = status
	event := l.Event(kind)
	event.Status = string(status)
	return engine.Commit{Execution: l.Header, Events: []plan.Event{event}}
}

// End is the commit that ends the execution.
func (l *Life) End(status plan.Status) engine.Commit {
	l.Header.CompletedAt = l.Header.StartedAt.Add(3 * time.Second)
	l.Header.TotalTime = 3
	return l.Move(plan.WorkflowCompleted, status)
}

// Line numbers a log line.
func (l *Life) Line(step string, attempt int, level pluginsdk.LogLevel, message string) plan.Event {
	line := l.Event(plan.StepLog)
	line.StepID, line.Attempt, line.Level, line.Message = step, attempt, level, message
	return line
}

// Progress numbers a progress line.
func (l *Life) Progress(step string, attempt int, percentage float64) plan.Event {
	line := l.Event(plan.StepProgress)
	line.StepID, line.Attempt, line.Percentage = step, attempt, &percentage
	return line
}

// Refuse takes back the last number: a full log did not take the line.
func (l *Life) Refuse() { l.seq-- }

// Seq is the last number that was given.
func (l *Life) Seq() uint64 { return l.seq }

// ID makes an execution's id of a number; higher numbers sort later.
func ID(n int) string { return fmt.Sprintf("0192f000-0000-7000-8000-%012d", n) }
