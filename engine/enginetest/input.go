package enginetest

import (
	"errors"
	"slices"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
)

func testInput(w *world) {
	id := w.start(`"config":{"word":"hi"},"parameters":[{"name":"p","type":"integer","default":4}],"steps":[
		{"id":"a","handler":"test.pure","config":{"n":"${parameters.p}","text":"${config.word} ${execution.id}"}},
		{"id":"b","handler":"test.pure","dependencies":["a"],"for_each":["x","y"],"config":{"it":"${item} ${index}","of":"${step-outputs.a}"}},
		{"id":"c","handler":"test.pure","dependencies":["a"],"config":{"home":"${env.HOME | default \"none\"}"}},
		{"id":"d","handler":"test.pure","enabled":false,"config":{"p":"${parameters.p}"}},
		{"id":"e","handler":"test.pure","run_on":"always","config":{"lost":"${step-outputs.d.text}"},"dependencies":["d"],"required":false},
		{"id":"f","handler":"test.pure"}]`)
	w.want(id, plan.StatusPartial, "a=success b=success c=success d=skipped e=failed")
	item := 1
	output := string(w.results(id, "a").Output)
	for _, c := range []struct {
		step           string
		item           *int
		config, reason string
		resolved       bool
		asWritten      []string
	}{
		{step: "a", config: `{"n":4,"text":"hi ` + id + `"}`, resolved: true},
		{step: "b", item: &item, config: `{"it":"y 1","of":` + output + `}`, resolved: true},
		{step: "b", config: `{"it":"${item} ${index}","of":"${step-outputs.a}"}`, reason: "it was called once for each of its items"},
		{step: "c", config: `{"home":"${env.HOME | default \"none\"}"}`, resolved: true, asWritten: []string{`${env.HOME | default "none"}`}},
		{step: "d", config: `{"p":"${parameters.p}"}`, reason: "it was skipped: the step is not enabled"},
		{step: "e", config: `{"lost":"${step-outputs.d.text}"}`, reason: w.results(id, "e").Error.Message},
		{step: "f", config: `{}`, resolved: true},
	} {
		input, err := w.engine.Input(w.t.Context(), id, c.step, c.item)
		if err != nil {
			w.t.Fatalf("%s: %v", c.step, err)
		}
		if string(input.Config) != c.config || input.Resolved != c.resolved || input.Reason != c.reason || !slices.Equal(input.AsWritten, c.asWritten) {
			w.t.Errorf("the input of %s is %s %+v, want %+v", c.step, input.Config, input, c)
		}
	}
	w.inputOfCalls(id)
	beyond := 2
	for _, missing := range []struct {
		id, step string
		item     *int
	}{{"nothing", "a", nil}, {id, "nothing", nil}, {id, "b", &beyond}, {id, "a", &item}} {
		if _, err := w.engine.Input(w.t.Context(), missing.id, missing.step, missing.item); !errors.Is(err, engine.ErrNotFound) {
			w.t.Errorf("the input of what is not there, %v: %v", missing, err)
		}
	}
	again, err := w.engine.Retry(w.t.Context(), id, engine.RetryRequest{FromStep: "c", By: "tester"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.finish(again.ID)
	if input, err := w.engine.Input(w.t.Context(), again.ID, "a", nil); err != nil || input.Resolved || input.Reason != "its result was kept from execution "+id {
		w.t.Errorf("the input of a kept step: %+v %v", input, err)
	}
}

// inputOfCalls holds what is told of a call against what the call was given.
func (w *world) inputOfCalls(id string) {
	w.t.Helper()
	for _, call := range w.ports.Invoker.Calls() {
		if call.StepID == "c" {
			continue // Its reference stays as it is written.
		}
		var item *int
		if call.ItemIndex >= 0 {
			item = &call.ItemIndex
		}
		input, err := w.engine.Input(w.t.Context(), id, call.StepID, item)
		if err != nil || string(input.Config) != string(call.Config) {
			w.t.Errorf("%s was called with %s, and its input is %s (%v)", call.StepID, call.Config, input.Config, err)
		}
	}
}
