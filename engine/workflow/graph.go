package workflow

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/vwmp/vwmp/engine/workflow/internal/rawjson"
	"github.com/vwmp/vwmp/pluginsdk"
)

// Graph is a compiled workflow. It is immutable and safe for concurrent
// use.
type Graph struct {
	definition *Definition
	nodes      []Node
	index      map[string]int
	levels     [][]string
	key        *Template
	triggers   []*Template
	secrets    []string
}

// Node is a step in its place.
type Node struct {
	// Index is the step's number in the definition, from 0.
	Index int
	Step  *Step
	// Dependencies are the steps that it names, Dependents those that name
	// it, in the order of the definition.
	Dependencies, Dependents []int
	// WaitsForAll is set for a failure or always step without
	// dependencies: it waits for every step with run_on: success.
	WaitsForAll bool
	// Handler is nil when the graph was compiled without a catalogue.
	Handler *Handler
	// Enabled is nil where the step has none: then it is true.
	Enabled *Template
	// When is nil where the step has none.
	When    *Expression
	Config  *Template
	ForEach *Template
}

// Definition returns what was compiled. It must not be changed.
func (g *Graph) Definition() *Definition { return g.definition }

// Len returns the number of steps.
func (g *Graph) Len() int { return len(g.nodes) }

// Node returns the step of that number, in the definition's order.
func (g *Graph) Node(i int) *Node { return &g.nodes[i] }

// Index returns the number of the step with that id.
func (g *Graph) Index(stepID string) (int, bool) {
	i, ok := g.index[stepID]
	return i, ok
}

// Levels returns the steps' ids in levels: each depends on steps of earlier
// levels only, and stands in the first level where that is so. Within a
// level they are in the definition's order.
func (g *Graph) Levels() [][]string {
	levels := make([][]string, len(g.levels))
	for i, level := range g.levels {
		levels[i] = slices.Clone(level)
	}
	return levels
}

// ConcurrencyKey returns the template of concurrency.key, or nil.
func (g *Graph) ConcurrencyKey() *Template { return g.key }

// TriggerParameters returns the template of a trigger's parameters, or nil.
func (g *Graph) TriggerParameters(i int) *Template { return g.triggers[i] }

// Upstream returns all steps that a step comes after, nearest first: by the
// number of dependencies between them, then the later one in the definition
// first. It is computed on each call.
func (g *Graph) Upstream(i int) []int {
	distance := make(map[int]int)
	frontier := g.before(i)
	var found []int
	for depth := 1; len(frontier) > 0; depth++ {
		var next []int
		for _, ancestor := range frontier {
			if _, seen := distance[ancestor]; seen || ancestor == i {
				continue
			}
			distance[ancestor] = depth
			found = append(found, ancestor)
			next = append(next, g.before(ancestor)...)
		}
		frontier = next
	}
	slices.SortFunc(found, func(a, b int) int {
		return cmp.Or(cmp.Compare(distance[a], distance[b]), cmp.Compare(b, a))
	})
	return found
}

// before returns the steps that one waits for directly.
func (g *Graph) before(i int) []int {
	if !g.nodes[i].WaitsForAll {
		return g.nodes[i].Dependencies
	}
	var all []int
	for j := range g.nodes {
		if g.nodes[j].Step.RunOn == RunOnSuccess {
			all = append(all, j)
		}
	}
	return all
}

// Name returns what a person calls the step: its name, else the handler's
// display name, else its id.
func (n *Node) Name() string {
	name := n.Step.Name
	if name == "" && n.Handler != nil {
		name = n.Handler.Info.Name
	}
	return cmp.Or(name, n.Step.ID)
}

// Type returns the step's label: its type, else the last part of the
// handler's path.
func (n *Node) Type() string { return cmp.Or(n.Step.Type, lastSegment(n.Step.Handler)) }

// Timeout returns the bound of one attempt: the step's, else the handler's,
// else DefaultStepTimeout. A built-in that waits has none of its own: zero
// is no bound.
func (n *Node) Timeout() time.Duration {
	if n.Step.Timeout > 0 {
		return n.Step.Timeout
	}
	switch n.Step.Handler {
	case HandlerApproval, HandlerWait, HandlerSignal, HandlerWorkflow:
		return 0
	}
	if n.Handler != nil && n.Handler.Info.DefaultTimeout > 0 {
		return n.Handler.Info.DefaultTimeout
	}
	return DefaultStepTimeout
}

// Retry returns the policy that applies: the step's, else the handler's,
// else one attempt.
func (n *Node) Retry() Retry {
	if n.Step.Retry != nil {
		return *n.Step.Retry
	}
	if n.Handler == nil || n.Handler.Info.DefaultRetry == nil {
		return DefaultRetry()
	}
	suggested, retry := n.Handler.Info.DefaultRetry, DefaultRetry()
	retry.MaxAttempts = max(suggested.MaxAttempts, 1)
	retry.InitialInterval = cmp.Or(suggested.InitialInterval, retry.InitialInterval)
	retry.Multiplier = cmp.Or(suggested.Multiplier, retry.Multiplier)
	retry.MaxInterval = cmp.Or(suggested.MaxInterval, retry.MaxInterval)
	retry.Jitter = cmp.Or(suggested.Jitter, retry.Jitter)
	return retry
}

// Effect returns the handler's effect class; what is not declared is
// unsafe.
func (n *Node) Effect() pluginsdk.EffectClass {
	if n.Handler == nil || n.Handler.Info.Effect == "" {
		return pluginsdk.EffectUnsafe
	}
	return n.Handler.Info.Effect
}

// IsEnabled resolves enabled. The error is a *ReferenceError, or says that
// the value is neither true nor false.
func (n *Node) IsEnabled(scope *Scope) (bool, error) {
	value, err := n.Enabled.Resolve(scope)
	if err != nil {
		return false, err
	}
	switch string(value) {
	case "", "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("step %q: enabled must be true or false, but %s is %s", n.Step.ID, n.Step.Enabled, clip(string(value), 100))
}

// Items resolves for_each to its items, at most MaxItems. It is nil for a
// step without; an empty list is not nil.
func (n *Node) Items(scope *Scope) ([]json.RawMessage, error) {
	if n.ForEach == nil {
		return nil, nil
	}
	value, err := n.ForEach.Resolve(scope)
	if err != nil {
		return nil, err
	}
	items, count := []json.RawMessage{}, 0
	isList := rawjson.Items(value, func(item []byte) bool {
		if count++; count <= MaxItems {
			items = append(items, item)
		}
		return count <= MaxItems
	})
	switch {
	case !isList:
		return nil, fmt.Errorf("step %q: for_each must be a list, but it is a %s", n.Step.ID, rawjson.Kind(value))
	case count > MaxItems:
		return nil, fmt.Errorf("step %q: for_each has more than %d items; split the list", n.Step.ID, MaxItems)
	}
	return items, nil
}
