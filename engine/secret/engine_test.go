package secret_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/enginetest"
	"github.com/vwmp/vwmp/engine/local"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/secret"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// drawer is a source of secrets and a sealer, in memory.
type drawer struct {
	key *secret.Key

	mu     sync.Mutex
	values map[string]string
	// broken, where set, is why nothing can be opened.
	broken error
}

func newDrawer(t *testing.T, values map[string]string) *drawer {
	t.Helper()
	key, err := secret.NewKey(secret.RandomKey())
	if err != nil {
		t.Fatal(err)
	}
	return &drawer{key: key, values: maps.Clone(values)}
}

func (d *drawer) set(name, value string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.values[name] = value
	if value == "" {
		delete(d.values, name)
	}
}

func (d *drawer) Secret(_ context.Context, name string) (secret.Value, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	value, found := d.values[name]
	switch {
	case !found:
		return secret.Value{}, fmt.Errorf("secret %q: %w", name, engine.ErrNotFound)
	case d.broken != nil:
		return secret.Value{}, d.broken
	}
	return secret.NewValue(value), nil
}

func (d *drawer) Seal(_ context.Context, what string, text []byte) ([]byte, error) {
	return d.key.Seal(what, text), d.broken
}

func (d *drawer) Open(_ context.Context, what string, sealed []byte) ([]byte, error) {
	if d.broken != nil {
		return nil, d.broken
	}
	return d.key.Open(what, sealed)
}

// bench is an engine with secrets, whose one handler is a function.
type bench struct {
	t       *testing.T
	drawer  *drawer
	store   *enginetest.Store
	events  *enginetest.Recorder
	invoker *enginetest.Invoker
	engine  *local.Runtime
	epoch   uint64
}

const textSchema = `{"type":"object","additionalProperties":false,"properties":{
	"text":{"type":"string","maxLength":12},"list":{"type":"array","items":{"type":"string","pattern":"^[a-z ]*$"}}}}`

func newBench(t *testing.T, values map[string]string, handler enginetest.Handler) *bench {
	t.Helper()
	b := &bench{
		t: t, drawer: newDrawer(t, values), store: enginetest.NewStore(), events: enginetest.NewRecorder(),
		invoker: &enginetest.Invoker{Handlers: map[string]enginetest.Handler{"test.tell": handler}},
	}
	b.restart()
	t.Cleanup(b.stop)
	return b
}

// restart makes a new runtime on the same store, as a new host does.
func (b *bench) restart() {
	b.t.Helper()
	if b.engine != nil {
		b.stop()
	}
	b.epoch++
	keeper := secret.NewKeeper(secret.Options{Secrets: b.drawer, Sealer: b.drawer})
	b.engine = local.New(local.Options{
		Journal: b.store, Blobs: b.store, Logs: b.store, Invoker: secret.NewInvoker(b.invoker, keeper), Secrets: keeper,
		Catalogue: catalogue{workflow.NewCatalogue([]*workflow.Handler{workflow.NewHandler(pluginsdk.HandlerInfo{
			Path: "test.tell", Name: "Tell", Effect: pluginsdk.EffectPure, ConfigSchema: json.RawMessage(textSchema),
		}, "test", "1.0.0")}, nil)},
		Settings: enginetest.Settings{}, Publisher: b.events, Clock: enginetest.Clock{}, BootEpoch: b.epoch,
	})
	if _, err := b.engine.Recover(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := b.engine.Close(ctx); err != nil {
		b.t.Errorf("close: %v", err)
	}
}

type catalogue struct{ workflow.Catalogue }

func (catalogue) Generation() uint64 { return 1 }

func (catalogue) ValidateConfig(context.Context, string, json.RawMessage) ([]pluginsdk.Problem, error) {
	return nil, nil
}

func (catalogue) ValidateWorkflow(context.Context, string, json.RawMessage) ([]pluginsdk.Problem, error) {
	return nil, nil
}

func (b *bench) start(document, parameters string) string {
	b.t.Helper()
	execution, _, err := b.engine.Start(b.t.Context(), engine.StartRequest{
		WorkflowID: "w", Document: json.RawMessage(`{"name":"Test",` + document + `}`), Parameters: json.RawMessage(parameters),
		Trigger: engine.TriggerAPI, By: "tester",
	})
	if err != nil {
		b.t.Fatalf("start: %v", err)
	}
	return execution.ID
}

// run runs a document to its end and returns its public events, as text.
func (b *bench) run(document, parameters string) (id, events string) {
	b.t.Helper()
	id = b.start(document, parameters)
	return id, b.finish(id)
}

func (b *bench) finish(id string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 30*time.Second)
	defer cancel()
	if err := b.engine.Wait(ctx, id); err != nil {
		b.t.Fatalf("wait: %v", err)
	}
	return b.asText(b.store.History(id))
}

func (b *bench) asText(value any) string {
	b.t.Helper()
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		b.t.Fatal(err)
	}
	return text.String()
}

// kept is everything that the journal has of an execution, as text.
func (b *bench) kept(id string) string {
	b.t.Helper()
	stored, err := b.store.Load(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.asText(stored) + b.asText(b.store.History(id))
}

// code returns the code of the execution's error, empty for a success.
func (b *bench) code(id string) string {
	b.t.Helper()
	stored, err := b.store.Load(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, event := range stored.Events {
		if event.Type == plan.StepCompleted && event.Error != nil {
			return event.Error.Code
		}
	}
	return ""
}

func succeed(r *pluginsdk.Request) pluginsdk.Outcome {
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: r.Config}
}

// echo gives back its config.
func echo(_ context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
	return succeed(r)
}

func (b *bench) configs() []string {
	var list []string
	for _, call := range b.invoker.Calls() {
		list = append(list, string(call.Config))
	}
	return list
}

func oneStep(config, more string) string {
	return `"steps":[{"id":"a","handler":"test.tell","config":` + config + more + `}]`
}

func TestASecretIsPutInWholeAndWithinTextAndNeverReadAgain(t *testing.T) {
	for name, value := range map[string]string{
		"what looks like a reference": "${secrets.B} $${x}",
		"what JSON must escape":       "pa\"ss\\word\n</\u2028>",
		"what a schema would refuse":  "LONGER THAN THE SCHEMA ALLOWS 0123456789",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, map[string]string{"A": value, "B": "never-used"}, echo)
			id, events := b.run(oneStep(`{"text":"${secrets.A}","list":["x ${secrets.A} y","plain"]}`, ""), "")
			var got struct {
				Text string
				List []string
			}
			if err := json.Unmarshal([]byte(b.configs()[0]), &got); err != nil {
				t.Fatal(err)
			}
			if got.Text != value || got.List[0] != "x "+value+" y" {
				t.Errorf("the handler was given %q", got)
			}
			if secrets := b.invoker.Calls()[0].Secrets; len(secrets) != 1 || secrets["A"] != value {
				t.Errorf("beside its config it was given %q", secrets)
			}
			if !strings.Contains(events, `"output":{"text":"***","list":["x *** y","plain"]}`) {
				t.Errorf("events: %s", events)
			}
			if kept := b.kept(id); strings.Contains(kept, "vwmp-secret-") {
				t.Errorf("a placeholder is kept: %s", kept)
			}
		})
	}
}

func TestCase49ASecretsReferenceInAnOutputStaysText(t *testing.T) {
	b := newBench(t, map[string]string{"A": "hush-hush"}, func(_ context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		if r.StepID == "a" {
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: json.RawMessage(`{"text":"${secrets.A}"}`)}
		}
		return succeed(r)
	})
	b.run(`"steps":[{"id":"a","handler":"test.tell","config":{}},
		{"id":"b","handler":"test.tell","dependencies":["a"],"config":{"text":"${step-outputs.a.text}","list":["${secrets.A}"]}}]`, "")
	if got := b.configs()[1]; got != `{"text":"${secrets.A}","list":["hush-hush"]}` {
		t.Errorf("the next step was given %s", got)
	}
}

func TestCase53WhatAStepSaysIsMaskedForEveryStepOfTheExecution(t *testing.T) {
	const value = "p@ss/word+1"
	report := func(r pluginsdk.Reporter) error {
		r.Log(pluginsdk.LogLine{Level: pluginsdk.LevelInfo, Message: "is " + value, Fields: json.RawMessage(`{"` + value + `":"p%40ss%2Fword%2B1"}`)})
		r.Progress(10, "at "+value)
		if err := r.Effect(pluginsdk.EffectRecord{Action: "a", Target: value, ExternalID: "cEBzcy93b3JkKzE="}); err != nil {
			return err
		}
		return r.Artifact(pluginsdk.Artifact{Path: value + ".txt"})
	}
	b := newBench(t, map[string]string{"A": value}, func(_ context.Context, r *pluginsdk.Request, reporter pluginsdk.Reporter) pluginsdk.Outcome {
		if err := report(reporter); err != nil {
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: pluginsdk.FailureOf(context.Background(), err)}
		}
		switch r.StepID {
		case "b":
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSkipped, SkipReason: "not for " + value}
		case "c":
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{Class: pluginsdk.FailurePermanent, Code: "X", Message: "no " + value, Pointer: "/" + value}}
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess, Output: json.RawMessage(`["` + value + `"]`), UndoToken: json.RawMessage(`"` + value + `"`)}
	})
	// Only the first step refers to the secret; the others may know it from
	// anywhere, such as a file.
	id, events := b.run(`"description":"${secrets.A}","steps":[{"id":"a","name":"${secrets.A}","handler":"test.tell","config":{"text":"${secrets.A}"}},
		{"id":"b","handler":"test.tell","dependencies":["a"]},{"id":"c","handler":"test.tell","dependencies":["a"]}]`, "")
	kept := b.kept(id) + b.asText(b.events.Events(id))
	for _, form := range []string{value, "cEBzcy93b3JkKzE", "p%40ss"} {
		if strings.Contains(kept, form) {
			t.Errorf("%s is kept: %s", form, kept)
		}
	}
	for _, masked := range []string{`is ***`, `{"***":"***"}`, `at ***`, `made ***.txt`, `["***"]`, `not for ***`, `no ***`, `"${secrets.A}"`} {
		if !strings.Contains(events, masked) {
			t.Errorf("there is no %s in %s", masked, events)
		}
	}
}

func TestASecretThatNobodySetFailsTheStepOnceAndSaysWhich(t *testing.T) {
	b := newBench(t, nil, echo)
	id, events := b.run(oneStep(`{"text":"${secrets.NOBODY}"}`, `,"retry":{"max_attempts":3,"initial_interval":"1ms"}`), "")
	if code := b.code(id); code != engine.CodeSecretNotFound || !strings.Contains(events, "NOBODY") || strings.Contains(events, "step_retrying") {
		t.Errorf("code %q, events %s", code, events)
	}
	if calls := len(b.configs()); calls != 0 {
		t.Errorf("the handler was called %d times", calls)
	}
	b.run(oneStep(`{"text":"${secrets.NOBODY | default \"none\"}"}`, ""), "")
	if got := b.configs(); len(got) != 1 || got[0] != `{"text":"none"}` {
		t.Errorf("with a default the handler was given %s", got)
	}
}

func TestASecretDeletedOrChangedBetweenAttemptsCountsAtTheNext(t *testing.T) {
	var b *bench
	retry := `,"retry":{"max_attempts":3,"initial_interval":"1ms"}`
	b = newBench(t, map[string]string{"A": "first-value"}, func(_ context.Context, r *pluginsdk.Request, reports pluginsdk.Reporter) pluginsdk.Outcome {
		reports.Log(pluginsdk.LogLine{Message: "first-value second-value"})
		switch r.Attempt {
		case 1:
			b.drawer.set("A", "second-value")
		case 2:
			b.drawer.set("A", "")
		}
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{Class: pluginsdk.FailureRetryable, Code: "BUSY", Message: "busy"}}
	})
	id, events := b.run(oneStep(`{"text":"${secrets.A}"}`, retry), "")
	if got := b.configs(); len(got) != 2 || got[0] != `{"text":"first-value"}` || got[1] != `{"text":"second-value"}` {
		t.Errorf("the handler was given %s", got)
	}
	if code := b.code(id); code != engine.CodeSecretNotFound {
		t.Errorf("the third attempt has the code %q", code)
	}
	if !strings.Contains(events, `"*** second-value"`) || !strings.Contains(events, `"*** ***"`) {
		t.Errorf("events: %s", events)
	}
}

func TestSecretsThatCantBeReadFailTheStepWithoutTheCause(t *testing.T) {
	b := newBench(t, map[string]string{"A": "hush-hush"}, echo)
	b.drawer.broken = fmt.Errorf("open /some/place: %w", secret.ErrKey)
	id, events := b.run(oneStep(`{"text":"${secrets.A}"}`, ""), "")
	if code := b.code(id); code != secret.CodeUnavailable || strings.Contains(events, "/some/place") || !strings.Contains(events, "key") {
		t.Errorf("code %q, events %s", code, events)
	}
}

const withSecretParameter = `"parameters":[{"name":"user","type":"string"},{"name":"token","type":"secret","required":true},{"name":"other","type":"secret"}],`

func TestASecretParameterIsUsedByReferenceAndShownToNobody(t *testing.T) {
	b := newBench(t, nil, echo)
	id, events := b.run(withSecretParameter+oneStep(`{"text":"${parameters.token}","list":["${parameters.user} ${parameters.other | default \"none\"}"]}`, `,"when":"parameters.other == nil"`),
		`{"token":"hush-hush","user":"ada"}`)
	if got := b.configs(); len(got) != 1 || got[0] != `{"text":"hush-hush","list":["ada "]}` {
		t.Errorf("the handler was given %s", got)
	}
	call := b.invoker.Calls()[0]
	if want := `{"user":"ada","token":"***","other":null}`; string(call.Parameters) != want {
		t.Errorf("the handler's parameters are %s", call.Parameters)
	}
	if call.Secrets[engine.ParameterSecret("token")] != "hush-hush" {
		t.Errorf("its secrets are %q", call.Secrets)
	}
	if kept := b.kept(id); strings.Contains(kept, "hush-hush") || !strings.Contains(kept, `"token":"***"`) {
		t.Errorf("kept: %s", kept)
	}
	if !strings.Contains(events, `"text":"***"`) {
		t.Errorf("events: %s", events)
	}
	if _, _, err := b.engine.Start(t.Context(), engine.StartRequest{
		WorkflowID: "w", Document: json.RawMessage(`{"name":"Test",` + withSecretParameter + oneStep(`{}`, "") + `}`), Parameters: json.RawMessage(`{"token":17}`),
	}); err == nil || strings.Contains(err.Error(), "17") {
		t.Errorf("a wrong value gives %v", err)
	}
}

func TestASecretParameterSurvivesTheHost(t *testing.T) {
	started := make(chan struct{}, 1)
	b := newBench(t, nil, func(ctx context.Context, r *pluginsdk.Request, _ pluginsdk.Reporter) pluginsdk.Outcome {
		if r.Attempt == 1 {
			started <- struct{}{}
			<-ctx.Done()
			return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: pluginsdk.FailureOf(ctx, context.Canceled)}
		}
		return succeed(r)
	})
	id := b.start(withSecretParameter+oneStep(`{"text":"${parameters.token}"}`, ""), `{"token":"hush-hush"}`)
	<-started
	b.restart()
	events := b.finish(id)
	if got := b.configs(); len(got) != 2 || got[1] != `{"text":"hush-hush"}` {
		t.Errorf("after the restart the handler was given %s", got)
	}
	if strings.Contains(b.kept(id), "hush-hush") || !strings.Contains(events, `"text":"***"`) {
		t.Errorf("kept: %s", b.kept(id))
	}
}

func TestAnotherExecutionTakesOverASecretParameter(t *testing.T) {
	b := newBench(t, nil, echo)
	document := withSecretParameter + oneStep(`{"text":"${parameters.token}","list":["${parameters.other}"]}`, "")
	first, _ := b.run(document, `{"token":"hush-hush","other":"old"}`)
	stored, err := b.store.Load(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	execution, _, err := b.engine.Start(t.Context(), engine.StartRequest{
		WorkflowID: "w", Document: stored.Document, Parameters: json.RawMessage(`{"token":"***","other":"new"}`),
		Sealed: engine.SealedParameters(stored.Events),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.finish(execution.ID)
	if got := b.configs(); len(got) != 2 || got[1] != `{"text":"hush-hush","list":["new"]}` {
		t.Errorf("the handler was given %s", got)
	}
	if strings.Contains(b.kept(execution.ID), "hush-hush") {
		t.Errorf("kept: %s", b.kept(execution.ID))
	}
}

func TestASecretStaysOutOfWhatIsNoStepsConfig(t *testing.T) {
	b := newBench(t, map[string]string{"A": "hush-hush"}, echo)
	for name, document := range map[string]string{
		"enabled":                      oneStep(`{}`, `,"enabled":"${parameters.token}"`),
		"concurrency":                  `"concurrency":{"limit":1,"key":"${parameters.token}"},` + oneStep(`{}`, ""),
		"parameters of another":        `"steps":[{"id":"a","handler":"flow.workflow","config":{"workflow":"w","parameters":{"x":"${secrets.A}"}}}]`,
		"secret parameters of another": `"steps":[{"id":"a","handler":"flow.workflow","config":{"workflow":"w","parameters":{"x":"${parameters.token}"}}}]`,
	} {
		_, _, err := b.engine.Start(t.Context(), engine.StartRequest{
			WorkflowID: "w", Document: json.RawMessage(`{"name":"Test",` + withSecretParameter + document + `}`), Parameters: json.RawMessage(`{"token":"hush-hush"}`),
		})
		if err == nil || strings.Contains(err.Error(), "hush-hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABuiltInStepShowsTheMask(t *testing.T) {
	b := newBench(t, map[string]string{"A": "hush-hush"}, echo)
	id, events := b.run(withSecretParameter+`"steps":[{"id":"a","handler":"flow.log","config":{"message":"${secrets.A} ${parameters.token}"}}]`, `{"token":"so-quiet"}`)
	if !strings.Contains(events, `"message":"*** ***"`) || strings.Contains(b.kept(id), "hush") {
		t.Errorf("events: %s", events)
	}
}
