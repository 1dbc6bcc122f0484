package pluginsdk_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/pluginsdk"
)

func workspaceIn(t *testing.T, dir string) *pluginsdk.Workspace {
	t.Helper()
	w, err := pluginsdk.OpenWorkspace(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// TestCase57APathThatEndsInALinksSlashIsRefused, by the methods of Workspace
// and, on the Go version in use, by an os.Root itself.
func TestCase57APathThatEndsInALinksSlashIsRefused(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	for name, target := range map[string]string{"link": outside, "chain": "link", "file": filepath.Join(outside, "secret")} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := workspaceIn(t, dir)
	root, err := w.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link/", "link//", "chain/", "file/", "link/secret", "chain/secret", "./link/"} {
		for what, use := range map[string]func() error{
			"ReadFile":  func() error { _, err := w.ReadFile(name); return err },
			"Open":      func() error { _, err := w.Open(name); return err },
			"Stat":      func() error { _, err := w.Stat(name); return err },
			"WriteFile": func() error { return w.WriteFile(name, []byte("x"), 0o600) },
			"MkdirAll":  func() error { return w.MkdirAll(name + "new") },
			"Walk":      func() error { return w.Walk(name, func(_ string, _ fs.DirEntry, err error) error { return err }) },
			"root.Open": func() error {
				f, err := root.Open(name)
				if err == nil {
					_ = f.Close()
				}
				return err
			},
			"root.OpenRoot": func() error {
				r, err := root.OpenRoot(name)
				if err == nil {
					_ = r.Close()
				}
				return err
			},
			"root.Stat":  func() error { _, err := root.Stat(name); return err },
			"root.Mkdir": func() error { return root.Mkdir(name+"new", 0o700) },
			"root.Chmod": func() error { return root.Chmod(name, 0o777) },
		} {
			if err := use(); err == nil {
				t.Errorf("%s of %q is let through", what, name)
			}
		}
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 {
		t.Errorf("outside there is %v, %v", entries, err)
	}
	if text, err := os.ReadFile(filepath.Join(outside, "secret")); err != nil || string(text) != "s3cret" {
		t.Errorf("the file outside is %q, %v", text, err)
	}
}

// TestAWalkIsThatOfTheStandardLibrary in folders deeper than one stretch of it.
func TestAWalkIsThatOfTheStandardLibrary(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := dir
	for i := range 250 {
		at = filepath.Join(at, "d")
		if err := os.Mkdir(at, 0o755); err != nil {
			t.Fatal(err)
		}
		if i%50 == 49 || i%100 == 0 {
			for _, name := range []string{"a", "e"} {
				if err := os.WriteFile(filepath.Join(at, fmt.Sprint(name, i)), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	w := workspaceIn(t, dir)
	skips := strings.Repeat("d/", 149) + "d"
	for what, verdict := range map[string]func(name string) error{
		"all":              func(string) error { return nil },
		"skips a folder":   func(name string) error { return only(name == skips, fs.SkipDir) },
		"skips the rest":   func(name string) error { return only(strings.HasSuffix(name, "a149"), fs.SkipDir) },
		"ends":             func(name string) error { return only(strings.HasSuffix(name, "a199"), fs.SkipAll) },
		"fails":            func(name string) error { return only(strings.HasSuffix(name, "a199"), os.ErrInvalid) },
		"skips a boundary": func(name string) error { return only(strings.Count(name, "/") == 100, fs.SkipDir) },
	} {
		walk := func(walk func(fs.WalkDirFunc) error) (names []string, err error) {
			err = walk(func(name string, _ fs.DirEntry, err error) error {
				names = append(names, name)
				if err != nil {
					return err
				}
				return verdict(name)
			})
			return names, err
		}
		got, gotErr := walk(func(visit fs.WalkDirFunc) error { return w.Walk(".", visit) })
		want, wantErr := walk(func(visit fs.WalkDirFunc) error { return fs.WalkDir(os.DirFS(dir), ".", visit) })
		if !slices.Equal(got, want) || (gotErr == nil) != (wantErr == nil) {
			t.Errorf("%s: %d names, %v; the library has %d, %v", what, len(got), gotErr, len(want), wantErr)
		}
	}
}

func only(holds bool, err error) error {
	if holds {
		return err
	}
	return nil
}

// TestCase67NoLinkLeadsIntoGit: a repository that somebody else made can bring
// links, and git runs what is written into .git.
func TestCase67NoLinkLeadsIntoGit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, folder := range []string{".git/hooks", "clone/.git", "clone/deep", "plain", "alias.git"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"clone/up": "../.git", "clone/own": ".git", "clone/chain": "own", "clone/hooks": "../.git/hooks", "clone/capitals": ".GIT",
		"clone/deep/hidden": "../.git/..", "clone/deep/round": "hidden/../.git", "clone/config": ".git/config", "clone/loop": "loop",
		"clone/fine": "../plain", "clone/alike": "../alias.git",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	w := workspaceIn(t, dir)
	for _, name := range []string{
		"clone/up", "clone/up/hooks/pre-commit", "clone/own/config", "clone/chain/config", "clone/hooks/pre-commit", "clone/capitals/x", "clone/deep/hidden/x",
		"clone/deep/round/config", "clone/config", "clone/./up/x", "clone/loop",
	} {
		if err := w.WriteFile(name, []byte("x"), 0o600); err == nil {
			t.Errorf("%s was written", name)
		}
		if _, err := w.ReadFile(name); err == nil {
			t.Errorf("%s was read", name)
		}
		if err := w.CheckLinks(name); err == nil {
			t.Errorf("%s is let through", name)
		}
	}
	for _, name := range []string{"clone/fine/x", "clone/alike/x", "clone/new/x", "clone/up2"} {
		if err := w.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Who names .git is judged by who takes the name.
	if _, err := w.Stat(".git/hooks"); err != nil {
		t.Error(err)
	}
}
