package host

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vwmp/vwmp/store/data"
)

func (s *Server) addSecretUsage(tags []string) {
	register(s, huma.Operation{
		OperationID: "get-secret-usage", Method: http.MethodGet, Path: apiBase + "/secrets/{name}/usage/", Tags: tags,
		Summary:     "List the stored workflows that refer to a secret",
		Description: "Of each workflow the newest revision is looked at. A name that nobody has set may be referred to all the same.",
	}, s.secretUsage)
}

type secretUsageOutput struct {
	Body struct {
		Workflows []usageWorkflow `json:"workflows" nullable:"false" doc:"Without a step where something else in the workflow refers to it"`
		Next      string          `json:"next" doc:"Always empty: the list comes whole"`
	}
}

func (s *Server) secretUsage(ctx context.Context, in *deleteSecretInput) (*secretUsageOutput, error) {
	out := &secretUsageOutput{}
	out.Body.Workflows = []usageWorkflow{}
	// A name goes on with the same letters, so that TOKEN is not found in
	// TOKEN_2.
	refers, err := regexp.Compile(`\bsecrets\s*\.\s*` + regexp.QuoteMeta(in.Name) + `(?:[^A-Za-z0-9_-]|$)`)
	if err != nil {
		return nil, err
	}
	err = EachWorkflow(ctx, s.Workflows, func(w *data.Workflow, document json.RawMessage) {
		if !refers.Match(document) {
			return
		}
		use := usageWorkflow{w.ID, w.Name, w.Revision, []usageStep{}}
		var read struct{ Steps []json.RawMessage }
		// What can't be read as a workflow refers to it all the same.
		_ = json.Unmarshal(document, &read)
		for _, step := range read.Steps {
			var named struct{ ID, Name string }
			if refers.Match(step) && json.Unmarshal(step, &named) == nil {
				use.Steps = append(use.Steps, usageStep{named.ID, named.Name})
			}
		}
		out.Body.Workflows = append(out.Body.Workflows, use)
	})
	return out, err
}
