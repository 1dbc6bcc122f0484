package edge

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
)

// Mode says whether callers have to sign in.
type Mode string

// The modes.
const (
	// ModeToken asks everybody for the admin token, a session or a ticket.
	ModeToken Mode = "token"
	// ModeNone takes everybody for the administrator.
	ModeNone Mode = "none"
)

// Lives of what lets somebody in.
const (
	SessionLife      = 7 * 24 * time.Hour
	LinkTicketLife   = 10 * time.Minute
	SocketTicketLife = 30 * time.Second
)

// maxUserAgent bounds what is kept of a browser's name for itself.
const maxUserAgent = 200

// AdminName is the one account until there are others.
const AdminName = "admin"

// ErrSignedOut: nothing in the request lets its sender in.
var ErrSignedOut = errors.New("signed out")

// LimitedError: too many failed sign-ins came from the sender's address.
type LimitedError struct {
	// After is when the next try is judged again.
	After time.Duration
}

// Error names the wait.
func (e *LimitedError) Error() string {
	return fmt.Sprintf("too many failed sign-ins; try again in %s", e.After.Round(time.Second))
}

// Way is how somebody was let in.
type Way string

// The ways.
const (
	WayNone   Way = "none"
	WayToken  Way = "token"
	WayCookie Way = "cookie"
	WayTicket Way = "ticket"
)

// Principal is who sent a request.
type Principal struct {
	Name string
	Role Permission
	Way  Way
}

// May reports whether the principal has the permission.
func (p Principal) May(needed Permission) bool {
	return needed == Public || p.Role >= needed
}

// Options of a SignIn.
type Options struct {
	Mode Mode
	// AdminToken lets the administrator in; at least 16 characters in
	// ModeToken.
	AdminToken string
	// Sessions keeps the sessions of browsers; ModeNone needs none.
	Sessions data.Sessions
	Now      func() time.Time
}

// SignIn judges credentials. Its methods may be called from several
// goroutines at once.
type SignIn struct {
	mode     Mode
	token    [sha256.Size]byte
	sessions data.Sessions
	now      func() time.Time
	links    *tickets
	sockets  *tickets
	failures *limiter
}

// NewSignIn returns a SignIn with no tickets out.
func NewSignIn(options Options) (*SignIn, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	switch options.Mode {
	case ModeNone:
	case ModeToken:
		if len(options.AdminToken) < 16 {
			return nil, errors.New("set up sign-in: the admin token has fewer than 16 characters")
		}
		if options.Sessions == nil {
			return nil, errors.New("set up sign-in: there is no place for sessions")
		}
	default:
		return nil, fmt.Errorf("set up sign-in: unknown mode %q; use token or none", options.Mode)
	}
	return &SignIn{
		mode: options.Mode, token: sha256.Sum256([]byte(options.AdminToken)), sessions: options.Sessions, now: options.Now,
		links: newTickets(LinkTicketLife), sockets: newTickets(SocketTicketLife), failures: newLimiter(),
	}, nil
}

// Mode returns whether callers have to sign in.
func (s *SignIn) Mode() Mode { return s.mode }

// Credentials is what a request brought.
type Credentials struct {
	// Authorization is that header, Session the cookie's value, Ticket the
	// query's of a WebSocket.
	Authorization string
	Session       string
	Ticket        string
	// Address is the sender's, without a port.
	Address string
}

// Identify says who sent a request. Its error is ErrSignedOut, a
// *LimitedError, or a fault of the session store. A wrong bearer token
// counts as a failed sign-in; a right one is never refused for others'
// failures.
func (s *SignIn) Identify(ctx context.Context, c Credentials) (Principal, error) {
	if s.mode == ModeNone {
		return Principal{Name: AdminName, Role: Admin, Way: WayNone}, nil
	}
	if c.Authorization != "" {
		scheme, token, _ := strings.Cut(c.Authorization, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return Principal{}, ErrSignedOut
		}
		if err := s.CheckToken(strings.TrimSpace(token), c.Address); err != nil {
			return Principal{}, err
		}
		return Principal{Name: AdminName, Role: Admin, Way: WayToken}, nil
	}
	if c.Ticket != "" && s.sockets.take(c.Ticket, s.now()) {
		return Principal{Name: AdminName, Role: Admin, Way: WayTicket}, nil
	}
	if c.Session != "" {
		return s.bySession(ctx, c.Session)
	}
	return Principal{}, ErrSignedOut
}

func (s *SignIn) bySession(ctx context.Context, value string) (Principal, error) {
	session, err := s.sessions.Session(ctx, hashOf(value))
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return Principal{}, ErrSignedOut
	case err != nil:
		return Principal{}, fmt.Errorf("read a session: %w", err)
	}
	role := roleOf(session.Role)
	if role == 0 || !s.now().Before(session.Expires) {
		return Principal{}, ErrSignedOut
	}
	return Principal{Name: session.Principal, Role: role, Way: WayCookie}, nil
}

// CheckToken judges the admin token, in constant time. Its error is
// ErrSignedOut or a *LimitedError.
func (s *SignIn) CheckToken(token, address string) error {
	given := sha256.Sum256([]byte(token))
	if s.mode == ModeToken && subtle.ConstantTimeCompare(given[:], s.token[:]) == 1 {
		return nil
	}
	return s.fail(address)
}

func (s *SignIn) fail(address string) error {
	if wait := s.failures.fail(address, s.now()); wait > 0 {
		return &LimitedError{After: wait}
	}
	return ErrSignedOut
}

// Open makes a session and returns its cookie's value and its end.
func (s *SignIn) Open(ctx context.Context, userAgent string) (value string, expires time.Time, err error) {
	if s.mode == ModeNone {
		return "", time.Time{}, errors.New("open a session: this server asks nobody to sign in")
	}
	now := s.now()
	value, expires = rand.Text(), now.Add(SessionLife)
	session := data.Session{
		Principal: AdminName, Role: Admin.String(), CreatedAt: now, Expires: expires, UserAgent: userAgent[:min(len(userAgent), maxUserAgent)],
	}
	if err := s.sessions.PutSession(ctx, hashOf(value), session); err != nil {
		return "", time.Time{}, fmt.Errorf("keep a session: %w", err)
	}
	return value, expires, nil
}

// End ends a session; an unknown one is no error.
func (s *SignIn) End(ctx context.Context, value string) error {
	if value == "" || s.mode == ModeNone {
		return nil
	}
	if err := s.sessions.DeleteSession(ctx, hashOf(value)); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// NewLinkTicket makes a ticket for the sign-in page: one use, 10 minutes.
func (s *SignIn) NewLinkTicket() (ticket string, expires time.Time) {
	return s.links.mint(s.now())
}

// UseLinkTicket takes a ticket of the sign-in page. Its error is
// ErrSignedOut or a *LimitedError.
func (s *SignIn) UseLinkTicket(ticket, address string) error {
	if s.links.take(ticket, s.now()) {
		return nil
	}
	return s.fail(address)
}

// NewSocketTicket makes a ticket for one WebSocket: one use, 30 seconds.
func (s *SignIn) NewSocketTicket() (ticket string, expires time.Time) {
	return s.sockets.mint(s.now())
}

// hashOf is how sessions and tickets are kept: whoever reads the store or
// the memory can't sign in with what is there.
func hashOf(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}
