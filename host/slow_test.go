package host_test

import (
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vwmp/vwmp/host"
)

// drip opens a connection and sends one byte of a header after the other. It
// returns after how long the server closed it.
func drip(addr string) (time.Duration, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	started := time.Now()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(40 * time.Millisecond)
		defer tick.Stop()
		_, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nX-Slow: ")
		for err == nil {
			select {
			case <-tick.C:
				_, err = io.WriteString(conn, "x")
			case <-stop:
				return
			}
		}
	}()
	// A close with bytes unread is a reset: an error as good as the end.
	_ = conn.SetReadDeadline(started.Add(time.Minute))
	_, _ = io.Copy(io.Discard, conn)
	took := time.Since(started)
	close(stop)
	<-stopped
	return took, nil
}

// Case 107, on a shortened limit: each byte comes in time, the header never.
func TestCase107SlowHeadersAreCutOffAndOthersServed(t *testing.T) {
	const limit = 400 * time.Millisecond
	w := newWorld(t, func(o *host.Options) { o.Limits.ReadTimeout = limit })
	measure := func(times int) time.Duration {
		all := make([]time.Duration, times)
		for i := range all {
			started := time.Now()
			w.ask("GET", workflows, "").want(200)
			all[i] = time.Since(started)
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	alone := measure(50)
	var group sync.WaitGroup
	taken := make([]time.Duration, 1000)
	failures := make([]error, len(taken))
	for i := range taken {
		group.Go(func() { taken[i], failures[i] = drip(w.addr) })
	}
	beside := measure(50)
	group.Wait()
	for i, took := range taken {
		if failures[i] != nil {
			t.Fatal(failures[i])
		}
		// Far above the limit, as the machine may be busy, and far below for
		// ever.
		if took > limit+20*time.Second {
			t.Fatalf("a connection that sends a byte at a time was open for %s", took)
		}
	}
	// The machine opens a thousand connections meanwhile.
	if beside > 2*alone+time.Second {
		t.Errorf("others wait %s beside slow senders, and %s without", beside, alone)
	}
	measure(5)
}
