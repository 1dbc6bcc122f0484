package serve

import (
	"encoding/json"
	"errors"
	"sync"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/internal/wire"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

var errCallEnded = errors.New("the call has ended")

// events is the reporter of one call. What is reported is on its way when the
// report returns: where the host is slow, the handler waits as soon as the
// stream's window is full, so that no line is lost.
type events struct {
	// send gives an event to the stream; it fails for good once the host takes
	// no more, whether it closed the stream or is gone.
	send func(*pb.ExecuteEvent) error

	// mu is held while an event is sent, so that one follows the other and
	// nothing the terminal one.
	mu     sync.Mutex
	broken error
	ended  bool
}

func (e *events) report(event *pb.ExecuteEvent) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.pass(event)
}

func (e *events) pass(event *pb.ExecuteEvent) error {
	switch {
	case e.ended:
		return errCallEnded
	case e.broken == nil:
		e.broken = e.send(event)
	}
	return e.broken
}

func (e *events) started() {
	_ = e.report(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Started{Started: &pb.Started{}}})
}

// end sends the terminal event, after everything that was reported. What a
// goroutine that outlived its handler reports later is dropped.
func (e *events) end(event *pb.ExecuteEvent) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.pass(event)
	e.ended = true
	return err
}

// A report without an error to return is lost only where the host is gone,
// and that ends the handler's context.

// Log implements pluginsdk.Reporter.
func (e *events) Log(line pluginsdk.LogLine) {
	_ = e.report(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Log{Log: wire.LogToWire(line)}})
}

// Progress implements pluginsdk.Reporter.
func (e *events) Progress(percentage float64, message string) {
	_ = e.report(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Progress{Progress: wire.ProgressToWire(percentage, message)}})
}

// Heartbeat implements pluginsdk.Reporter.
func (e *events) Heartbeat() {
	_ = e.report(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Heartbeat{Heartbeat: &pb.Heartbeat{}}})
}

// Checkpoint implements pluginsdk.Reporter.
func (e *events) Checkpoint(data json.RawMessage) error {
	return e.report(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Checkpoint{Checkpoint: &pb.Checkpoint{Data: data}}})
}

// Effect implements pluginsdk.Reporter.
func (e *events) Effect(record pluginsdk.EffectRecord) error {
	return e.report(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Effect{Effect: wire.EffectToWire(record)}})
}

// Artifact implements pluginsdk.Reporter.
func (e *events) Artifact(artifact pluginsdk.Artifact) error {
	return e.report(&pb.ExecuteEvent{Event: &pb.ExecuteEvent_Artifact{Artifact: wire.ArtifactToWire(artifact)}})
}

// silent is the reporter of calls that have nothing to report to.
type silent struct{}

func (silent) Log(pluginsdk.LogLine)               {}
func (silent) Progress(float64, string)            {}
func (silent) Heartbeat()                          {}
func (silent) Checkpoint(json.RawMessage) error    { return nil }
func (silent) Effect(pluginsdk.EffectRecord) error { return nil }
func (silent) Artifact(pluginsdk.Artifact) error   { return nil }
