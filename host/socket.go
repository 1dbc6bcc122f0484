package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	wire "github.com/fasthttp/websocket"
	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/live"
	"github.com/vwmp/vwmp/host/problem"
)

// Close codes besides those of the protocol.
const (
	closeBadRequest = 4400
	closeSignedOut  = 4401
	closeNotAllowed = 4403
	closeNotFound   = 4404
)

const (
	maxClientMessage = 64 << 10
	// socketBuffer is what a socket keeps for reading, in bytes: clients send
	// little. What it writes goes through buffers that all sockets share.
	socketBuffer = 256
	// socketFarewell bounds the wait for the peer's half of a close.
	socketFarewell = time.Second
)

// errPeerGone is why a socket's work ends when its client leaves.
var errPeerGone = errors.New("the client closed the socket")

// socket is one WebSocket. One goroutine owns it and sends; it waits for the
// other, which receives and answers. A third would cost 4 KB for each of
// thousands that are quiet.
type socket struct {
	server *Server
	conn   *wire.Conn
	info   *requestInfo
	watch  *watch
	query  map[string]string

	// ctx ends when the peer is gone or the server stops.
	ctx    context.Context
	cancel context.CancelCauseFunc
	// received carries what the client sends until listens is closed; from
	// then on the reader hands it to answer.
	received chan clientMessage
	listens  chan struct{}
	answer   func(clientMessage)

	writing sync.Mutex
	reader  sync.WaitGroup
}

type clientMessage struct {
	Type       string          `json:"type"`
	Parameters json.RawMessage `json:"parameters"`
	// broken is set for what is not a message at all.
	broken bool
}

// decodeMessage reads what a client sent; what can't be read is broken.
func decodeMessage(text []byte) clientMessage {
	var m clientMessage
	if tooDeep(text) || json.Unmarshal(text, &m) != nil {
		return clientMessage{broken: true}
	}
	return m
}

// addSocket registers a WebSocket route. serve runs it until it returns; its
// error becomes the close code.
func (s *Server) addSocket(pattern string, serve func(*socket) error) {
	row := s.row(http.MethodGet, pattern)
	upgrade := websocket.New(func(conn *websocket.Conn) {
		k := s.newSocket(conn, &row)
		// As long as this function runs, the request and the stack that its
		// handshake took are kept: 12 KB for each of thousands that are quiet.
		// Nothing that the library lends to it is used afterwards: conn's write
		// buffers are those of WriteBufferPool.
		go func() {
			defer k.cutOff()
			s.serveSocket(k, serve)
		}()
	}, websocket.Config{ReadBufferSize: socketBuffer, WriteBufferPool: &sync.Pool{}, RecoverHandler: func(conn *websocket.Conn) {
		// recover works only in the deferred call itself.
		if cause := recover(); cause != nil {
			s.log.Error("a socket panicked", "cause", cause, "stack", string(debug.Stack()))
			_ = conn.Conn.Close()
		}
	}})
	s.add(http.MethodGet, pattern, func(c *fiber.Ctx) error {
		if !websocket.IsWebSocketUpgrade(c) {
			return fiber.ErrUpgradeRequired
		}
		info := infoOf(c.UserContext())
		if info.refused == nil {
			if err := s.streams.room(info.who.Name); err != nil {
				return err
			}
		}
		c.Locals("info", info)
		return upgrade(c)
	})
}

// cutOff closes the connection itself, after a panic too: it must end this
// socket only. It is deferred.
func (k *socket) cutOff() {
	if cause := recover(); cause != nil {
		k.server.log.Error("a socket panicked", "path", k.info.path, "request_id", k.info.id, "cause", cause, "stack", string(debug.Stack()))
	}
	// One that has been closed by its peer says so, and that is all the same.
	_ = k.conn.Close()
}

// serveSocket owns the socket until its end. What it needs of its stack while
// it waits is kept below 2 KB: then it keeps 4 KB, and 8 KB otherwise.
func (s *Server) serveSocket(k *socket, serve func(*socket) error) {
	defer k.cancel(nil)
	release, err := k.acquire()
	if err != nil {
		k.close(err)
		return
	}
	defer release()
	defer k.watch.stop()
	k.reader.Go(func() {
		// The panic is in the log; the end of the reader ends the socket.
		_ = k.guard(func() error { k.read(); return nil })
	})
	alive := k.startPinging()
	err = k.run(serve)
	alive.stop()
	k.close(err)
	k.part()
}

func (s *Server) newSocket(from *websocket.Conn, row *route) *socket {
	info, ok := from.Locals("info").(*requestInfo)
	if !ok {
		info = &requestInfo{}
	}
	query := map[string]string{"id": from.Params("id"), "after_seq": from.Query("after_seq")}
	ctx, cancel := context.WithCancelCause(context.WithValue(s.base, infoKey{}, info))
	k := &socket{server: s, conn: from.Conn, info: info, query: query, ctx: ctx, cancel: cancel, received: make(chan clientMessage), listens: make(chan struct{})}
	k.watch = s.newWatch(*row, info.who, cancel)
	k.watch.about(*row, query["id"])
	// The library's copies of header, cookies and path would stay as long as
	// the socket.
	*from = websocket.Conn{Conn: from.Conn}
	return k
}

// acquire counts the socket, and returns what to call at its end.
func (k *socket) acquire() (release func(), err error) {
	if k.info.refused != nil {
		return k.server.streams.acquire("refused", nil)
	}
	return k.server.streams.acquire(k.info.who.Name, k.watch)
}

// part waits for the reader. The peer's own close ends it; one that stays
// silent is cut off.
func (k *socket) part() {
	if err := k.conn.SetReadDeadline(time.Now().Add(socketFarewell)); err != nil {
		k.server.log.Debug("close a socket", "error", err)
	}
	k.reader.Wait()
}

func (k *socket) run(serve func(*socket) error) error {
	if k.info.refused != nil {
		return k.info.refused
	}
	return k.guard(func() error {
		if err := live.Apart(func() error { return k.watch.start(k.ctx) }); err != nil {
			return err
		}
		return serve(k)
	})
}

// guard turns a panic into an error: it must end this socket only.
func (k *socket) guard(fn func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			k.server.log.Error("a socket panicked", "path", k.info.path, "request_id", k.info.id, "cause", cause, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	return fn()
}

// read takes messages until the peer is gone.
func (k *socket) read() {
	defer k.cancel(errPeerGone)
	patience := 2 * k.server.Limits.SocketPing
	k.conn.SetReadLimit(maxClientMessage)
	renew := func() error { return k.conn.SetReadDeadline(time.Now().Add(patience)) }
	k.conn.SetPongHandler(func(string) error { return renew() })
	if renew() != nil {
		return
	}
	for {
		_, text, err := k.conn.ReadMessage()
		if err != nil {
			return
		}
		if k.ctx.Err() != nil {
			// It is closing: only the peer's close is waited for.
			continue
		}
		if renew() != nil {
			return
		}
		m := decodeMessage(text)
		select {
		case k.received <- m:
		case <-k.listens:
			if err := k.guard(func() error { k.answer(m); return nil }); err != nil {
				k.cancel(err)
			}
		case <-k.ctx.Done():
		}
	}
}

// pinger pings a socket now and then.
type pinger struct {
	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
}

func (k *socket) startPinging() *pinger {
	p := &pinger{}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(k.server.Limits.SocketPing, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.stopped {
			return
		}
		// A failure shows in the reader, which waits for the pong.
		_ = k.conn.WriteControl(wire.PingMessage, nil, time.Now().Add(k.server.Limits.SocketWrite))
		p.timer.Reset(k.server.Limits.SocketPing)
	})
	return p
}

// stop waits for a ping that is being sent, and lets none follow.
func (p *pinger) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	p.timer.Stop()
}

// send writes one message.
func (k *socket) send(text []byte) error {
	k.writing.Lock()
	defer k.writing.Unlock()
	if err := k.conn.SetWriteDeadline(time.Now().Add(k.server.Limits.SocketWrite)); err != nil {
		return fmt.Errorf("%w: %w", errPeerGone, err)
	}
	if err := k.conn.WriteMessage(wire.TextMessage, text); err != nil {
		return fmt.Errorf("%w: %w", errPeerGone, err)
	}
	return nil
}

func (k *socket) sendEvent(m *live.Message) error {
	text, err := m.JSON()
	if err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	return k.send(text)
}

// errorEvent tells a client what was wrong with what it sent.
type errorEvent struct {
	Event     string         `json:"event"`
	ErrorCode problem.Code   `json:"error_code"`
	Detail    string         `json:"detail"`
	Errors    []problem.Item `json:"errors,omitempty"`
	Timestamp time.Time      `json:"timestamp"`
}

func (k *socket) sendProblem(p *problem.Problem) {
	text, err := json.Marshal(errorEvent{Event: "error", ErrorCode: p.ErrorCode, Detail: p.Detail, Errors: p.Errors, Timestamp: k.server.now().UTC()})
	if err == nil {
		err = k.send(text)
	}
	if err != nil {
		k.server.log.Debug("tell a socket of a problem", "request_id", k.info.id, "error", err)
	}
}

// close ends the socket with the code of its outcome. Where the client asked
// for what can't be, an error event says more.
func (k *socket) close(err error) {
	code, reason := wire.CloseNormalClosure, ""
	switch {
	case err == nil:
	case errors.Is(err, errPeerGone):
		// The reader has answered the peer's close.
		k.cancel(nil)
		return
	case errors.Is(err, engine.ErrStopping), errors.Is(err, live.ErrClosed):
		code, reason = wire.CloseGoingAway, "the server is stopping"
	case errors.Is(err, live.ErrSlow):
		code, reason = wire.CloseTryAgainLater, "too slow; attach again with after_seq"
	default:
		p := k.server.refusal(k.info, err)
		k.sendProblem(p)
		code, reason = closeCode(p.Status), p.Detail
	}
	k.cancel(nil)
	// A control message has at most 125 bytes.
	text := wire.FormatCloseMessage(code, reason[:min(len(reason), 120)])
	if err := k.conn.WriteControl(wire.CloseMessage, text, time.Now().Add(socketFarewell)); err != nil {
		k.server.log.Debug("close a socket", "request_id", k.info.id, "code", code, "error", err)
	}
}

func closeCode(status int) int {
	switch status {
	case http.StatusUnauthorized:
		return closeSignedOut
	case http.StatusForbidden:
		return closeNotAllowed
	case http.StatusNotFound:
		return closeNotFound
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return wire.CloseTryAgainLater
	}
	if status >= http.StatusInternalServerError {
		return wire.CloseInternalServerErr
	}
	return closeBadRequest
}
