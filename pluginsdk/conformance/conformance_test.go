//go:build unix

package conformance_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/pluginsdk/conformance"
	"github.com/vwmp/vwmp/pluginsdk/plugintest"
)

// TestMain makes the test binary the plugin, good or bad.
func TestMain(m *testing.M) {
	if mode, isPlugin := strings.CutPrefix(slices.Concat(os.Args, []string{""})[1], asFlag); isPlugin {
		servePlugin(mode)
		return
	}
	os.Exit(m.Run())
}

const asFlag = "-as="

// cases give the demo plugin's handlers what they need.
var cases = []conformance.Case{
	{Handler: "demo.write", Config: json.RawMessage(`{"path": "a/b.txt", "text": "hello"}`), Expect: "success", Output: json.RawMessage(`{"path": "a/b.txt", "bytes": 5}`)},
	{Handler: "demo.write", Name: "over another", Config: json.RawMessage(`{"path": "a.txt", "text": "hello"}`), Files: map[string]string{"a.txt": "before"}, Expect: "success"},
	{Handler: "demo.read", Config: json.RawMessage(`{"path": "a.txt"}`), Files: map[string]string{"a.txt": "text"}, Expect: "success", Output: json.RawMessage(`{"text": "text"}`)},
	{Handler: "demo.read", Name: "not there", Config: json.RawMessage(`{"path": "b.txt"}`), Expect: "failure", Code: "STEP_FAILED"},
	{Handler: "demo.wait", Config: json.RawMessage(`{"seconds": 0.3}`), Expect: "success"},
}

func judge(t *testing.T, mode string, checks ...string) *conformance.Report {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	report, err := conformance.Run(t.Context(), conformance.Options{
		Command: []string{self, asFlag + mode}, Cases: cases, Compile: plugintest.Compile, Network: true, Checks: checks,
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func textOf(t *testing.T, report *conformance.Report) string {
	t.Helper()
	var text strings.Builder
	if err := report.WriteText(&text, true); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestAGoodPluginPassesEveryCheck(t *testing.T) {
	t.Parallel()
	report := judge(t, "good")
	if !report.OK() || report.Warned > 0 || report.Passed < 50 {
		t.Error(textOf(t, report))
	}
	for _, check := range report.Checks {
		if check.Status == conformance.Skipped && check.ID == "execute.runs" {
			t.Errorf("%s was not run: %v", check.Subject, check.Notes)
		}
	}
}

// TestEveryMistakeIsFound: each mode is one mistake of an author, which one
// check is for.
func TestEveryMistakeIsFound(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]struct {
		check, says string
		warns       bool
	}{
		"prints-first":         {check: "start.handshake", says: "hello from a plugin"},
		"ends-at-once":         {check: "start.handshake", says: "no module named grpc"},
		"other-folder":         {check: "start.handshake", says: "PLUGIN_UNIX_SOCKET_DIR"},
		"no-cookie":            {check: "start.by_hand", says: "serves all the same"},
		"any-protocol":         {check: "start.other_protocol", says: "protocol 99"},
		"no-health":            {check: "start.health", says: "status NotFound"},
		"changing":             {check: "describe.answers", says: "differ"},
		"bad-names":            {check: "describe.sound", says: "lower-case"},
		"bad-schema":           {check: "describe.sound", says: "not valid"},
		"schema-ref":           {check: "describe.sound", says: "$ref"},
		"bad-example":          {check: "describe.sound", says: "example is not accepted"},
		"twice":                {check: "describe.sound", says: "declared twice"},
		"long-tag":             {check: "describe.sound", says: "at most 20 tags, each of 1 to 40 characters"},
		"no-class":             {check: "describe.sound", says: "no effect class", warns: true},
		"no-start":             {check: "execute.runs", says: "must be started"},
		"no-end":               {check: "execute.runs", says: "without result, skipped or failure"},
		"two-ends":             {check: "execute.runs", says: "went on after its end"},
		"log-after-end":        {check: "execute.runs", says: "went on after its end"},
		"throws":               {check: "execute.runs", says: "status Unknown"},
		"crashes":              {check: "execute.runs", says: "its process ended"},
		"output-no-json":       {check: "execute.runs", says: "not JSON"},
		"output-off-schema":    {check: "execute.runs", says: "does not match the output schema"},
		"no-output":            {check: "execute.runs", says: "there is no output"},
		"bad-progress":         {check: "execute.runs", says: "from 0 to 100"},
		"bad-level":            {check: "execute.runs", says: `level "WARN"`},
		"big-checkpoint":       {check: "execute.runs", says: "64 KiB"},
		"bad-artifact":         {check: "execute.runs", says: "SHA-256"},
		"undo-not-declared":    {check: "execute.runs", says: "capability undo"},
		"empty-failure":        {check: "execute.runs", says: "no message"},
		"pure-writes":          {check: "execute.runs", says: "calls itself pure"},
		"leaves-child":         {check: "execute.runs", says: "left processes"},
		"plan-writes":          {check: "plan.changes_nothing", says: "Plan changes the workspace"},
		"plan-word":            {check: "plan.changes_nothing", says: `action "write"`},
		"undo-forgets":         {check: "undo.undoes", says: "not as it was"},
		"undo-once":            {check: "undo.undoes", says: "a second Undo"},
		"reconcile-forgets":    {check: "reconcile.answers", says: "not_started of what is done"},
		"reconcile-lies":       {check: "reconcile.answers", says: "done of what never began"},
		"appends":              {check: "execute.again", says: "a second attempt changes"},
		"ignores-cancel":       {check: "cancel.ends", says: "did not end"},
		"cancel-is-permanent":  {check: "cancel.ends", says: "must as FAILURE_CLASS_CANCELLED"},
		"cancel-hangs":         {check: "cancel.ends", says: "Cancel was not answered"},
		"ignores-close":        {check: "cancel.closed", says: "still runs"},
		"ignores-deadline":     {check: "cancel.deadline", says: "after its deadline", warns: true},
		"declares-plan":        {check: "plan.changes_nothing", says: "Unimplemented"},
		"validate-throws":      {check: "validate.answers", says: "status Unknown"},
		"validate-own":         {check: "validate.answers", says: "its own example wrong"},
		"takes-any-type":       {check: "config.refused", says: "it takes"},
		"takes-unknown-key":    {check: "config.refused", says: "an unknown key"},
		"crashes-on-bad":       {check: "config.refused", says: "its process ended"},
		"leaves-workspace":     {check: "config.hostile", says: "changes what is outside"},
		"reads-outside":        {check: "config.hostile", says: "reads a file outside"},
		"crashes-on-hostile":   {check: "config.hostile", says: "its process ended"},
		"four-mebibytes":       {check: "config.large", says: "8 MiB"},
		"logs-secret":          {check: "secrets.kept", says: "told in its log"},
		"prints-secret":        {check: "secrets.kept", says: "standard error"},
		"shares-state":         {check: "execute.parallel", says: "at once"},
		"takes-any-handler":    {check: "protocol.unknown_handler", says: "success"},
		"finds-any-call":       {check: "protocol.cancel_unknown", says: "found true"},
		"configure-throws":     {check: "protocol.configure", says: "status Unknown"},
		"workflow-throws":      {check: "protocol.workflows", says: "status Unknown"},
		"leaks-files":          {check: "left.nothing", says: "open files"},
		"takes-after-drain":    {check: "end.drain", says: "DRAINING"},
		"ignores-shutdown":     {check: "end.shutdown", says: "lives on"},
		"ignores-terminate":    {check: "end.terminate", says: "lives on"},
		"ignores-lifeline":     {check: "end.lifeline", says: "lives on"},
		"leaves-child-at-end":  {check: "end.shutdown", says: "left processes"},
		"unknown-is-malformed": {check: "protocol.unknown_fields", says: "status"},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			report := judge(t, mode, want.check)
			status := conformance.Failed
			if want.warns {
				status = conformance.Warned
			}
			found := slices.ContainsFunc(report.Checks, func(c conformance.Check) bool {
				return c.ID == want.check && c.Status == status && strings.Contains(strings.Join(c.Notes, "\n"), want.says)
			})
			if !found {
				t.Errorf("%s does not say %q:\n%s", want.check, want.says, textOf(t, report))
			}
		})
	}
}

func TestTheReportIsOneJSONObject(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	if err := judge(t, "pure-writes", "execute").WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var report struct {
		Plugin, Version string
		Failed          int
		Checks          []struct {
			ID, Handler, Title, Status string
			Notes                      []string
		}
	}
	if err := json.Unmarshal([]byte(text.String()), &report); err != nil || report.Plugin != "demo" || report.Failed != 2 || report.Checks[0].ID != "start.handshake" {
		t.Errorf("%v: %s", err, text.String())
	}
}
