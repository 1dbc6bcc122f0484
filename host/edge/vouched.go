package edge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
)

// Identity is somebody whom an issuer vouches for.
type Identity struct {
	Issuer, Subject string
	Name, Role      string
	Teams           []string
	// Until is when the issuer's word ends.
	Until time.Time
}

// Bearer judges the JWTs of an issuer. Its error is that it does not vouch.
type Bearer interface {
	Verify(ctx context.Context, token string) (Identity, error)
}

// Flow is one sign-in on its way through an OpenID provider.
type Flow struct {
	// State finds the flow again, Nonce binds the provider's answer to it,
	// and Verifier proves that both ends of it are one (PKCE).
	State, Nonce, Verifier string
	// Redirect is where the provider sends the browser back to.
	Redirect string
}

// Provider signs browsers in elsewhere.
type Provider interface {
	// Start says where the browser has to go.
	Start(ctx context.Context, flow Flow) (url string, err error)
	// Finish says who came back with a code.
	Finish(ctx context.Context, flow Flow, code string) (Identity, error)
}

// NoRoleError: the issuer vouches for somebody to whom no role is given.
type NoRoleError struct{ Name string }

// Error names the account.
func (e *NoRoleError) Error() string { return fmt.Sprintf("the account %s has no role here", e.Name) }

// TakenError: an account of the name is there, and is not the issuer's.
type TakenError struct{ Name string }

// Error names the account.
func (e *TakenError) Error() string {
	return fmt.Sprintf("the account %s is not one that this issuer vouches for", e.Name)
}

// byJWT judges a bearer token that an issuer made. Nothing is kept of it; an
// account of the same name must be the issuer's too, and not be disabled.
func (s *SignIn) byJWT(ctx context.Context, token, address string) (Principal, error) {
	id, err := s.bearer.Verify(ctx, token)
	if err != nil {
		return Principal{}, errors.Join(s.fail(failureKeys(address, "")), err)
	}
	who := Principal{Name: id.Name, Role: roleOf(id.Role), Teams: id.Teams, Way: WayToken, until: id.Until, issuer: id.Issuer}
	if err := s.vouched(ctx, who); err != nil {
		return Principal{}, err
	}
	return who, nil
}

// vouched is ErrSignedOut where an account keeps the one out whom a JWT names.
func (s *SignIn) vouched(ctx context.Context, who Principal) error {
	if s.accounts == nil {
		return nil
	}
	user, err := s.accounts.User(ctx, who.Name)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("read an account: %w", err)
	case user.Disabled || user.Issuer != who.issuer:
		return ErrSignedOut
	}
	return nil
}

// Vouched makes or changes the account of somebody whom an issuer vouches
// for, and lets them in. Its error is a *TakenError, ErrSignedOut for one who
// is disabled, a data.ErrLastAdmin, or a fault of the store.
func (s *SignIn) Vouched(ctx context.Context, id Identity) (Principal, error) {
	if s.accounts == nil {
		return Principal{}, ErrSignedOut
	}
	user, err := s.accounts.User(ctx, id.Name)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		user, err = s.accounts.CreateUser(ctx, data.User{Name: id.Name, Role: id.Role, Teams: id.Teams, Issuer: id.Issuer, Subject: id.Subject})
	case err != nil:
	case user.Issuer != id.Issuer || user.Subject != id.Subject:
		return Principal{}, &TakenError{id.Name}
	case user.Disabled:
		return Principal{}, ErrSignedOut
	case user.Role != id.Role || !slices.Equal(user.Teams, id.Teams):
		user, err = s.accounts.ChangeUser(ctx, id.Name, func(user *data.User) error {
			user.Role, user.Teams = id.Role, id.Teams
			return nil
		})
	}
	if err != nil {
		return Principal{}, fmt.Errorf("keep an account: %w", err)
	}
	return principalOf(&user, WayOIDC), nil
}

// looksLikeJWT reports whether a bearer token has a JWT's three parts.
func looksLikeJWT(token string) bool { return strings.Count(token, ".") == 2 }
