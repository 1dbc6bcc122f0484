package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
)

// person is whoever sits at the terminal.
type person struct {
	input *os.File
	out   io.Writer
	view  viewer
	// lines come from a reader that starts with the first question: until
	// then standard input may be read as a parameter.
	lines chan string
}

// newPerson returns nil where standard input is no terminal.
func newPerson(cmd *cobra.Command, view viewer) *person {
	input, ok := cmd.InOrStdin().(*os.File)
	if !ok || !isatty.IsTerminal(input.Fd()) {
		return nil
	}
	return &person{input: input, out: cmd.ErrOrStderr(), view: view}
}

// read sends the lines that are typed. A read of a terminal can't be ended, so
// that this one ends with the process.
func (p *person) read() {
	defer close(p.lines)
	scanner := bufio.NewScanner(p.input)
	for scanner.Scan() {
		p.lines <- scanner.Text()
	}
}

var errGone = errors.New("the terminal was closed before the answer")

// line asks one question. Only the attendant's goroutine asks.
func (p *person) line(ctx context.Context, question string) (string, error) {
	if p.lines == nil {
		p.lines = make(chan string)
		go p.read()
	}
	fmt.Fprint(p.out, printable(question))
	select {
	case line, open := <-p.lines:
		if !open {
			return "", errGone
		}
		return strings.TrimSpace(line), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (p *person) say(text string) { fmt.Fprintln(p.out, printable(text)) }

// approve asks for an approval, and for the answers to its form.
func (p *person) approve(ctx context.Context, event plan.Event, details *awaited, approval *engine.Approval) error {
	defer hold(p.view)()
	p.say(fmt.Sprintf("? %s%s: %s", event.StepID, itemMark(event.ItemIndex), indented(details.Message)))
	for {
		line, err := p.line(ctx, "  Approve it? yes or no, and a comment if you like: ")
		if err != nil {
			return err
		}
		word, comment, _ := strings.Cut(line, " ")
		approval.Comment = strings.TrimSpace(comment)
		switch strings.ToLower(strings.Trim(word, ",.:")) {
		case "y", "yes":
			approval.Approved = true
			approval.Data, err = p.form(ctx, details.Form)
			return err
		case "n", "no":
			return nil
		}
	}
}

// form asks for each property of a JSON Schema; nil for none.
func (p *person) form(ctx context.Context, schema json.RawMessage) (json.RawMessage, error) {
	var form struct {
		Properties map[string]struct {
			Title   string          `json:"title"`
			Type    any             `json:"type"`
			Default json.RawMessage `json:"default"`
			Enum    []any           `json:"enum"`
		} `json:"properties"`
	}
	if len(schema) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(schema, &form); err != nil {
		return nil, fmt.Errorf("read the form: %w", err)
	}
	answers := map[string]json.RawMessage{}
	for _, name := range slices.Sorted(maps.Keys(form.Properties)) {
		property := form.Properties[name]
		question := "  " + name
		if property.Title != "" {
			question += " (" + property.Title + ")"
		}
		if len(property.Enum) > 0 {
			question += fmt.Sprintf(" %v", property.Enum)
		}
		if len(property.Default) > 0 {
			question += " [" + string(property.Default) + "]"
		}
		line, err := p.line(ctx, question+": ")
		if err != nil {
			return nil, err
		}
		switch {
		case line == "" && len(property.Default) > 0:
			answers[name] = property.Default
		case line == "": // Not answered; the form says whether it must be.
		case property.Type != "string" && json.Valid([]byte(line)):
			answers[name] = json.RawMessage(line)
		default:
			if answers[name], err = json.Marshal(line); err != nil {
				return nil, fmt.Errorf("write the answer: %w", err)
			}
		}
	}
	return json.Marshal(answers)
}

// resolve asks what became of an interrupted step.
func (p *person) resolve(ctx context.Context, event plan.Event) (string, error) {
	defer hold(p.view)()
	p.say(fmt.Sprintf("? %s%s: %s", event.StepID, itemMark(event.ItemIndex), event.Reason))
	for {
		line, err := p.line(ctx, "  What became of it? retry, success, failed or skipped: ")
		if err != nil {
			return "", err
		}
		if slices.Contains([]string{"retry", "success", "failed", "skipped"}, line) {
			return line, nil
		}
	}
}

func itemMark(index *int) string {
	if index == nil {
		return ""
	}
	return fmt.Sprintf(" [%d]", *index)
}
