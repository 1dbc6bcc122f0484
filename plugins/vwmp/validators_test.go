package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
)

func executable(t *testing.T, dir, name, text string) {
	t.Helper()
	handlertest.Write(t, dir, name, text)
	if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestValidatorsRunInTheWorkspaceOneAfterAnother(t *testing.T) {
	dir := t.TempDir()
	executable(t, dir, "checks/first", "#!/bin/sh\necho first $1 in $(pwd); echo aside >&2\necho 1 >> order\n")
	handlertest.Write(t, dir, "checks/second.sh", "echo second $1\necho 2 >> order\nprintf 'no end'")
	for _, strict := range []bool{true, false} {
		use := handlertest.Call{Handler: "vwmp.run_validators", Dir: dir, Config: map[string]any{"validators": []string{"checks/first", "checks/second.sh"}, "strict_mode": strict}}
		if effects := use.Plan(t); len(effects) != 2 || effects[0].Action != "run" {
			t.Errorf("plan %+v", effects)
		}
		var output validatorsOutput
		use.Succeed(t, &output)
		if output.ValidatorsRun != 2 || len(output.Results) != 2 || output.Results[0].Script != "checks/first" || output.Results[1].Duration <= 0 {
			t.Errorf("output %+v", output)
		}
		first, second := output.Results[0].Output, output.Results[1].Output
		if strings.Contains(first, "--strict") != strict || strings.Contains(second, "--strict") != strict || !strings.HasSuffix(second, "no end") {
			t.Errorf("printed %q and %q", first, second)
		}
		if real, err := filepath.EvalSymlinks(dir); err != nil || !strings.Contains(first, "in "+real) || !strings.Contains(first, "aside") {
			t.Errorf("printed %q", first)
		}
		for _, line := range []string{"aside", "second", "no end", "checks/first passed"} {
			if !strings.Contains(use.Recorder.Log(), line) {
				t.Errorf("the log lacks %q:\n%s", line, use.Recorder.Log())
			}
		}
	}
	if got := handlertest.Read(t, dir, "order"); got != "1\n2\n1\n2\n" {
		t.Errorf("order %q", got)
	}
}

func TestAFailingValidatorFailsTheStepWithItsOutput(t *testing.T) {
	dir := t.TempDir()
	handlertest.Write(t, dir, "bad.sh", "echo 'the version does not match' >&2; exit 3\n")
	handlertest.Write(t, dir, "worse.sh", "echo 'nothing is right'; kill -9 $$\n")
	handlertest.Write(t, dir, "good.sh", "touch good-ran\n")
	use := handlertest.Call{Handler: "vwmp.run_validators", Dir: dir, Config: map[string]any{"validators": []string{"bad.sh", "good.sh"}}}
	failure := use.Fail(t, pluginsdk.FailurePermanent, "bad.sh failed with exit code 3:\nthe version does not match")
	if failure.Code != "VALIDATION_FAILED" || handlertest.Exists(filepath.Join(dir, "good-ran")) {
		t.Errorf("code %s; later scripts must not run", failure.Code)
	}
	use.Config = map[string]any{"validators": []string{"bad.sh", "worse.sh", "good.sh"}, "continue_on_error": true}
	failure = use.Fail(t, pluginsdk.FailurePermanent, "worse.sh failed with exit code -1:\nnothing is right")
	if !strings.Contains(failure.Message, "bad.sh failed") || !handlertest.Exists(filepath.Join(dir, "good-ran")) {
		t.Errorf("message %s", failure.Message)
	}
}

func TestLongOutputIsBoundedToItsEnd(t *testing.T) {
	dir := t.TempDir()
	handlertest.Write(t, dir, "long.sh", "i=0; while [ $i -lt 3000 ]; do echo line $i of many that fill the output; i=$((i+1)); done; exit $1\n")
	use := handlertest.Call{Handler: "vwmp.run_validators", Dir: dir, Config: map[string]any{"validators": []string{"long.sh"}, "strict_mode": false}}
	var output validatorsOutput
	use.Succeed(t, &output)
	if got := output.Results[0].Output; len(got) > maxScriptOutput+10 || !strings.Contains(got, "line 2999 ") || !strings.HasPrefix(got, "…\nline ") {
		t.Errorf("kept %d bytes: %.80q", len(got), got)
	}
	handlertest.Write(t, dir, "long.sh", handlertest.Read(t, dir, "long.sh")+"exit 1\n")
	handlertest.Write(t, dir, "long.sh", strings.Replace(handlertest.Read(t, dir, "long.sh"), "exit $1", "exit 1", 1))
	if failure := use.Fail(t, pluginsdk.FailurePermanent, "line 2999 "); len(failure.Message) > maxFailureOutput+200 {
		t.Errorf("message of %d bytes", len(failure.Message))
	}
}

func TestValidatorsAreStartedByTheirEnding(t *testing.T) {
	dir := t.TempDir()
	scripts := map[string]struct{ text, program string }{
		"x.py":         {"import sys\nprint('ran', sys.argv[1])\n", "python3"},
		"x.js":         {"console.log('ran', process.argv[2])\n", "node"},
		"x.pl":         {"print \"ran $ARGV[0]\\n\";\n", "perl"},
		"x.bash":       {"echo ran $1\n", "bash"},
		"executable.p": {"#!/bin/sh\necho ran $1\n", "sh"},
	}
	for name, script := range scripts {
		if _, err := exec.LookPath(script.program); err != nil {
			t.Logf("%s is not installed here", script.program)
			continue
		}
		// A file that merely has the mode, without #!, goes by its ending.
		executable(t, dir, name, script.text)
		var output validatorsOutput
		(&handlertest.Call{Handler: "vwmp.run_validators", Dir: dir, Config: map[string]any{"validators": []string{name}}}).Succeed(t, &output)
		if strings.TrimSpace(output.Results[0].Output) != "ran --strict" {
			t.Errorf("%s printed %q", name, output.Results[0].Output)
		}
	}
	handlertest.Write(t, dir, "x.rb", "puts 1\n")
	t.Setenv("PATH", t.TempDir())
	use := handlertest.Call{Handler: "vwmp.run_validators", Dir: dir, Config: map[string]any{"validators": []string{"x.rb"}}}
	if failure := use.Fail(t, pluginsdk.FailurePermanent, "ruby"); failure.Code != "INTERPRETER_MISSING" {
		t.Errorf("code %s", failure.Code)
	}
}

func TestValidatorsThatCantBeRunAreNamedBeforeAnyRuns(t *testing.T) {
	dir := t.TempDir()
	outside := t.TempDir()
	executable(t, outside, "x.sh", "touch ran\n")
	handlertest.Write(t, dir, "first.sh", "touch ran\n")
	handlertest.Write(t, dir, "plain", "text\n")
	if err := os.Symlink(filepath.Join(outside, "x.sh"), filepath.Join(dir, "link.sh")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"absent.sh", "../x.sh", outside + "/x.sh", "link.sh", "plain", ".", ".git/hooks/x.sh", "-c", ""} {
		use := handlertest.Call{Handler: "vwmp.run_validators", Dir: dir, Config: map[string]any{"validators": []string{"first.sh", name}}}
		if failure := use.Fail(t, pluginsdk.FailureInvalidInput, ""); failure.Pointer != "/validators/1" {
			t.Errorf("%s: pointer %s", name, failure.Pointer)
		}
	}
	if handlertest.Exists(filepath.Join(dir, "ran")) {
		t.Error("a script ran")
	}
}

func TestValidatorsAreRefusedWhereCommandsAreNotAllowed(t *testing.T) {
	t.Setenv("VWMP_ALLOW_COMMANDS", "false")
	dir := t.TempDir()
	handlertest.Write(t, dir, "x.sh", "touch ran\n")
	use := handlertest.Call{Handler: "vwmp.run_validators", Dir: dir, Config: map[string]any{"validators": []string{"x.sh"}}}
	if failure := use.Fail(t, pluginsdk.FailurePermanent, "allow_commands"); failure.Code != "COMMANDS_NOT_ALLOWED" || handlertest.Exists(filepath.Join(dir, "ran")) {
		t.Errorf("failure %+v", failure)
	}
	var output validatorsOutput
	(&handlertest.Call{Handler: "vwmp.run_validators", Dir: dir}).Succeed(t, &output)
	if output.ValidatorsRun != 0 {
		t.Errorf("output %+v", output)
	}
}

func TestCancelEndsAValidatorAndItsChildren(t *testing.T) {
	dir := t.TempDir()
	handlertest.Write(t, dir, "hang.sh", "sleep 600 & echo $! > child.tmp; mv child.tmp child; wait\n")
	use := handlertest.Call{Handler: "vwmp.run_validators", Dir: dir, Config: map[string]any{"validators": []string{"hang.sh"}}}
	handler, step := use.Step(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan pluginsdk.Outcome, 1)
	go func() { done <- handler.Execute(ctx, step) }()
	eventually(t, "the script's child", func() bool { return handlertest.Exists(filepath.Join(dir, "child")) })
	cancel()
	if outcome := <-done; outcome.Kind != pluginsdk.OutcomeFailure || outcome.Failure.Class != pluginsdk.FailureCancelled {
		t.Errorf("outcome %+v", outcome.Failure)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(handlertest.Read(t, dir, "child")))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the script's child", func() bool { return isGone(pid) })
}

// isGone counts a process as gone that only waits to be reaped.
func isGone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// eventually waits for a condition, at most 10 s.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		case <-ticker.C:
		}
	}
}
