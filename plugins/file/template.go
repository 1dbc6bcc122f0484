package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/url"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/vwmp/vwmp/pluginsdk"
)

const (
	// maxFilled bounds a filled template, and every text made on the way, in
	// bytes.
	maxFilled = 4 << 20
	// maxTurns bounds the turns of all loops and the calls of templates.
	maxTurns = 1_000_000
)

type templateConfig struct {
	Template     string         `json:"template" title:"Template" description:"A Go template: {{.name}}, {{range .items}}…{{end}}, {{if .x}}…{{end}}. Beside Go's own functions there are upper, lower, trim, split, join, replace, contains, hasPrefix, hasSuffix, default and json." multiline:"true" widget:"code" example:"Hello {{.name | upper}}"`
	TemplateFile string         `json:"template_file" title:"Template file" description:"A file of the workspace with the template, instead." example:"templates/mail.txt"`
	Values       map[string]any `json:"values" title:"Values" description:"What the template is filled with." widget:"json" example:"{\"name\": \"Ada\"}"`
	Path         string         `json:"path" title:"File" description:"Where the result is written; empty: it is only returned." example:"out/mail.txt"`
	Missing      string         `json:"missing" title:"Missing values" description:"What becomes of a value that is not there: error fails the step, empty leaves nothing." enum:"error,empty" default:"error"`
	Overwrite    bool           `json:"overwrite" title:"Replace" description:"Replace a file that is there; off, the step fails." default:"true"`
	KeepConfig
}

type templateOutput struct {
	Content string `json:"content" title:"Content" description:"The result."`
	Path    string `json:"path" title:"File" description:"The file, or empty."`
	Changed bool   `json:"changed" title:"Changed" description:"False if the file held the same already, or there is none."`
}

type filler struct{ undoer }

var errTooMuch = errors.New("the template makes more than 4 MiB of text")

// limitedBuffer refuses what is too much.
type limitedBuffer struct{ bytes.Buffer }

// Write implements io.Writer.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxFilled {
		return 0, errTooMuch
	}
	return b.Buffer.Write(p)
}

// bound refuses texts that would be too long once they are joined or escaped.
func bound(texts ...any) error {
	total := 0
	for _, text := range texts {
		if s, ok := text.(string); ok {
			total += len(s)
		}
	}
	if total > maxFilled {
		return errTooMuch
	}
	return nil
}

// functions are pure, and bounded: a template can neither reach anything nor
// fill the memory. They stand over Go's own where those are not.
func functions() template.FuncMap {
	text := func(f func(string) string) func(string) (string, error) {
		return func(s string) (string, error) { return f(s), bound(s) }
	}
	escape := func(f func(...any) string) func(...any) (string, error) {
		return func(args ...any) (string, error) {
			if err := bound(args...); err != nil {
				return "", err
			}
			return f(args...), nil
		}
	}
	return template.FuncMap{
		"upper": text(strings.ToUpper), "lower": text(strings.ToLower), "trim": text(strings.TrimSpace),
		"contains": strings.Contains, "hasPrefix": strings.HasPrefix, "hasSuffix": strings.HasSuffix,
		"split":    func(separator, s string) []string { return strings.Split(s, separator) },
		"join":     join,
		"replace":  replace,
		"default":  defaulted,
		"json":     toJSON,
		"print":    escape(fmt.Sprint),
		"println":  escape(fmt.Sprintln),
		"printf":   printf,
		"html":     escape(func(args ...any) string { return html.EscapeString(fmt.Sprint(args...)) }),
		"js":       escape(func(args ...any) string { return template.JSEscapeString(fmt.Sprint(args...)) }),
		"urlquery": escape(func(args ...any) string { return url.QueryEscape(fmt.Sprint(args...)) }),
		"call":     func(...any) (string, error) { return "", errors.New("call is not available") },
	}
}

func join(separator string, values any) (string, error) {
	var parts []string
	switch list := values.(type) {
	case []string:
		parts = list
	case []any:
		for _, value := range list {
			parts = append(parts, fmt.Sprint(value))
		}
	default:
		return "", fmt.Errorf("join needs a list, not %T", values)
	}
	total := len(separator) * len(parts)
	for _, part := range parts {
		total += len(part)
	}
	if total > maxFilled {
		return "", errTooMuch
	}
	return strings.Join(parts, separator), nil
}

func replace(old, now, s string) (string, error) {
	if len(s)+strings.Count(s, old)*len(now) > maxFilled {
		return "", errTooMuch
	}
	return strings.ReplaceAll(s, old, now), nil
}

func defaulted(otherwise, value any) any {
	if truth, ok := template.IsTrue(value); ok && truth {
		return value
	}
	return otherwise
}

func toJSON(value any) (string, error) {
	raw, err := json.Marshal(value)
	if err == nil && len(raw) > maxFilled {
		err = errTooMuch
	}
	return string(raw), err
}

// printf bounds what widths and repeated arguments can make.
func printf(format string, args ...any) (string, error) {
	longest := 64
	for _, arg := range args {
		if s, ok := arg.(string); ok {
			longest = max(longest, len(s))
		}
	}
	if digits := 0; strings.ContainsAny(format, "123456789*") {
		for _, r := range format {
			if r >= '0' && r <= '9' {
				digits++
			} else {
				digits = 0
			}
			if digits > 4 {
				return "", errors.New("printf: a width has more than four digits")
			}
		}
		if strings.Contains(format, "*") {
			return "", errors.New("printf: a width must be a number")
		}
		longest = max(longest, 10_000)
	}
	if len(format)+strings.Count(format, "%")*longest > maxFilled {
		return "", errTooMuch
	}
	return fmt.Sprintf(format, args...), nil
}

// fill fills the template. Each turn of a loop and each template that is
// called is counted, so that none goes on without end.
func (c templateConfig) fill(ctx context.Context, step *pluginsdk.Step) (string, error) {
	text, pointer := c.Template, "/template"
	switch {
	case (c.Template == "") == (c.TemplateFile == ""):
		return "", pluginsdk.Invalid("/template", "give either a template or a template file")
	case c.TemplateFile != "":
		pointer = "/template_file"
		data, err := readSmall(step, pointer, c.TemplateFile, maxContent)
		if err != nil {
			return "", err
		}
		text = string(data)
	}
	turns := 0
	counted := functions()
	counted["vwmp_turn"] = func() (string, error) {
		if turns++; turns > maxTurns {
			return "", fmt.Errorf("the template's loops take more than %d turns", maxTurns)
		}
		return "", context.Cause(ctx)
	}
	option := "missingkey=error"
	if c.Missing == "empty" {
		option = "missingkey=zero"
	}
	filled, err := template.New("template").Option(option).Funcs(counted).Parse(text)
	if err != nil {
		return "", pluginsdk.Invalid(pointer, err.Error())
	}
	tick := template.Must(template.New("turn").Funcs(counted).Parse("{{vwmp_turn}}")).Root.Nodes[0]
	for _, one := range filled.Templates() {
		if one.Tree != nil && one.Root != nil {
			count(one.Root, tick)
			one.Root.Nodes = append([]parse.Node{tick.Copy()}, one.Root.Nodes...)
		}
	}
	values := map[string]any{}
	for name, value := range c.Values {
		values[name] = value
	}
	var out limitedBuffer
	if err := filled.Execute(&out, values); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", pluginsdk.Errorf("fill the template: %w", err).WithCode("TEMPLATE_FAILED")
	}
	result := out.String()
	if c.Missing == "empty" {
		result = strings.ReplaceAll(result, "<no value>", "")
	}
	return result, nil
}

// count puts a counter at the beginning of every loop's body.
func count(list *parse.ListNode, tick parse.Node) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.RangeNode:
			count(n.List, tick)
			count(n.ElseList, tick)
			n.List.Nodes = append([]parse.Node{tick.Copy()}, n.List.Nodes...)
		case *parse.IfNode:
			count(n.List, tick)
			count(n.ElseList, tick)
		case *parse.WithNode:
			count(n.List, tick)
			count(n.ElseList, tick)
		}
	}
}

// Plan shows the change.
func (filler) Plan(ctx context.Context, step *pluginsdk.Step, config templateConfig) ([]pluginsdk.PlannedEffect, error) {
	if config.Path == "" {
		return []pluginsdk.PlannedEffect{}, nil
	}
	result, err := config.fill(ctx, step)
	if err != nil {
		return nil, err
	}
	return planWrite(step, config.Path, []byte(result), "write the filled template")
}

// Execute fills the template and writes the result.
func (filler) Execute(ctx context.Context, step *pluginsdk.Step, config templateConfig) (templateOutput, error) {
	output := templateOutput{Path: config.Path}
	var err error
	if output.Content, err = config.fill(ctx, step); err != nil || config.Path == "" {
		return output, err
	}
	w, err := writeFile(ctx, step, config.Path, []byte(output.Content), 0, config.Overwrite, config.KeepConfig)
	output.Changed = w.Changed
	return output, err
}
