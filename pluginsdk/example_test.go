package pluginsdk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

// The tags of a config make its JSON Schema, and so the form, the check before
// a run, and the defaults.
func ExampleSchemaOf() {
	type config struct {
		Text  string             `json:"text" title:"Text" required:"true" min_length:"1"`
		Times int                `json:"times" title:"Times" default:"1" minimum:"1" maximum:"10"`
		Voice string             `json:"voice" enum:"low,high" default:"low"`
		Token string             `json:"token" title:"Token" secret:"true"`
		Pause pluginsdk.Duration `json:"pause" title:"Pause" default:"2s"`
	}
	schema, err := pluginsdk.SchemaOf(config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	var form struct {
		Properties map[string]json.RawMessage
		Required   []string
	}
	if err := json.Unmarshal(schema, &form); err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{"times", "token", "pause"} {
		var line bytes.Buffer
		if err := json.Compact(&line, form.Properties[name]); err != nil {
			fmt.Println(err)
		}
		fmt.Println(name, line.String())
	}
	fmt.Println("required:", form.Required)
	// Output:
	// times {"type":"integer","title":"Times","default":1,"minimum":1,"maximum":10}
	// token {"type":"string","title":"Token","writeOnly":true,"x-vwmp-secret":true}
	// pause {"type":["number","string"],"title":"Pause","default":"2s","format":"vwmp-duration"}
	// required: [text]
}

type greeting struct {
	Name string `json:"name" title:"Whom to greet" default:"world"`
}

type letter struct{}

// Execute writes the greeting, and keeps what Undo needs.
func (letter) Execute(_ context.Context, step *pluginsdk.Step, c greeting) (greeting, error) {
	if err := step.Workspace.WriteFile("letter.txt", []byte("Hello, "+c.Name+"!\n"), 0o644); err != nil {
		return greeting{}, err
	}
	return c, step.SetUndo("letter.txt")
}

// Undo takes the file away again.
func (letter) Undo(_ context.Context, step *pluginsdk.Step, token json.RawMessage) error {
	var name string
	if err := json.Unmarshal(token, &name); err != nil {
		return err
	}
	return step.Workspace.Remove(name)
}

// Plan says what Execute would do.
func (letter) Plan(_ context.Context, _ *pluginsdk.Step, c greeting) ([]pluginsdk.PlannedEffect, error) {
	return []pluginsdk.PlannedEffect{{Action: "create", Target: "letter.txt", Summary: "Greets " + c.Name + ".", Known: true}}, nil
}

// What a handler can do beside Execute is found by its methods.
func ExampleNewHandler() {
	handler := pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "post.write", Name: "Write a letter", Description: "Writes a greeting into a file.", Category: "post",
		Effect: pluginsdk.EffectIdempotent, Example: json.RawMessage(`{"name": "Ada"}`),
	}, letter{})
	info, err := handler.Info()
	fmt.Println(info.Path, info.Capabilities.Plan, info.Capabilities.Undo, info.Capabilities.Reconcile, err)
	// Output: post.write true true false <nil>
}

// A plugin says all that is wrong with its own declarations at once.
func ExamplePlugin_Describe() {
	plugin := &pluginsdk.Plugin{Name: "Post", Handlers: []*pluginsdk.Handler{
		pluginsdk.NewHandler(pluginsdk.HandlerInfo{Path: "letter"}, letter{}),
	}}
	_, err := plugin.Describe()
	fmt.Println(err)
	// Output:
	// describe plugin Post: plugin name "Post": use lower-case letters, digits and underscores
	// the plugin has no version
	// handler path "letter": it must be Post.NAME in lower-case letters, digits and underscores
}

// The type of an error says whether another attempt makes sense.
func ExampleRetryable() {
	ctx := context.Background()
	for _, err := range []error{
		pluginsdk.Retryable(errors.New("no route to host")).After(time.Minute),
		pluginsdk.Invalid("/name", "is empty"),
		fmt.Errorf("read the letter: %w", errors.New("no such file")),
	} {
		failure := pluginsdk.FailureOf(ctx, err)
		fmt.Println(failure.Class, failure.Code, failure.Message, failure.Pointer, failure.RetryAfter)
	}
	// Output:
	// retryable RETRYABLE no route to host  1m0s
	// invalid_input INVALID_INPUT is empty /name 0s
	// permanent STEP_FAILED read the letter: no such file  0s
}

// Paths are those of all systems, so that a workflow runs everywhere or
// nowhere.
func ExampleCheckPath() {
	for _, name := range []string{"letters/ada.txt", "../ada.txt", "nul.txt"} {
		fmt.Println(name, pluginsdk.CheckPath(name))
	}
	// Output:
	// letters/ada.txt <nil>
	// ../ada.txt the path "../ada.txt" can't be used: it leaves the workspace
	// nul.txt the path "nul.txt" can't be used: nul.txt is a reserved name on Windows
}
