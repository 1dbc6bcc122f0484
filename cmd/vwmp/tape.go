package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/cassette"
	"github.com/vwmp/vwmp/host/pluginhost"
	"github.com/vwmp/vwmp/pluginsdk"
)

// tape stands between the engine and the plugins of a run.
type tape interface {
	// around wraps the invoker; dirs, where it is not nil, are all the folders
	// of plugins.
	around(next engine.Invoker, catalogue engine.Catalogue) (engine.Invoker, engine.Catalogue)
	dirs() []string
	// ended gets the result; over: there is nothing more to say of the run.
	ended(cmd *cobra.Command, result *engine.Result) (over bool, err error)
}

// around is what a core needs of the tape, if there is one.
func (f *runFlags) around() (func(engine.Invoker, engine.Catalogue) (engine.Invoker, engine.Catalogue), []string) {
	if f.tape == nil {
		return nil, nil
	}
	return f.tape.around, f.tape.dirs()
}

// recording writes down what a run calls.
type recording struct {
	file     string
	flags    *runFlags
	recorder *cassette.Recorder
}

func (r *recording) around(next engine.Invoker, catalogue engine.Catalogue) (engine.Invoker, engine.Catalogue) {
	r.recorder = cassette.NewRecorder(next, catalogue)
	return r.recorder, catalogue
}

func (*recording) dirs() []string { return nil }

func (r *recording) ended(cmd *cobra.Command, result *engine.Result) (bool, error) {
	c := r.recorder.Cassette(result)
	c.Skips, c.Approvals, c.Signals = r.flags.skips, r.flags.approvals, r.flags.signals
	if err := writeCassette(r.file, c); err != nil {
		return false, err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "recorded in %s, calls: %d\n", r.file, len(c.Calls))
	return false, nil
}

func writeCassette(file string, c *cassette.Cassette) error {
	text, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return fmt.Errorf("write the recording: %w", err)
	}
	return os.WriteFile(file, append(text, '\n'), 0o600)
}

// playing plays a recording, and tells where the run differs from it.
type playing struct {
	player *cassette.Player
	output string
	// plugin is the name of the one whose calls are made once more, folder
	// where it lies.
	plugin, folder string
}

func (p *playing) around(next engine.Invoker, _ engine.Catalogue) (engine.Invoker, engine.Catalogue) {
	if p.plugin != "" {
		p.player.Try(p.plugin, next)
	}
	return p.player, p.player
}

func (p *playing) dirs() []string {
	if p.folder == "" {
		return []string{}
	}
	return []string{p.folder}
}

func (p *playing) ended(cmd *cobra.Command, result *engine.Result) (bool, error) {
	differences := p.player.Differences(result)
	if p.output == "json" {
		if differences == nil {
			differences = []cassette.Difference{}
		}
		if err := printValue(cmd.OutOrStdout(), "json", map[string]any{"status": result.Status, "differences": differences}, nil); err != nil {
			return true, err
		}
	} else {
		tellDifferences(cmd, differences)
	}
	if len(differences) > 0 {
		return true, &exitError{exitFailed, nil}
	}
	return true, nil
}

func tellDifferences(cmd *cobra.Command, differences []cassette.Difference) {
	out := cmd.OutOrStdout()
	if len(differences) == 0 {
		fmt.Fprintln(out, "as recorded")
		return
	}
	step := "\x00"
	for _, d := range differences {
		if d.Step != step {
			step = d.Step
			name := step
			if name == "" {
				name = "the run"
			}
			fmt.Fprintf(out, "%s\n", printable(name))
		}
		fmt.Fprintf(out, "  %s%s\n    recorded: %s\n    now:      %s\n", d.What, pointerText(d.Pointer), printable(d.Recorded), printable(d.Now))
	}
	fmt.Fprintf(out, "differences from the recording: %d\n", len(differences))
}

func pointerText(pointer string) string {
	if pointer == "" {
		return ""
	}
	return " " + pointer
}

// testFlags say what a workflow is tested against.
type testFlags struct {
	run                      runFlags
	cassette, plugin, output string
	ignore                   []string
}

func newTest() *cobra.Command {
	var flags testFlags
	command := &cobra.Command{
		Use: "test FILE", Short: "Run a workflow file against a recording, without any plugin", Args: cobra.ExactArgs(1),
		Long: `Runs a workflow file, with the calls to plugins answered from a recording of an earlier run ("vwmp run --record", or
"vwmp execution record"), and tells per step what is not as it was: configs, calls, ends of steps. No plugin is
started. With --plugin each recorded call to that plugin is made once more, by the binary given and in an empty
workspace unless --workspace names one, and what comes of it is compared with the recording.
Parameters, approvals and signals are those of the recording. It ends with 1 where anything differs.`,
		Example: `  vwmp run release.yaml --record release.cassette.json -p summary="Faster start"
  vwmp test release.yaml --cassette release.cassette.json
  vwmp test release.yaml --cassette release.cassette.json --plugin ./vwmp-plugin-git --ignore commit/commit_hash`,
	}
	configFlags(command.Flags())
	for _, name := range []string{"addr", "auth", "allowed-host", "plugins"} {
		// They belong to a server, or to plugins that are not called.
		_ = command.Flags().MarkHidden(name)
	}
	flags.run.parameters.declare(command.Flags())
	command.Flags().StringVar(&flags.cassette, "cassette", "", "the recording")
	command.Flags().StringVar(&flags.plugin, "plugin", "", "a plugin's binary or folder, whose calls are made once more")
	command.Flags().StringArrayVar(&flags.ignore, "ignore", nil, "what may differ, as STEP/POINTER into the config or the output; repeatable")
	command.Flags().StringVarP(&flags.output, "output", "o", "text", "how to print: text or json")
	_ = command.MarkFlagRequired("cassette")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if flags.output != "text" && flags.output != "json" {
			return usageError("--output must be text or json, not %q", flags.output)
		}
		return flags.test(cmd, args[0])
	}
	return command
}

// test runs a file against the recording.
func (f *testFlags) test(cmd *cobra.Command, file string) (err error) {
	text, err := os.ReadFile(f.cassette)
	if err != nil {
		return &exitError{exitMissing, err}
	}
	recorded, err := cassette.Read(text)
	if err != nil {
		return fmt.Errorf("%s: %w", f.cassette, err)
	}
	dir, err := os.MkdirTemp("", "vwmp-test-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := loadSettings(cmd.Flags(), getenv)
	if err != nil {
		return err
	}
	if s.runSecrets, err = pretendedSecrets(); err != nil {
		return err
	}
	if !cmd.Flags().Changed("workspace") {
		s.Workspaces = []string{filepath.Join(dir, "workspace")}
		if err := os.Mkdir(s.Workspaces[0], 0o700); err != nil {
			return err
		}
	}
	tape := &playing{player: cassette.NewPlayer(recorded, f.ignore), output: f.output}
	if f.plugin != "" {
		if err := tape.try(cmd, f.plugin, filepath.Join(dir, "plugins")); err != nil {
			return err
		}
	}
	run := &f.run
	run.tape, run.output = tape, "json" // Which shows nothing before the end.
	run.workflowID = recorded.Workflow
	run.skips, run.approvals, run.signals = recorded.Skips, recorded.Approvals, recorded.Signals
	if run.parameters.file == "" {
		run.parameters.file = filepath.Join(dir, "parameters.json")
		if err := os.WriteFile(run.parameters.file, recorded.Parameters, 0o600); err != nil { //nolint:gosec // It is in a folder that was just made.
			return err
		}
	}
	return runFile(cmd, s, run, file)
}

// try finds out which plugin it is that calls are made to once more.
func (p *playing) try(cmd *cobra.Command, path, spare string) error {
	described, err := pluginhost.Describe(cmd.Context(), path, pluginhost.Options{})
	if err != nil {
		return err
	}
	p.plugin = described.Description.Name
	p.folder, err = folderOf(path, spare)
	return err
}

// pretendedSecrets gives each secret a value: a recording holds none, and none
// is needed where no plugin is called.
func pretendedSecrets() (func(name string) (string, bool), error) {
	given, err := readRunSecrets("", os.LookupEnv)
	if err != nil {
		return nil, err
	}
	return func(name string) (string, bool) {
		if value, found := given(name); found {
			return value, true
		}
		return "the recording's secret " + name, true
	}, nil
}

func executionRecord(where *target) *cobra.Command {
	var file string
	command := &cobra.Command{
		Use: "record ID", Short: "Make a recording of an execution, for \"vwmp test\"", Args: cobra.ExactArgs(1),
		Long: `Writes how each attempt of an execution that has ended went, as a recording for "vwmp test". What the store does not
keep is not in it: the configs that the steps had, and what they said meanwhile. "vwmp run --record" has all.`,
		Example: "  vwmp execution record 0192… --file release.cassette.json",
	}
	command.Flags().StringVar(&file, "file", "", "where to write it (default ID.cassette.json)")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := where.connect(cmd)
		if err != nil {
			return err
		}
		defer c.close()
		var result engine.Result
		if err := c.call(cmd.Context(), http.MethodGet, "/executions/"+url.PathEscape(args[0])+"/", nil, nil, &result); err != nil {
			return err
		}
		if !result.Status.Ended() {
			return &exitError{exitRefused, fmt.Errorf("execution %s is %s; only one that has ended can be recorded", args[0], result.Status)}
		}
		var answer struct {
			Handlers []struct {
				pluginsdk.HandlerInfo
				Plugin        string `json:"plugin"`
				PluginVersion string `json:"plugin_version"`
			} `json:"handlers"`
		}
		if err := c.call(cmd.Context(), http.MethodGet, "/step-handlers/", nil, nil, &answer); err != nil {
			return err
		}
		made, err := cassette.FromResult(&result, func(path string) (cassette.Handler, bool) {
			for _, h := range answer.Handlers {
				if h.Path == path {
					return cassette.Handler{HandlerInfo: h.HandlerInfo, Plugin: h.Plugin, PluginVersion: h.PluginVersion}, true
				}
			}
			return cassette.Handler{}, false
		})
		if err != nil {
			return &exitError{exitRefused, err}
		}
		if file == "" {
			file = args[0] + ".cassette.json"
		}
		if err := writeCassette(file, made); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "recorded in %s, calls: %d\n", file, len(made.Calls))
		return nil
	}
	return command
}
