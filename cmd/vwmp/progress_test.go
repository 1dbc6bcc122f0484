package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine/plan"
)

func TestLinesSayWhatIsWaitedForAndWhatToType(t *testing.T) {
	t.Parallel()
	item := 3
	lines := &lineViewer{hints: true, names: map[string]string{"a": "Ask"}}
	for _, c := range []struct {
		event plan.Event
		want  []string
	}{
		{
			plan.Event{Type: plan.StepWaiting, Reason: "approval", Details: json.RawMessage(`{"message":"Go?","approvers":["boss"]}`)},
			[]string{"waits for an approval by boss: Go?", "vwmp execution approve E a"},
		},
		{
			plan.Event{Type: plan.StepWaiting, Reason: "approval", ItemIndex: &item, Details: json.RawMessage(`{"message":"Go?"}`)},
			[]string{"Ask [3]: waits for an approval: Go?", "vwmp execution approve E a --item 3"},
		},
		{
			plan.Event{Type: plan.StepWaiting, Reason: "signal", Details: json.RawMessage(`{"signal":"go"}`)},
			[]string{`waits for the signal "go"`, "vwmp execution signal E go"},
		},
		{
			plan.Event{Type: plan.StepWaiting, Reason: "child", Details: json.RawMessage(`{"workflow_id":"w","execution_id":"C"}`)},
			[]string{"runs workflow w as execution C"},
		},
		{plan.Event{Type: plan.StepInterrupted, Reason: "it died"}, []string{"it died", "vwmp execution resolve E a --as retry|success|failed|skipped"}},
		{plan.Event{Type: plan.ExecutionPaused, By: "ada"}, []string{"paused by ada", "vwmp execution resume E"}},
		{plan.Event{Type: plan.ExecutionQueued, Reason: "1 runs already"}, []string{"queued: 1 runs already"}},
		{plan.Event{Type: plan.StepItemCompleted, ItemIndex: &item, Status: "failed", Error: &plan.Error{Message: "odd"}}, []string{"Ask [3]", "odd"}},
		{plan.Event{Type: plan.StepUndone, Status: "undone"}, []string{"Ask: taken back"}},
		{plan.Event{Type: plan.StepUndone, Status: "skipped", SkipReason: "a later one could not"}, []string{"Ask: not taken back: a later one could not"}},
		{plan.Event{Type: plan.StepUndone, Error: &plan.Error{Message: "gone"}}, []string{"could not be taken back: gone"}},
		{plan.Event{Type: plan.StepWaiting, Reason: "approval", Details: json.RawMessage(`{"message":"\u001b[2J"}`)}, []string{"·[2J"}},
	} {
		c.event.ExecutionID, c.event.StepID = "E", "a"
		line := lines.line(c.event)
		for _, want := range c.want {
			if !strings.Contains(line, want) {
				t.Errorf("%s: the line is %q, want %q in it", c.event.Type, line, want)
			}
		}
	}
}

func TestWhoIsAskedHasTheTerminalAlone(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	v := &liveViewer{lineViewer: &lineViewer{w: &out, names: map[string]string{}}, stop: make(chan struct{})}
	v.start()
	v.show(plan.Event{Type: plan.StepStarted, StepID: "a", StepName: "Ask", Attempt: 1})
	release := hold(v)
	v.mu.Lock()
	before := out.Len()
	v.mu.Unlock()
	v.show(plan.Event{Type: plan.StepCompleted, StepID: "a", Status: "success"})
	v.mu.Lock()
	v.draw()
	if out.Len() != before {
		t.Errorf("while somebody was asked it printed %q", out.String()[before:])
	}
	v.mu.Unlock()
	release()
	v.close(plan.StatusSuccess, nil)
	if text := out.String()[before:]; !strings.Contains(text, "✓  Ask") || !strings.HasSuffix(text, "success\n") {
		t.Errorf("after the answer it printed %q", text)
	}
}

func TestLogsSayWhereTheyAreNotWhole(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"logs":[{"seq":1,"step_id":"a","level":"info","message":"first"}],"next":"",
			"capped":[{"step_id":"a","attempt":2,"limit":1000,"dropped":7,"after_seq":1}]}`))
	}))
	defer server.Close()
	var out, problems bytes.Buffer
	code := execute(t.Context(), []string{"execution", "logs", "some", "--server", server.URL}, strings.NewReader(""), &out, &problems)
	if code != exitOK || !strings.Contains(out.String(), "first") {
		t.Errorf("exit code %d, printed %q", code, out.String())
	}
	if want := "the log of a, attempt 2, is not whole: it reached its limit of 1000 bytes, and 7 lines were left out"; !strings.Contains(problems.String(), want) {
		t.Errorf("on standard error is %q, want %q", problems.String(), want)
	}
}

func TestStartsFromTheCommandLineSaySo(t *testing.T) {
	t.Parallel()
	var trigger string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			trigger = r.Header.Get("X-Vwmp-Trigger")
		}
		_, _ = w.Write([]byte(`{"execution_id":"started"}`))
	}))
	defer server.Close()
	var out bytes.Buffer
	if code := execute(t.Context(), []string{"execute", "flow", "--detach", "--server", server.URL}, strings.NewReader(""), &out, &out); code != exitOK {
		t.Errorf("exit code %d: %s", code, out.String())
	}
	if trigger != "cli" || out.String() != "started\n" {
		t.Errorf("the trigger is %q, printed %q", trigger, out.String())
	}
}
