//go:build long

package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestBundledPluginsWithCasesConform: their handlers are called with what lies
// in their cases.yaml, so that each of them runs to its success.
func TestBundledPluginsWithCasesConform(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"file", "kanban", "shell"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			binary := filepath.Join(dir, "vwmp-plugin-"+name)
			in(t, ".", "go", "build", "-o", binary, "github.com/vwmp/vwmp/plugins/"+name)
			cmd := exec.CommandContext(t.Context(), "vwmp", "plugin", "test", binary, "--cases", "../../plugins/"+name+"/cases.yaml", "--output", "json")
			out, err := cmd.Output()
			var report struct{ Passed, Failed, Warnings int }
			if jsonErr := json.Unmarshal(out, &report); err != nil || jsonErr != nil || report.Failed > 0 || report.Warnings > 0 || report.Passed < 30 {
				t.Errorf("%v %v %+v\n%s", err, jsonErr, report, out)
			}
		})
	}
}
