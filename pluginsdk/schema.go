package pluginsdk

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// SchemaOf reflects the JSON Schema (draft 2020-12, without $ref) of a config
// struct. The field's name is that of its json tag; further tags are
//
//	title:"Tag template"        description:"…"        default:"v{version}"
//	required:"true"             enum:"patch,minor,major"
//	format:"uri"                pattern:"^v"            example:"v1.2.3"
//	minimum:"1" maximum:"10"    min_length:"1" max_length:"200"
//	min_items:"1" max_items:"9" secret:"true"           multiline:"true"
//	widget:"code"               script:"true"
//
// A field tagged script holds a program's text, in which the host refuses
// references: a value could become code there.
//
// The designer knows the widgets code (text in a fixed-width face), json (the
// value as JSON or YAML) and workflow (suggests the ids of workflows), and
// ignores others.
//
// A field is optional unless it says otherwise. A default is written as JSON,
// or as plain text for a string; it is also what a handler finds where the
// config is silent. Keys that the struct lacks are refused.
func SchemaOf(value any) (json.RawMessage, error) {
	return reflectSchema(reflect.TypeOf(value), true)
}

// outputSchemaOf is SchemaOf for an output, of any type; its fields are
// required unless omitempty or omitzero says otherwise.
func outputSchemaOf(value any) (json.RawMessage, error) {
	t := reflect.TypeOf(value)
	if t == nil || (t.Kind() == reflect.Struct && t.NumField() == 0) {
		return json.RawMessage(`{"type":"object"}`), nil
	}
	return reflectSchema(t, false)
}

func reflectSchema(t reflect.Type, isConfig bool) (json.RawMessage, error) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || (isConfig && t.Kind() != reflect.Struct) {
		return nil, fmt.Errorf("a config must be a struct, not %v", t)
	}
	options := &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[Duration]():        {Types: []string{"number", "string"}, Format: "vwmp-duration"},
		reflect.TypeFor[json.RawMessage](): {},
	}}
	schema, err := jsonschema.ForType(t, options)
	if err != nil {
		return nil, fmt.Errorf("reflect the schema of %s: %w", t, err)
	}
	if err := decorate(schema, t, isConfig); err != nil {
		return nil, fmt.Errorf("schema of %s: %w", t, err)
	}
	schema.Schema = "https://json-schema.org/draft/2020-12/schema"
	return json.Marshal(schema)
}

// decorate walks type and schema side by side and adds what the tags say.
func decorate(schema *jsonschema.Schema, t reflect.Type, isConfig bool) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		dropNull(schema)
		if schema.Items != nil {
			return decorate(schema.Items, t.Elem(), isConfig)
		}
	case reflect.Map:
		dropNull(schema)
		if schema.AdditionalProperties != nil {
			return decorate(schema.AdditionalProperties, t.Elem(), isConfig)
		}
	case reflect.Struct:
		if isConfig {
			schema.Required = nil
		}
		return decorateFields(schema, t, isConfig)
	}
	return nil
}

func decorateFields(schema *jsonschema.Schema, t reflect.Type, isConfig bool) error {
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = field.Name
		}
		property := schema.Properties[name]
		if property == nil || !field.IsExported() {
			continue
		}
		if err := decorate(property, field.Type, isConfig); err != nil {
			return err
		}
		if err := applyTags(property, field); err != nil {
			return fmt.Errorf("field %s: %w", field.Name, err)
		}
		if field.Tag.Get("required") == "true" && !slices.Contains(schema.Required, name) {
			schema.Required = append(schema.Required, name)
		}
	}
	return nil
}

// dropNull takes "null" out of a slice's or map's type: in a config, absent
// is how one says nothing.
func dropNull(schema *jsonschema.Schema) {
	if len(schema.Types) == 2 && schema.Types[0] == "null" {
		schema.Type, schema.Types = schema.Types[1], nil
	}
}

func applyTags(schema *jsonschema.Schema, field reflect.StructField) error {
	tag := field.Tag
	schema.Title = tag.Get("title")
	if text := tag.Get("description"); text != "" {
		schema.Description = text
	}
	if format := tag.Get("format"); format != "" {
		schema.Format = format
	}
	schema.Pattern = tag.Get("pattern")
	if text, ok := tag.Lookup("default"); ok {
		raw, err := tagValue(text, field.Type)
		if err != nil {
			return fmt.Errorf("default: %w", err)
		}
		schema.Default = raw
	}
	if text, ok := tag.Lookup("example"); ok {
		raw, err := tagValue(text, field.Type)
		if err != nil {
			return fmt.Errorf("example: %w", err)
		}
		schema.Examples = []any{raw}
	}
	if text := tag.Get("enum"); text != "" {
		if err := applyEnum(schema, field.Type, text); err != nil {
			return err
		}
	}
	if err := applyBounds(schema, tag); err != nil {
		return err
	}
	extra := map[string]any{}
	if tag.Get("secret") == "true" {
		extra["x-vwmp-secret"] = true
		schema.WriteOnly = true
	}
	if tag.Get("script") == "true" {
		extra["x-vwmp-script"] = true
	}
	if tag.Get("multiline") == "true" {
		extra["x-vwmp-multiline"] = true
	}
	if widget := tag.Get("widget"); widget != "" {
		extra["x-vwmp-widget"] = widget
	}
	if len(extra) > 0 {
		schema.Extra = extra
	}
	return nil
}

// applyEnum puts the choices on the property, or on the items of a list.
func applyEnum(schema *jsonschema.Schema, t reflect.Type, text string) error {
	target := schema
	if schema.Items != nil {
		target, t = schema.Items, t.Elem()
	}
	for choice := range strings.SplitSeq(text, ",") {
		raw, err := tagValue(choice, t)
		if err != nil {
			return fmt.Errorf("enum: %w", err)
		}
		target.Enum = append(target.Enum, raw)
	}
	return nil
}

func applyBounds(schema *jsonschema.Schema, tag reflect.StructTag) error {
	for name, target := range map[string]**float64{"minimum": &schema.Minimum, "maximum": &schema.Maximum} {
		if text := tag.Get(name); text != "" {
			number, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			*target = &number
		}
	}
	for name, target := range map[string]**int{
		"min_length": &schema.MinLength, "max_length": &schema.MaxLength,
		"min_items": &schema.MinItems, "max_items": &schema.MaxItems,
	} {
		if text := tag.Get(name); text != "" {
			number, err := strconv.Atoi(text)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			*target = &number
		}
	}
	return nil
}

// tagValue reads a tag's text as a JSON value of the type: plain text stands
// for a string, anything else is JSON.
func tagValue(text string, t reflect.Type) (json.RawMessage, error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.String || (t == reflect.TypeFor[Duration]() && !json.Valid([]byte(text))) {
		return json.Marshal(text)
	}
	if !json.Valid([]byte(text)) {
		return nil, fmt.Errorf("%q is not JSON", text)
	}
	if err := json.Unmarshal([]byte(text), reflect.New(t).Interface()); err != nil {
		return nil, err
	}
	return json.RawMessage(text), nil
}

// applyDefaults fills a struct with the defaults of its tags.
func applyDefaults(target any) error {
	value := reflect.ValueOf(target).Elem()
	if value.Kind() != reflect.Struct {
		return nil
	}
	for i := range value.NumField() {
		field := value.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		if field.Type.Kind() == reflect.Struct {
			if err := applyDefaults(value.Field(i).Addr().Interface()); err != nil {
				return err
			}
		}
		text, ok := field.Tag.Lookup("default")
		if !ok {
			continue
		}
		raw, err := tagValue(text, field.Type)
		if err == nil {
			err = json.Unmarshal(raw, value.Field(i).Addr().Interface())
		}
		if err != nil {
			return fmt.Errorf("default of %s: %w", field.Name, err)
		}
	}
	return nil
}
