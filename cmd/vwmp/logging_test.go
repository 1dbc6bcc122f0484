package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine"
)

// lines are the log of a server, which must be JSON line by line.
func (r *running) lines() []map[string]any {
	r.t.Helper()
	var found []map[string]any
	for line := range strings.Lines(r.log()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			r.t.Fatalf("a line of the log is no JSON: %s", line)
		}
		found = append(found, fields)
	}
	return found
}

// logged finds the first line of a text whose fields are as wanted.
func logged(lines []map[string]any, text string, want map[string]any) bool {
	for _, line := range lines {
		fits := line["msg"] == text
		for key, value := range want {
			fits = fits && line[key] == value
		}
		if fits {
			return true
		}
	}
	return false
}

const loggedYAML = `name: Logged
parameters:
  - {name: key, type: secret}
triggers:
  - {type: webhook, id: hook}
steps:
  - {id: fails, handler: lab.flaky, config: {succeed_at: 9, message: "it was ${parameters.key}", permanent: true}}
`

func TestTheLogNamesWhatItIsAboutAndNoSecret(t *testing.T) {
	t.Parallel()
	r := startRunning(t, t.TempDir(), t.TempDir(), "--plugins", labDir, "--log-format", "json", "--log-level", "debug")
	r.importText("logged", loggedYAML)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/api/vwmp/workflows/logged/execute/?async=false",
		strings.NewReader(`{"parameters": {"key": "`+tracedSecret+`"}}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Authorization": "Bearer " + r.token, "Content-Type": "application/json", "X-Request-Id": "mine-1"} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var result engine.Result
	if err := json.NewDecoder(response.Body).Decode(&result); err != nil {
		t.Fatal(err)
	}
	if id := response.Header.Get("X-Request-Id"); id != "mine-1" {
		t.Errorf("the request was given the id %q, not its own", id)
	}
	// A webhook's token opens its trigger, wherever it stands in a path.
	hook := r.trigger("logged.hook").HookPath
	token := hook[strings.LastIndex(strings.TrimSuffix(hook, "/"), "/")+1:]
	token = strings.TrimSuffix(token, "/")
	if len(token) < 20 {
		t.Fatalf("the hook's address is %q", hook)
	}
	for _, path := range []string{"/api/vwmp/hooks/" + token + "/", "/api/vwmp/hooks/" + token + "/more", "/api/vwmp/hooks/" + token + "/?x=1"} {
		r.page(path, "")
	}
	r.page("/api/vwmp/workflows/", tracedSecret+"-token")

	lines := r.lines()
	execution, workflow := result.ID, "logged"
	for text, want := range map[string]map[string]any{
		"request answered":             {"request_id": "mine-1", "method": "POST", "status": 200.0, "who": "admin", "workflow_id": workflow, "route": "/api/vwmp/workflows/{id}/execute/"},
		"an execution began":           {"execution_id": execution, "workflow_id": workflow, "trigger": "api"},
		"a step began":                 {"execution_id": execution, "workflow_id": workflow, "step_id": "fails", "plugin": "lab", "attempt": 1.0},
		"a step failed":                {"execution_id": execution, "workflow_id": workflow, "step_id": "fails", "level": "INFO"},
		"an execution did not succeed": {"execution_id": execution, "workflow_id": workflow, "status": "failed", "level": "INFO"},
		"request refused":              {"status": 401.0},
	} {
		if !logged(lines, text, want) {
			t.Errorf("no line says %q with %v", text, want)
		}
	}
	for what, secret := range map[string]string{"the secret parameter": tracedSecret, "the admin token": r.token, "the hook's token": token} {
		if strings.Contains(r.log(), secret) {
			t.Errorf("the log has %s", what)
		}
	}
}
