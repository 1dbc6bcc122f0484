package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/vwmp/vwmp/engine/plan"
)

func getenv(name string) string { return os.Getenv(name) }

func (s *settings) level() slog.Level {
	var level slog.Level
	// check has seen to it that the word is one of four.
	_ = level.UnmarshalText([]byte(s.LogLevel))
	return level
}

func newLogger(w io.Writer, format string, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// eventLog tells the log what becomes of executions: what a person should know
// by itself, and everything else to whoever wants details.
type eventLog struct{ log *slog.Logger }

// Publish implements engine.Publisher.
func (l eventLog) Publish(event plan.Event) {
	level, text := levelOf(&event)
	ctx := context.Background()
	if text == "" || !l.log.Enabled(ctx, level) {
		return
	}
	fields := []slog.Attr{slog.String("execution_id", event.ExecutionID), slog.String("workflow_id", event.WorkflowID)}
	add := func(key, value string) {
		if value != "" {
			fields = append(fields, slog.String(key, value))
		}
	}
	plugin, _, _ := strings.Cut(event.Handler, ".")
	add("step_id", event.StepID)
	add("handler", event.Handler)
	add("plugin", plugin)
	add("trigger", event.Trigger)
	add("status", event.Status)
	add("reason", event.Reason)
	if event.Attempt > 0 {
		fields = append(fields, slog.Int("attempt", event.Attempt))
	}
	if event.ItemIndex != nil {
		fields = append(fields, slog.Int("item_index", *event.ItemIndex))
	}
	for key, seconds := range map[string]*float64{"took_seconds": event.TotalTime, "step_seconds": event.ExecutionTime} {
		if seconds != nil {
			fields = append(fields, slog.Float64(key, *seconds))
		}
	}
	if event.Error != nil {
		add("code", event.Error.Code)
		add("error", event.Error.Message)
	}
	l.log.LogAttrs(ctx, level, text, fields...)
}

// levelOf says how much an event matters; the text is empty for one that the
// log leaves out.
func levelOf(event *plan.Event) (slog.Level, string) {
	switch event.Type {
	case plan.ExecutionStarted:
		return slog.LevelDebug, "an execution began"
	case plan.ExecutionParked:
		return slog.LevelWarn, "an execution is parked until somebody resumes it"
	case plan.StepInterrupted:
		return slog.LevelWarn, "nobody knows how a step ended; it waits for a person"
	case plan.StepStarted:
		return slog.LevelDebug, "a step began"
	case plan.StepRetrying:
		return slog.LevelDebug, "a step is tried again"
	case plan.StepCompleted:
		if event.Status == string(plan.StatusFailed) {
			return slog.LevelInfo, "a step failed"
		}
		return slog.LevelDebug, "a step ended"
	case plan.WorkflowCompleted:
		if event.Status != string(plan.StatusSuccess) {
			return slog.LevelInfo, "an execution did not succeed"
		}
		return slog.LevelDebug, "an execution ended"
	default:
		return slog.LevelDebug, ""
	}
}
