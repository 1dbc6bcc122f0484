package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/vwmp/vwmp/pluginsdk"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// cancelLimit is how long a cancelled call may take, cancelSlack what a busy
// machine may add.
const (
	cancelLimit = time.Second
	cancelSlack = 500 * time.Millisecond
)

// call is one Execute or Undo, as it came over the wire.
type call struct {
	// starts: it is an Execute, whose first event must be Started, and whose
	// result must match its schema.
	starts bool
	events []*pb.ExecuteEvent
	// err is nil where the stream ended with OK.
	err error
	// late: it did not end in time after limit, and was given up.
	late bool
	took time.Duration
	// ending is from the wish that it ends to its end.
	ending   time.Duration
	wished   bool
	notFound bool
	cancel   error
}

// wish ends a call before its time.
type wish struct {
	after time.Duration
	// reason is that of a Cancel; empty closes the stream instead.
	reason string
}

// id names a call; it may be asked for from several goroutines.
func (k *kit) id() string { return "call-" + strconv.FormatUint(k.ids.Add(1), 10) }

// execute makes an attempt and reads it to its end.
func (k *kit) execute(request *pb.Request, w *wish) *call {
	id := k.id()
	c := &call{starts: true}
	k.read(c, id, w, func(ctx context.Context) (func() (*pb.ExecuteEvent, error), error) {
		stream, err := k.p.plugin.Execute(ctx, &pb.ExecuteRequest{CallId: id, Request: request})
		if err != nil {
			return nil, err
		}
		return stream.Recv, nil
	})
	return c
}

// undo takes an attempt back.
func (k *kit) undo(request *pb.Request, token []byte) *call {
	id := k.id()
	c := &call{}
	k.read(c, id, nil, func(ctx context.Context) (func() (*pb.ExecuteEvent, error), error) {
		stream, err := k.p.plugin.Undo(ctx, &pb.UndoRequest{CallId: id, Request: request, UndoToken: token})
		if err != nil {
			return nil, err
		}
		return func() (*pb.ExecuteEvent, error) {
			event, err := stream.Recv()
			if err != nil {
				return nil, err
			}
			return asExecute(event), nil
		}, nil
	})
	return c
}

func asExecute(event *pb.UndoEvent) *pb.ExecuteEvent {
	switch e := event.GetEvent().(type) {
	case *pb.UndoEvent_Log:
		return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Log{Log: e.Log}}
	case *pb.UndoEvent_Progress:
		return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Progress{Progress: e.Progress}}
	case *pb.UndoEvent_Heartbeat:
		return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Heartbeat{Heartbeat: e.Heartbeat}}
	case *pb.UndoEvent_Result:
		return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Result{Result: e.Result}}
	case *pb.UndoEvent_Failure:
		return &pb.ExecuteEvent{Event: &pb.ExecuteEvent_Failure{Failure: e.Failure}}
	}
	return &pb.ExecuteEvent{}
}

// read reads a stream to its end.
func (k *kit) read(c *call, id string, w *wish, open func(context.Context) (func() (*pb.ExecuteEvent, error), error)) {
	ctx, give := context.WithCancel(k.ctx)
	defer give()
	began := time.Now()
	next, err := open(ctx)
	if err != nil {
		c.err = err
		return
	}
	var mu sync.Mutex
	var wishedAt time.Time
	late := time.AfterFunc(k.options.CallLimit, func() {
		mu.Lock()
		c.late = true
		mu.Unlock()
		give()
	})
	defer late.Stop()
	answered := make(chan struct{})
	var wished *time.Timer
	if w != nil {
		wished = time.AfterFunc(w.after, func() {
			defer close(answered)
			mu.Lock()
			wishedAt = time.Now()
			mu.Unlock()
			if w.reason == "" {
				give()
				return
			}
			found, err := k.cancel(id, w.reason)
			mu.Lock()
			c.notFound, c.cancel = !found, err
			mu.Unlock()
			// A plugin that ignores it is not waited for to the end.
			late.Reset(2*cancelLimit + cancelSlack)
		})
	}
	for {
		event, err := next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				c.err = err
			}
			break
		}
		c.events = append(c.events, event)
	}
	c.took = time.Since(began)
	if wished != nil && !wished.Stop() {
		<-answered
	}
	mu.Lock()
	defer mu.Unlock()
	if c.wished = !wishedAt.IsZero(); c.wished {
		c.ending = began.Add(c.took).Sub(wishedAt)
	}
	if c.err != nil && status.Code(c.err) == codes.Unavailable {
		// It broke: give the process the time to be gone.
		k.p.awaitGone(time.Second)
	}
}

func (k *kit) cancel(id, reason string) (found bool, err error) {
	ctx, stop := context.WithTimeout(k.ctx, cancelLimit+cancelSlack)
	defer stop()
	response, err := k.p.plugin.Cancel(ctx, &pb.CancelRequest{CallId: id, Reason: reason})
	return response.GetFound(), err
}

// judge fails the trial for what is wrong with a call whatever came of it, and
// returns its end; nil where there is no sound one.
func (c *call) judge(t *trial, s *subject, b *box) *pb.ExecuteEvent {
	switch {
	case c.late && c.wished:
		t.fail("the call did not end within %s after it was cancelled", 2*cancelLimit)
		return nil
	case c.late:
		t.fail("the call did not end in time; after how long is up to the handler, but the kit waits no longer")
		return nil
	case c.err != nil:
		t.fail("the call ended with status %s: %s", status.Code(c.err), status.Convert(c.err).Message())
		return nil
	case len(c.events) == 0:
		t.fail("the stream ended without any event: the outcome is unknown to the host")
		return nil
	}
	var end *pb.ExecuteEvent
	for i, event := range c.events {
		if end != nil {
			t.fail("the stream went on after its end (%s after %s): the host takes that as unknown", nameOf(event), nameOf(end))
			return nil
		}
		if isEnd(event) {
			end = event
		}
		c.judgeEvent(t, i, event, s, b)
	}
	if end == nil {
		t.fail("the stream ended without result, skipped or failure: the outcome is unknown to the host")
	}
	return end
}

func isEnd(event *pb.ExecuteEvent) bool {
	return event.GetResult() != nil || event.GetSkipped() != nil || event.GetFailure() != nil
}

func nameOf(event *pb.ExecuteEvent) string {
	name := fmt.Sprintf("%T", event.GetEvent())
	return strings.ToLower(name[strings.LastIndexByte(name, '_')+1:])
}

var logLevels = map[string]bool{"debug": true, "info": true, "warning": true, "error": true}

func (c *call) judgeEvent(t *trial, i int, event *pb.ExecuteEvent, s *subject, b *box) {
	if proto.Size(event) > pluginsdk.MaxMessageSize {
		t.fail("an event has more than 8 MiB")
	}
	switch e := event.GetEvent().(type) {
	case *pb.ExecuteEvent_Log:
		if !logLevels[e.Log.GetLevel()] {
			t.fail("a log line has the level %q, and must have debug, info, warning or error", e.Log.GetLevel())
		}
		if fields := e.Log.GetFields(); len(fields) > 0 && !isObject(fields) {
			t.fail("the fields of a log line are no JSON object: %.80q", fields)
		}
	case *pb.ExecuteEvent_Progress:
		if p := e.Progress.GetPercentage(); !(p >= 0 && p <= 100) {
			t.fail("a progress of %v is not from 0 to 100", p)
		}
	case *pb.ExecuteEvent_Checkpoint:
		if data := e.Checkpoint.GetData(); !json.Valid(data) || len(data) > pluginsdk.MaxCheckpointSize {
			t.fail("a checkpoint is not JSON, or over 64 KiB: %.80q", data)
		}
	case *pb.ExecuteEvent_Effect:
		if e.Effect.GetAction() == "" || e.Effect.GetTarget() == "" {
			t.fail("an effect names no action or no target")
		}
	case *pb.ExecuteEvent_Artifact:
		judgeArtifact(t, e.Artifact, b)
	case *pb.ExecuteEvent_Result:
		if c.starts {
			judgeResult(t, e.Result, s)
		}
	case *pb.ExecuteEvent_Skipped:
		if e.Skipped.GetReason() == "" {
			t.fail("it is skipped without a reason")
		}
	case *pb.ExecuteEvent_Failure:
		judgeFailure(t, e.Failure)
	}
	if c.starts && i == 0 && event.GetStarted() == nil && event.GetFailure() == nil {
		t.fail("the first event is %s, and must be started", nameOf(event))
	}
}

func isObject(raw []byte) bool {
	return json.Valid(raw) && bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{"))
}

func judgeArtifact(t *trial, a *pb.Artifact, b *box) {
	path := filepath.FromSlash(a.GetPath())
	if !filepath.IsLocal(path) {
		t.fail("the artifact %q is not in the workspace", a.GetPath())
		return
	}
	if sum := sumOf(filepath.Join(b.workspace, path)); a.GetSha256() != "" && !strings.EqualFold(sum, a.GetSha256()) {
		t.fail("the artifact %s is not there, or has another SHA-256 than it says", a.GetPath())
	}
}

func judgeResult(t *trial, r *pb.Result, s *subject) {
	if output := r.GetOutput(); len(output) > 0 {
		if err := validate(s.output, output); err != nil {
			t.fail("the output does not match the output schema: %v", err)
		}
	} else if s.output != nil && s.outputRequired {
		t.fail("there is no output, and the output schema has required properties")
	}
	token := r.GetUndoToken()
	if len(token) > 0 && !json.Valid(token) {
		t.fail("the undo token is not JSON: %.80q", token)
	}
	if len(token) > 0 && !s.info.GetCapabilities().GetUndo() {
		t.fail("there is an undo token, but the capability undo is not declared")
	}
}

var faults = map[string]bool{"": true, "author": true, "downstream": true, "user": true, "host": true}

func judgeFailure(t *trial, f *pb.Failure) {
	switch {
	case f.GetMessage() == "":
		t.fail("a failure has no message")
	case f.GetCode() == "":
		t.fail("a failure has no code")
	case f.GetClass() == pb.FailureClass_FAILURE_CLASS_UNSPECIFIED:
		t.fail("a failure has no class; it counts as permanent")
	case !faults[f.GetFault()]:
		t.fail("a failure has the fault %q, and must have author, downstream, user or host", f.GetFault())
	}
	if pointer := f.GetPointer(); pointer != "" && !strings.HasPrefix(pointer, "/") {
		t.fail("a failure points to %q, and a JSON pointer begins with /", pointer)
	}
}

// next makes a request that of the next attempt, which gets what this one left.
func (c *call) next(request *pb.Request) {
	request.Attempt++
	for _, event := range c.events {
		if effect := event.GetEffect(); effect != nil {
			request.Effects = append(request.Effects, effect)
		}
		if checkpoint := event.GetCheckpoint(); checkpoint != nil {
			request.Checkpoint = checkpoint.GetData()
		}
	}
}

// tells reports whether a call shows a text anywhere.
func (c *call) tells(text string) (where string, told bool) {
	for _, event := range c.events {
		raw, err := proto.Marshal(event)
		if err == nil && bytes.Contains(raw, []byte(text)) {
			return nameOf(event), true
		}
	}
	return "", c.err != nil && strings.Contains(c.err.Error(), text)
}

// summary says how a call ended, to compare it with another.
func summary(end *pb.ExecuteEvent) string {
	switch {
	case end.GetResult() != nil:
		return "success " + canonical(end.GetResult().GetOutput())
	case end.GetSkipped() != nil:
		return "skipped"
	case end.GetFailure() != nil:
		return "failure " + end.GetFailure().GetCode()
	}
	return "unknown"
}

// kindOf is success, skipped or failure.
func kindOf(end *pb.ExecuteEvent) string {
	kind, _, _ := strings.Cut(summary(end), " ")
	return kind
}

// canonical writes JSON without regard to white space and the order of keys.
func canonical(raw []byte) string {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil {
		return string(raw)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return string(raw)
	}
	return string(text)
}
