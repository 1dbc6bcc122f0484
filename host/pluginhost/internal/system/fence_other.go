//go:build !linux

package system

import (
	"errors"
	"os"
)

// LandlockABI is 0: only Linux has it.
func LandlockABI() int { return 0 }

// Cgroups and Cgroup are Linux's.
type (
	Cgroups struct{ Memory, Processes bool }
	Cgroup  struct{}
)

// OpenCgroups finds nothing here.
func OpenCgroups() (*Cgroups, error) { return nil, errors.New("only Linux has control groups") }

// New is never called: there is no place to make one.
func (*Cgroups) New(Limits) (*Cgroup, error) { return nil, errors.New("only Linux has control groups") }

// Kill does nothing.
func (*Cgroup) Kill() {}

// Remove does nothing.
func (*Cgroup) Remove() error { return nil }

// Meter is Linux's.
type Meter struct{}

// NewMeter refuses: what a process uses is not told here.
func NewMeter(int, *Cgroup) (*Meter, error) {
	return nil, errors.New("this system does not tell what a process uses")
}

// Close does nothing.
func (*Meter) Close() error { return nil }

// CPU is not told here.
func (*Meter) CPU() int64 { return 0 }

// Peak is not told here.
func (*Meter) Peak() int64 { return 0 }

// PeakOf is not told here.
func PeakOf(*os.ProcessState) int64 { return 0 }

// ResetPeak does nothing.
func (*Meter) ResetPeak() {}

// Left lists nothing.
func (*Cgroups) Left() []string { return nil }
