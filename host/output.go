package host

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/problem"
)

func (s *Server) addOutputs(tags []string) {
	register(s, huma.Operation{
		OperationID: "get-step-output", Method: http.MethodGet, Path: apiBase + "/executions/{id}/steps/{step}/output/", Tags: tags,
		Summary: "Get a step's output whole", Description: "Also one that is too large to stand in the result.",
		Responses: map[string]*huma.Response{"200": {Description: "The output", Content: content(&huma.Schema{}, typeJSON)}},
	}, s.getOutput)
	s.addArtifacts(tags)
}

type stepOutputInput struct {
	ID   string `path:"id"`
	Step string `path:"step"`
	Item string `query:"item" pattern:"^[0-9]{1,6}$" doc:"The index of an item of a for_each; without it, the output of the step"`
}

func (s *Server) getOutput(ctx context.Context, in *stepOutputInput) (*fileOutput, error) {
	id, err := executionID(in.ID)
	if err != nil {
		return nil, err
	}
	stepID, err := stepID(in.Step)
	if err != nil {
		return nil, err
	}
	steps, err := s.Executions.StepResults(ctx, id)
	if err != nil {
		return nil, executionMissing(err)
	}
	name, output := stepID, json.RawMessage(nil)
	if at := slices.IndexFunc(steps, func(step engine.StepResult) bool { return step.StepID == stepID }); at >= 0 {
		output = steps[at].Output
		if in.Item != "" {
			name, output = stepID+"-"+in.Item, itemOutput(&steps[at], in.Item)
		}
	}
	if len(output) == 0 {
		return nil, problem.New(http.StatusNotFound, problem.NotFound, "there is no such output: the step is not there, has not ended, or gave none")
	}
	if sum := blobOf(output); sum != "" {
		if output, err = s.blob(ctx, sum); err != nil {
			return nil, err
		}
	}
	return &fileOutput{ContentType: typeJSON, Disposition: attachment(name + ".json"), Body: output}, nil
}

func itemOutput(step *engine.StepResult, index string) json.RawMessage {
	for i := range step.Items {
		if strconv.Itoa(step.Items[i].Index) == index {
			return step.Items[i].Output
		}
	}
	return nil
}

// blob reads what was too large to stand in a result.
func (s *Server) blob(ctx context.Context, sum string) ([]byte, error) {
	content, err := s.Outputs.Blob(ctx, sum)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, problem.New(http.StatusNotFound, problem.NotFound, "the output is gone").Because(err)
	}
	return content, err
}

// attachment lets a browser save an answer; name has only letters that every
// header takes.
func attachment(name string) string { return `attachment; filename="` + name + `"` }
