// Command vwmp-plugin-release serves the handlers of a release: raising the
// version, writing changelogs and the README, and collecting notes; and the
// workflow type "release" with its templates.
//
// It edits text files and reads git. It neither commits nor publishes: that
// is what the git plugin is for.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/vwmp/vwmp/pluginsdk"
)

const category = "Release"

var (
	//go:embed templates/standard-release.yaml
	standardRelease string
	//go:embed templates/quick-release.yaml
	quickRelease string
)

// workflowConfig is the config of a workflow of type release.
type workflowConfig struct {
	VersionFile   string   `json:"version_file" title:"Version file" description:"File that holds the version." default:"VERSION"`
	ChangelogDir  string   `json:"changelog_dir" title:"Changelog folder" description:"Folder of the detailed changelogs." default:"changelogs"`
	MainChangelog string   `json:"main_changelog" title:"Main changelog" description:"The changelog with one entry for each release." default:"CHANGELOG.md"`
	Validators    []string `json:"validators" title:"Validators" description:"Scripts that must succeed before the commit." default:"[]"`
	TaskIDs       []string `json:"task_ids" title:"Tasks" description:"Ids of the tasks that the release completes (E01:S01:T001)." default:"[]"`
}

func releasePlugin() *pluginsdk.Plugin {
	return &pluginsdk.Plugin{
		Name:        "release",
		Version:     "1.0.0",
		Author:      "VWMP",
		Description: "Raises versions, writes changelogs and the README, and collects release notes from git.",
		Handlers: []*pluginsdk.Handler{
			bumpHandler(), createHandler(), updateHandler(), readmeHandler(), notesHandler(),
		},
		WorkflowTypes:    []pluginsdk.WorkflowType{releaseType()},
		ValidateWorkflow: validateWorkflow,
	}
}

func releaseType() pluginsdk.WorkflowType {
	return pluginsdk.WorkflowType{
		Name: "release", Version: "1.0.0", DisplayName: "Release", Icon: "rocket",
		Description:  "Takes a git repository from one version to the next: version, changelogs, README, commit, tag, push.",
		ConfigSchema: openSchema(workflowConfig{}),
		DefaultStepTypes: []string{
			"version_bump", "changelog_create", "changelog_update", "readme_update", "kanban_update",
			"stage_all", "run_validators", "commit", "create_tag", "push",
		},
		Templates: []pluginsdk.Template{
			{Name: "Standard Release", Description: "The whole release in ten steps, from the version to the push.", Document: standardRelease},
			{Name: "Quick Release", Description: "The release without the README step.", Document: quickRelease},
		},
	}
}

// openSchema is the schema of a struct whose document may have further keys.
func openSchema(value any) json.RawMessage {
	raw, err := pluginsdk.SchemaOf(value)
	var schema map[string]any
	if err == nil {
		err = json.Unmarshal(raw, &schema)
	}
	if err == nil {
		delete(schema, "additionalProperties")
		raw, err = json.Marshal(schema)
	}
	if err != nil {
		// The struct is a constant of this package.
		panic(err)
	}
	return raw
}

// validateWorkflow holds a workflow of type release to its rule: it has a
// version step.
func validateWorkflow(_ context.Context, workflowType string, document json.RawMessage) []pluginsdk.Problem {
	if workflowType != "release" {
		return nil
	}
	var workflow struct {
		Steps []struct {
			Handler string `json:"handler"`
		} `json:"steps"`
	}
	if err := json.Unmarshal(document, &workflow); err != nil {
		return []pluginsdk.Problem{{
			Severity: pluginsdk.SeverityError, Pointer: "", Code: "unreadable", Message: fmt.Sprintf("The workflow can't be read: %v.", err),
		}}
	}
	for _, step := range workflow.Steps {
		if step.Handler == "release.version_bump" {
			return nil
		}
	}
	return []pluginsdk.Problem{{
		Severity: pluginsdk.SeverityError, Pointer: "/steps", Code: "missing_version_step",
		Message: "A release has a version step: add a step with the handler release.version_bump, or change the workflow's type.",
	}}
}

// example writes a handler's example config, whose values are constants of
// this package.
func example(config map[string]any) json.RawMessage {
	raw, err := json.Marshal(config)
	if err != nil {
		panic(err)
	}
	return raw
}
