package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vwmp/vwmp/engine/secret"
)

// readKeyFile reads a key: 32 bytes as they are, in base64, or in hex. Where
// there is no such file and mayMake is set, it makes one, in base64.
func readKeyFile(path string, mayMake bool) (*secret.Key, error) {
	text, err := os.ReadFile(path) //nolint:gosec // The operator names the file.
	if errors.Is(err, fs.ErrNotExist) {
		if !mayMake {
			return nil, &KeyError{File: path, Reason: "it is not there, and the store holds what was sealed with it"}
		}
		if err := makeKeyFile(path); err != nil {
			return nil, fmt.Errorf("make the key file: %w", err)
		}
		// Another process may have been first.
		text, err = os.ReadFile(path) //nolint:gosec // The operator names the file.
	}
	if err != nil {
		return nil, &KeyError{File: path, Reason: err.Error()}
	}
	raw := decodeKey(text)
	if raw == nil {
		return nil, &KeyError{File: path, Reason: fmt.Sprintf("it does not hold a key, which has %d bytes, as they are, in base64, or in hex", secret.KeySize)}
	}
	return secret.NewKey(raw)
}

// decodeKey returns nil for what is no key.
func decodeKey(text []byte) []byte {
	if len(text) == secret.KeySize {
		return text
	}
	trimmed := string(bytes.TrimSpace(text))
	for _, decode := range []func(string) ([]byte, error){base64.StdEncoding.DecodeString, base64.RawURLEncoding.DecodeString, hex.DecodeString} {
		if raw, err := decode(trimmed); err == nil && len(raw) == secret.KeySize {
			return raw
		}
	}
	return nil
}

// makeKeyFile writes a new key for nobody but the owner, whole or not at all,
// and never over another.
func makeKeyFile(path string) error {
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, ".secret-key-*") // Mode 0600.
	if err != nil {
		return err
	}
	_, err = file.WriteString(base64.StdEncoding.EncodeToString(secret.RandomKey()) + "\n")
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		// A link, unlike a rename, fails where there is a file already.
		if err = os.Link(file.Name(), path); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	return errors.Join(err, os.Remove(file.Name()), syncDir(dir))
}

// syncDir makes a new name in a folder durable, where the system can.
func syncDir(dir string) error {
	folder, err := os.Open(dir) //nolint:gosec // The operator names the file, and so its folder.
	if err != nil {
		return err
	}
	// Windows can't sync a folder; the file itself was.
	_ = folder.Sync()
	return folder.Close()
}
