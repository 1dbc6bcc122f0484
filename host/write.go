package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/vwmp/vwmp/engine"
)

// jsonFormat is how the API's library reads and writes JSON.
var jsonFormat = huma.Format{Marshal: writeJSON, Unmarshal: json.Unmarshal}

// writeJSON writes a value and a line's end. A result goes out step by step:
// written in one piece, one of 10,000 steps is held three times over.
func writeJSON(to io.Writer, value any) error {
	if result, whole := value.(engine.Result); whole {
		return writeResult(to, &result)
	}
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// noSteps is how the JSON of a result without steps ends.
const noSteps = "}}"

// writeResult writes what the encoder would for the result as a whole.
func writeResult(to io.Writer, result *engine.Result) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encode := func(value any) ([]byte, error) {
		text.Reset()
		err := encoder.Encode(value)
		return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
	}
	head, err := encode(engine.Result{Execution: result.Execution, StepResults: map[string]engine.StepResult{}})
	if err != nil {
		return fmt.Errorf("write execution %s: %w", result.ID, err)
	}
	head, found := bytes.CutSuffix(head, []byte(noSteps))
	if !found {
		return errors.New("write a result: its steps are not what comes last")
	}
	if _, err := to.Write(head); err != nil {
		return err
	}
	for i, id := range slices.Sorted(maps.Keys(result.StepResults)) {
		key, err := encode(id)
		if err != nil {
			return fmt.Errorf("write step %q: %w", id, err)
		}
		if i > 0 {
			key = append([]byte(","), key...)
		}
		if _, err := to.Write(append(key, ':')); err != nil {
			return err
		}
		step, err := encode(result.StepResults[id])
		if err != nil {
			return fmt.Errorf("write step %q: %w", id, err)
		}
		if _, err := to.Write(step); err != nil {
			return err
		}
	}
	_, err = io.WriteString(to, noSteps+"\n")
	return err
}
