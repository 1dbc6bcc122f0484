package host_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/vwmp/vwmp/host"
)

// BenchmarkGetWorkflow asks for one workflow of ten steps over 32
// connections; the figure to keep is 15,000 a second on two cores, its
// clients included.
func BenchmarkGetWorkflow(b *testing.B) {
	w := newWorld(b)
	steps := make([]string, 10)
	for i := range steps {
		steps[i] = fmt.Sprintf("{id: s%d, handler: test.echo, config: {text: 'step number %d'}}", i, i)
	}
	path := workflows + w.save("["+strings.Join(steps, ", ")+"]") + "/"
	request := []byte("GET " + path + " HTTP/1.1\r\nHost: " + w.addr + "\r\nAuthorization: Bearer " + token + "\r\n\r\n")
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	b.ResetTimer()
	for range 32 {
		all.Go(func() {
			conn, err := net.Dial("tcp", w.addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			reader := bufio.NewReader(conn)
			var response fasthttp.Response
			for left.Add(-1) >= 0 {
				if _, err := conn.Write(request); err != nil {
					b.Error(err)
					return
				}
				if err := response.Read(reader); err != nil || response.StatusCode() != 200 || !bytes.Contains(response.Body(), []byte(`"step_count":10`)) {
					b.Errorf("status %d, %v: %s", response.StatusCode(), err, response.Body())
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

// BenchmarkNew sets a server up.
func BenchmarkNew(b *testing.B) {
	w := newWorld(b)
	for b.Loop() {
		if _, err := host.New(w.options); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIdleSockets tells what a quiet socket takes up; the figure to keep
// is 25 KB. The clients are bare connections, which add next to nothing.
func BenchmarkIdleSockets(b *testing.B) {
	const sockets = 500
	w := newWorld(b, func(o *host.Options) { o.Limits.SocketsPerCaller = sockets })
	memory := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	for b.Loop() {
		before := memory()
		clients := make([]net.Conn, sockets)
		for i := range clients {
			clients[i] = w.dialBare("/ws/vwmp/events")
		}
		w.eventually("all readers", func() bool { return w.hub.Readers() == sockets })
		b.ReportMetric(float64(memory()-before)/sockets/1024, "KB/socket")
		for _, conn := range clients {
			if err := conn.Close(); err != nil {
				b.Fatal(err)
			}
		}
		w.eventually("their end", func() bool { return w.hub.Readers() == 0 })
	}
}

// dialBare opens a socket by hand.
func (w *world) dialBare(path string) net.Conn {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", path, w.addr, token); err != nil {
		w.t.Fatal(err)
	}
	status := make([]byte, len("HTTP/1.1 101"))
	if _, err := io.ReadFull(conn, status); err != nil || string(status) != "HTTP/1.1 101" {
		w.t.Fatalf("%s, %v", status, err)
	}
	return conn
}
