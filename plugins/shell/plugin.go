// Command vwmp-plugin-shell serves shell.run, which runs a program or a
// script in the workspace.
//
// A program gets its arguments as a list, and values reach a script as
// arguments or variables: nothing here puts values into program text. Whether
// steps may run commands at all is the host's decision.
package main

import (
	"encoding/json"

	"github.com/vwmp/vwmp/pluginsdk"
)

func shellPlugin() *pluginsdk.Plugin {
	return &pluginsdk.Plugin{
		Name:        "shell",
		Version:     "1.0.0",
		Author:      "VWMP",
		Description: "Runs programs and scripts in the workspace.",
		Handlers:    []*pluginsdk.Handler{runHandler()},
	}
}

func runHandler() *pluginsdk.Handler {
	raw, err := json.Marshal(map[string]any{
		"command": "make", "args": []string{"test"}, "env": map[string]string{"CI": "true"}, "timeout": "10m",
	})
	if err != nil {
		// The example is a constant of this package.
		panic(err)
	}
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "shell.run", Name: "Run a command", Category: "Commands", Icon: "terminal", Tags: []string{"bash", "sh", "shell", "exec"},
		Description: "Runs a program with a list of arguments, or a script with an interpreter. Its lines appear in the log as they come; when the step is cancelled the program and all that it started end. An exit code that does not count as success fails the step, which may be tried again.",
		Effect:      pluginsdk.EffectUnsafe,
		Example:     raw,
	}, runner{})
}
