package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// vwmp runs a command line as a process of its own and returns what it printed
// and its exit code.
func vwmp(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "vwmp", args...)
	var out, problems bytes.Buffer
	command.Stdout, command.Stderr = &out, &problems
	err := command.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return out.String(), problems.String(), command.ProcessState.ExitCode()
}

// A server is checked and backed up while it runs; what needs the data for
// itself is refused and told who has them.
func TestDataOfARunningServer(t *testing.T) {
	t.Parallel()
	r := startRunning(t, filepath.Join(t.TempDir(), "data"), t.TempDir())
	var saved struct {
		ID string `json:"id"`
	}
	r.call(http.MethodPost, "/workflows/", "application/yaml", "name: Hello\nsteps: [{id: a, handler: flow.log, config: {message: hello}}]\n", http.StatusCreated, &saved)
	var begun struct {
		ID string `json:"execution_id"`
	}
	r.call(http.MethodPost, "/workflows/"+saved.ID+"/execute/", "", "", http.StatusAccepted, &begun)
	r.finish(begun.ID)

	stdout, stderr, _ := vwmp(t, "doctor", "--data", r.data, "--output", "json")
	var findings []finding
	if err := json.Unmarshal([]byte(stdout), &findings); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	whole := false
	for _, f := range findings {
		if f.What == "store" {
			whole = f.State == "ok" && strings.Contains(f.Text, "whole: 1 workflows, 1 executions")
		}
	}
	if !whole {
		t.Errorf("findings are %+v", findings)
	}

	file := filepath.Join(t.TempDir(), "live.tar")
	if stdout, stderr, code := vwmp(t, "backup", file, "--data", r.data); code != exitOK || !strings.Contains(stdout, "backed up") {
		t.Fatalf("backup: %d %s%s", code, stdout, stderr)
	}
	if _, stderr, code := vwmp(t, "backup", file, "--data", r.data); code != exitRefused || !strings.Contains(stderr, "already") {
		t.Errorf("a second one of that name: %d %s", code, stderr)
	}
	if _, stderr, code := vwmp(t, "backup", file+"2", "--server", r.url, "--token", "wrong"); code != exitRefused || stderr == "" {
		t.Errorf("with a wrong token: %d %s", code, stderr)
	}
	if _, stderr, code := vwmp(t, "compact", "--data", r.data); code != exitRefused || !strings.Contains(stderr, strconv.Itoa(r.cmd.Process.Pid)) {
		t.Errorf("compact beside the server: %d %s", code, stderr)
	}
	restored := filepath.Join(t.TempDir(), "restored")
	if _, stderr, code := vwmp(t, "restore", file, "--data", restored); code != exitOK {
		t.Fatalf("restore: %d %s", code, stderr)
	}
	if _, err := os.Stat(filepath.Join(restored, tokenFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the backup has the admin token: %v", err)
	}
	again := startRunning(t, restored, t.TempDir())
	if result := again.result(begun.ID); result.Status != "success" || len(result.StepResults) != 1 {
		t.Errorf("restored is %+v", result)
	}
}
