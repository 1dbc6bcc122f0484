package main

import (
	"slices"
	"testing"
)

// A kanban document that is read and not changed is written byte by byte as it
// was; ticking an entry ticks it, and changes no other line.
func FuzzKanban(f *testing.F) {
	for _, text := range []string{
		"# Epic 1\n\n- [ ] E1:S02:T03 do it\n- [x] E1:S02:T04 done\n", "```\n- [ ] E1:S1:T1\n```\n- [ ] **E1:S1:T1** x\r\n", "- [ ] Story 3: x\n* [X] Epic 1", "~~~\n- [ ] T1", "",
		"## Story 2 — x\n**Status:** TODO\n- [ ] T3: y (E1:S2:T3)",
	} {
		f.Add(1, []byte(text))
	}
	f.Fuzz(func(t *testing.T, epic int, data []byte) {
		document := newDocument("x.md", epic, data)
		if after := document.edit().After; string(after) != string(data) {
			t.Fatalf("%q became %q", data, after)
		}
		_ = findTaskIDs(string(data))
		entries := document.entries()
		for _, e := range entries {
			if e.isDone {
				continue
			}
			before := slices.Clone(document.lines)
			document.tick(e, "1.2.3")
			after := newDocument("x.md", epic, document.edit().After)
			if len(after.lines) != len(before) {
				t.Fatalf("ticking line %d of %q made %d lines of %d", e.line, data, len(after.lines), len(before))
			}
			if !slices.ContainsFunc(after.entries(), func(other entry) bool { return other.line == e.line && other.id == e.id && other.isDone }) {
				t.Fatalf("line %d of %q is not ticked: %q", e.line, data, after.lines[e.line])
			}
			for i := range before {
				if i != e.line && before[i] != document.lines[i] {
					t.Fatalf("ticking line %d of %q changed line %d", e.line, data, i)
				}
			}
		}
	})
}
