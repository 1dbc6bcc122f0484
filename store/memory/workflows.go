package memory

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
)

// workflow is one workflow with all its revisions, oldest first.
type workflow struct {
	metadata  data.Workflow
	revisions []data.Revision
	// last is the newest execution, deleted those of its executions whose
	// history is gone.
	last    data.Position
	deleted int
}

// CreateWorkflow implements data.Workflows.
func (s *Store) CreateWorkflow(ctx context.Context, given data.NewWorkflow) (data.Workflow, error) {
	if err := given.Check(); err != nil {
		return data.Workflow{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return data.Workflow{}, err
	}
	id := given.ID
	if id == "" {
		made, err := uuid.NewV7()
		if err != nil {
			return data.Workflow{}, fmt.Errorf("make a workflow id: %w", err)
		}
		id = made.String()
	}
	if s.workflows[id] != nil {
		return data.Workflow{}, fmt.Errorf("%w: there is a workflow %s already", engine.ErrConflict, id)
	}
	w := &workflow{metadata: data.Workflow{ID: id, CreatedAt: given.Time(time.Time{}, s.now())}}
	s.revise(w, &given)
	// Executions of an earlier workflow of this id count on.
	for _, position := range s.order {
		if e := s.executions[position.ID]; e.header.WorkflowID == id {
			w.count(position, &e.header)
		}
	}
	w.metadata.SetRights(given.Rights)
	err := s.commit(func() {
		s.workflows[id] = w
		s.rights[id] = given.Rights.Shown()
	})
	return w.metadata, err
}

// UpdateWorkflow implements data.Workflows.
func (s *Store) UpdateWorkflow(ctx context.Context, id string, expected int, given data.NewWorkflow) (data.Workflow, error) {
	given.ID = ""
	if err := given.Check(); err != nil {
		return data.Workflow{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return data.Workflow{}, err
	}
	w := s.workflows[id]
	if w == nil {
		return data.Workflow{}, notFound("workflow", id)
	}
	if current := w.metadata.Revision; expected != 0 && expected != current {
		return data.Workflow{}, &data.RevisionMismatchError{WorkflowID: id, Expected: expected, Current: current}
	}
	next := *w
	next.revisions = slices.Clone(w.revisions)
	s.revise(&next, &given)
	err := s.commit(func() { s.workflows[id] = &next })
	return next.metadata, err
}

// revise adds a revision and brings the metadata up to it.
func (s *Store) revise(w *workflow, given *data.NewWorkflow) {
	m := &w.metadata
	m.Name, m.Version, m.Type, m.Description = given.Name, given.Version, given.Type, given.Description
	m.Tags = append([]string{}, given.Tags...)
	m.StepCount, m.Valid, m.Problems = given.StepCount, !given.Draft, bytes.Clone(given.Problems)
	m.Revision++
	m.UpdatedAt = given.Time(m.UpdatedAt, s.now())
	w.revisions = append(w.revisions, data.Revision{
		RevisionInfo: data.RevisionInfo{
			WorkflowID: m.ID, Revision: m.Revision, Name: m.Name, Version: m.Version, StepCount: m.StepCount,
			Format: given.Format, Valid: m.Valid, Author: given.Author, Message: given.Message,
			CreatedAt: m.UpdatedAt, Size: len(given.Text),
		},
		Text: bytes.Clone(given.Text), Document: bytes.Clone(given.Document), Problems: bytes.Clone(given.Problems),
	})
}

// count notes a further execution.
func (w *workflow) count(position data.Position, header *engine.Execution) {
	w.metadata.ExecutionCount++
	if w.last.ID == "" || !position.Before(w.last) {
		w.last = position
		at, status := header.CreatedAt, header.Status
		w.metadata.LastExecuted, w.metadata.LastStatus = &at, &status
	}
}

// restatus notes a change of an execution's status.
func (w *workflow) restatus(id string, status plan.Status) {
	if w.last.ID == id {
		w.metadata.LastStatus = &status
	}
}

// DeleteWorkflow implements data.Workflows.
func (s *Store) DeleteWorkflow(ctx context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.workflows[id] == nil {
		return notFound("workflow", id)
	}
	if live := s.live(id); len(live) > 0 {
		return fmt.Errorf("%w: execution %s of the workflow has not ended", engine.ErrConflict, live[0])
	}
	return s.commit(func() { delete(s.workflows, id) })
}

// Workflow implements data.Workflows.
func (s *Store) Workflow(_ context.Context, id string) (data.Workflow, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if w := s.workflows[id]; w != nil {
		return w.metadata, nil
	}
	return data.Workflow{}, notFound("workflow", id)
}

// WorkflowRevision implements data.Workflows.
func (s *Store) WorkflowRevision(_ context.Context, id string, revision int) (data.Revision, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.workflows[id]
	if w == nil {
		return data.Revision{}, notFound("workflow", id)
	}
	if revision == 0 {
		revision = len(w.revisions)
	}
	if revision < 1 || revision > len(w.revisions) {
		return data.Revision{}, fmt.Errorf("revision %d of workflow %s: %w", revision, id, engine.ErrNotFound)
	}
	return w.revisions[revision-1], nil
}

// Workflows implements data.Workflows.
func (s *Store) Workflows(_ context.Context, filter data.WorkflowFilter) ([]data.Workflow, int, error) {
	s.mu.RLock()
	all := make([]data.Workflow, 0, len(s.workflows))
	for _, w := range s.workflows {
		all = append(all, w.metadata)
	}
	s.mu.RUnlock()
	return filter.Select(all)
}

// Revisions implements data.Workflows.
func (s *Store) Revisions(_ context.Context, id string) ([]data.RevisionInfo, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.workflows[id]
	if w == nil {
		return nil, notFound("workflow", id)
	}
	list := make([]data.RevisionInfo, 0, len(w.revisions))
	for _, revision := range slices.Backward(w.revisions) {
		list = append(list, revision.RevisionInfo)
	}
	return list, nil
}

func notFound(what, id string) error {
	return fmt.Errorf("%s %q: %w", what, id, engine.ErrNotFound)
}
