package memory

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

// execution is one run: what a store on disk has of it, and no more. Events
// and steps are kept encoded, so that only what survives the codec is kept
// and nobody shares memory with the caller.
type execution struct {
	header       engine.Execution
	document     json.RawMessage
	workspaceDir string
	key          workflowKey
	tail         record.Tail
	events       []keptEvent
	steps        map[string][]byte
	items        map[string]map[int][]byte
	// lines are sorted by Seq.
	lines []keptLine
	logs  map[attempt]*attemptLog
}

type keptEvent struct {
	seq     uint64
	sub     uint32
	encoded []byte
}

type workflowKey struct{ workflow, key string }

type idempotency struct {
	execution, fingerprint string
	created                time.Time
}

// keyLife is how long an idempotency key counts.
const keyLife = 24 * time.Hour

// Create implements engine.Journal.
func (s *Store) Create(ctx context.Context, creation engine.Creation) (engine.Execution, bool, error) {
	if err := record.CheckCreation(&creation); err != nil {
		return engine.Execution{}, false, err
	}
	encoded, err := encodeAll(creation.Events)
	if err != nil {
		return engine.Execution{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return engine.Execution{}, false, err
	}
	header := creation.Execution
	key := workflowKey{header.WorkflowID, creation.IdempotencyKey}
	if seen, known := s.keys[key]; key.key != "" && known && s.now().Sub(seen.created) < keyLife {
		if seen.fingerprint != creation.Fingerprint {
			return engine.Execution{}, false, engine.ErrIdempotencyMismatch
		}
		return s.executions[seen.execution].header, false, nil
	}
	if creation.Refused != nil {
		return engine.Execution{}, false, creation.Refused
	}
	if s.executions[header.ID] != nil {
		return engine.Execution{}, false, fmt.Errorf("%w: there is an execution %s already", engine.ErrConflict, header.ID)
	}
	tail, err := record.Tail{}.Follow(header.ID, s.meta.BootEpoch, creation.Events)
	if err == nil {
		err = tail.CheckEnd(&header)
	}
	if err != nil {
		return engine.Execution{}, false, err
	}
	header.Parameters, header.LastSeq = bytes.Clone(header.Parameters), tail.Seq
	e := &execution{
		header: header, document: bytes.Clone(creation.Document), workspaceDir: creation.WorkspaceDir, key: key,
		tail: tail, events: encoded, steps: map[string][]byte{}, items: map[string]map[int][]byte{}, logs: map[attempt]*attemptLog{},
	}
	also, err := encodeCommits(creation.Also)
	if err == nil {
		err = s.follow(also)
	}
	if err != nil {
		return engine.Execution{}, false, err
	}
	if err := s.commit(func() { s.add(e, creation.Fingerprint); s.append(also) }); err != nil {
		return engine.Execution{}, false, err
	}
	return header, true, nil
}

func (s *Store) add(e *execution, fingerprint string) {
	position := data.PositionOf(e.header.CreatedAt, e.header.ID)
	at, _ := s.place(position)
	s.order = slices.Insert(s.order, at, position)
	s.executions[e.header.ID] = e
	if w := s.workflows[e.header.WorkflowID]; w != nil {
		w.count(position, &e.header)
	}
	if e.key.key == "" {
		return
	}
	if seen, known := s.keys[e.key]; known {
		s.executions[seen.execution].key = workflowKey{}
	}
	s.keys[e.key] = idempotency{e.header.ID, fingerprint, s.now()}
}

// Append implements engine.Journal.
func (s *Store) Append(ctx context.Context, commit engine.Commit) error {
	all, err := encodeCommits(append([]engine.Commit{commit}, commit.Also...))
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.follow(all); err != nil {
		return err
	}
	return s.commit(func() { s.append(all) })
}

// addition is a commit on its way to be kept.
type addition struct {
	commit *engine.Commit
	events []keptEvent
	steps  map[string][]byte
	items  map[string]map[int][]byte
	tail   record.Tail
}

func encodeCommits(commits []engine.Commit) ([]*addition, error) {
	all := make([]*addition, len(commits))
	for i := range commits {
		commit := &commits[i]
		if err := record.CheckCommit(commit); err != nil {
			return nil, err
		}
		a := &addition{commit: commit, steps: map[string][]byte{}, items: map[string]map[int][]byte{}}
		var err error
		if a.events, err = encodeAll(commit.Events); err != nil {
			return nil, err
		}
		for _, step := range commit.Steps {
			if a.steps[step.StepID], err = json.Marshal(step); err != nil {
				return nil, fmt.Errorf("encode step %q: %w", step.StepID, err)
			}
		}
		for _, change := range commit.Items {
			if a.items[change.StepID] == nil {
				a.items[change.StepID] = map[int][]byte{}
			}
			if a.items[change.StepID][change.Item.Index], err = json.Marshal(change.Item); err != nil {
				return nil, fmt.Errorf("encode an item of step %q: %w", change.StepID, err)
			}
		}
		all[i] = a
	}
	return all, nil
}

// follow refuses what does not follow the journals it is to be added to.
func (s *Store) follow(all []*addition) error {
	for _, a := range all {
		e := s.executions[a.commit.Execution.ID]
		if e == nil {
			return notFound("execution", a.commit.Execution.ID)
		}
		var err error
		if a.tail, err = e.tail.Follow(e.header.ID, s.meta.BootEpoch, a.commit.Events); err == nil {
			err = a.tail.CheckEnd(&a.commit.Execution)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) append(all []*addition) {
	for _, a := range all {
		e := s.executions[a.commit.Execution.ID]
		e.tail = a.tail
		e.events = append(e.events, a.events...)
		maps.Copy(e.steps, a.steps)
		for step, items := range a.items {
			if e.items[step] == nil {
				e.items[step] = map[int][]byte{}
			}
			maps.Copy(e.items[step], items)
		}
		e.advance(&a.commit.Execution)
		if w := s.workflows[e.header.WorkflowID]; w != nil {
			w.restatus(e.header.ID, e.header.Status)
		}
	}
}

// advance takes over what may change of a header; the rest stays as created.
func (e *execution) advance(to *engine.Execution) {
	h := &e.header
	h.Status, h.StatusReason, h.Error = to.Status, to.StatusReason, to.Error
	h.StartedAt, h.CompletedAt, h.TotalTime = to.StartedAt, to.CompletedAt, to.TotalTime
	h.Progress, h.LastSeq, h.UndoneBy = to.Progress, e.tail.Seq, to.UndoneBy
}

func encodeAll(events []plan.Event) ([]keptEvent, error) {
	kept := make([]keptEvent, 0, len(events))
	for i := range events {
		encoded, err := record.EncodeEvent(&events[i])
		if err != nil {
			return nil, err
		}
		kept = append(kept, keptEvent{events[i].Seq, events[i].Sub, encoded})
	}
	return kept, nil
}

// Load implements engine.Journal.
func (s *Store) Load(_ context.Context, id string) (engine.Stored, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.executions[id]
	if e == nil {
		return engine.Stored{}, notFound("execution", id)
	}
	stored := engine.Stored{Execution: e.header, Document: e.document, WorkspaceDir: e.workspaceDir}
	for _, kept := range e.events {
		event, err := record.DecodeEvent(kept.encoded, kept.sub)
		if err != nil {
			return engine.Stored{}, err
		}
		stored.Events = append(stored.Events, event)
	}
	return stored, nil
}

// ExecutionDocument returns the definition that an execution is pinned to, as
// JSON; an engine.ErrNotFound where there is no such execution.
func (s *Store) ExecutionDocument(_ context.Context, id string) (json.RawMessage, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.executions[id]
	if e == nil {
		return nil, notFound("execution", id)
	}
	return e.document, nil
}

// Unfinished implements engine.Journal.
func (s *Store) Unfinished(context.Context) ([]string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var ids []string
	for _, position := range s.order {
		if !s.executions[position.ID].header.Status.Ended() {
			ids = append(ids, position.ID)
		}
	}
	return ids, nil
}
