package data

import (
	"context"
	"fmt"
	"time"
)

// Visibility says who may read a workflow, and with the role for it act on it.
type Visibility string

// The visibilities. The owner and administrators always may.
const (
	VisiblePrivate Visibility = "private"
	VisibleTeam    Visibility = "team"
	VisibleAll     Visibility = "all"
)

// Rights are whose a workflow is. They outlive it, as the history of its
// executions does.
type Rights struct {
	Visibility Visibility `json:"visibility"`
	Owner      string     `json:"owner,omitempty"`
	Team       string     `json:"team,omitempty"`
	ChangedAt  time.Time  `json:"changed_at,omitzero"`
}

// Check refuses rights that no store keeps; its error is an ErrInvalid.
func (r *Rights) Check() error {
	switch r.Visibility {
	case VisiblePrivate, VisibleTeam, VisibleAll, "":
	default:
		return fmt.Errorf("%w visibility %q: one of private, team, all", ErrInvalid, clip(string(r.Visibility)))
	}
	for what, name := range map[string]string{"owner": r.Owner, "team": r.Team} {
		if name != "" && !ValidName(name) {
			return fmt.Errorf("%w %s %q of a workflow", ErrInvalid, what, clip(name))
		}
	}
	if r.Visibility == VisibleTeam && r.Team == "" {
		return fmt.Errorf("%w visibility team: name the team", ErrInvalid)
	}
	return nil
}

// Shown is what counts of the rights: all may see what nobody said anything of.
func (r Rights) Shown() Rights {
	if r.Visibility == "" {
		r.Visibility = VisibleAll
	}
	return r
}

// WorkflowRights keeps whose workflows are.
type WorkflowRights interface {
	// Rights are those of a workflow, also of one that was deleted; those of
	// an unknown one are for all.
	Rights(ctx context.Context, workflowID string) (Rights, error)
	// SetRights is an engine.ErrNotFound for a workflow that is not there.
	SetRights(ctx context.Context, workflowID string, rights Rights) error
	// RestrictedWorkflows are those that not everybody may see, also those
	// that were deleted.
	RestrictedWorkflows(ctx context.Context) (map[string]Rights, error)
}
