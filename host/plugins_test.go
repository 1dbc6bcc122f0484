package host_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vwmp/vwmp/host"
)

// shelf is a host.Plugins of one plugin that can be switched, one whose newer
// version is held back, and one that is refused.
type shelf struct {
	mu       sync.Mutex
	disabled string
	forced   bool
}

func withPlugins(s *shelf) setting { return func(o *host.Options) { o.Plugins = s } }

func (s *shelf) Plugins() []host.PluginStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	test := host.PluginStatus{
		Name: "test", Version: "1.2.3", State: "running", Path: "plugins/vwmp-plugin-test", PID: 7, MemoryBytes: 1 << 20, Calls: 3,
		Handlers: []string{"test.echo", "test.block", "test.fail"}, WorkflowTypes: []string{"testing"}, StartedAt: time.Unix(1e9, 0).UTC(),
		Latency: host.Latency{Mean: 0.5, P50: 0.25, P95: 2, Max: 3},
	}
	if s.disabled != "" {
		test.State, test.StateReason, test.DisabledBy, test.DisabledAt = "disabled", "disabled by "+s.disabled, s.disabled, time.Unix(1e9, 0).UTC()
	}
	old := host.PluginStatus{Name: "old", Version: "1.0.0", State: "stopped", Path: "plugins/vwmp-plugin-old"}
	if !s.forced {
		old.Held = &held
	}
	return []host.PluginStatus{test, old, {Name: "bad", State: "refused", StateReason: "it is not executable", Path: "plugins/vwmp-plugin-bad"}}
}

var held = host.HeldVersion{Version: "2.0.0", Reason: "breaking", Message: "stored workflows would not go together with it", Changes: []host.PluginChange{
	{WorkflowID: "w1", WorkflowName: "Release", StepID: "tag", Handler: "old.tag", Code: "unknown_handler", Message: "there is no handler old.tag"},
}}

func (s *shelf) Fence() host.PluginFence {
	return host.PluginFence{Files: true, HiddenReason: "there is no data folder"}
}

func (s *shelf) Plugin(name string) (host.PluginStatus, bool) {
	for _, p := range s.Plugins() {
		if p.Name == name {
			return p, true
		}
	}
	return host.PluginStatus{}, false
}

func (s *shelf) change(name string, do func()) error {
	switch p, found := s.Plugin(name); {
	case !found:
		return host.ErrNoPlugin
	case p.State == "refused":
		return &host.RefusedPluginError{Name: name, Reason: p.StateReason}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
	return nil
}

func (s *shelf) Enable(_ context.Context, name string) error {
	return s.change(name, func() { s.disabled = "" })
}

func (s *shelf) Disable(_ context.Context, name, by string) error {
	return s.change(name, func() {
		if s.disabled == "" {
			s.disabled = by
		}
	})
}

func (s *shelf) Reload(_ context.Context, name string, force bool) error {
	if p, found := s.Plugin(name); found && p.Held != nil && !force {
		return &host.HeldVersionError{Message: "version 2.0.0 of plugin old is held back: " + p.Held.Message, Held: *p.Held}
	}
	return s.change(name, func() { s.forced = force })
}

const pluginPaths = "/api/vwmp/plugins/"

func TestAPluginIsSwitchedOffAndOnAgain(t *testing.T) {
	w := newWorld(t, withPlugins(&shelf{}))
	for range 2 { // Twice is once.
		got := w.ask("POST", pluginPaths+"test/disable/", "").want(200).object()
		if got["state"] != "disabled" || got["disabled_by"] != "admin" || !strings.Contains(got["state_reason"].(string), "admin") {
			t.Errorf("disabled is %v", got)
		}
	}
	for range 2 {
		if got := w.ask("POST", pluginPaths+"test/enable", "").want(200).object(); got["state"] != "running" || got["disabled_by"] != nil {
			t.Errorf("enabled is %v", got)
		}
	}
	for _, action := range []string{"enable", "disable", "reload"} {
		w.ask("POST", pluginPaths+"none/"+action+"/", "").problem(404, "PLUGIN_NOT_FOUND")
		refused := w.ask("POST", pluginPaths+"bad/"+action+"/", "").problem(409, "CONFLICT")
		if !strings.Contains(refused["detail"].(string), "it is not executable") {
			t.Errorf("%s of a refused one says %v", action, refused["detail"])
		}
		w.ask("GET", pluginPaths+"test/"+action+"/", "").problem(405, "METHOD_NOT_ALLOWED")
	}
	w.ask("GET", pluginPaths+"none/usage/", "").problem(404, "PLUGIN_NOT_FOUND")
	w.ask("GET", pluginPaths+"%2e%2e/usage/", "").problem(404, "PLUGIN_NOT_FOUND")
}

func TestAVersionThatBreaksWorkflowsNeedsForce(t *testing.T) {
	w := newWorld(t, withPlugins(&shelf{}))
	got := w.ask("POST", pluginPaths+"old/reload/", `{}`).problem(409, "CONFLICT")
	list, _ := json.Marshal(got["errors"])
	if !strings.Contains(got["detail"].(string), "held back") || !strings.Contains(string(list), `"step_id":"tag"`) || !strings.Contains(string(list), "Release") {
		t.Errorf("the problem is %v %s", got, list)
	}
	w.ask("POST", pluginPaths+"old/reload/", `{"force":"yes"}`).problem(400, "VALIDATION_ERROR")
	w.ask("POST", pluginPaths+"old/reload/", `{"unknown":1}`).problem(400, "VALIDATION_ERROR")
	if got := w.ask("POST", pluginPaths+"old/reload/", `{"force":true}`).want(200).object(); got["held"] != nil {
		t.Errorf("after force it is %v", got)
	}
	w.ask("POST", pluginPaths+"old/reload/", "").want(200)
}

func TestTheUsageOfAPluginNamesWorkflowsAndSteps(t *testing.T) {
	w := newWorld(t, withPlugins(&shelf{}))
	hello := w.ask("POST", workflows, echoYAML, "Content-Type", "application/yaml").want(201).text("id")
	other := w.save("[{id: a, name: First, handler: test.block}, {id: b, handler: test.echo, dependencies: [a]}, {id: c, handler: test.echo}]")
	w.save("[{id: a, handler: flow.log, config: {message: x}}]")
	var usage struct {
		Handlers []struct {
			Path      string
			Workflows []struct {
				WorkflowID string `json:"workflow_id"`
				Revision   int
				Steps      []struct {
					StepID string `json:"step_id"`
				}
			}
		}
		WorkflowTypes []struct {
			Name      string
			Workflows []struct {
				WorkflowID string `json:"workflow_id"`
			}
		} `json:"workflow_types"`
	}
	body := w.ask("GET", pluginPaths+"test/usage/", "").want(200).body
	if err := json.Unmarshal(body, &usage); err != nil {
		t.Fatal(err)
	}
	steps := map[string]string{}
	for _, h := range usage.Handlers {
		for _, u := range h.Workflows {
			for _, step := range u.Steps {
				steps[h.Path+" "+u.WorkflowID] += step.StepID
			}
		}
	}
	if len(usage.Handlers) != 3 || len(steps) != 3 || steps["test.echo "+hello] != "say" || steps["test.echo "+other] != "bc" || steps["test.block "+other] != "a" {
		t.Errorf("the steps are %v: %s", steps, body)
	}
	if types := usage.WorkflowTypes; len(types) != 1 || len(types[0].Workflows) != 1 || types[0].Workflows[0].WorkflowID != hello {
		t.Errorf("the types are %s", body)
	}
}

func TestAChangeOfPluginsIsToldWithoutAnExecution(t *testing.T) {
	w := newWorld(t, withPlugins(&shelf{}))
	all := w.dial("/ws/vwmp/events")
	one := w.dial("/ws/vwmp/executions/" + w.begin("[{id: a, handler: test.block}]"))
	w.eventually("the sockets listen", func() bool { return w.hub.Readers() == 2 })
	w.server.PluginsChanged([]string{"test"}, true)
	w.server.PluginsChanged(nil, false)
	var told []map[string]any
	for len(told) < 2 {
		text := all.text()
		var event map[string]any
		if err := json.Unmarshal(text, &event); err != nil {
			t.Fatal(err)
		}
		if event["event"] != "plugins_changed" {
			continue
		}
		for _, absent := range []string{"seq", "execution_id", "workflow_id"} {
			if _, there := event[absent]; there {
				t.Errorf("it has %s: %s", absent, text)
			}
		}
		told = append(told, event)
	}
	if names, _ := told[0]["plugins"].([]any); len(names) != 1 || names[0] != "test" || told[0]["catalogue"] != true || told[0]["generation"] != 1.0 {
		t.Errorf("the first is %v", told[0])
	}
	if names, ok := told[1]["plugins"].([]any); !ok || len(names) != 0 || told[1]["catalogue"] != false || told[1]["timestamp"] == nil {
		t.Errorf("the second is %v", told[1])
	}
	w.release <- struct{}{}
	for _, event := range one.rest(1000) {
		if event.Event == "plugins_changed" {
			t.Error("the socket of an execution is told too")
		}
	}
}
