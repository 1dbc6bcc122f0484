package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

type runConfig struct {
	Command             string             `json:"command" title:"Program" description:"A program on the PATH, or a file of the workspace with a slash in its name (./build.sh). Either this or a script." example:"make"`
	Args                []string           `json:"args" title:"Arguments" description:"The program's or the script's arguments, each as it is: nothing is split or expanded." max_items:"1000" example:"[\"test\", \"--verbose\"]"`
	Script              string             `json:"script" title:"Script" description:"A script's text. Values reach it as arguments or variables; references in it are refused." multiline:"true" widget:"code" script:"true" max_length:"200000" example:"echo \"$1\""`
	Interpreter         string             `json:"interpreter" title:"Interpreter" description:"What runs the script." enum:"sh,bash,python3,node,perl,ruby,php,pwsh" default:"sh"`
	UnsafeInterpolation bool               `json:"unsafe_interpolation" title:"Allow references in the script" description:"References in the script's text are put in as they are, so that a value can become code. The audit notes it."`
	WorkingDir          string             `json:"working_dir" title:"Folder" description:"The folder of the workspace to run in." default:"." example:"frontend"`
	Env                 map[string]string  `json:"env" title:"Variables" description:"Variables for the program." example:"{\"CI\": \"true\"}"`
	InheritEnv          []string           `json:"inherit_env" title:"Inherited variables" description:"Variables of the server that the program sees too; NAME_* stands for all that begin so. Only those that the server gives to plugins can be had." default:"[\"PATH\", \"HOME\", \"USER\", \"LANG\", \"LC_*\", \"TZ\", \"TMPDIR\"]"`
	Stdin               string             `json:"stdin" title:"Input" description:"Text for the program's standard input." multiline:"true"`
	Timeout             pluginsdk.Duration `json:"timeout" title:"Timeout" description:"How long the program may run; 0 leaves it to the step." default:"0" example:"10m"`
	MaxOutput           int                `json:"max_output" title:"Maximum output" description:"How much of each of stdout and stderr is kept, in bytes; of more, the end is kept." default:"262144" minimum:"0" maximum:"3145728"`
	LogOutput           bool               `json:"log_output" title:"Log the output" description:"Write each line to the step's log as it comes." default:"true"`
	SuccessCodes        []int              `json:"success_codes" title:"Success exit codes" description:"Exit codes that count as success." default:"[0]" min_items:"1" max_items:"256"`
}

type runOutput struct {
	ExitCode        int     `json:"exit_code" title:"Exit code" description:"How the program ended; -1 if a signal ended it."`
	Stdout          string  `json:"stdout" title:"Output" description:"What it printed."`
	Stderr          string  `json:"stderr" title:"Error output" description:"What it printed to standard error."`
	StdoutTruncated bool    `json:"stdout_truncated" title:"Output truncated" description:"True if only the end of the output was kept."`
	StderrTruncated bool    `json:"stderr_truncated" title:"Error output truncated" description:"True if only the end of the error output was kept."`
	Duration        float64 `json:"duration" title:"Duration" description:"How long it took, in seconds."`
}

type runner struct{}

// grace is how long a cancelled command, and what it started in groups and
// sessions of its own, may clean up. The host waits for 5 s before it ends the
// plugin.
const grace = 2 * time.Second

// endings are those that interpreters want of a script's file.
var endings = map[string]string{"node": ".cjs", "pwsh": ".ps1"}

// ValidateConfig says what the schema can't.
func (runner) ValidateConfig(_ context.Context, config runConfig) []pluginsdk.Problem {
	var problems []pluginsdk.Problem
	add := func(pointer, code, message string) {
		problems = append(problems, pluginsdk.Problem{Severity: pluginsdk.SeverityError, Pointer: pointer, Code: code, Message: message})
	}
	switch {
	case config.Command == "" && config.Script == "":
		add("", "nothing_to_run", "Name a program in command, or write a script.")
	case config.Command != "" && config.Script != "":
		add("/script", "two_commands", "Either name a program in command or write a script, not both.")
	}
	for name := range config.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			add("/env", "bad_name", fmt.Sprintf("%q can't be a variable's name.", name))
		}
	}
	return problems
}

// command makes the command of a config, or says why it can't be run. The
// clean-up is called once it has ended.
func (c runConfig) command(step *pluginsdk.Step) (cmd *exec.Cmd, cleanUp func(), err error) {
	cleanUp = func() {}
	if os.Getenv("VWMP_ALLOW_COMMANDS") == "false" {
		return nil, cleanUp, pluginsdk.Errorf("this server does not run commands; whoever runs it allows them with allow_commands").
			WithCode("COMMANDS_NOT_ALLOWED").WithFault(pluginsdk.FaultHost)
	}
	if problems := (runner{}).ValidateConfig(context.Background(), c); len(problems) > 0 {
		return nil, cleanUp, pluginsdk.Invalid(problems[0].Pointer, problems[0].Message)
	}
	if i := slices.IndexFunc(c.Args, func(arg string) bool { return strings.Contains(arg, "\x00") }); i >= 0 {
		return nil, cleanUp, pluginsdk.Invalid(fmt.Sprintf("/args/%d", i), "an argument can't hold a NUL")
	}
	dir, err := c.folder(step)
	if err != nil {
		return nil, cleanUp, err
	}
	if c.Script == "" {
		program, err := c.program(step)
		if err != nil {
			return nil, cleanUp, err
		}
		cmd = exec.Command(program, c.Args...)
	} else {
		cmd, cleanUp, err = c.scripted()
		if err != nil {
			return nil, cleanUp, err
		}
	}
	cmd.Dir, cmd.Env = dir, c.environment()
	if c.Stdin != "" {
		cmd.Stdin = strings.NewReader(c.Stdin)
	}
	return cmd, cleanUp, nil
}

func (c runConfig) folder(step *pluginsdk.Step) (string, error) {
	if step.Workspace.Dir() == "" {
		return "", pluginsdk.Errorf("this run has no workspace, so there is no folder to run in")
	}
	if err := fileedit.CheckPath("/working_dir", c.WorkingDir); err != nil {
		return "", err
	}
	info, err := step.Workspace.Stat(c.WorkingDir)
	switch {
	case err != nil:
		return "", pluginsdk.Invalid("/working_dir", fmt.Sprintf("the folder %q can't be used: %v", c.WorkingDir, err))
	case !info.IsDir():
		return "", pluginsdk.Invalid("/working_dir", fmt.Sprintf("%q is not a folder", c.WorkingDir))
	}
	return filepath.Join(step.Workspace.Dir(), filepath.FromSlash(c.WorkingDir)), nil
}

// program finds the program: on the PATH, or, with a slash in its name, in the
// workspace.
func (c runConfig) program(step *pluginsdk.Step) (string, error) {
	name := c.Command
	if strings.Contains(name, "/") && !filepath.IsAbs(name) {
		if err := fileedit.CheckPath("/command", name); err != nil {
			return "", err
		}
		if _, err := step.Workspace.Stat(name); err != nil {
			return "", pluginsdk.Invalid("/command", fmt.Sprintf("the program %q can't be used: %v", name, err))
		}
		name = filepath.Join(step.Workspace.Dir(), filepath.FromSlash(name))
	}
	return lookUp(name)
}

func lookUp(name string) (string, error) {
	program, err := exec.LookPath(name)
	if err != nil {
		return "", pluginsdk.Permanent(fmt.Errorf("the program %s can't be run: %w; it must be installed on the server and on its PATH", name, errors.Unwrap(err))).
			WithCode("PROGRAM_MISSING").WithFault(pluginsdk.FaultHost)
	}
	return program, nil
}

// scripted writes the script to a file of its own, which any interpreter can
// read and no other user can.
func (c runConfig) scripted() (*exec.Cmd, func(), error) {
	interpreter, err := lookUp(c.Interpreter)
	if err != nil {
		return nil, func() {}, err
	}
	dir, err := os.MkdirTemp("", "vwmp-shell-")
	if err != nil {
		return nil, func() {}, fmt.Errorf("make a folder for the script: %w", err)
	}
	cleanUp := func() { _ = os.RemoveAll(dir) }
	file := filepath.Join(dir, "script"+endings[c.Interpreter])
	if err := os.WriteFile(file, []byte(c.Script), 0o600); err != nil {
		return nil, cleanUp, fmt.Errorf("write the script: %w", err)
	}
	return exec.Command(interpreter, append([]string{file}, c.Args...)...), cleanUp, nil
}

// environment is what the program sees: what it may inherit, and its own.
func (c runConfig) environment() []string {
	env := []string{}
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if slices.ContainsFunc(c.InheritEnv, func(allowed string) bool {
			prefix, isPrefix := strings.CutSuffix(allowed, "*")
			return (isPrefix && prefix != "" && strings.HasPrefix(name, prefix)) || name == allowed
		}) || (runtime.GOOS == "windows" && isNeeded(name)) {
			env = append(env, entry)
		}
	}
	for name, value := range c.Env {
		env = append(env, name+"="+value)
	}
	return env
}

// isNeeded knows the variables without which Windows starts no program.
func isNeeded(name string) bool {
	return slices.Contains([]string{"SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "TEMP", "TMP"}, strings.ToUpper(name))
}

// Plan names the command.
func (runner) Plan(_ context.Context, step *pluginsdk.Step, config runConfig) ([]pluginsdk.PlannedEffect, error) {
	cmd, cleanUp, err := config.command(step)
	if err != nil {
		return nil, err
	}
	cleanUp()
	effect := pluginsdk.PlannedEffect{Action: "run", Target: config.Command, Known: true}
	if config.Script != "" {
		effect.Target = config.Interpreter
		effect.Summary = fmt.Sprintf("run a script of %d lines with %s in %s", strings.Count(strings.TrimRight(config.Script, "\n"), "\n")+1, config.Interpreter, config.WorkingDir)
	} else {
		effect.Summary = fmt.Sprintf("run %q in %s", append([]string{config.Command}, cmd.Args[1:]...), config.WorkingDir)
	}
	return []pluginsdk.PlannedEffect{effect}, nil
}

// Execute runs the command and waits for it.
func (runner) Execute(ctx context.Context, step *pluginsdk.Step, config runConfig) (runOutput, error) {
	var output runOutput
	cmd, cleanUp, err := config.command(step)
	if err != nil {
		return output, err
	}
	defer cleanUp()
	if config.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, config.Timeout.Std())
		defer cancel()
	}
	stdout, stderr := newStream(step, "stdout", config), newStream(step, "stderr", config)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	// Everything that the command starts inherits the mark, wherever it goes.
	mark := "VWMP_SHELL_RUN=" + rand.Text()
	cmd.Env = append(cmd.Env, mark)
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-ended:
		case <-time.After(grace):
			killMarked(mark)
		}
	})
	started := time.Now()
	err = pluginsdk.RunCommand(ctx, cmd)
	close(ended)
	stop()
	killMarked(mark)
	output.Duration = time.Since(started).Seconds()
	output.Stdout, output.StdoutTruncated = stdout.end()
	output.Stderr, output.StderrTruncated = stderr.end()
	return output, config.judge(ctx, cmd, err, &output)
}

// judge says how the command ended.
func (c runConfig) judge(ctx context.Context, cmd *exec.Cmd, err error, output *runOutput) error {
	if ctx.Err() != nil {
		if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			return fmt.Errorf("the command did not end in time: %w", context.DeadlineExceeded)
		}
		return fmt.Errorf("run the command: %w", context.Cause(ctx))
	}
	var exit *exec.ExitError
	// A child that outlived the command and held its output was ended with it.
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return pluginsdk.Errorf("the command can't be started: %w", err).WithCode("START_FAILED")
	}
	output.ExitCode = cmd.ProcessState.ExitCode()
	if slices.Contains(c.SuccessCodes, output.ExitCode) {
		return nil
	}
	said := output.Stderr
	if strings.TrimSpace(said) == "" {
		said = output.Stdout
	}
	message := fmt.Sprintf("the command ended with exit code %d", output.ExitCode)
	if output.ExitCode < 0 {
		message = fmt.Sprintf("the command was ended by a signal (%s)", cmd.ProcessState)
	}
	if said = strings.TrimSpace(tailOf(said, maxMessage)); said != "" {
		message += ":\n" + said
	}
	return pluginsdk.Retryable(errors.New(message)).WithCode("COMMAND_FAILED").WithFault(pluginsdk.FaultUser)
}
