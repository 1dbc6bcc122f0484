//go:build long

package main

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestLoad is "make load", shorter and smaller: everything at once, cases 43,
// 107, 109 and 113 among it. Its times are for a machine that does other things
// too.
func TestLoad(t *testing.T) {
	program := filepath.Join(t.TempDir(), "load")
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/vwmp/vwmp/scripts/load").CombinedOutput(); err != nil {
		t.Fatalf("build it: %v\n%s", err, output)
	}
	server, err := exec.LookPath("vwmp")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	output, err := exec.CommandContext(t.Context(), program, "-vwmp", server, "-seconds", "5",
		"-starts", "200", "-reads", "50", "-idle", "1000", "-deaf", "50", "-slow", "200", "-p99", "5s", "-memory", "300").CombinedOutput()
	t.Logf("after %s:\n%s", time.Since(began), output)
	if err != nil {
		t.Error(err)
	}
}
