package host

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/live"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/store/data"
)

func (s *Server) addSockets() {
	s.addSocket("/ws/vwmp/workflows/{id}/execute", s.executeSocket)
	s.addSocket("/ws/vwmp/executions/{id}", s.attachSocket)
	s.addSocket("/ws/vwmp/events", s.dashboardSocket)
	for _, op := range []huma.Operation{
		{
			OperationID: "ws-execute-workflow", Path: "/ws/vwmp/workflows/{id}/execute", Summary: "WebSocket: execute a workflow and follow it",
			Description: `Starts with {"type": "start", "parameters": {…}}, or with the defaults after a second.`,
		},
		{
			OperationID: "ws-follow-execution", Path: "/ws/vwmp/executions/{id}", Summary: "WebSocket: follow an execution",
			Description: "First a snapshot, then every event after it; with after_seq every event after that one instead.",
		},
		{
			OperationID: "ws-events", Path: "/ws/vwmp/events", Summary: "WebSocket: starts, changes of state and ends of all executions, and saves of workflows",
			Description: "Events carry the seq of their execution, so that there are gaps. Three events belong to no execution, and have neither execution_id " +
				"nor seq: `workflow_changed` (workflow_id, revision, by), `workflow_deleted` (workflow_id, by), and `plugins_changed`, with `timestamp`, `plugins` (the names of those that changed; empty where a file that is no plugin did), " +
				"`catalogue` (true: handlers or workflow types may be others than before, or can or can't be called any more; false: only the state of processes changed) " +
				"and `generation` (a number that rises with each change of the catalogue). Who connects again reads GET /plugins/ and /step-handlers/ anew: nothing is repeated.",
		},
	} {
		op.Method, op.Tags = http.MethodGet, []string{"live"}
		op.Responses = map[string]*huma.Response{"101": {Description: "The protocol is WebSocket from here on"}}
		op.Parameters = []*huma.Param{{Name: "ticket", In: "query", Description: "A one-time ticket, for clients that can't send headers", Schema: &huma.Schema{Type: huma.TypeString}}}
		if op.OperationID != "ws-events" {
			op.Parameters = append(op.Parameters, &huma.Param{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
		}
		if op.OperationID == "ws-follow-execution" {
			op.Parameters = append(op.Parameters, &huma.Param{Name: "after_seq", In: "query", Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: new(0.0)}})
		}
		s.describeRaw(op)
	}
}

// listening lets answer take the client's messages from now on, in the reader's
// goroutine, and runs fn. A socket listens once.
func (k *socket) listening(answer func(clientMessage), fn func(ctx context.Context) error) error {
	k.answer = answer
	close(k.listens)
	err := fn(k.ctx)
	if cause := context.Cause(k.ctx); err != nil && cause != nil {
		// What fn returned follows from what ended its context.
		return cause
	}
	return err
}

// executeSocket starts an execution and follows it.
func (s *Server) executeSocket(k *socket) error {
	id, err := workflowID(k.query["id"])
	if err != nil {
		return err
	}
	if _, err := s.Workflows.Workflow(k.ctx, id); err != nil {
		return workflowMissing(err)
	}
	parameters, err := k.awaitStart()
	if err != nil {
		return err
	}
	var execution engine.Execution
	err = live.Apart(func() (err error) {
		execution, err = s.start(k.ctx, id, startOptions{Parameters: parameters}, engine.TriggerWebSocket)
		k.startedBy(id, execution.ID, err)
		return err
	})
	if err != nil {
		return err
	}
	return k.listening(k.onExecution(execution.ID), func(ctx context.Context) error {
		return live.Follow(ctx, s.Hub, s.Executions, execution.ID, 0, k.sendEvent)
	})
}

// startedBy writes down what a socket started, or could not.
func (k *socket) startedBy(workflowID, executionID string, err error) {
	r := data.AuditRecord{Action: "workflow.execute", Object: "executions/" + executionID, Status: http.StatusAccepted, Detail: "by a socket"}
	if err != nil {
		r.Object, r.Status = "workflows/"+workflowID, problemOf(err).Status
	}
	k.server.record(k.ctx, k.info, r)
}

// awaitStart waits for the client's parameters. One that only listens gets
// the defaults.
func (k *socket) awaitStart() (json.RawMessage, error) {
	timer := time.NewTimer(k.server.Limits.SocketStart)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return nil, nil
		case <-k.ctx.Done():
			return nil, context.Cause(k.ctx)
		case m := <-k.received:
			switch {
			case m.broken:
				return nil, problem.InvalidValue("", "wrong_type", "the message is not a JSON object with a type")
			case m.Type == "start":
				return m.Parameters, nil
			case m.Type == "ping":
				k.pong()
			default:
				k.sendProblem(problem.InvalidValue("/type", "not_allowed", fmt.Sprintf("a message %q can't come before the execution has started", m.Type)))
			}
		}
	}
}

func (k *socket) pong() {
	if err := k.send([]byte(`{"event":"pong"}`)); err != nil {
		k.server.log.Debug("answer a ping", "request_id", k.info.id, "error", err)
	}
}

// onExecution answers messages on a socket that follows an execution.
func (k *socket) onExecution(id string) func(clientMessage) {
	return func(m clientMessage) {
		var err error
		switch {
		case m.broken:
			err = problem.InvalidValue("", "wrong_type", "the message is not a JSON object with a type")
		case m.Type == "ping":
			k.pong()
		case m.Type == "start":
			err = problem.New(http.StatusConflict, problem.Conflict, "the execution has started already")
		case m.Type == "cancel", m.Type == "pause", m.Type == "resume":
			err = k.control(m.Type, id)
		default:
			err = problem.InvalidValue("/type", "unknown_type", fmt.Sprintf("there is no message %q; send ping, cancel, pause or resume", m.Type))
		}
		if err != nil {
			k.sendProblem(k.server.refusal(k.info, err))
		}
	}
}

func (k *socket) control(word, id string) (err error) {
	who, err := k.watch.may(k.ctx, edge.Executor, "to "+word+" an execution")
	defer func() {
		status := http.StatusOK
		if err != nil {
			status = problemOf(err).Status
		}
		k.server.record(k.ctx, k.info, data.AuditRecord{Action: "execution." + word, Object: "executions/" + id, Status: status, Detail: "by a socket"})
	}()
	if err != nil {
		return err
	}
	do := k.server.Engine.Cancel
	switch word {
	case "pause":
		do = k.server.Engine.Pause
	case "resume":
		do = k.server.Engine.Resume
	}
	if _, err = do(k.ctx, id, who.Name); err != nil {
		err = executionMissing(err)
	}
	return err
}

// snapshot is the first event on a socket that attaches.
type snapshot struct {
	Event       string        `json:"event"`
	Seq         uint64        `json:"seq"`
	ExecutionID string        `json:"execution_id"`
	WorkflowID  string        `json:"workflow_id"`
	Timestamp   time.Time     `json:"timestamp"`
	Result      engine.Result `json:"result"`
}

// attachSocket follows an execution that runs, or that has ended.
func (s *Server) attachSocket(k *socket) error {
	id, err := executionID(k.query["id"])
	if err != nil {
		return err
	}
	after, err := number(k.query["after_seq"], "after_seq")
	if err != nil {
		return err
	}
	err = live.Apart(func() error {
		_, err := s.Executions.Execution(k.ctx, id)
		return err
	})
	if err != nil {
		return executionMissing(err)
	}
	return k.listening(k.onExecution(id), func(ctx context.Context) error {
		if k.query["after_seq"] == "" {
			err := live.Apart(func() (err error) {
				after, err = k.sendSnapshot(ctx, id)
				return err
			})
			if err != nil {
				return err
			}
		}
		return executionMissing(live.Follow(ctx, s.Hub, s.Executions, id, after, k.sendEvent))
	})
}

func (k *socket) sendSnapshot(ctx context.Context, id string) (seq uint64, err error) {
	result, err := k.server.result(ctx, id)
	if err != nil {
		return 0, err
	}
	text, err := json.Marshal(snapshot{
		Event: "snapshot", Seq: result.LastSeq, ExecutionID: result.ID, WorkflowID: result.WorkflowID, Timestamp: k.server.now().UTC(), Result: result,
	})
	if err != nil {
		return 0, fmt.Errorf("write a snapshot: %w", err)
	}
	return result.LastSeq, k.send(text)
}

// shows reports whether who watches everything may see a message.
func (k *socket) shows(ctx context.Context, m *live.Message) (bool, error) {
	who := *k.watch.who.Load()
	if who.May(edge.Admin) || m.About() == "" {
		return true, nil
	}
	rights, err := k.server.Workflows.Rights(ctx, m.About())
	return err == nil && sees(who, rights), err
}

// dashboardSocket sends the starts, changes and ends of all executions, and
// notices.
func (s *Server) dashboardSocket(k *socket) error {
	subscription, err := s.Hub.SubscribeAll()
	if err != nil {
		return err
	}
	defer subscription.Close()
	answer := func(m clientMessage) {
		if m.Type == "ping" {
			k.pong()
			return
		}
		k.sendProblem(problem.InvalidValue("/type", "unknown_type", "this socket takes no message but ping"))
	}
	return k.listening(answer, func(ctx context.Context) error {
		for {
			m, err := subscription.Next(ctx)
			if err != nil {
				return err
			}
			if shows, err := k.shows(ctx, m); err != nil || !shows {
				if err != nil {
					return err
				}
				continue
			}
			if err := k.sendEvent(m); err != nil {
				return err
			}
		}
	})
}
