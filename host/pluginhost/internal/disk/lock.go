package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/goccy/go-yaml"
)

// LockFile is the name of the list of pinned plugins.
const LockFile = "plugins.lock"

// maxLock bounds the list, in bytes.
const maxLock = 1 << 20

// Pin allows one content to run.
type Pin struct {
	Name    string `yaml:"name" json:"name"`
	Version string `yaml:"version" json:"version"`
	SHA256  string `yaml:"sha256" json:"sha256"`
}

// Lock is the list of the plugins that may run, as plugins.lock has it.
type Lock struct {
	Plugins []Pin `yaml:"plugins"`
}

// ReadLock reads a list; nil where there is none, which allows everything.
func ReadLock(path string) (*Lock, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // No list is no error.
	}
	if err == nil {
		err = checkOwner(info)
	}
	if err == nil && info.Size() > maxLock {
		err = fmt.Errorf("it is larger than %d KiB", maxLock>>10)
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", LockFile, err)
	}
	var lock Lock
	if err := yaml.UnmarshalWithOptions(text, &lock, yaml.DisallowUnknownField()); err != nil {
		return nil, fmt.Errorf("%s: %s", LockFile, yaml.FormatError(err, false, false))
	}
	for i, pin := range lock.Plugins {
		if !checksumPattern.MatchString(pin.SHA256) {
			return nil, fmt.Errorf("%s: plugin %d (%s): sha256 is no SHA-256 in hex", LockFile, i+1, pin.Name)
		}
	}
	return &lock, nil
}

// Allows reports whether a content may run.
func (l *Lock) Allows(checksum string) bool {
	return l == nil || slices.ContainsFunc(l.Plugins, func(pin Pin) bool { return pin.SHA256 == checksum })
}

const lockHead = `# Plugins that may run, by the SHA-256 of their files. While this file is here, no other plugin is started.
# Written by "vwmp plugin pin"; remove the file to let every plugin run again.
`

// WriteLock replaces the list.
func WriteLock(path string, lock *Lock) error {
	text, err := yaml.Marshal(lock)
	if err != nil {
		return fmt.Errorf("write %s: %w", LockFile, err)
	}
	fresh, err := os.CreateTemp(filepath.Dir(path), LockFile+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", LockFile, err)
	}
	_, err = fresh.Write(append([]byte(lockHead), text...))
	err = errors.Join(err, fresh.Sync(), fresh.Chmod(0o600), fresh.Close())
	if err == nil {
		err = os.Rename(fresh.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", LockFile, err), os.Remove(fresh.Name()))
	}
	return nil
}
