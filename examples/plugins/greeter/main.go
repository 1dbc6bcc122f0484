// Command vwmp-plugin-greeter greets people, in words and in files. It is what
// "vwmp plugin new" begins a plugin in Go with.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/serve"
)

type greeting struct {
	Name  string `json:"name" title:"Whom to greet" description:"A name." default:"world" max_length:"200"`
	Times int    `json:"times" title:"Times" description:"How often." default:"1" minimum:"1" maximum:"10"`
}

type greeted struct {
	Greeting string `json:"greeting" title:"Greeting"`
}

func hello(_ context.Context, step *pluginsdk.Step, c greeting) (greeted, error) {
	if c.Times < 1 || c.Times > 10 {
		return greeted{}, pluginsdk.Invalid("/times", "it must be from 1 to 10")
	}
	step.Log.Info("greeting", "whom", c.Name)
	return greeted{strings.Repeat("Hello, "+c.Name+"!\n", c.Times)}, nil
}

type letter struct {
	Path string `json:"path" title:"File" description:"Where to write it, in the workspace." default:"greeting.txt" min_length:"1"`
	Name string `json:"name" title:"Whom to greet" default:"world" max_length:"200"`
}

type written struct {
	Path  string `json:"path" title:"File"`
	Bytes int    `json:"bytes" title:"Size"`
}

// before is what Undo needs: the file as it was, nil where there was none.
type before struct {
	Path    string `json:"path"`
	Content []byte `json:"content"`
}

type write struct{}

// Execute writes the greeting.
func (write) Execute(_ context.Context, step *pluginsdk.Step, c letter) (written, error) {
	old, err := step.Workspace.ReadFile(c.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return written{}, err
	}
	text := "Hello, " + c.Name + "!\n"
	if err := step.Effect(pluginsdk.EffectRecord{Action: "create", Target: c.Path}); err != nil {
		return written{}, err
	}
	if err := step.Workspace.WriteFile(c.Path, []byte(text), 0o644); err != nil {
		return written{}, err
	}
	if err := step.Effect(pluginsdk.EffectRecord{Action: "create", Target: c.Path, Done: true}); err != nil {
		return written{}, err
	}
	return written{c.Path, len(text)}, step.SetUndo(before{c.Path, old})
}

// Plan says what Execute would do.
func (write) Plan(_ context.Context, step *pluginsdk.Step, c letter) ([]pluginsdk.PlannedEffect, error) {
	action := "update"
	_, err := step.Workspace.ReadFile(c.Path)
	if errors.Is(err, fs.ErrNotExist) {
		action = "create"
	} else if err != nil {
		return nil, err
	}
	return []pluginsdk.PlannedEffect{{Action: action, Target: c.Path, Summary: "Writes a greeting for " + c.Name + ".", Known: true}}, nil
}

// Undo puts the file back as it was.
func (write) Undo(_ context.Context, step *pluginsdk.Step, token json.RawMessage) error {
	var old before
	if err := json.Unmarshal(token, &old); err != nil {
		return err
	}
	if old.Content != nil {
		return step.Workspace.WriteFile(old.Path, old.Content, 0o644)
	}
	if err := step.Workspace.Remove(old.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

type pause struct {
	Seconds float64 `json:"seconds" title:"Seconds" default:"0.2" minimum:"0" maximum:"60"`
}

func wait(ctx context.Context, step *pluginsdk.Step, c pause) (struct{}, error) {
	step.Progress(0, "waiting")
	select {
	case <-ctx.Done():
		return struct{}{}, ctx.Err()
	case <-time.After(time.Duration(c.Seconds * float64(time.Second))):
		return struct{}{}, nil
	}
}

func plugin() *pluginsdk.Plugin {
	return &pluginsdk.Plugin{
		Name: "greeter", Version: "1.0.0", Description: "Greets people, in words and in files.",
		Handlers: []*pluginsdk.Handler{
			pluginsdk.NewHandler(pluginsdk.HandlerInfo{
				Path: "greeter.hello", Name: "Say hello", Description: "Greets somebody.", Category: "demo", Icon: "message-circle", Tags: []string{"greeting"},
				Effect: pluginsdk.EffectPure, Example: json.RawMessage(`{"name": "Ada"}`),
			}, pluginsdk.Func[greeting, greeted](hello)),
			pluginsdk.NewHandler(pluginsdk.HandlerInfo{
				Path: "greeter.write", Name: "Write a greeting", Description: "Writes a greeting into a file.", Category: "demo", Icon: "file-pen",
				Effect: pluginsdk.EffectIdempotent, Example: json.RawMessage(`{"path": "ada.txt", "name": "Ada"}`),
			}, write{}),
			pluginsdk.NewHandler(pluginsdk.HandlerInfo{
				Path: "greeter.wait", Name: "Wait", Description: "Waits, and ends at once when it is cancelled.", Category: "demo", Icon: "clock",
				Effect: pluginsdk.EffectPure, Example: json.RawMessage(`{"seconds": 0.2}`),
			}, pluginsdk.Func[pause, struct{}](wait)),
		},
	}
}

func main() { serve.Main(plugin()) }
