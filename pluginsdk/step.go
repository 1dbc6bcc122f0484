package pluginsdk

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Step is what a handler is given beside its config: the run it is part of,
// the workspace, and the ways to say something before it ends. Its methods
// may be called from several goroutines at once.
type Step struct {
	// Log writes to the step's log, live.
	Log *slog.Logger
	// Workspace is the only folder that a handler touches. It is never
	// nil; its methods fail where the run has no workspace.
	Workspace *Workspace

	request  Request
	adapter  json.RawMessage
	reporter Reporter

	mu   sync.Mutex
	undo json.RawMessage
}

// NewStep makes the step of a request. The adapter is the plugin's own
// configuration as a JSON object, or nil. Hosts of handlers (package serve,
// package plugintest) call it; authors don't. Close ends it.
func NewStep(request Request, adapter json.RawMessage, reporter Reporter) *Step {
	return &Step{
		Log:       slog.New(&stepLogHandler{reporter: reporter}),
		Workspace: &Workspace{dir: request.WorkspaceDir},
		request:   request,
		adapter:   adapter,
		reporter:  reporter,
	}
}

// Close gives back what the step holds open.
func (s *Step) Close() error { return s.Workspace.close() }

// Request returns the whole request; its values are not to be changed.
func (s *Step) Request() *Request { return &s.request }

// Attempt counts the tries of this step, from 1.
func (s *Step) Attempt() int { return s.request.Attempt }

// IdempotencyKey is the same for every attempt at this step of this
// execution.
func (s *Step) IdempotencyKey() string { return s.request.IdempotencyKey }

// TraceParent and TraceState are the W3C trace context that the call is part
// of, for requests to others and for spans of the handler's own. They are
// empty where the host follows nothing.
func (s *Step) TraceParent() string { return s.request.TraceParent }

// TraceState belongs to TraceParent, and is empty more often.
func (s *Step) TraceState() string { return s.request.TraceState }

// Parameter decodes the execution's parameter of that name into target. It
// reports whether the parameter is there and not null.
func (s *Step) Parameter(name string, target any) (bool, error) {
	return lookup(s.request.Parameters, name, target)
}

// Output decodes the output of an upstream step into target. It reports
// whether there is one.
func (s *Step) Output(stepID string, target any) (bool, error) {
	for _, output := range s.request.Outputs {
		if output.StepID == stepID && len(output.Output) > 0 {
			if err := json.Unmarshal(output.Output, target); err != nil {
				return true, fmt.Errorf("read the output of step %s: %w", stepID, err)
			}
			return true, nil
		}
	}
	return false, nil
}

// NearestOutput decodes the value under key in the output of the nearest
// upstream step that has one. It reports whether there is any.
func (s *Step) NearestOutput(key string, target any) (bool, error) {
	for _, output := range s.request.Outputs {
		found, err := lookup(output.Output, key, target)
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// Adapter decodes the plugin's own configuration into target, a pointer; where
// it is silent the defaults of a struct's tags count.
func (s *Step) Adapter(target any) error {
	if err := applyDefaults(target); err != nil {
		return fmt.Errorf("read the adapter configuration: %w", err)
	}
	if len(s.adapter) == 0 {
		return nil
	}
	if err := json.Unmarshal(s.adapter, target); err != nil {
		return fmt.Errorf("read the adapter configuration: %w", err)
	}
	return nil
}

// Checkpointed decodes the last checkpoint of an earlier attempt into target.
// It reports whether there is one.
func (s *Step) Checkpointed(target any) (bool, error) {
	if len(s.request.Checkpoint) == 0 {
		return false, nil
	}
	return true, json.Unmarshal(s.request.Checkpoint, target)
}

// Progress tells how far the step is, from 0 to 100, and with what.
func (s *Step) Progress(percentage float64, message string) {
	s.reporter.Progress(min(max(percentage, 0), 100), message)
}

// Heartbeat tells that the step is alive where it has nothing else to say.
func (s *Step) Heartbeat() { s.reporter.Heartbeat() }

// Checkpoint hands over a value that the next attempt gets, should this one
// be lost. Its JSON may have at most MaxCheckpointSize bytes.
func (s *Step) Checkpoint(value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write the checkpoint as JSON: %w", err)
	}
	if len(raw) > MaxCheckpointSize {
		return fmt.Errorf("the checkpoint is %d bytes, more than the %d allowed", len(raw), MaxCheckpointSize)
	}
	return s.reporter.Checkpoint(raw)
}

// Effect notes a change in the outside world: before it is made with
// Done false, after it with Done true.
func (s *Step) Effect(record EffectRecord) error { return s.reporter.Effect(record) }

// Artifact names a file of the workspace as a product of the step.
func (s *Step) Artifact(artifact Artifact) error { return s.reporter.Artifact(artifact) }

// SetUndo keeps what Undo needs to take this attempt back.
func (s *Step) SetUndo(token any) error {
	raw, err := json.Marshal(token)
	if err != nil {
		return fmt.Errorf("write the undo token as JSON: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.undo = raw
	return nil
}

func (s *Step) undoToken() json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.undo
}

// lookup decodes the value under key of a JSON object; null counts as absent.
func lookup(object json.RawMessage, key string, target any) (bool, error) {
	if len(object) == 0 || object[0] != '{' {
		return false, nil
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(object, &values); err != nil {
		return false, fmt.Errorf("read %s: %w", key, err)
	}
	raw, ok := values[key]
	if !ok || string(raw) == "null" {
		return false, nil
	}
	if err := json.Unmarshal(raw, target); err != nil {
		return false, fmt.Errorf("read %s: %w", key, err)
	}
	return true, nil
}

// stepLogHandler turns slog records into log lines of the step.
type stepLogHandler struct {
	reporter Reporter
	groups   []string
	attrs    []slog.Attr
}

func (h *stepLogHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *stepLogHandler) Handle(_ context.Context, record slog.Record) error {
	line := LogLine{Time: record.Time, Level: levelOf(record.Level), Message: record.Message}
	if line.Time.IsZero() {
		line.Time = time.Now()
	}
	fields := map[string]any{}
	for _, attr := range h.attrs {
		addField(fields, nil, attr)
	}
	record.Attrs(func(attr slog.Attr) bool {
		addField(fields, h.groups, attr)
		return true
	})
	if len(fields) > 0 {
		raw, err := json.Marshal(fields)
		if err != nil {
			raw, _ = json.Marshal(map[string]string{"fields_error": err.Error()})
		}
		line.Fields = raw
	}
	h.reporter.Log(line)
	return nil
}

func (h *stepLogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clone := *h
	clone.attrs = append([]slog.Attr{}, h.attrs...)
	for _, attr := range attrs {
		for i := len(h.groups) - 1; i >= 0; i-- {
			attr = slog.Attr{Key: h.groups[i], Value: slog.GroupValue(attr)}
		}
		clone.attrs = append(clone.attrs, attr)
	}
	return &clone
}

func (h *stepLogHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	clone := *h
	clone.groups = append(append([]string{}, h.groups...), name)
	return &clone
}

func addField(fields map[string]any, groups []string, attr slog.Attr) {
	for _, group := range groups {
		inner, ok := fields[group].(map[string]any)
		if !ok {
			inner = map[string]any{}
			fields[group] = inner
		}
		fields = inner
	}
	value := attr.Value.Resolve()
	if value.Kind() != slog.KindGroup {
		fields[attr.Key] = fieldValue(value)
		return
	}
	if attr.Key != "" {
		groups = []string{attr.Key}
	} else {
		groups = nil
	}
	for _, inner := range value.Group() {
		addField(fields, groups, inner)
	}
}

// fieldValue gives errors and durations their text: as JSON they would be {}
// and a number of nanoseconds.
func fieldValue(value slog.Value) any {
	switch v := value.Any().(type) {
	case error:
		return v.Error()
	case time.Duration:
		return v.String()
	case fmt.Stringer:
		if _, ok := v.(json.Marshaler); !ok {
			return v.String()
		}
		return v
	default:
		return v
	}
}

func levelOf(level slog.Level) LogLevel {
	switch {
	case level >= slog.LevelError:
		return LevelError
	case level >= slog.LevelWarn:
		return LevelWarning
	case level >= slog.LevelInfo:
		return LevelInfo
	}
	return LevelDebug
}
