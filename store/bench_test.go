package store

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/storetest"
)

// BenchmarkAppend appends single events, each waited for, by several writers
// at once; an operation is one event.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := open(b, Options{})
			lives := make([]*storetest.Life, writers)
			for i := range lives {
				lives[i] = start(b, s, i+1, "release")
			}
			var left atomic.Int64
			left.Store(int64(b.N))
			before := s.commits.Load()
			b.ResetTimer()
			var group sync.WaitGroup
			for _, life := range lives {
				group.Go(func() {
					for left.Add(-1) >= 0 {
						if err := s.Append(context.Background(), life.Move(plan.ProgressMade, plan.StatusRunning)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			group.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(b.N)/float64(max(1, s.commits.Load()-before)), "events/commit")
		})
	}
}

// populate keeps executions of ten workflows, most of them ended.
func populate(b *testing.B, s *Store, executions int) {
	b.Helper()
	ctx := context.Background()
	var group sync.WaitGroup
	const writers = 250
	for w := range writers {
		group.Go(func() {
			for n := w; n < executions; n += writers {
				life := storetest.NewLife(storetest.ID(n), fmt.Sprintf("w%d", n%10), startTime(0).Add(time.Duration(n)*time.Second))
				_, _, err := s.Create(ctx, life.Creation())
				if err == nil && n%100 != 0 {
					err = s.Append(ctx, life.End([]plan.Status{plan.StatusSuccess, plan.StatusFailed}[n%2]))
				}
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkListOf10000Executions(b *testing.B) {
	s := open(b, Options{})
	populate(b, s, 10_000)
	for _, test := range []struct {
		name   string
		filter data.ExecutionFilter
	}{
		{"first page of 50", data.ExecutionFilter{Limit: 50}},
		{"page of a workflow", data.ExecutionFilter{WorkflowID: "w3", Limit: 50}},
		{"page of a status", data.ExecutionFilter{Status: []plan.Status{plan.StatusFailed}, Limit: 50}},
		{"the live ones", data.ExecutionFilter{Status: data.LiveStatuses(), Limit: 50}},
		{"deep page", data.ExecutionFilter{Limit: 50, Cursor: data.PositionOf(startTime(100), storetest.ID(0)).Cursor()}},
		{"trigger that none has", data.ExecutionFilter{Trigger: engine.TriggerCLI, Limit: 50}},
		{"all of them", data.ExecutionFilter{Limit: 10_000}},
	} {
		b.Run(test.name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := s.Executions(context.Background(), test.filter); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkListOf1000Workflows(b *testing.B) {
	s := open(b, Options{})
	var group sync.WaitGroup
	for n := range 1000 {
		group.Go(func() {
			given := storetest.NewWorkflow(fmt.Sprintf("w%d", n), fmt.Sprintf("Workflow %d", n))
			given.Description = "A workflow with a description of the usual length, which says what it does"
			if _, err := s.CreateWorkflow(context.Background(), given); err != nil {
				b.Error(err)
			}
		})
	}
	group.Wait()
	b.ResetTimer()
	for b.Loop() {
		if list, _, err := s.Workflows(context.Background(), data.WorkflowFilter{}); err != nil || len(list) != 1000 {
			b.Fatal(len(list), err)
		}
	}
}
