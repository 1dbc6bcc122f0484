//go:build unix

package folder_test

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

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
