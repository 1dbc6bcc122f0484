package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/store/data"
)

// Authors judge what a workflow may use of others: run one as a child, or be
// started by its end. It may what the author of its revision may now, whoever
// starts it; so nobody reaches by a workflow of their own what they may not
// see, and a workflow can offer others a part of what its author may.
type Authors struct {
	Workflows data.Workflows
	Accounts  data.Accounts
}

// MaySee reports whether the author of a definition may see a workflow.
func (a Authors) MaySee(ctx context.Context, caller engine.Caller, workflowID string) (bool, error) {
	rights, err := a.Workflows.Rights(ctx, workflowID)
	if err != nil || rights.Shown().Visibility == data.VisibleAll {
		return err == nil, err
	}
	name, err := a.author(ctx, caller)
	if errors.Is(err, engine.ErrNotFound) {
		return false, nil // It was deleted: nobody answers for it any more.
	}
	if err != nil {
		return false, err
	}
	who, err := edge.Account(ctx, a.Accounts, name)
	if errors.Is(err, edge.ErrSignedOut) {
		// Gone or disabled; of a name that an issuer vouches for, only the
		// name is known here.
		who = edge.Principal{Name: name}
		if _, err := a.Accounts.User(ctx, name); !errors.Is(err, engine.ErrNotFound) {
			return false, err
		}
	} else if err != nil {
		return false, err
	}
	return sees(who, rights), nil
}

// author names who answers for a definition.
func (a Authors) author(ctx context.Context, caller engine.Caller) (string, error) {
	switch {
	case caller.EditedBy != "":
		return caller.EditedBy, nil
	case caller.Revision == 0:
		return caller.By, nil
	}
	revision, err := a.Workflows.WorkflowRevision(ctx, caller.WorkflowID, caller.Revision)
	if err != nil {
		return "", fmt.Errorf("read who wrote revision %d of workflow %s: %w", caller.Revision, caller.WorkflowID, err)
	}
	// Without an author it was written by the server itself, or before there
	// were accounts.
	return cmp.Or(revision.Author, edge.AdminName), nil
}
