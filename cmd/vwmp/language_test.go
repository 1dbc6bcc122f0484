package main

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// pollDeadline bounds what a script waits for, on however busy a machine, and
// pollInterval leaves the machine to what it waits for.
const (
	pollDeadline = time.Minute
	pollInterval = 20 * time.Millisecond
)

// TestLanguage runs the scripts of the language with the real binary. Only
// the plugin they need is there, so that none of them waits for the others.
func TestLanguage(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script/language",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			for name, value := range map[string]string{
				"VWMP_PLUGINS": labDir, "BUNDLED": pluginsDir, "NO_COLOR": "1", "HOME": env.WorkDir, "XDG_DATA_HOME": filepath.Join(env.WorkDir, ".data-home"),
			} {
				env.Setenv(name, value)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"until": until, "keep": keep, "first": first, "flows": flows},
	})
}

// until runs a command again and again until its standard output matches:
// until PATTERN COMMAND ARGS…
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN COMMAND ARGS…")
	}
	pattern := regexp.MustCompile("(?m)" + args[0])
	deadline := time.Now().Add(pollDeadline)
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for ; ; <-tick.C {
		err := ts.Exec(args[1], args[2:]...)
		if output := ts.ReadFile("stdout"); err == nil && pattern.MatchString(output) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%q never came", args[0])
		}
	}
}

// keep puts what the last command printed into a variable: keep NAME
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: keep NAME")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// flows stores every file of the folder flows under its name, in the data
// folder data.
func flows(ts *testscript.TestScript, neg bool, args []string) {
	files, err := filepath.Glob(ts.MkAbs("flows/*.yaml"))
	if neg || len(args) != 0 || err != nil || len(files) == 0 {
		ts.Fatalf("usage: flows, with a folder of that name: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		ts.Check(ts.Exec("vwmp", "workflow", "import", file, "--id", name, "--data", "data"))
	}
}

// first puts the first word of the first row of a table that the last command
// printed into a variable: first NAME
func first(ts *testscript.TestScript, neg bool, args []string) {
	lines := strings.Split(ts.ReadFile("stdout"), "\n")
	if neg || len(args) != 1 || len(lines) < 2 || lines[1] == "" {
		ts.Fatalf("usage: first NAME, after a table")
	}
	ts.Setenv(args[0], strings.Fields(lines[1])[0])
}

// TestEveryRowOfTheLanguageHasAScript holds the tables of the language
// against the scripts: each row is named by one, and no script names another.
func TestEveryRowOfTheLanguageHasAScript(t *testing.T) {
	t.Parallel()
	rows := linesOf(t, "testdata/language-rows.txt", "")
	scripts, err := filepath.Glob("testdata/script/language/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	named := map[string]bool{}
	for _, script := range scripts {
		for _, row := range linesOf(t, script, "# row: ") {
			if !slices.Contains(rows, row) {
				t.Errorf("%s names the row %q, which the list does not have", script, row)
			}
			named[row] = true
		}
	}
	for i, row := range rows {
		if !named[row] {
			t.Errorf("no script names the row %q", row)
		}
		if slices.Contains(rows[:i], row) {
			t.Errorf("the list has the row %q twice", row)
		}
	}
}

// linesOf returns the lines of a file that begin with a prefix, without it;
// of a plain list, those that are no comments.
func linesOf(t *testing.T, path, prefix string) []string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var lines []string
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		line, found := strings.CutPrefix(scanner.Text(), prefix)
		if found && line != "" && (prefix != "" || !strings.HasPrefix(line, "#")) {
			lines = append(lines, line)
		}
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}
