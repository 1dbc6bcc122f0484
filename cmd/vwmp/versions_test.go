package main

import (
	"strings"
	"testing"
)

func TestADiffIsColouredOnATerminalOnly(t *testing.T) {
	t.Parallel()
	text := "--- revision 1\n+++ revision 2\n@@ -1 +1 @@\n-a\x1b[31m\r\n+b\n c\n"
	var plain, coloured strings.Builder
	printDiff(&plain, text, false)
	if want := "--- revision 1\n+++ revision 2\n@@ -1 +1 @@\n-a·[31m\n+b\n c\n"; plain.String() != want {
		t.Errorf("plain: %q", plain.String())
	}
	printDiff(&coloured, text, true)
	if want := "\x1b[1m--- revision 1\x1b[0m\n\x1b[1m+++ revision 2\x1b[0m\n\x1b[36m@@ -1 +1 @@\x1b[0m\n\x1b[31m-a·[31m\x1b[0m\n\x1b[32m+b\x1b[0m\n c\n"; coloured.String() != want {
		t.Errorf("coloured: %q", coloured.String())
	}
}
