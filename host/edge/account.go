package edge

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
)

// tokenPrefix begins every API token: vwt_ID_SECRET.
const tokenPrefix = "vwt_"

// NewToken makes an API token for an account. The secret is in value and
// nowhere else.
func (s *SignIn) NewToken(ctx context.Context, token data.Token) (made data.Token, value string, err error) {
	id, secret := strings.ToLower(rand.Text()[:12]), rand.Text()
	hash := sha256.Sum256([]byte(secret))
	token.ID, token.Hash = id, hash[:]
	made, err = s.accounts.CreateToken(ctx, token)
	return made, tokenPrefix + id + "_" + secret, err
}

// HashPassword makes what an account keeps of a password.
func (s *SignIn) HashPassword(ctx context.Context, password string) (string, error) {
	return s.hasher.hash(ctx, password)
}

// WithPassword signs an account in by name and password. Its error is
// ErrSignedOut, a *LimitedError, or a fault of the store. An attempt counts
// against its address and against the account until it succeeds.
func (s *SignIn) WithPassword(ctx context.Context, name, password, address string) (Principal, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	keys := failureKeys(address, name)
	if err := s.attempt(keys); err != nil {
		return Principal{}, err
	}
	user, err := data.User{}, engine.ErrNotFound
	if s.accounts != nil && data.ValidName(name) {
		user, err = s.accounts.User(ctx, name)
	}
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return Principal{}, fmt.Errorf("read an account: %w", err)
	}
	// An account that is not there takes as long as one that is.
	fits, err := s.hasher.fits(ctx, password[:min(len(password), MaxPassword)], user.Password)
	if err != nil {
		return Principal{}, err
	}
	if !fits || user.Disabled || len(password) > MaxPassword {
		return Principal{}, ErrSignedOut
	}
	s.forgive(keys)
	return principalOf(&user, WayPassword), nil
}

// PasswordFits reports whether a password is that of an account that is
// signed in already; a wrong one counts as a failed sign-in.
func (s *SignIn) PasswordFits(ctx context.Context, name, password, address string) error {
	_, err := s.WithPassword(ctx, name, password, address)
	return err
}

func principalOf(user *data.User, way Way) Principal {
	return Principal{Name: user.Name, Role: roleOf(user.Role), Teams: user.Teams, Way: way}
}

// account is Account for those who sign in here.
func (s *SignIn) account(ctx context.Context, name string) (Principal, error) {
	return Account(ctx, s.accounts, name)
}

// Account reads what somebody may do now; accounts may be nil. Its error is
// ErrSignedOut for one who is gone or disabled.
func Account(ctx context.Context, accounts data.Accounts, name string) (Principal, error) {
	if name == AdminName {
		return Principal{Name: AdminName, Role: Admin}, nil
	}
	if accounts == nil {
		return Principal{}, ErrSignedOut
	}
	user, err := accounts.User(ctx, name)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return Principal{}, ErrSignedOut
	case err != nil:
		return Principal{}, fmt.Errorf("read an account: %w", err)
	case user.Disabled || roleOf(user.Role) == 0:
		return Principal{}, ErrSignedOut
	}
	return principalOf(&user, ""), nil
}

// byToken judges a bearer token that looks like an API token.
func (s *SignIn) byToken(ctx context.Context, rest, address string) (Principal, error) {
	id, secret, _ := strings.Cut(rest, "_")
	token, err := s.keptToken(ctx, id)
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return Principal{}, fmt.Errorf("read a token: %w", err)
	}
	given := sha256.Sum256([]byte(secret))
	fits := subtle.ConstantTimeCompare(given[:], token.Hash) == 1
	if err != nil || !fits {
		return Principal{}, s.fail(failureKeys(address, token.Owner))
	}
	who, err := s.tokenHolder(ctx, &token)
	if err != nil {
		return Principal{}, err
	}
	if s.now().Sub(token.LastUsed) >= data.UseInterval {
		// A full disk must not keep anybody out.
		if err := s.accounts.UseToken(ctx, id); err != nil && !errors.Is(err, engine.ErrStoreFull) && !errors.Is(err, engine.ErrNotFound) {
			return Principal{}, fmt.Errorf("note the use of a token: %w", err)
		}
	}
	return who, nil
}

func (s *SignIn) keptToken(ctx context.Context, id string) (data.Token, error) {
	if s.accounts == nil || data.CheckID("token", id) != nil {
		return data.Token{}, engine.ErrNotFound
	}
	return s.accounts.Token(ctx, id)
}

// tokenHolder is who a token acts for: never more than its owner may.
func (s *SignIn) tokenHolder(ctx context.Context, token *data.Token) (Principal, error) {
	if !token.ExpiresAt.IsZero() && !s.now().Before(token.ExpiresAt) {
		return Principal{}, ErrSignedOut
	}
	who, err := s.account(ctx, token.Owner)
	if err != nil {
		return Principal{}, err
	}
	who.Role = min(who.Role, roleOf(token.Role))
	who.Way, who.token, who.until = WayToken, token.ID, token.ExpiresAt
	return who, nil
}

// Again judges anew somebody who was let in before: what they may do now, or
// ErrSignedOut where they may not be here any more.
func (s *SignIn) Again(ctx context.Context, who Principal) (Principal, error) {
	if s.mode == ModeNone {
		return who, nil
	}
	if !who.until.IsZero() && !s.now().Before(who.until) {
		return Principal{}, ErrSignedOut
	}
	now := who
	var err error
	switch {
	case who.issuer != "":
		err = s.vouched(ctx, who)
	case who.session != "":
		now, err = s.byHash(ctx, who.session)
	case who.token != "":
		var token data.Token
		if token, err = s.keptToken(ctx, who.token); errors.Is(err, engine.ErrNotFound) {
			return Principal{}, ErrSignedOut
		}
		if err == nil {
			now, err = s.tokenHolder(ctx, &token)
		}
	}
	now.Way = who.Way
	return now, err
}

// Until is when what somebody came in with ends; zero is never.
func (p Principal) Until() time.Time { return p.until }

// SessionHash names the session that somebody came in with, if any.
func (p Principal) SessionHash() string { return p.session }

// OfToken reports whether somebody came in with an API token.
func (p Principal) OfToken() bool { return p.token != "" }
