package folder_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/store/internal/folder"
)

func TestFolderIsHeldOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	first, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = folder.Open(dir)
	var locked *folder.LockedError
	if !errors.As(err, &locked) || locked.PID != os.Getpid() || time.Since(locked.Started) > time.Minute {
		t.Errorf("error is %v", err)
	}
	// The holder is just writing who it is.
	if err := os.Truncate(filepath.Join(dir, "LOCK"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err = folder.Open(dir); !errors.As(err, &locked) || locked.PID != 0 || !strings.Contains(err.Error(), "another process") {
		t.Errorf("error is %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

func TestInstanceIsReplacedAsAWhole(t *testing.T) {
	dir := t.TempDir()
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // The test is over.
	if _, found, err := f.Instance(); found || err != nil {
		t.Errorf("a new folder: %v, %v", found, err)
	}
	for size := range int64(3) {
		want := folder.Instance{ID: "i", Format: 1, Size: size}
		if err := f.SetInstance(want); err != nil {
			t.Fatal(err)
		}
		if got, found, err := f.Instance(); got != want || !found || err != nil {
			t.Errorf("read back %+v, %v, %v", got, found, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "INSTANCE.new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a temporary file is left: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "INSTANCE"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Instance(); err == nil {
		t.Error("a damaged file was read")
	}
}

func TestFreeRoomIsKnown(t *testing.T) {
	f, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // The test is over.
	if free, err := f.Free(); err != nil || free == 0 {
		t.Errorf("free is %d, %v", free, err)
	}
}
