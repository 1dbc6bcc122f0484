// Package compare tells how two definitions of a workflow differ: step by
// step and value by value, each change with a sentence, and as a unified
// diff of their texts.
//
// The order of steps, parameters and keys means nothing to the engine, and
// nothing here. It does not judge which of two definitions is right, and it
// doesn't compare executions.
package compare

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
)

// Kind says what became of a value.
type Kind string

// The kinds of a Change.
const (
	Added   Kind = "added"
	Removed Kind = "removed"
	Changed Kind = "changed"
)

// Change is one difference.
type Change struct {
	Kind Kind `json:"kind" enum:"added,removed,changed"`
	// Pointer is the value's JSON pointer in the second definition, that of
	// a removed one in the first.
	Pointer string `json:"pointer"`
	// StepID is empty where the change is outside of the steps.
	StepID string `json:"step_id,omitempty"`
	// Before is absent of what was added, After of what was removed.
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
	// Summary is a sentence for a person.
	Summary string `json:"summary"`
}

// Steps names the steps by what became of them.
type Steps struct {
	Added   []string `json:"added" nullable:"false"`
	Removed []string `json:"removed" nullable:"false"`
	Changed []string `json:"changed" nullable:"false"`
}

// Comparison is what differs; its lists are never nil.
type Comparison struct {
	Changes []Change `json:"changes" nullable:"false"`
	Steps   Steps    `json:"steps"`
}

// Documents compares two definitions in canonical JSON. One that is empty
// counts as a map without keys.
func Documents(before, after []byte) Comparison {
	w := &walk{Comparison{
		Changes: []Change{},
		Steps:   Steps{Added: []string{}, Removed: []string{}, Changed: []string{}},
	}}
	w.members(place{}, read(before), read(after))
	return w.Comparison
}

func read(document []byte) *tree.Node {
	if node, _ := tree.ReadJSON(document, tree.Limits{}); node != nil {
		return node
	}
	return &tree.Node{Kind: tree.Object}
}

// Text is the unified diff of two texts with three lines around each change;
// empty where they are the same. Its cost is that of sorting the lines.
func Text(nameBefore string, before []byte, nameAfter string, after []byte) string {
	text := string(diff.Diff(nameBefore, before, nameAfter, after))
	if _, rest, found := strings.Cut(text, "\n"); found && strings.HasPrefix(text, "diff ") {
		return rest
	}
	return text
}

// place is where in the documents the walk is.
type place struct {
	// before and after are the pointers in the two documents.
	before, after string
	// thing is what a sentence begins with: "Step "a"", or nothing for the
	// workflow itself; path is the way from it.
	thing, path string
	step        string
}

func (p place) in(key string) place {
	p.before, p.after = p.before+"/"+tree.Escape(key), p.after+"/"+tree.Escape(key)
	if p.path != "" {
		p.path += "."
	}
	p.path += key
	return p
}

type walk struct{ Comparison }

// named are the lists whose items have a name, at the top of a document.
var named = map[string]struct{ key, thing string }{
	"steps":      {"id", "Step"},
	"parameters": {"name", "Parameter"},
	"triggers":   {"id", "Trigger"},
}

func (w *walk) members(at place, before, after *tree.Node) {
	old, current := before.Finder(), after.Finder()
	for i := range before.Members {
		key := before.Members[i].Key
		w.value(at, key, before.Members[i].Value, current(key))
	}
	for i := range after.Members {
		if key := after.Members[i].Key; old(key) == nil {
			w.value(at, key, nil, after.Members[i].Value)
		}
	}
}

func (w *walk) value(at place, key string, before, after *tree.Node) {
	if list, ok := named[key]; ok && at.before == "" && w.list(list.key, list.thing, at.in(key), before, after) {
		return
	}
	at = at.in(key)
	switch {
	case before != nil && after != nil && before.Kind == tree.Object && after.Kind == tree.Object && w.walks(before, after):
		w.members(at, before, after)
	case tree.Equal(before, after):
	default:
		w.add(at, before, after)
	}
}

// Above these bounds a map that differs is one change as a whole: nobody
// reads more, and an answer must not outgrow its documents many times.
const (
	maxKeys    = 2_000
	maxChanges = 5_000
)

func (w *walk) walks(before, after *tree.Node) bool {
	return len(before.Members)+len(after.Members) <= maxKeys && len(w.Changes) < maxChanges
}

// list compares a list by the names of its items; false where some have
// none, or have one name twice.
func (w *walk) list(key, thing string, at place, before, after *tree.Node) bool {
	old, ok := index(before, key)
	if !ok {
		return false
	}
	current, ok := index(after, key)
	if !ok {
		return false
	}
	place := func(name string) place {
		p := at
		p.thing, p.path = fmt.Sprintf("%s %q", thing, name), ""
		if i, there := old[name]; there {
			p.before += "/" + strconv.Itoa(i)
		}
		if i, there := current[name]; there {
			p.after += "/" + strconv.Itoa(i)
		}
		if thing == "Step" {
			p.step = name
		}
		return p
	}
	for _, item := range items(before) {
		name := item.Get(key).Text
		i, stays := current[name]
		if !stays {
			w.note(&w.Steps.Removed, thing, name)
			w.add(place(name), item, nil)
			continue
		}
		seen := len(w.Changes)
		w.members(place(name), item, after.Items[i])
		if len(w.Changes) > seen {
			w.note(&w.Steps.Changed, thing, name)
		}
	}
	for _, item := range items(after) {
		name := item.Get(key).Text
		if _, there := old[name]; !there {
			w.note(&w.Steps.Added, thing, name)
			w.add(place(name), nil, item)
		}
	}
	return true
}

func (w *walk) note(names *[]string, thing, name string) {
	if thing == "Step" {
		*names = append(*names, name)
	}
}

func items(list *tree.Node) []*tree.Node {
	if list == nil {
		return nil
	}
	return list.Items
}

// index finds each item by its name.
func index(list *tree.Node, key string) (map[string]int, bool) {
	names := map[string]int{}
	for i, item := range items(list) {
		name := item.Get(key)
		if name == nil || name.Kind != tree.String || name.Text == "" {
			return nil, false
		}
		if _, twice := names[name.Text]; twice {
			return nil, false
		}
		names[name.Text] = i
	}
	return names, true
}

func (w *walk) add(at place, before, after *tree.Node) {
	change := Change{Kind: Changed, Pointer: at.after, StepID: at.step, Summary: at.sentence(before, after)}
	if before != nil {
		change.Before = before.AppendJSON(nil)
	}
	if after != nil {
		change.After = after.AppendJSON(nil)
	}
	switch {
	case before == nil:
		change.Kind = Added
	case after == nil:
		change.Kind, change.Pointer = Removed, at.before
	}
	w.Changes = append(w.Changes, change)
}

func (p place) sentence(before, after *tree.Node) string {
	subject := p.thing
	if subject == "" {
		subject = "Workflow"
	}
	value := subject + ": " + p.path
	switch {
	case p.path == "" && before == nil:
		if handler := after.Get("handler"); handler != nil {
			return fmt.Sprintf("%s was added; it runs %s.", subject, handler.Text)
		}
		return subject + " was added."
	case p.path == "":
		return subject + " was removed."
	case before == nil:
		return fmt.Sprintf("%s was set to %s.", value, short(after))
	case after == nil:
		return fmt.Sprintf("%s was removed; it was %s.", value, short(before))
	}
	return fmt.Sprintf("%s changed from %s to %s.", value, short(before), short(after))
}

// maxShown bounds a value in a sentence, in characters.
const maxShown = 80

func short(n *tree.Node) string {
	text := []rune(string(n.AppendJSON(nil)))
	if len(text) > maxShown {
		return string(text[:maxShown-1]) + "…"
	}
	return string(text)
}
