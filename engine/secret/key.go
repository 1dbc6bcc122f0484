package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
)

// KeySize is the size of a key, in bytes.
const KeySize = 32

// ErrSealed: what is sealed can't be opened with this key, or was changed.
var ErrSealed = errors.New("it was not sealed with this key, or was changed since")

// ErrKey: the key itself can't be had, or is another one than before. What
// wraps it says why, and may name files.
var ErrKey = errors.New("the key of the secrets can't be used")

// sealVersion is the first byte of everything that is sealed.
const sealVersion = 1

// Key seals with AES-256-GCM. It is safe for concurrent use.
type Key struct{ aead cipher.AEAD }

// NewKey takes KeySize bytes.
func NewKey(raw []byte) (*Key, error) {
	if len(raw) != KeySize {
		return nil, fmt.Errorf("a key has %d bytes, not %d", KeySize, len(raw))
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, fmt.Errorf("set up the cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("set up the cipher: %w", err)
	}
	return &Key{aead}, nil
}

// RandomKey returns the bytes of a new key.
func RandomKey() []byte {
	raw := make([]byte, KeySize)
	_, _ = rand.Read(raw) // It never fails: crypto/rand ends the process instead.
	return raw
}

// Seal encrypts text. What it is for, such as the name of a secret, must be
// told again to open it, so that one sealed text can't stand for another.
func (k *Key) Seal(what string, text []byte) []byte {
	sealed := make([]byte, 1+k.aead.NonceSize(), 1+k.aead.NonceSize()+len(text)+k.aead.Overhead())
	sealed[0] = sealVersion
	nonce := sealed[1:]
	_, _ = rand.Read(nonce)                               // It never fails: crypto/rand ends the process instead.
	return k.aead.Seal(sealed, nonce, text, []byte(what)) //nolint:gosec // The nonce is random: it is read just above.
}

// Open decrypts what Seal returned for the same purpose; else it is an
// ErrSealed.
func (k *Key) Open(what string, sealed []byte) ([]byte, error) {
	start := 1 + k.aead.NonceSize()
	if len(sealed) < start || sealed[0] != sealVersion {
		return nil, ErrSealed
	}
	text, err := k.aead.Open(nil, sealed[1:start], sealed[start:], []byte(what))
	if err != nil {
		return nil, ErrSealed
	}
	return text, nil
}
