//go:build unix

package pluginhost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/pluginsdk"
)

func TestAStepRunsInAProcessThatIsStartedForItAndServesOn(t *testing.T) {
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "good")}})
	if state := h.status(t, "good").State; state != stateStopped {
		t.Errorf("before the first call the plugin is %s", state)
	}
	outcome, r := h.call(t, "good.look", "this")
	first := factsOf(t, outcome)
	if line := r.line(t); line != "looked at this" {
		t.Errorf("the log says %q", line)
	}
	if due := max(1, runtime.GOMAXPROCS(0)/2); first.Processors != due {
		t.Errorf("a process takes %d processors and not %d: half of them are for others", first.Processors, due)
	}
	outcome, _ = h.call(t, "good.look", "that")
	if second := factsOf(t, outcome); second.PID != first.PID {
		t.Errorf("the second call went to process %d, the first to %d", second.PID, first.PID)
	}
	status := h.status(t, "good")
	if status.State != stateRunning || status.PID != first.PID || status.Calls != 2 || status.StartedAt.IsZero() || status.Version != "1.0.0" {
		t.Errorf("the status is %+v", status)
	}
	binding, err := h.Bind("good.look")
	if err != nil || binding.Plugin != "good" || binding.Version != "1.0.0" || binding.Checksum != status.Checksum || len(binding.Checksum) != 64 {
		t.Errorf("the binding is %+v %v", binding, err)
	}
}

func TestTheCatalogueHasWhatThePluginsOfferAndTheBuiltIns(t *testing.T) {
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "good")}})
	for _, path := range []string{"good.look", "flow.approval"} {
		if _, found := h.Handler(path); !found {
			t.Errorf("%s is not there: %v", path, h.HandlerPaths())
		}
	}
	if kind, found := h.WorkflowType("good_type"); !found || kind.Name != "good_type" || h.PluginOfType("good_type") != "good" {
		t.Errorf("the workflow type is %+v of %q", kind, h.PluginOfType("good_type"))
	}
	if d, found := h.Description("good"); !found || len(d.Handlers) == 0 {
		t.Errorf("the description is %+v", d)
	}
	if _, found := h.Description("none"); found {
		t.Error("a plugin that is not there has a description")
	}
	if h.Generation() == 0 {
		t.Error("the catalogue has no generation")
	}
	if _, err := h.Bind("good.none"); err == nil {
		t.Error("a handler that is not there can be bound")
	}
	outcome, _ := h.call(t, "good.none", "")
	mustFail(t, outcome, pluginsdk.OutcomeFailure, "HANDLER_NOT_FOUND")
	if outcome.Failure.Class != pluginsdk.FailurePermanent {
		t.Errorf("a handler that is not there is %s", outcome.Failure.Class)
	}
}

func TestRulesAreAskedOnlyWhereThereAreSome(t *testing.T) {
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "good")}})
	if problems, err := h.ValidateConfig(t.Context(), "good.look", json.RawMessage(`{}`)); err != nil || problems != nil {
		t.Errorf("ValidateConfig gives %v %v", problems, err)
	}
	if _, err := h.Plan(t.Context(), requestOf("good.look", "")); !errors.Is(err, pluginsdk.ErrUnsupported) {
		t.Errorf("Plan gives %v", err)
	}
	if problems, err := h.ValidateWorkflow(t.Context(), "unknown", nil); err != nil || problems != nil {
		t.Errorf("ValidateWorkflow of an unknown type gives %v %v", problems, err)
	}
	if _, err := h.Reconcile(t.Context(), requestOf("good.look", ""), ""); !errors.Is(err, pluginsdk.ErrUnsupported) {
		t.Errorf("Reconcile gives %v", err)
	}
	if status := h.status(t, "good"); !status.StartedAt.IsZero() {
		t.Error("a process was started for nothing")
	}
	problems, err := h.ValidateWorkflow(t.Context(), "good_type", json.RawMessage(`{}`))
	if err != nil || len(problems) != 1 || problems[0].Code != "odd" {
		t.Errorf("ValidateWorkflow gives %v %v", problems, err)
	}
}

func TestACallThatComesBeforeThePluginsAreKnownWaitsForThem(t *testing.T) {
	h, err := New(t.Context(), Options{Dirs: []string{pluginDir(t, "good")}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(h.runDir); err == nil {
			t.Errorf("%s is left", h.runDir)
		}
	}()
	factsOf(t, h.Invoke(t.Context(), requestOf("good.look", ""), newRecorder()))
}

func TestAStartWithKnownPluginsLaunchesNoProcess(t *testing.T) {
	const many = 12
	modes := make([]string, many)
	for i := range modes {
		modes[i] = fmt.Sprintf("good%c", 'a'+i)
	}
	dir, cache := pluginDir(t, modes...), newMemoryCache()
	first := newTestHost(t, Options{Dirs: []string{dir}, Store: cache})
	if entries, err := os.ReadDir(first.workDir("")); err != nil || len(entries) != many {
		t.Errorf("the first start has launched %v %v", entries, err)
	}
	second := newTestHost(t, Options{Dirs: []string{dir}, Store: cache})
	if entries, err := os.ReadDir(second.workDir("")); err != nil || len(entries) != 0 {
		t.Errorf("the second start has launched %v %v", entries, err)
	}
	if len(second.HandlerPaths()) != len(first.HandlerPaths()) || second.status(t, "gooda").Version != "1.0.0" {
		t.Errorf("the second start knows %v", second.HandlerPaths())
	}
	outcome, _ := second.call(t, "gooda.look", "")
	factsOf(t, outcome)
}

func TestAPluginThatHasChangedSinceIsNotStarted(t *testing.T) {
	dir := pluginDir(t, "good")
	h := newTestHost(t, Options{Dirs: []string{dir}})
	write(t, filepath.Join(dir, "good", "more.txt"), "new", 0o644)
	outcome, _ := h.call(t, "good.look", "")
	if message := mustFail(t, outcome, pluginsdk.OutcomeFailure, "PLUGIN_UNAVAILABLE"); !strings.Contains(message, "has changed") {
		t.Errorf("the message is %q", message)
	}
}

func TestConcurrentFirstCallersShareOneStart(t *testing.T) {
	dir, cache := pluginDir(t, "good"), newMemoryCache()
	cache.pretend(t, dir, "good")
	h := newTestHost(t, Options{Dirs: []string{dir}, Store: cache})
	var calls sync.WaitGroup
	pids := make([]int, 20)
	for i := range pids {
		calls.Go(func() {
			var f facts
			outcome := h.Invoke(t.Context(), requestOf("good.look", ""), newRecorder())
			if err := json.Unmarshal(outcome.Output, &f); err != nil {
				t.Errorf("call %d: %+v: %v", i, outcome.Failure, err)
			}
			pids[i] = f.PID
		})
	}
	calls.Wait()
	for _, pid := range pids {
		if pid != pids[0] {
			t.Errorf("the calls went to %v", pids)
		}
	}
	eventually(t, "every call is counted, and over", func() bool {
		status := h.status(t, "good")
		return status.Restarts == 0 && status.Calls == len(pids) && status.Running == 0
	})
}

func TestCallsAreBoundedAndTheOthersWait(t *testing.T) {
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "good")}, MaxCalls: 2})
	var calls sync.WaitGroup
	for range 7 {
		calls.Go(func() {
			outcome := h.Invoke(t.Context(), requestOf("good.together", ""), newRecorder())
			var f facts
			if err := json.Unmarshal(outcome.Output, &f); err != nil || f.Most > 2 {
				t.Errorf("%d calls ran at once: %+v %v", f.Most, outcome.Failure, err)
			}
		})
	}
	calls.Wait()
}

func TestACallThatWaitsForASlotCanBeCancelled(t *testing.T) {
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "good")}, MaxCalls: 1})
	first, stopFirst := context.WithCancel(t.Context())
	defer stopFirst()
	r, ended := newRecorder(), make(chan pluginsdk.Outcome, 1)
	go func() { ended <- h.Invoke(first, requestOf("good.hang", ""), r) }()
	r.pid(t)
	tests := map[string]struct {
		cause error
		class pluginsdk.FailureClass
	}{
		"cancelled": {context.Canceled, pluginsdk.FailureCancelled}, "out of time": {context.DeadlineExceeded, pluginsdk.FailureTimeout},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			waiting, cancel := context.WithCancelCause(t.Context())
			go cancel(test.cause)
			outcome := h.Invoke(waiting, requestOf("good.look", ""), newRecorder())
			if outcome.Kind != pluginsdk.OutcomeFailure || outcome.Failure.Class != test.class {
				t.Errorf("got %+v %+v", outcome, outcome.Failure)
			}
		})
	}
	stopFirst()
	if outcome := <-ended; outcome.Kind != pluginsdk.OutcomeFailure || outcome.Failure.Class != pluginsdk.FailureCancelled {
		t.Errorf("the first call gives %+v", outcome.Failure)
	}
	if line := r.line(t); line != "cleaned up" {
		t.Errorf("the first call says %q", line)
	}
	outcome, _ := h.call(t, "good.look", "")
	factsOf(t, outcome)
}

func TestAnIdleProcessIsStoppedAndAnotherStartedWhenNeeded(t *testing.T) {
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "good")}, IdleTimeout: 20 * time.Millisecond})
	outcome, _ := h.call(t, "good.look", "")
	first := factsOf(t, outcome)
	eventually(t, "the idle process is stopped", func() bool { return h.status(t, "good").State == stateStopped })
	if alive(first.PID) {
		t.Error("the idle process lives")
	}
	outcome, _ = h.call(t, "good.look", "")
	if second := factsOf(t, outcome); second.PID == first.PID {
		t.Error("the second call went to a process that has ended")
	}
	if status := h.status(t, "good"); status.LastError != "" {
		t.Errorf("an idle stop is an error: %s", status.LastError)
	}
}

func TestClosingCancelsTheCallsThatRun(t *testing.T) {
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "good")}})
	r, ended := newRecorder(), make(chan pluginsdk.Outcome, 1)
	go func() { ended <- h.Invoke(t.Context(), requestOf("good.hang", ""), r) }()
	pid := r.pid(t)
	h.mustClose(t)
	if outcome := <-ended; outcome.Kind != pluginsdk.OutcomeFailure || outcome.Failure.Class != pluginsdk.FailureCancelled {
		t.Errorf("the call gives %+v", outcome.Failure)
	}
	if line := r.line(t); line != "cleaned up" {
		t.Errorf("the step says %q", line)
	}
	if alive(pid) {
		t.Error("the process lives")
	}
	outcome, _ := h.call(t, "good.look", "")
	mustFail(t, outcome, pluginsdk.OutcomeFailure, "PLUGIN_UNAVAILABLE")
}

// settings give an adapter configuration.
type settings struct {
	engine.Settings
	adapter string
}

func (s settings) Adapter(string) json.RawMessage { return json.RawMessage(s.adapter) }

func TestAnAdapterConfigurationThatIsNotTakenIsToldToTheCaller(t *testing.T) {
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "good")}, Settings: settings{adapter: `{`}})
	outcome, _ := h.call(t, "good.look", "")
	message := mustFail(t, outcome, pluginsdk.OutcomeFailure, "ADAPTER_INVALID")
	if outcome.Failure.Class != pluginsdk.FailureInvalidInput || !strings.Contains(message, "not JSON") {
		t.Errorf("got %+v", outcome.Failure)
	}
}

// TestCase89 holds what a plugin can see of its host.
func TestCase89APluginSeesNoMoreThanItShould(t *testing.T) {
	t.Setenv("VWMP_SECRET_KEY", "hush")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hush")
	t.Setenv("LC_ALL", "C.UTF-8")
	t.Setenv("https_proxy", "http://proxy")
	t.Setenv("BUILD_NUMBER", "7")
	open, err := os.Open(filepath.Join("testdata", "..", "host.go"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = open.Close() }()
	h := newTestHost(t, Options{Dirs: []string{pluginDir(t, "good")}, AllowCommands: true, EnvAllow: []string{"BUILD_*"}})
	outcome, _ := h.call(t, "good.look", "")
	f := factsOf(t, outcome)
	environment := strings.Join(f.Environment, "\n") + "\n"
	for _, due := range []string{"VWMP_ALLOW_COMMANDS=true\n", "LC_ALL=C.UTF-8\n", "https_proxy=http://proxy\n", "BUILD_NUMBER=7\n", "PATH="} {
		if !strings.Contains(environment, due) {
			t.Errorf("the environment lacks %q", due)
		}
	}
	if strings.Contains(environment, "hush") {
		t.Errorf("the environment has a secret:\n%s", environment)
	}
	if f.Stdin != "" {
		t.Errorf("standard input holds %q", f.Stdin)
	}
	if info, err := os.Stat(f.Dir); err != nil || f.Dir != h.workDir("good") || info.Mode().Perm() != 0o700 {
		t.Errorf("the working folder is %s: %v %v", f.Dir, info, err)
	}
	for _, file := range f.Files {
		if strings.HasSuffix(file, ".go") || strings.HasSuffix(file, ".db") {
			t.Errorf("the plugin holds %s open", file)
		}
	}
}
