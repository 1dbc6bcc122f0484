package textedit

import "github.com/vwmp/vwmp/engine/workflow/internal/tree"

// maxComparisons bounds the search for a best match among items without
// names.
const maxComparisons = 1 << 20

// match pairs the items of a list with those of the wanted list: for each
// wanted item the index of its counterpart, or -1. First by name, among
// items without one by equality; what is left over between two pairs is one
// item changed, where it is as many on both sides.
func match(from, want []*tree.Node) []int {
	pairs := make([]int, len(want))
	for i := range pairs {
		pairs[i] = -1
	}
	if !matchByName(from, want, pairs) {
		matchByEquality(from, want, pairs)
	}
	pairLeftovers(len(from), pairs)
	return pairs
}

// nameOf is what tells an item from its neighbours, or "".
func nameOf(n *tree.Node) string {
	for _, key := range []string{"id", "name", "value"} {
		if name := n.Get(key); name != nil && name.Kind == tree.String {
			return key + ":" + name.Text
		}
	}
	return ""
}

func matchByName(from, want []*tree.Node, pairs []int) bool {
	index := make(map[string]int, len(from))
	for i, item := range from {
		name := nameOf(item)
		if _, twice := index[name]; name == "" || twice {
			return false
		}
		index[name] = i
	}
	used := make(map[int]bool, len(from))
	for i, item := range want {
		if at, found := index[nameOf(item)]; found && !used[at] {
			pairs[i], used[at] = at, true
		}
	}
	return true
}

// matchByEquality finds the longest common subsequence of equal items.
func matchByEquality(from, want []*tree.Node, pairs []int) {
	first := 0
	for first < len(from) && first < len(want) && tree.Equal(from[first], want[first]) {
		pairs[first] = first
		first++
	}
	last := 0
	for last < len(from)-first && last < len(want)-first && tree.Equal(from[len(from)-1-last], want[len(want)-1-last]) {
		last++
		pairs[len(want)-last] = len(from) - last
	}
	rows, columns := len(from)-first-last, len(want)-first-last
	if rows == 0 || columns == 0 || rows*columns > maxComparisons {
		return
	}
	// length[i][j] is that of the longest common part of what follows.
	length := make([][]int32, rows+1)
	for i := range length {
		length[i] = make([]int32, columns+1)
	}
	for i := rows - 1; i >= 0; i-- {
		for j := columns - 1; j >= 0; j-- {
			if tree.Equal(from[first+i], want[first+j]) {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < rows && j < columns; {
		switch {
		case tree.Equal(from[first+i], want[first+j]):
			pairs[first+j] = first + i
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
}

// pairLeftovers pairs runs of wanted items that have no counterpart with the
// items that stand at the same place, where there are as many of them.
func pairLeftovers(from int, pairs []int) {
	used := make([]bool, from)
	for _, at := range pairs {
		if at >= 0 {
			used[at] = true
		}
	}
	for i := 0; i < len(pairs); i++ {
		if pairs[i] >= 0 {
			continue
		}
		end := i
		for end < len(pairs) && pairs[end] < 0 {
			end++
		}
		start := 0
		if i > 0 {
			start = pairs[i-1] + 1
		}
		free := start
		for free < from && !used[free] {
			free++
		}
		if free-start == end-i {
			for k := i; k < end; k++ {
				pairs[k] = start + k - i
				used[start+k-i] = true
			}
		}
		i = end
	}
}

// inOrder reports whether every item has a counterpart at its own place.
func inOrder(from int, pairs []int) bool {
	if from != len(pairs) {
		return false
	}
	for i, at := range pairs {
		if at != i {
			return false
		}
	}
	return true
}
