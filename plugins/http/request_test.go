package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
)

func TestThePluginIsWhatTheContractSays(t *testing.T) {
	handlertest.CheckDescription(t, map[string]handlertest.Abilities{"http.request": {Effect: pluginsdk.EffectIdempotent, Plan: true}})
}

func answering(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func TestARequestIsSentAsItIsWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	handlertest.Write(t, dir, "up/load.bin", "from a file")
	address := answering(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Set-Cookie", "session=1")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"method": r.Method, "query": r.URL.Query().Encode(), "type": r.Header.Get("Content-Type"), "body": string(body),
			"auth": r.Header.Get("Authorization"), "x": r.Header.Get("X-Own"), "key": r.Header.Get("Idempotency-Key"), "big": 12345678901234567,
		})
	})
	for name, test := range map[string]struct {
		config map[string]any
		want   map[string]any
	}{
		"json":   {map[string]any{"method": "POST", "json": map[string]any{"a": 1}}, map[string]any{"body": `{"a":1}`, "type": "application/json", "key": "key"}},
		"form":   {map[string]any{"method": "PUT", "form": map[string]string{"a": "x y&"}}, map[string]any{"body": "a=x+y%26", "type": "application/x-www-form-urlencoded", "key": ""}},
		"text":   {map[string]any{"method": "PATCH", "text": "t", "content_type": "text/csv"}, map[string]any{"body": "t", "type": "text/csv"}},
		"file":   {map[string]any{"method": "POST", "file": "up/load.bin"}, map[string]any{"body": "from a file", "type": "application/octet-stream"}},
		"query":  {map[string]any{"query": map[string]string{"b": "ü"}, "headers": map[string]string{"X-Own": "y"}}, map[string]any{"query": "a=1&b=%C3%BC", "x": "y", "method": "GET"}},
		"basic":  {map[string]any{"auth": map[string]any{"type": "basic", "username": "ada", "password": "p:w"}}, map[string]any{"auth": "Basic YWRhOnA6dw=="}},
		"bearer": {map[string]any{"auth": map[string]any{"type": "bearer", "token": "t0k"}}, map[string]any{"auth": "Bearer t0k"}},
	} {
		test.config["url"] = address + "/x?a=1"
		var output struct {
			Status  int
			JSON    map[string]any
			Headers map[string]string
			SHA256  string
		}
		outcome := request(dir, test.config).Succeed(t, &output)
		for key, want := range test.want {
			if output.JSON[key] != want {
				t.Errorf("%s: %s is %v, want %v", name, key, output.JSON[key], want)
			}
		}
		if output.Status != 200 || output.Headers["content-type"] != "application/json" || output.Headers["set-cookie"] != "" || len(output.SHA256) != 64 {
			t.Errorf("%s: %+v", name, output)
		}
		if !strings.Contains(string(outcome.Output), "12345678901234567") {
			t.Errorf("%s: a number lost digits: %s", name, outcome.Output)
		}
	}
}

func TestStatusesDecideHowAStepEnds(t *testing.T) {
	t.Parallel()
	address := answering(t, func(w http.ResponseWriter, r *http.Request) {
		var status int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &status)
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("why not"))
	})
	failure := request("", map[string]any{"url": address + "/503"}).Fail(t, pluginsdk.FailureRetryable, "503 Service Unavailable: why not")
	if failure.RetryAfter != 7*time.Second {
		t.Errorf("retry after %v", failure.RetryAfter)
	}
	request("", map[string]any{"url": address + "/404?token=s3cret"}).Fail(t, pluginsdk.FailurePermanent, "404 Not Found")
	request("", map[string]any{"url": address + "/404", "retry_statuses": []int{404}}).Fail(t, pluginsdk.FailureRetryable, "404")
	var output requestOutput
	request("", map[string]any{"url": address + "/404", "success_statuses": []int{404}}).Succeed(t, &output)
	if output.Status != 404 || output.Text != "why not" {
		t.Errorf("got %+v", output)
	}
}

// TestCase71AnswersAreBounded sends what a hostile server might.
func TestCase71AnswersAreBounded(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	address := answering(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless":
			block := make([]byte, 1<<20)
			for {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			packed := gzip.NewWriter(w)
			block := make([]byte, 1<<20)
			for range 10 << 10 {
				if _, err := packed.Write(block); err != nil {
					return
				}
			}
		case "/slow":
			w.WriteHeader(http.StatusOK)
			for {
				_, _ = w.Write([]byte("x"))
				w.(http.Flusher).Flush()
				select {
				case <-stop:
					return
				case <-r.Context().Done():
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
		case "/charset":
			w.Header().Set("Content-Type", "text/plain; charset=no-such")
			_, _ = w.Write([]byte("a\xff\xfeb"))
		case "/not-json":
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("<html>"))
		}
	})
	t.Cleanup(func() { close(stop) })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	dir := t.TempDir()
	for _, path := range []string{"/endless", "/bomb"} {
		if failure := request(dir, map[string]any{"url": address + path}).Fail(t, pluginsdk.FailurePermanent, "more than 4194304 bytes"); failure.Code != "ANSWER_TOO_LARGE" {
			t.Errorf("%s: code %s", path, failure.Code)
		}
		request(dir, map[string]any{"url": address + path, "response": "file", "response_file": "down/x", "max_response": 1000}).Fail(t, pluginsdk.FailurePermanent, "more than 1000 bytes")
	}
	runtime.ReadMemStats(&after)
	if grown := after.HeapSys - before.HeapSys; grown > 128<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	request(dir, map[string]any{"url": address + "/slow", "timeout": "300ms"}).Fail(t, pluginsdk.FailureTimeout, "in time")
	var output requestOutput
	request(dir, map[string]any{"url": address + "/charset"}).Succeed(t, &output)
	if output.Text != "a\uFFFDb" {
		t.Errorf("text %q", output.Text)
	}
	request(dir, map[string]any{"url": address + "/not-json"}).Fail(t, pluginsdk.FailurePermanent, "not JSON")
	if handlertest.Exists(dir + "/down/x") {
		t.Error("a part of an answer was written")
	}
}

// raw serves bytes that net/http would not.
func raw(t *testing.T, write func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = connection.Close() }()
				if _, err := http.ReadRequest(bufio.NewReader(connection)); err == nil {
					write(connection)
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

func TestCase71BrokenServersFailTheStep(t *testing.T) {
	t.Parallel()
	headers := raw(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
		for {
			if _, err := io.WriteString(c, "X-More: "+strings.Repeat("x", 1000)+"\r\n"); err != nil {
				return
			}
		}
	})
	request("", map[string]any{"url": headers}).Fail(t, pluginsdk.FailurePermanent, "headers exceeded")
	request("", map[string]any{"url": raw(t, func(c net.Conn) { _, _ = io.WriteString(c, "hello\r\n\r\n") })}).Fail(t, pluginsdk.FailurePermanent, "malformed HTTP")
	request("", map[string]any{"url": raw(t, func(net.Conn) {})}).Fail(t, pluginsdk.FailureRetryable, "")
	request("", map[string]any{"url": raw(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
	})}).Fail(t, pluginsdk.FailureRetryable, "read the answer")
}

func TestCertificatesAreChecked(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }))
	defer server.Close()
	dir := t.TempDir()
	if failure := request(dir, map[string]any{"url": server.URL}).Fail(t, pluginsdk.FailurePermanent, "can't be trusted"); failure.Code != "TLS_FAILED" {
		t.Errorf("code %s", failure.Code)
	}
	handlertest.Write(t, dir, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	for _, tls := range []map[string]any{{"ca_file": "ca.pem"}, {"skip_verify": true}} {
		var output requestOutput
		request(dir, map[string]any{"url": server.URL, "tls": tls}).Succeed(t, &output)
		if output.Text != "ok" {
			t.Errorf("%v: got %+v", tls, output)
		}
	}
	handlertest.Write(t, dir, "bad.pem", "x")
	request(dir, map[string]any{"url": server.URL, "tls": map[string]any{"ca_file": "bad.pem"}}).Fail(t, pluginsdk.FailureInvalidInput, "no certificate")
}

func TestRedirectsAreFollowedWithoutCredentialsToOthers(t *testing.T) {
	t.Parallel()
	var seen atomic.Value
	other := answering(t, func(_ http.ResponseWriter, r *http.Request) { seen.Store(r.Header.Clone()) })
	var here string
	here = answering(t, func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{"/other": other, "/same": here + "/end", "/loop": here + "/loop", "/file": "file:///etc/passwd", "/user": strings.Replace(here, "//", "//ada:pw@", 1) + "/end", "/post": other}[r.URL.Path]
		if to == "" {
			seen.Store(r.Header.Clone())
			return
		}
		status := http.StatusFound
		if r.URL.Path == "/post" {
			status = http.StatusTemporaryRedirect
		}
		http.Redirect(w, r, to, status)
	})
	config := func(path string) map[string]any {
		return map[string]any{"url": here + path, "auth": map[string]any{"type": "bearer", "token": "t0k"}, "headers": map[string]string{"X-Api-Key": "k3y", "Accept": "text/plain"}}
	}
	for path, isKept := range map[string]bool{"/other": false, "/same": true, "/user": true} {
		var output requestOutput
		request("", config(path)).Succeed(t, &output)
		header := seen.Load().(http.Header)
		if (header.Get("Authorization") == "Bearer t0k") != isKept || (header.Get("X-Api-Key") != "") != isKept || header.Get("Accept") != "text/plain" || header.Get("Referer") != "" {
			t.Errorf("%s: headers %v", path, header)
		}
		if output.Redirects != 1 {
			t.Errorf("%s: %d redirects", path, output.Redirects)
		}
	}
	request("", config("/loop")).Fail(t, pluginsdk.FailurePermanent, "too many redirects: more than 10")
	request("", config("/file")).Fail(t, pluginsdk.FailurePermanent, "leads to file:")
	post := config("/post")
	post["method"], post["text"] = "POST", "secret body"
	request("", post).Fail(t, pluginsdk.FailurePermanent, "sends the body on to another host")
	none := config("/other")
	none["max_redirects"] = 0
	var output requestOutput
	request("", none).Succeed(t, &output)
	if output.Status != http.StatusFound || output.Headers["location"] != other {
		t.Errorf("got %+v", output)
	}
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	t.Parallel()
	called := atomic.Bool{}
	address := answering(t, func(http.ResponseWriter, *http.Request) { called.Store(true) })
	_, port, err := net.SplitHostPort(strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1", "[::1]"} {
		call := &handlertest.Call{Handler: "http.request", Config: map[string]any{"url": "http://" + host + ":" + port, "timeout": "5s"}}
		if outcome := call.Execute(t); outcome.Kind != pluginsdk.OutcomeFailure {
			t.Errorf("%s: %s", host, outcome.Kind)
		} else if host == "127.0.0.1" && outcome.Failure.Code != "ADDRESS_REFUSED" {
			t.Errorf("%s: %+v", host, outcome.Failure)
		}
	}
	if called.Load() {
		t.Error("the server was reached")
	}
}

func TestAnAnswerIsWrittenToAFile(t *testing.T) {
	t.Parallel()
	address := answering(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("data")) })
	dir := t.TempDir()
	var output requestOutput
	call := request(dir, map[string]any{"url": address, "response": "file", "response_file": "a/b.bin"})
	if effects := call.Plan(t); len(effects) != 1 || effects[0].Target != "a/b.bin" {
		t.Errorf("plan %+v", effects)
	}
	call.Succeed(t, &output)
	if handlertest.Read(t, dir, "a/b.bin") != "data" || output.Size != 4 || output.File != "a/b.bin" {
		t.Errorf("got %+v", output)
	}
	handlertest.Git(t, dir, "init", "--quiet")
	if err := os.Symlink("../.git", filepath.Join(dir, "a", "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../x", "/etc/x", ".git/config", "a/", "a/link/config"} {
		call.Config["response_file"] = name
		call.Fail(t, pluginsdk.FailureInvalidInput, "")
	}
}

func TestWhatCantBeSentIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, test := range map[string]struct {
		config  map[string]any
		pointer string
	}{
		"another scheme":      {map[string]any{"url": "file:///etc/passwd"}, "/url"},
		"no host":             {map[string]any{"url": "http:///x"}, "/url"},
		"credentials":         {map[string]any{"url": "https://ada:pw@example.com"}, "/url"},
		"not an address":      {map[string]any{"url": "http://a b"}, "/url"},
		"two bodies":          {map[string]any{"url": "http://x", "method": "POST", "text": "a", "json": 1}, ""},
		"a body with GET":     {map[string]any{"url": "http://x", "text": "a"}, "/method"},
		"no file":             {map[string]any{"url": "http://x", "response": "file"}, "/response_file"},
		"a header with lines": {map[string]any{"url": "http://x", "headers": map[string]string{"A": "b\r\nC: d"}}, "/headers"},
		"a bad header":        {map[string]any{"url": "http://x", "headers": map[string]string{"A B": "c"}}, "/headers"},
		"no token":            {map[string]any{"url": "http://x", "auth": map[string]any{"type": "bearer"}}, "/auth/token"},
		"half a certificate":  {map[string]any{"url": "http://x", "tls": map[string]any{"client_key": "x"}}, "/tls"},
		"a file that is gone": {map[string]any{"url": "http://x", "method": "POST", "file": "none"}, "/file"},
		"a file outside":      {map[string]any{"url": "http://x", "method": "POST", "file": "../x"}, "/file"},
	} {
		if failure := request(dir, test.config).Fail(t, pluginsdk.FailureInvalidInput, ""); failure.Pointer != test.pointer {
			t.Errorf("%s: pointer %q: %s", name, failure.Pointer, failure.Message)
		}
	}
}
