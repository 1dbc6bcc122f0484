package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// in runs a program in a folder and returns what it prints; the test fails
// where it ends with another code than 0.
func in(t *testing.T, dir string, program ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), program[0], program[1:]...)
	command.Dir = dir
	var errors strings.Builder
	command.Stderr = &errors
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(program, " "), err, out, errors.String())
	}
	return string(out)
}

// newProject writes a project of a language, as a user does.
func newProject(t *testing.T, language string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "hello")
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	in(t, ".", "vwmp", "plugin", "new", "hello", "--lang", language, "--dir", dir, "--sdk", checkout)
	return dir
}

// mustWork holds what every new project must do: it conforms, and its step
// runs.
func mustWork(t *testing.T, dir, plugin string) {
	t.Helper()
	var report struct {
		Plugin         string
		Passed, Failed int
	}
	out := in(t, dir, append([]string{"vwmp", "plugin", "test", plugin, "--output", "json"}, kitChecks...)...)
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Plugin != "hello" || report.Failed > 0 || report.Passed < 10 {
		t.Errorf("the report is %v %+v", err, report)
	}
	run := in(t, dir, "vwmp", "plugin", "run-step", "hello.hello", "--plugin", plugin, "--config", `{"name": "Ada"}`, "--output", "json", "--workspace", t.TempDir())
	if !strings.Contains(run, `"greeting": "Hello, Ada!`) {
		t.Errorf("the step gives %s", run)
	}
}

func TestANewGoPluginWorksAsItIs(t *testing.T) {
	t.Parallel()
	dir := newProject(t, "go")
	in(t, dir, "go", "mod", "tidy")
	in(t, dir, "go", "test", "./...")
	in(t, dir, "go", "build")
	mustWork(t, dir, "./vwmp-plugin-hello")
}

func TestANewPythonPluginWorksAsItIs(t *testing.T) {
	t.Parallel()
	program, hint := interpreter(t.Context(), "python")
	if hint != "" {
		t.Skip("no Python here has gRPC; scripts/sdks.sh installs it")
	}
	dir := newProject(t, "python")
	in(t, dir, program, "-B", "-m", "unittest")
	mustWork(t, dir, ".")
}

func TestANewTypeScriptPluginWorksAsItIs(t *testing.T) {
	t.Parallel()
	packages, err := filepath.Abs("../../pluginsdk/typescript/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(packages); err != nil {
		t.Skip("there are no node packages in pluginsdk/typescript; scripts/sdks.sh installs them")
	}
	dir := newProject(t, "typescript")
	// What npm ci makes, without the network.
	if err := os.Symlink(packages, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	in(t, dir, "npm", "test")
	mustWork(t, dir, ".")
}

func TestAProjectIsNotWrittenOverAnother(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, args := range [][]string{
		{"hello", "--dir", dir}, {"Hello", "--dir", filepath.Join(dir, "a")}, {"flow", "--dir", filepath.Join(dir, "b")},
		{"hello", "--lang", "cobol", "--dir", filepath.Join(dir, "c")}, {"hello", "--sdk", dir, "--dir", filepath.Join(dir, "d")},
	} {
		command := exec.CommandContext(t.Context(), "vwmp", append([]string{"plugin", "new"}, args...)...)
		if out, _ := command.CombinedOutput(); command.ProcessState.ExitCode() != exitUsage {
			t.Errorf("%v ends with %d: %s", args, command.ProcessState.ExitCode(), out)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("it wrote %v, %v", entries, err)
	}
}

// TestDevRunsTheStepAgainAfterAChange: the loop builds at the start and after
// each change of a source.
func TestDevRunsTheStepAgainAfterAChange(t *testing.T) {
	t.Parallel()
	if _, hint := interpreter(t.Context(), "python"); hint != "" {
		t.Skip("no Python here has gRPC; scripts/sdks.sh installs it")
	}
	dir := newProject(t, "python")
	command := exec.CommandContext(t.Context(), "vwmp", "plugin", "dev", dir, "--step", "hello.hello", "--output", "events", "--workspace", t.TempDir())
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = command.Wait() }()
	defer func() { _ = command.Process.Signal(os.Interrupt) }()
	decoder := json.NewDecoder(out)
	await := func(text string) {
		t.Helper()
		for {
			var event json.RawMessage
			if err := decoder.Decode(&event); err != nil {
				t.Fatalf("it ends without %q: %v", text, err)
			}
			if strings.Contains(string(event), text) {
				return
			}
		}
	}
	await("Hello, world!")
	main := filepath.Join(dir, "main.py")
	source, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(main, []byte(strings.ReplaceAll(string(source), "Hello, {", "Good day, {")), 0o600); err != nil {
		t.Fatal(err)
	}
	await("Good day, world!")
}
