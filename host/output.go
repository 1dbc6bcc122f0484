package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/problem"
)

func (s *Server) addOutputs(tags []string) {
	s.addAction(action{
		Operation: huma.Operation{
			OperationID: "get-step-output", Method: http.MethodGet, Path: apiBase + "/executions/{id}/steps/{step}/output/", Tags: tags,
			Summary: "Get a step's output whole", Description: "Also one that is too large to stand in the result.",
			Parameters: []*huma.Param{query("item", huma.TypeInteger, "The index of an item of a for_each; without it, the output of the step")},
		},
		answers: map[int]any{http.StatusOK: payload{}}, serve: s.getOutput,
	})
	s.addArtifacts(tags)
}

func (s *Server) getOutput(c *fiber.Ctx, _ any) (int, any, error) {
	ctx := c.UserContext()
	id, err := executionID(c.Params("id"))
	if err != nil {
		return 0, nil, err
	}
	stepID, err := stepID(c.Params("step"))
	if err != nil {
		return 0, nil, err
	}
	index, err := itemOf(c)
	if err != nil {
		return 0, nil, err
	}
	steps, err := s.Executions.StepResults(ctx, id)
	if err != nil {
		return 0, nil, executionMissing(err)
	}
	name, output := stepID, json.RawMessage(nil)
	if at := slices.IndexFunc(steps, func(step engine.StepResult) bool { return step.StepID == stepID }); at >= 0 {
		output = steps[at].Output
		if index != nil {
			name, output = fmt.Sprintf("%s-%d", stepID, *index), itemOutput(&steps[at], *index)
		}
	}
	if len(output) == 0 {
		return 0, nil, problem.New(http.StatusNotFound, problem.NotFound, "there is no such output: the step is not there, has not ended, or gave none")
	}
	if sum := blobOf(output); sum != "" {
		if output, err = s.blob(ctx, sum); err != nil {
			return 0, nil, err
		}
	}
	setAttachment(c, name+".json")
	return http.StatusOK, output, nil
}

// itemOf is the item of a for_each that the query names, nil for the step.
func itemOf(c *fiber.Ctx) (*int, error) {
	text := c.Query("item")
	if text == "" {
		return nil, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return nil, problem.InvalidValue("item", "invalid", "item must be the index of an item, counted from 0")
	}
	return new(int(n)), nil
}

func itemOutput(step *engine.StepResult, index int) json.RawMessage {
	for i := range step.Items {
		if step.Items[i].Index == index {
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

// outputOf finds an output of an execution by its checksum, nil where none has
// it: those that results only name.
func (s *Server) outputOf(ctx context.Context, id, sum string) (json.RawMessage, error) {
	steps, err := s.Executions.StepResults(ctx, id)
	if err != nil {
		return nil, executionMissing(err)
	}
	for i := range steps {
		if blobOf(steps[i].Output) == sum {
			return s.blob(ctx, sum)
		}
		for k := range steps[i].Items {
			output := steps[i].Items[k].Output
			if blobOf(output) == sum {
				return s.blob(ctx, sum)
			}
			if len(output) > shortOutput && checksumOf(output) == sum {
				return output, nil
			}
		}
	}
	return nil, nil
}

func checksumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// A result has the outputs of its items up to maxItemOutputs bytes in all;
// behind that only those that are short.
const (
	maxItemOutputs = 1 << 20
	shortOutput    = 256
	shortPreview   = 128
)

// outputBudget is how much of items' outputs a result may still have.
type outputBudget struct{ bytes int }

// bound names outputs instead of showing them once too much is shown, as
// those are named that are too large by themselves.
func (b *outputBudget) bound(items []engine.ItemResult) {
	for i := range items {
		output := items[i].Output
		if b.bytes -= len(output); b.bytes >= 0 || len(output) <= shortOutput {
			continue
		}
		items[i].Output = named(output)
	}
}

// named is what stands for an output that is not shown.
func named(output json.RawMessage) json.RawMessage {
	name := outputName{SHA256: blobOf(output), Size: int64(len(output)), Preview: string(output)}
	if name.SHA256 != "" {
		var whole map[string]outputName
		if json.Unmarshal(output, &whole) == nil {
			name = whole["$blob"]
		}
	} else {
		name.SHA256 = checksumOf(output)
	}
	name.Preview = strings.ToValidUTF8(name.Preview[:min(len(name.Preview), shortPreview)], "")
	text, err := json.Marshal(map[string]outputName{"$blob": name})
	if err != nil {
		return nil
	}
	return text
}

type outputName struct {
	SHA256  string `json:"sha256"`
	Size    int64  `json:"size"`
	Preview string `json:"preview"`
}

// attachmentPolicy goes with everything that is to be saved: should a browser
// show it all the same, no script of it runs, and it has the origin of nobody.
const attachmentPolicy = "sandbox; default-src 'none'; frame-ancestors 'none'"

// attachment lets a browser save an answer; name has only letters that every
// browser takes as they are.
func attachment(name string) string { return `attachment; filename="` + name + `"` }

func setAttachment(c *fiber.Ctx, name string) {
	c.Set(fiber.HeaderContentDisposition, attachment(name))
	c.Set(fiber.HeaderContentSecurityPolicy, attachmentPolicy)
}
