package host

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/vwmp/vwmp/host/problem"
)

const (
	// gateRetry is when a connection that was refused may be tried again.
	gateRetry = 5 * time.Second
	// mostFarewells bounds the refusals that are being sent at once; further
	// connections are closed without a word.
	mostFarewells = 64
	farewellTime  = time.Second
)

// gate counts open connections, in all and by address. Zero bounds are none.
type gate struct {
	most, mostOfAddress int
	answer              []byte
	farewells           chan struct{}

	mu   sync.Mutex
	open int
	of   map[string]int
}

// newGate makes a gate; a silent one closes connections without a word, as is
// right where a client expects another protocol first.
func newGate(most, mostOfAddress int, silent bool) *gate {
	g := &gate{most: most, mostOfAddress: mostOfAddress, farewells: make(chan struct{}, mostFarewells), of: map[string]int{}}
	if silent {
		return g
	}
	p := problem.New(http.StatusServiceUnavailable, problem.Unavailable, "too many connections are open; close some, or try again later").RetryAfter(gateRetry)
	body, err := json.Marshal(p)
	if err != nil {
		body = nil // Its fields are texts and numbers.
	}
	g.answer = fmt.Appendf(nil, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: %s\r\nContent-Length: %d\r\nRetry-After: %s\r\nConnection: close\r\n\r\n%s",
		problem.ContentType, len(body), p.GetHeaders().Get("Retry-After"), body)
	return g
}

// enter counts a connection, and returns what to call at its end; nil where
// there is no room for it.
func (g *gate) enter(conn *net.TCPConn) (leave func()) {
	address := ""
	if remote, ok := conn.RemoteAddr().(*net.TCPAddr); ok && g.mostOfAddress > 0 {
		address = remote.IP.String()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if (g.most > 0 && g.open >= g.most) || (address != "" && g.of[address] >= g.mostOfAddress) {
		return nil
	}
	g.open++
	if address != "" {
		g.of[address]++
	}
	return sync.OnceFunc(func() { g.leave(address) })
}

func (g *gate) leave(address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open--
	if address == "" {
		return
	}
	if g.of[address]--; g.of[address] == 0 {
		delete(g.of, address)
	}
}

// refuse tells a connection why it is closed, without waiting for it.
func (g *gate) refuse(conn *net.TCPConn) {
	if g.answer == nil {
		_ = conn.Close() // Whatever it says, it is gone.
		return
	}
	select {
	case g.farewells <- struct{}{}:
		go func() {
			defer func() { <-g.farewells }()
			refused := &lingeringConn{TCPConn: conn, patience: farewellTime}
			if err := conn.SetWriteDeadline(time.Now().Add(farewellTime)); err == nil {
				if _, err := conn.Write(g.answer); err == nil {
					linger(refused)
				}
			}
			_ = refused.Close() // The same.
		}()
	default:
		_ = conn.Close() // The same.
	}
}
