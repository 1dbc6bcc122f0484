package edge

import (
	"crypto/rand"
	"sync"
	"time"
)

const (
	// maxTickets bounds the tickets that are out at once; the oldest give way.
	maxTickets = 1000
	// Failed sign-ins: how many a minute an address has, and how many
	// addresses are remembered.
	failuresPerMinute = 10
	maxAddresses      = 10000
)

// tickets are one-time passes of one kind.
type tickets struct {
	life time.Duration

	mu    sync.Mutex
	out   map[string]time.Time
	order []string
}

func newTickets(life time.Duration) *tickets {
	return &tickets{life: life, out: map[string]time.Time{}}
}

func (t *tickets) mint(now time.Time) (ticket string, expires time.Time) {
	ticket, expires = rand.Text(), now.Add(t.life)
	hash := hashOf(ticket)
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.order) > 0 && (len(t.order) >= maxTickets || !now.Before(t.out[t.order[0]])) {
		delete(t.out, t.order[0])
		t.order = t.order[1:]
	}
	t.out[hash] = expires
	t.order = append(t.order, hash)
	return ticket, expires
}

func (t *tickets) take(ticket string, now time.Time) bool {
	hash := hashOf(ticket)
	t.mu.Lock()
	defer t.mu.Unlock()
	expires, found := t.out[hash]
	delete(t.out, hash)
	return found && now.Before(expires)
}

// limiter counts failures by address in windows of one minute.
type limiter struct {
	mu      sync.Mutex
	windows map[string]*window
}

type window struct {
	begun time.Time
	count int
}

func newLimiter() *limiter {
	return &limiter{windows: map[string]*window{}}
}

// fail counts a failure and returns how long the address has to wait, or 0
// while it is within its allowance.
func (l *limiter) fail(address string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.windows[address]
	if w == nil || now.Sub(w.begun) >= time.Minute {
		l.makeRoom(now)
		w = &window{begun: now}
		l.windows[address] = w
	}
	w.count++
	if w.count <= failuresPerMinute {
		return 0
	}
	return w.begun.Add(time.Minute).Sub(now)
}

// makeRoom forgets windows that are over, and all where that is not enough:
// a flood from many addresses must not grow the memory.
func (l *limiter) makeRoom(now time.Time) {
	if len(l.windows) < maxAddresses {
		return
	}
	for address, w := range l.windows {
		if now.Sub(w.begun) >= time.Minute {
			delete(l.windows, address)
		}
	}
	if len(l.windows) >= maxAddresses {
		clear(l.windows)
	}
}
