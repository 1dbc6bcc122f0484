//go:build unix

package pluginhost

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAPluginThatIsNotPinnedIsNeverStarted(t *testing.T) {
	dir := dirWith(t, "good")
	lock := filepath.Join(dir, LockFile)
	pins, err := PinFiles(t.Context(), lock, Options{Dirs: []string{dir}, RunDir: shortTempDir(t)}, nil)
	if err != nil || len(pins) != 1 || pins[0].Name != "good" || pins[0].Version != "1.0.0" || len(pins[0].SHA256) != 64 {
		t.Fatalf("pinned are %+v: %v", pins, err)
	}
	setPlugin(t, dir, "other")
	h := newTestHost(t, Options{Dirs: []string{dir}, LockFile: lock, CopyDir: t.TempDir(), Store: newMemoryCache(), Watch: true})
	if !h.Fence().Pinned {
		t.Error("it is not said that plugins are pinned")
	}
	status := h.status(t, "other")
	if status.State != StateRefused || !strings.Contains(status.Reason, LockFile) {
		t.Errorf("the other one is %+v", status)
	}
	if _, err := os.Stat(h.workDir("other")); err == nil {
		t.Error("a process of it was started")
	}
	outcome, _ := h.call(t, "good.look", "")
	factsOf(t, outcome)
	// A pinned plugin that is replaced stays as it is, from its copy.
	setPlugin(t, dir, "good@2.0.0")
	held := h.awaitHeld(t, "good", HeldBroken)
	if !strings.Contains(held.Message, LockFile) || h.version("good") != "1.0.0" {
		t.Errorf("held is %+v, at %s", held, h.version("good"))
	}
	outcome, _ = h.call(t, "good.look", "")
	factsOf(t, outcome)
	// Pinning it is what takes it up.
	if _, err := PinFiles(t.Context(), lock, Options{Dirs: []string{dir}, RunDir: shortTempDir(t)}, []string{"good"}); err != nil {
		t.Fatal(err)
	}
	h.awaitVersion(t, "good", "2.0.0")
	if status := h.status(t, "other"); status.State != StateRefused {
		t.Errorf("the other one, which was not named, is %+v", status)
	}
	// Without the list all may run.
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	h.awaitVersion(t, "other", "1.0.0")
	if h.Fence().Pinned {
		t.Error("it is said that plugins are pinned")
	}
}

func TestAPluginIsLetGoWhenItsPinIsTakenAway(t *testing.T) {
	dir := dirWith(t, "good", "other")
	lock := filepath.Join(dir, LockFile)
	if _, err := PinFiles(t.Context(), lock, Options{Dirs: []string{dir}, RunDir: shortTempDir(t)}, nil); err != nil {
		t.Fatal(err)
	}
	h := newTestHost(t, Options{Dirs: []string{dir}, LockFile: lock, CopyDir: t.TempDir(), Watch: true, Workflows: workflows("good.look", `{}`)})
	outcome, _ := h.call(t, "good.look", "")
	factsOf(t, outcome)
	write(t, lock, "plugins: []\n", 0o600)
	eventually(t, "nothing is offered any more", func() bool { _, found := h.Handler("good.look"); return !found })
}

func TestAListThatCannotBeReadAllowsNothing(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"it is no YAML":         {"plugins: [", 0o600},
		"it has an unknown key": {"plugin: []", 0o600},
		"it has a bad checksum": {"plugins: [{name: good, version: 1.0.0, sha256: abc}]", 0o600},
		"others may write it":   {"plugins: []", 0o666},
	} {
		t.Run(name, func(t *testing.T) {
			dir := dirWith(t, "good")
			lock := filepath.Join(dir, LockFile)
			write(t, lock, test.text, test.mode)
			h := newTestHost(t, Options{Dirs: []string{dir}, LockFile: lock})
			if status := h.status(t, "good"); status.State != StateRefused {
				t.Errorf("the plugin is %+v", status)
			}
			if _, err := os.Stat(h.workDir("good")); err == nil {
				t.Error("a process was started")
			}
			if _, err := PinFiles(t.Context(), lock, Options{Dirs: []string{dir}}, []string{"good"}); err == nil {
				t.Error("such a list is added to")
			}
		})
	}
}
