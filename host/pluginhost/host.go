// Package pluginhost finds plugins, starts their processes when they are
// needed, watches them, and stops them. It implements the engine's Invoker
// and Catalogue.
//
// A plugin's crash, hang or bad output is that plugin's alone: the package
// goes around those parts of go-plugin that would pass it on (each is named
// where it is avoided). What is run when is not decided here.
package pluginhost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/client"
)

// Defaults of Options.
const (
	DefaultIdleTimeout  = 5 * time.Minute
	DefaultStartTimeout = 10 * time.Second
	DefaultMaxCalls     = 64
)

// cancelGrace is how long a cancelled call may take to end.
const cancelGrace = 5 * time.Second

// DescriptionCache keeps what plugins said of themselves by the SHA-256 of
// their binaries, so that a known plugin need not be started to be shown.
type DescriptionCache interface {
	Description(ctx context.Context, sha256 string) ([]byte, bool, error)
	PutDescription(ctx context.Context, sha256 string, description []byte) error
	// FileChecksum returns the SHA-256 that was kept for a file's identity.
	FileChecksum(ctx context.Context, key string) (string, bool, error)
	PutFileChecksum(ctx context.Context, key, sha256 string) error
}

// Options of a Host.
type Options struct {
	// Dirs are searched for plugins in this order; the first one that has a
	// name wins.
	Dirs []string
	// Cache may be nil: then every plugin is started once to be described.
	Cache DescriptionCache
	// RunDir holds sockets, working folders and the registry of processes.
	// Empty stands for a folder of its own that Close removes.
	RunDir   string
	Settings engine.Settings
	// AllowCommands tells plugins whether steps may run commands.
	AllowCommands bool
	// IdleTimeout stops a process that nobody called for so long.
	IdleTimeout  time.Duration
	StartTimeout time.Duration
	// MaxCalls bounds the calls that one process serves at once.
	MaxCalls int
	Logger   *slog.Logger
}

// Host is all the plugins of one server.
type Host struct {
	options Options
	log     *slog.Logger
	runDir  string
	ownsDir bool
	spawner *spawner

	loaded   chan struct{}
	catalog  atomic.Pointer[catalogue]
	building sync.WaitGroup
}

// catalogue is what was found, never changed once it is made.
type catalogue struct {
	workflow.Catalogue

	generation uint64
	byHandler  map[string]*instance
	byType     map[string]*instance
	instances  []*instance
	refused    []Status
}

var (
	_ engine.Invoker   = (*Host)(nil)
	_ engine.Catalogue = (*Host)(nil)
)

// New starts to look for plugins and returns at once; Ready waits for it.
func New(ctx context.Context, options Options) (*Host, error) {
	if options.IdleTimeout == 0 {
		options.IdleTimeout = DefaultIdleTimeout
	}
	if options.StartTimeout == 0 {
		options.StartTimeout = DefaultStartTimeout
	}
	if options.MaxCalls == 0 {
		options.MaxCalls = DefaultMaxCalls
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Host{options: options, log: options.Logger, runDir: options.RunDir, loaded: make(chan struct{})}
	if h.runDir == "" {
		dir, err := os.MkdirTemp("", "vwmp-")
		if err != nil {
			return nil, fmt.Errorf("make a folder for plugins: %w", err)
		}
		h.runDir, h.ownsDir = dir, true
	}
	for _, dir := range []string{h.runDir, h.registryDir(), h.workDir("")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("make a folder for plugins: %w", err)
		}
	}
	sweep(h.registryDir(), h.log)
	h.spawner = newSpawner()
	h.catalog.Store(&catalogue{Catalogue: workflow.NewCatalogue(nil, nil)})
	h.building.Go(func() {
		defer close(h.loaded)
		h.catalog.Store(h.build(context.WithoutCancel(ctx)))
	})
	return h, nil
}

func (h *Host) registryDir() string        { return filepath.Join(h.runDir, "processes") }
func (h *Host) workDir(name string) string { return filepath.Join(h.runDir, "work", name) }

// Ready waits until each plugin was described or has failed to be.
func (h *Host) Ready(ctx context.Context) error {
	select {
	case <-h.loaded:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the plugins: %w", context.Cause(ctx))
	}
}

// Close stops every process and returns when none is left.
func (h *Host) Close(ctx context.Context) error {
	h.building.Wait()
	var stops sync.WaitGroup
	instances := h.catalog.Load().instances
	failures := make([]error, len(instances))
	for i, instance := range instances {
		stops.Go(func() { failures[i] = instance.close(ctx) })
	}
	stops.Wait()
	h.spawner.close()
	if h.ownsDir {
		failures = append(failures, os.RemoveAll(h.runDir))
	}
	return errors.Join(failures...)
}

// Handler implements workflow.Catalogue.
func (h *Host) Handler(path string) (*workflow.Handler, bool) { return h.catalog.Load().Handler(path) }

// HandlerPaths implements workflow.Catalogue.
func (h *Host) HandlerPaths() []string { return h.catalog.Load().HandlerPaths() }

// WorkflowType implements workflow.Catalogue.
func (h *Host) WorkflowType(name string) (*pluginsdk.WorkflowType, bool) {
	return h.catalog.Load().WorkflowType(name)
}

// WorkflowTypes implements workflow.Catalogue.
func (h *Host) WorkflowTypes() []string { return h.catalog.Load().WorkflowTypes() }

// PluginOfType names the plugin that declares a workflow type.
func (h *Host) PluginOfType(name string) string {
	if owner := h.catalog.Load().byType[name]; owner != nil {
		return owner.found.description.Name
	}
	return ""
}

// Generation implements engine.Catalogue.
func (h *Host) Generation() uint64 { return h.catalog.Load().generation }

// ValidateConfig implements engine.Catalogue.
func (h *Host) ValidateConfig(ctx context.Context, handler string, config json.RawMessage) (problems []pluginsdk.Problem, err error) {
	owner, err := h.owner(handler)
	if err != nil {
		return nil, err
	}
	err = owner.use(ctx, func(p *process) error {
		problems, err = p.client.ValidateConfig(ctx, handler, config)
		return err
	})
	return problems, err
}

// ValidateWorkflow implements engine.Catalogue.
func (h *Host) ValidateWorkflow(ctx context.Context, workflowType string, document json.RawMessage) (problems []pluginsdk.Problem, err error) {
	owner := h.catalog.Load().byType[workflowType]
	if owner == nil {
		return nil, nil
	}
	err = owner.use(ctx, func(p *process) error {
		problems, err = p.client.ValidateWorkflow(ctx, workflowType, document)
		return err
	})
	return problems, err
}

func (h *Host) owner(handler string) (*instance, error) {
	if owner := h.catalog.Load().byHandler[handler]; owner != nil {
		return owner, nil
	}
	return nil, pluginsdk.Errorf("no plugin offers the handler %s any more", handler).WithCode("HANDLER_NOT_FOUND")
}

// Bind implements engine.Invoker.
func (h *Host) Bind(handler string) (engine.Binding, error) {
	owner, err := h.owner(handler)
	if err != nil {
		return engine.Binding{}, err
	}
	d := owner.found.description
	return engine.Binding{Plugin: d.Name, Version: d.Version, Checksum: owner.found.checksum}, nil
}

// Invoke implements engine.Invoker.
func (h *Host) Invoke(ctx context.Context, request *pluginsdk.Request, reporter pluginsdk.Reporter) pluginsdk.Outcome {
	owner, err := h.owner(request.Handler)
	if err != nil {
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: pluginsdk.FailureOf(ctx, err)}
	}
	p, release, err := owner.acquire(ctx)
	if err != nil {
		return notRun(ctx, err)
	}
	outcome := p.client.Execute(ctx, request, reporter, cancelGrace)
	if outcome.Kind == pluginsdk.OutcomeUnknown {
		outcome.Failure = p.explain(ctx, outcome.Failure)
	}
	release(outcome.Kind)
	return outcome
}

// notRun is the outcome of a call that never reached a process: nothing ran.
func notRun(ctx context.Context, err error) pluginsdk.Outcome {
	failure := &pluginsdk.Failure{Class: pluginsdk.FailureRetryable, Code: "PLUGIN_UNAVAILABLE", Message: err.Error(), Fault: pluginsdk.FaultHost}
	if ctx.Err() != nil {
		failure.Class, failure.Code = pluginsdk.FailureCancelled, "CANCELLED"
	}
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: failure}
}

// Reconcile implements engine.Invoker.
func (h *Host) Reconcile(ctx context.Context, request *pluginsdk.Request) (result pluginsdk.ReconcileResult, err error) {
	owner, err := h.owner(request.Handler)
	if err != nil {
		return result, err
	}
	err = owner.use(ctx, func(p *process) error {
		result, err = p.client.Reconcile(ctx, request)
		return err
	})
	return result, err
}

// Plan says what a handler's Execute would do.
func (h *Host) Plan(ctx context.Context, request *pluginsdk.Request) (effects []pluginsdk.PlannedEffect, err error) {
	owner, err := h.owner(request.Handler)
	if err != nil {
		return nil, err
	}
	err = owner.use(ctx, func(p *process) error {
		effects, err = p.client.Plan(ctx, request)
		return err
	})
	return effects, err
}

// Status is a plugin as the API shows it.
type Status struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	Author      string `json:"author,omitempty"`
	Description string `json:"description,omitempty"`
	// State is stopped, starting, running, stopping, failed, unkillable or
	// refused.
	State string `json:"state"`
	PID   int    `json:"pid,omitempty"`
	// Path is the file's name with the folder it is in.
	Path     string   `json:"path"`
	Checksum string   `json:"checksum,omitempty"`
	Handlers []string `json:"handlers"`
	// MemoryBytes is the resident memory of the running process.
	MemoryBytes int64     `json:"memory_bytes,omitempty"`
	Calls       int       `json:"calls"`
	Running     int       `json:"running"`
	Failures    int       `json:"failures"`
	Restarts    int       `json:"restarts"`
	StartedAt   time.Time `json:"started_at,omitzero"`
	LastError   string    `json:"last_error,omitempty"`
	LastWords   []string  `json:"last_words,omitempty"`
}

// Plugins lists every plugin that was found, refused ones last.
func (h *Host) Plugins() []Status {
	c := h.catalog.Load()
	list := make([]Status, 0, len(c.instances)+len(c.refused))
	for _, instance := range c.instances {
		list = append(list, instance.snapshot())
	}
	return append(list, c.refused...)
}

// clientDialTimeout bounds the first connection to a process that has said
// where it listens.
const clientDialTimeout = client.DescribeTimeout
