package main

import (
	"context"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/trigger"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/host/metrics"
	"github.com/vwmp/vwmp/host/pluginhost"
)

// newMetrics returns the metrics of a server whose parts may still be missing:
// nobody can ask before they are all there.
func newMetrics(v *server) *metrics.Metrics {
	version := currentVersion()
	return metrics.New(version.Version, version.Commit, v.edgeMetrics, v.engineMetrics, v.storeMetrics, v.pluginMetrics, v.triggerMetrics)
}

func (v *server) edgeMetrics(_ context.Context, now *metrics.Now) error {
	edge := v.edge.Figures()
	now.Gauge("vwmp_http_requests_in_flight", float64(edge.InFlight))
	now.Gauge("vwmp_http_connections_open", float64(edge.Connections))
	now.Gauge("vwmp_http_live_connections", float64(edge.Sockets), "kind", "socket")
	now.Gauge("vwmp_http_live_connections", float64(edge.EventStreams), "kind", "event_stream")
	now.Gauge("vwmp_live_readers", float64(v.hub.Readers()))
	now.Counter("vwmp_live_readers_dropped_total", float64(v.hub.Dropped()))
	return nil
}

func (v *server) engineMetrics(_ context.Context, now *metrics.Now) error {
	engine := v.parts.engine.Figures()
	now.Gauge("vwmp_engine_calls_in_flight", float64(engine.Calls))
	for _, status := range []plan.Status{plan.StatusPending, plan.StatusQueued, plan.StatusRunning, plan.StatusWaiting, plan.StatusPaused} {
		now.Gauge("vwmp_executions_active", float64(engine.Executions[status]), "status", string(status))
	}
	return nil
}

func (v *server) storeMetrics(ctx context.Context, now *metrics.Now) error {
	kept, err := v.keeper.Figures(ctx)
	if err != nil {
		return err
	}
	full := 0.0
	if kept.Full {
		full = 1
	}
	now.Counter("vwmp_store_commits_total", float64(kept.Commits))
	now.Counter("vwmp_store_slow_reads_total", float64(kept.SlowReads))
	for name, value := range map[string]float64{
		"vwmp_store_waiting_commands": float64(kept.Waiting),
		"vwmp_store_file_bytes":       float64(kept.FileSize),
		"vwmp_store_free_bytes":       float64(kept.FreePages * kept.PageSize),
		"vwmp_store_history_files":    float64(kept.HistoryFiles),
		"vwmp_store_history_bytes":    float64(kept.HistorySize),
		"vwmp_store_disk_free_bytes":  float64(kept.DiskFree),
		"vwmp_store_full":             full,
		"vwmp_store_workflows":        float64(kept.Workflows),
		"vwmp_store_executions":       float64(kept.Executions),
		"vwmp_store_open_reads":       float64(kept.OpenReads),
		"vwmp_store_stuck_reads":      float64(kept.StuckReads),

		"vwmp_store_oldest_stuck_read_seconds": kept.OldestRead.Seconds(),
	} {
		now.Gauge(name, value)
	}
	return nil
}

func (v *server) pluginMetrics(_ context.Context, now *metrics.Now) error {
	states := map[string]int{}
	for _, state := range pluginhost.States() {
		states[state] = 0
	}
	list := v.parts.plugins.Plugins()
	for i := range list {
		p := &list[i]
		states[p.State]++
		if p.State == pluginhost.StateRefused {
			continue // A file, which may have the name of a plugin that is used.
		}
		now.Gauge("vwmp_plugin_info", 1, "plugin", p.Name, "version", p.Version)
		for _, state := range pluginhost.States() {
			if state != pluginhost.StateRefused {
				now.Gauge("vwmp_plugin_state", map[bool]float64{true: 1}[state == p.State], "plugin", p.Name, "state", state)
			}
		}
		now.Gauge("vwmp_plugin_calls_in_flight", float64(p.Running+p.Draining), "plugin", p.Name)
		now.Gauge("vwmp_plugin_calls_waiting", float64(p.Waiting), "plugin", p.Name)
		now.Gauge("vwmp_plugin_memory_bytes", float64(p.Memory), "plugin", p.Name)
		now.Counter("vwmp_plugin_restarts_total", float64(p.Restarts), "plugin", p.Name)
		now.Counter("vwmp_plugin_cpu_seconds_total", p.CPU.Seconds(), "plugin", p.Name)
	}
	for state, count := range states {
		now.Gauge("vwmp_plugins", float64(count), "state", state)
	}
	return nil
}

func (v *server) triggerMetrics(_ context.Context, now *metrics.Now) error {
	triggers := v.triggers.Figures()
	for _, kind := range []workflow.TriggerType{workflow.TriggerSchedule, workflow.TriggerWebhook, workflow.TriggerWorkflow, workflow.TriggerFile} {
		now.Gauge("vwmp_triggers_active", float64(triggers.Active[kind]), "type", string(kind))
	}
	now.Gauge("vwmp_triggers_paused", float64(triggers.Paused))
	if !triggers.NextDue.IsZero() {
		now.Gauge("vwmp_trigger_next_due_timestamp_seconds", float64(triggers.NextDue.Unix()))
	}
	return nil
}

// noteFirings counts what came of the triggers.
func noteFirings(counts *metrics.Metrics) func(workflow.TriggerType, trigger.Firing) {
	return func(kind workflow.TriggerType, f trigger.Firing) {
		delay := time.Duration(-1)
		if f.Outcome == trigger.Fired && !f.Due.IsZero() {
			delay = max(0, f.At.Sub(f.Due))
		}
		counts.Fired(string(kind), string(f.Outcome), f.Count, delay)
	}
}
