package store

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/storetest"
)

// filled makes a closed data folder with some hundred pages.
func filled(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(context.Background(), Options{Dir: dir})
	need(t, err)
	_, err = s.CreateWorkflow(context.Background(), storetest.NewWorkflow("release", "Release"))
	need(t, err)
	var group sync.WaitGroup // In parallel they share commits.
	for n := 1; n <= 200; n++ {
		group.Go(func() {
			life := start(t, s, n, "release")
			if err := s.Append(context.Background(), life.End(plan.StatusSuccess)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	need(t, s.Close())
	return dir
}

func TestCase99DamagedDatabaseIsRefused(t *testing.T) {
	page := os.Getpagesize()
	whole := filled(t)
	original, err := os.ReadFile(filepath.Join(whole, databaseName))
	need(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	noise := func(content []byte, from, pages int) []byte {
		for i := from * page; i < min(len(content), (from+pages)*page); i++ {
			content[i] = byte(random.Uint32())
		}
		return content
	}
	tests := map[string]struct {
		damage func(content []byte) []byte
		reason string
	}{
		"half of it":           {func(c []byte) []byte { return c[:len(c)/2] }, "bytes"},
		"three pages":          {func(c []byte) []byte { return c[:3*page] }, "bytes"},
		"nothing":              {func([]byte) []byte { return nil }, "empty"},
		"text":                 {func([]byte) []byte { return []byte(strings.Repeat("not a database\n", 1_200_000)) }, "meta page"},
		"short text":           {func([]byte) []byte { return []byte("hello") }, "bytes"},
		"both metas zeroed":    {func(c []byte) []byte { clear(c[:2*page]); return c }, "meta page"},
		"random from the root": {func(c []byte) []byte { return noise(c, 2, 60) }, "damaged"},
		"random all over":      {func(c []byte) []byte { return noise(c, 0, len(c)/page) }, "meta page"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := copyFolder(t, whole)
			path := filepath.Join(dir, databaseName)
			damaged := test.damage(bytes.Clone(original))
			need(t, os.WriteFile(path, damaged, 0o600))
			_, err := Open(context.Background(), Options{Dir: dir})
			var refused *RefusedError
			if !errors.As(err, &refused) || !strings.Contains(refused.Reason, test.reason) {
				t.Fatalf("error is %v", err)
			}
			if !strings.Contains(err.Error(), "To restore it") {
				t.Errorf("error %q does not say how to restore", err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, damaged) {
				t.Error("the damaged file was touched")
			}
		})
	}
}

func TestCase99RandomPagesNeverPanic(t *testing.T) {
	page := os.Getpagesize()
	whole := filled(t)
	original, err := os.ReadFile(filepath.Join(whole, databaseName))
	need(t, err)
	random := rand.New(rand.NewPCG(3, 4))
	dir := copyFolder(t, whole)
	refused := 0
	for range 60 {
		damaged := bytes.Clone(original)
		at := page * (2 + random.IntN(150))
		for i := at; i < at+page; i++ {
			damaged[i] = byte(random.Uint32())
		}
		need(t, os.WriteFile(filepath.Join(dir, databaseName), damaged, 0o600))
		s, err := Open(context.Background(), Options{Dir: dir})
		if err != nil {
			if !errors.As(err, new(*RefusedError)) {
				t.Fatalf("error is %v", err)
			}
			refused++
			continue
		}
		// What is not seen at the start (free pages, the inside of values)
		// must be seen by the check or do no harm.
		report, err := s.Check(context.Background())
		need(t, err)
		if _, _, err := s.Executions(context.Background(), data.ExecutionFilter{}); err != nil && report.OK() {
			t.Errorf("page %d: the check saw nothing, and a list fails: %v", at/page, err)
		}
		need(t, s.Close())
	}
	if refused < 20 {
		t.Errorf("only %d of 60 were refused", refused)
	}
}

func TestCase99OneDamagedMetaIsAWarning(t *testing.T) {
	for _, meta := range []int64{0, 1} {
		dir := filled(t)
		file, err := os.OpenFile(filepath.Join(dir, databaseName), os.O_RDWR, 0)
		need(t, err)
		_, err = file.WriteAt(make([]byte, os.Getpagesize()), meta*int64(os.Getpagesize()))
		need(t, err)
		need(t, file.Close())
		var log bytes.Buffer
		s := open(t, Options{Dir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if !strings.Contains(log.String(), "meta pages") {
			t.Errorf("no warning: %s", log.String())
		}
		stats, err := s.Stats(context.Background())
		if err != nil || stats.Executions != 200 {
			t.Errorf("stats are %+v, %v", stats, err)
		}
	}
}

func TestMissingFilesAreTold(t *testing.T) {
	dir := filled(t)
	need(t, os.MkdirAll(filepath.Join(dir, "backup"), 0o700))
	need(t, os.WriteFile(filepath.Join(dir, "backup", "monday.db"), []byte("x"), 0o600))
	database := filepath.Join(dir, databaseName)
	need(t, os.Rename(database, database+".away"))
	for range 2 { // It is not made anew by being asked for.
		_, err := Open(context.Background(), Options{Dir: dir})
		if !errors.As(err, new(*RefusedError)) || !strings.Contains(err.Error(), "missing") || !strings.Contains(err.Error(), "backup/monday.db") {
			t.Errorf("error is %v", err)
		}
	}
	need(t, os.Rename(database+".away", database))
	need(t, os.Remove(filepath.Join(dir, "INSTANCE")))
	s := open(t, Options{Dir: dir})
	if _, found, err := s.folder.Instance(); err != nil || !found {
		t.Errorf("INSTANCE was not made anew: %v", err)
	}
}

func TestAnotherFoldersDatabaseIsRefused(t *testing.T) {
	first, second := filled(t), filled(t)
	content, err := os.ReadFile(filepath.Join(first, databaseName))
	need(t, err)
	need(t, os.WriteFile(filepath.Join(second, databaseName), content, 0o600))
	if _, err := Open(context.Background(), Options{Dir: second}); !errors.As(err, new(*RefusedError)) || !strings.Contains(err.Error(), "another data folder") {
		t.Errorf("error is %v", err)
	}
}

func TestCase101NewerFormatIsRefused(t *testing.T) {
	t.Run("in the database", func(t *testing.T) {
		dir := filled(t)
		db, err := bolt.Open(filepath.Join(dir, databaseName), 0o600, nil)
		need(t, err)
		need(t, db.Update(func(tx *bolt.Tx) error {
			return tx.Bucket([]byte(bucketMeta)).Put([]byte(metaFormat), number(Format+1))
		}))
		need(t, db.Close())
		wantNewer(t, dir)
	})
	t.Run("in INSTANCE", func(t *testing.T) {
		dir := filled(t)
		path := filepath.Join(dir, "INSTANCE")
		content, err := os.ReadFile(path)
		need(t, err)
		need(t, os.WriteFile(path, bytes.Replace(content, []byte(`"format":2`), []byte(`"format":3`), 1), 0o600))
		wantNewer(t, dir)
	})
}

func wantNewer(t *testing.T, dir string) {
	t.Helper()
	before, err := os.ReadFile(filepath.Join(dir, databaseName))
	need(t, err)
	_, err = Open(context.Background(), Options{Dir: dir})
	var newer *FormatError
	if !errors.As(err, &newer) || newer.Found != Format+1 || newer.Newest != Format {
		t.Errorf("error is %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, databaseName)); err != nil || !bytes.Equal(before, after) {
		t.Error("the database was touched")
	}
}

func TestCase105MissingOutputOrLogLeavesTheRestReadable(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, Options{Dir: t.TempDir()})
	need(t, err)
	defer s.Close() //nolint:errcheck // The folder is damaged on purpose.
	life := start(t, s, 1, "release")
	id := life.Header.ID
	for range 5000 {
		need(t, s.AppendLog(id, "build", 1, life.Line("build", 1, pluginsdk.LevelInfo, "lost")))
	}
	need(t, s.AppendLog(id, "test", 1, life.Line("test", 1, pluginsdk.LevelInfo, "kept")))
	name, err := s.PutBlob(ctx, []byte("output"))
	need(t, err)
	need(t, s.SyncLogs(id))
	need(t, s.Append(ctx, life.End(plan.StatusSuccess)))
	need(t, os.Remove(filepath.Join(s.folder.Dir(), "logs", id, "build.1.log")))
	need(t, os.Remove(filepath.Join(s.folder.Dir(), blobsDir, name[:2], name)))

	if _, err := s.Blob(ctx, name); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("blob: %v", err)
	}
	left, err := s.Events(ctx, id, 0, 10)
	need(t, err)
	if len(left) != 4 || left[2].Message != "kept" || left[3].Type != plan.WorkflowCompleted {
		t.Errorf("events are %+v", left)
	}
	page, err := s.Logs(ctx, id, data.LogFilter{})
	if err != nil || len(page.Lines) != 1 {
		t.Errorf("logs are %+v, %v", page, err)
	}
	if counts, err := s.LogCounts(ctx, id); err != nil || counts["test"] != 1 {
		t.Errorf("counts are %v, %v", counts, err)
	}
	list, _, err := s.Executions(ctx, data.ExecutionFilter{})
	if err != nil || len(list) != 1 {
		t.Errorf("list is %v, %v", list, err)
	}
	report, err := s.Check(ctx)
	if err != nil || len(report.Problems) != 1 || !strings.Contains(report.Problems[0], "event 3 is missing") {
		t.Errorf("report is %+v, %v", report, err)
	}
}

func TestDamagedOutputIsGone(t *testing.T) {
	s := open(t, Options{})
	name, err := s.PutBlob(context.Background(), []byte("output"))
	need(t, err)
	need(t, os.WriteFile(filepath.Join(s.folder.Dir(), blobsDir, name[:2], name), []byte("OUTPUT"), 0o600))
	if _, err := s.Blob(context.Background(), name); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("error is %v", err)
	}
}

func copyFolder(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	need(t, os.CopyFS(to, os.DirFS(from)))
	return to
}
