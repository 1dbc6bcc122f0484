package local

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
)

// slots are the places that concurrency limits leave. They are derived from
// the executions that live: one that has begun holds a place, one that has not
// waits for one. Nothing about them is kept, so that none can leak.
type slots struct {
	mu     sync.Mutex
	groups map[string]*slotGroup
	keys   map[string]string // of each member
}

// slotGroup is the executions that count against each other.
type slotGroup struct {
	key     string
	members []*slotMember // in the order of their arrival
}

type slotMember struct {
	id, workflow string
	limit        int
	since        time.Time
	holds        bool
	grant        func()
}

func newSlots() *slots { return &slots{groups: map[string]*slotGroup{}, keys: map[string]string{}} }

// limit is the smallest of all members.
func (g *slotGroup) limit() int {
	limit := g.members[0].limit
	for _, m := range g.members {
		limit = min(limit, m.limit)
	}
	return limit
}

func (g *slotGroup) holding() int {
	count := 0
	for _, m := range g.members {
		if m.holds {
			count++
		}
	}
	return count
}

// enter makes a member known. One that has begun already holds its place
// whatever the limit says; another one waits where there is none free, and
// the view says for whom.
func (s *slots) enter(key string, m *slotMember, onlyIfFree bool) (*engine.SlotView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[key]
	if g == nil {
		g = &slotGroup{key: key}
		s.groups[key] = g
	}
	if at := slices.IndexFunc(g.members, func(other *slotMember) bool { return other.id == m.id }); at >= 0 {
		// It was put aside for a moment, and kept its place.
		m.holds = g.members[at].holds
		g.members[at] = m
		return nil, nil //nolint:nilnil // Nothing changes.
	}
	g.members = append(g.members, m)
	waits := slices.ContainsFunc(g.members[:len(g.members)-1], func(other *slotMember) bool { return !other.holds })
	if !m.holds && !waits && g.holding() < g.limit() {
		m.holds = true
	}
	if m.holds {
		s.keys[m.id] = key
		return nil, nil //nolint:nilnil // It has its place.
	}
	view := g.view(m)
	if onlyIfFree {
		g.members = g.members[:len(g.members)-1]
		return view, fmt.Errorf("%w: %s", engine.ErrConflict, queueReason(view))
	}
	s.keys[m.id] = key
	return view, nil
}

// leave frees a member's place, and gives it on.
func (s *slots) leave(id string) {
	for _, m := range s.remove(id) {
		m.grant()
	}
}

func (s *slots) remove(id string) (granted []*slotMember) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[s.keys[id]]
	delete(s.keys, id)
	if g == nil {
		return nil
	}
	g.members = slices.DeleteFunc(g.members, func(m *slotMember) bool { return m.id == id })
	if len(g.members) == 0 {
		delete(s.groups, g.key)
		return nil
	}
	free := g.limit() - g.holding()
	for _, m := range g.members {
		if free <= 0 {
			break
		}
		if !m.holds {
			m.holds = true
			free--
			granted = append(granted, m)
		}
	}
	return granted
}

// holds reports whether a member has its place.
func (s *slots) holds(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[s.keys[id]]
	return g != nil && slices.ContainsFunc(g.members, func(m *slotMember) bool { return m.id == id && m.holds })
}

// view says who holds what an execution waits for; nil for one that does not
// wait.
func (s *slots) view(id string) *engine.SlotView {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[s.keys[id]]
	if g == nil {
		return nil
	}
	for _, m := range g.members {
		if m.id == id && !m.holds {
			return g.view(m)
		}
	}
	return nil
}

func (g *slotGroup) view(own *slotMember) *engine.SlotView {
	view := &engine.SlotView{Key: g.key, Limit: g.limit(), Place: 1}
	for _, m := range g.members {
		switch {
		case m.holds:
			view.Holders = append(view.Holders, engine.SlotHolder{ExecutionID: m.id, WorkflowName: m.workflow, Since: m.since})
		case m == own:
			return view
		default:
			view.Place++
		}
	}
	return view
}

// queueReason is a sentence about a place in a queue.
func queueReason(view *engine.SlotView) string {
	const most = 3
	holders := make([]string, 0, most)
	for _, h := range view.Holders[:min(most, len(view.Holders))] {
		holders = append(holders, fmt.Sprintf("%s (%s, since %s)", h.ExecutionID, h.WorkflowName, h.Since.UTC().Format(time.RFC3339)))
	}
	if more := len(view.Holders) - most; more > 0 {
		holders = append(holders, fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("at most %d may run at once for %q: held by %s; place %d in the queue",
		view.Limit, strings.TrimPrefix(strings.TrimPrefix(view.Key, keyOfText), keyOfWorkflow), cmp.Or(strings.Join(holders, ", "), "nobody"), view.Place)
}

// The two kinds of keys can't meet.
const (
	keyOfText     = "key:"
	keyOfWorkflow = "workflow:"
)

// slotOf says in which group an execution counts, and "" for none.
func slotOf(graph *workflow.Graph, state *plan.State) (key string, limit int, err error) {
	concurrency := graph.Definition().Concurrency
	if concurrency == nil || concurrency.Limit <= 0 {
		return "", 0, nil
	}
	if graph.ConcurrencyKey() == nil {
		return keyOfWorkflow + state.Inputs().WorkflowID, concurrency.Limit, nil
	}
	value, err := graph.ConcurrencyKey().Resolve(state.Scope(plan.Ref{Step: 0, Item: plan.WholeStep}))
	if err != nil {
		return "", 0, fmt.Errorf("concurrency.key: %w", err)
	}
	text := string(value)
	var unquoted string
	if json.Unmarshal(value, &unquoted) == nil {
		text = unquoted
	}
	return keyOfText + text, concurrency.Limit, nil
}

// awaitSlots waits until it is known who holds the places of an earlier host:
// until then a start would take a place that is not free, or overtake those
// that came before it. What has no limit need not wait.
func (r *Runtime) awaitSlots(ctx context.Context, e *execution) error {
	if concurrency := e.graph.Definition().Concurrency; concurrency == nil || concurrency.Limit <= 0 {
		return nil
	}
	select {
	case <-r.recovered:
		return nil
	case <-r.draining:
		return engine.ErrStopping
	case <-ctx.Done():
		return fmt.Errorf("wait for what an earlier server left unfinished: %w", ctx.Err())
	}
}

// takeSlot makes an execution wait where a limit says so. A conflict may refuse
// one that is not kept yet, or name those that one which has not begun is to
// take the place of.
func (r *Runtime) takeSlot(e *execution, fresh bool) (replaces []string, err error) {
	key, limit, err := slotOf(e.graph, e.state)
	if err != nil || key == "" {
		return nil, err
	}
	m := &slotMember{
		id: e.id, workflow: e.graph.Definition().Name, limit: limit, since: e.header.StartedAt, holds: !e.state.StartedAt.IsZero(),
		grant: func() { e.post(message{kind: messageGrant}) },
	}
	conflict := e.graph.Definition().Concurrency.OnConflict
	view, err := r.slots.enter(key, m, fresh && conflict == workflow.OnConflictReject)
	if err != nil {
		return nil, err
	}
	e.mustQueue = view
	if e.state.Queued() && r.slots.holds(e.id) {
		// The host died between the end of another one and this one's
		// grant: nobody else will say so.
		m.grant()
	}
	if view != nil && conflict == workflow.OnConflictCancelRunning {
		return r.slots.before(e.id), nil
	}
	return nil, nil
}

// before lists the members of a group that came before one of them.
func (s *slots) before(id string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	if g := s.groups[s.keys[id]]; g != nil {
		for _, m := range g.members {
			if m.id == id {
				break
			}
			ids = append(ids, m.id)
		}
	}
	return ids
}

// replace asks executions to end because a newer one takes their place; those
// that are ending are left to it. The newest is asked first: one that waits
// must not get the place of one that ends.
func (r *Runtime) replace(ctx context.Context, ids []string, by string) {
	for _, id := range slices.Backward(ids) {
		_, err := r.ask(ctx, id, replaced(by))
		if err != nil && !errors.Is(err, engine.ErrConflict) && !errors.Is(err, engine.ErrNotFound) {
			r.log.Warn("an execution that is to be replaced could not be cancelled", "execution_id", id, "error", err)
		}
	}
}

// replaced asks an execution to end because another one takes its place.
func replaced(by string) message {
	return message{kind: messageCancel, by: "execution " + by + ", which takes its place", once: true}
}
