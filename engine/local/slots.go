package local

import (
	"cmp"
	"container/list"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
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
//
// Arriving, leaving and granting take the same time however many wait: a queue
// may be 100,000 long.
type slots struct {
	mu      sync.Mutex
	groups  map[string]*slotGroup
	members map[string]*slotMember
}

// slotGroup is the executions that count against each other.
type slotGroup struct {
	key string
	// holders and waiting are in the order of their arrival, and places are
	// given in it: every holder came before everybody who waits.
	holders, waiting list.List
	// limits counts the members by their limit.
	limits map[int]int
}

type slotMember struct {
	id, workflow string
	limit        int
	since        time.Time
	holds        bool
	grant        func()

	group *slotGroup
	// place is the member's own in one of the group's lists.
	place *list.Element
}

func newSlots() *slots {
	return &slots{groups: map[string]*slotGroup{}, members: map[string]*slotMember{}}
}

// limit is the smallest of all members.
func (g *slotGroup) limit() int {
	smallest := math.MaxInt
	for limit := range g.limits {
		smallest = min(smallest, limit)
	}
	return smallest
}

func (g *slotGroup) add(m *slotMember) {
	m.group = g
	if g.limits[m.limit]++; m.holds {
		m.place = g.holders.PushBack(m)
	} else {
		m.place = g.waiting.PushBack(m)
	}
}

func (g *slotGroup) take(m *slotMember) {
	if g.limits[m.limit]--; g.limits[m.limit] == 0 {
		delete(g.limits, m.limit)
	}
	if m.holds {
		g.holders.Remove(m.place)
	} else {
		g.waiting.Remove(m.place)
	}
}

// enter makes a member known. One that has begun already holds its place
// whatever the limit says; another one waits where there is none free, and
// the view says for whom.
func (s *slots) enter(key string, m *slotMember, onlyIfFree bool) (*engine.SlotView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if earlier := s.members[m.id]; earlier != nil {
		// It was put aside for a moment, and kept its place.
		earlier.grant = m.grant
		return nil, nil //nolint:nilnil // Nothing changes.
	}
	g := s.groups[key]
	if g == nil {
		g = &slotGroup{key: key, limits: map[int]int{}}
		s.groups[key] = g
	}
	if free := min(g.limit(), m.limit) - g.holders.Len(); free > 0 && g.waiting.Len() == 0 {
		m.holds = true
	}
	g.add(m)
	if m.holds {
		s.members[m.id] = m
		return nil, nil //nolint:nilnil // It has its place.
	}
	view := g.view(g.waiting.Len())
	if onlyIfFree {
		g.take(m)
		return view, fmt.Errorf("%w: %s", engine.ErrConflict, queueReason(view))
	}
	s.members[m.id] = m
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
	m := s.members[id]
	if m == nil {
		return nil
	}
	delete(s.members, id)
	g := m.group
	if g.take(m); len(g.limits) == 0 {
		delete(s.groups, g.key)
		return nil
	}
	for limit := g.limit(); g.waiting.Len() > 0 && g.holders.Len() < limit; {
		next, _ := g.waiting.Remove(g.waiting.Front()).(*slotMember)
		next.holds, next.place = true, g.holders.PushBack(next)
		granted = append(granted, next)
	}
	return granted
}

// holds reports whether a member has its place.
func (s *slots) holds(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.members[id]
	return m != nil && m.holds
}

// view says who holds what an execution waits for; nil for one that does not
// wait.
func (s *slots) view(id string) *engine.SlotView {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.members[id]
	if m == nil || m.holds {
		return nil
	}
	place := 1
	for at := m.place.Prev(); at != nil; at = at.Prev() {
		place++
	}
	return m.group.view(place)
}

// view is what somebody at a place of the queue waits for.
func (g *slotGroup) view(place int) *engine.SlotView {
	view := &engine.SlotView{Key: g.key, Limit: g.limit(), Place: place}
	for _, m := range membersOf(&g.holders) {
		view.Holders = append(view.Holders, engine.SlotHolder{ExecutionID: m.id, WorkflowName: m.workflow, Since: m.since})
	}
	return view
}

func membersOf(l *list.List) []*slotMember {
	members := make([]*slotMember, 0, l.Len())
	for at := l.Front(); at != nil; at = at.Next() {
		m, _ := at.Value.(*slotMember)
		members = append(members, m)
	}
	return members
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
	own := s.members[id]
	if own == nil {
		return nil
	}
	for _, m := range append(membersOf(&own.group.holders), membersOf(&own.group.waiting)...) {
		if m == own {
			break
		}
		ids = append(ids, m.id)
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
