package host

import (
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// How much of a refused request is read and thrown away, so that its sender
// gets the refusal: a connection that is closed with bytes unread is reset,
// and the answer on its way with it.
const (
	lingerBytes = 8 << 20
	lingerTime  = 2 * time.Second
)

// lingeringListener makes connections that can linger, as many as the gate
// lets in. TLS stands above them: what wraps its connections would hide that
// they are secure.
type lingeringListener struct {
	net.Listener
	gate *gate
}

// Accept waits for the next connection that there is room for.
func (l lingeringListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		tcp, ok := conn.(*net.TCPConn)
		if !ok || err != nil {
			return conn, err
		}
		if leave := l.gate.enter(tcp); leave != nil {
			return &lingeringConn{TCPConn: tcp, patience: lingerTime, leave: leave}, nil
		}
		l.gate.refuse(tcp)
	}
}

type lingeringConn struct {
	*net.TCPConn
	// patience bounds the wait for what a refused peer is still sending.
	patience time.Duration
	refused  atomic.Bool
	// leave gives the connection's place free; nil where it has none.
	leave func()
}

// Close closes the connection. After a refusal the peer is told first that
// nothing more comes, and what it is still sending is thrown away for a while.
func (c *lingeringConn) Close() error {
	if c.leave != nil {
		defer c.leave()
	}
	if c.refused.CompareAndSwap(true, false) {
		if c.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(c.patience)) == nil {
			// Whatever ends it, the connection is closed next.
			_, _ = io.Copy(io.Discard, io.LimitReader(c.TCPConn, lingerBytes))
		}
	}
	return c.TCPConn.Close()
}

// linger marks a connection whose request was not read to its end.
func linger(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if c, ok := conn.(*lingeringConn); ok {
		c.refused.Store(true)
	}
}
