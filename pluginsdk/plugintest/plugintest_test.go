package plugintest

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/pluginsdk"
)

type config struct {
	Path string `json:"path" title:"Path" required:"true"`
}

func read(_ context.Context, step *pluginsdk.Step, c config) (string, error) {
	data, err := step.Workspace.ReadFile(c.Path)
	if err != nil {
		return "", err
	}
	var suffix string
	if _, err := step.Parameter("suffix", &suffix); err != nil {
		return "", err
	}
	var prefix string
	if _, err := step.NearestOutput("prefix", &prefix); err != nil {
		return "", err
	}
	return prefix + string(data) + suffix, nil
}

func reader(change func(*pluginsdk.HandlerInfo)) *pluginsdk.Handler {
	info := pluginsdk.HandlerInfo{
		Path: "demo.read", Name: "Read", Description: "Reads a file.", Category: "files", Example: json.RawMessage(`{"path":"a.txt"}`),
	}
	if change != nil {
		change(&info)
	}
	return pluginsdk.NewHandler(info, pluginsdk.Func[config, string](read))
}

func TestAHandlerFindsItsFilesParametersAndOutputs(t *testing.T) {
	var got string
	result := Run(t, reader(nil), config{"sub/a.txt"},
		WithFile("sub/a.txt", "text"), WithParameters(map[string]string{"suffix": "!"}),
		WithOutput("near", map[string]string{"prefix": "1 "}), WithOutput("far", map[string]string{"prefix": "2 "}))
	result.MustSucceed(t, &got)
	if got != "1 text!" {
		t.Errorf("got %q", got)
	}
	if _, err := os.Stat(filepath.Join(result.Workspace, "sub", "a.txt")); err != nil {
		t.Error(err)
	}
}

func TestAFailureIsToldWithItsReason(t *testing.T) {
	if failure := Run(t, reader(nil), config{"none.txt"}).MustFail(t); !strings.Contains(failure.Message, "none.txt") {
		t.Errorf("got %+v", failure)
	}
	if failure := Run(t, reader(nil), map[string]int{"pth": 1}).MustFail(t); failure.Class != pluginsdk.FailureInvalidInput {
		t.Errorf("got %+v", failure)
	}
}

func TestADescriptionIsJudged(t *testing.T) {
	tests := map[string]struct {
		change  func(*pluginsdk.HandlerInfo)
		problem string
	}{
		"a good one":             {nil, ""},
		"no description":         {func(i *pluginsdk.HandlerInfo) { i.Description = "" }, "has no description"},
		"an example that is off": {func(i *pluginsdk.HandlerInfo) { i.Example = json.RawMessage(`{"pth":1}`) }, "its own example is not accepted"},
		"a schema that is off":   {func(i *pluginsdk.HandlerInfo) { i.ConfigSchema = json.RawMessage(`{"type":5}`) }, "is not valid"},
		"a schema not JSON":      {func(i *pluginsdk.HandlerInfo) { i.OutputSchema = json.RawMessage(`{`) }, "JSON"},
		"a schema with $ref":     {func(i *pluginsdk.HandlerInfo) { i.ConfigSchema = json.RawMessage(`{"properties":{"a":{"$ref":"#"}}}`) }, "$ref"},
		"a schema too large": {func(i *pluginsdk.HandlerInfo) {
			i.ConfigSchema = json.RawMessage(`{"title":"` + strings.Repeat("x", 256<<10) + `"}`)
		}, "more than"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			problems := descriptionProblems(t, &pluginsdk.Plugin{
				Name: "demo", Version: "1.0.0", Description: "Demo.", Handlers: []*pluginsdk.Handler{reader(test.change)},
			})
			all := strings.Join(problems, "\n")
			if (test.problem == "") != (all == "") || !strings.Contains(all, test.problem) {
				t.Errorf("the problems are %q, due is %q", all, test.problem)
			}
		})
	}
}

// TestTheSDKStaysSmall holds what a third party's go.mod gets with the SDK.
func TestTheSDKStaysSmall(t *testing.T) {
	const module = "github.com/vwmp/vwmp/"
	tests := map[string]struct {
		packages []string
		allowed  func(path string) bool
		why      string
	}{
		"the contract": {
			[]string{"pluginsdk"},
			func(path string) bool {
				return path == module+"pluginsdk" || strings.HasPrefix(path, "github.com/google/jsonschema-go/")
			},
			"an author's types know no transport",
		},
		"the wire and the harness": {
			[]string{"pluginsdk/serve", "pluginsdk/client", "pluginsdk/plugintest"},
			func(path string) bool {
				return !strings.HasPrefix(path, module) || strings.HasPrefix(path, module+"pluginsdk")
			},
			"a plugin is built without engine, host and store",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			arguments := []string{"list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}"}
			for _, pkg := range test.packages {
				arguments = append(arguments, module+pkg)
			}
			out, err := exec.Command("go", arguments...).Output()
			if err != nil {
				t.Fatalf("list the dependencies: %v", err)
			}
			paths := strings.Fields(string(out))
			if len(paths) == 0 {
				t.Fatal("go list names no package")
			}
			for _, path := range paths {
				if !test.allowed(path) {
					t.Errorf("%s is imported: %s", path, test.why)
				}
			}
		})
	}
}
