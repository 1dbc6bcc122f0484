package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/fasthttp/websocket"
	"github.com/goccy/go-yaml"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/vwmp/vwmp/engine/plan"
)

// families are one scrape, by the names of its families.
type families map[string]*dto.MetricFamily

// scrape reads /metrics as a scraper does, and holds it against the grammar.
func (r *running) scrape(token string) families {
	r.t.Helper()
	status, text := r.page("/metrics", token)
	if status != http.StatusOK {
		r.t.Fatalf("/metrics: %d\n%s", status, text)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	found, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		r.t.Fatalf("the metrics can't be parsed: %v", err)
	}
	return found
}

// page asks for a path outside of the API.
func (r *running) page(path, token string) (status int, text string) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// value sums the series of a family whose labels are as wanted, names and
// values in turn; a histogram's is its count. It is NaN where there is none.
func (f families) value(name string, labels ...string) float64 {
	sum := math.NaN()
	family := f[name]
	if family == nil {
		return sum
	}
	for _, m := range family.GetMetric() {
		fits := true
		for i := 0; i < len(labels); i += 2 {
			fits = fits && slices.ContainsFunc(m.GetLabel(), func(l *dto.LabelPair) bool { return l.GetName() == labels[i] && l.GetValue() == labels[i+1] })
		}
		if !fits {
			continue
		}
		if math.IsNaN(sum) {
			sum = 0
		}
		sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
	}
	return sum
}

func (f families) want(t *testing.T, want float64, name string, labels ...string) {
	t.Helper()
	if got := f.value(name, labels...); got != want {
		t.Errorf("%s%v is %v, want %v", name, labels, got, want)
	}
}

const observedYAML = `name: Observed
triggers:
  - {type: schedule, id: yearly, cron: "0 4 1 1 *"}
  - {type: webhook, id: hook}
steps:
  - {id: flaky, handler: lab.flaky, config: {succeed_at: 2}, retry: {max_attempts: 2, initial_interval: 1ms}}
  - {id: each, handler: lab.echo, for_each: [1, 2, 3], config: {value: "${item}"}}
  - {id: dies, handler: lab.die_pure, config: {path: died.txt}, dependencies: [flaky, each]}
  - {id: waits, handler: flow.wait, config: {duration: 1ms}, dependencies: [dies]}
`

// observed is a server on which something of everything has happened: a
// retry, items, a plugin that died, a failed sign-in, an open socket, a
// trigger that fired.
func observed(t *testing.T) (r *running, viewer string) {
	t.Helper()
	r = startRunning(t, t.TempDir(), t.TempDir(), "--plugins", labDir)
	var token struct {
		Token string `json:"token"`
	}
	r.call(http.MethodPost, "/auth/tokens/", "application/json", `{"name": "scraper", "role": "viewer"}`, http.StatusCreated, &token)
	r.importText("observed", observedYAML)
	var result struct {
		Status string `json:"status"`
	}
	r.call(http.MethodPost, "/workflows/observed/execute/?async=false", "", "", http.StatusOK, &result)
	if result.Status != string(plan.StatusSuccess) {
		t.Fatalf("the run ended as %s", result.Status)
	}
	r.call(http.MethodPost, "/triggers/observed.hook/fire/", "", "", http.StatusAccepted, nil)
	if status, _ := r.page("/api/vwmp/workflows/", "wrong"); status != http.StatusUnauthorized {
		t.Fatalf("a wrong token got %d", status)
	}
	socket, _, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(r.url, "http")+"/ws/vwmp/events", http.Header{"Authorization": {"Bearer " + r.token}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	return r, token.Token
}

func TestMetricsTellWhatHappened(t *testing.T) {
	t.Parallel()
	r, viewer := observed(t)
	if status, _ := r.page("/metrics", ""); status != http.StatusUnauthorized {
		t.Errorf("whoever has no token gets %d, want 401", status)
	}
	r.await("both runs have ended", func() bool {
		return r.scrape(viewer).value("vwmp_executions_finished_total", "status", "success") == 2
	})
	f := r.scrape(viewer)
	f.want(t, 1, "vwmp_executions_started_total", "trigger", "api")
	f.want(t, 1, "vwmp_executions_started_total", "trigger", "webhook")
	f.want(t, 2, "vwmp_execution_duration_seconds")
	f.want(t, 0, "vwmp_executions_active")
	f.want(t, 8, "vwmp_steps_finished_total", "status", "success")
	f.want(t, 6, "vwmp_step_items_finished_total", "status", "success")
	f.want(t, 2, "vwmp_step_retries_total")
	f.want(t, 2, "vwmp_step_waits_total", "reason", "time")
	f.want(t, 1, "vwmp_trigger_firings_total", "type", "webhook", "outcome", "fired")
	f.want(t, 1, "vwmp_triggers_active", "type", "schedule")
	f.want(t, 1, "vwmp_auth_sign_ins_total", "result", "failure")
	f.want(t, 1, "vwmp_http_live_connections", "kind", "socket")
	f.want(t, 1, "vwmp_http_requests_total", "route", "/api/vwmp/workflows/{id}/execute/", "method", "POST", "status", "2xx")
	f.want(t, 1, "vwmp_http_requests_in_flight")
	f.want(t, 1, "vwmp_store_workflows")
	f.want(t, 0, "vwmp_store_full")
	f.want(t, f.value("vwmp_store_commit_duration_seconds"), "vwmp_store_commits_total")
	for _, name := range []string{"vwmp_audit_records_total", "vwmp_store_file_bytes", "vwmp_store_disk_free_bytes", "process_resident_memory_bytes", "process_cpu_seconds_total", "go_goroutines"} {
		if got := f.value(name); !(got > 0) {
			t.Errorf("%s is %v", name, got)
		}
	}
	// The process of the plugin died in the first run: what it had counted
	// stays, and the next one counts on.
	f.want(t, 1, "vwmp_plugin_calls_total", "plugin", "lab", "outcome", "unknown")
	f.want(t, 1, "vwmp_plugin_state", "plugin", "lab", "state", "running")
	f.want(t, f.value("vwmp_plugin_calls_total", "plugin", "lab"), "vwmp_plugin_call_duration_seconds", "plugin", "lab")
	status := r.plugin("lab")
	if status.Restarts == 0 {
		t.Error("the plugin was not started again")
	}
	f.want(t, float64(status.Restarts), "vwmp_plugin_restarts_total", "plugin", "lab")
	if status.PID == 0 || status.MemoryBytes == 0 || status.CPUSeconds == 0 || status.Latency.Max == 0 || status.StartedAt.IsZero() {
		t.Errorf("the list of plugins lacks figures of one that runs: %+v", status)
	}
	r.call(http.MethodPost, "/plugins/lab/disable/", "", "", http.StatusOK, nil)
	r.await("its process is gone", func() bool { return errors.Is(syscall.Kill(status.PID, 0), syscall.ESRCH) })
	var after families
	r.await("its memory is nobody's", func() bool {
		after = r.scrape(viewer)
		return after.value("vwmp_plugin_memory_bytes", "plugin", "lab") == 0
	})
	for _, name := range []string{"vwmp_plugin_calls_total", "vwmp_plugin_restarts_total", "vwmp_plugin_cpu_seconds_total", "vwmp_plugin_call_duration_seconds"} {
		if before, now := f.value(name, "plugin", "lab"), after.value(name, "plugin", "lab"); !(now >= before) || before == 0 {
			t.Errorf("%s went from %v to %v when the process ended", name, before, now)
		}
	}
	after.want(t, 1, "vwmp_plugin_state", "plugin", "lab", "state", "disabled")
}

// anyID is what no label may hold: its values would have no end.
var anyID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-`)

func TestMetricsKeepTheRulesOfNames(t *testing.T) {
	t.Parallel()
	r, viewer := observed(t)
	for name, family := range r.scrape(viewer) {
		if !strings.HasPrefix(name, "vwmp_") {
			continue
		}
		if family.GetHelp() == "" {
			t.Errorf("nothing says what %s means", name)
		}
		counts := family.GetType() == dto.MetricType_COUNTER
		if strings.HasSuffix(name, "_total") != counts {
			t.Errorf("%s is a %s", name, family.GetType())
		}
		if family.GetType() == dto.MetricType_UNTYPED {
			t.Errorf("%s has no type", name)
		}
		if len(family.GetMetric()) > 600 {
			t.Errorf("%s has %d series", name, len(family.GetMetric()))
		}
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if anyID.MatchString(label.GetValue()) || label.GetValue() == "observed" {
					t.Errorf("%s has a series of %s=%q", name, label.GetName(), label.GetValue())
				}
			}
		}
	}
}

// expressions are the PromQL of the dashboard and of the alert rules, by where
// they stand.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations", "grafana-dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Annotations struct{ List []struct{ Expr string } }
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatalf("the dashboard: %v", err)
	}
	for _, panel := range dashboard.Panels {
		for i, target := range panel.Targets {
			found[fmt.Sprintf("panel %s, %d", panel.Title, i)] = target.Expr
		}
	}
	for _, annotation := range dashboard.Annotations.List {
		found["annotation"] = annotation.Expr
	}
	text, err = os.ReadFile(filepath.Join("..", "..", "docs", "operations", "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var alerts struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.UnmarshalWithOptions(text, &alerts, yaml.Strict()); err != nil {
		t.Fatalf("the alert rules: %v", err)
	}
	for _, group := range alerts.Groups {
		for _, rule := range group.Rules {
			if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" || rule.Labels["severity"] == "" {
				t.Errorf("%s says too little", rule.Alert)
			}
			found["alert "+rule.Alert] = rule.Expr
		}
	}
	return found
}

var (
	named    = regexp.MustCompile(`\b(?:vwmp|process|go)_[a-z0-9_]+\b(?:\{([^}]*)\})?`)
	selector = regexp.MustCompile(`([a-z_]+)(?:=~|!~|!=|=)"([^"]*)"`)
	grouped  = regexp.MustCompile(`by \(([^)]*)\)`)
)

// whatScrapersAdd are labels that no server gives its own series.
var whatScrapersAdd = []string{"instance", "job"}

func TestDashboardAndAlertsAskForWhatThereIs(t *testing.T) {
	t.Parallel()
	r, viewer := observed(t)
	f := r.scrape(viewer)
	asked := expressions(t)
	if len(asked) < 60 {
		t.Fatalf("only %d expressions were found", len(asked))
	}
	for where, text := range asked {
		if strings.Count(text, "(") != strings.Count(text, ")") || strings.Count(text, "{") != strings.Count(text, "}") {
			t.Errorf("%s: brackets do not match in %s", where, text)
		}
		labels := append([]string{"le"}, whatScrapersAdd...)
		for _, match := range named.FindAllStringSubmatch(text, -1) {
			name, _, _ := strings.Cut(match[0], "{")
			family := f[name]
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				if base, cut := strings.CutSuffix(name, suffix); cut && family == nil {
					family = f[base]
				}
			}
			if family == nil {
				t.Errorf("%s asks for %s, which is in no scrape", where, name)
				continue
			}
			var has []string
			for _, label := range family.GetMetric()[0].GetLabel() {
				has = append(has, label.GetName())
			}
			labels = append(labels, has...)
			for _, by := range selector.FindAllStringSubmatch(match[1], -1) {
				if !slices.Contains(has, by[1]) && !slices.Contains(whatScrapersAdd, by[1]) {
					t.Errorf("%s selects by %s, which %s has not", where, by[1], name)
				}
			}
		}
		for _, by := range grouped.FindAllStringSubmatch(text, -1) {
			for label := range strings.SplitSeq(by[1], ",") {
				if label = strings.TrimSpace(label); !slices.Contains(labels, label) {
					t.Errorf("%s groups by %s, which no series has", where, label)
				}
			}
		}
	}
}

func TestProfilesAreForAdministrators(t *testing.T) {
	t.Parallel()
	r := startRunning(t, t.TempDir(), t.TempDir())
	var token struct {
		Token string `json:"token"`
	}
	r.call(http.MethodPost, "/auth/tokens/", "application/json", `{"name": "editor", "role": "editor"}`, http.StatusCreated, &token)
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/profile?seconds=1", "/debug/pprof/trace?seconds=1"} {
		for given, want := range map[string]int{"": http.StatusUnauthorized, token.Token: http.StatusForbidden, r.token: http.StatusOK} {
			if status, text := r.page(path, given); status != want || (want == http.StatusOK && text == "") {
				t.Errorf("%s: %d, want %d", path, status, want)
			}
		}
	}
	for path, want := range map[string]int{
		"/debug/pprof/nothing": http.StatusNotFound, "/debug/pprof/heap?debug=9": http.StatusBadRequest,
		"/debug/pprof/profile?seconds=61": http.StatusBadRequest, "/debug/pprof/trace?seconds=6": http.StatusBadRequest, "/debug/pprof/profile?seconds=-1": http.StatusBadRequest,
	} {
		if status, _ := r.page(path, r.token); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}
