package edge

import (
	"crypto/rand"
	"sync"
	"time"
)

const (
	// maxTickets bounds the tickets that are out at once; the oldest give way.
	maxTickets = 1000
	// Failed sign-ins: how many a minute an address and an account have, and
	// how many of them are remembered.
	failuresPerMinute = 10
	maxWindows        = 10000
)

// tickets are one-time passes of one kind.
type tickets struct {
	life time.Duration

	mu    sync.Mutex
	out   map[string]ticket
	order []string
}

// ticket is whom a pass lets in, and until when.
type ticket struct {
	who     Principal
	expires time.Time
}

func newTickets(life time.Duration) *tickets {
	return &tickets{life: life, out: map[string]ticket{}}
}

func (t *tickets) mint(who Principal, now time.Time) (value string, expires time.Time) {
	value, expires = rand.Text(), now.Add(t.life)
	hash := hashOf(value)
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.order) > 0 && (len(t.order) >= maxTickets || !now.Before(t.out[t.order[0]].expires)) {
		delete(t.out, t.order[0])
		t.order = t.order[1:]
	}
	t.out[hash] = ticket{who, expires}
	t.order = append(t.order, hash)
	return value, expires
}

func (t *tickets) take(value string, now time.Time) (who Principal, good bool) {
	hash := hashOf(value)
	t.mu.Lock()
	defer t.mu.Unlock()
	kept, found := t.out[hash]
	delete(t.out, hash)
	return kept.who, found && now.Before(kept.expires)
}

// limiter counts failures by address, and by account, in windows of one
// minute.
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

// fail counts a failure and returns how long whoever failed has to wait, or
// 0 while it is within its allowance.
func (l *limiter) fail(key string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.windows[key]
	if w == nil || now.Sub(w.begun) >= time.Minute {
		l.makeRoom(now)
		w = &window{begun: now}
		l.windows[key] = w
	}
	w.count++
	if w.count <= failuresPerMinute {
		return 0
	}
	return w.begun.Add(time.Minute).Sub(now)
}

// forgive takes a failure back that was counted before its outcome was known.
func (l *limiter) forgive(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w := l.windows[key]; w != nil && w.count > 0 {
		w.count--
	}
}

// makeRoom forgets windows that are over, and all where that is not enough:
// a flood from many addresses must not grow the memory.
func (l *limiter) makeRoom(now time.Time) {
	if len(l.windows) < maxWindows {
		return
	}
	for key, w := range l.windows {
		if now.Sub(w.begun) >= time.Minute {
			delete(l.windows, key)
		}
	}
	if len(l.windows) >= maxWindows {
		clear(l.windows)
	}
}
