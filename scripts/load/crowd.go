package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fasthttp/websocket"
)

// crowd are the clients that take up room.
type crowd struct {
	server *server
	plan   plan
	dialer *websocket.Dialer

	sockets []*websocket.Conn
	// dropped counts the idle sockets that the server closed.
	dropped atomic.Int64
	readers sync.WaitGroup

	stop, stopDeaf func()
	done, deaf     sync.WaitGroup
	slow           slowFigures
}

type slowFigures struct {
	mu    sync.Mutex
	times []time.Duration
	// deafOpen are the sockets that never read and that the server still has.
	deafOpen    int
	idleDropped int64
	failures    int
}

// gather opens the idle sockets; each answers pings and nothing else.
func (s *server) gather(ctx context.Context, p plan) (*crowd, error) {
	c := &crowd{server: s, plan: p, dialer: &websocket.Dialer{ReadBufferSize: 512, WriteBufferSize: 512, HandshakeTimeout: time.Minute}}
	c.sockets = make([]*websocket.Conn, p.idle)
	failures := make(chan error, p.idle)
	var dialling sync.WaitGroup
	turns := make(chan int)
	for range 16 {
		dialling.Go(func() {
			for i := range turns {
				conn, err := c.dial(ctx, "/ws/vwmp/executions/"+s.idleExecution)
				if c.sockets[i] = conn; err != nil {
					failures <- err
				}
			}
		})
	}
	for i := range p.idle {
		turns <- i
	}
	close(turns)
	dialling.Wait()
	select {
	case err := <-failures:
		return nil, fmt.Errorf("open %d idle sockets: %w", p.idle, err)
	default:
	}
	for _, conn := range c.sockets {
		c.readers.Go(func() {
			for {
				if _, _, err := conn.NextReader(); err != nil {
					c.dropped.Add(1)
					return
				}
			}
		})
	}
	return c, nil
}

func (c *crowd) dial(ctx context.Context, path string) (*websocket.Conn, error) {
	conn, response, err := c.dialer.DialContext(ctx, "ws"+strings.TrimPrefix(c.server.url, "http")+path, http.Header{"Authorization": {"Bearer " + c.server.token}})
	if response != nil {
		_ = response.Body.Close()
	}
	return conn, err
}

// begin lets in those who do no good, until end.
func (c *crowd) begin(ctx context.Context) {
	deaf, stopDeaf := context.WithCancel(ctx)
	ctx, c.stop = context.WithCancel(ctx)
	c.stopDeaf = stopDeaf
	for range c.plan.deaf {
		c.deaf.Go(func() { c.neverRead(deaf) })
	}
	for range c.plan.slow {
		c.done.Go(func() {
			for ctx.Err() == nil {
				c.drip(ctx)
			}
		})
	}
}

// neverRead asks for every event and takes none. What the kernel takes for it
// is kept small.
func (c *crowd) neverRead(ctx context.Context) {
	conn, err := c.dial(ctx, "/ws/vwmp/events")
	if err != nil {
		c.slow.failed()
		return
	}
	if tcp, ok := conn.NetConn().(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4 << 10)
	}
	<-ctx.Done()
	_ = conn.Close()
}

// drip sends a byte of a header a second, and notes when the server had
// enough.
func (c *crowd) drip(ctx context.Context) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(c.server.url, "http://"))
	if err != nil {
		if ctx.Err() == nil {
			c.slow.failed()
		}
		return
	}
	defer func() { _ = conn.Close() }()
	began := time.Now()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, conn)
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	text := "GET /healthz HTTP/1.1\r\nX-Slow: " + strings.Repeat("x", 1000)
	for i := 0; ; i++ {
		select {
		case <-gone:
			if ctx.Err() == nil {
				c.slow.closed(time.Since(began))
			}
			return
		default:
		}
		_, _ = io.WriteString(conn, text[i:i+1]) // Its failure shows in the reader.
		select {
		case <-tick.C:
		case <-gone:
		}
	}
}

func (f *slowFigures) failed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures++
}

func (f *slowFigures) closed(after time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.times = append(f.times, after)
}

// end sends everybody away. What the server still has open then, besides what
// it had before and the idle sockets, are those that never read: a close of
// theirs waits behind what they do not take, and can't be seen from here.
func (c *crowd) end(ctx context.Context, before resources) *slowFigures {
	c.slow.idleDropped = c.dropped.Load()
	c.stop()
	c.done.Wait()
	if now, err := c.server.quiet(ctx); err == nil {
		c.slow.deafOpen = max(0, now.files-before.files-c.plan.idle)
	}
	c.stopDeaf()
	c.deaf.Wait()
	for _, conn := range c.sockets {
		_ = conn.Close()
	}
	c.readers.Wait()
	return &c.slow
}

func (f *slowFigures) figures(p plan) []figure {
	longest := quantile(f.times, 99)
	if len(f.times) > 0 {
		longest = f.times[len(f.times)-1].Round(10 * time.Millisecond)
	}
	return []figure{
		{fmt.Sprintf("senders of a byte a second that were cut off, of %d at once", p.slow), fmt.Sprintf("%d, the last after %s", len(f.times), longest), "< " + p.mostClose.String(), longest < p.mostClose && (len(f.times) > 0 || p.seconds < 15)},
		{fmt.Sprintf("idle sockets that were dropped, of %d", p.idle), fmt.Sprint(f.idleDropped), "0", f.idleDropped == 0},
		{fmt.Sprintf("sockets that never read and are still open, of %d", p.deaf), fmt.Sprint(f.deafOpen), "none after a minute", f.deafOpen <= 4 || p.seconds < 60},
		{"clients that could not connect", fmt.Sprint(f.failures), "0", f.failures == 0},
	}
}
