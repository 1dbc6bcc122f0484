package system

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Meter reads what the kernel counts of one process.
type Meter struct {
	pid int
	// The files are kept open, because every call is measured: group is nil
	// where there is no control group, references where the kernel refuses.
	stat, status, group, references *os.File
}

// NewMeter reads the counts of a process, and of the group that it is in, if
// there is one.
func NewMeter(pid int, group *Cgroup) (*Meter, error) {
	dir := "/proc/" + strconv.Itoa(pid) + "/"
	m := &Meter{pid: pid}
	var err error
	if m.stat, err = os.Open(dir + "stat"); err != nil {
		return nil, err
	}
	if m.status, err = os.Open(dir + "status"); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	if group != nil {
		m.group, _ = os.Open(filepath.Join(group.dir, "cpu.stat"))
	}
	m.references, _ = os.OpenFile(dir+"clear_refs", os.O_WRONLY, 0)
	return m, nil
}

// Close lets go of the process.
func (m *Meter) Close() error {
	var errs []error
	for _, file := range []*os.File{m.stat, m.status, m.group, m.references} {
		if file != nil {
			errs = append(errs, file.Close())
		}
	}
	return errors.Join(errs...)
}

// ticks are how often a second the kernel counts the time of children.
const ticks = 100

// CPU is the processor time so far, in nanoseconds: that of the process, which
// the kernel knows exactly, and that of the children it has waited for.
func (m *Meter) CPU() int64 {
	if used, known := m.ofGroup(); known {
		return used
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

// ofGroup is the processor time of all that is or was in the control group;
// known is false where the kernel does not say.
func (m *Meter) ofGroup() (nanoseconds int64, known bool) {
	if m.group == nil {
		return 0, false
	}
	var buffer [512]byte
	n, _ := m.group.ReadAt(buffer[:], 0)
	line, _, _ := bytes.Cut(buffer[:n], []byte("\n"))
	text, found := bytes.CutPrefix(line, []byte("usage_usec "))
	micros, err := strconv.ParseInt(string(text), 10, 64)
	return micros * 1000, found && err == nil
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
	if m.references != nil {
		_, _ = m.references.WriteAt([]byte("5"), 0)
	}
}
