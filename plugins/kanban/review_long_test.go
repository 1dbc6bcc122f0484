//go:build long

package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
)

// TestAReviewOfALargeTreeIsQuick holds the promise of 2,000 documents of 300
// lines in 10 s on two processors, whatever else they do: the longest chain of
// steps takes one of them no longer, and all steps take no more than both. Under
// the race detector it only reviews, and less.
func TestAReviewOfALargeTreeIsQuick(t *testing.T) {
	dir := t.TempDir()
	words := strings.Fields("a member signs in reads the page of search index export letter password release plan risk team week every other because without until found written")
	for i := range documents {
		var text strings.Builder
		name := fmt.Sprintf("kanban/epics/Epic-%d.md", i+1)
		if i%10 != 0 {
			name = fmt.Sprintf("kanban/stories/Epic-%d/Story-%03d.md", i/10*10+1, i%10)
		}
		fmt.Fprintf(&text, "# E%d:S%d – Document\n\n**Status:** In progress\n", i/10*10+1, i%10)
		for line := range 297 {
			switch line % 30 {
			case 0:
				fmt.Fprintf(&text, "## Part %d\n", line/30)
			case 1, 2, 3:
				fmt.Fprintf(&text, "- [ ] E%d:S%d:T%d – do it\n", i/10*10+1, i%10, line)
			default:
				text.WriteString("- ")
				for word := range 9 {
					text.WriteString(words[(i*7919+line*104729+word*word*31+i*line*word)%len(words)] + " ")
				}
				fmt.Fprintf(&text, "%d\n", i*line)
			}
		}
		handlertest.Write(t, dir, name, text.String())
	}
	spent := map[string]time.Duration{}
	var all time.Duration
	for _, handler := range []string{"kanban.review_state", "kanban.check_bloat", "kanban.check_repetition", "kanban.check_coverage_gaps", "kanban.apply_updates"} {
		at := processorTime(t)
		(&handlertest.Call{Handler: handler, Dir: dir}).Succeed(t, nil)
		spent[handler] = processorTime(t) - at
		all += spent[handler]
	}
	t.Logf("%v, %v in all", spent, all)
	chain := spent["kanban.review_state"] + spent["kanban.check_repetition"] + spent["kanban.apply_updates"]
	if timed && (chain > 10*time.Second || all > 20*time.Second) {
		t.Errorf("the longest chain took %v and all steps %v of a processor, more than 10 s and 20 s", chain, all)
	}
}

// processorTime is what this process used so far.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
