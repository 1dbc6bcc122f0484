package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/host/pluginhost"
	"github.com/vwmp/vwmp/pluginsdk"
)

// validated is a file's verdict.
type validated struct {
	File     string              `json:"file"`
	Valid    bool                `json:"valid"`
	Problems []pluginsdk.Problem `json:"problems"`
	// Order is the execution order, as levels of step ids.
	Order [][]string `json:"execution_order,omitempty"`
}

func newValidate() *cobra.Command {
	var output string
	command := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Check workflow files and show every problem with its place",
		Example: `  vwmp validate release.yaml
  vwmp validate workflows/*.yaml --output json`,
		Args: cobra.MinimumNArgs(1),
	}
	configFlags(command.Flags())
	for _, name := range []string{"addr", "auth", "allowed-host", "workspace"} {
		_ = command.Flags().MarkHidden(name)
	}
	command.Flags().StringVarP(&output, "output", "o", "text", "how to print: text or json")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if output != "text" && output != "json" {
			return usageError("--output must be text or json, not %q", output)
		}
		s, err := loadSettings(cmd.Flags(), getenv)
		if err != nil {
			return err
		}
		ctx := cmd.Context()
		plugins, err := pluginhost.New(ctx, pluginhost.Options{
			Dirs: s.pluginSearch(), Settings: s, LockFile: s.lockFile(), DataDir: s.Data, Logger: runLogger(cmd, s),
		})
		if err != nil {
			return err
		}
		defer func() {
			closeCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
			defer cancel()
			_ = plugins.Close(closeCtx)
		}()
		if err := plugins.Ready(ctx); err != nil {
			return err
		}
		return validateFiles(cmd, plugins, args, output)
	}
	return command
}

func validateFiles(cmd *cobra.Command, plugins *pluginhost.Host, files []string, output string) error {
	list := make([]validated, 0, len(files))
	valid := true
	for _, file := range files {
		text, err := readInput(cmd, file)
		if err != nil {
			return err
		}
		v := validateText(cmd.Context(), plugins, file, text)
		valid = valid && v.Valid
		list = append(list, v)
	}
	if output == "json" {
		if err := printValue(cmd.OutOrStdout(), "json", list, nil); err != nil {
			return err
		}
	} else {
		for _, v := range list {
			for _, p := range v.Problems {
				fmt.Fprintln(cmd.OutOrStdout(), problemLine(v.File, p.Line, p.Column, string(p.Severity), p.Message))
			}
			if v.Valid {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: valid\n", v.File)
			}
		}
	}
	if !valid {
		return &exitError{exitFailed, nil}
	}
	return nil
}

func validateText(ctx context.Context, plugins *pluginhost.Host, file string, text []byte) validated {
	v := validated{File: file, Problems: []pluginsdk.Problem{}}
	document, problems := workflow.Parse(text, workflow.ParseOptions{Format: workflow.DetectFormat(text), IgnoreMetadata: true})
	if document != nil {
		// What parses only in part is still checked, so that all problems
		// are told at once.
		graph, found := engine.Check(ctx, document, plugins)
		problems = append(problems, found...)
		if graph != nil {
			v.Order = graph.Levels()
		}
	}
	problems = problems.Sort()
	v.Problems = append(v.Problems, problems...)
	v.Valid = !problems.HasErrors()
	return v
}
