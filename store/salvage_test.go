package store

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
)

// wrecked is a closed folder of everything that a store has, what its readers
// were told, and the output that it keeps apart.
func wrecked(t *testing.T, harm func(name string, content []byte)) (dir, before string, ids []string, output string) {
	t.Helper()
	s, ids, output := stocked(t)
	before = told(t, s, ids)
	dir = t.TempDir()
	file := backedUp(t, s, data.BackupOptions{})
	_, err := Restore(context.Background(), file, dir)
	need(t, err)
	names := []string{databaseName}
	for _, m := range s.monthList() {
		names = append(names, m.path())
	}
	for _, name := range names {
		path := filepath.Join(dir, name)
		content, err := os.ReadFile(path)
		need(t, err)
		harm(name, content)
		need(t, os.WriteFile(path, content, 0o600))
	}
	if _, err := Open(context.Background(), Options{Dir: dir}); err == nil {
		t.Fatal("the damage is not seen")
	}
	return dir, before, ids, output
}

func TestSalvageFindsEverythingWhereOnlyTheTreesAreGone(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir, before, ids, output := wrecked(t, func(_ string, content []byte) { clear(content[:2*os.Getpagesize()]) })
	into := filepath.Join(t.TempDir(), "rescued")
	found, err := Salvage(ctx, dir, into)
	if err != nil || found.Executions != len(ids) || found.Workflows != 1 || found.Broken != 0 {
		t.Fatalf("found %+v, %v", found, err)
	}
	s := open(t, Options{Dir: into, Now: fixed})
	wantTold(t, "salvaged", told(t, s, ids), before)
	if content, err := s.Blob(ctx, output); err != nil || len(content) != 120_000 {
		t.Errorf("output of %d bytes, %v", len(content), err)
	}
	if text, err := s.WorkflowRevision(ctx, "release", 0); err != nil || len(text.Text) == 0 {
		t.Errorf("workflow: %v", err)
	}
}

func TestSalvageFindsEveryEventOnGoodPages(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	random := rand.New(rand.NewPCG(5, 6))
	page := os.Getpagesize()
	lost := 0
	dir, before, ids, _ := wrecked(t, func(name string, content []byte) {
		clear(content[:2*page])
		for range 3 {
			at := page * (2 + random.IntN(len(content)/page-2))
			for i := at; i < at+page; i++ {
				content[i] = byte(random.Uint32())
			}
			lost++
		}
	})
	into := t.TempDir()
	found, err := Salvage(ctx, dir, into)
	need(t, err)
	if found.Executions == 0 || found.Events == 0 || found.Damaged == 0 {
		t.Errorf("found %+v after harm to %d pages", found, lost)
	}
	s, err := Open(ctx, Options{Dir: into, Now: fixed})
	need(t, err)
	read := 0
	for _, id := range ids {
		stored, err := s.Load(ctx, id)
		if errors.Is(err, engine.ErrNotFound) {
			continue
		}
		if err != nil {
			t.Errorf("execution %s: %v", id, err)
		}
		read += len(stored.Events)
		if last := stored.Events[len(stored.Events)-1]; stored.Execution.Status.Ended() != (last.Type == plan.WorkflowCompleted) {
			t.Errorf("execution %s is %s after %s", id, stored.Execution.Status, last.Type)
		}
	}
	if read != found.Events || read > strings.Count(before, `"event":`) {
		t.Errorf("%d events are read, %d were found", read, found.Events)
	}
	report, err := s.Check(ctx)
	need(t, err)
	for _, problem := range report.Problems {
		// What is lost is said; nothing else is wrong.
		if !strings.Contains(problem, "is missing") {
			t.Error(problem)
		}
	}
	need(t, s.Close())
}

func TestSalvageLeavesTheDamagedFolderAsItIs(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir, _, _, _ := wrecked(t, func(_ string, content []byte) { clear(content[:2*os.Getpagesize()]) })
	read := func() []byte {
		content, err := os.ReadFile(filepath.Join(dir, databaseName))
		need(t, err)
		return content
	}
	was := read()
	if _, err := Salvage(ctx, dir, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(was, read()) {
		t.Error("the damaged file was changed")
	}
	full := t.TempDir()
	need(t, os.WriteFile(filepath.Join(full, "x"), nil, 0o600))
	if _, err := Salvage(ctx, dir, full); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("into a folder with a file: %v", err)
	}
	if _, err := Salvage(ctx, filepath.Join(dir, "missing"), t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of a folder that is not there: %v", err)
	}
}
