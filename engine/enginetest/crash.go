package enginetest

import "slices"

// CrashWay is what becomes of the commit at which a host dies.
type CrashWay string

// The ways of a crash.
const (
	// CrashBefore: the commit is not applied, and reported as failed.
	CrashBefore CrashWay = "not applied"
	// CrashAfter: the commit is applied and reported, and the host dies
	// before it has done anything about it.
	CrashAfter CrashWay = "applied"
	// CrashUntold: the commit is applied, but reported as failed.
	CrashUntold CrashWay = "applied but reported as failed"
)

// CrashWays are all of them.
func CrashWays() []CrashWay { return []CrashWay{CrashBefore, CrashAfter, CrashUntold} }

// IDs lists the executions, oldest first.
func (s *Store) IDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}

// Crash makes the k-th commit from now the last thing that the host does; all
// commits after it fail until Revive. What it returns is closed then.
func (s *Store) Crash(k int, way CrashWay) <-chan struct{} {
	s.CrashAt(k, way != CrashBefore)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent, s.died = way == CrashAfter, make(chan struct{})
	return s.died
}
