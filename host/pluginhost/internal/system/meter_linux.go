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

// Meter reads what the kernel counts of one process. Its methods are not to be
// called at once.
type Meter struct {
	pid int
	// The files are kept open, because every call is measured: group is nil
	// where there is no control group, references where the kernel refuses.
	stat, status, group, references *os.File
	// buffer is for what is read: nobody calls two methods at once.
	buffer [2048]byte
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

// read returns the beginning of a file, until the next read. One call of the
// system is all that it takes: the kernel makes such a file anew for each.
func (m *Meter) read(file *os.File) []byte {
	n, err := unix.Pread(int(file.Fd()), m.buffer[:], 0) //nolint:gosec // Descriptors are small.
	if err != nil {
		return nil
	}
	return m.buffer[:n]
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
	raw := m.read(m.stat)
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
	line, _, _ := bytes.Cut(m.read(m.group), []byte("\n"))
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
	// "VmHWM:\t    5432 kB"; what can't be read is 0.
	_, rest, _ := bytes.Cut(m.read(m.status), []byte("VmHWM:"))
	number, _, _ := bytes.Cut(bytes.TrimLeft(rest, "\t "), []byte(" "))
	kilobytes, _ := strconv.ParseInt(string(number), 10, 64)
	return kilobytes << 10
}

// ResetPeak lets Peak begin anew; where the kernel refuses, it goes on.
func (m *Meter) ResetPeak() {
	if m.references != nil {
		_, _ = m.references.WriteAt([]byte("5"), 0)
	}
}
