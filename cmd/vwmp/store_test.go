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
	"time"
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

// Cases 97 and 99 on the real binary: the database vanishes from under a
// server. It ends at once with a code of its own, and the next start refuses
// what is left instead of beginning anew.
func TestCase97ServerEndsWhenItsDatabaseIsGone(t *testing.T) {
	t.Parallel()
	const workflow = "name: Second\nsteps: [{id: a, handler: flow.log, config: {message: hello}}]\n"
	for name, ask := range map[string]struct{ method, body string }{
		"a write meets it": {http.MethodPost, workflow}, "a read meets it": {http.MethodGet, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			serverEndsWithoutItsDatabase(t, ask.method, ask.body)
		})
	}
}

func serverEndsWithoutItsDatabase(t *testing.T, method, body string) {
	data := filepath.Join(t.TempDir(), "data")
	r := &running{t: t, data: data, args: []string{"serve", "--addr", "127.0.0.1:0", "--data", data, "--workspace", t.TempDir()}}
	r.begin()
	t.Cleanup(r.kill)
	r.call(http.MethodPost, "/workflows/", "application/yaml", "name: Hello\nsteps: [{id: a, handler: flow.log, config: {message: hello}}]\n", http.StatusCreated, nil)
	if err := os.Truncate(filepath.Join(data, "state.db"), 0); err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, r.url+"/api/vwmp/workflows/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+r.token)
	request.Header.Set("Content-Type", "application/yaml")
	if response, err := http.DefaultClient.Do(request); err == nil {
		if response.StatusCode < 500 {
			t.Errorf("what met a database that is gone was answered with %s", response.Status)
		}
		_ = response.Body.Close()
	}
	select {
	case <-r.ended:
	case <-time.After(30 * time.Second):
		t.Fatalf("the server goes on without its database:\n%s", r.log())
	}
	if code := r.cmd.ProcessState.ExitCode(); code != exitStore {
		t.Errorf("the server ended with %d, not %d:\n%s", code, exitStore, r.log())
	}
	_, stderr, code := vwmp(t, r.args...)
	if code != exitRefused || !strings.Contains(stderr, "Nothing was changed") || !strings.Contains(stderr, "vwmp restore") {
		t.Errorf("the next start: %d %s", code, stderr)
	}
}
