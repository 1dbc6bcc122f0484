package host

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/vwmp/vwmp/host/problem"
)

// streams counts the sockets and event streams that are open: each of them
// lives longer than its request, and a stop waits for it.
type streams struct {
	limit int

	mu      sync.Mutex
	open    int
	callers map[string]int
	// watches are told when what somebody may do has changed.
	watches map[*watch]struct{}
	drained chan struct{}
	closed  bool
}

func newStreams(limit int) *streams {
	return &streams{limit: limit, callers: map[string]int{}, watches: map[*watch]struct{}{}}
}

// room tells whether the caller may open one more, before it is opened.
func (s *streams) room(caller string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.roomLocked(caller)
}

func (s *streams) roomLocked(caller string) error {
	if s.closed {
		return errStopping
	}
	if s.callers[caller] >= s.limit {
		return problem.New(http.StatusServiceUnavailable, problem.Unavailable,
			fmt.Sprintf("%d live connections are open already; close one first", s.limit)).RetryAfter(retrySoon)
	}
	return nil
}

// acquire counts one more, which w watches, and returns what to call at its
// end. w may be nil.
func (s *streams) acquire(caller string, w *watch) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.roomLocked(caller); err != nil {
		return nil, err
	}
	s.open++
	s.callers[caller]++
	if w != nil {
		s.watches[w] = struct{}{}
	}
	return sync.OnceFunc(func() { s.release(caller, w) }), nil
}

func (s *streams) release(caller string, w *watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watches, w)
	s.open--
	if s.callers[caller]--; s.callers[caller] == 0 {
		delete(s.callers, caller)
	}
	if s.open == 0 && s.drained != nil {
		close(s.drained)
		s.drained = nil
	}
}

// wait lets none in any more and returns when all are gone.
func (s *streams) wait(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	if s.open == 0 {
		s.mu.Unlock()
		return nil
	}
	if s.drained == nil {
		s.drained = make(chan struct{})
	}
	drained := s.drained
	s.mu.Unlock()
	select {
	case <-drained:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for live connections: %w", ctx.Err())
	}
}
