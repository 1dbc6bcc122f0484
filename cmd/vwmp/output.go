package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
)

func outputFlag(command *cobra.Command, target *string) {
	command.Flags().StringVarP(target, "output", "o", "table", "how to print: table, json or yaml")
}

// checkOutput refuses a form that there is not, for what must not be done first.
func checkOutput(format string) error {
	return printValue(io.Discard, format, nil, func(*table) {})
}

// table collects rows and prints them in columns.
type table struct{ rows [][]string }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// printValue prints a value in the asked form; draw fills the table.
func printValue(w io.Writer, format string, value any, draw func(*table)) error {
	switch format {
	case "json":
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(value)
	case "yaml":
		raw, err := json.Marshal(value)
		if err != nil {
			return err
		}
		text, err := yaml.JSONToYAML(raw)
		if err != nil {
			return fmt.Errorf("write YAML: %w", err)
		}
		_, err = w.Write(text)
		return err
	case "table":
		t := &table{}
		draw(t)
		tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, row := range t.rows {
			for i := range row {
				row[i] = printable(row[i])
			}
			if _, err := fmt.Fprintln(tab, strings.Join(row, "\t")); err != nil {
				return err
			}
		}
		return tab.Flush()
	}
	return usageError("--output must be table, json or yaml, not %q", format)
}

// printable keeps control characters, which may come from a step's output,
// from reaching a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return '·'
		}
		return r
	}, text)
}

// isTerminal reports whether w is a terminal that wants colour and motion.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && isatty.IsTerminal(file.Fd()) && os.Getenv("TERM") != "dumb"
}

func wantsColour(w io.Writer) bool { return isTerminal(w) && os.Getenv("NO_COLOR") == "" }

// ago says how long ago a time was, in words.
func ago(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	switch d := time.Since(at); {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	default:
		return at.Local().Format("2006-01-02")
	}
}

// seconds writes a duration as a person says it.
func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}
