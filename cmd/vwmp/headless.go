package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/local"
	"github.com/vwmp/vwmp/engine/secret"
	"github.com/vwmp/vwmp/host/pluginhost"
	"github.com/vwmp/vwmp/host/tracing"
	"github.com/vwmp/vwmp/host/vault"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/store/data"
)

// backend is what a store is to the commands; package store's and package
// memory's are ones.
type backend interface {
	engine.Journal
	engine.Blobs
	engine.LogSink
	data.Executions
	data.Workflows
	data.Descriptions
	data.Sessions
	data.Secrets
	data.Triggers
	data.Plugins
	data.System
	Close() error
}

// core is the engine with its surroundings: store, plugins, runtime.
type core struct {
	store   backend
	plugins *pluginhost.Host
	vault   *vault.Vault
	// catalogue is what the engine knows of handlers: the plugins, unless a
	// recording stands for them.
	catalogue engine.Catalogue
	engine    *local.Runtime
	// running is engine for those who may call before it is there.
	running atomic.Pointer[local.Runtime]
}

// coreOptions say what a core is for.
type coreOptions struct {
	runDir string
	// workspaces are the folders that plugins may write in.
	workspaces []engine.Workspace
	// children are the workflows that others run.
	children  engine.Definitions
	publisher engine.Publisher
	// serves: it lasts, so that plugins are copied before they run, and
	// changes of them are checked against what is stored.
	serves bool
	// around, where there is one, stands between the engine and the plugins.
	around func(engine.Invoker, engine.Catalogue) (engine.Invoker, engine.Catalogue)
	// pluginDirs are searched in the place of the settings' folders, where
	// they are not nil.
	pluginDirs []string
	// called is told of each call of a plugin that ended; it may be nil.
	called func(plugin string, outcome pluginsdk.OutcomeKind, took time.Duration)
	// pluginsChanged is told of changes of plugins; it may be nil.
	pluginsChanged func(pluginhost.Change)
	// tracer follows executions; nil where nobody does.
	tracer *tracing.Tracer
	logger *slog.Logger
}

// newCore joins the parts. The store is the caller's to close.
func newCore(ctx context.Context, s *settings, store backend, options coreOptions) (*core, error) {
	sealed := vault.New(vault.Options{Store: store, KeyFile: s.secretKeyFile(options.runDir)})
	keeper := secret.NewKeeper(secret.Options{Secrets: givenSecrets{s.runSecrets, sealed}, Sealer: sealed, Logger: options.logger})
	c := &core{store: store, vault: sealed}
	hosting := pluginhost.Options{
		Dirs: s.pluginSearch(), Store: store, RunDir: options.runDir, Settings: s,
		AllowCommands: s.commandsAllowed(), Scrub: keeper.Scrub, Logger: options.logger,
		DataDir: s.Data, LockFile: s.lockFile(), Limits: s.PluginLimits, Called: options.called,
	}
	for _, workspace := range options.workspaces {
		hosting.Workspaces = append(hosting.Workspaces, workspace.Dir)
	}
	if options.pluginDirs != nil {
		hosting.Dirs = options.pluginDirs
	}
	if options.serves {
		// It is watched, and the folder above it changes all the time.
		if err := os.MkdirAll(filepath.Join(s.Data, "plugins"), 0o700); err != nil {
			return nil, fmt.Errorf("make the folder for plugins: %w", err)
		}
		hosting.CopyDir = filepath.Join(s.Data, "cache", "plugins")
		hosting.Workflows, hosting.Watch = storedWorkflows(store), true
		hosting.Changed = func(change pluginhost.Change) {
			if running := c.running.Load(); running != nil && change.Catalogue {
				running.PluginsChanged()
			}
			options.pluginsChanged(change)
		}
	}
	var err error
	if c.plugins, err = pluginhost.New(ctx, hosting); err != nil {
		return nil, err
	}
	invoker := engine.Invoker(secret.NewInvoker(c.plugins, keeper))
	if c.catalogue = c.plugins; options.around != nil {
		invoker, c.catalogue = options.around(invoker, c.plugins)
	}
	journal := engine.Journal(store)
	if options.tracer != nil {
		journal, invoker = options.tracer.Journal(store), options.tracer.Invoker(invoker)
	}
	c.engine = local.New(local.Options{
		Journal: journal, Blobs: store, Logs: store, Invoker: invoker, Catalogue: c.catalogue, Settings: s, Secrets: keeper,
		Publisher: options.publisher, Clock: wallClock{}, BootEpoch: store.Meta().BootEpoch, Definitions: options.children, Logger: options.logger,
		MaxLive: s.Limits.Executions,
	})
	c.running.Store(c.engine)
	return c, nil
}

// close ends the engine, then the plugins.
func (c *core) close(ctx context.Context) error {
	err := c.engine.Close(ctx)
	fresh, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return errors.Join(err, c.plugins.Close(fresh))
}

// pluginsReady bounds the wait for plugins to be described.
const pluginsReady = 10 * time.Second

func (c *core) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, pluginsReady, errors.New("some did not answer within 10 seconds"))
	defer cancel()
	return c.plugins.Ready(ctx)
}

// wallClock implements engine.Clock.
type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) AfterFunc(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }

// pluginSearch lists the folders where plugins are looked for, in order.
func (s *settings) pluginSearch() []string {
	dirs := append([]string{}, s.PluginDirs...)
	if executable, err := os.Executable(); err == nil {
		if resolved, err := filepath.EvalSymlinks(executable); err == nil {
			executable = resolved
		}
		dirs = append(dirs, filepath.Join(filepath.Dir(executable), "plugins"))
	}
	return append(dirs, filepath.Join(s.Data, "plugins"))
}

// lockFile lists the plugins that may run. It lies where plugins are dropped,
// which is watched.
func (s *settings) lockFile() string { return filepath.Join(s.Data, "plugins", pluginhost.LockFile) }

// commandsAllowed reports whether steps may run commands: where nobody
// decided, on a loopback address only.
func (s *settings) commandsAllowed() bool {
	if s.AllowCommands != nil {
		return *s.AllowCommands
	}
	host, _, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return false
	}
	address := net.ParseIP(host)
	return host == "localhost" || (address != nil && address.IsLoopback())
}
