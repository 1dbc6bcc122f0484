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
// With hints it says what to type for a step that waits for somebody, who is
// not asked here.
func newViewer(w io.Writer, form string, hints bool) viewer {
	lines := lineViewer{w: w, hints: hints, names: map[string]string{}}
	switch {
	case form == "events":
		return &eventsViewer{w: w}
	case form == "json":
		return quietViewer{}
	case isTerminal(w):
		lines.colour = wantsColour(w)
		v := &liveViewer{lineViewer: &lines, stop: make(chan struct{})}
		v.start()
		return v
	}
	return &lines
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
	hints  bool
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
	name := v.nameOf(e)
	switch e.Type {
	case plan.ExecutionStarted:
		return fmt.Sprintf("%s  %s  (%d steps, execution %s)", v.paint(colourBlue, "▶"), printable(e.WorkflowName), e.TotalSteps, e.ExecutionID)
	case plan.StepStarted:
		if e.ItemIndex != nil && e.Attempt == 1 {
			return "" // Its end is told; there may be thousands.
		}
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
	case plan.StepWaiting, plan.StepInterrupted:
		return v.waiting(e, name)
	case plan.StepCompleted, plan.StepItemCompleted:
		return v.completed(e, name)
	case plan.StepUndone:
		return v.undone(e, name)
	default:
		return v.turn(e)
	}
}

// nameOf is what a person calls the step, and which item of it is meant.
func (v *lineViewer) nameOf(e plan.Event) string {
	name := printable(v.names[e.StepID])
	if name == "" {
		name = e.StepID
	}
	if e.ItemIndex != nil {
		name += fmt.Sprintf(" [%d]", *e.ItemIndex)
	}
	return name
}

// turn is the text for a turn that the whole execution takes.
func (v *lineViewer) turn(e plan.Event) string {
	by := ""
	if e.By != "" {
		by = " by " + printable(e.By)
	}
	switch e.Type {
	case plan.ExecutionCancelling:
		return fmt.Sprintf("%s  cancelling", v.paint(colourYellow, "■"))
	case plan.ExecutionQueued:
		return fmt.Sprintf("%s  queued: %s", v.paint(colourYellow, "◷"), printable(e.Reason))
	case plan.ExecutionPaused:
		return v.hinted(fmt.Sprintf("%s  paused%s", v.paint(colourYellow, "‖"), by), "execution resume "+e.ExecutionID)
	case plan.ExecutionResumed:
		return fmt.Sprintf("%s  resumed%s", v.paint(colourBlue, "▶"), by)
	case plan.ExecutionParked:
		return v.hinted(fmt.Sprintf("%s  paused: %s", v.paint(colourYellow, "‖"), printable(e.Reason)), "execution resume "+e.ExecutionID)
	default:
		return ""
	}
}

// hinted adds what to type to go on.
func (v *lineViewer) hinted(line, command string) string {
	if !v.hints || command == "" {
		return line
	}
	return line + "\n   " + v.paint(colourGrey, "→ vwmp "+command)
}

// awaited is what a step_waiting says of what it waits for.
type awaited struct {
	Until       time.Time       `json:"until"`
	Message     string          `json:"message"`
	Approvers   []string        `json:"approvers"`
	Form        json.RawMessage `json:"form"`
	Signal      string          `json:"signal"`
	ExecutionID string          `json:"execution_id"`
	WorkflowID  string          `json:"workflow_id"`
}

func (v *lineViewer) waiting(e plan.Event, name string) string {
	var details awaited
	if len(e.Details) > 0 {
		// Details of another form leave the line shorter.
		_ = json.Unmarshal(e.Details, &details)
	}
	line := func(format string, args ...any) string {
		return fmt.Sprintf("%s  %s: %s", v.paint(colourYellow, "◷"), name, printable(fmt.Sprintf(format, args...)))
	}
	until := ""
	if !details.Until.IsZero() {
		until = ", at most until " + details.Until.Local().Format(time.DateTime)
	}
	item := ""
	if e.ItemIndex != nil {
		item = fmt.Sprintf(" --item %d", *e.ItemIndex)
	}
	step := e.ExecutionID + " " + e.StepID + item
	if e.Type == plan.StepInterrupted {
		return v.hinted(fmt.Sprintf("%s  %s: %s", v.paint(colourYellow, "‖"), name, printable(e.Reason)),
			"execution resolve "+step+" --as retry|success|failed|skipped")
	}
	switch plan.WaitReason(e.Reason) {
	case plan.WaitApproval:
		by := ""
		if len(details.Approvers) > 0 {
			by = " by " + strings.Join(details.Approvers, ", ")
		}
		return v.hinted(line("waits for an approval%s%s: %s", by, until, indented(details.Message)), "execution approve "+step)
	case plan.WaitSignal:
		return v.hinted(line("waits for the signal %q%s", details.Signal, until), "execution signal "+e.ExecutionID+" "+details.Signal)
	case plan.WaitTime:
		return line("waits until %s", details.Until.Local().Format(time.DateTime))
	case plan.WaitChild:
		return line("runs workflow %s as execution %s", details.WorkflowID, details.ExecutionID)
	}
	return line("waits for %s", e.Reason)
}

func (v *lineViewer) undone(e plan.Event, name string) string {
	if e.Error != nil {
		return fmt.Sprintf("%s  %s: could not be taken back: %s", v.paint(colourRed, "↶"), name, indented(printable(e.Error.Message)))
	}
	if e.SkipReason != "" {
		return fmt.Sprintf("%s  %s: not taken back: %s", v.paint(colourGrey, "↶"), name, indented(printable(e.SkipReason)))
	}
	return fmt.Sprintf("%s  %s: taken back", v.paint(colourYellow, "↶"), name)
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
	*lineViewer
	running map[string]time.Time
	order   []string
	done    int
	total   int
	stop    chan struct{}
	ended   sync.WaitGroup
	// held is how many want the terminal for themselves, kept what was to be
	// printed meanwhile.
	held int
	kept []string
}

// hold keeps a viewer off the terminal while somebody is asked something; the
// answer ends that.
func hold(view viewer) (release func()) {
	v, live := view.(*liveViewer)
	if !live {
		return func() {}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held++
	fmt.Fprint(v.w, "\r\x1b[2K")
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.held--; v.held > 0 {
			return
		}
		for _, line := range v.kept {
			fmt.Fprintln(v.w, line)
		}
		v.kept = nil
		v.draw()
	}
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
	case plan.StepRetrying, plan.StepInterrupted, plan.StepWaiting:
		if event.ItemIndex == nil {
			delete(v.running, event.StepID)
		}
	default:
	}
	// A step's start shows in the status line; its end is the lasting line.
	line := v.line(event)
	if line == "" || (event.Type == plan.StepStarted && event.Attempt == 1) {
		v.draw()
		return
	}
	if v.held > 0 {
		v.kept = append(v.kept, line)
		return
	}
	fmt.Fprintf(v.w, "\r\x1b[2K%s\n", line)
	v.draw()
}

func (v *liveViewer) draw() {
	if v.held > 0 {
		return
	}
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
