package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/vwmp/vwmp/pluginsdk"
)

const (
	// maxYAML bounds YAML, in bytes: reading it costs a thousand times that.
	maxYAML = 512 << 10
	// maxNodes bounds what YAML's aliases may stand for together.
	maxNodes = 100_000
)

type convertConfig struct {
	Content   string          `json:"content" title:"Content" description:"The text to convert." multiline:"true" example:"name: Ada"`
	Value     json.RawMessage `json:"value,omitempty" title:"Value" description:"A value to write in another format, instead of a text; mostly a reference." widget:"json"`
	File      string          `json:"file" title:"File" description:"A file of the workspace to convert, instead of a text." example:"data/people.csv"`
	From      string          `json:"from" title:"From" description:"The format of the text; auto goes by the file's ending, and takes a text for JSON." enum:"auto,json,yaml,csv,toml" default:"auto"`
	To        string          `json:"to" title:"To" description:"The format to write." enum:"json,yaml,csv,toml" default:"json"`
	Header    bool            `json:"csv_header" title:"CSV with a header" description:"The first line of a CSV names its columns." default:"true"`
	Delimiter string          `json:"csv_delimiter" title:"CSV delimiter" description:"What separates the columns of a CSV: one character, or \\t." default:"," min_length:"1" max_length:"2"`
	Columns   []string        `json:"csv_columns" title:"CSV columns" description:"The columns to write to a CSV, in order; empty: all, by name." max_items:"1000" example:"[\"name\", \"age\"]"`
}

type convertOutput struct {
	Content string `json:"content" title:"Content" description:"The text in the new format."`
	Value   any    `json:"value" title:"Value" description:"The value itself."`
}

type converter struct{}

func convertHandler() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "data.convert", Name: "Convert", Category: category, Icon: "arrow-left-right", Tags: []string{"parse", "format", "table"},
		Description: "Converts between JSON, YAML, CSV and TOML, and returns the value too.",
		Effect:      pluginsdk.EffectPure,
		Example:     example(map[string]any{"content": "name,age\nAda,36\n", "from": "csv", "to": "json"}),
	}, converter{})
}

type csvOptions struct {
	Header    bool
	Delimiter string
	Columns   []string
}

// comma is the one character that separates columns.
func (o csvOptions) comma() (rune, error) {
	if o.Delimiter == `\t` {
		return '\t', nil
	}
	r, size := utf8.DecodeRuneInString(o.Delimiter)
	if size != len(o.Delimiter) || strings.ContainsRune("\r\n\"\uFFFD", r) {
		return 0, pluginsdk.Invalid("/csv_delimiter", "the delimiter must be one character, and neither a quote nor a line break")
	}
	return r, nil
}

// Execute converts.
func (converter) Execute(_ context.Context, step *pluginsdk.Step, config convertConfig) (convertOutput, error) {
	var output convertOutput
	options := csvOptions{config.Header, config.Delimiter, config.Columns}
	sources := 0
	for _, is := range []bool{config.Content != "", isGiven(config.Value), config.File != ""} {
		if is {
			sources++
		}
	}
	if sources != 1 {
		return output, pluginsdk.Invalid("", "give one of content, value and file")
	}
	raw, pointer := config.Value, "/content"
	if !isGiven(config.Value) {
		data, from := []byte(config.Content), config.From
		if config.File != "" {
			pointer = "/file"
			var err error
			if data, err = readFile(step, pointer, config.File); err != nil {
				return output, err
			}
			if from == "auto" {
				from = formatOf(config.File)
			}
		}
		var err error
		if raw, err = toJSON(data, from, options); err != nil {
			return output, inPlace(pointer, err)
		}
	}
	value, err := decode(raw)
	if err != nil {
		return output, inPlace(pointer, err)
	}
	output.Value = value
	output.Content, err = write(raw, value, config.To, options)
	return output, err
}

// inPlace names the place of an error that has none.
func inPlace(pointer string, err error) error {
	var typed *pluginsdk.Error
	if errors.As(err, &typed) {
		return err
	}
	return pluginsdk.Invalid(pointer, err.Error())
}

// toJSON reads a text as JSON; keys keep their order where the format has one.
func toJSON(data []byte, format string, options csvOptions) (json.RawMessage, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("it is not text in UTF-8")
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	switch format {
	case "yaml":
		return yamlToJSON(data)
	case "toml":
		var value map[string]any
		if err := toml.Unmarshal(data, &value); err != nil {
			return nil, fmt.Errorf("it is not TOML: %w", err)
		}
		return json.Marshal(value)
	case "csv":
		return csvToJSON(data, options)
	}
	if _, err := decode(data); err != nil {
		return nil, err
	}
	return data, nil
}

func yamlToJSON(data []byte) (json.RawMessage, error) {
	if len(data) > maxYAML {
		return nil, fmt.Errorf("it has %d bytes, more than the %d allowed for YAML", len(data), maxYAML)
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, fmt.Errorf("it is not YAML: %s", yaml.FormatError(err, false, false))
	}
	documents := slices.DeleteFunc(file.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	if len(documents) > 1 {
		return nil, fmt.Errorf("it has %d documents; one is due", len(documents))
	}
	if len(documents) == 0 {
		return json.RawMessage("null"), nil
	}
	weight := &weighing{anchors: map[string]int{}}
	ast.Walk(weight, documents[0].Body)
	if weight.total > maxNodes {
		return nil, fmt.Errorf("its aliases stand for more than %d values", maxNodes)
	}
	raw, err := yaml.YAMLToJSON(data)
	if err != nil {
		return nil, fmt.Errorf("it is not YAML: %s", yaml.FormatError(err, false, false))
	}
	return bytes.TrimSpace(raw), nil
}

// weighing counts the values of a document with what its aliases stand for.
type weighing struct {
	anchors map[string]int
	total   int
}

// Visit implements ast.Visitor.
func (w *weighing) Visit(node ast.Node) ast.Visitor {
	if w.total > maxNodes {
		return nil
	}
	switch n := node.(type) {
	case *ast.AnchorNode:
		inner := &weighing{anchors: w.anchors}
		ast.Walk(inner, n.Value)
		w.anchors[n.Name.GetToken().Value] = inner.total
		w.total += inner.total
		return nil
	case *ast.AliasNode:
		w.total += max(w.anchors[n.Value.GetToken().Value], 1)
		return nil
	}
	w.total++
	return w
}

func csvToJSON(data []byte, options csvOptions) (json.RawMessage, error) {
	comma, err := options.comma()
	if err != nil {
		return nil, err
	}
	reader := csv.NewReader(bytes.NewReader(data))
	reader.Comma = comma
	rows := []any{}
	var header []string
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("it is not CSV: %w", err)
		}
		switch {
		case !options.Header:
			rows = append(rows, record)
		case header == nil:
			header = record
			for i, name := range header {
				if slices.Contains(header[:i], name) {
					return nil, fmt.Errorf("two columns are called %q", name)
				}
			}
		default:
			row := map[string]string{}
			for i, value := range record {
				row[header[i]] = value
			}
			rows = append(rows, row)
		}
	}
	return json.Marshal(rows)
}

// write writes a value in a format; raw is the value as JSON.
func write(raw json.RawMessage, value any, format string, options csvOptions) (string, error) {
	var out bytes.Buffer
	switch format {
	case "yaml":
		text, err := yaml.JSONToYAML(raw)
		if err != nil {
			return "", pluginsdk.Errorf("write YAML: %w", err)
		}
		return string(text), nil
	case "toml":
		table, ok := value.(map[string]any)
		if !ok {
			return "", pluginsdk.Errorf("TOML holds an object, and the value is none").WithCode("NOT_CONVERTIBLE")
		}
		if at := findNull(table, ""); at != "" {
			return "", pluginsdk.Errorf("TOML has no null, and the value has one at %s", at).WithCode("NOT_CONVERTIBLE")
		}
		if err := toml.NewEncoder(&out).Encode(plain(table)); err != nil {
			return "", pluginsdk.Errorf("write TOML: %w", err).WithCode("NOT_CONVERTIBLE")
		}
		return out.String(), nil
	case "csv":
		return writeCSV(value, options)
	}
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return "", pluginsdk.Errorf("write JSON: %w", err)
	}
	return out.String() + "\n", nil
}

func findNull(value any, at string) string {
	switch v := value.(type) {
	case nil:
		return at
	case map[string]any:
		for key, inner := range v {
			if found := findNull(inner, at+"/"+key); found != "" {
				return found
			}
		}
	case []any:
		for i, inner := range v {
			if found := findNull(inner, fmt.Sprintf("%s/%d", at, i)); found != "" {
				return found
			}
		}
	}
	return ""
}

// writeCSV writes a list of objects or of lists.
func writeCSV(value any, options csvOptions) (string, error) {
	comma, err := options.comma()
	if err != nil {
		return "", err
	}
	rows, ok := value.([]any)
	if !ok {
		return "", pluginsdk.Errorf("a CSV holds a list, and the value is none").WithCode("NOT_CONVERTIBLE")
	}
	columns := options.Columns
	if len(columns) == 0 {
		for _, row := range rows {
			if object, ok := row.(map[string]any); ok {
				for name := range object {
					columns = append(columns, name)
				}
				slices.Sort(columns)
				columns = slices.Compact(columns)
			}
		}
	}
	var out bytes.Buffer
	writer := csv.NewWriter(&out)
	writer.Comma = comma
	var records [][]string
	if options.Header && len(columns) > 0 {
		records = append(records, columns)
	}
	for i, row := range rows {
		var record []string
		switch r := row.(type) {
		case map[string]any:
			for _, name := range columns {
				record = append(record, cell(r[name]))
			}
		case []any:
			for _, inner := range r {
				record = append(record, cell(inner))
			}
		default:
			return "", pluginsdk.Errorf("row %d is neither an object nor a list", i).WithCode("NOT_CONVERTIBLE")
		}
		records = append(records, record)
	}
	if err := writer.WriteAll(records); err != nil {
		return "", pluginsdk.Errorf("write CSV: %w", err)
	}
	return out.String(), nil
}

// cell is a value as text; lists and objects as JSON.
func cell(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(raw)
}
