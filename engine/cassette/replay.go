package cassette

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// CodeMissing is the code of a step that makes a call that was not recorded.
const CodeMissing = "CASSETTE_MISSING"

// Difference is one thing that is not as it was recorded.
type Difference struct {
	// Step is empty for the run as a whole.
	Step string `json:"step"`
	// What is "config", "outcome", "output", "status" or "call".
	What string `json:"what"`
	// Pointer is a JSON pointer into a config or an output.
	Pointer  string `json:"pointer,omitempty"`
	Recorded string `json:"recorded"`
	Now      string `json:"now"`
}

// Player is an Invoker, and a Catalogue, that plays a recording again.
type Player struct {
	workflow.Catalogue

	cassette *Cassette
	ignore   []string
	// live makes the calls of plugin once more; nil plays all.
	live   engine.Invoker
	plugin string

	mu    sync.Mutex
	calls map[string][]*Call
	found []Difference
}

var (
	_ engine.Invoker   = (*Player)(nil)
	_ engine.Catalogue = (*Player)(nil)
)

// NewPlayer plays a recording. What ignore names, as STEP/pointer, may differ.
func NewPlayer(c *Cassette, ignore []string) *Player {
	p := &Player{cassette: c, ignore: ignore, calls: map[string][]*Call{}}
	var handlers []*workflow.Handler
	for _, h := range c.Handlers {
		handlers = append(handlers, workflow.NewHandler(h.HandlerInfo, h.Plugin, h.PluginVersion))
	}
	p.Catalogue = workflow.NewCatalogue(handlers, c.WorkflowTypes)
	for i := range c.Calls {
		key := c.Calls[i].key()
		p.calls[key] = append(p.calls[key], &c.Calls[i])
	}
	return p
}

// Try has another Invoker make the calls to a plugin once more. What comes of
// them is compared with the recording, by which the run goes on.
func (p *Player) Try(plugin string, live engine.Invoker) { p.plugin, p.live = plugin, live }

// Generation implements engine.Catalogue.
func (p *Player) Generation() uint64 { return 1 }

// ValidateConfig implements engine.Catalogue: nobody is there to ask.
func (p *Player) ValidateConfig(context.Context, string, json.RawMessage) ([]pluginsdk.Problem, error) {
	return nil, nil
}

// ValidateWorkflow implements engine.Catalogue: nobody is there to ask.
func (p *Player) ValidateWorkflow(context.Context, string, json.RawMessage) ([]pluginsdk.Problem, error) {
	return nil, nil
}

// Bind implements engine.Invoker.
func (p *Player) Bind(handler string) (engine.Binding, error) {
	for i := range p.cassette.Handlers {
		if h := &p.cassette.Handlers[i]; h.Path == handler {
			return engine.Binding{Plugin: h.Plugin, Version: h.PluginVersion, Checksum: h.Checksum}, nil
		}
	}
	return engine.Binding{}, &engine.NoHandlerError{Handler: handler}
}

// take finds the recorded call, and compares what it is about.
func (p *Player) take(call *Call) *Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := call.key()
	list := p.calls[key]
	if len(list) == 0 {
		p.found = append(p.found, Difference{Step: call.place(), What: "call", Recorded: "none", Now: call.Handler})
		return nil
	}
	recorded := list[0]
	p.calls[key] = list[1:]
	if recorded.Handler != call.Handler {
		p.found = append(p.found, Difference{Step: call.place(), What: "call", Recorded: recorded.Handler, Now: call.Handler})
	}
	if len(recorded.Config) > 0 {
		p.compare(call.place(), "config", recorded.Config, call.Config)
	}
	return recorded
}

// compare notes where two JSON values differ.
func (p *Player) compare(step, what string, recorded, now json.RawMessage) {
	for _, d := range differences("", decoded(recorded), decoded(now)) {
		if !slices.Contains(p.ignore, step+d.Pointer) {
			d.Step, d.What = step, what
			p.found = append(p.found, d)
		}
	}
}

func decoded(raw json.RawMessage) any {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil {
		return nil
	}
	return value
}

// differences lists where two values differ, in the order of their keys.
func differences(pointer string, recorded, now any) []Difference {
	a, isA := recorded.(map[string]any)
	b, isB := now.(map[string]any)
	if isA && isB {
		keys := maps.Clone(a)
		maps.Copy(keys, b)
		var list []Difference
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			at := pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
			was, had := a[key]
			is, has := b[key]
			switch {
			case !had:
				list = append(list, Difference{Pointer: at, Recorded: "nothing", Now: short(is)})
			case !has:
				list = append(list, Difference{Pointer: at, Recorded: short(was), Now: "nothing"})
			default:
				list = append(list, differences(at, was, is)...)
			}
		}
		return list
	}
	x, isX := recorded.([]any)
	y, isY := now.([]any)
	if isX && isY && len(x) == len(y) {
		var list []Difference
		for i := range x {
			list = append(list, differences(fmt.Sprintf("%s/%d", pointer, i), x[i], y[i])...)
		}
		return list
	}
	if was, is := text(recorded), text(now); was != is {
		return []Difference{{Pointer: pointer, Recorded: short(recorded), Now: short(now)}}
	}
	return nil
}

func text(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// short is a value for a line.
func short(value any) string {
	const most = 200
	whole := text(value)
	if len(whole) <= most {
		return whole
	}
	return strings.ToValidUTF8(whole[:most], "") + "…"
}

// Invoke implements engine.Invoker.
func (p *Player) Invoke(ctx context.Context, request *pluginsdk.Request, reporter pluginsdk.Reporter) pluginsdk.Outcome {
	call := callOf(kindExecute, request)
	recorded := p.take(call)
	if recorded == nil {
		return missing(call)
	}
	if p.live != nil && strings.HasPrefix(request.Handler, p.plugin+".") {
		p.judge(call, recorded.Outcome, p.live.Invoke(ctx, request, silent{}))
	}
	return p.play(recorded, reporter)
}

// Undo implements engine.Invoker.
func (p *Player) Undo(ctx context.Context, request *pluginsdk.Request, token json.RawMessage, reporter pluginsdk.Reporter) pluginsdk.Outcome {
	call := callOf(kindUndo, request)
	recorded := p.take(call)
	if recorded == nil {
		return missing(call)
	}
	if p.live != nil && strings.HasPrefix(request.Handler, p.plugin+".") {
		p.judge(call, recorded.Outcome, p.live.Undo(ctx, request, token, silent{}))
	}
	return p.play(recorded, reporter)
}

func missing(call *Call) pluginsdk.Outcome {
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{
		Class: pluginsdk.FailurePermanent, Code: CodeMissing, Fault: pluginsdk.FaultUser,
		Message: fmt.Sprintf("%s calls %s, and %v", call.place(), call.Handler, errNotRecorded),
	}}
}

// judge compares what came of a call with what is recorded of it.
func (p *Player) judge(call *Call, recorded *Outcome, now pluginsdk.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	written := Outcome(now)
	if was, is := ending(recorded), ending(&written); was != is {
		p.found = append(p.found, Difference{Step: call.place(), What: "outcome", Recorded: was, Now: is})
		return
	}
	p.compare(call.place(), "output", recorded.Output, now.Output)
}

// ending says in a word or a sentence how a call ended.
func ending(o *Outcome) string {
	switch {
	case o.Failure != nil:
		return fmt.Sprintf("%s %s: %s", o.Kind, o.Failure.Code, o.Failure.Message)
	case o.SkipReason != "":
		return fmt.Sprintf("%s: %s", o.Kind, o.SkipReason)
	}
	return string(o.Kind)
}

// play says again what a call said, at once.
func (p *Player) play(call *Call, reporter pluginsdk.Reporter) pluginsdk.Outcome {
	for _, report := range call.Reports {
		var err error
		switch {
		case report.Log != nil:
			line := *report.Log
			line.Time = time.Now()
			reporter.Log(line)
		case report.Progress != nil:
			reporter.Progress(*report.Progress, report.Message)
		case report.Checkpoint != nil:
			err = reporter.Checkpoint(report.Checkpoint)
		case report.Effect != nil:
			err = reporter.Effect(*report.Effect)
		case report.Artifact != nil:
			err = reporter.Artifact(*report.Artifact)
		}
		if err != nil {
			return missing(call)
		}
	}
	return pluginsdk.Outcome(*call.Outcome)
}

// Reconcile implements engine.Invoker.
func (p *Player) Reconcile(_ context.Context, request *pluginsdk.Request, _ string) (pluginsdk.ReconcileResult, error) {
	recorded := p.take(callOf(kindReconcile, request))
	if recorded == nil {
		return pluginsdk.ReconcileResult{}, errNotRecorded
	}
	if recorded.Error != "" {
		return pluginsdk.ReconcileResult{}, errors.New(recorded.Error)
	}
	return pluginsdk.ReconcileResult{
		Status: recorded.Verdict, Detail: recorded.Detail, Output: recorded.Outcome.Output, UndoToken: recorded.Outcome.UndoToken,
	}, nil
}

// Plan implements engine.Invoker.
func (p *Player) Plan(_ context.Context, request *pluginsdk.Request) ([]pluginsdk.PlannedEffect, error) {
	recorded := p.take(callOf(kindPlan, request))
	if recorded == nil {
		return nil, pluginsdk.ErrUnsupported
	}
	if recorded.Error != "" {
		return nil, errors.New(recorded.Error)
	}
	return recorded.Planned, nil
}

// Differences lists all that is not as it was recorded, once the run has
// ended with a result.
func (p *Player) Differences(result *engine.Result) []Difference {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := slices.Clone(p.found)
	for _, key := range slices.Sorted(maps.Keys(p.calls)) {
		for _, call := range p.calls[key] {
			list = append(list, Difference{Step: call.place(), What: "call", Recorded: call.Handler, Now: "none"})
		}
	}
	if result.Status != p.cassette.Status {
		list = append(list, Difference{What: "status", Recorded: string(p.cassette.Status), Now: string(result.Status)})
	}
	recorded := map[string]Step{}
	for _, step := range p.cassette.Steps {
		recorded[step.ID] = step
	}
	for _, now := range stepsOf(result) {
		was, found := recorded[now.ID]
		delete(recorded, now.ID)
		switch {
		case !found:
			list = append(list, Difference{Step: now.ID, What: "status", Recorded: "no such step", Now: strings.TrimSpace(string(now.Status) + " " + now.ErrorCode)})
		case was.Status != now.Status || was.ErrorCode != now.ErrorCode:
			list = append(list, Difference{
				Step: now.ID, What: "status", Recorded: strings.TrimSpace(string(was.Status) + " " + was.ErrorCode),
				Now: strings.TrimSpace(string(now.Status) + " " + now.ErrorCode),
			})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(recorded)) {
		list = append(list, Difference{Step: id, What: "status", Recorded: string(recorded[id].Status), Now: "no such step"})
	}
	return list
}

// silent takes what a call says that is only compared.
type silent struct{}

// Log implements pluginsdk.Reporter.
func (silent) Log(pluginsdk.LogLine) {}

// Progress implements pluginsdk.Reporter.
func (silent) Progress(float64, string) {}

// Heartbeat implements pluginsdk.Reporter.
func (silent) Heartbeat() {}

// Checkpoint implements pluginsdk.Reporter.
func (silent) Checkpoint(json.RawMessage) error { return nil }

// Effect implements pluginsdk.Reporter.
func (silent) Effect(pluginsdk.EffectRecord) error { return nil }

// Artifact implements pluginsdk.Reporter.
func (silent) Artifact(pluginsdk.Artifact) error { return nil }
