package pluginhost

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/pluginhost/internal/system"
	"github.com/vwmp/vwmp/pluginsdk"
)

// fencedIn are the folders of a host whose plugins are fenced in.
type fencedIn struct {
	base, data, workspace, temporary string
}

// newFenced starts a host with a data folder, a workspace and a temporary
// folder that lie beside each other.
func newFenced(t *testing.T, change func(*Options)) (*testHost, fencedIn) {
	t.Helper()
	if system.LandlockABI() == 0 {
		t.Skip("this kernel has no Landlock")
	}
	base := t.TempDir()
	f := fencedIn{base, filepath.Join(base, "data"), filepath.Join(base, "ws"), filepath.Join(base, "tmp")}
	for _, dir := range []string{f.data, f.workspace, f.temporary, filepath.Join(f.data, "plugins")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("TMPDIR", f.temporary)
	write(t, filepath.Join(f.data, "admin-token"), "hush", 0o600)
	write(t, filepath.Join(base, "beside"), "no secret", 0o600)
	for _, mode := range []string{"good", "other"} {
		setPlugin(t, filepath.Join(f.data, "plugins"), mode)
	}
	options := Options{
		Dirs: []string{filepath.Join(f.data, "plugins")}, RunDir: filepath.Join(f.data, "run"), CopyDir: filepath.Join(f.data, "cache", "plugins"),
		DataDir: f.data, Workspaces: []string{f.workspace},
	}
	if change != nil {
		change(&options)
	}
	return newTestHost(t, options), f
}

// try has the plugin good try something, and returns what it met.
func (h *testHost) try(t *testing.T, handler, path string) string {
	t.Helper()
	outcome, _ := h.call(t, "good."+handler, path)
	return factsOf(t, outcome).Error
}

// TestCase61 and the next hold what a plugin may touch.
func TestCase61APluginWritesOnlyWhereItMay(t *testing.T) {
	h, f := newFenced(t, nil)
	if fence := h.Fence(); !fence.Files || !fence.Hidden || fence.FilesReason != "" || fence.HiddenReason != "" {
		t.Fatalf("the fence is %+v", fence)
	}
	for _, path := range []string{filepath.Join(f.workspace, "x"), filepath.Join(f.temporary, "x"), "own", "/dev/null"} {
		if err := h.try(t, "touch", path); err != "" {
			t.Errorf("%s can't be written: %s", path, err)
		}
	}
	outcome, _ := h.call(t, "other.look", "")
	factsOf(t, outcome) // So that its folder is there.
	for _, path := range []string{
		filepath.Join(f.base, "x"), filepath.Join(f.base, "beside"), filepath.Join(f.data, "x"), filepath.Join(f.data, "admin-token"),
		filepath.Join(f.data, "plugins", "vwmp-plugin-x"), filepath.Join(f.data, "plugins", "good", "plugin.yaml"),
		filepath.Join(f.data, "run", "processes", "1"), filepath.Join(f.data, "run", "work", "other", "x"),
		filepath.Join(f.data, "cache", "plugins", "x"), filepath.Join("/etc", "vwmp-test"),
	} {
		if err := h.try(t, "touch", path); !strings.Contains(err, "permission denied") {
			t.Errorf("%s: writing it gives %q", path, err)
		}
	}
}

func TestCase89APluginCanNeitherReadTheDataFolderNorTheHost(t *testing.T) {
	h, f := newFenced(t, nil)
	link := filepath.Join(f.workspace, "link")
	if err := os.Symlink(filepath.Join(f.data, "admin-token"), link); err != nil {
		t.Fatal(err)
	}
	mine, others := filepath.Join(f.data, "plugins", "good", "node_modules", "x"), filepath.Join(f.data, "plugins", "other", "node_modules", "x")
	write(t, mine, "", 0o600)
	write(t, others, "", 0o600)
	host := strconv.Itoa(os.Getpid())
	for _, path := range []string{
		filepath.Join(f.data, "admin-token"), link, others, "/proc/self/root" + filepath.Join(f.data, "admin-token"),
		"/proc/" + host + "/environ", "/proc/" + host + "/root" + filepath.Join(f.data, "admin-token"),
	} {
		if err := h.try(t, "peek", path); !strings.Contains(err, "permission denied") {
			t.Errorf("%s: reading it gives %q", path, err)
		}
	}
	for _, path := range []string{filepath.Join(f.base, "beside"), mine, "/etc/passwd", "/proc/self/status"} {
		if err := h.try(t, "peek", path); err != "" {
			t.Errorf("%s can't be read: %s", path, err)
		}
	}
	if err := h.try(t, "signal", ""); system.LandlockABI() >= 7 && !strings.Contains(err, "not permitted") {
		t.Errorf("a signal to the host gives %q", err)
	}
}

func TestAPluginMayWriteWhereItsLimitsSay(t *testing.T) {
	var more string
	h, f := newFenced(t, func(o *Options) {
		more = filepath.Join(filepath.Dir(o.DataDir), "more")
		if err := os.Mkdir(more, 0o755); err != nil {
			t.Fatal(err)
		}
		o.Limits = func(plugin string) Limits { return Limits{Write: []string{more}} }
	})
	if err := h.try(t, "touch", filepath.Join(more, "x")); err != "" {
		t.Errorf("it can't be written: %s", err)
	}
	if err := h.try(t, "touch", filepath.Join(f.base, "x")); err == "" {
		t.Error("what is beside it can be written too")
	}
}

// TestTheFenceFollowsFilesThatAreReplaced: Landlock knows files and not names,
// and a process can't be given more later.
func TestTheFenceFollowsFilesThatAreReplaced(t *testing.T) {
	h, f := newFenced(t, nil)
	beside := filepath.Join(f.base, "beside")
	look := func(handler, path string) facts {
		t.Helper()
		outcome, _ := h.call(t, "good."+handler, path)
		got := factsOf(t, outcome)
		if got.Error != "" {
			t.Errorf("%s of %s gives %s", handler, path, got.Error)
		}
		return got
	}
	first := look("peek", beside)
	if again := look("peek", beside); again.PID != first.PID {
		t.Error("each call has a process of its own")
	}
	write(t, beside+".new", "no secret either", 0o600)
	if err := os.Rename(beside+".new", beside); err != nil {
		t.Fatal(err)
	}
	second := look("peek", beside)
	// While a call runs its process is left to it.
	gate, r, ended := filepath.Join(f.temporary, "go"), newRecorder(), make(chan pluginsdk.Outcome, 1)
	go func() { ended <- h.Invoke(t.Context(), requestOf("good.gate", gate), r) }()
	r.pid(t)
	if err := os.Rename(f.workspace, filepath.Join(f.base, "old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(f.workspace, 0o755); err != nil {
		t.Fatal(err)
	}
	if third := look("touch", filepath.Join(f.workspace, "x")); third.PID == second.PID {
		t.Error("it is the process that was kept from the folder")
	}
	write(t, gate, "", 0o644)
	factsOf(t, <-ended)
	eventually(t, "the old process is gone", func() bool { return !alive(second.PID) })
}

func TestADataFolderWithinAWorkspaceIsNotHiddenAndThatIsSaid(t *testing.T) {
	h, f := newFenced(t, func(o *Options) { o.Workspaces = append(o.Workspaces, filepath.Dir(o.DataDir)) })
	if fence := h.Fence(); !fence.Files || fence.Hidden || !strings.Contains(fence.HiddenReason, "inside a workspace") {
		t.Errorf("the fence is %+v", fence)
	}
	if err := h.try(t, "peek", filepath.Join(f.data, "admin-token")); err != "" {
		t.Errorf("a step in the workspace can't read it: %s", err)
	}
}

func TestAProcessHasLimitsButNoneOfItsAddresses(t *testing.T) {
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "good")}, Limits: func(string) Limits {
		return Limits{Memory: 300 << 20, OpenFiles: 99, FileSize: 1 << 20}
	}})
	outcome, _ := h.call(t, "good.look", "")
	f := factsOf(t, outcome)
	if due := fmt.Sprintf("GOMEMLIMIT=%d", (300<<20)/10*9); !strings.Contains(strings.Join(f.Environment, "\n"), due) {
		t.Errorf("the environment lacks %s", due)
	}
	text, err := os.ReadFile("/proc/" + strconv.Itoa(f.PID) + "/limits")
	if err != nil {
		t.Fatal(err)
	}
	limits := strings.Join(strings.Fields(string(text)), " ")
	if score, err := os.ReadFile("/proc/" + strconv.Itoa(f.PID) + "/oom_score_adj"); err != nil || strings.TrimSpace(string(score)) != "500" {
		t.Errorf("when memory is short its score is %s: %v", score, err)
	}
	for _, due := range []string{"Max open files 99 99", "Max core file size 0 0", "Max file size 1048576 1048576", "Max address space unlimited unlimited"} {
		if !strings.Contains(limits, due) {
			t.Errorf("the limits lack %q:\n%s", due, text)
		}
	}
}

func TestAProcessThatEatsMemoryIsEnded(t *testing.T) {
	l := hasty()
	l.memoryEvery = 5 * time.Millisecond
	h := newTestHostWith(t, Options{Dirs: []string{pluginDir(t, "good")}, Limits: func(string) Limits { return Limits{Memory: 256 << 20} }}, l)
	eater := &measured{recorder: newRecorder()}
	outcome := h.Invoke(t.Context(), requestOf("good.eat", ""), eater)
	if u := eater.used; u.Memory < 200<<20 || u.Memory > 2<<30 || u.CPU <= 0 {
		t.Errorf("what its process took before its end is told as %+v", u)
	}
	if message := mustFail(t, outcome, pluginsdk.OutcomeUnknown, "PLUGIN_CRASHED_ALONE"); !strings.Contains(message, "memory") && !strings.Contains(message, "killed") {
		t.Errorf("the message is %q", message)
	}
	outcome, _ = h.call(t, "good.look", "")
	factsOf(t, outcome)
}

// measured is a reporter that wants to know what a call took.
type measured struct {
	*recorder
	mu   sync.Mutex
	used engine.Usage
}

func (m *measured) Used(usage engine.Usage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used = usage
}

func TestWhatACallTakesIsMeasured(t *testing.T) {
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "good")}})
	alone := &measured{recorder: newRecorder()}
	factsOf(t, h.Invoke(t.Context(), requestOf("good.burn", ""), alone))
	if u := alone.used; u.CPU < 50*time.Millisecond || u.CPU > 10*time.Second || u.Memory < 64<<20 || u.Memory > 1<<30 || u.Shared {
		t.Errorf("alone it took %+v", u)
	}
	// The memory of the call before is not counted again, and the time of a
	// neighbour only in part.
	idle := &measured{recorder: newRecorder()}
	gate := filepath.Join(t.TempDir(), "go")
	ended := make(chan pluginsdk.Outcome, 1)
	go func() { ended <- h.Invoke(t.Context(), requestOf("good.gate", gate), idle) }()
	idle.pid(t)
	busy := &measured{recorder: newRecorder()}
	factsOf(t, h.Invoke(t.Context(), requestOf("good.burn", ""), busy))
	write(t, gate, "", 0o644)
	factsOf(t, <-ended)
	if !busy.used.Shared || !idle.used.Shared || busy.used.CPU < 25*time.Millisecond || busy.used.CPU > alone.used.CPU*10 {
		t.Errorf("together they took %+v and %+v", busy.used, idle.used)
	}
	status := h.status(t, "good")
	if status.Memory < 5<<20 || status.CPU < 100*time.Millisecond {
		t.Errorf("the plugin has %d bytes and took %s", status.Memory, status.CPU)
	}
	if err := h.Reload(t.Context(), "good", false); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the time of a process that is gone is kept", func() bool {
		now := h.status(t, "good")
		return now.Memory == 0 && now.CPU >= 100*time.Millisecond
	})
}

func TestEachProcessHasAControlGroupThatGoesWithIt(t *testing.T) {
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "good")}})
	if h.groups == nil {
		t.Skip("control groups are not delegated here: " + h.Fence().GroupsReason)
	}
	outcome, _ := h.call(t, "good.look", "")
	pid := factsOf(t, outcome).PID
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	if own := fmt.Sprintf("vwmp-%d-", os.Getpid()); !strings.Contains(string(text), own) {
		t.Errorf("the process is in %s", text)
	}
	h.mustClose(t)
	if left := h.groups.Left(); len(left) != 0 {
		t.Errorf("left are the groups %v", left)
	}
}

func TestCase61AWorkspacesOwnRepositoriesMayBeWritten(t *testing.T) {
	base := t.TempDir()
	workspace, bare := filepath.Join(base, "repo"), filepath.Join(base, "remote.git")
	repository := func(dir string) {
		write(t, filepath.Join(dir, "HEAD"), "ref: refs/heads/main\n", 0o644)
		if err := os.MkdirAll(filepath.Join(dir, "objects"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	repository(bare)
	repository(filepath.Join(workspace, ".git"))
	write(t, filepath.Join(base, "private", "x"), "", 0o644)
	write(t, filepath.Join(workspace, ".git", "config"), "[core]\n\turl = "+base+"\n[remote \"origin\"]\n\turl = ../remote.git\n"+
		"[remote \"b\"]\n\turl = git@example.com:x/y.git\n[remote \"c\"]\n\turl = https://example.com/x\n"+
		"[remote \"d\"]\n\tpushurl = "+filepath.Join(base, "private")+"\n", 0o644)
	if got := repositoriesOf(workspace); len(got) != 1 || got[0] != bare {
		t.Errorf("the repositories are %v", got)
	}
	worktree := filepath.Join(base, "tree")
	own := filepath.Join(workspace, ".git", "worktrees", "tree")
	write(t, filepath.Join(worktree, ".git"), "gitdir: "+own+"\n", 0o644)
	write(t, filepath.Join(own, "commondir"), "../..\n", 0o644)
	got := strings.Join(repositoriesOf(worktree), " ")
	if due := own + " " + filepath.Join(workspace, ".git") + " "; !strings.HasPrefix(got, due) {
		t.Errorf("those of a worktree are %q", got)
	}
	h, _ := newFenced(t, func(o *Options) { o.Workspaces = []string{workspace} })
	if err := h.try(t, "touch", filepath.Join(bare, "x")); err != "" {
		t.Errorf("the remote can't be written: %s", err)
	}
	if err := h.try(t, "touch", filepath.Join(base, "private", "x")); err == "" {
		t.Error("what is no repository can be written")
	}
}
