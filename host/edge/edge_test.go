package edge_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/store/data"
)

const token = "a-token-of-enough-characters"

// keptSessions is data.Sessions under a name that is not one of its methods.
type keptSessions = data.Sessions

// shelf is a session store in memory.
type shelf struct {
	keptSessions
	mu   sync.Mutex
	kept map[string]data.Session
}

func (s *shelf) PutSession(_ context.Context, hash string, session data.Session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = map[string]data.Session{}
	}
	s.kept[hash] = session
	return nil
}

func (s *shelf) Session(_ context.Context, hash string) (data.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session, found := s.kept[hash]
	if !found {
		return data.Session{}, engine.ErrNotFound
	}
	return session, nil
}

func (s *shelf) DeleteSession(_ context.Context, hash string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, hash)
	return nil
}

type clock struct{ now time.Time }

func newSignIn(t *testing.T) (*edge.SignIn, *clock, *shelf) {
	t.Helper()
	c, sessions := &clock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}, &shelf{}
	s, err := edge.NewSignIn(edge.Options{
		Mode: edge.ModeToken, AdminToken: token, Sessions: sessions, Now: func() time.Time { return c.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, c, sessions
}

func bearer(value string) edge.Credentials {
	return edge.Credentials{Authorization: "Bearer " + value, Address: "192.0.2.1"}
}

func TestOnlyTheServersOwnNamesAreHosts(t *testing.T) {
	hosts := edge.NewHosts("8000", []string{"vwmp.example", "proxy.example:443", "2001:db8::1"})
	for host, want := range map[string]bool{
		"127.0.0.1:8000": true, "[::1]:8000": true, "localhost:8000": true, "LocalHost:8000": true,
		"vwmp.example": true, "vwmp.example:8000": true, "proxy.example:443": true, "[2001:db8::1]:8000": true,
		"evil.example": false, "evil.example:8000": false, "127.0.0.1": false, "127.0.0.1:80": false, "": false,
		"localhost.evil.example:8000": false, "proxy.example": false, "127.0.0.1:8000.evil.example": false,
	} {
		if hosts.Allowed(host) != want {
			t.Errorf("host %q: got %v", host, !want)
		}
	}
	if !edge.NewHosts("80", nil).Allowed("localhost") {
		t.Error("a client leaves out port 80")
	}
}

func TestAForeignOriginIsRefused(t *testing.T) {
	hosts := edge.NewHosts("8000", nil)
	for origin, want := range map[string]bool{
		"http://127.0.0.1:8000": true, "https://localhost:8000": true,
		"http://evil.example": false, "null": false, "file://": false, "http://127.0.0.1:9000": false,
		"http://a@127.0.0.1:8000": false, "http://127.0.0.1:8000/x": false, "": false, "%": false,
	} {
		if hosts.AllowedOrigin(origin) != want {
			t.Errorf("origin %q: got %v", origin, !want)
		}
	}
}

func TestNobodyListensToOthersWithoutSignIn(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:8000": true, "[::1]:8000": true, "localhost:0": true, "[::ffff:127.0.0.1]:1": true,
		":8000": false, "0.0.0.0:8000": false, "[::]:8000": false, "192.168.1.5:8000": false, "name.example:1": false, "8000": false,
	} {
		if err := edge.CheckBind(addr, false); (err == nil) != want {
			t.Errorf("%s without sign-in: %v", addr, err)
		}
	}
	if err := edge.CheckBind("0.0.0.0:8000", true); err != nil {
		t.Errorf("with sign-in: %v", err)
	}
	if err := edge.CheckBind("0.0.0.0:8000", false); err == nil || !strings.Contains(err.Error(), "--auth token") {
		t.Errorf("the refusal does not say what to do: %v", err)
	}
}

func TestEachPermissionHasThoseBeforeIt(t *testing.T) {
	editor := edge.Principal{Role: edge.Editor}
	for needed, want := range map[edge.Permission]bool{
		edge.Public: true, edge.Viewer: true, edge.Executor: true, edge.Editor: true, edge.Admin: false,
	} {
		if editor.May(needed) != want {
			t.Errorf("an editor and %s: got %v", needed, !want)
		}
	}
	if nobody := (edge.Principal{}); nobody.May(edge.Viewer) || !nobody.May(edge.Public) {
		t.Error("somebody signed out may read")
	}
}

func TestTheTokenLetsIn(t *testing.T) {
	s, _, _ := newSignIn(t)
	who, err := s.Identify(t.Context(), bearer(token))
	if err != nil || who.Role != edge.Admin || who.Way != edge.WayToken {
		t.Fatalf("got %+v, %v", who, err)
	}
	for _, c := range []edge.Credentials{
		{}, bearer("wrong"), bearer(""), {Authorization: "Basic " + token}, {Session: "unknown"}, {Ticket: "unknown"},
	} {
		if _, err := s.Identify(t.Context(), c); !errors.Is(err, edge.ErrSignedOut) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestFailuresAreLimitedByAddressButAValidTokenIsNot(t *testing.T) {
	s, c, _ := newSignIn(t)
	for i := range 10 {
		if _, err := s.Identify(t.Context(), bearer("wrong")); !errors.Is(err, edge.ErrSignedOut) {
			t.Fatalf("failure %d: %v", i+1, err)
		}
	}
	var limited *edge.LimitedError
	if _, err := s.Identify(t.Context(), bearer("wrong")); !errors.As(err, &limited) || limited.After <= 0 || limited.After > time.Minute {
		t.Fatalf("failure 11: %v", err)
	}
	if _, err := s.Identify(t.Context(), bearer(token)); err != nil {
		t.Errorf("the right token is blocked: %v", err)
	}
	other := bearer("wrong")
	other.Address = "192.0.2.2"
	if _, err := s.Identify(t.Context(), other); !errors.Is(err, edge.ErrSignedOut) {
		t.Errorf("another address is blocked: %v", err)
	}
	c.now = c.now.Add(time.Minute)
	if _, err := s.Identify(t.Context(), bearer("wrong")); !errors.Is(err, edge.ErrSignedOut) {
		t.Errorf("a minute later: %v", err)
	}
}

func TestAFloodOfAddressesIsForgotten(t *testing.T) {
	s, _, _ := newSignIn(t)
	for i := range 20005 {
		c := bearer("wrong")
		c.Address = fmt.Sprint(i)
		if _, err := s.Identify(t.Context(), c); !errors.Is(err, edge.ErrSignedOut) {
			t.Fatalf("address %d: %v", i, err)
		}
	}
}

func TestASessionLastsUntilItsEnd(t *testing.T) {
	s, c, sessions := newSignIn(t)
	value, expires, err := s.Open(t.Context(), edge.Server(), "a browser", "192.0.2.1")
	if err != nil || !expires.Equal(c.now.Add(edge.SessionLife)) {
		t.Fatalf("open: %v, %v", expires, err)
	}
	if _, raw := sessions.kept[value]; raw {
		t.Error("the store has the cookie itself")
	}
	if who, err := s.Identify(t.Context(), edge.Credentials{Session: value}); err != nil || who.Way != edge.WayCookie {
		t.Errorf("in its life: %+v, %v", who, err)
	}
	c.now = expires
	if _, err := s.Identify(t.Context(), edge.Credentials{Session: value}); !errors.Is(err, edge.ErrSignedOut) {
		t.Errorf("after its life: %v", err)
	}
	c.now = expires.Add(-time.Second)
	if err := s.End(t.Context(), value); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Identify(t.Context(), edge.Credentials{Session: value}); !errors.Is(err, edge.ErrSignedOut) {
		t.Errorf("after its end: %v", err)
	}
}

func TestATicketWorksOnceAndForAWhile(t *testing.T) {
	s, c, _ := newSignIn(t)
	link, _ := s.NewLinkTicket(edge.Server())
	if _, err := s.UseLinkTicket(t.Context(), link, "a"); err != nil {
		t.Fatalf("first use: %v", err)
	}
	if _, err := s.UseLinkTicket(t.Context(), link, "a"); !errors.Is(err, edge.ErrSignedOut) {
		t.Errorf("second use: %v", err)
	}
	link, _ = s.NewLinkTicket(edge.Server())
	c.now = c.now.Add(edge.LinkTicketLife)
	if _, err := s.UseLinkTicket(t.Context(), link, "a"); !errors.Is(err, edge.ErrSignedOut) {
		t.Errorf("too late: %v", err)
	}
	socket, expires := s.NewSocketTicket(edge.Server())
	if expires.Sub(c.now) > 30*time.Second {
		t.Errorf("a socket's ticket lives until %v", expires)
	}
	if _, err := s.UseLinkTicket(t.Context(), socket, "a"); err == nil {
		t.Error("a socket's ticket opens the sign-in page")
	}
	if who, err := s.Identify(t.Context(), edge.Credentials{Ticket: socket}); err != nil || who.Way != edge.WayTicket {
		t.Errorf("socket: %+v, %v", who, err)
	}
	if _, err := s.Identify(t.Context(), edge.Credentials{Ticket: socket}); !errors.Is(err, edge.ErrSignedOut) {
		t.Errorf("socket, second use: %v", err)
	}
}

func TestTicketsThatAreOutAreBounded(t *testing.T) {
	s, _, _ := newSignIn(t)
	first, _ := s.NewLinkTicket(edge.Server())
	var last string
	for range 1000 {
		last, _ = s.NewLinkTicket(edge.Server())
	}
	if _, err := s.UseLinkTicket(t.Context(), first, "a"); err == nil {
		t.Error("the oldest ticket is still good")
	}
	if _, err := s.UseLinkTicket(t.Context(), last, "a"); err != nil {
		t.Errorf("the newest ticket: %v", err)
	}
}

func TestWithoutSignInEverybodyIsTheAdministrator(t *testing.T) {
	s, err := edge.NewSignIn(edge.Options{Mode: edge.ModeNone})
	if err != nil {
		t.Fatal(err)
	}
	if who, err := s.Identify(t.Context(), edge.Credentials{}); err != nil || who.Role != edge.Admin {
		t.Errorf("got %+v, %v", who, err)
	}
	if _, _, err := s.Open(t.Context(), edge.Server(), "a browser", "192.0.2.1"); err == nil {
		t.Error("a session was made that nobody needs")
	}
}

func TestAWeakOrUnknownSetUpIsRefused(t *testing.T) {
	for _, options := range []edge.Options{
		{Mode: edge.ModeToken, AdminToken: "short", Sessions: &shelf{}}, {Mode: edge.ModeToken, AdminToken: token}, {Mode: "other"}, {},
	} {
		if _, err := edge.NewSignIn(options); err == nil {
			t.Errorf("%+v was taken", options)
		}
	}
}
