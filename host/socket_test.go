package host_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	wire "github.com/fasthttp/websocket"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host"
)

// client is a WebSocket's other end.
type client struct {
	t    testing.TB
	conn *wire.Conn
}

// message is what a client reads.
type message struct {
	Event     string
	Seq       uint64
	Status    string
	ErrorCode string `json:"error_code"`
	StepID    string `json:"step_id"`
	Execution string `json:"execution_id"`
	Workflow  string `json:"workflow_id"`
	Revision  int
	By        string
	Result    map[string]any
	Errors    []any
}

func (w *world) dial(path string, headers ...string) *client {
	w.t.Helper()
	c, response, err := w.tryDial(path, headers...)
	if err != nil {
		status := 0
		if response != nil {
			status = response.StatusCode
		}
		w.t.Fatalf("dial %s: %v (%d)", path, err, status)
	}
	return c
}

func (w *world) tryDial(path string, headers ...string) (*client, *http.Response, error) {
	header := http.Header{"Authorization": {"Bearer " + token}}
	for i := 0; i+1 < len(headers); i += 2 {
		if header.Del(headers[i]); headers[i+1] != "" {
			header.Set(headers[i], headers[i+1])
		}
	}
	conn, response, err := wire.DefaultDialer.DialContext(w.t.Context(), "ws://"+w.addr+path, header)
	if err != nil {
		return nil, response, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return nil, response, err
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	return &client{w.t, conn}, response, nil
}

func (c *client) say(text string) {
	c.t.Helper()
	if err := c.conn.WriteMessage(wire.TextMessage, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// text reads the next message as it is.
func (c *client) text() []byte {
	c.t.Helper()
	_, text, err := c.conn.ReadMessage()
	if err != nil {
		c.t.Fatal(err)
	}
	return text
}

func (c *client) read() (message, error) {
	_, text, err := c.conn.ReadMessage()
	if err != nil {
		return message{}, err
	}
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		c.t.Fatalf("%v: %s", err, text)
	}
	return m, nil
}

// await reads until an event of this name.
func (c *client) await(event string) message {
	c.t.Helper()
	for {
		m, err := c.read()
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", event, err)
		}
		if m.Event == event {
			return m
		}
	}
}

// rest reads to the end, and checks its code.
func (c *client) rest(code int) []message {
	c.t.Helper()
	var all []message
	for {
		m, err := c.read()
		if err != nil {
			if !wire.IsCloseError(err, code) {
				c.t.Fatalf("closed with %v, want %d", err, code)
			}
			return all
		}
		all = append(all, m)
	}
}

// gapless checks that numbers follow each other from the first one on.
func gapless(t *testing.T, messages []message, from uint64) {
	t.Helper()
	for i, m := range messages {
		if m.Seq != from+uint64(i) {
			t.Fatalf("message %d (%s) has number %d, want %d", i, m.Event, m.Seq, from+uint64(i))
		}
	}
}

func TestAClientThatOnlyListensGetsAnExecutionWithDefaults(t *testing.T) {
	w := newWorld(t)
	id := w.ask("POST", workflows, echoYAML, "Content-Type", "application/yaml").want(201).text("id")
	all := w.dial("/ws/vwmp/workflows/" + id + "/execute").rest(1000)
	gapless(t, all, 1)
	if last := all[len(all)-1]; all[0].Event != "execution_started" || last.Event != "workflow_completed" || last.Status != "success" {
		t.Errorf("events: %+v", all)
	}
	result := w.ask("GET", executions+all[0].Execution+"/", "").want(200).object()
	if result["trigger"] != "websocket" || dig(t, result, "parameters")["who"] != "world" {
		t.Errorf("result: %v", result)
	}
}

func TestAClientCanSendParametersFirst(t *testing.T) {
	w := newWorld(t, func(o *host.Options) { o.Limits.SocketStart = 10 * time.Second })
	id := w.ask("POST", workflows, echoYAML, "Content-Type", "application/yaml").want(201).text("id")
	c := w.dial("/ws/vwmp/workflows/" + id + "/execute")
	c.say(`{"type":"ping"}`)
	if m, err := c.read(); err != nil || m.Event != "pong" || m.Seq != 0 {
		t.Fatalf("%+v, %v", m, err)
	}
	c.say(`{"type":"start","parameters":{"who":"me"}}`)
	all := c.rest(1000)
	gapless(t, all, 1)
	result := w.ask("GET", executions+all[0].Execution+"/", "").want(200).object()
	if dig(t, result, "parameters")["who"] != "me" {
		t.Errorf("parameters: %v", result["parameters"])
	}
}

func TestASocketIsRefusedWithACode(t *testing.T) {
	w := newWorld(t)
	id := w.ask("POST", workflows, echoYAML, "Content-Type", "application/yaml").want(201).text("id")
	execute := "/ws/vwmp/workflows/" + id + "/execute"
	for name, test := range map[string]struct {
		path, first, token, code string
		close                    int
	}{
		"unknown workflow":       {"/ws/vwmp/workflows/none/execute", "", token, "WORKFLOW_NOT_FOUND", 4404},
		"unknown execution":      {"/ws/vwmp/executions/none", "", token, "EXECUTION_NOT_FOUND", 4404},
		"bad number":             {"/ws/vwmp/executions/none?after_seq=x", "", token, "VALIDATION_ERROR", 4400},
		"bad parameters":         {execute, `{"type":"start","parameters":{"wo":1}}`, token, "VALIDATION_ERROR", 4400},
		"parameters of no map":   {execute, `{"type":"start","parameters":[1]}`, token, "VALIDATION_ERROR", 4400},
		"no message":             {execute, `what?`, token, "VALIDATION_ERROR", 4400},
		"a message too deep":     {execute, strings.Repeat("[", 100), token, "VALIDATION_ERROR", 4400},
		"signed out":             {execute, "", "", "AUTHENTICATION_ERROR", 4401},
		"signed out, attaching":  {"/ws/vwmp/executions/none", "", "", "AUTHENTICATION_ERROR", 4401},
		"signed out, dashboard":  {"/ws/vwmp/events", "", "", "AUTHENTICATION_ERROR", 4401},
		"a wrong token":          {"/ws/vwmp/events", "", "wrong", "AUTHENTICATION_ERROR", 4401},
		"an unknown ticket":      {"/ws/vwmp/events?ticket=none", "", "", "AUTHENTICATION_ERROR", 4401},
		"the token as parameter": {"/ws/vwmp/events?token=" + token, "", "", "AUTHENTICATION_ERROR", 4401},
	} {
		t.Run(name, func(t *testing.T) {
			authorization := ""
			if test.token != "" {
				authorization = "Bearer " + test.token
			}
			c := w.dial(test.path, "Authorization", authorization)
			c.t = t
			if test.first != "" {
				c.say(test.first)
			}
			all := c.rest(test.close)
			if len(all) != 1 || all[0].Event != "error" || all[0].ErrorCode != test.code || all[0].Seq != 0 {
				t.Errorf("messages: %+v", all)
			}
		})
	}
	if calls := w.invoker.Calls(); len(calls) != 0 {
		t.Errorf("something was executed: %v", calls)
	}
}

func TestAMessageOverItsLimitEndsTheSocket(t *testing.T) {
	w := newWorld(t)
	c := w.dial("/ws/vwmp/events")
	c.say(`{"type":"` + strings.Repeat("x", 64<<10) + `"}`)
	c.rest(1009)
	w.eventually("the socket's end", func() bool { return w.hub.Readers() == 0 })
}

func TestAttachingShowsAllThatWasAndWillBe(t *testing.T) {
	w := newWorld(t)
	id := w.begin("[{id: a, handler: test.echo}, {id: b, handler: test.block, dependencies: [a]}]")
	w.eventually("the second step", func() bool { return w.invoker.CallsOf("b") == 1 })
	c := w.dial("/ws/vwmp/executions/" + id)
	first, err := c.read()
	if err != nil || first.Event != "snapshot" || first.Seq == 0 {
		t.Fatalf("%+v, %v", first, err)
	}
	steps := dig(t, first.Result, "step_results")
	if dig(t, steps, "a")["status"] != "success" {
		t.Errorf("snapshot: %v", first.Result)
	}
	w.release <- struct{}{}
	after := c.rest(1000)
	gapless(t, after, first.Seq+1)
	// Once it has ended: everything, from any number on.
	for _, from := range []uint64{0, 3, first.Seq} {
		all := w.dial(fmt.Sprintf("/ws/vwmp/executions/%s?after_seq=%d", id, from)).rest(1000)
		gapless(t, all, from+1)
		if all[len(all)-1].Event != "workflow_completed" {
			t.Errorf("after %d: %+v", from, all)
		}
	}
	ended := w.dial("/ws/vwmp/executions/" + id).rest(1000)
	if len(ended) != 1 || ended[0].Event != "snapshot" || ended[0].Result["status"] != "success" {
		t.Errorf("attaching after the end: %+v", ended)
	}
}

func TestManyReadersSeeTheSame(t *testing.T) {
	w := newWorld(t)
	id := w.begin("[{id: a, handler: test.block}, {id: b, handler: test.echo, dependencies: [a]}]")
	w.eventually("the step", func() bool { return w.invoker.CallsOf("a") == 1 })
	var all sync.WaitGroup
	for range 20 {
		c := w.dial("/ws/vwmp/executions/" + id + "?after_seq=0")
		all.Go(func() {
			var last uint64
			for {
				m, err := c.read()
				if err != nil {
					if !wire.IsCloseError(err, 1000) {
						t.Errorf("closed with %v", err)
					}
					return
				}
				if m.Seq != last+1 {
					t.Errorf("number %d after %d", m.Seq, last)
				}
				last = m.Seq
			}
		})
	}
	w.release <- struct{}{}
	all.Wait()
}

func TestASlowReaderIsDroppedAndResumes(t *testing.T) {
	w := newWorld(t)
	id := w.begin("[{id: a, handler: test.flood}]")
	c := w.dial("/ws/vwmp/executions/" + id + "?after_seq=0")
	started := c.await("step_started")
	w.eventually("the reader", func() bool { return w.hub.Readers() == 1 })
	// 24 MB come, and nobody reads: the execution ends all the same.
	close(w.release)
	w.eventually("the end", func() bool { return w.status(id) == "success" })
	seen := started.Seq
	for {
		m, err := c.read()
		if err != nil {
			if !wire.IsCloseError(err, 1013) {
				t.Fatalf("closed with %v, want 1013", err)
			}
			break
		}
		if m.Seq != seen+1 {
			t.Fatalf("number %d after %d", m.Seq, seen)
		}
		seen = m.Seq
	}
	rest := w.dial(fmt.Sprintf("/ws/vwmp/executions/%s?after_seq=%d", id, seen)).rest(1000)
	gapless(t, rest, seen+1)
	if rest[len(rest)-1].Event != "workflow_completed" || rest[len(rest)-1].Seq < 6000 {
		t.Errorf("the last event is %+v", rest[len(rest)-1])
	}
}

func TestAnExecutionIsCancelledThroughItsSocket(t *testing.T) {
	w := newWorld(t)
	id := w.save("[{id: a, handler: test.block}]")
	c := w.dial("/ws/vwmp/workflows/" + id + "/execute")
	c.await("step_started")
	for say, code := range map[string]string{
		`{"type":"start"}`: "CONFLICT", `{"type":"resume"}`: "CONFLICT", `{"type":"dance"}`: "VALIDATION_ERROR", `[`: "VALIDATION_ERROR",
	} {
		c.say(say)
		if m := c.await("error"); m.ErrorCode != code || m.Seq != 0 {
			t.Errorf("%s: %+v", say, m)
		}
	}
	c.say(`{"type":"ping"}`)
	c.await("pong")
	c.say(`{"type":"cancel"}`)
	if last := c.rest(1000); last[len(last)-1].Status != "cancelled" {
		t.Errorf("the end: %+v", last)
	}
}

func TestClosingASocketStopsNoExecution(t *testing.T) {
	w := newWorld(t)
	id := w.save("[{id: a, handler: test.block}]")
	c := w.dial("/ws/vwmp/workflows/" + id + "/execute")
	execution := c.await("step_started").Execution
	if err := c.conn.Close(); err != nil {
		t.Fatal(err)
	}
	w.eventually("the socket's end", func() bool { return w.hub.Readers() == 0 })
	w.release <- struct{}{}
	w.eventually("the end", func() bool { return w.status(execution) == "success" })
}

func TestTheDashboardHearsOfEveryExecution(t *testing.T) {
	w := newWorld(t)
	c := w.dial("/ws/vwmp/events")
	w.eventually("the reader", func() bool { return w.hub.Readers() == 1 })
	// What happens to items is too much for it.
	first := fmt.Sprint(w.run("[{id: a, handler: test.echo, for_each: [1, 2]}]")["execution_id"])
	second := fmt.Sprint(w.run("[{id: a, handler: test.fail}]")["execution_id"])
	for _, id := range []string{first, second} {
		if m, err := c.read(); err != nil || m.Event != "workflow_changed" {
			t.Errorf("%+v, %v", m, err)
		}
		if m, err := c.read(); err != nil || m.Event != "execution_started" || m.Execution != id {
			t.Errorf("%+v, %v", m, err)
		}
		if m, err := c.read(); err != nil || m.Event != "workflow_completed" || m.Execution != id {
			t.Errorf("%+v, %v", m, err)
		}
	}
	c.say(`{"type":"ping"}`)
	c.await("pong")
	c.say(`{"type":"cancel"}`)
	c.await("error")
}

func TestTheDashboardHearsOfEverySaveOfAWorkflow(t *testing.T) {
	w := newWorld(t)
	c := w.dial("/ws/vwmp/events")
	w.eventually("the reader", func() bool { return w.hub.Readers() == 1 })
	id := w.save("[{id: a, handler: test.echo}]")
	path := "/api/vwmp/workflows/" + id + "/"
	body := `{"name": "Other", "steps": [{"id": "a", "handler": "test.echo"}]}`
	w.ask("PUT", path, body).want(200)
	// What was refused is no change.
	w.ask("PUT", path, body, "If-Match", `"1"`).want(412)
	w.ask("POST", path+"versions/1/restore/", "").want(200)
	w.ask("DELETE", path, "").want(204)
	want := []message{
		{Event: "workflow_changed", Workflow: id, Revision: 1, By: "admin"},
		{Event: "workflow_changed", Workflow: id, Revision: 2, By: "admin"},
		{Event: "workflow_changed", Workflow: id, Revision: 3, By: "admin"},
		{Event: "workflow_deleted", Workflow: id, By: "admin"},
	}
	for _, expected := range want {
		if heard, err := c.read(); err != nil || !reflect.DeepEqual(heard, expected) {
			t.Errorf("heard %+v, %v; want %+v", heard, err, expected)
		}
	}
}

func TestATicketOpensOneSocket(t *testing.T) {
	w := newWorld(t)
	ticket := w.ask("POST", "/api/vwmp/auth/tickets/", "").want(200).text("ticket")
	c := w.dial("/ws/vwmp/events?ticket="+ticket, "Authorization", "")
	c.say(`{"type":"ping"}`)
	c.await("pong")
	w.dial("/ws/vwmp/events?ticket="+ticket, "Authorization", "").rest(4401)
	w.ask("GET", workflows+"?ticket="+w.ask("POST", "/api/vwmp/auth/tickets/", "").text("ticket"), "", "Authorization", "").problem(401, "AUTHENTICATION_ERROR")
}

func TestCase39ASocketsOriginIsJudged(t *testing.T) {
	w := newWorld(t)
	browser := w.signIn()
	w.dial("/ws/vwmp/events", "Authorization", "", "Cookie", browser, "Origin", w.url)
	for _, origin := range []string{"http://evil.example", "null", ""} {
		_, response, err := w.tryDial("/ws/vwmp/events", "Authorization", "", "Cookie", browser, "Origin", origin)
		if err == nil || response == nil || response.StatusCode != 403 {
			t.Errorf("origin %q: %v", origin, err)
		}
	}
	w.dial("/ws/vwmp/events", "Origin", "")
	w.ask("GET", "/ws/vwmp/events", "").want(426)
}

func TestCase43SocketsAreBoundedByCaller(t *testing.T) {
	w := newWorld(t, func(o *host.Options) { o.Limits.SocketsPerCaller = 2 })
	first := w.dial("/ws/vwmp/events")
	w.dial("/ws/vwmp/events")
	w.eventually("both readers", func() bool { return w.hub.Readers() == 2 })
	if _, response, err := w.tryDial("/ws/vwmp/events"); err == nil || response == nil || response.StatusCode != 503 {
		t.Fatalf("the third socket: %v", err)
	}
	if err := first.conn.Close(); err != nil {
		t.Fatal(err)
	}
	w.eventually("room for another", func() bool {
		_, _, err := w.tryDial("/ws/vwmp/events")
		return err == nil
	})
}

func TestCase45ADeadPeerIsClosed(t *testing.T) {
	w := newWorld(t, func(o *host.Options) { o.Limits.SocketPing = 50 * time.Millisecond })
	// This end never reads, so that it answers no ping.
	w.dial("/ws/vwmp/events")
	w.eventually("the reader", func() bool { return w.hub.Readers() == 1 })
	w.eventually("its end", func() bool { return w.hub.Readers() == 0 })
}

func TestAQuietPeerThatAnswersPingsStays(t *testing.T) {
	w := newWorld(t, func(o *host.Options) { o.Limits.SocketPing = 400 * time.Millisecond })
	c := w.dial("/ws/vwmp/events")
	pings := 0
	pinged := c.conn.PingHandler()
	c.conn.SetPingHandler(func(text string) error {
		if pings++; pings == 4 {
			c.say(`{"type":"ping"}`)
		}
		return pinged(text)
	})
	// Four pings take longer than a silent peer would be kept.
	c.await("pong")
}

func TestAStopTellsEverySocket(t *testing.T) {
	w := newWorld(t)
	id := w.begin("[{id: a, handler: test.block}]")
	waiting := w.save("[{id: a, handler: test.block}]")
	clients := []*client{w.dial("/ws/vwmp/events"), w.dial("/ws/vwmp/executions/" + id), w.dial("/ws/vwmp/workflows/" + waiting + "/execute")}
	w.eventually("all readers", func() bool { return w.hub.Readers() == 3 })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- w.server.Shutdown(ctx) }()
	for _, c := range clients {
		c.rest(1001)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// panickyEngine panics when a socket cancels.
type panickyEngine struct{ engine.Engine }

func (panickyEngine) Cancel(context.Context, string, string) (engine.Execution, error) {
	panic(errors.New("boom"))
}

func TestCase47APanicEndsOneSocketOnly(t *testing.T) {
	w := newWorld(t, func(o *host.Options) { o.Engine = panickyEngine{o.Engine} })
	id := w.begin("[{id: a, handler: test.block}]")
	other := w.dial("/ws/vwmp/events")
	c := w.dial("/ws/vwmp/executions/" + id)
	c.await("snapshot")
	c.say(`{"type":"cancel"}`)
	all := c.rest(1011)
	if len(all) == 0 || all[len(all)-1].ErrorCode != "EXECUTION_ERROR" {
		t.Errorf("messages: %+v", all)
	}
	other.say(`{"type":"ping"}`)
	other.await("pong")
}

func TestAnExecutionIsPausedThroughItsSocket(t *testing.T) {
	w := newWorld(t)
	id := w.save(`[{id: a, handler: flow.approval, config: {message: "Ship it?"}}, {id: b, handler: test.echo, dependencies: [a]}]`)
	c := w.dial("/ws/vwmp/workflows/" + id + "/execute")
	execution := c.await("step_waiting").Execution
	for _, word := range []string{"pause", "resume", "pause"} {
		c.say(`{"type":"` + word + `"}`)
		c.await(map[string]string{"pause": "execution_paused", "resume": "execution_resumed"}[word])
	}
	c.say(`{"type":"pause"}`)
	if m := c.await("error"); m.ErrorCode != "CONFLICT" || m.Seq != 0 {
		t.Errorf("a second pause: %+v", m)
	}
	first := w.dial("/ws/vwmp/executions/" + execution).await("snapshot")
	if first.Result["status"] != "paused" || dig(t, first.Result, "step_results", "a", "waiting")["message"] != "Ship it?" {
		t.Errorf("snapshot: %v", first.Result)
	}
	w.ask("POST", executions+execution+"/steps/a/approve/", `{"approved":true}`).want(200)
	c.say(`{"type":"resume"}`)
	if rest := c.rest(1000); rest[len(rest)-1].Status != "success" {
		t.Errorf("the end: %+v", rest)
	}
}

func TestAViewersSocketOnlyListens(t *testing.T) {
	w := newWorld(t)
	id := w.begin("[{id: a, handler: test.block}]")
	w.eventually("the start", func() bool { return w.status(id) == "running" })
	c := w.dial("/ws/vwmp/executions/"+id, w.as("vic", "viewer")...)
	c.await("snapshot")
	for _, word := range []string{"pause", "resume", "cancel"} {
		c.say(`{"type":"` + word + `"}`)
		if m := c.await("error"); m.ErrorCode != "AUTHORIZATION_ERROR" {
			t.Errorf("%s: %+v", word, m)
		}
	}
	if status := w.status(id); status != "running" {
		t.Errorf("the execution is %s", status)
	}
}
