package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
)

func TestNotesGroupTheCommitsSinceTheLastTag(t *testing.T) {
	dir := t.TempDir()
	handlertest.Git(t, dir, "init", "-q", "-b", "main")
	commit := func(message string) { handlertest.Git(t, dir, "commit", "-q", "--allow-empty", "-m", message) }
	commit("feat: before everything")
	handlertest.Git(t, dir, "tag", "v0.9.0")
	commit("feat: from before")
	handlertest.Git(t, dir, "tag", "-am", "v1", "v1.0.0")
	commit("feat(ui): a dashboard")
	commit("fix: a crash")
	commit("fix(api)!: refuse old clients")
	commit("docs: how to start\n\nMore words.")
	commit("Feat: capital letters\n\nBREAKING CHANGE: the config has\nanother form")
	commit("wip: something odd")
	commit("just words")
	for name, test := range map[string]struct {
		config   map[string]any
		from     string
		commits  int
		breaking bool
	}{
		"notes-default": {map[string]any{"include_hashes": false}, "v1.0.0", 7, true},
		"notes-from":    {map[string]any{"include_hashes": false, "from": "v0.9.0", "include_other": false, "heading_level": 2}, "v0.9.0", 8, true},
		"notes-to-tag":  {map[string]any{"include_hashes": false, "to": "v1.0.0"}, "v0.9.0", 1, false},
		"notes-first":   {map[string]any{"include_hashes": false, "to": "v0.9.0"}, "", 1, false},
		"notes-none":    {map[string]any{"from": "HEAD"}, "HEAD", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			var output notesOutput
			use := handlertest.Call{Handler: "release.notes_from_git", Dir: dir, Config: test.config}
			use.Succeed(t, &output)
			if output.From != test.from || output.Commits != test.commits || output.Breaking != test.breaking {
				t.Errorf("output %+v", output)
			}
			handlertest.Golden(t, name+".md", output.Notes)
		})
	}
	var output notesOutput
	(&handlertest.Call{Handler: "release.notes_from_git", Dir: dir}).Succeed(t, &output)
	if hash := handlertest.Git(t, dir, "rev-parse", "--short", "HEAD"); !strings.Contains(output.Notes, "- just words ("+hash+")") {
		t.Errorf("no hash in %s", output.Notes)
	}
	(&handlertest.Call{Handler: "release.notes_from_git", Dir: dir, Config: map[string]any{"from": "--output=x"}}).Fail(t, pluginsdk.FailureInvalidInput, "")
	(&handlertest.Call{Handler: "release.notes_from_git", Dir: dir, Config: map[string]any{"to": "absent"}}).Fail(t, pluginsdk.FailurePermanent, "absent")
	(&handlertest.Call{Handler: "release.notes_from_git", Dir: t.TempDir()}).Fail(t, pluginsdk.FailurePermanent, "git")
}

type templateDocument struct {
	Name       string         `json:"name"`
	Type       string         `json:"type"`
	Config     map[string]any `json:"config"`
	Parameters []struct {
		Name       string         `json:"name"`
		Type       string         `json:"type"`
		Required   bool           `json:"required"`
		Default    any            `json:"default"`
		Options    []any          `json:"options"`
		Validation map[string]any `json:"validation"`
	} `json:"parameters"`
	Steps []struct {
		ID           string         `json:"id"`
		Handler      string         `json:"handler"`
		Dependencies []string       `json:"dependencies"`
		Required     *bool          `json:"required"`
		Automatic    bool           `json:"automatic"`
		When         string         `json:"when"`
		OnInterrupt  string         `json:"on_interrupt"`
		Config       map[string]any `json:"config"`
		UI           map[string]any `json:"ui"`
	} `json:"steps"`
}

func readTemplate(t *testing.T, name string) (templateDocument, json.RawMessage) {
	t.Helper()
	for _, template := range releaseType().Templates {
		if template.Name == name {
			raw, err := yaml.YAMLToJSON([]byte(template.Document))
			if err != nil {
				t.Fatal(err)
			}
			var document templateDocument
			handlertest.FromJSON(t, raw, &document)
			return document, raw
		}
	}
	t.Fatalf("no template %s", name)
	return templateDocument{}, nil
}

func TestStandardReleaseHasTheTenSteps(t *testing.T) {
	document, raw := readTemplate(t, "Standard Release")
	want := []string{
		"step-1 release.version_bump []",
		"step-2 release.changelog_create [step-1]",
		"step-3 release.changelog_update [step-2]",
		"step-4 release.readme_update [step-1] optional when not parameters.skip_readme",
		"step-5 vwmp.kanban_update [step-1] optional automatic",
		"step-6 git.stage_all [step-1 step-2 step-3 step-4 step-5]",
		"step-7 vwmp.run_validators [step-6] on_interrupt retry",
		"step-8 git.commit [step-7]",
		"step-9 git.create_tag [step-8] optional",
		"step-10 git.push [step-8 step-9] optional",
	}
	if got := describeSteps(document); !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if problems := validateWorkflow(t.Context(), "release", raw); len(problems) != 0 {
		t.Errorf("problems %+v", problems)
	}
	var parameters []string
	for _, parameter := range document.Parameters {
		parameters = append(parameters, fmt.Sprintf("%s %s %v %v %d %v", parameter.Name, parameter.Type, parameter.Required, parameter.Default, len(parameter.Options), parameter.Validation))
	}
	wantParameters := []string{
		"summary string true <nil> 0 map[max_length:200 min_length:10]",
		"change_type enum false tooling 9 map[]",
		"detailed_changes textarea false  0 map[max_length:2000]",
		"skip_readme boolean false false 0 map[]",
		"kb_docs_ok boolean true <nil> 0 map[must_be:true]",
	}
	if !slices.Equal(parameters, wantParameters) {
		t.Errorf("parameters\n%s", strings.Join(parameters, "\n"))
	}
	if document.Type != "release" || document.Config["version_file"] != "VERSION" || document.Steps[9].Config["remote"] != `${adapter.git.remote | default "origin"}` {
		t.Errorf("document %+v", document)
	}
}

func TestQuickReleaseLeavesOutTheReadme(t *testing.T) {
	document, raw := readTemplate(t, "Quick Release")
	for _, step := range describeSteps(document) {
		if strings.Contains(step, "readme") {
			t.Error(step)
		}
	}
	if len(document.Steps) != 9 || len(document.Parameters) != 4 || len(validateWorkflow(t.Context(), "release", raw)) != 0 {
		t.Errorf("document %+v", document)
	}
}

func describeSteps(document templateDocument) []string {
	var steps []string
	for _, step := range document.Steps {
		text := fmt.Sprintf("%s %s %v", step.ID, step.Handler, step.Dependencies)
		if step.Required != nil && !*step.Required {
			text += " optional"
		}
		if step.Automatic {
			text += " automatic"
		}
		if step.When != "" {
			text += " when " + step.When
		}
		if step.OnInterrupt != "" {
			text += " on_interrupt " + step.OnInterrupt
		}
		steps = append(steps, text)
	}
	return steps
}

func TestAReleaseHasAVersionStep(t *testing.T) {
	problems := validateWorkflow(t.Context(), "release", json.RawMessage(`{"steps":[{"handler":"git.commit"}]}`))
	if len(problems) != 1 || problems[0].Pointer != "/steps" || problems[0].Severity != pluginsdk.SeverityError {
		t.Errorf("got %+v", problems)
	}
	if problems := validateWorkflow(t.Context(), "release", json.RawMessage(`[]`)); len(problems) != 1 {
		t.Errorf("got %+v", problems)
	}
	if problems := validateWorkflow(t.Context(), "custom", json.RawMessage(`{"steps":[]}`)); len(problems) != 0 {
		t.Errorf("got %+v", problems)
	}
}
