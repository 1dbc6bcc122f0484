package data

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrLastAdmin: nobody who may administer would be left.
var ErrLastAdmin = errors.New("this is the last administrator; make another one first")

// Roles are what a user or a token may be, each with the rights of those
// before it.
func Roles() []string { return []string{"viewer", "executor", "editor", "admin"} }

const roleAdmin = "admin"

// Bounds of what is kept of accounts.
const (
	MaxUsers  = 10000
	MaxTokens = 10000
	maxName   = 64
	maxTeams  = 100
)

// User is an account.
type User struct {
	// Name is lower case, so that two accounts can't look alike.
	Name  string   `json:"name"`
	Role  string   `json:"role"`
	Teams []string `json:"teams,omitempty"`
	// Disabled accounts can't do anything, and keep their name.
	Disabled bool `json:"disabled,omitempty"`
	// Password is the hash of the password as PHC string; empty for one who
	// signs in elsewhere.
	Password string `json:"password,omitempty"`
	// Issuer and Subject say who vouches for one who signs in elsewhere.
	Issuer    string    `json:"issuer,omitempty"`
	Subject   string    `json:"subject,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Administers reports whether the user may administer.
func (u *User) Administers() bool { return u.Role == roleAdmin && !u.Disabled }

// Check refuses a user that no store keeps; its error is an ErrInvalid.
func (u *User) Check() error {
	if !ValidName(u.Name) {
		return fmt.Errorf("%w user name %q: 1 to %d lower-case letters, digits and . _ @ -, the first a letter or a digit", ErrInvalid, clip(u.Name), maxName)
	}
	if !slices.Contains(Roles(), u.Role) {
		return fmt.Errorf("%w role %q: one of %s", ErrInvalid, clip(u.Role), strings.Join(Roles(), ", "))
	}
	if len(u.Teams) > maxTeams {
		return fmt.Errorf("%w user: more than %d teams", ErrInvalid, maxTeams)
	}
	for _, team := range u.Teams {
		if !ValidName(team) {
			return fmt.Errorf("%w team name %q: 1 to %d lower-case letters, digits and . _ @ -, the first a letter or a digit", ErrInvalid, clip(team), maxName)
		}
	}
	return nil
}

// ValidName reports whether a text can name a user or a team.
func ValidName(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && (i == 0 || !strings.ContainsRune("._@-", rune(c))) {
			return false
		}
	}
	return true
}

// Token is an API token; its secret is known to its owner alone.
type Token struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Owner is the account that it acts for, Role the most that it may do:
	// never more than its owner may.
	Owner string `json:"owner"`
	Role  string `json:"role"`
	// Hash is the SHA-256 of the secret.
	Hash      []byte    `json:"hash"`
	CreatedAt time.Time `json:"created_at"`
	// ExpiresAt is zero for one that does not expire, LastUsed for one that
	// was never used.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	LastUsed  time.Time `json:"last_used,omitzero"`
}

// Check refuses a token that no store keeps; its error is an ErrInvalid.
func (t *Token) Check() error {
	switch {
	case len(t.Hash) != 32:
		return fmt.Errorf("%w token: its hash has %d bytes, not 32", ErrInvalid, len(t.Hash))
	case t.Name == "" || len(t.Name) > 200:
		return fmt.Errorf("%w token: its name has %d bytes, not 1 to 200", ErrInvalid, len(t.Name))
	case !slices.Contains(Roles(), t.Role):
		return fmt.Errorf("%w role %q: one of %s", ErrInvalid, clip(t.Role), strings.Join(Roles(), ", "))
	case !ValidName(t.Owner):
		return fmt.Errorf("%w owner %q of a token", ErrInvalid, clip(t.Owner))
	}
	return CheckID("token", t.ID)
}

// Accounts keeps users and their API tokens. One who is missing is an
// engine.ErrNotFound.
type Accounts interface {
	User(ctx context.Context, name string) (User, error)
	// Users lists all by name.
	Users(ctx context.Context) ([]User, error)
	// CreateUser is an engine.ErrConflict for a name that is taken.
	CreateUser(ctx context.Context, user User) (User, error)
	// ChangeUser keeps what change makes of a user; change may be called
	// several times, and must not change the name. It is an ErrLastAdmin
	// where it would leave no administrator.
	ChangeUser(ctx context.Context, name string, change func(*User) error) (User, error)
	// DeleteUser removes a user with all tokens and sessions, unless it is
	// an ErrLastAdmin.
	DeleteUser(ctx context.Context, name string) error

	Token(ctx context.Context, id string) (Token, error)
	// Tokens lists those of one owner, or all where it is empty, by the time
	// when they were made.
	Tokens(ctx context.Context, owner string) ([]Token, error)
	// CreateToken is an engine.ErrConflict for an id that is taken.
	CreateToken(ctx context.Context, token Token) (Token, error)
	// UseToken notes when a token was used; it keeps one time a minute.
	UseToken(ctx context.Context, id string) error
	DeleteToken(ctx context.Context, id string) error
}

// UseInterval is how long a token's last use stands before a newer one is
// kept.
const UseInterval = time.Minute

// KeepsAdmin is an ErrLastAdmin where one of all the users was the only
// administrator and is none any more; after is nil for one who is removed.
func KeepsAdmin(all []User, name string, after *User) error {
	before, left := false, after != nil && after.Administers()
	for i := range all {
		before = before || all[i].Name == name && all[i].Administers()
		left = left || all[i].Name != name && all[i].Administers()
	}
	if before && !left {
		return ErrLastAdmin
	}
	return nil
}
