package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vwmp/vwmp/host/pluginhost/internal/disk"
)

// LockFile is the name of the list of plugins that may run, in the data
// folder.
const LockFile = disk.LockFile

// Pin is a plugin that may run.
type Pin = disk.Pin

// errNotPinned refuses a plugin that is not in the list. It is never started,
// not even to be described.
var errNotPinned = errors.New("it is not in " + LockFile + ", or has changed since; look at it, and then allow it with \"vwmp plugin pin\"")

// readLock reads the list anew. One that can't be read allows nothing.
func (h *Host) readLock() *disk.Lock {
	if h.options.LockFile == "" {
		return nil
	}
	lock, err := disk.ReadLock(h.options.LockFile)
	if err != nil {
		h.log.Error("no plugin is started, since the list of those that may can't be read", "error", err)
		return &disk.Lock{}
	}
	return lock
}

// Pinned are the plugins that a list allows, and whether there is a list.
func Pinned(lockFile string) (pins []Pin, exists bool, err error) {
	lock, err := disk.ReadLock(lockFile)
	if lock == nil || err != nil {
		return nil, false, err
	}
	return lock.Plugins, true, nil
}

// PinFiles writes a list of what lies in the folders of the options now, and
// returns it. Where names are given only those plugins are pinned anew, and
// the others stay as they are. A plugin that is new is started once to learn
// its name: whoever pins it has looked at it.
func PinFiles(ctx context.Context, lockFile string, options Options, names []string) ([]Pin, error) {
	lock, err := disk.ReadLock(lockFile)
	if err != nil {
		return nil, err
	}
	found, err := identify(ctx, options)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		lock = &disk.Lock{Plugins: found}
	} else {
		if lock == nil {
			lock = &disk.Lock{}
		}
		for _, name := range names {
			at := slices.IndexFunc(found, func(pin Pin) bool { return pin.Name == name })
			if at < 0 {
				return nil, fmt.Errorf("%w: %q", ErrNoPlugin, name)
			}
			lock.Plugins = append(slices.DeleteFunc(lock.Plugins, func(pin Pin) bool { return pin.Name == name }), found[at])
		}
	}
	slices.SortFunc(lock.Plugins, func(a, b Pin) int { return strings.Compare(a.Name, b.Name) })
	return lock.Plugins, disk.WriteLock(lockFile, lock)
}

// identify lists the plugins in the folders with name, version and checksum.
func identify(ctx context.Context, options Options) ([]Pin, error) {
	options.LockFile, options.Watch = "", false
	h, err := New(ctx, options)
	if err != nil {
		return nil, err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		if err := h.Close(closing); err != nil {
			h.log.Warn("what was started to identify plugins is not gone", "error", err)
		}
	}()
	if err := h.Ready(ctx); err != nil {
		return nil, err
	}
	var pins []Pin
	for _, status := range h.Plugins() {
		if status.State == StateRefused {
			return nil, fmt.Errorf("%s can't be pinned: %s", filepath.Base(status.Path), status.Reason)
		}
		pins = append(pins, Pin{Name: status.Name, Version: status.Version, SHA256: status.Checksum})
	}
	return pins, nil
}
