package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// Status is how a check ended.
type Status string

// The ends of a check. A warning is worth a look and fails nothing; what is
// skipped says why.
const (
	Passed  Status = "passed"
	Failed  Status = "failed"
	Warned  Status = "warning"
	Skipped Status = "skipped"
)

// Check is one thing that was looked at.
type Check struct {
	// ID names the check for good, for example "cancel.ends".
	ID string `json:"id"`
	// Subject is the path of the handler that it is about, or empty.
	Subject string `json:"handler,omitempty"`
	// Title says what must be so.
	Title  string `json:"title"`
	Status Status `json:"status"`
	// Notes are sentences: what is wrong, or why it was skipped.
	Notes   []string `json:"notes,omitempty"`
	Seconds float64  `json:"seconds"`
}

// Report is all that the kit found.
type Report struct {
	Plugin  string  `json:"plugin,omitempty"`
	Version string  `json:"version,omitempty"`
	Checks  []Check `json:"checks"`
	Passed  int     `json:"passed"`
	Failed  int     `json:"failed"`
	Warned  int     `json:"warnings"`
	Skipped int     `json:"skipped"`
	Seconds float64 `json:"seconds"`
}

// OK reports whether nothing failed.
func (r *Report) OK() bool { return r.Failed == 0 }

// Add puts a check of the caller's own into the report.
func (r *Report) Add(c Check) {
	r.Checks = append(r.Checks, c)
	switch c.Status {
	case Passed:
		r.Passed++
	case Failed:
		r.Failed++
	case Warned:
		r.Warned++
	case Skipped:
		r.Skipped++
	}
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}

// marks begin the lines of a report.
var marks = map[Status]string{Passed: "ok  ", Failed: "FAIL", Warned: "warn", Skipped: "skip"}

// WriteText writes the report for people; what passed,
// and what there was nothing to look at for, only where all is true.
func (r *Report) WriteText(w io.Writer, all bool) error {
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s\n", r.Plugin, r.Version)
	for _, c := range r.Checks {
		if !all && (c.Status == Passed || c.Status == Skipped && c.ID != "execute.runs") {
			continue
		}
		what := c.ID
		if c.Subject != "" {
			what += " " + c.Subject
		}
		fmt.Fprintf(&out, "  %s  %s: %s\n", marks[c.Status], what, c.Title)
		for _, note := range c.Notes {
			fmt.Fprintf(&out, "        %s\n", strings.ReplaceAll(note, "\n", "\n        "))
		}
	}
	fmt.Fprintf(&out, "%d passed, %d failed, %d warnings, %d skipped, in %s\n", r.Passed, r.Failed, r.Warned, r.Skipped,
		time.Duration(r.Seconds*float64(time.Second)).Round(10*time.Millisecond))
	_, err := io.WriteString(w, out.String())
	return err
}

// trial collects what one check finds.
type trial struct {
	notes    []string
	failed   bool
	warned   bool
	skipping bool
}

func (t *trial) fail(format string, args ...any) {
	t.failed = true
	t.note(fmt.Sprintf(format, args...))
}

func (t *trial) warn(format string, args ...any) {
	t.warned = true
	t.note("warning: " + fmt.Sprintf(format, args...))
}

func (t *trial) skip(format string, args ...any) {
	t.skipping = true
	t.note(fmt.Sprintf(format, args...))
}

// maxNotes bounds what one check says: the first of a hundred alike tell all.
const maxNotes = 8

func (t *trial) note(text string) {
	const maxNote = 600
	if len(text) > maxNote {
		text = strings.ToValidUTF8(text[:maxNote], "") + "…"
	}
	switch len(t.notes) {
	case maxNotes:
		t.notes = append(t.notes, "and more")
	case maxNotes + 1:
	default:
		t.notes = append(t.notes, text)
	}
}

func (t *trial) status() Status {
	switch {
	case t.failed:
		return Failed
	case t.warned:
		return Warned
	case t.skipping:
		return Skipped
	}
	return Passed
}
