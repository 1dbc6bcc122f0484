// Package host is the server's edge: REST, live sockets, sign-in and pages on
// one listener.
//
// It turns requests into calls of the engine and of the store, and their
// answers back into JSON, YAML, events and HTML. It decides nothing about an
// execution, keeps nothing durable itself, and starts no plugin.
//
// The way of a request:
//  1. The edge gives it an id, bounds it, and judges its Host.
//  2. Its row in the route table says who may come; Origin, credentials and
//     permission are judged before its body is looked at.
//  3. A handler returns a value or an error; one place writes either.
package host

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/live"
	"github.com/vwmp/vwmp/host/pages"
	"github.com/vwmp/vwmp/store/data"
)

// Version is what the server says about itself.
type Version struct {
	Version string
	Commit  string
	// Platform is the operating system and the processor.
	Platform string
	// PluginProtocols are the versions of the plugin protocol that it speaks.
	PluginProtocols []int
}

// Options are the ports and settings of a Server. Those without a remark are
// required.
type Options struct {
	Engine     engine.Engine
	Workflows  data.Workflows
	Executions data.Executions
	Documents  Documents
	Outputs    Outputs
	Catalogue  Catalogue
	// Hub is the engine's Publisher too.
	Hub *live.Hub
	// Workspaces has at least one; the first is the default.
	Workspaces []engine.Workspace
	// Triggers may be nil: then there are none.
	Triggers Triggers
	// Plugins and Stats may be nil: then nothing is listed.
	Plugins Plugins
	Stats   func(ctx context.Context) (data.Stats, error)
	// Secrets may be nil: then none can be set.
	Secrets Secrets
	// Maintenance may be nil: then nothing is checked or backed up.
	Maintenance Maintenance

	// Auth says whether callers sign in; AdminToken and Sessions belong to
	// edge.ModeToken.
	Auth       edge.Mode
	AdminToken string
	Sessions   data.Sessions
	// Accounts and Audit may be nil: then the admin token is all that lets
	// anybody in, and nothing is written down.
	Accounts data.Accounts
	Audit    data.Audit
	// Provider may be nil: then nobody signs in by OIDC; so may Bearer: then
	// no JWT lets anybody in.
	Provider edge.Provider
	Bearer   edge.Bearer
	// Meter may be nil: then nothing is counted.
	Meter Meter
	// Tracer may be nil: then nothing is followed.
	Tracer Tracer
	// AllowedHosts are names besides the loopback ones under which the
	// server may be asked, with or without a port.
	AllowedHosts []string
	// TrustedProxies may be nil: then whoever connects is who asks.
	TrustedProxies edge.Proxies
	// TLS may be nil: then the server speaks plain HTTP.
	TLS *tls.Config

	Version Version
	// Logger may be nil.
	Logger *slog.Logger
	// Now may be nil.
	Now    func() time.Time
	Limits Limits
}

// Server serves one listener, once.
type Server struct {
	Options

	log *slog.Logger
	now func() time.Time
	// started is when it was set up.
	started time.Time
	app     *fiber.App
	api     huma.API
	routes  map[routeKey]route
	signIn  *edge.SignIn
	hosts   atomic.Pointer[edge.Hosts]
	assets  *pages.Assets
	pages   *pages.Renderer
	webApp  *pages.App
	spec    func() (document, error)
	// describing is set for a twin that is set up to be described alone.
	describing bool
	views      *viewCache
	tally      tallyCache
	strangers  strangers
	inFlight   atomic.Int64
	// byCaller and byAddress are nil where requests are not counted.
	byCaller, byAddress *throttle
	flows               flows

	// base ends when the server stops; every request and socket hangs on it.
	base    context.Context
	stop    context.CancelCauseFunc
	streams *streams
	// maintaining is held by a check or a backup.
	maintaining sync.Mutex

	mu       sync.Mutex
	listener net.Listener
}

// New checks the options and sets the server up. It listens to nothing yet.
func New(options Options) (*Server, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	options.Limits = options.Limits.withDefaults()
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Triggers == nil {
		options.Triggers = noTriggers{}
	}
	if options.Plugins == nil {
		options.Plugins = noPlugins{}
	}
	if options.Meter == nil {
		options.Meter = noMeter{}
	}
	options.Workflows = toldWorkflows{options.Workflows, options.Triggers, options.Hub, options.Now, options.Logger}
	signIn, err := edge.NewSignIn(edge.Options{
		Mode: options.Auth, AdminToken: options.AdminToken, Sessions: options.Sessions, Accounts: options.Accounts, Bearer: options.Bearer, Now: options.Now,
	})
	if err != nil {
		return nil, err
	}
	base, stop := context.WithCancelCause(context.Background())
	s := &Server{
		Options: options, log: options.Logger, now: options.Now, started: options.Now().UTC(), signIn: signIn, base: base, stop: stop,
		streams:  newStreams(options.Limits.SocketsPerCaller),
		byCaller: newThrottle(policyCaller, options.Limits.RequestsPerCaller), byAddress: newThrottle(policyAddress, options.Limits.RequestsPerAddress),
		views: newViewCache(), assets: pages.NewAssets(), webApp: pages.NewApp(),
	}
	s.pages = pages.NewRenderer(s.assets)
	s.setUp()
	return s, nil
}

func (o *Options) check() error {
	for name, missing := range map[string]bool{
		"Engine": o.Engine == nil, "Workflows": o.Workflows == nil, "Executions": o.Executions == nil, "Documents": o.Documents == nil, "Outputs": o.Outputs == nil,
		"Catalogue": o.Catalogue == nil, "Hub": o.Hub == nil, "Workspaces": len(o.Workspaces) == 0,
	} {
		if missing {
			return fmt.Errorf("set up the server: Options.%s is missing", name)
		}
	}
	return nil
}

// CheckBind refuses an address that others can reach when nobody has to sign
// in; its text says what to do.
func CheckBind(addr string, auth edge.Mode) error {
	return edge.CheckBind(addr, auth == edge.ModeToken)
}

// Serve answers requests on the listener until Shutdown. It returns nil
// after a Shutdown.
func (s *Server) Serve(listener net.Listener) error {
	if err := CheckBind(listener.Addr().String(), s.Auth); err != nil {
		return errors.Join(err, listener.Close())
	}
	s.mu.Lock()
	if s.listener != nil || s.base.Err() != nil {
		s.mu.Unlock()
		return errors.Join(errors.New("serve: this server was started before"), listener.Close())
	}
	s.listener = listener
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		s.mu.Unlock()
		return errors.Join(fmt.Errorf("serve: read the listener's port: %w", err), listener.Close())
	}
	hosts := edge.NewHosts(port, s.AllowedHosts)
	s.hosts.Store(&hosts)
	s.mu.Unlock()
	listener = lingeringListener{listener, newGate(s.Limits.Connections, s.Limits.ConnectionsPerAddress, s.TLS != nil)}
	if s.TLS != nil {
		listener = tls.NewListener(listener, s.TLS)
	}
	if err := s.app.Listener(listener); err != nil && s.base.Err() == nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// errStopping is why requests and sockets end at a stop.
var errStopping = fmt.Errorf("host: %w", engine.ErrStopping)

// Shutdown stops accepting, tells sockets and event streams that the server
// goes away, and waits for the requests that are being answered. What is left
// when ctx ends is cut off, and the error says so.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop(errStopping)
	s.mu.Lock()
	started := s.listener != nil
	s.mu.Unlock()
	var err error
	if started {
		err = s.app.ShutdownWithContext(ctx)
	}
	return errors.Join(err, s.streams.wait(ctx))
}

// NewSignInTicket makes a ticket for the sign-in page: one use, 10 minutes.
func (s *Server) NewSignInTicket() string {
	ticket, _ := s.signIn.NewLinkTicket(edge.Server())
	return ticket
}

// SignInURL returns a link that signs a browser in, once, within 10 minutes.
// base is the server's address, such as "http://127.0.0.1:8000".
func (s *Server) SignInURL(base string) string {
	return signInURL(base, s.NewSignInTicket())
}

func signInURL(base, ticket string) string {
	return base + "/vwmp/sign-in?ticket=" + url.QueryEscape(ticket)
}
