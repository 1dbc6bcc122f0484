package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	starters = 64
	readers  = 8
)

func (s *server) client(ctx context.Context, connections int) *fasthttp.HostClient {
	return &fasthttp.HostClient{Addr: strings.TrimPrefix(s.url, "http://"), MaxConns: connections, ReadTimeout: time.Minute, Dial: func(addr string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	}}
}

// paced calls do so many times a second from several goroutines, whether or
// not it comes back in time, for as long as said.
func paced(ctx context.Context, perSecond, goroutines int, long time.Duration, do func(due time.Time)) {
	due := make(chan time.Time, perSecond)
	var workers sync.WaitGroup
	for range goroutines {
		workers.Go(func() {
			for at := range due {
				do(at)
			}
		})
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	began, given := time.Now(), 0
	for now := began; ctx.Err() == nil && now.Sub(began) < long; now = <-tick.C {
		for ; given < int(now.Sub(began).Seconds()*float64(perSecond)); given++ {
			due <- now
		}
	}
	close(due)
	workers.Wait()
}

// traffic is what became of the starts.
type traffic struct {
	mu           sync.Mutex
	acknowledged map[string]bool
	times        []time.Duration
	refused      int
	// rude are refusals that don't say when to come again.
	rude   int
	failed map[string]int
}

func (s *server) start(ctx context.Context, p plan) *traffic {
	t := &traffic{acknowledged: map[string]bool{}, failed: map[string]int{}}
	client := s.client(ctx, starters)
	defer client.CloseIdleConnections()
	paced(ctx, p.starts, starters, time.Duration(p.seconds)*time.Second, func(due time.Time) {
		request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		defer fasthttp.ReleaseRequest(request)
		defer fasthttp.ReleaseResponse(response)
		request.SetRequestURI(s.url + "/api/vwmp/workflows/" + loadedWorkflow + "/execute/")
		request.Header.SetMethod(fasthttp.MethodPost)
		request.Header.Set("Authorization", "Bearer "+s.token)
		err := client.Do(request, response)
		t.note(err, response, time.Since(due))
	})
	return t
}

func (t *traffic) note(err error, response *fasthttp.Response, took time.Duration) {
	var started struct {
		ExecutionID string `json:"execution_id"`
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch status := response.StatusCode(); {
	case err != nil:
		t.failed[err.Error()]++
	case status == fasthttp.StatusTooManyRequests || status == fasthttp.StatusServiceUnavailable:
		if t.refused++; len(response.Header.Peek("Retry-After")) == 0 {
			t.rude++
		}
	case status != fasthttp.StatusAccepted || json.Unmarshal(response.Body(), &started) != nil:
		t.failed[fmt.Sprint(status)]++
	default:
		t.acknowledged[started.ExecutionID] = true
		t.times = append(t.times, took)
	}
}

func (t *traffic) figures(p plan) []figure {
	failed := 0
	for _, count := range t.failed {
		failed += count
	}
	return []figure{
		{fmt.Sprintf("starts acknowledged, of %d a second", p.starts), fmt.Sprintf("%d, %d a second; p99 %s", len(t.acknowledged), len(t.acknowledged)/p.seconds, p99(t.times)), "", true},
		{"starts refused, with Retry-After", fmt.Sprintf("%d, %d", t.refused, t.refused-t.rude), "all", t.rude == 0},
		{"starts that failed otherwise", fmt.Sprint(failed, t.failed), "0", failed == 0},
	}
}

// waits are the times of normal requests.
type waits struct {
	mu     sync.Mutex
	times  []time.Duration
	failed map[string]int
}

// read asks for what the pages ask for, as so many people do at once.
func (s *server) read(ctx context.Context, perSecond int, long time.Duration) *waits {
	w := &waits{failed: map[string]int{}}
	client := s.client(ctx, readers)
	defer client.CloseIdleConnections()
	paths := []string{"/workflows/" + loadedWorkflow + "/", "/workflows/", "/executions/?limit=20", "/executions/" + s.idleExecution + "/", "/about/"}
	turn := make(chan string, len(paths))
	for _, path := range paths {
		turn <- path
	}
	paced(ctx, perSecond, readers, long, func(time.Time) {
		path := <-turn
		turn <- path
		request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		defer fasthttp.ReleaseRequest(request)
		defer fasthttp.ReleaseResponse(response)
		request.SetRequestURI(s.url + "/api/vwmp" + path)
		request.Header.Set("Authorization", "Bearer "+s.token)
		at := time.Now()
		err := client.Do(request, response)
		took := time.Since(at)
		w.mu.Lock()
		defer w.mu.Unlock()
		switch {
		case err != nil:
			w.failed[err.Error()]++
		case response.StatusCode() != fasthttp.StatusOK:
			w.failed[fmt.Sprint(response.StatusCode(), " ", path)]++
		default:
			w.times = append(w.times, took)
		}
	})
	return w
}

func (w *waits) figures(alone *waits, p plan) []figure {
	return []figure{
		{"normal requests, alone", fmt.Sprintf("%d, p50 %s, p99 %s", len(alone.times), p50(alone.times), p99(alone.times)), "", true},
		{"normal requests, beside all this", fmt.Sprintf("%d, p50 %s, p99 %s", len(w.times), p50(w.times), p99(w.times)), "p99 < " + p.mostWait.String(), len(w.times) > 0 && p99(w.times) < p.mostWait},
		{"normal requests that failed", fmt.Sprint(w.failed), "none", len(w.failed) == 0},
	}
}

func p50(times []time.Duration) time.Duration { return quantile(times, 50) }
func p99(times []time.Duration) time.Duration { return quantile(times, 99) }

func quantile(times []time.Duration, percent int) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[len(times)*percent/100].Round(10 * time.Microsecond)
}
