package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"slices"
	"time"

	"github.com/itchyny/gojq"

	"github.com/vwmp/vwmp/pluginsdk"
)

const (
	// maxResults bounds how many results one expression may give.
	maxResults = 100_000
	// maxMemory is how much the process may use while an expression runs, in
	// bytes; beyond it the expression is ended.
	maxMemory = 512 << 20
)

type transformConfig struct {
	Expression string             `json:"expression" title:"Expression" description:"A jq expression. Values reach it as input and as variables; references in it are refused." required:"true" min_length:"1" max_length:"65536" multiline:"true" widget:"code" script:"true" example:".items | map(.name)"`
	Input      json.RawMessage    `json:"input,omitempty" title:"Input" description:"What the expression works on, mostly a reference. Without input and file: an object with the run's parameters and, under outputs, the outputs of the steps before." widget:"json" example:"\"${step-outputs.fetch.json}\""`
	InputFile  string             `json:"input_file" title:"Input file" description:"A file of the workspace to work on: JSON, or by its ending YAML, TOML or CSV." example:"data/people.json"`
	Variables  map[string]any     `json:"variables" title:"Variables" description:"Values that the expression finds as $name." widget:"json" example:"{\"limit\": 10}"`
	Results    string             `json:"results" title:"Results" description:"What to return where the expression gives several: the first, or a list of all." enum:"first,all" default:"first"`
	Timeout    pluginsdk.Duration `json:"timeout" title:"Timeout" description:"How long the expression may take." default:"10s"`
}

type transformOutput struct {
	Result any `json:"result" title:"Result" description:"What the expression gives: the first result, or the list of all; null for none."`
	Count  int `json:"count" title:"Count" description:"How many results there are; with the first only, 0 or 1."`
}

type transformer struct{}

func transformHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "data.transform", Name: "Transform", Category: category, Icon: "braces", Tags: []string{"json", "map", "filter", "select"},
		Description: "Computes a value with a jq expression.",
		Effect:      pluginsdk.EffectPure,
		Example:     example(map[string]any{"expression": "map(select(.age >= $min) | .name)", "input": []any{map[string]any{"name": "Ada", "age": 36}}, "variables": map[string]any{"min": 18}}),
	}, transformer{})
}

// compile reads the expression; names are its variables, in order.
func (c transformConfig) compile() (code *gojq.Code, values []any, err error) {
	query, err := gojq.Parse(c.Expression)
	if err != nil {
		return nil, nil, pluginsdk.Invalid("/expression", fmt.Sprintf("the expression can't be read: %v", err))
	}
	names := make([]string, 0, len(c.Variables))
	for name := range c.Variables {
		names = append(names, "$"+name)
	}
	slices.Sort(names)
	for _, name := range names {
		raw, err := json.Marshal(c.Variables[name[1:]])
		if err != nil {
			return nil, nil, pluginsdk.Invalid("/variables", err.Error())
		}
		value, err := decode(raw)
		if err != nil {
			return nil, nil, pluginsdk.Invalid("/variables", err.Error())
		}
		values = append(values, plain(value))
	}
	code, err = gojq.Compile(query, gojq.WithVariables(names))
	if err != nil {
		return nil, nil, pluginsdk.Invalid("/expression", fmt.Sprintf("the expression can't be used: %v", err))
	}
	return code, values, nil
}

// ValidateConfig says what the schema can't.
func (transformer) ValidateConfig(_ context.Context, config transformConfig) []pluginsdk.Problem {
	_, _, err := config.compile()
	var typed *pluginsdk.Error
	if !errors.As(err, &typed) {
		return nil
	}
	return []pluginsdk.Problem{{Severity: pluginsdk.SeverityError, Pointer: typed.Pointer, Code: "bad_expression", Message: typed.Message}}
}

// input is what the expression works on.
func (c transformConfig) input(step *pluginsdk.Step) (any, error) {
	raw := c.Input
	switch {
	case isGiven(c.Input) && c.InputFile != "":
		return nil, pluginsdk.Invalid("/input_file", "give either an input or an input file")
	case c.InputFile != "":
		var err error
		if raw, err = jsonOf(step, "/input_file", c.InputFile); err != nil {
			return nil, err
		}
	case len(c.Input) == 0:
		outputs := map[string]json.RawMessage{}
		for _, output := range step.Request().Outputs {
			outputs[output.StepID] = output.Output
		}
		var err error
		raw, err = json.Marshal(map[string]any{"parameters": step.Request().Parameters, "outputs": outputs})
		if err != nil {
			return nil, fmt.Errorf("write the run's values as JSON: %w", err)
		}
	}
	value, err := decode(raw)
	return plain(value), err
}

// Execute computes the result.
func (transformer) Execute(ctx context.Context, step *pluginsdk.Step, config transformConfig) (transformOutput, error) {
	var output transformOutput
	code, values, err := config.compile()
	if err != nil {
		return output, err
	}
	input, err := config.input(step)
	if err != nil {
		return output, err
	}
	if usedMemory() > maxMemory/2 {
		// What an earlier expression left behind is not this one's.
		runtime.GC()
	}
	ctx, cancel := context.WithTimeout(ctx, max(config.Timeout.Std(), time.Millisecond))
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	go watchMemory(ctx, end)
	results := []any{}
	for iterator := code.RunWithContext(ctx, input, values...); ; {
		value, ok := iterator.Next()
		if !ok {
			break
		}
		if err, isError := value.(error); isError {
			var halt *gojq.HaltError
			if errors.As(err, &halt) && halt.Value() == nil {
				break
			}
			return output, failed(ctx, err)
		}
		results = append(results, value)
		if config.Results == "first" {
			break
		}
		if len(results) > maxResults {
			return output, pluginsdk.Errorf("the expression gives more than %d results", maxResults)
		}
	}
	if output.Count = len(results); config.Results == "all" {
		output.Result = results
	} else if len(results) > 0 {
		output.Result = results[0]
	}
	return output, nil
}

var errMemory = errors.New("the expression needs too much memory")

func failed(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errMemory):
		return pluginsdk.Permanent(errMemory).WithCode("TOO_LARGE")
	case errors.Is(cause, context.DeadlineExceeded):
		return fmt.Errorf("the expression took too long: %w", cause)
	case cause != nil:
		return cause
	}
	return pluginsdk.Errorf("the expression failed: %w", err).WithCode("EXPRESSION_FAILED")
}

// watchMemory ends an expression that fills the memory; jq itself knows no
// bounds.
func watchMemory(ctx context.Context, end context.CancelCauseFunc) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if usedMemory() > maxMemory {
			end(errMemory)
			return
		}
	}
}

// usedMemory is how much the process's values take, in bytes, with those that
// nobody needs any more and the collector has not come to yet.
func usedMemory() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
