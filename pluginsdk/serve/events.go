package serve

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/internal/wire"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// eventBuffer is how many events may wait to be sent. Once it is full a
// handler waits: a slow host slows the handler, and no line is lost.
const eventBuffer = 64

var errCallEnded = errors.New("the call has ended")

// events is the reporter of one call. One goroutine sends; end waits for it.
type events struct {
	queue chan queued
	// broken ends when the host takes no more, whether it closed the
	// stream or is gone.
	broken context.Context
	breaks context.CancelCauseFunc
	sent   chan struct{}

	// mu is held to queue: shared by reports, alone by the end, so that
	// nothing follows the terminal event.
	mu    sync.RWMutex
	ended bool
}

type queued struct {
	event *pb.ExecuteEvent
	// done, where there is one, is told that the event is on its way.
	done chan<- error
}

func newEvents(stream context.Context, send func(*pb.ExecuteEvent) error) *events {
	e := &events{queue: make(chan queued, eventBuffer), sent: make(chan struct{})}
	e.broken, e.breaks = context.WithCancelCause(stream)
	go e.run(send)
	return e
}

// run sends until the queue is closed, which end does. After a failed send it
// only empties the queue.
func (e *events) run(send func(*pb.ExecuteEvent) error) {
	defer close(e.sent)
	for next := range e.queue {
		err := context.Cause(e.broken)
		if err == nil {
			if err = send(next.event); err != nil {
				e.breaks(err)
			}
		}
		if next.done != nil {
			next.done <- err
		}
	}
}

// report queues an event and, if asked to, waits until it is on its way.
func (e *events) report(event *pb.ExecuteEvent, wait bool) error {
	next := queued{event: event}
	var done chan error
	if wait {
		done = make(chan error, 1)
		next.done = done
	}
	if err := e.push(next); err != nil || !wait {
		return err
	}
	return <-done
}

func (e *events) push(next queued) error {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.ended {
		return errCallEnded
	}
	select {
	case e.queue <- next:
		return nil
	case <-e.broken.Done():
		return context.Cause(e.broken)
	}
}

func (e *events) started() {
	_ = e.report(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Started{Started: &pb.Started{}}}, false)
}

// end sends the terminal event, after everything that was reported. What a
// goroutine that outlived its handler reports later is dropped.
func (e *events) end(event *pb.ExecuteEvent) error {
	defer e.breaks(nil)
	done := make(chan error, 1)
	e.mu.Lock()
	e.ended = true
	e.mu.Unlock()
	e.queue <- queued{event: event, done: done}
	close(e.queue)
	<-e.sent
	return <-done
}

// A report without an error to return is lost only where the host is gone,
// and that ends the handler's context.

// Log implements pluginsdk.Reporter.
func (e *events) Log(line pluginsdk.LogLine) {
	_ = e.report(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Log{Log: wire.LogToWire(line)}}, false)
}

// Progress implements pluginsdk.Reporter.
func (e *events) Progress(percentage float64, message string) {
	_ = e.report(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Progress{Progress: wire.ProgressToWire(percentage, message)}}, false)
}

// Heartbeat implements pluginsdk.Reporter.
func (e *events) Heartbeat() {
	_ = e.report(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Heartbeat{Heartbeat: &pb.Heartbeat{}}}, false)
}

// Checkpoint implements pluginsdk.Reporter.
func (e *events) Checkpoint(data json.RawMessage) error {
	return e.report(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Checkpoint{Checkpoint: &pb.Checkpoint{Data: data}}}, true)
}

// Effect implements pluginsdk.Reporter.
func (e *events) Effect(record pluginsdk.EffectRecord) error {
	return e.report(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Effect{Effect: wire.EffectToWire(record)}}, true)
}

// Artifact implements pluginsdk.Reporter.
func (e *events) Artifact(artifact pluginsdk.Artifact) error {
	return e.report(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Artifact{Artifact: wire.ArtifactToWire(artifact)}}, true)
}

// silent is the reporter of calls that have nothing to report to.
type silent struct{}

func (silent) Log(pluginsdk.LogLine)               {}
func (silent) Progress(float64, string)            {}
func (silent) Heartbeat()                          {}
func (silent) Checkpoint(json.RawMessage) error    { return nil }
func (silent) Effect(pluginsdk.EffectRecord) error { return nil }
func (silent) Artifact(pluginsdk.Artifact) error   { return nil }
