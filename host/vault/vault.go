// Package vault keeps secrets encrypted in a store, with a key in a file
// outside of it.
//
// It is the engine's source of secrets, and what administrators set them
// with. It finds no references and masks nothing: that is package secret's.
//
// The key is made when something is sealed for the first time. The store then
// keeps a check of it, so that a lost or a wrong key is told as such, and a
// new one is never made over what another has sealed.
package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/secret"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/store/data"
)

// MaxValue bounds a secret, in bytes.
const MaxValue = 64 << 10

// What is sealed here, told again to open it.
const (
	sealedCheck  = "check of the key"
	sealedSecret = "secret "
	checkText    = "vwmp"
)

// Options of a Vault.
type Options struct {
	Store data.Secrets
	// KeyFile holds the key, or will. Empty stands for a key that lasts as
	// long as the process, for a store that does too.
	KeyFile string
}

// Vault implements secret.Secrets and secret.Sealer. Its methods may be
// called from several goroutines at once.
type Vault struct {
	options Options

	mu  sync.Mutex
	key *secret.Key
}

var (
	_ secret.Secrets = (*Vault)(nil)
	_ secret.Sealer  = (*Vault)(nil)
)

// New returns a vault; it reads and makes no key before one is needed.
func New(options Options) *Vault { return &Vault{options: options} }

// Secrets lists the secrets by name, without their values.
func (v *Vault) Secrets(ctx context.Context) ([]data.Secret, error) {
	return v.options.Store.Secrets(ctx)
}

// SetSecret keeps or replaces a secret; created is true for a new name. Its
// error is a *engine.ProblemsError for a name or a value that can't be.
func (v *Vault) SetSecret(ctx context.Context, name string, value secret.Value) (created bool, err error) {
	if err := check(name, value); err != nil {
		return false, err
	}
	sealed, err := v.Seal(ctx, sealedSecret+name, []byte(value.Reveal()))
	if err != nil {
		return false, err
	}
	return v.options.Store.PutSecret(ctx, name, sealed)
}

// DeleteSecret forgets a secret, without the key too; it is an
// engine.ErrNotFound for a name that nobody has set.
func (v *Vault) DeleteSecret(ctx context.Context, name string) error {
	return v.options.Store.DeleteSecret(ctx, name)
}

// Secret implements secret.Secrets.
func (v *Vault) Secret(ctx context.Context, name string) (secret.Value, error) {
	kept, err := v.options.Store.SealedSecret(ctx, name)
	if err != nil {
		return secret.Value{}, err
	}
	text, err := v.Open(ctx, sealedSecret+name, kept.Sealed)
	if err != nil {
		return secret.Value{}, err
	}
	return secret.NewValue(string(text)), nil
}

// Check reports whether the key is the one that the secrets were sealed with,
// and makes none where nothing was sealed yet.
func (v *Vault) Check(ctx context.Context) error {
	check, err := v.options.Store.KeyCheck(ctx)
	if err != nil {
		return fmt.Errorf("read the check of the key: %w", err)
	}
	if check == nil {
		return nil
	}
	_, err = v.open(ctx)
	return err
}

// Seal implements secret.Sealer.
func (v *Vault) Seal(ctx context.Context, what string, text []byte) ([]byte, error) {
	key, err := v.open(ctx)
	if err != nil {
		return nil, err
	}
	return key.Seal(what, text), nil
}

// Open implements secret.Sealer.
func (v *Vault) Open(ctx context.Context, what string, sealed []byte) ([]byte, error) {
	key, err := v.open(ctx)
	if err != nil {
		return nil, err
	}
	return key.Open(what, sealed)
}

// open returns the key, read, checked or made at the first need. A failure is
// not kept: the file may be put back.
func (v *Vault) open(ctx context.Context) (*secret.Key, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.key != nil {
		return v.key, nil
	}
	check, err := v.options.Store.KeyCheck(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the check of the key: %w", err)
	}
	key, err := v.readKey(check == nil)
	if err != nil {
		return nil, err
	}
	if check == nil {
		err := v.options.Store.PutKeyCheck(ctx, key.Seal(sealedCheck, []byte(checkText)))
		if err != nil && !errors.Is(err, engine.ErrConflict) {
			return nil, fmt.Errorf("keep the check of the key: %w", err)
		}
		if check, err = v.options.Store.KeyCheck(ctx); err != nil {
			return nil, fmt.Errorf("read the check of the key: %w", err)
		}
	}
	if _, err := key.Open(sealedCheck, check); err != nil {
		return nil, &KeyError{File: v.options.KeyFile, Reason: "it is another key than the one the secrets were sealed with"}
	}
	v.key = key
	return key, nil
}

// readKey reads the key's file, or makes it where that may be.
func (v *Vault) readKey(mayMake bool) (*secret.Key, error) {
	if v.options.KeyFile == "" {
		return secret.NewKey(secret.RandomKey())
	}
	return readKeyFile(v.options.KeyFile, mayMake)
}

// KeyError: the key can't be used, so that no secret can be read or set.
type KeyError struct {
	File string
	// Reason completes the sentence "the key file … can't be used: ".
	Reason string
}

// Error says what to do.
func (e *KeyError) Error() string {
	return fmt.Sprintf("the key file %s can't be used: %s. Put back the key that belongs to this data folder,"+
		" or name its file in VWMP_SECRET_KEY_FILE; without it the secrets can't be read, and have to be deleted and set anew in a new data folder", e.File, e.Reason)
}

// Is makes the error a secret.ErrKey.
func (e *KeyError) Is(target error) bool { return target == secret.ErrKey }

// check judges what a caller wants to set. It never repeats the value.
func check(name string, value secret.Value) error {
	problem := func(pointer, code, message string) error {
		return &engine.ProblemsError{Summary: "the secret can't be set", Problems: []pluginsdk.Problem{{
			Severity: pluginsdk.SeverityError, Pointer: pointer, Code: code, Message: message,
		}}}
	}
	text := value.Reveal()
	switch {
	case !workflow.ValidSecretName(name):
		return problem("name", "bad_format", "a secret's name begins with a letter or _ and goes on with letters, digits, _ and -, up to 100 characters")
	case text == "":
		return problem("/value", "too_short", "the value is empty; to take the secret away, delete it")
	case len(text) > MaxValue:
		return problem("/value", "too_long", fmt.Sprintf("the value has %d bytes; a secret has at most %d", len(text), MaxValue))
	case !utf8.ValidString(text) || strings.Contains(text, "\x00"):
		return problem("/value", "wrong_type", "the value is not text (UTF-8 without NUL); encode binary data, for example in base64")
	}
	return nil
}
