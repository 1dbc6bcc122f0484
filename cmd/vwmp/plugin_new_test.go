package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	folder := dir
	if plugin == "." {
		folder = filepath.Dir(dir)
	}
	var described struct{ Tags []string }
	out = in(t, dir, "vwmp", "handler", "schema", "hello.hello", "--data", t.TempDir(), "--plugins", folder)
	if err := json.Unmarshal([]byte(out), &described); err != nil || !slices.Equal(described.Tags, []string{"greeting"}) {
		t.Errorf("the tags of hello.hello are %q: %v", described.Tags, err)
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

// ready writes a project in Python or TypeScript that has what it needs; the
// test is skipped where this machine lacks that.
func ready(t *testing.T, language string) string {
	t.Helper()
	if language == "python" {
		if _, hint := interpreter(t.Context(), language); hint != "" {
			t.Skip("no Python here has gRPC; scripts/sdks.sh installs it")
		}
		return newProject(t, language)
	}
	packages, err := filepath.Abs("../../pluginsdk/typescript/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(packages); err != nil {
		t.Skip("there are no node packages in pluginsdk/typescript; scripts/sdks.sh installs them")
	}
	dir := newProject(t, language)
	// What npm ci makes, without the network.
	if err := os.Symlink(packages, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestANewPythonPluginWorksAsItIs(t *testing.T) {
	t.Parallel()
	dir := ready(t, "python")
	program, _ := interpreter(t.Context(), "python")
	in(t, dir, program, "-B", "-m", "unittest")
	mustWork(t, dir, ".")
}

func TestANewTypeScriptPluginWorksAsItIs(t *testing.T) {
	t.Parallel()
	dir := ready(t, "typescript")
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
	dir := ready(t, "python")
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

// TestDevPutsEachBuildIntoAFolderOfPlugins: a project of another language
// becomes a folder there that is like it, and stays so.
func TestDevPutsEachBuildIntoAFolderOfPlugins(t *testing.T) {
	t.Parallel()
	for language, source := range map[string]string{"python": "main.py", "typescript": "src/plugin.ts"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			dir, into := ready(t, language), filepath.Join(t.TempDir(), "plugins")
			deliverAndGreet := func(greeting string) {
				t.Helper()
				in(t, dir, "vwmp", "plugin", "dev", "--once", "--into", into)
				run := in(t, t.TempDir(), "vwmp", "plugin", "run-step", "hello.hello", "--plugins", into, "--config", `{"name": "Ada"}`, "--output", "json")
				if !strings.Contains(run, `"greeting": "`+greeting+`, Ada!`) {
					t.Errorf("the step gives %s", run)
				}
			}
			extra := filepath.Join("notes", "deep", "a.txt")
			put(t, filepath.Join(dir, extra), "a")
			deliverAndGreet("Hello")
			if _, err := os.Stat(filepath.Join(into, "hello", extra)); err != nil {
				t.Error(err)
			}
			text, err := os.ReadFile(filepath.Join(dir, source))
			if err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(dir, source), strings.ReplaceAll(string(text), "Hello, ", "Good day, "))
			if err := os.RemoveAll(filepath.Join(dir, "notes")); err != nil {
				t.Fatal(err)
			}
			deliverAndGreet("Good day")
			if _, err := os.Stat(filepath.Join(into, "hello", "notes")); !os.IsNotExist(err) {
				t.Errorf("what is gone from the project stays: %v", err)
			}
			// Neither into itself nor over what is no plugin.
			other := t.TempDir()
			put(t, filepath.Join(other, "hello", "mine.txt"), "mine")
			for _, bad := range []string{filepath.Join(dir, "plugins"), dir, other} {
				command := exec.CommandContext(t.Context(), "vwmp", "plugin", "dev", dir, "--once", "--into", bad)
				if out, _ := command.CombinedOutput(); command.ProcessState.ExitCode() != exitUsage {
					t.Errorf("into %s it ends with %d: %s", bad, command.ProcessState.ExitCode(), out)
				}
			}
			if _, err := os.Stat(filepath.Join(other, "hello", "mine.txt")); err != nil {
				t.Error(err)
			}
			in(t, dir, "vwmp", "plugin", "dev", "--once", "--into", filepath.Dir(dir))
		})
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
