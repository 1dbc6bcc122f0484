package host

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine"
)

// maxShownInput is the size of a config, in bytes, above which it is sent
// only to those who ask for it alone.
const maxShownInput = 256 << 10

func (s *Server) addInputs(tags []string) {
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "get-execution-workflow", Method: http.MethodGet, Path: apiBase + "/executions/{id}/workflow/", Tags: tags,
			Summary: "Get the definition that an execution is pinned to", Description: "It stays as it is when the workflow changes or is deleted.",
		},
		answers: map[int]any{http.StatusOK: definition{}}, serve: s.getExecutionWorkflow,
	})
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "get-step-input", Method: http.MethodGet, Path: apiBase + "/executions/{id}/steps/{step}/input/", Tags: tags,
			Summary:     "Get what a step was called with",
			Description: "Its config with the values of its references. Secrets are hidden, references to the host's own configuration stay as they are written, and defaults of the handler are not added.",
			Parameters: []*huma.Param{
				query("item", huma.TypeInteger, "The index of an item of a for_each"),
				query("whole", huma.TypeBoolean, "Send the config alone, however large it is"),
			},
		},
		answers: map[int]any{http.StatusOK: stepInput{}}, serve: s.getInput,
	})
}

// definition is a workflow's definition as the language has it.
type definition struct{ json.RawMessage }

// Schema describes the answer.
func (definition) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Description: "A definition: name, steps and the other keys of the workflow language", AdditionalProperties: true}
}

func (s *Server) getExecutionWorkflow(c *fiber.Ctx, _ any) (int, any, error) {
	id, err := executionID(c.Params("id"))
	if err != nil {
		return 0, nil, err
	}
	document, err := s.Documents.ExecutionDocument(c.UserContext(), id)
	if err != nil {
		return 0, nil, executionMissing(err)
	}
	return http.StatusOK, document, nil
}

type stepInput struct {
	Config json.RawMessage `json:"config,omitempty" doc:"Missing where it has more than 256 KiB; ask for it with whole=true"`
	// Preview is where Config is missing.
	Preview   string   `json:"preview,omitempty" doc:"The beginning of a config that is missing"`
	Size      int      `json:"size" doc:"Bytes of the config"`
	Resolved  bool     `json:"resolved" doc:"Whether the references have their values"`
	Reason    string   `json:"reason,omitempty" doc:"Why they have not"`
	AsWritten []string `json:"as_written" nullable:"false" doc:"References to the host's configuration, which stay as they are written"`
}

func (s *Server) getInput(c *fiber.Ctx, _ any) (int, any, error) {
	id, err := executionID(c.Params("id"))
	if err != nil {
		return 0, nil, err
	}
	step, err := stepID(c.Params("step"))
	if err != nil {
		return 0, nil, err
	}
	item, err := itemOf(c)
	if err != nil {
		return 0, nil, err
	}
	whole, err := flag(c, "whole")
	if err != nil {
		return 0, nil, err
	}
	// Which of them is missing is told apart: the engine says not found to both.
	if _, err := s.Executions.Execution(c.UserContext(), id); err != nil {
		return 0, nil, executionMissing(err)
	}
	input, err := s.Engine.Input(c.UserContext(), id, step, item)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return 0, nil, noStep(step).Because(err)
	case err != nil:
		return 0, nil, err
	case whole:
		setAttachment(c, step+"-input.json")
		return http.StatusOK, input.Config, nil
	}
	answer := stepInput{Config: input.Config, Size: len(input.Config), Resolved: input.Resolved, Reason: input.Reason, AsWritten: input.AsWritten}
	if answer.AsWritten == nil {
		answer.AsWritten = []string{}
	}
	if answer.Size > maxShownInput {
		answer.Config, answer.Preview = nil, strings.ToValidUTF8(string(input.Config[:inputPreview]), "")
	}
	return http.StatusOK, answer, nil
}

// inputPreview is how much is shown of a config that is too large, in bytes.
const inputPreview = 1 << 10
