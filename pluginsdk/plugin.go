// Package pluginsdk is the contract that a plugin author writes against:
// what a plugin, a handler, a request and a result are.
//
// It knows no transport and nothing of the host. Package serve turns a
// Plugin into a process that speaks to a host, package plugintest runs its
// handlers in a test, and package client is the host's half.
//
// A handler's life:
//  1. The host asks once what the plugin offers (Plugin.Describe).
//  2. A person fills in the form made from the config's schema; ValidateConfig
//     may say what a schema can't.
//  3. Plan, where there is one, tells what Execute would do.
//  4. Execute runs one attempt. It logs, reports progress, and returns an
//     output or an error.
//  5. Reconcile, where there is one, is asked when nobody knows how an attempt
//     ended; Undo, where there is one, takes a finished one back.
package pluginsdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"runtime/debug"
	"slices"
)

// Plugin is all that one plugin binary offers.
type Plugin struct {
	// Name is the first part of every handler's path: lower-case letters,
	// digits and underscores.
	Name string
	// Version is MAJOR.MINOR.PATCH.
	Version     string
	Author      string
	Description string
	// Adapter is the zero value of the struct that holds the plugin's own
	// configuration, or nil. Handlers read it with Step.Adapter.
	Adapter  any
	Handlers []*Handler
	// WorkflowTypes declares kinds of workflow; ValidateWorkflow judges a
	// document (JSON) of one of them by rules of its own, or is nil.
	WorkflowTypes    []WorkflowType
	ValidateWorkflow func(ctx context.Context, workflowType string, document json.RawMessage) []Problem
}

var (
	pluginName  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	handlerPath = regexp.MustCompile(`^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$`)
)

// Describe says everything about the plugin. It fails where the plugin's own
// declarations contradict each other, naming all that is wrong.
func (p *Plugin) Describe() (*Description, error) {
	description := &Description{
		Name: p.Name, Version: p.Version, Author: p.Author, Description: p.Description,
		Build: buildRevision(), WorkflowTypes: slices.Clone(p.WorkflowTypes),
	}
	var problems []error
	if !pluginName.MatchString(p.Name) {
		problems = append(problems, fmt.Errorf("plugin name %q: use lower-case letters, digits and underscores", p.Name))
	}
	if p.Version == "" {
		problems = append(problems, errors.New("the plugin has no version"))
	}
	if p.Adapter != nil {
		schema, err := SchemaOf(p.Adapter)
		if err != nil {
			problems = append(problems, fmt.Errorf("adapter schema: %w", err))
		}
		description.AdapterSchema = schema
	}
	seen := map[string]bool{}
	for _, handler := range p.Handlers {
		info, err := handler.Info()
		switch {
		case err != nil:
			problems = append(problems, err)
			continue
		case !handlerPath.MatchString(info.Path) || info.Path[:len(info.Path)-len(lastSegment(info.Path))-1] != p.Name:
			problems = append(problems, fmt.Errorf("handler path %q: it must be %s.NAME in lower-case letters, digits and underscores", info.Path, p.Name))
		case seen[info.Path]:
			problems = append(problems, fmt.Errorf("handler %s is declared twice", info.Path))
		}
		seen[info.Path] = true
		description.Handlers = append(description.Handlers, info)
	}
	for i := range description.WorkflowTypes {
		description.WorkflowTypes[i].HasRules = p.ValidateWorkflow != nil
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("describe plugin %s: %w", p.Name, err)
	}
	return description, nil
}

// Handler returns the handler of that path, or nil.
func (p *Plugin) Handler(path string) *Handler {
	for _, handler := range p.Handlers {
		if handler.info.Path == path {
			return handler
		}
	}
	return nil
}

func lastSegment(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '.' {
			return path[i+1:]
		}
	}
	return path
}

func buildRevision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return ""
}
