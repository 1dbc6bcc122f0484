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

// AdminName is the server's own account: the holder of the admin token. No
// user can have its name.
const AdminName = "admin"

// ErrSignedOut: nothing in the request lets its sender in.
var ErrSignedOut = errors.New("signed out")

// LimitedError: too many failed sign-ins came from the sender's address, or
// were for the account.
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
	// WayPassword is that of a sign-in, before it has a session.
	WayPassword Way = "password"
	// WayOIDC is that of a sign-in elsewhere, before it has a session.
	WayOIDC Way = "oidc"
)

// Principal is who sent a request.
type Principal struct {
	Name  string
	Role  Permission
	Teams []string
	Way   Way

	// session is the hash of the session and token the id of the API token
	// that they came in with; until is when that ends.
	session, token string
	until          time.Time
	// issuer is who vouches for them by a JWT.
	issuer string
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
	// Accounts may be nil: then the admin token is all that lets anybody in.
	Accounts data.Accounts
	// Bearer may be nil: then no issuer's tokens are taken.
	Bearer Bearer
	Now    func() time.Time
}

// SignIn judges credentials. Its methods may be called from several
// goroutines at once.
type SignIn struct {
	mode     Mode
	token    [sha256.Size]byte
	sessions data.Sessions
	accounts data.Accounts
	bearer   Bearer
	hasher   *hasher
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
		mode: options.Mode, token: sha256.Sum256([]byte(options.AdminToken)), sessions: options.Sessions,
		accounts: options.Accounts, bearer: options.Bearer, hasher: newHasher(), now: options.Now,
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
		return s.byBearer(ctx, strings.TrimSpace(token), c.Address)
	}
	if c.Ticket != "" {
		if who, good := s.sockets.take(c.Ticket, s.now()); good {
			who, err := s.Again(ctx, who)
			who.Way = WayTicket
			return who, err
		}
	}
	if c.Session != "" {
		return s.byHash(ctx, hashOf(c.Session))
	}
	return Principal{}, ErrSignedOut
}

func (s *SignIn) byBearer(ctx context.Context, token, address string) (Principal, error) {
	if rest, found := strings.CutPrefix(token, tokenPrefix); found {
		return s.byToken(ctx, rest, address)
	}
	if s.bearer != nil && looksLikeJWT(token) {
		return s.byJWT(ctx, token, address)
	}
	if err := s.CheckToken(token, address); err != nil {
		return Principal{}, err
	}
	return Server(), nil
}

// byHash judges a session. What its principal may do is read anew each time.
func (s *SignIn) byHash(ctx context.Context, hash string) (Principal, error) {
	session, err := s.sessions.Session(ctx, hash)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return Principal{}, ErrSignedOut
	case err != nil:
		return Principal{}, fmt.Errorf("read a session: %w", err)
	}
	if !s.now().Before(session.Expires) {
		return Principal{}, ErrSignedOut
	}
	who, err := s.account(ctx, session.Principal)
	who.Way, who.session, who.until = WayCookie, hash, session.Expires
	return who, err
}

// CheckToken judges the admin token, in constant time. Its error is
// ErrSignedOut or a *LimitedError.
func (s *SignIn) CheckToken(token, address string) error {
	given := sha256.Sum256([]byte(token))
	if s.mode == ModeToken && subtle.ConstantTimeCompare(given[:], s.token[:]) == 1 {
		return nil
	}
	return s.fail(failureKeys(address, ""))
}

// failureKeys are what a failed sign-in counts against.
func failureKeys(address, account string) []string {
	keys := []string{"address " + address}
	if account != "" {
		keys = append(keys, "account "+account[:min(len(account), maxAccount)])
	}
	return keys
}

// maxAccount bounds what is remembered of an account's name, in bytes.
const maxAccount = 100

// attempt counts a sign-in as failed until it is forgiven; it is a
// *LimitedError where there were too many.
func (s *SignIn) attempt(keys []string) error {
	var wait time.Duration
	for _, key := range keys {
		wait = max(wait, s.failures.fail(key, s.now()))
	}
	if wait > 0 {
		return &LimitedError{After: wait}
	}
	return nil
}

func (s *SignIn) forgive(keys []string) {
	for _, key := range keys {
		s.failures.forgive(key)
	}
}

func (s *SignIn) fail(keys []string) error {
	if err := s.attempt(keys); err != nil {
		return err
	}
	return ErrSignedOut
}

// Open makes a session for somebody who was let in, and returns its cookie's
// value and its end.
func (s *SignIn) Open(ctx context.Context, who Principal, userAgent, address string) (value string, expires time.Time, err error) {
	if s.mode == ModeNone {
		return "", time.Time{}, errors.New("open a session: this server asks nobody to sign in")
	}
	now := s.now()
	value, expires = rand.Text(), now.Add(SessionLife)
	session := data.Session{
		Principal: who.Name, Role: who.Role.String(), CreatedAt: now, Expires: expires, UserAgent: userAgent[:min(len(userAgent), maxUserAgent)], Address: address,
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

// Server is the server's own account.
func Server() Principal { return Principal{Name: AdminName, Role: Admin, Way: WayToken} }

// NewLinkTicket makes a ticket for the sign-in page that lets an account in:
// one use, 10 minutes.
func (s *SignIn) NewLinkTicket(who Principal) (ticket string, expires time.Time) {
	return s.links.mint(Principal{Name: who.Name, Role: who.Role}, s.now())
}

// UseLinkTicket takes a ticket of the sign-in page and says whom it lets in.
// Its error is ErrSignedOut, a *LimitedError, or a fault of the store.
func (s *SignIn) UseLinkTicket(ctx context.Context, ticket, address string) (Principal, error) {
	if who, good := s.links.take(ticket, s.now()); good {
		return s.account(ctx, who.Name)
	}
	return Principal{}, s.fail(failureKeys(address, ""))
}

// NewSocketTicket makes a ticket for one WebSocket of somebody who was let
// in: one use, 30 seconds.
func (s *SignIn) NewSocketTicket(who Principal) (ticket string, expires time.Time) {
	return s.sockets.mint(who, s.now())
}

// hashOf is how sessions and tickets are kept: whoever reads the store or
// the memory can't sign in with what is there.
func hashOf(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}
