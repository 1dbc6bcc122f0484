// Command vwmp-plugin-phoenix is a plugin whose binary tests replace: what it
// is, and how it behaves, is set when it is linked.
package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/serve"
)

// version and words are set by the linker; words may be crash, or lack the
// name of a handler.
var version, words = "1.0.0", ""

type config struct {
	// Gate is a file in the workspace whose appearance ends the step.
	Gate string `json:"gate,omitempty" title:"Gate"`
	// Poison ends the plugin's process once the gate is open.
	Poison bool `json:"poison,omitempty" title:"Poison"`
}

type output struct {
	Version string `json:"version"`
	PID     int    `json:"pid"`
}

func wait(ctx context.Context, step *pluginsdk.Step, c config) (output, error) {
	if strings.Contains(words, "crash") {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	step.Log.Info("begun", "version", version)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for c.Gate != "" {
		if _, err := os.Stat(filepath.Join(step.Request().WorkspaceDir, c.Gate)); err == nil {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return output{}, ctx.Err()
		}
	}
	if c.Poison {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return output{version, os.Getpid()}, nil
}

func main() {
	plugin := &pluginsdk.Plugin{Name: "phoenix", Version: version, Description: "For tests"}
	for _, name := range []string{"wait", "other"} {
		if !strings.Contains(words, "without-"+name) {
			plugin.Handlers = append(plugin.Handlers, pluginsdk.NewHandler(pluginsdk.HandlerInfo{
				Path: "phoenix." + name, Name: name, Description: "For tests", Category: "test", Effect: pluginsdk.EffectPure,
			}, pluginsdk.Func[config, output](wait)))
		}
	}
	serve.Main(plugin)
}
