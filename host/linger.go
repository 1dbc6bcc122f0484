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

// lingeringListener makes connections that can linger. TLS stands above them:
// what wraps its connections would hide that they are secure.
type lingeringListener struct{ net.Listener }

// Accept waits for the next connection.
func (l lingeringListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
		return &lingeringConn{TCPConn: tcp}, nil
	}
	return conn, err
}

type lingeringConn struct {
	*net.TCPConn
	refused atomic.Bool
}

// Close closes the connection. After a refusal the peer is told first that
// nothing more comes, and what it is still sending is thrown away for a while.
func (c *lingeringConn) Close() error {
	if c.refused.CompareAndSwap(true, false) {
		if c.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
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
