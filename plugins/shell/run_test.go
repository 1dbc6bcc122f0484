package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/plugintest"
)

func TestThePluginIsWhatTheContractSays(t *testing.T) {
	handlertest.CheckDescription(t, map[string]handlertest.Abilities{"shell.run": {Effect: pluginsdk.EffectUnsafe, Plan: true}})
}

func run(dir string, config map[string]any) *handlertest.Call {
	return &handlertest.Call{Handler: "shell.run", Dir: dir, Config: config}
}

func TestAProgramGetsItsArgumentsAsTheyAre(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	handlertest.Write(t, dir, "sub/x", "")
	var output runOutput
	call := run(dir, map[string]any{"command": "printf", "args": []string{"%s|", "a b", "$HOME", "; touch ran", "*", "--"}, "working_dir": "sub"})
	call.Succeed(t, &output)
	if output.Stdout != "a b|$HOME|; touch ran|*|--|" || output.ExitCode != 0 || output.Duration <= 0 {
		t.Errorf("got %+v", output)
	}
	if effects := call.Plan(t); len(effects) != 1 || effects[0].Action != "run" || !strings.Contains(effects[0].Summary, `"; touch ran"`) {
		t.Errorf("plan %+v", effects)
	}
}

func TestAScriptRunsWithItsInterpreter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var output runOutput
	call := run(dir, map[string]any{"script": "echo \"$1 from $(basename \"$PWD\")\"\necho aside >&2\necho \"$NAME\"\ncat", "args": []string{"it's"}, "env": map[string]string{"NAME": "a\nb"}, "stdin": "in"})
	call.Succeed(t, &output)
	if output.Stdout != "it's from "+filepath.Base(dir)+"\na\nb\nin" || output.Stderr != "aside\n" {
		t.Errorf("got %+v", output)
	}
	for _, due := range []string{`aside {"stream":"stderr"}`, `a {"stream":"stdout"}`, `in {"stream":"stdout"}`} {
		if !strings.Contains(call.Recorder.Log(), due) {
			t.Errorf("the log lacks %s:\n%s", due, call.Recorder.Log())
		}
	}
	run(dir, map[string]any{"script": "import sys; print(sys.argv[1])", "interpreter": "python3", "args": []string{"x"}, "log_output": false}).Succeed(t, &output)
	if output.Stdout != "x\n" {
		t.Errorf("python printed %q", output.Stdout)
	}
}

func TestOnlyWhatIsAllowedIsInherited(t *testing.T) {
	t.Setenv("LC_MESSAGES", "C")
	t.Setenv("OTHER", "secret")
	var output runOutput
	run(t.TempDir(), map[string]any{"command": "env", "env": map[string]string{"MINE": "1"}}).Succeed(t, &output)
	for name, due := range map[string]bool{"PATH=": true, "LC_MESSAGES=C": true, "MINE=1": true, "OTHER=": false, "VWMP_ALLOW": false} {
		if strings.Contains(output.Stdout, name) != due {
			t.Errorf("%s: want %v in\n%s", name, due, output.Stdout)
		}
	}
	run(t.TempDir(), map[string]any{"command": "env", "inherit_env": []string{"OTHER"}}).Succeed(t, &output)
	if !strings.Contains(output.Stdout, "OTHER=secret") || strings.Contains(output.Stdout, "PATH=") {
		t.Errorf("got %s", output.Stdout)
	}
}

func TestExitCodesThatDoNotCountFailTheStep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	failure := run(dir, map[string]any{"script": "echo out; echo why >&2; exit 3"}).Fail(t, pluginsdk.FailureRetryable, "exit code 3:\nwhy")
	if failure.Code != "COMMAND_FAILED" {
		t.Errorf("code %s", failure.Code)
	}
	var output runOutput
	run(dir, map[string]any{"script": "exit 3", "success_codes": []int{0, 3}}).Succeed(t, &output)
	if output.ExitCode != 3 {
		t.Errorf("got %+v", output)
	}
	run(dir, map[string]any{"script": "kill -9 $$"}).Fail(t, pluginsdk.FailureRetryable, "ended by a signal")
}

func TestLongOutputIsCutToItsEnd(t *testing.T) {
	t.Parallel()
	var output runOutput
	run(t.TempDir(), map[string]any{"script": "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; head -c 100000 /dev/zero | tr '\\0' x", "max_output": 1000}).Succeed(t, &output)
	if len(output.Stdout) != 1000 || !output.StdoutTruncated || output.StderrTruncated || strings.Trim(output.Stdout, "x") != "" {
		t.Errorf("got %d bytes, %v", len(output.Stdout), output.StdoutTruncated)
	}
}

func TestWhatCantBeRunIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	handlertest.Write(t, dir, "file", "")
	outside := t.TempDir()
	handlertest.Write(t, outside, "x.sh", "")
	if err := os.Symlink(filepath.Join(outside, "x.sh"), filepath.Join(dir, "link.sh")); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		config  map[string]any
		pointer string
	}{
		"nothing":          {map[string]any{}, ""},
		"both":             {map[string]any{"command": "true", "script": "true"}, "/script"},
		"outside":          {map[string]any{"command": "true", "working_dir": "../x"}, "/working_dir"},
		"a file as folder": {map[string]any{"command": "true", "working_dir": "file"}, "/working_dir"},
		"git's own":        {map[string]any{"command": ".git/hooks/x"}, "/command"},
		"a program above":  {map[string]any{"command": "../x.sh"}, "/command"},
		"a link outside":   {map[string]any{"command": "./link.sh"}, "/command"},
		"a bad variable":   {map[string]any{"command": "true", "env": map[string]string{"A=B": "x"}}, "/env"},
		"a NUL":            {map[string]any{"command": "true", "args": []string{"a", "b\x00"}}, "/args/1"},
	} {
		if failure := run(dir, test.config).Fail(t, pluginsdk.FailureInvalidInput, ""); failure.Pointer != test.pointer {
			t.Errorf("%s: pointer %q", name, failure.Pointer)
		}
	}
	if failure := run(dir, map[string]any{"command": "no-such-program"}).Fail(t, pluginsdk.FailurePermanent, "no-such-program"); failure.Code != "PROGRAM_MISSING" {
		t.Errorf("code %s", failure.Code)
	}
	problems, err := plugintest.ValidateConfig(t, runHandler(), map[string]any{})
	if err != nil || len(problems) != 1 {
		t.Errorf("problems %v %v", problems, err)
	}
}

func TestCommandsAreRefusedWhereTheyAreNotAllowed(t *testing.T) {
	t.Setenv("VWMP_ALLOW_COMMANDS", "false")
	dir := t.TempDir()
	if failure := run(dir, map[string]any{"script": "touch ran"}).Fail(t, pluginsdk.FailurePermanent, "allow_commands"); failure.Code != "COMMANDS_NOT_ALLOWED" || handlertest.Exists(filepath.Join(dir, "ran")) {
		t.Errorf("got %+v", failure)
	}
}

// stubborn starts a tree of processes that ignore signals; one leaves the
// session, and holds the output.
const stubborn = `
trap '' TERM INT HUP
(trap '' TERM INT HUP; echo $BASHPID >> pids; while :; do sleep 100; done) &
setsid bash -c 'trap "" TERM INT HUP; echo $$ >> pids; (setsid bash -c "trap \"\" TERM; echo \$\$ >> pids; while :; do sleep 100; done" &); while :; do sleep 100; done' &
echo $$ >> pids
while :; do sleep 100; done
`

func TestCancelEndsATreeThatIgnoresSignals(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]map[string]any{
		"cancelled": {"script": stubborn, "interpreter": "bash"},
		"timeout":   {"script": stubborn, "interpreter": "bash", "timeout": "500ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			call := run(dir, config)
			handler, step := call.Step(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan pluginsdk.Outcome, 1)
			go func() { done <- handler.Execute(ctx, step) }()
			var pids []string
			began := time.Now()
			if name == "cancelled" {
				eventually(t, "the tree", func() bool {
					raw, _ := os.ReadFile(filepath.Join(dir, "pids"))
					pids = strings.Fields(string(raw))
					return len(pids) == 4
				})
				began = time.Now()
				cancel()
			}
			outcome := <-done
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %v; the host waits for 5 s", took)
			}
			if outcome.Kind != pluginsdk.OutcomeFailure || string(outcome.Failure.Class) != name {
				t.Errorf("outcome %s %+v", outcome.Kind, outcome.Failure)
			}
			pids = strings.Fields(handlertest.Read(t, dir, "pids"))
			for _, text := range pids {
				pid, err := strconv.Atoi(text)
				if err != nil {
					t.Fatal(err)
				}
				eventually(t, "the end of "+text, func() bool { return isGone(pid) })
			}
		})
	}
}

func TestWhatACommandLeavesBehindEndsWithIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run(dir, map[string]any{"script": "setsid sleep 600 >/dev/null 2>&1 & echo $! > pid"}).Succeed(t, nil)
	pid, err := strconv.Atoi(strings.TrimSpace(handlertest.Read(t, dir, "pid")))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of what was left", func() bool { return isGone(pid) })
}

// isGone counts a process as gone that only waits to be reaped.
func isGone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// eventually waits for a condition, at most 20 s.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
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
