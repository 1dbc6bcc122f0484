package archive_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/store/internal/archive"
)

func write(text string) func(io.Writer) error {
	return func(to io.Writer) error {
		_, err := io.WriteString(to, text)
		return err
	}
}

// sealed makes an archive of some files and returns its path.
func sealed(t *testing.T, files map[string]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.tar")
	w, err := archive.Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := w.Add(name, int64(len(text)), write(text)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Finish(archive.Manifest{Format: 2, Instance: "i", CreatedAt: time.Now()}, func(*os.File) error { return nil }); err != nil {
		t.Fatal(err)
	}
	return path
}

var files = map[string]string{
	"INSTANCE": "{}", "state.db": "the database", "history/2026-11.db": "a month",
	"logs/0192f000-0000-7000-8000-000000000001/build.1.log": "a line\n", "blobs/sha256/ab/" + strings.Repeat("ab", 32): "an output",
}

func TestArchiveIsExtractedAsItWas(t *testing.T) {
	file, err := os.Open(sealed(t, files))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // Only read.
	seen := map[string]int64{}
	m, err := archive.Verify(t.Context(), file, func(content io.ReaderAt, size int64) error {
		text, err := io.ReadAll(io.NewSectionReader(content, 0, size))
		seen[string(text)] = size
		return err
	})
	if err != nil || m.Files != len(files) || m.Format != 2 || seen["the database"] == 0 || seen["a month"] == 0 || len(seen) != 2 {
		t.Fatalf("manifest is %+v, databases %v, %v", m, seen, err)
	}
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close() //nolint:errcheck // Nothing is written any more.
	if err := archive.Extract(t.Context(), file, root); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if got, err := root.ReadFile(name); err != nil || string(got) != text {
			t.Errorf("%s is %q, %v", name, got, err)
		}
	}
	if err := archive.Extract(t.Context(), file, root); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over files that are there: %v", err)
	}
}

func TestArchiveHoldsNoOtherNames(t *testing.T) {
	w, err := archive.Create(t.Context(), filepath.Join(t.TempDir(), "a.tar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"", "/state.db", "../state.db", "state.db/x", "history/../state.db", "history/2026-1.db", "logs/a/../b.1.log", "logs/a/b.log",
		"plugins/x", "blobs/sha256/ab/AB", "server.json", "state.db\x00", "MANIFEST.json",
	} {
		if err := w.Add(name, 1, write("x")); err == nil || archive.Known(name) {
			t.Errorf("%q was taken", name)
		}
	}
	if err := w.Abandon(); err != nil {
		t.Error(err)
	}
}

func TestDatabaseThatIsNotWholeIsRefused(t *testing.T) {
	file, err := os.Open(sealed(t, files))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // Only read.
	broken := errors.New("broken")
	if _, err := archive.Verify(t.Context(), file, func(io.ReaderAt, int64) error { return broken }); !errors.Is(err, archive.ErrDamaged) || !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := archive.Verify(ctx, file, func(io.ReaderAt, int64) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

func TestEveryFlippedByteIsSeen(t *testing.T) {
	path := sealed(t, files)
	original, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // It is damaged on purpose.
	// The end of an archive, behind its manifest, is nothing but zeros.
	for at := 0; at < len(original)-2048; at += 7 {
		if _, err := file.WriteAt([]byte{original[at] ^ 0x20}, int64(at)); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Verify(t.Context(), file, func(io.ReaderAt, int64) error { return nil }); !errors.Is(err, archive.ErrDamaged) {
			t.Fatalf("byte %d: %v", at, err)
		}
		if _, err := file.WriteAt(original[at:at+1], int64(at)); err != nil {
			t.Fatal(err)
		}
	}
}
