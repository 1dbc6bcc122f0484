//go:build unix

package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// aFolder makes a plugin that is a folder, with a link and installed packages.
func aFolder(t *testing.T) *Plugin {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tool")
	write(t, filepath.Join(dir, ManifestFile), "command: bin/run\nargs: [\"{dir}/lib/main.py\", -x]\n", 0o644)
	write(t, filepath.Join(dir, "lib", "main.py"), "print()", 0o644)
	write(t, filepath.Join(dir, "lib", "run.sh"), "#!/bin/sh\n", 0o755)
	write(t, filepath.Join(dir, "node_modules", "x", "index.js"), "x", 0o644)
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "bin"), 0o755), os.Symlink("../lib/run.sh", filepath.Join(dir, "bin", "run"))); err != nil {
		t.Fatal(err)
	}
	p, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return hashed(t, p)
}

func hashed(t *testing.T, p *Plugin) *Plugin {
	t.Helper()
	var err error
	if p.Checksum, err = p.Hash(); err != nil {
		t.Fatal(err)
	}
	return p
}

func anExecutable(t *testing.T) *Plugin {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vwmp-plugin-tool")
	write(t, path, "#!/bin/sh\necho first\n", 0o755)
	p, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return hashed(t, p)
}

func newCopies(t *testing.T) *Copies {
	t.Helper()
	copies, err := NewCopies(filepath.Join(t.TempDir(), "copies"))
	if err != nil {
		t.Fatal(err)
	}
	return copies
}

func TestACopyRunsWhateverBecomesOfTheFile(t *testing.T) {
	for name, p := range map[string]*Plugin{"executable": anExecutable(t), "folder": aFolder(t)} {
		t.Run(name, func(t *testing.T) {
			copies := newCopies(t)
			if copies.Find(p.Checksum) != nil {
				t.Fatal("there is a copy before any was made")
			}
			kept, err := copies.Take(p)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(p.Path); err != nil {
				t.Fatal(err)
			}
			if _, err := kept.Verify(); err != nil || kept.Command[0] == p.Command[0] || len(kept.Command) != len(p.Command) || kept.Name() == "" {
				t.Errorf("the copy is %+v: %v", kept, err)
			}
			if found := copies.Find(p.Checksum); found == nil || found.Path != kept.Path {
				t.Errorf("found is %+v", found)
			}
			if sum, err := kept.Hash(); err != nil || sum != p.Checksum {
				t.Errorf("the copy's checksum is %s and not %s: %v", sum, p.Checksum, err)
			}
		})
	}
}

func TestAFoldersCopyKnowsItsPlaceAndReachesInstalledPackages(t *testing.T) {
	p := aFolder(t)
	kept, err := newCopies(t).Take(p)
	if err != nil {
		t.Fatal(err)
	}
	if kept.Command[1] != filepath.Join(kept.Path, "lib", "main.py") || kept.Command[2] != "-x" {
		t.Errorf("the command is %v", kept.Command)
	}
	text, err := os.ReadFile(filepath.Join(kept.Path, "node_modules", "x", "index.js"))
	if err != nil || string(text) != "x" {
		t.Errorf("the packages are %q: %v", text, err)
	}
}

func TestAFileThatChangedMeanwhileIsNotCopied(t *testing.T) {
	copies, p := newCopies(t), anExecutable(t)
	write(t, p.Path, "#!/bin/sh\necho second\n", 0o755)
	if _, err := copies.Take(p); !errors.Is(err, ErrChanged) {
		t.Errorf("taking it gives %v", err)
	}
	if entries, err := os.ReadDir(copies.dir); err != nil || len(entries) != 0 {
		t.Errorf("left are %v %v", entries, err)
	}
}

func TestAChangedFolderNamesTheFileThatWasWrittenLast(t *testing.T) {
	p := aFolder(t)
	name := filepath.Join(p.Path, "lib", "out.txt")
	write(t, name, "what the step printed", 0o600)
	// Files that were written in one tick of the clock have one time.
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(name, later, later); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Verify(); !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), "lib/out.txt was written last") {
		t.Errorf("its check gives %v", err)
	}
}

func TestADamagedCopyIsMadeAnew(t *testing.T) {
	copies, p := newCopies(t), anExecutable(t)
	kept, err := copies.Take(p)
	if err != nil {
		t.Fatal(err)
	}
	write(t, kept.Path, "#!/bin/sh\necho evil\n", 0o755)
	if _, err := kept.Verify(); !errors.Is(err, ErrChanged) {
		t.Errorf("a damaged copy is verified: %v", err)
	}
	if err := copies.Restore(p); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(kept.Path); err != nil || string(text) != "#!/bin/sh\necho first\n" {
		t.Errorf("the copy holds %q: %v", text, err)
	}
}

func TestOldCopiesAreSweptUnlessTheyAreNamedOrUsed(t *testing.T) {
	copies := newCopies(t)
	var sums []string
	for _, text := range []string{"a", "b", "c"} {
		path := filepath.Join(t.TempDir(), "vwmp-plugin-tool")
		write(t, path, "#!/bin/sh\necho "+text+"\n", 0o755)
		p, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := copies.Take(hashed(t, p)); err != nil {
			t.Fatal(err)
		}
		sums = append(sums, p.Checksum)
		long := time.Now().Add(-48 * time.Hour)
		if err := os.Chtimes(filepath.Join(copies.dir, p.Checksum), long, long); err != nil {
			t.Fatal(err)
		}
	}
	copies.Touch(sums[1])
	if err := copies.Sweep(map[string]bool{sums[0]: true}, time.Now().Add(-24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if copies.Find(sums[0]) == nil || copies.Find(sums[1]) == nil || copies.Find(sums[2]) != nil {
		t.Error("the wrong ones were swept")
	}
	if copies.Find("../../etc") != nil {
		t.Error("a path is taken for a checksum")
	}
}

func TestAFolderThatIsNotThereYetIsWatched(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "a", "b")
	w, err := Watch([]string{dir}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	changed := func(what string) {
		t.Helper()
		select {
		case <-w.Changed:
			w.Sync()
		case <-time.After(15 * time.Second):
			t.Fatalf("nothing is noticed of this: %s", what)
		}
	}
	if err := os.Mkdir(filepath.Join(root, "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	changed("the folder above is made")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	changed("the folder is made")
	write(t, filepath.Join(dir, "tool", ManifestFile), "command: x\n", 0o644)
	changed("a folder is made in it")
	drain(w)
	write(t, filepath.Join(dir, "tool", ManifestFile), "command: y\n", 0o644)
	changed("a file deep in it changes")
	drain(w)
	write(t, filepath.Join(root, "elsewhere"), "", 0o644)
	write(t, filepath.Join(dir, "vwmp-plugin-x"), "", 0o644)
	changed("a file is put into it")
}

func drain(w *Watcher) {
	w.Sync()
	for {
		select {
		case <-w.Changed:
		case <-time.After(50 * time.Millisecond):
			return
		}
	}
}
