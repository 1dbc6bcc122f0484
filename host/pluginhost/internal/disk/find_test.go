//go:build unix

package disk

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCase91 holds which files can become plugins.
func TestCase91WhatMayNotBeAPluginIsListedWithItsReason(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "program")
	write(t, outside, "#!/bin/sh\n", 0o755)
	link := func(target string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Symlink(target, filepath.Join(dir, "vwmp-plugin-x")); err != nil {
				t.Fatal(err)
			}
		}
	}
	manifest := func(text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "x", ManifestFile), text, 0o644)
			write(t, filepath.Join(dir, "x", "run.sh"), "#!/bin/sh\n", 0o755)
		}
	}
	withLink := func(text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			manifest(text)(t, dir)
			if err := os.Symlink(outside, filepath.Join(dir, "x", "out")); err != nil {
				t.Fatal(err)
			}
		}
	}
	file := func(mode os.FileMode) func(*testing.T, string) {
		return func(t *testing.T, dir string) { write(t, filepath.Join(dir, "vwmp-plugin-x"), "#!/bin/sh\n", mode) }
	}
	tests := map[string]struct {
		make func(t *testing.T, dir string)
		due  string
	}{
		"writable by all":                   {file(0o757), "others than its owner may write it"},
		"writable by its group":             {file(0o775), "others than its owner may write it"},
		"not executable":                    {file(0o644), "not executable"},
		"a link out of the folder":          {link(outside), "link out of its folder"},
		"a link to nothing":                 {link("nowhere"), "follow the link"},
		"a named pipe":                      {func(t *testing.T, dir string) { link("/dev/null")(t, dir) }, "link out of its folder"},
		"a manifest without a command":      {manifest("args: []\n"), "names no command"},
		"a manifest that is no YAML":        {manifest("command: [\n"), ManifestFile},
		"a manifest with an unknown key":    {manifest("command: run.sh\nenv: {}\n"), ManifestFile},
		"a command that is not there":       {manifest("command: none.sh\n"), "command"},
		"a command outside of the folder":   {manifest("command: ../program\n"), "leaves the workspace"},
		"a command that is a link outside":  {withLink("command: out\n"), "link out of its folder"},
		"a link outside that is no command": {withLink("command: run.sh\n"), "out: it is a link out of its folder"},
		"a manifest that is too large":      {manifest("command: run.sh # " + strings.Repeat("x", maxManifest)), "larger than"},
		"a file of a folder open to all": {func(t *testing.T, dir string) {
			manifest("command: run.sh\n")(t, dir)
			write(t, filepath.Join(dir, "x", "lib.sh"), "", 0o666)
		}, "lib.sh: others than its owner may write it"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			test.make(t, dir)
			list, refused := Search(dir)
			if len(list) != 0 || len(refused) != 1 {
				t.Fatalf("found %+v, refused %+v", list, refused)
			}
			if got := refused[0]; NameOf(got.Path) != "x" || !strings.Contains(got.Reason.Error(), test.due) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestPluginsAreFoundAndOtherFilesLeftAlone(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "vwmp-plugin-a"), "#!/bin/sh\n", 0o755)
	write(t, filepath.Join(dir, "README.md"), "", 0o644)
	write(t, filepath.Join(dir, "other-program"), "", 0o755)
	write(t, filepath.Join(dir, "b", ManifestFile), "command: bin/run.sh\nargs: [--fast]\n", 0o644)
	write(t, filepath.Join(dir, "b", "bin", "run.sh"), "#!/bin/sh\n", 0o755)
	write(t, filepath.Join(dir, "c", "something"), "", 0o644)
	if err := os.Symlink("vwmp-plugin-a", filepath.Join(dir, "vwmp-plugin-link")); err != nil {
		t.Fatal(err)
	}
	list, refused := Search(dir)
	if len(refused) != 0 || len(list) != 3 {
		t.Fatalf("found %+v, refused %+v", list, refused)
	}
	if b := list[0]; !b.IsFolder || b.Name() != "b" || len(b.Command) != 2 || b.Command[1] != "--fast" || !filepath.IsAbs(b.Command[0]) {
		t.Errorf("the folder is %+v", b)
	}
	if list, refused := Search(filepath.Join(dir, "none")); list != nil || refused != nil {
		t.Errorf("a folder that is not there gives %v %v", list, refused)
	}
}

func TestTheChecksumOfAFolderFollowsItsFilesWithoutInstalledPackages(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, ManifestFile), "command: run.sh\n", 0o644)
	write(t, filepath.Join(dir, "run.sh"), "#!/bin/sh\n", 0o755)
	f := &Plugin{Path: dir, IsFolder: true}
	sum := func() string {
		t.Helper()
		sum, err := f.Hash()
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	first := sum()
	write(t, filepath.Join(dir, "node_modules", "x.js"), "1", 0o644)
	write(t, filepath.Join(dir, ".venv", "x.py"), "1", 0o644)
	if sum() != first {
		t.Error("installed packages count")
	}
	write(t, filepath.Join(dir, "lib", "x.js"), "1", 0o644)
	second := sum()
	write(t, filepath.Join(dir, "lib", "x.js"), "2", 0o644)
	if second == first || sum() == second {
		t.Error("a file of its own does not count")
	}
}

func write(t testing.TB, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	// The test's umask must not decide.
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
