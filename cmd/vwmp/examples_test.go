package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tried is a command in the comment of an example, and how it ends.
var tried = regexp.MustCompile(`(?m)^# \$ (.+)\n# ([a-z]+)$`)

// TestTheExamplesDoAsTheySay runs every command that an example's comment
// gives, with the real binary and in a folder of its own.
func TestTheExamplesDoAsTheySay(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../examples/workflows/*.yaml")
	if err != nil || len(files) < 15 {
		t.Fatalf("there are %d examples: %v", len(files), err)
	}
	page, err := os.ReadFile("../../docs/language/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(page), "examples/workflows/"+filepath.Base(file)) {
				t.Errorf("docs/language/README.md does not name it")
			}
			commands := tried.FindAllStringSubmatch(string(text), -1)
			if len(commands) == 0 || strings.Count(string(text), "# $ ") != len(commands) {
				t.Fatal("its comment must give commands, each with its end on the next line")
			}
			for _, command := range commands {
				tryExample(t, filepath.Dir(file), command[1], command[2])
			}
		})
	}
}

// endings are what a command prints at its end and the code that it exits
// with.
var endings = map[string]struct {
	output *regexp.Regexp
	code   int
}{
	"success": {regexp.MustCompile(`(?m)^success$`), 0},
	"partial": {regexp.MustCompile(`(?m)^partial$`), 0},
	"failed":  {regexp.MustCompile(`(?m)^failed: `), 1},
	"refused": {regexp.MustCompile(`(?m)^  /parameters/`), 1},
	"valid":   {regexp.MustCompile(`(?m): valid$`), 0},
}

func tryExample(t *testing.T, dir, line, end string) {
	t.Helper()
	want, known := endings[end]
	if !known {
		t.Fatalf("%s: an example can't end as %q", line, end)
	}
	command := exec.CommandContext(t.Context(), "sh", "-c", line)
	command.Dir = dir
	workspace := t.TempDir()
	command.Env = append(os.Environ(), "VWMP_PLUGINS="+labDir, "VWMP_WORKSPACES="+workspace, "VWMP_WORKSPACE="+workspace)
	output, _ := command.CombinedOutput()
	if !want.output.Match(output) || command.ProcessState.ExitCode() != want.code {
		t.Errorf("%s\nexit code %d, want the end %q:\n%s", line, command.ProcessState.ExitCode(), end, output)
	}
	if strings.Contains(string(output), "hunter22") {
		t.Errorf("%s\nshows a secret:\n%s", line, output)
	}
}
