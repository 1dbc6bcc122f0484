//go:build unix

package pluginhost

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/host/pluginhost/internal/disk"
)

func TestTheFirstFolderThatHasANameWins(t *testing.T) {
	one, two := pluginDir(t, "good"), pluginDir(t, "good", "other")
	h := newTestHost(t, Options{Dirs: []string{one, two, one}})
	list := h.Plugins()
	if len(list) != 3 {
		t.Fatalf("the list is %+v", list)
	}
	if list[2].State != StateRefused || !strings.Contains(list[2].LastError, "the first one counts") {
		t.Errorf("the second one is %+v", list[2])
	}
	if !strings.Contains(h.log.String(), "the first one counts") {
		t.Error("the log does not warn")
	}
}

func TestVariablesAreAllowedByNameOrPrefix(t *testing.T) {
	list := append(DefaultEnvAllow(), "CI_*", "*")
	tests := map[string]bool{
		"PATH": true, "LC_TIME": true, "http_proxy": true, "HTTPS_PROXY": true, "CI_JOB": true,
		"PATHS": false, "LC": false, "VWMP_SECRET_KEY_FILE": false, "CI": false, "": false,
	}
	for name, allowed := range tests {
		if EnvAllowed(list, name) != allowed {
			t.Errorf("%q: allowed should be %v", name, allowed)
		}
	}
}

func TestLinesOfAnyKindBecomeRecords(t *testing.T) {
	tests := map[string]struct{ level, message string }{
		`{"@level":"warn","@message":"m"}`:  {"WARN", "m"},
		`{"@level":"trace","@message":"m"}`: {"DEBUG", "m"},
		`{"@level":3,"@message":"m"}`:       {"INFO", "m"},
		`{"@message":1}`:                    {"INFO", `{"@message":1}`},
		`{"@message"`:                       {"INFO", `{"@message"`},
		`null`:                              {"INFO", "null"},
		`plain`:                             {"INFO", "plain"},
	}
	for line, due := range tests {
		if level, message, _ := parseLine(line); level.String() != due.level || message != due.message {
			t.Errorf("%s becomes %s %q", line, level, message)
		}
	}
}

// TestAPluginOfAnotherLanguageRunsFromItsFolder: the interpreter lies
// elsewhere, and the arguments name the folder.
func TestAPluginOfAnotherLanguageRunsFromItsFolder(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := filepath.Join(dir, "good", "src", "run.sh")
	write(t, filepath.Join(dir, "good", disk.ManifestFile), "command: /bin/sh\nargs: [\"{dir}/src/run.sh\", \"{dir}\"]\n", 0o644)
	write(t, script, "exec "+self+" "+asFlag+"good \"$1\" \"$0\"\n", 0o644)
	write(t, filepath.Join(dir, "good", "node_modules", "lib.js"), "1", 0o644)
	h := newTestHost(t, Options{Dirs: []string{dir}, CopyDir: t.TempDir(), Watch: true})
	outcome, _ := h.call(t, "good.look", "")
	f := factsOf(t, outcome)
	status := h.status(t, "good")
	if last := f.Arguments[len(f.Arguments)-1]; !strings.HasSuffix(last, "/"+status.Checksum+"/src/run.sh") {
		t.Errorf("it ran as %v, and not from its copy", f.Arguments)
	}
	if text, err := os.ReadFile(filepath.Join(f.Arguments[len(f.Arguments)-2], "node_modules", "lib.js")); err != nil || string(text) != "1" {
		t.Errorf("it does not reach its packages: %q %v", text, err)
	}
	// A file deep in the folder is another version, installed packages are not.
	write(t, filepath.Join(dir, "good", "node_modules", "lib.js"), "2", 0o644)
	write(t, script, "exec "+self+" "+asFlag+"good@2.0.0 \"$1\" \"$0\"\n", 0o644)
	h.awaitVersion(t, "good", "2.0.0")
}
