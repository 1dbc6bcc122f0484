package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
)

func TestEveryHandlerDescribesItselfFully(t *testing.T) {
	description, err := gitPlugin().Describe()
	if err != nil {
		t.Fatal(err)
	}
	if len(description.Handlers) != 10 {
		t.Errorf("got %d handlers, want 10", len(description.Handlers))
	}
	if len(description.AdapterSchema) == 0 {
		t.Error("the adapter has no schema")
	}
	for _, info := range description.Handlers {
		if info.Name == "" || info.Description == "" || info.Category == "" || info.Icon == "" || len(info.Example) == 0 {
			t.Errorf("%s: name, description, category, icon and example are due: %+v", info.Path, info)
		}
		checkExample(t, info)
		checkDocumented(t, info.Path+" config", info.ConfigSchema)
		checkDocumented(t, info.Path+" output", info.OutputSchema)
	}
	checkDocumented(t, "adapter", description.AdapterSchema)
}

func TestTheReferencePageIsFresh(t *testing.T) { handlertest.CheckReference(t) }

func TestEffectClassesAreThoseOfTheContract(t *testing.T) {
	want := map[string]struct {
		effect                pluginsdk.EffectClass
		plan, undo, reconcile bool
	}{
		"git.stage_all":  {pluginsdk.EffectIdempotent, true, true, false},
		"git.commit":     {pluginsdk.EffectReconcilable, true, true, true},
		"git.create_tag": {pluginsdk.EffectReconcilable, true, true, true},
		"git.push":       {pluginsdk.EffectReconcilable, true, false, true},
		"git.status":     {pluginsdk.EffectPure, false, false, false},
		"git.diff":       {pluginsdk.EffectPure, false, false, false},
		"git.log":        {pluginsdk.EffectPure, false, false, false},
		"git.checkout":   {pluginsdk.EffectIdempotent, true, false, false},
		"git.clone":      {pluginsdk.EffectIdempotent, true, false, false},
		"git.pull":       {pluginsdk.EffectIdempotent, true, false, false},
	}
	for path, expected := range want {
		info, err := gitPlugin().Handler(path).Info()
		if err != nil {
			t.Fatal(err)
		}
		able := info.Capabilities
		if info.Effect != expected.effect || able.Plan != expected.plan || able.Undo != expected.undo || able.Reconcile != expected.reconcile {
			t.Errorf("%s: got %s %+v, want %+v", path, info.Effect, able, expected)
		}
	}
}

// checkExample holds the example against the config schema.
func checkExample(t *testing.T, info pluginsdk.HandlerInfo) {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(info.ConfigSchema))
	if err != nil {
		t.Fatalf("%s: %v", info.Path, err)
	}
	if err := compiler.AddResource("config.json", document); err != nil {
		t.Fatalf("%s: %v", info.Path, err)
	}
	schema, err := compiler.Compile("config.json")
	if err != nil {
		t.Fatalf("%s: %v", info.Path, err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(info.Example))
	if err != nil {
		t.Fatalf("%s: %v", info.Path, err)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s: the example is refused: %v", info.Path, err)
	}
}

// checkDocumented wants a title and a description on every property.
func checkDocumented(t *testing.T, at string, raw json.RawMessage) {
	t.Helper()
	var schema struct {
		Ref        string                     `json:"$ref"`
		Properties map[string]json.RawMessage `json:"properties"`
		Items      json.RawMessage            `json:"items"`
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	if schema.Ref != "" {
		t.Errorf("%s: has a $ref", at)
	}
	for name, property := range schema.Properties {
		var doc struct{ Title, Description string }
		if err := json.Unmarshal(property, &doc); err != nil {
			t.Fatal(err)
		}
		if doc.Title == "" || doc.Description == "" {
			t.Errorf("%s: %s has no title or description", at, name)
		}
		checkDocumented(t, at+"."+name, property)
	}
	if len(schema.Items) > 0 && schema.Items[0] == '{' {
		checkDocumented(t, at+"[]", schema.Items)
	}
}
