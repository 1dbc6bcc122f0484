// Command vwmp-plugin-lab is a plugin to try the workflow language with: its
// handlers fail, wait, skip and die when they are told to, and touch nothing
// but the workspace. The examples in examples/workflows and the tests of the
// language run with it. It is not for real work.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/serve"
)

// poll is how often a waiting handler looks for its file.
const poll = 5 * time.Millisecond

type echoConfig struct {
	Value json.RawMessage `json:"value" title:"Value" description:"What to give back, of any type"`
	Tone  string          `json:"tone" title:"Tone" description:"How it is said" default:"plain"`
}

type echoOutput struct {
	Value json.RawMessage `json:"value"`
	Tone  string          `json:"tone"`
}

func echo(_ context.Context, step *pluginsdk.Step, c echoConfig) (echoOutput, error) {
	if len(c.Value) == 0 {
		c.Value = json.RawMessage("null")
	}
	step.Log.Info("said " + string(c.Value) + " in a " + c.Tone + " tone")
	return echoOutput(c), nil
}

type flakyConfig struct {
	SucceedAt int    `json:"succeed_at" title:"Succeed at" description:"The attempt that succeeds; those before it fail" default:"2" minimum:"1"`
	Message   string `json:"message" title:"Message" description:"Why the others fail" default:"not yet"`
	Permanent bool   `json:"permanent" title:"Permanent" description:"Whether the failure is one that no further attempt mends"`
}

type attemptOutput struct {
	Attempt int `json:"attempt"`
}

func flaky(_ context.Context, step *pluginsdk.Step, c flakyConfig) (attemptOutput, error) {
	switch {
	case step.Attempt() >= c.SucceedAt:
		return attemptOutput{step.Attempt()}, nil
	case c.Permanent:
		return attemptOutput{}, pluginsdk.Permanent(errors.New(c.Message))
	}
	return attemptOutput{}, pluginsdk.Retryable(errors.New(c.Message))
}

type tracedOutput struct {
	TraceParent string `json:"trace_parent"`
}

// traced gives back the trace that the call is part of.
func traced(_ context.Context, step *pluginsdk.Step, _ struct{}) (tracedOutput, error) {
	return tracedOutput{step.TraceParent()}, nil
}

type skipConfig struct {
	Reason string `json:"reason" title:"Reason" description:"Why there is nothing to do" required:"true"`
}

func skip(_ context.Context, _ *pluginsdk.Step, c skipConfig) (struct{}, error) {
	return struct{}{}, pluginsdk.Skip(c.Reason)
}

type hangConfig struct {
	Until  string `json:"until" title:"Until" description:"A file in the workspace whose coming ends the step" required:"true"`
	Arrive string `json:"arrive" title:"Arrive" description:"A file to write at the start, so that others know"`
}

func hang(ctx context.Context, step *pluginsdk.Step, c hangConfig) (struct{}, error) {
	if c.Arrive != "" {
		if err := step.Workspace.WriteFile(c.Arrive, []byte("here\n"), 0o600); err != nil {
			return struct{}{}, err
		}
	}
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if _, err := step.Workspace.Stat(c.Until); !errors.Is(err, fs.ErrNotExist) {
			return struct{}{}, err
		}
		select {
		case <-ctx.Done():
			return struct{}{}, ctx.Err()
		case <-tick.C:
		}
	}
}

type fileConfig struct {
	Path string `json:"path" title:"Path" description:"The file in the workspace" required:"true"`
	Text string `json:"text" title:"Text" description:"What to write" default:"done"`
}

type fileOutput struct {
	Path string `json:"path"`
}

// writer writes a file and can take that back.
type writer struct{}

func (writer) Execute(_ context.Context, step *pluginsdk.Step, c fileConfig) (fileOutput, error) {
	if err := step.SetUndo(c.Path); err != nil {
		return fileOutput{}, err
	}
	return fileOutput{c.Path}, step.Workspace.WriteFile(c.Path, []byte(c.Text+"\n"), 0o600)
}

//nolint:unparam // pluginsdk.Planner says so.
func (writer) Plan(_ context.Context, _ *pluginsdk.Step, c fileConfig) ([]pluginsdk.PlannedEffect, error) {
	return []pluginsdk.PlannedEffect{{Action: "create", Target: c.Path, Summary: "Writes " + c.Path, Known: true}}, nil
}

func (writer) Undo(_ context.Context, step *pluginsdk.Step, token json.RawMessage) error {
	var path string
	if err := json.Unmarshal(token, &path); err != nil {
		return fmt.Errorf("read the undo token: %w", err)
	}
	step.Log.Info("taking back " + path)
	return gone(step.Workspace.Remove(path))
}

// mortal writes a file and dies before it can say so, the first time.
type mortal struct{}

func (mortal) Execute(ctx context.Context, step *pluginsdk.Step, c fileConfig) (fileOutput, error) {
	if _, err := step.Workspace.Stat(c.Path); err == nil {
		return fileOutput{c.Path}, nil
	}
	if err := step.SetUndo(c.Path); err != nil {
		return fileOutput{}, err
	}
	if err := step.Workspace.WriteFile(c.Path, []byte(c.Text+"\n"), 0o600); err != nil {
		return fileOutput{}, err
	}
	process, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = process.Kill()
	}
	if err != nil {
		return fileOutput{}, err
	}
	<-ctx.Done() // The signal is on its way.
	return fileOutput{}, ctx.Err()
}

// undoableMortal is a mortal whose work can be taken back, whatever became
// of it.
type undoableMortal struct{ mortal }

func (undoableMortal) Undo(_ context.Context, step *pluginsdk.Step, _ json.RawMessage) error {
	var c fileConfig
	if err := json.Unmarshal(step.Request().Config, &c); err != nil {
		return fmt.Errorf("read the config: %w", err)
	}
	return gone(step.Workspace.Remove(c.Path))
}

// gone takes a file that is not there for one that was removed.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

type adapter struct {
	Tone  string `json:"tone" title:"Tone" description:"How things are said where a step does not choose"`
	Place string `json:"place" title:"Place" description:"Where this laboratory is"`
}

func main() {
	info := func(path, name, description string, effect pluginsdk.EffectClass) pluginsdk.HandlerInfo {
		return pluginsdk.HandlerInfo{Path: path, Name: name, Description: description, Category: "lab", Icon: "flask-conical", Effect: effect}
	}
	serve.Main(&pluginsdk.Plugin{
		Name: "lab", Version: "1.0.0", Description: "Fails, waits, skips and dies when it is told to", Adapter: adapter{},
		Handlers: []*pluginsdk.Handler{
			pluginsdk.NewHandler(info("lab.echo", "Echo", "Gives back a value", pluginsdk.EffectPure), pluginsdk.Func[echoConfig, echoOutput](echo)),
			pluginsdk.NewHandler(info("lab.flaky", "Flaky", "Fails until an attempt", pluginsdk.EffectPure), pluginsdk.Func[flakyConfig, attemptOutput](flaky)),
			pluginsdk.NewHandler(info("lab.traced", "Traced", "Gives back the trace that it is part of", pluginsdk.EffectPure), pluginsdk.Func[struct{}, tracedOutput](traced)),
			pluginsdk.NewHandler(info("lab.skip", "Skip", "Finds nothing to do", pluginsdk.EffectPure), pluginsdk.Func[skipConfig, struct{}](skip)),
			pluginsdk.NewHandler(info("lab.hang", "Hang", "Waits for a file", pluginsdk.EffectPure), pluginsdk.Func[hangConfig, struct{}](hang)),
			pluginsdk.NewHandler(info("lab.write", "Write", "Writes a file, and can take it back", pluginsdk.EffectIdempotent), writer{}),
			pluginsdk.NewHandler(info("lab.die", "Die", "Writes a file, and dies before it says so", pluginsdk.EffectUnsafe), mortal{}),
			pluginsdk.NewHandler(info("lab.die_pure", "Die, pure", "Dies likewise, and can be run again without harm", pluginsdk.EffectPure), mortal{}),
			pluginsdk.NewHandler(info("lab.die_undoable", "Die, undoable", "Dies likewise, and can be taken back", pluginsdk.EffectUnsafe), undoableMortal{}),
		},
	})
}
