package metrics

import (
	"bytes"
	"io"
)

// withTexts writes an exposition with what each family means, which the
// library leaves empty.
func withTexts(w io.Writer, exposition []byte) error {
	var text bytes.Buffer
	text.Grow(len(exposition) + len(exposition)/8)
	for line := range bytes.Lines(exposition) {
		name, found := bytes.CutPrefix(line, []byte("# HELP "))
		if help := texts[string(bytes.TrimSpace(name))]; found && help != "" {
			line = []byte("# HELP " + string(bytes.TrimSpace(name)) + " " + help + "\n")
		}
		text.Write(line)
	}
	_, err := w.Write(text.Bytes())
	return err
}

// texts says what each of our families means.
var texts = map[string]string{
	"vwmp_build_info": "The program that runs; always 1.",

	"vwmp_http_requests_total":           "Answered requests by route, method and class of status.",
	"vwmp_http_request_duration_seconds": "How long requests took up to their answer, by route and method; a socket or stream up to its beginning.",
	"vwmp_http_requests_in_flight":       "Requests that are being answered.",
	"vwmp_http_connections_open":         "Connections that are open.",
	"vwmp_http_rate_limited_total":       "Requests that were refused with 429.",
	"vwmp_http_live_connections":         "WebSockets and event streams that are open.",

	"vwmp_auth_requests_total":  "Requests by how their sender was let in.",
	"vwmp_auth_sign_ins_total":  "Sign-ins, wrong bearer tokens included, by how they ended.",
	"vwmp_audit_records_total":  "Records of the audit trail by the result that they tell.",
	"vwmp_audit_failures_total": "Records that the audit trail lacks because they could not be written.",

	"vwmp_executions_started_total":   "Executions that began, by their trigger.",
	"vwmp_executions_finished_total":  "Executions that ended, by their status.",
	"vwmp_execution_duration_seconds": "How long executions took, from their start to their end.",
	"vwmp_executions_active":          "Executions that have not ended, by their status.",
	"vwmp_executions_recovered_total": "Executions that a start took up again because an earlier server had not ended them.",
	"vwmp_executions_parked_total":    "How often an execution was parked until a person resumes it.",
	"vwmp_step_attempts_total":        "Attempts at steps that were started, items of a for_each included, by plugin.",
	"vwmp_steps_finished_total":       "Steps that ended, by their status.",
	"vwmp_step_items_finished_total":  "Items of steps with for_each that ended, by their status.",
	"vwmp_step_duration_seconds":      "How long steps took, from their first attempt to their end.",
	"vwmp_step_retries_total":         "Attempts that failed and are tried again.",
	"vwmp_steps_interrupted_total":    "Steps whose outcome is unknown and which wait for a person.",
	"vwmp_step_waits_total":           "How often a step began to wait, by what for.",
	"vwmp_steps_undone_total":         "Steps that were taken back, or could not be, by the status of that.",
	"vwmp_step_log_lines_total":       "Lines that steps logged.",
	"vwmp_engine_calls_in_flight":     "Attempts and undos under way.",

	"vwmp_store_commit_duration_seconds":   "How long transactions took, the sync included.",
	"vwmp_store_commit_commands":           "How many commands a transaction held.",
	"vwmp_store_commits_total":             "Transactions since the store was opened.",
	"vwmp_store_waiting_commands":          "Commands that wait for the writer.",
	"vwmp_store_file_bytes":                "Size of the main file.",
	"vwmp_store_free_bytes":                "Room in the main file that holds nothing.",
	"vwmp_store_history_files":             "Files of ended executions, one a month.",
	"vwmp_store_history_bytes":             "Size of those files together.",
	"vwmp_store_disk_free_bytes":           "Room on the disk of the data folder.",
	"vwmp_store_full":                      "1 while commits wait for room on the disk.",
	"vwmp_store_workflows":                 "Workflows that are kept.",
	"vwmp_store_executions":                "Executions that are kept.",
	"vwmp_store_open_reads":                "Transactions that read at the moment.",
	"vwmp_store_slow_reads_total":          "Reads that took longer than 100 ms.",
	"vwmp_store_stuck_reads":               "Reads that have been open for more than 10 s; until they end, the file grows.",
	"vwmp_store_oldest_stuck_read_seconds": "How long the oldest of those has been open; 0 where there is none.",

	"vwmp_plugins":                      "Plugins that were found, by their state.",
	"vwmp_plugin_info":                  "The version of a plugin that takes the calls; always 1.",
	"vwmp_plugin_state":                 "1 for the state that a plugin is in, 0 for the others.",
	"vwmp_plugin_calls_total":           "Calls of a plugin that ended, by their outcome.",
	"vwmp_plugin_call_duration_seconds": "How long calls of a plugin took.",
	"vwmp_plugin_calls_in_flight":       "Calls under way, on earlier versions too.",
	"vwmp_plugin_calls_waiting":         "Calls that wait for a process of the plugin.",
	"vwmp_plugin_restarts_total":        "Starts of a plugin's process after the first, over all versions.",
	"vwmp_plugin_memory_bytes":          "Resident memory of a plugin's running processes.",
	"vwmp_plugin_cpu_seconds_total":     "Processor time of all processes that a plugin had.",

	"vwmp_triggers_active":                    "Triggers that may fire by themselves, by type.",
	"vwmp_triggers_paused":                    "Triggers that somebody paused.",
	"vwmp_trigger_firings_total":              "Occasions by type, and whether they fired, were missed or were refused.",
	"vwmp_trigger_late_total":                 "Schedules that fired more than a minute after their time.",
	"vwmp_trigger_delay_seconds":              "How long after their time schedules fired.",
	"vwmp_trigger_next_due_timestamp_seconds": "When the next schedule is due.",

	"vwmp_live_readers":               "Subscriptions to events.",
	"vwmp_live_readers_dropped_total": "Subscriptions that ended because their reader was too slow.",

	"vwmp_scrapes_total":         "How often these metrics were asked for.",
	"vwmp_scrape_failures_total": "How often a part of the server could not say its metrics.",
}
