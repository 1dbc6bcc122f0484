// Command vwmp-plugin-data serves handlers that work on values: jq expressions,
// checks against a JSON Schema, and conversions between JSON, YAML, CSV and
// TOML.
//
// They compute and nothing else: no expression, schema or document reaches a
// file, a variable or the network.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"path"
	"strings"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

const category = "Data"

// maxInput bounds what a handler reads, in bytes.
const maxInput = 8 << 20

func dataPlugin() *pluginsdk.Plugin {
	return &pluginsdk.Plugin{
		Name:        "data",
		Version:     "1.0.0",
		Author:      "VWMP",
		Description: "Transforms, checks and converts values.",
		Handlers:    []*pluginsdk.Handler{transformHandler(), validateHandler(), convertHandler()},
	}
}

// example writes a handler's example config, whose values are constants of
// this package.
func example(config map[string]any) json.RawMessage {
	raw, err := json.Marshal(config)
	if err != nil {
		panic(err)
	}
	return raw
}

// isGiven reports whether a value of any type was configured.
func isGiven(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// readFile reads a whole file of the workspace, within bounds.
func readFile(step *pluginsdk.Step, pointer, name string) ([]byte, error) {
	if err := fileedit.CheckPath(pointer, name); err != nil {
		return nil, err
	}
	file, err := step.Workspace.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, pluginsdk.Invalid(pointer, fmt.Sprintf("the file %q is not there", name))
	}
	if err != nil {
		return nil, pluginsdk.Invalid(pointer, fmt.Sprintf("the file %q can't be read: %v", name, err))
	}
	data, err := io.ReadAll(io.LimitReader(file, maxInput+1))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, pluginsdk.Invalid(pointer, fmt.Sprintf("the file %q can't be read: %v", name, err))
	}
	if len(data) > maxInput {
		return nil, pluginsdk.Errorf("%s has more than the %d bytes allowed", name, maxInput)
	}
	return data, nil
}

// jsonOf reads a file as JSON: one that ends in .yaml, .yml, .toml or .csv is
// converted.
func jsonOf(step *pluginsdk.Step, pointer, name string) (json.RawMessage, error) {
	data, err := readFile(step, pointer, name)
	if err != nil {
		return nil, err
	}
	raw, err := toJSON(data, formatOf(name), csvOptions{Header: true, Delimiter: ","})
	if err != nil {
		return nil, pluginsdk.Errorf("%s: %w", name, err)
	}
	return raw, nil
}

// formatOf goes by a file's ending; what is unknown is JSON.
func formatOf(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".yaml", ".yml":
		return "yaml"
	case ".toml":
		return "toml"
	case ".csv", ".tsv":
		return "csv"
	}
	return "json"
}

// decode reads one JSON value; numbers keep their digits.
func decode(raw []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("it is not JSON: there is more after the value")
	}
	return value, nil
}

// plain turns numbers into the types that gojq works on.
func plain(value any) any {
	switch v := value.(type) {
	case json.Number:
		if n, ok := new(big.Int).SetString(v.String(), 10); ok {
			if n.IsInt64() {
				return int(n.Int64())
			}
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return nil
		}
		return f
	case map[string]any:
		for key, inner := range v {
			v[key] = plain(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = plain(inner)
		}
	}
	return value
}
