package host_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/host"
)

// follow opens an event stream and sends what it reads to the channel, which
// is closed at the stream's end.
func (w *world) follow(ctx context.Context, id, last string) <-chan message {
	w.t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+executions+id+"/events/", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Accept", "text/event-stream")
	if last != "" {
		request.Header.Set("Last-Event-ID", last)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" {
		w.t.Fatalf("status %d, type %q", response.StatusCode, response.Header.Get("Content-Type"))
	}
	events := make(chan message, 100)
	go func() {
		defer close(events)
		defer func() { _ = response.Body.Close() }()
		lines := bufio.NewScanner(response.Body)
		number := ""
		for lines.Scan() {
			if id, found := strings.CutPrefix(lines.Text(), "id: "); found {
				number = id
			}
			text, found := strings.CutPrefix(lines.Text(), "data: ")
			if !found {
				continue
			}
			var m message
			if err := json.Unmarshal([]byte(text), &m); err != nil || (m.Event != "error" && fmt.Sprint(m.Seq) != number) {
				w.t.Errorf("event %s under id %s: %v", text, number, err)
			}
			select {
			case events <- m:
			case <-ctx.Done():
				return
			}
		}
	}()
	return events
}

func TestAnEventStreamFollowsAnExecutionToItsEnd(t *testing.T) {
	w := newWorld(t)
	id := w.begin("[{id: a, handler: test.block}, {id: b, handler: test.echo, dependencies: [a]}]")
	events := w.follow(t.Context(), id, "")
	var all []message
	for m := range events {
		if all = append(all, m); m.Event == "step_started" && m.StepID == "a" {
			w.release <- struct{}{}
		}
	}
	gapless(t, all, 1)
	if last := all[len(all)-1]; last.Event != "workflow_completed" || last.Status != "success" {
		t.Fatalf("the last event: %+v", last)
	}
	var again []message
	for m := range w.follow(t.Context(), id, "3") {
		again = append(again, m)
	}
	gapless(t, again, 4)
	if len(again) != len(all)-3 {
		t.Errorf("resumed with %d events of %d", len(again), len(all))
	}
	w.ask("GET", executions+id+"/events/", "", "Accept", "text/event-stream", "Last-Event-ID", fmt.Sprint(len(all))).want(204)
	w.ask("GET", executions+id+"/events/", "", "Accept", "text/event-stream", "Last-Event-ID", "x").problem(400, "VALIDATION_ERROR")
	w.ask("GET", executions+"none/events/", "", "Accept", "text/event-stream").problem(404, "EXECUTION_NOT_FOUND")
}

func TestAnEventStreamOutlivesTheWriteTimeout(t *testing.T) {
	w := newWorld(t, func(o *host.Options) { o.Limits.WriteTimeout = 200 * time.Millisecond })
	id := w.begin("[{id: a, handler: test.block}]")
	events := w.follow(t.Context(), id, "")
	for m := range events {
		if m.Event == "step_started" {
			break
		}
	}
	timer := time.NewTimer(500 * time.Millisecond)
	defer timer.Stop()
	select {
	case m, open := <-events:
		t.Fatalf("before anything happened: %+v, open %v", m, open)
	case <-timer.C:
	}
	w.release <- struct{}{}
	last := ""
	for m := range events {
		last = m.Event
	}
	if last != "workflow_completed" {
		t.Errorf("the last event is %q", last)
	}
}

func TestAStopEndsEventStreams(t *testing.T) {
	w := newWorld(t)
	id := w.begin("[{id: a, handler: test.block}]")
	events := w.follow(t.Context(), id, "")
	w.eventually("the reader", func() bool { return w.hub.Readers() == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := w.server.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	var last message
	for last = range events { //nolint:revive // The last one is what counts.
	}
	if last.Event != "error" || last.ErrorCode != "UNAVAILABLE" {
		t.Errorf("the last event is %+v, want an error that says why", last)
	}
}

func TestAStopLetsACallerWhoWaitsGo(t *testing.T) {
	w := newWorld(t)
	id := w.save("[{id: a, handler: test.block}]")
	got := make(chan answer, 1)
	go func() {
		a, err := w.try("POST", workflows+id+"/execute/?async=false", "")
		if err != nil {
			t.Error(err)
		}
		got <- a
	}()
	w.eventually("the step", func() bool { return w.invoker.CallsOf("a") == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := w.server.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if a := <-got; a.status != 202 || a.text("execution_id") == "" {
		t.Errorf("the caller got %d: %s", a.status, a.body)
	}
}
