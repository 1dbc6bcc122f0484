//go:build unix

package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkOwner refuses a file that somebody else could have put there.
func checkOwner(info fs.FileInfo) error {
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others than its owner may write it (mode %s); take that right away", info.Mode())
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if ok && stat.Uid != 0 && int(stat.Uid) != os.Getuid() {
		return errors.New("it belongs to another user than root or the one this server runs as")
	}
	return nil
}

// checkProgram is checkOwner for a file that is to be started.
func checkProgram(info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return errors.New("it is not a regular file")
	}
	if err := checkOwner(info); err != nil {
		return err
	}
	if info.Mode().Perm()&0o111 == 0 {
		return fmt.Errorf("it is not executable (mode %s)", info.Mode())
	}
	return nil
}
