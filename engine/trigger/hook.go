package trigger

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/workflow"
)

// HookRequest is one call of a webhook.
type HookRequest struct {
	// Raw is the body as it came, which the signature is about.
	Raw []byte
	// Body gives what ${trigger.body} stands for, a JSON value. It is asked
	// once the token and the signature were found good.
	Body func() (any, error)
	// Headers by their names in lower case, and Query by its names.
	Headers, Query map[string]string
	// Key is the caller's own idempotency key, or empty.
	Key string
}

// Hook fires the webhook that a token opens. Its error is an
// engine.ErrNotFound for a token that opens none, a *LimitedError, an
// ErrSignature, an ErrNoSecret, an engine.ErrConflict for a trigger that does
// not fire at present, or why the start was refused.
func (r *Runner) Hook(ctx context.Context, token string, request *HookRequest) (engine.Execution, error) {
	select {
	case <-r.loaded:
	case <-ctx.Done():
		return engine.Execution{}, context.Cause(ctx)
	}
	sum := sha256.Sum256([]byte(token))
	r.mu.Lock()
	e := r.hooks[sum]
	if e == nil || e.trigger.Type != workflow.TriggerWebhook {
		r.mu.Unlock()
		return engine.Execution{}, fmt.Errorf("hook: %w", engine.ErrNotFound)
	}
	s, off := e.shape, e.off()
	wait := e.calls.admit(r.now())
	r.mu.Unlock()
	if wait > 0 {
		return engine.Execution{}, &LimitedError{After: wait}
	}
	err := r.checkSignature(ctx, s, request)
	if err == nil {
		err = off
	}
	var body any
	if err == nil {
		body, err = request.Body()
	}
	var execution engine.Execution
	if err == nil {
		execution, err = r.start(ctx, s, request.cause(body))
	}
	if !givenUp(ctx, err) {
		r.note(ctx, e, time.Time{}, r.outcome(s, Firing{}, execution, err))
	}
	return execution, err
}

// off says why a trigger does not fire at present.
func (e *entry) off() error {
	switch {
	case e.record.Paused:
		return fmt.Errorf("%w: the trigger is paused", engine.ErrConflict)
	case !e.trigger.Enabled:
		return fmt.Errorf("%w: the trigger is not enabled", engine.ErrConflict)
	case e.draft:
		return fmt.Errorf("%w: the workflow is a draft with problems", engine.ErrConflict)
	}
	return nil
}

func (h *HookRequest) cause(body any) cause {
	why := cause{payload: map[string]any{"body": body, "headers": h.Headers, "query": h.Query}}
	if h.Key != "" {
		// A key of any length becomes one that a store takes.
		sum := sha256.Sum256([]byte(h.Key))
		why.key = "call:" + hex.EncodeToString(sum[:])
	}
	return why
}

// checkSignature compares in a time that does not tell how much is right.
func (r *Runner) checkSignature(ctx context.Context, s *shape, request *HookRequest) error {
	wanted := s.trigger.Signature
	if wanted == nil {
		return nil
	}
	if r.options.Secrets == nil {
		return fmt.Errorf("%w: secrets are not configured, and the signature needs %q", ErrNoSecret, wanted.Secret)
	}
	secret, err := r.options.Secrets.Secret(ctx, wanted.Secret)
	if errors.Is(err, ErrNoSecret) {
		return fmt.Errorf("%w: the signature needs %q", ErrNoSecret, wanted.Secret)
	}
	if err != nil {
		r.log.Error("the secret of a webhook's signature can't be read", "trigger", s.id, "workflow_id", s.workflowID, "secret", wanted.Secret, "error", err)
		return fmt.Errorf("%w that can be read: the signature needs %q, and the server's log has the cause", ErrNoSecret, wanted.Secret)
	}
	if secret == "" {
		return fmt.Errorf("%w: the secret %q of the signature is empty", ErrNoSecret, wanted.Secret)
	}
	sent, hasPrefix := strings.CutPrefix(request.Headers[strings.ToLower(wanted.Header)], wanted.Prefix)
	given, err := hex.DecodeString(sent)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(request.Raw)
	if !hmac.Equal(mac.Sum(nil), given) || !hasPrefix || err != nil {
		return ErrSignature
	}
	return nil
}

// callLog holds the times of a hook's newest calls, oldest first.
type callLog []time.Time

// admit notes a call, or says how long the caller must wait.
func (c *callLog) admit(now time.Time) time.Duration {
	kept := (*c)[:0]
	for _, at := range *c {
		// A time from beyond now was noted before the clock was set back.
		if now.Sub(at) < HookPeriod && !at.After(now) {
			kept = append(kept, at)
		}
	}
	*c = kept
	if len(kept) >= HookRate {
		return HookPeriod - now.Sub(kept[0])
	}
	*c = append(*c, now)
	return 0
}
