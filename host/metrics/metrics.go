// Package metrics turns what the parts of a server count into metrics that
// Prometheus reads.
//
// It is told of what happens while it happens, by hooks and as an
// engine.Publisher, and asks for the rest only when somebody asks it: nothing
// is polled. It keeps a set of its own and none of the whole process, and
// decides nothing. Labels have few values: a route's pattern and never a path,
// a plugin and never a workflow or an execution.
package metrics

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	vm "github.com/VictoriaMetrics/metrics"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

// Metrics are those of one server. Its methods may be called from several
// goroutines at once, and none but Write blocks.
type Metrics struct {
	set     *vm.Set
	sources []Source

	routes    vector[routeKey, *routeSeries]
	limited   *vm.Counter
	ways      vector[string, *vm.Counter]
	signIns   vector[string, *vm.Counter]
	audited   vector[string, *vm.Counter]
	unaudited *vm.Counter

	started     vector[string, *vm.Counter]
	finished    vector[string, *vm.Counter]
	took        *vm.PrometheusHistogram
	recovered   *vm.Counter
	parked      *vm.Counter
	attempts    vector[string, *vm.Counter]
	steps       vector[string, *vm.Counter]
	items       vector[string, *vm.Counter]
	stepTook    *vm.PrometheusHistogram
	retries     *vm.Counter
	interrupted *vm.Counter
	waits       vector[string, *vm.Counter]
	undone      vector[string, *vm.Counter]
	logLines    *vm.Counter

	commits    *vm.PrometheusHistogram
	batches    *vm.PrometheusHistogram
	calls      vector[callKey, *vm.Counter]
	callTook   vector[string, *vm.PrometheusHistogram]
	firings    vector[firingKey, *vm.Counter]
	late       *vm.Counter
	firedAfter *vm.PrometheusHistogram

	scrapes  *vm.Counter
	failures *vm.Counter
}

// Source adds what is only looked at when somebody asks.
type Source func(ctx context.Context, now *Now) error

// New returns metrics that have counted nothing. version and commit are the
// program's.
func New(version, commit string, sources ...Source) *Metrics {
	// The library's one switch of the whole process: without it there are
	// neither types nor texts.
	vm.ExposeMetadata(true)
	set := vm.NewSet()
	m := &Metrics{set: set, sources: sources}
	counters := func(name, label string) vector[string, *vm.Counter] {
		return newVector(func(value string) *vm.Counter { return set.NewCounter(series(name, label, value)) })
	}
	m.routes = newVector(func(key routeKey) *routeSeries { return newRouteSeries(set, key) })
	m.limited = set.NewCounter("vwmp_http_rate_limited_total")
	m.ways = counters("vwmp_auth_requests_total", "way")
	m.signIns = counters("vwmp_auth_sign_ins_total", "result")
	m.audited = counters("vwmp_audit_records_total", "result")
	m.unaudited = set.NewCounter("vwmp_audit_failures_total")

	m.started = counters("vwmp_executions_started_total", "trigger")
	m.finished = counters("vwmp_executions_finished_total", "status")
	m.took = set.NewPrometheusHistogramExt("vwmp_execution_duration_seconds", longBounds)
	m.recovered = set.NewCounter("vwmp_executions_recovered_total")
	m.parked = set.NewCounter("vwmp_executions_parked_total")
	m.attempts = counters("vwmp_step_attempts_total", "plugin")
	m.steps = counters("vwmp_steps_finished_total", "status")
	m.items = counters("vwmp_step_items_finished_total", "status")
	m.stepTook = set.NewPrometheusHistogramExt("vwmp_step_duration_seconds", longBounds)
	m.retries = set.NewCounter("vwmp_step_retries_total")
	m.interrupted = set.NewCounter("vwmp_steps_interrupted_total")
	m.waits = counters("vwmp_step_waits_total", "reason")
	m.undone = counters("vwmp_steps_undone_total", "status")
	m.logLines = set.NewCounter("vwmp_step_log_lines_total")

	m.commits = set.NewPrometheusHistogramExt("vwmp_store_commit_duration_seconds", shortBounds)
	m.batches = set.NewPrometheusHistogramExt("vwmp_store_commit_commands", batchBounds)
	m.calls = newVector(func(key callKey) *vm.Counter {
		return set.NewCounter(series("vwmp_plugin_calls_total", "plugin", key.plugin, "outcome", string(key.outcome)))
	})
	m.callTook = newVector(func(plugin string) *vm.PrometheusHistogram {
		return set.NewPrometheusHistogramExt(series("vwmp_plugin_call_duration_seconds", "plugin", plugin), longBounds)
	})
	m.firings = newVector(func(key firingKey) *vm.Counter {
		return set.NewCounter(series("vwmp_trigger_firings_total", "type", key.kind, "outcome", key.outcome))
	})
	m.late = set.NewCounter("vwmp_trigger_late_total")
	m.firedAfter = set.NewPrometheusHistogramExt("vwmp_trigger_delay_seconds", longBounds)
	m.scrapes = set.NewCounter("vwmp_scrapes_total")
	m.failures = set.NewCounter("vwmp_scrape_failures_total")
	set.NewGauge(series("vwmp_build_info", "version", version, "commit", commit), nil).Set(1)
	m.foresee()
	return m
}

// foresee makes the series whose rise is watched for: one that begins with its
// first count has no rate before the second.
func (m *Metrics) foresee() {
	for _, status := range []plan.Status{plan.StatusSuccess, plan.StatusPartial, plan.StatusFailed, plan.StatusCancelled} {
		m.finished.of(string(status))
	}
	for _, status := range []plan.Status{plan.StatusSuccess, plan.StatusFailed, plan.StatusSkipped, plan.StatusCancelled} {
		m.steps.of(string(status))
	}
	for _, result := range []string{SignInDone, SignInFailed, SignInLimited} {
		m.signIns.of(result)
	}
}

// Bounds of histograms, in seconds: of what takes no longer than a disk, and
// of what a person waits for, or leaves alone for a night.
var (
	shortBounds = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5}
	httpBounds  = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30}
	longBounds  = []float64{.001, .005, .01, .05, .1, .5, 1, 5, 15, 60, 300, 1800, 7200, 43200}
	batchBounds = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000}
)

// Publish implements engine.Publisher: it counts what became of executions and
// their steps.
func (m *Metrics) Publish(event plan.Event) {
	switch event.Type {
	case plan.StepLog:
		m.logLines.Inc()
	case plan.StepStarted:
		plugin, _, _ := strings.Cut(event.Handler, ".")
		m.attempts.of(plugin).Inc()
	case plan.StepCompleted:
		m.steps.of(event.Status).Inc()
		if event.ExecutionTime != nil {
			m.stepTook.Update(*event.ExecutionTime)
		}
	case plan.StepItemCompleted:
		m.items.of(event.Status).Inc()
	case plan.StepRetrying:
		m.retries.Inc()
	case plan.StepWaiting:
		m.waits.of(event.Reason).Inc()
	case plan.StepInterrupted:
		m.interrupted.Inc()
	case plan.StepUndone:
		m.undone.of(event.Status).Inc()
	case plan.ExecutionStarted:
		m.started.of(event.Trigger).Inc()
	case plan.ExecutionParked:
		m.parked.Inc()
	case plan.WorkflowCompleted:
		m.finished.of(event.Status).Inc()
		if event.TotalTime != nil {
			m.took.Update(*event.TotalTime)
		}
	default:
	}
}

// Recovered counts executions that a start took up again.
func (m *Metrics) Recovered(count int) { m.recovered.Add(count) }

// Committed counts a transaction of the store and the commands in it.
func (m *Metrics) Committed(took time.Duration, commands int) {
	m.commits.Update(took.Seconds())
	m.batches.Update(float64(commands))
}

type callKey struct {
	plugin  string
	outcome pluginsdk.OutcomeKind
}

// Called counts a call of a plugin that ended. It counts on over the end of a
// process, a version and the plugin itself.
func (m *Metrics) Called(plugin string, outcome pluginsdk.OutcomeKind, took time.Duration) {
	m.calls.of(callKey{plugin, outcome}).Inc()
	m.callTook.of(plugin).Update(took.Seconds())
}

type firingKey struct{ kind, outcome string }

// lateAfter is how long after its time a schedule counts as late.
const lateAfter = time.Minute

// Fired counts what came of a trigger, or of several occasions of it. delay is
// how long after its time a schedule fired, below 0 where it had none.
func (m *Metrics) Fired(kind, outcome string, occasions int, delay time.Duration) {
	m.firings.of(firingKey{kind, outcome}).Add(max(1, occasions))
	if delay < 0 {
		return
	}
	m.firedAfter.Update(delay.Seconds())
	if delay > lateAfter {
		m.late.Inc()
	}
}

// Write writes all metrics as the text that Prometheus reads. What one source
// could not say is left out, and in the error; the text is whole nevertheless.
func (m *Metrics) Write(ctx context.Context, w io.Writer) error {
	m.scrapes.Inc()
	now := &Now{set: vm.NewSet()}
	var failures []error
	for _, source := range m.sources {
		if err := source(ctx, now); err != nil {
			failures = append(failures, err)
			m.failures.Inc()
		}
	}
	var text bytes.Buffer
	m.set.WritePrometheus(&text)
	now.set.WritePrometheus(&text)
	vm.WriteGoMetrics(&text)
	vm.WriteProcMetrics(&text)
	vm.WriteFDMetrics(&text)
	if err := withTexts(w, text.Bytes()); err != nil {
		failures = append(failures, fmt.Errorf("write the metrics: %w", err))
	}
	return errors.Join(failures...)
}

// Now is what a source says when it is asked.
type Now struct{ set *vm.Set }

// Gauge adds a value that rises and falls. labels are names and values in
// turn; no two of one name may have the same ones.
func (n *Now) Gauge(name string, value float64, labels ...string) {
	n.set.GetOrCreateGauge(series(name, labels...), nil).Set(value)
}

// Counter adds a value that only rises.
func (n *Now) Counter(name string, value float64, labels ...string) {
	n.set.GetOrCreateFloatCounter(series(name, labels...)).Set(value)
}

var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// series is the name of one series, labels and all.
func series(name string, labels ...string) string {
	if len(labels) == 0 {
		return name
	}
	var text strings.Builder
	text.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		text.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		text.WriteString(labels[i] + `="` + escaped.Replace(labels[i+1]) + `"`)
	}
	text.WriteByte('}')
	return text.String()
}

// vector are the series of one family by their labels. Reading takes no lock.
type vector[K comparable, S any] struct {
	*vectorState[K, S]
}

type vectorState[K comparable, S any] struct {
	known atomic.Pointer[map[K]S]
	mu    sync.Mutex
	make  func(K) S
}

func newVector[K comparable, S any](make func(K) S) vector[K, S] {
	v := vector[K, S]{&vectorState[K, S]{make: make}}
	v.known.Store(&map[K]S{})
	return v
}

// of returns the series of a label, and makes it for the first one who asks.
func (v vector[K, S]) of(key K) S {
	if found, there := (*v.known.Load())[key]; there {
		return found
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	before := *v.known.Load()
	if found, there := before[key]; there {
		return found
	}
	next := make(map[K]S, len(before)+1)
	for k, s := range before {
		next[k] = s
	}
	made := v.make(key)
	next[key] = made
	v.known.Store(&next)
	return made
}
