package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/trigger"
	"github.com/vwmp/vwmp/host"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/live"
	"github.com/vwmp/vwmp/host/metrics"
	"github.com/vwmp/vwmp/host/pluginhost"
	"github.com/vwmp/vwmp/host/tracing"
	"github.com/vwmp/vwmp/store"
)

// defaultGrace is how long running steps may go on after a stop was asked
// for.
const defaultGrace = 20 * time.Second

// tokenFile holds the admin token, below the data folder.
const tokenFile = "admin-token"

func newServe() *cobra.Command {
	var printConfig bool
	var grace time.Duration
	command := &cobra.Command{
		Use:   "serve",
		Short: "Start the server",
		Long: `Starts the server: REST, live sockets and pages on one address, and the engine that runs workflows.
It listens on a loopback address unless it is told otherwise, and prints a link that signs a browser in.`,
		Example: `  vwmp serve
  vwmp serve --addr 127.0.0.1:9000 --data ./data --workspace ./repo --plugins ./plugins`,
		Args: cobra.NoArgs,
	}
	configFlags(command.Flags())
	command.Flags().BoolVar(&printConfig, "print-config", false, "show the values in force and where each came from, and end")
	command.Flags().DurationVar(&grace, "grace", defaultGrace, "how long running steps may go on after a stop")
	command.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := loadSettings(cmd.Flags(), getenv)
		if err != nil {
			return err
		}
		if printConfig {
			return printValue(cmd.OutOrStdout(), "table", nil, s.printConfig)
		}
		return serve(cmd, s, grace)
	}
	return command
}

// server is everything that serves, from the store up to the listener.
type server struct {
	keeper *store.Store
	parts  *core
	hub    *live.Hub
	// metrics counts what the parts do, and looks at them when it is asked.
	metrics  *metrics.Metrics
	triggers *trigger.Runner
	// tracer is nil where nothing is followed.
	tracer *tracing.Tracer
	edge   *host.Server
	// told is edge for those who may call before it is there.
	told     atomic.Pointer[host.Server]
	listener net.Listener
	served   chan error
	token    string
	// secure: it speaks TLS. hosts are the further names that it answers to.
	secure      bool
	hosts       []string
	behindProxy bool
	log         *slog.Logger
	// recovered is closed once unfinished executions were taken up.
	recovered chan struct{}
	// fire is closed once triggers may fire by themselves.
	fire chan struct{}
	// background is the work beside the listener; stopWork ends it.
	background sync.WaitGroup
	stopWork   context.CancelFunc
}

// startServer opens store, plugins and engine, listens, and takes up what was
// left unfinished. It answers before the plugins are described.
func startServer(ctx context.Context, s *settings, workspaces []engine.Workspace, logger *slog.Logger) (_ *server, err error) {
	mode := edge.Mode(s.Auth.Mode)
	if err := host.CheckBind(s.Addr, mode); err != nil {
		return nil, &exitError{exitRefused, err}
	}
	proxies, err := edge.ParseProxies(s.TrustedProxies)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	secure, err := s.TLS.open(logger)
	if err != nil {
		return nil, err
	}
	v := &server{log: logger, secure: secure != nil, hosts: s.Hosts, behindProxy: len(proxies) > 0, served: make(chan error, 1), recovered: make(chan struct{}), fire: make(chan struct{})}
	v.metrics = newMetrics(v)
	defer func() {
		if err != nil {
			err = errors.Join(err, v.abandon())
		}
	}()
	// The address is taken first: it is what most often is in use.
	if v.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", s.Addr); err != nil {
		return nil, &exitError{exitFailed, fmt.Errorf("listen on %s: %w; choose another address with --addr", s.Addr, err)}
	}
	v.keeper, err = store.Open(ctx, store.Options{Dir: s.Data, Logger: logger, Retention: s.Retention.bounds(), OnCommit: v.metrics.Committed, OnFatal: func(err error) {
		logger.Error("the store can't keep anything any more; the server ends", "error", err)
		os.Exit(exitStore)
	}})
	if err != nil {
		return nil, &exitError{exitRefused, err}
	}
	if v.token, err = adminToken(s.Data); err != nil {
		return nil, err
	}
	v.hub = live.NewHub(time.Now)
	ends := trigger.NewEnds()
	watching, following, err := v.follow(ctx, s, ends)
	if err != nil {
		return nil, err
	}
	if v.parts, err = newCore(ctx, s, v.keeper, coreOptions{
		runDir: filepath.Join(s.Data, "run"), children: host.Children{Workflows: v.keeper, Authors: &host.Authors{Workflows: v.keeper, Accounts: v.keeper}}, workspaces: workspaces, publisher: watching, tracer: v.tracer,
		serves: true, called: v.metrics.Called, pluginsChanged: v.pluginsChanged, logger: logger,
	}); err != nil {
		return nil, err
	}
	v.triggers = newTriggers(s, v.parts, v.keeper, ends, workspaces[0], v.metrics, logger)
	provider, bearer, err := s.Auth.federation()
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	v.edge, err = host.New(host.Options{
		Engine: v.parts.engine, Workflows: v.keeper, Executions: v.keeper, Documents: v.keeper, Outputs: v.keeper, Catalogue: v.parts.plugins, Hub: v.hub,
		Workspaces: workspaces, Triggers: v.triggers, Plugins: pluginPort{v.parts.plugins}, Stats: v.keeper.Stats, Maintenance: v.keeper, Secrets: v.parts.vault, Auth: mode, AdminToken: v.token, Sessions: v.keeper, Accounts: v.keeper, Audit: v.keeper, Provider: provider, Bearer: bearer,
		Meter: v.metrics, Tracer: following, AllowedHosts: s.Hosts, TrustedProxies: proxies, TLS: secure, Version: hostVersion(), Logger: logger, Limits: s.Limits.edge(),
	})
	if err != nil {
		return nil, err
	}
	v.told.Store(v.edge)
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	v.stopWork = stopWork
	go func() { v.served <- v.edge.Serve(v.listener) }()
	v.background.Go(func() { v.recover(work) })
	v.background.Go(func() { v.triggers.Run(work, v.fire) })
	v.background.Go(func() { giveBackWhenIdle(work) })
	v.background.Go(func() { boundMemory(work, s.Data) })
	began := time.Now()
	v.background.Go(func() { watchClock(work, time.Now, func() time.Duration { return time.Since(began) }, logger) })
	return v, nil
}

// follow says who is told of events, and who follows requests, if anybody.
func (v *server) follow(ctx context.Context, s *settings, ends *trigger.Ends) (watching publishers, following host.Tracer, err error) {
	watching = publishers{v.metrics, eventLog{v.log}, v.hub, ends}
	if v.tracer, err = s.tracer(ctx, v.keeper.Meta().InstanceID, v.log); err != nil {
		return nil, nil, &exitError{exitUsage, err}
	}
	if v.tracer == nil {
		return watching, nil, nil
	}
	return append(publishers{v.tracer}, watching...), v.tracer, nil
}

// recover takes up unfinished executions once the plugins are known.
func (v *server) recover(ctx context.Context) {
	defer close(v.recovered)
	if err := v.parts.ready(ctx); err != nil && ctx.Err() == nil {
		v.log.Warn("some plugins are not known yet", "error", err)
	}
	count, err := v.parts.engine.Recover(ctx)
	if err != nil && ctx.Err() == nil {
		v.log.Error("some executions could not be taken up again", "error", err)
	}
	v.metrics.Recovered(count)
	if count > 0 {
		v.log.Info("unfinished executions were taken up again", "count", count)
	}
}

// fireTriggers lets triggers fire by themselves, once what was left unfinished
// is under way. A command that opens a data folder for itself does not: what
// it started by the way would be cut off when it ends.
func (v *server) fireTriggers() {
	v.background.Go(func() {
		<-v.recovered
		close(v.fire)
	})
}

// pluginsChanged tells the pages, once there are any.
func (v *server) pluginsChanged(change pluginhost.Change) {
	if edge := v.told.Load(); edge != nil {
		edge.PluginsChanged(change.Plugins, change.Catalogue)
	}
}

// url is where this machine reaches the server.
func (v *server) url() string { return v.scheme() + v.reachedAt("127.0.0.1") }

// publicURL is where others do: by the first name that the server was given.
func (v *server) publicURL() string {
	if len(v.hosts) == 0 {
		return v.url()
	}
	name := v.hosts[0]
	if v.behindProxy {
		return "https://" + name
	}
	if _, _, err := net.SplitHostPort(name); err == nil {
		return v.scheme() + name
	}
	_, port, _ := net.SplitHostPort(v.listener.Addr().String())
	return v.scheme() + net.JoinHostPort(strings.Trim(name, "[]"), port)
}

func (v *server) scheme() string {
	if v.secure {
		return "https://"
	}
	return "http://"
}

// reachedAt is the listener's address, with a host in the place of all there
// are.
func (v *server) reachedAt(host string) string {
	address := v.listener.Addr().String()
	if at, port, err := net.SplitHostPort(address); err == nil {
		if ip := net.ParseIP(at); ip != nil && ip.IsUnspecified() {
			return net.JoinHostPort(host, port)
		}
	}
	return address
}

// warnOfListeners says what those who listen on the way could read.
func (v *server) warnOfListeners(s *settings) {
	host, _, err := net.SplitHostPort(v.listener.Addr().String())
	if ip := net.ParseIP(host); err != nil || v.secure || len(s.TrustedProxies) > 0 || ip == nil || ip.IsLoopback() {
		return
	}
	v.log.Warn("passwords and tokens come here over plain HTTP, readable on the way: serve with --tls-cert and --tls-key, or behind a proxy with TLS that you name by --trusted-proxy", "addr", v.listener.Addr().String())
}

// abandon closes what a failed start had opened.
func (v *server) abandon() error {
	var failures []error
	if v.listener != nil {
		failures = append(failures, v.listener.Close())
	}
	if v.parts != nil {
		ctx, cancel := context.WithTimeout(context.Background(), defaultGrace)
		defer cancel()
		failures = append(failures, v.parts.close(ctx))
	}
	if v.keeper != nil {
		failures = append(failures, v.keeper.Close())
	}
	return errors.Join(failures...)
}

// stop is the start backwards, each part with its own deadline; the steps that
// run have their grace from its beginning. Where hurry ends, they are cancelled
// at once.
func (v *server) stop(hurry context.Context, grace time.Duration) error {
	v.stopWork()
	engineCtx, cancelEngine := context.WithTimeout(hurry, grace)
	defer cancelEngine()
	edgeCtx, cancelEdge := context.WithTimeout(hurry, 5*time.Second)
	defer cancelEdge()
	failure := v.edge.Shutdown(edgeCtx)
	if edgeCtx.Err() != nil {
		// Who does not let go of a connection, or sends a byte at a time, does
		// not make a failure of a stop.
		v.log.Warn("some connections were cut off", "cause", failure)
		failure = nil
	}
	failures := []error{failure, <-v.served}
	v.background.Wait()
	failures = append(failures, v.parts.close(engineCtx))
	v.hub.Close()
	v.closeTracer(hurry)
	return errors.Join(append(failures, v.keeper.Close())...)
}

func serve(cmd *cobra.Command, s *settings, grace time.Duration) error {
	logger := newLogger(cmd.ErrOrStderr(), s.LogFormat, s.level())
	workspaces, err := s.workspaceList()
	if err != nil {
		return err
	}
	if err := useBatchPolicy(); err != nil {
		logger.Debug("the threads keep their scheduling policy", "error", err)
	}
	v, err := startServer(cmd.Context(), s, workspaces, logger)
	if err != nil {
		return err
	}
	v.fireTriggers()
	note := filepath.Join(s.Data, serverFile)
	if err := writeNote(note, s, v); err != nil {
		logger.Warn("other commands won't find this server by its data folder", "error", err)
	}
	tellAddress(cmd, s, v)
	select {
	case err = <-v.served:
		v.served <- err
	case <-cmd.Context().Done():
	}
	logger.Info("stopping; a second signal skips the wait for running steps", "grace", grace)
	hurry, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	stopErr := v.stop(hurry, grace)
	// A note that stays names a server that does not answer: no harm.
	_ = os.Remove(note)
	return errors.Join(err, stopErr)
}

func tellAddress(cmd *cobra.Command, s *settings, v *server) {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "VWMP %s serves on %s\n", currentVersion().Version, v.publicURL())
	v.warnOfListeners(s)
	if s.Auth.Mode == "none" {
		fmt.Fprintf(out, "Nobody has to sign in. Open %s/vwmp/\n", v.publicURL())
		return
	}
	fmt.Fprintf(out, "Sign in, once, within 10 minutes: %s\n", v.edge.SignInURL(v.publicURL()))
	fmt.Fprintf(out, "For other clients: the token in %s\n", filepath.Join(s.Data, tokenFile))
	if users, err := v.keeper.Users(cmd.Context()); err == nil && len(users) == 0 {
		fmt.Fprintln(out, "There are no accounts yet. Make yours with: vwmp user create NAME --role admin")
	}
}

func writeNote(path string, s *settings, v *server) error {
	note := serverNote{URL: v.url(), PID: os.Getpid()}
	if v.secure {
		file, err := filepath.Abs(s.TLS.Cert)
		if err != nil {
			return err
		}
		note.Certificate = file
	}
	raw, err := json.Marshal(note)
	if err != nil {
		return err
	}
	return os.WriteFile(path, raw, 0o600)
}

// adminToken reads the admin token of a data folder, or makes one.
func adminToken(data string) (string, error) {
	path := filepath.Join(data, tokenFile)
	text, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(text))) >= 32 {
		return strings.TrimSpace(string(text)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the admin token: %w", err)
	}
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return "", fmt.Errorf("make the admin token: %w", err)
	}
	token := "vwmp_" + base64.RawURLEncoding.EncodeToString(random)
	if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the admin token: %w", err)
	}
	return token, os.Chmod(path, 0o600)
}

// openStack serves a data folder within this process, for one command, on a
// free loopback port.
func openStack(cmd *cobra.Command, data string) (*client, error) {
	s, err := loadSettings(embeddedFlags(cmd, data), getenv)
	if err != nil {
		return nil, err
	}
	s.Addr, s.Auth, s.TLS, s.TrustedProxies = "127.0.0.1:0", authConfig{Mode: "token"}, tlsConfig{}, nil
	workspaces, err := s.workspaceList()
	if err != nil {
		return nil, err
	}
	v, err := startServer(cmd.Context(), s, workspaces, newLogger(cmd.ErrOrStderr(), "text", slog.LevelWarn))
	if err != nil {
		return nil, err
	}
	<-v.recovered
	return &client{base: v.url(), token: v.token, http: newHTTPClient(), stop: func() {
		if err := v.stop(context.WithoutCancel(cmd.Context()), defaultGrace); err != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "vwmp: %v\n", err)
		}
	}}, nil
}
