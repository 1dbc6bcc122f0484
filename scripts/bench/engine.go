package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// execute runs a stored workflow to its end and returns its time in seconds.
func (s *server) execute(ctx context.Context, id string) (float64, error) {
	raw, err := s.call(ctx, http.MethodPost, "/api/vwmp/workflows/"+id+"/execute/?async=false", "")
	if err != nil {
		return 0, err
	}
	var result struct {
		Status    string  `json:"status"`
		TotalTime float64 `json:"total_time"`
	}
	if err := json.Unmarshal(raw, &result); err != nil || result.Status != "success" {
		return 0, fmt.Errorf("%s ended as %q: %w", id, result.Status, err)
	}
	return result.TotalTime, nil
}

func (s *server) keep(ctx context.Context, id, document string) error {
	_, err := s.call(ctx, http.MethodPost, "/api/vwmp/workflows/import/?id="+id, document)
	return err
}

// loneStep runs a step by itself: its intent, its call and its result.
func (s *server) loneStep(ctx context.Context) (figure, error) {
	f := figure{name: "one step through a plugin, durable (median of 200)", target: "< 2 ms"}
	if err := s.keep(ctx, "lone", chainOf(1, "echo.say", `{"text":"x"}`)); err != nil {
		return f, err
	}
	disk, err := openDisk(s.dir)
	if err != nil {
		return f, err
	}
	defer func() { _ = disk.Close() }()
	bare, err := disk.commits(1, nil)
	if err != nil {
		return f, err
	}
	var times []time.Duration
	for range 200 {
		seconds, err := s.execute(ctx, "lone")
		if err != nil {
			return f, err
		}
		times = append(times, time.Duration(seconds*float64(time.Second)))
	}
	if bare, err = disk.commits(1, bare); err != nil {
		return f, err
	}
	f.measured = fmt.Sprintf("%s; one bare commit %s", median(times).Round(10*time.Microsecond), median(bare).Round(10*time.Microsecond))
	return f, nil
}

const (
	parallelRuns  = 64
	parallelSteps = 50
)

// throughput runs many chains at once; each step is two durable transitions.
func (s *server) throughput(ctx context.Context) (figure, error) {
	f := figure{name: fmt.Sprintf("durable step transitions, %d executions at once", parallelRuns), target: "≥ 4,000/s"}
	if err := s.keep(ctx, "busy", chainOf(parallelSteps, "echo.say", `{"text":"x"}`)); err != nil {
		return f, err
	}
	failures := make([]error, parallelRuns)
	var runs sync.WaitGroup
	begin := time.Now()
	for i := range parallelRuns {
		runs.Go(func() { _, failures[i] = s.execute(ctx, "busy") })
	}
	runs.Wait()
	took := time.Since(begin)
	if err := errors.Join(failures...); err != nil {
		return f, err
	}
	f.measured = fmt.Sprintf("%.0f/s", 2*parallelRuns*parallelSteps/took.Seconds())
	return f, nil
}

// fanOut runs a step for a thousand items, each of them durable.
func (s *server) fanOut(ctx context.Context) (figure, error) {
	f := figure{name: "for_each over 1,000 items through one plugin (median of 5)", target: "< 500 ms"}
	items := strings.TrimSuffix(strings.Repeat("1,", 1000), ",")
	document := `{"name":"Fan-out","steps":[{"id":"a","handler":"echo.say","config":{"text":"x"},"max_parallel":100,"for_each":[` + items + `]}]}`
	if err := s.keep(ctx, "fan", document); err != nil {
		return f, err
	}
	var times []time.Duration
	for range 5 {
		seconds, err := s.execute(ctx, "fan")
		if err != nil {
			return f, err
		}
		times = append(times, time.Duration(seconds*float64(time.Second)))
	}
	f.measured = median(times).Round(time.Millisecond).String()
	return f, nil
}

// large compares the cost of a step in workflows of 10,000 steps with that in
// one of 100, and looks at the memory it takes.
func (s *server) large(ctx context.Context) (figures []figure, err error) {
	const few, many = 100, 10_000
	// The memory is to be that of these runs alone.
	s.stop()
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	for _, shape := range []struct {
		name string
		of   func(n int) string
	}{{"chain", func(n int) string { return chainOf(n, "flow.log", `{"message":"x"}`) }}, {"fan-out", fanOf}, {"random graph", randomOf}} {
		name := strings.ReplaceAll(shape.name, " ", "-")
		if err := errors.Join(s.keep(ctx, name+"-100", shape.of(few)), s.keep(ctx, name+"-10000", shape.of(many))); err != nil {
			return figures, err
		}
		var small, big []time.Duration
		for range 5 {
			seconds, err := s.execute(ctx, name+"-100")
			if err != nil {
				return figures, err
			}
			small = append(small, time.Duration(seconds*float64(time.Second))/few)
		}
		seconds, err := s.execute(ctx, name+"-10000")
		if err != nil {
			return figures, err
		}
		big = append(big, time.Duration(seconds*float64(time.Second))/many)
		figures = append(figures, figure{
			name:     "10,000 steps, " + shape.name + ": cost of a step",
			measured: fmt.Sprintf("%s, %.1f times that of 100 steps", median(big).Round(time.Microsecond), float64(median(big))/float64(median(small))),
			target:   "≤ 2 times",
		})
	}
	figures = append(figures, figure{"host RSS over the runs of 10,000 steps, at most", mib(memoryLine(s.cmd.Process.Pid, "status", "VmHWM:")), "< 200 MB"})
	return figures, nil
}

func fanOf(n int) string {
	steps := make([]string, n)
	steps[0] = `{"id":"s0","handler":"flow.log","config":{"message":"x"}}`
	for i := 1; i < n; i++ {
		steps[i] = fmt.Sprintf(`{"id":"s%d","handler":"flow.log","config":{"message":"x"},"dependencies":["s0"]}`, i)
	}
	return `{"name":"Fan-out","steps":[` + strings.Join(steps, ",") + `]}`
}

// randomOf lets each step depend on up to three of those shortly before it.
func randomOf(n int) string {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // The same graph each time.
	steps := make([]string, n)
	for i := range n {
		seen := map[int]bool{}
		var dependencies []string
		for range min(i, 3) {
			if d := i - 1 - random.IntN(min(i, 50)); !seen[d] {
				seen[d] = true
				dependencies = append(dependencies, fmt.Sprintf(`"s%d"`, d))
			}
		}
		steps[i] = fmt.Sprintf(`{"id":"s%d","handler":"flow.log","config":{"message":"x"},"dependencies":[%s]}`, i, strings.Join(dependencies, ","))
	}
	return `{"name":"Random","steps":[` + strings.Join(steps, ",") + `]}`
}
