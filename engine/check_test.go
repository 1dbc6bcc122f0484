package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/enginetest"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// silentPlugin never answers what is asked about slow.step, and refuses every
// config of quick.step.
type silentPlugin struct {
	enginetest.Catalogue
	asked map[string]int
}

func (p silentPlugin) ValidateConfig(_ context.Context, handler string, _ json.RawMessage) ([]pluginsdk.Problem, error) {
	p.asked[handler]++
	if handler == "slow.step" {
		return nil, fmt.Errorf("ask the plugin: %w", context.DeadlineExceeded)
	}
	return []pluginsdk.Problem{{Severity: pluginsdk.SeverityWarning, Code: "odd", Message: "an odd config"}}, nil
}

// TestAPluginThatDoesNotAnswerIsAskedOnce: a save of a hundred steps waits for
// a silent plugin once, says of each step that it was not checked, and asks
// the other plugins all the same.
func TestAPluginThatDoesNotAnswerIsAskedOnce(t *testing.T) {
	var text strings.Builder
	text.WriteString("name: Many\nversion: 1.0.0\nsteps:\n")
	for i := range 100 {
		fmt.Fprintf(&text, "- {id: slow%d, name: Slow, handler: slow.step}\n- {id: quick%d, name: Quick, handler: quick.step}\n", i, i)
	}
	document, problems := workflow.Parse([]byte(text.String()), workflow.ParseOptions{})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	handler := func(plugin string) *workflow.Handler {
		return workflow.NewHandler(pluginsdk.HandlerInfo{
			Path: plugin + ".step", Name: plugin, Effect: pluginsdk.EffectPure, ConfigSchema: json.RawMessage(`{"type":"object"}`),
			Capabilities: pluginsdk.Capabilities{Validate: true},
		}, plugin, "1.0.0")
	}
	plugins := silentPlugin{asked: map[string]int{}}
	plugins.Catalogue.Catalogue = workflow.NewCatalogue([]*workflow.Handler{handler("slow"), handler("quick")}, nil)

	graph, problems := engine.Check(t.Context(), document, plugins)
	if graph == nil {
		t.Fatalf("a plugin that can't be asked keeps a workflow from being saved: %v", problems)
	}
	if plugins.asked["slow.step"] != 1 || plugins.asked["quick.step"] != 100 {
		t.Errorf("asked %v, want the silent plugin once and the other one 100 times", plugins.asked)
	}
	count := map[string]int{}
	for _, problem := range problems {
		count[problem.Code]++
	}
	if count["not_checked"] != 100 || count["odd"] != 100 {
		t.Errorf("the problems are %v, want 100 of each", count)
	}
}
