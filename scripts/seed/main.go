// Command seed fills a data folder that holds workflows with two weeks of
// finished executions, for pictures and for trying the pages. What it writes
// is invented, but kept as an engine keeps it.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store"
	"github.com/vwmp/vwmp/store/data"
)

const days = 14

// habit is how a workflow is used.
type habit struct {
	perDay  float64
	seconds float64 // what a step takes, about
	failing float64 // the share of failed executions
	trigger string
}

// habits by workflow id; others are used now and then by hand.
var habits = map[string]habit{
	"standard-release": {1.6, 1.4, 0.06, engine.TriggerManual},
	"nightly-checks":   {1, 38, 0.14, "schedule"},
	"hotfix":           {0.5, 3.1, 0.1, engine.TriggerManual},
	"docs-publish":     {3.4, 4.2, 0.05, "file"},
	"pull-request":     {13, 9.5, 0.17, "webhook"},
	"weekly-notes":     {0.14, 6, 0, "schedule"},
	"mirror":           {5.5, 1.8, 0.02, "schedule"},
	"board-sync":       {0.7, 0.6, 0.04, "workflow"},
	"branch-cleanup":   {0.14, 2.2, 0, "schedule"},
	"canary":           {0.4, 2, 0.05, engine.TriggerManual},
	"rotate-keys":      {0.2, 2, 0, engine.TriggerManual},
	"validators":       {1.2, 61, 0.2, engine.TriggerCLI},
}

func main() {
	dir := flag.String("data", "", "data folder; no server may have it open")
	flag.Parse()
	if err := run(context.Background(), *dir); err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string) (err error) {
	s, err := store.Open(ctx, store.Options{Dir: dir})
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, s.Close()) }()
	found, _, err := s.Workflows(ctx, data.WorkflowFilter{Limit: 1000})
	if err != nil {
		return err
	}
	// The same folder every time, but for ids and the present day.
	random := rand.New(rand.NewPCG(14, 11)) //nolint:gosec // Any spread will do.
	var all []*invented
	for i := range found {
		made, err := invent(ctx, s, &found[i], random)
		if err != nil {
			return err
		}
		all = append(all, made...)
	}
	slices.SortFunc(all, func(a, b *invented) int { return a.at.Compare(b.at) })
	for _, each := range all {
		if err := each.keep(ctx, s); err != nil {
			return fmt.Errorf("keep an execution of %s: %w", each.workflow.ID, err)
		}
	}
	fmt.Fprintf(os.Stdout, "%d executions of %d workflows\n", len(all), len(found))
	return nil
}

// definition is what this program reads of a workflow.
type definition struct {
	Steps []struct {
		ID           string   `json:"id"`
		Name         string   `json:"name"`
		Handler      string   `json:"handler"`
		Dependencies []string `json:"dependencies"`
	} `json:"steps"`
}

// invented is an execution that never was.
type invented struct {
	workflow   *data.Workflow
	document   json.RawMessage
	definition definition
	habit      habit
	at         time.Time
	status     plan.Status
	random     *rand.Rand
}

// invent spreads executions of a workflow over the days, fewer at weekends.
func invent(ctx context.Context, s *store.Store, w *data.Workflow, random *rand.Rand) ([]*invented, error) {
	used, regular := habits[w.ID]
	if !regular {
		used = habit{0.2, 2, 0.1, engine.TriggerManual}
	}
	version, err := s.WorkflowRevision(ctx, w.ID, w.Revision)
	if err != nil {
		return nil, err
	}
	var steps definition
	if err := json.Unmarshal(version.Document, &steps); err != nil {
		return nil, fmt.Errorf("read workflow %s: %w", w.ID, err)
	}
	now := time.Now().UTC()
	var made []*invented
	for day := range days {
		date := now.AddDate(0, 0, day-days+1)
		most := used.perDay
		if weekday := date.Weekday(); used.trigger != "schedule" && (weekday == time.Saturday || weekday == time.Sunday) {
			most *= 0.3
		}
		count := int(math.Floor(most + random.Float64()))
		for range count {
			at := date.Truncate(24 * time.Hour).Add(time.Duration((7*3600 + random.IntN(12*3600)) * int(time.Second)))
			e := &invented{workflow: w, document: version.Document, definition: steps, habit: used, at: at, status: plan.StatusSuccess, random: random}
			switch roll := random.Float64(); {
			case roll < used.failing:
				e.status = plan.StatusFailed
			case roll < used.failing+0.02:
				e.status = plan.StatusCancelled
			case roll < used.failing+0.035 && len(steps.Steps) > 2:
				e.status = plan.StatusPartial
			}
			if at.Before(now.Add(-10 * time.Minute)) {
				made = append(made, e)
			}
		}
	}
	return made, nil
}

// keep writes the execution down as an engine does: as created, then its end.
func (e *invented) keep(ctx context.Context, s *store.Store) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	header := engine.Execution{
		ID: id.String(), WorkflowID: e.workflow.ID, WorkflowName: e.workflow.Name, WorkflowVersion: e.workflow.Version, WorkflowRevision: e.workflow.Revision,
		Status: plan.StatusPending, Trigger: e.habit.trigger, Workspace: "default", Parameters: json.RawMessage(`{}`),
		CreatedAt: e.at, StartedAt: e.at, By: "admin", Progress: plan.Progress{TotalSteps: len(e.definition.Steps)},
	}
	journal := &journal{header: &header}
	journal.add(plan.Event{Type: plan.ExecutionCreated, Sub: 1}, e.at)
	if _, _, err := s.Create(ctx, engine.Creation{Execution: header, Document: e.document, WorkspaceDir: "/srv/project", Events: journal.take()}); err != nil {
		return err
	}
	steps, end := e.steps(journal)
	header.Status, header.CompletedAt, header.TotalTime = e.status, end, end.Sub(e.at).Seconds()
	header.Progress.Percentage = 100
	for i := range steps {
		switch steps[i].Status {
		case plan.StatusSuccess:
			header.Progress.CompletedSteps++
		case plan.StatusFailed:
			header.Progress.FailedSteps++
			if e.status == plan.StatusFailed {
				header.Error = steps[i].Error
			}
		default:
			header.Progress.SkippedSteps++
		}
	}
	journal.add(plan.Event{Type: plan.WorkflowCompleted, Status: string(e.status), TotalTime: &header.TotalTime}, end)
	return s.Append(ctx, engine.Commit{Execution: header, Events: journal.take(), Steps: steps})
}

// steps lets each step begin when those before it have ended. One of the later
// steps fails where the execution did, and what depends on it is skipped.
func (e *invented) steps(journal *journal) ([]engine.StepResult, time.Time) {
	journal.add(plan.Event{Type: plan.ExecutionStarted, Trigger: e.habit.trigger, TotalSteps: len(e.definition.Steps)}, e.at)
	broken := -1
	if e.status != plan.StatusSuccess {
		broken = e.random.IntN(len(e.definition.Steps))
	}
	ends, lost := map[string]time.Time{}, map[string]bool{}
	last := e.at
	var results []engine.StepResult
	for i, step := range e.definition.Steps {
		begin := e.at.Add(40 * time.Millisecond)
		skipped := false
		for _, needed := range step.Dependencies {
			if ends[needed].After(begin) {
				begin = ends[needed]
			}
			skipped = skipped || lost[needed]
		}
		result := engine.StepResult{StepID: step.ID, StepName: cmp.Or(step.Name, step.ID), Handler: step.Handler, Status: plan.StatusSuccess}
		end := begin
		if skipped {
			result.Status, result.SkipReason = plan.StatusSkipped, "a step that it needs did not succeed"
			lost[step.ID] = true
		} else {
			took := time.Duration(e.habit.seconds * (0.5 + e.random.ExpFloat64()*0.6) * float64(time.Second))
			end = begin.Add(took.Round(time.Millisecond))
			result.Attempts, result.StartedAt, result.CompletedAt, result.ExecutionTime = 1, begin, end, end.Sub(begin).Seconds()
			journal.add(plan.Event{Type: plan.StepStarted, StepID: step.ID, StepName: result.StepName, Handler: step.Handler, Attempt: 1}, begin)
			if i == broken {
				lost[step.ID] = true
				result.Status = e.brokenStatus()
				if result.Status == plan.StatusFailed {
					result.Error = &plan.Error{Code: "permanent", Message: failureOf(step.Handler)}
				}
			}
		}
		seconds := result.ExecutionTime
		journal.add(plan.Event{
			Type: plan.StepCompleted, StepID: step.ID, StepName: result.StepName, Handler: step.Handler, Status: string(result.Status),
			Error: result.Error, SkipReason: result.SkipReason, ExecutionTime: &seconds,
		}, end)
		ends[step.ID] = end
		if end.After(last) {
			last = end
		}
		results = append(results, result)
	}
	return results, last
}

func (e *invented) brokenStatus() plan.Status {
	if e.status == plan.StatusCancelled {
		return plan.StatusCancelled
	}
	return plan.StatusFailed
}

func failureOf(handler string) string {
	switch handler {
	case "vwmp.run_validators":
		return "scripts/validate_changelog.py: the section “Unreleased” is empty"
	case "git.push":
		return "the remote refused main: fetch first"
	case "git.pull", "git.checkout":
		return "the branch is not there"
	}
	return "there was nothing to do"
}

// journal numbers events as the engine does.
type journal struct {
	header *engine.Execution
	seq    uint64
	events []plan.Event
}

func (j *journal) add(event plan.Event, at time.Time) {
	if event.Sub == 0 {
		j.seq++
		event.Seq = j.seq
	}
	event.ExecutionID, event.WorkflowID, event.Time = j.header.ID, j.header.WorkflowID, at
	j.events = append(j.events, event)
}

func (j *journal) take() []plan.Event {
	taken := j.events
	j.events = nil
	return taken
}
