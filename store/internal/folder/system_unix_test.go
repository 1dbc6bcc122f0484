//go:build unix

package folder_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/vwmp/vwmp/store/internal/folder"
)

func TestFullDiskIsTold(t *testing.T) {
	for _, err := range []error{
		&fs.PathError{Op: "write", Err: syscall.ENOSPC}, errors.Join(errors.New("x"), syscall.EDQUOT),
		fmt.Errorf("file resize error: %s", &fs.PathError{Op: "truncate", Err: syscall.ENOSPC}), //nolint:errorlint // As bbolt does.
	} {
		if !folder.IsFull(err) {
			t.Errorf("%v is not told", err)
		}
	}
	for _, err := range []error{nil, syscall.EIO, fs.ErrNotExist} {
		if folder.IsFull(err) {
			t.Errorf("%v is taken for a full disk", err)
		}
	}
}

// A server that is killed while it starts a plugin leaves its lock to the
// child, for as long as that is not the plugin yet.
func TestLockOfAProcessThatIsGoneIsWaitedFor(t *testing.T) {
	dir := t.TempDir()
	gone := exec.CommandContext(t.Context(), "true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	heir, err := os.Create(filepath.Join(dir, "LOCK"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(heir.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(heir, `{"pid":%d,"started_at":"2026-01-01T00:00:00Z"}`, gone.Process.Pid); err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	go func() {
		f, err := folder.Open(dir)
		if err == nil {
			err = f.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if err := heir.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Errorf("once the lock was free: %v", err)
	}
}
