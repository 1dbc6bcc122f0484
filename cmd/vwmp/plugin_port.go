package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/vwmp/vwmp/host"
	"github.com/vwmp/vwmp/host/pluginhost"
	"github.com/vwmp/vwmp/store/data"
)

// pluginPort is the plugins as package host wants them.
type pluginPort struct{ plugins *pluginhost.Host }

// Plugins implements host.Plugins.
func (p pluginPort) Plugins() []host.PluginStatus {
	list := p.plugins.Plugins()
	shown := make([]host.PluginStatus, len(list))
	for i := range list {
		shown[i] = pluginStatus(&list[i])
	}
	return shown
}

// Plugin implements host.Plugins.
func (p pluginPort) Plugin(name string) (host.PluginStatus, bool) {
	status, found := p.plugins.Plugin(name)
	return pluginStatus(&status), found
}

// Fence implements host.Plugins.
func (p pluginPort) Fence() host.PluginFence {
	f := p.plugins.Fence()
	return host.PluginFence{
		Files: f.Files, FilesReason: f.FilesReason, Hidden: f.Hidden, HiddenReason: f.HiddenReason,
		ControlGroups: f.Groups, ControlGroupsReason: f.GroupsReason, MemoryLimit: f.Memory, ProcessLimit: f.Processes, Pinned: f.Pinned,
	}
}

// Enable implements host.Plugins.
func (p pluginPort) Enable(ctx context.Context, name string) error {
	return pluginError(p.plugins.Enable(ctx, name))
}

// Disable implements host.Plugins.
func (p pluginPort) Disable(ctx context.Context, name, by string) error {
	return pluginError(p.plugins.Disable(ctx, name, by))
}

// Reload implements host.Plugins.
func (p pluginPort) Reload(ctx context.Context, name string, force bool) error {
	return pluginError(p.plugins.Reload(ctx, name, force))
}

func pluginError(err error) error {
	var refused *pluginhost.RefusedError
	var held *pluginhost.HeldError
	switch {
	case errors.Is(err, pluginhost.ErrNoPlugin):
		return errors.Join(host.ErrNoPlugin, err)
	case errors.As(err, &refused):
		return &host.RefusedPluginError{Name: refused.Name, Reason: refused.Reason}
	case errors.As(err, &held):
		return &host.HeldVersionError{Message: held.Error(), Held: *heldVersion(&held.Held)}
	}
	return err
}

func pluginStatus(s *pluginhost.Status) host.PluginStatus {
	return host.PluginStatus{
		Name: s.Name, Version: s.Version, Author: s.Author, Description: s.Description, Build: s.Build,
		State: s.State, StateReason: s.Reason, Path: s.Path, Checksum: s.Checksum, Handlers: s.Handlers, WorkflowTypes: s.WorkflowTypes,
		PID: s.PID, StartedAt: s.StartedAt, MemoryBytes: s.Memory, CPUSeconds: s.CPU.Seconds(),
		Calls: s.Calls, Running: s.Running, Waiting: s.Waiting, Draining: s.Draining, Failures: s.Failures, Restarts: s.Restarts,
		Latency: host.Latency{
			Mean: s.Latency.Mean.Seconds(), P50: s.Latency.P50.Seconds(), P95: s.Latency.P95.Seconds(), Max: s.Latency.Max.Seconds(),
		},
		NextStart: s.NextStart, LastError: s.LastError, LastWords: s.LastWords,
		DisabledBy: s.DisabledBy, DisabledAt: s.DisabledAt, Held: heldVersion(s.Held),
	}
}

func heldVersion(held *pluginhost.Held) *host.HeldVersion {
	if held == nil {
		return nil
	}
	shown := &host.HeldVersion{
		Version: held.Version, Checksum: held.Checksum, Reason: held.Reason, Message: held.Message,
		Changes: make([]host.PluginChange, len(held.Changes)), LastWords: held.LastWords,
	}
	for i, change := range held.Changes {
		shown.Changes[i] = host.PluginChange(change)
	}
	return shown
}

// storedWorkflows gives the plugin host the workflows that a change of plugins
// is checked against.
func storedWorkflows(workflows data.Workflows) func(ctx context.Context, each func(pluginhost.Workflow)) error {
	return func(ctx context.Context, each func(pluginhost.Workflow)) error {
		return host.EachWorkflow(ctx, workflows, func(w *data.Workflow, document json.RawMessage) {
			each(pluginhost.Workflow{ID: w.ID, Name: w.Name, Document: document})
		})
	}
}
