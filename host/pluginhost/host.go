// Package pluginhost finds plugins, starts their processes when they are
// needed, watches them, replaces them when their files change, and stops
// them. It implements the engine's Invoker and Catalogue.
//
// A plugin's crash, hang or bad output is that plugin's alone: the package
// goes around those parts of go-plugin that would pass it on (each is named
// where it is avoided). What is run when is not decided here.
//
// Who owns what:
//  1. The keeper is one goroutine. Only it knows which plugins and versions
//     there are, and only it makes a new catalogue.
//  2. An instance is one version of a plugin in use. Its owner is one
//     goroutine, and only that starts and stops the version's processes.
//  3. A process has a runner, which alone signals it and waits for its end.
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
	"github.com/vwmp/vwmp/host/pluginhost/internal/disk"
	"github.com/vwmp/vwmp/host/pluginhost/internal/system"
	"github.com/vwmp/vwmp/pluginsdk"
)

// Defaults of Options.
const (
	DefaultIdleTimeout  = 5 * time.Minute
	DefaultStartTimeout = 10 * time.Second
	DefaultMaxCalls     = 64
)

// discoverTimeout bounds finding and describing all plugins at a start.
const discoverTimeout = 30 * time.Second

// Store keeps what the host must know at its next start.
type Store interface {
	// Description returns what a plugin said of itself, by the SHA-256 of its
	// binary, so that a known plugin need not be started to be shown.
	Description(ctx context.Context, sha256 string) ([]byte, bool, error)
	PutDescription(ctx context.Context, sha256 string, description []byte) error
	// FileChecksum returns the SHA-256 that was kept for a file's identity.
	FileChecksum(ctx context.Context, key string) (string, bool, error)
	PutFileChecksum(ctx context.Context, key, sha256 string) error
	// PluginRecords returns what was kept of plugins, by their names: JSON
	// that only this package reads.
	PluginRecords(ctx context.Context) (map[string][]byte, error)
	PutPluginRecord(ctx context.Context, name string, record []byte) error
	DeletePluginRecord(ctx context.Context, name string) error
}

// Workflow is a stored workflow as a change of plugins is checked against it.
type Workflow struct {
	ID, Name string
	// Document is the definition as JSON.
	Document json.RawMessage
}

// Change tells that something about plugins is not as it was.
type Change struct {
	// Plugins are the names of those that changed.
	Plugins []string
	// Catalogue: handlers or workflow types may be others than before, or
	// may be callable again.
	Catalogue bool
}

// Options of a Host.
type Options struct {
	// Dirs are searched for plugins in this order; the first one that has a
	// name wins.
	Dirs []string
	// Store may be nil: then every plugin is started once to be described,
	// and nothing is remembered.
	Store Store
	// RunDir holds sockets, working folders and the registry of processes.
	// Empty stands for a folder of its own that Close removes.
	RunDir string
	// CopyDir holds copies of the plugins, from which they are run. Empty
	// runs them where they lie.
	CopyDir string
	// LockFile lists the plugins that may run; where it names no file, or one
	// that is not there, all may. In one of Dirs it is watched too.
	LockFile string
	// DataDir is hidden from plugins, and Workspaces are the folders that
	// they may write in, where the system can do that.
	DataDir    string
	Workspaces []string
	// Limits bound the processes of a plugin; nil stands for the defaults.
	Limits   func(plugin string) Limits
	Settings engine.Settings
	// Workflows calls each with every stored workflow; nil where there are
	// none. It is asked when a plugin changes.
	Workflows func(ctx context.Context, each func(Workflow)) error
	// Watch looks for changes in Dirs as long as the host lives.
	Watch bool
	// Changed is told what changed; it must not block. It may be nil.
	Changed func(Change)
	// Called is told of each call of a plugin that ended; it must not block.
	// It may be nil.
	Called func(plugin string, outcome pluginsdk.OutcomeKind, took time.Duration)
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
	limits    limits
	log       *slog.Logger
	runDir    string
	socketDir string
	ownDirs   []string
	copies    *disk.Copies
	fence     Fence
	// repositories lie outside of the workspaces and belong to them.
	repositories []string
	// groups is nil where processes can't have control groups.
	groups *system.Cgroups

	loaded   chan struct{}
	catalog  atomic.Pointer[catalogue]
	requests chan request
	// keeping ends when the keeper must; kept is closed when it has.
	keeping context.Context
	giveUp  context.CancelFunc
	kept    chan struct{}
	// all are the instances that there are, for Close.
	all instances
	// watchers wait for the ends of processes.
	watchers sync.WaitGroup
}

var (
	_ engine.Invoker   = (*Host)(nil)
	_ engine.Catalogue = (*Host)(nil)
)

// New starts to look for plugins and returns at once; Ready waits for it.
func New(ctx context.Context, options Options) (*Host, error) {
	return newHost(ctx, options, standardLimits())
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
	if options.Called == nil {
		options.Called = func(string, pluginsdk.OutcomeKind, time.Duration) {}
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	return options
}

func newHost(ctx context.Context, options Options, l limits) (*Host, error) {
	options = options.withDefaults()
	h := &Host{
		options: options, log: options.Logger, limits: l, loaded: make(chan struct{}), requests: make(chan request), kept: make(chan struct{}),
	}
	if err := h.makeDirs(); err != nil {
		return nil, fmt.Errorf("make a folder for plugins: %w", errors.Join(err, h.removeDirs()))
	}
	sweep(h.registryDir(), h.log)
	h.setUpFence()
	h.catalog.Store(newCatalogue(0, nil, nil, h.log.Warn))
	h.keeping, h.giveUp = context.WithCancel(context.WithoutCancel(ctx))
	go newKeeper(h).run(h.keeping)
	return h, nil
}

// makeDirs makes the folders that are ours alone.
func (h *Host) makeDirs() (err error) {
	h.runDir = h.options.RunDir
	if h.runDir == "" {
		dir, err := os.MkdirTemp("", "vwmp-")
		if err != nil {
			return err
		}
		h.runDir, h.ownDirs = dir, append(h.ownDirs, dir)
	}
	if h.options.CopyDir != "" {
		if h.copies, err = disk.NewCopies(h.options.CopyDir); err != nil {
			return err
		}
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

// changed tells whoever wants to know.
func (h *Host) changed(change Change) {
	if h.options.Changed != nil {
		h.options.Changed(change)
	}
}

// instances are those that have not ended.
type instances struct {
	mu   sync.Mutex
	list map[*instance]struct{}
}

// add notes an instance until it has ended.
func (s *instances) add(i *instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.list == nil {
		s.list = map[*instance]struct{}{}
	}
	s.list[i] = struct{}{}
}

func (s *instances) remove(i *instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.list, i)
}

func (s *instances) all() []*instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*instance, 0, len(s.list))
	for i := range s.list {
		list = append(list, i)
	}
	return list
}

// Close stops every process, all at the same time, and returns when none is
// left or ctx ends. Calls that come later are refused.
func (h *Host) Close(ctx context.Context) error {
	h.giveUp()
	<-h.kept
	var stops sync.WaitGroup
	all := h.all.all()
	failures := make([]error, len(all))
	for k, i := range all {
		stops.Go(func() { failures[k] = i.close(ctx) })
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
	return h.removeDirs()
}

// Bind implements engine.Invoker.
func (h *Host) Bind(handler string) (engine.Binding, error) {
	e, err := h.entryOf(handler)
	if err != nil {
		return engine.Binding{}, err
	}
	v := e.instance.version
	return engine.Binding{Plugin: v.description.Name, Version: v.description.Version, Checksum: v.checksum}, nil
}

// Invoke implements engine.Invoker.
func (h *Host) Invoke(ctx context.Context, request *pluginsdk.Request, reporter pluginsdk.Reporter) pluginsdk.Outcome {
	return h.run(ctx, request, reporter, func(ctx context.Context, p *process) pluginsdk.Outcome {
		return p.client.Execute(ctx, request, reporter, h.limits.cancelGrace)
	})
}

// Undo implements engine.Invoker.
func (h *Host) Undo(ctx context.Context, request *pluginsdk.Request, token json.RawMessage, reporter pluginsdk.Reporter) pluginsdk.Outcome {
	return h.run(ctx, request, reporter, func(ctx context.Context, p *process) pluginsdk.Outcome {
		return p.client.Undo(ctx, request, token, reporter, h.limits.cancelGrace)
	})
}

// run makes a call that changes something in the handler's process. One that
// was in a process when it crashed gets one of its own.
func (h *Host) run(
	ctx context.Context, request *pluginsdk.Request, reporter pluginsdk.Reporter, call func(context.Context, *process) pluginsdk.Outcome,
) pluginsdk.Outcome {
	for {
		e, err := h.find(ctx, request.Handler)
		if err != nil {
			return unavailable(ctx, err)
		}
		alone := e.plugin.suspects.has(request.IdempotencyKey)
		p, done, err := e.instance.acquire(ctx, alone)
		if errors.Is(err, errRetired) {
			continue // A newer version came between the look and the call.
		}
		if err != nil {
			return unavailable(ctx, err)
		}
		outcome := p.run(ctx, request, reporter, call)
		done(outcome.Kind)
		if alone && outcome.Kind != pluginsdk.OutcomeUnknown {
			e.plugin.suspects.clear(request.IdempotencyKey)
		}
		return outcome
	}
}

// Reconcile implements engine.Invoker.
func (h *Host) Reconcile(ctx context.Context, request *pluginsdk.Request, checksum string) (result pluginsdk.ReconcileResult, err error) {
	if old, err := h.earlier(ctx, request.Handler, checksum); err != nil || old != nil {
		return h.reconcileWith(ctx, old, request, err)
	}
	err = h.use(ctx, request.Handler, func(c pluginsdk.Capabilities) bool { return c.Reconcile }, func(ctx context.Context, p *process) error {
		result, err = p.client.Reconcile(ctx, request)
		return err
	})
	return result, err
}

// Plan implements engine.Invoker.
func (h *Host) Plan(ctx context.Context, request *pluginsdk.Request) (effects []pluginsdk.PlannedEffect, err error) {
	err = h.use(ctx, request.Handler, func(c pluginsdk.Capabilities) bool { return c.Plan }, func(ctx context.Context, p *process) error {
		effects, err = p.client.Plan(ctx, request)
		return err
	})
	return effects, err
}
