package trigger_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vwmp/vwmp/engine/trigger"
)

func onFiles(glob string) string {
	return `name: Docs
parameters: [{name: files, type: json}, {name: removed, type: json}]
triggers: [{type: file, id: docs, glob: "` + glob + `", parameters: {files: "${trigger.files}", removed: "${trigger.removed}"}}]` + steps
}

func (p *place) write(name, text string) {
	p.t.Helper()
	full := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func TestChangedFilesFireOnceTheyAreQuiet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.write("docs/old.md", "it was there")
		p.boot()
		defer p.stop()
		p.save("w", onFiles("docs/**/*.md"))
		time.Sleep(10 * time.Second)
		p.wantStarts("w", 0)
		// Writes that follow each other are one change.
		for i := range 5 {
			p.write(fmt.Sprintf("docs/deep/%d.md", i), "new")
			p.write("docs/not.txt", strings.Repeat("x", i))
			p.write("docs/.git/x.md", "never")
			time.Sleep(1500 * time.Millisecond)
		}
		p.wantStarts("w", 0)
		time.Sleep(5 * time.Second)
		starts := p.wantStarts("w", 1)
		if got := string(starts[0].Parameters); starts[0].Trigger != "file" || got != `{"files":["docs/deep/0.md","docs/deep/1.md","docs/deep/2.md","docs/deep/3.md","docs/deep/4.md"],"removed":[]}` {
			t.Errorf("started by %s with %s", starts[0].Trigger, got)
		}
		p.write("docs/old.md", "it was changed")
		if err := os.Remove(filepath.Join(p.dir, "docs/deep/0.md")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		starts = p.wantStarts("w", 2)
		if got := string(starts[1].Parameters); got != `{"files":["docs/deep/0.md","docs/old.md"],"removed":["docs/deep/0.md"]}` {
			t.Errorf("started with %s", got)
		}
		if f := p.view("w.docs").Firings; len(f) != 2 || f[0].Outcome != trigger.Fired {
			t.Errorf("kept are %+v", f)
		}
	})
}

func TestFilesThatNeverRestFireAllTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.boot()
		defer p.stop()
		p.save("w", onFiles("log.txt"))
		for i := range 200 {
			p.write("log.txt", strings.Repeat("x", i+1))
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if n := len(p.startsOf("w")); n < 2 || n > 4 {
			t.Errorf("%d starts in 200 seconds of changes, want one a minute", n)
		}
	})
}

func TestAPausedFileTriggerForgetsWhatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.boot()
		defer p.stop()
		p.save("w", onFiles("*.md"))
		if _, err := p.runner.Pause(t.Context(), "w.docs", "ada"); err != nil {
			t.Fatal(err)
		}
		p.write("a.md", "paused")
		time.Sleep(10 * time.Second)
		if _, err := p.runner.Resume(t.Context(), "w.docs"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		p.wantStarts("w", 0)
		p.write("b.md", "resumed")
		time.Sleep(10 * time.Second)
		if starts := p.wantStarts("w", 1); !strings.Contains(string(starts[0].Parameters), `["b.md"]`) {
			t.Errorf("started with %s", starts[0].Parameters)
		}
	})
}

func TestALinkOutOfTheWorkspaceIsNotFollowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		outside := t.TempDir()
		if err := os.Symlink(outside, filepath.Join(p.dir, "out")); err != nil {
			t.Fatal(err)
		}
		p.boot()
		defer p.stop()
		p.save("w", onFiles("**"))
		p.save("x", onFiles("out/*"))
		if err := os.WriteFile(filepath.Join(outside, "secret.md"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(outside, "secret.md"), filepath.Join(p.dir, "link.md")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		p.wantStarts("w", 0)
		p.wantStarts("x", 0)
	})
}

func TestGlobs(t *testing.T) {
	t.Parallel()
	for glob, names := range map[string]struct{ yes, no string }{
		"*.md":            {"a.md .md", "a.txt b/a.md a.mdx"},
		"docs/**":         {"docs/a docs/b/c.md", "docs docs2/a a/docs/b"},
		"**/*.md":         {"a.md b/a.md b/c/a.md", "a.txt"},
		"a/**/z":          {"a/z a/b/z a/b/c/z", "a/b az"},
		"v?.txt":          {"v1.txt vä.txt", "v.txt v10.txt v/.txt"},
		"[a-c]/x":         {"a/x c/x", "d/x ab/x"},
		"[!a-c]":          {"d é", "a /"},
		"*.{md,txt}":      {"a.md a.txt", "a.go a.{md,txt}"},
		"{a,b/{c,d}}/e":   {"a/e b/c/e b/d/e", "b/e c/e"},
		"a+(b).$^|":       {"a+(b).$^|", "aab"},
		"./docs/../a.md":  {"a.md", "docs/a.md"},
		"[z-a]":           {"[z-a]", "z a"},
		"release[":        {"release[", "release"},
		"Prüfung/*ß*.txt": {"Prüfung/aßb.txt", "Prufung/aßb.txt"},
	} {
		for _, name := range strings.Fields(names.yes) {
			if !trigger.MatchGlob(glob, name) {
				t.Errorf("%s does not match %s", glob, name)
			}
		}
		for _, name := range strings.Fields(names.no) {
			if trigger.MatchGlob(glob, name) {
				t.Errorf("%s matches %s", glob, name)
			}
		}
	}
}

func FuzzGlob(f *testing.F) {
	for _, glob := range []string{"**/*.md", "[!a-z]{a,b}?", "[[]", "{", "}", "[^]]", `\`, "\xe0"} {
		f.Add(glob, "a/b.md")
	}
	f.Fuzz(func(_ *testing.T, glob, name string) {
		if len(glob) <= 1000 && glob != "" {
			trigger.MatchGlob(glob, name) // It must not panic.
		}
	})
}
