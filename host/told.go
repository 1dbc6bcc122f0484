package host

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/vwmp/vwmp/host/live"
	"github.com/vwmp/vwmp/store/data"
)

// keptWorkflows is data.Workflows under a name that is not one of its methods.
type keptWorkflows = data.Workflows

// toldWorkflows tells the triggers and the open pages of every change,
// whichever route makes it.
type toldWorkflows struct {
	keptWorkflows
	triggers Triggers
	hub      *live.Hub
	now      func() time.Time
	log      *slog.Logger
}

// workflowNotice tells the readers of /ws/vwmp/events that a workflow was
// saved or deleted. Like every notice it has no number: who may have missed
// one asks again.
type workflowNotice struct {
	// Event is workflow_changed or workflow_deleted.
	Event      string `json:"event"`
	WorkflowID string `json:"workflow_id"`
	// Revision is the newest one; 0 of a workflow that was deleted.
	Revision  int       `json:"revision,omitempty"`
	By        string    `json:"by,omitempty"`
	Timestamp time.Time `json:"timestamp"`
}

// CreateWorkflow implements data.Workflows.
func (t toldWorkflows) CreateWorkflow(ctx context.Context, given data.NewWorkflow) (data.Workflow, error) {
	w, err := t.keptWorkflows.CreateWorkflow(ctx, given)
	if err == nil {
		t.changed(ctx, w, given.Author)
	}
	return w, err
}

// UpdateWorkflow implements data.Workflows.
func (t toldWorkflows) UpdateWorkflow(ctx context.Context, id string, expected int, given data.NewWorkflow) (data.Workflow, error) {
	w, err := t.keptWorkflows.UpdateWorkflow(ctx, id, expected, given)
	if err == nil {
		t.changed(ctx, w, given.Author)
	}
	return w, err
}

// DeleteWorkflow implements data.Workflows.
func (t toldWorkflows) DeleteWorkflow(ctx context.Context, id string) error {
	err := t.keptWorkflows.DeleteWorkflow(ctx, id)
	if err == nil {
		t.tell(ctx, &workflowNotice{Event: "workflow_deleted", WorkflowID: id, By: infoOf(ctx).who.Name})
	}
	return err
}

func (t toldWorkflows) changed(ctx context.Context, w data.Workflow, author string) {
	t.tell(ctx, &workflowNotice{Event: "workflow_changed", WorkflowID: w.ID, Revision: w.Revision, By: author})
}

// tell goes on although the request has ended: the change is durable.
func (t toldWorkflows) tell(ctx context.Context, notice *workflowNotice) {
	t.triggers.Changed(context.WithoutCancel(ctx), notice.WorkflowID)
	notice.Timestamp = t.now().UTC()
	text, err := json.Marshal(notice)
	if err != nil {
		t.log.Error("tell of a changed workflow", "workflow_id", notice.WorkflowID, "error", err)
		return
	}
	t.hub.Announce(live.NewNotice(notice.WorkflowID, text))
}
