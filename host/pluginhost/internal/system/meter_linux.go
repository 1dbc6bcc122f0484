package system

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Meter reads what the kernel counts of one process.
type Meter struct {
	pid   int
	group *Cgroup
	// stat and status are kept open: a call is measured twice.
	stat, status *os.File
}

// NewMeter reads the counts of a process, and of the group that it is in, if
// there is one.
func NewMeter(pid int, group *Cgroup) (*Meter, error) {
	dir := "/proc/" + strconv.Itoa(pid) + "/"
	stat, err := os.Open(dir + "stat")
	if err != nil {
		return nil, err
	}
	status, err := os.Open(dir + "status")
	if err != nil {
		return nil, errors.Join(err, stat.Close())
	}
	return &Meter{pid: pid, group: group, stat: stat, status: status}, nil
}

// Close lets go of the process.
func (m *Meter) Close() error { return errors.Join(m.stat.Close(), m.status.Close()) }

// ticks are how often a second the kernel counts the time of children.
const ticks = 100

// CPU is the processor time so far, in nanoseconds: that of the process, which
// the kernel knows exactly, and that of the children it has waited for.
func (m *Meter) CPU() int64 {
	if m.group != nil {
		if u, known := m.group.usage(); known {
			return u.CPU
		}
	}
	var own unix.Timespec
	// The clock of another process, as clock_getcpuclockid makes it.
	if err := unix.ClockGettime(int32(^m.pid<<3|2), &own); err != nil {
		return 0
	}
	var buffer [512]byte
	n, _ := m.stat.ReadAt(buffer[:], 0)
	raw := buffer[:n]
	fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:])
	if len(fields) <= statChildSystem {
		return own.Nano()
	}
	user, _ := strconv.ParseInt(string(fields[statChildUser]), 10, 64)
	system, _ := strconv.ParseInt(string(fields[statChildSystem]), 10, 64)
	return own.Nano() + (user+system)*(1e9/ticks)
}

// Of the fields of /proc/PID/stat behind the name.
const (
	statChildUser   = 16 - 3
	statChildSystem = 17 - 3
)

// PeakOf is the most resident memory that a process had which was reaped, in
// bytes.
func PeakOf(state *os.ProcessState) int64 {
	if used, known := state.SysUsage().(*syscall.Rusage); known {
		return used.Maxrss << 10
	}
	return 0
}

// Peak is the most resident memory that the process had, in bytes, since its
// start or the last ResetPeak.
func (m *Meter) Peak() int64 {
	var buffer [2048]byte
	n, _ := m.status.ReadAt(buffer[:], 0)
	_, rest, found := bytes.Cut(buffer[:n], []byte("VmHWM:"))
	if !found {
		return 0
	}
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kilobytes, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes << 10
}

// ResetPeak lets Peak begin anew; where the kernel refuses, it goes on.
func (m *Meter) ResetPeak() {
	if file, err := os.OpenFile("/proc/"+strconv.Itoa(m.pid)+"/clear_refs", os.O_WRONLY, 0); err == nil {
		_, _ = file.WriteString("5")
		_ = file.Close()
	}
}
