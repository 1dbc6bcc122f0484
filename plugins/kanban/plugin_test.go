package main

import (
	"encoding/json"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
)

func TestThePluginIsWhatTheContractSays(t *testing.T) {
	t.Parallel()
	check := handlertest.Abilities{Effect: pluginsdk.EffectIdempotent, Plan: true}
	handlertest.CheckDescription(t, map[string]handlertest.Abilities{
		"kanban.review_state": check, "kanban.check_template_divergence": check, "kanban.check_bloat": check,
		"kanban.check_repetition": check, "kanban.check_coverage_gaps": check,
		"kanban.apply_updates": {Effect: pluginsdk.EffectIdempotent, Plan: true, Undo: true},
	})
}

func TestTheTemplateFollowsTheRulesOfItsType(t *testing.T) {
	t.Parallel()
	document, err := yaml.YAMLToJSON([]byte(kanbanReview))
	if err != nil {
		t.Fatal(err)
	}
	if problems := validateWorkflow(t.Context(), "kanban_review", document); len(problems) > 0 {
		t.Errorf("problems %+v", problems)
	}
	for document, code := range map[string]string{
		`{"steps":[{"handler":"kanban.check_bloat"}]}`:                                     "missing_review_step",
		`{"steps":[{"handler":"kanban.review_state"},{"handler":"kanban.apply_updates"}]}`: "missing_dependency",
		`{"steps":`: "unreadable",
	} {
		problems := validateWorkflow(t.Context(), "kanban_review", json.RawMessage(document))
		if len(problems) != 1 || problems[0].Code != code {
			t.Errorf("%s: %+v", document, problems)
		}
	}
	if problems := validateWorkflow(t.Context(), "release", json.RawMessage(`{}`)); len(problems) > 0 {
		t.Errorf("another type: %+v", problems)
	}
}
