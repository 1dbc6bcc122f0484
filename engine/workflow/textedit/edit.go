package textedit

import (
	"slices"
	"strings"

	"github.com/vwmp/vwmp/engine/workflow/internal/tree"
)

// splice puts text in the place of the bytes from start to end.
type splice struct {
	start, end int
	text       string
}

// editor collects the splices of one text.
type editor struct {
	text    string
	splices []splice
}

func (e *editor) put(start, end int, text string) {
	e.splices = append(e.splices, splice{start, end, text})
}

// applied is the part of the text from start to end with its splices put in.
func (e *editor) applied(start, end int) (string, error) {
	slices.SortStableFunc(e.splices, func(a, b splice) int { return a.start - b.start })
	var out strings.Builder
	at := start
	for _, s := range e.splices {
		if s.start < at || s.end > end {
			return "", errForm
		}
		out.WriteString(e.text[at:s.start])
		out.WriteString(s.text)
		at = s.end
	}
	out.WriteString(e.text[at:end])
	return out.String(), nil
}

// change makes a value what is wanted. Written is the value as the text has
// it, from what it means; the two differ in what is written but a default,
// or written in another way.
func (e *editor) change(at *span, written, from, want *tree.Node) error {
	if tree.Equal(from, want) {
		return nil
	}
	if at.form == alias || at.anchored {
		return errForm
	}
	if written.Kind == tree.Object && from.Kind == tree.Object && want.Kind == tree.Object {
		return e.changeMap(at, written, from, want)
	}
	if written.Kind == tree.Array && from.Kind == tree.Array && want.Kind == tree.Array && len(written.Items) == len(from.Items) {
		return e.changeList(at, written, from, want)
	}
	return e.replace(at, want)
}

// fresh is a member or an item that the text does not have yet.
type fresh struct {
	key   string
	value *tree.Node
}

// piece is one entry of a collection after the edit: an entry of the text,
// or a fresh one.
type piece struct {
	kept  int
	fresh fresh
}

func (e *editor) changeMap(at *span, written, from, want *tree.Node) error {
	now, means, wanted := written.Finder(), from.Finder(), want.Finder()
	var kept []int
	place := map[string]int{}
	for i := range written.Members {
		key := written.Members[i].Key
		if wanted(key) == nil && means(key) != nil {
			continue
		}
		place[key] = len(kept)
		kept = append(kept, i)
	}
	structure := len(kept) < len(written.Members)
	// A new key comes behind the one that is before it in the wanted map,
	// else at the end.
	behind := make(map[int][]piece)
	after := len(kept) - 1
	for i := range want.Members {
		key, value := want.Members[i].Key, want.Members[i].Value
		if here, stays := place[key]; stays {
			after = here
		} else if !tree.Equal(means(key), value) {
			structure = true
			behind[after] = append(behind[after], piece{kept: -1, fresh: fresh{key, value}})
		}
	}
	pieces := behind[-1]
	for n, i := range kept {
		pieces = append(append(pieces, piece{kept: i}), behind[n]...)
	}
	inner := func(into *editor, i int) error {
		key, entry := written.Members[i].Key, &at.entries[i]
		target := wanted(key)
		switch {
		case target == nil:
			return nil
		case means(key) != nil:
			return into.change(entry.value, now(key), means(key), target)
		case tree.Equal(now(key), target):
			return nil
		}
		return into.replace(entry.value, target)
	}
	return e.assemble(at, want, pieces, structure, inner)
}

func (e *editor) changeList(at *span, written, from, want *tree.Node) error {
	pairs := match(from.Items, want.Items)
	pieces := make([]piece, len(pairs))
	wanted := make(map[int]*tree.Node, len(pairs))
	for i, pair := range pairs {
		pieces[i] = piece{kept: pair, fresh: fresh{value: want.Items[i]}}
		if pair >= 0 {
			wanted[pair] = want.Items[i]
		}
	}
	inner := func(into *editor, i int) error {
		return into.change(at.entries[i].value, written.Items[i], from.Items[i], wanted[i])
	}
	return e.assemble(at, want, pieces, !inOrder(len(from.Items), pairs), inner)
}

// assemble brings a collection to its new entries. Inner changes one kept
// entry.
func (e *editor) assemble(at *span, want *tree.Node, pieces []piece, structure bool, inner func(*editor, int) error) error {
	switch {
	case !structure:
		for _, p := range pieces {
			if err := inner(e, p.kept); err != nil {
				return err
			}
		}
		return nil
	case len(pieces) == 0 || len(at.entries) == 0:
		return e.replace(at, want)
	case at.isFlow():
		return e.assembleFlow(at, pieces, inner)
	}
	return e.assembleBlock(at, pieces, inner)
}

// assembleFlow writes a collection in brackets; it must not hold comments.
func (e *editor) assembleFlow(at *span, pieces []piece, inner func(*editor, int) error) error {
	if strings.Contains(e.text[at.start:at.end], " #") || strings.Contains(e.text[at.start:at.end], "\n#") {
		return errForm
	}
	first, last := at.entries[0], at.entries[len(at.entries)-1]
	between := ", "
	if len(at.entries) > 1 {
		between = e.text[first.value.end:at.entries[1].start]
	}
	parts := make([]string, 0, len(pieces))
	for _, p := range pieces {
		if p.kept < 0 {
			part := appendFlow(nil, p.fresh.value)
			if at.form == flowMap {
				part = append(append(appendFlowText(nil, p.fresh.key), ':', ' '), part...)
			}
			parts = append(parts, string(part))
			continue
		}
		sub := &editor{text: e.text}
		if err := inner(sub, p.kept); err != nil {
			return err
		}
		part, err := sub.applied(at.entries[p.kept].start, at.entries[p.kept].value.end)
		if err != nil {
			return err
		}
		parts = append(parts, part)
	}
	e.put(first.start, last.value.end, strings.Join(parts, between))
	return nil
}
