package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/fasthttp/websocket"

	"github.com/vwmp/vwmp/engine/plan"
)

// The attack table's cases of faults around the server: a peer that is gone,
// a plugin whose file changes.

// configured is a server with a configuration file of its own.
func configured(t *testing.T, config string, more ...string) *running {
	t.Helper()
	file := filepath.Join(t.TempDir(), "vwmp.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return underAttack(t, append([]string{"--config", file}, more...)...)
}

// connections counts the TCP connections that the server has a descriptor of.
func (r *running) connections() int {
	r.t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		r.t.Skip("this system does not tell what connections there are")
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		r.t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		r.t.Fatal(err)
	}
	const listening, unowned = "0A", "0"
	count := 0
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) > 9 && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", number)) && fields[3] != listening && fields[9] != unowned {
			count++
		}
	}
	return count
}

func TestCase45HalfOpenPeersAreClosedAndFreed(t *testing.T) {
	r := configured(t, "limits: {socket_ping: 1s}\n")
	addr := strings.TrimPrefix(r.url, "http://")
	const farm = 20
	live, _, err := websocket.DefaultDialer.Dial("ws://"+addr+"/ws/vwmp/events", http.Header{"Authorization": {"Bearer " + r.token}})
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	// This one answers the pings.
	gone := make(chan error, 1)
	go func() {
		for {
			if _, _, err := live.ReadMessage(); err != nil {
				gone <- err
				return
			}
		}
	}()
	for range farm {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, err = io.WriteString(conn, "GET /ws/vwmp/events HTTP/1.1\r\nHost: "+addr+"\r\nAuthorization: Bearer "+r.token+
			"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
		if err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.Contains(line, "101") {
			t.Fatalf("the upgrade: %q %v", line, err)
		}
		// From here on nobody reads, and no ping is answered.
	}
	r.await("only the peer that answers is left", func() bool { return r.connections() <= 1 })
	select {
	case err := <-gone:
		t.Errorf("the peer that answers was closed too: %v", err)
	default:
	}
}

func TestCase83AStepEndsOnTheFileThatItBeganWith(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(labDir, "vwmp-plugin-lab"))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(file string) error{
		"swapped": func(string) error { return nil }, "deleted and put back": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, workspace := t.TempDir(), t.TempDir()
			file := filepath.Join(folder, "vwmp-plugin-lab")
			put := func(text []byte) {
				if err := os.WriteFile(file+".new", text, 0o700); err != nil { //nolint:gosec // A plugin is run.
					t.Fatal(err)
				}
				if err := os.Rename(file+".new", file); err != nil {
					t.Fatal(err)
				}
			}
			put(text)
			r := startRunning(t, t.TempDir(), workspace, "--plugins", folder)
			id := r.start(r.save(`{"name":"Long","steps":[{"id":"a","handler":"lab.hang","config":{"until":"go","arrive":"here"}}]}`))
			r.await("the step runs", func() bool { return fileExists(filepath.Join(workspace, "here")) })
			old := r.plugin("lab")
			if err := change(file); err != nil {
				t.Fatal(err)
			}
			// What follows the program in its file is not read, and makes another
			// file of it.
			put(append(text[:len(text):len(text)], "another"...))
			r.await("the new file is in force", func() bool { return r.plugin("lab").Checksum != old.Checksum })
			if got := r.finish(r.start(r.save(echoWorkflow))).Status; got != plan.StatusSuccess {
				t.Errorf("a step of the new file is %s", got)
			}
			if now := r.plugin("lab").PID; now == old.PID || !alive(old.PID) {
				t.Errorf("a new step runs in %d, and the old process, %d, lives: %t", now, old.PID, alive(old.PID))
			}
			if got := r.result(id).StepResults["a"]; got.Status != plan.StatusRunning || got.Attempts != 1 {
				t.Errorf("the step under way is %s after %d attempts", got.Status, got.Attempts)
			}
			writeFile(t, filepath.Join(workspace, "go"), nil)
			if result := r.finish(id); result.Status != plan.StatusSuccess || result.StepResults["a"].Attempts != 1 {
				t.Errorf("it ends as %s after %d attempts", result.Status, result.StepResults["a"].Attempts)
			}
			r.await("the old process is gone", func() bool { return !alive(old.PID) })
		})
	}
}
