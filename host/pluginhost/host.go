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
)

// Defaults of Options.
const (
	DefaultIdleTimeout  = 5 * time.Minute
	DefaultStartTimeout = 10 * time.Second
	DefaultMaxCalls     = 64
)

// Finding plugins takes at most discoverTimeout in all, and describing one
// that is not known at most probeTimeout.
const (
	discoverTimeout = 10 * time.Second
	probeTimeout    = 5 * time.Second
)

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
	// EnvAllow names variables of the host's environment that plugins see
	// beside those of DefaultEnvAllow; "NAME_*" stands for all that begin
	// with NAME_.
	EnvAllow []string
	// IdleTimeout stops a process that nobody called for so long.
	IdleTimeout  time.Duration
	StartTimeout time.Duration
	// MaxCalls bounds the calls that one process serves at once; others
	// wait.
	MaxCalls int
	// Scrub takes secrets out of a line that a plugin printed; nil takes
	// out nothing.
	Scrub  func(line string) string
	Logger *slog.Logger
}

// Host is all the plugins of one server. Its methods may be called from
// several goroutines at once.
type Host struct {
	options   Options
	log       *slog.Logger
	runDir    string
	socketDir string
	ownDirs   []string
	spawner   *spawner

	// The waits that tests shorten.
	ladder      ladder
	cancelGrace time.Duration

	loaded   chan struct{}
	catalog  atomic.Pointer[catalogue]
	giveUp   context.CancelFunc
	building sync.WaitGroup
	// watchers wait for the ends of processes.
	watchers sync.WaitGroup
	ending   sync.Once
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
	return newHost(ctx, options, standardLadder(), cancelGrace)
}

func (options Options) withDefaults() Options {
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
	return options
}

func newHost(ctx context.Context, options Options, rungs ladder, grace time.Duration) (*Host, error) {
	options = options.withDefaults()
	h := &Host{options: options, log: options.Logger, ladder: rungs, cancelGrace: grace, loaded: make(chan struct{})}
	if err := h.makeDirs(); err != nil {
		return nil, fmt.Errorf("make a folder for plugins: %w", errors.Join(err, h.removeDirs()))
	}
	sweep(h.registryDir(), h.log)
	h.spawner = newSpawner()
	h.catalog.Store(&catalogue{Catalogue: workflow.NewCatalogue(nil, nil)})
	building, giveUp := context.WithTimeout(context.WithoutCancel(ctx), discoverTimeout)
	h.giveUp = giveUp
	h.building.Go(func() {
		defer giveUp()
		defer close(h.loaded)
		h.catalog.Store(h.build(building))
	})
	return h, nil
}

// makeDirs makes the folders that are ours alone.
func (h *Host) makeDirs() error {
	h.runDir = h.options.RunDir
	if h.runDir == "" {
		dir, err := os.MkdirTemp("", "vwmp-")
		if err != nil {
			return err
		}
		h.runDir, h.ownDirs = dir, append(h.ownDirs, dir)
	}
	absolute, err := filepath.Abs(h.runDir)
	if err != nil {
		return err
	}
	h.runDir, h.socketDir = absolute, filepath.Join(absolute, "sockets")
	for _, dir := range []string{h.runDir, h.registryDir(), h.workDir(""), h.socketDir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		// One that was there may be open to others.
		if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // A folder needs its execute bit.
			return err
		}
	}
	if len(h.socketDir) <= maxSocketDir {
		return removeContent(h.socketDir)
	}
	// The path of a socket has at most 104 bytes on some systems.
	dir, err := os.MkdirTemp(shortDir(), "vwmp-")
	if err != nil {
		return err
	}
	h.socketDir, h.ownDirs = dir, append(h.ownDirs, dir)
	return nil
}

// removeContent empties a folder of what a host that was killed left there.
func removeContent(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var failures []error
	for _, entry := range entries {
		failures = append(failures, os.RemoveAll(filepath.Join(dir, entry.Name())))
	}
	return errors.Join(failures...)
}

func (h *Host) removeDirs() error {
	var failures []error
	for _, dir := range h.ownDirs {
		failures = append(failures, os.RemoveAll(dir))
	}
	return errors.Join(failures...)
}

func (h *Host) registryDir() string        { return filepath.Join(h.runDir, "processes") }
func (h *Host) workDir(name string) string { return filepath.Join(h.runDir, "work", name) }

// Ready waits until each plugin was described or has failed to be, which
// takes at most 10 s.
func (h *Host) Ready(ctx context.Context) error {
	select {
	case <-h.loaded:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the plugins: %w", context.Cause(ctx))
	}
}

// Close stops every process, all at the same time, and returns when none is
// left or ctx ends. Calls that come later are refused.
func (h *Host) Close(ctx context.Context) error {
	h.giveUp()
	h.building.Wait()
	var stops sync.WaitGroup
	instances := h.catalog.Load().instances
	failures := make([]error, len(instances))
	for i, instance := range instances {
		stops.Go(func() { failures[i] = instance.close(ctx) })
	}
	stops.Wait()
	if err := errors.Join(failures...); err != nil {
		// What is left ends with this process.
		return err
	}
	watched := make(chan struct{})
	go func() {
		h.watchers.Wait()
		close(watched)
	}()
	select {
	case <-watched:
	case <-ctx.Done():
		return fmt.Errorf("a plugin process can't be killed: %w", context.Cause(ctx))
	}
	h.ending.Do(h.spawner.close)
	return h.removeDirs()
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
	owner, err := h.ready(ctx, handler)
	if err != nil {
		return nil, err
	}
	if info, _ := owner.found.description.Handler(handler); !info.Capabilities.Validate {
		return nil, nil
	}
	err = owner.use(ctx, func(ctx context.Context, p *process) error {
		problems, err = p.client.ValidateConfig(ctx, handler, config)
		return err
	})
	return problems, err
}

// ValidateWorkflow implements engine.Catalogue.
func (h *Host) ValidateWorkflow(ctx context.Context, workflowType string, document json.RawMessage) (problems []pluginsdk.Problem, err error) {
	if err := h.Ready(ctx); err != nil {
		return nil, err
	}
	c := h.catalog.Load()
	owner := c.byType[workflowType]
	if kind, known := c.WorkflowType(workflowType); owner == nil || !known || !kind.HasRules {
		return nil, nil
	}
	err = owner.use(ctx, func(ctx context.Context, p *process) error {
		problems, err = p.client.ValidateWorkflow(ctx, workflowType, document)
		return err
	})
	return problems, err
}

// ready is owner once the plugins are known, so that a call that comes early
// is not told that its handler is gone.
func (h *Host) ready(ctx context.Context, handler string) (*instance, error) {
	if err := h.Ready(ctx); err != nil {
		return nil, err
	}
	return h.owner(handler)
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
	return h.run(ctx, request, func(ctx context.Context, p *process) pluginsdk.Outcome {
		return p.client.Execute(ctx, request, reporter, h.cancelGrace)
	})
}

// Undo implements engine.Invoker.
func (h *Host) Undo(ctx context.Context, request *pluginsdk.Request, token json.RawMessage, reporter pluginsdk.Reporter) pluginsdk.Outcome {
	return h.run(ctx, request, func(ctx context.Context, p *process) pluginsdk.Outcome {
		return p.client.Undo(ctx, request, token, reporter, h.cancelGrace)
	})
}

// run makes a call that changes something in the handler's process.
func (h *Host) run(ctx context.Context, request *pluginsdk.Request, call func(context.Context, *process) pluginsdk.Outcome) pluginsdk.Outcome {
	owner, err := h.ready(ctx, request.Handler)
	if err != nil {
		return unavailable(ctx, err)
	}
	p, done, err := owner.acquire(ctx)
	if err != nil {
		return unavailable(ctx, err)
	}
	outcome := p.run(ctx, request.StepID, call)
	done(outcome.Kind)
	return outcome
}

// Reconcile implements engine.Invoker.
func (h *Host) Reconcile(ctx context.Context, request *pluginsdk.Request) (result pluginsdk.ReconcileResult, err error) {
	owner, err := h.ready(ctx, request.Handler)
	if err != nil {
		return result, err
	}
	if info, _ := owner.found.description.Handler(request.Handler); !info.Capabilities.Reconcile {
		return result, fmt.Errorf("reconcile %s: %w", request.Handler, pluginsdk.ErrUnsupported)
	}
	err = owner.use(ctx, func(ctx context.Context, p *process) error {
		result, err = p.client.Reconcile(ctx, request)
		return err
	})
	return result, err
}

// Plan implements engine.Invoker.
func (h *Host) Plan(ctx context.Context, request *pluginsdk.Request) (effects []pluginsdk.PlannedEffect, err error) {
	owner, err := h.ready(ctx, request.Handler)
	if err != nil {
		return nil, err
	}
	if info, _ := owner.found.description.Handler(request.Handler); !info.Capabilities.Plan {
		return nil, fmt.Errorf("plan %s: %w", request.Handler, pluginsdk.ErrUnsupported)
	}
	err = owner.use(ctx, func(ctx context.Context, p *process) error {
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
	// Build is the version-control revision that the binary was made from.
	Build string `json:"build,omitempty"`
	// State is stopped, starting, running, stopping, failed (the last start
	// failed) or refused (LastError says why).
	State string `json:"state"`
	PID   int    `json:"pid,omitempty"`
	// Path is the file's name with the folder it is in.
	Path     string   `json:"path"`
	Checksum string   `json:"checksum,omitempty"`
	Handlers []string `json:"handlers"`
	// WorkflowTypes are those that the plugin declares.
	WorkflowTypes []string `json:"workflow_types,omitempty"`
	// MemoryBytes is the resident memory of the running process.
	MemoryBytes int64 `json:"memory_bytes,omitempty"`
	// Calls counts all, Running those of the moment, Failures those that
	// failed or whose outcome is unknown.
	Calls    int `json:"calls"`
	Running  int `json:"running"`
	Failures int `json:"failures"`
	// Restarts counts the starts after the first.
	Restarts  int       `json:"restarts"`
	StartedAt time.Time `json:"started_at,omitzero"`
	LastError string    `json:"last_error,omitempty"`
	// LastWords are the last lines on standard error of the last process
	// that ended by itself.
	LastWords []string `json:"last_words,omitempty"`
}

// Description returns all that a plugin says of itself; it is not to be
// changed.
func (h *Host) Description(plugin string) (*pluginsdk.Description, bool) {
	for _, instance := range h.catalog.Load().instances {
		if d := instance.found.description; d.Name == plugin {
			return d, true
		}
	}
	return nil, false
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
