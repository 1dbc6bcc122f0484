package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"

	"github.com/vwmp/vwmp/engine"
)

// parameterFlags are the ways to give a run its parameters.
type parameterFlags struct {
	pairs []string
	file  string
}

func (p *parameterFlags) declare(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&p.pairs, "param", "p", nil, "parameter as name=value, name=@file or name=@- ; repeatable")
	flags.StringVar(&p.file, "params", "", "file with parameters, a JSON or YAML map; -p stands over it")
}

// declaredParameter is what the flags must know of a parameter.
type declaredParameter struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// values joins file and flags into a JSON object, reading each flag by the
// parameter's declared type. Secret ones that neither gives are taken from
// VWMP_PARAM_NAME. Unknown names are left to the check that names
// the nearest.
func (p *parameterFlags) values(declared []declaredParameter, stdin io.Reader) (json.RawMessage, error) {
	values := map[string]json.RawMessage{}
	if p.file != "" {
		text, err := os.ReadFile(p.file)
		if err != nil {
			return nil, usageError("read the parameters: %w", err)
		}
		raw, err := yaml.YAMLToJSON(text)
		if err == nil {
			err = json.Unmarshal(raw, &values)
		}
		if err != nil {
			return nil, usageError("%s must hold a map of parameters: %w", p.file, err)
		}
	}
	for _, pair := range p.pairs {
		name, text, found := strings.Cut(pair, "=")
		if !found || name == "" {
			return nil, usageError("-p takes name=value, not %q", pair)
		}
		if source, isFile := strings.CutPrefix(text, "@"); isFile {
			raw, err := readSource(source, stdin)
			if err != nil {
				return nil, usageError("-p %s: %w", name, err)
			}
			text = strings.TrimSuffix(string(raw), "\n")
		}
		value, err := parameterValue(typeOf(declared, name), text)
		if err != nil {
			return nil, usageError("-p %s: %w", name, err)
		}
		values[name] = value
	}
	for _, parameter := range declared {
		if _, given := values[parameter.Name]; given || parameter.Type != "secret" {
			continue
		}
		if text, found := lookupNamed("VWMP_PARAM_", parameter.Name, os.LookupEnv); found {
			value, err := json.Marshal(text)
			if err != nil {
				return nil, err
			}
			values[parameter.Name] = value
		}
	}
	return json.Marshal(values)
}

func typeOf(declared []declaredParameter, name string) string {
	for _, parameter := range declared {
		if parameter.Name == name {
			return parameter.Type
		}
	}
	return "string"
}

func readSource(name string, stdin io.Reader) ([]byte, error) {
	if name == "-" {
		return readAll(stdin)
	}
	return os.ReadFile(name)
}

// maxInput bounds what is read from a pipe, in bytes.
const maxInput = 8 << 20

func readAll(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err == nil && len(text) > maxInput {
		err = fmt.Errorf("the input is larger than %d MiB", maxInput>>20)
	}
	return text, err
}

// parameterValue reads a flag's text as JSON of the declared type.
func parameterValue(kind, text string) (json.RawMessage, error) {
	switch kind {
	case "boolean":
		value, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("it must be true or false, not %q", text)
		}
		return json.Marshal(value)
	case "integer", "number":
		if _, err := strconv.ParseFloat(text, 64); err != nil || !json.Valid([]byte(text)) {
			return nil, fmt.Errorf("it must be a number, not %q", text)
		}
		return json.RawMessage(text), nil
	case "json":
		if !json.Valid([]byte(text)) {
			return nil, fmt.Errorf("it must be JSON, not %q", text)
		}
		return json.RawMessage(text), nil
	case "multi_enum":
		if strings.HasPrefix(strings.TrimSpace(text), "[") {
			if !json.Valid([]byte(text)) {
				return nil, fmt.Errorf("it must be a JSON list or values with commas between, not %q", text)
			}
			return json.RawMessage(text), nil
		}
		list := []string{}
		if text != "" {
			list = strings.Split(text, ",")
		}
		return json.Marshal(list)
	}
	return json.Marshal(text)
}

// sortedSteps lists steps in the order in which they started, those that did
// not start last.
func sortedSteps(steps map[string]engine.StepResult) []engine.StepResult {
	list := make([]engine.StepResult, 0, len(steps))
	for _, step := range steps {
		list = append(list, step)
	}
	slices.SortFunc(list, func(a, b engine.StepResult) int {
		at, bt := a.StartedAt, b.StartedAt
		if at.IsZero() {
			at = a.CompletedAt
		}
		if bt.IsZero() {
			bt = b.CompletedAt
		}
		switch {
		case at.IsZero() != bt.IsZero():
			if at.IsZero() {
				return 1
			}
			return -1
		case !at.Equal(bt):
			return at.Compare(bt)
		}
		return strings.Compare(a.StepID, b.StepID)
	})
	return list
}
