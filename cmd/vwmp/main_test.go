package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// pluginsDir holds the bundled plugins, built for the tests, and labDir the
// one that the language is tried with.
var pluginsDir, labDir string

// TestMain makes the test binary stand for vwmp, as a real process, and
// builds the real plugins.
func TestMain(m *testing.M) {
	testscript.Main(cleanUp{m}, map[string]func(){"vwmp": main, "vwmp-test-provider": providerMain})
}

// cleanUp runs the tests between building and taking away what they need. It
// does not run where the test binary stands for vwmp.
type cleanUp struct{ m *testing.M }

func (c cleanUp) Run() int {
	dir, err := os.MkdirTemp("", "vwmp-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	pluginsDir, labDir = filepath.Join(dir, "plugins"), filepath.Join(dir, "lab")
	if err := buildPlugins(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// The tests' own settings must not come from whoever runs them.
	for name, value := range map[string]string{
		"VWMP_PLUGINS": pluginsDir, "VWMP_SERVER": "", "VWMP_TOKEN": "", "NO_COLOR": "1",
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_SYSTEM": os.DevNull,
		"XDG_DATA_HOME": filepath.Join(dir, "data-home"),
	} {
		if err := os.Setenv(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return c.m.Run()
}

func buildPlugins() error {
	for path, dir := range map[string]string{"plugins/git": pluginsDir, "plugins/release": pluginsDir, "plugins/vwmp": pluginsDir, "examples/plugins/lab": labDir} {
		binary := filepath.Join(dir, "vwmp-plugin-"+filepath.Base(path))
		command := exec.CommandContext(context.Background(), "go", "build", "-o", binary, "github.com/vwmp/vwmp/"+path)
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("build plugin %s: %w\n%s", path, err, output)
		}
	}
	return nil
}

func TestScripts(t *testing.T) {
	t.Parallel()
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("VWMP_PLUGINS", pluginsDir)
			env.Setenv("BUNDLED", pluginsDir)
			env.Setenv("NO_COLOR", "1")
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_DATA_HOME", filepath.Join(env.WorkDir, ".data-home"))
			env.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
			env.Setenv("GIT_CONFIG_SYSTEM", os.DevNull)
			env.Setenv("CHECKOUT", checkout)
			for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS", "GONOSUMDB", "GONOSUMCHECK", "GOSUMDB"} {
				value, err := exec.CommandContext(context.Background(), "go", "env", name).Output()
				if err != nil {
					return err
				}
				env.Setenv(name, string(trimNewline(value)))
			}
			return nil
		},
	})
}

func trimNewline(text []byte) []byte {
	for len(text) > 0 && (text[len(text)-1] == '\n' || text[len(text)-1] == '\r') {
		text = text[:len(text)-1]
	}
	return text
}
