package edge_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/memory"
)

const password = "correct horse battery"

// newAccounts is a SignIn with the accounts ann, an editor of the team ops,
// and bob, an administrator.
func newAccounts(t *testing.T) (*edge.SignIn, *clock, *memory.Store) {
	t.Helper()
	c := &clock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	store := memory.New(memory.Options{Now: func() time.Time { return c.now }})
	s, err := edge.NewSignIn(edge.Options{Mode: edge.ModeToken, AdminToken: token, Sessions: store, Accounts: store, Now: func() time.Time { return c.now }})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := s.HashPassword(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range []data.User{{Name: "ann", Role: "editor", Teams: []string{"ops"}, Password: hash}, {Name: "bob", Role: "admin"}} {
		if _, err := store.CreateUser(t.Context(), user); err != nil {
			t.Fatal(err)
		}
	}
	return s, c, store
}

func change(t *testing.T, store *memory.Store, name string, fn func(*data.User)) {
	t.Helper()
	if _, err := store.ChangeUser(t.Context(), name, func(user *data.User) error { fn(user); return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestAPasswordSignsItsAccountIn(t *testing.T) {
	t.Parallel()
	s, _, store := newAccounts(t)
	who, err := s.WithPassword(t.Context(), " Ann", password, "192.0.2.1")
	if err != nil || who.Name != "ann" || who.Role != edge.Editor || len(who.Teams) != 1 {
		t.Fatalf("got %+v, %v", who, err)
	}
	user, err := store.User(t.Context(), "ann")
	if err != nil || !strings.HasPrefix(user.Password, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(user.Password, "horse") {
		t.Errorf("kept %q, %v", user.Password, err)
	}
	for name, given := range map[string]string{"ann": password + "x", "bob": "", "eve": password, "../ann": password, "admin": token} {
		if _, err := s.WithPassword(t.Context(), name, given, "192.0.2.9"); !errors.Is(err, edge.ErrSignedOut) {
			t.Errorf("%s with %q: %v", name, given, err)
		}
	}
	change(t, store, "ann", func(u *data.User) { u.Disabled = true })
	if _, err := s.WithPassword(t.Context(), "ann", password, "192.0.2.1"); !errors.Is(err, edge.ErrSignedOut) {
		t.Errorf("disabled: %v", err)
	}
}

func TestCase33PasswordsAreLimitedByAccountAndByAddress(t *testing.T) {
	t.Parallel()
	s, c, _ := newAccounts(t)
	var limited *edge.LimitedError
	for i := range 10 {
		if _, err := s.WithPassword(t.Context(), "ann", "wrong", fmt.Sprintf("192.0.2.%d", i)); !errors.Is(err, edge.ErrSignedOut) {
			t.Fatalf("failure %d: %v", i+1, err)
		}
	}
	if _, err := s.WithPassword(t.Context(), "ann", password, "192.0.2.99"); !errors.As(err, &limited) {
		t.Errorf("the account's 11th try in a minute: %v", err)
	}
	for range 1000 {
		if _, err := s.Identify(t.Context(), bearer("vwt_none_wrong")); err == nil {
			t.Fatal("a wrong token was taken")
		}
	}
	if _, err := s.WithPassword(t.Context(), "eve", "wrong", "192.0.2.1"); !errors.As(err, &limited) {
		t.Errorf("another account from the address that failed: %v", err)
	}
	c.now = c.now.Add(time.Minute)
	for range 11 {
		if _, err := s.WithPassword(t.Context(), "ann", password, "192.0.2.1"); err != nil {
			t.Fatalf("the right password counts as a failure: %v", err)
		}
	}
}

func TestCase35TokensEnd(t *testing.T) {
	t.Parallel()
	s, c, store := newAccounts(t)
	made, value, err := s.NewToken(t.Context(), data.Token{Name: "ci", Owner: "ann", Role: "admin", ExpiresAt: c.now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	who, err := s.Identify(t.Context(), bearer(value))
	if err != nil || who.Name != "ann" || who.Role != edge.Editor {
		t.Fatalf("a token may never do more than its owner: %+v, %v", who, err)
	}
	if kept, err := store.Token(t.Context(), made.ID); err != nil || !kept.LastUsed.Equal(c.now) || strings.Contains(value, string(kept.Hash)) {
		t.Errorf("kept %+v, %v", kept, err)
	}
	for _, wrong := range []string{value + "x", value[:len(value)-1], "vwt_" + made.ID, "vwt_" + made.ID + "_", "vwt__", "vwt_../" + made.ID + "_x"} {
		if _, err := s.Identify(t.Context(), bearer(wrong)); !errors.Is(err, edge.ErrSignedOut) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	still := func(want bool, why string) {
		t.Helper()
		_, now := s.Identify(t.Context(), bearer(value))
		_, again := s.Again(t.Context(), who)
		if (now == nil) != want || (again == nil) != want {
			t.Errorf("%s: %v, again %v", why, now, again)
		}
	}
	still(true, "at first")
	change(t, store, "ann", func(u *data.User) { u.Disabled = true })
	still(false, "its owner is disabled")
	change(t, store, "ann", func(u *data.User) { u.Disabled, u.Role = false, "viewer" })
	if again, err := s.Again(t.Context(), who); err != nil || again.Role != edge.Viewer {
		t.Errorf("after a change of role: %+v, %v", again, err)
	}
	c.now = c.now.Add(time.Hour)
	still(false, "it has expired")
	c.now = c.now.Add(-time.Minute)
	still(true, "it has not")
	if err := store.DeleteToken(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	still(false, "it was revoked")
}

func TestASessionEndsWithItsAccount(t *testing.T) {
	t.Parallel()
	s, _, store := newAccounts(t)
	who, err := s.WithPassword(t.Context(), "ann", password, "a")
	if err != nil {
		t.Fatal(err)
	}
	value, _, err := s.Open(t.Context(), who, "a browser", "a")
	if err != nil {
		t.Fatal(err)
	}
	who, err = s.Identify(t.Context(), edge.Credentials{Session: value})
	if err != nil || who.Name != "ann" || who.SessionHash() == "" || who.Until().IsZero() {
		t.Fatalf("got %+v, %v", who, err)
	}
	ticket, _ := s.NewSocketTicket(who)
	change(t, store, "ann", func(u *data.User) { u.Role = "viewer" })
	socket, err := s.Identify(t.Context(), edge.Credentials{Ticket: ticket})
	if err != nil || socket.Name != "ann" || socket.Role != edge.Viewer || socket.Way != edge.WayTicket {
		t.Errorf("a ticket made before the change of role: %+v, %v", socket, err)
	}
	link, _ := s.NewLinkTicket(who)
	if signed, err := s.UseLinkTicket(t.Context(), link, "a"); err != nil || signed.Name != "ann" {
		t.Errorf("a link: %+v, %v", signed, err)
	}
	if err := store.DeleteUser(t.Context(), "ann"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []edge.Principal{who, socket} {
		if _, err := s.Again(t.Context(), p); !errors.Is(err, edge.ErrSignedOut) {
			t.Errorf("after the account's end: %v", err)
		}
	}
}

func TestAPasswordThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]bool{
		"": false, "123456789": false, "1234567890": true, "ÄÖÜäöüßéèê": true, strings.Repeat("x", 1024): true, strings.Repeat("x", 1025): false, "\xff23456789012": false,
	} {
		if err := edge.CheckPassword(given); (err == nil) != want {
			t.Errorf("%.20q: %v", given, err)
		}
	}
}
