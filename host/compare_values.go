package host

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/vwmp/vwmp/engine/workflow"
)

// Bounds of a comparison: the differences of one value that are listed, and
// what all lists of an answer hold.
const (
	maxDifferences     = 100
	maxDifferenceBytes = 1 << 20
)

// differ lists where values differ, until it has listed enough.
type differ struct {
	// bytes is how much may still be listed.
	bytes int
	found []difference
	more  int
	// depth is how deep the values stand that are being compared.
	depth int
}

// between lists where two JSON values differ; more counts what is not listed.
// A value that is missing is empty.
func (d *differ) between(before, after json.RawMessage) (found []difference, more int) {
	d.found, d.more = []difference{}, 0
	if !bytes.Equal(before, after) {
		d.walk("", before, after)
	}
	return d.found, d.more
}

func (d *differ) walk(pointer string, before, after json.RawMessage) {
	before, after = bytes.TrimSpace(before), bytes.TrimSpace(after)
	d.depth++
	defer func() { d.depth-- }()
	// Each level is read anew: what is nested deeper differs as a whole.
	deep := d.depth > workflow.MaxDepth
	switch {
	case len(before) == 0 && len(after) == 0:
	case len(before) == 0:
		d.add(difference{Pointer: pointer, Kind: "added", After: after})
	case len(after) == 0:
		d.add(difference{Pointer: pointer, Kind: "removed", Before: before})
	case !deep && before[0] == '{' && after[0] == '{' && blobOf(before) == "" && blobOf(after) == "":
		d.walkObjects(pointer, before, after)
	case !deep && before[0] == '[' && after[0] == '[':
		d.walkLists(pointer, before, after)
	case !sameValue(before, after):
		d.add(difference{Pointer: pointer, Kind: "changed", Before: before, After: after})
	}
}

func (d *differ) walkObjects(pointer string, before, after json.RawMessage) {
	var a, b map[string]json.RawMessage
	if json.Unmarshal(before, &a) != nil || json.Unmarshal(after, &b) != nil {
		d.add(difference{Pointer: pointer, Kind: "changed", Before: before, After: after})
		return
	}
	keys := maps.Clone(a)
	maps.Copy(keys, b)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		d.walk(pointer+"/"+pointerEscape(key), a[key], b[key])
	}
}

func (d *differ) walkLists(pointer string, before, after json.RawMessage) {
	var a, b []json.RawMessage
	if json.Unmarshal(before, &a) != nil || json.Unmarshal(after, &b) != nil {
		d.add(difference{Pointer: pointer, Kind: "changed", Before: before, After: after})
		return
	}
	at := func(list []json.RawMessage, i int) json.RawMessage {
		if i < len(list) {
			return list[i]
		}
		return nil
	}
	for i := range max(len(a), len(b)) {
		d.walk(pointer+"/"+strconv.Itoa(i), at(a, i), at(b, i))
	}
}

// sameValue compares what is written in different ways: blanks, escapes.
func sameValue(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if a[0] == '"' && b[0] == '"' {
		var x, y string
		return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && x == y
	}
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

func (d *differ) add(one difference) {
	size := len(one.Pointer) + len(one.Before) + len(one.After) + 64
	if len(d.found) == maxDifferences || size > d.bytes {
		d.more++
		return
	}
	d.bytes -= size
	d.found = append(d.found, one)
}

// blobOf is the SHA-256 of an output that is too large to stand in a result,
// and only named there; empty for any other output.
func blobOf(output json.RawMessage) string {
	if !bytes.HasPrefix(output, []byte(`{"$blob":`)) {
		return ""
	}
	var named map[string]struct {
		SHA256 string `json:"sha256"`
		Size   int64  `json:"size"`
	}
	if json.Unmarshal(output, &named) != nil || len(named) != 1 {
		return ""
	}
	return named["$blob"].SHA256
}
