package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/client"
	"github.com/vwmp/vwmp/pluginsdk/plugintest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type text struct {
	Text string `json:"text" title:"Text"`
}

func handlerOf(execute func(ctx context.Context, step *pluginsdk.Step, config text) (text, error)) *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{Path: "demo.work", Name: "Work", Description: "Works.", Category: "demo"},
		pluginsdk.Func[text, text](execute))
}

func TestOutcomesOfAHandlerArriveAsTheyAre(t *testing.T) {
	tests := map[string]struct {
		execute func(ctx context.Context, step *pluginsdk.Step, config text) (text, error)
		want    pluginsdk.Outcome
	}{
		"a success, with its undo token": {
			func(_ context.Context, step *pluginsdk.Step, config text) (text, error) {
				return config, step.SetUndo(7)
			},
			pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: json.RawMessage(`{"text":"hi"}`), UndoToken: json.RawMessage(`7`)},
		},
		"a skip": {
			func(context.Context, *pluginsdk.Step, text) (text, error) {
				return text{}, pluginsdk.Skip("nothing to do")
			},
			pluginsdk.Outcome{Kind: pluginsdk.OutcomeSkipped, SkipReason: "nothing to do"},
		},
		"a retryable failure, with its wait": {
			func(context.Context, *pluginsdk.Step, text) (text, error) {
				return text{}, pluginsdk.Retryable(errors.New("no route")).After(3 * time.Second)
			},
			pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{
				Class: pluginsdk.FailureRetryable, Code: "RETRYABLE", Message: "no route", RetryAfter: 3 * time.Second, Fault: pluginsdk.FaultDownstream,
			}},
		},
		"invalid input, with its place": {
			func(context.Context, *pluginsdk.Step, text) (text, error) {
				return text{}, pluginsdk.Invalid("/text", "is empty")
			},
			pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{
				Class: pluginsdk.FailureInvalidInput, Code: "INVALID_INPUT", Message: "is empty", Pointer: "/text", Fault: pluginsdk.FaultUser,
			}},
		},
		"a panic": {
			func(context.Context, *pluginsdk.Step, text) (text, error) { panic("oh") },
			pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{
				Class: pluginsdk.FailurePermanent, Code: "HANDLER_PANIC", Message: "the handler demo.work panicked: oh", Fault: pluginsdk.FaultAuthor,
			}},
		},
		"an output that no message holds": {
			func(context.Context, *pluginsdk.Step, text) (text, error) {
				return text{strings.Repeat("x", pluginsdk.MaxOutputSize-12)}, nil
			},
			pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{
				Class: pluginsdk.FailurePermanent, Code: "output_too_large", Fault: pluginsdk.FaultAuthor,
				Message: "the output and what undo needs are 8388617 bytes, more than the 8388608 allowed",
			}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			result := plugintest.Run(t, handlerOf(test.execute), text{"hi"})
			if !reflect.DeepEqual(result.Outcome, test.want) {
				t.Errorf("got  %+v %+v\nwant %+v %+v", result.Outcome, result.Failure, test.want, test.want.Failure)
			}
		})
	}
}

func TestAMessageOfAlmostEightMebibytesPasses(t *testing.T) {
	handler := handlerOf(func(_ context.Context, _ *pluginsdk.Step, config text) (text, error) { return config, nil })
	big := text{strings.Repeat("x", pluginsdk.MaxMessageSize-1024)}
	var got text
	plugintest.Run(t, handler, big).MustSucceed(t, &got)
	if got != big {
		t.Error("the text has changed on its way")
	}
}

func TestARequestThatNoMessageHoldsIsRefusedForGood(t *testing.T) {
	handler := handlerOf(func(_ context.Context, _ *pluginsdk.Step, config text) (text, error) { return config, nil })
	failure := plugintest.Run(t, handler, text{strings.Repeat("x", pluginsdk.MaxMessageSize)}).MustFail(t)
	if failure.Class != pluginsdk.FailurePermanent || failure.Code != client.CodeTooLarge {
		t.Errorf("got %+v", failure)
	}
}

func TestLogLinesOfManyGoroutinesArriveAllAndBeforeTheEnd(t *testing.T) {
	const writers, each = 8, 500
	handler := handlerOf(func(_ context.Context, step *pluginsdk.Step, _ text) (text, error) {
		var writing sync.WaitGroup
		for writer := range writers {
			writing.Go(func() {
				for n := range each {
					step.Log.Info(fmt.Sprintf("%d/%d", writer, n))
				}
			})
		}
		writing.Wait()
		return text{}, nil
	})
	result := plugintest.Run(t, handler, text{})
	result.MustSucceed(t, nil)
	next := map[string]int{}
	for _, line := range result.Logs {
		writer, number, _ := strings.Cut(line.Message, "/")
		if number != fmt.Sprint(next[writer]) {
			t.Fatalf("writer %s: line %s came where line %d was due", writer, number, next[writer])
		}
		next[writer]++
	}
	if len(result.Logs) != writers*each {
		t.Errorf("%d lines of %d arrived", len(result.Logs), writers*each)
	}
}

func TestEverythingAStepSaysArrives(t *testing.T) {
	effect := pluginsdk.EffectRecord{Action: "create", Target: "tag", ExternalID: "v1", Done: true}
	artifact := pluginsdk.Artifact{Path: "a.txt", Size: 3, SHA256: "00", MediaType: "text/plain"}
	handler := handlerOf(func(_ context.Context, step *pluginsdk.Step, _ text) (text, error) {
		step.Log.Warn("caf\xe9", "n", 1)
		step.Progress(50, "half")
		step.Heartbeat()
		return text{}, errors.Join(step.Checkpoint(map[string]int{"n": 1}), step.Effect(effect), step.Artifact(artifact))
	})
	result := plugintest.Run(t, handler, text{})
	result.MustSucceed(t, nil)
	if len(result.Logs) != 1 || result.Logs[0].Message != "caf\uFFFD" || string(result.Logs[0].Fields) != `{"n":1}` ||
		result.Logs[0].Level != pluginsdk.LevelWarning {
		t.Errorf("the log is %+v", result.Logs)
	}
	if len(result.Progress) != 1 || result.Progress[0] != (plugintest.Progress{Percentage: 50, Message: "half"}) || result.Heartbeats != 1 {
		t.Errorf("progress is %+v, heartbeats %d", result.Progress, result.Heartbeats)
	}
	if len(result.Checkpoints) != 1 || string(result.Checkpoints[0]) != `{"n":1}` {
		t.Errorf("the checkpoints are %s", result.Checkpoints)
	}
	if len(result.Effects) != 1 || result.Effects[0] != effect || len(result.Artifacts) != 1 || result.Artifacts[0] != artifact {
		t.Errorf("effects %+v, artifacts %+v", result.Effects, result.Artifacts)
	}
}

func TestWhatIsSaidAfterTheEndIsDropped(t *testing.T) {
	ended := make(chan struct{})
	said := make(chan error, 1)
	handler := handlerOf(func(_ context.Context, step *pluginsdk.Step, _ text) (text, error) {
		go func() {
			<-ended
			step.Log.Info("too late")
			said <- step.Checkpoint(1)
		}()
		return text{}, nil
	})
	result := plugintest.Run(t, handler, text{})
	close(ended)
	if err := <-said; err == nil {
		t.Error("a checkpoint after the end was taken")
	}
	result.MustSucceed(t, nil)
	if len(result.Logs)+len(result.Checkpoints) != 0 {
		t.Errorf("got %+v", result)
	}
}

// cancelling runs a handler that waits for its context, cancels it once it
// has begun, and returns the result.
func cancelling(t *testing.T, cause error, execute func(ctx context.Context, step *pluginsdk.Step) error) plugintest.Result {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	handler := handlerOf(func(ctx context.Context, step *pluginsdk.Step, _ text) (text, error) {
		cancel(cause)
		return text{}, execute(ctx, step)
	})
	return plugintest.Run(t, handler, text{}, plugintest.WithContext(ctx))
}

func TestACancelReachesTheStepAndItsLastWordsArrive(t *testing.T) {
	tests := map[string]struct {
		cause error
		err   func(ctx context.Context) error
		class pluginsdk.FailureClass
	}{
		"cancelled":                             {context.Canceled, context.Cause, pluginsdk.FailureCancelled},
		"out of time":                           {context.DeadlineExceeded, context.Cause, pluginsdk.FailureTimeout},
		"cancelled, told as a command's end":    {context.Canceled, func(context.Context) error { return errors.New("signal: killed") }, pluginsdk.FailureCancelled},
		"cancelled, and invalid input all same": {context.Canceled, func(context.Context) error { return pluginsdk.Invalid("", "no") }, pluginsdk.FailureInvalidInput},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			result := cancelling(t, test.cause, func(ctx context.Context, step *pluginsdk.Step) error {
				<-ctx.Done()
				step.Log.Info("cleaned up")
				return test.err(ctx)
			})
			if failure := result.MustFail(t); failure.Class != test.class {
				t.Errorf("got %+v", failure)
			}
			if result.Log() != "cleaned up\n" {
				t.Errorf("the log is %q", result.Log())
			}
		})
	}
}

func TestAStepThatFinishesAllTheSameHasSucceeded(t *testing.T) {
	result := cancelling(t, context.Canceled, func(ctx context.Context, _ *pluginsdk.Step) error {
		<-ctx.Done()
		return nil
	})
	result.MustSucceed(t, nil)
}

func TestACallCancelledBeforeItBeganNeverReachesThePlugin(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	handler := handlerOf(func(context.Context, *pluginsdk.Step, text) (text, error) {
		t.Error("the handler ran")
		return text{}, nil
	})
	if failure := plugintest.Run(t, handler, text{}, plugintest.WithContext(ctx)).MustFail(t); failure.Class != pluginsdk.FailureCancelled {
		t.Errorf("got %+v", failure)
	}
}

func TestTheDeadlineOfARequestEndsTheStep(t *testing.T) {
	handler := handlerOf(func(ctx context.Context, _ *pluginsdk.Step, _ text) (text, error) {
		<-ctx.Done()
		return text{}, ctx.Err()
	})
	result := plugintest.Run(t, handler, text{}, plugintest.WithRequest(func(r *pluginsdk.Request) {
		r.Deadline = time.Now().Add(20 * time.Millisecond)
	}))
	if failure := result.MustFail(t); failure.Class != pluginsdk.FailureTimeout || failure.Code != "TIMEOUT" {
		t.Errorf("got %+v", failure)
	}
}

func TestAStepThatIgnoresItsCancelIsGivenUpAsUnknown(t *testing.T) {
	release := make(chan struct{})
	handler := handlerOf(func(context.Context, *pluginsdk.Step, text) (text, error) {
		<-release
		return text{}, nil
	})
	c := plugintest.Connect(t, &pluginsdk.Plugin{Name: "demo", Version: "1.0.0", Handlers: []*pluginsdk.Handler{handler}})
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	outcome := c.Execute(ctx, &pluginsdk.Request{Handler: "demo.work", ItemIndex: -1, Attempt: 1}, discard{}, 50*time.Millisecond)
	if outcome.Kind != pluginsdk.OutcomeUnknown || outcome.Failure.Code != client.CodeCancelIgnored {
		t.Errorf("got %+v %+v", outcome, outcome.Failure)
	}
}

func TestADrainingPluginTakesNoCallAndWaitsForThoseItHas(t *testing.T) {
	release, begun := make(chan struct{}), make(chan struct{})
	handler := handlerOf(func(context.Context, *pluginsdk.Step, text) (text, error) {
		close(begun)
		<-release
		return text{}, nil
	})
	c := plugintest.Connect(t, &pluginsdk.Plugin{Name: "demo", Version: "1.0.0", Handlers: []*pluginsdk.Handler{handler}})
	request := &pluginsdk.Request{Handler: "demo.work", ItemIndex: -1, Attempt: 1}
	first := make(chan pluginsdk.Outcome, 1)
	go func() { first <- c.Execute(t.Context(), request, discard{}, time.Second) }()
	<-begun
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := c.Drain(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a call running, Drain gives %v", err)
	}
	second := c.Execute(t.Context(), request, discard{}, time.Second)
	if second.Kind != pluginsdk.OutcomeFailure || second.Failure.Class != pluginsdk.FailureRetryable || second.Failure.Code != "DRAINING" {
		t.Errorf("a new call gives %+v %+v", second, second.Failure)
	}
	close(release)
	if outcome := <-first; outcome.Kind != pluginsdk.OutcomeSuccess {
		t.Errorf("the running call gives %+v", outcome)
	}
	if err := c.Drain(t.Context()); err != nil {
		t.Errorf("when idle, Drain gives %v", err)
	}
}

func TestWhatAHandlerLacksIsUnsupported(t *testing.T) {
	handler := handlerOf(func(context.Context, *pluginsdk.Step, text) (text, error) { return text{}, nil })
	if _, err := plugintest.Plan(t, handler, text{}); !errors.Is(err, pluginsdk.ErrUnsupported) {
		t.Errorf("Plan gives %v", err)
	}
	if _, err := plugintest.Reconcile(t, handler, text{}); !errors.Is(err, pluginsdk.ErrUnsupported) {
		t.Errorf("Reconcile gives %v", err)
	}
	if failure := plugintest.Undo(t, handler, text{}, nil).MustFail(t); failure.Code != client.CodeRefused {
		t.Errorf("Undo gives %+v", failure)
	}
	if problems, err := plugintest.ValidateConfig(t, handler, text{}); err != nil || len(problems) > 0 {
		t.Errorf("ValidateConfig gives %v %v", problems, err)
	}
}

func TestAnUnknownHandlerIsRefused(t *testing.T) {
	c := plugintest.Connect(t, &pluginsdk.Plugin{Name: "demo", Version: "1.0.0"})
	outcome := c.Execute(t.Context(), &pluginsdk.Request{Handler: "demo.none"}, discard{}, time.Second)
	if outcome.Kind != pluginsdk.OutcomeFailure || outcome.Failure.Class != pluginsdk.FailurePermanent {
		t.Errorf("got %+v %+v", outcome, outcome.Failure)
	}
}

// able is a handler that can do everything.
type able struct{}

func (able) Execute(_ context.Context, step *pluginsdk.Step, config text) (text, error) {
	return config, step.SetUndo(config)
}

func (able) Plan(_ context.Context, _ *pluginsdk.Step, config text) ([]pluginsdk.PlannedEffect, error) {
	if config.Text == "" {
		return nil, pluginsdk.Invalid("/text", "is empty")
	}
	return []pluginsdk.PlannedEffect{{Action: "send", Target: config.Text, Known: true}}, nil
}

func (able) Undo(_ context.Context, step *pluginsdk.Step, token json.RawMessage) error {
	step.Log.Info("undone " + string(token))
	if string(token) == "null" {
		return errors.New("nothing to go by")
	}
	return nil
}

func (able) Reconcile(_ context.Context, step *pluginsdk.Step, config text) (pluginsdk.Reconciliation[text], error) {
	var n int
	if found, err := step.Checkpointed(&n); err != nil || !found {
		return pluginsdk.Reconciliation[text]{Status: pluginsdk.ReconcileNotStarted, Detail: "no checkpoint"}, err
	}
	return pluginsdk.Reconciliation[text]{Status: pluginsdk.ReconcileDone, Output: config}, nil
}

func (able) ValidateConfig(_ context.Context, config text) []pluginsdk.Problem {
	if config.Text == "bad" {
		return []pluginsdk.Problem{{Pointer: "/text", Code: "bad", Message: "It is bad."}}
	}
	return nil
}

func TestThePlanTheVerdictTheUndoAndTheProblemsArrive(t *testing.T) {
	handler := pluginsdk.NewHandler[text, text](pluginsdk.HandlerInfo{Path: "demo.able", Name: "Able"}, able{})
	effects, err := plugintest.Plan(t, handler, text{"news"})
	if err != nil || len(effects) != 1 || effects[0].Target != "news" {
		t.Errorf("Plan gives %+v %v", effects, err)
	}
	var invalid *pluginsdk.Error
	if _, err := plugintest.Plan(t, handler, text{}); !errors.As(err, &invalid) || invalid.Class != pluginsdk.FailureInvalidInput {
		t.Errorf("Plan of an invalid config gives %v", err)
	}
	verdict, err := plugintest.Reconcile(t, handler, text{"news"})
	if err != nil || verdict.Status != pluginsdk.ReconcileNotStarted || verdict.Detail != "no checkpoint" {
		t.Errorf("Reconcile gives %+v %v", verdict, err)
	}
	verdict, err = plugintest.Reconcile(t, handler, text{"news"}, plugintest.AsAttempt(2, json.RawMessage(`1`)))
	if err != nil || verdict.Status != pluginsdk.ReconcileDone || string(verdict.Output) != `{"text":"news"}` {
		t.Errorf("Reconcile after a checkpoint gives %+v %v", verdict, err)
	}
	undone := plugintest.Undo(t, handler, text{"news"}, plugintest.Run(t, handler, text{"news"}).UndoToken)
	undone.MustSucceed(t, nil)
	if undone.Log() != "undone {\"text\":\"news\"}\n" {
		t.Errorf("Undo says %q", undone.Log())
	}
	if failure := plugintest.Undo(t, handler, text{}, json.RawMessage(`null`)).MustFail(t); failure.Message != "nothing to go by" {
		t.Errorf("Undo fails with %+v", failure)
	}
	problems, err := plugintest.ValidateConfig(t, handler, text{"bad"})
	if err != nil || len(problems) != 1 || problems[0].Severity != pluginsdk.SeverityError || problems[0].Pointer != "/text" {
		t.Errorf("ValidateConfig gives %+v %v", problems, err)
	}
}

func TestTheRulesOfAWorkflowTypeAreAsked(t *testing.T) {
	plugin := &pluginsdk.Plugin{
		Name: "demo", Version: "1.0.0", WorkflowTypes: []pluginsdk.WorkflowType{{Name: "kind", Version: "1.0.0"}},
		ValidateWorkflow: func(_ context.Context, workflowType string, document json.RawMessage) []pluginsdk.Problem {
			if string(document) == `{}` {
				panic("an empty document")
			}
			return []pluginsdk.Problem{{Code: "odd", Message: workflowType + string(document)}}
		},
	}
	c := plugintest.Connect(t, plugin)
	problems, err := c.ValidateWorkflow(t.Context(), "kind", json.RawMessage(`[1]`))
	if err != nil || len(problems) != 1 || problems[0].Message != "kind[1]" {
		t.Errorf("got %+v %v", problems, err)
	}
	if _, err := c.ValidateWorkflow(t.Context(), "kind", json.RawMessage(`{}`)); err == nil || !strings.Contains(err.Error(), "panicked") {
		t.Errorf("a panic gives %v", err)
	}
	without := plugintest.Connect(t, &pluginsdk.Plugin{Name: "demo", Version: "1.0.0"})
	if problems, err := without.ValidateWorkflow(t.Context(), "kind", nil); err != nil || problems != nil {
		t.Errorf("without rules: %+v %v", problems, err)
	}
}

func TestTheAdapterConfigurationReachesTheStep(t *testing.T) {
	handler := handlerOf(func(_ context.Context, step *pluginsdk.Step, _ text) (out text, err error) {
		return out, step.Adapter(&out)
	})
	var got text
	plugintest.Run(t, handler, text{}, plugintest.WithAdapter(text{"origin"})).MustSucceed(t, &got)
	if got.Text != "origin" {
		t.Errorf("the adapter says %q", got.Text)
	}
	c := plugintest.Connect(t, &pluginsdk.Plugin{Name: "demo", Version: "1.0.0"})
	if problems, err := c.Configure(t.Context(), json.RawMessage(`{`)); err != nil || len(problems) != 1 {
		t.Errorf("a configuration that is not JSON gives %+v %v", problems, err)
	}
}

type discard struct{}

func (discard) Log(pluginsdk.LogLine)               {}
func (discard) Progress(float64, string)            {}
func (discard) Heartbeat()                          {}
func (discard) Checkpoint(json.RawMessage) error    { return nil }
func (discard) Effect(pluginsdk.EffectRecord) error { return nil }
func (discard) Artifact(pluginsdk.Artifact) error   { return nil }
