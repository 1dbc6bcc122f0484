package pluginhost

import (
	"sync"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/pluginhost/internal/system"
)

// meter shares what a process uses out among the calls that are in it. The
// kernel counts processes and not calls: what was used while several ran
// counts for each in equal parts.
type meter struct {
	mu    sync.Mutex
	inner *system.Meter
	spans map[*span]struct{}
	// last is the processor time that is shared out, as it was at looked.
	last   int64
	looked time.Time
	// over: the process has ended, and peak is the most memory that it had.
	over bool
	peak int64
}

// span is one call.
type span struct {
	cpu    int64
	shared bool
}

// stillTrue is how long a look holds for the beginning of a call that is alone:
// what a process does between two calls that follow each other at once counts
// for the second.
const stillTrue = 20 * time.Millisecond

// newMeter may be nil: then nothing is told.
func newMeter(pid int, group *system.Cgroup) *meter {
	inner, err := system.NewMeter(pid, group)
	if err != nil {
		return nil
	}
	return &meter{inner: inner, spans: map[*span]struct{}{}, last: inner.CPU(), looked: time.Now()}
}

func (m *meter) begin() *span {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.spans) > 0 || time.Since(m.looked) > stillTrue {
		m.share()
	}
	s := &span{}
	m.spans[s] = struct{}{}
	if len(m.spans) == 1 {
		if !m.over {
			m.inner.ResetPeak()
		}
		return s
	}
	for other := range m.spans {
		other.shared = true
	}
	return s
}

// share counts the time since the last look; the caller has the lock.
func (m *meter) share() {
	if m.over {
		return
	}
	now := m.inner.CPU()
	if used := now - m.last; used > 0 && len(m.spans) > 0 {
		for s := range m.spans {
			s.cpu += used / int64(len(m.spans))
		}
	}
	m.last, m.looked = max(m.last, now), time.Now()
}

// end says what a call used.
func (m *meter) end(s *span) (engine.Usage, bool) {
	if m == nil {
		return engine.Usage{}, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.share()
	delete(m.spans, s)
	peak := m.peak
	if !m.over {
		peak = m.inner.Peak()
	}
	return engine.Usage{CPU: time.Duration(s.cpu), Memory: peak, Shared: s.shared}, true
}

// total is the processor time of the process so far.
func (m *meter) total() time.Duration {
	if m == nil {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.share()
	return time.Duration(m.last)
}

// stop takes the last counts of a process that has ended and is not reaped.
func (m *meter) stop() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.share()
	m.over = true
	// Its files are those of a process that is gone.
	_ = m.inner.Close()
}

// reaped says what is known only afterwards: the most memory in bytes, of the
// whole life of the process.
func (m *meter) reaped(peak int64) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.peak = peak
}
