package secret_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine/enginetest"
	"github.com/vwmp/vwmp/engine/secret"
	"github.com/vwmp/vwmp/pluginsdk"
)

// undoing is an Invoker that can undo and plan too.
type undoing struct {
	*enginetest.Invoker
	tokens chan string
}

func (u undoing) Undo(_ context.Context, r *pluginsdk.Request, token json.RawMessage, reports pluginsdk.Reporter) pluginsdk.Outcome {
	reports.Log(pluginsdk.LogLine{Message: "undo with " + string(token)})
	u.tokens <- string(token) + string(r.Checkpoint)
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: token}
}

func (u undoing) Plan(_ context.Context, r *pluginsdk.Request) ([]pluginsdk.PlannedEffect, error) {
	return []pluginsdk.PlannedEffect{{Action: "send", Target: string(r.Config), Summary: string(r.Config), Diff: string(r.Config)}}, nil
}

// listener keeps what a call reported.
type listener struct {
	pluginsdk.Reporter
	said        strings.Builder
	checkpoints []json.RawMessage
}

func (l *listener) Log(line pluginsdk.LogLine) { fmt.Fprintln(&l.said, line.Message) }

func (l *listener) Checkpoint(data json.RawMessage) error {
	l.checkpoints = append(l.checkpoints, data)
	return nil
}

func TestUndoTokensAndCheckpointsKeepTheirMeaning(t *testing.T) {
	drawer := newDrawer(t, map[string]string{"A": "hush-hush"})
	keeper := secret.NewKeeper(secret.Options{Secrets: drawer, Sealer: drawer})
	next := undoing{&enginetest.Invoker{Handlers: map[string]enginetest.Handler{
		"test.tell": func(_ context.Context, r *pluginsdk.Request, reports pluginsdk.Reporter) pluginsdk.Outcome {
			if err := reports.Checkpoint(r.Config); err != nil {
				return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: pluginsdk.FailureOf(t.Context(), err)}
			}
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, UndoToken: r.Config}
		},
	}}, make(chan string, 1)}
	invoker := secret.NewInvoker(next, keeper)
	request := &pluginsdk.Request{
		ExecutionID: "e", Handler: "test.tell", Config: json.RawMessage(`{"text":"PLACEHOLDER"}`), Secrets: map[string]string{"A": "PLACEHOLDER"},
	}
	heard := &listener{}
	outcome := invoker.Invoke(t.Context(), request, heard)
	kept := string(outcome.UndoToken) + string(heard.checkpoints[0])
	if strings.Contains(kept, "hush-hush") || strings.Contains(kept, "***") || !json.Valid(outcome.UndoToken) {
		t.Errorf("kept: %s", kept)
	}

	again := *request
	again.Checkpoint = heard.checkpoints[0]
	undone := invoker.Undo(t.Context(), &again, outcome.UndoToken, heard)
	if got := <-next.tokens; got != `{"text":"hush-hush"}{"text":"hush-hush"}` {
		t.Errorf("the handler was given %s", got)
	}
	if string(undone.Output) != `{"text":"***"}` || !strings.Contains(heard.said.String(), `undo with {"text":"***"}`) {
		t.Errorf("it said %s, and gave %s", heard.said.String(), undone.Output)
	}
	// A token that only looks sealed is the handler's own.
	if invoker.Undo(t.Context(), &again, json.RawMessage(`{"$sealed":"AAAA"}`), heard); <-next.tokens != `{"$sealed":"AAAA"}{"text":"hush-hush"}` {
		t.Error("a handler's own token was changed")
	}

	effects, err := invoker.Plan(t.Context(), request)
	if err != nil || effects[0].Target != `{"text":"***"}` || effects[0].Summary != effects[0].Target || effects[0].Diff != effects[0].Target {
		t.Errorf("planned: %+v, %v", effects, err)
	}
	if got := keeper.Scrub("stderr: hush-hush"); got != "stderr: ***" {
		t.Errorf("scrubbed: %s", got)
	}
}

func TestACallWithoutSecretsPassesThroughAsItIs(t *testing.T) {
	drawer := newDrawer(t, map[string]string{"A": "hush-hush"})
	keeper := secret.NewKeeper(secret.Options{Secrets: drawer, Sealer: drawer})
	var got *pluginsdk.Request
	var reporter pluginsdk.Reporter
	invoker := secret.NewInvoker(&enginetest.Invoker{Handlers: map[string]enginetest.Handler{
		"test.tell": func(_ context.Context, r *pluginsdk.Request, reports pluginsdk.Reporter) pluginsdk.Outcome {
			got, reporter = r, reports
			return succeed(r)
		},
	}}, keeper)
	request, heard := &pluginsdk.Request{ExecutionID: "e", Handler: "test.tell"}, &listener{}
	if invoker.Invoke(t.Context(), request, heard); got != request || reporter != pluginsdk.Reporter(heard) {
		t.Error("the request or the reporter is another")
	}
	if allocations := testing.AllocsPerRun(100, func() { _ = keeper.Scrub("text") }); allocations > 0 {
		t.Errorf("%v allocations to scrub nothing", allocations)
	}
}
