package live

import (
	"context"
	"fmt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
)

// page is how many events are read from the store at once.
const page = 200

// History is what was published before somebody watched.
type History interface {
	// Execution returns the header as it stands.
	Execution(ctx context.Context, executionID string) (engine.Execution, error)
	// Events returns public events with a higher number, in order, log and
	// progress lines included; fewer than limit means that there are no
	// more.
	Events(ctx context.Context, executionID string, after uint64, limit int) ([]plan.Event, error)
}

// Follow sends every event of an execution with a number above after, in
// order, each once, until the last. It returns nil then, and otherwise
// ErrSlow, ErrClosed, ctx's error, or that of send or of the history.
//
// It reads what is past before it subscribes, so that a long history does not
// count as falling behind, and once more after, for what came between.
func Follow(ctx context.Context, hub *Hub, history History, executionID string, after uint64, send func(*Message) error) error {
	f := &follower{history: history, executionID: executionID, last: after, send: send}
	var done, ended bool
	err := Apart(func() (err error) {
		if done, err = f.catchUp(ctx); done || err != nil {
			return err
		}
		// Whether it has ended is asked before subscribing: an end that is not
		// seen here is in the backlog, in the history, or still to come.
		execution, err := history.Execution(ctx, executionID)
		if err != nil {
			return fmt.Errorf("follow an execution: %w", err)
		}
		ended = execution.Status.Ended()
		return nil
	})
	if done || err != nil {
		return err
	}
	var subscription *Subscription
	err = Apart(func() (err error) {
		subscription, done, err = f.attach(ctx, hub)
		return err
	})
	if subscription != nil {
		defer subscription.Close()
	}
	if done || ended || err != nil {
		return err
	}
	return f.live(ctx, subscription)
}

type follower struct {
	history     History
	executionID string
	last        uint64
	send        func(*Message) error
}

// attach subscribes, and sends what there is by then. A subscription that it
// returns must be closed, with an error too.
func (f *follower) attach(ctx context.Context, hub *Hub) (s *Subscription, done bool, err error) {
	s, backlog, complete, err := hub.Subscribe(f.executionID, f.last)
	if err != nil {
		return nil, false, err
	}
	for _, m := range backlog {
		if done, err := f.pass(m); done || err != nil {
			return s, done, err
		}
	}
	if !complete {
		done, err = f.catchUp(ctx)
	}
	return s, done, err
}

// pass sends a message that is new, and reports whether it was the last.
func (f *follower) pass(m *Message) (done bool, err error) {
	if m.Event.Seq <= f.last {
		return false, nil
	}
	if err := f.send(m); err != nil {
		return false, err
	}
	f.last = m.Event.Seq
	return m.Last(), nil
}

func (f *follower) catchUp(ctx context.Context) (done bool, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return false, context.Cause(ctx)
		}
		events, err := f.history.Events(ctx, f.executionID, f.last, page)
		if err != nil {
			return false, fmt.Errorf("read an execution's events: %w", err)
		}
		for _, event := range events {
			if done, err := f.pass(NewMessage(event)); done || err != nil {
				return done, err
			}
		}
		if len(events) < page {
			return false, nil
		}
	}
}

func (f *follower) live(ctx context.Context, s *Subscription) error {
	for {
		m, err := s.Next(ctx)
		if err != nil {
			return err
		}
		if done, err := f.pass(m); done || err != nil {
			return err
		}
	}
}
