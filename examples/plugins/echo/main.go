// Command vwmp-plugin-echo is the smallest plugin there is: one handler that
// gives back what it is told. It shows what an author writes, and serves to
// measure what a step costs that does nothing.
package main

import (
	"context"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/serve"
)

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
		Name: "echo", Version: "1.0.0", Description: "Gives back what it is told",
		Handlers: []*pluginsdk.Handler{pluginsdk.NewHandler(pluginsdk.HandlerInfo{
			Path: "echo.say", Name: "Say", Description: "Gives back its text", Category: "examples", Icon: "message-circle",
			Effect: pluginsdk.EffectPure,
		}, pluginsdk.Func[config, output](say))},
	})
}
