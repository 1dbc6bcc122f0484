package plan_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
)

// parts is how many parts the random executions are held in, side by side.
// With -rapid.checks each part has that many.
const parts = 4

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		if err := flag.Set("rapid.checks", fmt.Sprint(checks/parts)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// checkAll holds a property against all random executions.
func checkAll(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	for part := range parts {
		t.Run(fmt.Sprint("part_", part+1), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, property)
		})
	}
}

// fault is a mistake that the decision could have. Its functions change what
// Next says, and what a replay is told; nil changes nothing.
type fault struct {
	next   func(s *simulation, state *plan.State, commands []plan.Command) []plan.Command
	replay func(s *simulation, event plan.Event) (kept bool)
	// undo: it spoils the undo of an ended execution, and not the execution.
	undo bool
}

// mutant is the part of a simulation that spoils the decision, to prove that
// the rest of it sees that.
type mutant struct {
	fault fault
	// crashed: the journal was folded anew at least once.
	crashed bool
}

// next is plan.Next with the fault that is to be seen.
func (s *simulation) next(state *plan.State) []plan.Command {
	commands := plan.Next(state, s.now)
	if s.fault.next != nil {
		commands = s.fault.next(s, state, slices.Clone(commands))
	}
	return commands
}

func (s *simulation) replay(state *plan.State, event plan.Event) error {
	if s.fault.replay != nil && !s.fault.replay(s, event) {
		return nil
	}
	return state.Apply(event)
}

// start is the command that begins another attempt at a step.
func start(state *plan.State, step int) plan.Command {
	return plan.Command{Kind: plan.CommandStart, Ref: plan.StepRef(step), Attempt: state.Steps[step].Attempt + 1}
}

// stepOf is the step of a command, -1 where it has none.
func stepOf(command plan.Command) int { return command.Ref.Step }

// each changes every command that is of a kind.
func each(kind plan.CommandKind, change func(*plan.Command)) fault {
	return fault{next: func(_ *simulation, _ *plan.State, commands []plan.Command) []plan.Command {
		for i := range commands {
			if commands[i].Kind == kind {
				change(&commands[i])
			}
		}
		return commands
	}}
}

// forget leaves out every command of a kind.
func forget(kind plan.CommandKind) fault {
	return fault{next: func(_ *simulation, _ *plan.State, commands []plan.Command) []plan.Command {
		return slices.DeleteFunc(commands, func(c plan.Command) bool { return c.Kind == kind })
	}}
}

// insist starts the steps that Next skips, where when holds.
func insist(when func(s *simulation) bool) fault {
	return fault{next: func(s *simulation, state *plan.State, commands []plan.Command) []plan.Command {
		for i, c := range commands {
			if c.Kind == plan.CommandComplete && c.Status == plan.StatusSkipped && !c.ByChoice && when(s) {
				commands[i] = start(state, stepOf(c))
			}
		}
		return commands
	}}
}

// add gives one more command, where there is one to give.
func add(more func(s *simulation, state *plan.State, step int) bool) fault {
	return fault{next: func(s *simulation, state *plan.State, commands []plan.Command) []plan.Command {
		for step := range state.Steps {
			if more(s, state, step) {
				return append(commands, start(state, step))
			}
		}
		return commands
	}}
}

// faults are mistakes made by hand, each against a property of the decision.
func faults() map[string]fault {
	asked := 0
	return map[string]fault{
		"starts a step twice": {next: func(_ *simulation, _ *plan.State, commands []plan.Command) []plan.Command {
			for _, c := range commands {
				if c.Kind == plan.CommandStart {
					return append(commands, c)
				}
			}
			return commands
		}},
		"gives an attempt the number of the one before": each(plan.CommandStart, func(c *plan.Command) { c.Attempt = max(1, c.Attempt-1) }),
		"ignores a required failure":                    insist(func(s *simulation) bool { return s.failed && s.cancels == 0 }),
		"starts new work after a cancel":                insist(func(s *simulation) bool { return s.cancels > 0 }),
		"runs a dependent before its dependency ended": add(func(s *simulation, state *plan.State, step int) bool {
			return state.Steps[step].Status == plan.StatusPending && !state.StartedAt.IsZero() && slices.ContainsFunc(
				s.graph.Node(step).Dependencies, func(d int) bool { return state.Steps[d].Status == plan.StatusRunning })
		}),
		"repeats a recorded step after a crash": add(func(s *simulation, state *plan.State, step int) bool {
			return s.crashed && state.Steps[step].Status == plan.StatusSuccess && !state.Status.Ended()
		}),
		"skips without a reason": each(plan.CommandComplete, func(c *plan.Command) {
			if c.Status == plan.StatusSkipped {
				c.Reason = ""
			}
		}),
		"ends with something open": {next: func(_ *simulation, state *plan.State, commands []plan.Command) []plan.Command {
			if len(commands) == 0 && state.Status == plan.StatusRunning {
				return []plan.Command{{Kind: plan.CommandFinish, Ref: plan.StepRef(-1), Status: plan.StatusSuccess}}
			}
			return commands
		}},
		"answers in another order each time": {next: func(_ *simulation, _ *plan.State, commands []plan.Command) []plan.Command {
			if asked++; asked%2 == 0 {
				slices.Reverse(commands)
			}
			return commands
		}},
		"forgets an end when it folds": {replay: func(s *simulation, event plan.Event) bool {
			return event.Type != plan.StepCompleted || event.StepID != s.graph.Node(0).Step.ID
		}},
		"never tries again":        forgetRetries(),
		"never takes back":         forget(plan.CommandUndo),
		"never asks a person":      forget(plan.CommandInterrupt),
		"never ends":               forget(plan.CommandFinish),
		"says success in any case": each(plan.CommandFinish, func(c *plan.Command) { c.Status = plan.StatusSuccess }),
		"fails without saying why": each(plan.CommandFinish, func(c *plan.Command) { c.Error = nil }),
		"calls a failure a cancel": each(plan.CommandFinish, func(c *plan.Command) {
			if c.Status == plan.StatusFailed {
				c.Status = plan.StatusCancelled
			}
		}),
		"goes on while it is parked": add(func(_ *simulation, state *plan.State, step int) bool {
			return state.Parked() && state.Steps[step].Status == plan.StatusRunning
		}),
		"starts a step while it is paused": add(func(s *simulation, state *plan.State, step int) bool {
			return state.Paused() && state.Steps[step].Status == plan.StatusPending && len(s.graph.Node(step).Dependencies) == 0
		}),
		"starts all items at once": {next: func(_ *simulation, state *plan.State, commands []plan.Command) []plan.Command {
			for step := range state.Steps {
				for item := range state.Steps[step].Items {
					if state.Steps[step].Status == plan.StatusRunning && state.Steps[step].Items[item].Attempt == 0 {
						return append(commands, plan.Command{Kind: plan.CommandStart, Ref: plan.Ref{Step: step, Item: item}, Attempt: 1})
					}
				}
			}
			return commands
		}},
		"takes back in the order of completion": {next: func(s *simulation, state *plan.State, commands []plan.Command) []plan.Command {
			for i := range commands {
				if commands[i].Kind != plan.CommandUndo {
					continue
				}
				for _, first := range s.finished {
					if first != commands[i].Ref && state.Undoable(first) && state.Unit(first).Undo.Status == "" {
						commands[i].Ref, commands[i].Attempt = first, 1
						break
					}
				}
			}
			return commands
		}},
		"runs a step that a broken one leads to": insist(func(s *simulation) bool {
			return s.failed && s.graph.Definition().OnFailure == workflow.OnFailureContinue
		}),
	}
}

func forgetRetries() fault {
	return fault{next: func(_ *simulation, state *plan.State, commands []plan.Command) []plan.Command {
		return slices.DeleteFunc(commands, func(c plan.Command) bool {
			return c.Kind == plan.CommandStart && state.Steps[stepOf(c)].Status == plan.StatusRetrying
		})
	}}
}

// try runs the simulation with a fault on the random execution of a seed, and
// returns what it found wrong, empty for nothing.
func try(seed int, f fault) string {
	return rapid.Custom(func(t *rapid.T) (found string) {
		defer func() {
			// A failed check leaves the property by a panic.
			if wrong := recover(); wrong != nil {
				found = fmt.Sprint(wrong)
			}
		}()
		if f.undo {
			anyUndo(f)(t)
		} else {
			anyExecution(f)(t)
		}
		return ""
	}).Example(seed)
}

// The properties would see these mistakes: each is found within so many random
// executions, in all of which they find nothing wrong without it.
func TestPropertiesSeeEveryFault(t *testing.T) {
	t.Parallel()
	const within = 2000
	all := faults()
	maps.Copy(all, undoFaults())
	for name, f := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range within {
				found := try(seed, f)
				if found == "" {
					continue
				}
				if calm := try(seed, fault{undo: f.undo}); calm != "" {
					t.Fatalf("execution %d is wrong without the fault too: %s", seed, calm)
				}
				t.Logf("found in execution %d: %s", seed, found)
				return
			}
			t.Errorf("not found in %d random executions", within)
		})
	}
}
