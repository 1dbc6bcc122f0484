package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
)

// definitions finds stored workflows for those that run them as children.
type definitions struct{ workflows data.Workflows }

// Definition implements engine.Definitions.
func (d definitions) Definition(ctx context.Context, workflowID string) (json.RawMessage, int, error) {
	if err := data.CheckID("workflow", workflowID); err != nil {
		return nil, 0, fmt.Errorf("workflow %q: %w", workflowID, engine.ErrNotFound)
	}
	revision, err := d.workflows.WorkflowRevision(ctx, workflowID, 0)
	if err != nil {
		return nil, 0, err
	}
	if len(revision.Problems) > 0 {
		draft := &engine.ProblemsError{Summary: "it is a draft that has problems"}
		if err := json.Unmarshal(revision.Problems, &draft.Problems); err != nil {
			return nil, 0, fmt.Errorf("read the problems of workflow %q: %w", workflowID, err)
		}
		return nil, 0, draft
	}
	return revision.Document, revision.Revision, nil
}
