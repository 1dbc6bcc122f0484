package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/host/pluginhost"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/conformance"
)

// casesFile is where the cases of a plugin's folder are looked for.
const casesFile = "cases.yaml"

func pluginTest() *cobra.Command {
	var cases, output string
	var network, all bool
	var checks []string
	command := &cobra.Command{
		Use: "test BINARY", Short: "Judge a plugin by the conformance kit", Args: cobra.ExactArgs(1),
		Long: `Starts the binary (or the folder with a plugin.yaml) as a host does, speaks the protocol to it, and looks for
the mistakes that an author can make without noticing. Handlers are called with the cases of --cases, by default
those of cases.yaml in the plugin's folder, or else with the examples of their descriptions, each in an empty
workspace. It ends with 1 where a check failed.

A case is: {handler, name, config, files, parameters, outputs, expect: success|skipped|failure, output, code}.`,
		Example: "  vwmp plugin test ./vwmp-plugin-hello\n  vwmp plugin test . --all\n  vwmp plugin test ./my-plugin --output json",
	}
	command.Flags().StringVar(&cases, "cases", "", "YAML or JSON file with a list \"cases\"")
	command.Flags().BoolVar(&network, "network", false, "call also the handlers that declare that they use the network")
	command.Flags().StringArrayVar(&checks, "check", nil, "make only the checks whose ids begin so, such as cancel; repeatable")
	command.Flags().BoolVar(&all, "all", false, "print also the checks that passed")
	command.Flags().StringVarP(&output, "output", "o", "text", "how to print: text or json")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if output != "text" && output != "json" {
			return usageError("--output must be text or json, not %q", output)
		}
		options := conformance.Options{Compile: compileSchema, Checks: checks, Network: network, Template: templateProblems}
		var err error
		if options.Command, err = pluginhost.Command(args[0]); errors.Is(err, fs.ErrNotExist) {
			return &exitError{exitMissing, err}
		} else if err != nil {
			return err
		}
		if options.Cases, err = readCases(args[0], cases); err != nil {
			return err
		}
		report, err := conformance.Run(cmd.Context(), options)
		if err != nil {
			return err
		}
		report.Add(hostAccepts(cmd.Context(), args[0]))
		if output == "json" {
			err = report.WriteJSON(cmd.OutOrStdout())
		} else {
			err = report.WriteText(cmd.OutOrStdout(), all)
		}
		if err == nil && !report.OK() {
			return &exitError{exitFailed, nil}
		}
		return err
	}
	return command
}

// compileSchema compiles a schema as the host does for a step's config.
func compileSchema(text json.RawMessage) (conformance.Schema, error) {
	handler := workflow.NewHandler(pluginsdk.HandlerInfo{Path: "schema", ConfigSchema: text}, "", "")
	schema, err := handler.Schema()
	if err != nil || schema == nil {
		return nil, err
	}
	return func(raw json.RawMessage) error {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			return err
		}
		return schema.Validate(value)
	}, nil
}

// hostAccepts has the host look at the plugin's file and what it says.
func hostAccepts(ctx context.Context, path string) conformance.Check {
	began := time.Now()
	check := conformance.Check{ID: "host.accepts", Title: "the host takes the file, and what it says of itself", Status: conformance.Passed}
	if _, err := pluginhost.Describe(ctx, path, pluginhost.Options{}); err != nil {
		check.Status, check.Notes = conformance.Failed, []string{err.Error()}
	}
	check.Seconds = time.Since(began).Seconds()
	return check
}

// templateProblems says what is wrong with a template's document.
func templateProblems(text string) []string {
	document, problems := workflow.Parse([]byte(text), workflow.ParseOptions{Format: workflow.DetectFormat([]byte(text)), IgnoreMetadata: true})
	if document != nil && !problems.HasErrors() {
		return nil
	}
	var list []string
	for _, p := range problems {
		list = append(list, problemLine("the document", p.Line, p.Column, string(p.Severity), p.Message))
	}
	return list
}

// readCases reads the cases of a file; none where no file is named and the
// plugin's folder has none.
func readCases(path, file string) ([]conformance.Case, error) {
	if file == "" {
		file = filepath.Join(path, casesFile)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			file = filepath.Join(filepath.Dir(path), casesFile)
		}
		if _, err := os.Stat(file); err != nil {
			return nil, nil //nolint:nilerr // There need be none.
		}
	}
	var cases struct {
		Cases []conformance.Case `json:"cases"`
	}
	err := readStrict(file, &cases)
	return cases.Cases, err
}

// readStrict reads a small YAML or JSON file into a value, refusing keys that
// it does not know.
func readStrict(file string, target any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	raw, err := yaml.YAMLToJSON(text)
	if err != nil {
		return fmt.Errorf("%s: %s", file, yaml.FormatError(err, false, false))
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
