package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// inboxSize is how many messages wait before their senders do.
const inboxSize = 64

type messageKind int

const (
	messageOutcome messageKind = iota
	messageReconciled
	messageUndone
	messageChild
	messageWait
	messageCancel
	messagePause
	messageResume
	messageResolve
	messageApprove
	messageSignal
	messageGrant
	messageExplain
	messageRetire
	messageNote
	messagePlugins
	messageAskAgain
)

// message is something that an execution's owner must turn into events.
type message struct {
	kind    messageKind
	ref     plan.Ref
	attempt int
	// later is when a handler can be asked that could not be asked now.
	later time.Duration
	// noBinary: nobody can be asked any more.
	noBinary bool
	// Of an outcome: how, and what ended the attempt if nobody knows.
	outcome    pluginsdk.Outcome
	usage      *plan.Usage
	cause      plan.LostCause
	reconciled pluginsdk.ReconcileResult
	by         string
	// once leaves an execution alone that is being cancelled already.
	once       bool
	stepID     string
	resolution engine.Resolution
	approval   engine.Approval
	// wait is what a unit that was planned for waits for.
	wait plan.Wait
	// Of a signal.
	signal  string
	payload json.RawMessage
	// note is a checkpoint or an effect.
	note  plan.Event
	reply chan reply
}

type reply struct {
	execution engine.Execution
	// explained answers messageExplain.
	explained []plan.StepExplanation
	err       error
}

// execution is one run and its owner.
type execution struct {
	r            *Runtime
	id           string
	workspaceDir string
	graph        *workflow.Graph
	// secretive: it refers to stored secrets, or has secret parameters.
	secretive bool
	// missing says why the definition can't run now, empty if it can.
	missing string
	// inbox holds pointers: most executions wait, and what they have room for
	// is kept for each.
	inbox chan *message
	// done is closed when the owner has ended.
	done chan struct{}

	// What follows belongs to the owner.
	state       *plan.State
	header      engine.Execution
	calls       map[plan.Ref]*call
	undoCalls   map[plan.Ref]*call
	reconciling map[plan.Ref]bool
	// noBinary are the units for which the execution was parked, because the
	// binary of their attempt is gone.
	noBinary map[plan.Ref]bool
	children map[plan.Ref]*child
	// childCancels counts how often the child of a step was asked to end.
	childCancels map[plan.Ref]int
	// told are the status and the attempts of steps as the journal has them.
	told    map[int]stepMark
	retired bool
	// mustQueue is why the execution waits for a slot, empty if it does not.
	mustQueue *engine.SlotView
	// sealed are the secret parameters, encrypted; nil where there are none.
	sealed []byte
	// created is the first event.
	created plan.Event
	// undone is the execution that this one takes back, once it had to be
	// loaded.
	undone    *execution
	callers   sync.WaitGroup
	stopTimer func() bool
	timer     chan struct{}
	// waitsForPlugin: a step of it waits for its plugin.
	waitsForPlugin atomic.Bool
	// shown is the status after the last turn, for Figures.
	shown atomic.Pointer[plan.Status]

	// order is held from numbering an event until it is published, so that
	// events and log lines leave in the order of their numbers.
	order     sync.Mutex
	seq       uint64
	sub       uint32
	logCounts map[string]int
	// dead: an append failed, and numbers were given to events that are
	// not kept; nothing may follow them.
	dead bool
}

// stepMark is what of a step with for_each changes with its items.
type stepMark struct {
	status  plan.Status
	attempt int
}

// call is an attempt under way.
type call struct {
	attempt int
	cancel  context.CancelCauseFunc
}

func newExecution(r *Runtime, id string, graph *workflow.Graph, inputs plan.Inputs) *execution {
	return &execution{
		r: r, id: id, graph: graph, state: plan.NewState(graph, inputs),
		inbox: make(chan *message, inboxSize), done: make(chan struct{}), timer: make(chan struct{}, 1),
		calls: map[plan.Ref]*call{}, undoCalls: map[plan.Ref]*call{}, reconciling: map[plan.Ref]bool{}, noBinary: map[plan.Ref]bool{},
		children: map[plan.Ref]*child{}, childCancels: map[plan.Ref]int{}, told: map[int]stepMark{}, logCounts: map[string]int{},
	}
}

// post hands a message to the owner; false where it has ended.
func (e *execution) post(m message) bool {
	select {
	case e.inbox <- &m:
		return true
	case <-e.done:
		return false
	}
}

// own is the owner's goroutine; batch is what it is told before all else.
func (e *execution) own(batch ...*message) {
	defer e.r.release(e)
	defer e.drain()
	draining := e.r.draining
	for {
		if err := e.turn(batch); err != nil {
			// The next start recovers what the journal has.
			e.r.log.Error("an execution can't go on until the next start", "execution_id", e.id, "workflow_id", e.header.WorkflowID, "error", err)
			for _, calls := range []map[plan.Ref]*call{e.calls, e.undoCalls} {
				for _, c := range calls {
					c.cancel(engine.ErrStopping)
				}
			}
			return
		}
		if e.state.Status.Ended() || e.retired || (draining == nil && len(e.calls)+len(e.undoCalls) == 0) {
			return
		}
		batch = nil // One that waits for long holds none.
		select {
		case m := <-e.inbox:
			batch = append(batch, m)
		case <-e.timer:
		case <-draining:
			draining = nil
		}
		for more := true; more; {
			select {
			case m := <-e.inbox:
				batch = append(batch, m)
			default:
				more = false
			}
		}
	}
}

// drain waits for the calls of an owner that has ended, so that none of them
// waits for it.
func (e *execution) drain() {
	if e.stopTimer != nil {
		e.stopTimer()
	}
	ended := make(chan struct{})
	go func() {
		e.callers.Wait()
		close(ended)
	}()
	for {
		select {
		case m := <-e.inbox:
			// Others than a call's notes learn it when done is closed.
			if m.kind == messageNote {
				m.reply <- reply{err: engine.ErrStopping}
			}
		case <-ended:
			return
		}
	}
}

// turn is one step of the owner: append, apply, publish, act.
//
// The state is private to the owner and nobody acts on it before the append
// has succeeded; so the events are applied while they are gathered, which
// lets a result and the next step's start share one commit.
func (e *execution) turn(batch []*message) error {
	e.order.Lock()
	t := &turn{e: e, now: e.r.options.Clock.Now()}
	err := t.gather(batch)
	if err == nil && len(t.events) > 0 {
		err = e.commit(t)
	}
	if err == nil {
		for i := range t.events {
			if !t.events[i].Type.Internal() {
				e.r.options.Publisher.Publish(t.events[i].Public())
			}
		}
	}
	e.dead = err != nil
	e.order.Unlock()
	for _, answer := range t.answers {
		if answer.err == nil {
			answer.err = err
		}
		answer.to <- reply{execution: e.header, explained: answer.explained, err: answer.err}
	}
	if err != nil {
		return err
	}
	for _, act := range t.acts {
		act()
	}
	e.show()
	e.waitsForPlugin.Store(len(e.reconciling) > 0 || e.state.WaitsForPlugin())
	e.setTimer(t.now)
	return nil
}

func (e *execution) commit(t *turn) error {
	if err := e.r.options.Logs.SyncLogs(e.id); err != nil {
		return fmt.Errorf("sync logs: %w", err)
	}
	commit := e.changes(t.events)
	also, err := e.undoneElsewhere(t)
	if err != nil {
		return err
	}
	commit.Also = also
	// The append must not be given up half-way: it has no deadline.
	if err := e.r.options.Journal.Append(context.Background(), commit); err != nil {
		return fmt.Errorf("append to the journal: %w", err)
	}
	return nil
}

// changes is what events have made of an execution.
func (e *execution) changes(events []plan.Event) engine.Commit {
	e.refreshHeader()
	commit := engine.Commit{Execution: e.header, Events: events}
	seen := map[int]bool{}
	seenItems := map[plan.Ref]bool{}
	for _, event := range events {
		if event.Type == plan.ExecutionStarted && e.state.Origin != nil && e.state.Origin.UndoOf != "" {
			commit.Items = append(commit.Items, e.givenToUndo(seen, seenItems)...)
		}
		i, found := e.graph.Index(event.StepID)
		if event.StepID == "" || !found {
			continue
		}
		step := &e.state.Steps[i]
		if event.ItemIndex == nil {
			seen[i] = true
			if event.Type == plan.StepExpanded || event.Type == plan.StepCompleted {
				commit.Items = append(commit.Items, e.adoptedItems(i, event.Type)...)
			}
			continue
		}
		if r := (plan.Ref{Step: i, Item: *event.ItemIndex}); !seenItems[r] {
			seenItems[r] = true
			commit.Items = append(commit.Items, engine.ItemChange{StepID: event.StepID, Item: e.itemResult(r)})
		}
		if e.told[i] != (stepMark{step.Status, step.Attempt}) {
			seen[i] = true
		}
	}
	for _, i := range slices.Sorted(maps.Keys(seen)) {
		e.told[i] = stepMark{e.state.Steps[i].Status, e.state.Steps[i].Attempt}
		commit.Steps = append(commit.Steps, e.stepResult(i))
	}
	return commit
}

// givenToUndo marks every step of an undo, which has them from the start and
// without an event of their own, and returns their items.
func (e *execution) givenToUndo(seen map[int]bool, seenItems map[plan.Ref]bool) []engine.ItemChange {
	var changes []engine.ItemChange
	for i := range e.state.Steps {
		seen[i] = true
		for k := range e.state.Steps[i].Items {
			r := plan.Ref{Step: i, Item: k}
			seenItems[r] = true
			changes = append(changes, engine.ItemChange{StepID: e.graph.Node(i).Step.ID, Item: e.itemResult(r)})
		}
	}
	return changes
}

// adoptedItems are the items that changed without an event of their own:
// those kept from another execution, and those that a cancel never let start.
func (e *execution) adoptedItems(i int, cause plan.EventType) []engine.ItemChange {
	step := &e.state.Steps[i]
	var changes []engine.ItemChange
	for k := range step.Items {
		kept := step.Items[k].KeptFrom != "" && (cause == plan.StepExpanded || step.KeptFrom != "")
		never := cause == plan.StepCompleted && step.Items[k].Status == plan.StatusCancelled && step.Items[k].Attempt == 0
		if kept || never {
			changes = append(changes, engine.ItemChange{StepID: e.graph.Node(i).Step.ID, Item: e.itemResult(plan.Ref{Step: i, Item: k})})
		}
	}
	return changes
}

// setTimer wakes the owner when time alone makes something due.
func (e *execution) setTimer(now time.Time) {
	if e.stopTimer != nil {
		e.stopTimer()
		e.stopTimer = nil
	}
	due := plan.Due(e.state, now)
	if due.IsZero() {
		return
	}
	e.stopTimer = e.r.options.Clock.AfterFunc(due.Sub(now), func() {
		select {
		case e.timer <- struct{}{}:
		default:
		}
	})
}

// refreshHeader brings the header up to the state.
func (e *execution) refreshHeader() {
	s, h := e.state, &e.header
	h.Status, h.StatusReason, h.Error = s.Status, s.StatusReason, s.Error
	started := s.StartedAt
	if started.IsZero() {
		started = s.CreatedAt
	}
	h.CreatedAt, h.StartedAt, h.CompletedAt = s.CreatedAt.UTC(), started.UTC(), s.CompletedAt.UTC()
	if !s.CompletedAt.IsZero() {
		h.TotalTime = s.CompletedAt.Sub(started).Seconds()
	}
	h.Progress, h.LastSeq, h.UndoneBy = s.Progress(), s.LastSeq, s.UndoneBy
}

// say numbers, writes and publishes one log or progress line of an attempt.
func (e *execution) say(r plan.Ref, attempt int, event plan.Event) {
	step := e.graph.Node(r.Step)
	e.order.Lock()
	defer e.order.Unlock()
	if e.dead {
		return
	}
	event.ExecutionID, event.WorkflowID = e.id, e.header.WorkflowID
	event.StepID, event.Attempt, event.Seq = step.Step.ID, attempt, e.seq+1
	if r.IsItem() {
		event.ItemIndex = &r.Item
	}
	err := e.r.options.Logs.AppendLog(e.id, step.Step.ID, attempt, event)
	switch {
	case errors.Is(err, engine.ErrLogCapped):
		return
	case err != nil:
		e.r.log.Error("a log line could not be written", "execution_id", e.id, "workflow_id", e.header.WorkflowID, "step_id", step.Step.ID, "error", err)
		return
	}
	e.seq, e.sub = event.Seq, 0
	if event.Type == plan.StepLog {
		e.logCounts[step.Step.ID]++
	}
	e.r.options.Publisher.Publish(event)
}

// maxInlineOutput is the size, in bytes of JSON, above which an output is
// kept as a blob.
const maxInlineOutput = 64 << 10

// previewSize is how much of a blob stands in results, in bytes.
const previewSize = 1 << 10

// shrink replaces a large output by the name of a blob.
func (e *execution) shrink(event *plan.Event) error {
	if len(event.Output) <= maxInlineOutput {
		return nil
	}
	sum, err := e.r.options.Blobs.PutBlob(context.Background(), event.Output)
	if err != nil {
		return fmt.Errorf("keep the output of step %q: %w", event.StepID, err)
	}
	event.FullOutput = event.Output
	event.Output, err = json.Marshal(map[string]blobName{"$blob": {
		SHA256: sum, Size: len(event.FullOutput), Preview: preview(event.FullOutput),
	}})
	return err
}

type blobName struct {
	SHA256  string `json:"sha256"`
	Size    int    `json:"size"`
	Preview string `json:"preview"`
}

// preview cuts at a character's border.
func preview(data []byte) string {
	end := min(previewSize, len(data))
	for end > 0 && end < len(data) && data[end]&0xC0 == 0x80 {
		end--
	}
	return string(data[:end])
}
