//go:build unix

package main

import (
	"math"
	"syscall"
)

// openFiles is how many files this process may open; 0 where that is unknown
// or not bounded. Go raises the soft limit to the hard one at its start.
func openFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || uint64(limit.Cur) > math.MaxInt32 { //nolint:unconvert // It is signed on some systems.
		return 0
	}
	return int(limit.Cur)
}
