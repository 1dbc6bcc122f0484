package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/vwmp/vwmp/engine"
)

// killPeople are those who use the server of a killLoop, and what they were
// told.
type killPeople struct {
	// toSignal and toUndo are executions that somebody will do something to.
	toSignal, toUndo []string
	// answers and signals are what was sent, by execution; answered and
	// signalled those that were acknowledged, and undone has the executions
	// that took others back.
	answers, signals    map[string]sentAnswers
	answered, signalled map[string]bool
	undone              map[string]string
	number              int
}

// sentAnswers are the numbers that somebody sent as an answer, and the one
// that was acknowledged, or 0.
type sentAnswers struct {
	tried []int
	heard int
}

func newKillPeople() killPeople {
	return killPeople{
		answers: map[string]sentAnswers{}, signals: map[string]sentAnswers{},
		answered: map[string]bool{}, signalled: map[string]bool{}, undone: map[string]string{},
	}
}

// expect notes what is to be done about an execution that was acknowledged.
func (p *killPeople) expect(s killStart) {
	switch s.workflow {
	case "ask":
		p.toSignal = append(p.toSignal, s.id)
	case "done":
		p.toUndo = append(p.toUndo, s.id)
	}
}

func (p *killPeople) done() bool { return len(p.toSignal) == 0 && len(p.toUndo) == 0 }

// try notes an answer that is about to be sent, and returns it.
func (p *killPeople) try(sent map[string]sentAnswers, id string) int {
	p.number++
	answers := sent[id]
	answers.tried = append(answers.tried, p.number)
	sent[id] = answers
	return p.number
}

// approve answers an approval. What is answered must not be asked again.
func (l *killLoop) approve(ctx context.Context, id, step string) {
	if l.people.answered[id] {
		l.t.Errorf("%s/%s was answered, and waits again", id, step)
		return
	}
	n := l.people.try(l.people.answers, id)
	var result engine.Result
	body := fmt.Sprintf(`{"approved": true, "data": {"n": %d}}`, n)
	status, err := l.ask(ctx, http.MethodPost, "/executions/"+id+"/steps/"+step+"/approve/", body, &result)
	if err == nil && status == http.StatusOK {
		answers := l.people.answers[id]
		answers.heard = n
		l.people.answers[id], l.people.answered[id] = answers, true
	}
}

// act sends signals, before or after somebody waits for them, and takes
// executions back that have ended.
func (l *killLoop) act(ctx context.Context) {
	l.people.toSignal = l.each(ctx, l.people.toSignal, l.signal)
	l.people.toUndo = l.each(ctx, l.people.toUndo, l.undo)
}

// each does something about some of the executions, and returns those that
// it is still to be done about.
func (l *killLoop) each(ctx context.Context, ids []string, do func(ctx context.Context, id string) (done bool)) []string {
	left := ids[:0:0]
	for _, id := range ids {
		if ctx.Err() != nil || l.chance.IntN(4) > 0 || !do(ctx, id) {
			left = append(left, id)
		}
	}
	return left
}

func (l *killLoop) signal(ctx context.Context, id string) bool {
	n := l.people.try(l.people.signals, id)
	var result engine.Result
	status, err := l.ask(ctx, http.MethodPost, "/executions/"+id+"/signals/go/", fmt.Sprintf(`{"n": %d}`, n), &result)
	switch {
	case err != nil:
		return false
	case status == http.StatusOK:
		l.people.signalled[id] = true
		return true
	case status == http.StatusConflict:
		// An answer was lost, and the execution has ended with that signal.
		if status, err := l.ask(ctx, http.MethodGet, "/executions/"+id+"/", "", &result); err != nil || status != http.StatusOK {
			return false
		}
		if result.Status.Ended() {
			return true
		}
	}
	l.t.Errorf("signal to %s, which is %s: status %d", id, result.Status, status)
	return true
}

// undo takes an execution back. Who was not told whether that began looks.
func (l *killLoop) undo(ctx context.Context, id string) bool {
	var result engine.Result
	status, err := l.ask(ctx, http.MethodGet, "/executions/"+id+"/", "", &result)
	if err != nil || status != http.StatusOK || !result.Status.Ended() {
		return false
	}
	if result.UndoneBy == "" {
		var undo engine.Execution
		status, err := l.ask(ctx, http.MethodPost, "/executions/"+id+"/undo/", "", &undo)
		if err != nil {
			return false
		}
		if status != http.StatusAccepted {
			l.t.Errorf("undo of %s: status %d", id, status)
		}
		result.UndoneBy = undo.ID
	}
	l.people.undone[id] = result.UndoneBy
	return true
}
