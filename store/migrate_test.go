package store

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
)

// format1 unpacks a data folder that a program of format 1 left: the workflow
// "first" and two executions of it, one of which failed and one of which has
// an output that is kept apart.
func format1(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	file, err := os.Open(filepath.Join("testdata", "format-1.tar.gz"))
	need(t, err)
	defer file.Close() //nolint:errcheck // Only read.
	unzipped, err := gzip.NewReader(file)
	need(t, err)
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		need(t, err)
		path := filepath.Join(dir, header.Name)
		if header.Typeflag == tar.TypeDir {
			need(t, os.MkdirAll(path, 0o700))
			continue
		}
		content, err := io.ReadAll(archive)
		need(t, err)
		need(t, os.WriteFile(path, content, 0o600))
	}
}

// wantFirst looks for everything that a folder of format 1 had.
func wantFirst(t *testing.T, s *Store) {
	t.Helper()
	ctx := context.Background()
	if w, err := s.Workflow(ctx, "first"); err != nil || w.ExecutionCount != 2 || w.Name != "First version" || *w.LastStatus != plan.StatusFailed {
		t.Errorf("workflow is %+v, %v", w, err)
	}
	list, _, err := s.Executions(ctx, data.ExecutionFilter{WorkflowID: "first"})
	if err != nil || len(list) != 2 || list[0].Status != plan.StatusFailed || list[1].Status != plan.StatusSuccess {
		t.Fatalf("executions are %+v, %v", list, err)
	}
	stored, err := s.Load(ctx, list[1].ID)
	if err != nil || len(stored.Events) == 0 || len(stored.Document) == 0 {
		t.Errorf("execution is %+v, %v", stored, err)
	}
	if logs, err := s.Logs(ctx, list[1].ID, data.LogFilter{}); err != nil || len(logs.Lines) != 1 || logs.Lines[0].Message != "hello first" {
		t.Errorf("logs are %+v, %v", logs, err)
	}
	steps, err := s.StepResults(ctx, list[1].ID)
	need(t, err)
	apart := 0
	for _, step := range steps {
		for _, sum := range namedBlobs(step.Output) {
			apart++
			if content, err := s.Blob(ctx, sum.name()); err != nil || len(content) < 64<<10 {
				t.Errorf("output of %d bytes, %v", len(content), err)
			}
		}
	}
	if apart != 1 {
		t.Errorf("%d outputs are kept apart", apart)
	}
}

func TestCase101OlderFormatIsMigratedAfterABackup(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := format1(t)
	s := open(t, Options{Dir: dir, MoveAfter: atOnce})
	if s.Meta().Format != Format {
		t.Errorf("format is %d", s.Meta().Format)
	}
	wantFirst(t, s)
	kept, err := filepath.Glob(filepath.Join(dir, backupDir, "state-format-1-*.db"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("backups are %v, %v", kept, err)
	}
	db, err := bolt.Open(kept[0], 0o600, &bolt.Options{ReadOnly: true})
	need(t, err)
	need(t, db.View(func(tx *bolt.Tx) error {
		if format := numberOf(tx.Bucket([]byte(bucketMeta)).Get([]byte(metaFormat))); format != 1 {
			t.Errorf("the backup has format %d", format)
		}
		return nil
	}))
	need(t, db.Close())

	need(t, s.Tend(ctx))
	wantFirst(t, s)
	if rowsIn(t, s, bucketExecutions) != 0 {
		t.Error("what ended under format 1 does not move into the history")
	}
	s = reopen(t, s, Options{})
	wantFirst(t, s)
	if instance, err := os.ReadFile(filepath.Join(dir, "INSTANCE")); err != nil || !strings.Contains(string(instance), `"format":2`) {
		t.Errorf("INSTANCE is %s, %v", instance, err)
	}
}

func TestMigrationThatWasCutShortIsBegunAnew(t *testing.T) {
	t.Parallel()
	dir := format1(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Open(ctx, Options{Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Fatalf("error is %v", err)
	}
	db, err := bolt.Open(filepath.Join(dir, databaseName), 0o600, nil)
	need(t, err)
	need(t, db.Update(func(tx *bolt.Tx) error {
		if format := numberOf(tx.Bucket([]byte(bucketMeta)).Get([]byte(metaFormat))); format != 1 {
			t.Errorf("a migration that was cut short left format %d", format)
		}
		for _, name := range buckets() {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	}))
	need(t, db.Close())
	wantFirst(t, open(t, Options{Dir: dir}))
}

func TestDamagedOlderFormatIsNotMigrated(t *testing.T) {
	t.Parallel()
	dir := format1(t)
	path := filepath.Join(dir, databaseName)
	content, err := os.ReadFile(path)
	need(t, err)
	clear(content[2*os.Getpagesize() : 20*os.Getpagesize()])
	need(t, os.WriteFile(path, content, 0o600))
	if _, err := Open(context.Background(), Options{Dir: dir}); !errors.As(err, new(*RefusedError)) {
		t.Errorf("error is %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, content) {
		t.Error("the damaged file was touched")
	}
}
