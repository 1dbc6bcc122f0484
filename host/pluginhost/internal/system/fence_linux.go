package system

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// oomScore makes the kernel end a plugin before its host when there is no
// memory left.
const oomScore = "500"

// apply sets the limits of a process that was just started. RLIMIT_AS is none
// of them: a Go program needs more than a gigabyte of addresses to start.
func (l *Limits) apply(pid int) error {
	set := func(which int, most uint64) error {
		var now unix.Rlimit
		if err := unix.Prlimit(pid, which, nil, &now); err != nil {
			return err
		}
		most = min(most, now.Max)
		return unix.Prlimit(pid, which, &unix.Rlimit{Cur: most, Max: most}, nil)
	}
	// A core would hold secrets.
	err := set(unix.RLIMIT_CORE, 0)
	if l.OpenFiles > 0 {
		err = errors.Join(err, set(unix.RLIMIT_NOFILE, l.OpenFiles))
	}
	if l.FileSize > 0 {
		err = errors.Join(err, set(unix.RLIMIT_FSIZE, l.FileSize))
	}
	if errors.Is(err, unix.ESRCH) {
		return nil // It has ended already.
	}
	// The score is a hint, which not every system lets one give.
	_ = os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte(oomScore), 0)
	return err
}
