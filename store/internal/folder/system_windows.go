package folder

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/windows"
)

// tryLock locks a byte far behind the content, so that others can read who
// holds the lock.
func tryLock(file *os.File) (held bool, err error) {
	at := windows.Overlapped{OffsetHigh: 1}
	err = windows.LockFileEx(windows.Handle(file.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}

// isAlive need not look: a lock ends with its process here.
func isAlive(int) bool { return true }

func freeRoom(dir string) (uint64, error) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(name, &free, nil, nil); err != nil {
		return 0, err
	}
	return free, nil
}

// IsFull reports whether an error is that the disk, or a quota, is full.
// bbolt formats one such error without wrapping it.
func IsFull(err error) bool {
	return err != nil && (errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL) ||
		strings.HasSuffix(err.Error(), windows.ERROR_DISK_FULL.Error()))
}
