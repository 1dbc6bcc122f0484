package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vwmp/vwmp/store/data"
)

// Figures are what an operator watches of an open store.
type Figures struct {
	data.Stats
	// FreePages are those of the main file that hold nothing, and PageSize is
	// how large one is, in bytes.
	FreePages, PageSize int
	// Waiting counts the commands that wait for the writer.
	Waiting int
	// OpenReads counts the transactions that read at the moment, SlowReads
	// those that took long since the store was opened. StuckReads are those
	// that do not end, OldestRead is how long the first of them has been open.
	OpenReads  int
	SlowReads  uint64
	StuckReads int
	OldestRead time.Duration
	// HistoryFiles and HistorySize, in bytes, are of the executions by month.
	HistoryFiles int
	HistorySize  int64
	// DiskFree is the room on the disk, in bytes.
	DiskFree uint64
}

// Figures reads what costs little to read: nothing that was kept is walked
// through.
func (s *Store) Figures(ctx context.Context) (Figures, error) {
	stats, err := s.Stats(ctx)
	if err != nil {
		return Figures{}, err
	}
	pages := s.db.Stats()
	f := Figures{
		Stats: stats, FreePages: pages.FreePageN + pages.PendingPageN, PageSize: s.db.Info().PageSize, Waiting: len(s.queue),
		OpenReads: pages.OpenTxN, SlowReads: s.reads.slow.Load(),
	}
	f.StuckReads, f.OldestRead = s.reads.stuck()
	for _, m := range s.monthList() {
		info, err := m.file.Stat()
		switch {
		case errors.Is(err, fs.ErrClosed):
			continue // It was dropped just now.
		case err != nil:
			return f, fmt.Errorf("read the size of %s: %w", m.path(), err)
		}
		f.HistoryFiles++
		f.HistorySize += info.Size()
	}
	f.DiskFree, err = s.options.free()
	return f, err
}

// readWatch knows the reads that took long, and those that do not end.
type readWatch struct {
	slow atomic.Uint64

	mu sync.Mutex
	// open counts the reads that do not end by when they began, and ended
	// those that ended before they were known to be such.
	open, ended map[time.Time]int
}

// begin notes a read that does not end, unless it just did.
func (w *readWatch) begin(started time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended[started] > 0 {
		drop(w.ended, started)
		return
	}
	if w.open == nil {
		w.open = map[time.Time]int{}
	}
	w.open[started]++
}

// end notes the end of a read of which begin was called, or is about to be.
func (w *readWatch) end(started time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open[started] > 0 {
		drop(w.open, started)
		return
	}
	if w.ended == nil {
		w.ended = map[time.Time]int{}
	}
	w.ended[started]++
}

func drop(counts map[time.Time]int, key time.Time) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}

// stuck counts the reads that do not end, and says how long the first of them
// has been open.
func (w *readWatch) stuck() (count int, oldest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for started, n := range w.open {
		count += n
		oldest = max(oldest, time.Since(started))
	}
	return count, oldest
}
