package disk

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// maxWatched bounds the folders that are watched, of all plugins together.
const maxWatched = 2000

// Watcher notices that something in plugin folders changed. It does not say
// what: whoever hears of it looks.
type Watcher struct {
	// Changed has a token after a change.
	Changed <-chan struct{}

	changed chan struct{}
	inner   *fsnotify.Watcher
	dirs    []string
	log     *slog.Logger
	ended   chan struct{}
}

// Watch watches plugin folders, those of plugins in them, and for folders that
// are not there yet where they would be.
func Watch(dirs []string, log *slog.Logger) (*Watcher, error) {
	inner, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	changed := make(chan struct{}, 1)
	w := &Watcher{Changed: changed, changed: changed, inner: inner, log: log, ended: make(chan struct{})}
	for _, dir := range dirs {
		if absolute, err := filepath.Abs(dir); err == nil {
			w.dirs = append(w.dirs, absolute)
		}
	}
	w.Sync()
	go w.run()
	return w, nil
}

func (w *Watcher) run() {
	defer close(w.ended)
	for {
		select {
		case event, open := <-w.inner.Events:
			if !open {
				return
			}
			if !w.concerns(event.Name) {
				continue
			}
		case err, open := <-w.inner.Errors:
			if !open {
				return
			}
			// Events were lost, most likely: then something changed.
			w.log.Warn("the plugin folders can't be watched as they should", "error", err)
		}
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
}

// concerns reports whether a path is in a plugin folder, or leads to one.
func (w *Watcher) concerns(path string) bool {
	for _, dir := range w.dirs {
		if path == dir || within(path, dir) || within(dir, path) {
			return true
		}
	}
	return false
}

func within(path, dir string) bool {
	return strings.HasPrefix(path, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}

// Sync watches the folders that are new since the last time.
func (w *Watcher) Sync() {
	watched := map[string]bool{}
	for _, path := range w.inner.WatchList() {
		watched[path] = true
	}
	for _, path := range w.wanted() {
		if watched[path] {
			continue
		}
		if len(watched) >= maxWatched {
			w.log.Warn("there are too many folders of plugins to watch them all; use \"vwmp plugin reload\" for the others", "most", maxWatched)
			return
		}
		if err := w.inner.Add(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			w.log.Warn("a folder of plugins can't be watched; use \"vwmp plugin reload\"", "folder", path, "error", err)
			continue
		}
		watched[path] = true
	}
}

// wanted lists the folders to watch.
func (w *Watcher) wanted() []string {
	var list []string
	for _, dir := range w.dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			list = append(list, nearest(dir))
			continue
		}
		list = append(list, dir)
		for _, entry := range entries {
			if path := filepath.Join(dir, entry.Name()); entry.IsDir() {
				list = append(list, below(path)...)
			}
		}
	}
	return list
}

// nearest is the deepest folder above a path that is there.
func nearest(path string) string {
	for parent := filepath.Dir(path); parent != path; path, parent = parent, filepath.Dir(parent) {
		if info, err := os.Stat(parent); err == nil && info.IsDir() {
			return parent
		}
	}
	return path
}

// below lists the folders of a plugin that is a folder, without installed
// packages. One that has no manifest may get one.
func below(dir string) []string {
	if !exists(filepath.Join(dir, ManifestFile)) {
		return []string{dir}
	}
	var list []string
	// What can't be read can't be watched either.
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || installed(entry.Name()):
			if entry != nil && entry.IsDir() {
				return fs.SkipDir
			}
			return nil //nolint:nilerr // It is passed over.
		case len(list) > maxWatched:
			return fs.SkipAll
		case entry.IsDir():
			list = append(list, path)
		}
		return nil
	})
	return list
}

// Close ends the watch.
func (w *Watcher) Close() error {
	err := w.inner.Close()
	<-w.ended
	return err
}
