package host

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/trigger"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/store/data"
)

// Triggers is what the host asks of whoever fires triggers; trigger.Runner is
// one.
type Triggers interface {
	Triggers(ctx context.Context) ([]trigger.View, error)
	Pause(ctx context.Context, id, by string) (trigger.View, error)
	Resume(ctx context.Context, id string) (trigger.View, error)
	Fire(ctx context.Context, id, by string, payload map[string]any) (engine.Execution, error)
	Hook(ctx context.Context, token string, request *trigger.HookRequest) (engine.Execution, error)
	// Changed tells of a workflow that was saved or deleted.
	Changed(ctx context.Context, workflowID string)
}

// noTriggers stands in where the host has none.
type noTriggers struct{}

func (noTriggers) Triggers(context.Context) ([]trigger.View, error) { return nil, nil }

func (noTriggers) Pause(context.Context, string, string) (trigger.View, error) {
	return trigger.View{}, engine.ErrNotFound
}

func (noTriggers) Resume(context.Context, string) (trigger.View, error) {
	return trigger.View{}, engine.ErrNotFound
}

func (noTriggers) Fire(context.Context, string, string, map[string]any) (engine.Execution, error) {
	return engine.Execution{}, engine.ErrNotFound
}

func (noTriggers) Hook(context.Context, string, *trigger.HookRequest) (engine.Execution, error) {
	return engine.Execution{}, engine.ErrNotFound
}

func (noTriggers) Changed(context.Context, string) {}

func (s *Server) addTriggers() {
	tags := []string{"triggers"}
	registerPlain(s, huma.Operation{
		OperationID: "list-triggers", Method: http.MethodGet, Path: apiBase + "/triggers/", Tags: tags,
		Summary: "List the triggers of all workflows", Description: "With when each is due next and what came of its last firings. Who may edit also sees the paths of webhooks.",
	}, s.listTriggers)
	registerPlain(s, huma.Operation{
		OperationID: "pause-trigger", Method: http.MethodPost, Path: apiBase + "/triggers/{id}/pause/", Tags: tags,
		Summary: "Keep a trigger from firing by itself",
	}, s.pauseTrigger)
	registerPlain(s, huma.Operation{
		OperationID: "resume-trigger", Method: http.MethodPost, Path: apiBase + "/triggers/{id}/resume/", Tags: tags,
		Summary: "Let a paused trigger fire again, from now on",
	}, s.resumeTrigger)
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "fire-trigger", Method: http.MethodPost, Path: apiBase + "/triggers/{id}/fire/", Tags: tags,
			Summary: "Fire a trigger by hand", Description: "Starts its workflow now, also while the trigger is paused.",
		},
		body: fireRequest{}, bodyOptional: true, answers: map[int]any{http.StatusAccepted: started{}}, serve: s.fireTrigger,
	})
	s.addHooks(tags)
}

// shownTrigger is a trigger as the API shows it.
type shownTrigger struct {
	ID           string `json:"id" doc:"The workflow's id, a dot, and trigger_id"`
	TriggerID    string `json:"trigger_id"`
	WorkflowID   string `json:"workflow_id"`
	WorkflowName string `json:"workflow_name"`
	Type         string `json:"type" enum:"schedule,webhook,workflow,file"`
	Enabled      bool   `json:"enabled"`
	Draft        bool   `json:"draft,omitempty" doc:"The workflow's newest revision is a draft with problems, so that its triggers rest"`
	Paused       bool   `json:"paused"`
	PausedBy     string `json:"paused_by,omitempty"`
	// PausedAt is zero for one that is not paused.
	PausedAt time.Time `json:"paused_at,omitzero"`
	NextDue  time.Time `json:"next_due,omitzero" doc:"Of a schedule that is not paused: when it fires next"`
	Problem  string    `json:"problem,omitempty" doc:"Why it can't fire as things stand, and what to do"`

	Cron     string   `json:"cron,omitempty"`
	Timezone string   `json:"timezone,omitempty"`
	CatchUp  string   `json:"catch_up,omitempty"`
	HookPath string   `json:"hook_path,omitempty" doc:"Of a webhook: where to send POST requests; only for those who may edit"`
	Signed   bool     `json:"signed,omitempty" doc:"Of a webhook: calls need a signature"`
	Workflow string   `json:"workflow,omitempty" doc:"The workflow that is watched"`
	Statuses []string `json:"statuses,omitempty"`
	Glob     string   `json:"glob,omitempty"`
	Debounce float64  `json:"debounce,omitempty" doc:"In seconds"`

	LastFiring *trigger.Firing  `json:"last_firing,omitempty"`
	Firings    []trigger.Firing `json:"firings" nullable:"false" doc:"The newest first"`
}

func shownTriggerOf(ctx context.Context, view *trigger.View) shownTrigger {
	t := &view.Trigger
	shown := shownTrigger{
		ID: view.ID, TriggerID: t.ID, WorkflowID: view.WorkflowID, WorkflowName: view.WorkflowName, Type: string(t.Type), Enabled: t.Enabled,
		Draft: view.Draft, Paused: view.Paused, PausedBy: view.PausedBy, PausedAt: view.PausedAt, NextDue: view.Next, Problem: view.Problem, Firings: view.Firings,
	}
	if len(view.Firings) > 0 {
		shown.LastFiring = &view.Firings[0]
	}
	switch t.Type {
	case workflow.TriggerSchedule:
		shown.Cron, shown.Timezone, shown.CatchUp = t.Cron, t.Timezone, string(t.CatchUp)
	case workflow.TriggerWebhook:
		shown.Signed = t.Signature != nil
		if infoOf(ctx).who.May(edge.Editor) {
			shown.HookPath = apiBase + "/hooks/" + view.Token + "/"
		}
	case workflow.TriggerWorkflow:
		shown.Workflow, shown.Statuses = t.Workflow, t.Statuses
	case workflow.TriggerFile:
		shown.Glob, shown.Debounce = t.Glob, t.Debounce.Seconds()
	}
	return shown
}

type listTriggersInput struct {
	WorkflowID string `query:"workflow_id" doc:"Only those of this workflow"`
	Type       string `query:"type" doc:"schedule, webhook, workflow or file"`
}

var triggerTypes = []string{"schedule", "webhook", "workflow", "file"}

type listTriggersOutput struct {
	Body struct {
		Triggers []shownTrigger `json:"triggers" nullable:"false"`
		Next     string         `json:"next" doc:"Always empty: the list comes whole"`
	}
}

func (s *Server) listTriggers(ctx context.Context, in *listTriggersInput) (*listTriggersOutput, error) {
	if in.Type != "" && !slices.Contains(triggerTypes, in.Type) {
		return nil, problem.InvalidValue("type", "enum", "type must be one of "+strings.Join(triggerTypes, ", "))
	}
	views, err := s.Triggers.Triggers(ctx)
	if err != nil {
		return nil, err
	}
	hidden, err := s.hidden(ctx, infoOf(ctx).who)
	if err != nil {
		return nil, err
	}
	out := &listTriggersOutput{}
	out.Body.Triggers = []shownTrigger{}
	for i := range views {
		if !hidden[views[i].WorkflowID] && (in.WorkflowID == "" || in.WorkflowID == views[i].WorkflowID) && (in.Type == "" || in.Type == string(views[i].Trigger.Type)) {
			out.Body.Triggers = append(out.Body.Triggers, shownTriggerOf(ctx, &views[i]))
		}
	}
	return out, nil
}

// triggerID reads a trigger's id from the path: the workflow's id, a dot, and
// its own.
func triggerID(raw string) (string, error) {
	id, ok := pathValue(raw)
	of, own, found := strings.Cut(id, ".")
	if ok && found && workflow.ValidID(of) && workflow.ValidID(own) {
		return id, nil
	}
	return "", noTrigger()
}

func noTrigger() *problem.Problem {
	return problem.New(http.StatusNotFound, problem.NotFound, "there is no trigger of this id; GET /triggers/ lists them")
}

func triggerMissing(err error) error {
	if errors.Is(err, engine.ErrNotFound) {
		return noTrigger().Because(err)
	}
	return err
}

type triggerInput struct {
	ID string `path:"id"`
}

type triggerOutput struct{ Body shownTrigger }

func (s *Server) pauseTrigger(ctx context.Context, in *triggerInput) (*triggerOutput, error) {
	return changedTrigger(ctx, in.ID, func(id string) (trigger.View, error) {
		return s.Triggers.Pause(ctx, id, infoOf(ctx).who.Name)
	})
}

func (s *Server) resumeTrigger(ctx context.Context, in *triggerInput) (*triggerOutput, error) {
	return changedTrigger(ctx, in.ID, func(id string) (trigger.View, error) { return s.Triggers.Resume(ctx, id) })
}

func changedTrigger(ctx context.Context, rawID string, change func(id string) (trigger.View, error)) (*triggerOutput, error) {
	id, err := triggerID(rawID)
	if err != nil {
		return nil, err
	}
	view, err := change(id)
	if err != nil {
		return nil, triggerMissing(err)
	}
	return &triggerOutput{shownTriggerOf(ctx, &view)}, nil
}

type fireRequest struct {
	Trigger map[string]any `json:"trigger,omitempty" doc:"What ${trigger.…} stands for, such as {\"body\": {…}}"`
}

func (s *Server) fireTrigger(c *fiber.Ctx, body any) (int, any, error) {
	ctx := c.UserContext()
	id, err := triggerID(c.Params("id"))
	if err != nil {
		return 0, nil, err
	}
	sent, _ := body.(*fireRequest)
	execution, err := s.Triggers.Fire(ctx, id, infoOf(ctx).who.Name, sent.Trigger)
	if err != nil {
		return 0, nil, triggerMissing(err)
	}
	c.Set(fiber.HeaderLocation, executionPath(execution.ID))
	return http.StatusAccepted, startedOf(ctx, &execution), nil
}

func startedOf(ctx context.Context, execution *engine.Execution) started {
	return started{
		ExecutionID: execution.ID, WorkflowID: execution.WorkflowID, Status: execution.Status, StartedAt: execution.StartedAt,
		WebsocketURL: infoOf(ctx).socketURL("/ws/vwmp/executions/" + execution.ID),
	}
}

// TriggerPorts gives triggers what they must know of workflows and executions,
// from a store.
type TriggerPorts struct {
	Workflows  data.Workflows
	Executions data.Executions
	// Accounts may be nil: then nobody but the server has one.
	Accounts data.Accounts
}

// SourceNames implements trigger.Sources.
func (p TriggerPorts) SourceNames(ctx context.Context) (map[string]string, error) {
	names := map[string]string{}
	for offset := 0; ; offset += data.MaxLimit {
		page, total, err := p.Workflows.Workflows(ctx, data.WorkflowFilter{Limit: data.MaxLimit, Offset: offset})
		if err != nil {
			return nil, fmt.Errorf("list the workflows: %w", err)
		}
		for i := range page {
			names[page[i].ID] = page[i].Name
		}
		if offset+data.MaxLimit >= total {
			return names, nil
		}
	}
}

// Source implements trigger.Sources.
func (p TriggerPorts) Source(ctx context.Context, workflowID string) (trigger.Source, error) {
	revision, err := p.Workflows.WorkflowRevision(ctx, workflowID, 0)
	if err != nil {
		return trigger.Source{}, err
	}
	return trigger.Source{
		ID: workflowID, Name: revision.Name, Revision: revision.Revision, Draft: !revision.Valid, Document: revision.Document,
	}, nil
}

// MayWatch implements trigger.Sources.
func (p TriggerPorts) MayWatch(ctx context.Context, workflowID, watchedID string) (bool, error) {
	w, err := p.Workflows.Workflow(ctx, workflowID)
	if err != nil {
		return false, err
	}
	authors := Authors{Workflows: p.Workflows, Accounts: p.Accounts}
	return authors.MaySee(ctx, engine.Caller{WorkflowID: workflowID, Revision: w.Revision}, watchedID)
}

// Execution implements trigger.Executions.
func (p TriggerPorts) Execution(ctx context.Context, id string) (engine.Execution, error) {
	return p.Executions.Execution(ctx, id)
}

// EachEnded implements trigger.Executions.
func (p TriggerPorts) EachEnded(ctx context.Context, workflowID string, each func(engine.Execution)) error {
	filter := data.ExecutionFilter{WorkflowID: workflowID}
	for _, status := range data.Statuses() {
		if status.Ended() {
			filter.Status = append(filter.Status, status)
		}
	}
	for {
		page, next, err := p.Executions.Executions(ctx, filter)
		if err != nil {
			return err
		}
		for _, execution := range page {
			each(execution)
		}
		if next == "" {
			return nil
		}
		filter.Cursor = next
	}
}
