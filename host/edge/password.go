package edge

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// What a password's hash costs: what OWASP asks for at least. At most
// hashesAtOnce are computed at the same time, so that sign-ins take a bounded
// amount of memory, and hashesWaiting wait for that.
const (
	hashMemory    = 19456 // KiB
	hashTime      = 2
	hashThreads   = 1
	hashBytes     = 32
	saltBytes     = 16
	hashesAtOnce  = 2
	hashesWaiting = 32
)

// Bounds of a password: characters at least, bytes at most.
const (
	MinPassword = 10
	MaxPassword = 1024
)

// hashPrefix begins every hash that this version writes, as a PHC string.
var hashPrefix = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$", argon2.Version, hashMemory, hashTime, hashThreads)

// CheckPassword says what is wrong with a new password.
func CheckPassword(password string) error {
	switch {
	case !utf8.ValidString(password):
		return errors.New("the password must be text")
	case utf8.RuneCountInString(password) < MinPassword:
		return fmt.Errorf("the password must have at least %d characters", MinPassword)
	case len(password) > MaxPassword:
		return fmt.Errorf("the password must have at most %d bytes", MaxPassword)
	}
	return nil
}

// hasher computes hashes, few at a time.
type hasher struct{ slots, waiting chan struct{} }

func newHasher() *hasher {
	return &hasher{slots: make(chan struct{}, hashesAtOnce), waiting: make(chan struct{}, hashesAtOnce+hashesWaiting)}
}

// derive waits for its turn; where too many wait it is a *LimitedError.
func (h *hasher) derive(ctx context.Context, password string, salt []byte) ([]byte, error) {
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		return nil, &LimitedError{After: time.Second}
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	return argon2.IDKey([]byte(password), salt, hashTime, hashMemory, hashThreads, hashBytes), nil
}

// hash makes the PHC string of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("make a salt: %w", err)
	}
	key, err := h.derive(ctx, password, salt)
	if err != nil {
		return "", err
	}
	return hashPrefix + base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(key), nil
}

// fits compares a password with a PHC string. Where that can't be read it
// takes the same time, and does not fit.
func (h *hasher) fits(ctx context.Context, password, phc string) (bool, error) {
	salt, want, readable := readHash(phc)
	key, err := h.derive(ctx, password, salt)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, want) == 1 && readable, nil
}

// readHash reads what hash wrote.
func readHash(phc string) (salt, key []byte, readable bool) {
	rest, ours := strings.CutPrefix(phc, hashPrefix)
	first, second, parted := strings.Cut(rest, "$")
	salt, saltErr := base64.RawStdEncoding.DecodeString(first)
	key, keyErr := base64.RawStdEncoding.DecodeString(second)
	if !ours || !parted || saltErr != nil || keyErr != nil || len(salt) != saltBytes || len(key) != hashBytes {
		return make([]byte, saltBytes), make([]byte, hashBytes), false
	}
	return salt, key, true
}
