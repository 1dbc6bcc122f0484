package workflow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/vwmp/vwmp/engine/workflow/internal/rawjson"
)

// expressionUses is what a condition refers to.
type expressionUses struct {
	// config and parameters are the keys named; the flags say that any of
	// them may be meant.
	config, parameters           []string
	wholeConfig, wholeParameters bool
	// optional holds the members reached by ?. or given a fallback with ??,
	// which may be missing.
	optional map[string]bool
	// steps are the ids named, outputs those whose output is used.
	steps, outputs []string
	paths          []visiblePath
	problems       []expressionError
	// costly is set where bounded functions must take over.
	costly bool
	// constant is the value of a condition that is one literal.
	constant *bool
}

// useCollector walks a syntax tree from the leaves up. A member of a known
// path takes that path's place, so that the longest ones are left.
type useCollector struct {
	uses  *expressionUses
	paths map[ast.Node]*visiblePath
	order []ast.Node
}

var expressionRoots = []string{"config", "parameters", "steps", "execution", "workflow"}

func collectUses(root ast.Node) *expressionUses {
	uses := &expressionUses{optional: map[string]bool{}}
	collector := &useCollector{uses: uses, paths: map[ast.Node]*visiblePath{}}
	ast.Walk(&root, collector)
	if literal, ok := root.(*ast.BoolNode); ok {
		uses.constant = &literal.Value
	}
	seen := map[string]bool{}
	for _, node := range collector.order {
		path, ok := collector.paths[node]
		if !ok || seen[path.text] {
			continue
		}
		seen[path.text] = true
		uses.note(path)
		uses.paths = append(uses.paths, *path)
	}
	slices.Sort(uses.steps)
	uses.steps = slices.Compact(uses.steps)
	return uses
}

// Visit implements ast.Visitor.
func (c *useCollector) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if slices.Contains(expressionRoots, n.Value) {
			c.record(n, &visiblePath{text: n.Value, segments: []rawjson.Segment{rawjson.Key(n.Value)}})
		}
		if strings.HasPrefix(n.Value, "__") || strings.HasPrefix(n.Value, "$") {
			c.uses.problems = append(c.uses.problems, expressionError{"unknown_name", fmt.Sprintf("The condition uses the name %s, which is nothing of the language.", n.Value)})
		}
	case *ast.ChainNode:
		if path, ok := c.paths[n.Node]; ok {
			delete(c.paths, n.Node)
			c.record(n, path)
		}
	case *ast.MemberNode:
		c.member(n)
	case *ast.CallNode:
		if _, ok := n.Callee.(*ast.MemberNode); ok {
			c.uses.problems = append(c.uses.problems, expressionError{"bad_expression", "The condition calls a method, and values have none; use a function, such as len(parameters.files)."})
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "+", "matches", "in", "contains":
			c.uses.costly = true
		case "??":
			if path, ok := c.paths[n.Left]; ok {
				c.uses.optional[path.text] = true
			}
		}
	case *ast.PredicateNode:
		c.uses.costly = true
	}
}

func (c *useCollector) record(node ast.Node, path *visiblePath) {
	c.paths[node] = path
	c.order = append(c.order, node)
}

// member lengthens the path of the value that a member is of.
func (c *useCollector) member(n *ast.MemberNode) {
	path, ok := c.paths[n.Node]
	if !ok {
		return
	}
	var segment rawjson.Segment
	switch property := n.Property.(type) {
	case *ast.StringNode:
		segment = rawjson.Key(property.Value)
	case *ast.IntegerNode:
		if property.Value < 0 || len(path.segments) < 2 {
			return
		}
		segment = rawjson.Index(property.Value)
	default:
		return
	}
	delete(c.paths, n.Node)
	longer := &visiblePath{
		text:     path.text + segmentText(segment),
		segments: append(slices.Clone(path.segments), segment),
	}
	if n.Optional {
		c.uses.optional[longer.text] = true
	}
	if c.uses.optional[path.text] {
		c.uses.optional[longer.text] = true
	}
	c.record(n, longer)
}

// segmentText writes a segment as a condition does, where a name with a
// dash would be a subtraction.
func segmentText(segment rawjson.Segment) string {
	if segment.Index < 0 && strings.Contains(segment.Key, "-") {
		return fmt.Sprintf("[%q]", segment.Key)
	}
	return segment.String()
}

// note sorts a path into what it refers to.
func (u *expressionUses) note(path *visiblePath) {
	name := ""
	if len(path.segments) > 1 {
		name = path.segments[1].Key
	}
	fail := func(code, format string, args ...any) {
		u.problems = append(u.problems, expressionError{code, fmt.Sprintf(format, args...)})
	}
	switch root := path.segments[0].Key; root {
	case "config":
		u.config = append(u.config, name)
		u.wholeConfig = u.wholeConfig || name == ""
	case "parameters":
		u.parameters = append(u.parameters, name)
		u.wholeParameters = u.wholeParameters || name == ""
	case "steps":
		if name == "" {
			fail("dynamic_step", `The condition names no single step; write the step's id in quotes, such as steps["build"].status.`)
			return
		}
		u.steps = append(u.steps, name)
		if len(path.segments) < 3 {
			u.outputs = append(u.outputs, name)
			return
		}
		switch path.segments[2].Key {
		case "status":
		case "output":
			u.outputs = append(u.outputs, name)
		default:
			fail("unknown_name", `The condition names %s, but a step has only status and output.`, path.text)
		}
	case "execution":
		if len(path.segments) != 2 || name != "id" && name != "started_at" {
			fail("unknown_name", "The condition names %s, but execution has only id and started_at.", path.text)
		}
	case "workflow":
		if len(path.segments) != 2 || name != "id" && name != "name" && name != "version" {
			fail("unknown_name", "The condition names %s, but workflow has only id, name and version.", path.text)
		}
	}
}

// guardVisitor puts bounded functions in the place of what costs: string
// building, searching in large values, and loops.
type guardVisitor struct{}

// Visit implements ast.Visitor.
func (g *guardVisitor) Visit(node *ast.Node) {
	call := func(name string, arguments ...ast.Node) ast.Node {
		return &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: arguments}
	}
	switch n := (*node).(type) {
	case *ast.BinaryNode:
		switch n.Operator {
		case "+":
			ast.Patch(node, call("__add", n.Left, n.Right))
		case "matches":
			ast.Patch(node, call("__matches", n.Left, n.Right))
		case "contains":
			n.Left = call("__charge", n.Left)
		case "in":
			n.Right = call("__charge", n.Right)
		}
	case *ast.PredicateNode:
		if sequence, ok := n.Node.(*ast.SequenceNode); ok && len(sequence.Nodes) == 2 && isTick(sequence.Nodes[0]) {
			return
		}
		n.Node = &ast.SequenceNode{Nodes: []ast.Node{
			call("__tick", &ast.BoolNode{Value: reachesOut(n.Node)}), n.Node,
		}}
	}
}

func isTick(node ast.Node) bool {
	call, ok := node.(*ast.CallNode)
	if !ok {
		return false
	}
	name, ok := call.Callee.(*ast.IdentifierNode)
	return ok && name.Value == "__tick"
}

// reachesOut reports whether a loop's body uses more than its element, and
// so may look at a large value once for each.
func reachesOut(body ast.Node) bool {
	finder := &nameFinder{}
	ast.Walk(&body, finder)
	return finder.found
}

type nameFinder struct{ found bool }

// Visit implements ast.Visitor.
func (f *nameFinder) Visit(node *ast.Node) {
	switch (*node).(type) {
	case *ast.IdentifierNode, *ast.PredicateNode, *ast.VariableDeclaratorNode:
		f.found = true
	}
}
