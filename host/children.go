package host

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
)

// Children finds stored workflows for those that run them as children.
type Children struct {
	Workflows data.Workflows
	// Authors is nil where all that there is may be run: for whoever holds the
	// data folder itself.
	Authors *Authors
}

// Definition implements engine.Definitions.
func (d Children) Definition(ctx context.Context, caller engine.Caller, workflowID string) (json.RawMessage, int, error) {
	if err := data.CheckID("workflow", workflowID); err != nil {
		return nil, 0, fmt.Errorf("workflow %q: %w", workflowID, engine.ErrNotFound)
	}
	if d.Authors != nil {
		may, err := d.Authors.MaySee(ctx, caller, workflowID)
		if err == nil && !may {
			err = fmt.Errorf("workflow %q: %w", workflowID, engine.ErrNotFound)
		}
		if err != nil {
			return nil, 0, err
		}
	}
	revision, err := d.Workflows.WorkflowRevision(ctx, workflowID, 0)
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
