package host

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/live"
	"github.com/vwmp/vwmp/host/problem"
)

// streamAlive is how often a quiet event stream says that it is there, so
// that neither side takes the other for gone.
const streamAlive = 15 * time.Second

// streamEvents follows an execution as server-sent events, each with its
// number as id.
func (s *Server) streamEvents(c *fiber.Ctx, id string, after uint64) error {
	execution, err := s.Executions.Execution(c.UserContext(), id)
	if err != nil {
		return executionMissing(err)
	}
	if execution.Status.Ended() && execution.LastSeq <= after {
		// A browser's EventSource comes again until it is told this.
		return c.SendStatus(http.StatusNoContent)
	}
	ctx, cancel := context.WithCancelCause(c.UserContext())
	who := infoOf(c.UserContext()).who
	w := s.newWatch(s.row(http.MethodGet, apiBase+"/executions/{id}/events/"), who, cancel)
	w.executionID = id
	release, err := s.streams.acquire(who.Name, w)
	if err != nil {
		cancel(nil)
		return err
	}
	c.Set(fiber.HeaderContentType, typeStream)
	c.Set("X-Accel-Buffering", "no")
	if c.Method() == http.MethodHead {
		release()
		cancel(nil)
		return nil
	}
	stream := &eventStream{server: s, conn: c.Context().Conn(), ctx: ctx, cancel: cancel, watch: w, id: id, after: after, release: release}
	// The library runs the writer in a goroutine of its own and waits for it
	// when the connection ends; release tells Shutdown.
	c.Context().SetBodyStreamWriter(stream.run)
	return nil
}

type eventStream struct {
	server  *Server
	conn    net.Conn
	ctx     context.Context
	cancel  context.CancelCauseFunc
	watch   *watch
	id      string
	after   uint64
	release func()

	mu  sync.Mutex
	out *bufio.Writer
	// broken: something could not be sent, and nothing more can.
	broken bool
}

func (e *eventStream) run(out *bufio.Writer) {
	defer e.cancel(nil)
	defer e.release()
	defer e.watch.stop()
	defer func() {
		if cause := recover(); cause != nil {
			e.server.log.Error("an event stream panicked", "execution_id", e.id, "cause", cause, "stack", string(debug.Stack()))
		}
	}()
	e.out = out
	if err := e.watch.start(e.ctx); err != nil {
		e.end(err)
		return
	}
	ctx, cancel := context.WithCancelCause(e.ctx)
	defer cancel(nil)
	if err := e.write("retry: 2000\n\n"); err != nil {
		return
	}
	var alive sync.WaitGroup
	alive.Go(func() { e.keepAlive(ctx, cancel) })
	err := live.Follow(ctx, e.server.Hub, e.server.Executions, e.id, e.after, e.send)
	cancel(nil)
	alive.Wait()
	if err != nil {
		if cause := context.Cause(e.ctx); cause != nil {
			err = cause // What ended the stream, and not what followed from it.
		}
		e.end(err)
	}
}

// end says why the stream ends before its execution, in the event that a
// socket would send. It has no number: who comes again goes on after the last
// event that has one. A client that has gone, or does not read, is told
// nothing.
func (e *eventStream) end(cause error) {
	e.server.log.Debug("an event stream ended", "execution_id", e.id, "cause", cause)
	var p *problem.Problem
	switch {
	case errors.Is(cause, engine.ErrStopping), errors.Is(cause, live.ErrClosed):
		p = problem.From(engine.ErrStopping)
	case errors.Is(cause, live.ErrSlow):
		p = problem.New(http.StatusServiceUnavailable, problem.Unavailable, "too slow; come again with Last-Event-ID")
	case e.broken:
		return
	default:
		p = problemOf(cause)
	}
	text, err := json.Marshal(errorEvent{Event: "error", ErrorCode: p.ErrorCode, Detail: p.Detail, Timestamp: e.server.now().UTC()})
	if err == nil {
		err = e.write("data: " + string(text) + "\n\n")
	}
	if err != nil {
		e.server.log.Debug("tell an event stream why it ends", "execution_id", e.id, "error", err)
	}
}

func (e *eventStream) send(m *live.Message) error {
	text, err := m.JSON()
	if err != nil {
		return err
	}
	return e.write("id: " + strconv.FormatUint(m.Event.Seq, 10) + "\ndata: " + string(text) + "\n\n")
}

// write sends at once, and gives the connection anew the time of a write.
func (e *eventStream) write(text string) (err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer func() { e.broken = e.broken || err != nil }()
	if err := e.conn.SetWriteDeadline(time.Now().Add(e.server.Limits.WriteTimeout)); err != nil {
		return err
	}
	if _, err := e.out.WriteString(text); err != nil {
		return err
	}
	return e.out.Flush()
}

func (e *eventStream) keepAlive(ctx context.Context, gone context.CancelCauseFunc) {
	tick := time.NewTicker(streamAlive)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := e.write(": alive\n\n"); err != nil {
				gone(err)
				return
			}
		}
	}
}
