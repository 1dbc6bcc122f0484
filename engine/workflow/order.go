package workflow

import (
	"fmt"
	"slices"
	"strings"
)

// maxCycles bounds the cycles that are spelled out.
const maxCycles = 20

// link resolves dependencies to numbers.
func (c *compiler) link() {
	ids := c.stepIDs()
	for i := range c.graph.nodes {
		node := &c.graph.nodes[i]
		for j, id := range node.Step.Dependencies {
			pointer := fmt.Sprintf("/steps/%d/dependencies/%d", i, j)
			target, ok := c.graph.index[id]
			switch {
			case id == "":
			case !ok:
				c.error(pointer, node.Step.ID, "unknown_dependency", "Step %q depends on %q, which is no step of this workflow%s", node.Step.ID, id, endSentence(didYouMean(c.suggest.nearest(id, ids))))
			case target == i:
				c.error(pointer, node.Step.ID, "self_dependency", "Step %q depends on itself; remove the dependency.", node.Step.ID)
			case slices.Contains(node.Dependencies, target):
				c.warn(pointer, node.Step.ID, "duplicate_dependency", "Step %q names its dependency %q twice; remove one.", node.Step.ID, id)
			default:
				node.Dependencies = append(node.Dependencies, target)
			}
		}
		slices.Sort(node.Dependencies)
		node.WaitsForAll = len(node.Step.Dependencies) == 0 && node.Step.RunOn != RunOnSuccess
	}
	for i := range c.graph.nodes {
		for _, dependency := range c.graph.nodes[i].Dependencies {
			c.graph.nodes[dependency].Dependents = append(c.graph.nodes[dependency].Dependents, i)
		}
	}
}

// stepIDs yields the ids that dependencies may name.
func (c *compiler) stepIDs() func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range c.graph.nodes {
			if !yield(c.graph.nodes[i].Step.ID) {
				return
			}
		}
	}
}

// sort puts the steps in an order in which each comes after what it waits
// for, and sets the levels. It reports false, and the cycles, where there is
// no such order.
func (c *compiler) sort() bool {
	nodes := c.graph.nodes
	waiting, level := make([]int, len(nodes)), make([]int, len(nodes))
	// Steps that wait for every success step are held until the last of
	// these has its place.
	successes, lastSuccess := 0, -1
	var held, ready []int
	for i := range nodes {
		waiting[i] = len(nodes[i].Dependencies)
		if nodes[i].Step.RunOn == RunOnSuccess {
			successes++
		}
		switch {
		case nodes[i].WaitsForAll:
			held = append(held, i)
		case waiting[i] == 0:
			ready = append(ready, i)
		}
	}
	release := func() {
		if successes == 0 {
			for _, i := range held {
				level[i] = lastSuccess + 1
			}
			ready, held = append(ready, held...), nil
		}
	}
	release()
	for len(ready) > 0 {
		i := ready[0]
		ready = ready[1:]
		c.order = append(c.order, i)
		for _, dependent := range nodes[i].Dependents {
			level[dependent] = max(level[dependent], level[i]+1)
			if waiting[dependent]--; waiting[dependent] == 0 {
				ready = append(ready, dependent)
			}
		}
		if nodes[i].Step.RunOn == RunOnSuccess {
			successes--
			lastSuccess = max(lastSuccess, level[i])
			release()
		}
	}
	if len(c.order) < len(nodes) {
		c.reportCycles()
		return false
	}
	c.setLevels(level)
	return true
}

func (c *compiler) setLevels(level []int) {
	if len(level) == 0 {
		return
	}
	c.graph.levels = make([][]string, slices.Max(level)+1)
	for i, number := range level {
		c.graph.levels[number] = append(c.graph.levels[number], c.graph.nodes[i].Step.ID)
	}
}

// reportCycles spells out the cycles among the steps without a place.
func (c *compiler) reportCycles() {
	placed := make([]bool, len(c.graph.nodes))
	for _, i := range c.order {
		placed[i] = true
	}
	finder := &cycleFinder{nodes: c.graph.nodes, state: make([]byte, len(c.graph.nodes)), parent: make([]int, len(c.graph.nodes))}
	for i := range c.graph.nodes {
		if !placed[i] {
			finder.search(i)
		}
	}
	for _, cycle := range finder.cycles {
		first := cycle[0]
		names := make([]string, 0, len(cycle)+1)
		for _, i := range append(cycle, first) {
			names = append(names, c.graph.nodes[i].Step.ID)
		}
		if len(names) > 40 {
			names = append(append(names[:20:20], "…"), names[len(names)-19:]...)
		}
		c.error(fmt.Sprintf("/steps/%d/dependencies", first), c.graph.nodes[first].Step.ID, "cycle",
			"These steps wait for each other, each for the next: %s. Remove one of the dependencies.", strings.Join(names, " → "))
	}
	if len(finder.cycles) == 0 {
		c.reportHeldCycles()
	}
}

// reportHeldCycles tells which success step comes after a step that itself
// waits for all success steps.
func (c *compiler) reportHeldCycles() {
	nodes := c.graph.nodes
	for i := range nodes {
		if !nodes[i].WaitsForAll {
			continue
		}
		seen := map[int]bool{i: true}
		queue := []int{i}
		for len(queue) > 0 {
			at := queue[0]
			queue = queue[1:]
			if nodes[at].Step.RunOn == RunOnSuccess {
				c.error(fmt.Sprintf("/steps/%d/run_on", i), nodes[i].Step.ID, "cycle",
					"Step %q has run_on: %s and no dependencies, so it waits for every step with run_on: success; but %q comes after it. Give it dependencies, or remove run_on.",
					nodes[i].Step.ID, nodes[i].Step.RunOn, nodes[at].Step.ID)
				break
			}
			for _, dependent := range nodes[at].Dependents {
				if !seen[dependent] {
					seen[dependent] = true
					queue = append(queue, dependent)
				}
			}
		}
	}
}

// cycleFinder walks dependencies in depth. It keeps its own stack: a chain
// of ten thousand steps is no reason for deep recursion.
type cycleFinder struct {
	nodes []Node
	// state is 0 for unseen, 1 for on the stack, 2 for done.
	state  []byte
	parent []int
	cycles [][]int
}

func (f *cycleFinder) search(start int) {
	type frame struct{ node, next int }
	if f.state[start] != 0 {
		return
	}
	f.state[start] = 1
	stack := []frame{{node: start}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		dependencies := f.nodes[top.node].Dependencies
		if top.next == len(dependencies) {
			f.state[top.node] = 2
			stack = stack[:len(stack)-1]
			continue
		}
		target := dependencies[top.next]
		top.next++
		switch f.state[target] {
		case 0:
			f.state[target] = 1
			stack = append(stack, frame{node: target})
		case 1:
			if len(f.cycles) < maxCycles {
				var cycle []int
				for i := len(stack) - 1; ; i-- {
					cycle = append(cycle, stack[i].node)
					if stack[i].node == target {
						break
					}
				}
				slices.Reverse(cycle)
				f.cycles = append(f.cycles, fromSmallest(cycle))
			}
		}
	}
}

// fromSmallest turns a cycle so that it begins with its first step.
func fromSmallest(cycle []int) []int {
	least := 0
	for i := range cycle {
		if cycle[i] < cycle[least] {
			least = i
		}
	}
	return append(slices.Clone(cycle[least:]), cycle[:least]...)
}

// upstreamQuery asks whether a step comes after another; fail reports that
// it doesn't.
type upstreamQuery struct {
	node, target int
	fail         func()
}

// answer judges all queries in passes over the order, each for 512 targets:
// memory grows with the steps, not with their square.
func (c *compiler) answer() {
	const words = 8
	nodes := c.graph.nodes
	var open []upstreamQuery
	for _, query := range c.queries {
		if _, direct := slices.BinarySearch(nodes[query.node].Dependencies, query.target); !direct {
			open = append(open, query)
		}
	}
	slices.SortStableFunc(open, func(a, b upstreamQuery) int { return a.target - b.target })
	above := make([][words]uint64, len(nodes))
	for len(open) > 0 {
		slot := map[int]int{}
		end := 0
		for end < len(open) {
			if _, ok := slot[open[end].target]; !ok {
				if len(slot) == words*64 {
					break
				}
				slot[open[end].target] = len(slot)
			}
			end++
		}
		var all [words]uint64
		for _, i := range c.order {
			var bits [words]uint64
			if nodes[i].WaitsForAll {
				bits = all
			}
			for _, dependency := range nodes[i].Dependencies {
				for w := range bits {
					bits[w] |= above[dependency][w]
				}
			}
			// From here on the bits say what a step after this one is after.
			above[i] = bits
			if number, ok := slot[i]; ok {
				above[i][number/64] |= 1 << (number % 64)
			}
			if nodes[i].Step.RunOn == RunOnSuccess {
				for w := range all {
					all[w] |= above[i][w]
				}
			}
		}
		for _, query := range open[:end] {
			number := slot[query.target]
			if query.node == query.target || above[query.node][number/64]&(1<<(number%64)) == 0 {
				query.fail()
			}
		}
		open = open[end:]
	}
}
