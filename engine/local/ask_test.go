package local

import (
	"context"
	"testing"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/enginetest"
	"github.com/vwmp/vwmp/engine/plan"
)

// lateAsker is a context that holds its caller in the select of ask until the
// owner has answered and ended, so that both are ready when it chooses.
type lateAsker struct {
	context.Context
	ended chan struct{}
}

func (c lateAsker) Done() <-chan struct{} {
	<-c.ended
	return c.Context.Done()
}

// A decision that ends the execution is answered with its result, even where
// the owner is gone before the asker looks.
func TestDecisionThatEndsTheExecutionIsAnswered(t *testing.T) {
	t.Parallel()
	store := enginetest.NewStore()
	// Which of two ready cases a select takes is chance: once in 2^64 this
	// would miss an ask that listens to the end of the owner alone.
	for range 64 {
		e := &execution{id: "e", inbox: make(chan *message), done: make(chan struct{})}
		r := New(Options{Journal: store})
		r.executions[e.id] = e
		if _, _, err := store.Create(t.Context(), engine.Creation{Execution: engine.Execution{ID: e.id, Status: plan.StatusSuccess}}); err != nil {
			t.Fatal(err)
		}
		asker := lateAsker{t.Context(), make(chan struct{})}
		go func() {
			m := <-e.inbox
			m.reply <- reply{execution: engine.Execution{ID: e.id, Status: plan.StatusSuccess}}
			close(e.done)
			close(asker.ended)
		}()
		answer, err := r.ResolveStep(asker, e.id, "a", engine.Resolution{As: "success", By: "tester"})
		if err != nil || answer.Status != plan.StatusSuccess {
			t.Fatalf("the decision was answered with %s: %v", answer.Status, err)
		}
	}
}
