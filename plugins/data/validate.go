package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/vwmp/vwmp/pluginsdk"
)

type validateConfig struct {
	Data       json.RawMessage `json:"data,omitempty" title:"Data" description:"The value to check, mostly a reference." widget:"json" example:"{\"name\": \"Ada\"}"`
	DataFile   string          `json:"data_file" title:"Data file" description:"A file of the workspace to check: JSON, or by its ending YAML, TOML or CSV." example:"config/app.yaml"`
	Schema     json.RawMessage `json:"schema,omitempty" title:"Schema" description:"The JSON Schema (draft 2020-12 unless it says otherwise)." widget:"json" example:"{\"type\": \"object\", \"required\": [\"name\"]}"`
	SchemaFile string          `json:"schema_file" title:"Schema file" description:"A file of the workspace with the schema, in JSON or YAML." example:"schemas/app.json"`
	Fail       bool            `json:"fail" title:"Fail on mismatch" description:"Fail the step where the value does not fit; off, the output says so." default:"true"`
}

type mismatch struct {
	Pointer string `json:"pointer" title:"Where" description:"A JSON pointer to the value that does not fit."`
	Message string `json:"message" title:"Why" description:"What is wrong with it."`
}

type validateOutput struct {
	Valid    bool       `json:"valid" title:"Valid" description:"True if the value fits the schema."`
	Problems []mismatch `json:"problems" title:"Problems" description:"What does not fit, at most a hundred."`
}

type validator struct{}

func validateHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "data.validate", Name: "Check against a schema", Category: category, Icon: "shield-check", Tags: []string{"validate", "json"},
		Description: "Checks a value against a JSON Schema and names all that does not fit. References to other documents are refused.",
		Effect:      pluginsdk.EffectPure,
		Example: example(map[string]any{"data": map[string]any{"name": "Ada"}, "schema": map[string]any{
			"type": "object", "required": []string{"name"}, "properties": map[string]any{"name": map[string]any{"type": "string"}},
		}}),
	}, validator{})
}

// noLoader refuses documents elsewhere.
type noLoader struct{}

// Load implements jsonschema.URLLoader.
func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("the schema refers to %s, and other documents are not read", url)
}

func compileSchema(raw json.RawMessage) (*jsonschema.Schema, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("the schema is not JSON: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	compiler.AssertFormat()
	if err := compiler.AddResource("vwmp:///schema.json", document); err != nil {
		return nil, fmt.Errorf("the schema can't be used: %w", err)
	}
	schema, err := compiler.Compile("vwmp:///schema.json")
	if err != nil {
		return nil, fmt.Errorf("the schema can't be used: %w", err)
	}
	return schema, nil
}

// pick reads a value that is given itself or as a file.
func pick(step *pluginsdk.Step, what string, raw json.RawMessage, file string) (json.RawMessage, error) {
	switch {
	case file != "" && isGiven(raw):
		return nil, pluginsdk.Invalid("/"+what+"_file", "give either a value or a file")
	case file != "":
		return jsonOf(step, "/"+what+"_file", file)
	case len(raw) == 0:
		return nil, pluginsdk.Invalid("/"+what, "give a value or a file")
	}
	return raw, nil
}

// Execute checks the value.
func (validator) Execute(_ context.Context, step *pluginsdk.Step, config validateConfig) (validateOutput, error) {
	output := validateOutput{Problems: []mismatch{}}
	raw, err := pick(step, "schema", config.Schema, config.SchemaFile)
	if err != nil {
		return output, err
	}
	schema, err := compileSchema(raw)
	if err != nil {
		return output, pluginsdk.Invalid("/schema", err.Error())
	}
	if raw, err = pick(step, "data", config.Data, config.DataFile); err != nil {
		return output, err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return output, pluginsdk.Invalid("/data", fmt.Sprintf("it is not JSON: %v", err))
	}
	err = schema.Validate(value)
	var invalid *jsonschema.ValidationError
	if err != nil && !errors.As(err, &invalid) {
		return output, pluginsdk.Errorf("check the value: %w", err)
	}
	output.Valid = err == nil
	if err != nil {
		collect(invalid, &output.Problems)
	}
	if output.Valid || !config.Fail {
		return output, nil
	}
	lines := make([]string, 0, len(output.Problems))
	for _, problem := range output.Problems {
		at := problem.Pointer
		if at == "" {
			at = "the value"
		}
		lines = append(lines, at+": "+problem.Message)
	}
	return output, pluginsdk.Errorf("the value does not fit the schema:\n%s", strings.Join(lines[:min(len(lines), 20)], "\n")).WithCode("DATA_INVALID")
}

// collect takes the causes that have none of their own.
func collect(invalid *jsonschema.ValidationError, problems *[]mismatch) {
	for _, cause := range invalid.Causes {
		collect(cause, problems)
	}
	if len(invalid.Causes) > 0 || len(*problems) >= 100 {
		return
	}
	pointer := ""
	for _, key := range invalid.InstanceLocation {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
	}
	*problems = append(*problems, mismatch{pointer, invalid.ErrorKind.LocalizedString(message.NewPrinter(language.English))})
}
