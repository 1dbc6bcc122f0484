package secret

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/pluginsdk"
)

// scrubbing takes out what one execution may have seen.
type scrubbing struct {
	keeper    *Keeper
	execution *seen
}

func (s scrubbing) text(text string) string { return s.execution.scrubber.Load().Text(text) }

func (s scrubbing) json(data json.RawMessage) json.RawMessage {
	return s.execution.scrubber.Load().JSON(data)
}

// seal hides data as a whole where it shows a value.
func (s scrubbing) seal(ctx context.Context, what string, data json.RawMessage) (json.RawMessage, error) {
	if len(data) == 0 || !s.execution.scrubber.Load().Finds(data) {
		return data, nil
	}
	// What is cut short here would be lost: the call itself may be over.
	sealed, err := s.keeper.sealer.Seal(context.WithoutCancel(ctx), what, data)
	if err != nil {
		return nil, fmt.Errorf("seal the %s: %w", what, err)
	}
	return json.Marshal(sealedJSON{sealed})
}

func (s scrubbing) outcome(ctx context.Context, outcome pluginsdk.Outcome) pluginsdk.Outcome {
	outcome.Output, outcome.SkipReason = s.json(outcome.Output), s.text(outcome.SkipReason)
	if outcome.Failure != nil {
		failure := *outcome.Failure
		failure.Code, failure.Message, failure.Pointer = s.text(failure.Code), s.text(failure.Message), s.text(failure.Pointer)
		outcome.Failure = &failure
	}
	token, err := s.seal(ctx, sealedToken, outcome.UndoToken)
	if err != nil {
		// The step is done, whatever becomes of its undo; the mask is the
		// lesser loss.
		token = s.json(outcome.UndoToken)
	}
	outcome.UndoToken = token
	return outcome
}

// error masks an error's text and keeps what it is.
func (s scrubbing) error(err error) error {
	text := s.text(err.Error())
	if text == err.Error() {
		return err
	}
	return &maskedError{text, err}
}

type maskedError struct {
	text  string
	cause error
}

func (e *maskedError) Error() string { return e.text }

func (e *maskedError) Unwrap() error { return e.cause }

// reporter masks what a call says while it runs.
type reporter struct {
	// ctx is the call's own, for what it seals.
	ctx  context.Context
	next pluginsdk.Reporter
	scrubbing
}

func (r *reporter) Log(line pluginsdk.LogLine) {
	line.Message, line.Fields = r.text(line.Message), r.json(line.Fields)
	r.next.Log(line)
}

func (r *reporter) Progress(percentage float64, message string) {
	r.next.Progress(percentage, r.text(message))
}

func (r *reporter) Heartbeat() { r.next.Heartbeat() }

func (r *reporter) Checkpoint(data json.RawMessage) error {
	sealed, err := r.seal(r.ctx, sealedCheckpoint, data)
	if err != nil {
		return err
	}
	return r.next.Checkpoint(sealed)
}

func (r *reporter) Effect(record pluginsdk.EffectRecord) error {
	record.Action, record.Target, record.ExternalID = r.text(record.Action), r.text(record.Target), r.text(record.ExternalID)
	return r.next.Effect(record)
}

// Used implements engine.UsageReporter: figures hold no secrets.
func (r *reporter) Used(usage engine.Usage) {
	if wants, able := r.next.(engine.UsageReporter); able {
		wants.Used(usage)
	}
}

func (r *reporter) Artifact(artifact pluginsdk.Artifact) error {
	artifact.Path, artifact.MediaType = r.text(artifact.Path), r.text(artifact.MediaType)
	return r.next.Artifact(artifact)
}
