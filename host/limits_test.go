package host_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vwmp/vwmp/host"
)

func TestRequestsAreCountedByCallerAndByAddress(t *testing.T) {
	t.Parallel()
	// Time stands still until it is told to go on.
	var passed atomic.Int64
	began := time.Now()
	w := newWorld(t, func(o *host.Options) {
		o.Limits.RequestsPerCaller, o.Limits.RequestsPerAddress = 2, 1
		o.Now = func() time.Time { return began.Add(time.Duration(passed.Load())) }
	})
	bob := w.as("bob", "viewer") // The administrator makes bob, and a token for him.
	spend := func(times int, headers ...string) (last answer) {
		t.Helper()
		for range times {
			last = w.ask("GET", "/api/vwmp/auth/me/", "", headers...)
		}
		return last
	}
	first := spend(1, bob...).want(200)
	if policy, left := first.header.Get("RateLimit-Policy"), first.header.Get("RateLimit"); policy != `"caller";q=20;w=10` || left != `"caller";r=19;t=1` {
		t.Errorf("RateLimit-Policy %q, RateLimit %q", policy, left)
	}
	spend(19, bob...).want(200)
	refused := spend(1, bob...)
	refused.problem(429, "RATE_LIMIT_ERROR")
	if after := refused.header.Get("Retry-After"); after != "1" {
		t.Errorf("Retry-After is %q", after)
	}
	// Others are untouched, whatever address they come from.
	spend(1).want(200)
	for range 10 {
		w.ask("GET", "/vwmp/sign-in", "", "Authorization", "").want(200)
	}
	stranger := []string{"Authorization", ""}
	w.ask("GET", "/vwmp/sign-in", "", stranger...).want(429)
	w.ask("GET", workflows, "", stranger...).problem(429, "RATE_LIMIT_ERROR")
	w.ask("GET", "/api/vwmp/nothing", "", stranger...).problem(429, "RATE_LIMIT_ERROR")
	if _, response, err := w.tryDial("/ws/vwmp/events", bob...); err == nil || response == nil || response.StatusCode != 429 {
		t.Errorf("a socket: %v", err)
	}
	for range 20 {
		w.ask("GET", "/healthz", "", stranger...).want(200)
	}
	passed.Store(int64(time.Second))
	spend(2, bob...).want(200)
	spend(1, bob...).want(429)
}

func TestNothingIsCountedUnlessItIsAsked(t *testing.T) {
	t.Parallel()
	got := newWorld(t).ask("GET", workflows, "").want(200)
	if got.header.Get("RateLimit") != "" || got.header.Get("RateLimit-Policy") != "" {
		t.Errorf("headers: %v", got.header)
	}
}

// connect opens a connection and says with which status the server closes it;
// 0 where it stays open.
func connect(t *testing.T, addr string) (net.Conn, int) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: "+addr+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode == http.StatusServiceUnavailable {
		if response.Header.Get("Retry-After") == "" || !strings.Contains(string(body), `"UNAVAILABLE"`) || response.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("the refusal: %v %s", response.Header, body)
		}
		if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("after the refusal: %d bytes, %v", n, err)
		}
	}
	return conn, response.StatusCode
}

func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]host.Limits{"in all": {Connections: 3}, "by address": {ConnectionsPerAddress: 3}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(o *host.Options) { o.Limits = limits })
			var open []net.Conn
			for range 3 {
				conn, status := connect(t, w.addr)
				if open = append(open, conn); status != 200 {
					t.Fatalf("a connection within the bound: %d", status)
				}
			}
			for range 100 {
				conn, status := connect(t, w.addr)
				_ = conn.Close()
				if status != 503 {
					t.Fatalf("one too many: %d", status)
				}
			}
			if err := open[0].Close(); err != nil {
				t.Fatal(err)
			}
			w.eventually("room for another", func() bool {
				conn, status := connect(t, w.addr)
				_ = conn.Close()
				return status == 200
			})
			for _, conn := range open[1:] {
				_ = conn.Close()
			}
		})
	}
}

func TestASlowBodyIsCutOff(t *testing.T) {
	t.Parallel()
	const limit = 300 * time.Millisecond
	w := newWorld(t, func(o *host.Options) { o.Limits.ReadTimeout = limit })
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	began := time.Now()
	if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", workflows, w.addr, token); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for err := error(nil); err == nil; {
			select {
			case <-tick.C:
				_, err = io.WriteString(conn, " ")
			case <-stop:
				return
			}
		}
	}()
	_ = conn.SetReadDeadline(began.Add(time.Minute))
	text, _ := io.ReadAll(conn) // A close with bytes unread is a reset.
	if took := time.Since(began); took < limit || took > limit+20*time.Second {
		t.Errorf("the sender of a byte at a time was cut off after %s: %s", took, text)
	}
	if strings.Contains(string(text), " 201 ") || strings.Contains(string(text), " 500 ") {
		t.Errorf("the answer: %s", text)
	}
	close(stop)
	<-stopped
	w.ask("GET", workflows, "").want(200)
}

func TestBoundsAreThoseOfTheConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *host.Options) {
		o.Limits.Body, o.Limits.DocumentBody, o.Limits.Header, o.Limits.HeaderLines, o.Limits.Address = 1000, 2000, 4000, 20, 500
	})
	id := w.save("[{id: a, handler: test.echo}]")
	w.ask("POST", workflows+id+"/execute/", `{"x":"`+strings.Repeat("x", 1000)+`"}`).problem(413, "PAYLOAD_TOO_LARGE")
	w.ask("POST", workflows+"validate/", `{"name":"`+strings.Repeat("x", 1500)+`"}`).want(200)
	w.ask("POST", workflows, strings.Repeat(" ", 2001)).problem(413, "PAYLOAD_TOO_LARGE")
	w.raw("GET", workflows+"?q="+strings.Repeat("x", 500)).problem(414, "HEADERS_TOO_LARGE")
	w.raw("GET", workflows, "X-Big", strings.Repeat("x", 4000)).problem(431, "HEADERS_TOO_LARGE")
	var many []string
	for i := range 21 {
		many = append(many, "X-"+strconv.Itoa(i), "1")
	}
	w.raw("GET", workflows, many...).problem(431, "HEADERS_TOO_LARGE")
}
