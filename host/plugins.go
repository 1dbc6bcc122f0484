package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/live"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/store/data"
)

// Plugins is what the host asks of whoever runs plugins. A plugin that is not
// there is an ErrNoPlugin.
type Plugins interface {
	// Plugins lists all that were found, and those that were refused.
	Plugins() []PluginStatus
	// Fence says how plugins are kept in on this machine.
	Fence() PluginFence
	// Plugin returns one of them.
	Plugin(name string) (PluginStatus, bool)
	// Enable and Disable are nil for a plugin that is so already. by names
	// who wishes it.
	Enable(ctx context.Context, name string) error
	Disable(ctx context.Context, name, by string) error
	// Reload looks at a plugin's file anew. It is a *HeldVersionError for a
	// version that is not taken up unless force is set.
	Reload(ctx context.Context, name string, force bool) error
}

// ErrNoPlugin: there is no plugin of that name.
var ErrNoPlugin = fmt.Errorf("plugin: %w", engine.ErrNotFound)

// RefusedPluginError: the plugin's file may not be one; Reason is a sentence.
type RefusedPluginError struct{ Name, Reason string }

// Error gives the reason.
func (e *RefusedPluginError) Error() string {
	return fmt.Sprintf("the file of plugin %s is refused: %s", e.Name, e.Reason)
}

// HeldVersionError: a version of a plugin is held back.
type HeldVersionError struct {
	// Message is a sentence.
	Message string
	Held    HeldVersion
}

// Error returns the sentence.
func (e *HeldVersionError) Error() string { return e.Message }

// PluginStatus is a plugin as the API shows it.
type PluginStatus struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	Author      string `json:"author,omitempty"`
	Description string `json:"description,omitempty"`
	Build       string `json:"build,omitempty" doc:"Revision of the source that it was built from"`
	State       string `json:"state" enum:"stopped,starting,running,stopping,failed,quarantined,disabled,unkillable,refused" doc:"stopped: no process runs, one is started by the next call. failed: the last start failed. quarantined: it crashed too often and rests until next_start; steps wait. disabled: steps wait until somebody enables it. unkillable: a process of it can't be ended. refused: its file is not used, state_reason says why"`
	StateReason string `json:"state_reason,omitempty" doc:"A sentence, for quarantined, disabled and refused"`
	// Path is the file's name with the folder it is in, no more.
	Path          string    `json:"path" doc:"The file's name with the folder it is in"`
	Checksum      string    `json:"checksum,omitempty" doc:"SHA-256 of the binary, or of the folder's files, in hex"`
	Handlers      []string  `json:"handlers" nullable:"false"`
	WorkflowTypes []string  `json:"workflow_types,omitempty"`
	PID           int       `json:"pid,omitempty"`
	StartedAt     time.Time `json:"started_at,omitzero" doc:"Of the running process, or the last one"`
	MemoryBytes   int64     `json:"memory_bytes,omitempty" doc:"Resident memory of its running processes"`
	CPUSeconds    float64   `json:"cpu_seconds" doc:"Processor time of all its processes so far"`
	Calls         int       `json:"calls" doc:"Calls so far"`
	Running       int       `json:"running" doc:"Calls now"`
	Waiting       int       `json:"waiting" doc:"Calls that wait for a process"`
	Draining      int       `json:"draining" doc:"Calls that still run on an earlier version"`
	Failures      int       `json:"failures" doc:"Calls that failed, or whose outcome is unknown"`
	Restarts      int       `json:"restarts" doc:"Starts after the first"`
	Latency       Latency   `json:"latency" doc:"Of the last 128 calls"`
	NextStart     time.Time `json:"next_start,omitzero" doc:"When a plugin whose processes crashed may start again"`
	LastError     string    `json:"last_error,omitempty" doc:"Why the last start failed, or the last process ended"`
	LastWords     []string  `json:"last_words,omitempty" doc:"The last lines that a process which crashed wrote to its standard error"`
	DisabledBy    string    `json:"disabled_by,omitempty"`
	DisabledAt    time.Time `json:"disabled_at,omitzero"`
	// Held is nil where every version that lies there is used.
	Held *HeldVersion `json:"held,omitempty" doc:"A version that lies there and is not used, while an earlier one is"`
}

// PluginFence says how plugins are kept in on this machine.
type PluginFence struct {
	Files               bool   `json:"files" doc:"Plugins may write only in workspaces, their own folder and the temporary folder (Landlock)"`
	FilesReason         string `json:"files_reason,omitempty" doc:"Why not, as a sentence"`
	Hidden              bool   `json:"data_hidden" doc:"Plugins can't read the files of the data folder"`
	HiddenReason        string `json:"data_hidden_reason,omitempty" doc:"Why not, as a sentence"`
	ControlGroups       bool   `json:"control_groups" doc:"Each process has a control group: all that it starts is counted and ended with it"`
	ControlGroupsReason string `json:"control_groups_reason,omitempty" doc:"Why not, or what is missing there, as a sentence"`
	MemoryLimit         bool   `json:"memory_limit" doc:"The control groups limit memory"`
	ProcessLimit        bool   `json:"process_limit" doc:"The control groups limit the number of processes"`
	Pinned              bool   `json:"pinned" doc:"Only plugins that are listed in plugins.lock run"`
}

// Latency is how long calls took.
type Latency struct {
	Mean float64 `json:"mean" doc:"Seconds"`
	P50  float64 `json:"p50" doc:"Seconds; half of the calls took no longer"`
	P95  float64 `json:"p95" doc:"Seconds; 19 of 20 calls took no longer"`
	Max  float64 `json:"max" doc:"Seconds"`
}

// HeldVersion is a version of a plugin that is held back.
type HeldVersion struct {
	Version  string         `json:"version,omitempty"`
	Checksum string         `json:"checksum,omitempty"`
	Reason   string         `json:"reason" enum:"breaking,removed,crashed,unchecked,broken" doc:"breaking: stored workflows would not go together with it. removed: the file is gone, and stored workflows use it. crashed: it crashed too often when it was used. unchecked: the stored workflows could not be read. broken: the file can't be used"`
	Message  string         `json:"message" doc:"A sentence"`
	Changes  []PluginChange `json:"changes" nullable:"false" doc:"What in stored workflows would break"`
	// LastWords are of its last process that crashed.
	LastWords []string `json:"last_words,omitempty"`
}

// PluginChange is one thing in a stored workflow that a version would break.
type PluginChange struct {
	WorkflowID   string `json:"workflow_id"`
	WorkflowName string `json:"workflow_name"`
	StepID       string `json:"step_id,omitempty"`
	Handler      string `json:"handler,omitempty"`
	Code         string `json:"code" doc:"Lower-case word a program can act on"`
	Message      string `json:"message" doc:"A sentence"`
}

// noPlugins stands in where the host has none.
type noPlugins struct{}

func (noPlugins) Fence() PluginFence                            { return PluginFence{} }
func (noPlugins) Plugins() []PluginStatus                       { return nil }
func (noPlugins) Plugin(string) (PluginStatus, bool)            { return PluginStatus{}, false }
func (noPlugins) Enable(context.Context, string) error          { return ErrNoPlugin }
func (noPlugins) Disable(context.Context, string, string) error { return ErrNoPlugin }
func (noPlugins) Reload(context.Context, string, bool) error    { return ErrNoPlugin }

func (s *Server) addPlugins() {
	tags := []string{"plugins"}
	registerPlain(s, huma.Operation{
		OperationID: "list-plugins", Method: http.MethodGet, Path: apiBase + "/plugins/", Tags: tags, Summary: "List the plugins and their processes",
		Description: "Files that are not used as plugins are in the list too, with the state refused and the reason.",
	}, s.listPlugins)
	registerPlain(s, huma.Operation{
		OperationID: "get-plugin-usage", Method: http.MethodGet, Path: apiBase + "/plugins/{name}/usage/", Tags: tags,
		Summary: "List the stored workflows and steps that use a plugin", Description: "By its handlers and its workflow types, of the newest revision of each workflow.",
	}, s.pluginUsage)
	registerPlain(s, huma.Operation{
		OperationID: "enable-plugin", Method: http.MethodPost, Path: apiBase + "/plugins/{name}/enable/", Tags: tags, Summary: "Let a plugin be called again",
		Description: "Steps that wait for it go on. It also ends the rest of a plugin that is quarantined. Nothing changes for one that is enabled.",
	}, s.enablePlugin)
	registerPlain(s, huma.Operation{
		OperationID: "disable-plugin", Method: http.MethodPost, Path: apiBase + "/plugins/{name}/disable/", Tags: tags, Summary: "Keep a plugin from being called",
		Description: "Calls that run go on to their ends, and steps that come wait. Its handlers stay known. It lasts until it is enabled, over restarts of the server too.",
	}, s.disablePlugin)
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "reload-plugin", Method: http.MethodPost, Path: apiBase + "/plugins/{name}/reload/", Tags: tags, Summary: "Look at a plugin's file anew",
			Description: "A new version is taken up: calls that run end on the old one. Without a new version the next call gets a process of its own. " +
				"A version that would break stored workflows, or has crashed too often, is a 409 that lists what would break, unless force is set.",
		},
		body: reloadRequest{}, bodyOptional: true, answers: map[int]any{http.StatusOK: PluginStatus{}}, serve: s.reloadPlugin,
	})
}

type pluginList struct {
	Plugins []PluginStatus `json:"plugins" nullable:"false"`
	Fence   PluginFence    `json:"fence" doc:"How plugins are kept in on this machine"`
	Next    string         `json:"next"`
}

type pluginsOutput struct{ Body pluginList }

func (s *Server) listPlugins(ctx context.Context, _ *struct{}) (*pluginsOutput, error) {
	if err := s.Catalogue.Ready(ctx); err != nil {
		return nil, err
	}
	list := pluginList{Plugins: []PluginStatus{}, Fence: s.Plugins.Fence()}
	list.Plugins = append(list.Plugins, s.Plugins.Plugins()...)
	for i := range list.Plugins {
		list.Plugins[i].complete()
	}
	return &pluginsOutput{list}, nil
}

// complete makes empty lists of those that are nil.
func (p *PluginStatus) complete() {
	if p.Handlers == nil {
		p.Handlers = []string{}
	}
	if p.Held != nil && p.Held.Changes == nil {
		p.Held.Changes = []PluginChange{}
	}
}

type pluginInput struct {
	Name string `path:"name"`
}

type pluginOutput struct{ Body PluginStatus }

// pluginOf finds the plugin of a path.
func (s *Server) pluginOf(ctx context.Context, raw string) (PluginStatus, error) {
	if err := s.Catalogue.Ready(ctx); err != nil {
		return PluginStatus{}, err
	}
	name, ok := pathValue(raw)
	status, found := s.Plugins.Plugin(name)
	if !ok || !found {
		return PluginStatus{}, noPlugin()
	}
	status.complete()
	return status, nil
}

func noPlugin() *problem.Problem {
	return problem.New(http.StatusNotFound, problem.PluginNotFound, "there is no plugin of this name; GET /plugins/ lists them")
}

// changePlugin does something to a plugin and returns what it is then.
func (s *Server) changePlugin(ctx context.Context, raw string, change func(name string) error) (*pluginOutput, error) {
	if err := s.Catalogue.Ready(ctx); err != nil {
		return nil, err
	}
	name, ok := pathValue(raw)
	if !ok {
		return nil, noPlugin()
	}
	if err := change(name); err != nil {
		return nil, pluginProblem(err)
	}
	status, err := s.pluginOf(ctx, raw)
	if err != nil {
		return nil, err
	}
	return &pluginOutput{status}, nil
}

func (s *Server) enablePlugin(ctx context.Context, in *pluginInput) (*pluginOutput, error) {
	return s.changePlugin(ctx, in.Name, func(name string) error { return s.Plugins.Enable(ctx, name) })
}

func (s *Server) disablePlugin(ctx context.Context, in *pluginInput) (*pluginOutput, error) {
	return s.changePlugin(ctx, in.Name, func(name string) error { return s.Plugins.Disable(ctx, name, infoOf(ctx).who.Name) })
}

type reloadRequest struct {
	Force bool `json:"force,omitempty" doc:"Take up also what is held back"`
}

func (s *Server) reloadPlugin(c *fiber.Ctx, body any) (int, any, error) {
	ctx := c.UserContext()
	sent, _ := body.(*reloadRequest)
	out, err := s.changePlugin(ctx, c.Params("name"), func(name string) error { return s.Plugins.Reload(ctx, name, sent.Force) })
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, out.Body, nil
}

// pluginProblem makes a problem of why a plugin was not changed.
func pluginProblem(err error) error {
	var refused *RefusedPluginError
	var held *HeldVersionError
	switch {
	case errors.Is(err, ErrNoPlugin):
		return noPlugin().Because(err)
	case errors.As(err, &refused):
		return problem.New(http.StatusConflict, problem.Conflict, refused.Error()).Because(err)
	case errors.As(err, &held):
		p := problem.New(http.StatusConflict, problem.Conflict, held.Message+`; take it up all the same with {"force": true}`)
		for _, change := range held.Held.Changes {
			p.Errors = append(p.Errors, problem.Item{StepID: change.StepID, Code: change.Code, Message: change.sentence()})
		}
		return p.Because(err)
	}
	return err
}

func (c *PluginChange) sentence() string {
	where := fmt.Sprintf("workflow %q (%s)", c.WorkflowName, c.WorkflowID)
	if c.StepID != "" {
		where += fmt.Sprintf(", step %q", c.StepID)
	}
	return where + ": " + c.Message
}

// PluginsChanged tells the pages that plugins are not as they were; names are
// those that changed. With catalogue, handlers may be others than before.
func (s *Server) PluginsChanged(names []string, catalogue bool) {
	if names == nil {
		names = []string{}
	}
	text, err := json.Marshal(pluginsChanged{
		Event: "plugins_changed", Timestamp: s.now().UTC(), Plugins: names, Catalogue: catalogue, Generation: s.Catalogue.Generation(),
	})
	if err != nil {
		s.log.Error("tell of a change of plugins", "error", err)
		return
	}
	s.Hub.Announce(live.NewNotice("", text))
}

// pluginsChanged is the event of /ws/vwmp/events that belongs to no
// execution.
type pluginsChanged struct {
	Event      string    `json:"event"`
	Timestamp  time.Time `json:"timestamp"`
	Plugins    []string  `json:"plugins"`
	Catalogue  bool      `json:"catalogue"`
	Generation uint64    `json:"generation"`
}

type usageStep struct {
	StepID   string `json:"step_id"`
	StepName string `json:"step_name"`
}

type usageWorkflow struct {
	WorkflowID   string      `json:"workflow_id"`
	WorkflowName string      `json:"workflow_name"`
	Revision     int         `json:"revision"`
	Steps        []usageStep `json:"steps" nullable:"false"`
}

type handlerUsage struct {
	Path      string          `json:"path"`
	Workflows []usageWorkflow `json:"workflows" nullable:"false"`
}

type typeUsage struct {
	Name      string          `json:"name"`
	Workflows []usageWorkflow `json:"workflows" nullable:"false"`
}

type pluginUsage struct {
	Plugin        string         `json:"plugin"`
	Handlers      []handlerUsage `json:"handlers" nullable:"false" doc:"Each of the plugin's handlers, with the workflows that have steps of it"`
	WorkflowTypes []typeUsage    `json:"workflow_types" nullable:"false" doc:"Each of the plugin's workflow types, with the workflows of it"`
	Next          string         `json:"next" doc:"Always empty: the list comes whole"`
}

type usageOutput struct{ Body pluginUsage }

func (s *Server) pluginUsage(ctx context.Context, in *pluginInput) (*usageOutput, error) {
	status, err := s.pluginOf(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	usage := pluginUsage{Plugin: status.Name, Handlers: make([]handlerUsage, len(status.Handlers)), WorkflowTypes: make([]typeUsage, len(status.WorkflowTypes))}
	for i, path := range slices.Sorted(slices.Values(status.Handlers)) {
		usage.Handlers[i] = handlerUsage{path, []usageWorkflow{}}
	}
	for i, name := range slices.Sorted(slices.Values(status.WorkflowTypes)) {
		usage.WorkflowTypes[i] = typeUsage{name, []usageWorkflow{}}
	}
	hidden, err := s.hidden(ctx, infoOf(ctx).who)
	if err != nil {
		return nil, err
	}
	err = EachWorkflow(ctx, s.Workflows, func(w *data.Workflow, document json.RawMessage) {
		if !hidden[w.ID] {
			usage.add(w, document)
		}
	})
	return &usageOutput{usage}, err
}

// add notes what a workflow uses.
func (u *pluginUsage) add(w *data.Workflow, document json.RawMessage) {
	var read struct {
		Steps []struct{ ID, Name, Handler string }
	}
	if json.Unmarshal(document, &read) != nil {
		return
	}
	for i := range u.WorkflowTypes {
		if kind := &u.WorkflowTypes[i]; kind.Name == w.Type {
			kind.Workflows = append(kind.Workflows, usageWorkflow{w.ID, w.Name, w.Revision, []usageStep{}})
		}
	}
	for i := range u.Handlers {
		h := &u.Handlers[i]
		var steps []usageStep
		for _, step := range read.Steps {
			if step.Handler == h.Path {
				steps = append(steps, usageStep{step.ID, step.Name})
			}
		}
		if len(steps) > 0 {
			h.Workflows = append(h.Workflows, usageWorkflow{w.ID, w.Name, w.Revision, steps})
		}
	}
}

// EachWorkflow calls each with every stored workflow whose newest revision has
// a definition, by name. One that is deleted meanwhile is left out.
func EachWorkflow(ctx context.Context, workflows data.Workflows, each func(w *data.Workflow, document json.RawMessage)) error {
	for offset := 0; ; offset += data.MaxLimit {
		page, total, err := workflows.Workflows(ctx, data.WorkflowFilter{Limit: data.MaxLimit, Offset: offset})
		if err != nil {
			return fmt.Errorf("list the workflows: %w", err)
		}
		for i := range page {
			revision, err := workflows.WorkflowRevision(ctx, page[i].ID, 0)
			if errors.Is(err, engine.ErrNotFound) {
				continue
			}
			if err != nil {
				return fmt.Errorf("read the workflow %s: %w", page[i].ID, err)
			}
			if len(revision.Document) > 0 {
				each(&page[i], revision.Document)
			}
		}
		if offset+data.MaxLimit >= total {
			return nil
		}
	}
}
