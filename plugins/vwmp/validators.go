package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

const (
	// maxScriptOutput bounds what is kept of a script's output, in bytes.
	maxScriptOutput = 16 << 10
	// maxFailureOutput bounds a script's output in an error, in bytes.
	maxFailureOutput = 4 << 10
	maxLine          = 8 << 10
)

type validatorsConfig struct {
	Validators      []string `json:"validators" title:"Validators" description:"Scripts in the workspace. Each must be executable, or have an ending that names its interpreter: .py, .sh, .bash, .js, .mjs, .cjs, .ts, .rb, .pl, .php." default:"[]" max_items:"100" example:"[\"scripts/validate_changelog.py\"]"`
	StrictMode      bool     `json:"strict_mode" title:"Strict mode" description:"Call each script with --strict." default:"true"`
	ContinueOnError bool     `json:"continue_on_error" title:"Run them all" description:"Run the remaining scripts after one failed. The step fails all the same."`
}

type scriptResult struct {
	Script   string  `json:"script" title:"Script" description:"The script, relative to the workspace."`
	ExitCode int     `json:"exit_code" title:"Exit code" description:"How it ended; -1 if a signal ended it."`
	Duration float64 `json:"duration" title:"Duration" description:"How long it took, in seconds."`
	Output   string  `json:"output" title:"Output" description:"The end of what it printed."`
}

type validatorsOutput struct {
	ValidatorsRun int            `json:"validators_run" title:"Validators run" description:"How many scripts ran."`
	Results       []scriptResult `json:"results" title:"Results" description:"What came of each script."`
}

type validators struct{}

func validatorsHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "vwmp.run_validators", Name: "Run validators", Category: "Validation", Icon: "list-checks",
		Description: "Runs validator scripts of the workspace one after another. The step fails with the output of a script that ends with an exit code other than 0.",
		Effect:      pluginsdk.EffectUnsafe,
		Example:     example(map[string]any{"validators": []string{"scripts/validate_changelog.py"}, "strict_mode": true}),
	}, validators{})
}

// interpreters are tried in order; the first that is installed is used.
var interpreters = map[string][][]string{
	".py":   {{"python3"}, {"python"}},
	".sh":   {{"sh"}},
	".bash": {{"bash"}},
	".js":   {{"node"}},
	".mjs":  {{"node"}},
	".cjs":  {{"node"}},
	".ts":   {{"tsx"}, {"bun"}, {"node", "--experimental-strip-types"}},
	".rb":   {{"ruby"}},
	".pl":   {{"perl"}},
	".php":  {{"php"}},
}

// script is a validator that is there and how to start it.
type script struct {
	name    string
	command []string
}

// findScript says how to start a script, or why it can't be started.
func findScript(step *pluginsdk.Step, pointer, name string) (script, error) {
	if err := fileedit.CheckPath(pointer, name); err != nil {
		return script{}, err
	}
	info, err := step.Workspace.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return script{}, pluginsdk.Invalid(pointer, fmt.Sprintf("the validator %q is not there", name))
	case err != nil:
		return script{}, pluginsdk.Invalid(pointer, fmt.Sprintf("the validator %q can't be used: %v", name, err))
	case !info.Mode().IsRegular():
		return script{}, pluginsdk.Invalid(pointer, fmt.Sprintf("the validator %q is not a file", name))
	}
	file := filepath.Join(step.Workspace.Dir(), filepath.FromSlash(name))
	if info.Mode().Perm()&0o111 != 0 && runtime.GOOS != "windows" && startsItself(step, name) {
		return script{name, []string{file}}, nil
	}
	choices := interpreters[strings.ToLower(path.Ext(name))]
	if len(choices) == 0 {
		return script{}, pluginsdk.Invalid(pointer, fmt.Sprintf(
			"the validator %q is not executable, and its ending names no interpreter: make it executable (with a first line such as #!/bin/sh), or name it .py, .sh, .js, .rb or .pl", name))
	}
	for _, choice := range choices {
		if program, err := exec.LookPath(choice[0]); err == nil {
			return script{name, append(append([]string{program}, choice[1:]...), file)}, nil
		}
	}
	return script{}, pluginsdk.Permanent(fmt.Errorf("the validator %s needs %s, which is not installed or not on the PATH", name, choices[0][0])).
		WithCode("INTERPRETER_MISSING").WithFault(pluginsdk.FaultHost)
}

// startsItself reports whether the system knows how to start the file: a
// script with a #! line, or a program. Many checkouts make every file
// executable.
func startsItself(step *pluginsdk.Step, name string) bool {
	file, err := step.Workspace.Open(name)
	if err != nil {
		return false
	}
	head := make([]byte, 4)
	n, readErr := file.Read(head)
	closeErr := file.Close()
	if readErr != nil || closeErr != nil {
		return false
	}
	head = head[:n]
	return bytes.HasPrefix(head, []byte("#!")) || !isText(head)
}

func isText(head []byte) bool {
	for _, b := range head {
		if b < 0x09 || (b > 0x0d && b < 0x20) || b >= 0x7f {
			return false
		}
	}
	return true
}

func (c validatorsConfig) find(step *pluginsdk.Step) ([]script, error) {
	if len(c.Validators) > 0 && os.Getenv("VWMP_ALLOW_COMMANDS") == "false" {
		return nil, pluginsdk.Errorf("this server does not run commands, so the validators can't run; whoever runs it allows them with allow_commands").
			WithCode("COMMANDS_NOT_ALLOWED").WithFault(pluginsdk.FaultHost)
	}
	scripts := make([]script, 0, len(c.Validators))
	for i, name := range c.Validators {
		found, err := findScript(step, fmt.Sprintf("/validators/%d", i), name)
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, found)
	}
	return scripts, nil
}

// Execute runs the scripts in order. All of them must be there before the
// first one runs.
func (validators) Execute(ctx context.Context, step *pluginsdk.Step, config validatorsConfig) (validatorsOutput, error) {
	output := validatorsOutput{Results: []scriptResult{}}
	scripts, err := config.find(step)
	if err != nil {
		return output, err
	}
	if len(scripts) == 0 {
		step.Log.Info("there are no validators to run")
	}
	var failures []error
	for i, s := range scripts {
		step.Progress(100*float64(i)/float64(len(scripts)), s.name)
		result, err := s.run(ctx, step, config.StrictMode)
		if err != nil {
			return output, err
		}
		output.Results = append(output.Results, result)
		output.ValidatorsRun++
		if result.ExitCode == 0 {
			step.Log.Info(s.name + " passed")
			continue
		}
		step.Log.Error(fmt.Sprintf("%s failed with exit code %d", s.name, result.ExitCode))
		failures = append(failures, fmt.Errorf("%s failed with exit code %d:\n%s", s.name, result.ExitCode, tailOf(result.Output, maxFailureOutput)))
		if !config.ContinueOnError {
			break
		}
	}
	if len(failures) > 0 {
		return output, pluginsdk.Permanent(errors.Join(failures...)).WithCode("VALIDATION_FAILED")
	}
	return output, nil
}

// run runs one script. The error is one of starting it, or the end of ctx;
// a script that fails is a result.
func (s script) run(ctx context.Context, step *pluginsdk.Step, isStrict bool) (scriptResult, error) {
	result := scriptResult{Script: s.name}
	args := s.command[1:]
	if isStrict {
		args = append(append([]string{}, args...), "--strict")
	}
	printed := &scriptOutput{line: func(line string) { step.Log.Info(line, "script", s.name) }}
	cmd := exec.Command(s.command[0], args...)
	cmd.Dir = step.Workspace.Dir()
	cmd.Stdout, cmd.Stderr = printed, printed
	started := time.Now()
	err := pluginsdk.RunCommand(ctx, cmd)
	printed.flush()
	result.Duration = time.Since(started).Seconds()
	result.Output = tailOf(printed.String(), maxScriptOutput)
	if ctx.Err() != nil {
		return result, fmt.Errorf("run %s: %w", s.name, context.Cause(ctx))
	}
	var exit *exec.ExitError
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		// A child that outlives the script is ended with it.
		return result, nil
	case errors.As(err, &exit):
		result.ExitCode = exit.ExitCode()
		return result, nil
	}
	return result, pluginsdk.Errorf("the validator %s can't be started: %w", s.name, err)
}

// Plan names the scripts that would run.
func (validators) Plan(_ context.Context, step *pluginsdk.Step, config validatorsConfig) ([]pluginsdk.PlannedEffect, error) {
	scripts, err := config.find(step)
	if err != nil {
		return nil, err
	}
	var effects []pluginsdk.PlannedEffect
	for _, s := range scripts {
		effects = append(effects, pluginsdk.PlannedEffect{Action: "run", Target: s.name, Summary: "run the validator " + s.name, Known: true})
	}
	return effects, nil
}

// tailOf returns the last limit bytes, from the start of a line where there
// is one.
func tailOf(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	text = text[len(text)-limit:]
	if _, rest, ok := strings.Cut(text, "\n"); ok {
		text = rest
	}
	return "…\n" + strings.ToValidUTF8(text, "")
}

// scriptOutput hands on each line as it comes and keeps the end of them all.
type scriptOutput struct {
	line func(string)

	mu      sync.Mutex
	kept    bytes.Buffer
	partial []byte
}

// Write never fails, so that a script is not stopped by what it prints.
func (o *scriptOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept.Write(p)
	if over := o.kept.Len() - 2*maxScriptOutput; over > 0 {
		o.kept.Next(over)
	}
	o.partial = append(o.partial, p...)
	for {
		end := bytes.IndexByte(o.partial, '\n')
		next := end + 1
		if end < 0 {
			if len(o.partial) < maxLine {
				return len(p), nil
			}
			end, next = maxLine, maxLine
		}
		o.emit(o.partial[:end])
		o.partial = o.partial[next:]
	}
}

func (o *scriptOutput) emit(line []byte) {
	if text := strings.TrimRight(strings.ToValidUTF8(string(line), "\uFFFD"), " \t\r"); text != "" {
		o.line(text)
	}
}

func (o *scriptOutput) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.emit(o.partial)
	o.partial = nil
}

// String returns what was kept, with valid UTF-8.
func (o *scriptOutput) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.ToValidUTF8(o.kept.String(), "\uFFFD")
}
