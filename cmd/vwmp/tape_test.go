package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAStoredExecutionIsRecordedAndPlayed: what a store keeps of a run is
// enough to play it again.
func TestAStoredExecutionIsRecordedAndPlayed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("VERSION", "0.1.0\n")
	write("bump.yaml", `name: Bump
steps:
  - {id: bump, handler: release.version_bump, config: {version_file: VERSION}}
  - {id: tell, handler: flow.log, dependencies: [bump], config: {message: "now ${step-outputs.bump.new_version}"}}
`)
	run := in(t, dir, "vwmp", "run", "bump.yaml", "--data", "data", "--workspace", ".", "--output", "json")
	var result struct {
		ExecutionID string `json:"execution_id"`
	}
	if err := json.Unmarshal([]byte(run), &result); err != nil {
		t.Fatal(err)
	}
	in(t, dir, "vwmp", "execution", "record", result.ExecutionID, "--data", "data", "--file", "tape.json")
	if out := in(t, dir, "vwmp", "test", "bump.yaml", "--cassette", "tape.json"); !strings.Contains(out, "as recorded") {
		t.Errorf("it says %s", out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "tape.json"))
	if err != nil || !strings.Contains(string(text), `"new_version": "0.1.1"`) {
		t.Errorf("the recording is %s, %v", text, err)
	}
}
