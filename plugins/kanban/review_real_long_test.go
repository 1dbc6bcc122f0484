//go:build long

package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
)

// realTree is a public tree of 12 epics and 91 stories that people plan with:
// github.com/earlution/ai-dev-kit. It is not ours to copy, so the test runs
// where VWMP_KANBAN_TREE names a clone of it.
const (
	realTree   = "83089e88175a1e0793bed54d546073ff59cc90d0"
	realFolder = "docs/project-management/kanban"
)

// TestTheReadingOfARealTree holds the review against what a person found who
// read the documents: every contradiction, gap and long document of the list
// was looked up in its document and is right, and of each document with a
// finding the lines around it were read for what the review leaves out.
func TestTheReadingOfARealTree(t *testing.T) {
	clone := os.Getenv("VWMP_KANBAN_TREE")
	if clone == "" {
		t.Skip("VWMP_KANBAN_TREE names no clone of github.com/earlution/ai-dev-kit")
	}
	dir := t.TempDir()
	export := exec.CommandContext(t.Context(), "sh", "-c", `git -C "$1" archive "$2" "$3" | tar -x -C "$4"`, "sh", clone, realTree, realFolder, dir)
	if output, err := export.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	config := map[string]any{"kanban_root": realFolder}
	var repetition repetitionOutput
	(&handlertest.Call{Handler: "kanban.check_repetition", Dir: dir, Config: config}).Succeed(t, &repetition)
	var gaps gapsOutput
	(&handlertest.Call{Handler: "kanban.check_coverage_gaps", Dir: dir, Config: config}).Succeed(t, &gaps)
	var bloat bloatOutput
	(&handlertest.Call{Handler: "kanban.check_bloat", Dir: dir, Config: config}).Succeed(t, &bloat)

	var found []string
	for _, c := range repetition.Contradictions {
		found = append(found, fmt.Sprintf("contradiction: %s of %s", c.Kind, c.Subject))
	}
	for _, gap := range gaps.CoverageGaps {
		found = append(found, fmt.Sprintf("gap: %s, %s: %s", strings.TrimPrefix(gap.File, realFolder+"/"), gap.Section, gap.Description))
	}
	for _, long := range append(bloat.BloatedDocs, bloat.WarnedDocs...) {
		found = append(found, fmt.Sprintf("long: %s has %d lines", strings.TrimPrefix(long.File, realFolder+"/"), long.Lines))
	}
	raw, err := os.ReadFile("testdata/real-tree.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if !slices.Equal(found, want) {
		t.Errorf("got\n%s", strings.Join(found, "\n"))
	}
}
