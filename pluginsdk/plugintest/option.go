package plugintest

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/vwmp/vwmp/pluginsdk"
)

// Option changes the request of one call.
type Option func(t testing.TB, s *setup)

// WithContext runs the call under ctx; its end cancels the attempt.
func WithContext(ctx context.Context) Option {
	return func(_ testing.TB, s *setup) { s.ctx = ctx }
}

// InWorkspace gives the call that folder instead of an empty one.
func InWorkspace(dir string) Option {
	return func(_ testing.TB, s *setup) { s.request.WorkspaceDir = dir }
}

// WithFile puts a file into the workspace; the name has slashes.
func WithFile(name, content string) Option {
	return func(_ testing.TB, s *setup) { s.files[name] = content }
}

// WithParameters gives the execution's parameters, a struct or a map.
func WithParameters(parameters any) Option {
	return func(t testing.TB, s *setup) { s.request.Parameters = asJSON(t, parameters) }
}

// WithWorkflowConfig gives the workflow's config, a struct or a map.
func WithWorkflowConfig(config any) Option {
	return func(t testing.TB, s *setup) { s.request.WorkflowConfig = asJSON(t, config) }
}

// WithOutput gives the output of an upstream step. The first one given is
// the nearest.
func WithOutput(stepID string, output any) Option {
	return func(t testing.TB, s *setup) {
		s.request.Outputs = append(s.request.Outputs, pluginsdk.StepOutput{StepID: stepID, Output: asJSON(t, output)})
	}
}

// WithAdapter gives the plugin's own configuration.
func WithAdapter(adapter any) Option {
	return func(t testing.TB, s *setup) { s.adapter = asJSON(t, adapter) }
}

// WithSecret gives a secret that the config refers to.
func WithSecret(name, value string) Option {
	return func(_ testing.TB, s *setup) {
		if s.request.Secrets == nil {
			s.request.Secrets = map[string]string{}
		}
		s.request.Secrets[name] = value
	}
}

// AsAttempt makes the call the n-th attempt, with what the earlier ones left:
// their last checkpoint, or nil, and the effects that they recorded.
func AsAttempt(n int, checkpoint json.RawMessage, effects ...pluginsdk.EffectRecord) Option {
	return func(_ testing.TB, s *setup) {
		s.request.Attempt, s.request.Checkpoint, s.request.Effects = n, checkpoint, effects
	}
}

// WithRequest changes the request itself, for what no other option does.
func WithRequest(change func(*pluginsdk.Request)) Option {
	return func(_ testing.TB, s *setup) { change(&s.request) }
}
