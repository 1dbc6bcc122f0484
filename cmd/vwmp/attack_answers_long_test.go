//go:build long

package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hostileServer answers as one might that means harm; each path does it in a
// way of its own. Its listener serves what net/http would not send.
func hostileServer(t *testing.T) (address, raw, secure string) {
	t.Helper()
	stop := make(chan struct{})
	answers := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		block := make([]byte, 1<<20)
		switch r.URL.Path {
		case "/endless":
			for {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			packed := gzip.NewWriter(w)
			for range 10 << 10 {
				if _, err := packed.Write(block); err != nil {
					return
				}
			}
		case "/slow":
			for {
				if _, err := io.WriteString(w, "x"); err != nil || http.NewResponseController(w).Flush() != nil {
					return
				}
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
			_, _ = io.WriteString(w, "a\xff\xfeb")
		case "/around":
			http.Redirect(w, r, "/around", http.StatusFound)
		}
	})
	server, tls := httptest.NewServer(answers), httptest.NewTLSServer(answers)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
				for err == nil {
					_, err = io.WriteString(conn, "X-More: "+strings.Repeat("x", 1000)+"\r\n")
				}
			}()
		}
	}()
	t.Cleanup(func() {
		close(stop)
		_ = listener.Close()
		server.Close()
		tls.Close()
	})
	return server.URL, "http://" + listener.Addr().String(), tls.URL
}

// TestCase71HostileAnswersFailInBounds asks a hostile server through the real
// one, whose configuration allows that, with the real plugin.
func TestCase71HostileAnswersFailInBounds(t *testing.T) {
	plugins, workspace := t.TempDir(), t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(plugins, "vwmp-plugin-http"), "github.com/vwmp/vwmp/plugins/http")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	address, raw, secure := hostileServer(t)
	config := filepath.Join(t.TempDir(), "vwmp.yaml")
	writeFile(t, config, []byte("plugins:\n  http:\n    adapter: {allow_private: true}\n"))
	a := &attacked{running: startRunning(t, t.TempDir(), workspace, "--config", config, "--plugins", plugins), workspace: workspace}
	for _, one := range []struct{ config, code, says string }{
		{`{"url":"` + address + `/endless"}`, "ANSWER_TOO_LARGE", "more than 4194304 bytes"},
		{`{"url":"` + address + `/endless","response":"file","response_file":"down/endless"}`, "ANSWER_TOO_LARGE", "more than 4194304 bytes"},
		{`{"url":"` + address + `/bomb"}`, "ANSWER_TOO_LARGE", "more than 4194304 bytes"},
		{`{"url":"` + address + `/bomb","response":"file","response_file":"down/bomb","max_response":1000}`, "ANSWER_TOO_LARGE", "more than 1000 bytes"},
		{`{"url":"` + address + `/slow","timeout":"300ms"}`, "TIMEOUT", "in time"},
		{`{"url":"` + address + `/around"}`, "BAD_ANSWER", "redirect"},
		{`{"url":"` + raw + `"}`, "BAD_ANSWER", "header"},
		{`{"url":"` + secure + `/charset"}`, "TLS_FAILED", "trusted"},
	} {
		began := time.Now()
		got := a.finish(a.start(a.save(fmt.Sprintf(`{"name":"Case 71 %d","steps":[{"id":"a","handler":"http.request","timeout":"60s","retry":{"max_attempts":1},"config":%s}]}`, a.next(), one.config)))).StepResults["a"]
		if got.Status != "failed" || got.Error == nil || got.Error.Code != one.code || !strings.Contains(got.Error.Message, one.says) {
			t.Errorf("%s: it is %s with %+v, want %s", one.config, got.Status, got.Error, one.code)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s: it took %s", one.config, took)
		}
		for _, attempt := range got.AttemptList {
			if attempt.MemoryBytes > 256<<20 {
				t.Errorf("%s: the plugin took %d MiB", one.config, attempt.MemoryBytes>>20)
			}
		}
	}
	var text struct {
		Text string `json:"text"`
	}
	got := a.step(t, "http.request", `{"url":"`+address+`/charset"}`).StepResults["a"]
	if err := json.Unmarshal(got.Output, &text); err != nil || got.Status != "success" || text.Text != "a\uFFFDb" {
		t.Errorf("what is no text of any character set is %s with %q", got.Status, text.Text)
	}
	if left, err := os.ReadDir(filepath.Join(workspace, "down")); err == nil && len(left) > 0 {
		t.Errorf("parts of answers were left: %v", left)
	}
	if most := a.memory(); most > 128<<20 {
		t.Errorf("the server took %d MiB", most>>20)
	}
	a.attack(http.MethodGet, api+"/workflows/", "").want(http.StatusOK)
}
