package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// drive runs a definition with an outcome per step (success where none is
// given) and returns the state at its end.
func drive(t *testing.T, text string, outcomes map[string]pluginsdk.Outcome) *plan.State {
	t.Helper()
	graph := compile(t, []byte(text))
	state := plan.NewState(graph, plan.Inputs{ExecutionID: "e"})
	seq := uint64(0)
	now := epoch
	apply := func(events ...plan.Event) {
		for _, event := range events {
			seq++
			event.Seq = seq
			if err := state.Apply(event); err != nil {
				t.Fatal(err)
			}
		}
	}
	apply(plan.Event{Type: plan.ExecutionCreated, Time: now})
	for range 100 {
		commands := plan.Next(state, now)
		for _, command := range commands {
			if command.Kind == plan.CommandStart {
				apply(plan.Started(state, command, plan.Private{EffectClass: pluginsdk.EffectPure}, now))
				outcome, given := outcomes[graph.Node(command.Step).Step.ID]
				if !given {
					outcome = pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}
				}
				apply(plan.Settle(state, command.Ref, outcome, plan.LostPlugin, now, 0)...)
				continue
			}
			event, ok := plan.EventOf(state, command, now)
			if !ok {
				t.Fatalf("unexpected command %v", command)
			}
			apply(event)
		}
		if state.Status.Ended() {
			return state
		}
		if len(commands) == 0 {
			due := plan.Due(state, now)
			if due.IsZero() {
				t.Fatalf("stuck as %s", state.Status)
			}
			now = due
		}
	}
	t.Fatal("no end")
	return nil
}

func failure(class pluginsdk.FailureClass) pluginsdk.Outcome {
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{Class: class, Code: "BROKEN", Message: "it broke"}}
}

func TestWhichStepRunsWhen(t *testing.T) {
	t.Parallel()
	permanent := failure(pluginsdk.FailurePermanent)
	tests := []struct {
		name, text string
		outcomes   map[string]pluginsdk.Outcome
		status     plan.Status
		steps      string // id=status …
		reasons    map[string]string
	}{
		{
			name:   "an optional failure satisfies",
			text:   "name: x\nsteps:\n- {id: a, handler: t.h, required: false}\n- {id: b, handler: t.h, dependencies: [a]}\n",
			status: plan.StatusPartial, outcomes: map[string]pluginsdk.Outcome{"a": permanent}, steps: "a=failed b=success",
		},
		{
			name:   "a required failure stops what waits and what is independent",
			text:   "name: x\nsteps:\n- {id: a, handler: t.h}\n- {id: b, handler: t.h, dependencies: [a]}\n- {id: c, handler: t.h, run_on: failure, dependencies: [a]}\n- {id: d, handler: t.h, run_on: always, dependencies: [b]}\n",
			status: plan.StatusFailed, outcomes: map[string]pluginsdk.Outcome{"a": permanent}, steps: "a=failed b=skipped c=success d=success",
			reasons: map[string]string{"b": `step "a" failed`},
		},
		{
			name:   "on_failure continue goes on elsewhere",
			text:   "name: x\non_failure: continue\nsteps:\n- {id: a, handler: t.h}\n- {id: b, handler: t.h, dependencies: [a]}\n- {id: c, handler: t.h}\n- {id: d, handler: t.h, dependencies: [c]}\n",
			status: plan.StatusFailed, outcomes: map[string]pluginsdk.Outcome{"a": permanent}, steps: "a=failed b=skipped c=success d=success",
		},
		{
			name:   "skipped by choice satisfies",
			text:   "name: x\nsteps:\n- {id: a, handler: t.h, enabled: false}\n- {id: b, handler: t.h, dependencies: [a], when: 'false'}\n- {id: c, handler: t.h, dependencies: [b]}\n",
			status: plan.StatusSuccess, steps: "a=skipped b=skipped c=success", reasons: map[string]string{"a": "not enabled", "b": "condition is false"},
		},
		{
			name:   "skipped by its handler satisfies",
			text:   "name: x\nsteps:\n- {id: a, handler: t.h}\n- {id: b, handler: t.h, dependencies: [a]}\n",
			status: plan.StatusSuccess, outcomes: map[string]pluginsdk.Outcome{"a": {Kind: pluginsdk.OutcomeSkipped, SkipReason: "nothing to do"}}, steps: "a=skipped b=success",
		},
		{
			name:   "a failure step without dependencies waits for all and is skipped when all is well",
			text:   "name: x\nsteps:\n- {id: f, handler: t.h, run_on: failure}\n- {id: a, handler: t.h}\n- {id: z, handler: t.h, run_on: always}\n",
			status: plan.StatusSuccess, steps: "f=skipped a=success z=success", reasons: map[string]string{"f": "no step failed"},
		},
		{
			name:   "retries end",
			text:   "name: x\nsteps:\n- {id: a, handler: t.h, retry: {max_attempts: 3}}\n",
			status: plan.StatusFailed, outcomes: map[string]pluginsdk.Outcome{"a": failure(pluginsdk.FailureRetryable)}, steps: "a=failed",
		},
		{
			name:   "an attempt lost again and again ends as a crash loop",
			text:   "name: x\nsteps:\n- {id: a, handler: t.h}\n",
			status: plan.StatusFailed, outcomes: map[string]pluginsdk.Outcome{"a": {Kind: pluginsdk.OutcomeUnknown}}, steps: "a=failed",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			state := drive(t, test.text, test.outcomes)
			if state.Status != test.status {
				t.Errorf("status %s, want %s", state.Status, test.status)
			}
			var got []string
			for i := range state.Steps {
				got = append(got, state.Graph().Node(i).Step.ID+"="+string(state.Steps[i].Status))
			}
			if text := strings.Join(got, " "); text != test.steps {
				t.Errorf("steps %s, want %s", text, test.steps)
			}
			for id, reason := range test.reasons {
				i, _ := state.Graph().Index(id)
				if !strings.Contains(state.Steps[i].SkipReason, reason) {
					t.Errorf("skip reason of %s is %q, want it to say %q", id, state.Steps[i].SkipReason, reason)
				}
			}
		})
	}
}

func TestRetriesWaitLongerEachTime(t *testing.T) {
	t.Parallel()
	graph := compile(t, []byte("name: x\nsteps:\n- {id: a, handler: t.h, retry: {max_attempts: 3, initial_interval: 2, multiplier: 3, jitter: 0}}\n"))
	state := plan.NewState(graph, plan.Inputs{})
	must := func(events ...plan.Event) {
		for _, event := range events {
			if err := state.Apply(event); err != nil {
				t.Fatal(err)
			}
		}
	}
	must(plan.Event{Type: plan.ExecutionStarted, Time: epoch, Seq: 1})
	now := epoch
	for _, want := range []time.Duration{2 * time.Second, 6 * time.Second} {
		commands := plan.Next(state, now)
		if len(commands) != 1 || commands[0].Kind != plan.CommandStart {
			t.Fatalf("commands %v, want a start", commands)
		}
		must(plan.Started(state, commands[0], plan.Private{}, now))
		must(plan.Settle(state, plan.StepRef(0), failure(pluginsdk.FailureRetryable), "", now, 0)...)
		if early := plan.Next(state, now.Add(want-1)); len(early) != 0 {
			t.Fatalf("%v is due before its time", early)
		}
		if due := plan.Due(state, now); due.Sub(now) != want {
			t.Fatalf("due after %s, want %s", due.Sub(now), want)
		}
		now = now.Add(want)
	}
}

func TestWorkflowTimeoutCancelsAndFails(t *testing.T) {
	t.Parallel()
	graph := compile(t, []byte("name: x\ntimeout: 10\nsteps:\n- {id: a, handler: t.h}\n- {id: z, handler: t.h, run_on: always}\n"))
	state := plan.NewState(graph, plan.Inputs{})
	now := epoch
	for range 20 {
		commands := plan.Next(state, now)
		for _, command := range commands {
			var event plan.Event
			switch command.Kind {
			case plan.CommandStart:
				event = plan.Started(state, command, plan.Private{}, now)
			case plan.CommandCancel:
				event = plan.Settle(state, command.Ref, failure(pluginsdk.FailureCancelled), "", now, 0)[0]
			default:
				event, _ = plan.EventOf(state, command, now)
			}
			if err := state.Apply(event); err != nil {
				t.Fatal(err)
			}
			if event.Type == plan.StepStarted && event.StepID == "z" {
				if err := state.Apply(plan.Settle(state, command.Ref, pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}, "", now, 0)[0]); err != nil {
					t.Fatal(err)
				}
			}
		}
		if due := plan.Due(state, now); len(commands) == 0 && !due.IsZero() {
			now = due
		}
	}
	if state.Status != plan.StatusFailed || state.Error.Code != "TIMEOUT" {
		t.Fatalf("ended as %s with %+v, want failed with TIMEOUT", state.Status, state.Error)
	}
	if a, z := state.Steps[0].Status, state.Steps[1].Status; a != plan.StatusCancelled || z != plan.StatusSuccess {
		t.Fatalf("a is %s and z is %s, want cancelled and success", a, z)
	}
}

func TestThreeHostCrashesWithinAnHourPark(t *testing.T) {
	t.Parallel()
	graph := compile(t, []byte("name: x\nsteps:\n- {id: a, handler: t.h}\n"))
	state := plan.NewState(graph, plan.Inputs{})
	apply := func(event plan.Event) {
		if err := state.Apply(event); err != nil {
			t.Fatal(err)
		}
	}
	apply(plan.Event{Type: plan.ExecutionStarted, Time: epoch})
	for i := range 3 {
		apply(plan.Event{Type: plan.HostRestarted, Time: epoch.Add(time.Duration(i) * time.Minute)})
	}
	now := epoch.Add(10 * time.Minute)
	commands := plan.Next(state, now)
	if len(commands) != 1 || commands[0].Kind != plan.CommandPark {
		t.Fatalf("commands %v, want park", commands)
	}
	if later := plan.Next(state, epoch.Add(3*time.Hour)); len(later) != 1 || later[0].Kind != plan.CommandStart {
		t.Fatalf("three hours later %v is due, want a start", later)
	}
	event, _ := plan.EventOf(state, commands[0], now)
	apply(event)
	if state.Status != plan.StatusPaused || len(plan.Next(state, now)) != 0 {
		t.Fatalf("a parked execution is %s and has commands", state.Status)
	}
	apply(plan.Event{Type: plan.ExecutionResumed, Time: now})
	if after := plan.Next(state, now); len(after) != 1 || after[0].Kind != plan.CommandStart {
		t.Fatalf("after the resume %v is due, want a start", after)
	}
}

// What a lost attempt becomes is the recovery table, row by row.
func TestRecoveryTable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		class       pluginsdk.EffectClass
		onInterrupt workflow.OnInterrupt
		want        plan.CommandKind
		status      plan.Status
	}{
		{pluginsdk.EffectPure, "ask", plan.CommandStart, ""},
		{pluginsdk.EffectIdempotent, "ask", plan.CommandStart, ""},
		{pluginsdk.EffectKeyed, "fail", plan.CommandStart, ""},
		{pluginsdk.EffectReconcilable, "ask", plan.CommandReconcile, ""},
		{pluginsdk.EffectUnsafe, "ask", plan.CommandInterrupt, ""},
		{pluginsdk.EffectUnsafe, "retry", plan.CommandStart, ""},
		{pluginsdk.EffectUnsafe, "fail", plan.CommandComplete, plan.StatusFailed},
		{pluginsdk.EffectUnsafe, "skip", plan.CommandComplete, plan.StatusSkipped},
		{"", "ask", plan.CommandInterrupt, ""},
	} {
		graph := compile(t, []byte("name: x\nsteps:\n- {id: a, handler: t.h, on_interrupt: "+string(test.onInterrupt)+"}\n"))
		state := plan.NewState(graph, plan.Inputs{})
		for _, event := range []plan.Event{
			{Type: plan.ExecutionStarted, Time: epoch},
			{Type: plan.StepStarted, StepID: "a", Attempt: 1, Time: epoch, Private: &plan.Private{EffectClass: test.class}},
			{Type: plan.AttemptLost, StepID: "a", Time: epoch, Private: &plan.Private{Lost: plan.LostHost}},
		} {
			if err := state.Apply(event); err != nil {
				t.Fatal(err)
			}
		}
		commands := plan.Next(state, epoch)
		if len(commands) != 1 || commands[0].Kind != test.want || commands[0].Status != test.status {
			t.Errorf("%s with on_interrupt %s: %v, want %s %s", test.class, test.onInterrupt, commands, test.want, test.status)
		}
	}
}

// An approval that nobody answers in time fails its step; what becomes due in
// the same moment must not start before that is known.
func TestAWaitThatFailsHoldsWhatIsDueWithIt(t *testing.T) {
	t.Parallel()
	graph := compile(t, []byte("name: x\nsteps:\n- {id: ask, handler: flow.approval, config: {message: \"?\"}}\n- {id: nap, handler: flow.wait, config: {duration: 10s}}\n- {id: next, handler: t.h, dependencies: [nap]}\n"))
	state := plan.NewState(graph, plan.Inputs{ExecutionID: "e"})
	now, seq := epoch, uint64(0)
	apply := func(events ...plan.Event) {
		for _, event := range events {
			seq++
			event.Seq = seq
			if err := state.Apply(event); err != nil {
				t.Fatal(err)
			}
		}
	}
	apply(plan.Event{Type: plan.ExecutionCreated, Time: now}, plan.Event{Type: plan.ExecutionStarted, Time: now})
	for i, wait := range []plan.Wait{
		{Reason: plan.WaitApproval, Until: now.Add(10 * time.Second)}, {Reason: plan.WaitTime, Until: now.Add(5 * time.Second)},
	} {
		apply(plan.Started(state, plan.Command{Ref: plan.StepRef(i), Attempt: 1}, plan.Private{}, now))
		event, err := plan.WaitingEvent(state, plan.StepRef(i), wait, now)
		if err != nil {
			t.Fatal(err)
		}
		apply(event)
	}
	apply(plan.Settle(state, plan.StepRef(1), pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}, "", now, 0)...)
	commands := plan.Next(state, now.Add(10*time.Second))
	if len(commands) != 1 || commands[0].Kind != plan.CommandSettle || commands[0].Step != 0 {
		t.Errorf("due are %+v, want the end of the approval alone", commands)
	}
}
