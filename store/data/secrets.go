package data

import (
	"context"
	"fmt"
	"time"
)

// Secret is a secret as it is kept: encrypted, by somebody else.
type Secret struct {
	Name      string    `json:"name"`
	UpdatedAt time.Time `json:"updated_at"`
	// Sealed is what whoever has the key can open.
	Sealed []byte `json:"sealed"`
}

// MaxSealed bounds a sealed secret, in bytes.
const MaxSealed = 128 << 10

// CheckSecret refuses a secret that no store takes. Its error is an
// ErrInvalid and does not repeat what is sealed.
func CheckSecret(name string, sealed []byte) error {
	if err := CheckKey("secret name", name); err != nil {
		return err
	}
	if len(sealed) == 0 || len(sealed) > MaxSealed {
		return fmt.Errorf("%w secret: sealed, it has %d bytes, not 1 to %d", ErrInvalid, len(sealed), MaxSealed)
	}
	return nil
}

// Secrets keeps sealed secrets by their names.
type Secrets interface {
	// PutSecret keeps or replaces one; created is true for a new name.
	PutSecret(ctx context.Context, name string, sealed []byte) (created bool, err error)
	// SealedSecret is an engine.ErrNotFound for a name that nobody has set.
	SealedSecret(ctx context.Context, name string) (Secret, error)
	// Secrets lists all by name, without what is sealed.
	Secrets(ctx context.Context) ([]Secret, error)
	// DeleteSecret is an engine.ErrNotFound for a name that nobody has set.
	DeleteSecret(ctx context.Context, name string) error
	// KeyCheck is what the first key of the store sealed, by which another
	// one is told apart; nil where there was no key yet.
	KeyCheck(ctx context.Context) ([]byte, error)
	// PutKeyCheck keeps it, once; later it is an engine.ErrConflict.
	PutKeyCheck(ctx context.Context, check []byte) error
}
