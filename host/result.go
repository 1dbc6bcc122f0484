package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
)

// mask stands for a secret's value.
const mask = engine.HiddenValue

// maxViewedSteps bounds the steps of all definitions that are remembered.
const maxViewedSteps = 20000

// view is what results need of an execution's definition.
type view struct {
	steps   []viewedStep
	secrets []string
}

type viewedStep struct{ id, name, handler string }

// viewCache remembers the views of recent executions: a definition never
// changes under an execution.
type viewCache struct {
	mu    sync.Mutex
	views map[string]*view
	steps int
}

func newViewCache() *viewCache { return &viewCache{views: map[string]*view{}} }

func (c *viewCache) get(id string) *view {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.views[id]
}

func (c *viewCache) put(id string, v *view) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.steps+len(v.steps) > maxViewedSteps {
		clear(c.views)
		c.steps = 0
	}
	c.views[id] = v
	c.steps += len(v.steps)
}

// viewOf reads what an execution's definition says of its steps.
func (s *Server) viewOf(ctx context.Context, executionID string) (*view, error) {
	if v := s.views.get(executionID); v != nil {
		return v, nil
	}
	document, err := s.Documents.ExecutionDocument(ctx, executionID)
	if err != nil {
		return nil, err
	}
	var definition struct {
		Parameters []struct{ Name, Type string }
		Steps      []struct{ ID, Name, Handler string }
	}
	if err := json.Unmarshal(document, &definition); err != nil {
		return nil, fmt.Errorf("read the definition of execution %s: %w", executionID, err)
	}
	v := &view{}
	for _, parameter := range definition.Parameters {
		if parameter.Type == "secret" {
			v.secrets = append(v.secrets, parameter.Name)
		}
	}
	for _, step := range definition.Steps {
		v.steps = append(v.steps, viewedStep{step.ID, s.stepName(step.ID, step.Name, step.Handler), step.Handler})
	}
	s.views.put(executionID, v)
	return v, nil
}

// stepName is what a person calls a step: as engine/workflow does.
func (s *Server) stepName(id, name, handler string) string {
	if name == "" {
		if h, found := s.Catalogue.Handler(handler); found {
			name = h.Info.Name
		}
	}
	if name == "" {
		return id
	}
	return name
}

// result is an execution as it stands, with every step of its definition.
func (s *Server) result(ctx context.Context, executionID string) (engine.Result, error) {
	v, err := s.viewOf(ctx, executionID)
	if err != nil {
		return engine.Result{}, executionMissing(err)
	}
	header, steps, counts, err := s.consistent(ctx, executionID)
	if err != nil {
		return engine.Result{}, executionMissing(err)
	}
	result := engine.Result{Execution: s.shownExecution(header), StepResults: make(map[string]engine.StepResult, len(v.steps))}
	for _, step := range v.steps {
		result.StepResults[step.id] = engine.StepResult{
			StepID: step.id, StepName: step.name, Handler: step.handler, Status: plan.StatusPending, LogCount: counts[step.id],
		}
	}
	outputs := outputBudget{bytes: maxItemOutputs}
	for _, step := range steps {
		step.LogCount = counts[step.StepID]
		if !step.StartedAt.IsZero() && !step.Status.Ended() {
			step.ExecutionTime = max(0, s.now().Sub(step.StartedAt).Seconds())
		}
		outputs.bound(step.Items)
		result.StepResults[step.StepID] = step
	}
	result.Parameters = masked(header.Parameters, v.secrets)
	return result, nil
}

// consistent reads header and steps as of one event. After a few tries it
// takes a header that is older than the steps: readers see a step's news
// twice then, and miss none.
func (s *Server) consistent(ctx context.Context, executionID string) (engine.Execution, []engine.StepResult, map[string]int, error) {
	counts, err := s.Executions.LogCounts(ctx, executionID)
	if err != nil {
		return engine.Execution{}, nil, nil, err
	}
	header, err := s.Executions.Execution(ctx, executionID)
	for try := 0; err == nil; try++ {
		var steps []engine.StepResult
		if steps, err = s.Executions.StepResults(ctx, executionID); err != nil {
			break
		}
		var after engine.Execution
		if after, err = s.Executions.Execution(ctx, executionID); err != nil {
			break
		}
		if after.LastSeq == header.LastSeq && after.Status == header.Status || try == 3 {
			return header, steps, counts, nil
		}
		header = after
	}
	return engine.Execution{}, nil, nil, err
}

// shownExecution brings the time that a live execution takes up to now.
func (s *Server) shownExecution(e engine.Execution) engine.Execution {
	if !e.Status.Ended() && !e.StartedAt.IsZero() {
		e.TotalTime = max(0, s.now().Sub(e.StartedAt).Seconds())
	}
	if len(e.Parameters) == 0 {
		e.Parameters = json.RawMessage("{}")
	}
	return e
}

// masked hides the values of secret parameters.
func masked(parameters json.RawMessage, secrets []string) json.RawMessage {
	if len(parameters) == 0 {
		return json.RawMessage("{}")
	}
	if len(secrets) == 0 {
		return parameters
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(parameters, &values); err != nil {
		return json.RawMessage("{}")
	}
	for _, name := range secrets {
		if value, sent := values[name]; sent && string(value) != "null" {
			values[name] = json.RawMessage(`"` + mask + `"`)
		}
	}
	text, err := json.Marshal(values)
	if err != nil {
		return json.RawMessage("{}")
	}
	return text
}

// executionMissing says of which kind the missing thing is.
func executionMissing(err error) error {
	if errors.Is(err, engine.ErrNotFound) {
		return noExecution().Because(err)
	}
	return err
}
