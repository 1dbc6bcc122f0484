package plan_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine/enginetest"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
)

var update = flag.Bool("update", false, "write what the histories mean now, to be looked at")

// history is a journal as it was recorded. The first line of its file is the
// definition, the others are the events.
type history struct {
	graph      *workflow.Graph
	parameters json.RawMessage
	events     []plan.Event
}

func readHistory(t *testing.T, path string) history {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var h history
	for lines := bufio.NewScanner(bytes.NewReader(raw)); lines.Scan(); {
		var line struct {
			Definition, Parameters json.RawMessage
			Sub                    uint32
			Event                  plan.Event
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if line.Definition == nil {
			line.Event.Sub = line.Sub
			h.events = append(h.events, line.Event)
			continue
		}
		document, problems := workflow.Parse(line.Definition, workflow.ParseOptions{Format: workflow.FormatJSON})
		if document != nil {
			h.graph, problems = workflow.Compile(document, enginetest.ReferenceCatalogue())
		}
		if h.graph == nil {
			t.Fatalf("%s: %v", path, problems)
		}
		h.parameters = line.Parameters
	}
	return h
}

// Journals that are on people's disks mean what they meant when they were
// written: after each event the same status, the same commands, and in the
// end the same results; and one that can't be is refused at the same event.
func TestRecordedHistoriesKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/histories/*.jsonl")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d histories: %v", len(paths), err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".jsonl")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, refused := readHistory(t, path).meaning()
			if bad := strings.HasPrefix(name, "bad_"); bad != refused {
				t.Errorf("refused: %v", refused)
			}
			golden := strings.TrimSuffix(path, ".jsonl") + ".golden"
			want, err := os.ReadFile(golden)
			if string(want) == got {
				return
			}
			if *update {
				err = os.WriteFile(golden, []byte(got), 0o644)
			}
			t.Errorf("%s means something else (%v; -update writes it):\n%s", path, err, difference(string(want), got))
		})
	}
}

// meaning tells what each event of a history makes of the state, and how the
// execution stands at its end.
func (h history) meaning() (text string, refused bool) {
	var out strings.Builder
	state := plan.NewState(h.graph, plan.Inputs{ExecutionID: "e", WorkflowID: "w", Parameters: h.parameters})
	for _, event := range h.events {
		fmt.Fprintf(&out, "%d.%d %s %s", event.Seq, event.Sub, event.Type, event.StepID)
		if event.ItemIndex != nil {
			fmt.Fprintf(&out, "[%d]", *event.ItemIndex)
		}
		fmt.Fprintln(&out)
		if err := state.Apply(event); err != nil {
			// How it is refused is for people, and may be said better.
			fmt.Fprintln(&out, "  refused")
			return out.String(), true
		}
		fmt.Fprintf(&out, "  %s", state.Status)
		for _, command := range plan.Next(state, event.Time) {
			fmt.Fprintf(&out, "; %s", h.command(command))
		}
		if due := plan.Due(state, event.Time); !due.IsZero() {
			fmt.Fprintf(&out, "; due in %s", due.Sub(event.Time))
		}
		fmt.Fprintln(&out)
	}
	fmt.Fprintf(&out, "\n%s %q %s\n", state.Status, state.StatusReason, problem(state.Error))
	fmt.Fprintf(&out, "from %s to %s, %+v\n", state.StartedAt, state.CompletedAt, state.Progress())
	for i := range state.Steps {
		step := &state.Steps[i]
		fmt.Fprintf(&out, "%s: %s, %d attempts, output %s, skipped %q, %s, class %s, checkpoint %s, key %s\n", h.graph.Node(i).Step.ID,
			step.Status, step.Attempt, step.Output, step.SkipReason, problem(step.Error), step.EffectClass, step.Checkpoint, step.IdempotencyKey)
		for _, attempt := range step.Attempts {
			fmt.Fprintf(&out, "  %d: %s from %s to %s, %s\n", attempt.Number, attempt.Status, attempt.StartedAt, attempt.CompletedAt, problem(attempt.Error))
		}
		for item := range step.Items {
			unit := &step.Items[item]
			fmt.Fprintf(&out, "  [%d]: %s, %d attempts, output %s, %s\n", item, unit.Status, unit.Attempt, unit.Output, problem(unit.Error))
		}
	}
	return out.String(), false
}

func (h history) command(command plan.Command) string {
	words := []string{string(command.Kind)}
	if step := stepOf(command); step >= 0 {
		words = append(words, h.graph.Node(step).Step.ID)
	}
	if command.IsItem() {
		words = append(words, fmt.Sprintf("[%d]", command.Item))
	}
	if command.Attempt > 0 {
		words = append(words, fmt.Sprint("#", command.Attempt))
	}
	for _, word := range []string{string(command.Status), command.Reason, problem(command.Error)} {
		if word != "" {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

func problem(err *plan.Error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf("%s %s %q", err.Code, err.Class, err.Message)
}

// difference shows the first lines that are not the same.
func difference(want, got string) string {
	wanted, gotten := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(wanted), len(gotten)) {
		if wanted[i] != gotten[i] {
			return fmt.Sprintf("line %d was\n  %s\nand is\n  %s", i+1, wanted[i], gotten[i])
		}
	}
	return fmt.Sprintf("it had %d lines, and has %d", len(wanted), len(gotten))
}
