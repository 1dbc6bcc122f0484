//go:build unix

package pluginhost

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

// setPlugin puts a plugin of a mode into a folder, under its name, in the
// place of what was there. A file is renamed over the old one, as careful
// installers do.
func setPlugin(t testing.TB, dir, mode string) {
	t.Helper()
	name, _, _ := strings.Cut(mode, "@")
	fresh := t.TempDir()
	addPlugin(t, fresh, mode)
	target := filepath.Join(dir, name, "plugin.yaml")
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(fresh, mode, "plugin.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, target+".new", string(text), 0o644)
	if err := os.Rename(target+".new", target); err != nil {
		t.Fatal(err)
	}
}

func dirWith(t testing.TB, modes ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, mode := range modes {
		setPlugin(t, dir, mode)
	}
	return dir
}

// workflows are stored workflows of one step each, by handler and config.
func workflows(steps ...string) func(context.Context, func(Workflow)) error {
	return func(_ context.Context, each func(Workflow)) error {
		for i := 0; i+1 < len(steps); i += 2 {
			document := `{"name":"Uses ` + steps[i] + `","steps":[{"id":"only","handler":"` + steps[i] + `","config":` + steps[i+1] + `}]}`
			each(Workflow{ID: "w" + steps[i], Name: "Uses " + steps[i], Document: json.RawMessage(document)})
		}
		return nil
	}
}

// changes collects what a host tells of.
type changes struct {
	mu   sync.Mutex
	list []Change
}

func (c *changes) note(change Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, change)
}

// of reports whether a change of the catalogue named a plugin.
func (c *changes) of(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, change := range c.list {
		for _, plugin := range change.Plugins {
			if change.Catalogue && plugin == name {
				return true
			}
		}
	}
	return false
}

func (h *testHost) version(name string) string {
	for _, status := range h.Plugins() {
		if status.Name == name {
			return status.Version
		}
	}
	return ""
}

func (h *testHost) awaitVersion(t *testing.T, name, version string) {
	t.Helper()
	eventually(t, name+" is at version "+version, func() bool { return h.version(name) == version })
}

func (h *testHost) awaitHeld(t *testing.T, name, reason string) *Held {
	t.Helper()
	eventually(t, name+" is held back as "+reason, func() bool {
		status := h.status(t, name)
		return status.Held != nil && status.Held.Reason == reason
	})
	return h.status(t, name).Held
}

func TestAPluginThatIsDroppedIntoAFolderAppears(t *testing.T) {
	dir, told := filepath.Join(t.TempDir(), "not", "there", "yet"), &changes{}
	h := newTestHost(t, Options{Dirs: []string{dir}, Watch: true, Changed: told.note})
	if len(h.Plugins()) != 0 {
		t.Fatalf("at first there are %+v", h.Plugins())
	}
	before := h.Generation()
	setPlugin(t, dir, "good")
	eventually(t, "the plugin appears", func() bool { _, found := h.Handler("good.look"); return found })
	outcome, _ := h.call(t, "good.look", "")
	factsOf(t, outcome)
	if h.Generation() <= before || !told.of("good") {
		t.Errorf("the generation is %d after %d, and told was %+v", h.Generation(), before, told.list)
	}
	// Into a folder of a plugin that has none of its own yet.
	write(t, filepath.Join(dir, "other", "readme"), "soon", 0o644)
	setPlugin(t, dir, "other")
	h.awaitVersion(t, "other", "1.0.0")
	// What is no plugin is told too, with the reason.
	write(t, filepath.Join(dir, "vwmp-plugin-bad"), "x", 0o644)
	eventually(t, "the bad file is listed", func() bool {
		status, found := h.Plugin("bad")
		return found && status.State == StateRefused && strings.Contains(status.Reason, "not executable")
	})
}

func TestCase83ACallEndsOnTheVersionThatItBeganWith(t *testing.T) {
	for name, replace := range map[string]func(t *testing.T, dir string){
		"replaced": func(t *testing.T, dir string) { setPlugin(t, dir, "good@2.0.0") },
		"deleted and put back": func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, "good")); err != nil {
				t.Fatal(err)
			}
			setPlugin(t, dir, "good@2.0.0")
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, gate := dirWith(t, "good"), filepath.Join(t.TempDir(), "go")
			h := newTestHost(t, Options{Dirs: []string{dir}, Watch: true, CopyDir: t.TempDir()})
			ended, r := make(chan pluginsdk.Outcome, 1), newRecorder()
			go func() { ended <- h.Invoke(t.Context(), requestOf("good.gate", gate), r) }()
			old := r.pid(t)
			replace(t, dir)
			h.awaitVersion(t, "good", "2.0.0")
			outcome, _ := h.call(t, "good.look", "")
			if now := factsOf(t, outcome); now.PID == old || !strings.Contains(strings.Join(now.Arguments, " "), "@2.0.0") {
				t.Errorf("a new call went to %+v", now.Arguments)
			}
			status := h.status(t, "good")
			if status.Draining != 1 || status.Calls != 2 || !alive(old) {
				t.Errorf("while the old call runs the status is %+v", status)
			}
			write(t, gate, "", 0o644)
			if f := factsOf(t, <-ended); f.PID != old {
				t.Errorf("the old call ended in %d and not in %d", f.PID, old)
			}
			eventually(t, "the old process is gone", func() bool { return !alive(old) })
			eventually(t, "nothing drains", func() bool { return h.status(t, "good").Draining == 0 })
		})
	}
}

func TestAVersionThatLacksAHandlerInUseNeedsForce(t *testing.T) {
	for name, test := range map[string]struct{ mode, code string }{
		"a handler is gone":    {"good@2.0.0,without-echo", "unknown_handler"},
		"a schema is narrower": {"good@2.0.0,strict-echo", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir, told := dirWith(t, "good"), &changes{}
			h := newTestHost(t, Options{
				Dirs: []string{dir}, Watch: true, CopyDir: t.TempDir(), Changed: told.note,
				Workflows: workflows("good.look", `{}`, "good.echo", `{"text":"c"}`, "flow.log", `{"message":"x"}`),
			})
			setPlugin(t, dir, test.mode)
			held := h.awaitHeld(t, "good", HeldBreaking)
			if held.Version != "2.0.0" || len(held.Changes) != 1 {
				t.Fatalf("held is %+v", held)
			}
			change := held.Changes[0]
			if change.WorkflowID != "wgood.echo" || change.StepID != "only" || change.Handler != "good.echo" || change.Message == "" || (test.code != "" && change.Code != test.code) {
				t.Errorf("the change is %+v", change)
			}
			if _, found := h.Handler("good.echo"); !found || h.version("good") != "1.0.0" || !told.of("good") {
				t.Errorf("the version before is not in force: %+v", h.status(t, "good"))
			}
			outcome, _ := h.call(t, "good.echo", "c")
			factsOf(t, outcome)
			var refused *HeldError
			if err := h.Reload(t.Context(), "good", false); !errors.As(err, &refused) || len(refused.Changes) != 1 || !strings.Contains(err.Error(), "2.0.0") {
				t.Errorf("a reload gives %v", err)
			}
			if err := h.Reload(t.Context(), "good", true); err != nil {
				t.Fatal(err)
			}
			if status := h.status(t, "good"); status.Version != "2.0.0" || status.Held != nil {
				t.Errorf("after force the status is %+v", status)
			}
		})
	}
}

func TestAVersionThatBreaksNothingIsTakenUp(t *testing.T) {
	dir := dirWith(t, "good")
	h := newTestHost(t, Options{Dirs: []string{dir}, Watch: true, CopyDir: t.TempDir(), Workflows: workflows(
		"good.look", `{}`, "good.echo", `{"text":"a"}`, "good.echo", `{"text":"${parameters.none}"}`, "good.crash", `{"unknown":1}`)})
	setPlugin(t, dir, "good@2.0.0,strict-echo,without-flood")
	h.awaitVersion(t, "good", "2.0.0")
	if held := h.status(t, "good").Held; held != nil {
		t.Errorf("it is held back: %+v", held)
	}
}

func TestAFileThatGoesWhileItIsInUseStaysInForce(t *testing.T) {
	dir, copies := dirWith(t, "good", "other"), t.TempDir()
	h := newTestHost(t, Options{Dirs: []string{dir}, Watch: true, CopyDir: copies, Workflows: workflows("good.look", `{}`)})
	if err := errors.Join(os.RemoveAll(filepath.Join(dir, "good")), os.RemoveAll(filepath.Join(dir, "other"))); err != nil {
		t.Fatal(err)
	}
	held := h.awaitHeld(t, "good", HeldRemoved)
	if len(held.Changes) != 1 || held.Version != "" {
		t.Errorf("held is %+v", held)
	}
	eventually(t, "the other one is gone", func() bool { _, found := h.Plugin("other"); return !found })
	outcome, _ := h.call(t, "good.look", "")
	factsOf(t, outcome)
	if err := h.Reload(t.Context(), "good", true); err != nil {
		t.Fatal(err)
	}
	if _, found := h.Handler("good.look"); found {
		t.Error("after force the plugin is still there")
	}
	outcome, _ = h.call(t, "good.look", "")
	mustFail(t, outcome, pluginsdk.OutcomeFailure, "HANDLER_NOT_FOUND")
}

func TestAFileThatIsReplacedByGarbageStaysAsItWas(t *testing.T) {
	dir := dirWith(t, "good")
	h := newTestHost(t, Options{Dirs: []string{dir}, Watch: true, CopyDir: t.TempDir()})
	write(t, filepath.Join(dir, "good", "plugin.yaml"), "command: /bin/false\n", 0o644)
	held := h.awaitHeld(t, "good", HeldBroken)
	if !strings.Contains(held.Message, "exit status 1") {
		t.Errorf("held is %+v", held)
	}
	outcome, _ := h.call(t, "good.look", "")
	factsOf(t, outcome)
	setPlugin(t, dir, "good@3.0.0")
	h.awaitVersion(t, "good", "3.0.0")
	if h.status(t, "good").Held != nil {
		t.Error("something is held back although all is well")
	}
}

func TestWhatIsHeldBackStaysSoAtTheNextStart(t *testing.T) {
	dir, copies, cache := dirWith(t, "good"), t.TempDir(), newMemoryCache()
	options := Options{Dirs: []string{dir}, CopyDir: copies, Store: cache, Workflows: workflows("good.echo", `{"text":"c"}`)}
	first := newTestHost(t, options)
	first.mustClose(t)
	setPlugin(t, dir, "good@2.0.0,without-echo")
	options.RunDir = ""
	second := newTestHost(t, options)
	if status := second.status(t, "good"); status.Version != "1.0.0" || status.Held == nil || status.Held.Reason != HeldBreaking {
		t.Errorf("the next start has %+v, held %+v", status, status.Held)
	}
	outcome, _ := second.call(t, "good.echo", "c")
	factsOf(t, outcome)
	if err := second.Reload(t.Context(), "good", true); err != nil {
		t.Fatal(err)
	}
	second.mustClose(t)
	third := newTestHost(t, options)
	if status := third.status(t, "good"); status.Version != "2.0.0" || status.Held != nil {
		t.Errorf("after force the next start has %+v, held %+v", status, status.Held)
	}
}

func TestADamagedCopyIsMadeAnewBeforeItIsStarted(t *testing.T) {
	dir, copies := dirWith(t, "good"), t.TempDir()
	h := newTestHost(t, Options{Dirs: []string{dir}, CopyDir: copies, Store: newMemoryCache()})
	found, err := filepath.Glob(filepath.Join(copies, "*", "plugin.yaml"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the copies are %v: %v", found, err)
	}
	write(t, found[0], "name: good\nversion: 6.6.6\ncommand: [\"false\"]\n", 0o600)
	outcome, _ := h.call(t, "good.echo", "c")
	factsOf(t, outcome)
	text, err := os.ReadFile(found[0])
	if err != nil || strings.Contains(string(text), "6.6.6") {
		t.Errorf("the copy is still the damaged one: %v", err)
	}
}

func TestABadVersionTurnsBackByItself(t *testing.T) {
	dir, told := dirWith(t, "good"), &changes{}
	l := quick
	l.firstBackOff = time.Millisecond
	h := newTestHostWith(t, Options{Dirs: []string{dir}, Watch: true, CopyDir: t.TempDir(), Store: newMemoryCache(), Changed: told.note}, l)
	setPlugin(t, dir, "good@2.0.0,crashing")
	h.awaitVersion(t, "good", "2.0.0")
	for range 3 {
		outcome, _ := h.call(t, "good.look", "kill")
		if outcome.Kind != pluginsdk.OutcomeUnknown {
			t.Fatalf("a crash gives %+v", outcome)
		}
	}
	held := h.awaitHeld(t, "good", HeldCrashed)
	if h.version("good") != "1.0.0" || held.Version != "2.0.0" || !strings.Contains(held.Message, "3 times") {
		t.Errorf("it turned back to %s, held is %+v", h.version("good"), held)
	}
	outcome, _ := h.call(t, "good.look", "")
	factsOf(t, outcome)
	// It is not tried again when the folder is looked at for something else.
	setPlugin(t, dir, "other")
	h.awaitVersion(t, "other", "1.0.0")
	if h.version("good") != "1.0.0" {
		t.Error("the bad version was taken up again")
	}
	var refused *HeldError
	if err := h.Reload(t.Context(), "good", false); !errors.As(err, &refused) || refused.Reason != HeldCrashed {
		t.Errorf("a reload gives %v", err)
	}
	// A better one is taken up without a word.
	setPlugin(t, dir, "good@2.0.1")
	h.awaitVersion(t, "good", "2.0.1")
}

func TestADisabledPluginIsKnownAndNotCalled(t *testing.T) {
	dir, cache := dirWith(t, "good"), newMemoryCache()
	h := newTestHost(t, Options{Dirs: []string{dir}, Store: cache})
	ended, r := make(chan pluginsdk.Outcome, 1), newRecorder()
	gate := filepath.Join(t.TempDir(), "go")
	go func() { ended <- h.Invoke(t.Context(), requestOf("good.gate", gate), r) }()
	pid := r.pid(t)
	for range 2 {
		if err := h.Disable(t.Context(), "good", "alice"); err != nil {
			t.Fatal(err)
		}
	}
	status := h.status(t, "good")
	if status.State != stateDisabled || status.DisabledBy != "alice" || status.DisabledAt.IsZero() || status.Draining != 1 {
		t.Errorf("the status is %+v", status)
	}
	if handler, found := h.Handler("good.look"); !found || !handler.IsDisabled {
		t.Errorf("the handler is %+v", handler)
	}
	outcome, _ := h.call(t, "good.look", "")
	if message := mustFail(t, outcome, pluginsdk.OutcomeNotRun, "PLUGIN_NOT_READY"); message != "plugin good is disabled" {
		t.Errorf("the message is %q", message)
	}
	if _, err := h.Bind("good.look"); err == nil || err.Error() != "plugin good is disabled" {
		t.Errorf("Bind gives %v", err)
	}
	write(t, gate, "", 0o644)
	factsOf(t, <-ended)
	eventually(t, "its process is gone", func() bool { return !alive(pid) })
	h.mustClose(t)
	again := newTestHost(t, Options{Dirs: []string{dir}, Store: cache})
	if state := again.status(t, "good").State; state != stateDisabled {
		t.Errorf("at the next start it is %s", state)
	}
	if err := again.Enable(t.Context(), "good"); err != nil {
		t.Fatal(err)
	}
	outcome, _ = again.call(t, "good.look", "")
	factsOf(t, outcome)
	if err := again.Enable(t.Context(), "none"); !errors.Is(err, ErrNoPlugin) {
		t.Errorf("a plugin that is not there gives %v", err)
	}
}

func TestAReloadWithoutChangeGivesAFreshProcess(t *testing.T) {
	h := newTestHost(t, Options{Dirs: []string{dirWith(t, "good")}, CopyDir: t.TempDir()})
	outcome, _ := h.call(t, "good.look", "")
	first := factsOf(t, outcome)
	if err := h.Reload(t.Context(), "good", false); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the old process is gone", func() bool { return !alive(first.PID) })
	outcome, _ = h.call(t, "good.look", "")
	if second := factsOf(t, outcome); second.PID == first.PID {
		t.Error("the process is the same")
	}
	if status := h.status(t, "good"); status.Calls != 2 || status.LastError != "" {
		t.Errorf("the status is %+v", status)
	}
}

func TestManyCallsOutliveManyReloads(t *testing.T) {
	dir := dirWith(t, "good")
	h := newTestHost(t, Options{Dirs: []string{dir}, Watch: true, CopyDir: t.TempDir()})
	stop, callers := make(chan struct{}), sync.WaitGroup{}
	for range 8 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if outcome := h.Invoke(t.Context(), requestOf("good.echo", "x"), newRecorder()); outcome.Kind != pluginsdk.OutcomeSuccess {
					t.Errorf("a call gives %+v %+v", outcome, outcome.Failure)
					return
				}
			}
		})
	}
	for n := 2; n <= 6; n++ {
		version := string(rune('0'+n)) + ".0.0"
		setPlugin(t, dir, "good@"+version)
		h.awaitVersion(t, "good", version)
	}
	close(stop)
	callers.Wait()
}
