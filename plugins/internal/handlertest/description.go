package handlertest

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/plugintest"
	"github.com/vwmp/vwmp/pluginsdk/reference"
)

// Abilities is what a handler must declare: its effect class, and whether it
// plans, undoes and reconciles.
type Abilities struct {
	Effect                pluginsdk.EffectClass
	Plan, Undo, Reconcile bool
}

// CheckDescription runs the conformance check of package plugintest, and holds
// the plugin's handlers against the contract: these and no others, each with
// its abilities, an icon, an example, and a title and a description on every
// property.
func CheckDescription(t *testing.T, contract map[string]Abilities) {
	t.Helper()
	plugintest.CheckDescription(t, tested)
	description, err := tested.Describe()
	if err != nil {
		t.Fatal(err)
	}
	if len(description.Handlers) != len(contract) {
		t.Errorf("got %d handlers, want %d", len(description.Handlers), len(contract))
	}
	for _, info := range description.Handlers {
		due, ok := contract[info.Path]
		if !ok {
			t.Errorf("%s is not in the contract", info.Path)
		}
		able := info.Capabilities
		if got := (Abilities{info.Effect, able.Plan, able.Undo, able.Reconcile}); got != due {
			t.Errorf("%s: got %+v, want %+v", info.Path, got, due)
		}
		if info.Icon == "" || len(info.Example) == 0 {
			t.Errorf("%s has no icon or no example", info.Path)
		}
		checkDocumented(t, info.Path+" config", info.ConfigSchema)
		checkDocumented(t, info.Path+" output", info.OutputSchema)
	}
	for _, kind := range description.WorkflowTypes {
		checkDocumented(t, "config of "+kind.Name, kind.ConfigSchema)
	}
	if len(description.AdapterSchema) > 0 {
		checkDocumented(t, "adapter", description.AdapterSchema)
	}
	CheckReference(t)
}

// CheckReference fails the test where the plugin's page in docs/handlers, or
// its row in the table there, is not what its description gives.
func CheckReference(t *testing.T) {
	t.Helper()
	description, err := tested.Describe()
	if err != nil {
		t.Fatal(err)
	}
	page, err := reference.Page(description)
	if err != nil {
		t.Fatal(err)
	}
	docs := filepath.Join("..", "..", "docs", "handlers")
	if Read(t, docs, description.Name+".md") != page {
		t.Errorf("docs/handlers/%s.md is not what the plugin says of itself: run make generate", description.Name)
	}
	if !strings.Contains(Read(t, docs, "README.md"), reference.Row(description)) {
		t.Errorf("docs/handlers/README.md lacks the row of %s: run make generate", description.Name)
	}
}

// checkDocumented wants a title and a description on every property.
func checkDocumented(t *testing.T, at string, raw json.RawMessage) {
	t.Helper()
	var schema struct {
		Properties map[string]json.RawMessage `json:"properties"`
		Items      json.RawMessage            `json:"items"`
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatalf("%s: %v", at, err)
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
