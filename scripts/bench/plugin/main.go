// Command plugin is what bench builds many plugins of: each gets its own name
// by the linker.
package main

import (
	"context"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/serve"
)

// name is set by -ldflags "-X main.name=…".
var name = "bench"

type config struct {
	Text string `json:"text" title:"Text" description:"What to give back" default:"hello" example:"hello"`
}

type output struct {
	Text string `json:"text"`
}

func say(_ context.Context, _ *pluginsdk.Step, c config) (output, error) {
	return output(c), nil
}

func main() {
	serve.Main(&pluginsdk.Plugin{
		Name: name, Version: "1.0.0", Description: "Gives back what it is told",
		Handlers: []*pluginsdk.Handler{pluginsdk.NewHandler(pluginsdk.HandlerInfo{
			Path: name + ".say", Name: "Say", Description: "Gives back its text", Category: "examples", Icon: "message-circle",
			Effect: pluginsdk.EffectPure,
		}, pluginsdk.Func[config, output](say))},
	})
}
