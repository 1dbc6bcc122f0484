//go:build unix

package pluginhost

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vwmp/vwmp/host/pluginhost/internal/disk"
	"github.com/vwmp/vwmp/pluginsdk"
)

// patience bounds every wait of a test for something that must come.
const patience = 15 * time.Second

// quick are the waits of the tests.
var quick = func() limits {
	l := standardLimits()
	l.stop = ladder{
		cancel: 100 * time.Millisecond, shutDown: 300 * time.Millisecond, terminate: 500 * time.Millisecond,
		kill: time.Second, giveUp: 5 * time.Second,
	}
	l.cancelGrace, l.settle = 300*time.Millisecond, 20*time.Millisecond
	return l
}()

// memoryCache is a Store.
type memoryCache struct {
	mu           sync.Mutex
	descriptions map[string][]byte
	checksums    map[string]string
	records      map[string][]byte
}

func newMemoryCache() *memoryCache {
	return &memoryCache{descriptions: map[string][]byte{}, checksums: map[string]string{}, records: map[string][]byte{}}
}

func (c *memoryCache) PluginRecords(context.Context) (map[string][]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.records), nil
}

func (c *memoryCache) PutPluginRecord(_ context.Context, name string, record []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.records[name] = record
	return nil
}

func (c *memoryCache) DeletePluginRecord(_ context.Context, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.records, name)
	return nil
}

func (c *memoryCache) Description(_ context.Context, sha256 string) ([]byte, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	raw, known := c.descriptions[sha256]
	return raw, known, nil
}

func (c *memoryCache) PutDescription(_ context.Context, sha256 string, description []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.descriptions[sha256] = description
	return nil
}

func (c *memoryCache) FileChecksum(_ context.Context, key string) (string, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sum, known := c.checksums[key]
	return sum, known, nil
}

func (c *memoryCache) PutFileChecksum(_ context.Context, key, sha256 string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checksums[key] = sha256
	return nil
}

// pretend makes the host believe to know a plugin, so that it is started for
// a call and not to be described.
func (c *memoryCache) pretend(t *testing.T, dir, mode string) {
	t.Helper()
	f, err := disk.Open(filepath.Join(dir, mode))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := f.Hash()
	if err != nil {
		t.Fatal(err)
	}
	description, err := demoPlugin(mode).Describe()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(cachedDescription{cacheFormat, description})
	if err != nil {
		t.Fatal(err)
	}
	c.descriptions[sum] = raw
}

// pluginDir makes a folder with a plugin of each mode.
func pluginDir(t testing.TB, modes ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, mode := range modes {
		addPlugin(t, dir, mode)
	}
	return dir
}

func addPlugin(t testing.TB, dir, mode string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, mode, disk.ManifestFile), fmt.Sprintf("command: %s\nargs: [%q]\n", self, asFlag+mode), 0o644)
}

func write(t testing.TB, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	// The test's umask must not decide.
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// hostLog collects a host's log.
type hostLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *hostLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *hostLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// testHost is a host with what a test asks of it.
type testHost struct {
	*Host
	log *hostLog
}

// newTestHost starts a host, waits until it is ready, and sees at the end of
// the test that it leaves no process, socket or file.
func newTestHost(t *testing.T, options Options) *testHost {
	t.Helper()
	return newTestHostWith(t, options, quick)
}

func newTestHostWith(t *testing.T, options Options, l limits) *testHost {
	t.Helper()
	h := &testHost{log: &hostLog{}}
	options.Logger = slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if options.RunDir == "" {
		options.RunDir = shortTempDir(t)
	}
	before := openFiles(t)
	var err error
	h.Host, err = newHost(t.Context(), options, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.mustClose(t)
		h.mustLeaveNothing(t)
		// A connection's socket closes a moment after its process has ended.
		eventually(t, fmt.Sprintf("no more than the %d files of before are open", before), func() bool { return openFiles(t) <= before })
		if t.Failed() {
			t.Logf("the host's log:\n%s", h.log)
		}
	})
	if err := h.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

// shortTempDir is a folder whose path leaves room for a socket's name.
func shortTempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ph")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func (h *testHost) mustClose(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.Close(ctx); err != nil {
		t.Errorf("close the host: %v", err)
	}
}

func (h *testHost) mustLeaveNothing(t *testing.T) {
	t.Helper()
	for _, dir := range []string{h.registryDir(), h.socketDir} {
		if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
			t.Errorf("%s holds %v", dir, entries)
		}
	}
}

func openFiles(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0 // Not a Linux.
	}
	return len(entries)
}

// call runs a handler with a text.
func (h *testHost) call(t *testing.T, handler, text string) (pluginsdk.Outcome, *recorder) {
	t.Helper()
	r := newRecorder()
	return h.Invoke(t.Context(), requestOf(handler, text), r), r
}

func requestOf(handler, text string) *pluginsdk.Request {
	config, _ := json.Marshal(message{text})
	return &pluginsdk.Request{
		ExecutionID: "e1", StepID: "s1", Handler: handler, ItemIndex: -1, Attempt: 1, Config: config, StartedAt: time.Now(),
	}
}

func factsOf(t *testing.T, outcome pluginsdk.Outcome) facts {
	t.Helper()
	if outcome.Kind != pluginsdk.OutcomeSuccess {
		t.Fatalf("the step ended as %s: %+v", outcome.Kind, outcome.Failure)
	}
	var f facts
	if err := json.Unmarshal(outcome.Output, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func mustFail(t *testing.T, outcome pluginsdk.Outcome, kind pluginsdk.OutcomeKind, code string) string {
	t.Helper()
	if outcome.Kind != kind || outcome.Failure == nil || outcome.Failure.Code != code {
		t.Fatalf("the step ended as %s: %+v, and not as %s with %s", outcome.Kind, outcome.Failure, kind, code)
	}
	return outcome.Failure.Message
}

// recorder keeps the log of a step and tells of each line.
type recorder struct {
	pluginsdk.Reporter
	lines chan string
}

func newRecorder() *recorder { return &recorder{lines: make(chan string, 1000)} }

func (r *recorder) Log(line pluginsdk.LogLine) { r.lines <- line.Message }

// line waits for the next line.
func (r *recorder) line(t *testing.T) string {
	t.Helper()
	select {
	case line := <-r.lines:
		return line
	case <-time.After(patience):
		t.Fatal("the step says nothing")
		return ""
	}
}

func (r *recorder) pid(t *testing.T) int {
	t.Helper()
	pid, err := strconv.Atoi(r.line(t))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// eventually waits for a condition that nobody tells of.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("it is not so: %s", what)
		}
	}
}

// alive reports whether a process runs, and is no zombie.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return !os.IsNotExist(err)
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func (h *testHost) status(t *testing.T, name string) Status {
	t.Helper()
	for _, status := range h.Plugins() {
		if status.Name == name {
			return status
		}
	}
	t.Fatalf("there is no plugin %s among %+v", name, h.Plugins())
	return Status{}
}
