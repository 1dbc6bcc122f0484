package host

import (
	"fmt"
	"hash/maphash"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/time/rate"

	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/problem"
)

const (
	// rateWindow is how long a caller may save up what it does not use.
	rateWindow = 10 * time.Second
	// Callers are spread over shards, so that they don't wait for each other.
	// When a shard is full the one that asked longest ago is forgotten.
	throttleShards = 64
	callersPerPart = 128
)

// The headers of draft-ietf-httpapi-ratelimit-headers, in the form that it has
// had since its eighth version: a named policy with its quota and window in
// seconds, and what is left of it. Clients of before read Retry-After.
const (
	headerRatePolicy = "RateLimit-Policy"
	headerRate       = "RateLimit"
)

// throttle bounds the requests of each caller with a bucket of its own. The
// number of buckets is fixed; it is safe for use by several goroutines. A nil
// throttle bounds nothing.
type throttle struct {
	name   string
	limit  rate.Limit
	burst  int
	policy string
	seed   maphash.Seed
	parts  [throttleShards]throttlePart
}

type throttlePart struct {
	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	*rate.Limiter
	asked time.Time
}

// newThrottle lets each caller send so many requests a second; 0 is no bound,
// and no throttle.
func newThrottle(name string, perSecond int) *throttle {
	if perSecond <= 0 {
		return nil
	}
	burst := perSecond * int(rateWindow/time.Second)
	t := &throttle{
		name: name, limit: rate.Limit(perSecond), burst: burst, seed: maphash.MakeSeed(),
		policy: fmt.Sprintf("%q;q=%d;w=%d", name, burst, rateWindow/time.Second),
	}
	for i := range t.parts {
		t.parts[i].buckets = map[string]*bucket{}
	}
	return t
}

// bucket finds a caller's own.
func (t *throttle) bucket(caller string, now time.Time) *bucket {
	part := &t.parts[maphash.String(t.seed, caller)%throttleShards]
	part.mu.Lock()
	defer part.mu.Unlock()
	b := part.buckets[caller]
	if b == nil {
		part.makeRoom()
		b = &bucket{Limiter: rate.NewLimiter(t.limit, t.burst)}
		part.buckets[caller] = b
	}
	b.asked = now
	return b
}

// makeRoom forgets whoever asked longest ago: a flood from many addresses must
// not grow the memory.
func (p *throttlePart) makeRoom() {
	if len(p.buckets) < callersPerPart {
		return
	}
	oldest := ""
	for caller, b := range p.buckets {
		if oldest == "" || b.asked.Before(p.buckets[oldest].asked) {
			oldest = caller
		}
	}
	delete(p.buckets, oldest)
}

// take counts a request and tells the caller what is left; it is a 429 where
// nothing is.
func (t *throttle) take(c *fiber.Ctx, caller string, now time.Time) error {
	if t == nil {
		return nil
	}
	b := t.bucket(caller, now)
	allowed := b.AllowN(now, 1)
	left := max(0, b.TokensAt(now))
	full := (float64(t.burst) - left) / float64(t.limit)
	c.Set(headerRatePolicy, t.policy)
	c.Set(headerRate, strconv.Quote(t.name)+";r="+strconv.Itoa(int(left))+";t="+strconv.Itoa(int(full+0.999)))
	if allowed {
		return nil
	}
	return problem.New(http.StatusTooManyRequests, problem.RateLimitError,
		fmt.Sprintf("more than %d requests a second came from this %s for %s; send fewer", int(t.limit), t.name, rateWindow)).
		RetryAfter(time.Duration((1 - min(1, b.TokensAt(now))) / float64(t.limit) * float64(time.Second)))
}

// The names of the policies; they are words of the texts above.
const (
	policyCaller  = "caller"
	policyAddress = "address"
)

// throttled counts a request: against its caller where somebody is let in,
// and else against its address. Whoever watches the server's health is never
// refused.
func (s *Server) throttled(c *fiber.Ctx, info *requestInfo, pattern string) error {
	switch {
	case pattern == "/healthz" || pattern == "/readyz":
		return nil
	case info.who.Way != "" && info.who.Way != edge.WayNone:
		return s.byCaller.take(c, info.who.Name, s.now())
	}
	return s.byAddress.take(c, info.address, s.now())
}
