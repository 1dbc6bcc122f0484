package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
)

// stepFlags say how one handler is called.
type stepFlags struct {
	config, plugin, workspace, output string
	plugins, parameters               []string
	dryRun                            bool
}

func (f *stepFlags) declare(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&f.config, "config", "", "the step's config: a YAML or JSON file, or a JSON object")
	flags.StringVar(&f.workspace, "workspace", "", "folder to work in (default the current one)")
	flags.StringVarP(&f.output, "output", "o", "text", "how to print: text, json or events")
	flags.StringArrayVarP(&f.parameters, "param", "p", nil, "parameter as name=value; repeatable")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show what the step would do, and do nothing")
}

func pluginRunStep() *cobra.Command {
	var flags stepFlags
	command := &cobra.Command{
		Use: "run-step HANDLER", Short: "Call one handler", Args: cobra.ExactArgs(1),
		Long: `Runs a workflow of one step, without a server: its config is checked and filled in as in any run.`,
		Example: `  vwmp plugin run-step hello.say --plugin ./vwmp-plugin-hello --config '{"text": "Hi"}'
  vwmp plugin run-step git.status --workspace ~/project`,
	}
	flags.declare(command)
	command.Flags().StringVar(&flags.plugin, "plugin", "", "the plugin's binary or folder, beside those of the plugin folders")
	command.Flags().StringArrayVar(&flags.plugins, "plugins", nil, "folder with plugins; repeatable")
	command.RunE = func(cmd *cobra.Command, args []string) error { return runStep(cmd, args[0], flags) }
	return command
}

// runStep runs a workflow of one step.
func runStep(cmd *cobra.Command, handler string, flags stepFlags) (err error) {
	dir, err := os.MkdirTemp("", "vwmp-step-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	config, err := readStepConfig(flags.config)
	if err != nil {
		return err
	}
	definition := map[string]any{"name": handler, "steps": []any{map[string]any{"id": "step", "handler": handler, "config": config}}}
	var parameters []any
	for _, given := range flags.parameters {
		name, _, _ := strings.Cut(given, "=")
		parameters = append(parameters, map[string]any{"name": name, "type": "string"})
	}
	if parameters != nil {
		definition["parameters"] = parameters
	}
	text, err := json.Marshal(definition)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "step.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	args := []string{file, "--output", flags.output}
	if flags.workspace != "" {
		args = append(args, "--workspace", flags.workspace)
	}
	if flags.dryRun {
		args = append(args, "--dry-run")
	}
	for _, given := range flags.parameters {
		args = append(args, "-p", given)
	}
	if flags.plugin != "" {
		folder, err := folderOf(flags.plugin, filepath.Join(dir, "plugins"))
		if err != nil {
			return err
		}
		args = append(args, "--plugins", folder)
	}
	for _, folder := range flags.plugins {
		args = append(args, "--plugins", folder)
	}
	run := newRun()
	run.SilenceErrors, run.SilenceUsage = true, true
	run.SetArgs(args)
	run.SetIn(cmd.InOrStdin())
	run.SetOut(cmd.OutOrStdout())
	run.SetErr(cmd.ErrOrStderr())
	return run.ExecuteContext(cmd.Context())
}

// readStepConfig reads the config of a step from a file, or as it stands.
func readStepConfig(given string) (json.RawMessage, error) {
	text := []byte(given)
	if given == "" {
		return json.RawMessage(`{}`), nil
	}
	if !strings.HasPrefix(strings.TrimSpace(given), "{") {
		var err error
		if text, err = os.ReadFile(given); err != nil {
			return nil, fmt.Errorf("--config names a file, or is a JSON object: %w", err)
		}
	}
	raw, err := yaml.YAMLToJSON(text)
	if err != nil || !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		return nil, usageError("--config must be an object")
	}
	return raw, nil
}

// folderOf is a folder in which a plugin is found: its own, or for a binary of
// another name than plugins have, one with a copy.
func folderOf(plugin, spare string) (string, error) {
	absolute, err := filepath.Abs(plugin)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(absolute)
	if err != nil {
		return "", &exitError{exitMissing, err}
	}
	name := filepath.Base(absolute)
	if info.IsDir() || strings.HasPrefix(name, "vwmp-plugin-") {
		return filepath.Dir(absolute), nil
	}
	return spare, copyProgram(absolute, filepath.Join(spare, "vwmp-plugin-"+name))
}

// copyProgram puts a copy of a program into the place of one that may run.
func copyProgram(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	fresh := to + ".new"
	if err := os.WriteFile(fresh, content, 0o700); err != nil { //nolint:gosec // It is a program.
		return err
	}
	return os.Rename(fresh, to)
}
