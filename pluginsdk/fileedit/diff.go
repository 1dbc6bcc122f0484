package fileedit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
)

// Plan shows each edit that changes something with a unified diff of one
// hunk, of at most 64 KiB; a longer one ends in "…". The summary is one
// sentence for all of them, and known is false where a value in them is not
// known before the run.
func Plan(edits []Edit, summary string, known bool) []pluginsdk.PlannedEffect {
	var effects []pluginsdk.PlannedEffect
	for _, e := range edits {
		if !e.Changes() {
			continue
		}
		effects = append(effects, pluginsdk.PlannedEffect{
			Action: e.action(), Target: e.File, Summary: summary, Diff: unifiedDiff(e), Known: known,
		})
	}
	return effects
}

func (e Edit) action() string {
	if e.IsNew {
		return "create"
	}
	return "update"
}

// maxDiff bounds a diff in a plan, in bytes.
const maxDiff = 64 << 10

// unifiedDiff writes the lines that differ as one hunk with three lines of
// context.
func unifiedDiff(e Edit) string {
	before, after := slices.Collect(strings.Lines(string(e.Before))), slices.Collect(strings.Lines(string(e.After)))
	head := 0
	for head < min(len(before), len(after)) && before[head] == after[head] {
		head++
	}
	tail := 0
	for tail < min(len(before), len(after))-head && before[len(before)-1-tail] == after[len(after)-1-tail] {
		tail++
	}
	from, trailing := max(head-3, 0), min(tail, 3)
	removed, added := before[head:len(before)-tail], after[head:len(after)-tail]
	var out strings.Builder
	source := "a/" + e.File
	if e.IsNew {
		source = "/dev/null"
	}
	fmt.Fprintf(&out, "--- %s\n+++ b/%s\n@@ -%s +%s @@\n", source, e.File,
		hunkRange(from, head-from+len(removed)+trailing), hunkRange(from, head-from+len(added)+trailing))
	write := func(sign string, lines []string) {
		for _, line := range lines {
			out.WriteString(sign + strings.TrimRight(line, "\r\n") + "\n")
			if !strings.HasSuffix(line, "\n") {
				out.WriteString("\\ No newline at end of file\n")
			}
		}
	}
	write(" ", before[from:head])
	write("-", removed)
	write("+", added)
	write(" ", before[len(before)-tail:len(before)-tail+trailing])
	if text := out.String(); len(text) <= maxDiff {
		return text
	}
	return strings.ToValidUTF8(out.String()[:maxDiff], "") + "\n…"
}

func hunkRange(from, count int) string {
	if count == 0 {
		return fmt.Sprintf("%d,0", from)
	}
	return fmt.Sprintf("%d,%d", from+1, count)
}
