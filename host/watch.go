package host

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/problem"
)

// watch judges whether a socket or an event stream may stay open. It lives
// longer than the request that was let in, and what was so then may not be so
// any more.
type watch struct {
	server *Server
	row    route
	// executionID and workflowID are what it shows, where it is about one.
	executionID, workflowID string
	// end closes it; the error becomes its close code.
	end context.CancelCauseFunc
	// who is who it belongs to, as of the last judgement.
	who   atomic.Pointer[edge.Principal]
	timer *time.Timer
}

func (s *Server) newWatch(row route, who edge.Principal, end context.CancelCauseFunc) *watch {
	w := &watch{server: s, row: row, end: end}
	w.who.Store(&who)
	return w
}

// about notes what a socket's path names.
func (w *watch) about(row route, id string) {
	if strings.Contains(row.pattern, "/executions/") {
		w.executionID = id
	} else {
		w.workflowID = id
	}
}

// start judges once more what may have changed since the request was let in,
// and sees to it that the connection ends with what it came in with.
func (w *watch) start(ctx context.Context) error {
	if until := w.who.Load().Until(); !until.IsZero() {
		w.timer = time.AfterFunc(until.Sub(w.server.now()), func() { w.check(context.WithoutCancel(ctx)) })
	}
	return w.judge(ctx)
}

func (w *watch) stop() {
	if w.timer != nil {
		w.timer.Stop()
	}
}

// check ends the connection if it may not stay.
func (w *watch) check(ctx context.Context) {
	if err := w.judge(ctx); err != nil {
		w.end(err)
	}
}

// judge says why the connection may not stay, if so.
func (w *watch) judge(ctx context.Context) error {
	who, err := w.may(ctx, w.row.permission, "to stay connected")
	if err != nil {
		return err
	}
	switch {
	case w.executionID != "":
		return w.server.maySeeExecution(ctx, who, w.executionID)
	case w.workflowID != "":
		return w.server.maySee(ctx, who, w.workflowID, noWorkflow())
	}
	return nil
}

// may judges anew who the connection belongs to, and whether they have a
// permission now.
func (w *watch) may(ctx context.Context, needed edge.Permission, what string) (edge.Principal, error) {
	who, err := w.server.signIn.Again(ctx, *w.who.Load())
	if err != nil {
		return who, err
	}
	w.who.Store(&who)
	if !who.May(needed) {
		return who, problem.New(http.StatusForbidden, problem.AuthorizationError, fmt.Sprintf("%s needs the role %s; yours is %s", what, needed, who.Role))
	}
	return who, nil
}

// rejudge judges every open connection anew, after a change of what somebody
// may do or see. It has ended those that may not stay when it returns.
func (s *Server) rejudge() {
	s.streams.mu.Lock()
	open := make([]*watch, 0, len(s.streams.watches))
	for w := range s.streams.watches {
		open = append(open, w)
	}
	s.streams.mu.Unlock()
	for _, w := range open {
		w.check(s.base)
	}
}
