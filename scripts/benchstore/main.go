// Command benchstore fills a store with finished executions through its public
// interface and prints what a large store costs: the time of a start, of lists
// and of single reads, and the size of the files before and after retention.
//
// It is no test: figures depend on the machine.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store"
	"github.com/vwmp/vwmp/store/data"
)

const workflows = 200

func main() {
	count := flag.Int("executions", 1_000_000, "how many finished executions to make")
	dir := flag.String("data", "", "data folder; a temporary one where it is empty")
	flag.Parse()
	if err := run(context.Background(), *count, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "benchstore:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, count int, dir string) error {
	if dir == "" {
		temporary, err := os.MkdirTemp("", "vwmp-benchstore-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temporary) //nolint:errcheck // It is temporary.
		dir = temporary
	}
	s, err := store.Open(ctx, store.Options{Dir: dir})
	if err != nil {
		return err
	}
	took, ids, err := timed2(func() ([]string, error) { return fill(ctx, s, count) })
	if err != nil {
		return err
	}
	row("made and moved", fmt.Sprintf("%d executions in %s, %.0f/s", count, took.Round(time.Second), float64(count)/took.Seconds()))
	if s, err = reopen(ctx, s, store.Options{Dir: dir}, "start"); err != nil {
		return err
	}
	if err := measure(ctx, s, ids); err != nil {
		return err
	}
	showSizes(dir, "before retention")
	// What a server does by default.
	bounds := store.Options{Dir: dir, Retention: data.Retention{Days: 90, PerWorkflow: 1000}}
	if s, err = reopen(ctx, s, bounds, "start"); err != nil {
		return err
	}
	if took, err = timed(func() error { return s.Tend(ctx) }); err != nil {
		return err
	}
	row("retention", took.Round(time.Second).String())
	showSizes(dir, "after retention")
	if s, err = reopen(ctx, s, bounds, "start after retention"); err != nil {
		return err
	}
	showSizes(dir, "after that start")
	if err := measure(ctx, s, ids); err != nil {
		return err
	}
	report, err := s.Check(ctx)
	if err != nil {
		return err
	}
	row("check", fmt.Sprintf("%d problems, %d executions, %d events", len(report.Problems), report.Executions, report.Events))
	return s.Close()
}

func row(what, value string) { fmt.Fprintf(os.Stdout, "%-24s %s\n", what, value) }

func timed(do func() error) (time.Duration, error) {
	started := time.Now()
	err := do()
	return time.Since(started), err
}

func timed2[T any](do func() (T, error)) (time.Duration, T, error) {
	started := time.Now()
	value, err := do()
	return time.Since(started), value, err
}

func reopen(ctx context.Context, s *store.Store, options store.Options, what string) (*store.Store, error) {
	if err := s.Close(); err != nil {
		return nil, err
	}
	took, next, err := timed2(func() (*store.Store, error) { return store.Open(ctx, options) })
	if err == nil {
		row(what, took.Round(time.Millisecond).String())
	}
	return next, err
}

// part is how many executions are made before those that ended move into the
// history. A server makes fewer within the minute after which it does so.
const part = 50_000

// fill makes executions of several workflows that ended within the last 120
// days, as many writers would.
func fill(ctx context.Context, s *store.Store, count int) ([]string, error) {
	document := json.RawMessage(`{"name":"Nightly","steps":[{"id":"build","handler":"shell.run"}]}`)
	for n := range workflows {
		_, err := s.CreateWorkflow(ctx, data.NewWorkflow{
			ID: workflowID(n), Name: fmt.Sprintf("Nightly %d", n), Version: "1.0.0", Type: "general", StepCount: 1,
			Format: data.FormatJSON, Text: document, Document: document,
		})
		if err != nil {
			return nil, err
		}
	}
	begin := time.Now().AddDate(0, 0, -120)
	ids := make([]string, count)
	for from := 0; from < count; from += part {
		if err := fillPart(ctx, s, from, ids, begin, document); err != nil {
			return nil, err
		}
		if err := s.Tend(ctx); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

func fillPart(ctx context.Context, s *store.Store, from int, ids []string, begin time.Time, document json.RawMessage) error {
	const writers = 256
	count := len(ids)
	var next atomic.Int64
	next.Store(int64(from))
	failures := make([]error, writers)
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for failures[w] == nil {
				n := int(next.Add(1)) - 1
				if n >= min(count, from+part) {
					return
				}
				at := begin.Add(time.Duration(float64(n) / float64(count) * float64(120*24*time.Hour)))
				ids[n], failures[w] = runOne(ctx, s, n, at, document)
			}
		})
	}
	group.Wait()
	return errors.Join(failures...)
}

func workflowID(n int) string { return fmt.Sprintf("nightly-%d", n) }

// runOne keeps one execution of a step, as an engine does.
func runOne(ctx context.Context, s *store.Store, n int, at time.Time, document json.RawMessage) (string, error) {
	made, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	id, status := made.String(), plan.StatusSuccess
	if n%7 == 0 {
		status = plan.StatusFailed
	}
	e := engine.Execution{
		ID: id, WorkflowID: workflowID(rand.IntN(workflows)), WorkflowName: "Nightly", WorkflowVersion: "1.0.0", WorkflowRevision: 1, //nolint:gosec // Any spread will do.
		Status: plan.StatusPending, Trigger: engine.TriggerAPI, Workspace: "default", Parameters: json.RawMessage(`{"branch":"main","dry":false}`),
		CreatedAt: at, StartedAt: at, By: "admin", Progress: plan.Progress{TotalSteps: 1},
	}
	event := func(kind plan.EventType, seq uint64, sub uint32) plan.Event {
		return plan.Event{Type: kind, Seq: seq, Sub: sub, ExecutionID: id, WorkflowID: e.WorkflowID, Time: at}
	}
	if _, _, err := s.Create(ctx, engine.Creation{
		Execution: e, Document: document, WorkspaceDir: "/srv/project", Events: []plan.Event{event(plan.ExecutionCreated, 0, 1)},
	}); err != nil {
		return "", err
	}
	output := json.RawMessage(`{"exit_code":0,"stdout":"built in 3.1 s, 412 tests passed"}`)
	started, ended, last := event(plan.StepStarted, 2, 0), event(plan.StepCompleted, 3, 0), event(plan.WorkflowCompleted, 4, 0)
	started.StepID, started.StepName, started.Handler, started.Attempt = "build", "Build", "shell.run", 1
	ended.StepID, ended.Status, ended.Output = "build", string(status), output
	last.Status = string(status)
	e.Status, e.CompletedAt, e.TotalTime = status, at.Add(3*time.Second), 3
	e.Progress = plan.Progress{TotalSteps: 1, CompletedSteps: 1, Percentage: 100}
	return id, s.Append(ctx, engine.Commit{
		Execution: e, Events: []plan.Event{event(plan.ExecutionStarted, 1, 0), started, ended, last},
		Steps: []engine.StepResult{{
			StepID: "build", StepName: "Build", Handler: "shell.run", Status: status, Output: output, Attempts: 1,
			StartedAt: at, CompletedAt: at.Add(3 * time.Second), ExecutionTime: 3,
		}},
	})
}

// measure reads as pages and clients do, and prints how long that takes.
func measure(ctx context.Context, s *store.Store, ids []string) error {
	lists := make([]time.Duration, 0, 3000)
	for range cap(lists) / 3 {
		for _, filter := range []data.ExecutionFilter{
			{Limit: 50},
			{Limit: 50, WorkflowID: workflowID(rand.IntN(workflows))}, //nolint:gosec // Any spread will do.
			{Limit: 50, Status: []plan.Status{plan.StatusFailed, plan.StatusCancelled}},
		} {
			if rand.IntN(2) == 0 { //nolint:gosec // Any spread will do.
				filter.Until = time.Now().Add(-time.Duration(rand.Int64N(int64(120 * 24 * time.Hour)))) //nolint:gosec // Any spread will do.
			}
			took, err := timed(func() error {
				_, _, err := s.Executions(ctx, filter)
				return err
			})
			if err != nil {
				return err
			}
			lists = append(lists, took)
		}
	}
	percentiles("list of 50", lists)
	loads := make([]time.Duration, 0, 2000)
	for range cap(loads) {
		// Those at the end are the ones that retention leaves.
		id := ids[len(ids)-1-rand.IntN(len(ids)/20)] //nolint:gosec // Any spread will do.
		took, err := timed(func() error {
			_, err := s.Load(ctx, id)
			return err
		})
		if err != nil {
			return err
		}
		loads = append(loads, took)
	}
	percentiles("one execution", loads)
	return nil
}

func percentiles(what string, all []time.Duration) {
	slices.Sort(all)
	at := func(share float64) time.Duration {
		return all[int(share*float64(len(all)-1))].Round(10 * time.Microsecond)
	}
	row(what, fmt.Sprintf("p50 %s, p99 %s, max %s", at(0.5), at(0.99), at(1)))
}

func showSizes(dir, when string) {
	var parts []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".db") {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			parts = append(parts, fmt.Sprintf("%s %d MiB", entry.Name(), info.Size()>>20))
		}
		return err
	})
	if err != nil {
		parts = append(parts, err.Error())
	}
	row(when, strings.Join(parts, ", "))
}
