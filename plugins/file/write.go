package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

type writeConfig struct {
	Path       string          `json:"path" title:"File" description:"The file, relative to the workspace." required:"true" min_length:"1" example:"out/report.md"`
	Content    string          `json:"content" title:"Content" description:"What to write." multiline:"true" example:"# Report"`
	JSON       json.RawMessage `json:"json,omitempty" title:"JSON" description:"A value to write as JSON, instead of the content." widget:"json"`
	Encoding   string          `json:"encoding" title:"Encoding" description:"How the content is given." enum:"text,base64" default:"text"`
	Overwrite  bool            `json:"overwrite" title:"Replace" description:"Replace a file that is there; off, the step fails." default:"true"`
	Executable bool            `json:"executable" title:"Executable" description:"Make the file executable."`
	KeepConfig
}

type writeOutput struct {
	Path    string `json:"path" title:"File" description:"The file."`
	Size    int64  `json:"size" title:"Size" description:"Its size in bytes."`
	SHA256  string `json:"sha256" title:"SHA-256" description:"Its checksum in hex."`
	Created bool   `json:"created" title:"Created" description:"True if it was not there before."`
	Changed bool   `json:"changed" title:"Changed" description:"False if it held the same already."`
}

type writer struct{ undoer }

func (c writeConfig) data() ([]byte, error) {
	hasJSON := len(c.JSON) > 0 && string(c.JSON) != "null"
	switch {
	case hasJSON && c.Content != "":
		return nil, pluginsdk.Invalid("/json", "give either a content or a JSON value, not both")
	case hasJSON:
		var out bytes.Buffer
		if err := json.Indent(&out, c.JSON, "", "  "); err != nil {
			return nil, pluginsdk.Invalid("/json", fmt.Sprintf("the value is not JSON: %v", err))
		}
		return append(out.Bytes(), '\n'), nil
	case c.Encoding == "base64":
		data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(c.Content))
		if err != nil {
			return nil, pluginsdk.Invalid("/content", fmt.Sprintf("the content is not base64: %v", err))
		}
		return data, nil
	}
	return []byte(c.Content), nil
}

// planWrite shows a text with a diff.
func planWrite(step *pluginsdk.Step, name string, data []byte, summary string) ([]pluginsdk.PlannedEffect, error) {
	if err := checkPath("/path", name); err != nil {
		return nil, err
	}
	before, isThere, err := fileedit.ReadFile(step, "/path", name)
	if err != nil {
		return nil, err
	}
	effects := fileedit.Plan([]fileedit.Edit{{File: name, Before: before, After: data, IsNew: !isThere}}, summary, true)
	if bytes.IndexByte(data, 0) >= 0 || bytes.IndexByte(before, 0) >= 0 {
		for i := range effects {
			effects[i].Diff = ""
		}
	}
	return effects, nil
}

// Plan shows the change.
func (writer) Plan(_ context.Context, step *pluginsdk.Step, config writeConfig) ([]pluginsdk.PlannedEffect, error) {
	data, err := config.data()
	if err != nil {
		return nil, err
	}
	return planWrite(step, config.Path, data, fmt.Sprintf("write %d bytes", len(data)))
}

// Execute writes the file.
func (writer) Execute(ctx context.Context, step *pluginsdk.Step, config writeConfig) (writeOutput, error) {
	data, err := config.data()
	if err != nil {
		return writeOutput{}, err
	}
	var mode fs.FileMode
	if config.Executable {
		mode = 0o755
	}
	return writeFile(ctx, step, config.Path, data, mode, config.Overwrite, config.KeepConfig)
}

func writeFile(ctx context.Context, step *pluginsdk.Step, name string, data []byte, mode fs.FileMode, overwrite bool, keep KeepConfig) (writeOutput, error) {
	output := writeOutput{Path: name}
	if err := checkPath("/path", name); err != nil {
		return output, err
	}
	k, err := newKeeper(step, keep)
	if err != nil {
		return output, err
	}
	if isThere, err := step.Workspace.Exists(name); err == nil && isThere && !overwrite && !k.known[name] {
		return output, pluginsdk.Errorf("%s is there already", name).WithCode("FILE_EXISTS")
	}
	w, err := k.write(ctx, name, bytes.NewReader(data), mode)
	if err != nil {
		return output, err
	}
	output.Size, output.SHA256, output.Created, output.Changed = w.size, w.sum, w.isNew, !w.isSame
	step.Log.Info("wrote "+name, "bytes", w.size, "changed", output.Changed)
	return output, nil
}

type appendConfig struct {
	Path    string `json:"path" title:"File" description:"The file, relative to the workspace." required:"true" min_length:"1" example:"out/log.txt"`
	Content string `json:"content" title:"Content" description:"What to add." required:"true" min_length:"1" multiline:"true" example:"done"`
	Newline bool   `json:"newline" title:"New line" description:"Begin a new line where the file does not end in one, and end in one." default:"true"`
	Create  bool   `json:"create" title:"Create if missing" description:"Make the file where it is not there; off, the step fails." default:"true"`
	KeepConfig
}

// maxAppended bounds a file that is added to, in bytes: it is written anew.
const maxAppended = 256 << 20

type appender struct{ undoer }

// appendMark is the checkpoint: the file's checksum before and after.
type appendMark struct {
	Before string `json:"before"`
	After  string `json:"after"`
}

func (c appendConfig) after(before []byte) []byte {
	text := c.Content
	if c.Newline {
		if len(before) > 0 && before[len(before)-1] != '\n' {
			text = "\n" + text
		}
		if !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
	}
	return append(bytes.Clone(before), text...)
}

func (c appendConfig) before(step *pluginsdk.Step) ([]byte, error) {
	if err := checkPath("/path", c.Path); err != nil {
		return nil, err
	}
	info, err := step.Workspace.Stat(c.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.Create:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, pluginsdk.Invalid("/path", fmt.Sprintf("the file %q is not there", c.Path))
	case err == nil && info.Size() > maxAppended:
		return nil, pluginsdk.Errorf("%s has %d bytes, more than the %d that can be added to", c.Path, info.Size(), maxAppended)
	}
	return readSmall(step, "/path", c.Path, maxAppended)
}

// Plan shows the change.
func (appender) Plan(_ context.Context, step *pluginsdk.Step, config appendConfig) ([]pluginsdk.PlannedEffect, error) {
	before, err := config.before(step)
	if err != nil {
		return nil, err
	}
	return planWrite(step, config.Path, config.after(before), fmt.Sprintf("add %d bytes", len(config.Content)))
}

// Execute adds the text, unless an earlier attempt did.
func (appender) Execute(ctx context.Context, step *pluginsdk.Step, config appendConfig) (writeOutput, error) {
	before, err := config.before(step)
	if err != nil {
		return writeOutput{Path: config.Path}, err
	}
	mark := appendMark{Before: hexSum(before)}
	var earlier appendMark
	after := config.after(before)
	k, err := newKeeper(step, config.KeepConfig)
	if err != nil {
		return writeOutput{Path: config.Path}, err
	}
	switch found, err := step.Checkpointed(&earlier); {
	case err != nil:
		return writeOutput{Path: config.Path}, fmt.Errorf("read the checkpoint: %w", err)
	case (found && earlier.After == mark.Before) || k.left(cleanPath(config.Path), mark.Before):
		step.Log.Info("an earlier attempt added the text already")
		after = before
	default:
		mark.After = hexSum(after)
		if err := step.Checkpoint(mark); err != nil {
			return writeOutput{Path: config.Path}, err
		}
	}
	output, err := writeFile(ctx, step, config.Path, after, 0, true, config.KeepConfig)
	return output, err
}

type copyConfig struct {
	From      string `json:"from" title:"From" description:"The file or folder to copy." required:"true" min_length:"1" example:"dist"`
	To        string `json:"to" title:"To" description:"The name of the copy." required:"true" min_length:"1" example:"public"`
	Overwrite bool   `json:"overwrite" title:"Replace" description:"Replace files that are there; off, the step fails." default:"true"`
	KeepConfig
}

type copyOutput struct {
	Files int   `json:"files" title:"Files" description:"How many files were copied."`
	Bytes int64 `json:"bytes" title:"Size" description:"Their size together, in bytes."`
}

type copier struct{ undoer }

// pairs lists the files to copy and where to.
func (c copyConfig) pairs(ctx context.Context, step *pluginsdk.Step) (from []foundFile, to []string, err error) {
	if err := errors.Join(checkPath("/from", c.From), checkPath("/to", c.To)); err != nil {
		return nil, nil, err
	}
	info, err := step.Workspace.Stat(c.From)
	if err != nil {
		return nil, nil, pluginsdk.Invalid("/from", fmt.Sprintf("%q can't be copied: %v", c.From, err))
	}
	if !info.IsDir() {
		return []foundFile{{c.From, info.Size(), info.Mode()}}, []string{c.To}, nil
	}
	if isWithin(c.To, c.From) {
		return nil, nil, pluginsdk.Invalid("/to", "a folder can't be copied into itself")
	}
	from, err = find(ctx, step, "/from", []string{escapePattern(c.From) + "/**"}, nil)
	for _, f := range from {
		to = append(to, c.To+strings.TrimPrefix(f.path, strings.TrimPrefix(cleanPath(c.From), "./")))
	}
	if err == nil && !c.Overwrite {
		for _, name := range to {
			if isThere, err := step.Workspace.Exists(name); err == nil && isThere {
				return nil, nil, pluginsdk.Errorf("%s is there already", name).WithCode("FILE_EXISTS")
			}
		}
	}
	return from, to, err
}

// Plan lists the copies.
func (copier) Plan(ctx context.Context, step *pluginsdk.Step, config copyConfig) ([]pluginsdk.PlannedEffect, error) {
	from, to, err := config.pairs(ctx, step)
	if err != nil {
		return nil, err
	}
	effects := []pluginsdk.PlannedEffect{}
	for i := range from[:min(len(from), maxPlanned)] {
		effects = append(effects, pluginsdk.PlannedEffect{Action: createOrUpdate(step, to[i]), Target: to[i], Summary: "copy " + from[i].path, Known: true})
	}
	return effects, nil
}

// Execute copies the files one after another.
func (copier) Execute(ctx context.Context, step *pluginsdk.Step, config copyConfig) (copyOutput, error) {
	var output copyOutput
	from, to, err := config.pairs(ctx, step)
	if err != nil {
		return output, err
	}
	k, err := newKeeper(step, config.KeepConfig)
	if err != nil {
		return output, err
	}
	for i, f := range from {
		if isThere, err := step.Workspace.Exists(to[i]); err == nil && isThere && !config.Overwrite && !k.known[cleanPath(to[i])] {
			return output, pluginsdk.Errorf("%s is there already", to[i]).WithCode("FILE_EXISTS")
		}
		size, err := copyOne(ctx, k, f, to[i])
		if err != nil {
			return output, err
		}
		output.Files, output.Bytes = output.Files+1, output.Bytes+size
		step.Progress(100*float64(i+1)/float64(len(from)), f.path)
	}
	step.Log.Info("copied "+config.From+" to "+config.To, "files", output.Files, "bytes", output.Bytes)
	return output, nil
}

func copyOne(ctx context.Context, k *keeper, from foundFile, to string) (int64, error) {
	source, err := k.step.Workspace.Open(from.path)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", from.path, err)
	}
	w, err := k.write(ctx, to, io.Reader(source), from.mode.Perm())
	return w.size, errors.Join(err, source.Close())
}
