package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
)

// viewer shows the events of one execution to a person or a program.
type viewer interface {
	show(event plan.Event)
	// close puts the terminal back and says how it ended.
	close(status plan.Status, failure *plan.Error)
}

// newViewer makes the viewer for a form: text, events, or quiet for json.
func newViewer(w io.Writer, form string) viewer {
	switch {
	case form == "events":
		return &eventsViewer{w: w}
	case form == "json":
		return quietViewer{}
	case isTerminal(w):
		v := &liveViewer{lineViewer: lineViewer{w: w, colour: wantsColour(w), names: map[string]string{}}, stop: make(chan struct{})}
		v.start()
		return v
	}
	return &lineViewer{w: w, names: map[string]string{}}
}

type quietViewer struct{}

func (quietViewer) show(plan.Event)                {}
func (quietViewer) close(plan.Status, *plan.Error) {}

// eventsViewer prints each event as one JSON line.
type eventsViewer struct {
	mu sync.Mutex
	w  io.Writer
}

func (v *eventsViewer) show(event plan.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	// A reader that is gone must not stop the run.
	_ = json.NewEncoder(v.w).Encode(event)
}

func (v *eventsViewer) close(plan.Status, *plan.Error) {}

// lineViewer prints plain lines.
type lineViewer struct {
	mu     sync.Mutex
	w      io.Writer
	colour bool
	names  map[string]string
}

const (
	colourRed    = "31"
	colourGreen  = "32"
	colourYellow = "33"
	colourBlue   = "34"
	colourGrey   = "90"
)

func (v *lineViewer) paint(code, text string) string {
	if !v.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (v *lineViewer) show(event plan.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if line := v.line(event); line != "" {
		fmt.Fprintln(v.w, line)
	}
}

// line is the text for an event, empty where it has none.
func (v *lineViewer) line(e plan.Event) string {
	if e.StepName != "" {
		v.names[e.StepID] = e.StepName
	}
	name := printable(v.names[e.StepID])
	if name == "" {
		name = e.StepID
	}
	switch e.Type {
	case plan.ExecutionStarted:
		return fmt.Sprintf("%s  %s  (%d steps, execution %s)", v.paint(colourBlue, "▶"), printable(e.WorkflowName), e.TotalSteps, e.ExecutionID)
	case plan.StepStarted:
		again := ""
		if e.Attempt > 1 {
			again = fmt.Sprintf(" (attempt %d)", e.Attempt)
		}
		return fmt.Sprintf("%s  %s%s", v.paint(colourBlue, "●"), name, again)
	case plan.StepLog:
		text := printable(e.Message)
		switch e.Level {
		case "error":
			text = v.paint(colourRed, text)
		case "warning":
			text = v.paint(colourYellow, text)
		case "debug":
			text = v.paint(colourGrey, text)
		default:
		}
		return fmt.Sprintf("   %s %s", v.paint(colourGrey, name+" │"), text)
	case plan.StepRetrying:
		return fmt.Sprintf("%s  %s: %s; next try in %s", v.paint(colourYellow, "↻"), name, printable(e.Error.Message), seconds(*e.Delay))
	case plan.StepInterrupted:
		return fmt.Sprintf("%s  %s: %s", v.paint(colourYellow, "‖"), name, printable(e.Reason))
	case plan.StepCompleted:
		return v.completed(e, name)
	case plan.ExecutionCancelling:
		return fmt.Sprintf("%s  cancelling", v.paint(colourYellow, "■"))
	case plan.ExecutionParked:
		return fmt.Sprintf("%s  paused: %s", v.paint(colourYellow, "‖"), printable(e.Reason))
	default:
		return ""
	}
}

func (v *lineViewer) completed(e plan.Event, name string) string {
	took := ""
	if e.ExecutionTime != nil && *e.ExecutionTime > 0 {
		took = "  " + v.paint(colourGrey, seconds(*e.ExecutionTime))
	}
	switch plan.Status(e.Status) {
	case plan.StatusSuccess:
		return fmt.Sprintf("%s  %s%s", v.paint(colourGreen, "✓"), name, took)
	case plan.StatusSkipped:
		return fmt.Sprintf("%s  %s  %s", v.paint(colourGrey, "–"), name, v.paint(colourGrey, "skipped: "+printable(e.SkipReason)))
	default:
		message := e.Status
		if e.Error != nil {
			message = printable(e.Error.Message)
		}
		return fmt.Sprintf("%s  %s%s: %s", v.paint(colourRed, "✗"), name, took, indented(message))
	}
}

// indented moves the further lines of a message behind its first.
func indented(message string) string {
	return strings.ReplaceAll(strings.TrimRight(message, "\n"), "\n", "\n   │ ")
}

func (v *lineViewer) close(status plan.Status, failure *plan.Error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	code := colourGreen
	if status != plan.StatusSuccess {
		code = colourRed
	}
	text := v.paint(code, string(status))
	if failure != nil {
		text += ": " + indented(printable(failure.Message))
	}
	fmt.Fprintln(v.w, text)
}

// liveViewer adds a last line that says what is running, redrawn in place.
type liveViewer struct {
	lineViewer
	running map[string]time.Time
	order   []string
	done    int
	total   int
	stop    chan struct{}
	ended   sync.WaitGroup
}

func (v *liveViewer) start() {
	v.running = map[string]time.Time{}
	v.ended.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-v.stop:
				return
			case <-tick.C:
				v.mu.Lock()
				v.draw()
				v.mu.Unlock()
			}
		}
	})
}

func (v *liveViewer) show(event plan.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch event.Type {
	case plan.ExecutionStarted:
		v.total = event.TotalSteps
	case plan.StepStarted:
		if _, known := v.running[event.StepID]; !known {
			v.order = append(v.order, event.StepID)
		}
		v.running[event.StepID] = time.Now()
	case plan.StepCompleted:
		delete(v.running, event.StepID)
		v.done++
	case plan.StepRetrying, plan.StepInterrupted:
		delete(v.running, event.StepID)
	default:
	}
	// A step's start shows in the status line; its end is the lasting line.
	line := v.line(event)
	if line == "" || (event.Type == plan.StepStarted && event.Attempt == 1) {
		v.draw()
		return
	}
	fmt.Fprintf(v.w, "\r\x1b[2K%s\n", line)
	v.draw()
}

func (v *liveViewer) draw() {
	var names []string
	for _, id := range v.order {
		if since, running := v.running[id]; running {
			names = append(names, fmt.Sprintf("%s %s", v.names[id], v.paint(colourGrey, seconds(time.Since(since).Seconds()))))
		}
	}
	if len(names) > 3 {
		names = append(names[:3], fmt.Sprintf("and %d more", len(names)-3))
	}
	fmt.Fprintf(v.w, "\r\x1b[2K%s %d/%d  %s", v.paint(colourBlue, "●"), v.done, v.total, strings.Join(names, ", "))
}

func (v *liveViewer) close(status plan.Status, failure *plan.Error) {
	close(v.stop)
	v.ended.Wait()
	fmt.Fprint(v.w, "\r\x1b[2K")
	v.lineViewer.close(status, failure)
}
