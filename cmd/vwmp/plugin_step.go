package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

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

func pluginDev() *cobra.Command {
	var flags stepFlags
	var handler, into string
	var once bool
	command := &cobra.Command{
		Use: "dev [DIR]", Short: "Build a plugin at each change of its files, and run a step of it", Args: cobra.MaximumNArgs(1),
		Long: `Builds the project in DIR (Go: go build, TypeScript: npm run build, Python: nothing) and runs a step of it, at the
start and after each change of a file, until Ctrl-C. A server that was started with --plugins DIR, or with the
folder above DIR for one with a plugin.yaml, takes up each new build by itself; --into puts the binary elsewhere.`,
		Example: "  vwmp plugin dev --step hello.say --config '{\"text\": \"Hi\"}'\n  vwmp plugin dev ~/hello --into ~/.local/share/vwmp/plugins",
	}
	flags.declare(command)
	command.Flags().StringVar(&handler, "step", "", "handler to call after each build")
	command.Flags().StringVar(&into, "into", "", "folder of plugins that gets each build, for Go")
	command.Flags().BoolVar(&once, "once", false, "build and run once, and end")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		dir := "."
		if len(args) > 0 {
			dir = args[0]
		}
		dir, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		for {
			seen, err := changeMark(dir)
			if err != nil {
				return err
			}
			err = buildAndRun(cmd, dir, handler, into, flags)
			if once || cmd.Context().Err() != nil {
				return err
			}
			if err != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), "vwmp:", err)
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "waiting for a change; Ctrl-C ends")
			if !awaitChange(cmd.Context(), dir, seen) {
				return nil
			}
		}
	}
	return command
}

// buildAndRun builds the project in a folder, and runs a step of it.
func buildAndRun(cmd *cobra.Command, dir, handler, into string, flags stepFlags) error {
	has := func(name string) bool { _, err := os.Stat(filepath.Join(dir, name)); return err == nil }
	var build []string
	flags.plugin = dir
	switch {
	case has("go.mod"):
		flags.plugin = filepath.Join(dir, "vwmp-plugin-"+strings.TrimPrefix(filepath.Base(dir), "vwmp-plugin-"))
		build = []string{"go", "build", "-o", flags.plugin, "."}
	case has("package.json"):
		build = []string{"npm", "run", "--silent", "build"}
	case !has("plugin.yaml"):
		return usageError("%s has neither go.mod nor package.json nor plugin.yaml", dir)
	}
	began := time.Now()
	if build != nil {
		program := exec.CommandContext(cmd.Context(), build[0], build[1:]...) //nolint:gosec // It is one of the commands above.
		program.Dir, program.Stdout, program.Stderr = dir, cmd.ErrOrStderr(), cmd.ErrOrStderr()
		if err := program.Run(); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(build, " "), err)
		}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "built in %s\n", time.Since(began).Round(10*time.Millisecond))
	if into != "" {
		if !has("go.mod") {
			return usageError("--into is for plugins that are one binary; start the server with --plugins %s", filepath.Dir(dir))
		}
		if err := copyProgram(flags.plugin, filepath.Join(into, filepath.Base(flags.plugin))); err != nil {
			return err
		}
	}
	if handler == "" {
		return nil
	}
	if err := runStep(cmd, handler, flags); err != nil {
		var exit *exitError
		if errors.As(err, &exit) && exit.cause == nil {
			return errors.New("the step failed")
		}
		return err
	}
	return nil
}

// changeMark is another one after each change of a project's sources.
func changeMark(dir string) (string, error) {
	var mark strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch name := entry.Name(); {
		case entry.IsDir() && path != dir && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "dist" || name == "__pycache__"):
			return fs.SkipDir
		case entry.IsDir() || strings.HasPrefix(name, "vwmp-plugin-"):
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return nil //nolint:nilerr // It is gone again.
		}
		fmt.Fprintf(&mark, "%s %d %d\n", path, info.Size(), info.ModTime().UnixNano())
		return nil
	})
	return mark.String(), err
}

// devTick is how often a project is looked at, which is cheap and works on
// every file system.
const devTick = 300 * time.Millisecond

// awaitChange waits for a change; false where ctx ended first.
func awaitChange(ctx context.Context, dir, seen string) bool {
	tick := time.NewTicker(devTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
		if mark, err := changeMark(dir); err == nil && mark != seen {
			return true
		}
	}
}
